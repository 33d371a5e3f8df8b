import { exitCodeOf, holdSignals, startPulumi } from "../../../toolchain/pulumi";

jest.mock("../../../toolchain/toolchain", () => ({
    ensureToolchain: () => Promise.resolve({ pulumi: process.execPath, env: { PULUMI_STACK: "" } }),
}));

test("a signal that is held ends the Pulumi that runs, and is over once it is let go", async () => {
    const held = process.listenerCount("SIGTERM");
    const { came, release } = holdSignals();
    const child = await startPulumi(["-e", "setTimeout(() => undefined, 25_000)"], "ignore");
    expect(came.aborted).toBe(false);
    process.emit("SIGTERM", "SIGTERM");
    expect(await exitCodeOf(child)).toBe(1);
    expect([child.signalCode, came.aborted]).toEqual(["SIGTERM", true]);
    release();
    expect(process.listenerCount("SIGTERM")).toBe(held);
});

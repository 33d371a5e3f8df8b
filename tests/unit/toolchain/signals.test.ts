import { spawn } from "node:child_process";
import { holdSignals, startPulumi } from "../../../toolchain/pulumi";
import { exitCodeOf, foreground } from "../../../toolchain/run";

jest.mock("../../../toolchain/toolchain", () => ({
    ensureToolchain: () => Promise.resolve({ pulumi: process.execPath, env: { PULUMI_STACK: "" } }),
}));

test.each(["SIGTERM", "SIGHUP"] as const)(
    "%s that is held ends the Pulumi that runs, and is over once it is let go",
    async (signal) => {
        const held = process.listenerCount(signal);
        const { came, release } = holdSignals();
        const child = await startPulumi(["-e", "setTimeout(() => undefined, 25_000)"], "ignore");
        expect(came.aborted).toBe(false);
        process.emit(signal, signal);
        expect(await exitCodeOf(child)).toBe(143);
        expect([child.signalCode, came.aborted]).toEqual(["SIGTERM", true]);
        release();
        expect(process.listenerCount(signal)).toBe(held);
    },
);

test("Ctrl-C on the terminal is left to the child in the foreground, and SIGTERM is passed on to it", async () => {
    const held = process.listenerCount("SIGINT");
    const child = spawn(process.execPath, ["-e", "setTimeout(() => undefined, 25_000)"], { stdio: "ignore" });
    const code = foreground(child);
    process.emit("SIGINT", "SIGINT");
    expect(child.signalCode).toBeNull();
    process.emit("SIGTERM", "SIGTERM");
    expect(await code).toBe(143);
    expect(process.listenerCount("SIGINT")).toBe(held);
});

test("a child in the foreground that can't be started is an error, and holds no signal", async () => {
    const held = process.listenerCount("SIGINT");
    await expect(foreground(spawn("/nonexistent/program"))).rejects.toThrow("ENOENT");
    expect(process.listenerCount("SIGINT")).toBe(held);
});

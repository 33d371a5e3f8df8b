/** The course of a promotion, with Pulumi and the doctor made up. */
import { ChildProcess } from "node:child_process";
import { previewStack } from "../../../delivery/engine";
import type { Plan } from "../../../delivery/plan";
import { main } from "../../../delivery/promote";
import { diagnose } from "../../../doctor/diagnose";
import { pulumiOutput, startPulumi } from "../../../toolchain/pulumi";
import { planWith } from "./events";

jest.mock("../../../delivery/engine", () => ({ previewStack: jest.fn() }));
jest.mock("../../../doctor/diagnose", () => ({ diagnose: jest.fn() }));
jest.mock("../../../toolchain/pulumi", () => ({
    ...jest.requireActual<object>("../../../toolchain/pulumi"),
    pulumiOutput: jest.fn(),
    startPulumi: jest.fn(),
}));

const empty = planWith();
const change = { urn: "u", name: "step", type: "command:remote:Command", properties: [], retained: false };
const update: Plan = { ...empty, changes: [{ ...change, operation: "update" }] };

/** What was done, in order; `prod` has version 1 and `dev` version 2. */
let done: string[];
let version: string;
let ofProd: () => Plan;
/** On standard error, and on standard output. */
let words: string;
let told: string;
/** The command that fails, and what a command line begins with. */
let broken: RegExp;

beforeEach(() => {
    done = [];
    version = "1";
    words = "";
    told = "";
    broken = /^$/;
    ofProd = () => update;
    jest.spyOn(process.stdout, "write").mockImplementation((text) => {
        told += String(text);
        return true;
    });
    jest.spyOn(process.stderr, "write").mockImplementation((text) => {
        words += String(text);
        return true;
    });
    jest.mocked(pulumiOutput).mockImplementation((args) => {
        const line = args.join(" ");
        if (broken.test(line)) return Promise.reject(new Error(`pulumi ${line} failed.`));
        if (line.startsWith("stack history")) return Promise.resolve("[]");
        if (line.startsWith("config --json")) {
            const value = { version: line.endsWith("dev") ? "2" : version };
            return Promise.resolve(JSON.stringify({ "multihost:redis": { objectValue: value, secret: false } }));
        }
        version = /redis\.version (\d+)/.exec(line)?.[1] ?? "";
        done.push(`version ${version}`);
        return Promise.resolve("");
    });
    jest.mocked(previewStack).mockImplementation((stack) => Promise.resolve(stack === "dev" ? empty : ofProd()));
    jest.mocked(diagnose).mockImplementation((stack) => {
        done.push(`examine ${stack}`);
        return Promise.resolve({ healthy: true, counts: { ok: 1 } } as Awaited<ReturnType<typeof diagnose>>);
    });
    jest.mocked(startPulumi).mockImplementation(([command]) => {
        done.push(String(command));
        const child = new ChildProcess();
        setImmediate(() => child.emit("close", 0));
        return Promise.resolve(child);
    });
});
afterEach(() => jest.restoreAllMocks());

const promote = (): Promise<number> => main(["--from", "dev", "--to", "prod", "--yes"]);

test("versions are set, the stack updated and examined, and signals do then what they did", async () => {
    const held = process.listenerCount("SIGINT");
    expect(await promote()).toBe(0);
    expect(done).toEqual(["examine dev", "version 2", "up", "examine prod"]);
    expect([process.listenerCount("SIGINT"), process.listenerCount("SIGTERM")]).toEqual([held, held]);
});

test("a stack of which no resource differs is updated all the same: its outputs, its state and its commit may", async () => {
    ofProd = () => empty;
    expect(await promote()).toBe(0);
    expect(done).toEqual(["examine dev", "version 2", "up", "examine prod"]);
    expect(told).toContain("No resource of prod differs. Its outputs and its state are updated:\n");
});

test("no update is made that nobody agreed to, whatever differs", async () => {
    ofProd = () => empty;
    expect(await main(["--from", "dev", "--to", "prod"])).toBe(2);
    expect(words).toContain("say --yes");
    expect(done).toEqual(["examine dev", "version 2", "version 1"]);
});

test("hosts that would stop at the same time are refused, and the versions put back", async () => {
    const replaced = (name: string): Plan["changes"][number] => ({
        ...change,
        name,
        type: "alicloud:ecs/instance:Instance",
        operation: "replace",
        properties: [{ path: "imageId", before: "a", after: "b", replaces: true }],
    });
    ofProd = () => ({ ...empty, changes: [replaced("node-1"), replaced("node-2")] });
    expect(await main(["--from", "dev", "--to", "prod", "--yes", "--replace", "*"])).toBe(2);
    expect(words).toContain("node-1, node-2 would stop at the same time.");
    expect(done).toEqual(["examine dev", "version 2", "version 1"]);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s while it previews puts the versions back", async (signal) => {
    ofProd = () => {
        expect(process.emit(signal, signal)).toBe(true);
        return { ...empty, complete: false };
    };
    expect(await promote()).toBe(2);
    expect(done).toEqual(["examine dev", "version 2", "version 1"]);
    expect(words).toContain("Nothing was changed.");
});

test("an interruption that Pulumi is too fast for still stops the promotion", async () => {
    ofProd = () => {
        process.emit("SIGINT", "SIGINT");
        return update;
    };
    expect(await promote()).toBe(2);
    expect(done.at(-1)).toBe("version 1");
    expect(words).toBe("Interrupted.\nNothing was changed.\n");
});

test("whatever fails before the update is a refusal", async () => {
    broken = /^stack history/;
    expect(await promote()).toBe(2);
    broken = /^config set .* 2 /;
    expect(await promote()).toBe(2);
    jest.mocked(previewStack).mockRejectedValue(new Error("no toolchain"));
    expect(await promote()).toBe(2);
    expect(words).toContain("no toolchain\nNothing was changed.");
    expect(version).toBe("1");
});

test("a group that is kept as one text is refused before anything is written, in either stack", async () => {
    const printed = jest.mocked(pulumiOutput).getMockImplementation()!;
    for (const stack of ["prod", "dev"]) {
        jest.mocked(pulumiOutput).mockImplementation((args, input) =>
            args.join(" ").startsWith("config --json") && args.at(-1) === stack
                ? Promise.resolve(JSON.stringify({ "multihost:redis": { value: '{"version":"1"}', secret: true } }))
                : printed(args, input),
        );
        words = "";
        expect(await promote()).toBe(2);
        expect(words).toContain(`redis: ${stack} keeps this group as one text`);
        expect(words).toContain("Nothing was changed.");
    }
    expect(done).toEqual([]);
});

test("versions that can't be put back are said, with the commands that do it", async () => {
    broken = /^config set .* 1 /;
    ofProd = () => ({ ...empty, errors: ["no such image"] });
    await expect(promote()).rejects.toThrow(
        /The settings of prod may still have promoted versions\. Back to its own:\n {2}npm run pulumi -- config set .* redis\.version 1 --stack prod/,
    );
    expect(words).not.toContain("Nothing was changed");
});

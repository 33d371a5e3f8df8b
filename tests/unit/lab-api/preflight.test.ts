import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { LabPaths, labPaths } from "../../../lab/paths";
import { findProblems } from "../../../lab/preflight";
import { startOf } from "../../../lab/process";

/** Running containers by label, and the machine's free memory. */
const mockMachine = { containers: {} as Record<string, number>, freeKiB: 0 };

jest.mock("../../../lab/hosts/docker", () => ({
    Docker: class {
        async running(label: string): Promise<number> {
            return mockMachine.containers[label] ?? 0;
        }
        readonly close = (): void => undefined;
    },
}));
jest.mock("node:child_process", () => ({
    ...jest.requireActual<typeof import("node:child_process")>("node:child_process"),
    execFile: (_command: string, _args: readonly string[], _options: object, done: (error: null) => void) => done(null),
}));
jest.mock("node:fs", () => {
    const fs = jest.requireActual<typeof import("node:fs")>("node:fs");
    return {
        ...fs,
        readFileSync: (file: string, ...more: [BufferEncoding]) =>
            file === "/proc/meminfo" ? `MemAvailable:   ${mockMachine.freeKiB} kB\n` : fs.readFileSync(file, ...more),
    };
});

let folder: string;
let paths: LabPaths;
const before = process.env["MULTIHOST_STATE"];

beforeEach(() => {
    folder = mkdtempSync(`${tmpdir()}/lab-preflight-`);
    process.env["MULTIHOST_STATE"] = folder;
    paths = { ...labPaths({ LAB_NAME: "unit" }), daemon: `${folder}/daemon.json` };
    mockMachine.containers = {};
    mockMachine.freeKiB = 1024 * 1024;
});
afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    if (before === undefined) delete process.env["MULTIHOST_STATE"];
    else process.env["MULTIHOST_STATE"] = before;
});

async function memoryProblems(): Promise<string[]> {
    return (await findProblems(paths, { stack: false })).filter((problem) => problem.includes("memory"));
}

test("a lab that begins needs free memory", async () => {
    mockMachine.containers["multihost.lab=other"] = 3;
    expect(await memoryProblems()).toEqual([
        "The lab needs 3 GiB of memory, 1.0 GiB are available: stop something else.",
    ]);
    mockMachine.freeKiB = 4 * 1024 * 1024;
    expect(await memoryProblems()).toEqual([]);
});

test("a lab that runs is not refused the memory that it has", async () => {
    writeFileSync(paths.daemon, JSON.stringify({ pid: process.pid, start: startOf(process.pid), port: paths.port }));
    expect(await memoryProblems()).toEqual([]);
});

test("nor is one whose hosts run without it", async () => {
    mockMachine.containers["multihost.lab=unit"] = 3;
    expect(await memoryProblems()).toEqual([]);
});

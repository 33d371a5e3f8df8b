import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { startDaemon } from "../../../lab/control";
import { LabPaths, labPaths } from "../../../lab/paths";

// A daemon that says why it can't start.
jest.mock("node:child_process", () => {
    const { spawn, ...others } = jest.requireActual<typeof import("node:child_process")>("node:child_process");
    return {
        ...others,
        spawn: (_program: string, _args: readonly string[], { stdio }: import("node:child_process").SpawnOptions) =>
            spawn("sh", ["-c", "echo the state has another format >&2; exit 1"], { stdio }),
    };
});

let folder: string;
let paths: LabPaths;
const before = process.env["MULTIHOST_STATE"];

beforeEach(() => {
    folder = mkdtempSync(`${tmpdir()}/lab-control-`);
    process.env["MULTIHOST_STATE"] = folder;
    paths = labPaths({ LAB_NAME: "unit" });
    mkdirSync(paths.folder, { recursive: true });
});
afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    if (before === undefined) delete process.env["MULTIHOST_STATE"];
    else process.env["MULTIHOST_STATE"] = before;
});

test("why a lab did not start is told without what its log had before, which goes once it is large", async () => {
    const reason = "The lab did not start:\nthe state has another format";
    writeFileSync(paths.log, "the first run\n");
    await expect(startDaemon(paths, "cn-hangzhou")).rejects.toThrow(new Error(reason));
    truncateSync(paths.log, 20 * 2 ** 20 + 1);
    await expect(startDaemon(paths, "cn-hangzhou")).rejects.toThrow(new Error(reason));
    expect(readFileSync(paths.log, "utf8")).toBe("the state has another format\n");
    expect(readFileSync(`${paths.log}.old`, "utf8")).toContain("the first run");
});

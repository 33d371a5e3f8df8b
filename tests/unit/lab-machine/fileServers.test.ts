/** Several mount targets on one machine, whose programs are stood in for. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { installPackages } from "../../../lab/hosts/engine";
import { type Finished, Runner } from "../../../lab/hosts/runner";
import type { DesiredFileSystem } from "../../../lab/model/desired";
import { FileServers } from "../../../lab/net/fileServers";

jest.mock("../../../lab/hosts/engine", () => ({ installPackages: jest.fn(() => Promise.resolve()) }));
const install = jest.mocked(installPackages);

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lab-file-servers-"));
    install.mockReset().mockResolvedValue();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lets no server begin; those that run already go on. */
class StubbedRunner extends Runner {
    readonly signalled: string[] = [];

    override async attempt(argv: readonly string[]): Promise<Finished> {
        if (argv.includes("ganesha.nfsd")) return { code: 1, stdout: "", stderr: `no ${argv[1]}` };
        if (argv[0] === "kill") this.signalled.push(argv.slice(1).join(" "));
        return { code: 0, stdout: argv[0] === "ip" ? "4711\n" : "", stderr: "" };
    }
}

const servers = (runner: Runner): FileServers =>
    new FileServers({
        runner,
        folder,
        place: (id) => ({
            id,
            namespace: id,
            router: "vpc",
            device: id,
            addresses: ["10.0.1.9"],
            source: "100.64.0.9",
            gateway: "10.0.1.1",
        }),
        log: () => undefined,
    });

const fileSystem = (id: string, ...targets: string[]): DesiredFileSystem => ({
    id,
    mountTargets: targets.map((target) => ({
        id: target,
        vpcId: "vpc",
        address: "10.0.1.9",
        active: true,
        rules: [],
    })),
});

/** A server of an earlier run. */
function run(target: string): void {
    mkdirSync(path.join(folder, "servers", target), { recursive: true });
    writeFileSync(path.join(folder, "servers", target, "process"), "4711\n");
}

/** Files of a file system that is no more. */
function leave(id: string): string {
    const files = path.join(folder, "files", id);
    mkdirSync(files, { recursive: true });
    return files;
}

test("a mount target whose server does not begin keeps no other from its rules, nor files from going", async () => {
    run("mt-2");
    const gone = leave("fs-gone");
    const runner = new StubbedRunner();
    const all = servers(runner);
    const desired = [fileSystem("fs-1", "mt-1", "mt-2"), fileSystem("fs-2", "mt-3")];
    await expect(all.apply(desired)).rejects.toThrow(/netns\/mt-1[^]*netns\/mt-3/);
    expect(runner.signalled).toEqual(["-HUP 4711"]);
    expect(["mt-1", "mt-2", "mt-3"].map((id) => all.serves(id))).toEqual([false, true, false]);
    expect(existsSync(gone)).toBe(false);
});

test("files go also where the server can't be installed, which is told of once", async () => {
    install.mockRejectedValue(new Error("no archive"));
    const gone = leave("fs-gone");
    await expect(servers(new StubbedRunner()).apply([fileSystem("fs-1", "mt-1", "mt-2")])).rejects.toThrow(
        /^no archive$/,
    );
    expect(existsSync(gone)).toBe(false);
    expect(existsSync(path.join(folder, "files", "fs-1"))).toBe(true);
});

/** Installing packages, on a machine that is stood in for. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { EngineError, ensureEngine, installPackages, liftBan, readPackageLists } from "../../../lab/hosts/engine";
import type { Finished, Runner } from "../../../lab/hosts/runner";

const mockFolder = { path: "" };

/** The machine's own files, and its programs, none of which is missing. */
jest.mock("node:fs", () => {
    const fs = jest.requireActual<typeof import("node:fs")>("node:fs");
    const own = (file: string): string =>
        ["/usr/sbin/policy-rc.d", "/etc/os-release"].includes(file)
            ? `${mockFolder.path}/${file.split("/").at(-1)!}`
            : file;
    return {
        ...fs,
        accessSync: (file: string, mode?: number) => {
            if (!/bin\/[a-z]+$/.test(file)) fs.accessSync(file, mode);
        },
        existsSync: (file: string) => fs.existsSync(own(file)),
        readFileSync: (file: string, ...more: [BufferEncoding]) => fs.readFileSync(own(file), ...more),
        writeFileSync: (file: string, ...more: [string]) => fs.writeFileSync(own(file), ...more),
        rmSync: (file: string, ...more: [object]) => fs.rmSync(own(file), ...more),
    };
});
jest.mock("../../../lab/hosts/docker", () => ({
    Docker: class {
        async problem(): Promise<undefined> {
            return undefined;
        }
        readonly close = (): void => undefined;
    },
}));

const BAN = "/usr/sbin/policy-rc.d";
const before = process.env["MULTIHOST_STATE"];
let commands: string[];
/** Answers commands; what the tests don't care for succeeds. */
let answers: (command: string) => Partial<Finished>;
const runner = {
    attempt: async (argv: readonly string[]) => {
        const command = argv.filter((word) => !word.startsWith("-o") && !word.startsWith("DPkg")).join(" ");
        commands.push(command);
        return { code: 0, stdout: "", stderr: "", ...answers(command) };
    },
    run: async (argv: readonly string[]) => {
        const { code, stderr } = await runner.attempt(argv);
        if (code !== 0) throw new Error(stderr);
        return "";
    },
} as unknown as Runner & { attempt: (argv: readonly string[]) => Promise<Finished> };

beforeEach(() => {
    mockFolder.path = mkdtempSync(path.join(tmpdir(), "lab-engine-"));
    process.env["MULTIHOST_STATE"] = mockFolder.path;
    writeFileSync("/etc/os-release", 'ID=debian\nVERSION_CODENAME="bookworm"\n');
    commands = [];
    answers = () => ({});
    jest.spyOn(process, "getuid").mockReturnValue(0);
});
afterEach(() => {
    jest.restoreAllMocks();
    rmSync(mockFolder.path, { recursive: true, force: true });
    if (before === undefined) delete process.env["MULTIHOST_STATE"];
    else process.env["MULTIHOST_STATE"] = before;
});

/** Installs a package; resolves to the ban on starting services that stood meanwhile. */
async function installation(): Promise<string> {
    let ban = "";
    const others = answers;
    answers = (command) => {
        if (command.includes("install")) ban = readFileSync(BAN, "utf8");
        return others(command);
    };
    await installPackages(["haproxy"], [], runner);
    return ban;
}

test("what is installed starts no services, and what comes later does", async () => {
    expect(await installation()).toMatch(/^#!\/bin\/sh\n[^]*^exit 101$/m);
    expect(existsSync(BAN)).toBe(false);
});

describe("the ban that an interrupted installation left", () => {
    let left: string;
    beforeEach(async () => {
        left = await installation();
        writeFileSync(BAN, left);
    });

    test("goes with the next installation", async () => {
        expect(await installation()).toBe(left);
        expect(existsSync(BAN)).toBe(false);
    });

    test("goes with the lab", async () => {
        await liftBan();
        expect(existsSync(BAN)).toBe(false);
    });

    test("goes where nothing is missing", async () => {
        await ensureEngine({ runner });
        expect(existsSync(BAN)).toBe(false);
    });
});

describe.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("an installation that %s ends", (signal) => {
    /** Whether there is a ban after the signal, which comes in the middle. */
    const interrupt = async (): Promise<boolean> => {
        let stands = true;
        answers = (command) => {
            if (!command.includes("install")) return {};
            process.emit(signal, signal);
            stands = existsSync(BAN);
            return {};
        };
        await installPackages(["haproxy"], [], runner);
        return stands;
    };

    test("leaves no ban, and holds the signal up no further", async () => {
        const kill = jest.spyOn(process, "kill").mockReturnValue(true);
        const held = process.listenerCount(signal);
        expect(await interrupt()).toBe(false);
        expect(kill.mock.calls).toEqual(held === 0 ? [[process.pid, signal]] : []);
        expect(process.listenerCount(signal)).toBe(held);
    });

    test("is left to who ends this process in an order of its own", async () => {
        const kill = jest.spyOn(process, "kill").mockReturnValue(true);
        const others = jest.fn();
        process.once(signal, others);
        expect(await interrupt()).toBe(false);
        expect(others).toHaveBeenCalledTimes(1);
        expect(kill).not.toHaveBeenCalled();
    });

    test("leaves an administrator's own ban", async () => {
        jest.spyOn(process, "kill").mockReturnValue(true);
        writeFileSync(BAN, "#!/bin/sh\nexit 104\n");
        process.once(signal, () => undefined);
        expect(await interrupt()).toBe(true);
    });
});

test("an administrator's own ban stays as it is", async () => {
    writeFileSync(BAN, "#!/bin/sh\nexit 104\n");
    expect(await installation()).toBe("#!/bin/sh\nexit 104\n");
    await ensureEngine({ runner });
    await liftBan();
    expect(readFileSync(BAN, "utf8")).toBe("#!/bin/sh\nexit 104\n");
});

test("what is there stays, and whoever asks is told what would have had to go", async () => {
    answers = (command) =>
        command.includes("install") && command.includes("--no-remove")
            ? {
                  code: 100,
                  stdout: "The following packages will be REMOVED:\n  mysql-client-8.0 mysql-server\n  mysql-server-8.0\nThe following NEW packages will be installed:\n  mariadb-server\n",
                  stderr: "E: Packages need to be removed but remove is disabled.",
              }
            : {};
    const refused = installPackages(["mariadb-server"], [], runner);
    await expect(refused).rejects.toThrow(EngineError);
    await expect(refused).rejects.toThrow(
        "Installing mariadb-server would remove packages of this machine, so nothing was installed: mysql-client-8.0, mysql-server, mysql-server-8.0. " +
            "Choose yourself which to keep and install what is missing, or use another machine.",
    );
});

test("an installation that fails in another way says how", async () => {
    answers = (command) =>
        command.includes("install") ? { code: 100, stderr: "E: Unable to locate package haproxy" } : {};
    await expect(installation()).rejects.toThrow("ended with 100: E: Unable to locate package haproxy");
});

test("an interrupted installation is finished first, and only then", async () => {
    await installation();
    expect(commands).toEqual(["apt-get -q -y --no-install-recommends --no-remove install haproxy"]);
    commands = [];
    const refusal = { code: 100, stderr: "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'" };
    answers = (command) =>
        command.startsWith("apt-get") && !commands.some((former) => former.startsWith("dpkg")) ? refusal : {};
    await installation();
    expect(commands).toEqual([
        "apt-get -q -y --no-install-recommends --no-remove install haproxy",
        "dpkg --force-confold --configure -a",
        "apt-get -q update",
        "apt-get -q -y --no-install-recommends --no-remove install haproxy",
    ]);
});

test("lists of packages are read once, and those that can't be had end nothing", async () => {
    answers = () => ({ code: 100, stderr: "E: Failed to fetch http://mirror.example/debian" });
    await readPackageLists(runner);
    expect(commands).toEqual(["apt-get -q update"]);
});

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { alone, findAdministration, labEnvironment, prepareScripts } from "../../prepare";

/** The commands that the machine has. */
const mockCommands = new Set<string>();
jest.mock("node:child_process", () => ({
    ...jest.requireActual<typeof import("node:child_process")>("node:child_process"),
    spawnSync: (_shell: string, [, command]: readonly string[]) => ({
        status: mockCommands.has(command!.replace("command -v ", "")) ? 0 : 1,
    }),
}));

const saved = { ...process.env };
let folder: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "prepare-"));
    process.env["MULTIHOST_STATE"] = join(folder, "state");
});
afterEach(() => {
    jest.restoreAllMocks();
    process.env = { ...saved };
    rmSync(folder, { recursive: true });
});

test.each([
    ["lab", `the tests' lab "${labEnvironment["LAB_NAME"]!}"`],
    ["scripts", "the tests of scripts"],
] as const)(
    "a second run of tests of the %s waits for the first one and says so, and both leave nothing",
    async (where, what) => {
        let said = "";
        jest.spyOn(process.stderr, "write").mockImplementation((text) => {
            said += String(text);
            return true;
        });
        const events: string[] = [];
        const run = (name: string): Promise<void> =>
            alone(where, async () => {
                events.push(`${name} up`);
                await sleep(40);
                events.push(`${name} down`);
            });
        await Promise.all([run("first"), run("second")]);
        expect(events).toEqual(["first up", "first down", "second up", "second down"]);
        expect(said).toBe(`Another run (process ${process.pid}) is busy with: ${what}. Waiting for it.\n`);
        expect(existsSync(join(folder, "state"))).toBe(false);
    },
);

test("services are found with the PATH of an ordinary user, to which their folders are added once", () => {
    process.env["PATH"] = "/usr/local/bin:/usr/bin:/bin";
    findAdministration();
    findAdministration();
    expect(process.env["PATH"]).toBe("/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
    process.env["PATH"] = "/usr/sbin:/usr/bin";
    findAdministration();
    expect(process.env["PATH"]).toBe("/usr/sbin:/usr/bin:/usr/local/sbin:/sbin");
});

test.each([
    [[], "mariadb-server, mariadb-backup, "],
    [["/usr/sbin/mariadbd", "mariadbd", "/usr/sbin/mysqld"], "mariadb-backup, "],
    // Its packages would go for MariaDB's.
    [["/usr/sbin/mysqld"], ""],
])("a machine with %p lacks for the tests of scripts: %s", async (commands, databases) => {
    mockCommands.clear();
    for (const command of commands) mockCommands.add(command);
    jest.spyOn(process, "getuid").mockReturnValue(1000);
    await expect(prepareScripts()).rejects.toThrow(
        `install the packages shellcheck, redis-server, ${databases}nginx-light, curl, python3 as root.`,
    );
});

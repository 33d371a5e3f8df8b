/** What the test levels need before they run, and how it is taken away again. */
import { spawnSync } from "node:child_process";
import { rmdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { searchPath } from "../lab/hosts/runner";
import { setting, stateFolder } from "../toolchain/folders";
import { withLock } from "../toolchain/lock.cjs";
import { step } from "../toolchain/progress.cjs";
import { runProgram, stopped } from "./programs";

const root = resolve(__dirname, "..");

/** Lets this process and what it starts find services and tools of administration, which are on no ordinary user's PATH on Debian. */
export function findAdministration(): void {
    process.env["PATH"] = searchPath();
}

function has(command: string): boolean {
    return spawnSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" }).status === 0;
}

/**
 * Installs what a test level calls from the distribution, where that is possible.
 * @throws Error that names the packages, where it is not.
 */
async function ensureCommands(packages: Readonly<Record<string, string>>): Promise<void> {
    const missing = Object.entries(packages).filter(([command]) => !has(command));
    if (missing.length === 0) return;
    stopped.throwIfAborted();
    const [commands, names] = [missing.map(([command]) => command), missing.map(([, name]) => name)];
    if (process.getuid?.() !== 0)
        throw new Error(`The tests need ${commands.join(", ")}: install the packages ${names.join(", ")} as root.`);
    const [{ installPackages }, { Runner }] = await Promise.all([
        import("../lab/hosts/engine"),
        import("../lab/hosts/runner"),
    ]);
    await step(`Install ${names.join(", ")}`, { about: "20 s" }, () => installPackages(names, commands, new Runner()));
}

/** sshd for the command plugin's tests. */
export function prepareUnit(): Promise<void> {
    return ensureCommands({ sshd: "openssh-server", "ssh-keygen": "openssh-client", openssl: "openssl" });
}

/** shellcheck, and Redis, MariaDB, nginx and curl for the tests of scripts on loopback. Where MySQL is, it stands in for MariaDB. */
export function prepareScripts(): Promise<void> {
    // As tests/scripts/database.bash chooses: the packages of one exclude those of the other.
    const isMysql = !has("/usr/sbin/mariadbd") && has("/usr/sbin/mysqld");
    return ensureCommands({
        shellcheck: "shellcheck",
        "redis-server": "redis-server",
        ...(isMysql ? {} : { mariadbd: "mariadb-server", "mariadb-backup": "mariadb-backup" }),
        nginx: "nginx-light",
        curl: "curl",
        python3: "python3",
    });
}

/** Environment of the tests' own lab: it runs beside a lab of the developer's. */
export const labEnvironment: NodeJS.ProcessEnv = {
    LAB_NAME: setting("TEST_LAB_NAME") ?? "test",
    LAB_PORT: setting("TEST_LAB_PORT") ?? "8079",
    // The SDK notes the stack of each of a program's thousands of promises (docs/decisions/0018).
    NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --stack-trace-limit=1`.trim(),
};

/** Environment of a second one, which the tests of interrupted runs make and remove. */
export const cutLabEnvironment: NodeJS.ProcessEnv = {
    LAB_NAME: `${labEnvironment["LAB_NAME"]}-cut`,
    LAB_PORT: String(Number(labEnvironment["LAB_PORT"]) + 1),
};

function lab(command: "up" | "down", environment = labEnvironment): Promise<number> {
    return runProgram(process.execPath, [join(root, "toolchain", "bootstrap.mjs"), "lab/cli.ts", command], {
        cwd: root,
        env: { ...process.env, ...environment },
        cleansUp: command === "down",
    });
}

/** Runs `action` while no other run of tests uses the lab `test`, whose removal each begins with, or the scripts' addresses and ports. */
export async function alone<T>(where: "lab" | "scripts", action: () => Promise<T>): Promise<T> {
    const name = labEnvironment["LAB_NAME"]!;
    const [file, what] =
        where === "lab"
            ? [`tests-${name}.lock`, `the tests' lab "${name}"`]
            : ["test-scripts.lock", "the tests of scripts"];
    // Beside the labs' own files: among them it would count as a lab, and go when the lab is removed.
    const lock = join(stateFolder(), file);
    try {
        return await withLock(lock, { what, signal: stopped }, action);
    } finally {
        try {
            rmdirSync(dirname(lock));
        } catch {
            // Another lab's state is there.
        }
    }
}

/** Removes what an earlier run may have left, and brings up the lab `test` with the whole stack. */
export async function prepareLab(): Promise<void> {
    if ((await lab("down")) !== 0) throw new Error("What an earlier run left could not be removed.");
    if ((await lab("up")) !== 0) throw new Error("The lab did not come up: see the output above.");
}

/** Removes the lab `test`, and where tests were cut off the second one, too. */
export async function removeLab(): Promise<void> {
    const codes = [await lab("down")];
    if (stopped.aborted) codes.push(await lab("down", cutLabEnvironment));
    if (codes.some((code) => code !== 0)) throw new Error("The lab could not be removed: see the output above.");
}

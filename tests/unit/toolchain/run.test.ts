import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const root = join(__dirname, "..", "..", "..");

function isRunning(pid: number): boolean {
    try {
        process.kill(pid, 0);
        // Nobody may have taken notice yet of one that has ended.
        return !existsSync("/proc/self/stat") || !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
    } catch {
        return false;
    }
}

async function until(what: () => boolean): Promise<void> {
    while (!what()) await sleep(20);
}

describe("a build that is stopped", () => {
    let folder: string;
    let builder: ChildProcess | undefined;
    let compiler = 0;
    beforeEach(async () => {
        folder = mkdtempSync(join(tmpdir(), "run-"));
        const pidFile = join(folder, "compiler");
        // Stands for Go, which starts its compiler as a process of its own.
        writeFileSync(
            join(folder, "go"),
            `#!/bin/sh\nsleep 60 &\necho $! > ${pidFile}.new && mv ${pidFile}.new ${pidFile}\nwait\n`,
        );
        chmodSync(join(folder, "go"), 0o755);
        writeFileSync(
            join(folder, "build.ts"),
            `import { alicloudTarget, build } from ${JSON.stringify(join(root, "toolchain", "goBuild"))};
            process.on("SIGUSR2", () => process.exit(0));
            void build(alicloudTarget("1.0.0"), ${JSON.stringify(join(folder, "target"))});`,
        );
        builder = spawn(process.execPath, ["--import", "tsx", join(folder, "build.ts")], {
            cwd: root,
            env: {
                ...process.env,
                MULTIHOST_CACHE: join(folder, "cache"),
                PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}`,
            },
            stdio: "ignore",
        });
        await until(() => existsSync(pidFile));
        compiler = Number(readFileSync(pidFile, "utf8"));
    });
    afterEach(() => {
        builder?.kill("SIGKILL");
        if (isRunning(compiler)) process.kill(compiler, "SIGKILL");
        rmSync(folder, { recursive: true });
    });

    it.each([
        ["by a signal", "SIGTERM", [null, "SIGTERM"]],
        ["by the end of its process", "SIGUSR2", [0, null]],
    ] as const)("%s leaves no compiler", async (_, signal, outcome) => {
        expect(isRunning(compiler)).toBe(true);
        const ended = new Promise((done) => builder?.on("close", (...how) => done(how)));
        builder?.kill(signal);
        expect(await ended).toEqual(outcome);
        await until(() => !isRunning(compiler));
    });
});

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processes } from "../../../lab/process";

const root = join(__dirname, "..", "..", "..");
const marker = "TEST_RUN_MARKER";

// Only Linux shows what all processes were started with.
const onLinux = existsSync("/proc/self/environ") ? test : test.skip;

onLinux.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
] as const)(
    "%s ends the run of tests after all that it started",
    async (signal, code) => {
        const id = randomUUID();
        const ours = (): string[][] =>
            processes()
                .filter(({ environment }) => environment[marker] === id)
                .map((process) => [...process.arguments]);
        const isJest = (args: readonly string[]): boolean => args.some((word) => word.startsWith("--outputFile="));
        const run = spawn(
            process.execPath,
            [join(root, "toolchain", "bootstrap.mjs"), "tests/run.ts", "unit", "toolchain/lock"],
            { cwd: root, env: { ...process.env, [marker]: id }, stdio: "ignore" },
        );
        const ended = new Promise((done) => run.on("close", (...how) => done(how)));
        try {
            while (!ours().some(isJest)) await sleep(20);
            run.kill(signal);
            expect(await ended).toEqual([code, null]);
            expect(ours()).toEqual([]);
        } finally {
            run.kill("SIGKILL");
        }
    },
    60_000,
);

test("a run that is to end still cleans up, undisturbed by further signals, and starts nothing else", async () => {
    const script = `
        import { runProgram, stopOnSignals, stopped, stoppedCode } from ${JSON.stringify(join(root, "tests", "programs"))};
        const sh = (text: string, cleansUp = false) => runProgram("sh", ["-c", text], { cwd: "/", cleansUp });
        const main = async () => {
            stopOnSignals();
            const errors: unknown[] = [];
            await sh("echo begun; sleep 60").catch((error) => errors.push(error));
            await sh("echo more").catch((error) => errors.push(error));
            await sh("echo cleaning; sleep 1; echo clean", true);
            console.log(errors.map((error) => error === stopped.reason), stoppedCode());
        };
        void main();`;
    const folder = mkdtempSync(join(tmpdir(), "programs-"));
    try {
        writeFileSync(join(folder, "run.ts"), script);
        const run = spawn(process.execPath, ["--import", "tsx", join(folder, "run.ts")], { cwd: root });
        let said = "";
        const take = (chunk: Buffer): void => {
            said += chunk.toString();
            if (chunk.includes("begun") || chunk.includes("cleaning")) run.kill("SIGINT");
        };
        run.stdout.on("data", take);
        run.stderr.on("data", take);
        expect(await new Promise((done) => run.on("close", done))).toBe(0);
        expect(said).toBe("begun\ncleaning\nclean\n[ true, true ] 130\n");
    } finally {
        rmSync(folder, { recursive: true });
    }
});

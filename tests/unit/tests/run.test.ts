import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processes } from "../../../lab/process";
import { choose, filesOf } from "../../choice";

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
        const ours = () => processes().filter(({ environment }) => environment[marker] === id);
        const jestOf = () => ours().find((one) => one.arguments.some((word) => word.startsWith("--outputFile=")));
        const run = spawn(
            process.execPath,
            [join(root, "toolchain", "bootstrap.mjs"), "tests/run.ts", "unit", "tests/unit/toolchain/lock"],
            { cwd: root, env: { ...process.env, no_proxy: "", NO_PROXY: "", [marker]: id }, stdio: "ignore" },
        );
        const ended = new Promise((done) => run.on("close", (...how) => done(how)));
        try {
            let jest = jestOf();
            for (; jest === undefined; jest = jestOf()) await sleep(20);
            const { no_proxy, TMPDIR: temporary = "" } = jest.environment;
            expect(no_proxy).toBe("127.0.0.1,localhost");
            expect(existsSync(temporary)).toBe(true);
            run.kill(signal);
            expect(await ended).toEqual([code, null]);
            expect(ours()).toEqual([]);
            // What was cut off left its files there.
            expect(temporary).not.toBe(tmpdir());
            expect(existsSync(temporary)).toBe(false);
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

test.each([
    [["lock", "nothing-like-it"], "no test file matches nothing-like-it (levels: static, unit, scripts, lab)"],
    [
        ["lab", "tests/unit/toolchain/lock.test.ts"],
        "no test file matches tests/unit/toolchain/lock.test.ts (levels: lab)",
    ],
    [["unit", "--watch"], "there is no option --watch"],
])("words that choose nothing are refused before anything runs: %p", (words, message) => {
    const started = [join(root, "toolchain", "bootstrap.mjs"), "tests/run.ts", ...words];
    const { status, stderr, stdout } = spawnSync(process.execPath, started, { cwd: root, encoding: "utf8" });
    expect([status, stdout, stderr.split("\n")[0]]).toEqual([2, "", message]);
});

test("a file is chosen by a part of its name or by its path, and levels without one are left out", () => {
    const chosen = (...words: string[]): string[] =>
        choose(words).flatMap(({ level, files }) => [level, ...files.map((file) => relative(root, file))]);
    expect(chosen("90-destroy")).toEqual(["lab", "tests/lab/90-destroy.test.ts"]);
    expect(chosen("tests/unit/tests/run.test.ts")).toEqual(["unit", "tests/unit/tests/run.test.ts"]);
    expect(chosen("./tests/scripts/doctor", "static", "scripts")).toEqual([
        "static",
        "scripts",
        "tests/scripts/doctor.bats",
    ]);
    expect(chosen("long", "storage-nfs")).toEqual(["long", "tests/lab/long/storage-nfs.test.ts"]);
    expect(choose([]).map(({ level }) => level)).toEqual(["static", "unit", "scripts", "lab"]);
    expect(filesOf("lab").filter((file) => file.includes("/long/"))).toEqual([]);
});

/**
 * Runs the tests, those levels that are named or all but the long one: `npm test`, `npm run test:unit`, `npm run test:lab -- scale`.
 * Further words choose test files by a part of their name or by their path. The last line is `N passed, N failed, N skipped`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { messageOf } from "../toolchain/errors";
import { withoutProxyHere } from "../toolchain/noProxy";
import { type Choice, type Level, choose, filesOf, levels } from "./choice";
import { alone, findAdministration, prepareLab, prepareScripts, prepareUnit, removeLab } from "./prepare";
import { runProgram, stopOnSignals, stopped, stoppedCode } from "./programs";

const root = resolve(__dirname, "..");

interface Result {
    readonly level: Level;
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
    /** One line each: what failed, or why something was skipped. */
    readonly notes: readonly string[];
    readonly seconds: number;
}

interface Outcome {
    readonly code: number;
    readonly output: string;
}

/**
 * Runs a command of the project; its output is shown unless `quiet`, and returned in any case.
 * @throws Error when the run is to end
 */
async function execute(
    command: string,
    args: readonly string[],
    options: { quiet?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
    let output = "";
    const onOutput = (chunk: Buffer): void => {
        output += chunk.toString();
        if (options.quiet !== true) process.stdout.write(chunk);
    };
    try {
        const code = await runProgram(command, args, { cwd: root, env: options.env, onOutput });
        return { code, output };
    } catch (error) {
        stopped.throwIfAborted();
        return { code: 127, output: messageOf(error) };
    }
}

const binary = (name: string): string => join(root, "node_modules", ".bin", name);

async function runStatic(): Promise<Omit<Result, "level" | "seconds">> {
    const checks: [string, string, string[]][] = [
        ["types", "tsc", ["--noEmit"]],
        ["lint", "eslint", ["."]],
        ["format", "prettier", ["--check", "."]],
    ];
    const notes: string[] = [];
    // Each takes one processor.
    const outcomes = checks.map(([, command, args]) => execute(binary(command), args, { quiet: true }));
    // One that fails before its turn is heard of then.
    void Promise.allSettled(outcomes);
    for (const [index, [name, command, args]] of checks.entries()) {
        const { code, output } = await outcomes[index]!;
        console.log(`  ${code === 0 ? "✓" : "✗"} ${name}`);
        if (code !== 0) {
            console.log(output.split("\n").slice(-60).join("\n"));
            notes.push(`failed: ${name} (${command} ${args.join(" ")})`);
        }
    }
    return { passed: checks.length - notes.length, failed: notes.length, skipped: 0, notes };
}

interface JestReport {
    readonly numPassedTests: number;
    readonly numFailedTests: number;
    readonly numPendingTests: number;
    readonly numTodoTests: number;
    readonly testResults: readonly {
        readonly name: string;
        readonly status: string;
        readonly message: string;
        readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
    }[];
}

/** Where jest keeps what it has compiled: its own choice, which goes by the folder for temporary files. */
const jestCache = join(tmpdir(), `jest_${(process.getuid?.() ?? 0).toString(36)}`);

async function runJest(files: readonly string[], args: readonly string[]): Promise<Omit<Result, "level" | "seconds">> {
    // Tests that are cut off can't remove their temporary folders. Its name is short: that of a socket has 107 characters.
    const directory = mkdtempSync(join(tmpdir(), "mh-"));
    const file = join(directory, "report.json");
    try {
        const words = ["--json", `--outputFile=${file}`, "--cacheDirectory", jestCache, ...args];
        const env = { ...process.env, TMPDIR: directory };
        const { code } = await execute(binary("jest"), [...words, "--runTestsByPath", "--", ...files], { env });
        if (!existsSync(file))
            return { passed: 0, failed: 1, skipped: 0, notes: [`failed: jest ended with ${code} and no report`] };
        const report = JSON.parse(readFileSync(file, "utf8")) as JestReport;
        const notes: string[] = [];
        let broken = 0;
        for (const suite of report.testResults) {
            const name = relative(root, suite.name);
            if (suite.status === "failed" && suite.assertionResults.every((test) => test.status !== "failed")) {
                broken++;
                notes.push(
                    `failed: ${name} did not run: ${
                        suite.message
                            .split("\n")
                            .find((line) => line.trim() !== "")
                            ?.trim() ?? ""
                    }`,
                );
            }
            for (const test of suite.assertionResults) {
                if (test.status === "failed") notes.push(`failed: ${name}: ${test.fullName}`);
                if (test.status === "pending" || test.status === "todo")
                    notes.push(`skipped: ${name}: ${test.fullName}`);
            }
        }
        const failed = report.numFailedTests + broken;
        if (code !== 0 && failed === 0) {
            return {
                passed: report.numPassedTests,
                failed: 1,
                skipped: report.numPendingTests,
                notes: [...notes, `failed: jest ended with ${code}`],
            };
        }
        return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests, notes };
    } finally {
        rmSync(directory, { recursive: true, force: true });
    }
}

async function runScripts(files: readonly string[]): Promise<Omit<Result, "level" | "seconds">> {
    await prepareScripts();
    const notes: string[] = [];
    let passed = 0;
    let skipped = 0;
    for (const file of files.filter((name) => name.endsWith(".sh"))) {
        const { code, output } = await execute("shellcheck", ["-x", "-s", "bash", file], { quiet: true });
        if (code === 0) passed++;
        else {
            console.log(output);
            notes.push(`failed: shellcheck ${relative(root, file)}`);
        }
    }
    const suites = files.filter((name) => name.endsWith(".bats"));
    // Not in .bin: bats names its program by `directories.bin`, which a lockfile does not keep.
    const bats = join(root, "node_modules", "bats", "bin", "bats");
    // The longest beside the others, most of which is waiting: it has addresses of its own.
    const isLongest = (file: string): boolean => file.endsWith("mysql-replication.bats");
    const groups = [suites.filter(isLongest), suites.filter((file) => !isLongest(file))];
    const outcomes = await Promise.all(
        groups.filter((group) => group.length > 0).map((group) => execute(bats, ["--formatter", "tap", ...group])),
    );
    for (const { code, output } of outcomes) {
        let results = 0;
        for (const line of output.split("\n")) {
            const match = /^(not ok|ok) \d+ (.*)$/.exec(line);
            if (match === null) continue;
            results++;
            if (match[1] === "not ok") notes.push(`failed: ${match[2]!}`);
            else if (match[2]!.includes("# skip")) {
                skipped++;
                notes.push(`skipped: ${match[2]!}`);
            } else passed++;
        }
        if (results === 0 || (code !== 0 && !output.includes("not ok")))
            notes.push(`failed: bats ended with ${code} after ${results} results`);
    }
    return { passed, failed: notes.filter((note) => note.startsWith("failed")).length, skipped, notes };
}

/** One stack is shared, so the files run one after the other, in the order of their names. */
async function runLab(files: readonly string[]): Promise<Omit<Result, "level" | "seconds">> {
    return alone("lab", async () => {
        let cameUp = false;
        try {
            await prepareLab();
            cameUp = true;
            const args = ["--runInBand", "--verbose", "--testSequencer", "./tests/lab/sequencer.js"];
            return await runJest(files, args);
        } finally {
            // One that did not come up stays for whoever looks into why.
            if (cameUp || stopped.aborted) await removeLab();
        }
    });
}

async function runLevel({ level, files }: Choice): Promise<Result> {
    const started = Date.now();
    console.log(`\n== ${level}`);
    const run = async (): Promise<Omit<Result, "level" | "seconds">> => {
        switch (level) {
            case "static":
                return runStatic();
            case "unit":
                await prepareUnit();
                return runJest(files, ["--maxWorkers=2"]);
            case "scripts":
                return alone("scripts", () => runScripts(files));
            case "lab":
            case "long":
                return runLab(files);
        }
    };
    let result: Omit<Result, "level" | "seconds">;
    try {
        result = await run();
    } catch (error) {
        const message = messageOf(error);
        if (error !== stopped.reason) console.error(message);
        result = { passed: 0, failed: 1, skipped: 0, notes: [`failed: ${level}: ${message}`] };
    }
    return { level, ...result, seconds: Math.round((Date.now() - started) / 1000) };
}

async function main(): Promise<void> {
    stopOnSignals();
    findAdministration();
    // Tests call servers of their own, which no proxy reaches.
    Object.assign(process.env, withoutProxyHere());
    const words = process.argv.slice(2);
    let choices: Choice[];
    try {
        choices = choose(words);
    } catch (error) {
        console.error(`${messageOf(error)}\nusage: npm test -- [${levels.join("] [")}] [PART_OF_A_FILE'S_NAME]...`);
        process.exitCode = 2;
        return;
    }
    const wanted = choices.map(({ level }) => level);
    const inTurn = async (...some: readonly Level[]): Promise<Result[]> => {
        const results: Result[] = [];
        for (const choice of choices)
            if (some.includes(choice.level) && !stopped.aborted) results.push(await runLevel(choice));
        return results;
    };
    // One after the other, as packages are installed. What is missing in the end the level itself says.
    if (wanted.includes("unit")) await prepareUnit().catch(() => undefined);
    if (wanted.includes("scripts")) await prepareScripts().catch(() => undefined);
    // Services that scripts start spend half of their time waiting for each other.
    const results = [
        ...(await Promise.all([inTurn("static", "unit"), inTurn("scripts")])).flat(),
        ...(await inTurn("lab", "long")),
    ];
    // Results of what was cut off say nothing.
    if (stopped.aborted) process.exit(stoppedCode());

    console.log("");
    for (const { level, passed, failed, skipped, seconds, notes } of results) {
        console.log(`${level.padEnd(8)} ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`);
        for (const note of notes) console.log(`         ${note}`);
    }
    if (words.length === 0) console.log(`long     not run: ${filesOf("long").length} files, \`npm run test:long\``);
    const sum = (key: "passed" | "failed" | "skipped"): number =>
        results.reduce((total, result) => total + result[key], 0);
    process.exitCode = sum("failed") > 0 || sum("passed") === 0 ? 1 : 0;
    console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
}

void main();

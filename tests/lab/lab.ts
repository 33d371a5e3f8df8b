/** What lab tests share: the lab `test`, its command line, its API and its hosts. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { type LabPaths, labPaths } from "../../lab/paths";
import { capturePulumi, pulumiEnvironment } from "../../lab/pulumi";
import { rpcClient, type Rpc } from "../../lab/rpc";
import { loginCommand } from "../../lab/ssh";
import { type LabView, labView } from "../../lab/view";
import { ensureToolchain } from "../../toolchain/toolchain";
import { labEnvironment } from "../prepare";

const root = resolve(__dirname, "..", "..");

export interface Finished {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

const leftovers: (() => unknown)[] = [];

/** Ends something with the file at the latest: a test that failed has left it running, and the runner would wait for it for ever. */
export function endWithFile(end: () => unknown): void {
    leftovers.push(end);
}

afterAll(async () => {
    await Promise.all(leftovers.map((end) => end()));
});

export interface LabOptions {
    readonly input?: string;
    /** After which the command is ended. @default 120 */
    readonly seconds?: number;
    /** Which lab. @default that of the tests */
    readonly environment?: NodeJS.ProcessEnv;
}

function start(
    args: readonly string[],
    seconds: number,
    environment: NodeJS.ProcessEnv = labEnvironment,
    program = "lab/cli.ts",
): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [join(root, "toolchain", "bootstrap.mjs"), program, ...args], {
        cwd: root,
        env: { ...process.env, ...environment },
        timeout: seconds * 1000,
    });
}

function finished(child: ChildProcessWithoutNullStreams): Promise<Finished> {
    return new Promise((done, fail) => {
        let [stdout, stderr] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
        child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
        child.on("error", fail);
        child.on("close", (code) => done({ code: code ?? 1, stdout, stderr }));
        child.stdin.on("error", () => undefined);
    });
}

/** Runs `npm run lab -- …`. */
export function lab(args: readonly string[], options: LabOptions = {}): Promise<Finished> {
    const child = start(args, options.seconds ?? 120, options.environment);
    const result = finished(child);
    child.stdin.end(options.input ?? "");
    return result;
}

/** Like {@link lab}, and returns the standard output. @throws Error with all output when it fails. */
export async function labOutput(args: readonly string[], options: LabOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await lab(args, options);
    if (code !== 0) throw new Error(`lab ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
    return stdout;
}

const pathsOf = (environment: NodeJS.ProcessEnv): LabPaths => labPaths({ ...process.env, ...environment });

/** What `npm run lab -- ssh …` would run. */
export const loginTo = (...words: readonly string[]): Promise<readonly string[]> =>
    loginCommand(pathsOf(labEnvironment), words, false);

/** Starts what `npm run lab -- ssh …` would, without the start of the command line, of which there are hundreds. */
async function startLogin(words: readonly string[], seconds: number): Promise<ChildProcessWithoutNullStreams> {
    const [program = "", ...args] = await loginTo(...words);
    return spawn(program, args, { timeout: seconds * 1000 });
}

/** Runs a command on a host over SSH. Where the host can't be reached that is what the result says, as the command line's would. */
export async function onHost(
    name: string,
    command: string,
    options: { input?: string; seconds?: number } = {},
): Promise<Finished> {
    const child = await startLogin([name, "bash", "-c", command], options.seconds ?? 120).catch(String);
    if (typeof child === "string") return { code: 1, stdout: "", stderr: child };
    const result = finished(child);
    child.stdin.end(options.input ?? "");
    return result;
}

/** Like {@link onHost}. @returns what it printed, without white space around it. @throws Error with all output when it fails */
export async function outputOn(host: string, command: string, seconds = 60): Promise<string> {
    const { code, stdout, stderr } = await onHost(host, command, { seconds });
    if (code !== 0) throw new Error(`${host}: ${command} ended with ${code}: ${stdout}${stderr}`);
    return stdout.trim();
}

/** What a name stands for on a host, once each. */
export async function addressesOf(name: string, host: string): Promise<string[]> {
    const printed = await outputOn(host, `getent ahostsv4 ${name} | awk '{ print $1 }' | sort -u`);
    return printed.split("\n").filter((line) => line !== "");
}

/** A program on a host that goes on while the test does something else. */
export interface Running {
    /** Writes a line to its standard input. */
    say(line: string): void;
    /** Waits until it prints a text. @throws Error when it ends without, or takes longer */
    told(text: string, seconds: number): Promise<void>;
    /** Ends its standard input, and waits for its end. */
    end(): Promise<Finished>;
}

/** Starts a program on a host over SSH. It has to end when its standard input does. */
export async function startOnHost(name: string, command: readonly string[], seconds = 1800): Promise<Running> {
    const child = await startLogin([name, ...command], seconds);
    endWithFile(() => child.kill());
    const result = finished(child);
    // Whoever asks for the result hears of it.
    result.catch(() => undefined);
    let printed = "";
    child.stdout.on("data", (chunk: string) => (printed += chunk));
    return {
        say: (line) => void child.stdin.write(`${line}\n`),
        told: async (text, limit) => {
            const ended = result.then(({ stderr }) => {
                throw new Error(`${command[0]!} on ${name} ended without "${text}": ${stderr}`);
            });
            const heard = eventually(`"${text}" from ${name}`, limit, () =>
                Promise.resolve(printed.includes(text) || undefined),
            );
            await Promise.race([heard, ended]);
        },
        end: () => {
            child.stdin.end();
            return result;
        },
    };
}

export function status(environment: NodeJS.ProcessEnv = labEnvironment): LabView {
    return labView(pathsOf(environment));
}

/** What `npm run lab -- pulumi …` would print, without the start of the command line, of which there are hundreds. */
async function pulumiOutput(args: readonly string[], stack: string): Promise<string> {
    const toolchain = await ensureToolchain();
    const paths = pathsOf(labEnvironment);
    return capturePulumi(paths, toolchain, pulumiEnvironment(paths, toolchain), [...args, "--stack", stack]);
}

/** A stack's outputs, secrets in plain text. */
export async function outputs(stack = "lab"): Promise<Record<string, unknown>> {
    const printed = await pulumiOutput(["stack", "output", "--json", "--show-secrets"], stack);
    return JSON.parse(printed) as Record<string, unknown>;
}

/**
 * Instances of a stack's hosts by name. Where there are two stacks the names of one are those of the other, too; commands on hosts take
 * an instance's id as well.
 */
export async function hostsOf(stack: string): Promise<Map<string, string>> {
    const { deployment } = JSON.parse(await pulumiOutput(["stack", "export"], stack)) as {
        deployment: { resources?: { id?: string }[] };
    };
    const ids = new Set((deployment.resources ?? []).map(({ id }) => id));
    const { hosts } = status();
    return new Map(
        hosts.filter(({ instanceId }) => ids.has(instanceId)).map(({ name, instanceId }) => [name, instanceId]),
    );
}

/** The settings of a stack's file, by their whole names. */
export function settingsIn(file: string): Readonly<Record<string, unknown>> {
    return (parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> }).config;
}

/** The settings of the lab's stack. */
export const labSettings = (): Readonly<Record<string, unknown>> =>
    settingsIn(join(pathsOf(labEnvironment).project, "Pulumi.lab.yaml"));

/** Those that say where the cloud is, and who calls it. */
export function cloudSettings(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(Object.entries(labSettings()).filter(([key]) => key.startsWith("alicloud:")));
}

/** Makes a stack beside the lab's own, with the same settings but for those named. */
export async function initStack(stack: string, settings: Readonly<Record<string, string | undefined>>): Promise<void> {
    await labOutput(["pulumi", "stack", "init", stack, "--copy-config-from", "lab"]);
    for (const [path, value] of Object.entries(settings)) await configure(path, value, stack);
}

/** Takes a stack away with all that it has made. */
export async function removeStack(stack: string): Promise<void> {
    await labOutput(["pulumi", "destroy", "--yes", "--skip-preview", "--stack", stack], { seconds: 300 });
    await labOutput(["pulumi", "stack", "rm", "--yes", stack]);
}

/**
 * Sets a member of a stack's configuration in the lab's own project (the repository's files stay as they are), or
 * removes it with `undefined`.
 */
export async function configure(path: string, value: string | undefined, stack = "lab"): Promise<void> {
    const change = value === undefined ? ["rm", path] : ["set", "--plaintext", path, value];
    await pulumiOutput(["config", ...change, "--path"], stack);
}

/** Runs another of the project's command lines, such as `rotation/cli.ts`, with the lab's environment. */
export function tool(
    program: string,
    args: readonly string[],
    options: { seconds?: number; environment?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
    const child = start(args, options.seconds ?? 300, { ...labEnvironment, ...options.environment }, program);
    child.stdin.end();
    return finished(child);
}

/** Runs `npm run rotate -- …` on the lab's stack. @returns what it printed. @throws Error with all of it when it fails */
export async function rotate(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await tool("rotation/cli.ts", [...args, "--yes"], { seconds: 900 });
    if (code !== 0) throw new Error(`rotate ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
    return stdout;
}

/** Runs `pulumi up`. @returns what it printed. @throws Error with all of it when it fails */
export function up(
    options: { seconds?: number; expectNoChanges?: boolean; stack?: string; environment?: NodeJS.ProcessEnv } = {},
): Promise<string> {
    const { stack = "lab", seconds = 300, expectNoChanges = false, environment = {} } = options;
    const only = expectNoChanges ? ["--expect-no-changes"] : [];
    return labOutput(["pulumi", "up", "--yes", "--skip-preview", "--stack", stack, ...only], {
        seconds,
        environment: { ...labEnvironment, ...environment },
    });
}

/** What an update did to a resource; those that it left alone are not told of. */
export interface Change {
    /** `create`, `update`, `replace`, `delete` and the engine's other words. */
    readonly operation: string;
    readonly type: string;
    readonly name: string;
}

/**
 * Runs `pulumi up`, with `refresh` after a look at what became of everything. @returns what it changed, in order.
 * @throws Error with all that it printed when it fails
 */
export async function upChanges(
    options: { seconds?: number; refresh?: boolean; environment?: NodeJS.ProcessEnv } = {},
): Promise<Change[]> {
    const before = options.refresh === true ? ["--refresh"] : [];
    const printed = await labOutput(["pulumi", "up", "--yes", "--skip-preview", "--json", ...before], {
        seconds: options.seconds ?? 300,
        environment: { ...labEnvironment, ...options.environment },
    });
    return changesIn(printed);
}

/** The changes that `pulumi up --json` printed. */
export function changesIn(printed: string): Change[] {
    return printed
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => (JSON.parse(line) as EngineEvent).resourcePreEvent?.metadata)
        .filter((metadata) => metadata !== undefined)
        .filter(({ op }) => !["same", "read", "refresh"].includes(op))
        .map(({ op, type, urn }) => ({ operation: op, type, name: urn.slice(urn.lastIndexOf("::") + 2) }));
}

interface EngineEvent {
    readonly resourcePreEvent?: {
        readonly metadata: { readonly op: string; readonly type: string; readonly urn: string };
    };
}

/** A client of the lab's API with its own key pair. */
export function api(environment: NodeJS.ProcessEnv = labEnvironment): Rpc {
    const paths = pathsOf(environment);
    const identity = JSON.parse(readFileSync(paths.identity, "utf8")) as {
        accessKeyId: string;
        accessKeySecret: string;
    };
    return rpcClient(`http://127.0.0.1:${paths.port}`, identity.accessKeyId, identity.accessKeySecret);
}

/** Waits until `check` gives something, asking every half second. @returns it, and the seconds that it took */
export async function eventually<T>(
    what: string,
    seconds: number,
    check: () => Promise<T | undefined>,
): Promise<{ value: T; seconds: number }> {
    const started = Date.now();
    for (;;) {
        const value = await check().catch(() => undefined);
        const passed = (Date.now() - started) / 1000;
        if (value !== undefined) return { value, seconds: passed };
        if (passed > seconds) throw new Error(`${what}: not within ${seconds} s.`);
        await new Promise((wake) => setTimeout(wake, 500));
    }
}

/** Running other programs: output kept for the error message, children never left behind. */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { constants } from "node:os";

export interface RunOptions {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    /** Called with each line of standard error as it comes. */
    readonly onErrorLine?: (line: string) => void;
    /** For a program that starts others: all of them end with this process. It has no terminal then, so it can't ask for anything. */
    readonly ownGroup?: boolean;
}

/** How each is signalled: a terminal's Ctrl-C, too, reaches those in groups of their own only from here. */
const children = new Map<ChildProcess, (signal: NodeJS.Signals) => void>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Signals a program that was started `detached` and what it started in turn. Whether any of them was there. */
export function signalGroup(leader: ChildProcess, signal: NodeJS.Signals | 0): boolean {
    if (leader.pid === undefined) return false;
    try {
        return process.kill(-leader.pid, signal);
    } catch {
        return false;
    }
}

function stopChildren(signal: NodeJS.Signals): void {
    for (const stop of children.values()) stop(signal);
    for (const name of signals) process.off(name, stopChildren);
    process.kill(process.pid, signal);
}

// An uncaught error gets no signal, so this is for what the signals don't cover.
process.on("exit", () => {
    for (const stop of children.values()) stop("SIGTERM");
});

/** Starts a program that ends with this process, however that ends. */
function start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    const child = spawn(command, args, options);
    if (children.size === 0) for (const name of signals) process.on(name, stopChildren);
    children.set(child, (signal) => (options.detached ? signalGroup(child, signal) : child.kill(signal)));
    const forget = (): void => {
        children.delete(child);
        if (children.size === 0) for (const name of signals) process.off(name, stopChildren);
    };
    child.on("close", forget);
    child.on("error", forget);
    return child;
}

/** Runs a program and returns its standard output; a failure carries the last lines of what it said. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
        const child = start(command, args, {
            cwd: options.cwd,
            env: options.env,
            stdio: ["ignore", "pipe", "pipe"],
            detached: options.ownGroup,
        });
        let output = "";
        let tail = "";
        let line = "";
        child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
        child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
            tail = (tail + chunk).slice(-4000);
            const lines = (line + chunk).split("\n");
            line = lines.pop() ?? "";
            for (const complete of lines) options.onErrorLine?.(complete);
        });
        child.on("error", reject);
        child.on("close", (code, signal) => {
            if (code === 0) {
                resolve(output);
                return;
            }
            const outcome = code === null ? `was ended by ${signal ?? "a signal"}` : `failed with exit code ${code}`;
            const said = (tail.trim() || output.trim()).split("\n").slice(-20).join("\n");
            reject(new Error(`${command} ${args.slice(0, 3).join(" ")} ${outcome}${said === "" ? "" : `:\n${said}`}`));
        });
    });
}

/** A child's exit code, and as a shell says it, 128 and its number, when a signal ended it. @throws Error when it could not be started */
export function exitCodeOf(child: ChildProcess): Promise<number> {
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
}

/**
 * Waits for a child that shares this process's terminal, which sends Ctrl-C to both: the child ends in its own good time, and this process
 * after it.
 * @returns its exit code, as {@link exitCodeOf}
 */
export async function foreground(child: ChildProcess): Promise<number> {
    const wait = (): void => undefined;
    const pass = (): void => void child.kill("SIGTERM");
    process.on("SIGINT", wait);
    process.on("SIGTERM", pass);
    try {
        return await exitCodeOf(child);
    } finally {
        process.off("SIGINT", wait);
        process.off("SIGTERM", pass);
    }
}

/**
 * The programs that a test run starts. Each leads a process group, so that a signal to the run ends also what it started in turn. A
 * terminal's signals reach it only through the run, which ends after it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCodeOf, signalGroup } from "../toolchain/run";

/** How long programs have to end by themselves. */
const patienceMs = 10_000;

const running = new Set<ChildProcess>();
const controller = new AbortController();
let code: number | undefined;
let allEnded: () => void = () => undefined;
/** Rejects once the run is to end and none of its programs is left. */
const over = new Promise<never>((_, reject) => {
    allEnded = () => reject(stopped.reason as Error);
});
over.catch(() => undefined);

/** Aborted once the run is to end: only what cleans up is started from then on. */
export const stopped: AbortSignal = controller.signal;

/** The run's exit code when it is to end, as a shell says it: 128 and the signal's number. */
export function stoppedCode(): number | undefined {
    return code;
}

async function stop(signal: NodeJS.Signals): Promise<void> {
    if (stopped.aborted) return;
    code = 128 + constants.signals[signal];
    controller.abort(new Error("The test run was stopped."));
    const leaders = [...running];
    // Shells have what they start in the background ignore SIGINT, and services take SIGHUP for a wish to read their settings anew.
    for (const leader of leaders) signalGroup(leader, "SIGTERM");
    const end = Date.now() + patienceMs;
    while (Date.now() < end && leaders.some((leader) => signalGroup(leader, 0))) await sleep(50);
    for (const leader of leaders) signalGroup(leader, "SIGKILL");
    allEnded();
}

/** From now on a signal ends this process's programs first; then {@link runProgram} throws, and the caller cleans up and ends. */
export function stopOnSignals(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop(signal));
    // The terminal is gone, or what reads the output, which a Ctrl-C may have ended first.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => void stop("SIGPIPE"));
    // An uncaught error gets no signal.
    process.on("exit", () => {
        for (const leader of running) signalGroup(leader, "SIGTERM");
    });
}

export interface ProgramOptions {
    readonly cwd: string;
    readonly env?: NodeJS.ProcessEnv;
    /** Gets the output as it comes. @default it goes where this process's output goes */
    readonly onOutput?: (chunk: Buffer) => void;
    /** It takes away what the run has made: it runs also when the run is to end. */
    readonly cleansUp?: boolean;
}

/**
 * Runs a program to its end.
 * @returns its exit code
 * @throws Error when it can't be started, or when the run is to end
 */
export async function runProgram(command: string, args: readonly string[], options: ProgramOptions): Promise<number> {
    const { cwd, env, cleansUp = false } = options;
    if (!cleansUp) stopped.throwIfAborted();
    // With the terminal gone, writing to it would end what cleans up.
    const onOutput = options.onOutput ?? (stopped.aborted ? (chunk) => process.stderr.write(chunk) : undefined);
    const output = onOutput === undefined ? "inherit" : "pipe";
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", output, output], detached: true });
    if (onOutput !== undefined) for (const stream of [child.stdout, child.stderr]) stream?.on("data", onOutput);
    if (cleansUp) return exitCodeOf(child);
    running.add(child);
    try {
        // What left the group may hold the output open, hence not only its end.
        const exitCode = await Promise.race([exitCodeOf(child), over]);
        return stopped.aborted ? await over : exitCode;
    } finally {
        running.delete(child);
    }
}

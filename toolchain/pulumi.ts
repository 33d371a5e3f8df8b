/** `npm run pulumi -- <arguments>`: the right Pulumi with the right plugins, on the cloud of the lab for the lab's stack. */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { messageOf } from "./errors";
import { root } from "./folders";
import { exitCodeOf, foreground } from "./run";
import { chosenStack, livesInLab } from "./stacks";
import { ensureToolchain } from "./toolchain";

export { ensureToolchain, toolchainProblems, type Origin, type Part, type Toolchain } from "./toolchain";

/** What this process has started and what hasn't ended. */
const running = new Set<ChildProcess>();

function started(child: ChildProcess): ChildProcess {
    running.add(child);
    child.once("exit", () => running.delete(child));
    child.once("error", () => running.delete(child));
    return child;
}

/** Signals that don't end this process. */
export interface HeldSignals {
    /** Aborted once one came. */
    readonly came: AbortSignal;
    /** Lets signals do again what they do. */
    readonly release: () => void;
}

/**
 * From now on a signal ends the Pulumi that runs and not this process, which has something to put right before it ends. What a terminal
 * sends, it sends to both.
 */
export function holdSignals(): HeldSignals {
    const controller = new AbortController();
    const interrupted = (): void => controller.abort();
    const terminated = (): void => {
        controller.abort();
        for (const child of running) child.kill("SIGTERM");
    };
    // Nothing can be said any more on a terminal that is gone; what is to be put right still can.
    const unheard = (): void => undefined;
    process.on("SIGINT", interrupted);
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, terminated);
    for (const stream of [process.stdout, process.stderr]) stream.on("error", unheard);
    return {
        came: controller.signal,
        release: () => {
            process.off("SIGINT", interrupted);
            for (const signal of ["SIGTERM", "SIGHUP"] as const) process.off(signal, terminated);
            for (const stream of [process.stdout, process.stderr]) stream.off("error", unheard);
        },
    };
}

/**
 * Starts Pulumi with these arguments and its plugins. The lab's stacks are left to the lab's own command line: another
 * checkout may have brought the lab up, whose program and settings its project folder would otherwise still hold.
 */
export async function startPulumi(
    args: readonly string[],
    stdio: StdioOptions,
    more: NodeJS.ProcessEnv = {},
): Promise<ChildProcess> {
    const env = { ...process.env, ...more };
    if (livesInLab(chosenStack(args))) {
        const lab = [join(root, "toolchain", "bootstrap.mjs"), "lab/cli.ts", "pulumi", "--", ...args];
        return started(spawn(process.execPath, lab, { stdio, env }));
    }
    const toolchain = await ensureToolchain();
    return started(spawn(toolchain.pulumi, args, { stdio, env: { ...env, ...toolchain.env } }));
}

/**
 * Runs Pulumi, which says itself on standard error what is wrong, and may ask on the terminal for a passphrase.
 *
 * @param input what it is given on standard input, in place of the terminal
 * @returns its standard output
 * @throws Error when it fails
 */
export async function pulumiOutput(args: readonly string[], input?: string): Promise<string> {
    const child = await startPulumi(args, [input === undefined ? "inherit" : "pipe", "pipe", "inherit"]);
    // One that ends without reading isn't the fault of whoever writes.
    child.stdin?.on("error", () => undefined).end(input);
    const [printed, code] = await Promise.all([text(child.stdout!), exitCodeOf(child)]);
    if (code !== 0) throw new Error(`pulumi ${args.slice(0, 2).join(" ")} failed.`);
    return printed;
}

async function main(args: readonly string[]): Promise<void> {
    process.exitCode = await foreground(await startPulumi(args, "inherit"));
}

if (require.main === module) {
    main(process.argv.slice(2)).catch((error: unknown) => {
        process.stderr.write(`${messageOf(error)}\n`);
        // Ends what still builds side by side.
        process.exit(1);
    });
}

/**
 * After a Pulumi run was killed: its lock, its plugins that may still be at work, and its pending operations. The
 * engine writes an operation down before it asks a provider to create something, so whatever exists in the cloud
 * without standing in the state belongs to a pending create. It is removed, and the next run makes it again: what was
 * cut off half way through its creation is not worth adopting. Knows nothing of a particular cloud; that is `Search`.
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { ProcessInfo, processes, startOf } from "./process";

/** Something in the cloud that stands in no state. */
export interface Orphan {
    readonly id: string;
    readonly remove: () => Promise<void>;
}

/** Finds what a cut-off creation may have left in a cloud. */
export interface Search {
    /**
     * Resources of a Pulumi type that carry the name and tags (or, where there are none, the other identity) of these
     * inputs; undefined when the type can't be looked for. May return what is in the state.
     */
    find(type: string, inputs: Readonly<Record<string, unknown>>): Promise<readonly Orphan[] | undefined>;
}

export interface RecoverOptions {
    /** Folder of a `file://` backend. */
    readonly backend: string;
    readonly project: string;
    readonly stack: string;
    /** Where the exported state may lie for a moment. */
    readonly scratch: string;
    /** Runs Pulumi on the project with these arguments; resolves to its standard output. */
    readonly pulumi: (args: readonly string[]) => Promise<string>;
    readonly search: Search;
    /** Told what was done, one line each. */
    readonly note: (line: string) => void;
    /** Told what it waits for. */
    readonly report?: (detail: string) => void;
}

interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly custom?: boolean;
    readonly id?: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
}

interface Export {
    readonly deployment: {
        readonly resources?: readonly Resource[];
        readonly pending_operations?: readonly { readonly resource: Resource; readonly type: string }[];
    };
}

/** A run that still works on the stack. */
export class StackBusyError extends Error {}

/**
 * Makes the stack usable again.
 * @returns whether anything had to be repaired; the next run should then refresh.
 * @throws StackBusyError while another run is at work.
 */
export async function recover(options: RecoverOptions): Promise<boolean> {
    await endAbandonedEngine(options);
    const stale = staleLocks(options);
    if (stale.length > 0) {
        // A provider outlives its engine for a while and could go on creating what nobody will record.
        const ended = await endProcesses(options.backend, (process) => !hasEngine(process));
        options.note(
            `An earlier run was cut off: its lock is released${ended > 0 ? `, ${ended} of its processes ended` : ""}.`,
        );
        await options.pulumi(["cancel", "--yes", "--stack", options.stack]);
        for (const lock of stale) rmSync(lock, { force: true });
    }
    return (await clearPending(options)) || stale.length > 0;
}

interface Lock {
    readonly pid: number;
    readonly username: string;
    readonly hostname: string;
}

function locksOf({ backend, project, stack }: RecoverOptions): { file: string; lock: Lock | undefined }[] {
    const folder = join(backend, ".pulumi", "locks", "organization", project, stack);
    let files: string[];
    try {
        files = readdirSync(folder).filter((file) => file.endsWith(".json"));
    } catch {
        return [];
    }
    return files.map((name) => {
        const file = join(folder, name);
        try {
            return { file, lock: JSON.parse(readFileSync(file, "utf8")) as Lock };
        } catch {
            // Cut off while it was written.
            return { file, lock: undefined };
        }
    });
}

/** The engine that holds a lock, when it is a process of this machine that still runs. */
function engineOf(lock: Lock): ProcessInfo | undefined {
    if (lock.hostname !== hostname()) return undefined;
    return processes().find((process) => process.pid === lock.pid && nameOf(process) === "pulumi");
}

/** Locks of runs that are no more. */
function staleLocks(options: RecoverOptions): string[] {
    return locksOf(options).map(({ file, lock }) => {
        if (lock && lock.hostname !== hostname())
            throw new StackBusyError(
                `The stack ${options.stack} is locked by ${lock.username}@${lock.hostname}. Wait for that run, or run \`npm run lab -- pulumi cancel --yes\` when it is gone.`,
            );
        if (lock && engineOf(lock))
            throw new StackBusyError(
                `Another Pulumi run works on the stack ${options.stack} (process ${lock.pid}). Wait for it, or stop it and run this again.`,
            );
        return file;
    });
}

/**
 * An engine whose starter was killed goes on alone, with nobody to see how it ends. It is asked to stop, which lets it
 * finish and record what it is at, and made to when it does not.
 */
async function endAbandonedEngine(options: RecoverOptions): Promise<void> {
    for (const { lock } of locksOf(options)) {
        const engine = lock && engineOf(lock);
        const starter = Number(engine?.environment[STARTER]);
        if (!engine || !Number.isInteger(starter) || engine.parent === starter) continue;
        options.report?.(`an earlier run still works (process ${engine.pid}) and is asked to stop`);
        const start = startOf(engine.pid);
        signalQuietly(engine.pid, "SIGINT");
        for (let i = 0; i < 600 && startOf(engine.pid) === start; i += 1) await sleep(100);
        if (startOf(engine.pid) === start) signalQuietly(engine.pid, "SIGKILL");
        while (startOf(engine.pid) === start) await sleep(100);
    }
}

/** Variable by which a run tells who started it: the number of a process that waits for it. */
export const STARTER = "LAB_STARTED_BY";

function sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function nameOf({ arguments: args, executable }: ProcessInfo): string {
    return basename(executable === "" ? (args[0] ?? "") : executable.replace(/ \(deleted\)$/, ""));
}

function hasEngine(process: ProcessInfo): boolean {
    const byPid = new Map(processes().map((other) => [other.pid, other]));
    for (let parent = byPid.get(process.parent); parent; parent = byPid.get(parent.parent))
        if (nameOf(parent) === "pulumi") return true;
    return false;
}

/** Ends engines, plugins and programs that work on a backend; only those that `which` chooses. @returns how many */
export async function endProcesses(
    backend: string,
    which: (process: ProcessInfo) => boolean = () => true,
): Promise<number> {
    const chosen = processes().filter(
        (process) =>
            process.pid !== globalThis.process.pid &&
            process.environment["PULUMI_BACKEND_URL"] === `file://${backend}` &&
            (nameOf(process) === "pulumi" ||
                process.arguments.some((argument) =>
                    /pulumi-(resource|language)-|@pulumi\/pulumi\/cmd\/run/.test(argument),
                )) &&
            which(process),
    );
    const started = new Map(chosen.map(({ pid }) => [pid, startOf(pid)]));
    const remaining = (): number[] =>
        [...started].filter(([pid, start]) => start !== undefined && startOf(pid) === start).map(([pid]) => pid);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        for (const pid of remaining()) signalQuietly(pid, signal);
        for (let i = 0; i < 30 && remaining().length > 0; i += 1) await sleep(100);
    }
    return chosen.length;
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
    try {
        process.kill(pid, signal);
    } catch {
        // It ended by itself.
    }
}

/**
 * Whether the backend's own file says that nothing is pending: asking Pulumi takes a second, at every run. False when in
 * doubt.
 */
function isSurelyDone({ backend, project, stack }: RecoverOptions): boolean {
    try {
        const file = join(backend, ".pulumi", "stacks", project, `${stack}.json`);
        const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
            checkpoint: { latest?: { pending_operations?: readonly unknown[] } };
        };
        return (checkpoint.latest?.pending_operations ?? []).length === 0;
    } catch {
        return false;
    }
}

async function clearPending(options: RecoverOptions): Promise<boolean> {
    if (isSurelyDone(options)) return false;
    const text = await options.pulumi(["stack", "export", "--stack", options.stack]);
    const { deployment } = JSON.parse(text) as Export;
    const pending = deployment.pending_operations ?? [];
    if (pending.length === 0) return false;

    // What belongs to another resource may have that one's id.
    const known = new Set((deployment.resources ?? []).map(({ type, id }) => `${type} ${id}`));
    for (const { resource, type } of pending) {
        if (type !== "creating" || resource.custom !== true) continue;
        const found = await options.search.find(resource.type, resource.inputs ?? {});
        const name = resource.urn.split("::").at(-1) ?? resource.urn;
        if (!found)
            options.note(`Could not look for what the cut-off run may have created for ${name} (${resource.type}).`);
        for (const orphan of found ?? []) {
            if (known.has(`${resource.type} ${orphan.id}`)) continue;
            await orphan.remove();
            options.note(`Removed ${orphan.id}, which the cut-off run had created for ${name} and not recorded.`);
        }
    }
    // An import drops the pending operations by itself, but says so only by leaving them out.
    const file = join(options.scratch, `state-${process.pid}.json`);
    writeFileSync(file, text, { mode: 0o600 });
    try {
        await options.pulumi(["stack", "import", "--stack", options.stack, "--file", file]);
    } finally {
        rmSync(file, { force: true });
    }
    options.note(
        `Cleared ${pending.length} pending ${pending.length === 1 ? "operation" : "operations"} of the cut-off run.`,
    );
    return true;
}

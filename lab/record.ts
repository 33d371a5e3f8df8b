import { root, setting } from "../toolchain/folders";
import { contentHash } from "../toolchain/sources";
import { readJson } from "./files";
import { type LabPaths, UsageError } from "./paths";
import { isAlive } from "./process";

/** What is written down about the running daemon. */
export interface DaemonRecord {
    readonly pid: number;
    /** Tells the process from a later one with the same pid. */
    readonly start: string;
    readonly port: number;
    readonly region: string;
    /** Tells what it runs from what stands in the folder by now; absent in a record of an earlier version. */
    readonly code?: string;
}

/** What a daemon that starts now would run. */
export function labCode(): string {
    return contentHash(root, ["lab", "package-lock.json"]);
}

/** The lab's running daemon, or undefined; a record that a crash left behind is not taken for one. */
export function runningDaemon(paths: LabPaths): DaemonRecord | undefined {
    let record: DaemonRecord | undefined;
    try {
        record = readJson(paths.daemon) as DaemonRecord | undefined;
    } catch {
        return undefined;
    }
    return record && isAlive(record.pid, record.start) ? record : undefined;
}

/** What is wrong with the port that a lab was asked for on, while it runs; undefined when that is its own. */
export function wrongPort({ name, port }: LabPaths, daemon: DaemonRecord): string | undefined {
    if (daemon.port === port) return undefined;
    return `The lab "${name}" runs on port ${daemon.port}, not ${port}: stop it first, or set LAB_PORT=${daemon.port}.`;
}

/**
 * A lab with the port on which it runs, whatever the default is: nobody has to repeat it to work on a lab that is up.
 * @throws UsageError when LAB_PORT asks for another one
 */
export function asItRuns(paths: LabPaths, environment: NodeJS.ProcessEnv = process.env): LabPaths {
    const daemon = runningDaemon(paths);
    if (daemon === undefined) return paths;
    const problem = setting("LAB_PORT", environment) === undefined ? undefined : wrongPort(paths, daemon);
    if (problem !== undefined) throw new UsageError(problem);
    return { ...paths, port: daemon.port };
}

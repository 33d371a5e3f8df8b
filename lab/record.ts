import { root } from "../toolchain/folders";
import { contentHash } from "../toolchain/sources";
import { readJson } from "./files";
import type { LabPaths } from "./paths";
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

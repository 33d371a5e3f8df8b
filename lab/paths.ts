import { join } from "node:path";
import { labFolder, setting } from "../toolchain/folders";

/** Where one lab keeps what it knows. Everything of a lab is below `folder`; `down` removes that folder. */
export interface LabPaths {
    readonly name: string;
    readonly port: number;
    readonly folder: string;
    /** The model. */
    readonly state: string;
    /** Key pair, account and passphrase of this lab. */
    readonly identity: string;
    /** What runs: see `DaemonRecord`. */
    readonly daemon: string;
    readonly log: string;
    /** Environment for clients, JSON. */
    readonly env: string;
    readonly certificates: string;
    /** Pulumi's backend. */
    readonly pulumi: string;
    /** The Pulumi project of this lab: the repository's program with this lab's configuration. */
    readonly project: string;
    /** Keys and known hosts for `lab ssh`. */
    readonly ssh: string;
    /** Folder for the machine's own files: disks, address books. */
    readonly machine: string;
    /** Exists while the hosts are stopped on purpose. */
    readonly halted: string;
}

/** Default of LAB_PORT, and what Pulumi.lab.yaml names. */
export const DEFAULT_PORT = 8070;

/** A problem of the caller's making, reported without a stack. */
export class UsageError extends Error {}

/**
 * Paths of the lab that `LAB_NAME` and `LAB_PORT` choose.
 * @throws UsageError for a name or port that can't be.
 */
export function labPaths(environment: NodeJS.ProcessEnv = process.env): LabPaths {
    const name = setting("LAB_NAME", environment) ?? "lab";
    if (!/^[a-z][a-z0-9-]{0,20}$/.test(name))
        throw new UsageError(
            `LAB_NAME is "${name}"; it must begin with a letter and hold at most 21 lower-case letters, digits and hyphens.`,
        );
    const port = Number(setting("LAB_PORT", environment) ?? DEFAULT_PORT);
    if (!Number.isInteger(port) || port < 1 || port > 65535)
        throw new UsageError(`LAB_PORT is "${environment["LAB_PORT"] ?? ""}"; it must be a port between 1 and 65535.`);
    const folder = labFolder(name);
    return {
        name,
        port,
        folder,
        state: join(folder, "state.json"),
        identity: join(folder, "identity.json"),
        daemon: join(folder, "daemon.json"),
        log: join(folder, "daemon.log"),
        env: join(folder, "env.json"),
        certificates: join(folder, "certificates"),
        pulumi: join(folder, "pulumi"),
        project: join(folder, "project"),
        ssh: join(folder, "ssh"),
        machine: join(folder, "machine"),
        halted: join(folder, "halted"),
    };
}

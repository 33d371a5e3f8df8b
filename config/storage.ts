/** `storage`: files that the web servers share, on the first hosts of the data pool. */
import type { DataDiskArgs, NodePool, SharedStorageArgs } from "../components";
import { type StorageEngine, storageEngines } from "../components/storage/args";
import { folderProblem, SERVERS } from "../components/storage/settings";
import { hostNumbers, type HostsConfig } from "./hosts";
import type { Reader } from "./reader";

export interface StorageConfig {
    /** @default false */
    readonly enabled: boolean;
    /** @default "glusterfs" */
    readonly engine: StorageEngine;
    /** @default "/data/shared" */
    readonly mountPoint: string;
    /** Whether the third server holds names and versions only. @default false */
    readonly arbiter: boolean;
    /** GiB of each server's data disk. @default none: the files stand on the system disks */
    readonly diskSize?: number;
}

export const storageKeys = ["enabled", "engine", "mountPoint", "arbiter", "diskSize"] as const;

/** How many hosts the servers take: the first ones of the pool. */
export function storageHostCount({ enabled }: StorageConfig): number {
    return enabled ? SERVERS : 0;
}

export function readStorage(reader: Reader): StorageConfig {
    const storage = reader.section("storage");
    const engine = reader.text(storage, "storage.engine") ?? "glusterfs";
    if (!(storageEngines as readonly string[]).includes(engine)) {
        reader.problems.add("storage.engine", `"${engine}" is none of ${storageEngines.join(", ")}.`);
    }
    const mountPoint = reader.text(storage, "storage.mountPoint") ?? "/data/shared";
    const problem = folderProblem(mountPoint);
    if (problem !== undefined) reader.problems.add("storage.mountPoint", problem);
    return {
        enabled: reader.boolean(storage, "storage.enabled", false),
        engine: engine as StorageEngine,
        mountPoint,
        arbiter: reader.boolean(storage, "storage.arbiter", false),
        ...(storage?.["diskSize"] !== undefined && {
            diskSize: reader.integer(storage, "storage.diskSize", 20, 20, 32768),
        }),
    };
}

/** Name of a server's data disk. */
const diskName = "storage";

/** The data disks that the pool needs for it. */
export function storageDisks({ enabled, diskSize }: StorageConfig, hosts: HostsConfig): DataDiskArgs[] {
    if (!enabled || diskSize === undefined) return [];
    return [{ name: diskName, size: diskSize, hosts: hostNumbers(hosts, SERVERS) }];
}

/** What of the pool it takes. */
export function storageServers(
    { diskSize }: StorageConfig,
    { hosts, dataDisks }: NodePool,
): Pick<SharedStorageArgs, "hosts" | "disks"> {
    const servers = hosts.slice(0, SERVERS);
    if (diskSize === undefined) return { hosts: servers };
    return {
        hosts: servers,
        disks: Object.fromEntries(servers.map(({ name }) => [name, dataDisks[name]![diskName]!])),
    };
}

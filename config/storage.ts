/** `storage`: files that the web servers share, on the first hosts of the data pool or in the cloud's own file storage. */
import type { DataDiskArgs, Network, NodePool, SharedStorageArgs } from "../components";
import { type StorageEngine, storageEngines } from "../components/storage/args";
import {
    folderProblem,
    glusterPorts,
    mountPointProblem,
    nfsPorts,
    serverCounts,
    serverFolders,
} from "../components/storage/settings";
import type { StackConfig } from "../config";
import { hostNumbers, type HostsConfig } from "./hosts";
import { keysOf } from "./keys";
import type { Reader } from "./reader";

export interface StorageConfig {
    /** @default false */
    readonly enabled: boolean;
    /** @default "glusterfs" */
    readonly engine: StorageEngine;
    /** @default "/data/shared" */
    readonly mountPoint: string;
    /** Whether GlusterFS's third server holds names and versions only. @default false */
    readonly arbiter: boolean;
    /** GiB of each server's data disk, for engines with servers. @default none: the files stand on the system disks */
    readonly diskSize?: number;
}

export const storageKeys = ["enabled", "engine", "mountPoint", "arbiter", "diskSize"] as const;

/** How many hosts the servers take: the first ones of the pool. */
export function storageHostCount({ enabled, engine }: StorageConfig): number {
    return enabled ? serverCounts[engine] : 0;
}

/** Why they take as many. */
export function storageHostReason({ engine }: StorageConfig): string {
    return engine === "nfs" ? "the server of the shared storage" : "the three copies of the shared storage";
}

/** Ports on which the servers are reached by their clients. */
export function storagePorts({ enabled, engine }: StorageConfig): readonly (number | string)[] {
    if (!enabled) return [];
    return { glusterfs: glusterPorts, nfs: nfsPorts, nas: [] }[engine];
}

export function readStorage(reader: Reader): StorageConfig {
    const storage = reader.section("storage");
    const asked = reader.text(storage, "storage.engine") ?? "glusterfs";
    const engine = storageEngines.find((candidate) => candidate === asked);
    if (engine === undefined) {
        reader.problems.add("storage.engine", `"${asked}" is none of ${storageEngines.join(", ")}.`);
    }
    const mountPoint = reader.text(storage, "storage.mountPoint") ?? "/data/shared";
    const folder = engine === undefined || engine === "nas" ? undefined : serverFolders[engine];
    const problem =
        folderProblem(mountPoint) ?? (folder === undefined ? undefined : mountPointProblem(mountPoint, folder));
    if (problem !== undefined) reader.problems.add("storage.mountPoint", problem);
    const arbiter = reader.boolean(storage, "storage.arbiter", false);
    if (arbiter && engine !== undefined && engine !== "glusterfs") {
        reader.problems.add("storage.arbiter", `goes with the engine glusterfs, not with ${engine}: leave it out.`);
    }
    if (storage?.["diskSize"] !== undefined && engine === "nas") {
        reader.problems.add("storage.diskSize", "goes with servers of your own, and nas has none: leave it out.");
    }
    return {
        enabled: reader.boolean(storage, "storage.enabled", false),
        engine: engine ?? "glusterfs",
        mountPoint,
        arbiter,
        ...(storage?.["diskSize"] !== undefined && {
            diskSize: reader.integer(storage, "storage.diskSize", 20, 20, 32768),
        }),
    };
}

/** Name of a server's data disk. */
const diskName = "storage";

/** The data disks that the pool needs for it. */
export function storageDisks({ enabled, engine, diskSize }: StorageConfig, hosts: HostsConfig): DataDiskArgs[] {
    if (!enabled || diskSize === undefined) return [];
    return [{ name: diskName, size: diskSize, hosts: hostNumbers(hosts, serverCounts[engine]) }];
}

/** Where the stack's files are kept, and who mounts them: the web servers, or else the pool. */
export function storageSettings(
    { keys, storage, web }: Pick<StackConfig, "keys" | "storage" | "web">,
    network: Network,
    pool: NodePool,
    webPool: NodePool | undefined,
): SharedStorageArgs {
    const { engine, mountPoint, arbiter, diskSize } = storage;
    const hosts = pool.hosts.slice(0, serverCounts[engine]);
    const servers = {
        hosts,
        ...(diskSize !== undefined && {
            diskSize,
            disks: Object.fromEntries(hosts.map(({ name }) => [name, pool.dataDisks[name]![diskName]!])),
        }),
    };
    const clients = webPool?.hosts ?? pool.hosts;
    switch (engine) {
        case "glusterfs":
            return { engine, mountPoint, clients, ...servers, arbiter, ...keysOf(keys, "storage") };
        case "nfs":
            return {
                engine,
                mountPoint,
                clients: clients.filter((client) => !hosts.includes(client)),
                ...servers,
                // Root of the web servers writes the releases.
                rootSquash: !web.shared,
            };
        case "nas":
            return {
                engine,
                mountPoint,
                clients,
                vpcId: network.vpcId,
                vswitchId: network.vswitches[0]!.id,
            };
    }
}

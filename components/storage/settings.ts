import type { Host } from "../host";
import { checkKeys } from "../keys";
import { Problems } from "../problems";
import { checkTags } from "../tags";
import {
    type GlusterStorageArgs,
    type NasStorageArgs,
    type NfsStorageArgs,
    type SharedStorageArgs,
    type StorageEngine,
    storageEngines,
    type StorageMountArgs,
} from "./args";

/** {@link SharedStorageArgs} with everything filled in. */
export type SharedStorageSettings = GlusterSettings | NfsSettings | NasSettings;

export interface MountSettings {
    readonly clients: readonly Host[];
    readonly mountPoint: string;
    readonly owner: { readonly ids: string; readonly mode: string } | undefined;
}

export interface GlusterSettings extends MountSettings {
    readonly engine: "glusterfs";
    readonly hosts: readonly Host[];
    readonly disks: GlusterStorageArgs["disks"];
    readonly diskSize: GlusterStorageArgs["diskSize"];
    readonly volume: string;
    readonly arbiter: boolean;
    readonly brickDirectory: string;
    readonly pingTimeout: number;
    readonly tls: boolean;
    readonly keys: GlusterStorageArgs["keys"];
}

export interface NfsSettings extends MountSettings {
    readonly engine: "nfs";
    readonly server: Host;
    readonly disks: NfsStorageArgs["disks"];
    readonly diskSize: NfsStorageArgs["diskSize"];
    readonly exportDirectory: string;
    readonly rootSquash: boolean;
    readonly graceSeconds: number;
}

export interface NasSettings extends MountSettings, Pick<NasStorageArgs, "vpcId" | "vswitchId" | "zone" | "tags"> {
    readonly engine: "nas";
    readonly storageType: NonNullable<NasStorageArgs["storageType"]>;
    readonly rootSquash: boolean;
}

/**
 * Servers that each engine takes. Of GlusterFS three: with two, neither could tell which of them is right after they have lost sight of
 * each other.
 */
export const serverCounts: Readonly<Record<StorageEngine, number>> = { glusterfs: 3, nfs: 1, nas: 0 };

/** Ports of the management daemon and of the bricks: one for each brick that a server has. */
export const glusterPorts: readonly (number | string)[] = [24007, "49152-49251"];

/** The port of NFSv4, which needs no other. */
export const nfsPorts: readonly number[] = [2049];

/** Where servers have their files when nobody says where. */
export const serverFolders = { glusterfs: "/data/bricks", nfs: "/data/export" } as const;

const reservedHostNames = /^(ca|volume)$|-mount$/;

/** Arguments that only some engines have. */
const engineArguments: Readonly<Record<string, readonly StorageEngine[]>> = {
    hosts: ["glusterfs", "nfs"],
    disks: ["glusterfs", "nfs"],
    diskSize: ["glusterfs", "nfs"],
    volume: ["glusterfs"],
    arbiter: ["glusterfs"],
    brickDirectory: ["glusterfs"],
    pingTimeout: ["glusterfs"],
    tls: ["glusterfs"],
    keys: ["glusterfs"],
    exportDirectory: ["nfs"],
    graceSeconds: ["nfs"],
    rootSquash: ["nfs", "nas"],
    vpcId: ["nas"],
    vswitchId: ["nas"],
    zone: ["nas"],
    storageType: ["nas"],
    tags: ["nas"],
};

/**
 * Checks what can be checked before anything runs and fills in the defaults. Pure.
 *
 * @throws pulumi.RunError that lists every problem.
 */
export function parseSharedStorageArgs(name: string, args: SharedStorageArgs): SharedStorageSettings {
    const problems = new Problems();
    const settings = parseEngine(problems, args);
    problems.throwIfAny(`SharedStorage "${name}"`);
    return settings!;
}

/** Undefined for an engine that there isn't. */
function parseEngine(problems: Problems, args: SharedStorageArgs): SharedStorageSettings | undefined {
    const engine: string = args.engine;
    if (!(storageEngines as readonly string[]).includes(engine)) {
        problems.add("engine", `"${engine}" is none of ${storageEngines.join(", ")}.`);
        return undefined;
    }
    for (const [argument, value] of Object.entries(args)) {
        const engines = engineArguments[argument];
        if (value !== undefined && engines !== undefined && !engines.includes(args.engine)) {
            problems.add(argument, `goes with the engine ${engines.join(" or ")}, not with ${engine}: leave it out.`);
        }
    }
    switch (args.engine) {
        case "glusterfs":
            return parseGluster(problems, args);
        case "nfs":
            return parseNfs(problems, args);
        case "nas":
            return parseNas(problems, args);
    }
}

function parseGluster(problems: Problems, args: GlusterStorageArgs): GlusterSettings {
    const servers = serverCounts.glusterfs;
    if (args.hosts.length !== servers) {
        problems.add("hosts", `${args.hosts.length} hosts: a volume takes ${servers}, one of which may be an arbiter.`);
    }
    checkHosts(problems, "hosts", args.hosts);
    const brickDirectory = args.brickDirectory ?? serverFolders.glusterfs;
    const mount = parseMount(problems, args, { brickDirectory });
    const volume = args.volume ?? "gv0";
    if (!/^[a-zA-Z][\w-]{0,31}$/.test(volume)) {
        problems.add("volume", `"${volume}" is not 1 to 32 letters, digits, _ and -, a letter first.`);
    }
    const pingTimeout = checkSeconds(problems, "pingTimeout", args.pingTimeout ?? 10, 3, 300);
    checkDisks(problems, args);
    checkKeys(problems, args.keys);
    if (args.keys !== undefined && args.tls === false)
        problems.add("keys", "are those of certificates, of which there are none without tls: leave it out.");
    return {
        engine: args.engine,
        ...mount,
        hosts: args.hosts,
        disks: args.disks,
        diskSize: args.diskSize,
        volume,
        arbiter: args.arbiter ?? false,
        brickDirectory,
        pingTimeout,
        tls: args.tls ?? true,
        keys: args.keys,
    };
}

function parseNfs(problems: Problems, args: NfsStorageArgs): NfsSettings {
    if (args.hosts.length !== serverCounts.nfs) {
        problems.add(
            "hosts",
            `${args.hosts.length} hosts: NFS has one server. For files that outlive a server take the engine glusterfs or nas.`,
        );
    }
    checkHosts(problems, "hosts", args.hosts);
    const exportDirectory = args.exportDirectory ?? serverFolders.nfs;
    const mount = parseMount(problems, args, { exportDirectory });
    const graceSeconds = checkSeconds(problems, "graceSeconds", args.graceSeconds ?? 15, 10, 90);
    checkDisks(problems, args);
    for (const [index, client] of args.clients.entries()) {
        if (args.hosts.some(({ name }) => name === client.name)) {
            problems.add(
                `clients[${index}]`,
                `"${client.name}" is the server: a host that mounts its own files can lock up when memory runs short.`,
            );
        }
    }
    return {
        engine: args.engine,
        ...mount,
        server: args.hosts[0]!,
        disks: args.disks,
        diskSize: args.diskSize,
        exportDirectory,
        rootSquash: args.rootSquash ?? true,
        graceSeconds,
    };
}

function parseNas(problems: Problems, args: NasStorageArgs): NasSettings {
    const storageType = args.storageType ?? "Capacity";
    if (!["Capacity", "Performance"].includes(storageType)) {
        problems.add("storageType", `"${storageType}" is none of Capacity, Performance.`);
    }
    checkTags(problems, args.tags);
    return {
        engine: args.engine,
        ...parseMount(problems, args, {}),
        vpcId: args.vpcId,
        vswitchId: args.vswitchId,
        zone: args.zone,
        tags: args.tags,
        storageType,
        rootSquash: args.rootSquash ?? false,
    };
}

/** @param own folders that the servers keep the files in, by argument */
function parseMount(problems: Problems, args: StorageMountArgs, own: Readonly<Record<string, string>>): MountSettings {
    checkHosts(problems, "clients", args.clients);
    const mountPoint = args.mountPoint ?? "/data/shared";
    for (const [path, value] of Object.entries({ mountPoint, ...own })) {
        const problem = folderProblem(value);
        if (problem !== undefined) problems.add(path, problem);
    }
    for (const folder of Object.values(own)) {
        const problem = mountPointProblem(mountPoint, folder);
        if (problem !== undefined) problems.add("mountPoint", problem);
    }
    checkOwner(problems, args);
    return {
        clients: args.clients,
        mountPoint,
        owner:
            args.owner === undefined
                ? undefined
                : { ids: `${args.owner.uid}:${args.owner.gid}`, mode: args.owner.mode ?? "0755" },
    };
}

function checkSeconds(problems: Problems, path: string, value: number, least: number, most: number): number {
    if (!Number.isInteger(value) || value < least || value > most) {
        problems.add(path, `${value} is not a number of seconds from ${least} to ${most}.`);
    }
    return value;
}

function checkHosts(problems: Problems, path: "hosts" | "clients", hosts: readonly Host[]): void {
    hosts.forEach((host, index) => {
        if (hosts.findIndex((other) => other.name === host.name) < index) {
            problems.add(`${path}[${index}]`, `"${host.name}" is listed twice.`);
        }
        if (reservedHostNames.test(host.name)) {
            problems.add(
                `${path}[${index}]`,
                `the name "${host.name}" is taken by a resource of the component itself.`,
            );
        }
    });
}

function checkDisks(
    problems: Problems,
    { hosts, disks = {}, diskSize }: Pick<GlusterStorageArgs, "hosts" | "disks" | "diskSize">,
): void {
    const names = hosts.map((host) => host.name);
    if (diskSize !== undefined && Object.keys(disks).length === 0)
        problems.add("diskSize", "is that of `disks`, and there are none: name them too.");
    if (typeof diskSize === "number" && (!Number.isInteger(diskSize) || diskSize < 1 || diskSize > 65_536))
        problems.add("diskSize", `${diskSize} is not a number of GiB from 1 to 65536.`);
    for (const host of Object.keys(disks)) {
        if (!names.includes(host)) problems.add(`disks.${host}`, `is none of the hosts ${names.join(", ")}.`);
    }
    if (Object.keys(disks).length > 0) {
        for (const host of names) {
            if (disks[host] === undefined)
                problems.add(`disks.${host}`, "is missing: all servers have a data disk, or none has.");
        }
    }
}

function checkOwner(problems: Problems, { owner }: StorageMountArgs): void {
    if (owner === undefined) return;
    for (const id of ["uid", "gid"] as const) {
        if (!Number.isInteger(owner[id]) || owner[id] < 0 || owner[id] > 65534) {
            problems.add(`owner.${id}`, `${owner[id]} is not a number from 0 to 65534.`);
        }
    }
    if (owner.mode !== undefined && !/^[0-7]{3,4}$/.test(owner.mode)) {
        problems.add("owner.mode", `"${owner.mode}" is not a mode in octal digits such as 2775.`);
    }
}

/** Why files can't be mounted where they are when the servers have them in `folder`; undefined when they can. */
export function mountPointProblem(mountPoint: string, folder: string): string | undefined {
    return `${mountPoint}/`.startsWith(`${folder}/`) || `${folder}/`.startsWith(`${mountPoint}/`)
        ? `"${mountPoint}" and the servers' own ${folder} can't be within each other.`
        : undefined;
}

/** Why a path can't be a folder of this component's; undefined when it can. */
export function folderProblem(path: string): string | undefined {
    // systemd's unit of a mount point and the words of a script have no quotes around it.
    if (!/^(\/[a-zA-Z0-9_][a-zA-Z0-9_.-]*){2,}$/.test(path)) {
        return `"${path}" is not an absolute path of its own below a top-level folder, of letters, digits and . _ -`;
    }
    return undefined;
}

import type { Host } from "../host";
import { Problems } from "../problems";
import { type SharedStorageArgs, type StorageEngine, storageEngines } from "./args";

/** {@link SharedStorageArgs} with everything filled in. */
export interface SharedStorageSettings {
    readonly engine: StorageEngine;
    readonly hosts: readonly Host[];
    readonly clients: readonly Host[];
    readonly mountPoint: string;
    readonly volume: string;
    readonly arbiter: boolean;
    readonly brickDirectory: string;
    readonly pingTimeout: number;
    readonly tls: boolean;
    readonly owner: { readonly ids: string; readonly mode: string } | undefined;
}

/** Servers that a volume takes: with two, neither could tell which of them is right after they have lost sight of each other. */
export const SERVERS = 3;

/** Ports of the management daemon and of the bricks: one for each brick that a server has. */
export const glusterPorts: readonly (number | string)[] = [24007, "49152-49251"];

const reservedHostNames = /^(ca|volume)$|-mount$/;

/**
 * Checks what can be checked before anything runs and fills in the defaults. Pure.
 *
 * @throws pulumi.RunError that lists every problem.
 */
export function parseSharedStorageArgs(name: string, args: SharedStorageArgs): SharedStorageSettings {
    const problems = new Problems();
    if (!storageEngines.includes(args.engine)) {
        problems.add("engine", `"${args.engine}" is none of ${storageEngines.join(", ")}.`);
    }
    if (args.hosts.length !== SERVERS) {
        problems.add("hosts", `${args.hosts.length} hosts: a volume takes ${SERVERS}, one of which may be an arbiter.`);
    }
    for (const path of ["hosts", "clients"] as const) checkHosts(problems, path, args[path]);

    const mountPoint = args.mountPoint ?? "/data/shared";
    const brickDirectory = args.brickDirectory ?? "/data/bricks";
    for (const [path, value] of [
        ["mountPoint", mountPoint],
        ["brickDirectory", brickDirectory],
    ] as const) {
        const problem = folderProblem(value);
        if (problem !== undefined) problems.add(path, problem);
    }
    if (`${mountPoint}/`.startsWith(`${brickDirectory}/`) || `${brickDirectory}/`.startsWith(`${mountPoint}/`)) {
        problems.add(
            "mountPoint",
            `"${mountPoint}" and the servers' own ${brickDirectory} can't be within each other.`,
        );
    }
    const volume = args.volume ?? "gv0";
    if (!/^[a-zA-Z][\w-]{0,31}$/.test(volume)) {
        problems.add("volume", `"${volume}" is not 1 to 32 letters, digits, _ and -, a letter first.`);
    }
    const pingTimeout = args.pingTimeout ?? 10;
    if (!Number.isInteger(pingTimeout) || pingTimeout < 3 || pingTimeout > 300) {
        problems.add("pingTimeout", `${pingTimeout} is not a number of seconds from 3 to 300.`);
    }
    checkDisks(problems, args);
    checkOwner(problems, args);
    problems.throwIfAny(`SharedStorage "${name}"`);

    return {
        engine: args.engine,
        hosts: args.hosts,
        clients: args.clients,
        mountPoint,
        volume,
        arbiter: args.arbiter ?? false,
        brickDirectory,
        pingTimeout,
        tls: args.tls ?? true,
        owner:
            args.owner === undefined
                ? undefined
                : { ids: `${args.owner.uid}:${args.owner.gid}`, mode: args.owner.mode ?? "0755" },
    };
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

function checkDisks(problems: Problems, { hosts, disks = {} }: SharedStorageArgs): void {
    const names = hosts.map((host) => host.name);
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

function checkOwner(problems: Problems, { owner }: SharedStorageArgs): void {
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

/** Why a path can't be a folder of this component's; undefined when it can. */
export function folderProblem(path: string): string | undefined {
    // systemd's unit of a mount point and the words of a script have no quotes around it.
    if (!/^(\/[a-zA-Z0-9_][a-zA-Z0-9_.-]*){2,}$/.test(path)) {
        return `"${path}" is not an absolute path of its own below a top-level folder, of letters, digits and . _ -`;
    }
    return undefined;
}

import { checkKeys } from "../keys";
import { Problems } from "../problems";
import { checkName, checkTags, reservedByEcs } from "../tags";
import type { NodePoolArgs } from "./args";
import { checkHostKeys } from "./hostKeys";
import { checkCloudConfig } from "./userData";

/** {@link NodePoolArgs} with everything filled in that can be known before anything exists. */
export interface NodePoolSettings {
    readonly slots: readonly Slot[];
    readonly user: string;
    readonly meshUser: string | undefined;
    readonly deploymentSet: boolean;
    readonly publicBandwidth: number;
    readonly systemDisk: { readonly size: number; readonly category: string; readonly encrypted: boolean };
}

/** A host's place in its pool. */
export interface Slot {
    readonly number: number;
    /** Host name, and beginning of the names of all its resources. */
    readonly name: string;
    /** Where it is made: number of the network's VSwitch, from 1. */
    readonly vswitch: number;
    /** Names of the excluded hosts that this one came for, the latest first. */
    readonly succeeds: readonly string[];
    readonly public: boolean;
    /** Whether the pool's deployment set has room for it. */
    readonly spread: boolean;
}

/** The numbers of `count` hosts: the smallest positive ones that are not excluded. */
export function slotNumbers(count: number, exclude: readonly number[]): readonly number[] {
    const left = new Set(exclude);
    const numbers: number[] = [];
    for (let number = 1; numbers.length < count; number++) {
        if (!left.has(number)) {
            numbers.push(number);
        }
    }
    return numbers;
}

/**
 * Which excluded numbers each number came for, when they were excluded in the order of the list: the one in whose place it is, the one in whose place
 * that one was, and so on.
 */
export function predecessors(count: number, exclude: readonly number[]): ReadonlyMap<number, readonly number[]> {
    const current = new Set(slotNumbers(count, []));
    const found = new Map<number, readonly number[]>();
    exclude.forEach((number, index) => {
        if (!current.has(number)) return;
        const next = slotNumbers(count, exclude.slice(0, index + 1)).find((candidate) => !current.has(candidate))!;
        current.delete(number);
        current.add(next);
        found.set(next, [number, ...(found.get(number) ?? [])]);
        found.delete(number);
    });
    return found;
}

/**
 * Checks what can be checked before anything runs and fills in the defaults. Pure.
 *
 * @throws pulumi.RunError that lists every problem.
 */
export function parseNodePoolArgs(name: string, args: NodePoolArgs): NodePoolSettings {
    const problems = new Problems();
    const { hostPrefix = name } = args;
    // Linux takes 64 characters as a host name: "-1000" has to fit behind it.
    checkName(problems, name, 48);
    if (args.hostPrefix !== undefined) checkName(problems, args.hostPrefix, 48, "hostPrefix");
    // Elastic addresses are another product's.
    checkTags(problems, args.tags, args.publicAddresses ? undefined : reservedByEcs);
    checkKeys(problems, args.keys);
    checkKeys(problems, args.hostKeys, "hostKeys");
    checkHostKeys(problems, args.hostKeys);
    if (args.keys !== undefined && typeof args.keyPair === "object") {
        problems.add("keys", "number generated keys, and keyPair is one of your own: leave one of them out.");
    }
    const validCount = Number.isInteger(args.count) && args.count >= 0 && args.count <= 1000;
    if (!validCount) {
        problems.add("count", `${args.count} is not a number of hosts from 0 to 1000.`);
    }
    const exclude = args.exclude ?? [];
    exclude.forEach((number, index) => {
        if (!Number.isInteger(number) || number < 1) {
            problems.add(`exclude[${index}]`, `${number} is not a host's number.`);
        }
    });
    for (const [number, vswitch] of Object.entries(args.placement ?? {})) {
        const problem = placementProblem(vswitch, args.network.vswitches.length);
        if (problem !== undefined) problems.add(`placement.${number}`, problem);
    }
    if (!(args.role in args.network.securityGroupIds)) {
        problems.add(
            "role",
            `the network has no role "${args.role}": ${Object.keys(args.network.securityGroupIds).join(", ")}.`,
        );
    }
    const numbers = validCount ? slotNumbers(args.count, exclude) : [];
    const cameFor = predecessors(numbers.length, exclude);
    const adopted = Object.keys(args.adopt ?? {});
    if (validCount && numbers.length + adopted.length === 0) {
        problems.add("count", "a pool needs a host: raise count or name hosts to adopt.");
    }
    for (const adoptedName of adopted) {
        if (!/^[a-z](-?[a-z0-9])*$/.test(adoptedName) || adoptedName.length > 63) {
            problems.add(
                `adopt["${adoptedName}"]`,
                "a host's name is up to 63 lower-case letters, digits and single hyphens.",
            );
        }
        if (numbers.some((number) => `${hostPrefix}-${number}` === adoptedName)) {
            problems.add(`adopt["${adoptedName}"]`, "a host that the pool creates has this name: choose another.");
        }
    }
    const publicSlots = publicNumbers(problems, args, numbers);
    if (args.bastion === undefined && args.direct !== true && numbers.some((number) => !publicSlots.has(number))) {
        problems.add(
            "bastion",
            "hosts without a public address can't be reached: name a bastion, set publicAddresses: true, or direct: true where this program runs within the VPC.",
        );
    }
    const systemDisk = {
        size: args.systemDisk?.size ?? 40,
        category: args.systemDisk?.category ?? "cloud_essd",
        encrypted: args.systemDisk?.encrypted ?? true,
    };
    checkDisks(problems, args, systemDisk.size, numbers);
    const publicBandwidth = args.publicBandwidth ?? 5;
    if (!Number.isInteger(publicBandwidth) || publicBandwidth < 1 || publicBandwidth > 200) {
        problems.add("publicBandwidth", `${publicBandwidth} is not a bandwidth from 1 to 200 Mbit/s.`);
    }
    const meshUser = args.mesh === false ? undefined : (args.mesh?.user ?? "multihost");
    for (const [path, user] of [
        ["user", args.user],
        ["mesh.user", meshUser],
    ] as const) {
        if (user !== undefined && !/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) {
            problems.add(path, `"${user}" is not a Linux user name.`);
        }
    }
    if (meshUser === "root" || (meshUser !== undefined && meshUser === args.user)) {
        problems.add("mesh.user", `"${meshUser}" logs in for administration: the service user must be another.`);
    }
    checkCloudConfig(problems, args, args.user ?? "root");
    if (args.imageId !== undefined && args.imageName !== undefined) {
        problems.add("imageName", "imageId says already which image: leave one of them out.");
    }
    const spread = args.network.vswitches.length * 20;
    if (args.deploymentSet === true && numbers.length > spread) {
        problems.add(
            "deploymentSet",
            `a deployment set holds 20 hosts in a zone, ${spread} here, not ${numbers.length}: set it to false.`,
        );
    }
    problems.throwIfAny(`NodePool "${name}"`);

    return {
        slots: numbers.map((number, index) => ({
            number,
            name: `${hostPrefix}-${number}`,
            vswitch: slotVswitch(number, args.placement, args.network.vswitches.length),
            succeeds: (cameFor.get(number) ?? []).map((former) => `${hostPrefix}-${former}`),
            public: publicSlots.has(number),
            spread: index < spread,
        })),
        user: args.user ?? "root",
        meshUser,
        deploymentSet: args.deploymentSet ?? numbers.length >= 2,
        publicBandwidth,
        systemDisk,
    };
}

function publicNumbers(problems: Problems, args: NodePoolArgs, numbers: readonly number[]): ReadonlySet<number> {
    if (args.publicAddresses === undefined || typeof args.publicAddresses === "boolean") {
        return new Set(args.publicAddresses === true ? numbers : []);
    }
    checkNumbers(problems, "publicAddresses", args.publicAddresses, numbers);
    return new Set(args.publicAddresses);
}

function checkNumbers(problems: Problems, path: string, given: readonly number[], numbers: readonly number[]): void {
    given.forEach((number, index) => {
        if (!numbers.includes(number)) {
            problems.add(`${path}[${index}]`, `there is no host ${number}: the hosts are ${numbers.join(", ")}.`);
        }
    });
}

function checkDisks(problems: Problems, args: NodePoolArgs, systemSize: number, numbers: readonly number[]): void {
    const checkSize = (path: string, size: number, largest: number): void => {
        if (!Number.isInteger(size) || size < 20 || size > largest) {
            problems.add(path, `${size} is not a size from 20 to ${largest} GiB.`);
        }
    };
    checkSize("systemDisk.size", systemSize, 2048);
    const disks = args.dataDisks ?? [];
    if (disks.length > 16) {
        problems.add("dataDisks", `${disks.length} data disks are too many: an instance takes 16.`);
    }
    disks.forEach((disk, index) => {
        checkSize(`dataDisks[${index}].size`, disk.size, 32768);
        checkNumbers(problems, `dataDisks[${index}].hosts`, disk.hosts ?? [], numbers);
        if (!/^[a-z][a-z0-9-]{0,31}$/.test(disk.name)) {
            problems.add(
                `dataDisks[${index}].name`,
                `"${disk.name}" is not 1 to 32 lower-case letters, digits and hyphens.`,
            );
        }
        if (disks.findIndex((other) => other.name === disk.name) < index) {
            problems.add(`dataDisks[${index}].name`, `"${disk.name}" is there twice.`);
        }
    });
}

/** In which VSwitch a host of this number is made, of so many; both are counted from 1. */
export function slotVswitch(number: number, placement: NodePoolArgs["placement"], vswitches: number): number {
    return placement?.[number] ?? ((number - 1) % vswitches) + 1;
}

/** Why a host can't stand in a VSwitch of this number, of so many; undefined when it can. */
export function placementProblem(vswitch: number, vswitches: number): string | undefined {
    return Number.isInteger(vswitch) && vswitch >= 1 && vswitch <= vswitches
        ? undefined
        : `${vswitch} is none of the network's VSwitches, which are counted from 1 to ${vswitches}.`;
}

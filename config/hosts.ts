/** `hosts`: the pool that the platform's services run on. */
import { placementProblem, slotNumbers } from "../components/nodePool/settings";
import type { Host, RebuildReason } from "../components";
import type { StackConfig } from "../config";
import type { Reader, Section } from "./reader";

export interface SystemDiskConfig {
    /** GiB. @default 40 */
    readonly size: number;
    /** @default true */
    readonly encrypted: boolean;
}

export interface HostsConfig {
    /** How many hosts the pool has. @default as many as the largest service takes */
    readonly count: number;
    /** Numbers that no host has, to remove one from the middle. @default [] */
    readonly exclude: readonly number[];
    /** VSwitches of hosts by their numbers, both counted from 1. @default in turn */
    readonly placement: Readonly<Record<string, number>>;
    /** @default "ecs.g7.large" */
    readonly instanceType: string;
    /** Image id. @default the newest system image of Debian 12 */
    readonly imageId?: string;
    /** Regular expression for the name of a system image. @default "^debian_12_" */
    readonly imageName?: string;
    /** What rebuilds hosts that exist. @default [] */
    readonly rebuildOn: readonly RebuildReason[];
    readonly systemDisk: SystemDiskConfig;
    /** Whether the cloud refuses to delete the hosts. @default false */
    readonly deletionProtection: boolean;
}

export const hostsKeys = [
    "count",
    "exclude",
    "placement",
    "instanceType",
    "imageId",
    "imageName",
    "rebuildOn",
    "systemDisk",
    "deletionProtection",
] as const;

/** The pool's name, which its hosts' names begin with. */
export const dataPool = "node";

/** Numbers of the first hosts of the pool. */
export function hostNumbers({ exclude }: HostsConfig, count: number): readonly number[] {
    return slotNumbers(count, exclude);
}

/** Names of the first hosts of the pool. */
export function hostNames(hosts: HostsConfig, count: number): string[] {
    return hostNumbers(hosts, count).map((number) => `${dataPool}-${number}`);
}

/** How many hosts a service takes, and what for. */
export interface HostsNeed {
    readonly count: number;
    readonly because: string;
}

/** @param needs what the services take: the first hosts of the pool each. */
export function readHosts(reader: Reader, needs: readonly HostsNeed[]): HostsConfig {
    const { problems } = reader;
    const hosts = reader.section("hosts");
    const needed = needs.reduce((most, need) => (need.count > most.count ? need : most));
    const count = reader.integer(hosts, "hosts.count", Math.max(needed.count, 1), 1, 1000);
    if (count < needed.count) {
        problems.add(
            "hosts.count",
            `${count} hosts are too few: ${needed.because} need ${needed.count}, one server per host.`,
        );
    }
    return {
        count,
        exclude: reader.numbers(hosts, "hosts.exclude"),
        placement: readPlacement(reader, hosts, "hosts.placement"),
        instanceType: reader.instanceType(hosts, "hosts.instanceType", "ecs.g7.large"),
        ...readImage(reader, "hosts"),
        rebuildOn: readReasons(reader, hosts, "hosts.rebuildOn"),
        systemDisk: readSystemDisk(reader, hosts, "hosts.systemDisk"),
        deletionProtection: reader.boolean(hosts, "hosts.deletionProtection", false),
    };
}

/** Which image the hosts of a group are made from, when the configuration says so. */
export function readImage(
    reader: Reader,
    group: "hosts" | "bastion",
): { readonly imageId?: string; readonly imageName?: string } {
    const section = reader.section(group);
    const imageId = reader.text(section, `${group}.imageId`);
    const imageName = reader.text(section, `${group}.imageName`);
    if (imageId !== undefined && imageName !== undefined) {
        reader.problems.add(`${group}.imageName`, `${group}.imageId says already which image: leave one of them out.`);
    }
    return { ...(imageId !== undefined && { imageId }), ...(imageName !== undefined && { imageName }) };
}

const rebuildReasons: readonly RebuildReason[] = ["image", "userData", "systemDisk"];

export function readReasons(reader: Reader, section: Section | undefined, path: string): RebuildReason[] {
    return reader.texts(section, path, 0).flatMap((text, index) => {
        const reason = rebuildReasons.find((known) => known === text);
        if (reason === undefined)
            reader.problems.add(`${path}[${index}]`, `"${text}" is none of ${rebuildReasons.join(", ")}.`);
        return reason ?? [];
    });
}

function readPlacement(reader: Reader, section: Section | undefined, path: string): Record<string, number> {
    const value = section?.["placement"] ?? {};
    const entries = typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [["", value]];
    return Object.fromEntries(
        entries.filter((entry): entry is [string, number] => {
            const [number, vswitch] = entry as [string, unknown];
            const isValid = /^[1-9]\d*$/.test(number) && typeof vswitch === "number" && Number.isInteger(vswitch);
            if (!isValid)
                reader.problems.add(
                    number === "" ? path : `${path}.${number}`,
                    `${JSON.stringify(vswitch)} is no VSwitch of a host: write \`3: 1\` for host 3 in the first one.`,
                );
            return isValid;
        }),
    );
}

/** The disk that the hosts of a group boot from. */
export function readSystemDisk(reader: Reader, section: Section | undefined, path: string): SystemDiskConfig {
    const value = section?.["systemDisk"] ?? {};
    if (typeof value !== "object" || Array.isArray(value)) {
        reader.problems.add(path, `${JSON.stringify(value)} is not a group of settings.`);
        return { size: 40, encrypted: true };
    }
    const { size = 40, encrypted = true, ...unknown } = value as Section;
    for (const key of Object.keys(unknown)) {
        reader.problems.add(`${path}.${key}`, `is not known; \`${path}\` has size, encrypted.`);
    }
    const validSize = typeof size === "number" && Number.isInteger(size) && size >= 20 && size <= 2048;
    if (!validSize) {
        reader.problems.add(`${path}.size`, `${JSON.stringify(size)} is not a whole number between 20 and 2048.`);
    }
    if (typeof encrypted !== "boolean") {
        reader.problems.add(`${path}.encrypted`, `${JSON.stringify(encrypted)} is neither true nor false.`);
    }
    return { size: validSize ? size : 40, encrypted: encrypted === true };
}

/** A host can only stand in a VSwitch that there is, and only one that there is can stand anywhere. */
export function checkPlacement({ problems }: Reader, hosts: HostsConfig, vswitches: number): void {
    const numbers = hostNumbers(hosts, hosts.count);
    for (const [number, vswitch] of Object.entries(hosts.placement)) {
        const path = `hosts.placement.${number}`;
        const problem = placementProblem(vswitch, vswitches);
        if (problem !== undefined) problems.add(path, problem);
        if (!numbers.includes(Number(number))) {
            problems.add(path, `no host has this number; there are ${numbers.join(", ")}: leave it out.`);
        }
    }
}

/** Of which types the stack has hosts, that of the pool first. */
export function instanceTypes({ hosts, web, bastion }: Pick<StackConfig, "hosts" | "web" | "bastion">): string[] {
    const types = [hosts.instanceType, ...(web.enabled ? [web.instanceType] : []), bastion.instanceType];
    return [...new Set(types)];
}

/** How a host is called and where it is. */
export function placeOf({ name, privateAddress, zone }: Host): Pick<Host, "name" | "privateAddress" | "zone"> {
    return { name, privateAddress, zone };
}

/** `network`: the VPC, its zones and its VSwitches. */
import {
    type Cidr,
    contains,
    overlaps,
    parseCidr,
    splitVpc,
    usableAddresses,
    vpcCidrProblem,
    vswitchCidrProblems,
} from "../components/network/cidr";
import { zoneProblem } from "../components/network/settings";
import type { Problems } from "../components/problems";
import type { Reader, Section } from "./reader";

export interface NetworkConfig {
    /** Range of the VPC. @default "10.0.0.0/16" for a new one */
    readonly cidr: string;
    /** Ids of the zones, or how many of the region's; undefined with existing VSwitches. @default 2 */
    readonly zones?: number | readonly string[];
    /** Ranges of the VSwitches, one per zone. @default computed from `cidr` */
    readonly vswitchCidrs?: readonly string[];
    /** Id of a VPC that exists. @default a new one */
    readonly vpcId?: string;
    /** Ids of VSwitches that exist in it. @default new ones */
    readonly vswitchIds?: readonly string[];
    /** Whether hosts get a way out through a NAT gateway. @default true for a new VPC, false for an existing one */
    readonly natGateway?: boolean;
    /** Ranges that the VPC must not overlap. @default [] */
    readonly reservedCidrs: readonly string[];
}

export const networkKeys = [
    "cidr",
    "zones",
    "vswitchCidrs",
    "reservedCidrs",
    "vpcId",
    "vswitchIds",
    "natGateway",
] as const;

/** @param addressesTaken how many addresses each of so many VSwitches must have room for, besides that of the NAT gateway. */
export function readNetwork(reader: Reader, addressesTaken: (vswitches: number) => readonly number[]): NetworkConfig {
    const { problems } = reader;
    const network = reader.section("network");
    const zones = readZones(reader, network);
    const reservedCidrs = reader.cidrs(network?.["reservedCidrs"], "network.reservedCidrs");
    const vswitchCidrs =
        network?.["vswitchCidrs"] === undefined ? undefined : reader.texts(network, "network.vswitchCidrs");
    const vpcId = reader.text(network, "network.vpcId");
    const given = reader.text(network, "network.cidr");
    const cidr = given ?? "10.0.0.0/16";
    const vswitchIds = network?.["vswitchIds"] === undefined ? undefined : reader.texts(network, "network.vswitchIds");
    const natGateway =
        network?.["natGateway"] === undefined ? undefined : reader.boolean(network, "network.natGateway", true);
    if (vpcId !== undefined && given === undefined) {
        problems.add(
            "network.cidr",
            "is missing: the range of the VPC that network.vpcId names, whose hosts are clients.",
        );
    } else if (vswitchIds === undefined) {
        checkRange(problems, {
            cidr,
            zones,
            reservedCidrs,
            addressesTaken,
            natGateway: natGateway ?? vpcId === undefined,
            vswitchCidrs,
        });
    }
    if (vswitchIds !== undefined) {
        vswitchIds.forEach((id, index) => {
            if (id === "")
                problems.add(`network.vswitchIds[${index}]`, "is empty: name a VSwitch by its id, or leave it out.");
        });
        reader.once("network.vswitchIds", vswitchIds);
        const problem = given === undefined ? undefined : vpcCidrProblem(given);
        if (problem !== undefined) problems.add("network.cidr", problem);
        if (vpcId === undefined) {
            problems.add("network.vswitchIds", "existing VSwitches need the id of their VPC: set network.vpcId.");
        }
        for (const key of ["zones", "vswitchCidrs"]) {
            if (network?.[key] !== undefined) {
                problems.add(`network.${key}`, "existing VSwitches have theirs already: leave it out.");
            }
        }
    }
    return {
        cidr,
        reservedCidrs,
        ...(vswitchIds === undefined ? { zones } : { vswitchIds }),
        ...(vswitchCidrs !== undefined && { vswitchCidrs }),
        ...(vpcId !== undefined && { vpcId }),
        ...(natGateway !== undefined && { natGateway }),
    };
}

/** How many VSwitches there are. */
export function vswitchCount({ zones = 2, vswitchIds }: NetworkConfig): number {
    return vswitchIds?.length ?? (typeof zones === "number" ? zones : zones.length);
}

function checkRange(
    problems: Problems,
    {
        cidr,
        zones,
        reservedCidrs,
        addressesTaken,
        natGateway,
        vswitchCidrs,
    }: {
        readonly cidr: string;
        readonly zones: number | readonly string[];
        readonly reservedCidrs: readonly string[];
        readonly addressesTaken: (vswitches: number) => readonly number[];
        readonly natGateway: boolean;
        readonly vswitchCidrs: readonly string[] | undefined;
    },
): void {
    const problem = vpcCidrProblem(cidr);
    if (problem !== undefined) {
        problems.add("network.cidr", problem);
        return;
    }
    const vpc = parseCidr(cidr)!;
    reservedCidrs.forEach((text, index) => {
        const reserved = parseCidr(text);
        if (reserved !== undefined && overlaps(vpc, reserved)) {
            const how = contains(reserved, vpc) ? "lies within" : "overlaps";
            problems.add(
                `network.reservedCidrs[${index}]`,
                `the VPC's ${cidr} ${how} ${text}: choose another network.cidr.`,
            );
        }
    });
    const zoneCount = vswitchCount({ cidr, zones, reservedCidrs });
    if (zoneCount < 1) return;
    if (vswitchCidrs !== undefined) {
        const wrong = vswitchCidrProblems(vpc, vswitchCidrs);
        for (const { index, reason } of wrong) problems.add(`network.vswitchCidrs[${index}]`, reason);
        if (vswitchCidrs.length !== zoneCount) {
            problems.add(
                "network.vswitchCidrs",
                `${vswitchCidrs.length} ranges for ${zoneCount} zones: give one per zone.`,
            );
        }
        if (wrong.length > 0) return;
    }
    const vswitches: readonly Cidr[] | undefined =
        vswitchCidrs?.map((text) => parseCidr(text)!) ?? splitVpc(vpc, zoneCount);
    if (vswitches === undefined) {
        problems.add("network.zones", `${zoneCount} VSwitches don't fit into ${cidr}: choose a larger network.cidr.`);
        return;
    }
    const taken = addressesTaken(zoneCount).map((count, index) => (natGateway && index === 0 ? count + 1 : count));
    for (const [index, { prefix }] of vswitches.entries()) {
        const [needed = 0, room] = [taken[index], usableAddresses(prefix)];
        if (needed > room) {
            problems.add(
                vswitchCidrs === undefined ? "network.cidr" : `network.vswitchCidrs[${index}]`,
                `VSwitch ${index + 1} of ${zoneCount} has room for ${room} addresses, and hosts, balancer, NAT gateway and file storage take ${needed} there: choose a larger range, or have fewer hosts.`,
            );
        }
    }
}

function readZones(reader: Reader, section: Section | undefined): number | string[] {
    const value = section?.["zones"];
    if (value === undefined) return 2;
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 16) return value;
    if (Array.isArray(value) && value.length > 0 && value.every((zone) => typeof zone === "string")) {
        const region = reader.region ?? "";
        const zones = value;
        reader.once("network.zones", zones);
        zones.forEach((zone, index) => {
            const problem = zone.startsWith(region) ? zoneProblem(zone) : `"${zone}" is not in ${region}.`;
            if (problem !== undefined) reader.problems.add(`network.zones[${index}]`, problem);
        });
        return zones;
    }
    reader.problems.add(
        "network.zones",
        `${JSON.stringify(value)} is neither a number between 1 and 16 nor a list of zone ids.`,
    );
    return 2;
}

import type * as pulumi from "@pulumi/pulumi";

import { Problems } from "../problems";
import { checkName, checkTags } from "../tags";
import type { EgressRule, IngressRule, NetworkArgs } from "./args";
import { contains, formatCidr, overlaps, parseCidr, splitVpc, vpcCidrProblem, vswitchCidrProblems } from "./cidr";

/** {@link NetworkArgs} with everything filled in that can be known before anything exists. */
export interface NetworkSettings {
    readonly cidr: string | undefined;
    readonly zones: number | readonly string[];
    /** One per new VSwitch. */
    readonly vswitchCidrs: readonly string[];
    readonly natGateway: boolean;
    readonly natBandwidth: number;
    readonly rules: readonly RuleSettings[];
}

/** One rule of one security group, with one port range and one peer. */
export interface RuleSettings {
    /** Unique within the network and independent of the order of the rules. */
    readonly name: string;
    readonly role: string;
    readonly direction: "ingress" | "egress";
    readonly policy: "accept" | "drop";
    readonly protocol: string;
    /** As Alibaba Cloud writes it: `22/22`, or `-1/-1` where ports mean nothing. */
    readonly portRange: string;
    /** 1 is asked first, 100 last. */
    readonly priority: number;
    readonly peer: RulePeer;
    readonly description: string;
}

export type RulePeer =
    | { readonly kind: "cidr"; readonly cidr: string }
    | { readonly kind: "role"; readonly role: string }
    | { readonly kind: "securityGroup"; readonly name: string; readonly id: pulumi.Input<string> };

/**
 * Checks what can be checked before anything runs and fills in the defaults. Pure.
 *
 * @throws pulumi.RunError that lists every problem.
 */
export function parseNetworkArgs(name: string, args: NetworkArgs): NetworkSettings {
    const problems = new Problems();
    checkName(problems, name, 48);
    checkTags(problems, args.tags);
    const existing = args.vswitchIds !== undefined;
    const cidr = args.cidr ?? (args.vpcId === undefined ? "10.0.0.0/16" : undefined);
    checkRange(problems, args, cidr);

    const zones = args.zones ?? args.vswitchCidrs?.length ?? 2;
    const zoneCount = typeof zones === "number" ? zones : zones.length;
    if (!Number.isInteger(zoneCount) || zoneCount < 1 || zoneCount > 24) {
        problems.add("zones", `${zoneCount} is not a number of zones: give 1 to 24, or a list of their ids.`);
    } else if (typeof zones !== "number") {
        zones.forEach((zone, index) => {
            const problem = zoneProblem(zone);
            if (problem !== undefined) problems.add(`zones[${index}]`, problem);
            if (zones.indexOf(zone) < index) problems.add(`zones[${index}]`, `"${zone}" is listed twice.`);
        });
    }
    if (existing) {
        checkExistingVSwitches(problems, args);
    }
    const vswitchCidrs = existing ? [] : vswitchRanges(problems, args, cidr, zoneCount);

    const natBandwidth = args.natBandwidth ?? 100;
    if (!Number.isInteger(natBandwidth) || natBandwidth < 1 || natBandwidth > 200) {
        problems.add("natBandwidth", `${natBandwidth} is not a bandwidth from 1 to 200 Mbit/s.`);
    }
    const rules = roleRules(problems, args);
    problems.throwIfAny(`Network "${name}"`);
    return {
        cidr,
        zones,
        vswitchCidrs,
        natGateway: args.natGateway ?? args.vpcId === undefined,
        natBandwidth,
        rules,
    };
}

function checkRange(problems: Problems, args: NetworkArgs, cidr: string | undefined): void {
    const problem = cidr === undefined ? undefined : vpcCidrProblem(cidr);
    if (problem !== undefined) {
        problems.add("cidr", problem);
    }
    const vpc = cidr === undefined ? undefined : parseCidr(cidr);
    args.reservedCidrs?.forEach((text, index) => {
        const reserved = parseCidr(text);
        if (reserved === undefined) {
            problems.add(`reservedCidrs[${index}]`, `"${text}" is not a CIDR block such as 192.168.0.0/24.`);
        } else if (vpc !== undefined && overlaps(vpc, reserved)) {
            problems.add("cidr", `"${formatCidr(vpc)}" overlaps the reserved range ${text}: choose another.`);
        }
    });
}

function checkExistingVSwitches(problems: Problems, args: NetworkArgs): void {
    if (args.vpcId === undefined) {
        problems.add("vswitchIds", "existing VSwitches need the id of their VPC: set vpcId.");
    }
    if (args.vswitchIds?.length === 0) {
        problems.add("vswitchIds", "the list is empty: name at least one VSwitch, or leave it out.");
    }
    for (const property of ["zones", "vswitchCidrs"] as const) {
        if (args[property] !== undefined) {
            problems.add(property, "existing VSwitches have theirs already: leave it out together with vswitchIds.");
        }
    }
}

function vswitchRanges(
    problems: Problems,
    args: NetworkArgs,
    cidr: string | undefined,
    count: number,
): readonly string[] {
    const vpc = cidr === undefined ? undefined : parseCidr(cidr);
    if (args.vswitchCidrs !== undefined) {
        if (args.vswitchCidrs.length !== count) {
            problems.add("vswitchCidrs", `${args.vswitchCidrs.length} ranges for ${count} zones: give one per zone.`);
        }
        for (const { index, reason } of vswitchCidrProblems(vpc, args.vswitchCidrs)) {
            problems.add(`vswitchCidrs[${index}]`, reason);
        }
        return args.vswitchCidrs;
    }
    if (cidr === undefined) {
        problems.add(
            "vswitchCidrs",
            "new VSwitches in an existing VPC need ranges: set vswitchCidrs, or cidr to compute them.",
        );
        return [];
    }
    const split = vpc === undefined ? [] : splitVpc(vpc, count);
    if (split === undefined && vpcCidrProblem(cidr) === undefined) {
        problems.add("cidr", `"${cidr}" is too small for ${count} VSwitches: choose a larger range.`);
    }
    return (split ?? []).map(formatCidr);
}

function roleRules(problems: Problems, args: NetworkArgs): readonly RuleSettings[] {
    const roles = args.roles ?? {};
    const rules = new Map<string, RuleSettings>();
    for (const [role, { ingress = [], egress }] of Object.entries(roles)) {
        if (!/^[a-z][a-z0-9-]{0,31}$/.test(role)) {
            problems.add(`roles["${role}"]`, "a role's name is 1 to 32 lower-case letters, digits and hyphens.");
        }
        checkGroupNames(problems, ingress, `roles.${role}.ingress`);
        const add = (rule: RuleSettings): void => void rules.set(rule.name, rule);
        ingress.forEach((rule, index) =>
            expandRule(problems, roles, role, "ingress", rule, `roles.${role}.ingress[${index}]`).forEach(add),
        );
        egress?.forEach((rule, index) =>
            expandRule(problems, roles, role, "egress", rule, `roles.${role}.egress[${index}]`).forEach(add),
        );
        if (egress !== undefined) {
            // A basic security group lets everything out unless a rule of the lowest priority says otherwise.
            add({
                name: `${role}-egress-else-drop`,
                role,
                direction: "egress",
                policy: "drop",
                protocol: "all",
                portRange: "-1/-1",
                priority: 100,
                peer: { kind: "cidr", cidr: "0.0.0.0/0" },
                description: "everything that no other rule allows",
            });
        }
    }
    return [...rules.values()];
}

/** Notes a name that stands for two security groups: rules are told apart by the names of their groups. */
export function checkGroupNames(problems: Problems, ingress: readonly IngressRule[], path: string): void {
    const known = new Map<string, string>();
    for (const [index, { securityGroups = {} }] of ingress.entries()) {
        for (const [name, id] of Object.entries(securityGroups)) {
            if (typeof id !== "string") continue;
            const first = known.get(name) ?? id;
            known.set(name, first);
            if (first !== id)
                problems.add(
                    `${path}[${index}].securityGroups["${name}"]`,
                    `is ${id}, and ${first} in another rule: give each group a name of its own.`,
                );
        }
    }
}

/** One entry of a role as the rules that Alibaba Cloud knows. Pure; adds to `problems`. */
export function expandRule(
    problems: Problems,
    roles: Readonly<Record<string, unknown>>,
    role: string,
    direction: "ingress" | "egress",
    rule: IngressRule & EgressRule,
    path: string,
): readonly RuleSettings[] {
    const protocol = rule.protocol ?? "tcp";
    const peers: RulePeer[] = [];
    for (const [index, source] of (rule.roles ?? []).entries()) {
        if (!(source in roles)) {
            problems.add(
                `${path}.roles[${index}]`,
                `there is no role "${source}": the roles are ${Object.keys(roles).join(", ")}.`,
            );
        }
        peers.push({ kind: "role", role: source });
    }
    for (const [index, cidr] of (rule.cidrs ?? []).entries()) {
        const parsed = parseCidr(cidr);
        if (parsed === undefined) {
            problems.add(`${path}.cidrs[${index}]`, `"${cidr}" is not a CIDR block whose address fits its mask.`);
        } else if (parsed.prefix === 0 && direction === "ingress" && rule.public !== true) {
            problems.add(
                `${path}.cidrs[${index}]`,
                `"${cidr}" lets everyone in: name the ranges that need it, or set public: true to publish the ports.`,
            );
        }
        peers.push({ kind: "cidr", cidr });
    }
    for (const [name, id] of Object.entries(rule.securityGroups ?? {})) {
        peers.push({ kind: "securityGroup", name, id });
    }
    if (peers.length === 0) {
        problems.add(path, "nobody is named: give roles, cidrs or securityGroups.");
    }
    return portRanges(problems, rule, protocol, path).flatMap((portRange) =>
        peers.map((peer): RuleSettings => {
            const ports = portRange === "-1/-1" ? protocol : `${protocol}-${portLabel(portRange)}`;
            const name = `${role}-${direction}-${ports}-${direction === "ingress" ? "from" : "to"}-${peerLabel(peer)}`;
            return {
                name,
                role,
                direction,
                policy: "accept",
                protocol,
                portRange,
                priority: 1,
                peer,
                description:
                    rule.description ?? `${ports} ${direction === "ingress" ? "from" : "to"} ${peerLabel(peer)}`,
            };
        }),
    );
}

function portRanges(
    problems: Problems,
    { ports }: { readonly ports?: readonly (number | string)[] },
    protocol: string,
    path: string,
): readonly string[] {
    if (protocol !== "tcp" && protocol !== "udp") {
        if (ports !== undefined) {
            problems.add(`${path}.ports`, `${protocol} has no ports: leave them out.`);
        }
        return ["-1/-1"];
    }
    if (ports === undefined || ports.length === 0) {
        problems.add(`${path}.ports`, `${protocol} needs at least one port.`);
        return [];
    }
    return ports.map((port, index) => {
        const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(port));
        const first = Number(match?.[1]);
        const last = Number(match?.[2] ?? match?.[1]);
        if (match === null || first < 1 || last > 65535 || first > last) {
            problems.add(
                `${path}.ports[${index}]`,
                `"${port}" is neither a port from 1 to 65535 nor a range such as 7000-7010.`,
            );
        }
        return `${first}/${last}`;
    });
}

function portLabel(portRange: string): string {
    const [first, last] = portRange.split("/");
    return first === last ? first! : `${first}-${last}`;
}

function peerLabel(peer: RulePeer): string {
    switch (peer.kind) {
        case "role":
            return peer.role;
        case "securityGroup":
            return `group-${peer.name}`;
        case "cidr":
            return peer.cidr.replace("/", "-");
    }
}

/** Whether a range reaches into the VPC; such a range can't be where administrators come from. */
export function withinVpc(vpc: string, cidr: string): boolean {
    const [outer, inner] = [parseCidr(vpc), parseCidr(cidr)];
    return outer !== undefined && inner !== undefined && (contains(outer, inner) || contains(inner, outer));
}

/** Why a text can't be a zone's id; undefined when it can. */
export function zoneProblem(zone: string): string | undefined {
    return /^[a-z]{2}-[a-z0-9-]*[a-z]$/.test(zone) ? undefined : `"${zone}" is not a zone's id such as cn-hangzhou-h.`;
}

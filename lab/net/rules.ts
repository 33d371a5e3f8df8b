/** Security groups as nftables rules. Pure: text out of desired state. */
import type { DesiredNic, DesiredRule, DesiredSecurityGroup } from "../model/desired";
import { isDefault, withTwins } from "./addresses";

/** Members' addresses by security group. */
export type Members = ReadonlyMap<string, readonly string[]>;

/** Name of the set that holds a group's addresses. */
export function groupSet(securityGroupId: string): string {
    return `group_${securityGroupId.replace(/[^A-Za-z0-9]/g, "_")}`;
}

/** Addresses of the interfaces in each group. */
export function groupMembers(nics: readonly DesiredNic[]): Members {
    const members = new Map<string, string[]>();
    for (const nic of nics)
        for (const group of nic.securityGroupIds) {
            const addresses = members.get(group) ?? [];
            addresses.push(nic.primaryIp, ...nic.secondaryIps);
            members.set(group, addresses);
        }
    return members;
}

/**
 * The rules of an interface in `groups` for one direction, first match first. Ingress rules end with `accept` or
 * `drop`; egress rules with `return` in place of `accept`, because the receiving side decides too. What nothing
 * matches is left to the caller.
 */
export function directionRules(
    direction: DesiredRule["direction"],
    groups: readonly DesiredSecurityGroup[],
    known: Members,
): string[] {
    const accept = direction === "ingress" ? "accept" : "return";
    const rules = groups
        .flatMap((group) => group.rules)
        .filter((rule) => rule.direction === direction)
        // Stable, so equal rules keep the order in which they were written.
        .sort((a, b) => a.priority - b.priority || rank(a) - rank(b))
        .flatMap((rule) =>
            ruleLines(rule, known).map((match) => [...match, rule.policy === "drop" ? "drop" : accept].join(" ")),
        );
    const side = direction === "ingress" ? "saddr" : "daddr";
    const intra = groups
        .filter((group) => group.intraGroupAccept)
        .map((group) => `ip ${side} @${groupSet(group.id)} ${accept}`);
    return [...rules, ...intra];
}

function rank(rule: DesiredRule): number {
    return rule.policy === "drop" ? 0 : 1;
}

/** What a rule matches: several matches when it has several peers, none when it can't match IPv4. */
function ruleLines(rule: DesiredRule, known: Members): string[][] {
    const ingress = rule.direction === "ingress";
    const protocol = protocolMatch(rule);
    if (protocol === undefined) return [];
    const own = rule.ownCidr === undefined ? [] : cidrMatch(ingress ? "daddr" : "saddr", rule.ownCidr);
    if (own === undefined) return [];
    return peerMatches(rule, ingress ? "saddr" : "daddr", known).map((peer) => [...peer, ...own, ...protocol]);
}

function peerMatches({ peer }: DesiredRule, side: string, known: Members): string[][] {
    switch (peer.kind) {
        case "group":
            // A group of another VPC has no members here.
            return known.has(peer.securityGroupId) ? [[`ip ${side} @${groupSet(peer.securityGroupId)}`]] : [];
        case "cidr":
            return withTwins([peer.cidr]).flatMap((cidr) => {
                const match = cidrMatch(side, cidr);
                return match ? [match] : [];
            });
        case "cidrs":
            return withTwins(peer.cidrs).flatMap((cidr) => {
                const match = cidrMatch(side, cidr);
                return match ? [match] : [];
            });
    }
}

function cidrMatch(side: string, cidr: string): string[] | undefined {
    if (cidr.includes(":")) return undefined;
    return isDefault(cidr) ? [] : [`ip ${side} ${cidr}`];
}

function protocolMatch(rule: DesiredRule): string[] | undefined {
    switch (rule.protocol) {
        case "all":
            return [];
        case "icmp":
        case "gre":
            return [`meta l4proto ${rule.protocol}`];
        case "icmpv6":
            return undefined;
        case "tcp":
        case "udp": {
            const ports = [
                ...portMatch(rule.protocol, "sport", rule.sourcePorts),
                ...portMatch(rule.protocol, "dport", rule.ports),
            ];
            return ports.length > 0 ? ports : [`meta l4proto ${rule.protocol}`];
        }
    }
}

function portMatch(protocol: string, side: string, ports: DesiredRule["ports"]): string[] {
    if (!ports) return [];
    return [`${protocol} ${side} ${ports.from === ports.to ? ports.from : `${ports.from}-${ports.to}`}`];
}

import type { DesiredNic, DesiredRule, DesiredSecurityGroup } from "../../../lab/model/desired";
import { directionRules, groupMembers } from "../../../lab/net/rules";

const rule = (changes: Partial<DesiredRule> = {}): DesiredRule => ({
    direction: "ingress",
    policy: "accept",
    priority: 1,
    protocol: "all",
    peer: { kind: "cidr", cidr: "0.0.0.0/0" },
    ...changes,
});
const group = (id: string, rules: readonly DesiredRule[], intraGroupAccept = false): DesiredSecurityGroup => ({
    id,
    vpcId: "vpc-1",
    intraGroupAccept,
    rules,
});
const ingress = (...rules: DesiredRule[]): string[] => directionRules("ingress", [group("sg-1", rules)], new Map());
const egress = (...rules: DesiredRule[]): string[] => directionRules("egress", [group("sg-1", rules)], new Map());
const nic = (primaryIp: string, groups: readonly string[], secondaryIps: readonly string[] = []): DesiredNic => ({
    id: `eni-${primaryIp}`,
    vpcId: "vpc-1",
    vswitchId: "vsw-1",
    mac: "00:16:3e:00:00:01",
    primary: true,
    deviceIndex: 0,
    primaryIp,
    secondaryIps,
    securityGroupIds: groups,
});

test.each<[string, Partial<DesiredRule>, string[]]>([
    ["everything", {}, ["accept"]],
    ["a drop", { policy: "drop" }, ["drop"]],
    ["a port", { protocol: "tcp", ports: { from: 22, to: 22 } }, ["tcp dport 22 accept"]],
    ["a range", { protocol: "udp", ports: { from: 100, to: 200 } }, ["udp dport 100-200 accept"]],
    ["all ports of a protocol", { protocol: "tcp" }, ["meta l4proto tcp accept"]],
    [
        "source ports",
        { protocol: "tcp", sourcePorts: { from: 1, to: 9 }, ports: { from: 5, to: 5 } },
        ["tcp sport 1-9 tcp dport 5 accept"],
    ],
    ["icmp", { protocol: "icmp" }, ["meta l4proto icmp accept"]],
    ["gre", { protocol: "gre" }, ["meta l4proto gre accept"]],
    ["IPv6 only protocols, which no interface here speaks", { protocol: "icmpv6" }, []],
    ["IPv6 peers", { peer: { kind: "cidr", cidr: "2001:db8::/32" } }, []],
    ["a source", { peer: { kind: "cidr", cidr: "10.0.0.0/8" } }, ["ip saddr 10.0.0.0/8 accept"]],
    [
        "several sources",
        { peer: { kind: "cidrs", cidrs: ["10.0.0.1/32", "10.0.0.2/32"] } },
        ["ip saddr 10.0.0.1/32 accept", "ip saddr 10.0.0.2/32 accept"],
    ],
    ["the own side", { ownCidr: "10.0.0.5/32" }, ["ip daddr 10.0.0.5/32 accept"]],
    [
        "an EIP, whose packets carry its twin",
        { peer: { kind: "cidr", cidr: "127.77.0.9/32" } },
        ["ip saddr 127.77.0.9/32 accept", "ip saddr 198.19.0.9/32 accept"],
    ],
])("ingress of %s", (_, changes, lines) => {
    expect(ingress(rule(changes))).toEqual(lines);
});

test("egress matches the destination, and leaves the last word to the receiver", () => {
    expect(egress(rule({ direction: "egress", peer: { kind: "cidr", cidr: "10.0.0.0/8" } }))).toEqual([
        "ip daddr 10.0.0.0/8 return",
    ]);
    expect(egress(rule({ direction: "egress", policy: "drop", ownCidr: "10.0.0.5/32" }))).toEqual([
        "ip saddr 10.0.0.5/32 drop",
    ]);
});

test("directions do not mix", () => {
    expect(ingress(rule({ direction: "egress" }))).toEqual([]);
    expect(egress(rule())).toEqual([]);
});

test("a lower number goes first, and a drop before an accept of the same number", () => {
    const port = (number: number, changes: Partial<DesiredRule>): DesiredRule =>
        rule({ protocol: "tcp", ports: { from: number, to: number }, ...changes });
    expect(
        ingress(
            port(1, { priority: 50 }),
            port(2, { priority: 1 }),
            port(3, { priority: 50, policy: "drop" }),
            port(4, { priority: 100, policy: "drop" }),
            port(5, { priority: 50 }),
        ),
    ).toEqual([
        "tcp dport 2 accept",
        "tcp dport 3 drop",
        "tcp dport 1 accept",
        "tcp dport 5 accept",
        "tcp dport 4 drop",
    ]);
});

test("rules of several groups are sorted as if they were one group's", () => {
    const groups = [
        group("sg-1", [rule({ priority: 10 })]),
        group("sg-2", [
            rule({ priority: 10, policy: "drop", protocol: "tcp" }),
            rule({ priority: 5, protocol: "icmp" }),
        ]),
    ];
    expect(directionRules("ingress", groups, new Map())).toEqual([
        "meta l4proto icmp accept",
        "meta l4proto tcp drop",
        "accept",
    ]);
});

test("a group as peer is the set of its members' addresses; one of another VPC has none", () => {
    const known = groupMembers([nic("10.0.0.1", ["sg-peer", "sg-1"], ["10.0.0.7"]), nic("10.0.0.2", ["sg-peer"])]);
    expect(known.get("sg-peer")).toEqual(["10.0.0.1", "10.0.0.7", "10.0.0.2"]);
    const peers = (securityGroupId: string): string[] =>
        directionRules("ingress", [group("sg-1", [rule({ peer: { kind: "group", securityGroupId } })])], known);
    expect(peers("sg-peer")).toEqual(["ip saddr @group_sg_peer accept"]);
    expect(peers("sg-elsewhere")).toEqual([]);
});

test("members of a group reach each other after every rule had its say", () => {
    const groups = [group("sg-1", [rule({ policy: "drop", protocol: "tcp", priority: 100 })], true)];
    expect(directionRules("ingress", groups, new Map())).toEqual([
        "meta l4proto tcp drop",
        "ip saddr @group_sg_1 accept",
    ]);
    expect(directionRules("egress", groups, new Map())).toEqual(["ip daddr @group_sg_1 return"]);
});

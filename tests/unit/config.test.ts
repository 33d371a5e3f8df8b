import { parseConfig } from "../../config";

const minimal = { "alicloud:region": "cn-hangzhou", adminCidrs: '["198.51.100.0/24"]' };

function problemsOf(raw: Record<string, string>): string[] {
    try {
        parseConfig(raw);
    } catch (error) {
        return (error as Error).message.split("\n");
    }
    return [];
}

describe("the stack's configuration", () => {
    it("has defaults for all but the administrators' ranges", () => {
        expect(parseConfig(minimal)).toEqual({
            network: { cidr: "10.0.0.0/16", zones: 2, reservedCidrs: [] },
            adminCidrs: ["198.51.100.0/24"],
            bastion: { instanceType: "ecs.t6-c1m1.large" },
            hosts: { count: 6, instanceType: "ecs.g7.large", deletionProtection: false },
            redis: { masters: 3, replicasPerMaster: 1, port: 7000, maxmemory: "60%", maxmemoryPolicy: "noeviction" },
            tags: {},
        });
    });

    it("makes as many hosts as Redis Cluster has nodes", () => {
        expect(parseConfig({ ...minimal, redis: '{"masters":4,"replicasPerMaster":2}' }).hosts.count).toBe(12);
    });

    it("lists every problem at once, by path, and names the remedy", () => {
        expect(
            problemsOf({
                "alicloud:region": "cn-atlantis",
                adminCidrs: '["0.0.0.0/0", "300.1.1.1/32"]',
                network: '{"cidr":"10.0.0.0/16","reservedCidrs":["10.0.128.0/17"],"zone":2}',
                hosts: '{"count":5,"deletionProtection":"yes"}',
                redis: '{"masters":"three","password":"hunter2"}',
                colour: "blue",
            }),
        ).toEqual([
            "The stack's configuration has 10 problems:",
            "  - network.zone: is not known; `network` has cidr, zones, reservedCidrs.",
            "  - colour: is not a key of this project; there are network, adminCidrs, bastion, hosts, redis, tags.",
            '  - alicloud:region: "cn-atlantis" is not a region of Alibaba Cloud.',
            '  - redis.masters: "three" is not a whole number between 3 and 100.',
            "  - redis.password: a password needs at least 16 characters. Leave it out to have one generated.",
            "  - hosts.count: 5 hosts are too few: 3 masters with 1 replicas each need 6, one server per host.",
            "  - network.reservedCidrs[0]: the VPC's 10.0.0.0/16 overlaps 10.0.128.0/17: choose another network.cidr.",
            '  - adminCidrs[1]: "300.1.1.1/32" is not a CIDR block whose address fits its mask: write one such as 198.51.100.0/24.',
            "  - adminCidrs[0]: would open SSH to the whole internet: name the ranges that you administer from.",
            '  - hosts.deletionProtection: "yes" is neither true nor false.',
        ]);
    });

    it("never shows a password that it refuses", () => {
        expect(problemsOf({ ...minimal, redis: '{"password":"hunter2"}' }).join("\n")).not.toContain("hunter2");
    });

    it.each([
        ["a missing region", { adminCidrs: minimal.adminCidrs }, "alicloud:region: is missing"],
        ["no administrators' range", { "alicloud:region": "cn-hangzhou" }, "adminCidrs: names no range"],
        ["a single value in place of a group", { ...minimal, redis: "7000" }, "redis: is a group of settings"],
        [
            "a public VPC range",
            { ...minimal, network: '{"cidr":"8.8.0.0/16"}' },
            'network.cidr: "8.8.0.0/16" is not private',
        ],
        [
            "more zones than fit",
            { ...minimal, network: '{"cidr":"10.0.0.0/27","zones":8}' },
            "network.zones: 8 VSwitches don't fit",
        ],
        [
            "more hosts than addresses",
            { ...minimal, network: '{"cidr":"10.0.0.0/24"}', hosts: '{"count":40}' },
            "hosts.count: 40 hosts over 2 zones don't fit",
        ],
        [
            "a zone of another region",
            { ...minimal, network: '{"zones":["cn-shanghai-b"]}' },
            'network.zones[0]: "cn-shanghai-b" is not in cn-hangzhou',
        ],
        [
            "a wrong instance type",
            { ...minimal, hosts: '{"instanceType":"m5.large"}' },
            'hosts.instanceType: "m5.large" is not an instance type',
        ],
        ["too much memory", { ...minimal, redis: '{"maxmemory":"95%"}' }, 'redis.maxmemory: "95%" is neither'],
        ["a number as a tag", { ...minimal, tags: '{"team":7}' }, 'tags["team"]: 7 is not text'],
    ])("refuses %s", (_, raw, expected) => {
        expect(problemsOf(raw as Record<string, string>)[1]).toContain(expected);
    });

    it("takes a region that the provider was told not to check", () => {
        expect(
            parseConfig({ ...minimal, "alicloud:region": "cn-new", "alicloud:skipRegionValidation": "true" }).hosts
                .count,
        ).toBe(6);
    });
});

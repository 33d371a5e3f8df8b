import { problemsOf, Recorder, valueOf } from "./recorder";

interface ZoneQuery {
    readonly availableInstanceType?: string;
    readonly availableDiskCategory?: string;
}

const hangzhou = ["cn-hangzhou-k", "cn-hangzhou-h", "cn-hangzhou-i"];
/** Zones of a region by what is asked for in them. */
const inHangzhou = ({ availableInstanceType }: ZoneQuery): string[] =>
    availableInstanceType === undefined ? [...hangzhou, "cn-hangzhou-b"] : hangzhou;
let offering = inHangzhou;
/** Those that have NAT gateways; none is known to. */
let gateways: readonly string[] = [];

const recorder = new Recorder({
    answers: {
        "alicloud:index/getZones:getZones": (query: ZoneQuery) => ({ ids: offering(query) }),
        "alicloud:vpc/getEnhancedNatAvailableZones:getEnhancedNatAvailableZones": () => ({
            ids: gateways.map((id) => `the zone ${id}`),
            zones: gateways.map((zoneId) => ({ zoneId, localName: `the zone ${zoneId}` })),
        }),
    },
});

import * as pulumi from "@pulumi/pulumi";

import { type IngressRule, Network, type NetworkArgs } from "../../../components";
import {
    contains,
    formatCidr,
    overlaps,
    parseCidr,
    requireCidr,
    splitVpc,
    usableAddresses,
    vpcCidrProblem,
    vswitchCidrProblems,
} from "../../../components/network/cidr";

const rule = "alicloud:ecs/securityGroupRule:SecurityGroupRule";
const vswitch = "alicloud:vpc/switch:Switch";
const snat = "alicloud:vpc/snatEntry:SnatEntry";
const attachment = "alicloud:vpc/routeTableAttachment:RouteTableAttachment";
const group = "alicloud:ecs/securityGroup:SecurityGroup";
const tags = (resource: string, more = {}): Record<string, string> => ({
    ...more,
    "multihost:project": "project",
    "multihost:stack": "stack",
    "multihost:resource": resource,
});

beforeEach(() => {
    recorder.clear();
    offering = inHangzhou;
    gateways = [];
});

describe("CIDR blocks", () => {
    test.each([
        ["10.0.0.0/16", { address: 0x0a000000, prefix: 16 }],
        ["0.0.0.0/0", { address: 0, prefix: 0 }],
        ["255.255.255.255/32", { address: 0xffffffff, prefix: 32 }],
    ])("reads %s", (text, cidr) => {
        expect(parseCidr(text)).toEqual(cidr);
        expect(formatCidr(cidr)).toBe(text);
    });

    test.each(["10.0.0.0", "10.0.0.1/16", "10.0.0/8", "256.0.0.0/8", "10.0.0.0/33", "a", "10.0.0.0/8 "])(
        "refuses %p",
        (text) => {
            expect(parseCidr(text)).toBeUndefined();
            expect(() => requireCidr(text)).toThrow(`"${text}" is not a CIDR block such as 10.0.0.0/16.`);
        },
    );

    test("compares ranges", () => {
        const [large, small, other] = ["10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8"].map(requireCidr) as [
            ReturnType<typeof requireCidr>,
            ReturnType<typeof requireCidr>,
            ReturnType<typeof requireCidr>,
        ];
        expect([overlaps(large, small), overlaps(small, large), overlaps(large, other)]).toEqual([true, true, false]);
        expect([contains(large, small), contains(small, large), contains(large, other)]).toEqual([true, false, false]);
    });

    test.each([
        ["10.0.0.0/16", 2, ["10.0.0.0/20", "10.0.16.0/20"]],
        ["10.0.0.0/8", 2, ["10.0.0.0/16", "10.1.0.0/16"]],
        ["192.168.1.0/24", 3, ["192.168.1.0/28", "192.168.1.16/28", "192.168.1.32/28"]],
        ["192.168.1.0/28", 2, ["192.168.1.0/29", "192.168.1.8/29"]],
        ["192.168.1.0/28", 3, undefined],
        ["10.0.0.0/16", 17, undefined],
    ])("splits %s into %i", (text, count, expected) => {
        expect(splitVpc(requireCidr(text), count)?.map(formatCidr)).toEqual(expected);
    });

    test("adding a zone leaves the earlier ranges where they are", () => {
        const vpc = requireCidr("10.0.0.0/16");
        expect(splitVpc(vpc, 3)!.slice(0, 2)).toEqual(splitVpc(vpc, 2));
    });

    test("counts the four addresses that the cloud keeps", () => {
        expect([24, 29, 30].map(usableAddresses)).toEqual([252, 4, 0]);
    });

    test.each([
        ["10.0.0.0/7", '"10.0.0.0/7": the mask of a VPC is between /8 and /28.'],
        ["10.0.0.0/29", '"10.0.0.0/29": the mask of a VPC is between /8 and /28.'],
        ["8.8.8.0/24", '"8.8.8.0/24" is not private: choose a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.'],
        [
            "172.32.0.0/16",
            '"172.32.0.0/16" is not private: choose a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.',
        ],
        [
            "10.0.0.1/16",
            '"10.0.0.1/16" is not a CIDR block whose address fits its mask: write one such as 10.0.0.0/16.',
        ],
        ["172.16.0.0/12", undefined],
    ])("a VPC of %s", (text, problem) => expect(vpcCidrProblem(text)).toBe(problem));

    test("finds what is wrong with VSwitches", () => {
        expect(
            vswitchCidrProblems(requireCidr("10.0.0.0/16"), [
                "10.0.0.0/20",
                "10.0.8.0/21",
                "10.1.0.0/24",
                "10.0.32.0/30",
                "x",
            ]),
        ).toEqual([
            { index: 1, reason: '"10.0.8.0/21" overlaps 10.0.0.0/20.' },
            { index: 2, reason: `"10.1.0.0/24" is not within the VPC's 10.0.0.0/16.` },
            { index: 3, reason: '"10.0.32.0/30": the mask of a VSwitch is between /16 and /29.' },
            { index: 4, reason: '"x" is not a CIDR block whose address fits its mask: write one such as 10.0.0.0/20.' },
        ]);
    });
});

describe("Network", () => {
    test("reports all problems at once, by path", () => {
        expect(
            problemsOf(
                () =>
                    new Network("Main", {
                        cidr: "10.0.0.0/30",
                        zones: ["hangzhou"],
                        natBandwidth: 0,
                        tags: { "acs:x": "1", "multihost:stack": "x" },
                        roles: {
                            data: {
                                ingress: [
                                    { ports: [22], cidrs: ["0.0.0.0/0"] },
                                    { ports: [0, "9-1"], roles: ["nobody"] },
                                    { protocol: "icmp", ports: [1], cidrs: ["10.0.0.1/8"] },
                                    { ports: [1] },
                                    { roles: ["data"] },
                                ],
                            },
                        },
                    }),
            ),
        ).toEqual([
            'Network "Main" has 14 problems:',
            '  - name: "Main" can\'t name resources: up to 48 lower-case letters, digits and single hyphens, beginning with a letter.',
            `  - tags["acs:x"]: a key has 1 to 128 characters, doesn't start with aliyun or acs: and holds no http:// or https://.`,
            '  - tags["multihost:stack"]: keys that start with multihost: are set by the components.',
            '  - cidr: "10.0.0.0/30": the mask of a VPC is between /8 and /28.',
            '  - zones[0]: "hangzhou" is not a zone\'s id such as cn-hangzhou-h.',
            "  - natBandwidth: 0 is not a bandwidth from 1 to 200 Mbit/s.",
            '  - roles.data.ingress[0].cidrs[0]: "0.0.0.0/0" lets everyone in: name the ranges that need it, or set public: true to publish the ports.',
            '  - roles.data.ingress[1].roles[0]: there is no role "nobody": the roles are data.',
            '  - roles.data.ingress[1].ports[0]: "0" is neither a port from 1 to 65535 nor a range such as 7000-7010.',
            '  - roles.data.ingress[1].ports[1]: "9-1" is neither a port from 1 to 65535 nor a range such as 7000-7010.',
            '  - roles.data.ingress[2].cidrs[0]: "10.0.0.1/8" is not a CIDR block whose address fits its mask.',
            "  - roles.data.ingress[2].ports: icmp has no ports: leave them out.",
            "  - roles.data.ingress[3]: nobody is named: give roles, cidrs or securityGroups.",
            "  - roles.data.ingress[4].ports: tcp needs at least one port.",
        ]);
    });

    test("creates a VPC with a VSwitch per zone, ranges computed, tags on everything", async () => {
        const network = new Network("main", {
            cidr: "10.20.0.0/16",
            zones: ["cn-hangzhou-h", "cn-hangzhou-i"],
            tags: { team: "data" },
        });
        await recorder.settled();
        expect(recorder.find("alicloud:vpc/network:Network", "main").inputs).toEqual({
            vpcName: "main",
            cidrBlock: "10.20.0.0/16",
            tags: tags("main", { team: "data" }),
        });
        expect(recorder.find(vswitch, "main-cn-hangzhou-i").inputs).toEqual({
            vpcId: "main-id",
            vswitchName: "main-cn-hangzhou-i",
            cidrBlock: "10.20.16.0/20",
            zoneId: "cn-hangzhou-i",
            tags: tags("main-cn-hangzhou-i", { team: "data" }),
        });
        expect(await valueOf(network.vpcId)).toBe("main-id");
        expect(network.vswitches).toHaveLength(2);
        const tagged = [
            "alicloud:vpc/network:Network",
            vswitch,
            "alicloud:vpc/natGateway:NatGateway",
            "alicloud:ecs/eipAddress:EipAddress",
        ];
        for (const { type, inputs } of recorder.resources) {
            if (tagged.includes(type)) expect(inputs["tags"]).toMatchObject({ team: "data" });
        }
    });

    test("looks zones up and keeps VSwitches where they are when the list changes", async () => {
        new Network("main", { zones: 2, instanceType: "ecs.g7.large" }, recorder.watched);
        await recorder.settled();
        const forVSwitches = { availableResourceCreation: "VSwitch" };
        const asked = recorder.calls.map(({ token, inputs }) => [token, inputs]);
        expect(new Set(asked)).toEqual(
            new Set([
                ["alicloud:index/getZones:getZones", { ...forVSwitches, availableInstanceType: "ecs.g7.large" }],
                ["alicloud:index/getZones:getZones", { ...forVSwitches, availableDiskCategory: "cloud_essd" }],
                ["alicloud:vpc/getEnhancedNatAvailableZones:getEnhancedNatAvailableZones", {}],
            ]),
        );
        expect(recorder.find(vswitch, "main-1").inputs["zoneId"]).toBe("cn-hangzhou-h");
        expect(recorder.options(vswitch, "main-1").ignoreChanges).toEqual(["zoneId"]);
    });

    test("goes on where a zone has stopped offering the instance type, which is nothing to VSwitches that are there", async () => {
        const logged = jest.spyOn(pulumi.log, "warn").mockImplementation(() => Promise.resolve());
        new Network("main", { zones: 4, instanceType: "ecs.g7.large" }, recorder.watched);
        await recorder.settled();
        expect(logged).toHaveBeenCalledWith(
            expect.stringContaining("this region has 3 zones that offer ecs.g7.large, encrypted ESSDs, not 4"),
            expect.anything(),
        );
        expect(["main-1", "main-4"].map((name) => recorder.find(vswitch, name).inputs["zoneId"])).toEqual([
            "cn-hangzhou-h",
            "cn-hangzhou-b",
        ]);
        logged.mockRestore();
    });

    /** Where the VSwitches of a number of zones would be made. */
    const zonesOf = async (args: NetworkArgs & { readonly zones: number }): Promise<unknown[]> => {
        recorder.clear();
        new Network("main", args, recorder.watched);
        await recorder.settled();
        return Array.from({ length: args.zones }, (_, index) => {
            const name = `main-${index + 1}`;
            // One that is there stays, whatever would be found today.
            expect(recorder.options(vswitch, name).ignoreChanges).toEqual(["zoneId"]);
            return recorder.find(vswitch, name).inputs["zoneId"];
        });
    };
    const zones = (letters: string, region = "cn-hangzhou-"): string[] =>
        Array.from(letters, (letter) => `${region}${letter}`);

    test("takes zones that offer every instance type and disks, and where there are too few, those that offer most", async () => {
        const logged = jest.spyOn(pulumi.log, "warn").mockImplementation(() => Promise.resolve());
        const offers: Record<string, string> = { "ecs.g7.large": "bcdefg", "ecs.t6-c1m1.large": "acdefg" };
        offering = ({ availableInstanceType: type, availableDiskCategory }) =>
            zones(
                type === undefined
                    ? availableDiskCategory === undefined
                        ? "abcdefg"
                        : "abdefg"
                    : (offers[type] ?? ""),
            );
        const instanceType = ["ecs.g7.large", "ecs.t6-c1m1.large"];
        expect(await zonesOf({ zones: 2, instanceType })).toEqual(zones("de"));
        expect(await zonesOf({ zones: 1, instanceType: "ecs.g7.large" })).toEqual(zones("b"));
        expect(await zonesOf({ zones: 1 })).toEqual(zones("a"));
        expect(logged).not.toHaveBeenCalled();
        offers["ecs.c7.large"] = "bf";
        expect(await zonesOf({ zones: 3, instanceType: [...instanceType, "ecs.c7.large"] })).toEqual(zones("fbd"));
        expect(logged).toHaveBeenCalledWith(
            expect.stringContaining(
                "1 zones that offer ecs.g7.large, ecs.t6-c1m1.large, ecs.c7.large, encrypted ESSDs, not 3.",
            ),
            expect.anything(),
        );
        // A type that is no longer on sale anywhere is nothing to hosts that are there.
        expect(await zonesOf({ zones: 2, instanceType: [...instanceType, "ecs.n1.small"] })).toEqual(zones("de"));
        logged.mockRestore();
    });

    test("makes the first VSwitch, which gets the NAT gateway, in a zone that has any", async () => {
        gateways = zones("ik");
        expect(await zonesOf({ zones: 2 })).toEqual(zones("ib"));
        expect(await zonesOf({ zones: 2, natGateway: false })).toEqual(zones("bh"));
        // Hosts stand there, too.
        gateways = zones("b");
        expect(await zonesOf({ zones: 2, instanceType: "ecs.g7.large" })).toEqual(zones("hi"));
    });

    test.each([
        ["cn-hongkong-", "bcd", "d", "bc"],
        ["ap-southeast-1", "abc", "a", "bc"],
    ])(
        "passes over the zone of %s that encrypts no system disk while an instance is made",
        async (region, all, without, taken) => {
            offering = () => zones(all, region);
            // By which it would come first.
            gateways = zones(without, region);
            expect(await zonesOf({ zones: 2 })).toEqual(zones(taken, region));
        },
    );

    test("keeps the VSwitches of a number of zones that are named later", async () => {
        new Network("main", { zones: ["cn-hangzhou-h", "cn-hangzhou-i"] }, recorder.watched);
        await recorder.settled();
        expect(recorder.options(vswitch, "main-cn-hangzhou-i").aliases).toEqual([{ name: "main-2" }]);
    });

    test("gives a way out through one NAT gateway", async () => {
        const network = new Network(
            "main",
            { zones: ["cn-hangzhou-h", "cn-hangzhou-i"], natBandwidth: 50 },
            recorder.watched,
        );
        await recorder.settled();
        expect(recorder.find("alicloud:vpc/natGateway:NatGateway", "main-nat").inputs).toMatchObject({
            natType: "Enhanced",
            vswitchId: "main-cn-hangzhou-h-id",
        });
        expect(recorder.find("alicloud:ecs/eipAddress:EipAddress", "main-nat").inputs).toMatchObject({
            bandwidth: "50",
        });
        expect(recorder.find(snat, "main-nat-cn-hangzhou-i").inputs).toMatchObject({
            snatTableId: "stb-1",
            sourceVswitchId: "main-cn-hangzhou-i-id",
            snatIp: "198.51.100.1-main-nat",
        });
        expect(recorder.options("alicloud:ecs/eipAssociation:EipAssociation", "main-nat").deleteBeforeReplace).toBe(
            true,
        );
        // It can't move when another VSwitch becomes the first.
        expect(recorder.options("alicloud:vpc/natGateway:NatGateway", "main-nat").ignoreChanges).toEqual(["vswitchId"]);
        expect(network.outbound).toHaveLength(2);
    });

    test("lets in what the rules name and nothing else, not even between members", async () => {
        const network = new Network("main", {
            natGateway: false,
            roles: {
                bastion: {},
                data: {
                    ingress: [
                        { ports: [22, "7000-7010"], roles: ["bastion", "data"] },
                        { protocol: "icmp", roles: ["data"] },
                        { ports: [443], cidrs: ["0.0.0.0/0"], public: true, description: "the site" },
                        { protocol: "all", securityGroups: { monitoring: pulumi.output("sg-other") } },
                    ],
                    egress: [{ ports: [443], cidrs: ["0.0.0.0/0"] }],
                },
            },
        });
        await recorder.settled();
        expect(recorder.find(group, "main-data").inputs).toMatchObject({ innerAccessPolicy: "Drop", vpcId: "main-id" });
        expect(recorder.names(group)).toEqual(["main-bastion", "main-data", "main-data-members"]);
        // The cloud refuses a group as the source of its own rules.
        for (const { type, inputs } of recorder.resources) {
            if (type === rule) expect(inputs["sourceSecurityGroupId"]).not.toBe(inputs["securityGroupId"]);
        }
        expect(recorder.find(rule, "main-data-ingress-icmp-from-data").inputs).toMatchObject({
            securityGroupId: "main-data-id",
            sourceSecurityGroupId: "main-data-members-id",
        });
        expect(await Promise.all(network.memberships["data"]!.map(valueOf))).toEqual([
            "main-data-id",
            "main-data-members-id",
        ]);
        expect(await Promise.all(network.memberships["bastion"]!.map(valueOf))).toEqual(["main-bastion-id"]);
        expect(recorder.names(rule)).toEqual([
            "main-data-egress-else-drop",
            "main-data-egress-tcp-443-to-0.0.0.0-0",
            "main-data-ingress-all-from-group-monitoring",
            "main-data-ingress-icmp-from-data",
            "main-data-ingress-tcp-22-from-bastion",
            "main-data-ingress-tcp-22-from-data",
            "main-data-ingress-tcp-443-from-0.0.0.0-0",
            "main-data-ingress-tcp-7000-7010-from-bastion",
            "main-data-ingress-tcp-7000-7010-from-data",
        ]);
        expect(recorder.find(rule, "main-data-ingress-tcp-7000-7010-from-bastion").inputs).toEqual({
            securityGroupId: "main-data-id",
            sourceSecurityGroupId: "main-bastion-id",
            type: "ingress",
            ipProtocol: "tcp",
            portRange: "7000/7010",
            policy: "accept",
            priority: 1,
            nicType: "intranet",
            description: "tcp-7000-7010 from bastion",
        });
        expect(recorder.find(rule, "main-data-ingress-all-from-group-monitoring").inputs).toMatchObject({
            sourceSecurityGroupId: "sg-other",
            portRange: "-1/-1",
        });
        expect(recorder.find(rule, "main-data-egress-else-drop").inputs).toMatchObject({
            policy: "drop",
            priority: 100,
        });
    });

    test("has a rule once, whoever asks for it, and as long as anybody does", async () => {
        const shared = "main-bastion-ingress-tcp-22-from-198.51.100.0-24";
        const rulesFor = async (askers: readonly string[], ingress: readonly IngressRule[] = []) => {
            recorder.clear();
            const network = new Network(
                "main",
                { natGateway: false, roles: { bastion: { ingress } } },
                recorder.watched,
            );
            const asked = [{ ports: [22], cidrs: ["198.51.100.0/24"], description: "administrators" }];
            const rules = askers.flatMap((name) => {
                const asker = new pulumi.ComponentResource("test:index:Asker", name, {}, recorder.watched);
                const allow = () => network.allow("bastion", asked, asker, name);
                // Asked twice, it changes nothing.
                return [...allow(), ...allow()];
            });
            await recorder.settled();
            expect(new Set([...rules, ...network.rulesOf("bastion")]).size).toBe(1);
            const found = recorder.observed.find(({ type, name }) => type === rule && name === shared)!;
            return { urn: await valueOf(found.resource.urn), inputs: recorder.find(rule, shared).inputs };
        };
        const both = await rulesFor(["one", "two"]);
        expect(both.urn).toContain("::multihost:network:Network$");
        expect(both.inputs).toMatchObject({ cidrIp: "198.51.100.0/24", portRange: "22/22" });
        expect(recorder.names(rule)).toEqual([shared, shared.replace("main", "one"), shared.replace("main", "two")]);
        for (const asker of ["one", "two"]) {
            const name = shared.replace("main", asker);
            // What each of them had of its own is let go of, and the cloud's one rule stays.
            expect(recorder.options(rule, name)).toMatchObject({ retainOnDelete: true, aliases: [{ name: shared }] });
            expect(recorder.find(rule, name).inputs).toEqual(both.inputs);
        }
        expect(recorder.options(rule, shared).retainOnDelete).toBeUndefined();
        expect(await rulesFor(["two"])).toEqual(both);
        const given = [{ ports: [22], cidrs: ["198.51.100.0/24"], description: "administrators" }];
        expect(await rulesFor([], given)).toEqual(both);
        expect(await rulesFor(["one"], given)).toEqual(both);
    });

    test("a rule for other security groups is the asker's own", async () => {
        const network = new Network("main", { natGateway: false, roles: { data: {} } });
        for (const name of ["one", "two"]) {
            const asker = new pulumi.ComponentResource("test:index:Asker", name, {}, recorder.watched);
            network.allow("data", [{ ports: [9100], securityGroups: { monitoring: `sg-${name}` } }], asker, name);
        }
        await recorder.settled();
        const names = ["one", "two"].map((name) => `${name}-data-ingress-tcp-9100-from-group-monitoring`);
        expect(recorder.names(rule)).toEqual(names);
        expect(names.map((name) => recorder.find(rule, name).inputs["sourceSecurityGroupId"])).toEqual([
            "sg-one",
            "sg-two",
        ]);
        for (const name of names) expect(recorder.options(rule, name).retainOnDelete).toBeUndefined();
        expect(network.rulesOf("data")).toHaveLength(2);
    });

    test("lets in the group that a rule names, whatever another rule calls so, and refuses one name for two groups", async () => {
        const [one, two] = [pulumi.output("sg-one"), pulumi.output("sg-two")];
        const ingress = [
            { ports: [9100], securityGroups: { office: one } },
            { ports: [9200], securityGroups: { office: two } },
        ];
        new Network("main", { natGateway: false, roles: { data: { ingress } } });
        await recorder.settled();
        const sourceOf = (port: number): unknown =>
            recorder.find(rule, `main-data-ingress-tcp-${port}-from-group-office`).inputs["sourceSecurityGroupId"];
        expect([sourceOf(9100), sourceOf(9200)]).toEqual(["sg-one", "sg-two"]);
        const known = [
            { ports: [9100], securityGroups: { office: "sg-one", other: "sg-three" } },
            { ports: [9100, 9200], securityGroups: { office: "sg-two", other: "sg-three" } },
        ];
        const problem =
            'ingress[1].securityGroups["office"]: is sg-two, and sg-one in another rule: give each group a name of its own.';
        expect(problemsOf(() => new Network("main", { roles: { data: { ingress: known } } })).slice(1)).toEqual([
            `  - roles.data.${problem}`,
        ]);
        const network = new Network("main", { natGateway: false, roles: { data: {} } });
        expect(problemsOf(() => network.allow("data", known, network, "asker")).slice(1)).toEqual([`  - ${problem}`]);
    });

    test("refuses a zone that is listed twice", () => {
        const zones = ["cn-hangzhou-h", "cn-hangzhou-i", "cn-hangzhou-h"];
        expect(problemsOf(() => new Network("main", { zones })).slice(1)).toEqual([
            '  - zones[2]: "cn-hangzhou-h" is listed twice.',
        ]);
    });

    test("opens nothing by default", async () => {
        new Network("main", { roles: { data: {} } });
        await recorder.settled();
        expect(recorder.names(rule)).toEqual([]);
    });

    test("the order of rules doesn't matter to their names", async () => {
        const rules = [
            { ports: [22], cidrs: ["10.9.0.0/16"] },
            { ports: [80], cidrs: ["10.9.0.0/16"] },
        ];
        new Network("main", { roles: { data: { ingress: rules } } });
        await recorder.settled();
        const before = recorder.names(rule);
        recorder.clear();
        new Network("main", { roles: { data: { ingress: [...rules].reverse() } } });
        await recorder.settled();
        expect(recorder.names(rule)).toEqual(before);
    });

    test("adopts a VPC, its VSwitches and a security group, and creates nothing beside them", async () => {
        const network = new Network("main", {
            vpcId: "vpc-1",
            vswitchIds: ["vsw-1"],
            roles: { data: { securityGroupId: "sg-1" } },
        });
        await recorder.settled();
        expect(recorder.resources.map(({ type, name }) => [type, name])).toEqual([[vswitch, "main-1"]]);
        expect(await valueOf(network.vpcId)).toBe("vpc-1");
        expect(await valueOf(network.vswitches[0]!.id)).toBe("vsw-1");
        expect(await valueOf(network.securityGroupIds["data"]!)).toBe("sg-1");
    });

    test("refuses what contradicts an adopted VPC", () => {
        expect(problemsOf(() => new Network("main", { vswitchIds: ["vsw-1"], zones: 2 }))).toEqual([
            'Network "main" has 2 problems:',
            "  - vswitchIds: existing VSwitches need the id of their VPC: set vpcId.",
            "  - zones: existing VSwitches have theirs already: leave it out together with vswitchIds.",
        ]);
        expect(problemsOf(() => new Network("main", { vpcId: "vpc-1" }))).toEqual([
            'Network "main" has 1 problem:',
            "  - vswitchCidrs: new VSwitches in an existing VPC need ranges: set vswitchCidrs, or cidr to compute them.",
        ]);
    });

    test("has a route table of its own when asked, with the route that only the system table gets by itself", async () => {
        new Network("main", { zones: ["cn-hangzhou-h"], ownRouteTable: true });
        await recorder.settled();
        expect(recorder.find("alicloud:vpc/routeEntry:RouteEntry", "main-nat").inputs).toEqual({
            routeTableId: "main-id",
            destinationCidrblock: "0.0.0.0/0",
            nexthopType: "NatGateway",
            nexthopId: "main-nat-id",
        });
        expect(recorder.find(attachment, "main-cn-hangzhou-h").inputs["vswitchId"]).toBe("main-cn-hangzhou-h-id");
    });

    const ofVSwitches = async (args: Partial<NetworkArgs>): Promise<Map<string, unknown>> => {
        recorder.clear();
        new Network("main", { ownRouteTable: true, ...args }, recorder.watched);
        await recorder.settled();
        return new Map(
            recorder.resources
                .filter(({ type }) => [vswitch, snat, attachment].includes(type))
                .map(({ type, name, inputs }) => [`${type} ${name}`, inputs]),
        );
    };

    test("a zone goes from the middle and leaves what the others have, once their ranges are named", async () => {
        const all = await ofVSwitches({ zones: ["cn-hangzhou-h", "cn-hangzhou-i", "cn-hangzhou-j"] });
        // What earlier versions called them.
        expect(recorder.options(snat, "main-nat-cn-hangzhou-j").aliases).toEqual([{ name: "main-nat-3" }]);
        expect(recorder.options(attachment, "main-cn-hangzhou-j").aliases).toEqual([{ name: "main-3" }]);
        const ranges = ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"];
        expect(
            await ofVSwitches({ zones: ["cn-hangzhou-h", "cn-hangzhou-i", "cn-hangzhou-j"], vswitchCidrs: ranges }),
        ).toEqual(all);
        const left = await ofVSwitches({
            zones: ["cn-hangzhou-h", "cn-hangzhou-j"],
            vswitchCidrs: [ranges[0]!, ranges[2]!],
        });
        expect(left).toEqual(new Map([...all].filter(([name]) => !name.endsWith("cn-hangzhou-i"))));
        expect(left.size).toBe(6);
    });

    test("so does an adopted VSwitch, by its id where that is known", async () => {
        const ids = ["vsw-a", "vsw-b", "vsw-c"];
        const adopt = async (vswitchIds: readonly pulumi.Input<string>[]) => {
            const found = await ofVSwitches({ vpcId: "vpc-1", vswitchIds, natGateway: true });
            return new Map([...found].filter(([name]) => !name.startsWith(vswitch)));
        };
        const all = await adopt(ids);
        expect(recorder.options(snat, "main-nat-vsw-c").aliases).toEqual([{ name: "main-nat-3" }]);
        for (const id of ids.slice(0, 2)) {
            const left = new Map([...all].filter(([name]) => !name.endsWith(id)));
            expect(await adopt(ids.filter((other) => other !== id))).toEqual(left);
        }
        await adopt(["vsw-a", pulumi.output("vsw-b")]);
        expect(recorder.names(snat)).toEqual(["main-nat-2", "main-nat-vsw-a"]);
    });

    test("transformations and the provider reach every child", async () => {
        new Network(
            "main",
            {
                zones: ["cn-hangzhou-h"],
                ownRouteTable: true,
                roles: { data: { ingress: [{ ports: [1], roles: ["data"] }] } },
            },
            recorder.watched,
        );
        await recorder.settled();
        const seen = recorder.observed.map(({ type, name }) => `${type} ${name}`);
        for (const { type, name } of recorder.resources) expect(seen).toContain(`${type} ${name}`);
        for (const { resource, type } of recorder.observed) {
            if (type.startsWith("alicloud:")) {
                expect(await valueOf(resource.urn)).toContain("::multihost:network:Network$alicloud:");
            }
        }
    });
});

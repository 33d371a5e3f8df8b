import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { policies } from "../../../policy/policies";
import { check, unknownAt, type Subject } from "./check";

const INSTANCE = "alicloud:ecs/instance:Instance";
const INSTANCE_SET = "alicloud:ecs/ecsInstanceSet:EcsInstanceSet";
const SCALING = "alicloud:ess/scalingConfiguration:ScalingConfiguration";
const TAIR = "alicloud:redis/tairInstance:TairInstance";
const RDS = "alicloud:rds/instance:Instance";
const RDS_CLONE = "alicloud:rds/rdsCloneDbInstance:RdsCloneDbInstance";
const RDS_READ_ONLY = "alicloud:rds/readOnlyInstance:ReadOnlyInstance";
const RDS_RECOVERY = "alicloud:rds/ddrInstance:DdrInstance";
const RULE = "alicloud:ecs/securityGroupRule:SecurityGroupRule";
const ASSOCIATION = "alicloud:ecs/eipAssociation:EipAssociation";
const DISK = "alicloud:ecs/ecsDisk:EcsDisk";
const FILE_SYSTEM = "alicloud:nas/fileSystem:FileSystem";
const EIP = "alicloud:ecs/eipAddress:EipAddress";
const COMMAND = "command:remote:Command";
const BASTION = "multihost:compute:Bastion";
const POOL = "multihost:compute:NodePool";

const rule = (props: Record<string, unknown>): Subject => ({
    type: RULE,
    props: { type: "ingress", policy: "accept", ipProtocol: "tcp", portRange: "22/22", ...props },
});

describe("published-ports", () => {
    test("passes the published ports, named ranges, pings, ways out and refusals", async () => {
        expect(
            await check("published-ports", [
                rule({ cidrIp: "0.0.0.0/0", portRange: "443/443" }),
                rule({ ipv6CidrIp: "::/0", portRange: "80/80" }),
                rule({ cidrIp: "203.0.113.0/24" }),
                rule({ sourceSecurityGroupId: "sg-1" }),
                rule({ cidrIp: "0.0.0.0/0", ipProtocol: "icmp", portRange: "-1/-1" }),
                rule({ cidrIp: "0.0.0.0/0", type: "egress", ipProtocol: "all", portRange: "-1/-1" }),
                rule({ cidrIp: "0.0.0.0/0", policy: "drop", ipProtocol: "all", portRange: "-1/-1" }),
            ]),
        ).toEqual([]);
    });

    test("reports any other port, a range around a published one, and all protocols", async () => {
        const said = await check("published-ports", [
            rule({ cidrIp: "0.0.0.0/0" }),
            rule({ ipv6CidrIp: "::/0" }),
            rule({ cidrIp: "0.0.0.0/0", portRange: "80/443" }),
            rule({ cidrIp: "0.0.0.0/0", ipProtocol: "all", portRange: "-1/-1" }),
        ]);
        expect(said).toHaveLength(4);
        expect(said[0]).toMatch(/tcp port 22; published are 80, 443/);
        expect(said[3]).toMatch(/all ports 1 to 65535/);
    });

    test.each([
        { cidrIp: "10.0.0.0/0" },
        { cidrIp: "0.0.0.0/1" },
        { cidrIp: "128.0.0.0/1" },
        { cidrIp: "8.0.0.0/7" },
        // Half of it is private.
        { cidrIp: "10.0.0.0/7" },
        { cidrIp: "anywhere" },
        { ipv6CidrIp: "0::/0" },
        { ipv6CidrIp: "0:0:0:0:0:0:0:0/0" },
        { ipv6CidrIp: "::0.0.0.0/0" },
        { ipv6CidrIp: "2000::/3" },
        { ipv6CidrIp: "2400::/12" },
        { ipv6CidrIp: "1::2::3/64" },
    ])("knows the whole world in other words: %j", async (range) => {
        expect(await check("published-ports", [rule(range)])).toEqual([
            expect.stringContaining(`admits the whole world (${Object.values(range)[0]}) to tcp port 22`),
        ]);
        expect(await check("published-ports", [rule({ ...range, portRange: "443/443" })])).toEqual([]);
    });

    test.each([
        { cidrIp: "10.0.0.0/8" },
        { cidrIp: "172.16.0.0/12" },
        { cidrIp: "100.64.0.0/10" },
        { cidrIp: "9.0.0.0/8" },
        { cidrIp: "203.0.113.7" },
        { ipv6CidrIp: "fc00::/7" },
        { ipv6CidrIp: "FD00::/8" },
        { ipv6CidrIp: "2001:db8:1:2:3:4:5:6/128" },
        { ipv6CidrIp: "2001:db8::/32" },
        { ipv6CidrIp: "" },
    ])("passes a range that is private, or of one holder: %j", async (range) => {
        expect(await check("published-ports", [rule(range)])).toEqual([]);
    });

    test("takes the width that the team calls the world", async () => {
        const wide = [rule({ cidrIp: "9.0.0.0/8" }), rule({ ipv6CidrIp: "2001:db8::/32" })];
        expect(await check("published-ports", wide, { ipv4Prefix: 16, ipv6Prefix: 48 })).toHaveLength(2);
        const world = [rule({ cidrIp: "0.0.0.0/1" }), rule({ ipv6CidrIp: "2000::/3" })];
        expect(await check("published-ports", world, { ipv4Prefix: 1, ipv6Prefix: 3 })).toEqual([]);
    });

    test("passes prefix lists of named ranges, and reports one with the world in it, which shows no ports", async () => {
        const lists = (cidr?: string): Subject[] => [
            { type: "alicloud:vpc/prefixList:PrefixList", props: { entrys: [{ cidr: "203.0.113.0/24" }, { cidr }] } },
            {
                type: "alicloud:ecs/ecsPrefixList:EcsPrefixList",
                props: { entries: [{ cidr: "203.0.113.0/24" }, { cidr }] },
            },
        ];
        expect(await check("published-ports", [...lists("10.0.0.0/8"), ...lists()])).toEqual([]);
        expect(await check("published-ports", [{ type: "alicloud:vpc/prefixList:PrefixList" }])).toEqual([]);
        expect(await check("published-ports", lists("0.0.0.0/0"))).toEqual([
            expect.stringContaining("has the whole world in it (0.0.0.0/0)"),
            expect.stringContaining("has the whole world in it (0.0.0.0/0)"),
        ]);
    });

    test("takes the ports that the team publishes", async () => {
        const ssh = [rule({ cidrIp: "0.0.0.0/0", portRange: "8443/8443" })];
        expect(await check("published-ports", ssh, { ports: [8443] })).toEqual([]);
        const two = [rule({ cidrIp: "0.0.0.0/0", portRange: "80/81" })];
        expect(await check("published-ports", two, { ports: [81, 80, 80] })).toEqual([]);
        expect(await check("published-ports", two, { ports: [80, 82] })).toHaveLength(1);
    });
});

describe("public-addresses", () => {
    test("passes a bastion's, a NAT gateway's, and hosts without one", async () => {
        expect(
            await check("public-addresses", [
                { type: ASSOCIATION, within: [BASTION], props: { instanceType: "EcsInstance" } },
                {
                    type: ASSOCIATION,
                    props: { instanceType: "Nat", instanceId: "ngw-1" },
                    boundTo: ["alicloud:vpc/natGateway:NatGateway"],
                },
                { type: INSTANCE, props: { internetMaxBandwidthOut: 0 } },
                { type: INSTANCE },
            ]),
        ).toEqual([]);
    });

    test("reports a host's, also while only the update knows which host", async () => {
        const said = await check("public-addresses", [
            { type: INSTANCE, name: "web-1", props: { internetMaxBandwidthOut: 10 } },
            { type: INSTANCE, name: "web-4", props: unknownAt("internetMaxBandwidthOut") },
            { type: ASSOCIATION, name: "web-2", props: unknownAt("instanceId"), boundTo: [INSTANCE] },
            { type: ASSOCIATION, name: "web-3", props: { instanceId: "i-bp1" } },
        ]);
        expect(said.map((message) => message.split(":")[0])).toEqual(["web-1", "web-2", "web-3"]);
    });

    test("reports one on a network interface or a shared address, and hosts made from a description", async () => {
        const associations: [Record<string, unknown>, string?][] = [
            [unknownAt("instanceId", { instanceType: "NetworkInterface" })],
            [{ instanceType: "HaVip" }],
            [{ instanceId: "eni-bp1" }],
            [{ instanceId: "havip-bp1" }],
            [{}, "alicloud:ecs/ecsNetworkInterface:EcsNetworkInterface"],
            [{}, "alicloud:vpc/haVipv2:HaVipv2"],
            [{}, "alicloud:vpc/hAVip:HAVip"],
            [unknownAt("instanceId"), INSTANCE_SET],
        ];
        const bound = associations.map(([props, to]): Subject => ({
            type: ASSOCIATION,
            props,
            ...(to && { boundTo: [to] }),
        }));
        expect(await check("public-addresses", bound)).toHaveLength(associations.length);
        const group = (type: string, internetMaxBandwidthOut: number): Subject => ({
            type,
            props: { internetMaxBandwidthOut },
        });
        const templates = [
            "alicloud:ecs/ecsLaunchTemplate:EcsLaunchTemplate",
            "alicloud:ecs/launchTemplate:LaunchTemplate",
        ];
        for (const type of [INSTANCE_SET, SCALING, ...templates])
            expect(await check("public-addresses", [group(type, 10), group(type, 0)])).toHaveLength(1);
    });

    test("reports ports that a gateway forwards to a host, and an IPv6 address with a way to the internet", async () => {
        const ways = (within: string[]): Subject[] => [
            { type: "alicloud:vpc/forwardEntry:ForwardEntry", name: "dnat", within, props: { externalPort: "any" } },
            { type: "alicloud:vpc/ipv6InternetBandwidth:Ipv6InternetBandwidth", name: "ipv6", within },
            ...["NetworkInterface", "SlbInstance"].map((bindInstanceType) => ({
                type: "alicloud:eipanycast/anycastEipAddressAttachment:AnycastEipAddressAttachment",
                name: "anycast",
                within,
                props: { bindInstanceType },
            })),
        ];
        expect(await check("public-addresses", ways([]))).toEqual([
            expect.stringContaining("dnat: forwards ports of a public address to a host"),
            expect.stringContaining("ipv6: gives a host's IPv6 address the internet"),
            expect.stringContaining("anycast: binds a public address of several regions to a host"),
        ]);
        expect(await check("public-addresses", ways([BASTION]))).toEqual([]);
    });

    test("takes the components that the team exempts", async () => {
        const edge: Subject[] = [
            { type: ASSOCIATION, within: ["team:edge:Proxy"], props: { instanceType: "EcsInstance" } },
        ];
        expect(await check("public-addresses", edge)).toHaveLength(1);
        expect(await check("public-addresses", edge, { components: ["team:edge:Proxy"] })).toEqual([]);
    });
});

describe("several-zones", () => {
    const subnet = (zoneId: string): Subject => ({ type: "alicloud:vpc/switch:Switch", props: { zoneId } });

    test("passes two zones, and a stack without subnets of its own", async () => {
        expect(await check("several-zones", [subnet("cn-hangzhou-h"), subnet("cn-hangzhou-i")])).toEqual([]);
        expect(await check("several-zones", [])).toEqual([]);
    });

    test("says nothing of zones that only the update knows", async () => {
        const later: Subject = { type: "alicloud:vpc/switch:Switch", props: unknownAt("zoneId") };
        expect(await check("several-zones", [later, later])).toEqual([]);
        expect(await check("several-zones", [later, subnet("cn-hangzhou-h")])).toEqual([]);
    });

    test("reports one zone, also by its former name", async () => {
        const former: Subject = {
            type: "alicloud:vpc/switch:Switch",
            props: { availabilityZone: "cn-hangzhou-h" },
        };
        expect(await check("several-zones", [subnet("cn-hangzhou-h"), former])).toHaveLength(1);
        expect(await check("several-zones", [subnet("cn-hangzhou-i"), former])).toEqual([]);

        expect(await check("several-zones", [subnet("cn-hangzhou-h"), subnet("cn-hangzhou-h")])).toEqual([
            "stack: all 2 subnets are in cn-hangzhou-h: the platform fails with that zone.",
        ]);
    });
});

describe("encrypted-disks", () => {
    test("passes encrypted disks, and one made from a snapshot", async () => {
        expect(
            await check("encrypted-disks", [
                { type: INSTANCE, props: { systemDiskEncrypted: true, dataDisks: [{ encrypted: true }] } },
                { type: DISK, props: { encrypted: true } },
                { type: FILE_SYSTEM, props: { encryptType: 1 } },
                { type: DISK, props: { snapshotId: "s-1" } },
            ]),
        ).toEqual([]);
    });

    test("looks at the disks of hosts made from a description", async () => {
        const encrypted = { systemDiskEncrypted: true, dataDisks: [{ encrypted: true }] };
        expect(await check("encrypted-disks", [{ type: SCALING, props: encrypted }])).toEqual([]);
        expect(
            await check("encrypted-disks", [
                { type: SCALING, name: "scaled", props: { dataDisks: [{}] } },
                { type: INSTANCE_SET, name: "set", props: { dataDisks: [{ encrypted: true }] } },
            ]),
        ).toEqual([
            "scaled: has a system disk that is not encrypted: set systemDiskEncrypted.",
            "scaled: has a data disk that is not encrypted: set dataDisks[0].encrypted.",
            "set: has system disks that are not encrypted, and no property for it: make each host an instance of its own.",
        ]);
    });

    test("reports each disk that isn't", async () => {
        const said = await check("encrypted-disks", [
            { type: INSTANCE, props: { dataDisks: [{ encrypted: true }, {}] } },
            { type: DISK, props: { encrypted: false } },
            { type: FILE_SYSTEM, props: { encryptType: 0 } },
        ]);
        expect(said).toHaveLength(4);
        expect(said[1]).toContain("dataDisks[1].encrypted");
        expect(said.at(-1)).toContain("set encryptType to 1");
    });
});

describe("deletion-protection", () => {
    const host = (stack: string, deletionProtection: boolean): Subject => ({
        type: INSTANCE,
        stack,
        props: { deletionProtection },
    });

    test("passes protected hosts, and what is not production", async () => {
        expect(await check("deletion-protection", [host("prod", true), host("dev", false)])).toEqual([]);
    });

    test.each(["alicloud:alb/loadBalancer:LoadBalancer", "alicloud:nlb/loadBalancer:LoadBalancer"])(
        "passes %s that is protected in either way, and no other way",
        async (type) => {
            const balancer = (props: Record<string, unknown>): Subject => ({ type, stack: "prod", props });
            const open = [
                balancer({ deletionProtectionConfig: { enabled: false } }),
                balancer({ deleteProtection: "on" }),
            ];
            const closed = [
                balancer({ deletionProtectionEnabled: true }),
                balancer({ deletionProtectionConfig: { enabled: true } }),
            ];
            expect(await check("deletion-protection", [...open, ...closed])).toEqual([
                "thing: can be deleted: set deletionProtectionEnabled.",
                "thing: can be deleted: set deletionProtectionEnabled.",
            ]);
        },
    );

    test.each([
        ["alicloud:rds/instance:Instance", { deletionProtection: true }, { instanceChargeType: "Prepaid" }],
        [RDS_CLONE, { deletionProtection: true }, { paymentType: "Subscription" }],
        [RDS_READ_ONLY, { deletionProtection: true }, { instanceChargeType: "Prepaid" }],
        [RDS_RECOVERY, { deletionProtection: true }, { paymentType: "Subscription" }],
        [INSTANCE, { deletionProtection: true }, { instanceChargeType: "PrePaid" }],
        ["alicloud:polardb/cluster:Cluster", { deletionLock: 1 }, { payType: "PrePaid" }],
        ["alicloud:kvstore/instance:Instance", { instanceReleaseProtection: true }, { paymentType: "PrePaid" }],
        [
            "alicloud:mongodb/instance:Instance",
            { dbInstanceReleaseProtection: true },
            { instanceChargeType: "PrePaid" },
        ],
    ])(
        "reports %s that nothing protects, and passes one that can't be deleted before its contract ends",
        async (type, on, contract) => {
            const database = (props: object): Subject => ({ type, stack: "prod", props: { ...props } });
            expect(await check("deletion-protection", [database(on), database(contract)])).toEqual([]);
            expect(await check("deletion-protection", [database({})])).toEqual([
                `thing: can be deleted: set ${Object.keys(on)[0]}${type.includes("polardb") ? " to 1" : ""}.`,
            ]);
        },
    );

    test("protects a balancer whatever its contract, and calls no spot host protected", async () => {
        const type = "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer";
        const balancer: Subject = { type, stack: "prod", props: { paymentType: "Subscription" } };
        expect(await check("deletion-protection", [balancer])).toHaveLength(1);
        const spot = {
            type: INSTANCE,
            stack: "prod",
            props: { deletionProtection: true, spotStrategy: "SpotAsPriceGo" },
        };
        const kept = { ...spot, props: { deletionProtection: true, spotStrategy: "NoSpot" } };
        expect(await check("deletion-protection", [spot, kept])).toEqual([
            "thing: is a spot host, which the cloud takes back whatever protects it: pay for it as you go.",
        ]);
    });

    test.each([INSTANCE_SET, SCALING])("looks at hosts of %s as at a host", async (type) => {
        const group = (deletionProtection?: boolean): Subject => ({
            type,
            stack: "prod",
            props: { deletionProtection },
        });
        expect(await check("deletion-protection", [group(true)])).toEqual([]);
        expect(await check("deletion-protection", [group(), group(false)])).toHaveLength(2);
    });

    test("reports an open host or balancer in the stacks that the team calls production", async () => {
        const balancer: Subject = {
            type: "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer",
            stack: "prod",
        };
        expect(await check("deletion-protection", [host("prod", false), balancer])).toHaveLength(2);
        expect(await check("deletion-protection", [host("live", false)], { stacks: ["live"] })).toHaveLength(1);
    });
});

describe("kept-hosts", () => {
    const host = (ignoreChanges: string[], protect = false): Subject => ({
        type: INSTANCE,
        name: "node-1",
        opts: { ignoreChanges, protect },
    });

    test("passes hosts that stay whatever changes, and those named to be rebuilt", async () => {
        const kept = ["imageId", "systemDiskCategory", "systemDiskEncrypted"];
        expect(await check("kept-hosts", [host(kept), host(["imageId"], true)])).toEqual([]);
        expect(await check("kept-hosts", [host([])], { rebuild: ["node-1"] })).toEqual([]);
        expect(await check("kept-hosts", [host([])], { rebuild: ["*"] })).toEqual([]);
    });

    test("asks only a pool's hosts to stay with other user data, and those with a key of their own with another key", async () => {
        const kept = ["imageId", "systemDiskCategory", "systemDiskEncrypted"];
        const pooled = { ...host(kept), within: [POOL] };
        const keyed = { ...host(kept), props: { systemDiskKmsKeyId: "key-1" } };
        expect(await check("kept-hosts", [pooled, keyed, { ...host([...kept, "userData"]), within: [POOL] }])).toEqual([
            expect.stringContaining("is rebuilt when userData changes"),
            expect.stringContaining("is rebuilt when systemDiskKmsKeyId changes"),
        ]);
    });

    test("reports a protected host whose system disk another image would replace", async () => {
        expect(await check("kept-hosts", [host(["userData"], true), host([], true)])).toEqual([
            expect.stringContaining("is rebuilt when imageId changes"),
            expect.stringContaining("is rebuilt when imageId changes"),
        ]);
    });

    test("passes hosts that ignore all changes", async () => {
        expect(await check("kept-hosts", [host(["*"])])).toEqual([]);
    });

    test("keeps the hosts of a set, and says nothing of hosts to come", async () => {
        const set = (ignoreChanges: string[], protect = false): Subject => ({
            type: INSTANCE_SET,
            name: "set",
            opts: { ignoreChanges, protect },
        });
        const kept = ["imageId", "systemDiskCategory", "systemDiskSize", "systemDiskPerformanceLevel"];
        // The provider replaces a set for another image, which protection stops.
        expect(await check("kept-hosts", [set(kept), set(["*"]), set([], true), { type: SCALING }])).toEqual([]);
        expect(await check("kept-hosts", [set(["imageId", "systemDiskCategory"])])).toEqual([
            expect.stringContaining("set: is rebuilt when systemDiskSize or systemDiskPerformanceLevel changes"),
        ]);
    });

    test("reports which change would rebuild a host", async () => {
        expect(await check("kept-hosts", [host(["userData", "systemDiskCategory"])])).toEqual([
            expect.stringContaining("node-1: is rebuilt when imageId or systemDiskEncrypted changes"),
        ]);
        expect(await check("kept-hosts", [host([])], { rebuild: ["node-2"] })).toHaveLength(1);
    });
});

describe("encrypted-services", () => {
    const step = (name: string, tls: string): Subject => ({
        type: COMMAND,
        props: { create: `STEP=${name}@12ab34cd PARAM_PORT='7000' PARAM_TLS='${tls}' bash --norc -s` },
    });

    test("passes services with TLS, and steps that serve nothing", async () => {
        expect(await check("encrypted-services", [step("redis/node", "true"), step("web/node", "false")])).toEqual([]);
        expect(
            await check("encrypted-services", [
                { type: "alicloud:kvstore/instance:Instance", props: { sslEnable: "Enable" } },
            ]),
        ).toEqual([]);
    });

    test.each([
        ["alicloud:kvstore/instance:Instance", {}, "sslEnable", "Enable", "Disable"],
        [TAIR, {}, "sslEnabled", "Enable", "Disable"],
        [RDS, { engine: "MySQL" }, "sslAction", "Open", "Close"],
        [RDS_RECOVERY, { engine: "MySQL" }, "sslAction", "Open", "Close"],
        [RDS_CLONE, { engine: "MySQL" }, "sslEnabled", 1, 0],
    ])("asks %s to encrypt connections, and to say so", async (type, props, property, on, off) => {
        const database = (value?: string | number): Subject => ({ type, props: { ...props, [property]: value } });
        expect(await check("encrypted-services", [database(on), database("Update")])).toEqual([]);
        const said = `thing: does not encrypt connections: set ${property} to ${JSON.stringify(on)}.`;
        expect(await check("encrypted-services", [database(off), database()])).toEqual([said, said]);
    });

    test("leaves the cloud's other databases to the team", async () => {
        expect(
            await check("encrypted-services", [{ type: RDS, props: { engine: "PostgreSQL", sslAction: "Close" } }]),
        ).toEqual([]);
    });

    test("leaves a step that only the update knows to the update", async () => {
        expect(await check("encrypted-services", [{ type: COMMAND, props: unknownAt("create") }])).toEqual([]);
    });

    test("reports services without", async () => {
        expect(
            await check("encrypted-services", [step("redis/node", "false"), step("mysql/node", "false")]),
        ).toHaveLength(2);
        expect(await check("encrypted-services", [{ type: "alicloud:kvstore/instance:Instance" }])).toHaveLength(1);
    });
});

describe("authenticated-services", () => {
    const redis = (type: string, vpcAuthMode?: string): Subject => ({ type, props: { vpcAuthMode } });
    const types = ["alicloud:kvstore/instance:Instance", TAIR];

    test.each(types)("passes %s that asks for a password", async (type) => {
        expect(await check("authenticated-services", [redis(type, "Open"), redis(type)])).toEqual([]);
    });

    test.each(types)("reports %s that doesn't", async (type) => {
        expect(await check("authenticated-services", [redis(type, "Close")])).toHaveLength(1);
    });
});

describe("required-tags", () => {
    const tags = { "multihost:project": "p", "multihost:stack": "dev", "multihost:resource": "r" };

    test("passes what has them, also with a value that only the update knows, and what can't have any", async () => {
        expect(
            await check("required-tags", [
                { type: INSTANCE, props: { tags } },
                { type: DISK, props: { tags: unknownAt("multihost:resource", tags) } },
                { type: RULE },
            ]),
        ).toEqual([]);
    });

    test.each([INSTANCE_SET, SCALING, FILE_SYSTEM, "alicloud:pvtz/zone:Zone", TAIR, RDS, "alicloud:ecs/eip:Eip"])(
        "asks %s for them",
        async (type) => {
            expect(await check("required-tags", [{ type, props: { tags } }])).toEqual([]);
            expect(await check("required-tags", [{ type }])).toHaveLength(1);
        },
    );

    test("reports what lacks them, by name", async () => {
        expect(
            await check("required-tags", [{ type: EIP, props: { tags: { owner: "me" } } }, { type: INSTANCE }]),
        ).toEqual([
            "thing: lacks the tags multihost:project, multihost:stack, multihost:resource.",
            "thing: lacks the tags multihost:project, multihost:stack, multihost:resource.",
        ]);
        expect(await check("required-tags", [{ type: INSTANCE, props: { tags } }], { tags: ["cost-centre"] })).toEqual([
            "thing: lacks the tag cost-centre.",
        ]);
    });
});

describe("costly-instances", () => {
    const host = (instanceType: string, stack = "dev"): Subject => ({ type: INSTANCE, stack, props: { instanceType } });

    test("passes current families in sizes that a test needs, and any size in production", async () => {
        expect(
            await check("costly-instances", [
                host("ecs.g7.large"),
                host("ecs.g7.xlarge"),
                host("ecs.r7.16xlarge", "prod"),
            ]),
        ).toEqual([]);
    });

    test("hints at large sizes outside production and at old families", async () => {
        const said = await check("costly-instances", [host("ecs.g7.4xlarge"), host("ecs.sn2ne.large", "prod")]);
        expect(said).toHaveLength(2);
        expect(said[0]).toContain("4xlarge");
    });
});

describe("bandwidth", () => {
    const address = (internetChargeType: string, bandwidth: string): Subject => ({
        type: EIP,
        props: { internetChargeType, bandwidth },
    });

    test("passes what is paid by traffic, and small lines", async () => {
        expect(await check("bandwidth", [address("PayByTraffic", "100"), address("PayByBandwidth", "5")])).toEqual([]);
    });

    test.each([
        ["alicloud:ecs/eip:Eip", "bandwidth", true],
        ["alicloud:vpc/commonBandwithPackage:CommonBandwithPackage", "bandwidth", true],
        ["alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer", "bandwidth", false],
        [INSTANCE, "internetMaxBandwidthOut", false],
    ])("knows a wide line of %s, also when nothing says how it is paid", async (type, width, byDefault) => {
        const line = (internetChargeType?: string): Subject => ({ type, props: { [width]: 100, internetChargeType } });
        expect(await check("bandwidth", [line("PayByBandwidth"), line("PayByTraffic")])).toHaveLength(1);
        expect(await check("bandwidth", [line()])).toHaveLength(byDefault ? 1 : 0);
    });

    test("hints at wide lines that are paid for by the day", async () => {
        expect(await check("bandwidth", [address("PayByBandwidth", "100")])).toHaveLength(1);
        expect(await check("bandwidth", [address("PayByBandwidth", "10")], { mbps: 5 })).toHaveLength(1);
    });
});

test("every policy stands in the pack's documentation, with each of its settings", () => {
    const text = readFileSync(resolve(__dirname, "../../../policy/README.md"), "utf8");
    for (const { name, enforcementLevel, configSchema } of policies) {
        const line = text.split("\n").find((row) => row.startsWith(`| \`${name}\``));
        expect(line).toContain(enforcementLevel);
        for (const setting of Object.keys(configSchema?.properties ?? {})) expect(line).toContain(`\`${setting}\``);
    }
});

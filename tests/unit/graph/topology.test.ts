import { layOut, main, parseOptions } from "../../../graph/cli";
import { toMermaid } from "../../../graph/change";
import { toDot } from "../../../graph/dot";
import { readTopology } from "../../../graph/topology";

const urn = (type: string, name: string): string => `urn:pulumi:lab::multihost::${type}::${name}`;
const resource = (type: string, name: string, id: string, outputs: object, more: object = {}): object => ({
    urn: urn(type, name),
    type,
    id,
    outputs,
    ...more,
});
const host = (name: string, pool: string, zone: string, groups: string[], address: string): object =>
    resource(
        "alicloud:ecs/instance:Instance",
        name,
        `i-${name}`,
        {
            privateIp: address,
            availabilityZone: zone,
            instanceType: "ecs.g7.large",
            securityGroups: groups,
            publicIp: "",
        },
        { parent: urn("multihost:compute:NodePool", pool) },
    );
const rule = (name: string, outputs: object): object =>
    resource("alicloud:ecs/securityGroupRule:SecurityGroupRule", name, `r-${name}`, {
        type: "ingress",
        policy: "accept",
        ipProtocol: "tcp",
        cidrIp: "",
        sourceSecurityGroupId: "",
        ...outputs,
    });
const step = (name: string, instance: string, create: string): object => ({
    urn: urn("command:remote:Command", name),
    type: "command:remote:Command",
    id: name,
    inputs: { create, triggers: [instance], stdin: { ciphertext: "SECRET" } },
});

const state = {
    deployment: {
        resources: [
            resource("alicloud:vpc/network:Network", "main", "vpc-1", { cidrBlock: "10.0.0.0/16" }),
            host("node-2", "node", "z-b", ["sg-data"], "10.0.1.2"),
            host("node-1", "node", "z-a", ["sg-data"], "10.0.0.1"),
            host("web-1", "web", "z-a", ["sg-web"], "10.0.0.3"),
            host("bastion-1", "bastion", "z-a", ["sg-bastion"], "10.0.0.4"),
            { ...host("node-9", "node", "z-a", ["sg-data"], "10.0.0.9"), delete: true },
            resource("alicloud:ecs/eipAddress:EipAddress", "bastion", "eip-1", { ipAddress: "203.0.113.9" }),
            resource("alicloud:ecs/eipAddress:EipAddress", "nat", "eip-2", { ipAddress: "203.0.113.10" }),
            resource("alicloud:ecs/eipAssociation:EipAssociation", "bastion", "a-1", {
                allocationId: "eip-1",
                instanceId: "i-bastion-1",
            }),
            resource("alicloud:ecs/eipAssociation:EipAssociation", "nat", "a-2", {
                allocationId: "eip-2",
                instanceId: "ngw-1",
            }),
            resource("alicloud:vpc/natGateway:NatGateway", "main", "ngw-1", {}),
            rule("ssh", { portRange: "22/22", securityGroupId: "sg-bastion", cidrIp: "198.51.100.0/24" }),
            rule("login", { portRange: "22/22", securityGroupId: "sg-data", sourceSecurityGroupId: "sg-bastion" }),
            rule("mysql", { portRange: "3306/3306", securityGroupId: "sg-data", sourceSecurityGroupId: "sg-web" }),
            rule("redis", { portRange: "7000/7010", securityGroupId: "sg-data", sourceSecurityGroupId: "sg-data" }),
            rule("drop", { portRange: "1/9", securityGroupId: "sg-data", cidrIp: "0.0.0.0/0", policy: "drop" }),
            rule("out", { portRange: "1/65535", securityGroupId: "sg-data", cidrIp: "0.0.0.0/0", type: "egress" }),
            rule("ping", { portRange: "-1/-1", ipProtocol: "icmp", securityGroupId: "sg-data", cidrIp: "0.0.0.0/0" }),
            resource("alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer", "entry", "lb-1", {
                address: "203.0.113.20",
                addressType: "internet",
            }),
            resource("alicloud:slb/listener:Listener", "entry-443", "l-1", {
                loadBalancerId: "lb-1",
                frontendPort: 443,
                backendPort: 8080,
            }),
            resource("alicloud:slb/listener:Listener", "entry-80", "l-2", {
                loadBalancerId: "lb-1",
                frontendPort: 80,
                backendPort: 0,
                listenerForward: "on",
            }),
            resource("alicloud:slb/backendServer:BackendServer", "entry", "lb-1", {
                loadBalancerId: "lb-1",
                backendServers: [{ serverId: "i-web-1", weight: 100 }],
            }),
            resource("alicloud:pvtz/zone:Zone", "names", "zone-1", { zoneName: "internal" }),
            resource("alicloud:pvtz/zoneRecord:ZoneRecord", "names-redis", "1:zone-1", {
                rr: "redis",
                zoneId: "zone-1",
            }),
            resource("alicloud:pvtz/zoneRecord:ZoneRecord", "names-redis-2", "2:zone-1", {
                rr: "redis",
                zoneId: "zone-1",
            }),
            step("redis-node-1", "i-node-1", "STEP=redis/node@abc PARAM_PORT='7000' bash --norc -s"),
            step("mysql-node-1", "i-node-1", "STEP=mysql/node@abc PARAM_PORT='3306' bash --norc -s"),
            step("node-1-ready", "i-node-1", "STEP=host/ready@abc bash --norc -s"),
        ],
    },
};

test("reads hosts, services, ways in and out, and who may connect to whom", () => {
    const topology = readTopology(state);
    expect(topology).toEqual({
        vpc: { name: "main", cidr: "10.0.0.0/16" },
        pools: [
            {
                name: "bastion",
                amongThemselves: [],
                hosts: [expect.objectContaining({ name: "bastion-1", publicAddress: "203.0.113.9", services: [] })],
            },
            {
                name: "node",
                amongThemselves: ["7000-7010"],
                hosts: [
                    {
                        name: "node-1",
                        address: "10.0.0.1",
                        publicAddress: "",
                        zone: "z-a",
                        instanceType: "ecs.g7.large",
                        services: ["MySQL :3306", "Redis :7000"],
                    },
                    expect.objectContaining({ name: "node-2", zone: "z-b" }),
                ],
            },
            { name: "web", amongThemselves: [], hosts: [expect.objectContaining({ name: "web-1" })] },
        ],
        balancers: [{ name: "entry", address: "203.0.113.20", public: true, ports: ["80", "443"] }],
        stores: [],
        nat: "203.0.113.10",
        flows: [
            { from: "198.51.100.0/24", to: "bastion", ports: ["22"] },
            { from: "bastion", to: "node", ports: ["22"] },
            { from: "web", to: "node", ports: ["3306"] },
            { from: "internet", to: "entry", ports: ["80", "443"] },
            { from: "entry", to: "web", ports: ["8080"] },
            { from: "node", to: "NAT gateway", ports: [] },
            { from: "web", to: "NAT gateway", ports: [] },
            { from: "NAT gateway", to: "internet", ports: [] },
        ],
        names: ["redis.internal"],
    });
    expect(JSON.stringify(topology)).not.toContain("SECRET");
});

describe("a balancer of another type", () => {
    const machines = [
        host("web-1", "web", "z-a", ["sg-web"], "10.0.0.3"),
        host("web-2", "web", "z-b", ["sg-web"], "10.0.1.3"),
    ];
    const drawn = (...resources: object[]) => {
        const { balancers, flows } = readTopology({ deployment: { resources: [...machines, ...resources] } });
        return { balancers, flows };
    };

    it("that speaks HTTP has a group for each port that doesn't redirect", () => {
        const forward = {
            type: "ForwardGroup",
            forwardGroupConfig: { serverGroupTuples: [{ serverGroupId: "sgp-1" }] },
        };
        const listener = (port: number): object =>
            resource("alicloud:alb/listener:Listener", `entry-${port}`, `lsn-${port}`, {
                loadBalancerId: "alb-1",
                listenerPort: port,
                listenerProtocol: port === 443 ? "HTTPS" : "HTTP",
                defaultActions: [forward],
            });
        const found = drawn(
            resource("alicloud:alb/loadBalancer:LoadBalancer", "entry", "alb-1", {
                addressType: "Internet",
                zoneMappings: [{ address: "203.0.113.1" }, { address: "203.0.113.2" }],
            }),
            resource("alicloud:alb/serverGroup:ServerGroup", "entry-443", "sgp-1", {
                servers: ["i-web-1", "i-web-2"].map((serverId) => ({ serverId, port: 8080 })),
            }),
            listener(80),
            listener(443),
        );
        expect(found).toEqual({
            balancers: [{ name: "entry", address: "203.0.113.1 203.0.113.2", public: true, ports: ["80", "443"] }],
            flows: [
                { from: "internet", to: "entry", ports: ["80", "443"] },
                { from: "entry", to: "web", ports: ["8080"] },
            ],
        });
    });

    describe("of the internet that admits some ranges alone", () => {
        const from = (...resources: object[]): string[] =>
            drawn(...resources)
                .flows.filter(({ to }) => to === "entry")
                .map((flow) => flow.from);
        const range = "198.51.100.0/24";

        it("shows these, unless one listener admits everybody, or refuses them", () => {
            const classic = (lists: Readonly<Record<string, unknown>>[], entries = [range]): string[] =>
                from(
                    resource("alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer", "entry", "lb-1", {
                        addressType: "internet",
                        address: "203.0.113.20",
                    }),
                    ...lists.map((list, index) =>
                        resource("alicloud:slb/listener:Listener", `entry-${index}`, `lb-1:${index}`, {
                            loadBalancerId: "lb-1",
                            frontendPort: 80 + index,
                            protocol: "http",
                            ...list,
                        }),
                    ),
                    ...entries.map((entry) =>
                        resource("alicloud:slb/aclEntryAttachment:AclEntryAttachment", entry, entry, {
                            aclId: "acl-1",
                            entry,
                        }),
                    ),
                );
            const white = { aclStatus: "on", aclType: "white", aclIds: ["acl-1"] };
            expect(classic([white, white])).toEqual([range]);
            expect(classic([white, white], [range, "203.0.113.7/32"])).toEqual([range, "203.0.113.7/32"]);
            expect(classic([white, { aclStatus: "off" }])).toEqual(["internet"]);
            expect(classic([{ ...white, aclType: "black" }])).toEqual(["internet"]);
        });

        it("shows those of an alb's list, and of an nlb's security group", () => {
            const alb = [
                resource("alicloud:alb/loadBalancer:LoadBalancer", "entry", "alb-1", { addressType: "Internet" }),
                resource("alicloud:alb/listener:Listener", "entry-80", "lsn-80", {
                    loadBalancerId: "alb-1",
                    listenerPort: 80,
                }),
                resource("alicloud:alb/aclEntryAttachment:AclEntryAttachment", "e", "e", {
                    aclId: "acl-1",
                    entry: range,
                }),
            ];
            const list = { aclId: "acl-1", listenerId: "lsn-80" };
            const attached = (aclType: string): object =>
                resource("alicloud:alb/listenerAclAttachment:ListenerAclAttachment", "a", "a", { ...list, aclType });
            expect(from(...alb)).toEqual(["internet"]);
            expect(from(...alb, attached("White"))).toEqual([range]);
            expect(from(...alb, attached("Black"))).toEqual(["internet"]);
            const nlb = [
                resource("alicloud:nlb/loadBalancer:LoadBalancer", "entry", "nlb-1", { addressType: "Internet" }),
                resource("alicloud:nlb/listener:Listener", "entry-80", "lsn-80", {
                    loadBalancerId: "nlb-1",
                    listenerPort: 80,
                }),
                resource("alicloud:ecs/securityGroupRule:SecurityGroupRule", "r", "r", {
                    type: "ingress",
                    securityGroupId: "sg-entry",
                    cidrIp: range,
                }),
            ];
            const joined = resource(
                "alicloud:nlb/loadBalancerSecurityGroupAttachment:LoadBalancerSecurityGroupAttachment",
                "j",
                "j",
                { loadBalancerId: "nlb-1", securityGroupId: "sg-entry" },
            );
            expect(from(...nlb)).toEqual(["internet"]);
            expect(from(...nlb, joined)).toEqual([range]);
        });
    });

    it("that passes connections and datagrams on shows which is which", () => {
        const listener = (protocol: string, port: number): object[] => [
            resource("alicloud:nlb/listener:Listener", `entry-${port}`, `lsn-${port}`, {
                loadBalancerId: "nlb-1",
                listenerPort: port,
                listenerProtocol: protocol,
                serverGroupId: `sgp-${port}`,
            }),
            resource("alicloud:nlb/serverGroupServerAttachment:ServerGroupServerAttachment", `e-${port}`, `a-${port}`, {
                serverGroupId: `sgp-${port}`,
                serverId: "i-web-1",
                port: port + 1,
            }),
        ];
        const found = drawn(
            resource("alicloud:nlb/loadBalancer:LoadBalancer", "entry", "nlb-1", {
                addressType: "Intranet",
                zoneMappings: [{ privateIpv4Address: "10.0.0.9" }, { privateIpv4Address: "10.0.1.9" }],
            }),
            ...listener("UDP", 53),
            ...listener("TCPSSL", 853),
        );
        expect(found).toEqual({
            balancers: [{ name: "entry", address: "10.0.0.9 10.0.1.9", public: false, ports: ["53/udp", "853"] }],
            flows: [{ from: "entry", to: "web", ports: ["54/udp", "854"] }],
        });
    });
});

describe("hosts with an address of their own don't leave through the NAT gateway", () => {
    const bound = (allocationId: string): object =>
        resource("alicloud:ecs/eipAssociation:EipAssociation", "bastion", "a-1", {
            allocationId,
            instanceId: "i-bastion-1",
        });
    const bastion = host("bastion-1", "bastion", "z-a", ["sg-bastion"], "10.0.0.4") as { readonly outputs: object };
    const address = (type: string, outputs: object): object =>
        resource(`alicloud:ecs/${type}`, "bastion", "eip-1", outputs);
    const gateway = resource("alicloud:vpc/natGateway:NatGateway", "main", "ngw-1", {});

    it.each<[string, object[], string]>([
        ["that the cloud has yet to give", [bastion, bound("eip-1"), address("eipAddress:EipAddress", {})], ""],
        ["of another stack", [bastion, bound("eip-9")], ""],
        [
            "of the former type",
            [bastion, bound("eip-1"), address("eip:Eip", { ipAddress: "203.0.113.9" })],
            "203.0.113.9",
        ],
        ["that they are launched with", [{ ...bastion, outputs: { internetMaxBandwidthOut: 5 } }], ""],
        [
            "that they were launched with",
            [{ ...bastion, outputs: { ...bastion.outputs, publicIp: "203.0.113.8" } }],
            "203.0.113.8",
        ],
    ])("%s", (_, resources, publicAddress) => {
        const web = host("web-1", "web", "z-a", ["sg-web"], "10.0.0.3");
        const { pools, flows } = readTopology({ deployment: { resources: [...resources, web, gateway] } });
        expect(flows).toEqual([
            { from: "web", to: "NAT gateway", ports: [] },
            { from: "NAT gateway", to: "internet", ports: [] },
        ]);
        expect(pools[0]).toMatchObject({ name: "bastion", hosts: [{ publicAddress }] });
    });
});

describe("ranges of IPv6, and prefix lists,", () => {
    const rules = [
        { ipv6CidrIp: "2001:db8::/32" },
        { ipv6CidrIp: "::/0" },
        { cidrIp: "0.0.0.0/0" },
        { prefixListId: "pl-1" },
        { prefixListId: urn("alicloud:ecs/ecsPrefixList:EcsPrefixList", "offices") },
    ].map((source, index) =>
        rule(`r-${index}`, { portRange: `${index + 1}/${index + 1}`, securityGroupId: "sg-web", ...source }),
    );
    const flowsTo = (end: string, ...resources: object[]) =>
        readTopology({ deployment: { resources } })
            .flows.filter(({ to }) => to === end)
            .map(({ from, ports }) => [from, ports]);

    it("come in as others do, the whole world of either kind as one", () => {
        expect(flowsTo("web", host("web-1", "web", "z-a", ["sg-web"], "10.0.0.3"), ...rules)).toEqual([
            ["2001:db8::/32", ["1"]],
            ["internet", ["2", "3"]],
            ["pl-1", ["4"]],
            ["prefix list offices", ["5"]],
        ]);
    });

    it("come in through the security group of a balancer, once each", () => {
        const from = flowsTo(
            "entry",
            resource("alicloud:nlb/loadBalancer:LoadBalancer", "entry", "nlb-1", { addressType: "Internet" }),
            resource("alicloud:nlb/loadBalancerSecurityGroupAttachment:LoadBalancerSecurityGroupAttachment", "j", "j", {
                loadBalancerId: "nlb-1",
                securityGroupId: "sg-web",
            }),
            ...rules,
        ).map(([end]) => end);
        expect(from).toEqual(["2001:db8::/32", "internet", "pl-1", "prefix list offices"]);
    });

    it("leave pings out, and a list beside a group, which the cloud ignores", () => {
        const machines = [host("web-1", "web", "z-a", ["sg-web"], ""), host("ops-1", "ops", "z-a", ["sg-ops"], "")];
        const odd = [
            { ipProtocol: "icmpv6", ipv6CidrIp: "::/0", portRange: "-1/-1" },
            { sourceSecurityGroupId: "sg-ops", prefixListId: "pl-1", portRange: "22/22" },
        ].map((source, index) => rule(`r-${index}`, { securityGroupId: "sg-web", ...source }));
        expect(flowsTo("web", ...machines, ...odd)).toEqual([["ops", ["22"]]]);
    });
});

describe("things that are called alike", () => {
    const balanced = (type: string, more: object[] = []): object[] => [
        host("web-1", "web", "z-a", ["sg-web"], "10.0.0.3"),
        rule("web", { portRange: "8080/8080", securityGroupId: "sg-web", sourceSecurityGroupId: "sg-web" }),
        resource("alicloud:nlb/loadBalancer:LoadBalancer", "web", "nlb-1", { addressType: type }),
        resource("alicloud:nlb/listener:Listener", "web-443", "lsn-1", {
            loadBalancerId: "nlb-1",
            listenerPort: 443,
            serverGroupId: "sgp-1",
        }),
        resource("alicloud:nlb/serverGroupServerAttachment:ServerGroupServerAttachment", "web", "a-1", {
            serverGroupId: "sgp-1",
            serverId: "i-web-1",
            port: 80,
        }),
        ...more,
    ];
    const drawn = (resources: object[]) => readTopology({ deployment: { resources } });

    it("are a pool, its balancer and its storage, with the flows of each", () => {
        const topology = drawn(
            balanced("Internet", [
                resource("alicloud:nas/fileSystem:FileSystem", "web", "nas-1", {}),
                step("files", "i-web-1", "STEP=storage/nfs-client@a PARAM_SOURCE=':/' bash --norc -s"),
            ]),
        );
        expect(topology.pools).toMatchObject([{ name: "web", amongThemselves: ["8080"] }]);
        expect(topology.balancers).toMatchObject([{ name: "web (load balancer)", ports: ["443"] }]);
        expect(topology.stores).toMatchObject([{ name: "web (file storage)" }]);
        expect(topology.flows).toEqual([
            { from: "internet", to: "web (load balancer)", ports: ["443"] },
            { from: "web (load balancer)", to: "web", ports: ["80"] },
            { from: "web", to: "web (file storage)", ports: ["2049"] },
        ]);
        const picture = toMermaid(topology, topology);
        const ids = [...picture.matchAll(/^(?:subgraph )?((?:end|pool|host)\d+)[[({]/gm)].map(([, id]) => id);
        expect(ids).toHaveLength(5);
        expect(new Set(ids).size).toBe(5);
        expect(toDot(topology)).toContain('"end web (load balancer)" -> "host web-1"');
    });

    it("are a balancer and a pool that goes", () => {
        const after = drawn(balanced("Internet").slice(2));
        expect(after.balancers).toMatchObject([{ name: "web" }]);
        const picture = toMermaid(drawn(balanced("Internet")), after);
        const [, balancer] = /^(\w+)\{\{"web</m.exec(picture)!;
        expect(picture).not.toContain(`subgraph ${balancer!}[`);
    });

    it("are pools, and their hosts, of which another component has one", () => {
        const within = (chain: string, id: string, group: string, address: string): object => ({
            ...resource(`${chain}$alicloud:ecs/instance:Instance`, "ops-1", id, {
                privateIp: address,
                securityGroups: [group],
            }),
            type: "alicloud:ecs/instance:Instance",
            parent: urn(chain, "ops"),
        });
        const pool = "multihost:compute:NodePool";
        const own = within(pool, "i-own", "sg-ops", "10.0.0.5");
        const theirs = within(`multihost:compute:Bastion$${pool}`, "i-bastion", "sg-bastion", "10.0.0.6");
        const login = rule("ssh", {
            portRange: "22/22",
            securityGroupId: "sg-ops",
            sourceSecurityGroupId: "sg-bastion",
        });
        const topology = drawn([own, theirs, login]);
        expect(drawn([theirs, own, login])).toEqual(topology);
        expect(topology.pools.map(({ name, hosts }) => [name, hosts.map((one) => [one.name, one.address])])).toEqual([
            ["ops", [["ops-1", "10.0.0.6"]]],
            ["ops (NodePool)", [["ops-1 (NodePool)", "10.0.0.5"]]],
        ]);
        expect(topology.flows).toEqual([{ from: "ops", to: "ops (NodePool)", ports: ["22"] }]);
    });

    it("are hosts that stand alone, and numbered when they are of one type", () => {
        const alone = (chain: string, id: string): object => ({
            ...resource(`${chain}alicloud:ecs/instance:Instance`, "db", id, { securityGroups: [] }),
            type: "alicloud:ecs/instance:Instance",
        });
        const { pools } = drawn([alone("", "i-1"), alone("my:index:Shop$", "i-2"), alone("their:index:Shop$", "i-3")]);
        expect(pools.map(({ name }) => name)).toEqual(["db", "db (Shop 2)", "db (Shop)"]);
    });
});

test("file storage of the cloud's is where those who mount it go, before it has a name, too", () => {
    const shared = (domain: string): object[] => [
        host("web-1", "web", "z-a", ["sg-web"], "10.0.0.3"),
        resource("alicloud:nas/fileSystem:FileSystem", "files", "nas-1", {}),
        resource("alicloud:nas/mountTarget:MountTarget", "files", "nas-1:m", {
            fileSystemId: "nas-1",
            ...(domain === "" ? {} : { mountTargetDomain: domain }),
        }),
        step("files-web-1", "i-web-1", `STEP=storage/nfs-client@a PARAM_SOURCE='${domain}:/' bash --norc -s`),
    ];
    for (const domain of ["nas-1.cn-hangzhou.nas.aliyuncs.com", ""]) {
        const topology = readTopology({ deployment: { resources: shared(domain) } });
        expect(topology.stores).toEqual([{ name: "files", mountTargets: domain === "" ? [] : [domain] }]);
        expect(topology.flows).toEqual([{ from: "web", to: "files", ports: ["2049"] }]);
        expect(toDot(topology)).toContain("shape=cylinder");
    }
});

describe("several networks", () => {
    const inVpc = (vpc: string, name: string, called = name, cidrBlock = "10.0.0.0/16"): object[] => [
        resource("alicloud:vpc/network:Network", called, vpc, { cidrBlock }),
        resource("alicloud:vpc/switch:Switch", name, `vsw-${name}`, { vpcId: vpc, zoneId: "z-a" }),
        resource("alicloud:ecs/instance:Instance", `${name}-1`, `i-${name}`, {
            privateIp: "10.0.0.1",
            vswitchId: `vsw-${name}`,
            securityGroups: [],
        }),
    ];
    const nat = (vpc: string, name: string): object[] => [
        resource("alicloud:vpc/natGateway:NatGateway", name, `ngw-${name}`, { vpcId: vpc }),
        resource("alicloud:ecs/eipAddress:EipAddress", `nat-${name}`, `eip-${name}`, {
            ipAddress: `203.0.113.${name}`,
        }),
        resource("alicloud:ecs/eipAssociation:EipAssociation", `nat-${name}`, `a-${name}`, {
            allocationId: `eip-${name}`,
            instanceId: `ngw-${name}`,
        }),
    ];
    const drawn = (...resources: object[]) => readTopology({ deployment: { resources } });
    /** What the boxes in a picture hold. */
    const boxes = (text: string): string[] =>
        text
            .split(/^subgraph (?="?(?:cluster )?vpc)/m)
            .slice(1)
            .map((part) => part.split(/^(?:legend|classDef|.* -[->.])/m)[0]!);

    it("have their own hosts and gateways", () => {
        const topology = drawn(
            ...inVpc("vpc-a", "1"),
            ...inVpc("vpc-b", "2"),
            ...nat("vpc-b", "2"),
            ...nat("vpc-a", "1"),
        );
        expect(topology.networks).toEqual([
            {
                vpc: { name: "1", cidr: "10.0.0.0/16" },
                nat: "203.0.113.1",
                natName: "NAT gateway of 1",
                pools: ["1-1"],
                balancers: [],
                stores: [],
                names: [],
            },
            expect.objectContaining({ nat: "203.0.113.2", natName: "NAT gateway of 2", pools: ["2-1"] }),
        ]);
        expect([topology.vpc, topology.nat]).toEqual([undefined, undefined]);
        expect(topology.flows).toEqual([
            { from: "1-1", to: "NAT gateway of 1", ports: [] },
            { from: "NAT gateway of 1", to: "internet", ports: [] },
            { from: "2-1", to: "NAT gateway of 2", ports: [] },
            { from: "NAT gateway of 2", to: "internet", ports: [] },
        ]);
        for (const text of [toDot(topology), toMermaid(topology, topology)]) {
            const words = ["VPC 1 ", "1-1", "NAT gateway of 1", "VPC 2 ", "2-1", "NAT gateway of 2"];
            const held = boxes(text).map((box) => words.filter((word) => box.includes(word)));
            expect(held).toEqual([words.slice(0, 3), words.slice(3)]);
        }
    });

    it("have gateways of their own also where they are called alike", () => {
        const { networks, flows } = drawn(
            ...["c", "a", "b"].flatMap((vpc, index) => [
                ...inVpc(`vpc-${vpc}`, String(index), "main", vpc === "a" ? "10.0.0.0/16" : "10.1.0.0/16"),
                ...nat(`vpc-${vpc}`, String(index)),
            ]),
        );
        const names = ["main (10.1.0.0/16 2)", "main", "main (10.1.0.0/16)"].map((name) => `NAT gateway of ${name}`);
        expect(networks!.map(({ nat: address, natName }) => [address, natName])).toEqual(
            names.map((name, index) => [`203.0.113.${index}`, name]),
        );
        expect(flows.filter(({ to }) => to === "internet").map(({ from }) => from)).toEqual(names);
    });

    it("with a gateway in one of them leave the other without", () => {
        const { flows } = drawn(...inVpc("vpc-a", "1"), ...inVpc("vpc-b", "2"), ...nat("vpc-b", "2"));
        expect(flows.map(({ from, to }) => `${from} ${to}`)).toEqual(["2-1 NAT gateway", "NAT gateway internet"]);
    });

    it("that come and go are told apart", () => {
        const [one, two] = [drawn(...inVpc("vpc-a", "1")), drawn(...inVpc("vpc-a", "1"), ...inVpc("vpc-b", "2"))];
        expect(boxes(toMermaid(one, two))).toHaveLength(2);
        const [first, second] = boxes(toMermaid(two, one));
        expect([first!.includes(":::gone"), second!.includes(":::gone")]).toEqual([false, true]);
    });
});

describe("hosts that exist already", () => {
    const hostUrn = urn("multihost:host:Host", "old-1");
    const existing = (more: object = {}): object[] => [
        { urn: hostUrn, type: "multihost:host:Host", ...more },
        { ...step("old-1-ready", "ssh-ed25519 AAAA", "STEP=host/ready@abc bash --norc -s"), parent: hostUrn },
        { ...step("web-old-1", "ssh-ed25519 BBBB", "STEP=web/node@a PARAM_PORT='80' bash --norc -s"), parent: hostUrn },
    ];
    const old = { name: "old-1", address: "", publicAddress: "", zone: "", instanceType: "", services: ["nginx :80"] };

    it("are drawn by themselves, of no zone that is known", () => {
        const topology = readTopology({ deployment: { resources: existing() } });
        expect(topology.pools).toEqual([{ name: "old-1", amongThemselves: [], hosts: [old] }]);
        expect(topology.networks).toBeUndefined();
        expect(toDot(topology)).toContain("host old-1");
        expect(toDot(topology)).not.toContain("legend");
    });

    it("are drawn in the pool that adopts them, or beside the VPC of others", () => {
        const { resources } = state.deployment;
        const adopted = readTopology({
            deployment: {
                resources: [...resources, ...existing({ parent: urn("multihost:compute:NodePool", "node") })],
            },
        });
        expect(adopted.pools.find(({ name }) => name === "node")?.hosts.map(({ name }) => name)).toEqual([
            "node-1",
            "node-2",
            "old-1",
        ]);
        expect(adopted.networks).toBeUndefined();
        const { networks, flows } = readTopology({ deployment: { resources: [...resources, ...existing()] } });
        expect(networks?.map(({ vpc, pools, nat }) => [vpc?.name, pools, nat])).toEqual([
            ["main", ["bastion", "node", "web"], "203.0.113.10"],
            [undefined, ["old-1"], undefined],
        ]);
        expect(flows).toEqual(readTopology(state).flows);
    });

    it("are none whose instance is missing", () => {
        const machine = {
            urn: urn("command:local:Command", "old-1-machine"),
            type: "command:local:Command",
            parent: hostUrn,
        };
        expect(readTopology({ deployment: { resources: [...existing(), machine] } }).pools).toEqual([]);
    });
});

test("an empty stack is an empty picture", () => {
    expect(readTopology({})).toEqual({ pools: [], balancers: [], stores: [], flows: [], names: [] });
});

test("the same stack gives the same text, whatever the order of its state", () => {
    const { resources } = state.deployment;
    const reversed = { deployment: { resources: [...resources].reverse() } };
    const hostsOf = (exported: unknown): string[] =>
        readTopology(exported).pools.flatMap(({ hosts }) => hosts.map(({ name }) => name));
    expect(hostsOf(reversed)).toEqual(hostsOf(state));
    expect(toDot(readTopology(state))).toBe(toDot(readTopology(structuredClone(state))));
});

test("is drawn with every host, port and name, and with markup as text", async () => {
    const topology = readTopology(state);
    const odd = { ...topology, vpc: { name: '<b>"&', cidr: "10.0.0.0/16" } };
    // Graphviz writes hyphens as references.
    const svg = (await layOut(toDot(odd))).replaceAll("&#45;", "-");
    expect(/^<\?xml[\s\S]*<svg [\s\S]*<\/svg>\s*$/.test(svg)).toBe(true);
    const words = ["node-1", "10.0.1.2", "Redis :7000", "3306", "203.0.113.9", "redis.internal", "z-b", "internet"];
    expect(words.filter((word) => !svg.includes(word))).toEqual([]);
    expect(svg.includes("&lt;b&gt;&quot;&amp;")).toBe(true);
});

describe("options", () => {
    it("have defaults", () =>
        expect(parseOptions([], {})).toEqual({ stack: "lab", preview: false, output: undefined, format: "svg" }));
    it("are taken as given, the environment's stack unless one is named", () => {
        expect(parseOptions(["-o", "x.svg"], { PULUMI_STACK: "dev" })).toEqual({
            stack: "dev",
            preview: false,
            output: "x.svg",
            format: "svg",
        });
        expect(
            parseOptions(["--stack", "prod", "--preview", "--format", "dot"], { PULUMI_STACK: "dev" }),
        ).toMatchObject({
            stack: "prod",
            preview: true,
        });
    });
    it("refuse what can't be drawn", () =>
        expect(() => parseOptions(["--format", "png"], {})).toThrow(
            '--format: "png" is none of svg, dot, json, mermaid.',
        ));
    it("take an empty environment variable for none", () =>
        expect(parseOptions([], { PULUMI_STACK: "" })).toMatchObject({ stack: "lab" }));
    it.each([["--stack", ""], ["--stack="]])("with an empty name are wrong: %s", async (...words) => {
        const said = jest.spyOn(process.stderr, "write").mockReturnValue(true);
        expect(await main(words)).toBe(2);
        expect(said).toHaveBeenCalledWith(expect.stringContaining("--stack is empty"));
        said.mockRestore();
    });
});

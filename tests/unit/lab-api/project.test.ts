import { gzipSync } from "node:zlib";
import { project } from "../../../lab/model/project";
import { labSize, nominalSize, ownsKernel } from "../../../lab/model/sizes";
import {
    Disk,
    Eip,
    Instance,
    NatGateway,
    NetworkInterface,
    Resource,
    SecurityGroup,
    SecurityGroupRule,
    State,
    emptyState,
} from "../../../lab/model/state";

function resource(id: string): Resource {
    return {
        id,
        regionId: "cn-hangzhou",
        createdAt: "2026-01-01T00:00:00Z",
        name: id,
        description: "",
        tags: {},
        resourceGroupId: "",
    };
}

function vpc(state: State, id: string, cidr: string, secondaryCidrs: string[] = []): void {
    state.vpcs[id] = {
        ...resource(id),
        cidr,
        secondaryCidrs,
        userCidrs: [],
        isDefault: false,
        routerId: `vrt-${id}`,
        dnsHostnames: false,
        classicLink: false,
    };
    state.routeTables[`vtb-${id}`] = {
        ...resource(`vtb-${id}`),
        vpcId: id,
        kind: "System",
        associateType: "VSwitch",
        routePropagation: true,
        entries: [],
    };
}

function vswitch(state: State, id: string, vpcId: string, cidr: string): void {
    state.vswitches[id] = {
        ...resource(id),
        vpcId,
        zoneId: "cn-hangzhou-h",
        cidr,
        isDefault: false,
        routeTableId: `vtb-${vpcId}`,
    };
}

function nat(state: State, id: string, vpcId: string): void {
    state.natGateways[id] = { ...resource(id), vpcId } as NatGateway;
}

function eip(state: State, id: string, address: string, binding?: Eip["binding"]): void {
    state.eips[id] = { ...resource(id), address, ...(binding && { binding }) } as Eip;
}

function instance(state: State, id: string, ip: string, more: Partial<Instance> = {}): void {
    state.instances[id] = {
        ...resource(id),
        hostName: "",
        status: "Running",
        bootCount: 1,
        imageId: "debian_12",
        instanceType: "ecs.g7.large",
        zoneId: "cn-hangzhou-h",
        vpcId: "vpc-1",
        vswitchId: "vsw-1",
        securityGroupIds: ["sg-1"],
        keyPairName: "",
        userData: "",
        password: "",
        metadata: { tokens: "optional", endpoint: "enabled", hopLimit: 0 },
        ...more,
    } as Instance;
    state.networkInterfaces[`eni-${id}`] = {
        ...resource(`eni-${id}`),
        kind: "Primary",
        vpcId: "vpc-1",
        vswitchId: "vsw-1",
        zoneId: "cn-hangzhou-h",
        mac: "00:16:3e:00:00:01",
        primaryIp: ip,
        secondaryIps: [],
        securityGroupIds: [],
        instanceId: id,
    } as unknown as NetworkInterface;
    state.disks[`d-${id}`] = { ...resource(`d-${id}`), kind: "system", instanceId: id, device: "/dev/xvda" } as Disk;
}

function rule(given: Partial<SecurityGroupRule>): SecurityGroupRule {
    return {
        id: "sgr-1",
        direction: "ingress",
        createdAt: "",
        ipProtocol: "tcp",
        portRange: "22/22",
        sourcePortRange: "",
        policy: "Accept",
        priority: 1,
        nicType: "intranet",
        description: "",
        sourceCidr: "",
        destCidr: "",
        ipv6SourceCidr: "",
        ipv6DestCidr: "",
        sourceGroupId: "",
        destGroupId: "",
        sourceGroupOwner: "",
        destGroupOwner: "",
        sourcePrefixListId: "",
        destPrefixListId: "",
        ...given,
    };
}

function rules(given: readonly Partial<SecurityGroupRule>[], kind: SecurityGroup["kind"] = "normal") {
    const state = emptyState();
    state.securityGroups["sg-1"] = {
        ...resource("sg-1"),
        vpcId: "vpc-1",
        kind,
        innerAccess: "Accept",
        serviceManaged: false,
        rules: given.map(rule),
    };
    return project(state).securityGroups[0]!;
}

describe("network", () => {
    test.each([
        ["10.0.1.0/24", "10.0.1.253"],
        ["172.16.0.0/12", "172.31.255.253"],
        ["192.168.0.16/28", "192.168.0.29"],
        ["10.0.0.0/29", "10.0.0.5"],
    ])("the router of %s is %s", (cidr, gateway) => {
        const state = emptyState();
        vpc(state, "vpc-1", "10.0.0.0/8", ["172.16.0.0/12"]);
        vswitch(state, "vsw-1", "vpc-1", cidr);
        const [desired] = project(state).vpcs;
        expect(desired!.cidrs).toEqual(["10.0.0.0/8", "172.16.0.0/12"]);
        expect(desired!.vswitches).toEqual([{ id: "vsw-1", cidr, gateway, routeTableId: "vtb-vpc-1" }]);
    });

    test("routes lead to NAT gateways of the same VPC, to instances and interfaces, else nowhere", () => {
        const state = emptyState();
        vpc(state, "vpc-1", "10.0.0.0/8");
        vpc(state, "vpc-2", "10.0.0.0/8");
        nat(state, "ngw-1", "vpc-1");
        nat(state, "ngw-2", "vpc-2");
        instance(state, "i-1", "10.0.1.5");
        const hops: [string, string][] = [
            ["NatGateway", "ngw-1"],
            ["NatGateway", "ngw-2"],
            ["Instance", "i-1"],
            ["Instance", "i-gone"],
            ["NetworkInterface", "eni-i-1"],
            ["VpnGateway", "vpn-1"],
        ];
        state.routeTables["vtb-vpc-1"]!.entries = hops.map(([nextHopType, nextHopId], i) => ({
            id: `rte-${i}`,
            name: "",
            description: "",
            cidr: `192.168.${i}.0/24`,
            nextHopType,
            nextHopId,
        }));
        expect(project(state).vpcs[0]!.routeTables[0]!.routes.map(({ nextHop }) => nextHop)).toEqual([
            { kind: "nat", natGatewayId: "ngw-1" },
            { kind: "blackhole" },
            { kind: "instance", privateIp: "10.0.1.5" },
            { kind: "blackhole" },
            { kind: "instance", privateIp: "10.0.1.5" },
            { kind: "blackhole" },
        ]);
    });

    test("SNAT and DNAT use the addresses that are bound to their gateway", () => {
        const state = emptyState();
        vpc(state, "vpc-1", "10.0.0.0/8");
        nat(state, "ngw-1", "vpc-1");
        const bound = {
            instanceId: "ngw-1",
            instanceType: "Nat",
            instanceRegionId: "cn-hangzhou",
            mode: "NAT",
        } as const;
        eip(state, "eip-1", "127.77.0.1", bound);
        eip(state, "eip-2", "127.77.0.2");
        const snat = { natGatewayId: "ngw-1", name: "", eipAffinity: 0, createdAt: "" };
        state.snatEntries["snat-1"] = {
            ...snat,
            id: "snat-1",
            sourceCidr: "10.0.1.0/24",
            snatIps: ["127.77.0.1", "127.77.0.2"],
        };
        state.snatEntries["snat-2"] = { ...snat, id: "snat-2", sourceCidr: "10.0.2.0/24", snatIps: ["127.77.0.2"] };
        state.forwardEntries["fwd-1"] = {
            id: "fwd-1",
            natGatewayId: "ngw-1",
            name: "",
            externalIp: "127.77.0.1",
            externalPort: "80",
            internalIp: "10.0.1.5",
            internalPort: "8080",
            protocol: "TCP",
        };
        const desired = project(state);
        expect(desired.vpcs[0]!.snat).toEqual([
            { id: "snat-1", natGatewayId: "ngw-1", sourceCidr: "10.0.1.0/24", addresses: ["127.77.0.1"] },
        ]);
        expect(desired.vpcs[0]!.dnat).toEqual([
            {
                id: "fwd-1",
                externalAddress: "127.77.0.1",
                externalPort: "80",
                protocol: "tcp",
                internalIp: "10.0.1.5",
                internalPort: "8080",
            },
        ]);
        expect(desired.eips).toEqual([
            { id: "eip-1", address: "127.77.0.1", target: { kind: "nat", vpcId: "vpc-1", natGatewayId: "ngw-1" } },
            { id: "eip-2", address: "127.77.0.2" },
        ]);
    });

    test("an EIP leads to the instance or interface that it is bound to", () => {
        const state = emptyState();
        instance(state, "i-1", "10.0.1.5");
        const bind = (instanceType: "EcsInstance" | "NetworkInterface" | "SlbInstance", instanceId: string) =>
            ({ instanceId, instanceType, instanceRegionId: "cn-hangzhou", mode: "NAT" }) as const;
        eip(state, "eip-1", "127.77.0.1", bind("EcsInstance", "i-1"));
        eip(state, "eip-2", "127.77.0.2", bind("NetworkInterface", "eni-i-1"));
        eip(state, "eip-3", "127.77.0.3", bind("EcsInstance", "i-gone"));
        eip(state, "eip-4", "127.77.0.4", bind("SlbInstance", "lb-1"));
        const target = { kind: "instance", vpcId: "vpc-1", privateIp: "10.0.1.5" };
        expect(project(state).eips.map((desired) => desired.target)).toEqual([target, target, undefined, undefined]);
    });
});

describe("security groups", () => {
    const any = { kind: "cidr", cidr: "0.0.0.0/0" };

    test.each<[string, Partial<SecurityGroupRule>, object]>([
        ["a port", { sourceCidr: "10.0.0.0/8" }, { protocol: "tcp", ports: { from: 22, to: 22 } }],
        [
            "a protocol in capitals",
            { ipProtocol: "UDP", portRange: "53/54" },
            { protocol: "udp", ports: { from: 53, to: 54 } },
        ],
        ["all ports", { portRange: "1/65535" }, { protocol: "tcp" }],
        ["all ports as -1/-1", { portRange: "-1/-1" }, { protocol: "tcp" }],
        ["all protocols", { ipProtocol: "ALL", portRange: "-1/-1" }, { protocol: "all" }],
        ["ICMP has no ports", { ipProtocol: "ICMP", portRange: "-1/-1" }, { protocol: "icmp" }],
        ["source ports", { sourcePortRange: "1024/2048" }, { sourcePorts: { from: 1024, to: 2048 } }],
        ["a drop", { policy: "Drop", priority: 100 }, { policy: "drop", priority: 100 }],
        ["a source range", { sourceCidr: "10.0.0.0/8" }, { peer: { kind: "cidr", cidr: "10.0.0.0/8" } }],
        ["an IPv6 source", { ipv6SourceCidr: "::/0" }, { peer: { kind: "cidr", cidr: "::/0" } }],
        ["a source group", { sourceGroupId: "sg-2" }, { peer: { kind: "group", securityGroupId: "sg-2" } }],
        ["its own side", { sourceCidr: "10.0.0.0/8", destCidr: "10.1.0.0/16" }, { ownCidr: "10.1.0.0/16" }],
        ["no peer at all", {}, { peer: any }],
        [
            "egress to a group",
            { direction: "egress", destGroupId: "sg-2", sourceCidr: "10.1.0.0/16" },
            { direction: "egress", peer: { kind: "group", securityGroupId: "sg-2" }, ownCidr: "10.1.0.0/16" },
        ],
    ])("%s", (_what, given, expected) => {
        expect(rules([given]).rules).toEqual([expect.objectContaining(expected)]);
    });

    test("ports are absent where there is no limit", () => {
        for (const portRange of ["1/65535", "-1/-1"])
            expect(rules([{ portRange }]).rules[0]).not.toHaveProperty("ports");
    });

    test("a rule with a prefix list decides nothing", () => {
        expect(rules([{ sourcePrefixListId: "pl-1" }]).rules).toEqual([]);
    });

    test("members of an enterprise group need rules for everything", () => {
        const desired = rules([{ direction: "egress", destCidr: "10.0.0.0/8", priority: 100 }], "enterprise");
        expect(desired.intraGroupAccept).toBe(false);
        expect(desired.rules[1]).toEqual({
            direction: "egress",
            policy: "drop",
            priority: 101,
            protocol: "all",
            peer: any,
        });
    });
});

describe("hosts", () => {
    test.each([
        ["Pending", "running"],
        ["Starting", "running"],
        ["Running", "running"],
        ["Stopping", "stopped"],
        ["Stopped", "stopped"],
    ] as const)("%s wants it %s", (status, power) => {
        const state = emptyState();
        instance(state, "i-1", "10.0.1.5", { status });
        expect(project(state).hosts[0]!.power).toBe(power);
    });

    test("carry keys, user data, disks, interfaces", () => {
        const state = emptyState();
        state.keyPairs["other/k"] = { ...resource("k"), regionId: "cn-beijing", publicKey: "ssh-ed25519 B" } as never;
        state.keyPairs["k"] = { ...resource("k"), publicKey: "ssh-ed25519 A" } as never;
        instance(state, "i-1", "10.0.1.5", {
            keyPairName: "k",
            hostName: "web-1",
            userData: gzipSync("#!/bin/sh\n").toString("base64"),
            password: "Secret1!",
            metadata: { tokens: "required", endpoint: "enabled", hopLimit: 0 },
        });
        for (const device of ["/dev/xvdc", "/dev/xvdb", ""])
            state.disks[`d-${device}`] = {
                ...resource(`d-${device}`),
                kind: "data",
                instanceId: "i-1",
                sizeGiB: 20,
                device,
            } as Disk;
        state.networkInterfaces["eni-2"] = {
            ...state.networkInterfaces["eni-i-1"]!,
            id: "eni-2",
            kind: "Secondary",
            primaryIp: "10.0.1.6",
            secondaryIps: ["10.0.1.7"],
            securityGroupIds: ["sg-2"],
        };
        const [host] = project(state).hosts;
        expect(project(state).diskIds).toEqual(["d-/dev/xvdc", "d-/dev/xvdb", "d-"]);
        expect(host).toMatchObject({
            hostname: "web-1",
            name: "i-1",
            instanceType: "ecs.g7.large",
            metadata: { enabled: true, tokenRequired: true },
            systemDiskId: "d-i-1",
            publicKeys: ["ssh-ed25519 A"],
            userData: "#!/bin/sh\n",
            password: "Secret1!",
            disks: [
                { id: "d-/dev/xvdb", sizeGiB: 20, device: "/dev/xvdb" },
                { id: "d-/dev/xvdc", sizeGiB: 20, device: "/dev/xvdc" },
            ],
            nics: [
                { id: "eni-i-1", primary: true, primaryIp: "10.0.1.5", securityGroupIds: ["sg-1"] },
                { id: "eni-2", primary: false, secondaryIps: ["10.0.1.7"], securityGroupIds: ["sg-2"] },
            ],
        });
    });

    test.each([
        ["ecs.c7.large", 2, 4],
        ["ecs.g7.xlarge", 4, 16],
        ["ecs.r8i.2xlarge", 8, 64],
        ["ecs.g8i.16xlarge", 64, 256],
        ["ecs.t6-c1m1.large", 2, 2],
        ["ecs.t6-c1m2.large", 2, 4],
        ["ecs.u1-c1m4.xlarge", 4, 16],
        ["ecs.hfc7.large", 2, 4],
        ["ecs.n4.small", 1, 4],
        ["nonsense", 1, 4],
    ])("%s promises %i vCPUs and %i GiB", (type, vcpus, gib) => {
        expect(nominalSize(type)).toEqual({ vcpus, memoryMiB: gib * 1024 });
    });

    test("have a kernel of their own where they are bare metal", () => {
        expect(
            ["ecs.ebmg6.26xlarge", "ecs.ebmc7.32xlarge", "ecs.g6.large", "ecs.e-c1m2.large"].map(ownsKernel),
        ).toEqual([true, true, false, false]);
    });

    test("get a quarter of the memory, at least 512 MiB, at most an eighth of the machine", () => {
        const machine = { cores: 2, memoryMiB: 24 * 1024 };
        expect(labSize("ecs.g7.large", machine)).toEqual({ cpus: 2, memoryMiB: 2048 });
        expect(labSize("ecs.t6-c1m1.large", machine)).toEqual({ cpus: 2, memoryMiB: 512 });
        expect(labSize("ecs.g8i.16xlarge", machine)).toEqual({ cpus: 2, memoryMiB: 3072 });
        expect(labSize("ecs.ebmg6.26xlarge", machine)).toEqual({ cpus: 2, memoryMiB: 1024 });
        expect(labSize("ecs.g8i.16xlarge", { cores: 1, memoryMiB: 2048 })).toEqual({ cpus: 1, memoryMiB: 512 });
    });
});

test("the model is left alone, and 500 instances take no time", () => {
    const state = emptyState();
    vpc(state, "vpc-1", "10.0.0.0/8");
    vswitch(state, "vsw-1", "vpc-1", "10.0.0.0/16");
    for (let i = 0; i < 500; i += 1) instance(state, `i-${i}`, `10.0.${i >> 8}.${i & 255}`);
    const before = JSON.stringify(state);
    const started = performance.now();
    expect(project(state).hosts).toHaveLength(500);
    // Milliseconds on a quiet machine; what takes seconds on a busy one does too much.
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(JSON.stringify(state)).toBe(before);
});

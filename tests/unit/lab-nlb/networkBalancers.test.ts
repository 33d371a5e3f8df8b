import { actions as cas } from "../../../lab/api/cas";
import { actions } from "../../../lab/api/nlb";
import { CloudError } from "../../../lab/api/errors";
import { alicloudSearch } from "../../../lab/orphans";
import { RpcError } from "../../../lab/rpc";
import { projectBalancerNames, projectBalancers } from "../../../lab/model/projectBalancers";
import { Answer, Cloud, OTHER_ZONE, Parameters, REGION, ZONE, at, list, text } from "../lab-vpc/harness";

const VERSION = "2022-04-30";

class NetworkCloud extends Cloud {
    constructor() {
        super([...actions, ...cas]);
    }

    nlb(name: string, parameters: Parameters = {}): Promise<Answer> {
        return this.call(name, parameters, REGION, VERSION);
    }

    nlbRefusal(name: string, parameters: Parameters = {}): Promise<string> {
        return this.refusal(name, parameters, REGION, VERSION);
    }

    /** What the machine is asked to run. */
    desired() {
        return projectBalancers(this.state);
    }
}

let cloud: NetworkCloud;
let VpcId: string;
let vswitches: string[];
let zoned: Parameters;

beforeEach(async () => {
    cloud = new NetworkCloud();
    VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/8" });
    vswitches = [
        await cloud.vswitch(VpcId, "10.0.1.0/24"),
        await cloud.vswitch(VpcId, "10.0.2.0/24", { ZoneId: OTHER_ZONE }),
    ];
    zoned = {
        VpcId,
        "ZoneMappings.1.ZoneId": ZONE,
        "ZoneMappings.1.VSwitchId": vswitches[0]!,
        "ZoneMappings.2.ZoneId": OTHER_ZONE,
        "ZoneMappings.2.VSwitchId": vswitches[1]!,
    };
});

async function balancer(parameters: Parameters = {}): Promise<string> {
    // The cloud spells the id so.
    return text(
        await cloud.nlb("CreateLoadBalancer", { AddressType: "Internet", ...zoned, ...parameters }),
        "LoadbalancerId",
    );
}

async function group(parameters: Parameters = {}): Promise<string> {
    return text(
        await cloud.nlb("CreateServerGroup", { VpcId, ServerGroupName: "web", ...parameters }),
        "ServerGroupId",
    );
}

async function listener(parameters: Parameters): Promise<string> {
    return text(
        await cloud.nlb("CreateListener", { ListenerProtocol: "TCP", ListenerPort: "80", ...parameters }),
        "ListenerId",
    );
}

const attribute = (LoadBalancerId: string): Promise<Answer> =>
    cloud.nlb("GetLoadBalancerAttribute", { LoadBalancerId });

describe("a network load balancer", () => {
    test("has an address in each of its zones, on the internet or within its VPC", async () => {
        const outer = await attribute(
            await balancer({ LoadBalancerName: "entry", "Tag.1.Key": "team", "Tag.1.Value": "a" }),
        );
        expect(outer).toMatchObject({
            LoadBalancerName: "entry",
            LoadBalancerStatus: "Active",
            AddressType: "Internet",
            CrossZoneEnabled: true,
            DeletionProtectionConfig: { Enabled: false },
            LoadBalancerBillingConfig: { PayType: "PostPay" },
            SecurityGroupIds: [],
            Tags: [{ Key: "team", Value: "a" }],
        });
        expect(text(outer, "DNSName")).toBe(`${text(outer, "LoadBalancerId")}.cn-hangzhou.nlb.aliyuncs.com`);
        const places = list(outer, "ZoneMappings").map((zone) => at(zone, "LoadBalancerAddresses.0"));
        expect(places).toMatchObject([
            { PrivateIPv4Address: "10.0.1.1", PublicIPv4Address: expect.stringMatching(/^127\.77\./) as string },
            { PrivateIPv4Address: "10.0.2.1", PublicIPv4Address: expect.stringMatching(/^127\.77\./) as string },
        ]);
        expect(cloud.desired()[0]!.addresses).toEqual(places.map((place) => text(place, "PublicIPv4Address")));

        const LoadBalancerId = await balancer({ AddressType: "Intranet" });
        expect(cloud.desired()[1]!.addresses).toEqual(["10.0.1.2", "10.0.2.2"]);
        expect(projectBalancerNames(cloud.state)[0]).toMatchObject({
            name: `${LoadBalancerId}.cn-hangzhou.nlb.aliyuncs.com`,
            records: [{ value: "10.0.1.2" }, { value: "10.0.2.2" }],
        });
        const { JobId } = await cloud.nlb("UpdateLoadBalancerAddressTypeConfig", {
            LoadBalancerId,
            AddressType: "Internet",
        });
        expect(await cloud.nlb("GetJobStatus", { JobId: String(JobId) })).toMatchObject({ Status: "Succeeded" });
        expect(cloud.desired()[1]!.addresses[0]).toMatch(/^127\.77\./);
    });

    test.each([
        [{ "ZoneMappings.2.ZoneId": "", "ZoneMappings.2.VSwitchId": "" }, "400 MissingParameter"],
        [{ "ZoneMappings.2.VSwitchId": "vsw-none" }, "404 ResourceNotFound.VSwitch"],
        [{ "ZoneMappings.2.ZoneId": ZONE }, "400 IllegalParam.ZoneMappings"],
        [{ VpcId: "vpc-none" }, "404 ResourceNotFound.Vpc"],
        [{ AddressType: "internet-ish" }, "400 IllegalParam.AddressType"],
        [{ LoadBalancerName: "1" }, "400 IllegalParam.LoadBalancerName"],
        [{ AddressIpVersion: "DualStack" }, "400 UnsupportedOperation"],
        [{ "SecurityGroupIds.1": "sg-none" }, "404 ResourceNotFound.SecurityGroup"],
        [{ "ZoneMappings.1.PrivateIPv4Address": "10.9.9.9" }, "400 IllegalParam.PrivateIPv4Address"],
    ])("with %j answers %s", async (more, expected) =>
        expect(
            await cloud.nlbRefusal("CreateLoadBalancer", {
                AddressType: "Internet",
                ...zoned,
                ...(more as Record<string, string>),
            }),
        ).toBe(expected),
    );

    test("has another internet address in each zone, or is refused", async () => {
        Object.assign(cloud.store, { eipRange: "127.77.0.0/31" });
        await expect(balancer()).rejects.toMatchObject({ code: "ResourceNotEnough.Eip" });
        const LoadBalancerId = await balancer({ AddressType: "Intranet" });
        await expect(
            cloud.nlb("UpdateLoadBalancerAddressTypeConfig", { LoadBalancerId, AddressType: "Internet" }),
        ).rejects.toMatchObject({ code: "ResourceNotEnough.Eip" });
        expect(await attribute(LoadBalancerId)).toMatchObject({ AddressType: "Intranet" });
    });

    test("keeps its VSwitches, goes with its listeners, and not while it is protected", async () => {
        const LoadBalancerId = await balancer();
        const ServerGroupId = await group();
        const ListenerId = await listener({ LoadBalancerId, ServerGroupId });
        expect(await cloud.refusal("DeleteVSwitch", { VSwitchId: vswitches[0]! })).toBe("400 DependencyViolation.NLB");
        expect(await cloud.nlbRefusal("DeleteServerGroup", { ServerGroupId })).toBe("400 ResourceInUse.serverGroup");
        await cloud.nlb("UpdateLoadBalancerProtection", { LoadBalancerId, DeletionProtectionEnabled: "true" });
        expect(await cloud.nlbRefusal("DeleteLoadBalancer", { LoadBalancerId })).toBe(
            "400 OperationDenied.DeletionProtection",
        );
        await cloud.nlb("UpdateLoadBalancerProtection", { LoadBalancerId, DeletionProtectionEnabled: "false" });
        await cloud.nlb("DeleteLoadBalancer", { LoadBalancerId });
        expect(await cloud.nlbRefusal("GetLoadBalancerAttribute", { LoadBalancerId })).toBe(
            "404 ResourceNotFound.loadBalancer",
        );
        expect(await cloud.nlbRefusal("GetListenerAttribute", { ListenerId })).toBe("404 ResourceNotFound.listener");
        await cloud.nlb("DeleteServerGroup", { ServerGroupId });
        expect(await cloud.nlb("ListServerGroups", { "ServerGroupIds.1": ServerGroupId })).toMatchObject({
            ServerGroups: [],
        });
        expect(cloud.desired()).toEqual([]);
    });

    test("is protected for a reason, which changes by itself and goes with the protection", async () => {
        const LoadBalancerId = await balancer({
            "DeletionProtectionConfig.Enabled": "true",
            "ModificationProtectionConfig.Status": "ConsoleProtection",
            "ModificationProtectionConfig.Reason": "ours",
        });
        const since = cloud.now;
        cloud.now = "2026-02-01T12:00:00Z";
        const change = (parameters: Parameters): Promise<Answer> =>
            cloud.nlb("UpdateLoadBalancerProtection", { LoadBalancerId, ...parameters });
        await change({ DeletionProtectionReason: "in use", ModificationProtectionReason: "theirs" });
        const found = {
            DeletionProtectionConfig: { Enabled: true, EnabledTime: since, Reason: "in use" },
            ModificationProtectionConfig: { Status: "ConsoleProtection", EnabledTime: since, Reason: "theirs" },
        };
        expect(await attribute(LoadBalancerId)).toMatchObject(found);
        await change({ DeletionProtectionEnabled: "true" });
        expect(await attribute(LoadBalancerId)).toMatchObject(found);
        await change({ DeletionProtectionEnabled: "false", ModificationProtectionStatus: "NonProtection" });
        await change({ DeletionProtectionEnabled: "true", ModificationProtectionStatus: "ConsoleProtection" });
        expect(await attribute(LoadBalancerId)).toMatchObject({
            DeletionProtectionConfig: { EnabledTime: cloud.now, Reason: "" },
            ModificationProtectionConfig: { EnabledTime: cloud.now, Reason: "" },
        });
    });

    test("takes another zone and keeps the addresses of those that stay", async () => {
        const LoadBalancerId = await balancer();
        const before = cloud.desired()[0]!.addresses;
        const third = await cloud.vswitch(VpcId, "10.0.3.0/24", { ZoneId: OTHER_ZONE });
        await cloud.nlb("UpdateLoadBalancerZones", { LoadBalancerId, ...zoned, "ZoneMappings.2.VSwitchId": third });
        const after = cloud.desired()[0]!.addresses;
        expect(after[0]).toBe(before[0]);
        expect(after[1]).not.toBe(before[1]);
    });

    test("takes no elastic address of a client's with another kind of address, and knows its own", async () => {
        const LoadBalancerId = await balancer();
        const own = text(await attribute(LoadBalancerId), "ZoneMappings.0.LoadBalancerAddresses.0.AllocationId");
        const inside = { LoadBalancerId, AddressType: "Intranet", ...zoned };
        const named = (id: string) => ({ ...inside, "ZoneMappings.1.AllocationId": id });
        expect(await cloud.nlbRefusal("UpdateLoadBalancerAddressTypeConfig", named("eip-1"))).toBe(
            "400 UnsupportedOperation",
        );
        expect(await cloud.nlbRefusal("UpdateLoadBalancerAddressTypeConfig", named(own))).toBe("success");
    });

    test("is found by how it does business, which is always well", async () => {
        const LoadBalancerId = await balancer();
        const found = (LoadBalancerBusinessStatus: string) =>
            cloud.nlb("ListLoadBalancers", { LoadBalancerBusinessStatus });
        expect(await found("Normal")).toMatchObject({ LoadBalancers: [{ LoadBalancerId }] });
        expect(await found("Abnormal")).toMatchObject({ LoadBalancers: [] });
    });

    test.each(["Ipv4", "ipv4", ""])("asked for with %j as IP version tells it as clients write it", async (asked) => {
        const LoadBalancerId = await balancer({ AddressIpVersion: asked });
        const ServerGroupId = await group({ AddressIPVersion: asked });
        expect(await attribute(LoadBalancerId)).toMatchObject({ AddressIpVersion: "Ipv4" });
        expect(await cloud.nlb("ListLoadBalancers", { AddressIpVersion: asked })).toMatchObject({
            LoadBalancers: [{ LoadBalancerId, AddressIpVersion: "Ipv4" }],
        });
        expect(await cloud.nlb("ListServerGroups")).toMatchObject({
            ServerGroups: [{ ServerGroupId, AddressIPVersion: "Ipv4" }],
        });
    });

    test("joins security groups of its VPC and leaves them", async () => {
        const LoadBalancerId = await balancer();
        cloud.state.securityGroups["sg-1"] = { id: "sg-1", regionId: REGION, vpcId: VpcId, rules: [] } as never;
        await cloud.nlb("LoadBalancerJoinSecurityGroup", { LoadBalancerId, "SecurityGroupIds.1": "sg-1" });
        expect(await attribute(LoadBalancerId)).toMatchObject({ SecurityGroupIds: ["sg-1"] });
        await cloud.nlb("LoadBalancerLeaveSecurityGroup", { LoadBalancerId, "SecurityGroupIds.1": "sg-1" });
        expect(await attribute(LoadBalancerId)).toMatchObject({ SecurityGroupIds: [] });
    });
});

describe("a server group", () => {
    test("takes servers, changes their weights and gives them back", async () => {
        const ServerGroupId = await group({ Protocol: "UDP", Scheduler: "tch" });
        const host = cloud.instance(vswitches[0]!, { zoneId: ZONE });
        const server = { "Servers.1.ServerId": host.id, "Servers.1.ServerType": "Ecs", "Servers.1.Port": "53" };
        await cloud.nlb("AddServersToServerGroup", { ServerGroupId, ...server, "Servers.1.Weight": "30" });
        expect(await cloud.nlbRefusal("AddServersToServerGroup", { ServerGroupId, ...server })).toBe(
            "400 Conflict.BackendServer",
        );
        await cloud.nlb("UpdateServerGroupServersAttribute", { ServerGroupId, ...server, "Servers.1.Weight": "0" });
        const asked = { ServerGroupId, "ServerIds.1": host.id };
        expect(list(await cloud.nlb("ListServerGroupServers", asked), "Servers")).toMatchObject([
            { ServerId: host.id, ServerType: "Ecs", Port: 53, Weight: 0, Status: "Available", ZoneId: ZONE },
        ]);
        await cloud.nlb("RemoveServersFromServerGroup", { ServerGroupId, ...server });
        expect(await cloud.nlbRefusal("RemoveServersFromServerGroup", { ServerGroupId, ...server })).toBe(
            "404 ResourceNotFound.BackendServer",
        );
        expect(
            await cloud.nlbRefusal("AddServersToServerGroup", {
                ServerGroupId,
                ...server,
                "Servers.1.ServerId": "i-0",
            }),
        ).toBe("404 ResourceNotFound.BackendServer");
    });

    test.each([
        ["a name among addresses", "Ip", ["db.example.com"], "400 IllegalParam.ServerIp"],
        ["an address of version 6", "Ip", ["fd00::1"], "400 IllegalParam.ServerIp"],
        ["an address", "Ip", ["10.9.9.9"], "success"],
        ["an address twice", "Ip", ["10.9.9.9", "10.9.9.9"], "400 Conflict.BackendServer"],
        ["a host at another's address", "Instance", ["host 10.9.9.9"], "400 IllegalParam.ServerIp"],
        ["a host twice", "Instance", ["host", "host"], "400 Conflict.BackendServer"],
        ["a host twice, once by its address", "Instance", ["host", "host 10.0.1.100"], "400 Conflict.BackendServer"],
    ])("asked for %s (type %s) answers", async (_about, ServerGroupType, servers, expected) => {
        const ServerGroupId = await group({ ServerGroupType });
        const { id } = cloud.instance(vswitches[0]!);
        const named = servers.flatMap((server, index) => {
            const [host = "", address = ""] = server.split(" ");
            const member = `Servers.${index + 1}`;
            return [
                [`${member}.ServerId`, host === "host" ? id : host],
                [`${member}.ServerType`, ServerGroupType === "Ip" ? "Ip" : "Ecs"],
                [`${member}.ServerIp`, address],
                [`${member}.Port`, "53"],
            ];
        });
        const given = { ServerGroupId, ...(Object.fromEntries(named) as Parameters) };
        expect(await cloud.nlbRefusal("AddServersToServerGroup", given)).toBe(expected);
    });

    test("of UDP hashes QUIC's connections by their source", async () => {
        const ServerGroupId = await group({ Protocol: "UDP", Scheduler: "Qch" });
        const LoadBalancerId = await balancer();
        await listener({ LoadBalancerId, ServerGroupId, ListenerProtocol: "UDP", ListenerPort: "443" });
        expect(await cloud.nlb("ListServerGroups")).toMatchObject({ ServerGroups: [{ Scheduler: "Qch" }] });
        expect(cloud.desired()[0]!.listeners[0]!.pool.scheduler).toBe("sourceHash");
        expect(await cloud.nlbRefusal("CreateServerGroup", { VpcId, ServerGroupName: "tcp", Scheduler: "Qch" })).toBe(
            "400 IllegalParam.Scheduler",
        );
    });

    test("answers the check that it was given, and the cloud's for what it was not", async () => {
        const ServerGroupId = await group({
            "HealthCheckConfig.HealthCheckType": "HTTP",
            "HealthCheckConfig.HealthCheckUrl": "/healthz",
            "HealthCheckConfig.HealthCheckHttpCode.1": "http_2xx",
            "HealthCheckConfig.HealthCheckInterval": "5",
        });
        await cloud.nlb("UpdateServerGroupAttribute", { ServerGroupId, "HealthCheckConfig.HealthyThreshold": "4" });
        const [found] = list(
            await cloud.nlb("ListServerGroups", { "ServerGroupIds.1": ServerGroupId }),
            "ServerGroups",
        );
        expect(found).toMatchObject({
            Protocol: "TCP",
            Scheduler: "Wrr",
            ServerGroupStatus: "Available",
            HealthCheck: {
                HealthCheckEnabled: true,
                HealthCheckType: "HTTP",
                HealthCheckUrl: "/healthz",
                HealthCheckHttpCode: ["http_2xx"],
                HealthCheckInterval: 5,
                HealthCheckConnectTimeout: 5,
                HealthyThreshold: 4,
                UnhealthyThreshold: 2,
            },
        });
        expect(
            await cloud.nlbRefusal("UpdateServerGroupAttribute", {
                ServerGroupId,
                "HealthCheckConfig.HealthCheckType": "UDP",
            }),
        ).toBe("400 IllegalParam.HealthCheckType");
    });
});

describe("listeners", () => {
    test("serve TCP and UDP on one port from groups of their protocol, and say who is not healthy", async () => {
        const LoadBalancerId = await balancer();
        const host = cloud.instance(vswitches[0]!);
        const groups = {
            TCP: await group({
                "HealthCheckConfig.HealthCheckType": "HTTP",
                "HealthCheckConfig.HttpCheckMethod": "HEAD",
            }),
            UDP: await group({
                Protocol: "UDP",
                "HealthCheckConfig.HealthCheckType": "UDP",
                "HealthCheckConfig.HealthCheckReq": "ping",
                "HealthCheckConfig.HealthCheckExp": "pong!",
            }),
        };
        for (const ServerGroupId of Object.values(groups))
            await cloud.nlb("AddServersToServerGroup", {
                ServerGroupId,
                "Servers.1.ServerId": host.id,
                "Servers.1.ServerType": "Ecs",
                "Servers.1.Port": "5353",
            });
        const at53 = { LoadBalancerId, ListenerPort: "53" };
        const tcp = await listener({ ...at53, ServerGroupId: groups.TCP });
        const udp = await listener({ ...at53, ServerGroupId: groups.UDP, ListenerProtocol: "UDP" });
        for (const id of [tcp, udp]) expect(id).not.toMatch(/[:_]/);
        expect(
            await cloud.nlbRefusal("CreateListener", { ...at53, ListenerProtocol: "TCP", ServerGroupId: groups.TCP }),
        ).toBe("400 Conflict.Port");
        expect(
            await cloud.nlbRefusal("CreateListener", {
                ...at53,
                ListenerPort: "54",
                ListenerProtocol: "TCP",
                ServerGroupId: groups.UDP,
            }),
        ).toBe("400 Conflict.Protocol");
        expect(await cloud.nlb("GetListenerAttribute", { ListenerId: udp })).toMatchObject({
            ListenerStatus: "Running",
            ListenerProtocol: "UDP",
            IdleTimeout: 20,
            CertificateIds: [],
        });
        expect(cloud.desired()[0]!.listeners).toMatchObject([
            {
                protocol: "tcp",
                port: 53,
                idleSeconds: 900,
                pool: {
                    groupId: groups.TCP,
                    open: true,
                    servers: [{ port: 5353, weight: 100 }],
                    check: { http: { method: "HEAD" } },
                },
            },
            {
                protocol: "udp",
                port: 53,
                idleSeconds: 20,
                pool: { check: { udp: { request: "ping", expect: "pong!" }, intervalSeconds: 10 } },
            },
        ]);
        await cloud.nlb("UpdateServerGroupAttribute", {
            ServerGroupId: groups.TCP,
            "HealthCheckConfig.HttpCheckMethod": "GET",
        });
        expect(cloud.desired()[0]!.listeners[0]!.pool.check).toMatchObject({ http: { method: "GET" } });
        const [server] = cloud.desired()[0]!.listeners[1]!.pool.servers;
        const health = { listenerId: udp, address: server!.address, port: 5353 };
        cloud.health = [{ ...health, health: "up" }];
        const nonNormal = async () =>
            list(
                await cloud.nlb("GetListenerHealthStatus", { ListenerId: udp }),
                "ListenerHealthStatus.0.ServerGroupInfos.0.NonNormalServers",
            );
        expect(await nonNormal()).toEqual([]);
        cloud.health = [{ ...health, health: "down" }];
        expect(await nonNormal()).toMatchObject([{ ServerId: host.id, Port: 5353, Status: "Unhealthy" }]);
        await cloud.nlb("StopListener", { ListenerId: udp });
        expect(await cloud.nlb("GetListenerAttribute", { ListenerId: udp })).toMatchObject({
            ListenerStatus: "Stopped",
        });
        expect(cloud.desired()[0]!.listeners).toHaveLength(1);
    });

    test("serve TCP and UDP from one group that is for both, and end no TLS for it", async () => {
        const LoadBalancerId = await balancer();
        const ServerGroupId = await group({ Protocol: "TCP_UDP" });
        await cloud.nlb("AddServersToServerGroup", {
            ServerGroupId,
            "Servers.1.ServerId": cloud.instance(vswitches[0]!).id,
            "Servers.1.ServerType": "Ecs",
            "Servers.1.Port": "5353",
        });
        expect(await cloud.nlb("ListServerGroups")).toMatchObject({ ServerGroups: [{ Protocol: "TCP_UDP" }] });
        const at53 = { LoadBalancerId, ListenerPort: "53", ServerGroupId };
        for (const ListenerProtocol of ["TCP", "UDP"]) await listener({ ...at53, ListenerProtocol });
        const pool = { servers: [{ port: 5353 }], check: { timeoutSeconds: 5 } };
        expect(cloud.desired()[0]!.listeners).toMatchObject([
            { protocol: "tcp", port: 53, pool },
            { protocol: "udp", port: 53, pool },
        ]);
        const tls = { ...at53, ListenerPort: "853", ListenerProtocol: "TCPSSL" };
        expect(await cloud.nlbRefusal("CreateListener", tls)).toBe("400 Conflict.Protocol");
    });

    test("tell servers of datagrams of no client", async () => {
        const given = { LoadBalancerId: await balancer(), ListenerPort: "53", ProxyProtocolEnabled: "true" };
        const udp = { ...given, ListenerProtocol: "UDP", ServerGroupId: await group({ Protocol: "UDP" }) };
        expect(await cloud.nlbRefusal("CreateListener", udp)).toBe("400 UnsupportedOperation");
        const ListenerId = await listener({ ...udp, ProxyProtocolEnabled: "false" });
        const change = { ListenerId, ProxyProtocolEnabled: "true" };
        expect(await cloud.nlbRefusal("UpdateListenerAttribute", change)).toBe("400 UnsupportedOperation");
    });

    test.each([
        ["Ppv2VpcIdEnabled", "true", "400 UnsupportedOperation"],
        ["Ppv2PrivateLinkEpIdEnabled", "true", "400 UnsupportedOperation"],
        ["Ppv2PrivateLinkEpsIdEnabled", "true", "400 UnsupportedOperation"],
        ["Ppv2VpcIdEnabled", "false", "success"],
    ])("asked to tell servers of more (%s: %s) answer %s", async (name, value, expected) => {
        const ListenerId = await listener({ LoadBalancerId: await balancer(), ServerGroupId: await group() });
        expect(
            await cloud.nlbRefusal("UpdateListenerAttribute", {
                ListenerId,
                [`ProxyProtocolV2Config.${name}`]: value,
            }),
        ).toBe(expected);
    });

    test("end TLS with a certificate of the certificate service", async () => {
        const LoadBalancerId = await balancer();
        const given = {
            LoadBalancerId,
            ServerGroupId: await group(),
            ListenerProtocol: "TCPSSL",
            ListenerPort: "443",
        };
        expect(await cloud.nlbRefusal("CreateListener", given)).toBe("400 MissingParameter");
        const named = { ...given, "CertificateIds.1": "77-cn-hangzhou" };
        expect(await cloud.nlbRefusal("CreateListener", named)).toBe("404 ResourceNotFound.certificate");
        cloud.state.casCertificates["77"] = { id: "77", certificate: "CERT", privateKey: "KEY" } as never;
        const ListenerId = await listener({ ...named, SecurityPolicyId: "tls_cipher_policy_1_2_strict_with_1_3" });
        expect(cloud.desired()[0]!.listeners[0]).toMatchObject({
            protocol: "tcp",
            tls: { certificate: "CERT\nKEY\n", minimum: "TLSv1.2", maximum: "TLSv1.3", alpn: [] },
        });
        for (const [AlpnPolicy, alpn] of [
            ["HTTP1Only", ["http/1.1", "http/1.0"]],
            ["HTTP2Only", ["h2"]],
            ["HTTP2Optional", ["http/1.1", "http/1.0", "h2"]],
            ["HTTP2Preferred", ["h2", "http/1.1", "http/1.0"]],
        ] as const) {
            await cloud.nlb("UpdateListenerAttribute", { ListenerId, AlpnEnabled: "true", AlpnPolicy });
            expect(cloud.desired()[0]!.listeners[0]!.tls!.alpn).toEqual(alpn);
        }
        const CertificateId = "77-cn-hangzhou";
        expect(await cloud.nlb("ListListenerCertificates", { ListenerId })).toMatchObject({
            ...{ TotalCount: 1, CertificateIds: [CertificateId] },
            Certificates: [{ CertificateId, CertificateType: "Server", IsDefault: true, Status: "Associated" }],
        });
        for (const none of [{ CertType: "Ca" }, { "CertificateIds.1": "78-cn-hangzhou" }] as Parameters[])
            expect(await cloud.nlb("ListListenerCertificates", { ListenerId, ...none })).toMatchObject({
                TotalCount: 0,
            });
        expect(await cloud.refusal("DeleteUserCertificate", { CertId: "77" }, REGION, "2020-04-07")).toBe(
            "400 CertificateInUse",
        );
    });
});

test("every write can be tried without being done, but those of tags and resource groups", () => {
    const wet = actions
        .filter(({ writes, request }) => writes && !Object.values(request.names()).includes("DryRun"))
        .map(({ name }) => name);
    expect(wet.sort()).toEqual(["MoveResourceGroup", "TagResources", "UntagResources"]);
    const reading = actions.filter(({ writes, request }) => !writes && "dryRun" in request.names());
    expect(reading).toEqual([]);
});

test("the cloud's security policies are listed with their versions and suites", async () => {
    const policies = list(await cloud.nlb("ListSystemSecurityPolicy"), "SecurityPolicies");
    expect(policies.map((policy) => [policy["SecurityPolicyId"], policy["TlsVersion"]])).toEqual([
        ["tls_cipher_policy_1_0", "TLSv1.0,TLSv1.1,TLSv1.2"],
        ["tls_cipher_policy_1_1", "TLSv1.1,TLSv1.2"],
        ["tls_cipher_policy_1_2", "TLSv1.2"],
        ["tls_cipher_policy_1_2_strict", "TLSv1.2"],
        ["tls_cipher_policy_1_2_strict_with_1_3", "TLSv1.2,TLSv1.3"],
    ]);
    const suites = policies.map((policy) => String(policy["Ciphers"]).split(","));
    expect(suites.map((list) => list.includes("AES128-SHA"))).toEqual([true, true, true, false, false]);
    expect(suites.map((list) => list.includes("TLS_AES_128_GCM_SHA256"))).toEqual([false, false, false, false, true]);
});

test.each([
    [{}, "Hangzhou Zone H", "China (Hangzhou)"],
    [{ AcceptLanguage: "en-US" }, "Hangzhou Zone H", "China (Hangzhou)"],
    [{ AcceptLanguage: "zh-CN" }, "杭州 可用区H", "华东1（杭州）"],
])("zones and regions with %j are called %s and %s", async (asked, zone, region) => {
    const zones = list(await cloud.nlb("DescribeZones", asked), "Zones");
    expect(zones).toContainEqual({ ZoneId: ZONE, LocalName: zone });
    const regions = list(await cloud.nlb("DescribeRegions", asked), "Regions");
    expect(regions).toContainEqual({
        RegionId: REGION,
        LocalName: region,
        RegionEndpoint: "nlb.cn-hangzhou.aliyuncs.com",
    });
});

test("tags are put on balancers, groups and listeners, and taken off", async () => {
    const ServerGroupId = await group();
    const resource = { ResourceType: "servergroup", "ResourceId.1": ServerGroupId };
    await cloud.nlb("TagResources", { ...resource, "Tag.1.Key": "team", "Tag.1.Value": "a" });
    expect(await cloud.nlb("ListTagResources", resource)).toMatchObject({
        TagResources: [{ ResourceId: ServerGroupId, TagKey: "team", TagValue: "a" }],
    });
    await cloud.nlb("UntagResources", { ...resource, "TagKey.1": "team" });
    expect(await cloud.nlb("ListTagResources", resource)).toMatchObject({ TagResources: [] });
});

test("what a cut-off run left behind is found by name and tags, and removed", async () => {
    const search = alicloudSearch(async (_product, action, parameters) => {
        try {
            return await cloud.nlb(action, parameters);
        } catch (error) {
            if (!(error instanceof CloudError)) throw error;
            throw new RpcError(error.code, error.message, error.status);
        }
    }, REGION);
    const found = async (type: string, inputs: Record<string, unknown>) =>
        (await search.find(`alicloud:nlb/${type}`, inputs)) ?? [];
    const loadBalancerId = await balancer({ LoadBalancerName: "entry" });
    const serverGroupId = await group({ ServerGroupName: "entry-80" });
    const server = cloud.instance(vswitches[0]!);
    await cloud.nlb("AddServersToServerGroup", {
        ServerGroupId: serverGroupId,
        "Servers.1.ServerId": server.id,
        "Servers.1.ServerType": "Ecs",
        "Servers.1.Port": "8080",
    });
    await listener({ LoadBalancerId: loadBalancerId, ServerGroupId: serverGroupId });
    for (const [type, inputs, other] of [
        ["listener:Listener", { loadBalancerId, listenerPort: 80, listenerProtocol: "TCP" }, { listenerPort: 81 }],
        [
            "serverGroupServerAttachment:ServerGroupServerAttachment",
            { serverGroupId, serverId: server.id, port: 8080 },
            { port: 8081 },
        ],
        ["serverGroup:ServerGroup", { serverGroupName: "entry-80" }, { serverGroupName: "entry-81" }],
        ["loadBalancer:LoadBalancer", { loadBalancerName: "entry" }, { loadBalancerName: "other" }],
    ] as const) {
        expect(await found(type, { ...inputs, ...other })).toEqual([]);
        const orphans = await found(type, inputs);
        expect(orphans).toHaveLength(1);
        await orphans[0]!.remove();
        expect(await found(type, inputs)).toEqual([]);
    }
});

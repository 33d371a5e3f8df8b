import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { project } from "../../../lab/model/project";
import { forgetServers } from "../../../lab/model/slb";
import { alicloudSearch } from "../../../lab/orphans";
import { OTHER_ZONE, Parameters, REGION } from "../lab-vpc/harness";
import { BalancerCloud, at, forwardTo, list, text } from "./harness";

let folder: string;
let pem: { readonly certificate: string; readonly key: string; readonly otherKey: string };
beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-alb-"));
    const key = (name: string): string => {
        execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", join(folder, name)]);
        return readFileSync(join(folder, name), "utf8");
    };
    const own = key("key");
    const subject = ["-subj", "/CN=shop.example.com"];
    execFileSync(
        "openssl",
        ["req", "-x509", "-key", join(folder, "key"), "-days", "2", ...subject, "-out", join(folder, "crt")],
        { stdio: "ignore" },
    );
    pem = { certificate: readFileSync(join(folder, "crt"), "utf8"), key: own, otherKey: key("other") };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let cloud: BalancerCloud;
beforeEach(async () => {
    cloud = new BalancerCloud();
    await cloud.network();
});

const attribute = (LoadBalancerId: string) => cloud.alb("GetLoadBalancerAttribute", { LoadBalancerId });

describe("a balancer", () => {
    test("is provisioning at first, and then has an address in each of its zones and a name", async () => {
        const id = text(await cloud.alb("CreateLoadBalancer", cloud.wanted()), "LoadBalancerId");
        expect(await attribute(id)).toMatchObject({ LoadBalancerStatus: "Provisioning" });
        expect(await cloud.albRefusal("DeleteLoadBalancer", { LoadBalancerId: id })).toBe(
            "400 IncorrectStatus.LoadBalancer",
        );
        cloud.settle();
        const answer = await attribute(id);
        expect(answer).toMatchObject({
            LoadBalancerStatus: "Active",
            AddressType: "Internet",
            LoadBalancerBillingConfig: { PayType: "PostPay" },
            DNSName: `${id}.cn-hangzhou.alb.aliyuncs.com`,
            DeletionProtectionConfig: { Enabled: false },
        });
        expect(list(answer, "ZoneMappings").map((zone) => at(zone, "LoadBalancerAddresses.0"))).toEqual([
            expect.objectContaining({ Address: "127.77.0.1", IntranetAddress: "10.0.1.1", EipType: "Common" }),
            expect.objectContaining({ Address: "127.77.0.2", IntranetAddress: "10.0.2.1", EipType: "Common" }),
        ]);
        expect(cloud.desired()).toEqual([
            { id, addresses: ["127.77.0.1", "127.77.0.2"], vpcId: cloud.vpcId, listeners: [] },
        ]);
    });

    test("is found by what it is", async () => {
        const id = await cloud.balancer();
        const other = await cloud.balancer({ AddressType: "Intranet" });
        const ids = async (filter: Record<string, string>) =>
            list(await cloud.alb("ListLoadBalancers", filter), "LoadBalancers").map(
                ({ LoadBalancerId }) => LoadBalancerId,
            );
        expect(await ids({ DNSName: `${id}.cn-hangzhou.alb.aliyuncs.com` })).toEqual([id]);
        for (const [name, its, others] of [
            ["LoadBalancerBussinessStatus", "Normal", "Abnormal"],
            ["AddressIpVersion", "IPv4", "DualStack"],
            ["PayType", "PostPay", "PrePay"],
        ] as const) {
            expect(await ids({ [name]: its })).toEqual([id, other]);
            expect(await ids({ [name]: others })).toEqual([]);
        }
    });

    test("within a VPC listens there, and hosts know its name", async () => {
        const id = await cloud.balancer({ AddressType: "Intranet" });
        expect(cloud.desired()[0]).toMatchObject({ addresses: ["10.0.1.1", "10.0.2.1"] });
        expect(project(cloud.state).zones).toEqual([
            expect.objectContaining({
                name: `${id}.cn-hangzhou.alb.aliyuncs.com`,
                vpcIds: [cloud.vpcId],
                records: [
                    expect.objectContaining({ type: "A", value: "10.0.1.1" }),
                    expect.objectContaining({ type: "A", value: "10.0.2.1" }),
                ],
            }),
        ]);
    });

    test.each([
        [{ "ZoneMappings.2.ZoneId": "cn-hangzhou-h" }, "400 IllegalParam.ZoneMappings"],
        [{ "ZoneMappings.2.VSwitchId": "vsw-none" }, "404 ResourceNotFound.VSwitch"],
        [{ VpcId: "vpc-none" }, "404 ResourceNotFound.Vpc"],
        [{ LoadBalancerEdition: "Gold" }, "400 IllegalParam.LoadBalancerEdition"],
        [{ "LoadBalancerBillingConfig.PayType": "PrePay" }, "400 IllegalParam.PayType"],
        [{ "SecurityGroupIds.1.SecurityGroupId": "sg-1" }, "400 UnsupportedOperation"],
    ])("%j is refused with %s", async (change, expected) => {
        expect(await cloud.albRefusal("CreateLoadBalancer", cloud.wanted(change))).toBe(expected);
    });

    test("that is protected stays, and holds its VSwitches while it is there", async () => {
        const LoadBalancerId = await cloud.balancer();
        await cloud.alb("EnableDeletionProtection", { ResourceId: LoadBalancerId });
        expect(await cloud.albRefusal("DeleteLoadBalancer", { LoadBalancerId })).toBe(
            "400 OperationDenied.DeletionProtection",
        );
        expect(await cloud.refusal("DeleteVSwitch", { VSwitchId: cloud.vswitches[0] })).toBe(
            "400 DependencyViolation.ALB",
        );
        await cloud.alb("DisableDeletionProtection", { ResourceId: LoadBalancerId });
        const job = text(await cloud.alb("DeleteLoadBalancer", { LoadBalancerId }), "JobId");
        const jobs = async () => list(await cloud.alb("ListAsynJobs", { "JobIds.1": job }), "Jobs");
        expect(await jobs()).toMatchObject([{ Status: "Processing", ResourceId: LoadBalancerId }]);
        cloud.settle();
        expect(await jobs()).toMatchObject([{ Status: "Succeeded" }]);
        expect(await cloud.albRefusal("GetLoadBalancerAttribute", { LoadBalancerId })).toBe(
            "404 ResourceNotFound.LoadBalancer",
        );
        expect(await cloud.refusal("DeleteVSwitch", { VSwitchId: cloud.vswitches[0] })).toBe("success");
    });

    test("stays as it is, or is not made, when an address is missing", async () => {
        const LoadBalancerId = await cloud.balancer({ AddressType: "Intranet" });
        const small = await cloud.vswitch(cloud.vpcId, "10.0.9.0/29", { ZoneId: OTHER_ZONE });
        for (const primaryIp of ["10.0.9.1", "10.0.9.2", "10.0.9.3", "10.0.9.4"])
            cloud.networkInterface(small, { primaryIp });
        const zones = cloud.wanted({ AddressType: "Intranet", "ZoneMappings.2.VSwitchId": small });
        expect(await cloud.albRefusal("CreateLoadBalancer", zones)).toBe("400 ResourceNotEnough.VSwitchIp");
        expect(await cloud.albRefusal("UpdateLoadBalancerZones", { ...zones, LoadBalancerId })).toBe(
            "400 ResourceNotEnough.VSwitchIp",
        );
        Object.assign(cloud.store, { eipRange: "127.77.0.0/32" });
        const outside = { LoadBalancerId, AddressType: "Internet" };
        expect(await cloud.albRefusal("UpdateLoadBalancerAddressTypeConfig", outside)).toBe(
            "400 QuotaExceeded.EipsNum",
        );
    });

    test("has another internet address in each zone, or is refused", async () => {
        Object.assign(cloud.store, { eipRange: "127.77.0.0/31" });
        await expect(cloud.balancer()).rejects.toMatchObject({ code: "QuotaExceeded.EipsNum" });
        expect(cloud.desired()).toEqual([]);
    });

    test("gets the address that it asks for in a VSwitch, or none where another has it", async () => {
        cloud.networkInterface(cloud.vswitches[1], { primaryIp: "10.0.2.9" });
        const wish = (address: string): Parameters =>
            cloud.wanted({ AddressType: "Intranet", "ZoneMappings.2.IntranetAddress": address });
        expect(await cloud.albRefusal("CreateLoadBalancer", wish("10.0.2.9"))).toBe("400 IllegalParam.IntranetAddress");
        const LoadBalancerId = await cloud.balancer(wish("10.0.2.10"));
        expect(cloud.desired()[0]!.addresses).toEqual(["10.0.1.1", "10.0.2.10"]);
        // A client repeats what it has read.
        await cloud.alb("UpdateLoadBalancerZones", { ...wish("10.0.2.10"), LoadBalancerId });
        expect(cloud.desired()[0]!.addresses).toEqual(["10.0.1.1", "10.0.2.10"]);
        const other = await cloud.vswitch(cloud.vpcId, "10.0.3.0/24", { ZoneId: OTHER_ZONE });
        cloud.networkInterface(other, { primaryIp: "10.0.3.9" });
        cloud.settle();
        expect(
            await cloud.albRefusal("UpdateLoadBalancerZones", {
                ...wish("10.0.3.9"),
                "ZoneMappings.2.VSwitchId": other,
                LoadBalancerId,
            }),
        ).toBe("400 IllegalParam.IntranetAddress");
    });

    test("changes its zones and its kind of address, and keeps the addresses that stay", async () => {
        const LoadBalancerId = await cloud.balancer();
        const third = await cloud.vswitch(cloud.vpcId, "10.0.3.0/24", { ZoneId: "cn-hangzhou-k" });
        await cloud.alb("UpdateLoadBalancerZones", {
            LoadBalancerId,
            "ZoneMappings.1.ZoneId": "cn-hangzhou-h",
            "ZoneMappings.1.VSwitchId": cloud.vswitches[0],
            "ZoneMappings.2.ZoneId": "cn-hangzhou-k",
            "ZoneMappings.2.VSwitchId": third,
        });
        expect(cloud.desired()[0]!.addresses).toEqual(["127.77.0.1", "127.77.0.3"]);
        cloud.settle();
        const inside = { LoadBalancerId, AddressType: "Intranet" };
        const own = text(await attribute(LoadBalancerId), "ZoneMappings.0.LoadBalancerAddresses.0.AllocationId");
        expect(
            await cloud.albRefusal("UpdateLoadBalancerAddressTypeConfig", {
                ...inside,
                "ZoneMappings.1.AllocationId": "eip-1",
            }),
        ).toBe("400 UnsupportedOperation");
        await cloud.alb("UpdateLoadBalancerAddressTypeConfig", { ...inside, "ZoneMappings.1.AllocationId": own });
        expect(cloud.desired()[0]!.addresses).toEqual(["10.0.1.1", "10.0.3.1"]);
    });
});

describe("a server group", () => {
    test("answers the defaults that providers have", async () => {
        const ServerGroupId = await cloud.group();
        const found = await cloud.alb("ListServerGroups", { "ServerGroupIds.1": ServerGroupId });
        expect(list(found, "ServerGroups")).toMatchObject([
            {
                ServerGroupStatus: "Available",
                ServerGroupType: "Instance",
                Protocol: "HTTP",
                Scheduler: "Wrr",
                HealthCheckConfig: {
                    HealthCheckEnabled: true,
                    HealthCheckProtocol: "HTTP",
                    HealthCheckHost: "$SERVER_IP",
                    HealthCheckCodes: ["http_2xx"],
                    HealthCheckInterval: 2,
                },
                StickySessionConfig: { StickySessionEnabled: false },
                ConnectionDrainConfig: { ConnectionDrainEnabled: false },
            },
        ]);
    });

    test("takes servers of its VPC once, changes their weight and lets them go", async () => {
        const ServerGroupId = await cloud.group();
        const one = cloud.instance(cloud.vswitches[0]).id;
        await cloud.add(ServerGroupId, [{ id: one, weight: 30 }]);
        const servers = async () => list(await cloud.alb("ListServerGroupServers", { ServerGroupId }), "Servers");
        expect(await servers()).toMatchObject([
            { ServerId: one, ServerIp: "10.0.1.100", ServerType: "Ecs", Port: 8080, Weight: 30, Status: "Available" },
        ]);
        const named = { ServerGroupId, "Servers.1.ServerId": one, "Servers.1.Port": "8080" };
        expect(await cloud.albRefusal("AddServersToServerGroup", named)).toBe("400 ResourceAlreadyExist.BackendServer");
        const twice = { ...named, "Servers.1.Port": "81", "Servers.2.ServerId": one, "Servers.2.Port": "81" };
        expect(await cloud.albRefusal("AddServersToServerGroup", twice)).toBe("400 ResourceAlreadyExist.BackendServer");
        const elsewhere = await cloud.vswitch(await cloud.vpc({ CidrBlock: "10.9.0.0/16" }), "10.9.1.0/24");
        const foreign = { ServerGroupId, "Servers.1.ServerId": cloud.instance(elsewhere).id, "Servers.1.Port": "80" };
        expect(await cloud.albRefusal("AddServersToServerGroup", foreign)).toBe("400 Mismatch.VpcIdAndServerId");
        await cloud.alb("UpdateServerGroupServersAttribute", { ...named, "Servers.1.Weight": "7" });
        expect(await servers()).toMatchObject([{ Weight: 7 }]);
        await cloud.alb("RemoveServersFromServerGroup", named);
        expect(await servers()).toEqual([]);
    });

    test("in use stays", async () => {
        const ServerGroupId = await cloud.group();
        const ListenerId = await cloud.listener(await cloud.balancer(), ServerGroupId);
        expect(await cloud.albRefusal("DeleteServerGroup", { ServerGroupId })).toBe("400 ResourceInUse.ServerGroup");
        await cloud.alb("DeleteListener", { ListenerId });
        expect(await cloud.albRefusal("DeleteServerGroup", { ServerGroupId })).toBe("success");
    });

    test.each([
        [{ "HealthCheckConfig.HealthCheckInterval": "51" }, "400 IllegalParam.HealthCheckInterval"],
        [{ "HealthCheckConfig.HealthCheckPath": "x" }, "400 IllegalParam.HealthCheckPath"],
        [
            { "StickySessionConfig.StickySessionEnabled": "true", "StickySessionConfig.StickySessionType": "Server" },
            "400 IllegalParam.Cookie",
        ],
        [{ "HealthCheckConfig.HealthCheckHost": "100%" }, "400 IllegalParam.HealthCheckHost"],
        [{ "HealthCheckConfig.HealthCheckHost": "$SERVER_IP" }, "success"],
        [
            {
                "StickySessionConfig.StickySessionEnabled": "true",
                "StickySessionConfig.StickySessionType": "Server",
                "StickySessionConfig.Cookie": "a b",
            },
            "400 IllegalParam.Cookie",
        ],
        [{ ServerGroupType: "Fc" }, "400 UnsupportedOperation"],
        [{ Ipv6Enabled: "true" }, "400 UnsupportedOperation"],
        [{ Ipv6Enabled: "false" }, "success"],
        [{ Scheduler: "Random" }, "400 IllegalParam.Scheduler"],
    ])("with %j answers %s", async (change, expected) => {
        const given = { ServerGroupName: "web", VpcId: cloud.vpcId, ...change };
        expect(await cloud.albRefusal("CreateServerGroup", given)).toBe(expected);
    });
});

describe("a listener", () => {
    test("forwards to its group as the group says, and a rule before it redirects", async () => {
        const LoadBalancerId = await cloud.balancer();
        const group = await cloud.group({
            "HealthCheckConfig.HealthCheckPath": "/healthz",
            "HealthCheckConfig.HealthCheckMethod": "GET",
            "StickySessionConfig.StickySessionEnabled": "true",
            "StickySessionConfig.StickySessionType": "Insert",
            "StickySessionConfig.CookieTimeout": "60",
        });
        const one = cloud.instance(cloud.vswitches[0]).id;
        await cloud.add(group, [{ id: one, weight: 30 }]);
        const ListenerId = await cloud.listener(LoadBalancerId, group, {
            "XForwardedForConfig.XForwardedForProtoEnabled": "true",
            "XForwardedForConfig.XForwardedForSLBIdEnabled": "true",
        });
        const redirect = {
            ListenerId,
            RuleName: "https",
            Priority: "1",
            "RuleConditions.1.Type": "Path",
            "RuleConditions.1.PathConfig.Values.1": "/*",
            "RuleActions.1.Type": "Redirect",
            "RuleActions.1.Order": "1",
            "RuleActions.1.RedirectConfig.Protocol": "HTTPS",
            "RuleActions.1.RedirectConfig.Port": "443",
            "RuleActions.1.RedirectConfig.HttpCode": "301",
        };
        const RuleId = text(await cloud.alb("CreateRule", redirect), "RuleId");
        expect(await cloud.albRefusal("CreateRule", redirect)).toBe("400 Conflict.Priority");
        expect(cloud.desired()[0]!.listeners).toMatchObject([
            {
                protocol: "http",
                port: 80,
                forwardedFor: true,
                badGateway: true,
                headers: [
                    { name: "X-Forwarded-Proto" },
                    { name: "SLB-ID", value: { kind: "text", text: LoadBalancerId } },
                ],
                rules: [
                    { id: RuleId, domains: [], paths: ["/*"], redirect: { protocol: "https", port: 443, code: 301 } },
                ],
                pool: {
                    groupId: group,
                    scheduler: "weighted",
                    servers: [{ id: one, address: "10.0.1.100", port: 8080, weight: 30 }],
                    check: {
                        http: { method: "GET", path: "/healthz", version: "1.1", classes: [2] },
                        intervalSeconds: 2,
                    },
                    open: true,
                    stickiness: { kind: "insert", seconds: 60 },
                },
            },
        ]);
        expect(list(await cloud.alb("ListRules", { "RuleIds.1": RuleId }), "Rules")).toMatchObject([
            {
                Direction: "Request",
                Priority: 1,
                RuleStatus: "Available",
                RuleActions: [{ Type: "Redirect", Order: 1, RedirectConfig: { Host: "${host}", Path: "${path}" } }],
                RuleConditions: [{ Type: "Path", PathConfig: { Values: ["/*"] } }],
            },
        ]);
        await cloud.alb("UpdateRuleAttribute", {
            RuleId,
            "RuleActions.1.Type": "ForwardGroup",
            "RuleActions.1.ForwardGroupConfig.ServerGroupTuples.1.ServerGroupId": group,
        });
        expect(cloud.desired()[0]!.listeners[0]!.rules).toMatchObject([{ pool: { servers: [{ id: one }] } }]);
        await cloud.alb("DeleteRule", { RuleId });
        expect(cloud.desired()[0]!.listeners[0]!.rules).toEqual([]);
    });

    test.each([
        [{ XForwardedForHostEnabled: "true" }, "400 UnsupportedOperation"],
        [{ XForwardedForClientSourceIpsEnabled: "true" }, "400 UnsupportedOperation"],
        [{ XForwardedForClientSourceIpsTrusted: "10.1.1.0/24" }, "400 UnsupportedOperation"],
        [{ XForwardedForProcessingMode: "remove" }, "400 UnsupportedOperation"],
        [
            {
                XForwardedForHostEnabled: "false",
                XForwardedForClientCertFingerprintEnabled: "false",
                XForwardedForClientSourceIpsTrusted: "",
                XForwardedForProcessingMode: "append",
                XForwardedForProtoEnabled: "true",
            },
            "success",
        ],
    ])("asked for %j answers %s", async (forwarded, expected) => {
        const ListenerId = await cloud.listener(await cloud.balancer(), await cloud.group());
        const named = Object.entries(forwarded).map(([name, value]) => [`XForwardedForConfig.${name}`, value]);
        expect(
            await cloud.albRefusal("UpdateListenerAttribute", {
                ListenerId,
                ...(Object.fromEntries(named) as Record<string, string>),
            }),
        ).toBe(expected);
    });

    const host = (value: string) => ({
        "RuleConditions.1.Type": "Host",
        "RuleConditions.1.HostConfig.Values.1": value,
    });
    const path = (value: string) => ({
        "RuleConditions.1.Type": "Path",
        "RuleConditions.1.PathConfig.Values.1": value,
    });
    const redirect = (Host: string) => ({ ...path("/*"), "RuleActions.1.RedirectConfig.Host": Host });
    test.each([
        [host("shop.example.com"), "success"],
        [host("*.example.com"), "success"],
        [host("*"), "400 IllegalParam.HostConfig"],
        [host(""), "400 IllegalParam.HostConfig"],
        [host("a b.example.com"), "400 IllegalParam.HostConfig"],
        [host(".example.com"), "400 IllegalParam.HostConfig"],
        [host("localhost"), "400 IllegalParam.HostConfig"],
        [path("/a-b_c/*"), "success"],
        [path(""), "400 IllegalParam.PathConfig"],
        [path("a"), "400 IllegalParam.PathConfig"],
        [path("/a\n    server"), "400 IllegalParam.PathConfig"],
        [{ "RuleConditions.1.Type": "Path" }, "400 IllegalParam.PathConfig"],
        [redirect("shop.example.com"), "success"],
        [redirect("${host}"), "success"],
        // What the provider sends of a redirection that a program says only the protocol of.
        [
            {
                ...redirect(""),
                "RuleActions.1.RedirectConfig.Port": "",
                "RuleActions.1.RedirectConfig.HttpCode": "",
                "RuleActions.1.RedirectConfig.Path": "",
                "RuleActions.1.RedirectConfig.Query": "",
            },
            "success",
        ],
        [{ ...redirect(""), "RuleActions.1.RedirectConfig.Path": "/other" }, "400 UnsupportedOperation"],
        [redirect("a b"), "400 IllegalParam.Host"],
        [redirect("a.b c"), "400 IllegalParam.Host"],
        [redirect("shop"), "400 IllegalParam.Host"],
        [redirect("*.example.com"), "400 UnsupportedOperation"],
        [{ ...redirect("${host}"), "RuleActions.1.RedirectConfig.Port": "80.5" }, "400 IllegalParam.Port"],
    ])("a rule with %j answers %s", async (more, expected) => {
        const ListenerId = await cloud.listener(await cloud.balancer(), await cloud.group());
        expect(
            await cloud.albRefusal("CreateRule", {
                ListenerId,
                RuleName: "https",
                Priority: "1",
                "RuleActions.1.Type": "Redirect",
                "RuleActions.1.RedirectConfig.Protocol": "HTTPS",
                ...(more as Record<string, string>),
            }),
        ).toBe(expected);
    });

    test("answers order, weight and stickiness of a rule as they were asked for", async () => {
        const group = await cloud.group();
        const ListenerId = await cloud.listener(await cloud.balancer(), group);
        const forward = {
            ...host("shop.example.com"),
            "RuleActions.1.Type": "ForwardGroup",
            "RuleActions.1.ForwardGroupConfig.ServerGroupTuples.1.ServerGroupId": group,
        };
        const created = await cloud.alb("CreateRule", { ListenerId, RuleName: "shop", Priority: "1", ...forward });
        const RuleId = text(created, "RuleId");
        const action = async () =>
            at(await cloud.alb("ListRules", { "RuleIds.1": RuleId }), "Rules.0.RuleActions.0") as Record<
                string,
                unknown
            >;
        const config = (more: object) => ({
            ForwardGroupConfig: { ServerGroupTuples: [{ ServerGroupId: group, Weight: 100 }], ...more },
        });
        expect(await action()).toEqual({ Type: "ForwardGroup", Order: 1, ...config({}) });

        const update = (order: string, weight: string, enabled: string, timeout: string) =>
            cloud.albRefusal("UpdateRuleAttribute", {
                RuleId,
                ...forward,
                "RuleActions.1.Order": order,
                "RuleActions.1.ForwardGroupConfig.ServerGroupTuples.1.Weight": weight,
                "RuleActions.1.ForwardGroupConfig.ServerGroupStickySession.Enabled": enabled,
                "RuleActions.1.ForwardGroupConfig.ServerGroupStickySession.Timeout": timeout,
            });
        expect(await update("10", "30", "true", "60")).toBe("success");
        expect(await action()).toEqual({
            Type: "ForwardGroup",
            Order: 10,
            ForwardGroupConfig: {
                ServerGroupTuples: [{ ServerGroupId: group, Weight: 30 }],
                ServerGroupStickySession: { Enabled: true, Timeout: 60 },
            },
        });
        expect(await update("1", "100", "true", "0")).toBe("success");
        expect(await action()).toMatchObject(config({ ServerGroupStickySession: { Enabled: true, Timeout: 1000 } }));
        // What the provider sends where a program says that it wants none.
        expect(await update("1", "100", "false", "0")).toBe("success");
        expect(await action()).toMatchObject(config({ ServerGroupStickySession: { Enabled: false } }));
        expect(await update("0", "100", "false", "0")).toBe("400 IllegalParam.Order");
        expect(await update("1", "101", "false", "0")).toBe("400 IllegalParam.Weight");
        expect(await update("1", "100", "true", "86401")).toBe("400 IllegalParam.Timeout");

        cloud.state.albRules[RuleId]!.action = { kind: "forward", serverGroupId: group };
        expect(await action()).toEqual({ Type: "ForwardGroup", Order: 1, ...config({}) });
        await cloud.alb("UpdateRuleAttribute", {
            RuleId,
            "RuleActions.1.Type": "Redirect",
            "RuleActions.1.Order": "7",
            "RuleActions.1.RedirectConfig.Protocol": "HTTPS",
        });
        expect(await action()).toMatchObject({ Type: "Redirect", Order: 7 });
    });

    test("tells of servers that are not well, and of those that are checked by nobody yet", async () => {
        const group = await cloud.group();
        const [one, two] = [cloud.instance(cloud.vswitches[0]), cloud.instance(cloud.vswitches[1])];
        await cloud.add(group, [{ id: one.id }, { id: two.id }]);
        const ListenerId = await cloud.listener(await cloud.balancer(), group);
        cloud.health = [{ listenerId: ListenerId, address: "10.0.1.100", port: 8080, health: "up" }];
        const info = async () =>
            at(await cloud.alb("GetListenerHealthStatus", { ListenerId }), "ListenerHealthStatus.0.ServerGroupInfos.0");
        expect(await info()).toMatchObject({
            HealthCheckEnabled: "on",
            NonNormalServers: [{ ServerId: two.id, Status: "Unused" }],
        });
        cloud.health = [{ listenerId: ListenerId, address: "10.0.1.100", port: 8080, health: "down" }];
        expect(await info()).toMatchObject({ NonNormalServers: [{ Status: "Unavailable" }, { Status: "Unused" }] });
    });

    test("stops, starts and changes, one change at a time", async () => {
        const ListenerId = await cloud.listener(await cloud.balancer(), await cloud.group());
        await cloud.alb("StopListener", { ListenerId });
        expect(await cloud.albRefusal("StartListener", { ListenerId })).toBe("400 IncorrectStatus.Listener");
        cloud.settle();
        expect(await cloud.alb("GetListenerAttribute", { ListenerId })).toMatchObject({ ListenerStatus: "Stopped" });
        expect(cloud.desired()[0]!.listeners).toEqual([]);
        await cloud.alb("StartListener", { ListenerId });
        cloud.settle();
        await cloud.alb("UpdateListenerAttribute", { ListenerId, IdleTimeout: "33", GzipEnabled: "false" });
        expect(cloud.desired()[0]!.listeners).toMatchObject([{ idleSeconds: 33, gzip: false, requestSeconds: 60 }]);
    });

    test("admits only those whom its list names, and the list stays as long as it does", async () => {
        const ListenerId = await cloud.listener(await cloud.balancer(), await cloud.group());
        const AclId = text(await cloud.alb("CreateAcl", { AclName: "office" }), "AclId");
        const entry = { AclId, "AclEntries.1.Entry": "203.0.113.0/24", "AclEntries.1.Description": "office" };
        await cloud.alb("AddEntriesToAcl", entry);
        expect(await cloud.albRefusal("AddEntriesToAcl", entry)).toBe("400 ResourceAlreadyExist.AclEntry");
        expect(await cloud.albRefusal("AddEntriesToAcl", { AclId, "AclEntries.1.Entry": "203.0.113.1/24" })).toBe(
            "400 IllegalParam.Entry",
        );
        await cloud.alb("AssociateAclsWithListener", { ListenerId, AclType: "White", "AclIds.1": AclId });
        cloud.settle();
        expect(cloud.desired()[0]!.listeners[0]!.access).toEqual({ kind: "allow", cidrs: ["203.0.113.0/24"] });
        expect(await cloud.alb("GetListenerAttribute", { ListenerId })).toMatchObject({
            AclConfig: { AclType: "White", AclRelations: [{ AclId, Status: "Associated" }] },
        });
        expect(await cloud.albRefusal("DeleteAcl", { AclId })).toBe("400 ResourceInUse.Acl");
        await cloud.alb("DissociateAclsFromListener", { ListenerId, "AclIds.1": AclId });
        expect(await cloud.alb("GetListenerAttribute", { ListenerId })).toMatchObject({
            AclConfig: { AclRelations: [] },
        });
        expect(await cloud.albRefusal("DeleteAcl", { AclId })).toBe("success");
    });

    test("has a port of its own, and a certificate of the service's when it speaks TLS", async () => {
        const LoadBalancerId = await cloud.balancer();
        const group = await cloud.group();
        await cloud.listener(LoadBalancerId, group);
        const other = { LoadBalancerId, ListenerProtocol: "HTTP", ListenerPort: "80", ...forwardTo(group) };
        expect(await cloud.albRefusal("CreateListener", other)).toBe("400 ResourceAlreadyExist.Listener");
        const https = { ...other, ListenerProtocol: "HTTPS", ListenerPort: "443" };
        expect(await cloud.albRefusal("CreateListener", https)).toBe("400 MissingParameter");
        expect(
            await cloud.albRefusal("CreateListener", { ...https, "Certificates.1.CertificateId": "1-cn-hangzhou" }),
        ).toBe("404 ResourceNotFound.Certificate");
        const upload = { Name: "entry-443", Cert: pem.certificate, Key: pem.key };
        const number = at(await cloud.cas("UploadUserCertificate", upload), "CertId") as number;
        const CertId = String(number);
        const ListenerId = await cloud.listener(LoadBalancerId, group, {
            ...https,
            "Certificates.1.CertificateId": `${CertId}-cn-hangzhou`,
            SecurityPolicyId: "tls_cipher_policy_1_2_strict_with_1_3",
        });
        expect(cloud.desired()[0]!.listeners[1]).toMatchObject({
            protocol: "https",
            tls: {
                certificate: `${pem.certificate.trim()}\n${pem.key.trim()}\n`,
                minimum: "TLSv1.2",
                maximum: "TLSv1.3",
                alpn: ["h2", "http/1.1"],
            },
        });
        const listed = { CertificateId: `${CertId}-cn-hangzhou`, CertificateType: "Server", IsDefault: true };
        expect(await cloud.alb("ListListenerCertificates", { ListenerId })).toMatchObject({
            TotalCount: 1,
            Certificates: [{ ...listed, Status: "Associated" }],
        });
        expect(await cloud.alb("ListListenerCertificates", { ListenerId, CertificateType: "Ca" })).toMatchObject({
            TotalCount: 0,
        });
        expect(await cloud.casRefusal("DeleteUserCertificate", { CertId })).toBe("400 CertificateInUse");
    });
});

test("a host that is released is in no group any more", async () => {
    const ServerGroupId = await cloud.group();
    const nic = cloud.networkInterface(cloud.vswitches[0]);
    await cloud.alb("AddServersToServerGroup", {
        ServerGroupId,
        "Servers.1.ServerId": nic.id,
        "Servers.1.ServerType": "Eni",
        "Servers.1.Port": "80",
    });
    forgetServers(cloud.state, new Set([nic.id]));
    expect(list(await cloud.alb("ListServerGroupServers", { ServerGroupId }), "Servers")).toEqual([]);
});

describe("the certificate service", () => {
    test("keeps certificates with their keys by number", async () => {
        const upload = {
            Name: "entry",
            Cert: pem.certificate,
            Key: pem.key,
            "Tags.1.Key": "team",
            "Tags.1.Value": "a",
        };
        const CertId = String(at(await cloud.cas("UploadUserCertificate", upload), "CertId"));
        expect(await cloud.cas("GetUserCertificateDetail", { CertId })).toMatchObject({
            Name: "entry",
            CertIdentifier: `${CertId}-cn-hangzhou`,
            Cert: pem.certificate,
            Key: pem.key,
            Common: "shop.example.com",
            Tags: [{ Key: "team", Value: "a" }],
        });
        const older = await cloud.cas("DescribeUserCertificateDetail", { CertId }, "2018-07-13");
        expect(older).toMatchObject({
            Id: Number(CertId),
            Name: "entry",
            Cert: pem.certificate,
            Key: pem.key,
            Common: "shop.example.com",
            Expired: false,
            BuyInAliyun: false,
        });
        expect(await cloud.casRefusal("UploadUserCertificate", upload)).toBe("400 NameRepeat");
        await cloud.cas("CreateCertificateName", { CertificateId: CertId, Name: "other" }, "2018-08-13");
        expect(await cloud.cas("GetUserCertificateDetail", { CertId })).toMatchObject({ Name: "other" });
        await cloud.cas("DeleteUserCertificate", { CertId });
        expect(await cloud.casRefusal("GetUserCertificateDetail", { CertId })).toBe("404 NotFound");
    });

    test("lists certificates by what becomes of them, and without being asked those that can be used", async () => {
        await cloud.cas("UploadUserCertificate", { Name: "entry", Cert: pem.certificate, Key: pem.key });
        const end = Date.parse(new X509Certificate(pem.certificate).validTo);
        const found = async (Status?: string): Promise<unknown[]> =>
            list(
                await cloud.cas("ListUserCertificateOrder", { OrderType: "UPLOAD", ...(Status && { Status }) }),
                "CertificateOrderList",
            ).map((certificate) => certificate["Status"]);
        for (const [daysBefore, status] of [
            [31, "ISSUED"],
            [29, "WILLEXPIRED"],
            [-1, "EXPIRED"],
        ] as const) {
            cloud.now = new Date(end - daysBefore * 24 * 60 * 60 * 1000).toISOString();
            expect(await found()).toEqual(status === "EXPIRED" ? [] : [status]);
            for (const asked of ["ISSUED", "WILLEXPIRED", "EXPIRED"])
                expect(await found(asked)).toEqual(asked === status ? [status] : []);
        }
    });

    test("refuses a key that is another's, and what is no certificate", async () => {
        const upload = { Name: "entry", Cert: pem.certificate, Key: pem.otherKey };
        expect(await cloud.casRefusal("UploadUserCertificate", upload)).toBe("400 CertKeyNotMatch");
        expect(await cloud.casRefusal("UploadUserCertificate", { ...upload, Cert: "x" })).toBe("400 InvalidParameter");
    });
});

test.each([
    ["shop", "success"],
    ["2nd shop", "success"],
    ["店铺", "success"],
    ["x", "400 IllegalParam.LoadBalancerName"],
    ["-shop", "400 IllegalParam.LoadBalancerName"],
    [" shop", "400 IllegalParam.LoadBalancerName"],
    ["shop/1", "400 IllegalParam.LoadBalancerName"],
])("a balancer of the name %j: %s", async (LoadBalancerName, expected) => {
    const LoadBalancerId = await cloud.balancer();
    cloud.settle();
    expect(await cloud.albRefusal("UpdateLoadBalancerAttribute", { LoadBalancerId, LoadBalancerName })).toBe(expected);
});

test("regions are listed in the language asked for", async () => {
    const found = (LocalName: string) => ({
        RegionId: REGION,
        LocalName,
        RegionEndpoint: "alb.cn-hangzhou.aliyuncs.com",
    });
    const regions = async (asked: Parameters = {}) => list(await cloud.alb("DescribeRegions", asked), "Regions");
    expect(await regions()).toContainEqual(found("华东1（杭州）"));
    expect(await regions({ AcceptLanguage: "en-US" })).toContainEqual(found("China (Hangzhou)"));
});

test("tags of every kind of resource", async () => {
    const balancer = await cloud.balancer();
    const group = await cloud.group();
    const listener = await cloud.listener(balancer, group);
    const acl = text(await cloud.alb("CreateAcl"), "AclId");
    for (const [ResourceType, id] of [
        ["loadbalancer", balancer],
        ["servergroup", group],
        ["listener", listener],
        ["acl", acl],
    ] as const) {
        const of = { ResourceType, "ResourceId.1": id };
        await cloud.alb("TagResources", { ...of, "Tag.1.Key": "team", "Tag.1.Value": "shop" });
        expect(list(await cloud.alb("ListTagResources", of), "TagResources")).toEqual([
            { ResourceId: id, ResourceType, TagKey: "team", TagValue: "shop" },
        ]);
        await cloud.alb("UnTagResources", { ...of, "TagKey.1": "team" });
        expect(list(await cloud.alb("ListTagResources", of), "TagResources")).toEqual([]);
        await cloud.alb("TagResources", {
            ...of,
            ...{ "Tag.1.Key": "team", "Tag.1.Value": "shop", "Tag.2.Key": "stage", "Tag.2.Value": "test" },
        });
        await cloud.alb("UnTagResources", {
            ...of,
            ...{ "Tag.1.Key": "team", "Tag.1.Value": "other", "Tag.2.Key": "stage", "Tag.2.Value": "test" },
        });
        expect(list(await cloud.alb("ListTagResources", of), "TagResources")).toMatchObject([{ TagKey: "team" }]);
        await cloud.alb("UnTagResources", { ...of, "Tag.1.Key": "team" });
        expect(list(await cloud.alb("ListTagResources", of), "TagResources")).toEqual([]);
    }
    expect(
        await cloud.albRefusal("TagResources", {
            ResourceType: "listener",
            "ResourceId.1": "lsn-none",
            "Tag.1.Key": "a",
        }),
    ).toBe("404 ResourceNotFound.ResourceId");
    // A member of every object, and no kind of resource.
    expect(
        await cloud.albRefusal("ListTagResources", { ResourceType: "constructor", "ResourceId.1": balancer }),
    ).toMatch(/^400 IllegalParam/);
});

test("what a cut-off run left behind is found by name, or by where it belongs, and removed", async () => {
    const cloud = new BalancerCloud();
    await cloud.network();
    const search = alicloudSearch(async (_product, action, parameters) => cloud.alb(action, parameters), REGION);
    const found = async (type: string, inputs: Record<string, unknown>) =>
        (await search.find(`alicloud:alb/${type}`, inputs)) ?? [];
    const loadBalancerId = await cloud.balancer({ LoadBalancerName: "entry" });
    const serverGroupId = await cloud.group({ ServerGroupName: "entry-80" });
    const listenerId = await cloud.listener(loadBalancerId, serverGroupId);
    await cloud.alb("CreateRule", {
        ListenerId: listenerId,
        RuleName: "entry-80",
        Priority: "1",
        "RuleConditions.1.Type": "Path",
        "RuleConditions.1.PathConfig.Values.1": "/*",
        "RuleActions.1.Type": "Redirect",
        "RuleActions.1.Order": "1",
        "RuleActions.1.RedirectConfig.HttpCode": "301",
        "RuleActions.1.RedirectConfig.Protocol": "HTTPS",
    });
    cloud.settle();
    await cloud.alb("CreateAcl", { AclName: "entry-80" });
    for (const [type, inputs, other] of [
        ["rule:Rule", { listenerId, priority: 1 }, { priority: 2 }],
        ["listener:Listener", { loadBalancerId, listenerPort: 80, listenerProtocol: "HTTP" }, { listenerPort: 81 }],
        ["serverGroup:ServerGroup", { serverGroupName: "entry-80" }, { serverGroupName: "entry-81" }],
        ["acl:Acl", { aclName: "entry-80" }, { aclName: "entry-81" }],
        ["loadBalancer:LoadBalancer", { loadBalancerName: "entry" }, { loadBalancerName: "other" }],
    ] as const) {
        expect(await found(type, { ...inputs, ...other })).toEqual([]);
        const orphans = await found(type, inputs);
        expect([type, orphans]).toEqual([type, [expect.anything()]]);
        await orphans[0]!.remove();
        cloud.settle();
        expect([type, await found(type, inputs)]).toEqual([type, []]);
    }
});

import { execFileSync } from "node:child_process";
import { type KeyObject, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { actions } from "../../../lab/api/slb";
import { BalancerCloud, at, list, text } from "./harness";

let folder: string;
let pem: Record<"certificate" | "key" | "otherKey" | "pkcs8Key" | "ecCertificate" | "ecKey", string>;
beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-slb-"));
    const rsa = (): KeyObject => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const written = (key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1"): string =>
        key.export({ type, format: "pem" }).toString();
    const certify = (key: string): string => {
        writeFileSync(join(folder, "key"), key);
        const subject = ["-subj", "/CN=shop.example.com", "-addext", "subjectAltName=DNS:shop.example.com"];
        const words = ["req", "-x509", "-key", join(folder, "key"), "-days", "2", ...subject];
        return execFileSync("openssl", words, { stdio: ["ignore", "pipe", "ignore"] }).toString();
    };
    const own = rsa();
    const [key, ecKey] = [
        written(own, "pkcs1"),
        written(generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey, "sec1"),
    ];
    pem = {
        certificate: certify(key),
        key,
        otherKey: written(rsa(), "pkcs1"),
        pkcs8Key: written(own, "pkcs8"),
        ecCertificate: certify(ecKey),
        ecKey,
    };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let cloud: BalancerCloud;
let VSwitchId: string;
let LoadBalancerId: string;
beforeEach(async () => {
    cloud = new BalancerCloud();
    VSwitchId = await cloud.vswitch(await cloud.vpc({ CidrBlock: "10.0.0.0/16" }), "10.0.1.0/24");
    LoadBalancerId = await cloud.balancer();
});

const http = (ListenerPort: string, more: Record<string, string> = {}) => ({
    LoadBalancerId,
    ListenerPort,
    HealthCheck: "on",
    StickySession: "off",
    BackendServerPort: "80",
    ...more,
});
const describeHttp = (ListenerPort: string) =>
    cloud.slb("DescribeLoadBalancerHTTPListenerAttribute", { LoadBalancerId, ListenerPort });

test("a listener is stopped until it is started, and answers the defaults that providers have", async () => {
    await cloud.slb("CreateLoadBalancerHTTPListener", http("80"));
    expect(await describeHttp("80")).toMatchObject({
        ListenerPort: 80,
        BackendServerPort: 80,
        Status: "stopped",
        Scheduler: "wrr",
        Bandwidth: -1,
        AclStatus: "off",
        HealthCheck: "on",
        HealthCheckURI: "/",
        HealthCheckConnectPort: -520,
        HealthCheckHttpCode: "http_2xx",
        HealthCheckTimeout: 5,
        HealthCheckInterval: 2,
        HealthyThreshold: 3,
        UnhealthyThreshold: 3,
        StickySession: "off",
        Gzip: "on",
        IdleTimeout: 15,
        RequestTimeout: 60,
        ListenerForward: "off",
        Rules: { Rule: [] },
    });
    await cloud.slb("StartLoadBalancerListener", { LoadBalancerId, ListenerPort: "80", ListenerProtocol: "http" });
    expect(await describeHttp("80")).toMatchObject({ Status: "running" });
    expect(
        list(await cloud.attribute(LoadBalancerId), "ListenerPortsAndProtocol.ListenerPortAndProtocol"),
    ).toMatchObject([{ ListenerPort: 80, ListenerProtocol: "http" }]);
});

test.each([
    [{}, "success"],
    [{ StickySession: "" }, "400 MissingParameter"],
    [{ StickySession: "on" }, "400 MissingParameter"],
    [{ StickySession: "on", StickySessionType: "insert" }, "400 MissingParameter"],
    [{ StickySession: "on", StickySessionType: "insert", CookieTimeout: "60" }, "success"],
    [{ StickySession: "on", StickySessionType: "server", Cookie: "id" }, "success"],
    [{ HealthCheckURI: "health" }, "400 InvalidParameter"],
    [{ HealthCheckDomain: "$ip" }, "400 InvalidParameter"],
    [{ HealthCheckHttpCode: "http_2xx,200" }, "400 InvalidParameter"],
    [{ HealthCheckInterval: "51" }, "400 InvalidParameter"],
    [{ HealthyThreshold: "11" }, "400 InvalidParameter"],
    [{ Scheduler: "sch" }, "400 InvalidParameter"],
    [{ VServerGroupId: "rsp-none" }, "400 InvalidParameter"],
    [{ AclStatus: "on", AclType: "white" }, "400 MissingParameter"],
    [{ AclStatus: "on", AclType: "white", AclId: "acl-none" }, "404 AclNotExist"],
    [{ ListenerPort: "0" }, "400 InvalidParameter"],
    [{ Description: "x".repeat(256) }, "success"],
    [{ Description: "x".repeat(257) }, "400 InvalidParameter"],
])("an HTTP listener with %j answers %s", async (more, expected) =>
    expect(await cloud.slbRefusal("CreateLoadBalancerHTTPListener", http("80", more as Record<string, string>))).toBe(
        expected,
    ),
);

test("what the vendor gives a dry run can be tried without being done", () => {
    const tried = actions.filter(({ request }) => Object.values(request.names()).includes("DryRun"));
    expect(tried.map(({ name }) => name).sort()).toEqual([
        "CreateRules",
        ...["HTTP", "HTTPS", "TCP", "UDP"].map((family) => `SetLoadBalancer${family}ListenerAttribute`),
        "SetRule",
    ]);
});

test("a port has one listener, and it is another protocol's to none", async () => {
    await cloud.slb("CreateLoadBalancerHTTPListener", http("80"));
    const tcp = { LoadBalancerId, ListenerPort: "80", BackendServerPort: "80" };
    expect(await cloud.slbRefusal("CreateLoadBalancerTCPListener", tcp)).toBe("400 ListenerAlreadyExists");
    expect(
        await cloud.slbRefusal("DescribeLoadBalancerTCPListenerAttribute", { LoadBalancerId, ListenerPort: "80" }),
    ).toBe("404 InvalidParameter");
});

test("UDP beside TCP on one port sends what its check is told to, and is checked by datagrams whatever a client says", async () => {
    const server = cloud.instance(VSwitchId);
    await cloud.slb("AddBackendServers", { LoadBalancerId, BackendServers: JSON.stringify([{ ServerId: server.id }]) });
    const dns = { LoadBalancerId, ListenerPort: "53", BackendServerPort: "9053" };
    await cloud.slb("CreateLoadBalancerTCPListener", dns);
    expect(await cloud.slbRefusal("CreateLoadBalancerUDPListener", { ...dns, HealthCheckReq: "a b" })).toBe(
        "400 InvalidParameter",
    );
    await cloud.slb("CreateLoadBalancerUDPListener", { ...dns, Scheduler: "tch", HealthCheckType: "tcp" });
    const udp = { LoadBalancerId, ListenerPort: "53", ListenerProtocol: "udp" };
    expect(await cloud.slbRefusal("StartLoadBalancerListener", { LoadBalancerId, ListenerPort: "53" })).toBe(
        "400 InvalidParameter.ListenerProtocol",
    );
    await cloud.slb("StartLoadBalancerListener", udp);
    await cloud.slb("SetLoadBalancerUDPListenerAttribute", {
        LoadBalancerId,
        ListenerPort: "53",
        HealthCheckReq: "hello",
        HealthCheckExp: "world",
        HealthCheckConnectTimeout: "1",
    });
    const found = await cloud.slb("DescribeLoadBalancerUDPListenerAttribute", { LoadBalancerId, ListenerPort: "53" });
    expect(found).toMatchObject({
        Status: "running",
        Scheduler: "tch",
        HealthCheckReq: "hello",
        HealthCheckExp: "world",
        HealthCheckConnectTimeout: 1,
        HealthCheckInterval: 5,
    });
    expect(found).not.toHaveProperty("HealthCheckType");
    expect(cloud.desired()[0]!.listeners).toMatchObject([
        {
            protocol: "udp",
            port: 53,
            pool: {
                servers: [{ port: 9053 }],
                scheduler: "connectionHash",
                check: { udp: { request: "hello", expect: "world" }, timeoutSeconds: 1 },
            },
        },
    ]);
});

test("what a UDP check sends and expects may be named as the vendor's SDKs do", async () => {
    const place = { LoadBalancerId, ListenerPort: "53" };
    const texts = async () => {
        const found = await cloud.slb("DescribeLoadBalancerUDPListenerAttribute", place);
        return [found["HealthCheckReq"], found["HealthCheckExp"]];
    };
    const creation = { ...place, BackendServerPort: "53", healthCheckReq: "hello", healthCheckExp: "world" };
    await cloud.slb("CreateLoadBalancerUDPListener", creation);
    expect(await texts()).toEqual(["hello", "world"]);
    await cloud.slb("SetLoadBalancerUDPListenerAttribute", { ...place, healthCheckReq: "ping", healthCheckExp: "" });
    expect(await texts()).toEqual(["ping", ""]);
    const spaced = { ...place, healthCheckExp: "a b" };
    expect(await cloud.slbRefusal("SetLoadBalancerUDPListenerAttribute", spaced)).toBe("400 InvalidParameter");
});

test("servers of datagrams are told of no client", async () => {
    const udp = { LoadBalancerId, ListenerPort: "53", BackendServerPort: "53", ProxyProtocolV2Enabled: "true" };
    expect(await cloud.slbRefusal("CreateLoadBalancerUDPListener", udp)).toBe("400 UnsupportedOperation");
    await cloud.slb("CreateLoadBalancerUDPListener", { ...udp, ProxyProtocolV2Enabled: "false" });
    expect(await cloud.slbRefusal("SetLoadBalancerUDPListenerAttribute", udp)).toBe("400 UnsupportedOperation");
    expect(await cloud.slbRefusal("CreateLoadBalancerTCPListener", udp)).toBe("success");
});

test("a list of listeners says of each what its protocol has, and is filtered by tags", async () => {
    const tag = { "Tag.1.Key": "team", "Tag.1.Value": "web" };
    await cloud.slb("CreateLoadBalancerTCPListener", {
        ...{ LoadBalancerId, ListenerPort: "53", BackendServerPort: "53", PersistenceTimeout: "60" },
        ...tag,
    });
    const udp = { LoadBalancerId, ListenerPort: "53", BackendServerPort: "53", HealthCheckReq: "hello" };
    await cloud.slb("CreateLoadBalancerUDPListener", udp);
    await cloud.slb("CreateLoadBalancerHTTPListener", http("80", { IdleTimeout: "20" }));
    const listeners = async (more: Record<string, string> = {}) =>
        list(await cloud.slb("DescribeLoadBalancerListeners", more), "Listeners");
    const found = await listeners();
    expect(found).toMatchObject([
        {
            ...{ LoadBalancerId, ListenerProtocol: "tcp", ListenerPort: 53, Status: "stopped", Scheduler: "wrr" },
            Tags: [{ TagKey: "team", TagValue: "web" }],
            TCPListenerConfig: {
                ...{ HealthCheck: "on", HealthCheckType: "tcp", HealthCheckInterval: 2, EstablishedTimeout: 900 },
                ...{ PersistenceTimeout: 60, ProxyProtocolV2Enabled: "false" },
            },
        },
        { ListenerProtocol: "udp", Tags: [], UDPListenerConfig: { HealthCheckReq: "hello", HealthyThreshold: 3 } },
        {
            ...{ ListenerProtocol: "http", BackendServerPort: 80, AclStatus: "off" },
            HTTPListenerConfig: { HealthCheckURI: "/", IdleTimeout: 20, StickySession: "off", ListenerForward: "off" },
        },
    ]);
    expect(found[2]).not.toHaveProperty("TCPListenerConfig");
    expect(await listeners(tag)).toEqual([found[0]]);
    expect(await listeners({ "Tag.1.Key": "team", "Tag.1.Value": "db" })).toEqual([]);
});

test("a check may ask for each server by its own address", async () => {
    await cloud.group(LoadBalancerId);
    const { id: ServerId } = cloud.instance(VSwitchId);
    await cloud.slb("AddBackendServers", { LoadBalancerId, BackendServers: JSON.stringify([{ ServerId }]) });
    const checked = () => cloud.desired()[0]!.listeners[0]!.pool.check!.http!;
    await cloud.listener(LoadBalancerId, "80", { BackendServerPort: "80", HealthCheckDomain: "shop.example.com" });
    expect(checked()).toHaveProperty("host", "shop.example.com");
    await cloud.slb("SetLoadBalancerHTTPListenerAttribute", {
        LoadBalancerId,
        ListenerPort: "80",
        HealthCheckDomain: "$_ip",
    });
    expect(checked()).not.toHaveProperty("host");
    expect(await describeHttp("80")).toMatchObject({ HealthCheckDomain: "$_ip" });
});

test("what a change does not name stays", async () => {
    await cloud.slb("CreateLoadBalancerHTTPListener", http("80", { HealthCheckInterval: "7", IdleTimeout: "20" }));
    await cloud.slb("SetLoadBalancerHTTPListenerAttribute", {
        LoadBalancerId,
        ListenerPort: "80",
        HealthyThreshold: "5",
        Gzip: "off",
    });
    expect(await describeHttp("80")).toMatchObject({
        HealthCheckInterval: 7,
        IdleTimeout: 20,
        HealthyThreshold: 5,
        Gzip: "off",
    });
});

describe("HTTPS", () => {
    const upload = () => ({ ServerCertificate: pem.certificate, PrivateKey: pem.key, ServerCertificateName: "shop" });

    test("needs a certificate whose key fits, which is not deleted while it is used", async () => {
        expect(await cloud.slbRefusal("CreateLoadBalancerHTTPSListener", http("443"))).toBe("400 MissingParameter");
        expect(await cloud.slbRefusal("UploadServerCertificate", { ...upload(), PrivateKey: pem.otherKey })).toBe(
            "400 CertificateAndPrivateKeyNotMatch",
        );
        const uploaded = await cloud.slb("UploadServerCertificate", upload());
        expect(uploaded).toMatchObject({
            CommonName: "shop.example.com",
            SubjectAlternativeNames: { SubjectAlternativeName: ["shop.example.com"] },
        });
        const ServerCertificateId = text(uploaded, "ServerCertificateId");
        await cloud.slb("CreateLoadBalancerHTTPSListener", http("443", { ServerCertificateId }));
        expect(await cloud.slbRefusal("DeleteServerCertificate", { ServerCertificateId })).toBe(
            "400 CertificateAndPrivateKeyIsRefered",
        );
        await cloud.slb("DeleteLoadBalancerListener", { LoadBalancerId, ListenerPort: "443" });
        await cloud.slb("DeleteServerCertificate", { ServerCertificateId });
        expect(await cloud.slbRefusal("DeleteServerCertificate", { ServerCertificateId })).toBe(
            "404 ServerCertificateId.NotFound",
        );
    });

    test("has RSA keys in PKCS#1, and no others", async () => {
        const refused = (what: object) => cloud.slbRefusal("UploadServerCertificate", { ...upload(), ...what });
        expect(await refused({ PrivateKey: pem.pkcs8Key })).toBe("400 InvalidParameter");
        expect(await refused({ ServerCertificate: pem.ecCertificate, PrivateKey: pem.ecKey })).toBe(
            "400 InvalidParameter",
        );
        const [certificate, privateKey] = [pem.ecCertificate, pem.ecKey];
        cloud.state.casCertificates["78"] = { id: "78", name: "shop", certificate, privateKey } as never;
        const asked = { AliCloudCertificateId: "78", AliCloudCertificateRegionId: "cn-hangzhou" };
        expect(await cloud.slbRefusal("UploadServerCertificate", asked)).toBe("400 InvalidParameter");
    });

    test("takes a certificate of the certificate service, of which the balancer has a copy", async () => {
        const asked = { AliCloudCertificateId: "77", AliCloudCertificateRegionId: "cn-hangzhou" };
        expect(await cloud.slbRefusal("UploadServerCertificate", asked)).toBe("404 AliCloudCertificateId.NotFound");
        const [certificate, privateKey] = [pem.certificate, pem.key];
        cloud.state.casCertificates["77"] = { id: "77", name: "shop", certificate, privateKey } as never;
        const uploaded = await cloud.slb("UploadServerCertificate", asked);
        const about = {
            CommonName: "shop.example.com",
            IsAliCloudCertificate: 1,
            AliCloudCertificateId: "77",
            AliCloudCertificateName: "shop",
        };
        expect(uploaded).toMatchObject(about);
        const ServerCertificateId = text(uploaded, "ServerCertificateId");
        delete cloud.state.casCertificates["77"];
        const found = await cloud.slb("DescribeServerCertificates", { ServerCertificateId });
        expect(list(found, "ServerCertificates.ServerCertificate")).toMatchObject([about]);
        const { id: ServerId } = cloud.instance(VSwitchId);
        await cloud.slb("AddBackendServers", { LoadBalancerId, BackendServers: JSON.stringify([{ ServerId }]) });
        await cloud.slb("CreateLoadBalancerHTTPSListener", http("443", { ServerCertificateId }));
        await cloud.slb("StartLoadBalancerListener", { LoadBalancerId, ListenerPort: "443" });
        expect(cloud.desired()[0]!.listeners[0]!.tls!.certificate).toContain(pem.certificate.trim());
    });

    test("is where a redirect leads, and stays as long as it does", async () => {
        const forward = http("80", { ListenerForward: "on", ForwardPort: "443" });
        expect(await cloud.slbRefusal("CreateLoadBalancerHTTPListener", forward)).toBe("404 InvalidParameter");
        const ServerCertificateId = text(await cloud.slb("UploadServerCertificate", upload()), "ServerCertificateId");
        await cloud.slb("CreateLoadBalancerHTTPSListener", http("443", { ServerCertificateId }));
        const quic = { LoadBalancerId, ListenerPort: "443" };
        await cloud.slb("CreateLoadBalancerUDPListener", { ...quic, BackendServerPort: "443" });
        await cloud.slb("CreateLoadBalancerHTTPListener", forward);
        await cloud.slb("DeleteLoadBalancerListener", { ...quic, ListenerProtocol: "udp" });
        expect(await describeHttp("80")).toMatchObject({ ListenerForward: "on", ForwardPort: 443, ForwardCode: 301 });
        const { id: ServerId } = cloud.instance(VSwitchId);
        await cloud.slb("AddBackendServers", { LoadBalancerId, BackendServers: JSON.stringify([{ ServerId }]) });
        const checked = list(
            await cloud.slb("DescribeHealthStatus", { LoadBalancerId }),
            "BackendServers.BackendServer",
        );
        expect(checked.map(({ ListenerPort }) => ListenerPort)).toEqual([443]);
        expect(await cloud.slbRefusal("DeleteLoadBalancerListener", { LoadBalancerId, ListenerPort: "443" })).toBe(
            "400 ListenerForwarded",
        );
    });
});

test("a list of rules says as much of each as a rule's own description", async () => {
    const VServerGroupId = await cloud.group(LoadBalancerId);
    await cloud.listener(LoadBalancerId, "80", { VServerGroupId, HealthCheckURI: "/health" });
    const place = { LoadBalancerId, ListenerPort: "80" };
    const RuleList = JSON.stringify([
        { RuleName: "api", Url: "/api", VServerGroupId },
        { RuleName: "shop", Domain: "shop.example.com", VServerGroupId },
    ]);
    const created = await cloud.slb("CreateRules", { ...place, RuleList });
    const [first, second] = [0, 1].map((index) => text(created, `Rules.Rule.${index}.RuleId`));
    await cloud.slb("SetRule", {
        ...{ RuleId: second!, ListenerSync: "off", Scheduler: "wlc", HealthCheckURI: "/ready" },
        ...{ StickySession: "on", StickySessionType: "insert", CookieTimeout: "60" },
    });
    const rules = list(await cloud.slb("DescribeRules", place), "Rules.Rule");
    expect(rules).toMatchObject([
        { RuleId: first, ListenerSync: "on", Scheduler: "wrr", StickySession: "off", HealthCheckURI: "/health" },
        { RuleId: second, ListenerSync: "off", Scheduler: "wlc", CookieTimeout: 60, HealthCheckURI: "/ready" },
    ]);
    for (const rule of rules)
        expect(await cloud.slb("DescribeRuleAttribute", { RuleId: String(rule["RuleId"]) })).toMatchObject(rule);
});

describe("server groups", () => {
    test("take the provider's single quotes, weights and removals of what is gone", async () => {
        const [a, b] = [cloud.instance(VSwitchId), cloud.instance(VSwitchId)];
        const VServerGroupId = await cloud.group(LoadBalancerId);
        await cloud.slb("AddVServerGroupBackendServers", {
            VServerGroupId,
            BackendServers: `[{'ServerId':'${a.id}','Port':'80','Weight':'100', 'Type': 'ecs'}]`,
        });
        await cloud.slb("AddVServerGroupBackendServers", {
            VServerGroupId,
            BackendServers: JSON.stringify([{ ServerId: b.id, Port: 80, Weight: 0, Type: "ecs", Description: "b" }]),
        });
        expect(await cloud.servers(VServerGroupId)).toMatchObject([
            { ServerId: a.id, Port: 80, Weight: 100, Type: "ecs" },
            { ServerId: b.id, Port: 80, Weight: 0, Type: "ecs", Description: "b" },
        ]);
        await cloud.slb("SetVServerGroupAttribute", {
            VServerGroupId,
            BackendServers: `[{'ServerId':'${b.id}','Port':'80','Weight':'40', 'Type': 'ecs'}]`,
        });
        expect((await cloud.servers(VServerGroupId))[1]).toMatchObject({ Weight: 40 });
        const gone = { VServerGroupId, BackendServers: `[{'ServerId':'i-gone','Port':'80','Weight':'1'}]` };
        expect(await cloud.slbRefusal("RemoveVServerGroupBackendServers", gone)).toBe("success");
        expect(await cloud.slbRefusal("AddVServerGroupBackendServers", gone)).toBe("400 ObtainIpFail");
    });

    test("know a server by its address, whether it was added with it or not", async () => {
        const { id: ServerId } = cloud.instance(VSwitchId);
        await cloud.slb("AddBackendServers", { LoadBalancerId, BackendServers: JSON.stringify([{ ServerId }]) });
        const ServerIp = text(await cloud.attribute(LoadBalancerId), "BackendServers.BackendServer.0.ServerIp");
        const set = (ip: string) => ({
            LoadBalancerId,
            BackendServers: `[{'ServerId':'${ServerId}','Weight':'7', 'Type': 'ecs', 'ServerIp':'${ip}'}]`,
        });
        await cloud.slb("SetBackendServers", set(ServerIp));
        expect(at(await cloud.attribute(LoadBalancerId), "BackendServers.BackendServer.0.Weight")).toBe(7);
        expect(await cloud.slbRefusal("SetBackendServers", set("10.0.1.250"))).toBe("400 InvalidParameter");
    });

    test("let go of servers that are named by their ids alone", async () => {
        const [a, b] = [cloud.instance(VSwitchId).id, cloud.instance(VSwitchId).id];
        const BackendServers = JSON.stringify([{ ServerId: a }, { ServerId: b }]);
        await cloud.slb("AddBackendServers", { LoadBalancerId, BackendServers });
        await cloud.slb("RemoveBackendServers", { LoadBalancerId, BackendServers: JSON.stringify([a]) });
        expect(list(await cloud.attribute(LoadBalancerId), "BackendServers.BackendServer")).toMatchObject([
            { ServerId: b },
        ]);
        for (const [action, servers] of [
            ["RemoveBackendServers", [7]],
            ["AddBackendServers", [a]],
        ] as const)
            expect(await cloud.slbRefusal(action, { LoadBalancerId, BackendServers: JSON.stringify(servers) })).toBe(
                "400 InvalidParameter",
            );
    });

    test("hold servers of one VPC", async () => {
        const other = await cloud.vswitch(await cloud.vpc({ CidrBlock: "10.8.0.0/16" }), "10.8.1.0/24");
        await cloud.group(LoadBalancerId, [{ ServerId: cloud.instance(VSwitchId).id, Port: 80 }]);
        expect(
            await cloud.slbRefusal("CreateVServerGroup", {
                LoadBalancerId,
                BackendServers: JSON.stringify([{ ServerId: cloud.instance(other).id, Port: 80 }]),
            }),
        ).toBe("400 NetworkConflict");
    });

    test("stay while a listener or a rule uses them", async () => {
        const [first, second] = [await cloud.group(LoadBalancerId), await cloud.group(LoadBalancerId)];
        await cloud.listener(LoadBalancerId, "80", { VServerGroupId: first });
        const created = await cloud.slb("CreateRules", {
            LoadBalancerId,
            ListenerPort: "80",
            RuleList: JSON.stringify([{ RuleName: "api", Url: "/api", VServerGroupId: second }]),
        });
        for (const VServerGroupId of [first, second])
            expect(await cloud.slbRefusal("DeleteVServerGroup", { VServerGroupId })).toBe("400 RspoolVipExist");
        const RuleId = text(created, "Rules.Rule.0.RuleId");
        await cloud.slb("DeleteRules", { RuleIds: `['${RuleId}']` });
        await cloud.slb("DeleteVServerGroup", { VServerGroupId: second });
        expect(await cloud.slbRefusal("DescribeRuleAttribute", { RuleId })).toBe("404 InvalidRuleId.NotFound");
    });

    test("are listed with the listeners and rules that use them, where that is asked for", async () => {
        const [first, second] = [await cloud.group(LoadBalancerId), await cloud.group(LoadBalancerId)];
        await cloud.listener(LoadBalancerId, "80", { VServerGroupId: first });
        await cloud.slb("CreateRules", {
            LoadBalancerId,
            ListenerPort: "80",
            RuleList: JSON.stringify([{ RuleName: "api", Url: "/api", VServerGroupId: second }]),
        });
        const users = async (more: Record<string, string>) =>
            list(
                await cloud.slb("DescribeVServerGroups", { LoadBalancerId, ...more }),
                "VServerGroups.VServerGroup",
            ).map((group) => group["AssociatedObjects"]);
        expect(await users({ IncludeListener: "true", IncludeRule: "true" })).toMatchObject([
            { Listeners: { Listener: [{ Port: 80, Protocol: "http" }] }, Rules: { Rule: [] } },
            { Listeners: { Listener: [] }, Rules: { Rule: [{ RuleName: "api", Domain: "", Url: "/api" }] } },
        ]);
        expect(await users({})).toEqual([{}, {}]);
    });

    test("a request names at most twenty servers", async () => {
        const servers = Array.from({ length: 21 }, (_, i) => ({ ServerId: "i-a", Port: i + 1 }));
        expect(
            await cloud.slbRefusal("CreateVServerGroup", { LoadBalancerId, BackendServers: JSON.stringify(servers) }),
        ).toBe("400 QuotaLimitExceeds");
    });
});

test("an access control list has its name alone in the region", async () => {
    const create = (AclName: string) => cloud.slb("CreateAccessControlList", { AclName });
    await create("office");
    const AclId = text(await create("partners"), "AclId");
    expect(await cloud.slbRefusal("CreateAccessControlList", { AclName: "office" })).toBe("400 AclNameExist");
    const rename = (AclName: string) => cloud.slbRefusal("SetAccessControlListAttribute", { AclId, AclName });
    expect(await rename("office")).toBe("400 AclNameExist");
    expect(await rename("partners")).toBe("success");
    expect(await cloud.slbRefusal("CreateAccessControlList", { AclName: "office", RegionId: "cn-beijing" })).toBe(
        "success",
    );
});

test("an access control list names its listeners, and stays while it has any", async () => {
    const AclId = text(await cloud.slb("CreateAccessControlList", { AclName: "office" }), "AclId");
    const entries = (entry: string) => ({ AclId, AclEntrys: JSON.stringify([{ entry, comment: "x" }]) });
    await cloud.slb("AddAccessControlListEntry", entries("203.0.113.0/24"));
    expect(await cloud.slbRefusal("AddAccessControlListEntry", entries("203.0.113.0/24"))).toBe(
        "400 AclEntryDuplicate",
    );
    expect(await cloud.slbRefusal("AddAccessControlListEntry", entries("203.0.113.0/33"))).toBe("400 InvalidParameter");
    await cloud.listener(LoadBalancerId, "80", {
        BackendServerPort: "80",
        AclStatus: "on",
        AclType: "white",
        AclId,
    });
    expect(await cloud.slb("DescribeAccessControlListAttribute", { AclId })).toMatchObject({
        AclEntrys: { AclEntry: [{ AclEntryIP: "203.0.113.0/24", AclEntryComment: "x" }] },
        RelatedListeners: { RelatedListener: [{ LoadBalancerId, ListenerPort: 80, AclType: "white" }] },
    });
    expect(await cloud.slbRefusal("DeleteAccessControlList", { AclId })).toBe("400 AclInUsed");
});

test("access control lists are found by a part of their name", async () => {
    for (const AclName of ["office", "office-vpn", "partners"]) await cloud.slb("CreateAccessControlList", { AclName });
    const names = async (AclName: string) =>
        list(await cloud.slb("DescribeAccessControlLists", { AclName }), "Acls.Acl").map((acl) => acl["AclName"]);
    expect(await names("office")).toEqual(["office", "office-vpn"]);
    expect(await names("")).toHaveLength(3);
});

describe("the machine", () => {
    test("gets a balancer with its first server, and its listeners when they run", async () => {
        expect(cloud.desired()).toEqual([]);
        const instance = cloud.instance(VSwitchId);
        const VServerGroupId = await cloud.group(LoadBalancerId, [{ ServerId: instance.id, Port: 8080, Weight: 30 }]);
        await cloud.slb("CreateLoadBalancerHTTPListener", http("80", { VServerGroupId }));
        expect(cloud.desired()).toMatchObject([{ id: LoadBalancerId, vpcId: instance.vpcId, listeners: [] }]);
        await cloud.slb("StartLoadBalancerListener", { LoadBalancerId, ListenerPort: "80" });
        const [balancer] = cloud.desired();
        expect(balancer).toMatchObject({
            addresses: ["127.77.0.1"],
            listeners: [
                {
                    id: `${LoadBalancerId}/http/80`,
                    protocol: "http",
                    port: 80,
                    pool: {
                        groupId: VServerGroupId,
                        servers: [{ id: instance.id, port: 8080, weight: 30 }],
                        scheduler: "weighted",
                        check: {
                            http: { method: "HEAD", path: "/", version: "1.0", classes: [2] },
                            intervalSeconds: 2,
                        },
                    },
                },
            ],
        });
        await cloud.slb("SetLoadBalancerStatus", { LoadBalancerId, LoadBalancerStatus: "inactive" });
        expect(cloud.desired()).toMatchObject([{ listeners: [] }]);
    });

    test("asks servers with the method that the listener names", async () => {
        const instance = cloud.instance(VSwitchId);
        const VServerGroupId = await cloud.group(LoadBalancerId, [{ ServerId: instance.id, Port: 8080, Weight: 30 }]);
        const given = { VServerGroupId, HealthCheckMethod: "get" };
        await cloud.slb("CreateLoadBalancerHTTPListener", http("80", given));
        await cloud.slb("StartLoadBalancerListener", { LoadBalancerId, ListenerPort: "80" });
        const asked = () => cloud.desired()[0]!.listeners[0]!.pool.check!.http!.method;
        expect(asked()).toBe("GET");
        await cloud.slb("SetLoadBalancerHTTPListenerAttribute", http("80", { HealthCheckMethod: "head" }));
        expect(asked()).toBe("HEAD");
    });

    test("says how servers are", async () => {
        const [up, down, unknown] = [1, 2, 3].map(() => cloud.instance(VSwitchId));
        await cloud.group(LoadBalancerId);
        await cloud.slb("AddBackendServers", {
            LoadBalancerId,
            BackendServers: JSON.stringify([up, down, unknown].map((server) => ({ ServerId: server!.id }))),
        });
        await cloud.listener(LoadBalancerId, "80", { BackendServerPort: "8080" });
        const addresses = (cloud.desired()[0]?.listeners[0]?.pool.servers ?? []).map(({ address }) => address);
        const listenerId = `${LoadBalancerId}/http/80`;
        cloud.health = [
            { listenerId, address: addresses[0]!, port: 8080, health: "up" },
            { listenerId, address: addresses[1]!, port: 8080, health: "down" },
        ];
        const answer = await cloud.slb("DescribeHealthStatus", { LoadBalancerId });
        expect(
            list(answer, "BackendServers.BackendServer").map(({ ServerId, Port, ServerHealthStatus }) => [
                ServerId,
                Port,
                ServerHealthStatus,
            ]),
        ).toEqual([
            [up!.id, 8080, "normal"],
            [down!.id, 8080, "abnormal"],
            [unknown!.id, 8080, "unavailable"],
        ]);
        expect(at(answer, "BackendServers.BackendServer.0.ListenerPort")).toBe(80);
    });
});

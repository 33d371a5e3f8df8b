import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { failureOf, problemsOf, Recorder, valueOf } from "../components/recorder";

const recorder = new Recorder();

import { Host } from "../../../components/host";
import { LoadBalancer, type ListenerArgs, type LoadBalancerArgs } from "../../../components/loadBalancer";
import { checkedRsaKey } from "../../../components/loadBalancer/rsa";
import { serverId } from "../../../components/loadBalancer/loadBalancer";
import { parseLoadBalancerArgs } from "../../../components/loadBalancer/settings";

const types = {
    balancer: "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer",
    servers: "alicloud:slb/backendServer:BackendServer",
    listener: "alicloud:slb/listener:Listener",
    certificate: "alicloud:slb/serverCertificate:ServerCertificate",
    list: "alicloud:slb/acl:Acl",
    entry: "alicloud:slb/aclEntryAttachment:AclEntryAttachment",
};

function hosts(count: number): Host[] {
    return Array.from(
        { length: count },
        (_, index) =>
            new Host(`web-${index + 1}`, {
                address: `10.0.0.${index + 1}`,
                privateKey: "LOGIN KEY",
                hostKey: `ssh-ed25519 AAAA${index + 1}`,
                identity: `i-${index + 1}`,
            }),
    );
}

const http: ListenerArgs = { protocol: "http", port: 80, hostPort: 8080 };

async function create(args: Partial<LoadBalancerArgs> = {}): Promise<LoadBalancer> {
    recorder.clear();
    const balancer = new LoadBalancer(
        "entry",
        { type: "clb", address: "internet", hosts: hosts(2), listeners: [http], ...args },
        recorder.watched,
    );
    await recorder.settled();
    return balancer;
}

const problems = (args: Partial<LoadBalancerArgs>, name = "entry"): string[] =>
    problemsOf(() =>
        parseLoadBalancerArgs(name, {
            type: "clb",
            address: "internet",
            hosts: hosts(2),
            listeners: [http],
            ...args,
        }),
    ).slice(1);

test("is billed by what it carries, and has the hosts as its servers", async () => {
    const balancer = await create({ weights: { "web-2": 30 }, tags: { team: "shop" } });
    expect(recorder.find(types.balancer, "entry").inputs).toEqual({
        loadBalancerName: "entry",
        addressType: "internet",
        internetChargeType: "PayByTraffic",
        instanceChargeType: "PayByCLCU",
        deleteProtection: "off",
        tags: {
            team: "shop",
            "multihost:project": "project",
            "multihost:stack": "stack",
            "multihost:resource": "entry",
        },
    });
    expect(recorder.find(types.servers, "entry").inputs).toEqual({
        loadBalancerId: "entry-id",
        backendServers: [
            { serverId: "i-1", weight: 100, type: "ecs", serverIp: "10.0.0.1" },
            { serverId: "i-2", weight: 30, type: "ecs", serverIp: "10.0.0.2" },
        ],
    });
    expect(await valueOf(balancer.url)).toBe("http://192.0.2.1");
});

test("has an address of a VSwitch where it is asked to", async () => {
    await create({ address: "intranet", vswitchId: "vsw-1" });
    const { inputs } = recorder.find(types.balancer, "entry");
    expect(inputs).toMatchObject({ addressType: "intranet", vswitchId: "vsw-1" });
    expect(inputs).not.toHaveProperty("internetChargeType");
});

test("balances datagrams beside TCP on one port, with checks of their own", async () => {
    const dns = { port: 53, hostPort: 5353 };
    const balancer = await create({
        listeners: [
            { protocol: "udp", ...dns, scheduler: "sch", healthCheck: { intervalSeconds: 3 } },
            { protocol: "tcp", ...dns },
        ],
    });
    const { inputs } = recorder.find(types.listener, "entry-53-udp");
    expect(inputs).toMatchObject({
        protocol: "udp",
        frontendPort: 53,
        backendPort: 5353,
        scheduler: "sch",
        healthCheck: "on",
        healthCheckInterval: 3,
    });
    for (const input of ["healthCheckType", "persistenceTimeout", "stickySession", "xForwardedFor"])
        expect(inputs).not.toHaveProperty(input);
    expect(recorder.find(types.listener, "entry-53").inputs).toMatchObject({ protocol: "tcp" });
    expect(await valueOf(balancer.url)).toBe("udp://192.0.2.1:53");
    expect(
        problems({
            listeners: [
                { protocol: "udp", ...dns, stickiness: { seconds: 9 }, healthCheck: { path: "/" } },
                { protocol: "udp", ...dns },
                { ...http, scheduler: "sch" },
            ],
        }),
    ).toEqual([
        '  - listeners[0].stickiness: is not there on udp: set scheduler to "sch", which keeps a client with its host.',
        "  - listeners[0].healthCheck.path: is of no use to a udp listener, whose hosts are checked by datagrams: leave it out.",
        "  - listeners[1].port: 53 has a listener already: each needs a port of its own.",
        '  - listeners[2].scheduler: "sch" belongs to tcp, udp and tls, and this is http: set stickiness.',
    ]);
});

describe("in several zones", () => {
    const zones: Partial<LoadBalancerArgs> = {
        type: "nlb",
        vpcId: "vpc-1",
        vswitches: [
            { id: "vsw-1", zone: "z-1" },
            { id: "vsw-2", zone: "z-2" },
        ],
    };
    const dns: ListenerArgs = { protocol: "udp", port: 53, hostPort: 5353 };

    test("has a group of servers for each port, and checks them by datagrams or over HTTP", async () => {
        const balancer = await create({
            ...zones,
            weights: { "web-2": 30 },
            listeners: [
                { ...dns, scheduler: "sch", healthCheck: { request: "ping", response: "pong" } },
                { protocol: "tcp", port: 80, hostPort: 8080, healthCheck: { path: "/healthz" } },
                { protocol: "tcp", port: 81, hostPort: 8080, healthCheck: { path: "/healthz", method: "GET" } },
            ],
        });
        expect(recorder.find("alicloud:nlb/serverGroup:ServerGroup", "entry-81").inputs).toMatchObject({
            healthCheck: { httpCheckMethod: "GET" },
        });
        expect(recorder.find("alicloud:nlb/loadBalancer:LoadBalancer", "entry").inputs).toMatchObject({
            loadBalancerName: "entry",
            addressType: "Internet",
            vpcId: "vpc-1",
            zoneMappings: [
                { vswitchId: "vsw-1", zoneId: "z-1" },
                { vswitchId: "vsw-2", zoneId: "z-2" },
            ],
            deletionProtectionConfig: { enabled: false },
        });
        expect(recorder.find("alicloud:nlb/serverGroup:ServerGroup", "entry-53-udp").inputs).toMatchObject({
            protocol: "UDP",
            scheduler: "Sch",
            vpcId: "vpc-1",
            healthCheck: {
                healthCheckType: "UDP",
                healthCheckReq: "ping",
                healthCheckExp: "pong",
                healthCheckInterval: 5,
            },
        });
        expect(recorder.find("alicloud:nlb/serverGroup:ServerGroup", "entry-80").inputs).toMatchObject({
            protocol: "TCP",
            healthCheck: { healthCheckType: "HTTP", healthCheckUrl: "/healthz", healthCheckHttpCodes: ["http_2xx"] },
        });
        expect(
            recorder.find("alicloud:nlb/serverGroupServerAttachment:ServerGroupServerAttachment", "entry-53-udp-web-2")
                .inputs,
        ).toEqual({
            serverGroupId: "entry-53-udp-id",
            serverId: "i-2",
            serverType: "Ecs",
            serverIp: "10.0.0.2",
            port: 5353,
            weight: 30,
        });
        expect(recorder.find("alicloud:nlb/listener:Listener", "entry-53-udp").inputs).toMatchObject({
            listenerProtocol: "UDP",
            listenerPort: 53,
            loadBalancerId: "entry-id",
            serverGroupId: "entry-53-udp-id",
        });
        expect(await valueOf(balancer.dnsName!)).toBe("entry.nlb.example.com");
        expect(await valueOf(pulumi.all([...balancer.addresses]))).toEqual(["192.0.2.2", "192.0.2.3"]);
    });

    test("ends TLS with a certificate for its name and addresses, and speaks to the hosts without", async () => {
        const balancer = await create({ ...zones, listeners: [{ protocol: "tls", port: 6380, hostPort: 6379 }] });
        expect(recorder.find("alicloud:nlb/serverGroup:ServerGroup", "entry-6380").inputs).toMatchObject({
            protocol: "TCP",
            healthCheck: { healthCheckType: "TCP" },
        });
        expect(recorder.find("alicloud:nlb/listener:Listener", "entry-6380").inputs).toMatchObject({
            listenerProtocol: "TCPSSL",
            certificateIds: ["entry-6380-id-cn-hangzhou"],
            securityPolicyId: "tls_cipher_policy_1_2_strict_with_1_3",
        });
        expect(recorder.find("tls:index/certRequest:CertRequest", "entry-6380").inputs).toMatchObject({
            dnsNames: ["entry.nlb.example.com"],
            ipAddresses: ["192.0.2.2", "192.0.2.3"],
        });
        expect(await valueOf(balancer.url)).toBe("tls://192.0.2.2:6380");
        expect(await valueOf(balancer.caCertificate!)).toContain("CERTIFICATE");
    });

    test("a host that leaves is waited for after it is out of every group", async () => {
        await create({ ...zones, listeners: [dns], drainSeconds: 7 });
        expect(recorder.find("command:local:Command", "entry-web-1-drain").inputs).toMatchObject({
            delete: 'sleep "$DRAIN_SECONDS"',
            environment: { SERVER: "i-1", DRAIN_SECONDS: "7" },
            triggers: ["i-1"],
        });
        expect(recorder.resources.filter(({ name }) => name === "entry-drain")).toEqual([]);
    });

    test("lists are rules of a security group, which counts where it drops", async () => {
        await create({ ...zones, listeners: [{ ...dns, allow: ["10.0.0.0/8"] }] });
        const rules = recorder.resources.filter(({ type }) => type.endsWith(":SecurityGroupRule"));
        expect(
            rules.map(({ inputs }) => [inputs["policy"], inputs["cidrIp"], inputs["portRange"], inputs["ipProtocol"]]),
        ).toEqual([
            ["accept", "10.0.0.0/8", "53/53", "udp"],
            ["drop", "0.0.0.0/0", "53/53", "udp"],
        ]);
        const joined = "alicloud:nlb/loadBalancerSecurityGroupAttachment:LoadBalancerSecurityGroupAttachment";
        expect(recorder.find(joined, "entry-access").inputs).toMatchObject({
            loadBalancerId: "entry-id",
            securityGroupId: "entry-access-id",
        });
        // The provider would leave the balancer in the group when the lists go, which the cloud then doesn't delete.
        expect(recorder.find("alicloud:nlb/loadBalancer:LoadBalancer", "entry").inputs).not.toHaveProperty(
            "securityGroupIds",
        );
    });

    test("needs its zones, and refuses what the product can't do", () => {
        expect(
            problems({
                type: "nlb",
                vswitchId: "vsw-1",
                listeners: [http, { ...dns, stickiness: { seconds: 9 }, healthCheck: { intervalSeconds: 2 } }],
            }),
        ).toEqual([
            '  - vpcId: is missing: in which VPC does a balancer of type "nlb" stand?',
            '  - vswitchId: is of no use to type "nlb": name its vswitches instead.',
            '  - vswitches: a balancer of type "nlb" needs VSwitches of at least two zones: name one in each.',
            '  - listeners[0].protocol: "http" is none of tcp, udp, tls, which type "nlb" speaks.',
            '  - listeners[1].stickiness: is not there on an nlb: set scheduler to "sch", which keeps a client with its host.',
            "  - listeners[1].healthCheck.intervalSeconds: 2 is not a whole number from 5 to 50.",
        ]);
        expect(problems({ vpcId: "vpc-1", listeners: [{ ...dns, healthCheck: { request: "ping" } }] })).toEqual([
            '  - vpcId: is of no use to type "clb": leave it out.',
            "  - listeners[0].healthCheck.request: belongs to a udp listener of an nlb, and this is udp of clb.",
        ]);
    });
});

test("checks the health of hosts as it is told, and not more", async () => {
    await create({
        listeners: [
            {
                ...http,
                healthCheck: {
                    path: "/healthz",
                    domain: "shop.example.com",
                    codes: ["2xx", "3xx"],
                    port: 9000,
                    intervalSeconds: 5,
                    timeoutSeconds: 4,
                    healthyAfter: 2,
                    unhealthyAfter: 6,
                },
            },
            { protocol: "tcp", port: 5000, hostPort: 5000, stickiness: { seconds: 60 } },
        ],
    });
    expect(recorder.find(types.listener, "entry-80").inputs).toMatchObject({
        protocol: "http",
        frontendPort: 80,
        backendPort: 8080,
        healthCheck: "on",
        healthCheckUri: "/healthz",
        healthCheckDomain: "shop.example.com",
        healthCheckHttpCode: "http_2xx,http_3xx",
        healthCheckConnectPort: 9000,
        healthCheckInterval: 5,
        healthCheckTimeout: 4,
        healthyThreshold: 2,
        unhealthyThreshold: 6,
        stickySession: "off",
        aclStatus: "off",
    });
    const { inputs } = recorder.find(types.listener, "entry-5000");
    expect(inputs).toMatchObject({ protocol: "tcp", healthCheckType: "tcp", persistenceTimeout: 60 });
    expect(inputs).not.toHaveProperty("healthCheckUri");
});

test("asks the hosts as it is told, and says so where it is not, as what is left out stays", async () => {
    const method = "GET";
    await create({
        listeners: [
            { ...http, healthCheck: { method } },
            { ...http, port: 81 },
            { ...http, port: 82, protocol: "tcp", healthCheck: { path: "/healthz" } },
        ],
    });
    expect(recorder.find(types.listener, "entry-81").inputs["healthCheckConnectPort"]).toBe(8080);
    const methods = [80, 81, 82].map(
        (port) => recorder.find(types.listener, `entry-${port}`).inputs["healthCheckMethod"],
    );
    expect(methods).toEqual(["get", "head", undefined]);
    expect(
        problems({
            listeners: [
                { ...http, healthCheck: { method: "POST" as never } },
                { ...http, port: 81, protocol: "tcp", healthCheck: { method } },
                { ...http, port: 82, protocol: "tcp", healthCheck: { method, path: "/healthz" } },
            ],
        }),
    ).toEqual([
        '  - listeners[0].healthCheck.method: "POST" is none of HEAD, GET.',
        "  - listeners[1].healthCheck: method, domain and codes belong to a check over HTTP: set path too.",
        "  - listeners[2].healthCheck.method: is always HEAD on a tcp listener of a clb: leave it out, or use http.",
    ]);
});

test.each([
    [{ seconds: 60 }, { stickySession: "on", stickySessionType: "insert", cookieTimeout: 60 }],
    [{ cookie: "JSESSIONID" }, { stickySession: "on", stickySessionType: "server", cookie: "JSESSIONID" }],
])("keeps a client with its host by %j", async (stickiness, expected) => {
    await create({ listeners: [{ ...http, stickiness }] });
    expect(recorder.find(types.listener, "entry-80").inputs).toMatchObject(expected);
});

test("redirects to HTTPS once that serves, with a certificate of its own authority for its names and address", async () => {
    const balancer = await create({
        listeners: [
            { protocol: "http", port: 80, redirectTo: 8443 },
            { protocol: "https", port: 8443, hostPort: 8080, names: ["shop.example.com"] },
        ],
    });
    expect(await valueOf(balancer.url)).toBe("https://192.0.2.1:8443");
    expect(recorder.find(types.listener, "entry-80").inputs).toMatchObject({
        listenerForward: "on",
        forwardPort: 8443,
    });
    const listeners = recorder.resources.filter(({ type }) => type === types.listener).map(({ name }) => name);
    expect(listeners).toEqual(["entry-8443", "entry-80"]);
    expect(recorder.find(types.listener, "entry-8443").inputs).toMatchObject({
        serverCertificateId: "entry-8443-id",
        tlsCipherPolicy: "tls_cipher_policy_1_2_strict_with_1_3",
    });
    expect(recorder.find("tls:index/certRequest:CertRequest", "entry-8443").inputs).toMatchObject({
        dnsNames: ["shop.example.com"],
        ipAddresses: ["192.0.2.1"],
        subject: { commonName: "shop.example.com" },
    });
    expect(balancer.caCertificate).toBeDefined();
    expect(recorder.plaintext()).not.toContain("PEM entry-8443");
});

test("generates RSA keys where it takes no others, and keeps the authority that is there", async () => {
    const listeners: ListenerArgs[] = [{ protocol: "https", port: 443, hostPort: 8080 }];
    const zones = ["1", "2"].map((number) => ({ id: `vsw-${number}`, zone: `z-${number}` }));
    const privateKey = "tls:index/privateKey:PrivateKey";
    await create({ listeners, keys: { generation: 2, beside: 1 } });
    for (const name of ["entry-ca", "entry-ca-g2", "entry-443-g2"]) {
        expect(recorder.find(privateKey, name).inputs).toEqual({ algorithm: "RSA", rsaBits: 2048 });
        const kept = name.startsWith("entry-ca") ? ["algorithm", "ecdsaCurve", "rsaBits"] : undefined;
        expect(recorder.options(privateKey, name).ignoreChanges).toEqual(kept);
    }
    await create({ listeners, type: "alb", vpcId: "vpc-1", vswitches: zones });
    for (const name of ["entry-ca", "entry-443"]) {
        expect(recorder.find(privateKey, name).inputs).toEqual({ algorithm: "ECDSA", ecdsaCurve: "P256" });
    }
});

test("redirects to the https listener of a port that datagrams have, too, and is ready once all of them serve", async () => {
    const balancer = await create({
        listeners: [
            { protocol: "http", port: 80, redirectTo: 443 },
            { protocol: "https", port: 443, hostPort: 8080 },
            { protocol: "udp", port: 443, hostPort: 8443 },
        ],
    });
    // Of the two on port 443 the one of HTTPS comes last: it waits for its certificate.
    const listeners = recorder.resources.filter(({ type }) => type === types.listener).map(({ name }) => name);
    expect(listeners).toEqual(["entry-443-udp", "entry-443", "entry-80"]);
    expect(recorder.find(types.listener, "entry-80").inputs).toMatchObject({ forwardPort: 443 });
    expect(await Promise.all(balancer.ready.map(({ id }) => valueOf(id)))).toEqual([
        "entry-443-id",
        "entry-443-udp-id",
        "entry-80-id",
    ]);
});

test("a certificate that replaces another has another name, so that both are there while listeners change over", async () => {
    const nameOf = async (certificate: string): Promise<unknown> => {
        await create({
            listeners: [
                { protocol: "https", port: 443, hostPort: 8080, certificate: { certificate, privateKey: "THE KEY" } },
            ],
        });
        return recorder.find(types.certificate, "entry-443").inputs["name"];
    };
    const names = [await nameOf("FORMER"), await nameOf("NEXT"), await nameOf("NEXT")];
    expect(names[0]).toMatch(/^entry-443-[0-9a-f]{8}$/);
    expect(names[1]).not.toBe(names[0]);
    expect(names[2]).toBe(names[1]);
});

test("takes a certificate of the caller's, and makes none", async () => {
    const certificate = { certificate: "CHAIN", privateKey: "THE KEY" };
    const balancer = await create({ listeners: [{ protocol: "https", port: 443, hostPort: 80, certificate }] });
    expect(recorder.find(types.certificate, "entry-443").inputs).toMatchObject({ serverCertificate: "CHAIN" });
    expect(recorder.plaintext()).not.toContain("THE KEY");
    expect(recorder.names("tls:index/privateKey:PrivateKey").filter((name) => name.startsWith("entry"))).toEqual([]);
    expect(balancer.caCertificate).toBeUndefined();
    expect(await valueOf(balancer.url)).toBe("https://192.0.2.1");
});

describe("a caller's certificate on a clb", () => {
    const block = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
    const given = async (certificate: pulumi.Input<string>, privateKey: pulumi.Input<string>) => {
        await create({
            listeners: [http, { protocol: "https", port: 443, hostPort: 80, certificate: { certificate, privateKey } }],
        });
        return recorder.find(types.certificate, "entry-443");
    };
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const pkcs1 = rsa.export({ type: "pkcs1", format: "pem" }).toString();
    const pkcs8 = rsa.export({ type: "pkcs8", format: "pem" }).toString();

    test("goes on with its RSA key in PKCS#1 and without blank lines between its parts, secret as before", async () => {
        const { inputs, secret } = await given(`${block("OWN")}\n${block("ISSUER")}`, pulumi.output(pkcs8));
        expect(inputs).toMatchObject({ serverCertificate: block("OWN") + block("ISSUER"), privateKey: pkcs1 });
        expect(secret).toContain("privateKey");
    });

    test("stays the very text that it is where it is in order", async () => {
        const [chain, key] = [`${block("OWN")}${block("ISSUER")}\n`.replaceAll("\n", "\r\n"), `\n${pkcs1.trim()}`];
        expect((await given(chain, key)).inputs).toMatchObject({ serverCertificate: chain, privateKey: key });
    });

    describe("whose key is of another kind", () => {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
        const other = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
        const why =
            '  - listeners[1].certificate: has no RSA key, and a clb takes no other: use one that has, or type "alb".';

        test("is refused, but on an alb", () => {
            const certificate = { certificate: block("OWN"), privateKey: other };
            const listeners: ListenerArgs[] = [http, { protocol: "https", port: 443, hostPort: 80, certificate }];
            expect(problems({ listeners })).toEqual([why]);
            expect(problems({ listeners, type: "alb" }).filter((line) => line.includes("certificate"))).toEqual([]);
        });

        test("is refused once that is known, and the balancer is named", async () => {
            const later = pulumi.output(Promise.resolve(other));
            const checked = checkedRsaKey('LoadBalancer "entry"', "listeners[1].certificate", later);
            expect(await failureOf(checked)).toContain(`LoadBalancer "entry" has 1 problem:\n${why}`);
        });
    });
});

test("admits whom its list names, and nobody before the list has them", async () => {
    await create({ listeners: [{ ...http, allow: ["198.51.100.0/24"] }] });
    expect(recorder.find(types.listener, "entry-80").inputs).toMatchObject({
        aclStatus: "on",
        aclType: "white",
        aclIds: ["entry-80-id"],
    });
    // Another stack of the account may have a balancer of this name, and the cloud takes a list's name once.
    expect(recorder.find(types.list, "entry-80").inputs).toMatchObject({ name: "project-stack-entry-80" });
    expect(recorder.find(types.entry, "entry-80-198.51.100.0-24").inputs).toMatchObject({
        aclId: "entry-80-id",
        entry: "198.51.100.0/24",
    });
    const waits = recorder.options(types.listener, "entry-80").dependsOn as pulumi.Resource[];
    expect(waits).toContain(recorder.observed.find(({ type }) => type === types.entry)!.resource);
    await create({ listeners: [{ ...http, deny: ["198.51.100.0/24"] }] });
    expect(recorder.find(types.listener, "entry-80").inputs).toMatchObject({ aclType: "black" });
});

test("gives hosts traffic after what they need is done", async () => {
    const after = hosts(1);
    await create({ after });
    expect(recorder.options(types.servers, "entry").dependsOn).toEqual(after);
});

test("holds an update up only for servers that left", async () => {
    await create({ drainSeconds: 7 });
    const { inputs } = recorder.find("command:local:Command", "entry-drain");
    expect(inputs["environment"]).toEqual({ SERVERS: "i-1 i-2", DRAIN_SECONDS: "7" });
    const waits = (before: string, now: string): string =>
        execFileSync("sh", ["-c", `sleep() { echo "waits $1"; }\n${String(inputs["update"])}`], {
            env: { PULUMI_COMMAND_STDOUT: before, SERVERS: now, DRAIN_SECONDS: "7" },
            encoding: "utf8",
        });
    expect(waits("i-1 i-2", "i-1 i-2")).toBe("i-1 i-2\n");
    expect(waits("i-1", "i-1 i-2")).toBe("i-1 i-2\n");
    expect(waits("i-1 i-2 i-3", "i-1")).toBe("waits 7\ni-1\n");
    expect(waits("i-1", "i-11")).toBe("waits 7\ni-11\n");
});

test("every child has the component as its parent, and a transformation reaches it", async () => {
    const balancer = await create({
        listeners: [{ protocol: "https", port: 443, hostPort: 80, allow: ["198.51.100.0/24"] }],
    });
    const own = recorder.observed.filter(
        ({ name, type }) => name.startsWith("entry") && !type.includes("LoadBalancer:LoadBalancer"),
    );
    expect(own.filter(({ opts }) => opts.parent === balancer).length).toBe(
        own.filter(({ type }) => type !== "multihost:loadBalancer:LoadBalancer").length,
    );
});

test("lists every problem at once", () => {
    expect(
        problems(
            {
                type: "glb" as never,
                vswitchId: "vsw-1",
                hosts: [...hosts(1), ...hosts(1)],
                weights: { "web-1": 101, other: 5 },
                drainSeconds: 901,
                listeners: [
                    { protocol: "http", port: 80, redirectTo: 443, hostPort: 1 },
                    { protocol: "tcp", port: 80, hostPort: 0, names: ["x"], stickiness: { cookie: "c" } },
                    { protocol: "quic" as never, port: 0, hostPort: 1, healthCheck: { path: "x", codes: [] } },
                    {
                        ...http,
                        port: 81,
                        allow: [],
                        deny: ["x"],
                        healthCheck: { intervalSeconds: 60, healthyAfter: 1 },
                    },
                    { protocol: "http", port: 82 },
                ],
            },
            "Entry",
        ),
    ).toEqual([
        expect.stringContaining('- name: "Entry" can\'t name resources'),
        '  - type: "glb" is not there: use "clb", "alb" or "nlb".',
        '  - vswitchId: is of no use to an internet balancer: leave it out, or set address to "intranet".',
        '  - hosts[1]: "web-1" is listed twice.',
        '  - weights["web-1"]: 101 is not a whole number from 0 to 100.',
        '  - weights["other"]: there is no host of this name; there are web-1, web-1.',
        "  - drainSeconds: 901 is not a whole number from 0 to 900.",
        "  - listeners[0].redirectTo: 443 is not the port of an https listener of this balancer.",
        "  - listeners[0].hostPort: is of no use to a redirection: leave it out.",
        "  - listeners[1].port: 80 has a listener already: each needs a port of its own.",
        "  - listeners[1].hostPort: 0 is not a whole number from 1 to 65535.",
        "  - listeners[1].names: belongs to an https or tls listener, and this is tcp.",
        "  - listeners[1].stickiness.cookie: a tcp listener sees no cookies: set seconds.",
        "  - listeners[2].port: 0 is not a whole number from 1 to 65535.",
        '  - listeners[2].protocol: "quic" is none of tcp, udp, http, https, which type "clb" speaks.',
        '  - listeners[2].healthCheck.path: "x" is not a path of at most 80 characters such as /healthz.',
        "  - listeners[2].healthCheck.codes: name at least one of 2xx, 3xx, 4xx, 5xx.",
        "  - listeners[3].healthCheck.intervalSeconds: 60 is not a whole number from 1 to 50.",
        "  - listeners[3].healthCheck.healthyAfter: 1 is not a whole number from 2 to 10.",
        "  - listeners[3].deny: excludes allow: what is not allowed is denied already.",
        "  - listeners[3].allow: is empty, which the cloud takes for everybody: name a range, or leave it out.",
        "  - listeners[4].hostPort: is missing: which port do the hosts serve on?",
    ]);
});

test("takes the default for what a health check leaves undefined", () => {
    const checkOf = (healthCheck: ListenerArgs["healthCheck"]): object =>
        parseLoadBalancerArgs("entry", {
            type: "clb",
            address: "internet",
            hosts: hosts(1),
            listeners: [{ ...http, healthCheck }],
        }).listeners[0]!.check;
    const given = ["path", "codes", "intervalSeconds", "timeoutSeconds", "healthyAfter", "unhealthyAfter"];
    const unset = Object.fromEntries(given.map((member) => [member, undefined]));
    expect(checkOf(unset)).toEqual(checkOf(undefined));
});

test.each([
    [{ hosts: [] }, "hosts: is empty: name at least one host."],
    [{ listeners: [] }, "listeners: is empty: a balancer without a listener serves nobody."],
    [{ weights: { "web-1": 0, "web-2": 0 } }, "weights: are all 0: nobody would serve."],
    [
        { address: "intranet" as const },
        "vswitchId: is needed for a balancer with an address within the VPC: name one of its VSwitches.",
    ],
    [{ hosts: hosts(21) }, "hosts: 21 are too many: the cloud takes 20 at once."],
])("refuses %#", (args, expected) => {
    expect(problems(args)).toContain(`  - ${expected}`);
});

test("shows a whole plan before anything exists", async () => {
    const preview = new Recorder({ preview: true });
    new LoadBalancer("entry", {
        type: "clb",
        address: "internet",
        hosts: hosts(2),
        listeners: [{ protocol: "https", port: 443, hostPort: 80 }],
    });
    await preview.settled();
    expect(preview.names(types.listener)).toEqual(["entry-443"]);
});

test("refuses a host that is no instance in the preview, not in the middle of an update", () => {
    new Recorder({ preview: true });
    expect(problemsOf(() => serverId("metal-1", "ssh-ed25519 AAAA"))).toEqual([
        'Host "metal-1" is not known as an ECS instance: give its instance id as `identity`.',
    ]);
    expect(serverId("web-1", "i-1")).toBe("i-1");
});

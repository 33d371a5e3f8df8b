import { problemsOf, Recorder, valueOf } from "../components/recorder";

const recorder = new Recorder();

import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

import { Host } from "../../../components/host";
import { LoadBalancer, type ListenerArgs, type LoadBalancerArgs } from "../../../components/loadBalancer";
import { uploadCertificate } from "../../../components/loadBalancer/certificate";
import type { BalancerParts } from "../../../components/loadBalancer/cloud";
import { parseLoadBalancerArgs } from "../../../components/loadBalancer/settings";

const types = {
    balancer: "alicloud:alb/loadBalancer:LoadBalancer",
    group: "alicloud:alb/serverGroup:ServerGroup",
    listener: "alicloud:alb/listener:Listener",
    rule: "alicloud:alb/rule:Rule",
    list: "alicloud:alb/acl:Acl",
    entry: "alicloud:alb/aclEntryAttachment:AclEntryAttachment",
    attachment: "alicloud:alb/listenerAclAttachment:ListenerAclAttachment",
    certificate: "alicloud:cas/serviceCertificate:ServiceCertificate",
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
const vswitches = [
    { id: "vsw-1", zone: "cn-hangzhou-h" },
    { id: "vsw-2", zone: "cn-hangzhou-i" },
];

function wanted(args: Partial<LoadBalancerArgs>): LoadBalancerArgs {
    return {
        type: "alb",
        address: "internet",
        vpcId: "vpc-1",
        vswitches,
        hosts: hosts(2),
        listeners: [http],
        ...args,
    };
}

async function create(args: Partial<LoadBalancerArgs> = {}): Promise<LoadBalancer> {
    recorder.clear();
    const balancer = new LoadBalancer("entry", wanted(args), recorder.watched);
    await recorder.settled();
    return balancer;
}

const problems = (args: Partial<LoadBalancerArgs>): string[] =>
    problemsOf(() => parseLoadBalancerArgs("entry", wanted(args))).slice(1);

test("stands in a VSwitch of each zone, and has an address in each and a name", async () => {
    const balancer = await create({ tags: { team: "shop" } });
    const tags = {
        team: "shop",
        "multihost:project": "project",
        "multihost:stack": "stack",
        "multihost:resource": "entry",
    };
    expect(recorder.find(types.balancer, "entry").inputs).toEqual({
        loadBalancerName: "entry",
        loadBalancerEdition: "Standard",
        loadBalancerBillingConfig: { payType: "PayAsYouGo" },
        addressType: "Internet",
        addressAllocatedMode: "Fixed",
        addressIpVersion: "IPv4",
        vpcId: "vpc-1",
        zoneMappings: [
            { vswitchId: "vsw-1", zoneId: "cn-hangzhou-h" },
            { vswitchId: "vsw-2", zoneId: "cn-hangzhou-i" },
        ],
        deletionProtectionEnabled: false,
        tags,
    });
    expect(await Promise.all(balancer.addresses.map(valueOf))).toEqual(["192.0.2.11", "192.0.2.12"]);
    expect(await valueOf(balancer.address)).toBe("192.0.2.11");
    expect(await valueOf(balancer.dnsName!)).toBe("entry.alb.example.com");
    expect(await valueOf(balancer.url)).toBe("http://192.0.2.11");
});

test("each listener has a group with the hosts on its port, which drains, checks and keeps clients as it is told", async () => {
    await create({
        weights: { "web-2": 30 },
        drainSeconds: 60,
        listeners: [
            {
                ...http,
                scheduler: "wlc",
                stickiness: { seconds: 90 },
                healthCheck: {
                    path: "/healthz",
                    method: "GET",
                    domain: "shop.example.com",
                    codes: ["2xx", "3xx"],
                    port: 9000,
                },
            },
        ],
    });
    expect(recorder.find(types.group, "entry-80").inputs).toMatchObject({
        vpcId: "vpc-1",
        protocol: "HTTP",
        scheduler: "Wlc",
        connectionDrainConfig: { connectionDrainEnabled: true, connectionDrainTimeout: 60 },
        stickySessionConfig: { stickySessionEnabled: true, stickySessionType: "Insert", cookieTimeout: 90 },
        healthCheckConfig: {
            healthCheckMethod: "GET",
            healthCheckPath: "/healthz",
            healthCheckHost: "shop.example.com",
            healthCheckCodes: ["http_2xx", "http_3xx"],
            healthCheckConnectPort: 9000,
            healthCheckInterval: 2,
        },
        servers: [
            { serverType: "Ecs", serverId: "i-1", serverIp: "10.0.0.1", port: 8080, weight: 100 },
            { serverType: "Ecs", serverId: "i-2", serverIp: "10.0.0.2", port: 8080, weight: 30 },
        ],
    });
    expect(recorder.find(types.listener, "entry-80").inputs).toMatchObject({
        loadBalancerId: "entry-id",
        listenerProtocol: "HTTP",
        listenerPort: 80,
        defaultActions: [
            { type: "ForwardGroup", forwardGroupConfig: { serverGroupTuples: [{ serverGroupId: "entry-80-id" }] } },
        ],
        xForwardedForConfig: { xForwardedForEnabled: true, xForwardedForProtoEnabled: true },
    });
});

test.each([
    [undefined, undefined, "cn-hangzhou"],
    [undefined, "International", "ap-southeast-1"],
    ["International", undefined, "ap-southeast-1"],
    ["International", "Domestic", "cn-hangzhou"],
])(
    "of an account that is %s to the stack and %s to the balancer's provider certificates are in %s",
    async (ofStack, own, home) => {
        const provider = new alicloud.Provider("elsewhere", { ...(own !== undefined && { accountType: own }) });
        const parent = new pulumi.ComponentResource("test:index:Balancer", "entry", {}, { provider });
        const given = { certificate: "PEM", privateKey: "KEY" };
        const parts = { args: {}, parent, certificateOf: () => given } as unknown as BalancerParts;
        pulumi.runtime.setAllConfig(ofStack === undefined ? {} : { "alicloud:accountType": ofStack });
        const number = uploadCertificate(parts, "entry-443", http, { addresses: [] }, pulumi.output("cn-hongkong"));
        expect(await valueOf(number)).toBe(`entry-443-id-${home}`);
        pulumi.runtime.setAllConfig({});
    },
);

test("redirects by a rule, and takes a certificate for its names and addresses from the certificate service", async () => {
    await create({
        listeners: [
            { protocol: "http", port: 80, redirectTo: 443 },
            { protocol: "https", port: 443, hostPort: 8080, names: ["shop.example.com"] },
        ],
    });
    expect(recorder.find(types.rule, "entry-80").inputs).toMatchObject({
        listenerId: "entry-80-id",
        ruleConditions: [{ type: "Path", pathConfig: { values: ["/*"] } }],
        ruleActions: [
            {
                type: "Redirect",
                redirectConfig: {
                    httpCode: "301",
                    protocol: "HTTPS",
                    port: "443",
                    host: "${host}",
                    path: "${path}",
                    query: "${query}",
                },
            },
        ],
    });
    expect(recorder.find("tls:index/certRequest:CertRequest", "entry-443").inputs).toMatchObject({
        dnsNames: ["shop.example.com", "entry.alb.example.com"],
        ipAddresses: ["192.0.2.11", "192.0.2.12"],
    });
    const certificate = recorder.find(types.certificate, "entry-443");
    expect(certificate.secret).toContain("key");
    expect(certificate.inputs["certificateName"]).toMatch(/^project-stack-entry-443-[0-9a-f]{8}$/);
    expect(recorder.find(types.listener, "entry-443").inputs).toMatchObject({
        certificates: { certificateId: "entry-443-id-cn-hangzhou" },
        securityPolicyId: "tls_cipher_policy_1_2_strict_with_1_3",
        http2Enabled: true,
    });
    // What no rule matches goes where the redirection leads.
    expect(recorder.find(types.listener, "entry-80").inputs["defaultActions"]).toMatchObject([
        { forwardGroupConfig: { serverGroupTuples: [{ serverGroupId: "entry-443-id" }] } },
    ]);
});

test.each([
    [{ allow: ["198.51.100.0/24"] }, "White"],
    [{ deny: ["198.51.100.0/24"] }, "Black"],
])("has a list for %j", async (access, aclType) => {
    await create({ listeners: [{ ...http, ...access }] });
    expect(recorder.find(types.entry, "entry-80-198.51.100.0-24").inputs).toMatchObject({
        aclId: "entry-80-id",
        entry: "198.51.100.0/24",
    });
    expect(recorder.find(types.attachment, "entry-80").inputs).toEqual({
        aclId: "entry-80-id",
        aclType,
        listenerId: "entry-80-id",
    });
});

test("leaves its zones as they are, which the provider fills in", async () => {
    await create();
    const [resource] = recorder.observed.filter(({ type }) => type === types.balancer);
    expect(resource?.opts.ignoreChanges).toEqual(["zoneMappings"]);
});

test.each<[Partial<LoadBalancerArgs>, string[]]>([
    [
        { vswitches: [vswitches[0]!] },
        ['  - vswitches: a balancer of type "alb" needs VSwitches of at least two zones: name one in each.'],
    ],
    [
        { vswitches: [vswitches[0]!, { id: "vsw-3", zone: "cn-hangzhou-h" }] },
        ["  - vswitches[1]: cn-hangzhou-h has one already: name one VSwitch in each zone."],
    ],
    [
        { vswitchId: "vsw-1", listeners: [{ protocol: "tcp", port: 80, hostPort: 80, scheduler: "rr" }] },
        [
            '  - vswitchId: is of no use to type "alb": name its vswitches instead.',
            '  - listeners[0].protocol: "tcp" is none of http, https, which type "alb" speaks.',
            '  - listeners[0].scheduler: "rr" is none of wrr, wlc.',
        ],
    ],
    [
        { type: "clb" },
        [
            '  - vpcId: is of no use to type "clb": leave it out.',
            '  - vswitches: is of no use to type "clb": leave it out.',
        ],
    ],
])("%j is refused", (args, expected) => {
    expect(problems(args)).toEqual(expected);
});

import * as pulumi from "@pulumi/pulumi";
import { failureOf } from "../components/recorder";

interface Registered {
    readonly type: string;
    readonly name: string;
    readonly inputs: Record<string, unknown>;
}

let registered: Registered[] = [];

void pulumi.runtime.setMocks(
    {
        newResource: ({ type, name, inputs, custom }) => {
            const plain = inputs as Record<string, unknown>;
            if (custom === true) registered.push({ type, name, inputs: plain });
            const state: Record<string, unknown> = { ...plain };
            if (type === "tls:index/privateKey:PrivateKey") state["privateKeyPem"] = `KEY ${name}`;
            if (type === "tls:index/certRequest:CertRequest") state["certRequestPem"] = `REQUEST ${name}`;
            if (type.endsWith("Cert")) state["certPem"] = `CERTIFICATE ${name}`;
            if (type === "command:remote:Command")
                state["stdout"] = '{"step":"redis/cluster","changed":[],"masters":3,"slots":16384,"nodes":[]}\n';
            return { id: `${name}-id`, state };
        },
        call: () => ({}),
    },
    "project",
    "stack",
    false,
);

import { Host } from "../../../components/host";
import { checkedPassword } from "../../../components/password";
import { clusterUrl, RedisCluster } from "../../../components/redis/redisCluster";
import type { RedisClusterArgs } from "../../../components/redis";

function hosts(count: number): Host[] {
    return Array.from(
        { length: count },
        (_, index) =>
            new Host(`db-${index + 1}`, {
                address: `10.0.0.${index + 1}`,
                privateKey: "LOGIN KEY",
                hostKey: `ssh-ed25519 AAAA${index + 1}`,
                zone: `zone-${index % 2}`,
            }),
    );
}

function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
    return new Promise((resolve) => output.apply(resolve));
}

async function create(args: Partial<RedisClusterArgs> = {}): Promise<RedisCluster> {
    const cluster = new RedisCluster("cache", { hosts: hosts(6), ...args });
    await valueOf(cluster.url);
    return cluster;
}

function find(type: string, name: string): Record<string, unknown> {
    const found = registered.find((resource) => resource.type === type && resource.name === name);
    if (found === undefined)
        throw new Error(`no ${type} ${name} in ${registered.map((r) => `${r.type} ${r.name}`).join("\n")}`);
    return found.inputs;
}

// What the mocks see of a secret is wrapped.
function text(value: unknown): string {
    return typeof value === "object" && value !== null && "value" in value ? String(value.value) : String(value);
}

beforeEach(() => (registered = []));

describe("RedisCluster", () => {
    test("runs one node step per host with all parameters in the command text", async () => {
        await create();
        const node = find("command:remote:Command", "cache-db-2");
        expect(text(node["create"])).toMatch(
            /^STEP=redis\/node@[0-9a-f]{8} PARAM_ADDRESS='10\.0\.0\.2' PARAM_APPENDONLY='true' PARAM_MAXMEMORY='60%' PARAM_MAXMEMORY_POLICY='noeviction' PARAM_MIN_REPLICAS_TO_WRITE='0' PARAM_NODE_TIMEOUT='5000' PARAM_PORT='7000' PARAM_TLS='true' bash --norc -s$/,
        );
        expect(
            registered
                .filter(({ type }) => type === "command:remote:Command")
                .map(({ name }) => name)
                .filter((name) => !name.endsWith("-ready")),
        ).toEqual([...["1", "2", "3", "4", "5", "6"].map((number) => `cache-db-${number}`), "cache-cluster"]);
    });

    test("joins all members on the first host, with their zones", async () => {
        await create();
        const cluster = find("command:remote:Command", "cache-cluster");
        expect(text(cluster["create"])).toContain("PARAM_MEMBERS='db-1=10.0.0.1:7000 db-2=10.0.0.2:7000 ");
        expect(text(cluster["create"])).toContain("PARAM_ZONES='db-1=zone-0 db-2=zone-1 ");
        expect(text(cluster["create"])).toContain("PARAM_MASTERS='3'");
        // On another first host it is an update, by which it knows that a cluster was there.
        expect(cluster).not.toHaveProperty("triggers");
        expect(text(cluster["create"])).toContain("PARAM_REPLICAS_PER_MASTER='1'");
    });

    test("keeps secrets to standard input", async () => {
        const password = "correct-horse-battery-1";
        const cluster = await create({ password });
        for (const { type, inputs } of registered.filter((resource) => resource.type === "command:remote:Command")) {
            const { stdin, ...rest } = inputs;
            expect([type, JSON.stringify(rest)]).toEqual([type, expect.not.stringContaining(password)]);
            expect(JSON.stringify(rest)).not.toContain("KEY cache");
            expect(stdin).toBeDefined();
        }
        expect(await pulumi.isSecret(cluster.url)).toBe(true);
        expect(await pulumi.isSecret(cluster.password)).toBe(true);
        expect(await pulumi.isSecret(cluster.endpoints)).toBe(false);
        expect(await valueOf(cluster.url)).toBe(
            "rediss://:correct-horse-battery-1@10.0.0.1:7000,10.0.0.2:7000,10.0.0.3:7000,10.0.0.4:7000,10.0.0.5:7000,10.0.0.6:7000",
        );
    });

    test("generates the same strong password from the same key", async () => {
        const first = await valueOf((await create()).password);
        expect(first).toMatch(/^[A-Za-z0-9_-]{43}$/);
        expect(await valueOf((await create()).password)).toBe(first);
    });

    test("issues a certificate per node for its address, as server and client", async () => {
        await create();
        expect(find("tls:index/certRequest:CertRequest", "cache-db-3")).toMatchObject({
            ipAddresses: ["10.0.0.3", "127.0.0.1"],
            dnsNames: ["db-3"],
        });
        expect(find("tls:index/locallySignedCert:LocallySignedCert", "cache-db-3")).toMatchObject({
            allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
            earlyRenewalHours: 1440,
        });
        expect(find("tls:index/selfSignedCert:SelfSignedCert", "cache-ca")).toMatchObject({ isCaCertificate: true });
    });

    test("trusts the authorities of both generations while keys rotate, and is issued by the one it works with", async () => {
        const trusted = (): string => text(find("command:remote:Command", "cache-db-3")["stdin"]);
        const cluster = await create({ keys: { beside: 2 } });
        const both = "CERTIFICATE cache-ca\nCERTIFICATE cache-ca-g2\n";
        expect(await valueOf(cluster.caCertificate)).toBe(both);
        expect(trusted()).toContain(`SECRET_CERTIFICATE='CERTIFICATE cache-db-3'`);
        registered = [];
        expect(await valueOf((await create({ keys: { generation: 2, beside: 1 } })).caCertificate)).toBe(both);
        expect(trusted()).toContain(`SECRET_CERTIFICATE='CERTIFICATE cache-db-3-g2'`);
        expect(find("tls:index/locallySignedCert:LocallySignedCert", "cache-db-3-g2")).toMatchObject({
            caCertPem: "CERTIFICATE cache-ca-g2",
        });
        registered = [];
        const ended = await create({ keys: { generation: 2 } });
        expect(await valueOf(ended.caCertificate)).toBe("CERTIFICATE cache-ca-g2");
        expect(registered.map(({ name }) => name)).not.toContain("cache-ca");
    });

    test("a node's new settings run the joining step again", async () => {
        await create({ maxmemory: "1gb" });
        const one = text(find("command:remote:Command", "cache-cluster")["stdin"]);
        registered = [];
        await create({ maxmemory: "2gb" });
        expect(text(find("command:remote:Command", "cache-cluster")["stdin"])).not.toBe(one);
    });

    test("without TLS there is no certificate", async () => {
        const cluster = await create({ tls: false });
        expect(await valueOf(cluster.caCertificate)).toBe("");
        expect(await valueOf(cluster.url)).toMatch(/^redis:\/\/:/);
        expect(registered.map(({ type }) => type)).not.toContain("tls:index/selfSignedCert:SelfSignedCert");
    });

    test("waits for a replica where there are two", async () => {
        await create({ hosts: hosts(9), replicasPerMaster: 2 });
        for (const name of ["cache-db-9", "cache-cluster"]) {
            expect(text(find("command:remote:Command", name)["create"])).toContain("PARAM_MIN_REPLICAS_TO_WRITE='1'");
        }
    });

    test("reports all problems at once", () => {
        const [first, second] = hosts(2);
        expect(
            () =>
                new RedisCluster("cache", {
                    hosts: [first!, second!, first!],
                    masters: 2,
                    port: 60000,
                    maxmemory: "95%",
                    maxmemoryPolicy: "lru" as never,
                    nodeTimeout: 1.5,
                    minReplicasToWrite: 2,
                    password: "hunter2",
                    dataDirectory: "/data/../etc",
                }),
        ).toThrow(
            [
                'RedisCluster "cache" has 10 problems:',
                "  - masters: 2 is not a number of masters from 3 to 500.",
                "  - hosts: 3 hosts can't carry 2 masters with 1 replicas each: one server per host makes 4.",
                '  - hosts[2]: "db-1" is listed twice.',
                "  - port: 60000 is not a TCP port (the cluster bus takes 10000 more) from 1024 to 55535.",
                "  - nodeTimeout: 1.5 is not a number of milliseconds from 500 to 60000.",
                "  - minReplicasToWrite: 2 is not a number of replicas from 0 to 1.",
                '  - maxmemory: "95%" leaves the host too little: at most 90%.',
                '  - maxmemoryPolicy: "lru" is none of noeviction, allkeys-lru, allkeys-lfu, allkeys-random, volatile-lru, volatile-lfu, volatile-random, volatile-ttl.',
                "  - password: a password needs at least 16 characters.",
                '  - dataDirectory: "/data/../etc" is not an absolute path of its own below a top-level folder.',
            ].join("\n"),
        );
    });

    test.each([
        ["short", "a password needs at least 16 characters."],
        ["has a blank in the middle", "a password is made of letters, digits and . _ ~ + / = @ % : , ! * ^ -"],
        ["aaaaaaaaaaaaaaaa", "a password needs at least 8 different characters."],
    ])("refuses the weak password %p", (password, reason) => {
        expect(() => new RedisCluster("cache", { hosts: hosts(6), password })).toThrow(`password: ${reason}`);
    });

    test("refuses a weak password that is known only later, and says whose it is", async () => {
        const later = checkedPassword('RedisCluster "cache"', "password", pulumi.output(Promise.resolve("short")));
        expect(await failureOf(later)).toContain(
            'RedisCluster "cache" has 1 problem:\n  - password: a password needs at least 16 characters.',
        );
    });

    test("a URL reader gets back any password", () => {
        const url = clusterUrl(["10.0.0.1:7000", "10.0.0.2:7000"], "p@ss:w/rd%1", true);
        expect(url).toBe("rediss://:p%40ss%3Aw%2Frd%251@10.0.0.1:7000,10.0.0.2:7000");
    });
});

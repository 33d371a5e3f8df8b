import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { balancerListeners, balancerSettings } from "../../config/loadBalancer";
import type { Network, NodePool, WebTier } from "../../components";
import { loadConfig, parseConfig, type StackConfig } from "../../config";
import { instanceTypes } from "../../config/hosts";
import { checkedPorts, stackRoles } from "../../config/roles";
import { storageDisks } from "../../config/storage";

const minimal = { "alicloud:region": "cn-hangzhou", adminCidrs: '["198.51.100.0/24"]' };

function problemsOf(raw: Record<string, string>, secretKeys: readonly string[] = []): string[] {
    try {
        parseConfig(raw, secretKeys);
    } catch (error) {
        return (error as Error).message.split("\n");
    }
    return [];
}

describe("the stack's configuration", () => {
    it("has defaults for all but the administrators' ranges", () => {
        expect(parseConfig(minimal)).toEqual({
            network: { cidr: "10.0.0.0/16", zones: 2, reservedCidrs: [] },
            adminCidrs: ["198.51.100.0/24"],
            bastion: {
                instanceType: "ecs.t6-c1m1.large",
                rebuildOn: [],
                systemDisk: { size: 40, encrypted: true },
                deletionProtection: false,
            },
            hosts: {
                count: 6,
                exclude: [],
                placement: {},
                instanceType: "ecs.g7.large",
                rebuildOn: [],
                systemDisk: { size: 40, encrypted: true },
                deletionProtection: false,
            },
            redis: {
                enabled: true,
                masters: 3,
                replicasPerMaster: 1,
                port: 7000,
                maxmemory: "60%",
                maxmemoryPolicy: "noeviction",
                tls: true,
                dnsNames: ["redis.internal"],
            },
            mysql: {
                enabled: true,
                engine: "mariadb",
                replicas: 1,
                databases: ["app"],
                user: "app",
                port: 3306,
                bufferPool: "20%",
                semiSync: true,
                dnsNames: ["mysql.internal", "mysql-replica.internal"],
                rebuild: [],
            },
            storage: { enabled: false, engine: "glusterfs", mountPoint: "/data/shared", arbiter: false },
            web: { enabled: true, count: 2, instanceType: "ecs.g7.large", port: 80, shared: false },
            loadBalancer: {
                enabled: true,
                type: "clb",
                address: "intranet",
                https: true,
                names: ["web.internal"],
                healthCheckMethod: "HEAD",
                weights: {},
                drainSeconds: 30,
                deletionProtection: false,
            },
            dns: { enabled: true, zone: "internal", ttl: 5 },
            keys: {},
            sharedHosts: [],
            tags: {},
        });
    });

    it("names nothing where no zone is wanted, and ends names with another one", () => {
        const off = parseConfig({ ...minimal, dns: '{"enabled":false}' });
        expect([off.redis.dnsNames, off.mysql.dnsNames, off.loadBalancer.names]).toEqual([[], [], []]);
        const other = parseConfig({
            ...minimal,
            dns: '{"zone":"prod.example.com"}',
            loadBalancer: '{"address":"internet"}',
        });
        expect([...other.redis.dnsNames, ...other.loadBalancer.names]).toEqual(["redis.prod.example.com"]);
        expect(problemsOf({ ...minimal, dns: '{"zone":"No Zone","ttl":10}' }).slice(1)).toEqual([
            '  - dns.zone: "No Zone" is not a name in the DNS: lower-case letters, digits and hyphens between dots.',
            "  - dns.ttl: 10 is none of the numbers of seconds that PrivateZone takes: 5, 30, 60, 3600, 43200, 86400.",
        ]);
    });

    it("names each instance type that hosts are made of, the pool's first", () => {
        const hosts = '{"instanceType":"ecs.r7.large"}';
        const types = (more: Record<string, string>) => instanceTypes(parseConfig({ ...minimal, hosts, ...more }));
        expect(types({})).toEqual(["ecs.r7.large", "ecs.g7.large", "ecs.t6-c1m1.large"]);
        expect(types({ web: '{"enabled":false}' })).toEqual(["ecs.r7.large", "ecs.t6-c1m1.large"]);
        expect(types({ bastion: hosts, web: hosts })).toEqual(["ecs.r7.large"]);
    });

    it("makes as many hosts as Redis Cluster has nodes", () => {
        expect(parseConfig({ ...minimal, redis: '{"masters":4,"replicasPerMaster":2}' }).hosts.count).toBe(12);
    });

    it("lists every problem at once, by path, and names the remedy", () => {
        expect(
            problemsOf({
                "alicloud:region": "cn-atlantis",
                adminCidrs: '["0.0.0.0/0", "300.1.1.1/32"]',
                network: '{"cidr":"10.0.0.0/16","reservedCidrs":["10.0.128.0/17"],"zone":2}',
                hosts: '{"count":5,"deletionProtection":"yes","rebuildOn":["image","size"]}',
                redis: '{"masters":"three","password":"hunter2"}',
                colour: "blue",
            }),
        ).toEqual([
            "The stack's configuration has 12 problems:",
            "  - network.zone: is not known; `network` has cidr, zones, vswitchCidrs, reservedCidrs, vpcId, vswitchIds, natGateway.",
            "  - colour: is not a key of this project; there are network, adminCidrs, bastion, hosts, redis, mysql, storage, web, loadBalancer, dns, keys, sharedHosts, tags.",
            '  - alicloud:region: "cn-atlantis" is not a region that the provider knows. For one that the cloud has nevertheless: `pulumi config set alicloud:skipRegionValidation true`.',
            '  - redis.masters: "three" is not a whole number between 3 and 100.',
            "  - redis.password: a password needs at least 16 characters. Leave it out to have one generated.",
            "  - redis.password: stands in the stack's file as plain text: choose another one and set it with `pulumi config set --secret --path redis.password`.",
            "  - hosts.count: 5 hosts are too few: 3 masters with 1 replicas each need 6, one server per host.",
            '  - hosts.rebuildOn[1]: "size" is none of image, userData, systemDisk.',
            '  - hosts.deletionProtection: "yes" is neither true nor false.',
            "  - network.reservedCidrs[0]: the VPC's 10.0.0.0/16 overlaps 10.0.128.0/17: choose another network.cidr.",
            '  - adminCidrs[1]: "300.1.1.1/32" is not a CIDR block whose address fits its mask: write one such as 198.51.100.0/24.',
            "  - adminCidrs[0]: would open SSH to the whole internet: name the ranges that you administer from.",
        ]);
    });

    it("refuses its own keys under the name of another project, and leaves those of providers and programs alone", () => {
        const load = (config: Record<string, string>): StackConfig => {
            pulumi.runtime.setAllConfig({
                "alicloud:region": "cn-hangzhou",
                // What a project is called where there is no engine.
                "project:adminCidrs": minimal.adminCidrs,
                ...config,
            });
            return loadConfig();
        };
        expect(load({ "pulumi:tags": '{"team":"web"}', "alicloud:profile": "a", "shop:price": "3" }).tags).toEqual({});
        expect(() => load({ "multihost:hosts": '{"deletionProtection":true}', "porject:redis": "{}" })).toThrow(
            "The stack's configuration has 2 problems:\n" +
                '  - multihost:hosts: belongs to another project, this one is "project": rename the key to project:hosts.\n' +
                '  - porject:redis: belongs to another project, this one is "project": rename the key to project:redis.',
        );
        pulumi.runtime.setAllConfig({});
    });

    it("never shows a password that it refuses", () => {
        expect(problemsOf({ ...minimal, redis: '{"password":"hunter2"}' }).join("\n")).not.toContain("hunter2");
    });

    it.each([
        ["a missing region", { adminCidrs: minimal.adminCidrs }, "alicloud:region: is missing"],
        ["no administrators' range", { "alicloud:region": "cn-hangzhou" }, "adminCidrs: names no range"],
        ["a single value in place of a group", { ...minimal, redis: "7000" }, "redis: is a group of settings"],
        [
            "a public VPC range",
            { ...minimal, network: '{"cidr":"8.8.0.0/16"}' },
            'network.cidr: "8.8.0.0/16" is not private',
        ],
        [
            "more zones than fit",
            { ...minimal, network: '{"cidr":"10.0.0.0/27","zones":8}' },
            "network.zones: 8 VSwitches don't fit",
        ],
        [
            "more hosts than addresses",
            { ...minimal, network: '{"cidr":"10.0.0.0/24"}', redis: '{"masters":20}' },
            "network.cidr: VSwitch 1 of 2 has room for 12 addresses, and hosts, balancer, NAT gateway and file storage take 24 there",
        ],
        [
            "a zone of another region",
            { ...minimal, network: '{"zones":["cn-shanghai-b"]}' },
            'network.zones[0]: "cn-shanghai-b" is not in cn-hangzhou',
        ],
        [
            "a wrong instance type",
            { ...minimal, hosts: '{"instanceType":"m5.large"}' },
            'hosts.instanceType: "m5.large" is not an instance type',
        ],
        ["no list of shared hosts", { ...minimal, sharedHosts: "node-1" }, "sharedHosts: must be a list"],
        [
            "a shared host that there isn't",
            { ...minimal, sharedHosts: '["node-1","node-7"]' },
            'sharedHosts[1]: "node-7" is none of',
        ],
        ["too much memory", { ...minimal, redis: '{"maxmemory":"95%"}' }, 'redis.maxmemory: "95%" is neither'],
        [
            "VSwitches that overlap",
            { ...minimal, network: '{"vswitchCidrs":["10.0.0.0/20","10.0.8.0/21"]}' },
            'network.vswitchCidrs[1]: "10.0.8.0/21" overlaps 10.0.0.0/20',
        ],
        [
            "administrators within the VPC",
            { ...minimal, adminCidrs: '["10.0.1.0/24"]' },
            'adminCidrs[0]: "10.0.1.0/24" overlaps the VPC',
        ],
        [
            "VSwitches without their VPC",
            { ...minimal, network: '{"vswitchIds":["vsw-1"]}' },
            "network.vswitchIds: existing VSwitches need the id of their VPC",
        ],
        [
            "a VSwitch that is listed twice",
            {
                ...minimal,
                network: '{"vpcId":"vpc-1","cidr":"10.0.0.0/8","vswitchIds":["vsw-1","vsw-2","vsw-1"]}',
            },
            'network.vswitchIds[2]: "vsw-1" is listed twice.',
        ],
        [
            "an unknown key further down",
            { ...minimal, hosts: '{"systemDisk":{"sise":20}}' },
            "hosts.systemDisk.sise: is not known",
        ],
        [
            "a previous password that is the new one",
            { ...minimal, redis: '{"password":"correct.horse.battery","previousPassword":"correct.horse.battery"}' },
            "redis.previousPassword: is the same as redis.password",
            ["redis"],
        ],
        [
            "a weak previous password",
            { ...minimal, redis: '{"previousPassword":"hunter2"}' },
            "redis.previousPassword: a password needs at least 16 characters. Leave it out to end its validity.",
            ["redis"],
        ],
        ["a number as a tag", { ...minimal, tags: '{"team":7}' }, 'tags["team"]: 7 is not text'],
    ])("refuses %s", (_, raw, expected, secretKeys = []) => {
        expect(problemsOf(raw as Record<string, string>, secretKeys)[1]).toContain(expected);
    });

    it("makes as many hosts as the service that takes most of them", () => {
        expect(parseConfig({ ...minimal, mysql: '{"replicas":9}' }).hosts.count).toBe(10);
        expect(parseConfig({ ...minimal, mysql: '{"enabled":false,"replicas":9}' }).hosts.count).toBe(6);
    });

    it("takes what the database servers are, and refuses what they can't be, all at once", () => {
        const hosts = '{"exclude":[2]}';
        const good = '{"replicas":2,"source":"node-3","rebuild":["node-4"],"databases":["shop"],"verify":"2026-11-23"}';
        expect(parseConfig({ ...minimal, hosts, mysql: good }).mysql).toMatchObject({ source: "node-3", replicas: 2 });
        const bad =
            '{"engine":"postgres","source":"node-2","rebuild":["node-9"],"databases":["mysql"],"user":"root","bufferPool":"1tb","previousPassword":"hunter2"}';
        expect(problemsOf({ ...minimal, hosts, mysql: bad })).toEqual([
            "The stack's configuration has 8 problems:",
            '  - mysql.engine: "postgres" is none of mysql, mariadb.',
            '  - mysql.user: "root" is the servers\' own.',
            '  - mysql.bufferPool: "1tb" is neither a share such as 50% nor a size such as 512mb or 4gb.',
            '  - mysql.databases[0]: "mysql" is the servers\' own.',
            "  - mysql.previousPassword: a password needs at least 16 characters. Leave it out to end its validity.",
            "  - mysql.previousPassword: stands in the stack's file as plain text: choose another one and set it with `pulumi config set --secret --path mysql.previousPassword`.",
            '  - mysql.source: "node-2" runs no server: node-1, node-3 do.',
            '  - mysql.rebuild[0]: "node-9" runs no server: node-1, node-3 do.',
        ]);
    });

    it("takes MySQL only with another image than the default, which hasn't got it", () => {
        const mysql = { ...minimal, mysql: '{"engine":"mysql"}' };
        expect(problemsOf(mysql).slice(1)).toEqual([
            "  - mysql.engine: Debian 12, the image of hosts by default, has no MySQL: set hosts.imageName to that of a system that has it, such as ^ubuntu_24_04_x64, or leave mysql.engine out.",
        ]);
        expect(problemsOf({ ...mysql, hosts: '{"imageName":"^ubuntu_24_04_x64"}' })).toEqual([]);
        expect(problemsOf({ ...mysql, hosts: '{"imageId":"m-1"}' })).toEqual([]);
        expect(problemsOf({ ...minimal, mysql: '{"enabled":false,"engine":"mysql"}' })).toEqual([]);
    });

    it("takes an empty list where none is the default, and nowhere else", () => {
        const empty = parseConfig({
            ...minimal,
            network: '{"reservedCidrs":[]}',
            hosts: '{"exclude":[]}',
            mysql: '{"rebuild":[]}',
            loadBalancer: '{"names":[]}',
            sharedHosts: "[]",
        });
        expect(empty).toEqual(parseConfig(minimal));
        const bad = { mysql: '{"rebuild":"node-2","databases":[]}', loadBalancer: '{"names":[7]}' };
        expect(problemsOf({ ...minimal, ...bad }).slice(1)).toEqual([
            "  - mysql.databases: must be a list of texts that is not empty.",
            "  - mysql.rebuild: must be a list of texts.",
            "  - loadBalancer.names: must be a list of texts.",
        ]);
    });

    it("lists what is wrong with the balancer, and shows no key", () => {
        const loadBalancer = JSON.stringify({
            address: "moon",
            https: false,
            names: ["shop.example.com"],
            privateKey: "THE KEY",
            allow: [],
            weights: { "web-1": 101 },
            drainSeconds: 901,
        });
        const problems = problemsOf({ ...minimal, web: '{"enabled":false}', loadBalancer }).slice(1);
        expect(problems).toEqual([
            '  - loadBalancer.address: "moon" is neither internet nor intranet.',
            "  - loadBalancer.allow: names nobody: name the ranges that may connect, or leave it out.",
            "  - loadBalancer.privateKey: goes with loadBalancer.certificate: set both or none.",
            expect.stringContaining("  - loadBalancer.privateKey: stands in the stack's file as plain text"),
            "  - loadBalancer.names: is of no use without HTTPS: leave it out, or set loadBalancer.https.",
            "  - loadBalancer.weights.web-1: 101 is not a whole number between 0 and 100 under a host's name.",
            "  - loadBalancer.drainSeconds: 901 is not a whole number between 0 and 900.",
        ]);
        expect(problems.join()).not.toContain("THE KEY");
        expect(problemsOf({ ...minimal, web: '{"enabled":false}', loadBalancer: '{"enabled":true}' })[1]).toBe(
            "  - loadBalancer.enabled: there are no web servers to balance: set web.enabled, or leave it out.",
        );
        expect(parseConfig({ ...minimal, web: '{"enabled":false}' }).loadBalancer.enabled).toBe(false);
    });

    it("gives a generated certificate names in the DNS, and nothing else", () => {
        const named = (names: readonly string[]): string[] =>
            problemsOf({ ...minimal, loadBalancer: JSON.stringify({ names }) }).slice(1);
        expect(named(["shop.example.com", "*.example.com", "Shop.example.com"])).toEqual([]);
        expect(named(["shop.example.com", "https://shop.example.com", "", "shop example.com"])).toEqual(
            ['[1]: "https://shop.example.com"', '[2]: ""', '[3]: "shop example.com"'].map(
                (where) =>
                    `  - loadBalancer.names${where} is not a name in the DNS: lower-case letters, digits and hyphens between dots.`,
            ),
        );
    });

    describe("a certificate of one's own", () => {
        const issue = (...kind: readonly string[]) => {
            const words = [
                "req",
                "-x509",
                ...kind,
                "-nodes",
                "-keyout",
                "-",
                "-days",
                "2",
                "-subj",
                "/CN=shop.example.com",
            ];
            const both = execFileSync("openssl", words, { stdio: ["ignore", "pipe", "ignore"] }).toString();
            const start = both.indexOf("-----BEGIN CERTIFICATE");
            return { privateKey: both.slice(0, start), certificate: both.slice(start) };
        };
        const rsa = ["-newkey", "rsa:2048"];
        const [{ certificate, privateKey }, issuer] = [issue(...rsa), issue(...rsa)];
        const problemsWith = (settings: Record<string, string>): string[] => {
            const loadBalancer = JSON.stringify({ certificate, privateKey, ...settings });
            return problemsOf({ ...minimal, loadBalancer }, ["loadBalancer"]).slice(1);
        };
        const noCertificate =
            "  - loadBalancer.certificate: is not PEM text of certificates: set the server's own, followed by the intermediate ones.";
        const noKey =
            "  - loadBalancer.privateKey: is not PEM text of a private key without a passphrase: set the one of the certificate so.";
        const notItsKey =
            "  - loadBalancer.privateKey: belongs to another certificate than the first one in loadBalancer.certificate: set that one's.";

        afterEach(() => jest.restoreAllMocks());

        it("is taken with its key and those that issued it", () => {
            expect(problemsWith({})).toEqual([]);
            expect(problemsWith({ certificate: certificate + issuer.certificate })).toEqual([]);
        });

        it("is refused without being shown when it is none, or the key is none or another's", () => {
            expect(problemsWith({ certificate: "/etc/ssl/shop.crt" })).toEqual([noCertificate]);
            expect(problemsWith({ certificate: certificate + issuer.certificate.replace(/\nM.*/, "\nM") })).toEqual([
                noCertificate,
            ]);
            expect(problemsWith({ privateKey: "THE KEY" })).toEqual([noKey]);
            const locked = createPrivateKey(privateKey).export({
                type: "pkcs8",
                format: "pem",
                cipher: "aes-256-cbc",
                passphrase: "moon",
            });
            expect(problemsWith({ privateKey: locked.toString() })).toEqual([noKey]);
            expect(problemsWith({ privateKey: issuer.privateKey })).toEqual([notItsKey]);
            expect(problemsWith({ certificate: issuer.certificate + certificate })).toEqual([notItsKey]);
            expect(problemsWith({ certificate: privateKey, privateKey: certificate })).toEqual([noCertificate, noKey]);
        });

        it("has an RSA key for a clb, and any for an alb", () => {
            const other = issue("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256");
            expect(problemsWith(other)).toEqual([
                "  - loadBalancer.certificate: has no RSA key, and a clb takes no other: set one that has, or loadBalancer.type to alb.",
            ]);
            expect(problemsWith({ ...other, type: "alb" })).toEqual([]);
        });

        it("brings a warning once it has ended, where it is used", () => {
            const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue(undefined);
            expect(problemsWith({})).toEqual([]);
            const later = Date.now() + 3 * 24 * 3600_000;
            jest.spyOn(Date, "now").mockReturnValue(later);
            const off = JSON.stringify({ enabled: false, certificate, privateKey });
            expect(problemsOf({ ...minimal, loadBalancer: off }, ["loadBalancer"])).toEqual([]);
            expect(warn).not.toHaveBeenCalled();
            expect(problemsWith({})).toEqual([]);
            expect(warn).toHaveBeenCalledWith(
                expect.stringMatching(
                    /^loadBalancer.certificate: ended on \d{4}-\d\d-\d\d: set the one that was issued after it, with its key.$/,
                ),
            );
        });
    });

    it("leaves room for an alb in each VSwitch, and for what stands in the first there alone", () => {
        const small = { ...minimal, network: '{"cidr":"10.0.0.0/24"}', redis: '{"masters":7}' };
        const loadBalancer = '{"type":"alb"}';
        expect(problemsOf(small)).toEqual([]);
        expect(problemsOf({ ...small, loadBalancer }).slice(1)).toEqual([
            "  - network.cidr: VSwitch 1 of 2 has room for 12 addresses, and hosts, balancer, NAT gateway and file storage take 13 there: choose a larger range, or have fewer hosts.",
        ]);
        const network = '{"cidr":"10.0.0.0/16","vswitchCidrs":["10.0.0.0/24","10.0.1.0/28"]}';
        expect(problemsOf({ ...small, network, loadBalancer })).toEqual([]);
    });

    it("counts what is made in each VSwitch: hosts by their numbers and placement, balancer, NAT gateway and file storage", () => {
        // Room for 12 addresses in each of two VSwitches.
        const small = { ...minimal, network: '{"cidr":"10.0.0.0/24"}' };
        const [web, hosts] = ['{"count":9}', '{"count":11}'];
        expect(problemsOf({ ...small, web, hosts })[1]).toContain("VSwitch 1 of 2 has room for 12 addresses");
        expect(problemsOf({ ...small, web: '{"count":6}', hosts })).toEqual([]);
        const placed = '{"count":11,"placement":{"2":1}}';
        expect(problemsOf({ ...small, web: '{"count":6}', hosts: placed })[1]).toContain("take 13 there");
        const excluded = '{"count":11,"exclude":[1]}';
        expect(problemsOf({ ...small, web: '{"count":8}', hosts: excluded })).toEqual([]);
        expect(
            problemsOf({
                ...small,
                web: '{"count":8}',
                hosts: excluded,
                storage: '{"enabled":true,"engine":"nas"}',
            })[1],
        ).toContain("VSwitch 1 of 2");
        const own = '{"cidr":"10.0.0.0/16","vswitchCidrs":["10.0.0.0/24","10.0.1.0/29"]}';
        expect(problemsOf({ ...minimal, network: own, web })[1]).toContain("network.vswitchCidrs[1]: VSwitch 2 of 2");
    });

    it("keeps a balancer to the zones that it has when the network gets another", () => {
        const vswitches = ["h", "i", "j"].map((zone) => ({ id: `vsw-${zone}`, zone: `cn-hangzhou-${zone}` }));
        const placed = (loadBalancer: string): unknown => {
            const config = parseConfig({ ...minimal, network: '{"zones":3}', loadBalancer });
            const parts = [{ port: 80, healthPath: "/healthz" }, { hosts: [] }, { vpcId: "vpc-1", vswitches }];
            return balancerSettings(config, ...(parts as unknown as [WebTier, NodePool, Network])).vswitches;
        };
        expect(placed('{"type":"alb","zones":2}')).toEqual(vswitches.slice(0, 2));
        expect(placed('{"type":"alb"}')).toEqual(vswitches);
        expect(problemsOf({ ...minimal, loadBalancer: '{"zones":1}' }).slice(1)).toEqual([
            "  - loadBalancer.zones: 1 is not a whole number between 2 and 16.",
            "  - loadBalancer.zones: goes with the types alb and nlb, since a clb has one address: leave it out.",
        ]);
        const tooMany = (network: string, more = ""): string[] =>
            problemsOf({ ...minimal, network, loadBalancer: `{"type":"nlb","zones":3${more}}` }).slice(1);
        expect(tooMany('{"zones":3}')).toEqual([]);
        expect(tooMany('{"zones":2}')).toEqual([
            "  - loadBalancer.zones: 3 are more than the 2 of network.zones: name more there, or leave it out for all of them.",
        ]);
        expect(tooMany('{"vpcId":"vpc-1","cidr":"10.0.0.0/8","vswitchIds":["vsw-1","vsw-2"]}')).toEqual([
            "  - loadBalancer.zones: 3 are more than the 2 of network.vswitchIds: name more there, or leave it out for all of them.",
        ]);
        expect(tooMany('{"zones":2}', ',"enabled":false')).toEqual([]);
    });

    it("makes the balancer's ports out of few settings", () => {
        const { loadBalancer } = parseConfig({ ...minimal, loadBalancer: '{"allow":["198.51.100.0/24"]}' });
        const web = { port: 8080, healthPath: "/healthz" };
        const healthCheck = { path: "/healthz", method: "HEAD" };
        const serving = { hostPort: 8080, healthCheck, allow: ["198.51.100.0/24"] };
        expect(balancerListeners(loadBalancer, web)).toEqual([
            { protocol: "http", port: 80, redirectTo: 443, allow: ["198.51.100.0/24"] },
            { protocol: "https", port: 443, names: ["web.internal"], ...serving },
        ]);
        const network = parseConfig({
            ...minimal,
            loadBalancer: '{"type":"nlb","healthCheckMethod":"GET"}',
        }).loadBalancer;
        expect(balancerListeners(network, web)).toEqual([
            { protocol: "tcp", port: 80, hostPort: 8080, healthCheck: { path: "/healthz", method: "GET" } },
        ]);
        expect(problemsOf({ ...minimal, loadBalancer: '{"healthCheckMethod":"POST"}' })[1]).toBe(
            '  - loadBalancer.healthCheckMethod: "POST" is none of HEAD, GET.',
        );
        expect(problemsOf({ ...minimal, loadBalancer: '{"type":"nlb","https":true}' })[1]).toBe(
            "  - loadBalancer.https: goes with the types clb and alb, since an nlb serves HTTP only: leave it out.",
        );
        expect(balancerListeners({ ...loadBalancer, https: false }, web)).toEqual([
            { protocol: "http", port: 80, ...serving },
        ]);
    });

    it.each([
        [{ mysql: '{"port":7000}' }, "mysql.port: 7000 is taken by redis.port"],
        [{ mysql: '{"port":17000}' }, "mysql.port: 17000 is taken by the cluster bus of redis.port"],
        [{ redis: '{"port":3306}' }, "mysql.port: 3306 is taken by redis.port"],
        [
            { redis: '{"port":24007}', storage: '{"enabled":true}' },
            "redis.port: 24007 is taken by storage.engine glusterfs (24007)",
        ],
        [
            { redis: '{"port":39200}', storage: '{"enabled":true}' },
            "redis.port: 49200, the cluster bus of redis.port, is taken by storage.engine glusterfs (49152-49251)",
        ],
        [
            { mysql: '{"port":49251}', storage: '{"enabled":true}' },
            "mysql.port: 49251 is taken by storage.engine glusterfs (49152-49251)",
        ],
        [
            { mysql: '{"port":2049}', storage: '{"enabled":true,"engine":"nfs"}' },
            "mysql.port: 2049 is taken by storage.engine nfs (2049)",
        ],
    ])("refuses two services on one port of the same hosts: %j", (raw, expected) => {
        expect(problemsOf({ ...minimal, ...(raw as Record<string, string>) }).slice(1)).toEqual([
            `  - ${expected} on the same hosts: choose another port.`,
        ]);
    });

    it("lists all of a port's takers", () => {
        const all = { redis: '{"port":39251}', mysql: '{"port":49251}', storage: '{"enabled":true}' };
        expect(problemsOf({ ...minimal, ...all })).toHaveLength(4);
    });

    it("takes a port that another service would have if it were enabled, or that is of other hosts", () => {
        const free: Record<string, string>[] = [
            { mysql: '{"enabled":false,"port":7000}' },
            { redis: '{"port":24007}' },
            { redis: '{"port":24007}', storage: '{"enabled":true,"engine":"nas"}' },
            { mysql: '{"port":49252}', storage: '{"enabled":true}' },
            { web: '{"port":7000}' },
        ];
        for (const raw of free) expect(problemsOf({ ...minimal, ...raw })).toEqual([]);
    });

    it("leaves SSH its port on the web servers", () => {
        expect(problemsOf({ ...minimal, web: '{"port":22}' }).slice(1)).toEqual([
            "  - web.port: 22 is SSH's, by which hosts are set up: choose another port.",
        ]);
    });

    it("has no host and no port for a service that is switched off", () => {
        const redis = '{"enabled":false}';
        const { hosts, ...services } = parseConfig({ ...minimal, redis });
        expect(hosts.count).toBe(2);
        expect(checkedPorts(services)).toEqual([22, 3306]);
        const none = parseConfig({ ...minimal, redis, mysql: redis });
        expect(none.hosts.count).toBe(1);
        expect(checkedPorts(none)).toEqual([22]);
        expect(stackRoles(none)["data"]!.ingress).toEqual([
            { ports: [22], roles: ["bastion", "data"] },
            { protocol: "icmp", roles: ["data"] },
        ]);
    });

    it("lets the web servers share files on three hosts of the pool, and opens the ports for it", () => {
        expect(parseConfig(minimal).storage.enabled).toBe(false);
        const { storage, hosts, ...services } = parseConfig({ ...minimal, storage: '{"enabled":true,"diskSize":100}' });
        expect(storage).toEqual({
            enabled: true,
            engine: "glusterfs",
            mountPoint: "/data/shared",
            arbiter: false,
            diskSize: 100,
        });
        expect(storageDisks(storage, { ...hosts, exclude: [2] })).toEqual([
            { name: "storage", size: 100, hosts: [1, 3, 4] },
        ]);
        expect(checkedPorts({ ...services, storage })).toEqual([22, 7000, 17000, 3306, 24007, 49152]);
        expect(stackRoles({ ...services, storage })["data"]!.ingress).toContainEqual({
            ports: [7000, 3306, 24007, "49152-49251"],
            roles: ["web"],
        });
    });

    it("refuses a storage that can't be", () => {
        const storage = '{"enabled":true,"engine":"ceph","mountPoint":"/","diskSize":1,"size":1}';
        expect(problemsOf({ ...minimal, storage }).slice(1)).toEqual([
            "  - storage.size: is not known; `storage` has enabled, engine, mountPoint, arbiter, diskSize.",
            '  - storage.engine: "ceph" is none of glusterfs, nfs, nas.',
            expect.stringContaining('  - storage.mountPoint: "/" is not an absolute path of its own'),
            "  - storage.diskSize: 1 is not a whole number between 20 and 32768.",
        ]);
    });

    it("keeps the files on one host with NFS, and on none with the cloud's NAS", () => {
        const nfs = parseConfig({ ...minimal, storage: '{"enabled":true,"engine":"nfs","diskSize":100}' });
        expect(storageDisks(nfs.storage, nfs.hosts)).toEqual([{ name: "storage", size: 100, hosts: [1] }]);
        expect(checkedPorts(nfs)).toEqual([22, 7000, 17000, 3306, 2049]);
        expect(stackRoles(nfs)["data"]!.ingress).toContainEqual({ ports: [7000, 3306, 2049], roles: ["web"] });
        const nas = parseConfig({ ...minimal, storage: '{"enabled":true,"engine":"nas"}' });
        expect(stackRoles(nas)["data"]!.ingress).toContainEqual({ ports: [7000, 3306], roles: ["web"] });
        expect(problemsOf({ ...minimal, storage: '{"engine":"nas","arbiter":true,"diskSize":100}' }).slice(1)).toEqual([
            "  - storage.arbiter: goes with the engine glusterfs, not with nas: leave it out.",
            "  - storage.diskSize: goes with servers of your own, and nas has none: leave it out.",
        ]);
    });

    it("says in one message what a component would refuse one by one", () => {
        const raw = {
            ...minimal,
            network: '{"zones":["cn-hangzhou-1"]}',
            hosts: '{"placement":{"2":3}}',
            web: '{"count":25,"release":41}',
            loadBalancer: '{"allow":["10.0.0.0/8","10.0.0.0/8"],"weights":{"web-1":0}}',
            mysql: '{"databases":["app","app"],"rebuild":["node-1"],"verify":"once more"}',
            storage: '{"enabled":true,"mountPoint":"/data/bricks/files"}',
        };
        expect(problemsOf(raw).slice(1)).toEqual([
            "  - mysql.verify: is a text of 1 to 64 letters, digits and . _ : + - such as a date.",
            '  - mysql.databases[1]: "app" is listed twice.',
            `  - storage.mountPoint: "/data/bricks/files" and the servers' own /data/bricks can't be within each other.`,
            '  - mysql.rebuild[0]: "node-1" is the source: name another source first, and rebuild it later.',
            "  - web.release: is a number, not text: put it in quotes in the stack's file, or set it with `pulumi config set --type string --path web.release`.",
            '  - loadBalancer.allow[1]: "10.0.0.0/8" is listed twice.',
            "  - web.count: 25 hosts are too many for a balancer of the type clb, which takes 20: have fewer, or set loadBalancer.type.",
            '  - network.zones[0]: "cn-hangzhou-1" is not a zone\'s id such as cn-hangzhou-h.',
            "  - hosts.placement.2: 3 is none of the network's VSwitches, which are counted from 1 to 1.",
        ]);
    });

    it.each(["alb", "nlb"])("wants two zones for a balancer of the type %s, new or existing", (type) => {
        const loadBalancer = JSON.stringify({ type });
        const existing = '{"vpcId":"vpc-1","cidr":"10.0.0.0/8","vswitchIds":["vsw-1"]}';
        for (const [network, path] of [
            ['{"zones":1}', "network.zones"],
            [existing, "network.vswitchIds"],
        ] as const) {
            expect(problemsOf({ ...minimal, loadBalancer, network }).slice(1)).toEqual([
                `  - ${path}: a balancer of the type ${type} stands in two zones at least: name another one, or set loadBalancer.type to clb.`,
            ]);
        }
        expect(problemsOf({ ...minimal, network: '{"zones":1}' })).toEqual([]);
    });

    it("refuses weights that leave nobody to serve", () => {
        expect(problemsOf({ ...minimal, loadBalancer: '{"weights":{"web-1":0,"web-2":0}}' })).toContain(
            "  - loadBalancer.weights: are all 0: nobody would serve.",
        );
    });

    it("names settings of the web servers and weights by its own paths", () => {
        const web = { port: 8081, release: "feature/x", releaseUrl: "site.tar.gz", releaseSha256: "1234" };
        const raw = { ...minimal, web: JSON.stringify(web), loadBalancer: '{"weights":{"web-9":5}}' };
        expect(problemsOf(raw).slice(1)).toEqual([
            '  - web.release: "feature/x" is not the name of a folder: use letters, digits and ._- only.',
            '  - web.releaseUrl: "site.tar.gz" is not an HTTP address.',
            "  - web.releaseSha256: must be 64 hexadecimal digits, as sha256sum prints them.",
            "  - web.port: 8081 is where nginx tells its own figures: choose another port.",
            "  - loadBalancer.weights.web-9: there is no host of this name; there are web-1, web-2.",
        ]);
    });

    it("takes a release only with its name and its digest", () => {
        expect(problemsOf({ ...minimal, web: '{"releaseUrl":"https://example.com/site.tar.gz"}' }).slice(1)).toEqual([
            "  - web.releaseSha256: goes with web.releaseUrl: set both or none.",
            "  - web.release: is missing: give the release at web.releaseUrl a name.",
        ]);
    });

    it("wants dates in quotes, which YAML takes for points in time otherwise", () => {
        const mysql = '{"verify":"2026-11-23 00:00:00 +0000 UTC"}';
        const tags = '{"expires":"2026-12-31 00:00:00 +0000 UTC","since":"2026-01-01"}';
        expect(problemsOf({ ...minimal, mysql, tags }).slice(1)).toEqual([
            "  - mysql.verify: is a date, not text: put it in quotes in the stack's file.",
            '  - tags["expires"]: is a date, not text: put it in quotes in the stack\'s file.',
        ]);
        expect(parseConfig({ ...minimal, mysql: '{"verify":"2026-11-23"}' }).mysql.verify).toBe("2026-11-23");
    });

    it("refuses tags that the cloud would refuse", () => {
        const tags = {
            ok: "v".repeat(128),
            empty: "",
            long: "v".repeat(129),
            wiki: "https://x",
            by: "acs:me",
            of: "Aliyun",
            AliYun: "",
        };
        expect(problemsOf({ ...minimal, tags: JSON.stringify(tags) }).map((line) => line.split(" has ")[0])).toEqual([
            "The stack's configuration",
            ...["long", "wiki", "by", "of"].map((key) => `  - tags["${key}"]: a value`),
            '  - tags["AliYun"]: a key',
        ]);
    });

    it("takes a system disk for the bastion, as for the hosts", () => {
        const bastion = '{"systemDisk":{"encrypted":false}}';
        expect(parseConfig({ ...minimal, bastion })).toMatchObject({
            bastion: { systemDisk: { size: 40, encrypted: false } },
            hosts: { systemDisk: { encrypted: true } },
        });
        expect(problemsOf({ ...minimal, bastion: '{"systemDisk":{"size":10,"encrypted":"no"}}' }).slice(1)).toEqual([
            "  - bastion.systemDisk.size: 10 is not a whole number between 20 and 2048.",
            '  - bastion.systemDisk.encrypted: "no" is neither true nor false.',
        ]);
    });

    it("takes an image for the bastion, as for the hosts", () => {
        const bastion = '{"imageName":"^ubuntu_24_","rebuildOn":["image"]}';
        expect(parseConfig({ ...minimal, bastion }).bastion).toMatchObject({
            imageName: "^ubuntu_24_",
            rebuildOn: ["image"],
        });
        expect(
            problemsOf({
                ...minimal,
                bastion: '{"imageId":"m-1","imageName":"^ubuntu_24_","rebuildOn":["size"]}',
            }).slice(1),
        ).toEqual([
            "  - bastion.imageName: bastion.imageId says already which image: leave one of them out.",
            '  - bastion.rebuildOn[0]: "size" is none of image, userData, systemDisk.',
        ]);
    });

    it("takes the VSwitches of hosts that there are by number, and nothing else", () => {
        expect(parseConfig({ ...minimal, hosts: '{"placement":{"3":1}}' }).hosts.placement).toEqual({ 3: 1 });
        expect(problemsOf({ ...minimal, hosts: '{"placement":{"third":1,"2":"h"}}' }).slice(1)).toEqual([
            '  - hosts.placement.2: "h" is no VSwitch of a host: write `3: 1` for host 3 in the first one.',
            "  - hosts.placement.third: 1 is no VSwitch of a host: write `3: 1` for host 3 in the first one.",
        ]);
        expect(problemsOf({ ...minimal, hosts: '{"exclude":[2],"placement":{"2":1,"7":1,"8":1}}' }).slice(1)).toEqual([
            "  - hosts.placement.2: no host has this number; there are 1, 3, 4, 5, 6, 7: leave it out.",
            "  - hosts.placement.8: no host has this number; there are 1, 3, 4, 5, 6, 7: leave it out.",
        ]);
    });

    it("takes more hosts than Redis Cluster needs", () => {
        expect(parseConfig({ ...minimal, hosts: '{"count":7}' }).hosts.count).toBe(7);
    });

    it("takes VSwitches that exist, and computes nothing beside them", () => {
        const existing = '{"vpcId":"vpc-1","vswitchIds":["vsw-1"],"cidr":"172.16.0.0/12"}';
        const { network } = parseConfig({ ...minimal, network: existing });
        expect(network).toEqual({ cidr: "172.16.0.0/12", reservedCidrs: [], vpcId: "vpc-1", vswitchIds: ["vsw-1"] });
        expect(problemsOf({ ...minimal, network: existing.replace('"vsw-1"', '"vsw-1","",""') }).slice(1)).toEqual([
            "  - network.vswitchIds[1]: is empty: name a VSwitch by its id, or leave it out.",
            "  - network.vswitchIds[2]: is empty: name a VSwitch by its id, or leave it out.",
        ]);
    });

    it.each(['{"vpcId":"vpc-1"}', '{"vpcId":"vpc-1","vswitchIds":["vsw-1"]}'])(
        "asks for the range of a VPC that exists: %s",
        (network) => {
            expect(problemsOf({ ...minimal, network }).slice(1)).toEqual([
                "  - network.cidr: is missing: the range of the VPC that network.vpcId names, whose hosts are clients.",
            ]);
        },
    );

    it("refuses a range of an existing VPC that is none", () => {
        const network = '{"vpcId":"vpc-1","vswitchIds":["vsw-1"],"cidr":"banana"}';
        expect(problemsOf({ ...minimal, network })[1]).toMatch(/network\.cidr: /);
    });

    it("takes good passwords that are stored encrypted, and keeps them secret", async () => {
        const raw = '{"password":"correct.horse.battery","previousPassword":"incorrect.horse.battery"}';
        const { redis } = parseConfig({ ...minimal, redis: raw }, ["redis"]);
        for (const [password, value] of [
            [redis.password, "correct.horse.battery"],
            [redis.previousPassword, "incorrect.horse.battery"],
        ] as const) {
            expect(await pulumi.isSecret(password!)).toBe(true);
            expect(await new Promise((done) => password!.apply(done))).toBe(value);
        }
    });

    it("takes generations of keys as `npm run rotate` writes them, and nothing else", () => {
        const keys = { redis: { generation: 2, beside: 1 }, storage: { generation: 3 }, hosts: { beside: 2 } };
        expect(parseConfig({ ...minimal, keys: JSON.stringify(keys) }).keys).toEqual(keys);
        expect(problemsOf({ ...minimal, keys: '{"redis":2,"mysql":{"next":1}}' }).slice(1)).toEqual([
            "  - keys.redis: has the numbers generation and beside, which `npm run rotate` sets: leave it to that.",
            "  - keys.mysql: has the numbers generation and beside, which `npm run rotate` sets: leave it to that.",
        ]);
        expect(problemsOf({ ...minimal, keys: '{"mysql":{"generation":0}}' }).slice(1)).toEqual([
            "  - keys.mysql.generation: 0 is not a generation's number, 1 or more.",
        ]);
    });

    it.each([
        ["ap-southeast-8", 0],
        ["us-southeast-1", 0],
        ["cn-zhongwei", 0],
        ["cn-shanghai-finance-1-pub", 0],
        ["na-south-1", 1],
        ["cn-wuhan-lr", 1],
    ])("takes the region %s if the provider does", (region, problems) => {
        const refused = problemsOf({ ...minimal, "alicloud:region": region }).filter((line) =>
            line.includes("alicloud:region"),
        );
        expect(refused).toHaveLength(problems);
    });

    it("takes a region that the provider was told not to check", () => {
        expect(
            parseConfig({ ...minimal, "alicloud:region": "cn-new", "alicloud:skipRegionValidation": "true" }).hosts
                .count,
        ).toBe(6);
    });
});

/** The one place that reads the stack's configuration. docs/configuration.md describes every key. */
import * as pulumi from "@pulumi/pulumi";

import { overlaps, parseCidr } from "./components/network/cidr";
import { Problems } from "./components/problems";
import { checkTags } from "./components/tags";
import { addressesTaken } from "./config/addresses";
import { type BastionConfig, bastionKeys, readBastion } from "./config/bastion";
import { type DnsConfig, dnsKeys, readDns } from "./config/dns";
import { checkPlacement, hostNames, type HostsConfig, hostsKeys, readHosts } from "./config/hosts";
import { keyOwners, type KeysConfig, readKeys } from "./config/keys";
import { checkBalancerZones, type LoadBalancerConfig, loadBalancerKeys, readLoadBalancer } from "./config/loadBalancer";
import { checkMysqlHosts, type MysqlConfig, mysqlHostCount, mysqlKeys, readMysql } from "./config/mysql";
import { type NetworkConfig, networkKeys, readNetwork, vswitchCount } from "./config/network";
import { type RawConfig, Reader } from "./config/reader";
import { type RedisConfig, readRedis, redisHostCount, redisKeys } from "./config/redis";
import { checkPorts } from "./config/roles";
import { readStorage, type StorageConfig, storageHostCount, storageHostReason, storageKeys } from "./config/storage";
import { readWeb, type WebConfig, webKeys } from "./config/web";

/** What the stack is built from: `pulumi config`, checked and with its defaults. */
export interface StackConfig {
    readonly network: NetworkConfig;
    /** Ranges that may reach the bastion's SSH port. Required, never 0.0.0.0/0. */
    readonly adminCidrs: readonly string[];
    readonly bastion: BastionConfig;
    readonly hosts: HostsConfig;
    readonly redis: RedisConfig;
    readonly mysql: MysqlConfig;
    readonly storage: StorageConfig;
    readonly web: WebConfig;
    readonly loadBalancer: LoadBalancerConfig;
    readonly dns: DnsConfig;
    readonly keys: KeysConfig;
    /** Names of the hosts that other stacks may work on. @default [] */
    readonly sharedHosts: readonly string[];
    /** Tags of every resource. @default {} */
    readonly tags: Readonly<Record<string, string>>;
}

const schema = {
    network: networkKeys,
    adminCidrs: undefined,
    bastion: bastionKeys,
    hosts: hostsKeys,
    redis: redisKeys,
    mysql: mysqlKeys,
    storage: storageKeys,
    web: webKeys,
    loadBalancer: loadBalancerKeys,
    dns: dnsKeys,
    keys: keyOwners,
    sharedHosts: undefined,
    tags: undefined,
} as const;

/** Region ids that the alicloud provider takes; it refuses another one unless `alicloud:skipRegionValidation` is set. */
const regions = new Set(
    (
        "cn-qingdao cn-beijing cn-zhangjiakou cn-huhehaote cn-wulanchabu cn-hangzhou cn-shanghai cn-nanjing cn-fuzhou cn-shenzhen " +
        "cn-heyuan cn-guangzhou cn-chengdu cn-zhongwei cn-hongkong ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 " +
        "ap-southeast-5 ap-southeast-6 ap-southeast-7 ap-southeast-8 ap-south-1 us-east-1 us-west-1 us-southeast-1 eu-west-1 eu-central-1 " +
        "rus-west-1 me-east-1 me-central-1 cn-north-2-gov-1 cn-beijing-finance-1 cn-beijing-finance-1-pub cn-shanghai-finance-1 " +
        "cn-shanghai-finance-1-pub cn-shenzhen-finance-1 cn-shenzhen-finance cn-szfinance cn-hangzhou-finance cn-hzfinance cn-hzjbp"
    ).split(" "),
);

/**
 * Checks a configuration and fills in defaults.
 *
 * @param raw the keys of the project's name space without the prefix, and all others with theirs.
 * @param secretKeys those of them that are stored encrypted.
 * @throws pulumi.RunError that lists every problem with its path and what to do.
 */
export function parseConfig(raw: RawConfig, secretKeys: readonly string[] = []): StackConfig {
    const problems = new Problems();
    const reader = new Reader(raw, problems, secretKeys);
    reader.refuseUnknown(schema);
    checkRegion(reader);

    const dns = readDns(reader);
    const redis = readRedis(reader, dns);
    const mysql = readMysql(reader, dns);
    const storage = readStorage(reader);
    const hosts = readHosts(reader, [
        {
            count: redisHostCount(redis),
            because: `${redis.masters} masters with ${redis.replicasPerMaster} replicas each`,
        },
        { count: mysqlHostCount(mysql), because: `a MySQL source and its ${mysql.replicas} replicas` },
        { count: storageHostCount(storage), because: storageHostReason(storage) },
    ]);
    checkMysqlHosts(reader, mysql, hosts);
    checkPorts(reader, { redis, mysql, storage });
    const web = readWeb(reader, storage);
    const loadBalancer = readLoadBalancer(reader, web, dns);
    const network = readNetwork(reader, (vswitches) =>
        addressesTaken({ hosts, web, storage, loadBalancer }, vswitches),
    );
    checkPlacement(reader, hosts, vswitchCount(network));
    checkBalancerZones(reader, loadBalancer, network);
    const adminCidrs = readAdminCidrs(reader, network.cidr);
    const sharedHosts = readSharedHosts(reader, hosts);
    const keys = readKeys(reader);
    const tags = readTags(reader);
    const bastion = readBastion(reader, hosts.deletionProtection);
    problems.throwIfAny("The stack's configuration");
    return {
        network,
        adminCidrs,
        bastion,
        hosts,
        redis,
        mysql,
        storage,
        web,
        loadBalancer,
        dns,
        keys,
        sharedHosts,
        tags,
    };
}

/** Reads and checks the running stack's configuration. */
export function loadConfig(): StackConfig {
    const prefix = `${pulumi.getProject()}:`;
    const raw: Record<string, string> = {};
    for (const [key, value] of Object.entries(pulumi.runtime.allConfig())) {
        raw[key.startsWith(prefix) ? key.slice(prefix.length) : key] = value;
    }
    const secretKeys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]");
    return parseConfig(raw, Array.isArray(secretKeys) ? secretKeys.map((key) => String(key).replace(prefix, "")) : []);
}

function checkRegion(reader: Reader): void {
    const { problems, region } = reader;
    if (region === undefined) {
        problems.add("alicloud:region", "is missing: `pulumi config set alicloud:region cn-hangzhou`, for example.");
    } else if (!regions.has(region) && !reader.skipsRegionValidation) {
        problems.add(
            "alicloud:region",
            `"${region}" is not a region that the provider knows. For one that the cloud has nevertheless: \`pulumi config set alicloud:skipRegionValidation true\`.`,
        );
    }
}

function readAdminCidrs(reader: Reader, cidr: string): string[] {
    const { problems } = reader;
    const adminCidrs = reader.cidrs(reader.json("adminCidrs"), "adminCidrs");
    if (adminCidrs.length === 0) {
        problems.add(
            "adminCidrs",
            "names no range that may reach the bastion's SSH port: `pulumi config set --path 'adminCidrs[0]' 198.51.100.7/32` with your own address.",
        );
    }
    adminCidrs.forEach((range, index) => {
        const [parsed, vpc] = [parseCidr(range), parseCidr(cidr)];
        if (parsed?.prefix === 0) {
            problems.add(
                `adminCidrs[${index}]`,
                "would open SSH to the whole internet: name the ranges that you administer from.",
            );
        } else if (parsed !== undefined && vpc !== undefined && overlaps(parsed, vpc)) {
            problems.add(
                `adminCidrs[${index}]`,
                `"${range}" overlaps the VPC's own ${cidr}: administrators come from outside.`,
            );
        }
    });
    return adminCidrs;
}

function readSharedHosts(reader: Reader, hosts: HostsConfig): string[] {
    const { problems } = reader;
    const value = reader.json("sharedHosts") ?? [];
    if (!Array.isArray(value) || !value.every((name) => typeof name === "string")) {
        problems.add("sharedHosts", "must be a list of hosts' names, such as those that the output `hosts` shows.");
        return [];
    }
    const names = hostNames(hosts, hosts.count);
    value.forEach((name, index) => {
        if (!names.includes(name)) {
            problems.add(`sharedHosts[${index}]`, `"${name}" is none of the pool's hosts ${names.join(", ")}.`);
        }
    });
    return value;
}

function readTags(reader: Reader): Record<string, string> {
    const value = reader.section("tags");
    const tags: Record<string, string> = {};
    for (const [key, tag] of Object.entries(value ?? {})) {
        if (reader.refuseDate(`tags["${key}"]`, tag)) continue;
        if (typeof tag === "string") tags[key] = tag;
        else reader.problems.add(`tags["${key}"]`, `${JSON.stringify(tag)} is not text: put it in quotes.`);
    }
    checkTags(reader.problems, tags);
    return tags;
}

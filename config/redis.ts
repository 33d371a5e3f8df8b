/** `redis`: the Redis Cluster. */
import type * as pulumi from "@pulumi/pulumi";

import { evictionPolicies, type EvictionPolicy } from "../components/redis/args";
import { type DnsConfig, dnsNames } from "./dns";
import type { Reader } from "./reader";

export interface RedisConfig {
    /** @default true */
    readonly enabled: boolean;
    /** @default 3 */
    readonly masters: number;
    /** @default 1 */
    readonly replicasPerMaster: number;
    /** @default 7000 */
    readonly port: number;
    /** @default "60%" */
    readonly maxmemory: string;
    /** @default "noeviction" */
    readonly maxmemoryPolicy: EvictionPolicy;
    /** @default true */
    readonly tls: boolean;
    /** Under which the cluster is found. @default that of `dns` */
    readonly dnsNames: readonly string[];
    /** Version of Redis's packages, or its beginning. @default any */
    readonly version?: string;
    /** @default generated */
    readonly password?: pulumi.Output<string>;
    /** Stays valid beside `password`, for clients that have not got that one yet. @default none */
    readonly previousPassword?: pulumi.Output<string>;
}

/** How many hosts the cluster takes: the first ones of the pool. */
export function redisHostCount({ enabled, masters, replicasPerMaster }: RedisConfig): number {
    return enabled ? masters * (1 + replicasPerMaster) : 0;
}

export const redisKeys = [
    "enabled",
    "masters",
    "replicasPerMaster",
    "port",
    "maxmemory",
    "maxmemoryPolicy",
    "tls",
    "password",
    "previousPassword",
    "version",
] as const;

export function readRedis(reader: Reader, dns: DnsConfig): RedisConfig {
    const { problems } = reader;
    const redis = reader.section("redis");
    const masters = reader.integer(redis, "redis.masters", 3, 3, 100);
    const replicasPerMaster = reader.integer(redis, "redis.replicasPerMaster", 1, 0, 2);
    const port = reader.integer(redis, "redis.port", 7000, 1024, 55535);
    const maxmemory = reader.text(redis, "redis.maxmemory") ?? "60%";
    if (!/^([1-9]|[1-8]\d|90)%$|^[1-9]\d*(mb|gb)$/.test(maxmemory)) {
        problems.add(
            "redis.maxmemory",
            `"${maxmemory}" is neither a share such as 60% (at most 90%) nor a size such as 512mb or 4gb.`,
        );
    }
    const policy = reader.text(redis, "redis.maxmemoryPolicy") ?? "noeviction";
    if (!(evictionPolicies as readonly string[]).includes(policy)) {
        problems.add("redis.maxmemoryPolicy", `"${policy}" is none of ${evictionPolicies.join(", ")}.`);
    }
    const version = reader.problems.checkVersion("redis.version", reader.text(redis, "redis.version"));
    return {
        enabled: reader.boolean(redis, "redis.enabled", true),
        masters,
        replicasPerMaster,
        port,
        maxmemory,
        maxmemoryPolicy: policy as EvictionPolicy,
        ...(version !== undefined && { version }),
        dnsNames: dnsNames(dns, "redis"),
        tls: reader.boolean(redis, "redis.tls", true),
        ...reader.passwords(redis, "redis"),
    };
}

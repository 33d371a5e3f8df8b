/** `dns`: names of the services within the VPC. */
import type { DnsTarget, Host, LoadBalancer, MysqlReplication } from "../components";
import { dnsNameProblem, ttlProblem } from "../components/problems";
import type { StackConfig } from "../config";
import type { Reader } from "./reader";

export interface DnsConfig {
    /** @default true */
    readonly enabled: boolean;
    /** The names end with it. @default "internal" */
    readonly zone: string;
    /** Seconds for which clients remember an address. @default 5, since a source that moves takes its name along */
    readonly ttl: number;
}

export const dnsKeys = ["enabled", "zone", "ttl"] as const;

export function readDns(reader: Reader): DnsConfig {
    const dns = reader.section("dns");
    const zone = reader.text(dns, "dns.zone") ?? "internal";
    const problem = dnsNameProblem(zone);
    if (problem !== undefined) reader.problems.add("dns.zone", problem);
    const ttl = reader.value(dns, "dns.ttl") ?? 5;
    const refused = ttlProblem(ttl);
    if (refused !== undefined) reader.problems.add("dns.ttl", refused);
    return {
        enabled: reader.boolean(dns, "dns.enabled", true),
        zone,
        ttl: ttl as number,
    };
}

/** Under which names a service is found, for its certificates. */
export function dnsNames({ enabled, zone }: DnsConfig, ...services: readonly string[]): string[] {
    return enabled ? services.map((service) => `${service}.${zone}`) : [];
}

/** The parts of the stack that have names. */
export interface NamedParts {
    readonly redisHosts: readonly Host[];
    readonly mysqlHosts: readonly Host[];
    readonly database: MysqlReplication | undefined;
    readonly webHosts: readonly Host[] | undefined;
    readonly balancer: LoadBalancer | undefined;
}

/** What each name stands for. */
export function dnsRecords(
    { mysql, loadBalancer }: Pick<StackConfig, "mysql" | "loadBalancer">,
    { redisHosts, mysqlHosts, database, webHosts, balancer }: NamedParts,
): Record<string, readonly DnsTarget[]> {
    const replicas = mysqlHosts.filter(({ name }) => name !== (mysql.source ?? mysqlHosts[0]?.name));
    const web = balancer && loadBalancer.address === "intranet" ? balancer.addresses : webHosts;
    return {
        ...(redisHosts.length > 0 && { redis: redisHosts }),
        // Its address is known when the replication works: the name moves after a switchover and not before.
        ...(database && { mysql: [database.source.address] }),
        ...(replicas.length > 0 && { "mysql-replica": replicas }),
        ...(web && { web }),
    };
}

/** Which pools of hosts there are, and who reaches whom. */
import type { RoleArgs } from "../components/network";
import type { MysqlConfig } from "./mysql";
import type { RedisConfig } from "./redis";
import type { WebConfig } from "./web";

interface Services {
    readonly redis: RedisConfig;
    readonly mysql: MysqlConfig;
    readonly web: WebConfig;
}

/** Ports on which the hosts of the data pool have to reach each other. */
export function dataPorts({ redis, mysql }: Services): number[] {
    return [redis.port, redis.port + 10_000, ...(mysql.enabled ? [mysql.port] : [])];
}

/** The roles of the stack's network. */
export function stackRoles(services: Services): Record<string, RoleArgs> {
    const { mysql, web } = services;
    return {
        bastion: {},
        data: {
            ingress: [
                { ports: [22], roles: ["bastion", "data"] },
                { protocol: "icmp", roles: ["data"] },
                { ports: dataPorts(services), roles: ["data"] },
                ...(mysql.enabled && web.enabled ? [{ ports: [mysql.port], roles: ["web"] }] : []),
            ],
        },
        ...(web.enabled && {
            web: {
                ingress: [
                    { ports: [22], roles: ["bastion", "web"] },
                    { protocol: "icmp", roles: ["web"] },
                    { ports: [web.port], roles: ["web"] },
                ],
            },
        }),
    };
}

/** Which pools of hosts there are, and who reaches whom. */
import type { RoleArgs } from "../components/network";
import type { MysqlConfig } from "./mysql";
import type { RedisConfig } from "./redis";
import { type StorageConfig, storagePorts } from "./storage";
import type { WebConfig } from "./web";

interface Services {
    readonly redis: RedisConfig;
    readonly mysql: MysqlConfig;
    readonly storage: StorageConfig;
    readonly web: WebConfig;
}

/** Ports, and ranges of them, on which the hosts of the data pool have to reach each other. */
function dataPorts({ redis, mysql, storage }: Services): (number | string)[] {
    return [redis.port, redis.port + 10_000, ...(mysql.enabled ? [mysql.port] : []), ...storagePorts(storage)];
}

/** What is tried between the hosts of the data pool before a service counts on it: each port, and the first of a range. */
export function checkedPorts(services: Services): number[] {
    return [22, ...dataPorts(services).map((ports) => Number.parseInt(String(ports), 10))];
}

/** The roles of the stack's network. */
export function stackRoles(services: Services): Record<string, RoleArgs> {
    const { mysql, storage, web } = services;
    const forWeb = [...(mysql.enabled ? [mysql.port] : []), ...storagePorts(storage)];
    return {
        bastion: {},
        data: {
            ingress: [
                { ports: [22], roles: ["bastion", "data"] },
                { protocol: "icmp", roles: ["data"] },
                { ports: dataPorts(services), roles: ["data"] },
                ...(forWeb.length > 0 && web.enabled ? [{ ports: forWeb, roles: ["web"] }] : []),
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

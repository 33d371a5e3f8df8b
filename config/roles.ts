/** Which pools of hosts there are, and who reaches whom. */
import type { RoleArgs } from "../components/network";
import type { MysqlConfig } from "./mysql";
import type { Reader } from "./reader";
import type { RedisConfig } from "./redis";
import { type StorageConfig, storagePorts } from "./storage";
import type { WebConfig } from "./web";

/** Those on the data pool. */
interface DataServices {
    readonly redis: RedisConfig;
    readonly mysql: MysqlConfig;
    readonly storage: StorageConfig;
}

interface Services extends DataServices {
    readonly web: WebConfig;
}

/** A port, or a range of them, that a service takes on hosts of the data pool. */
interface Listener {
    readonly ports: number | string;
    /** The setting that it follows from. */
    readonly path: string;
    /** What to call it. */
    readonly name: string;
}

function dataListeners({ redis, mysql, storage }: DataServices): Listener[] {
    return [
        ...(redis.enabled
            ? [
                  { ports: redis.port, path: "redis.port", name: "redis.port" },
                  { ports: redis.port + 10_000, path: "redis.port", name: "the cluster bus of redis.port" },
              ]
            : []),
        ...(mysql.enabled ? [{ ports: mysql.port, path: "mysql.port", name: "mysql.port" }] : []),
        ...storagePorts(storage).map((ports) => ({
            ports,
            path: "storage.engine",
            name: `storage.engine ${storage.engine} (${ports})`,
        })),
    ];
}

/** Ports, and ranges of them, on which the hosts of the data pool have to reach each other. */
function dataPorts(services: DataServices): (number | string)[] {
    return dataListeners(services).map(({ ports }) => ports);
}

function ends(ports: number | string): [first: number, last: number] {
    const [first = 0, last = first] = String(ports).split("-").map(Number);
    return [first, last];
}

/** No two services on the same port: each runs on the pool's first hosts. SSH's is none that can be chosen. */
export function checkPorts({ problems }: Reader, services: DataServices): void {
    const listeners = dataListeners(services);
    listeners.forEach((one, index) => {
        const [first, last] = ends(one.ports);
        for (const other of listeners.slice(index + 1)) {
            const [from, to] = ends(other.ports);
            if (first > to || from > last) continue;
            // The storage's can't be chosen.
            const [wrong, taker] = other.path === "storage.engine" ? [one, other] : [other, one];
            const what = wrong.name === wrong.path ? "" : `, ${wrong.name},`;
            problems.add(
                wrong.path,
                `${wrong.ports}${what} is taken by ${taker.name} on the same hosts: choose another port.`,
            );
        }
    });
}

/** What is tried between the hosts of the data pool before a service counts on it: each port, and the first of a range. */
export function checkedPorts(services: DataServices): number[] {
    return [22, ...dataPorts(services).map((ports) => Number.parseInt(String(ports), 10))];
}

/** The roles of the stack's network. */
export function stackRoles(services: Services): Record<string, RoleArgs> {
    const { redis, mysql, storage, web } = services;
    const ports = dataPorts(services);
    const forWeb = [
        ...(redis.enabled ? [redis.port] : []),
        ...(mysql.enabled ? [mysql.port] : []),
        ...storagePorts(storage),
    ];
    return {
        bastion: {},
        data: {
            ingress: [
                { ports: [22], roles: ["bastion", "data"] },
                { protocol: "icmp", roles: ["data"] },
                ...(ports.length > 0 ? [{ ports, roles: ["data"] }] : []),
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

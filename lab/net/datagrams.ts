/**
 * Datagrams of a balancer, which HAProxy does not balance: nftables gives each flow its server, and connection tracking
 * keeps it there. Pure.
 */
import { createHash } from "node:crypto";
import type { DesiredCheck, DesiredListener, DesiredPool, DesiredServer, ServerHealth } from "../model/desired";
import { withTwins } from "./addresses";
import { chain } from "./plan";

/** Name of the table in the balancer's name space. */
export const DATAGRAM_TABLE = "balancer";
/** Parts of the traffic that a hash tells apart: enough for shares of one percent, and prime. */
const HASH_SLOTS = 1021;

/** What a balancer does with datagrams. */
export interface DatagramConfiguration {
    /** Where clients send to, as their packets travel. */
    readonly addresses: readonly string[];
    /** Where the balancer's own packets come from. */
    readonly source: string;
    readonly listeners: readonly DesiredListener[];
}

/** What the service is asked: to balance so from now on, or only how the servers are. */
export interface DatagramRequest {
    readonly apply?: DatagramConfiguration;
}

/** What it answers: how the servers are, or why it could not do what it was asked. */
export interface DatagramAnswer {
    readonly health?: readonly ServerHealth[];
    readonly problem?: string;
}

/** A server as one listener sees it. */
export interface DatagramServer {
    readonly listener: DesiredListener;
    readonly server: DesiredServer;
}

/** Names a server of a listener. */
export function serverKey({ listener, server }: DatagramServer): string {
    return `${listener.port} ${server.address}:${server.port}`;
}

/** The servers of every listener; a host that a pool names twice is one server. */
export function datagramServers({ listeners }: DatagramConfiguration): DatagramServer[] {
    const all = listeners.flatMap((listener) => listener.pool.servers.map((server) => ({ listener, server })));
    return [...new Map(all.map((one) => [serverKey(one), one])).values()];
}

/** Content of the table. @param isUp whether a server may get new flows, as far as its checks say. */
export function datagramTable(configuration: DatagramConfiguration, isUp: (server: DatagramServer) => boolean): string {
    const { addresses, source, listeners } = configuration;
    const servers = datagramServers(configuration);
    const to = ({ port }: DesiredListener): string => `ip daddr { ${addresses.join(", ")} } udp dport ${port}`;
    return [
        ...listeners.map(admission),
        chain("admitting", "type filter hook prerouting priority mangle; policy accept;", [
            ...listeners.map((listener) => `${to(listener)} jump ${admissionName(listener)}`),
        ]),
        chain("arriving", "type nat hook prerouting priority dstnat; policy accept;", [
            ...listeners.flatMap((listener) => {
                const all = servers.filter((one) => one.listener === listener);
                const up = slotsOf(all.filter(isUp), listener.pool);
                const slots = up.length === 0 && listener.pool.open ? slotsOf(all, listener.pool) : up;
                if (slots.length === 0) return [`${to(listener)} drop`];
                const elements = slots.map(({ address: host, port }, slot) => `${slot} : ${host} . ${port}`);
                return [
                    `${to(listener)} dnat ip to ${slotOf(listener.pool, slots.length)} map { ${elements.join(", ")} }`,
                ];
            }),
        ]),
        chain("departing", "type nat hook postrouting priority srcnat; policy accept;", [
            `ct status dnat snat to ${source}`,
        ]),
    ].join("\n");
}

function admissionName({ port }: DesiredListener): string {
    return `admit_${port}`;
}

/** A list without entries restricts nobody, as in the cloud. */
function admission(listener: DesiredListener): string {
    const { kind, cidrs } = listener.access ?? { kind: "deny", cidrs: [] };
    const known = withTwins(cidrs).filter((cidr) => !cidr.includes(":"));
    return chain(admissionName(listener), "", [
        ...known.map((cidr) => `ip saddr ${cidr} ${kind === "allow" ? "return" : "drop"}`),
        ...(kind === "allow" && cidrs.length > 0 ? ["drop"] : []),
    ]);
}

/** What chooses one of some slots. The seed is fixed, because a flow must fall on the same slot in the next table. */
function slotOf(pool: DesiredPool, count: number): string {
    switch (kindOf(pool)) {
        case "turns":
            return `numgen inc mod ${count}`;
        case "source":
            return `jhash ip saddr mod ${count} seed 0x6d68`;
        case "connection":
            return `jhash ip saddr . udp sport . ip daddr . udp dport mod ${count} seed 0x6d68`;
    }
}

/** Without the end of a flow to count, the fewest connections are those that the weights promise. */
function kindOf({ scheduler, stickiness }: DesiredPool): "turns" | "source" | "connection" {
    if (stickiness?.kind === "source" || scheduler === "sourceHash") return "source";
    return scheduler === "connectionHash" ? "connection" : "turns";
}

/** The server of each slot; none when nobody takes new flows. */
function slotsOf(all: readonly DatagramServer[], pool: DesiredPool): DesiredServer[] {
    const weighted = all
        .map(({ server }) => ({
            server,
            weight: pool.scheduler === "equal" ? Math.min(server.weight, 1) : server.weight,
        }))
        .filter(({ weight }) => weight > 0);
    return kindOf(pool) === "turns" ? turns(weighted) : shares(weighted);
}

interface Weighted {
    readonly server: DesiredServer;
    readonly weight: number;
}

/** Turns by weight, each server's as far apart as can be. */
function turns(servers: readonly Weighted[]): DesiredServer[] {
    const divisor = servers.reduce((a, { weight }) => greatestCommonDivisor(a, weight), 0);
    const total = servers.reduce((sum, { weight }) => sum + weight, 0);
    const credit = servers.map(() => 0);
    return Array.from({ length: divisor === 0 ? 0 : total / divisor }, () => {
        servers.forEach(({ weight }, index) => (credit[index]! += weight));
        const next = credit.indexOf(Math.max(...credit));
        credit[next]! -= total;
        return servers[next]!.server;
    });
}

function greatestCommonDivisor(a: number, b: number): number {
    return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Shares by weight, of which a server that comes or goes moves none but its own. */
function shares(servers: readonly Weighted[]): DesiredServer[] {
    if (servers.length === 0) return [];
    return Array.from({ length: HASH_SLOTS }, (_, slot) => {
        const scores = servers.map(({ server, weight }) => {
            const digest = createHash("sha256").update(`${server.address}:${server.port} ${slot}`).digest();
            return -weight / Math.log((digest.readUInt32BE() + 1) / (2 ** 32 + 1));
        });
        return servers[scores.indexOf(Math.max(...scores))]!.server;
    });
}

/** How a server is, and how many checks in a row have said otherwise. */
export interface CheckState {
    readonly up: boolean;
    readonly against: number;
}

/** As in the cloud, a server gets nothing before its checks said that it is healthy. */
export function initialState(check: DesiredCheck | undefined): CheckState {
    return { up: check === undefined, against: 0 };
}

/** How a server is after one more check. */
export function afterCheck({ up, against }: CheckState, succeeded: boolean, check: DesiredCheck): CheckState {
    if (succeeded === up) return { up, against: 0 };
    const enough = up ? check.unhealthyAfter : check.healthyAfter;
    return against + 1 >= enough ? { up: !up, against: 0 } : { up, against: against + 1 };
}

/** How servers are, as the machine reports it. */
export function datagramHealth(
    configuration: DatagramConfiguration,
    isUp: (server: DatagramServer) => boolean,
): ServerHealth[] {
    return datagramServers(configuration).map((one) => ({
        listenerId: one.listener.id,
        address: one.server.address,
        port: one.server.port,
        health: one.listener.pool.check === undefined ? "unchecked" : isUp(one) ? "up" : "down",
    }));
}

/** Arguments for `conntrack`, once per address, that end the flows of a listener, or those to one of its servers. */
export function flowsOf({ addresses }: DatagramConfiguration, port: number, server?: DesiredServer): string[][] {
    return addresses.map((address) => [
        ...["-D", "-f", "ipv4", "-p", "udp", "--orig-dst", address, "--orig-port-dst", String(port)],
        ...(server ? ["--reply-src", server.address, "--reply-port-src", String(server.port)] : []),
    ]);
}

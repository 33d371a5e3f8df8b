/** Balancers of the three products, and the servers behind them. */
import type { StackResource } from "../delivery/states";

/** A balancer, as its product's resources tell of it. */
export interface Balancer {
    readonly urn: string;
    /** Addresses that it listens on, as far as they are known. */
    readonly addresses: readonly string[];
    readonly public: boolean;
    /** Ports that it listens on, such as `443` and `53/udp`. */
    readonly ports: readonly string[];
    readonly servers: readonly BalancedServer[];
}

/** A port of a server that gets connections or datagrams. */
export interface BalancedServer {
    /** Id of its instance. */
    readonly id: string;
    readonly port: string;
}

type Fields = Readonly<Record<string, unknown>>;

export const text = (value: unknown): string =>
    typeof value === "string" || typeof value === "number" ? String(value) : "";
const items = (value: unknown): readonly Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);
const fieldsOf = ({ outputs = {} }: StackResource): Fields => outputs;
const portOf = (port: unknown, protocol: unknown): string =>
    text(protocol).toLowerCase() === "udp" ? `${text(port)}/udp` : text(port);

/** Every balancer, whatever its product. */
export function balancersOf(resources: readonly StackResource[]): Balancer[] {
    const of = (type: string): StackResource[] => resources.filter((resource) => resource.type === `alicloud:${type}`);
    return [...classic(of), ...application(of), ...networks(of)];
}

type Find = (type: string) => StackResource[];

function classic(of: Find): Balancer[] {
    return of("slb/applicationLoadBalancer:ApplicationLoadBalancer").map((balancer) => {
        const own = (type: string): Fields[] =>
            of(type)
                .map(fieldsOf)
                .filter((fields) => fields["loadBalancerId"] === balancer.id);
        const listeners = own("slb/listener:Listener");
        const behind = listeners
            .filter((listener) => text(listener["listenerForward"]) !== "on")
            .map((listener) => portOf(listener["backendPort"], listener["protocol"]))
            .filter((port) => port !== "" && !port.startsWith("0"));
        const ids = own("slb/backendServer:BackendServer").flatMap((servers) =>
            items(servers["backendServers"]).map(({ serverId }) => text(serverId)),
        );
        return {
            urn: balancer.urn,
            addresses: [text(fieldsOf(balancer)["address"])].filter((address) => address !== ""),
            public: fieldsOf(balancer)["addressType"] === "internet",
            ports: listeners.map((listener) => portOf(listener["frontendPort"], listener["protocol"])),
            servers: ids.flatMap((id) => behind.map((port) => ({ id, port }))),
        };
    });
}

/** A balancer of one of the newer products, whose listeners have groups of servers. */
function withGroups(
    balancer: StackResource,
    address: string,
    listeners: readonly Fields[],
    serversOf: (listener: Fields) => readonly BalancedServer[],
): Balancer {
    const fields = fieldsOf(balancer);
    return {
        urn: balancer.urn,
        addresses: items(fields["zoneMappings"])
            .map((zone) => text(zone[address]))
            .filter((found) => found !== ""),
        public: fields["addressType"] === "Internet",
        ports: listeners.map((listener) => portOf(listener["listenerPort"], listener["listenerProtocol"])),
        servers: listeners.flatMap(serversOf),
    };
}

const listenersOf = (of: Find, product: "alb" | "nlb", { id }: StackResource): Fields[] =>
    of(`${product}/listener:Listener`)
        .map(fieldsOf)
        .filter((listener) => listener["loadBalancerId"] === id);

function application(of: Find): Balancer[] {
    const groups = new Map(
        of("alb/serverGroup:ServerGroup").map((group) => [group.id, items(fieldsOf(group)["servers"])]),
    );
    const targets = (listener: Fields): string[] =>
        items(listener["defaultActions"]).flatMap((action) =>
            items((action["forwardGroupConfig"] as Fields | undefined)?.["serverGroupTuples"]).map((group) =>
                text(group["serverGroupId"]),
            ),
        );
    return of("alb/loadBalancer:LoadBalancer").map((balancer) =>
        withGroups(balancer, "address", listenersOf(of, "alb", balancer), (listener) =>
            targets(listener).flatMap((group) =>
                (groups.get(group) ?? []).map(({ serverId, port }) => ({ id: text(serverId), port: text(port) })),
            ),
        ),
    );
}

function networks(of: Find): Balancer[] {
    const servers = of("nlb/serverGroupServerAttachment:ServerGroupServerAttachment").map(fieldsOf);
    return of("nlb/loadBalancer:LoadBalancer").map((balancer) => {
        const open = fieldsOf(balancer)["addressType"] === "Internet";
        const listeners = listenersOf(of, "nlb", balancer);
        return withGroups(balancer, open ? "publicIpv4Address" : "privateIpv4Address", listeners, (listener) =>
            servers
                .filter(({ serverGroupId }) => serverGroupId === listener["serverGroupId"])
                .map(({ serverId, port }) => ({
                    id: text(serverId),
                    port: portOf(port, listener["listenerProtocol"]),
                })),
        );
    });
}

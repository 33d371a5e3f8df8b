/** Balancers of the three products, and the servers behind them. */
import type { StackResource } from "../delivery/states";

/** A balancer, as its product's resources tell of it. */
export interface Balancer {
    readonly urn: string;
    /** Addresses that it listens on, as far as they are known. */
    readonly addresses: readonly string[];
    readonly public: boolean;
    /** Ranges that alone may connect. @default everybody who reaches it */
    readonly admits?: readonly string[];
    /** Ports that it listens on, such as `443` and `53/udp`. */
    readonly ports: readonly string[];
    readonly listeners: readonly BalancerListener[];
    readonly servers: readonly BalancedServer[];
}

/** A port that a balancer listens on. */
export interface BalancerListener {
    readonly resource: StackResource;
    /** `tcp`, `udp`, `tls`, `http` or `https`, or another word of its product's. */
    readonly protocol: string;
    readonly port: string;
}

/** A port of a server that gets connections or datagrams. */
export interface BalancedServer {
    /** Id of its instance. */
    readonly id: string;
    readonly port: string;
}

export type Fields = Readonly<Record<string, unknown>>;

export const text = (value: unknown): string =>
    typeof value === "string" || typeof value === "number" ? String(value) : "";
export const items = (value: unknown): readonly Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);
export const fieldsOf = ({ outputs = {} }: StackResource): Fields => outputs;
const portOf = (port: unknown, protocol: unknown): string =>
    text(protocol).toLowerCase() === "udp" ? `${text(port)}/udp` : text(port);
const listenerPort = ({ port, protocol }: BalancerListener): string => portOf(port, protocol);

function listenerOf(resource: StackResource, port: unknown, product: unknown): BalancerListener {
    const protocol = text(product).toLowerCase();
    return { resource, protocol: protocol === "tcpssl" ? "tls" : protocol, port: text(port) };
}

/** A listener's list: ranges that alone may connect, or undefined without one. */
type AccessList = readonly string[] | undefined;

/** What all listeners together admit. */
function admitted(lists: readonly AccessList[]): Pick<Balancer, "admits"> {
    const ranges = lists.flatMap((list) => list ?? []);
    return lists.length === 0 || lists.includes(undefined) ? {} : { admits: [...new Set(ranges)] };
}

/** Entries of an access list of a product's. */
const entriesIn = (of: Find, type: string, lists: readonly unknown[]): string[] =>
    of(type)
        .map(fieldsOf)
        .filter(({ aclId }) => lists.includes(aclId))
        .map(({ entry }) => text(entry));

export type Find = (type: string) => StackResource[];

/** Finds the cloud's resources by their types, such as `vpc/switch:Switch`. */
export const finder =
    (resources: readonly StackResource[]): Find =>
    (type) =>
        resources.filter((resource) => resource.type === `alicloud:${type}`);

/** Every balancer, whatever its product. */
export function balancersOf(resources: readonly StackResource[]): Balancer[] {
    const of = finder(resources);
    return [...classic(of), ...application(of), ...networks(of)];
}

function classic(of: Find): Balancer[] {
    return of("slb/applicationLoadBalancer:ApplicationLoadBalancer").map((balancer) => {
        const own = (type: string): StackResource[] =>
            of(type).filter((resource) => fieldsOf(resource)["loadBalancerId"] === balancer.id);
        const resources = own("slb/listener:Listener");
        const listeners = resources.map((listener) => {
            const { frontendPort, protocol } = fieldsOf(listener);
            return listenerOf(listener, frontendPort, protocol);
        });
        const behind = resources
            .map(fieldsOf)
            .filter((listener) => text(listener["listenerForward"]) !== "on")
            .map((listener) => portOf(listener["backendPort"], listener["protocol"]))
            .filter((port) => port !== "" && !port.startsWith("0"));
        const ids = own("slb/backendServer:BackendServer").flatMap((servers) =>
            items(fieldsOf(servers)["backendServers"]).map(({ serverId }) => text(serverId)),
        );
        return {
            urn: balancer.urn,
            addresses: [text(fieldsOf(balancer)["address"])].filter((address) => address !== ""),
            public: fieldsOf(balancer)["addressType"] === "internet",
            ...admitted(
                resources.map(fieldsOf).map(({ aclStatus, aclType, aclIds }): AccessList => {
                    if (aclStatus !== "on" || aclType !== "white" || !Array.isArray(aclIds)) return undefined;
                    return entriesIn(of, "slb/aclEntryAttachment:AclEntryAttachment", aclIds);
                }),
            ),
            ports: listeners.map(listenerPort),
            listeners,
            servers: ids.flatMap((id) => behind.map((port) => ({ id, port }))),
        };
    });
}

/** A balancer of one of the newer products, whose listeners have groups of servers. */
function withGroups(
    balancer: StackResource,
    address: string,
    resources: readonly StackResource[],
    admits: Pick<Balancer, "admits">,
    serversOf: (listener: Fields) => readonly BalancedServer[],
): Balancer {
    const fields = fieldsOf(balancer);
    const listeners = resources.map((listener) => {
        const { listenerPort: port, listenerProtocol } = fieldsOf(listener);
        return listenerOf(listener, port, listenerProtocol);
    });
    return {
        urn: balancer.urn,
        addresses: items(fields["zoneMappings"])
            .map((zone) => text(zone[address]))
            .filter((found) => found !== ""),
        public: fields["addressType"] === "Internet",
        ...admits,
        ports: listeners.map(listenerPort),
        listeners,
        servers: resources.map(fieldsOf).flatMap(serversOf),
    };
}

const listenersOf = (of: Find, product: "alb" | "nlb", { id }: StackResource): StackResource[] =>
    of(`${product}/listener:Listener`).filter((listener) => fieldsOf(listener)["loadBalancerId"] === id);

/** Ids of the server groups that a listener of an Application Load Balancer forwards to. */
export function targetGroups(listener: Fields): string[] {
    return items(listener["defaultActions"]).flatMap((action) =>
        items((action["forwardGroupConfig"] as Fields | undefined)?.["serverGroupTuples"]).map((group) =>
            text(group["serverGroupId"]),
        ),
    );
}

function application(of: Find): Balancer[] {
    const groups = new Map(
        of("alb/serverGroup:ServerGroup").map((group) => [group.id, items(fieldsOf(group)["servers"])]),
    );
    const lists = of("alb/listenerAclAttachment:ListenerAclAttachment").map(fieldsOf);
    return of("alb/loadBalancer:LoadBalancer").map((balancer) => {
        const listeners = listenersOf(of, "alb", balancer);
        const admits = listeners.map(({ id }): AccessList => {
            const own = lists.filter(({ listenerId, aclType }) => listenerId === id && aclType === "White");
            if (own.length === 0) return undefined;
            return entriesIn(
                of,
                "alb/aclEntryAttachment:AclEntryAttachment",
                own.map(({ aclId }) => aclId),
            );
        });
        return withGroups(balancer, "address", listeners, admitted(admits), (listener) =>
            targetGroups(listener).flatMap((group) =>
                (groups.get(group) ?? []).map(({ serverId, port }) => ({ id: text(serverId), port: text(port) })),
            ),
        );
    });
}

function networks(of: Find): Balancer[] {
    const servers = of("nlb/serverGroupServerAttachment:ServerGroupServerAttachment").map(fieldsOf);
    return of("nlb/loadBalancer:LoadBalancer").map((balancer) => {
        const open = fieldsOf(balancer)["addressType"] === "Internet";
        const listeners = listenersOf(of, "nlb", balancer);
        const address = open ? "publicIpv4Address" : "privateIpv4Address";
        return withGroups(balancer, address, listeners, admitted([groupRanges(of, balancer)]), (listener) =>
            servers
                .filter(({ serverGroupId }) => serverGroupId === listener["serverGroupId"])
                .map(({ serverId, port }) => ({
                    id: text(serverId),
                    port: portOf(port, listener["listenerProtocol"]),
                })),
        );
    });
}

/** Ranges that the security groups of a Network Load Balancer let in; undefined when it has none. */
function groupRanges(of: Find, { id }: StackResource): AccessList {
    const groups = of("nlb/loadBalancerSecurityGroupAttachment:LoadBalancerSecurityGroupAttachment")
        .map(fieldsOf)
        .filter(({ loadBalancerId }) => loadBalancerId === id)
        .map(({ securityGroupId }) => securityGroupId);
    if (groups.length === 0) return undefined;
    return of("ecs/securityGroupRule:SecurityGroupRule")
        .map(fieldsOf)
        .filter(
            ({ type, policy, securityGroupId }) =>
                type === "ingress" && policy !== "drop" && groups.includes(securityGroupId),
        )
        .map(rangeOf)
        .filter((range) => range !== "");
}

/** What a security group's rule names beside other groups: a range of either kind of address, or the id of a list of them. Empty without one. */
export function rangeOf({ cidrIp, ipv6CidrIp, prefixListId, sourceSecurityGroupId }: Fields): string {
    // The cloud ignores a list beside a group.
    const list = text(sourceSecurityGroupId) === "" ? text(prefixListId) : "";
    return text(cidrIp) || text(ipv6CidrIp) || list;
}

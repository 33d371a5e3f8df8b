/** Classic load balancers of the model. */
import type { Resource, State } from "./state";

export interface LoadBalancer extends Resource {
    /** In the lab's slice of 127.77.0.0/16, or of the VSwitch for one inside a VPC. */
    readonly address: string;
    readonly addressType: "internet" | "intranet";
    /** Empty for one with an internet address. */
    readonly vpcId: string;
    readonly vswitchId: string;
    readonly masterZoneId: string;
    readonly slaveZoneId: string;
    status: "active" | "inactive";
    spec: string;
    payType: "PayOnDemand" | "PrePay";
    instanceChargeType: "PayBySpec" | "PayByCLCU";
    internetChargeType: "paybytraffic" | "paybybandwidth";
    bandwidth: number;
    deleteProtection: boolean;
    modificationProtection: { status: "NonProtection" | "ConsoleProtection"; reason: string };
    /** The default server group; its servers have no port of their own. */
    servers: BackendServer[];
    listeners: Listener[];
    /** Its own VPC, or the one that its servers are in or were in last. Empty before its first server. */
    serverVpcId: string;
}

export interface BackendServer {
    readonly serverId: string;
    readonly type: "ecs" | "eni";
    /** Empty for the primary address. */
    readonly serverIp: string;
    /** 0 in the default group, where the listener's backend port counts. */
    readonly port: number;
    weight: number;
    description: string;
}

export interface VServerGroup extends Resource {
    readonly loadBalancerId: string;
    servers: BackendServer[];
}

export type ListenerProtocol = "tcp" | "udp" | "http" | "https";

/** A listener is known by its protocol and port. */
export interface Listener extends Resource {
    readonly protocol: ListenerProtocol;
    readonly port: number;
    status: "stopped" | "running";
    settings: ListenerSettings;
    rules: ForwardingRule[];
}

export interface ListenerSettings {
    /** 0 with a server group. */
    readonly backendServerPort: number;
    readonly bandwidth: number;
    readonly scheduler: Scheduler;
    /** Empty for the default server group. */
    readonly vServerGroupId: string;
    readonly acl: { readonly enabled: boolean; readonly type: "white" | "black" | ""; readonly ids: readonly string[] };
    readonly healthCheck: HealthCheck;
    /** Of TCP and UDP. */
    readonly transport: {
        readonly persistenceTimeout: number;
        readonly establishedTimeout: number;
        readonly proxyProtocol: boolean;
    };
    /** Of HTTP and HTTPS. */
    readonly application: {
        readonly stickiness: Stickiness;
        readonly gzip: boolean;
        readonly idleTimeout: number;
        readonly requestTimeout: number;
        /** Headers besides X-Forwarded-For, by the end of their parameter's name. */
        readonly headers: readonly ForwardedHeader[];
        /** Redirects instead of balancing. */
        readonly redirect?: { readonly port: number; readonly code: number };
    };
    readonly tls?: {
        readonly serverCertificateId: string;
        readonly caCertificateId: string;
        readonly http2: boolean;
        readonly cipherPolicy: string;
    };
}

/** Weighted and plain round robin, least connections, and consistent hashes of source, and of source and port. */
export type Scheduler = "wrr" | "rr" | "wlc" | "sch" | "tch";
/** Parts of what a listener may tell its servers, as the wire spells them. */
export type ForwardedHeader = "SLBIP" | "SLBID" | "proto" | "SLBPORT" | "ClientSrcPort";

export interface HealthCheck {
    readonly enabled: boolean;
    readonly type: "tcp" | "udp" | "http";
    readonly method: "head" | "get";
    readonly uri: string;
    /** `Host` of a check; empty, or the product's word for it, for the server's address. */
    readonly domain: string;
    /** 0 for the port that takes the traffic. */
    readonly port: number;
    /** `http_2xx,http_3xx`, … */
    readonly codes: string;
    readonly healthyThreshold: number;
    readonly unhealthyThreshold: number;
    /** Seconds. */
    readonly timeout: number;
    readonly interval: number;
    /** Of UDP: what is sent, and what has to come back; empty for anything, or nothing. */
    readonly request: string;
    readonly expected: string;
}

export interface Stickiness {
    readonly enabled: boolean;
    /** `insert`: a cookie of the balancer's own; `server`: the application's, rewritten. */
    readonly type: "insert" | "server" | "";
    readonly cookieTimeout: number;
    readonly cookie: string;
}

export interface ForwardingRule {
    readonly id: string;
    name: string;
    readonly domain: string;
    readonly url: string;
    vServerGroupId: string;
    /** Absent while the rule takes the listener's settings. */
    own?: { readonly scheduler: Scheduler; readonly healthCheck: HealthCheck; readonly stickiness: Stickiness };
}

export interface AccessControlList extends Resource {
    readonly addressIpVersion: "ipv4" | "ipv6";
    entries: { readonly entry: string; readonly comment: string }[];
}

/** A certificate for listeners, or an authority for the clients of listeners. */
export interface SlbCertificate extends Resource {
    readonly kind: "server" | "ca";
    /** PEM, with the chain. */
    readonly certificate: string;
    /** PEM; empty for an authority. */
    readonly privateKey: string;
    /** The certificate of the certificate service that it is a copy of; absent for one that was uploaded. */
    readonly source?: { readonly id: string; readonly name: string };
}

/** The address under which a balancer reaches a server; undefined once it is gone. */
export function addressOfServer(
    state: State,
    server: Pick<BackendServer, "serverId" | "type" | "serverIp">,
): { vpcId: string; address: string } | undefined {
    const nic =
        server.type === "eni"
            ? state.networkInterfaces[server.serverId]
            : Object.values(state.networkInterfaces).find(
                  ({ instanceId, kind }) => instanceId === server.serverId && kind === "Primary",
              );
    return nic && { vpcId: nic.vpcId, address: server.serverIp === "" ? nic.primaryIp : server.serverIp };
}

/** Whether an address is a host's, or an interface's, own. */
export function ownsAddress(state: State, serverId: string, address: string): boolean {
    return Object.values(state.networkInterfaces).some(
        ({ id, instanceId, primaryIp, secondaryIps }) =>
            (serverId === id || serverId === instanceId) && [primaryIp, ...secondaryIps].includes(address),
    );
}

/** Takes hosts and interfaces that are released out of every server group. */
export function forgetServers(state: State, ids: ReadonlySet<string>): void {
    const pools: { servers: { readonly serverId: string }[] }[] = [
        ...Object.values(state.loadBalancers),
        ...Object.values(state.vServerGroups),
        ...Object.values(state.albServerGroups),
        ...Object.values(state.nlbServerGroups),
    ];
    for (const pool of pools)
        if (pool.servers.some(({ serverId }) => ids.has(serverId)))
            pool.servers = pool.servers.filter(({ serverId }) => !ids.has(serverId));
}

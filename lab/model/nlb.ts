/** Network load balancers of the model. */
import type { BalancerZone } from "./alb";
import type { HealthCheck } from "./slb";
import type { Resource } from "./state";

export interface NetworkBalancer extends Resource {
    readonly vpcId: string;
    addressType: "Internet" | "Intranet";
    zones: BalancerZone[];
    crossZone: boolean;
    /** New connections per second; 0 for as many as come. The lab counts none. */
    cps: number;
    /** Their rules say who may not connect; without any everybody may. */
    securityGroupIds: string[];
    deletionProtection: { readonly enabled: boolean; readonly reason: string; readonly since: string };
    modificationProtection: {
        readonly status: "NonProtection" | "ConsoleProtection";
        readonly reason: string;
        readonly since: string;
    };
}

export type NlbProtocol = "TCP" | "UDP" | "TCPSSL";
export type NlbScheduler = "Wrr" | "Wlc" | "Rr" | "Sch" | "Tch" | "Qch";

export interface NlbServerGroup extends Resource {
    readonly type: "Instance" | "Ip";
    readonly vpcId: string;
    readonly protocol: NlbProtocol | "TCP_UDP";
    scheduler: NlbScheduler;
    preserveClientIp: boolean;
    drain: { readonly enabled: boolean; readonly seconds: number };
    healthCheck: HealthCheck & { readonly httpVersion: "HTTP1.0" | "HTTP1.1" };
    servers: NlbServer[];
}

export interface NlbServer {
    /** The address itself for one that is known by it. */
    readonly serverId: string;
    readonly type: "Ecs" | "Eni" | "Ip";
    /** Empty for the primary address. */
    readonly serverIp: string;
    readonly port: number;
    readonly weight: number;
    readonly description: string;
}

export interface NlbListener extends Resource {
    readonly loadBalancerId: string;
    readonly protocol: NlbProtocol;
    readonly port: number;
    stopped: boolean;
    settings: NlbListenerSettings;
}

export interface NlbListenerSettings {
    readonly serverGroupId: string;
    /** Seconds. */
    readonly idleTimeout: number;
    readonly proxyProtocol: boolean;
    readonly cps: number;
    /** Largest segment of TCP, in bytes; 0 for the network's own. */
    readonly mss: number;
    readonly secSensor: boolean;
    /** Of TCPSSL. */
    readonly certificateIds: readonly string[];
    readonly securityPolicyId: string;
    readonly alpn: { readonly enabled: boolean; readonly policy: string };
}

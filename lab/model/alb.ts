/** Application load balancers of the model. */
import type { HealthCheck, Stickiness } from "./slb";
import type { Resource } from "./state";

/** Changes that are under way until a moment, during which the resource says so and takes no other. */
export interface Change {
    readonly status: "Provisioning" | "Configuring";
    readonly until: string;
}

export interface ApplicationBalancer extends Resource {
    readonly vpcId: string;
    addressType: "Internet" | "Intranet";
    edition: string;
    readonly allocatedMode: "Fixed" | "Dynamic";
    zones: BalancerZone[];
    deletionProtection: { readonly enabled: boolean; readonly since: string };
    modificationProtection: { readonly status: "NonProtection" | "ConsoleProtection"; readonly reason: string };
    change: Change;
}

export interface BalancerZone {
    readonly zoneId: string;
    readonly vswitchId: string;
    /** Within the VSwitch; where an intranet balancer listens. */
    readonly privateAddress: string;
    /** In the lab's slice of 127.77.0.0/16; where an internet balancer listens. Empty for an intranet one. */
    readonly publicAddress: string;
    /** Of the elastic address that the cloud manages for an internet balancer; else empty. */
    readonly allocationId: string;
}

export interface AlbServerGroup extends Resource {
    readonly vpcId: string;
    readonly protocol: "HTTP";
    scheduler: AlbScheduler;
    healthCheck: HealthCheck & { readonly httpVersion: "HTTP1.0" | "HTTP1.1" };
    stickiness: Stickiness;
    drain: { readonly enabled: boolean; readonly seconds: number };
    crossZone: boolean;
    keepalive: boolean;
    servers: AlbServer[];
}

export type AlbScheduler = "Wrr" | "Wlc" | "Sch";

export interface AlbServer {
    readonly serverId: string;
    readonly type: "Ecs" | "Eni";
    /** Empty for the primary address. */
    readonly serverIp: string;
    readonly port: number;
    weight: number;
    description: string;
}

export interface AlbListener extends Resource {
    readonly loadBalancerId: string;
    readonly protocol: "HTTP" | "HTTPS";
    readonly port: number;
    stopped: boolean;
    /** Server group of what no rule matches. */
    serverGroupId: string;
    gzip: boolean;
    http2: boolean;
    /** Seconds. */
    idleTimeout: number;
    requestTimeout: number;
    /** Of HTTPS. */
    certificateIds: string[];
    securityPolicyId: string;
    forwarded: ForwardedSettings;
    acl: { readonly type: "White" | "Black" | ""; readonly ids: readonly string[] };
    change: Change;
}

/** What servers are told of the client, by the switch's name on the wire. */
export interface ForwardedSettings {
    readonly XForwardedForEnabled: boolean;
    readonly XForwardedForProtoEnabled: boolean;
    readonly XForwardedForSLBIdEnabled: boolean;
    readonly XForwardedForSLBPortEnabled: boolean;
    readonly XForwardedForClientSrcPortEnabled: boolean;
}

export interface AlbRule extends Resource {
    readonly listenerId: string;
    priority: number;
    /** One of the values of each has to match; any does when there are none. */
    domains: string[];
    paths: string[];
    action: AlbForward | AlbRedirect;
}

interface AlbOrdered {
    /** Place among the actions of a rule, which has one here. Absent in older states: 1. */
    readonly order?: number;
}

/** Weight and stickiness are only remembered: they are about several groups, and there is one. */
export interface AlbForward extends AlbOrdered {
    readonly kind: "forward";
    readonly serverGroupId: string;
    /** Absent in older states: 100. */
    readonly weight?: number;
    /** Absent where a client said nothing of it. Seconds, 0 for none. */
    readonly stickiness?: { readonly enabled: boolean; readonly timeout: number };
}

/** Values may be the cloud's placeholders, such as `${host}`, for what was asked for. */
export interface AlbRedirect extends AlbOrdered {
    readonly kind: "redirect";
    readonly protocol: string;
    readonly host: string;
    readonly port: string;
    readonly code: string;
}

export interface AlbAcl extends Resource {
    entries: { readonly entry: string; readonly description: string }[];
}

/** Something that a client may ask for the end of. */
export interface AlbJob {
    readonly id: string;
    readonly apiName: string;
    readonly resourceType: string;
    readonly resourceId: string;
    readonly createdAt: string;
    readonly until: string;
}

/** A certificate of the certificate service, which balancers of several products use. */
export interface CasCertificate extends Resource {
    /** PEM, with the chain. */
    readonly certificate: string;
    /** PEM. */
    readonly privateKey: string;
}

/** Settings of server groups: limits and defaults are those of the API reference. */
import type { AlbServerGroup } from "../../model/alb";
import { oneOf, refuse, refuseParameter, valueOr, within } from "./checks";

/** The parts of a request that set up a group. */
export interface AskedSettings {
    readonly scheduler?: string;
    readonly upstreamKeepaliveEnabled?: boolean;
    readonly crossZoneEnabled?: boolean;
    readonly uchConfig?: { readonly type?: string };
    readonly slowStartConfig?: { readonly slowStartEnabled?: boolean };
    readonly healthCheckConfig?: {
        readonly healthCheckCodes?: readonly string[];
        readonly healthCheckConnectPort?: number;
        readonly healthCheckEnabled?: boolean;
        readonly healthCheckHost?: string;
        readonly healthCheckHttpVersion?: string;
        readonly healthCheckInterval?: number;
        readonly healthCheckMethod?: string;
        readonly healthCheckPath?: string;
        readonly healthCheckProtocol?: string;
        readonly healthCheckTimeout?: number;
        readonly healthyThreshold?: number;
        readonly unhealthyThreshold?: number;
    };
    readonly stickySessionConfig?: {
        readonly cookie?: string;
        readonly cookieTimeout?: number;
        readonly stickySessionEnabled?: boolean;
        readonly stickySessionType?: string;
    };
    readonly connectionDrainConfig?: {
        readonly connectionDrainEnabled?: boolean;
        readonly connectionDrainTimeout?: number;
    };
}

export type GroupSettings = Pick<
    AlbServerGroup,
    "scheduler" | "healthCheck" | "stickiness" | "drain" | "crossZone" | "keepalive"
>;

/** A group as it is before a client says anything about it. */
export const initialSettings: GroupSettings = {
    scheduler: "Wrr",
    healthCheck: {
        enabled: true,
        type: "http",
        method: "head",
        uri: "/",
        domain: "$SERVER_IP",
        port: 0,
        codes: "http_2xx",
        healthyThreshold: 3,
        unhealthyThreshold: 3,
        timeout: 5,
        interval: 2,
        httpVersion: "HTTP1.1",
        request: "",
        expected: "",
    },
    stickiness: { enabled: false, type: "", cookieTimeout: 1000, cookie: "" },
    drain: { enabled: false, seconds: 300 },
    crossZone: true,
    keepalive: false,
};

/** Settings after a request. */
export function changedSettings(before: GroupSettings, asked: AskedSettings): GroupSettings {
    if (asked.uchConfig?.type) refuse("UnsupportedOperation", "The lab has no hashing by a part of the address.");
    if (asked.slowStartConfig?.slowStartEnabled === true)
        refuse("UnsupportedOperation", "The lab's balancers have no slow start.");
    const { connectionDrainConfig: drain } = asked;
    return {
        scheduler: oneOf(asked.scheduler, ["Wrr", "Wlc", "Sch"], "Scheduler", before.scheduler),
        healthCheck: changedCheck(before.healthCheck, asked.healthCheckConfig ?? {}),
        stickiness: changedStickiness(before.stickiness, asked.stickySessionConfig ?? {}),
        drain: {
            enabled: drain?.connectionDrainEnabled ?? before.drain.enabled,
            seconds: within(drain?.connectionDrainTimeout, [0, 900], "ConnectionDrainTimeout", before.drain.seconds),
        },
        crossZone: asked.crossZoneEnabled ?? before.crossZone,
        keepalive: asked.upstreamKeepaliveEnabled ?? before.keepalive,
    };
}

function changedCheck(
    before: GroupSettings["healthCheck"],
    asked: NonNullable<AskedSettings["healthCheckConfig"]>,
): GroupSettings["healthCheck"] {
    const protocol = oneOf(asked.healthCheckProtocol, ["HTTP", "TCP", "HTTPS", "GRPC"], "HealthCheckProtocol", "HTTP");
    if (protocol === "HTTPS" || protocol === "GRPC")
        refuse("UnsupportedOperation", `The lab's balancers have no health check by ${protocol}.`);
    const codes = asked.healthCheckCodes ?? [];
    if (!codes.every((code) => /^http_[1-5]xx$/.test(code))) refuseParameter("HealthCheckCodes");
    const uri = asked.healthCheckPath ?? before.uri;
    if (!/^\/[\w\-/.%?#&=]{0,79}$/.test(uri)) refuseParameter("HealthCheckPath");
    const domain = valueOr(asked.healthCheckHost, before.domain);
    if (domain !== "$SERVER_IP" && !/^[A-Za-z0-9.-]{1,80}$/.test(domain)) refuseParameter("HealthCheckHost");
    const method = oneOf(asked.healthCheckMethod, ["GET", "POST", "HEAD"], "HealthCheckMethod", "HEAD");
    if (method === "POST") refuse("UnsupportedOperation", "The lab's balancers have no health check by POST.");
    return {
        ...before,
        enabled: asked.healthCheckEnabled ?? before.enabled,
        type: asked.healthCheckProtocol === undefined ? before.type : protocol === "TCP" ? "tcp" : "http",
        method: asked.healthCheckMethod === undefined ? before.method : method === "GET" ? "get" : "head",
        uri,
        domain,
        port: within(asked.healthCheckConnectPort, [0, 65535], "HealthCheckConnectPort", before.port),
        codes: codes.length === 0 ? before.codes : codes.join(","),
        healthyThreshold: within(asked.healthyThreshold, [2, 10], "HealthyThreshold", before.healthyThreshold),
        unhealthyThreshold: within(asked.unhealthyThreshold, [2, 10], "UnhealthyThreshold", before.unhealthyThreshold),
        timeout: within(asked.healthCheckTimeout, [1, 300], "HealthCheckTimeout", before.timeout),
        interval: within(asked.healthCheckInterval, [1, 50], "HealthCheckInterval", before.interval),
        httpVersion: oneOf(
            asked.healthCheckHttpVersion,
            ["HTTP1.0", "HTTP1.1"],
            "HealthCheckHttpVersion",
            before.httpVersion,
        ),
    };
}

function changedStickiness(
    before: GroupSettings["stickiness"],
    asked: NonNullable<AskedSettings["stickySessionConfig"]>,
): GroupSettings["stickiness"] {
    const enabled = asked.stickySessionEnabled ?? before.enabled;
    const cookieTimeout = within(asked.cookieTimeout, [1, 86_400], "CookieTimeout", before.cookieTimeout);
    const cookie = asked.cookie ?? before.cookie;
    if (!enabled) return { enabled, type: "", cookieTimeout, cookie };
    const fallback = before.type === "server" ? "Server" : "Insert";
    const type = oneOf(asked.stickySessionType, ["Insert", "Server"], "StickySessionType", fallback);
    if (type === "Server" && (!/^[!-+\--:<-~]{1,200}$/.test(cookie) || cookie.startsWith("$")))
        refuseParameter("Cookie");
    return { enabled, type: type === "Server" ? "server" : "insert", cookieTimeout, cookie };
}

/** Settings as lists of groups answer them. */
export function settingsView({ scheduler, healthCheck, stickiness, drain, crossZone, keepalive }: GroupSettings) {
    return {
        scheduler,
        crossZoneEnabled: crossZone,
        upstreamKeepaliveEnabled: keepalive,
        healthCheckConfig: {
            healthCheckEnabled: healthCheck.enabled,
            healthCheckProtocol: healthCheck.type === "tcp" ? "TCP" : "HTTP",
            healthCheckMethod: healthCheck.method === "get" ? "GET" : "HEAD",
            healthCheckPath: healthCheck.uri,
            healthCheckHost: healthCheck.domain,
            healthCheckHttpVersion: healthCheck.httpVersion,
            healthCheckConnectPort: healthCheck.port,
            healthCheckCodes: healthCheck.codes.split(","),
            healthCheckInterval: healthCheck.interval,
            healthCheckTimeout: healthCheck.timeout,
            healthyThreshold: healthCheck.healthyThreshold,
            unhealthyThreshold: healthCheck.unhealthyThreshold,
        },
        stickySessionConfig: {
            stickySessionEnabled: stickiness.enabled,
            cookieTimeout: stickiness.cookieTimeout,
            ...(stickiness.enabled && { stickySessionType: stickiness.type === "server" ? "Server" : "Insert" }),
            ...(stickiness.type === "server" && { cookie: stickiness.cookie }),
        },
        connectionDrainConfig: { connectionDrainEnabled: drain.enabled, connectionDrainTimeout: drain.seconds },
        slowStartConfig: { slowStartEnabled: false, slowStartDuration: 30 },
    };
}

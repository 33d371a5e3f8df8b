/** Settings of listeners and forwarding rules: limits and defaults are those of the API reference. */
import type {
    ForwardedHeader,
    HealthCheck,
    ListenerProtocol,
    ListenerSettings,
    LoadBalancer,
    Scheduler,
    Stickiness,
} from "../../model/slb";
import type { ActionContext } from "../action";
import { missingParameter } from "../errors";
import { isOn, oneOf, refuse, refuseParameter, valueOr, within } from "./checks";
import type { ListenerRequest } from "./listenerFields";
import { aclOf, certificateOf, listenerOf, serverGroupFor } from "./lookup";
import { quotas } from "./quotas";

/** Stands for the port that takes the traffic. */
export const BACKEND_PORT = -520;

/** How long the cloud remembers which server a flow of datagrams has. */
const UDP_FLOW_SECONDS = 90;

/** A listener as it is before a client says anything about it. */
const initial: Readonly<Record<ListenerProtocol, ListenerSettings>> = {
    tcp: initialSettings("tcp"),
    udp: initialSettings("udp"),
    http: initialSettings("http"),
    https: initialSettings("https"),
};

function initialSettings(protocol: ListenerProtocol): ListenerSettings {
    return {
        backendServerPort: 0,
        bandwidth: -1,
        scheduler: "wrr",
        vServerGroupId: "",
        acl: { enabled: false, type: "", ids: [] },
        healthCheck: {
            enabled: true,
            type: protocol === "tcp" || protocol === "udp" ? protocol : "http",
            method: "head",
            uri: "/",
            domain: "",
            port: 0,
            codes: "http_2xx",
            healthyThreshold: 3,
            unhealthyThreshold: 3,
            timeout: protocol === "udp" ? 10 : 5,
            interval: protocol === "udp" ? 5 : 2,
            request: "",
            expected: "",
        },
        transport: {
            persistenceTimeout: 0,
            establishedTimeout: protocol === "udp" ? UDP_FLOW_SECONDS : 900,
            proxyProtocol: false,
        },
        application: {
            stickiness: { enabled: false, type: "", cookieTimeout: 0, cookie: "" },
            gzip: true,
            idleTimeout: 15,
            requestTimeout: 60,
            headers: [],
        },
        ...(protocol === "https" && {
            tls: {
                serverCertificateId: "",
                caCertificateId: "",
                http2: true,
                cipherPolicy: "tls_cipher_policy_1_0",
            },
        }),
    };
}

/** Settings of a new listener. */
export function newSettings(
    context: ActionContext,
    balancer: LoadBalancer,
    protocol: ListenerProtocol,
    request: ListenerRequest,
): ListenerSettings {
    const redirect = redirectOf(balancer, request);
    const withGroup = request.vServerGroupId !== undefined && request.vServerGroupId !== "";
    if (!withGroup && request.backendServerPort === undefined && !redirect) throw missingParameter("BackendServerPort");
    if (protocol === "http" || protocol === "https")
        for (const [value, wireName] of [
            [request.healthCheck, "HealthCheck"],
            [request.stickySession, "StickySession"],
        ] as const)
            if (!value) throw missingParameter(wireName);
    if (protocol === "https" && !request.serverCertificateId) throw missingParameter("ServerCertificateId");
    const settings = changedSettings(context, balancer, protocol, initial[protocol], request);
    return {
        ...settings,
        // A redirection has no servers, whatever a client fills in for its sake.
        backendServerPort: redirect ? 0 : within(request.backendServerPort, [1, 65535], "BackendServerPort", 0),
        ...(redirect && { application: { ...settings.application, redirect } }),
    };
}

function redirectOf(balancer: LoadBalancer, request: ListenerRequest): ListenerSettings["application"]["redirect"] {
    if (!isOn(request.listenerForward, "ListenerForward", false)) return undefined;
    const port = within(request.forwardPort, [1, 65535], "ForwardPort", 443);
    // It has to be there; one for datagrams may be beside it.
    listenerOf(balancer, port, "https");
    const code = request.forwardCode ?? 301;
    return { port, code: [301, 302, 303, 307, 308].includes(code) ? code : refuseParameter("ForwardCode") };
}

/** What a request makes of a listener's settings: what it does not name stays. */
export function changedSettings(
    context: ActionContext,
    balancer: LoadBalancer,
    protocol: ListenerProtocol,
    before: ListenerSettings,
    request: ListenerRequest,
): ListenerSettings {
    if (request.masterSlaveServerGroupId)
        refuse("UnsupportedOperation", "The lab has no primary/secondary server groups.");
    if ((request.description ?? "").length > 256) refuseParameter("Description");
    const { tls } = before;
    return {
        backendServerPort: before.backendServerPort,
        bandwidth: request.bandwidth === -1 ? -1 : within(request.bandwidth, [1, 5120], "Bandwidth", before.bandwidth),
        scheduler: schedulerOf(request.scheduler, protocol, before.scheduler),
        vServerGroupId: groupIdOf(context, balancer, before, request),
        acl: aclSettings(context, before.acl, request),
        healthCheck: healthCheckOf(protocol, before.healthCheck, {
            ...request,
            // Each family has a name of its own for these.
            switched: request.healthCheck ?? request.healthCheckSwitch,
            timeout: request.healthCheckTimeout ?? request.healthCheckConnectTimeout,
            interval: request.healthCheckInterval ?? request.lowerHealthCheckInterval,
            healthCheckReq: request.healthCheckReq ?? request.lowerHealthCheckReq,
            healthCheckExp: request.healthCheckExp ?? request.lowerHealthCheckExp,
        }),
        transport: transportOf(protocol, before.transport, request),
        application: applicationOf(before.application, request),
        ...(tls && { tls: tlsOf(context, tls, request) }),
    };
}

/** A scheduler that the protocol has. */
export function schedulerOf(value: string | undefined, protocol: ListenerProtocol, before: Scheduler): Scheduler {
    const hashes = protocol === "tcp" || protocol === "udp" ? (["sch", "tch"] as const) : [];
    return oneOf<Scheduler>(value, ["wrr", "rr", "wlc", ...hashes], "Scheduler", before);
}

function groupIdOf(
    context: ActionContext,
    balancer: LoadBalancer,
    before: ListenerSettings,
    request: ListenerRequest,
): string {
    if (request.vServerGroup !== undefined && !isOn(request.vServerGroup, "VServerGroup", true)) {
        if (before.backendServerPort === 0) refuseParameter("VServerGroup");
        return "";
    }
    if (!request.vServerGroupId) return before.vServerGroupId;
    return serverGroupFor(context, balancer, request.vServerGroupId).id;
}

function aclSettings(
    context: ActionContext,
    before: ListenerSettings["acl"],
    request: ListenerRequest,
): ListenerSettings["acl"] {
    const enabled = isOn(request.aclStatus, "AclStatus", before.enabled);
    const type = oneOf(request.aclType, ["white", "black"], "AclType", before.type === "" ? "white" : before.type);
    const ids =
        request.aclId === undefined || request.aclId === ""
            ? before.ids
            : [...new Set(request.aclId.split(",").map((id) => aclOf(context, id.trim()).id))];
    if (ids.length > quotas.aclsPerListener) refuseParameter("AclId");
    if (enabled && ids.length === 0) throw missingParameter("AclId");
    if (enabled && before.type === "" && !request.aclType) throw missingParameter("AclType");
    return enabled ? { enabled, type, ids } : { enabled, type: "", ids: [] };
}

interface HealthCheckRequest {
    readonly switched?: string | undefined;
    readonly timeout?: number | undefined;
    readonly interval?: number | undefined;
    readonly healthCheckType?: string;
    readonly healthCheckMethod?: string;
    readonly healthCheckDomain?: string;
    readonly healthCheckURI?: string;
    readonly healthCheckHttpCode?: string;
    readonly healthCheckConnectPort?: number;
    readonly healthyThreshold?: number;
    readonly unhealthyThreshold?: number;
    readonly healthCheckReq?: string;
    readonly healthCheckExp?: string;
}

/** The check of a listener or a rule after a request. */
export function healthCheckOf(
    protocol: ListenerProtocol,
    before: HealthCheck,
    request: HealthCheckRequest,
): HealthCheck {
    const uri = request.healthCheckURI ?? before.uri;
    if (!/^\/[\w\-/.%?#&=!@$^*()+,~:;']{0,79}$/.test(uri)) refuseParameter("HealthCheckURI");
    const domain = request.healthCheckDomain ?? before.domain;
    if (domain !== "$_ip" && !/^[\w.-]{0,80}$/.test(domain)) refuseParameter("HealthCheckDomain");
    const codes = valueOr(request.healthCheckHttpCode, before.codes);
    if (!/^http_[1-5]xx(,http_[1-5]xx)*$/.test(codes)) refuseParameter("HealthCheckHttpCode");
    const port = request.healthCheckConnectPort;
    const text = (value: string | undefined, wireName: string, fallback: string): string =>
        /^[A-Za-z0-9]{0,64}$/.test(value ?? "") ? (value ?? fallback) : refuseParameter(wireName);
    return {
        enabled: isOn(request.switched, "HealthCheck", before.enabled),
        // The provider sends a type with UDP as well, which the cloud ignores: datagrams are checked by datagrams.
        type:
            protocol === "udp"
                ? "udp"
                : oneOf(request.healthCheckType, ["tcp", "http"], "HealthCheckType", before.type),
        method: oneOf(request.healthCheckMethod?.toLowerCase(), ["head", "get"], "HealthCheckMethod", before.method),
        uri,
        domain,
        port: port === BACKEND_PORT || port === 0 ? 0 : within(port, [1, 65535], "HealthCheckConnectPort", before.port),
        codes,
        // The reference says 2 to 10, and the provider lets 1 through.
        healthyThreshold: within(request.healthyThreshold, [1, 10], "HealthyThreshold", before.healthyThreshold),
        unhealthyThreshold: within(
            request.unhealthyThreshold,
            [1, 10],
            "UnhealthyThreshold",
            before.unhealthyThreshold,
        ),
        timeout: within(request.timeout, [1, 300], "HealthCheckTimeout", before.timeout),
        interval: within(request.interval, [1, 50], "HealthCheckInterval", before.interval),
        request: text(request.healthCheckReq, "HealthCheckReq", before.request),
        expected: text(request.healthCheckExp, "HealthCheckExp", before.expected),
    };
}

function transportOf(
    protocol: ListenerProtocol,
    before: ListenerSettings["transport"],
    request: ListenerRequest,
): ListenerSettings["transport"] {
    if (protocol === "udp" && request.proxyProtocolV2Enabled === true)
        refuse("UnsupportedOperation", "The lab's UDP listeners don't tell servers the clients' addresses.");
    if (isOn(request.connectionDrain, "ConnectionDrain", false))
        refuse("UnsupportedOperation", "The lab's balancers leave connections to servers that are taken out alone.");
    return {
        persistenceTimeout: within(
            request.persistenceTimeout,
            [0, 3600],
            "PersistenceTimeout",
            before.persistenceTimeout,
        ),
        establishedTimeout: within(
            request.establishedTimeout,
            [10, 900],
            "EstablishedTimeout",
            before.establishedTimeout,
        ),
        proxyProtocol: request.proxyProtocolV2Enabled ?? before.proxyProtocol,
    };
}

function applicationOf(
    before: ListenerSettings["application"],
    request: ListenerRequest,
): ListenerSettings["application"] {
    const asked: Readonly<Record<ForwardedHeader, string | undefined>> = {
        SLBIP: request.xForwardedFor_SLBIP,
        SLBID: request.xForwardedFor_SLBID,
        proto: request.xForwardedFor_proto,
        SLBPORT: request.xForwardedFor_SLBPORT,
        ClientSrcPort: request.xForwardedFor_ClientSrcPort,
    };
    return {
        ...before,
        stickiness: stickinessOf(before.stickiness, request),
        gzip: isOn(request.gzip, "Gzip", before.gzip),
        idleTimeout: within(request.idleTimeout, [1, 60], "IdleTimeout", before.idleTimeout),
        requestTimeout: within(request.requestTimeout, [1, 180], "RequestTimeout", before.requestTimeout),
        headers: (Object.keys(asked) as ForwardedHeader[]).filter((header) =>
            isOn(asked[header], `XForwardedFor_${header}`, before.headers.includes(header)),
        ),
    };
}

interface StickinessRequest {
    readonly stickySession?: string;
    readonly stickySessionType?: string;
    readonly cookieTimeout?: number;
    readonly cookie?: string;
}

/** The stickiness of a listener or a rule after a request. */
export function stickinessOf(before: Stickiness, request: StickinessRequest): Stickiness {
    if (!isOn(request.stickySession, "StickySession", before.enabled))
        return { enabled: false, type: "", cookieTimeout: 0, cookie: "" };
    const type = oneOf<Stickiness["type"]>(
        request.stickySessionType,
        ["insert", "server"],
        "StickySessionType",
        before.type,
    );
    switch (type) {
        case "":
            throw missingParameter("StickySessionType");
        case "insert": {
            const cookieTimeout = within(request.cookieTimeout, [1, 86400], "CookieTimeout", before.cookieTimeout);
            if (cookieTimeout === 0) throw missingParameter("CookieTimeout");
            return { enabled: true, type, cookieTimeout, cookie: "" };
        }
        case "server": {
            const cookie = valueOr(request.cookie, before.cookie);
            if (cookie === "") throw missingParameter("Cookie");
            if (!/^[!-+\--:<-~]{1,200}$/.test(cookie) || cookie.startsWith("$")) refuseParameter("Cookie");
            return { enabled: true, type, cookieTimeout: 0, cookie };
        }
    }
}

const cipherPolicies = [
    "tls_cipher_policy_1_0",
    "tls_cipher_policy_1_1",
    "tls_cipher_policy_1_2",
    "tls_cipher_policy_1_2_strict",
    "tls_cipher_policy_1_2_strict_with_1_3",
] as const;

function tlsOf(
    context: ActionContext,
    before: NonNullable<ListenerSettings["tls"]>,
    request: ListenerRequest,
): NonNullable<ListenerSettings["tls"]> {
    return {
        serverCertificateId: request.serverCertificateId
            ? certificateOf(context, "server", request.serverCertificateId).id
            : before.serverCertificateId,
        // An empty id takes the authority away.
        caCertificateId: request.cACertificateId
            ? certificateOf(context, "ca", request.cACertificateId).id
            : (request.cACertificateId ?? before.caCertificateId),
        http2: isOn(request.enableHttp2, "EnableHttp2", before.http2),
        cipherPolicy: oneOf<string>(request.tLSCipherPolicy, cipherPolicies, "TLSCipherPolicy", before.cipherPolicy),
    };
}

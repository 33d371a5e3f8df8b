import type {
    ForwardingRule,
    HealthCheck,
    Listener,
    ListenerProtocol,
    LoadBalancer,
    Stickiness,
} from "../../model/slb";
import { type Fields, model } from "../common/model";
import { type ListenerAnswer, listedFields, listedSettings } from "./listenerFields";
import { BACKEND_PORT } from "./listenerSettings";
import { tagsView } from "./view";

/** What `DescribeLoadBalancer…ListenerAttribute` answers. Members that a protocol does not have are left out. */
export function listenerView(balancer: LoadBalancer, listener: Listener): ListenerAnswer {
    const { settings, protocol } = listener;
    const { acl, healthCheck } = settings;
    return {
        loadBalancerId: balancer.id,
        listenerPort: listener.port,
        status: listener.status,
        description: listener.description,
        backendServerPort: settings.backendServerPort,
        bandwidth: settings.bandwidth,
        scheduler: settings.scheduler,
        vServerGroupId: settings.vServerGroupId,
        aclStatus: acl.enabled ? "on" : "off",
        ...(acl.enabled && { aclType: acl.type, aclId: acl.ids.join(","), aclIds: { aclId: [...acl.ids] } }),
        ...healthCheckView(healthCheck),
        ...(protocol !== "udp" && { healthCheckType: healthCheck.type }),
        ...(healthCheck.type === "http" && { healthCheckMethod: healthCheck.method }),
        tags: tagsView(listener.tags),
        ...(protocol === "tcp" || protocol === "udp"
            ? transportView(listener)
            : {
                  healthCheckTimeout: healthCheck.timeout,
                  ...applicationView(listener),
              }),
    };
}

type Names = Readonly<Record<string, string>>;
const namesOf = (fields: Fields): Names => model(fields).names();
const listedNames = namesOf(listedFields);
const settingNames: Readonly<Record<ListenerProtocol, Names>> = {
    tcp: namesOf(listedSettings.tcp),
    udp: namesOf(listedSettings.udp),
    http: namesOf(listedSettings.http),
    https: namesOf(listedSettings.https),
};

/** The same as `DescribeLoadBalancerListeners` lists it: what only some protocols have stands under the protocol's name. */
export function listedView(balancer: LoadBalancer, listener: Listener) {
    const { aclIds, tags, ...view } = listenerView(balancer, listener);
    const { protocol } = listener;
    const settings = { ...view, proxyProtocolV2Enabled: String(view.proxyProtocolV2Enabled) };
    return {
        ...membersOf(listedNames, view),
        listenerProtocol: protocol,
        ...(aclIds && { aclIds: aclIds.aclId }),
        tags: tags?.tag,
        [`${protocol.charAt(0)}${protocol.slice(1).toUpperCase()}ListenerConfig`]: membersOf(
            settingNames[protocol],
            settings,
        ),
    };
}

/** Those values that an answer has members for. */
function membersOf(names: Names, values: object): object {
    return Object.fromEntries(Object.entries(values).filter(([property]) => Object.hasOwn(names, property)));
}

/** The check as far as listeners and rules share it. */
export function healthCheckView(check: HealthCheck) {
    return {
        healthCheck: check.enabled ? "on" : "off",
        healthCheckConnectPort: check.port === 0 ? BACKEND_PORT : check.port,
        healthyThreshold: check.healthyThreshold,
        unhealthyThreshold: check.unhealthyThreshold,
        healthCheckInterval: check.interval,
        ...(check.type === "http" && {
            healthCheckURI: check.uri,
            healthCheckDomain: check.domain,
            healthCheckHttpCode: check.codes,
        }),
    };
}

/** Members of a cookie that is not in use are left out, so that clients don't take them for a change. */
export function stickinessView(stickiness: Stickiness) {
    return {
        stickySession: stickiness.enabled ? "on" : "off",
        ...(stickiness.type !== "" && { stickySessionType: stickiness.type }),
        ...(stickiness.type === "insert" && { cookieTimeout: stickiness.cookieTimeout }),
        ...(stickiness.type === "server" && { cookie: stickiness.cookie }),
    };
}

function transportView({ protocol, settings }: Listener): ListenerAnswer {
    const { transport, healthCheck } = settings;
    return {
        healthCheckConnectTimeout: healthCheck.timeout,
        persistenceTimeout: transport.persistenceTimeout,
        connectionDrain: "off",
        proxyProtocolV2Enabled: transport.proxyProtocol,
        ...(protocol === "udp"
            ? { healthCheckReq: healthCheck.request, healthCheckExp: healthCheck.expected }
            : { establishedTimeout: transport.establishedTimeout }),
    };
}

function applicationView({ protocol, settings, rules }: Listener): ListenerAnswer {
    const { application, tls } = settings;
    const says = (header: (typeof application.headers)[number]): string =>
        application.headers.includes(header) ? "on" : "off";
    return {
        ...stickinessView(application.stickiness),
        gzip: application.gzip ? "on" : "off",
        idleTimeout: application.idleTimeout,
        requestTimeout: application.requestTimeout,
        xForwardedFor: "on",
        xForwardedFor_SLBIP: says("SLBIP"),
        xForwardedFor_SLBID: says("SLBID"),
        xForwardedFor_proto: says("proto"),
        xForwardedFor_SLBPORT: says("SLBPORT"),
        xForwardedFor_ClientSrcPort: says("ClientSrcPort"),
        rules: { rule: rules.map(ruleSummary) },
        ...(protocol === "http" && {
            listenerForward: application.redirect ? "on" : "off",
            ...(application.redirect && {
                forwardPort: application.redirect.port,
                forwardCode: application.redirect.code,
            }),
        }),
        ...(tls && {
            serverCertificateId: tls.serverCertificateId,
            cACertificateId: tls.caCertificateId,
            enableHttp2: tls.http2 ? "on" : "off",
            tLSCipherPolicy: tls.cipherPolicy,
        }),
    };
}

/** A rule as lists of rules name it. */
export function ruleSummary(rule: ForwardingRule) {
    return {
        ruleId: rule.id,
        ruleName: rule.name,
        domain: rule.domain,
        url: rule.url,
        vServerGroupId: rule.vServerGroupId,
        listenerSync: rule.own ? "off" : "on",
    };
}

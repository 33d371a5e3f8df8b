/** From classic load balancers of the model to what should balance on this machine. */
import type {
    DesiredBalancer,
    DesiredCheck,
    DesiredForwarding,
    DesiredListener,
    DesiredPool,
    DesiredTls,
} from "./desired";
import {
    BackendServer,
    ForwardedHeader,
    ForwardingRule,
    HealthCheck,
    Listener,
    LoadBalancer,
    Scheduler,
    Stickiness,
    addressOfServer,
} from "./slb";
import type { State } from "./state";

/** Those that have a place to listen at: one with an internet address gets it with its first server. */
export function projectClassicBalancers(state: State): DesiredBalancer[] {
    return Object.values(state.loadBalancers)
        .filter(({ serverVpcId }) => Object.hasOwn(state.vpcs, serverVpcId))
        .map((balancer) => ({
            id: balancer.id,
            addresses: [balancer.address],
            vpcId: balancer.serverVpcId,
            listeners:
                balancer.status === "inactive"
                    ? []
                    : balancer.listeners
                          .filter(({ status }) => status === "running")
                          .map((listener) => projectListener(state, balancer, listener)),
        }));
}

function projectListener(state: State, balancer: LoadBalancer, listener: Listener): DesiredListener {
    const { settings, protocol } = listener;
    const { acl, application, transport } = settings;
    const web = protocol === "http" || protocol === "https";
    return {
        id: listener.id,
        protocol,
        port: listener.port,
        ...(acl.enabled && {
            access: {
                kind: acl.type === "black" ? ("deny" as const) : ("allow" as const),
                cidrs: acl.ids.flatMap((id) => (state.accessControlLists[id]?.entries ?? []).map(({ entry }) => entry)),
            },
        }),
        ...(application.redirect && { redirect: { protocol: "https" as const, ...application.redirect } }),
        ...(settings.tls && { tls: projectTls(state, settings.tls) }),
        idleSeconds: web ? application.idleTimeout : transport.establishedTimeout,
        requestSeconds: web ? application.requestTimeout : transport.establishedTimeout,
        forwardedFor: web,
        headers: web ? application.headers.map((header) => projectHeader(balancer, header)) : [],
        gzip: web && application.gzip,
        proxyProtocol: !web && transport.proxyProtocol,
        rules: [...listener.rules]
            .sort((a, b) => specificity(b) - specificity(a))
            .map((rule) => projectRule(state, balancer, listener, rule)),
        pool: {
            ...projectServers(state, balancer, listener, settings.vServerGroupId),
            ...projectBalancing(settings.scheduler, settings.healthCheck),
            ...(web
                ? projectStickiness(application.stickiness)
                : transport.persistenceTimeout > 0 && {
                      stickiness: { kind: "source" as const, seconds: transport.persistenceTimeout },
                  }),
        },
    };
}

const headers: Readonly<Record<ForwardedHeader, (balancer: LoadBalancer) => DesiredListener["headers"][number]>> = {
    SLBIP: ({ address }) => ({ name: "SLB-IP", value: { kind: "text", text: address } }),
    SLBID: ({ id }) => ({ name: "SLB-ID", value: { kind: "text", text: id } }),
    proto: () => ({ name: "X-Forwarded-Proto", value: { kind: "protocol" } }),
    SLBPORT: () => ({ name: "X-Forwarded-Port", value: { kind: "port" } }),
    ClientSrcPort: () => ({ name: "X-Forwarded-Client-srcport", value: { kind: "clientPort" } }),
};

function projectHeader(balancer: LoadBalancer, header: ForwardedHeader): DesiredListener["headers"][number] {
    return headers[header](balancer);
}

const minimumVersions: Readonly<Record<string, DesiredTls["minimum"]>> = {
    tls_cipher_policy_1_0: "TLSv1.0",
    tls_cipher_policy_1_1: "TLSv1.1",
};

function projectTls(state: State, tls: NonNullable<Listener["settings"]["tls"]>): DesiredTls {
    const authority = state.slbCertificates[tls.caCertificateId];
    return {
        certificate: bundleOf(state.slbCertificates[tls.serverCertificateId]),
        ...(authority && { clientAuthority: authority.certificate }),
        ...tlsVersions(tls.cipherPolicy),
        alpn: webProtocols(tls.http2),
    };
}

/** What HTTPS offers its clients. */
export function webProtocols(http2: boolean): string[] {
    return http2 ? ["h2", "http/1.1"] : ["http/1.1"];
}

/** Certificate, chain and key in one text. */
export function bundleOf(server: { readonly certificate: string; readonly privateKey: string } | undefined): string {
    return `${server?.certificate.trim() ?? ""}\n${server?.privateKey.trim() ?? ""}\n`;
}

/** Of one of the cloud's own policies, which balancers of every product share. */
export function tlsVersions(policy: string): Pick<DesiredTls, "minimum" | "maximum"> {
    return {
        minimum: minimumVersions[policy] ?? "TLSv1.2",
        maximum: policy.endsWith("_1_3") ? "TLSv1.3" : "TLSv1.2",
    };
}

function projectRule(
    state: State,
    balancer: LoadBalancer,
    listener: Listener,
    { id, domain, url, vServerGroupId, own }: ForwardingRule,
): DesiredForwarding {
    const { scheduler, healthCheck, application } = listener.settings;
    return {
        id,
        domains: domain === "" ? [] : [domain],
        paths: url === "" ? [] : [`${url}*`],
        pool: {
            ...projectServers(state, balancer, listener, vServerGroupId),
            ...projectBalancing(own?.scheduler ?? scheduler, own?.healthCheck ?? healthCheck),
            ...projectStickiness(own?.stickiness ?? application.stickiness),
        },
    };
}

/** A whole domain goes before one with `*`, that before none, and a longer path before a shorter. */
function specificity({ domain, url }: ForwardingRule): number {
    const exact = domain === "" ? 0 : domain.includes("*") ? 1 : 2;
    return exact * 1e6 + domain.length * 1e3 + url.length;
}

const schedulers: Readonly<Record<Scheduler, DesiredPool["scheduler"]>> = {
    wrr: "weighted",
    rr: "equal",
    wlc: "leastConnections",
    sch: "sourceHash",
    tch: "connectionHash",
};

function projectBalancing(scheduler: Scheduler, check: HealthCheck): Pick<DesiredPool, "scheduler" | "check"> {
    return { scheduler: schedulers[scheduler], ...(check.enabled && { check: projectCheck(check) }) };
}

/** What stands for a server's own address as the `Host` of a check, by the names of the three products. */
const ownAddress: readonly string[] = ["", "$_ip", "$SERVER_IP"];

/** @param check of a listener, or of a server group of the other products, which say how they ask */
export function projectCheck(check: HealthCheck & { readonly httpVersion?: "HTTP1.0" | "HTTP1.1" }): DesiredCheck {
    return {
        ...(check.type === "http" && {
            http: {
                method: check.method === "get" ? ("GET" as const) : ("HEAD" as const),
                path: check.uri,
                version: check.httpVersion === "HTTP1.1" ? ("1.1" as const) : ("1.0" as const),
                ...(!ownAddress.includes(check.domain) && { host: check.domain }),
                classes: check.codes.split(",").map((code) => Number(code.charAt("http_".length))),
            },
        }),
        ...(check.type === "udp" && {
            udp: { request: check.request, ...(check.expected !== "" && { expect: check.expected }) },
        }),
        ...(check.port !== 0 && { port: check.port }),
        intervalSeconds: check.interval,
        timeoutSeconds: check.timeout,
        healthyAfter: check.healthyThreshold,
        unhealthyAfter: check.unhealthyThreshold,
    };
}

export function projectStickiness(stickiness: Stickiness): Pick<DesiredPool, "stickiness"> {
    switch (stickiness.type) {
        case "":
            return {};
        case "insert":
            return { stickiness: { kind: "insert", seconds: stickiness.cookieTimeout } };
        case "server":
            return { stickiness: { kind: "rewrite", cookie: stickiness.cookie } };
    }
}

function projectServers(
    state: State,
    balancer: LoadBalancer,
    listener: Listener,
    groupId: string,
): Pick<DesiredPool, "groupId" | "servers"> {
    const servers: readonly BackendServer[] =
        groupId === "" ? balancer.servers : (state.vServerGroups[groupId]?.servers ?? []);
    return {
        groupId: groupId === "" ? balancer.id : groupId,
        servers: servers.flatMap((server) => {
            const found = addressOfServer(state, server);
            if (found?.vpcId !== balancer.serverVpcId) return [];
            return [
                {
                    id: server.serverId,
                    address: found.address,
                    port: server.port === 0 ? listener.settings.backendServerPort : server.port,
                    weight: server.weight,
                },
            ];
        }),
    };
}

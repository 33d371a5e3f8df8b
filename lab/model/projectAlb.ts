/** From application load balancers of the model to what should balance on this machine. */
import type { AlbListener, AlbRedirect, AlbRule, AlbScheduler, ApplicationBalancer, ForwardedSettings } from "./alb";
import type { DesiredBalancer, DesiredForwarding, DesiredListener, DesiredPool, DesiredRedirect } from "./desired";
import { bundleOf, projectCheck, projectStickiness, tlsVersions, webProtocols } from "./projectSlb";
import { addressOfServer } from "./slb";
import type { State } from "./state";

export function projectApplicationBalancers(state: State): DesiredBalancer[] {
    return Object.values(state.applicationBalancers).map((balancer) => ({
        id: balancer.id,
        addresses: addressesOf(balancer),
        vpcId: balancer.vpcId,
        listeners: Object.values(state.albListeners)
            .filter(({ loadBalancerId, stopped }) => loadBalancerId === balancer.id && !stopped)
            .map((listener) => projectListener(state, balancer, listener)),
    }));
}

/** Where clients reach a balancer: an address in each of its zones. */
export function addressesOf({ addressType, zones }: ApplicationBalancer): string[] {
    return zones.map(({ publicAddress, privateAddress }) =>
        addressType === "Internet" ? publicAddress : privateAddress,
    );
}

/** The name that the cloud gives to a balancer. */
export function nameOfBalancer({ id, regionId }: ApplicationBalancer): string {
    return `${id}.${regionId}.alb.aliyuncs.com`;
}

/** Names of balancers that hosts can reach: for a host 127.77.0.0/16, where internet ones are, is its own loopback network. */
export function applicationBalancerNames(state: State): { readonly name: string; readonly addresses: string[] }[] {
    return Object.values(state.applicationBalancers)
        .filter(({ addressType }) => addressType === "Intranet")
        .map((balancer) => ({ name: nameOfBalancer(balancer), addresses: addressesOf(balancer) }));
}

function projectListener(state: State, balancer: ApplicationBalancer, listener: AlbListener): DesiredListener {
    const { acl, forwarded, certificateIds } = listener;
    return {
        id: listener.id,
        protocol: listener.protocol === "HTTPS" ? "https" : "http",
        port: listener.port,
        ...(acl.ids.length > 0 && {
            access: {
                kind: acl.type === "Black" ? ("deny" as const) : ("allow" as const),
                cidrs: acl.ids.flatMap((id) => (state.albAcls[id]?.entries ?? []).map(({ entry }) => entry)),
            },
        }),
        ...(listener.protocol === "HTTPS" && {
            tls: {
                certificate: bundleOf(certificateOf(state, certificateIds[0])),
                ...tlsVersions(listener.securityPolicyId),
                alpn: webProtocols(listener.http2),
            },
        }),
        idleSeconds: listener.idleTimeout,
        requestSeconds: listener.requestTimeout,
        forwardedFor: forwarded.XForwardedForEnabled,
        headers: headers.flatMap(([setting, header]) => (forwarded[setting] ? [header(balancer)] : [])),
        gzip: listener.gzip,
        badGateway: true,
        proxyProtocol: false,
        rules: Object.values(state.albRules)
            .filter(({ listenerId }) => listenerId === listener.id)
            .sort((a, b) => a.priority - b.priority)
            .map((rule) => projectRule(state, balancer, listener, rule)),
        pool: projectPool(state, balancer, listener.serverGroupId),
    };
}

/** A certificate by the name that balancers have for it: its number and where the service keeps it. */
export function certificateOf(state: State, identifier = ""): State["casCertificates"][string] | undefined {
    const number = /^(\d+)-[a-z0-9-]+$/.exec(identifier)?.[1];
    return number === undefined ? undefined : state.casCertificates[number];
}

type Header = DesiredListener["headers"][number];

const headers: readonly (readonly [keyof ForwardedSettings, (balancer: ApplicationBalancer) => Header])[] = [
    ["XForwardedForProtoEnabled", () => ({ name: "X-Forwarded-Proto", value: { kind: "protocol" } })],
    ["XForwardedForSLBIdEnabled", ({ id }) => ({ name: "SLB-ID", value: { kind: "text", text: id } })],
    ["XForwardedForSLBPortEnabled", () => ({ name: "X-Forwarded-Port", value: { kind: "port" } })],
    [
        "XForwardedForClientSrcPortEnabled",
        () => ({ name: "X-Forwarded-Client-srcport", value: { kind: "clientPort" } }),
    ],
];

function projectRule(
    state: State,
    balancer: ApplicationBalancer,
    listener: AlbListener,
    { id, domains, paths, action }: AlbRule,
): DesiredForwarding {
    const about = { id, domains, paths };
    return action.kind === "redirect"
        ? { ...about, redirect: projectRedirect(listener, action) }
        : { ...about, pool: projectPool(state, balancer, action.serverGroupId) };
}

function projectRedirect(listener: AlbListener, { protocol, host, port, code }: AlbRedirect): DesiredRedirect {
    const own = listener.protocol;
    const asked = (protocol === "${protocol}" ? own : protocol) === "HTTPS" ? "https" : "http";
    return {
        protocol: asked,
        ...(host !== "${host}" && { host }),
        port: port === "${port}" ? listener.port : Number(port),
        code: Number(code),
    };
}

const schedulers: Readonly<Record<AlbScheduler, DesiredPool["scheduler"]>> = {
    Wrr: "weighted",
    Wlc: "leastConnections",
    Sch: "sourceHash",
};

function projectPool(state: State, balancer: ApplicationBalancer, groupId: string): DesiredPool {
    const group = state.albServerGroups[groupId];
    if (!group) return { servers: [], scheduler: "weighted" };
    return {
        groupId,
        servers: group.servers.flatMap((server) => {
            const found = addressOfServer(state, {
                ...server,
                type: server.type === "Eni" ? ("eni" as const) : ("ecs" as const),
            });
            if (found?.vpcId !== balancer.vpcId) return [];
            return [{ id: server.serverId, address: found.address, port: server.port, weight: server.weight }];
        }),
        scheduler: schedulers[group.scheduler],
        open: true,
        ...(group.healthCheck.enabled && { check: projectCheck(group.healthCheck) }),
        ...projectStickiness(group.stickiness),
    };
}

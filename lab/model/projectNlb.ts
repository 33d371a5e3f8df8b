/** From network load balancers of the model to what should balance on this machine. */
import type { DesiredBalancer, DesiredListener, DesiredPool } from "./desired";
import type { NetworkBalancer, NlbListener, NlbScheduler, NlbServer } from "./nlb";
import { certificateOf } from "./projectAlb";
import { bundleOf, projectCheck, tlsVersions } from "./projectSlb";
import { addressOfServer } from "./slb";
import type { State } from "./state";

export function projectNetworkBalancers(state: State): DesiredBalancer[] {
    return Object.values(state.networkBalancers).map((balancer) => ({
        id: balancer.id,
        addresses: addressesOf(balancer),
        vpcId: balancer.vpcId,
        ...(balancer.securityGroupIds.length > 0 && { securityGroupIds: balancer.securityGroupIds }),
        listeners: Object.values(state.nlbListeners)
            .filter(({ loadBalancerId, stopped }) => loadBalancerId === balancer.id && !stopped)
            .map((listener) => projectListener(state, balancer, listener)),
    }));
}

/** Where clients reach a balancer: an address in each of its zones. */
function addressesOf({ addressType, zones }: NetworkBalancer): string[] {
    return zones.map(({ publicAddress, privateAddress }) =>
        addressType === "Internet" ? publicAddress : privateAddress,
    );
}

/** The name that the cloud gives to a balancer. */
export function nameOfNetworkBalancer({ id, regionId }: NetworkBalancer): string {
    return `${id}.${regionId}.nlb.aliyuncs.com`;
}

/** Names of balancers that hosts can reach, as {@link applicationBalancerNames} has them. */
export function networkBalancerNames(state: State): { readonly name: string; readonly addresses: string[] }[] {
    return Object.values(state.networkBalancers)
        .filter(({ addressType }) => addressType === "Intranet")
        .map((balancer) => ({ name: nameOfNetworkBalancer(balancer), addresses: addressesOf(balancer) }));
}

function projectListener(state: State, balancer: NetworkBalancer, listener: NlbListener): DesiredListener {
    const { protocol, port, settings } = listener;
    return {
        id: listener.id,
        protocol: protocol === "UDP" ? "udp" : "tcp",
        port,
        ...(protocol === "TCPSSL" && {
            tls: {
                certificate: bundleOf(certificateOf(state, settings.certificateIds[0])),
                ...tlsVersions(settings.securityPolicyId),
                alpn: settings.alpn.enabled ? (protocolsOf[settings.alpn.policy] ?? []) : [],
            },
        }),
        idleSeconds: settings.idleTimeout,
        requestSeconds: settings.idleTimeout,
        forwardedFor: false,
        headers: [],
        gzip: false,
        proxyProtocol: settings.proxyProtocol,
        rules: [],
        pool: projectPool(state, balancer, settings.serverGroupId),
    };
}

/** By the policy of a listener. */
const protocolsOf: Readonly<Record<string, readonly string[]>> = {
    HTTP1Only: ["http/1.1", "http/1.0"],
    HTTP2Only: ["h2"],
    HTTP2Optional: ["http/1.1", "http/1.0", "h2"],
    HTTP2Preferred: ["h2", "http/1.1", "http/1.0"],
};

const schedulers: Readonly<Record<NlbScheduler, DesiredPool["scheduler"]>> = {
    Wrr: "weighted",
    Wlc: "leastConnections",
    Rr: "equal",
    Sch: "sourceHash",
    Tch: "connectionHash",
    // A connection of QUIC has the same source for as long as its client keeps its address.
    Qch: "sourceHash",
};

function projectPool(state: State, balancer: NetworkBalancer, groupId: string): DesiredPool {
    const group = state.nlbServerGroups[groupId];
    if (!group) return { servers: [], scheduler: "weighted" };
    const { healthCheck: check } = group;
    return {
        groupId,
        servers: group.servers.flatMap((server) => {
            const found = addressOfNetworkServer(state, server);
            if (!found || (found.vpcId !== "" && found.vpcId !== balancer.vpcId)) return [];
            return [{ id: server.serverId, address: found.address, port: server.port, weight: server.weight }];
        }),
        scheduler: schedulers[group.scheduler],
        open: true,
        ...(check.enabled && { check: projectCheck(check) }),
    };
}

/**
 * Where a balancer reaches a server; undefined once it is gone. One that is known by its address may be anywhere, and
 * has an empty VPC and zone.
 */
export function addressOfNetworkServer(
    state: State,
    { serverId, serverIp, type }: NlbServer,
): { readonly vpcId: string; readonly address: string; readonly zoneId: string } | undefined {
    if (type === "Ip") return { vpcId: "", address: serverIp === "" ? serverId : serverIp, zoneId: "" };
    const found = addressOfServer(state, { serverId, serverIp, type: type === "Eni" ? "eni" : "ecs" });
    const host = state.instances[serverId] ?? state.networkInterfaces[serverId];
    return found && { ...found, zoneId: host?.zoneId ?? "" };
}

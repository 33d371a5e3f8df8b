/** Servers of groups, as requests name them. */
import { BackendServer, LoadBalancer, addressOfServer, ownsAddress } from "../../model/slb";
import type { Resource } from "../../model/state";
import type { ActionContext } from "../action";
import { findInRegion } from "../listing";
import { parseItems, refuse, refuseParameter } from "./checks";
import { quotas } from "./quotas";

/** A server as a request names it; members that it left out are undefined. */
export interface AskedServer {
    readonly serverId: string;
    readonly serverIp: string;
    readonly port: number;
    readonly type: BackendServer["type"] | undefined;
    readonly weight: number | undefined;
    readonly description: string | undefined;
}

/**
 * Reads a list of servers.
 * @param ports whether each has a port of its own, as in a server group.
 * @param plain whether one may be its id alone.
 */
export function parseServers(
    text: string | undefined,
    ports: boolean,
    { wireName = "BackendServers", plain = false } = {},
): AskedServer[] {
    const items = parseItems(text, wireName, plain ? "ServerId" : undefined);
    if (items.length > quotas.serversPerRequest) refuse("QuotaLimitExceeds", "A request may name 20 servers.");
    return items.map((item) => {
        const type = item["Type"];
        const weight = item["Weight"];
        const port = Number(item["Port"] ?? 0);
        if (!item["ServerId"]) return refuseParameter(wireName);
        if (ports && !(Number.isInteger(port) && port >= 1 && port <= 65535)) refuseParameter(wireName);
        if (type !== undefined && type !== "" && type !== "ecs" && type !== "eni") refuseParameter(wireName);
        if (weight !== undefined && !/^(\d|[1-9]\d|100)$/.test(weight)) refuseParameter(wireName);
        return {
            serverId: item["ServerId"],
            serverIp: item["ServerIp"] ?? "",
            port: ports ? port : 0,
            type: type === "" ? undefined : type,
            weight: weight === undefined ? undefined : Number(weight),
            description: item["Description"],
        };
    });
}

/** Whether a server of a group is the one that a request names. */
export function isServer({ store }: ActionContext, server: BackendServer, asked: AskedServer): boolean {
    return (
        server.serverId === asked.serverId &&
        server.port === asked.port &&
        // A server that was added without its address is known by it all the same.
        ["", server.serverIp, addressOfServer(store.state, server)?.address].includes(asked.serverIp)
    );
}

/** Servers of a group after some are added; one that is there already takes the weight that it is named with. */
export function withServers(
    context: ActionContext,
    balancer: LoadBalancer,
    before: readonly BackendServer[],
    asked: readonly AskedServer[],
): BackendServer[] {
    const servers = changedServers(context, before, asked);
    for (const one of asked) {
        if (servers.some((server) => isServer(context, server, one))) continue;
        const server: BackendServer = {
            serverId: one.serverId,
            serverIp: one.serverIp,
            port: one.port,
            type: one.type ?? "ecs",
            weight: one.weight ?? 100,
            description: one.description ?? "",
        };
        checkServer(context, balancer, server);
        servers.push(server);
    }
    if (servers.length > quotas.serversPerBalancer)
        refuse("QuotaLimitExceeds", "The backend server number has reached to the quota limit of this load balancers");
    return servers;
}

/** Servers of a group with the weights and descriptions that a request names; it adds none. */
export function changedServers(
    context: ActionContext,
    before: readonly BackendServer[],
    asked: readonly AskedServer[],
): BackendServer[] {
    return before.map((server) => {
        const change = asked.find((one) => isServer(context, server, one));
        return change
            ? {
                  ...server,
                  weight: change.weight ?? server.weight,
                  description: change.description ?? server.description,
              }
            : server;
    });
}

function checkServer(context: ActionContext, balancer: LoadBalancer, server: BackendServer): void {
    const { state } = context.store;
    const resources: Readonly<Record<string, Resource>> =
        server.type === "ecs" ? state.instances : state.networkInterfaces;
    const found = addressOfServer(state, server);
    if (!findInRegion(resources, context.regionId, server.serverId) || !found)
        return refuse("ObtainIpFail", `The address of the backend server ${server.serverId} can't be obtained.`);
    if (server.serverIp !== "" && !ownsAddress(state, server.serverId, server.serverIp)) refuseParameter("ServerIp");
    const settled = balancer.vpcId !== "" || hasServers(context, balancer);
    if (settled && balancer.serverVpcId !== found.vpcId)
        refuse("NetworkConflict", "The backend server and the load balancer are not in the same VPC.");
}

function hasServers({ store }: ActionContext, balancer: LoadBalancer): boolean {
    const groups = Object.values(store.state.vServerGroups).filter((group) => group.loadBalancerId === balancer.id);
    return [balancer, ...groups].some(({ servers }) => servers.length > 0);
}

/** Remembers where a balancer's servers are, so that it goes on answering while it has none. */
export function settleVpc({ store }: ActionContext, balancer: LoadBalancer, servers: readonly BackendServer[]): void {
    if (servers[0]) balancer.serverVpcId = addressOfServer(store.state, servers[0])?.vpcId ?? balancer.serverVpcId;
}

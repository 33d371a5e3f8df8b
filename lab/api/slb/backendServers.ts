/** The default server group of a balancer, and how servers of all groups are. */
import type { BackendServer, LoadBalancer } from "../../model/slb";
import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { slbAction } from "./action";
import { refuse } from "./checks";
import { protocolOf } from "./listeners";
import { balancerOf, listenerOf } from "./lookup";
import { AskedServer, changedServers, isServer, parseServers, settleVpc, withServers } from "./servers";
import { backendView, serverView } from "./view";

/** An action that makes a new list of servers out of a balancer's and those that the request names. */
function membership(
    name: string,
    change: (context: ActionContext, balancer: LoadBalancer, asked: readonly AskedServer[]) => BackendServer[],
): Action {
    return slbAction({
        name,
        request: model({ RegionId: "string", LoadBalancerId: "string", BackendServers: "string" }),
        response: model({
            RequestId: "string",
            LoadBalancerId: "string",
            BackendServers: {
                BackendServer: [
                    {
                        ServerId: "string",
                        ServerIp: "string",
                        Type: "string",
                        // A string in these answers, and a number everywhere else.
                        Weight: name === "RemoveBackendServers" ? "number" : "string",
                        Description: "string",
                        VpcId: "string",
                    },
                ],
            },
        }),
        required: ["LoadBalancerId", "BackendServers"],
        writes: true,
        handle: async (request, context) => {
            const balancer = balancerOf(context, request.loadBalancerId);
            const asked = parseServers(request.backendServers, false, { plain: name === "RemoveBackendServers" });
            const after = change(context, balancer, asked);
            context.checked();
            balancer.servers = after;
            settleVpc(context, balancer, after);
            await context.applied();
            return {
                loadBalancerId: balancer.id,
                backendServers: {
                    backendServer: after.map((server) => {
                        const view = backendView(context.store.state, server);
                        return {
                            ...view,
                            weight: (name === "RemoveBackendServers" ? view.weight : String(view.weight)) as never,
                        };
                    }),
                },
            };
        },
    });
}

const addBackendServers = membership("AddBackendServers", (context, balancer, asked) =>
    withServers(context, balancer, balancer.servers, asked),
);

const removeBackendServers = membership("RemoveBackendServers", (context, balancer, asked) =>
    balancer.servers.filter((server) => !asked.some((one) => isServer(context, server, one))),
);

const setBackendServers = membership("SetBackendServers", (context, balancer, asked) => {
    if (asked.some((one) => !balancer.servers.some((server) => isServer(context, server, one))))
        refuse("InvalidParameter", "The specified backend server does not exist on the load balancer.");
    return changedServers(context, balancer.servers, asked);
});

const describeHealthStatus = slbAction({
    name: "DescribeHealthStatus",
    request: model({
        RegionId: "string",
        LoadBalancerId: "string",
        ListenerPort: "number",
        ListenerProtocol: "string",
    }),
    response: model({
        RequestId: "string",
        BackendServers: {
            BackendServer: [
                {
                    ListenerPort: "number",
                    Protocol: "string",
                    ServerId: "string",
                    ServerIp: "string",
                    Port: "number",
                    Type: "string",
                    ServerHealthStatus: "string",
                },
            ],
        },
    }),
    required: ["LoadBalancerId"],
    writes: false,
    handle: async (request, context) => {
        const { state } = context.store;
        const balancer = balancerOf(context, request.loadBalancerId);
        const listeners =
            request.listenerPort === undefined
                ? balancer.listeners
                : [listenerOf(balancer, request.listenerPort, protocolOf(request.listenerProtocol))];
        const known = (await context.health?.(balancer.id)) ?? [];
        return {
            backendServers: {
                backendServer: listeners.flatMap((listener) => {
                    const { settings } = listener;
                    if (settings.application.redirect) return [];
                    const groups = [settings.vServerGroupId, ...listener.rules.map((rule) => rule.vServerGroupId)];
                    const servers = [...new Set(groups)].flatMap((id) =>
                        id === "" ? balancer.servers : (state.vServerGroups[id]?.servers ?? []),
                    );
                    return servers.map((server) => {
                        const { serverId, serverIp, type, port } = serverView(state, server);
                        const actual = port === 0 ? settings.backendServerPort : port;
                        const found = known.find(
                            (one) => one.listenerId === listener.id && one.address === serverIp && one.port === actual,
                        );
                        return {
                            listenerPort: listener.port,
                            protocol: listener.protocol,
                            serverId,
                            serverIp,
                            port: actual,
                            type,
                            serverHealthStatus:
                                listener.status === "stopped" || !found || found.health === "unchecked"
                                    ? "unavailable"
                                    : found.health === "up"
                                      ? "normal"
                                      : "abnormal",
                        };
                    });
                }),
            },
        };
    },
});

export const backendServerActions: readonly Action[] = [
    addBackendServers,
    removeBackendServers,
    setBackendServers,
    describeHealthStatus,
];

import { GetListenerHealthStatusRequest } from "@alicloud/alb20200616/dist/models/GetListenerHealthStatusRequest";
import { GetListenerHealthStatusResponseBody } from "@alicloud/alb20200616/dist/models/GetListenerHealthStatusResponseBody";
import type { AlbListener, AlbRule } from "../../model/alb";
import type { ServerHealth } from "../../model/desired";
import type { Action, ActionContext } from "../action";
import { albAction } from "./action";
import { listenerOf, rulesOf } from "./lookup";
import { placeOf } from "./servers";

/** A group's servers that get no traffic, as this product lists them: those that are well it leaves out. */
function groupInfo(
    context: ActionContext,
    listener: AlbListener,
    serverGroupId: string,
    health: readonly ServerHealth[],
) {
    const group = context.store.state.albServerGroups[serverGroupId];
    const checked = group?.healthCheck.enabled === true;
    const nonNormalServers = (checked ? group.servers : []).flatMap((server) => {
        const address = placeOf(context, server)?.address;
        const found = health.find(
            (one) => one.listenerId === listener.id && one.address === address && one.port === server.port,
        );
        if (found?.health === "up") return [];
        return [
            {
                serverId: server.serverId,
                serverIp: address ?? "",
                port: server.port,
                status: found === undefined || listener.stopped ? "Unused" : "Unavailable",
                reason: { reasonCode: found === undefined ? "BACKEND_DISABLED" : "CONNECT_FAILED" },
            },
        ];
    });
    return {
        actionType: "TrafficForward",
        healthCheckEnabled: checked ? "on" : "off",
        serverGroupId,
        nonNormalServers,
    };
}

function forwardGroup({ action }: AlbRule): string[] {
    return action.kind === "forward" ? [action.serverGroupId] : [];
}

const getListenerHealthStatus = albAction({
    name: "GetListenerHealthStatus",
    request: GetListenerHealthStatusRequest,
    response: GetListenerHealthStatusResponseBody,
    required: ["ListenerId"],
    writes: false,
    handle: async ({ listenerId, includeRule }, context) => {
        const listener = listenerOf(context, listenerId);
        const health = (await context.health?.(listener.loadBalancerId)) ?? [];
        const info = (groupId: string) => groupInfo(context, listener, groupId, health);
        return {
            listenerHealthStatus: [
                {
                    listenerId: listener.id,
                    listenerPort: listener.port,
                    listenerProtocol: listener.protocol,
                    serverGroupInfos: [info(listener.serverGroupId)],
                },
            ],
            ruleHealthStatus:
                includeRule === true
                    ? rulesOf(context, listener).map((rule) => ({
                          ruleId: rule.id,
                          serverGroupInfos: forwardGroup(rule).map(info),
                      }))
                    : [],
        };
    },
});

export const healthActions: readonly Action[] = [getListenerHealthStatus];

import type { Listener, ListenerProtocol } from "../../model/slb";
import type { Action } from "../action";
import { model } from "../common/model";
import { hasTags, inRegion, matches, matchesAny, paginateByToken, toTags } from "../listing";
import { slbAction } from "./action";
import { checkTags, oneOf, refuse, refuseParameter } from "./checks";
import { attributeAnswer, changeRequest, creationRequest, listedFields } from "./listenerFields";
import { changedSettings, newSettings } from "./listenerSettings";
import { listedView, listenerView } from "./listenerView";
import { balancerOf, listenerOf } from "./lookup";
import { quotas } from "./quotas";

const protocols = ["tcp", "udp", "http", "https"] as const satisfies readonly ListenerProtocol[];
const answer = model({ RequestId: "string" });

/** The actions that each protocol has of its own. */
function protocolActions(protocol: ListenerProtocol): Action[] {
    const family = protocol.toUpperCase();
    return [
        slbAction({
            name: `CreateLoadBalancer${family}Listener`,
            request: creationRequest(protocol),
            response: answer,
            required: ["LoadBalancerId", "ListenerPort"],
            writes: true,
            handle: async (request, context) => {
                const balancer = balancerOf(context, request.loadBalancerId);
                const port = portOf(request.listenerPort);
                const datagrams = protocol === "udp";
                if (balancer.listeners.some((one) => one.port === port && (one.protocol === "udp") === datagrams))
                    refuse(
                        "ListenerAlreadyExists",
                        "There is already a listener bound to the port on the specified Load Balancer.",
                    );
                if (balancer.listeners.length >= quotas.listenersPerBalancer)
                    refuse("QuotaLimitExceeds", "The number of listeners exceeds the limit.");
                checkTags(request.tag);
                const settings = newSettings(context, balancer, protocol, request);
                context.checked();
                const listener: Listener = {
                    id: `${balancer.id}/${protocol}/${port}`,
                    regionId: balancer.regionId,
                    createdAt: context.now,
                    name: "",
                    description: request.description ?? "",
                    tags: toTags(request.tag),
                    resourceGroupId: "",
                    protocol,
                    port,
                    status: "stopped",
                    settings,
                    rules: [],
                };
                balancer.listeners.push(listener);
                await context.applied();
                return {};
            },
        }),
        slbAction({
            name: `SetLoadBalancer${family}ListenerAttribute`,
            request: changeRequest(protocol),
            response: answer,
            required: ["LoadBalancerId", "ListenerPort"],
            writes: true,
            handle: async (request, context) => {
                const balancer = balancerOf(context, request.loadBalancerId);
                const listener = listenerOf(balancer, request.listenerPort, protocol);
                const settings = changedSettings(context, balancer, protocol, listener.settings, request);
                context.checked();
                listener.settings = settings;
                if (request.description !== undefined) listener.description = request.description;
                await context.applied();
                return {};
            },
        }),
        slbAction({
            name: `DescribeLoadBalancer${family}ListenerAttribute`,
            request: model({ RegionId: "string", LoadBalancerId: "string", ListenerPort: "number" }),
            response: attributeAnswer(protocol),
            required: ["LoadBalancerId", "ListenerPort"],
            writes: false,
            handle: ({ loadBalancerId, listenerPort }, context) => {
                const balancer = balancerOf(context, loadBalancerId);
                return listenerView(balancer, listenerOf(balancer, listenerPort, protocol));
            },
        }),
    ];
}

function portOf(port: number | undefined): number {
    if (port === undefined || !Number.isInteger(port) || port < 1 || port > 65535)
        return refuseParameter("ListenerPort");
    return port;
}

const placeRequest = model({
    RegionId: "string",
    LoadBalancerId: "string",
    ListenerPort: "number",
    ListenerProtocol: "string",
});

/** The protocol that a client names beside the port; absent when it does not. */
export function protocolOf(value: string | undefined): ListenerProtocol | undefined {
    return value === undefined || value === ""
        ? undefined
        : oneOf(value.toLowerCase(), protocols, "ListenerProtocol", "tcp");
}

function switchAction(name: string, status: Listener["status"]): Action {
    return slbAction({
        name,
        request: placeRequest,
        response: answer,
        required: ["LoadBalancerId", "ListenerPort"],
        writes: true,
        handle: async (request, context) => {
            const balancer = balancerOf(context, request.loadBalancerId);
            const listener = listenerOf(balancer, request.listenerPort, protocolOf(request.listenerProtocol));
            context.checked();
            listener.status = status;
            await context.applied();
            return {};
        },
    });
}

const deleteLoadBalancerListener = slbAction({
    name: "DeleteLoadBalancerListener",
    request: placeRequest,
    response: answer,
    required: ["LoadBalancerId", "ListenerPort"],
    writes: true,
    handle: async (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const listener = listenerOf(balancer, request.listenerPort, protocolOf(request.listenerProtocol));
        const leadsHere = ({ settings }: Listener): boolean => settings.application.redirect?.port === listener.port;
        if (listener.protocol === "https" && balancer.listeners.some(leadsHere))
            refuse("ListenerForwarded", "Another listener redirects to the specified one.");
        context.checked();
        balancer.listeners = balancer.listeners.filter((other) => other !== listener);
        await context.applied();
        return {};
    },
});

const describeLoadBalancerListeners = slbAction({
    name: "DescribeLoadBalancerListeners",
    request: model({
        RegionId: "string",
        LoadBalancerId: ["string"],
        ListenerProtocol: "string",
        ListenerPort: "number",
        Description: "string",
        Tag: [{ Key: "string", Value: "string" }],
        MaxResults: "number",
        NextToken: "string",
    }),
    response: model({
        RequestId: "string",
        NextToken: "string",
        MaxResults: "number",
        TotalCount: "number",
        Listeners: [listedFields],
    }),
    writes: false,
    handle: (request, context) => {
        const protocol = protocolOf(request.listenerProtocol);
        const found = inRegion(context.store.state.loadBalancers, context.regionId)
            .filter(({ id }) => !request.loadBalancerId?.length || request.loadBalancerId.includes(id))
            .flatMap((balancer) => balancer.listeners.map((listener) => ({ balancer, listener })))
            .filter(
                ({ listener }) =>
                    matches(protocol, listener.protocol) &&
                    matches(request.listenerPort, listener.port) &&
                    matchesAny(request.description, listener.description) &&
                    hasTags(listener, request.tag),
            );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return {
            ...page,
            totalCount: found.length,
            listeners: items.map(({ balancer, listener }) => listedView(balancer, listener)),
        };
    },
});

export const listenerActions: readonly Action[] = [
    ...protocols.flatMap(protocolActions),
    switchAction("StartLoadBalancerListener", "running"),
    switchAction("StopLoadBalancerListener", "stopped"),
    deleteLoadBalancerListener,
    describeLoadBalancerListeners,
];

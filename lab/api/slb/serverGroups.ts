import type { BackendServer, LoadBalancer, VServerGroup } from "../../model/slb";
import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { hasTags, matchesAny, toTags } from "../listing";
import { slbAction } from "./action";
import { checkName, checkTags, refuse, valueOr } from "./checks";
import { balancerOf, serverGroupOf } from "./lookup";
import { AskedServer, changedServers, isServer, parseServers, settleVpc, withServers } from "./servers";
import { minuteOf, serverView, tagsView } from "./view";

const servers = {
    BackendServer: [
        {
            ServerId: "string",
            ServerIp: "string",
            Type: "string",
            Port: "number",
            Weight: "number",
            Description: "string",
            VpcId: "string",
        },
    ],
} as const;

const groupAnswer = model({ RequestId: "string", VServerGroupId: "string", BackendServers: servers });

function serversView(context: ActionContext, group: VServerGroup) {
    return { backendServer: group.servers.map((server) => serverView(context.store.state, server)) };
}

function balancerOfGroup({ store }: ActionContext, group: VServerGroup): LoadBalancer {
    // Groups go with their balancer.
    return store.state.loadBalancers[group.loadBalancerId]!;
}

const createVServerGroup = slbAction({
    name: "CreateVServerGroup",
    request: model({
        RegionId: "string",
        LoadBalancerId: "string",
        VServerGroupName: "string",
        BackendServers: "string",
        Tag: [{ Key: "string", Value: "string" }],
    }),
    response: groupAnswer,
    required: ["LoadBalancerId"],
    writes: true,
    handle: async (request, context) => {
        const { store, regionId, now } = context;
        const balancer = balancerOf(context, request.loadBalancerId);
        checkName(request.vServerGroupName, "VServerGroupName");
        checkTags(request.tag);
        const members = request.backendServers
            ? withServers(context, balancer, [], parseServers(request.backendServers, true))
            : [];
        context.checked();
        const id = store.newId("rsp");
        const group: VServerGroup = {
            id,
            regionId,
            createdAt: now,
            name: valueOr(request.vServerGroupName, id),
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: balancer.resourceGroupId,
            loadBalancerId: balancer.id,
            servers: members,
        };
        store.state.vServerGroups[id] = group;
        settleVpc(context, balancer, members);
        await context.applied();
        return { vServerGroupId: id, backendServers: serversView(context, group) };
    },
});

const describeVServerGroupAttribute = slbAction({
    name: "DescribeVServerGroupAttribute",
    request: model({ RegionId: "string", VServerGroupId: "string" }),
    response: model({
        RequestId: "string",
        VServerGroupId: "string",
        VServerGroupName: "string",
        LoadBalancerId: "string",
        CreateTime: "string",
        BackendServers: servers,
        Tags: { Tag: [{ TagKey: "string", TagValue: "string" }] },
    }),
    required: ["VServerGroupId"],
    writes: false,
    handle: ({ vServerGroupId }, context) => {
        const group = serverGroupOf(context, vServerGroupId);
        return {
            vServerGroupId: group.id,
            vServerGroupName: group.name,
            loadBalancerId: group.loadBalancerId,
            createTime: minuteOf(group.createdAt),
            backendServers: serversView(context, group),
            tags: tagsView(group.tags),
        };
    },
});

const describeVServerGroups = slbAction({
    name: "DescribeVServerGroups",
    request: model({
        RegionId: "string",
        LoadBalancerId: "string",
        Description: "string",
        IncludeListener: "boolean",
        IncludeRule: "boolean",
        Tag: [{ Key: "string", Value: "string" }],
    }),
    response: model({
        RequestId: "string",
        VServerGroups: {
            VServerGroup: [
                {
                    VServerGroupId: "string",
                    VServerGroupName: "string",
                    ServerCount: "number",
                    CreateTime: "string",
                    Tags: { Tag: [{ TagKey: "string", TagValue: "string" }] },
                    AssociatedObjects: {
                        Listeners: { Listener: [{ Port: "number", Protocol: "string" }] },
                        Rules: { Rule: [{ RuleId: "string", RuleName: "string", Domain: "string", Url: "string" }] },
                    },
                },
            ],
        },
    }),
    required: ["LoadBalancerId"],
    writes: false,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        return {
            vServerGroups: {
                vServerGroup: Object.values(context.store.state.vServerGroups)
                    .filter(
                        (group) =>
                            group.loadBalancerId === balancer.id &&
                            matchesAny(request.description, group.name) &&
                            hasTags(group, request.tag),
                    )
                    .map((group) => ({
                        vServerGroupId: group.id,
                        vServerGroupName: group.name,
                        serverCount: group.servers.length,
                        createTime: minuteOf(group.createdAt),
                        tags: tagsView(group.tags),
                        associatedObjects: {
                            ...(request.includeListener === true && {
                                listeners: { listener: listenersOf(balancer, group) },
                            }),
                            ...(request.includeRule === true && { rules: { rule: rulesOf(balancer, group) } }),
                        },
                    })),
            },
        };
    },
});

function listenersOf({ listeners }: LoadBalancer, { id }: VServerGroup) {
    return listeners
        .filter(({ settings }) => settings.vServerGroupId === id)
        .map(({ port, protocol }) => ({ port, protocol }));
}

function rulesOf({ listeners }: LoadBalancer, { id }: VServerGroup) {
    return listeners
        .flatMap(({ rules }) => rules)
        .filter(({ vServerGroupId }) => vServerGroupId === id)
        .map((rule) => ({ ruleId: rule.id, ruleName: rule.name, domain: rule.domain, url: rule.url }));
}

const setVServerGroupAttribute = slbAction({
    name: "SetVServerGroupAttribute",
    request: model({
        RegionId: "string",
        VServerGroupId: "string",
        VServerGroupName: "string",
        BackendServers: "string",
    }),
    response: model({
        RequestId: "string",
        VServerGroupId: "string",
        VServerGroupName: "string",
        BackendServers: servers,
    }),
    required: ["VServerGroupId"],
    writes: true,
    handle: async (request, context) => {
        const group = serverGroupOf(context, request.vServerGroupId);
        checkName(request.vServerGroupName, "VServerGroupName");
        const asked = request.backendServers ? parseServers(request.backendServers, true) : [];
        refuseUnknown(context, group, asked);
        context.checked();
        if (request.vServerGroupName) group.name = request.vServerGroupName;
        group.servers = changedServers(context, group.servers, asked);
        await context.applied();
        return {
            vServerGroupId: group.id,
            vServerGroupName: group.name,
            backendServers: serversView(context, group),
        };
    },
});

function refuseUnknown(context: ActionContext, group: VServerGroup, asked: readonly AskedServer[]): void {
    if (asked.some((one) => !group.servers.some((server) => isServer(context, server, one))))
        refuse("InvalidParameter", "The specified backend server does not exist in the server group.");
}

/** An action that makes a new list of servers out of a group's and those that the request names. */
function membership(
    name: string,
    change: (context: ActionContext, group: VServerGroup, asked: readonly AskedServer[]) => BackendServer[],
): Action {
    return slbAction({
        name,
        request: model({ RegionId: "string", VServerGroupId: "string", BackendServers: "string" }),
        response: groupAnswer,
        required: ["VServerGroupId", "BackendServers"],
        writes: true,
        handle: async (request, context) => {
            const group = serverGroupOf(context, request.vServerGroupId);
            const after = change(context, group, parseServers(request.backendServers, true));
            context.checked();
            group.servers = after;
            settleVpc(context, balancerOfGroup(context, group), after);
            await context.applied();
            return { vServerGroupId: group.id, backendServers: serversView(context, group) };
        },
    });
}

const addVServerGroupBackendServers = membership("AddVServerGroupBackendServers", (context, group, asked) =>
    withServers(context, balancerOfGroup(context, group), group.servers, asked),
);

const removeVServerGroupBackendServers = membership("RemoveVServerGroupBackendServers", (context, group, asked) =>
    // One that is not there is gone already, such as a host that was released.
    group.servers.filter((server) => !asked.some((one) => isServer(context, server, one))),
);

const modifyVServerGroupBackendServers = slbAction({
    name: "ModifyVServerGroupBackendServers",
    request: model({
        RegionId: "string",
        VServerGroupId: "string",
        OldBackendServers: "string",
        NewBackendServers: "string",
    }),
    response: groupAnswer,
    required: ["VServerGroupId", "OldBackendServers", "NewBackendServers"],
    writes: true,
    handle: async (request, context) => {
        const group = serverGroupOf(context, request.vServerGroupId);
        const old = parseServers(request.oldBackendServers, true, { wireName: "OldBackendServers" });
        refuseUnknown(context, group, old);
        const kept = group.servers.filter((server) => !old.some((one) => isServer(context, server, one)));
        const after = withServers(
            context,
            balancerOfGroup(context, group),
            kept,
            parseServers(request.newBackendServers, true, { wireName: "NewBackendServers" }),
        );
        context.checked();
        group.servers = after;
        settleVpc(context, balancerOfGroup(context, group), after);
        await context.applied();
        return { vServerGroupId: group.id, backendServers: serversView(context, group) };
    },
});

const deleteVServerGroup = slbAction({
    name: "DeleteVServerGroup",
    request: model({ RegionId: "string", VServerGroupId: "string" }),
    response: model({ RequestId: "string" }),
    required: ["VServerGroupId"],
    writes: true,
    handle: async ({ vServerGroupId }, context) => {
        const group = serverGroupOf(context, vServerGroupId);
        const balancer = balancerOfGroup(context, group);
        if (listenersOf(balancer, group).length + rulesOf(balancer, group).length > 0)
            refuse("RspoolVipExist", "there are vips associating with this vServer group.");
        context.checked();
        Reflect.deleteProperty(context.store.state.vServerGroups, group.id);
        await context.applied();
        return {};
    },
});

export const serverGroupActions: readonly Action[] = [
    createVServerGroup,
    describeVServerGroupAttribute,
    describeVServerGroups,
    setVServerGroupAttribute,
    addVServerGroupBackendServers,
    removeVServerGroupBackendServers,
    modifyVServerGroupBackendServers,
    deleteVServerGroup,
];

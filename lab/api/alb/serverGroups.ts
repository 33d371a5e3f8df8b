import { CreateServerGroupRequest } from "@alicloud/alb20200616/dist/models/CreateServerGroupRequest";
import { CreateServerGroupResponseBody } from "@alicloud/alb20200616/dist/models/CreateServerGroupResponseBody";
import { DeleteServerGroupRequest } from "@alicloud/alb20200616/dist/models/DeleteServerGroupRequest";
import { DeleteServerGroupResponseBody } from "@alicloud/alb20200616/dist/models/DeleteServerGroupResponseBody";
import { ListServerGroupsRequest } from "@alicloud/alb20200616/dist/models/ListServerGroupsRequest";
import { ListServerGroupsResponseBody } from "@alicloud/alb20200616/dist/models/ListServerGroupsResponseBody";
import { UpdateServerGroupAttributeRequest } from "@alicloud/alb20200616/dist/models/UpdateServerGroupAttributeRequest";
import { UpdateServerGroupAttributeResponseBody } from "@alicloud/alb20200616/dist/models/UpdateServerGroupAttributeResponseBody";
import type { AlbServerGroup } from "../../model/alb";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { notFound } from "../errors";
import { among, hasTags, matches, paginateByToken, toTags } from "../listing";
import { albAction } from "./action";
import { checkName, checkTags, oneOf, refuse, refuseQuota, valueOr } from "./checks";
import { beginJob } from "./jobs";
import { serverGroupOf } from "./lookup";
import { quotas } from "./quotas";
import { changedSettings, initialSettings, settingsView } from "./serverGroupSettings";
import { tagsView } from "./view";

const createServerGroup = albAction({
    name: "CreateServerGroup",
    request: CreateServerGroupRequest,
    response: CreateServerGroupResponseBody,
    required: ["ServerGroupName"],
    writes: true,
    handle: (request, context) => {
        const { store, now } = context;
        checkName(request.serverGroupName, "ServerGroupName");
        checkTags(request.tag);
        if (oneOf(request.serverGroupType, ["Instance", "Ip", "Fc"], "ServerGroupType", "Instance") !== "Instance")
            refuse("UnsupportedOperation", "Server groups of the lab hold instances and network interfaces only.");
        if (oneOf(request.protocol, ["HTTP", "HTTPS", "GRPC"], "Protocol", "HTTP") !== "HTTP")
            refuse("UnsupportedOperation", "The lab's balancers speak HTTP to servers.");
        if (request.ipv6Enabled === true)
            refuse("UnsupportedOperation", "The lab's balancers have IPv4 addresses only.");
        const vpc = store.state.vpcs[request.vpcId ?? ""];
        if (!vpc) throw notFound("ResourceNotFound.Vpc", "The specified resource of Vpc is not found.");
        const settings = changedSettings(initialSettings, request);
        if (Object.keys(store.state.albServerGroups).length >= quotas.serverGroups) refuseQuota("ServerGroupsNum");
        context.checked();
        const id = store.newId("sgp");
        store.state.albServerGroups[id] = {
            ...settings,
            id,
            regionId: vpc.regionId,
            createdAt: now,
            name: request.serverGroupName!,
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            vpcId: vpc.id,
            protocol: "HTTP",
            servers: [],
        };
        return {
            serverGroupId: id,
            jobId: beginJob(context, "CreateServerGroup", { type: "servergroup", id }, now),
        };
    },
});

/** Balancers whose traffic may go to a group. */
function balancersOf({ store }: ActionContext, group: AlbServerGroup): string[] {
    const { albListeners, albRules } = store.state;
    const forwarding = Object.values(albRules).filter(
        ({ action }) => action.kind === "forward" && action.serverGroupId === group.id,
    );
    const listeners = Object.values(albListeners).filter(
        ({ id, serverGroupId }) => serverGroupId === group.id || forwarding.some(({ listenerId }) => listenerId === id),
    );
    return [...new Set(listeners.map(({ loadBalancerId }) => loadBalancerId))];
}

const listServerGroups = albAction({
    name: "ListServerGroups",
    request: ListServerGroupsRequest,
    response: ListServerGroupsResponseBody,
    writes: false,
    handle: (request, context) => {
        const found = Object.values(context.store.state.albServerGroups).filter(
            (group) =>
                among(request.serverGroupIds, group.id) &&
                among(request.serverGroupNames, group.name) &&
                matches(request.vpcId, group.vpcId) &&
                matches(request.resourceGroupId, group.resourceGroupId) &&
                matches(request.serverGroupType, "Instance") &&
                hasTags(group, request.tag),
        );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return {
            ...page,
            totalCount: found.length,
            serverGroups: items.map((group) => ({
                ...settingsView(group),
                serverGroupId: group.id,
                serverGroupName: group.name,
                serverGroupStatus: "Available",
                serverGroupType: "Instance",
                protocol: group.protocol,
                vpcId: group.vpcId,
                ipv6Enabled: false,
                createTime: group.createdAt,
                resourceGroupId: group.resourceGroupId,
                relatedLoadBalancerIds: balancersOf(context, group),
                serverCount: group.servers.length,
                tags: tagsView(group.tags),
            })),
        };
    },
});

const updateServerGroupAttribute = albAction({
    name: "UpdateServerGroupAttribute",
    request: UpdateServerGroupAttributeRequest,
    response: UpdateServerGroupAttributeResponseBody,
    required: ["ServerGroupId"],
    writes: true,
    handle: async (request, context) => {
        const group = serverGroupOf(context, request.serverGroupId);
        checkName(request.serverGroupName, "ServerGroupName");
        const settings = changedSettings(group, request);
        context.checked();
        Object.assign(group, settings);
        group.name = valueOr(request.serverGroupName, group.name);
        await context.applied();
        return {
            jobId: beginJob(context, "UpdateServerGroupAttribute", { type: "servergroup", id: group.id }, context.now),
        };
    },
});

const deleteServerGroup = albAction({
    name: "DeleteServerGroup",
    request: DeleteServerGroupRequest,
    response: DeleteServerGroupResponseBody,
    required: ["ServerGroupId"],
    writes: true,
    handle: ({ serverGroupId }, context) => {
        const group = serverGroupOf(context, serverGroupId);
        if (balancersOf(context, group).length > 0)
            refuse("ResourceInUse.ServerGroup", "The specified resource of ServerGroup is in use.");
        context.checked();
        Reflect.deleteProperty(context.store.state.albServerGroups, group.id);
        return {
            jobId: beginJob(context, "DeleteServerGroup", { type: "servergroup", id: group.id }, context.now),
        };
    },
});

export const serverGroupActions: readonly Action[] = [
    createServerGroup,
    listServerGroups,
    updateServerGroupAttribute,
    deleteServerGroup,
];

import { ListTagResourcesRequest } from "@alicloud/alb20200616/dist/models/ListTagResourcesRequest";
import { ListTagResourcesResponseBody } from "@alicloud/alb20200616/dist/models/ListTagResourcesResponseBody";
import { MoveResourceGroupRequest } from "@alicloud/alb20200616/dist/models/MoveResourceGroupRequest";
import { MoveResourceGroupResponseBody } from "@alicloud/alb20200616/dist/models/MoveResourceGroupResponseBody";
import { TagResourcesRequest } from "@alicloud/alb20200616/dist/models/TagResourcesRequest";
import { TagResourcesResponseBody } from "@alicloud/alb20200616/dist/models/TagResourcesResponseBody";
import { UnTagResourcesRequest } from "@alicloud/alb20200616/dist/models/UnTagResourcesRequest";
import { UnTagResourcesResponseBody } from "@alicloud/alb20200616/dist/models/UnTagResourcesResponseBody";
import type { Resource } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { missingParameter, notFound } from "../errors";
import { TagPair, among, hasTags, paginateByToken, toTags } from "../listing";
import { albAction } from "./action";
import { checkTags, refuseParameter, refuseQuota } from "./checks";

type Resources = Readonly<Record<string, Resource>>;

/** Resources by the type that requests name: a map, because what clients name may be a member that every object has. */
const kinds = new Map<string, (context: ActionContext) => Resources>(
    Object.entries({
        loadbalancer: ({ store }) => store.state.applicationBalancers,
        servergroup: ({ store }) => store.state.albServerGroups,
        listener: ({ store }) => store.state.albListeners,
        rule: ({ store }) => store.state.albRules,
        acl: ({ store }) => store.state.albAcls,
    }),
);

function resourcesOfType(context: ActionContext, type: string | undefined): Resources {
    return kinds.get(type ?? "")?.(context) ?? refuseParameter("ResourceType");
}

function resourcesOf(context: ActionContext, type: string | undefined, ids: readonly string[] | undefined): Resource[] {
    const resources = resourcesOfType(context, type);
    if (!ids?.length) throw missingParameter("ResourceId");
    return ids.map((id) => {
        if (!Object.hasOwn(resources, id))
            throw notFound("ResourceNotFound.ResourceId", "The specified resource is not found.");
        return resources[id]!;
    });
}

const tagResources = albAction({
    name: "TagResources",
    request: TagResourcesRequest,
    response: TagResourcesResponseBody,
    required: ["ResourceType", "ResourceId"],
    writes: true,
    handle: ({ resourceType, resourceId, tag }, context) => {
        const resources = resourcesOf(context, resourceType, resourceId);
        if (!tag?.length) throw missingParameter("Tag");
        checkTags(tag);
        const added = toTags(tag);
        if (resources.some(({ tags }) => Object.keys({ ...tags, ...added }).length > 20)) refuseQuota("TagsNum");
        context.checked();
        for (const resource of resources) resource.tags = { ...resource.tags, ...added };
        return {};
    },
});

const unTagResources = albAction({
    name: "UnTagResources",
    request: UnTagResourcesRequest,
    response: UnTagResourcesResponseBody,
    required: ["ResourceType", "ResourceId"],
    writes: true,
    handle: ({ resourceType, resourceId, tagKey, tag, all }, context) => {
        const resources = resourcesOf(context, resourceType, resourceId);
        const named: TagPair[] = [...(tagKey ?? []).map((key) => ({ key })), ...(tag ?? [])];
        // A key without a value stands for all of its values.
        const isNamed = (key: string, value: string): boolean =>
            named.some((one) => one.key === key && (one.value ?? value) === value);
        context.checked();
        for (const resource of resources)
            resource.tags = Object.fromEntries(
                Object.entries(resource.tags).filter(
                    ([key, value]) => !(named.length === 0 ? all === true : isNamed(key, value)),
                ),
            );
        return {};
    },
});

const listTagResources = albAction({
    name: "ListTagResources",
    request: ListTagResourcesRequest,
    response: ListTagResourcesResponseBody,
    required: ["ResourceType"],
    writes: false,
    handle: (request, context) => {
        const found = Object.values(resourcesOfType(context, request.resourceType))
            .filter((resource) => among(request.resourceId, resource.id) && hasTags(resource, request.tag))
            .flatMap((resource) =>
                Object.entries(resource.tags).map(([tagKey, tagValue]) => ({
                    resourceId: resource.id,
                    resourceType: request.resourceType!,
                    tagKey,
                    tagValue,
                })),
            );
        const { items, ...page } = paginateByToken(found, request, { default: 50, max: 100 });
        return { ...page, tagResources: items };
    },
});

const moveResourceGroup = albAction({
    name: "MoveResourceGroup",
    request: MoveResourceGroupRequest,
    response: MoveResourceGroupResponseBody,
    required: ["ResourceId", "ResourceType", "NewResourceGroupId"],
    writes: true,
    handle: (request, context) => {
        const [resource] = resourcesOf(context, request.resourceType, [request.resourceId!]);
        context.checked();
        resource!.resourceGroupId = request.newResourceGroupId!;
        return {};
    },
});

export const tagActions: readonly Action[] = [tagResources, unTagResources, listTagResources, moveResourceGroup];

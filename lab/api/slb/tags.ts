import type { Resource } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { missingParameter, notFound } from "../errors";
import { findInRegion, hasTags, inRegion, paginateByToken, toTags } from "../listing";
import { slbAction } from "./action";
import { checkTags, refuse } from "./checks";
import { balancerOf } from "./lookup";

type Resources = Readonly<Record<string, Resource>>;

/** Resources by the type that requests name: a map, because what clients name may be a member that every object has. */
const kinds = new Map<string, (context: ActionContext) => Resources>(
    Object.entries({
        instance: ({ store }) => store.state.loadBalancers,
        vservergroup: ({ store }) => store.state.vServerGroups,
        acl: ({ store }) => store.state.accessControlLists,
        certificate: ({ store }) => store.state.slbCertificates,
        listener: ({ store }) =>
            Object.fromEntries(
                Object.values(store.state.loadBalancers)
                    .flatMap(({ listeners }) => listeners)
                    .map((listener) => [listener.id, listener]),
            ),
    }),
);

function resourcesOfType(context: ActionContext, type: string | undefined): Resources {
    const kind = kinds.get(type?.toLowerCase() ?? "");
    return kind?.(context) ?? refuse("InvalidParameter.ResourceType", "The specified ResourceType is invalid.");
}

function resourcesOf(context: ActionContext, type: string | undefined, ids: readonly string[] | undefined): Resource[] {
    const resources = resourcesOfType(context, type);
    if (!ids?.length) throw missingParameter("ResourceId");
    if (ids.length > 50) refuse("SizeLimitExceeded.ResourceId", "The maximum number of resource IDs is exceeded.");
    return ids.map((id) => {
        const resource = findInRegion(resources, context.regionId, id);
        if (!resource) throw notFound("InvalidParameter.ResourceId", "The specified ResourceId does not exist.");
        return resource;
    });
}

const tagFields = [{ Key: "string", Value: "string" }] as const;

const tagResources = slbAction({
    name: "TagResources",
    request: model({ RegionId: "string", ResourceType: "string", ResourceId: ["string"], Tag: tagFields }),
    response: model({ RequestId: "string" }),
    required: ["ResourceType"],
    writes: true,
    handle: ({ resourceType, resourceId, tag }, context) => {
        const resources = resourcesOf(context, resourceType, resourceId);
        if (!tag?.length) throw missingParameter("Tag");
        checkTags(tag);
        const added = toTags(tag);
        if (resources.some(({ tags }) => Object.keys({ ...tags, ...added }).length > 20))
            refuse("QuotaExceeded.TagNum", "The maximum number of tags is exceeded.");
        context.checked();
        for (const resource of resources) resource.tags = { ...resource.tags, ...added };
        return {};
    },
});

const untagResources = slbAction({
    name: "UntagResources",
    request: model({
        RegionId: "string",
        ResourceType: "string",
        ResourceId: ["string"],
        TagKey: ["string"],
        All: "boolean",
    }),
    response: model({ RequestId: "string" }),
    required: ["ResourceType"],
    writes: true,
    handle: ({ resourceType, resourceId, tagKey, all }, context) => {
        const resources = resourcesOf(context, resourceType, resourceId);
        const keys = new Set(tagKey ?? []);
        context.checked();
        for (const resource of resources)
            resource.tags = Object.fromEntries(
                Object.entries(resource.tags).filter(([key]) => !(keys.has(key) || (keys.size === 0 && all === true))),
            );
        return {};
    },
});

const listTagResources = slbAction({
    name: "ListTagResources",
    request: model({
        RegionId: "string",
        ResourceType: "string",
        ResourceId: ["string"],
        NextToken: "string",
        Tag: tagFields,
    }),
    response: model({
        RequestId: "string",
        NextToken: "string",
        TagResources: {
            TagResource: [{ ResourceId: "string", ResourceType: "string", TagKey: "string", TagValue: "string" }],
        },
    }),
    required: ["ResourceType"],
    writes: false,
    handle: (request, context) => {
        const resources = resourcesOfType(context, request.resourceType);
        const asked = request.resourceId ?? [];
        const found = inRegion(resources, context.regionId)
            .filter((resource) => (asked.length === 0 || asked.includes(resource.id)) && hasTags(resource, request.tag))
            .flatMap((resource) =>
                Object.entries(resource.tags).map(([tagKey, tagValue]) => ({
                    resourceId: resource.id,
                    resourceType: request.resourceType!,
                    tagKey,
                    tagValue,
                })),
            );
        const { items, nextToken } = paginateByToken(found, request, { default: 50, max: 50 });
        return { tagResources: { tagResource: items }, ...(nextToken !== undefined && { nextToken }) };
    },
});

const moveResourceGroup = slbAction({
    name: "MoveResourceGroup",
    request: model({
        RegionId: "string",
        ResourceId: "string",
        ResourceType: "string",
        NewResourceGroupId: "string",
    }),
    response: model({ RequestId: "string" }),
    required: ["ResourceId", "ResourceType", "NewResourceGroupId"],
    writes: true,
    handle: (request, context) => {
        const resource =
            request.resourceType?.toLowerCase() === "loadbalancer"
                ? balancerOf(context, request.resourceId)
                : resourcesOf(context, request.resourceType, [request.resourceId!])[0]!;
        context.checked();
        resource.resourceGroupId = request.newResourceGroupId!;
        return {};
    },
});

export const tagActions: readonly Action[] = [tagResources, untagResources, listTagResources, moveResourceGroup];

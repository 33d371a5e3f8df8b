import type { Resource } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { missingParameter, notFound } from "../errors";
import { findInRegion, hasTags, inRegion, paginateByToken, toTags } from "../listing";
import { nlbAction } from "./action";
import { checkTags, refuse, refuseParameter } from "./checks";

type Resources = Readonly<Record<string, Resource>>;

/** Resources by the type that requests name: a map, because what clients name may be a member that every object has. */
const kinds = new Map<string, (context: ActionContext) => Resources>(
    Object.entries({
        loadbalancer: ({ store }) => store.state.networkBalancers,
        servergroup: ({ store }) => store.state.nlbServerGroups,
        listener: ({ store }) => store.state.nlbListeners,
    }),
);

function resourcesOfType(context: ActionContext, type: string | undefined): Resources {
    return kinds.get(type?.toLowerCase() ?? "")?.(context) ?? refuseParameter("ResourceType");
}

function resourcesOf(context: ActionContext, type: string | undefined, ids: readonly string[] | undefined): Resource[] {
    const resources = resourcesOfType(context, type);
    if (!ids?.length) throw missingParameter("ResourceId");
    return ids.map((id) => {
        const resource = findInRegion(resources, context.regionId, id);
        if (!resource) throw notFound(`ResourceNotFound.${type!}`, `The specified resource ${type!} is not found.`);
        return resource;
    });
}

const tagFields = [{ Key: "string", Value: "string" }] as const;

const tagResources = nlbAction({
    name: "TagResources",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        ResourceType: "string",
        ResourceId: ["string"],
        Tag: tagFields,
    }),
    response: model({ RequestId: "string", JobId: "string" }),
    required: ["ResourceType"],
    writes: true,
    handle: ({ resourceType, resourceId, tag }, context) => {
        const resources = resourcesOf(context, resourceType, resourceId);
        if (!tag?.length) throw missingParameter("Tag");
        checkTags(tag);
        const added = toTags(tag);
        if (resources.some(({ tags }) => Object.keys({ ...tags, ...added }).length > 20))
            refuse("QuotaExceeded.TagsPerResource", "The quota of tags per resource is exceeded.");
        context.checked();
        for (const resource of resources) resource.tags = { ...resource.tags, ...added };
        return {};
    },
});

const untagResources = nlbAction({
    name: "UntagResources",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        ResourceType: "string",
        ResourceId: ["string"],
        TagKey: ["string"],
        All: "boolean",
    }),
    response: model({ RequestId: "string", JobId: "string" }),
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

const listTagResources = nlbAction({
    name: "ListTagResources",
    request: model({
        RegionId: "string",
        ResourceType: "string",
        ResourceId: ["string"],
        Tag: tagFields,
        NextToken: "string",
        MaxResults: "number",
    }),
    response: model({
        RequestId: "string",
        TagResources: [{ ResourceId: "string", ResourceType: "string", TagKey: "string", TagValue: "string" }],
        NextToken: "string",
        MaxResults: "number",
        TotalCount: "number",
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
        const { items, ...page } = paginateByToken(found, request, { default: 50, max: 100 });
        return { ...page, totalCount: found.length, tagResources: [...items] };
    },
});

const moveResourceGroup = nlbAction({
    name: "MoveResourceGroup",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        ResourceId: "string",
        ResourceType: "string",
        NewResourceGroupId: "string",
    }),
    response: model({ RequestId: "string", JobId: "string" }),
    required: ["ResourceId", "ResourceType", "NewResourceGroupId"],
    writes: true,
    handle: (request, context) => {
        const [resource] = resourcesOf(context, request.resourceType, [request.resourceId!]);
        context.checked();
        resource!.resourceGroupId = request.newResourceGroupId!;
        return {};
    },
});

export const tagActions: readonly Action[] = [tagResources, untagResources, listTagResources, moveResourceGroup];

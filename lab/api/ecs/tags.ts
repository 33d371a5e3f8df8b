import { AddTagsRequest } from "@alicloud/ecs20140526/dist/models/AddTagsRequest";
import { AddTagsResponseBody } from "@alicloud/ecs20140526/dist/models/AddTagsResponseBody";
import { DescribeTagsRequest } from "@alicloud/ecs20140526/dist/models/DescribeTagsRequest";
import { DescribeTagsResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeTagsResponseBody";
import { JoinResourceGroupRequest } from "@alicloud/ecs20140526/dist/models/JoinResourceGroupRequest";
import { JoinResourceGroupResponseBody } from "@alicloud/ecs20140526/dist/models/JoinResourceGroupResponseBody";
import { ListTagResourcesRequest } from "@alicloud/ecs20140526/dist/models/ListTagResourcesRequest";
import { ListTagResourcesResponseBody } from "@alicloud/ecs20140526/dist/models/ListTagResourcesResponseBody";
import { RemoveTagsRequest } from "@alicloud/ecs20140526/dist/models/RemoveTagsRequest";
import { RemoveTagsResponseBody } from "@alicloud/ecs20140526/dist/models/RemoveTagsResponseBody";
import { TagResourcesRequest } from "@alicloud/ecs20140526/dist/models/TagResourcesRequest";
import { TagResourcesResponseBody } from "@alicloud/ecs20140526/dist/models/TagResourcesResponseBody";
import { UntagResourcesRequest } from "@alicloud/ecs20140526/dist/models/UntagResourcesRequest";
import { UntagResourcesResponseBody } from "@alicloud/ecs20140526/dist/models/UntagResourcesResponseBody";
import type { Resource, State } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { CloudError, missingParameter } from "../errors";
import { TagPair, hasTags, inRegion, paginate, paginateByToken, reserved, toTags } from "../listing";
import { ecsAction } from "./action";
import { checkResourceGroup, checkTags, refuse } from "./checks";

/** A type of resources that can have tags. */
interface Kind {
    /** As the cloud answers it. */
    readonly type: string;
    readonly resources: (state: State) => Readonly<Record<string, Resource>>;
    /** What stands in `ResourceId`. */
    readonly idOf: (resource: Resource) => string;
    /** Its member of `ResourceTypeCount`. */
    readonly count: "instance" | "disk" | "eni" | "image" | "keyPair" | "securitygroup" | "snapshotPolicy" | "ddh";
}

const byId = ({ id }: Resource): string => id;

const kinds: readonly Kind[] = [
    { type: "instance", resources: (state) => state.instances, idOf: byId, count: "instance" },
    { type: "disk", resources: (state) => state.disks, idOf: byId, count: "disk" },
    { type: "securitygroup", resources: (state) => state.securityGroups, idOf: byId, count: "securitygroup" },
    { type: "keypair", resources: (state) => state.keyPairs, idOf: ({ name }) => name, count: "keyPair" },
    { type: "eni", resources: (state) => state.networkInterfaces, idOf: byId, count: "eni" },
    { type: "deploymentset", resources: (state) => state.deploymentSets, idOf: byId, count: "ddh" },
    { type: "snapshotpolicy", resources: (state) => state.snapshotPolicies, idOf: byId, count: "snapshotPolicy" },
    { type: "image", resources: () => ({}), idOf: byId, count: "image" },
    { type: "snapshot", resources: () => ({}), idOf: byId, count: "image" },
];

function kindOf(type: string | undefined): Kind {
    const kind = kinds.find((candidate) => candidate.type === type?.toLowerCase());
    return (
        kind ?? refuse("InvalidResourceType.NotFound", "The ResourceType provided does not exist in our records.", 404)
    );
}

const MAX_TAGS = 20;

function resourcesOf(context: ActionContext, kind: Kind, ids: readonly string[] | undefined): Resource[] {
    const asked = ids?.filter((id) => id !== "") ?? [];
    if (asked.length === 0) throw missingParameter("ResourceId");
    if (asked.length > 50) refuse("InvalidResourceId.Count", "The number of ResourceId.N exceeds the limit.");
    const there = inRegion(kind.resources(context.store.state), context.regionId);
    return asked.map((id) => {
        const resource = there.find((candidate) => kind.idOf(candidate) === id);
        return (
            resource ??
            refuse("InvalidResourceId.NotFound", "The specified ResourceIds are not found in our records.", 404)
        );
    });
}

function addTo(
    context: ActionContext,
    resources: readonly Resource[],
    tags: readonly TagPair[] | undefined,
    reservedInValues?: RegExp,
): void {
    if (!tags?.length) throw missingParameter("Tag");
    checkTags(tags, reservedInValues);
    const added = toTags(tags);
    if (resources.some((resource) => Object.keys({ ...resource.tags, ...added }).length > MAX_TAGS))
        refuse("QuotaExceed.TagCount", "The quota of tags on resource is beyond permitted range.", 403);
    context.checked();
    for (const resource of resources) resource.tags = { ...resource.tags, ...added };
}

const tagResources = ecsAction({
    name: "TagResources",
    request: TagResourcesRequest,
    response: TagResourcesResponseBody,
    required: ["ResourceType"],
    writes: true,
    handle: ({ resourceType, resourceId, tag }, context) => {
        addTo(context, resourcesOf(context, kindOf(resourceType), resourceId), tag);
        return {};
    },
});

const addTags = ecsAction({
    name: "AddTags",
    request: AddTagsRequest,
    response: AddTagsResponseBody,
    required: ["ResourceType", "ResourceId"],
    writes: true,
    handle: ({ resourceType, resourceId, tag }, context) => {
        addTo(context, resourcesOf(context, kindOf(resourceType), [resourceId!]), tag, reserved);
        return {};
    },
});

function without(resource: Resource, goes: (key: string, value: string) => boolean): void {
    resource.tags = Object.fromEntries(Object.entries(resource.tags).filter(([key, value]) => !goes(key, value)));
}

const untagResources = ecsAction({
    name: "UntagResources",
    request: UntagResourcesRequest,
    response: UntagResourcesResponseBody,
    required: ["ResourceType"],
    writes: true,
    handle: ({ resourceType, resourceId, tagKey, all }, context) => {
        const resources = resourcesOf(context, kindOf(resourceType), resourceId);
        const keys = tagKey?.filter((key) => key !== "") ?? [];
        if (keys.length > MAX_TAGS) refuse("InvalidTagCount", "The specified tags are beyond the permitted range.");
        context.checked();
        // Without keys, `All` decides.
        for (const resource of resources)
            without(resource, (key) => (keys.length > 0 ? keys.includes(key) : all === true));
        return {};
    },
});

const removeTags = ecsAction({
    name: "RemoveTags",
    request: RemoveTagsRequest,
    response: RemoveTagsResponseBody,
    required: ["ResourceType", "ResourceId"],
    writes: true,
    handle: ({ resourceType, resourceId, tag }, context) => {
        const resources = resourcesOf(context, kindOf(resourceType), [resourceId!]);
        context.checked();
        for (const resource of resources)
            without(
                resource,
                (key, value) =>
                    !tag?.length || tag.some((each) => each.key === key && (!each.value || each.value === value)),
            );
        return {};
    },
});

const listTagResources = ecsAction({
    name: "ListTagResources",
    request: ListTagResourcesRequest,
    response: ListTagResourcesResponseBody,
    required: ["ResourceType"],
    writes: false,
    handle: (request, { store, regionId }) => {
        const kind = kindOf(request.resourceType);
        const ids = request.resourceId?.filter((id) => id !== "") ?? [];
        if (ids.length === 0 && !request.tag?.length && !request.tagFilter?.length)
            throw new CloudError(
                "MissingParameter.ResourceIdsOrTags",
                "You must specify at least one of ResourceId.N and Tag.N.",
            );
        const tagged = inRegion(kind.resources(store.state), regionId)
            .filter(
                (resource) =>
                    (ids.length === 0 || ids.includes(kind.idOf(resource))) &&
                    hasTags(resource, request.tag) &&
                    (request.tagFilter ?? []).every(
                        ({ tagKey = "", tagValues }) =>
                            tagKey in resource.tags &&
                            (!tagValues?.length || tagValues.includes(resource.tags[tagKey]!)),
                    ),
            )
            .flatMap((resource) =>
                Object.entries(resource.tags).map(([tagKey, tagValue]) => ({
                    resourceId: kind.idOf(resource),
                    resourceType: kind.type,
                    tagKey,
                    tagValue,
                })),
            );
        const { items, nextToken = "" } = paginateByToken(tagged, request, { default: 50, max: 50 });
        return { nextToken, tagResources: { tagResource: items } };
    },
});

const describeTags = ecsAction({
    name: "DescribeTags",
    request: DescribeTagsRequest,
    response: DescribeTagsResponseBody,
    writes: false,
    handle: (request, { store, regionId }) => {
        const asked = request.resourceType ? [kindOf(request.resourceType)] : kinds;
        const counts = new Map<
            string,
            { tagKey: string; tagValue: string; count: Partial<Record<Kind["count"], number>> }
        >();
        for (const kind of asked)
            for (const resource of inRegion(kind.resources(store.state), regionId)) {
                if (request.resourceId && request.resourceId !== kind.idOf(resource)) continue;
                for (const [tagKey, tagValue] of Object.entries(resource.tags)) {
                    if (!hasTags({ tags: { [tagKey]: tagValue } }, request.tag)) continue;
                    const key = JSON.stringify([tagKey, tagValue]);
                    const entry = counts.get(key) ?? { tagKey, tagValue, count: {} };
                    entry.count[kind.count] = (entry.count[kind.count] ?? 0) + 1;
                    counts.set(key, entry);
                }
            }
        const { items, ...page } = paginate([...counts.values()], request, { default: 50, max: 100 });
        return {
            ...page,
            tags: {
                tag: items.map(({ tagKey, tagValue, count }) => ({
                    tagKey,
                    tagValue,
                    resourceTypeCount: {
                        instance: 0,
                        disk: 0,
                        volume: 0,
                        image: 0,
                        snapshot: 0,
                        securitygroup: 0,
                        ...count,
                    },
                })),
            },
        };
    },
});

const joinResourceGroup = ecsAction({
    name: "JoinResourceGroup",
    request: JoinResourceGroupRequest,
    response: JoinResourceGroupResponseBody,
    required: ["ResourceId", "ResourceType"],
    writes: true,
    handle: ({ resourceId, resourceType, resourceGroupId }, context) => {
        const [resource] = resourcesOf(context, kindOf(resourceType), [resourceId!]);
        checkResourceGroup(resourceGroupId);
        context.checked();
        resource!.resourceGroupId = resourceGroupId ?? "";
        return {};
    },
});

export const tagActions: readonly Action[] = [
    tagResources,
    addTags,
    untagResources,
    removeTags,
    listTagResources,
    describeTags,
    joinResourceGroup,
];

import { ListTagResourcesRequest } from "@alicloud/nas20170626/dist/models/ListTagResourcesRequest";
import { ListTagResourcesResponseBody } from "@alicloud/nas20170626/dist/models/ListTagResourcesResponseBody";
import { TagResourcesRequest } from "@alicloud/nas20170626/dist/models/TagResourcesRequest";
import { TagResourcesResponseBody } from "@alicloud/nas20170626/dist/models/TagResourcesResponseBody";
import { UntagResourcesRequest } from "@alicloud/nas20170626/dist/models/UntagResourcesRequest";
import { UntagResourcesResponseBody } from "@alicloud/nas20170626/dist/models/UntagResourcesResponseBody";
import type { FileSystem } from "../../model/nas";
import type { Action, ActionContext } from "../action";
import { checkTags, refuse } from "../ecs/checks";
import { notFound } from "../errors";
import { findInRegion, hasTags, inRegion, paginateByToken, toTags } from "../listing";
import { nasAction } from "./action";

const TYPE = "filesystem";

function resourcesOf(context: ActionContext, type: string | undefined, ids: readonly string[] = []): FileSystem[] {
    if (type?.toLowerCase() !== TYPE)
        refuse("InvalidParameter.ResourceType", `The specified ResourceType is invalid: ${TYPE}.`);
    return ids.map((id) => {
        const found = findInRegion(context.store.state.fileSystems, context.regionId, id);
        if (!found) throw notFound("InvalidResourceId.NotFound", "The specified ResourceId does not exist.");
        return found;
    });
}

const tagResources = nasAction({
    name: "TagResources",
    request: TagResourcesRequest,
    response: TagResourcesResponseBody,
    required: ["ResourceType", "ResourceId", "Tag"],
    writes: true,
    handle: ({ resourceType, resourceId, tag }, context) => {
        const found = resourcesOf(context, resourceType, resourceId);
        checkTags(tag);
        context.checked();
        for (const fileSystem of found) fileSystem.tags = { ...fileSystem.tags, ...toTags(tag) };
        return {};
    },
});

const untagResources = nasAction({
    name: "UntagResources",
    request: UntagResourcesRequest,
    response: UntagResourcesResponseBody,
    required: ["ResourceType", "ResourceId"],
    writes: true,
    handle: ({ resourceType, resourceId, tagKey = [], all }, context) => {
        const found = resourcesOf(context, resourceType, resourceId);
        context.checked();
        const goes = (key: string): boolean => (tagKey.length === 0 ? all === true : tagKey.includes(key));
        for (const fileSystem of found)
            fileSystem.tags = Object.fromEntries(Object.entries(fileSystem.tags).filter(([key]) => !goes(key)));
        return {};
    },
});

const listTagResources = nasAction({
    name: "ListTagResources",
    request: ListTagResourcesRequest,
    response: ListTagResourcesResponseBody,
    required: ["ResourceType"],
    writes: false,
    handle: (request, context) => {
        const named = resourcesOf(context, request.resourceType, request.resourceId);
        const fileSystems = named.length > 0 ? named : inRegion(context.store.state.fileSystems, context.regionId);
        const found = fileSystems
            .filter((fileSystem) => hasTags(fileSystem, request.tag))
            .flatMap(({ id, tags }) =>
                Object.entries(tags).map(([tagKey, tagValue]) => ({
                    resourceId: id,
                    resourceType: TYPE,
                    tagKey,
                    tagValue,
                })),
            );
        const { items, nextToken } = paginateByToken(found, request, { default: 50, max: 50 });
        return { tagResources: { tagResource: items }, ...(nextToken !== undefined && { nextToken }) };
    },
});

export const tagActions: readonly Action[] = [tagResources, untagResources, listTagResources];

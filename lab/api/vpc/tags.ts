import { DeletionProtectionRequest } from "@alicloud/vpc20160428/dist/models/DeletionProtectionRequest";
import { DeletionProtectionResponseBody } from "@alicloud/vpc20160428/dist/models/DeletionProtectionResponseBody";
import { DescribeTagKeysRequest } from "@alicloud/vpc20160428/dist/models/DescribeTagKeysRequest";
import { DescribeTagKeysResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeTagKeysResponseBody";
import { DescribeTagsRequest } from "@alicloud/vpc20160428/dist/models/DescribeTagsRequest";
import { DescribeTagsResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeTagsResponseBody";
import { ListTagResourcesRequest } from "@alicloud/vpc20160428/dist/models/ListTagResourcesRequest";
import { ListTagResourcesResponseBody } from "@alicloud/vpc20160428/dist/models/ListTagResourcesResponseBody";
import { MoveResourceGroupRequest } from "@alicloud/vpc20160428/dist/models/MoveResourceGroupRequest";
import { MoveResourceGroupResponseBody } from "@alicloud/vpc20160428/dist/models/MoveResourceGroupResponseBody";
import { TagResourcesRequest } from "@alicloud/vpc20160428/dist/models/TagResourcesRequest";
import { TagResourcesResponseBody } from "@alicloud/vpc20160428/dist/models/TagResourcesResponseBody";
import { UnTagResourcesRequest } from "@alicloud/vpc20160428/dist/models/UnTagResourcesRequest";
import { UnTagResourcesResponseBody } from "@alicloud/vpc20160428/dist/models/UnTagResourcesResponseBody";
import type { Resource } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { CloudError, missingParameter, notFound } from "../errors";
import { findInRegion, hasTags, inRegion, paginateByToken, toTags } from "../listing";
import { vpcAction } from "./action";
import { checkTags, refuse } from "./checks";
import { eipOf, natGatewayOf } from "./lookup";

/** Resources of a type, and the code for one that is not there. */
interface Kind {
    /** As the cloud answers it. */
    readonly type: string;
    readonly resources: (context: ActionContext) => Readonly<Record<string, Resource>>;
}

const kinds: readonly Kind[] = [
    { type: "VPC", resources: ({ store }) => store.state.vpcs },
    { type: "VSWITCH", resources: ({ store }) => store.state.vswitches },
    { type: "ROUTETABLE", resources: ({ store }) => store.state.routeTables },
    { type: "NATGATEWAY", resources: ({ store }) => store.state.natGateways },
    {
        type: "EIP",
        resources: ({ store }) =>
            Object.fromEntries(Object.entries(store.state.eips).filter(([, eip]) => eip.ephemeralFor === undefined)),
    },
    { type: "HAVIP", resources: ({ store }) => store.state.haVips },
];

function kindOf(type: string | undefined): Kind {
    const kind = kinds.find((candidate) => candidate.type === type?.toUpperCase());
    return kind ?? refuse("InvalidInstanceType.NotFound", "The instance type is not found");
}

function resourcesOf(context: ActionContext, kind: Kind, ids: readonly string[] | undefined): Resource[] {
    if (!ids?.length) throw missingParameter("ResourceId");
    if (ids.length > 20) refuse("SizeLimitExceeded.ResourceId", "The maximum number of resource IDs is exceeded.");
    const resources = kind.resources(context);
    return ids.map((id) => {
        const resource = findInRegion(resources, context.regionId, id);
        if (!resource) return refuse("InvalidInstanceIds.NotFound", "The instanceIds are not found");
        return resource;
    });
}

const tagResources = vpcAction({
    name: "TagResources",
    request: TagResourcesRequest,
    response: TagResourcesResponseBody,
    required: ["ResourceType"],
    writes: true,
    handle: ({ resourceType, resourceId, tag }, context) => {
        const resources = resourcesOf(context, kindOf(resourceType), resourceId);
        if (!tag?.length) throw missingParameter("Tag");
        checkTags(tag);
        const added = toTags(tag);
        if (resources.some(({ tags }) => Object.keys({ ...tags, ...added }).length > 20))
            refuse("QuotaExceeded.TagNum", "Custom Tags quota exceeded");
        context.checked();
        for (const resource of resources) resource.tags = { ...resource.tags, ...added };
        return {};
    },
});

const unTagResources = vpcAction({
    name: "UnTagResources",
    request: UnTagResourcesRequest,
    response: UnTagResourcesResponseBody,
    required: ["ResourceType"],
    writes: true,
    handle: ({ resourceType, resourceId, tagKey, all }, context) => {
        const resources = resourcesOf(context, kindOf(resourceType), resourceId);
        const keys = tagKey ?? [];
        if (keys.length > 20) refuse("SizeLimitExceeded.TagNum", "The maximum number of tags is exceeded.");
        context.checked();
        for (const resource of resources)
            resource.tags = Object.fromEntries(
                // Without keys, `All` decides.
                Object.entries(resource.tags).filter(([key]) => (keys.length > 0 ? !keys.includes(key) : all !== true)),
            );
        return {};
    },
});

const listTagResources = vpcAction({
    name: "ListTagResources",
    request: ListTagResourcesRequest,
    response: ListTagResourcesResponseBody,
    required: ["ResourceType"],
    writes: false,
    handle: (request, context) => {
        const kind = kindOf(request.resourceType);
        if (!request.resourceId?.length && !request.tag?.length)
            throw new CloudError(
                "BothEmpty.TagsAndResources",
                "The specified Tags and ResourcesIds are not allow to both empty.",
                403,
            );
        const tagged = inRegion(kind.resources(context), context.regionId)
            .filter(
                (resource) =>
                    (!request.resourceId?.length || request.resourceId.includes(resource.id)) &&
                    hasTags(resource, request.tag),
            )
            .flatMap(({ id, tags }) =>
                Object.entries(tags).map(([tagKey, tagValue]) => ({
                    resourceId: id,
                    resourceType: kind.type,
                    tagKey,
                    tagValue,
                })),
            );
        const { items, nextToken = "" } = paginateByToken(tagged, request, { default: 50, max: 50 });
        return { nextToken, tagResources: { tagResource: items } };
    },
});

const describeTags = vpcAction({
    name: "DescribeTags",
    request: DescribeTagsRequest,
    response: DescribeTagsResponseBody,
    writes: false,
    handle: (request, context) => {
        const { items, nextToken } = tagsInUse(context, request);
        return { nextToken, tagResources: { tagResource: items } };
    },
});

const describeTagKeys = vpcAction({
    name: "DescribeTagKeys",
    request: DescribeTagKeysRequest,
    response: DescribeTagKeysResponseBody,
    writes: false,
    handle: (request, context) => {
        const { items, nextToken } = tagsInUse(context, request);
        const keys = new Set(items.map(({ tagKey }) => tagKey).filter((key) => key.includes(request.keyword ?? "")));
        return { nextToken, tagKeys: { tagKey: [...keys].map((tagKey) => ({ tagKey, type: "Custom" })) } };
    },
});

interface TagQuery {
    readonly resourceType?: string;
    readonly resourceId?: readonly string[];
    readonly tag?: readonly { readonly key?: string; readonly value?: string }[];
    readonly nextToken?: string;
    readonly maxResult?: number;
}

function tagsInUse(context: ActionContext, query: TagQuery) {
    const asked = query.resourceType ? [kindOf(query.resourceType)] : kinds;
    const pairs = new Map<string, { tagKey: string; tagValue: string }>();
    for (const kind of asked)
        for (const resource of inRegion(kind.resources(context), context.regionId)) {
            if (query.resourceId?.length && !query.resourceId.includes(resource.id)) continue;
            if (!hasTags(resource, query.tag)) continue;
            for (const [tagKey, tagValue] of Object.entries(resource.tags))
                pairs.set(JSON.stringify([tagKey, tagValue]), { tagKey, tagValue });
        }
    const { maxResult, nextToken } = query;
    const page = paginateByToken(
        [...pairs.values()],
        { ...(maxResult !== undefined && { maxResults: maxResult }), ...(nextToken !== undefined && { nextToken }) },
        { default: 50, max: 50 },
    );
    return { items: page.items, nextToken: page.nextToken ?? "" };
}

const moveResourceGroup = vpcAction({
    name: "MoveResourceGroup",
    request: MoveResourceGroupRequest,
    response: MoveResourceGroupResponseBody,
    required: ["ResourceId", "ResourceType", "NewResourceGroupId"],
    writes: true,
    handle: ({ resourceId, resourceType, newResourceGroupId }, context) => {
        const [resource] = resourcesOf(context, kindOf(resourceType), [resourceId!]);
        if (!/^rg-[0-9a-z]+$/.test(newResourceGroupId!))
            throw notFound("InvalidResourceGroup.NotFound", "The specified resource group does not exist.");
        context.checked();
        resource!.resourceGroupId = newResourceGroupId!;
        return {};
    },
});

const deletionProtection = vpcAction({
    name: "DeletionProtection",
    request: DeletionProtectionRequest,
    response: DeletionProtectionResponseBody,
    required: ["InstanceId", "Type", "ProtectionEnable"],
    writes: true,
    handle: ({ instanceId, type = "", protectionEnable = false }, context) => {
        const protectable =
            type === "NATGW"
                ? natGatewayOf(context, instanceId)
                : type === "EIP"
                  ? eipOf(context, instanceId)
                  : refuse("InvalidType.ValueNotSupported", "The specified value of Type is not supported.");
        context.checked();
        protectable.deletionProtection = protectionEnable;
        return {};
    },
});

export const tagActions: readonly Action[] = [
    tagResources,
    unTagResources,
    listTagResources,
    describeTags,
    describeTagKeys,
    moveResourceGroup,
    deletionProtection,
];

import type { PrivateZone } from "../../model/privateZone";
import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { CloudError, missingParameter } from "../errors";
import { hasTags, tagProblem, toTags } from "../listing";
import { pvtzAction } from "./action";
import { zoneOf } from "./lookup";

function zonesOf(context: ActionContext, type: string | undefined, ids: readonly string[] | undefined): PrivateZone[] {
    if (type?.toUpperCase() !== "ZONE")
        throw new CloudError("InvalidParameter.ResourceType", "The specified ResourceType is invalid: ZONE.");
    return (ids ?? []).map((id) => zoneOf(context, id));
}

const tagFields = [{ Key: "string", Value: "string" }] as const;

const tagResources = pvtzAction({
    name: "TagResources",
    request: model({ ResourceType: "string", ResourceId: ["string"], Tag: tagFields, OverWrite: "boolean" }),
    response: model({ RequestId: "string" }),
    required: ["ResourceType", "ResourceId", "Tag"],
    writes: true,
    handle: ({ resourceType, resourceId, tag, overWrite }, context) => {
        const zones = zonesOf(context, resourceType, resourceId);
        if (tagProblem(tag) !== undefined) throw new CloudError("InvalidParameter.Tag", "A tag is invalid.");
        context.checked();
        for (const zone of zones) zone.tags = { ...(overWrite !== true && zone.tags), ...toTags(tag) };
        return {};
    },
});

function untagAction(name: string): Action {
    return pvtzAction({
        name,
        request: model({ ResourceType: "string", ResourceId: ["string"], TagKey: ["string"], All: "boolean" }),
        response: model({ RequestId: "string" }),
        required: ["ResourceType", "ResourceId"],
        writes: true,
        handle: ({ resourceType, resourceId, tagKey, all }, context) => {
            const zones = zonesOf(context, resourceType, resourceId);
            if (!tagKey?.length && all !== true) throw missingParameter("TagKey");
            context.checked();
            for (const zone of zones)
                zone.tags = Object.fromEntries(
                    Object.entries(zone.tags).filter(([key]) => tagKey?.length && !tagKey.includes(key)),
                );
            return {};
        },
    });
}

const listTagResources = pvtzAction({
    name: "ListTagResources",
    request: model({ ResourceType: "string", ResourceId: ["string"], Tag: tagFields, NextToken: "string" }),
    response: model({
        RequestId: "string",
        TagResources: [{ ResourceId: "string", ResourceType: "string", TagKey: "string", TagValue: "string" }],
    }),
    required: ["ResourceType"],
    writes: false,
    handle: ({ resourceType, resourceId, tag }, context) => {
        const named = zonesOf(context, resourceType, resourceId);
        const zones = named.length > 0 ? named : Object.values(context.store.state.privateZones);
        return {
            tagResources: zones
                .filter((zone) => hasTags(zone, tag))
                .flatMap((zone) =>
                    Object.entries(zone.tags).map(([tagKey, tagValue]) => ({
                        resourceId: zone.id,
                        resourceType: "ZONE",
                        tagKey,
                        tagValue,
                    })),
                ),
        };
    },
});

export const tagActions: readonly Action[] = [
    tagResources,
    untagAction("UntagResources"),
    // The Terraform provider's spelling.
    untagAction("UnTagResources"),
    listTagResources,
];

import { CreateAccessGroupRequest } from "@alicloud/nas20170626/dist/models/CreateAccessGroupRequest";
import { CreateAccessGroupResponseBody } from "@alicloud/nas20170626/dist/models/CreateAccessGroupResponseBody";
import { DeleteAccessGroupRequest } from "@alicloud/nas20170626/dist/models/DeleteAccessGroupRequest";
import { DeleteAccessGroupResponseBody } from "@alicloud/nas20170626/dist/models/DeleteAccessGroupResponseBody";
import { DescribeAccessGroupsRequest } from "@alicloud/nas20170626/dist/models/DescribeAccessGroupsRequest";
import { DescribeAccessGroupsResponseBody } from "@alicloud/nas20170626/dist/models/DescribeAccessGroupsResponseBody";
import { ModifyAccessGroupRequest } from "@alicloud/nas20170626/dist/models/ModifyAccessGroupRequest";
import { ModifyAccessGroupResponseBody } from "@alicloud/nas20170626/dist/models/ModifyAccessGroupResponseBody";
import { type AccessGroup, DEFAULT_ACCESS_GROUP, accessGroupId } from "../../model/nas";
import type { Action, ActionContext } from "../action";
import { refuse } from "../ecs/checks";
import { notFound } from "../errors";
import { inRegion, paginate } from "../listing";
import { nasAction } from "./action";
import { accessGroupOf, refuseDefault, refuseOtherTypes } from "./lookup";
import { quotas } from "./quotas";

const createAccessGroup = nasAction({
    name: "CreateAccessGroup",
    request: CreateAccessGroupRequest,
    response: CreateAccessGroupResponseBody,
    required: ["AccessGroupName", "AccessGroupType"],
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        refuseOtherTypes(request.fileSystemType);
        const name = request.accessGroupName!;
        if (!/^[a-zA-Z][a-zA-Z0-9_-]{2,63}$/.test(name))
            refuse("InvalidParameter.AccessGroupName", "The specified AccessGroupName is invalid.");
        if (request.accessGroupType !== "Vpc")
            refuse("InvalidParameter.AccessGroupType", "The specified AccessGroupType is invalid: Vpc.");
        const id = accessGroupId(regionId, name);
        if (name === DEFAULT_ACCESS_GROUP || Object.hasOwn(store.state.accessGroups, id))
            refuse("InvalidAccessGroup.AlreadyExisted", "The specified AccessGroup has been already existed.", 403);
        if (inRegion(store.state.accessGroups, regionId).length >= quotas.accessGroups)
            refuse(
                "OperationDenied.AccessGroupCountsExceeded",
                "The amount of AccessGroup has reached its limits.",
                403,
            );
        context.checked();
        const group: AccessGroup = {
            id,
            regionId,
            createdAt: now,
            name,
            description: request.description ?? "",
            tags: {},
            resourceGroupId: "",
            rules: [],
        };
        store.state.accessGroups[id] = group;
        return { accessGroupName: name };
    },
});

function attachedTo({ store, regionId }: ActionContext, name: string): number {
    return Object.values(store.state.mountTargets).filter(
        (target) => target.regionId === regionId && target.accessGroupName === name,
    ).length;
}

const describeAccessGroups = nasAction({
    name: "DescribeAccessGroups",
    request: DescribeAccessGroupsRequest,
    response: DescribeAccessGroupsResponseBody,
    writes: false,
    handle: (request, context) => {
        refuseOtherTypes(request.fileSystemType);
        const { accessGroupName = "" } = request;
        const view = (name: string, description: string, createTime: string, ruleCount: number) => ({
            accessGroupName: name,
            accessGroupType: "Vpc",
            fileSystemType: "standard",
            regionId: context.regionId,
            description,
            createTime,
            ruleCount,
            mountTargetCount: attachedTo(context, name),
        });
        const found = [
            view(DEFAULT_ACCESS_GROUP, "", "", 1),
            ...inRegion(context.store.state.accessGroups, context.regionId).map(
                ({ name, description, createdAt, rules }) => view(name, description, createdAt, rules.length),
            ),
        ].filter((group) => accessGroupName === "" || group.accessGroupName === accessGroupName);
        if (found.length === 0)
            throw notFound("InvalidAccessGroup.NotFound", "The specified AccessGroup does not exist.");
        const { items, ...page } = paginate(found, request, { default: 10, max: 100 });
        return { ...page, accessGroups: { accessGroup: [...items] } };
    },
});

const modifyAccessGroup = nasAction({
    name: "ModifyAccessGroup",
    request: ModifyAccessGroupRequest,
    response: ModifyAccessGroupResponseBody,
    required: ["AccessGroupName"],
    writes: true,
    handle: (request, context) => {
        refuseDefault(request.accessGroupName, "Modify");
        const group = accessGroupOf(context, request.accessGroupName);
        context.checked();
        if (request.description !== undefined) group.description = request.description;
        return {};
    },
});

const deleteAccessGroup = nasAction({
    name: "DeleteAccessGroup",
    request: DeleteAccessGroupRequest,
    response: DeleteAccessGroupResponseBody,
    required: ["AccessGroupName"],
    writes: true,
    handle: (request, context) => {
        refuseDefault(request.accessGroupName, "Delete");
        const group = accessGroupOf(context, request.accessGroupName);
        if (attachedTo(context, group.name) > 0)
            refuse(
                "InvalidAccessGroup.AlreadyAttached",
                "The specified AccessGroup is still attached by some MountTarget(s).",
                403,
            );
        context.checked();
        Reflect.deleteProperty(context.store.state.accessGroups, group.id);
        return {};
    },
});

export const accessGroupActions: readonly Action[] = [
    createAccessGroup,
    describeAccessGroups,
    modifyAccessGroup,
    deleteAccessGroup,
];

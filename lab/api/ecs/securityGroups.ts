import { CreateSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/CreateSecurityGroupRequest";
import { CreateSecurityGroupResponseBody } from "@alicloud/ecs20140526/dist/models/CreateSecurityGroupResponseBody";
import { DeleteSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/DeleteSecurityGroupRequest";
import { DeleteSecurityGroupResponseBody } from "@alicloud/ecs20140526/dist/models/DeleteSecurityGroupResponseBody";
import { DescribeSecurityGroupReferencesRequest } from "@alicloud/ecs20140526/dist/models/DescribeSecurityGroupReferencesRequest";
import { DescribeSecurityGroupReferencesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeSecurityGroupReferencesResponseBody";
import { DescribeSecurityGroupsRequest } from "@alicloud/ecs20140526/dist/models/DescribeSecurityGroupsRequest";
import { DescribeSecurityGroupsResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeSecurityGroupsResponseBody";
import { ModifySecurityGroupAttributeRequest } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupAttributeRequest";
import { ModifySecurityGroupAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupAttributeResponseBody";
import { ModifySecurityGroupPolicyRequest } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupPolicyRequest";
import { ModifySecurityGroupPolicyResponseBody } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupPolicyResponseBody";
import type { SecurityGroup } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { missingParameter } from "../errors";
import { hasTags, inRegion, matches, toTags } from "../listing";
import { ecsAction } from "./action";
import { checkDescription, checkName, checkOneOf, checkResourceGroup, checkTags, idList, refuse } from "./checks";
import { securityGroupOf, vpcOf } from "./lookup";
import { pageOf } from "./pages";
import { quotas } from "./quotas";
import { tagsView } from "./view";

const createSecurityGroup = ecsAction({
    name: "CreateSecurityGroup",
    request: CreateSecurityGroupRequest,
    response: CreateSecurityGroupResponseBody,
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        // Without one it would be a group of the classic network, which is sold no more.
        if (!request.vpcId) throw missingParameter("VpcId");
        const vpc = vpcOf(context, request.vpcId);
        checkName(request.securityGroupName, "InvalidSecurityGroupName.Malformed", "SecurityGroupName");
        checkDescription(request.description, "InvalidSecurityGroupDiscription.Malformed");
        checkOneOf(
            request.securityGroupType,
            ["normal", "enterprise"],
            "SecurityGroupType",
            "InvalidSecurityGroupType.ValueNotSupported",
        );
        checkTags(request.tag);
        checkResourceGroup(request.resourceGroupId);
        if (inRegion(store.state.securityGroups, regionId).length >= quotas.securityGroups)
            refuse("QuotaExceed.SecurityGroup", "The maximum number of security groups is reached.", 403);
        context.checked();

        const enterprise = request.securityGroupType === "enterprise";
        const group: SecurityGroup = {
            id: store.newId("sg"),
            regionId,
            createdAt: now,
            name: request.securityGroupName ?? "",
            description: request.description ?? "",
            tags: toTags(request.tag),
            resourceGroupId: request.resourceGroupId ?? "",
            vpcId: vpc.id,
            kind: enterprise ? "enterprise" : "normal",
            innerAccess: enterprise ? "Drop" : "Accept",
            serviceManaged: false,
            rules: [],
        };
        store.state.securityGroups[group.id] = group;
        return { securityGroupId: group.id };
    },
});

/** Instances with an interface in a group. */
export function membersOf({ store }: ActionContext, groupId: string): ReadonlySet<string> {
    const members = new Set<string>();
    for (const instance of Object.values(store.state.instances))
        if (instance.securityGroupIds.includes(groupId)) members.add(instance.id);
    for (const nic of Object.values(store.state.networkInterfaces))
        if (nic.securityGroupIds.includes(groupId)) members.add(nic.instanceId === "" ? nic.id : nic.instanceId);
    return members;
}

/** Groups with a rule whose peer is the group. */
function referencesTo({ store }: ActionContext, groupId: string): readonly SecurityGroup[] {
    return Object.values(store.state.securityGroups).filter(
        (other) =>
            other.id !== groupId &&
            other.rules.some((rule) => rule.sourceGroupId === groupId || rule.destGroupId === groupId),
    );
}

const describeSecurityGroups = ecsAction({
    name: "DescribeSecurityGroups",
    request: DescribeSecurityGroupsRequest,
    response: DescribeSecurityGroupsResponseBody,
    writes: false,
    handle: (request, context) => {
        const ids = idList(request.securityGroupIds, "SecurityGroupIds");
        const found = inRegion(context.store.state.securityGroups, context.regionId).filter(
            (group) =>
                matches(request.securityGroupId, group.id) &&
                (ids === undefined || ids.includes(group.id)) &&
                matches(request.vpcId, group.vpcId) &&
                (request.fuzzyQuery === true
                    ? group.name.includes((request.securityGroupName ?? "").replaceAll("*", ""))
                    : matches(request.securityGroupName, group.name)) &&
                matches(request.securityGroupType, group.kind) &&
                matches(request.networkType, "vpc") &&
                matches(request.resourceGroupId, group.resourceGroupId) &&
                matches(request.serviceManaged, group.serviceManaged) &&
                hasTags(group, request.tag),
        );
        const { items, ...page } = pageOf(found, request, { default: 10, max: 100 });
        context.checked();
        return {
            ...page,
            regionId: context.regionId,
            securityGroups: {
                securityGroup: items.map((group) => {
                    const members = membersOf(context, group.id).size;
                    const limit =
                        group.kind === "normal" ? quotas.instancesPerNormalGroup : quotas.instancesPerEnterpriseGroup;
                    return {
                        securityGroupId: group.id,
                        securityGroupName: group.name,
                        securityGroupType: group.kind,
                        description: group.description,
                        vpcId: group.vpcId,
                        creationTime: group.createdAt,
                        resourceGroupId: group.resourceGroupId,
                        serviceManaged: group.serviceManaged,
                        ruleCount: group.rules.length,
                        groupToGroupRuleCount: group.rules.filter(
                            (rule) => rule.sourceGroupId !== "" || rule.destGroupId !== "",
                        ).length,
                        ecsCount: members,
                        availableInstanceAmount: limit - members,
                        tags: tagsView(group.tags),
                    };
                }),
            },
        };
    },
});

const describeSecurityGroupReferences = ecsAction({
    name: "DescribeSecurityGroupReferences",
    request: DescribeSecurityGroupReferencesRequest,
    response: DescribeSecurityGroupReferencesResponseBody,
    required: ["SecurityGroupId"],
    writes: false,
    handle: (request, context) => ({
        securityGroupReferences: {
            securityGroupReference: (request.securityGroupId ?? [])
                .map((id) => securityGroupOf(context, id))
                .map(({ id }) => ({ id, others: referencesTo(context, id) }))
                .filter(({ others }) => others.length > 0)
                .map(({ id, others }) => ({
                    securityGroupId: id,
                    referencingSecurityGroups: {
                        referencingSecurityGroup: others.map((other) => ({
                            securityGroupId: other.id,
                            aliUid: context.accountId,
                        })),
                    },
                })),
        },
    }),
});

const modifySecurityGroupAttribute = ecsAction({
    name: "ModifySecurityGroupAttribute",
    request: ModifySecurityGroupAttributeRequest,
    response: ModifySecurityGroupAttributeResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: (request, context) => {
        const group = securityGroupOf(context, request.securityGroupId);
        refuseManaged(group);
        checkName(request.securityGroupName, "InvalidSecurityGroupName.Malformed", "SecurityGroupName");
        checkDescription(request.description, "InvalidSecurityGroupDiscription.Malformed");
        context.checked();
        group.name = request.securityGroupName ?? group.name;
        group.description = request.description ?? group.description;
        return {};
    },
});

const modifySecurityGroupPolicy = ecsAction({
    name: "ModifySecurityGroupPolicy",
    request: ModifySecurityGroupPolicyRequest,
    response: ModifySecurityGroupPolicyResponseBody,
    required: ["SecurityGroupId", "InnerAccessPolicy"],
    writes: true,
    handle: async (request, context) => {
        const group = securityGroupOf(context, request.securityGroupId);
        refuseManaged(group);
        const policy = request.innerAccessPolicy?.toLowerCase();
        if (policy !== "accept" && policy !== "drop")
            refuse("InvalidPolicy.Malformed", 'The specified parameter "InnerAccessPolicy" is not valid.');
        if (group.kind === "enterprise" && policy === "accept")
            refuse(
                "InvalidOperation.InvalidSecurityGroupType",
                "The inner access policy of an enterprise security group can't be Accept.",
                403,
            );
        context.checked();
        group.innerAccess = policy === "accept" ? "Accept" : "Drop";
        await context.applied();
        return {};
    },
});

/** Groups that another product made for itself can't be changed by their users. */
export function refuseManaged(group: SecurityGroup): void {
    if (group.serviceManaged)
        refuse(
            "InvalidOperation.ResourceManagedByCloudProduct",
            "The security group has been managed by another cloud product.",
            403,
        );
}

const deleteSecurityGroup = ecsAction({
    name: "DeleteSecurityGroup",
    request: DeleteSecurityGroupRequest,
    response: DeleteSecurityGroupResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: (request, context) => {
        const group = securityGroupOf(context, request.securityGroupId);
        refuseManaged(group);
        if (membersOf(context, group.id).size > 0)
            refuse("DependencyViolation", "There is still instance(s) in the specified security group.", 403);
        const balancers = Object.values(context.store.state.networkBalancers);
        if (balancers.some(({ securityGroupIds }) => securityGroupIds.includes(group.id)))
            refuse("DependencyViolation", "There is still a load balancer in the specified security group.", 403);
        if (referencesTo(context, group.id).length > 0)
            refuse("DependencyViolation", "The specified security group has been authorized in another one.", 403);
        context.checked();
        Reflect.deleteProperty(context.store.state.securityGroups, group.id);
        return {};
    },
});

export const securityGroupActions: readonly Action[] = [
    createSecurityGroup,
    describeSecurityGroups,
    describeSecurityGroupReferences,
    modifySecurityGroupAttribute,
    modifySecurityGroupPolicy,
    deleteSecurityGroup,
];

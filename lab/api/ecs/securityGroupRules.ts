import { AuthorizeSecurityGroupEgressRequest } from "@alicloud/ecs20140526/dist/models/AuthorizeSecurityGroupEgressRequest";
import { AuthorizeSecurityGroupEgressResponseBody } from "@alicloud/ecs20140526/dist/models/AuthorizeSecurityGroupEgressResponseBody";
import { AuthorizeSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/AuthorizeSecurityGroupRequest";
import { AuthorizeSecurityGroupResponseBody } from "@alicloud/ecs20140526/dist/models/AuthorizeSecurityGroupResponseBody";
import { DescribeSecurityGroupAttributeRequest } from "@alicloud/ecs20140526/dist/models/DescribeSecurityGroupAttributeRequest";
import { DescribeSecurityGroupAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeSecurityGroupAttributeResponseBody";
import { ModifySecurityGroupEgressRuleRequest } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupEgressRuleRequest";
import { ModifySecurityGroupEgressRuleResponseBody } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupEgressRuleResponseBody";
import { ModifySecurityGroupRuleRequest } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupRuleRequest";
import { ModifySecurityGroupRuleResponseBody } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupRuleResponseBody";
import { RevokeSecurityGroupEgressRequest } from "@alicloud/ecs20140526/dist/models/RevokeSecurityGroupEgressRequest";
import { RevokeSecurityGroupEgressResponseBody } from "@alicloud/ecs20140526/dist/models/RevokeSecurityGroupEgressResponseBody";
import { RevokeSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/RevokeSecurityGroupRequest";
import { RevokeSecurityGroupResponseBody } from "@alicloud/ecs20140526/dist/models/RevokeSecurityGroupResponseBody";
import type { SecurityGroup, SecurityGroupRule } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { paginateByToken } from "../listing";
import { ecsAction } from "./action";
import { checkOneOf, refuse, valueOr } from "./checks";
import { securityGroupOf } from "./lookup";
import { quotas } from "./quotas";
import { Direction, RuleFields, RuleWish, checkPeers, identityOf, isSameRule, toRule } from "./rules";
import { refuseManaged } from "./securityGroups";

/** A request that names rules either in its own parameters or in `Permissions.N`. */
interface RulesRequest extends RuleWish {
    readonly securityGroupId?: string;
    readonly permissions?: readonly RuleWish[];
}

const MAX_PERMISSIONS = 100;

function wishesOf(request: RulesRequest): readonly RuleWish[] {
    const { permissions } = request;
    if (!permissions?.length) return [request];
    if (permissions.length > MAX_PERMISSIONS)
        refuse("InvalidParam.Permissions", `At most ${MAX_PERMISSIONS} permissions can be specified.`);
    return permissions;
}

async function authorize(direction: Direction, request: RulesRequest, context: ActionContext): Promise<object> {
    const group = securityGroupOf(context, request.securityGroupId);
    refuseManaged(group);
    const added: RuleFields[] = [];
    for (const wish of wishesOf(request)) {
        const rule = toRule(direction, wish);
        checkPeers(context, group, rule);
        // A rule that is there already is a success that adds nothing.
        if (![...group.rules, ...added].some((other) => isSameRule(other, rule))) added.push(rule);
    }
    const rules = [...group.rules, ...added];
    if (rules.length > quotas.rulesPerSecurityGroup)
        refuse("AuthorizationLimitExceed", "The limit of authorization records in the security group reaches.", 403);
    if (peerGroups(rules).size > quotas.sourceGroupsPerSecurityGroup)
        refuse(
            "AuthorizationLimitExceed",
            "The limit of group authorization records in the security group reaches.",
            403,
        );
    context.checked();
    for (const rule of added) group.rules.push({ ...rule, id: context.store.newId("sgr"), createdAt: context.now });
    await context.applied();
    return {};
}

function peerGroups(rules: readonly RuleFields[]): ReadonlySet<string> {
    return new Set(rules.map((rule) => rule.sourceGroupId + rule.destGroupId).filter((id) => id !== ""));
}

const authorizeSecurityGroup = ecsAction({
    name: "AuthorizeSecurityGroup",
    request: AuthorizeSecurityGroupRequest,
    response: AuthorizeSecurityGroupResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: (request, context) => authorize("ingress", request, context),
});

const authorizeSecurityGroupEgress = ecsAction({
    name: "AuthorizeSecurityGroupEgress",
    request: AuthorizeSecurityGroupEgressRequest,
    response: AuthorizeSecurityGroupEgressResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: (request, context) => authorize("egress", request, context),
});

async function revoke(
    direction: Direction,
    request: RulesRequest & { readonly securityGroupRuleId?: readonly string[] },
    context: ActionContext,
): Promise<object> {
    const group = securityGroupOf(context, request.securityGroupId);
    refuseManaged(group);
    const ids = request.securityGroupRuleId ?? [];
    const gone =
        ids.length > 0
            ? ids.map((id) => {
                  const rule = group.rules.find(
                      (candidate) => candidate.id === id && candidate.direction === direction,
                  );
                  return (
                      rule ??
                      refuse(
                          "InvalidParam.SecurityGroupRuleId",
                          "The specified parameter SecurityGroupRuleId is not valid.",
                      )
                  );
              })
            : wishesOf(request).flatMap((wish) => matching(group, direction, wish));
    context.checked();
    group.rules = group.rules.filter((rule) => !gone.includes(rule));
    await context.applied();
    return {};
}

/** Rules that a request describes; none is no error. The priority counts only when it is given. */
function matching(group: SecurityGroup, direction: Direction, wish: RuleWish): readonly SecurityGroupRule[] {
    const rule = toRule(direction, wish);
    return group.rules.filter(
        (candidate) =>
            identityOf(candidate) === identityOf(rule) &&
            candidate.policy === rule.policy &&
            (!wish.priority || candidate.priority === rule.priority),
    );
}

const revokeSecurityGroup = ecsAction({
    name: "RevokeSecurityGroup",
    request: RevokeSecurityGroupRequest,
    response: RevokeSecurityGroupResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: (request, context) => revoke("ingress", request, context),
});

const revokeSecurityGroupEgress = ecsAction({
    name: "RevokeSecurityGroupEgress",
    request: RevokeSecurityGroupEgressRequest,
    response: RevokeSecurityGroupEgressResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: (request, context) => revoke("egress", request, context),
});

async function modify(
    direction: Direction,
    request: RuleWish & { readonly securityGroupId?: string; readonly securityGroupRuleId?: string },
    context: ActionContext,
): Promise<object> {
    const group = securityGroupOf(context, request.securityGroupId);
    refuseManaged(group);
    const [rule, changed] = request.securityGroupRuleId
        ? changedById(group, direction, request, request.securityGroupRuleId)
        : changedByFields(group, direction, request);
    checkPeers(context, group, changed);
    if (group.rules.some((other) => other !== rule && isSameRule(other, changed)))
        refuse("InvalidOperation.RuleDuplicate", "The rule being modified will be duplicated with an existing rule.");
    context.checked();
    Object.assign(rule, changed);
    await context.applied();
    return {};
}

type Change = readonly [rule: SecurityGroupRule, changed: RuleFields];

/** Every field may change, but the kind of the other side. */
function changedById(group: SecurityGroup, direction: Direction, wish: RuleWish, id: string): Change {
    const rule = group.rules.find((candidate) => candidate.id === id);
    if (!rule)
        return refuse("InvalidSecurityGroupRuleId.NotFound", "The specified SecurityGroupRuleId is not exists.", 404);
    if (rule.direction !== direction)
        refuse("InvalidParam.SecurityGroupRuleId", "The specified parameter SecurityGroupRuleId is not valid.");
    const peers = [
        "sourceCidrIp",
        "ipv6SourceCidrIp",
        "sourceGroupId",
        "sourcePrefixListId",
        "destCidrIp",
        "ipv6DestCidrIp",
        "destGroupId",
        "destPrefixListId",
    ] as const;
    const before: RuleWish = {
        ipProtocol: rule.ipProtocol,
        portRange: rule.portRange,
        sourcePortRange: rule.sourcePortRange,
        policy: rule.policy,
        priority: String(rule.priority),
        description: rule.description,
        sourceCidrIp: rule.sourceCidr,
        ipv6SourceCidrIp: rule.ipv6SourceCidr,
        sourceGroupId: rule.sourceGroupId,
        sourceGroupOwnerAccount: rule.sourceGroupOwner,
        sourcePrefixListId: rule.sourcePrefixListId,
        destCidrIp: rule.destCidr,
        ipv6DestCidrIp: rule.ipv6DestCidr,
        destGroupId: rule.destGroupId,
        destGroupOwnerAccount: rule.destGroupOwner,
        destPrefixListId: rule.destPrefixListId,
    };
    const other = direction === "ingress" ? "source" : "dest";
    for (const peer of peers)
        if (wish[peer] && !before[peer] && peer.toLowerCase().includes(other))
            refuse(
                "InvalidOperation.ModifySgRuleEntityType",
                "The source or destination type of the rules cannot be modified.",
            );
    const given = Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== "" && value !== undefined));
    // With another protocol the old port range means nothing.
    const protocolChanged =
        wish.ipProtocol !== undefined && wish.ipProtocol.toUpperCase() !== rule.ipProtocol.toUpperCase();
    return [rule, toRule(direction, { ...before, ...(protocolChanged && { portRange: "" }), ...given })];
}

/** The fields find the rule; its policy, priority and description change. */
function changedByFields(group: SecurityGroup, direction: Direction, wish: RuleWish): Change {
    const asked = toRule(direction, wish);
    const candidates = group.rules.filter((candidate) => identityOf(candidate) === identityOf(asked));
    const rule =
        candidates.find((candidate) => isSameRule(candidate, asked)) ??
        candidates.find(({ policy }) => policy === asked.policy) ??
        candidates[0];
    if (!rule) return refuse("SecurityGroupRule.NotFound", "The target security group rule not exist.", 404);
    return [
        rule,
        {
            ...rule,
            policy: wish.policy ? asked.policy : rule.policy,
            priority: wish.priority ? asked.priority : rule.priority,
            description: wish.description ?? rule.description,
        },
    ];
}

const modifySecurityGroupRule = ecsAction({
    name: "ModifySecurityGroupRule",
    request: ModifySecurityGroupRuleRequest,
    response: ModifySecurityGroupRuleResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: (request, context) => modify("ingress", request, context),
});

const modifySecurityGroupEgressRule = ecsAction({
    name: "ModifySecurityGroupEgressRule",
    request: ModifySecurityGroupEgressRuleRequest,
    response: ModifySecurityGroupEgressRuleResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: (request, context) => modify("egress", request, context),
});

const describeSecurityGroupAttribute = ecsAction({
    name: "DescribeSecurityGroupAttribute",
    request: DescribeSecurityGroupAttributeRequest,
    response: DescribeSecurityGroupAttributeResponseBody,
    required: ["SecurityGroupId"],
    writes: false,
    handle: (request, context) => {
        const { securityGroups } = context.store.state;
        const group = securityGroupOf(context, request.securityGroupId);
        const direction = valueOr(request.direction, "all").toLowerCase();
        checkOneOf(direction, ["ingress", "egress", "all"], "Direction", "InvalidDirection.ValueNotSupported");
        const nameOf = (id: string): string => securityGroups[id]?.name ?? "";
        const asked = group.rules.filter((rule) => direction === "all" || rule.direction === direction);
        const { items, nextToken = "" } = paginateByToken(asked, request, { default: 1000, max: 1000 });
        return {
            securityGroupId: group.id,
            securityGroupName: group.name,
            description: group.description,
            vpcId: group.vpcId,
            regionId: group.regionId,
            innerAccessPolicy: group.innerAccess,
            nextToken,
            snapshotPolicyIds: { snapshotPolicyId: [] },
            permissions: {
                permission: items.map((rule) => ({
                    securityGroupRuleId: rule.id,
                    direction: rule.direction,
                    ipProtocol: rule.ipProtocol,
                    portRange: rule.portRange,
                    portRangeListId: "",
                    portRangeListName: "",
                    sourcePortRange: rule.sourcePortRange,
                    policy: rule.policy,
                    priority: String(rule.priority),
                    nicType: rule.nicType,
                    description: rule.description,
                    createTime: rule.createdAt,
                    sourceCidrIp: rule.sourceCidr,
                    ipv6SourceCidrIp: rule.ipv6SourceCidr,
                    sourceGroupId: rule.sourceGroupId,
                    sourceGroupName: nameOf(rule.sourceGroupId),
                    sourceGroupOwnerAccount: rule.sourceGroupOwner,
                    sourcePrefixListId: rule.sourcePrefixListId,
                    sourcePrefixListName: "",
                    destCidrIp: rule.destCidr,
                    ipv6DestCidrIp: rule.ipv6DestCidr,
                    destGroupId: rule.destGroupId,
                    destGroupName: nameOf(rule.destGroupId),
                    destGroupOwnerAccount: rule.destGroupOwner,
                    destPrefixListId: rule.destPrefixListId,
                    destPrefixListName: "",
                })),
            },
        };
    },
});

export const securityGroupRuleActions: readonly Action[] = [
    authorizeSecurityGroup,
    authorizeSecurityGroupEgress,
    revokeSecurityGroup,
    revokeSecurityGroupEgress,
    modifySecurityGroupRule,
    modifySecurityGroupEgressRule,
    describeSecurityGroupAttribute,
];

import { CreateAccessRuleRequest } from "@alicloud/nas20170626/dist/models/CreateAccessRuleRequest";
import { CreateAccessRuleResponseBody } from "@alicloud/nas20170626/dist/models/CreateAccessRuleResponseBody";
import { DeleteAccessRuleRequest } from "@alicloud/nas20170626/dist/models/DeleteAccessRuleRequest";
import { DeleteAccessRuleResponseBody } from "@alicloud/nas20170626/dist/models/DeleteAccessRuleResponseBody";
import { DescribeAccessRulesRequest } from "@alicloud/nas20170626/dist/models/DescribeAccessRulesRequest";
import { DescribeAccessRulesResponseBody } from "@alicloud/nas20170626/dist/models/DescribeAccessRulesResponseBody";
import { ModifyAccessRuleRequest } from "@alicloud/nas20170626/dist/models/ModifyAccessRuleRequest";
import { ModifyAccessRuleResponseBody } from "@alicloud/nas20170626/dist/models/ModifyAccessRuleResponseBody";
import { parseAddress, parseCidr } from "../../model/addresses";
import { type AccessRule, DEFAULT_ACCESS_GROUP, defaultAccessRules } from "../../model/nas";
import type { Action } from "../action";
import { refuse } from "../ecs/checks";
import { notFound } from "../errors";
import { paginate } from "../listing";
import { nasAction } from "./action";
import { accessGroupOf, refuseDefault, refuseOtherTypes } from "./lookup";
import { quotas } from "./quotas";

const squashes = { no_squash: "none", root_squash: "root", all_squash: "all" } as const;

interface Asked {
    readonly sourceCidrIp?: string;
    readonly RWAccessType?: string;
    readonly userAccessType?: string;
    readonly priority?: number;
}

/** What a rule is to be; what is left out stays as it is. */
function checkedRule(asked: Asked, rule: Omit<AccessRule, "id">): Omit<AccessRule, "id"> {
    const { sourceCidrIp: source = rule.source, priority = rule.priority } = asked;
    if (parseAddress(source) === undefined && parseCidr(source) === undefined)
        refuse("InvalidParameter.SourceCidrIp", "The specified SourceCidrIp is invalid.");
    if (!Number.isInteger(priority) || priority < 1 || priority > 100)
        refuse("InvalidParameter.Priority", "The specified Priority is invalid: 1 to 100.");
    if (!["", "RDWR", "RDONLY"].includes(asked.RWAccessType ?? ""))
        refuse("InvalidParameter.RWAccessType", "The specified RWAccessType is invalid.");
    const squash = asked.userAccessType ? squashOf(asked.userAccessType) : rule.squash;
    return { source, priority, squash, write: asked.RWAccessType ? asked.RWAccessType === "RDWR" : rule.write };
}

function squashOf(asked: string): AccessRule["squash"] {
    if (!Object.hasOwn(squashes, asked))
        refuse("InvalidParameter.UserAccessType", "The specified UserAccessType is invalid.");
    return squashes[asked as keyof typeof squashes];
}

function isSame(one: Omit<AccessRule, "id">, other: Omit<AccessRule, "id">): boolean {
    return (["source", "priority", "squash", "write"] as const).every((field) => one[field] === other[field]);
}

function ruleOf(rules: readonly AccessRule[], id: string | undefined): AccessRule {
    const rule = rules.find((candidate) => candidate.id === id);
    if (!rule) throw notFound("InvalidAccessRule.NotFound", "The specified AccessRule does not exist.");
    return rule;
}

const createAccessRule = nasAction({
    name: "CreateAccessRule",
    request: CreateAccessRuleRequest,
    response: CreateAccessRuleResponseBody,
    required: ["AccessGroupName", "SourceCidrIp"],
    writes: true,
    handle: async (request, context) => {
        refuseOtherTypes(request.fileSystemType);
        refuseDefault(request.accessGroupName, "Modify");
        const group = accessGroupOf(context, request.accessGroupName);
        const fields = checkedRule(request, { source: "", write: true, squash: "none", priority: 1 });
        if (group.rules.length >= quotas.rulesPerAccessGroup)
            refuse("OperationDenied.AccessRuleCountsExceeded", "The amount of AccessRule has reached its limits.", 403);
        context.checked();
        // A client whose patience ended while the machine followed asks again, and this request has no token.
        const known = group.rules.find((rule) => isSame(rule, fields));
        const id = known?.id ?? String(1 + Math.max(0, ...group.rules.map((rule) => Number(rule.id))));
        if (!known) group.rules.push({ id, ...fields });
        await context.applied();
        return { accessRuleId: id };
    },
});

const describeAccessRules = nasAction({
    name: "DescribeAccessRules",
    request: DescribeAccessRulesRequest,
    response: DescribeAccessRulesResponseBody,
    required: ["AccessGroupName"],
    writes: false,
    handle: (request, context) => {
        refuseOtherTypes(request.fileSystemType);
        const { accessGroupName: name, accessRuleId = "" } = request;
        const rules = name === DEFAULT_ACCESS_GROUP ? defaultAccessRules : accessGroupOf(context, name).rules;
        const found = accessRuleId === "" ? rules : [ruleOf(rules, accessRuleId)];
        const { items, ...page } = paginate(found, request, { default: 10, max: 100 });
        return {
            ...page,
            accessRules: {
                accessRule: items.map(({ id, source, write, squash, priority }) => ({
                    accessGroupName: name!,
                    accessRuleId: id,
                    fileSystemType: "standard",
                    regionId: context.regionId,
                    sourceCidrIp: source,
                    ipv6SourceCidrIp: "",
                    RWAccess: write ? "RDWR" : "RDONLY",
                    userAccess: Object.entries(squashes).find(([, value]) => value === squash)![0],
                    priority,
                })),
            },
        };
    },
});

const modifyAccessRule = nasAction({
    name: "ModifyAccessRule",
    request: ModifyAccessRuleRequest,
    response: ModifyAccessRuleResponseBody,
    required: ["AccessGroupName", "AccessRuleId"],
    writes: true,
    handle: async (request, context) => {
        refuseOtherTypes(request.fileSystemType);
        refuseDefault(request.accessGroupName, "Modify");
        const rule = ruleOf(accessGroupOf(context, request.accessGroupName).rules, request.accessRuleId);
        const fields = checkedRule(request, rule);
        context.checked();
        Object.assign(rule, fields);
        await context.applied();
        return {};
    },
});

const deleteAccessRule = nasAction({
    name: "DeleteAccessRule",
    request: DeleteAccessRuleRequest,
    response: DeleteAccessRuleResponseBody,
    required: ["AccessGroupName", "AccessRuleId"],
    writes: true,
    handle: async (request, context) => {
        refuseOtherTypes(request.fileSystemType);
        refuseDefault(request.accessGroupName, "Modify");
        const group = accessGroupOf(context, request.accessGroupName);
        const rule = ruleOf(group.rules, request.accessRuleId);
        context.checked();
        group.rules = group.rules.filter((other) => other !== rule);
        await context.applied();
        return {};
    },
});

export const accessRuleActions: readonly Action[] = [
    createAccessRule,
    describeAccessRules,
    modifyAccessRule,
    deleteAccessRule,
];

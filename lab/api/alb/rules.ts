import { CreateRuleRequest } from "@alicloud/alb20200616/dist/models/CreateRuleRequest";
import { CreateRuleResponseBody } from "@alicloud/alb20200616/dist/models/CreateRuleResponseBody";
import { DeleteRuleRequest } from "@alicloud/alb20200616/dist/models/DeleteRuleRequest";
import { DeleteRuleResponseBody } from "@alicloud/alb20200616/dist/models/DeleteRuleResponseBody";
import { ListRulesRequest } from "@alicloud/alb20200616/dist/models/ListRulesRequest";
import { ListRulesResponseBody } from "@alicloud/alb20200616/dist/models/ListRulesResponseBody";
import { UpdateRuleAttributeRequest } from "@alicloud/alb20200616/dist/models/UpdateRuleAttributeRequest";
import { UpdateRuleAttributeResponseBody } from "@alicloud/alb20200616/dist/models/UpdateRuleAttributeResponseBody";
import type { AlbForward, AlbRule } from "../../model/alb";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { among, hasTags, matches, paginateByToken, toTags } from "../listing";
import { albAction } from "./action";
import { checkName, checkTags, oneOf, refuse, refuseParameter, refuseQuota, valueOr, within } from "./checks";
import { beginJob } from "./jobs";
import { balancerOf, listenerOf, ruleOf, rulesOf, serverGroupOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

interface AskedCondition {
    readonly type?: string;
    readonly hostConfig?: { readonly values?: readonly string[] };
    readonly pathConfig?: { readonly values?: readonly string[] };
}

interface AskedAction {
    readonly type?: string;
    readonly order?: number;
    readonly forwardGroupConfig?: {
        readonly serverGroupTuples?: readonly { readonly serverGroupId?: string; readonly weight?: number }[];
        readonly serverGroupStickySession?: { readonly enabled?: boolean; readonly timeout?: number };
    };
    readonly redirectConfig?: {
        readonly host?: string;
        readonly httpCode?: string;
        readonly path?: string;
        readonly port?: string;
        readonly protocol?: string;
        readonly query?: string;
    };
}

const DEFAULT_ORDER = 1;
const DEFAULT_WEIGHT = 100;

/** 3 to 128 characters, among them a period that is neither the first nor the last one. */
function isDomain(text: string): boolean {
    return /^(?!\.)[a-z0-9.*=~_+\\^!$&|()[\]-]{3,128}(?<!\.)$/i.test(text) && text.includes(".");
}

/** A slash, then letters, digits and what else the reference names; 1 to 128 characters. */
function isPath(text: string): boolean {
    return /^\/[\w$\-.+/&~@:*]{0,127}$/.test(text);
}

function parseConditions(conditions: readonly AskedCondition[] | undefined): Pick<AlbRule, "domains" | "paths"> {
    if (!conditions?.length) refuseParameter("RuleConditions");
    const found: { domains: string[]; paths: string[] } = { domains: [], paths: [] };
    for (const { type, hostConfig, pathConfig } of conditions) {
        if (type === "Host") found.domains.push(...named(hostConfig?.values, "HostConfig"));
        else if (type === "Path") found.paths.push(...named(pathConfig?.values, "PathConfig"));
        else refuse("UnsupportedOperation", `Rules of the lab ask for Host and Path, not for ${type ?? "nothing"}.`);
    }
    for (const text of [...found.domains, ...found.paths])
        if (text.includes("?") || text.startsWith("~"))
            refuse("UnsupportedOperation", "Rules of the lab know no other placeholder than *.");
    if (!found.domains.every(isDomain)) refuseParameter("HostConfig");
    if (!found.paths.every(isPath)) refuseParameter("PathConfig");
    return found;
}

function named(values: readonly string[] | undefined, wireName: string): readonly string[] {
    return values?.length ? values : refuseParameter(wireName);
}

function parseAction(
    context: ActionContext,
    listenerId: string,
    actions: readonly AskedAction[] | undefined,
): AlbRule["action"] {
    if (actions?.length !== 1) {
        if (!actions?.length) refuseParameter("RuleActions");
        refuse("UnsupportedOperation", "A rule of the lab does one thing.");
    }
    const { type, forwardGroupConfig, redirectConfig = {} } = actions[0]!;
    const order = within(actions[0]!.order, [1, 50_000], "Order", DEFAULT_ORDER);
    if (type === "ForwardGroup") {
        const tuples = forwardGroupConfig?.serverGroupTuples ?? [];
        if (tuples.length > 1) refuse("UnsupportedOperation", "A rule of the lab forwards to one server group.");
        const group = serverGroupOf(context, tuples[0]?.serverGroupId);
        const balancer = balancerOf(context, listenerOf(context, listenerId).loadBalancerId);
        if (group.vpcId !== balancer.vpcId)
            refuse("Mismatch.ServerGroupAndLoadBalancer", "The server group is in another VPC.");
        return {
            kind: "forward",
            order,
            serverGroupId: group.id,
            weight: within(tuples[0]?.weight, [0, 100], "Weight", DEFAULT_WEIGHT),
            ...parseStickiness(forwardGroupConfig?.serverGroupStickySession),
        };
    }
    if (type !== "Redirect")
        return refuse("UnsupportedOperation", `Rules of the lab forward or redirect, and don't ${type ?? "nothing"}.`);
    if (
        valueOr(redirectConfig.path, "${path}") !== "${path}" ||
        valueOr(redirectConfig.query, "${query}") !== "${query}"
    )
        refuse("UnsupportedOperation", "Rules of the lab redirect to the same path.");
    const port = valueOr(redirectConfig.port, "${port}");
    if (port !== "${port}" && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65535)) refuseParameter("Port");
    const host = valueOr(redirectConfig.host, "${host}");
    if (host !== "${host}") {
        if (!isDomain(host)) refuseParameter("Host");
        if (!/^[\w.-]+$/.test(host)) refuse("UnsupportedOperation", "Rules of the lab redirect to a plain name.");
    }
    return {
        kind: "redirect",
        order,
        protocol: oneOf(redirectConfig.protocol, ["HTTP", "HTTPS", "${protocol}"], "Protocol", "${protocol}"),
        host,
        port,
        code: oneOf(redirectConfig.httpCode, ["301", "302", "303", "307", "308"], "HttpCode", "301"),
    };
}

function parseStickiness(
    asked: { readonly enabled?: boolean; readonly timeout?: number } = {},
): Pick<AlbForward, "stickiness"> {
    const { enabled } = asked;
    if (enabled === undefined) return {};
    // Clients send 0 for none.
    const timeout = within(asked.timeout === 0 ? undefined : asked.timeout, [1, 86_400], "Timeout", enabled ? 1000 : 0);
    return { stickiness: { enabled, timeout } };
}

/** @param own the rule that may have the priority. */
function checkPriority(context: ActionContext, listenerId: string, priority: number, own?: AlbRule): void {
    const rules = rulesOf(context, listenerOf(context, listenerId));
    if (rules.some((rule) => rule !== own && rule.priority === priority))
        refuse("Conflict.Priority", `The priority ${priority} conflicts with another rule's.`);
}

const createRule = albAction({
    name: "CreateRule",
    request: CreateRuleRequest,
    response: CreateRuleResponseBody,
    required: ["ListenerId", "RuleName", "Priority", "RuleConditions", "RuleActions"],
    writes: true,
    handle: async (request, context) => {
        const { store, now } = context;
        const listener = listenerOf(context, request.listenerId);
        checkName(request.ruleName, "RuleName");
        checkTags(request.tag);
        if (oneOf(request.direction, ["Request", "Response"], "Direction", "Request") === "Response")
            refuse("UnsupportedOperation", "Rules of the lab are about requests.");
        const priority = within(request.priority, [1, 10_000], "Priority", 1);
        checkPriority(context, listener.id, priority);
        const conditions = parseConditions(request.ruleConditions);
        const action = parseAction(context, listener.id, request.ruleActions);
        if (rulesOf(context, listener).length >= quotas.rulesPerListener) refuseQuota("RulesNum");
        context.checked();
        const id = store.newId("rule");
        store.state.albRules[id] = {
            ...conditions,
            id,
            regionId: listener.regionId,
            createdAt: now,
            name: request.ruleName!,
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: DEFAULT_RESOURCE_GROUP_ID,
            listenerId: listener.id,
            priority,
            action,
        };
        await context.applied();
        return { ruleId: id, jobId: beginJob(context, "CreateRule", { type: "rule", id }) };
    },
});

function actionView(action: AlbRule["action"]) {
    const { order = DEFAULT_ORDER } = action;
    if (action.kind === "forward") {
        const { serverGroupId, weight = DEFAULT_WEIGHT, stickiness } = action;
        return {
            order,
            type: "ForwardGroup",
            forwardGroupConfig: {
                serverGroupTuples: [{ serverGroupId, weight }],
                ...(stickiness && {
                    serverGroupStickySession: {
                        enabled: stickiness.enabled,
                        ...(stickiness.timeout > 0 && { timeout: stickiness.timeout }),
                    },
                }),
            },
        };
    }
    return {
        order,
        type: "Redirect",
        redirectConfig: {
            host: action.host,
            httpCode: action.code,
            path: "${path}",
            port: action.port,
            protocol: action.protocol,
            query: "${query}",
        },
    };
}

const listRules = albAction({
    name: "ListRules",
    request: ListRulesRequest,
    response: ListRulesResponseBody,
    writes: false,
    handle: (request, { store }) => {
        const { albRules, albListeners } = store.state;
        const found = Object.values(albRules)
            .map((rule) => ({ rule, loadBalancerId: albListeners[rule.listenerId]?.loadBalancerId ?? "" }))
            .filter(
                ({ rule, loadBalancerId }) =>
                    among(request.ruleIds, rule.id) &&
                    among(request.listenerIds, rule.listenerId) &&
                    among(request.loadBalancerIds, loadBalancerId) &&
                    matches(request.direction, "Request") &&
                    hasTags(rule, request.tag),
            );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return {
            ...page,
            totalCount: found.length,
            rules: items.map(({ rule, loadBalancerId }) => ({
                ruleId: rule.id,
                ruleName: rule.name,
                ruleStatus: "Available",
                listenerId: rule.listenerId,
                loadBalancerId,
                direction: "Request",
                priority: rule.priority,
                ruleActions: [actionView(rule.action)],
                ruleConditions: [
                    ...(rule.domains.length === 0 ? [] : [{ type: "Host", hostConfig: { values: rule.domains } }]),
                    ...(rule.paths.length === 0 ? [] : [{ type: "Path", pathConfig: { values: rule.paths } }]),
                ],
                tags: tagsView(rule.tags),
            })),
        };
    },
});

const updateRuleAttribute = albAction({
    name: "UpdateRuleAttribute",
    request: UpdateRuleAttributeRequest,
    response: UpdateRuleAttributeResponseBody,
    required: ["RuleId"],
    writes: true,
    handle: async (request, context) => {
        const rule = ruleOf(context, request.ruleId);
        checkName(request.ruleName, "RuleName");
        const priority = within(request.priority, [1, 10_000], "Priority", rule.priority);
        checkPriority(context, rule.listenerId, priority, rule);
        const conditions = request.ruleConditions === undefined ? rule : parseConditions(request.ruleConditions);
        const action =
            request.ruleActions === undefined
                ? rule.action
                : parseAction(context, rule.listenerId, request.ruleActions);
        context.checked();
        rule.name = valueOr(request.ruleName, rule.name);
        rule.priority = priority;
        rule.domains = conditions.domains;
        rule.paths = conditions.paths;
        rule.action = action;
        await context.applied();
        return { jobId: beginJob(context, "UpdateRuleAttribute", { type: "rule", id: rule.id }) };
    },
});

const deleteRule = albAction({
    name: "DeleteRule",
    request: DeleteRuleRequest,
    response: DeleteRuleResponseBody,
    required: ["RuleId"],
    writes: true,
    handle: async ({ ruleId }, context) => {
        const rule = ruleOf(context, ruleId);
        context.checked();
        Reflect.deleteProperty(context.store.state.albRules, rule.id);
        await context.applied();
        return { jobId: beginJob(context, "DeleteRule", { type: "rule", id: rule.id }) };
    },
});

export const ruleActions: readonly Action[] = [createRule, listRules, updateRuleAttribute, deleteRule];

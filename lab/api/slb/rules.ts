import type { ForwardingRule, Listener, ListenerSettings, LoadBalancer } from "../../model/slb";
import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { missingParameter } from "../errors";
import { slbAction } from "./action";
import { checkName, isOn, parseItems, parseList, refuse, refuseParameter } from "./checks";
import { healthCheckOf, schedulerOf, stickinessOf } from "./listenerSettings";
import { healthCheckView, ruleSummary, stickinessView } from "./listenerView";
import { protocolOf } from "./listeners";
import { balancerOf, listenerOf, ruleOf, serverGroupFor } from "./lookup";
import { quotas } from "./quotas";

/** What a rule has of its own where it does not follow its listener. */
const ownFields = {
    ListenerSync: "string",
    Scheduler: "string",
    StickySession: "string",
    StickySessionType: "string",
    CookieTimeout: "number",
    Cookie: "string",
    HealthCheck: "string",
    HealthCheckDomain: "string",
    HealthCheckURI: "string",
    HealthCheckHttpCode: "string",
    HealthCheckConnectPort: "number",
    HealthCheckTimeout: "number",
    HealthCheckInterval: "number",
    HealthyThreshold: "number",
    UnhealthyThreshold: "number",
} as const;

const ruleFields = {
    RuleId: "string",
    RuleName: "string",
    Domain: "string",
    Url: "string",
    VServerGroupId: "string",
    ...ownFields,
} as const;

const createRules = slbAction({
    name: "CreateRules",
    request: model({
        RegionId: "string",
        LoadBalancerId: "string",
        ListenerPort: "number",
        ListenerProtocol: "string",
        RuleList: "string",
        DryRun: "boolean",
    }),
    response: model({ RequestId: "string", Rules: { Rule: [{ RuleId: "string", RuleName: "string" }] } }),
    required: ["LoadBalancerId", "ListenerPort", "RuleList"],
    writes: true,
    handle: async (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const listener = listenerOf(balancer, request.listenerPort, protocolOf(request.listenerProtocol));
        if (listener.protocol !== "http" && listener.protocol !== "https") refuseParameter("ListenerPort");
        const items = parseItems(request.ruleList, "RuleList");
        if (items.length === 0 || items.length > quotas.rulesPerRequest) refuseParameter("RuleList");
        if (listener.rules.length + items.length > quotas.rulesPerListener)
            refuse("QuotaLimitExceeds", "The number of forwarding rules exceeds the limit.");
        const rules = items.map((item) => ruleFrom(context, balancer, item));
        const all = [...listener.rules, ...rules];
        if (new Set(all.map(({ domain, url }) => `${domain}${url}`)).size < all.length)
            refuse("DomainExist", "The specified domain and url already exist.");
        context.checked();
        listener.rules = all;
        await context.applied();
        return { rules: { rule: rules.map(({ id, name }) => ({ ruleId: id, ruleName: name })) } };
    },
});

function ruleFrom(
    context: ActionContext,
    balancer: LoadBalancer,
    item: Readonly<Record<string, string>>,
): ForwardingRule {
    const { Domain: domain = "", Url: url = "", RuleName: name = "" } = item;
    if (name === "") throw missingParameter("RuleName");
    checkName(name, "RuleName");
    if (domain === "" && url === "") throw missingParameter("Domain");
    if (domain !== "" && !/^(\*\.|)([a-z0-9-]+\.)*[a-z0-9-]+(\.\*|)$/i.test(domain)) refuseParameter("Domain");
    if (url !== "" && !/^\/[\w\-/.%?#&=]{1,79}$/.test(url)) refuseParameter("Url");
    const group = serverGroupFor(context, balancer, item["VServerGroupId"]);
    return { id: context.store.newId("rule"), name, domain, url, vServerGroupId: group.id };
}

const describeRules = slbAction({
    name: "DescribeRules",
    request: model({
        RegionId: "string",
        LoadBalancerId: "string",
        ListenerPort: "number",
        ListenerProtocol: "string",
    }),
    response: model({ RequestId: "string", Rules: { Rule: [ruleFields] } }),
    required: ["LoadBalancerId", "ListenerPort"],
    writes: false,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const listener = listenerOf(balancer, request.listenerPort, protocolOf(request.listenerProtocol));
        return { rules: { rule: listener.rules.map((rule) => ruleView(listener, rule)) } };
    },
});

const describeRuleAttribute = slbAction({
    name: "DescribeRuleAttribute",
    request: model({ RegionId: "string", RuleId: "string" }),
    response: model({
        ...ruleFields,
        RequestId: "string",
        LoadBalancerId: "string",
        // A string in this answer only.
        ListenerPort: "string",
    }),
    required: ["RuleId"],
    writes: false,
    handle: ({ ruleId }, context) => {
        const { balancer, listener, rule } = ruleOf(context, ruleId);
        return {
            ...ruleView(listener, rule),
            loadBalancerId: balancer.id,
            listenerPort: String(listener.port),
        };
    },
});

function ruleView(listener: Listener, rule: ForwardingRule) {
    const own = rule.own ?? ownOf(listener.settings);
    return {
        ...ruleSummary(rule),
        scheduler: own.scheduler,
        ...stickinessView(own.stickiness),
        ...healthCheckView(own.healthCheck),
        healthCheckTimeout: own.healthCheck.timeout,
    };
}

/** What a rule has of its own from the moment on in which it leaves the listener's. */
function ownOf({ scheduler, healthCheck, application }: ListenerSettings): NonNullable<ForwardingRule["own"]> {
    return { scheduler, healthCheck, stickiness: application.stickiness };
}

const setRule = slbAction({
    name: "SetRule",
    request: model({
        RegionId: "string",
        RuleId: "string",
        RuleName: "string",
        VServerGroupId: "string",
        ...ownFields,
        DryRun: "boolean",
    }),
    response: model({ RequestId: "string" }),
    required: ["RuleId"],
    writes: true,
    handle: async (request, context) => {
        const { balancer, listener, rule } = ruleOf(context, request.ruleId);
        checkName(request.ruleName, "RuleName");
        const groupId = request.vServerGroupId
            ? serverGroupFor(context, balancer, request.vServerGroupId).id
            : rule.vServerGroupId;
        const synced = isOn(request.listenerSync, "ListenerSync", rule.own === undefined);
        const before = rule.own ?? ownOf(listener.settings);
        const own = {
            scheduler: schedulerOf(request.scheduler, listener.protocol, before.scheduler),
            healthCheck: healthCheckOf(listener.protocol, before.healthCheck, {
                ...request,
                switched: request.healthCheck,
                timeout: request.healthCheckTimeout,
                interval: request.healthCheckInterval,
            }),
            stickiness: stickinessOf(before.stickiness, request),
        };
        context.checked();
        rule.vServerGroupId = groupId;
        if (request.ruleName) rule.name = request.ruleName;
        if (synced) delete rule.own;
        else rule.own = own;
        await context.applied();
        return {};
    },
});

const deleteRules = slbAction({
    name: "DeleteRules",
    request: model({ RegionId: "string", RuleIds: "string" }),
    response: model({ RequestId: "string" }),
    required: ["RuleIds"],
    writes: true,
    handle: async ({ ruleIds }, context) => {
        const found = parseList(ruleIds, "RuleIds").map((id) => ruleOf(context, String(id)));
        context.checked();
        for (const { listener, rule } of found) listener.rules = listener.rules.filter((other) => other !== rule);
        await context.applied();
        return {};
    },
});

export const ruleActions: readonly Action[] = [createRules, describeRules, describeRuleAttribute, setRule, deleteRules];

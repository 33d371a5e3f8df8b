/** Resources of a request's region by id, and the errors for those that are not there. */
import type { ActionContext } from "../action";
import { notFound } from "../errors";
import { findInRegion } from "../listing";
import type {
    AccessControlList,
    ForwardingRule,
    Listener,
    ListenerProtocol,
    LoadBalancer,
    SlbCertificate,
    VServerGroup,
} from "../../model/slb";
import { refuse } from "./checks";

export function balancerOf(context: ActionContext, id: string | undefined): LoadBalancer {
    const balancer = findInRegion(context.store.state.loadBalancers, context.regionId, id);
    if (!balancer) throw notFound("InvalidLoadBalancerId.NotFound", "The specified LoadBalancerId does not exist.");
    return balancer;
}

/** The same for an action that clients may call without a region. */
export function balancerAnywhere({ store, regionId }: ActionContext, id: string | undefined): LoadBalancer {
    const balancer = id === undefined ? undefined : store.state.loadBalancers[id];
    return balancerOf({ store, regionId: balancer?.regionId ?? regionId } as ActionContext, id);
}

export function serverGroupOf(context: ActionContext, id: string | undefined): VServerGroup {
    const group = findInRegion(context.store.state.vServerGroups, context.regionId, id);
    // The cloud answers this one with 400, and clients look at the text.
    if (!group) return refuse("InvalidParameter", "The specified VServerGroupId does not exist.");
    return group;
}

/** A server group that a listener of a balancer may use. */
export function serverGroupFor(context: ActionContext, balancer: LoadBalancer, id: string | undefined): VServerGroup {
    const group = serverGroupOf(context, id);
    if (group.loadBalancerId !== balancer.id)
        refuse("InvalidParameter", "The specified VServerGroupId does not exist on the load balancer.");
    return group;
}

/** @param protocol any, when a client names the port alone. */
export function listenerOf(balancer: LoadBalancer, port: number | undefined, protocol?: ListenerProtocol): Listener {
    const found = balancer.listeners.filter(
        (listener) => listener.port === port && (protocol === undefined || listener.protocol === protocol),
    );
    if (found.length > 1)
        refuse("InvalidParameter.ListenerProtocol", "ListenerProtocol must say which listener of the port is meant.");
    // The text, not the code, is what clients know this one by.
    if (!found[0]) throw notFound("InvalidParameter", "The specified resource does not exist.");
    return found[0];
}

export interface PlacedRule {
    readonly balancer: LoadBalancer;
    readonly listener: Listener;
    readonly rule: ForwardingRule;
}

export function ruleOf({ store, regionId }: ActionContext, id: string | undefined): PlacedRule {
    for (const balancer of Object.values(store.state.loadBalancers))
        if (balancer.regionId === regionId)
            for (const listener of balancer.listeners)
                for (const rule of listener.rules) if (rule.id === id) return { balancer, listener, rule };
    throw notFound("InvalidRuleId.NotFound", "The specified RuleId does not exist.");
}

export function aclOf(context: ActionContext, id: string | undefined): AccessControlList {
    const acl = findInRegion(context.store.state.accessControlLists, context.regionId, id);
    if (!acl) throw notFound("AclNotExist", "The specified acl does not exist.");
    return acl;
}

export function certificateOf(
    context: ActionContext,
    kind: SlbCertificate["kind"],
    id: string | undefined,
): SlbCertificate {
    const certificate = findInRegion(context.store.state.slbCertificates, context.regionId, id);
    const name = kind === "server" ? "ServerCertificateId" : "CACertificateId";
    if (certificate?.kind !== kind) throw notFound(`${name}.NotFound`, `The specified ${name} does not exist.`);
    return certificate;
}

/**
 * Resources by id, and the errors for those that are not there. Requests of this product name no region, so ids are looked up
 * in all of them.
 */
import type { AlbAcl, AlbListener, AlbRule, AlbServerGroup, ApplicationBalancer } from "../../model/alb";
import type { ActionContext } from "../action";
import { notFound } from "../errors";
import { refuse } from "./checks";

function found<T>(resources: Readonly<Record<string, T>>, id: string | undefined, kind: string): T {
    const resource = id !== undefined && Object.hasOwn(resources, id) ? resources[id] : undefined;
    if (resource === undefined)
        throw notFound(`ResourceNotFound.${kind}`, `The specified resource of ${kind} is not found.`);
    return resource;
}

export function balancerOf({ store }: ActionContext, id: string | undefined): ApplicationBalancer {
    return found(store.state.applicationBalancers, id, "LoadBalancer");
}

/** A balancer that takes changes. @throws CloudError `IncorrectStatus.LoadBalancer` while one is under way. */
export function settledBalancerOf(context: ActionContext, id: string | undefined): ApplicationBalancer {
    const balancer = balancerOf(context, id);
    if (context.now < balancer.change.until)
        refuse(
            "IncorrectStatus.LoadBalancer",
            `The status of ${balancer.id} [${balancer.change.status}] is incorrect.`,
        );
    return balancer;
}

export function listenerOf({ store }: ActionContext, id: string | undefined): AlbListener {
    return found(store.state.albListeners, id, "Listener");
}

/** A listener that takes changes. @throws CloudError `IncorrectStatus.Listener` while one is under way. */
export function settledListenerOf(context: ActionContext, id: string | undefined): AlbListener {
    const listener = listenerOf(context, id);
    if (context.now < listener.change.until)
        refuse("IncorrectStatus.Listener", `The status of ${listener.id} [${listener.change.status}] is incorrect.`);
    return listener;
}

export function ruleOf({ store }: ActionContext, id: string | undefined): AlbRule {
    return found(store.state.albRules, id, "Rule");
}

export function serverGroupOf({ store }: ActionContext, id: string | undefined): AlbServerGroup {
    return found(store.state.albServerGroups, id, "ServerGroup");
}

export function aclOf({ store }: ActionContext, id: string | undefined): AlbAcl {
    return found(store.state.albAcls, id, "Acl");
}

/** Listeners of a balancer. */
export function listenersOf({ store }: ActionContext, balancer: ApplicationBalancer): AlbListener[] {
    return Object.values(store.state.albListeners).filter(({ loadBalancerId }) => loadBalancerId === balancer.id);
}

/** Rules of a listener, the first to be asked first. */
export function rulesOf({ store }: ActionContext, listener: AlbListener): AlbRule[] {
    return Object.values(store.state.albRules)
        .filter(({ listenerId }) => listenerId === listener.id)
        .sort((a, b) => a.priority - b.priority);
}

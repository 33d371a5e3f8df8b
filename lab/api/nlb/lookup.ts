/** Resources of a request's region by id, and the errors for those that are not there. */
import type { NetworkBalancer, NlbListener, NlbServerGroup } from "../../model/nlb";
import type { ActionContext } from "../action";
import { notFound } from "../errors";
import { findInRegion } from "../listing";

function missing(kind: string, id: string | undefined): never {
    throw notFound(`ResourceNotFound.${kind}`, `The specified resource ${kind} ${id ?? ""} is not found.`);
}

export function balancerOf({ store, regionId }: ActionContext, id: string | undefined): NetworkBalancer {
    return findInRegion(store.state.networkBalancers, regionId, id) ?? missing("loadBalancer", id);
}

export function serverGroupOf({ store, regionId }: ActionContext, id: string | undefined): NlbServerGroup {
    return findInRegion(store.state.nlbServerGroups, regionId, id) ?? missing("serverGroup", id);
}

export function listenerOf({ store, regionId }: ActionContext, id: string | undefined): NlbListener {
    return findInRegion(store.state.nlbListeners, regionId, id) ?? missing("listener", id);
}

/** Listeners of a balancer, or those that use a server group. */
export function listenersWhere({ store }: ActionContext, is: (listener: NlbListener) => boolean): NlbListener[] {
    return Object.values(store.state.nlbListeners).filter(is);
}

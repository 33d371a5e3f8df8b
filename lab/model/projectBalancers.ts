/** From balancers of every product to what should balance on this machine, and to the names under which hosts find it. */
import type { DesiredBalancer, DesiredZone } from "./desired";
import { applicationBalancerNames, projectApplicationBalancers } from "./projectAlb";
import { networkBalancerNames, projectNetworkBalancers } from "./projectNlb";
import { projectClassicBalancers } from "./projectSlb";
import type { State } from "./state";

export function projectBalancers(state: State): DesiredBalancer[] {
    return [
        ...projectClassicBalancers(state),
        ...projectApplicationBalancers(state),
        ...projectNetworkBalancers(state),
    ];
}

/** Seconds for which hosts remember where a balancer is. */
const NAME_TTL = 60;

/** Names that the cloud gives to balancers, which hosts of every VPC know. */
export function projectBalancerNames(state: State): DesiredZone[] {
    const vpcIds = Object.keys(state.vpcs);
    return [...applicationBalancerNames(state), ...networkBalancerNames(state)].map(({ name, addresses }) => ({
        name,
        vpcIds,
        recursive: true,
        records: addresses.map((value) => ({ name, type: "A", value, ttl: NAME_TTL, priority: 0 })),
    }));
}

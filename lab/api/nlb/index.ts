import type { Action } from "../action";
import { jobActions } from "./jobs";
import { listenerActions } from "./listeners";
import { loadBalancerActions } from "./loadBalancers";
import { securityPolicyActions } from "./securityPolicies";
import { serverGroupActions } from "./serverGroups";
import { tagActions } from "./tags";
import { zoneActions } from "./zones";

/** Every action of `Nlb` 2022-04-30 (Network Load Balancer) that the lab has. */
export const actions: Action[] = [
    ...loadBalancerActions,
    ...serverGroupActions,
    ...listenerActions,
    ...securityPolicyActions,
    ...jobActions,
    ...tagActions,
    ...zoneActions,
];

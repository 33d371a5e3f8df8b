import type { Action } from "../action";
import { accessControlListActions } from "./accessControlLists";
import { healthActions } from "./health";
import { jobActions } from "./jobs";
import { listenerActions } from "./listeners";
import { loadBalancerActions } from "./loadBalancers";
import { loadBalancerSettingActions } from "./loadBalancerSettings";
import { ruleActions } from "./rules";
import { serverGroupActions } from "./serverGroups";
import { serverActions } from "./servers";
import { tagActions } from "./tags";
import { zoneActions } from "./zones";

/** Every action of `Alb` 2020-06-16 (Application Load Balancer) that the lab has. */
export const actions: Action[] = [
    ...loadBalancerActions,
    ...loadBalancerSettingActions,
    ...listenerActions,
    ...healthActions,
    ...ruleActions,
    ...serverGroupActions,
    ...serverActions,
    ...accessControlListActions,
    ...tagActions,
    ...jobActions,
    ...zoneActions,
];

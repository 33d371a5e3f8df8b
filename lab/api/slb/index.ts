import type { Action } from "../action";
import { accessControlListActions } from "./accessControlLists";
import { backendServerActions } from "./backendServers";
import { certificateActions } from "./certificates";
import { listenerActions } from "./listeners";
import { loadBalancerSettingActions } from "./loadBalancerSettings";
import { loadBalancerActions } from "./loadBalancers";
import { ruleActions } from "./rules";
import { serverGroupActions } from "./serverGroups";
import { tagActions } from "./tags";
import { zoneActions } from "./zones";

/** Every action of `Slb` 2014-05-15 (Classic Load Balancer) that the lab has. */
export const actions: Action[] = [
    ...loadBalancerActions,
    ...loadBalancerSettingActions,
    ...listenerActions,
    ...serverGroupActions,
    ...backendServerActions,
    ...ruleActions,
    ...accessControlListActions,
    ...certificateActions,
    ...tagActions,
    ...zoneActions,
];

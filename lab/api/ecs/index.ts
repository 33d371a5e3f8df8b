import type { Action } from "../action";
import { keyPairActions } from "./keyPairs";
import { securityGroupRuleActions } from "./securityGroupRules";
import { securityGroupActions } from "./securityGroups";

/** Every action of `Ecs` 2014-05-26 that the lab has. */
export const actions: Action[] = [...securityGroupActions, ...securityGroupRuleActions, ...keyPairActions];

import type { Action } from "../action";
import { attributeActions } from "./attributes";
import { deploymentSetActions } from "./deploymentSets";
import { describeInstanceActions } from "./describeInstances";
import { diskActions } from "./disks";
import { instanceSpecActions } from "./instanceSpecs";
import { keyPairActions } from "./keyPairs";
import { launchActions } from "./launch";
import { networkInterfaceActions } from "./networkInterfaces";
import { offerActions } from "./offers";
import { powerActions } from "./power";
import { securityGroupRuleActions } from "./securityGroupRules";
import { securityGroupActions } from "./securityGroups";
import { snapshotPolicyActions } from "./snapshotPolicies";
import { tagActions } from "./tags";

/** Every action of `Ecs` 2014-05-26 that the lab has. */
export const actions: Action[] = [
    ...securityGroupActions,
    ...securityGroupRuleActions,
    ...keyPairActions,
    ...launchActions,
    ...describeInstanceActions,
    ...powerActions,
    ...attributeActions,
    ...instanceSpecActions,
    ...diskActions,
    ...networkInterfaceActions,
    ...deploymentSetActions,
    ...snapshotPolicyActions,
    ...offerActions,
    ...tagActions,
];

import type { Action } from "../action";
import { eipAssociationActions } from "./eipAssociations";
import { eipActions } from "./eips";
import { forwardEntryActions } from "./forwardEntries";
import { haVipActions } from "./haVips";
import { natGatewayActions } from "./natGateways";
import { regionActions } from "./regions";
import { routeEntryActions } from "./routeEntries";
import { routeTableActions } from "./routeTables";
import { snatEntryActions } from "./snatEntries";
import { tagActions } from "./tags";
import { vpcActions } from "./vpcs";
import { vswitchActions } from "./vswitches";

/** Every action of `Vpc` 2016-04-28 that the lab has. */
export const actions: Action[] = [
    ...vpcActions,
    ...vswitchActions,
    ...routeTableActions,
    ...routeEntryActions,
    ...natGatewayActions,
    ...snatEntryActions,
    ...forwardEntryActions,
    ...eipActions,
    ...eipAssociationActions,
    ...haVipActions,
    ...tagActions,
    ...regionActions,
];

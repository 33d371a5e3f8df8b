/** Resources of a request's region by id, and the errors for those that are not there. */
import type { ActionContext } from "../action";
import { notFound } from "../errors";
import { findInRegion } from "../listing";
import type {
    Eip,
    ForwardEntry,
    HaVip,
    Instance,
    NatGateway,
    NetworkInterface,
    RouteTable,
    SnatEntry,
    VSwitch,
    Vpc,
} from "../../model/state";

export function vpcOf(context: ActionContext, id: string | undefined): Vpc {
    const vpc = findInRegion(context.store.state.vpcs, context.regionId, id);
    if (!vpc) throw notFound("InvalidVpcId.NotFound", "Specified value of VpcId is not found in our record.");
    return vpc;
}

/** @param code the API reference spells it differently for some actions. */
export function vswitchOf(context: ActionContext, id: string | undefined, code = "InvalidVSwitchId.NotFound"): VSwitch {
    const vswitch = findInRegion(context.store.state.vswitches, context.regionId, id);
    if (!vswitch) throw notFound(code, "Specified virtual switch does not exist.");
    return vswitch;
}

export function routeTableOf(context: ActionContext, id: string | undefined): RouteTable {
    const table = findInRegion(context.store.state.routeTables, context.regionId, id);
    if (!table) throw notFound("InvalidRouteTableId.NotFound", "Specified route table does not exist.");
    return table;
}

/** Every VPC has one from its creation to its end. */
export function systemTableOf(context: ActionContext, vpcId: string): RouteTable {
    const table = Object.values(context.store.state.routeTables).find(
        (candidate) => candidate.vpcId === vpcId && candidate.kind === "System",
    );
    if (!table) throw new Error(`The VPC ${vpcId} has no system route table.`);
    return table;
}

export function natGatewayOf(context: ActionContext, id: string | undefined): NatGateway {
    const gateway = findInRegion(context.store.state.natGateways, context.regionId, id);
    if (!gateway)
        throw notFound("InvalidNatGatewayId.NotFound", "The specified NatGatewayId does not exist in our records.");
    return gateway;
}

export function gatewayOfSnatTable(context: ActionContext, id: string | undefined): NatGateway {
    const gateway = gateways(context).find(({ snatTableId }) => snatTableId === id);
    if (!gateway) throw notFound("InvalidSnatTableId.NotFound", "Specified SNAT table does not exist.");
    return gateway;
}

export function gatewayOfForwardTable(context: ActionContext, id: string | undefined): NatGateway {
    const gateway = gateways(context).find(({ forwardTableId }) => forwardTableId === id);
    if (!gateway) throw notFound("InvalidForwardTableId.NotFound", "Specified forward table does not exist.");
    return gateway;
}

function gateways({ store, regionId }: ActionContext): NatGateway[] {
    return Object.values(store.state.natGateways).filter((gateway) => gateway.regionId === regionId);
}

export function snatEntryOf(context: ActionContext, gateway: NatGateway, id: string | undefined): SnatEntry {
    const entry = id === undefined ? undefined : context.store.state.snatEntries[id];
    if (entry?.natGatewayId !== gateway.id)
        throw notFound("InvalidSnatEntryId.NotFound", "Specified SNAT entry ID does not exist.");
    return entry;
}

export function forwardEntryOf(context: ActionContext, gateway: NatGateway, id: string | undefined): ForwardEntry {
    const entry = id === undefined ? undefined : context.store.state.forwardEntries[id];
    if (entry?.natGatewayId !== gateway.id)
        throw notFound("InvalidForwardEntryId.NotFound", "Specified forward entry ID does not exist.");
    return entry;
}

export function eipOf(context: ActionContext, id: string | undefined): Eip {
    const eip = findInRegion(context.store.state.eips, context.regionId, id);
    if (!eip || eip.ephemeralFor !== undefined)
        throw notFound("InvalidAllocationId.NotFound", "Specified allocation ID is not found.");
    return eip;
}

export function haVipOf(context: ActionContext, id: string | undefined): HaVip {
    const haVip = findInRegion(context.store.state.haVips, context.regionId, id);
    if (!haVip) throw notFound("InvalidHaVipId.NotFound", "The specified HaVip does not exist.");
    return haVip;
}

export function instanceOf(context: ActionContext, id: string | undefined): Instance {
    const instance = findInRegion(context.store.state.instances, context.regionId, id);
    // The VPC product spells it like this.
    if (!instance) throw notFound("InvalidInstanId.NotFound", "Specified instance does not exist.");
    return instance;
}

export function networkInterfaceOf(
    context: ActionContext,
    id: string | undefined,
    code = "InvalidInstanId.NotFound",
    message = "Specified instance does not exist.",
): NetworkInterface {
    const nic = findInRegion(context.store.state.networkInterfaces, context.regionId, id);
    if (!nic) throw notFound(code, message);
    return nic;
}

/** Resources of a request's region by id, and the errors for those that are not there. */
import type { ActionContext } from "../action";
import { notFound } from "../errors";
import { findInRegion } from "../listing";
import type {
    DeploymentSet,
    Disk,
    Instance,
    KeyPair,
    NetworkInterface,
    SecurityGroup,
    VSwitch,
    Vpc,
} from "../../model/state";

/**
 * A resource by its id alone: `RebootInstance`, `AttachDisk`, `DeleteDisk` and others name no region, the cloud takes
 * it from the endpoint, of which the lab has only one.
 */
function findAnywhere<T>(resources: Readonly<Record<string, T>>, id: string | undefined): T | undefined {
    return id !== undefined && Object.hasOwn(resources, id) ? resources[id] : undefined;
}

export function instanceOf({ store }: ActionContext, id: string | undefined): Instance {
    const instance = findAnywhere(store.state.instances, id);
    if (!instance) throw notFound("InvalidInstanceId.NotFound", "The specified InstanceId does not exist.");
    return instance;
}

/** A request that names an instance and no region, in the instance's region. */
export function inRegionOf({ regionId }: Instance, context: ActionContext): ActionContext {
    return { ...context, regionId };
}

export function findDisk({ store }: ActionContext, id: string | undefined): Disk | undefined {
    return findAnywhere(store.state.disks, id);
}

export function diskOf(context: ActionContext, id: string | undefined): Disk {
    const disk = findDisk(context, id);
    if (!disk) throw notFound("InvalidDiskId.NotFound", "The specified disk does not exist.");
    return disk;
}

export function networkInterfaceOf({ store }: ActionContext, id: string | undefined): NetworkInterface {
    const nic = findAnywhere(store.state.networkInterfaces, id);
    if (!nic) throw notFound("InvalidEniId.NotFound", "The specified ENI ID does not exist.");
    return nic;
}

/** @param code actions that name a group as a source or a destination have a code of their own. */
export function securityGroupOf(
    { store, regionId }: ActionContext,
    id: string | undefined,
    code = "InvalidSecurityGroupId.NotFound",
): SecurityGroup {
    const group = findInRegion(store.state.securityGroups, regionId, id);
    if (!group) throw notFound(code, "The specified SecurityGroupId does not exist.");
    return group;
}

export function vpcOf({ store, regionId }: ActionContext, id: string | undefined): Vpc {
    const vpc = findInRegion(store.state.vpcs, regionId, id);
    if (!vpc) throw notFound("InvalidVpcId.NotFound", "The specified VPC does not exist.");
    return vpc;
}

export function vswitchOf({ store, regionId }: ActionContext, id: string | undefined): VSwitch {
    const vswitch = findInRegion(store.state.vswitches, regionId, id);
    if (!vswitch) throw notFound("InvalidVSwitchId.NotFound", "The specified vSwitchId does not exist.");
    return vswitch;
}

/** Key pairs are known by their names, which are unique in a region. */
export function findKeyPair({ store, regionId }: ActionContext, name: string | undefined): KeyPair | undefined {
    return Object.values(store.state.keyPairs).find((pair) => pair.regionId === regionId && pair.name === name);
}

export function keyPairOf(context: ActionContext, name: string | undefined): KeyPair {
    const pair = findKeyPair(context, name);
    if (!pair) throw notFound("InvalidKeyPair.NotFound", "The parameter KeyPairName does not exist in our records.");
    return pair;
}

export function deploymentSetOf({ store, regionId }: ActionContext, id: string | undefined): DeploymentSet {
    const set = findInRegion(store.state.deploymentSets, regionId, id);
    if (!set) throw notFound("InvalidDeploymentSetId.NotFound", "The specified deployment set id does not exist.");
    return set;
}

/** The network interfaces of an instance, the primary one first. */
export function interfacesOf({ store }: Pick<ActionContext, "store">, instanceId: string): NetworkInterface[] {
    return Object.values(store.state.networkInterfaces)
        .filter((nic) => nic.instanceId === instanceId)
        .sort((a, b) => Number(b.kind === "Primary") - Number(a.kind === "Primary"));
}

/** The disks of an instance, the system disk first. */
export function disksOf({ store }: Pick<ActionContext, "store">, instanceId: string): Disk[] {
    return Object.values(store.state.disks)
        .filter((disk) => disk.instanceId === instanceId)
        .sort((a, b) => Number(b.kind === "system") - Number(a.kind === "system") || (a.device < b.device ? -1 : 1));
}

/** What a new network interface may be, and how it comes into the model. */
import { freeAddress, isAssignable, parseAddress, parseCidr, takenAddresses } from "../../model/addresses";
import { freeDeviceIndex } from "../../model/interfaces";
import type { Instance, NetworkInterface, SecurityGroup, VSwitch } from "../../model/state";
import type { ActionContext } from "../action";
import { createMac } from "../vpc/mac";
import { checkOneOf, refuse } from "./checks";
import { interfacesOf, securityGroupOf } from "./lookup";
import { quotas } from "./quotas";

/**
 * The security groups of an interface, in the form of one id or of a list.
 * @throws CloudError for a group that is not in the VPC, for none and for too many.
 */
export function securityGroupsFor(
    context: ActionContext,
    vpcId: string,
    single: string | undefined,
    list: readonly string[] | undefined,
): readonly string[] {
    const given = (list ?? []).filter((id) => id !== "");
    if (single && given.length > 0)
        refuse(
            "InvalidParameter.Conflict",
            "SecurityGroupId and SecurityGroupIds.N can't be specified at the same time.",
        );
    const ids = [...new Set(single ? [single] : given)];
    if (ids.length === 0)
        refuse(
            "MissingParameter",
            'The input parameter "SecurityGroupId" that is mandatory for processing this request is not supplied.',
        );
    const groups = ids.map((id) => securityGroupOf(context, id));
    checkGroups(groups, vpcId);
    return ids;
}

/** Refuses groups that can't be together on an interface of the VPC. */
export function checkGroups(groups: readonly SecurityGroup[], vpcId: string): void {
    if (groups.some((group) => group.vpcId !== vpcId))
        refuse("InvalidParameter.Mismatch", "Specified security group and virtual switch are not in the same VPC.");
    if (groups.length > quotas.securityGroupsPerInterface)
        refuse("InstanceSecurityGroupLimitExceeded", "Exceed the max number of security groups of an instance.", 403);
    if (new Set(groups.map(({ kind }) => kind)).size > 1)
        refuse(
            "InvalidOperation.InvalidEniType",
            "Basic and advanced security groups can't be used by one instance at the same time.",
            403,
        );
}

/**
 * Addresses of a VSwitch for new interfaces: each call takes one that is neither in the model nor was given before.
 * A first address makes all of them follow on it.
 * @param taken the addresses of the VSwitch that nobody gets; those that are given come to them.
 */
export function addressTaker(
    { store }: ActionContext,
    vswitch: VSwitch,
    first?: string,
    taken = takenAddresses(store.state, vswitch.id),
): () => string {
    const cidr = parseCidr(vswitch.cidr)!;
    let next = first === undefined || first === "" ? undefined : parsePrivateAddress(first);
    return () => {
        if (next === undefined) {
            const address = freeAddress(cidr, taken);
            if (address === undefined)
                return refuse("QuotaExceeded.PrivateIpAddress", "Don't have enough private IPs in this switch");
            taken.add(address);
            return address;
        }
        const address = [24, 16, 8, 0].map((shift) => Math.floor(next! / 2 ** shift) % 256).join(".");
        checkPrivateAddress(address, vswitch, taken);
        taken.add(address);
        next += 1;
        return address;
    };
}

function parsePrivateAddress(text: string): number {
    return (
        parseAddress(text) ?? refuse("InvalidPrivateIpAddress.Malformed", "Specified private IP address is malformed.")
    );
}

/** Refuses an address that can't be given to an interface of the VSwitch. */
export function checkPrivateAddress(address: string, vswitch: VSwitch, taken: ReadonlySet<string>): void {
    parsePrivateAddress(address);
    if (!isAssignable(parseCidr(vswitch.cidr)!, address))
        refuse("InvalidPrivateIpAddress", "Specified private IP address is not in the CIDR block of virtual switch.");
    if (taken.has(address)) refuse("InvalidPrivateIpAddress.Duplicated", "Specified private IP address is duplicated.");
}

/** What is known of an interface before it has an id. */
export type InterfaceSpec = Pick<NetworkInterface, "kind" | "primaryIp" | "securityGroupIds"> &
    Partial<
        Pick<
            NetworkInterface,
            | "name"
            | "description"
            | "tags"
            | "resourceGroupId"
            | "secondaryIps"
            | "ipv6Addresses"
            | "instanceId"
            | "queueNumber"
            | "trafficMode"
            | "queuePairNumber"
            | "networkCardIndex"
            | "sourceDestCheck"
            | "deleteOnRelease"
        >
    >;

/** Settings of an interface that the lab's hosts have no hardware for: they are kept and answered. */
export function hardwareOf(wish: {
    readonly networkInterfaceTrafficMode?: string;
    readonly queuePairNumber?: number;
    readonly networkCardIndex?: number;
}): Pick<InterfaceSpec, "trafficMode" | "queuePairNumber" | "networkCardIndex"> {
    const { networkInterfaceTrafficMode: trafficMode, queuePairNumber, networkCardIndex } = wish;
    checkOneOf(trafficMode, ["Standard", "HighPerformance"], "NetworkInterfaceTrafficMode");
    return {
        ...(trafficMode && { trafficMode }),
        ...(queuePairNumber !== undefined && { queuePairNumber }),
        ...(networkCardIndex !== undefined && { networkCardIndex }),
    };
}

/** Puts a network interface into the model. */
export function addInterface(context: ActionContext, vswitch: VSwitch, spec: InterfaceSpec): NetworkInterface {
    const { store, regionId, now } = context;
    const nic: NetworkInterface = {
        id: store.newId("eni"),
        regionId,
        createdAt: now,
        name: "",
        description: "",
        tags: {},
        resourceGroupId: "",
        vpcId: vswitch.vpcId,
        vswitchId: vswitch.id,
        zoneId: vswitch.zoneId,
        mac: createMac(),
        secondaryIps: [],
        instanceId: "",
        status: spec.instanceId ? "InUse" : "Available",
        queueNumber: 1,
        sourceDestCheck: false,
        deleteOnRelease: true,
        serviceManaged: false,
        ...spec,
    };
    if (nic.instanceId !== "") nic.deviceIndex = freeDeviceIndex(interfacesOf(context, nic.instanceId));
    store.state.networkInterfaces[nic.id] = nic;
    return nic;
}

/** Gives an instance an interface that belongs to none. */
export function attachInterface(context: ActionContext, nic: NetworkInterface, instance: Instance): void {
    nic.deviceIndex = freeDeviceIndex(interfacesOf(context, instance.id));
    nic.instanceId = instance.id;
    nic.status = "InUse";
}

/** Takes an interface from its instance. */
export function detachInterface(nic: NetworkInterface): void {
    delete nic.deviceIndex;
    delete nic.networkCardIndex;
    nic.instanceId = "";
    nic.status = "Available";
}

import { AssignIpv6AddressesRequest } from "@alicloud/ecs20140526/dist/models/AssignIpv6addressesRequest";
import { AssignIpv6AddressesResponseBody } from "@alicloud/ecs20140526/dist/models/AssignIpv6addressesResponseBody";
import { AssignPrivateIpAddressesRequest } from "@alicloud/ecs20140526/dist/models/AssignPrivateIpAddressesRequest";
import { AssignPrivateIpAddressesResponseBody } from "@alicloud/ecs20140526/dist/models/AssignPrivateIpAddressesResponseBody";
import { AttachNetworkInterfaceRequest } from "@alicloud/ecs20140526/dist/models/AttachNetworkInterfaceRequest";
import { AttachNetworkInterfaceResponseBody } from "@alicloud/ecs20140526/dist/models/AttachNetworkInterfaceResponseBody";
import { CreateNetworkInterfaceRequest } from "@alicloud/ecs20140526/dist/models/CreateNetworkInterfaceRequest";
import { CreateNetworkInterfaceResponseBody } from "@alicloud/ecs20140526/dist/models/CreateNetworkInterfaceResponseBody";
import { DeleteNetworkInterfaceRequest } from "@alicloud/ecs20140526/dist/models/DeleteNetworkInterfaceRequest";
import { DeleteNetworkInterfaceResponseBody } from "@alicloud/ecs20140526/dist/models/DeleteNetworkInterfaceResponseBody";
import { DescribeNetworkInterfaceAttributeRequest } from "@alicloud/ecs20140526/dist/models/DescribeNetworkInterfaceAttributeRequest";
import { DescribeNetworkInterfaceAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeNetworkInterfaceAttributeResponseBody";
import { DescribeNetworkInterfacesRequest } from "@alicloud/ecs20140526/dist/models/DescribeNetworkInterfacesRequest";
import { DescribeNetworkInterfacesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeNetworkInterfacesResponseBody";
import { DetachNetworkInterfaceRequest } from "@alicloud/ecs20140526/dist/models/DetachNetworkInterfaceRequest";
import { DetachNetworkInterfaceResponseBody } from "@alicloud/ecs20140526/dist/models/DetachNetworkInterfaceResponseBody";
import { ModifyNetworkInterfaceAttributeRequest } from "@alicloud/ecs20140526/dist/models/ModifyNetworkInterfaceAttributeRequest";
import { ModifyNetworkInterfaceAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyNetworkInterfaceAttributeResponseBody";
import { UnassignIpv6AddressesRequest } from "@alicloud/ecs20140526/dist/models/UnassignIpv6addressesRequest";
import { UnassignIpv6AddressesResponseBody } from "@alicloud/ecs20140526/dist/models/UnassignIpv6addressesResponseBody";
import { UnassignPrivateIpAddressesRequest } from "@alicloud/ecs20140526/dist/models/UnassignPrivateIpAddressesRequest";
import { UnassignPrivateIpAddressesResponseBody } from "@alicloud/ecs20140526/dist/models/UnassignPrivateIpAddressesResponseBody";
import { takenAddresses } from "../../model/addresses";
import { forgetHaVipMembers, releaseHaVips } from "../../model/haVip";
import { forgetServers } from "../../model/slb";
import type { Eip, Instance, NetworkInterface } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { missingParameter } from "../errors";
import { hasTags, inRegion, matches, toTags } from "../listing";
import { ecsAction } from "./action";
import { findInstanceType } from "./catalogue/instanceTypes";
import { checkDescription, checkName, checkResourceGroup, checkTags, refuse } from "./checks";
import {
    addInterface,
    addressTaker,
    attachInterface,
    checkGroups,
    checkPrivateAddress,
    detachInterface,
    hardwareOf,
    securityGroupsFor,
} from "./interfaceSpecs";
import { compressIpv6, hasIpv6, ipv6View, newIpv6Addresses } from "./ipv6";
import { instanceOf, interfacesOf, networkInterfaceOf, securityGroupOf, vswitchOf } from "./lookup";
import { pageOf } from "./pages";
import { quotas } from "./quotas";
import { tagsView } from "./view";

const createNetworkInterface = ecsAction({
    name: "CreateNetworkInterface",
    request: CreateNetworkInterfaceRequest,
    response: CreateNetworkInterfaceResponseBody,
    required: ["VSwitchId"],
    writes: true,
    handle: (request, context) => {
        const vswitch = vswitchOf(context, request.vSwitchId);
        const securityGroupIds = securityGroupsFor(
            context,
            vswitch.vpcId,
            request.securityGroupId,
            request.securityGroupIds,
        );
        checkName(request.networkInterfaceName, "InvalidEniName.Malformed", "NetworkInterfaceName");
        checkDescription(request.description, "InvalidDescription.Malformed");
        checkTags(request.tag);
        checkResourceGroup(request.resourceGroupId);
        refusePrefixes(request);
        const hardware = hardwareOf(request);
        const primaryIp = addressTaker(context, vswitch, request.primaryIpAddress)();
        const secondaryIps = newSecondaryIps(context, vswitch.id, request, new Set([primaryIp]));
        const ipv6Addresses = newIpv6Addresses(context, vswitch, request, MAX_IPV6_DETACHED);
        context.checked();
        const nic = addInterface(context, vswitch, {
            kind: "Secondary",
            primaryIp,
            secondaryIps,
            ipv6Addresses,
            securityGroupIds: [...securityGroupIds],
            name: request.networkInterfaceName ?? "",
            description: request.description ?? "",
            tags: toTags(request.tag),
            resourceGroupId: request.resourceGroupId ?? "",
            queueNumber: request.queueNumber ?? 1,
            deleteOnRelease: request.deleteOnRelease ?? true,
            sourceDestCheck: request.sourceDestCheck ?? false,
            ...hardware,
        });
        return {
            networkInterfaceId: nic.id,
            networkInterfaceName: nic.name,
            description: nic.description,
            macAddress: nic.mac,
            ownerId: context.accountId,
            privateIpAddress: nic.primaryIp,
            privateIpSets: { privateIpSet: privateIps(nic) },
            ipv4PrefixSets: { ipv4PrefixSet: [] },
            ipv6PrefixSets: { ipv6PrefixSet: [] },
            ipv6Sets: ipv6View(nic),
            resourceGroupId: nic.resourceGroupId,
            securityGroupIds: { securityGroupId: nic.securityGroupIds },
            serviceID: 0,
            serviceManaged: false,
            sourceDestCheck: nic.sourceDestCheck,
            status: nic.status,
            tags: tagsView(nic.tags),
            type: nic.kind,
            vSwitchId: nic.vswitchId,
            vpcId: nic.vpcId,
            zoneId: nic.zoneId,
        };
    },
});

/** IPv6 addresses of an interface that belongs to no instance. */
const MAX_IPV6_DETACHED = 10;

/** Refuses ranges of addresses, which the lab's interfaces can't have. */
function refusePrefixes(wish: {
    readonly ipv4Prefix?: readonly string[];
    readonly ipv4PrefixCount?: number;
    readonly ipv6Prefix?: readonly string[];
    readonly ipv6PrefixCount?: number;
}): void {
    const named = [...(wish.ipv4Prefix ?? []), ...(wish.ipv6Prefix ?? [])].some((prefix) => prefix !== "");
    if (named || (wish.ipv4PrefixCount ?? 0) > 0 || (wish.ipv6PrefixCount ?? 0) > 0)
        refuse("UnsupportedOperation", "The lab's interfaces have single addresses, no prefixes.");
}

interface SecondaryWish {
    readonly privateIpAddress?: readonly string[];
    readonly secondaryPrivateIpAddressCount?: number;
}

/** Secondary addresses that a request names or counts. */
function newSecondaryIps(
    context: ActionContext,
    vswitchId: string,
    wish: SecondaryWish,
    reserved: ReadonlySet<string> = new Set(),
): string[] {
    const vswitch = vswitchOf(context, vswitchId);
    const named = wish.privateIpAddress?.filter((address) => address !== "") ?? [];
    const count = wish.secondaryPrivateIpAddressCount ?? 0;
    if (named.length > 0 && count > 0)
        refuse(
            "InvalidParameter.Conflict",
            "PrivateIpAddress.N and SecondaryPrivateIpAddressCount can't be specified at the same time.",
        );
    if (named.length > quotas.secondaryIpsPerRequest || count > quotas.secondaryIpsPerRequest || count < 0)
        refuse("InvalidParameter.SecondaryPrivateIpAddressCount", "The number of secondary addresses is not valid.");
    if (named.length > 0) {
        const taken = new Set([...takenAddresses(context.store.state, vswitch.id), ...reserved]);
        for (const address of named) {
            checkPrivateAddress(address, vswitch, taken);
            taken.add(address);
        }
        return named;
    }
    const take = addressTaker(context, vswitch);
    return Array.from({ length: count }, () => {
        let address = take();
        while (reserved.has(address)) address = take();
        return address;
    });
}

const attachNetworkInterface = ecsAction({
    name: "AttachNetworkInterface",
    request: AttachNetworkInterfaceRequest,
    response: AttachNetworkInterfaceResponseBody,
    required: ["NetworkInterfaceId", "InstanceId"],
    writes: true,
    handle: async (request, context) => {
        const nic = networkInterfaceOf(context, request.networkInterfaceId);
        const instance = instanceOf(context, request.instanceId);
        refuseManaged(nic);
        if (nic.instanceId !== "") refuseEniState();
        requireSteady(instance);
        if (nic.vpcId !== instance.vpcId)
            refuse("InvalidOperation.VpcMismatch", "The VPC of the ENI and of the instance are different.", 403);
        if (nic.zoneId !== instance.zoneId)
            refuse(
                "InvalidOperation.AvailabilityZoneMismatch",
                "The availability zones of the ENI and of the instance are different.",
                403,
            );
        const most = findInstanceType(instance.instanceType)?.enis ?? 2;
        if (interfacesOf(context, instance.id).length >= most)
            refuse("EniPerInstanceLimitExceeded", "The maximum number of ENIs of the instance is exceeded.", 403);
        context.checked();
        attachInterface(context, nic, instance);
        if (request.networkCardIndex !== undefined) nic.networkCardIndex = request.networkCardIndex;
        await context.applied(instance.id);
        return {};
    },
});

/** Interfaces of another product can't be changed by its users. */
function refuseManaged(nic: NetworkInterface): void {
    if (nic.serviceManaged)
        refuse(
            "InvalidOperation.EniServiceManaged",
            "The operation is not allowed: the ENI is managed by another product.",
            403,
        );
}

// Clients wait for another state when they read these codes, and for these only.

function refuseEniState(): never {
    return refuse("InvalidOperation.InvalidEniState", "The operation is not allowed in the current ENI state.");
}

function requireSteady({ status }: Instance): void {
    if (status !== "Running" && status !== "Stopped")
        refuse("InvalidOperation.InvalidEcsState", "The operation is not allowed in the current ECS state.");
}

const detachNetworkInterface = ecsAction({
    name: "DetachNetworkInterface",
    request: DetachNetworkInterfaceRequest,
    response: DetachNetworkInterfaceResponseBody,
    required: ["NetworkInterfaceId"],
    writes: true,
    handle: async (request, context) => {
        const nic = networkInterfaceOf(context, request.networkInterfaceId);
        refuseManaged(nic);
        if (nic.kind === "Primary")
            refuse(
                "InvalidOperation.DetachPrimaryEniNotAllowed",
                "Detaching primary ENI from ECS instance is not allowed.",
            );
        const { instanceId } = nic;
        if (instanceId === "" || (request.instanceId && request.instanceId !== instanceId)) refuseEniState();
        requireSteady(instanceOf(context, instanceId));
        context.checked();
        releaseHaVips(context.store.state, nic.id);
        detachInterface(nic);
        await context.applied(instanceId);
        return {};
    },
});

const deleteNetworkInterface = ecsAction({
    name: "DeleteNetworkInterface",
    request: DeleteNetworkInterfaceRequest,
    response: DeleteNetworkInterfaceResponseBody,
    required: ["NetworkInterfaceId"],
    writes: true,
    handle: (request, context) => {
        const { state } = context.store;
        const nic = networkInterfaceOf(context, request.networkInterfaceId);
        refuseManaged(nic);
        if (nic.kind === "Primary")
            refuse("InvalidOperation.InvalidEniType", "The operation is not allowed on a primary ENI.", 403);
        if (nic.instanceId !== "") refuseEniState();
        context.checked();
        for (const eip of Object.values(state.eips)) if (eip.binding?.instanceId === nic.id) delete eip.binding;
        forgetServers(state, new Set([nic.id]));
        forgetHaVipMembers(state, new Set([nic.id]));
        Reflect.deleteProperty(state.networkInterfaces, nic.id);
        return {};
    },
});

const modifyNetworkInterfaceAttribute = ecsAction({
    name: "ModifyNetworkInterfaceAttribute",
    request: ModifyNetworkInterfaceAttributeRequest,
    response: ModifyNetworkInterfaceAttributeResponseBody,
    required: ["NetworkInterfaceId"],
    writes: true,
    handle: async (request, context) => {
        const nic = networkInterfaceOf(context, request.networkInterfaceId);
        refuseManaged(nic);
        checkName(request.networkInterfaceName, "InvalidEniName.Malformed", "NetworkInterfaceName");
        checkDescription(request.description, "InvalidDescription.Malformed");
        const groups = request.securityGroupId?.filter((id) => id !== "") ?? [];
        checkGroups(
            groups.map((id) => securityGroupOf(context, id)),
            nic.vpcId,
        );
        context.checked();
        nic.name = request.networkInterfaceName ?? nic.name;
        nic.description = request.description ?? nic.description;
        nic.queueNumber = request.queueNumber ?? nic.queueNumber;
        nic.deleteOnRelease = request.deleteOnRelease ?? nic.deleteOnRelease;
        nic.sourceDestCheck = request.sourceDestCheck ?? nic.sourceDestCheck;
        if (groups.length > 0) setSecurityGroups(context, nic, groups);
        await context.applied();
        return {};
    },
});

/** Gives an interface other security groups; those of a primary one are its instance's. */
export function setSecurityGroups({ store }: ActionContext, nic: NetworkInterface, ids: readonly string[]): void {
    nic.securityGroupIds = [...new Set(ids)];
    const instance = store.state.instances[nic.instanceId];
    if (instance && nic.kind === "Primary") instance.securityGroupIds = [...nic.securityGroupIds];
}

const assignPrivateIpAddresses = ecsAction({
    name: "AssignPrivateIpAddresses",
    request: AssignPrivateIpAddressesRequest,
    response: AssignPrivateIpAddressesResponseBody,
    required: ["NetworkInterfaceId"],
    writes: true,
    handle: async (request, context) => {
        const nic = networkInterfaceOf(context, request.networkInterfaceId);
        refuseManaged(nic);
        refusePrefixes(request);
        const added = newSecondaryIps(context, nic.vswitchId, request);
        if (added.length === 0) throw missingParameter("SecondaryPrivateIpAddressCount");
        const type = findInstanceType(context.store.state.instances[nic.instanceId]?.instanceType);
        if (type && 1 + nic.secondaryIps.length + added.length > type.ipsPerEni)
            refuse("PrivateIpLimitExceeded", "The number of private IPs exceeds the limit of the instance type.", 403);
        context.checked();
        nic.secondaryIps.push(...added);
        await context.applied();
        return {
            assignedPrivateIpAddressesSet: {
                networkInterfaceId: nic.id,
                privateIpSet: { privateIpAddress: added },
                ipv4PrefixSet: { ipv4Prefixes: [] },
            },
        };
    },
});

const unassignPrivateIpAddresses = ecsAction({
    name: "UnassignPrivateIpAddresses",
    request: UnassignPrivateIpAddressesRequest,
    response: UnassignPrivateIpAddressesResponseBody,
    required: ["NetworkInterfaceId"],
    writes: true,
    handle: async (request, context) => {
        const nic = networkInterfaceOf(context, request.networkInterfaceId);
        refuseManaged(nic);
        const gone = request.privateIpAddress?.filter((address) => address !== "") ?? [];
        if (gone.length === 0) throw missingParameter("PrivateIpAddress");
        if (gone.some((address) => !nic.secondaryIps.includes(address)))
            refuse("InvalidIp.IpUnassigned", "The specified IP is not a secondary address of the ENI.");
        const bound = Object.values(context.store.state.eips).some(
            ({ binding }) => binding?.instanceId === nic.id && gone.includes(binding.privateIp ?? ""),
        );
        if (bound) refuse("InvalidIp.Address", "The specified IP has an elastic IP address.", 403);
        context.checked();
        nic.secondaryIps = nic.secondaryIps.filter((address) => !gone.includes(address));
        await context.applied();
        return {};
    },
});

const assignIpv6Addresses = ecsAction({
    name: "AssignIpv6Addresses",
    request: AssignIpv6AddressesRequest,
    response: AssignIpv6AddressesResponseBody,
    required: ["NetworkInterfaceId"],
    writes: true,
    handle: (request, context) => {
        const nic = networkInterfaceOf(context, request.networkInterfaceId);
        refuseManaged(nic);
        refusePrefixes(request);
        const held = nic.ipv6Addresses ?? [];
        const type = findInstanceType(context.store.state.instances[nic.instanceId]?.instanceType);
        const room = (type?.ipv6PerEni ?? MAX_IPV6_DETACHED) - held.length;
        const added = newIpv6Addresses(context, vswitchOf(context, nic.vswitchId), request, room);
        if (added.length === 0) throw missingParameter("Ipv6AddressCount");
        context.checked();
        nic.ipv6Addresses = [...held, ...added];
        return {
            networkInterfaceId: nic.id,
            ipv6Sets: { ipv6Address: added },
            ipv6PrefixSets: { ipv6Prefix: [] },
        };
    },
});

const unassignIpv6Addresses = ecsAction({
    name: "UnassignIpv6Addresses",
    request: UnassignIpv6AddressesRequest,
    response: UnassignIpv6AddressesResponseBody,
    required: ["NetworkInterfaceId", "Ipv6Address"],
    writes: true,
    handle: (request, context) => {
        const nic = networkInterfaceOf(context, request.networkInterfaceId);
        refuseManaged(nic);
        const held = nic.ipv6Addresses ?? [];
        const gone = (request.ipv6Address ?? []).map((address) => compressIpv6(address) ?? address);
        if (gone.some((address) => !held.includes(address)))
            refuse("InvalidIp.IpUnassigned", "The specified IP is not an address of the ENI.");
        context.checked();
        nic.ipv6Addresses = held.filter((address) => !gone.includes(address));
        return {};
    },
});

function privateIps(nic: NetworkInterface) {
    return [
        { primary: true, privateIpAddress: nic.primaryIp },
        ...nic.secondaryIps.map((privateIpAddress) => ({ primary: false, privateIpAddress })),
    ];
}

/** Public addresses by the private ones that they lead to. */
function publicIpsOf({ store }: ActionContext, nic: NetworkInterface): ReadonlyMap<string, Eip> {
    const found = new Map<string, Eip>();
    for (const eip of Object.values(store.state.eips)) {
        const { binding } = eip;
        if (!binding) continue;
        if (binding.instanceId === nic.id) found.set(binding.privateIp ?? nic.primaryIp, eip);
        else if (binding.instanceId === nic.instanceId && nic.kind === "Primary" && nic.instanceId !== "")
            found.set(nic.primaryIp, eip);
    }
    return found;
}

function interfaceView(context: ActionContext, nic: NetworkInterface) {
    const eips = publicIpsOf(context, nic);
    const publicIp = (address: string) => {
        const eip = eips.get(address);
        return eip
            ? { publicIpAddress: eip.address, ...(eip.ephemeralFor === undefined && { allocationId: eip.id }) }
            : {};
    };
    return {
        networkInterfaceId: nic.id,
        networkInterfaceName: nic.name,
        description: nic.description,
        creationTime: nic.createdAt,
        macAddress: nic.mac,
        ownerId: context.accountId,
        type: nic.kind,
        status: nic.status,
        instanceId: nic.instanceId,
        vpcId: nic.vpcId,
        vSwitchId: nic.vswitchId,
        zoneId: nic.zoneId,
        privateIpAddress: nic.primaryIp,
        privateIpSets: {
            privateIpSet: privateIps(nic).map((each) => ({
                ...each,
                associatedPublicIp: publicIp(each.privateIpAddress),
            })),
        },
        associatedPublicIp: publicIp(nic.primaryIp),
        attachment: {
            ...(nic.instanceId !== "" && { instanceId: nic.instanceId, deviceIndex: nic.deviceIndex ?? 0 }),
            networkCardIndex: nic.networkCardIndex ?? 0,
            trunkNetworkInterfaceId: "",
        },
        ipv4PrefixSets: { ipv4PrefixSet: [] },
        ipv6PrefixSets: { ipv6PrefixSet: [] },
        ipv6Sets: ipv6View(nic),
        networkInterfaceTrafficMode: nic.trafficMode ?? "Standard",
        queueNumber: nic.queueNumber,
        queuePairNumber: nic.queuePairNumber ?? 0,
        sourceDestCheck: nic.sourceDestCheck,
        deleteOnRelease: nic.deleteOnRelease,
        resourceGroupId: nic.resourceGroupId,
        securityGroupIds: { securityGroupId: nic.securityGroupIds },
        serviceID: 0,
        serviceManaged: nic.serviceManaged,
        tags: tagsView(nic.tags),
    };
}

const describeNetworkInterfaces = ecsAction({
    name: "DescribeNetworkInterfaces",
    request: DescribeNetworkInterfacesRequest,
    response: DescribeNetworkInterfacesResponseBody,
    writes: false,
    handle: (query, context) => {
        const ids = query.networkInterfaceId?.filter((id) => id !== "") ?? [];
        const addresses = query.privateIpAddress?.filter((address) => address !== "") ?? [];
        const found = inRegion(context.store.state.networkInterfaces, context.regionId)
            .filter(
                (nic) =>
                    (ids.length === 0 || ids.includes(nic.id)) &&
                    (addresses.length === 0 ||
                        [nic.primaryIp, ...nic.secondaryIps].some((address) => addresses.includes(address))) &&
                    matches(query.instanceId, nic.instanceId) &&
                    matches(query.primaryIpAddress, nic.primaryIp) &&
                    matches(query.networkInterfaceName, nic.name) &&
                    matches(query.type, nic.kind) &&
                    matches(query.status, nic.status) &&
                    matches(query.vpcId, nic.vpcId) &&
                    matches(query.vSwitchId, nic.vswitchId) &&
                    matches(query.resourceGroupId, nic.resourceGroupId) &&
                    matches(query.serviceManaged, nic.serviceManaged) &&
                    (!query.securityGroupId || nic.securityGroupIds.includes(query.securityGroupId)) &&
                    hasIpv6(query.ipv6Address, nic) &&
                    hasTags(nic, query.tag),
            )
            .reverse();
        const { items, ...page } = pageOf(found, query, { default: 10, max: 500, byToken: [10, 500] });
        return {
            ...page,
            networkInterfaceSets: { networkInterfaceSet: items.map((nic) => interfaceView(context, nic)) },
        };
    },
});

const describeNetworkInterfaceAttribute = ecsAction({
    name: "DescribeNetworkInterfaceAttribute",
    request: DescribeNetworkInterfaceAttributeRequest,
    response: DescribeNetworkInterfaceAttributeResponseBody,
    required: ["NetworkInterfaceId"],
    writes: false,
    handle: (request, context) => {
        const { attachment, ...view } = interfaceView(context, networkInterfaceOf(context, request.networkInterfaceId));
        return {
            ...view,
            attachment: { ...attachment, memberNetworkInterfaceIds: { memberNetworkInterfaceId: [] } },
            connectionTrackingConfiguration: {
                tcpEstablishedTimeout: 910,
                tcpClosedAndTimeWaitTimeout: 3,
                udpTimeout: 30,
            },
        };
    },
});

export const networkInterfaceActions: readonly Action[] = [
    createNetworkInterface,
    attachNetworkInterface,
    detachNetworkInterface,
    deleteNetworkInterface,
    modifyNetworkInterfaceAttribute,
    assignPrivateIpAddresses,
    unassignPrivateIpAddresses,
    assignIpv6Addresses,
    unassignIpv6Addresses,
    describeNetworkInterfaces,
    describeNetworkInterfaceAttribute,
];

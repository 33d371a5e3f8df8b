import { AllocatePublicIpAddressRequest } from "@alicloud/ecs20140526/dist/models/AllocatePublicIpAddressRequest";
import { AllocatePublicIpAddressResponseBody } from "@alicloud/ecs20140526/dist/models/AllocatePublicIpAddressResponseBody";
import { JoinSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/JoinSecurityGroupRequest";
import { JoinSecurityGroupResponseBody } from "@alicloud/ecs20140526/dist/models/JoinSecurityGroupResponseBody";
import { LeaveSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/LeaveSecurityGroupRequest";
import { LeaveSecurityGroupResponseBody } from "@alicloud/ecs20140526/dist/models/LeaveSecurityGroupResponseBody";
import { ModifyInstanceChargeTypeRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceChargeTypeRequest";
import { ModifyInstanceChargeTypeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceChargeTypeResponseBody";
import { ModifyInstanceNetworkSpecRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceNetworkSpecRequest";
import { ModifyInstanceNetworkSpecResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceNetworkSpecResponseBody";
import { ModifyInstanceSpecRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceSpecRequest";
import { ModifyInstanceSpecResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceSpecResponseBody";
import { ModifyInstanceVpcAttributeRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceVpcAttributeRequest";
import { ModifyInstanceVpcAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceVpcAttributeResponseBody";
import { ModifyPrepayInstanceSpecRequest } from "@alicloud/ecs20140526/dist/models/ModifyPrepayInstanceSpecRequest";
import { ModifyPrepayInstanceSpecResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyPrepayInstanceSpecResponseBody";
import { ReplaceSystemDiskRequest } from "@alicloud/ecs20140526/dist/models/ReplaceSystemDiskRequest";
import { ReplaceSystemDiskResponseBody } from "@alicloud/ecs20140526/dist/models/ReplaceSystemDiskResponseBody";
import { isHaVipMember } from "../../model/haVip";
import { ownsKernel } from "../../model/sizes";
import type { Instance, NetworkInterface } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { missingParameter } from "../errors";
import { ecsAction } from "./action";
import { findImage } from "./catalogue/images";
import { checkOneOf, checkPassword, refuse, requiredIdList, valueOr } from "./checks";
import { addDisk, checkCategory, systemDiskSpec } from "./diskSpecs";
import { addressTaker, checkGroups, securityGroupsFor } from "./interfaceSpecs";
import { bootable, checkBandwidthOut, expiryAfter, instanceTypeOf, orderId } from "./launch";
import {
    disksOf,
    inRegionOf,
    instanceOf,
    interfacesOf,
    keyPairOf,
    networkInterfaceOf,
    securityGroupOf,
    vswitchOf,
} from "./lookup";
import { setSecurityGroups } from "./networkInterfaces";
import { requireStatus } from "./power";
import { addPublicIp, boundEipOf, publicIpOf, releasePublicIp, takePublicAddresses } from "./publicIps";
import { quotas } from "./quotas";

function requireCharge(instance: Instance, type: Instance["instanceChargeType"]): void {
    if (instance.instanceChargeType !== type)
        refuse("ChargeTypeViolation", "The operation is not permitted due to charge type of the instance.", 403);
}

/** Checks a change of the type, which is done by what is returned. */
function typeChange(context: ActionContext, instance: Instance, id: string): () => void {
    const type = instanceTypeOf(id);
    requireStatus(instance, "Stopped");
    const before = instanceTypeOf(instance.instanceType);
    // What is on the system disk boots on one kind of machine only.
    if (ownsKernel(type.id) !== ownsKernel(before.id) || type.architecture !== before.architecture)
        refuse(
            "InvalidInstanceType.NotSupported",
            "The instance can't be changed to the specified instance type from the one that it has.",
            403,
        );
    for (const disk of disksOf(context, instance.id))
        checkCategory(disk.category, type, disk.kind === "system" ? "System" : "Data");
    if (interfacesOf(context, instance.id).length > type.enis)
        refuse("InvalidInstanceType.NotSupported", "The instance type does not support so many ENIs.", 403);
    return () => {
        instance.instanceType = type.id;
        instance.creditSpecification = type.credits ? valueOr(instance.creditSpecification, "Standard") : "";
        Object.assign(instance.extra, {
            cpuCores: Math.max(1, type.vcpus / 2),
            threadsPerCore: type.vcpus > 1 ? 2 : 1,
        });
    };
}

const modifyInstanceSpec = ecsAction({
    name: "ModifyInstanceSpec",
    request: ModifyInstanceSpecRequest,
    response: ModifyInstanceSpecResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        requireCharge(instance, "PostPaid");
        const out = request.internetMaxBandwidthOut;
        if (!request.instanceType && out === undefined) throw missingParameter("InstanceType");
        if (out !== undefined) checkBandwidthOut(out);
        const change = request.instanceType ? typeChange(context, instance, request.instanceType) : undefined;
        context.checked();
        change?.();
        if (out !== undefined) setBandwidth(context, instance, out, request.internetMaxBandwidthIn);
        return {};
    },
});

const modifyPrepayInstanceSpec = ecsAction({
    name: "ModifyPrepayInstanceSpec",
    request: ModifyPrepayInstanceSpecRequest,
    response: ModifyPrepayInstanceSpecResponseBody,
    required: ["InstanceId", "InstanceType"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        requireCharge(instance, "PrePaid");
        const change = typeChange(context, instance, request.instanceType!);
        context.checked();
        change();
        return { orderId: orderId() };
    },
});

const modifyInstanceChargeType = ecsAction({
    name: "ModifyInstanceChargeType",
    request: ModifyInstanceChargeTypeRequest,
    response: ModifyInstanceChargeTypeResponseBody,
    required: ["InstanceIds"],
    writes: true,
    handle: (request, context) => {
        const instances = requiredIdList(request.instanceIds, "InstanceIds", 20).map((id) => instanceOf(context, id));
        const type = valueOr(request.instanceChargeType, "PrePaid");
        checkOneOf(type, ["PrePaid", "PostPaid"], "InstanceChargeType", "InvalidInstanceChargeType.ValueNotSupported");
        for (const instance of instances) requireStatus(instance, "Running", "Stopped");
        const prepaid = type === "PrePaid";
        const expiredAt = prepaid
            ? expiryAfter(context.now, request.period, request.periodUnit)
            : "2099-12-31T15:59:59Z";
        context.checked();
        for (const instance of instances) {
            instance.instanceChargeType = prepaid ? "PrePaid" : "PostPaid";
            instance.expiredAt = expiredAt;
            for (const disk of disksOf(context, instance.id))
                if (disk.kind === "system" || request.includeDataDisks !== false)
                    disk.instanceChargeType = instance.instanceChargeType;
        }
        return { orderId: orderId() };
    },
});

/** A public address goes with the last Mbit/s; the actions that give one do so themselves. */
function setBandwidth(context: ActionContext, instance: Instance, out: number, given: number | undefined): void {
    instance.internetMaxBandwidthOut = out;
    instance.internetMaxBandwidthIn = given ?? (out > 0 ? Math.max(10, out) : instance.internetMaxBandwidthIn);
    const publicIp = publicIpOf(context, instance.id);
    if (out === 0) releasePublicIp(context, instance.id);
    else if (publicIp) publicIp.bandwidth = String(out);
}

const modifyInstanceNetworkSpec = ecsAction({
    name: "ModifyInstanceNetworkSpec",
    request: ModifyInstanceNetworkSpecRequest,
    response: ModifyInstanceNetworkSpecResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: async (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        checkOneOf(request.networkChargeType, ["PayByTraffic", "PayByBandwidth"], "NetworkChargeType");
        const out = request.internetMaxBandwidthOut;
        if (out !== undefined) checkBandwidthOut(out);
        if (boundEipOf(context, instance.id) && (out ?? 0) > 0)
            refuse("EipAddressBound", "The specified instance has an elastic IP address.", 403);
        requireStatus(instance, "Running", "Stopped");
        // With its first Mbit/s, what is paid in advance gets an address unasked.
        const comes = instance.instanceChargeType === "PrePaid" && instance.internetMaxBandwidthOut === 0;
        const [address] =
            (request.allocatePublicIp === true || comes) &&
            (out ?? instance.internetMaxBandwidthOut) > 0 &&
            !publicIpOf(context, instance.id)
                ? takePublicAddresses(context, 1)
                : [];
        context.checked();
        instance.internetChargeType = valueOr(request.networkChargeType, instance.internetChargeType);
        if (out !== undefined) setBandwidth(context, instance, out, request.internetMaxBandwidthIn);
        else instance.internetMaxBandwidthIn = request.internetMaxBandwidthIn ?? instance.internetMaxBandwidthIn;
        if (address !== undefined) addPublicIp(context, instance, address);
        await context.applied();
        return {};
    },
});

const allocatePublicIpAddress = ecsAction({
    name: "AllocatePublicIpAddress",
    request: AllocatePublicIpAddressRequest,
    response: AllocatePublicIpAddressResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: async (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        requireStatus(instance, "Running", "Stopped");
        if (instance.internetMaxBandwidthOut === 0)
            refuse(
                "InvalidInternetMaxBandwidthOut.ValueNotSupported",
                "The public bandwidth of the instance is 0; change it before a public IP address is allocated.",
                403,
            );
        if (publicIpOf(context, instance.id) || boundEipOf(context, instance.id))
            refuse("AllocatedAlready", "The specified instance has been allocated a public ip address.", 403);
        const [address] = takePublicAddresses(context, 1);
        context.checked();
        addPublicIp(context, instance, address!);
        await context.applied();
        return { ipAddress: address! };
    },
});

/** The interface that a request means: one by its id, or the primary one of an instance. */
function interfaceOf(
    context: ActionContext,
    request: { readonly instanceId?: string; readonly networkInterfaceId?: string },
): NetworkInterface {
    if (request.instanceId && request.networkInterfaceId)
        refuse("InvalidParameter.Conflict", "InstanceId and NetworkInterfaceId can't be specified at the same time.");
    if (request.networkInterfaceId) return networkInterfaceOf(context, request.networkInterfaceId);
    if (!request.instanceId) throw missingParameter("InstanceId");
    const instance = instanceOf(context, request.instanceId);
    requireStatus(instance, "Running", "Stopped");
    return networkInterfaceOf(context, instance.primaryNetworkInterfaceId);
}

const joinSecurityGroup = ecsAction({
    name: "JoinSecurityGroup",
    request: JoinSecurityGroupRequest,
    response: JoinSecurityGroupResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: async (request, context) => {
        const group = securityGroupOf(context, request.securityGroupId);
        const nic = interfaceOf(context, request);
        if (nic.securityGroupIds.includes(group.id))
            refuse(
                "InvalidInstanceId.AlreadyExists",
                "The specified instance already exists in the specified security group.",
                403,
            );
        if (group.vpcId !== nic.vpcId)
            refuse(
                "InvalidInstanceId.VpcMismatch",
                "The security group and the instance are not in the same VPC.",
                403,
            );
        if (nic.securityGroupIds.length >= quotas.securityGroupsPerInterface)
            refuse(
                "InstanceSecurityGroupLimitExceeded",
                "Exceed the max number of security groups of an instance.",
                403,
            );
        checkGroups([...nic.securityGroupIds.map((id) => securityGroupOf(context, id)), group], nic.vpcId);
        context.checked();
        setSecurityGroups(context, nic, [...nic.securityGroupIds, group.id]);
        await context.applied();
        return {};
    },
});

const leaveSecurityGroup = ecsAction({
    name: "LeaveSecurityGroup",
    request: LeaveSecurityGroupRequest,
    response: LeaveSecurityGroupResponseBody,
    required: ["SecurityGroupId"],
    writes: true,
    handle: async (request, context) => {
        const group = securityGroupOf(context, request.securityGroupId);
        const nic = interfaceOf(context, request);
        if (!nic.securityGroupIds.includes(group.id))
            refuse(
                "InvalidSecurityGroupAssociation.NotFound",
                "The specified instance or ENI is not in the specified security group.",
                404,
            );
        if (nic.securityGroupIds.length === 1)
            refuse("InstanceLastSecurityGroup", "The specified instance only has one security group.", 403);
        context.checked();
        setSecurityGroups(
            context,
            nic,
            nic.securityGroupIds.filter((id) => id !== group.id),
        );
        await context.applied();
        return {};
    },
});

const modifyInstanceVpcAttribute = ecsAction({
    name: "ModifyInstanceVpcAttribute",
    request: ModifyInstanceVpcAttributeRequest,
    response: ModifyInstanceVpcAttributeResponseBody,
    required: ["InstanceId", "VSwitchId"],
    writes: true,
    handle: async (request, context) => {
        const { state } = context.store;
        const instance = instanceOf(context, request.instanceId);
        requireStatus(instance, "Stopped");
        const there = inRegionOf(instance, context);
        const vswitch = vswitchOf(there, request.vSwitchId);
        const otherVpc = request.vpcId !== undefined && request.vpcId !== "" && request.vpcId !== instance.vpcId;
        if (vswitch.vpcId !== (otherVpc ? request.vpcId : instance.vpcId))
            refuse("InvalidParameter.Mismatch", "The specified VSwitch is not in the VPC.");
        if (vswitch.zoneId !== instance.zoneId)
            refuse("InvalidParameter.Mismatch", "The specified VSwitch is not in the zone of the instance.");
        const [nic, ...others] = interfacesOf(context, instance.id);
        if (!nic) return refuse("InvalidInstanceId.NotFound", "The specified InstanceId does not exist.", 404);
        if (otherVpc && (others.length > 0 || nic.secondaryIps.length > 0))
            refuse("OperationDenied", "The instance has further network interfaces or addresses.", 403);
        if (otherVpc && state.routeTables[state.vswitches[nic.vswitchId]?.routeTableId ?? ""]?.kind === "Custom")
            refuse("OperationDenied", "The VSwitch of the instance is associated with a custom route table.", 403);
        // Both belong to the VSwitch.
        if (vswitch.id !== nic.vswitchId && isHaVipMember(state, [instance.id, nic.id]))
            refuse("OperationDenied", "The instance is associated with a HaVip.", 403);
        if (vswitch.id !== nic.vswitchId && (nic.ipv6Addresses ?? []).length > 0)
            refuse("OperationDenied", "The instance has IPv6 addresses.", 403);
        const groups = otherVpc
            ? securityGroupsFor(there, vswitch.vpcId, undefined, request.securityGroupId)
            : nic.securityGroupIds;
        const stays =
            vswitch.id === nic.vswitchId && (!request.privateIpAddress || request.privateIpAddress === nic.primaryIp);
        const primaryIp = stays ? nic.primaryIp : addressTaker(context, vswitch, request.privateIpAddress)();
        context.checked();
        state.networkInterfaces[nic.id] = {
            ...nic,
            vpcId: vswitch.vpcId,
            vswitchId: vswitch.id,
            primaryIp,
            // They belong to the VSwitch that was left.
            secondaryIps: vswitch.id === nic.vswitchId ? nic.secondaryIps : [],
            securityGroupIds: [...groups],
        };
        state.instances[instance.id] = {
            ...instance,
            vpcId: vswitch.vpcId,
            vswitchId: vswitch.id,
            securityGroupIds: [...groups],
        };
        const publicIp = publicIpOf(context, instance.id);
        if (publicIp?.binding) publicIp.binding = { ...publicIp.binding, vpcId: vswitch.vpcId };
        await context.applied();
        return {};
    },
});

const replaceSystemDisk = ecsAction({
    name: "ReplaceSystemDisk",
    request: ReplaceSystemDiskRequest,
    response: ReplaceSystemDiskResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const { state } = context.store;
        const instance = instanceOf(context, request.instanceId);
        requireStatus(instance, "Stopped");
        const there = inRegionOf(instance, context);
        const image = findImage(valueOr(request.imageId, instance.imageId));
        if (!image) return refuse("InvalidImageId.NotFound", "The specified ImageId does not exist.", 404);
        bootable(image);
        checkPassword(request.password);
        const keyPairName = request.keyPairName ? keyPairOf(there, request.keyPairName).name : undefined;
        const old = disksOf(context, instance.id).find(({ kind }) => kind === "system");
        const spec = systemDiskSpec(
            {
                ...old,
                diskName: old?.name ?? "",
                performanceLevel: old?.performanceLevel ?? "",
                size: request.systemDisk?.size ?? old?.sizeGiB ?? "",
                encrypted: request.encrypted ?? false,
                KMSKeyId: request.KMSKeyId ?? "",
            },
            instanceTypeOf(instance.instanceType),
            image,
        );
        if (old && spec.sizeGiB < old.sizeGiB)
            refuse(
                "InvalidSystemDiskSize.ValueNotSupported",
                "The specified parameter SystemDisk.Size is less than the size of the system disk that is replaced.",
            );
        context.checked();
        if (old) Reflect.deleteProperty(state.disks, old.id);
        const disk = addDisk(there, spec, {
            zoneId: instance.zoneId,
            instance,
            imageId: image.id,
            tags: old?.tags ?? {},
            resourceGroupId: old?.resourceGroupId ?? "",
        });
        instance.imageId = image.id;
        instance.password = valueOr(request.password, instance.password);
        instance.keyPairName = keyPairName ?? instance.keyPairName;
        return { diskId: disk.id };
    },
});

export const instanceSpecActions: readonly Action[] = [
    modifyInstanceSpec,
    modifyPrepayInstanceSpec,
    modifyInstanceChargeType,
    modifyInstanceNetworkSpec,
    allocatePublicIpAddress,
    joinSecurityGroup,
    leaveSecurityGroup,
    modifyInstanceVpcAttribute,
    replaceSystemDisk,
];

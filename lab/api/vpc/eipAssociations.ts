import { AssociateEipAddressRequest } from "@alicloud/vpc20160428/dist/models/AssociateEipAddressRequest";
import { AssociateEipAddressResponseBody } from "@alicloud/vpc20160428/dist/models/AssociateEipAddressResponseBody";
import { AssociateEipAddressBatchRequest } from "@alicloud/vpc20160428/dist/models/AssociateEipAddressBatchRequest";
import { AssociateEipAddressBatchResponseBody } from "@alicloud/vpc20160428/dist/models/AssociateEipAddressBatchResponseBody";
import { ModifyEipForwardModeRequest } from "@alicloud/vpc20160428/dist/models/ModifyEipForwardModeRequest";
import { ModifyEipForwardModeResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyEipForwardModeResponseBody";
import { UnassociateEipAddressRequest } from "@alicloud/vpc20160428/dist/models/UnassociateEipAddressRequest";
import { UnassociateEipAddressResponseBody } from "@alicloud/vpc20160428/dist/models/UnassociateEipAddressResponseBody";
import type { Eip } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { notFound } from "../errors";
import { findInRegion } from "../listing";
import { vpcAction } from "./action";
import { checkOneOf, refuse, valueOr } from "./checks";
import { eipOf, haVipOf, instanceOf, natGatewayOf, networkInterfaceOf } from "./lookup";
import { eipsOfGateway, usedByForward, usedBySnat } from "./natGateways";
import { quotas } from "./quotas";

type Binding = NonNullable<Eip["binding"]>;

interface Wish {
    readonly instanceId: string;
    readonly instanceType: string | undefined;
    readonly mode: string | undefined;
    readonly privateIpAddress: string | undefined;
}

const associateEipAddress = vpcAction({
    name: "AssociateEipAddress",
    request: AssociateEipAddressRequest,
    response: AssociateEipAddressResponseBody,
    required: ["AllocationId", "InstanceId"],
    writes: true,
    handle: async (request, context) => {
        const eip = eipOf(context, request.allocationId);
        checkMode(request.mode);
        if (eip.binding) refuse("IncorrectEipStatus", "Current elastic IP status does not support this operation.");
        const binding = bindingFor(context, {
            instanceId: request.instanceId!,
            instanceType: request.instanceType,
            mode: request.mode,
            privateIpAddress: request.privateIpAddress,
        });
        context.checked();
        eip.binding = binding;
        await context.applied();
        return {};
    },
});

const associateEipAddressBatch = vpcAction({
    name: "AssociateEipAddressBatch",
    request: AssociateEipAddressBatchRequest,
    response: AssociateEipAddressBatchResponseBody,
    required: ["BindedInstanceId", "BindedInstanceType", "InstanceIds"],
    writes: true,
    handle: async (request, context) => {
        checkMode(request.mode);
        checkOneOf(
            request.bindedInstanceType,
            ["Nat", "NetworkInterface"],
            "BindedInstanceType",
            "InvalidInstanceType.ValueNotSupported",
        );
        const eips = (request.instanceIds ?? []).map((id) => eipOf(context, id));
        if (eips.some(({ binding }) => binding))
            refuse("IncorrectEipStatus", "Current elastic IP status does not support this operation.");
        const binding = bindingFor(context, {
            instanceId: request.bindedInstanceId!,
            instanceType: request.bindedInstanceType,
            mode: request.mode,
            privateIpAddress: undefined,
        });
        context.checked();
        for (const eip of eips) eip.binding = binding;
        await context.applied();
        return {};
    },
});

const modes = ["NAT", "MULTI_BINDED", "BINDED"] as const;

function checkMode(mode: string | undefined): void {
    checkOneOf(mode, modes, "Mode", "IllegalParam.Mode");
}

/** What an EIP becomes bound to, when that can be. */
function bindingFor(context: ActionContext, wish: Wish): Binding {
    const mode = modes.find((known) => known === wish.mode);
    const common = { instanceId: wish.instanceId, instanceRegionId: context.regionId };
    switch (valueOr(wish.instanceType, "EcsInstance")) {
        case "EcsInstance": {
            const instance = instanceOf(context, wish.instanceId);
            if (instance.status !== "Running" && instance.status !== "Stopped")
                refuse("IncorrectInstanceStatus", "Current instance status does not support this operation.");
            refuseSecond(context, instance.id);
            if (Object.values(context.store.state.eips).some(({ ephemeralFor }) => ephemeralFor === instance.id))
                refuse("EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP", "instance already bind natpublicip,cannot bind eip.");
            return { ...common, instanceType: "EcsInstance", mode: mode ?? "NAT", vpcId: instance.vpcId };
        }
        case "Nat": {
            const gateway = natGatewayOf(context, wish.instanceId);
            if (gateway.networkType === "intranet")
                refuse("Forbidden.EipCanNotBindGatgw", "Eip can not bind on natgw.");
            if (eipsOfGateway(context, gateway).length >= quotas.eipsPerNatGateway)
                refuse("QuotaExceeded.NumberOfEip", "Binded eip Quota exceed on this NatGw.");
            return {
                ...common,
                instanceType: "Nat",
                mode: mode ?? (gateway.eipBindMode === "NAT" ? "NAT" : "MULTI_BINDED"),
                vpcId: gateway.vpcId,
            };
        }
        case "NetworkInterface": {
            const nic = networkInterfaceOf(context, wish.instanceId);
            if (nic.kind === "Primary" || nic.serviceManaged)
                refuse("InvalidParameter.EniInstanceId", "Only a secondary network interface can have an EIP.");
            const privateIp = valueOr(wish.privateIpAddress, nic.primaryIp);
            if (![nic.primaryIp, ...nic.secondaryIps].includes(privateIp))
                refuse("InvalidParameter", "The network interface does not have the private address.");
            refuseSecond(context, nic.id, privateIp);
            return {
                ...common,
                instanceType: "NetworkInterface",
                mode: mode ?? "NAT",
                vpcId: nic.vpcId,
                // Shown only to a client that chose it: one that did not takes it for a change.
                ...(wish.privateIpAddress && { privateIp }),
            };
        }
        case "HaVip": {
            const haVip = haVipOf(context, wish.instanceId);
            refuseSecond(context, haVip.id);
            return { ...common, instanceType: "HaVip", mode: mode ?? "NAT", vpcId: haVip.vpcId };
        }
        case "SlbInstance": {
            const balancer = findInRegion(context.store.state.loadBalancers, context.regionId, wish.instanceId);
            if (!balancer) throw notFound("InvalidInstanId.NotFound", "Specified instance does not exist.");
            if (balancer.addressType === "internet")
                refuse("IncorrectInstanceStatus", "A load balancer with an internet address can't have an EIP.");
            refuseSecond(context, balancer.id);
            return { ...common, instanceType: "SlbInstance", mode: mode ?? "NAT", vpcId: balancer.vpcId };
        }
        default:
            return refuse(
                "InvalidInstanceType.ValueNotSupported",
                `The specified value of InstanceType is not supported.`,
            );
    }
}

function refuseSecond({ store }: ActionContext, instanceId: string, privateIp?: string): void {
    const primaryIp = store.state.networkInterfaces[instanceId]?.primaryIp;
    const taken = Object.values(store.state.eips).some(
        ({ binding, ephemeralFor }) =>
            ephemeralFor === undefined &&
            binding?.instanceId === instanceId &&
            (binding.privateIp ?? primaryIp) === privateIp,
    );
    if (taken) refuse("InvalidAssociation.Duplicated", "Specified instance already is associated.");
}

const unassociateEipAddress = vpcAction({
    name: "UnassociateEipAddress",
    request: UnassociateEipAddressRequest,
    response: UnassociateEipAddressResponseBody,
    required: ["AllocationId"],
    writes: true,
    handle: async (request, context) => {
        const { state } = context.store;
        const eip = eipOf(context, request.allocationId);
        const { binding } = eip;
        if (!binding) return refuse("IncorrectEipStatus", "Current elastic IP status does not support this operation.");
        if (request.instanceId && request.instanceId !== binding.instanceId)
            refuse("InvalidInstanceId.NotFound", "Specified instance does not exist.");
        if (binding.instanceType === "EcsInstance") {
            const status = state.instances[binding.instanceId]?.status;
            if (status !== undefined && status !== "Running" && status !== "Stopped")
                refuse("IncorrectInstanceStatus", "Current instance status does not support this operation.");
        }
        const bySnat = usedBySnat(context, eip);
        const byForward = usedByForward(context, eip);
        if (request.force !== true) {
            if (bySnat)
                refuse("InvalidIpStatus.HasBeenUsedBySnatTable", "The removed ip address has been used by snat table.");
            if (byForward)
                refuse(
                    "InvalidIpStatus.HasBeenUsedByForwardEntry",
                    "The specified address has been used by forwardTable.",
                );
        }
        context.checked();

        delete eip.binding;
        if (bySnat) dropFromSnat(context, binding.instanceId, eip.address);
        if (byForward)
            for (const [id, entry] of Object.entries(state.forwardEntries))
                if (entry.natGatewayId === binding.instanceId && entry.externalIp === eip.address)
                    Reflect.deleteProperty(state.forwardEntries, id);
        await context.applied();
        return {};
    },
});

/** Takes an address out of a gateway's SNAT entries; one that is left without goes. */
function dropFromSnat({ store }: ActionContext, natGatewayId: string, address: string): void {
    for (const [id, entry] of Object.entries(store.state.snatEntries)) {
        if (entry.natGatewayId !== natGatewayId) continue;
        entry.snatIps = entry.snatIps.filter((other) => other !== address);
        if (entry.snatIps.length === 0) Reflect.deleteProperty(store.state.snatEntries, id);
    }
}

const modifyEipForwardMode = vpcAction({
    name: "ModifyEipForwardMode",
    request: ModifyEipForwardModeRequest,
    response: ModifyEipForwardModeResponseBody,
    required: ["InstanceId", "Mode"],
    writes: true,
    handle: (request, context) => {
        const eip = eipOf(context, request.instanceId);
        checkMode(request.mode);
        const { binding } = eip;
        if (!binding) return refuse("IncorrectEipStatus", "Current elastic IP status does not support this operation.");
        context.checked();
        eip.binding = { ...binding, mode: modes.find((mode) => mode === request.mode) ?? binding.mode };
        return {};
    },
});

export const eipAssociationActions: readonly Action[] = [
    associateEipAddress,
    associateEipAddressBatch,
    unassociateEipAddress,
    modifyEipForwardMode,
];

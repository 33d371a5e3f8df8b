import { CreateNatGatewayRequest } from "@alicloud/vpc20160428/dist/models/CreateNatGatewayRequest";
import { CreateNatGatewayResponseBody } from "@alicloud/vpc20160428/dist/models/CreateNatGatewayResponseBody";
import { DeleteNatGatewayRequest } from "@alicloud/vpc20160428/dist/models/DeleteNatGatewayRequest";
import { DeleteNatGatewayResponseBody } from "@alicloud/vpc20160428/dist/models/DeleteNatGatewayResponseBody";
import { DescribeNatGatewaysRequest } from "@alicloud/vpc20160428/dist/models/DescribeNatGatewaysRequest";
import { DescribeNatGatewaysResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeNatGatewaysResponseBody";
import { GetNatGatewayAttributeRequest } from "@alicloud/vpc20160428/dist/models/GetNatGatewayAttributeRequest";
import { GetNatGatewayAttributeResponseBody } from "@alicloud/vpc20160428/dist/models/GetNatGatewayAttributeResponseBody";
import { ListEnhanhcedNatGatewayAvailableZonesRequest } from "@alicloud/vpc20160428/dist/models/ListEnhanhcedNatGatewayAvailableZonesRequest";
import { ListEnhanhcedNatGatewayAvailableZonesResponseBody } from "@alicloud/vpc20160428/dist/models/ListEnhanhcedNatGatewayAvailableZonesResponseBody";
import { ModifyNatGatewayAttributeRequest } from "@alicloud/vpc20160428/dist/models/ModifyNatGatewayAttributeRequest";
import { ModifyNatGatewayAttributeResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyNatGatewayAttributeResponseBody";
import { ModifyNatGatewaySpecRequest } from "@alicloud/vpc20160428/dist/models/ModifyNatGatewaySpecRequest";
import { ModifyNatGatewaySpecResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyNatGatewaySpecResponseBody";
import { UpdateNatGatewayNatTypeRequest } from "@alicloud/vpc20160428/dist/models/UpdateNatGatewayNatTypeRequest";
import { UpdateNatGatewayNatTypeResponseBody } from "@alicloud/vpc20160428/dist/models/UpdateNatGatewayNatTypeResponseBody";
import { freeAddress, isAssignable, parseCidr, takenAddresses } from "../../model/addresses";
import type { Eip, NatGateway, RouteTable, VSwitch } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { missingParameter } from "../errors";
import { hasTags, inRegion, matches, matchesAny, paginate, toTags } from "../listing";
import { findRegion, localName } from "../regions";
import { vpcAction } from "./action";
import { checkDescription, checkName, checkOneOf, checkTags, refuse, valueOr } from "./checks";
import { natGatewayOf, systemTableOf, vpcOf, vswitchOf } from "./lookup";
import { createMac } from "./mac";
import { quotas } from "./quotas";

const specs = ["Small", "Middle", "Large", "XLarge.1"];
const EVERYWHERE = "0.0.0.0/0";

const createNatGateway = vpcAction({
    name: "CreateNatGateway",
    request: CreateNatGatewayRequest,
    response: CreateNatGatewayResponseBody,
    required: ["VpcId"],
    writes: true,
    handle: async (request, context) => {
        const { store, regionId, now } = context;
        const vpc = vpcOf(context, request.vpcId);
        // Normal gateways are no longer sold.
        if (request.natType === "Normal")
            refuse(
                "OperationFailed.NormalInventoryNotEnough",
                "Operation failed because the inventory of standard NAT gateway is insufficient.",
            );
        checkOneOf(request.natType, ["Enhanced"], "NatType", "InvalidParameter.NatType.ValueNotSupport");
        if (!request.vSwitchId) throw missingParameter("VSwitchId");
        const vswitch = vswitchOf(context, request.vSwitchId);
        if (vswitch.vpcId !== vpc.id)
            refuse(
                "OperationFailed.VswNotBelongToVpc",
                "Operation failed because the specified VSwitch is not bound to the same VPC with NAT gateway.",
            );
        checkGatewayName(request);
        checkTags(request.tag);
        checkOneOf(request.spec, specs, "Spec", "InvalidParameter.Spec.ValueNotSupported");
        checkOneOf(
            request.networkType,
            ["internet", "intranet"],
            "NetworkType",
            "InvalidParameter.NetworkType.ValueNotSupport",
        );
        checkOneOf(
            request.eipBindMode,
            ["MULTI_BINDED", "NAT"],
            "EipBindMode",
            "InvalidParameter.EipBindMode.ValueNotSupport",
        );
        checkOneOf(
            request.instanceChargeType,
            ["PostPaid", "PrePaid"],
            "InstanceChargeType",
            "InvalidParameter.InstanceChargeType.ValueNotSupport",
        );
        checkOneOf(
            request.internetChargeType,
            ["PayByLcu", "PayBySpec"],
            "InternetChargeType",
            "InvalidParameter.InternetChargeType.ValueNotSupport",
        );
        if (request.instanceChargeType === "PrePaid" && request.internetChargeType === "PayByLcu")
            refuse(
                "OperationUnsupported.PrePaidPyByLcu",
                "The operation failed because the subscription NAT gateway does not support the pay-by-LCU billing method.",
            );
        const inVpc = Object.values(store.state.natGateways).filter(({ vpcId }) => vpcId === vpc.id);
        if (inVpc.length >= quotas.natGatewaysPerVpc) refuse("QuotaExceeded.NatGateway", "NAT gateway quota exceeded.");
        const privateIp = chooseAddress(context, vswitch, request.natIp);
        context.checked();

        const instanceChargeType = request.instanceChargeType === "PrePaid" ? "PrePaid" : "PostPaid";
        const internetChargeType = valueOr(
            request.internetChargeType,
            instanceChargeType === "PrePaid" ? "PayBySpec" : "PayByLcu",
        );
        const gateway: NatGateway = {
            id: store.newId("ngw"),
            regionId,
            createdAt: now,
            name: request.name ?? "",
            description: request.description ?? "",
            tags: toTags(request.tag),
            resourceGroupId: DEFAULT_RESOURCE_GROUP_ID,
            vpcId: vpc.id,
            vswitchId: vswitch.id,
            natType: "Enhanced",
            networkType: request.networkType === "intranet" ? "intranet" : "internet",
            spec: valueOr(request.spec, internetChargeType === "PayBySpec" ? "Small" : ""),
            instanceChargeType,
            internetChargeType,
            deletionProtection: false,
            icmpReply: request.icmpReplyEnabled ?? true,
            privateLink: request.privateLinkEnabled ?? false,
            eipBindMode: valueOr(request.eipBindMode, "MULTI_BINDED"),
            snatTableId: store.newId("stb"),
            forwardTableId: store.newId("ftb"),
            privateIp,
            networkInterfaceId: store.newId("eni"),
        };
        store.state.natGateways[gateway.id] = gateway;
        store.state.networkInterfaces[gateway.networkInterfaceId] = {
            id: gateway.networkInterfaceId,
            regionId,
            createdAt: now,
            name: "",
            description: `Created by NAT gateway ${gateway.id}.`,
            tags: {},
            resourceGroupId: gateway.resourceGroupId,
            kind: "Secondary",
            vpcId: vpc.id,
            vswitchId: vswitch.id,
            zoneId: vswitch.zoneId,
            mac: createMac(),
            primaryIp: privateIp,
            secondaryIps: [],
            securityGroupIds: [],
            instanceId: "",
            status: "InUse",
            queueNumber: 1,
            sourceDestCheck: false,
            deleteOnRelease: true,
            serviceManaged: true,
        };
        const table = systemTableOf(context, vpc.id);
        // The cloud does so for the first public gateway of a VPC only.
        if (gateway.networkType === "internet" && !table.entries.some(({ cidr }) => cidr === EVERYWHERE))
            table.entries.push({
                id: store.newId("rte"),
                name: "",
                description: "Created by NAT gateway.",
                cidr: EVERYWHERE,
                nextHopType: "NatGateway",
                nextHopId: gateway.id,
                automatic: true,
            });
        await context.applied();
        return {
            natGatewayId: gateway.id,
            snatTableIds: { snatTableId: [gateway.snatTableId] },
            forwardTableIds: { forwardTableId: [gateway.forwardTableId] },
            fullNatTableIds: { fullNatTableId: [] },
        };
    },
});

function checkGatewayName(request: { readonly name?: string; readonly description?: string }): void {
    checkName(request.name, "InvalidNatGatewayName.MalFormed", { min: 2, letterFirst: true });
    checkDescription(request.description, "InvalidNatGatewayDescription.MalFormed");
}

function chooseAddress({ store }: ActionContext, vswitch: VSwitch, asked: string | undefined): string {
    const cidr = parseCidr(vswitch.cidr)!;
    const taken = takenAddresses(store.state, vswitch.id);
    if (asked) {
        if (!isAssignable(cidr, asked)) refuse("InvalidNatIp.Malformed", "The specified NatIp is not valid.");
        if (taken.has(asked)) refuse("InvalidNatIp.InUse", "The specified NatIp is in use.");
        return asked;
    }
    return freeAddress(cidr, taken) ?? refuse("ZONE_NO_AVAILABLE_IP", "The Zone have no available ip.");
}

const describeNatGateways = vpcAction({
    name: "DescribeNatGateways",
    request: DescribeNatGatewaysRequest,
    response: DescribeNatGatewaysResponseBody,
    writes: false,
    handle: (request, context) => {
        const gateways = inRegion(context.store.state.natGateways, context.regionId).filter(
            (gateway) =>
                matchesAny(request.natGatewayId, gateway.id) &&
                matches(request.vpcId, gateway.vpcId) &&
                matches(request.name, gateway.name) &&
                matches(request.zoneId, zoneOf(context, gateway)) &&
                matches(request.natType, gateway.natType) &&
                matches(request.networkType, gateway.networkType) &&
                matches(request.spec, gateway.spec) &&
                matches(request.status, "Available") &&
                matches(request.instanceChargeType, gateway.instanceChargeType) &&
                matches(request.resourceGroupId, gateway.resourceGroupId) &&
                hasTags(gateway, request.tag),
        );
        const { items, ...page } = paginate(gateways, request);
        return {
            ...page,
            natGateways: {
                natGateway: items.map((gateway) => ({
                    natGatewayId: gateway.id,
                    name: gateway.name,
                    description: gateway.description,
                    regionId: gateway.regionId,
                    vpcId: gateway.vpcId,
                    creationTime: gateway.createdAt,
                    expiredTime: "",
                    status: "Available",
                    businessStatus: "Normal",
                    natType: gateway.natType,
                    networkType: gateway.networkType,
                    spec: gateway.spec,
                    autoPay: false,
                    instanceChargeType: gateway.instanceChargeType,
                    internetChargeType: gateway.internetChargeType,
                    deletionProtection: gateway.deletionProtection,
                    ecsMetricEnabled: true,
                    icmpReplyEnabled: gateway.icmpReply,
                    privateLinkEnabled: gateway.privateLink,
                    privateLinkMode: "",
                    securityProtectionEnabled: false,
                    eipBindMode: gateway.eipBindMode,
                    enableSessionLog: "false",
                    resourceGroupId: gateway.resourceGroupId,
                    snatTableIds: { snatTableId: [gateway.snatTableId] },
                    forwardTableIds: { forwardTableId: [gateway.forwardTableId] },
                    fullNatTableIds: { fullNatTableId: [] },
                    ipLists: {
                        ipList: eipsOfGateway(context, gateway).map((eip) => ({
                            allocationId: eip.id,
                            ipAddress: eip.address,
                            privateIpAddress: eip.binding?.privateIp ?? "",
                            snatEntryEnabled: usedBySnat(context, eip),
                            usingStatus: usage(context, eip),
                        })),
                    },
                    ipPrefixList: { ipPrefixList: [] },
                    natGatewayPrivateInfo: {
                        ...privateInfo(context, gateway),
                        eniType: "",
                        maxSessionEstablishRate: 100000,
                        maxSessionQuota: 2000000,
                    },
                    tags: {
                        tag: Object.entries(gateway.tags).map(([tagKey, tagValue]) => ({ tagKey, tagValue })),
                    },
                })),
            },
        };
    },
});

function zoneOf({ store }: ActionContext, gateway: NatGateway): string {
    return store.state.vswitches[gateway.vswitchId]?.zoneId ?? "";
}

function privateInfo(context: ActionContext, gateway: NatGateway) {
    return {
        vswitchId: gateway.vswitchId,
        izNo: zoneOf(context, gateway),
        eniInstanceId: gateway.networkInterfaceId,
        privateIpAddress: gateway.privateIp,
        maxBandwidth: 5120,
    };
}

/** EIPs that are bound to a gateway. */
export function eipsOfGateway({ store }: ActionContext, gateway: NatGateway): Eip[] {
    return Object.values(store.state.eips).filter(({ binding }) => binding?.instanceId === gateway.id);
}

/** Whether a SNAT entry uses an EIP. */
export function usedBySnat({ store }: ActionContext, { address, binding }: Eip): boolean {
    return Object.values(store.state.snatEntries).some(
        ({ natGatewayId, snatIps }) => natGatewayId === binding?.instanceId && snatIps.includes(address),
    );
}

/** Whether a forward entry uses an EIP. */
export function usedByForward({ store }: ActionContext, { address, binding }: Eip): boolean {
    return Object.values(store.state.forwardEntries).some(
        ({ natGatewayId, externalIp }) => natGatewayId === binding?.instanceId && externalIp === address,
    );
}

function usage(context: ActionContext, eip: Eip): string {
    const snat = usedBySnat(context, eip);
    const forward = usedByForward(context, eip);
    return snat ? (forward ? "UsedBySnatAndForwardTable" : "UsedBySnatTable") : forward ? "UsedByForwardTable" : "Idle";
}

const getNatGatewayAttribute = vpcAction({
    name: "GetNatGatewayAttribute",
    request: GetNatGatewayAttributeRequest,
    response: GetNatGatewayAttributeResponseBody,
    required: ["NatGatewayId"],
    writes: false,
    handle: ({ natGatewayId }, context) => {
        const gateway = natGatewayOf(context, natGatewayId);
        const count = (entries: Readonly<Record<string, { readonly natGatewayId: string }>>): number =>
            Object.values(entries).filter((entry) => entry.natGatewayId === gateway.id).length;
        return {
            natGatewayId: gateway.id,
            name: gateway.name,
            description: gateway.description,
            regionId: gateway.regionId,
            vpcId: gateway.vpcId,
            creationTime: gateway.createdAt,
            expiredTime: "",
            status: "Available",
            businessStatus: "Normal",
            natType: gateway.natType,
            networkType: gateway.networkType,
            ecsMetricEnabled: true,
            privateLinkEnabled: gateway.privateLink,
            privateLinkMode: "",
            resourceGroupId: gateway.resourceGroupId,
            deletionProtectionInfo: { enabled: gateway.deletionProtection },
            billingConfig: {
                autoPay: "false",
                instanceChargeType: gateway.instanceChargeType,
                internetChargeType: gateway.internetChargeType,
                spec: gateway.spec,
            },
            privateInfo: privateInfo(context, gateway),
            ipList: eipsOfGateway(context, gateway).map((eip) => ({
                allocationId: eip.id,
                ipAddress: eip.address,
                usingStatus: usage(context, eip),
            })),
            snatTable: {
                snatTableId: gateway.snatTableId,
                snatEntryCount: count(context.store.state.snatEntries),
            },
            forwardTable: {
                forwardTableId: gateway.forwardTableId,
                forwardEntryCount: count(context.store.state.forwardEntries),
            },
        };
    },
});

const modifyNatGatewayAttribute = vpcAction({
    name: "ModifyNatGatewayAttribute",
    request: ModifyNatGatewayAttributeRequest,
    response: ModifyNatGatewayAttributeResponseBody,
    required: ["NatGatewayId"],
    writes: true,
    handle: (request, context) => {
        const gateway = natGatewayOf(context, request.natGatewayId);
        checkGatewayName(request);
        checkOneOf(
            request.eipBindMode,
            ["MULTI_BINDED", "NAT"],
            "EipBindMode",
            "InvalidParameter.EipBindMode.ValueNotSupport",
        );
        context.checked();
        if (request.name !== undefined) gateway.name = request.name;
        if (request.description !== undefined) gateway.description = request.description;
        if (request.eipBindMode) gateway.eipBindMode = request.eipBindMode;
        if (request.icmpReplyEnabled !== undefined) gateway.icmpReply = request.icmpReplyEnabled;
        return {};
    },
});

const modifyNatGatewaySpec = vpcAction({
    name: "ModifyNatGatewaySpec",
    request: ModifyNatGatewaySpecRequest,
    response: ModifyNatGatewaySpecResponseBody,
    required: ["NatGatewayId", "Spec"],
    writes: true,
    handle: (request, context) => {
        const gateway = natGatewayOf(context, request.natGatewayId);
        checkOneOf(request.spec, specs, "Spec", "InvalidParameter.Spec.ValueNotSupported");
        if (gateway.internetChargeType === "PayByLcu")
            refuse("OperationUnsupported.PayByLcu", "A gateway that is billed by capacity units has no specification.");
        context.checked();
        gateway.spec = request.spec!;
        return {};
    },
});

const updateNatGatewayNatType = vpcAction({
    name: "UpdateNatGatewayNatType",
    request: UpdateNatGatewayNatTypeRequest,
    response: UpdateNatGatewayNatTypeResponseBody,
    required: ["NatGatewayId", "NatType", "VSwitchId"],
    writes: true,
    handle: (request, context) => {
        const gateway = natGatewayOf(context, request.natGatewayId);
        checkOneOf(request.natType, ["Enhanced"], "NatType", "OperationFailed.NatTypeNotEnhanced");
        const vswitch = vswitchOf(context, request.vSwitchId);
        // Clients ask for it when they want the gateway elsewhere, and would ask again at every update.
        if (gateway.natType === "Enhanced" && vswitch.id !== gateway.vswitchId)
            refuse("UnsupportedOperation", "An enhanced NAT gateway stays in its VSwitch: VSwitchId can't be another.");
        context.checked();
        gateway.natType = "Enhanced";
        return {};
    },
});

const deleteNatGateway = vpcAction({
    name: "DeleteNatGateway",
    request: DeleteNatGatewayRequest,
    response: DeleteNatGatewayResponseBody,
    required: ["NatGatewayId"],
    writes: true,
    handle: async (request, context) => {
        const { state } = context.store;
        const gateway = natGatewayOf(context, request.natGatewayId);
        const snat = Object.values(state.snatEntries).filter(({ natGatewayId }) => natGatewayId === gateway.id);
        const forward = Object.values(state.forwardEntries).filter(({ natGatewayId }) => natGatewayId === gateway.id);
        const eips = eipsOfGateway(context, gateway);
        if (gateway.deletionProtection)
            refuse(
                "InvalidOperation.DeletionProtection",
                // The cloud spells it like this.
                "The instance cannnot delete because of deletion protecion.",
            );
        if (gateway.instanceChargeType === "PrePaid")
            refuse("Forbidden.PrePaidNatGateway", "The specified NatGateway is PrePaid.");
        if (request.force !== true) {
            if (snat.length > 0) refuse("DependencyViolation.SnatEntry", "The NAT gateway still has SNAT entries.");
            if (forward.length > 0)
                refuse("DependencyViolation.ForwardEntry", "The NAT gateway still has forward entries.");
            if (
                Object.values(state.routeTables).some(({ entries }) =>
                    entries.some(({ nextHopId, automatic }) => nextHopId === gateway.id && automatic !== true),
                )
            )
                refuse("DependencyViolation.RouterEntry", "The NAT gateway is still the next hop of a route entry.");
            if (eips.length > 0)
                refuse("DependencyViolation.EIPS", "There are Eips on specified NatGateway, please unbind it first.");
        }
        context.checked();

        for (const { id } of snat) Reflect.deleteProperty(state.snatEntries, id);
        for (const { id } of forward) Reflect.deleteProperty(state.forwardEntries, id);
        for (const eip of eips) delete eip.binding;
        for (const table of Object.values(state.routeTables)) dropRoutesTo(table, gateway.id);
        Reflect.deleteProperty(state.networkInterfaces, gateway.networkInterfaceId);
        Reflect.deleteProperty(state.natGateways, gateway.id);
        await context.applied();
        return {};
    },
});

function dropRoutesTo(table: RouteTable, nextHop: string): void {
    table.entries = table.entries.filter(({ nextHopId }) => nextHopId !== nextHop);
}

const listAvailableZones = vpcAction({
    // The vendor spells it like this.
    name: "ListEnhanhcedNatGatewayAvailableZones",
    request: ListEnhanhcedNatGatewayAvailableZonesRequest,
    response: ListEnhanhcedNatGatewayAvailableZonesResponseBody,
    writes: false,
    handle: ({ acceptLanguage }, { regionId }) => ({
        zones: (findRegion(regionId)?.zones ?? []).map((zone) => ({
            zoneId: zone.id,
            localName: localName(zone, acceptLanguage),
        })),
    }),
});

export const natGatewayActions: readonly Action[] = [
    createNatGateway,
    describeNatGateways,
    getNatGatewayAttribute,
    modifyNatGatewayAttribute,
    modifyNatGatewaySpec,
    updateNatGatewayNatType,
    deleteNatGateway,
    listAvailableZones,
];

import { AllocateEipAddressRequest } from "@alicloud/vpc20160428/dist/models/AllocateEipAddressRequest";
import { AllocateEipAddressResponseBody } from "@alicloud/vpc20160428/dist/models/AllocateEipAddressResponseBody";
import { AllocateEipAddressProRequest } from "@alicloud/vpc20160428/dist/models/AllocateEipAddressProRequest";
import { AllocateEipAddressProResponseBody } from "@alicloud/vpc20160428/dist/models/AllocateEipAddressProResponseBody";
import { DescribeEipAddressesRequest } from "@alicloud/vpc20160428/dist/models/DescribeEipAddressesRequest";
import { DescribeEipAddressesResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeEipAddressesResponseBody";
import { DescribeEipMonitorDataRequest } from "@alicloud/vpc20160428/dist/models/DescribeEipMonitorDataRequest";
import { DescribeEipMonitorDataResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeEipMonitorDataResponseBody";
import { DescribeHighDefinitionMonitorLogAttributeRequest } from "@alicloud/vpc20160428/dist/models/DescribeHighDefinitionMonitorLogAttributeRequest";
import { DescribeHighDefinitionMonitorLogAttributeResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeHighDefinitionMonitorLogAttributeResponseBody";
import { ModifyEipAddressAttributeRequest } from "@alicloud/vpc20160428/dist/models/ModifyEipAddressAttributeRequest";
import { ModifyEipAddressAttributeResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyEipAddressAttributeResponseBody";
import { ReleaseEipAddressRequest } from "@alicloud/vpc20160428/dist/models/ReleaseEipAddressRequest";
import { ReleaseEipAddressResponseBody } from "@alicloud/vpc20160428/dist/models/ReleaseEipAddressResponseBody";
import { SetHighDefinitionMonitorLogStatusRequest } from "@alicloud/vpc20160428/dist/models/SetHighDefinitionMonitorLogStatusRequest";
import { SetHighDefinitionMonitorLogStatusResponseBody } from "@alicloud/vpc20160428/dist/models/SetHighDefinitionMonitorLogStatusResponseBody";
import { containsAddress, parseCidr, takeEipAddress, takenEipAddresses } from "../../model/addresses";
import type { Eip, Tags } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { hasTags, inRegion, matches, matchesAny, paginate, TagPair, toTags } from "../listing";
import { regionOfZone } from "../regions";
import { unlisted } from "../wire";
import { vpcAction } from "./action";
import { checkDescription, checkName, checkOneOf, checkTags, refuse, valueOr } from "./checks";
import { eipOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

const isps = [
    "BGP",
    "BGP_PRO",
    "BGP_International",
    "BGP_FinanceCloud",
    "ChinaTelecom",
    "ChinaUnicom",
    "ChinaMobile",
    "ChinaTelecom_L2",
    "ChinaUnicom_L2",
    "ChinaMobile_L2",
    "Single_ISP",
];

interface NewEip {
    readonly bandwidth?: string;
    readonly ISP?: string;
    readonly instanceChargeType?: string;
    readonly internetChargeType?: string;
    readonly instanceId?: string;
    readonly ipAddress?: string;
    readonly netmode?: string;
    readonly resourceGroupId?: string;
    readonly securityProtectionTypes?: readonly string[];
    readonly tag?: readonly TagPair[];
    readonly name?: string;
    readonly description?: string;
    readonly zone?: string;
    readonly publicIpAddressPoolId?: string;
}

const allocateEipAddress = vpcAction({
    name: "AllocateEipAddress",
    request: AllocateEipAddressRequest,
    response: AllocateEipAddressResponseBody,
    writes: true,
    handle: (request, context) => allocated(allocate(context, request)),
});

/** The same, for a client that asks for a certain address. */
const allocateEipAddressPro = vpcAction({
    name: "AllocateEipAddressPro",
    request: AllocateEipAddressProRequest,
    response: AllocateEipAddressProResponseBody,
    writes: true,
    handle: (request, context) => allocated(allocate(context, request)),
});

function allocated(eip: Eip) {
    return { allocationId: eip.id, eipAddress: eip.address, resourceGroupId: eip.resourceGroupId };
}

function allocate(context: ActionContext, request: NewEip): Eip {
    const { store, regionId, now } = context;
    const { state } = store;
    checkName(request.name, "InvalidName.Malformed");
    checkDescription(request.description, "InvalidDescription.Malformed");
    checkTags(request.tag);
    checkOneOf(request.ISP, isps, "ISP", "IllegalParam.Isp");
    checkOneOf(request.netmode, ["public", "hybrid"], "Netmode", "InvalidParameter");
    checkOneOf(request.instanceChargeType, ["PostPaid", "PrePaid"], "InstanceChargeType", "InvalidParameter");
    checkOneOf(
        request.internetChargeType,
        ["PayByBandwidth", "PayByTraffic", "PayByDominantTraffic"],
        "InternetChargeType",
        "InvalidParameter",
    );
    const internetChargeType = valueOr(request.internetChargeType, "PayByBandwidth");
    const instanceChargeType = request.instanceChargeType === "PrePaid" ? "PrePaid" : "PostPaid";
    if (instanceChargeType === "PrePaid" && internetChargeType === "PayByTraffic")
        refuse("InvalidParameter", 'Specified value of "InternetChargeType" is not valid');
    const bandwidth = valueOr(request.bandwidth, "5");
    checkBandwidth(bandwidth, { instanceChargeType, internetChargeType });
    if (request.publicIpAddressPoolId)
        refuse("ResourceNotFound.PublicIpAddressPool", "The specified resource of PublicIpAddressPool is not found.");
    if (request.zone && regionOfZone(request.zone)?.id !== regionId)
        refuse("IllegalParam.Zone", "The specified zone is invalid.");
    const asked = chosenAddress(context, request);
    const own = Object.values(state.eips).filter(({ ephemeralFor }) => ephemeralFor === undefined);
    if (own.length >= quotas.eips) refuse("QuotaExceeded.Eip", "Elastic IP address quota exceeded.");
    context.checked();

    const address =
        asked ?? takeEipAddress(store) ?? refuse("OperationFailed.InsufficientEIP", "Eip resource is not enough.");
    const tags: Tags = toTags(request.tag);
    const eip: Eip = {
        id: store.newId("eip"),
        regionId,
        createdAt: now,
        name: request.name ?? "",
        description: request.description ?? "",
        tags,
        resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
        address,
        bandwidth,
        internetChargeType,
        instanceChargeType,
        isp: valueOr(request.ISP, "BGP"),
        netmode: valueOr(request.netmode, "public"),
        deletionProtection: false,
        ...(request.securityProtectionTypes?.length && {
            securityProtectionTypes: [...request.securityProtectionTypes],
        }),
        ...(request.zone && { zone: request.zone }),
    };
    state.eips[eip.id] = eip;
    return eip;
}

/** Mbit/s: up to 500, by traffic up to 200, by subscription up to 1000. */
function checkBandwidth(
    bandwidth: string,
    billing: Readonly<Pick<Eip, "instanceChargeType" | "internetChargeType">>,
): void {
    const value = Number(bandwidth);
    const max =
        billing.instanceChargeType === "PrePaid" ? 1000 : billing.internetChargeType === "PayByTraffic" ? 200 : 500;
    if (!Number.isInteger(value) || value < 1 || value > max)
        refuse("InvalidParameter", 'Specified value of "Bandwidth" is not valid.');
}

/** An address that the client had once and wants again; undefined when it takes any. */
function chosenAddress({ store }: ActionContext, { ipAddress }: NewEip): string | undefined {
    if (!ipAddress) return undefined;
    if (!containsAddress(parseCidr(store.eipRange)!, ipAddress))
        return refuse("ResourceNotFound.Ip", "The specified ip is not found.");
    if (takenEipAddresses(store.state).has(ipAddress)) refuse("Ip.Allocated", "The reserve ip has been allocated.");
    return ipAddress;
}

const describeEipAddresses = vpcAction({
    name: "DescribeEipAddresses",
    request: DescribeEipAddressesRequest,
    response: DescribeEipAddressesResponseBody,
    writes: false,
    handle: (request, context) => {
        const created = ({ createdAt }: Eip, from: string | undefined, to: string | undefined): boolean =>
            (!from || Date.parse(createdAt) >= Date.parse(from)) && (!to || Date.parse(createdAt) <= Date.parse(to));
        const filter = (key: string): string | undefined => request.filter?.find((pair) => pair.key === key)?.value;
        const eips = inRegion(context.store.state.eips, context.regionId).filter(
            (eip) =>
                eip.ephemeralFor === undefined &&
                matchesAny(request.allocationId, eip.id) &&
                matchesAny(request.eipAddress, eip.address) &&
                matches(request.eipName, eip.name) &&
                matches(request.status, statusOf(eip)) &&
                matches(request.ISP, eip.isp) &&
                matches(request.chargeType, eip.instanceChargeType) &&
                matches(request.resourceGroupId, eip.resourceGroupId) &&
                (!request.associatedInstanceType || request.associatedInstanceType === eip.binding?.instanceType) &&
                (!request.associatedInstanceId || request.associatedInstanceId === eip.binding?.instanceId) &&
                matches(request.publicIpAddressPoolId, "") &&
                matches(request.segmentInstanceId, "") &&
                matches(request.lockReason, "") &&
                matches(request.securityProtectionEnabled, (eip.securityProtectionTypes?.length ?? 0) > 0) &&
                matches(request.serviceManaged, false) &&
                created(eip, filter("CreationStartTime"), filter("CreationEndTime")) &&
                hasTags(eip, request.tag),
        );
        const { items, ...page } = paginate(eips, request, { max: 100 });
        return { ...page, eipAddresses: { eipAddress: items.map(eipView) } };
    },
});

function statusOf(eip: Eip): string {
    return eip.binding ? "InUse" : "Available";
}

function eipView(eip: Eip) {
    const { binding } = eip;
    return {
        allocationId: eip.id,
        ipAddress: eip.address,
        name: eip.name,
        description: eip.description,
        regionId: eip.regionId,
        allocationTime: eip.createdAt,
        expiredTime: "",
        status: statusOf(eip),
        businessStatus: "Normal",
        bizType: "default",
        bandwidth: eip.bandwidth,
        eipBandwidth: eip.bandwidth,
        bandwidthPackageId: "",
        bandwidthPackageType: "",
        bandwidthPackageBandwidth: "",
        chargeType: eip.instanceChargeType,
        internetChargeType: eip.internetChargeType,
        ISP: eip.isp,
        netmode: eip.netmode,
        deletionProtection: eip.deletionProtection,
        HDMonitorStatus: eip.monitorLog ? "ON" : "OFF",
        hasReservationData: "false",
        instanceId: binding?.instanceId ?? "",
        instanceType: binding?.instanceType ?? "",
        instanceRegionId: binding?.instanceRegionId ?? "",
        privateIpAddress: binding?.privateIp ?? "",
        mode: binding?.mode ?? "NAT",
        // Only for addresses that were bound by VPC and IP: the provider takes any other as a change that replaces.
        vpcId: binding?.instanceType === "IpAddress" ? (binding.vpcId ?? "") : "",
        operationLocks: { lockReason: [] },
        publicIpAddressPoolId: "",
        resourceGroupId: eip.resourceGroupId,
        secondLimited: false,
        securityProtectionTypes: { securityProtectionType: eip.securityProtectionTypes ?? [] },
        segmentInstanceId: "",
        serviceManaged: 0,
        zone: eip.zone ?? "",
        tags: tagsView(eip.tags),
        // The provider's data source crashes without.
        [unlisted]: { AvailableRegions: { AvailableRegion: [eip.regionId] } },
    };
}

const modifyEipAddressAttribute = vpcAction({
    name: "ModifyEipAddressAttribute",
    request: ModifyEipAddressAttributeRequest,
    response: ModifyEipAddressAttributeResponseBody,
    required: ["AllocationId"],
    writes: true,
    handle: (request, context) => {
        const eip = eipOf(context, request.allocationId);
        checkName(request.name, "InvalidName.Malformed");
        checkDescription(request.description, "InvalidDescription.Malformed");
        if (request.bandwidth) checkBandwidth(request.bandwidth, eip);
        context.checked();
        if (request.name !== undefined) eip.name = request.name;
        if (request.description !== undefined) eip.description = request.description;
        if (request.bandwidth) eip.bandwidth = request.bandwidth;
        return {};
    },
});

const releaseEipAddress = vpcAction({
    name: "ReleaseEipAddress",
    request: ReleaseEipAddressRequest,
    response: ReleaseEipAddressResponseBody,
    required: ["AllocationId"],
    writes: true,
    handle: ({ allocationId }, context) => {
        const eip = eipOf(context, allocationId);
        if (eip.binding) refuse("IncorrectEipStatus", "Current elastic IP status does not support this operation.");
        if (eip.deletionProtection)
            refuse(
                "InvalidOperation.DeletionProtection",
                // The cloud spells it like this.
                "The instance cannnot delete because of deletion protecion.",
            );
        if (eip.instanceChargeType === "PrePaid")
            refuse("Forbidden.ChargeTypeIsPrepaid", "It's forbidden to release a prepaid EIP");
        context.checked();
        Reflect.deleteProperty(context.store.state.eips, eip.id);
        return {};
    },
});

const describeEipMonitorData = vpcAction({
    name: "DescribeEipMonitorData",
    request: DescribeEipMonitorDataRequest,
    response: DescribeEipMonitorDataResponseBody,
    required: ["AllocationId", "StartTime", "EndTime"],
    writes: false,
    handle: ({ allocationId }, context) => {
        eipOf(context, allocationId);
        return { eipMonitorDatas: { eipMonitorData: [] } };
    },
});

const describeHighDefinitionMonitorLogAttribute = vpcAction({
    name: "DescribeHighDefinitionMonitorLogAttribute",
    request: DescribeHighDefinitionMonitorLogAttributeRequest,
    response: DescribeHighDefinitionMonitorLogAttributeResponseBody,
    required: ["InstanceId"],
    writes: false,
    handle: ({ instanceId }, context) => {
        const eip = eipOf(context, instanceId);
        return {
            success: "true",
            instanceId: eip.id,
            instanceType: "EIP",
            logProject: eip.monitorLog?.project ?? "",
            logStore: eip.monitorLog?.store ?? "",
        };
    },
});

const setHighDefinitionMonitorLogStatus = vpcAction({
    name: "SetHighDefinitionMonitorLogStatus",
    request: SetHighDefinitionMonitorLogStatusRequest,
    response: SetHighDefinitionMonitorLogStatusResponseBody,
    required: ["InstanceId", "InstanceType", "Status"],
    writes: true,
    handle: (request, context) => {
        const eip = eipOf(context, request.instanceId);
        checkOneOf(request.status, ["ON", "OFF"], "Status", "InvalidStatus.ValueNotSupported");
        context.checked();
        if (request.status === "ON")
            eip.monitorLog = { project: request.logProject ?? "", store: request.logStore ?? "" };
        else delete eip.monitorLog;
        return { success: "true" };
    },
});

export const eipActions: readonly Action[] = [
    allocateEipAddress,
    allocateEipAddressPro,
    describeEipAddresses,
    modifyEipAddressAttribute,
    releaseEipAddress,
    describeEipMonitorData,
    describeHighDefinitionMonitorLogAttribute,
    setHighDefinitionMonitorLogStatus,
];

import { DescribeInstanceAttributeRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstanceAttributeRequest";
import { DescribeInstanceAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstanceAttributeResponseBody";
import { DescribeInstanceHistoryEventsRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstanceHistoryEventsRequest";
import { DescribeInstanceHistoryEventsResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstanceHistoryEventsResponseBody";
import { DescribeInstanceStatusRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstanceStatusRequest";
import { DescribeInstanceStatusResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstanceStatusResponseBody";
import { DescribeInstancesRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstancesRequest";
import { DescribeInstancesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstancesResponseBody";
import { DescribeUserDataRequest } from "@alicloud/ecs20140526/dist/models/DescribeUserDataRequest";
import { DescribeUserDataResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeUserDataResponseBody";
import type { Eip, Instance, NetworkInterface } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { hasTags, inRegion, matches, matchesAny, paginate } from "../listing";
import type { Plain } from "../wire";
import { ecsAction } from "./action";
import { findImage } from "./catalogue/images";
import { findInstanceType } from "./catalogue/instanceTypes";
import { idList, refuse } from "./checks";
import { hasIpv6, ipv6View } from "./ipv6";
import { nameMatches } from "./keyPairs";
import { instanceOf } from "./lookup";
import { pageOf } from "./pages";
import { minuteOf, tagsView } from "./view";

/** What an answer about instances looks up, indexed once for all of them. */
interface Index {
    readonly interfaces: ReadonlyMap<string, readonly NetworkInterface[]>;
    readonly publicIps: ReadonlyMap<string, Eip>;
    readonly eips: ReadonlyMap<string, Eip>;
}

function indexOf({ store }: ActionContext): Index {
    const interfaces = new Map<string, NetworkInterface[]>();
    for (const nic of Object.values(store.state.networkInterfaces)) {
        if (nic.instanceId === "") continue;
        const others = interfaces.get(nic.instanceId) ?? [];
        interfaces.set(nic.instanceId, nic.kind === "Primary" ? [nic, ...others] : [...others, nic]);
    }
    const publicIps = new Map<string, Eip>();
    const eips = new Map<string, Eip>();
    for (const eip of Object.values(store.state.eips)) {
        if (eip.ephemeralFor !== undefined) publicIps.set(eip.ephemeralFor, eip);
        else if (eip.binding?.instanceType === "EcsInstance") eips.set(eip.binding.instanceId, eip);
    }
    return { interfaces, publicIps, eips };
}

function text(instance: Instance, key: string): string {
    const value = instance.extra[key];
    return value === undefined ? "" : String(value);
}

function number(instance: Instance, key: string): number | undefined {
    const value = instance.extra[key];
    return typeof value === "number" ? value : undefined;
}

/** Fields that `DescribeInstances` and `DescribeInstanceAttribute` have in common. */
function commonView(index: Index, instance: Instance) {
    const type = findInstanceType(instance.instanceType);
    const [primary] = index.interfaces.get(instance.id) ?? [];
    const eip = index.eips.get(instance.id);
    const publicIp = index.publicIps.get(instance.id);
    return {
        instanceId: instance.id,
        instanceName: instance.name,
        description: instance.description,
        hostName: instance.hostName,
        regionId: instance.regionId,
        zoneId: instance.zoneId,
        clusterId: "",
        imageId: instance.imageId,
        instanceType: instance.instanceType,
        cpu: type?.vcpus ?? 1,
        memory: Math.round((type?.memoryGiB ?? 1) * 1024),
        status: instance.status,
        stoppedMode: instance.status === "Stopped" ? instance.stoppedMode : "Not-applicable",
        serialNumber: text(instance, "serialNumber"),
        creationTime: minuteOf(instance.createdAt),
        expiredTime: minuteOf(instance.expiredAt),
        creditSpecification: instance.creditSpecification,
        instanceChargeType: instance.instanceChargeType,
        internetChargeType: instance.internetChargeType,
        internetMaxBandwidthIn: instance.internetMaxBandwidthIn,
        internetMaxBandwidthOut: instance.internetMaxBandwidthOut,
        instanceNetworkType: "vpc",
        vlanId: "",
        dedicatedHostAttribute: { dedicatedHostId: text(instance, "dedicatedHostId"), dedicatedHostName: "" },
        eipAddress: {
            allocationId: eip?.id ?? "",
            ipAddress: eip?.address ?? "",
            internetChargeType: eip?.internetChargeType ?? "",
            ...(eip && { bandwidth: Number(eip.bandwidth) }),
        },
        innerIpAddress: { ipAddress: [] },
        publicIpAddress: { ipAddress: publicIp ? [publicIp.address] : [] },
        operationLocks: { lockReason: [] },
        securityGroupIds: { securityGroupId: instance.securityGroupIds },
        securityOptions: { enableSecureBoot: false },
        vpcAttributes: {
            vpcId: instance.vpcId,
            vSwitchId: instance.vswitchId,
            natIpAddress: "",
            privateIpAddress: { ipAddress: primary ? [primary.primaryIp] : [] },
        },
    };
}

type InstanceView = NonNullable<NonNullable<Plain<DescribeInstancesResponseBody>["instances"]>["instance"]>[number];

function instanceView(index: Index, instance: Instance): InstanceView {
    const type = findInstanceType(instance.instanceType);
    const image = findImage(instance.imageId);
    return {
        ...commonView(index, instance),
        autoReleaseTime: minuteOf(instance.autoReleaseTime),
        startTime: minuteOf(instance.startedAt),
        instanceTypeFamily: type?.family ?? "",
        ioOptimized: true,
        deviceAvailable: true,
        recyclable: instance.extra["recyclable"] === true,
        deletionProtection: instance.deletionProtection,
        keyPairName: instance.keyPairName,
        resourceGroupId: instance.resourceGroupId,
        hpcClusterId: text(instance, "hpcClusterId"),
        deploymentSetId: instance.deploymentSetId,
        ...(instance.extra["deploymentSetGroupNo"] !== undefined && {
            deploymentSetGroupNo: number(instance, "deploymentSetGroupNo"),
        }),
        OSName: image?.osName ?? "",
        OSNameEn: image?.osNameEnglish ?? "",
        OSType: image?.osType ?? "linux",
        GPUAmount: type?.gpus ?? 0,
        GPUSpec: type?.gpuSpec ?? "",
        localStorageAmount: 0,
        localStorageCapacity: 0,
        saleCycle: "",
        spotStrategy: instance.spotStrategy,
        spotPriceLimit: instance.spotPriceLimit,
        spotDuration: number(instance, "spotDuration") ?? 0,
        spotInterruptionBehavior: text(instance, "spotInterruptionBehavior"),
        ISP: "",
        tags: tagsView(instance.tags),
        rdmaIpAddress: { ipAddress: [] },
        additionalInfo: { enableHighDensityMode: instance.extra["enableHighDensityMode"] === true },
        cpuOptions: {
            coreCount: number(instance, "cpuCores") ?? 1,
            threadsPerCore: number(instance, "threadsPerCore") ?? 1,
            topologyType: text(instance, "topologyType"),
            numa: "",
        },
        dedicatedInstanceAttribute: { affinity: "", tenancy: "" },
        ecsCapacityReservationAttr: { capacityReservationId: "", capacityReservationPreference: "" },
        hibernationOptions: { configured: false },
        imageOptions: { loginAsNonRoot: instance.extra["loginAsNonRoot"] === true },
        metadataOptions: {
            httpEndpoint: instance.metadata.endpoint,
            httpTokens: instance.metadata.tokens,
            httpPutResponseHopLimit: instance.metadata.hopLimit,
        },
        networkInterfaces: {
            networkInterface: (index.interfaces.get(instance.id) ?? []).map((nic) => ({
                networkInterfaceId: nic.id,
                type: nic.kind,
                macAddress: nic.mac,
                primaryIpAddress: nic.primaryIp,
                privateIpSets: {
                    privateIpSet: [
                        { primary: true, privateIpAddress: nic.primaryIp },
                        ...nic.secondaryIps.map((privateIpAddress) => ({ primary: false, privateIpAddress })),
                    ],
                },
                ipv6Sets: ipv6View(nic),
                ipv4PrefixSets: { ipv4PrefixSet: [] },
                ipv6PrefixSets: { ipv6PrefixSet: [] },
            })),
        },
    };
}

type Query = Plain<DescribeInstancesRequest>;

function timeFilter(query: Query, name: string): string | undefined {
    return query.filter?.find(({ key }) => key === name)?.value;
}

/** Whether an instance meets the filters of `DescribeInstances`. */
function isAsked(index: Index, instance: Instance, query: Query): boolean {
    const nics = index.interfaces.get(instance.id) ?? [];
    const privateIps = idList(query.privateIpAddresses, "PrivateIpAddresses");
    const publicIps = idList(query.publicIpAddresses, "PublicIpAddresses");
    const eips = idList(query.eipAddresses, "EipAddresses");
    const type = findInstanceType(instance.instanceType);
    const createdFrom = timeFilter(query, "CreationStartTime");
    const createdTo = timeFilter(query, "CreationEndTime");
    const expiresFrom = timeFilter(query, "ExpiredStartTime");
    const expiresTo = timeFilter(query, "ExpiredEndTime");
    const created = minuteOf(instance.createdAt);
    const expires = minuteOf(instance.expiredAt);
    return (
        matches(query.vpcId, instance.vpcId) &&
        matches(query.vSwitchId, instance.vswitchId) &&
        matches(query.zoneId, instance.zoneId) &&
        matches(query.status, instance.status) &&
        matches(query.instanceNetworkType, "vpc") &&
        matches(query.instanceChargeType, instance.instanceChargeType) &&
        matches(query.internetChargeType, instance.internetChargeType) &&
        matches(query.imageId, instance.imageId) &&
        matches(query.instanceType, instance.instanceType) &&
        matches(query.instanceTypeFamily, type?.family ?? "") &&
        matches(query.keyPairName, instance.keyPairName) &&
        matches(query.resourceGroupId, instance.resourceGroupId) &&
        matches(query.hpcClusterId, text(instance, "hpcClusterId")) &&
        matches(query.httpEndpoint, instance.metadata.endpoint) &&
        matches(query.httpTokens, instance.metadata.tokens) &&
        (query.ioOptimized === undefined || query.ioOptimized) &&
        (query.deviceAvailable === undefined || query.deviceAvailable) &&
        !query.lockReason &&
        hasIpv6(query.ipv6Address, ...nics) &&
        idList(query.innerIpAddresses, "InnerIpAddresses") === undefined &&
        idList(query.rdmaIpAddresses, "RdmaIpAddresses") === undefined &&
        nameMatches(query.instanceName, instance.name) &&
        (!query.securityGroupId || nics.some((nic) => nic.securityGroupIds.includes(query.securityGroupId!))) &&
        (privateIps === undefined || nics.some((nic) => privateIps.includes(nic.primaryIp))) &&
        (publicIps === undefined || publicIps.includes(index.publicIps.get(instance.id)?.address ?? "")) &&
        (eips === undefined || eips.includes(index.eips.get(instance.id)?.address ?? "")) &&
        (createdFrom === undefined || created >= createdFrom) &&
        (createdTo === undefined || created <= createdTo) &&
        (expiresFrom === undefined || expires >= expiresFrom) &&
        (expiresTo === undefined || expires <= expiresTo) &&
        hasTags(instance, query.tag)
    );
}

const describeInstances = ecsAction({
    name: "DescribeInstances",
    request: DescribeInstancesRequest,
    response: DescribeInstancesResponseBody,
    writes: false,
    handle: (query, context) => {
        const ids = idList(query.instanceIds, "InstanceIds");
        const index = indexOf(context);
        const found = inRegion(context.store.state.instances, context.regionId)
            .filter((instance) => (ids === undefined || ids.includes(instance.id)) && isAsked(index, instance, query))
            // The cloud shows the newest first.
            .reverse();
        const { items, ...page } = pageOf(found, query, { default: 10, max: 100, byToken: [10, 100] });
        context.checked();
        return { ...page, instances: { instance: items.map((instance) => instanceView(index, instance)) } };
    },
});

const describeInstanceStatus = ecsAction({
    name: "DescribeInstanceStatus",
    request: DescribeInstanceStatusRequest,
    response: DescribeInstanceStatusResponseBody,
    writes: false,
    handle: (request, context) => {
        const ids = request.instanceId?.filter((id) => id !== "") ?? [];
        const found = inRegion(context.store.state.instances, context.regionId).filter(
            (instance) =>
                (ids.length === 0 || ids.includes(instance.id)) && matchesAny(request.zoneId, instance.zoneId),
        );
        const { items, ...page } = paginate(found, request, { default: 10, max: 50 });
        return {
            ...page,
            instanceStatuses: { instanceStatus: items.map(({ id, status }) => ({ instanceId: id, status })) },
        };
    },
});

// There are none: the lab maintains nothing, and a launch that fails leaves a stopped instance.
const describeInstanceHistoryEvents = ecsAction({
    name: "DescribeInstanceHistoryEvents",
    request: DescribeInstanceHistoryEventsRequest,
    response: DescribeInstanceHistoryEventsResponseBody,
    writes: false,
    handle: (request) => {
        const { items, ...page } = pageOf<never>([], request, { default: 10, max: 100 });
        return { ...page, instanceSystemEventSet: { instanceSystemEventType: items } };
    },
});

const describeInstanceAttribute = ecsAction({
    name: "DescribeInstanceAttribute",
    request: DescribeInstanceAttributeRequest,
    response: DescribeInstanceAttributeResponseBody,
    required: ["InstanceId"],
    writes: false,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        const jumbo = instance.extra["enableJumboFrame"] === true;
        return {
            ...commonView(indexOf(context), instance),
            ioOptimized: "true",
            enableJumboFrame: jumbo,
            enableNetworkEncryption: false,
            networkOptions: { enableJumboFrame: jumbo, enableNetworkEncryption: false },
        };
    },
});

const describeUserData = ecsAction({
    name: "DescribeUserData",
    request: DescribeUserDataRequest,
    response: DescribeUserDataResponseBody,
    required: ["InstanceId"],
    writes: false,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        if (instance.regionId !== context.regionId)
            refuse("InvalidInstanceId.NotFound", "The specified InstanceId does not exist.", 404);
        return { instanceId: instance.id, regionId: instance.regionId, userData: instance.userData };
    },
});

export const describeInstanceActions: readonly Action[] = [
    describeInstances,
    describeInstanceStatus,
    describeInstanceHistoryEvents,
    describeInstanceAttribute,
    describeUserData,
];

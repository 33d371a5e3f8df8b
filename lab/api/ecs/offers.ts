import { DescribeAccountAttributesRequest } from "@alicloud/ecs20140526/dist/models/DescribeAccountAttributesRequest";
import { DescribeAccountAttributesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeAccountAttributesResponseBody";
import { DescribeAvailableResourceRequest } from "@alicloud/ecs20140526/dist/models/DescribeAvailableResourceRequest";
import { DescribeAvailableResourceResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeAvailableResourceResponseBody";
import { DescribeImageFromFamilyRequest } from "@alicloud/ecs20140526/dist/models/DescribeImageFromFamilyRequest";
import { DescribeImageFromFamilyResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeImageFromFamilyResponseBody";
import { DescribeImageSupportInstanceTypesRequest } from "@alicloud/ecs20140526/dist/models/DescribeImageSupportInstanceTypesRequest";
import { DescribeImageSupportInstanceTypesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeImageSupportInstanceTypesResponseBody";
import { DescribeImagesRequest } from "@alicloud/ecs20140526/dist/models/DescribeImagesRequest";
import { DescribeImagesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeImagesResponseBody";
import { DescribeInstanceTypeFamiliesRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstanceTypeFamiliesRequest";
import { DescribeInstanceTypeFamiliesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstanceTypeFamiliesResponseBody";
import { DescribeInstanceTypesRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstanceTypesRequest";
import { DescribeInstanceTypesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstanceTypesResponseBody";
import { DescribeRegionsRequest } from "@alicloud/ecs20140526/dist/models/DescribeRegionsRequest";
import { DescribeRegionsResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeRegionsResponseBody";
import { DescribeZonesRequest } from "@alicloud/ecs20140526/dist/models/DescribeZonesRequest";
import { DescribeZonesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeZonesResponseBody";
import type { Instance } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { inRegion, matches, matchesAny, paginate, paginateByToken } from "../listing";
import { localName, regions } from "../regions";
import type { Plain } from "../wire";
import { ecsAction } from "./action";
import { diskCategories } from "./catalogue/disks";
import { Image, findImage, findImageFamily, images } from "./catalogue/images";
import { InstanceType, instanceTypeFamilies, instanceTypes } from "./catalogue/instanceTypes";
import { zonesOf } from "./catalogue/zones";
import { checkOneOf, refuse } from "./checks";
import { nameMatches } from "./keyPairs";
import { quotas } from "./quotas";

const describeRegions = ecsAction({
    name: "DescribeRegions",
    request: DescribeRegionsRequest,
    response: DescribeRegionsResponseBody,
    writes: false,
    handle: ({ acceptLanguage }) => ({
        regions: {
            region: regions.map((region) => ({
                regionId: region.id,
                localName: localName(region, acceptLanguage),
                regionEndpoint: `ecs.${region.id}.aliyuncs.com`,
                status: "available",
            })),
        },
    }),
});

/** Categories that are sold; `cloud` is for old instances only. */
const soldCategories = [...diskCategories.keys()].filter((id) => id !== "cloud");

const describeZones = ecsAction({
    name: "DescribeZones",
    request: DescribeZonesRequest,
    response: DescribeZonesResponseBody,
    writes: false,
    handle: (request, { regionId }) => {
        checkOneOf(request.instanceChargeType, ["PrePaid", "PostPaid"], "InstanceChargeType");
        const typeIds = instanceTypes.map(({ id }) => id);
        // Long lists that only some clients read.
        const verbose = request.verbose !== false;
        return {
            zones: {
                zone: zonesOf(regionId).map((zone) => ({
                    zoneId: zone.id,
                    zoneType: "AvailabilityZone",
                    localName: localName(zone, request.acceptLanguage),
                    availableResourceCreation: {
                        resourceTypes: ["VSwitch", "IoOptimized", "Instance", "DedicatedHost", "Disk"],
                    },
                    availableDiskCategories: { diskCategories: soldCategories },
                    availableInstanceTypes: { instanceTypes: typeIds },
                    availableVolumeCategories: { volumeCategories: [] },
                    availableDedicatedHostTypes: { dedicatedHostType: [] },
                    dedicatedHostGenerations: { dedicatedHostGeneration: [] },
                    availableResources: {
                        resourcesInfo: verbose
                            ? [
                                  {
                                      ioOptimized: true,
                                      networkTypes: { supportedNetworkCategory: ["vpc"] },
                                      systemDiskCategories: { supportedSystemDiskCategory: soldCategories },
                                      dataDiskCategories: { supportedDataDiskCategory: soldCategories },
                                      instanceTypes: { supportedInstanceType: typeIds },
                                      instanceTypeFamilies: {
                                          supportedInstanceTypeFamily: instanceTypeFamilies.map((family) => family.id),
                                      },
                                      instanceGenerations: { supportedInstanceGeneration: generations() },
                                  },
                              ]
                            : [],
                    },
                })),
            },
        };
    },
});

function generations(): string[] {
    return [...new Set(instanceTypeFamilies.map(({ generation }) => generation))].sort();
}

interface Supported {
    readonly value: string;
    readonly min?: number;
    readonly max?: number;
    readonly unit?: string;
}

type Wanted = Plain<DescribeAvailableResourceRequest>;

const destinations = ["Zone", "IoOptimized", "InstanceType", "Network", "ddh", "SystemDisk", "DataDisk"];

const describeAvailableResource = ecsAction({
    name: "DescribeAvailableResource",
    request: DescribeAvailableResourceRequest,
    response: DescribeAvailableResourceResponseBody,
    required: ["DestinationResource"],
    writes: false,
    handle: (request, { regionId }) => {
        const destination = request.destinationResource ?? "";
        checkOneOf(destination, destinations, "DestinationResource", "Invalid.DestinationResource");
        checkOneOf(
            request.resourceType,
            ["instance", "disk", "reservedInstance", "ddh"],
            "ResourceType",
            "Invalid.ResourceType",
        );
        checkOneOf(
            request.networkCategory?.toLowerCase(),
            ["vpc", "classic"],
            "NetworkCategory",
            "Invalid.NetworkCategory",
        );
        checkOneOf(
            request.instanceChargeType,
            ["PrePaid", "PostPaid"],
            "InstanceChargeType",
            "Invalid.InstanceChargeType",
        );
        const types = wantedTypes(request);
        // Nothing of it is sold in the region.
        const soldOut = types.length === 0 && request.resourceType !== "disk";
        const supported = soldOut ? [] : supportedBy(destination, request, types);
        return {
            availableZones: {
                availableZone: zonesOf(regionId)
                    .filter(({ id }) => supported.length > 0 && matches(request.zoneId, id))
                    .map(({ id: zoneId }) => ({
                        regionId,
                        zoneId,
                        status: "Available",
                        statusCategory: "WithStock",
                        availableResources: {
                            availableResource: [
                                {
                                    type: destination,
                                    supportedResources: {
                                        supportedResource: (destination === "Zone"
                                            ? [{ value: zoneId }]
                                            : supported
                                        ).map((each) => ({
                                            ...each,
                                            status: "Available",
                                            statusCategory: "WithStock",
                                        })),
                                    },
                                },
                            ],
                        },
                    })),
            },
        };
    },
});

function wantedTypes(request: Wanted): InstanceType[] {
    return instanceTypes.filter(
        (type) =>
            matches(request.instanceType, type.id) &&
            (request.cores === undefined || request.cores === type.vcpus) &&
            (request.memory === undefined || request.memory === type.memoryGiB) &&
            [request.systemDiskCategory, request.dataDiskCategory].every(
                (category) => !category || type.diskCategories.includes(category),
            ),
    );
}

function supportedBy(destination: string, request: Wanted, types: readonly InstanceType[]): readonly Supported[] {
    switch (destination) {
        case "InstanceType":
            return types.map(({ id }) => ({ value: id }));
        case "SystemDisk":
        case "DataDisk":
            return soldCategories
                .filter(
                    (id) => request.resourceType === "disk" || types.some((type) => type.diskCategories.includes(id)),
                )
                .flatMap((id) => {
                    const category = diskCategories.get(id)!;
                    const limits = destination === "SystemDisk" ? category.system : category.data;
                    return limits ? [{ value: id, min: limits[0], max: limits[1], unit: "GiB" }] : [];
                });
        case "Network":
            return [{ value: "vpc" }];
        case "IoOptimized":
            return [{ value: "optimized" }];
        case "Zone":
            return [{ value: "" }];
        default:
            return [];
    }
}

/** Disks of an instance of any type, the system disk among them. */
const DISKS = 17;

type TypeQuery = Plain<DescribeInstanceTypesRequest>;

function atLeast(actual: number, least: number | undefined): boolean {
    return least === undefined || actual >= least;
}

function atMost(actual: number, most: number | undefined): boolean {
    return most === undefined || actual <= most;
}

function anyOf(asked: readonly string[] | undefined, actual: string): boolean {
    const values = asked?.filter((value) => value !== "") ?? [];
    return values.length === 0 || values.includes(actual);
}

function isAsked(type: InstanceType, query: TypeQuery): boolean {
    return (
        anyOf(query.instanceTypes, type.id) &&
        matches(query.instanceTypeFamily, type.family) &&
        anyOf(query.instanceTypeFamilies, type.family) &&
        matches(query.instanceFamilyLevel, type.level) &&
        matches(query.instanceCategory, type.category) &&
        anyOf(query.instanceCategories, type.category) &&
        matches(query.cpuArchitecture, type.architecture) &&
        anyOf(query.cpuArchitectures, type.architecture) &&
        matches(query.nvmeSupport, type.nvme) &&
        matches(query.GPUSpec, type.gpuSpec) &&
        anyOf(query.gpuSpecs, type.gpuSpec) &&
        type.processor.includes(query.physicalProcessorModel ?? "") &&
        anyOf(query.physicalProcessorModels, type.processor) &&
        !query.localStorageCategory &&
        !query.localStorageCategories?.length &&
        atLeast(type.vcpus, query.minimumCpuCoreCount) &&
        atMost(type.vcpus, query.maximumCpuCoreCount) &&
        atLeast(type.memoryGiB, query.minimumMemorySize) &&
        atMost(type.memoryGiB, query.maximumMemorySize) &&
        atLeast(type.ghz, query.minimumCpuSpeedFrequency) &&
        atMost(type.ghz, query.maximumCpuSpeedFrequency) &&
        atLeast(type.turboGhz, query.minimumCpuTurboFrequency) &&
        atMost(type.turboGhz, query.maximumCpuTurboFrequency) &&
        atLeast(DISKS, query.minimumDiskQuantity) &&
        atLeast(type.enis, query.minimumEniQuantity) &&
        atLeast(type.ipsPerEni, query.minimumEniPrivateIpAddressQuantity) &&
        atLeast(type.ipv6PerEni, query.minimumEniIpv6AddressQuantity) &&
        atLeast(type.queues, query.minimumPrimaryEniQueueNumber) &&
        atLeast(type.queues, query.minimumSecondaryEniQueueNumber) &&
        atLeast(0, query.minimumEriQuantity) &&
        atLeast(0, query.minimumQueuePairNumber) &&
        atLeast(0, query.minimumLocalStorageAmount) &&
        atLeast(0, query.minimumLocalStorageCapacity) &&
        atLeast(type.bandwidth * 1_024_000, query.minimumInstanceBandwidthRx) &&
        atLeast(type.bandwidth * 1_024_000, query.minimumInstanceBandwidthTx) &&
        atLeast(type.packets, query.minimumInstancePpsRx) &&
        atLeast(type.packets, query.minimumInstancePpsTx) &&
        atLeast(type.credits?.initial ?? 0, query.minimumInitialCredit) &&
        atLeast(type.credits?.baseline ?? 0, query.minimumBaselineCredit) &&
        atLeast(type.gpus, query.minimumGPUAmount) &&
        atMost(type.gpus, query.maximumGPUAmount)
    );
}

const describeInstanceTypes = ecsAction({
    name: "DescribeInstanceTypes",
    request: DescribeInstanceTypesRequest,
    response: DescribeInstanceTypesResponseBody,
    writes: false,
    handle: (query) => {
        const found = instanceTypes.filter((type) => isAsked(type, query));
        const { items, nextToken = "" } = paginateByToken(found, query, { default: 1600, max: 1600 });
        return { nextToken, instanceTypes: { instanceType: items.map(typeView) } };
    },
});

function typeView(type: InstanceType) {
    return {
        instanceTypeId: type.id,
        instanceTypeFamily: type.family,
        instanceFamilyLevel: type.level,
        instanceCategory: type.category,
        cpuArchitecture: type.architecture,
        cpuCoreCount: type.vcpus,
        memorySize: type.memoryGiB,
        physicalProcessorModel: type.processor,
        cpuSpeedFrequency: type.ghz,
        cpuTurboFrequency: type.turboGhz,
        diskQuantity: DISKS,
        eniQuantity: type.enis,
        eniTotalQuantity: type.enis,
        eniPrivateIpAddressQuantity: type.ipsPerEni,
        eniIpv6AddressQuantity: type.ipv6PerEni,
        eniTrunkSupported: false,
        eriQuantity: 0,
        primaryEniQueueNumber: type.queues,
        secondaryEniQueueNumber: type.queues,
        maximumQueueNumberPerEni: type.queues,
        totalEniQueueQuantity: type.queues * type.enis,
        queuePairNumber: 0,
        networkCardQuantity: 1,
        instanceBandwidthRx: type.bandwidth * 1_024_000,
        instanceBandwidthTx: type.bandwidth * 1_024_000,
        instancePpsRx: type.packets,
        instancePpsTx: type.packets,
        GPUAmount: type.gpus,
        GPUSpec: type.gpuSpec,
        GPUMemorySize: type.gpuMemoryGiB,
        initialCredit: type.credits?.initial ?? 0,
        baselineCredit: type.credits?.baseline ?? 0,
        localStorageAmount: 0,
        localStorageCapacity: 0,
        localStorageCategory: "",
        nvmeSupport: type.nvme,
        jumboFrameSupport: /8[aiy]$/.test(type.family),
        networkEncryptionSupport: false,
        cpuOptions: {
            core: Math.max(1, type.vcpus / 2),
            coreFactor: 1,
            threadsPerCore: type.vcpus > 1 ? 2 : 1,
            hyperThreadingAdjustable: false,
            supportedTopologyTypes: { supportedTopologyType: [] },
        },
        supportedBootModes: { supportedBootMode: ["BIOS", "UEFI"] },
        attributes: { attribute: [] },
    };
}

const describeInstanceTypeFamilies = ecsAction({
    name: "DescribeInstanceTypeFamilies",
    request: DescribeInstanceTypeFamiliesRequest,
    response: DescribeInstanceTypeFamiliesResponseBody,
    writes: false,
    handle: (request) => ({
        instanceTypeFamilies: {
            instanceTypeFamily: instanceTypeFamilies
                .filter(({ generation }) => matches(request.generation, generation))
                .map(({ id, generation }) => ({ instanceTypeFamilyId: id, generation })),
        },
    }),
});

type ImageQuery = Plain<DescribeImagesRequest>;

function isAskedImage(image: Image, query: ImageQuery, instances: readonly Instance[]): boolean {
    const type = instanceTypes.find(({ id }) => id === query.instanceType);
    const filter = (name: string): string | undefined => query.filter?.find(({ key }) => key === name)?.value;
    const from = filter("CreationStartTime");
    const to = filter("CreationEndTime");
    return (
        matchesAny(query.imageId, image.id) &&
        nameMatches(query.imageName, image.id) &&
        matches(query.imageFamily, image.family) &&
        matchesAny(query.imageOwnerAlias, "system") &&
        matches(query.architecture, image.architecture) &&
        matches(query.OSType?.toLowerCase(), image.osType) &&
        matchesAny(query.status, "Available") &&
        (!query.usage || (query.usage === "instance") === instances.some(({ imageId }) => imageId === image.id)) &&
        (query.isPublic === undefined || query.isPublic) &&
        (query.usable === undefined || query.usable) &&
        (query.isSupportIoOptimized === undefined || query.isSupportIoOptimized) &&
        (query.isSupportCloudinit === undefined || query.isSupportCloudinit === (image.osType === "linux")) &&
        (!type || (type.architecture === "ARM") === (image.architecture === "arm64")) &&
        (from === undefined || image.createdAt >= from) &&
        (to === undefined || image.createdAt <= to) &&
        // System images have neither of them.
        !query.snapshotId &&
        !query.resourceGroupId &&
        !query.imageOwnerId &&
        !query.tag?.some(({ key }) => key)
    );
}

const describeImages = ecsAction({
    name: "DescribeImages",
    request: DescribeImagesRequest,
    response: DescribeImagesResponseBody,
    writes: false,
    handle: (query, context) => {
        const { store, regionId } = context;
        checkOneOf(
            query.imageOwnerAlias,
            ["system", "self", "others", "marketplace"],
            "ImageOwnerAlias",
            "InvalidImageOwnerAlias.ValueNotSupported",
        );
        const instances = inRegion(store.state.instances, regionId);
        const listed = images.filter((image) => isAskedImage(image, query, instances));
        // Builds that are listed no more are found by those who know their ids.
        const known = (query.imageId ?? "")
            .split(",")
            .map((id) => findImage(id.trim()))
            .filter((image) => image !== undefined && isAskedImage(image, query, instances))
            .filter((image) => image !== undefined)
            .filter(({ id }) => !listed.some((image) => image.id === id));
        const { items, ...page } = paginate([...listed, ...known], query, { default: 10, max: 100 });
        context.checked();
        return {
            ...page,
            regionId,
            images: { image: items.map((image) => ({ ...imageView(image), ...imageExtras(image, instances) })) },
        };
    },
});

/** Fields that all answers about images have. */
function imageView(image: Image) {
    return {
        imageId: image.id,
        imageName: image.id,
        imageFamily: image.family,
        imageOwnerAlias: "system",
        imageVersion: "1.0.0",
        description: "",
        architecture: image.architecture,
        OSName: image.osName,
        OSType: image.osType,
        platform: image.platform,
        size: image.sizeGiB,
        status: "Available",
        progress: "100%",
        usage: "none",
        creationTime: image.createdAt,
        productCode: "",
        isCopied: false,
        isSelfShared: "",
        isSubscribed: false,
        isSupportCloudinit: image.osType === "linux",
        isSupportIoOptimized: true,
        diskDeviceMappings: { diskDeviceMapping: [] },
        tags: { tag: [] },
    };
}

function imageExtras(image: Image, instances: readonly Instance[]) {
    return {
        usage: instances.some(({ imageId }) => imageId === image.id) ? "instance" : "none",
        OSNameEn: image.osNameEnglish,
        bootMode: image.architecture === "arm64" ? "UEFI" : "BIOS",
        imageOwnerId: 0,
        isPublic: true,
        usable: true,
        loginAsNonRootSupported: image.osType === "linux",
        resourceGroupId: "",
        supplierName: "",
        features: { nvmeSupport: "supported", imdsSupport: "v1" },
    };
}

const describeImageFromFamily = ecsAction({
    name: "DescribeImageFromFamily",
    request: DescribeImageFromFamilyRequest,
    response: DescribeImageFromFamilyResponseBody,
    required: ["ImageFamily"],
    writes: false,
    handle: (request) => {
        const image = findImageFamily(request.imageFamily!);
        return image ? { image: imageView(image) } : {};
    },
});

const describeImageSupportInstanceTypes = ecsAction({
    name: "DescribeImageSupportInstanceTypes",
    request: DescribeImageSupportInstanceTypesRequest,
    response: DescribeImageSupportInstanceTypesResponseBody,
    required: ["ImageId"],
    writes: false,
    handle: (request, { regionId }) => {
        const image = findImage(request.imageId);
        if (!image) return refuse("InvalidImageId.NotFound", "The specified ImageId does not exist.", 404);
        return {
            imageId: image.id,
            regionId,
            instanceTypes: {
                instanceType: instanceTypes
                    .filter((type) => (type.architecture === "ARM") === (image.architecture === "arm64"))
                    .map((type) => ({
                        instanceTypeId: type.id,
                        instanceTypeFamily: type.family,
                        cpuCoreCount: type.vcpus,
                        memorySize: type.memoryGiB,
                    })),
            },
        };
    },
});

const describeAccountAttributes = ecsAction({
    name: "DescribeAccountAttributes",
    request: DescribeAccountAttributesRequest,
    response: DescribeAccountAttributesResponseBody,
    writes: false,
    handle: (request, context) => ({
        accountAttributeItems: {
            accountAttributeItem: accountAttributes(context)
                .filter(([name]) => anyOf(request.attributeName, name))
                .map(([attributeName, values]) => ({
                    attributeName,
                    attributeValues: { valueItem: values.map((value) => ({ value })) },
                })),
        },
    }),
});

function accountAttributes({
    store,
    regionId,
}: ActionContext): readonly (readonly [name: string, values: readonly string[]])[] {
    return [
        ["instance-network-type", ["vpc"]],
        ["max-security-groups", [String(quotas.securityGroups)]],
        ["used-security-groups", [String(inRegion(store.state.securityGroups, regionId).length)]],
        ["max-elastic-network-interfaces", ["5000"]],
        [
            "used-elastic-network-interfaces",
            [
                String(
                    inRegion(store.state.networkInterfaces, regionId).filter(({ kind }) => kind === "Secondary").length,
                ),
            ],
        ],
        ["max-postpaid-instance-vcpu-count", ["10000"]],
        ["max-spot-instance-vcpu-count", ["10000"]],
        ["max-postpaid-yundisk-capacity", ["1048576"]],
        ["max-dedicated-hosts", ["0"]],
        ["supported-postpaid-instance-types", instanceTypes.map(({ id }) => id)],
        ["max-axt-command-count", ["100"]],
        ["real-name-authentication", ["yes"]],
    ];
}

export const offerActions: readonly Action[] = [
    describeRegions,
    describeZones,
    describeAvailableResource,
    describeInstanceTypes,
    describeInstanceTypeFamilies,
    describeImages,
    describeImageFromFamily,
    describeImageSupportInstanceTypes,
    describeAccountAttributes,
];

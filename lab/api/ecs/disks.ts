import { AttachDiskRequest } from "@alicloud/ecs20140526/dist/models/AttachDiskRequest";
import { AttachDiskResponseBody } from "@alicloud/ecs20140526/dist/models/AttachDiskResponseBody";
import { CreateDiskRequest } from "@alicloud/ecs20140526/dist/models/CreateDiskRequest";
import { CreateDiskResponseBody } from "@alicloud/ecs20140526/dist/models/CreateDiskResponseBody";
import { DeleteDiskRequest } from "@alicloud/ecs20140526/dist/models/DeleteDiskRequest";
import { DeleteDiskResponseBody } from "@alicloud/ecs20140526/dist/models/DeleteDiskResponseBody";
import { DescribeDisksRequest } from "@alicloud/ecs20140526/dist/models/DescribeDisksRequest";
import { DescribeDisksResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeDisksResponseBody";
import { DetachDiskRequest } from "@alicloud/ecs20140526/dist/models/DetachDiskRequest";
import { DetachDiskResponseBody } from "@alicloud/ecs20140526/dist/models/DetachDiskResponseBody";
import { ModifyDiskAttributeRequest } from "@alicloud/ecs20140526/dist/models/ModifyDiskAttributeRequest";
import { ModifyDiskAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyDiskAttributeResponseBody";
import { ModifyDiskChargeTypeRequest } from "@alicloud/ecs20140526/dist/models/ModifyDiskChargeTypeRequest";
import { ModifyDiskChargeTypeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyDiskChargeTypeResponseBody";
import { ModifyDiskSpecRequest } from "@alicloud/ecs20140526/dist/models/ModifyDiskSpecRequest";
import { ModifyDiskSpecResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyDiskSpecResponseBody";
import { ResizeDiskRequest } from "@alicloud/ecs20140526/dist/models/ResizeDiskRequest";
import { ResizeDiskResponseBody } from "@alicloud/ecs20140526/dist/models/ResizeDiskResponseBody";
import type { Disk } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { missingParameter } from "../errors";
import { hasTags, inRegion, matches, toTags } from "../listing";
import { regionOfZone } from "../regions";
import type { Plain } from "../wire";
import { ecsAction } from "./action";
import { hasPerformanceLevel, iopsOf, performanceLevels, sizeLimits, throughputOf } from "./catalogue/disks";
import { findInstanceType } from "./catalogue/instanceTypes";
import {
    checkDescription,
    checkName,
    checkOneOf,
    checkResourceGroup,
    checkTags,
    idList,
    refuse,
    requiredIdList,
    valueOr,
} from "./checks";
import { addDisk, checkCategory, checkMakeable, dataDiskSpec, freeDevice, isDataDevice } from "./diskSpecs";
import { nameMatches } from "./keyPairs";
import { orderId } from "./launch";
import { diskOf, disksOf, findDisk, instanceOf } from "./lookup";
import { pageOf } from "./pages";
import { requireStatus } from "./power";
import { quotas } from "./quotas";
import { minuteOf, tagsView } from "./view";

const createDisk = ecsAction({
    name: "CreateDisk",
    request: CreateDiskRequest,
    response: CreateDiskResponseBody,
    writes: true,
    handle: (request, context) => {
        const instance = request.instanceId ? instanceOf(context, request.instanceId) : undefined;
        if (instance && request.zoneId)
            refuse("InvalidParameter.Conflict", "ZoneId and InstanceId can't be specified at the same time.");
        const zoneId = instance?.zoneId ?? request.zoneId;
        if (!zoneId) throw missingParameter("ZoneId");
        if (regionOfZone(zoneId)?.id !== context.regionId)
            refuse("InvalidZoneId.NotFound", "The ZoneId provided does not exist in our records.", 404);
        if (request.size === undefined && !request.snapshotId) throw missingParameter("Size");
        const spec = dataDiskSpec({ ...request, category: request.diskCategory ?? "" });
        const type = findInstanceType(instance?.instanceType);
        if (type) checkCategory(spec.category, type, "Data");
        checkOneOf(request.multiAttach, ["Disabled", "Enabled"], "MultiAttach", "InvalidMultiAttach.ValueNotSupported");
        if (request.multiAttach === "Enabled")
            refuse("UnsupportedOperation", "The lab attaches a disk to one instance at a time.");
        checkTags(request.tag);
        checkResourceGroup(request.resourceGroupId);
        const device = instance ? freeDevice(devicesOf(context, instance.id)) : "";
        context.checked();
        const disk = addDisk(
            context,
            { ...spec, device, deleteWithInstance: instance !== undefined },
            {
                zoneId,
                ...(instance && { instance }),
                tags: toTags(request.tag),
                resourceGroupId: request.resourceGroupId ?? "",
            },
        );
        // Unlike a disk that is launched with its instance.
        disk.deleteAutoSnapshot = false;
        return { diskId: disk.id };
    },
});

function devicesOf(context: ActionContext, instanceId: string): ReadonlySet<string> {
    return new Set(disksOf(context, instanceId).map(({ device }) => device));
}

const attachDisk = ecsAction({
    name: "AttachDisk",
    request: AttachDiskRequest,
    response: AttachDiskResponseBody,
    required: ["DiskId", "InstanceId"],
    writes: true,
    handle: async (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        const disk = diskOf(context, request.diskId);
        requireStatus(instance, "Running", "Stopped");
        if (disk.status !== "Available")
            refuse("IncorrectDiskStatus", "The operation is not supported in the current disk status.", 403);
        if (disk.zoneId !== instance.zoneId)
            refuse("ResourcesNotInSameZone", "The specified instance and disk are not in the same zone.", 403);
        if (request.bootable === true || disk.kind === "system")
            refuse("InvalidDisk.BootableNotSupported", "The lab attaches data disks only.", 403);
        const type = findInstanceType(instance.instanceType);
        if (type && !type.diskCategories.includes(disk.category))
            refuse(
                "InvalidDiskCategory.NotSupported",
                "The specified disk category is not support the specified instance type.",
                403,
            );
        const taken = devicesOf(context, instance.id);
        if (taken.size > quotas.dataDisksPerInstance)
            refuse("InstanceDiskLimitExceeded", "The amount of the disk on instance in question reach its limits", 403);
        // Clients also say what guests call it.
        const asked = (request.device ?? "").replace(/^\/dev\/vd/, "/dev/xvd");
        const device = isDataDevice(asked) && !taken.has(asked) ? asked : freeDevice(taken);
        context.checked();
        Object.assign(disk, { instanceId: instance.id, device, status: "In_use", attachedAt: context.now });
        disk.deleteWithInstance = request.deleteWithInstance ?? false;
        await context.applied(instance.id);
        return {};
    },
});

const detachDisk = ecsAction({
    name: "DetachDisk",
    request: DetachDiskRequest,
    response: DetachDiskResponseBody,
    required: ["DiskId", "InstanceId"],
    writes: true,
    handle: async (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        const disk = diskOf(context, request.diskId);
        requireStatus(instance, "Running", "Stopped");
        if (disk.instanceId !== instance.id)
            refuse("InvalidDisk.AlreadyDetached", "The specified disk has been detached.", 403);
        if (disk.kind === "system")
            refuse("InvalidDiskId.OperationNotSupported", "The type of the disk does not support the operation.", 403);
        context.checked();
        Object.assign(disk, { instanceId: "", device: "", status: "Available", detachedAt: context.now });
        await context.applied(instance.id);
        return {};
    },
});

const deleteDisk = ecsAction({
    name: "DeleteDisk",
    request: DeleteDiskRequest,
    response: DeleteDiskResponseBody,
    required: ["DiskId"],
    writes: true,
    handle: (request, context) => {
        const disk = findDisk(context, request.diskId);
        // As in the cloud: one that is gone already is none to complain about.
        if (!disk) return {};
        if (disk.kind === "system")
            refuse("InvalidDiskId.OperationNotSupported", "The type of the disk does not support the operation.", 403);
        if (disk.status !== "Available")
            refuse("IncorrectDiskStatus", "The operation is not supported in the current disk status.", 403);
        if (disk.instanceChargeType === "PrePaid")
            refuse("DiskNotPortable", "The specified disk is not a portable disk.", 403);
        context.checked();
        Reflect.deleteProperty(context.store.state.disks, disk.id);
        return {};
    },
});

const modifyDiskAttribute = ecsAction({
    name: "ModifyDiskAttribute",
    request: ModifyDiskAttributeRequest,
    response: ModifyDiskAttributeResponseBody,
    writes: true,
    handle: (request, context) => {
        const ids = request.diskId ? [request.diskId] : (request.diskIds ?? []);
        if (ids.length === 0) throw missingParameter("DiskId");
        const disks = ids.map((id) => diskOf(context, id));
        checkName(request.diskName, "InvalidDiskName.Malformed", "DiskName");
        checkDescription(request.description, "InvalidDiskDescription.Malformed");
        context.checked();
        for (const disk of disks) {
            disk.name = request.diskName ?? disk.name;
            disk.description = request.description ?? disk.description;
            disk.deleteWithInstance = request.deleteWithInstance ?? disk.deleteWithInstance;
            disk.deleteAutoSnapshot = request.deleteAutoSnapshot ?? disk.deleteAutoSnapshot;
            disk.enableAutoSnapshot = request.enableAutoSnapshot ?? disk.enableAutoSnapshot;
            disk.burstingEnabled = request.burstingEnabled ?? disk.burstingEnabled;
        }
        return {};
    },
});

const resizeDisk = ecsAction({
    name: "ResizeDisk",
    request: ResizeDiskRequest,
    response: ResizeDiskResponseBody,
    required: ["DiskId", "NewSize"],
    writes: true,
    handle: async (request, context) => {
        const disk = diskOf(context, request.diskId);
        const { newSize = 0 } = request;
        checkOneOf(request.type, ["offline", "online"], "Type", "InvalidType.ValueNotSupported");
        const limits = sizeLimits(disk.category, disk.kind, disk.performanceLevel);
        if (!Number.isInteger(newSize) || (limits && newSize > limits[1]))
            refuse("InvalidDiskSize.NotSupported", "The specified new size is over the limit of this disk category.");
        checkMakeable(newSize);
        if (newSize < disk.sizeGiB)
            refuse("InvalidDiskSize.TooSmall", "Specified new disk size is less than the original disk size.", 403);
        if (disk.status !== "Available" && disk.status !== "In_use")
            refuse("IncorrectDiskStatus", "The operation is not supported in the current disk status.", 403);
        context.checked();
        disk.sizeGiB = newSize;
        await context.applied(disk.instanceId);
        return disk.instanceChargeType === "PrePaid" ? { orderId: orderId() } : {};
    },
});

const modifyDiskSpec = ecsAction({
    name: "ModifyDiskSpec",
    request: ModifyDiskSpecRequest,
    response: ModifyDiskSpecResponseBody,
    required: ["DiskId"],
    writes: true,
    handle: (request, context) => {
        const disk = diskOf(context, request.diskId);
        const category = valueOr(request.diskCategory, disk.category);
        if (!sizeLimits(category, disk.kind, "PL1"))
            refuse("InvalidDiskCategory.ValueNotSupported", 'The specified parameter "DiskCategory" is not valid.');
        const performanceLevel = hasPerformanceLevel(category)
            ? valueOr(request.performanceLevel, valueOr(disk.performanceLevel, "PL1"))
            : "";
        if (hasPerformanceLevel(category) && !performanceLevels.includes(performanceLevel))
            refuse("InvalidPerformanceLevel.Malformed", "The specified parameter PerformanceLevel is not valid.");
        const limits = sizeLimits(category, disk.kind, performanceLevel);
        if (limits && disk.sizeGiB < limits[0])
            refuse("InvalidParameter.DiskSize", "The size of the disk does not suit the performance level.");
        context.checked();
        Object.assign(disk, { category, performanceLevel });
        disk.provisionedIops = request.provisionedIops ?? disk.provisionedIops;
        return disk.instanceChargeType === "PrePaid" ? { orderId: orderId() } : {};
    },
});

const modifyDiskChargeType = ecsAction({
    name: "ModifyDiskChargeType",
    request: ModifyDiskChargeTypeRequest,
    response: ModifyDiskChargeTypeResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        const disks = requiredIdList(request.diskIds, "DiskIds", 16).map((id) => diskOf(context, id));
        if (disks.some(({ instanceId }) => instanceId !== instance.id))
            refuse("InvalidDiskIds.NotPortable", "The specified disk is not attached to the instance.");
        checkOneOf(request.diskChargeType, ["PrePaid", "PostPaid"], "DiskChargeType");
        context.checked();
        for (const disk of disks)
            disk.instanceChargeType = request.diskChargeType === "PostPaid" ? "PostPaid" : "PrePaid";
        return { orderId: orderId() };
    },
});

type Query = Plain<DescribeDisksRequest>;

function isAsked(disk: Disk, query: Query): boolean {
    const filter = (name: string): string | undefined => query.filter?.find(({ key }) => key === name)?.value;
    const from = filter("CreationStartTime");
    const to = filter("CreationEndTime");
    // Filters have no seconds.
    const created = minuteOf(disk.createdAt);
    return (
        matches(query.instanceId, disk.instanceId) &&
        (!query.diskType || query.diskType === "all" || query.diskType === disk.kind) &&
        (!query.category || query.category === "all" || query.category === disk.category) &&
        (!query.status || query.status === "All" || query.status === disk.status) &&
        matches(query.zoneId, disk.zoneId) &&
        matches(query.snapshotId, disk.sourceSnapshotId) &&
        matches(query.resourceGroupId, disk.resourceGroupId) &&
        matches(query.autoSnapshotPolicyId, disk.autoSnapshotPolicyId) &&
        matches(query.diskChargeType, disk.instanceChargeType) &&
        matches(query.KMSKeyId, disk.kmsKeyId) &&
        (query.encrypted !== true || disk.encrypted) &&
        (query.portable === undefined || query.portable === (disk.kind === "data")) &&
        (query.deleteWithInstance === undefined || query.deleteWithInstance === disk.deleteWithInstance) &&
        (query.deleteAutoSnapshot === undefined || query.deleteAutoSnapshot === disk.deleteAutoSnapshot) &&
        (query.enableAutoSnapshot === undefined || query.enableAutoSnapshot === disk.enableAutoSnapshot) &&
        (query.enableAutomatedSnapshotPolicy === undefined ||
            query.enableAutomatedSnapshotPolicy === (disk.autoSnapshotPolicyId !== "")) &&
        (!query.multiAttach || query.multiAttach === "Disabled") &&
        !query.lockReason &&
        nameMatches(query.diskName, disk.name) &&
        (from === undefined || created >= from) &&
        (to === undefined || created <= to) &&
        hasTags(disk, query.tag)
    );
}

const describeDisks = ecsAction({
    name: "DescribeDisks",
    request: DescribeDisksRequest,
    response: DescribeDisksResponseBody,
    writes: false,
    handle: (query, context) => {
        const ids = idList(query.diskIds, "DiskIds");
        const found = inRegion(context.store.state.disks, context.regionId)
            .filter((disk) => (ids === undefined || ids.includes(disk.id)) && isAsked(disk, query))
            .reverse();
        const { items, ...page } = pageOf(found, query, { default: 10, max: 100, byToken: [10, 500] });
        context.checked();
        return { ...page, disks: { disk: items.map(diskView) } };
    },
});

function diskView(disk: Disk) {
    const iops = iopsOf(disk.category, disk.performanceLevel, disk.sizeGiB, disk.provisionedIops);
    const throughput = throughputOf(disk.category, disk.performanceLevel, disk.sizeGiB);
    const attachment = { instanceId: disk.instanceId, device: disk.device, attachedTime: disk.attachedAt };
    return {
        diskId: disk.id,
        diskName: disk.name,
        description: disk.description,
        regionId: disk.regionId,
        zoneId: disk.zoneId,
        type: disk.kind,
        category: disk.category,
        size: disk.sizeGiB,
        performanceLevel: disk.performanceLevel,
        IOPS: iops,
        IOPSRead: iops,
        IOPSWrite: iops,
        throughput,
        throughputRead: throughput,
        throughputWrite: throughput,
        provisionedIops: disk.provisionedIops,
        burstingEnabled: disk.burstingEnabled,
        encrypted: disk.encrypted,
        KMSKeyId: disk.kmsKeyId,
        imageId: disk.imageId,
        sourceSnapshotId: disk.sourceSnapshotId,
        sourceDiskId: "",
        serialNumber: disk.id.replace(/^d-/, ""),
        status: disk.status,
        portable: disk.kind === "data",
        instanceId: disk.instanceId,
        device: disk.device,
        attachedTime: disk.attachedAt,
        detachedTime: disk.detachedAt,
        attachments: { attachment: disk.instanceId === "" ? [] : [attachment] },
        mountInstances: { mountInstance: disk.instanceId === "" ? [] : [attachment] },
        mountInstanceNum: disk.instanceId === "" ? 0 : 1,
        multiAttach: "Disabled",
        deleteWithInstance: disk.deleteWithInstance,
        deleteAutoSnapshot: disk.deleteAutoSnapshot,
        enableAutoSnapshot: disk.enableAutoSnapshot,
        enableAutomatedSnapshotPolicy: disk.autoSnapshotPolicyId !== "",
        autoSnapshotPolicyId: disk.autoSnapshotPolicyId,
        diskChargeType: disk.instanceChargeType,
        expiredTime: "2999-09-08T16:00Z",
        creationTime: disk.createdAt,
        resourceGroupId: disk.resourceGroupId,
        productCode: "",
        storageSetId: "",
        storageSetPartitionNumber: 0,
        storageClusterId: "",
        bdfId: "",
        operationLocks: { operationLock: [] },
        placement: { zoneIds: disk.zoneId },
        dataSource: { id: "", type: "" },
        tags: tagsView(disk.tags),
    };
}

export const diskActions: readonly Action[] = [
    createDisk,
    attachDisk,
    detachDisk,
    deleteDisk,
    modifyDiskAttribute,
    resizeDisk,
    modifyDiskSpec,
    modifyDiskChargeType,
    describeDisks,
];

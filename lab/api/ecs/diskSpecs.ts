/** What a new disk may be, and how it comes into the model. */
import type { Disk, Instance } from "../../model/state";
import type { ActionContext } from "../action";
import { hasPerformanceLevel, performanceLevels, sizeLimits } from "./catalogue/disks";
import type { Image } from "./catalogue/images";
import type { InstanceType } from "./catalogue/instanceTypes";
import { checkDescription, checkName, refuse, valueOr } from "./checks";
import { quotas } from "./quotas";

/** A disk as requests describe it. */
export interface DiskWish {
    readonly category?: string;
    /** Some requests have it as text. */
    readonly size?: string | number;
    readonly performanceLevel?: string;
    readonly diskName?: string;
    readonly description?: string;
    readonly autoSnapshotPolicyId?: string;
    readonly burstingEnabled?: boolean;
    readonly encrypted?: string | boolean;
    readonly KMSKeyId?: string;
    readonly provisionedIops?: number;
    readonly snapshotId?: string;
    readonly device?: string;
    readonly deleteWithInstance?: boolean;
}

/** A disk that passed the checks. */
export type DiskSpec = Pick<
    Disk,
    | "kind"
    | "name"
    | "description"
    | "category"
    | "sizeGiB"
    | "performanceLevel"
    | "encrypted"
    | "kmsKeyId"
    | "autoSnapshotPolicyId"
    | "burstingEnabled"
    | "provisionedIops"
    | "deleteWithInstance"
    | "device"
>;

/** The category of a disk that names none: the oldest that the instance type takes. */
function defaultCategory(type: InstanceType | undefined): string {
    return !type || type.diskCategories.includes("cloud_efficiency") ? "cloud_efficiency" : "cloud_essd";
}

/** The system disk that a request describes. */
export function systemDiskSpec(wish: DiskWish, type: InstanceType, image: Image): DiskSpec {
    const category = valueOr(wish.category, defaultCategory(type));
    const performanceLevel = levelOf(wish, category, type);
    const limits = sizeLimits(category, "system", performanceLevel);
    if (!limits)
        return refuse(
            "InvalidSystemDiskCategory.ValueNotSupported",
            'The specified parameter "SystemDisk.Category" is not valid.',
        );
    checkCategory(category, type, "System");
    const sizeGiB = sizeOf(wish.size, "InvalidSystemDiskSize.ValueNotSupported") ?? Math.max(40, image.sizeGiB);
    if (sizeGiB < image.sizeGiB)
        refuse(
            "InvalidSystemDiskSize.LessThanImageSize",
            "The specified parameter SystemDisk.Size is less than the image size.",
            404,
        );
    if (sizeGiB < limits[0])
        refuse(
            "InvalidSystemDiskSize.LessThanMinSize",
            "The specified parameter SystemDisk.Size is less than the minimum size.",
            404,
        );
    if (sizeGiB > limits[1])
        refuse(
            "InvalidSystemDiskSize.MoreThanMaxSize",
            "The specified parameter SystemDisk.Size is more than the maximum size.",
            404,
        );
    return {
        ...common(wish),
        kind: "system",
        category,
        sizeGiB,
        performanceLevel,
        deleteWithInstance: wish.deleteWithInstance ?? true,
        device: "/dev/xvda",
    };
}

/** The data disk that a request describes; `type` is absent for one that no instance takes yet. */
export function dataDiskSpec(wish: DiskWish, type?: InstanceType): DiskSpec {
    const category = valueOr(wish.category, defaultCategory(type));
    const performanceLevel = levelOf(wish, category);
    const limits = sizeLimits(category, "data", performanceLevel);
    if (!limits)
        return refuse(
            "InvalidDataDiskCategory.ValueNotSupported",
            'The specified parameter "DataDisk.n.Category" is not valid.',
        );
    if (type) checkCategory(category, type, "Data");
    if (wish.snapshotId)
        refuse("InvalidSnapshotId.NotFound", "The specified snapshot does not exist: the lab has none.", 404);
    const sizeGiB = sizeOf(wish.size, "InvalidDataDiskSize.ValueNotSupported");
    if (sizeGiB === undefined || sizeGiB < limits[0] || sizeGiB > limits[1])
        return refuse("InvalidDataDiskSize.ValueNotSupported", 'The specified parameter "DataDisk.Size" is not valid.');
    checkMakeable(sizeGiB);
    return {
        ...common(wish),
        kind: "data",
        category,
        sizeGiB,
        performanceLevel,
        deleteWithInstance: wish.deleteWithInstance ?? true,
        device: wish.device ?? "",
    };
}

function levelOf(wish: DiskWish, category: string, type?: InstanceType): string {
    if (!hasPerformanceLevel(category)) return "";
    if (wish.performanceLevel && !performanceLevels.includes(wish.performanceLevel))
        refuse("InvalidPerformanceLevel.Malformed", "The specified parameter PerformanceLevel is not valid.");
    // A type that takes nothing older gets the cheapest of the new ones when a request leaves it open.
    const cheapest = type !== undefined && !wish.category;
    return valueOr(wish.performanceLevel, cheapest ? "PL0" : "PL1");
}

/** Refuses a category that the instance type does not take. */
export function checkCategory(category: string, type: InstanceType, use: "System" | "Data"): void {
    if (type.diskCategories.includes(category)) return;
    refuse(
        `Invalid${use}DiskCategory.ValueNotSupported`,
        `The specified parameter "${use}Disk.Category" is not supported by ${type.id}. Valid values: ${type.diskCategories.join(";")}.`,
    );
}

/** GiB. A disk is a file, and those of ext4 end below 16 TiB. */
const MAX_MAKEABLE_GIB = 16_383;

/** Refuses a size that the cloud sells and the lab can't make. */
export function checkMakeable(sizeGiB: number): void {
    if (sizeGiB > MAX_MAKEABLE_GIB)
        refuse("UnsupportedOperation", `The lab makes disks of at most ${MAX_MAKEABLE_GIB} GiB.`);
}

function sizeOf(size: string | number | undefined, code: string): number | undefined {
    if (size === undefined || size === "") return undefined;
    const number = Number(size);
    return Number.isInteger(number) && number > 0
        ? number
        : refuse(code, "The specified parameter of the disk's size is not valid.");
}

function common(wish: DiskWish) {
    checkName(wish.diskName, "InvalidDiskName.Malformed", "DiskName");
    checkDescription(wish.description, "InvalidDiskDescription.Malformed");
    const encrypted = String(wish.encrypted ?? "false").toLowerCase() === "true";
    if (wish.KMSKeyId && !encrypted)
        refuse(
            "InvalidEncrypted.NotMatchKmsKeyId",
            "The specified parameter Encrypted must be true when KmsKeyId is not empty.",
        );
    return {
        name: wish.diskName ?? "",
        description: wish.description ?? "",
        encrypted,
        kmsKeyId: wish.KMSKeyId ?? "",
        autoSnapshotPolicyId: wish.autoSnapshotPolicyId ?? "",
        burstingEnabled: wish.burstingEnabled ?? false,
        provisionedIops: wish.provisionedIops ?? 0,
    };
}

/** Where and for whom a disk is made. */
export interface DiskPlace {
    readonly zoneId: string;
    readonly instance?: Instance;
    readonly imageId?: string;
    readonly tags?: Disk["tags"];
    readonly resourceGroupId?: string;
}

/** Puts a disk into the model. */
export function addDisk({ store, regionId, now }: ActionContext, spec: DiskSpec, place: DiskPlace): Disk {
    const disk: Disk = {
        ...spec,
        id: store.newId("d"),
        regionId,
        createdAt: now,
        tags: { ...place.tags },
        resourceGroupId: place.resourceGroupId ?? "",
        zoneId: place.zoneId,
        imageId: place.imageId ?? "",
        sourceSnapshotId: "",
        status: place.instance ? "In_use" : "Available",
        instanceId: place.instance?.id ?? "",
        device: place.instance ? spec.device : "",
        deleteAutoSnapshot: true,
        enableAutoSnapshot: true,
        attachedAt: place.instance ? now : "",
        detachedAt: "",
        instanceChargeType: place.instance?.instanceChargeType ?? "PostPaid",
    };
    store.state.disks[disk.id] = disk;
    return disk;
}

/** Names of data disks in the order in which they are attached: `/dev/xvdb` to `/dev/xvdz`, then `/dev/xvdaa`, … */
export function deviceNames(): readonly string[] {
    const letters = Array.from("abcdefghijklmnopqrstuvwxyz");
    const single = letters.slice(1);
    const double = letters.flatMap((first) => letters.map((second) => first + second));
    return [...single, ...double].slice(0, quotas.dataDisksPerInstance).map((name) => `/dev/xvd${name}`);
}

/** Whether a data disk may have a device name; the system disk's is its own. */
export function isDataDevice(device: string): boolean {
    return /^\/dev\/xvd([b-z]|[a-z]{2})$/.test(device);
}

/** The first device name that nobody has. */
export function freeDevice(taken: ReadonlySet<string>): string {
    const device = deviceNames().find((name) => !taken.has(name));
    return (
        device ??
        refuse("InstanceDiskLimitExceeded", "The amount of the disk on instance in question reach its limits", 403)
    );
}

import { ChangeResourceGroupRequest } from "@alicloud/nas20170626/dist/models/ChangeResourceGroupRequest";
import { ChangeResourceGroupResponseBody } from "@alicloud/nas20170626/dist/models/ChangeResourceGroupResponseBody";
import { CreateFileSystemRequest } from "@alicloud/nas20170626/dist/models/CreateFileSystemRequest";
import { CreateFileSystemResponseBody } from "@alicloud/nas20170626/dist/models/CreateFileSystemResponseBody";
import { DeleteFileSystemRequest } from "@alicloud/nas20170626/dist/models/DeleteFileSystemRequest";
import { DeleteFileSystemResponseBody } from "@alicloud/nas20170626/dist/models/DeleteFileSystemResponseBody";
import { DescribeFileSystemsRequest } from "@alicloud/nas20170626/dist/models/DescribeFileSystemsRequest";
import { DescribeFileSystemsResponseBody } from "@alicloud/nas20170626/dist/models/DescribeFileSystemsResponseBody";
import { ModifyFileSystemRequest } from "@alicloud/nas20170626/dist/models/ModifyFileSystemRequest";
import { ModifyFileSystemResponseBody } from "@alicloud/nas20170626/dist/models/ModifyFileSystemResponseBody";
import { randomBytes } from "node:crypto";
import type { FileSystem } from "../../model/nas";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { checkTags, refuse, valueOr } from "../ecs/checks";
import { zonesOf } from "../ecs/catalogue/zones";
import { hasTags, inRegion, matches, matchesAny, paginate, toTags } from "../listing";
import { tagsView } from "../vpc/view";
import { nasAction } from "./action";
import { fileSystemOf, mountTargetsOf, refuseOtherTypes, statusOf } from "./lookup";
import { quotas } from "./quotas";

/** GiB that a file system may grow to. */
const capacities: Readonly<Record<FileSystem["storageType"], number>> = {
    Capacity: 10_485_760,
    Performance: 1_048_576,
    Premium: 1_048_576,
};

/** A letter first, then letters, digits and `:_-`; 2 to 128 characters. */
function checkDescription(description: string | undefined): void {
    if (description === undefined || description === "") return;
    if (!/^\p{Letter}[\p{Letter}\p{Number}:_ -]{1,127}$/u.test(description) || /^https?:\/\//i.test(description))
        refuse("InvalidParameter.Description", "The specified Description is invalid.");
}

/** Ten hexadecimal digits, the beginning of the names of its mount targets. */
function newId({ store }: ActionContext): string {
    let id: string;
    do id = randomBytes(5).toString("hex");
    while (Object.hasOwn(store.state.fileSystems, id));
    return id;
}

const createFileSystem = nasAction({
    name: "CreateFileSystem",
    request: CreateFileSystemRequest,
    response: CreateFileSystemResponseBody,
    required: ["StorageType", "ProtocolType"],
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        refuseOtherTypes(request.fileSystemType);
        if (request.protocolType !== "NFS")
            refuse("InvalidParameter.ProtocolType", "The lab has file systems of the protocol NFS only.");
        const storageType = (["Capacity", "Performance", "Premium"] as const).find(
            (candidate) => candidate === request.storageType,
        );
        if (!storageType) refuse("InvalidParameter.StorageType", "The specified StorageType is invalid.");
        const { encryptType = 0, kmsKeyId = "" } = request;
        if (![0, 1, 2].includes(encryptType) || (encryptType === 2) !== (kmsKeyId !== ""))
            refuse("InvalidParameter.EncryptType", "The specified EncryptType is invalid.");
        const zones = zonesOf(regionId).map(({ id }) => id);
        const zoneId = valueOr(request.zoneId, zones[0] ?? "");
        if (!zones.includes(zoneId)) refuse("InvalidAZone.NotFound", "The specified AZone is not found.", 404);
        checkDescription(request.description);
        checkTags(request.tag);
        if (inRegion(store.state.fileSystems, regionId).length >= quotas.fileSystems)
            refuse("OperationDenied.FileSystemCountsExceeded", "The amount of FileSystem has reached its limits.", 403);
        context.checked();
        const fileSystem: FileSystem = {
            id: newId(context),
            regionId,
            createdAt: now,
            name: "",
            description: request.description ?? "",
            tags: toTags(request.tag),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            zoneId,
            storageType,
            encryptType,
            kmsKeyId,
            nfsAcl: false,
            recycleBin: { enabled: false, reservedDays: 0, enabledAt: "" },
        };
        store.state.fileSystems[fileSystem.id] = fileSystem;
        return { fileSystemId: fileSystem.id };
    },
});

function view(context: ActionContext, fileSystem: FileSystem) {
    return {
        fileSystemId: fileSystem.id,
        regionId: fileSystem.regionId,
        zoneId: fileSystem.zoneId,
        createTime: fileSystem.createdAt,
        expiredTime: "",
        description: fileSystem.description,
        status: "Running",
        chargeType: "PayAsYouGo",
        fileSystemType: "standard",
        protocolType: "NFS",
        storageType: fileSystem.storageType,
        capacity: capacities[fileSystem.storageType],
        meteredSize: 0,
        encryptType: fileSystem.encryptType,
        KMSKeyId: fileSystem.kmsKeyId,
        resourceGroupId: fileSystem.resourceGroupId,
        // Of file systems that belong to one VPC, which these don't.
        vpcId: "",
        quorumVswId: "",
        redundancyType: "",
        redundancyVSwitchIds: { redundancyVSwitchId: [] },
        tags: tagsView(fileSystem.tags),
        mountTargets: {
            mountTarget: mountTargetsOf(context, fileSystem.id).map((target) => ({
                mountTargetDomain: target.id,
                networkType: "Vpc",
                status: statusOf(context, target),
                vpcId: target.vpcId,
                vswId: target.vswitchId,
                accessGroupName: target.accessGroupName,
            })),
        },
    };
}

const describeFileSystems = nasAction({
    name: "DescribeFileSystems",
    request: DescribeFileSystemsRequest,
    response: DescribeFileSystemsResponseBody,
    writes: false,
    handle: (request, context) => {
        const { fileSystemId = "" } = request;
        const all =
            fileSystemId === ""
                ? inRegion(context.store.state.fileSystems, context.regionId)
                : [fileSystemOf(context, fileSystemId)];
        const found = all.filter(
            (fileSystem) =>
                hasTags(fileSystem, request.tag) &&
                (matchesAny(request.fileSystemType, "standard") || matchesAny(request.fileSystemType, "all")) &&
                matches(request.resourceGroupId, fileSystem.resourceGroupId) &&
                (!request.vpcId || mountTargetsOf(context, fileSystem.id).some(({ vpcId }) => vpcId === request.vpcId)),
        );
        const { items, ...page } = paginate(found, request, { default: 10, max: 100 });
        return { ...page, fileSystems: { fileSystem: items.map((fileSystem) => view(context, fileSystem)) } };
    },
});

const modifyFileSystem = nasAction({
    name: "ModifyFileSystem",
    request: ModifyFileSystemRequest,
    response: ModifyFileSystemResponseBody,
    required: ["FileSystemId"],
    writes: true,
    handle: (request, context) => {
        const fileSystem = fileSystemOf(context, request.fileSystemId);
        checkDescription(request.description);
        context.checked();
        if (request.description !== undefined) fileSystem.description = request.description;
        return {};
    },
});

const deleteFileSystem = nasAction({
    name: "DeleteFileSystem",
    request: DeleteFileSystemRequest,
    response: DeleteFileSystemResponseBody,
    required: ["FileSystemId"],
    writes: true,
    handle: (request, context) => {
        const fileSystem = fileSystemOf(context, request.fileSystemId);
        if (mountTargetsOf(context, fileSystem.id).length > 0)
            refuse(
                "OperationDenied.MountTargetNotEmpty",
                "There are still MountTarget(s) on the specified FileSystem.",
                403,
            );
        context.checked();
        Reflect.deleteProperty(context.store.state.fileSystems, fileSystem.id);
        return {};
    },
});

const changeResourceGroup = nasAction({
    name: "ChangeResourceGroup",
    request: ChangeResourceGroupRequest,
    response: ChangeResourceGroupResponseBody,
    required: ["ResourceId", "NewResourceGroupId"],
    writes: true,
    handle: (request, context) => {
        const fileSystem = fileSystemOf(context, request.resourceId);
        context.checked();
        fileSystem.resourceGroupId = request.newResourceGroupId!;
        return {};
    },
});

export const fileSystemActions: readonly Action[] = [
    createFileSystem,
    describeFileSystems,
    modifyFileSystem,
    deleteFileSystem,
    changeResourceGroup,
];

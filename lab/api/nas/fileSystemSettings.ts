/** Switches of a file system. They are kept and answered; the lab's servers know neither recycle bin nor ACLs. */
import { DescribeNfsAclRequest } from "@alicloud/nas20170626/dist/models/DescribeNfsAclRequest";
import { DescribeNfsAclResponseBody } from "@alicloud/nas20170626/dist/models/DescribeNfsAclResponseBody";
import { DescribeSmbAclRequest } from "@alicloud/nas20170626/dist/models/DescribeSmbAclRequest";
import { DescribeSmbAclResponseBody } from "@alicloud/nas20170626/dist/models/DescribeSmbAclResponseBody";
import { DisableAndCleanRecycleBinRequest } from "@alicloud/nas20170626/dist/models/DisableAndCleanRecycleBinRequest";
import { DisableAndCleanRecycleBinResponseBody } from "@alicloud/nas20170626/dist/models/DisableAndCleanRecycleBinResponseBody";
import { DisableNfsAclRequest } from "@alicloud/nas20170626/dist/models/DisableNfsAclRequest";
import { DisableNfsAclResponseBody } from "@alicloud/nas20170626/dist/models/DisableNfsAclResponseBody";
import { EnableNfsAclRequest } from "@alicloud/nas20170626/dist/models/EnableNfsAclRequest";
import { EnableNfsAclResponseBody } from "@alicloud/nas20170626/dist/models/EnableNfsAclResponseBody";
import { EnableRecycleBinRequest } from "@alicloud/nas20170626/dist/models/EnableRecycleBinRequest";
import { EnableRecycleBinResponseBody } from "@alicloud/nas20170626/dist/models/EnableRecycleBinResponseBody";
import { GetRecycleBinAttributeRequest } from "@alicloud/nas20170626/dist/models/GetRecycleBinAttributeRequest";
import { GetRecycleBinAttributeResponseBody } from "@alicloud/nas20170626/dist/models/GetRecycleBinAttributeResponseBody";
import { UpdateRecycleBinAttributeRequest } from "@alicloud/nas20170626/dist/models/UpdateRecycleBinAttributeRequest";
import { UpdateRecycleBinAttributeResponseBody } from "@alicloud/nas20170626/dist/models/UpdateRecycleBinAttributeResponseBody";
import type { Action } from "../action";
import { refuse } from "../ecs/checks";
import { nasAction } from "./action";
import { fileSystemOf } from "./lookup";

const DEFAULT_DAYS = 3;

function checkDays(days: number): number {
    if (!Number.isInteger(days) || days < 1 || days > 180)
        refuse("InvalidParameter.ReservedDays", "The specified ReservedDays is invalid: 1 to 180.");
    return days;
}

const getRecycleBinAttribute = nasAction({
    name: "GetRecycleBinAttribute",
    request: GetRecycleBinAttributeRequest,
    response: GetRecycleBinAttributeResponseBody,
    required: ["FileSystemId"],
    writes: false,
    handle: ({ fileSystemId }, context) => {
        const { enabled, reservedDays, enabledAt } = fileSystemOf(context, fileSystemId).recycleBin;
        return {
            recycleBinAttribute: {
                status: enabled ? "Enable" : "Disable",
                reservedDays,
                enableTime: enabledAt,
                size: 0,
                secondarySize: 0,
                archiveSize: 0,
            },
        };
    },
});

const enableRecycleBin = nasAction({
    name: "EnableRecycleBin",
    request: EnableRecycleBinRequest,
    response: EnableRecycleBinResponseBody,
    required: ["FileSystemId"],
    writes: true,
    handle: ({ fileSystemId, reservedDays = DEFAULT_DAYS }, context) => {
        const fileSystem = fileSystemOf(context, fileSystemId);
        checkDays(reservedDays);
        context.checked();
        fileSystem.recycleBin = { enabled: true, reservedDays, enabledAt: context.now };
        return {};
    },
});

const updateRecycleBinAttribute = nasAction({
    name: "UpdateRecycleBinAttribute",
    request: UpdateRecycleBinAttributeRequest,
    response: UpdateRecycleBinAttributeResponseBody,
    required: ["FileSystemId"],
    writes: true,
    handle: ({ fileSystemId, reservedDays = DEFAULT_DAYS }, context) => {
        const fileSystem = fileSystemOf(context, fileSystemId);
        checkDays(reservedDays);
        if (!fileSystem.recycleBin.enabled)
            refuse("OperationDenied.RecycleBinDisabled", "The recycle bin of the file system is disabled.", 403);
        context.checked();
        fileSystem.recycleBin = { ...fileSystem.recycleBin, reservedDays };
        return {};
    },
});

const disableAndCleanRecycleBin = nasAction({
    name: "DisableAndCleanRecycleBin",
    request: DisableAndCleanRecycleBinRequest,
    response: DisableAndCleanRecycleBinResponseBody,
    required: ["FileSystemId"],
    writes: true,
    handle: ({ fileSystemId }, context) => {
        const fileSystem = fileSystemOf(context, fileSystemId);
        context.checked();
        fileSystem.recycleBin = { enabled: false, reservedDays: 0, enabledAt: "" };
        return {};
    },
});

const describeNfsAcl = nasAction({
    name: "DescribeNfsAcl",
    request: DescribeNfsAclRequest,
    response: DescribeNfsAclResponseBody,
    required: ["FileSystemId"],
    writes: false,
    handle: ({ fileSystemId }, context) => ({ acl: { enabled: fileSystemOf(context, fileSystemId).nfsAcl } }),
});

const enableNfsAcl = nasAction({
    name: "EnableNfsAcl",
    request: EnableNfsAclRequest,
    response: EnableNfsAclResponseBody,
    required: ["FileSystemId"],
    writes: true,
    handle: ({ fileSystemId }, context) => {
        const fileSystem = fileSystemOf(context, fileSystemId);
        context.checked();
        fileSystem.nfsAcl = true;
        return {};
    },
});

const disableNfsAcl = nasAction({
    name: "DisableNfsAcl",
    request: DisableNfsAclRequest,
    response: DisableNfsAclResponseBody,
    required: ["FileSystemId"],
    writes: true,
    handle: ({ fileSystemId }, context) => {
        const fileSystem = fileSystemOf(context, fileSystemId);
        context.checked();
        fileSystem.nfsAcl = false;
        return {};
    },
});

/** Clients ask for it whatever the protocol is. */
const describeSmbAcl = nasAction({
    name: "DescribeSmbAcl",
    request: DescribeSmbAclRequest,
    response: DescribeSmbAclResponseBody,
    required: ["FileSystemId"],
    writes: false,
    handle: ({ fileSystemId }, context) => {
        fileSystemOf(context, fileSystemId);
        return { acl: { enabled: false } };
    },
});

export const fileSystemSettingActions: readonly Action[] = [
    getRecycleBinAttribute,
    enableRecycleBin,
    updateRecycleBinAttribute,
    disableAndCleanRecycleBin,
    describeNfsAcl,
    enableNfsAcl,
    disableNfsAcl,
    describeSmbAcl,
];

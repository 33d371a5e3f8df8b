import { ApplyAutoSnapshotPolicyRequest } from "@alicloud/ecs20140526/dist/models/ApplyAutoSnapshotPolicyRequest";
import { ApplyAutoSnapshotPolicyResponseBody } from "@alicloud/ecs20140526/dist/models/ApplyAutoSnapshotPolicyResponseBody";
import { CancelAutoSnapshotPolicyRequest } from "@alicloud/ecs20140526/dist/models/CancelAutoSnapshotPolicyRequest";
import { CancelAutoSnapshotPolicyResponseBody } from "@alicloud/ecs20140526/dist/models/CancelAutoSnapshotPolicyResponseBody";
import { CreateAutoSnapshotPolicyRequest } from "@alicloud/ecs20140526/dist/models/CreateAutoSnapshotPolicyRequest";
import { CreateAutoSnapshotPolicyResponseBody } from "@alicloud/ecs20140526/dist/models/CreateAutoSnapshotPolicyResponseBody";
import { DeleteAutoSnapshotPolicyRequest } from "@alicloud/ecs20140526/dist/models/DeleteAutoSnapshotPolicyRequest";
import { DeleteAutoSnapshotPolicyResponseBody } from "@alicloud/ecs20140526/dist/models/DeleteAutoSnapshotPolicyResponseBody";
import { DescribeAutoSnapshotPolicyExRequest } from "@alicloud/ecs20140526/dist/models/DescribeAutoSnapshotPolicyExRequest";
import { DescribeAutoSnapshotPolicyExResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeAutoSnapshotPolicyExResponseBody";
import { ModifyAutoSnapshotPolicyExRequest } from "@alicloud/ecs20140526/dist/models/ModifyAutoSnapshotPolicyExRequest";
import { ModifyAutoSnapshotPolicyExResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyAutoSnapshotPolicyExResponseBody";
import type { SnapshotPolicy } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { missingParameter, notFound } from "../errors";
import { findInRegion, hasTags, inRegion, matches, paginate, toTags } from "../listing";
import { ecsAction } from "./action";
import {
    checkName,
    checkResourceGroup,
    checkTags,
    idList,
    refuse,
    requiredIdList,
    reservedWithAcs,
    valueOr,
} from "./checks";
import { diskOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

// The lab keeps policies and what they apply to, and takes no snapshots.

function policyOf({ store, regionId }: ActionContext, id: string | undefined): SnapshotPolicy {
    const policy = findInRegion(store.state.snapshotPolicies, regionId, id);
    if (!policy)
        throw notFound("InvalidAutoSnapshotPolicyId.NotFound", "The specified AutoSnapshotPolicyId does not exist.");
    return policy;
}

interface Schedule {
    readonly autoSnapshotPolicyName?: string;
    readonly timePoints?: string;
    readonly repeatWeekdays?: string;
    readonly retentionDays?: number;
}

function checkSchedule(schedule: Schedule): void {
    checkName(schedule.autoSnapshotPolicyName, "InvalidSnapshotPolicyName.Malformed", "AutoSnapshotPolicyName");
    checkNumbers(schedule.timePoints, "TimePoints", 0, 23);
    checkNumbers(schedule.repeatWeekdays, "RepeatWeekdays", 1, 7);
    const days = schedule.retentionDays;
    if (days !== undefined && days !== -1 && (!Number.isInteger(days) || days < 1 || days > 65535))
        refuse("InvalidRetentionDays.Malformed", "The specified parameter RetentionDays is not valid.");
}

function checkNumbers(text: string | undefined, wireName: string, least: number, most: number): void {
    const numbers = idList(text, wireName) ?? [];
    if (numbers.some((number) => !/^\d+$/.test(number) || Number(number) < least || Number(number) > most))
        refuse(`Invalid${wireName}.Malformed`, `The specified parameter ${wireName} is not valid.`);
}

const createAutoSnapshotPolicy = ecsAction({
    name: "CreateAutoSnapshotPolicy",
    request: CreateAutoSnapshotPolicyRequest,
    response: CreateAutoSnapshotPolicyResponseBody,
    required: ["timePoints", "repeatWeekdays", "retentionDays"],
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        checkSchedule(request);
        checkTags(request.tag, reservedWithAcs);
        checkResourceGroup(request.resourceGroupId);
        if (inRegion(store.state.snapshotPolicies, regionId).length >= quotas.snapshotPolicies)
            refuse("QuotaExceed.AutoSnapshotPolicy", "The maximum number of policies is reached.", 403);
        context.checked();
        const policy: SnapshotPolicy = {
            id: store.newId("sp"),
            regionId,
            createdAt: now,
            name: request.autoSnapshotPolicyName ?? "",
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: request.resourceGroupId ?? "",
            timePoints: request.timePoints ?? "[]",
            repeatWeekdays: request.repeatWeekdays ?? "[]",
            retentionDays: request.retentionDays ?? -1,
            enableCrossRegionCopy: request.enableCrossRegionCopy ?? false,
            targetCopyRegions: valueOr(request.targetCopyRegions, "[]"),
            copiedSnapshotsRetentionDays: request.copiedSnapshotsRetentionDays ?? -1,
            copyEncrypted: request.copyEncryptionConfiguration?.encrypted ?? false,
            copyKmsKeyId: request.copyEncryptionConfiguration?.KMSKeyId ?? "",
        };
        store.state.snapshotPolicies[policy.id] = policy;
        return { autoSnapshotPolicyId: policy.id };
    },
});

const describeAutoSnapshotPolicyEx = ecsAction({
    name: "DescribeAutoSnapshotPolicyEx",
    request: DescribeAutoSnapshotPolicyExRequest,
    response: DescribeAutoSnapshotPolicyExResponseBody,
    writes: false,
    handle: (request, { store, regionId }) => {
        const found = inRegion(store.state.snapshotPolicies, regionId).filter(
            (policy) =>
                matches(request.autoSnapshotPolicyId, policy.id) &&
                matches(request.autoSnapshotPolicyName, policy.name) &&
                matches(request.resourceGroupId, policy.resourceGroupId) &&
                hasTags(policy, request.tag),
        );
        const { items, ...page } = paginate(found, request, { default: 10, max: 100 });
        const disks = Object.values(store.state.disks);
        return {
            ...page,
            autoSnapshotPolicies: {
                autoSnapshotPolicy: items.map((policy) => ({
                    autoSnapshotPolicyId: policy.id,
                    autoSnapshotPolicyName: policy.name,
                    regionId: policy.regionId,
                    creationTime: policy.createdAt,
                    status: "Normal",
                    type: "Custom",
                    timePoints: policy.timePoints,
                    repeatWeekdays: policy.repeatWeekdays,
                    retentionDays: policy.retentionDays,
                    enableCrossRegionCopy: policy.enableCrossRegionCopy,
                    targetCopyRegions: policy.targetCopyRegions,
                    copiedSnapshotsRetentionDays: policy.copiedSnapshotsRetentionDays,
                    copyEncryptionConfiguration:
                        policy.copyEncrypted || policy.copyKmsKeyId !== ""
                            ? { encrypted: policy.copyEncrypted, KMSKeyId: policy.copyKmsKeyId }
                            : {},
                    diskNums: disks.filter(({ autoSnapshotPolicyId }) => autoSnapshotPolicyId === policy.id).length,
                    volumeNums: 0,
                    resourceGroupId: policy.resourceGroupId,
                    tags: tagsView(policy.tags),
                })),
            },
        };
    },
});

const modifyAutoSnapshotPolicyEx = ecsAction({
    name: "ModifyAutoSnapshotPolicyEx",
    request: ModifyAutoSnapshotPolicyExRequest,
    response: ModifyAutoSnapshotPolicyExResponseBody,
    required: ["autoSnapshotPolicyId"],
    writes: true,
    handle: (request, context) => {
        const policy = policyOf(context, request.autoSnapshotPolicyId);
        checkSchedule(request);
        context.checked();
        policy.name = request.autoSnapshotPolicyName ?? policy.name;
        policy.timePoints = valueOr(request.timePoints, policy.timePoints);
        policy.repeatWeekdays = valueOr(request.repeatWeekdays, policy.repeatWeekdays);
        policy.retentionDays = request.retentionDays ?? policy.retentionDays;
        policy.enableCrossRegionCopy = request.enableCrossRegionCopy ?? policy.enableCrossRegionCopy;
        policy.targetCopyRegions = valueOr(request.targetCopyRegions, policy.targetCopyRegions);
        policy.copiedSnapshotsRetentionDays =
            request.copiedSnapshotsRetentionDays ?? policy.copiedSnapshotsRetentionDays;
        policy.copyEncrypted = request.copyEncryptionConfiguration?.encrypted ?? policy.copyEncrypted;
        policy.copyKmsKeyId = request.copyEncryptionConfiguration?.KMSKeyId ?? policy.copyKmsKeyId;
        return {};
    },
});

const deleteAutoSnapshotPolicy = ecsAction({
    name: "DeleteAutoSnapshotPolicy",
    request: DeleteAutoSnapshotPolicyRequest,
    response: DeleteAutoSnapshotPolicyResponseBody,
    required: ["autoSnapshotPolicyId"],
    writes: true,
    handle: (request, context) => {
        const { state } = context.store;
        const policy = policyOf(context, request.autoSnapshotPolicyId);
        context.checked();
        for (const disk of Object.values(state.disks))
            if (disk.autoSnapshotPolicyId === policy.id) disk.autoSnapshotPolicyId = "";
        Reflect.deleteProperty(state.snapshotPolicies, policy.id);
        return {};
    },
});

const applyAutoSnapshotPolicy = ecsAction({
    name: "ApplyAutoSnapshotPolicy",
    request: ApplyAutoSnapshotPolicyRequest,
    response: ApplyAutoSnapshotPolicyResponseBody,
    required: ["autoSnapshotPolicyId"],
    writes: true,
    handle: (request, context) => {
        const policy = policyOf(context, request.autoSnapshotPolicyId);
        if (!request.diskIds) throw missingParameter("diskIds");
        const disks = requiredIdList(request.diskIds, "DiskIds").map((id) => diskOf(context, id));
        context.checked();
        for (const disk of disks) disk.autoSnapshotPolicyId = policy.id;
        return {};
    },
});

const cancelAutoSnapshotPolicy = ecsAction({
    name: "CancelAutoSnapshotPolicy",
    request: CancelAutoSnapshotPolicyRequest,
    response: CancelAutoSnapshotPolicyResponseBody,
    required: ["diskIds"],
    writes: true,
    handle: (request, context) => {
        const disks = requiredIdList(request.diskIds, "DiskIds").map((id) => diskOf(context, id));
        context.checked();
        for (const disk of disks) disk.autoSnapshotPolicyId = "";
        return {};
    },
});

export const snapshotPolicyActions: readonly Action[] = [
    createAutoSnapshotPolicy,
    describeAutoSnapshotPolicyEx,
    modifyAutoSnapshotPolicyEx,
    deleteAutoSnapshotPolicy,
    applyAutoSnapshotPolicy,
    cancelAutoSnapshotPolicy,
];

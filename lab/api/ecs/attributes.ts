import { AttachInstanceRamRoleRequest } from "@alicloud/ecs20140526/dist/models/AttachInstanceRamRoleRequest";
import { AttachInstanceRamRoleResponseBody } from "@alicloud/ecs20140526/dist/models/AttachInstanceRamRoleResponseBody";
import { DescribeInstanceAttachmentAttributesRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstanceAttachmentAttributesRequest";
import { DescribeInstanceAttachmentAttributesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstanceAttachmentAttributesResponseBody";
import { DescribeInstanceAutoRenewAttributeRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstanceAutoRenewAttributeRequest";
import { DescribeInstanceAutoRenewAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstanceAutoRenewAttributeResponseBody";
import { DescribeInstanceMaintenanceAttributesRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstanceMaintenanceAttributesRequest";
import { DescribeInstanceMaintenanceAttributesResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstanceMaintenanceAttributesResponseBody";
import { DescribeInstanceRamRoleRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstanceRamRoleRequest";
import { DescribeInstanceRamRoleResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeInstanceRamRoleResponseBody";
import { DetachInstanceRamRoleRequest } from "@alicloud/ecs20140526/dist/models/DetachInstanceRamRoleRequest";
import { DetachInstanceRamRoleResponseBody } from "@alicloud/ecs20140526/dist/models/DetachInstanceRamRoleResponseBody";
import { ModifyInstanceAttachmentAttributesRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceAttachmentAttributesRequest";
import { ModifyInstanceAttachmentAttributesResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceAttachmentAttributesResponseBody";
import { ModifyInstanceAttributeRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceAttributeRequest";
import { ModifyInstanceAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceAttributeResponseBody";
import { ModifyInstanceAutoReleaseTimeRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceAutoReleaseTimeRequest";
import { ModifyInstanceAutoReleaseTimeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceAutoReleaseTimeResponseBody";
import { ModifyInstanceAutoRenewAttributeRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceAutoRenewAttributeRequest";
import { ModifyInstanceAutoRenewAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceAutoRenewAttributeResponseBody";
import { ModifyInstanceDeploymentRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceDeploymentRequest";
import { ModifyInstanceDeploymentResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceDeploymentResponseBody";
import { ModifyInstanceMaintenanceAttributesRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceMaintenanceAttributesRequest";
import { ModifyInstanceMaintenanceAttributesResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceMaintenanceAttributesResponseBody";
import { ModifyInstanceMetadataOptionsRequest } from "@alicloud/ecs20140526/dist/models/ModifyInstanceMetadataOptionsRequest";
import { ModifyInstanceMetadataOptionsResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyInstanceMetadataOptionsResponseBody";
import type { Instance } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { extended } from "../common/model";
import { CloudError, missingParameter } from "../errors";
import { inRegion, matches, paginate } from "../listing";
import { ecsAction } from "./action";
import { findInstanceType } from "./catalogue/instanceTypes";
import {
    checkDescription,
    checkHostName,
    checkName,
    checkOneOf,
    checkPassword,
    checkUserData,
    idList,
    refuse,
    requiredIdList,
    valueOr,
} from "./checks";
import { checkRoom } from "./deploymentSets";
import { securityGroupsFor } from "./interfaceSpecs";
import { additionalInfo, autoReleaseTimeOf } from "./launch";
import { deploymentSetOf, inRegionOf, instanceOf, networkInterfaceOf } from "./lookup";
import { setSecurityGroups } from "./networkInterfaces";
import { requireStatus } from "./power";

const modifyInstanceAttribute = ecsAction({
    name: "ModifyInstanceAttribute",
    request: extended(ModifyInstanceAttributeRequest, additionalInfo),
    response: ModifyInstanceAttributeResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: async (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        checkName(request.instanceName, "InvalidInstanceName.Malformed", "InstanceName");
        checkDescription(request.description, "InvalidDescription.Malformed");
        checkHostName(request.hostName);
        checkPassword(request.password);
        checkUserData(request.userData);
        checkOneOf(
            request.creditSpecification,
            ["Standard", "Unlimited"],
            "CreditSpecification",
            "InvalidParameter.CreditSpecification",
        );
        if (request.creditSpecification && !findInstanceType(instance.instanceType)?.credits)
            refuse(
                "InvalidInstanceType.NotSupportCreditSpecification",
                "The specified instance type does not support CreditSpecification.",
                403,
            );
        if (request.deletionProtection === true && instance.instanceChargeType === "PrePaid")
            refuse(
                "InvalidChargeType.ValueNotSupported",
                "The instance does not support the DeletionProtection attribute because of its billing method.",
            );
        if (request.password || request.hostName) requireStatus(instance, "Running", "Stopped", "Stopping");
        const groups = request.securityGroupIds?.filter((id) => id !== "") ?? [];
        const securityGroupIds =
            groups.length > 0
                ? securityGroupsFor(inRegionOf(instance, context), instance.vpcId, undefined, groups)
                : undefined;
        context.checked();

        // An empty name is the same as none; an empty description or user data takes the old one away.
        instance.name = valueOr(request.instanceName, instance.name);
        instance.description = request.description ?? instance.description;
        instance.hostName = valueOr(request.hostName, instance.hostName);
        instance.password = valueOr(request.password, instance.password);
        instance.userData = request.userData ?? instance.userData;
        instance.deletionProtection = request.deletionProtection ?? instance.deletionProtection;
        instance.creditSpecification = valueOr(request.creditSpecification, instance.creditSpecification);
        keep(instance, {
            recyclable: request.recyclable,
            enableJumboFrame: request.enableJumboFrame,
            cpuCores: request.cpuOptions?.core,
            threadsPerCore: request.cpuOptions?.threadsPerCore,
            topologyType: request.cpuOptions?.topologyType,
            enableHighDensityMode: request.additionalInfo?.enableHighDensityMode,
        });
        const nic = networkInterfaceOf(context, instance.primaryNetworkInterfaceId);
        nic.queueNumber = request.networkInterfaceQueueNumber ?? nic.queueNumber;
        if (securityGroupIds) {
            setSecurityGroups(context, nic, securityGroupIds);
            await context.applied();
        }
        return {};
    },
});

/** Keeps attributes that only answers show. */
function keep(instance: Instance, given: Readonly<Record<string, string | number | boolean | undefined>>): void {
    for (const [name, value] of Object.entries(given)) if (value !== undefined) instance.extra[name] = value;
}

const modifyInstanceAutoReleaseTime = ecsAction({
    name: "ModifyInstanceAutoReleaseTime",
    request: ModifyInstanceAutoReleaseTimeRequest,
    response: ModifyInstanceAutoReleaseTimeResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        if (instance.instanceChargeType === "PrePaid")
            refuse("ChargeTypeViolation", "The operation is not permitted due to charge type of the instance.", 403);
        const time = autoReleaseTimeOf(request.autoReleaseTime, context);
        context.checked();
        instance.autoReleaseTime = time;
        return {};
    },
});

const modifyInstanceMetadataOptions = ecsAction({
    name: "ModifyInstanceMetadataOptions",
    request: ModifyInstanceMetadataOptionsRequest,
    response: ModifyInstanceMetadataOptionsResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: async (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        checkOneOf(request.httpEndpoint, ["enabled", "disabled"], "HttpEndpoint", "InvalidHttpEndpoint.NotSupported");
        checkOneOf(request.httpTokens, ["optional", "required"], "HttpTokens", "InvalidHttpTokens.NotSupported");
        context.checked();
        const { tokens, endpoint, hopLimit } = instance.metadata;
        instance.metadata = {
            tokens: request.httpTokens ? (request.httpTokens === "required" ? "required" : "optional") : tokens,
            endpoint: request.httpEndpoint ? (request.httpEndpoint === "disabled" ? "disabled" : "enabled") : endpoint,
            hopLimit: request.httpPutResponseHopLimit ?? hopLimit,
        };
        await context.applied();
        return {};
    },
});

const actionsOnMaintenance = ["Stop", "AutoRecover", "AutoRedeploy"];

const modifyInstanceMaintenanceAttributes = ecsAction({
    name: "ModifyInstanceMaintenanceAttributes",
    request: ModifyInstanceMaintenanceAttributesRequest,
    response: ModifyInstanceMaintenanceAttributesResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instances = (request.instanceId ?? []).map((id) => instanceOf(context, id));
        checkOneOf(request.actionOnMaintenance, actionsOnMaintenance, "ActionOnMaintenance");
        const [window] = request.maintenanceWindow ?? [];
        for (const time of [window?.startTime, window?.endTime])
            if (time && !/^([01]?\d|2[0-3]):00:00$/.test(time))
                refuse("InvalidMaintenanceWindow.Malformed", "The specified maintenance window is not valid.");
        context.checked();
        for (const instance of instances)
            keep(instance, {
                actionOnMaintenance: request.actionOnMaintenance === "" ? undefined : request.actionOnMaintenance,
                notifyOnMaintenance: request.notifyOnMaintenance,
                maintenanceStart: window?.startTime,
                maintenanceEnd: window?.endTime,
            });
        return {};
    },
});

const describeInstanceMaintenanceAttributes = ecsAction({
    name: "DescribeInstanceMaintenanceAttributes",
    request: DescribeInstanceMaintenanceAttributesRequest,
    response: DescribeInstanceMaintenanceAttributesResponseBody,
    writes: false,
    handle: (request, { store, regionId }) => {
        const ids = request.instanceId?.filter((id) => id !== "") ?? [];
        const found = inRegion(store.state.instances, regionId).filter(
            ({ id }) => ids.length === 0 || ids.includes(id),
        );
        const { items, ...page } = paginate(found, request, { default: 10, max: 100 });
        return {
            ...page,
            maintenanceAttributes: {
                maintenanceAttribute: items.map(({ id, extra }) => ({
                    instanceId: id,
                    actionOnMaintenance: {
                        value: String(extra["actionOnMaintenance"] ?? "AutoRecover"),
                        defaultValue: "AutoRecover",
                        supportedValues: { supportedValue: actionsOnMaintenance },
                    },
                    notifyOnMaintenance: extra["notifyOnMaintenance"] === true,
                    maintenanceWindows: {
                        maintenanceWindow:
                            extra["maintenanceStart"] === undefined
                                ? []
                                : [
                                      {
                                          startTime: String(extra["maintenanceStart"]),
                                          endTime: String(extra["maintenanceEnd"] ?? ""),
                                      },
                                  ],
                    },
                })),
            },
        };
    },
});

const modifyInstanceAttachmentAttributes = ecsAction({
    name: "ModifyInstanceAttachmentAttributes",
    request: ModifyInstanceAttachmentAttributesRequest,
    response: ModifyInstanceAttachmentAttributesResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        const { matchCriteria, id } = request.privatePoolOptions ?? {};
        if (!matchCriteria) throw missingParameter("PrivatePoolOptions.MatchCriteria");
        checkOneOf(matchCriteria, ["Open", "Target", "None"], "PrivatePoolOptions.MatchCriteria");
        context.checked();
        keep(instance, { privatePoolMatch: matchCriteria, privatePoolId: id ?? "" });
        return {};
    },
});

const describeInstanceAttachmentAttributes = ecsAction({
    name: "DescribeInstanceAttachmentAttributes",
    request: DescribeInstanceAttachmentAttributesRequest,
    response: DescribeInstanceAttachmentAttributesResponseBody,
    writes: false,
    handle: (request, { store, regionId }) => {
        const ids = requiredIdList(request.instanceIds, "InstanceIds");
        const found = inRegion(store.state.instances, regionId).filter(({ id }) => ids.includes(id));
        const { items, ...page } = paginate(found, request, { default: 10, max: 100 });
        return {
            ...page,
            instances: {
                instance: items.map(({ id, extra }) => ({
                    instanceId: id,
                    privatePoolOptionsMatchCriteria: String(extra["privatePoolMatch"] ?? "None"),
                    privatePoolOptionsId: String(extra["privatePoolId"] ?? ""),
                })),
            },
        };
    },
});

const renewals = ["AutoRenewal", "Normal", "NotRenewal"];

const modifyInstanceAutoRenewAttribute = ecsAction({
    name: "ModifyInstanceAutoRenewAttribute",
    request: ModifyInstanceAutoRenewAttributeRequest,
    response: ModifyInstanceAutoRenewAttributeResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instances = requiredIdList(request.instanceId, "InstanceId").map((id) => instanceOf(context, id));
        if (instances.some(({ instanceChargeType }) => instanceChargeType !== "PrePaid"))
            refuse("ChargeTypeViolation", "The operation is not permitted due to charge type of the instance.", 403);
        checkOneOf(request.renewalStatus, renewals, "RenewalStatus", "InvalidRenewalStatus.NotSupported");
        context.checked();
        for (const instance of instances)
            keep(instance, {
                renewalStatus: valueOr(request.renewalStatus, request.autoRenew === true ? "AutoRenewal" : "Normal"),
                renewDuration: request.duration,
                renewPeriodUnit: request.periodUnit,
            });
        return {};
    },
});

const describeInstanceAutoRenewAttribute = ecsAction({
    name: "DescribeInstanceAutoRenewAttribute",
    request: DescribeInstanceAutoRenewAttributeRequest,
    response: DescribeInstanceAutoRenewAttributeResponseBody,
    writes: false,
    handle: (request, { store, regionId }) => {
        const ids = idList(request.instanceId, "InstanceId");
        const found = inRegion(store.state.instances, regionId).filter(
            ({ id, instanceChargeType, extra }) =>
                instanceChargeType === "PrePaid" &&
                (ids === undefined || ids.includes(id)) &&
                matches(request.renewalStatus, String(extra["renewalStatus"] ?? "Normal")),
        );
        const { items, ...page } = paginate(
            found,
            { pageNumber: Number(valueOr(request.pageNumber, "1")), pageSize: Number(valueOr(request.pageSize, "10")) },
            { default: 10, max: 100 },
        );
        return {
            ...page,
            instanceRenewAttributes: {
                instanceRenewAttribute: items.map(({ id, extra }) => {
                    const renewalStatus = String(extra["renewalStatus"] ?? "Normal");
                    const renews = renewalStatus === "AutoRenewal";
                    return {
                        instanceId: id,
                        renewalStatus,
                        autoRenewEnabled: renews,
                        duration: renews ? Number(extra["renewDuration"] ?? 1) : 0,
                        periodUnit: String(extra["renewPeriodUnit"] ?? "Month"),
                    };
                }),
            },
        };
    },
});

const modifyInstanceDeployment = ecsAction({
    name: "ModifyInstanceDeployment",
    request: ModifyInstanceDeploymentRequest,
    response: ModifyInstanceDeploymentResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        if (request.removeFromDeploymentSet === true) {
            context.checked();
            instance.deploymentSetId = "";
            return {};
        }
        if (!request.deploymentSetId) throw missingParameter("DeploymentSetId");
        requireStatus(instance, "Running", "Stopped");
        const set = deploymentSetOf(context, request.deploymentSetId);
        if (set.id !== instance.deploymentSetId) checkRoom(context, set, instance.zoneId, 1);
        context.checked();
        instance.deploymentSetId = set.id;
        keep(instance, { deploymentSetGroupNo: request.deploymentSetGroupNo });
        return {};
    },
});

/** Gives or takes a role, and says per instance how it went. */
function changeRole(context: ActionContext, instanceIds: string | undefined, change: (instance: Instance) => void) {
    const ids = requiredIdList(instanceIds, "InstanceIds");
    const instances = ids.map((id) => instanceOf(context, id));
    context.checked();
    const results = instances.map((instance) => {
        try {
            change(instance);
            return { instanceId: instance.id, success: true, code: "200", message: "success" };
        } catch (error) {
            if (!(error instanceof CloudError)) throw error;
            return { instanceId: instance.id, success: false, code: error.code, message: error.message };
        }
    });
    return { totalCount: ids.length, failCount: results.filter(({ success }) => !success).length, results };
}

const attachInstanceRamRole = ecsAction({
    name: "AttachInstanceRamRole",
    request: AttachInstanceRamRoleRequest,
    response: AttachInstanceRamRoleResponseBody,
    required: ["RamRoleName", "InstanceIds"],
    writes: true,
    handle: (request, context) => {
        const ramRoleName = request.ramRoleName!;
        const { results, ...counts } = changeRole(context, request.instanceIds, (instance) => {
            if (instance.ramRoleName !== "")
                refuse("InvalidOperation.RoleExists", "The specified instance has a RAM role already.");
            instance.ramRoleName = ramRoleName;
        });
        return { ...counts, ramRoleName, attachInstanceRamRoleResults: { attachInstanceRamRoleResult: results } };
    },
});

const detachInstanceRamRole = ecsAction({
    name: "DetachInstanceRamRole",
    request: DetachInstanceRamRoleRequest,
    response: DetachInstanceRamRoleResponseBody,
    required: ["InstanceIds"],
    writes: true,
    handle: (request, context) => {
        const { ramRoleName = "" } = request;
        const { results, ...counts } = changeRole(context, request.instanceIds, (instance) => {
            if (ramRoleName !== "" && instance.ramRoleName !== ramRoleName)
                refuse("InvalidRamRole.NotFound", "The specified RAM role is not attached to the instance.");
            instance.ramRoleName = "";
        });
        return {
            ...counts,
            ramRoleName,
            detachInstanceRamRoleResults: {
                detachInstanceRamRoleResult: results.map((result) => ({
                    ...result,
                    instanceRamRoleSets: {
                        instanceRamRoleSet: [{ instanceId: result.instanceId, ramRoleName }],
                    },
                })),
            },
        };
    },
});

const describeInstanceRamRole = ecsAction({
    name: "DescribeInstanceRamRole",
    request: DescribeInstanceRamRoleRequest,
    response: DescribeInstanceRamRoleResponseBody,
    writes: false,
    handle: (request, { store, regionId }) => {
        const ids = idList(request.instanceIds, "InstanceIds");
        const found = inRegion(store.state.instances, regionId).filter(
            ({ id, ramRoleName }) =>
                (ids === undefined ? ramRoleName !== "" : ids.includes(id)) &&
                matches(request.ramRoleName, ramRoleName),
        );
        const { items, totalCount } = paginate(found, request, { default: 10, max: 100 });
        return {
            regionId,
            totalCount,
            instanceRamRoleSets: {
                instanceRamRoleSet: items.map(({ id, ramRoleName }) => ({ instanceId: id, ramRoleName })),
            },
        };
    },
});

export const attributeActions: readonly Action[] = [
    modifyInstanceAttribute,
    modifyInstanceAutoReleaseTime,
    modifyInstanceMetadataOptions,
    modifyInstanceMaintenanceAttributes,
    describeInstanceMaintenanceAttributes,
    modifyInstanceAttachmentAttributes,
    describeInstanceAttachmentAttributes,
    modifyInstanceAutoRenewAttribute,
    describeInstanceAutoRenewAttribute,
    modifyInstanceDeployment,
    attachInstanceRamRole,
    detachInstanceRamRole,
    describeInstanceRamRole,
];

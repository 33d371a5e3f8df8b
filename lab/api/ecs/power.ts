import { DeleteInstanceRequest } from "@alicloud/ecs20140526/dist/models/DeleteInstanceRequest";
import { DeleteInstanceResponseBody } from "@alicloud/ecs20140526/dist/models/DeleteInstanceResponseBody";
import { DeleteInstancesRequest } from "@alicloud/ecs20140526/dist/models/DeleteInstancesRequest";
import { DeleteInstancesResponseBody } from "@alicloud/ecs20140526/dist/models/DeleteInstancesResponseBody";
import { RebootInstanceRequest } from "@alicloud/ecs20140526/dist/models/RebootInstanceRequest";
import { RebootInstanceResponseBody } from "@alicloud/ecs20140526/dist/models/RebootInstanceResponseBody";
import { RebootInstancesRequest } from "@alicloud/ecs20140526/dist/models/RebootInstancesRequest";
import { RebootInstancesResponseBody } from "@alicloud/ecs20140526/dist/models/RebootInstancesResponseBody";
import { StartInstanceRequest } from "@alicloud/ecs20140526/dist/models/StartInstanceRequest";
import { StartInstanceResponseBody } from "@alicloud/ecs20140526/dist/models/StartInstanceResponseBody";
import { StartInstancesRequest } from "@alicloud/ecs20140526/dist/models/StartInstancesRequest";
import { StartInstancesResponseBody } from "@alicloud/ecs20140526/dist/models/StartInstancesResponseBody";
import { StopInstanceRequest } from "@alicloud/ecs20140526/dist/models/StopInstanceRequest";
import { StopInstanceResponseBody } from "@alicloud/ecs20140526/dist/models/StopInstanceResponseBody";
import { StopInstancesRequest } from "@alicloud/ecs20140526/dist/models/StopInstancesRequest";
import { StopInstancesResponseBody } from "@alicloud/ecs20140526/dist/models/StopInstancesResponseBody";
import { forgetHaVipMembers, releaseHaVips } from "../../model/haVip";
import { forgetServers } from "../../model/slb";
import type { Instance, InstanceStatus, State } from "../../model/state";
import type { Action, ActionContext, ModelContext } from "../action";
import { CloudError } from "../errors";
import { ecsAction } from "./action";
import { checkOneOf, refuse } from "./checks";
import { detachInterface } from "./interfaceSpecs";
import { disksOf, instanceOf, interfacesOf } from "./lookup";
import { boundEipOf, releasePublicIp } from "./publicIps";
import { quotas } from "./quotas";

/** Refuses what an instance can't do in its state. */
export function requireStatus(instance: Instance, ...allowed: readonly InstanceStatus[]): void {
    if (!allowed.includes(instance.status))
        refuse("IncorrectInstanceStatus", "The current status of the resource does not support this operation.", 403);
}

function start({ now }: ActionContext, instance: Instance): void {
    instance.status = "Starting";
    instance.startedAt = now;
    instance.stoppedMode = "Not-applicable";
}

function stop(
    { store }: ActionContext,
    instance: Instance,
    { stoppedMode, forceStop }: { readonly stoppedMode?: string; readonly forceStop?: boolean },
): void {
    instance.status = "Stopping";
    instance.stoppedMode = stoppedMode === "StopCharging" ? "StopCharging" : "KeepCharging";
    instance.forceStop = forceStop === true;
    releaseHaVips(store.state, instance.id);
}

function reboot({ now }: ActionContext, instance: Instance, force: boolean | undefined): void {
    instance.status = "Starting";
    instance.startedAt = now;
    instance.bootCount += 1;
    instance.forceStop = force === true;
}

function checkStoppedMode(stoppedMode: string | undefined): void {
    // Clients send back what they have read of a running instance.
    const modes = ["StopCharging", "KeepCharging", "Not-applicable"];
    checkOneOf(stoppedMode, modes, "StoppedMode", "InvalidParameter.StoppedMode");
}

const startInstance = ecsAction({
    name: "StartInstance",
    request: StartInstanceRequest,
    response: StartInstanceResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        requireStatus(instance, "Stopped");
        context.checked();
        start(context, instance);
        return {};
    },
});

const stopInstance = ecsAction({
    name: "StopInstance",
    request: StopInstanceRequest,
    response: StopInstanceResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        checkStoppedMode(request.stoppedMode);
        requireStatus(instance, "Running");
        context.checked();
        stop(context, instance, request);
        return {};
    },
});

const rebootInstance = ecsAction({
    name: "RebootInstance",
    request: RebootInstanceRequest,
    response: RebootInstanceResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        requireStatus(instance, "Running");
        context.checked();
        reboot(context, instance, request.forceStop);
        return {};
    },
});

interface Batch {
    readonly instanceId?: readonly string[];
    /** `AllTogether` (the default): one that can't keeps all from it. `SuccessFirst`: as many as can. */
    readonly batchOptimization?: string;
}

/** Changes several instances, and says of each how it went. */
function changeAll(
    context: ActionContext,
    request: Batch,
    from: InstanceStatus,
    change: (instance: Instance) => void,
): object {
    checkOneOf(request.batchOptimization, ["AllTogether", "SuccessFirst"], "BatchOptimization");
    const ids = [...new Set(request.instanceId ?? [])];
    if (ids.length > quotas.instancesPerRequest)
        refuse("InvalidParameter.InstanceIds", "The number of specified instances exceeds the limit.");
    const instances = ids.map((id) => instanceOf(context, id));
    const able = instances.filter(({ status }) => status === from);
    if (able.length < instances.length && request.batchOptimization !== "SuccessFirst")
        refuse("IncorrectInstanceStatus", "The current status of the resource does not support this operation.", 403);
    context.checked();
    return {
        instanceResponses: {
            instanceResponse: instances.map((instance) => {
                const previousStatus = instance.status;
                if (!able.includes(instance))
                    return {
                        instanceId: instance.id,
                        previousStatus,
                        currentStatus: previousStatus,
                        code: "IncorrectInstanceStatus",
                        message: "The current status of the resource does not support this operation.",
                    };
                change(instance);
                return {
                    instanceId: instance.id,
                    previousStatus,
                    currentStatus: instance.status,
                    code: "200",
                    message: "success",
                };
            }),
        },
    };
}

const startInstances = ecsAction({
    name: "StartInstances",
    request: StartInstancesRequest,
    response: StartInstancesResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => changeAll(context, request, "Stopped", (instance) => start(context, instance)),
});

const stopInstances = ecsAction({
    name: "StopInstances",
    request: StopInstancesRequest,
    response: StopInstancesResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        checkStoppedMode(request.stoppedMode);
        return changeAll(context, request, "Running", (instance) => stop(context, instance, request));
    },
});

const rebootInstances = ecsAction({
    name: "RebootInstances",
    request: RebootInstancesRequest,
    response: RebootInstancesResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) =>
        changeAll(context, request, "Running", (instance) => reboot(context, instance, request.forceReboot)),
});

interface Release {
    readonly force?: boolean;
    readonly terminateSubscription?: boolean;
}

function checkRelease({ store }: ActionContext, instance: Instance, { force, terminateSubscription }: Release): void {
    if (instance.deletionProtection)
        refuse("InvalidOperation.DeletionProtection", "The operation is not allowed due to deletion protection.", 403);
    if (instance.instanceChargeType === "PrePaid" && terminateSubscription !== true)
        refuse("ChargeTypeViolation", "The operation is not permitted due to charge type of the instance.", 403);
    if (force !== true) {
        if (instance.status === "Pending")
            throw new CloudError(
                "IncorrectInstanceStatus.Initializing",
                "The specified instance status does not support this operation.",
                403,
            );
        requireStatus(instance, "Stopped");
    }
    if (isRouted(store.state, instance))
        refuse("DependencyViolation.RouteEntry", "The specified instance is the next hop of a route entry.", 403);
}

/** Whether a route leads to an instance. */
function isRouted({ routeTables }: State, { id }: Instance): boolean {
    return Object.values(routeTables).some(({ entries }) =>
        entries.some(({ nextHopType, nextHopId }) => nextHopType === "Instance" && nextHopId === id),
    );
}

/**
 * Releases the instances whose `AutoReleaseTime` has come. Protection against deletion keeps none, as in the cloud; one that a route leads to
 * stays as long as it does.
 * @returns their ids
 */
export function releaseDueInstances(context: ModelContext): string[] {
    const { state } = context.store;
    const due = Object.values(state.instances).filter(
        (instance) =>
            instance.instanceChargeType === "PostPaid" &&
            instance.autoReleaseTime !== "" &&
            instance.autoReleaseTime <= context.now &&
            !isRouted(state, instance),
    );
    for (const instance of due) releaseInstance(context, instance);
    return due.map(({ id }) => id);
}

/** Takes an instance out of the model, with all that lives and ends with it. */
function releaseInstance(context: ModelContext, instance: Instance): void {
    const { state } = context.store;
    releasePublicIp(context, instance.id);
    const eip = boundEipOf(context, instance.id);
    if (eip) delete eip.binding;
    for (const disk of disksOf(context, instance.id)) {
        if (disk.kind === "system" || disk.deleteWithInstance) {
            Reflect.deleteProperty(state.disks, disk.id);
            continue;
        }
        Object.assign(disk, { instanceId: "", device: "", status: "Available", detachedAt: context.now });
        disk.instanceChargeType = "PostPaid";
    }
    releaseHaVips(state, instance.id);
    const gone = new Set([instance.id]);
    for (const nic of interfacesOf(context, instance.id)) {
        if (nic.kind === "Primary" || nic.deleteOnRelease) {
            for (const bound of Object.values(state.eips))
                if (bound.binding?.instanceId === nic.id) delete bound.binding;
            Reflect.deleteProperty(state.networkInterfaces, nic.id);
            gone.add(nic.id);
            continue;
        }
        detachInterface(nic);
    }
    forgetServers(state, gone);
    forgetHaVipMembers(state, gone);
    Reflect.deleteProperty(state.instances, instance.id);
}

const deleteInstance = ecsAction({
    name: "DeleteInstance",
    request: DeleteInstanceRequest,
    response: DeleteInstanceResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const instance = instanceOf(context, request.instanceId);
        checkRelease(context, instance, request);
        context.checked();
        releaseInstance(context, instance);
        return {};
    },
});

const deleteInstances = ecsAction({
    name: "DeleteInstances",
    request: DeleteInstancesRequest,
    response: DeleteInstancesResponseBody,
    required: ["InstanceId"],
    writes: true,
    handle: (request, context) => {
        const ids = [...new Set(request.instanceId ?? [])];
        if (ids.length > quotas.instancesPerRequest)
            refuse("InvalidParameter.InstanceIds", "The number of specified instances exceeds the limit.");
        const instances = ids.map((id) => instanceOf(context, id));
        for (const instance of instances) checkRelease(context, instance, request);
        context.checked();
        for (const instance of instances) releaseInstance(context, instance);
        return {};
    },
});

export const powerActions: readonly Action[] = [
    startInstance,
    stopInstance,
    rebootInstance,
    startInstances,
    stopInstances,
    rebootInstances,
    deleteInstance,
    deleteInstances,
];

import type { MachineEvent } from "../../model/desired";
import { releaseHaVips } from "../../model/haVip";
import type { Instance, InstanceStatus } from "../../model/state";
import type { Store } from "../../model/store";

/** What the machine says of a host. */
export type HostEvent = Extract<MachineEvent, { readonly hostId: string }>;

/** What the machine's word makes of an instance. */
function statusAfter(event: HostEvent, { status: before, bootCount }: Instance): InstanceStatus {
    switch (event.kind) {
        case "running":
            // A late word about the time before a reboot that was asked for meanwhile.
            if ((event.bootCount ?? bootCount) < bootCount) return before;
            return before === "Pending" || before === "Starting" ? "Running" : before;
        case "stopped":
            // A late word about the time before a start that was asked for meanwhile.
            return before === "Pending" || before === "Starting" ? before : "Stopped";
        case "failed":
            return "Stopped";
    }
}

/**
 * Brings what the machine tells into the model.
 * @returns the instance when its status changed; the caller then saves the model.
 */
export function applyMachineEvent({ state }: Store, event: HostEvent): Instance | undefined {
    const instance = state.instances[event.hostId];
    if (!instance) return undefined;
    const before = instance.status;
    instance.status = statusAfter(event, instance);
    if (instance.status === before) return undefined;
    if (instance.status === "Stopped") {
        releaseHaVips(state, instance.id);
        // A guest that ended by itself goes on costing.
        if (instance.stoppedMode === "Not-applicable") instance.stoppedMode = "KeepCharging";
    }
    return instance;
}

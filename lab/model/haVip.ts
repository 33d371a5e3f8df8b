/** What becomes of HaVips when their members come and go. */
import type { HaVip, State } from "./state";

/** Gives an address to a member. @returns whether that changed anything */
export function claimHaVip(state: State, haVipId: string, nicId: string): boolean {
    const haVip = state.haVips[haVipId];
    const nic = state.networkInterfaces[nicId];
    if (!haVip || !nic) return false;
    const memberId = haVip.memberType === "NetworkInterface" ? nic.id : nic.instanceId;
    const status = state.instances[nic.instanceId]?.status;
    // A late word of one that was taken out, or is on its way off.
    if (!haVip.memberIds.includes(memberId) || status === "Stopping" || status === "Stopped") return false;
    if (haVip.holderId === memberId) return false;
    haVip.holderId = memberId;
    return true;
}

/** Nobody holds what an instance, or an interface, held that is off now. */
export function releaseHaVips(state: State, id: string): void {
    for (const haVip of haVipsOf(state))
        if (haVip.holderId === id || state.networkInterfaces[haVip.holderId]?.instanceId === id) haVip.holderId = "";
}

/** Takes hosts and interfaces that are released out of every HaVip. */
export function forgetHaVipMembers(state: State, ids: ReadonlySet<string>): void {
    for (const haVip of haVipsOf(state)) {
        if (ids.has(haVip.holderId)) haVip.holderId = "";
        haVip.memberIds = haVip.memberIds.filter((id) => !ids.has(id));
    }
}

/** Whether one of these instances and interfaces may announce a HaVip. */
export function isHaVipMember(state: State, ids: readonly string[]): boolean {
    return haVipsOf(state).some(({ memberIds }) => memberIds.some((id) => ids.includes(id)));
}

function haVipsOf(state: State): HaVip[] {
    return Object.values(state.haVips);
}

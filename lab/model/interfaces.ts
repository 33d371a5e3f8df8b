/** The numbers of an instance's network interfaces. They stay while one is attached: a running host has named it by its own. */
import type { NetworkInterface, State } from "./state";

/** The lowest number that none of an instance's interfaces has. */
export function freeDeviceIndex(attached: readonly Pick<NetworkInterface, "deviceIndex">[]): number {
    const taken = new Set(attached.map(({ deviceIndex }) => deviceIndex));
    let free = 0;
    while (taken.has(free)) free += 1;
    return free;
}

/** Numbers what was attached before interfaces had numbers, in the order that gave them their names then. */
export function numberInterfaces({ networkInterfaces }: State): void {
    const attached = Object.values(networkInterfaces)
        .filter(({ instanceId }) => instanceId !== "")
        .sort((a, b) => Number(b.kind === "Primary") - Number(a.kind === "Primary"));
    for (const nic of attached)
        nic.deviceIndex ??= freeDeviceIndex(attached.filter(({ instanceId }) => instanceId === nic.instanceId));
}

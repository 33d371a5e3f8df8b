/** Which zones a number of them stands for. */

/** Zones that refuse to encrypt a system disk while an instance is made, which hosts' are by default. */
const withoutEncryption: readonly string[] = ["cn-hongkong-d", "ap-southeast-1a"];

/** What the zones are looked up for, each by itself: hosts of each type, and their disks of the default category. */
export function zoneNeeds(
    types: readonly string[],
): ({ readonly availableInstanceType: string } | { readonly availableDiskCategory: string })[] {
    return [
        ...types.map((availableInstanceType) => ({ availableInstanceType })),
        { availableDiskCategory: "cloud_essd" },
    ];
}

/** Zones in which hosts find everything, by name. @param offers the zones that meet each of the needs */
export function fittingZones(offers: readonly (readonly string[])[]): string[] {
    const known = [...new Set(offers.flat())].sort();
    return known.filter((id) => lacks(id, offers) === 0);
}

/** All zones, those first in which hosts find most, and by name. */
export function bestFirst(ids: readonly string[], offers: readonly (readonly string[])[]): string[] {
    return [...ids].sort().sort((one, other) => lacks(one, offers) - lacks(other, offers));
}

/** How many of the needs a zone doesn't meet. */
function lacks(id: string, offers: readonly (readonly string[])[]): number {
    return offers.filter((zones) => !zones.includes(id)).length + (withoutEncryption.includes(id) ? 1 : 0);
}

/**
 * Puts a zone first that has NAT gateways, since the first VSwitch gets the one that there is. Hosts stand there as well, so it has to be a fitting
 * one; without any, the order stays.
 */
export function gatewayFirst(
    ids: readonly string[],
    fitting: readonly string[],
    gateways: readonly string[],
): string[] {
    const first = fitting.filter((id) => gateways.includes(id)).slice(0, 1);
    return [...first, ...ids.filter((id) => !first.includes(id))];
}

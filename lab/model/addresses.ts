/** IPv4 arithmetic of VPCs, VSwitches and elastic addresses. Pure, but for `takeEipAddress`, which moves the store's counter. */
import type { BalancerZone } from "./alb";
import type { State } from "./state";
import type { Store } from "./store";

/** A range of addresses, as numbers. */
export interface Cidr {
    /** The address as it was written, with its host bits. */
    readonly address: number;
    /** First address of the range. */
    readonly first: number;
    /** Last address of the range. */
    readonly last: number;
    /** Mask length, 0 to 32. */
    readonly prefix: number;
}

/** Number of an IPv4 address in dotted form, or undefined when it is not one. */
export function parseAddress(text: string): number | undefined {
    const parts = text.split(".");
    if (parts.length !== 4) return undefined;
    let number = 0;
    for (const part of parts) {
        if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
        number = number * 256 + Number(part);
    }
    return number;
}

/** Dotted form of an IPv4 address. */
export function formatAddress(number: number): string {
    return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(number / unit) % 256).join(".");
}

/** An IPv4 range, or undefined when it is not one. Host bits are allowed; see `isNetwork`. */
export function parseCidr(text: string): Cidr | undefined {
    const match = /^([^/]+)\/(0|[1-9]\d?)$/.exec(text);
    if (!match) return undefined;
    const address = parseAddress(match[1]!);
    const prefix = Number(match[2]);
    if (address === undefined || prefix > 32) return undefined;
    const size = 2 ** (32 - prefix);
    const first = Math.floor(address / size) * size;
    return { address, first, last: first + size - 1, prefix };
}

/** Whether no host bit is set: `10.0.1.0/24` is a network, `10.0.1.7/24` is not. */
export function isNetwork(cidr: Cidr): boolean {
    return cidr.address === cidr.first;
}

/** Text of a range without host bits. */
export function formatCidr(cidr: Cidr): string {
    return `${formatAddress(cidr.first)}/${cidr.prefix}`;
}

/** Number of addresses. */
export function sizeOf(cidr: Cidr): number {
    return cidr.last - cidr.first + 1;
}

/** Whether `inner` lies in `outer` or equals it. */
export function contains(outer: Cidr, inner: Cidr): boolean {
    return outer.first <= inner.first && inner.last <= outer.last;
}

/** Whether two ranges share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
    return a.first <= b.last && b.first <= a.last;
}

/** Whether an address in dotted form lies in a range. */
export function containsAddress(cidr: Cidr, address: string): boolean {
    const number = parseAddress(address);
    return number !== undefined && cidr.first <= number && number <= cidr.last;
}

/** Address number `index` of a range, 0 being its first. Negative counts from the end, -1 being its last. */
export function nthAddress(cidr: Cidr, index: number): string {
    return formatAddress(index < 0 ? cidr.last + 1 + index : cidr.first + index);
}

/** The router's address in a VSwitch: `.253` of a /24. */
export function gatewayOf(vswitchCidr: Cidr): string {
    return nthAddress(vswitchCidr, -3);
}

/** Whether a host may have the address: in the VSwitch, and neither its first nor one of its last three. */
export function isAssignable(vswitchCidr: Cidr, address: string): boolean {
    const number = parseAddress(address);
    return number !== undefined && vswitchCidr.first < number && number <= vswitchCidr.last - 3;
}

/** How many addresses of a VSwitch hosts may have. */
export function assignableCount(vswitchCidr: Cidr): number {
    return Math.max(0, sizeOf(vswitchCidr) - 4);
}

/** The lowest address that a host may have and nobody has; undefined when the VSwitch is full. */
export function freeAddress(vswitchCidr: Cidr, taken: ReadonlySet<string>): string | undefined {
    for (let number = vswitchCidr.first + 1; number <= vswitchCidr.last - 3; number += 1) {
        const address = formatAddress(number);
        if (!taken.has(address)) return address;
    }
    return undefined;
}

/** Every private address in use in a VSwitch. */
export function takenAddresses(state: State, vswitchId: string): Set<string> {
    const taken = new Set<string>();
    for (const nic of Object.values(state.networkInterfaces)) {
        if (nic.vswitchId !== vswitchId) continue;
        taken.add(nic.primaryIp);
        for (const address of nic.secondaryIps) taken.add(address);
    }
    for (const balancer of Object.values(state.loadBalancers))
        if (balancer.vswitchId === vswitchId) taken.add(balancer.address);
    for (const haVip of Object.values(state.haVips)) if (haVip.vswitchId === vswitchId) taken.add(haVip.address);
    for (const { zones } of zonedBalancers(state))
        for (const zone of zones) if (zone.vswitchId === vswitchId) taken.add(zone.privateAddress);
    for (const target of Object.values(state.mountTargets))
        if (target.vswitchId === vswitchId) taken.add(target.address);
    return taken;
}

/** Balancers with addresses in several zones. */
function zonedBalancers(state: State): { readonly zones: readonly BalancerZone[] }[] {
    return [...Object.values(state.applicationBalancers), ...Object.values(state.networkBalancers)];
}

/** Every address of the lab's slice that is in use, by whatever. */
export function takenEipAddresses(state: State): Set<string> {
    return new Set([
        ...[...Object.values(state.eips), ...Object.values(state.loadBalancers)].map(({ address }) => address),
        ...zonedBalancers(state).flatMap(({ zones }) => zones.map(({ publicAddress }) => publicAddress)),
    ]);
}

/**
 * The next unused address of the lab's slice; undefined when all are in use. Goes round instead of taking the lowest,
 * so that a client with a stale address does not meet another host under it.
 * @param promised addresses that are taken already, and not in the model yet.
 */
export function takeEipAddress(store: Store, promised: readonly string[] = []): string | undefined {
    const range = parseCidr(store.eipRange);
    if (!range) throw new Error(`The range of elastic addresses ${store.eipRange} is not a CIDR.`);
    const { state } = store;
    const taken = new Set([...promised, ...takenEipAddresses(state)]);
    const count = sizeOf(range);
    for (let i = 0; i < count; i += 1) {
        const offset = (state.nextEip + i) % count;
        // People take .0 and .255 for network and broadcast addresses.
        if (offset % 256 === 0 || offset % 256 === 255) continue;
        const address = nthAddress(range, offset);
        if (taken.has(address)) continue;
        state.nextEip = (offset + 1) % count;
        return address;
    }
    return undefined;
}

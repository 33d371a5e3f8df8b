/** IPv6 addresses of network interfaces. The model keeps them; the lab's hosts speak IPv4 only. */
import { randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import type { NetworkInterface, VSwitch } from "../../model/state";
import type { ActionContext } from "../action";
import { refuse } from "./checks";

/** An IPv6 address in its shortest form and in lower case, as clients compare it; undefined when it is not one. */
export function compressIpv6(address: string): string | undefined {
    return isIPv6(address) && !address.includes("%") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : undefined;
}

/** IPv6 addresses as a request names or counts them. */
export interface Ipv6Wish {
    readonly ipv6Address?: readonly string[];
    readonly ipv6AddressCount?: number;
}

/**
 * New addresses in a VSwitch.
 * @param room how many of them the interface may still have.
 */
export function newIpv6Addresses(context: ActionContext, vswitch: VSwitch, wish: Ipv6Wish, room: number): string[] {
    const named = wish.ipv6Address?.filter((address) => address !== "") ?? [];
    const count = wish.ipv6AddressCount ?? 0;
    if (named.length === 0 && count === 0) return [];
    if (named.length > 0 && count > 0)
        refuse("InvalidParameter.Conflict", "Ipv6Address.N and Ipv6AddressCount can't be specified at the same time.");
    const range = /^(.*)::\/64$/.exec(vswitch.ipv6Cidr ?? "")?.[1];
    if (range === undefined)
        return refuse("InvalidVSwitch.Ipv6NotTurnOn", "The specified VSwitch does not turn on the IPv6 function.");
    if (!Number.isInteger(count) || count < 0 || Math.max(named.length, count) > room)
        refuse("Ipv6CountExceeded", "The number of IPv6 addresses exceeds the limit of the instance type.", 403);
    const taken = new Set(
        Object.values(context.store.state.networkInterfaces).flatMap(({ ipv6Addresses }) => ipv6Addresses ?? []),
    );
    const network = compressIpv6(`${range}::`)!.replace(/::$/, ":");
    if (named.length > 0)
        return named.map((text) => {
            const address = compressIpv6(text);
            if (!address?.startsWith(network))
                return refuse("InvalidIp.Address", "The specified IPv6 address is not in the range of the VSwitch.");
            if (taken.has(address)) refuse("InvalidIp.IpAssigned", "The specified IPv6 address is in use.");
            taken.add(address);
            return address;
        });
    return Array.from({ length: count }, () => {
        const groups = randomBytes(8).toString("hex").match(/.{4}/g)!;
        return compressIpv6(`${range}:${groups.join(":")}`)!;
    });
}

/** Addresses of an interface, as answers show them. */
export function ipv6View({ ipv6Addresses = [] }: NetworkInterface) {
    return { ipv6Set: ipv6Addresses.map((ipv6Address, i) => ({ ipv6Address, primary: i === 0 })) };
}

/** Whether one of some interfaces has one of the addresses asked for. */
export function hasIpv6(asked: readonly string[] | undefined, ...nics: readonly NetworkInterface[]): boolean {
    const addresses = asked?.filter((address) => address !== "").map((address) => compressIpv6(address)) ?? [];
    return (
        addresses.length === 0 ||
        nics.some(({ ipv6Addresses = [] }) => ipv6Addresses.some((address) => addresses.includes(address)))
    );
}

/** What of others on this machine a lab can't be beside, told before it changes anything. */
import { readFileSync } from "node:fs";
import { NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { Cidr, contains, formatAddress, overlaps, parseCidr } from "../model/addresses";
import { EIP_RANGE, TRAVEL_RANGE, labAddresses } from "./addresses";

/** A range of addresses, and the interface that has it or leads to it. */
interface Occupied {
    readonly device: string;
    readonly cidr: string;
}

/** Interfaces of labs, this one or another: deviceName and edgePrefix say how they are called. */
const OF_LABS = /^mh\d+(e\d+)?$/;

/** Bits of a route's flags: it is in force, it refuses. */
const ROUTE_UP = 0x1;
const ROUTE_REJECTS = 0x200;

/** Ranges that lead to an interface, by `/proc/net/route`. */
export function parseRoutes(text: string): Occupied[] {
    return text
        .split("\n")
        .slice(1)
        .flatMap((line) => {
            const [device, destination, , flags, , , , mask] = line.split("\t");
            if (device === undefined || destination === undefined || mask === undefined) return [];
            const bits = parseInt(flags ?? "", 16);
            if ((bits & ROUTE_UP) === 0 || (bits & ROUTE_REJECTS) !== 0) return [];
            const prefix = parseInt(mask, 16).toString(2).replaceAll("0", "").length;
            const address = Buffer.from(destination, "hex").reverse().readUInt32BE();
            return [{ device, cidr: `${formatAddress(address)}/${prefix}` }];
        });
}

function occupied(): Occupied[] {
    const addresses = Object.entries(networkInterfaces()).flatMap(([device, infos = []]) =>
        infos.flatMap(({ cidr }: NetworkInterfaceInfo) => (cidr === null ? [] : [{ device, cidr }])),
    );
    let routes = "";
    try {
        routes = readFileSync("/proc/net/route", "utf8");
    } catch {
        // Not Linux, which is said elsewhere.
    }
    return [...addresses, ...parseRoutes(routes)];
}

/**
 * Why the lab with an index can't have its addresses: its firewall would drop what others have them for. A range that is wider than all
 * labs together is no claim to them, such as the half of all addresses that a VPN leads away.
 */
export function addressProblem(index: number, found: readonly Occupied[] = occupied()): string | undefined {
    const { outer, twins, eips } = labAddresses(index);
    const wanted: readonly (readonly [slice: string, whole: string])[] = [
        [outer, TRAVEL_RANGE],
        [twins, TRAVEL_RANGE],
        [eips, EIP_RANGE],
    ];
    for (const { device, cidr } of found) {
        const range = parseCidr(cidr);
        if (!range || OF_LABS.test(device)) continue;
        const hit = wanted.find(([slice, whole]) => contains(cidrOf(whole), range) && overlaps(cidrOf(slice), range));
        if (hit)
            return (
                `The lab needs the addresses ${hit[0]}, of which ${device} has ${cidr}; both at once would cut this machine off. ` +
                `Give ${device} a range outside of ${hit[1]} (in Clash and mihomo with TUN that is \`fake-ip-range\`), or switch it off while there is a lab.`
            );
    }
    return undefined;
}

function cidrOf(text: string): Cidr {
    return parseCidr(text)!;
}

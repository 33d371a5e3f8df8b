import { randomBytes } from "node:crypto";

/** A /56 of the kind that the cloud gives to VPCs. The model keeps it; the lab's hosts speak IPv4 only. */
export function createIpv6Cidr(): string {
    const random = randomBytes(3).toString("hex");
    return `2408:4005:${group(random.slice(0, 4))}:${group(`${random.slice(4, 6)}00`)}::/56`;
}

/** The /64 number `index` of a VPC's /56; undefined for a range that is not one. */
export function ipv6CidrOfVSwitch(vpcCidr: string, index: number): string | undefined {
    const match = /^([0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}):([0-9a-f]{1,4})::\/56$/i.exec(vpcCidr);
    if (!match) return undefined;
    const high = parseInt(match[2]!, 16) & 0xff00;
    return `${match[1]}:${(high + index).toString(16)}::/64`;
}

function group(hex: string): string {
    return parseInt(hex, 16).toString(16);
}

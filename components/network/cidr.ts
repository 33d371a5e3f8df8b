/** An IPv4 range: `address` is its first address as a number, `prefix` the length of its mask. */
export interface Cidr {
    readonly address: number;
    readonly prefix: number;
}

/** Alibaba Cloud keeps the first address and the last three of every VSwitch for itself. */
export const reservedAddresses = 4;

/** Limits of a VSwitch's mask. */
export const vswitchPrefix = { shortest: 16, longest: 29 } as const;

const privateRanges: readonly Cidr[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(requireCidr);

/** Reads `10.0.0.0/16`. Undefined when it isn't a CIDR block or its address has bits behind the mask. */
export function parseCidr(text: string): Cidr | undefined {
    const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
    if (match === null) {
        return undefined;
    }
    const [a, b, c, d, prefix] = match.slice(1).map(Number) as [number, number, number, number, number];
    if (Math.max(a, b, c, d) > 255 || prefix > 32) {
        return undefined;
    }
    const address = ((a * 256 + b) * 256 + c) * 256 + d;
    return address % size(prefix) === 0 ? { address, prefix } : undefined;
}

/** Like {@link parseCidr}. @throws Error when it isn't one. */
export function requireCidr(text: string): Cidr {
    const cidr = parseCidr(text);
    if (cidr === undefined) {
        throw new Error(`"${text}" is not a CIDR block such as 10.0.0.0/16.`);
    }
    return cidr;
}

export function formatCidr({ address, prefix }: Cidr): string {
    const parts = [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(address / unit) % 256);
    return `${parts.join(".")}/${prefix}`;
}

export function overlaps(a: Cidr, b: Cidr): boolean {
    return a.address < b.address + size(b.prefix) && b.address < a.address + size(a.prefix);
}

export function contains(outer: Cidr, inner: Cidr): boolean {
    return inner.prefix >= outer.prefix && overlaps(outer, inner);
}

/** How many hosts fit into a VSwitch of this mask. */
export function usableAddresses(prefix: number): number {
    return Math.max(0, size(prefix) - reservedAddresses);
}

/** Why a text can't be the range of a VPC; undefined when it can. */
export function vpcCidrProblem(text: string): string | undefined {
    const cidr = parseCidr(text);
    if (cidr === undefined) {
        return `"${text}" is not a CIDR block whose address fits its mask: write one such as 10.0.0.0/16.`;
    }
    if (cidr.prefix < 8 || cidr.prefix > 28) {
        return `"${text}": the mask of a VPC is between /8 and /28.`;
    }
    if (!privateRanges.some((range) => contains(range, cidr))) {
        return `"${text}" is not private: choose a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.`;
    }
    return undefined;
}

/**
 * Splits a VPC's range into equal VSwitches, each as large as possible while four times as many still fit, so that more zones can be
 * added later without moving the first ones: 10.0.0.0/16 gives 10.0.0.0/20, 10.0.16.0/20, …
 *
 * The size depends on the VPC alone. Undefined when so many don't fit.
 */
export function splitVpc(vpc: Cidr, count: number): readonly Cidr[] | undefined {
    const prefix = Math.min(vswitchPrefix.longest, Math.max(vswitchPrefix.shortest, vpc.prefix + 4));
    if (count > 2 ** (prefix - vpc.prefix)) {
        return undefined;
    }
    return Array.from({ length: count }, (_, index) => ({ address: vpc.address + index * size(prefix), prefix }));
}

/** What is wrong with the ranges of a VPC's VSwitches, by index. */
export function vswitchCidrProblems(
    vpc: Cidr | undefined,
    texts: readonly string[],
): { readonly index: number; readonly reason: string }[] {
    const parsed = texts.map(parseCidr);
    return texts.flatMap((text, index) => {
        const cidr = parsed[index];
        if (cidr === undefined) {
            return [
                {
                    index,
                    reason: `"${text}" is not a CIDR block whose address fits its mask: write one such as 10.0.0.0/20.`,
                },
            ];
        }
        if (cidr.prefix < vswitchPrefix.shortest || cidr.prefix > vswitchPrefix.longest) {
            return [{ index, reason: `"${text}": the mask of a VSwitch is between /16 and /29.` }];
        }
        if (vpc !== undefined && !contains(vpc, cidr)) {
            return [{ index, reason: `"${text}" is not within the VPC's ${formatCidr(vpc)}.` }];
        }
        const other = parsed.slice(0, index).find((earlier) => earlier !== undefined && overlaps(earlier, cidr));
        return other === undefined ? [] : [{ index, reason: `"${text}" overlaps ${formatCidr(other)}.` }];
    });
}

function size(prefix: number): number {
    return 2 ** (32 - prefix);
}

/** Ranges of addresses as rules name them, in any of the ways to write one. */

export interface Range {
    readonly family: "ipv4" | "ipv6";
    /** Its first address. */
    readonly first: bigint;
    /** Length of its mask. */
    readonly prefix: number;
}

const bits = { ipv4: 32, ipv6: 128 } as const;

function ipv4Number(text: string): bigint | undefined {
    const parts = text.split(".");
    if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
    return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv6Number(text: string): bigint | undefined {
    // The last two groups may be written as an IPv4 address.
    const [, head = "", tail] = /^(.*:)(\d+\.[\d.]+)$/.exec(text) ?? [];
    if (tail !== undefined) {
        const last = ipv4Number(tail);
        return last === undefined
            ? undefined
            : ipv6Number(`${head}${(last >> 16n).toString(16)}:${(last & 0xffffn).toString(16)}`);
    }
    const halves = text.split("::").map((half) => (half === "" ? [] : half.split(":")));
    const [before = [], after] = halves;
    const missing = 8 - before.length - (after?.length ?? 0);
    if (halves.length > 2 || (after === undefined ? missing !== 0 : missing < 1)) return undefined;
    const groups = [...before, ...Array.from({ length: missing }, () => "0"), ...(after ?? [])];
    if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined;
    return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/**
 * Reads a range, or an address as the range of it alone. Bits behind the mask count for nothing, as for the cloud:
 * 10.0.0.0/0 is everything. Undefined when it is neither.
 */
export function parseRange(text: string): Range | undefined {
    const [, address = "", mask] = /^([^/]+?)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
    const family = address.includes(":") ? "ipv6" : "ipv4";
    const number = family === "ipv6" ? ipv6Number(address) : ipv4Number(address);
    const prefix = mask === undefined ? bits[family] : Number(mask);
    if (number === undefined || prefix > bits[family]) return undefined;
    const behind = BigInt(bits[family] - prefix);
    return { family, first: (number >> behind) << behind, prefix };
}

/** Of private networks, of carriers behind NAT (the cloud's own services among them), and of a single link. */
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"].map(
    (text) => parseRange(text)!,
);

function contains(outer: Range, inner: Range): boolean {
    const behind = BigInt(bits[outer.family] - outer.prefix);
    return (
        outer.family === inner.family && outer.prefix <= inner.prefix && outer.first >> behind === inner.first >> behind
    );
}

/** Whether nobody on the internet has an address of it. */
export function isPrivate(range: Range): boolean {
    return privateRanges.some((outer) => contains(outer, range));
}

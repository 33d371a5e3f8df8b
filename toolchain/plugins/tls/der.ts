/** Just enough DER to write and read certificates and requests as Go's crypto/x509 does, byte for byte. */

export const tags = {
    boolean: 0x01,
    integer: 0x02,
    bitString: 0x03,
    octetString: 0x04,
    null: 0x05,
    oid: 0x06,
    utf8String: 0x0c,
    printableString: 0x13,
    ia5String: 0x16,
    utcTime: 0x17,
    generalizedTime: 0x18,
    sequence: 0x30,
    set: 0x31,
} as const;

export function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
    const content = Buffer.concat(contents);
    if (content.length < 0x80) {
        return Buffer.concat([Buffer.from([tag, content.length]), content]);
    }
    const hex = content.length.toString(16);
    const length = Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex");
    return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

export const sequence = (...members: readonly Buffer[]): Buffer => tagged(tags.sequence, ...members);

/** A SET OF, whose members DER wants sorted. */
export const set = (...members: readonly Buffer[]): Buffer =>
    tagged(tags.set, ...[...members].sort((left, right) => left.compare(right)));

export const boolean = (value: boolean): Buffer => tagged(tags.boolean, Buffer.from([value ? 0xff : 0]));

export const octetString = (content: Buffer): Buffer => tagged(tags.octetString, content);

export const bitString = (content: Buffer, unusedBits = 0): Buffer =>
    tagged(tags.bitString, Buffer.from([unusedBits]), content);

export const nothing = (): Buffer => tagged(tags.null);

/** A number that is not negative. */
export function integer(value: bigint | number): Buffer {
    const hex = value.toString(16);
    const digits = Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex");
    return tagged(tags.integer, digits[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

export function oid(dotted: string): Buffer {
    const [first, second, ...rest] = dotted.split(".").map(Number) as [number, number, ...number[]];
    const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
        const groups = [arc & 0x7f];
        for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
            groups.unshift((left & 0x7f) | 0x80);
        }
        return groups;
    });
    return tagged(tags.oid, Buffer.from(bytes));
}

/** The string type that Go chooses: PrintableString where the text allows it. */
export function text(value: string): Buffer {
    return tagged(
        /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value) ? tags.printableString : tags.utf8String,
        Buffer.from(value),
    );
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280). */
export function time(date: Date): Buffer {
    const digits = date
        .toISOString()
        .replace(/\.\d+Z$/, "Z")
        .replace(/[-:T]/g, "");
    const year = date.getUTCFullYear();
    return year >= 1950 && year < 2050
        ? tagged(tags.utcTime, Buffer.from(digits.slice(2)))
        : tagged(tags.generalizedTime, Buffer.from(digits));
}

/** One element as read: its tag, its content, and all of its bytes. */
export interface Element {
    readonly tag: number;
    readonly content: Buffer;
    readonly whole: Buffer;
}

export function readAll(bytes: Buffer): Element[] {
    const elements: Element[] = [];
    for (let rest = bytes; rest.length > 0;) {
        let [length, header] = [rest[1] ?? NaN, 2];
        if (length >= 0x80) {
            const count = length & 0x7f;
            length = count > 0 && count <= 4 && rest.length >= 2 + count ? rest.readUIntBE(2, count) : NaN;
            header = 2 + count;
        }
        if (!(header + length <= rest.length)) {
            throw new Error("asn1: syntax error: data truncated");
        }
        elements.push({
            tag: rest[0]!,
            content: rest.subarray(header, header + length),
            whole: rest.subarray(0, header + length),
        });
        rest = rest.subarray(header + length);
    }
    return elements;
}

export function read(bytes: Buffer): Element {
    const [element, ...more] = readAll(bytes);
    if (element === undefined || more.length > 0) {
        throw new Error("asn1: structure error: expected one element");
    }
    return element;
}

export const members = (element: Element | undefined): Element[] => {
    if (element === undefined) {
        throw new Error("asn1: structure error: element missing");
    }
    return readAll(element.content);
};

export function readOid(element: Element | undefined): string {
    const arcs: number[] = [];
    let arc = 0;
    for (const byte of element?.content ?? []) {
        arc = arc * 128 + (byte & 0x7f);
        if (byte < 0x80) {
            arcs.push(arc);
            arc = 0;
        }
    }
    const first = Math.min(Math.floor((arcs[0] ?? 0) / 40), 2);
    return [first, (arcs[0] ?? 0) - first * 40, ...arcs.slice(1)].join(".");
}

export function readInteger(element: Element | undefined): bigint {
    return BigInt(`0x0${element?.content.toString("hex") ?? ""}`);
}

export function readTime(element: Element | undefined): Date {
    const digits = element?.content.toString("latin1") ?? "";
    const long = element?.tag === tags.utcTime ? `${Number(digits.slice(0, 2)) >= 50 ? "19" : "20"}${digits}` : digits;
    return new Date(long.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

import * as der from "./der";

/** A certificate's subject, with the property names of the Pulumi package. */
export interface Subject {
    readonly commonName?: string;
    readonly country?: string;
    readonly emailAddress?: string;
    readonly locality?: string;
    readonly organization?: string;
    readonly organizationalUnit?: string;
    readonly postalCode?: string;
    readonly province?: string;
    readonly serialNumber?: string;
    readonly streetAddresses?: readonly string[];
}

// In the order in which Go writes them.
const attributes = [
    { oid: "2.5.4.6", label: "C", property: "country" },
    { oid: "2.5.4.10", label: "O", property: "organization" },
    { oid: "2.5.4.11", label: "OU", property: "organizationalUnit" },
    { oid: "2.5.4.7", label: "L", property: "locality" },
    { oid: "2.5.4.8", label: "ST", property: "province" },
    { oid: "2.5.4.9", label: "STREET", property: "streetAddresses" },
    { oid: "2.5.4.17", label: "POSTALCODE", property: "postalCode" },
    { oid: "2.5.4.3", label: "CN", property: "commonName" },
    { oid: "2.5.4.5", label: "SERIALNUMBER", property: "serialNumber" },
] as const;

const emailOid = "1.2.840.113549.1.9.1";

interface Attribute {
    readonly oid: string;
    readonly value: der.Element;
}

function encodeRdn(oid: string, values: readonly Buffer[]): Buffer {
    return der.set(...values.map((value) => der.sequence(der.oid(oid), value)));
}

function encodeKnown(values: ReadonlyMap<string, readonly string[]>): Buffer[] {
    return attributes.flatMap(({ oid, property }) => {
        const texts = (values.get(oid) ?? []).filter(
            // These two are single strings to Go, for which empty means absent.
            (text) => text !== "" || (property !== "commonName" && property !== "serialNumber"),
        );
        return texts.length > 0 ? [encodeRdn(oid, texts.map(der.text))] : [];
    });
}

export function encodeSubject(subject: Subject): Buffer {
    const values = new Map<string, readonly string[]>();
    for (const { oid, property } of attributes) {
        const value = subject[property];
        if (value !== undefined) {
            values.set(oid, typeof value === "string" ? [value] : value);
        }
    }
    const email =
        subject.emailAddress === undefined
            ? []
            : [encodeRdn(emailOid, [der.tagged(der.tags.ia5String, Buffer.from(subject.emailAddress))])];
    return der.sequence(...encodeKnown(values), ...email);
}

function attributesOf(name: Buffer): Attribute[] {
    return der
        .members(der.read(name))
        .flatMap((rdn) => der.members(rdn))
        .map((attribute) => {
            const [type, value] = der.members(attribute);
            return { oid: der.readOid(type), value: value! };
        });
}

/** The name of a request as the official plugin carries it over to a certificate: the well-known attributes only. */
export function normalizedSubject(name: Buffer): Buffer {
    const values = new Map<string, string[]>();
    for (const { oid, value } of attributesOf(name)) {
        values.set(oid, [...(values.get(oid) ?? []), value.content.toString("utf8")]);
    }
    for (const single of ["2.5.4.3", "2.5.4.5"]) {
        const last = values.get(single)?.at(-1);
        if (last !== undefined) {
            values.set(single, [last]);
        }
    }
    return der.sequence(...encodeKnown(values));
}

function escape(text: string): string {
    return text
        .replace(/[,+"\\<>;]/g, "\\$&")
        .replace(/^[ #]/, "\\$&")
        .replace(/(?<!\\) $/, "\\ ");
}

/** The name as Go prints it: RFC 2253, last attribute first. */
export function formatName(name: Buffer): string {
    const found = attributesOf(name);
    const known = attributes.flatMap(({ oid, label }) => {
        const values = found.filter((attribute) => attribute.oid === oid);
        const texts = values.map(({ value }) => `${label}=${escape(value.content.toString("utf8"))}`);
        return texts.length > 0 ? [texts.join("+")] : [];
    });
    const others = found
        .filter(({ oid }) => !attributes.some((attribute) => attribute.oid === oid))
        .map(({ oid, value }) => `${oid}=#${value.whole.toString("hex")}`);
    return [...others, ...known].reverse().join(",");
}

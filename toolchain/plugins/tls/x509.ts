import * as crypto from "node:crypto";
import * as net from "node:net";
import { pem } from "../common/openssh";
import * as der from "./der";
import { decodePem } from "./keys";
import { formatName, normalizedSubject } from "./names";

const keyUsageBits = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "cert_signing",
    "crl_signing",
    "encipher_only",
    "decipher_only",
];

const extendedKeyUsages: Readonly<Record<string, string>> = {
    any_extended: "2.5.29.37.0",
    server_auth: "1.3.6.1.5.5.7.3.1",
    client_auth: "1.3.6.1.5.5.7.3.2",
    code_signing: "1.3.6.1.5.5.7.3.3",
    email_protection: "1.3.6.1.5.5.7.3.4",
    ipsec_end_system: "1.3.6.1.5.5.7.3.5",
    ipsec_tunnel: "1.3.6.1.5.5.7.3.6",
    ipsec_user: "1.3.6.1.5.5.7.3.7",
    timestamping: "1.3.6.1.5.5.7.3.8",
    ocsp_signing: "1.3.6.1.5.5.7.3.9",
    microsoft_server_gated_crypto: "1.3.6.1.4.1.311.10.3.3",
    netscape_server_gated_crypto: "2.16.840.1.113730.4.1",
    microsoft_commercial_code_signing: "1.3.6.1.4.1.311.2.1.22",
    microsoft_kernel_code_signing: "1.3.6.1.4.1.311.61.1.1",
};

export const supportedUses: readonly string[] = [...keyUsageBits, ...Object.keys(extendedKeyUsages)].sort();

const extensionOids = {
    subjectKeyId: "2.5.29.14",
    keyUsage: "2.5.29.15",
    subjectAltName: "2.5.29.17",
    basicConstraints: "2.5.29.19",
    authorityKeyId: "2.5.29.35",
    extendedKeyUsage: "2.5.29.37",
};
const extensionRequestOid = "1.2.840.113549.1.9.14";

export interface AlternativeNames {
    readonly dnsNames: readonly string[];
    readonly ipAddresses: readonly Buffer[];
    readonly uris: readonly string[];
}

/** An address as certificates hold it: 4 bytes, or 16. */
export function parseIpAddress(text: string): Buffer {
    const version = net.isIP(text);
    if (version === 0 || text.includes("%")) {
        throw new Error(`Invalid IP address: Failed to parse ${JSON.stringify(text)}`);
    }
    if (version === 4) {
        return Buffer.from(text.split(".").map(Number));
    }
    // The URL parser writes an IPv6 address in its canonical form, in hexadecimal throughout.
    const [head, tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split("::") as [string, string?];
    const groups = (part: string | undefined) => (part ? part.split(":") : []);
    const [before, after] = [groups(head), groups(tail)];
    const zeros = Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => "0");
    const bytes = Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join(""), "hex");
    const isMapped = bytes.subarray(0, 12).equals(Buffer.from("00000000000000000000ffff", "hex"));
    return isMapped ? bytes.subarray(12) : bytes;
}

function ascii(text: string): Buffer {
    if (!/^[\x00-\x7f]*$/.test(text)) {
        throw new Error(`x509: ${JSON.stringify(text)} cannot be encoded as an IA5String`);
    }
    return Buffer.from(text);
}

function alternativeNamesExtension(names: AlternativeNames, critical: boolean): Buffer[] {
    const encoded = [
        ...names.dnsNames.map((name) => der.tagged(0x82, ascii(name))),
        ...names.ipAddresses.map((address) => der.tagged(0x87, address)),
        ...names.uris.map((uri) => der.tagged(0x86, ascii(uri))),
    ];
    return encoded.length > 0 ? [extension(extensionOids.subjectAltName, critical, der.sequence(...encoded))] : [];
}

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
    return der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value));
}

function keyUsageExtension(uses: readonly string[]): Buffer[] {
    const bits = keyUsageBits.flatMap((use, bit) => (uses.includes(use) ? [bit] : []));
    const highest = bits.at(-1);
    if (highest === undefined) {
        return [];
    }
    const bytes = Buffer.alloc(highest < 8 ? 1 : 2);
    bits.forEach((bit) => (bytes[bit >> 3]! |= 0x80 >> (bit & 7)));
    return [extension(extensionOids.keyUsage, true, der.bitString(bytes, 7 - (highest & 7)))];
}

function signatureAlgorithm(key: crypto.KeyObject): { digest: string | null; identifier: Buffer } {
    if (key.asymmetricKeyType === "rsa") {
        return { digest: "sha256", identifier: der.sequence(der.oid("1.2.840.113549.1.1.11"), der.nothing()) };
    }
    if (key.asymmetricKeyType === "ed25519") {
        return { digest: null, identifier: der.sequence(der.oid("1.3.101.112")) };
    }
    const [digest, arc] =
        { secp384r1: ["sha384", 3] as const, secp521r1: ["sha512", 4] as const }[
            key.asymmetricKeyDetails?.namedCurve ?? ""
        ] ?? (["sha256", 2] as const);
    return { digest, identifier: der.sequence(der.oid(`1.2.840.10045.4.3.${arc}`)) };
}

function signed(body: Buffer, key: crypto.KeyObject): Buffer {
    const { digest, identifier } = signatureAlgorithm(key);
    return der.sequence(body, identifier, der.bitString(crypto.sign(digest, body, key)));
}

function spkiOf(key: crypto.KeyObject): Buffer {
    const publicKey = key.type === "private" ? crypto.createPublicKey(key) : key;
    return publicKey.export({ type: "spki", format: "der" });
}

/** SHA-1 of the public key, hashed as the official plugin does (for Ed25519: of the key wrapped as an OCTET STRING). */
function subjectKeyId(spki: Buffer): Buffer {
    const [algorithm, bits] = der.members(der.read(spki));
    const content = bits!.content.subarray(1);
    const isEd25519 = der.readOid(der.members(algorithm)[0]) === "1.3.101.112";
    return crypto
        .createHash("sha1")
        .update(isEd25519 ? der.octetString(content) : content)
        .digest();
}

const emptyName = der.sequence();

export interface RequestContent extends AlternativeNames {
    /** DER of the subject. */
    readonly subject: Buffer;
}

export function createRequest(content: RequestContent, key: crypto.KeyObject): Buffer {
    const names = alternativeNamesExtension(content, content.subject.equals(emptyName));
    const attributes =
        names.length > 0 ? [der.sequence(der.oid(extensionRequestOid), der.set(der.sequence(...names)))] : [];
    return signed(der.sequence(der.integer(0), content.subject, spkiOf(key), der.tagged(0xa0, ...attributes)), key);
}

export interface ParsedRequest extends RequestContent {
    readonly spki: Buffer;
}

function decodeExpected(text: string, label: string): Buffer {
    const block = decodePem(text);
    if (block === undefined) {
        throw new Error(`failed to decode PEM of expected type "${label}" from bytes`);
    }
    if (block.label !== label) {
        throw new Error(`invalid PEM type - expected "${label}", got "${block.label}"`);
    }
    return block.bytes;
}

interface Extension {
    readonly oid: string;
    readonly value: Buffer;
}

function readExtensions(list: der.Element | undefined): Extension[] {
    return (list ? der.members(list) : []).map((element) => {
        const parts = der.members(element);
        return { oid: der.readOid(parts[0]), value: parts.at(-1)!.content };
    });
}

export function parseRequest(text: string): ParsedRequest {
    const bytes = decodeExpected(text, "CERTIFICATE REQUEST");
    try {
        const [, subject, spki, attributes] = der.members(der.members(der.read(bytes))[0]);
        const extensions = der
            .members(attributes)
            .map((attribute) => der.members(attribute))
            .filter(([type]) => der.readOid(type) === extensionRequestOid)
            .flatMap(([, values]) => readExtensions(der.members(values)[0]));
        const names = extensions.find(({ oid }) => oid === extensionOids.subjectAltName);
        const general = names ? der.members(der.read(names.value)) : [];
        const ofTag = (tag: number) => general.filter((name) => name.tag === tag).map((name) => name.content);
        return {
            subject: normalizedSubject(subject!.whole),
            spki: spki!.whole,
            dnsNames: ofTag(0x82).map(String),
            ipAddresses: ofTag(0x87),
            uris: ofTag(0x86).map(String),
        };
    } catch (error) {
        throw new Error(`failed to parse certificate request: ${(error as Error).message}`);
    }
}

export interface Issuer {
    readonly key: crypto.KeyObject;
    /** DER of the issuer's name. */
    readonly name: Buffer;
    readonly keyId?: Buffer;
}

export interface CertificateContent extends RequestContent {
    readonly spki: Buffer;
    readonly uses: readonly string[];
    readonly isCa: boolean;
    readonly maxPathLength?: number;
    readonly setSubjectKeyId: boolean;
    readonly setAuthorityKeyId: boolean;
    readonly validityHours: number;
}

export interface IssuedCertificate {
    readonly id: string;
    readonly pem: string;
    readonly notBefore: Date;
    readonly notAfter: Date;
}

const hour = 3_600_000;

/** Issues a certificate; without an issuer, `key` signs its own. */
export function issue(
    content: CertificateContent,
    signer: Issuer | { readonly key: crypto.KeyObject },
): IssuedCertificate {
    if (content.isCa && content.subject.equals(emptyName)) {
        throw new Error(
            "Invalid Certificate Subject: Must contain at least one Distinguished Name when creating Certificate Authority (CA)",
        );
    }
    if (!content.isCa && (content.maxPathLength ?? 0) > 0) {
        throw new Error("Failed to create certificate: x509: only CAs are allowed to specify MaxPathLen");
    }
    const ownKeyId = content.isCa || content.setSubjectKeyId ? subjectKeyId(content.spki) : undefined;
    const issuer = "name" in signer ? signer : { key: signer.key, name: content.subject, keyId: ownKeyId };
    if (content.setAuthorityKeyId && issuer.keyId === undefined) {
        throw new Error("Invalid Certificate Authority: Could not determine Authority Key Identifier");
    }
    const named = !issuer.name.equals(content.subject) || content.setAuthorityKeyId;
    const authorityKeyId = named ? issuer.keyId : undefined;

    const purposes = content.uses.flatMap((use) => (extendedKeyUsages[use] ? [der.oid(extendedKeyUsages[use])] : []));
    // Like the official plugin, a path length of 0 is taken for "not given".
    const pathLength = content.isCa && (content.maxPathLength ?? 0) > 0 ? [der.integer(content.maxPathLength!)] : [];
    const extensions = [
        ...keyUsageExtension(content.uses),
        ...(purposes.length > 0 ? [extension(extensionOids.extendedKeyUsage, false, der.sequence(...purposes))] : []),
        extension(
            extensionOids.basicConstraints,
            true,
            der.sequence(...(content.isCa ? [der.boolean(true)] : []), ...pathLength),
        ),
        ...(ownKeyId ? [extension(extensionOids.subjectKeyId, false, der.octetString(ownKeyId))] : []),
        ...(authorityKeyId
            ? [extension(extensionOids.authorityKeyId, false, der.sequence(der.tagged(0x80, authorityKeyId)))]
            : []),
        ...alternativeNamesExtension(content, content.subject.equals(emptyName)),
    ];

    const serial = BigInt(`0x${crypto.randomBytes(16).toString("hex")}`);
    const notBefore = new Date();
    const notAfter = new Date(notBefore.getTime() + content.validityHours * hour);
    const body = der.sequence(
        der.tagged(0xa0, der.integer(2)),
        der.integer(serial),
        signatureAlgorithm(issuer.key).identifier,
        issuer.name,
        der.sequence(der.time(notBefore), der.time(notAfter)),
        content.subject,
        content.spki,
        der.tagged(0xa3, der.sequence(...extensions)),
    );
    return { id: serial.toString(), pem: pem("CERTIFICATE", signed(body, issuer.key)), notBefore, notAfter };
}

export interface ParsedCertificate {
    readonly der: Buffer;
    readonly subject: Buffer;
    readonly issuer: Buffer;
    readonly spki: Buffer;
    readonly serial: bigint;
    readonly version: number;
    readonly signatureOid: string;
    readonly notBefore: Date;
    readonly notAfter: Date;
    readonly isCa: boolean;
    readonly maxPathLength: number;
    readonly subjectKeyId?: Buffer;
}

export function parseCertificateDer(bytes: Buffer): ParsedCertificate {
    const [body, algorithm] = der.members(der.read(bytes));
    const parts = der.members(body);
    const versioned = parts[0]?.tag === 0xa0;
    const version = versioned ? Number(der.readInteger(der.members(parts[0])[0])) + 1 : 1;
    const [serial, , issuer, validity, subject, spki, ...optional] = versioned ? parts.slice(1) : parts;
    const [notBefore, notAfter] = der.members(validity);
    const list = optional.find((element) => element.tag === 0xa3);
    const extensions = readExtensions(list ? der.members(list)[0] : undefined);
    const value = (oid: string) => extensions.find((found) => found.oid === oid)?.value;

    const constraints = value(extensionOids.basicConstraints);
    const constraintParts = constraints ? der.members(der.read(constraints)) : [];
    const pathLength = constraintParts.find((part) => part.tag === der.tags.integer);
    const keyId = value(extensionOids.subjectKeyId);
    return {
        der: bytes,
        subject: subject!.whole,
        issuer: issuer!.whole,
        spki: spki!.whole,
        serial: der.readInteger(serial),
        version,
        signatureOid: der.readOid(der.members(algorithm)[0]),
        notBefore: der.readTime(notBefore),
        notAfter: der.readTime(notAfter),
        isCa: constraintParts.some((part) => part.tag === der.tags.boolean && part.content[0] !== 0),
        maxPathLength: pathLength ? Number(der.readInteger(pathLength)) : constraints ? -1 : 0,
        subjectKeyId: keyId ? der.read(keyId).content : undefined,
    };
}

export function parseCertificate(text: string): ParsedCertificate {
    const bytes = decodeExpected(text, "CERTIFICATE");
    try {
        return parseCertificateDer(bytes);
    } catch (error) {
        throw new Error(`failed to parse certificate: ${(error as Error).message}`);
    }
}

/** An authority to issue with; its certificate and key must belong together. */
export function issuerOf(certificate: ParsedCertificate, key: crypto.KeyObject): Issuer {
    if (!spkiOf(key).equals(certificate.spki)) {
        throw new Error("Failed to create certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
    }
    return { key, name: certificate.subject, keyId: certificate.subjectKeyId };
}

export function publicKeyInfo(key: crypto.KeyObject): Buffer {
    return spkiOf(key);
}

// As Go names them.
const signatureNames: Readonly<Record<string, string>> = {
    "1.2.840.113549.1.1.4": "MD5-RSA",
    "1.2.840.113549.1.1.5": "SHA1-RSA",
    "1.2.840.113549.1.1.10": "SHA256-RSAPSS",
    "1.2.840.113549.1.1.11": "SHA256-RSA",
    "1.2.840.113549.1.1.12": "SHA384-RSA",
    "1.2.840.113549.1.1.13": "SHA512-RSA",
    "1.2.840.10045.4.1": "ECDSA-SHA1",
    "1.2.840.10045.4.3.2": "ECDSA-SHA256",
    "1.2.840.10045.4.3.3": "ECDSA-SHA384",
    "1.2.840.10045.4.3.4": "ECDSA-SHA512",
    "1.3.101.112": "Ed25519",
};
const keyNames: Readonly<Record<string, string>> = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.10045.2.1": "ECDSA",
    "1.3.101.112": "Ed25519",
};

/** What the function `getCertificate` tells about a certificate. */
export function describe(certificate: ParsedCertificate) {
    const keyOid = der.readOid(der.members(der.members(der.read(certificate.spki))[0])[0]);
    const seconds = (date: Date) => date.toISOString().replace(/\.\d+Z$/, "Z");
    return {
        signatureAlgorithm: signatureNames[certificate.signatureOid] ?? "0",
        publicKeyAlgorithm: keyNames[keyOid] ?? "0",
        serialNumber: certificate.serial.toString(),
        isCa: certificate.isCa,
        maxPathLength: certificate.maxPathLength,
        version: certificate.version,
        issuer: formatName(certificate.issuer),
        subject: formatName(certificate.subject),
        notBefore: seconds(certificate.notBefore),
        notAfter: seconds(certificate.notAfter),
        sha1Fingerprint: crypto.createHash("sha1").update(certificate.der).digest("hex"),
        certPem: pem("CERTIFICATE", certificate.der),
    };
}

import * as crypto from "node:crypto";
import { promisify } from "node:util";
import { marshalOpenSsh, openSshPublicKey, pem, supportsOpenSsh } from "../common/openssh";

export const algorithms = ["RSA", "ECDSA", "ED25519"] as const;
export type Algorithm = (typeof algorithms)[number];

export const curves = ["P224", "P256", "P384", "P521"] as const;
export type Curve = (typeof curves)[number];

const openSslCurves: Record<Curve, string> = {
    P224: "secp224r1",
    P256: "prime256v1",
    P384: "secp384r1",
    P521: "secp521r1",
};

const generateKeyPair = promisify(crypto.generateKeyPair);
const smallestRsa = 1024;

export async function generateKey(algorithm: Algorithm, rsaBits: number, curve: Curve): Promise<crypto.KeyObject> {
    switch (algorithm) {
        case "RSA":
            if (rsaBits < smallestRsa) {
                throw new Error(`Unable to generate Key from configuration: ${rsaBits}-bit RSA keys are insecure`);
            }
            return (await generateKeyPair("rsa", { modulusLength: rsaBits })).privateKey;
        case "ECDSA":
            return (await generateKeyPair("ec", { namedCurve: openSslCurves[curve] })).privateKey;
        case "ED25519":
            return (await generateKeyPair("ed25519")).privateKey;
    }
}

export function algorithmOf(key: crypto.KeyObject): Algorithm {
    switch (key.asymmetricKeyType) {
        case "rsa":
            return "RSA";
        case "ec":
            return "ECDSA";
        case "ed25519":
            return "ED25519";
        default:
            throw new Error(`unsupported private key type: ${key.asymmetricKeyType ?? "unknown"}`);
    }
}

/** The first PEM block of a text. */
export function decodePem(text: string): { label: string; bytes: Buffer } | undefined {
    const found = /-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]+?)-----END \1-----/.exec(text);
    return found ? { label: found[1]!, bytes: Buffer.from(found[2]!, "base64") } : undefined;
}

const keyLabels = ["RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY"];

/** Reads a private key in PEM. Its text stays out of every error. */
export function parsePrivateKey(text: string): crypto.KeyObject {
    const block = decodePem(text);
    if (block === undefined) {
        throw new Error(`failed to decode PEM block: decoded bytes 0, undecoded ${Buffer.byteLength(text)}`);
    }
    if (!keyLabels.includes(block.label)) {
        throw new Error(`unsupported PEM preamble/type: ${block.label}`);
    }
    let key: crypto.KeyObject;
    try {
        key = crypto.createPrivateKey(pem(block.label, block.bytes));
    } catch {
        throw new Error(`failed to parse private key given PEM preamble '${block.label}'`);
    }
    algorithmOf(key);
    return key;
}

export interface PublicKeyOutputs {
    readonly id: string;
    readonly publicKeyPem: string;
    readonly publicKeyOpenssh: string;
    readonly publicKeyFingerprintMd5: string;
    readonly publicKeyFingerprintSha256: string;
}

export function publicKeyOutputs(key: crypto.KeyObject): PublicKeyOutputs {
    const publicKey = crypto.createPublicKey(key);
    const spki = publicKey.export({ type: "spki", format: "der" });
    const openSsh = openSshPublicKey(publicKey);
    return {
        id: crypto.createHash("sha1").update(spki).digest("hex"),
        publicKeyPem: pem("PUBLIC KEY", spki),
        publicKeyOpenssh: openSsh?.authorizedKey ?? "",
        publicKeyFingerprintMd5: openSsh?.fingerprintMd5 ?? "",
        publicKeyFingerprintSha256: openSsh?.fingerprintSha256 ?? "",
    };
}

export interface PrivateKeyOutputs {
    readonly privateKeyPem: string;
    readonly privateKeyPemPkcs8: string;
    readonly privateKeyOpenssh: string;
}

export function privateKeyOutputs(key: crypto.KeyObject): PrivateKeyOutputs {
    const pkcs8 = pem("PRIVATE KEY", key.export({ type: "pkcs8", format: "der" }));
    const traditional = {
        RSA: () => pem("RSA PRIVATE KEY", key.export({ type: "pkcs1", format: "der" })),
        ECDSA: () => pem("EC PRIVATE KEY", key.export({ type: "sec1", format: "der" })),
        ED25519: () => pkcs8,
    };
    return {
        privateKeyPem: traditional[algorithmOf(key)](),
        privateKeyPemPkcs8: pkcs8,
        privateKeyOpenssh: supportsOpenSsh(key) ? marshalOpenSsh(key) : "",
    };
}

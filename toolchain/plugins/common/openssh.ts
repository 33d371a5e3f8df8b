import * as crypto from "node:crypto";

// The names that OpenSSH gives to the curves of JSON Web Keys. It has none for P-224.
const curves: Record<string, string> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

function field(content: Buffer | string): Buffer {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
}

function integer(base64url: string): Buffer {
    const digits = Buffer.from(base64url, "base64url");
    const start = digits.findIndex((byte) => byte !== 0);
    const trimmed = start < 0 ? Buffer.alloc(0) : digits.subarray(start);
    // A set top bit would read as a negative number.
    return field(trimmed.length > 0 && trimmed[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed);
}

interface Parts {
    readonly type: string;
    readonly publicParts: Buffer;
    readonly privateParts: Buffer;
}

function parts(key: crypto.KeyObject): Parts | undefined {
    if (key.asymmetricKeyDetails?.namedCurve === "secp224r1") {
        return undefined;
    }
    const jwk = key.export({ format: "jwk" }) as Record<string, string>;
    const isPrivate = key.type === "private";
    if (jwk["kty"] === "RSA") {
        const [n, e] = [integer(jwk["n"]!), integer(jwk["e"]!)];
        return {
            type: "ssh-rsa",
            publicParts: Buffer.concat([e, n]),
            privateParts: isPrivate
                ? Buffer.concat([n, e, ...["d", "qi", "p", "q"].map((name) => integer(jwk[name]!))])
                : Buffer.alloc(0),
        };
    }
    if (jwk["kty"] === "EC" && curves[jwk["crv"]!] !== undefined) {
        const curve = curves[jwk["crv"]!]!;
        const point = Buffer.concat([
            Buffer.from([4]),
            Buffer.from(jwk["x"]!, "base64url"),
            Buffer.from(jwk["y"]!, "base64url"),
        ]);
        const publicParts = Buffer.concat([field(curve), field(point)]);
        return {
            type: `ecdsa-sha2-${curve}`,
            publicParts,
            privateParts: isPrivate ? Buffer.concat([publicParts, integer(jwk["d"]!)]) : Buffer.alloc(0),
        };
    }
    if (jwk["kty"] === "OKP" && jwk["crv"] === "Ed25519") {
        const publicKey = Buffer.from(jwk["x"]!, "base64url");
        return {
            type: "ssh-ed25519",
            publicParts: field(publicKey),
            privateParts: isPrivate
                ? Buffer.concat([
                      field(publicKey),
                      field(Buffer.concat([Buffer.from(jwk["d"]!, "base64url"), publicKey])),
                  ])
                : Buffer.alloc(0),
        };
    }
    return undefined;
}

function publicBlob({ type, publicParts }: Parts): Buffer {
    return Buffer.concat([field(type), publicParts]);
}

export interface OpenSshPublicKey {
    /** The line of an authorized_keys file, with its newline. */
    readonly authorizedKey: string;
    readonly fingerprintMd5: string;
    readonly fingerprintSha256: string;
}

/** The public key as OpenSSH writes it, or undefined for a key it does not support (P-224). */
export function openSshPublicKey(key: crypto.KeyObject): OpenSshPublicKey | undefined {
    const found = parts(key);
    if (found === undefined) {
        return undefined;
    }
    const blob = publicBlob(found);
    const hash = (algorithm: string) => crypto.createHash(algorithm).update(blob).digest();
    return {
        authorizedKey: `${found.type} ${blob.toString("base64")}\n`,
        fingerprintMd5: hash("md5").toString("hex").match(/../g)!.join(":"),
        fingerprintSha256: `SHA256:${hash("sha256").toString("base64").replace(/=+$/, "")}`,
    };
}

export function supportsOpenSsh(key: crypto.KeyObject): boolean {
    return parts(key) !== undefined;
}

/** The private key in OpenSSH's own format, not encrypted, without comment. */
export function marshalOpenSsh(key: crypto.KeyObject): string {
    const found = parts(key);
    if (found === undefined) {
        throw new Error("OpenSSH does not support this kind of key");
    }
    const check = crypto.randomBytes(4);
    let secretPart = Buffer.concat([check, check, field(found.type), found.privateParts, field("")]);
    const padding = (8 - (secretPart.length % 8)) % 8;
    secretPart = Buffer.concat([secretPart, Buffer.from(Array.from({ length: padding }, (_, index) => index + 1))]);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(1);
    const body = Buffer.concat([
        Buffer.from("openssh-key-v1\0"),
        field("none"),
        field("none"),
        field(""),
        count,
        field(publicBlob(found)),
        field(secretPart),
    ]);
    return pem("OPENSSH PRIVATE KEY", body);
}

export function pem(label: string, der: Buffer): string {
    const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
    return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

// RFC 4253 fields, for reading the format back.
class Fields {
    private offset = 0;
    constructor(private readonly bytes: Buffer) {}

    next(): Buffer {
        const length = this.number();
        return this.take(length);
    }

    number(): number {
        return this.take(4).readUInt32BE(0);
    }

    take(length: number): Buffer {
        if (this.offset + length > this.bytes.length) {
            throw new Error("truncated");
        }
        return this.bytes.subarray(this.offset, (this.offset += length));
    }
}

function base64url(bytes: Buffer): string {
    const start = bytes.findIndex((byte) => byte !== 0);
    return bytes.subarray(Math.max(start, 0)).toString("base64url");
}

/** Reads an unencrypted private key in OpenSSH's format. */
export function parseOpenSsh(text: string): crypto.KeyObject {
    const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END OPENSSH PRIVATE KEY-----/.exec(text)?.[1];
    if (body === undefined) {
        throw new Error("ssh: no key found");
    }
    const outer = new Fields(Buffer.from(body, "base64"));
    if (outer.take(15).toString("latin1") !== "openssh-key-v1\0") {
        throw new Error("ssh: invalid openssh private key format");
    }
    const cipher = outer.next().toString();
    outer.next();
    outer.next();
    outer.number();
    outer.next();
    if (cipher !== "none") {
        throw new Error("ssh: this private key is passphrase protected");
    }
    const inner = new Fields(outer.next());
    if (inner.number() !== inner.number()) {
        throw new Error("ssh: malformed OpenSSH key");
    }
    const type = inner.next().toString();
    const fromJwk = (jwk: Record<string, string>) => crypto.createPrivateKey({ key: jwk, format: "jwk" });
    if (type === "ssh-ed25519") {
        const publicKey = inner.next();
        const d = inner.next().subarray(0, 32);
        return fromJwk({ kty: "OKP", crv: "Ed25519", x: publicKey.toString("base64url"), d: d.toString("base64url") });
    }
    if (type === "ssh-rsa") {
        const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => inner.next()) as [
            Buffer,
            Buffer,
            Buffer,
            Buffer,
            Buffer,
            Buffer,
        ];
        const big = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex") || "0"}`);
        const encode = (value: bigint) => {
            const hex = value.toString(16);
            return Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex").toString("base64url");
        };
        return fromJwk({
            kty: "RSA",
            n: base64url(n),
            e: base64url(e),
            d: base64url(d),
            p: base64url(p),
            q: base64url(q),
            dp: encode(big(d) % (big(p) - 1n)),
            dq: encode(big(d) % (big(q) - 1n)),
            qi: base64url(qi),
        });
    }
    const curve = Object.entries(curves).find(([, name]) => type === `ecdsa-sha2-${name}`)?.[0];
    if (curve === undefined) {
        throw new Error(`ssh: unhandled key type ${type}`);
    }
    inner.next();
    const point = inner.next().subarray(1);
    const size = point.length / 2;
    const d = Buffer.concat([Buffer.alloc(size), inner.next()]).subarray(-size);
    return fromJwk({
        kty: "EC",
        crv: curve,
        x: point.subarray(0, size).toString("base64url"),
        y: point.subarray(size).toString("base64url"),
        d: d.toString("base64url"),
    });
}

import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

/** PEM texts of a server certificate and of the authority that signed it. */
export interface ServerCertificate {
    readonly key: string;
    readonly certificate: string;
    readonly authority: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3650;
/** Some clients refuse server certificates of more than 825 days. */
const SERVER_DAYS = 820;
const RENEW_BEFORE_DAYS = 30;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * The lab's own authority and server certificate, made on first use, renewed a month before they expire, kept in
 * `folder`. Only who is told to trusts the authority; it names loopback addresses only, never the real cloud.
 */
export async function ensureCertificate(folder: string, now = new Date()): Promise<ServerCertificate> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
    let authority = await load(join(folder, "ca"), now);
    let server = authority && (await load(join(folder, "server"), now));
    if (!authority) {
        authority = await makeAuthority(now);
        save(join(folder, "ca"), authority);
        server = undefined;
    }
    if (!server) {
        server = await makeServer(authority, now);
        save(join(folder, "server"), server);
    }
    return { key: server.keyPem, certificate: server.certificatePem, authority: authority.certificatePem };
}

interface Pair {
    readonly keyPem: string;
    readonly certificatePem: string;
}

async function load(stem: string, now: Date): Promise<Pair | undefined> {
    if (!existsSync(`${stem}.key`) || !existsSync(`${stem}.pem`)) return undefined;
    const pair = { keyPem: readFileSync(`${stem}.key`, "utf8"), certificatePem: readFileSync(`${stem}.pem`, "utf8") };
    const left = new x509.X509Certificate(pair.certificatePem).notAfter.getTime() - now.getTime();
    return left > RENEW_BEFORE_DAYS * DAY_MS ? pair : undefined;
}

function save(stem: string, pair: Pair): void {
    for (const [suffix, text, mode] of [
        ["key", pair.keyPem, 0o600],
        ["pem", pair.certificatePem, 0o644],
    ] as const) {
        writeFileSync(`${stem}.${suffix}.new`, text, { mode });
        renameSync(`${stem}.${suffix}.new`, `${stem}.${suffix}`);
    }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
    return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function pem(key: webcrypto.CryptoKey): Promise<string> {
    return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
    // A day back, for clients whose clock is behind.
    return { notBefore: new Date(now.getTime() - DAY_MS), notAfter: new Date(now.getTime() + days * DAY_MS) };
}

async function makeAuthority(now: Date): Promise<Pair> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        name: `CN=Lab of ${now.toISOString()}, O=Alibaba Cloud multi-host lab`,
        ...validity(now, AUTHORITY_DAYS),
        signingAlgorithm: algorithm,
        keys: keys as never,
        extensions: [
            new x509.BasicConstraintsExtension(true, 0, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
    });
    return { keyPem: await pem(keys.privateKey), certificatePem: certificate.toString("pem") };
}

async function makeServer(authority: Pair, now: Date): Promise<Pair> {
    const keys = await newKeys();
    const issuer = new x509.X509Certificate(authority.certificatePem);
    const signingKey = await webcrypto.subtle.importKey(
        "pkcs8",
        x509.PemConverter.decodeFirst(authority.keyPem),
        algorithm,
        false,
        ["sign"],
    );
    const certificate = await x509.X509CertificateGenerator.create({
        subject: "CN=localhost",
        issuer: issuer.subject,
        ...validity(now, SERVER_DAYS),
        signingAlgorithm: algorithm,
        publicKey: keys.publicKey as never,
        signingKey: signingKey as never,
        extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
            new x509.SubjectAlternativeNameExtension([
                { type: "ip", value: "127.0.0.1" },
                { type: "ip", value: "::1" },
                { type: "dns", value: "localhost" },
                { type: "dns", value: "*.localhost" },
            ]),
            await x509.AuthorityKeyIdentifierExtension.create(issuer),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
    });
    return { keyPem: await pem(keys.privateKey), certificatePem: certificate.toString("pem") };
}

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as tls from "node:tls";
import { commandPlugin } from "../../../toolchain/plugins/command/plugin";
import { Secret, UNKNOWN, Unknown, type Value, type ValueMap } from "../../../toolchain/plugins/common/values";
import { tlsPlugin } from "../../../toolchain/plugins/tls/plugin";
import { failureOf, ProviderUnderTest } from "./support/provider";
import { currentUser, freePort, Sshd, temporaryFolder } from "./support/sshd";

const types = {
    key: "tls:index/privateKey:PrivateKey",
    request: "tls:index/certRequest:CertRequest",
    selfSigned: "tls:index/selfSignedCert:SelfSignedCert",
    signed: "tls:index/locallySignedCert:LocallySignedCert",
};

let folder: string;
let provider: ProviderUnderTest;

function text(value: Value | undefined): string {
    return (value instanceof Secret ? value.value : value) as string;
}

let files = 0;
function file(content: string): string {
    const name = path.join(folder, `file-${files++}`);
    fs.writeFileSync(name, content, { mode: 0o600 });
    return name;
}

function openssl(...args: string[]): string {
    return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function keygen(...args: string[]): string {
    return execFileSync("ssh-keygen", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

async function makeKey(inputs: ValueMap): Promise<ValueMap> {
    return (await provider.create(types.key, inputs)).outputs;
}

/** An authority, and what it takes to sign with it. */
async function makeAuthority(inputs: ValueMap = {}) {
    const key = text((await makeKey({ algorithm: "ECDSA", ecdsaCurve: "P256" }))["privateKeyPem"]);
    const { outputs } = await provider.create(types.selfSigned, {
        privateKeyPem: key,
        subject: { commonName: "Test CA", organization: "Example & Co" },
        allowedUses: ["cert_signing", "crl_signing"],
        validityPeriodHours: 24,
        isCaCertificate: true,
        ...inputs,
    });
    return { caPrivateKeyPem: key, caCertPem: text(outputs["certPem"]) };
}

beforeAll(async () => {
    folder = temporaryFolder();
    provider = await ProviderUnderTest.start(tlsPlugin());
});

afterAll(async () => {
    await provider.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

describe("PrivateKey", () => {
    it.each<[string, ValueMap, string]>([
        ["RSA", { algorithm: "RSA" }, "2048 "],
        ["RSA of 3072 bits", { algorithm: "RSA", rsaBits: 3072 }, "3072 "],
        ["P-256", { algorithm: "ECDSA", ecdsaCurve: "P256" }, "256 "],
        ["P-384", { algorithm: "ECDSA", ecdsaCurve: "P384" }, "384 "],
        ["P-521", { algorithm: "ECDSA", ecdsaCurve: "P521" }, "521 "],
        ["Ed25519", { algorithm: "ED25519" }, "256 "],
    ])("%s reads the same in all its formats by OpenSSL and OpenSSH", async (_, inputs, bits) => {
        const key = await makeKey(inputs);
        const publicPem = text(key["publicKeyPem"]);
        for (const format of ["privateKeyPem", "privateKeyPemPkcs8"]) {
            expect(openssl("pkey", "-in", file(text(key[format])), "-pubout")).toBe(publicPem);
        }
        const openSsh = file(text(key["privateKeyOpenssh"]));
        const authorized = text(key["publicKeyOpenssh"]);
        expect(`${keygen("-y", "-f", openSsh)}\n`).toBe(authorized);
        const publicFile = file(authorized);
        const sha256 = keygen("-l", "-E", "sha256", "-f", publicFile);
        expect(sha256.startsWith(bits)).toBe(true);
        expect(sha256.split(" ")[1]).toBe(key["publicKeyFingerprintSha256"]);
        expect(keygen("-l", "-E", "md5", "-f", publicFile).split(" ")[1]).toBe(
            `MD5:${text(key["publicKeyFingerprintMd5"])}`,
        );
        expect(key["id"]).toMatch(/^[0-9a-f]{40}$/);
    });

    it("of the curve P-224, the default, has no OpenSSH formats", async () => {
        const key = await makeKey({ algorithm: "ECDSA" });
        expect(openssl("pkey", "-in", file(text(key["privateKeyPem"])), "-pubout")).toBe(key["publicKeyPem"]);
        const none = ["privateKeyOpenssh", "publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256"];
        expect(none.map((name) => text(key[name]))).toEqual(["", "", "", ""]);
    });

    it("has the official outputs: private parts secret, defaults filled in", async () => {
        const { id, outputs } = await provider.create(types.key, { algorithm: "ED25519" });
        const secrets = Object.keys(outputs).filter((name) => outputs[name] instanceof Secret);
        expect(secrets.sort()).toEqual(["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"]);
        expect(outputs).toMatchObject({ id, algorithm: "ED25519", rsaBits: 2048, ecdsaCurve: "P224" });
        expect(outputs["__meta"]).toBe('{"schema_version":"1"}');
        expect(text(outputs["privateKeyPem"])).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    });

    it("logs in to a real SSH server", async () => {
        const key = await makeKey({ algorithm: "ED25519" });
        const sshd = await Sshd.start(folder, [text(key["publicKeyOpenssh"])]);
        const command = await ProviderUnderTest.start(commandPlugin());
        try {
            for (const format of ["privateKeyOpenssh", "privateKeyPem"]) {
                const connection = {
                    ...{ host: "127.0.0.1", port: sshd.port, user: currentUser, dialErrorLimit: 0 },
                    privateKey: text(key[format]),
                };
                const { outputs } = await command.create("command:remote:Command", { connection, create: "echo in" });
                expect(outputs["stdout"]).toBe("in");
            }
        } finally {
            await command.stop();
            await sshd.stop();
        }
    });

    it("refuses what the official plugin refuses", async () => {
        const { failures } = await provider.check(types.key, { algorithm: "DSA", ecdsaCurve: "P257", rsaBits: 1.5 });
        expect(failures).toEqual([
            'algorithm: Invalid Attribute Value Match. Attribute algorithm value must be one of: ["RSA" "ECDSA" "ED25519"], got: "DSA"',
            'ecdsaCurve: Invalid Attribute Value Match. Attribute ecdsaCurve value must be one of: ["P224" "P256" "P384" "P521"], got: "P257"',
            "rsaBits: 'rsaBits' must be of type integer, got number",
        ]);
        expect((await provider.check(types.key, {})).failures).toEqual([
            "algorithm: missing required property 'algorithm'",
        ]);
        expect(await failureOf(makeKey({ algorithm: "RSA", rsaBits: 512 }))).toContain("insecure");
    });

    it("is replaced by any change, and by none that only spells out a default", async () => {
        const { outputs, inputs } = await provider.create(types.key, { algorithm: "RSA" });
        const diff = (news: ValueMap) => provider.diff(types.key, outputs, inputs, news);
        expect((await diff({ algorithm: "RSA", rsaBits: 2048, ecdsaCurve: "P224" })).changed).toBe(false);
        expect(await diff({ algorithm: "RSA", rsaBits: 4096 })).toEqual({
            changed: true,
            replaces: ["rsaBits"],
            details: { rsaBits: "UPDATE_REPLACE" },
        });
        expect((await diff({ algorithm: "ED25519" })).replaces).toEqual(["algorithm"]);
    });

    it("is unknown in a preview", async () => {
        const { outputs } = await provider.create(types.key, { algorithm: "RSA" }, { preview: true });
        expect(outputs["rsaBits"]).toBe(2048);
        expect(outputs["publicKeyPem"]).toBeInstanceOf(Unknown);
        expect((outputs["privateKeyPem"] as Secret).value).toBeInstanceOf(Unknown);
    });
});

describe("SelfSignedCert", () => {
    it("verifies, and carries subject, names, uses and key identifiers", async () => {
        const key = text((await makeKey({ algorithm: "RSA" }))["privateKeyPem"]);
        const { id, outputs } = await provider.create(types.selfSigned, {
            privateKeyPem: key,
            subject: {
                commonName: "*.example.test",
                organization: "Example",
                country: "CN",
                streetAddresses: ["Two", "One"],
                serialNumber: "42",
                emailAddress: "ops@example.test",
            },
            dnsNames: ["a.example.test", "*.example.test"],
            ipAddresses: ["10.0.0.1", "2001:db8::1:0", "::ffff:10.0.0.2"],
            uris: ["spiffe://example/a"],
            allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth", "decipher_only"],
            validityPeriodHours: 12,
            setSubjectKeyId: true,
            setAuthorityKeyId: true,
        });
        const certificate = file(text(outputs["certPem"]));
        expect(openssl("verify", "-CAfile", certificate, certificate)).toContain("OK");
        const shown = openssl("x509", "-in", certificate, "-noout", "-text", "-nameopt", "RFC2253");
        expect(shown).toContain("CN=*.example.test");
        expect(shown).toContain("Version: 3");
        expect(shown).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment, Decipher Only/);
        expect(shown).toContain("TLS Web Server Authentication, TLS Web Client Authentication");
        expect(shown).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
        expect(shown).toContain(
            "DNS:a.example.test, DNS:*.example.test, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:1:0, IP Address:10.0.0.2, URI:spiffe://example/a",
        );
        expect(shown).toContain("Subject Key Identifier");
        expect(shown).toContain("Authority Key Identifier");
        expect(openssl("x509", "-in", certificate, "-noout", "-subject", "-nameopt", "compat")).toContain(
            "emailAddress",
        );
        const serial = openssl("x509", "-in", certificate, "-noout", "-serial").trim().split("=")[1]!;
        expect(BigInt(`0x${serial}`).toString()).toBe(id);
        expect(outputs).toMatchObject({
            keyAlgorithm: "RSA",
            readyForRenewal: false,
            earlyRenewalHours: 0,
            isCaCertificate: false,
        });
        expect(outputs["maxPathLength"]).toBeUndefined();
        const hours = Date.parse(text(outputs["validityEndTime"])) - Date.parse(text(outputs["validityStartTime"]));
        expect(hours).toBe(12 * 3_600_000);
    });

    it.each(["P224", "P256", "P384", "P521"])("signs with an ECDSA key on %s", async (ecdsaCurve) => {
        const key = text((await makeKey({ algorithm: "ECDSA", ecdsaCurve }))["privateKeyPem"]);
        const inputs = { privateKeyPem: key, allowedUses: [], validityPeriodHours: 1, dnsNames: ["only.a.name"] };
        const certificate = file(text((await provider.create(types.selfSigned, inputs)).outputs["certPem"]));
        expect(openssl("verify", "-CAfile", certificate, certificate)).toContain("OK");
        // Without a subject, the names must be marked critical.
        expect(openssl("x509", "-in", certificate, "-noout", "-text")).toContain("Alternative Name: critical");
    });

    it("refuses an authority without a name, an unknown use, no key, two keys", async () => {
        const unnamed = makeAuthority({ subject: {} });
        expect(await failureOf(unnamed)).toContain("Must contain at least one Distinguished Name");
        const { failures } = await provider.check(types.selfSigned, {
            allowedUses: ["everything"],
            validityPeriodHours: -1,
            subject: { name: "x" },
        });
        const properties = failures.map((failure) => failure.split(":")[0]).sort();
        expect(properties).toEqual(["allowedUses[0]", "privateKeyPem", "subject.name", "validityPeriodHours"]);
        const both = { privateKeyPem: "a", privateKeyPemWo: "b", allowedUses: [], validityPeriodHours: 1 };
        expect((await provider.check(types.selfSigned, both)).failures[0]).toContain("one (and only one)");
        const wrong = { privateKeyPem: "not a key", allowedUses: [], validityPeriodHours: 1 };
        expect(await failureOf(provider.create(types.selfSigned, wrong))).toMatch(
            /^Failed to parse private key PEM: failed to decode/,
        );
        expect(await failureOf(makeAuthority({ isCaCertificate: false, setAuthorityKeyId: true }))).toContain(
            "Could not determine Authority Key Identifier",
        );
        expect(await failureOf(makeAuthority({ isCaCertificate: false, maxPathLength: 1 }))).toContain(
            "only CAs are allowed",
        );
    });

    it("keeps a write-only key out of the state", async () => {
        const key = text((await makeKey({ algorithm: "ED25519" }))["privateKeyPem"]);
        const given = { privateKeyPemWo: key, privateKeyPemWoVersion: 1, allowedUses: [], validityPeriodHours: 1 };
        const { outputs, inputs } = await provider.create(types.selfSigned, given);
        expect(JSON.stringify(outputs)).not.toContain("PRIVATE KEY");
        const same = await provider.diff(types.selfSigned, outputs, inputs, { ...given, privateKeyPemWo: "other" });
        expect(same.changed).toBe(false);
        const rotated = await provider.diff(types.selfSigned, outputs, inputs, { ...given, privateKeyPemWoVersion: 2 });
        expect(rotated.replaces).toEqual(["privateKeyPemWoVersion"]);
    });
});

describe("CertRequest and LocallySignedCert", () => {
    it("make a certificate that verifies against its authority, for a server that clients trust", async () => {
        const authority = await makeAuthority({ maxPathLength: 1 });
        expect(openssl("x509", "-in", file(authority.caCertPem), "-noout", "-text")).toMatch(
            /Basic Constraints: critical\s+CA:TRUE, pathlen:1/,
        );
        const key = text((await makeKey({ algorithm: "ED25519" }))["privateKeyPem"]);
        const { outputs: request } = await provider.create(types.request, {
            privateKeyPem: key,
            subject: { commonName: "node-1", emailAddress: "dropped@example.test" },
            dnsNames: ["localhost"],
            ipAddresses: ["127.0.0.1"],
        });
        expect(request["keyAlgorithm"]).toBe("ED25519");
        expect(request["privateKeyPem"]).toBeInstanceOf(Secret);
        const requestPem = text(request["certRequestPem"]);
        openssl("req", "-in", file(requestPem), "-noout", "-verify");

        const { outputs } = await provider.create(types.signed, {
            ...authority,
            certRequestPem: requestPem,
            allowedUses: ["digital_signature", "server_auth"],
            validityPeriodHours: 1,
        });
        const certificate = text(outputs["certPem"]);
        expect(openssl("verify", "-x509_strict", "-CAfile", file(authority.caCertPem), file(certificate))).toContain(
            "OK",
        );
        const shown = openssl("x509", "-in", file(certificate), "-noout", "-text");
        expect(shown).toContain("DNS:localhost, IP Address:127.0.0.1");
        expect(shown).toContain("Authority Key Identifier");
        expect(openssl("x509", "-in", file(certificate), "-noout", "-subject", "-nameopt", "RFC2253").trim()).toBe(
            "subject=CN=node-1",
        );
        expect(outputs["caKeyAlgorithm"]).toBe("ECDSA");
        expect(outputs["caPrivateKeyPem"]).toBeInstanceOf(Secret);

        const port = await freePort();
        const server = tls.createServer({ key, cert: certificate + authority.caCertPem });
        await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
        try {
            const url = `tls://127.0.0.1:${port}`;
            const untrusted = provider.invoke("tls:index/getCertificate:getCertificate", { url });
            expect(await failureOf(untrusted)).toMatch(
                /^Failed to identify fetch peer certificates: unable to execute TLS/,
            );
            const { certificates } = await provider.invoke("tls:index/getCertificate:getCertificate", {
                url,
                verifyChain: false,
            });
            const subjects = (certificates as ValueMap[]).map((found) => found["subject"]);
            expect(subjects).toEqual(["CN=Test CA,O=Example & Co", "CN=node-1"]);
            await new Promise<void>((resolve, reject) => {
                const client = tls.connect({ host: "127.0.0.1", port, ca: authority.caCertPem }, () => {
                    client.end();
                    resolve();
                });
                client.once("error", reject);
            });
        } finally {
            await new Promise((resolve) => server.close(resolve));
        }
    });

    it("sign an intermediate authority", async () => {
        const root = await makeAuthority();
        const key = text((await makeKey({ algorithm: "RSA" }))["privateKeyPem"]);
        const { outputs: request } = await provider.create(types.request, {
            privateKeyPem: key,
            subject: { commonName: "Middle" },
        });
        const { outputs: middle } = await provider.create(types.signed, {
            ...root,
            certRequestPem: text(request["certRequestPem"]),
            isCaCertificate: true,
            allowedUses: ["cert_signing"],
            validityPeriodHours: 1,
        });
        const named = { privateKeyPem: key, subject: { commonName: "leaf" } };
        const { outputs: leafRequest } = await provider.create(types.request, named);
        const { outputs: leaf } = await provider.create(types.signed, {
            caPrivateKeyPem: key,
            caCertPem: text(middle["certPem"]),
            certRequestPem: text(leafRequest["certRequestPem"]).trim(),
            allowedUses: [],
            validityPeriodHours: 1,
        });
        const chain = ["-CAfile", file(root.caCertPem), "-untrusted", file(text(middle["certPem"]))];
        expect(openssl("verify", ...chain, file(text(leaf["certPem"])))).toContain("OK");
    });

    it("accept a request without any name, and one that OpenSSL made", async () => {
        const authority = await makeAuthority();
        const empty = await provider.create(types.request, {
            privateKeyPem: text((await makeKey({ algorithm: "ED25519" }))["privateKeyPem"]),
        });
        const foreign = openssl(
            ...[
                "req",
                "-new",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-keyout",
                "/dev/null",
            ],
            ...["-subj", "/C=CN/O=Ö/CN=f", "-addext", "subjectAltName=DNS:f.test,email:a@f.test", "-utf8"],
        );
        for (const certRequestPem of [text(empty.outputs["certRequestPem"]), foreign]) {
            const { outputs } = await provider.create(types.signed, {
                ...authority,
                certRequestPem,
                allowedUses: [],
                validityPeriodHours: 1,
            });
            const verified = openssl("verify", "-CAfile", file(authority.caCertPem), file(text(outputs["certPem"])));
            expect(verified).toContain("OK");
        }
    });

    it("refuse a key that is not the authority's, and what is no request", async () => {
        const [one, other] = [await makeAuthority(), await makeAuthority()];
        const rest = { allowedUses: [], validityPeriodHours: 1 };
        const request = await provider.create(types.request, { privateKeyPem: one.caPrivateKeyPem });
        const certRequestPem = text(request.outputs["certRequestPem"]);
        const mixed = { ...one, caPrivateKeyPem: other.caPrivateKeyPem, certRequestPem, ...rest };
        expect(await failureOf(provider.create(types.signed, mixed))).toContain("doesn't match parent's PublicKey");
        const swapped = { ...one, certRequestPem: one.caCertPem, ...rest };
        expect(await failureOf(provider.create(types.signed, swapped))).toBe(
            'Failed to parse certificate request PEM: invalid PEM type - expected "CERTIFICATE REQUEST", got "CERTIFICATE"',
        );
    });
});

describe("a certificate's renewal", () => {
    const inputs = async (extra: ValueMap): Promise<ValueMap> => ({
        privateKeyPem: text((await makeKey({ algorithm: "ED25519" }))["privateKeyPem"]),
        allowedUses: [],
        validityPeriodHours: 10,
        ...extra,
    });

    it("replaces it once the time has come, and not before", async () => {
        const created = await provider.create(types.selfSigned, await inputs({ earlyRenewalHours: 2 }));
        const diff = (state: ValueMap, news = created.inputs) =>
            provider.diff(types.selfSigned, state, created.inputs, news);
        expect((await diff(created.outputs)).changed).toBe(false);
        const soon = { ...created.outputs, validityEndTime: new Date(Date.now() + 3_600_000).toISOString() };
        expect(await diff(soon)).toEqual({
            changed: true,
            replaces: ["readyForRenewal"],
            details: { readyForRenewal: "UPDATE_REPLACE" },
        });
        expect((await provider.read(types.selfSigned, soon, created.inputs))["readyForRenewal"]).toBe(true);
        expect((await provider.read(types.selfSigned, created.outputs, created.inputs))["readyForRenewal"]).toBe(false);
    });

    it("may be set earlier in place, which shows at once when that makes it due", async () => {
        const created = await provider.create(types.selfSigned, await inputs({}));
        const later = { ...created.inputs, earlyRenewalHours: 5 };
        expect(await provider.diff(types.selfSigned, created.outputs, created.inputs, later)).toEqual({
            changed: true,
            replaces: [],
            details: { earlyRenewalHours: "UPDATE" },
        });
        const updated = await provider.update(types.selfSigned, created.outputs, later);
        expect(updated).toMatchObject({
            earlyRenewalHours: 5,
            certPem: created.outputs["certPem"]!,
            readyForRenewal: false,
        });
        const due = { ...created.inputs, earlyRenewalHours: 11 };
        const difference = await provider.diff(types.selfSigned, created.outputs, created.inputs, due);
        expect(difference.replaces).toEqual(["readyForRenewal"]);
    });

    it("is due from the start for a certificate that is valid for no time", async () => {
        const { outputs } = await provider.create(types.selfSigned, await inputs({ validityPeriodHours: 0 }));
        expect(outputs["readyForRenewal"]).toBe(true);
    });

    it.each<[string, ValueMap]>([
        ["dnsNames", { dnsNames: ["b"] }],
        ["subject", { subject: { commonName: "b" } }],
        ["privateKeyPem", { privateKeyPem: UNKNOWN }],
        ["allowedUses", { allowedUses: ["server_auth"] }],
        ["isCaCertificate", { isCaCertificate: true }],
    ])("aside, a changed %s replaces it", async (property, change) => {
        const created = await provider.create(
            types.selfSigned,
            await inputs({ dnsNames: ["a"], subject: { commonName: "a" } }),
        );
        const news = { ...created.inputs, ...change };
        const difference = await provider.diff(types.selfSigned, created.outputs, created.inputs, news);
        expect(difference.replaces).toEqual([property]);
    });
});

describe("functions", () => {
    const getPublicKey = "tls:index/getPublicKey:getPublicKey";
    const getCertificate = "tls:index/getCertificate:getCertificate";

    it("getPublicKey reads both formats of every kind of key", async () => {
        const kinds: ValueMap[] = [
            { algorithm: "RSA" },
            { algorithm: "ED25519" },
            { algorithm: "ECDSA", ecdsaCurve: "P521" },
        ];
        for (const inputs of kinds) {
            const key = await makeKey(inputs);
            for (const [property, format] of [
                ["privateKeyPem", "privateKeyPem"],
                ["privateKeyPem", "privateKeyPemPkcs8"],
                ["privateKeyOpenssh", "privateKeyOpenssh"],
            ] as const) {
                const found = await provider.invoke(getPublicKey, { [property]: text(key[format]) });
                const { id, publicKeyPem, publicKeyOpenssh, publicKeyFingerprintMd5, publicKeyFingerprintSha256 } = key;
                expect(found).toMatchObject({
                    ...{ algorithm: inputs["algorithm"]!, id, publicKeyPem, publicKeyOpenssh },
                    ...{ publicKeyFingerprintMd5, publicKeyFingerprintSha256 },
                } as ValueMap);
                expect(found[property]).toBeInstanceOf(Secret);
            }
        }
        expect(await failureOf(provider.invoke(getPublicKey, {}))).toContain("No attribute specified");
        const secret = await failureOf(provider.invoke(getPublicKey, { privateKeyOpenssh: "very secret" }));
        expect(secret).not.toContain("very secret");
    });

    it("getPublicKey reads keys that ssh-keygen made", async () => {
        for (const kind of ["rsa", "ecdsa", "ed25519"]) {
            const name = path.join(folder, `made-${kind}`);
            keygen("-q", "-t", kind, "-N", "", "-C", "", "-f", name);
            const found = await provider.invoke(getPublicKey, { privateKeyOpenssh: fs.readFileSync(name, "utf8") });
            expect(text(found["publicKeyOpenssh"]).trim()).toBe(fs.readFileSync(`${name}.pub`, "utf8").trim());
        }
    });

    it("getCertificate describes a certificate given as text", async () => {
        const { caCertPem } = await makeAuthority();
        const { certificates, id } = await provider.invoke(getCertificate, { content: caCertPem });
        expect(certificates).toMatchObject([
            {
                signatureAlgorithm: "ECDSA-SHA256",
                publicKeyAlgorithm: "ECDSA",
                isCa: true,
                maxPathLength: -1,
                version: 3,
                subject: "CN=Test CA,O=Example & Co",
                issuer: "CN=Test CA,O=Example & Co",
                certPem: caCertPem,
            },
        ]);
        expect(id).toMatch(/^[0-9a-f]{40}$/);
        const fingerprint = openssl("x509", "-in", file(caCertPem), "-noout", "-fingerprint", "-sha1");
        const [first] = certificates as ValueMap[];
        expect(fingerprint.trim().split("=")[1]!.replaceAll(":", "").toLowerCase()).toBe(first!["sha1Fingerprint"]);
        expect(await failureOf(provider.invoke(getCertificate, { url: "http://127.0.0.1" }))).toContain(
            "Invalid URL scheme",
        );
    });
});

it("accepts a proxy in its configuration", async () => {
    await provider.configure({ proxy: JSON.stringify({ url: "http://127.0.0.1:3128", username: "u", password: "p" }) });
    await provider.configure({});
    expect(await provider.version()).toBe("5.6.1");
});

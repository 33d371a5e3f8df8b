import * as crypto from "node:crypto";
import { isKnown } from "../common/schema";
import { plain, type ValueMap } from "../common/values";
import { certificateInputs, keyInputs, keyProblems, oneOf, subjectInputs } from "./inputs";
import {
    type Algorithm,
    algorithmOf,
    algorithms,
    type Curve,
    curves,
    generateKey,
    parsePrivateKey,
    privateKeyOutputs,
    publicKeyOutputs,
} from "./keys";
import { encodeSubject, type Subject } from "./names";
import { MadeOnce } from "./resource";
import {
    createRequest,
    issue,
    type IssuedCertificate,
    issuerOf,
    parseCertificate,
    parseIpAddress,
    parseRequest,
    publicKeyInfo,
    type RequestContent,
} from "./x509";
import { pem } from "../common/openssh";

const hour = 3_600_000;

export function privateKey(): MadeOnce {
    return new MadeOnce({
        inputs: {
            algorithm: { type: "string", required: true, ...oneOf("algorithm", algorithms) },
            rsaBits: { type: "integer", planned: 2048 },
            ecdsaCurve: { type: "string", planned: "P224", ...oneOf("ecdsaCurve", curves) },
        },
        computed: [
            "id",
            "privateKeyOpenssh",
            "privateKeyPem",
            "privateKeyPemPkcs8",
            "publicKeyFingerprintMd5",
            "publicKeyFingerprintSha256",
            "publicKeyOpenssh",
            "publicKeyPem",
        ],
        secretOutputs: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
        create: async (planned) => {
            const key = await generateKey(
                planned["algorithm"] as Algorithm,
                planned["rsaBits"] as number,
                planned["ecdsaCurve"] as Curve,
            );
            const publicKey = publicKeyOutputs(key);
            return {
                id: publicKey.id,
                // The schema version lets the official plugin take over a state written here.
                outputs: { ...privateKeyOutputs(key), ...publicKey, __meta: '{"schema_version":"1"}' },
            };
        },
    });
}

function keyFrom(planned: ValueMap, property: string, what: string): crypto.KeyObject {
    try {
        return parsePrivateKey((planned[property] ?? planned[`${property}Wo`]) as string);
    } catch (error) {
        throw new Error(`Failed to parse ${what} PEM: ${(error as Error).message}`);
    }
}

function requestContent(planned: ValueMap): RequestContent {
    const texts = (property: string) => (planned[property] ?? []) as string[];
    return {
        subject: encodeSubject((planned["subject"] ?? {}) as Subject),
        dnsNames: texts("dnsNames"),
        ipAddresses: texts("ipAddresses").map(parseIpAddress),
        uris: texts("uris").map(checkedUri),
    };
}

function checkedUri(uri: string): string {
    // What Go's parser refuses as well; anything else passes through unchanged.

    if (/[\x00-\x20\x7f]/.test(uri) || uri.startsWith(":") || /%(?![0-9A-Fa-f]{2})/.test(uri)) {
        throw new Error(`Invalid URI: Failed to parse ${JSON.stringify(uri)}`);
    }
    return uri;
}

export function certRequest(): MadeOnce {
    return new MadeOnce({
        inputs: { ...keyInputs("privateKeyPem"), ...subjectInputs },
        computed: ["id", "keyAlgorithm", "certRequestPem"],
        secretOutputs: ["privateKeyPem"],
        problems: (inputs) => keyProblems("privateKeyPem", inputs),
        create: async (planned) => {
            const key = keyFrom(planned, "privateKeyPem", "private key");
            const request = createRequest(requestContent(planned), key);
            return {
                id: crypto.createHash("sha1").update(request).digest("hex"),
                outputs: { keyAlgorithm: algorithmOf(key), certRequestPem: pem("CERTIFICATE REQUEST", request) },
            };
        },
    });
}

function isReady(validityEndTime: unknown, earlyRenewalHours: unknown): boolean {
    const end = new Date(typeof validityEndTime === "string" ? validityEndTime : NaN).getTime();
    return end - Number(earlyRenewalHours ?? 0) * hour <= Date.now();
}

/** What self-signed and locally signed certificates have in common: they run out. */
const expiring = {
    derived: (planned: ValueMap): ValueMap => {
        const [validity, early] = [planned["validityPeriodHours"], planned["earlyRenewalHours"]];
        if (!isKnown(validity)) {
            return { readyForRenewal: false };
        }
        const hours = plain(validity) as number;
        return { readyForRenewal: hours === 0 || (isKnown(early) && (plain(early) as number) >= hours) };
    },
    expired: (state: ValueMap, planned: ValueMap): string | undefined => {
        const early = planned["earlyRenewalHours"];
        const hours = isKnown(early) ? plain(early) : 0;
        return isReady(plain(state["validityEndTime"] ?? null), hours) ? "readyForRenewal" : undefined;
    },
    refreshed: (state: ValueMap): ValueMap =>
        isReady(plain(state["validityEndTime"] ?? null), plain(state["earlyRenewalHours"] ?? 0))
            ? { readyForRenewal: true }
            : {},
};

const certificateOutputs = ["id", "certPem", "validityStartTime", "validityEndTime"];

function issuedOutputs(certificate: IssuedCertificate): ValueMap {
    return {
        certPem: certificate.pem,
        validityStartTime: certificate.notBefore.toISOString(),
        validityEndTime: certificate.notAfter.toISOString(),
    };
}

function certificateRules(planned: ValueMap) {
    return {
        uses: planned["allowedUses"] as string[],
        isCa: planned["isCaCertificate"] as boolean,
        maxPathLength: planned["maxPathLength"] as number | undefined,
        setSubjectKeyId: planned["setSubjectKeyId"] as boolean,
        setAuthorityKeyId: (planned["setAuthorityKeyId"] ?? false) as boolean,
        validityHours: planned["validityPeriodHours"] as number,
    };
}

export function selfSignedCert(): MadeOnce {
    return new MadeOnce({
        inputs: {
            ...keyInputs("privateKeyPem"),
            ...subjectInputs,
            ...certificateInputs,
            setAuthorityKeyId: { type: "boolean", planned: false },
        },
        computed: [...certificateOutputs, "keyAlgorithm"],
        secretOutputs: ["privateKeyPem"],
        problems: (inputs) => keyProblems("privateKeyPem", inputs),
        ...expiring,
        create: async (planned) => {
            const key = keyFrom(planned, "privateKeyPem", "private key");
            const content = { ...requestContent(planned), spki: publicKeyInfo(key), ...certificateRules(planned) };
            const certificate = issue(content, { key });
            return {
                id: certificate.id,
                outputs: { keyAlgorithm: algorithmOf(key), ...issuedOutputs(certificate) },
            };
        },
    });
}

export function locallySignedCert(): MadeOnce {
    return new MadeOnce({
        inputs: {
            ...keyInputs("caPrivateKeyPem"),
            caCertPem: { type: "string", required: true },
            certRequestPem: { type: "string", required: true },
            ...certificateInputs,
        },
        computed: [...certificateOutputs, "caKeyAlgorithm"],
        secretOutputs: ["caPrivateKeyPem"],
        problems: (inputs) => keyProblems("caPrivateKeyPem", inputs),
        ...expiring,
        create: async (planned, operation) => {
            const parsed = <T>(what: string, parse: () => T): T => {
                try {
                    return parse();
                } catch (error) {
                    throw new Error(`Failed to parse ${what} PEM: ${(error as Error).message}`);
                }
            };
            const request = parsed("certificate request", () => parseRequest(planned["certRequestPem"] as string));
            const key = keyFrom(planned, "caPrivateKeyPem", "CA private key");
            const authority = parsed("CA certificate", () => parseCertificate(planned["caCertPem"] as string));
            if (!authority.isCa) {
                operation.log.message(
                    "warning",
                    "Potentially Invalid Certificate Authority: Certificate provided as Authority does not appear to be a " +
                        "valid Certificate Authority. The resulting certificate might fail certificate validation.",
                );
            }
            const certificate = issue({ ...request, ...certificateRules(planned) }, issuerOf(authority, key));
            return {
                id: certificate.id,
                outputs: { caKeyAlgorithm: algorithmOf(key), ...issuedOutputs(certificate) },
            };
        },
    });
}

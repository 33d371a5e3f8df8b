/**
 * The two signatures that official clients of RPC products use: version 1 (`Signature` among the parameters) and
 * version 3 (`Authorization: ACS3-…`).
 */
import { createHash, createHmac } from "node:crypto";
import { Caller, Credentials, equal } from "./credentials";
import { CloudError, missingParameter } from "./errors";

/** What is signed of a request. */
export interface SignedRequest {
    readonly method: string;
    readonly path: string;
    readonly query: ReadonlyMap<string, string>;
    /** Form fields; empty for other bodies. */
    readonly form: ReadonlyMap<string, string>;
    readonly headers: Readonly<Record<string, string | undefined>>;
    readonly body: Buffer;
}

/** How far a client's clock may be off, and how long a nonce stays used. */
const WINDOW_MS = 15 * 60 * 1000;

/** RFC 3986, as every official client encodes: space is `%20`, `*` is `%2A`, `~` stays. */
export function percentEncode(text: string): string {
    return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
    return a < b ? -1 : a > b ? 1 : 0;
}

/** The string to sign of version 1 over query and form, without `Signature`. */
export function stringToSignV1(method: string, parameters: Iterable<readonly [string, string]>): string {
    const canonical = [...parameters]
        .filter(([name]) => name !== "Signature")
        .sort(byName)
        .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
        .join("&");
    return `${method}&${percentEncode("/")}&${percentEncode(canonical)}`;
}

/** `Signature` of version 1. */
export function signV1(secret: string, stringToSign: string, algorithm: "sha1" | "sha256" = "sha1"): string {
    return createHmac(algorithm, `${secret}&`).update(stringToSign).digest("base64");
}

/** The canonical request of version 3. */
export function canonicalRequestV3(request: SignedRequest, signedHeaders: readonly string[], payload: string): string {
    const query = [...request.query]
        .sort(byName)
        .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
        .join("&");
    const headers = signedHeaders.map((name) => `${name}:${(request.headers[name] ?? "").trim()}\n`).join("");
    return [request.method, request.path, query, headers, signedHeaders.join(";"), payload].join("\n");
}

/** Hash functions of version 3 by the name in the `Authorization` header. */
const v3Algorithms: Readonly<Record<string, string>> = { "ACS3-HMAC-SHA256": "sha256", "ACS3-HMAC-SM3": "sm3" };

/** String to sign and signature of version 3. */
export function signV3(
    secret: string,
    algorithm: string,
    canonicalRequest: string,
): { text: string; signature: string } {
    const hash = v3Algorithms[algorithm];
    if (hash === undefined) throw incomplete();
    const text = `${algorithm}\n${createHash(hash).update(canonicalRequest).digest("hex")}`;
    return { text, signature: createHmac(hash, secret).update(text).digest("hex") };
}

/** Verifies signatures, clock and nonces. */
export class Verifier {
    private readonly nonces = new Map<string, number>();

    constructor(
        private readonly credentials: Credentials,
        private readonly clock: () => number = Date.now,
    ) {}

    /**
     * Who signed the request.
     * @throws CloudError with the cloud's code when the signature, key, token, time stamp or nonce is not good.
     */
    verify(request: SignedRequest): Caller {
        const authorization = request.headers["authorization"];
        if (authorization?.startsWith("ACS3-")) return this.verifyV3(request, authorization);
        return this.verifyV1(request);
    }

    private verifyV1(request: SignedRequest): Caller {
        const parameters = new Map([...request.query, ...request.form]);
        const get = (name: string): string => parameters.get(name) ?? "";
        for (const name of ["AccessKeyId", "Signature", "SignatureMethod", "Timestamp", "SignatureNonce"])
            if (get(name) === "") throw name === "Signature" ? incomplete() : missingParameter(name);
        if (get("SignatureType") !== "") throw incomplete();
        if (!["", "1.0"].includes(get("SignatureVersion"))) throw incomplete();
        const method = get("SignatureMethod").toUpperCase();
        if (method !== "HMAC-SHA1" && method !== "HMAC-SHA256") throw incomplete();

        const caller = this.credentials.find(get("AccessKeyId"), get("SecurityToken"));
        const text = stringToSignV1(request.method, parameters);
        const expected = signV1(caller.accessKeySecret, text, method === "HMAC-SHA1" ? "sha1" : "sha256");
        if (!equal(expected, get("Signature"))) throw doesNotMatch(text);
        this.checkTime(get("Timestamp"));
        this.useNonce(get("AccessKeyId"), get("SignatureNonce"));
        return caller;
    }

    private verifyV3(request: SignedRequest, authorization: string): Caller {
        const match = /^(ACS3-[\w-]+) +Credential=([^,]+), *SignedHeaders=([^,]+), *Signature=([0-9a-f]+)$/i.exec(
            authorization,
        );
        if (!match) throw incomplete();
        const [, algorithm, accessKeyId, signedNames, signature] = match as unknown as [
            string,
            string,
            string,
            string,
            string,
        ];
        const hash = v3Algorithms[algorithm];
        if (hash === undefined) throw incomplete();
        const header = (name: string): string => request.headers[name] ?? "";
        for (const name of ["x-acs-date", "x-acs-signature-nonce"])
            if (header(name) === "") throw missingParameter(name);

        const caller = this.credentials.find(accessKeyId, header("x-acs-security-token"));
        const payload = createHash(hash).update(request.body).digest("hex");
        const canonical = canonicalRequestV3(request, signedNames.toLowerCase().split(";"), payload);
        const { text, signature: expected } = signV3(caller.accessKeySecret, algorithm, canonical);
        if (!equal(expected, signature.toLowerCase())) throw doesNotMatch(text, canonical);
        this.checkTime(header("x-acs-date"));
        this.useNonce(accessKeyId, header("x-acs-signature-nonce"));
        return caller;
    }

    private checkTime(stamp: string): void {
        const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(stamp) ? Date.parse(stamp) : NaN;
        if (Number.isNaN(time))
            throw new CloudError(
                "InvalidTimeStamp.Format",
                "Specified time stamp or date value is not well formatted.",
                400,
            );
        if (Math.abs(this.clock() - time) > WINDOW_MS)
            throw new CloudError("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.", 400);
    }

    private useNonce(accessKeyId: string, nonce: string): void {
        const now = this.clock();
        // Insertion order is the order of time, so the expired ones are at the front.
        for (const [key, at] of this.nonces) {
            if (now - at <= 2 * WINDOW_MS) break;
            this.nonces.delete(key);
        }
        const key = `${accessKeyId} ${nonce}`;
        if (this.nonces.has(key))
            throw new CloudError("SignatureNonceUsed", "Specified signature nonce was used already.", 400);
        this.nonces.set(key, now);
    }
}

function incomplete(): CloudError {
    return new CloudError("IncompleteSignature", "The request signature does not conform to Aliyun standards.", 400);
}

function doesNotMatch(stringToSign: string, canonicalRequest?: string): CloudError {
    const more = canonicalRequest === undefined ? "" : `\nserver canonical request is:${canonicalRequest}`;
    // Clients compare what follows the colon with their own text to tell a wrong secret from a wrong canonical form.
    return new CloudError(
        "SignatureDoesNotMatch",
        `Specified signature is not matched with our calculation. server string to sign is:${stringToSign}${more}`,
        400,
    );
}

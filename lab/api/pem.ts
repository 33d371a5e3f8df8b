/** Certificates and keys that clients upload. */
import { X509Certificate, createPrivateKey } from "node:crypto";

/** The certificates of a chain; undefined when there is none, or one of them is broken. */
export function parseChain(pem: string | undefined): X509Certificate[] | undefined {
    const blocks = (pem ?? "").match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    try {
        const chain = blocks.map((block) => new X509Certificate(block));
        return chain.length > 0 ? chain : undefined;
    } catch {
        return undefined;
    }
}

/** Whether a key is that of a certificate; undefined when it is no key at all. */
export function fits(certificate: X509Certificate, privateKey: string): boolean | undefined {
    try {
        return certificate.checkPrivateKey(createPrivateKey(privateKey));
    } catch {
        return undefined;
    }
}

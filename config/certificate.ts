/** A certificate of one's own, as the configuration has it. */
import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { isRsa, parseKey } from "../components/loadBalancer/rsa";
import type { BalancerTypeLimits } from "../components/loadBalancer/types";
import type { Problems } from "../components/problems";

/**
 * Reports what is no certificate, a key that isn't its own, and one that the balancer doesn't take, and warns of a certificate that has ended.
 * What stands in either is in no message.
 *
 * @param section that has both as `certificate` and `privateKey`.
 */
export function checkCertificate(
    problems: Problems,
    section: string,
    certificate: string,
    privateKey: string,
    { type, rsaOnly }: BalancerTypeLimits,
): void {
    const [first] = parseChain(certificate);
    if (first === undefined) {
        problems.add(
            `${section}.certificate`,
            "is not PEM text of certificates: set the server's own, followed by the intermediate ones.",
        );
    } else if (Date.parse(first.validTo) <= Date.now()) {
        const day = new Date(first.validTo).toISOString().slice(0, 10);
        // No error: what else an update is for may not have to wait for an authority.
        void pulumi.log.warn(
            `${section}.certificate: ended on ${day}: set the one that was issued after it, with its key.`,
        );
    }
    const key = parseKey(privateKey);
    if (key === undefined) {
        problems.add(
            `${section}.privateKey`,
            "is not PEM text of a private key without a passphrase: set the one of the certificate so.",
        );
    } else if (first?.checkPrivateKey(key) === false) {
        problems.add(
            `${section}.privateKey`,
            `belongs to another certificate than the first one in ${section}.certificate: set that one's.`,
        );
    } else if (rsaOnly && !isRsa(key)) {
        problems.add(
            `${section}.certificate`,
            `has no RSA key, and a ${type} takes no other: set one that has, or ${section}.type to alb.`,
        );
    }
}

/** None where one of them is broken. */
function parseChain(pem: string): X509Certificate[] {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    try {
        return blocks.map((block) => new X509Certificate(block));
    } catch {
        return [];
    }
}

/** Certificates for balancers that take RSA only. */
import { createPrivateKey, type KeyObject } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { checkedOnceKnown } from "../problems";
import type { ListenerCertificate } from "./cloud";

/** The key that a PEM text has; undefined when there is none, or none without a passphrase. */
export function parseKey(pem: string): KeyObject | undefined {
    try {
        return createPrivateKey(pem);
    } catch {
        return undefined;
    }
}

export function isRsa({ asymmetricKeyType }: KeyObject): boolean {
    return asymmetricKeyType === "rsa";
}

/** Why a caller's key is refused; undefined when it is good, or no key at all, of which the cloud says so. */
export function rsaProblem(privateKey: string): string | undefined {
    const key = parseKey(privateKey);
    return key === undefined || isRsa(key)
        ? undefined
        : 'has no RSA key, and a clb takes no other: use one that has, or type "alb".';
}

/**
 * The key of a certificate that a caller gave to `subject`, as a secret.
 *
 * @param path of the certificate
 * @throws pulumi.RunError that names `path`, once the key is known to be of another kind
 */
export function checkedRsaKey(subject: string, path: string, privateKey: pulumi.Input<string>): pulumi.Output<string> {
    return checkedOnceKnown(subject, pulumi.secret(privateKey), (problems, pem) => {
        const problem = rsaProblem(pem);
        if (problem !== undefined) problems.add(path, problem);
    });
}

/**
 * A caller's certificate as such a balancer takes it: the key in PKCS#1, no blank line in the chain. A text that is so already stays the same,
 * since another one is another certificate to the provider. The key is checked as by {@link checkedRsaKey}.
 */
export function rsaCertificate(
    subject: string,
    path: string,
    { certificate, privateKey }: ListenerCertificate,
): ListenerCertificate {
    return {
        certificate: pulumi.output(certificate).apply((pem) => pem.replace(/(\r?\n)\s*\n(?=-----BEGIN )/g, "$1")),
        privateKey: checkedRsaKey(subject, path, privateKey).apply(inPkcs1),
    };
}

function inPkcs1(pem: string): string {
    const key = pem.includes("-----BEGIN RSA PRIVATE KEY-----") ? undefined : parseKey(pem);
    return key === undefined ? pem : key.export({ type: "pkcs1", format: "pem" }).toString();
}

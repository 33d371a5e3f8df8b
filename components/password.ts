import { hkdfSync } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { checkedOnceKnown } from "./problems";

/** Why a password is refused, without quoting it; undefined when it is good. */
export function passwordProblem(password: string): string | undefined {
    if (password.length < 16) {
        return "a password needs at least 16 characters.";
    }
    if (!/^[A-Za-z0-9._~+/=@%:,!*^-]+$/.test(password)) {
        return "a password is made of letters, digits and . _ ~ + / = @ % : , ! * ^ -";
    }
    if (new Set(password).size < 8) {
        return "a password needs at least 8 different characters.";
    }
    return undefined;
}

/**
 * A password that a caller gave to `subject`, as a secret.
 *
 * @throws pulumi.RunError that names `path`, once the value is known to be too weak
 */
export function checkedPassword(subject: string, path: string, password: pulumi.Input<string>): pulumi.Output<string> {
    return checkedOnceKnown(subject, pulumi.secret(password), (problems, value) => {
        const problem = passwordProblem(value);
        if (problem !== undefined) problems.add(path, problem);
    });
}

/** 256 bits of a private key's entropy as text that needs no quoting anywhere. See docs/decisions/0004-generated-passwords.md. */
export function derivePassword(privateKeyPem: string, purpose: string): string {
    return Buffer.from(hkdfSync("sha256", privateKeyPem, "multihost", purpose, 32)).toString("base64url");
}

/**
 * Makes passwords that stay the same until the resource `<name>` is replaced.
 *
 * @returns what gives the password for a purpose, as a secret: another purpose gives an unrelated one.
 */
export function passwordSource(name: string, parent: pulumi.Resource): (purpose: string) => pulumi.Output<string> {
    const source = new tls.PrivateKey(name, { algorithm: "ED25519" }, { parent });
    return (purpose) => pulumi.secret(source.privateKeyPem.apply((pem) => derivePassword(pem, purpose)));
}

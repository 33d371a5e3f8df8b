import { hkdfSync } from "node:crypto";

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

/** 256 bits of a private key's entropy as text that needs no quoting anywhere. See docs/decisions/0004-generated-passwords.md. */
export function derivePassword(privateKeyPem: string, purpose: string): string {
    return Buffer.from(hkdfSync("sha256", privateKeyPem, "multihost", purpose, 32)).toString("base64url");
}

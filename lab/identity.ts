import { randomBytes, randomInt } from "node:crypto";
import { readJson, writePrivate } from "./files";
import type { LabPaths } from "./paths";

/** Secrets of one lab, made on first use and kept until `down`. */
export interface LabIdentity {
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly accountId: string;
    /** Encrypts secrets in the state of Pulumi. */
    readonly passphrase: string;
}

/** The lab's identity; made when there is none. */
export function ensureIdentity(paths: LabPaths): LabIdentity {
    const known = readJson(paths.identity) as LabIdentity | undefined;
    if (known) return known;
    const identity: LabIdentity = {
        accessKeyId: `LTAI${letters(20)}`,
        accessKeySecret: letters(30),
        accountId: `1${Array.from({ length: 15 }, () => randomInt(10)).join("")}`,
        passphrase: randomBytes(24).toString("base64url"),
    };
    writePrivate(paths.identity, JSON.stringify(identity));
    return identity;
}

function letters(count: number): string {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    return Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join("");
}

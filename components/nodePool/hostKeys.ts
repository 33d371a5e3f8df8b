import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { generationName, generationsOf, type KeyGenerations, makeGenerations } from "../keys";
import type { Problems } from "../problems";

/** As OpenSSH names the files, and cloud-init the fields. */
export type HostKeyType = "ed25519" | "ecdsa";

/** A host's own SSH key. */
export interface HostKey {
    readonly type: HostKeyType;
    /** In OpenSSH format. Secret. */
    readonly privateKey: pulumi.Output<string>;
    /** As in known_hosts, without the host's name. */
    readonly publicKey: pulumi.Output<string>;
}

const typeArgs: Readonly<Record<HostKeyType, tls.PrivateKeyArgs>> = {
    ed25519: { algorithm: "ED25519" },
    ecdsa: { algorithm: "ECDSA", ecdsaCurve: "P256" },
};

/**
 * An SSH server shows one key of each type, and which type is for the client to say: with types in turn it shows two generations, to
 * clients that know either.
 */
export function hostKeyType(generation: number): HostKeyType {
    return generation % 2 === 1 ? "ed25519" : "ecdsa";
}

/** Notes generations that no SSH server could show side by side. */
export function checkHostKeys(problems: Problems, keys: KeyGenerations | undefined, path = "hostKeys"): void {
    const { current, valid } = generationsOf(keys);
    if (new Set(valid).size > 1 && new Set(valid.map(hostKeyType)).size === 1) {
        problems.add(
            `${path}.beside`,
            `${keys!.beside!} is of the same type as generation ${current}, and an SSH server shows one key of each: name ${current + 1}.`,
        );
    }
}

/** A host's keys of every valid generation. */
export function makeHostKeys(
    host: string,
    keys: KeyGenerations | undefined,
    opts: pulumi.CustomResourceOptions,
): { readonly current: HostKey; readonly all: readonly HostKey[] } {
    return makeGenerations(keys, (generation) => {
        const type = hostKeyType(generation);
        const key = new tls.PrivateKey(generationName(`${host}-host-key`, generation), typeArgs[type], opts);
        return { type, privateKey: key.privateKeyOpenssh, publicKey: key.publicKeyOpenssh };
    });
}

/** `keys`: which generations of generated keys are in use. `npm run rotate` writes it. */
import type { KeyGenerations, NodePoolArgs } from "../components";
import { checkKeys } from "../components/keys";
import { checkHostKeys } from "../components/nodePool/hostKeys";
import type { Reader } from "./reader";

/** Whose keys rotate: those of certificates, of SSH logins to all hosts, and the hosts' own. */
export const keyOwners = ["redis", "mysql", "loadBalancer", "storage", "hosts", "hostKeys"] as const;

export type KeyOwner = (typeof keyOwners)[number];

/** @default nobody: every key is of the first generation */
export type KeysConfig = Readonly<Partial<Record<KeyOwner, KeyGenerations>>>;

export function readKeys(reader: Reader): KeysConfig {
    const section = reader.section("keys");
    const found: Partial<Record<KeyOwner, KeyGenerations>> = {};
    for (const owner of keyOwners) {
        const value = section?.[owner];
        if (value === undefined) continue;
        const path = `keys.${owner}`;
        const fields = typeof value === "object" && value !== null ? Object.entries(value) : [];
        const known = fields.every(
            ([key, number]) => ["generation", "beside"].includes(key) && typeof number === "number",
        );
        if (!known || fields.length === 0) {
            reader.problems.add(
                path,
                "has the numbers generation and beside, which `npm run rotate` sets: leave it to that.",
            );
            continue;
        }
        const keys = Object.fromEntries(fields) as KeyGenerations;
        checkKeys(reader.problems, keys, path);
        if (owner === "hostKeys") checkHostKeys(reader.problems, keys, path);
        found[owner] = keys;
    }
    return found;
}

/** For a component's `keys`. */
export function keysOf(config: KeysConfig, owner: KeyOwner): { readonly keys?: KeyGenerations } {
    const keys = config[owner];
    return keys === undefined ? {} : { keys };
}

/** For the `keys` and `hostKeys` of whatever makes hosts. */
export function hostKeysOf(config: KeysConfig): Pick<NodePoolArgs, "keys" | "hostKeys"> {
    const { hostKeys } = config;
    return { ...keysOf(config, "hosts"), ...(hostKeys === undefined ? {} : { hostKeys }) };
}

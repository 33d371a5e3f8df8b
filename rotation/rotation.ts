/** Which step a rotation is at, and what comes next. */
import type { KeyGenerations } from "../components/keys";

/** What is known of a password. */
export interface Known {
    /** What the stack's services take, as its outputs say. */
    readonly current: string;
    /** The configuration's `password`; undefined when it is generated. */
    readonly password?: string;
    /** The configuration's `previousPassword`. */
    readonly previousPassword?: string;
}

/** What to set, in this order, before the stack is updated; undefined takes a value away. */
export type Change = readonly [key: "password" | "previousPassword", value: string | undefined];

/**
 * What a new password asks for. After an update that failed, or a run that was cut off, it goes on with the password that is
 * in the configuration already, so that no third one is ever valid.
 *
 * @throws Error when clients still have the time between the new password and the end of the old one
 */
export function begin({ current, password, previousPassword }: Known, fresh: string): readonly Change[] {
    if (previousPassword === undefined)
        return [
            ["previousPassword", current],
            ["password", fresh],
        ];
    if (previousPassword !== current)
        throw new Error(
            "A rotation is under way: the stack takes the new password and the previous one. " +
                "Once every client has the new one, `--finish` ends the previous one.",
        );
    return password === undefined || password === current ? [["password", fresh]] : [];
}

/**
 * What the end of the previous password asks for: nothing when there is none in the configuration, which the stack may not have heard of yet.
 *
 * @throws Error when no update has given the stack the new password yet
 */
export function finish({ current, previousPassword }: Known): readonly Change[] {
    if (previousPassword === undefined) return [];
    if (previousPassword === current)
        throw new Error(
            "The stack doesn't take the new password yet, and without the previous one its clients would be locked out: run this without `--finish` first.",
        );
    return [["previousPassword", undefined]];
}

/**
 * What the next generation of keys asks for: states of the configuration, each to be followed by an update. The stack takes both
 * generations then.
 *
 * @throws Error when a rotation is being ended
 */
export function beginKeys({ generation = 1, beside }: KeyGenerations): readonly KeyGenerations[] {
    if (beside !== undefined && beside < generation)
        throw new Error("A rotation is being ended: `--finish` goes on with it.");
    return [{ generation, beside: beside ?? generation + 1 }];
}

/**
 * What the end of the former generation asks for, likewise: nothing when the configuration has none, which the stack may not have heard of
 * yet. First once more what came before, which an update that failed may not have brought to every host.
 */
export function finishKeys(now: KeyGenerations): readonly KeyGenerations[] {
    const { generation = 1, beside } = now;
    if (beside === undefined) return [];
    const next = Math.max(generation, beside);
    const change = { generation: next, beside: Math.min(generation, beside) };
    return [...(beside > generation ? [{ generation, beside }] : []), change, { generation: next }];
}

import type { Problems } from "./problems";

/**
 * Which generation of its generated keys a component works with. Keys are rotated in three updates: `{ beside: 2 }` makes the next
 * generation valid as well, `{ generation: 2, beside: 1 }` works with it, `{ generation: 2 }` ends the first one.
 */
export interface KeyGenerations {
    /** Number of the generation that is worked with, at least 1. @default 1 */
    readonly generation?: number;
    /** Number of another generation that is valid as well. @default none */
    readonly beside?: number;
}

/** {@link KeyGenerations} with the default. */
export interface KnownGenerations {
    readonly current: number;
    /** Every valid one, in ascending order, so that it is the same before and after the change from one to the other. */
    readonly valid: readonly number[];
}

/** Notes what is wrong with the numbers. */
export function checkKeys(problems: Problems, { generation = 1, beside }: KeyGenerations = {}, path = "keys"): void {
    for (const [key, value] of [
        ["generation", generation],
        ["beside", beside],
    ] as const) {
        if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
            problems.add(`${path}.${key}`, `${value} is not a generation's number, 1 or more.`);
        }
    }
    if (beside === generation) {
        problems.add(`${path}.beside`, `${beside} is the generation that is worked with: name another, or none.`);
    }
}

export function generationsOf({ generation = 1, beside }: KeyGenerations = {}): KnownGenerations {
    const valid = beside === undefined ? [generation] : [generation, beside];
    return { current: generation, valid: valid.sort((a, b) => a - b) };
}

/** Makes what each valid generation needs. @returns the one that is worked with, and all of them in ascending order */
export function makeGenerations<T>(
    keys: KeyGenerations | undefined,
    make: (generation: number) => T,
): { readonly current: T; readonly all: readonly T[] } {
    const { current, valid } = generationsOf(keys);
    const made = new Map(valid.map((generation) => [generation, make(generation)]));
    return { current: made.get(current)!, all: [...made.values()] };
}

/** Name of a generation's resource. That of the first has none of its own, so that stacks without a rotation have the plain one. */
export function generationName(name: string, generation: number): string {
    return generation === 1 ? name : `${name}-g${generation}`;
}

/** Orders of what people read. */

/** By the numbers in names: `node-2` before `node-10`. */
export const byName = (one: string, other: string): number => one.localeCompare(other, "en", { numeric: true });

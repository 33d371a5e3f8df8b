import { equal, isArchive, isAsset, isMap, plain, Unknown, type Value, type ValueMap } from "./values";

export type ChangeKind = "add" | "delete" | "update";

/** One changed property: its path in the engine's notation, and whether it can only change by replacement. */
export interface Change {
    readonly path: string;
    readonly kind: ChangeKind;
    readonly replace: boolean;
}

function member(path: string, key: string): string {
    const simple = /^[A-Za-z_$][\w$]*$/.test(key);
    if (path === "") {
        return simple ? key : `["${key}"]`;
    }
    return simple ? `${path}.${key}` : `${path}["${key}"]`;
}

function isLeaf(value: Value): boolean {
    return isAsset(value) || isArchive(value) || !(isMap(value) || Array.isArray(value));
}

function compare(path: string, before: Value | undefined, after: Value | undefined, found: [string, ChangeKind][]) {
    const was = before === undefined ? null : plain(before);
    const is = after === undefined ? null : plain(after);
    if (equal(was, is)) {
        return;
    }
    if (was === null) {
        found.push([path, "add"]);
    } else if (is === null) {
        found.push([path, "delete"]);
    } else if (is instanceof Unknown || isLeaf(was) || isLeaf(is) || Array.isArray(was) !== Array.isArray(is)) {
        found.push([path, "update"]);
    } else if (Array.isArray(was) && Array.isArray(is)) {
        for (let index = 0; index < Math.max(was.length, is.length); index++) {
            compare(`${path}[${index}]`, was[index], is[index], found);
        }
    } else if (isMap(was) && isMap(is)) {
        for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
            compare(member(path, key), was[key], is[key], found);
        }
    }
}

/** What differs between two property maps, down to the members; `replaces` decides by top-level property. */
export function changes(before: ValueMap, after: ValueMap, replaces: (property: string) => boolean): Change[] {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => {
        if (key === "version" || key.startsWith("__")) {
            return [];
        }
        const found: [string, ChangeKind][] = [];
        compare(member("", key), before[key], after[key], found);
        return found.map(([path, kind]) => ({ path, kind, replace: replaces(key) }));
    });
}

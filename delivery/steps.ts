/**
 * A remote step in a reviewer's words. Its command text holds the script's name and short hash and every parameter that is not
 * secret (see components/host.ts): which of them differ says what the step is going to do.
 */
import { UNKNOWN, type Change, type PropertyChange } from "./plan";

const COMMAND = "command:remote:Command";

interface Step {
    /** Script's name, `redis/node`. */
    readonly script: string;
    /** Short hash of the script's text. */
    readonly hash: string;
    readonly params: ReadonlyMap<string, string>;
}

function parse(text: unknown): Step | undefined {
    if (typeof text !== "string") return undefined;
    const [, script, hash] = /^STEP=([\w/.-]+)@(\w+)/.exec(text) ?? [];
    if (script === undefined || hash === undefined) return undefined;
    const params = new Map<string, string>();
    for (const [, name, value] of text.matchAll(/ PARAM_(\w+)='((?:[^']|'\\'')*)'/g))
        params.set(name ?? "", (value ?? "").replaceAll("'\\''", "'"));
    return { script, hash, params };
}

export interface StepChange {
    readonly script: string;
    /** Whether the script itself differs. */
    readonly newScript: boolean;
    /** Whether a parameter comes from what only the update makes, such as a new host's address. */
    readonly unknown: boolean;
    /** Whether something that it is given in secret differs. What is given openly travels with it, so this shows only by itself. */
    readonly secrets: boolean;
    readonly params: readonly { readonly name: string; readonly before?: string; readonly after?: string }[];
    /** What differs besides. */
    readonly others: readonly PropertyChange[];
}

/** What differs in an updated or replaced step; undefined for every other change. */
export function stepChange(change: Change): StepChange | undefined {
    if (change.type !== COMMAND || (change.operation !== "update" && change.operation !== "replace")) return undefined;
    const create = change.properties.find(({ path }) => path === "create");
    const unknown = create?.after === UNKNOWN;
    const before = parse(create?.before);
    const after = unknown ? before : parse(create?.after);
    if (create !== undefined && (before === undefined || after === undefined)) return undefined;
    const names = new Set([...(before?.params.keys() ?? []), ...(after?.params.keys() ?? [])]);
    const params = [...names]
        .filter((name) => before?.params.get(name) !== after?.params.get(name))
        .map((name) => ({ name, before: before?.params.get(name), after: after?.params.get(name) }));
    const newScript = before?.hash !== after?.hash;
    const openly = unknown || newScript || params.length > 0;
    const derived = new Set(["create", "update", "delete", "stdin"]);
    return {
        script: after?.script ?? "",
        newScript,
        unknown,
        secrets: !openly && change.properties.some(({ path }) => path === "stdin"),
        params,
        others: change.properties.filter(({ path }) => !derived.has(path)),
    };
}

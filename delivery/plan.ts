/** What the engine's event log says about an update, reduced to what a reviewer asks about. */
import type { EngineEvent, StepEventMetadata, StepEventStateMetadata } from "@pulumi/pulumi/automation";

/** What happens to a resource. A replacement is one change, whatever steps the engine makes of it. */
export type Operation = "create" | "update" | "replace" | "delete" | "import" | "read" | "forget";

export const operations: readonly Operation[] = ["delete", "replace", "update", "create", "import", "read", "forget"];

/** One property that differs. A value is undefined where the property isn't there on that side. */
export interface PropertyChange {
    /** As the engine writes it: `tags.environment`. In lists of objects by what tells the member: `servers[i-1].weight`, `servers[]` for a whole one. */
    readonly path: string;
    readonly before: unknown;
    readonly after: unknown;
    /** Whether this difference is why the resource is replaced. */
    readonly replaces: boolean;
}

export interface Change {
    readonly urn: string;
    /** The name that the program gives the resource. */
    readonly name: string;
    /** The resource's type token, such as `alicloud:ecs/instance:Instance`. */
    readonly type: string;
    readonly operation: Operation;
    /** The component that the resource belongs to; undefined for one that the program makes itself. */
    readonly component?: { readonly name: string; readonly type: string };
    readonly properties: readonly PropertyChange[];
    /** Whether the cloud's object stays when the resource goes. */
    readonly retained: boolean;
}

/** An output of the stack that differs. */
export interface OutputChange {
    readonly name: string;
    readonly kind: "added" | "removed" | "changed";
}

/** A finding of a policy pack. */
export interface Violation {
    readonly policy: string;
    readonly mandatory: boolean;
    readonly resource: string;
    readonly message: string;
}

export interface Plan {
    /** In the order in which the engine came to them. Components themselves are left out: they exist in the state only. */
    readonly changes: readonly Change[];
    /** How many resources stay as they are. */
    readonly unchanged: number;
    /** Outputs of the stack that differ. What is secret, or only known after the update, is told where it comes or goes only. */
    readonly outputs: readonly OutputChange[];
    /** What the program and the providers said, errors first. */
    readonly errors: readonly string[];
    readonly warnings: readonly string[];
    readonly violations: readonly Violation[];
    /** False when the log ends before the engine's summary: what it says is a part only. */
    readonly complete: boolean;
}

/** Stands for a value that is not known before the update; see the engine's `plugin.UnknownStringValue` and its kin. */
export const unknowns: ReadonlySet<string> = new Set([
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
/** The key by which the engine marks a secret's place; its value is always this one. */
export const SECRET_KEY = "4dabf18193072939515e22adb298388d";
export const SECRET = "[secret]";
export const UNKNOWN = "(known after the update)";

/** Each step of the engine, in the words of {@link Operation}. Steps that are missing here change nothing. */
const meaning: Readonly<Record<string, Operation>> = {
    create: "create",
    update: "update",
    delete: "delete",
    replace: "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "import-replacement": "replace",
    "read-replacement": "replace",
    "discard-replaced": "replace",
    import: "import",
    read: "read",
    discard: "forget",
};

/** Whether the stack only looks at a resource; the event's type doesn't have it. */
export function isExternal(state: StepEventStateMetadata | null | undefined): boolean {
    return (state as { external?: boolean } | null | undefined)?.external === true;
}

/** What a step does; undefined for one that changes nothing. */
function meaningOf({ op, old, new: made }: StepEventMetadata): Operation | undefined {
    const operation = meaning[op];
    if (!isExternal(old)) return operation;
    // The engine looks again every time.
    if (op === "read" && old?.id === made?.id) return undefined;
    if (op === "discard-replaced") return undefined;
    // The stack makes one of its own; what it looked at isn't its to lose.
    return operation === "replace" ? "create" : operation;
}

const typeOf = (urn: string): string => (urn.split("::")[2] ?? "").split("$").at(-1) ?? "";
const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");
/** Whether a URN is the stack's own. */
export const isStack = (urn: string): boolean => typeOf(urn) === "pulumi:pulumi:Stack";

/** `a.b[0]["c.d"]` as its parts. */
export function pathParts(path: string): (string | number)[] {
    const parts: (string | number)[] = [];
    for (const [, quoted, index, word] of path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)) {
        if (quoted !== undefined) parts.push(quoted.replace(/\\(.)/g, "$1"));
        else if (index !== undefined) parts.push(Number(index));
        else if (word !== undefined) parts.push(word);
    }
    return parts;
}

function valueAt(values: unknown, parts: readonly (string | number)[]): unknown {
    let value = values;
    for (const part of parts) {
        if (typeof value !== "object" || value === null) return undefined;
        value = (value as Record<string | number, unknown>)[part];
    }
    return value;
}

/** Bookkeeping of the engine and of bridged providers. */
const internal = (key: string): boolean => key.startsWith("__");

/** A value as people may read it: {@link UNKNOWN} and a mask in the places of what is not known yet and of secrets. */
export function known(value: unknown): unknown {
    if (typeof value === "string") return unknowns.has(value) ? UNKNOWN : value;
    if (Array.isArray(value)) return value.map(known);
    if (typeof value === "object" && value !== null && SECRET_KEY in value) return SECRET;
    if (typeof value === "object" && value !== null)
        return Object.fromEntries(
            Object.entries(value)
                .filter(([key]) => !internal(key))
                .map(([key, inner]) => [key, known(inner)]),
        );
    return value;
}

type Member = Readonly<Record<string, unknown>>;

const isMember = (value: unknown): value is Member =>
    typeof value === "object" && value !== null && !Array.isArray(value);

/** What a list has that another one hasn't, each as often. */
function without(list: readonly Member[], other: readonly Member[]): Member[] {
    const left = other.map((member) => JSON.stringify(member));
    return list.filter((member) => {
        const index = left.indexOf(JSON.stringify(member));
        if (index >= 0) left.splice(index, 1);
        return index < 0;
    });
}

/** What a member of a list can be told by. */
const isIdentity = (key: string): boolean => /(id|ip|name|address|port|key|zone|device)$/i.test(key);

/** What differs between two members, where they can be told to be the same one: by what they have in common. */
function changedKeys(before: Member, after: Member): { readonly same: readonly string[]; readonly other: string[] } {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    const isSame = (key: string): boolean => JSON.stringify(before[key]) === JSON.stringify(after[key]);
    return {
        same: keys.filter((key) => isSame(key) && isIdentity(key)),
        other: keys.filter((key) => !isSame(key)),
    };
}

/**
 * How two lists of objects differ, whatever the order of their members: providers compare most of them as sets, and their differences by
 * index say that every member is another one.
 * @returns nothing where only the order differs, or the values aren't such lists
 */
function memberChanges(list: string, before: unknown, after: unknown, replaces: boolean): PropertyChange[] {
    if (!Array.isArray(before) || !Array.isArray(after)) return [];
    if (![...(before as unknown[]), ...(after as unknown[])].every(isMember)) return [];
    const gone = without(before as Member[], after as Member[]);
    const changes: PropertyChange[] = [];
    for (const member of without(after as Member[], before as Member[])) {
        const [nearest] = gone
            .map((former) => ({ former, ...changedKeys(former, member) }))
            .filter(({ same }) => same.length > 0)
            .sort((one, other) => one.other.length - other.other.length);
        if (nearest === undefined) {
            changes.push({ path: `${list}[]`, before: undefined, after: member, replaces });
            continue;
        }
        gone.splice(gone.indexOf(nearest.former), 1);
        const name = text(member[nearest.same[0]!]);
        for (const key of nearest.other)
            changes.push({
                path: `${list}[${name}].${key}`,
                before: nearest.former[key],
                after: member[key],
                replaces,
            });
    }
    return [...changes, ...gone.map((member) => ({ path: `${list}[]`, before: member, after: undefined, replaces }))];
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Property by property, and lists of objects by their members. */
function gathered(properties: readonly PropertyChange[], before: unknown, after: unknown): PropertyChange[] {
    const lists = new Map<string, PropertyChange[]>();
    for (const property of properties) {
        const [list, index] = pathParts(property.path);
        if (typeof list === "string" && typeof index === "number")
            lists.set(list, [...(lists.get(list) ?? []), property]);
    }
    const members = new Map(
        [...lists].map(([list, changes]) => [
            list,
            memberChanges(
                list,
                valueAt(before, [list]),
                valueAt(after, [list]),
                changes.some(({ replaces }) => replaces),
            ),
        ]),
    );
    const told = new Set<string>();
    return properties.flatMap((property) => {
        const [list = "", ...inner] = pathParts(property.path).map(String);
        const isOf = lists.get(list)?.includes(property) === true || inner.length === 0;
        // A list that gets shorter is named as a whole, too.
        const changes = isOf ? (members.get(list) ?? []) : [];
        if (changes.length === 0) return [property];
        if (told.has(list)) return [];
        told.add(list);
        return changes;
    });
}

function propertiesOf(step: StepEventMetadata): PropertyChange[] {
    const before = known(step.old?.inputs ?? {});
    const after = known(step.new?.inputs ?? {});
    const operation = meaningOf(step);
    if (operation === "create" || operation === "import")
        return Object.keys(after as object).map((path) => ({
            path,
            before: undefined,
            after: valueAt(after, [path]),
            replaces: false,
        }));
    if (operation !== "update" && operation !== "replace") return [];
    const detailed = step.detailedDiff ?? {};
    const causes = new Set(step.keys ?? []);
    const paths = Object.keys(detailed).length > 0 ? Object.keys(detailed) : (step.diffs ?? []);
    const properties = paths
        .filter((path) => !internal(path))
        .map((path) => {
            const parts = pathParts(path);
            const inputBefore = valueAt(before, parts);
            return {
                path,
                before:
                    inputBefore === undefined && detailed[path]?.inputDiff !== true
                        ? valueAt(known(step.old?.outputs ?? {}), parts)
                        : inputBefore,
                after: valueAt(after, parts),
                replaces: (detailed[path]?.diffKind ?? "").endsWith("-replace") || causes.has(String(parts[0])),
            };
        });
    return gathered(properties, before, after);
}

/** How the outputs that the program gives a stack differ from those that it has. */
function outputChanges({ old, new: made }: StepEventMetadata): OutputChange[] {
    const before = known(old?.outputs ?? {}) as Readonly<Record<string, unknown>>;
    const after = known(made?.outputs ?? {}) as Readonly<Record<string, unknown>>;
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((name): OutputChange[] => {
        if (!(name in before)) return [{ name, kind: "added" }];
        if (!(name in after)) return [{ name, kind: "removed" }];
        const [one, other] = [JSON.stringify(before[name]), JSON.stringify(after[name])];
        return one === other || other.includes(UNKNOWN) ? [] : [{ name, kind: "changed" }];
    });
}

/** The outermost component that a resource belongs to, by the parents of all resources. */
export function componentOf(urn: string, parents: ReadonlyMap<string, string>): Change["component"] {
    let top = urn;
    const seen = new Set<string>();
    for (let above = parents.get(top); above !== undefined && !isStack(above); above = parents.get(top)) {
        if (seen.has(above)) break;
        seen.add(above);
        top = above;
    }
    return top === urn ? undefined : { name: nameOf(top), type: typeOf(top) };
}

/** Plain text of a message: the engine's colour codes and the terminal's taken out. */
function plain(message: string): string {
    return message.replace(/<\{%[^%]*%\}>|\u001b\[[0-9;]*m/g, "").trim();
}

/**
 * Reads an event log: one JSON object per line, as `pulumi preview --event-log FILE` and the Automation API's log have them.
 * @throws Error naming the line when one is no JSON; a last line that was cut off counts as missing
 */
export function readEvents(log: string): EngineEvent[] {
    const lines = log.split("\n");
    const events: EngineEvent[] = [];
    for (const [index, line] of lines.entries()) {
        if (line.trim() === "") continue;
        try {
            events.push(JSON.parse(line) as EngineEvent);
        } catch {
            if (index === lines.length - 1) break;
            throw new Error(`line ${index + 1} of the event log is no JSON: is it a log of \`--event-log\`?`);
        }
    }
    return events;
}

/** What an event log says. */
export function planOf(events: readonly EngineEvent[]): Plan {
    const parents = new Map<string, string>();
    const steps = new Map<string, StepEventMetadata[]>();
    const errors: string[] = [];
    const warnings: string[] = [];
    const violations: Violation[] = [];
    let outputs: readonly OutputChange[] = [];
    let complete = false;
    for (const event of events) {
        const step = event.resourcePreEvent?.metadata;
        if (step !== undefined) {
            const parent = step.new?.parent ?? step.old?.parent;
            if (parent !== undefined && parent !== "") parents.set(step.urn, parent);
            steps.set(step.urn, [...(steps.get(step.urn) ?? []), step]);
        }
        const given = event.resOutputsEvent?.metadata;
        if (given !== undefined && isStack(given.urn)) outputs = outputChanges(given);
        const diagnostic = event.diagnosticEvent;
        if (diagnostic !== undefined && diagnostic.ephemeral !== true) {
            const text = plain(diagnostic.message);
            const about = diagnostic.urn !== undefined && diagnostic.urn !== "" ? `${nameOf(diagnostic.urn)}: ` : "";
            if (text !== "" && diagnostic.severity === "error") errors.push(about + text);
            else if (text !== "" && diagnostic.severity === "warning") warnings.push(about + text);
        }
        const violation = event.policyEvent;
        if (violation !== undefined)
            violations.push({
                policy: violation.policyName,
                mandatory: violation.enforcementLevel === "mandatory",
                resource: nameOf(violation.resourceUrn ?? ""),
                message: plain(violation.message),
            });
        complete ||= event.summaryEvent !== undefined;
    }

    joinRenamed(steps);
    const changes: Change[] = [];
    let unchanged = 0;
    for (const [urn, every] of steps) {
        const all = withoutLeftovers(every);
        const made = all.flatMap((step) => meaningOf(step) ?? []);
        const state = all[0]?.new ?? all[0]?.old;
        const isComponent = state?.custom !== true && !isProvider(urn);
        if (isComponent) continue;
        if (made.length === 0) {
            unchanged += 1;
            continue;
        }
        const operation = operationOf(made, all);
        // Nobody asks for it: one comes with the first resource of a plugin's version, and goes with the last.
        if (isDefaultProvider(urn) && (operation === "create" || operation === "delete")) continue;
        const telling =
            all.find((step) => step.op === "replace") ??
            all.find((step) => step.op === "create-replacement") ??
            all.find((step) => meaningOf(step) !== undefined) ??
            all[0];
        const component = componentOf(urn, parents);
        changes.push({
            urn,
            name: nameOf(urn),
            type: typeOf(urn),
            operation,
            ...(component !== undefined && { component }),
            properties: telling === undefined ? [] : propertiesOf(telling),
            retained: isRetained(all),
        });
    }
    return { changes, unchanged, outputs, errors, warnings, violations, complete };
}

/** Without the end of what an earlier replacement, which was cut off, has left, where the one in its place stays. */
function withoutLeftovers(steps: readonly StepEventMetadata[]): readonly StepEventMetadata[] {
    const stays = ({ op }: StepEventMetadata): boolean => op === "same" || op === "update";
    return steps.some(stays) ? steps.filter(({ old }) => old?.delete !== true) : steps;
}

/** What several steps for one resource come to. */
function operationOf(made: readonly Operation[], steps: readonly StepEventMetadata[]): Operation {
    // Beside it goes what an earlier replacement that was cut off left.
    if (made.includes("delete") && !steps.some((step) => step.new && meaningOf(step) !== undefined)) return "delete";
    if (made.includes("replace") || (made.includes("create") && made.includes("delete"))) return "replace";
    return made[0] ?? "update";
}

/** Whether the cloud's objects stay: of several, such as one and its former that an update left, each has to. */
function isRetained(steps: readonly StepEventMetadata[]): boolean {
    const ends = steps.filter(({ op }) => op === "delete" || op === "delete-replaced");
    const retained = ({ old }: StepEventMetadata): boolean => old?.retainOnDelete === true;
    return ends.length > 0 ? ends.every(retained) : steps.some(retained);
}

/** The engine deletes what it replaces under the name that it had; where an alias leads from there, it is the same replacement. */
function joinRenamed(steps: Map<string, StepEventMetadata[]>): void {
    for (const [urn, all] of steps) {
        const before = all.find(({ op, old }) => meaning[op] === "replace" && old && old.urn !== urn)?.old?.urn ?? urn;
        if (before === urn) continue;
        const others = steps.get(before) ?? [];
        const ends = others.filter(({ op }) => op === "delete-replaced" || op === "discard-replaced");
        all.push(...ends);
        // Something new may have taken the name.
        if (others.length > ends.length)
            steps.set(
                before,
                others.filter((step) => !ends.includes(step)),
            );
        else steps.delete(before);
    }
}

function isProvider(urn: string): boolean {
    return typeOf(urn).startsWith("pulumi:providers:");
}

/** Why a plan can't be relied on; undefined when it can. */
export function problemOf({ errors, complete, violations }: Plan): string | undefined {
    const mandatory = violations.filter((violation) => violation.mandatory);
    if (errors.length > 0) return errors.join("\n");
    if (!complete) return "The engine stopped before its summary.";
    if (mandatory.length === 0) return undefined;
    return mandatory.map(({ policy, resource, message }) => `${policy}, ${resource}: ${message}`).join("\n");
}

/** The provider that the engine makes where the program makes none. */
function isDefaultProvider(urn: string): boolean {
    return isProvider(urn) && /^default(_|$)/.test(nameOf(urn));
}

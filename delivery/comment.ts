/** A plan as the comment on a pull request. */
import { structuredPatch } from "diff";
import { block, code, escape, folded } from "../toolchain/markdown";
import {
    SECRET,
    UNKNOWN,
    operations,
    type Change,
    type Operation,
    type OutputChange,
    type Plan,
    type PropertyChange,
} from "./plan";
import { fateOf, type Stage, stagesOf } from "./stages";
import { type StepChange, stepChange } from "./steps";
import { ANNOUNCING_LABEL, type Loss } from "./stateful";
import { byName } from "../toolchain/order";
import { projectName } from "../toolchain/stacks";

/** GitHub refuses a longer comment (65,536 characters); the rest is room for what the platform adds. */
export const COMMENT_LIMIT = 65_000;
/** Longest value that is shown on one line. */
const SHORT = 100;
/** How many lines of two texts may differ: the search takes the longer the less they have in common, and nobody reads that many. */
const DIFFERENT = 1000;
/** Most properties that are named of one resource. */
const LONGEST_GIST = 5;
/** Most resources that are named in a component's list. */
const LISTED = 20;

const signs: Readonly<Record<Operation, string>> = {
    create: "+",
    update: "~",
    replace: "±",
    delete: "-",
    import: "=",
    read: ">",
    forget: "<",
};
const words: Readonly<Record<Operation, string>> = {
    create: "to create",
    update: "to update",
    replace: "to replace",
    delete: "to delete",
    import: "to import",
    read: "to read",
    forget: "to forget",
};

/** The line by which the comment of a stack is found again. It doesn't show. A repository may hold several projects with stacks of one name. */
export function markerOf(stack: string): string {
    return `<!-- multihost:preview:${projectName()}/${stack} -->`;
}

/** The project's stack that a comment is about; undefined when it is none of these. */
export function stackOfComment(body: string): string | undefined {
    const [, project, stack] = /^<!-- multihost:preview:([\w.-]+)\/([\w.-]+) -->/.exec(body) ?? [];
    return project === projectName() ? stack : undefined;
}

/** How many resources each operation is for, in words. */
export function countsOf(changes: readonly Change[]): string {
    const parts = (["create", "update", "replace", "delete"] as const).map(
        (operation) => `${changes.filter((change) => change.operation === operation).length} ${words[operation]}`,
    );
    for (const operation of ["import", "read", "forget"] as const) {
        const number = changes.filter((change) => change.operation === operation).length;
        if (number > 0) parts.push(`${number} ${words[operation]}`);
    }
    return parts.join(", ");
}

/** Which outputs differ, in words, such as "added one; changed other". */
export function outputWords(outputs: readonly OutputChange[], show = (name: string): string => name): string {
    return (["added", "removed", "changed"] as const)
        .flatMap((kind) => {
            const names = outputs.filter((output) => output.kind === kind).map(({ name }) => show(name));
            return names.length === 0 ? [] : [`${kind} ${names.join(", ")}`];
        })
        .join("; ");
}

/** What an update does, as a question puts it. */
export function summaryOf({ changes, outputs }: Plan): string {
    return `${countsOf(changes)}${outputs.length === 0 ? "" : `; outputs: ${outputWords(outputs)}`}`;
}

function text(value: unknown): string {
    if (value === undefined) return "";
    return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}

function short(value: unknown): string {
    const line = typeof value === "string" ? value : JSON.stringify(value);
    return line.length > SHORT ? `${line.slice(0, SHORT)}…` : line;
}

/** The operations that there are, without those that there are none of. */
function someCounts(changes: readonly Change[]): string {
    return countsOf(changes)
        .split(", ")
        .filter((part) => !part.startsWith("0 "))
        .join(", ");
}

/** The differing lines of two texts with a line around them, or the two on a line each. */
function propertyLines({ path, before, after, replaces }: PropertyChange): string[] {
    const head = `  ${path}${replaces ? "  # forces replacement" : ""}`;
    if (before === undefined && after === undefined) return [head];
    const [old, now] = [text(before), text(after)];
    if (!old.includes("\n") && !now.includes("\n")) {
        // The engine masks secrets on both sides.
        if (old === now) return [`${head}: ${short(old)} (changed)`];
        const lines = [head];
        if (before !== undefined) lines.push(`-     ${short(before)}`);
        if (after !== undefined) lines.push(`+     ${short(after)}`);
        return lines;
    }
    const patch = structuredPatch("", "", old, now, "", "", { context: 1, maxEditLength: DIFFERENT });
    if (patch === undefined) return [`${head}: (changed)`];
    return [
        head,
        ...patch.hunks.flatMap((hunk, index) => [
            ...(index > 0 ? ["      ⋮"] : []),
            ...hunk.lines
                .filter((line) => !line.startsWith("\\"))
                .map((line) => `${line.slice(0, 1)}     ${line.slice(1)}`),
        ]),
    ];
}

/** A step's parameters one below the other, instead of the command line that holds them all. */
function stepLines({ script, newScript, unknown, secrets, params, others }: StepChange): string[] {
    return [
        ...(newScript ? [`  the script ${script} itself`] : []),
        ...(unknown ? [`  parameters ${UNKNOWN}`] : []),
        ...(secrets ? ["  what the step is given in secret"] : []),
        ...params.flatMap(({ name, before, after }) => propertyLines({ path: name, before, after, replaces: false })),
        ...others.flatMap(propertyLines),
    ];
}

function changeLines(change: Change): string[] {
    const { operation, name, type, properties } = change;
    const head = `${operation === "replace" ? "!" : operation === "update" ? "#" : signs[operation]} ${words[operation].replace("to ", "")} ${name}  (${type})`;
    const step = stepChange(change);
    if (step !== undefined) return [head, ...stepLines(step)];
    const shown =
        operation === "create"
            ? properties.map(({ path, after }) => `+     ${path}: ${short(after)}`)
            : properties.flatMap(propertyLines);
    return [head, ...shown];
}

/** Two values in place of which a reviewer would ask for them; longer ones, secrets and those not known yet are below. */
function valuesOf({ before, after }: PropertyChange): string {
    const values = [before, after].map((value) => (value === undefined ? "(none)" : short(value)));
    const tells =
        values.join("").length <= SHORT &&
        before !== after &&
        ![before, after].some((value) => value === SECRET || typeof value === "object");
    return tells ? ` ${values.map(code).join(" → ")}` : "";
}

/** What differs, in a few words: the properties, and from what to what where that is short. */
function gist(change: Change): string {
    if (change.operation !== "update" && change.operation !== "replace") return "";
    const step = stepChange(change);
    if (step !== undefined) return stepGist(step);
    const described = [...change.properties]
        .sort((one, other) => Number(other.replaces) - Number(one.replaces))
        .map((property) => code(property.path) + valuesOf(property) + (property.replaces ? " (forces it)" : ""));
    const some = [...new Set(described)];
    if (some.length > LONGEST_GIST) some.splice(LONGEST_GIST, Infinity, `${some.length - LONGEST_GIST} more`);
    return some.length === 0 ? "" : `: ${some.join(", ")}`;
}

function stepGist({ script, newScript, unknown, secrets, params, others }: StepChange): string {
    const some = [
        ...(newScript ? [`new script ${code(script)}`] : []),
        ...params.map(({ name, before = "(none)", after = "(none)" }) =>
            before.length + after.length > SHORT ? code(name) : `${code(name)} ${code(before)} → ${code(after)}`,
        ),
        ...others.map(({ path, replaces }) => code(path) + (replaces ? " (forces it)" : "")),
        ...(unknown ? [`parameters ${UNKNOWN}`] : []),
        ...(secrets ? ["secrets"] : []),
    ];
    return some.length === 0 ? "" : `: ${some.join(", ")}`;
}

/** By component and name: the engine goes through resources side by side, in another order every time. */
function inOrder(changes: readonly Change[]): Change[] {
    return [...changes].sort(
        (one, other) =>
            byName(one.component?.name ?? "", other.component?.name ?? "") ||
            byName(one.name, other.name) ||
            byName(one.type, other.type),
    );
}

const shortType = (type: string): string => type.split(":").at(-1) ?? type;

function components(changes: readonly Change[]): string {
    const groups = new Map<string, { title: string; members: Change[] }>();
    for (const change of changes) {
        const { component } = change;
        const key = component === undefined ? "" : `${component.type}::${component.name}`;
        const title =
            component === undefined
                ? "Outside of components"
                : `**${escape(component.name)}** (${escape(shortType(component.type))})`;
        const group = groups.get(key) ?? { title, members: [] };
        group.members.push(change);
        groups.set(key, group);
    }
    return [...groups.values()]
        .map(({ title, members }) => {
            const ordered = [...members].sort(
                (one, other) => operations.indexOf(one.operation) - operations.indexOf(other.operation),
            );
            const shown = ordered.slice(0, LISTED).map((change) => {
                const what = `${words[change.operation].replace("to ", "")} ${code(change.name)}`;
                return `  - ${what} (${escape(shortType(change.type))})${gist(change)}`;
            });
            if (ordered.length > LISTED) shown.push(`  - and ${ordered.length - LISTED} more, below`);
            return [`- ${title}: ${someCounts(members)}`, ...shown].join("\n");
        })
        .join("\n");
}

function lossLines(losses: readonly Loss[]): string {
    const rows = losses.map(({ change, what, causes, announced }) => {
        const why = causes.length === 0 ? "" : `, because of ${causes.map(code).join(", ")}`;
        const verb = `${words[change.operation].replace("to ", "")}s`;
        return `> - ${announced ? "" : "**not announced** – "}${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${code(change.name)}${why}. Lost: ${what}.`;
    });
    const open = losses.filter(({ announced }) => !announced);
    const [first] = open;
    const advice =
        first === undefined
            ? []
            : [
                  ">",
                  `> If this is meant, say so in a commit message (${code(
                      `${first.announcedAs === "replace" ? "Replaces" : "Deletes"}: ${first.change.name}`,
                  )}) or with the label ${code(ANNOUNCING_LABEL)}.`,
              ];
    return [
        `> [!${open.length > 0 ? "CAUTION" : "WARNING"}]`,
        "> **This change loses what can't be made again**",
        ...rows,
        ...advice,
    ].join("\n");
}

/** What no list of resources says: that hosts stop, and do so together. */
function stopLines(stages: readonly Stage[], stack: string): string {
    const rows = stages.map((stage) => {
        const why = stage.causes.length === 0 ? "" : `, because of ${stage.causes.map(code).join(", ")}`;
        return `> - ${code(stage.host)} ${fateOf(stage)}${why}`;
    });
    if (stages.length === 1) return ["> [!NOTE]", "> **A host stops**", ...rows].join("\n");
    const replaced = stages.flatMap((stage) => (stage.replaced ? [` --replace ${stage.host}`] : []));
    return [
        "> [!WARNING]",
        `> **${stages.length} hosts stop, all at the same time**`,
        ...rows,
        ">",
        `> One after the other, with everything working in between: ${code(`npm run rolling-update -- --stack ${stack}${replaced.join("")}`)} in place of ${code("pulumi up")}.`,
    ].join("\n");
}

export interface CommentOptions {
    readonly stack: string;
    /** The commit that was previewed, for the reader. */
    readonly commit?: string;
    /** Further sections, each with a heading of its own: costs, pictures. */
    readonly sections?: readonly string[];
}

/** Whether a plan gives a reader anything to read. */
export function saysNothing(plan: Plan): boolean {
    const nothing = [plan.changes, plan.outputs, plan.errors, plan.violations].every(({ length }) => length === 0);
    return plan.complete && nothing;
}

/** The comment for a stack, no longer than GitHub takes; what doesn't fit is cut from the full difference first. */
export function commentOf(given: Plan, losses: readonly Loss[], options: CommentOptions): string {
    const { stack, commit } = options;
    const plan = { ...given, changes: inOrder(given.changes) };
    const failed = plan.errors.length > 0 || !plan.complete;
    const mandatory = plan.violations.filter(({ mandatory: must }) => must);
    const headline = failed
        ? `### ❌ Preview of ${code(stack)} failed`
        : `### Preview of ${code(stack)}: ${countsOf(plan.changes)}`;
    const parts = [markerOf(stack), headline];
    if (losses.length > 0) parts.push(lossLines(losses));
    const stages = stagesOf(plan);
    // Of one that is lost everything is said.
    const [only] = stages.length === 1 ? stages : [];
    if (stages.length > 0 && !losses.some(({ change }) => change.urn === only?.urn))
        parts.push(stopLines(stages, stack));
    if (failed) {
        const said = plan.errors.length > 0 ? plan.errors.join("\n\n") : "The engine stopped before its summary.";
        parts.push(block("", said.length > 8000 ? `${said.slice(0, 8000)}\n…` : said));
        if (plan.changes.length > 0) parts.push(`Before it failed: ${someCounts(plan.changes)}.`);
    }
    if (plan.violations.length > 0) {
        const rows = plan.violations.map(
            ({ policy, mandatory: must, resource, message }) =>
                `- ${must ? "**mandatory**" : "advice"} ${code(policy)}${resource === "" ? "" : ` on ${code(resource)}`}: ${escape(message)}`,
        );
        parts.push([`#### Policies: ${mandatory.length} mandatory of ${rows.length}`, ...rows].join("\n"));
    }
    if (plan.changes.length > 0) parts.push(components(plan.changes));
    if (plan.outputs.length > 0) parts.push(`Outputs: ${outputWords(plan.outputs, code)}.`);
    if (plan.warnings.length > 0)
        parts.push(folded(`${plan.warnings.length} warnings`, block("", plan.warnings.join("\n\n").slice(0, 4000))));
    parts.push(...(options.sections ?? []));
    const footer = `<sub>${plan.unchanged} resources stay as they are${commit === undefined ? "" : ` · ${code(commit)}`}</sub>`;

    const short = fit(parts, COMMENT_LIMIT - footer.length - 200);
    const room = COMMENT_LIMIT - short.length - footer.length - 200;
    const full = fullDifference(plan.changes, room);
    return [short, ...(full === undefined ? [] : [full]), footer].join("\n\n");
}

/** What fits of the parts, in their order. One with blocks or folds that doesn't is left out whole: cut, it would swallow what follows. */
function fit(parts: readonly string[], room: number): string {
    const note = "… cut: the rest is in the preview's log.";
    const kept: string[] = [];
    let left = room - note.length;
    let isCut = false;
    for (const part of parts) {
        let fitting: string | undefined = part;
        if (part.length + 2 > left) {
            isCut = true;
            const end = part.lastIndexOf("\n", left - 2);
            fitting = end <= 0 || /^(`{3,}|<details)/m.test(part) ? undefined : part.slice(0, end);
        }
        if (fitting === undefined) continue;
        kept.push(fitting);
        left -= fitting.length + 2;
    }
    return [...kept, ...(isCut ? [note] : [])].join("\n\n");
}

/** What fits of all that differs; the caller leaves room for the note on the rest. */
function fullDifference(changes: readonly Change[], room: number): string | undefined {
    if (changes.length === 0) return undefined;
    const kept: string[] = [];
    let length = 0;
    for (const change of changes) {
        const lines = changeLines(change).join("\n");
        if (length + lines.length > room - 300) continue;
        kept.push(lines);
        length += lines.length + 2;
    }
    const left = changes.length - kept.length;
    const rest = `${left} more resources: the preview's log has them.`;
    if (kept.length === 0) return rest;
    return folded("Full difference", block("diff", kept.join("\n\n")) + (left === 0 ? "" : `\n\n${rest}`));
}

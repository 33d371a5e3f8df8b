/** What a preview of a change's stacks came to, as files: one comment per stack, and a report that programs read. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { livesInLab } from "../toolchain/stacks";
import { code } from "../toolchain/markdown";
import { COMMENT_LIMIT, markerOf, stackOfComment } from "./comment";
import type { Operation } from "./plan";
import { ownBodies, type Posted, type PullRequest, postComment } from "./github";

/** Exit codes of `npm run preview:pr`. */
export const EXIT = { harmless: 0, failed: 1, risky: 2 } as const;

export interface StackReport {
    readonly stack: string;
    /**
     * `untouched`: not previewed, the change can't alter it. `absent`: not previewed, the backend has no such stack yet.
     * `unchanged`: previewed, nothing differs. `harmless`: differs, nothing is lost without having been announced. `risky`:
     * something is. `failed`: the preview ended with an error, or a mandatory policy is violated.
     */
    readonly outcome: "untouched" | "absent" | "unchanged" | "harmless" | "risky" | "failed";
    /** How many resources each operation is for. */
    readonly counts: Readonly<Partial<Record<Operation, number>>>;
    /** Stateful resources that are replaced, deleted, or emptied by an update. */
    readonly losses: readonly {
        readonly name: string;
        readonly type: string;
        readonly operation: Operation;
        readonly announced: boolean;
    }[];
    /** What a month costs before and after the change, where that differs. */
    readonly cost?: { readonly currency: string; readonly before: number; readonly after: number };
    /** The comment's text. Undefined when there is nothing to say. */
    readonly comment?: string;
}

export interface Report {
    /** What was previewed, shortened; empty when it failed before that was known. */
    readonly commit: string;
    /** Whether it is about every stack outside the lab: what isn't in it doesn't exist any more. */
    readonly all?: boolean;
    /** Number of the pull request whose workflow made it. */
    readonly pullRequest?: number;
    readonly stacks: readonly StackReport[];
}

const FILE = "report.json";

/** The worst of the stacks decides. */
export function exitCode({ stacks }: Report): number {
    if (stacks.some(({ outcome }) => outcome === "failed")) return EXIT.failed;
    return stacks.some(({ outcome }) => outcome === "risky") ? EXIT.risky : EXIT.harmless;
}

/** Where the picture of a stack is drawn. */
export const pictureFile = (folder: string, stack: string): string => join(folder, `${stack}.svg`);

/** Writes `report.json`, and a Markdown file for each stack that has a comment; of the others none stays that an earlier run wrote. */
export function writeReport(folder: string, report: Report): void {
    mkdirSync(folder, { recursive: true });
    for (const { stack, comment } of report.stacks) {
        const file = join(folder, `${stack}.md`);
        if (comment === undefined) rmSync(file, { force: true });
        else writeFileSync(file, `${comment}\n`);
    }
    writeFileSync(join(folder, FILE), `${JSON.stringify(report, undefined, 2)}\n`);
}

/**
 * Reads what {@link writeReport} wrote. The file may come from a pull request that nobody has looked at yet, so nothing in it
 * is taken for granted.
 * @throws Error that names the file when it is none of these
 */
export function readReport(folder: string): Report {
    const file = join(folder, FILE);
    let report: unknown;
    try {
        report = JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        throw new Error(noReport(file), { cause: error });
    }
    if (!isReport(report)) throw new Error(noReport(file));
    return report;
}

const noReport = (file: string): string => `${file} is no report of \`npm run preview:pr -- --output\``;

function isReport(value: unknown): value is Report {
    const stacks = isObject(value) ? value["stacks"] : undefined;
    return Array.isArray(stacks) && stacks.every(isStackReport);
}

function isStackReport(value: unknown): boolean {
    if (!isObject(value)) return false;
    const { stack, comment } = value;
    if (typeof stack !== "string" || !/^[\w.-]{1,100}$/.test(stack)) return false;
    return comment === undefined || (typeof comment === "string" && comment.startsWith(markerOf(stack)));
}

/** Whether a run got as far as writing a report. */
export function hasReport(folder: string): boolean {
    return existsSync(join(folder, FILE));
}

/**
 * What may be posted of a report that a fork's run made, whose workflow and programs the fork writes: what it says of stacks in the lab,
 * marked as what it is, without mentions and pictures.
 */
export function fromFork(report: Report): Report {
    const stacks = report.stacks
        .filter(({ stack }) => livesInLab(stack))
        .slice(0, 1)
        .map((one) => (one.comment === undefined ? one : { ...one, comment: ofFork(one.stack, one.comment) }));
    return { ...report, all: false, stacks };
}

function ofFork(stack: string, comment: string): string {
    const notice = "> [!NOTE]\n> A fork's run wrote this. Nobody has verified it.";
    const text = comment
        .slice(markerOf(stack).length)
        // A character reference may stand for the sign, or for a letter behind it.
        .replace(/@/g, "@\u200b")
        .replace(/&(?=#|commat)/gi, "&\u200b")
        .replace(/!\[/g, "!\u200b[")
        .replace(/<(?=img|image|picture|video|source|a\b)/gi, "&lt;");
    const head = `${markerOf(stack)}\n\n${notice}`;
    // What follows without an empty line would go on in the notice.
    return `${head}\n\n${text.trimStart()}`.slice(0, COMMENT_LIMIT);
}

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null;
}

/** Says, in place of what earlier commits came to, that a run ended without a report. @param stacks whose run it was; all when undefined */
export async function postMissing(
    target: PullRequest,
    commit: string,
    stacks?: readonly string[],
): Promise<ReadonlyMap<string, Posted>> {
    const posted = new Map<string, Posted>();
    for (const body of await ownBodies(target)) {
        const stack = stackOfComment(body);
        if (stack === undefined || posted.has(stack) || stacks?.includes(stack) === false) continue;
        const text = `### ❌ Preview of ${code(stack)} didn't come to a result\n\nThe run for ${code(commit)} ended before it: its log says why.`;
        posted.set(stack, await postComment(target, markerOf(stack), `${markerOf(stack)}\n\n${text}`));
    }
    return posted;
}

/** Brings a pull request's comments in line with a report. */
export async function postReport(target: PullRequest, report: Report): Promise<ReadonlyMap<string, Posted>> {
    const posted = new Map<string, Posted>();
    for (const { stack, comment } of report.stacks)
        posted.set(stack, await postComment(target, markerOf(stack), comment));
    if (report.all !== true) return posted;
    for (const body of await ownBodies(target)) {
        const stack = stackOfComment(body);
        if (stack === undefined || posted.has(stack) || livesInLab(stack)) continue;
        posted.set(stack, await postComment(target, markerOf(stack), undefined));
    }
    return posted;
}

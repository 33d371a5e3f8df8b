/** The pull request that a workflow or a command line is about. */
import { readFileSync } from "node:fs";
import type { PullRequest } from "./github";
import { type Report, postMissing, postReport } from "./report";

interface EventFile {
    readonly pull_request?: {
        readonly number: number;
        readonly base: { readonly sha: string };
        readonly head: { readonly sha: string };
        readonly labels?: readonly { readonly name: string }[];
        readonly body?: string | null;
    };
}

/** What the pull request's workflow was started with; undefined elsewhere. */
export function workflowEvent(): EventFile["pull_request"] {
    const file = process.env["GITHUB_EVENT_PATH"];
    return file === undefined || file === ""
        ? undefined
        : (JSON.parse(readFileSync(file, "utf8")) as EventFile).pull_request;
}

/** Words that make no command. */
export class UsageError extends Error {}

/**
 * The pull request to post to: its number as given, else of the workflow's event.
 * @throws UsageError with all that is missing
 */
export function pullRequestToPost(number: string | undefined, author: string | undefined): PullRequest {
    const { GITHUB_TOKEN: token, GITHUB_REPOSITORY: repository, GITHUB_API_URL: api } = process.env;
    const wanted = Number(number ?? workflowEvent()?.number);
    const problems = [
        ...(token === undefined || token === "" ? ["GITHUB_TOKEN is not set"] : []),
        ...(/^[\w.-]+\/[\w.-]+$/.test(repository ?? "") ? [] : ["GITHUB_REPOSITORY has to be owner/name"]),
        ...(Number.isInteger(wanted) && wanted > 0 ? [] : ["--pull-request has to be the pull request's number"]),
    ];
    if (problems.length > 0) throw new UsageError(`Can't post: ${problems.join("; ")}`);
    return {
        api: api === undefined || api === "" ? "https://api.github.com" : api,
        repository: repository ?? "",
        number: wanted,
        token: token ?? "",
        ...(author !== undefined && { author }),
    };
}

/**
 * Which of a commit's pull requests a report is about: one branch may be meant for several bases. Only these are asked for, whatever the
 * report says: whoever wrote it has opened them.
 * @throws UsageError when that can't be told
 */
export function pullRequestOf(candidates: readonly string[], reported: number | undefined): string | undefined {
    if (candidates.length < 2) return candidates[0];
    const found = candidates.find((number) => number === String(reported));
    if (found === undefined)
        throw new UsageError(
            `Can't post: the report doesn't say which of the pull requests ${candidates.join(", ")} it is about`,
        );
    return found;
}

/** That there is no report. */
interface Missing {
    /** The commit that it would have been of. */
    readonly missing: string;
    /** Of which stacks. @default all that have a comment */
    readonly stacks: readonly string[] | undefined;
}

/** Posts a report, or that there is none, and says what became of each comment. */
export async function post(pullRequest: PullRequest, report: Report | Missing): Promise<void> {
    const posted =
        "missing" in report
            ? await postMissing(pullRequest, report.missing, report.stacks)
            : await postReport(pullRequest, report);
    for (const [stack, became] of posted) process.stderr.write(`  ${stack}: comment ${became}\n`);
}

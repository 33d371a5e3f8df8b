/** `npm run preview:pr`: previews the stacks that a change touches; see `help` below and docs/pull-requests.md. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { messageOf } from "../toolchain/errors";
import { perform, runCommandLine } from "../toolchain/commandLine";
import { layOut } from "../graph/cli";
import { root } from "../toolchain/folders";
import { livesInLab } from "../toolchain/stacks";
import { touchedStacks } from "./affected";
import { code } from "../toolchain/markdown";
import { commentOf, markerOf, saysNothing } from "./comment";
import { existingStacks, preview, type Preview } from "./engine";
import { changeSince } from "./git";
import { labelsOf, type PullRequest } from "./github";
import type { Operation, Plan } from "./plan";
import { EXIT, pictureFile, type Report, type StackReport, exitCode, writeReport } from "./report";
import { UsageError, post, pullRequestToPost, workflowEvent } from "./pullRequest";
import { type CostBasis, costBasis, costOf, pictureOf } from "./sections";
import { announcements, lossesOf } from "./stateful";

const help = `Usage: npm run preview:pr -- [options]

Previews every stack that the commits since a base touch, and makes a comment for each.

  --base REF          where the change starts from (default: the pull request's base, else origin/main)
  --stack NAME        this stack, touched or not; can be given several times. Without it: all but \`lab\`
  --label NAME        a label of the pull request; can be given several times
                      (default: those of the workflow's event; in another CI system, with --post, those of the pull request)
  --output FOLDER     writes report.json, the comments and changed pictures there
  --post              posts the comments to the pull request
  --pull-request N    its number (default: that of the workflow's event)
  --author LOGIN      who writes the comments (default: github-actions[bot])

Exit code 0: nothing is lost. 2: a stateful resource is replaced, deleted or emptied, and the change doesn't announce it. 1: failed.
Without --output and --post the comments go to standard output.
--post reads GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL from the environment.
`;

function allStacks(): string[] {
    return readdirSync(root)
        .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
        .sort();
}

/**
 * What a stack's plan comes to.
 * @param more what is known beside the plan, and further sections of the comment
 */
export function stackReport(
    stack: string,
    plan: Plan,
    change: { readonly commit?: string; readonly messages: readonly string[]; readonly labels: readonly string[] },
    more: { readonly cost?: StackReport["cost"]; readonly sections?: readonly string[] } = {},
): StackReport {
    const losses = lossesOf(plan, announcements(change.messages, change.labels));
    const counts: Partial<Record<Operation, number>> = {};
    for (const { operation } of plan.changes) counts[operation] = (counts[operation] ?? 0) + 1;
    const failed = plan.errors.length > 0 || !plan.complete || plan.violations.some(({ mandatory }) => mandatory);
    const outcome = failed
        ? "failed"
        : losses.some(({ announced }) => !announced)
          ? "risky"
          : plan.changes.length > 0 || plan.outputs.length > 0
            ? "harmless"
            : "unchanged";
    return {
        stack,
        outcome,
        counts,
        losses: losses.map(({ change: { name, type, operation }, announced }) => ({
            name,
            type,
            operation,
            announced,
        })),
        ...(more.cost !== undefined && { cost: more.cost }),
        ...(!saysNothing(plan) && {
            comment: commentOf(plan, losses, {
                stack,
                ...(change.commit !== undefined && { commit: change.commit }),
                sections: more.sections ?? [],
            }),
        }),
    };
}

/** Where a reader of the comment finds what the workflow has written; undefined elsewhere. */
function drawingOf(stack: string): string | undefined {
    const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = process.env;
    return server === undefined || repository === undefined || run === undefined
        ? undefined
        : `<sub>Drawn: \`${stack}.svg\` in [the run's artifacts](${server}/${repository}/actions/runs/${run}#artifacts)</sub>`;
}

function parse(words: readonly string[]) {
    return parseArgs({
        args: [...words],
        options: {
            base: { type: "string" },
            stack: { type: "string", multiple: true },
            label: { type: "string", multiple: true },
            output: { type: "string" },
            post: { type: "boolean", default: false },
            "pull-request": { type: "string" },
            author: { type: "string" },
        },
    }).values;
}

/** A report with costs and a picture; the picture is drawn into the folder that reports go to. */
export async function reportOf(
    stack: string,
    { plan, states }: Preview,
    change: About,
    basis: () => CostBasis,
    output?: string,
): Promise<StackReport> {
    if (plan.errors.length > 0 || !plan.complete) return stackReport(stack, plan, change);
    const costs = costOf(states, basis);
    const picture = pictureOf(states, output === undefined ? undefined : drawingOf(stack));
    if (output !== undefined && picture.dot !== undefined) {
        mkdirSync(output, { recursive: true });
        writeFileSync(pictureFile(output, stack), await layOut(picture.dot));
    }
    const sections = [costs.section, picture.section].filter((section) => section !== undefined);
    return stackReport(stack, plan, change, { ...costs, sections });
}

type About = Parameters<typeof stackReport>[2];

/** What all previews of a run go by. */
interface Asked {
    readonly about: About & { readonly commit: string };
    readonly files: readonly string[];
}

/** @param pullRequest undefined where nothing is posted */
async function ask(options: ReturnType<typeof parse>, pullRequest: PullRequest | undefined): Promise<Asked> {
    const event = workflowEvent();
    const change = await changeSince(options.base ?? event?.base.sha ?? "origin/main", root);
    const labels =
        options.label ??
        event?.labels?.map(({ name }) => name) ??
        (pullRequest === undefined ? [] : await labelsOf(pullRequest));
    const messages = [...change.messages, event?.body ?? ""];
    // What is checked out in a workflow is the merge, which nobody knows by its name.
    const commit = event?.head.sha.slice(0, change.commit.length) ?? change.commit;
    return { about: { commit, messages, labels }, files: change.files };
}

/** The report of a stack that no preview came to: without one, the comment of an earlier commit would stay as if it were of this one. */
export function failedReport(stack: string, error: unknown, about?: About): StackReport {
    const plan: Plan = {
        changes: [],
        unchanged: 0,
        outputs: [],
        errors: [messageOf(error)],
        warnings: [],
        violations: [],
        complete: false,
    };
    return stackReport(stack, plan, about ?? { messages: [], labels: [] });
}

/** The report of a stack that the repository has settings for and the backend doesn't know: its comment is for whoever changes these. */
export function absentReport(stack: string, files: readonly string[]): StackReport {
    const said = `### Preview of ${code(stack)}: the stack doesn't exist yet\n\n${code(`npm run pulumi -- stack init ${stack}`)} makes it; then its preview shows here.`;
    return {
        stack,
        outcome: "absent",
        counts: {},
        losses: [],
        ...(files.includes(`Pulumi.${stack}.yaml`) && { comment: `${markerOf(stack)}\n\n${said}` }),
    };
}

/** @throws UsageError for a stack that doesn't exist */
async function makeReport(options: ReturnType<typeof parse>, pullRequest: PullRequest | undefined): Promise<Report> {
    const stacks = allStacks();
    const unknown = (options.stack ?? []).filter((stack) => !stacks.includes(stack));
    if (unknown.length > 0)
        throw new UsageError(
            `--stack: there is no Pulumi.${unknown.join(".yaml, no Pulumi.")}.yaml; stacks: ${stacks.join(", ")}`,
        );
    const candidates = options.stack ?? stacks.filter((stack) => !livesInLab(stack));
    const all = options.stack === undefined;
    // An earlier run's would look like this one's, wherever this one has none.
    if (options.output !== undefined)
        for (const stack of candidates) rmSync(pictureFile(options.output, stack), { force: true });
    let asked: Asked;
    try {
        asked = await ask(options, pullRequest);
    } catch (error) {
        if (candidates.length === 0) throw error;
        process.stderr.write(`${messageOf(error)}\n`);
        return { commit: "", all, ...ofPullRequest(), stacks: candidates.map((stack) => failedReport(stack, error)) };
    }
    const { about, files } = asked;
    const touched = new Set(options.stack ?? touchedStacks(files, candidates));
    const reports: StackReport[] = [];
    // One that is asked for by its name and isn't there is an error, which the engine has words for.
    const known =
        options.stack !== undefined || touched.size === 0 ? touched : await existingStacks().catch(() => touched);
    for (const stack of candidates) {
        if (!touched.has(stack)) {
            reports.push({ stack, outcome: "untouched", counts: {}, losses: [] });
            continue;
        }
        if (!known.has(stack)) {
            reports.push(absentReport(stack, files));
            continue;
        }
        process.stderr.write(`… Preview ${stack}\n`);
        try {
            reports.push(await reportOf(stack, await preview(stack), about, costBasis, options.output));
        } catch (error) {
            process.stderr.write(`${messageOf(error)}\n`);
            reports.push(failedReport(stack, error, about));
        }
    }
    return { commit: about.commit, all, ...ofPullRequest(), stacks: reports };
}

/** Which one a workflow runs for: a commit alone may be in several. */
function ofPullRequest(): Pick<Report, "pullRequest"> {
    const pullRequest = workflowEvent()?.number;
    return pullRequest === undefined ? {} : { pullRequest };
}

async function run(options: ReturnType<typeof parse>): Promise<number> {
    const pullRequest = options.post ? pullRequestToPost(options["pull-request"], options.author) : undefined;
    const report = await makeReport(options, pullRequest);
    if (options.output !== undefined) writeReport(options.output, report);
    for (const { stack, outcome } of report.stacks) process.stderr.write(`  ${stack}: ${outcome}\n`);
    if (pullRequest !== undefined) {
        await post(pullRequest, report);
    } else if (options.output === undefined) {
        for (const { comment } of report.stacks) if (comment !== undefined) process.stdout.write(`${comment}\n\n`);
    }
    return exitCode(report);
}

export function main(words: readonly string[]): Promise<number> {
    return perform({ help, misused: EXIT.failed, parse, run }, words);
}

if (require.main === module) runCommandLine(main, EXIT.failed);

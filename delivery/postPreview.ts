/** `npm run preview:post`: posts what `npm run preview:pr -- --output` wrote, from a run that may have had no right to. */
import { parseArgs } from "node:util";
import { perform, runCommandLine } from "../toolchain/commandLine";
import { post, pullRequestOf, pullRequestToPost } from "./pullRequest";
import { EXIT, fromFork, hasReport, readReport } from "./report";

const help = `Usage: npm run preview:post -- --from FOLDER [options]

Posts the comments that \`npm run preview:pr -- --output FOLDER\` wrote.

  --from FOLDER      where they are
  --pull-request N   the pull request's number (default: that of the workflow's event). Of several, the one that the report names
  --commit SHA       what was previewed: without a report, the comments of earlier commits are replaced by saying so
  --stack NAME       whose comments these are, where each stack has a run of its own (default: all); can be given several times
  --fork             a fork's run wrote the folder: only what it says of the lab is posted, as nobody's word
  --author LOGIN     who writes the comments (default: github-actions[bot])

Reads GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL from the environment.
`;

export interface Options {
    readonly from: string;
    readonly pullRequests: readonly string[];
    readonly commit: string | undefined;
    /** @default all */
    readonly stacks: readonly string[] | undefined;
    readonly fork: boolean;
    readonly author: string | undefined;
}

/** @throws Error for words that say not what is to be posted */
export function parseOptions(words: readonly string[]): Options {
    const { values } = parseArgs({
        args: [...words],
        options: {
            from: { type: "string" },
            "pull-request": { type: "string", multiple: true, default: [] },
            commit: { type: "string" },
            stack: { type: "string", multiple: true },
            fork: { type: "boolean", default: false },
            author: { type: "string" },
        },
    });
    if (values.from === undefined || values.from === "") throw new Error("--from is missing: name the folder.");
    const { from, commit, stack: stacks, fork, author } = values;
    return { from, commit, stacks, fork, author, pullRequests: values["pull-request"] };
}

async function run({ from, pullRequests, commit, stacks, fork, author }: Options): Promise<number> {
    if (commit !== undefined && !hasReport(from)) {
        for (const number of pullRequests.length === 0 ? [undefined] : pullRequests)
            await post(pullRequestToPost(number, author), { missing: commit.slice(0, 7), stacks });
        return EXIT.harmless;
    }
    const report = readReport(from);
    const target = pullRequestToPost(pullRequestOf(pullRequests, report.pullRequest), author);
    await post(target, fork ? fromFork(report) : report);
    return EXIT.harmless;
}

export function main(words: readonly string[]): Promise<number> {
    return perform({ help, misused: EXIT.failed, parse: parseOptions, run }, words);
}

if (require.main === module) runCommandLine(main, EXIT.failed);

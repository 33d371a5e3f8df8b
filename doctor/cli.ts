/** `npm run doctor`: examines a stack's hosts and services, and changes nothing. docs/doctor.md. */
import { runCommandLine } from "../toolchain/commandLine";
import { stackOf } from "../toolchain/stacks";
import { diagnose } from "./diagnose";
import { formatReport } from "./report";

const help = `Usage: npm run doctor -- [--stack NAME] [--all | --json]

  --stack NAME   the stack to examine (default: PULUMI_STACK, else "lab")
  --all          lists what is well and what was skipped, too
  --json         prints all findings as JSON; docs/doctor.md describes it

Exit codes: 0 nothing is wrong; 1 something is; 2 called wrongly, or nothing could be examined.
`;

const EXIT_WRONG = 1;
const EXIT_UNABLE = 2;

interface Options {
    readonly stack: string;
    readonly all: boolean;
    readonly json: boolean;
}

/** @returns undefined for words that are not known */
export function parseOptions(words: readonly string[], env: NodeJS.ProcessEnv): Options | undefined {
    let stack: string | undefined;
    let [all, json] = [false, false];
    const rest = [...words];
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
        if (word === "--all") all = true;
        else if (word === "--json") json = true;
        else if (word === "--stack" || word === "-s") stack = rest.shift() ?? "-";
        else if (word.startsWith("--stack=")) stack = word.slice("--stack=".length);
        else return undefined;
        if (stack === "" || stack?.startsWith("-") === true) return undefined;
    }
    if (all && json) return undefined;
    return { stack: stackOf(stack, env), all, json };
}

async function main(words: readonly string[]): Promise<number> {
    if (words.some((word) => ["help", "--help", "-h"].includes(word))) {
        process.stdout.write(help);
        return 0;
    }
    const options = parseOptions(words, process.env);
    if (options === undefined) {
        process.stderr.write(help);
        return EXIT_UNABLE;
    }
    const report = await diagnose(options.stack);
    process.stdout.write(
        options.json ? `${JSON.stringify(report, undefined, 2)}\n` : `${formatReport(report, options.all)}\n`,
    );
    return report.healthy ? 0 : EXIT_WRONG;
}

if (require.main === module) runCommandLine(main, EXIT_UNABLE);

/** `npm run doctor`: examines a stack's hosts and services, and changes nothing. docs/doctor.md. */
import { parseArgs } from "node:util";
import { perform, runCommandLine } from "../toolchain/commandLine";
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

/** @throws Error for words that ask for no examination */
export function parseOptions(words: readonly string[], env: NodeJS.ProcessEnv): Options {
    const { values } = parseArgs({
        args: [...words],
        options: {
            stack: { type: "string", short: "s" },
            all: { type: "boolean", default: false },
            json: { type: "boolean", default: false },
        },
    });
    if (values.all && values.json) throw new Error("--all and --json exclude each other: JSON has all findings.");
    return { ...values, stack: stackOf(values.stack, env) };
}

async function run({ stack, all, json }: Options): Promise<number> {
    const report = await diagnose(stack);
    process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : `${formatReport(report, all)}\n`);
    return report.healthy ? 0 : EXIT_WRONG;
}

function main(words: readonly string[]): Promise<number> {
    return perform({ help, misused: EXIT_UNABLE, parse: (given) => parseOptions(given, process.env), run }, words);
}

if (require.main === module) runCommandLine(main, EXIT_UNABLE);

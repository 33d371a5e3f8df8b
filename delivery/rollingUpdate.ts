/** `npm run rolling-update`: `pulumi up` for changes that stop hosts, one host at a time; docs/rolling-updates.md. */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { diagnose } from "../doctor/diagnose";
import type { Finding } from "../doctor/findings";
import { formatReport, type Report } from "../doctor/report";
import { agreed, perform, runCommandLine } from "../toolchain/commandLine";
import { policyPackArguments } from "../toolchain/policyPack";
import { pulumiOutput, startPulumi } from "../toolchain/pulumi";
import { foreground } from "../toolchain/run";
import { LAB_STACK, stackOf } from "../toolchain/stacks";
import { countsOf } from "./comment";
import { previewStack } from "./engine";
import { type Plan, problemOf } from "./plan";
import { describeStage, type Stage, stagesOf } from "./stages";
import { lossesOf } from "./stateful";

const help = `Usage: npm run rolling-update -- [--stack NAME] [--replace NAME]… [--delete NAME]… [--yes]

Updates a stack. Hosts that the update stops or replaces come one after the other, the next once everything works again.

  --stack NAME     the stack (default: PULUMI_STACK, else "${LAB_STACK}")
  --replace NAME   a stateful resource, such as a host, that may be replaced; can be given several times, * is all of them
  --delete NAME    one that may be deleted
  --yes            doesn't ask

Exit codes: 0 updated, or nothing to update; 1 an update failed, something didn't work again, or a host is left for another run;
2 nothing was changed: called wrongly, refused, or not agreed to.
`;

const EXIT = { updated: 0, failed: 1, refused: 2 } as const;
/** A server with much data takes as long to have all of it again; what takes longer needs somebody to look. */
const SETTLE_MINUTES = 30;
const PAUSE_SECONDS = 5;

interface Options {
    readonly stack: string;
    readonly replace: readonly string[];
    readonly delete: readonly string[];
    readonly yes: boolean;
    /** Arguments that name the policies: whoever is named as to be replaced may be rebuilt. */
    readonly policies: readonly string[];
}

/** @throws Error for words that are not known */
export function parseOptions(words: readonly string[], env: NodeJS.ProcessEnv): Options {
    const { values } = parseArgs({
        args: [...words],
        options: {
            stack: { type: "string", short: "s" },
            replace: { type: "string", multiple: true, default: [] },
            delete: { type: "string", multiple: true, default: [] },
            yes: { type: "boolean", short: "y", default: false },
        },
    });
    return { ...values, stack: stackOf(values.stack, env), policies: policyPackArguments(values.replace) };
}

/** Stops before anything is changed. */
class Refusal extends Error {}
/** Stops on the way; running the command again goes on. */
class Halt extends Error {}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The host whose database server takes writes; undefined when the stack has none. */
async function writerOf(stack: string): Promise<string | undefined> {
    const printed = await pulumiOutput(["stack", "output", "--json", "--stack", stack]);
    const { mysqlSource } = JSON.parse(printed) as { readonly mysqlSource?: { readonly name?: string } };
    return mysqlSource?.name;
}

/** @throws Refusal unless it is clear what would happen, and it may */
async function approved(options: Options): Promise<Plan> {
    const { stack } = options;
    const report = await diagnose(stack);
    if (!report.healthy)
        throw new Refusal(
            `${stack} isn't healthy, and a host less may be one too many:\n\n${formatReport(report, false)}`,
        );
    const plan = await previewStack(stack, [], options.policies);
    const problem = problemOf(plan);
    if (problem !== undefined) throw new Refusal(`The preview of ${stack} failed:\n${problem}`);
    const losses = lossesOf(plan, { replace: new Set(options.replace), delete: new Set(options.delete) });
    const [lost] = losses.filter(({ announced }) => !announced);
    if (lost !== undefined)
        throw new Refusal(
            `${stack} would lose ${lost.what} (${lost.change.operation} ${lost.change.name}). ` +
                `If that is meant: --${lost.announcedAs} ${lost.change.name}`,
        );
    return plan;
}

/** @throws Halt when it fails */
async function up({ stack, policies }: Options, only: readonly string[]): Promise<void> {
    const words = ["up", "--stack", stack, "--yes", "--skip-preview", ...policies, ...only];
    const code = await foreground(await startPulumi(words, ["ignore", "inherit", "inherit"]));
    if (code !== 0) throw new Halt("The update failed: what Pulumi says above tells why.");
}

const keyOf = ({ host, service, step, check }: Finding): string => JSON.stringify([host, service, step, check]);
const isWell = ({ status }: Finding): boolean => status === "ok";

/** What is not as well as it was before: something that failed or couldn't be examined, or a warning that wasn't there. */
export function unsettled({ findings }: Report, before: Report): Finding[] {
    const known = new Set(before.findings.filter((finding) => !isWell(finding)).map(keyOf));
    return findings.filter(
        (finding) => !isWell(finding) && (finding.status === "failed" || !known.has(keyOf(finding))),
    );
}

/** Waits until everything is as well as before. @throws Halt when that takes too long */
async function settle(stack: string, before: Report): Promise<void> {
    const end = Date.now() + SETTLE_MINUTES * 60_000;
    for (;;) {
        const report = await diagnose(stack);
        const open = unsettled(report, before);
        if (open.length === 0) return;
        if (Date.now() > end)
            throw new Halt(
                `Not everything works again after ${SETTLE_MINUTES} minutes:\n\n${formatReport(report, false)}`,
            );
        const [{ host, service, check }] = open as [Finding];
        say(
            `Waiting for ${host ?? stack}: ${service}, ${check}${open.length > 1 ? ` and ${open.length - 1} more` : ""}.`,
        );
        await sleep(PAUSE_SECONDS * 1000);
    }
}

/** The database's source last: whatever stops before it, writes go on. */
function inTurn(stages: readonly Stage[], writer: string | undefined): Stage[] {
    return [...stages.filter(({ host }) => host !== writer), ...stages.filter(({ host }) => host === writer)];
}

async function roll(options: Options, plan: Plan): Promise<number> {
    const { stack } = options;
    const all = stagesOf(plan);
    if (all.length > 0 && plan.changes.length > all.length) {
        say(`\nEverything but these hosts:`);
        await up(
            options,
            all.flatMap(({ urn }) => ["--exclude", urn]),
        );
    }
    const writer = all.length === 0 ? undefined : await writerOf(stack);
    const turns = inTurn(all, writer);
    const left = turns.filter(({ host, replaced }) => replaced && host === writer);
    const before = await diagnose(stack);
    for (const [index, stage] of turns.filter((one) => !left.includes(one)).entries()) {
        say(`\n${index + 1} of ${turns.length}: ${describeStage(stage)}`);
        await up(options, ["--target", stage.urn, ...(stage.replaced ? ["--target-dependents"] : [])]);
        await settle(stack, before);
    }
    if (left.length > 0) {
        say(
            `\n${writer!} takes the database's writes and would take its data along: it is left as it is. Name another source, and go on:\n` +
                `  npm run pulumi -- config set --path mysql.source ${turns[0]!.host} --stack ${stack}\n` +
                `  npm run rolling-update -- --stack ${stack} --replace ${writer!}`,
        );
        return EXIT.failed;
    }
    say(`\nWhat follows from it:`);
    await up(options, []);
    await settle(stack, before);
    say(`\n${stack} is updated, and works as before.`);
    return EXIT.updated;
}

async function start(options: Options): Promise<number> {
    const plan = await approved(options);
    if (plan.changes.length === 0) {
        say(`${options.stack} is as its program and its settings say: nothing to update.`);
        return EXIT.updated;
    }
    const stages = stagesOf(plan);
    say(stages.length === 0 ? "No host is stopped." : stages.map(describeStage).join("\n"));
    if (!options.yes) {
        if (!process.stdin.isTTY)
            throw new Refusal(`There is no terminal to ask on whether ${options.stack} is to be updated: say --yes.`);
        if (!(await agreed(`Update ${options.stack}: ${countsOf(plan.changes)}?`))) throw new Refusal("Not agreed to.");
    }
    return roll(options, plan);
}

async function run(options: Options): Promise<number> {
    try {
        return await start(options);
    } catch (error) {
        if (error instanceof Refusal) {
            process.stderr.write(`${error.message}\nNothing was changed.\n`);
            return EXIT.refused;
        }
        if (!(error instanceof Halt)) throw error;
        process.stderr.write(`\n${error.message}\nOnce the cause is gone, the same command goes on.\n`);
        return EXIT.failed;
    }
}

export function main(words: readonly string[]): Promise<number> {
    return perform({ help, misused: EXIT.refused, parse: (given) => parseOptions(given, process.env), run }, words);
}

if (require.main === module) runCommandLine(main, EXIT.failed);

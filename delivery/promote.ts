/** `npm run promote`: gives one stack the program and the versions that another one has proven; docs/promotion.md. */
import { parseArgs } from "node:util";
import { messageOf } from "../toolchain/errors";
import { diagnose } from "../doctor/diagnose";
import { formatReport } from "../doctor/report";
import { agreed, perform, runCommandLine, shellWord } from "../toolchain/commandLine";
import { policyPackArguments } from "../toolchain/policyPack";
import { type HeldSignals, holdSignals, pulumiOutput, startPulumi } from "../toolchain/pulumi";
import { exitCodeOf } from "../toolchain/run";
import type { PrintedConfig } from "../toolchain/settings";
import { livesInLab, projectName } from "../toolchain/stacks";
import { table } from "../toolchain/table";
import { countsOf, summaryOf } from "./comment";
import { previewStack } from "./engine";
import { type Plan, problemOf } from "./plan";
import {
    configWords,
    doubtfulVersions,
    type Difference,
    differenceRows,
    differences,
    goingBack,
    obstacles,
    readSettings,
    type StackSettings,
    unpinned,
    type VersionChange,
    versionChanges,
} from "./promotion";
import { stagesOf } from "./stages";
import { lossesOf } from "./stateful";

const help = `Usage: npm run promote -- --from STACK --to STACK [options]

Brings a stack to the program that is checked out and to the versions that another stack runs.

  --from STACK     has to be converged and healthy; isn't changed
  --to STACK       gets its versions; sizes, names and secrets stay its own
  --replace NAME   a stateful resource that may be replaced; can be given several times, * is all of them
  --delete NAME    one that may be deleted
  --yes            doesn't ask

Exit codes: 0 promoted; 1 the update or the examination after it failed, or settings can't be put back;
2 nothing was changed: called wrongly, refused, not agreed to, interrupted, or failed before the update.
`;

const EXIT = { promoted: 0, failed: 1, refused: 2 } as const;

export interface Options {
    readonly from: string;
    readonly to: string;
    readonly replace: readonly string[];
    readonly delete: readonly string[];
    readonly yes: boolean;
}

/** @throws Error for words that make no promotion */
export function parseOptions(words: readonly string[]): Options {
    const { values } = parseArgs({
        args: [...words],
        options: {
            from: { type: "string" },
            to: { type: "string" },
            replace: { type: "string", multiple: true, default: [] },
            delete: { type: "string", multiple: true, default: [] },
            yes: { type: "boolean", short: "y", default: false },
        },
    });
    const { from = "", to = "" } = values;
    for (const [option, stack] of Object.entries({ from, to }))
        if (stack === "" || stack.startsWith("-")) throw new Error(`--${option} is missing: name a stack.`);
    if (from === to) throw new Error(`--from and --to are the same stack, "${from}".`);
    return { ...values, from, to };
}

/** Stops a promotion before anything is changed. */
class Refusal extends Error {}
/** The stack's settings are neither what they were nor what was promoted. */
class LeftBehind extends Error {}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function settingsOf(stack: string): Promise<StackSettings> {
    const printed = await pulumiOutput(["config", "--json", "--show-secrets", "--stack", stack]);
    const read = readSettings(JSON.parse(printed) as PrintedConfig, projectName());
    const secretVersions = new Set<string>();
    for (const key of doubtfulVersions(read)) {
        const one = await pulumiOutput(["config", "get", "--path", key, "--json", "--stack", stack]);
        if ((JSON.parse(one) as { readonly secret: boolean }).secret) secretVersions.add(key);
    }
    return { ...read, secretVersions };
}

async function apply(changes: readonly VersionChange[], stack: string): Promise<void> {
    for (const change of changes)
        await pulumiOutput(configWords(change, stack), change.secret ? change.value : undefined);
}

/** @throws Refusal unless what the stack runs is what its program and its settings say, and works */
async function proven(stack: string): Promise<void> {
    say(`Is ${stack} as its program and its settings say?`);
    const plan = await previewStack(stack);
    const problem = problemOf(plan);
    if (problem !== undefined) throw new Refusal(`The preview of ${stack} failed:\n${problem}`);
    if (plan.changes.length > 0)
        throw new Refusal(
            `${stack} isn't converged (${countsOf(plan.changes)}), so what it runs proves nothing about what would be promoted. ` +
                `\`npm run pulumi -- up --stack ${stack}\` brings it to what is checked out.`,
        );
    const report = await diagnose(stack);
    if (!report.healthy) throw new Refusal(`${stack} isn't healthy:\n\n${formatReport(report, false)}`);
    say(`${stack} is converged and healthy.\n`);
}

/** The commit of a stack's last update that succeeded; undefined when the backend doesn't know. */
async function lastCommit(stack: string): Promise<string | undefined> {
    const printed = await pulumiOutput(["stack", "history", "--json", "--stack", stack]);
    const updates = (JSON.parse(printed) ?? []) as {
        readonly kind: string;
        readonly result: string;
        readonly environment?: Readonly<Record<string, string>>;
    }[];
    return updates.find(({ kind, result }) => kind === "update" && result === "succeeded")?.environment?.["git.head"];
}

function wayBack(found: readonly Difference[], to: string): string[] {
    return goingBack(found).map((change) => {
        const asked = change.secret && change.value !== undefined ? "   # asks for the value that it had" : "";
        return `  npm run pulumi -- ${configWords(change, to).map(shellWord).join(" ")}${asked}`;
    });
}

/** What a failed promotion leaves behind, and the way back. */
export function aftermath(
    { from, to }: Pick<Options, "from" | "to">,
    state: string,
    found: readonly Difference[],
    commit: string | undefined,
): string {
    const versions = wayBack(found, to);
    const file = `Pulumi.${to.split("/").at(-1)}.yaml`;
    // git checks nothing out over the promoted versions, and at the commit the file is older than what was promoted to it then.
    const [aside, back] = livesInLab(to) ? [[], []] : [[`  mv ${file} ${file}.kept`], [`  mv ${file}.kept ${file}`]];
    return [
        `${from}: untouched, converged and healthy.`,
        `${to}: ${state}${versions.length === 0 ? "" : " Its settings have the promoted versions."}`,
        "",
        `\`npm run promote -- --from ${from} --to ${to}\` goes on once the cause is gone. Back to what ${to} ran before:`,
        ...aside,
        ...(commit === undefined
            ? ["  check out the commit that it was updated from last (its backend doesn't know it)"]
            : [`  git checkout ${commit}`]),
        ...back,
        ...versions,
        `  npm run pulumi -- up --stack ${to}`,
    ].join("\n");
}

async function stateAfterFailure(to: string): Promise<string> {
    const plan = await previewStack(to).catch(() => undefined);
    if (plan === undefined || problemOf(plan) !== undefined)
        return "the update failed, and what is left of it can't be told.";
    return `the update failed; still to be done: ${countsOf(plan.changes)}.`;
}

/** Previews `to` with its new versions, and asks. @throws Refusal when it isn't to be */
async function approve(options: Options, stopped: AbortSignal): Promise<Plan> {
    const { to } = options;
    say(`Preview of ${to}:`);
    const plan = await previewStack(to);
    const problem = problemOf(plan);
    if (problem !== undefined) throw new Refusal(`The preview of ${to} failed:\n${problem}`);
    const losses = lossesOf(plan, { replace: new Set(options.replace), delete: new Set(options.delete) });
    for (const { change, what, announced } of losses)
        say(`${announced ? "As announced" : "NOT ANNOUNCED"}: ${change.operation} ${change.name}. Lost: ${what}.`);
    const [lost] = losses.filter(({ announced }) => !announced);
    if (lost !== undefined)
        throw new Refusal(
            `${to} would lose what can't be made again. If that is meant: --${lost.announcedAs} ${lost.change.name}`,
        );
    const stages = stagesOf(plan);
    if (stages.length > 1)
        throw new Refusal(
            `${stages.map(({ host }) => host).join(", ")} would stop at the same time. ` +
                `\`npm run rolling-update -- --stack ${to}\` first makes the changes of ${to} itself, one host after the other; without \`hosts.rebuildOn\` ` +
                "hosts keep their image when another one is promoted.",
        );
    if (!options.yes) {
        if (!process.stdin.isTTY)
            throw new Refusal(`There is no terminal to ask on whether ${to} is to be updated: say --yes.`);
        if (!(await agreed(`Update ${to}: ${summaryOf(plan)}?`, stopped))) throw new Refusal("Not agreed to.");
    }
    return plan;
}

interface Agreed {
    readonly plan: Plan;
    readonly found: readonly Difference[];
    /** Of the last update of the stack that is promoted to. */
    readonly commit: string | undefined;
}

/** @throws LeftBehind when it fails */
async function putBack(found: readonly Difference[], to: string): Promise<void> {
    try {
        await apply(goingBack(found), to);
    } catch (error) {
        throw new LeftBehind(
            `${messageOf(error)}\nThe settings of ${to} may still have promoted versions. Back to its own:\n${wayBack(found, to).join("\n")}`,
            { cause: error },
        );
    }
}

/**
 * All that comes before the update.
 * @param hold called before the first setting is changed
 * @throws LeftBehind when settings couldn't be put back; any other error leaves everything as it was
 */
async function prepare(options: Options, hold: () => HeldSignals): Promise<Agreed> {
    const { from, to } = options;
    const [source, target] = [await settingsOf(from), await settingsOf(to)];
    const inTheWay = obstacles(source, target, options);
    if (inTheWay.length > 0) throw new Refusal(inTheWay.join("\n"));
    await proven(from);
    const found = differences(source, target);
    say(found.length === 0 ? "Both stacks have the same settings." : table(differenceRows(found, from, to)));
    const open = unpinned(source);
    if (open.length > 0)
        say(`\nNot pinned in ${from}: ${open.join(", ")}. New hosts install what their repositories have by then.`);
    say("");

    const commit = await lastCommit(to);
    const { came } = hold();
    try {
        await apply(versionChanges(found), to);
        const plan = await approve(options, came);
        if (came.aborted) throw new Refusal("Interrupted.");
        return { plan, found, commit };
    } catch (error) {
        await putBack(found, to);
        throw error;
    }
}

async function promote(options: Options): Promise<number> {
    let signals: HeldSignals | undefined;
    const hold = (): HeldSignals => (signals = holdSignals());
    try {
        const agreement = await prepare(options, hold).catch((error: unknown) => {
            if (error instanceof LeftBehind) throw error;
            throw new Refusal(messageOf(error), { cause: error });
        });
        return await carryOut(options, agreement);
    } finally {
        signals?.release();
    }
}

async function carryOut(options: Options, { plan, found, commit }: Agreed): Promise<number> {
    const { from, to } = options;
    // Also for outputs, for what only the state says of resources, and for the commit that the backend then knows.
    if (plan.changes.length === 0) say(`No resource of ${to} differs. Its outputs and its state are updated:`);
    const up = ["up", "--stack", to, "--yes", "--skip-preview", ...policyPackArguments()];
    if ((await exitCodeOf(await startPulumi(up, ["ignore", "inherit", "inherit"]))) !== 0) {
        say(`\n${aftermath(options, await stateAfterFailure(to), found, commit)}`);
        return EXIT.failed;
    }
    const report = await diagnose(to).catch((error: unknown) => String(error));
    if (typeof report === "string" || !report.healthy) {
        say(`\n${typeof report === "string" ? report : formatReport(report, false)}\n`);
        say(aftermath(options, "updated, but not healthy.", found, commit));
        return EXIT.failed;
    }
    say(`\n${to} runs what ${from} has proven, and is healthy (${report.counts.ok} checks).`);
    return EXIT.promoted;
}

async function run(options: Options): Promise<number> {
    try {
        return await promote(options);
    } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        process.stderr.write(`${error.message}\nNothing was changed.\n`);
        return EXIT.refused;
    }
}

export function main(words: readonly string[]): Promise<number> {
    return perform({ help, misused: EXIT.refused, parse: parseOptions, run }, words);
}

if (require.main === module) runCommandLine(main, EXIT.failed);

/** `npm run rolling-update`: `pulumi up` for changes that stop hosts, one host at a time; docs/rolling-updates.md. */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { diagnose } from "../doctor/diagnose";
import type { Finding } from "../doctor/findings";
import { formatReport, type Report } from "../doctor/report";
import { agreed, perform, runCommandLine, shellWord } from "../toolchain/commandLine";
import { messageOf } from "../toolchain/errors";
import { policyPackArguments } from "../toolchain/policyPack";
import { pulumiOutput, startPulumi } from "../toolchain/pulumi";
import { foreground } from "../toolchain/run";
import { LAB_STACK, stackOf } from "../toolchain/stacks";
import { summaryOf } from "./comment";
import { preview } from "./engine";
import { type Plan, problemOf } from "./plan";
import { describeStage, type Stage, stagesOf } from "./stages";
import { lossesOf } from "./stateful";
import type { States } from "./states";

const help = `Usage: npm run rolling-update -- [--stack NAME] [--replace NAME]… [--delete NAME]… [--yes]

Updates a stack. Hosts that the update stops or replaces come one after the other, the next once everything works again.

  --stack NAME     the stack (default: PULUMI_STACK, else "${LAB_STACK}")
  --replace NAME   a stateful resource, such as a host, that may be replaced; can be given several times, * is all of them
  --delete NAME    one that may be deleted
  --yes            doesn't ask

Exit codes: 0 updated; 1 an update failed, something didn't work again, or a host is left for another run;
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
    return { ...values, stack: stackOf(values.stack, env) };
}

/** Stops on the way; running the command again goes on. */
class Halt extends Error {}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The command again, for the same losses and more. */
function again({ stack, replace, delete: deleted }: Options, more: readonly string[] = []): string {
    const named = [...new Set([...replace, ...more])].map((name) => ` --replace ${shellWord(name)}`);
    return `npm run rolling-update -- --stack ${stack}${named.join("")}${deleted.map((name) => ` --delete ${shellWord(name)}`).join("")}`;
}

interface Servers {
    /** The host whose database server takes writes; undefined when the stack has none. */
    readonly writer: string | undefined;
    readonly replicas: readonly string[];
}

async function databaseOf(stack: string): Promise<Servers> {
    const printed = await pulumiOutput(["stack", "output", "--json", "--stack", stack]);
    const { mysqlSource, mysqlReplicas = [] } = JSON.parse(printed) as {
        readonly mysqlSource?: { readonly name: string };
        readonly mysqlReplicas?: readonly { readonly name: string }[];
    };
    return { writer: mysqlSource?.name, replicas: mysqlReplicas.map(({ name }) => name) };
}

/** What a run goes by. */
interface Course {
    readonly options: Options;
    /** Arguments that name the policies. Which hosts may be replaced is judged here, by what the plan would lose. */
    readonly policies: readonly string[];
    readonly plan: Plan;
    readonly stages: readonly Stage[];
    /** Those that are down: an earlier run ended in the middle of them. */
    readonly broken: readonly Stage[];
    /** What the doctor found before anything was changed. */
    readonly before: Report;
}

/** That the last update failed: what it didn't come to is missing, and the remedy is to go on. */
const isHistory = ({ service, check, status }: Finding): boolean =>
    service === "stack" && check === "updates" && status === "failed";
const isUnfinished = (report: Report): boolean => report.findings.some(isHistory);

/** The stages whose hosts are down. @throws Error when something has failed that follows neither from that nor from an update that was cut off */
function brokenOf(report: Report, stages: readonly Stage[]): Stage[] {
    const failed = report.findings.filter((finding) => finding.status === "failed" && !isHistory(finding));
    const down = new Set(failed.filter(({ check }) => check === "login").map(({ host }) => host));
    const broken = stages.filter(({ host }) => down.has(host));
    const follows = ({ host }: Finding): boolean =>
        host === null ? broken.length > 0 : broken.some((stage) => stage.host === host);
    // What it left undone is done before any host stops, and then everything has to be well.
    const unfinished = isUnfinished(report);
    const isCutOff = ({ check }: Finding): boolean => unfinished && check !== "login";
    if (failed.every((finding) => follows(finding) || isCutOff(finding))) return broken;
    throw new Error(
        `${report.stack} isn't healthy, and a host less may be one too many:\n\n${formatReport(report, false)}`,
    );
}

/**
 * A machine that takes no login may be the one that has all data.
 * @throws Error unless an earlier run of this command can have left it so: it never replaces two at a time, nor the database's source
 */
function requireLeftBehind(broken: readonly Stage[], report: Report, { writer }: Servers): void {
    const replaced = broken.filter((stage) => stage.replaced);
    if (replaced.length === 0) return;
    const names = replaced.map(({ host }) => host).join(", ");
    if (isUnfinished(report) && replaced.length === 1 && replaced[0]!.host !== writer) return;
    throw new Error(
        `${names} would be replaced, and ${replaced.length > 1 ? "take" : "takes"} no login, which no run of this command has caused. ` +
            "What they have last written may be nowhere else: see to them first, or take one that is lost out by `hosts.exclude`.",
    );
}

/** @throws Error that names every loss that the words of the command don't */
function requireAnnounced(options: Options, plan: Plan): void {
    const losses = lossesOf(plan, { replace: new Set(options.replace), delete: new Set(options.delete) });
    const open = losses.filter(({ announced }) => !announced);
    if (open.length === 0) return;
    throw new Error(
        [
            `${options.stack} would lose what can't be made again. What of it is meant has to be named:`,
            ...open.map(({ change, what, announcedAs }) => `  --${announcedAs} ${change.name}   loses ${what}`),
        ].join("\n"),
    );
}

/** @throws Error when a host would be made anew where its data disks can't follow */
function requireDisksInReach(stages: readonly Stage[], { before, after }: States): void {
    const input = (resources: States["before"], urn: string, name: string): unknown =>
        resources.find((resource) => resource.urn === urn)?.inputs?.[name];
    const instances = new Map(before.map(({ urn, id }) => [urn, id]));
    const holding = new Set(
        before
            .filter(({ type }) => type === "alicloud:ecs/ecsDiskAttachment:EcsDiskAttachment")
            .map(({ inputs }) => inputs?.["instanceId"]),
    );
    const moved = stages.filter(
        ({ urn, replaced }) =>
            replaced &&
            holding.has(instances.get(urn) ?? "") &&
            input(before, urn, "vswitchId") !== input(after, urn, "vswitchId"),
    );
    if (moved.length === 0) return;
    throw new Error(
        `${moved.map(({ host }) => host).join(", ")} would be made in another VSwitch than now, where data disks can't follow: ` +
            "name the VSwitch that each has, by `hosts.placement`.",
    );
}

/** Looks at everything and asks. @throws Error when nothing is to be changed */
async function approved(options: Options): Promise<Course> {
    const { stack } = options;
    const before = await diagnose(stack);
    const policies = policyPackArguments(["*"]);
    const { plan, states } = await preview(stack, [], policies);
    const problem = problemOf(plan);
    if (problem !== undefined) throw new Error(`The preview of ${stack} failed:\n${problem}`);
    const stages = stagesOf(plan);
    const broken = brokenOf(before, stages);
    if (broken.length > 0) requireLeftBehind(broken, before, await databaseOf(stack));
    requireAnnounced(options, plan);
    const held = states.before.filter(({ inputs }) => inputs?.["deletionProtection"] === true);
    const protectedHosts = stages.filter(({ urn, replaced }) => replaced && held.some((one) => one.urn === urn));
    if (protectedHosts.length > 0)
        throw new Error(
            `The cloud refuses to delete ${protectedHosts.map(({ host }) => host).join(", ")}: switch \`hosts.deletionProtection\` off, ` +
                "in an update before, without `hosts.rebuildOn`.",
        );
    requireDisksInReach(stages, states);
    if (!options.yes) {
        for (const stage of stages) say(describeStage(stage));
        if (!process.stdin.isTTY)
            throw new Error(`There is no terminal to ask on whether ${stack} is to be updated: say --yes.`);
        if (!(await agreed(`Update ${stack}: ${summaryOf(plan)}?`))) throw new Error("Not agreed to.");
    }
    return { options, policies, plan, stages, broken, before };
}

/** @throws Halt when it fails */
async function up({ options, policies }: Course, only: readonly string[]): Promise<void> {
    const words = ["up", "--stack", options.stack, "--yes", "--skip-preview", ...policies, ...only];
    const code = await foreground(await startPulumi(words, ["ignore", "inherit", "inherit"]));
    if (code !== 0) throw new Halt("The update failed: what Pulumi says above tells why.");
}

/** What a finding is about. What concerns a service as a whole counts by its amount: copies that wait are not the same copies. */
const keyOf = ({ host, service, step, check, detail }: Finding): string =>
    JSON.stringify([host, service, step, check, ...(host === null ? [detail] : [])]);
/** What is not as well as it was before: something that failed, or a warning or something that couldn't be examined where that wasn't so. */
export function unsettled({ findings }: Report, before: Report): Finding[] {
    const isOpen = ({ status }: Finding): boolean => status === "warning" || status === "skipped";
    const known = new Set(before.findings.filter(isOpen).map(keyOf));
    return findings.filter((finding) => finding.status === "failed" || (isOpen(finding) && !known.has(keyOf(finding))));
}

/** Waits until everything is as well as before. @throws Halt when that takes too long */
async function settle({ options: { stack }, before }: Course): Promise<void> {
    const end = Date.now() + SETTLE_MINUTES * 60_000;
    for (;;) {
        const { open, shown } = await look(stack, before);
        if (open.length === 0) return;
        if (Date.now() > end) throw new Halt(`Not everything works again after ${SETTLE_MINUTES} minutes:\n\n${shown}`);
        say(`Waiting for ${open[0]!}${open.length > 1 ? ` and ${open.length - 1} more` : ""}.`);
        await sleep(PAUSE_SECONDS * 1000);
    }
}

/** What isn't as well as before, in words, and all that the doctor says. */
async function look(
    stack: string,
    before: Report,
): Promise<{ readonly open: readonly string[]; readonly shown: string }> {
    try {
        const report = await diagnose(stack);
        const open = unsettled(report, before).map(
            ({ host, service, check }) => `${host ?? stack}: ${service}, ${check}`,
        );
        return { open, shown: formatReport(report, false) };
    } catch (error) {
        return { open: [messageOf(error)], shown: messageOf(error) };
    }
}

async function take(course: Course, { urn, replaced }: Stage): Promise<void> {
    await up(course, ["--target", urn, ...(replaced ? ["--target-dependents"] : [])]);
}

/** What is said of the database's source when it can't be replaced. */
function leave({ options }: Course, { writer, replicas }: Servers): string {
    const [next] = replicas;
    const config = (path: string, value: string): string =>
        `  npm run pulumi -- config set --path mysql.${path} ${value} --stack ${options.stack}`;
    const goOn = `  ${again(options, [writer!])}`;
    // Not by `pulumi up`, which would replace the one that has all data.
    const lines =
        next === undefined
            ? [config("replicas", "1"), `${goOn}   # makes the replica`, config("source", "HOST"), goOn]
            : [config("source", next), goOn];
    return [
        `\n${writer!} takes the database's writes and would take its data along: it is left as it is. Name another source, and go on:`,
        ...lines,
    ].join("\n");
}

async function roll(course: Course): Promise<number> {
    const { options, plan, stages, broken, before } = course;
    // Before everything else: what else is to be done may need them.
    for (const stage of broken) {
        say(`\n${stage.host} is down: it goes first.`);
        await take(course, stage);
    }
    if (broken.length > 0) await settle(course);
    const waiting = stages.filter((stage) => !broken.includes(stage));
    if (waiting.length > 0 && (plan.changes.length > stages.length || isUnfinished(before))) {
        say("\nEverything but these hosts:");
        const excluded = waiting.flatMap(({ urn }) => ["--exclude", urn]);
        await up(course, excluded);
        await settle(course);
    }
    // Only now, since the update before may have made another the source.
    const database = waiting.length === 0 ? { writer: undefined, replicas: [] } : await databaseOf(options.stack);
    const { writer } = database;
    const last = waiting.find(({ host }) => host === writer);
    const turns = waiting.filter((stage) => stage !== last);
    // Whatever stops before it, writes go on.
    if (last !== undefined && !last.replaced) turns.push(last);
    for (const [index, stage] of turns.entries()) {
        say(`\n${index + 1} of ${turns.length}: ${describeStage(stage)}`);
        await take(course, stage);
        await settle(course);
    }
    if (last?.replaced === true) {
        say(leave(course, database));
        return EXIT.failed;
    }
    await finish(course);
    say(`\n${options.stack} is updated, and works as before.`);
    return EXIT.updated;
}

/** What follows from the changes, unless it is more than that by now. @throws Halt */
async function finish(course: Course): Promise<void> {
    const { options, policies, plan: planned, stages } = course;
    // Also for outputs and for what only the state says of resources.
    if (planned.changes.length === 0) say("No resource differs. The stack's outputs and its state are updated:");
    else say("\nWhat follows from it:");
    if (stages.length > 0) {
        const { plan } = await preview(options.stack, [], policies);
        const problem = problemOf(plan);
        if (problem !== undefined) throw new Halt(`The preview of ${options.stack} failed:\n${problem}`);
        const stopped = stagesOf(plan).map(describeStage);
        if (stopped.length > 0)
            throw new Halt(`The program or its settings have changed meanwhile:\n${stopped.join("\n")}`);
    }
    await up(course, []);
    await settle(course);
}

async function run(options: Options): Promise<number> {
    let course: Course;
    try {
        course = await approved(options);
    } catch (error) {
        process.stderr.write(`${messageOf(error)}\nNothing was changed.\n`);
        return EXIT.refused;
    }
    try {
        return await roll(course);
    } catch (error) {
        if (!(error instanceof Halt)) throw error;
        const rebuilding = course.stages.some(({ replaced }) => replaced)
            ? "Not `pulumi up`: it replaces all hosts that are left at the same time, as long as `hosts.rebuildOn` is set.\n"
            : "";
        process.stderr.write(
            `\n${error.message}\nOnce the cause is gone, this goes on:\n  ${again(options)}\n${rebuilding}`,
        );
        return EXIT.failed;
    }
}

export function main(words: readonly string[]): Promise<number> {
    return perform({ help, misused: EXIT.refused, parse: (given) => parseOptions(given, process.env), run }, words);
}

if (require.main === module) runCommandLine(main, EXIT.failed);

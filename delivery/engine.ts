/** Previews through the engine, read from its event log. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { policyPackArguments } from "../toolchain/policyPack";
import { pulumiOutput, startPulumi } from "../toolchain/pulumi";
import { type Plan, planOf, readEvents } from "./plan";
import { dependenciesOf, type States, statesOf } from "./states";

/** How much of the engine's own words is kept for the case that it fails before it logs an event. */
const TAIL = 4000;

/** What a preview says of a stack. */
export interface Preview {
    readonly plan: Plan;
    readonly states: States;
}

/**
 * Arguments of a preview that a comment is made of.
 * @param files where the engine puts its event log, and its plan
 * @param policies those that name the policies
 */
export function previewArguments(
    stack: string,
    files: { readonly log: string; readonly plan: string },
    policies: readonly string[] = policyPackArguments(),
): string[] {
    return [
        "preview",
        "--stack",
        stack,
        "--non-interactive",
        "--suppress-progress",
        "--event-log",
        files.log,
        "--save-plan",
        files.plan,
        ...policies,
    ];
}

/** Without it the engine has no `--event-log`. */
export const previewEnvironment = { PULUMI_DEBUG_COMMANDS: "true" };

/**
 * Previews a stack with `npm run pulumi`. A preview that fails gives a plan with errors.
 * @param args further arguments for `pulumi preview`
 * @param policies those that name the policies
 */
export async function preview(
    stack: string,
    args: readonly string[] = [],
    policies: readonly string[] = policyPackArguments(),
): Promise<Preview> {
    const folder = mkdtempSync(join(tmpdir(), "multihost-preview-"));
    const log = join(folder, "events.json");
    const saved = join(folder, "plan.json");
    try {
        const { code, tail } = await pulumi(
            [...previewArguments(stack, { log, plan: saved }, policies), ...args],
            previewEnvironment,
        );
        const events = readEvents(readIfThere(log));
        const plan = planOf(events);
        const states = statesOf(events, dependenciesOf(readIfThere(saved)));
        return { plan: code === 0 ? plan : failedPlan(plan, tail), states };
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** The project's stacks that the backend has, by the names of their files. @throws Error when it can't be asked */
export async function existingStacks(): Promise<ReadonlySet<string>> {
    const listed = JSON.parse(await pulumiOutput(["stack", "ls", "--json"])) as readonly { readonly name: string }[];
    return new Set(listed.map(({ name }) => name.split("/").at(-1)!));
}

/** The plan of a preview that ended with an error: what the engine said last, where nothing in its log tells why. */
export function failedPlan(plan: Plan, tail: string): Plan {
    const refused = plan.complete && plan.violations.some(({ mandatory }) => mandatory);
    return plan.errors.length > 0 || refused ? plan : { ...plan, errors: [tail.trim()] };
}

/** What a preview finds and what the update would leave. @throws Error when it fails */
export async function previewedStates(stack: string): Promise<States> {
    const { plan, states } = await preview(stack);
    if (plan.errors.length > 0 || !plan.complete)
        throw new Error(`The preview of ${stack} failed:\n${plan.errors.join("\n")}`);
    return states;
}

/** {@link preview} for whoever asks only what is to be done. */
export async function previewStack(stack: string): Promise<Plan> {
    return (await preview(stack)).plan;
}

function readIfThere(file: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return "";
    }
}

/** Runs Pulumi, shows on standard error what it says, and returns how it ended. */
async function pulumi(args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: number; tail: string }> {
    const child = await startPulumi(args, ["ignore", "pipe", "pipe"], env);
    return new Promise((done, fail) => {
        let tail = "";
        const keep = (chunk: Buffer): void => {
            process.stderr.write(chunk);
            tail = (tail + chunk.toString()).slice(-TAIL);
        };
        child.stdout!.on("data", keep);
        child.stderr!.on("data", keep);
        child.on("error", fail);
        child.on("close", (code) => done({ code: code ?? 1, tail }));
    });
}

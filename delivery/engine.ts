/** Previews through the engine, read from its event log. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../toolchain/folders";
import { policyPackArguments } from "../toolchain/policyPack";
import { type Plan, planOf, readEvents } from "./plan";

/** How much of the engine's own words is kept for the case that it fails before it logs an event. */
const TAIL = 4000;

/**
 * Previews a stack with `npm run pulumi`. A preview that fails gives a plan with errors.
 * @param args further arguments for `pulumi preview`
 */
export async function previewStack(stack: string, args: readonly string[] = []): Promise<Plan> {
    const folder = mkdtempSync(join(tmpdir(), "multihost-preview-"));
    const log = join(folder, "events.json");
    try {
        const { code, tail } = await pulumi(
            stack,
            [
                "preview",
                "--stack",
                stack,
                "--non-interactive",
                "--suppress-progress",
                "--event-log",
                log,
                ...policyPackArguments(),
                ...args,
            ],
            { PULUMI_DEBUG_COMMANDS: "true" },
        );
        const plan = planOf(readEvents(readIfThere(log)));
        if (code === 0) return plan;
        const said = plan.errors.length > 0 ? plan.errors : [tail.trim()];
        return { ...plan, errors: said };
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

function readIfThere(file: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return "";
    }
}

/** The stack that runs against the lab on this machine. */
export const LAB_STACK = "lab";

/** Runs Pulumi, shows what it says on standard error, and returns how it ended. */
function pulumi(
    stack: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
): Promise<{ code: number; tail: string }> {
    // The lab may have been brought up by another checkout, whose program it isn't to preview.
    const command = stack === LAB_STACK ? ["lab/cli.ts", "pulumi"] : ["toolchain/pulumi.ts"];
    return new Promise((done, fail) => {
        const child = spawn(process.execPath, [join(root, "toolchain", "bootstrap.mjs"), ...command, ...args], {
            cwd: root,
            env: { ...process.env, ...env },
            stdio: ["ignore", "pipe", "pipe"],
        });
        let tail = "";
        const keep = (chunk: Buffer): void => {
            process.stderr.write(chunk);
            tail = (tail + chunk.toString()).slice(-TAIL);
        };
        child.stdout.on("data", keep);
        child.stderr.on("data", keep);
        child.on("error", fail);
        child.on("close", (code) => done({ code: code ?? 1, tail }));
    });
}

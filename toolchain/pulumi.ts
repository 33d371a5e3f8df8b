/** `npm run pulumi -- <arguments>`: the right Pulumi with the right plugins, and the lab's environment for the lab's stack. */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { chosenStack, inLabProject, labEnvironment } from "./labEnvironment";
import { ensureToolchain } from "./toolchain";

export { ensureToolchain, toolchainProblems, type Origin, type Part, type Toolchain } from "./toolchain";

/** The stack that runs against the lab. */
const labStack = "lab";

/** Starts Pulumi with these arguments, its plugins, and what the stack needs in its environment. */
export async function startPulumi(args: readonly string[], stdio: StdioOptions): Promise<ChildProcess> {
    const { pulumi, env } = await ensureToolchain();
    let lab: Record<string, string> = {};
    if (chosenStack(args) === labStack) {
        const found = labEnvironment();
        if (found === undefined)
            process.stderr.write(
                "No lab is running, so the stack `lab` has no cloud to talk to: start one with `npm run lab -- start`.\n",
            );
        else lab = found;
    }
    return spawn(pulumi, inLabProject(args, lab["LAB_PROJECT"]), { stdio, env: { ...process.env, ...lab, ...env } });
}

async function main(args: readonly string[]): Promise<void> {
    const child = await startPulumi(args, "inherit");
    // A terminal sends Ctrl-C to both; Pulumi ends in its own good time, and this process after it.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    await new Promise<void>((done, reject) => {
        child.on("error", reject);
        child.on("close", (code, signal) => {
            process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
            done();
        });
    });
}

if (require.main === module) {
    main(process.argv.slice(2)).catch((error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        // Ends what still builds side by side.
        process.exit(1);
    });
}

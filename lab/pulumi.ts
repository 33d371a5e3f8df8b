/** Pulumi with a lab's keys, endpoints and backend. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { LAB_STACK } from "../toolchain/stacks";
import { type Toolchain, ensureToolchain } from "../toolchain/toolchain";
import { LabError } from "./control";
import { readJson } from "./files";
import type { LabPaths } from "./paths";

/** Environment in which Pulumi works on the lab. @throws LabError when the lab does not run */
export function pulumiEnvironment(paths: LabPaths, toolchain: Toolchain): NodeJS.ProcessEnv {
    const lab = readJson(paths.env) as Record<string, string> | undefined;
    if (!lab) throw new LabError(`The lab "${paths.name}" does not run: start it with \`npm run lab -- start\`.`);
    return { ...process.env, ...lab, ...toolchain.env };
}

/** Runs Pulumi on the lab's project and returns its standard output. @throws LabError with what it printed when it fails */
export function capturePulumi(
    paths: LabPaths,
    toolchain: Toolchain,
    environment: NodeJS.ProcessEnv,
    args: readonly string[],
): Promise<string> {
    return new Promise((resolve, reject) => {
        const child = spawn(toolchain.pulumi, ["--cwd", paths.project, "--non-interactive", ...args], {
            env: environment,
            stdio: ["ignore", "pipe", "pipe"],
        });
        let [output, errors] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
        child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
        child.once("error", reject);
        child.once("close", (code) =>
            code === 0
                ? resolve(output)
                : reject(new LabError(`pulumi ${args.join(" ")} failed:\n${errors.trim() || output.trim()}`)),
        );
    });
}

/** Exports of the lab's own stack and, with `all`, of every other one in its backend. */
export async function* exportStacks(paths: LabPaths, all: boolean): AsyncIterable<string> {
    if (!existsSync(paths.project)) return;
    const toolchain = await ensureToolchain();
    const environment = pulumiEnvironment(paths, toolchain);
    const run = (args: readonly string[]): Promise<string | undefined> =>
        capturePulumi(paths, toolchain, environment, args).catch(() => undefined);
    const names = [LAB_STACK];
    if (all) {
        const listed = JSON.parse((await run(["stack", "ls", "--all", "--json"])) ?? "[]") as { name: string }[];
        names.push(...listed.map(({ name }) => name));
    }
    for (const name of names) {
        const exported = await run(["stack", "export", "--show-secrets", "--stack", name]);
        if (exported !== undefined) yield exported;
    }
}

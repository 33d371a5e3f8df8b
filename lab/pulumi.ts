/** Pulumi with a lab's keys, endpoints and backend. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Toolchain, ensureToolchain } from "../toolchain/toolchain";
import { LabError } from "./control";
import { readJson } from "./files";
import type { LabPaths } from "./paths";

/** Environment in which Pulumi works on the lab. @throws LabError when the lab does not run */
export function pulumiEnvironment(paths: LabPaths, toolchain: Toolchain): NodeJS.ProcessEnv {
    const lab = readJson(paths.env) as Record<string, string> | undefined;
    if (!lab) throw new LabError(`The lab "${paths.name}" does not run: start it with \`npm run lab -- start\`.`);
    // The lab's last: its list of what needs no proxy holds its endpoint, too.
    return { ...process.env, ...toolchain.env, ...lab };
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

/** What the backend's files say of a stack, its secrets encrypted. */
export interface RecordedStack {
    /** As Pulumi takes it from any folder: `organization/project/stack`. */
    readonly name: string;
    readonly resources: readonly RecordedResource[];
}

export interface RecordedResource {
    readonly type: string;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

/** Every stack in the lab's backend, as its last update wrote it. Reads files, since asking Pulumi takes a second. */
export function recordedStacks({ pulumi }: LabPaths): RecordedStack[] {
    const folder = join(pulumi, ".pulumi", "stacks");
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".json"))
        .flatMap((file) => {
            try {
                const { checkpoint } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
                    checkpoint: { latest?: { resources?: readonly RecordedResource[] } };
                };
                const name = `organization/${file.slice(0, -".json".length)}`;
                return [{ name, resources: checkpoint.latest?.resources ?? [] }];
            } catch {
                // It is being written, or removed.
                return [];
            }
        });
}

/** A stack's export with its secrets; undefined when there is none. */
export async function exportStack(paths: LabPaths, stack: string): Promise<string | undefined> {
    if (!existsSync(paths.project)) return undefined;
    const toolchain = await ensureToolchain();
    const args = ["stack", "export", "--show-secrets", "--stack", stack];
    return capturePulumi(paths, toolchain, pulumiEnvironment(paths, toolchain), args).catch(() => undefined);
}

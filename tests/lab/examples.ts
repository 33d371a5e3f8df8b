/** The examples, as a user runs them: with the package that `npm run package` makes, installed by npm in a folder of their own. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { root } from "../../toolchain/folders";
import { makePackage } from "../../toolchain/package";
import { checkOutRelease } from "../../toolchain/release";
import { api, changesIn, cloudSettings, eventually, labOutput } from "./lab";
import { problem } from "./released";

export const run = promisify(execFile);
export const call = api();
export const region = { RegionId: "cn-hangzhou" };
/** The examples, each in a folder of its name. */
export const folder = mkdtempSync(join(tmpdir(), "multihost-examples-"));
export const stack = "example";

/** Pulumi in an example's folder, with the lab's backend and keys. */
export function pulumi(example: string, args: readonly string[], input = "", name = stack): Promise<string> {
    return labOutput(["pulumi", "--cwd", join(folder, example), ...args, "--stack", name], { seconds: 400, input });
}

/** Makes an example's stack: the settings that the example has for it, if any, on the lab's cloud. */
export async function init(example: string, config: Readonly<Record<string, unknown>>, name = stack): Promise<void> {
    const own = Object.entries(config).map(([key, value]) => [`${example}:${key}`, value] as const);
    const file = join(folder, example, `Pulumi.${name}.yaml`);
    const { config: given = {} } = existsSync(file)
        ? (parse(readFileSync(file, "utf8")) as { config?: Record<string, unknown> })
        : {};
    writeFileSync(file, stringify({ config: { ...given, ...cloudSettings(), ...Object.fromEntries(own) } }));
    await labOutput(["pulumi", "--cwd", join(folder, example), "stack", "init", name]);
}

export async function outputsOf(example: string, name = stack): Promise<Record<string, unknown>> {
    const printed = await pulumi(example, ["stack", "output", "--json", "--show-secrets"], "", name);
    return JSON.parse(printed) as Record<string, unknown>;
}

export const upAgain = (example: string, name = stack): Promise<string> =>
    pulumi(example, ["up", "--yes", "--skip-preview", "--expect-no-changes"], "", name);

/** Takes a stack of an example away with all that it has made. */
export async function remove(example: string, name = stack): Promise<void> {
    await pulumi(example, ["destroy", "--yes", "--skip-preview"], "", name);
    await labOutput(["pulumi", "--cwd", join(folder, example), "stack", "rm", name, "--yes"]);
}

/** Calls an action of the cloud until it is accepted: what it needs may still be on its way. */
export async function accepted(
    product: "Ecs" | "Vpc",
    action: string,
    parameters: Record<string, string>,
): Promise<Record<string, unknown>> {
    const { value } = await eventually(action, 60, () => call(product, action, { ...region, ...parameters }));
    return value;
}

/** Archives of the package: of this version, and of the last release where that is there. */
export const archives: { current?: string; released?: string } = {};
const release = join(folder, "release");

/** Puts one version of the package, and of the example that comes with it, into an example's folder, as npm would. */
export async function use(version: keyof typeof archives, example: string): Promise<void> {
    const installed = join(folder, example, "node_modules", "@multihost", "alicloud");
    rmSync(installed, { recursive: true, force: true });
    mkdirSync(installed, { recursive: true });
    await run("tar", ["-xzf", archives[version]!, "--strip-components=1", "-C", installed]);
    const sources = join(version === "released" ? release : root, "examples", example);
    cpSync(join(sources, "index.ts"), join(folder, example, "index.ts"));
}

/** Upgrades a stack to this version. @returns what that replaced or deleted */
export async function upgraded(example: string, name = stack): Promise<string[]> {
    await use("current", example);
    const printed = await pulumi(example, ["up", "--yes", "--skip-preview", "--json"], "", name);
    return changesIn(printed)
        .filter(({ operation }) => /replace|delete/.test(operation))
        .map((change) => `${change.operation} ${change.type} ${change.name}`);
}

/** Makes the packages, and a folder of its own for each example with what npm installs there. */
export async function prepareExamples(): Promise<void> {
    const archive = await makePackage(join(folder, "dist"));
    archives.current = archive;
    if (problem === undefined) {
        checkOutRelease(release);
        archives.released = await makePackage(join(folder, "dist-released"), release);
    }
    const examples = join(root, "examples");
    cpSync(examples, folder, { recursive: true, filter: (file) => !file.includes("node_modules") });
    /** What npm has installed, by what an example depends on: most depend on the same. */
    const installed = new Map<string, string>();
    for (const example of readdirSync(examples, { withFileTypes: true })) {
        if (!example.isDirectory()) continue;
        const file = join(folder, example.name, "package.json");
        const manifest = JSON.parse(readFileSync(file, "utf8")) as {
            dependencies: Record<string, string>;
            devDependencies: Record<string, string>;
        };
        manifest.dependencies["@multihost/alicloud"] = `file:${archive}`;
        writeFileSync(file, JSON.stringify(manifest));
        const needed = JSON.stringify([manifest.dependencies, manifest.devDependencies]);
        const modules = join(folder, example.name, "node_modules");
        const same = installed.get(needed);
        if (same !== undefined) {
            await run("cp", ["-al", same, modules]);
            continue;
        }
        await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"], {
            cwd: join(folder, example.name),
            maxBuffer: 2 ** 26,
        });
        installed.set(needed, modules);
    }
}

export function removeExamples(): void {
    rmSync(folder, { recursive: true, force: true });
}

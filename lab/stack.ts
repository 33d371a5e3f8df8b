/**
 * The lab's own Pulumi project: the repository's program under this lab's configuration. Pulumi writes a passphrase's
 * salt into the stack's configuration file, and a second lab needs other endpoints; neither belongs into the repository.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { root } from "../toolchain/folders";
import { LAB_STACK } from "../toolchain/stacks";
import { readJson, writePrivate } from "./files";
import { DEFAULT_PORT, LabPaths } from "./paths";

interface StackFile {
    config?: Record<string, unknown>;
    encryptionsalt?: string;
    [key: string]: unknown;
}

/**
 * Region of the stack's provider, as Pulumi.lab.yaml configures it; undefined when it does not say.
 */
export function configuredRegion(): string | undefined {
    const file = join(root, `Pulumi.${LAB_STACK}.yaml`);
    if (!existsSync(file)) return undefined;
    const region = (parse(readFileSync(file, "utf8")) as StackFile | null)?.config?.["alicloud:region"];
    return typeof region === "string" ? region : undefined;
}

/**
 * Writes the project folder, `paths.project`. What was set there by `pulumi config set` stays unless the repository's
 * Pulumi.lab.yaml changed the same key since.
 */
export function writeProject(paths: LabPaths): void {
    mkdirSync(paths.project, { recursive: true, mode: 0o700 });
    const project = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
    const main = typeof project["main"] === "string" ? join(root, project["main"]) : root;
    writePrivate(join(paths.project, "Pulumi.yaml"), stringify({ ...project, main }));

    const source = readFileSync(join(root, `Pulumi.${LAB_STACK}.yaml`), "utf8");
    const wanted = parse(source.replaceAll(`127.0.0.1:${DEFAULT_PORT}`, `127.0.0.1:${paths.port}`)) as StackFile;
    const file = join(paths.project, `Pulumi.${LAB_STACK}.yaml`);
    const baseFile = join(paths.project, "base.json");
    const current = existsSync(file) ? ((parse(readFileSync(file, "utf8")) as StackFile | null) ?? {}) : {};
    writePrivate(file, stringify(merge((readJson(baseFile) as StackFile | undefined) ?? {}, current, wanted)));
    writePrivate(baseFile, JSON.stringify(wanted));
}

/** `wanted`, with what `current` changed since it was written from `base`. */
export function merge(base: StackFile, current: StackFile, wanted: StackFile): StackFile {
    const config: Record<string, unknown> = { ...wanted.config };
    const keys = new Set([...Object.keys(base.config ?? {}), ...Object.keys(current.config ?? {})]);
    for (const key of keys) {
        const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
        const [before, now, then] = [base.config?.[key], current.config?.[key], wanted.config?.[key]];
        if (same(before, now) || !same(before, then) || Object.keys(current).length === 0) continue;
        if (now === undefined) Reflect.deleteProperty(config, key);
        else config[key] = now;
    }
    const salt = current.encryptionsalt ?? wanted.encryptionsalt;
    return { ...wanted, config, ...(salt !== undefined && { encryptionsalt: salt }) };
}

/** Commands that read the stack's configuration or write to it. */
const configured = new Set([
    "up",
    "update",
    "preview",
    "pre",
    "destroy",
    "down",
    "dn",
    "refresh",
    "watch",
    "config",
    "cn",
]);

/**
 * The arguments, led to the lab's own project folder where the stack's configuration matters: there stand the lab's
 * port and the salt of its secrets, neither of which belongs into the repository. Others run where they are, so that
 * the files that they name are those that the caller means.
 */
export function inLabProject(args: readonly string[], project: string): string[] {
    const chosen = args.some((word) => /^(-C|--cwd|--config-file)(=|$)/.test(word));
    const command = args.find((word) => !word.startsWith("-"));
    const makesStack = command === "stack" && args.some((word) => word === "select" || word === "init");
    if (chosen || !(makesStack || configured.has(command ?? ""))) return [...args];
    return ["--cwd", project, ...args];
}

/**
 * The lab's own Pulumi project: the repository's program under this lab's configuration. Pulumi writes a passphrase's
 * salt into the stack's configuration file, and a second lab needs other endpoints; neither belongs into the repository.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
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

/** Pulumi's options that take the next word as their value. A word that is not theirs would be taken for the command. */
const valued = new Set(
    [
        "--stack -s --color --cwd -C --config-file --config -c --message -m --parallel -p --target -t --exclude -x --replace --target-replace",
        "--verbose -v --memprofilerate --profiling --tracing --otel-traces --event-log --plan --save-plan --import-file --policy-pack",
        "--policy-pack-config --file --out --generate-resources --mappings --secrets-provider --copy-config-from --version --since",
        "--resource --parent --provider --properties --from --type --teams --page --page-size --exec-kind --override-env",
        "--import-pending-creates --dest --source --output",
    ].flatMap((line) => line.split(" ")),
);

/** Options whose value is a file or a folder. */
const naming = new Set([
    "--event-log",
    "--plan",
    "--save-plan",
    "--import-file",
    "--policy-pack",
    "--policy-pack-config",
    "--file",
    "--out",
    "--generate-resources",
    "--mappings",
    "--profiling",
    "--tracing",
    "--otel-traces",
]);

/** Those that take several, with commas between them. */
const listing = new Set(["--policy-pack", "--policy-pack-config", "--mappings"]);

/** Further ones, which mean something else to other commands. */
const namingFor: Readonly<Record<string, readonly string[]>> = {
    import: ["-f", "-o"],
    plugin: ["-f"],
    watch: ["--path"],
};

/** Commands that make a project, a policy pack or a kit in the folder where they run, and touch no stack's configuration. */
const making = new Set(["new", "convert", "policy", "package", "schema"]);

/** What a file's name that is relative to the caller's folder is from elsewhere. Tracing's have a scheme, or are addresses. */
function absolute(name: string, folder: string): string {
    const [, scheme = "", path = ""] = /^(file:(?:\/\/)?)?(.*)$/s.exec(name)!;
    return path === "" || path === "-" || /^[a-z]+:\/\//.test(path) ? name : `${scheme}${resolve(folder, path)}`;
}

/**
 * The arguments, led to the lab's own project folder: there stand the lab's port and the salt of its secrets, neither of which belongs into
 * the repository, and commands such as `stack rm` write the stack's configuration, too. The files that they name stay those that the
 * caller means. Only a caller who chose a folder, or a command that makes something where it runs, isn't led.
 * @param folder the caller's
 */
export function inLabProject(args: readonly string[], project: string, folder = process.cwd()): string[] {
    const led: string[] = [];
    const command: string[] = [];
    for (let index = 0; index < args.length; index += 1) {
        const word = args[index]!;
        if (word === "--") {
            led.push(...args.slice(index));
            break;
        }
        if (!word.startsWith("-") || word === "-") {
            command.push(word);
            // The only file that is an argument of its own.
            const names = command.length === 3 && command[0] === "stack" && command[1] === "graph";
            led.push(names ? absolute(word, folder) : word);
            continue;
        }
        // `--file=x`, `-f=x` and `-fx` have their value in the same word.
        const [, option = "", given] = (word.startsWith("--") ? /^(--[^=]*)(?:=(.*))?$/s : /^(-.)(?:=?(.+))?$/s).exec(
            word,
        )!;
        if (["-C", "--cwd", "--config-file"].includes(option)) return [...args];
        const names = naming.has(option) || (namingFor[command[0] ?? ""] ?? []).includes(option);
        const absoluteOf = (files: string): string =>
            (listing.has(option) ? files.split(",") : [files]).map((file) => absolute(file, folder)).join(",");
        if (given !== undefined && names) led.push(`${option}=${absoluteOf(given)}`);
        else led.push(word);
        const value = args[index + 1];
        if (given !== undefined || value === undefined || !(names || valued.has(option))) continue;
        led.push(names ? absoluteOf(value) : value);
        index += 1;
    }
    return making.has(command[0] ?? "") ? [...args] : ["--cwd", project, ...led];
}

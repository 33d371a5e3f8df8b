/**
 * Gets the right Pulumi with the right plugins: what is on PATH and new enough, else the official download, else a build
 * of our own (CLI, language host, alicloud plugin) and our stand-ins (command and tls plugin).
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    realpathSync,
    renameSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { messageOf } from "./errors";
import { cacheFolder, root } from "./folders";
import {
    alicloudTarget,
    build,
    buildProblems,
    cliTargets,
    goHash,
    type GoTarget,
    hasMemoryForTwoBuilds,
} from "./goBuild";
import { withLock } from "./lock.cjs";
import { withoutProxyHere } from "./noProxy";
import { installCli, installPlugin, isReachable } from "./official";
import { note } from "./progress.cjs";
import { packStandIn, standInHash } from "./standIns";
import { isNewEnough, pinnedVersions, type Versions } from "./versions";

/** Where a part came from: found on the machine, downloaded, built from Go modules, or our own replacement. */
export type Origin = "path" | "official" | "built" | "stand-in";

export type Part = "pulumi" | "alicloud" | "command" | "tls";

export interface Toolchain {
    /** Path of the `pulumi` executable. */
    readonly pulumi: string;
    /** What to add to the environment of everything that runs Pulumi. */
    readonly env: Record<string, string>;
    readonly versions: Versions;
    readonly origin: Record<Part, Origin>;
}

type Plugin = Exclude<Part, "pulumi">;
const pluginNames = ["alicloud", "command", "tls"] as const satisfies readonly Plugin[];

/** Which parts were chosen, by folder: what a warm start reads instead of finding out again. */
interface Selection {
    readonly bin: string;
    readonly plugins: Record<Plugin, string>;
    readonly origin: Record<Part, Origin>;
}

/** `official` and `build` skip the sources before them; for trying each of them out. */
type Preference = "auto" | "official" | "build";

function preference(): Preference {
    const value = process.env["MULTIHOST_TOOLCHAIN"] ?? "auto";
    if (value === "auto" || value === "official" || value === "build") return value;
    throw new Error(`MULTIHOST_TOOLCHAIN is "${value}": set it to auto, official or build, or unset it.`);
}

/** The first Pulumi on PATH that has the Node.js language host beside it and is not one of ours. */
function pulumiOnPath(): string | undefined {
    const cache = cacheFolder();
    for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
        if (folder === "" || folder.startsWith(cache)) continue;
        const candidate = join(folder, "pulumi");
        if (!existsSync(candidate)) continue;
        const real = realpathSync(candidate);
        if (existsSync(join(dirname(real), "pulumi-language-nodejs"))) return real;
    }
    return undefined;
}

/** Identity of a file that changes when it is replaced, for the cost of a stat. */
function fingerprint(path: string | undefined): string {
    if (path === undefined) return "none";
    const { mtimeMs, size } = statSync(path);
    return `${path} ${mtimeMs} ${size}`;
}

function versionOf(pulumi: string): string {
    const result = spawnSync(pulumi, ["version"], {
        encoding: "utf8",
        env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
    return result.status === 0 ? result.stdout.trim() : "";
}

/** An official plugin of the pinned version that the user's own Pulumi already has. */
function userPlugin(name: Plugin, version: string): string | undefined {
    const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    const folder = join(home, "plugins", `resource-${name}-v${version}`);
    const isComplete = existsSync(join(folder, `pulumi-resource-${name}`)) && !existsSync(`${folder}.partial`);
    return isComplete && !home.startsWith(cacheFolder()) ? folder : undefined;
}

function selectionFile(versions: Versions, hashes: readonly string[]): string {
    const key = createHash("sha256")
        .update(
            JSON.stringify([
                versions,
                hashes,
                process.platform,
                process.arch,
                preference(),
                fingerprint(pulumiOnPath()),
            ]),
        )
        .digest("hex")
        .slice(0, 16);
    return join(cacheFolder(), "selections", `${key}.json`);
}

function readSelection(file: string): Selection | undefined {
    let selection: Selection;
    try {
        selection = JSON.parse(readFileSync(file, "utf8")) as Selection;
    } catch {
        return undefined;
    }
    const isComplete =
        existsSync(join(selection.bin, "pulumi")) &&
        pluginNames.every((name) => existsSync(join(selection.plugins[name], `pulumi-resource-${name}`)));
    return isComplete ? selection : undefined;
}

function writeAtomically(file: string, text: string): void {
    mkdirSync(dirname(file), { recursive: true });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, text);
    renameSync(temporary, file);
}

/** Makes a part once: built in a folder of its own and renamed at the end, so that what has the name is whole. */
async function part(name: string, make: (folder: string) => Promise<void>): Promise<string> {
    const folder = join(cacheFolder(), "parts", name);
    if (existsSync(folder)) return folder;
    return withLock(join(cacheFolder(), "locks", `${name}.lock`), { what: `making ${name}` }, async () => {
        if (existsSync(folder)) return folder;
        // Left by runs that were interrupted. A name of its own keeps this run apart from what such a run left running.
        const parts = dirname(folder);
        mkdirSync(parts, { recursive: true });
        for (const entry of readdirSync(parts))
            if (entry.startsWith(`.${name}.`)) rmSync(join(parts, entry), { recursive: true, force: true });
        const temporary = join(parts, `.${name}.${process.pid}`);
        mkdirSync(temporary);
        await make(temporary);
        renameSync(temporary, folder);
        return folder;
    });
}

interface Source<T> {
    readonly origin: Origin;
    readonly value: T;
}

/** Hashes of what our own parts are made of. */
interface Hashes {
    readonly cli: string;
    readonly alicloud: string;
    readonly command: string;
    readonly tls: string;
}

function hashesOf(versions: Versions): Hashes {
    return {
        cli: goHash(cliTargets(versions.pulumi)),
        alicloud: goHash([alicloudTarget(versions.alicloud)]),
        command: standInHash("command", versions.command),
        tls: standInHash("tls", versions.tls),
    };
}

/** A download that is here already, from when the network allowed it. */
function hasOfficial(name: Part, versions: Versions): boolean {
    return preference() !== "build" && existsSync(join(cacheFolder(), "parts", officialPart(name, versions)));
}

function officialPart(name: Part, versions: Versions): string {
    return `${name}-${versions[name]}-official`;
}

function cliPart(versions: Versions, hashes: Hashes): string {
    return `pulumi-${versions.pulumi}-built-${hashes.cli}`;
}

function alicloudPart(versions: Versions, hashes: Hashes): string {
    return `alicloud-${versions.alicloud}-built-${hashes.alicloud}`;
}

/** What takes the place of an official download. */
interface Fallback {
    /** What stands in its way, as {@link toolchainProblems} says it. */
    readonly problems: () => Promise<string[]>;
    readonly make: () => Promise<Source<string>>;
}

function built(name: string, targets: readonly GoTarget[], inside: string): Fallback {
    return {
        problems: async () => (existsSync(join(cacheFolder(), "parts", name)) ? [] : buildProblems(targets)),
        make: async () => {
            const folder = await part(name, async (target) => {
                for (const each of targets) await build(each, join(target, inside));
            });
            return { origin: "built", value: join(folder, inside) };
        },
    };
}

/**
 * Asks for the first source that works; an official one that fails half way is reported and passed over.
 * @throws Error with what failed and what stands in the way of the other source, as nobody looked into that while downloads were offered
 */
async function officialOr(
    name: Part,
    versions: Versions,
    official: () => Promise<string>,
    other: Fallback,
): Promise<Source<string>> {
    if (hasOfficial(name, versions) || (await isOfficialReachable(versions))) {
        try {
            return { origin: "official", value: await official() };
        } catch (error) {
            if (preference() === "official") throw error;
            const problems = await other.problems();
            if (problems.length > 0)
                throw new Error([`The official download failed: ${messageOf(error)}`, ...problems].join("\n"), {
                    cause: error,
                });
            note(`The official download failed, going on without it: ${messageOf(error)}`);
        }
    }
    return other.make();
}

async function chooseCli(versions: Versions, hashes: Hashes): Promise<Source<string>> {
    const found = preference() === "auto" ? pulumiOnPath() : undefined;
    if (found !== undefined) {
        const version = versionOf(found);
        if (isNewEnough(version, versions.pulumi)) return { origin: "path", value: dirname(found) };
        note(
            `${found} is ${version === "" ? "of unknown version" : version}, ${versions.pulumi} or a newer 3.x is needed: it is left alone.`,
        );
    }
    return officialOr(
        "pulumi",
        versions,
        async () =>
            join(await part(officialPart("pulumi", versions), (folder) => installCli(versions.pulumi, folder)), "bin"),
        built(cliPart(versions, hashes), cliTargets(versions.pulumi), "bin"),
    );
}

async function choosePlugin(
    name: Plugin,
    versions: Versions,
    hashes: Hashes,
    bin: () => Promise<string>,
): Promise<Source<string>> {
    const version = versions[name];
    const found = preference() === "auto" ? userPlugin(name, version) : undefined;
    if (found !== undefined) return { origin: "path", value: found };
    const other: Fallback =
        name === "alicloud"
            ? built(alicloudPart(versions, hashes), [alicloudTarget(version)], "plugin")
            : {
                  problems: () => Promise.resolve([]),
                  make: async () => {
                      const folder = await part(`${name}-${version}-standin-${hashes[name]}`, (target) =>
                          packStandIn(name, version, target),
                      );
                      return { origin: "stand-in", value: join(folder, "plugin") };
                  },
              };
    return officialOr(
        name,
        versions,
        async () => {
            const folder = await part(officialPart(name, versions), async (target) =>
                installPlugin(join(await bin(), "pulumi"), name, version, target),
            );
            return join(folder, "plugin");
        },
        {
            ...other,
            problems: async () => {
                // Where there is no CLI, that is what failed, and no plugin is of use.
                await bin();
                return other.problems();
            },
        },
    );
}

/** What would have to be built, were this the moment. */
function missingBuilds(versions: Versions, hashes: Hashes): GoTarget[] {
    const parts = join(cacheFolder(), "parts");
    const found = preference() === "auto" ? pulumiOnPath() : undefined;
    const hasCli =
        hasOfficial("pulumi", versions) ||
        existsSync(join(parts, cliPart(versions, hashes))) ||
        (found !== undefined && isNewEnough(versionOf(found), versions.pulumi));
    const hasPlugin =
        hasOfficial("alicloud", versions) ||
        existsSync(join(parts, alicloudPart(versions, hashes))) ||
        (preference() === "auto" && userPlugin("alicloud", versions.alicloud) !== undefined);
    return [...(hasCli ? [] : cliTargets(versions.pulumi)), ...(hasPlugin ? [] : [alicloudTarget(versions.alicloud)])];
}

async function isOfficialReachable(versions: Versions): Promise<boolean> {
    return preference() !== "build" && isReachable(versions.pulumi);
}

/**
 * What stands in the way of {@link ensureToolchain}: one sentence with its remedy each. Empty when it will work. Takes
 * milliseconds when everything is there, else a few seconds, and changes nothing.
 * @param beside bytes that something else is about to take of its disk
 */
export async function toolchainProblems(beside = 0): Promise<string[]> {
    const versions = pinnedVersions();
    const hashes = hashesOf(versions);
    if (readSelection(selectionFile(versions, Object.values(hashes) as string[])) !== undefined) return [];
    const isOfficial = preference() === "official";
    const missing = missingBuilds(versions, hashes);
    const isHere = isOfficial
        ? (["pulumi", ...pluginNames] as const).every((name) => hasOfficial(name, versions))
        : missing.length === 0;
    if (isHere || (await isOfficialReachable(versions))) return [];
    if (isOfficial)
        return [
            "MULTIHOST_TOOLCHAIN is official, but get.pulumi.com is out of reach: unset it, or mend the connection.",
        ];
    return buildProblems(missing, beside);
}

async function select(versions: Versions, hashes: Hashes): Promise<Selection> {
    const problems = await toolchainProblems();
    if (problems.length > 0) throw new Error(problems.join("\n"));
    // Side by side two builds keep every core busy, but each needs its own memory. Downloads of plugins wait for the CLI anyway.
    const isSideBySide = hasMemoryForTwoBuilds();
    const cli = chooseCli(versions, hashes);
    if (!isSideBySide) await cli;
    const bin = async (): Promise<string> => (await cli).value;
    const [chosen, alicloud, command, tls] = (await Promise.all([
        cli,
        ...pluginNames.map((name) => choosePlugin(name, versions, hashes, bin)),
    ])) as [Source<string>, Source<string>, Source<string>, Source<string>];
    return {
        bin: chosen.value,
        plugins: { alicloud: alicloud.value, command: command.value, tls: tls.value },
        origin: { pulumi: chosen.origin, alicloud: alicloud.origin, command: command.origin, tls: tls.origin },
    };
}

const dayMs = 24 * 60 * 60 * 1000;

/** Whether to ask again for downloads: one probe that failed must not decide for ever, and a warm start must not ask each time. */
function isDue(file: string, selection: Selection): boolean {
    return preference() === "auto" && hasOwnParts(selection) && Date.now() - statSync(file).mtimeMs > dayMs;
}

/** With downloads in place of our own parts, where they are offered by now; else what was chosen before, which works. */
async function selectAgain(before: Selection, versions: Versions, hashes: Hashes): Promise<Selection> {
    if (!(await isOfficialReachable(versions))) return before;
    try {
        return await select(versions, hashes);
    } catch (error) {
        note(`Going on with the parts that are here: ${messageOf(error)}`);
        return before;
    }
}

/** Pulumi's home of this checkout: its own, so that two checkouts with different plugins don't disturb each other. */
export function homeFolder(checkout = root): string {
    return join(cacheFolder(), "homes", createHash("sha256").update(checkout).digest("hex").slice(0, 12));
}

/**
 * Keeps the engine from its encrypted log of every operation, which takes two thirds of its time (docs/decisions/0018) and up to 500 MB, and
 * which no setting leaves out. Where it can't make the log's folder it goes on without.
 */
function leaveOutLogs(home: string): void {
    const folder = join(home, "logs");
    rmSync(folder, { recursive: true, force: true });
    writeAtomically(folder, "A file, so that Pulumi keeps no logs here: docs/decisions/0018-faster-start.md.\n");
}

/** Lets the home's plugin folders hold links to the chosen parts. The engine takes no link for the folder itself. */
async function prepareHome(home: string, selection: Selection, versions: Versions): Promise<void> {
    const marker = join(home, "plugins.json");
    const wanted = JSON.stringify([versions, selection.plugins, "without logs"]);
    const isCurrent = (): boolean => existsSync(marker) && readFileSync(marker, "utf8") === wanted;
    if (isCurrent()) return;
    await withLock(join(cacheFolder(), "locks", `${basename(home)}.lock`), { what: "linking plugins" }, () => {
        if (isCurrent()) return;
        leaveOutLogs(home);
        for (const name of pluginNames) {
            const folder = join(home, "plugins", `resource-${name}-v${versions[name]}`);
            mkdirSync(folder, { recursive: true });
            const source = selection.plugins[name];
            const wantedEntries = readdirSync(source);
            for (const entry of wantedEntries) {
                const temporary = join(folder, `.${entry}`);
                rmSync(temporary, { force: true });
                symlinkSync(join(source, entry), temporary);
                renameSync(temporary, join(folder, entry));
            }
            for (const entry of readdirSync(folder))
                if (!wantedEntries.includes(entry)) rmSync(join(folder, entry), { recursive: true });
        }
        writeAtomically(marker, wanted);
    });
}

function hasOwnParts({ origin }: Selection): boolean {
    return Object.values(origin).some((each) => each === "built" || each === "stand-in");
}

function environment(selection: Selection, home: string): Record<string, string> {
    const path = [selection.bin, process.env["PATH"] ?? "", dirname(process.execPath)].filter((entry) => entry !== "");
    return {
        PATH: path.join(delimiter),
        PULUMI_HOME: home,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        ...withoutProxyHere(),
        // Types are checked by the tests; at every run it would only cost time.
        PULUMI_NODEJS_TRANSPILE_ONLY: "true",
        // Where downloads are out of reach, asking for a plugin again and again only delays the message.
        ...(hasOwnParts(selection) ? { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
    };
}

/**
 * Makes sure that Pulumi and its plugins are there and returns how to call them. Milliseconds when they are; otherwise
 * minutes, with progress on standard error. Safe to interrupt and to run twice at the same time.
 * @throws with one sentence and its remedy for each thing that stands in the way, before anything long begins
 */
export async function ensureToolchain(): Promise<Toolchain> {
    const versions = pinnedVersions();
    const hashes = hashesOf(versions);
    const file = selectionFile(versions, Object.values(hashes) as string[]);
    let selection = readSelection(file);
    if (selection === undefined) {
        selection = await select(versions, hashes);
        writeAtomically(file, JSON.stringify(selection));
    } else if (isDue(file, selection)) {
        selection = await selectAgain(selection, versions, hashes);
        // Written also when nothing is new: it is due again in a day.
        writeAtomically(file, JSON.stringify(selection));
    }
    const home = homeFolder();
    await prepareHome(home, selection, versions);
    return {
        pulumi: join(selection.bin, "pulumi"),
        env: environment(selection, home),
        versions,
        origin: selection.origin,
    };
}

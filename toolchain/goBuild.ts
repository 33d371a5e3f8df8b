/** Building from the Go module proxy, where the official downloads are out of reach. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, statfs, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { cacheFolder, root } from "./folders";
import { step } from "./progress.cjs";
import { run } from "./run";
import { contentHash } from "./sources";
import { compareVersions } from "./versions";

export interface GoTarget {
    /** Folder below toolchain/go. */
    readonly folder: "cli" | "langhost" | "alicloud";
    readonly title: string;
    /** On the machine to plan for, with empty caches. */
    readonly about: string;
    readonly package: string;
    readonly output: string;
    /** Go variable that gets the version, and the version. */
    readonly version: readonly [variable: string, value: string];
}

const sdkVersion = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/** Version of the last public Go module that contains the Node.js language host. */
const languageHostVersion = "3.68.0";

export function cliTargets(version: string): GoTarget[] {
    return [
        {
            folder: "cli",
            title: `Build Pulumi ${version}`,
            about: "6 min",
            package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            output: "pulumi",
            version: [sdkVersion, `v${version}`],
        },
        {
            folder: "langhost",
            title: "Build Pulumi's Node.js language host",
            about: "1 min",
            package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
            output: "pulumi-language-nodejs",
            version: [sdkVersion, `v${languageHostVersion}`],
        },
    ];
}

export function alicloudTarget(version: string): GoTarget {
    return {
        folder: "alicloud",
        title: `Build the alicloud plugin ${version}`,
        about: "12 min",
        package: ".",
        output: "pulumi-resource-alicloud",
        version: ["main.version", version],
    };
}

/** Hash of what the binaries of `targets` are made of. */
export function goHash(targets: readonly GoTarget[]): string {
    const platform = `${process.platform}-${process.arch}`;
    return contentHash(
        join(root, "toolchain", "go"),
        targets.map(({ folder }) => folder),
        JSON.stringify([platform, targets.map(({ package: name, version }) => [name, version])]),
    );
}

/** The environment of Go: its caches below our own folder, so that what a build leaves on the disk is removed in one place. */
export function goEnvironment(): NodeJS.ProcessEnv {
    const caches = join(cacheFolder(), "go");
    const chosen = process.env["GOCACHE"];
    return {
        ...process.env,
        // For Go an empty one is none.
        GOCACHE: chosen === undefined || chosen === "" ? join(caches, "build") : chosen,
        GOMODCACHE: process.env["GOMODCACHE"] ?? join(caches, "modules"),
        GOWORK: "off",
    };
}

/**
 * Left beside Go's cache by a build that went through, and removed with it: then another one takes little more of the disk. The folder itself
 * is there from the first moment of a build that may have been interrupted.
 */
function completedMark({ folder }: GoTarget): string {
    return join(goEnvironment()["GOCACHE"]!, `multihost-${folder}-completed`);
}

const memoryNeeded = 5 * 2 ** 30;
const diskNeeded = 8 * 2 ** 30;

/** Memory that can be had without swapping, within the limit of the container this may run in. */
export function availableMemory(meminfo = "/proc/meminfo"): number {
    // What other systems call free leaves out what they keep only as long as nobody needs it, which is most of it after a while.
    let available = 0.75 * totalmem();
    try {
        const match = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync(meminfo, "utf8"));
        if (match !== null) available = Number(match[1]) * 1024;
    } catch {
        // Not Linux.
    }
    const limit = process.constrainedMemory();
    return limit > 0 ? Math.min(available, limit) : available;
}

async function existingParent(path: string): Promise<string> {
    return existsSync(path) ? path : existingParent(dirname(path));
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/**
 * What stands in the way of a build: one sentence with its remedy each, empty when it can begin.
 * @param beside bytes that something else is about to take of the same disk
 */
export async function buildProblems(targets: readonly GoTarget[], beside = 0): Promise<string[]> {
    const why = "The official Pulumi downloads are out of reach, so it is built from source";
    const needed = targets
        .map(
            ({ folder }) =>
                /^go (\S+)$/m.exec(readFileSync(join(root, "toolchain", "go", folder, "go.mod"), "utf8"))?.[1] ??
                "1.25",
        )
        .reduce((newest, version) => (compareVersions(version, newest) > 0 ? version : newest));
    const problems: string[] = [];
    let found: string | undefined;
    try {
        found = (
            await run("go", ["env", "GOVERSION"], { cwd: root, env: { ...process.env, GOTOOLCHAIN: "local" } })
        ).trim();
    } catch {
        problems.push(
            `${why}, but there is no Go: install Go ${needed} or newer (https://go.dev/dl) and run this again.`,
        );
    }
    if (found !== undefined && compareVersions(found, needed) < 0 && !(await canSwitchToolchain()))
        problems.push(
            `${why}, but ${found} is too old: install Go ${needed} or newer (https://go.dev/dl) and run this again.`,
        );
    const memory = availableMemory();
    if (memory < memoryNeeded)
        problems.push(
            `${why}, which takes ${gib(memoryNeeded)} of memory, and ${gib(memory)} are available: close what uses it and run this again.`,
        );
    const disk = await statfs(await existingParent(cacheFolder()));
    const free = disk.bavail * disk.bsize;
    const isWarm = targets.every((target) => existsSync(completedMark(target)));
    if (!isWarm && free < diskNeeded + beside)
        problems.push(
            `${why}, which takes ${gib(diskNeeded)} of disk${beside > 0 ? ` beside ${gib(beside)} for the rest` : ""}, and ${gib(free)} are free at ${cacheFolder()}: make room, or name another place in MULTIHOST_CACHE.`,
        );
    return problems;
}

/** Since 1.21 Go fetches the toolchain that a module asks for by itself, unless it was told not to. */
async function canSwitchToolchain(): Promise<boolean> {
    return run("go", ["version"], { cwd: join(root, "toolchain", "go", "alicloud"), env: goEnvironment() }).then(
        () => true,
        () => false,
    );
}

/**
 * Where memory is scarce, lets the compiler collect its garbage earlier: the provider's one huge package then takes 4.5 GiB
 * instead of 6.2, and everything a little longer.
 */
function thrift(): NodeJS.ProcessEnv {
    return availableMemory() < 2 * memoryNeeded ? { GOGC: "40" } : {};
}

/** Whether several builds may run side by side. */
export function hasMemoryForTwoBuilds(): boolean {
    return availableMemory() >= 2 * memoryNeeded;
}

/** Builds one target into `folder`. */
export async function build(target: GoTarget, folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    const [variable, version] = target.version;
    await step(target.title, { about: target.about }, async (report) => {
        let compiled = 0;
        const args = ["build", "-v", "-trimpath", "-buildvcs=false", "-modcacherw"];
        // Debug data would be stripped from the binary anyway; not making it saves a third of the memory.
        args.push(
            "-gcflags=all=-dwarf=false",
            "-ldflags",
            `-s -w -X ${variable}=${version}`,
            "-o",
            join(folder, target.output),
            target.package,
        );
        await run("go", args, {
            cwd: join(root, "toolchain", "go", target.folder),
            env: { ...thrift(), ...goEnvironment() },
            // The compilers are processes of Go's, which a signal to Go alone leaves to go on.
            ownGroup: true,
            onErrorLine: (line) => report(line.startsWith("go: ") ? line.slice(4) : `${++compiled} packages, ${line}`),
        });
        const mark = completedMark(target);
        await mkdir(dirname(mark), { recursive: true });
        await writeFile(mark, "");
    });
}

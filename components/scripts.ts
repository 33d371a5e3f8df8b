import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

/** Text that runs on a host: the shared library, the service's own, then one script, with its identity. */
export interface Script {
    /** Path below `scripts/` without `.sh`, such as `redis/node`. */
    readonly name: string;
    /**
     * What bash reads: `scripts/lib/*.sh` in order of name, the `lib.sh` and `lib-*.sh` of the script's own folder, then the script,
     * which ends with a function `main`.
     */
    readonly body: string;
    /** First 8 hexadecimal digits of the body's SHA-256. Stands in the command text, so a changed script shows in a preview. */
    readonly hash: string;
    /** Which line of `body` each file starts at, so that a failure names the file and its line. */
    readonly sources: readonly ScriptSource[];
}

/** One file within a {@link Script}'s body. */
export interface ScriptSource {
    /** Path below `scripts/`. */
    readonly file: string;
    /** Line of the body, counted from 1. */
    readonly firstLine: number;
    /** How many lines of the body it is. */
    readonly lineCount: number;
}

/** SHA-256 of `text` in hexadecimal digits. */
export function sha256(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}

/**
 * The package's `scripts/` folder, wherever the package is installed: sources and compiled output sit at different depths.
 *
 * @throws Error when the package was installed without it.
 */
export function scriptsFolder(from: string = __dirname): string {
    for (let folder = from; ; folder = path.dirname(folder)) {
        const candidate = path.join(folder, "scripts");
        if (existsSync(path.join(candidate, "step.sh"))) {
            return candidate;
        }
        if (folder === path.dirname(folder)) {
            throw new Error(
                `No folder scripts/ with step.sh above ${from}: the package is incomplete, install it again.`,
            );
        }
    }
}

const loaded = new Map<string, Script>();

/**
 * Reads a script together with the shared library and its service's own.
 *
 * @param name path below `scripts/` without `.sh`, such as `redis/node`.
 * @throws Error when there is no such script.
 *
 * @example
 * const script = loadScript("redis/node");
 */
export function loadScript(name: string): Script {
    const known = loaded.get(name);
    if (known !== undefined) {
        return known;
    }
    const folder = scriptsFolder();
    if (!/^[a-z0-9-]+(\/[a-z0-9-]+)*$/.test(name) || !existsSync(path.join(folder, `${name}.sh`))) {
        throw new Error(`There is no script "${name}": expected a file scripts/${name}.sh.`);
    }
    const script = readScript(name, [...sharedLibrary(), ...serviceLibrary(path.posix.dirname(name)), `${name}.sh`]);
    loaded.set(name, script);
    return script;
}

/** What stands before every script: `lib/*.sh` in order of name. */
export function sharedLibrary(): string[] {
    const folder = path.join(scriptsFolder(), "lib");
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
        .filter((file) => file.endsWith(".sh"))
        .sort()
        .map((file) => `lib/${file}`);
}

/**
 * What stands before the scripts of one service: `lib.sh` and `lib-*.sh` of its folder. A library of its own, so that a change of
 * it runs no other service's steps again.
 */
export function serviceLibrary(service: string): string[] {
    const folder = path.join(scriptsFolder(), service);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
        .filter((file) => /^lib(-[a-z0-9]+)?\.sh$/.test(file))
        .sort()
        .map((file) => `${service}/${file}`);
}

/** Joins files below `scripts/` into one {@link Script}. */
export function readScript(name: string, files: readonly string[]): Script {
    const folder = scriptsFolder();
    return assembleScript(
        name,
        files.map((file) => ({ file, text: readFileSync(path.join(folder, file), "utf8") })),
    );
}

/** Joins files into one {@link Script}. Pure; `loadScript` is what reads the disk. */
export function assembleScript(
    name: string,
    files: readonly { readonly file: string; readonly text: string }[],
): Script {
    const sources: ScriptSource[] = [];
    let body = "";
    let line = 1;
    for (const { file, text } of files) {
        const ended = text.endsWith("\n") ? text : `${text}\n`;
        const lineCount = ended.split("\n").length - 1;
        sources.push({ file, firstLine: line, lineCount });
        body += ended;
        line += lineCount;
    }
    return { name, body, hash: sha256(body).slice(0, 8), sources };
}

let runner: string | undefined;

/** The functions that run a script's `main`: `scripts/step.sh`. */
export function stepRunner(): string {
    runner ??= readFileSync(path.join(scriptsFolder(), "step.sh"), "utf8");
    return runner;
}

/** Which test files the words of a command line choose. */
import { readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";

const root = resolve(__dirname, "..");

export const levels = ["static", "unit", "scripts", "lab", "long"] as const;
export type Level = (typeof levels)[number];

export interface Choice {
    readonly level: Level;
    /** By their paths; none for the level that checks the whole project. */
    readonly files: readonly string[];
}

/** Each level's files: folder within the project, and how their names end. */
const places: Readonly<Record<Level, readonly (readonly [folder: string, ending: string])[]>> = {
    static: [],
    unit: [["tests/unit", ".test.ts"]],
    scripts: [
        ["scripts", ".sh"],
        ["tests/scripts", ".bats"],
    ],
    lab: [["tests/lab", ".test.ts"]],
    long: [["tests/lab/long", ".test.ts"]],
};

/** A level's files that a word names by a part of their name, or by their path; all of them without a word. */
export function filesOf(level: Level, word?: string): string[] {
    const path = word?.includes("/") ? relative(root, resolve(root, word)) : undefined;
    return places[level].flatMap(([folder, ending]) => {
        const found = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter(
            (file) => file.endsWith(ending) && !(level === "lab" && file.startsWith("long/")),
        );
        const isNamed = (file: string): boolean =>
            word === undefined || file.includes(word) || (path !== undefined && join(folder, file).startsWith(path));
        return found
            .filter(isNamed)
            .map((file) => join(root, folder, file))
            .sort();
    });
}

/**
 * The levels that words name, or all but the long one. Where further words choose files, levels without such files are left out.
 * @throws Error that names options, of which there are none, and words that choose no file
 */
export function choose(words: readonly string[]): Choice[] {
    const options = words.filter((word) => word.startsWith("-"));
    if (options.length > 0) throw new Error(`there is no option ${options.join(", ")}`);
    const isLevel = (word: string): word is Level => (levels as readonly string[]).includes(word);
    const named = words.filter(isLevel);
    const wanted = named.length > 0 ? named : levels.filter((level) => level !== "long");
    const parts = words.filter((word) => !isLevel(word));
    if (parts.length === 0) return wanted.map((level) => ({ level, files: filesOf(level) }));
    const lost = parts.filter((part) => wanted.every((level) => filesOf(level, part).length === 0));
    if (lost.length > 0) throw new Error(`no test file matches ${lost.join(", ")} (levels: ${wanted.join(", ")})`);
    return wanted
        .map((level) => ({ level, files: [...new Set(parts.flatMap((part) => filesOf(level, part)))].sort() }))
        .filter(({ level, files }) => files.length > 0 || (level === "static" && named.includes(level)));
}

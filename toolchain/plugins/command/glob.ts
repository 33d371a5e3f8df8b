import * as fs from "node:fs/promises";
import * as path from "node:path";

function bracket(pattern: string, start: number): { source: string; end: number } | undefined {
    const end = pattern.indexOf("]", start + 2);
    if (end < 0) {
        return undefined;
    }
    const body = pattern.slice(start + 1, end).replace(/[\\^\]]/g, "\\$&");
    return { source: body.startsWith("!") ? `[^${body.slice(1)}]` : `[${body}]`, end };
}

/** `*` stays within a folder, `**` does not; `?`, `[a-z]`, `[!a]`, `{one,two}` and `\` as in a shell. */
export function globToRegExp(pattern: string): RegExp {
    let source = "";
    let depth = 0;
    for (let index = 0; index < pattern.length; index++) {
        const character = pattern[index]!;
        const next = pattern[index + 1];
        if (character === "*") {
            source += next === "*" ? ".*" : "[^/]*";
            index += next === "*" ? 1 : 0;
        } else if (character === "?") {
            source += "[^/]";
        } else if (character === "[") {
            const found = bracket(pattern, index);
            if (found === undefined) {
                throw new Error(`invalid glob '${pattern}': '[' is not closed`);
            }
            source += found.source;
            index = found.end;
        } else if (character === "{") {
            depth++;
            source += "(?:";
        } else if (character === "}" && depth > 0) {
            depth--;
            source += ")";
        } else if (character === "," && depth > 0) {
            source += "|";
        } else {
            const literal = character === "\\" && next !== undefined ? pattern[++index]! : character;
            source += literal.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
        }
    }
    if (depth > 0) {
        throw new Error(`invalid glob '${pattern}': '{' is not closed`);
    }
    return new RegExp(`^${source}$`, "s");
}

async function walk(directory: string, prefix: string, found: string[]): Promise<void> {
    const entries = await fs.readdir(path.join(directory, prefix), { withFileTypes: true });
    for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
        const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
        if (entry.isDirectory()) {
            await walk(directory, name, found);
        } else {
            found.push(name);
        }
    }
}

/** The files below a folder that the rules select, in order; a rule with `!` takes out what earlier ones put in. */
export async function selectFiles(directory: string, rules: readonly string[]): Promise<string[]> {
    const compiled = rules.map((rule) => ({
        excludes: rule.startsWith("!"),
        pattern: globToRegExp(rule.replace(/^!/, "")),
    }));
    const files: string[] = [];
    await walk(directory, "", files);
    return files.filter((file) =>
        compiled.reduce((chosen, { excludes, pattern }) => (pattern.test(file) ? !excludes : chosen), false),
    );
}

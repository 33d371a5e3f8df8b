/** Content hashes, so that a part is made anew exactly when what it is made of has changed. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

function filesBelow(path: string): string[] {
    if (statSync(path).isFile()) return [path];
    return readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.name !== "node_modules" && !entry.name.startsWith("."))
        .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)]));
}

/** A short hash of the names and contents of all files below `paths`, and of `salt`. */
export function contentHash(folder: string, paths: readonly string[], salt = ""): string {
    const hash = createHash("sha256").update(`${salt}\0`);
    for (const path of paths.flatMap((name) => filesBelow(join(folder, name))).sort()) {
        const content = readFileSync(path);
        hash.update(`${relative(folder, path)}\0${content.length}\0`).update(content);
    }
    return hash.digest("hex").slice(0, 12);
}

/** Small files that must be whole or absent, also after a crash. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import * as path from "node:path";
import { replaceFile } from "../files";

/** Replaces a file in one step. */
export function writeAtomically(file: string, text: string, mode = 0o600): void {
    mkdirSync(path.dirname(file), { recursive: true });
    replaceFile(file, text, mode);
}

/** The JSON in a file, or undefined when the file is absent or not JSON. */
export function readJson(file: string): unknown {
    try {
        return JSON.parse(readFileSync(file, "utf8"));
    } catch {
        return undefined;
    }
}

/** Removes a file or folder; its absence is fine. */
export function remove(file: string): void {
    rmSync(file, { recursive: true, force: true });
}

/** Small files that must be whole or absent, also after a crash. */
import { mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync, closeSync, fsyncSync } from "node:fs";
import * as path from "node:path";

/** Replaces a file in one step. */
export function writeAtomically(file: string, text: string, mode = 0o600): void {
    mkdirSync(path.dirname(file), { recursive: true });
    const temporary = `${file}.${process.pid}.tmp`;
    const descriptor = openSync(temporary, "w", mode);
    try {
        writeSync(descriptor, text);
        fsyncSync(descriptor);
    } finally {
        closeSync(descriptor);
    }
    renameSync(temporary, file);
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

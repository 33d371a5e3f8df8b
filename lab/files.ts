import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Replaces a file in one step: whatever goes wrong, there is the old one or the new one, whole. */
export function replaceFile(file: string, text: string, mode: number): void {
    const temporary = `${file}.${process.pid}.new`;
    try {
        const handle = openSync(temporary, "w", mode);
        try {
            // Not writeSync, which tells only by its result that a full disk took half of it.
            writeFileSync(handle, text);
            fsyncSync(handle);
        } finally {
            closeSync(handle);
        }
        renameSync(temporary, file);
    } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
    }
}

/** Writes a file in one step, readable by its owner only. */
export function writePrivate(file: string, text: string): void {
    replaceFile(file, text, 0o600);
}

/** Content of a JSON file, or undefined when there is none. */
export function readJson(file: string): unknown {
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

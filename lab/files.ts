import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** Writes a file in one step, readable by its owner only. */
export function writePrivate(file: string, text: string): void {
    const temporary = `${file}.${process.pid}.new`;
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, file);
}

/** Content of a JSON file, or undefined when there is none. */
export function readJson(file: string): unknown {
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** The log of a lab's daemon. */
import { appendFileSync, existsSync, renameSync, statSync } from "node:fs";

const MAX_BYTES = 20 * 1024 * 1024;

/** Puts a log that has grown large in the place of the one before it. */
export function rotateLog(file: string): void {
    if (existsSync(file) && statSync(file).size > MAX_BYTES) renameSync(file, `${file}.old`);
}

/** Appends lines, with their time, to a file that its owner alone reads. A line that can't be written is dropped: a full disk ends no call. */
export function logTo(file: string): (line: string) => void {
    return (line) => {
        try {
            appendFileSync(file, `${new Date().toISOString()} ${line}\n`, { mode: 0o600 });
        } catch {
            // There is nowhere to tell of it.
        }
    };
}

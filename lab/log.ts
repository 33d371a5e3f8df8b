/** The log of a lab's daemon. */
import { appendFileSync } from "node:fs";

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

/** What the project's command lines have in common. */
import { messageOf } from "./errors";

/**
 * Runs one: the exit code is what `main` returns, or `failed` after an error, whose message goes to standard error alone: messages are
 * written for people.
 */
export function runCommandLine(main: (words: readonly string[]) => Promise<number>, failed: number): void {
    main(process.argv.slice(2))
        .then((code) => {
            process.exitCode = code;
        })
        .catch((error: unknown) => {
            process.stderr.write(`${messageOf(error)}\n`);
            process.exitCode = failed;
        });
}

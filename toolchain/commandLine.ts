/** What the project's command lines have in common. */
import { createInterface } from "node:readline/promises";
import { messageOf } from "./errors";

/** A command as it is typed. */
export interface CommandLine<Options> {
    /** How it is used: the answer to `help`, `--help` and `-h`. */
    readonly help: string;
    /** Exit code for words that `parse` refuses. */
    readonly misused: number;
    /** @throws Error that says what is wrong with the words, all of it */
    readonly parse: (words: readonly string[]) => Options;
    /** @returns the exit code */
    readonly run: (options: Options) => Promise<number>;
}

/**
 * Does what the words ask for. Words that are refused are answered on standard error, by what is wrong and the help.
 * @returns the exit code
 */
export async function perform<Options>(
    { help, misused, parse, run }: CommandLine<Options>,
    words: readonly string[],
): Promise<number> {
    if (words.some((word) => ["help", "--help", "-h"].includes(word))) {
        process.stdout.write(help);
        return 0;
    }
    let options: Options;
    try {
        options = parse(words);
    } catch (error) {
        process.stderr.write(`${messageOf(error)}\n\n${help}`);
        return misused;
    }
    return run(options);
}

/** Asks on the terminal. @param stopped answers no when it is aborted */
export async function agreed(question: string, stopped?: AbortSignal): Promise<boolean> {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
        // Ctrl-C and Ctrl-D close the terminal, and a question that is never answered would end this process here and now.
        const closed = new Promise<string>((done) => terminal.once("close", () => done("")));
        stopped?.addEventListener("abort", () => terminal.close());
        const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
        return /^y(es)?$/i.test(answer.trim());
    } finally {
        terminal.close();
    }
}

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

/** A word for a shell, as it stands or to be pasted: quoted where the shell would read it otherwise. */
export function shellWord(word: string): string {
    return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
}

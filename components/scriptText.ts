/** How a script and its values are written for bash, and found again in what was written. */
import { type Script, stepRunner } from "./scripts";

/** Quotes any text for a POSIX shell. */
export function shellQuote(text: string): string {
    return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Quotes any text for bash on a single line, so that the number of lines doesn't depend on a secret. */
export function shellQuoteOneLine(text: string): string {
    return /[\n\r]/.test(text)
        ? `$'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}'`
        : shellQuote(text);
}

/** `maxMemory` as `MAX_MEMORY`. */
export function upperSnake(key: string): string {
    return key
        .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
        .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
        .toUpperCase();
}

/** `SECRET_…` assignments, one line each. */
export function secretLines(secrets: Readonly<Record<string, string>>): string[] {
    return Object.keys(secrets)
        .sort()
        .map((key) => `SECRET_${upperSnake(key)}=${shellQuoteOneLine(secrets[key]!)}`);
}

/** The {@link secretLines} that a {@link scriptText} holds. */
export function secretLinesOf(text: string): string[] {
    const lines = text.split("\n");
    const head = lines.slice(
        0,
        Math.max(
            0,
            lines.findIndex((line) => line.startsWith(SOURCES)),
        ),
    );
    return head.filter((line) => /^SECRET_\w+=/.test(line));
}

/**
 * What sshd runs: everything in it may be read by anyone.
 *
 * @param values by the name of their variable.
 */
export function commandText(script: Script, values: Readonly<Record<string, string>>, user: string): string {
    const words = [
        `STEP=${script.name}@${script.hash}`,
        ...Object.entries(values).map(([name, text]) => `${name}=${shellQuote(text)}`),
        // Bash takes a socket on standard input for a remote login and would read ~/.bashrc, whatever stands in it.
        "bash --norc -s",
    ];
    return commandBy(user, words.join(" "));
}

/** sudo drops variables that stand before it, so env sets them behind it. */
const AS_ROOT = "sudo -n env ";

/** A {@link commandText}, made for whatever user, as another user runs it. */
export function commandBy(user: string, command: string): string {
    const own = command.startsWith(AS_ROOT) ? command.slice(AS_ROOT.length) : command;
    return user === "root" ? own : AS_ROOT + own;
}

/** Name of the script that a step's command runs, such as `redis/node`; undefined for a command that is no step's. */
export function scriptNameOf(command: string): string | undefined {
    return /^STEP=([a-z0-9/-]+)@/.exec(commandBy("root", command))?.[1];
}

const SOURCES = "STEP_SOURCES=";

/**
 * What bash reads on standard input to run a script.
 *
 * @param assignments what comes before everything else, one line each.
 * @param call what is run in the end.
 */
export function scriptText(script: Script, assignments: readonly string[], call: string): string {
    const runner = stepRunner();
    const head = [
        // Set before the group is parsed, since bash parses all of it at once.
        "shopt -s extglob",
        // One group: bash has read all of it before anything runs, so no command in it can swallow the rest.
        "{",
        ...assignments,
    ];
    // The STEP_SOURCES assignment is the one line between head and runner.
    const bodyStart = head.length + 1 + lineCount(runner) + 1;
    const sources = script.sources.map(({ file, firstLine }) => `${bodyStart + firstLine - 1} ${file}`).join("\n");
    return [
        ...head,
        `${SOURCES}${shellQuoteOneLine(sources)}`,
        `${runner}${script.body}${call}`,
        "exit $?",
        "}",
        "",
    ].join("\n");
}

function lineCount(text: string): number {
    return text.split("\n").length - 1;
}

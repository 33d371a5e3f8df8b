/** How commands of checks are run, wherever that is. */

/** Runs a command. @returns its exit code */
export type Run = (
    command: { readonly text: string; readonly stdin: string; readonly seconds: number },
    output: { readonly line: (line: string) => void; readonly error: (text: string) => void },
) => Promise<number | undefined>;

/** Gives what comes in pieces on by the line; `end` gives a last one that isn't ended. */
export function linesTo(line: (line: string) => void): { take: (chunk: Buffer) => void; end: () => void } {
    const decoder = new TextDecoder();
    let rest = "";
    return {
        take: (chunk) => {
            const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
            rest = lines.pop()!;
            lines.forEach(line);
        },
        end: () => {
            if (rest !== "") line(rest);
        },
    };
}

import type { Log } from "../common/engine";
import { LineSplitter } from "../common/lines";
import { plain, type Value } from "../common/values";

// An error travels in the trailers of the engine's protocol, which are no place for megabytes.
const shownInErrors = 16 * 1024;

/** What a command writes: kept whole, streamed to the log as asked, and its end remembered for an error message. */
export class CommandOutput {
    private readonly stdoutChunks: Buffer[] = [];
    private readonly stderrChunks: Buffer[] = [];
    private readonly lines: { stdout?: LineSplitter; stderr?: LineSplitter };
    private tail = Buffer.alloc(0);
    private seen = 0;

    constructor(log: Log, logging: Value | undefined) {
        const level = logging === undefined ? "stdoutAndStderr" : plain(logging);
        const show = () => new LineSplitter((line) => log.status(line));
        this.lines = {
            stdout: level === "stdout" || level === "stdoutAndStderr" ? show() : undefined,
            stderr: level === "stderr" || level === "stdoutAndStderr" ? show() : undefined,
        };
    }

    readonly onStdout = (chunk: Buffer): void => {
        this.stdoutChunks.push(chunk);
        this.lines.stdout?.push(chunk);
        this.remember(chunk);
    };

    readonly onStderr = (chunk: Buffer): void => {
        this.stderrChunks.push(chunk);
        this.lines.stderr?.push(chunk);
        this.remember(chunk);
    };

    end(): void {
        this.lines.stdout?.end();
        this.lines.stderr?.end();
    }

    get stdout(): string {
        return text(this.stdoutChunks);
    }

    get stderr(): string {
        return text(this.stderrChunks);
    }

    /** Both streams as they came, the last part only when there is much. */
    get forError(): string {
        const left = this.seen - this.tail.length;
        return (left > 0 ? `(${left} bytes before this are left out)\n` : "") + this.tail.toString("utf8");
    }

    private remember(chunk: Buffer): void {
        this.seen += chunk.length;
        this.tail = Buffer.concat([this.tail, chunk]).subarray(-shownInErrors);
    }
}

function text(chunks: readonly Buffer[]): string {
    return Buffer.concat(chunks).toString("utf8").replace(/\n$/, "");
}

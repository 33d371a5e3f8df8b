import { StringDecoder } from "node:string_decoder";

const longestLine = 32 * 1024;

/** Cuts a stream of bytes into lines of text, as they come. A line without end is cut rather than held for ever. */
export class LineSplitter {
    private readonly decoder = new StringDecoder("utf8");
    private rest = "";

    constructor(private readonly onLine: (line: string) => void) {}

    push(chunk: Buffer): void {
        const lines = (this.rest + this.decoder.write(chunk)).split("\n");
        this.rest = lines.pop()!;
        lines.forEach((line) => this.emit(line));
        if (this.rest.length > longestLine) {
            this.emit(this.rest);
            this.rest = "";
        }
    }

    end(): void {
        this.rest += this.decoder.end();
        if (this.rest !== "") {
            this.emit(this.rest);
        }
        this.rest = "";
    }

    private emit(line: string): void {
        this.onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
}

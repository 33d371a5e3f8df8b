/** Runs checks on the machine that the doctor runs on. */
import { spawn } from "node:child_process";
import { linesTo, type Run } from "./run";

/** Whether its tools are those that the checks' scripts are written for. */
export const canRunHere = process.platform === "linux";

/** Runs a command, as {@link Run}. */
export const runHere: Run = ({ text, stdin, seconds }, { line, error }) =>
    new Promise((done, fail) => {
        const child = spawn("sh", ["-c", text], { stdio: "pipe", timeout: seconds * 1000 });
        const output = linesTo(line);
        child.stdout.on("data", output.take);
        child.stderr.on("data", (chunk: Buffer) => error(chunk.toString()));
        // One that ends without reading isn't our fault.
        child.stdin.on("error", () => undefined).end(stdin);
        child.on("error", fail);
        child.on("close", (code, signal) => {
            output.end();
            if (signal === null) done(code ?? undefined);
            else fail(new Error(`no answer within ${seconds} s`));
        });
    });

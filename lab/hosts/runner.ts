/** The one place of the machine side that starts programs. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { messageOf } from "../../toolchain/errors";

/** What a program that ended left behind. */
export interface Finished {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** Throws what went wrong, all of it in one error when it is more than one; nothing when nothing did. */
export function throwAll(problems: readonly unknown[]): void {
    if (problems.length === 1) throw problems[0];
    if (problems.length > 1) throw new AggregateError(problems, problems.map(messageOf).join("\n"));
}

export interface RunOptions {
    /** Text for standard input; anything secret travels here and never in `argv`. */
    readonly input?: string;
    readonly env?: Readonly<Record<string, string>>;
    /** Milliseconds until the program is killed; 60000 unless told. */
    readonly timeout?: number;
}

/** A program ended with an error. The message names the program and its last words, never its input. */
export class RunError extends Error {
    constructor(argv: readonly string[], finished: Finished) {
        const words = (finished.stderr.trim() || finished.stdout.trim()).split("\n").slice(-5).join("\n");
        super(`${argv.slice(0, 4).join(" ")} ended with ${finished.code}: ${words}`);
    }
}

/**
 * Starts programs as root on the machine. A user without root is served by prefixing every command with what
 * reaches a privileged helper, hence no caller spawns by itself.
 */
export class Runner {
    constructor(private readonly prefix: readonly string[] = []) {}

    /** Standard output of a program that must succeed. */
    async run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
        const finished = await this.attempt(argv, options);
        if (finished.code !== 0) throw new RunError(argv, finished);
        return finished.stdout;
    }

    /** Runs a program whose failure the caller judges. A program that is not there ends with 127. */
    async attempt(argv: readonly string[], { input = "", env, timeout = 60_000 }: RunOptions = {}): Promise<Finished> {
        const [command = "", ...args] = [...this.prefix, ...argv];
        return new Promise((resolve) => {
            const child = spawn(command, args, {
                stdio: ["pipe", "pipe", "pipe"],
                env: { ...process.env, PATH: searchPath(), LC_ALL: "C", ...env },
            });
            const stdout: Buffer[] = [];
            const stderr: Buffer[] = [];
            const timer = setTimeout(() => child.kill("SIGKILL"), timeout);
            child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
            child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
            // A program that ends without reading its input is judged by its exit status.
            child.stdin.on("error", () => undefined);
            child.on("error", (error) => {
                clearTimeout(timer);
                resolve({ code: 127, stdout: "", stderr: error.message });
            });
            child.on("close", (code, signal) => {
                clearTimeout(timer);
                resolve({
                    code: code ?? 128,
                    stdout: Buffer.concat(stdout).toString(),
                    stderr: Buffer.concat(stderr).toString() + (signal ? `\nkilled by ${signal}` : ""),
                });
            });
            child.stdin.end(input);
        });
    }

    /**
     * Follows what a program prints for as long as it runs. It ends with this process, however that ends.
     * @param ended called when it ends by itself.
     * @returns ends it.
     */
    follow(argv: readonly string[], line: (text: string) => void, ended: () => void): () => void {
        const [command = "", ...args] = [...this.prefix, "setpriv", "--pdeathsig", "KILL", ...argv];
        const child = spawn(command, args, {
            stdio: ["ignore", "pipe", "ignore"],
            env: { ...process.env, PATH: searchPath(), LC_ALL: "C" },
        });
        createInterface(child.stdout).on("line", line);
        let over = false;
        const end = (): void => {
            if (!over) ended();
            over = true;
        };
        child.on("error", end);
        child.on("close", end);
        return () => {
            over = true;
            child.kill("SIGKILL");
        };
    }

    /** Runs a shell script; the first command that fails ends it. */
    async script(text: string, options: Omit<RunOptions, "input"> = {}): Promise<string> {
        return this.run(["sh", "-eus"], { ...options, input: text });
    }
}

/** `PATH` with the folders of administration commands, which users do not always have on theirs. */
export function searchPath(): string {
    const path = process.env["PATH"] ?? "";
    const missing = ["/usr/local/sbin", "/usr/sbin", "/sbin"].filter((folder) => !path.split(":").includes(folder));
    return [path, ...missing].join(":");
}

/** Whether a program can be run by its name. */
export function onPath(program: string): boolean {
    return searchPath()
        .split(":")
        .some((folder) => {
            try {
                accessSync(join(folder, program), constants.X_OK);
                return true;
            } catch {
                return false;
            }
        });
}

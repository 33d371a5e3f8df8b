import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { Operation, PluginFunction } from "../common/plugin";
import { check, type Field, type Fields } from "../common/schema";
import { archive, asset, isArchive, isAsset, isMap, plain, type Value, type ValueMap } from "../common/values";
import { selectFiles } from "./glob";
import { CommandLifecycle, guarded, type Outputs, textOf, triggersField } from "./lifecycle";
import { CommandOutput } from "./output";
import { abortReason } from "./retry";

const text: Field = { type: "string" };
const texts: Field = { type: "list", items: text };

const commonFields: Fields = {
    stdin: text,
    logging: text,
    interpreter: texts,
    dir: text,
    environment: { type: "map", items: text },
    assetPaths: texts,
    archivePaths: texts,
    addPreviousOutputInEnv: { type: "boolean" },
};

const killGrace = 1_000;

interface Exit {
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
}

/** Runs a program as leader of its own process group, so that a cancel reaches what it started as well. */
function runProcess(
    [program, ...args]: readonly string[],
    options: { cwd: string; env: NodeJS.ProcessEnv; stdin: string | undefined },
    output: CommandOutput,
    signal: AbortSignal,
): Promise<Exit> {
    return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const child = spawn(program!, args, {
            cwd: options.cwd,
            env: options.env,
            detached: true,
            stdio: ["pipe", "pipe", "pipe"],
        });
        const signalGroup = (name: NodeJS.Signals) => {
            try {
                process.kill(-child.pid!, name);
            } catch {
                // The group is gone already.
            }
        };
        const onAbort = () => {
            signalGroup("SIGTERM");
            const timer = setTimeout(() => signalGroup("SIGKILL"), killGrace);
            child.once("close", () => clearTimeout(timer));
        };
        signal.addEventListener("abort", onAbort);
        child.stdout.on("data", output.onStdout);
        child.stderr.on("data", output.onStderr);
        // A command that does not read its input is no error.
        child.stdin.on("error", () => undefined);
        child.stdin.end(options.stdin ?? "");
        child.once("error", (error: NodeJS.ErrnoException) => {
            signal.removeEventListener("abort", onAbort);
            reject(
                error.code === "ENOENT"
                    ? new Error(`exec: ${JSON.stringify(program)}: executable file not found in $PATH`)
                    : new Error(`fork/exec ${program}: ${error.message}`),
            );
        });
        child.once("close", (code, name) => {
            signal.removeEventListener("abort", onAbort);
            if (signal.aborted) {
                reject(abortReason(signal));
            } else {
                resolve({ code, signal: name });
            }
        });
    });
}

async function fileAsset(directory: string, file: string): Promise<ValueMap> {
    const location = path.join(directory, file);
    const content: Buffer = await fs.readFile(location);
    return asset({ path: location, hash: createHash("sha256").update(content).digest("hex") });
}

async function fileAssets(directory: string, rules: Value): Promise<ValueMap> {
    const files = await selectFiles(directory, plain(rules) as string[]);
    const assets = await Promise.all(files.map((file) => fileAsset(directory, file)));
    return Object.fromEntries(files.map((file, index) => [file, assets[index]!] as const));
}

function hashOf(assets: ValueMap): string {
    const hash = createHash("sha256");
    for (const name of Object.keys(assets).sort()) {
        hash.update(`${name}\0${(assets[name] as ValueMap)["hash"] as string}\n`);
    }
    return hash.digest("hex");
}

async function runLocal(command: string, values: ValueMap, previous: ValueMap, operation: Operation): Promise<Outputs> {
    const { log, signal } = operation;
    const output = new CommandOutput(log, values["logging"]);
    const interpreter = (plain(values["interpreter"] ?? []) ?? []) as string[];
    const program = [...(interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"]), command];
    const cwd = textOf(values, "dir") ?? process.cwd();

    const env: NodeJS.ProcessEnv = {
        ...process.env,
        ...(plain(values["environment"] ?? {}) as Record<string, string>),
    };
    if (plain(values["addPreviousOutputInEnv"] ?? true) !== false) {
        for (const stream of ["stdout", "stderr"] as const) {
            const value = textOf(previous, stream);
            if (value) {
                env[`PULUMI_COMMAND_${stream.toUpperCase()}`] = value;
            }
        }
    }

    return guarded(values, [], async () => {
        const failed = (reason: string) =>
            new Error(`${reason}: running ${JSON.stringify(command)}:\n${output.forError}`);
        if (!(await fs.stat(cwd).catch(() => undefined))?.isDirectory()) {
            throw failed(`chdir ${cwd}: no such file or directory`);
        }
        let exit: Exit;
        try {
            exit = await runProcess(program, { cwd, env, stdin: textOf(values, "stdin") }, output, signal);
        } catch (error) {
            throw failed((error as Error).message);
        } finally {
            output.end();
        }
        if (exit.signal !== null) {
            throw failed(`signal: ${exit.signal}`);
        }
        if (exit.code !== 0) {
            throw failed(`exit status ${exit.code}`);
        }
        const outputs: ValueMap = { stdout: output.stdout, stderr: output.stderr };
        if (values["assetPaths"] !== undefined) {
            outputs["assets"] = await fileAssets(cwd, values["assetPaths"]);
        }
        if (values["archivePaths"] !== undefined) {
            const assets = await fileAssets(cwd, values["archivePaths"]);
            outputs["archive"] = archive({ assets, hash: hashOf(assets) });
        }
        return outputs;
    });
}

/** Gives assets of a recorded state their paths back: what they were taken from is known from the inputs. */
async function withAssets(state: ValueMap): Promise<ValueMap> {
    const directory = textOf(state, "dir") ?? process.cwd();
    const completed = { ...state };
    const assets = plain(state["assets"] ?? null);
    if (isMap(assets)) {
        completed["assets"] = Object.fromEntries(
            Object.entries(assets).map(([file, found]) => [
                file,
                isAsset(found) ? { path: path.join(directory, file), ...found } : found,
            ]),
        );
    }
    const recorded = plain(state["archive"] ?? null);
    if (isArchive(recorded) && state["archivePaths"] !== undefined) {
        const members = await fileAssets(directory, state["archivePaths"]).catch(() => undefined);
        completed["archive"] = members === undefined ? recorded : { ...recorded, assets: members };
    }
    return completed;
}

export function localCommand(): CommandLifecycle {
    const fields: Fields = { triggers: triggersField, create: text, update: text, delete: text, ...commonFields };
    return new CommandLifecycle(fields, ["stdout", "stderr", "assets", "archive"], runLocal, withAssets);
}

/** A command that runs at every preview and every update. */
export function localRun(): PluginFunction {
    const fields: Fields = { command: { type: "string", required: true }, ...commonFields };
    return {
        check: (args) => check(fields, args),
        call: async (args, operation) => ({
            ...args,
            ...(await runLocal(textOf(args, "command") ?? "", args, {}, operation)),
        }),
    };
}

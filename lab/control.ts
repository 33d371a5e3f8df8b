/** Starts, asks and ends the daemon of a lab. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../toolchain/folders";
import { DaemonRecord, runningDaemon } from "./record";
import { readJson } from "./files";
import type { LabIdentity } from "./identity";
import { rotateLog } from "./log";
import type { LabPaths } from "./paths";
import { post } from "./post";
import { isAlive, startOf } from "./process";

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 50;

/** Something failed that the caller can do nothing about in code; its message is for people. */
export class LabError extends Error {}

function sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Starts the daemon unless it runs. */
export async function startDaemon(paths: LabPaths, region: string): Promise<DaemonRecord> {
    const running = runningDaemon(paths);
    if (running) return running;
    mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
    rmSync(paths.daemon, { force: true });
    // Before the daemon has it: what is said on the way up is looked for where it was opened.
    rotateLog(paths.log);
    const before = existsSync(paths.log) ? statSync(paths.log).size : 0;
    const log = openSync(paths.log, "a", 0o600);
    const child = spawn(process.execPath, [join(root, "toolchain/bootstrap.mjs"), "lab/daemon.ts"], {
        cwd: root,
        detached: true,
        stdio: ["ignore", log, log],
        env: { ...process.env, LAB_NAME: paths.name, LAB_PORT: String(paths.port), LAB_REGION: region },
    });
    closeSync(log);
    const spawned: { ended?: boolean } = {};
    const end = (): void => void (spawned.ended = true);
    child.once("exit", end);
    child.once("error", end);
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
        await sleep(POLL_MS);
        const record = runningDaemon(paths);
        if (record) {
            child.unref();
            return record;
        }
        if (spawned.ended === true || Date.now() > deadline) {
            if (spawned.ended !== true) child.kill();
            const said = readFileSync(paths.log).subarray(before).toString().trim().split("\n").slice(-15).join("\n");
            throw new LabError(`The lab did not start${spawned.ended === true ? "" : " in two minutes"}:\n${said}`);
        }
    }
}

/** Asks the running daemon to do something, with the key that only the lab's owner can read. */
export async function control(paths: LabPaths, daemon: DaemonRecord, name: string, body = ""): Promise<unknown> {
    const identity = readJson(paths.identity) as LabIdentity | undefined;
    const { status, body: answer } = await post(`http://127.0.0.1:${daemon.port}/_lab/${name}`, {
        headers: { "x-lab-key": identity?.accessKeySecret ?? "" },
        body,
    });
    if (status !== 200) throw new LabError((answer as { Message?: string }).Message ?? `The lab answered ${status}.`);
    return answer;
}

/** Ends the daemon; the hosts are left as they are. */
export async function stopDaemon(paths: LabPaths): Promise<void> {
    const daemon = runningDaemon(paths);
    if (!daemon) return;
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        if (startOf(daemon.pid) !== daemon.start) break;
        process.kill(daemon.pid, signal);
        if (await isGone(daemon)) break;
    }
    rmSync(paths.daemon, { force: true });
}

/** Waits for a daemon that was told to end. */
export async function isGone(daemon: DaemonRecord): Promise<boolean> {
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isAlive(daemon.pid, daemon.start)) {
        if (Date.now() > deadline) return false;
        await sleep(POLL_MS);
    }
    return true;
}

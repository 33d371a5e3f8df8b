/** Mount targets of file systems: one NFS-Ganesha for each, in its own name space, on a folder that all of a file system share. */
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installPackages } from "../hosts/engine";
import { remove, writeAtomically } from "../hosts/files";
import { type Runner, throwAll } from "../hosts/runner";
import type { DesiredFileSystem, DesiredMountTarget } from "../model/desired";
import { type FileServerPlace, ganeshaConfiguration } from "./ganesha";
import type { BalancerPlan } from "./plan";

const SERVER = "ganesha.nfsd";
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
/** As `/proc/net/tcp6` has it: port 2049, listening. */
const LISTENS = /:0801 [0-9A-F:]+ 0A /;

export interface FileServersOptions {
    readonly runner: Runner;
    /** Folder for files, configurations and what servers remember. Kept until the lab goes. */
    readonly folder: string;
    /** Where a mount target is. */
    readonly place: (id: string) => BalancerPlan | undefined;
    readonly log: (line: string) => void;
}

/** The file servers of one lab. Calls of `apply` must not overlap. */
export class FileServers {
    private readonly serving = new Set<string>();

    constructor(private readonly options: FileServersOptions) {}

    /**
     * Brings every mount target to its desired state, after their name spaces are there.
     * @throws Error that says why of every mount target that could not be brought there
     */
    async apply(desired: readonly DesiredFileSystem[]): Promise<void> {
        const { folder, runner } = this.options;
        const targets = desired.flatMap(({ mountTargets }) => mountTargets);
        const problems: unknown[] = [];
        // What one fails with must not stand in the way of those after it, nor keep the files of others that went.
        const note = (error: unknown): void => {
            problems.push(error);
        };
        // Some 20 s, once, for those who mount anything.
        if (targets.length > 0) await installPackages(["nfs-ganesha", "nfs-ganesha-vfs"], [SERVER], runner).catch(note);
        const installed = problems.length === 0;
        for (const { id, mountTargets } of desired) {
            mkdirSync(this.filesOf(id), { recursive: true, mode: 0o755 });
            if (installed) for (const target of mountTargets) await this.follow(target, this.filesOf(id)).catch(note);
        }
        const files = new Set(desired.map(({ id }) => id));
        for (const id of listFolder(path.join(folder, "files"))) if (!files.has(id)) remove(this.filesOf(id));
        const known = new Set(targets.map(({ id }) => id));
        for (const id of listFolder(path.join(folder, "servers"))) {
            if (known.has(id)) continue;
            remove(this.serverFolder(id));
            this.serving.delete(id);
        }
        throwAll(problems);
    }

    /** Whether a mount target can be mounted. */
    serves(id: string): boolean {
        return this.serving.has(id);
    }

    /** Removes all files; the processes end with their name spaces. */
    destroy(): void {
        remove(this.options.folder);
        this.serving.clear();
    }

    private filesOf(fileSystemId: string): string {
        return path.join(this.options.folder, "files", fileSystemId);
    }

    private serverFolder(id: string): string {
        return path.join(this.options.folder, "servers", id);
    }

    private async follow(target: DesiredMountTarget, files: string): Promise<void> {
        const { runner, place } = this.options;
        const found = place(target.id);
        if (!found) return;
        const folder = this.serverFolder(target.id);
        const here: FileServerPlace = { files, recovery: path.join(folder, "recovery") };
        mkdirSync(here.recovery, { recursive: true, mode: 0o700 });
        const file = path.join(folder, "ganesha.conf");
        const configuration = ganeshaConfiguration(target, here);
        const pid = readText(path.join(folder, "process")).trim();
        const isRunning = pid !== "" && (await this.processes(found.namespace)).includes(pid);
        const isCurrent = readText(file) === configuration;
        if (!target.active) {
            if (isRunning) await runner.attempt(["kill", pid]);
            this.serving.delete(target.id);
            return;
        }
        if (!isCurrent) writeAtomically(file, configuration);
        // It reads its exports again, and whoever is still let in notices nothing.
        if (isRunning && !isCurrent) await runner.run(["kill", "-HUP", pid]);
        if (!isRunning) {
            this.serving.delete(target.id);
            await this.start(target, found, folder);
        }
        this.serving.add(target.id);
    }

    private async start(target: DesiredMountTarget, { namespace }: BalancerPlan, folder: string): Promise<void> {
        const { runner, log } = this.options;
        const logFile = path.join(folder, "log");
        const processFile = path.join(folder, "process");
        remove(processFile);
        await runner.run(
            [
                "nsenter",
                `--net=/run/netns/${namespace}`,
                SERVER,
                ...["-f", path.join(folder, "ganesha.conf")],
                ...["-L", logFile],
                ...["-p", processFile],
            ],
            // The machine's bus knows one such server at most, and is none of this one's business.
            { env: { DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/nonexistent" } },
        );
        const deadline = Date.now() + START_TIMEOUT_MS;
        while (!listens(readText(processFile).trim())) {
            if (Date.now() > deadline) {
                log(`mount target ${target.id}: no server after 30 s; ${logFile} says why`);
                throw new Error(`The NFS server of ${target.id} did not begin: ${readText(logFile).slice(-2_000)}`);
            }
            await sleep(POLL_MS);
        }
    }

    private async processes(namespace: string): Promise<string[]> {
        const text = await this.options.runner.run(["ip", "netns", "pids", namespace]);
        return text.split("\n").filter((line) => line !== "");
    }
}

/** Whether a process listens for NFS, in whatever name space it is. */
function listens(pid: string): boolean {
    return pid !== "" && [`/proc/${pid}/net/tcp6`, `/proc/${pid}/net/tcp`].some((file) => LISTENS.test(readText(file)));
}

function readText(file: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return "";
    }
}

function listFolder(folder: string): string[] {
    return existsSync(folder) ? readdirSync(folder) : [];
}

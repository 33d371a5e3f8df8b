/** Load balancers: one HAProxy for each, in the balancer's own name space. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { remove, writeAtomically } from "../hosts/files";
import type { Runner } from "../hosts/runner";
import type { DesiredBalancer, ServerHealth } from "../model/desired";
import { startOf } from "../process";
import { PEER, balancerFiles, serverHealth, serverState, socketOf, stateFileOf } from "./haproxy";
import type { BalancerPlan } from "./plan";

const ANSWER_TIMEOUT_MS = 5_000;

export interface BalancersOptions {
    readonly runner: Runner;
    /** Folder for configurations, certificates and sockets; short, because the path of a socket has 97 characters. */
    readonly folder: string;
    /** Where a balancer is. */
    readonly place: (id: string) => BalancerPlan | undefined;
}

/** The balancers of one lab. Calls of `apply` must not overlap. */
export class Balancers {
    private running = new Map<string, DesiredBalancer>();

    constructor(private readonly options: BalancersOptions) {}

    /** Brings every balancer to its desired state, after their name spaces are there. */
    async apply(desired: readonly DesiredBalancer[]): Promise<void> {
        const running = new Map<string, DesiredBalancer>();
        for (const balancer of desired) {
            const place = this.options.place(balancer.id);
            if (!place) continue;
            if (balancer.listeners.length === 0) await this.stop(balancer.id);
            else {
                await this.start(balancer, place);
                running.set(balancer.id, balancer);
            }
        }
        for (const id of listFolder(this.options.folder)) if (!running.has(id)) remove(this.folderOf(id));
        this.running = running;
    }

    /** How a balancer finds its servers; empty while it does not run. */
    async health(id: string): Promise<ServerHealth[]> {
        const balancer = this.running.get(id);
        if (!balancer) return [];
        return serverHealth(balancer, await this.ask(id, "show stat"));
    }

    /** Removes what is on disk; the processes end with their name spaces. */
    destroy(): void {
        remove(this.options.folder);
        this.running.clear();
    }

    private folderOf(id: string): string {
        return path.join(this.options.folder, id);
    }

    private async start(balancer: DesiredBalancer, { namespace, address }: BalancerPlan): Promise<void> {
        const folder = this.folderOf(balancer.id);
        const { configuration, certificates } = balancerFiles(balancer, { folder, address });
        const file = path.join(folder, "haproxy.cfg");
        const processFile = path.join(folder, "process");
        const pids = await this.processes(namespace);
        const isRunning = pids.includes(readText(processFile).trim());
        if (isRunning && readText(file) === configuration) return;
        for (const [name, pem] of certificates) writeAtomically(path.join(folder, name), pem);
        const known = isRunning ? await this.ask(balancer.id, "show servers state") : "";
        writeAtomically(stateFileOf(folder), serverState(balancer, known));
        const next = `${file}.next`;
        writeAtomically(next, configuration);
        const inside = ["nsenter", `--net=/run/netns/${namespace}`];
        // The old process serves what it has begun, and ends.
        const handover = isRunning ? ["-x", socketOf(folder), "-sf", ...pids] : [];
        await this.options.runner.run([
            ...inside,
            "haproxy",
            "-D",
            "-f",
            next,
            "-p",
            processFile,
            "-L",
            PEER,
            ...handover,
        ]);
        // Only now, because a configuration on disk is one that is in force.
        writeAtomically(file, configuration);
        remove(next);
        for (const name of listFolder(folder))
            if (name.endsWith(".pem") && !certificates.has(name)) remove(path.join(folder, name));
    }

    /** A balancer without listeners serves what it has begun, and nobody else. */
    private async stop(id: string): Promise<void> {
        const pid = Number(readText(path.join(this.folderOf(id), "process")).trim());
        if (pid > 0 && startOf(pid) !== undefined) await this.options.runner.attempt(["kill", "-USR1", String(pid)]);
    }

    private async processes(namespace: string): Promise<string[]> {
        const text = await this.options.runner.run(["ip", "netns", "pids", namespace]);
        return text.split("\n").filter((line) => line !== "");
    }

    /** HAProxy's answer to a command; empty when it gives none. */
    private async ask(id: string, command: string): Promise<string> {
        return new Promise((resolve) => {
            const chunks: Buffer[] = [];
            const socket = net.connect(socketOf(this.folderOf(id)));
            socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
            socket.on("data", (chunk: Buffer) => chunks.push(chunk));
            socket.on("error", () => undefined);
            socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
            socket.end(`${command}\n`);
        });
    }
}

function readText(file: string): string {
    return existsSync(file) ? readFileSync(file, "utf8") : "";
}

function listFolder(folder: string): string[] {
    return existsSync(folder) ? readdirSync(folder) : [];
}

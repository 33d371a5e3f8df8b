/** Load balancers: in each one's own name space a HAProxy for its streams, and nftables for its datagrams. */
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { shellWord } from "../../toolchain/commandLine";
import { root } from "../../toolchain/folders";
import { remove, writeAtomically } from "../hosts/files";
import { Runner, throwAll } from "../hosts/runner";
import type { DesiredBalancer, ServerHealth } from "../model/desired";
import { startOf } from "../process";
import type { DatagramAnswer, DatagramRequest } from "./datagrams";
import { PEER, balancerFiles, serverHealth, serverState, socketOf, stateFileOf, tlsConfiguration } from "./haproxy";
import type { BalancerPlan } from "./plan";

const ANSWER_TIMEOUT_MS = 5_000;
/** How long the service for datagrams may take to bring the firewall to a configuration. */
const DATAGRAMS_TIMEOUT_MS = 30_000;
/** How long a service may take to begin, on a machine that does much else. */
const START_TIMEOUT_MS = 60_000;
/** How long a service that was told to end may take for it. */
const END_TIMEOUT_MS = 5_000;
const POLL_MS = 50;
/** Former processes of a balancer that may go on for the connections that they have. */
const FORMER_PROCESSES = 10;
/** Beginning of the names of the datagram service's files; the others are HAProxy's. */
const DATAGRAMS = "datagrams";

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

    /**
     * Brings every balancer to its desired state, after their name spaces are there.
     * @throws Error that says why of every balancer that could not be brought there
     */
    async apply(desired: readonly DesiredBalancer[]): Promise<void> {
        const running = new Map<string, DesiredBalancer>();
        const problems: unknown[] = [];
        for (const balancer of desired) {
            const place = this.options.place(balancer.id);
            if (!place) continue;
            try {
                await this.balance(balancer, place);
                if (balancer.listeners.length > 0) running.set(balancer.id, balancer);
            } catch (error) {
                // What one is refused must not stand in the way of those after it.
                problems.push(error);
                // Its process serves what it did before, out of its folder.
                running.set(balancer.id, this.running.get(balancer.id) ?? balancer);
            }
        }
        for (const id of listFolder(this.options.folder)) if (!running.has(id)) remove(this.folderOf(id));
        this.running = running;
        throwAll(problems);
    }

    private async balance(balancer: DesiredBalancer, place: BalancerPlan): Promise<void> {
        const { streams, datagrams } = split(balancer);
        if (streams.listeners.length === 0) await this.stop(balancer.id);
        else await this.start(streams, place);
        await this.balanceDatagrams(datagrams, place);
    }

    /** How a balancer finds its servers; empty while it does not run. */
    async health(id: string): Promise<ServerHealth[]> {
        const balancer = this.running.get(id);
        if (!balancer) return [];
        const { streams, datagrams } = split(balancer);
        return [
            ...(streams.listeners.length === 0
                ? []
                : serverHealth(streams, await ask(socketOf(this.folderOf(id)), "show stat"))),
            ...(datagrams.listeners.length === 0 ? [] : await this.askDatagrams(id, {})),
        ];
    }

    /** Removes what is on disk; the processes end with their name spaces. */
    destroy(): void {
        remove(this.options.folder);
        this.running.clear();
    }

    private folderOf(id: string): string {
        return path.join(this.options.folder, id);
    }

    private async start(balancer: DesiredBalancer, { namespace, addresses }: BalancerPlan): Promise<void> {
        const folder = this.folderOf(balancer.id);
        const { configuration, certificates } = balancerFiles(balancer, { folder, addresses });
        const file = path.join(folder, "haproxy.cfg");
        const processFile = path.join(folder, "process");
        const pids = await this.processes(namespace);
        const isRunning = pids.includes(readText(processFile).trim());
        if (isRunning && readText(file) === configuration) return;
        for (const [name, pem] of certificates) writeAtomically(path.join(folder, name), pem);
        const known = isRunning ? await ask(socketOf(folder), "show servers state") : "";
        writeAtomically(stateFileOf(folder), serverState(balancer, known));
        const next = `${file}.next`;
        writeAtomically(next, configuration);
        const tlsFile = path.join(folder, "openssl.cnf");
        writeAtomically(tlsFile, tlsConfiguration);
        const inside = ["nsenter", `--net=/run/netns/${namespace}`];
        // The old process serves what it has begun, and ends.
        const former = pids.filter(isHaproxy);
        const handover = isRunning ? ["-x", socketOf(folder), "-sf", ...former] : [];
        await this.options.runner.run(
            [...inside, "haproxy", "-D", "-f", next, "-p", processFile, "-L", PEER, ...handover],
            { env: { OPENSSL_CONF: tlsFile } },
        );
        for (const pid of exceeding(former)) await this.options.runner.attempt(["kill", pid]);
        // Only now, because a configuration on disk is one that is in force.
        writeAtomically(file, configuration);
        remove(next);
        for (const name of listFolder(folder))
            if (name.endsWith(".pem") && !certificates.has(name)) remove(path.join(folder, name));
    }

    /** A balancer without listeners serves what it has begun, and nobody else. */
    private async stop(id: string): Promise<void> {
        const folder = this.folderOf(id);
        const pid = Number(readText(path.join(folder, "process")).trim());
        if (pid > 0 && startOf(pid) !== undefined) await this.options.runner.attempt(["kill", "-USR1", String(pid)]);
        for (const name of listFolder(folder)) if (!name.startsWith(DATAGRAMS)) remove(path.join(folder, name));
    }

    /** Hands the listeners for datagrams to the balancer's service, which is there as long as there are any. */
    private async balanceDatagrams({ id, listeners }: DesiredBalancer, place: BalancerPlan): Promise<void> {
        const { namespace, addresses, source } = place;
        const processFile = path.join(this.folderOf(id), `${DATAGRAMS}.process`);
        const pid = (await this.processes(namespace)).find((one) => one === readText(processFile).trim());
        if (listeners.length === 0 && pid === undefined) return;
        if (pid === undefined) await this.startDatagrams(id, place, processFile);
        await this.askDatagrams(id, { apply: { addresses, source, listeners } });
        if (listeners.length === 0) await this.endDatagrams(id, Number(pid));
    }

    private async startDatagrams(id: string, { namespace }: BalancerPlan, processFile: string): Promise<void> {
        const folder = this.folderOf(id);
        const socket = this.datagramSocket(id);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        remove(socket);
        const inside = `nsenter --net=/run/netns/${namespace}`;
        const service = [process.execPath, path.join(root, "toolchain/bootstrap.mjs"), "lab/net/datagramService.ts"];
        await this.options.runner.script(`
${inside} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0
setsid ${inside} ${[...service, socket].map(shellWord).join(" ")} >${shellWord(path.join(folder, `${DATAGRAMS}.log`))} 2>&1 </dev/null &
echo $! >${shellWord(processFile)}
`);
        const pid = Number(readText(processFile));
        // One that ended instead has said why.
        await until(() => existsSync(socket) || startOf(pid) === undefined, START_TIMEOUT_MS);
    }

    /** Its listeners are gone by then. Waits for its end, so that the next listener isn't handed to one that ends. */
    private async endDatagrams(id: string, pid: number): Promise<void> {
        await this.options.runner.attempt(["kill", String(pid)]);
        await until(() => startOf(pid) === undefined, END_TIMEOUT_MS);
        for (const name of listFolder(this.folderOf(id)))
            if (name.startsWith(DATAGRAMS)) remove(path.join(this.folderOf(id), name));
    }

    private datagramSocket(id: string): string {
        return path.join(this.folderOf(id), DATAGRAMS);
    }

    /** How the servers of datagrams are, after a request. @throws Error when the service did not do it */
    private async askDatagrams(id: string, request: DatagramRequest): Promise<readonly ServerHealth[]> {
        const timeout = request.apply ? DATAGRAMS_TIMEOUT_MS : ANSWER_TIMEOUT_MS;
        const text = await ask(this.datagramSocket(id), JSON.stringify(request), timeout);
        const { health, problem } = (text === "" ? {} : JSON.parse(text)) as Partial<DatagramAnswer>;
        if (health) return health;
        const log = readText(path.join(this.folderOf(id), `${DATAGRAMS}.log`)).trim();
        throw new Error(`The datagrams of ${id} are not balanced: ${problem ?? (log === "" ? "no answer" : log)}`);
    }

    private async processes(namespace: string): Promise<string[]> {
        const text = await this.options.runner.run(["ip", "netns", "pids", namespace]);
        return text.split("\n").filter((line) => line !== "");
    }
}

function split(balancer: DesiredBalancer): { readonly streams: DesiredBalancer; readonly datagrams: DesiredBalancer } {
    const of = (datagrams: boolean): DesiredBalancer => ({
        ...balancer,
        listeners: balancer.listeners.filter(({ protocol }) => (protocol === "udp") === datagrams),
    });
    return { streams: of(false), datagrams: of(true) };
}

/** Beside HAProxy's own there is the service for datagrams in a balancer's name space. */
function isHaproxy(pid: string): boolean {
    return readText(`/proc/${pid}/comm`).trim() === "haproxy";
}

/** The oldest of a balancer's former processes, where there are too many. */
function exceeding(pids: readonly string[]): string[] {
    const start = (pid: string): number => Number(startOf(Number(pid)) ?? 0);
    return [...pids].sort((a, b) => start(b) - start(a)).slice(FORMER_PROCESSES);
}

/** A process's answer to a command; empty when it gives none. */
async function ask(socketPath: string, command: string, timeout = ANSWER_TIMEOUT_MS): Promise<string> {
    return new Promise((resolve) => {
        const chunks: Buffer[] = [];
        const socket = net.connect(socketPath);
        socket.setTimeout(timeout, () => socket.destroy());
        socket.on("data", (chunk: Buffer) => chunks.push(chunk));
        socket.on("error", () => undefined);
        socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
        socket.end(`${command}\n`);
    });
}

async function until(condition: () => boolean, timeout: number): Promise<void> {
    const deadline = Date.now() + timeout;
    while (!condition() && Date.now() < deadline) await sleep(POLL_MS);
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

/** What must be there before the long work starts; each problem is one sentence with its remedy. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statfsSync } from "node:fs";
import net from "node:net";
import { dirname } from "node:path";
import { cacheFolder, stateFolder } from "../toolchain/folders";
import { toolchainProblems } from "../toolchain/toolchain";
import { Docker } from "./hosts/docker";
import { engineProblem } from "./hosts/engine";
import { labFilter } from "./hosts/hosts";
import { isBuilt } from "./hosts/image";
import { expectedIndex } from "./hosts/labs";
import { Runner, onPath } from "./hosts/runner";
import { addressProblem } from "./net/conflicts";
import { firewallProblems } from "./net/firewalls";
import { runningDaemon, wrongPort } from "./record";
import { LabPaths } from "./paths";
import { listenerOf } from "./process";

/** What the caller is about to do. */
export interface PreflightScope {
    /** Whether the Pulumi toolchain is needed. */
    readonly stack: boolean;
}

const GIB = 2 ** 30;
/** What hosts write, and beside it what is there once: their image, the engine, downloads. */
const HOSTS_BYTES = 3 * GIB;
const IMAGE_BYTES = GIB;
const MEMORY_BYTES = 3 * GIB;

/** All problems that would stop the lab, in the order in which a person would solve them. */
export async function findProblems(paths: LabPaths, scope: PreflightScope): Promise<string[]> {
    const disk = HOSTS_BYTES + (isBuilt() ? 0 : IMAGE_BYTES);
    const [engine, toolchain, memory, network, port] = await Promise.all([
        checkEngine(),
        scope.stack ? toolchainProblems(disk) : [],
        checkMemory(paths),
        checkNetwork(paths),
        checkPort(paths),
    ]);
    return [checkPlatform(), engine, ...toolchain, checkDisk(disk), memory, checkKernel(), ...network, port].filter(
        (problem) => problem !== undefined,
    );
}

function checkPlatform(): string | undefined {
    if (process.platform === "linux") return undefined;
    return `The lab needs Linux, this is ${process.platform}: run it in a Linux virtual machine.`;
}

async function checkEngine(): Promise<string | undefined> {
    const root = process.getuid?.() === 0;
    if (!root)
        return "The lab makes network name spaces and firewall rules, which takes root: run it as root or with sudo.";
    const docker = new Docker();
    try {
        if ((await docker.problem()) === undefined) return await engineProblem(docker);
    } finally {
        docker.close();
    }
    if (onPath("dockerd")) return undefined;
    if (onPath("apt-get")) return undefined;
    return "No container engine runs and this is neither Debian nor Ubuntu, where the lab could install one: install Docker and start it.";
}

function existing(folder: string): string {
    return existsSync(folder) ? folder : existing(dirname(folder));
}

function checkDisk(needed: number): string | undefined {
    for (const folder of new Set([stateFolder(), cacheFolder(), "/var/lib/docker"].map(existing))) {
        const { bavail, bsize } = statfsSync(folder);
        if (bavail * bsize < needed)
            return `The lab needs ${(needed / GIB).toFixed(0)} GiB on the disk of ${folder}, ${((bavail * bsize) / GIB).toFixed(1)} GiB are free: make room, or set MULTIHOST_CACHE and MULTIHOST_STATE to another disk.`;
    }
    try {
        mkdirSync(stateFolder(), { recursive: true });
        accessSync(stateFolder(), constants.W_OK);
        return undefined;
    } catch {
        return `The lab can't write to ${stateFolder()}: make it writable, or set MULTIHOST_STATE to another folder.`;
    }
}

async function checkMemory(paths: LabPaths): Promise<string | undefined> {
    const match = /^MemAvailable:\s+(\d+) kB$/m.exec(readIfThere("/proc/meminfo"));
    if (!match) return undefined;
    const available = Number(match[1]) * 1024;
    if (available >= MEMORY_BYTES || (await isRunning(paths))) return undefined;
    return `The lab needs ${MEMORY_BYTES / GIB} GiB of memory, ${(available / GIB).toFixed(1)} GiB are available: stop something else.`;
}

/** Whether the lab has taken its memory already: a daemon that crashed leaves its hosts running. */
async function isRunning(paths: LabPaths): Promise<boolean> {
    if (runningDaemon(paths)) return true;
    const docker = new Docker();
    try {
        return (await docker.running(labFilter(paths.name))) > 0;
    } catch {
        return false;
    } finally {
        docker.close();
    }
}

function readIfThere(file: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return "";
    }
}

function checkKernel(): string | undefined {
    const missing = [
        ...(existsSync("/proc/self/ns/net") ? [] : ["network name spaces"]),
        ...(existsSync("/proc/self/ns/pid") ? [] : ["process name spaces"]),
        ...(existsSync("/sys/fs/cgroup") ? [] : ["control groups"]),
    ];
    if (missing.length === 0) return undefined;
    return `This kernel lacks ${missing.join(", ")}: use one that has them, such as a distribution's own.`;
}

async function checkNetwork({ name }: LabPaths): Promise<(string | undefined)[]> {
    const index = expectedIndex(name);
    if (index === undefined) return [];
    const ruleset = await new Runner().attempt(["nft", "-j", "list", "ruleset"]);
    const opened = { iptables: onPath("iptables"), firewalld: onPath("firewall-cmd") };
    return [addressProblem(index), ...(ruleset.code === 0 ? firewallProblems(index, ruleset.stdout, opened) : [])];
}

async function checkPort(paths: LabPaths): Promise<string | undefined> {
    const daemon = runningDaemon(paths);
    if (daemon) return wrongPort(paths, daemon);
    const free = await new Promise<boolean>((resolve) => {
        const probe = net.createServer();
        probe.once("error", () => resolve(false));
        probe.listen({ host: "127.0.0.1", port: paths.port }, () => probe.close(() => resolve(true)));
    });
    if (free) return undefined;
    const owner = listenerOf(paths.port);
    return `Port ${paths.port} is taken${owner === undefined ? "" : ` by ${owner}`}: free it, or set LAB_PORT to another port.`;
}

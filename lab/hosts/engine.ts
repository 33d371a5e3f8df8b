/** The container engine: uses the one that runs, installs and starts one where that is possible. */
import { existsSync, mkdirSync, openSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { hostname } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stateFolder } from "../../toolchain/folders";
import { withLock } from "../../toolchain/lock.cjs";
import { step } from "../../toolchain/progress.cjs";
import { isAlive, processes, startOf } from "../process";
import { Docker, engineElsewhere } from "./docker";
import { readJson, remove, writeAtomically } from "./files";
import { RunError, Runner, onPath, searchPath } from "./runner";
import { uplinkMtu } from "../net/network";

/** A reason for which there can be no lab on this machine, in one sentence with its remedy. */
export class EngineError extends Error {}

/** Programs that the machine side uses, and the packages that bring them. */
const TOOLS: Readonly<Record<string, string>> = {
    ip: "iproute2",
    nft: "nftables",
    conntrack: "conntrack",
    losetup: "mount",
    nsenter: "util-linux",
    sysctl: "procps",
    ssh: "openssh-client",
    haproxy: "haproxy",
};

/** Makes sure that an engine answers and that the programs that the lab uses are there. */
export async function ensureEngine({ runner = new Runner() }: { runner?: Runner } = {}): Promise<void> {
    const docker = new Docker();
    try {
        const ready = async (): Promise<boolean> => (await docker.problem()) === undefined;
        if (process.getuid?.() !== 0)
            throw new EngineError(
                (await docker.problem()) === undefined
                    ? "The lab makes name spaces and firewall rules, which takes root: run it as root or with sudo."
                    : "The lab needs a running Docker and root: install Docker and run the lab as root or with sudo.",
            );
        // An installation that was interrupted left it to whoever comes next.
        await liftBan();
        if ((await ready()) && missingTools().length === 0) return;
        await withLock(engineLock(), { what: "the container engine" }, async () => {
            const packages = missingTools();
            const engine = !(await ready());
            if (engine && !onPath("dockerd")) packages.push("docker.io");
            if (packages.length > 0)
                await step("Install the container engine and its tools", { about: "20 s" }, () =>
                    installPackages(packages, [], runner),
                );
            if (engine) await step("Start the container engine", { about: "5 s" }, () => startEngine(docker, runner));
        });
        const { stdout } = await runner.attempt(["sh"], { input: kernelProbe });
        if (stdout.trim() !== "")
            throw new EngineError(
                `This kernel lacks ${stdout.trim()}: use one that has it, such as a distribution's own.`,
            );
    } finally {
        docker.close();
    }
}

/**
 * Why the engine that answers is of no use: Docker Desktop's in WSL2, or the machine's own in a container that has its socket, start
 * processes that are not to be seen here.
 */
export async function engineProblem(docker: Docker): Promise<string | undefined> {
    const { Name } = await docker.info();
    const isEngine = /(^|\/)dockerd( \(deleted\))?$/;
    const isHere = Name === hostname() || processes().some(({ executable }) => isEngine.test(executable));
    return isHere ? undefined : engineElsewhere(docker.socketPath, `it calls its machine ${Name}`);
}

/** What a lab does with the kernel, tried in a name space of its own so that nothing stays. */
const kernelProbe = `
unshare -n true 2>/dev/null || { echo "network name spaces"; exit; }
unshare -n ip link add dev probe0 type veth peer name probe1 2>/dev/null || { echo "veth links"; exit; }
unshare -n ip link add dev probe0 type bridge 2>/dev/null || { echo "bridges"; exit; }
unshare -n nft add table ip probe '{ chain nat { type nat hook postrouting priority 100; masquerade; }; }' 2>/dev/null || echo "nftables with address translation"
`;

function missingTools(): string[] {
    return Object.entries(TOOLS)
        .filter(([tool]) => !onPath(tool))
        .map(([, name]) => name);
}

/** Distribution and release of this machine, in lower case. */
export function osRelease(file = "/etc/os-release"): { id: string; codename: string } {
    let text = "";
    try {
        text = readFileSync(file, "utf8");
    } catch {
        // No distribution that the lab could know.
    }
    const value = (name: string): string => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
    return { id: value("ID").toLowerCase(), codename: value("VERSION_CODENAME").toLowerCase() };
}

/**
 * Installs Debian packages, without starting services that they bring, unless the programs that they bring are there.
 * @throws EngineError where other packages would have to go, which stay
 */
export async function installPackages(
    packages: readonly string[],
    programs: readonly string[],
    runner: Runner,
): Promise<void> {
    if (programs.length > 0 && programs.every(onPath)) return;
    if (!["debian", "ubuntu"].includes(osRelease().id))
        throw new EngineError(
            `The lab needs ${packages.join(", ")} and can install packages on Debian and Ubuntu only: install them first.`,
        );
    await exclusively(() => withoutStartingServices(() => install(packages, runner)));
}

/** One installation at a time: the first to end would let the other's services start. */
function exclusively(action: () => Promise<void>): Promise<void> {
    return withLock(path.join(stateFolder(), "packages.lock"), { what: "the machine's packages" }, action);
}

/** What a package's own scripts ask whether they may start a service. */
const POLICY = "/usr/sbin/policy-rc.d";
/** By this line a file that an interrupted installation left is told from an administrator's. */
const POLICY_MARK = "# Of the lab, while it installs.";

/** Whether there is a ban on starting services that is the lab's: of an installation that is at work, or was interrupted. */
function isBanOurs(): boolean {
    try {
        return readFileSync(POLICY, "utf8").split("\n").includes(POLICY_MARK);
    } catch {
        return false;
    }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Debian starts what it installs; who asked for a program has not asked for a service on this machine. */
async function withoutStartingServices(action: () => Promise<void>): Promise<void> {
    const ours = !existsSync(POLICY) || isBanOurs();
    if (!ours) return action();
    const lift = (): void => {
        for (const signal of SIGNALS) process.off(signal, interrupted);
        remove(POLICY);
    };
    // Or no service of this machine's would ever start with its package again, unless another run of the lab comes.
    const interrupted = (signal: NodeJS.Signals): void => {
        lift();
        // Others that listen end this process themselves, in their own time.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    for (const signal of SIGNALS) process.prependListener(signal, interrupted);
    try {
        writeFileSync(POLICY, `#!/bin/sh\n${POLICY_MARK}\nexit 101\n`, { mode: 0o755 });
        await action();
    } finally {
        lift();
    }
}

/** Takes away the ban on starting services that an installation of the lab's left when it was killed; one that is at work is waited for. */
export async function liftBan(): Promise<void> {
    if (process.getuid?.() === 0 && isBanOurs())
        await exclusively(() => withoutStartingServices(async () => undefined));
}

const UNATTENDED = { env: { DEBIAN_FRONTEND: "noninteractive" }, timeout: 600_000 };

/** Reads the lists of the machine's package sources anew, those that can be had. */
export async function readPackageLists(runner: Runner): Promise<void> {
    await exclusively(() => update(runner));
}

async function update(runner: Runner): Promise<void> {
    await runner.attempt(["apt-get", "-q", "update"], UNATTENDED);
}

async function install(packages: readonly string[], runner: Runner): Promise<void> {
    const command = [
        "apt-get",
        "-q",
        "-y",
        "-o",
        "DPkg::Lock::Timeout=300",
        "--no-install-recommends",
        // Somebody's database server is worth more than whatever can't be beside it.
        "--no-remove",
        "install",
        ...packages,
    ];
    // Lists may be missing or old; a first try costs less than reading them anew each time.
    const first = await runner.attempt(command, UNATTENDED);
    if (first.code === 0) return;
    // Of an installation that was interrupted: apt says so, and leaves it to whoever asks.
    if (first.stderr.includes("dpkg --configure -a"))
        await runner.run(["dpkg", "--force-confold", "--configure", "-a"], UNATTENDED);
    await update(runner);
    const last = await runner.attempt(command, UNATTENDED);
    if (last.code === 0) return;
    const [, removed] = /^The following packages will be REMOVED:\n((?: .*\n?)+)/m.exec(last.stdout) ?? [];
    if (removed !== undefined)
        throw new EngineError(
            `Installing ${packages.join(", ")} would remove packages of this machine, so nothing was installed: ${removed.trim().split(/\s+/).join(", ")}. ` +
                "Choose yourself which to keep and install what is missing, or use another machine.",
        );
    throw new RunError(command, last);
}

interface EngineRecord {
    readonly pid: number;
    readonly start: string;
}

function engineLock(): string {
    return path.join(stateFolder(), "engine.lock");
}

function recordFile(): string {
    return path.join(stateFolder(), "engine.json");
}

async function startEngine(docker: Docker, runner: Runner): Promise<void> {
    if (existsSync("/run/systemd/system")) {
        await runner.run(["systemctl", "start", "docker"]);
    } else {
        requireSpace("/var/lib");
        mkdirSync(stateFolder(), { recursive: true });
        const log = path.join(stateFolder(), "engine.log");
        const output = openSync(log, "a", 0o600);
        const child = spawn("dockerd", ["--mtu", String(uplinkMtu())], {
            detached: true,
            stdio: ["ignore", output, output],
            env: { ...process.env, PATH: searchPath() },
        });
        child.on("error", () => undefined);
        child.unref();
        if (child.pid !== undefined)
            writeAtomically(recordFile(), JSON.stringify({ pid: child.pid, start: startOf(child.pid) ?? "" }));
    }
    for (let i = 0; i < 150; i += 1) {
        if ((await docker.problem()) === undefined) return;
        await sleep(200);
    }
    const words = existsSync(path.join(stateFolder(), "engine.log"))
        ? readFileSync(path.join(stateFolder(), "engine.log"), "utf8").trim().split("\n").at(-1)
        : undefined;
    throw new EngineError(
        `The container engine does not start${words === undefined ? "" : ` (${words})`}: look at its log.`,
    );
}

function requireSpace(folder: string): void {
    const { bavail, bsize } = statfsSync(folder);
    const free = (bavail * bsize) / 2 ** 30;
    if (free < 2) throw new EngineError(`${folder} has ${free.toFixed(1)} GiB left, the lab needs 2: make room.`);
}

/**
 * Stops the engine if a lab started it and nothing runs in it. Returns whether it did.
 * @param isNeeded whether another lab is about to use it.
 */
export async function stopEngine(isNeeded: () => boolean): Promise<boolean> {
    return withLock(engineLock(), { what: "the container engine" }, () => stopUnlessUsed(isNeeded));
}

async function stopUnlessUsed(isNeeded: () => boolean): Promise<boolean> {
    const record = readJson(recordFile()) as EngineRecord | undefined;
    if (!record) return false;
    if (!isAlive(record.pid, record.start)) {
        remove(recordFile());
        return false;
    }
    if (isNeeded()) return false;
    const docker = new Docker();
    try {
        const running = (await docker.running().catch(() => 0)) > 0;
        if (running) return false;
    } finally {
        docker.close();
    }
    process.kill(record.pid, "SIGTERM");
    for (let i = 0; i < 150 && isAlive(record.pid, record.start); i += 1) await sleep(100);
    remove(recordFile());
    remove(path.join(stateFolder(), "engine.log"));
    return true;
}

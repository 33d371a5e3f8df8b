/** Hosts as containers: makes them, starts and stops them, and tells when they do so by themselves. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../toolchain/errors";
import type { DesiredHost, MachineEvent } from "../model/desired";
import type { Network } from "../net/network";
import { INIT } from "./definitions";
import { AttachedDisk, Disks, LOOP_MAJOR } from "./disks";
import { Container, ContainerEvent, Docker, EngineInfo, engineElsewhere } from "./docker";
import { readJson, remove, writeAtomically } from "./files";
import { ensureImage } from "./image";
import { kindOf } from "./kinds";
import { Runner } from "./runner";

/** Labels by which containers are found again. */
const LAB_LABEL = "multihost.lab";
const HOST_LABEL = "multihost.host";
const DISK_LABEL = "multihost.disk";

/** Exit statuses of a container whose first process asked the kernel for a reboot or a power-off. */
const REBOOT = 129;
const POWER_OFF = 130;

/** Boots at once: more of them only make each other slower. */
const PARALLEL_STARTS = 4;

/** What the lab remembers of a host over its own restarts. */
interface HostRecord {
    readonly systemDiskId: string;
    readonly bootCount: number;
    /** `off`: the guest switched itself off, and nobody asked for it to be switched on since. */
    readonly power: "running" | "stopped" | "off";
    /** The run of the engine in which it was last seen to run, where that is known: `Docker.engineRun`. */
    readonly engineRun?: string;
}

interface Runtime {
    container: Container;
    /** What the running guest sees; undefined where that is not known for certain. */
    disks: AttachedDisk[] | undefined;
    /** The engine will tell of an end that the lab itself brought about. */
    stopping: boolean;
}

export interface HostsOptions {
    readonly lab: string;
    readonly folder: string;
    readonly runner: Runner;
    readonly docker: Docker;
    readonly network: Network;
    readonly log: (line: string) => void;
    readonly emit: (event: MachineEvent) => void;
}

/** Label filter of a lab's containers. */
export function labFilter(lab: string): string {
    return `${LAB_LABEL}=${lab}`;
}

/** Name of a host's container. */
export function containerName(lab: string, hostId: string): string {
    return `${lab}-${hostId}`;
}

export class Hosts {
    private readonly runtimes = new Map<string, Runtime>();
    private readonly lanes = new Map<string, Promise<void>>();
    private readonly disks: Disks;
    /** Text of the desired host last applied without error. */
    private readonly applied = new Map<string, string>();
    private desired = new Map<string, DesiredHost>();
    private diskIds: readonly string[] | undefined;
    private engine: EngineInfo | undefined;
    private inspected = false;
    private starting = 0;
    private readonly waiting: (() => void)[] = [];

    constructor(private readonly options: HostsOptions) {
        this.disks = new Disks(path.join(options.folder, "disks"), options.runner);
    }

    /** Forgets what was applied, so that the next pass looks at everything again. */
    distrust(): void {
        this.inspected = false;
        this.applied.clear();
    }

    /** A host that is wanted off may be switched on later, also when the pass between is skipped. */
    note(hosts: readonly DesiredHost[]): void {
        for (const host of hosts) {
            if (host.power !== "stopped") continue;
            const record = this.record(host.id);
            if (record?.power === "off") this.remember(host.id, { ...record, power: "stopped" });
        }
    }

    /** Removes hosts that nobody wants, before their addresses are given to others. */
    async removeOthers(hosts: readonly DesiredHost[], diskIds?: readonly string[]): Promise<void> {
        this.desired = new Map(hosts.map((host) => [host.id, host]));
        this.diskIds = diskIds;
        if (!this.inspected) await this.inspect();
        await Promise.all(
            [...this.runtimes.keys()]
                .filter((id) => !this.desired.has(id))
                .map((id) => this.inLane(id, () => this.removeHost(id))),
        );
    }

    /**
     * Brings each host to what is desired. A host that fails does not keep others from theirs; one that goes on running meanwhile makes this
     * reject when all is done.
     */
    async apply(hosts: readonly DesiredHost[]): Promise<void> {
        const done = await Promise.allSettled(
            hosts.map(async (host) => {
                const text = JSON.stringify(host);
                if (this.applied.get(host.id) === text) return;
                await this.inLane(host.id, async () => {
                    const latest = this.desired.get(host.id);
                    if (!latest) return;
                    await this.guarded(latest, () => this.ensure(latest));
                });
            }),
        );
        const attached = new Set([...this.desired.values()].flatMap(({ disks }) => disks.map(({ id }) => id)));
        await this.disks.detachOthers(attached);
        // What is desired by now counts: a later pass may have attached a disk that this one did not know.
        if (this.diskIds) this.disks.removeOthers(new Set([...this.diskIds, ...attached]));
        const failed = done.find((outcome) => outcome.status === "rejected");
        if (failed) throw failed.reason;
    }

    /** @throws what a host that runs all the same failed with: it is not down, and whoever asked may ask again. */
    private async guarded(host: DesiredHost, action: () => Promise<void>): Promise<void> {
        for (let attempt = 1; ; attempt += 1) {
            try {
                await action();
                this.applied.set(host.id, JSON.stringify(host));
                return;
            } catch (error) {
                const reason = messageOf(error);
                this.options.log(`host ${host.id}: ${reason}`);
                this.applied.delete(host.id);
                const runtime = this.runtimes.get(host.id);
                if (runtime) await this.refresh(host.id, runtime).catch(() => undefined);
                if (attempt >= 2) {
                    if (this.runtimes.get(host.id)?.container.State.Running === true) throw error;
                    this.options.emit({ kind: "failed", hostId: host.id, reason });
                    return;
                }
                await sleep(500);
            }
        }
    }

    /** One thing at a time for each host. */
    private async inLane(hostId: string, action: () => Promise<void>): Promise<void> {
        const before = this.lanes.get(hostId) ?? Promise.resolve();
        const lane = before.then(action, action);
        this.lanes.set(
            hostId,
            lane.catch(() => undefined),
        );
        return lane;
    }

    /** Resolves when what a host was told to follow by now has been done, or has failed. */
    async settled(hostId: string): Promise<void> {
        await this.lanes.get(hostId);
    }

    private async inspect(): Promise<void> {
        const { docker, lab, network } = this.options;
        this.runtimes.clear();
        for (const id of await docker.list(labFilter(lab))) {
            const container = await docker.inspect(id);
            const hostId = container?.Config.Labels[HOST_LABEL];
            if (!container || hostId === undefined) continue;
            const other = this.runtimes.get(hostId);
            if (other) {
                // Left by a change of the system disk that was interrupted.
                await docker.remove(
                    container.Config.Labels[DISK_LABEL] === this.desired.get(hostId)?.systemDiskId
                        ? other.container.Id
                        : id,
                );
                if (container.Config.Labels[DISK_LABEL] !== this.desired.get(hostId)?.systemDiskId) continue;
            }
            this.runtimes.set(hostId, { container, disks: undefined, stopping: false });
            const record = this.record(hostId);
            if (!container.State.Running) {
                network.forget(hostId);
                // An engine that ends, by itself or with the machine, asks its hosts to power off, too; those run again afterwards.
                const sameEngine = record?.engineRun !== undefined && record.engineRun === docker.engineRun();
                if (container.State.ExitCode === POWER_OFF && record?.power === "running" && sameEngine) {
                    this.remember(hostId, { ...record, power: "off" });
                    this.options.emit({ kind: "stopped", hostId });
                }
            }
        }
        this.inspected = true;
    }

    private async refresh(hostId: string, runtime: Runtime): Promise<void> {
        const container = await this.options.docker.inspect(runtime.container.Id);
        if (container) runtime.container = container;
        else this.runtimes.delete(hostId);
    }

    private recordFile(hostId: string): string {
        return path.join(this.options.folder, "hosts", `${hostId}.json`);
    }

    private record(hostId: string): HostRecord | undefined {
        return readJson(this.recordFile(hostId)) as HostRecord | undefined;
    }

    private remember(hostId: string, record: HostRecord): void {
        writeAtomically(this.recordFile(hostId), JSON.stringify(record));
    }

    private async removeHost(hostId: string): Promise<void> {
        const runtime = this.runtimes.get(hostId);
        if (runtime) {
            runtime.stopping = true;
            await this.options.docker.remove(runtime.container.Id);
        }
        this.runtimes.delete(hostId);
        this.applied.delete(hostId);
        this.options.network.forget(hostId);
        remove(this.recordFile(hostId));
    }

    private async ensure(host: DesiredHost): Promise<void> {
        const known = this.runtimes.get(host.id);
        if (known && known.container.Config.Labels[DISK_LABEL] !== host.systemDiskId) await this.removeHost(host.id);
        const record = this.record(host.id);
        let runtime = this.runtimes.get(host.id);
        if (!runtime) {
            if (record?.systemDiskId === host.systemDiskId)
                // An empty machine in its place would look healthy and have lost everything.
                throw new Error(`its container is gone, and its system disk with it; replace the instance`);
            runtime = await this.create(host);
        }
        const before: HostRecord =
            record?.systemDiskId === host.systemDiskId
                ? record
                : { systemDiskId: host.systemDiskId, bootCount: host.bootCount, power: "stopped" };
        const remember = (power: HostRecord["power"]): void => {
            const engineRun = this.options.docker.engineRun();
            const after = {
                systemDiskId: host.systemDiskId,
                bootCount: host.bootCount,
                power,
                ...(engineRun !== undefined && { engineRun }),
            };
            if (JSON.stringify(this.record(host.id)) !== JSON.stringify(after)) this.remember(host.id, after);
        };
        if (host.power === "stopped") {
            if (runtime.container.State.Running) await this.stop(host, runtime);
            remember("stopped");
            // The engine's own word of it may come while this still stops it, and is passed over then.
            this.options.emit({ kind: "stopped", hostId: host.id });
            return;
        }
        const reboot = host.bootCount > before.bootCount;
        if (before.power === "off" && !reboot && !runtime.container.State.Running) return;
        if (runtime.container.State.Running) {
            if (reboot) {
                await this.stop(host, runtime);
                await this.start(host, runtime);
            } else await this.adjust(host, runtime);
        } else await this.start(host, runtime);
        remember("running");
        // Also when there was nothing to do: the word of a boot may have been lost with an attempt that failed, or with the lab's process.
        this.options.emit({ kind: "running", hostId: host.id, bootCount: host.bootCount });
    }

    private async create(host: DesiredHost): Promise<Runtime> {
        const { docker, runner, lab } = this.options;
        const image = await ensureImage(kindOf(host).image(host), { docker: new Docker(docker.socketPath), runner });
        this.engine ??= await docker.info();
        const name = containerName(lab, host.id);
        const specification = containerSpecification(lab, host, image, this.engine);
        const id = await docker.create(name, specification);
        const container = await docker.inspect(id);
        if (!container) throw new Error("its container vanished while it was made");
        const runtime: Runtime = { container, disks: undefined, stopping: false };
        this.runtimes.set(host.id, runtime);
        return runtime;
    }

    private async stop(host: DesiredHost, runtime: Runtime): Promise<void> {
        const { docker, network } = this.options;
        const { id, forceStop } = host;
        runtime.stopping = true;
        try {
            await docker.stop(runtime.container.Id, forceStop === true ? 0 : kindOf(host).shutdownSeconds);
            await this.refresh(id, runtime);
        } finally {
            runtime.stopping = false;
        }
        network.forget(id);
    }

    private async start(host: DesiredHost, runtime: Runtime): Promise<void> {
        const { docker, network } = this.options;
        await this.withinLimit(async () => {
            const disks = [];
            for (const disk of host.disks) disks.push(await this.disks.attach(disk));
            this.engine ??= await docker.info();
            // The engine leaves what isn't named as it was: a host that has grown to all processors would keep its former quota.
            const unlimited = this.engine.CPUCfsQuota ? { CpuQuota: -1 } : {};
            const change = { ...unlimited, ...limits(host, this.engine) };
            await docker.update(runtime.container.Id, change).catch(() => undefined);
            network.forget(host.id);
            await docker.start(runtime.container.Id);
            await this.refresh(host.id, runtime);
            await this.boot(host, runtime, disks);
        });
    }

    /** Plugs the network in and plants what the guest needs; its first process waits for that. */
    private async boot(host: DesiredHost, runtime: Runtime, disks: AttachedDisk[]): Promise<void> {
        const { network } = this.options;
        const pid = await this.pidOf(host.id, runtime);
        const own = await network.plug(host.id, pid);
        await this.inContainer(pid, kindOf(host).boot(host, disks, own));
        runtime.disks = disks;
    }

    /**
     * @throws Error where the engine's number is not that of the host's process: another's would get the host's links, and its scripts. The
     * container is stopped then, since nobody can ever reach it.
     */
    private async pidOf(hostId: string, runtime: Runtime): Promise<number> {
        const { docker } = this.options;
        const { Id, State } = runtime.container;
        if (belongsTo(State.Pid, Id)) return State.Pid;
        await this.refresh(hostId, runtime);
        const now = runtime.container.State;
        if (!now.Running) throw new Error("its container has ended");
        if (now.Pid !== State.Pid) return this.pidOf(hostId, runtime);
        runtime.stopping = true;
        await docker.stop(Id, 0).finally(() => (runtime.stopping = false));
        throw new Error(engineElsewhere(docker.socketPath, `its process ${now.Pid} is not the container's here`));
    }

    private async inContainer(pid: number, script: string): Promise<void> {
        await this.options.runner.run(
            ["nsenter", "-t", String(pid), "-m", "-u", "-n", "-p", "-r", "-w", "--", "/bin/sh", "-eus"],
            {
                input: script,
                env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
                // Seconds on a machine that has time for it.
                timeout: 120_000,
            },
        );
    }

    /** What can change while a host runs: interfaces and data disks. */
    private async adjust(host: DesiredHost, runtime: Runtime): Promise<void> {
        const { network } = this.options;
        const pid = await this.pidOf(host.id, runtime);
        const disks = [];
        for (const disk of host.disks) disks.push(await this.disks.attach(disk));
        if (waitsForNetwork(pid)) return this.boot(host, runtime, disks);
        const kind = kindOf(host);
        const missing = network.missing(host.id);
        const lines = [];
        if (missing.length > 0)
            lines.push(kind.plugged(await network.plug(host.id, pid, new Set(missing.map(({ id }) => id)))));
        const shown = runtime.disks?.map((disk) => JSON.stringify(disk));
        const wanted = disks.map((disk) => JSON.stringify(disk));
        lines.push(
            ...disks.filter((_, index) => shown?.includes(wanted[index]!) !== true).map((disk) => kind.attach(disk)),
        );
        // Where it isn't known what the host has, it may have a disk that a pass which was cut off was to take.
        if (shown?.every((disk) => wanted.includes(disk)) !== true) lines.unshift(kind.detachOthers(disks));
        if (lines.length > 0) {
            runtime.disks = undefined;
            await this.inContainer(pid, lines.join("\n"));
        }
        runtime.disks = disks;
    }

    private async withinLimit(action: () => Promise<void>): Promise<void> {
        while (this.starting >= PARALLEL_STARTS) await new Promise<void>((resolve) => this.waiting.push(resolve));
        this.starting += 1;
        try {
            await action();
        } finally {
            this.starting -= 1;
            this.waiting.shift()?.();
        }
    }

    /** What the engine tells of the lab's containers. */
    take(event: ContainerEvent): void {
        const hostId = event.Actor.Attributes[HOST_LABEL];
        if (hostId === undefined) return;
        const runtime = this.runtimes.get(hostId);
        if (runtime?.container.Id !== event.Actor.ID || runtime.stopping) return;
        if (event.Action === "die") {
            const status = Number(event.Actor.Attributes["exitCode"]);
            void this.inLane(hostId, () => this.ended(hostId, runtime, status)).catch((error: unknown) =>
                this.options.log(`host ${hostId}: ${String(error)}`),
            );
        } else if (event.Action === "destroy") {
            this.runtimes.delete(hostId);
            this.applied.delete(hostId);
            this.options.network.forget(hostId);
            this.options.emit({ kind: "failed", hostId, reason: "its container was removed" });
        }
    }

    private async ended(hostId: string, runtime: Runtime, status: number): Promise<void> {
        const { docker, network, log, emit } = this.options;
        const record = this.record(hostId);
        if (record?.power === "running") {
            // First the call, which may wait for the engine's next run.
            const listens = await docker.isListening();
            if (!listens || docker.engineRun() !== record.engineRun) {
                // It runs again when the engine is back: then everything is looked at.
                log(`host ${hostId} ended with the engine`);
                this.applied.delete(hostId);
                return;
            }
        }
        await this.refresh(hostId, runtime);
        // Started again meanwhile, by the lab or by hand.
        if (this.runtimes.get(hostId) !== runtime || runtime.container.State.Running) return;
        network.forget(hostId);
        this.applied.delete(hostId);
        const host = this.desired.get(hostId);
        if (host?.power === "running" && status === REBOOT) {
            log(`host ${hostId} reboots`);
            try {
                await this.guarded(host, async () => {
                    await this.start(host, runtime);
                    emit({ kind: "running", hostId, bootCount: host.bootCount });
                });
            } catch (error) {
                // Nobody asked for this boot, so nobody asks again.
                emit({ kind: "failed", hostId, reason: messageOf(error) });
            }
            return;
        }
        log(`host ${hostId} ended with ${status}`);
        if (record?.power === "running") this.remember(hostId, { ...record, power: "off" });
        emit({ kind: "stopped", hostId });
    }

    /** What the host's terminal showed since it was started. */
    async consoleOutput(hostId: string): Promise<string> {
        const runtime = this.runtimes.get(hostId);
        if (!runtime) return "";
        return this.options.docker.logs(runtime.container.Id, runtime.container.State.StartedAt);
    }

    /** Removes every container of the lab, known or not. */
    async destroy(): Promise<void> {
        const { docker, lab } = this.options;
        for (const runtime of this.runtimes.values()) runtime.stopping = true;
        const ids = await docker.list(labFilter(lab));
        await Promise.all(ids.map((id) => docker.remove(id)));
        this.runtimes.clear();
        await this.disks.detachOthers(new Set());
    }
}

/** Whether a process of this machine's is of a container: by its control group, or by the files that the engine mounts for it. */
function belongsTo(pid: number, containerId: string): boolean {
    return ["cgroup", "mountinfo"].some((file) => {
        try {
            return readFileSync(`/proc/${pid}/${file}`, "utf8").includes(containerId);
        } catch {
            return false;
        }
    });
}

/** Whether the first process of a host has not begun its systemd. */
function waitsForNetwork(pid: number): boolean {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(INIT);
    } catch {
        return false;
    }
}

function limits(host: DesiredHost, engine: EngineInfo): Record<string, unknown> {
    const memory = (host.memoryMiB + kindOf(host).overheadMiB) * 2 ** 20;
    return {
        ...(engine.MemoryLimit && { Memory: memory }),
        ...(engine.MemoryLimit && engine.SwapLimit && { MemorySwap: memory }),
        ...(engine.CPUShares && { CpuShares: kindOf(host).cpuShares }),
        // The engine refuses more processors than there are.
        ...(engine.CPUCfsQuota && host.cpus < cpus().length && { CpuPeriod: 100_000, CpuQuota: host.cpus * 100_000 }),
    };
}

/** A container in which systemd is at home, or an emulator. */
export function containerSpecification(lab: string, host: DesiredHost, image: string, engine: EngineInfo): object {
    const unified = engine.CgroupVersion === "2";
    const kind = kindOf(host);
    const devices = kind.devices.filter((device) => existsSync(device));
    const machineId = createHash("sha256").update(`${lab}/${host.id}/${host.systemDiskId}`).digest("hex").slice(0, 32);
    return {
        Image: image,
        Hostname: host.hostname.split(".")[0],
        Cmd: [INIT],
        Env: [
            "container=docker",
            `container_uuid=${machineId}`,
            ...(unified ? [] : (kind.image(host).legacyCgroups ?? [])),
        ],
        // A terminal is the host's console: its output is what GetInstanceConsoleOutput answers.
        Tty: true,
        StopSignal: kind.stopSignal,
        Labels: { [LAB_LABEL]: lab, [HOST_LABEL]: host.id, [DISK_LABEL]: host.systemDiskId, ...tagLabels(host) },
        Volumes: { "/var/lib/docker": {}, "/var/lib/containerd": {} },
        HostConfig: {
            NetworkMode: "none",
            CapAdd: ["SYS_ADMIN", "NET_ADMIN", "NET_RAW", "SYS_NICE", "IPC_LOCK", "SYS_BOOT", "SYS_PTRACE", "MKNOD"],
            SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined", "label=disable"],
            Devices: devices.map((device) => ({
                PathOnHost: device,
                PathInContainer: device,
                CgroupPermissions: "rwm",
            })),
            DeviceCgroupRules: [`b ${LOOP_MAJOR}:* rwm`],
            Tmpfs: { "/run": "exec,mode=755", "/run/lock": "" },
            CgroupnsMode: unified ? "private" : "host",
            Binds: unified ? [] : ["/sys/fs/cgroup:/sys/fs/cgroup:ro"],
            ShmSize: Math.floor((host.memoryMiB * 2 ** 20) / 2),
            PidsLimit: -1,
            LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
            RestartPolicy: { Name: "no" },
            ...limits(host, engine),
        },
    };
}

function tagLabels(host: DesiredHost): Record<string, string> {
    return Object.fromEntries(Object.entries(host.tags).map(([key, value]) => [`multihost.tag.${key}`, value]));
}

import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import * as path from "node:path";
import type { Container, ContainerEvent, Docker, EngineInfo } from "../../../lab/hosts/docker";
import { Hosts } from "../../../lab/hosts/hosts";
import type { Runner, RunOptions } from "../../../lab/hosts/runner";
import type { DesiredHost, MachineEvent } from "../../../lab/model/desired";
import type { Network } from "../../../lab/net/network";
import { hostOf } from "./hostOf";

/** What the kernel says of a process: the engine's numbers are those of other processes here unless it names the container. */
const mockProcesses = new Map<string, string>();
jest.mock("node:fs", () => {
    const fs = jest.requireActual<typeof import("node:fs")>("node:fs");
    return {
        ...fs,
        readFileSync: (file: string, ...more: [BufferEncoding]) => {
            if (!/^\/proc\/\d/.test(file)) return fs.readFileSync(file, ...more);
            const text = mockProcesses.get(file);
            if (text === undefined) throw new Error("no such process");
            return text;
        },
    };
});

/** Containers of an earlier process of the lab; none of them is a real one. */
class Engine {
    readonly running = new Map([
        ["c-i-1", true],
        ["c-i-2", true],
    ]);
    /** What a change to the first host fails with. */
    problem: string | undefined;
    /** Whether the host ends with it. */
    fatal = false;
    /** Tells its runs apart, where that is known. */
    run: string | undefined = "first";
    /** Whether it takes new connections. */
    listens = true;
    exitCode = 1;
    readonly events: MachineEvent[] = [];
    /** What was done inside of hosts. */
    readonly scripts: string[] = [];
    /** Whether nothing can be done inside of hosts. */
    unreachable = false;
    /** What the network was told to plug in. */
    readonly plugged: string[] = [];
    /** By container, what it was last told about its limits. */
    readonly limits = new Map<string, object>();

    inspect(id: string): Container {
        const hostId = id.replace("c-", "");
        const labels = { "multihost.host": hostId, "multihost.disk": `d-${hostId}` };
        return {
            Id: id,
            State: { Running: this.running.get(id), ExitCode: this.exitCode, Pid: id === "c-i-1" ? 4001 : 4002 },
            Config: { Labels: labels },
        } as unknown as Container;
    }

    hosts(folder: string): Hosts {
        return new Hosts({
            lab: "unit",
            folder,
            runner: {
                run: async (argv: readonly string[], options?: RunOptions) => {
                    if (argv[0] === "nsenter" && this.unreachable) throw new Error("no entry");
                    if (argv[0] === "nsenter") this.scripts.push(options?.input ?? "");
                    return "";
                },
                script: async () => "",
            } as unknown as Runner,
            docker: {
                socketPath: "/run/docker.sock",
                engineRun: () => this.run,
                isListening: async () => this.listens,
                start: async (id: string) => {
                    if (this.fatal) throw new Error("no start");
                    this.running.set(id, true);
                },
                list: async () => [...this.running.keys()],
                inspect: async (id: string) => this.inspect(id),
                stop: async (id: string) => void this.running.set(id, false),
                info: async () => ({ MemoryLimit: true, CPUCfsQuota: true }) as EngineInfo,
                update: async (id: string, limits: object) => void this.limits.set(id, limits),
            } as unknown as Docker,
            network: {
                forget: () => undefined,
                plug: async (hostId: string) => {
                    this.plugged.push(hostId);
                    return "";
                },
                missing: (hostId: string) => {
                    if (hostId !== "i-1" || this.problem === undefined) return [];
                    if (this.fatal) this.running.set("c-i-1", false);
                    throw new Error(this.problem);
                },
            } as unknown as Network,
            log: () => undefined,
            emit: (event) => void this.events.push(event),
        });
    }

    /** A host's power-off as the engine tells of it, whoever asked for it. */
    powerOff(id: string): ContainerEvent {
        this.running.set(id, false);
        this.exitCode = 130;
        const attributes = { "multihost.host": id.replace("c-", ""), exitCode: "130" };
        return { Action: "die", Actor: { ID: id, Attributes: attributes }, timeNano: 0 };
    }
}

let folder: string;
let engine: Engine;
let hosts: Hosts;
const both = [hostOf("i-1"), hostOf("i-2")];
const apply = async (desired: readonly DesiredHost[]): Promise<void> => {
    hosts.note(desired);
    await hosts.removeOthers(desired);
    await hosts.apply(desired);
};
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lab-hosts-"));
    mockProcesses.clear();
    mockProcesses.set("/proc/4001/cgroup", "0::/system.slice/docker-c-i-1.scope\n");
    mockProcesses.set("/proc/4002/cgroup", "0::/../..\n");
    mockProcesses.set(
        "/proc/4002/mountinfo",
        "9 1 8:1 /lib/docker/containers/c-i-2/hosts /etc/hosts rw - ext4 /dev/sda rw\n",
    );
    engine = new Engine();
    hosts = engine.hosts(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a host that runs is said to do so, also by a process that did not start it", async () => {
    await apply([{ ...hostOf("i-1"), bootCount: 2 }, hostOf("i-2")]);
    expect(engine.events).toContainEqual({ kind: "running", hostId: "i-1", bootCount: 2 });
});

test("a change that a running host does not take is to be asked for again, and the host is not down", async () => {
    engine.problem = "no link";
    await expect(apply(both)).rejects.toThrow("no link");
    // It keeps no other from its own.
    expect(engine.events).toEqual([{ kind: "running", hostId: "i-2", bootCount: 0 }]);
    engine.problem = undefined;
    await apply(both);
    expect(engine.events.at(-1)).toEqual({ kind: "running", hostId: "i-1", bootCount: 0 });
});

test("a host with all of the machine's processors loses the quota that it had with fewer", async () => {
    for (const id of engine.running.keys()) engine.running.set(id, false);
    await apply([
        { ...hostOf("i-1"), cpus: 0.5 },
        { ...hostOf("i-2"), cpus: cpus().length },
    ]);
    expect(engine.limits.get("c-i-1")).toMatchObject({ CpuPeriod: 100_000, CpuQuota: 50_000 });
    expect(engine.limits.get("c-i-2")).toMatchObject({ CpuQuota: -1 });
});

describe("a running host's disks", () => {
    const device = "/dev/xvdb";
    const withDisk: DesiredHost = { ...hostOf("i-1"), disks: [{ id: "d-data", sizeGiB: 1, device }] };
    beforeEach(() => void engine.running.delete("c-i-2"));
    const hides = (kept: string): RegExp => new RegExp(`for device in /dev/vd[^]*case " ${kept} " in`);

    test("are those that are wanted, also where a process before this one was to take some", async () => {
        await apply([withDisk]);
        expect(engine.scripts.at(-1)).toMatch(hides("vdb xvdb"));
        hosts = engine.hosts(folder);
        await apply([hostOf("i-1")]);
        expect(engine.scripts.at(-1)).toMatch(hides(""));
    });

    test("are left alone where they are as they should be", async () => {
        await apply([withDisk]);
        engine.scripts.length = 0;
        await apply([{ ...withDisk, tags: { Name: "web" } }]);
        expect(engine.scripts).toEqual([]);
    });

    test("are looked at anew after a change that did not come to its end", async () => {
        await apply([hostOf("i-1")]);
        engine.unreachable = true;
        await expect(apply([withDisk])).rejects.toThrow("no entry");
        engine.unreachable = false;
        engine.scripts.length = 0;
        await apply([hostOf("i-1")]);
        expect(engine.scripts).toEqual([expect.stringMatching(hides(""))]);
    });
});

test("a host that ended with its change has failed", async () => {
    engine.problem = "no link";
    engine.fatal = true;
    await apply(both);
    expect(engine.events.at(-1)).toMatchObject({ kind: "failed", hostId: "i-1" });
});

describe("a host that powered off", () => {
    const running = { kind: "running", hostId: "i-1", bootCount: 0 };
    const stopped = { kind: "stopped", hostId: "i-1" };
    beforeEach(async () => {
        await apply(both);
        engine.events.length = 0;
    });

    test("is stopped, and stays so", async () => {
        hosts.take(engine.powerOff("c-i-1"));
        await hosts.settled("i-1");
        expect(engine.events).toEqual([stopped]);
        await apply(both);
        expect(engine.running.get("c-i-1")).toBe(false);
    });

    test("while no process of the lab looked is stopped, too", async () => {
        engine.powerOff("c-i-1");
        hosts = engine.hosts(folder);
        await apply(both);
        expect(engine.events).toContainEqual(stopped);
        expect(engine.running.get("c-i-1")).toBe(false);
    });

    test.each([["second"], [undefined]])(
        "because the engine or the machine ended runs again, the engine's run being %s",
        async (run) => {
            engine.powerOff("c-i-1");
            engine.run = run;
            hosts = engine.hosts(folder);
            await apply(both);
            expect(engine.events).toContainEqual(running);
            expect(engine.events).not.toContainEqual(stopped);
            expect(engine.running.get("c-i-1")).toBe(true);
        },
    );

    test.each<[string, Partial<Engine>]>([
        ["takes no calls any more", { listens: false }],
        ["answers in its next run", { run: "second" }],
    ])("with an engine that %s is not called stopped, and runs again when that is back", async (_, engineThen) => {
        Object.assign(engine, engineThen);
        hosts.take(engine.powerOff("c-i-1"));
        await hosts.settled("i-1");
        expect(engine.events).toEqual([]);
        Object.assign(engine, { listens: true, run: "second" });
        hosts.distrust();
        await apply(both);
        expect(engine.events).toContainEqual(running);
        expect(engine.running.get("c-i-1")).toBe(true);
    });
});

describe("a process that is not the container's", () => {
    const elsewhere =
        "The Docker behind /run/docker.sock runs elsewhere (its process 4001 is not the container's here)";
    beforeEach(() => {
        mockProcesses.set("/proc/4001/cgroup", "0::/user.slice\n");
        mockProcesses.set("/proc/4001/mountinfo", "9 1 8:1 / / rw - ext4 /dev/sda rw\n");
    });

    test.each([
        ["when the host starts", false],
        ["when a running one gets something", true],
    ])("gets neither links nor scripts %s", async (_, running) => {
        engine.running.set("c-i-1", running);
        engine.running.delete("c-i-2");
        await apply([{ ...hostOf("i-1"), disks: [{ id: "d-data", sizeGiB: 1, device: "/dev/xvdb" }] }]);
        expect(engine.events).toEqual([
            { kind: "failed", hostId: "i-1", reason: expect.stringContaining(elsewhere) as string },
        ]);
        expect([...engine.plugged, ...engine.scripts]).toEqual([]);
        expect(engine.running.get("c-i-1")).toBe(false);
    });
});

/** The machine under the lab: hosts and network as one thing that follows the model. */
import { mkdirSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Docker, dockerSocket } from "./hosts/docker";
import { Hosts, containerName, labFilter } from "./hosts/hosts";
import { remove } from "./hosts/files";
import { claimIndex, releaseIndex } from "./hosts/labs";
import { Runner, throwAll } from "./hosts/runner";
import type { DesiredMachine, DesiredZone, Machine, MachineEvent, ServerHealth } from "./model/desired";
import { Balancers } from "./net/balancers";
import { DnsRelay } from "./net/dns";
import { FileServers } from "./net/fileServers";
import { Asker, MetadataService } from "./net/metadata";
import { raiseKernelSettings, restoreKernelSettings } from "./hosts/kernelSettings";
import { Network } from "./net/network";
import { answerFromZones } from "./net/privateZones";

export { EngineError, ensureEngine, liftBan, stopEngine } from "./hosts/engine";
export { ensureImage } from "./hosts/image";
export { findIndex } from "./hosts/labs";

export interface MachineOptions {
    /** The lab's name; containers carry it. */
    readonly name: string;
    /** Folder for the machine's own files. `destroy` removes it. */
    readonly folder: string;
    readonly log?: (line: string) => void;
    readonly runner?: Runner;
}

/** A machine, and what the model must know of its place among other labs. */
export interface LabMachine extends Machine {
    /** 0 to 15, this lab's own on this machine. */
    readonly index: number;
    /** The lab's slice of 127.77.0.0/16. */
    readonly eipRange: string;
}

const DNS_PORT = 10053;
const METADATA_PORT = 10080;

const nothing: DesiredMachine = {
    vpcs: [],
    hosts: [],
    eips: [],
    securityGroups: [],
    balancers: [],
    zones: [],
    fileSystems: [],
};

/** Takes an index for the lab. Touches nothing else before the first `reconcile`. */
export async function createMachine(options: MachineOptions): Promise<LabMachine> {
    return new RealMachine(options);
}

/** Command line that runs a command in a host without SSH; with `terminal`, one that has a terminal there. */
export function enterCommand(lab: string, hostId: string, command: readonly string[], terminal: boolean): string[] {
    // By the socket that the lab has: the client's own context may be another engine.
    return [
        "docker",
        "-H",
        `unix://${dockerSocket()}`,
        "exec",
        "-i",
        ...(terminal ? ["-t"] : []),
        containerName(lab, hostId),
        ...command,
    ];
}

/** What one pass brings, each when it is there. */
interface Pass {
    /** Network, balancers and file servers; the hosts have begun to follow. */
    readonly network: Promise<void>;
    readonly done: Promise<void>;
}

class RealMachine implements LabMachine {
    readonly index: number;
    private readonly runner: Runner;
    private readonly docker = new Docker();
    private readonly network: Network;
    private readonly balancers: Balancers;
    private readonly fileServers: FileServers;
    private readonly hosts: Hosts;
    private readonly log: (line: string) => void;
    private readonly listeners = new Set<(event: MachineEvent) => void>();
    private readonly closing = new AbortController();
    private dns: DnsRelay | undefined;
    private metadata: MetadataService | undefined;
    private watching: Promise<void> | undefined;
    private desired = nothing;
    private askers = new Map<string, Asker>();
    private zones: readonly DesiredZone[] = [];
    /** The network part of a pass; passes queue up behind it. */
    private turn: Promise<unknown> = Promise.resolve();
    /** A pass that has not begun, which later calls may share. */
    private pending: Pass | undefined;
    private latest: Pass | undefined;

    constructor(private readonly options: MachineOptions) {
        const { name, folder } = options;
        this.log = options.log ?? (() => undefined);
        this.runner = options.runner ?? new Runner();
        this.index = claimIndex(name);
        const emit = (event: MachineEvent): void => {
            for (const listener of this.listeners) listener(event);
        };
        this.network = new Network({
            runner: this.runner,
            lab: name,
            index: this.index,
            slotsFile: path.join(folder, "slots.json"),
            log: this.log,
            claimed: (claim) => emit({ kind: "claimed", ...claim }),
        });
        this.balancers = new Balancers({
            runner: this.runner,
            folder: `/run/${this.network.addresses.device}-balancers`,
            place: (id) => this.network.balancer(id),
        });
        this.fileServers = new FileServers({
            runner: this.runner,
            folder: path.join(folder, "nas"),
            place: (id) => this.network.balancer(id),
            log: this.log,
        });
        this.hosts = new Hosts({
            lab: name,
            folder,
            runner: this.runner,
            docker: this.docker,
            network: this.network,
            log: this.log,
            emit,
        });
    }

    get eipRange(): string {
        return this.network.addresses.eips;
    }

    onEvent(listener: (event: MachineEvent) => void): void {
        this.listeners.add(listener);
    }

    async reconcile(desired: DesiredMachine): Promise<void> {
        if (this.closing.signal.aborted) throw new Error("This machine is closed.");
        this.desired = desired;
        this.hosts.note(desired.hosts);
        this.latest = this.pending ??= this.pass();
        return this.latest.done;
    }

    async inForce(hostIds: readonly string[]): Promise<void> {
        await this.latest?.network.catch(() => undefined);
        await Promise.all(hostIds.map((id) => this.hosts.settled(id)));
    }

    /**
     * One pass: the network in turn with other passes, then the hosts, each in its own lane, so that one that takes
     * long to shut down does not hold up the start of another.
     */
    private pass(): Pass {
        let desired = nothing;
        const problems: unknown[] = [];
        // Hosts don't wait for a balancer or a file server that can't be brought to where it should be.
        const note = (error: unknown): void => {
            problems.push(error);
            this.network.distrust();
        };
        const network = this.turn.then(async () => {
            // From here on newer calls need another pass.
            this.pending = undefined;
            desired = this.desired;
            await this.startServices();
            await this.hosts.removeOthers(desired.hosts, desired.diskIds);
            this.askers = askersOf(desired);
            this.zones = desired.zones;
            await this.network.apply(desired, {
                dnsPort: this.dns?.port ?? DNS_PORT,
                metadataPort: this.metadata?.port ?? METADATA_PORT,
            });
            await this.network.removeStrayLinks();
            await this.balancers.apply(desired.balancers).catch(note);
            await this.fileServers.apply(desired.fileSystems).catch(note);
        });
        this.turn = network.catch(() => {
            this.network.distrust();
        });
        let hosts: Promise<void> = Promise.resolve();
        // Whoever waits for the network alone finds each host in its lane by then.
        const begun = network.then(() => {
            hosts = this.hosts.apply(desired.hosts);
        });
        return { network: begun, done: begun.then(() => hosts).then(() => throwAll(problems)) };
    }

    private async startServices(): Promise<void> {
        if (!this.dns || !this.metadata) {
            mkdirSync(this.options.folder, { recursive: true, mode: 0o700 });
            await raiseKernelSettings(this.runner);
            await this.network.prepare();
            const { service } = this.network.addresses;
            const asker = (address: string): Asker | undefined =>
                this.askers.get(this.network.askedFrom(address) ?? "");
            const dns = new DnsRelay({
                address: service,
                preferredPort: DNS_PORT,
                answer: (query, address, transport) => {
                    const vpcId = asker(address)?.nic.vpcId;
                    const zones = this.zones.filter(({ vpcIds }) => vpcId !== undefined && vpcIds.includes(vpcId));
                    return answerFromZones(zones, query, transport);
                },
            });
            const metadata = new MetadataService({
                address: service,
                preferredPort: METADATA_PORT,
                whoIs: asker,
            });
            await dns.start();
            await metadata.start();
            this.dns = dns;
            this.metadata = metadata;
        }
        if (!this.watching) {
            // Nothing may happen between the first look at the containers and the first event.
            await new Promise<void>((resolve) => {
                this.watching = this.watch(resolve);
            });
        }
    }

    /** Follows the engine's events. After a gap everything is looked at again. */
    private async watch(ready: () => void): Promise<void> {
        let first = true;
        const { signal } = this.closing;
        const closed = (): boolean => signal.aborted;
        while (!closed()) {
            try {
                await this.docker.events(
                    labFilter(this.options.name),
                    signal,
                    () => {
                        if (first) ready();
                        else {
                            this.hosts.distrust();
                            this.network.distrust();
                            void this.reconcile(this.desired).catch((error: unknown) =>
                                this.log(`after the engine came back: ${String(error)}`),
                            );
                        }
                        first = false;
                    },
                    (event) => this.hosts.take(event),
                );
            } catch (error) {
                if (!closed()) this.log(`events: ${String(error)}`);
            }
            ready();
            if (!closed()) await sleep(1_000, undefined, { ref: false });
        }
    }

    async consoleOutput(hostId: string): Promise<string> {
        return this.hosts.consoleOutput(hostId);
    }

    async health(balancerId: string): Promise<readonly ServerHealth[]> {
        return this.balancers.health(balancerId);
    }

    serves(mountTargetId: string): boolean {
        return this.fileServers.serves(mountTargetId);
    }

    async close(): Promise<void> {
        this.closing.abort();
        await this.turn;
        await this.watching;
        this.network.close();
        await this.dns?.close();
        await this.metadata?.close();
        this.dns = undefined;
        this.metadata = undefined;
        this.docker.close();
    }

    async destroy(): Promise<void> {
        const { name, folder } = this.options;
        this.closing.abort();
        await this.turn;
        await this.hosts.destroy();
        await this.network.destroy();
        this.balancers.destroy();
        this.fileServers.destroy();
        remove(folder);
        releaseIndex(name);
        await restoreKernelSettings(this.runner);
    }
}

function askersOf(machine: DesiredMachine): Map<string, Asker> {
    return new Map(machine.hosts.flatMap((host) => host.nics.map((nic) => [nic.id, { host, nic, machine }] as const)));
}

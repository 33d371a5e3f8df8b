/** The lab's cloud in one process: model, API and machine, wired together. The daemon runs one; tests may run many. */
import { cpus, totalmem } from "node:os";
import { mkdirSync } from "node:fs";
import { Action, ActionTable } from "./api/action";
import { ensureCertificate } from "./api/certificate";
import { commonActions } from "./api/common";
import { Credentials } from "./api/credentials";
import { CallRecord, Dispatcher } from "./api/dispatch";
import { applyMachineEvent } from "./api/ecs/events";
import { releaseDueInstances } from "./api/ecs/power";
import { DEFAULT_REGION } from "./api/regions";
import { ApiServer } from "./api/server";
import { LabIdentity, ensureIdentity } from "./identity";
import type { DesiredMachine, Machine, MachineEvent } from "./model/desired";
import { claimHaVip } from "./model/haVip";
import { project } from "./model/project";
import { Store } from "./model/store";
import type { LabPaths } from "./paths";

export interface CloudOptions {
    readonly paths: LabPaths;
    /** Actions of the products, without the common ones. */
    readonly actions: Iterable<Action>;
    readonly machine: Machine;
    /** Port to listen on; 0 for any. Default: the lab's. */
    readonly port?: number;
    readonly region?: string;
    /** The lab's slice of elastic addresses; the first one when absent. */
    readonly eipRange?: string;
    readonly log: (line: string) => void;
    /** Called when a client asked the lab to end, after its hosts were stopped. */
    readonly onHalt?: () => void;
}

// Asked for once: the answer does not change, and the kernel takes its time.
const machineSize = { cores: cpus().length, memoryMiB: Math.floor(totalmem() / 1024 / 1024) };

const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;
/** Times of releases are whole minutes. */
const RELEASE_EVERY_MS = 30_000;

/** A running cloud. */
export class Cloud {
    private retry: NodeJS.Timeout | undefined;
    private retryAfter = FIRST_RETRY_MS;
    private halting = false;
    private releasing: NodeJS.Timeout | undefined;

    private constructor(
        readonly store: Store,
        readonly server: ApiServer,
        readonly identity: LabIdentity,
        /** PEM of the authority that clients must trust. */
        readonly authority: string,
        private readonly options: CloudOptions,
    ) {}

    /** Loads the model, brings the machine to it, and then answers requests. */
    static async start(options: CloudOptions): Promise<Cloud> {
        const { paths, machine, log } = options;
        mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
        const identity = ensureIdentity(paths);
        const certificate = await ensureCertificate(paths.certificates);
        const store = new Store(paths.state, options.eipRange);
        const credentials = new Credentials(identity.accessKeyId, identity.accessKeySecret, identity.accountId);
        // The server needs the dispatcher before the cloud that owns both exists.
        const late: { cloud?: Cloud } = {};
        const dispatcher = new Dispatcher({
            store,
            credentials,
            actions: new ActionTable([
                ...commonActions({ credentials, endpoint: () => `127.0.0.1:${late.cloud?.server.port ?? 0}` }),
                ...options.actions,
            ]),
            defaultRegion: options.region ?? DEFAULT_REGION,
            reconcile: () => late.cloud?.reconcile() ?? Promise.resolve(),
            inForce: (hostIds) => machine.inForce(hostIds),
            health: (balancerId) => machine.health(balancerId),
            serves: (mountTargetId) => machine.serves(mountTargetId),
            log: (record) => log(callLine(record)),
        });
        const server = await ApiServer.listen({
            dispatcher,
            certificate,
            port: options.port ?? paths.port,
            controlKey: identity.accessKeySecret,
            about: { name: paths.name, pid: process.pid, region: options.region ?? DEFAULT_REGION },
            controls: {
                settle: () => late.cloud?.reconcile(),
                halt: () => late.cloud?.halt(),
                console: async (host) => ({ output: await machine.consoleOutput(host) }),
            },
        });
        const cloud = new Cloud(store, server, identity, certificate.authority, options);
        late.cloud = cloud;
        machine.onEvent((event) => cloud.take(event));
        cloud.releaseDue();
        cloud.releasing = setInterval(() => cloud.releaseDue(), RELEASE_EVERY_MS);
        // Hosts of an earlier run come back while the API already answers.
        void cloud.reconcile();
        return cloud;
    }

    /** Hands the model to the machine. Never rejects: what failed is logged and tried again. */
    async reconcile(): Promise<void> {
        try {
            await this.options.machine.reconcile(this.desired());
            this.retryAfter = FIRST_RETRY_MS;
        } catch (error) {
            this.options.log(`machine: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
            this.retryLater();
        }
    }

    /** Stops answering; the hosts go on running. */
    async close(): Promise<void> {
        this.halting = true;
        clearTimeout(this.retry);
        clearInterval(this.releasing);
        await this.server.close();
        await this.options.machine.close();
        this.store.save();
    }

    /** Stops the hosts, which keep their disks and their state in the model, and then the daemon. */
    private async halt(): Promise<void> {
        this.halting = true;
        clearTimeout(this.retry);
        try {
            await this.options.machine.reconcile(this.desired());
        } catch (error) {
            // It goes on as a lab that runs, and can be asked again.
            this.halting = false;
            this.retryLater();
            throw error;
        }
        if (this.options.onHalt) setImmediate(this.options.onHalt);
    }

    private desired(): DesiredMachine {
        const desired = project(this.store.state, machineSize);
        if (!this.halting) return desired;
        return {
            ...desired,
            balancers: [],
            hosts: desired.hosts.map((host) => ({ ...host, power: "stopped" as const, forceStop: false })),
        };
    }

    private retryLater(): void {
        if (this.halting) return;
        clearTimeout(this.retry);
        this.retry = setTimeout(() => void this.reconcile(), this.retryAfter);
        this.retryAfter = Math.min(this.retryAfter * 2, LAST_RETRY_MS);
    }

    /** Ends what was to live until now. */
    private releaseDue(): void {
        if (this.halting) return;
        const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
        const released = releaseDueInstances({ store: this.store, now });
        if (released.length === 0) return;
        this.options.log(`released at their time: ${released.join(", ")}`);
        this.store.save();
        void this.reconcile();
    }

    /** What happened on the machine, in the cloud's words. */
    private take(event: MachineEvent): void {
        if (event.kind === "failed") this.options.log(`host ${event.hostId} failed: ${event.reason}`);
        // A stop for the lab's own sake is not one that clients should see.
        if (this.halting) return;
        if (event.kind === "claimed") {
            if (!claimHaVip(this.store.state, event.haVipId, event.nicId)) return;
            this.options.log(`${event.nicId} holds ${event.haVipId}`);
            this.store.save();
            void this.reconcile();
            return;
        }
        const instance = applyMachineEvent(this.store, event);
        if (!instance) return;
        this.options.log(`host ${event.hostId} is ${instance.status}`);
        this.store.save();
        // The machine must know that it is off for the cloud, too: only then does a start mean that it is to be switched on.
        if (instance.status === "Stopped") void this.reconcile();
    }
}

function callLine(record: CallRecord): string {
    const fields = [
        record.product === "" ? "-" : record.product,
        record.action === "" ? "-" : record.action.replace(/[^\w.-]/g, "?"),
        record.regionId === "" ? "-" : record.regionId.replace(/[^\w.-]/g, "?"),
        record.status,
        record.code === "" ? "OK" : record.code,
        `${record.milliseconds.toFixed(1)}ms`,
        record.requestId,
    ];
    return fields.join(" ") + (record.note === undefined ? "" : `\n  ${record.note.replace(/\n/g, "\n  ")}`);
}

/** An account to preview against: the lab's cloud without a machine, and commands that run nowhere. */
import { createServer, type AddressInfo } from "node:net";
import { actions as alb } from "../../../lab/api/alb";
import { actions as cas } from "../../../lab/api/cas";
import { actions as ecs } from "../../../lab/api/ecs";
import { actions as nas } from "../../../lab/api/nas";
import { actions as nlb } from "../../../lab/api/nlb";
import { actions as pvtz } from "../../../lab/api/pvtz";
import { actions as slb } from "../../../lab/api/slb";
import { actions as vpc } from "../../../lab/api/vpc";
import { Cloud } from "../../../lab/cloud";
import type { DesiredMachine, Machine, MachineEvent, ServerHealth } from "../../../lab/model/desired";
import type { LabPaths } from "../../../lab/paths";
import { CommandLifecycle } from "../../../toolchain/plugins/command/lifecycle";
import { commandPlugin } from "../../../toolchain/plugins/command/plugin";
import { fields } from "../../../toolchain/plugins/command/remoteCommand";
import { type RunningServer, startServer } from "../../../toolchain/plugins/common/server";

/** Every host runs as soon as it is asked for, and every server is healthy. */
class NoMachine implements Machine {
    private desired: DesiredMachine | undefined;
    private listener: (event: MachineEvent) => void = () => undefined;

    reconcile(desired: DesiredMachine): Promise<void> {
        this.desired = desired;
        for (const { id, power } of desired.hosts)
            setImmediate(() => this.listener({ kind: power === "running" ? "running" : "stopped", hostId: id }));
        return Promise.resolve();
    }
    inForce(): Promise<void> {
        return Promise.resolve();
    }
    onEvent(listener: (event: MachineEvent) => void): void {
        this.listener = listener;
    }
    consoleOutput(): Promise<string> {
        return Promise.resolve("");
    }
    health(balancerId: string): Promise<readonly ServerHealth[]> {
        const { listeners = [] } = this.desired?.balancers.find(({ id }) => id === balancerId) ?? {};
        return Promise.resolve(
            listeners.flatMap(({ id, pool }) =>
                pool.servers.map(({ address, port }) => ({ listenerId: id, address, port, health: "up" as const })),
            ),
        );
    }
    serves(): boolean {
        return true;
    }
    close(): Promise<void> {
        return Promise.resolve();
    }
    destroy(): Promise<void> {
        return Promise.resolve();
    }
}

/** Starts the cloud. Its hosts are entries in its model. */
export function startCloud(paths: LabPaths): Promise<Cloud> {
    return Cloud.start({
        paths,
        machine: new NoMachine(),
        actions: [...alb, ...cas, ...ecs, ...nas, ...nlb, ...pvtz, ...slb, ...vpc],
        log: () => undefined,
    });
}

/** Starts a command plugin whose commands on hosts succeed at once and change nothing. */
export function startCommands(): Promise<RunningServer> {
    const plugin = commandPlugin();
    const stdout = `${JSON.stringify({ step: "none", changed: [] })}\n`;
    const remote = new CommandLifecycle(fields, ["stdout", "stderr"], () => Promise.resolve({ stdout, stderr: "" }));
    return startServer({ ...plugin, resources: { ...plugin.resources, "command:remote:Command": remote } });
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    return port;
}

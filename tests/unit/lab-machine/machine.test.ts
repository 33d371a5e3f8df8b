/** Who waits for what of a pass; network and hosts are stood in for. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { LabMachine, createMachine } from "../../../lab/machine";
import type { DesiredHost, DesiredMachine } from "../../../lab/model/desired";
import { hostOf } from "./hostOf";

/** What the stand-ins share with the tests. */
const mockWorld = {
    /** Hosts that don't follow before they are told to, and how they are. */
    slow: new Map<string, () => void>(),
    lanes: new Map<string, Promise<void>>(),
    networkProblem: undefined as Error | undefined,
    networks: 0,
};

jest.mock("../../../lab/net/network", () => ({
    Network: class {
        readonly addresses = { device: "mh0", eips: "127.77.0.0/20", service: "127.0.0.1" };
        async apply(): Promise<void> {
            await Promise.resolve();
            if (mockWorld.networkProblem) throw mockWorld.networkProblem;
            mockWorld.networks += 1;
        }
        readonly prepare = (): Promise<void> => Promise.resolve();
        readonly removeStrayLinks = (): Promise<void> => Promise.resolve();
        readonly distrust = (): void => undefined;
        readonly close = (): void => undefined;
    },
}));
// Its folder is one of the machine's, and a lab that runs here has the same.
jest.mock("../../../lab/net/balancers", () => ({
    Balancers: class {
        readonly apply = (): Promise<void> => Promise.resolve();
    },
}));
jest.mock("../../../lab/hosts/hosts", () => ({
    labFilter: () => "",
    Hosts: class {
        readonly note = (): void => undefined;
        readonly removeOthers = (): Promise<void> => Promise.resolve();
        async apply(hosts: readonly DesiredHost[]): Promise<void> {
            for (const { id } of hosts)
                mockWorld.lanes.set(
                    id,
                    mockWorld.slow.has(id)
                        ? new Promise((resolve) => mockWorld.slow.set(id, resolve))
                        : Promise.resolve(),
                );
            await Promise.all(mockWorld.lanes.values());
        }
        async settled(id: string): Promise<void> {
            await mockWorld.lanes.get(id);
        }
    },
}));
jest.mock("../../../lab/hosts/docker", () => ({
    Docker: class {
        async events(_filter: string, signal: AbortSignal, ready: () => void): Promise<void> {
            ready();
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
        }
        readonly close = (): void => undefined;
    },
}));
jest.mock("../../../lab/hosts/kernelSettings", () => ({ raiseKernelSettings: () => Promise.resolve() }));
jest.mock("../../../lab/net/dns", () => ({
    DnsRelay: class {
        readonly start = (): Promise<void> => Promise.resolve();
        readonly close = (): Promise<void> => Promise.resolve();
    },
}));
jest.mock("../../../lab/net/metadata", () => ({
    MetadataService: class {
        readonly start = (): Promise<void> => Promise.resolve();
        readonly close = (): Promise<void> => Promise.resolve();
    },
}));

let folder: string;
let machine: LabMachine;
const before = process.env["MULTIHOST_STATE"];

beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "lab-passes-"));
    process.env["MULTIHOST_STATE"] = folder;
    Object.assign(mockWorld, { slow: new Map(), lanes: new Map(), networkProblem: undefined, networks: 0 });
    machine = await createMachine({ name: "unit", folder: path.join(folder, "machine") });
});
afterEach(async () => {
    await machine.close();
    rmSync(folder, { recursive: true, force: true });
    if (before === undefined) delete process.env["MULTIHOST_STATE"];
    else process.env["MULTIHOST_STATE"] = before;
});

const desired = (...hosts: string[]): DesiredMachine => ({
    vpcs: [],
    hosts: hosts.map(hostOf),
    eips: [],
    securityGroups: [],
    balancers: [],
    zones: [],
    fileSystems: [],
});
/** Whether a promise has come to its end by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
    let done = false;
    void promise.then(() => (done = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    return done;
}

test("network is in force before hosts that take long have followed, each of which is waited for by its own", async () => {
    mockWorld.slow.set("i-slow", () => undefined);
    const whole = machine.reconcile(desired("i-slow", "i-quick"));
    await machine.inForce([]);
    expect(mockWorld.networks).toBe(1);
    await machine.inForce(["i-quick"]);
    const own = machine.inForce(["i-slow"]);
    expect(await isDone(own)).toBe(false);
    // The next one finds its turn.
    const next = machine.reconcile(desired("i-slow", "i-quick", "i-new"));
    await machine.inForce(["i-new"]);
    expect(mockWorld.networks).toBe(2);
    expect(await isDone(whole)).toBe(false);
    for (const release of mockWorld.slow.values()) release();
    await next;
});

test("a network that fails is told of by the pass, and keeps nobody waiting", async () => {
    mockWorld.networkProblem = new Error("no table");
    const whole = machine.reconcile(desired("i-1"));
    await machine.inForce(["i-1"]);
    await expect(whole).rejects.toThrow("no table");
    mockWorld.networkProblem = undefined;
    await machine.reconcile(desired("i-1"));
    expect(mockWorld.networks).toBe(1);
});

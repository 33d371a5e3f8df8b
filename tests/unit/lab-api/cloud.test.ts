import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { defineAction } from "../../../lab/api/action";
import { model } from "../../../lab/api/common/model";
import { Cloud } from "../../../lab/cloud";
import { control } from "../../../lab/control";
import { clientEnvironment, shellCommands } from "../../../lab/environment";
import type { DesiredMachine, Machine, MachineEvent, ServerHealth } from "../../../lab/model/desired";
import { project } from "../../../lab/model/project";
import type { HaVip, Instance, NetworkInterface, State, Vpc } from "../../../lab/model/state";
import { LabPaths, labPaths } from "../../../lab/paths";
import { rpcClient } from "../../../lab/rpc";
import { root } from "../../../toolchain/folders";

/** A machine that only writes down what it is asked for. */
class RecordingMachine implements Machine {
    readonly asked: DesiredMachine[] = [];
    failures = 0;
    /** Whether passes don't end before `release`. */
    stuck = false;
    /** Whether their network is in force all the same. */
    networked = false;
    release: () => void = () => undefined;
    private pass: Promise<void> = Promise.resolve();
    private listener: (event: MachineEvent) => void = () => undefined;

    reconcile(desired: DesiredMachine): Promise<void> {
        this.pass = this.follow(desired);
        return this.pass;
    }
    async inForce(): Promise<void> {
        if (!this.networked) await this.pass.catch(() => undefined);
    }
    private async follow(desired: DesiredMachine): Promise<void> {
        this.asked.push(desired);
        if (this.failures > 0) {
            this.failures -= 1;
            throw new Error("no engine");
        }
        if (this.stuck) await new Promise<void>((resolve) => (this.release = resolve));
    }
    onEvent(listener: (event: MachineEvent) => void): void {
        this.listener = listener;
    }
    emit(event: MachineEvent): void {
        this.listener(event);
    }
    async consoleOutput(hostId: string): Promise<string> {
        return `console of ${hostId}`;
    }
    async health(): Promise<readonly ServerHealth[]> {
        return [];
    }
    serves(): boolean {
        return true;
    }
    async close(): Promise<void> {
        return undefined;
    }
    async destroy(): Promise<void> {
        return undefined;
    }
}

const runInstances = defineAction({
    product: "Ecs",
    version: "2014-05-26",
    name: "RunInstances",
    request: model({ InstanceName: "string", ClientToken: "string" }),
    response: model({ RequestId: "string", InstanceId: "string" }),
    writes: true,
    handle: async (request, context) => {
        context.checked();
        const id = "i-1";
        context.store.state.instances[id] = {
            id,
            name: request.instanceName ?? "",
            regionId: context.regionId,
            status: "Pending",
            hostName: "",
            keyPairName: "",
            userData: "",
            password: "",
            instanceType: "ecs.g7.large",
            metadata: { tokens: "optional", endpoint: "enabled", hopLimit: 0 },
            tags: {},
        } as unknown as Instance;
        await context.applied();
        return { instanceId: id };
    },
});

let folder: string;
let paths: LabPaths;
let machine: RecordingMachine;
let cloud: Cloud | undefined;
let lines: string[];
const before = process.env["MULTIHOST_STATE"];

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-cloud-"));
    process.env["MULTIHOST_STATE"] = folder;
    paths = labPaths({ LAB_NAME: "unit" });
    machine = new RecordingMachine();
    lines = [];
});

afterEach(async () => {
    await cloud?.close();
    cloud = undefined;
    rmSync(folder, { recursive: true, force: true });
    if (before === undefined) delete process.env["MULTIHOST_STATE"];
    else process.env["MULTIHOST_STATE"] = before;
});

async function start(): Promise<Cloud> {
    cloud = await Cloud.start({
        paths,
        machine,
        actions: [runInstances],
        port: 0,
        log: (line) => void lines.push(line),
    });
    return cloud;
}

function client({ server, identity }: Cloud) {
    return rpcClient(`http://127.0.0.1:${server.port}`, identity.accessKeyId, identity.accessKeySecret);
}

test("what a write made is on disk and with the machine before the answer", async () => {
    await client(await start())("Ecs", "RunInstances", { InstanceName: "web" });
    expect(machine.asked.at(-1)!.hosts.map(({ id }) => id)).toEqual(["i-1"]);
    expect(JSON.parse(readFileSync(paths.state, "utf8"))).toMatchObject({ instances: { "i-1": { name: "web" } } });
});

test("the lab's own clients ask no proxy", async () => {
    const { server } = await start();
    // As with NODE_USE_ENV_PROXY, which is for everything that has no agent of its own.
    const proxied = (): never => {
        throw new Error("asked the proxy");
    };
    jest.spyOn(globalThis, "fetch").mockImplementation(proxied);
    jest.spyOn(http.globalAgent as http.Agent & { addRequest: () => void }, "addRequest").mockImplementation(proxied);
    try {
        expect(await client(cloud!)("Ecs", "RunInstances", {})).toMatchObject({ InstanceId: "i-1" });
        await expect(client(cloud!)("Ecs", "Unknown", {})).rejects.toThrow("UnsupportedOperation: ");
        const daemon = { pid: process.pid, start: "", port: server.port, region: "cn-hangzhou" };
        expect(await control(paths, daemon, "settle")).toEqual({});
        await expect(control(paths, daemon, "dance")).rejects.toThrow('The lab has no control "dance".');
    } finally {
        jest.restoreAllMocks();
    }
});

test("a restart finds keys and model again, and hands it to the machine", async () => {
    const first = await start();
    await client(first)("Ecs", "RunInstances", { InstanceName: "web", ClientToken: "t" });
    await first.close();
    machine = new RecordingMachine();
    const second = await start();
    expect(second.identity).toEqual(first.identity);
    expect(machine.asked[0]!.hosts).toHaveLength(1);
    // The client token outlives it, too.
    expect(await client(second)("Ecs", "RunInstances", { InstanceName: "web", ClientToken: "t" })).toMatchObject({
        InstanceId: "i-1",
    });
    expect(Object.keys(second.store.state.instances)).toHaveLength(1);
});

test("a change whose answer a crash took away is answered again, not made again", async () => {
    const first = await start();
    machine.stuck = true;
    const asked = client(first)("Ecs", "RunInstances", { InstanceName: "web", ClientToken: "t" }).catch(
        () => undefined,
    );
    while (Object.keys(first.store.state.instances).length === 0 || !existsSync(paths.state))
        await new Promise((resolve) => setTimeout(resolve, 10));
    // What a process that begins now would read.
    const saved = JSON.parse(readFileSync(paths.state, "utf8")) as State;
    expect(Object.keys(saved.instances)).toEqual(["i-1"]);
    expect(Object.values(saved.clientTokens)).toMatchObject([{ answer: { InstanceId: "i-1" } }]);
    machine.release();
    await asked;
});

describe("an instance with a time of release", () => {
    const due = { autoReleaseTime: "2020-01-01T00:00:00Z", instanceChargeType: "PostPaid" } as const;

    test("is released when that comes", async () => {
        jest.useFakeTimers({ doNotFake: ["Date", "nextTick", "queueMicrotask", "setImmediate", "setTimeout"] });
        try {
            const lab = await start();
            await client(lab)("Ecs", "RunInstances", { InstanceName: "web" });
            const instance = lab.store.state.instances["i-1"]!;
            Object.assign(instance, due, { autoReleaseTime: "2999-01-01T00:00:00Z" });
            jest.advanceTimersByTime(60_000);
            expect(Object.keys(lab.store.state.instances)).toEqual(["i-1"]);
            Object.assign(instance, due);
            jest.advanceTimersByTime(60_000);
            expect(machine.asked.at(-1)!.hosts).toEqual([]);
            expect((JSON.parse(readFileSync(paths.state, "utf8")) as State).instances).toEqual({});
            expect(lines).toContain("released at their time: i-1");
        } finally {
            jest.useRealTimers();
        }
    });

    test("does not come back with a lab that was stopped at that time", async () => {
        const first = await start();
        await client(first)("Ecs", "RunInstances", { InstanceName: "web" });
        Object.assign(first.store.state.instances["i-1"]!, due);
        await first.close();
        machine = new RecordingMachine();
        await start();
        expect(machine.asked[0]!.hosts).toEqual([]);
    });
});

test("who asks for nothing of a host's does not wait for hosts that take long", async () => {
    const lab = await start();
    Object.assign(machine, { stuck: true, networked: true });
    await client(lab)("Ecs", "RunInstances", { InstanceName: "web" });
    expect(machine.asked.at(-1)!.hosts).toHaveLength(1);
    machine.release();
});

test("a machine that fails is tried again, and the client is not troubled", async () => {
    const lab = await start();
    machine.failures = 1;
    await client(lab)("Ecs", "RunInstances", { InstanceName: "web" });
    expect(lines.some((line) => line.includes("no engine"))).toBe(true);
    const passes = machine.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(machine.asked.length).toBeGreaterThan(passes);
});

test("what happens on the machine shows in the model", async () => {
    const lab = await start();
    await client(lab)("Ecs", "RunInstances", { InstanceName: "web" });
    const instance = lab.store.state.instances["i-1"]!;
    machine.emit({ kind: "stopped", hostId: "i-1" });
    expect(instance.status).toBe("Pending");
    machine.emit({ kind: "running", hostId: "i-1" });
    expect(instance.status).toBe("Running");
    machine.emit({ kind: "stopped", hostId: "i-1" });
    expect(instance.status).toBe("Stopped");
    machine.emit({ kind: "running", hostId: "i-unknown" });
    machine.emit({ kind: "failed", hostId: "i-1", reason: "no memory" });
    expect(lines.some((line) => line.includes("no memory"))).toBe(true);
});

test("the machine is told of a host that switched itself off, so that a start later means something to it", async () => {
    const lab = await start();
    await client(lab)("Ecs", "RunInstances", { InstanceName: "web" });
    machine.emit({ kind: "running", hostId: "i-1" });
    machine.emit({ kind: "stopped", hostId: "i-1" });
    expect(machine.asked.at(-1)!.hosts[0]!.power).toBe("stopped");
    const passes = machine.asked.length;
    machine.emit({ kind: "stopped", hostId: "i-1" });
    expect(machine.asked).toHaveLength(passes);
});

test("a halt that the machine can't follow is told, and the lab goes on", async () => {
    const lab = await start();
    await client(lab)("Ecs", "RunInstances", { InstanceName: "web" });
    machine.failures = 1;
    const response = await fetch(`http://127.0.0.1:${lab.server.port}/_lab/halt`, {
        method: "POST",
        headers: { "x-lab-key": lab.identity.accessKeySecret },
    });
    expect(await response.json()).toMatchObject({ Message: "no engine" });
    await lab.reconcile();
    expect(machine.asked.at(-1)!.hosts[0]!.power).toBe("running");
});

test("an address that a host announces leads to it, and to nobody once it is off", async () => {
    const lab = await start();
    await client(lab)("Ecs", "RunInstances", { InstanceName: "web" });
    const { state } = lab.store;
    machine.emit({ kind: "running", hostId: "i-1" });
    state.instances["i-1"]!.securityGroupIds = [];
    state.vpcs["vpc-1"] = { id: "vpc-1", cidr: "10.0.0.0/16", secondaryCidrs: [] } as unknown as Vpc;
    const nic = { id: "eni-1", kind: "Primary", instanceId: "i-1", secondaryIps: [], securityGroupIds: [] };
    state.networkInterfaces["eni-1"] = nic as unknown as NetworkInterface;
    const haVip = { id: "havip-1", vpcId: "vpc-1", memberType: "EcsInstance", memberIds: ["i-1"], holderId: "" };
    state.haVips["havip-1"] = haVip as unknown as HaVip;
    machine.emit({ kind: "claimed", haVipId: "havip-1", nicId: "eni-1" });
    expect(machine.asked.at(-1)!.vpcs[0]!.haVips[0]).toMatchObject({ holder: "eni-1" });
    const saved = JSON.parse(readFileSync(paths.state, "utf8")) as State;
    expect(saved.haVips["havip-1"]!.holderId).toBe("i-1");
    machine.emit({ kind: "stopped", hostId: "i-1" });
    expect(project(state).vpcs[0]!.haVips[0]).not.toHaveProperty("holder");
});

test("halt stops the hosts without a word to the cloud's clients", async () => {
    let halted = false;
    cloud = await Cloud.start({
        paths,
        machine,
        actions: [runInstances],
        port: 0,
        log: (line) => void lines.push(line),
        onHalt: () => {
            halted = true;
        },
    });
    await client(cloud)("Ecs", "RunInstances", { InstanceName: "web" });
    machine.emit({ kind: "running", hostId: "i-1" });
    const response = await fetch(`http://127.0.0.1:${cloud.server.port}/_lab/halt`, {
        method: "POST",
        headers: { "x-lab-key": cloud.identity.accessKeySecret },
    });
    expect(response.status).toBe(200);
    expect(machine.asked.at(-1)!.hosts[0]!.power).toBe("stopped");
    machine.emit({ kind: "stopped", hostId: "i-1" });
    expect(cloud.store.state.instances["i-1"]!.status).toBe("Running");
    await new Promise((resolve) => setImmediate(resolve));
    expect(halted).toBe(true);
});

test("the log has a line for each call and no secret", async () => {
    const lab = await start();
    await client(lab)("Ecs", "RunInstances", { InstanceName: "web" });
    const line = lines.find((candidate) => candidate.includes("RunInstances"));
    expect(line).toMatch(/^Ecs RunInstances cn-hangzhou 200 OK [\d.]+ms [0-9A-F-]{36}$/);
    expect(lines.join("\n")).not.toContain(lab.identity.accessKeySecret);
});

test("the environment of clients adds the lab to what they trust and avoids proxies", async () => {
    const lab = await start();
    const system = join(folder, "system.pem");
    rmSync(system, { force: true });
    const { writeFileSync } = await import("node:fs");
    writeFileSync(system, "SYSTEM\n");
    const about = { authority: lab.authority, region: "cn-hangzhou", port: 8071 };
    const current = { SSL_CERT_FILE: system, NO_PROXY: "", no_proxy: " example.test" };
    const once = clientEnvironment(paths, lab.identity, about, current);
    expect(readFileSync(once["SSL_CERT_FILE"]!, "utf8")).toBe(`SYSTEM\n${lab.authority.trim()}\n`);
    expect(once["NO_PROXY"]).toBe("example.test,127.0.0.1,127.0.0.1:8071,localhost");
    expect(once["PULUMI_BACKEND_URL"]).toBe(`file://${paths.pulumi}`);
    // Started from an environment of its own, it does not trust itself twice.
    const twice = clientEnvironment(paths, lab.identity, about, once);
    expect(readFileSync(twice["NODE_EXTRA_CA_CERTS"]!, "utf8").trim()).toBe(lab.authority.trim());
    expect(existsSync(twice["SSL_CERT_FILE"]!)).toBe(true);
});

test("the environment of clients leads to the lab also for products that the provider looks up nowhere else", async () => {
    const lab = await start();
    const about = { authority: lab.authority, region: "cn-hangzhou", port: 8071 };
    const made = clientEnvironment(paths, lab.identity, about, {});
    // Of these it knows the real endpoint without asking the location service.
    const known = [
        ...["ALIDNS", "BRAIN_INDUSTRIAL", "BSSOPENAPI", "CAS", "CASSANDRA", "CLOUDFW", "COMPUTENESTSUPPLIER"],
        ...["EDS_AIC", "ESA", "MARKET", "OPENAPIEXPLORER", "RAM", "RESOURCECENTER", "RESOURCEDIRECTORYMASTER"],
        ...["ROS", "SAS", "SCDN", "TABLESTORE", "VPCPEER"],
    ].map((product) => `ALIBABA_CLOUD_ENDPOINT_${product}`);
    const byOldNames = ["CDN", "DATAHUB", "LOCATION", "MNS", "OTS"].map((product) => `${product}_ENDPOINT`);
    expect([...known, ...byOldNames].filter((name) => made[name] !== "127.0.0.1:8071")).toEqual([]);
});

test("the stack of the lab leads there for the same products, where the provider's configuration names them", () => {
    const { config } = parse(readFileSync(join(root, "Pulumi.lab.yaml"), "utf8")) as {
        config: Record<string, object[]>;
    };
    expect(Object.keys(config["alicloud:endpoints"]![0]!)).toEqual(
        expect.arrayContaining([
            ...["alidns", "brainIndustrial", "bssopenapi", "cas", "cassandra", "cdn", "cloudfw", "datahub", "esa"],
            ...["location", "market", "mns", "ots", "ram", "ros", "sas", "scdn", "vpcpeer"],
        ]),
    );
});

test("the environment of clients leaves nothing of a real account", async () => {
    const lab = await start();
    const about = { authority: lab.authority, region: "cn-hangzhou", port: 8071 };
    const ofTheLab = clientEnvironment(paths, lab.identity, about, {});
    const real: Record<string, string> = Object.fromEntries(
        [
            ...["ACCESS_KEY", "SECRET_KEY", "SECURITY_TOKEN", "ACCOUNT_ID", "PROFILE", "ASSUME_ROLE_ARN"].map(
                (name) => `ALICLOUD_${name}`,
            ),
            ...["ECS_ROLE_NAME", "SHARED_CREDENTIALS_FILE", "CREDENTIALS_URI"].map((name) => `ALICLOUD_${name}`),
            ...["ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN"].map((name) => `ALIBABACLOUD_${name}`),
            ...["ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN", "ACCOUNT_ID", "PROFILE", "ROLE_ARN"].map(
                (name) => `ALIBABA_CLOUD_${name}`,
            ),
            ...["ECS_METADATA", "CREDENTIALS_FILE", "CREDENTIALS_URI", "ROLE_SESSION_NAME"].map(
                (name) => `ALIBABA_CLOUD_${name}`,
            ),
            ...["OIDC_PROVIDER_ARN", "OIDC_TOKEN", "OIDC_TOKEN_FILE"].map((name) => `ALIBABA_CLOUD_${name}`),
        ].map((name) => [name, "real"]),
    );
    expect(Object.entries({ ...real, ...ofTheLab }).filter(([, value]) => value === "real")).toEqual([]);

    const shown = execFileSync("sh", ["-c", `${shellCommands(ofTheLab)}env`], { env: real, encoding: "utf8" });
    expect(shown).toContain(`ALICLOUD_ACCESS_KEY=${lab.identity.accessKeyId}\n`);
    expect(shown).not.toMatch(/=(real)?$|TOKEN|PROFILE|ROLE_/m);
});

/** The lab and the stack on it, as a user runs them: times, and memory. */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { labPaths, type LabPaths } from "../lab/paths";
import { runningDaemon } from "../lab/record";
import { rpcClient, type Rpc } from "../lab/rpc";
import { root } from "../toolchain/folders";
import { inContainers, memoryOf, memoryOfTree, peakMemory } from "./memory";
import type { Figure } from "./statistics";

const environment = { LAB_NAME: "bench", LAB_PORT: process.env["BENCH_LAB_PORT"] ?? "8069" };
const GIB = 1024;
/** A command that hangs ends the whole measurement. */
const COMMAND_LIMIT_MS = 15 * 60_000;
/** Hosts that are started one after the other for the time until they take SSH. */
const SSH_HOSTS = 5;
/** Seconds that the lab is left alone before its memory counts as that of an idle one. */
const SETTLE = 10;

interface Run {
    readonly seconds: number;
    /** Largest memory of the command, what it started, and the cloud's process, in MiB. */
    readonly memory: number;
}

/** Runs `npm run lab -- …`. @throws Error with all that it printed when it fails */
async function lab(...args: string[]): Promise<Run> {
    const started = performance.now();
    const child = spawn(process.execPath, [join(root, "toolchain", "bootstrap.mjs"), "lab/cli.ts", ...args], {
        cwd: root,
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: COMMAND_LIMIT_MS,
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    const stop = peakMemory(() => memoryOfTree(child.pid!, daemonPid()));
    const code = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
    });
    const run = { seconds: (performance.now() - started) / 1000, memory: stop() };
    if (code !== 0) throw new Error(`lab ${args.join(" ")} ended with ${code}:\n${output}`);
    return run;
}

function paths(): LabPaths {
    return labPaths({ ...process.env, ...environment });
}

function daemonPid(): number[] {
    const daemon = runningDaemon(paths());
    return daemon === undefined ? [] : [daemon.pid];
}

/** Memory of the lab's hosts, of what holds them, and of the cloud's process, in MiB. */
function labMemory(): number {
    const ids = execFileSync(
        "docker",
        ["ps", "--no-trunc", "--quiet", "--filter", `label=multihost.lab=${environment.LAB_NAME}`],
        { encoding: "utf8" },
    )
        .trim()
        .split("\n");
    const contained = inContainers(ids);
    return memoryOf((each) => daemonPid().includes(each.pid) || contained(each));
}

/** Removes the lab; for the beginning, the end, and an interruption. */
export async function removeLab(): Promise<void> {
    await lab("down");
}

/** @param runs how often the stack is brought up from nothing */
export async function measureLab(runs: number): Promise<Figure[]> {
    const took: Record<
        "up" | "memory" | "unchanged" | "preview" | "idle" | "stop" | "start" | "ssh" | "destroy" | "down",
        number[]
    > = {
        up: [],
        memory: [],
        unchanged: [],
        preview: [],
        idle: [],
        stop: [],
        start: [],
        ssh: [],
        destroy: [],
        down: [],
    };
    await removeLab();
    try {
        for (let run = 1; run <= runs; run++) {
            console.error(`The stack from nothing, run ${run} of ${runs}`);
            const up = await lab("up");
            took.up.push(up.seconds);
            took.memory.push(up.memory / GIB);
            took.unchanged.push((await lab("pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes")).seconds);
            took.preview.push((await lab("pulumi", "preview")).seconds);
            await sleep(SETTLE * 1000);
            took.idle.push(labMemory() / GIB);
            took.stop.push((await lab("stop")).seconds);
            took.start.push((await lab("start")).seconds);
            if (run === runs) took.ssh.push(...(await sshReady()));
            else took.destroy.push((await lab("pulumi", "destroy", "--yes", "--skip-preview")).seconds);
            took.down.push((await lab("down")).seconds);
        }
    } finally {
        await removeLab();
    }
    return [
        { name: "npm run lab, nothing running, warm caches", unit: "s", values: took.up, goal: 180 },
        { name: "memory of the engine side during it", unit: "GiB", values: took.memory, goal: 1.5 },
        { name: "unchanged pulumi up", unit: "s", values: took.unchanged, goal: 8 },
        { name: "unchanged pulumi preview", unit: "s", values: took.preview },
        { name: "memory of the idle lab, hosts and services", unit: "GiB", values: took.idle, goal: 1.5 },
        { name: "SSH after RunInstances", unit: "s", values: took.ssh, goal: 5 },
        { name: "lab stop", unit: "s", values: took.stop },
        { name: "lab start, with the hosts of the stack", unit: "s", values: took.start },
        ...(took.destroy.length > 0
            ? [{ name: "pulumi destroy", unit: "s", values: took.destroy } satisfies Figure]
            : []),
        { name: "lab down", unit: "s", values: took.down },
    ];
}

/** Seconds from the call that makes a host to its SSH server's greeting on its public address, for one host after the other. */
async function sshReady(): Promise<number[]> {
    const identity = JSON.parse(readFileSync(paths().identity, "utf8")) as {
        accessKeyId: string;
        accessKeySecret: string;
    };
    const rpc = rpcClient(`http://127.0.0.1:${paths().port}`, identity.accessKeyId, identity.accessKeySecret);
    const region = { RegionId: "cn-hangzhou" };
    const make = async (product: "Ecs" | "Vpc", action: string, parameters: Record<string, string>, member: string) =>
        (await rpc(product, action, { ...region, ...parameters }))[member] as string;
    const vpcId = await make("Vpc", "CreateVpc", { CidrBlock: "10.99.0.0/16" }, "VpcId");
    const zone = { VpcId: vpcId, CidrBlock: "10.99.0.0/24", ZoneId: "cn-hangzhou-h" };
    const vswitchId = await make("Vpc", "CreateVSwitch", zone, "VSwitchId");
    const groupId = await make("Ecs", "CreateSecurityGroup", { VpcId: vpcId }, "SecurityGroupId");
    await rpc("Ecs", "AuthorizeSecurityGroup", {
        ...region,
        SecurityGroupId: groupId,
        IpProtocol: "tcp",
        PortRange: "22/22",
        SourceCidrIp: "0.0.0.0/0",
    });
    const seconds: number[] = [];
    for (let host = 0; host < SSH_HOSTS; host++) {
        const started = performance.now();
        const { InstanceIdSets } = await rpc("Ecs", "RunInstances", {
            ...region,
            ImageId: "debian_12_7_x64_20G_alibase_20240819.vhd",
            InstanceType: "ecs.g7.large",
            VSwitchId: vswitchId,
            SecurityGroupId: groupId,
            InternetMaxBandwidthOut: "10",
            "SystemDisk.Category": "cloud_essd",
        });
        const id = (InstanceIdSets as { InstanceIdSet: string[] }).InstanceIdSet[0]!;
        const address = await publicAddress(rpc, id);
        while (!(await greets(address))) {
            if (performance.now() - started > 60_000) throw new Error(`${id} takes no SSH within a minute.`);
            await sleep(50);
        }
        seconds.push((performance.now() - started) / 1000);
    }
    return seconds;
}

async function publicAddress(rpc: Rpc, id: string): Promise<string> {
    const answer = await rpc("Ecs", "DescribeInstances", {
        RegionId: "cn-hangzhou",
        InstanceIds: JSON.stringify([id]),
    });
    const { Instance } = answer["Instances"] as { Instance: { PublicIpAddress: { IpAddress: string[] } }[] };
    const address = Instance[0]?.PublicIpAddress.IpAddress[0];
    if (address === undefined) throw new Error(`${id} has no public address.`);
    return address;
}

function greets(address: string): Promise<boolean> {
    return new Promise((resolve) => {
        const socket = connect({ host: address, port: 22, timeout: 1000 });
        const end = (result: boolean): void => {
            socket.destroy();
            resolve(result);
        };
        socket.once("data", (data) => end(data.toString().startsWith("SSH-")));
        socket.once("error", () => end(false));
        socket.once("timeout", () => end(false));
        socket.once("close", () => end(false));
    });
}

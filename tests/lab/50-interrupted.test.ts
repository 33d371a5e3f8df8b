/** A lab of its own, cut off at its worst moments: the next `npm run lab` finishes, and makes nothing twice. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { findIndex } from "../../lab/machine";
import { labPaths } from "../../lab/paths";
import { isAlive, processes } from "../../lab/process";
import { type DaemonRecord, runningDaemon } from "../../lab/record";
import { cutLabEnvironment } from "../prepare";
import { api, eventually, lab, labOutput, status } from "./lab";

jest.setTimeout(600_000);

const environment = cutLabEnvironment;
const name = environment["LAB_NAME"]!;
const paths = labPaths({ ...process.env, ...environment });
const root = resolve(__dirname, "..", "..");
const region = { RegionId: "cn-hangzhou" };

/** What one resource of the stack is counted by in the cloud. */
const counted = {
    "alicloud:vpc/network:Network": ["Vpc", "DescribeVpcs"],
    "alicloud:vpc/switch:Switch": ["Vpc", "DescribeVSwitches"],
    "alicloud:vpc/natGateway:NatGateway": ["Vpc", "DescribeNatGateways"],
    "alicloud:ecs/eipAddress:EipAddress": ["Vpc", "DescribeEipAddresses"],
    "alicloud:ecs/instance:Instance": ["Ecs", "DescribeInstances"],
    "alicloud:ecs/securityGroup:SecurityGroup": ["Ecs", "DescribeSecurityGroups"],
    "alicloud:ecs/ecsKeyPair:EcsKeyPair": ["Ecs", "DescribeKeyPairs"],
    "alicloud:ecs/ecsDeploymentSet:EcsDeploymentSet": ["Ecs", "DescribeDeploymentSets"],
} as const;

async function inCloud(type: keyof typeof counted): Promise<number> {
    const [product, action] = counted[type];
    return (await api(environment)(product, action, region))["TotalCount"] as number;
}

interface Deployment {
    readonly deployment: {
        readonly resources?: readonly { readonly type: string; readonly urn: string }[];
        readonly pending_operations?: readonly unknown[];
    };
}

async function exported(): Promise<Deployment["deployment"]> {
    const text = await labOutput(["pulumi", "stack", "export"], { environment });
    return (JSON.parse(text) as Deployment).deployment;
}

/** `npm run lab` in a process group of its own, as a shell would start it. */
function start(): {
    readonly child: ChildProcess;
    readonly ended: Promise<number | null>;
    readonly output: () => string;
} {
    const child = spawn(process.execPath, [join(root, "toolchain", "bootstrap.mjs"), "lab/cli.ts", "up"], {
        cwd: root,
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>((done) => child.once("close", done));
    return { child, ended, output: () => output };
}

/** Ends a run as a crash of its terminal, or the kernel short of memory, would: nobody gets to say goodbye. */
async function cutOff(run: ReturnType<typeof start>): Promise<void> {
    process.kill(-run.child.pid!, "SIGKILL");
    await run.ended;
}

function containers(): string[] {
    return execFileSync("docker", ["ps", "--all", "--quiet", "--filter", `label=multihost.lab=${name}`], {
        encoding: "utf8",
    })
        .split("\n")
        .filter((id) => id !== "");
}

beforeAll(async () => {
    await labOutput(["down"], { environment });
    await labOutput(["start"], { environment });
    await labOutput(["pulumi", "stack", "init", "lab"], { environment });
    // What services there are makes no difference here: network, hosts and Redis Cluster do.
    const off = ["mysql", "storage", "web", "loadBalancer"].flatMap((key) => ["--plaintext", `${key}.enabled=false`]);
    await labOutput(["pulumi", "config", "set-all", "--path", ...off, "--stack", "lab"], { environment });
});

afterAll(async () => {
    await lab(["down"], { environment });
});

it("is cut off while it creates hosts, and again while it sets them up", async () => {
    const first = start();
    await eventually("two hosts exist", 120, async () =>
        (await inCloud("alicloud:ecs/instance:Instance")) >= 2 ? true : undefined,
    );
    await cutOff(first);

    const second = start();
    await eventually("a host is set up", 240, async () =>
        readFileSync(join(paths.pulumi, ".pulumi", "stacks", "multihost", "lab.json"), "utf8").includes(
            "::node-1-ready",
        )
            ? true
            : undefined,
    ).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${second.output()}`);
    });
    await cutOff(second);
});

it("finishes with the next run, which says what it found", async () => {
    const run = start();
    const code = await run.ended;
    expect({ code, output: code === 0 ? "" : run.output() }).toEqual({ code: 0, output: "" });
    const { hosts } = status(environment);
    expect(hosts.every(({ state }) => state === "Running")).toBe(true);
});

it("has neither lost nor doubled anything", async () => {
    const { resources = [], pending_operations: pending = [] } = await exported();
    expect(pending).toEqual([]);
    const inState = Object.fromEntries(
        Object.keys(counted).map((type) => [type, resources.filter((resource) => resource.type === type).length]),
    );
    const found = Object.fromEntries(
        await Promise.all(
            (Object.keys(counted) as (keyof typeof counted)[]).map(async (type) => [type, await inCloud(type)]),
        ),
    ) as Record<string, number>;
    expect(found).toEqual(inState);
    await labOutput(["pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes"], { environment, seconds: 240 });
});

it("stays apart from the lab beside it, though both use the same addresses", async () => {
    const [mine, other] = [status(environment), status()];
    expect(other.state).toBe("running");
    const ids = new Set(other.hosts.map(({ instanceId }) => instanceId));
    expect(mine.hosts.some(({ instanceId }) => ids.has(instanceId))).toBe(false);
    const addresses = new Set(other.hosts.map(({ privateAddress }) => privateAddress));
    expect(mine.hosts.some(({ privateAddress }) => addresses.has(privateAddress))).toBe(true);
    const publicOnes = (view: typeof mine): string[] =>
        view.hosts.map(({ publicAddress }) => publicAddress).filter((address) => address !== "");
    expect(publicOnes(mine).filter((address) => publicOnes(other).includes(address))).toEqual([]);
    // The same address leads each lab's hosts to their own neighbour.
    const neighbour = mine.hosts.find(({ name: host }) => host === "node-2")!.privateAddress;
    const seen = await lab(
        [
            "ssh",
            "node-1",
            "bash",
            "-c",
            `su -s /bin/sh multihost -c 'ssh -o BatchMode=yes ${neighbour} cat /etc/hostname'`,
        ],
        { environment },
    );
    expect({ code: seen.code, host: seen.stdout.trim() }).toEqual({ code: 0, host: "node-2" });
});

/** Ways in which the cloud's own process comes to be another one. */
const ends: Readonly<Record<string, (daemon: DaemonRecord) => unknown>> = {
    "was killed": async ({ pid }) => {
        process.kill(pid, "SIGKILL");
        await eventually("the process is gone", 10, async () =>
            runningDaemon(paths) === undefined ? true : undefined,
        );
    },
    "is of an earlier version of the project": (daemon) =>
        writeFileSync(paths.daemon, JSON.stringify({ ...daemon, code: "earlier" })),
};

it.each(Object.entries(ends))("finds its hosts again when the cloud's own process %s", async (_, end) => {
    const daemon = runningDaemon(paths)!;
    const before = status(environment);
    const booted = (await lab(["ssh", "node-1", "cut", "-d", " ", "-f22", "/proc/1/stat"], { environment })).stdout;
    const running = containers();
    await end(daemon);
    await labOutput(["start"], { environment });
    expect(runningDaemon(paths)?.pid).not.toBe(daemon.pid);
    expect(isAlive(daemon.pid, daemon.start)).toBe(false);
    expect(status(environment).hosts).toEqual(before.hosts);
    expect(containers().sort()).toEqual(running.sort());
    expect((await lab(["ssh", "node-1", "cut", "-d", " ", "-f22", "/proc/1/stat"], { environment })).stdout).toBe(
        booted,
    );
});

it("leaves nothing behind", async () => {
    const spaces = (): string[] =>
        execFileSync("ip", ["netns", "list"], { encoding: "utf8" })
            .split("\n")
            .filter((line) => line.startsWith(`mh${index}-vpc-`));
    const [daemon, index] = [runningDaemon(paths)!, findIndex(name)!];
    expect(spaces()).toHaveLength(1);
    await labOutput(["down"], { environment });
    expect(containers()).toEqual([]);
    expect(existsSync(paths.folder)).toBe(false);
    expect(spaces()).toEqual([]);
    expect(isAlive(daemon.pid, daemon.start)).toBe(false);
    expect(processes().filter(({ environment: its }) => its["LAB_NAME"] === name)).toEqual([]);
    expect(status().state).toBe("running");
});

/** Clients of the stack's Redis Cluster, on the stack's own hosts: nothing else may reach it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, onHost, outputs, startOnHost, type Running } from "./lab";

/** How to connect. */
export interface Access {
    readonly nodes: readonly (readonly [host: string, port: number])[];
    readonly password: string;
    readonly ca: string;
}

/** What a stack's outputs say. */
export async function access(stack = "lab"): Promise<Access> {
    const { redisUrl, redisCaCertificate } = (await outputs(stack)) as Record<string, string>;
    const [, password = "", nodes = ""] = /^rediss:\/\/:(.*)@(.*)$/.exec(redisUrl!)!;
    return {
        nodes: nodes.split(",").map((node) => [node.split(":")[0]!, Number(node.split(":")[1])] as const),
        password: decodeURIComponent(password),
        ca: redisCaCertificate!,
    };
}

/** Installs a standard cluster client on hosts. */
export async function installClient(...hosts: readonly string[]): Promise<void> {
    for (const host of hosts) {
        const install = "DEBIAN_FRONTEND=noninteractive apt-get -q -y install python3-redis";
        const { code, stderr } = await onHost(host, install, { seconds: 180 });
        if (code !== 0) throw new Error(`python3-redis could not be installed on ${host}: ${stderr}`);
    }
}

/**
 * Runs a Python program on a host. It finds `settings` (access and `arguments_`) and `connect()`, a cluster client that
 * follows redirections and verifies the nodes' certificates. @returns what it printed
 */
export async function redis(
    host: string,
    program: string,
    arguments_: Record<string, unknown> = {},
    known?: Access,
): Promise<string> {
    // As data on standard input, since a command line can be read by anyone.
    const settings = JSON.stringify({ ...(known ?? (await access())), ...arguments_ });
    const source = `
import json, logging, sys, tempfile
from redis.cluster import RedisCluster, ClusterNode
logging.disable(logging.CRITICAL)
settings = json.loads(${JSON.stringify(settings)})
authority = tempfile.NamedTemporaryFile("w", suffix=".pem")
authority.write(settings["ca"]); authority.flush()
def connect(password=settings["password"]):
    nodes = [ClusterNode(host, port) for host, port in settings["nodes"]]
    return RedisCluster(startup_nodes=nodes, password=password, ssl=True, ssl_ca_certs=authority.name,
        socket_timeout=5, cluster_error_retry_attempts=1)
${program}
`;
    const { code, stdout, stderr } = await onHost(host, "python3 -", { input: source });
    if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
    return stdout.trim();
}

/** A key that was accepted. */
export interface Write {
    readonly key: string;
    readonly value: string;
    /** Milliseconds since the epoch. Hosts of a lab share the machine's clock. */
    readonly at: number;
    readonly slot: number;
    /** Whether a replica had it. */
    readonly confirmed: boolean;
}

export interface WriteReport {
    readonly acknowledged: readonly Write[];
    /** Keys that the client gave up. */
    readonly failed: readonly string[];
    /** Errors that the client saw and answered with another try. */
    readonly errors: Readonly<Record<string, number>>;
    /** Seconds that the slowest key took. */
    readonly longest: number;
}

/** An application that goes on writing while the test does something to the cluster. See clients/cluster_writer.py. */
export class ClusterWriter {
    private constructor(
        private readonly prefix: string,
        private readonly process: Running,
    ) {}

    /** @returns when it writes. */
    static async start(
        host: string,
        prefix: string,
        options: { confirm?: boolean; giveUp?: number; known?: Access } = {},
    ): Promise<ClusterWriter> {
        const program = readFileSync(join(__dirname, "clients", "cluster_writer.py"), "utf8");
        const process = await startOnHost(host, ["python3", "-c", program]);
        const { confirm = false, giveUp = 30, known = await access() } = options;
        process.say(JSON.stringify({ ...known, prefix, confirm, giveUp }));
        await process.told("writing", 60);
        return new ClusterWriter(prefix, process);
    }

    /** Ends it. @returns what it wrote */
    async stop(): Promise<WriteReport> {
        const { code, stdout, stderr } = await this.process.end();
        if (code !== 0) throw new Error(`The writer ended with ${code}: ${stderr}`);
        const report = JSON.parse(stdout.trimEnd().split("\n").pop()!) as {
            workers: ([number, number, boolean] | null)[][];
            errors: Record<string, number>;
            longest: number;
        };
        const acknowledged: Write[] = [];
        const failed: string[] = [];
        report.workers.forEach((writes, worker) => {
            writes.forEach((write, index) => {
                const key = `${this.prefix}:${worker}:${index}`;
                if (write === null) failed.push(key);
                else {
                    const [seconds, slot, confirmed] = write;
                    acknowledged.push({ key, value: String(index), at: seconds * 1000, slot, confirmed });
                }
            });
        });
        return { acknowledged, failed, errors: report.errors, longest: report.longest };
    }
}

/** Clients that log in anew all the time, to every node. See clients/redis_login.py. */
export class Logins {
    private constructor(private readonly process: Running) {}

    /** @returns once each node has been tried */
    static async start(host: string): Promise<Logins> {
        const program = readFileSync(join(__dirname, "clients", "redis_login.py"), "utf8");
        const process = await startOnHost(host, ["python3", "-c", program]);
        process.say(JSON.stringify(await access()));
        await process.told("logged in", 60);
        return new Logins(process);
    }

    /** What is another from now on. */
    use(changes: Partial<Pick<Access, "password" | "ca">>): void {
        this.process.say(JSON.stringify(changes));
    }

    /** Ends them. */
    async stop(): Promise<{ readonly logins: number; readonly errors: Readonly<Record<string, number>> }> {
        const { code, stdout, stderr } = await this.process.end();
        if (code !== 0) throw new Error(`The clients ended with ${code}: ${stderr}`);
        return JSON.parse(stdout.trimEnd().split("\n").pop()!) as {
            logins: number;
            errors: Record<string, number>;
        };
    }
}

/** Reads keys back with a client on another host. @returns those that are not what was written */
export async function lost(host: string, writes: readonly Write[], known?: Access): Promise<Write[]> {
    const program = `
c = connect()
print(json.dumps([i for i, (key, value) in enumerate(settings["writes"]) if c.get(key) != value.encode()]))`;
    const found = await redis(host, program, { writes: writes.map(({ key, value }) => [key, value]) }, known);
    return (JSON.parse(found) as number[]).map((index) => writes[index]!);
}

/** A node of the cluster, as one of them sees it. */
export interface Node {
    readonly address: string;
    /** `master` or `slave`, and `fail` and the like. */
    readonly flags: readonly string[];
    /** Ranges, both ends included. */
    readonly slots: readonly (readonly [first: number, last: number])[];
}

/** The cluster's nodes, from `CLUSTER NODES` of one of them. */
export async function nodes(host: string): Promise<Node[]> {
    const told = JSON.parse(await redis(host, "print(json.dumps(connect().cluster_nodes()))")) as Record<
        string,
        { flags: string; slots: (readonly [first: string, last?: string])[] }
    >;
    return Object.entries(told).map(([endpoint, { flags, slots }]) => ({
        address: endpoint.replace(/:\d+$/, ""),
        flags: flags.split(","),
        slots: slots.map(([first, last = first]) => [Number(first), Number(last)] as const),
    }));
}

/** Waits until the cluster has so many masters with a replica each, all alive, and all slots have an owner. */
export async function whole(host: string, masters: number, seconds = 90): Promise<void> {
    await eventually(`Redis Cluster with ${masters} masters, whole`, seconds, async () => {
        const all = await nodes(host);
        const count = (flag: string): number => all.filter(({ flags }) => flags.includes(flag)).length;
        const slots = all.flatMap((node) => node.slots).reduce((sum, [first, last]) => sum + last - first + 1, 0);
        const alive = all.every(({ flags }) => !/fail|noaddr|handshake/.test(flags.join()));
        return (count("master") === masters && count("slave") === masters && slots === 16384 && alive) || undefined;
    });
}

/** Two environments side by side in one account, and what one has proven promoted to the other. */
import {
    configure,
    type Finished,
    hostsOf,
    initStack,
    lab,
    onHost,
    outputs,
    removeStack,
    status,
    tool,
    up,
} from "./lab";

jest.setTimeout(600_000);

const stack = "lab-second";

const promote = (...args: string[]): Promise<Finished> =>
    tool("delivery/promote.ts", ["--from", "lab", "--to", stack, ...args], { seconds: 500 });

const setting = async (path: string): Promise<string> =>
    (await lab(["pulumi", "config", "get", "--path", path, "--stack", stack])).stdout.trim();

/** A Redis command through one of a stack's nodes, from there. */
async function redisCli(host: string, url: string, command: string): Promise<string> {
    const [, password = "", node = ""] = /^rediss:\/\/:(.*?)@([^,]+)/.exec(url) ?? [];
    const [address = "", port = ""] = node.split(":");
    const { code, stdout, stderr } = await onHost(
        host,
        `read -r REDISCLI_AUTH; export REDISCLI_AUTH; redis-cli -c --no-auth-warning --tls --insecure -h ${address} -p ${port} ${command}`,
        { input: `${decodeURIComponent(password)}\n` },
    );
    if (code !== 0) throw new Error(`${host}: ${command}: ${stdout}${stderr}`);
    return stdout.trim();
}

beforeAll(async () => {
    await configure("redis.version", "7.0");
    await up();
    await initStack(stack, {
        "redis.replicasPerMaster": "0",
        "redis.version": undefined,
        "mysql.enabled": "false",
        "web.enabled": "false",
        "storage.enabled": "false",
        "loadBalancer.enabled": "false",
    });
});

afterAll(async () => {
    await removeStack(stack);
    await configure("redis.version", undefined);
    await up();
});

test("what isn't converged proves nothing, and nothing is promoted", async () => {
    await configure("redis.maxmemory", "72mb");
    const { code, stderr } = await promote("--yes");
    await configure("redis.maxmemory", "64mb");
    expect(stderr).toContain("lab isn't converged");
    expect(stderr).toContain("Nothing was changed.");
    expect(code).toBe(2);
    expect(await setting("redis.version")).toBe("");
});

test("nobody who could agree is a refusal, and the settings are as before", async () => {
    const { code, stderr } = await promote();
    expect(stderr).toContain(`no terminal to ask on whether ${stack} is to be updated: say --yes.`);
    expect(code).toBe(2);
    expect(await setting("redis.version")).toBe("");
    expect([...(await hostsOf(stack))]).toEqual([]);
});

test("versions travel, sizes and names stay, and two environments in one account are two", async () => {
    const first = await outputs();
    const { code, stdout, stderr } = await promote("--yes");
    expect(`${stdout}${stderr}`).toContain(`${stack} runs what lab has proven, and is healthy`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/redis\.version +7\.0 +- +travels/);
    expect(stdout).toMatch(/redis\.replicasPerMaster +- +0 +stays/);
    expect(await setting("redis.version")).toBe("7.0");
    expect(await setting("redis.replicasPerMaster")).toBe("0");

    const hosts = await hostsOf(stack);
    expect([...hosts.keys()].sort()).toEqual(["bastion-1", "node-1", "node-2", "node-3"]);
    const redisUrl = String((await outputs(stack))["redisUrl"]);
    const firstNode = status().hosts.find(
        ({ name, instanceId }) => name === "node-1" && instanceId !== hosts.get(name),
    )!.instanceId;
    const secondNode = hosts.get("node-1")!;
    await redisCli(firstNode, String(first["redisUrl"]), "SET promotion first");
    await redisCli(secondNode, redisUrl, "SET promotion second");
    expect(await redisCli(firstNode, String(first["redisUrl"]), "GET promotion")).toBe("first");
    expect(await redisCli(secondNode, redisUrl, "GET promotion")).toBe("second");
    expect(await redisCli(secondNode, redisUrl, "INFO server")).toMatch(/redis_version:7\.0\./);
    await up({ expectNoChanges: true });
});

test("a host that would be lost has to be named, and until then the settings are as before", async () => {
    const before = await hostsOf(stack);
    await configure("redis.version", "7", stack);
    await configure("hosts.exclude[0]", "1", stack);
    const { code, stdout, stderr } = await promote("--yes");
    await configure("hosts.exclude", undefined, stack);
    expect(stdout).toContain("NOT ANNOUNCED: delete node-1. Lost: the host's system disk");
    expect(stderr).toContain("If that is meant: --delete node-1");
    expect(code).toBe(2);
    expect(await setting("redis.version")).toBe("7");
    expect(await hostsOf(stack)).toEqual(before);
});

test("a stack that doesn't work afterwards is a failure that says the way back", async () => {
    await configure("redis.version", "7.0", stack);
    const host = (await hostsOf(stack)).get("node-1")!;
    await onHost(host, "sudo systemctl stop redis-cluster");
    const { code, stdout } = await promote("--yes");
    await onHost(host, "sudo systemctl start redis-cluster");
    expect(stdout).toMatch(/node-1 +redis +\S+ +FAILED|FAILED.*node-1.*redis/i);
    expect(stdout).toContain(`${stack}: updated, but not healthy.`);
    expect(stdout).toContain(`npm run pulumi -- up --stack ${stack}`);
    expect(code).toBe(1);
});

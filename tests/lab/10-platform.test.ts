/** The stack `lab` as `npm run lab` leaves it: its services, seen from its own hosts. */
import { api, eventually, lab, labOutput, onHost, outputs, status } from "./lab";

jest.setTimeout(300_000);

/** A cluster client on a host of the pool. It follows redirections and verifies the nodes' certificates. */
async function redis(host: string, program: string, arguments_: Record<string, unknown> = {}): Promise<string> {
    const { redisUrl, redisCaCertificate } = await outputs();
    const url = new URL((redisUrl as string).replace(/,.*$/, ""));
    const nodes = /@(.*)$/
        .exec(redisUrl as string)![1]!
        .split(",")
        .map((node) => node.split(":"));
    const settings = { password: decodeURIComponent(url.password), nodes, ca: redisCaCertificate, ...arguments_ };
    const source = `
import json, sys, tempfile
from redis.cluster import RedisCluster, ClusterNode
settings = json.loads(${JSON.stringify(JSON.stringify(settings))})
authority = tempfile.NamedTemporaryFile("w", suffix=".pem")
authority.write(settings["ca"]); authority.flush()
def connect(password=settings["password"], tls=True):
    nodes = [ClusterNode(host, int(port)) for host, port in settings["nodes"]]
    options = dict(ssl=True, ssl_ca_certs=authority.name) if tls else {}
    return RedisCluster(startup_nodes=nodes, password=password, socket_timeout=5, cluster_error_retry_attempts=1, **options)
${program}
`;
    const { code, stdout, stderr } = await onHost(host, "python3 -", { input: source });
    if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
    return stdout.trim();
}

const client = "node-1";
const other = "node-2";

beforeAll(async () => {
    for (const host of [client, other]) {
        const { code, stderr } = await onHost(
            host,
            "DEBIAN_FRONTEND=noninteractive apt-get -q -y install python3-redis",
            {
                seconds: 180,
            },
        );
        if (code !== 0) throw new Error(`python3-redis could not be installed on ${host}: ${stderr}`);
    }
});

describe("hosts", () => {
    it("run, and only the bastion has a public address", async () => {
        const { hosts } = await status();
        expect(hosts.map(({ name }) => name).sort()).toEqual(
            expect.arrayContaining(["node-1", "node-2", "node-3", "node-4", "node-5", "node-6", "web-1", "web-2"]),
        );
        expect(hosts).toHaveLength(9);
        expect(hosts.every(({ state }) => state === "Running")).toBe(true);
        expect(hosts.filter(({ publicAddress }) => publicAddress !== "")).toHaveLength(1);
        expect(new Set(hosts.map(({ zone }) => zone)).size).toBe(2);
    });

    it("let the service user in without a password, from each to another", async () => {
        const { hosts } = await status();
        const target = hosts.find(({ name }) => name === other)!.privateAddress;
        const { code, stdout } = await onHost(
            client,
            `su -s /bin/sh multihost -c 'ssh -o BatchMode=yes ${target} hostname'`,
        );
        expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: other });
    });
});

describe("Redis Cluster", () => {
    it("gives back through one node what was written through another", async () => {
        await redis(client, `c = connect()\nfor i in range(200): c.set(f"key-{i}", f"value-{i}")`);
        expect(
            await redis(
                other,
                `c = connect()\nprint(sum(c.get(f"key-{i}") == f"value-{i}".encode() for i in range(200)))`,
            ),
        ).toBe("200");
    });

    it("keeps three masters and three replicas on different hosts", async () => {
        const nodes = await redis(
            client,
            `
c = connect()
print(json.dumps([dict(role=n.server_type, host=n.host) for n in c.get_nodes()]))`,
        );
        const list = JSON.parse(nodes) as { role: string; host: string }[];
        expect(list.filter(({ role }) => role === "primary")).toHaveLength(3);
        expect(list.filter(({ role }) => role === "replica")).toHaveLength(3);
        expect(new Set(list.map(({ host }) => host)).size).toBe(6);
    });

    it("refuses a wrong password", async () => {
        expect(
            await redis(
                client,
                `
try:
    connect(password="not-the-password").ping(); print("let in")
except Exception as error:
    print("refused" if "WRONGPASS" in repr(error) or "WRONGPASS" in repr(error.__cause__) or "invalid" in repr(error).lower() else repr(error))`,
            ),
        ).toBe("refused");
    });

    it("refuses plain text", async () => {
        expect(
            await redis(
                client,
                `
import socket
host, port = settings["nodes"][0]
s = socket.create_connection((host, int(port)), 5); s.settimeout(5); s.sendall(b"PING\\r\\n")
try: answer = s.recv(64)
except ConnectionError: answer = b""
print("answered" if answer.startswith((b"+PONG", b"-NOAUTH", b"$")) else "refused")`,
            ),
        ).toBe("refused");
    });
});

describe("a second run", () => {
    it("changes nothing", async () => {
        const { code, stdout, stderr } = await lab(["pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes"], {
            seconds: 240,
        });
        expect({ code, problems: code === 0 ? "" : `${stdout}\n${stderr}` }).toEqual({ code: 0, problems: "" });
    });

    it("finds the cloud as it left it", async () => {
        const { code, stdout, stderr } = await lab(
            ["pulumi", "refresh", "--yes", "--skip-preview", "--expect-no-changes"],
            { seconds: 240 },
        );
        expect({ code, problems: code === 0 ? "" : `${stdout}\n${stderr}` }).toEqual({ code: 0, problems: "" });
    });
});

describe("security groups", () => {
    it("close a port when its rule is removed, and open it when it is put back", async () => {
        const { hosts } = await status();
        const target = hosts.find(({ name }) => name === other)!;
        const probe = async (): Promise<"open" | "closed"> => {
            const { code } = await onHost(client, `timeout 3 bash -c '</dev/tcp/${target.privateAddress}/7000'`);
            return code === 0 ? "open" : "closed";
        };
        expect(await probe()).toBe("open");
        const call = api();
        const { Instances } = (await call("Ecs", "DescribeInstances", {
            RegionId: "cn-hangzhou",
            InstanceIds: JSON.stringify([target.instanceId]),
        })) as {
            Instances: { Instance: { SecurityGroupIds: { SecurityGroupId: string[] } }[] };
        };
        const group = Instances.Instance[0]!.SecurityGroupIds.SecurityGroupId[0]!;
        const rule = {
            RegionId: "cn-hangzhou",
            SecurityGroupId: group,
            IpProtocol: "tcp",
            PortRange: "7000/7000",
            SourceGroupId: group,
            Policy: "accept",
            Priority: "1",
            NicType: "intranet",
        };
        await call("Ecs", "RevokeSecurityGroup", rule);
        try {
            expect(await probe()).toBe("closed");
        } finally {
            await call("Ecs", "AuthorizeSecurityGroup", rule);
        }
        expect(await probe()).toBe("open");
    });
});

describe("secrets", () => {
    it("stand nowhere in plain text: not in the state, not on a host's command lines, not in a shell history", async () => {
        const { redisUrl } = await outputs();
        const password = decodeURIComponent(new URL((redisUrl as string).replace(/,.*$/, "")).password);
        expect(password.length).toBeGreaterThan(15);
        const state = await labOutput(["pulumi", "stack", "export"]);
        expect(state.includes(password)).toBe(false);
        expect(/BEGIN [A-Z ]*PRIVATE KEY/.test(state)).toBe(false);
        const { stdout } = await onHost(
            client,
            "cat /proc/[0-9]*/cmdline /root/.*history /home/*/.*history 2>/dev/null | tr '\\0' ' '",
        );
        expect(stdout.includes(password)).toBe(false);
    });
});

describe("a master that is lost", () => {
    it("is replaced by its replica, and nothing that was acknowledged is gone", async () => {
        const master = await redis(
            client,
            `
c = connect()
mine = [n.host for n in c.get_primaries()]
print(json.dumps(mine))`,
        );
        const { hosts } = await status();
        const victim = hosts.find(
            ({ name, privateAddress }) => name !== client && (JSON.parse(master) as string[]).includes(privateAddress),
        )!;
        await redis(client, `c = connect()\nfor i in range(500): c.set(f"kept-{i}", str(i))`);
        const call = api();
        await call("Ecs", "StopInstance", { InstanceId: victim.instanceId, ForceStop: "true" });
        try {
            const { seconds } = await eventually("the cluster answers again", 60, async () => {
                const found = await redis(
                    client,
                    `c = connect()\nprint(sum(c.get(f"kept-{i}") == str(i).encode() for i in range(500)))`,
                );
                return found === "500" ? found : undefined;
            });
            console.info(`The cluster answered ${seconds.toFixed(1)} s after the master's host was stopped.`);
        } finally {
            await call("Ecs", "StartInstance", { InstanceId: victim.instanceId });
        }
        await eventually("the host is a member again", 90, async () => {
            const live = await redis(client, `c = connect()\nprint(len(c.get_nodes()))`);
            return live === "6" ? live : undefined;
        });
    });
});

/** The stack `lab` as `npm run lab` leaves it: its services, seen from its own hosts. */
import { api, labOutput, onHost, outputOn, status, up } from "./lab";
import { access, installClient, nodes, redis } from "./redis";

jest.setTimeout(300_000);

const client = "node-1";
const other = "node-2";

beforeAll(() => installClient(client, other));

describe("hosts", () => {
    it("run, and only the bastion has a public address", async () => {
        const { hosts } = status();
        expect(hosts.map(({ name }) => name).sort()).toEqual(
            expect.arrayContaining(["node-1", "node-2", "node-3", "node-4", "node-5", "node-6", "web-1", "web-2"]),
        );
        expect(hosts).toHaveLength(9);
        expect(hosts.every(({ state }) => state === "Running")).toBe(true);
        expect(hosts.filter(({ publicAddress }) => publicAddress !== "")).toHaveLength(1);
        expect(new Set(hosts.map(({ zone }) => zone)).size).toBe(2);
    });

    it("let the service user in without a password, from each to another", async () => {
        const { hosts } = status();
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
        const all = await nodes(client);
        expect(all.filter(({ flags }) => flags.includes("master"))).toHaveLength(3);
        expect(all.filter(({ flags }) => flags.includes("slave"))).toHaveLength(3);
        expect(new Set(all.map(({ address }) => address)).size).toBe(6);
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
        await up({ expectNoChanges: true });
    });

    it("finds the cloud as it left it", async () => {
        await labOutput(["pulumi", "refresh", "--yes", "--skip-preview", "--expect-no-changes"], { seconds: 240 });
    });
});

describe("security groups", () => {
    it("close a port when its rule is removed, and open it when it is put back", async () => {
        const { hosts } = status();
        const target = hosts.find(({ name }) => name === other)!;
        const probe = async (): Promise<"open" | "closed"> => {
            const { code } = await onHost(client, `timeout 3 bash -c '</dev/tcp/${target.privateAddress}/7000'`);
            return code === 0 ? "open" : "closed";
        };
        expect(await probe()).toBe("open");
        const call = api();
        const rules = await rulesOf(target.instanceId, "7000/7000");
        expect(rules).not.toHaveLength(0);
        for (const rule of rules) await call("Ecs", "RevokeSecurityGroup", rule);
        try {
            expect(await probe()).toBe("closed");
        } finally {
            for (const rule of rules) await call("Ecs", "AuthorizeSecurityGroup", rule);
        }
        expect(await probe()).toBe("open");
    });
});

/** The rules that admit something to a port range of an instance, in the form that takes them back and puts them there again. */
async function rulesOf(instanceId: string, portRange: string): Promise<Record<string, string>[]> {
    const call = api();
    const region = { RegionId: "cn-hangzhou" };
    const { Instances } = (await call("Ecs", "DescribeInstances", {
        ...region,
        InstanceIds: JSON.stringify([instanceId]),
    })) as { Instances: { Instance: { SecurityGroupIds: { SecurityGroupId: string[] } }[] } };
    const rules: Record<string, string>[] = [];
    for (const SecurityGroupId of Instances.Instance[0]!.SecurityGroupIds.SecurityGroupId) {
        const { Permissions } = (await call("Ecs", "DescribeSecurityGroupAttribute", {
            ...region,
            SecurityGroupId,
            Direction: "ingress",
        })) as { Permissions: { Permission: Record<string, string>[] } };
        for (const permission of Permissions.Permission) {
            if (permission["PortRange"] !== portRange) continue;
            const kept = [
                "IpProtocol",
                "PortRange",
                "SourceGroupId",
                "SourceCidrIp",
                "Policy",
                "Priority",
                "NicType",
                "Description",
            ];
            const rule = kept.map((key) => [key, permission[key] ?? ""]).filter(([, value]) => value !== "");
            rules.push({ ...region, SecurityGroupId, ...(Object.fromEntries(rule) as Record<string, string>) });
        }
    }
    return rules;
}

describe("secrets", () => {
    it("stand nowhere in plain text: not in the state, not on a host's command lines, not in a shell history", async () => {
        const { password } = await access();
        expect(password.length).toBeGreaterThan(15);
        const state = await labOutput(["pulumi", "stack", "export"]);
        expect(state.includes(password)).toBe(false);
        expect(/BEGIN [A-Z ]*PRIVATE KEY/.test(state)).toBe(false);
        const shown = await outputOn(
            client,
            "cat /proc/[0-9]*/cmdline /root/.*history /home/*/.*history 2>/dev/null | tr '\\0' ' '",
        );
        // Whoever reads nothing finds no password either.
        expect(shown).toContain("redis-server");
        expect(shown.includes(password)).toBe(false);
    });
});

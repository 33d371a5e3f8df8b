/** Examples that need nothing of the platform's stack: on machines that exist, in a VPC that exists, and twice in one account. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostView } from "../../../lab/view";
import { lastRelease } from "../../../toolchain/release";
import {
    accepted,
    archives,
    call,
    folder,
    init,
    outputsOf,
    prepareExamples,
    pulumi,
    remove,
    removeExamples,
    upAgain,
    upgraded,
    use,
    region,
    run,
} from "../examples";
import { eventually, onHost, outputOn, status } from "../lab";
import { upgrade } from "../released";

jest.setTimeout(600_000);

beforeAll(prepareExamples);
afterAll(removeExamples);

describe("machines that exist", () => {
    const ids: string[] = [];
    const made: { vpc?: string; vswitch?: string; group?: string; key?: string } = {};
    let machines: HostView[];
    /** As the examples take them. */
    let described: Record<string, string>[];

    /** Makes an example's stack with the machines' key. */
    const initWithKey = async (example: string, config: Readonly<Record<string, unknown>> = {}): Promise<void> => {
        await init(example, { machines: described, ...config });
        await pulumi(example, ["config", "set", "--secret", "privateKey"], readFileSync(join(folder, "login"), "utf8"));
    };
    const areRunning = async (): Promise<void> => {
        const found = status().hosts.filter(({ instanceId }) => ids.includes(instanceId));
        expect(found.map(({ state }) => state)).toEqual(["Running", "Running", "Running"]);
    };

    beforeAll(async () => {
        const make = async (product: "Ecs" | "Vpc", action: string, parameters: Record<string, string>, id: string) =>
            (await call(product, action, { ...region, ...parameters }))[id] as string;
        made.vpc = await make("Vpc", "CreateVpc", { CidrBlock: "10.77.0.0/16", VpcName: "existing" }, "VpcId");
        const zone = { VpcId: made.vpc, CidrBlock: "10.77.0.0/24", ZoneId: "cn-hangzhou-h" };
        await eventually("the VPC", 30, async () => {
            made.vswitch = await make("Vpc", "CreateVSwitch", zone, "VSwitchId");
            return made.vswitch;
        });
        made.group = await make("Ecs", "CreateSecurityGroup", { VpcId: made.vpc }, "SecurityGroupId");
        const admit = { SecurityGroupId: made.group, IpProtocol: "tcp" };
        for (const [PortRange, SourceCidrIp] of [
            ["22/22", "0.0.0.0/0"],
            ["7000/17000", "10.77.0.0/16"],
        ] as const)
            await call("Ecs", "AuthorizeSecurityGroup", { ...region, ...admit, PortRange, SourceCidrIp });
        await run("ssh-keygen", ["-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", join(folder, "login")]);
        made.key = "existing";
        const PublicKeyBody = readFileSync(join(folder, "login.pub"), "utf8").trim();
        await call("Ecs", "ImportKeyPair", { ...region, KeyPairName: made.key, PublicKeyBody });
        const { InstanceIdSets } = await call("Ecs", "RunInstances", {
            ...region,
            Amount: "3",
            ImageId: "debian_12_7_x64_20G_alibase_20240819.vhd",
            InstanceType: "ecs.g7.large",
            InstanceName: "cache",
            VSwitchId: made.vswitch!,
            SecurityGroupId: made.group,
            KeyPairName: made.key,
            InternetMaxBandwidthOut: "10",
            "SystemDisk.Category": "cloud_essd",
        });
        ids.push(...(InstanceIdSets as { InstanceIdSet: string[] }).InstanceIdSet);
        const { value } = await eventually("three machines", 60, async () => {
            const found = status().hosts.filter(({ instanceId }) => ids.includes(instanceId));
            return found.every(({ state, publicAddress }) => state === "Running" && publicAddress !== "")
                ? found
                : undefined;
        });
        machines = value;
        // A machine that runs may not have made its keys yet.
        const keys = await Promise.all(
            machines.map(({ instanceId }) =>
                eventually("a host key", 60, () => outputOn(instanceId, "cat /etc/ssh/ssh_host_ed25519_key.pub")),
            ),
        );
        described = machines.map(({ privateAddress, publicAddress }, index) => ({
            name: `cache-${index + 1}`,
            address: privateAddress,
            publicAddress,
            hostKey: keys[index]!.value.split(" ").slice(0, 2).join(" "),
        }));
    });

    afterAll(async () => {
        for (const InstanceId of ids) await call("Ecs", "DeleteInstance", { ...region, InstanceId, Force: "true" });
        if (made.group !== undefined) await accepted("Ecs", "DeleteSecurityGroup", { SecurityGroupId: made.group });
        if (made.vswitch !== undefined) await accepted("Vpc", "DeleteVSwitch", { VSwitchId: made.vswitch });
        if (made.vpc !== undefined) await accepted("Vpc", "DeleteVpc", { VpcId: made.vpc });
        if (made.key !== undefined)
            await call("Ecs", "DeleteKeyPairs", { ...region, KeyPairNames: JSON.stringify([made.key]) });
    });

    /** A command of a client that connects to one of the cluster's nodes. */
    const client = async (index: number, command: string): Promise<string> => {
        const { url } = (await outputsOf("redis-on-existing-hosts")) as { url: string };
        const [, password = "", nodes = ""] = /^rediss:\/\/:(.*)@(.*)$/.exec(url)!;
        expect(nodes.split(",")).toHaveLength(3);
        const [address, port] = nodes.split(",")[index]!.split(":");
        const asked = `REDISCLI_AUTH=$(cat) redis-cli -c --tls --insecure -h ${address} -p ${port} ${command}`;
        return (await onHost(ids[0]!, asked, { input: decodeURIComponent(password) })).stdout.trim();
    };

    it("take a Redis Cluster, which keeps what is written and is unchanged by a second update", async () => {
        const example = "redis-on-existing-hosts";
        if (archives.released !== undefined) await use("released", example);
        await initWithKey(example);
        await pulumi(example, ["up", "--yes", "--skip-preview"]);
        expect(await client(0, "set greeting hello")).toContain("OK");
        expect(await client(2, "get greeting")).toContain("hello");
        await upAgain(example);
    });

    upgrade(`have it upgraded from ${lastRelease().version} in place, and it keeps what was written`, async () => {
        expect(await upgraded("redis-on-existing-hosts")).toEqual([]);
        expect(await client(2, "get greeting")).toContain("hello");
        await upAgain("redis-on-existing-hosts");
    });

    it("run on when that stack is destroyed", async () => {
        await remove("redis-on-existing-hosts");
        await areRunning();
    });

    describe("that admit each other", () => {
        const example = "services-on-existing-hosts";

        beforeAll(async () => {
            const admit = { SecurityGroupId: made.group!, IpProtocol: "all", PortRange: "-1/-1" };
            await call("Ecs", "AuthorizeSecurityGroup", { ...region, ...admit, SourceCidrIp: "10.77.0.0/16" });
        });

        it("take shared files, a database pair and web servers beside each other", async () => {
            await initWithKey(example, { clientCidrs: ["10.77.0.0/16"] });
            await pulumi(example, ["up", "--yes", "--skip-preview"]);
            const { mountPoint, url, replicas, servers } = (await outputsOf(example)) as {
                mountPoint: string;
                url: string;
                replicas: { address: string }[];
                servers: { address: string }[];
            };
            const [first = "", , third = ""] = machines.map(({ instanceId }) => instanceId);
            await outputOn(first, `echo shared >${mountPoint}/file && sync ${mountPoint}/file`);
            expect(await outputOn(third, `cat ${mountPoint}/file`)).toBe("shared");

            const { username, password, hostname } = new URL(url);
            const sql = async (address: string, statement: string): Promise<string> => {
                const shell = `MYSQL_PWD=$(cat) mariadb --ssl -h ${address} -u ${username} -N orders -e '${statement}'`;
                const { stdout, stderr } = await onHost(first, shell, { input: decodeURIComponent(password) });
                return stdout.trim() + stderr.trim();
            };
            expect(await sql(hostname, "CREATE TABLE one (id INT PRIMARY KEY); INSERT INTO one VALUES (42)")).toBe("");
            await eventually("the row on the replica", 30, async () =>
                (await sql(replicas[0]!.address, "SELECT id FROM one")) === "42" ? true : undefined,
            );

            await outputOn(
                third,
                `mkdir -p ${mountPoint}/www/releases/1 && cd ${mountPoint}/www && echo served >releases/1/index.html && ln -sfn releases/1 current`,
            );
            expect(servers).toHaveLength(2);
            for (const { address } of servers)
                expect(await outputOn(first, `curl -fsS --max-time 5 http://${address}/`)).toBe("served");
            await upAgain(example);
        });

        it("run on without them when that stack is destroyed", async () => {
            await remove(example);
            await areRunning();
            for (const instanceId of ids)
                expect(await outputOn(instanceId, "findmnt -rn /data/shared || echo unmounted")).toBe("unmounted");
        });

        it("hold an address by turns, with keepalived", async () => {
            const [one, other, third] = machines as [HostView, HostView, HostView];
            const config = { vswitchId: made.vswitch, instanceIds: [one.instanceId, other.instanceId] };
            await init("floating-address", config);
            await pulumi("floating-address", ["up", "--yes", "--skip-preview"]);
            const { address, id } = (await outputsOf("floating-address")) as { address: string; id: string };
            const holder = async (): Promise<string> => {
                const filter = { "Filter.1.Key": "HaVipId", "Filter.1.Value.1": id };
                const { HaVips } = (await call("Vpc", "DescribeHaVips", { ...region, ...filter })) as {
                    HaVips: { HaVip: { MasterInstanceId: string }[] };
                };
                return HaVips.HaVip[0]!.MasterInstanceId;
            };
            /** Which machine answers there, seen from a third one. */
            const answering = async (): Promise<string> => {
                const scan = `ssh-keyscan -T 1 -t ed25519 ${address} 2>/dev/null | cut -d' ' -f2-`;
                const key = await outputOn(third.instanceId, scan);
                return machines[described.findIndex(({ hostKey }) => hostKey === key)]?.instanceId ?? "nobody";
            };
            const taken = async (by: string): Promise<number> => {
                const moved = eventually(`${by} answers`, 60, async () =>
                    (await answering()) === by ? true : undefined,
                );
                const { seconds } = await moved;
                expect(await holder()).toBe(by);
                return seconds;
            };
            const keepalived = (machine: HostView, peer: HostView, priority: number): string => `
vrrp_instance service {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority ${priority}
    advert_int 1
    unicast_src_ip ${machine.privateAddress}
    unicast_peer {
        ${peer.privateAddress}
    }
    virtual_ipaddress {
        ${address}
    }
}
`;
            expect(await answering()).toBe("nobody");
            // One that is not associated has it, announces it, and gets nothing.
            await outputOn(
                third.instanceId,
                `ip address add ${address}/32 dev eth0 && ip address delete ${address}/32 dev eth0`,
            );
            const install = "DEBIAN_FRONTEND=noninteractive apt-get -q -y install keepalived >/dev/null";
            await Promise.all([one, other].map(({ instanceId }) => outputOn(instanceId, install, 120)));
            for (const [machine, peer, priority] of [
                [one, other, 150],
                [other, one, 100],
            ] as const)
                expect(
                    await onHost(
                        machine.instanceId,
                        "cat >/etc/keepalived/keepalived.conf && systemctl restart keepalived",
                        {
                            input: keepalived(machine, peer, priority),
                        },
                    ),
                ).toMatchObject({ code: 0 });
            await taken(one.instanceId);
            await outputOn(one.instanceId, "systemctl kill --signal=KILL keepalived; systemctl stop keepalived");
            const killed = await taken(other.instanceId);
            await outputOn(
                one.instanceId,
                `ip address delete ${address}/32 dev eth0 2>/dev/null; systemctl start keepalived`,
            );
            await taken(one.instanceId);
            await call("Ecs", "StopInstance", { ...region, InstanceId: one.instanceId, ForceStop: "true" });
            const stopped = await taken(other.instanceId);
            console.info(
                `The address was taken over ${killed.toFixed(1)} s after a kill, ${stopped.toFixed(1)} s after a power-off.`,
            );
            await upAgain("floating-address");
            await remove("floating-address");
            expect(await answering()).toBe("nobody");
        });
    });
});

describe("two environments in a VPC that exists", () => {
    const example = "existing-vpc";
    const names = ["blue", "green"];
    const made: Record<string, string> = {};

    beforeAll(async () => {
        const make = async (action: string, parameters: Record<string, string>, id: string): Promise<string> =>
            (made[id] = String((await accepted("Vpc", action, parameters))[id]));
        const VpcId = await make("CreateVpc", { CidrBlock: "10.78.0.0/16", VpcName: "shared" }, "VpcId");
        const place = { VpcId, CidrBlock: "10.78.0.0/24", ZoneId: "cn-hangzhou-h" };
        const VSwitchId = await make("CreateVSwitch", place, "VSwitchId");
        const gateway = { VpcId, VSwitchId, NatType: "Enhanced", EipBindMode: "NAT" };
        const { SnatTableIds } = await accepted("Vpc", "CreateNatGateway", gateway).then((answer) => {
            made["NatGatewayId"] = String(answer["NatGatewayId"]);
            return answer as { SnatTableIds: { SnatTableId: string[] } };
        });
        const { AllocationId, EipAddress } = (await accepted("Vpc", "AllocateEipAddress", {})) as Record<
            string,
            string
        >;
        made["AllocationId"] = AllocationId!;
        const binding = { AllocationId: AllocationId!, InstanceId: made["NatGatewayId"]!, InstanceType: "Nat" };
        await accepted("Vpc", "AssociateEipAddress", binding);
        const entry = { SnatTableId: SnatTableIds.SnatTableId[0]!, SourceVSwitchId: VSwitchId, SnatIp: EipAddress! };
        await accepted("Vpc", "CreateSnatEntry", entry);
    });

    afterAll(async () => {
        const { NatGatewayId = "", AllocationId = "", VSwitchId = "", VpcId = "" } = made;
        await accepted("Vpc", "DeleteNatGateway", { NatGatewayId, Force: "true" });
        await accepted("Vpc", "ReleaseEipAddress", { AllocationId });
        await accepted("Vpc", "DeleteVSwitch", { VSwitchId });
        await accepted("Vpc", "DeleteVpc", { VpcId });
    });

    it("come up beside each other, with the same names in the program and others in the account", async () => {
        const config = {
            vpcId: made["VpcId"],
            vswitchIds: [made["VSwitchId"]],
            clientCidrs: ["10.78.0.0/16"],
            adminCidrs: ["203.0.113.0/24"],
        };
        for (const name of names) {
            await init(example, config, name);
            if (name === "green" && archives.released !== undefined) await use("released", example);
            await pulumi(example, ["up", "--yes", "--skip-preview"], "", name);
        }
        const servers = await Promise.all(
            names.map(async (name) => (await outputsOf(example, name))["servers"] as { address: string }[]),
        );
        const addresses = servers.flat().map(({ address }) => address);
        expect(new Set(addresses).size).toBe(4);
        const { hosts } = status();
        for (const address of addresses) {
            const { instanceId } = hosts.find((host) => host.privateAddress === address && host.vpc === made["VpcId"])!;
            expect(
                await outputOn(instanceId, "curl -fsS --max-time 5 http://$(hostname -I | cut -d' ' -f1)/"),
            ).toContain("No release is served yet");
        }
    });

    upgrade(`are upgraded from ${lastRelease().version} without a host that is replaced`, async () => {
        const before = await pulumi(example, ["stack", "output", "servers"], "", "green");
        expect(await upgraded(example, "green")).toEqual([]);
        expect(await pulumi(example, ["stack", "output", "servers"], "", "green")).toBe(before);
    });

    it("one goes, and the other and the VPC stay as they are", async () => {
        await remove(example, "blue");
        await upAgain(example, "green");
        await remove(example, "green");
        const { Vpcs } = (await call("Vpc", "DescribeVpcs", { ...region, VpcId: made["VpcId"]! })) as {
            Vpcs: { Vpc: unknown[] };
        };
        expect(Vpcs.Vpc).toHaveLength(1);
    });
});

describe("two environments in one account", () => {
    const example = "two-environments";
    const environments = ["staging", "production"] as const;
    /** By environment: instance and address of each host. */
    const hosts = new Map<string, Map<string, { id: string; address: string }>>();

    it("come up at the same time from one program, with the same names and addresses", async () => {
        for (const name of environments) await init(example, { natGateway: false }, name);
        await Promise.all(environments.map((name) => pulumi(example, ["up", "--yes", "--skip-preview"], "", name)));
        for (const name of environments) {
            const state = JSON.parse(await pulumi(example, ["stack", "export"], "", name)) as {
                deployment: { resources: { type: string; id: string; outputs: Record<string, string> }[] };
            };
            const made = state.deployment.resources
                .filter(({ type }) => type === "alicloud:ecs/instance:Instance")
                .map(({ id, outputs }) => [outputs["instanceName"]!, { id, address: outputs["privateIp"]! }] as const);
            hosts.set(name, new Map(made));
        }
        expect([...hosts.get("staging")!.keys()].sort()).toEqual(["app-1", "bastion-1"]);
        expect([...hosts.get("production")!.keys()].sort()).toEqual(["app-1", "app-2", "bastion-1"]);
        const { KeyPairs } = (await call("Ecs", "DescribeKeyPairs", {
            ...region,
            KeyPairName: "two-environments-*",
        })) as {
            KeyPairs: { KeyPair: { KeyPairName: string }[] };
        };
        const names = KeyPairs.KeyPair.map(({ KeyPairName }) => KeyPairName);
        const pools = ["app", "bastion_bastion"];
        const expected = environments.flatMap((name) => pools.map((pool) => `${example}-${name}-${pool}`));
        expect(names.sort()).toEqual(expected.sort());
    });

    it("hold their own, and can't reach each other", async () => {
        const [staging, production] = environments.map((name) => hosts.get(name)!) as [
            Map<string, { id: string; address: string }>,
            Map<string, { id: string; address: string }>,
        ];
        await outputOn(staging.get("app-1")!.id, "echo staging >/tmp/environment");
        await outputOn(production.get("app-1")!.id, "echo production >/tmp/environment");
        const asked = `su -s /bin/sh multihost -c 'ssh -o BatchMode=yes ${production.get("app-1")!.address} cat /tmp/environment'`;
        expect(await outputOn(production.get("app-2")!.id, asked)).toBe("production");
        expect(await outputOn(staging.get("app-1")!.id, "cat /tmp/environment")).toBe("staging");
        const away = `timeout 3 bash -c '</dev/tcp/${production.get("app-2")!.address}/22'`;
        expect((await onHost(staging.get("app-1")!.id, away)).code).not.toBe(0);
    });

    it("one goes, and the other is as it was", async () => {
        await remove(example, "staging");
        await upAgain(example, "production");
        expect(await outputOn(hosts.get("production")!.get("app-1")!.id, "cat /tmp/environment")).toBe("production");
        await remove(example, "production");
    });
});

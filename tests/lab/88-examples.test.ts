/** The examples, as a user runs them: with the package that `npm run package` makes, installed by npm in a folder of their own. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { labPaths } from "../../lab/paths";
import type { HostView } from "../../lab/view";
import { makePackage } from "../../toolchain/package";
import { labEnvironment } from "../prepare";
import { api, configure, eventually, labOutput, onHost, outputOn, status, up, upChanges } from "./lab";

jest.setTimeout(600_000);

const run = promisify(execFile);
const call = api();
const region = { RegionId: "cn-hangzhou" };
const paths = labPaths({ ...process.env, ...labEnvironment });
const folder = mkdtempSync(join(tmpdir(), "multihost-examples-"));
const stack = "example";

/** Pulumi in an example's folder, with the lab's backend and keys. */
function pulumi(example: string, args: readonly string[], input = "", name = stack): Promise<string> {
    return labOutput(["pulumi", "--cwd", join(folder, example), ...args, "--stack", name], { seconds: 400, input });
}

/** Makes an example's stack. */
async function init(example: string, config: Readonly<Record<string, unknown>>, name = stack): Promise<void> {
    const { config: lab } = parse(readFileSync(join(paths.project, "Pulumi.lab.yaml"), "utf8")) as {
        config: Record<string, unknown>;
    };
    const cloud = Object.entries(lab).filter(([key]) => key.startsWith("alicloud:"));
    const own = Object.entries(config).map(([key, value]) => [`${example}:${key}`, value]);
    const file = join(folder, example, `Pulumi.${name}.yaml`);
    writeFileSync(file, stringify({ config: Object.fromEntries([...cloud, ...own]) as object }));
    await labOutput(["pulumi", "--cwd", join(folder, example), "stack", "init", name]);
}

async function outputsOf(example: string, name = stack): Promise<Record<string, unknown>> {
    const printed = await pulumi(example, ["stack", "output", "--json", "--show-secrets"], "", name);
    return JSON.parse(printed) as Record<string, unknown>;
}

const upAgain = (example: string, name = stack): Promise<string> =>
    pulumi(example, ["up", "--yes", "--skip-preview", "--expect-no-changes"], "", name);

/** Takes a stack of an example away with all that it has made. */
async function remove(example: string, name = stack): Promise<void> {
    await pulumi(example, ["destroy", "--yes", "--skip-preview"], "", name);
    await labOutput(["pulumi", "--cwd", join(folder, example), "stack", "rm", name, "--yes"]);
}

/** Calls an action of the cloud until it is accepted: what it needs may still be on its way. */
async function accepted(
    product: "Ecs" | "Vpc",
    action: string,
    parameters: Record<string, string>,
): Promise<Record<string, unknown>> {
    const { value } = await eventually(action, 60, () => call(product, action, { ...region, ...parameters }));
    return value;
}

beforeAll(async () => {
    const archive = await makePackage(join(folder, "dist"));
    cpSync(join(__dirname, "..", "..", "examples"), folder, {
        recursive: true,
        filter: (file) => !file.includes("node_modules"),
    });
    for (const example of readdirSync(folder, { withFileTypes: true })) {
        if (!example.isDirectory() || example.name === "dist") continue;
        const file = join(folder, example.name, "package.json");
        const manifest = JSON.parse(readFileSync(file, "utf8")) as { dependencies: Record<string, string> };
        manifest.dependencies["@multihost/alicloud"] = `file:${archive}`;
        writeFileSync(file, JSON.stringify(manifest));
        await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"], {
            cwd: join(folder, example.name),
            maxBuffer: 2 ** 26,
        });
    }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a Redis Cluster on machines that exist", () => {
    const example = "redis-on-existing-hosts";
    const ids: string[] = [];
    const made: { vpc?: string; vswitch?: string; group?: string; key?: string } = {};
    let machines: HostView[];

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
            const found = (await status()).hosts.filter(({ instanceId }) => ids.includes(instanceId));
            return found.every(({ state, publicAddress }) => state === "Running" && publicAddress !== "")
                ? found
                : undefined;
        });
        machines = value;
    });

    afterAll(async () => {
        for (const InstanceId of ids) await call("Ecs", "DeleteInstance", { ...region, InstanceId, Force: "true" });
        if (made.group !== undefined) await accepted("Ecs", "DeleteSecurityGroup", { SecurityGroupId: made.group });
        if (made.vswitch !== undefined) await accepted("Vpc", "DeleteVSwitch", { VSwitchId: made.vswitch });
        if (made.vpc !== undefined) await accepted("Vpc", "DeleteVpc", { VpcId: made.vpc });
        if (made.key !== undefined)
            await call("Ecs", "DeleteKeyPairs", { ...region, KeyPairNames: JSON.stringify([made.key]) });
    });

    it("comes up, keeps what is written, and is unchanged by a second update", async () => {
        // A machine that runs may not have made its keys yet.
        const keys = await Promise.all(
            machines.map(({ instanceId }) =>
                eventually("a host key", 60, () => outputOn(instanceId, "cat /etc/ssh/ssh_host_ed25519_key.pub")),
            ),
        );
        await init(example, {
            machines: machines.map(({ privateAddress, publicAddress }, index) => ({
                name: `cache-${index + 1}`,
                address: privateAddress,
                publicAddress,
                hostKey: keys[index]!.value.split(" ").slice(0, 2).join(" "),
            })),
        });
        const login = readFileSync(join(folder, "login"), "utf8");
        await pulumi(example, ["config", "set", "--secret", "privateKey"], login);
        await pulumi(example, ["up", "--yes", "--skip-preview"]);
        const { url } = (await outputsOf(example)) as { url: string };
        const [, password = "", nodes = ""] = /^rediss:\/\/:(.*)@(.*)$/.exec(url)!;
        const client = (index: number, command: string): Promise<string> => {
            const [address, port] = nodes.split(",")[index]!.split(":");
            const words = `redis-cli -c --tls --insecure -h ${address} -p ${port} ${command}`;
            return onHost(ids[0]!, `REDISCLI_AUTH=$(cat) ${words}`, { input: decodeURIComponent(password) }).then(
                ({ stdout }) => stdout.trim(),
            );
        };
        expect(nodes.split(",")).toHaveLength(3);
        expect(await client(0, "set greeting hello")).toContain("OK");
        expect(await client(2, "get greeting")).toContain("hello");
        await upAgain(example);
    });

    it("leaves the machines running when its stack is destroyed", async () => {
        await remove(example);
        const states = (await status()).hosts.filter(({ instanceId }) => ids.includes(instanceId));
        expect(states.map(({ state }) => state)).toEqual(["Running", "Running", "Running"]);
    });
});

describe("a MySQL pair on hosts of the platform's stack", () => {
    const example = "mysql-on-platform";
    const config = { platform: "organization/multihost/lab", clientCidrs: ["10.0.0.0/16"] };

    afterAll(async () => {
        await configure("sharedHosts", undefined);
        await up();
    });

    it("has no hosts before the platform shares any", async () => {
        await init(example, config);
        await expect(pulumi(example, ["preview"])).rejects.toThrow(/hosts/);
    });

    it("replicates what is written, reached through the platform's bastion, and no key stands in plain text", async () => {
        await configure("sharedHosts[0]", "node-5");
        await configure("sharedHosts[1]", "node-6");
        expect(await upChanges()).toEqual([]);
        await pulumi(example, ["up", "--yes", "--skip-preview"]);
        const { source, replicas, url } = (await outputsOf(example)) as {
            source: { name: string };
            replicas: { name: string }[];
            url: string;
        };
        expect([source.name, ...replicas.map(({ name }) => name)]).toEqual(["node-5", "node-6"]);
        const { username, password, hostname, port } = new URL(url);
        const sql = (address: string, statement: string) =>
            onHost(
                "node-6",
                `MYSQL_PWD=$(cat) mariadb --ssl -h ${address} -P ${port} -u ${username} -N orders -e '${statement}'`,
                { input: decodeURIComponent(password) },
            );
        const replica = (await status()).hosts.find(({ name }) => name === "node-6")!.privateAddress;
        expect((await sql(hostname, "CREATE TABLE one (id INT PRIMARY KEY); INSERT INTO one VALUES (42)")).stderr).toBe(
            "",
        );
        await eventually("the row on the replica", 30, async () =>
            (await sql(replica, "SELECT id FROM one")).stdout.trim() === "42" ? true : undefined,
        );
        const state = await pulumi(example, ["stack", "export"]);
        expect(state).not.toMatch(/-----BEGIN [A-Z ]*PRIVATE KEY-----/);
        expect(state).not.toContain(decodeURIComponent(password));
        await upAgain(example);
    });

    it("goes without touching the platform's hosts", async () => {
        await remove(example);
        const { hosts } = await status();
        expect(hosts.filter(({ name }) => /^node-[56]$/.test(name)).map(({ state }) => state)).toEqual([
            "Running",
            "Running",
        ]);
        expect(await upChanges()).toEqual([]);
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
            await pulumi(example, ["up", "--yes", "--skip-preview"], "", name);
        }
        const servers = await Promise.all(
            names.map(async (name) => (await outputsOf(example, name))["servers"] as { address: string }[]),
        );
        const addresses = servers.flat().map(({ address }) => address);
        expect(new Set(addresses).size).toBe(4);
        const { hosts } = await status();
        for (const address of addresses) {
            const { instanceId } = hosts.find((host) => host.privateAddress === address && host.vpc === made["VpcId"])!;
            expect(
                await outputOn(instanceId, "curl -fsS --max-time 5 http://$(hostname -I | cut -d' ' -f1)/"),
            ).toContain("No release is served yet");
        }
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

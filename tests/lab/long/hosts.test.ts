/** Hosts, the bastion and the network on day two, in a program that has nothing else. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyGenerations } from "../../../components";
import { accepted, call, region, run } from "../examples";
import { addressesOf, type Change, eventually, onHost, outputOn, status } from "../lab";
import { components, OwnProgram } from "../ownProgram";

jest.setTimeout(600_000);

const stack = new OwnProgram("own");

const program = `
import { Bastion, Network, NodePool, PrivateDns } from ${components};
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const { zones, adminCidrs, count, exclude, ttl, adopt, hostKeys } = config.requireObject<any>("settings");
const privateKey = config.getSecret("privateKey");
const network = new Network("own", {
    cidr: "10.88.0.0/16",
    zones,
    roles: {
        bastion: {},
        work: { ingress: [{ ports: [22], roles: ["bastion", "work"] }, { protocol: "icmp", roles: ["work"] }] },
    },
});
const bastion = new Bastion("entry", { network, adminCidrs, hostKeys });
const pool = new NodePool("worker", {
    network,
    role: "work",
    count,
    exclude,
    bastion,
    hostKeys,
    ...(adopt && { adopt: { former: { ...adopt, privateKey } } }),
});
new PrivateDns("names", { zone: "own", vpcIds: [network.vpcId], records: { work: pool.hosts }, ttl });
export const address = bastion.address;
export const vswitchId = network.vswitches[0]!.id;
export const groups = network.memberships["work"];
`;

const settings = {
    zones: ["cn-hangzhou-h"],
    adminCidrs: ["203.0.113.0/24"],
    count: 2,
    exclude: [] as number[],
    ttl: 30,
    adopt: undefined as undefined | { instanceId: string; hostKey: string },
    hostKeys: undefined as undefined | KeyGenerations,
};

async function set(change: Partial<typeof settings>): Promise<void> {
    Object.assign(settings, change);
    await stack.pulumi(["config", "set", "settings", JSON.stringify(settings)]);
}

const ids = async (): Promise<Record<string, string>> =>
    Object.fromEntries([...(await stack.instances())].map(([name, { id }]) => [name, id]));

const zoneOf = (id: string): string => status().hosts.find(({ instanceId }) => instanceId === id)!.zone;

/** Changes of these operations, `create Instance worker-4` and the like. */
const told = (changes: readonly Change[], operations: RegExp): string[] =>
    changes
        .filter(({ operation }) => operations.test(operation))
        .map(({ operation, type, name }) => `${operation} ${type.split(":").at(-1)!} ${name}`);

/** Who logs in from one host to another by the pool's service user. */
const mesh = (from: string, address: string): Promise<string> =>
    outputOn(from, `sudo -u multihost ssh -o BatchMode=yes -o ConnectTimeout=10 ${address} id -un`);

const addressOf = (id: string): string => status().hosts.find(({ instanceId }) => instanceId === id)!.privateAddress;

beforeAll(async () => {
    await stack.init(program, { settings: JSON.stringify(settings) });
    await stack.up();
});

afterAll(() => stack.remove());

test("a zone that is added has the hosts that come from then on, and those that are there stay", async () => {
    const before = await ids();
    await set({ zones: ["cn-hangzhou-h", "cn-hangzhou-i"], count: 3, exclude: [3] });
    const changes = await stack.changes();
    expect(told(changes, /delete|replace/)).toEqual([]);
    expect(told(changes, /create/)).toEqual(
        expect.arrayContaining(["create Switch own-cn-hangzhou-i", "create Instance worker-4"]),
    );
    const after = await ids();
    expect(after).toEqual({ ...before, "worker-4": expect.any(String) as string });
    expect([after["worker-1"], after["worker-2"], after["worker-4"]].map((id) => zoneOf(id!))).toEqual([
        "cn-hangzhou-h",
        "cn-hangzhou-h",
        "cn-hangzhou-i",
    ]);
    expect(await mesh(after["worker-4"]!, addressOf(after["worker-1"]!))).toBe("multihost");
    await stack.up("--expect-no-changes");
});

test("and goes again with them, in one update", async () => {
    const { "worker-4": gone, ...rest } = await ids();
    await set({ zones: ["cn-hangzhou-h"], count: 2, exclude: [] });
    await stack.up();
    expect(await ids()).toEqual(rest);
    expect(status().hosts.map(({ instanceId }) => instanceId)).not.toContain(gone);
    await stack.up("--expect-no-changes");
});

test("a bastion that somebody deleted comes back under its address, and nothing runs on the hosts behind it", async () => {
    const { address } = await stack.outputs();
    const before = await ids();
    await call("Ecs", "DeleteInstance", { ...region, InstanceId: before["entry-1"]!, Force: "true" });
    await eventually("the bastion is gone", 60, () =>
        Promise.resolve(status().hosts.every(({ instanceId }) => instanceId !== before["entry-1"]) || undefined),
    );
    const changes = await stack.changes("--refresh");
    const after = await ids();
    expect(after).toEqual({ ...before, "entry-1": expect.not.stringMatching(before["entry-1"]!) as string });
    expect((await stack.outputs())["address"]).toBe(address);
    expect(told(changes, /./).filter((change) => change.includes("worker"))).toEqual([]);
    await stack.up("--expect-no-changes");
});

test("and one that is replaced is another machine under the same address", async () => {
    const { address } = await stack.outputs();
    const before = await stack.instances();
    await stack.up("--replace", before.get("entry-1")!.urn);
    expect((await ids())["entry-1"]).not.toBe(before.get("entry-1")!.id);
    expect((await stack.outputs())["address"]).toBe(address);
    expect(await outputOn((await ids())["worker-1"]!, "hostname")).toBe("worker-1");
    await stack.up("--expect-no-changes");
});

test("administrators' ranges and the names' lifetime change in place", async () => {
    await set({ adminCidrs: ["203.0.113.0/24", "198.51.100.0/24"], ttl: 60 });
    const changes = await stack.changes();
    expect(told(changes, /./).sort()).toEqual([
        "create SecurityGroupRule entry-bastion-ingress-tcp-22-from-198.51.100.0-24",
        "create SecurityGroupRule own-bastion-ingress-tcp-22-from-198.51.100.0-24",
        "update ZoneRecord names-work-worker-1",
        "update ZoneRecord names-work-worker-2",
    ]);
    await set({ adminCidrs: ["203.0.113.0/24"] });
    expect(told(await stack.changes(), /./).sort()).toEqual([
        "delete SecurityGroupRule entry-bastion-ingress-tcp-22-from-198.51.100.0-24",
        "delete SecurityGroupRule own-bastion-ingress-tcp-22-from-198.51.100.0-24",
    ]);
});

test("their own SSH keys are renewed, twice, and a host that comes in between is known by both", async () => {
    /** What every host shows: types of keys, and the keys. */
    const shown = async (): Promise<string[][]> => {
        const scanned = await Promise.all(
            Object.values(await ids()).map((id) =>
                outputOn(id, "ssh-keyscan 127.0.0.1 2>/dev/null | cut -d ' ' -f 2,3"),
            ),
        );
        return scanned.map((text) => text.split("\n").sort());
    };
    const first = await shown();
    const [ed25519, ecdsa] = ["ssh-ed25519", "ecdsa-sha2-nistp256"];
    for (const [hostKeys, count, types] of [
        [{ beside: 2 }, 3, [ecdsa, ed25519]],
        [{ generation: 2, beside: 1 }, 3, [ecdsa, ed25519]],
        [{ generation: 2 }, 3, [ecdsa]],
        [{ generation: 2, beside: 3 }, 2, [ecdsa, ed25519]],
        [{ generation: 3, beside: 2 }, 2, [ecdsa, ed25519]],
        [{ generation: 3 }, 2, [ed25519]],
    ] as const) {
        const before = await ids();
        await set({ hostKeys, count });
        const changes = await stack.changes();
        expect(told(changes, /replace/)).toEqual([]);
        const { "worker-1": one, ...others } = await ids();
        expect({ ...before, "worker-3": "any" }).toMatchObject({ ...others, "worker-1": one, "worker-3": "any" });
        for (const keys of await shown()) expect(keys.map((key) => key.split(" ")[0])).toEqual(types);
        const other = others["worker-3"] ?? others["worker-2"]!;
        expect(await mesh(one!, addressOf(other))).toBe("multihost");
        expect(await mesh(other, addressOf(one!))).toBe("multihost");
    }
    expect((await shown()).flat()).toHaveLength(3);
    for (const [key] of await shown()) expect(first.flat()).not.toContain(key);
    await stack.up("--expect-no-changes");
});

test("the host that comes for an excluded one has its records, and the other stays as it is", async () => {
    const before = await ids();
    await set({ exclude: [1] });
    const changes = await stack.changes();
    expect(told(changes, /create|delete/)).not.toContainEqual(expect.stringContaining("ZoneRecord"));
    const after = await ids();
    expect(Object.keys(after).sort()).toEqual(["entry-1", "worker-2", "worker-3"]);
    expect(after["worker-2"]).toBe(before["worker-2"]);
    const addresses = ["worker-2", "worker-3"].map((name) => addressOf(after[name]!));
    expect(await addressesOf("work.own", after["worker-2"]!)).toEqual(addresses.sort());
    await stack.up("--expect-no-changes");
});

describe("a host that exists", () => {
    const folder = mkdtempSync(join(tmpdir(), "multihost-adopted-"));
    const keyPair = "adopted";
    let id: string;

    beforeAll(async () => {
        const { vswitchId, groups } = (await stack.outputs()) as { vswitchId: string; groups: string[] };
        await run("ssh-keygen", ["-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", join(folder, "login")]);
        const PublicKeyBody = readFileSync(join(folder, "login.pub"), "utf8").trim();
        await call("Ecs", "ImportKeyPair", { ...region, KeyPairName: keyPair, PublicKeyBody });
        const { InstanceIdSets } = (await call("Ecs", "RunInstances", {
            ...region,
            ImageId: "debian_12_12_x64_20G_alibase_20251030.vhd",
            InstanceType: "ecs.g7.large",
            InstanceName: "former",
            VSwitchId: vswitchId,
            ...Object.fromEntries(groups.map((group, index) => [`SecurityGroupIds.${index + 1}`, group])),
            KeyPairName: keyPair,
            "SystemDisk.Category": "cloud_essd",
        })) as { InstanceIdSets: { InstanceIdSet: [string] } };
        [id] = InstanceIdSets.InstanceIdSet;
        const { value: hostKey } = await eventually("its host key", 120, () =>
            outputOn(id, "cat /etc/ssh/ssh_host_ed25519_key.pub"),
        );
        const privateKey = readFileSync(join(folder, "login"), "utf8");
        await stack.pulumi(["config", "set", "--secret", "privateKey"], { input: privateKey });
        await set({ adopt: { instanceId: id, hostKey: hostKey.split(" ").slice(0, 2).join(" ") } });
    });

    afterAll(async () => {
        rmSync(folder, { recursive: true, force: true });
        await accepted("Ecs", "DeleteInstance", { InstanceId: id, Force: "true" });
        await call("Ecs", "DeleteKeyPairs", { ...region, KeyPairNames: JSON.stringify([keyPair]) });
    });

    test("becomes a member like the others, and nothing is made or replaced for it", async () => {
        const before = await ids();
        const changes = await stack.changes();
        expect(told(changes, /delete|replace/)).toEqual([]);
        expect(await ids()).toEqual(before);
        expect(await mesh(before["worker-2"]!, addressOf(id))).toBe("multihost");
        expect(await mesh(id, addressOf(before["worker-2"]!))).toBe("multihost");
        expect(await addressesOf("work.own", before["worker-2"]!)).toContain(addressOf(id));
        await stack.up("--expect-no-changes");
    });

    test("runs on when it is taken off the list, and none of the others lets it in any more", async () => {
        await set({ adopt: undefined });
        await stack.up();
        expect(status().hosts.find(({ instanceId }) => instanceId === id)?.state).toBe("Running");
        const { "worker-2": other } = await ids();
        expect(await addressesOf("work.own", other!)).not.toContain(addressOf(id));
        const login = `sudo -u multihost ssh -o BatchMode=yes -o ConnectTimeout=10 ${addressOf(other!)} true`;
        expect((await onHost(id, login)).code).not.toBe(0);
        await stack.up("--expect-no-changes");
    });
});

import { problemsOf, Recorder, valueOf } from "./recorder";

const recorder = new Recorder({
    answers: {
        "alicloud:ecs/getInstances:getInstances": {
            instances: [
                { privateIp: "10.9.9.9", eip: "", publicIp: "198.51.100.77", availabilityZone: "cn-hangzhou-h" },
            ],
        },
    },
});

import * as pulumi from "@pulumi/pulumi";

import { Bastion, Connectivity, Host, Network, NodePool, type NodePoolArgs } from "../../../components";
import {
    type NodePoolSettings,
    parseNodePoolArgs,
    predecessors,
    slotNumbers,
} from "../../../components/nodePool/settings";
import { cloudConfig } from "../../../components/nodePool/userData";

const instance = "alicloud:ecs/instance:Instance";
const step = "command:remote:Command";

function network(): Network {
    return new Network("main", { zones: ["cn-hangzhou-h", "cn-hangzhou-i"], roles: { bastion: {}, data: {} } });
}

function pool(args: Partial<NodePoolArgs> = {}, opts = recorder.watched): NodePool {
    return new NodePool("node", { network: network(), role: "data", count: 3, direct: true, ...args }, opts);
}

/** URN and inputs of everything that the pool consists of. */
async function snapshot(args: Partial<NodePoolArgs>): Promise<Map<string, unknown>> {
    recorder.clear();
    pool(args);
    await recorder.settled();
    const inputs = new Map(recorder.resources.map(({ type, name, inputs: given }) => [`${type} ${name}`, given]));
    const found = new Map<string, unknown>();
    for (const { type, name, resource } of recorder.observed) {
        found.set(await valueOf(resource.urn), inputs.get(`${type} ${name}`));
    }
    return found;
}

beforeEach(() => recorder.clear());

describe("predecessors", () => {
    it.each<[number, number[], Record<number, number[]>]>([
        [3, [], {}],
        [3, [2], { 4: [2] }],
        [3, [5], {}],
        [3, [3, 1], { 4: [3], 5: [1] }],
        [3, [1, 3], { 4: [1], 5: [3] }],
        [3, [1, 4], { 5: [4, 1] }],
        [3, [4, 1], { 5: [1] }],
        [3, [2, 2], { 4: [2] }],
        [0, [1], {}],
    ])("of %i hosts without %p", (count, exclude, expected) =>
        expect(Object.fromEntries(predecessors(count, exclude))).toEqual(expected),
    );
});

describe("slotNumbers", () => {
    test.each([
        [3, [], [1, 2, 3]],
        [3, [2], [1, 3, 4]],
        [2, [1, 2, 9], [3, 4]],
        [0, [], []],
    ])("%i hosts without %p", (count, exclude, expected) => expect(slotNumbers(count, exclude)).toEqual(expected));
});

describe("keys of several generations", () => {
    const keysOf = async (args: Partial<NodePoolArgs>) => {
        recorder.clear();
        pool(args);
        await recorder.settled();
        const command = (name: string): string => String(recorder.find(step, name).inputs["create"]);
        const connection = recorder.find(step, "node-1-ready").inputs["connection"] as { privateKey: string };
        return { command, works: connection.privateKey, names: recorder.names("tls:index/privateKey:PrivateKey") };
    };

    test("are valid side by side, before and after the change from one to the other, and then the new ones alone", async () => {
        const both = "PARAM_KEYS='ssh-ed25519,AAAAnode/key ssh-ed25519,AAAAnode/key/g2'";
        const begun = await keysOf({ keys: { beside: 2 } });
        expect(begun.works).toBe("PRIVATE node-key");
        expect(begun.command("node-1-login")).toContain(both);
        expect(begun.command("node-mesh-node-1")).toContain(
            "PARAM_OTHER_PUBLIC_KEY='ssh-ed25519 AAAAnode/mesh/key/g2'",
        );
        const changed = await keysOf({ keys: { generation: 2, beside: 1 } });
        expect(changed.works).toBe("PRIVATE node-key-g2");
        expect(changed.command("node-1-login")).toContain(both);
        expect(changed.command("node-mesh-node-1")).toContain("PARAM_PUBLIC_KEY='ssh-ed25519 AAAAnode/mesh/key/g2'");
        const ended = await keysOf({ keys: { generation: 2 } });
        expect(ended.command("node-1-login")).toContain("PARAM_KEYS='ssh-ed25519,AAAAnode/key/g2'");
        expect(ended.command("node-mesh-node-1")).not.toContain("OTHER_PUBLIC_KEY");
        expect(ended.names).toEqual(expect.not.arrayContaining(["node-key", "node-mesh-key"]));
    });

    test("leave a pool without a rotation as it is, and the cloud's key pair in any case", async () => {
        await keysOf({});
        expect(recorder.names(step)).not.toContain("node-1-login");
        await keysOf({ keys: { generation: 2 } });
        expect(recorder.options("alicloud:ecs/ecsKeyPair:EcsKeyPair", "node").ignoreChanges).toContain("publicKey");
    });

    test("of hosts themselves are shown side by side, each of another type, and planted in whatever host comes", async () => {
        const shown = async (args: Partial<NodePoolArgs>) => {
            const { names } = await keysOf({ cloudConfig: {}, ...args });
            const { inputs } = recorder.find(instance, "node-1");
            const text = Buffer.from(String(inputs["userData"]), "base64").toString();
            const { ssh_keys: planted } = JSON.parse(text.slice(text.indexOf("\n"))) as { ssh_keys: object };
            const ready = recorder.find(step, "node-1-ready").inputs["connection"] as { hostKey: string };
            const command = recorder.names(step).includes("node-1-host-keys")
                ? String(recorder.find(step, "node-1-host-keys").inputs["create"])
                : undefined;
            const keys = names.filter((name) => name.startsWith("node-1-host-key"));
            return { planted: Object.keys(planted), pinned: ready.hostKey, command, keys };
        };
        const [first, second] = ["node-1-host-key", "node-1-host-key-g2"];
        const both = ["ed25519_private", "ed25519_public", "ecdsa_private", "ecdsa_public"];
        const line = "PARAM_KEYS='ssh-ed25519,AAAAnode/1/host/key ecdsa-sha2-nistp256,AAAAnode/1/host/key/g2'";
        expect(await shown({})).toEqual({
            planted: both.slice(0, 2),
            pinned: "ssh-ed25519 AAAAnode/1/host/key",
            command: undefined,
            keys: [first],
        });
        const begun = await shown({ hostKeys: { beside: 2 } });
        expect(begun).toMatchObject({
            planted: both,
            pinned: "ssh-ed25519 AAAAnode/1/host/key",
            keys: [first, second],
        });
        expect(begun.command).toContain(line);
        const changed = await shown({ hostKeys: { generation: 2, beside: 1 } });
        expect(changed).toEqual({ ...begun, pinned: "ecdsa-sha2-nistp256 AAAAnode/1/host/key/g2" });
        const ended = await shown({ hostKeys: { generation: 2 } });
        expect(ended).toMatchObject({ planted: both.slice(2), pinned: changed.pinned, keys: [second] });
        expect(ended.command).toContain("PARAM_KEYS='ecdsa-sha2-nistp256,AAAAnode/1/host/key/g2'");
        const next = await shown({ hostKeys: { generation: 2, beside: 3 } });
        expect(next.command).toContain("ssh-ed25519,AAAAnode/1/host/key/g3");
    });

    test("are refused where they can't be", () => {
        const refused = (args: Partial<NodePoolArgs>): string[] =>
            problemsOf(() =>
                parseNodePoolArgs("node", { network: network(), role: "data", count: 1, direct: true, ...args }),
            ).slice(1);
        expect(refused({ keys: { generation: 0, beside: 1.5 } })).toEqual([
            "  - keys.generation: 0 is not a generation's number, 1 or more.",
            "  - keys.beside: 1.5 is not a generation's number, 1 or more.",
        ]);
        expect(refused({ keys: { beside: 1 } })).toEqual([
            "  - keys.beside: 1 is the generation that is worked with: name another, or none.",
        ]);
        expect(refused({ hostKeys: { beside: 3 } })).toEqual([
            "  - hostKeys.beside: 3 is of the same type as generation 1, and an SSH server shows one key of each: name 2.",
        ]);
        expect(refused({ keys: {}, keyPair: { privateKey: "a", publicKey: "b" } })).toEqual([
            "  - keys: number generated keys, and keyPair is one of your own: leave one of them out.",
        ]);
    });
});

describe("NodePool", () => {
    test("describes its hosts safely by default", async () => {
        pool();
        await recorder.settled();
        const { inputs, secret } = recorder.find(instance, "node-2");
        expect(inputs).toEqual({
            instanceName: "node-2",
            hostName: "node-2",
            instanceType: "ecs.g7.large",
            imageId: "debian_12_5_x64_20G_alibase.vhd",
            vswitchId: "main-cn-hangzhou-i-id",
            securityGroups: ["main-data-id"],
            instanceChargeType: "PostPaid",
            internetMaxBandwidthOut: 0,
            systemDiskCategory: "cloud_essd",
            systemDiskSize: 40,
            systemDiskEncrypted: true,
            userData: expect.any(String) as string,
            deletionProtection: false,
            keyName: "project-stack-node",
            deploymentSetId: "node-id",
            tags: { "multihost:project": "project", "multihost:stack": "stack", "multihost:resource": "node-2" },
            volumeTags: { "multihost:project": "project", "multihost:stack": "stack", "multihost:resource": "node-2" },
        });
        expect(secret).toEqual(["userData"]);
        expect(recorder.names("alicloud:ecs/eipAddress:EipAddress")).toEqual(["main-nat"]);
        expect(recorder.find("tls:index/privateKey:PrivateKey", "node-key").inputs).toEqual({
            algorithm: "RSA",
            rsaBits: 4096,
        });
        expect(recorder.plaintext()).not.toMatch(/PRIVATE |PEM /);
    });

    test("spreads hosts over the zones by their number", async () => {
        pool({ exclude: [2] });
        await recorder.settled();
        expect(["node-1", "node-3", "node-4"].map((name) => recorder.find(instance, name).inputs["vswitchId"])).toEqual(
            ["main-cn-hangzhou-h-id", "main-cn-hangzhou-h-id", "main-cn-hangzhou-i-id"],
        );
    });

    test("leaves hosts and disks where they are when a zone is added", async () => {
        const made = pool({ count: 2, dataDisks: [{ name: "db", size: 100 }] });
        await recorder.settled();
        expect(recorder.options(instance, "node-2").ignoreChanges).toContain("vswitchId");
        expect(recorder.options("alicloud:ecs/ecsDisk:EcsDisk", "node-2-db").ignoreChanges).toContain("zoneId");
        // Where it is, and not where it would be put now; and a disk that comes later is put there, too.
        expect(await valueOf(made.hosts[1]!.zone!)).toBe("zone-of-node-2");
        expect(recorder.find("alicloud:ecs/ecsDisk:EcsDisk", "node-2-db").inputs["zoneId"]).toBe("zone-of-node-2");
    });

    test("calls its hosts by another name than its own where it is told to, and keeps its key's name", async () => {
        const made = pool({ hostPrefix: "old", count: 2, exclude: [] });
        await recorder.settled();
        expect(made.hosts.map(({ name }) => name)).toEqual(["old-1", "old-2"]);
        expect(recorder.find(instance, "old-1").inputs).toMatchObject({ instanceName: "old-1", hostName: "old-1" });
        expect(recorder.names("tls:index/privateKey:PrivateKey")).toEqual(
            expect.arrayContaining(["node-key", "node-mesh-key", "old-1-host-key"]),
        );
        const [key] = recorder.names("alicloud:ecs/ecsKeyPair:EcsKeyPair");
        expect(key).toBe("node");
        expect(problemsOf(() => pool({ hostPrefix: "Old" }))[1]).toContain('hostPrefix: "Old" can\'t name resources');
    });

    test("plants the pinned host key and the login key through user data", async () => {
        const made = pool({ cloudConfig: { timezone: "Asia/Shanghai" } });
        await recorder.settled();
        const text = Buffer.from(String(recorder.find(instance, "node-1").inputs["userData"]), "base64").toString();
        expect(text.startsWith("#cloud-config\n")).toBe(true);
        expect(JSON.parse(text.slice(text.indexOf("\n")))).toEqual({
            timezone: "Asia/Shanghai",
            hostname: "node-1",
            preserve_hostname: false,
            ssh_pwauth: false,
            disable_root: false,
            ssh_deletekeys: true,
            ssh_keys: {
                ed25519_private: "PRIVATE node-1-host-key\n",
                ed25519_public: "ssh-ed25519 AAAAnode/1/host/key",
            },
            users: ["default", { name: "root", ssh_authorized_keys: ["ssh-ed25519 AAAAnode/key"] }],
        });
        expect(await valueOf(made.hosts[0]!.hostKey)).toBe("ssh-ed25519 AAAAnode/1/host/key");
    });

    test("puts what Outputs of the caller's configuration hold into user data, as a secret", async () => {
        const token = pulumi.secret("TOKEN");
        const content = pulumi.interpolate`token = ${token}`;
        pool({ cloudConfig: { runcmd: [["join", token]], write_files: [{ path: "/etc/join.conf", content }] } });
        await recorder.settled();
        const { inputs, secret } = recorder.find(instance, "node-1");
        const text = Buffer.from(String(inputs["userData"]), "base64").toString();
        expect(JSON.parse(text.slice(text.indexOf("\n")))).toMatchObject({
            runcmd: [["join", "TOKEN"]],
            write_files: [{ path: "/etc/join.conf", content: "token = TOKEN" }],
        });
        expect(secret).toContain("userData");
    });

    test("creates a login user who is not root", () => {
        const text = cloudConfig({
            hostName: "h",
            user: "admin",
            authorizedKey: "k",
            hostKeys: [{ type: "ed25519", privateKey: "p", publicKey: "q" }],
            extra: {},
        });
        expect(text).toContain('"sudo": "ALL=(ALL) NOPASSWD:ALL"');
    });

    test("has the caller's users beside its own, and refuses what would undo how hosts are reached", async () => {
        pool({ cloudConfig: { users: [{ name: "deploy" }, pulumi.output("audit")] } });
        await recorder.settled();
        const text = Buffer.from(String(recorder.find(instance, "node-1").inputs["userData"]), "base64").toString();
        expect(JSON.parse(text.slice(text.indexOf("\n")))).toMatchObject({
            users: ["default", expect.objectContaining({ name: "root" }), { name: "deploy" }, "audit"],
        });
        const problems = (given: NodePoolArgs["cloudConfig"]): string[] =>
            problemsOf(() => pool({ user: "admin", cloudConfig: given })).slice(1);
        const fields = ["hostname", "preserve_hostname", "ssh_pwauth", "disable_root", "ssh_deletekeys", "ssh_keys"];
        expect(problems(Object.fromEntries(fields.map((field) => [field, "x"])))).toEqual(
            fields.map((field) => `  - cloudConfig.${field}: is the pool's own: leave it out.`),
        );
        expect(problems({ users: "deploy" })).toEqual(["  - cloudConfig.users: is not a list of users."]);
        expect(problems({ users: ["default", { name: "admin" }] })).toEqual([
            '  - cloudConfig.users[1]: "admin" is who the pool itself logs in as: choose another name.',
        ]);
    });

    test("makes hosts in the VSwitches of their turn, or of their own", async () => {
        pool({ mesh: false, placement: { 3: 2 } });
        await recorder.settled();
        const where = ["node-1", "node-2", "node-3"].map((name) => recorder.find(instance, name).inputs["vswitchId"]);
        expect(where[2]).toBe(where[1]);
        expect(where[0]).not.toBe(where[1]);
        expect(
            problemsOf(() =>
                parseNodePoolArgs("node", {
                    network: network(),
                    role: "data",
                    count: 1,
                    direct: true,
                    placement: { 1: 3 },
                }),
            ).slice(1),
        ).toEqual(["  - placement.1: 3 is none of the network's VSwitches, which are counted from 1 to 2."]);
    });

    test("more hosts at the end touch none of the others", async () => {
        const [three, five] = [await snapshot({ mesh: false }), await snapshot({ mesh: false, count: 5 })];
        for (const [urn, inputs] of three) expect(five.get(urn)).toEqual(inputs);
        expect([...five.keys()].filter((urn) => !three.has(urn)).every((urn) => /node-[45](-|$)/.test(urn))).toBe(true);
    });

    test("a host that leaves from the middle touches none of the others", async () => {
        const [five, four] = [
            await snapshot({ mesh: false, count: 5 }),
            await snapshot({ mesh: false, count: 4, exclude: [2] }),
        ];
        for (const [urn, inputs] of four) expect(five.get(urn)).toEqual(inputs);
        expect([...five.keys()].filter((urn) => !four.has(urn)).every((urn) => /node-2(-|$)/.test(urn))).toBe(true);
    });

    test("a changed count replaces no step of the remaining hosts: only members change", async () => {
        const [three, two] = [await snapshot({ count: 3 }), await snapshot({ count: 2, exclude: [1] })];
        for (const [urn, inputs] of two) {
            if (!urn.includes(step)) continue;
            const before = three.get(urn) as Record<string, unknown>;
            expect((inputs as Record<string, unknown>)["triggers"]).toEqual(before["triggers"]);
        }
    });

    test("a newer image, other user data or another system disk rebuilds a host only when asked", async () => {
        pool();
        await recorder.settled();
        expect(recorder.options(instance, "node-1")).toMatchObject({
            ignoreChanges: [
                "vswitchId",
                "deploymentSetId",
                "imageId",
                "userData",
                "systemDiskCategory",
                "systemDiskEncrypted",
            ],
            replaceOnChanges: [],
        });
        recorder.clear();
        pool({ rebuildOn: ["image", "systemDisk"] });
        await recorder.settled();
        expect(recorder.options(instance, "node-1")).toMatchObject({
            ignoreChanges: ["vswitchId", "deploymentSetId", "userData"],
            replaceOnChanges: ["imageId", "systemDiskCategory", "systemDiskEncrypted"],
        });
    });

    test("instances wait neither for the way out nor for each other", async () => {
        const made = network();
        new NodePool("node", { network: made, role: "data", count: 2, direct: true }, recorder.watched);
        await recorder.settled();
        expect(recorder.options(instance, "node-1").dependsOn).toBeUndefined();
        expect(recorder.options(step, "node-1-ready").dependsOn).not.toEqual(
            expect.arrayContaining([...made.outbound]),
        );
        expect(recorder.options(step, "node-mesh-node-1").dependsOn).toEqual(
            expect.arrayContaining([...made.outbound]),
        );
    });

    test("gives an address to those who ask, and dials it only once it is bound", async () => {
        pool({ direct: false, bastion: undefined, count: 2, publicAddresses: true, publicBandwidth: 7 });
        await recorder.settled();
        expect(recorder.find("alicloud:ecs/eipAddress:EipAddress", "node-2").inputs).toMatchObject({ bandwidth: "7" });
        expect(recorder.options("alicloud:ecs/eipAssociation:EipAssociation", "node-2").deleteBeforeReplace).toBe(true);
        expect(recorder.find(step, "node-2-ready").inputs["connection"]).toMatchObject({ host: "198.51.100.1-node-2" });
        const waits = recorder.options(step, "node-2-ready").dependsOn as pulumi.Resource[];
        expect(await Promise.all(waits.map(({ urn }) => valueOf(urn)))).toContainEqual(
            expect.stringContaining("EipAssociation::node-2"),
        );
    });

    test("attaches data disks that can grow", async () => {
        const made = pool({ count: 1, dataDisks: [{ name: "db", size: 100 }] });
        await recorder.settled();
        expect(recorder.find("alicloud:ecs/ecsDisk:EcsDisk", "node-1-db").inputs).toMatchObject({
            size: 100,
            encrypted: true,
            zoneId: "zone-of-node-1",
        });
        expect(recorder.isProtected("alicloud:ecs/ecsDisk:EcsDisk", "node-1-db")).toBe(false);
        // The provider would put an empty disk in its place.
        expect(recorder.options("alicloud:ecs/ecsDisk:EcsDisk", "node-1-db").ignoreChanges).toContain("encrypted");
        expect(recorder.find("alicloud:ecs/ecsDiskAttachment:EcsDiskAttachment", "node-1-db").inputs).toEqual({
            diskId: "node-1-db-id",
            instanceId: "node-1-id",
        });
        expect(await valueOf(made.dataDisks["node-1"]!["db"]!)).toBe("node-1-db-id");
    });

    test("protects data disks with their hosts, which the cloud doesn't", async () => {
        pool({ count: 1, dataDisks: [{ name: "db", size: 100 }], deletionProtection: true });
        await recorder.settled();
        expect(recorder.isProtected("alicloud:ecs/ecsDisk:EcsDisk", "node-1-db")).toBe(true);
    });

    test("protects data disks where the whole pool is protected", async () => {
        const dataDisks = [{ name: "db", size: 100 }];
        pool({ count: 1, mesh: false, dataDisks }, { ...recorder.watched, protect: true });
        await recorder.settled();
        expect(recorder.isProtected("alicloud:ecs/ecsDisk:EcsDisk", "node-1-db")).toBe(true);
    });

    test("attaches data disks to the hosts that they are for", async () => {
        const made = pool({ count: 3, exclude: [2], dataDisks: [{ name: "db", size: 100, hosts: [1, 4] }] });
        await recorder.settled();
        expect(recorder.names("alicloud:ecs/ecsDisk:EcsDisk")).toEqual(["node-1-db", "node-4-db"]);
        expect(recorder.options(instance, "node-1").deleteBeforeReplace).toBe(true);
        expect(recorder.options(instance, "node-3").deleteBeforeReplace).toBeUndefined();
        expect(Object.entries(made.dataDisks).map(([host, disks]) => [host, Object.keys(disks)])).toEqual([
            ["node-1", ["db"]],
            ["node-3", []],
            ["node-4", ["db"]],
        ]);
    });

    test("the cloud's own key pairs are RSA only", async () => {
        pool({ keyPair: "ED25519" });
        await recorder.settled();
        expect(recorder.names("alicloud:ecs/ecsKeyPair:EcsKeyPair")).toEqual([]);
        expect(recorder.find(instance, "node-1").inputs).not.toHaveProperty("keyName");
    });

    test("lets the service user log in between all pairs, then tries them", async () => {
        const made = pool({ count: 2 });
        await recorder.settled();
        const planted = recorder.find(step, "node-mesh-node-1").inputs;
        expect(planted["create"]).toMatch(
            /^STEP=ssh\/mesh@\w+ PARAM_HOST_KEYS='node-1=ssh-ed25519,AAAAnode\/1\/host\/key node-2=ssh-ed25519,AAAAnode\/2\/host\/key' PARAM_MEMBERS='node-1=10\.0\.0\.1 node-2=10\.0\.0\.2' PARAM_PUBLIC_KEY='ssh-ed25519 AAAAnode\/mesh\/key' PARAM_USER='multihost' bash --norc -s$/,
        );
        expect(planted["stdin"]).toContain("SECRET_PRIVATE_KEY='PRIVATE node-mesh-key'");
        expect(recorder.options(step, "node-mesh-verify-node-2").dependsOn).toHaveLength(3);
        expect(made.mesh).toHaveLength(2);
        expect(made.meshUser).toBe("multihost");
    });

    test("adopts instances and hosts that exist, creating none", async () => {
        const metal = new Host("metal", { address: "10.8.8.8", privateKey: "k", hostKey: "ssh-ed25519 M" });
        const made = pool({
            count: 0,
            direct: false,
            adopt: { old: { instanceId: "i-1", privateKey: "k", hostKey: "ssh-ed25519 O" }, metal },
        });
        await recorder.settled();
        expect(recorder.names(instance)).toEqual([]);
        expect(made.hosts.map(({ name }) => name)).toEqual(["metal", "old"]);
        expect(made.hosts[0]).toBe(metal);
        expect(await valueOf(made.hosts[1]!.privateAddress)).toBe("10.9.9.9");
        expect(recorder.find(step, "old-ready").inputs).toMatchObject({
            connection: { host: "198.51.100.77" },
            triggers: ["i-1"],
        });
        expect(recorder.find(step, "node-mesh-old").inputs["delete"]).toContain("bash --norc -s delete");
    });

    test("transformations reach every child, and every child belongs to the pool", async () => {
        pool({ publicAddresses: [1], dataDisks: [{ name: "db", size: 100 }] });
        await recorder.settled();
        const seen = new Set(recorder.observed.map(({ type, name }) => `${type} ${name}`));
        const ours = recorder.resources.filter(({ name }) => name.startsWith("node"));
        expect(ours.length).toBeGreaterThan(20);
        for (const { type, name } of ours) expect(seen).toContain(`${type} ${name}`);
        for (const { resource, type } of recorder.observed) {
            // The mocks' names show a resource's parent, and no more than that.
            expect(await valueOf(resource.urn)).toMatch(
                type === "multihost:compute:NodePool" ? /NodePool/ : /multihost:(compute:NodePool|host:Host)\$/,
            );
        }
    });

    test("reports all problems at once, by path", () => {
        expect(
            problemsOf(() =>
                pool({
                    role: "web",
                    count: 2.5,
                    direct: false,
                    exclude: [0],
                    systemDisk: { size: 10 },
                    dataDisks: [{ name: "A", size: 1 }],
                    publicBandwidth: 500,
                    user: "multihost",
                    imageId: "m-1",
                    imageName: "x",
                }),
            ),
        ).toEqual([
            'NodePool "node" has 9 problems:',
            "  - count: 2.5 is not a number of hosts from 0 to 1000.",
            "  - exclude[0]: 0 is not a host's number.",
            '  - role: the network has no role "web": bastion, data.',
            "  - systemDisk.size: 10 is not a size from 20 to 2048 GiB.",
            "  - dataDisks[0].size: 1 is not a size from 20 to 32768 GiB.",
            '  - dataDisks[0].name: "A" is not 1 to 32 lower-case letters, digits and hyphens.',
            "  - publicBandwidth: 500 is not a bandwidth from 1 to 200 Mbit/s.",
            '  - mesh.user: "multihost" logs in for administration: the service user must be another.',
            "  - imageName: imageId says already which image: leave one of them out.",
        ]);
        expect(problemsOf(() => pool({ direct: false }))[1]).toContain(
            "bastion: hosts without a public address can't be reached",
        );
        expect(problemsOf(() => pool({ count: 41, deploymentSet: true }))[1]).toContain(
            "deploymentSet: a deployment set holds 20 hosts",
        );
        expect(problemsOf(() => pool({ publicAddresses: [9] }))[1]).toContain("publicAddresses[0]: there is no host 9");
        for (const args of [{ tags: { x: "http://x" } }, { tags: { x: "acs:x" }, publicAddresses: true }]) {
            expect(problemsOf(() => pool(args))[1]).toContain('tags["x"]: a value has up to 128 characters');
        }
        expect(problemsOf(() => pool({ tags: { x: "acs:x" }, count: 0 }))).toHaveLength(2);
        const dataDisks = [{ name: "db", size: 100, hosts: [9] }];
        expect(problemsOf(() => pool({ dataDisks }))[1]).toContain("dataDisks[0].hosts[0]: there is no host 9");
        expect(problemsOf(() => pool({ count: 0 }))[1]).toContain("count: a pool needs a host");
    });

    test("a deployment set takes as many hosts as fit into it, and none that is there already", () => {
        const settings = (count: number): NodePoolSettings =>
            parseNodePoolArgs("node", { network: network(), role: "data", count, direct: true });
        expect([1, 2, 20, 21, 50].map((count) => settings(count).deploymentSet)).toEqual([
            false,
            true,
            true,
            true,
            true,
        ]);
        // 20 in each of two zones.
        expect(settings(41).slots.map(({ spread }) => spread)).toEqual([...Array<boolean>(40).fill(true), false]);
    });

    test("hosts of a pool that has no deployment set any more leave it, without which it couldn't be deleted", async () => {
        const kept = async (args: Partial<NodePoolArgs>) => {
            recorder.clear();
            pool(args);
            await recorder.settled();
            expect(recorder.find(instance, "node-1").inputs).not.toHaveProperty("deploymentSetId");
            return recorder.options(instance, "node-1").ignoreChanges;
        };
        expect(await kept({ count: 1 })).not.toContain("deploymentSetId");
        expect(await kept({ count: 2, deploymentSet: false })).not.toContain("deploymentSetId");
    });

    test("the kind of its key stays, since no host would let another one in", async () => {
        pool();
        await recorder.settled();
        expect(recorder.options("tls:index/privateKey:PrivateKey", "node-key").ignoreChanges).toEqual([
            "algorithm",
            "rsaBits",
        ]);
    });

    test("hosts with public addresses are dialled at their private ones where it says so", async () => {
        pool({ direct: true, count: 1, publicAddresses: true });
        await recorder.settled();
        expect(recorder.find(step, "node-1-ready").inputs["connection"]).toMatchObject({ host: "10.0.0.1" });
    });
});

describe("Bastion", () => {
    test("is the one host with a public address, open to administrators alone", async () => {
        const made = network();
        const bastion = new Bastion("bastion", { network: made, adminCidrs: ["198.51.100.0/24"] }, recorder.watched);
        await recorder.settled();
        expect(recorder.names("alicloud:ecs/securityGroupRule:SecurityGroupRule")).toEqual([
            "bastion-bastion-ingress-tcp-22-from-198.51.100.0-24",
            "main-bastion-ingress-tcp-22-from-198.51.100.0-24",
        ]);
        expect(recorder.names("alicloud:ecs/eipAddress:EipAddress")).toEqual(["bastion-1", "main-nat"]);
        expect(recorder.names("alicloud:ecs/ecsDeploymentSet:EcsDeploymentSet")).toEqual([]);
        expect(await valueOf(bastion.address)).toBe("198.51.100.1-bastion-1");
        expect(recorder.find(step, "bastion-sshd").inputs["create"]).toMatch(/^STEP=ssh\/bastion@/);
    });

    test("has a key pair of its own beside a pool of the same name, and keeps the one that it has", async () => {
        const made = network();
        const bastion = new Bastion("main", { network: made, adminCidrs: ["198.51.100.0/24"] }, recorder.watched);
        new NodePool("main", { network: made, role: "data", count: 1, bastion });
        await recorder.settled();
        const pairs = recorder.resources.filter(({ type }) => type === "alicloud:ecs/ecsKeyPair:EcsKeyPair");
        expect(pairs.map(({ inputs }) => inputs["keyPairName"]).sort()).toEqual([
            "project-stack-main",
            "project-stack-main_bastion",
        ]);
        expect(recorder.options("alicloud:ecs/ecsKeyPair:EcsKeyPair", "main").ignoreChanges).toContain("keyPairName");
    });

    test("is prepared before others are reached through it", async () => {
        const made = network();
        const bastion = new Bastion("bastion", { network: made, adminCidrs: ["198.51.100.0/24"] });
        new NodePool("node", { network: made, role: "data", count: 1, bastion }, recorder.watched);
        await recorder.settled();
        expect(recorder.options(step, "node-1-ready").dependsOn).toEqual(
            expect.arrayContaining([bastion.host.ready, ...bastion.preparedBy]),
        );
        expect(recorder.find(step, "node-1-ready").inputs["connection"]).toMatchObject({
            host: "10.0.0.1",
            proxy: { host: "198.51.100.1-bastion-1" },
        });
    });

    test.each([
        [[], "adminCidrs: nobody could connect: name at least one range."],
        [["0.0.0.0/0"], 'ingress[0].cidrs[0]: "0.0.0.0/0" lets everyone in'],
    ])("refuses %p", (adminCidrs, expected) => {
        expect(problemsOf(() => new Bastion("bastion", { network: network(), adminCidrs }))[1]).toContain(expected);
    });

    test("needs its role in the network", () => {
        const made = new Network("main", { zones: ["cn-hangzhou-h"], roles: { data: {} } });
        expect(
            problemsOf(() => new Bastion("bastion", { network: made, adminCidrs: ["198.51.100.0/24"] }))[1],
        ).toContain('role: there is no role "bastion" in network "main".');
    });
});

describe("Connectivity", () => {
    test("checks every pair, after logins work", async () => {
        const made = pool({ count: 3 });
        new Connectivity("data", { hosts: made.hosts, ports: [22, 7000], after: made.mesh }, recorder.watched);
        await recorder.settled();
        expect(recorder.find(step, "data-check-node-2").inputs["create"]).toMatch(
            /^STEP=connectivity\/check@\w+ PARAM_ADDRESS='10\.0\.0\.2' PARAM_PEERS='node-1=10\.0\.0\.1 node-3=10\.0\.0\.3' PARAM_PORTS='22 7000' PARAM_USER='multihost' bash/,
        );
        expect(recorder.options(step, "data-check-node-2").dependsOn).toEqual(expect.arrayContaining([...made.mesh]));
    });

    test("logs in at the ports of hosts whose SSH server is elsewhere than usual", async () => {
        const known = { privateKey: "k", hostKey: "ssh-ed25519 AAAA" };
        const hosts = [
            new Host("a", { address: "10.0.0.1", ...known }),
            new Host("b", { address: "10.0.0.2", port: 2222, ...known }),
        ];
        new Connectivity("data", { hosts, ports: [7000] });
        await recorder.settled();
        expect(recorder.find(step, "data-check-a").inputs["create"]).toContain(" PARAM_SSH_PORTS='10.0.0.2=2222' ");
    });

    test("reports all problems at once", () => {
        const host = new Host("a", { address: "10.0.0.1", privateKey: "k", hostKey: "ssh-ed25519 AAAA" });
        expect(problemsOf(() => new Connectivity("data", { hosts: [host], ports: [0, 22.5] }))).toEqual([
            'Connectivity "data" has 3 problems:',
            "  - hosts: 1 can't be paired: name at least two hosts.",
            "  - ports[0]: 0 is not a TCP port.",
            "  - ports[1]: 22.5 is not a TCP port.",
        ]);
    });
});

import * as pulumi from "@pulumi/pulumi";
import { Recorder, valueOf } from "./recorder";

const recorder = new Recorder();

import { Host, Network, PlatformReference, shareHosts, shareNetwork } from "../../../components";

/** What `StackReference` reads, by stack. */
function stacks(outputs: Record<string, Record<string, { value?: unknown; secretValue?: unknown }>>): void {
    jest.spyOn(pulumi, "StackReference").mockImplementation(((_: string, { name }: { name: string }) => ({
        getOutputDetails: (output: string) => Promise.resolve(outputs[name]?.[output] ?? {}),
    })) as never);
}

afterEach(() => jest.restoreAllMocks());

function shared(): Host[] {
    const bastion = new Host("bastion-1", {
        address: "10.0.0.1",
        publicAddress: "198.51.100.1",
        privateKey: "BASTION KEY",
        hostKey: "ssh-ed25519 AAAAbastion",
    });
    return [
        new Host("node-5", {
            address: "10.0.0.5",
            user: "admin",
            privateKey: "NODE KEY",
            hostKey: "ssh-ed25519 AAAAnode",
            identity: "i-5",
            bastion,
        }),
    ];
}

const node = {
    name: "node-5",
    address: "10.0.0.5",
    port: 22,
    user: "admin",
    privateKey: "NODE KEY",
    hostKey: "ssh-ed25519 AAAAnode",
    identity: "i-5",
};
const bastion = {
    name: "bastion-1",
    address: "10.0.0.1",
    publicAddress: "198.51.100.1",
    port: 22,
    user: "root",
    privateKey: "BASTION KEY",
    hostKey: "ssh-ed25519 AAAAbastion",
    identity: "ssh-ed25519 AAAAbastion",
};

describe("what a stack shares", () => {
    it("of its hosts is secret, and all that SSH needs", async () => {
        const output = shareHosts(shared());
        expect(await pulumi.isSecret(output)).toBe(true);
        expect(JSON.parse(JSON.stringify(await valueOf(output)))).toEqual([{ ...node, bastion }]);
    });

    it("of its hosts is what services and names go by, too, where there is any", async () => {
        const [host] = await valueOf(
            shareHosts([
                new Host("node-7", {
                    ...{ address: "10.0.0.7", publicAddress: "198.51.100.7", direct: true },
                    ...{ privateKey: "NODE KEY", hostKey: "ssh-ed25519 AAAAnode" },
                    ...{ instanceType: "ecs.g7.large", succeeds: ["node-3", "node-1"] },
                }),
            ]),
        );
        expect(host).toMatchObject({ direct: true, instanceType: "ecs.g7.large", succeeds: ["node-3", "node-1"] });
    });

    it("is nobody where no host is named", async () => expect(await valueOf(shareHosts([]))).toEqual([]));

    it("of its network is ids, the source of rules among them", async () => {
        const network = new Network("main", {
            zones: ["cn-hangzhou-h", "cn-hangzhou-i"],
            roles: { data: { ingress: [{ ports: [22], roles: ["data"] }] }, web: {} },
        });
        const output = shareNetwork(network);
        expect(await pulumi.isSecret(output)).toBe(false);
        expect(await valueOf(output)).toEqual({
            vpcId: "main-id",
            vswitchIds: ["main-cn-hangzhou-h-id", "main-cn-hangzhou-i-id"],
            securityGroupIds: { data: "main-data-id", web: "main-web-id" },
            sourceGroupIds: { data: "main-data-members-id", web: "main-web-id" },
        });
    });
});

describe("PlatformReference", () => {
    it("reaches a host as its own stack does, through one bastion, and keeps the keys secret", async () => {
        const other = { ...node, name: "node-6", address: "10.0.0.6" };
        const hosts = [
            { ...node, bastion },
            { ...other, bastion },
        ];
        stacks({ "org/platform/dev": { sharedHosts: { secretValue: hosts } } });
        recorder.clear();
        const platform = await PlatformReference.get("org/platform/dev");
        expect(platform.hostNames).toEqual(["node-5", "node-6"]);
        for (const name of platform.hostNames) platform.host(name);
        expect(platform.host("node-5")).toBe(platform.host("node-5"));
        await recorder.settled();
        expect(recorder.names("command:remote:Command")).toEqual(["bastion-1-ready", "node-5-ready", "node-6-ready"]);
        const ready = recorder.find("command:remote:Command", "node-5-ready");
        expect(ready.inputs["connection"]).toMatchObject({
            host: "10.0.0.5",
            user: "admin",
            privateKey: "NODE KEY",
            hostKey: "ssh-ed25519 AAAAnode",
            proxy: { host: "198.51.100.1", user: "root", privateKey: "BASTION KEY" },
        });
        expect(ready.inputs["triggers"]).toEqual(["i-5"]);
        expect(recorder.plaintext()).not.toMatch(/NODE KEY|BASTION KEY/);
    });

    it("knows what a host is fitted by, where it is dialled and whose place it has", async () => {
        const large = {
            ...{ ...node, publicAddress: "198.51.100.5", direct: true },
            ...{ instanceType: "ecs.g7.large", succeeds: ["node-1"] },
        };
        stacks({ "org/platform/dev": { sharedHosts: { secretValue: [large] } } });
        recorder.clear();
        const host = (await PlatformReference.get("org/platform/dev")).host("node-5");
        await recorder.settled();
        expect(await valueOf(host.instanceType!)).toBe("ecs.g7.large");
        expect(host.succeeds).toEqual(["node-1"]);
        expect(recorder.find("command:remote:Command", "node-5-ready").inputs["connection"]).toMatchObject({
            host: "10.0.0.5",
        });
    });

    it("calls hosts and bastions by a prefix of its own beside another reference", async () => {
        const hosts = [{ ...node, bastion, succeeds: ["node-1"] }];
        stacks({ "org/platform/dev": { sharedHosts: { secretValue: hosts } } });
        recorder.clear();
        const one = (await PlatformReference.get("org/platform/dev")).host("node-5");
        const two = await PlatformReference.get("org/platform/dev", { hostPrefix: "other" });
        const host = two.host("node-5");
        await recorder.settled();
        expect([one.name, host.name, host.bastion!.name]).toEqual(["node-5", "other-node-5", "other-bastion-1"]);
        expect([one.succeeds, host.succeeds]).toEqual([["node-1"], ["other-node-1"]]);
        const names = recorder.names("command:remote:Command");
        expect(names).toEqual(["bastion-1-ready", "node-5-ready", "other-bastion-1-ready", "other-node-5-ready"]);
        // The engine takes one reference of each name, too.
        expect(jest.mocked(pulumi.StackReference).mock.calls).toEqual([
            ["org/platform/dev", { name: "org/platform/dev" }],
            ["other-org/platform/dev", { name: "org/platform/dev" }],
        ]);
        await expect(PlatformReference.get("org/platform/dev", { hostPrefix: "x-" })).rejects.toThrow("hostPrefix");
    });

    it("tells a host from the bastion of the same name, and from no other machine", async () => {
        const main = { ...node, name: "main-1" };
        const jump = { ...bastion, name: "main-1" };
        stacks({
            "org/platform/dev": { sharedHosts: { secretValue: [{ ...main, bastion: jump }] } },
            "org/platform/two": { sharedHosts: { secretValue: [main, { ...main, identity: "i-6" }, node] } },
            "org/platform/jumps": {
                sharedHosts: {
                    secretValue: [
                        { ...node, bastion },
                        { ...main, bastion: { ...bastion, identity: "i-9" } },
                    ],
                },
            },
            "org/platform/itself": { sharedHosts: { secretValue: [bastion, { ...node, bastion }] } },
        });
        const host = (await PlatformReference.get("org/platform/dev")).host("main-1");
        expect([host.name, host.bastion!.name]).toEqual(["main-1", "main-1-bastion"]);
        expect([await valueOf(host.identity), await valueOf(host.bastion!.identity)]).toEqual([
            "i-5",
            bastion.identity,
        ]);

        const itself = await PlatformReference.get("org/platform/itself");
        expect(itself.host("node-5").bastion).toBe(itself.host("bastion-1"));

        const two = await PlatformReference.get("org/platform/two");
        expect(() => two.host("main-1")).toThrow('"org/platform/two" shares two machines named "main-1"');
        expect(two.host("node-5").name).toBe("node-5");

        const jumps = await PlatformReference.get("org/platform/jumps");
        jumps.host("node-5");
        expect(() => jumps.host("main-1")).toThrow('"org/platform/jumps" shares two machines named "bastion-1"');
    });

    it("says which hosts are shared when one isn't, and which stack shares no network", async () => {
        stacks({ "org/platform/dev": { sharedHosts: { secretValue: [node] } } });
        const platform = await PlatformReference.get("org/platform/dev");
        expect(() => platform.host("node-1")).toThrow('shares only node-5, not "node-1": add it to `sharedHosts`');
        expect(() => platform.network).toThrow('The stack "org/platform/dev" doesn\'t share its network.');
    });

    it("refuses a stack that shares nothing, and reads outputs of other names", async () => {
        stacks({ "org/platform/dev": { net: { value: { vpcId: "vpc-1" } } } });
        await expect(PlatformReference.get("org/platform/dev")).rejects.toThrow('"org/platform/dev" shares nothing');
        const platform = await PlatformReference.get("org/platform/dev", { networkOutput: "net" });
        expect(platform.network.vpcId).toBe("vpc-1");
        expect(() => platform.host("node-1")).toThrow("shares no host");
    });
});

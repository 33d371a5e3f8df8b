/** What an upgrade from the last release would replace; tests/lab/long/examples.test.ts upgrades stacks that run. */
import { readFileSync } from "node:fs";
import { git, lastRelease, releaseProblem } from "../../../toolchain/release";
import { root } from "../../../toolchain/folders";
import { type RecordedResource, recordFile, recordProgram } from "./record";

/** What a later version may lose on purpose, with the reason; CHANGELOG.md tells users. By `type::name`. */
const announced: Readonly<Record<string, string>> = {
    "multihost:loadBalancer:LoadBalancer$tls:index/privateKey:PrivateKey::balancer-443":
        "A clb takes no ECDSA key, which this one was. Clients trust the authority, which stays.",
};

/** Inputs that a later version changes on purpose where they are, with what the provider does about it. By type and change. */
const inPlace: Readonly<Record<string, string>> = {
    'alicloud:ecs/ecsDisk:EcsDisk: type was undefined, is "online"':
        "Says how a disk is enlarged. The schema of alicloud_ecs_disk has it without ForceNew, and its update sends it only with a larger size.",
    'alicloud:ecs/instance:Instance: keyName was "multihost-lab-bastion", is "multihost-lab-bastion_bastion"':
        "Comes from the bastion's key pair, whose name the engine leaves as it was (ignoreChanges); mocks don't.",
};

const typeOf = (urn: string): string => urn.split("::")[2]!.split("$").at(-1)!;
const shortOf = (urn: string): string => urn.split("::").slice(2).join("::");

/** What an upgrade would replace or delete, a line each. */
function losses(released: readonly RecordedResource[], current: readonly RecordedResource[]): string[] {
    // A resource that has kept its URN is that one, whatever else has it as an alias.
    const now = new Map([
        ...current.flatMap((resource) => resource.aliases.map((alias) => [alias, resource] as const)),
        ...current.map((resource) => [resource.urn, resource] as const),
    ]);
    return released.flatMap(({ urn, inputs: before = {} }) => {
        const same = now.get(urn);
        if (shortOf(urn) in announced) return [];
        if (same === undefined) return [`${shortOf(urn)} is gone, and nothing has it as an alias`];
        const after = same.inputs ?? {};
        return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => {
            const [was, is] = [JSON.stringify(before[key]), JSON.stringify(after[key])];
            const change = `${key} was ${was}, is ${is}`;
            const passed = was === is || same.ignored?.includes(key) === true;
            return passed || `${typeOf(urn)}: ${change}` in inPlace ? [] : [`${shortOf(urn)}: ${change}`];
        });
    });
}

describe("the comparison", () => {
    const disk = { urn: "urn:pulumi:s::p::ecs:Disk::data", aliases: [], inputs: { zoneId: "a", size: 20 } };

    it("finds what is gone, and what a resource that can't be made again would be replaced for", () => {
        expect(losses([disk], [disk])).toEqual([]);
        expect(losses([disk], [])).toEqual(["ecs:Disk::data is gone, and nothing has it as an alias"]);
        expect(losses([disk], [{ ...disk, inputs: { zoneId: "b", size: 20 } }])).toEqual([
            'ecs:Disk::data: zoneId was "a", is "b"',
        ]);
    });

    it("finds an input that is new, and one that is gone", () => {
        expect(losses([disk], [{ ...disk, inputs: { ...disk.inputs, snapshotId: "s-1" } }])).toEqual([
            'ecs:Disk::data: snapshotId was undefined, is "s-1"',
        ]);
        expect(losses([disk], [{ ...disk, inputs: { zoneId: "a" } }])).toEqual([
            "ecs:Disk::data: size was 20, is undefined",
        ]);
    });

    it("takes a new name with an alias for the same resource, and compares what it asks for", () => {
        const renamed = { ...disk, urn: "urn:pulumi:s::p::ecs:Disk::files", aliases: [disk.urn] };
        expect(losses([disk], [renamed])).toEqual([]);
        expect(losses([disk], [{ ...renamed, inputs: { zoneId: "b", size: 20 } }])).toEqual([
            'ecs:Disk::data: zoneId was "a", is "b"',
        ]);
    });

    it("passes a change that the engine leaves out, and no other", () => {
        const elsewhere = { ...disk, inputs: { zoneId: "b", size: 30 }, ignored: ["zoneId"] };
        expect(losses([disk], [elsewhere])).toEqual(["ecs:Disk::data: size was 20, is 30"]);
    });

    it("passes a change that the provider makes in place, and no other of that input", () => {
        const cloud = { ...disk, urn: "urn:pulumi:s::p::Pool$alicloud:ecs/ecsDisk:EcsDisk::data" };
        const typed = (type: string) => ({ ...cloud, inputs: { ...cloud.inputs, type } });
        expect(losses([cloud], [typed("online")])).toEqual([]);
        expect(losses([cloud], [typed("offline")])).toHaveLength(1);
    });
});

test("an upgrade of the whole platform from the last release replaces and deletes nothing", async () => {
    const { version, commit, resources } = JSON.parse(readFileSync(recordFile, "utf8")) as {
        version: string;
        commit: string;
        resources: RecordedResource[];
    };
    expect({ version, commit }).toEqual(lastRelease());
    expect(resources.length).toBeGreaterThan(150);
    const current = await recordProgram(root);
    expect(losses(resources, current)).toEqual([]);
}, 120_000);

test("the last release is no newer than this version, and part of its history", () => {
    const { version, commit } = lastRelease();
    const { version: own } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as { version: string };
    expect(version.localeCompare(own, "en", { numeric: true })).toBeLessThanOrEqual(0);
    // Without history there is only the record to compare with.
    if (releaseProblem() === undefined) git(root, "merge-base", "--is-ancestor", commit, "HEAD");
    else expect(releaseProblem()).toMatch(/git can't tell|shallow|lacks the last release/);
});

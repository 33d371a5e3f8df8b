/** What an upgrade from the last release would replace; tests/lab/88-examples.test.ts upgrades stacks that run. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { lastRelease, releaseProblem } from "../../../toolchain/release";
import { root } from "../../../toolchain/folders";
import { type RecordedResource, recordFile, recordProgram } from "./record";

/** What a later version may lose on purpose, with the reason; CHANGELOG.md tells users. By `type::name`. */
const announced: Readonly<Record<string, string>> = {};

const shortOf = (urn: string): string => urn.split("::").slice(2).join("::");

/** What an upgrade would replace or delete, a line each. */
function losses(released: readonly RecordedResource[], current: readonly RecordedResource[]): string[] {
    const now = new Map(current.map((resource) => [resource.urn, resource]));
    const aliases = new Set(current.flatMap((resource) => resource.aliases));
    return released.flatMap(({ urn, inputs }) => {
        const same = now.get(urn);
        if (shortOf(urn) in announced || (same === undefined && aliases.has(urn))) return [];
        if (same === undefined) return [`${shortOf(urn)} is gone, and nothing has it as an alias`];
        return Object.entries(inputs ?? {})
            .filter(([key, value]) => JSON.stringify(same.inputs?.[key]) !== JSON.stringify(value))
            .map(
                ([key, value]) =>
                    `${shortOf(urn)}: ${key} was ${JSON.stringify(value)}, is ${JSON.stringify(same.inputs?.[key])}`,
            );
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

    it("takes a new name with an alias for the same resource", () => {
        expect(losses([disk], [{ urn: "urn:pulumi:s::p::ecs:Disk::files", aliases: [disk.urn] }])).toEqual([]);
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
    if (releaseProblem() === undefined)
        execFileSync("git", ["merge-base", "--is-ancestor", commit, "HEAD"], { cwd: root });
    else expect(releaseProblem()).toMatch(/no clone|shallow|lacks the last release/);
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareVersions, isNewEnough, pinnedVersions } from "../../../toolchain/versions";

describe("which Pulumi on PATH will do", () => {
    it.each([
        ["v3.259.0", true],
        ["3.259.1", true],
        ["v3.300.0", true],
        ["v3.258.9", false],
        ["v3.99.0", false],
        ["v3.259.0-alpha.1", false],
        ["v3.260.0-alpha.1", true],
        ["v4.0.0", false],
        ["v2.999.0", false],
        ["", false],
        ["dev", false],
    ])("%s: %s", (found, expected) => expect(isNewEnough(found, "3.259.0")).toBe(expected));
});

describe("order of versions", () => {
    it("compares numbers, not letters", () => expect(compareVersions("go1.9.2", "1.25.11")).toBeLessThan(0));
    it("reads Go's way of writing a first release", () => expect(compareVersions("go1.26", "1.26.0")).toBe(0));
    it("puts a pre-release before its release", () => expect(compareVersions("go1.26rc1", "1.26")).toBeLessThan(0));
    it("refuses what is no version", () =>
        expect(() => compareVersions("devel", "1.26")).toThrow("not a version: devel"));
});

describe("pinned versions", () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "versions-"))));
    afterEach(() => rmSync(folder, { recursive: true }));
    const write = (alicloud: string): void => {
        const dependencies = {
            "@pulumi/pulumi": "3.259.0",
            "@pulumi/alicloud": alicloud,
            "@pulumi/command": "1.2.1",
            "@pulumi/tls": "5.6.1",
        };
        writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies }));
    };

    it("are those of the npm packages", () => {
        write("3.106.0");
        expect(pinnedVersions(folder)).toEqual({
            pulumi: "3.259.0",
            alicloud: "3.106.0",
            command: "1.2.1",
            tls: "5.6.1",
        });
    });

    it("must be exact", () => {
        write("^3.106.0");
        expect(() => pinnedVersions(folder)).toThrow(
            "package.json must pin an exact version of @pulumi/alicloud, it has ^3.106.0",
        );
    });

    it("are complete in this project", () =>
        expect(Object.keys(pinnedVersions())).toEqual(["pulumi", "alicloud", "command", "tls"]));
});

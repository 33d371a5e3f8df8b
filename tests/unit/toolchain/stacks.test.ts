import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publishedChecksum } from "../../../toolchain/official";
import { contentHash } from "../../../toolchain/sources";
import { chosenStack, livesInLab, stackOf } from "../../../toolchain/stacks";

describe("the stack of a command line", () => {
    it.each([
        ["up -s lab", "lab"],
        ["up --stack lab --yes", "lab"],
        ["--stack=organization/multihost/lab preview", "lab"],
        ["-slab up", "lab"],
        ["stack select lab", "lab"],
        ["stack init --copy-config-from dev lab -s other", "other"],
        ["stack output redisUrl", undefined],
        ["up --yes", undefined],
        ["config set key -- -s", undefined],
    ])("%s: %s", (line, expected) => expect(chosenStack(line.split(" "), {})).toBe(expected));

    it("comes from PULUMI_STACK when the arguments name none", () => {
        expect(chosenStack(["up"], { PULUMI_STACK: "lab" })).toBe("lab");
        expect(chosenStack(["up", "-s", "dev"], { PULUMI_STACK: "lab" })).toBe("dev");
        expect(chosenStack(["up"], { PULUMI_STACK: "" })).toBeUndefined();
    });
});

test("a command's stack is never an empty name, which Pulumi takes for the one that is selected", () => {
    expect(stackOf(undefined, {})).toBe("lab");
    expect(stackOf(undefined, { PULUMI_STACK: "" })).toBe("lab");
    expect(stackOf(undefined, { PULUMI_STACK: "dev" })).toBe("dev");
    expect(stackOf("prod", { PULUMI_STACK: "dev" })).toBe("prod");
    expect(() => stackOf("", { PULUMI_STACK: "dev" })).toThrow("--stack is empty");
});

it.each([
    ["lab", true],
    ["organization/multihost/lab", true],
    ["lab-b", true],
    ["labour", false],
    ["dev-lab", false],
    [undefined, false],
])("%s lives in the lab: %s", (stack, expected) => expect(livesInLab(stack)).toBe(expected));

describe("files", () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "environment-"))));
    afterEach(() => rmSync(folder, { recursive: true }));

    it("a content hash changes with content, name and salt, and with nothing else", () => {
        writeFileSync(join(folder, "a"), "1");
        const before = contentHash(folder, ["."]);
        expect(contentHash(folder, ["."])).toBe(before);
        expect(contentHash(folder, ["."], "salt")).not.toBe(before);
        writeFileSync(join(folder, "a"), "2");
        expect(contentHash(folder, ["."])).not.toBe(before);
        writeFileSync(join(folder, "a"), "1");
        expect(contentHash(folder, ["."])).toBe(before);
        writeFileSync(join(folder, "b"), "");
        expect(contentHash(folder, ["."])).not.toBe(before);
    });
});

describe("published checksums", () => {
    const sum = "a".repeat(64);
    const list = `${sum}  pulumi-v3.259.0-linux-x64.tar.gz\n${"b".repeat(64)} *pulumi-v3.259.0-linux-arm64.tar.gz\n`;
    it("are found by the name of the file", () =>
        expect(publishedChecksum(list, "pulumi-v3.259.0-linux-x64.tar.gz")).toBe(sum));
    it("are found in the binary notation", () =>
        expect(publishedChecksum(list, "pulumi-v3.259.0-linux-arm64.tar.gz")).toBe("b".repeat(64)));
    it("are not taken from a similar name", () =>
        expect(publishedChecksum(list, "v3.259.0-linux-x64.tar.gz")).toBeUndefined());
    it("are not taken from an error page", () => expect(publishedChecksum("<html>", "<html>")).toBeUndefined());
});

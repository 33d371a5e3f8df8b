/** What an image is built of, on a machine of another distribution that builds none. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { ARCHIVE_KEYS } from "../../../lab/hosts/archiveKeys";
import { definitions } from "../../../lab/hosts/definitions";
import type { Docker } from "../../../lab/hosts/docker";
import { ensureImage } from "../../../lab/hosts/image";
import type { Runner } from "../../../lab/hosts/runner";

const mockInstalled: string[] = [];
jest.mock("../../../lab/hosts/engine", () => ({
    osRelease: () => ({ id: "ubuntu", codename: "jammy" }),
    installPackages: async (packages: readonly string[]) => void mockInstalled.push(...packages),
}));

const before = { ...process.env };
let folder: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lab-image-"));
    process.env["MULTIHOST_CACHE"] = folder;
    mockInstalled.length = 0;
    // Whoever reads the tests' output need not be told of builds that end as they should.
    jest.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => {
    jest.restoreAllMocks();
    process.env = { ...before };
    rmSync(folder, { recursive: true, force: true });
});

/** The command that makes the base system, the keyring that it gets, and the sources that packages come from afterwards. */
async function building(definition: (typeof definitions)[number]) {
    let command: readonly string[] = [];
    let keyring = Buffer.alloc(0);
    let sources = "";
    const docker = { imageId: async () => undefined, close: () => undefined } as unknown as Docker;
    const runner = {
        attempt: async () => ({ code: 0, stdout: "", stderr: "" }),
        run: async (argv: readonly string[]) => {
            if (argv[0] === "debootstrap") {
                command = argv;
                keyring = readFileSync(argv.find((word) => word.startsWith("--keyring="))?.slice(10) ?? "none");
                return "";
            }
            const file = path.join(argv[1] ?? "", "etc/apt/sources.list");
            if (existsSync(file)) sources = readFileSync(file, "utf8");
            throw new Error("enough");
        },
    } as unknown as Runner;
    await expect(ensureImage(definition, { docker, runner })).rejects.toThrow("enough");
    return { command, keyring, sources };
}

test.each(definitions)("the base system of $name is taken only with its release's signature", async (definition) => {
    const { keyring, command } = await building(definition);
    expect(mockInstalled).toEqual(["debootstrap", "gpgv"]);
    expect(keyring.toString("base64")).toBe(ARCHIVE_KEYS[definition.release].key);
    expect(existsSync(command.find((word) => word.startsWith("--keyring="))!.slice(10))).toBe(false);
});

test.each(Object.entries(ARCHIVE_KEYS))("the key of %s has its fingerprint", (_, { key, fingerprint }) => {
    // A packet of the former format, of a tag and a length in one byte, is the key; its digest has a length of two.
    const packet = Buffer.from(key, "base64");
    const body = packet.subarray(2, 2 + packet[1]!);
    const digest = createHash("sha1")
        .update(Buffer.from([0x99, 0, body.length]))
        .update(body);
    expect(packet[0]).toBe(0x98);
    expect(digest.digest("hex").toUpperCase()).toBe(fingerprint);
});

test("another archive is that of the base system and of what comes from sources of its own", async () => {
    const mirror = "http://mirror.example/debian";
    process.env["MULTIHOST_DEBIAN_MIRROR"] = mirror;
    const [debian12, debian13] = [await building(definitions[0]!), await building(definitions[1]!)];
    for (const { command } of [debian12, debian13]) expect(command.at(-1)).toBe(mirror);
    // What debootstrap writes stays where there is nothing to add.
    expect(debian12.sources).toBe("");
    expect(debian13.sources).toBe(`deb ${mirror} trixie main\ndeb [check-valid-until=no] ${mirror} sid main\n`);
});

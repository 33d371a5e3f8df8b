import * as fs from "node:fs";
import * as path from "node:path";
import { commandPlugin } from "../../../toolchain/plugins/command/plugin";
import { archive, asset, Secret, type ValueMap } from "../../../toolchain/plugins/common/values";
import { failureOf, ProviderUnderTest } from "./support/provider";
import { currentUser, type KeyPair, makeKey, Sshd, temporaryFolder } from "./support/sshd";

const type = "command:remote:CopyToRemote";

let folder: string;
let key: KeyPair;
let sshd: Sshd;
let provider: ProviderUnderTest;
let remote: string;

const connection = (): ValueMap => ({
    ...{ host: "127.0.0.1", port: sshd.port, user: currentUser },
    privateKey: key.privateKey,
});

async function copy(source: ValueMap, remotePath: string) {
    return provider.create(type, { connection: connection(), source, remotePath });
}

beforeAll(async () => {
    folder = temporaryFolder();
    key = makeKey(folder, "user");
    sshd = await Sshd.start(folder, [key.publicKey]);
    provider = await ProviderUnderTest.start(commandPlugin());
    fs.mkdirSync(path.join(folder, "source/deep/er"), { recursive: true });
    fs.writeFileSync(path.join(folder, "source/one"), "1");
    fs.writeFileSync(path.join(folder, "source/deep/er/two"), Buffer.alloc(300_000, "2"));
});

afterAll(async () => {
    await provider.stop();
    await sshd.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
    remote = fs.mkdtempSync(path.join(folder, "remote-"));
});

describe("CopyToRemote", () => {
    it("copies a file to a path, making its folders, or into a folder that exists", async () => {
        const source = asset({ path: path.join(folder, "source/one"), hash: "h" });
        await copy(source, `${remote}/new/name`);
        expect(fs.readFileSync(`${remote}/new/name`, "utf8")).toBe("1");
        await copy(source, `${remote}/new`);
        expect(fs.readFileSync(`${remote}/new/one`, "utf8")).toBe("1");
    });

    it("copies a text, over what is there", async () => {
        await copy(asset({ text: "long text" }), `${remote}/text`);
        await copy(asset({ text: "täxt" }), `${remote}/text`);
        expect(fs.readFileSync(`${remote}/text`, "utf8")).toBe("täxt");
        expect(await failureOf(copy(asset({ text: "x" }), remote))).toContain(
            "is a directory; when using a text asset",
        );
    });

    it("copies a folder, and with a trailing slash only what is in it", async () => {
        const source = path.join(folder, "source");
        await copy(archive({ path: source }), `${remote}/a/b`);
        expect(fs.readFileSync(`${remote}/a/b/source/one`, "utf8")).toBe("1");
        expect(fs.statSync(`${remote}/a/b/source/deep/er/two`).size).toBe(300_000);
        await copy(archive({ path: `${source}/` }), `${remote}/c`);
        expect(fs.readdirSync(`${remote}/c`).sort()).toEqual(["deep", "one"]);
        expect(await failureOf(copy(archive({ path: source }), `${remote}/c/one`))).toMatch(/one/);
    });

    it("copies again only when content or path changed", async () => {
        const first = await copy(asset({ text: "first", hash: "1" }), `${remote}/text`);
        fs.writeFileSync(`${remote}/text`, "touched");
        const moved = { ...first.inputs, connection: { ...connection(), dialErrorLimit: 1 } };
        await provider.update(type, first.outputs, moved);
        expect(fs.readFileSync(`${remote}/text`, "utf8")).toBe("touched");
        await provider.update(type, first.outputs, { ...first.inputs, source: asset({ text: "second", hash: "2" }) });
        expect(fs.readFileSync(`${remote}/text`, "utf8")).toBe("second");
    });

    it("updates for new content, and is replaced for a trigger", async () => {
        const old = { source: asset({ text: "a", hash: "1" }), remotePath: "/x", triggers: [1] };
        const changed = await provider.diff(type, old, old, { ...old, source: asset({ text: "b", hash: "2" }) });
        expect(changed).toEqual({ changed: true, replaces: [], details: { source: "UPDATE" } });
        expect((await provider.diff(type, old, old, { ...old, triggers: [2] })).replaces).toEqual(["triggers"]);
    });

    it("refuses sources that it can't copy, and paths that are not there", async () => {
        const { failures } = await provider.check(type, {
            connection: connection(),
            source: archive({ assets: {} }),
            remotePath: new Secret("/x"),
        });
        expect(failures).toEqual(["archive: archive must be a path to a file or directory"]);
        expect(await failureOf(copy(asset({ path: `${folder}/missing` }), `${remote}/x`))).toContain("ENOENT");
        const refused = await failureOf(copy(asset({ text: "x" }), "/proc/1/nothing/here"));
        expect(refused).toMatch(/^failed to create remote directory \/proc\/1\/nothing/);
    });
});

describe("CopyFile", () => {
    it("copies one file, and is replaced by any change", async () => {
        const inputs = {
            connection: connection(),
            localPath: path.join(folder, "source/one"),
            remotePath: `${remote}/one`,
        };
        const { outputs } = await provider.create("command:remote:CopyFile", inputs);
        expect(fs.readFileSync(`${remote}/one`, "utf8")).toBe("1");
        const changed = { ...inputs, remotePath: "/other" };
        const difference = await provider.diff("command:remote:CopyFile", outputs, inputs, changed);
        expect(difference.replaces).toEqual(["remotePath"]);
    });
});

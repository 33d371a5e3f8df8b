import * as fs from "node:fs";
import * as path from "node:path";
import { selectFiles } from "../../../toolchain/plugins/command/glob";
import { commandPlugin } from "../../../toolchain/plugins/command/plugin";
import { archive, asset, Secret, Unknown, type ValueMap } from "../../../toolchain/plugins/common/values";
import { failureOf, ProviderUnderTest } from "./support/provider";
import { temporaryFolder } from "./support/sshd";

const type = "command:local:Command";
const run = "command:local:run";

let folder: string;
let provider: ProviderUnderTest;

function write(name: string, content = name): void {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
}

beforeEach(async () => {
    folder = temporaryFolder();
    provider = await ProviderUnderTest.start(commandPlugin());
});

afterEach(async () => {
    await provider.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

describe("local.Command", () => {
    it("runs in a shell, with directory, input and environment", async () => {
        const { outputs } = await provider.create(type, {
            create: 'pwd; cat; echo "$GIVEN/$HOME"; echo warned >&2',
            dir: folder,
            stdin: "input\n",
            environment: { GIVEN: "given" },
        });
        expect(outputs["stdout"]).toBe(`${fs.realpathSync(folder)}\ninput\ngiven/${process.env["HOME"] ?? ""}`);
        expect(outputs["stderr"]).toBe("warned");
        expect(provider.log.map((line) => line.text).join("\n")).toContain("warned");
    });

    it("runs in another interpreter", async () => {
        const interpreter = [process.execPath, "-e"];
        const { outputs } = await provider.create(type, { create: "console.log(6 * 7)", interpreter });
        expect(outputs["stdout"]).toBe("42");
    });

    it("passes the last output to update and delete", async () => {
        const { outputs, inputs } = await provider.create(type, { create: "echo made" });
        const show = 'echo "again $PULUMI_COMMAND_STDOUT"';
        const updated = await provider.update(type, outputs, { ...inputs, update: show });
        expect(updated["stdout"]).toBe("again made");
        const file = path.join(folder, "deleted");
        await provider.delete(type, { ...updated, delete: `echo "$PULUMI_COMMAND_STDOUT" > ${file}` });
        expect(fs.readFileSync(file, "utf8")).toBe("again made\n");
    });

    it("collects files as assets and as an archive", async () => {
        const { outputs } = await provider.create(type, {
            create: "mkdir -p out; echo one > out/one.txt; echo two > out/two.log",
            dir: folder,
            assetPaths: ["out/*.txt"],
            archivePaths: ["**", "!**.log"],
        });
        const assets = outputs["assets"] as Record<string, ValueMap>;
        expect(Object.keys(assets)).toEqual(["out/one.txt"]);
        expect(assets["out/one.txt"]).toMatchObject({ path: path.join(folder, "out/one.txt") });
        expect(assets["out/one.txt"]!["hash"]).toMatch(/^[0-9a-f]{64}$/);
        expect(Object.keys((outputs["archive"] as ValueMap)["assets"]!)).toEqual(["out/one.txt"]);
    });

    it("keeps assets on refresh, though the engine hands them over without their content", async () => {
        write("one.txt");
        const globs = { assetPaths: ["*.txt"], archivePaths: ["*.txt"] };
        const { outputs, inputs } = await provider.create(type, { create: "true", dir: folder, ...globs });
        const elided = {
            ...outputs,
            assets: {
                "one.txt": asset({ hash: (outputs["assets"] as Record<string, ValueMap>)["one.txt"]!["hash"]! }),
            },
            archive: archive({ hash: (outputs["archive"] as ValueMap)["hash"]! }),
        };
        expect(await provider.read(type, elided, inputs)).toEqual(outputs);
    });

    it("has unknown outputs in a preview, and does not run", async () => {
        const create = `touch ${folder}/ran`;
        const { outputs } = await provider.create(type, { create }, { preview: true });
        expect(outputs["stdout"]).toBeInstanceOf(Unknown);
        expect(fs.existsSync(path.join(folder, "ran"))).toBe(false);
    });

    it("is replaced when a trigger changes", async () => {
        const difference = await provider.diff(type, {}, { triggers: ["a"] }, { triggers: ["a", "b"] });
        expect(difference).toEqual({
            changed: true,
            replaces: ["triggers"],
            details: { "triggers[1]": "ADD_REPLACE" },
        });
    });

    it("reports how it failed", async () => {
        const fail = (inputs: ValueMap) => failureOf(provider.create(type, inputs));
        expect(await fail({ create: "echo out; exit 3" })).toBe('exit status 3: running "echo out; exit 3":\nout\n');
        expect(await fail({ create: "kill -KILL $$" })).toMatch(/^signal: SIGKILL: running /);
        expect(await fail({ create: "x", interpreter: ["no-such-program"] })).toContain("executable file not found");
        expect(await fail({ create: "true", dir: path.join(folder, "missing") })).toContain(
            "no such file or directory",
        );
        const secret = await fail({
            create: "echo $HIDDEN; exit 1",
            environment: { HIDDEN: new Secret("hidden text") },
        });
        expect(secret).toContain("[secret]");
        expect(secret).not.toContain("hidden text");
    });

    it("is ended, with all it started, by a cancel", async () => {
        const file = path.join(folder, "pid");
        const running = failureOf(provider.create(type, { create: `sleep 300 & echo $! > ${file}; wait` }));
        while (!fs.existsSync(file) || fs.readFileSync(file, "utf8") === "") {
            await new Promise((resolve) => setTimeout(resolve, 25));
        }
        const pid = Number(fs.readFileSync(file, "utf8"));
        const started = Date.now();
        await provider.cancel();
        expect(await running).toMatch(/^context canceled/);
        expect(Date.now() - started).toBeLessThan(10_000);
        // A process that ended may wait for its parent to notice.
        const state = fs.existsSync(`/proc/${pid}/stat`)
            ? fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[2]
            : "Z";
        expect(state).toBe("Z");
    });
});

describe("local.run", () => {
    it("runs at once and returns what it wrote", async () => {
        const result = await provider.invoke(run, { command: "echo $GIVEN", environment: { GIVEN: "given" } });
        expect(result).toMatchObject({ command: "echo $GIVEN", stdout: "given", stderr: "" });
    });

    it("fails with the command, and without one", async () => {
        expect(await failureOf(provider.invoke(run, { command: "exit 2" }))).toMatch(
            /^exit status 2: running "exit 2"/,
        );
        expect(await failureOf(provider.invoke(run, {}))).toBe("missing required property 'command'");
    });
});

describe("path patterns", () => {
    it.each<[string[], string[]]>([
        [["*"], ["top.js"]],
        [
            ["assets/**", "src/**.js", "!**secret.*"],
            ["assets/logos/logo.svg", "src/index.js"],
        ],
        [["{src,assets}/*.{js,css}"], ["src/index.js", "src/secret.js"]],
        [["src/[a-i]*.js"], ["src/index.js"]],
        [["src/[!s]*.js"], ["src/index.js"]],
        [["t?p.js"], ["top.js"]],
        [["src/\\*.js"], []],
        [["!**", "top.js"], ["top.js"]],
    ])("%j select %j", async (rules, expected) => {
        ["assets/logos/logo.svg", "src/index.js", "src/secret.js", "top.js"].forEach((name) => write(name));
        expect(await selectFiles(folder, rules)).toEqual(expected);
    });

    it("that are not closed are an error", async () => {
        await expect(selectFiles(folder, ["{a"])).rejects.toThrow("'{' is not closed");
        await expect(selectFiles(folder, ["[a"])).rejects.toThrow("'[' is not closed");
    });
});

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { buildPlugin, type PluginKind } from "../../../toolchain/plugins/build";
import { failureOf, ProviderUnderTest } from "./support/provider";
import { temporaryFolder } from "./support/sshd";

let folder: string;

beforeAll(() => {
    folder = temporaryFolder();
});

afterAll(() => {
    fs.rmSync(folder, { recursive: true, force: true });
});

const firstLine = (child: ChildProcess) =>
    new Promise<string>((resolve) => child.stdout!.once("data", (data: Buffer) => resolve(data.toString())));
const exit = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once("exit", resolve));

describe.each<PluginKind>(["command", "tls"])("the built %s plugin", (kind) => {
    it("is a folder and an archive that need nothing but node, and speaks the engine's protocol", async () => {
        const built = await buildPlugin(kind, path.join(folder, kind));
        const listed = execFileSync("tar", ["-tzf", built.archive], { encoding: "utf8" });
        expect(listed).toContain(`./pulumi-resource-${kind}\n`);

        const engine = await ProviderUnderTest.engineOnly();
        const program = path.join(built.directory, `pulumi-resource-${kind}`);
        // As an engine may find it: through a link, from another folder, without packages in reach.
        const link = path.join(folder, `link-${kind}`);
        fs.symlinkSync(program, link);
        const child = spawn(link, ["--logtostderr", engine.engineAddress], {
            cwd: "/",
            stdio: ["ignore", "pipe", "inherit"],
        });
        const port = Number(await firstLine(child));
        engine.connect(port);
        expect(await engine.version()).toBe(built.version);
        await engine.configure();

        const ended = exit(child);
        child.kill("SIGTERM");
        expect(await ended).toBe(0);
        await engine.stop();
    });
});

describe("a plugin whose engine is gone", () => {
    it("ends what it runs, and itself", async () => {
        const { directory } = await buildPlugin("command", path.join(folder, "orphan"));
        const engine = await ProviderUnderTest.engineOnly();
        // The shell stands for the engine: the plugin is its child.
        const program = path.join(directory, "pulumi-resource-command");
        const shell = spawn("/bin/sh", ["-c", `${program} ${engine.engineAddress} & echo $! >&2; wait`], {
            stdio: ["ignore", "pipe", "pipe"],
        });
        const pluginPid = new Promise<number>((resolve) =>
            shell.stderr.once("data", (data: Buffer) => resolve(Number(data.toString()))),
        );
        engine.connect(Number(await firstLine(shell)));
        await engine.configure();
        const file = path.join(folder, "started");
        const running = failureOf(
            engine.create("command:local:Command", { create: `echo $$ > ${file}; exec sleep 300` }),
        );
        while (!fs.existsSync(file) || fs.readFileSync(file, "utf8") === "") {
            await new Promise((resolve) => setTimeout(resolve, 25));
        }
        const pids = [await pluginPid, Number(fs.readFileSync(file, "utf8"))];
        shell.kill("SIGKILL");
        await running;
        const alive = () =>
            pids.filter((pid) => {
                const stat = `/proc/${pid}/stat`;
                return fs.existsSync(stat) && fs.readFileSync(stat, "utf8").split(" ")[2] !== "Z";
            });
        for (let attempt = 0; attempt < 100 && alive().length > 0; attempt++) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        expect(alive()).toEqual([]);
        await engine.stop();
    });
});

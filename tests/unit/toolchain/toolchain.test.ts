import {
    chmodSync,
    existsSync,
    lstatSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readlinkSync,
    rmSync,
    statSync,
    utimesSync,
    writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { alicloudTarget, cliTargets, goHash } from "../../../toolchain/goBuild";
import { standInHash } from "../../../toolchain/standIns";
import { ensureToolchain, type Part, toolchainProblems } from "../../../toolchain/toolchain";
import { pinnedVersions } from "../../../toolchain/versions";

const versions = pinnedVersions();
const plugins = ["alicloud", "command", "tls"] as const;

describe("the toolchain that a machine already has", () => {
    let folder: string;
    let bin: string;
    let said: string;
    let server: Server | undefined;
    const saved = { ...process.env };

    const write = (path: string, text: string): void => {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
        chmodSync(path, 0o755);
    };
    const installPulumi = (version: string): void => {
        write(join(bin, "pulumi"), `#!/bin/sh\necho ${version}\n`);
        write(join(bin, "pulumi-language-nodejs"), "#!/bin/sh\n");
    };
    const installPlugins = (): void => {
        for (const name of plugins)
            write(
                join(folder, "home", "plugins", `resource-${name}-v${versions[name]}`, `pulumi-resource-${name}`),
                "#!/bin/sh\n",
            );
    };

    const cachePart = (name: Part, kind: string, text = "#!/bin/sh\n"): void => {
        const path = name === "pulumi" ? join("bin", "pulumi") : join("plugin", `pulumi-resource-${name}`);
        write(join(folder, "cache", "parts", `${name}-${versions[name]}-${kind}`, path), text);
    };
    /** A mirror that says it has everything, and gives nothing. Returns the requests that it gets. */
    const serve = async (): Promise<string[]> => {
        const requests: string[] = [];
        server = createServer((request, response) => {
            requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
            response.writeHead(request.method === "HEAD" ? 200 : 404, { connection: "close" }).end();
        });
        await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
        process.env["MULTIHOST_PULUMI_SITE"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        return requests;
    };

    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "toolchain-"));
        bin = join(folder, "bin");
        mkdirSync(bin);
        process.env["MULTIHOST_CACHE"] = join(folder, "cache");
        process.env["PULUMI_HOME"] = join(folder, "home");
        // A mirror that refuses at once stands for a network without the official downloads.
        process.env["MULTIHOST_PULUMI_SITE"] = "http://127.0.0.1:9";
        // Neither Go nor curl, whatever this machine has.
        process.env["PATH"] = bin;
        delete process.env["MULTIHOST_TOOLCHAIN"];
        said = "";
        jest.spyOn(process.stderr, "write").mockImplementation((text) => {
            said += String(text);
            return true;
        });
    });
    afterEach(async () => {
        jest.restoreAllMocks();
        await new Promise((done) => (server === undefined ? done(undefined) : server.close(done)));
        server = undefined;
        process.env = { ...saved };
        rmSync(folder, { recursive: true });
    });

    it("is used as it is, and left untouched", async () => {
        installPulumi(`v${versions.pulumi}`);
        installPlugins();
        expect(await toolchainProblems()).toEqual([]);
        const { pulumi, env, origin } = await ensureToolchain();
        expect(origin).toEqual({ pulumi: "path", alicloud: "path", command: "path", tls: "path" });
        expect(pulumi).toBe(join(bin, "pulumi"));
        expect(env["PATH"]?.split(delimiter)[0]).toBe(bin);
        expect(env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"]).toBeUndefined();

        const linked = join(env["PULUMI_HOME"]!, "plugins", `resource-tls-v${versions.tls}`);
        expect(lstatSync(linked).isDirectory()).toBe(true);
        expect(readlinkSync(join(linked, "pulumi-resource-tls"))).toContain(join(folder, "home"));
        expect(readdirSync(join(folder, "home"))).toEqual(["plugins"]);
        expect(said).toBe("");
    });

    it("is called without a proxy on this machine, beside what was to have none", async () => {
        installPulumi(`v${versions.pulumi}`);
        installPlugins();
        process.env["NO_PROXY"] = "example.test, .internal";
        delete process.env["no_proxy"];
        const list = "example.test,.internal,127.0.0.1,localhost";
        expect((await ensureToolchain()).env).toMatchObject({ NO_PROXY: list, no_proxy: list });
    });

    it("is found again without starting a program", async () => {
        const calls = join(folder, "calls");
        installPulumi(`v${versions.pulumi}; echo call >> ${calls}`);
        installPlugins();
        const first = await ensureToolchain();
        expect(existsSync(calls)).toBe(true);
        rmSync(calls);
        expect(await ensureToolchain()).toEqual(first);
        expect(existsSync(calls)).toBe(false);
    });

    it("keeps no logs of what Pulumi does, which would cost most of its time, and takes away those of former versions", async () => {
        installPulumi(`v${versions.pulumi}`);
        installPlugins();
        const home = (await ensureToolchain()).env["PULUMI_HOME"]!;
        expect(lstatSync(join(home, "logs")).isFile()).toBe(true);
        // As a checkout of a former version left it.
        rmSync(join(home, "logs"));
        rmSync(join(home, "plugins.json"));
        write(join(home, "logs", "pulumi-1.log"), "a log");
        await ensureToolchain();
        expect(lstatSync(join(home, "logs")).isFile()).toBe(true);
    });

    it("is not used when it is too old: what then stands in the way is said before anything begins", async () => {
        installPulumi("v3.1.0");
        installPlugins();
        const why = "The official Pulumi downloads are out of reach, so it is built from source, but there is no Go:";
        await expect(ensureToolchain()).rejects.toThrow(why);
        expect(existsSync(join(folder, "cache"))).toBe(false);
    });

    it("is asked for no build that it does not need", async () => {
        installPulumi("v3.999.0");
        installPlugins();
        expect(await toolchainProblems()).toEqual([]);
        rmSync(join(folder, "home"), { recursive: true });
        expect(await toolchainProblems()).toEqual([expect.stringContaining("there is no Go: install Go 1.")]);
    });

    it("is not asked of the network when it was downloaded before", async () => {
        for (const name of ["pulumi", ...plugins] as const) cachePart(name, "official");
        const requests = await serve();
        expect(await toolchainProblems()).toEqual([]);
        expect((await ensureToolchain()).origin).toEqual({
            pulumi: "official",
            alicloud: "official",
            command: "official",
            tls: "official",
        });
        expect(requests).toEqual([]);
    });

    it("is built after a download that failed only when nothing stands in the way of that", async () => {
        // The CLI's site answers, the plugins' doesn't.
        cachePart("pulumi", "official", '#!/bin/sh\necho "error: the plugins are out of reach" >&2\nexit 1\n');
        for (const name of ["command", "tls"] as const) cachePart(name, "official");
        await serve();
        const failure = await ensureToolchain().catch(String);
        expect(failure).toContain("error: the plugins are out of reach");
        expect(failure).toContain("so it is built from source, but there is no Go: install Go 1.");
        expect(failure).not.toContain("ENOENT");
        expect(said).not.toContain("Build the alicloud plugin");
    });

    it("is asked for again a day after it was built, and then downloaded where that is offered", async () => {
        cachePart("pulumi", `built-${goHash(cliTargets(versions.pulumi))}`);
        cachePart("alicloud", `built-${goHash([alicloudTarget(versions.alicloud)])}`);
        for (const name of ["command", "tls"] as const) cachePart(name, `standin-${standInHash(name, versions[name])}`);
        const own = { pulumi: "built", alicloud: "built", command: "stand-in", tls: "stand-in" };
        expect((await ensureToolchain()).origin).toEqual(own);
        const selections = join(folder, "cache", "selections");
        const file = join(selections, readdirSync(selections)[0]!);
        const age = (hours: number): void => utimesSync(file, new Date(), new Date(Date.now() - hours * 3_600_000));

        age(25);
        expect((await ensureToolchain()).origin).toEqual(own);
        // Out of reach still, which is not asked again within the day.
        expect(Date.now() - statSync(file).mtimeMs).toBeLessThan(60_000);

        for (const name of ["pulumi", "alicloud", "tls"] as const) cachePart(name, "official");
        const requests = await serve();
        age(23);
        expect((await ensureToolchain()).origin).toEqual(own);
        expect(requests).toEqual([]);
        age(25);
        const origin = { pulumi: "official", alicloud: "official", command: "stand-in", tls: "official" };
        expect((await ensureToolchain()).origin).toEqual(origin);
        expect(requests).toEqual([expect.stringMatching(/^HEAD /)]);
        // Of the one plugin that was offered and not given.
        expect(said.split("The official download failed, going on without it: ")).toHaveLength(2);
    });

    it("is a download of before also where only downloads are wanted, and nothing else is", async () => {
        process.env["MULTIHOST_TOOLCHAIN"] = "official";
        for (const name of ["pulumi", "command", "tls"] as const) cachePart(name, "official");
        cachePart("alicloud", `built-${goHash([alicloudTarget(versions.alicloud)])}`);
        expect(await toolchainProblems()).toEqual([expect.stringContaining("get.pulumi.com is out of reach")]);
        cachePart("alicloud", "official");
        expect(await toolchainProblems()).toEqual([]);
        expect((await ensureToolchain()).origin["alicloud"]).toBe("official");
    });

    it("refuses a preference that does not exist", async () => {
        process.env["MULTIHOST_TOOLCHAIN"] = "newest";
        await expect(ensureToolchain()).rejects.toThrow(
            'MULTIHOST_TOOLCHAIN is "newest": set it to auto, official or build, or unset it.',
        );
    });
});

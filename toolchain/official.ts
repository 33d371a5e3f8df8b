/** The official downloads: always preferred where they can be reached. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { step } from "./progress.cjs";
import { run } from "./run";

const officialSite = "https://get.pulumi.com";

/** Where to download from: `MULTIHOST_PULUMI_SITE` names a mirror with the same layout. */
function site(): string {
    return (process.env["MULTIHOST_PULUMI_SITE"] ?? officialSite).replace(/\/+$/, "");
}

const probeSeconds = 4;

/** `linux-x64`, `darwin-arm64` and so on: the downloads are named as Node.js names the platform. */
function platform(): string {
    return `${process.platform}-${process.arch}`;
}

async function hasCurl(): Promise<boolean> {
    return run("curl", ["--version"]).then(
        () => true,
        () => false,
    );
}

let curl: Promise<boolean> | undefined;
const reached = new Map<string, Promise<boolean>>();

// curl first: it honours the proxy and certificate settings of the machine, which Node.js ignores.
async function probe(url: string): Promise<boolean> {
    curl ??= hasCurl();
    if (await curl)
        return run("curl", [
            "--silent",
            "--fail",
            "--location",
            "--head",
            "--output",
            "/dev/null",
            "--max-time",
            String(probeSeconds),
            url,
        ]).then(
            () => true,
            () => false,
        );
    try {
        return (await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(probeSeconds * 1000) })).ok;
    } catch {
        return false;
    }
}

async function download(url: string, file: string): Promise<void> {
    curl ??= hasCurl();
    if (await curl) {
        await run("curl", ["--silent", "--show-error", "--fail", "--location", "--retry", "3", "--output", file, url]);
        return;
    }
    const response = await fetch(url);
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
}

async function sha256(file: string): Promise<string> {
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    return hash.digest("hex");
}

/** The checksum that a published list gives for a file. */
export function publishedChecksum(list: string, file: string): string | undefined {
    for (const line of list.split("\n")) {
        const [sum, name] = line.trim().split(/\s+\*?/);
        if (name === file && /^[0-9a-f]{64}$/.test(sum ?? "")) return sum;
    }
    return undefined;
}

function archiveOf(version: string): string {
    return `pulumi-v${version}-${platform()}.tar.gz`;
}

/** Whether the CLI's official release can be downloaded from here; asked once per process, answered within seconds. */
export function isReachable(version: string): Promise<boolean> {
    const url = `${site()}/releases/sdk/${archiveOf(version)}`;
    let answer = reached.get(url);
    if (answer === undefined) reached.set(url, (answer = probe(url)));
    return answer;
}

/** Downloads the official CLI with its language hosts and puts it into `folder`/bin, after its checksum was verified. */
export async function installCli(version: string, folder: string): Promise<void> {
    await step(`Download Pulumi ${version}`, { about: "1 min" }, async (report) => {
        const name = archiveOf(version);
        const archive = join(folder, name);
        const list = join(folder, "checksums.txt");
        const checksums = `pulumi-${version}-checksums.txt`;
        await download(`${site()}/releases/sdk/${checksums}`, list).catch((error: unknown) => {
            // A mirror vouches for itself or not at all.
            if (site() !== officialSite) throw error;
            return download(`https://github.com/pulumi/pulumi/releases/download/v${version}/${checksums}`, list);
        });
        const wanted = publishedChecksum(await readFile(list, "utf8"), name);
        if (wanted === undefined) throw new Error(`${checksums} has no checksum of ${name}`);
        await download(`${site()}/releases/sdk/${name}`, archive);
        report("verifying its checksum");
        const found = await sha256(archive);
        if (found !== wanted) throw new Error(`${name} has the SHA-256 ${found}, published is ${wanted}`);
        const unpacked = join(folder, "unpacked");
        await mkdir(unpacked);
        await run("tar", ["-xzf", archive, "-C", unpacked]);
        await rename(join(unpacked, "pulumi"), join(folder, "bin"));
        await run("rm", ["-rf", archive, list, unpacked]);
    });
}

/** Lets the CLI download and verify an official plugin, and puts what it installed into `folder`. */
export async function installPlugin(pulumi: string, name: string, version: string, folder: string): Promise<void> {
    await step(`Download the ${name} plugin ${version}`, { about: "1 min" }, async () => {
        const home = join(folder, "home");
        const mirror = site() === officialSite ? [] : ["--server", `${site()}/releases/plugins`];
        await run(pulumi, ["plugin", "install", "resource", name, `v${version}`, ...mirror], {
            env: { ...process.env, PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
        });
        await rename(join(home, "plugins", `resource-${name}-v${version}`), join(folder, "plugin"));
        await run("rm", ["-rf", home]);
    });
}

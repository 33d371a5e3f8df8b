/** Builds the hosts' images out of the machine's own package archive: no container registry is asked. */
import { createHash } from "node:crypto";
import {
    chmodSync,
    cpSync,
    createReadStream,
    existsSync,
    mkdirSync,
    readFileSync,
    readdirSync,
    renameSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import * as path from "node:path";
import { cacheFolder } from "../../toolchain/folders";
import { withLock } from "../../toolchain/lock.cjs";
import { step } from "../../toolchain/progress.cjs";
import { ARCHIVE_KEYS } from "./archiveKeys";
import { plantGuest } from "./emulator";
import { ImageDefinition, ImageFile, debian12 } from "./definitions";
import { Docker } from "./docker";
import { installPackages, osRelease, readPackageLists } from "./engine";
import { remove } from "./files";
import { Runner } from "./runner";

const REPOSITORY = "alicloud-multihost";
/** Raise when the way of building changes, as the definition alone does not show that. */
const BUILDER = 1;
/** Where Debian is when the machine, itself another distribution, doesn't say. */
const DEBIAN_ARCHIVE = "http://deb.debian.org/debian";
const BUILD_TIMEOUT = 20 * 60_000;
export { DEBIAN_ARCHIVE };

/** Name of an image in the engine. Its hash makes a changed definition, or one of a machine that gets its packages elsewhere, another image. */
export function imageReference(definition: ImageDefinition, machine: AptOfMachine): string {
    return `${REPOSITORY}:${imageTag(definition, machine)}`;
}

function imageTag(definition: ImageDefinition, machine: AptOfMachine): string {
    const apt = aptConfiguration(definition, machine);
    const parts = [BUILDER, process.arch, definition, ...(comesFromDebian(apt) ? [] : [apt])];
    const hash = createHash("sha256").update(JSON.stringify(parts));
    return `${definition.name}-${hash.digest("hex").slice(0, 12)}`;
}

/** Makes sure that the engine has the image: from the cache, or built once. Safe to interrupt and to run twice at once. */
export async function ensureImage(
    definition: ImageDefinition = debian12,
    { docker = new Docker(), runner = new Runner() }: { docker?: Docker; runner?: Runner } = {},
): Promise<string> {
    const machine = await aptOfMachine(runner);
    const reference = imageReference(definition, machine);
    const tag = imageTag(definition, machine);
    try {
        if (await docker.imageId(reference)) return reference;
        const folder = path.join(cacheFolder(), "images");
        mkdirSync(folder, { recursive: true });
        await withLock(path.join(folder, "lock"), { what: "the hosts' image" }, async () => {
            if (await docker.imageId(reference)) return;
            const archive = await ensureArchive(definition, machine, folder, runner);
            await step(`Import the image ${definition.name}`, { about: "5 s" }, () =>
                docker.importImage(createReadStream(archive), REPOSITORY, tag),
            );
            await docker.removeOldImages(REPOSITORY, `${definition.name}-`, tag);
        });
        return reference;
    } finally {
        docker.close();
    }
}

/** Whether an image was ever built here: then another one in its place takes little more of the disk. */
export function isBuilt({ name }: ImageDefinition = debian12): boolean {
    const folder = path.join(cacheFolder(), "images");
    return (
        existsSync(folder) && readdirSync(folder).some((file) => file.startsWith(`${name}-`) && file.endsWith(".tar"))
    );
}

/** The image as an archive of its root file system, built unless it is in the cache. To be called under the lock. */
async function ensureArchive(
    definition: ImageDefinition,
    machine: AptOfMachine,
    folder: string,
    runner: Runner,
): Promise<string> {
    const archive = path.join(folder, `${imageTag(definition, machine)}.tar`);
    if (existsSync(archive)) return archive;
    const { emulates } = definition;
    const guest = emulates && (await ensureArchive(emulates, machine, folder, runner));
    await step(`Build the image ${definition.name}`, { about: "2 min" }, (report) =>
        build(definition, aptConfiguration(definition, machine), guest, archive, runner, report),
    );
    return archive;
}

async function build(
    definition: ImageDefinition,
    apt: AptConfiguration,
    guest: string | undefined,
    archive: string,
    runner: Runner,
    report: (detail: string) => void,
): Promise<void> {
    const folder = path.dirname(archive);
    // Under the lock nobody else builds: what is there was left by a run that was interrupted.
    for (const name of readdirSync(folder))
        if (name.startsWith("building-")) await discard(path.join(folder, name), runner);
    const root = path.join(folder, `building-${definition.name}`);
    report("package archive");
    await installPackages(["debootstrap", "gpgv"], ["debootstrap", "gpgv"], runner);
    mkdirSync(root);
    const keyring = `${root}.gpg`;
    try {
        report("base system");
        const mirror = apt.mirror === undefined ? [] : [apt.mirror];
        // Without a keyring debootstrap would take whatever a mirror has, and only warn.
        writeFileSync(keyring, Buffer.from(ARCHIVE_KEYS[definition.release].key, "base64"));
        await runner.run(
            [
                "debootstrap",
                "--variant=minbase",
                `--keyring=${keyring}`,
                `--include=${definition.base.join(",")}`,
                definition.release,
                root,
                ...mirror,
            ],
            // Its wget knows nothing of apt's settings.
            { env: proxyVariables(apt.settings, apt.mirror ?? DEBIAN_ARCHIVE), timeout: BUILD_TIMEOUT },
        );
        await fill(definition, root, apt, runner, report);
        if (guest !== undefined) {
            report("disk");
            await runner.script(plantGuest(root, guest), { timeout: BUILD_TIMEOUT });
        }
        report("archive");
        await runner.run(["tar", "--numeric-owner", "--xattrs", "-C", root, "-cf", `${archive}.partial`, "."], {
            timeout: BUILD_TIMEOUT,
        });
        renameSync(`${archive}.partial`, archive);
        for (const name of readdirSync(folder))
            if (name.startsWith(`${definition.name}-`) && name !== path.basename(archive))
                remove(path.join(folder, name));
    } finally {
        remove(keyring);
        await discard(root, runner);
    }
}

/** Removes a root file system. What is mounted in it belongs to the machine and must not go with it. */
async function discard(root: string, runner: Runner): Promise<void> {
    const mounts = readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .map((line) => line.split(" ")[1] ?? "")
        .filter((point) => point.startsWith(`${root}/`))
        .reverse();
    for (const point of mounts) await runner.run(["umount", point]);
    remove(root);
}

async function fill(
    definition: ImageDefinition,
    root: string,
    apt: AptConfiguration,
    runner: Runner,
    report: (detail: string) => void,
): Promise<void> {
    const put = (file: string, content: string, mode = 0o644): void => {
        const target = path.join(root, file);
        mkdirSync(path.dirname(target), { recursive: true });
        writeFileSync(target, content);
        chmodSync(target, mode);
    };
    if (apt.sources !== "") put("/etc/apt/sources.list", apt.sources);
    if (apt.settings !== "") put("/etc/apt/apt.conf.d/90machine", apt.settings);
    if (existsSync("/usr/local/share/ca-certificates"))
        cpSync("/usr/local/share/ca-certificates", path.join(root, "usr/local/share/ca-certificates"), {
            recursive: true,
        });
    put("/etc/resolv.conf", readFileSync("/etc/resolv.conf", "utf8"));
    // Services must not start in here, and nobody needs a build to survive a power cut.
    put("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755);
    put("/etc/dpkg/dpkg.cfg.d/build", "force-unsafe-io\n");
    put(
        "/etc/dpkg/dpkg.cfg.d/slim",
        "path-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n",
    );
    const addFiles = (wanted: (file: ImageFile) => boolean): void => {
        for (const file of definition.files.filter(wanted)) put(file.path, file.content, file.mode);
    };
    addFiles(({ first }) => first === true);
    report("packages");
    await runner.run(["chroot", root, "/bin/sh", "-eus"], {
        input: `export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
[ ! -d /usr/local/share/ca-certificates ] || update-ca-certificates >/dev/null
apt-get -q update
apt-get -q -y full-upgrade
apt-get -q -y --no-install-recommends install ${definition.packages.join(" ")}
apt-get clean
${definition.removed.includes("var/lib/apt/lists") ? "" : "apt-cache gencaches"}
`,
        timeout: BUILD_TIMEOUT,
    });
    put("/etc/fstab", "");
    addFiles(() => true);
    const units = path.join(root, "etc/systemd/system");
    mkdirSync(units, { recursive: true });
    for (const unit of definition.maskedUnits) {
        remove(path.join(units, unit));
        symlinkSync("/dev/null", path.join(units, unit));
    }
    for (const [folder, names] of Object.entries(definition.enabledUnits)) {
        mkdirSync(path.join(units, folder), { recursive: true });
        for (const name of names) symlinkSync(path.join("..", name), path.join(units, folder, name));
    }
    remove(path.join(units, "default.target"));
    symlinkSync("/lib/systemd/system/multi-user.target", path.join(units, "default.target"));
    for (const file of [
        "usr/sbin/policy-rc.d",
        "etc/dpkg/dpkg.cfg.d/build",
        "etc/hostname",
        "debootstrap",
        ...definition.removed,
    ])
        remove(path.join(root, file));
    for (const folder of [
        "var/log",
        "var/log/apt",
        "var/log/journal",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "var/cache/debconf",
        "var/lib/cloud",
    ])
        mkdirSync(path.join(root, folder), { recursive: true });
    remove(path.join(root, "var/log/journal"));
    put("/etc/machine-id", "");
    put("/etc/resolv.conf", "");
    put("/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
}

interface AptConfiguration {
    /** Archive for debootstrap; its own default when the machine names none. */
    readonly mirror: string | undefined;
    /** Content of sources.list. */
    readonly sources: string;
    /** Settings without which the machine's archive can't be used. */
    readonly settings: string;
}

/** What decides where this machine gets its packages. */
export interface AptOfMachine {
    /** Archive in place of the machine's own, for debootstrap. */
    readonly mirror?: string;
    /** apt's index targets, and the release whose sources they are; empty on a machine that is no Debian. */
    readonly targets: string;
    readonly codename: string;
    /** All of apt's settings. */
    readonly settings: string;
    /** What apt takes of the environment where its settings name no proxy. */
    readonly environment: NodeJS.ProcessEnv;
}

const machines = new WeakMap<Runner, Promise<AptOfMachine>>();

/** As it was when it was first asked for: it takes a second, and every host asks for its image. */
function aptOfMachine(runner: Runner): Promise<AptOfMachine> {
    const known = machines.get(runner) ?? readApt(runner);
    machines.set(runner, known);
    return known;
}

async function readApt(runner: Runner): Promise<AptOfMachine> {
    const { id, codename } = osRelease();
    const [targets, settings] = await Promise.all([
        id === "debian" ? indexTargets(runner) : "",
        runner.attempt(["apt-config", "dump"]),
    ]);
    const mirror = process.env["MULTIHOST_DEBIAN_MIRROR"] ?? "";
    const machine: AptOfMachine = {
        ...(mirror !== "" && { mirror }),
        targets: withoutMirrorLists(targets),
        codename,
        settings: settings.stdout,
        environment: process.env,
    };
    return { ...machine, settings: machine.settings + (await detectedProxies(machine, runner)) };
}

/** apt's index targets. It tells only those that it has the lists of, which images of containers come without. */
async function indexTargets(runner: Runner): Promise<string> {
    const format = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY) $(ORIGIN)";
    const targets = async (): Promise<string> => {
        const { code, stdout } = await runner.attempt(["apt-get", "indextargets", "--format", format]);
        return code === 0 ? stdout : "";
    };
    const known = await targets();
    if (known !== "") return known;
    await step("Read the lists of the machine's package sources", { about: "5 s" }, () => readPackageLists(runner));
    return targets();
}

/** Settings for the proxies that apt is told of by a program of the machine's, which hosts don't have. */
async function detectedProxies({ mirror, targets, codename, settings }: AptOfMachine, runner: Runner): Promise<string> {
    if (!/^Acquire::https?::Proxy(-Auto-|Auto)Detect "[^"]/im.test(settings)) return "";
    const sources = aptSources(targets, codename, codename);
    const own = mirror ?? sources.find(({ suite }) => suite === codename)?.uri ?? DEBIAN_ARCHIVE;
    const archives = [own, ...sources.map(({ uri }) => uri)].filter((uri) => URL.canParse(uri));
    const byHost = new Map(archives.map((uri) => [new URL(uri).origin, uri]));
    const lines = [...byHost.values()].map(async (uri) => {
        // The program may wait for a network that doesn't answer, and is ended together with what starts it.
        const detect = ["timeout", "10", "/usr/lib/apt/apt-helper", "auto-detect-proxy", uri];
        const [, proxy] = /^Using proxy '(.+)' for URL/m.exec((await runner.attempt(detect)).stdout) ?? [];
        const { protocol, hostname } = new URL(uri);
        return proxy === undefined ? "" : `Acquire::${protocol}:Proxy::${hostname} "${proxy}";\n`;
    });
    return (await Promise.all(lines)).join("");
}

/** A list of mirrors is a file that no host has: of apt's index targets from one, the first mirror in it is the address. */
function withoutMirrorLists(targets: string): string {
    return targets.replace(/^mirror\+file:(?:\/\/)?(\/\S*?)\/?(?= )/gm, (uri, list: string) => {
        const mirrors = existsSync(list) ? readFileSync(list, "utf8") : "";
        return /^https?:\S+/m.exec(mirrors)?.[0] ?? uri;
    });
}

/** Where this machine gets its packages is where its hosts get theirs: other addresses may not be reachable. */
function aptConfiguration(
    { release, moreSuites = [] }: ImageDefinition,
    { mirror: override, targets, codename, settings, environment }: AptOfMachine,
): AptConfiguration {
    const sources = aptSources(targets, codename, release);
    const mirror = override ?? sources.find(({ suite }) => suite === release)?.uri;
    const lines = sources.map(({ uri, suite, components }) => `deb ${uri} ${suite} ${components.join(" ")}`);
    // A copy of an archive that isn't renewed every day is out of date for an unstable suite alone.
    lines.push(...moreSuites.map((suite) => `deb [check-valid-until=no] ${mirror ?? DEBIAN_ARCHIVE} ${suite} main`));
    // Where nothing else is to be added, debootstrap has written the release's own source.
    if (lines.length > 0 && !sources.some(({ suite }) => suite === release))
        lines.unshift(`deb ${mirror ?? DEBIAN_ARCHIVE} ${release} main`);
    const archives = [mirror ?? DEBIAN_ARCHIVE, ...sources.map(({ uri }) => uri)];
    return {
        mirror,
        sources: lines.map((line) => `${line}\n`).join(""),
        settings: aptSettings(settings, environment, archives),
    };
}

/** Whether packages come from Debian itself and through no proxy: all such machines have the same image. */
function comesFromDebian({ mirror = DEBIAN_ARCHIVE, sources, settings }: AptConfiguration): boolean {
    const archives = [mirror, ...(sources.match(/\bhttps?:\S+/g) ?? [])];
    return (
        !/::Proxy\b/i.test(settings) && archives.every((uri) => /^https?:\/\/(deb|security)\.debian\.org\//.test(uri))
    );
}

/** A line of sources.list. */
export interface AptSource {
    readonly uri: string;
    readonly suite: string;
    readonly components: readonly string[];
}

/**
 * The distribution's own sources among apt's index targets, for a release that may be another than the machine's. Other vendors call suites
 * and components as Debian does, but not themselves. Nor does who signs Debian's packages anew, which no image is made of. Media and
 * folders of the machine are none of its hosts'.
 */
export function aptSources(targets: string, codename: string, release: string): AptSource[] {
    const sources = new Map<string, { uri: string; suite: string; components: string[] }>();
    const suites = ["", "-updates", "-security", "-backports"].map((suffix) => codename + suffix);
    for (const line of targets.split("\n")) {
        const [uri, suite, component, kind, ...origin] = line.split(" ");
        if (uri === undefined || suite === undefined || component === undefined || kind !== "Packages") continue;
        if (!suites.includes(suite) || !["Debian", "Debian Backports"].includes(origin.join(" "))) continue;
        if (!/^https?:/.test(uri)) continue;
        const key = `${uri} ${suite}`;
        const found = sources.get(key) ?? {
            uri: uri.replace(/\/$/, ""),
            suite: release + suite.slice(codename.length),
            components: [],
        };
        if (!found.components.includes(component)) found.components.push(component);
        sources.set(key, found);
    }
    return [...sources.values()].filter(({ components }) => components.includes("main"));
}

/**
 * Settings of the machine's apt that its hosts need too. A proxy on the machine's loopback is none of theirs.
 * @param environment whose proxies apt takes where its settings name none
 * @param archives for which the environment's proxies may not count
 */
export function aptSettings(
    dump: string,
    environment: NodeJS.ProcessEnv = {},
    archives: readonly string[] = [],
): string {
    const settings = usable(dump.split("\n"));
    const proxies = ["http", "https"].flatMap((scheme) => {
        const name = `Acquire::${scheme}::Proxy`;
        const proxy = environment[`${scheme}_proxy`] ?? "";
        if (!isAddress(proxy) || valueIn(settings, name) !== undefined) return [];
        const hosts = new Set(
            archives.filter((uri) => uri.startsWith(`${scheme}:`)).map((uri) => new URL(uri).hostname),
        );
        const direct = [...hosts].filter((host) => isWithoutProxy(host, environment));
        return usable([`${name} "${proxy}";`, ...direct.map((host) => `${name}::${host} "DIRECT";`)]);
    });
    return [...settings, ...proxies].map((line) => `${line}\n`).join("");
}

function usable(lines: readonly string[]): string[] {
    return lines
        .filter((line) => /^Acquire::(https?::Proxy(::\S+)?|Check-Valid-Until|Check-Date) "[^"]+";$/i.test(line))
        .filter((line) => !/"\w+:\/\/([^/@]*@)?(localhost|127\.|\[::1\])/.test(line));
}

/** The proxies by which apt asks an archive, as variables of the environment. */
function proxyVariables(settings: string, archive: string): Record<string, string> {
    if (!URL.canParse(archive)) return {};
    const { protocol, hostname } = new URL(archive);
    const lines = settings.split("\n");
    const proxyOf = (scheme: string): string | undefined => {
        // Of the host before any other, and by the settings of http where https has none.
        const names = [`::Proxy::${hostname}`, "::Proxy"].flatMap((end) => [scheme + end, `http${end}`]);
        return names.map((name) => valueIn(lines, `Acquire::${name}`)).find((value) => value !== undefined);
    };
    const variables: Record<string, string> = {};
    for (const scheme of ["http", "https"]) {
        const proxy = proxyOf(scheme) ?? "";
        if (isAddress(proxy)) variables[`${scheme}_proxy`] = proxy;
        else if (proxy !== "" && protocol === `${scheme}:`)
            variables["no_proxy"] = [process.env["no_proxy"] ?? "", hostname].filter((name) => name !== "").join(",");
    }
    return variables;
}

/** A setting's value. Case makes no difference to its name. */
function valueIn(lines: readonly string[], name: string): string | undefined {
    const start = `${name} "`.toLowerCase();
    return lines.find((line) => line.toLowerCase().startsWith(start))?.slice(start.length, -2);
}

/** Whether a proxy is one; by any other word apt asks without. */
function isAddress(proxy: string): boolean {
    return /^\w+:\/\//.test(proxy);
}

/** As apt reads the list: names that end so. */
function isWithoutProxy(host: string, { no_proxy: list = "" }: NodeJS.ProcessEnv): boolean {
    return list.split(",").some((entry) => entry !== "" && host.endsWith(entry.toLowerCase()));
}

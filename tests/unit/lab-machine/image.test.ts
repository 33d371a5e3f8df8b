/** What an image is built of, on a machine that is stood in for and builds none. */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { ARCHIVE_KEYS } from "../../../lab/hosts/archiveKeys";
import { definitions } from "../../../lab/hosts/definitions";
import type { Docker } from "../../../lab/hosts/docker";
import { DEBIAN_ARCHIVE, ensureImage } from "../../../lab/hosts/image";
import { RunOptions, Runner } from "../../../lab/hosts/runner";

const mockInstalled: string[] = [];
const mockReadLists = jest.fn<Promise<void>, [Runner]>();
let mockRelease: { id: string; codename: string };
jest.mock("../../../lab/hosts/engine", () => ({
    osRelease: () => mockRelease,
    installPackages: async (packages: readonly string[]) => void mockInstalled.push(...packages),
    readPackageLists: (runner: Runner) => mockReadLists(runner),
}));

const before = { ...process.env };
let folder: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lab-image-"));
    process.env["MULTIHOST_CACHE"] = folder;
    mockInstalled.length = 0;
    mockReadLists.mockReset().mockResolvedValue();
    mockRelease = { id: "ubuntu", codename: "jammy" };
    Object.assign(process.env, { http_proxy: "", https_proxy: "", no_proxy: "" });
    // Whoever reads the tests' output need not be told of builds that end as they should.
    jest.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => {
    jest.restoreAllMocks();
    process.env = { ...before };
    rmSync(folder, { recursive: true, force: true });
});

/** The command that makes the base system, its environment and keyring, and the sources and settings by which packages come afterwards. */
async function building(
    definition: (typeof definitions)[number],
    attempt: Runner["attempt"] = async () => ({ code: 0, stdout: "", stderr: "" }),
) {
    let command: readonly string[] = [];
    let environment: RunOptions["env"];
    let keyring = Buffer.alloc(0);
    let [sources, settings] = ["", ""];
    const docker = { imageId: async () => undefined, close: () => undefined } as unknown as Docker;
    const runner = {
        attempt,
        run: async (argv: readonly string[], { env }: RunOptions = {}) => {
            if (argv[0] === "debootstrap") {
                command = argv;
                environment = env;
                keyring = readFileSync(argv.find((word) => word.startsWith("--keyring="))?.slice(10) ?? "none");
                return "";
            }
            const read = (name: string): string => {
                const file = path.join(argv[1] ?? "", "etc/apt", name);
                return existsSync(file) ? readFileSync(file, "utf8") : "";
            };
            [sources, settings] = [read("sources.list"), read("apt.conf.d/90machine")];
            throw new Error("enough");
        },
    } as unknown as Runner;
    await expect(ensureImage(definition, { docker, runner })).rejects.toThrow("enough");
    return { command, environment, keyring, sources, settings };
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

describe("on a Debian machine, by its apt", () => {
    const onlyWithApt = existsSync("/usr/bin/apt-get") ? test : test.skip;

    /** Gives apt sources of its own that it has the lists of: by the file that names a source, its address, suite and origin. */
    function prepareApt(
        sources: Readonly<Record<string, readonly [uri: string, suite: string, origin: string]>>,
    ): void {
        mockRelease = { id: "debian", codename: "bookworm" };
        process.env["APT_CONFIG"] = path.join(folder, "apt.conf");
        put("apt.conf", `Dir "${folder}";\nAPT::Sandbox::User "root";\n`);
        mkdirSync(path.join(folder, "etc/apt/apt.conf.d"), { recursive: true });
        mkdirSync(path.join(folder, "var/cache/apt"), { recursive: true });
        for (const [name, [uri, suite, origin]] of Object.entries(sources)) {
            put(`etc/apt/sources.list.d/${name}.list`, `deb ${uri} ${suite} main\n`);
            const list = `var/lib/apt/lists/${uri.replace(/^[a-z+]+:(\/\/)?/, "").replaceAll("/", "_")}_dists_${suite}`;
            put(`${list}_InRelease`, `Origin: ${origin}\nCodename: ${suite}\nComponents: main\n`);
            put(`${list}_main_binary-${process.arch === "x64" ? "amd64" : process.arch}_Packages`, "");
        }
    }

    function put(name: string, content: string): void {
        const file = path.join(folder, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, content);
    }

    const runner = new Runner();
    const buildingByApt = () => building(definitions[0]!, (argv, options) => runner.attempt(argv, options));

    onlyWithApt("nothing comes from another vendor, whatever its suite and component are called", async () => {
        prepareApt({
            "azure-cli": ["https://packages.vendor.example/azure-cli", "bookworm", "azure-cli bookworm"],
            debian: ["http://mirror.example/debian", "bookworm", "Debian"],
            security: ["http://mirror.example/debian-security", "bookworm-security", "Debian"],
            pgdg: ["https://vendor.example/pub", "bookworm-pgdg", "apt.postgresql.org"],
        });
        const { command, sources } = await buildingByApt();
        expect(command.at(-1)).toBe("http://mirror.example/debian");
        expect(sources).toBe(
            "deb http://mirror.example/debian bookworm main\ndeb http://mirror.example/debian-security bookworm-security main\n",
        );
    });

    onlyWithApt("a list of mirrors stands for the first of them, which hosts can ask", async () => {
        put(
            "debian.list",
            "# Cloud images have such a list.\nhttps://mirror.example/debian\tpriority:1\nhttp://b.example/debian\n",
        );
        put("security.list", "file:/srv/security\nhttp://mirror.example/debian-security\n");
        prepareApt({
            debian: [`mirror+file://${folder}/debian.list`, "bookworm", "Debian"],
            security: [`mirror+file:${folder}/security.list`, "bookworm-security", "Debian"],
        });
        const { command, sources } = await buildingByApt();
        expect(command.at(-1)).toBe("https://mirror.example/debian");
        expect(sources).toBe(
            "deb https://mirror.example/debian bookworm main\ndeb http://mirror.example/debian-security bookworm-security main\n",
        );
    });

    onlyWithApt("what no host can ask gives way to Debian's own archive, beside what it can", async () => {
        prepareApt({
            debian: [`mirror+file:${folder}/none.list`, "bookworm", "Debian"],
            security: ["http://mirror.example/debian-security", "bookworm-security", "Debian"],
            updates: ["file:/srv/debian", "bookworm-updates", "Debian"],
        });
        const { command, sources } = await buildingByApt();
        expect(command.at(-1)).toBe(path.join(folder, "images/building-debian-12"));
        expect(sources).toBe(
            `deb ${DEBIAN_ARCHIVE} bookworm main\ndeb http://mirror.example/debian-security bookworm-security main\n`,
        );
    });

    onlyWithApt.each([
        {
            archive: "http://mirror.example/debian",
            settings: 'acquire::HTTP::proxy "http://proxy.example:3128";',
            // What apt asks over https goes by the settings of http, too.
            expected: { http_proxy: "http://proxy.example:3128", https_proxy: "http://proxy.example:3128" },
        },
        {
            archive: "https://mirror.example/debian",
            settings:
                'Acquire::http::Proxy "http://proxy.example:3128"; Acquire::https::Proxy::mirror.example "http://login:word@own.example";',
            expected: { http_proxy: "http://proxy.example:3128", https_proxy: "http://login:word@own.example" },
        },
        {
            archive: "http://mirror.example/debian",
            settings:
                'Acquire::http::Proxy "http://proxy.example:3128"; Acquire::http::Proxy::mirror.example "DIRECT";',
            expected: { no_proxy: "localhost,mirror.example" },
        },
        {
            archive: "http://mirror.example/debian",
            settings: 'Acquire::http::Proxy "false";',
            expected: { no_proxy: "localhost,mirror.example" },
        },
        {
            archive: "http://mirror.example/debian",
            settings: 'Acquire::http::Proxy "http://localhost:3142";',
            expected: {},
        },
    ])("the base system comes through the proxy of $settings", async ({ archive, settings, expected }) => {
        process.env["no_proxy"] = "localhost";
        prepareApt({ debian: [archive, "bookworm", "Debian"] });
        put("etc/apt/apt.conf.d/proxy", settings);
        const { environment } = await buildingByApt();
        expect(environment).toEqual(expected);
    });

    /** Sources on two hosts, and a program that detects the proxy for them, of the name that apt has for it. */
    function prepareDetector(script: string, name = "Proxy-Auto-Detect"): void {
        prepareApt({
            debian: ["http://mirror.example/debian", "bookworm", "Debian"],
            updates: ["http://mirror.example/debian", "bookworm-updates", "Debian"],
            security: ["http://security.example/debian", "bookworm-security", "Debian"],
        });
        put("detect", `#!/bin/sh\necho "$1" >> ${folder}/asked\n${script}\n`);
        chmodSync(path.join(folder, "detect"), 0o755);
        put("etc/apt/apt.conf.d/detect", `Acquire::http::${name} "${folder}/detect";\n`);
    }

    onlyWithApt.each(["Proxy-Auto-Detect", "ProxyAutoDetect"])(
        "what apt's %s names goes along, asked once for each host",
        async (name) => {
            prepareDetector("case $1 in *mirror*) echo http://proxy.example:3142 ;; *) echo DIRECT ;; esac", name);
            const { environment, settings } = await buildingByApt();
            expect(settings).toBe(
                'Acquire::http::Proxy::mirror.example "http://proxy.example:3142";\nAcquire::http::Proxy::security.example "DIRECT";\n',
            );
            expect(environment).toEqual({
                http_proxy: "http://proxy.example:3142",
                https_proxy: "http://proxy.example:3142",
            });
            const asked = readFileSync(path.join(folder, "asked"), "utf8").trim().split("\n");
            expect(asked.sort()).toEqual(["http://mirror.example/debian", "http://security.example/debian"]);
        },
    );

    onlyWithApt.each(["", "exit 1", "echo http://127.0.0.1:3142"])(
        "a program for proxies that does »%s« leaves the image without",
        async (script) => {
            prepareDetector(script);
            const { settings } = await buildingByApt();
            expect(settings).toBe("");
        },
    );

    onlyWithApt(
        "lists that aren't there yet are read first, so that the image is the same before and after",
        async () => {
            const reference = async (): Promise<string> => {
                const docker = { imageId: async () => "sha256:1", close: () => undefined } as unknown as Docker;
                return ensureImage(definitions[0], { docker, runner: new Runner() });
            };
            const prepare = (): void => prepareApt({ debian: ["http://mirror.example/debian", "bookworm", "Debian"] });
            prepare();
            rmSync(path.join(folder, "var/lib/apt/lists"), { recursive: true });
            mockReadLists.mockImplementation(async () => prepare());
            const before = await reference();
            expect(mockReadLists).toHaveBeenCalledTimes(1);
            expect(await reference()).toBe(before);
            expect(mockReadLists).toHaveBeenCalledTimes(1);
            const { command } = await buildingByApt();
            expect(command.at(-1)).toBe("http://mirror.example/debian");
        },
    );

    onlyWithApt("lists that can't be read leave Debian's own archive", async () => {
        prepareApt({});
        const { command } = await buildingByApt();
        expect(command.at(-1)).toBe(path.join(folder, "images/building-debian-12"));
        expect(mockReadLists).toHaveBeenCalledTimes(1);
    });
});

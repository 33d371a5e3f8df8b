import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
    appendFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    readdirSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import * as dgram from "node:dgram";
import * as http from "node:http";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { bootScript, detachOthersScript, identityScript, loginScript } from "../../../lab/hosts/boot";
import { definitionFor, definitions } from "../../../lab/hosts/definitions";
import { Disks, guestName } from "../../../lab/hosts/disks";
import type { EngineInfo } from "../../../lab/hosts/docker";
import { osRelease } from "../../../lab/hosts/engine";
import { containerSpecification } from "../../../lab/hosts/hosts";
import { AptOfMachine, aptSettings, aptSources, DEBIAN_ARCHIVE, imageReference } from "../../../lab/hosts/image";
import { kindOf } from "../../../lab/hosts/kinds";
import { claimIndex, claimedIndices, findIndex, releaseIndex } from "../../../lab/hosts/labs";
import { Runner } from "../../../lab/hosts/runner";
import { shellWord } from "../../../toolchain/commandLine";
import type { DesiredHost, DesiredMachine } from "../../../lab/model/desired";
import { parseNeighbour } from "../../../lab/net/claims";
import { DnsRelay } from "../../../lab/net/dns";
import { MetadataService, lookUp, metadataTree } from "../../../lab/net/metadata";
import { Resolvers, parseResolvers } from "../../../lab/net/resolvers";
import { Slots } from "../../../lab/net/slots";

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lab-machine-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const host: DesiredHost = {
    id: "i-1",
    systemDiskId: "d-1",
    hostname: "web1",
    name: "the web server",
    instanceType: "ecs.g7.large",
    metadata: { enabled: true, tokenRequired: false },
    imageId: "debian_12_9_x64",
    kernel: "shared",
    power: "running",
    bootCount: 0,
    cpus: 1,
    memoryMiB: 512,
    nics: [
        {
            id: "eni-1",
            vpcId: "vpc-1",
            vswitchId: "vsw-1",
            mac: "00:16:3e:00:00:01",
            primary: true,
            deviceIndex: 0,
            primaryIp: "10.0.1.5",
            secondaryIps: [],
            securityGroupIds: [],
        },
    ],
    userData: "#!/bin/sh\necho 'hi'\n",
    publicKeys: ["ssh-ed25519 AAAA it's me"],
    disks: [{ id: "d-data", sizeGiB: 1, device: "/dev/xvdb" }],
    tags: { Name: "web1" },
    zoneId: "cn-hangzhou-h",
    regionId: "cn-hangzhou",
};
const machine: DesiredMachine = {
    vpcs: [
        {
            id: "vpc-1",
            cidrs: ["10.0.0.0/16"],
            vswitches: [{ id: "vsw-1", cidr: "10.0.1.0/24", gateway: "10.0.1.253", routeTableId: "vtb-1" }],
            routeTables: [],
            snat: [],
            dnat: [],
            haVips: [],
        },
    ],
    hosts: [host],
    eips: [{ id: "eip-1", address: "127.77.0.1", target: { kind: "instance", vpcId: "vpc-1", privateIp: "10.0.1.5" } }],
    securityGroups: [],
    balancers: [],
    zones: [],
    fileSystems: [],
};

describe("indices", () => {
    const before = process.env["MULTIHOST_STATE"];
    beforeEach(() => {
        process.env["MULTIHOST_STATE"] = folder;
    });
    afterEach(() => {
        if (before === undefined) delete process.env["MULTIHOST_STATE"];
        else process.env["MULTIHOST_STATE"] = before;
    });

    test("are kept, differ and are given back", () => {
        const first = claimIndex("unit-one");
        const second = claimIndex("unit-two");
        expect(second).not.toBe(first);
        expect(claimIndex("unit-one")).toBe(first);
        expect(claimedIndices()).toEqual({ [first]: "unit-one", [second]: "unit-two" });
        releaseIndex("unit-one");
        expect(findIndex("unit-one")).toBeUndefined();
        expect(claimIndex("unit-three")).toBe(first);
    });

    test("run out with a sentence that says what to do", () => {
        expect(() => Array.from({ length: 17 }, (_, i) => claimIndex(`unit-${i}`))).toThrow(
            /at most 16 labs: take one of unit-0, .* down first/,
        );
    });
});

describe("slots", () => {
    test("stay with their owners over restarts and are used again", () => {
        const file = path.join(folder, "slots.json");
        const slots = new Slots(file, 2, 6);
        slots.assign(["a", "b", "c"]);
        expect(["a", "b", "c"].map((owner) => slots.find(owner))).toEqual([2, 3, 4]);
        const again = new Slots(file, 2, 6);
        again.assign(["c", "d", "a"]);
        // Links still go by the number of the one that leaves.
        expect(["a", "b", "c", "d"].map((owner) => again.find(owner))).toEqual([2, 3, 4, 5]);
        again.keep(["c", "d", "a"]);
        again.assign(["c", "e", "a"]);
        expect(["a", "e", "c", "b"].map((owner) => again.find(owner))).toEqual([2, 3, 4, undefined]);
        expect(() => again.assign(["1", "2"])).toThrow(/room for 4/);
        expect(again.find("1")).toBeUndefined();
        again.keep([]);
        again.assign(["1", "2", "3", "4"]);
        expect(new Slots(file, 2, 6).find("4")).toBe(5);
    });
});

describe("programs", () => {
    test("get input, and their failure says their last words but not their input", async () => {
        const runner = new Runner();
        expect(await runner.run(["cat"], { input: "text" })).toBe("text");
        await expect(runner.script("echo wrong >&2; exit 3 # secret")).rejects.toThrow(/^sh -eus ended with 3: wrong$/);
        expect((await runner.attempt(["/nonexistent/program"])).code).toBe(127);
    });

    test("get words quoted for the shell", async () => {
        const word = 'it\'s $HOME; "x"';
        expect(await new Runner().script(`printf %s ${shellWord(word)}`)).toBe(word);
        expect(shellWord("plain-word_1.2")).toBe("plain-word_1.2");
    });
});

describe("images", () => {
    /** A machine about whose packages there is nothing to say. */
    const plain: AptOfMachine = { targets: "", codename: "", settings: "", environment: {} };

    test("an image id of the cloud chooses a definition, and Debian 12 stands in for what there is not", () => {
        expect(definitionFor("debian_12_9_x64_20G_alibase.vhd").name).toBe("debian-12");
        expect(definitionFor("something-else").name).toBe("debian-12");
    });

    test("a changed definition is another image", () => {
        const [first] = definitions;
        const changed = { ...first!, packages: [...first!.packages, "x"] };
        expect(imageReference(changed, plain)).not.toBe(imageReference(first!, plain));
        expect(imageReference(first!, plain)).toMatch(/^alicloud-multihost:debian-12-[0-9a-f]{12}$/);
    });

    test("a machine that gets its packages elsewhere has another image", () => {
        const [first] = definitions;
        const reference = (machine: Partial<AptOfMachine>): string => imageReference(first!, { ...plain, ...machine });
        const from = (archive: string): string =>
            [
                `${archive}/ bookworm main Packages Debian`,
                `${archive}-security/ bookworm-security main Packages Debian`,
            ].join("\n");
        expect(reference({ targets: from(DEBIAN_ARCHIVE), codename: "bookworm" })).toBe(reference({}));
        const elsewhere: readonly Partial<AptOfMachine>[] = [
            {},
            { targets: from("http://mirror.example/debian"), codename: "bookworm" },
            { mirror: "http://mirror.example/debian" },
            { settings: 'Acquire::http::Proxy "http://proxy.example:3128";' },
            { environment: { http_proxy: "http://other.example:3128" } },
            { environment: { https_proxy: "http://proxy.example:3128" } },
        ];
        expect(new Set(elsewhere.map(reference)).size).toBe(elsewhere.length);
        // What no host can use is none of its image's, and a setting about dates makes no packages others.
        expect(reference({ environment: { http_proxy: "http://127.0.0.1:3128" } })).toBe(reference({}));
        expect(reference({ settings: 'Acquire::Check-Valid-Until "false";' })).toBe(reference({}));
    });

    test("the image of a machine without a proxy that asks Debian itself is named as ever", () => {
        const hash = createHash("sha256").update(JSON.stringify([1, process.arch, definitions[0]]));
        expect(imageReference(definitions[0]!, plain)).toBe(
            `alicloud-multihost:debian-12-${hash.digest("hex").slice(0, 12)}`,
        );
    });

    test("sources come from the machine's own, for the image's release, and from no other vendor", () => {
        const targets = [
            "http://azure.example/repos/ trixie main Packages azure-cli trixie",
            "http://mirror.example/debian/ trixie main Packages Debian",
            "http://mirror.example/debian/ trixie contrib Packages Debian",
            "http://mirror.example/debian/ trixie main DEP-11 Debian",
            "http://mirror.example/security/ trixie-security main Packages Debian",
            "http://mirror.example/debian/ trixie-backports main Packages Debian Backports",
            "http://mirror.example/debug/ trixie-debug main Packages Debian",
            "http://postgres.example/pub/ trixie-pgdg main Packages apt.postgresql.org",
            "http://vendor.example/apt/ vendor-trixie main Packages Debian",
            "http://other.example/apt/ trixie stable Packages Other",
            "",
        ].join("\n");
        expect(aptSources(targets, "trixie", "bookworm")).toEqual([
            { uri: "http://mirror.example/debian", suite: "bookworm", components: ["main", "contrib"] },
            { uri: "http://mirror.example/security", suite: "bookworm-security", components: ["main"] },
            { uri: "http://mirror.example/debian", suite: "bookworm-backports", components: ["main"] },
        ]);
    });

    test("of apt's settings only those go along without which its archive can't be read", () => {
        const dump = [
            'APT::Architecture "amd64";',
            'Acquire::http::Proxy "http://proxy.example:3128";',
            'Acquire::https::Proxy "http://127.0.0.1:3128";',
            'Acquire::http::Proxy-Auto-Detect "/usr/bin/auto-apt-proxy";',
            'Acquire::Check-Valid-Until "false";',
            'Acquire::http::Proxy "";',
        ].join("\n");
        expect(aptSettings(dump)).toBe(
            'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::Check-Valid-Until "false";\n',
        );
    });

    test("a proxy that only the environment names goes along too, where apt has none and hosts reach it", () => {
        const proxy = { http_proxy: "http://proxy.example:3128", https_proxy: "http://proxy.example:3129" };
        const line = (name: string, value: string): string => `Acquire::${name} "${value}";\n`;
        const [http, https] = [line("http::Proxy", proxy.http_proxy), line("https::Proxy", proxy.https_proxy)];
        expect(aptSettings("", proxy)).toBe(http + https);
        const own = line("http::Proxy", "http://apt.example:3142");
        expect(aptSettings(own, proxy)).toBe(own + https);
        expect(aptSettings(own.replace("http::Proxy", "HTTP::proxy"), proxy)).toContain(
            `HTTP::proxy "http://apt.example:3142";\nAcquire::https`,
        );
        expect(aptSettings(line("http::Proxy", "http://localhost:3142"), proxy)).toBe(http + https);
        for (const unusable of [
            "http://localhost:3128",
            "http://user:word@127.0.0.1:3128",
            "",
            'http://x"y',
            "proxy:1",
        ])
            expect([unusable, aptSettings("", { http_proxy: unusable })]).toEqual([unusable, ""]);
        // Those of apt's settings are for all archives, and of the environment's list it takes the ends of names.
        expect(
            aptSettings("", { http_proxy: proxy.http_proxy, no_proxy: "localhost,.corp.example" }, [
                "http://mirror.corp.example/debian",
                "http://mirror.corp.example/security",
                DEBIAN_ARCHIVE,
            ]),
        ).toBe(http + line("http::Proxy::mirror.corp.example", "DIRECT"));
    });

    test("the machine's release is read", () => {
        const file = path.join(folder, "os-release");
        writeFileSync(file, 'ID=debian\nVERSION_CODENAME="bookworm"\n');
        expect(osRelease(file)).toEqual({ id: "debian", codename: "bookworm" });
        expect(osRelease(path.join(folder, "none"))).toEqual({ id: "", codename: "" });
    });
});

test("the content of a disk that is no more goes, that of others stays", () => {
    const disks = new Disks(folder, new Runner());
    disks.removeOthers(new Set());
    for (const name of ["d-gone.img", "d-kept.img", "note"]) writeFileSync(path.join(folder, name), "");
    disks.removeOthers(new Set(["d-kept"]));
    expect(readdirSync(folder)).toEqual(["d-kept.img", "note"]);
});

describe("boot", () => {
    test("plants user data, keys and disks before the network comes up", async () => {
        const script = bootScript(
            host,
            [{ id: "d-data", sizeGiB: 1, minor: 3, name: "vdb", serial: "data" }],
            "NETWORK",
        );
        expect(script.trim().endsWith("NETWORK")).toBe(true);
        expect(script).toContain("mknod -m 660 /dev/vdb b 7 3");
        expect(script).toContain(Buffer.from(host.userData!).toString("base64"));
        // A shell that reads it to the end proves that the quoting holds.
        await new Runner().run(["sh", "-n"], { input: script });
    });

    test("a password is set without standing in a command line", async () => {
        const script = bootScript({ ...host, password: "s3cret'$" }, [], "");
        expect(script).not.toContain("s3cret");
        await new Runner().run(["sh", "-n"], { input: script });
    });

    test("plants another name where the cloud has given one, and leaves to the host what is the host's", async () => {
        const boots = async (changes: Partial<DesiredHost>): Promise<void> => {
            const script = identityScript({ ...host, ...changes })
                .replaceAll("/var/lib/cloud/seed/nocloud", folder)
                .replaceAll("/etc/", `${folder}/`);
            await new Runner().run(["sh", "-eus"], { input: script });
            const metadata = { "instance-id": "i-1", "local-hostname": changes.hostname ?? host.hostname };
            writeFileSync(path.join(folder, "meta-data"), JSON.stringify(metadata));
        };
        const read = (name: string): string => readFileSync(path.join(folder, name), "utf8");
        await boots({});
        expect([read("hostname"), read("hosts")]).toEqual([
            "web1\n",
            expect.stringMatching(/\n10\.0\.1\.5\tweb1\tweb1\n$/),
        ]);
        appendFileSync(path.join(folder, "hosts"), "10.0.1.6\tother\n");
        writeFileSync(path.join(folder, "hostname"), "by-hand\n");
        await boots({});
        expect(read("hostname")).toBe("by-hand\n");
        await boots({ hostname: "web2.example.com" });
        expect(read("hostname")).toBe("web2.example.com\n");
        expect(read("hosts").split("\n").slice(2)).toEqual([
            "10.0.1.6\tother",
            "10.0.1.5\tweb2.example.com\tweb2.example.com",
            "",
        ]);
        expect(statSync(path.join(folder, "hosts")).mode & 0o777).toBe(0o644);
    });

    describe("plants keys", () => {
        const [own, other] = ["ssh-ed25519 AAAAown it's me", "ssh-ed25519 AAAAother"];
        const authorized = (): string[] => readFileSync(path.join(folder, ".ssh/authorized_keys"), "utf8").split("\n");
        const boots = async (changes: Partial<DesiredHost>): Promise<void> => {
            const script = loginScript({ ...host, ...changes })
                .replaceAll("/root/", `${folder}/`)
                .replaceAll("/root", folder)
                .replaceAll("/var/lib/cloud/seed/nocloud", folder)
                .replaceAll("/etc/ssh/sshd_config.d", folder)
                .replaceAll("| chpasswd", ">/dev/null");
            writeFileSync(path.join(folder, "user-data"), changes.userData ?? "");
            await new Runner().run(["sh", "-eus"], { input: script });
        };
        const appendKey = (key: string): void => appendFileSync(path.join(folder, ".ssh/authorized_keys"), key);

        test("and takes those back that the cloud has taken, beside others' that stay", async () => {
            await boots({ publicKeys: [own] });
            appendKey("ssh-ed25519 AAAAuser");
            await boots({ publicKeys: [own] });
            expect(authorized()).toEqual([own, "ssh-ed25519 AAAAuser", ""]);
            expect(statSync(path.join(folder, "planted-keys")).mode & 0o777).toBe(0o600);
            await boots({ publicKeys: [other] });
            expect(authorized()).toEqual(["ssh-ed25519 AAAAuser", other, ""]);
            appendKey("ssh-ed25519 AAAAother multihost\n");
            await boots({ publicKeys: [] });
            expect(authorized()).toEqual(["ssh-ed25519 AAAAuser", "ssh-ed25519 AAAAother multihost", ""]);
        });

        test("once, unless it is attached anew, and never takes those that the user data names", async () => {
            await boots({ publicKeys: [own] });
            writeFileSync(path.join(folder, ".ssh/authorized_keys"), "");
            await boots({ publicKeys: [own] });
            expect(authorized()).toEqual([""]);
            await boots({ publicKeys: [] });
            await boots({ publicKeys: [own] });
            expect(authorized()).toEqual([own, ""]);
            await boots({ publicKeys: [], userData: `#cloud-config\nssh_authorized_keys: ["${own}"]\n` });
            expect(authorized()).toEqual([own, ""]);
        });

        test("and lets nobody in by a password that is no more", async () => {
            await boots({ publicKeys: [], password: "Secret1!" });
            expect(readFileSync(path.join(folder, "40-password.conf"), "utf8")).toContain("yes");
            await boots({ publicKeys: [own] });
            expect(existsSync(path.join(folder, "40-password.conf"))).toBe(false);
        });
    });

    test("disks are hidden again, also one whose letter another has by now", async () => {
        const byId = path.join(folder, "disk/by-id");
        mkdirSync(byId, { recursive: true });
        for (const name of ["null", "vda", "vdb", "vdb1", "vdc", "vdaa"]) writeFileSync(path.join(folder, name), "");
        for (const name of ["vdb", "vdc", "vdaa"]) symlinkSync(name, path.join(folder, `x${name}`));
        for (const [serial, name] of [
            ["former", "vdb"],
            ["data", "vdb"],
            ["gone", "vdc"],
        ])
            symlinkSync(`../../${name}`, path.join(byId, `virtio-${serial}`));
        const script = detachOthersScript([{ id: "d-data", sizeGiB: 1, minor: 3, name: "vdb", serial: "data" }]);
        const others = { input: script.replaceAll("/dev/", `${folder}/`) };
        await new Runner().run(["sh", "-eus"], others);
        await new Runner().run(["sh", "-eus"], others);
        expect(readdirSync(folder).sort()).toEqual(["disk", "null", "vda", "vdb", "vdb1", "xvdb"]);
        expect(readdirSync(byId)).toEqual(["virtio-data"]);
        expect(guestName("/dev/xvdb")).toBe("vdb");
        expect(guestName("/dev/vdc")).toBe("vdc");
    });

    test.each([
        ["1", "host", ["/sys/fs/cgroup:/sys/fs/cgroup:ro"]],
        ["2", "private", []],
    ])("control groups of version %s", (CgroupVersion, mode, binds) => {
        const engine = { CgroupVersion, MemoryLimit: true, SwapLimit: true, CPUCfsQuota: true } as EngineInfo;
        expect(containerSpecification("lab", host, "image", engine)).toMatchObject({
            Labels: { "multihost.lab": "lab", "multihost.host": "i-1" },
            HostConfig: { CgroupnsMode: mode, Binds: binds, Memory: 512 * 2 ** 20, NetworkMode: "none" },
        });
    });
});

describe("a host with a kernel of its own", () => {
    const own: DesiredHost = { ...host, kernel: "own" };
    const kind = kindOf(own);
    const disk = { id: "d-data", sizeGiB: 1, minor: 3, name: "vdb", serial: "data" };
    const engine = { CgroupVersion: "1", MemoryLimit: true, SwapLimit: true } as EngineInfo;

    test("is the guest of an emulator that is told of links, disks and memory", async () => {
        const script = kind.boot(own, [disk], "NETWORK");
        await new Runner().run(["sh", "-n"], { input: script });
        expect(script).toContain("mknod -m 660 /dev/vdb b 7 3");
        expect(script).toMatch(/-m 512 .*file=\/dev\/vdb,.*serial=data .*tap0,.*mac=00:16:3e:00:00:01,host_mtu=\$mtu/);
        // The last that it does: the emulator waits for it.
        expect(script.trim().split("\n").at(-1)).toBe("touch /run/multihost/ready");
        expect(kindOf(host)).not.toBe(kind);
    });

    test("runs what the lab wants of it as a script of its own, with the name, the keys and the user data", async () => {
        const script = kind.boot(own, [], "NETWORK");
        const encoded = /\/seed\.new <<'END_OF_FILE'\n([^]*?)\nEND_OF_FILE/.exec(script)![1]!;
        const guest = Buffer.from(encoded, "base64").toString();
        await new Runner().run(["sh", "-n"], { input: guest });
        expect(guest).toContain("NETWORK");
        expect(guest).toContain(Buffer.from(own.userData!).toString("base64"));
        expect(guest).toContain(Buffer.from(`${own.publicKeys[0]!}\n`).toString("base64"));
    });

    test("names its interfaces by their numbers, also where one is left out", async () => {
        const [first] = own.nics;
        const nics = [first!, ...[2, 3].map((deviceIndex) => ({ ...first!, primary: false, deviceIndex }))];
        const script = kind.boot({ ...own, nics }, [], "");
        await new Runner().run(["sh", "-n"], { input: script });
        expect(script).toMatch(/tap0,.*tap2,.*tap3,/);
        const encoded = /\/seed\.new <<'END_OF_FILE'\n([^]*?)\nEND_OF_FILE/.exec(script)![1]!;
        const guest = Buffer.from(encoded, "base64").toString();
        await new Runner().run(["sh", "-n"], { input: guest });
        expect(guest).toContain(
            "ip link set eth2 name eth3\nip link set eth1 name eth2\nfor device in eth0 eth2 eth3;",
        );
    });

    describe("takes disks and gives them back while it runs", () => {
        const guestDisks = (): string[] => readFileSync(path.join(folder, "disks"), "utf8").trim().split("\n");
        const asked = (): string => readFileSync(path.join(folder, "asked"), "utf8");
        /** Stands in for the monitor of an emulator whose guest lets go of a disk when it is asked a second time. */
        const monitor = `#!/bin/sh
cd \${0%/*}
while read -r line; do
    echo "$line" >>asked
    case "$line" in
    "info qtree")
        printf '(qemu) info qtree\\r\\n  dev: virtio-blk-pci, id "device"\\r\\n'
        printf 'multihost disk-seed\\n disk-system\\n' | cat - disks | while IFS=' ' read -r serial drive; do
            [ -n "$drive" ] || { drive=$serial; serial=; }
            printf '    drive = "%s"\\r\\n    share-rw = false\\r\\n    serial = "%s"\\r\\n' "$drive" "$serial"
        done
        ;;
    device_add*)
        [ ! -e full ] || continue
        drive=\${line##*drive=}
        echo "\${line##*serial=} \${drive%%,*}" >>disks
        ;;
    device_del*)
        name=\${line#device_del device-}
        [ ! -e stubborn ] || continue
        if [ -e "asked-$name" ]; then
            grep -v " disk-$name$" disks >disks.new || true
            mv disks.new disks
        fi
        : >"asked-$name"
        ;;
    esac
done
`;
        const run = (script: string): Promise<string> => {
            const input = script
                .replaceAll("/dev/v", `${folder}/v`)
                .replaceAll("/dev/xv", `${folder}/xv`)
                .replaceAll("/run/multihost/", `${folder}/`)
                .replaceAll("sleep 0.5", "sleep 0")
                .replace(/mknod .*/g, `: >${folder}/vdb`);
            return new Runner().script(input, { env: { PATH: `${folder}:${process.env["PATH"]}` } });
        };
        beforeEach(() => {
            for (const name of ["disks", "asked", "monitor"]) writeFileSync(path.join(folder, name), "");
            writeFileSync(path.join(folder, "nc"), monitor, { mode: 0o755 });
        });

        test("by what the guest knows them by, whatever letter they have", async () => {
            await run(kind.attach(disk));
            expect(guestDisks()).toEqual(["data disk-data"]);
            expect(asked()).toContain("drive_add 0 if=none,id=disk-data,file=/dev/vdb,".replace("/dev", folder));
            await run(kind.attach({ ...disk, sizeGiB: 20 }));
            expect(guestDisks()).toEqual(["data disk-data"]);
            expect(asked()).toContain("block_resize disk-data 20G");
            const next = { ...disk, id: "d-next", serial: "next" };
            await run([kind.detachOthers([next]), kind.attach(next)].join("\n"));
            expect(guestDisks()).toEqual(["next disk-next"]);
            expect(existsSync(path.join(folder, "vdb"))).toBe(true);
            await run(kind.detachOthers([]));
            expect(guestDisks()).toEqual([""]);
            expect(existsSync(path.join(folder, "vdb"))).toBe(false);
        });

        test("also those that an earlier lab has named by their letters", async () => {
            writeFileSync(path.join(folder, "disks"), "data disk-vdb\ngone disk-vdc\n");
            await run([kind.detachOthers([disk]), kind.attach({ ...disk, sizeGiB: 20 })].join("\n"));
            expect(guestDisks()).toEqual(["data disk-vdb"]);
            expect(asked()).toContain("block_resize disk-vdb 20G");
            expect(asked()).not.toContain("drive_add");
        });

        test("and fails where the guest keeps one, or does not get one", async () => {
            writeFileSync(path.join(folder, "disks"), "gone disk-gone\n");
            writeFileSync(path.join(folder, "stubborn"), "");
            await expect(run(kind.detachOthers([]))).rejects.toThrow("the guest does not let go of disk-gone");
            writeFileSync(path.join(folder, "full"), "");
            await expect(run(kind.attach(disk))).rejects.toThrow("the emulator did not take the disk vdb");
            // Nothing of it keeps the next attempt from success.
            expect(asked()).toContain("drive_del disk-data");
            rmSync(path.join(folder, "nc"));
            writeFileSync(path.join(folder, "nc"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
            await expect(run(kind.detachOthers([]))).rejects.toThrow("ended with 1");
        });
    });

    test("has room for the emulator beside its memory, and time to shut down", () => {
        const image = kind.image(own);
        expect(image.emulates?.packages).toContain("linux-image-cloud-amd64");
        for (const { content, path: name } of [...image.files, ...image.emulates!.files])
            if (content.startsWith("#!/bin/sh"))
                expect([name, spawnSync("sh", ["-n"], { input: content }).status]).toEqual([name, 0]);
        expect(containerSpecification("lab", own, "image", engine)).toMatchObject({
            StopSignal: "SIGTERM",
            HostConfig: { Memory: (512 + 512) * 2 ** 20 },
        });
        expect(kind.shutdownSeconds).toBeGreaterThan(kindOf(host).shutdownSeconds);
    });
});

describe("metadata", () => {
    const asker = { host, nic: host.nics[0]!, machine };

    test.each([
        ["meta-data/instance-id", "i-1"],
        ["meta-data/hostname", "web1"],
        ["meta-data/instance/instance-name", "the web server"],
        ["meta-data/instance/instance-type", "ecs.g7.large"],
        ["meta-data/private-ipv4", "10.0.1.5"],
        ["meta-data/eipv4", "127.77.0.1"],
        ["meta-data/mac", "00:16:3e:00:00:01"],
        ["meta-data/region-id", "cn-hangzhou"],
        ["meta-data/zone-id", "cn-hangzhou-h"],
        ["meta-data/vpc-id", "vpc-1"],
        ["meta-data/vswitch-id", "vsw-1"],
        ["meta-data/vpc-cidr-block", "10.0.0.0/16"],
        ["meta-data/vswitch-cidr-block", "10.0.1.0/24"],
        ["meta-data/image-id", "debian_12_9_x64"],
        ["meta-data/dns-conf/nameservers", "100.100.2.136\n100.100.2.138"],
        ["meta-data/network/interfaces/macs/", "00:16:3e:00:00:01/"],
        ["meta-data/network/interfaces/macs/00:16:3e:00:00:01/netmask", "255.255.255.0"],
        ["meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA it's me"],
        ["meta-data/tags/instance/Name", "web1"],
        ["user-data", host.userData],
        ["nothing", undefined],
        ["meta-data/constructor", undefined],
    ])("%s", (path, text) => {
        expect(lookUp(metadataTree(asker), path)).toBe(text);
    });

    let service: MetadataService;
    let who: typeof asker;
    let now: number;
    beforeEach(async () => {
        who = asker;
        now = 0;
        service = new MetadataService({
            address: "127.0.0.1",
            preferredPort: 0,
            whoIs: (address) => (address === "127.0.0.1" ? who : undefined),
            clock: () => now,
        });
        await service.start();
    });
    afterEach(() => service.close());
    const ask = (path: string, method = "GET", headers: http.OutgoingHttpHeaders = {}): Promise<[number, string]> =>
        new Promise((resolve, reject) => {
            const request = http.request(
                { host: "127.0.0.1", port: service.port, path, method, headers },
                (response) => {
                    let text = "";
                    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
                    response.on("end", () => resolve([response.statusCode ?? 0, text]));
                },
            );
            request.on("error", reject).end();
        });
    const settings = (metadata: DesiredHost["metadata"], id = host.id) => ({
        ...asker,
        host: { ...host, id, metadata },
    });
    const tokenFor = async (seconds: number): Promise<http.OutgoingHttpHeaders> => {
        const ttl = { "X-aliyun-ecs-metadata-token-ttl-seconds": String(seconds) };
        return { "X-aliyun-ecs-metadata-token": (await ask("/latest/api/token", "PUT", ttl))[1] };
    };

    test("is served to those who are known, with and without a token", async () => {
        expect(await ask("/latest/meta-data/instance-id")).toEqual([200, "i-1"]);
        expect(await ask("/latest/")).toEqual([200, "meta-data/\nuser-data\ndynamic/"]);
        expect((await ask("/latest/no"))[0]).toBe(404);
        expect((await ask("/%zz"))[0]).toBe(404);
        expect((await ask("/latest/api/token", "PUT"))[0]).toBe(400);
        expect((await ask("/latest/api/token", "PUT", { "X-aliyun-ecs-metadata-token-ttl-seconds": "60" }))[0]).toBe(
            200,
        );
        expect((await ask("/latest/meta-data/", "POST"))[0]).toBe(405);
    });

    test("is kept from who shows no token of its own that is still good, where the host wants that", async () => {
        const path = "/latest/meta-data/instance-id";
        who = settings({ enabled: true, tokenRequired: true });
        const token = await tokenFor(60);
        expect((await ask(path))[0]).toBe(403);
        expect((await ask(path, "GET", { "X-aliyun-ecs-metadata-token": "guessed" }))[0]).toBe(403);
        expect(await ask(path, "GET", token)).toEqual([200, "i-1"]);
        who = settings({ enabled: true, tokenRequired: true }, "i-2");
        expect((await ask(path, "GET", token))[0]).toBe(403);
        who = settings({ enabled: true, tokenRequired: true });
        now += 60_000;
        expect((await ask(path, "GET", token))[0]).toBe(403);
        expect(await ask(path, "GET", await tokenFor(1))).toEqual([200, "i-1"]);
    });

    test("is off where the host wants that", async () => {
        who = settings({ enabled: false, tokenRequired: false });
        for (const [path, method] of [
            ["/latest/meta-data/instance-id", "GET"],
            ["/latest/api/token", "PUT"],
        ] as const)
            expect((await ask(path, method))[0]).toBe(403);
    });
});

describe("names", () => {
    test("resolvers are read again when their file changes", () => {
        expect(parseResolvers("# x\nsearch example\nnameserver 192.0.2.1\n nameserver ::1\n")).toEqual([
            "192.0.2.1",
            "::1",
        ]);
        const file = path.join(folder, "resolv.conf");
        const resolvers = new Resolvers(file);
        expect(resolvers.list()).toEqual(["127.0.0.1"]);
        writeFileSync(file, "nameserver 192.0.2.7\n");
        expect(resolvers.list()).toEqual(["192.0.2.7"]);
        expect(readFileSync(file, "utf8")).toContain("192.0.2.7");
    });

    test("queries are relayed, unless the lab knows the answer", async () => {
        const upstream = dgram.createSocket("udp4");
        upstream.on("message", (query, peer) =>
            upstream.send(Buffer.from(`answer to ${query.toString()}`), peer.port, peer.address),
        );
        await new Promise<void>((resolve) => upstream.bind(0, "127.0.0.1", resolve));
        const file = path.join(folder, "resolv.conf");
        writeFileSync(file, "nameserver 127.0.0.1\n");
        const relay = new DnsRelay({
            address: "127.0.0.1",
            preferredPort: 0,
            resolvers: new Resolvers(file),
            upstreamPort: upstream.address().port,
            answer: (query, asker) => (query.toString() === "own" ? Buffer.from(`own for ${asker}`) : undefined),
        });
        await relay.start();
        const ask = async (text: string): Promise<string> => {
            const socket = dgram.createSocket("udp4");
            const answer = new Promise<string>((resolve) =>
                socket.once("message", (message) => resolve(message.toString())),
            );
            socket.send(text, relay.port, "127.0.0.1");
            const result = await answer;
            socket.close();
            return result;
        };
        expect(await ask("other")).toBe("answer to other");
        expect(await ask("own")).toBe("own for 127.0.0.1");
        await relay.close();
        upstream.close();
    });
});

test.each([
    ["10.0.1.50 dev n3 lladdr 00:16:3e:00:00:01 STALE ", { address: "10.0.1.50", device: "n3", announced: true }],
    ["10.0.1.50 dev n3 lladdr 00:16:3e:00:00:01 REACHABLE", { address: "10.0.1.50", device: "n3", announced: false }],
    ["10.0.1.50 dev n3 lladdr 00:16:3e:00:00:01 used 1/2/3 probes 4 STALE", { announced: true }],
    ["10.0.1.50 dev n3 FAILED", undefined],
    ["Deleted 10.0.1.50 dev n3 lladdr 00:16:3e:00:00:01 STALE", undefined],
    ["", undefined],
])("a line of the table of neighbours: %s", (line, expected) => {
    const neighbour = parseNeighbour(line);
    if (expected === undefined) expect(neighbour).toBeUndefined();
    else expect(neighbour).toMatchObject(expected);
});

test("a program that is followed tells line by line, and ends when it is told to or by itself", async () => {
    const runner = new Runner();
    const lines: string[] = [];
    await new Promise<void>((ended) => runner.follow(["printf", "a\\nb\\n"], (line) => lines.push(line), ended));
    expect(lines).toEqual(["a", "b"]);
    let ended = false;
    const pids: string[] = [];
    const stop = await new Promise<() => void>((told) => {
        const end = runner.follow(
            ["sh", "-c", "echo $$; exec sleep 60"],
            (line) => {
                pids.push(line);
                told(end);
            },
            () => (ended = true),
        );
    });
    stop();
    const runs = (): boolean => {
        try {
            return process.kill(Number(pids[0]), 0);
        } catch {
            return false;
        }
    };
    for (let i = 0; i < 100 && runs(); i += 1) await new Promise((wake) => setTimeout(wake, 20));
    expect(runs()).toBe(false);
    expect(ended).toBe(false);
});

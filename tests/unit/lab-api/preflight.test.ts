import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { NetworkInterfaceInfo, tmpdir } from "node:os";
import { LabPaths, labPaths } from "../../../lab/paths";
import { findProblems } from "../../../lab/preflight";
import { startOf } from "../../../lab/process";

/** Running containers by label, the machine's free memory, and what its interfaces have. */
const mockMachine = {
    containers: {} as Record<string, number>,
    freeKiB: 0,
    freeDiskGiB: 0,
    /** What the toolchain was told that others take of its disk. */
    beside: undefined as number | undefined,
    /** What the engine calls its machine, if there is one, and the machine's processes. */
    engine: undefined as string | undefined,
    processes: [] as string[],
    /** As `nft -j list ruleset` shows it. */
    ruleset: "",
    interfaces: {} as Record<string, string>,
    routes: "",
};

jest.mock("../../../lab/hosts/docker", () => ({
    ...jest.requireActual<typeof import("../../../lab/hosts/docker")>("../../../lab/hosts/docker"),
    Docker: class {
        readonly socketPath = "/var/run/docker.sock";
        async problem(): Promise<string | undefined> {
            return Promise.resolve(mockMachine.engine === undefined ? "absent" : undefined);
        }
        async info(): Promise<object> {
            return Promise.resolve({ Name: mockMachine.engine });
        }
        async running(label: string): Promise<number> {
            return mockMachine.containers[label] ?? 0;
        }
        readonly close = (): void => undefined;
    },
}));
jest.mock("node:fs", () => {
    const fs = jest.requireActual<typeof import("node:fs")>("node:fs");
    return {
        ...fs,
        statfsSync: () => ({ bavail: mockMachine.freeDiskGiB, bsize: 2 ** 30 }),
        readFileSync: (file: string, ...more: [BufferEncoding]) => {
            if (file === "/proc/meminfo") return `MemAvailable:   ${mockMachine.freeKiB} kB\n`;
            if (file === "/proc/net/route") return `Iface\tDestination\t…\n${mockMachine.routes}`;
            // Labs that run here have nothing to do with this.
            if (file.endsWith("/ifalias")) throw new Error("no such interface");
            return fs.readFileSync(file, ...more);
        },
    };
});
jest.mock("../../../lab/hosts/runner", () => ({
    ...jest.requireActual<typeof import("../../../lab/hosts/runner")>("../../../lab/hosts/runner"),
    Runner: class {
        async attempt(): Promise<object> {
            return Promise.resolve({ code: mockMachine.ruleset === "" ? 127 : 0, stdout: mockMachine.ruleset });
        }
    },
}));
jest.mock("../../../toolchain/toolchain", () => ({
    toolchainProblems: (beside: number) => {
        mockMachine.beside = beside;
        return Promise.resolve([]);
    },
}));
jest.mock("../../../lab/process", () => ({
    ...jest.requireActual<typeof import("../../../lab/process")>("../../../lab/process"),
    processes: () => mockMachine.processes.map((executable) => ({ executable })),
}));
jest.mock("node:os", () => ({
    ...jest.requireActual<typeof import("node:os")>("node:os"),
    hostname: () => "workstation",
    networkInterfaces: () =>
        Object.fromEntries(
            Object.entries(mockMachine.interfaces).map(([device, cidr]) => [
                device,
                [{ cidr } as NetworkInterfaceInfo],
            ]),
        ),
}));

let folder: string;
let paths: LabPaths;
const before = { ...process.env };

beforeEach(() => {
    folder = mkdtempSync(`${tmpdir()}/lab-preflight-`);
    process.env["MULTIHOST_STATE"] = folder;
    process.env["MULTIHOST_CACHE"] = `${folder}/cache`;
    paths = { ...labPaths({ LAB_NAME: "unit" }), daemon: `${folder}/daemon.json` };
    mockMachine.containers = {};
    mockMachine.freeKiB = 1024 * 1024;
    mockMachine.freeDiskGiB = 100;
    mockMachine.engine = "workstation";
    mockMachine.processes = [];
    mockMachine.ruleset = "";
    jest.spyOn(process, "getuid").mockReturnValue(0);
    mockMachine.interfaces = { lo: "127.0.0.1/8", eth0: "192.0.2.2/24" };
    mockMachine.routes = "";
});
afterEach(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
    process.env = { ...before };
});

async function memoryProblems(): Promise<string[]> {
    return (await findProblems(paths, { stack: false })).filter((problem) => problem.includes("memory"));
}

test("a lab that begins needs free memory", async () => {
    mockMachine.containers["multihost.lab=other"] = 3;
    expect(await memoryProblems()).toEqual([
        "The lab needs 3 GiB of memory, 1.0 GiB are available: stop something else.",
    ]);
    mockMachine.freeKiB = 4 * 1024 * 1024;
    expect(await memoryProblems()).toEqual([]);
});

test("a lab that runs is not refused the memory that it has", async () => {
    writeFileSync(paths.daemon, JSON.stringify({ pid: process.pid, start: startOf(process.pid), port: paths.port }));
    expect(await memoryProblems()).toEqual([]);
});

test("nor is one whose hosts run without it", async () => {
    mockMachine.containers["multihost.lab=unit"] = 3;
    expect(await memoryProblems()).toEqual([]);
});

describe("the disk", () => {
    const images = (): string => `${folder}/cache/images`;
    const problems = async (stack = false): Promise<string[]> =>
        (await findProblems(paths, { stack })).filter((problem) => problem.includes("disk"));

    test("has to hold the image where there is none yet, also when the cache has other things", async () => {
        mockMachine.freeDiskGiB = 3;
        mkdirSync(`${folder}/cache/parts`, { recursive: true });
        mkdirSync(images());
        writeFileSync(`${images()}/guest-debian-12-0.tar`, "");
        expect(await problems()).toEqual([
            expect.stringMatching(/^The lab needs 4 GiB on the disk of .*, 3\.0 GiB are free:/),
        ]);
        writeFileSync(`${images()}/debian-12-0.tar`, "");
        expect(await problems()).toEqual([]);
    });

    test("has to hold the toolchain's part beside", async () => {
        await problems(true);
        expect(mockMachine.beside).toBe(4 * 2 ** 30);
        mkdirSync(images(), { recursive: true });
        writeFileSync(`${images()}/debian-12-0.tar`, "");
        await problems(true);
        expect(mockMachine.beside).toBe(3 * 2 ** 30);
    });
});

describe("an engine that answers", () => {
    const problems = async (): Promise<string[]> =>
        (await findProblems(paths, { stack: false })).filter((problem) => problem.includes("Docker"));

    test("is used where it is one of this machine's", async () => {
        expect(await problems()).toEqual([]);
        // Of which the machine was renamed.
        mockMachine.engine = "former";
        mockMachine.processes = ["/usr/sbin/init", "/usr/bin/dockerd (deleted)"];
        expect(await problems()).toEqual([]);
    });

    test("is refused where its processes are not to be seen here", async () => {
        mockMachine.engine = "docker-desktop";
        mockMachine.processes = ["/init", "/usr/bin/docker"];
        expect(await problems()).toEqual([
            "The Docker behind /var/run/docker.sock runs elsewhere (it calls its machine docker-desktop), and the lab can't wire what is no process of this machine: " +
                "install and start Docker here and name its socket in DOCKER_HOST (unix://…), or run the lab where that one runs.",
        ]);
    });
});

test("a firewall that would drop what hosts send is said", async () => {
    const chain = { family: "inet", table: "fw", name: "in", type: "filter", hook: "input", prio: 0, policy: "drop" };
    mockMachine.ruleset = JSON.stringify({ nftables: [{ chain }] });
    const problems = await findProblems(paths, { stack: false });
    expect(problems.filter((problem) => problem.includes("firewall"))).toEqual([
        expect.stringMatching(/^The firewall's chain in \(table inet fw\) drops what the lab's hosts ask/),
    ]);
});

describe("addresses that the lab needs", () => {
    const problems = async (): Promise<string[]> =>
        (await findProblems(paths, { stack: false })).filter((problem) => problem.includes("addresses"));
    /** A line of /proc/net/route. */
    const route = (device: string, destination: string, mask: string, flags = "0001"): string =>
        `${device}\t${destination}\t00000000\t${flags}\t0\t0\t0\t${mask}\t0\t0\t0\n`;

    test("are nobody's on most machines", async () => {
        mockMachine.routes =
            route("eth0", "00000000", "00000000", "0003") +
            // A VPN that leads everything away, and a filter of ranges that the internet doesn't have.
            route("tun0", "00000080", "00000080") +
            route("*", "000012C6", "0000FEFF", "0201") +
            route("tun1", "000010C6", "0000F0FF");
        expect(await problems()).toEqual([]);
    });

    test("may not be those of an interface, such as the TUN of Clash", async () => {
        mockMachine.interfaces["Meta"] = "198.18.0.1/30";
        expect(await problems()).toEqual([
            "The lab needs the addresses 198.18.0.0/20, of which Meta has 198.18.0.1/30; both at once would cut this machine off. " +
                "Give Meta a range outside of 198.18.0.0/15 (in Clash and mihomo with TUN that is `fake-ip-range`), or switch it off while there is a lab.",
        ]);
    });

    test.each([
        ["198.18.0.0/15", "000012C6", "0000FEFF"],
        ["198.19.0.0/24", "000013C6", "00FFFFFF"],
        ["127.77.1.0/24", "00014D7F", "00FFFFFF"],
    ])("may not lead elsewhere: %s", async (cidr, destination, mask) => {
        mockMachine.routes = route("tun0", destination, mask);
        expect(await problems()).toEqual([expect.stringContaining(`of which tun0 has ${cidr};`)]);
    });

    test("are only those of its own index, beside which other labs have theirs", async () => {
        mkdirSync(`${folder}/indices`);
        writeFileSync(`${folder}/indices/0`, "other\n");
        mockMachine.interfaces["tun0"] = "198.18.0.1/30";
        mockMachine.interfaces["mh1"] = "198.18.16.1/32";
        mockMachine.interfaces["mh1e2"] = "198.18.16.9/32";
        expect(await problems()).toEqual([]);
        mockMachine.interfaces["tun0"] = "198.18.31.255/32";
        expect(await problems()).toEqual([expect.stringContaining("The lab needs the addresses 198.18.16.0/20,")]);
    });
});

/**
 * Files over NFS, on hosts with a kernel of their own: a server of the platform's, and the cloud's file storage, mounted by the same two
 * clients. A program of its own, because no other host of the tests' stack may wait for emulated machines.
 */
import { api, eventually, onHost, outputOn, startOnHost } from "../lab";
import { components, OwnProgram } from "../ownProgram";
import { FileProgram } from "../storage";

// Hosts with a kernel of their own are emulated, and their image is made when the first one starts.
jest.setTimeout(1_900_000);

const stack = new OwnProgram("storage-nfs");
const nfs = "/data/shared";
const nas = "/data/nas";

const program = `
import { Bastion, Network, NodePool, SharedStorage } from ${components};
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const clients = config.getNumber("clients") ?? 2;
const rootSquash = config.getBoolean("rootSquash") ?? false;
const renamed = config.getBoolean("renamed") ?? false;
const named = (name: string) => [renamed ? name + "-files" : name, { aliases: [{ name }, { name: name + "-files" }] }] as const;
const [[nfs, ofNfs], [nas, ofNas]] = [named("nfs"), named("nas")];
const network = new Network("nfs", {
    cidr: "10.66.0.0/16",
    roles: {
        bastion: {},
        files: { ingress: [{ ports: [22], roles: ["bastion", "files"] }, { ports: [2049], roles: ["files"] }] },
    },
});
const bastion = new Bastion("nfs-bastion", { network, adminCidrs: ["203.0.113.0/24"] });
const pool = new NodePool("file", {
    network,
    role: "files",
    count: 3,
    instanceType: "ecs.ebmg6.26xlarge",
    bastion,
    // Logins that nobody here needs, and that take an emulated processor minutes.
    mesh: false,
});
const [server, ...others] = pool.hosts;
new SharedStorage(nfs, { engine: "nfs", hosts: [server!], clients: others.slice(0, clients), rootSquash }, ofNfs);
new SharedStorage(nas, {
    engine: "nas",
    mountPoint: ${JSON.stringify(nas)},
    vpcId: network.vpcId,
    vswitchId: network.vswitches[0]!.id,
    clients: others.slice(0, clients),
}, ofNas);
`;

let ids: ReadonlyMap<string, string>;
const on = (host: string): string => ids.get(host)!;
const run = (host: string, command: string, seconds = 120): Promise<string> => outputOn(on(host), command, seconds);
const [server, one, other] = ["file-1", "file-2", "file-3"];

async function power(name: string, action: "RebootInstance"): Promise<void> {
    await api()("Ecs", action, { InstanceId: on(name), ForceStop: "true" });
}

beforeAll(async () => {
    await stack.init(program, { clients: 2 });
    await stack.up();
    ids = new Map([...(await stack.instances())].map(([name, { id }]) => [name, id]));
});

afterAll(() => stack.remove());

describe.each([
    ["a server of the platform's", nfs],
    ["the cloud's file storage", nas],
])("%s", (_, mount) => {
    it("has on one client what was written on the other", async () => {
        const sums = (host: string): Promise<string> =>
            run(host, `cd ${mount}/many && find . -type f | sort | xargs sha256sum | sha256sum && ls | wc -l`, 300);
        const write = `mkdir ${mount}/many && cd ${mount}/many && for i in $(seq 1000); do echo $i $RANDOM >$i; done`;
        await run(one, write, 300);
        const written = await sums(one);
        expect(written).toMatch(/\n1000$/);
        expect(await sums(other)).toBe(written);
    });

    it("honours a client's lock on the other", async () => {
        const lock = (how: string): string =>
            `import fcntl; f = open('${mount}/lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX${how})`;
        const holder = await startOnHost(on(one), ["python3", "-c", `${lock("")}; print('held', flush=True); input()`]);
        await holder.told("held", 60);
        const attempt = await onHost(on(other), `python3 -c "${lock(" | fcntl.LOCK_NB")}"`);
        expect(attempt.stderr).toContain("BlockingIOError");
        holder.say("");
        expect((await holder.end()).code).toBe(0);
        await run(other, `python3 -c "${lock(" | fcntl.LOCK_NB")}"`);
    });
});

it("loses nothing that was synced when the server loses its power under write, and goes on when it is back", async () => {
    const writer = await FileProgram.writer(on(one), `${nfs}/log`, 60);
    const booted = await run(server, "cat /proc/sys/kernel/random/boot_id");
    await power(server, "RebootInstance");
    await eventually("the server is back", 400, async () => {
        const { code, stdout } = await onHost(on(server), "cat /proc/sys/kernel/random/boot_id");
        return (code === 0 && stdout.trim() !== booted) || undefined;
    });
    await eventually("the files are back", 120, async () => {
        return (await onHost(on(other), `timeout 10 ls ${nfs}/many | wc -l`)).stdout.trim() === "1000" || undefined;
    });
    const { lines, longest } = await writer.stop();
    console.info(`The server's reboot: ${lines} lines synced, the slowest took ${longest.toFixed(1)} s.`);
    const expected = Array.from({ length: lines }, (_unused, index) => String(index)).join("\n");
    expect(await run(other, `cat ${nfs}/log`)).toBe(expected);
});

it("keeps its files and its clients when its components are renamed, and renamed back", async () => {
    const read = [nfs, nas].map((mount) => `sha256sum ${mount}/many/1`).join(" && ");
    const [before, mounted] = [await run(one, read), await run(one, "findmnt -n -t nfs4 -o SOURCE,TARGET")];
    for (const renamed of ["true", "false"]) {
        await stack.pulumi(["config", "set", "renamed", renamed]);
        const changes = await stack.changes();
        expect(changes.length).toBeGreaterThan(0);
        expect(changes.filter(({ operation }) => operation !== "update")).toEqual([]);
        expect(await run(one, read)).toBe(before);
        expect(await run(one, "findmnt -n -t nfs4 -o SOURCE,TARGET")).toBe(mounted);
    }
});

it("is as the program describes it", async () => {
    await stack.up("--expect-no-changes");
});

it("lets a host in no more that leaves the list, and disturbs nobody else", async () => {
    const sources = await run(other, `findmnt -n -o SOURCE ${nfs} && findmnt -n -o SOURCE ${nas}`);
    const holder = await startOnHost(on(one), [
        "python3",
        "-c",
        `f = open('${nfs}/many/1'); print('open', flush=True); input(); f.read()`,
    ]);
    await holder.told("open", 60);
    await stack.pulumi(["config", "set", "clients", "1"]);
    await stack.up();
    for (const source of sources.split("\n")) {
        const attempt = `mkdir -p /mnt/astray && timeout 60 mount -t nfs4 -o vers=4.0,retry=0 ${source} /mnt/astray && ls /mnt/astray/many`;
        expect((await onHost(on(other), attempt, { seconds: 120 })).code).not.toBe(0);
    }
    expect(await run(other, "findmnt -n -t nfs4 | wc -l")).toBe("0");
    holder.say("");
    expect((await holder.end()).code).toBe(0);
});

it("makes another of whoever is root on a client, while files stay open", async () => {
    const holder = await startOnHost(on(one), [
        "python3",
        "-c",
        `f = open('${nfs}/held', 'w'); print('open', flush=True); input(); f.write('still'); f.close()`,
    ]);
    await holder.told("open", 60);
    await run(one, `chmod 666 ${nfs}/held`);
    await stack.pulumi(["config", "set", "rootSquash", "true"]);
    await stack.up();
    expect((await onHost(on(one), `touch ${nfs}/many/by-root`)).stderr).toContain("Permission denied");
    holder.say("");
    expect((await holder.end()).code).toBe(0);
    expect(await run(server, "cat /data/export/files/held")).toBe("still");
    await stack.up("--expect-no-changes");
});

it("is there again on a host that comes back onto the list, and after its boot", async () => {
    await stack.pulumi(["config", "set", "clients", "2"]);
    await stack.up();
    const listed = `for mount in ${nfs} ${nas}; do timeout 30 ls $mount/many | wc -l; done`;
    expect(await run(other, listed)).toBe("1000\n1000");
    const booted = await run(other, "cat /proc/sys/kernel/random/boot_id");
    await power(other, "RebootInstance");
    await eventually("both are mounted again", 400, async () => {
        const { stdout } = await onHost(on(other), `cat /proc/sys/kernel/random/boot_id && ${listed}`);
        const [boot, ...files] = stdout.trim().split("\n");
        return (boot !== booted && files.join() === "1000,1000") || undefined;
    });
});

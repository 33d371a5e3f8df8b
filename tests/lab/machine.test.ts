/**
 * The machine under the lab, with real containers, name spaces and firewall rules, driven without API and model.
 * Every assertion is on traffic or on what the machine shows, never on what the code believes.
 */
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { AddressInfo, connect } from "node:net";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { LabMachine, createMachine, ensureEngine, ensureImage } from "../../lab/machine";
import { writeAtomically } from "../../lab/hosts/files";
import { installPackages } from "../../lab/hosts/engine";
import { Runner } from "../../lab/hosts/runner";
import { shellWord } from "../../toolchain/commandLine";
import { PEER, balancerFiles } from "../../lab/net/haproxy";
import type {
    DesiredAccess,
    DesiredBalancer,
    DesiredEip,
    DesiredHost,
    DesiredListener,
    DesiredMachine,
    DesiredRule,
    DesiredSecurityGroup,
    DesiredVpc,
    MachineEvent,
} from "../../lab/model/desired";
import { hostOf } from "../unit/lab-machine/hostOf";
import { datagramsAnsweredBy, openClient, say } from "./datagramClients";
import { SlowDownload } from "./slowDownload";

const run = promisify(execFile);
const NAME = "machine-test";

let folder: string;
let machine: LabMachine;
let before: Record<string, string>;
let eipPrefix: string;
let publicKey: string;
let hostKey: string;
let hostPublicKey: string;
const events: MachineEvent[] = [];

/** What other programs on the machine could trip over, without what changes by itself. */
async function traces(): Promise<Record<string, string>> {
    const commands: Record<string, readonly string[]> = {
        "name spaces": ["ip", "netns"],
        links: [
            "sh",
            "-c",
            "ip -o link | sed 's/^[0-9]*: //; s/@.*//; s/:.*//' | grep -v '^veth\\|^br-\\|^docker' | sort",
        ],
        addresses: ["sh", "-c", "ip -o addr | awk '{ print $2, $4 }' | grep -v '^veth\\|^br-\\|^docker' | sort"],
        routes: ["sh", "-c", "ip route show table all | grep -v '^multicast\\|dev \\(veth\\|br-\\|docker\\)' | sort"],
        rules: ["ip", "rule"],
        tables: ["nft", "list", "tables"],
        iptables: ["sh", "-c", "iptables-save | grep '^-A' | grep -v 'br-\\|docker\\|DOCKER' | sort"],
        containers: ["docker", "ps", "-a", "--filter", `label=multihost.lab=${NAME}`, "--format", "{{.Names}}"],
        loops: ["sh", "-c", `losetup -l -O BACK-FILE -n | grep -F ${folder} || true`],
        balancers: ["sh", "-c", `ls -d /run/mh*-balancers 2>/dev/null || true`],
        mounts: ["sh", "-c", `grep -F ${folder} /proc/mounts || true`],
    };
    const found = Object.entries(commands).map(async ([name, [command = "", ...args]]) => {
        const { stdout } = await run(command, args).catch(() => ({ stdout: "" }));
        // Other labs may come and go while this test runs; index and name tell them apart.
        const own = new RegExp(`mh(?!${machine.index}\\b)\\d+`);
        return [
            name,
            stdout
                .split("\n")
                .filter((line) => !own.test(line))
                .join("\n"),
        ] as const;
    });
    return Object.fromEntries(await Promise.all(found));
}

/** Whatever a command in a host wrote; its exit status when it fails. */
async function inside(host: string, script: string): Promise<string> {
    const { stdout } = await run("docker", ["exec", `${NAME}-${host}`, "sh", "-c", script], { timeout: 60_000 });
    return stdout.trim();
}

/** Whether a TCP connection between two places gets an answer. */
async function reaches(host: string, address: string, port: number): Promise<boolean> {
    return inside(host, `timeout 2 bash -c '</dev/tcp/${address}/${port}'`).then(
        () => true,
        () => false,
    );
}

async function pings(host: string, address: string): Promise<boolean> {
    return inside(host, `ping -n -c 1 -W 2 ${address}`).then(
        () => true,
        () => false,
    );
}

async function fromMachine(address: string, port: number): Promise<boolean> {
    return run("timeout", ["2", "bash", "-c", `</dev/tcp/${address}/${port}`]).then(
        () => true,
        () => false,
    );
}

/** The machine itself stands for the world outside: nothing beyond it is asked. */
async function worldOutside(): Promise<string> {
    const { stdout } = await run("sh", [
        "-c",
        "ip -4 -o addr show dev $(ip route show default | sed 's/.* dev \\([^ ]*\\).*/\\1/' | head -1) | awk '{ print $4 }' | cut -d/ -f1 | head -1",
    ]);
    return stdout.trim();
}

async function ssh(address: string, command: string): Promise<string> {
    const known = path.join(folder, "known_hosts");
    const { stdout } = await run("ssh", [
        ...["-i", path.join(folder, "key"), "-o", `UserKnownHostsFile=${known}`, "-o", "StrictHostKeyChecking=yes"],
        ...["-o", "ConnectTimeout=2", "-o", "BatchMode=yes", "-o", "HostKeyAlias=planted", `root@${address}`, command],
    ]);
    return stdout.trim();
}

/** Waits until something holds; fails after `seconds`. */
async function until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!(await holds())) {
        if (Date.now() > end) throw new Error(`after ${seconds} s still not: ${what}`);
        await sleep(100);
    }
}

async function ready(host: string): Promise<void> {
    await until(`${host} listens`, 60, async () =>
        inside(host, "ss -Hltn sport = 22 | grep -q . && cloud-init status --wait >/dev/null").then(
            () => true,
            () => false,
        ),
    );
}

const accept = (
    protocol: DesiredRule["protocol"],
    port: number | undefined,
    peer: DesiredRule["peer"],
    priority = 1,
): DesiredRule => ({
    direction: "ingress",
    policy: "accept",
    priority,
    protocol,
    ...(port !== undefined && { ports: { from: port, to: port } }),
    peer,
});
const anywhere: DesiredRule["peer"] = { kind: "cidr", cidr: "0.0.0.0/0" };

function vpc(id: string, changes: Partial<DesiredVpc> = {}): DesiredVpc {
    return {
        id,
        cidrs: ["10.9.0.0/16"],
        vswitches: [
            { id: `vsw-${id}-1`, cidr: "10.9.1.0/24", gateway: "10.9.1.253", routeTableId: `vtb-${id}` },
            { id: `vsw-${id}-2`, cidr: "10.9.2.0/24", gateway: "10.9.2.253", routeTableId: `vtb-${id}` },
        ],
        routeTables: [{ id: `vtb-${id}`, routes: [] }],
        snat: [],
        dnat: [],
        haVips: [],
        ...changes,
    };
}

let nextMac = 1;
function host(
    id: string,
    vpcId: string,
    address: string,
    groups: readonly string[],
    changes: Partial<DesiredHost> = {},
): DesiredHost {
    const vswitch = address.startsWith("10.9.1.") ? 1 : 2;
    return {
        ...hostOf(id),
        nics: [
            {
                id: `eni-${id}`,
                vpcId,
                vswitchId: `vsw-${vpcId}-${vswitch}`,
                mac: `00:16:3e:aa:00:${(nextMac++).toString(16).padStart(2, "0")}`,
                primary: true,
                deviceIndex: 0,
                primaryIp: address,
                secondaryIps: [],
                securityGroupIds: groups,
            },
        ],
        publicKeys: [publicKey],
        tags: { Name: id, role: "test" },
        zoneId: "cn-hangzhou-h",
        regionId: "cn-hangzhou",
        ...changes,
    };
}

const eip = (number: number, target?: DesiredEip["target"]): DesiredEip => ({
    id: `eip-${number}`,
    address: `${eipPrefix}.${number}`,
    ...(target && { target }),
});
const group = (
    id: string,
    vpcId: string,
    rules: readonly DesiredRule[] = [],
    intraGroupAccept = true,
): DesiredSecurityGroup => ({
    id,
    vpcId,
    intraGroupAccept,
    rules,
});

let state: DesiredMachine;
async function change(changes: Partial<DesiredMachine>): Promise<void> {
    state = { ...state, ...changes };
    await machine.reconcile(state);
}

beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "machine-test-"));
    await ensureEngine();
    await ensureImage();
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.join(folder, "key")]);
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "planted", "-f", path.join(folder, "hostkey")]);
    publicKey = readFileSync(path.join(folder, "key.pub"), "utf8").trim();
    hostKey = readFileSync(path.join(folder, "hostkey"), "utf8");
    hostPublicKey = readFileSync(path.join(folder, "hostkey.pub"), "utf8").trim();
    await run("sh", ["-c", `echo "planted ${hostPublicKey}" > ${path.join(folder, "known_hosts")}`]);
    machine = await createMachine({ name: NAME, folder: path.join(folder, "machine") });
    // What an earlier run that was killed may have left.
    await machine.destroy();
    await machine.close();
    machine = await createMachine({ name: NAME, folder: path.join(folder, "machine") });
    machine.onEvent((event) => events.push(event));
    before = await traces();
    eipPrefix = machine.eipRange.replace(/\.0\/20$/, "");
    const indent = (text: string): string => text.trim().replace(/\n/g, "\n    ");
    state = {
        vpcs: [vpc("vpc-a"), vpc("vpc-b")],
        securityGroups: [
            group("sg-web", "vpc-a", [accept("tcp", 22, anywhere), accept("icmp", undefined, anywhere)]),
            group("sg-db", "vpc-a", [accept("tcp", 22, { kind: "group", securityGroupId: "sg-web" })]),
            group("sg-b", "vpc-b", [accept("all", undefined, anywhere)]),
        ],
        hosts: [
            host("a1", "vpc-a", "10.9.1.10", ["sg-web"], {
                userData: `#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n    ${indent(hostKey)}\n  ed25519_public: ${hostPublicKey}\nwrite_files:\n  - path: /root/written\n    content: hello\nruncmd:\n  - [sh, -c, "echo $(hostname) > /root/ran"]\n`,
            }),
            host("a2", "vpc-a", "10.9.2.10", ["sg-db"], { userData: "#!/bin/sh\necho script > /root/ran\n" }),
            host("b1", "vpc-b", "10.9.1.10", ["sg-b"]),
            host("b2", "vpc-b", "10.9.2.11", ["sg-b"]),
        ],
        eips: [
            eip(1, { kind: "instance", vpcId: "vpc-a", privateIp: "10.9.1.10" }),
            eip(2),
            eip(3, { kind: "nat", vpcId: "vpc-b", natGatewayId: "ngw-b" }),
        ],
        balancers: [],
        zones: [],
        fileSystems: [],
    };
}, 600_000);

afterAll(async () => {
    await machine.destroy();
    await machine.close();
    rmSync(folder, { recursive: true, force: true });
}, 60_000);

test("a host accepts SSH through its EIP within seconds, with the key pair and the host key that were asked for", async () => {
    const started = Date.now();
    const [a1] = state.hosts;
    await machine.reconcile({ ...state, hosts: [a1!] });
    await until("SSH answers", 20, async () =>
        ssh(eip(1).address, "true").then(
            () => true,
            () => false,
        ),
    );
    console.log(`SSH after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    await change({});
    await Promise.all(state.hosts.map(({ id }) => ready(id)));
}, 120_000);

test("user data was executed, as cloud-config and as a script", async () => {
    expect(
        await ssh(
            eip(1).address,
            "cloud-init status --wait | tail -1; cat /root/written /root/ran; systemctl is-system-running --wait",
        ),
    ).toBe("status: done\nhello\na1\nrunning".replace("hello\na1", "helloa1"));
    expect(await inside("a2", "cat /root/ran")).toBe("script");
    expect(await inside("a1", "cat /etc/ssh/ssh_host_ed25519_key.pub")).toContain(hostPublicKey.split(" ")[1]);
});

test("every host of a VPC is told who it is, and can resolve names without a way out", async () => {
    const get = (path: string): string => `curl -sf -m 3 http://100.100.100.200/latest/${path}`;
    expect(await inside("b1", get("meta-data/instance-id"))).toBe("b1");
    expect(await inside("a1", get("meta-data/instance-id"))).toBe("a1");
    expect(await inside("a1", get("meta-data/eipv4"))).toBe(eip(1).address);
    expect(await inside("a2", get("meta-data/vswitch-cidr-block"))).toBe("10.9.2.0/24");
    expect(await inside("a2", get("meta-data/"))).toContain("instance-id\n");
    expect(JSON.parse(await inside("a2", get("dynamic/instance-identity/document")))).toMatchObject({
        "instance-id": "a2",
    });
    const token = await inside(
        "b1",
        `curl -sf -X PUT -H 'X-aliyun-ecs-metadata-token-ttl-seconds: 60' http://100.100.100.200/latest/api/token`,
    );
    expect(token.length).toBeGreaterThan(20);
    // Which names there are depends on the machine's resolver; that it answers does not.
    expect(await inside("b2", "host -W 5 localhost 100.100.2.136 || true")).toMatch(/address|NXDOMAIN|SERVFAIL/);
});

test("VPCs with the same addresses do not see each other", async () => {
    expect(await reaches("b2", "10.9.1.10", 22)).toBe(true);
    expect(await inside("b2", "ssh-keyscan -t ed25519 10.9.1.10 2>/dev/null | cut -d' ' -f3")).toBe(
        (await inside("b1", "cat /etc/ssh/ssh_host_ed25519_key.pub")).split(" ")[1],
    );
    // Only VPC a has a host there.
    expect(await pings("b2", "10.9.2.10")).toBe(false);
});

test("ingress is closed but for what a rule accepts, by address and by group", async () => {
    expect(await reaches("a1", "10.9.2.10", 22)).toBe(true);
    expect(await pings("a1", "10.9.2.10")).toBe(false);
    expect(await pings("a2", "10.9.1.10")).toBe(true);
    expect(await fromMachine(eip(1).address, 23)).toBe(false);
});

test("rules change while hosts run, by priority and drop before accept", async () => {
    const [web, db, b] = state.securityGroups;
    const rules = async (rules: readonly DesiredRule[]): Promise<void> =>
        change({ securityGroups: [web!, group("sg-db", "vpc-a", rules), b!] });
    const open = accept("tcp", 22, anywhere, 10);
    const shut = (priority: number): DesiredRule => ({ ...open, policy: "drop", priority });
    await rules([]);
    expect(await reaches("a1", "10.9.2.10", 22)).toBe(false);
    await rules([open]);
    expect(await reaches("a1", "10.9.2.10", 22)).toBe(true);
    await rules([open, shut(10)]);
    expect(await reaches("a1", "10.9.2.10", 22)).toBe(false);
    await rules([open, shut(11)]);
    expect(await reaches("a1", "10.9.2.10", 22)).toBe(true);
    await rules([open, shut(9)]);
    expect(await reaches("a1", "10.9.2.10", 22)).toBe(false);
    const out: DesiredRule = {
        ...shut(1),
        direction: "egress",
        protocol: "icmp",
        peer: { kind: "cidr", cidr: "10.9.1.0/24" },
    };
    await rules([{ ...out, protocol: "icmp" }]);
    expect(await pings("a2", "10.9.1.10")).toBe(false);
    await change({ securityGroups: [web!, db!, b!] });
    expect(await pings("a2", "10.9.1.10")).toBe(true);
});

test("a guest can neither lift the rules nor send from another's address", async () => {
    await inside("a2", "nft flush ruleset; ip address add 10.9.2.99/24 dev eth0");
    expect(await pings("a1", "10.9.2.10")).toBe(false);
    expect(
        await inside("a2", "ping -n -c 1 -W 1 -I 10.9.2.99 10.9.1.10 >/dev/null && echo answered || echo silent"),
    ).toBe("silent");
    await inside("a2", "ip address del 10.9.2.99/24 dev eth0");
});

test("a running connection survives a change of rules that does not concern it", async () => {
    const [web, db, b] = state.securityGroups;
    const talk = inside(
        "a1",
        "exec 3<>/dev/tcp/10.9.2.10/22; head -c 4 <&3; sleep 2; echo x >&3; timeout 3 head -c 1 <&3 >/dev/null && echo ' alive'"
            .replace(/^/, "bash -c '")
            .replace(/$/, "'")
            .replace(" ' alive''", ' " alive"\''),
    );
    await sleep(500);
    await change({ securityGroups: [web!, group("sg-db", "vpc-a", [...db!.rules, accept("tcp", 81, anywhere)]), b!] });
    expect(await talk).toContain("alive");
});

test("an EIP can be bound, moved and unbound while hosts run", async () => {
    const [first, , nat] = state.eips;
    expect(await fromMachine(eip(2).address, 22)).toBe(false);
    await change({ eips: [first!, eip(2, { kind: "instance", vpcId: "vpc-b", privateIp: "10.9.1.10" }), nat!] });
    expect(await fromMachine(eip(2).address, 22)).toBe(true);
    const keyOf = async (host: string): Promise<string> =>
        (await inside(host, "cat /etc/ssh/ssh_host_ed25519_key.pub")).split(" ")[1]!;
    const scan = async (): Promise<string> =>
        (await run("ssh-keyscan", ["-T", "2", "-t", "ed25519", eip(2).address])).stdout.split(" ")[2]!.trim();
    expect(await scan()).toBe(await keyOf("b1"));
    await change({ eips: [first!, eip(2, { kind: "instance", vpcId: "vpc-b", privateIp: "10.9.2.11" }), nat!] });
    expect(await scan()).toBe(await keyOf("b2"));
    // Between hosts of different VPCs there is no other way than this.
    expect(await reaches("a1", eip(2).address, 22)).toBe(true);
    expect(await reaches("a2", eip(2).address, 22)).toBe(false);
    await inside("b2", "(for i in $(seq 100); do echo tick; sleep 0.1; done | nc -l -p 9000) >/dev/null 2>&1 &");
    // The connection is made once and not again: whoever comes before the listener is refused.
    await until("b2 listens", 5, async () => (await inside("b2", "ss -Hltn sport = 9000")) !== "");
    let received = 0;
    const socket = connect(9000, eip(2).address);
    socket.on("data", (chunk) => (received += chunk.length));
    socket.on("error", () => undefined);
    await until("data flows", 5, async () => received > 0);
    await change({ eips: [first!, eip(2), nat!] });
    const atUnbinding = received;
    await sleep(1000);
    expect(received - atUnbinding).toBeLessThanOrEqual("tick\n".length);
    socket.destroy();
    expect(await fromMachine(eip(2).address, 22)).toBe(false);
});

test("there is no way out without an EIP, or a NAT gateway and a route to it", async () => {
    const outside = await worldOutside();
    expect(await pings("a1", outside)).toBe(true);
    expect(await pings("a2", outside)).toBe(false);
    expect(await pings("b1", outside)).toBe(false);
    const [a] = state.vpcs;
    const route = [
        { id: "vtb-vpc-b", routes: [{ cidr: "0.0.0.0/0", nextHop: { kind: "nat" as const, natGatewayId: "ngw-b" } }] },
    ];
    const snat = [{ id: "snat-1", natGatewayId: "ngw-b", sourceCidr: "10.9.1.0/24", addresses: [eip(3).address] }];
    await change({ vpcs: [a!, vpc("vpc-b", { snat })] });
    expect(await pings("b1", outside)).toBe(false);
    await change({ vpcs: [a!, vpc("vpc-b", { snat, routeTables: route })] });
    expect(await pings("b1", outside)).toBe(true);
    expect(await pings("b2", outside)).toBe(false);
    const dnat = [
        {
            id: "fwd-1",
            externalAddress: eip(3).address,
            externalPort: "2222",
            protocol: "tcp" as const,
            internalIp: "10.9.2.11",
            internalPort: "22",
        },
    ];
    await change({ vpcs: [a!, vpc("vpc-b", { snat, dnat, routeTables: route })] });
    expect(await fromMachine(eip(3).address, 2222)).toBe(true);
    expect(await fromMachine(eip(3).address, 22)).toBe(false);
    // By way of a host that looks at all that leaves.
    const [first, second] = vpc("vpc-b").vswitches;
    const inspected = {
        vswitches: [first!, { ...second!, routeTableId: "vtb-vpc-b-2" }],
        routeTables: [
            ...route,
            {
                id: "vtb-vpc-b-2",
                routes: [{ cidr: "0.0.0.0/0", nextHop: { kind: "instance" as const, privateIp: "10.9.1.10" } }],
            },
        ],
        snat: [{ ...snat[0]!, sourceCidr: "10.9.0.0/16" }],
    };
    await inside("b1", "sysctl -qw net.ipv4.ip_forward=1");
    await change({ vpcs: [a!, vpc("vpc-b", inspected)] });
    expect(await pings("b2", outside)).toBe(true);
    // Another gateway's entries are of no use.
    const other = inspected.snat.map((entry) => ({ ...entry, natGatewayId: "ngw-other" }));
    await change({ vpcs: [a!, vpc("vpc-b", { ...inspected, snat: other })] });
    expect(await pings("b1", outside)).toBe(false);
    await change({ vpcs: [a!, vpc("vpc-b", { snat, dnat, routeTables: route })] });
});

test("a route within the VPC's own range leads where it says, and nothing else of that range leads out", async () => {
    const [a, b] = state.vpcs;
    const through = (cidr: string, privateIp: string) => ({ cidr, nextHop: { kind: "instance" as const, privateIp } });
    const routes = [through("10.9.200.0/24", "10.9.1.10"), through("10.9.201.0/24", "10.9.2.10")];
    await inside("a1", "ip address add 10.9.200.1/32 dev lo");
    await inside("a2", "ip address add 10.9.201.1/32 dev lo");
    expect(await pings("a2", "10.9.200.1")).toBe(false);
    await change({ vpcs: [vpc("vpc-a", { routeTables: [{ id: "vtb-vpc-a", routes }] }), b!] });
    expect(await pings("a2", "10.9.200.1")).toBe(true);
    // From one such range to the other, as containers do.
    expect(await pings("a2", "-I 10.9.201.1 10.9.200.1")).toBe(true);
    // This one has an EIP, and so a default route.
    for (const address of ["10.9.1.99", "10.9.77.1"]) expect(await pings("a1", address)).toBe(false);
    await inside("a1", "ip address del 10.9.200.1/32 dev lo");
    await inside("a2", "ip address del 10.9.201.1/32 dev lo");
    await change({ vpcs: [a!, b!] });
});

test("the machine's loopback services are out of hosts' reach", async () => {
    const server = createServer((_, response) => response.end("reached"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    // A guest may well send the machine's loopback addresses down the wire; without the guard this is answered.
    const script = `
        ip route add 127.0.0.1 via 10.9.1.253 dev eth0 src 10.9.1.10 table local metric 5
        ip route del local 127.0.0.1 dev lo table local
        ip route del local 127.0.0.0/8 dev lo table local
        ip route get 127.0.0.1 | grep -o 'dev eth0'
        curl -s -m 2 http://127.0.0.1:${port}/ || echo silent
        ip route del 127.0.0.1 via 10.9.1.253 dev eth0 table local
        ip addr del 127.0.0.1/8 dev lo
        ip addr add 127.0.0.1/8 dev lo`;
    try {
        expect(await inside("a1", script)).toBe("dev eth0\nsilent");
    } finally {
        server.close();
    }
});

test("data disks appear in running hosts, hold file systems and move to another host with their content", async () => {
    const disk = { id: "d-data0001", sizeGiB: 1, device: "/dev/xvdb" };
    const withDisk = (id: string | undefined): DesiredHost[] =>
        state.hosts.map((each) => ({ ...each, disks: each.id === id ? [disk] : [] }));
    await change({ hosts: withDisk("a2") });
    expect(
        await inside(
            "a2",
            "readlink -f /dev/xvdb; mkfs.xfs -q /dev/vdb && mkdir -p /data && mount /dev/vdb /data && echo kept > /data/file && df -T /data | tail -1 | awk '{ print $2 }'; umount /data; ls /dev/disk/by-id",
        ),
    ).toBe("/dev/vdb\nxfs\nvirtio-data0001");
    await change({ hosts: withDisk(undefined) });
    expect(await inside("a2", "ls /dev/vdb 2>/dev/null || echo gone")).toBe("gone");
    await change({ hosts: withDisk("b1") });
    expect(await inside("b1", "mkdir -p /data && mount /dev/xvdb /data && cat /data/file && umount /data")).toBe(
        "kept",
    );
    await change({ hosts: withDisk(undefined) });
});

test("a reboot from inside keeps the host, a power-off is reported, and the API starts it again", async () => {
    const disks = [{ id: "d-data0002", sizeGiB: 1, device: "/dev/xvdb" }];
    await change({ hosts: state.hosts.map((each) => (each.id === "a2" ? { ...each, disks } : each)) });
    const mount =
        "mkfs.ext4 -q /dev/vdb && echo UUID=$(blkid -s UUID -o value /dev/vdb) /mnt ext4 defaults,nofail 0 2 >> /etc/fstab";
    await inside("a2", `${mount}; echo still here > /root/mark; sync`);
    const count = (kind: string): number =>
        events.filter((event) => event.kind === kind && "hostId" in event && event.hostId === "a2").length;
    const running = count("running");
    await inside("a2", "systemctl reboot").catch(() => "");
    await until("a2 runs again", 30, async () => count("running") > running);
    await ready("a2");
    expect(await inside("a2", "cat /root/mark; findmnt -no FSTYPE /mnt")).toBe("still here\next4");
    expect(await reaches("a1", "10.9.2.10", 22)).toBe(true);

    const outside = await worldOutside();
    const routes = [{ cidr: `${outside}/32`, nextHop: { kind: "instance" as const, privateIp: "10.9.2.10" } }];
    const [a, b] = state.vpcs;
    await change({ vpcs: [vpc("vpc-a", { routeTables: [{ id: "vtb-vpc-a", routes }] }), b!] });
    await inside("a2", "systemctl poweroff").catch(() => "");
    await until("a2 is reported stopped", 30, async () => count("stopped") === 1);
    await machine.reconcile(state);
    expect(await inside("a2", "true").catch(() => "off")).toBe("off");
    // A route through it leads nowhere while it is off, also for a host with an EIP.
    expect(await pings("a1", outside)).toBe(false);
    await change({ vpcs: [a!, b!] });
    expect(await pings("a1", outside)).toBe(true);
    const power = (power: DesiredHost["power"], bootCount = 0): DesiredHost[] =>
        state.hosts.map((each) => (each.id === "a2" ? { ...each, power, bootCount } : each));
    await change({ hosts: power("stopped") });
    await change({ hosts: power("running") });
    await ready("a2");
    const up = await inside("a2", "cat /proc/1/stat | cut -d' ' -f22");
    await change({ hosts: power("running", 1) });
    await ready("a2");
    expect(await inside("a2", "cat /proc/1/stat | cut -d' ' -f22")).not.toBe(up);
    expect(await machine.consoleOutput("a2")).toContain("multi-user.target");
}, 120_000);

test("kernel settings of a host are its own", async () => {
    const here = readFileSync("/proc/sys/vm/overcommit_memory", "utf8");
    const other = here.trim() === "1" ? "0" : "1";
    expect(
        await inside(
            "b1",
            `sysctl -qw vm.overcommit_memory=${other} net.core.somaxconn=1234 && cat /proc/sys/vm/overcommit_memory /proc/sys/net/core/somaxconn`,
        ),
    ).toBe(`${other}\n1234`);
    expect(readFileSync("/proc/sys/vm/overcommit_memory", "utf8")).toBe(here);
    expect(readFileSync("/proc/sys/net/core/somaxconn", "utf8").trim()).not.toBe("1234");
});

test("another system disk is an empty machine under the same identity", async () => {
    await inside("b2", "touch /root/old");
    await change({
        hosts: state.hosts.map((each) => (each.id === "b2" ? { ...each, systemDiskId: "d-other" } : each)),
    });
    await ready("b2");
    expect(await inside("b2", "ls /root/old 2>/dev/null || echo empty")).toBe("empty");
});

describe("a balancer", () => {
    const check = {
        http: { method: "HEAD" as const, path: "/", version: "1.1" as const, classes: [2] },
        intervalSeconds: 1,
        timeoutSeconds: 1,
        healthyAfter: 2,
        unhealthyAfter: 2,
    };
    const servers = (a1: number, a2: number) => [
        { id: "a1", address: "10.9.1.10", port: 8080, weight: a1 },
        { id: "a2", address: "10.9.2.10", port: 8080, weight: a2 },
    ];
    const http = (changes: Partial<DesiredListener> = {}): DesiredListener => ({
        id: "lb/http/80",
        protocol: "http",
        port: 80,
        idleSeconds: 15,
        requestSeconds: 10,
        forwardedFor: true,
        headers: [{ name: "X-Forwarded-Proto", value: { kind: "protocol" } }],
        gzip: true,
        proxyProtocol: false,
        rules: [],
        pool: { servers: servers(30, 10), scheduler: "weighted", check },
        ...changes,
    });
    const outer = (...listeners: readonly DesiredListener[]): DesiredBalancer => ({
        id: "lb-outer",
        addresses: [`${eipPrefix}.9`],
        vpcId: "vpc-a",
        listeners,
    });
    const serve = (host: string): Promise<string> =>
        inside(
            host,
            `mkdir -p /srv/www && echo ${host} > /srv/www/index.html && systemd-run -q --unit www -p WorkingDirectory=/srv/www python3 -m http.server 8080`,
        );
    const curl = async (...args: readonly string[]): Promise<string> =>
        (await run("curl", ["-s", "-m", "3", "--noproxy", "*", ...args])).stdout.trim();
    const ask = (): Promise<string> => curl("-f", `http://${eipPrefix}.9/`);
    /** How often each host answered. */
    const spread = async (requests: number): Promise<Record<string, number>> => {
        const answers: Record<string, number> = {};
        for (let i = 0; i < requests; i += 1) {
            const answer = await ask();
            answers[answer] = (answers[answer] ?? 0) + 1;
        }
        return answers;
    };
    const health = async (): Promise<string> =>
        (await machine.health("lb-outer")).map(({ address, health }) => `${address} ${health}`).join();
    const both = "10.9.1.10 up,10.9.2.10 up";

    test("spreads requests by weight past closed security groups, from the range that the cloud's come from", async () => {
        await Promise.all([serve("a1"), serve("a2")]);
        expect(await reaches("a1", "10.9.2.10", 8080)).toBe(false);
        await change({ balancers: [outer(http())] });
        await until("both servers are up", 15, async () => (await health()) === both);
        expect(await spread(40)).toEqual({ a1: 30, a2: 10 });
        expect(await inside("a1", "journalctl -u www -o cat | grep GET | cut -d' ' -f1 | sort -u")).toMatch(
            /^100\.64\.\d+\.\d+$/,
        );
    }, 60_000);

    test("asks a server that is down no more, and one that came back again", async () => {
        await inside("a2", "systemctl stop www");
        await until("it is found down", 15, async () => (await health()) === "10.9.1.10 up,10.9.2.10 down");
        expect(await spread(10)).toEqual({ a1: 10 });
        await serve("a2");
        await until("it is found up", 15, async () => (await health()) === both);
        expect(Object.keys(await spread(8)).sort()).toEqual(["a1", "a2"]);
    }, 60_000);

    test("changes under requests without losing one, and new servers wait for their first checks", async () => {
        const load = { on: true, count: 0 };
        const requests = (async () => {
            for (; load.on; load.count += 1) await ask();
        })();
        for (const [a1, a2] of [
            [10, 0],
            [10, 10],
            [0, 10],
            [30, 10],
        ] as const) {
            await change({
                balancers: [outer(http({ pool: { servers: servers(a1, a2), scheduler: "weighted", check } }))],
            });
            await sleep(200);
        }
        const one = { servers: servers(30, 10).slice(0, 1), scheduler: "weighted" as const, check };
        await change({ balancers: [outer(http({ pool: one }))] });
        await change({ balancers: [outer(http())] });
        expect(await health()).toBe("10.9.1.10 up,10.9.2.10 down");
        await until("it is found up", 15, async () => (await health()) === both);
        load.on = false;
        await requests;
        expect(load.count).toBeGreaterThan(0);
    }, 60_000);

    test("goes on with a client that reads slowly for longer than a connection may be idle", async () => {
        const size = 24 * 2 ** 20;
        for (const host of ["a1", "a2"]) await inside(host, `head -c ${size} /dev/zero >/srv/www/large`);
        await change({ balancers: [outer(http({ idleSeconds: 4 }))] });
        const download = await SlowDownload.start(`http://${eipPrefix}.9/large`);
        await sleep(12_000);
        expect(await download.finish()).toBe(size);
    }, 60_000);

    test("lets in whom its list names, redirects to HTTPS, and keeps a client with its server", async () => {
        await run("openssl", [
            ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
            ...["-subj", "/CN=shop.example.com", "-keyout", path.join(folder, "tls.key")],
            ...["-out", path.join(folder, "tls.crt")],
        ]);
        const [certificate, key] = ["crt", "key"].map((end) => readFileSync(path.join(folder, `tls.${end}`), "utf8"));
        const https = http({
            id: "lb/https/443",
            protocol: "https",
            port: 443,
            tls: {
                certificate: `${certificate!}${key!}`,
                minimum: "TLSv1.2",
                maximum: "TLSv1.3",
                alpn: ["h2", "http/1.1"],
            },
            pool: {
                servers: servers(10, 10),
                scheduler: "weighted",
                check,
                stickiness: { kind: "insert", seconds: 60 },
            },
        });
        await change({ balancers: [outer(http({ redirect: { protocol: "https", port: 443, code: 301 } }), https)] });
        await until("both servers are up", 15, async () => (await health()) === both);
        expect(await curl("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", `http://${eipPrefix}.9/a?b=c`)).toBe(
            `301 https://${eipPrefix}.9/a?b=c`,
        );
        const jar = path.join(folder, "cookies");
        const sticky = ["-k", "-c", jar, "-b", jar, `https://${eipPrefix}.9/`];
        const first = await curl(...sticky);
        for (let i = 0; i < 4; i += 1) expect(await curl(...sticky)).toBe(first);
        expect(
            await curl("-k", "-o", "/dev/null", "-w", "%{http_version} %{certs}", `https://${eipPrefix}.9/`),
        ).toMatch(/^2/);
        const listed = (kind: "allow" | "deny", cidr = "203.0.113.0/24") => http({ access: { kind, cidrs: [cidr] } });
        await change({ balancers: [outer(listed("deny"))] });
        await expect(ask()).rejects.toThrow();
        await change({ balancers: [outer(listed("allow"))] });
        await until("it answers", 15, async () => ask().then(Boolean, () => false));
        // A host is known by its EIP.
        const fromHost = (): Promise<boolean> =>
            inside("a1", `curl -sf -m 3 --noproxy '*' http://${eipPrefix}.9/`).then(Boolean, () => false);
        expect(await fromHost()).toBe(false);
        await change({ balancers: [outer(listed("allow", `${eip(1).address}/32`))] });
        await until("it answers the host", 15, fromHost);
    }, 60_000);

    test("inside a VPC is reached by its hosts, and by nobody else", async () => {
        const inner: DesiredBalancer = {
            id: "lb-inner",
            addresses: ["10.9.1.200"],
            vpcId: "vpc-a",
            listeners: [
                {
                    ...http({ id: "lb-inner/tcp/81", protocol: "tcp", port: 81, headers: [], gzip: false }),
                    pool: { servers: servers(10, 10), scheduler: "leastConnections" },
                },
            ],
        };
        await change({ balancers: [outer(http()), inner] });
        for (const host of ["a1", "a2"]) {
            expect(await inside(host, "curl -sf -m 3 http://10.9.1.200:81/")).toMatch(/^a[12]$/);
            expect(await reaches(host, "10.9.1.200", 82)).toBe(false);
        }
        expect(await reaches("b2", "10.9.1.200", 81)).toBe(false);
        expect((await machine.health("lb-inner")).map(({ health: found }) => found)).toEqual([
            "unchecked",
            "unchecked",
        ]);
    }, 60_000);

    test("takes other addresses while it runs, from the internet's to the VPC's and back", async () => {
        const moved: DesiredBalancer = { ...outer(http()), addresses: ["10.9.2.201", "10.9.2.202"] };
        await change({ balancers: [moved] });
        for (const address of moved.addresses) await until(`${address} answers`, 15, () => reaches("a2", address, 80));
        await expect(ask()).rejects.toThrow();
        await change({ balancers: [outer(http())] });
        await until("the balancer answers", 15, () => ask().then(Boolean, () => false));
        expect(await reaches("a2", moved.addresses[0]!, 80)).toBe(false);
    });

    test("spreads flows of datagrams by weight, and takes them from a server that is down", async () => {
        const echo = [
            "import socket, sys",
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
            "s.bind(('', 9053))",
            "while True:",
            "    peer = s.recvfrom(2048)[1]",
            "    s.sendto(f'{sys.argv[1]} {peer[0]}'.encode(), peer)",
        ].join("\n");
        const serveDatagrams = (host: string): Promise<string> =>
            inside(host, `systemd-run -q --unit echo python3 -c ${shellWord(echo)} ${host}`);
        const udp = (a1: number, a2: number, changes: Partial<DesiredListener> = {}): DesiredListener => ({
            ...http({ id: "lb/udp/53", protocol: "udp", port: 53, headers: [], gzip: false, idleSeconds: 20 }),
            pool: {
                servers: servers(a1, a2).map((server) => ({ ...server, port: 9053 })),
                scheduler: "weighted",
                check: {
                    udp: { request: "" },
                    intervalSeconds: 1,
                    timeoutSeconds: 1,
                    healthyAfter: 2,
                    unhealthyAfter: 2,
                },
            },
            ...changes,
        });
        const datagramHealth = async (): Promise<string> =>
            (await machine.health("lb-outer"))
                .filter(({ listenerId }) => listenerId === "lb/udp/53")
                .map(({ address, health }) => `${address} ${health}`)
                .join();
        const flows = (count: number): Promise<Record<string, number>> =>
            datagramsAnsweredBy(`${eipPrefix}.9`, 53, count);

        await Promise.all([serveDatagrams("a1"), serveDatagrams("a2")]);
        await change({ balancers: [outer(http(), udp(30, 10))] });
        await until("both servers are up", 20, async () => (await datagramHealth()) === both);
        expect(await flows(40)).toEqual({ a1: 30, a2: 10 });

        // A flow stays with its server, which sees the balancer as its client, also when that is to get no new ones.
        const client = await openClient(`${eipPrefix}.9`, 53);
        const [name, source] = (await say(client))!.split(" ");
        expect(source).toMatch(/^100\.64\.\d+\.\d+$/);
        const [drained, other] = name === "a1" ? ["a1", "a2"] : ["a2", "a1"];
        await change({ balancers: [outer(http(), drained === "a1" ? udp(0, 10) : udp(10, 0))] });
        expect(await flows(4)).toEqual({ [other]: 4 });
        expect(await say(client)).toBe(`${drained} ${source!}`);

        await inside(drained, "systemctl stop echo");
        await until("it is found down", 20, async () => (await datagramHealth()).includes("down"));
        expect(await say(client)).toBe(`${other} ${source!}`);
        client.close();
        await serveDatagrams(drained);
        await change({ balancers: [outer(http(), udp(10, 10))] });
        await until("both servers are up", 20, async () => (await datagramHealth()) === both);
        expect(await flows(10)).toEqual({ a1: 5, a2: 5 });

        const listed = (kind: "allow" | "deny") =>
            udp(10, 10, { access: { kind, cidrs: ["203.0.113.0/24", "203.0.113.0/28"] } });
        await change({ balancers: [outer(http(), listed("deny"))] });
        expect(await flows(1)).toEqual({ nobody: 1 });
        await change({ balancers: [outer(http(), listed("allow"))] });
        expect(Object.keys(await flows(2)).sort()).toEqual(["a1", "a2"]);
        const hashed = udp(10, 10);
        await change({ balancers: [outer(http(), { ...hashed, pool: { ...hashed.pool, scheduler: "sourceHash" } })] });
        expect(Object.keys(await flows(8))).toHaveLength(1);
        await change({ balancers: [outer(http())] });
        expect(await flows(1)).toEqual({ nobody: 1 });
        expect(await ask()).toMatch(/^a[12]$/);
    }, 90_000);

    test("is one whose every setting HAProxy accepts", async () => {
        const all = http({
            protocol: "https",
            access: { kind: "deny", cidrs: ["1.2.3.0/24"] },
            tls: {
                certificate: `${readFileSync(path.join(folder, "tls.crt"), "utf8")}${readFileSync(path.join(folder, "tls.key"), "utf8")}`,
                clientAuthority: readFileSync(path.join(folder, "tls.crt"), "utf8"),
                minimum: "TLSv1.0",
                maximum: "TLSv1.2",
                alpn: ["http/1.1"],
            },
            headers: [
                { name: "SLB-ID", value: { kind: "text", text: "lb" } },
                { name: "X-Forwarded-Port", value: { kind: "port" } },
                { name: "X-Forwarded-Client-srcport", value: { kind: "clientPort" } },
            ],
            rules: [
                {
                    id: "rule-1",
                    domains: ["*.example.com", "a.b"],
                    paths: ["/a#b*", "/$x/*/y.z"],
                    pool: {
                        servers: servers(1, 1),
                        scheduler: "equal",
                        stickiness: { kind: "rewrite", cookie: "JSESSIONID" },
                        check: { ...check, port: 99, http: { ...check.http, path: "/$a'b", host: "x.y" } },
                    },
                },
            ],
        });
        const tcp = http({ protocol: "tcp", port: 82, proxyProtocol: true, headers: [], gzip: false });
        const sticky = { kind: "source" as const, seconds: 60 };
        const place = { folder: path.join(folder, "check"), addresses: ["127.0.0.1", "127.0.0.2"] };
        const { configuration, certificates } = balancerFiles(
            outer(all, { ...tcp, pool: { ...tcp.pool, scheduler: "sourceHash", stickiness: sticky } }),
            place,
        );
        for (const [name, pem] of certificates) writeAtomically(path.join(place.folder, name), pem);
        writeAtomically(path.join(place.folder, "haproxy.cfg"), configuration);
        await run("haproxy", ["-c", "-q", "-L", PEER, "-f", path.join(place.folder, "haproxy.cfg")]);
    });
});

describe("a HaVip", () => {
    const address = "10.9.1.50";
    const holders: string[] = [];
    /** What the model makes of an announcement. */
    const listen = (event: MachineEvent): void => {
        if (event.kind !== "claimed" || holders.at(-1) === event.nicId) return;
        holders.push(event.nicId);
        void hold(event.nicId);
    };
    const hold = (holder: string | undefined): Promise<void> => {
        const [, b] = state.vpcs;
        const haVip = { id: "havip-1", address, nicIds: ["eni-a1", "eni-a2"], ...(holder !== undefined && { holder }) };
        return change({ vpcs: [vpc("vpc-a", { haVips: [haVip] }), b!] });
    };
    const announce = (host: string): Promise<string> =>
        inside(
            host,
            `ip address replace ${address}/32 dev eth0; python3 - <<'END'
import socket
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("eth0", 0x806))
mac, ip = raw.getsockname()[4], socket.inet_aton("${address}")
raw.send(b"\\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + ip + bytes(6) + ip)
END`,
        );
    const withdraw = (host: string): Promise<string> => inside(host, `ip address delete ${address}/32 dev eth0`);
    const answers = async (): Promise<string | undefined> => {
        const scan = await inside("a3", `ssh-keyscan -T 1 -t ed25519 ${address} 2>/dev/null || true`);
        for (const each of ["a1", "a2", "a3"])
            if (scan !== "" && (await keyOf(each)) === scan.split(" ")[2]) return each;
        return undefined;
    };
    const keyOf = async (host: string): Promise<string | undefined> =>
        (await inside(host, "cat /etc/ssh/ssh_host_ed25519_key.pub")).split(" ")[1];
    /** Whether a packet that a host sends from the address gets an answer. */
    const sends = (host: string): Promise<boolean> =>
        inside(host, `ping -n -c 1 -W 1 -I ${address} ${host === "a3" ? "10.9.1.10" : "10.9.1.13"}`).then(
            () => true,
            () => false,
        );

    beforeAll(async () => {
        machine.onEvent(listen);
        await change({ hosts: [...state.hosts, host("a3", "vpc-a", "10.9.1.13", ["sg-web"])] });
        await ready("a3");
        await hold(undefined);
    }, 60_000);

    afterAll(async () => {
        const [, b] = state.vpcs;
        await change({ hosts: state.hosts.filter(({ id }) => id !== "a3"), vpcs: [vpc("vpc-a"), b!] });
    }, 60_000);

    test("leads nowhere until one of its hosts announces it, and to the one that did so last", async () => {
        expect(await answers()).toBeUndefined();
        await announce("a1");
        await until("a1 answers", 5, async () => (await answers()) === "a1");
        expect(await sends("a1")).toBe(true);
        await announce("a2");
        await until("a2 answers", 5, async () => (await answers()) === "a2");
        expect(await sends("a2")).toBe(true);
        await announce("a1");
        await until("a1 answers again", 5, async () => (await answers()) === "a1");
        expect(holders).toEqual(["eni-a1", "eni-a2", "eni-a1"]);
    }, 60_000);

    test("is not taken by a host that sends from it, has it or announces it without being one of its own", async () => {
        // Its gateway must be asked for, in the name of the address.
        await inside("a2", "ip neighbour flush dev eth0");
        expect(await sends("a2")).toBe(false);
        await announce("a3");
        expect(await sends("a3")).toBe(false);
        await withdraw("a3");
        await sleep(500);
        expect(holders.at(-1)).toBe("eni-a1");
        expect(await answers()).toBe("a1");
    }, 60_000);

    test("outlives the lab's process, which hears of what was announced meanwhile", async () => {
        await machine.close();
        expect(await answers()).toBe("a1");
        await announce("a2");
        machine = await createMachine({ name: NAME, folder: path.join(folder, "machine") });
        machine.onEvent((event) => events.push(event));
        machine.onEvent(listen);
        await change({});
        await until("a2 answers", 5, async () => (await answers()) === "a2");
        // Another's announcement is heard although both have announced it before.
        await announce("a1");
        await until("a1 answers", 5, async () => (await answers()) === "a1");
        await Promise.all([withdraw("a1"), withdraw("a2")]);
    }, 60_000);
});

describe("a mount target", () => {
    const id = "0123456789-abcde.cn-hangzhou.nas.aliyuncs.com";
    const address = "10.9.1.200";
    const files = (...rules: DesiredAccess[]): Pick<DesiredMachine, "fileSystems"> => ({
        fileSystems: [
            { id: "0123456789", mountTargets: [{ id, vpcId: "vpc-a", address, active: rules.length > 0, rules }] },
        ],
    });
    const writer: DesiredAccess = { source: "10.9.1.10", write: true, squash: "none" };

    /** A client in user space, within a host's network: this machine's kernel has no NFS. */
    async function nfs(from: string, program: "nfs-ls" | "nfs-cp" | "nfs-cat", ...args: string[]): Promise<string> {
        const { stdout: pid } = await run("docker", ["inspect", "-f", "{{.State.Pid}}", `${NAME}-${from}`]);
        const inside = ["timeout", "10", "nsenter", `--net=/proc/${pid.trim()}/ns/net`, program, ...args];
        const { stdout } = await run(inside[0]!, inside.slice(1));
        return stdout.trim();
    }
    const at = (file: string): string => `nfs://${address}//${file}?version=4&uid=0&gid=0`;
    const outcome = (done: Promise<string>): Promise<string> =>
        done.then(
            (output) => output,
            (error: unknown) => /NFS4ERR_\w+/.exec(String(error))?.[0] ?? "no answer",
        );

    beforeAll(async () => {
        await installPackages(["libnfs-utils"], ["nfs-ls", "nfs-cp", "nfs-cat"], new Runner());
        writeFileSync(path.join(folder, "text"), "kept\n");
    }, 120_000);

    test("is an NFS server with a name in its VPC, which lets in whom its rules name and nobody else", async () => {
        const zone = { name: id, vpcIds: ["vpc-a"], recursive: true };
        const reader: DesiredAccess = { source: "10.9.2.0/24", write: false, squash: "none" };
        await change({
            ...files(writer, reader),
            zones: [{ ...zone, records: [{ name: id, type: "A", value: address, ttl: 60, priority: 1 }] }],
        });
        expect(machine.serves(id)).toBe(true);
        expect(await inside("a1", `getent hosts ${id} | cut -d' ' -f1`)).toBe(address);

        await nfs("a1", "nfs-cp", path.join(folder, "text"), at("one"));
        expect(await nfs("a2", "nfs-cat", at("one"))).toBe("kept");
        expect(await outcome(nfs("a2", "nfs-cp", path.join(folder, "text"), at("two")))).toBe("NFS4ERR_ROFS");
        expect(await outcome(nfs("b1", "nfs-cat", at("one")))).toBe("no answer");
    }, 120_000);

    test("takes other rules over without a new process, and keeps its files when it is switched off", async () => {
        const process = async (): Promise<string> =>
            (await run("ip", ["netns", "pids", `mh${machine.index}b-${id}`])).stdout;
        const first = await process();
        await change(files(writer));
        await until("the other host is refused", 5, async () => {
            return (await outcome(nfs("a2", "nfs-cat", at("one")))) === "NFS4ERR_ACCESS";
        });
        expect(await nfs("a1", "nfs-cat", at("one"))).toBe("kept");
        await change(files({ ...writer, squash: "all" }));
        await until("root is nobody", 5, async () => {
            return (await outcome(nfs("a1", "nfs-cat", at("one")))) === "NFS4ERR_ACCESS";
        });
        // As the group that every account has.
        await change(files({ ...writer, source: "0.0.0.0/0" }));
        await until("every host is let in", 5, async () => (await outcome(nfs("a2", "nfs-cat", at("one")))) === "kept");
        expect(await process()).toBe(first);

        await change(files());
        expect(machine.serves(id)).toBe(false);
        expect(await outcome(nfs("a1", "nfs-cat", at("one")))).toBe("no answer");
        await change(files(writer));
        // Clients that knew it may claim their locks first.
        await until(
            "it serves its files again",
            20,
            async () => (await outcome(nfs("a1", "nfs-cat", at("one")))) === "kept",
        );
    }, 120_000);

    test("goes with its file system, and the files with it", async () => {
        const folders = (): string[] => readdirSync(path.join(folder, "machine/nas/files"));
        expect(folders()).toEqual(["0123456789"]);
        await change({ fileSystems: [], zones: [] });
        expect(folders()).toEqual([]);
        expect((await run("ip", ["netns"])).stdout).not.toContain(id);
    }, 60_000);
});

test("a restarted lab takes over what runs, repairs what is missing and removes what is too much", async () => {
    await machine.close();
    const router = `mh${machine.index}-vpc-a`;
    await run("ip", ["netns", "exec", router, "nft", "delete", "table", "ip", "vpc"]);
    await run("ip", ["-n", router, "route", "add", "blackhole", "203.0.113.200", "table", "1007"]);
    await run("ip", ["link", "delete", `mh${machine.index}`]);
    const mark = await inside("a1", "cat /proc/1/stat | cut -d' ' -f22");
    await inside("a2", "systemctl poweroff").catch(() => "");
    await until("a2 is off", 30, async () =>
        inside("a2", "true").then(
            () => false,
            () => true,
        ),
    );
    const balancer = `mh${machine.index}b-lb-outer`;
    const process = (await run("ip", ["netns", "pids", balancer])).stdout;
    machine = await createMachine({ name: NAME, folder: path.join(folder, "machine") });
    const seen: MachineEvent[] = [];
    machine.onEvent((event) => seen.push(event));
    await change({ hosts: state.hosts.filter(({ id }) => id !== "b1") });
    expect(await inside("a1", "cat /proc/1/stat | cut -d' ' -f22")).toBe(mark);
    expect((await run("ip", ["-n", router, "route", "show", "table", "all"])).stdout).not.toContain("203.0.113.200");
    expect(await fromMachine(eip(1).address, 22)).toBe(true);
    expect(await fromMachine(eip(1).address, 23)).toBe(false);
    expect(await inside("a1", "curl -sf -m 3 http://100.100.100.200/latest/meta-data/instance-id")).toBe("a1");
    expect((await run("ip", ["netns", "pids", balancer])).stdout).toBe(process);
    await until("the balancer answers", 15, async () =>
        run("curl", ["-sf", "-m", "3", "--noproxy", "*", `http://${eipPrefix}.9/`]).then(
            ({ stdout }) => stdout.trim() === "a1",
            () => false,
        ),
    );
    expect(seen).toContainEqual({ kind: "stopped", hostId: "a2" });
    const { stdout } = await run("docker", [
        "ps",
        "-a",
        "--format",
        "{{.Names}}",
        "--filter",
        `label=multihost.lab=${NAME}`,
    ]);
    expect(stdout.trim().split("\n").sort()).toEqual([`${NAME}-a1`, `${NAME}-a2`, `${NAME}-b2`]);
}, 120_000);

test("destroy leaves nothing, also after a destroy that was interrupted", async () => {
    // As far as a kill in the middle may have got.
    await run("docker", ["rm", "-f", `${NAME}-b2`]);
    await run("ip", ["netns", "delete", `mh${machine.index}-vpc-b`]);
    await machine.destroy();
    const after = await traces();
    await machine.close();
    expect(after).toEqual(before);
}, 60_000);

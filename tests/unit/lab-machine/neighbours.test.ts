/** Who reaches a lab from outside, with real name spaces in place of the machine and of another one beside it. */
import { ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { Runner, searchPath } from "../../../lab/hosts/runner";
import { machineWithBalancer, unitNetwork } from "./unitNetwork";

const options = { env: { ...process.env, PATH: searchPath() } };
// It takes root, and a kernel and programs that not every place of tests has.
const possible = spawnSync("unshare", ["-n", "-m", "sh", "-c", "ip link && nft list tables && nsenter -V"], options);
const withNameSpaces = possible.status === 0 ? test : test.skip;

const desired = machineWithBalancer("127.77.240.9");

let machine: ChildProcess;
let runner: Runner;
let unit: ReturnType<typeof unitNetwork>;
beforeEach(async () => {
    if (possible.status !== 0) return;
    // It has a folder of its own for the names of name spaces, and ends with this process, however that ends.
    const begin = "mount -t tmpfs none /run && echo ready && exec cat >/dev/null";
    machine = spawn("unshare", ["-n", "-m", "sh", "-euc", begin], { ...options, stdio: ["pipe", "pipe", "inherit"] });
    await once(machine.stdout!, "data");
    runner = new Runner(["nsenter", "-t", String(machine.pid), "-n", "-m"]);
    unit = unitNetwork(() => runner);
    await runner.script(`
sysctl -qw net.ipv4.ip_forward=1
ip link set lo up
ip netns add neighbour
ip link add lan type veth peer name eth0 netns neighbour
ip address add 192.0.2.1/24 dev lan
ip link set lan up
ip -n neighbour address add 192.0.2.2/24 dev eth0
ip -n neighbour link set eth0 up
ip -n neighbour route add 198.18.0.0/15 via 192.0.2.1`);
});
afterEach(() => {
    if (possible.status !== 0) return;
    unit.close();
    machine.kill();
});

/** What becomes of a connection to a port that is closed everywhere. */
async function connection(host: string, from: readonly string[] = []): Promise<string> {
    const program = `
        const end = (what) => {
            console.log(what);
            process.exit();
        };
        require("node:net").connect({ host: "${host}", port: 9 }).on("error", ({ code }) => end(code));
        setTimeout(end, 1500, "silence");`;
    return (await runner.run([...from, process.execPath, "-e", program])).trim();
}

withNameSpaces(
    "the machine reaches addresses of its lab, and nobody on a network with it does",
    async () => {
        const neighbour = ["nsenter", "--net=/run/netns/neighbour"];
        await unit.network.prepare();
        expect(await connection("198.18.240.1")).toBe("ECONNREFUSED");
        expect(await connection("192.0.2.1", neighbour)).toBe("ECONNREFUSED");
        // Before there is any VPC, as the services are there by then.
        expect(await connection("198.18.240.1", neighbour)).toBe("silence");
        await unit.network.apply(desired, { dnsPort: 10053, metadataPort: 10080 });
        expect(await connection("127.77.240.9")).toBe("ECONNREFUSED");
        expect(await connection("198.19.240.9", neighbour)).toBe("silence");
        expect(await connection("198.18.240.1", neighbour)).toBe("silence");
    },
    30_000,
);

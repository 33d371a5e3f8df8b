/** The files that the web servers share: what one writes the other reads, and no server's end loses any of them. */
import { api, eventually, labOutput, onHost, outputOn as run, startOnHost, status, upChanges } from "./lab";
import { FileProgram, healed } from "./storage";

jest.setTimeout(400_000);

const [one, other] = ["web-1", "web-2"];
const folder = "/data/shared/test";

/** Stops or starts a host as the cloud's console does. */
async function power(name: string, action: "StopInstance" | "StartInstance" | "RebootInstance"): Promise<void> {
    const { instanceId } = status().hosts.find((host) => host.name === name)!;
    await api()("Ecs", action, {
        InstanceId: instanceId,
        ...(action !== "StartInstance" && { ForceStop: "true" }),
    });
}

beforeAll(() => run(one, `mkdir -p ${folder}`));

afterAll(() => run(one, `rm -rf ${folder}`));

it("has on one client what was written on the other", async () => {
    const sums = (host: string): Promise<string> =>
        run(host, `cd ${folder}/many && find . -type f | sort | xargs sha256sum | sha256sum && ls | wc -l`);
    const write = `mkdir ${folder}/many && cd ${folder}/many && for i in $(seq 1000); do head -c $((i * 7)) /dev/urandom >$i; done`;
    await run(one, write, 180);
    const written = await sums(one);
    expect(written).toMatch(/\n1000$/);
    expect(await sums(other)).toBe(written);
});

it("honours a client's lock on the other", async () => {
    const lock = (how: string): string =>
        `import fcntl; f = open('${folder}/lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX${how})`;
    const holder = await startOnHost(one, ["python3", "-c", `${lock("")}; print('held', flush=True); input()`]);
    await holder.told("held", 30);
    const attempt = await onHost(other, `python3 -c "${lock(" | fcntl.LOCK_NB")}"`);
    expect(attempt.stderr).toContain("BlockingIOError");
    holder.say("");
    expect((await holder.end()).code).toBe(0);
    await run(other, `python3 -c "${lock(" | fcntl.LOCK_NB")}"`);
});

it("loses nothing that was synced when a server loses its power under write, and heals when it is back", async () => {
    const writer = await FileProgram.writer(one, `${folder}/log`);
    await power("node-3", "StopInstance");
    await new Promise((wake) => setTimeout(wake, 20_000));
    const { lines, longest } = await writer.stop();
    console.info(`A server's end: ${lines} lines synced, the slowest took ${longest.toFixed(1)} s.`);
    expect(lines).toBeGreaterThan(20);
    const expected = Array.from({ length: lines }, (_, index) => String(index)).join("\n");
    expect(await run(other, `cat ${folder}/log`)).toBe(expected);

    await eventually("the host is stopped", 30, async () =>
        status().hosts.find(({ name }) => name === "node-3")!.state === "Stopped" ? true : undefined,
    );
    await power("node-3", "StartInstance");
    await healed();
    // The server's own copy, not what a client puts together.
    expect(await run("node-3", "cat /data/bricks/gv0/brick/test/log")).toBe(expected);
});

it("is mounted again after a client's reboot", async () => {
    const booted = await run(other, "cut -d' ' -f22 /proc/1/stat");
    await power(other, "RebootInstance");
    await eventually("the mount is back", 120, async () => {
        const { code, stdout } = await onHost(other, "cut -d' ' -f22 /proc/1/stat && mountpoint -q /data/shared");
        return (code === 0 && stdout.trim() !== booted) || undefined;
    });
    expect(await run(other, `ls ${folder}/many | wc -l`)).toBe("1000");
});

it("is on a server's new machine when the update that replaces it ends", async () => {
    const sum = `cat $(ls | sort) | sha256sum`;
    const expected = await run(one, `cd ${folder}/many && ${sum}`);
    const urns = await labOutput(["pulumi", "stack", "export"]);
    const urn = /urn:[^"]*\$alicloud:ecs\/instance:Instance::node-3(?=")/.exec(urns)![0];
    await labOutput(["pulumi", "up", "--yes", "--skip-preview", "--replace", urn], { seconds: 300 });
    expect(await run("node-3", `cd /data/bricks/gv0/brick/test/many && ${sum}`)).toBe(expected);
    await healed();
    expect(await run(other, `cd ${folder}/many && ${sum}`)).toBe(expected);
});

it("is refused to a host that is not on the list, even with a client's certificate", async () => {
    const outsider = "node-6";
    await run(outsider, "DEBIAN_FRONTEND=noninteractive apt-get -q -y install glusterfs-client", 180);
    const server = status().hosts.find(({ name }) => name === "node-1")!.privateAddress;
    const mount = `mkdir -p /mnt/astray && timeout 60 mount -t glusterfs ${server}:/gv0 /mnt/astray && ls -d /mnt/astray/test`;
    const attempt = async (): Promise<number> => (await onHost(outsider, mount, { seconds: 90 })).code;
    const told = (): Promise<string> => run(outsider, "cat /var/log/glusterfs/mnt-astray.log");
    try {
        // One that may: the servers mount it themselves when they heal it.
        expect(await run("node-2", `${mount} && umount /mnt/astray && rmdir /mnt/astray`, 90)).toBe("/mnt/astray/test");
        expect(await attempt()).not.toBe(0);
        expect(await told()).not.toContain("Authentication failed");
        const files = "/usr/lib/ssl/glusterfs.ca /usr/lib/ssl/glusterfs.key /usr/lib/ssl/glusterfs.pem";
        const bundle = await run(one, `tar -chf - ${files} 2>/dev/null | base64`);
        await run(
            outsider,
            `base64 -d <<'END' | tar -xf - -C /\n${bundle}\nEND\nmkdir -p /var/lib/glusterd && touch /var/lib/glusterd/secure-access`,
        );
        expect(await attempt()).not.toBe(0);
        expect(await told()).toContain("Authentication failed");
    } finally {
        await onHost(
            outsider,
            "umount -l /mnt/astray; rm -rf /usr/lib/ssl/glusterfs.* /var/lib/glusterd/secure-access /mnt/astray; apt-get -q -y purge glusterfs-client glusterfs-common",
        );
    }
});

it("is as the stack describes it", async () => expect(await upChanges()).toEqual([]));

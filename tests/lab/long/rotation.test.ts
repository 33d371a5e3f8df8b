/** All generated keys of the shared stack, renewed together while clients of every service go on. */
import { execFile } from "node:child_process";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { eventually, lab, loginTo, onHost, outputOn, rotate, status, up } from "../lab";
import { access as mysqlAccess, attempts, installClient as installMysqlClient, RowWriter, statement } from "../mysql";
import { access as redisAccess, installClient as installRedisClient, Logins } from "../redis";
import { Load, sharedSite, type Site } from "../requests";
import { bricks, certificates, connected, FileProgram, healed, tlsLogins, volume } from "../storage";

jest.setTimeout(1_500_000);

const client = "node-4";
const [fileWriter, fileReader] = ["web-1", "web-2"];
const folder = "/data/shared/renewed";
const names = ["redis.keys", "mysql.keys", "loadBalancer.keys", "storage.keys", "hosts.keys", "hosts.hostKeys"];

/** SHA-256 of the certificate that the balancer shows. */
async function fingerprint({ url }: Site): Promise<string> {
    const { hostname: host } = new URL(url);
    return new Promise((done, fail) => {
        const socket = connect({ host, port: 443, rejectUnauthorized: false }, () => {
            done(socket.getPeerCertificate().fingerprint256);
            socket.end();
        });
        socket.on("error", fail);
    });
}

const addressOf = (host: string): string => status().hosts.find(({ name }) => name === host)!.privateAddress;

/** Daemon and brick of one server after the other begin anew, so that all who were connected have to come back. */
async function restartFileServers(): Promise<void> {
    for (const server of ["node-1", "node-2", "node-3"]) {
        await outputOn(
            server,
            `systemctl restart glusterd && brick=$(cat /run/gluster/vols/${volume}/*.pid) && kill $brick && while kill -0 $brick 2>/dev/null; do sleep 0.2; done`,
        );
        await eventually(`${server} serves again`, 60, async () => {
            await outputOn(server, `gluster --mode=script volume start ${volume} force`);
            return (await bricks()).every(([, port]) => port > 0) || undefined;
        });
        await connected([fileWriter, fileReader].map(addressOf));
        // By itself, a server whose daemon began anew may look for what is to be healed minutes later.
        await eventually("the servers heal", 60, () => outputOn(server, `gluster volume heal ${volume}`));
        await healed();
    }
}

/** What each host's SSH server shows: every type and key. */
async function shownBy(...hosts: readonly string[]): Promise<(readonly string[])[]> {
    const shown = await Promise.all(hosts.map((host) => outputOn(host, "ssh-keyscan 127.0.0.1 2>/dev/null")));
    return shown.flatMap((text) => text.split("\n").map((line) => line.split(" ").slice(1)));
}

const pause = (): Promise<void> => new Promise((wake) => setTimeout(wake, 2000));

it("no client of any service notices, and what was valid before is worth nothing afterwards", async () => {
    await installRedisClient(client);
    await installMysqlClient(client);
    const before = { redis: await redisAccess(), mysql: await mysqlAccess(), site: await sharedSite() };
    const shown = await fingerprint(before.site);
    const [ssh = "", ...formerLogin] = await loginTo("bastion-1", "true");
    expect((await onHost("bastion-1", "true")).code).toBe(0);
    const hostKeys = await shownBy("bastion-1", client);
    await statement(client, before.mysql, before.mysql.source, "CREATE TABLE renewed (id INT PRIMARY KEY)");
    const logins = await Logins.start(client);
    const writer = await RowWriter.start(client, before.mysql, [before.mysql.source], "renewed");
    const loads = [new Load(before.site)];
    await outputOn(fileWriter, `mkdir ${folder}`);
    for (const end of ["pem", "key", "ca"])
        await outputOn(fileWriter, `cp -p ${certificates.own}.${end} ${certificates.copy}.${end}`);
    const appended = await FileProgram.writer(fileWriter, `${folder}/log`);
    const read = await FileProgram.reader(fileReader, `${folder}/log`);
    const problems = (): string[] => loads.flatMap((load) => load.problemsSince(0));

    expect(await rotate(...names)).toContain("--finish");
    const between = { redis: await redisAccess(), mysql: await mysqlAccess(), site: await sharedSite() };
    expect(between.redis.ca).toContain(before.redis.ca.trim());
    expect(await fingerprint(between.site)).toBe(shown);
    logins.use({ ca: between.redis.ca });
    writer.use({ ca: between.mysql.ca });
    await loads[0]!.stop();
    loads.push(new Load(between.site));
    await pause();

    await rotate(...names, "--finish");
    await pause();
    await loads[1]!.stop();
    const { logins: accepted, errors } = await logins.stop();
    expect(errors).toEqual({});
    expect(accepted).toBeGreaterThan(100);
    const written = await writer.stop();
    expect(written.errors).toEqual({});
    expect(written.rows).toBeGreaterThan(100);
    expect(problems()).toEqual([]);
    console.info(
        `Rotation of all keys: ${accepted} logins to Redis, ${written.rows} rows, ${loads.reduce((sum, load) => sum + load.countSince(0), 0)} requests; none failed.`,
    );

    // Whoever has the former certificate is let in nowhere, and whoever knows the former authority alone trusts no server.
    const fileServers = (await bricks()).flatMap(([address, port]) => [
        [address, 24007] as const,
        [address, port] as const,
    ]);
    const fileLogins = (client: string, authorities: string): Promise<string[]> =>
        tlsLogins(fileWriter, fileServers, { client, authorities });
    const { own, copy } = certificates;
    expect(await fileLogins(own, own)).toEqual(fileServers.map(() => "accepted"));
    expect(await fileLogins(copy, own)).toEqual(fileServers.map(() => "TLSV1_ALERT_UNKNOWN_CA"));
    expect(await fileLogins(own, copy)).toEqual(fileServers.map(() => "CERTIFICATE_VERIFY_FAILED"));
    await restartFileServers();
    const lines = await appended.stop();
    const reads = await read.stop();
    expect(lines.lines).toBeGreaterThan(1000);
    expect(reads.reads).toBeGreaterThan(1000);
    const expected = Array.from({ length: lines.lines }, (_, index) => String(index)).join("\n");
    expect(await outputOn(fileReader, `cat ${folder}/log`)).toBe(expected);
    console.info(
        `Rotation of GlusterFS' keys: ${lines.lines} lines synced, the slowest took ${lines.longest.toFixed(1)} s; ` +
            `${reads.reads} reads, the slowest took ${reads.longest.toFixed(1)} s; none failed.`,
    );

    const after = { redis: await redisAccess(), mysql: await mysqlAccess(), site: await sharedSite() };
    const sql = "SELECT COUNT(*) FROM renewed";
    const servers = [after.mysql.source, ...after.mysql.replicas];
    expect(
        await attempts(
            client,
            after.mysql,
            servers.map((server) => ({ server, sql })),
        ),
    ).toEqual(servers.map(() => [[written.rows]]));
    expect(await fingerprint(after.site)).not.toBe(shown);
    // Whoever knows the former authorities alone takes none of the servers for the right one.
    expect(await statement(client, { ...after.mysql, ca: before.mysql.ca }, after.mysql.source, sql)).toMatch(
        /CERTIFICATE_VERIFY_FAILED/,
    );
    await expect(before.site.ask()).rejects.toThrow(/certificate|issuer/i);
    // Who knows the hosts by their former keys trusts none, the former key logs in nowhere, and the new one does.
    const login = promisify(execFile);
    await expect(login(ssh, formerLogin)).rejects.toThrow(/Host key verification failed/);
    const trusting = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", ...formerLogin];
    await expect(login(ssh, trusting)).rejects.toThrow(/Permission denied/);
    expect(hostKeys.map(([type]) => type)).toEqual(["ssh-ed25519", "ssh-ed25519"]);
    expect((await shownBy("bastion-1", client)).map(([type]) => type)).toEqual(Array(2).fill("ecdsa-sha2-nistp256"));
    expect((await onHost("bastion-1", "true")).code).toBe(0);
    expect((await onHost(client, "true")).code).toBe(0);
});

it("leaves nothing for an update to do, and a stack that is well", async () => {
    await outputOn(fileWriter, `rm -r ${folder} ${certificates.copy}.*`);
    await statement(client, await mysqlAccess(), (await mysqlAccess()).source, "DROP TABLE renewed");
    await up({ expectNoChanges: true });
    const { code, stdout } = await lab(["doctor", "--json"], { seconds: 200 });
    expect([code, stdout]).toEqual([0, expect.not.stringContaining("certificate-in-use")]);
});

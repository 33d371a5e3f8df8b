/** All generated keys of the shared stack, renewed together while clients of every service go on. */
import { execFile } from "node:child_process";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { loginTo, onHost, rotate, up } from "../lab";
import { access as mysqlAccess, attempts, installClient as installMysqlClient, RowWriter, statement } from "../mysql";
import { access as redisAccess, installClient as installRedisClient, Logins } from "../redis";
import { Load, sharedSite, type Site } from "../requests";

jest.setTimeout(1_500_000);

const client = "node-4";
const names = ["redis.keys", "mysql.keys", "loadBalancer.keys", "hosts.keys"];

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

const pause = (): Promise<void> => new Promise((wake) => setTimeout(wake, 2000));

it("no client of any service notices, and what was valid before is worth nothing afterwards", async () => {
    await installRedisClient(client);
    await installMysqlClient(client);
    const before = { redis: await redisAccess(), mysql: await mysqlAccess(), site: await sharedSite() };
    const shown = await fingerprint(before.site);
    const [ssh = "", ...formerLogin] = await loginTo("bastion-1", "true");
    expect((await onHost("bastion-1", "true")).code).toBe(0);
    await statement(client, before.mysql, before.mysql.source, "CREATE TABLE renewed (id INT PRIMARY KEY)");
    const logins = await Logins.start(client);
    const writer = await RowWriter.start(client, before.mysql, [before.mysql.source], "renewed");
    const loads = [new Load(before.site)];
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
    // The former key logs in nowhere, and the new one does.
    await expect(promisify(execFile)(ssh, formerLogin)).rejects.toThrow(/Permission denied/);
    expect((await onHost("bastion-1", "true")).code).toBe(0);
    expect((await onHost(client, "true")).code).toBe(0);
});

it("leaves nothing for an update to do", async () => {
    await statement(client, await mysqlAccess(), (await mysqlAccess()).source, "DROP TABLE renewed");
    await up({ expectNoChanges: true });
});

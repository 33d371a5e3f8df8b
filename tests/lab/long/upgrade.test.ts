/** The whole stack, brought up by the last release's program and taken over by this one, while clients of every service go on. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { labPaths } from "../../../lab/paths";
import { checkOutRelease, lastRelease } from "../../../toolchain/release";
import { labEnvironment } from "../../prepare";
import {
    changesIn,
    cloudSettings,
    eventually,
    hostsOf,
    labOutput,
    outputOn,
    outputs,
    removeStack,
    settingsIn,
    tool,
    up,
} from "../lab";
import { access as mysqlAccess, attempts, installClient as installMysqlClient, RowWriter, statement } from "../mysql";
import { access as redisAccess, ClusterWriter, installClient as installRedisClient, lost as lostKeys } from "../redis";
import { problem, upgrade } from "../released";
import { Load, siteOf } from "../requests";

jest.setTimeout(1_500_000);

const stack = "lab-upgraded";
const file = `Pulumi.${stack}.yaml`;
const { project } = labPaths({ ...process.env, ...labEnvironment });
const release = mkdtempSync(join(tmpdir(), "multihost-release-"));
const shared = "/data/shared/kept";

/** Of the stack, by name: the lab's own stack has hosts of the same names. */
let hosts: Map<string, string>;
const host = (name: string): string => hosts.get(name)!;

beforeAll(async () => {
    if (problem !== undefined) return;
    rmSync(release, { recursive: true });
    checkOutRelease(release);
    // Its balancer's key was ECDSA, which the lab refuses as the cloud does.
    const authority = join(release, "components", "certificates.ts");
    const made = /(const nodeKey = .*?)\{ (algorithm: "ECDSA", ecdsaCurve: "P256") \}/;
    const rsa = '$1child === "balancer-443" ? { algorithm: "RSA", rsaBits: 2048 } : { $2 }';
    writeFileSync(authority, readFileSync(authority, "utf8").replace(made, rsa));
    // As somebody had set them then, who had to: the release's default is no time to live that the cloud takes.
    const dns = { "multihost:dns": { ttl: 60 } };
    const settings = { ...settingsIn(join(release, "Pulumi.lab.yaml")), ...cloudSettings(), ...dns };
    writeFileSync(join(release, file), stringify({ config: settings }));
    const before = ["pulumi", "--cwd", release];
    await labOutput([...before, "stack", "init", stack]);
    // From here on this program's.
    copyFileSync(join(release, file), join(project, file));
    await labOutput([...before, "up", "--yes", "--skip-preview", "--stack", stack], { seconds: 900 });
    hosts = await hostsOf(stack);
});

afterAll(async () => {
    if (problem === undefined) await removeStack(stack);
    rmSync(release, { recursive: true, force: true });
});

upgrade(`a stack of ${lastRelease().version} is upgraded in place, and its clients go on`, async () => {
    const [client, other, web] = [host("node-4"), host("node-5"), host("web-1")];
    await installRedisClient(client, other);
    await installMysqlClient(client);
    const before = await outputs(stack);
    const known = { redis: await redisAccess(stack), mysql: await mysqlAccess(stack), site: await siteOf(stack) };
    await statement(client, known.mysql, known.mysql.source, "CREATE TABLE upgraded (id INT PRIMARY KEY)");
    await outputOn(web, `mkdir ${shared} && seq 100000 >${shared}/numbers && sync ${shared}/numbers`);
    const keys = await ClusterWriter.start(client, "upgraded", { known: known.redis });
    const rows = await RowWriter.start(client, known.mysql, [known.mysql.source], "upgraded");
    const load = new Load(known.site);

    const printed = await labOutput(["pulumi", "up", "--yes", "--skip-preview", "--json", "--stack", stack], {
        seconds: 900,
    });

    await eventually("requests", 20, () => Promise.resolve(load.countSince(0) > 20 || undefined));
    await load.stop();
    const [written, inserted] = [await keys.stop(), await rows.stop()];
    const changes = changesIn(printed);
    expect(changes.length).toBeGreaterThan(0);
    // A certificate that names more than before is another one; its key and its authority stay.
    const certificate = /:(CertRequest|LocallySignedCert|ServerCertificate)$/;
    const lost = changes.filter(({ operation, type }) => /replace|delete/.test(operation) && !certificate.test(type));
    expect(lost).toEqual([]);
    const now = await outputs(stack);
    for (const output of ["loadBalancerUrl", "loadBalancerCaCertificate", "redisUrl", "mysqlUrl"])
        expect([output, now[output]]).toEqual([output, before[output]]);
    expect(await hostsOf(stack)).toEqual(hosts);
    expect(load.problemsSince(0)).toEqual([]);
    expect(written.failed).toEqual([]);
    expect(written.acknowledged.length).toBeGreaterThan(100);
    expect(await lostKeys(other, written.acknowledged, await redisAccess(stack))).toEqual([]);
    expect(inserted.rows).toBeGreaterThan(100);
    const access = await mysqlAccess(stack);
    const sql = "SELECT COUNT(*) FROM upgraded";
    const servers = [access.source, ...access.replicas];
    await eventually("all rows on every server", 60, async () => {
        const counts = await attempts(
            client,
            access,
            servers.map((server) => ({ server, sql })),
        );
        return counts.every((count) => Number((count as unknown[][])[0]![0]) === inserted.rows) || undefined;
    });
    expect(await outputOn(host("web-2"), `seq 100000 | cmp - ${shared}/numbers && echo same`)).toBe("same");
    console.info(
        `Upgrade from ${lastRelease().version}: ${written.acknowledged.length} keys, the slowest took ${written.longest.toFixed(1)} s; ` +
            `${inserted.rows} rows, ${inserted.longest.toFixed(1)} s without one at most; ${load.countSince(0)} requests; nothing lost.`,
    );
});

upgrade("it is as this program describes it then, and well", async () => {
    await up({ stack, expectNoChanges: true });
    const { code, stdout } = await tool("doctor/cli.ts", ["--stack", stack, "--json"]);
    expect([code, stdout]).toEqual([0, expect.anything()]);
});

/**
 * The host of the database's source is lost for good, and with it a Redis node and a brick: another machine has its part from then on. The
 * last of these files, since the stack stays that way: a number that was taken out doesn't come back.
 */
import { addressesOf as resolved, api, configure, eventually, lab, outputOn, status, up, upChanges } from "../lab";
import { access as mysqlAccess, installClient as installMysqlClient, RowWriter, statement } from "../mysql";
import { ClusterWriter, installClient as installRedisClient, lost, whole } from "../redis";

jest.setTimeout(1_500_000);

const region = { RegionId: "cn-hangzhou" };
const client = "node-5";
const table = "survivors";
const file = "/data/shared/survivor";

/** Which members run the database, the source first. */
async function members(): Promise<string[]> {
    const { source, replicas } = await mysqlAccess();
    return [source.name, ...replicas.map(({ name }) => name)];
}

async function rowsOn(host: string): Promise<number> {
    return Number(await outputOn(host, `mariadb -BNe 'SELECT COUNT(*) FROM app.${table}'`));
}

async function bricks(): Promise<string[]> {
    const info = await outputOn("node-2", "gluster volume info gv0");
    return [...info.matchAll(/^Brick\d+: ([^:]+):/gm)].map(([, address]) => address!);
}

const addressesOf = (...names: string[]): string[] =>
    names.map((name) => status().hosts.find((host) => host.name === name)!.privateAddress);

beforeAll(async () => {
    await installRedisClient(client);
    await installMysqlClient(client);
    const known = await mysqlAccess();
    await statement(client, known, known.source, `CREATE TABLE ${table} (id INT PRIMARY KEY)`);
});

it("the replica takes over with all that was acknowledged, and a new host has what the lost one had", async () => {
    const known = await mysqlAccess();
    expect(await members()).toEqual(["node-1", "node-2"]);
    const value = String(Date.now());
    await outputOn("web-1", `echo ${value} >${file}`);
    // So that a new server can't follow from the beginning.
    const last = (await outputOn("node-1", "mariadb -BNe 'FLUSH BINARY LOGS; SHOW BINARY LOGS'")).split("\n").at(-1)!;
    await outputOn("node-1", `mariadb -e "PURGE BINARY LOGS TO '${last.split("\t")[0]!}'"`);
    const rows = await RowWriter.start(client, known, [known.source, ...known.replicas], table);
    // The lost master's shard takes no writes until it has a replica again.
    const keys = await ClusterWriter.start(client, table, { confirm: true, giveUp: 900 });
    await new Promise((wake) => setTimeout(wake, 3000));

    const { instanceId, privateAddress } = status().hosts.find(({ name }) => name === "node-1")!;
    await api()("Ecs", "DeleteInstance", { ...region, InstanceId: instanceId, Force: "true" });
    await eventually(
        "node-1 is gone",
        60,
        async () => status().hosts.every(({ name }) => name !== "node-1") || undefined,
    );
    await configure("hosts.exclude[0]", "1");
    const changes = await upChanges({ refresh: true, seconds: 1200 });

    expect(
        changes
            .filter(({ type, operation }) => type === "alicloud:ecs/instance:Instance" && operation !== "update")
            .map(({ operation, name }) => `${operation} ${name}`),
    ).toEqual(["create node-7"]);
    // Nobody else's: its record in the zone would be refused beside the lost one's.
    expect(addressesOf("node-7")).toEqual([privateAddress]);
    const redisNodes = ["node-2", "node-3", "node-4", "node-5", "node-6", "node-7"];
    expect(await resolved("redis.internal", client)).toEqual(addressesOf(...redisNodes).sort());
    expect(await resolved("mysql.internal", client)).toEqual(addressesOf("node-2"));
    expect(await members()).toEqual(["node-2", "node-3"]);
    await new Promise((wake) => setTimeout(wake, 3000));
    const { rows: written, errors, longest } = await rows.stop();
    const { acknowledged, failed } = await keys.stop();
    console.info(
        `Source lost: ${written} rows acknowledged, ${longest.toFixed(1)} s without one at most, until the update took it out; retried: ${JSON.stringify(errors)}.`,
    );
    expect(written).toBeGreaterThan(100);
    for (const host of ["node-2", "node-3"]) {
        await eventually(`all rows on ${host}`, 60, async () => (await rowsOn(host)) === written || undefined);
    }
    expect(failed).toEqual([]);
    await whole(client, 3);
    expect((await lost(client, acknowledged)).filter(({ confirmed }) => confirmed)).toEqual([]);

    expect(await bricks()).toEqual(expect.arrayContaining(addressesOf("node-2", "node-3", "node-4")));
    await eventually("the copy on the server that is new", 60, async () =>
        (await outputOn("node-4", "cat /data/bricks/gv0/brick/survivor")) === value ? true : undefined,
    );
    expect(await outputOn("web-2", `cat ${file}`)).toBe(value);
    const { code, stdout } = await lab(["doctor"], { seconds: 200 });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\d+ ok/)]);
    await up({ expectNoChanges: true });
});

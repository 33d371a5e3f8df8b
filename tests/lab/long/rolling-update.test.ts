/** Changes that stop or replace every data host of the shared stack, one host at a time, while all services are used. */
import { api, configure, type Finished, outputs, status, tool, up } from "../lab";
import { access as mysqlAccess, installClient as installMysqlClient, RowWriter, statement } from "../mysql";
import { ClusterWriter, installClient as installRedisClient, lost, whole } from "../redis";
import { Load, sharedSite } from "../requests";

jest.setTimeout(1_800_000);

const dataHosts = ["node-1", "node-2", "node-3", "node-4", "node-5", "node-6"];

interface Instance {
    readonly InstanceName: string;
    readonly InstanceType: string;
    readonly ImageId: string;
}

async function instances(): Promise<Instance[]> {
    const { Instances } = (await api()("Ecs", "DescribeInstances", { RegionId: "cn-hangzhou", PageSize: "100" })) as {
        Instances: { Instance: Instance[] };
    };
    return Instances.Instance.filter(({ InstanceName }) => dataHosts.includes(InstanceName));
}

/** Watches until it is told to stop. @returns how many data hosts didn't run at the same time, at most */
function watch(): () => Promise<number> {
    let [most, running] = [0, true];
    const watching = (async () => {
        while (running) {
            const up = status().hosts.filter(({ name, state }) => dataHosts.includes(name) && state === "Running");
            most = Math.max(most, dataHosts.length - new Set(up.map(({ name }) => name)).size);
            await new Promise((wake) => setTimeout(wake, 250));
        }
    })();
    return async () => {
        running = false;
        await watching;
        return most;
    };
}

interface Outcome {
    readonly done: Finished;
    readonly stopped: number;
}

/**
 * Runs `npm run rolling-update` under clients, none of whose acknowledged writes may be lost.
 * @param client where they are: a host that the run leaves as it is
 */
async function rolled(name: string, client: string, ...args: string[]): Promise<Outcome> {
    await installRedisClient(client);
    await installMysqlClient(client);
    const known = await mysqlAccess();
    await statement(client, known, known.source, `CREATE TABLE ${name} (id INT PRIMARY KEY)`);
    const rows = await RowWriter.start(client, known, [known.source, ...known.replicas], name);
    const keys = await ClusterWriter.start(client, name, { confirm: true, giveUp: 120 });
    const load = new Load(await sharedSite());
    const began = Date.now();
    const most = watch();
    const done = await tool("delivery/rollingUpdate.ts", ["--stack", "lab", "--yes", ...args], { seconds: 1500 });
    const stopped = await most();
    const seconds = (Date.now() - began) / 1000;
    await load.stop();
    const written = await rows.stop();
    const { acknowledged, failed, longest } = await keys.stop();
    expect(failed).toEqual([]);
    await whole(client, 3);
    const gone = await lost(client, acknowledged);
    expect(gone.filter(({ confirmed }) => confirmed)).toEqual([]);
    expect(load.problemsSince(0)).toEqual([]);
    const { source } = await mysqlAccess();
    // One that the client didn't hear of may be there, too.
    const [[count] = []] = (await statement(client, known, source, `SELECT COUNT(*) FROM ${name}`)) as [number][];
    expect(count).toBeGreaterThanOrEqual(written.rows);
    expect(count).toBeLessThanOrEqual(written.rows + 1);
    await statement(client, known, source, `DROP TABLE ${name}`);
    console.info(
        `${name}: ${seconds.toFixed(0)} s; ${written.rows} rows, ${written.longest.toFixed(1)} s without one at most; ` +
            `${gone.length} of ${acknowledged.length} acknowledged keys lost, none of them confirmed, ${longest.toFixed(1)} s without one at most; ` +
            `${load.countSince(0)} requests, none failed.`,
    );
    return { done, stopped };
}

afterAll(async () => {
    for (const path of ["hosts.instanceType", "hosts.imageId", "hosts.rebuildOn", "mysql.source"])
        await configure(path, undefined);
    await up({ seconds: 600 });
});

test("hosts of another size stop and start one by one, and nothing that was acknowledged is lost", async () => {
    await configure("hosts.instanceType", "ecs.g7.xlarge");
    const { done, stopped } = await rolled("resized", "web-1");
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining("lab is updated, and works as before.")]);
    expect(stopped).toBe(1);
    expect(new Set((await instances()).map(({ InstanceType }) => InstanceType))).toEqual(new Set(["ecs.g7.xlarge"]));
    // The source's turn is the last one.
    expect(done.stdout).toMatch(/6 of 6: node-1 stops and starts \(instanceType\)/);
    await up({ expectNoChanges: true });
});

const image = "debian_12_11_x64_20G_alibase_20250625.vhd";

test("hosts with another image come one by one; the database's source has to be another first", async () => {
    await configure("hosts.imageId", image);
    await configure("hosts.rebuildOn[0]", "image");
    const before = new Map(status().hosts.map(({ name, instanceId }) => [name, instanceId]));
    const refused = await tool("delivery/rollingUpdate.ts", ["--stack", "lab", "--yes"]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("--replace node-1")]);

    const { done, stopped } = await rolled("rebuilt", "node-1", "--replace", "*");
    expect([done.code, done.stdout]).toEqual([1, expect.stringContaining("--path mysql.source node-2")]);
    expect(stopped).toBe(1);
    const after = new Map(status().hosts.map(({ name, instanceId }) => [name, instanceId]));
    expect(dataHosts.filter((name) => after.get(name) === before.get(name))).toEqual(["node-1"]);
    expect(((await outputs()) as { mysqlSource: { name: string } }).mysqlSource.name).toBe("node-1");
});

test("and with another source the last one follows", async () => {
    await configure("mysql.source", "node-2");
    const { done, stopped } = await rolled("followed", "node-2", "--replace", "node-1");
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining("lab is updated, and works as before.")]);
    expect(stopped).toBe(1);
    expect(new Set((await instances()).map(({ ImageId }) => ImageId))).toEqual(new Set([image]));
    expect(((await outputs()) as { mysqlSource: { name: string } }).mysqlSource.name).toBe("node-2");
    await up({ expectNoChanges: true });
});

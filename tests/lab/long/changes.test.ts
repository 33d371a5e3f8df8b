/** Day two of the shared stack: settings of its services change while they are used, and hosts are lost for good. */
import { api, configure, eventually, labOutput, onHost, outputOn, status, up, upChanges, type Change } from "../lab";
import { access as mysqlAccess, installClient as installMysqlClient, RowWriter, statement } from "../mysql";
import { access as redisAccess, ClusterWriter, installClient as installRedisClient, lost, whole } from "../redis";
import { Load, sharedSite } from "../requests";

jest.setTimeout(900_000);

const client = "node-4";
const table = "changed";

/** `create command:remote:Command redis-node-2` and the like, steps only. */
const stepsOf = (changes: readonly Change[]): string[] =>
    changes
        .filter(({ type }) => type === "command:remote:Command")
        .map(({ operation, name }) => `${operation} ${name}`)
        .sort();

beforeAll(async () => {
    await installRedisClient(client);
    await installMysqlClient(client);
    const known = await mysqlAccess();
    await statement(client, known, known.source, `CREATE TABLE ${table} (id INT PRIMARY KEY)`);
});

afterAll(async () => {
    const known = await mysqlAccess();
    await statement(client, known, known.source, `DROP TABLE IF EXISTS ${table}`);
});

describe("settings of services in use", () => {
    const settings = { "mysql.bufferPool": "80mb", "storage.diskSize": "21", "redis.maxmemory": "72mb" };
    const former = { "mysql.bufferPool": "64mb", "redis.maxmemory": "64mb" };

    it("are told of by a preview, in words, for the hosts that they concern", async () => {
        for (const [key, value] of Object.entries(settings)) await configure(key, value);
        const preview = await labOutput(["pulumi", "preview", "--diff", "--stack", "lab"], { seconds: 120 });
        expect(preview).toMatch(/PARAM_BUFFER_POOL='64mb'[\s\S]*PARAM_BUFFER_POOL='80mb'/);
        expect(preview).toMatch(/PARAM_DISK_SIZE='20'[\s\S]*PARAM_DISK_SIZE='21'/);
        expect(preview).toMatch(/PARAM_MAXMEMORY='64mb'[\s\S]*PARAM_MAXMEMORY='72mb'/);
        expect(preview).not.toMatch(/\((replace|delete)|to (replace|delete)/);
    });

    it("change in place: no write fails, and nothing else is touched", async () => {
        const known = await mysqlAccess();
        const rows = await RowWriter.start(client, known, [known.source], table);
        const keys = await ClusterWriter.start(client, "changed");
        const mounted = await outputOn("web-1", "cd /data/shared && pwd && findmnt -no SOURCE,TARGET /data/shared");
        const changes = await upChanges();
        const { errors, rows: written } = await rows.stop();
        const { acknowledged, failed } = await keys.stop();
        expect({ errors, failed }).toEqual({ errors: {}, failed: [] });
        expect(written).toBeGreaterThan(50);
        expect(await lost(client, acknowledged)).toEqual([]);
        expect(changes.filter(({ operation }) => operation !== "update")).toEqual([]);
        const steps = stepsOf(changes);
        const expected = [
            ...["mysql-node-1", "mysql-node-2", "storage-node-1", "storage-node-2", "storage-node-3"],
            ...[1, 2, 3, 4, 5, 6].map((number) => `redis-node-${number}`),
        ];
        expect(steps).toEqual(expect.arrayContaining(expected.map((name) => `update ${name}`)));
        // What joins the servers looks at them again; web servers, logins and the rest have no part in it.
        expect(steps.filter((step) => !/^update (mysql|storage|redis)-/.test(step))).toEqual([]);

        expect(await outputOn("node-2", "mariadb -BNe 'SELECT @@innodb_buffer_pool_size DIV 1048576'")).toBe("80");
        expect(await outputOn("node-1", "df --output=size -BG /data/bricks/gv0 | tail -n 1")).toMatch(/^2[01]G$/);
        const sizes = await outputOn("node-1", "lsblk -bno SIZE $(findmnt -no SOURCE /data/bricks/gv0)");
        expect(Number(sizes)).toBe(21 * 2 ** 30);
        expect(await outputOn("web-1", "cd /data/shared && pwd && findmnt -no SOURCE,TARGET /data/shared")).toBe(
            mounted,
        );
    });

    it("and go back", async () => {
        for (const [key, value] of Object.entries(former)) await configure(key, value);
        await up();
        await up({ expectNoChanges: true });
    });
});

describe("hosts that somebody deleted", () => {
    const victims = ["node-2", "web-2"];

    it("are seen by refresh and made again by up, with all that was on them, while the others serve", async () => {
        const known = await mysqlAccess();
        await statement(client, known, known.source, `INSERT INTO ${table} (id) VALUES (1000001), (1000002)`);
        const value = String(Date.now());
        await outputOn("web-1", `mkdir -p /data/shared/lost && echo ${value} >/data/shared/lost/file`);
        const before = new Map(status().hosts.map(({ name, instanceId }) => [name, instanceId]));
        const load = new Load(await sharedSite());
        const keys = await ClusterWriter.start(client, "lost", { confirm: true, giveUp: 90 });
        await new Promise((wake) => setTimeout(wake, 2000));

        for (const name of victims)
            await api()("Ecs", "DeleteInstance", {
                RegionId: "cn-hangzhou",
                InstanceId: before.get(name)!,
                Force: "true",
            });
        await eventually("both are gone", 60, async () =>
            status().hosts.every(({ name }) => !victims.includes(name)) ? true : undefined,
        );
        const preview = await labOutput(["pulumi", "preview", "--refresh", "--stack", "lab"], { seconds: 180 });
        for (const name of victims) expect(preview).toMatch(new RegExp(`Instance ${name} +create`));

        const changes = await upChanges({ refresh: true, seconds: 600 });
        const after = new Map(status().hosts.map(({ name, instanceId }) => [name, instanceId]));
        for (const [name, id] of before) {
            if (victims.includes(name)) expect(after.get(name)).not.toBe(id);
            else expect([name, after.get(name)]).toEqual([name, id]);
        }
        expect(
            changes.filter(
                ({ type, operation }) => type === "alicloud:ecs/instance:Instance" && operation !== "create",
            ),
        ).toEqual([]);

        const { acknowledged, failed } = await keys.stop();
        await load.stop();
        expect(failed).toEqual([]);
        expect(acknowledged.length).toBeGreaterThan(100);
        await whole(client, 3);
        const gone = await lost(client, acknowledged);
        expect(gone.filter(({ confirmed }) => confirmed)).toEqual([]);
        console.info(
            `Two hosts lost for good: ${gone.length} of ${acknowledged.length} acknowledged keys lost, none of them confirmed; ` +
                `${load.problemsSince(0).length} of ${load.countSince(0)} requests failed.`,
        );

        // On the machine that is new: the replica's rows, the file in the server's own copy, the mount and the site.
        const replica = await outputOn("node-2", `mariadb -BNe 'SELECT COUNT(*) FROM app.${table} WHERE id > 1000000'`);
        expect(replica).toBe("2");
        await eventually("the healed copy", 60, async () =>
            (await onHost("node-2", "cat /data/bricks/gv0/brick/lost/file")).stdout.trim() === value ? true : undefined,
        );
        expect(await outputOn("web-2", "cat /data/shared/lost/file")).toBe(value);
        await Promise.all(["web-1", "web-2"].map((host) => outputOn(host, `echo ${host} >/srv/www/current/who`)));
        const again = await sharedSite();
        await again.answerFrom("web-2");
        const since = Date.now();
        const later = new Load(again);
        await new Promise((wake) => setTimeout(wake, 3000));
        await later.stop();
        expect(later.problemsSince(since)).toEqual([]);
        expect((await redisAccess()).nodes).toHaveLength(6);
    });

    it("leave nothing for an update to do", async () => {
        await outputOn("web-1", "rm -r /data/shared/lost");
        await up({ expectNoChanges: true });
        await labOutput(["pulumi", "refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "lab"], {
            seconds: 240,
        });
    });
});

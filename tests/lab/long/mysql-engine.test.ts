/** MySQL itself, on Debian 13 hosts of a stack of its own beside the shared one: the same contract as MariaDB's. */
import { api, configure, eventually, hostsOf, initStack, labOutput, outputOn, removeStack, tool, up } from "../lab";
import { provesReplication } from "../mysqlContract";

jest.setTimeout(600_000);

const stack = "lab-mysql";

beforeAll(async () => {
    await initStack(stack, {
        "hosts.imageId": "debian_13_1_x64_20G_alibase_20251030.vhd",
        "hosts.count": "4",
        "redis.replicasPerMaster": "0",
        "mysql.engine": "mysql",
        "web.enabled": "false",
        "storage.enabled": "false",
        "loadBalancer.enabled": "false",
    });
    await up({ stack, seconds: 500 });
});

it("runs MySQL 9 on Debian 13, and Redis 8 beside it", async () => {
    const host = (await hostsOf(stack)).get("node-1")!;
    expect(await outputOn(host, "mysqld --version")).toMatch(/Ver 9\./);
    expect(await outputOn(host, "redis-server --version")).toMatch(/v=8\./);
    expect(await outputOn(host, "systemctl is-system-running")).toBe("running");
});

provesReplication({
    stack,
    shell: "mysql --batch --skip-column-names",
    unit: "mysql",
    forbidden: "SELECT * FROM mysql.user",
    resolver: "node-4",
    settings: {
        both: {
            "@@log_bin": "1",
            "@@binlog_format": "ROW",
            "@@gtid_mode": "ON",
            "@@enforce_gtid_consistency": "ON",
            "@@sync_binlog": "1",
            "@@innodb_flush_log_at_trx_commit": "1",
            "@@rpl_semi_sync_source_wait_point": "AFTER_SYNC",
        },
        source: { "@@super_read_only": "0", "@@rpl_semi_sync_source_enabled": "1" },
        replica: { "@@super_read_only": "1", "@@rpl_semi_sync_replica_enabled": "1" },
    },
    skip: async ({ source, replica, write }) => {
        await replica("STOP REPLICA");
        await write();
        const uuid = await source("SELECT @@server_uuid");
        const executed = await source("SELECT @@global.gtid_executed");
        const last = new RegExp(`${uuid}:(?:\\d+-\\d+:)*(?:\\d+-)?(\\d+)`).exec(executed.replace(/\\n|\s/g, ""))![1]!;
        await replica(`SET GTID_NEXT = '${uuid}:${last}'; BEGIN; COMMIT; SET GTID_NEXT = 'AUTOMATIC'; START REPLICA`);
    },
});

it("has every row on another machine after a replica's was deleted, and on one that came in place of the former source's", async () => {
    // Without replicas of its own it doesn't outlive a lost machine.
    await configure("redis.enabled", "false", stack);
    await up({ stack });
    const count = (host: string): Promise<string> =>
        outputOn(host, "mysql --batch --skip-column-names -e 'SELECT COUNT(*) FROM app.rows_'", 60).catch(String);
    const before = await hostsOf(stack);
    const rows = await count(before.get("node-1")!);
    expect(Number(rows)).toBeGreaterThan(1000);

    await api()("Ecs", "DeleteInstance", { RegionId: "cn-hangzhou", InstanceId: before.get("node-2")!, Force: "true" });
    await labOutput(["pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", stack], { seconds: 500 });
    const after = await hostsOf(stack);
    expect(after).toEqual(new Map(before).set("node-2", after.get("node-2")!));
    expect(after.get("node-2")).not.toBe(before.get("node-2"));
    await eventually("its rows", 120, async () => (await count(after.get("node-2")!)) === rows || undefined);

    await configure("mysql.source", "node-2", stack);
    await up({ stack });
    const { deployment } = JSON.parse(await labOutput(["pulumi", "stack", "export", "--stack", stack])) as {
        deployment: { resources: { urn: string; id?: string }[] };
    };
    const { urn } = deployment.resources.find(({ id }) => id === after.get("node-1"))!;
    await labOutput(["pulumi", "up", "--yes", "--skip-preview", "--replace", urn, "--stack", stack], { seconds: 500 });
    const last = await hostsOf(stack);
    expect(last.get("node-1")).not.toBe(after.get("node-1"));
    await eventually("its rows", 120, async () => (await count(last.get("node-1")!)) === rows || undefined);
    const { code, stdout } = await tool("doctor/cli.ts", ["--stack", stack, "--json"]);
    expect([code, stdout]).toEqual([0, expect.anything()]);
    await configure("mysql.source", undefined, stack);
    await up({ stack });
    await up({ stack, expectNoChanges: true });
});

// After the contract, which puts its settings back first.
afterAll(() => removeStack(stack));

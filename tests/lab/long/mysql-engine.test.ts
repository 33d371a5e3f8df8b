/** MySQL itself, on Debian 13 hosts of a stack of its own beside the shared one: the same contract as MariaDB's. */
import { hostsOf, initStack, outputOn, removeStack, up } from "../lab";
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

// After the contract, which puts its settings back first.
afterAll(() => removeStack(stack));

/** The database servers of the shared stack: MariaDB, one source, its replicas, and what an operator does to them. */
import { provesReplication } from "./mysqlContract";

jest.setTimeout(400_000);

provesReplication({
    stack: "lab",
    shell: "mariadb --batch --skip-column-names",
    unit: "mariadb",
    forbidden: "SELECT * FROM mysql.global_priv",
    resolver: "web-1",
    settings: {
        both: {
            "@@log_bin": "1",
            "@@binlog_format": "ROW",
            "@@gtid_strict_mode": "1",
            "@@sync_binlog": "1",
            "@@innodb_flush_log_at_trx_commit": "1",
            "@@rpl_semi_sync_master_wait_point": "AFTER_SYNC",
        },
        source: { "@@read_only": "0", "@@rpl_semi_sync_master_enabled": "1" },
        replica: { "@@read_only": "1", "@@rpl_semi_sync_slave_enabled": "1" },
    },
    skip: async ({ source, replica, write }) => {
        await replica("STOP SLAVE SQL_THREAD");
        await write();
        const position = await source("SELECT @@gtid_binlog_pos");
        await replica(`STOP SLAVE; SET GLOBAL gtid_slave_pos = '${position}'; START SLAVE`);
    },
});

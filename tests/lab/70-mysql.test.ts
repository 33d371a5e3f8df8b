/** The database servers of the shared stack: MariaDB, one source, its replicas, and what an operator does to them. */
import { provesReplication } from "./mysqlContract";

jest.setTimeout(400_000);

provesReplication({
    stack: "lab",
    shell: "mariadb --batch --skip-column-names",
    unit: "mariadb",
    forbidden: "SELECT * FROM mysql.global_priv",
    resolver: "web-1",
    skip: async ({ source, replica, write }) => {
        await replica("STOP SLAVE SQL_THREAD");
        await write();
        const position = await source("SELECT @@gtid_binlog_pos");
        await replica(`STOP SLAVE; SET GLOBAL gtid_slave_pos = '${position}'; START SLAVE`);
    },
});

import type * as pulumi from "@pulumi/pulumi";

import type { Host } from "../host";
import type { KeyGenerations } from "../keys";

/** Which server: Debian offers MariaDB only, Ubuntu and the RHEL family have both. */
export type MysqlEngine = "mysql" | "mariadb";

export const mysqlEngines: readonly MysqlEngine[] = ["mysql", "mariadb"];

/** Arguments of {@link MysqlReplication}. */
export interface MysqlReplicationArgs {
    /**
     * Where the servers run, one per host: the source and its replicas. They reach each other on `port` and by SSH.
     *
     * A host added to the list starts with a copy of the source's data. A host taken off it is released first, as long as the program
     * still has it when the list changes, which is so when the same update deletes it; its data stays on it.
     */
    readonly hosts: readonly Host[];
    /** MySQL 8.0.30 or later, or MariaDB 10.5 or later, as the hosts' distribution has it. Can't change while the servers exist. */
    readonly engine: MysqlEngine;
    /**
     * Name of the host that takes writes. Another name switches over: writes stop, the new source receives all that was committed, then
     * takes writes, and the others follow it.
     * @default the first host's name
     */
    readonly source?: string;
    /**
     * Databases that exist and that `user` may do anything in. One that is taken off the list stays, and the user loses it.
     * 1 to 64 letters, digits and underscores each.
     */
    readonly databases: readonly string[];
    /** The application's account. 1 to 32 lower-case letters, digits and underscores. Another name creates a second account. @default "app" */
    readonly user?: string;
    /**
     * Ranges that servers and applications connect from, such as the VPC's. One of them contains every host. No account is valid from
     * elsewhere: the one of a range that is left out is dropped, or locked while views, triggers, routines or events run as it.
     */
    readonly clientCidrs: readonly string[];
    /** TCP port of every server. Can't change while the servers exist. @default 3306 */
    readonly port?: number;
    /**
     * InnoDB's buffer pool on each host: a share of the host's memory such as `50%` (at most 80%), or a size in `mb` or `gb`,
     * at most 90% of it.
     * @default "50%"
     */
    readonly bufferPool?: string;
    /**
     * Whether a commit is acknowledged only after a replica has received it (AFTER_SYNC). A source that gets no acknowledgement for
     * 10 seconds goes on without, and says so in its status.
     * @default true
     */
    readonly semiSync?: boolean;
    /**
     * Databases that the binary log holds, and so all that is replicated (`binlog_do_db`). A change restarts the servers. One that is
     * added with data in it is on the source alone: the update names the replicas, and the next one with those in `rebuild` copies it.
     * @default all
     */
    readonly binlogDoDb?: readonly string[];
    /**
     * Password of `user`: at least 16 characters out of letters, digits and `._~+/=@%:,!*^-`. A new value is taken over without a
     * restart; connections stay.
     * @default generated, and kept in the stack's state as a secret
     */
    readonly password?: pulumi.Input<string>;
    /** A second password that stays valid, for clients that have not got the new one yet. Leave it out to end its validity. */
    readonly previousPassword?: pulumi.Input<string>;
    /**
     * Generations of the generated keys of certificates and their authority, and of the passwords of the servers' own accounts, by which
     * `npm run rotate -- mysql.keys` renews them while clients go on and the servers run on.
     * @default the first generation
     */
    readonly keys?: KeyGenerations;
    /** Further names that the nodes' certificates are valid for, such as `mysql.internal` in a {@link PrivateDns}. Taken over without a restart. @default [] */
    readonly dnsNames?: readonly string[];
    /**
     * Version of the packages, or its beginning: `10.11` takes the newest 10.11.x of the hosts' repositories. Hosts that have
     * another one are refused: a server is upgraded by replacing its host.
     * @default whatever the repositories have when a host is made
     */
    readonly version?: string;
    /**
     * Folder of the servers' data, such as one on a mounted data disk: made when it is missing, refused when it holds anything but a
     * server's data. Can't change while the servers exist.
     * @default "/var/lib/mysql"
     */
    readonly dataDirectory?: string;
    /**
     * Names of replicas that throw their data away once, and start again with a copy of the source's. For those that an update has named
     * as broken. Taking a name off and putting it on again rebuilds again.
     * @default none
     */
    readonly rebuild?: readonly string[];
    /**
     * With another text than before, such as a date, the update looks at every server and compares all rows of all InnoDB tables, and
     * fails with the names of the replicas that differ. It reads every table once, on every server, in ranges of its primary key; whoever
     * changes a row waits for the range that is being read. Large tables without a key that cuts them into small ranges are left out, and noted.
     * @default not compared
     */
    readonly verify?: string;
}

/** `mysql`: MySQL or MariaDB with replicas. */
import type * as pulumi from "@pulumi/pulumi";

import { type MysqlEngine, mysqlEngines } from "../components/mysql/args";
import {
    bufferPoolProblem,
    databaseProblem,
    mysqlUserProblem,
    rebuildProblem,
    verifyProblem,
} from "../components/mysql/settings";
import { type DnsConfig, dnsNames } from "./dns";
import { hostNames, type HostsConfig } from "./hosts";
import type { Reader, Section } from "./reader";

export interface MysqlConfig {
    /** @default true */
    readonly enabled: boolean;
    /** @default "mariadb", which the default image has */
    readonly engine: MysqlEngine;
    /** How many hosts follow the source. @default 1 */
    readonly replicas: number;
    /** Name of the host that takes writes. @default the pool's first */
    readonly source?: string;
    /** @default ["app"] */
    readonly databases: readonly string[];
    /** The application's account. @default "app" */
    readonly user: string;
    /** @default 3306 */
    readonly port: number;
    /** Share of a host's memory, or a size. @default "20%", since Redis Cluster runs on the same hosts */
    readonly bufferPool: string;
    /** @default true */
    readonly semiSync: boolean;
    /** Under which the servers are found. @default those of `dns` */
    readonly dnsNames: readonly string[];
    /** Databases that are replicated. @default all */
    readonly binlogDoDb?: readonly string[];
    /** @default generated */
    readonly password?: pulumi.Output<string>;
    /** Stays valid beside `password`, for clients that have not got that one yet. @default none */
    readonly previousPassword?: pulumi.Output<string>;
    /** Names of replicas whose data is thrown away and copied from the source, once. @default [] */
    readonly rebuild: readonly string[];
    /** With another text than before, all rows are compared. @default not compared */
    readonly verify?: string;
    /** Version of the server's packages, or its beginning. @default any */
    readonly version?: string;
}

export const mysqlKeys = [
    "enabled",
    "engine",
    "replicas",
    "source",
    "databases",
    "user",
    "port",
    "bufferPool",
    "semiSync",
    "binlogDoDb",
    "password",
    "previousPassword",
    "rebuild",
    "verify",
    "version",
] as const;

/** How many hosts the servers take: the first ones of the pool. */
export function mysqlHostCount({ enabled, replicas }: MysqlConfig): number {
    return enabled ? 1 + replicas : 0;
}

export function readMysql(reader: Reader, dns: DnsConfig): MysqlConfig {
    const { problems } = reader;
    const mysql = reader.section("mysql");
    const engine = reader.text(mysql, "mysql.engine") ?? "mariadb";
    if (!(mysqlEngines as readonly string[]).includes(engine)) {
        problems.add("mysql.engine", `"${engine}" is none of ${mysqlEngines.join(", ")}.`);
    }
    const user = reader.text(mysql, "mysql.user") ?? "app";
    const bufferPool = reader.text(mysql, "mysql.bufferPool") ?? "20%";
    for (const [path, problem] of [
        ["mysql.user", mysqlUserProblem(user)],
        ["mysql.bufferPool", bufferPoolProblem(bufferPool)],
    ] as const) {
        if (problem !== undefined) problems.add(path, problem);
    }
    const source = reader.text(mysql, "mysql.source");
    const binlogDoDb = databases(reader, mysql, "mysql.binlogDoDb");
    const verify = reader.text(mysql, "mysql.verify");
    const verifyText = verify === undefined ? undefined : verifyProblem(verify);
    if (verifyText !== undefined) problems.add("mysql.verify", verifyText);
    const version = reader.problems.checkVersion("mysql.version", reader.text(mysql, "mysql.version"));
    return {
        enabled: reader.boolean(mysql, "mysql.enabled", true),
        engine: engine as MysqlEngine,
        replicas: reader.integer(mysql, "mysql.replicas", 1, 0, 20),
        ...(source !== undefined && { source }),
        databases: databases(reader, mysql, "mysql.databases") ?? ["app"],
        user,
        port: reader.integer(mysql, "mysql.port", 3306, 1024, 65535),
        bufferPool,
        semiSync: reader.boolean(mysql, "mysql.semiSync", true),
        ...(binlogDoDb !== undefined && { binlogDoDb }),
        ...reader.passwords(mysql, "mysql"),
        ...(version !== undefined && { version }),
        dnsNames: dnsNames(dns, "mysql", "mysql-replica"),
        rebuild: reader.texts(mysql, "mysql.rebuild", 0),
        ...(verify !== undefined && { verify }),
    };
}

/** The hosts that the configuration names have to run a server, and the pool's image has to have the engine. */
export function checkMysqlHosts(reader: Reader, mysql: MysqlConfig, hosts: HostsConfig): void {
    const names = hostNames(hosts, mysqlHostCount(mysql));
    const check = (path: string, name: string | undefined): boolean => {
        if (!mysql.enabled || name === undefined) return false;
        if (names.includes(name)) return true;
        reader.problems.add(path, `"${name}" runs no server: ${names.join(", ")} do.`);
        return false;
    };
    check("mysql.source", mysql.source);
    if (mysql.enabled && mysql.engine === "mysql" && hosts.imageId === undefined && hosts.imageName === undefined) {
        reader.problems.add(
            "mysql.engine",
            "Debian 12, the image of hosts by default, has no MySQL: set hosts.imageName to that of a system that has it, such as ^ubuntu_24_04_x64, or leave mysql.engine out.",
        );
    }
    mysql.rebuild.forEach((name, index) => {
        const path = `mysql.rebuild[${index}]`;
        const problem = check(path, name) ? rebuildProblem(name, mysql.source ?? names[0]!) : undefined;
        if (problem !== undefined) reader.problems.add(path, problem);
    });
}

function databases(reader: Reader, mysql: Section | undefined, path: string): string[] | undefined {
    if (reader.value(mysql, path) === undefined) return undefined;
    const names = reader.texts(mysql, path);
    names.forEach((name, index) => {
        const problem = databaseProblem(name);
        if (problem !== undefined) reader.problems.add(`${path}[${index}]`, problem);
    });
    reader.once(path, names);
    return names;
}

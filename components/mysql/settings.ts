import type { Host } from "../host";
import { checkKeys } from "../keys";
import { parseCidr } from "../network/cidr";
import { passwordProblem } from "../password";
import { dnsNameProblem, Problems } from "../problems";
import { type MysqlEngine, mysqlEngines, type MysqlReplicationArgs } from "./args";

/** {@link MysqlReplicationArgs} with everything filled in. */
export interface MysqlReplicationSettings {
    readonly hosts: readonly Host[];
    readonly engine: MysqlEngine;
    readonly source: string;
    readonly databases: readonly string[];
    readonly user: string;
    readonly clientCidrs: readonly string[];
    readonly port: number;
    readonly bufferPool: string;
    readonly semiSync: boolean;
    readonly binlogDoDb: readonly string[] | undefined;
    readonly dataDirectory: string | undefined;
    readonly version: string | undefined;
    readonly dnsNames: readonly string[];
    readonly rebuild: readonly string[];
    readonly verify: string | undefined;
}

/** Schemas of the servers themselves and of this component. */
const reservedDatabases: readonly string[] = ["information_schema", "mysql", "multihost", "performance_schema", "sys"];
const reservedUsers: readonly string[] = ["root", "mysql", "mariadb"];
const reservedHostNames = /^(ca|backup|password|servers|replication)$|-seed$/;

/**
 * Checks what can be checked before anything runs and fills in the defaults. Pure.
 *
 * @throws pulumi.RunError that lists every problem.
 */
export function parseMysqlReplicationArgs(name: string, args: MysqlReplicationArgs): MysqlReplicationSettings {
    const problems = new Problems();
    checkHosts(problems, args);
    checkKeys(problems, args.keys);
    if (!mysqlEngines.includes(args.engine)) {
        problems.add("engine", `"${args.engine}" is none of ${mysqlEngines.join(", ")}.`);
    }
    const names = args.hosts.map((host) => host.name);
    const source = args.source ?? names[0] ?? "";
    if (names.length > 0 && !names.includes(source)) {
        problems.add("source", `"${source}" is none of the hosts ${names.join(", ")}.`);
    }
    checkDatabases(problems, args);
    const user = args.user ?? "app";
    const userProblem = mysqlUserProblem(user);
    if (userProblem !== undefined) problems.add("user", userProblem);

    if (args.clientCidrs.length === 0) {
        problems.add("clientCidrs", "the list is empty: name the ranges that servers and applications connect from.");
    }
    args.clientCidrs.forEach((cidr, index) => {
        const parsed = parseCidr(cidr);
        if (parsed === undefined) {
            problems.add(`clientCidrs[${index}]`, `"${cidr}" is not a CIDR block whose address fits its mask.`);
        } else if (parsed.prefix < 8) {
            problems.add(`clientCidrs[${index}]`, `"${cidr}" lets the internet try: name ranges of private networks.`);
        }
    });
    const port = args.port ?? 3306;
    if (!Number.isInteger(port) || port < 1024 || port > 65535) {
        problems.add("port", `${port} is not a TCP port from 1024 to 65535.`);
    }
    const bufferPool = args.bufferPool ?? "50%";
    const memoryProblem = bufferPoolProblem(bufferPool);
    if (memoryProblem !== undefined) problems.add("bufferPool", memoryProblem);
    for (const path of ["password", "previousPassword"] as const) {
        const value = args[path];
        const problem = typeof value === "string" ? passwordProblem(value) : undefined;
        if (problem !== undefined) problems.add(path, problem);
    }
    problems.checkDataDirectory("dataDirectory", args.dataDirectory);
    args.rebuild?.forEach((host, index) => {
        if (!names.includes(host)) {
            problems.add(`rebuild[${index}]`, `"${host}" is none of the hosts ${names.join(", ")}.`);
            return;
        }
        const problem = rebuildProblem(host, source);
        if (problem !== undefined) problems.add(`rebuild[${index}]`, problem);
    });
    const verifyText = args.verify === undefined ? undefined : verifyProblem(args.verify);
    if (verifyText !== undefined) problems.add("verify", verifyText);
    args.dnsNames?.forEach((dnsName, index) => {
        const problem = dnsNameProblem(dnsName);
        if (problem !== undefined) problems.add(`dnsNames[${index}]`, problem);
    });
    const version = problems.checkVersion("version", args.version);
    problems.throwIfAny(`MysqlReplication "${name}"`);

    return {
        hosts: args.hosts,
        engine: args.engine,
        source,
        databases: args.databases,
        user,
        clientCidrs: args.clientCidrs,
        port,
        bufferPool,
        semiSync: args.semiSync ?? true,
        binlogDoDb: args.binlogDoDb,
        dataDirectory: args.dataDirectory,
        version,
        dnsNames: args.dnsNames ?? [],
        rebuild: args.rebuild ?? [],
        verify: args.verify,
    };
}

function checkHosts(problems: Problems, args: MysqlReplicationArgs): void {
    if (args.hosts.length === 0) {
        problems.add("hosts", "the list is empty: name at least one host, and a second one for a replica.");
    }
    args.hosts.forEach((host, index) => {
        if (args.hosts.findIndex((other) => other.name === host.name) < index) {
            problems.add(`hosts[${index}]`, `"${host.name}" is listed twice.`);
        }
        if (reservedHostNames.test(host.name)) {
            problems.add(`hosts[${index}]`, `the name "${host.name}" is taken by a resource of the component itself.`);
        }
    });
}

function checkDatabases(problems: Problems, args: MysqlReplicationArgs): void {
    if (args.databases.length === 0) {
        problems.add("databases", "the list is empty: name at least one database.");
    }
    for (const path of ["databases", "binlogDoDb"] as const) {
        args[path]?.forEach((database, index, all) => {
            const problem =
                all.indexOf(database) < index ? `"${database}" is listed twice.` : databaseProblem(database);
            if (problem !== undefined) problems.add(`${path}[${index}]`, problem);
        });
    }
    if (args.binlogDoDb?.length === 0) {
        problems.add("binlogDoDb", "the list is empty: leave it out to replicate every database.");
    }
}

/** Why a name can't be a database's; undefined when it can. */
export function databaseProblem(database: string): string | undefined {
    if (!/^\w{1,64}$/.test(database)) {
        return `"${database}" is not a database's name: 1 to 64 letters, digits and underscores.`;
    }
    return reservedDatabases.includes(database.toLowerCase()) ? `"${database}" is the servers' own.` : undefined;
}

/** Why a host's data can't be thrown away; undefined when it can. */
export function rebuildProblem(host: string, source: string | undefined): string | undefined {
    return host === source ? `"${host}" is the source: name another source first, and rebuild it later.` : undefined;
}

/** Why a text can't tell one comparison from another; undefined when it can. */
export function verifyProblem(text: string): string | undefined {
    return /^[\w.:+-]{1,64}$/.test(text)
        ? undefined
        : "is a text of 1 to 64 letters, digits and . _ : + - such as a date.";
}

/** Why a name can't be the application's account; undefined when it can. */
export function mysqlUserProblem(user: string): string | undefined {
    if (!/^[a-z_][a-z0-9_]{0,31}$/.test(user)) {
        return `"${user}" is not an account's name: 1 to 32 lower-case letters, digits and underscores, no digit first.`;
    }
    return reservedUsers.includes(user) || user.startsWith("multihost_") ? `"${user}" is the servers' own.` : undefined;
}

/** Why a size can't be the buffer pool's; undefined when it can. */
export function bufferPoolProblem(size: string): string | undefined {
    const parsed = /^([1-9]\d*)(%|mb|gb)$/.exec(size);
    if (parsed === null) return `"${size}" is neither a share such as 50% nor a size such as 512mb or 4gb.`;
    if (parsed[2] === "%" && Number(parsed[1]) > 80) return `"${size}" leaves the host too little: at most 80%.`;
    return undefined;
}

import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { createAuthority } from "../certificates";
import { componentOptions } from "../dependencies";
import { type Host, type HostStep, knownHost } from "../host";
import { generationName, generationsOf, makeGenerations } from "../keys";
import { checkedPassword, passwordSource } from "../password";
import type { MysqlReplicationArgs } from "./args";
import { type MysqlReplicationSettings, parseMysqlReplicationArgs } from "./settings";

/** Where a server of a {@link MysqlReplication} answers. */
export interface MysqlServer {
    /** Name of its host. */
    readonly name: string;
    /** Private address. */
    readonly address: string;
    /** TCP port. */
    readonly port: number;
}

/** What the step that joins the servers reports. */
export interface MysqlReplicationResult {
    /** Name of the host that takes writes. */
    readonly source: string;
    /** Names of the hosts that follow it. */
    readonly replicas: readonly string[];
    /** As the source's server calls it. */
    readonly version: string;
    /** Milliseconds in which no server took writes, when this run switched over. */
    readonly outageMs?: number;
    /** What a reader of the log should know; not there when there is nothing. */
    readonly notes?: readonly string[];
}

interface Secrets {
    readonly password: pulumi.Output<string>;
    readonly previousPassword: pulumi.Output<string> | undefined;
    readonly adminPassword: pulumi.Output<string>;
    readonly replicationPassword: pulumi.Output<string>;
    /** Of the generation beside, which the account accepts as well. */
    readonly otherReplicationPassword: pulumi.Output<string> | undefined;
    readonly backupKey: tls.PrivateKey;
}

/**
 * MySQL or MariaDB on hosts that already run: one source that takes writes, and replicas that follow it by GTID, over TLS, semi-synchronously.
 *
 * Every change of the arguments is applied in place. A new replica starts with a copy of the source's data, fetched while it works.
 * Another `source` is a planned switchover that loses no committed row. Passwords change without a restart. What needs a restart is
 * taken over server by server, the source last. There is no automatic failover: when the source is lost, name another one.
 *
 * @example
 * const database = new MysqlReplication("db", {
 *     hosts: pool.hosts.slice(0, 3),
 *     engine: "mariadb",
 *     databases: ["shop"],
 *     clientCidrs: ["10.0.0.0/16"],
 * });
 * export const databaseUrl = database.url;
 *
 * @example
 * // Maintenance of node-1: node-2 takes over first. A later update switches back.
 * new MysqlReplication("db", { hosts, engine: "mysql", source: "node-2", databases: ["shop"], clientCidrs });
 */
export class MysqlReplication extends pulumi.ComponentResource {
    /** The server that takes writes; known once the replication works. */
    public readonly source: pulumi.Output<MysqlServer>;
    /** The servers that are read-only, in the order of the hosts; known once the replication works. */
    public readonly replicas: pulumi.Output<MysqlServer[]>;
    /**
     * Connection URL of the source with the first of the databases: `mysql://<user>:<password>@<address>:<port>/<database>`; the password
     * is percent-encoded. The servers refuse connections without TLS. Secret; known once the replication works.
     */
    public readonly url: pulumi.Output<string>;
    /** The application's account. */
    public readonly user: string;
    /** Its password. Secret. */
    public readonly password: pulumi.Output<string>;
    /** What clients verify the servers' certificates with, in PEM format; they name the hosts' names and private addresses. */
    public readonly caCertificate: pulumi.Output<string>;
    /** The step that joins the servers: depend on it to start after the replication works. */
    public readonly replication: HostStep<MysqlReplicationResult>;

    constructor(name: string, args: MysqlReplicationArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:mysql:MysqlReplication", name, {}, componentOptions(opts));
        const settings = parseMysqlReplicationArgs(name, args);
        const secrets = this.secrets(name, args);
        const authority = createAuthority(name, this, { dnsNames: settings.dnsNames, keys: args.keys });
        const members = pulumi.all(settings.hosts.map(memberOf));
        const shared = { engine: settings.engine, port: settings.port };

        const nodes = settings.hosts.map((host) => {
            const { certificate, privateKey } = authority.issue(host);
            return host.run(
                `${name}-${host.name}`,
                {
                    script: "mysql/node",
                    params: {
                        ...shared,
                        address: host.privateAddress,
                        cidrs: settings.clientCidrs,
                        bufferPool: settings.bufferPool,
                        // A server alone would wait at its start for a replica that it will never have.
                        semiSync: settings.semiSync && settings.hosts.length > 1,
                        binlogDoDb: settings.binlogDoDb,
                        dataDir: settings.dataDirectory,
                        version: settings.version,
                        backupKey: secrets.backupKey.publicKeyOpenssh.apply((key) => key.trim()),
                    },
                    secrets: {
                        adminPassword: secrets.adminPassword,
                        caCertificate: authority.certificate,
                        certificate,
                        privateKey,
                    },
                    // Its memory is a share of the host's.
                    rerunOn: host.instanceType === undefined ? [] : [host.instanceType],
                    removeOnDelete: true,
                },
                { parent: this },
            );
        });

        const seed = (host: Host, after: readonly HostStep[]): HostStep =>
            host.run(
                `${name}-${host.name}-seed`,
                {
                    script: "mysql/seed",
                    params: {
                        ...shared,
                        address: host.privateAddress,
                        dataDir: settings.dataDirectory,
                        members,
                        source: settings.source,
                        semiSync: settings.semiSync,
                        rebuild: settings.rebuild.includes(host.name),
                        hostKeys: hostKeys(settings.hosts),
                    },
                    secrets: {
                        adminPassword: secrets.adminPassword,
                        replicationPassword: secrets.replicationPassword,
                        backupKey: secrets.backupKey.privateKeyOpenssh,
                    },
                    // A machine that was replaced has no data.
                    rerunOn: [host.identity],
                    usesInternet: false,
                    timeoutMinutes: 180,
                },
                { parent: this, dependsOn: [...nodes, ...after] },
            );
        // The source's before the others', for it takes over there from one that is gone: nobody else could give a copy.
        const source = settings.hosts.find((host) => host.name === settings.source)!;
        const sourceSeed = seed(source, []);
        const seeds = settings.hosts.map((host) => (host === source ? sourceSeed : seed(host, [sourceSeed])));

        this.replication = settings.hosts[0]!.run<MysqlReplicationResult>(
            `${name}-replication`,
            {
                script: "mysql/replication",
                params: {
                    ...shared,
                    address: settings.hosts[0]!.privateAddress,
                    members,
                    source: settings.source,
                    cidrs: settings.clientCidrs,
                    semiSync: settings.semiSync,
                    databases: settings.databases,
                    user: settings.user,
                    binlogDoDb: settings.binlogDoDb,
                    verify: settings.verify,
                },
                secrets: {
                    adminPassword: secrets.adminPassword,
                    replicationPassword: secrets.replicationPassword,
                    ...(secrets.otherReplicationPassword === undefined
                        ? {}
                        : { otherReplicationPassword: secrets.otherReplicationPassword }),
                    password: secrets.password,
                    ...(secrets.previousPassword === undefined ? {} : { previousPassword: secrets.previousPassword }),
                },
                // Whatever a server's steps have changed may have to be finished here: a restart, a copy, a machine replaced.
                rerunOn: [...nodes, ...seeds].map((step) => step.stdin),
                outlivesMachine: true,
                usesInternet: false,
                timeoutMinutes: 180,
            },
            { parent: this, dependsOn: seeds },
        );

        // The id, because it is known in a preview and yet comes only after the step has run.
        const servers = pulumi
            .all([pulumi.all(settings.hosts.map((host) => host.privateAddress)), this.replication.id])
            .apply(([addresses]) => addresses.map((address, index) => serverOf(settings, address, index)));
        this.source = servers.apply((all) => all.find((server) => server.name === settings.source)!);
        this.replicas = servers.apply((all) => all.filter((server) => server.name !== settings.source));
        this.user = settings.user;
        this.password = secrets.password;
        this.url = pulumi.secret(
            pulumi
                .all([this.source, this.password])
                .apply(([source, password]) => mysqlUrl(source, settings.user, password, settings.databases[0]!)),
        );
        this.caCertificate = authority.certificate;
        this.registerOutputs({
            source: this.source,
            replicas: this.replicas,
            url: this.url,
            user: this.user,
            password: this.password,
            caCertificate: this.caCertificate,
        });
    }

    /** The application's password has a source of its own, and the servers' own accounts have theirs: each is renewed without the other. */
    private secrets(name: string, args: MysqlReplicationArgs): Secrets {
        const servers = makeGenerations(args.keys, (generation) =>
            passwordSource(generationName(`${name}-servers`, generation), this),
        );
        // MySQL takes at most 32 characters for the account that replicates.
        const replicationPassword = (source: ReturnType<typeof passwordSource>): pulumi.Output<string> =>
            source("mysql replication").apply((password) => password.slice(0, 32));
        const beside = servers.all.find((source) => source !== servers.current);
        return {
            password:
                args.password === undefined
                    ? passwordSource(`${name}-password`, this)("mysql application")
                    : checkedPassword(`MysqlReplication "${name}"`, "password", args.password),
            previousPassword:
                args.previousPassword === undefined
                    ? undefined
                    : checkedPassword(`MysqlReplication "${name}"`, "previousPassword", args.previousPassword),
            adminPassword: servers.current("mysql administration"),
            replicationPassword: replicationPassword(servers.current),
            otherReplicationPassword: beside === undefined ? undefined : replicationPassword(beside),
            backupKey: new tls.PrivateKey(
                generationName(`${name}-backup`, generationsOf(args.keys).current),
                { algorithm: "ED25519" },
                { parent: this },
            ),
        };
    }
}

/** Connection URL of a server with a database. */
export function mysqlUrl(server: MysqlServer, user: string, password: string, database: string): string {
    return `mysql://${user}:${encodeURIComponent(password)}@${server.address}:${server.port}/${database}`;
}

function serverOf(settings: MysqlReplicationSettings, address: string, index: number): MysqlServer {
    return { name: settings.hosts[index]!.name, address, port: settings.port };
}

function memberOf(host: Host): pulumi.Output<string> {
    return pulumi.interpolate`${host.name}=${host.privateAddress}`;
}

/** As lines of a known_hosts file. */
function hostKeys(hosts: readonly Host[]): pulumi.Output<string> {
    return pulumi.all(hosts.map(knownHost)).apply((lines) => lines.join("\n"));
}

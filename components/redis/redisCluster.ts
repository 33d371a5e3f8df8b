import * as pulumi from "@pulumi/pulumi";

import { createAuthority } from "../certificates";
import { componentOptions } from "../dependencies";
import type { Host, HostStep } from "../host";
import { checkedPassword, passwordSource } from "../password";
import type { RedisClusterArgs } from "./args";
import { parseRedisClusterArgs, type RedisClusterSettings } from "./settings";

/** Where a node of a {@link RedisCluster} answers. */
export interface RedisClusterHost {
    /** Host name. */
    readonly name: string;
    /** Private address. */
    readonly address: string;
    /** TCP port of clients. */
    readonly port: number;
}

/** What the step that joins the nodes reports. */
export interface RedisClusterResult {
    /** How many nodes hold slots. */
    readonly masters: number;
    /** How many of the 16384 slots are served. */
    readonly slots: number;
    /** `name=master:<slots>` or `name=replica:<name of its master>` for every node. */
    readonly nodes: readonly string[];
    /** What a reader of the log should know; not there when there is nothing. */
    readonly notes?: readonly string[];
}

/**
 * Redis Cluster on hosts that already run: one server per host, slots spread over the masters, each master copied to other
 * hosts. Every change of the arguments is applied in place: nodes join and leave while clients write, settings that need
 * a restart are taken over node by node, masters last and after a failover, passwords and certificates without a restart.
 *
 * @example
 * const cache = new RedisCluster("cache", { hosts: pool.hosts });
 * export const redisUrl = cache.url;
 *
 * @example
 * // Nine hosts: three masters with two replicas each, evicting the least recently used keys.
 * new RedisCluster("cache", { hosts, replicasPerMaster: 2, maxmemory: "4gb", maxmemoryPolicy: "allkeys-lru" });
 */
export class RedisCluster extends pulumi.ComponentResource {
    /**
     * Connection URL with every node: `rediss://:<password>@<address>:<port>,<address>:<port>,…` (`redis://` without TLS); the
     * password is percent-encoded. Any node can be asked for the others. Secret; known once the cluster works.
     */
    public readonly url: pulumi.Output<string>;
    /** Every node, in the order of the hosts. */
    public readonly hosts: pulumi.Output<RedisClusterHost[]>;
    /** `<address>:<port>` of every node. */
    public readonly endpoints: pulumi.Output<string[]>;
    /** Password of the user `default`. Secret. */
    public readonly password: pulumi.Output<string>;
    /** What clients verify the nodes' certificates with, in PEM format; empty without TLS. */
    public readonly caCertificate: pulumi.Output<string>;
    /** The step that joins the nodes: depend on it to start after the cluster works. */
    public readonly cluster: HostStep<RedisClusterResult>;

    constructor(name: string, args: RedisClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:redis:RedisCluster", name, {}, componentOptions(opts));
        const settings = parseRedisClusterArgs(name, args);
        const checked = (path: string, given: pulumi.Input<string>): pulumi.Output<string> =>
            checkedPassword(`RedisCluster "${name}"`, path, given);
        const password =
            args.password === undefined
                ? passwordSource(`${name}-password`, this)("redis default user")
                : checked("password", args.password);
        const secrets = {
            password,
            ...(args.previousPassword === undefined
                ? {}
                : { previousPassword: checked("previousPassword", args.previousPassword) }),
        };
        const authority = settings.tls
            ? createAuthority(name, this, { dnsNames: settings.dnsNames, keys: args.keys })
            : undefined;

        const nodes = settings.hosts.map((host) => {
            const issued = authority?.issue(host);
            return host.run(
                `${name}-${host.name}`,
                {
                    script: "redis/node",
                    params: {
                        address: host.privateAddress,
                        port: settings.port,
                        maxmemory: settings.maxmemory,
                        maxmemoryPolicy: settings.maxmemoryPolicy,
                        nodeTimeout: settings.nodeTimeout,
                        appendonly: settings.appendonly,
                        minReplicasToWrite: settings.minReplicasToWrite,
                        tls: settings.tls,
                        dataDir: settings.dataDirectory,
                        version: settings.version,
                    },
                    secrets: {
                        ...secrets,
                        ...(authority === undefined || issued === undefined
                            ? {}
                            : {
                                  caCertificate: authority.certificate,
                                  certificate: issued.certificate,
                                  privateKey: issued.privateKey,
                              }),
                    },
                    // Its memory is a share of the host's.
                    rerunOn: host.instanceType === undefined ? [] : [host.instanceType],
                    removeOnDelete: true,
                },
                { parent: this },
            );
        });

        this.cluster = settings.hosts[0]!.run<RedisClusterResult>(
            `${name}-cluster`,
            {
                script: "redis/cluster",
                params: {
                    members: pulumi.all(settings.hosts.map((host) => memberOf(host, settings))),
                    masters: settings.masters,
                    replicasPerMaster: settings.replicasPerMaster,
                    minReplicasToWrite: settings.minReplicasToWrite,
                    zones: pulumi.all(
                        settings.hosts.flatMap((host) => (host.zone === undefined ? [] : [zoneOf(host, host.zone)])),
                    ),
                    tls: settings.tls,
                },
                secrets,
                // Whatever a node's step has changed may have to be finished here: a restart, a new password, a machine replaced.
                rerunOn: [...nodes.map((node) => node.stdin), ...settings.hosts.map((host) => host.identity)],
                outlivesMachine: true,
                usesInternet: false,
                timeoutMinutes: 60,
            },
            { parent: this, dependsOn: nodes },
        );

        // The id, because it is known in a preview and yet comes only after the step has run.
        const works = this.cluster.id;
        const addresses = pulumi.all(settings.hosts.map((host) => host.privateAddress));
        this.hosts = pulumi
            .all([addresses, works])
            .apply(([all]) =>
                all.map((address, index) => ({ name: settings.hosts[index]!.name, address, port: settings.port })),
            );
        this.endpoints = this.hosts.apply((all) => all.map(({ address, port }) => `${address}:${port}`));
        this.password = pulumi.secret(password);
        this.url = pulumi.secret(
            pulumi.all([this.endpoints, password]).apply(([all, plain]) => clusterUrl(all, plain, settings.tls)),
        );
        this.caCertificate = authority?.certificate ?? pulumi.output("");
        this.registerOutputs({
            url: this.url,
            hosts: this.hosts,
            endpoints: this.endpoints,
            password: this.password,
            caCertificate: this.caCertificate,
        });
    }
}

/** Connection URL of a cluster, every node listed. */
export function clusterUrl(endpoints: readonly string[], password: string, encrypted: boolean): string {
    return `${encrypted ? "rediss" : "redis"}://:${encodeURIComponent(password)}@${endpoints.join(",")}`;
}

function memberOf(host: Host, settings: RedisClusterSettings): pulumi.Output<string> {
    return pulumi.interpolate`${host.name}=${host.privateAddress}:${settings.port}`;
}

function zoneOf(host: Host, zone: pulumi.Output<string>): pulumi.Output<string> {
    return pulumi.interpolate`${host.name}=${zone}`;
}

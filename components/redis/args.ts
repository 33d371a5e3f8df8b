import type * as pulumi from "@pulumi/pulumi";

import type { Host } from "../host";
import type { KeyGenerations } from "../keys";

/** What a node does when its memory limit is reached. */
export type EvictionPolicy =
    | "noeviction"
    | "allkeys-lru"
    | "allkeys-lfu"
    | "allkeys-random"
    | "volatile-lru"
    | "volatile-lfu"
    | "volatile-random"
    | "volatile-ttl";

export const evictionPolicies: readonly EvictionPolicy[] = [
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];

/** Arguments of {@link RedisCluster}. */
export interface RedisClusterArgs {
    /**
     * Where the nodes run, one server per host: exactly `masters × (1 + replicasPerMaster)` of them. On every host the
     * distribution's own Redis instance is switched off.
     *
     * Hosts added to the list join and receive their share of the slots; hosts taken off it are drained first, as long as the
     * program still has them when the list changes, which is so when the same update deletes them.
     */
    readonly hosts: readonly Host[];
    /** How many hosts hold slots. At least 3. @default 3 */
    readonly masters?: number;
    /**
     * How many copies each master has, 0 to 2, on other hosts and in other zones where possible.
     * With 0, a lost host loses its slots and their keys.
     * @default 1
     */
    readonly replicasPerMaster?: number;
    /** TCP port of every node; the cluster bus listens on `port + 10000`. Can't change while the cluster exists. @default 7000 */
    readonly port?: number;
    /**
     * Memory for data on each node: a share of the host's memory such as `60%`, or a size in `mb` or `gb`; at most 90% of it.
     * What is left serves copies during persistence and replication.
     * @default "60%"
     */
    readonly maxmemory?: string;
    /** What happens when `maxmemory` is reached. @default "noeviction": writes are refused, no key is dropped */
    readonly maxmemoryPolicy?: EvictionPolicy;
    /** Milliseconds without an answer after which a node counts as failed; failover takes a little longer. 500 to 60000. @default 5000 */
    readonly nodeTimeout?: number;
    /** Whether every write goes to an append-only file, flushed each second. Without it there are only snapshots. @default true */
    readonly appendonly?: boolean;
    /**
     * How many replicas must follow a master for it to accept writes. More is safer, and refuses writes sooner.
     * @default 1 with two replicas per master, else 0
     */
    readonly minReplicasToWrite?: number;
    /**
     * Password of the user `default`, also used between the nodes: at least 16 characters out of letters, digits and
     * `._~+/=@%:,!*^-`. A new value is taken over by all nodes without a restart; connections stay.
     * @default generated, and kept in the stack's state as a secret
     */
    readonly password?: pulumi.Input<string>;
    /** A second password that stays valid, for clients that have not got the new one yet. Leave it out to end its validity. */
    readonly previousPassword?: pulumi.Input<string>;
    /**
     * Encrypts clients' connections, replication and the cluster bus, with a certificate authority of the cluster's own.
     * Can't change while the cluster exists.
     * @default true
     */
    readonly tls?: boolean;
    /**
     * Generations of the generated keys of certificates and their authority, by which `npm run rotate -- redis.keys` renews them while
     * clients go on. Taken over without a restart.
     * @default the first generation
     */
    readonly keys?: KeyGenerations;
    /** Further names that the nodes' certificates are valid for, such as `redis.internal` in a {@link PrivateDns}. Taken over without a restart. @default [] */
    readonly dnsNames?: readonly string[];
    /**
     * Version of the packages, or its beginning: `7.0` takes the newest 7.0.x of the hosts' repositories. A newer one is
     * installed on all hosts, and the nodes are restarted one by one; an older one is refused.
     * @default whatever the repositories have when a host is made
     */
    readonly version?: string;
    /** Folder of the nodes' data, such as one on a mounted data disk: what the node has written goes when its host leaves the cluster. @default "/var/lib/redis/cluster" */
    readonly dataDirectory?: string;
}

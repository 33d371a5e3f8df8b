/** Which resources hold what can't be made again, and which of a plan's changes lose it. */
import type { Change, Operation, Plan } from "./plan";

/** What is lost with a resource of that type. */
export const losses: Readonly<Record<string, string>> = {
    "alicloud:ecs/instance:Instance": "the host's system disk and all that is on it",
    "alicloud:ecs/ecsDisk:EcsDisk": "the disk's data",
    "alicloud:ecs/disk:Disk": "the disk's data",
    "alicloud:ecs/ecsSnapshot:EcsSnapshot": "the snapshot: the disk may not be any more what it was then",
    "alicloud:ecs/snapshot:Snapshot": "the snapshot: the disk may not be any more what it was then",
    "alicloud:ecs/eipAddress:EipAddress": "the public address: the cloud doesn't give the same one again",
    "alicloud:ecs/eip:Eip": "the public address: the cloud doesn't give the same one again",
    "alicloud:vpc/network:Network": "the network, and with it everything inside",
    "alicloud:vpc/switch:Switch": "the subnet, and with it everything inside",
    "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer": "the balancer's address",
    "alicloud:slb/loadBalancer:LoadBalancer": "the balancer's address",
    "alicloud:alb/loadBalancer:LoadBalancer": "the balancer's address",
    "alicloud:nlb/loadBalancer:LoadBalancer": "the balancer's address",
    "alicloud:nas/fileSystem:FileSystem": "the file system's data",
    "alicloud:oss/bucket:Bucket": "the bucket's objects",
    "alicloud:kms/key:Key": "the key: what it encrypted stays closed",
    "alicloud:rds/instance:Instance": "the database",
    "alicloud:rds/rdsCloneDbInstance:RdsCloneDbInstance": "the database",
    "alicloud:rds/database:Database": "the database",
    "alicloud:polardb/cluster:Cluster": "the database",
    "alicloud:polardb/database:Database": "the database",
    "alicloud:kvstore/instance:Instance": "the database",
    "alicloud:redis/tairInstance:TairInstance": "the database",
    "alicloud:mongodb/instance:Instance": "the database",
    "alicloud:mongodb/shardingInstance:ShardingInstance": "the database",
    "alicloud:mongodb/serverlessInstance:ServerlessInstance": "the database",
    "alicloud:gpdb/instance:Instance": "the database",
    "alicloud:clickhouse/dbCluster:DbCluster": "the database",
    "alicloud:lindorm/instance:Instance": "the database",
    "alicloud:hbase/instance:Instance": "the database",
    "alicloud:elasticsearch/instance:Instance": "the indexes",
    "alicloud:ots/instance:Instance": "the tables and all that is in them",
    "alicloud:ots/table:Table": "the table and all that is in it",
    "alicloud:log/store:Store": "the logs",
};

/** The same for types whose deletion loses nothing: what used them goes with them. */
export const lossesByReplacement: Readonly<Record<string, string>> = {
    "tls:index/privateKey:PrivateKey": "the key: what trusts it has to be told the new one",
    "random:index/randomPassword:RandomPassword": "the password",
};

/** Properties of which the provider gives a resource that stays another value only by emptying it. */
const emptying: Readonly<Record<string, readonly string[]>> = {
    "alicloud:ecs/instance:Instance": ["imageId"],
};

/** A change that loses something. */
export interface Loss {
    readonly change: Change;
    /** What is lost, in words. */
    readonly what: string;
    /** The properties that it is lost for. */
    readonly causes: readonly string[];
    /** How it is announced. What is emptied in place is as good as replaced to whoever has to agree. */
    readonly announcedAs: keyof Announcements;
    /** Whether the author of the change said that this happens. */
    readonly announced: boolean;
}

/** What the author of a change announced: names of resources, `*` for all of them. */
export interface Announcements {
    readonly replace: ReadonlySet<string>;
    readonly delete: ReadonlySet<string>;
}

/** Trailers that announce: `Replaces: node-3, node-4`, `Deletes: node-7`. */
const trailers = { replace: /^Replaces:[ \t]*(.+)$/gim, delete: /^Deletes:[ \t]*(.+)$/gim };
/** The pull request's label that announces everything. */
export const ANNOUNCING_LABEL = "stateful-change";

/**
 * What commit messages and a pull request's labels announce.
 * @param messages commit messages, and the pull request's text if there is one
 */
export function announcements(messages: readonly string[], labels: readonly string[] = []): Announcements {
    const found = { replace: new Set<string>(), delete: new Set<string>() };
    for (const kind of ["replace", "delete"] as const) {
        if (labels.includes(ANNOUNCING_LABEL)) found[kind].add("*");
        for (const message of messages)
            for (const [, names] of message.matchAll(trailers[kind]))
                for (const name of (names ?? "").split(/[\s,]+/)) if (name !== "") found[kind].add(name);
    }
    return found;
}

/** The plan's changes that lose something, those that nobody announced first. */
export function lossesOf(plan: Plan, announced: Announcements): Loss[] {
    return plan.changes
        .flatMap((change): Loss[] => {
            const { operation, type, properties } = change;
            const what = losses[type] ?? (operation === "replace" ? lossesByReplacement[type] : undefined);
            if (what === undefined) return [];
            const causes = properties
                .filter(({ path, replaces }) =>
                    operation === "update" ? emptying[type]?.includes(path) === true : replaces,
                )
                .map(({ path }) => path);
            const lost = operation === "update" ? causes.length > 0 : isEnd(operation) && !change.retained;
            if (!lost) return [];
            const announcedAs = operation === "delete" ? "delete" : "replace";
            const said = announced[announcedAs];
            return [{ change, what, causes, announcedAs, announced: said.has("*") || said.has(change.name) }];
        })
        .sort((one, other) => Number(one.announced) - Number(other.announced));
}

const isEnd = (operation: Operation): boolean => operation === "replace" || operation === "delete";

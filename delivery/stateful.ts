/** Which resources hold what can't be made again, and which of a plan's changes lose it. */
import type { Change, Operation, Plan } from "./plan";
import { byName } from "../toolchain/order";

/** What is lost, and with which types of the provider's. */
const lostWith: Readonly<Record<string, readonly string[]>> = {
    "the host's system disk and all that is on it": [
        "ecs/instance:Instance",
        "ens/instance:Instance",
        "simpleapplicationserver/instance:Instance",
    ],
    "the hosts' system disks and all that is on them": [
        "ecs/ecsInstanceSet:EcsInstanceSet",
        "ess/scalingGroup:ScalingGroup",
    ],
    "the cluster and all that runs on it": [
        "ehpc/cluster:Cluster",
        "ehpc/clusterV2:ClusterV2",
        "eflo/cluster:Cluster",
        "cs/kubernetes:Kubernetes",
        "cs/managedKubernetes:ManagedKubernetes",
        "cs/edgeKubernetes:EdgeKubernetes",
        "cs/serverlessKubernetes:ServerlessKubernetes",
        "emr/cluster:Cluster",
        "emrv2/cluster:Cluster",
    ],
    "the disk's data": [
        "ecs/ecsDisk:EcsDisk",
        "ecs/disk:Disk",
        "ens/disk:Disk",
        "simpleapplicationserver/disk:Disk",
        "rds/customDisk:CustomDisk",
    ],
    "the snapshot: what it was taken from may not be any more what it was then": [
        "eds/snapshot:Snapshot",
        "ecs/ecsSnapshot:EcsSnapshot",
        "ecs/snapshot:Snapshot",
        "ecs/ecsSnapshotGroup:EcsSnapshotGroup",
        "ens/snapshot:Snapshot",
        "simpleapplicationserver/snapshot:Snapshot",
        "nas/snapshot:Snapshot",
        "databasefilesystem/snapshot:Snapshot",
    ],
    "the image: no host is made from it again": [
        "eds/image:Image",
        "cloudphone/image:Image",
        "ecs/image:Image",
        "ecs/copyImage:CopyImage",
        "ecs/imageCopy:ImageCopy",
        "ens/image:Image",
        "simpleapplicationserver/customImage:CustomImage",
    ],
    "the backup": ["rds/rdsBackup:RdsBackup", "redis/backup:Backup"],
    "the backups that it holds": ["hbr/vault:Vault", "hbr/replicationVault:ReplicationVault"],
    "the public address: the cloud doesn't give the same one again": [
        "ga/basicAccelerateIp:BasicAccelerateIp",
        "ecs/eipAddress:EipAddress",
        "ecs/eip:Eip",
        "ecs/eipSegmentAddress:EipSegmentAddress",
        "ens/eip:Eip",
        "eipanycast/anycastEipAddress:AnycastEipAddress",
    ],
    "the phones and all that is on them": [
        "cloudphoneinstance/cloudPhoneInstance:CloudPhoneInstance",
        "ecp/instance:Instance",
    ],
    "what the stack has made": [
        "ros/stack:Stack",
        "ros/stackInstance:StackInstance",
        "compute/nestServiceInstance:NestServiceInstance",
    ],
    "the metrics": ["cms/prometheusInstance:PrometheusInstance"],
    "the jobs and their states": ["realtimecompute/vvpInstance:VvpInstance"],
    "the network, and with it everything inside": ["vpc/network:Network"],
    "the subnet, and with it everything inside": ["vpc/switch:Switch"],
    "the balancer's address": [
        "ens/loadBalancer:LoadBalancer",
        "slb/applicationLoadBalancer:ApplicationLoadBalancer",
        "slb/loadBalancer:LoadBalancer",
        "alb/loadBalancer:LoadBalancer",
        "nlb/loadBalancer:LoadBalancer",
    ],
    "the gateway's address": ["vpn/gateway:Gateway"],
    "the file system's data": [
        "eds/nasFileSystem:NasFileSystem",
        "nas/fileSystem:FileSystem",
        "dfs/fileSystem:FileSystem",
        "databasefilesystem/instance:Instance",
    ],
    "the bucket's objects": ["oss/bucket:Bucket"],
    "the object": ["oss/bucketObject:BucketObject"],
    "the key: what it encrypted stays closed": ["kms/key:Key"],
    "the keys: what they encrypted stays closed": ["kms/instance:Instance"],
    "the secret": ["kms/secret:Secret"],
    "the database": [
        "rds/instance:Instance",
        "rds/rdsCloneDbInstance:RdsCloneDbInstance",
        "rds/rdsUpgradeDbInstance:RdsUpgradeDbInstance",
        "rds/ddrInstance:DdrInstance",
        "rds/aiInstance:AiInstance",
        "rds/database:Database",
        "polardb/cluster:Cluster",
        "polardb/zonalDbCluster:ZonalDbCluster",
        "polardb/aicluster:Aicluster",
        "polardb/database:Database",
        "kvstore/instance:Instance",
        "redis/tairInstance:TairInstance",
        "mongodb/instance:Instance",
        "mongodb/shardingInstance:ShardingInstance",
        "mongodb/serverlessInstance:ServerlessInstance",
        "adb/cluster:Cluster",
        "adb/dBCluster:DBCluster",
        "drds/instance:Instance",
        "drds/polardbxInstance:PolardbxInstance",
        "gpdb/instance:Instance",
        "gpdb/elasticInstance:ElasticInstance",
        "gpdb/database:Database",
        "gpdb/supabaseProject:SupabaseProject",
        "clickhouse/dbCluster:DbCluster",
        "clickhouseenterprisedbcluster/clickHouseEnterpriseDbCluster:ClickHouseEnterpriseDbCluster",
        "lindorm/instance:Instance",
        "lindorm/instanceV2:InstanceV2",
        "hbase/instance:Instance",
        "cassandra/cluster:Cluster",
        "graphdatabase/dbInstance:DbInstance",
        "hologram/instance:Instance",
        "ocean/baseInstance:BaseInstance",
        "selectdb/dbInstance:DbInstance",
        "selectdb/dbCluster:DbCluster",
        "starrocks/instance:Instance",
        "index/starRocksInstance:StarRocksInstance",
        "index/milvusInstance:MilvusInstance",
        "tsdb/instance:Instance",
    ],
    "the indexes": ["elasticsearch/instance:Instance", "opensearch/appGroup:AppGroup"],
    "the tables and all that is in them": ["ots/instance:Instance", "maxcompute/project:Project"],
    "the table and all that is in it": ["ots/table:Table", "polardb/dynamoTable:DynamoTable"],
    "the logs": ["log/store:Store", "log/project:Project"],
    "the messages": [
        "alikafka/instance:Instance",
        "alikafka/topic:Topic",
        "amqp/instance:Instance",
        "amqp/queue:Queue",
        "rocketmq/instance:Instance",
        "rocketmq/rocketMQInstance:RocketMQInstance",
        "rocketmq/rocketMQTopic:RocketMQTopic",
        "rocketmq/topic:Topic",
        "mns/queue:Queue",
        "message/serviceQueue:ServiceQueue",
        "datahub/project:Project",
        "datahub/topic:Topic",
    ],
    "the configuration and names that services register with it": ["mse/cluster:Cluster"],
    "the images and charts that it holds": [
        "cr/registryEnterpriseInstance:RegistryEnterpriseInstance",
        "cr/namespace:Namespace",
        "cr/repo:Repo",
        "cr/chartNamespace:ChartNamespace",
        "cr/chartRepository:ChartRepository",
        "cs/registryEnterpriseNamespace:RegistryEnterpriseNamespace",
        "cs/registryEnterpriseRepo:RegistryEnterpriseRepo",
    ],
    "the pairs of keys and values": ["dcdn/kvNamespace:KvNamespace"],
    "the domain's records": ["dns/alidnsDomain:AlidnsDomain", "dns/domain:Domain"],
};

/** What is lost with a resource of that type. */
export const losses: Readonly<Record<string, string>> = Object.fromEntries(
    Object.entries(lostWith).flatMap(([what, types]) => types.map((type) => [`alicloud:${type}`, what] as const)),
);

/** The same for types whose deletion loses nothing: what used them goes with them. */
export const lossesByReplacement: Readonly<Record<string, string>> = {
    "tls:index/privateKey:PrivateKey": "the key: what trusts it has to be told the new one",
    "random:index/randomPassword:RandomPassword": "the password",
};

const address = /^addressType$/;
/** Properties of which the provider gives a resource that stays another value only by losing what is named above. A new member of a list takes nothing away. */
const emptying: Readonly<Record<string, RegExp>> = {
    "alicloud:ecs/instance:Instance": /^imageId$/,
    "alicloud:alb/loadBalancer:LoadBalancer": address,
    // A zone has an address of its own. What else a mapping has is the cloud's answer.
    "alicloud:nlb/loadBalancer:LoadBalancer": /^(addressType|zoneMappings\[[^\]]*\](\.(zoneId|vswitchId))?)$/,
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

/** The plan's changes that lose something, those that nobody announced first, by their names. */
export function lossesOf(plan: Plan, announced: Announcements): Loss[] {
    return plan.changes
        .flatMap((change): Loss[] => {
            const { operation, type, properties } = change;
            const what = losses[type] ?? (operation === "replace" ? lossesByReplacement[type] : undefined);
            if (what === undefined) return [];
            const causes = properties
                .filter(({ path, before, replaces }) =>
                    operation === "update"
                        ? emptying[type]?.test(path) === true && !(path.endsWith("[]") && before === undefined)
                        : replaces,
                )
                .map(({ path }) => path);
            const lost = operation === "update" ? causes.length > 0 : isEnd(operation) && !change.retained;
            if (!lost) return [];
            const announcedAs = operation === "delete" ? "delete" : "replace";
            const said = announced[announcedAs];
            return [{ change, what, causes, announcedAs, announced: said.has("*") || said.has(change.name) }];
        })
        .sort(
            (one, other) =>
                Number(one.announced) - Number(other.announced) || byName(one.change.name, other.change.name),
        );
}

const isEnd = (operation: Operation): boolean => operation === "replace" || operation === "delete";

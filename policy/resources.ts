/**
 * What policies ask about resources. They go by type tokens and not by the SDK's classes: loading the SDK of a cloud takes
 * longer than all checks together.
 */
import type { PolicyResource, ResourceValidation, ResourceValidationArgs } from "@pulumi/policy";

const instance = "alicloud:ecs/instance:Instance";
const instanceSet = "alicloud:ecs/ecsInstanceSet:EcsInstanceSet";
const scalingConfiguration = "alicloud:ess/scalingConfiguration:ScalingConfiguration";
const redisInstance = "alicloud:kvstore/instance:Instance";
const tairInstance = "alicloud:redis/tairInstance:TairInstance";
const rdsInstance = "alicloud:rds/instance:Instance";
const rdsDisasterRecovery = "alicloud:rds/ddrInstance:DdrInstance";
const rdsClone = "alicloud:rds/rdsCloneDbInstance:RdsCloneDbInstance";

export const token = {
    instance,
    instanceSet,
    /** A host, and what makes several from one description. */
    hosts: [instance, instanceSet, scalingConfiguration],
    /** What hosts are made from elsewhere, such as in a scaling group. */
    templates: ["alicloud:ecs/ecsLaunchTemplate:EcsLaunchTemplate", "alicloud:ecs/launchTemplate:LaunchTemplate"],
    /** What answers for a host's address: bound to it, a public address is the host's. */
    hostAddresses: [
        "alicloud:ecs/ecsNetworkInterface:EcsNetworkInterface",
        "alicloud:vpc/networkInterface:NetworkInterface",
        "alicloud:vpc/hAVip:HAVip",
        "alicloud:vpc/haVipv2:HaVipv2",
    ],
    disks: ["alicloud:ecs/ecsDisk:EcsDisk", "alicloud:ecs/disk:Disk"],
    privateZone: "alicloud:pvtz/zone:Zone",
    fileSystem: "alicloud:nas/fileSystem:FileSystem",
    securityGroupRule: "alicloud:ecs/securityGroupRule:SecurityGroupRule",
    prefixLists: ["alicloud:vpc/prefixList:PrefixList", "alicloud:ecs/ecsPrefixList:EcsPrefixList"],
    elasticAddresses: ["alicloud:ecs/eipAddress:EipAddress", "alicloud:ecs/eip:Eip"],
    eipAssociation: "alicloud:ecs/eipAssociation:EipAssociation",
    anycastAttachment: "alicloud:eipanycast/anycastEipAddressAttachment:AnycastEipAddressAttachment",
    forwardEntry: "alicloud:vpc/forwardEntry:ForwardEntry",
    ipv6Bandwidth: "alicloud:vpc/ipv6InternetBandwidth:Ipv6InternetBandwidth",
    vswitch: "alicloud:vpc/switch:Switch",
    command: "command:remote:Command",
    redisInstance,
    tairInstance,
    rdsInstance,
    rdsClone,
    rdsDisasterRecovery,
    /** The cloud's own. */
    databases: [
        redisInstance,
        tairInstance,
        rdsInstance,
        rdsClone,
        "alicloud:rds/readOnlyInstance:ReadOnlyInstance",
        rdsDisasterRecovery,
        "alicloud:polardb/cluster:Cluster",
        "alicloud:mongodb/instance:Instance",
        "alicloud:mongodb/shardingInstance:ShardingInstance",
    ],
    applicationBalancer: "alicloud:alb/loadBalancer:LoadBalancer",
    networkBalancer: "alicloud:nlb/loadBalancer:LoadBalancer",
    classicBalancers: [
        "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer",
        "alicloud:slb/loadBalancer:LoadBalancer",
    ],
} as const;

export type Properties = Readonly<Record<string, unknown>>;

/** Checks resources of some types; the rest passes. */
export function onTypes(
    types: string | readonly string[],
    check: (properties: Properties, report: (message: string) => void, args: ResourceValidationArgs) => void,
): ResourceValidation {
    const wanted = typeof types === "string" ? [types] : types;
    return (args, report) => {
        if (wanted.includes(args.type)) check(args.props, (message) => report(message), args);
    };
}

/** The stack that a resource belongs to. */
export function stackOf(urn: string): string {
    return urn.split("::")[0]?.split(":")[2] ?? "";
}

/** A resource's property as a list of texts; what is unknown before the update counts as missing. */
export function texts(value: unknown): string[] {
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** Whether a resource has a tag; its value may be one that only the update knows. */
export function hasTag(properties: Properties, name: string): boolean {
    const tags = properties["tags"];
    return typeof tags === "object" && tags !== null && name in tags;
}

/**
 * A property, or undefined while only the update knows it. Asking for it directly then makes the whole policy wait for the
 * update, which is right where nothing can be said without it.
 */
export function known(properties: Properties, name: string): unknown {
    try {
        return properties[name];
    } catch {
        return undefined;
    }
}

/** The type tokens of the components that a resource is in, outermost first; they stand in its URN. */
export function componentTypes({ urn }: Pick<PolicyResource, "urn">): string[] {
    return (urn.split("::")[2] ?? "").split("$").slice(0, -1);
}

/** What keeps data from being read or lost. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { componentTypes, known, onTypes, type Properties, stackOf, texts, token } from "./resources";

const encryptedDisks: ResourceValidationPolicy = {
    name: "encrypted-disks",
    description: "System and data disks and file systems are encrypted.",
    enforcementLevel: "mandatory",
    validateResource: [
        onTypes(token.hosts, (instance, report, { type }) => {
            if (instance["systemDiskEncrypted"] !== true)
                report(
                    type === token.instanceSet
                        ? "has system disks that are not encrypted, and no property for it: make each host an instance of its own."
                        : "has a system disk that is not encrypted: set systemDiskEncrypted.",
                );
            const disks = Array.isArray(instance["dataDisks"])
                ? (instance["dataDisks"] as Record<string, unknown>[])
                : [];
            for (const [index, disk] of disks.entries())
                if (disk["encrypted"] !== true)
                    report(`has a data disk that is not encrypted: set dataDisks[${index}].encrypted.`);
        }),
        onTypes(token.disks, (disk, report) => {
            // A disk that a snapshot fills is as encrypted as the snapshot.
            if (disk["encrypted"] !== true && disk["snapshotId"] === undefined)
                report("is not encrypted: set encrypted.");
        }),
        onTypes(token.fileSystem, (files, report) => {
            if (files["encryptType"] !== 1 && files["encryptType"] !== 2)
                report("is not encrypted: set encryptType to 1, for a key of the service's own.");
        }),
    ],
};

/** By which property, and which value of it, the cloud refuses a deletion. */
const protections: Readonly<Record<string, readonly [property: string, on: unknown]>> = {
    ...Object.fromEntries(token.hosts.map((type) => [type, ["deletionProtection", true]])),
    [token.applicationBalancer]: ["deletionProtectionEnabled", true],
    [token.networkBalancer]: ["deletionProtectionEnabled", true],
    ...Object.fromEntries(token.classicBalancers.map((type) => [type, ["deleteProtection", "on"]])),
    [token.rdsInstance]: ["deletionProtection", true],
    [token.rdsClone]: ["deletionProtection", true],
    "alicloud:rds/readOnlyInstance:ReadOnlyInstance": ["deletionProtection", true],
    [token.rdsDisasterRecovery]: ["deletionProtection", true],
    "alicloud:polardb/cluster:Cluster": ["deletionLock", 1],
    [token.redisInstance]: ["instanceReleaseProtection", true],
    "alicloud:mongodb/instance:Instance": ["dbInstanceReleaseProtection", true],
    "alicloud:mongodb/shardingInstance:ShardingInstance": ["dbInstanceReleaseProtection", true],
};
/** Balancers that are paid in advance are protected like others. */
const keptByContract = /^alicloud:(ecs|rds|polardb|kvstore|mongodb)\//;

/** Whether it is paid in advance: the cloud keeps such a host or database to its end, and takes no protection for it. */
function isContract(resource: Properties): boolean {
    return ["instanceChargeType", "paymentType", "payType"].some((property) =>
        ["prepaid", "subscription"].includes(String(resource[property]).toLowerCase()),
    );
}

/** Whether the cloud may take a host back at any time: its protection is stored and stops nobody. */
function isSpot(host: Properties): boolean {
    const strategy = host["spotStrategy"];
    return typeof strategy === "string" && strategy !== "" && strategy !== "NoSpot";
}

const deletionProtection: ResourceValidationPolicy = {
    name: "deletion-protection",
    description:
        "In production, the cloud refuses to delete hosts, balancers, and databases of RDS, PolarDB, Redis and MongoDB.",
    enforcementLevel: "mandatory",
    configSchema: {
        properties: { stacks: { type: "array", items: { type: "string" }, default: ["prod"] } },
    },
    validateResource: onTypes(Object.keys(protections), (resource, report, args) => {
        if (!args.getConfig<{ stacks: string[] }>().stacks.includes(stackOf(args.urn))) return;
        const [property, on] = protections[args.type]!;
        if (keptByContract.test(args.type) && isContract(resource)) return;
        if (isSpot(resource)) {
            report("is a spot host, which the cloud takes back whatever protects it: pay for it as you go.");
            return;
        }
        if (resource[property] === on) return;
        // The newer balancers take it in either of two ways.
        const config = resource["deletionProtectionConfig"] as Properties | undefined;
        if (property === "deletionProtectionEnabled" && config?.["enabled"] === true) return;
        report(`can be deleted: set ${property}${on === true ? "" : ` to ${JSON.stringify(on)}`}.`);
    }),
};

/** Changes of these would make the provider build a host anew, with an empty system disk. Those of a scaling configuration are for hosts to come. */
const rebuilding: Readonly<Record<string, readonly string[]>> = {
    [token.instance]: ["imageId", "systemDiskCategory", "systemDiskEncrypted"],
    [token.instanceSet]: ["imageId", "systemDiskCategory", "systemDiskSize", "systemDiskPerformanceLevel"],
};

/** As above, where a host has them at all: that of the disk's key is a change of its encryption. */
const rebuildingWhenSet = ["systemDiskKmsKeyId", "systemDiskEncryptAlgorithm"];

/** The provider changes user data in place, but this component has hosts built anew for it, by `replaceOnChanges`. */
const rebuildsOnUserData = "multihost:compute:NodePool";

function rebuildingOf(type: string, urn: string, host: Properties): readonly string[] {
    if (type !== token.instance) return rebuilding[type]!;
    return [
        ...rebuilding[type]!,
        ...rebuildingWhenSet.filter((property) => ![undefined, ""].includes(known(host, property) as string)),
        ...(componentTypes({ urn }).includes(rebuildsOnUserData) ? ["userData"] : []),
    ];
}

/**
 * Whether the engine's protection stops such a change. The provider writes another image onto an instance's disk in place, which is no
 * deletion to the engine.
 */
const stoppedByProtection = (type: string, property: string): boolean =>
    type !== token.instance || property !== "imageId";

const keptHosts: ResourceValidationPolicy = {
    name: "kept-hosts",
    description:
        "A newer image, changed user data or another system disk never rebuilds a host, unless the stack's policy settings allow it.",
    enforcementLevel: "mandatory",
    configSchema: {
        properties: { rebuild: { type: "array", items: { type: "string" }, default: [] } },
    },
    validateResource: onTypes(Object.keys(rebuilding), (host, report, args) => {
        const { rebuild } = args.getConfig<{ rebuild: string[] }>();
        if (rebuild.includes("*") || rebuild.includes(args.name)) return;
        const ignored = texts(args.opts.ignoreChanges);
        if (ignored.includes("*")) return;
        const open = rebuildingOf(args.type, args.urn, host).filter(
            (property) =>
                !ignored.includes(property) && !(args.opts.protect && stoppedByProtection(args.type, property)),
        );
        if (open.length > 0)
            report(
                `is rebuilt when ${open.join(" or ")} changes: ignore those changes, or name the host in the policy's \`rebuild\`.`,
            );
    }),
};

export const dataPolicies = [encryptedDisks, deletionProtection, keptHosts];

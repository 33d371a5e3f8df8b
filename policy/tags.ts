/** Tags by which things are found and paid for. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { hasTag, onTypes, token } from "./resources";

/** What costs money, or holds what costs money. */
const tagged = [
    ...token.hosts,
    ...token.disks,
    token.fileSystem,
    token.privateZone,
    ...token.databases,
    ...token.classicBalancers,
    token.applicationBalancer,
    token.networkBalancer,
    "alicloud:vpc/network:Network",
    "alicloud:vpc/natGateway:NatGateway",
    ...token.elasticAddresses,
    "alicloud:ecs/securityGroup:SecurityGroup",
];

const requiredTags: ResourceValidationPolicy = {
    name: "required-tags",
    description: "What appears on the bill says which project and stack it belongs to.",
    enforcementLevel: "mandatory",
    configSchema: {
        properties: {
            tags: {
                type: "array",
                items: { type: "string" },
                default: ["multihost:project", "multihost:stack", "multihost:resource"],
            },
        },
    },
    validateResource: onTypes(tagged, (resource, report, args) => {
        const missing = args.getConfig<{ tags: string[] }>().tags.filter((name) => !hasTag(resource, name));
        if (missing.length > 0) report(`lacks ${missing.length === 1 ? "the tag" : "the tags"} ${missing.join(", ")}.`);
    }),
};

export const tagPolicies = [requiredTags];

/** Services ask who is there, and can't be listened to. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known, onTypes, token } from "./resources";

/** The steps that configure a service which the network could listen to. */
const serving = new Set(["redis/node", "redis/cluster", "mysql/node", "mysql/replication"]);

/** By which property, and which value of it, the cloud's own databases encrypt connections. One that doesn't say so counts as open. */
const encryptions = [
    [token.redisInstance, "sslEnable", "Enable"],
    [token.tairInstance, "sslEnabled", "Enable"],
    [token.rdsInstance, "sslAction", "Open"],
    [token.rdsClone, "sslEnabled", 1],
    [token.rdsDisasterRecovery, "sslAction", "Open"],
] as const;
const ofSeveralEngines: readonly string[] = [token.rdsInstance, token.rdsClone, token.rdsDisasterRecovery];

const encryptedServices: ResourceValidationPolicy = {
    name: "encrypted-services",
    description: "Redis and MySQL speak TLS only.",
    enforcementLevel: "mandatory",
    validateResource: [
        onTypes(token.command, (command, report) => {
            const create = known(command, "create");
            // It comes from what only the update makes, such as a new host's address; the update asks again.
            if (typeof create !== "string") return;
            const [, step = ""] = /\bSTEP=([\w/-]+)@/.exec(create) ?? [];
            if (serving.has(step) && /\bPARAM_TLS='?false'?(\s|$)/.test(create))
                report(`configures ${step.split("/")[0] ?? ""} without TLS: leave \`tls\` at its default.`);
        }),
        ...encryptions.map(([type, property, on]) =>
            onTypes(type, (instance, report) => {
                if (ofSeveralEngines.includes(type) && instance["engine"] !== "MySQL") return;
                // Only what encrypts already has a certificate to renew.
                if (instance[property] !== on && instance[property] !== "Update")
                    report(`does not encrypt connections: set ${property} to ${JSON.stringify(on)}.`);
            }),
        ),
    ],
};

const authenticatedServices: ResourceValidationPolicy = {
    name: "authenticated-services",
    description: "Nobody uses a database without a password.",
    enforcementLevel: "mandatory",
    validateResource: onTypes([token.redisInstance, token.tairInstance], (instance, report) => {
        if (instance["vpcAuthMode"] === "Close")
            report('lets in whoever is in the VPC without a password: set vpcAuthMode to "Open".');
    }),
};

export const servicePolicies = [encryptedServices, authenticatedServices];

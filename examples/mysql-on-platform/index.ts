import { MysqlReplication, Network, PlatformReference } from "@multihost/alicloud";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const port = 3316;

/** A database of its own on two hosts of the platform's stack, which shares them in its `sharedHosts`. */
export = async (): Promise<Record<string, unknown>> => {
    const platform = await PlatformReference.get(config.require("platform"));
    const { vpcId, vswitchIds, securityGroupIds, sourceGroupIds } = platform.network;

    // The platform's own rules don't know this stack's port.
    const network = new Network("orders", {
        vpcId,
        vswitchIds,
        roles: {
            data: {
                securityGroupId: securityGroupIds["data"]!,
                ingress: [{ ports: [port], securityGroups: { data: sourceGroupIds["data"]! } }],
            },
        },
    });

    const orders = new MysqlReplication(
        "orders",
        {
            engine: "mariadb",
            hosts: platform.hostNames.map((name) => platform.host(name)),
            port,
            databases: ["orders"],
            user: "orders",
            clientCidrs: config.requireObject<string[]>("clientCidrs"),
            bufferPool: "64mb",
        },
        { dependsOn: [...network.rulesOf("data")] },
    );
    return { source: orders.source, replicas: orders.replicas, url: orders.url };
};

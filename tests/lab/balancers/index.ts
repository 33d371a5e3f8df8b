/** A balancer of the configured type in front of hosts of another stack. */
import * as pulumi from "@pulumi/pulumi";

import { type Host, type ListenerArgs, LoadBalancer, type LoadBalancerArgs } from "../../../components";

interface Known {
    readonly name: string;
    readonly address: string;
    readonly instanceId: string;
}

const config = new pulumi.Config();
// What a balancer reads of a host. A whole one would be dialled, and nothing runs on them from here.
const hosts = config
    .requireObject<Known[]>("hosts")
    .map(
        ({ name, address, instanceId }) =>
            ({ name, privateAddress: pulumi.output(address), identity: pulumi.output(instanceId) }) as unknown as Host,
    );
const type = config.require<LoadBalancerArgs["type"]>("type");
const port = config.requireNumber("port");
const allow = config.getObject<string[]>("allow");
const access = allow === undefined ? {} : { allow };
const healthCheck = { path: "/healthz", healthyAfter: 2, unhealthyAfter: 2 };
const listeners: ListenerArgs[] =
    type === "nlb"
        ? [
              { protocol: "tls", port: 443, hostPort: port, healthCheck, ...access },
              { protocol: "udp", port: 5300, hostPort: 5300, healthCheck: { healthyAfter: 2, unhealthyAfter: 2 } },
          ]
        : [
              { protocol: "http", port: 80, redirectTo: 443, ...access },
              {
                  protocol: "https",
                  port: 443,
                  hostPort: port,
                  healthCheck: { ...healthCheck, intervalSeconds: 1 },
                  ...access,
              },
          ];

const name = config.get("name") ?? type;
const args: LoadBalancerArgs = {
    type,
    address: config.require<LoadBalancerArgs["address"]>("address"),
    vpcId: config.require("vpcId"),
    vswitches: config.requireObject<{ id: string; zone: string }[]>("vswitches"),
    hosts,
    weights: config.getObject<Record<string, number>>("weights") ?? {},
    drainSeconds: 3,
    tags: { purpose: "test" },
    listeners,
};
const balancer = new LoadBalancer(name, args, { aliases: [{ name: name === type ? "other" : type }] });

export const { id, url, address, dnsName, caCertificate } = balancer;

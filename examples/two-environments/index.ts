import { Bastion, Network, NodePool } from "@multihost/alicloud";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();

/**
 * Both environments have the same names and even the same addresses: each has a VPC of its own, and what the account knows by name
 * (key pairs, deployment sets, security groups) has the stack's name in it. What differs stands in Pulumi.<stack>.yaml.
 */
const network = new Network("main", {
    cidr: "10.20.0.0/16",
    natGateway: config.getBoolean("natGateway") ?? true,
    roles: { bastion: {}, app: { ingress: [{ ports: [22], roles: ["bastion", "app"] }] } },
});

const bastion = new Bastion("bastion", { network, adminCidrs: config.requireObject<string[]>("adminCidrs") });

const pool = new NodePool("app", {
    network,
    role: "app",
    count: config.requireNumber("hosts"),
    instanceType: config.get("instanceType") ?? "ecs.g7.large",
    bastion,
});

export const hosts = pool.hosts.map(({ name, privateAddress }) => ({ name, address: privateAddress }));
export const entry = bastion.address;

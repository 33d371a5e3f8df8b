import { Bastion, Network, NodePool, WebTier } from "@multihost/alicloud";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();

/** Nothing of the VPC is made or changed: security groups of this stack's own, in VSwitches that have a way out. */
const network = new Network("main", {
    vpcId: config.require("vpcId"),
    vswitchIds: config.requireObject<string[]>("vswitchIds"),
    roles: {
        bastion: {},
        web: {
            ingress: [
                { ports: [22], roles: ["bastion", "web"] },
                { ports: [80], cidrs: config.requireObject<string[]>("clientCidrs") },
            ],
        },
    },
});

const bastion = new Bastion("bastion", { network, adminCidrs: config.requireObject<string[]>("adminCidrs") });

const pool = new NodePool("web", { network, role: "web", count: 2, instanceType: "ecs.g7.large", bastion });

const site = new WebTier("site", { hosts: pool.hosts, meshUser: pool.meshUser, after: pool.mesh });

export const servers = site.hosts;
export const entry = bastion.address;

import * as pulumi from "@pulumi/pulumi";

import { Bastion, Connectivity, Network, NodePool, RedisCluster } from "./components";
import { loadConfig } from "./config";

const config = loadConfig();
const { tags } = config;
const redisPorts = [config.redis.port, config.redis.port + 10_000];

const network = new Network("main", {
    ...config.network,
    tags,
    roles: {
        bastion: {},
        data: {
            ingress: [
                { ports: [22], roles: ["bastion", "data"] },
                { protocol: "icmp", roles: ["data"] },
                { ports: redisPorts, roles: ["data"] },
            ],
        },
    },
});

const bastion = new Bastion("bastion", { ...config.bastion, network, tags });

const pool = new NodePool("node", { ...config.hosts, network, role: "data", bastion, tags });

const connectivity = new Connectivity("data", {
    hosts: pool.hosts,
    ports: [22, ...redisPorts],
    user: pool.meshUser,
    after: pool.mesh,
});

const redis = new RedisCluster("redis", { ...config.redis, hosts: pool.hosts }, { dependsOn: connectivity.checks });

/** Every host of the pool: how it is called and where it is. */
export const hosts = pool.hosts.map(({ name, privateAddress, zone }) => ({ name, privateAddress, zone }));
/** Connection URL with every node and the password. Secret. */
export const redisUrl = redis.url;
/** What clients verify the cluster's certificates with. */
export const redisCaCertificate = redis.caCertificate;

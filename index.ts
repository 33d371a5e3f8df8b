import { Bastion, Connectivity, Network, NodePool, RedisCluster } from "./components";
import { loadConfig } from "./config";
import { redisHostCount } from "./config/redis";

const config = loadConfig();
const { adminCidrs, tags } = config;
const redisPorts = [config.redis.port, config.redis.port + 10_000];

const network = new Network("main", {
    ...config.network,
    instanceType: config.hosts.instanceType,
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

const entry = new Bastion("bastion", { ...config.bastion, network, adminCidrs, tags });

const pool = new NodePool("node", { ...config.hosts, network, role: "data", bastion: entry, tags });

const connectivity = new Connectivity("data", {
    hosts: pool.hosts,
    ports: [22, ...redisPorts],
    user: pool.meshUser,
    after: pool.mesh,
});

const redis = new RedisCluster(
    "redis",
    { ...config.redis, hosts: pool.hosts.slice(0, redisHostCount(config.redis)) },
    { dependsOn: [...connectivity.checks] },
);

/** Every host of the pool: how it is called and where it is. */
export const hosts = pool.hosts.map(({ name, privateAddress, zone }) => ({ name, privateAddress, zone }));
/** What the hosts are reached through by SSH. */
export const bastion = { name: entry.host.name, address: entry.address, user: entry.host.user };
/** Connection URL with every node and the password. Secret. */
export const redisUrl = redis.url;
/** What clients verify the cluster's certificates with. */
export const redisCaCertificate = redis.caCertificate;

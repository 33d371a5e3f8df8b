import { Bastion, Connectivity, Network, NodePool, RedisCluster, WebTier } from "./components";
import { loadConfig } from "./config";
import { redisHostCount } from "./config/redis";

const config = loadConfig();
const { adminCidrs, tags, web } = config;
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
        ...(web.enabled && {
            web: {
                ingress: [
                    { ports: [22], roles: ["bastion", "web"] },
                    { protocol: "icmp", roles: ["web"] },
                    { ports: [web.port], roles: ["web"] },
                ],
            },
        }),
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

const webPool = web.enabled
    ? new NodePool("web", {
          ...config.hosts,
          count: web.count,
          exclude: [],
          instanceType: web.instanceType,
          network,
          role: "web",
          bastion: entry,
          tags,
      })
    : undefined;

const site =
    webPool &&
    new WebTier("site", {
        hosts: webPool.hosts,
        port: web.port,
        meshUser: webPool.meshUser,
        after: webPool.mesh,
        ...(web.release !== undefined && {
            release: { name: web.release, url: web.releaseUrl, sha256: web.releaseSha256 },
        }),
    });

/** Every host of the pools: how it is called and where it is. */
export const hosts = [...pool.hosts, ...(webPool?.hosts ?? [])].map(({ name, privateAddress, zone }) => ({
    name,
    privateAddress,
    zone,
}));
/** What the hosts are reached through by SSH. */
export const bastion = { name: entry.host.name, address: entry.address, user: entry.host.user };
/** Connection URL with every node and the password. Secret. */
export const redisUrl = redis.url;
/** What clients verify the cluster's certificates with. */
export const redisCaCertificate = redis.caCertificate;
/** Where the web servers answer, within the VPC. */
export const webServers = site?.hosts;

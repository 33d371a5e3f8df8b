import * as platform from "./components";
import { loadConfig } from "./config";
import { dnsRecords } from "./config/dns";
import { dataPool, instanceTypes, placeOf } from "./config/hosts";
import { hostKeysOf, keysOf } from "./config/keys";
import { balancerSettings, siteUrl } from "./config/loadBalancer";
import { mysqlHostCount } from "./config/mysql";
import { definedOutputs } from "./config/outputs";
import { redisHostCount } from "./config/redis";
import { checkedPorts, stackRoles } from "./config/roles";
import { storageDisks, storageSettings } from "./config/storage";
import { webHosts, webContent } from "./config/web";

const config = loadConfig();
const { adminCidrs, dns, keys, loadBalancer, mysql, redis, sharedHosts: shared, storage, tags, web } = config;

const network = new platform.Network("main", {
    ...config.network,
    instanceType: instanceTypes(config),
    tags,
    roles: stackRoles(config),
});

const common = { ...hostKeysOf(keys), network, tags };
const entry = new platform.Bastion("bastion", { ...config.bastion, ...common, adminCidrs });
const inside = { ...common, bastion: entry };

const dataDisks = storageDisks(storage, config.hosts);
const pool = new platform.NodePool(dataPool, { ...config.hosts, ...inside, dataDisks, role: "data" });

const { meshUser: user, mesh: after } = pool;
const connectivity =
    pool.hosts.length > 1
        ? new platform.Connectivity("data", { hosts: pool.hosts, ports: checkedPorts(config), user, after })
        : undefined;
const reachable = { dependsOn: [...(connectivity?.checks ?? [])] };

const redisHosts = pool.hosts.slice(0, redisHostCount(redis));
const cache = redis.enabled
    ? new platform.RedisCluster("redis", { ...redis, ...keysOf(keys, "redis"), hosts: redisHosts }, reachable)
    : undefined;

const mysqlHosts = pool.hosts.slice(0, mysqlHostCount(mysql));
const database = mysql.enabled
    ? new platform.MysqlReplication(
          "mysql",
          { ...mysql, ...keysOf(keys, "mysql"), hosts: mysqlHosts, clientCidrs: [config.network.cidr] },
          reachable,
      )
    : undefined;

const webPool = web.enabled
    ? new platform.NodePool("web", { ...webHosts(web, config.hosts), ...inside, role: "web" })
    : undefined;

const files = storage.enabled
    ? new platform.SharedStorage("storage", storageSettings(config, network, pool, webPool), reachable)
    : undefined;

const site =
    webPool &&
    new platform.WebTier("site", {
        hosts: webPool.hosts,
        meshUser: webPool.meshUser,
        after: [...webPool.mesh, ...(files?.ready ?? [])],
        ...webContent(config),
    });

const balancer =
    webPool && site && loadBalancer.enabled
        ? new platform.LoadBalancer("balancer", balancerSettings(config, site, webPool, network))
        : undefined;

const names = dns.enabled
    ? new platform.PrivateDns("names", {
          ...dns,
          vpcIds: [network.vpcId],
          records: dnsRecords(config, { redisHosts, mysqlHosts, database, webHosts: webPool?.hosts, balancer }),
          tags,
      })
    : undefined;

export = definedOutputs({
    /** Every host of the pools: how it is called and where it is. */
    hosts: [...pool.hosts, ...(webPool?.hosts ?? [])].map(placeOf),
    /** What the hosts are reached through by SSH. */
    bastion: { name: entry.host.name, address: entry.address, user: entry.host.user },
    /** Names of the services within the VPC. */
    serviceNames: names?.names,
    /** Connection URL with every node and the password. Secret. */
    redisUrl: cache?.url,
    /** What clients verify the cluster's certificates with. */
    redisCaCertificate: cache?.caCertificate,
    /** The database server that takes writes: name, private address and port. */
    mysqlSource: database?.source,
    /** Those that follow it, read-only. */
    mysqlReplicas: database?.replicas,
    /** Connection URL of the source with account and password; the servers accept TLS only. Secret. */
    mysqlUrl: database?.url,
    /** What clients verify the database servers' certificates with. */
    mysqlCaCertificate: database?.caCertificate,
    /** Which hosts share files, and where. */
    sharedStorage: files && { mountPoint: files.mountPoint, clients: files.clients },
    /** Where the web servers answer, within the VPC. */
    webServers: site?.hosts,
    /** Where clients of the web servers connect to. */
    loadBalancerUrl: balancer && siteUrl(balancer),
    /** What they verify the balancer's certificate with, unless it has one of your own. */
    loadBalancerCaCertificate: balancer?.caCertificate,
    /** What other stacks place their hosts in. */
    sharedNetwork: platform.shareNetwork(network),
    /** Hosts that other stacks work on, with the keys to them. Secret. */
    sharedHosts: platform.shareHosts(pool.hosts.filter(({ name }) => shared.includes(name))),
});

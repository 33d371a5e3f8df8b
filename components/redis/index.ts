export type { EvictionPolicy, RedisClusterArgs } from "./args";
export { RedisCluster, type RedisClusterHost, type RedisClusterResult } from "./redisCluster";

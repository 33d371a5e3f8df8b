import { Bastion, Connectivity, Network, NodePool, RedisCluster } from "../../../components";

const roles = { data: { ingress: [{ ports: [22, 7000, 17000], roles: ["bastion", "data"] }] }, bastion: {} };

/** The platform with a pool of `count` hosts; a recorder must have been made before this module is loaded. */
export function platform(count: number, masters: number): void {
    const network = new Network("main", { zones: ["cn-hangzhou-h", "cn-hangzhou-i"], roles });
    const bastion = new Bastion("bastion", { network, adminCidrs: ["198.51.100.0/24"] });
    const pool = new NodePool("node", { network, role: "data", count, bastion });
    const checks = new Connectivity("data", { hosts: pool.hosts, ports: [22, 7000], after: pool.mesh }).checks;
    new RedisCluster("redis", { hosts: pool.hosts, masters }, { dependsOn: [...checks] });
}

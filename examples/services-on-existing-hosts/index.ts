import { Host, MysqlReplication, SharedStorage, WebTier } from "@multihost/alicloud";
import * as pulumi from "@pulumi/pulumi";

/** A machine with sshd that this program didn't make. */
interface Machine {
    readonly name: string;
    readonly address: string;
    /** Its line in `ssh-keyscan -t ed25519`, without the address. */
    readonly hostKey: string;
    /** Where SSH connects to, when that isn't `address`. */
    readonly publicAddress?: string;
}

const config = new pulumi.Config();
const privateKey = config.requireSecret("privateKey");
const hosts = config
    .requireObject<Machine[]>("machines")
    .map(({ name, ...machine }) => new Host(name, { ...machine, privateKey }));

const files = new SharedStorage("files", { engine: "glusterfs", hosts, clients: hosts });

const orders = new MysqlReplication("orders", {
    engine: "mariadb",
    hosts: hosts.slice(0, 2),
    databases: ["orders"],
    user: "orders",
    clientCidrs: config.requireObject<string[]>("clientCidrs"),
    bufferPool: "64mb",
});

const site = new WebTier("site", {
    hosts: hosts.slice(1),
    content: { directory: `${files.mountPoint}/www`, shared: true },
    after: files.ready,
});

export const mountPoint = files.mountPoint;
export const source = orders.source;
export const replicas = orders.replicas;
export const url = orders.url;
export const servers = site.hosts;

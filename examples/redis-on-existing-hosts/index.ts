import { Host, RedisCluster } from "@multihost/alicloud";
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

const redis = new RedisCluster("cache", { hosts, masters: 3, replicasPerMaster: 0, maxmemory: "64mb" });

export const url = redis.url;
export const caCertificate = redis.caCertificate;

/** `@multihost/alicloud/testing`, as the test of a program uses it that is made of every component. */
import * as pulumi from "@pulumi/pulumi";
import { PlatformMocks } from "../../testing";

const mocks = new PlatformMocks();

const valueOf = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

beforeAll(() => pulumi.runtime.setMocks(mocks, "shop", "test"));

test("a program made of every component is known to its last output", async () => {
    const platform = await import("../../components");
    const network = new platform.Network("main", {
        roles: { bastion: {}, data: { ingress: [{ ports: [22], roles: ["bastion"] }] } },
    });
    const bastion = new platform.Bastion("bastion", { network, adminCidrs: ["198.51.100.0/24"] });
    const adopted = { instanceId: "i-old", privateKey: "KEY", hostKey: "ssh-ed25519 AAAA" };
    const pool = new platform.NodePool("node", { network, role: "data", count: 6, bastion, adopt: { old: adopted } });
    const { hosts } = pool;
    const cache = new platform.RedisCluster("cache", { hosts: hosts.slice(0, 6) });
    const orders = new platform.MysqlReplication("orders", {
        hosts: hosts.slice(0, 2),
        engine: "mariadb",
        databases: ["orders"],
        clientCidrs: ["10.0.0.0/16"],
    });
    const vswitchId = network.vswitches[0]!.id;
    new platform.SharedStorage("files", { engine: "nas", clients: hosts, vpcId: network.vpcId, vswitchId });
    const site = new platform.WebTier("site", { hosts: hosts.slice(0, 2) });
    const balancers = (["alb", "nlb", "clb"] as const).map(
        (type) =>
            new platform.LoadBalancer(type, {
                type,
                ...(type === "clb" ? {} : { vpcId: network.vpcId, vswitches: network.vswitches }),
                address: "internet",
                hosts: hosts.slice(0, 2),
                listeners: [{ protocol: type === "nlb" ? "tcp" : "http", port: 80, hostPort: site.port }],
            }),
    );
    new platform.PrivateDns("names", { zone: "internal", vpcIds: [network.vpcId], records: { redis: [...hosts] } });

    expect(await valueOf(orders.url)).toContain("mysql://");
    expect(await valueOf(cache.url)).toContain("10.0.0.6");
    expect(await Promise.all(balancers.map(({ url }) => valueOf(url)))).toEqual([
        "http://192.0.2.11",
        "tcp://192.0.2.2:80",
        "http://192.0.2.1",
    ]);
    expect(await valueOf(hosts.at(-1)!.privateAddress)).toBe("10.0.254.1");
    const [key] = mocks.resources.filter(({ name }) => name === "node-1-ready");
    expect(key!.inputs).toMatchObject({ connection: { privateKey: "PRIVATE node-key" } });
    expect(await pulumi.isSecret(pool.privateKey)).toBe(true);
});

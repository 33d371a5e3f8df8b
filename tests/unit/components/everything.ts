import * as pulumi from "@pulumi/pulumi";

import * as platform from "../../../components";

/** What the inputs of {@link everything} are made of. */
export interface Given {
    /** A text that an argument takes as an input. */
    readonly text: (known: string) => pulumi.Input<string>;
    /** A number that an argument takes as an input. */
    readonly number: (known: number) => pulumi.Input<number>;
}

const release = { name: "r1", sha256: "0".repeat(64) };
const cidrs = ["198.51.100.0/24"];

/**
 * What makes one of each component, and of each of its variants, with everything in it that can be an input. A recorder must have been made
 * before this module is loaded.
 */
export function everything({ text, number }: Given): Record<string, (opts: pulumi.ComponentResourceOptions) => void> {
    const key = { privateKey: text("PRIVATE"), hostKey: text("ssh-ed25519 AAAA") };
    const hosts = [1, 2, 3].map(
        (index) =>
            new platform.Host(`given-${index}`, {
                address: text(`10.0.0.${index}`),
                publicAddress: text(`198.51.100.${index}`),
                port: number(22),
                identity: text(`i-${index}`),
                zone: text("cn-hangzhou-h"),
                instanceType: text("ecs.g7.large"),
                ...key,
            }),
    );
    const disks = Object.fromEntries(hosts.map(({ name }) => [name, text("d-1")]));
    const network = new platform.Network("given", {
        vpcId: text("vpc-1"),
        vswitchIds: [text("vsw-1"), text("vsw-2")],
        roles: { data: {}, bastion: {} },
    });
    const tags = { team: text("web") };
    const place = { vpcId: text("vpc-1"), vswitchId: text("vsw-1") };
    const balanced = {
        address: "intranet",
        vpcId: text("vpc-1"),
        vswitches: ["h", "i"].map((zone) => ({ id: text(`vsw-${zone}`), zone: text(`cn-hangzhou-${zone}`) })),
        hosts,
        tags,
    } as const;
    const certificate = { certificate: text("PEM"), privateKey: text("KEY") };
    const image = { imageId: text("debian_12"), instanceType: text("ecs.g7.large") };
    const common = { network, tags, ...image };
    const web: platform.ListenerArgs[] = [
        { protocol: "https", port: 443, hostPort: 80, allow: cidrs },
        { protocol: "https", port: 8443, hostPort: 80, certificate, deny: cidrs },
        { protocol: "http", port: 80, redirectTo: 443 },
    ];
    return {
        Host: (opts) => new platform.Host("made", { address: text("10.0.0.9"), port: number(22), ...key }, opts),
        Network: (opts) =>
            new platform.Network(
                "made",
                {
                    zones: 2,
                    instanceType: "ecs.g7.large",
                    ownRouteTable: true,
                    tags,
                    roles: {
                        data: { ingress: [{ ports: [22], roles: ["data"], securityGroups: { office: text("sg-1") } }] },
                        old: { securityGroupId: text("sg-2"), egress: [{ ports: [443], cidrs }] },
                    },
                },
                opts,
            ),
        "Network that exists": (opts) =>
            new platform.Network(
                "made",
                {
                    vpcId: text("vpc-1"),
                    vswitchIds: [text("vsw-1"), text("vsw-2")],
                    natGateway: true,
                    ownRouteTable: true,
                },
                opts,
            ),
        NodePool: (opts) =>
            new platform.NodePool(
                "made",
                {
                    ...common,
                    role: "data",
                    count: 2,
                    publicAddresses: true,
                    dataDisks: [{ name: "data", size: 20 }],
                    cloudConfig: { timezone: text("Asia/Shanghai") },
                    adopt: { old: { instanceId: text("i-9"), ...key }, older: { instanceId: "i-8", ...key } },
                    keys: { beside: 2 },
                    hostKeys: { beside: 2 },
                },
                opts,
            ),
        "NodePool with a key of its own": (opts) =>
            new platform.NodePool(
                "made",
                {
                    network,
                    role: "data",
                    count: 1,
                    bastion: { host: hosts[0]!, preparedBy: [hosts[0]!.ready] },
                    keyPair: { privateKey: text("PRIVATE"), publicKey: text("ssh-ed25519 AAAA") },
                },
                opts,
            ),
        Bastion: (opts) => new platform.Bastion("made", { ...common, adminCidrs: cidrs }, opts),
        Connectivity: (opts) => new platform.Connectivity("made", { hosts, ports: [22] }, opts),
        RedisCluster: (opts) =>
            new platform.RedisCluster(
                "made",
                {
                    hosts,
                    replicasPerMaster: 0,
                    password: text("correct-horse-battery"),
                    previousPassword: text("staple-battery-horse"),
                },
                opts,
            ),
        MysqlReplication: (opts) =>
            new platform.MysqlReplication(
                "made",
                {
                    hosts,
                    engine: "mysql",
                    databases: ["shop"],
                    clientCidrs: ["10.0.0.0/16"],
                    password: text("correct-horse-battery"),
                    previousPassword: text("staple-battery-horse"),
                },
                opts,
            ),
        "SharedStorage on GlusterFS": (opts) =>
            new platform.SharedStorage(
                "made",
                { engine: "glusterfs", hosts, clients: hosts, disks, diskSize: number(20) },
                opts,
            ),
        "SharedStorage on NFS": (opts) =>
            new platform.SharedStorage(
                "made",
                {
                    engine: "nfs",
                    hosts: hosts.slice(0, 1),
                    clients: hosts.slice(1),
                    disks: { "given-1": text("d-1") },
                    diskSize: number(20),
                },
                opts,
            ),
        "SharedStorage on NAS": (opts) =>
            new platform.SharedStorage(
                "made",
                { engine: "nas", clients: hosts, ...place, zone: text("cn-hangzhou-h"), tags },
                opts,
            ),
        WebTier: (opts) =>
            new platform.WebTier(
                "made",
                {
                    hosts,
                    meshUser: "multihost",
                    release: { ...release, url: text("https://example.com/r1.tar.gz") },
                    upstream: { servers: [text("127.0.0.1:3000")] },
                    tls: certificate,
                },
                opts,
            ),
        "LoadBalancer clb": (opts) =>
            new platform.LoadBalancer(
                "made",
                { type: "clb", address: "intranet", vswitchId: text("vsw-1"), hosts, tags, listeners: web },
                opts,
            ),
        "LoadBalancer alb": (opts) =>
            new platform.LoadBalancer("made", { type: "alb", ...balanced, listeners: web }, opts),
        "LoadBalancer nlb": (opts) =>
            new platform.LoadBalancer(
                "made",
                {
                    type: "nlb",
                    ...balanced,
                    listeners: [
                        { protocol: "tls", port: 443, hostPort: 80, allow: cidrs },
                        { protocol: "tls", port: 8443, hostPort: 80, certificate },
                        { protocol: "udp", port: 53, hostPort: 53 },
                    ],
                },
                opts,
            ),
        PrivateDns: (opts) =>
            new platform.PrivateDns(
                "made",
                {
                    zone: "internal",
                    vpcIds: [text("vpc-1")],
                    records: { redis: hosts, db: [text("10.0.0.7"), "10.0.0.8"] },
                    tags,
                },
                opts,
            ),
    };
}

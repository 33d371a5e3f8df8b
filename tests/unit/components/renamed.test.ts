/** What components ask for under another name: all of it has to be changed in place, as none of it may be made anew. */
import * as pulumi from "@pulumi/pulumi";

import { computed } from "../../../testing";

/** Inputs by resource, and what the program wants to stay as it was. */
const inputs = new Map<string, Readonly<Record<string, unknown>>>();
const kept = new Map<string, readonly string[]>();
/** Inputs under the former name. */
let former = new Map<string, Readonly<Record<string, unknown>>>();
/** What all components' names begin with. */
let prefix = "";

const plainName = (name: string): string => name.replace(`${prefix}-`, "");
const keyOf = (type: string, name: string): string => `${type}::${plainName(name)}`;

void pulumi.runtime.setMocks(
    {
        newResource: ({ type, name, inputs: given, custom }) => {
            const key = keyOf(type, name);
            const plain = given as Record<string, unknown>;
            const stays = Object.entries(former.get(key) ?? {}).filter(([input]) => kept.get(key)?.includes(input));
            const state = { ...plain, ...Object.fromEntries(stays) };
            if (custom === true) inputs.set(key, state);
            // What is there is the same under any name.
            return { id: `i-${plainName(name)}`, state: { ...state, ...computed(type, plainName(name), state) } };
        },
        call: ({ token }) =>
            token === "alicloud:ecs/getImages:getImages" ? { images: [{ id: "debian_12_5_x64_20G_alibase.vhd" }] } : {},
    },
    "project",
    "stack",
);

import * as platform from "../../../components";

/** One of each component, with everything in it that has a name. */
function everything(): void {
    const opts: pulumi.ComponentResourceOptions = {
        transformations: [
            ({ type, name, opts: { ignoreChanges = [] } }) => {
                kept.set(keyOf(type, name), ignoreChanges);
                return undefined;
            },
        ],
    };
    const named = (name: string): string => `${prefix}-${name}`;
    const network = new platform.Network(
        named("network"),
        {
            zones: ["cn-hangzhou-h", "cn-hangzhou-i"],
            ownRouteTable: true,
            roles: { bastion: {}, data: { ingress: [{ ports: [22], roles: ["bastion", "data"] }], egress: [] } },
        },
        opts,
    );
    const bastion = new platform.Bastion(
        named("bastion"),
        { network, adminCidrs: ["198.51.100.0/24"], hostPrefix: "bastion" },
        opts,
    );
    const { hosts, meshUser, mesh } = new platform.NodePool(
        named("pool"),
        { network, role: "data", count: 6, bastion, hostPrefix: "node", dataDisks: [{ name: "data", size: 20 }] },
        opts,
    );
    new platform.Connectivity(named("checks"), { hosts, ports: [22], after: mesh }, opts);
    new platform.RedisCluster(named("redis"), { hosts }, opts);
    new platform.MysqlReplication(
        named("mysql"),
        { hosts: hosts.slice(0, 2), engine: "mysql", databases: ["shop"], clientCidrs: ["10.0.0.0/16"] },
        opts,
    );
    const clients = hosts.slice(3);
    const place = { vpcId: network.vpcId, vswitchId: network.vswitches[0]!.id };
    new platform.SharedStorage(
        named("gluster"),
        { engine: "glusterfs", hosts: hosts.slice(0, 3), clients, volume: "files", mountPoint: "/data/gluster" },
        opts,
    );
    new platform.SharedStorage(
        named("nfs"),
        { engine: "nfs", hosts: hosts.slice(0, 1), clients, mountPoint: "/data/nfs" },
        opts,
    );
    new platform.SharedStorage(named("nas"), { engine: "nas", clients, mountPoint: "/data/nas", ...place }, opts);
    const release = { name: "r1", url: "https://example.com/r1.tar.gz", sha256: "0".repeat(64) };
    new platform.WebTier(named("site"), { hosts: clients, meshUser, siteName: "site", release }, opts);
    const allow = ["198.51.100.0/24"];
    const common = { address: "internet", hosts: clients } as const;
    const web: platform.ListenerArgs[] = [
        { protocol: "https", port: 443, hostPort: 80, names: ["www.example.com"], allow },
        { protocol: "http", port: 80, redirectTo: 443, deny: ["198.51.100.7/32"] },
    ];
    new platform.LoadBalancer(named("clb"), { type: "clb", ...common, listeners: web }, opts);
    const newer = { ...common, vpcId: "vpc-1", vswitches: [1, 2].map((n) => ({ id: `vsw-${n}`, zone: `z-${n}` })) };
    new platform.LoadBalancer(named("alb"), { type: "alb", ...newer, listeners: web }, opts);
    new platform.LoadBalancer(
        named("nlb"),
        {
            type: "nlb",
            ...newer,
            listeners: [
                { protocol: "tls", port: 443, hostPort: 80, names: ["www.example.com"], allow },
                { protocol: "udp", port: 53, hostPort: 53, deny: allow },
            ],
        },
        opts,
    );
    new platform.PrivateDns(
        named("names"),
        { zone: "internal", vpcIds: [network.vpcId], records: { redis: hosts } },
        opts,
    );
}

async function made(under: string): Promise<Map<string, Readonly<Record<string, unknown>>>> {
    prefix = under;
    former = new Map(inputs);
    inputs.clear();
    everything();
    for (let idle = 0, count = -1; idle < 5; idle = count === inputs.size ? idle + 1 : 0) {
        count = inputs.size;
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return new Map(inputs);
}

/** Inputs that providers change in place: those without ForceNew in the schema of a resource that has an update. A step runs once more. */
const inPlace = [
    "alicloud:alb/acl:Acl aclName",
    "alicloud:alb/listener:Listener listenerDescription",
    "alicloud:alb/loadBalancer:LoadBalancer loadBalancerName",
    "alicloud:alb/rule:Rule ruleName",
    "alicloud:alb/serverGroup:ServerGroup serverGroupName",
    "alicloud:cas/serviceCertificate:ServiceCertificate certificateName",
    "alicloud:ecs/ecsDeploymentSet:EcsDeploymentSet deploymentSetName",
    "alicloud:ecs/eipAddress:EipAddress addressName",
    "alicloud:ecs/securityGroup:SecurityGroup description",
    "alicloud:ecs/securityGroup:SecurityGroup securityGroupName",
    "alicloud:ecs/securityGroupRule:SecurityGroupRule description",
    "alicloud:nas/accessGroup:AccessGroup description",
    "alicloud:nas/fileSystem:FileSystem description",
    "alicloud:nlb/listener:Listener listenerDescription",
    "alicloud:nlb/loadBalancer:LoadBalancer loadBalancerName",
    "alicloud:nlb/serverGroup:ServerGroup serverGroupName",
    "alicloud:slb/acl:Acl name",
    "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer loadBalancerName",
    "alicloud:slb/listener:Listener description",
    "alicloud:slb/serverCertificate:ServerCertificate name",
    "alicloud:vpc/natGateway:NatGateway natGatewayName",
    "alicloud:vpc/network:Network vpcName",
    "alicloud:vpc/routeTable:RouteTable routeTableName",
    "alicloud:vpc/snatEntry:SnatEntry snatEntryName",
    "alicloud:vpc/switch:Switch vswitchName",
    "command:remote:Command stdin",
];

test("a component that is renamed replaces nothing that it has made", async () => {
    const [before, after] = [await made("one"), await made("other")];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    const changed = [...after].flatMap(([key, now]) =>
        Object.keys({ ...before.get(key), ...now })
            .filter((input) => input !== "tags" && input !== "volumeTags")
            .filter((input) => JSON.stringify(now[input]) !== JSON.stringify(before.get(key)![input]))
            .map((input) => `${key.split("::")[0]!} ${input}`),
    );
    expect([...new Set(changed)].sort()).toEqual(inPlace);
}, 60_000);

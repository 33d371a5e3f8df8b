/** What a stack consists of, as a picture shows it: read from its exported state, which needs no secrets for it. */
import { scriptNameOf } from "../components/scriptText";
import { type Balancer, balancersOf, text } from "./balancers";
import { exportedResources, type StackResource as Resource } from "../delivery/states";

/** A host, and what runs on it. */
export interface TopologyHost {
    readonly name: string;
    readonly address: string;
    /** Empty without one. */
    readonly publicAddress: string;
    readonly zone: string;
    readonly instanceType: string;
    /** In the order of their names: `redis :7000`. */
    readonly services: readonly string[];
}

/** Hosts that are made alike, or one that stands alone. */
export interface TopologyPool {
    readonly name: string;
    readonly hosts: readonly TopologyHost[];
    /** Ports on which its hosts reach each other. */
    readonly amongThemselves: readonly string[];
}

/** A load balancer, with the ports that it listens on. */
export interface TopologyBalancer {
    readonly name: string;
    /** One, or one per zone with spaces between them. Empty before there is any. */
    readonly address: string;
    readonly public: boolean;
    readonly ports: readonly string[];
}

/** File storage of the cloud's. */
export interface TopologyStore {
    readonly name: string;
    /** Names under which it is mounted, as far as they are known. */
    readonly mountTargets: readonly string[];
}

/** Who may connect to whom. Ends are names of pools, balancers and stores, `NAT gateway`, or a range of addresses. */
export interface Flow {
    readonly from: string;
    readonly to: string;
    readonly ports: readonly string[];
}

export interface Topology {
    readonly vpc: { readonly name: string; readonly cidr: string } | undefined;
    readonly pools: readonly TopologyPool[];
    readonly balancers: readonly TopologyBalancer[];
    readonly stores: readonly TopologyStore[];
    /** Address from which hosts without one of their own reach the internet; undefined without a NAT gateway. */
    readonly nat: string | undefined;
    readonly flows: readonly Flow[];
    /** Names within the VPC, such as `redis.internal`. */
    readonly names: readonly string[];
}

export const INTERNET = "internet";
export const NAT = "NAT gateway";

const types = {
    vpc: "alicloud:vpc/network:Network",
    vswitch: "alicloud:vpc/switch:Switch",
    instance: "alicloud:ecs/instance:Instance",
    rule: "alicloud:ecs/securityGroupRule:SecurityGroupRule",
    address: "alicloud:ecs/eipAddress:EipAddress",
    association: "alicloud:ecs/eipAssociation:EipAssociation",
    nat: "alicloud:vpc/natGateway:NatGateway",
    fileSystem: "alicloud:nas/fileSystem:FileSystem",
    mountTarget: "alicloud:nas/mountTarget:MountTarget",
    record: "alicloud:pvtz/zoneRecord:ZoneRecord",
    zone: "alicloud:pvtz/zone:Zone",
    step: "command:remote:Command",
} as const;

/** Services by the step that brings a host to them. */
const services: Readonly<Record<string, string>> = {
    "redis/node": "Redis",
    "mysql/node": "MySQL",
    "storage/gluster-server": "GlusterFS",
    "storage/gluster-client": "shared files",
    "storage/nfs-server": "NFS",
    "storage/nfs-client": "shared files",
    "web/node": "nginx",
    "ssh/bastion": "SSH bastion",
};

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);
export const byName = (one: string, other: string): number => one.localeCompare(other, "en", { numeric: true });
const sortedOnce = (words: readonly string[]): string[] => [...new Set(words)].sort(byName);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(text) : []);

/**
 * Reads a stack's state.
 * @param exported what `pulumi stack export` prints, parsed
 */
export function readTopology(exported: unknown): Topology {
    return topologyOf(exportedResources(exported));
}

/** What resources come to in a picture. */
export function topologyOf(resources: readonly Resource[]): Topology {
    const of = (type: string): Resource[] => resources.filter((resource) => resource.type === type);
    const [vpc] = of(types.vpc);

    const zonesOfSwitches = new Map(of(types.vswitch).map(({ id = "", outputs }) => [id, text(outputs?.["zoneId"])]));
    const publicAddresses = publicAddressesOf(of(types.address), of(types.association));
    const steps = stepsOf(of(types.step));
    const members = new Map<string, { pool: string; groups: readonly string[] }>();
    const pools = new Map<string, TopologyHost[]>();
    for (const { urn, id = "", parent, outputs = {} } of of(types.instance)) {
        const pool = poolOf(parent) ?? nameOf(urn);
        members.set(id, { pool, groups: texts(outputs["securityGroups"]) });
        pools.set(pool, [
            ...(pools.get(pool) ?? []),
            {
                name: nameOf(urn),
                address: text(outputs["privateIp"]),
                publicAddress: publicAddresses.get(id) ?? text(outputs["publicIp"]),
                // A new one has its zone from where it will be.
                zone: text(outputs["availabilityZone"]) || (zonesOfSwitches.get(text(outputs["vswitchId"])) ?? ""),
                instanceType: text(outputs["instanceType"]),
                services: [...(steps.get(id) ?? [])].sort(byName),
            },
        ]);
    }
    const balancers = balancersOf(resources);
    const stores = of(types.fileSystem).map(({ urn, id }) => ({
        name: nameOf(urn),
        mountTargets: of(types.mountTarget)
            .filter(({ outputs }) => outputs?.["fileSystemId"] === id)
            .map(({ outputs }) => text(outputs?.["mountTargetDomain"]))
            .filter((domain) => domain !== ""),
    }));
    const [nat] = of(types.nat);
    const flows = [
        ...ruleFlows(of(types.rule), members),
        ...balancers.flatMap((balancer) => balancerFlows(balancer, members)),
        ...mountFlows(of(types.step), stores, members),
        ...(nat === undefined ? [] : outboundFlows(pools)),
    ];
    const zones = new Map(of(types.zone).map(({ id, outputs }) => [id, text(outputs?.["zoneName"])]));
    const names = of(types.record).map(({ outputs = {} }) => {
        const [rr, zone] = [text(outputs["rr"]), zones.get(text(outputs["zoneId"])) ?? ""];
        return rr === "@" ? zone : `${rr}.${zone}`;
    });
    return {
        vpc: vpc && { name: nameOf(vpc.urn), cidr: text(vpc.outputs?.["cidrBlock"]) },
        pools: [...pools]
            .map(([name, hosts]) => ({
                name,
                hosts: hosts.sort((one, other) => byName(one.name, other.name)),
                amongThemselves: flows
                    .filter(({ from, to }) => from === name && to === name)
                    .flatMap(({ ports }) => ports),
            }))
            .sort((one, other) => byName(one.name, other.name)),
        balancers: balancers.map(({ urn, addresses, public: open, ports }) => ({
            name: nameOf(urn),
            address: addresses.join(" "),
            public: open,
            ports: sortedOnce(ports),
        })),
        stores: stores.sort((one, other) => byName(one.name, other.name)),
        nat: nat && (publicAddresses.get(nat.id ?? "") ?? ""),
        flows: flows.filter(({ from, to }) => from !== to),
        names: [...new Set(names)].sort(byName),
    };
}

/** Hosts without an address of their own leave through the NAT gateway. */
function outboundFlows(pools: ReadonlyMap<string, readonly TopologyHost[]>): Flow[] {
    const inner = [...pools].filter(([, hosts]) => hosts.some(({ publicAddress }) => publicAddress === ""));
    return [...inner.map(([from]) => from).sort(byName), NAT].map((from) => ({
        from,
        to: from === NAT ? INTERNET : NAT,
        ports: [],
    }));
}

/** The component that a host's resources belong to. */
function poolOf(parent: string | undefined): string | undefined {
    const type = parent?.split("::")[2]?.split("$").at(-1);
    return parent !== undefined && type === "multihost:compute:NodePool" ? nameOf(parent) : undefined;
}

function publicAddressesOf(addresses: readonly Resource[], associations: readonly Resource[]): Map<string, string> {
    const byId = new Map(addresses.map(({ id, outputs }) => [id, text(outputs?.["ipAddress"])]));
    return new Map(
        associations.map(({ outputs = {} }) => [
            text(outputs["instanceId"]),
            byId.get(text(outputs["allocationId"])) ?? "",
        ]),
    );
}

/** What runs on each instance. */
function stepsOf(commands: readonly Resource[]): Map<string, Set<string>> {
    const found = new Map<string, Set<string>>();
    for (const { inputs = {} } of commands) {
        const create = text(inputs["create"]);
        const service = services[scriptNameOf(create) ?? ""];
        if (service === undefined) continue;
        const port = /\bPARAM_PORT='(\d+)'/.exec(create)?.[1];
        for (const instance of texts(inputs["triggers"]).slice(0, 1)) {
            const known = found.get(instance) ?? new Set<string>();
            found.set(instance, known.add(port === undefined ? service : `${service} :${port}`));
        }
    }
    return found;
}

/** Hosts that mount what the cloud keeps. A new mount target has no name before the update: then it is the only one there is. */
function mountFlows(commands: readonly Resource[], stores: readonly TopologyStore[], members: Members): Flow[] {
    const found = new Map<string, Flow>();
    for (const { inputs = {} } of commands) {
        const create = text(inputs["create"]);
        if (scriptNameOf(create) !== "storage/nfs-client") continue;
        const source = /\bPARAM_SOURCE='([^':]*):/.exec(create)?.[1] ?? "";
        const store =
            stores.find(({ mountTargets }) => mountTargets.includes(source)) ??
            (stores.length === 1 && !/^[\d.]+$/.test(source) ? stores[0] : undefined);
        const pool = members.get(texts(inputs["triggers"])[0] ?? "")?.pool;
        if (store === undefined || pool === undefined) continue;
        found.set(`${pool}\0${store.name}`, { from: pool, to: store.name, ports: ["2049"] });
    }
    return [...found.values()].sort((one, other) => byName(`${one.from} ${one.to}`, `${other.from} ${other.to}`));
}

type Members = ReadonlyMap<string, { readonly pool: string; readonly groups: readonly string[] }>;

const poolsIn = (members: Members, group: string): string[] => [
    ...new Set([...members.values()].filter(({ groups }) => groups.includes(group)).map(({ pool }) => pool)),
];

/** `22/22` is 22, `8000/8010` is 8000-8010, `-1/-1` is what the protocol has. */
function portsOf(range: string, protocol: string): string {
    const [first = "", last = ""] = range.split("/");
    if (first === "-1") return protocol === "all" ? "all" : protocol;
    const ports = first === last ? first : `${first}-${last}`;
    return protocol === "udp" ? `${ports}/udp` : ports;
}

function ruleFlows(rules: readonly Resource[], members: Members): Flow[] {
    const ports = new Map<string, { from: string; to: string; ports: Set<string> }>();
    for (const { outputs = {} } of rules) {
        if (outputs["type"] !== "ingress" || outputs["policy"] === "drop" || outputs["ipProtocol"] === "icmp") continue;
        const range = text(outputs["cidrIp"]);
        const sources = range === "" ? poolsIn(members, text(outputs["sourceSecurityGroupId"])) : [outsideOf(range)];
        for (const from of sources)
            for (const to of poolsIn(members, text(outputs["securityGroupId"]))) {
                const flow = ports.get(`${from}\0${to}`) ?? { from, to, ports: new Set<string>() };
                flow.ports.add(portsOf(text(outputs["portRange"]), text(outputs["ipProtocol"])));
                ports.set(`${from}\0${to}`, flow);
            }
    }
    return [...ports.values()]
        .map((flow) => ({ ...flow, ports: [...flow.ports].sort(byName) }))
        .sort((one, other) => byName(`${one.from} ${one.to}`, `${other.from} ${other.to}`));
}

const outsideOf = (range: string): string => (range === "0.0.0.0/0" ? INTERNET : range);

function balancerFlows({ urn, public: open, ports, servers }: Balancer, members: Members): Flow[] {
    const name = nameOf(urn);
    const behind = new Map<string, string[]>();
    for (const { id, port } of servers) {
        const pool = members.get(id)?.pool;
        if (pool !== undefined) behind.set(pool, [...(behind.get(pool) ?? []), port]);
    }
    return [
        ...(open ? [{ from: INTERNET, to: name, ports: sortedOnce(ports) }] : []),
        ...[...behind]
            .sort(([one], [other]) => byName(one, other))
            .map(([to, inner]) => ({ from: name, to, ports: sortedOnce(inner) })),
    ];
}

/** What a stack consists of, as a picture shows it: read from its exported state, which needs no secrets for it. */
import { scriptNameOf } from "../components/scriptText";
import { type Balancer, balancersOf, type Fields, rangeOf, text } from "./balancers";
import { exportedResources, type StackResource as Resource } from "../delivery/states";
import { byName } from "../toolchain/order";

/** A host, and what runs on it. */
export interface TopologyHost {
    readonly name: string;
    readonly address: string;
    /** Empty without one, and where it isn't known. */
    readonly publicAddress: string;
    readonly zone: string;
    readonly instanceType: string;
    /** In the order of their names: `redis :7000`. */
    readonly services: readonly string[];
}

/** Hosts that are made alike, or one that stands alone. */
export interface TopologyPool {
    /** Of this one alone among pools, balancers and stores: where another one is called alike, it says what it is, as in `web (load balancer)`. */
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

/** Who may connect to whom. Ends are names of pools, balancers, stores and NAT gateways, or a range of addresses or the id of a list of them. */
export interface Flow {
    readonly from: string;
    readonly to: string;
    readonly ports: readonly string[];
}

/** One of several networks, and what is in it by its name. */
export interface TopologyNetwork {
    /** Undefined for what is in no VPC that the stack knows, such as hosts that exist already. */
    readonly vpc: { readonly name: string; readonly cidr: string } | undefined;
    /** As {@link Topology.nat}. */
    readonly nat: string | undefined;
    /** What its NAT gateway is called where a flow ends there: of this one alone, also where VPCs are called alike. */
    readonly natName: string;
    readonly pools: readonly string[];
    readonly balancers: readonly string[];
    readonly stores: readonly string[];
    readonly names: readonly string[];
}

export interface Topology {
    /** The only one; undefined where there are several. */
    readonly vpc: { readonly name: string; readonly cidr: string } | undefined;
    readonly pools: readonly TopologyPool[];
    readonly balancers: readonly TopologyBalancer[];
    readonly stores: readonly TopologyStore[];
    /** Address from which hosts without one of their own reach the internet; undefined without a NAT gateway, and where there are several networks. */
    readonly nat: string | undefined;
    /** What is where, if there is more than one network. */
    readonly networks?: readonly TopologyNetwork[];
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
    // What it was called before.
    formerAddress: "alicloud:ecs/eip:Eip",
    association: "alicloud:ecs/eipAssociation:EipAssociation",
    nat: "alicloud:vpc/natGateway:NatGateway",
    fileSystem: "alicloud:nas/fileSystem:FileSystem",
    mountTarget: "alicloud:nas/mountTarget:MountTarget",
    record: "alicloud:pvtz/zoneRecord:ZoneRecord",
    zone: "alicloud:pvtz/zone:Zone",
    attachment: "alicloud:pvtz/zoneAttachment:ZoneAttachment",
    step: "command:remote:Command",
    machine: "command:local:Command",
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
    const switches = new Map(of(types.vswitch).map(({ id = "", outputs = {} }) => [id, outputs]));
    const publicAddresses = publicAddressesOf(
        [...of(types.address), ...of(types.formerAddress)],
        of(types.association),
    );
    const steps = stepsOf(of(types.step));
    const instances = of(types.instance);
    const existing = existingHosts(resources, new Set(instances.map(({ id }) => id ?? "")));
    const balancers = balancersOf(resources);
    const machines = [
        ...instances.map(({ urn, parent }) => ({ ...thingOf(urn), pool: poolOf(parent) })),
        ...existing.map(({ urn, name, pool }) => ({ ...thingOf(urn), name, pool })),
    ];
    const hostCalled = distinctNames([machines]);
    const called = distinctNames(
        [
            machines.map(({ pool, ...host }) => (pool === undefined ? host : thingOf(pool))),
            balancers.map(({ urn }) => ({ ...thingOf(urn), kind: "load balancer" })),
            of(types.fileSystem).map(({ urn }) => ({ ...thingOf(urn), kind: "file storage" })),
        ],
        [INTERNET, NAT],
    );
    const members = new Map<string, { pool: string; groups: readonly string[] }>();
    const pools = new Map<string, TopologyHost[]>();
    const inner = new Set<string>();
    const vpcs = new Map<string, string>();
    for (const { urn, id = "", parent, outputs = {} } of instances) {
        const pool = called(poolOf(parent) ?? urn);
        members.set(id, { pool, groups: texts(outputs["securityGroups"]) });
        const publicAddress = (publicAddresses.get(id) ?? "") || text(outputs["publicIp"]);
        // One that it is going to have isn't known yet, and one of another stack never.
        const hasPublic =
            publicAddress !== "" || publicAddresses.has(id) || Number(outputs["internetMaxBandwidthOut"] ?? 0) > 0;
        if (!hasPublic) inner.add(pool);
        const vpc = vpcOf(outputs, switches);
        if (vpc !== "") vpcs.set(pool, vpcs.get(pool) ?? vpc);
        pools.set(pool, [
            ...(pools.get(pool) ?? []),
            {
                name: hostCalled(urn),
                address: text(outputs["privateIp"]),
                publicAddress,
                // A new one has its zone from where it will be.
                zone: text(outputs["availabilityZone"]) || text(switches.get(text(outputs["vswitchId"]))?.["zoneId"]),
                instanceType: text(outputs["instanceType"]),
                services: [...(steps.get(id) ?? [])].sort(byName),
            },
        ]);
    }
    const made = new Map(pools);
    const adopting = new Set<string>();
    for (const { identity, urn, pool, ...host } of existing) {
        const name = called(pool ?? urn);
        members.set(identity, { pool: name, groups: [] });
        pools.set(name, [...(pools.get(name) ?? []), { ...host, name: hostCalled(urn) }]);
        if (pool !== undefined) adopting.add(name);
    }
    const mountTargets = (fileSystem: Resource): Resource[] =>
        of(types.mountTarget).filter(({ outputs }) => outputs?.["fileSystemId"] === fileSystem.id);
    const stores = of(types.fileSystem).map((fileSystem) => ({
        name: called(fileSystem.urn),
        mountTargets: mountTargets(fileSystem)
            .map(({ outputs }) => text(outputs?.["mountTargetDomain"]))
            .filter((domain) => domain !== ""),
    }));
    const places = placesOf(of(types.vpc), [...made.keys(), ...adopting], pools.keys(), vpcs);
    const zones = new Map(of(types.zone).map(({ id, outputs }) => [id, text(outputs?.["zoneName"])]));
    const names = of(types.record).map(({ outputs = {} }) => {
        const [rr, zone] = [text(outputs["rr"]), zones.get(text(outputs["zoneId"])) ?? ""];
        return { name: rr === "@" ? zone : `${rr}.${zone}`, zone: text(outputs["zoneId"]) };
    });
    const nats = of(types.nat);
    const several = places.length > 1;
    const gatewayOf = distinctNames([
        places.map(({ id, vpc }) => ({ urn: id, name: `${NAT} of ${vpc?.name ?? id}`, kind: vpc?.cidr ?? "" })),
    ]);
    // What doesn't say where it is, is in the only VPC, or nobody knows where.
    const vpcCount = places.filter(({ id }) => id !== "").length;
    const elsewhere = (vpcCount > 1 ? places.find(({ id }) => id === "") : undefined) ?? places[0];
    const placeOf = (vpc: string): string | undefined =>
        vpc !== "" && places.some(({ id }) => id === vpc) ? vpc : elsewhere?.id;
    const fields = new Map(resources.map(({ urn, outputs }) => [urn, outputs]));
    const networks = places.map(({ id: vpc, pools: here, ...place }): TopologyNetwork => {
        const isHere = (outputs: Fields = {}): boolean => !several || placeOf(vpcOf(outputs, switches)) === vpc;
        const nat = nats.find(({ outputs }) => isHere(outputs));
        const attached = (zone: string): boolean => {
            const found = of(types.attachment).filter(({ outputs }) => outputs?.["zoneId"] === zone);
            return found.length === 0
                ? vpc === places[0]?.id
                : found.some(({ outputs }) => attachedVpcs(outputs).includes(vpc));
        };
        return {
            ...place,
            pools: here,
            nat: nat && (publicAddresses.get(nat.id ?? "") ?? ""),
            natName: several && nats.length > 1 ? gatewayOf(vpc) : NAT,
            balancers: balancers.filter(({ urn }) => isHere(fields.get(urn))).map(({ urn }) => called(urn)),
            stores: of(types.fileSystem)
                .filter((fileSystem) => isHere(mountTargets(fileSystem)[0]?.outputs))
                .map(({ urn }) => called(urn)),
            names: sortedOnce(names.filter(({ zone }) => !several || attached(zone)).map(({ name }) => name)),
        };
    });
    const flows = [
        ...ruleFlows(of(types.rule), members),
        ...balancers.flatMap((balancer) => balancerFlows(balancer, called(balancer.urn), members)),
        ...mountFlows(of(types.step), stores, members),
        ...networks.flatMap((network) => outboundFlows(network, inner)),
    ];
    return {
        vpc: several ? undefined : networks[0]?.vpc,
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
            name: called(urn),
            address: addresses.join(" "),
            public: open,
            ports: sortedOnce(ports),
        })),
        stores: stores.sort((one, other) => byName(one.name, other.name)),
        nat: several ? undefined : networks[0]?.nat,
        ...(several && { networks }),
        flows: flows.filter(({ from, to }) => from !== to),
        names: sortedOnce(names.map(({ name }) => name)),
    };
}

/** What takes a name in a picture. */
interface Thing {
    readonly urn: string;
    readonly name: string;
    /** What it is, where another one is called like it. */
    readonly kind: string;
}

/** A thing that is, or is in, a component of a type such as `Bastion`. */
const thingOf = (urn: string): Thing => ({
    urn,
    name: nameOf(urn),
    kind: urn.split("::")[2]!.split("$")[0]!.split(":").at(-1)!,
});

/**
 * Names by URN, each of one thing only, since flows end at names. A stack may call things alike that are of different types or in different components.
 * @param groups those of the first keep their names before those of the next
 * @param taken names that stand for something else
 */
function distinctNames(groups: readonly (readonly Thing[])[], taken: readonly string[] = []): (urn: string) => string {
    const names = new Map<string, string>();
    const used = new Set(taken);
    // A state has no order of its own to go by.
    const things = groups.flatMap((group) => [...group].sort((one, other) => byName(one.urn, other.urn)));
    for (const { urn, name, kind } of things) {
        if (names.has(urn)) continue;
        let own = name;
        for (let count = 1; used.has(own); count++) own = `${name} (${kind}${count === 1 ? "" : ` ${count}`})`;
        names.set(urn, own);
        used.add(own);
    }
    return (urn) => names.get(urn)!;
}

/** The networks of a picture: all of it in the only one, or each of several with what is in it. */
export function networksOf(topology: Topology): readonly TopologyNetwork[] {
    const { vpc, nat, networks, pools, balancers, stores, names } = topology;
    const namesOf = (things: readonly { readonly name: string }[]): string[] => things.map(({ name }) => name);
    const all = { pools: namesOf(pools), balancers: namesOf(balancers), stores: namesOf(stores), names };
    return networks ?? [{ vpc, nat, natName: NAT, ...all }];
}

/** What the box of a network says. */
export function networkTitle({ vpc }: TopologyNetwork, several: boolean): string {
    if (vpc === undefined) return several ? "other networks" : "network";
    return ["VPC", vpc.name, vpc.cidr].filter((part) => part !== "" || !several).join(" ");
}

type Place = Pick<TopologyNetwork, "vpc" | "pools"> & { readonly id: string };

/**
 * Where pools are: a VPC that the stack makes or has hosts in, and no such place for the others, if there are any. One place alone has
 * everything, known or not.
 */
function placesOf(
    networks: readonly Resource[],
    inVpcs: Iterable<string>,
    pools: Iterable<string>,
    vpcs: ReadonlyMap<string, string>,
): Place[] {
    const known = new Map(
        networks.map(({ id = "", urn, outputs }) => [id, { name: nameOf(urn), cidr: text(outputs?.["cidrBlock"]) }]),
    );
    const ids = new Set([...known.keys(), ...vpcs.values()]);
    const [only, ...more] = ids;
    const within = new Set(inVpcs);
    // Where there is only one VPC, instances and pools are in no other.
    const placeOf = (pool: string): string =>
        vpcs.get(pool) ?? (only !== undefined && more.length === 0 && within.has(pool) ? only : "");
    const all = [...pools].sort(byName);
    const found = new Set([...ids, ...all.map(placeOf)]);
    // An empty stack is one empty network.
    const places = found.size === 0 ? [""] : [...found].sort((one, other) => Number(one === "") - Number(other === ""));
    return places.map((id) => ({
        id,
        // Of the only one that isn't the stack's own, the picture has never told.
        vpc: known.get(id) ?? (id === "" || places.length === 1 ? undefined : { name: id, cidr: "" }),
        pools: all.filter((pool) => placeOf(pool) === id),
    }));
}

/** The VPC of a resource, by its own word or by that of its VSwitch; empty when it isn't known. */
export function vpcOf(outputs: Fields, switches: ReadonlyMap<string, Fields>): string {
    const mappings = Array.isArray(outputs["zoneMappings"]) ? (outputs["zoneMappings"] as Fields[]) : [];
    const viaSwitch = [outputs, ...mappings].map(({ vswitchId }) => text(switches.get(text(vswitchId))?.["vpcId"]));
    return text(outputs["vpcId"]) || (viaSwitch.find((id) => id !== "") ?? "");
}

/** The VPCs that a private zone is bound to. */
export function attachedVpcs(outputs: Fields = {}): string[] {
    const vpcs = Array.isArray(outputs["vpcs"]) ? (outputs["vpcs"] as Fields[]) : [];
    return [...texts(outputs["vpcIds"]), ...vpcs.map(({ vpcId }) => text(vpcId))];
}

/** Hosts that exist already: those that are waited for, and that no instance of the stack is. Their steps alone tell of them. */
function existingHosts(
    resources: readonly Resource[],
    instances: ReadonlySet<string>,
): (TopologyHost & { readonly identity: string; readonly urn: string; readonly pool: string | undefined })[] {
    const commands = resources.filter(({ type }) => type === types.step);
    const parents = new Map(resources.map(({ urn, parent }) => [urn, parent]));
    // Such a host's instance belongs to the stack, too, even if it is missing.
    const made = new Set(resources.filter(({ type }) => type === types.machine).map(({ parent }) => parent));
    return commands.flatMap(({ urn, parent, inputs = {} }) => {
        const identity = texts(inputs["triggers"])[0] ?? "";
        const waits = scriptNameOf(text(inputs["create"])) === "host/ready";
        if (!waits || identity === "" || instances.has(identity) || (parent !== undefined && made.has(parent)))
            return [];
        // Steps keep the identity of the machine that they began on.
        const own = commands.filter(
            (step) =>
                texts(step.inputs?.["triggers"])[0] === identity || (parent !== undefined && step.parent === parent),
        );
        return [
            {
                identity,
                urn: parent ?? urn,
                pool: poolOf(parent && parents.get(parent)),
                name: parent === undefined ? nameOf(urn).replace(/-ready$/, "") : nameOf(parent),
                // How to reach it is secret.
                address: "",
                publicAddress: "",
                zone: "",
                instanceType: "",
                services: sortedOnce(own.map(serviceOf).filter((service) => service !== undefined)),
            },
        ];
    });
}

/**
 * Hosts without an address of their own leave through the NAT gateway of their network.
 * @param inner pools that have such hosts
 */
function outboundFlows({ nat, natName, pools }: TopologyNetwork, inner: ReadonlySet<string>): Flow[] {
    if (nat === undefined) return [];
    return [...pools.filter((pool) => inner.has(pool)), natName].map((from) => ({
        from,
        to: from === natName ? INTERNET : natName,
        ports: [],
    }));
}

/** URN of the component that a host's resources belong to. */
function poolOf(parent: string | undefined): string | undefined {
    const type = parent?.split("::")[2]?.split("$").at(-1);
    return parent !== undefined && type === "multihost:compute:NodePool" ? parent : undefined;
}

/** Elastic addresses by the id of what they are bound to; empty where they aren't known. */
export function publicAddressesOf(
    addresses: readonly Resource[],
    associations: readonly Resource[],
): Map<string, string> {
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
    for (const step of commands) {
        const service = serviceOf(step);
        if (service === undefined) continue;
        for (const instance of texts(step.inputs?.["triggers"]).slice(0, 1)) {
            const known = found.get(instance) ?? new Set<string>();
            found.set(instance, known.add(service));
        }
    }
    return found;
}

/** What a step brings its host to, with its port; undefined when that is no service. */
function serviceOf({ inputs = {} }: Resource): string | undefined {
    const create = text(inputs["create"]);
    const service = services[scriptNameOf(create) ?? ""];
    const port = /\bPARAM_PORT='(\d+)'/.exec(create)?.[1];
    return service === undefined || port === undefined ? service : `${service} :${port}`;
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
        const pings = ["icmp", "icmpv6"].includes(text(outputs["ipProtocol"]));
        if (outputs["type"] !== "ingress" || outputs["policy"] === "drop" || pings) continue;
        const range = rangeOf(outputs);
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

const EVERYBODY = "0.0.0.0/0";

/** A list that the stack has yet to make has no id of its own. */
function outsideOf(range: string): string {
    if (range === EVERYBODY || range === "::/0") return INTERNET;
    return range.startsWith("urn:pulumi:") ? `prefix list ${nameOf(range)}` : range;
}

function balancerFlows({ public: open, admits, ports, servers }: Balancer, name: string, members: Members): Flow[] {
    const behind = new Map<string, string[]>();
    for (const { id, port } of servers) {
        const pool = members.get(id)?.pool;
        if (pool !== undefined) behind.set(pool, [...(behind.get(pool) ?? []), port]);
    }
    return [
        ...[...new Set((open ? (admits ?? [EVERYBODY]) : []).map(outsideOf))].map((from) => ({
            from,
            to: name,
            ports: sortedOnce(ports),
        })),
        ...[...behind]
            .sort(([one], [other]) => byName(one, other))
            .map(([to, inner]) => ({ from: name, to, ports: sortedOnce(inner) })),
    ];
}

/** From the model of the cloud to what should exist on this machine: pure, and the only place that knows both. */
import { gunzipSync } from "node:zlib";
import { gatewayOf, parseCidr } from "./addresses";
import type {
    DesiredDnat,
    DesiredEip,
    DesiredFileSystem,
    DesiredHaVip,
    DesiredHost,
    DesiredMachine,
    DesiredNic,
    DesiredRoute,
    DesiredRule,
    DesiredSecurityGroup,
    DesiredSnat,
    DesiredVpc,
    DesiredZone,
} from "./desired";
import { type FileSystem, type MountTarget, rulesOf } from "./nas";
import { projectBalancerNames, projectBalancers } from "./projectBalancers";
import type { PrivateZone } from "./privateZone";
import { MachineSize, labSize, ownsKernel } from "./sizes";
import type {
    Disk,
    Eip,
    HaVip,
    Instance,
    NetworkInterface,
    Resource,
    RouteEntry,
    SecurityGroup,
    SecurityGroupRule,
    State,
    Vpc,
} from "./state";

/** The machine to plan for; the daemon passes the real one. */
const PLANNED_MACHINE: MachineSize = { cores: 2, memoryMiB: 24 * 1024 };

/** Below every rule that a client can write. */
const LAST_PRIORITY = 101;

/** What the model asks of the machine. Does not change `state` and shares nothing that changes with it. */
export function project(state: State, machine: MachineSize = PLANNED_MACHINE): DesiredMachine {
    const index = indexOf(state);
    return {
        vpcs: Object.values(state.vpcs).map((vpc) => projectVpc(state, index, vpc)),
        hosts: Object.values(state.instances).map((instance) => projectHost(index, instance, machine)),
        diskIds: Object.values(state.disks)
            .filter(({ kind }) => kind === "data")
            .map(({ id }) => id),
        eips: Object.values(state.eips).map((eip) => projectEip(state, index, eip)),
        securityGroups: Object.values(state.securityGroups).map(projectSecurityGroup),
        balancers: projectBalancers(state),
        zones: [
            ...Object.values(state.privateZones).map(projectZone),
            ...projectBalancerNames(state),
            ...Object.values(state.mountTargets).map(nameOf),
        ],
        fileSystems: Object.values(state.fileSystems).map((fileSystem) => projectFileSystem(state, fileSystem)),
    };
}

interface Index {
    readonly nicsByInstance: ReadonlyMap<string, readonly NetworkInterface[]>;
    readonly disksByInstance: ReadonlyMap<string, readonly Disk[]>;
    readonly publicKeys: ReadonlyMap<string, string>;
    readonly vswitchesByVpc: ReadonlyMap<string, readonly State["vswitches"][string][]>;
    readonly tablesByVpc: ReadonlyMap<string, readonly State["routeTables"][string][]>;
    readonly natsByVpc: ReadonlyMap<string, ReadonlySet<string>>;
    readonly eipsByNat: ReadonlyMap<string, ReadonlySet<string>>;
}

function indexOf(state: State): Index {
    const nats = new Map<string, Set<string>>();
    for (const nat of Object.values(state.natGateways))
        nats.set(nat.vpcId, (nats.get(nat.vpcId) ?? new Set()).add(nat.id));
    const eips = new Map<string, Set<string>>();
    for (const { address, binding } of Object.values(state.eips))
        if (binding?.instanceType === "Nat")
            eips.set(binding.instanceId, (eips.get(binding.instanceId) ?? new Set()).add(address));
    return {
        nicsByInstance: group(state.networkInterfaces, ({ instanceId }) => instanceId),
        disksByInstance: group(state.disks, ({ instanceId }) => instanceId),
        publicKeys: new Map(Object.values(state.keyPairs).map((pair) => [keyPairKey(pair, pair.name), pair.publicKey])),
        vswitchesByVpc: group(state.vswitches, ({ vpcId }) => vpcId),
        tablesByVpc: group(state.routeTables, ({ vpcId }) => vpcId),
        natsByVpc: nats,
        eipsByNat: eips,
    };
}

function group<T>(resources: Readonly<Record<string, T>>, key: (resource: T) => string): Map<string, T[]> {
    const groups = new Map<string, T[]>();
    for (const resource of Object.values(resources)) {
        const members = groups.get(key(resource));
        if (members) members.push(resource);
        else groups.set(key(resource), [resource]);
    }
    return groups;
}

function projectZone({ name, proxyPattern, vpcs, records }: PrivateZone): DesiredZone {
    return {
        name,
        vpcIds: vpcs.map(({ id }) => id),
        recursive: proxyPattern === "RECORD",
        records: records
            .filter(({ status }) => status === "ENABLE")
            .map(({ rr, type, value, ttl, priority }) => ({
                name: rr === "@" ? name : `${rr}.${name}`,
                type,
                value,
                ttl,
                priority,
            })),
    };
}

/** What makes a mount target known in its VPC. */
function nameOf({ id, vpcId, address }: MountTarget): DesiredZone {
    return {
        name: id,
        vpcIds: [vpcId],
        recursive: true,
        records: [{ name: id, type: "A", value: address, ttl: 60, priority: 1 }],
    };
}

function projectFileSystem(state: State, { id: fileSystemId }: FileSystem): DesiredFileSystem {
    return {
        id: fileSystemId,
        mountTargets: Object.values(state.mountTargets)
            .filter((target) => target.fileSystemId === fileSystemId)
            .map((target) => ({
                id: target.id,
                vpcId: target.vpcId,
                address: target.address,
                active: target.active,
                rules: rulesOf(state, target).map(({ source, write, squash }) => ({ source, write, squash })),
            })),
    };
}

/** Key pairs are known by name, and names belong to a region. */
function keyPairKey(of: Pick<Resource, "regionId">, name: string): string {
    return `${of.regionId}/${name}`;
}

function projectVpc(state: State, index: Index, vpc: Vpc): DesiredVpc {
    const nats = index.natsByVpc.get(vpc.id) ?? new Set<string>();
    return {
        id: vpc.id,
        cidrs: [vpc.cidr, ...vpc.secondaryCidrs],
        vswitches: (index.vswitchesByVpc.get(vpc.id) ?? []).map(({ id, cidr, routeTableId }) => ({
            id,
            cidr,
            gateway: routerAddress(cidr),
            routeTableId,
        })),
        routeTables: (index.tablesByVpc.get(vpc.id) ?? []).map(({ id, entries }) => ({
            id,
            routes: entries.map((entry) => projectRoute(state, index, nats, entry)),
        })),
        snat: Object.values(state.snatEntries)
            .filter(({ natGatewayId }) => nats.has(natGatewayId))
            .map((entry): DesiredSnat => {
                const bound = index.eipsByNat.get(entry.natGatewayId);
                return {
                    id: entry.id,
                    natGatewayId: entry.natGatewayId,
                    sourceCidr: entry.sourceCidr,
                    addresses: entry.snatIps.filter((address) => bound?.has(address)),
                };
            })
            .filter(({ addresses }) => addresses.length > 0),
        dnat: Object.values(state.forwardEntries)
            .filter(
                ({ natGatewayId, externalIp }) =>
                    nats.has(natGatewayId) && index.eipsByNat.get(natGatewayId)?.has(externalIp),
            )
            .map((entry): DesiredDnat => ({
                id: entry.id,
                externalAddress: entry.externalIp,
                externalPort: entry.externalPort.toLowerCase(),
                protocol: entry.protocol.toLowerCase() as DesiredDnat["protocol"],
                internalIp: entry.internalIp,
                internalPort: entry.internalPort.toLowerCase(),
            })),
        haVips: Object.values(state.haVips)
            .filter(({ vpcId }) => vpcId === vpc.id)
            .map((haVip) => projectHaVip(index, haVip)),
    };
}

function projectHaVip(index: Index, { id, address, memberType, memberIds, holderId }: HaVip): DesiredHaVip {
    const nicOf = (memberId: string): string | undefined =>
        memberType === "NetworkInterface" ? memberId : primaryNic(index, memberId)?.id;
    const holder = nicOf(holderId);
    return {
        id,
        address,
        nicIds: memberIds.map(nicOf).filter((nicId) => nicId !== undefined),
        ...(holderId !== "" && holder !== undefined && { holder }),
    };
}

/** Where the cloud puts a VSwitch's router. */
function routerAddress(cidr: string): string {
    const range = parseCidr(cidr);
    return range ? gatewayOf(range) : "";
}

function projectRoute(state: State, index: Index, nats: ReadonlySet<string>, entry: RouteEntry): DesiredRoute {
    const { cidr } = entry;
    const through = (privateIp: string | undefined): DesiredRoute => ({
        cidr,
        nextHop: privateIp === undefined ? { kind: "blackhole" } : { kind: "instance", privateIp },
    });
    switch (entry.nextHopType) {
        case "NatGateway":
            return {
                cidr,
                nextHop: nats.has(entry.nextHopId)
                    ? { kind: "nat", natGatewayId: entry.nextHopId }
                    : { kind: "blackhole" },
            };
        case "Instance":
            return through(primaryIp(index, entry.nextHopId));
        case "NetworkInterface":
            return through(state.networkInterfaces[entry.nextHopId]?.primaryIp);
        case "HaVip":
            return through(state.haVips[entry.nextHopId]?.address);
        default:
            // What the lab does not have (VPN, peer, …) leads nowhere, as it does in the cloud while it is down.
            return { cidr, nextHop: { kind: "blackhole" } };
    }
}

function primaryNic(index: Index, instanceId: string): NetworkInterface | undefined {
    return index.nicsByInstance.get(instanceId)?.find(({ kind }) => kind === "Primary");
}

function primaryIp(index: Index, instanceId: string): string | undefined {
    return primaryNic(index, instanceId)?.primaryIp;
}

function projectEip(state: State, index: Index, eip: Eip): DesiredEip {
    const { id, address, binding } = eip;
    const target = ((): DesiredEip["target"] => {
        if (!binding) return undefined;
        switch (binding.instanceType) {
            case "EcsInstance": {
                const instance = state.instances[binding.instanceId];
                const privateIp = primaryIp(index, binding.instanceId);
                return instance && privateIp !== undefined
                    ? { kind: "instance", vpcId: instance.vpcId, privateIp }
                    : undefined;
            }
            case "NetworkInterface": {
                const nic = state.networkInterfaces[binding.instanceId];
                return nic && { kind: "instance", vpcId: nic.vpcId, privateIp: binding.privateIp ?? nic.primaryIp };
            }
            case "Nat": {
                const nat = state.natGateways[binding.instanceId];
                return nat && { kind: "nat", vpcId: nat.vpcId, natGatewayId: nat.id };
            }
            case "SlbInstance": {
                const balancer = state.loadBalancers[binding.instanceId];
                return balancer && { kind: "instance", vpcId: balancer.vpcId, privateIp: balancer.address };
            }
            case "HaVip": {
                const haVip = state.haVips[binding.instanceId];
                return haVip && { kind: "instance", vpcId: haVip.vpcId, privateIp: haVip.address };
            }
            case "IpAddress":
                return binding.vpcId !== undefined && binding.privateIp !== undefined
                    ? { kind: "instance", vpcId: binding.vpcId, privateIp: binding.privateIp }
                    : undefined;
            default:
                return undefined;
        }
    })();
    return target ? { id, address, target } : { id, address };
}

function projectHost(index: Index, instance: Instance, machine: MachineSize): DesiredHost {
    const disks = index.disksByInstance.get(instance.id) ?? [];
    const publicKey =
        instance.keyPairName === "" ? undefined : index.publicKeys.get(keyPairKey(instance, instance.keyPairName));
    return {
        id: instance.id,
        systemDiskId: disks.find(({ kind }) => kind === "system")?.id ?? instance.id,
        hostname: instance.hostName === "" ? instance.id : instance.hostName,
        name: instance.name,
        instanceType: instance.instanceType,
        metadata: {
            enabled: instance.metadata.endpoint === "enabled",
            tokenRequired: instance.metadata.tokens === "required",
        },
        imageId: instance.imageId,
        kernel: ownsKernel(instance.instanceType) ? "own" : "shared",
        power: instance.status === "Stopping" || instance.status === "Stopped" ? "stopped" : "running",
        ...(instance.forceStop === true && { forceStop: true }),
        bootCount: instance.bootCount,
        ...labSize(instance.instanceType, machine),
        nics: (index.nicsByInstance.get(instance.id) ?? [])
            .map((nic) => projectNic(instance, nic))
            .sort((a, b) => a.deviceIndex - b.deviceIndex),
        ...(instance.userData !== "" && { userData: decodeUserData(instance.userData) }),
        publicKeys: publicKey === undefined ? [] : [publicKey],
        ...(instance.password !== "" && { password: instance.password }),
        disks: disks
            .filter(({ kind, device }) => kind === "data" && device !== "")
            .map(({ id, sizeGiB, device }) => ({ id, sizeGiB, device }))
            .sort((a, b) => (a.device < b.device ? -1 : 1)),
        tags: { ...instance.tags },
        zoneId: instance.zoneId,
        regionId: instance.regionId,
    };
}

function projectNic(instance: Instance, nic: NetworkInterface): DesiredNic {
    const primary = nic.kind === "Primary";
    return {
        id: nic.id,
        vpcId: nic.vpcId,
        vswitchId: nic.vswitchId,
        mac: nic.mac,
        primary,
        deviceIndex: nic.deviceIndex ?? 0,
        primaryIp: nic.primaryIp,
        secondaryIps: [...nic.secondaryIps],
        securityGroupIds: [...(primary ? instance.securityGroupIds : nic.securityGroupIds)],
    };
}

/** Text of user data; clients may compress it, as cloud-init undoes that by itself. */
function decodeUserData(base64: string): string {
    const bytes = Buffer.from(base64, "base64");
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString("utf8");
    try {
        return gunzipSync(bytes).toString("utf8");
    } catch {
        // One host's broken user data must not keep the others from being reconciled.
        return "";
    }
}

function projectSecurityGroup(securityGroup: SecurityGroup): DesiredSecurityGroup {
    const enterprise = securityGroup.kind === "enterprise";
    return {
        id: securityGroup.id,
        vpcId: securityGroup.vpcId,
        intraGroupAccept: !enterprise && securityGroup.innerAccess === "Accept",
        rules: [
            ...securityGroup.rules.map(projectRule).filter((rule) => rule !== undefined),
            // An enterprise group lets nothing out that no rule allows.
            ...(enterprise
                ? [
                      {
                          direction: "egress",
                          policy: "drop",
                          priority: LAST_PRIORITY,
                          protocol: "all",
                          peer: { kind: "cidr", cidr: "0.0.0.0/0" },
                      } as const,
                  ]
                : []),
        ],
    };
}

/** Wire spellings of protocols in lower case; `-1` is an old one of all. */
const protocols: Readonly<Record<string, DesiredRule["protocol"]>> = {
    tcp: "tcp",
    udp: "udp",
    icmp: "icmp",
    icmpv6: "icmpv6",
    gre: "gre",
    all: "all",
    "-1": "all",
};

/**
 * A rule as the firewall takes it; undefined for one with a prefix list, which the lab does not have: it decides
 * nothing, so that a list that should accept does not.
 */
function projectRule(rule: SecurityGroupRule): DesiredRule | undefined {
    const ingress = rule.direction === "ingress";
    const [cidr, ipv6Cidr, groupId, prefixList, ownCidr] = ingress
        ? [rule.sourceCidr, rule.ipv6SourceCidr, rule.sourceGroupId, rule.sourcePrefixListId, rule.destCidr]
        : [rule.destCidr, rule.ipv6DestCidr, rule.destGroupId, rule.destPrefixListId, rule.sourceCidr];
    const protocol = protocols[rule.ipProtocol.toLowerCase()];
    const peer = ((): DesiredRule["peer"] | undefined => {
        if (cidr !== "") return { kind: "cidr", cidr };
        if (ipv6Cidr !== "") return { kind: "cidr", cidr: ipv6Cidr };
        if (groupId !== "") return { kind: "group", securityGroupId: groupId };
        return prefixList !== "" ? undefined : { kind: "cidr", cidr: "0.0.0.0/0" };
    })();
    if (protocol === undefined || peer === undefined) return undefined;
    const withPorts = protocol === "tcp" || protocol === "udp";
    const ports = withPorts ? portRange(rule.portRange) : undefined;
    const sourcePorts = withPorts ? portRange(rule.sourcePortRange) : undefined;
    return {
        direction: rule.direction,
        policy: rule.policy === "Accept" ? "accept" : "drop",
        priority: rule.priority,
        protocol,
        ...(ports && { ports }),
        ...(sourcePorts && { sourcePorts }),
        peer,
        ...(ownCidr !== "" && { ownCidr }),
    };
}

/** `from/to`; undefined for all ports. */
function portRange(text: string): { from: number; to: number } | undefined {
    const match = /^(\d+)\/(\d+)$/.exec(text.trim());
    if (!match) return undefined;
    const [from, to] = [Number(match[1]), Number(match[2])];
    return from <= 1 && to === 65535 ? undefined : { from, to };
}

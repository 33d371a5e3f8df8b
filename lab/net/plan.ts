/**
 * From desired state to name spaces, routes and firewall text. Pure: what runs is nobody's business here, so that
 * everything that decides who reaches whom can be tested without a machine.
 */
import { contains, containsAddress, parseCidr } from "../model/addresses";
import type {
    DesiredBalancer,
    DesiredDnat,
    DesiredHaVip,
    DesiredMachine,
    DesiredNic,
    DesiredSecurityGroup,
    DesiredVSwitch,
    DesiredVpc,
} from "../model/desired";
import { LabAddresses, balancerAddress, isDefault, outerAddress, twin } from "./addresses";
import { directionRules, groupMembers, groupSet } from "./rules";

/** What the plan needs to know beside the desired state. */
export interface PlanContext {
    readonly lab: LabAddresses;
    /** Number of a VPC (`vpc/<id>`), an interface (`nic/<id>`) or a balancer (`balancer/<id>`). */
    readonly slot: (owner: string) => number;
    /** Ports of the lab's own services on `lab.service`. */
    readonly dnsPort: number;
    readonly metadataPort: number;
}

/** The machine's network as it should be. */
export interface NetworkPlan {
    readonly routers: readonly RouterPlan[];
    /** Arguments of `ip route` in the machine's own name space. */
    readonly routes: readonly string[];
    /** Interfaces by outer address, for services that must know who asks. */
    readonly outer: ReadonlyMap<string, string>;
    /** What each EIP is bound to, as text that changes when the binding does. */
    readonly bindings: ReadonlyMap<string, string>;
}

/** One VPC: a name space that routes between its hosts and filters what it routes. */
export interface RouterPlan {
    readonly vpcId: string;
    readonly namespace: string;
    readonly slot: number;
    /** The edge link's name in the machine's own name space; `edge` in the router's. */
    readonly edge: string;
    readonly address: string;
    readonly gateways: readonly string[];
    readonly routes: readonly RoutePlan[];
    /** Arguments of `ip rule`. */
    readonly rules: readonly string[];
    /** Content of table `vpc`. */
    readonly table: string;
    /** Content of the table of the same name for ARP; empty where there are no HaVips. */
    readonly arpTable: string;
    readonly nics: readonly NicPlan[];
    readonly balancers: readonly BalancerPlan[];
    readonly haVips: readonly HaVipPlan[];
}

/** An address that hosts may announce, and where it leads. */
export interface HaVipPlan {
    readonly id: string;
    readonly address: string;
    /** Interfaces that may announce it, by the name of their link in the router's name space. */
    readonly candidates: ReadonlyMap<string, string>;
    /** The link of the interface that has it. */
    readonly holder?: string;
}

export interface RoutePlan {
    /** Arguments of `ip route`. */
    readonly text: string;
    /** The interface towards a host or balancer without which the route can't be. */
    readonly device?: string;
}

/** One host interface. */
export interface NicPlan {
    readonly id: string;
    readonly hostId: string;
    readonly namespace: string;
    /** Name in the router's name space. */
    readonly device: string;
    /** Name in the host: `eth0`, `eth1`, … */
    readonly guestDevice: string;
    readonly mac: string;
    readonly address: string;
    readonly prefix: number;
    readonly gateway: string;
    readonly primary: boolean;
}

/** One load balancer or mount target: a name space of its own, linked with its VPC's. */
export interface BalancerPlan {
    readonly id: string;
    readonly namespace: string;
    /** The VPC's name space. */
    readonly router: string;
    /** Name of the link in the VPC's name space; `eth0` in the balancer's. */
    readonly device: string;
    /** Where clients reach it, as their packets travel. */
    readonly addresses: readonly string[];
    /** Where its connections to servers come from. */
    readonly source: string;
    readonly gateway: string;
}

/** Where the cloud's own services are in every VPC. */
export const RESOLVERS = ["100.100.2.136", "100.100.2.138"] as const;
export const METADATA = "100.100.100.200";

/** Packets that leave by the edge whatever the route table says: of hosts with an EIP, and answers to what came in. */
const LEAVING = 1;
/** Routing table with nothing but the way to the edge. */
const EDGE_TABLE = 50;
/** Routing table with nothing but the VPC's own ranges. */
const RANGE_TABLE = 60;
const FIRST_CUSTOM_TABLE = 1000;
/** Of routes that every other route to the same place goes before. */
const LAST_METRIC = 2 ** 32 - 1;

interface VpcParts {
    readonly vpc: DesiredVpc;
    readonly nics: readonly { readonly hostId: string; readonly nic: DesiredNic }[];
    readonly balancers: readonly Endpoint[];
    readonly groups: ReadonlyMap<string, DesiredSecurityGroup>;
    /** Private address by the EIP bound to it. */
    readonly bound: ReadonlyMap<string, string>;
}

/** What has a name space of its own beside the hosts. */
type Endpoint = Pick<DesiredBalancer, "id" | "vpcId" | "addresses" | "securityGroupIds">;

/** Balancers, and mount targets of file systems, which are to the network what a balancer is. */
export function endpointsOf({ balancers, fileSystems }: DesiredMachine): Endpoint[] {
    return [
        ...balancers,
        ...fileSystems.flatMap(({ mountTargets }) =>
            mountTargets.map(({ id, vpcId, address }) => ({ id, vpcId, addresses: [address] })),
        ),
    ];
}

/** The whole network of a lab. */
export function planNetwork(desired: DesiredMachine, context: PlanContext): NetworkPlan {
    const { lab, slot } = context;
    const routers = desired.vpcs.map((vpc) => planRouter(partsOf(desired, vpc), context));
    const routes: string[] = [];
    const outer = new Map<string, string>();
    for (const router of routers)
        for (const nic of router.nics) {
            const address = outerAddress(lab.index, slot(`nic/${nic.id}`));
            outer.set(address, nic.id);
            routes.push(`${address} via ${router.address} dev ${router.edge} onlink`);
        }
    for (const { addresses, vpcId } of endpointsOf(desired)) {
        const router = routers.find((candidate) => candidate.vpcId === vpcId);
        for (const travels of addresses.map(twin))
            if (router && travels !== undefined)
                routes.push(`${travels} via ${router.address} dev ${router.edge} onlink`);
    }
    const bindings = new Map<string, string>();
    for (const eip of desired.eips) {
        const router = routers.find(({ vpcId }) => vpcId === eip.target?.vpcId);
        if (!eip.target || !router) continue;
        bindings.set(eip.address, JSON.stringify(eip.target));
        routes.push(`${twin(eip.address) ?? eip.address} via ${router.address} dev ${router.edge} onlink`);
    }
    return { routers, routes, outer, bindings };
}

function partsOf(desired: DesiredMachine, vpc: DesiredVpc): VpcParts {
    const bound = new Map<string, string>();
    for (const { address, target } of desired.eips)
        if (target?.kind === "instance" && target.vpcId === vpc.id) bound.set(address, target.privateIp);
    const held = (nicId: string): string[] =>
        vpc.haVips.filter(({ holder }) => holder === nicId).map(({ address }) => address);
    return {
        vpc,
        nics: desired.hosts.flatMap((host) =>
            host.nics
                // To the network an address that an interface holds is one of its own.
                .map((nic) => ({ ...nic, secondaryIps: [...nic.secondaryIps, ...held(nic.id)] }))
                .map((nic) => ({ hostId: host.id, nic }))
                .filter(({ nic }) => nic.vpcId === vpc.id),
        ),
        balancers: endpointsOf(desired).filter(({ vpcId }) => vpcId === vpc.id),
        groups: new Map(desired.securityGroups.map((group) => [group.id, group])),
        bound,
    };
}

function planRouter(parts: VpcParts, context: PlanContext): RouterPlan {
    const { vpc, nics } = parts;
    const { lab, slot } = context;
    const number = slot(`vpc/${vpc.id}`);
    const namespace = `${lab.namespacePrefix}${vpc.id}`;
    const vswitches = new Map(vpc.vswitches.map((vswitch) => [vswitch.id, vswitch]));
    const address = outerAddress(lab.index, number);
    return {
        vpcId: vpc.id,
        namespace,
        slot: number,
        edge: `${lab.edgePrefix}${number}`,
        address,
        gateways: vpc.vswitches.map(({ gateway }) => gateway),
        ...planRoutes(parts, context),
        table: routerTable(parts, context),
        arpTable: arpTable(parts, context),
        nics: nics.flatMap(({ hostId, nic }): NicPlan[] => {
            const vswitch = vswitches.get(nic.vswitchId);
            if (!vswitch) return [];
            return [
                {
                    id: nic.id,
                    hostId,
                    namespace,
                    device: deviceOf(nic, context),
                    guestDevice: `eth${nic.deviceIndex}`,
                    mac: nic.mac,
                    address: nic.primaryIp,
                    prefix: parseCidr(vswitch.cidr)?.prefix ?? 32,
                    gateway: vswitch.gateway,
                    primary: nic.primary,
                },
            ];
        }),
        balancers: parts.balancers.map((balancer) => ({
            id: balancer.id,
            namespace: `${lab.balancerPrefix}${balancer.id}`,
            router: namespace,
            device: balancerDevice(balancer, context),
            addresses: travelling(balancer),
            source: balancerAddress(slot(`balancer/${balancer.id}`)),
            gateway: address,
        })),
        haVips: vpc.haVips.map((haVip) => planHaVip(parts, haVip, context)),
    };
}

function planHaVip({ nics }: VpcParts, { id, address, nicIds, holder }: DesiredHaVip, context: PlanContext): HaVipPlan {
    const candidates = new Map(
        nics.filter(({ nic }) => nicIds.includes(nic.id)).map(({ nic }) => [deviceOf(nic, context), nic.id]),
    );
    const device = [...candidates].find(([, nicId]) => nicId === holder)?.[0];
    return { id, address, candidates, ...(device !== undefined && { holder: device }) };
}

function travelling({ addresses }: Endpoint): string[] {
    return addresses.map((address) => twin(address) ?? address);
}

function balancerDevice({ id }: Endpoint, { slot }: PlanContext): string {
    return `b${slot(`balancer/${id}`)}`;
}

function deviceOf(nic: DesiredNic, { slot }: PlanContext): string {
    return `n${slot(`nic/${nic.id}`)}`;
}

function addressesOf(nic: DesiredNic): string[] {
    return [nic.primaryIp, ...nic.secondaryIps];
}

function planRoutes(parts: VpcParts, context: PlanContext): Pick<RouterPlan, "routes" | "rules"> {
    const { vpc, nics, balancers } = parts;
    const { service } = context.lab;
    const toEdge = `via ${service} dev edge onlink`;
    const devices = new Map<string, string>();
    for (const { nic } of nics) for (const address of addressesOf(nic)) devices.set(address, deviceOf(nic, context));
    for (const balancer of balancers) {
        const device = balancerDevice(balancer, context);
        for (const address of travelling(balancer)) devices.set(address, device);
        devices.set(balancerAddress(context.slot(`balancer/${balancer.id}`)), device);
    }
    const routes: RoutePlan[] = [
        { text: `${service} dev edge` },
        { text: `default ${toEdge} table ${EDGE_TABLE}` },
        // Silent, as in the cloud: what nobody has is not refused, it does not answer.
        ...vpc.vswitches.map(({ cidr }) => ({ text: `blackhole ${cidr}` })),
        ...vpc.cidrs.map((cidr) => ({ text: `blackhole ${cidr} table ${RANGE_TABLE}` })),
        ...[...devices].map(([address, device]) => ({ text: `${address} dev ${device}`, device })),
    ];
    const rules = [
        "pref 100 lookup main suppress_prefixlength 0",
        // Where no VSwitch is, a table's own routes go first, and no default route gets the rest.
        `pref 250 lookup ${RANGE_TABLE}`,
        `pref 300 fwmark ${LEAVING} lookup ${EDGE_TABLE}`,
        // What the router itself says, such as that a packet is too big.
        `pref 500 iif lo lookup ${EDGE_TABLE}`,
        // A rule and not a route: a default route to nowhere would end the look-up in the first table already.
        "pref 600 blackhole",
    ];
    const inRealm = natRealms(vpc);
    vpc.routeTables.forEach(({ id, routes: custom }, position) => {
        const table = FIRST_CUSTOM_TABLE + position;
        for (const { cidr, nextHop } of custom) {
            if (cidr.includes(":")) continue;
            const to = isDefault(cidr) ? "default" : cidr;
            if (nextHop.kind === "nat")
                routes.push({ text: `${to} ${toEdge} table ${table}${inRealm("realm", nextHop.natGatewayId)}` });
            else {
                const device = nextHop.kind === "instance" ? devices.get(nextHop.privateIp) : undefined;
                if (nextHop.kind === "instance" && device !== undefined)
                    routes.push({ text: `${to} via ${nextHop.privateIp} dev ${device} onlink table ${table}`, device });
                // What is meant for a host that is off goes nowhere: its route went with its link, and the default one is not for that.
                if (to !== "default") routes.push({ text: `blackhole ${to} table ${table} metric ${LAST_METRIC}` });
            }
        }
        for (const vswitch of vpc.vswitches) {
            if (vswitch.routeTableId !== id || custom.length === 0) continue;
            for (const sender of sendersIn(vswitch, parts, context)) {
                // An EIP goes before the table's default route, but not before its narrower ones.
                rules.push(`pref 200 ${sender} lookup ${table} suppress_prefixlength 0`);
                rules.push(`pref 400 ${sender} lookup ${table}`);
            }
        }
    });
    return { routes, rules };
}

/**
 * By which the firewall knows to which of several NAT gateways a route has led: the kernel carries a route's realm along. One
 * gateway needs none, nor the kernel's support of them. Returns a realm as `ip` and `nft` write it, with a space before.
 */
function natRealms({ routeTables, snat }: DesiredVpc): (word: "realm" | "rt classid", natGatewayId: string) => string {
    const ids = [
        ...routeTables.flatMap(({ routes }) =>
            routes.flatMap(({ nextHop }) => (nextHop.kind === "nat" ? [nextHop.natGatewayId] : [])),
        ),
        ...snat.map(({ natGatewayId }) => natGatewayId),
    ];
    const gateways = [...new Set(ids)].sort();
    return (word, id) => (gateways.length < 2 ? "" : ` ${word} ${gateways.indexOf(id) + 1}`);
}

/**
 * Who a VSwitch's route table speaks to, as `ip rule` names them. Hosts go by their interface and not by their address: what a
 * host forwards for others has the addresses of those. A rule waits for an interface that is not there yet.
 */
function sendersIn(
    { id, cidr, gateway }: DesiredVSwitch,
    { nics, balancers }: VpcParts,
    context: PlanContext,
): string[] {
    const range = parseCidr(cidr);
    return [
        ...nics.filter(({ nic }) => nic.vswitchId === id).map(({ nic }) => `iif ${deviceOf(nic, context)}`),
        // Those of several zones have addresses in several VSwitches.
        ...balancers.flatMap((balancer) =>
            balancer.addresses
                .filter((address) => range && containsAddress(range, address))
                .map((address) => `iif ${balancerDevice(balancer, context)} from ${address}`),
        ),
        `iif lo from ${gateway}`,
    ];
}

function routerTable(parts: VpcParts, context: PlanContext): string {
    const { vpc, nics, balancers, bound } = parts;
    const { lab, slot, dnsPort, metadataPort } = context;
    const members = groupMembers(nics.map(({ nic }) => nic));
    const sets = [...members].map(([id, addresses]) => set(groupSet(id), "ipv4_addr", [...new Set(addresses)]));
    const { chains, sending, receiving } = filterChains(parts, members, context);
    const own = nics.flatMap(({ nic }) =>
        addressesOf(nic).map((address) => `"${deviceOf(nic, context)}" . ${address}`),
    );
    const outer = nics.flatMap(({ nic }) =>
        addressesOf(nic).map((address) => `${address} : ${outerAddress(lab.index, slot(`nic/${nic.id}`))}`),
    );
    const inbound = [...bound].map(([eip, address]) => `${twin(eip) ?? eip} : ${address}`);
    // An address with several EIPs leaves with the first.
    const outbound = new Map([...bound].reverse().map(([eip, address]) => [address, twin(eip) ?? eip]));
    const inRealm = natRealms(vpc);
    const snat = [...vpc.snat]
        .filter(({ addresses, sourceCidr }) => addresses.length > 0 && !sourceCidr.includes(":"))
        .sort((a, b) => (parseCidr(b.sourceCidr)?.prefix ?? 32) - (parseCidr(a.sourceCidr)?.prefix ?? 32));
    return [
        ...sets,
        set("own", "ifname . ipv4_addr", own),
        set("elastic", "ipv4_addr", [...outbound.keys()]),
        map("outer", "ipv4_addr : ipv4_addr", outer),
        map("inbound", "ipv4_addr : ipv4_addr", inbound),
        map(
            "outbound",
            "ipv4_addr : ipv4_addr",
            [...outbound].map(([address, eip]) => `${address} : ${eip}`),
        ),
        map("sending", "ifname : verdict", sending),
        map("receiving", "ifname : verdict", [
            ...receiving,
            ...balancers.map((balancer) => `"${balancerDevice(balancer, context)}" : ${admission(balancer, context)}`),
        ]),
        chain("genuine", "type filter hook prerouting priority raw; policy accept;", [
            'iifname "edge" accept',
            "iifname . ip saddr @own accept",
            ...secondPasses(parts, context),
            ...forwarders(parts, context),
            'iifname "n*" drop',
        ]),
        chain("marking", "type filter hook prerouting priority mangle; policy accept;", [
            // Answers to what came in by the edge, and not to what came by way of a host that a route leads through.
            `iifname "n*" ct direction reply ct status dnat meta mark set ${LEAVING}`,
            `iifname "b*" ct direction reply ip saddr ${lab.twins} meta mark set ${LEAVING}`,
            `iifname "n*" ip saddr @elastic meta mark set ${LEAVING}`,
        ]),
        chain("arriving", "type nat hook prerouting priority dstnat; policy accept;", [
            ...(["udp", "tcp"] as const).map(
                (protocol) =>
                    `iifname "n*" ip daddr { ${RESOLVERS.join(", ")} } ${protocol} dport 53 dnat to ${lab.service}:${dnsPort}`,
            ),
            `iifname "n*" ip daddr ${METADATA} tcp dport 80 dnat to ${lab.service}:${metadataPort}`,
            ...[...vpc.dnat].sort((a, b) => anyness(a) - anyness(b)).map(dnatRule),
            'iifname "edge" dnat to ip daddr map @inbound',
        ]),
        chain("departing", "type nat hook postrouting priority srcnat; policy accept;", [
            `oifname "edge" ip daddr ${lab.service} ct status dnat snat to ip saddr map @outer`,
            'oifname "edge" snat to ip saddr map @outbound',
            ...snat.map(
                ({ natGatewayId, sourceCidr, addresses }) =>
                    `oifname "edge"${inRealm("rt classid", natGatewayId)} ip saddr ${sourceCidr} snat to ${choice(addresses)}`,
            ),
        ]),
        ...chains,
        ...admissionChains(parts, members, context),
        chain("leaving", "", [
            "ip saddr @elastic accept",
            ...snat.map(({ natGatewayId, sourceCidr }) =>
                `${inRealm("rt classid", natGatewayId)} ip saddr ${sourceCidr} accept`.trimStart(),
            ),
            "drop",
        ]),
        chain("passing", "type filter hook forward priority filter; policy drop;", [
            "tcp flags syn tcp option maxseg size set rt mtu",
            "ct state established,related accept",
            `ip daddr ${lab.service} ct status dnat accept`,
            // As in the cloud: what a balancer lets through, and its health checks, pass every security group.
            'iifname "b*" oifname "n*" accept',
            "iifname vmap @sending",
            'oifname "edge" jump leaving',
            "oifname vmap @receiving",
        ]),
        chain("router", "type filter hook input priority filter; policy drop;", [
            "ct state established,related accept",
            "icmp type echo-request accept",
        ]),
    ].join("\n");
}

/**
 * Only an announcement claims an address. A host that merely sends from one, such as the remains of a service that was
 * killed there, asks for its gateway in the address's name, too, and must not get it back by that.
 */
function arpTable({ vpc, nics }: VpcParts, context: PlanContext): string {
    const rules = vpc.haVips.flatMap(({ address, nicIds }) =>
        nics
            .filter(({ nic }) => nicIds.includes(nic.id))
            .map(
                ({ nic }) =>
                    `iifname "${deviceOf(nic, context)}" arp operation request arp saddr ip ${address} arp daddr ip != ${address} arp saddr ip set ${nic.primaryIp}`,
            ),
    );
    return rules.length > 0 ? chain("asking", "type filter hook input priority filter; policy accept;", rules) : "";
}

/** A chain for each set of groups that occurs, as most hosts share theirs with others. */
function filterChains({ nics, groups }: VpcParts, members: ReturnType<typeof groupMembers>, context: PlanContext) {
    const numbers = new Map<string, number>();
    const chains: string[] = [];
    const sending: string[] = [];
    const receiving: string[] = [];
    for (const { nic } of nics) {
        const ids = [...nic.securityGroupIds].sort();
        const key = ids.join();
        let number = numbers.get(key);
        if (number === undefined) {
            number = numbers.size;
            numbers.set(key, number);
            const own = ids.flatMap((id) => groups.get(id) ?? []);
            chains.push(
                chain(`send_${number}`, "", directionRules("egress", own, members)),
                chain(`receive_${number}`, "", [...directionRules("ingress", own, members), "drop"]),
            );
        }
        sending.push(`"${deviceOf(nic, context)}" : jump send_${number}`);
        receiving.push(`"${deviceOf(nic, context)}" : jump receive_${number}`);
    }
    return { chains, sending, receiving };
}

/** Who reaches a balancer. Most have no security group, but access control lists of their own. */
function admission(balancer: Endpoint, context: PlanContext): string {
    return balancer.securityGroupIds ? `jump admit_${balancerDevice(balancer, context)}` : "accept";
}

/** What the groups of balancers let through: everybody whom no rule drops. */
function admissionChains(
    { balancers, groups }: VpcParts,
    members: ReturnType<typeof groupMembers>,
    context: PlanContext,
): string[] {
    return balancers.flatMap((balancer) => {
        if (!balancer.securityGroupIds) return [];
        const own = balancer.securityGroupIds.flatMap((id) => groups.get(id) ?? []);
        // Members are admitted as everybody is.
        const rules = own.map((group) => ({ ...group, intraGroupAccept: false }));
        return [
            chain(`admit_${balancerDevice(balancer, context)}`, "", [
                ...directionRules("ingress", rules, members),
                "accept",
            ]),
        ];
    });
}

/** Hosts that a route leads through forward packets of others, from the ranges that the route is for. */
function forwarders({ vpc, nics }: VpcParts, context: PlanContext): string[] {
    const hops = vpc.routeTables.flatMap(({ routes }) =>
        routes.flatMap(({ cidr, nextHop }) => (nextHop.kind === "instance" ? [{ cidr, via: nextHop.privateIp }] : [])),
    );
    const rules = hops.flatMap(({ cidr, via }) => {
        const nic = nics.find((candidate) => addressesOf(candidate.nic).includes(via))?.nic;
        if (!nic || cidr.includes(":")) return [];
        const device = deviceOf(nic, context);
        const whole = parseCidr(cidr);
        const own = vpc.cidrs.filter((other) => whole && contains(whole, parseCidr(other) ?? whole));
        return [
            isDefault(cidr) ? `iifname "${device}" accept` : `iifname "${device}" ip saddr ${cidr} accept`,
            ...own.map((other) => `iifname "${device}" ip saddr ${other} accept`),
        ];
    });
    return [...new Set(rules)];
}

/**
 * What a host forwards towards a NAT gateway has passed here before, on its way to that host, and is known as a connection that
 * leaves with its own address. In a zone of its own it is another one; answers come back from the edge and look it up in no zone.
 */
function secondPasses({ vpc, nics }: VpcParts, context: PlanContext): string[] {
    const tables = new Map(vpc.routeTables.map(({ id, routes }) => [id, routes]));
    const hops = new Set(
        vpc.routeTables.flatMap(({ routes }) =>
            routes.flatMap(({ nextHop }) => (nextHop.kind === "instance" ? [nextHop.privateIp] : [])),
        ),
    );
    return nics.flatMap(({ nic }) => {
        const table = vpc.vswitches.find(({ id }) => id === nic.vswitchId)?.routeTableId ?? "";
        const routes = (tables.get(table) ?? []).filter(({ cidr }) => !cidr.includes(":"));
        const leaves = routes.some(({ cidr, nextHop }) => isDefault(cidr) && nextHop.kind === "nat");
        if (!leaves || !addressesOf(nic).some((address) => hops.has(address))) return [];
        const inside = routes.filter(({ cidr, nextHop }) => !isDefault(cidr) && nextHop.kind !== "nat");
        const elsewhere = [...vpc.cidrs, ...inside.map(({ cidr }) => cidr)].map((cidr) => `ip daddr != ${cidr}`);
        return [
            `iifname "${deviceOf(nic, context)}" ${elsewhere.join(" ")} ct original zone set ${context.slot(`nic/${nic.id}`)}`,
        ];
    });
}

function anyness({ externalPort, protocol }: DesiredDnat): number {
    return Number(externalPort === "any") + Number(protocol === "any");
}

function dnatRule(entry: DesiredDnat): string {
    const to = `iifname "edge" ip daddr ${twin(entry.externalAddress) ?? entry.externalAddress}`;
    const ports = portsOf(entry.externalPort);
    if (!ports) {
        const protocol = entry.protocol === "any" ? "" : ` meta l4proto ${entry.protocol}`;
        return `${to}${protocol} dnat to ${entry.internalIp}`;
    }
    const inner = portsOf(entry.internalPort) ?? ports;
    const match = entry.protocol === "any" ? "meta l4proto { tcp, udp } th dport" : `${entry.protocol} dport`;
    const field = entry.protocol === "any" ? "th dport" : `${entry.protocol} dport`;
    const range = ports.from === ports.to ? `${ports.from}` : `${ports.from}-${ports.to}`;
    if (inner.from === ports.from && inner.to === ports.to)
        return `${to} ${match} ${range} dnat to ${entry.internalIp}`;
    if (ports.from === ports.to) return `${to} ${match} ${range} dnat to ${entry.internalIp}:${inner.from}`;
    const pairs = Array.from(
        { length: Math.min(ports.to - ports.from, inner.to - inner.from) + 1 },
        (_, i) => `${ports.from + i} : ${inner.from + i}`,
    );
    return `${to} ${match} ${range} dnat to ${entry.internalIp} : ${field} map { ${pairs.join(", ")} }`;
}

/** `any` is undefined; a port or a range `from/to`. */
function portsOf(text: string): { from: number; to: number } | undefined {
    const match = /^(\d+)(?:[/-](\d+))?$/.exec(text);
    if (!match) return undefined;
    const from = Number(match[1]);
    return { from, to: match[2] === undefined ? from : Number(match[2]) };
}

/** One of several source addresses, always the same for one host. */
function choice(addresses: readonly string[]): string {
    const twins = addresses.map((address) => twin(address) ?? address);
    if (twins.length === 1) return twins[0]!;
    return `jhash ip saddr mod ${twins.length} map { ${twins.map((address, i) => `${i} : ${address}`).join(", ")} }`;
}

/** Content of the lab's table in the machine's own name space. */
export function machineTable(lab: LabAddresses): string {
    const edges = `"${lab.edgePrefix}*"`;
    return [
        chain("guard", "type filter hook prerouting priority raw; policy accept;", [
            // The machine forwards: whoever is on a network with it could route his way to EIPs and to the lab's services.
            `iifname != ${edges} iifname != "lo" ip daddr { ${lab.twins}, ${lab.outer} } drop`,
            // Edge links accept 127.0.0.0/8 for the sake of EIPs. Nothing else of the machine's loopback is a host's business.
            `iifname ${edges} ip saddr 127.0.0.0/8 drop`,
            `iifname ${edges} ip daddr 127.0.0.0/8 ip daddr != ${lab.eips} drop`,
            // Nor are a VPC's own addresses those of the network that the machine is in.
            `iifname ${edges} ip saddr != { ${lab.twins}, ${lab.outer} } drop`,
        ]),
        chain("machine", "type nat hook output priority -100; policy accept;", [
            `ip daddr ${lab.eips} dnat ip prefix to ${lab.twins}`,
        ]),
        chain("hosts", "type nat hook prerouting priority dstnat; policy accept;", [
            `iifname ${edges} ip daddr ${lab.eips} dnat ip prefix to ${lab.twins}`,
        ]),
        chain("departing", "type nat hook postrouting priority srcnat; policy accept;", [
            `ip daddr ${lab.twins} fib saddr type local snat to ${lab.internet}`,
            `oifname != ${edges} ip saddr ${lab.twins} masquerade`,
        ]),
    ].join("\n");
}

/** A chain of a table. @param hook empty for one that others jump to. */
export function chain(name: string, hook: string, rules: readonly string[]): string {
    return [`chain ${name} {`, ...(hook === "" ? [] : [hook]), ...rules, "}"].join("\n");
}

function set(name: string, type: string, elements: readonly string[]): string {
    return collection("set", name, type, elements);
}

function map(name: string, type: string, elements: readonly string[]): string {
    return collection("map", name, type, elements);
}

function collection(kind: string, name: string, type: string, elements: readonly string[]): string {
    const content = elements.length > 0 ? `\nelements = { ${elements.join(", ")} }` : "";
    return `${kind} ${name} {\ntype ${type}${content}\n}`;
}

/** Text that replaces a whole table in one transaction; connections that are tracked stay tracked. */
export function replaceTable(name: string, content: string, family: "ip" | "arp" = "ip"): string {
    const table = `table ${family} ${name}`;
    return `${table}\ndelete ${table}\n${table} {\n${content}\n}\n`;
}

/** EIPs whose binding another plan does not share: connections through them must end. */
export function changedBindings(before: NetworkPlan["bindings"], after: NetworkPlan["bindings"]): string[] {
    return [...before].filter(([eip, binding]) => after.get(eip) !== binding).map(([eip]) => eip);
}

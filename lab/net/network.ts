/** Brings the machine's name spaces, links, routes and firewall to a plan, and takes them away again. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import type { DesiredMachine } from "../model/desired";
import type { Runner } from "../hosts/runner";
import { LabAddresses, edgeMac, labAddresses, twin } from "./addresses";
import { Claim, Claims } from "./claims";
import {
    BalancerPlan,
    NetworkPlan,
    NicPlan,
    RouterPlan,
    changedBindings,
    endpointsOf,
    machineTable,
    planNetwork,
    replaceTable,
} from "./plan";
import { Slots } from "./slots";

/** Where `ip netns` keeps its names. */
const NAMESPACES = "/run/netns";
const VPC_TABLE = "vpc";
/** Interface numbers 0 and 1 are taken by the slice itself and by the lab's services. */
const FIRST_SLOT = 2;

export interface NetworkOptions {
    readonly runner: Runner;
    readonly lab: string;
    readonly index: number;
    /** File for the numbers of VPCs and interfaces. */
    readonly slotsFile: string;
    readonly log: (line: string) => void;
    /** Told when a host announces an address that it may hold; the plan says whether it then does. */
    readonly claimed: (claim: Claim) => void;
}

/** The network side of one lab. Calls must not overlap. */
export class Network {
    readonly addresses: LabAddresses;
    private readonly slots: Slots;
    private readonly claims: Claims;
    private plan: NetworkPlan | undefined;
    /** As they are, while the last pass is trusted, and as they are to be while one goes on. */
    private readonly routers = new Map<string, RouterPlan>();
    /** Links to hosts and balancers that are there, as `<name space>/<device>`. */
    private readonly links = new Set<string>();
    /** Interfaces whose links are about to be there, by link. */
    private readonly plugging = new Map<string, string>();
    /** Addresses of balancers by name space, as far as they are known. */
    private readonly addressed = new Map<string, string>();
    /** What has a number in the plan. */
    private owners: readonly string[] = [];
    private routes = new Set<string>();
    private mtu = 1500;
    private trusted = false;

    constructor(private readonly options: NetworkOptions) {
        this.addresses = labAddresses(options.index);
        this.slots = new Slots(options.slotsFile, FIRST_SLOT, 4096);
        this.claims = new Claims(options);
    }

    /** Forgets what was applied, so that the next pass looks at everything again. */
    distrust(): void {
        this.trusted = false;
    }

    /** The lab's own firewall and addresses, which its services need before there is any VPC. */
    async prepare(): Promise<void> {
        const { device, service, internet, twins, table } = this.addresses;
        const { runner, lab } = this.options;
        this.mtu = uplinkMtu();
        // The firewall first: without it what follows would be open to others.
        await runner.run(["nft", "-f", "-"], { input: replaceTable(table, machineTable(this.addresses)) });
        await runner.script(`
if ! ip link show dev ${device} >/dev/null 2>&1; then ip link add ${device} type bridge; fi
# A way to nowhere: an EIP that is not bound is not refused, it does not answer.
ip link set dev ${device} alias ${lab} arp off up
ip address replace ${service}/32 dev ${device}
ip address replace ${internet}/32 dev ${device}
ip route replace ${twins} dev ${device}
`);
        await this.openFirewalls(table);
    }

    /**
     * Firewalls of others drop what they do not know. Their tables can't be overruled from ours, hence rules in theirs: three of
     * iptables, which carry our name so that they can be found again, and the lab's ranges in firewalld's zone of those that it trusts. What
     * can't be opened so is said before the lab is started: `firewallProblems`.
     */
    private async openFirewalls(tag: string): Promise<void> {
        const { runner } = this.options;
        const { edgePrefix, service } = this.addresses;
        const rules = [
            ["FORWARD", "-i", `${edgePrefix}+`],
            ["FORWARD", "-o", `${edgePrefix}+`],
            ["INPUT", "-i", `${edgePrefix}+`, "-d", `${service}/32`],
        ].map(([chain, ...match]) => [chain, ...match, "-m", "comment", "--comment", tag, "-j", "ACCEPT"].join(" "));
        await runner.script(`
if command -v iptables >/dev/null; then
${rules.map((rule) => `    iptables -w -C ${rule} 2>/dev/null || iptables -w -I ${rule}`).join("\n")}
fi
${this.withFirewalld((range) => `firewall-cmd -q --zone=trusted --add-source=${range}`)}
`);
    }

    /** A script that runs a command for each range that hosts' packets come from, where firewalld runs. */
    private withFirewalld(command: (range: string) => string): string {
        const { outer, twins } = this.addresses;
        return `if command -v firewall-cmd >/dev/null && firewall-cmd -q --state; then
${[outer, twins].map((range) => `    ${command(range)}`).join("\n")}
fi`;
    }

    /** Brings everything but the hosts' own ends to the desired state. Returns the plan for those who plug hosts in. */
    async apply(desired: DesiredMachine, ports: { dnsPort: number; metadataPort: number }): Promise<NetworkPlan> {
        this.owners = [
            ...desired.vpcs.map(({ id }) => `vpc/${id}`),
            ...desired.hosts.flatMap(({ nics }) => nics.map(({ id }) => `nic/${id}`)),
            ...endpointsOf(desired).map(({ id }) => `balancer/${id}`),
        ];
        this.slots.assign(this.owners);
        const plan = planNetwork(desired, {
            lab: this.addresses,
            slot: (owner) => this.slots.find(owner) ?? 0,
            ...ports,
        });
        // Before the look at what is there: a number, and so the name of a link, may have a new owner already.
        await this.removeBalancers(plan);
        if (!this.trusted) await this.inspect(plan);
        try {
            await this.removeRouters(plan);
            for (const router of plan.routers) await this.applyRouter(router);
            for (const router of plan.routers)
                for (const balancer of router.balancers)
                    if (!this.isLinked(router, balancer.device)) await this.plugBalancer(router, balancer);
                    else await this.addressBalancer(balancer);
            await this.applyMachine(plan);
            await this.claims.follow(plan.routers);
        } catch (error) {
            this.trusted = false;
            throw error;
        }
        await this.cut(plan);
        this.plan = plan;
        this.trusted = true;
        return plan;
    }

    /** What is there, for a process that has just begun or that does not know how its last change ended. */
    private async inspect(plan: NetworkPlan): Promise<void> {
        const { runner } = this.options;
        await this.prepare();
        this.links.clear();
        this.addressed.clear();
        this.routes = new Set();
        const script = plan.routers
            .filter(({ namespace }) => existsSync(`${NAMESPACES}/${namespace}`))
            .map(({ namespace }) => `ip -n ${namespace} -o link show | sed "s|^|${namespace} |"`);
        const found = script.length > 0 ? await runner.script(script.join("\n")) : "";
        for (const line of found.split("\n")) {
            const match = /^(\S+) \d+: ([bn]\d+)@/.exec(line);
            if (match) this.links.add(`${match[1]!}/${match[2]!}`);
        }
        // Routes of a lab that was changed while nobody looked: those of the edges are entered again, others go.
        const { edgePrefix } = this.addresses;
        const routes = await runner.run(["ip", "-4", "route", "show"]);
        for (const line of routes.split("\n")) {
            const match = /^(\S+) via (\S+) dev (\S+)/.exec(line);
            if (match?.[3]?.startsWith(edgePrefix))
                this.routes.add(`${match[1]!} via ${match[2]!} dev ${match[3]} onlink`);
        }
    }

    /** Name spaces of balancers that are no more, with what runs in them. */
    private async removeBalancers(plan: NetworkPlan): Promise<void> {
        const wanted = new Set(plan.routers.flatMap(({ balancers }) => balancers.map(({ namespace }) => namespace)));
        const gone = this.balancerNamespaces().filter((namespace) => !wanted.has(namespace));
        if (gone.length > 0) await this.options.runner.script(gone.map(removeBalancer).join("\n"));
        for (const { balancers } of this.routers.values())
            for (const { namespace, router, device } of balancers)
                if (!wanted.has(namespace)) this.links.delete(`${router}/${device}`);
    }

    private async plugBalancer(router: RouterPlan, balancer: BalancerPlan): Promise<void> {
        const routes = router.routes.filter(({ device }) => device === balancer.device);
        const { namespace, device, addresses, source, gateway } = balancer;
        await this.options.runner.script(`
${ensureNamespace(namespace)}
ip -n ${namespace} link delete eth0 2>/dev/null || true
nsenter --net=${NAMESPACES}/${router.namespace} sh -eus <<'END_OF_ROUTER'
ip link delete ${device} 2>/dev/null || true
ip link add ${device} mtu ${this.mtu} type veth peer name eth0 mtu ${this.mtu} netns ${namespace}
ip -batch - <<'END_OF_BATCH'
link set ${device} up
${routes.map(({ text }) => `route replace ${text}`).join("\n")}
END_OF_BATCH
END_OF_ROUTER
ip -n ${namespace} -batch - <<'END_OF_BATCH'
link set lo up
address replace ${source}/32 dev eth0
${addresses.map((address) => `address replace ${address}/32 dev eth0`).join("\n")}
link set eth0 up
route replace default via ${gateway} dev eth0 onlink src ${source}
END_OF_BATCH
`);
        this.links.add(`${router.namespace}/${device}`);
        this.addressed.set(namespace, addresses.join(" "));
    }

    /** A balancer may change its addresses, from those of a VPC to those of the internet and back. */
    private async addressBalancer({ namespace, addresses, source }: BalancerPlan): Promise<void> {
        if (this.addressed.get(namespace) === addresses.join(" ")) return;
        await this.options.runner.script(`
ip -n ${namespace} -o -4 address show dev eth0 | awk '{ print $4 }' | while read -r address; do
    case " ${[source, ...addresses].join(" ")} " in
    *" \${address%/32} "*) ;;
    *) ip -n ${namespace} address delete "$address" dev eth0 ;;
    esac
done
${addresses.map((address) => `ip -n ${namespace} address replace ${address}/32 dev eth0`).join("\n")}
`);
        this.addressed.set(namespace, addresses.join(" "));
    }

    private async removeRouters(plan: NetworkPlan): Promise<void> {
        const wanted = new Set(plan.routers.map(({ namespace }) => namespace));
        const there = this.trusted ? [...this.routers.values()].map(({ namespace }) => namespace) : this.namespaces();
        for (const namespace of there) if (!wanted.has(namespace)) await this.removeRouter(namespace);
        for (const namespace of this.routers.keys()) if (!wanted.has(namespace)) this.routers.delete(namespace);
        // A link whose other end was lost has a name that a new VPC may need.
        if (!this.trusted) await this.removeStrayEdges(plan);
    }

    private async removeRouter(namespace: string): Promise<void> {
        this.claims.forget(namespace);
        await this.options.runner.script(`
ip -n ${namespace} link delete edge 2>/dev/null || true
ip netns delete ${namespace}
`);
        this.routers.delete(namespace);
        for (const link of this.links) if (link.startsWith(`${namespace}/`)) this.links.delete(link);
    }

    private async removeStrayEdges(plan: NetworkPlan): Promise<void> {
        const wanted = new Set(plan.routers.map(({ edge }) => edge));
        const lines = this.edges().filter((edge) => !wanted.has(edge));
        if (lines.length > 0)
            await this.options.runner.run(["ip", "-force", "-batch", "-"], {
                input: lines.map((edge) => `link delete ${edge}\n`).join(""),
            });
    }

    private async applyRouter(router: RouterPlan): Promise<void> {
        const { runner } = this.options;
        const known = this.trusted ? this.routers.get(router.namespace) : undefined;
        // From now on, for the sake of links that are plugged in while this goes on.
        this.routers.set(router.namespace, router);
        const lines = known ? routerChanges(known, router, (device) => this.isLinked(router, device)) : undefined;
        const tables = tableChanges(known, router);
        if (known && lines?.length === 0 && tables.length === 0) return;
        const script = [
            ...(known ? [] : [createRouter(router, this.addresses, this.mtu)]),
            `nsenter --net=${NAMESPACES}/${router.namespace} sh -eus <<'END_OF_ROUTER'`,
            ...(known ? [] : [settleRouter(router, this.addresses)]),
            // The firewall first: what it does not know yet it drops.
            ...(tables.length > 0 ? ["nft -f - <<'END_OF_TABLE'", ...tables, "END_OF_TABLE"] : []),
            "ip -force -batch - <<'END_OF_BATCH' || true",
            ...(lines ?? allLines(router, (device) => this.isLinked(router, device))),
            "END_OF_BATCH",
            "END_OF_ROUTER",
        ];
        await runner.script(script.join("\n"));
    }

    private isLinked(router: RouterPlan, device: string): boolean {
        const link = linkOf({ namespace: router.namespace, device });
        // What is entered for one that is not there yet fails, and is caught up with.
        return this.links.has(link) || this.plugging.has(link);
    }

    private async applyMachine(plan: NetworkPlan): Promise<void> {
        const { runner } = this.options;
        const wanted = new Set(plan.routes);
        const lines = [
            ...[...this.routes].filter((route) => !wanted.has(route)).map((route) => `route delete ${route}`),
            ...plan.routes
                .filter((route) => !this.routes.has(route) || !this.trusted)
                .map((route) => `route replace ${route}`),
        ];
        if (lines.length > 0) await runner.run(["ip", "-force", "-batch", "-"], { input: `${lines.join("\n")}\n` });
        this.routes = wanted;
    }

    /** Ends connections through EIPs that are not bound any more, or to something else. */
    private async cut(plan: NetworkPlan): Promise<void> {
        if (!this.plan) return;
        const lines = changedBindings(this.plan.bindings, plan.bindings).flatMap((eip) => {
            const other = twin(eip) ?? eip;
            const before = this.plan?.bindings.get(eip);
            const vpcId = before === undefined ? "" : (JSON.parse(before) as { vpcId: string }).vpcId;
            const namespace = `${this.addresses.namespacePrefix}${vpcId}`;
            return [
                `conntrack -D -f ipv4 -d ${eip}`,
                `conntrack -D -f ipv4 -s ${other}`,
                ...(existsSync(`${NAMESPACES}/${namespace}`)
                    ? [
                          `nsenter --net=${NAMESPACES}/${namespace} conntrack -D -f ipv4 -d ${other}`,
                          `nsenter --net=${NAMESPACES}/${namespace} conntrack -D -f ipv4 -q ${other}`,
                      ]
                    : []),
            ];
        });
        // conntrack fails when there is nothing to delete.
        if (lines.length > 0)
            await this.options.runner.attempt(["sh"], {
                input: lines.map((line) => `${line} >/dev/null 2>&1`).join("\n"),
            });
    }

    /**
     * Puts a link between the host's VPC and the name space of a process of the host's. Returns what remains to be
     * done on the host's side, as a shell script to run there.
     */
    async plug(hostId: string, pid: number, only?: ReadonlySet<string>): Promise<string> {
        const nics = this.nicsOf(hostId).filter(({ id }) => !only || only.has(id));
        for (const nic of nics) this.plugging.set(linkOf(nic), nic.id);
        try {
            const entered = new Map(nics.map((nic) => [nic, this.routesOf(nic)]));
            const scripts = nics.map(
                (nic) => `nsenter --net=${NAMESPACES}/${nic.namespace} sh -eus <<'END_OF_ROUTER'
ip link delete ${nic.device} 2>/dev/null || true
ip link add ${nic.device} mtu ${this.mtu} type veth peer name ${nic.guestDevice} mtu ${this.mtu} address ${nic.mac} netns ${pid}
sysctl -qw net.ipv4.neigh.${nic.device}.proxy_delay=0
ip -batch - <<'END_OF_BATCH'
link set ${nic.device} up
${entered
    .get(nic)!
    .map((text) => `route replace ${text}`)
    .join("\n")}
END_OF_BATCH
END_OF_ROUTER`,
            );
            if (scripts.length > 0) await this.options.runner.script(scripts.join("\n"));
            while (await this.catchUp(entered));
            for (const nic of nics) this.links.add(linkOf(nic));
        } finally {
            for (const nic of nics) this.plugging.delete(linkOf(nic));
        }
        return nics.map((nic) => guestScript(nic, this.addresses)).join("\n");
    }

    /**
     * Brings the routes of links that are being plugged in to what passes have planned meanwhile, which could enter none before the
     * link was there. Returns whether there was anything to do.
     */
    private async catchUp(entered: Map<NicPlan, string[]>): Promise<boolean> {
        let behind = false;
        for (const [nic, before] of entered) {
            const after = this.routesOf(nic);
            const lines = [
                ...without(before, after).map((text) => `route delete ${text}\n`),
                ...without(after, before).map((text) => `route replace ${text}\n`),
            ];
            if (lines.length === 0) continue;
            behind = true;
            entered.set(nic, after);
            await this.options.runner.attempt(["ip", "-n", nic.namespace, "-force", "-batch", "-"], {
                input: lines.join(""),
            });
        }
        return behind;
    }

    /** Routes that an interface's link is to have, as of now. */
    private routesOf({ namespace, device }: NicPlan): string[] {
        const routes = this.routers.get(namespace)?.routes ?? [];
        return routes.filter((route) => route.device === device).map(({ text }) => text);
    }

    /** Takes links of interfaces away that the host does not have any more. */
    async unplug(namespace: string, devices: readonly string[]): Promise<void> {
        await this.options.runner.attempt(["ip", "-n", namespace, "-force", "-batch", "-"], {
            input: devices.map((device) => `link delete ${device}\n`).join(""),
        });
        for (const device of devices) this.links.delete(`${namespace}/${device}`);
    }

    /** The host's name space is gone, and its links with it. */
    forget(hostId: string): void {
        for (const nic of this.nicsOf(hostId)) this.links.delete(linkOf(nic));
    }

    /** Interfaces of a running host whose links are missing. */
    missing(hostId: string): NicPlan[] {
        return this.nicsOf(hostId).filter((nic) => !this.links.has(linkOf(nic)));
    }

    /**
     * Links that no host of the plan has: of interfaces taken from a host that goes on running. Only without them their
     * numbers are free: another interface under one of them would be taken for wired.
     */
    async removeStrayLinks(): Promise<void> {
        const wanted = new Set(
            [...this.routers.values()].flatMap(({ nics, balancers, namespace }) =>
                [...nics, ...balancers].map(({ device }) => `${namespace}/${device}`),
            ),
        );
        const stray = new Map<string, string[]>();
        for (const link of this.links) {
            if (wanted.has(link)) continue;
            const [namespace = "", device = ""] = link.split("/");
            stray.set(namespace, [...(stray.get(namespace) ?? []), device]);
        }
        for (const [namespace, devices] of stray) await this.unplug(namespace, devices);
        this.slots.keep([...this.owners, ...[...this.plugging.values()].map((id) => `nic/${id}`)]);
    }

    private nicsOf(hostId: string): NicPlan[] {
        return [...this.routers.values()].flatMap(({ nics }) => nics.filter((nic) => nic.hostId === hostId));
    }

    /** Where a balancer or a mount target is, while it is anywhere. */
    balancer(id: string): BalancerPlan | undefined {
        for (const { balancers } of this.routers.values()) {
            const found = balancers.find((balancer) => balancer.id === id);
            if (found) return found;
        }
        return undefined;
    }

    /** Interface id by the outer address that its requests to the lab's services come from. */
    askedFrom(address: string): string | undefined {
        return this.plan?.outer.get(address);
    }

    private namespaces(): string[] {
        return listFolder(NAMESPACES).filter((name) => name.startsWith(this.addresses.namespacePrefix));
    }

    private balancerNamespaces(): string[] {
        return listFolder(NAMESPACES).filter((name) => name.startsWith(this.addresses.balancerPrefix));
    }

    private edges(): string[] {
        return listFolder("/sys/class/net").filter((name) => name.startsWith(this.addresses.edgePrefix));
    }

    /** Stops watching; what was applied stays. */
    close(): void {
        this.claims.close();
    }

    /** Removes all of it, found by name: nothing that was done before needs to be remembered. */
    async destroy(): Promise<void> {
        this.close();
        const { runner } = this.options;
        const { device, table } = this.addresses;
        const lines = [
            ...this.balancerNamespaces().map(removeBalancer),
            ...this.namespaces().flatMap((name) => [
                `ip -n ${name} link delete edge 2>/dev/null || true`,
                `ip netns delete ${name}`,
            ]),
            ...this.edges().map((edge) => `ip link delete ${edge} 2>/dev/null || true`),
            `ip link delete ${device} 2>/dev/null || true`,
            `nft delete table ip ${table} 2>/dev/null || true`,
            this.withFirewalld((range) => `firewall-cmd -q --zone=trusted --remove-source=${range} || true`),
            `command -v iptables-save >/dev/null || exit 0`,
            `iptables-save | grep -E -- '--comment "?${table}"? ' | sed 's/^-A/-D/' | while read -r rule; do eval "iptables -w $rule"; done`,
        ];
        await runner.script(lines.join("\n"));
        this.routers.clear();
        this.links.clear();
        this.plan = undefined;
        this.trusted = false;
    }
}

/** Of name spaces that ended with a surrounding container their names may stay, as empty files. */
function ensureNamespace(namespace: string): string {
    return `
if ! ip -n ${namespace} link show lo >/dev/null 2>&1; then
    ip netns delete ${namespace} 2>/dev/null || true
    ip netns add ${namespace}
fi`;
}

/** The link first: a name space whose processes take their time to end would keep its name in the VPC's. */
function removeBalancer(namespace: string): string {
    return `
ip -n ${namespace} link delete eth0 2>/dev/null || true
ip netns pids ${namespace} | xargs -r kill -KILL 2>/dev/null || true
ip netns delete ${namespace}`;
}

function listFolder(folder: string): string[] {
    try {
        return readdirSync(folder);
    } catch {
        return [];
    }
}

/** MTU of the machine's way out: a larger one inside would lose packets where path MTU discovery does not work. */
export function uplinkMtu(): number {
    try {
        const line = readFileSync("/proc/net/route", "utf8")
            .split("\n")
            .find((text) => /^\S+\t00000000\t/.test(text));
        const mtu = Number(readFileSync(`/sys/class/net/${line?.split("\t")[0] ?? "lo"}/mtu`, "utf8"));
        return mtu >= 576 && mtu <= 9000 ? mtu : 1500;
    } catch {
        return 1500;
    }
}

function createRouter({ namespace, edge, slot, address }: RouterPlan, lab: LabAddresses, mtu: number): string {
    const [near, far] = [edgeMac("machine", lab.index, slot), edgeMac("router", lab.index, slot)];
    return `
${ensureNamespace(namespace)}
if ! ip -n ${namespace} link show dev edge >/dev/null 2>&1; then
    ip link delete ${edge} 2>/dev/null || true
    ip link add ${edge} address ${near} mtu ${mtu} type veth peer name edge address ${far} mtu ${mtu} netns ${namespace}
fi
sysctl -qw net.ipv4.conf.${edge}.route_localnet=1 net.ipv4.conf.${edge}.rp_filter=0 net.ipv4.conf.${edge}.send_redirects=0 2>/dev/null
sysctl -qw net.ipv6.conf.${edge}.disable_ipv6=1 2>/dev/null || true
ip link set dev ${edge} up
ip neighbour replace ${address} lladdr ${far} dev ${edge} nud permanent
`;
}

function settleRouter(router: RouterPlan, lab: LabAddresses): string {
    const near = edgeMac("machine", lab.index, router.slot);
    return `
sysctl -qw net.ipv4.ip_forward=1
for scope in all default edge; do
    sysctl -qw net.ipv4.conf.$scope.rp_filter=0 net.ipv4.conf.$scope.send_redirects=0 net.ipv4.conf.$scope.route_localnet=1
done
sysctl -qw net.ipv4.conf.default.proxy_arp=1 net.ipv4.conf.edge.proxy_arp=0
# Announcements of addresses that nobody has yet.
sysctl -qw net.ipv4.conf.all.arp_accept=1
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || true
ip link set dev edge up
ip -4 address flush dev edge
ip address add ${router.address}/32 dev edge
# After the addresses: with the last of them the kernel forgets the link's neighbours.
ip neighbour replace ${lab.service} lladdr ${near} dev edge nud permanent
# All but the local addresses, whatever the tables' numbers were.
ip -4 route flush table all type unicast
ip -4 route flush table all type blackhole
nft delete table arp ${VPC_TABLE} 2>/dev/null || true
ip -4 rule flush
ip -4 rule add pref 32766 lookup main
`;
}

/** Name of an interface's link to its router. */
function linkOf({ namespace, device }: Pick<NicPlan, "namespace" | "device">): string {
    return `${namespace}/${device}`;
}

function tableChanges(before: RouterPlan | undefined, { table, arpTable }: RouterPlan): string[] {
    return [
        ...(before?.table === table ? [] : [replaceTable(VPC_TABLE, table)]),
        ...((before?.arpTable ?? "") === arpTable ? [] : [replaceTable(VPC_TABLE, arpTable, "arp")]),
    ];
}

function allLines(router: RouterPlan, isLinked: (device: string) => boolean): string[] {
    return [
        ...router.gateways.map((address) => `address replace ${address}/32 dev edge`),
        ...router.routes
            .filter(({ device }) => device === undefined || isLinked(device))
            .map(({ text }) => `route replace ${text}`),
        ...router.rules.map((rule) => `rule add ${rule}`),
    ];
}

/** Texts that others do not have. */
function without(texts: readonly string[], others: readonly string[]): string[] {
    const known = new Set(others);
    return texts.filter((text) => !known.has(text));
}

function routerChanges(before: RouterPlan, after: RouterPlan, isLinked: (device: string) => boolean): string[] {
    const texts = ({ routes }: RouterPlan): string[] =>
        routes.filter(({ device }) => device === undefined || isLinked(device)).map(({ text }) => text);
    return [
        ...without(before.rules, after.rules).map((rule) => `rule delete ${rule}`),
        ...without(before.gateways, after.gateways).map((address) => `address delete ${address}/32 dev edge`),
        ...without(
            before.routes.map(({ text }) => text),
            after.routes.map(({ text }) => text),
        ).map((text) => `route delete ${text}`),
        ...without(after.gateways, before.gateways).map((address) => `address replace ${address}/32 dev edge`),
        ...without(texts(after), texts(before)).map((text) => `route replace ${text}`),
        ...without(after.rules, before.rules).map((rule) => `rule add ${rule}`),
    ];
}

/**
 * The host's side of a link. EIPs are loopback addresses to the host, so they get a route of their own in the table
 * that would deliver them locally.
 */
function guestScript(nic: NicPlan, lab: LabAddresses): string {
    const { guestDevice: device, address, prefix, gateway } = nic;
    const table = 100 + Number(device.slice(3));
    // An interface can come while the host boots, and is then plugged in twice; rules know no `replace`.
    const clear = nic.primary ? "" : `ip rule delete pref ${table} 2>/dev/null || true`;
    return `
${clear}
ip -batch - <<'END_OF_BATCH'
link set lo up
address replace ${address}/${prefix} dev ${device}
link set ${device} up
${
    nic.primary
        ? `route replace ${lab.eips} via ${gateway} dev ${device} src ${address} table local\nroute replace default via ${gateway} dev ${device}`
        : `route replace default via ${gateway} dev ${device} table ${table}\nrule add pref ${table} from ${address} lookup ${table}`
}
END_OF_BATCH
`;
}

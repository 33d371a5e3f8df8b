/**
 * What should exist on this machine, derived from the model and handed to `lab/hosts` and `lab/net`, which bring
 * the machine there. It is the whole of what they know: no OpenAPI names, no HTTP, no history. Reconciling the same
 * value twice changes nothing; reconciling after a crash repairs what is missing and removes what is too much.
 */
import type { RecordType } from "./privateZone";

export interface DesiredMachine {
    readonly vpcs: readonly DesiredVpc[];
    readonly hosts: readonly DesiredHost[];
    /** Data disks that there are, attached or not: the content of others goes. Absent where none is to go. */
    readonly diskIds?: readonly string[];
    readonly eips: readonly DesiredEip[];
    readonly securityGroups: readonly DesiredSecurityGroup[];
    readonly balancers: readonly DesiredBalancer[];
    readonly zones: readonly DesiredZone[];
    readonly fileSystems: readonly DesiredFileSystem[];
}

/** A folder of files, and where it is mounted from. Its files go with it. */
export interface DesiredFileSystem {
    readonly id: string;
    readonly mountTargets: readonly DesiredMountTarget[];
}

/** An NFS server in a VPC. */
export interface DesiredMountTarget {
    /** The name under which the VPC's hosts know it. */
    readonly id: string;
    readonly vpcId: string;
    readonly address: string;
    /** Whether it lets anyone in at all. */
    readonly active: boolean;
    /** Who is let in; for an address the first one that fits counts, and nobody else gets in. */
    readonly rules: readonly DesiredAccess[];
}

export interface DesiredAccess {
    /** An address or a range. */
    readonly source: string;
    readonly write: boolean;
    /** Whose files are nobody's: nobody's are, root's, or everybody's. */
    readonly squash: "none" | "root" | "all";
}

/** Names that the hosts of some VPCs know. */
export interface DesiredZone {
    /** In lower case, without a dot at the end. */
    readonly name: string;
    readonly vpcIds: readonly string[];
    /** Whether names that it doesn't have are the internet's resolvers' business. */
    readonly recursive: boolean;
    readonly records: readonly DesiredZoneRecord[];
}

export interface DesiredZoneRecord {
    /** The whole name, `redis.internal` or `*.internal`, in lower case. */
    readonly name: string;
    readonly type: RecordType;
    readonly value: string;
    readonly ttl: number;
    readonly priority: number;
}

/** An isolated network. Two of them may use the same CIDR. */
export interface DesiredVpc {
    readonly id: string;
    /** Primary and secondary CIDRs. */
    readonly cidrs: readonly string[];
    readonly vswitches: readonly DesiredVSwitch[];
    readonly routeTables: readonly DesiredRouteTable[];
    readonly snat: readonly DesiredSnat[];
    readonly dnat: readonly DesiredDnat[];
    readonly haVips: readonly DesiredHaVip[];
}

/** An address that its members may announce. Nobody reaches it while no member holds it. */
export interface DesiredHaVip {
    readonly id: string;
    readonly address: string;
    /** Interfaces that may announce it. */
    readonly nicIds: readonly string[];
    /** The interface that the address leads to, and that may send from it. */
    readonly holder?: string;
}

export interface DesiredVSwitch {
    readonly id: string;
    readonly cidr: string;
    /** The VSwitch's router address: the third last of its range, `.253` of a /24. */
    readonly gateway: string;
    readonly routeTableId: string;
}

export interface DesiredRouteTable {
    readonly id: string;
    /** Custom entries only; the VSwitches' ranges are always routed. */
    readonly routes: readonly DesiredRoute[];
}

export interface DesiredRoute {
    readonly cidr: string;
    readonly nextHop:
        | { readonly kind: "nat"; readonly natGatewayId: string }
        | { readonly kind: "instance"; readonly privateIp: string }
        | { readonly kind: "blackhole" };
}

/** Hosts whose address lies in `sourceCidr` leave through the NAT gateway with one of `addresses`, when their route table sends them there. */
export interface DesiredSnat {
    readonly id: string;
    readonly natGatewayId: string;
    readonly sourceCidr: string;
    /** EIPs bound to the NAT gateway. */
    readonly addresses: readonly string[];
}

/** A port of an EIP that is bound to the NAT gateway, forwarded to a host. */
export interface DesiredDnat {
    readonly id: string;
    readonly externalAddress: string;
    /** `any`, a port or a range `from/to`. */
    readonly externalPort: string;
    readonly protocol: "tcp" | "udp" | "any";
    readonly internalIp: string;
    readonly internalPort: string;
}

export interface DesiredHost {
    /** Instance id, unique on the account. */
    readonly id: string;
    /** Identity of the root file system: another value means another, empty machine under the same id. */
    readonly systemDiskId: string;
    readonly hostname: string;
    /** What people and the metadata service call it. */
    readonly name: string;
    readonly instanceType: string;
    /** Whether the metadata service answers it, and if so, only who shows a token. */
    readonly metadata: { readonly enabled: boolean; readonly tokenRequired: boolean };
    readonly imageId: string;
    /** Whether it shares the machine's kernel, or boots its distribution's own. */
    readonly kernel: "shared" | "own";
    readonly power: "running" | "stopped";
    /** To stop or reboot it, its power is cut: nothing in it shuts down. @default false */
    readonly forceStop?: boolean;
    /** Counts the reboots asked for by the API; a larger value than the one last applied restarts the host. */
    readonly bootCount: number;
    readonly cpus: number;
    readonly memoryMiB: number;
    readonly nics: readonly DesiredNic[];
    /** Decoded user data, as cloud-init takes it: a script or `#cloud-config`. */
    readonly userData?: string;
    /** OpenSSH public keys for root, planted at boot. */
    readonly publicKeys: readonly string[];
    /** Password for root, set at boot. */
    readonly password?: string;
    readonly disks: readonly DesiredDisk[];
    /** Tags, for `/latest/meta-data` and for people who look at the containers. */
    readonly tags: Readonly<Record<string, string>>;
    readonly zoneId: string;
    readonly regionId: string;
}

export interface DesiredNic {
    readonly id: string;
    readonly vpcId: string;
    readonly vswitchId: string;
    readonly mac: string;
    readonly primary: boolean;
    /** Unique in its host, and the same for as long as it is there: `eth1` is 1. */
    readonly deviceIndex: number;
    readonly primaryIp: string;
    readonly secondaryIps: readonly string[];
    readonly securityGroupIds: readonly string[];
}

export interface DesiredDisk {
    readonly id: string;
    readonly sizeGiB: number;
    /** `/dev/xvdb`, `/dev/xvdc`, … as the cloud names them. */
    readonly device: string;
}

/** A public address; `target` is absent while it is not bound. */
export interface DesiredEip {
    readonly id: string;
    /** In 127.77.0.0/16. */
    readonly address: string;
    readonly target?:
        | { readonly kind: "instance"; readonly vpcId: string; readonly privateIp: string }
        | { readonly kind: "nat"; readonly vpcId: string; readonly natGatewayId: string };
}

export interface DesiredSecurityGroup {
    readonly id: string;
    readonly vpcId: string;
    /** Members reach each other unless a rule drops it. */
    readonly intraGroupAccept: boolean;
    readonly rules: readonly DesiredRule[];
}

/**
 * One rule. An interface in several groups gets the rules of all, sorted by priority (1 first, 100 last), drop before
 * accept at the same priority. What no rule decides: ingress is dropped, egress accepted.
 */
export interface DesiredRule {
    readonly direction: "ingress" | "egress";
    readonly policy: "accept" | "drop";
    readonly priority: number;
    readonly protocol: "tcp" | "udp" | "icmp" | "icmpv6" | "gre" | "all";
    /** Inclusive; absent for protocols without ports and for all ports. */
    readonly ports?: { readonly from: number; readonly to: number };
    readonly sourcePorts?: { readonly from: number; readonly to: number };
    /** The other side: the source of ingress, the destination of egress. */
    readonly peer:
        | { readonly kind: "cidr"; readonly cidr: string }
        | { readonly kind: "group"; readonly securityGroupId: string }
        | { readonly kind: "cidrs"; readonly cidrs: readonly string[] };
    /** Narrows the host's own side (`DestCidrIp` of ingress, `SourceCidrIp` of egress). */
    readonly ownCidr?: string;
}

/** A load balancer of any kind, as far as traffic sees it. */
export interface DesiredBalancer {
    readonly id: string;
    /** Where it listens: internet addresses in 127.77.0.0/16, or addresses of its VPC. */
    readonly addresses: readonly string[];
    /** Where its servers are. */
    readonly vpcId: string;
    /** Their ingress rules say who may not connect; what none of them decides is accepted. */
    readonly securityGroupIds?: readonly string[];
    /** Those that run. */
    readonly listeners: readonly DesiredListener[];
}

export interface DesiredListener {
    /** Unique on the account. */
    readonly id: string;
    readonly protocol: "tcp" | "udp" | "http" | "https";
    readonly port: number;
    /** Who may connect; everybody when absent. */
    readonly access?: { readonly kind: "allow" | "deny"; readonly cidrs: readonly string[] };
    /** Sends clients elsewhere instead of balancing. */
    readonly redirect?: DesiredRedirect;
    /** Of HTTPS, and of TCP whose TLS ends at the balancer. */
    readonly tls?: DesiredTls;
    /** Seconds after which an idle connection of a client ends, or a flow of its datagrams is forgotten. */
    readonly idleSeconds: number;
    /** Seconds that a server may take to answer. */
    readonly requestSeconds: number;
    /** Of HTTP and HTTPS: whether servers are told the client's address as X-Forwarded-For. */
    readonly forwardedFor: boolean;
    /** Of HTTP and HTTPS: what else they are told. */
    readonly headers: readonly { readonly name: string; readonly value: HeaderValue }[];
    readonly gzip: boolean;
    /** Of HTTP and HTTPS: a server that takes no connection is answered for with 502 instead of 503. */
    readonly badGateway?: boolean;
    /** Servers see the client's address in a PROXY protocol header. */
    readonly proxyProtocol: boolean;
    /** Of HTTP and HTTPS, first match first. */
    readonly rules: readonly DesiredForwarding[];
    /** Servers of what no rule matches. */
    readonly pool: DesiredPool;
}

/** A fixed text, or something about the client's connection. */
export type HeaderValue =
    { readonly kind: "text"; readonly text: string } | { readonly kind: "protocol" | "port" | "clientPort" };

export interface DesiredTls {
    /** PEM of certificate, chain and key. */
    readonly certificate: string;
    /** PEM of the authority that clients' certificates must come from. */
    readonly clientAuthority?: string;
    readonly minimum: "TLSv1.0" | "TLSv1.1" | "TLSv1.2";
    readonly maximum: "TLSv1.2" | "TLSv1.3";
    /** Protocols that are offered within, the preferred one first; none are agreed on when empty. */
    readonly alpn: readonly string[];
}

/** Where a client is sent to; the path and the query stay as they are. */
export interface DesiredRedirect {
    readonly protocol: "http" | "https";
    /** The one that was asked for when absent. */
    readonly host?: string;
    readonly port: number;
    /** Status, such as 301. */
    readonly code: number;
}

/** What happens to requests for one of some hosts and one of some paths. */
export type DesiredForwarding = {
    readonly id: string;
    /** Host names, `*` standing for anything; any when empty. */
    readonly domains: readonly string[];
    /** Paths, `*` standing for anything; any when empty. */
    readonly paths: readonly string[];
} & ({ readonly pool: DesiredPool } | { readonly redirect: DesiredRedirect });

export interface DesiredPool {
    /** Id of the server group; the balancer's own where its default servers serve. */
    readonly groupId?: string;
    readonly servers: readonly DesiredServer[];
    readonly scheduler: "weighted" | "equal" | "leastConnections" | "sourceHash" | "connectionHash";
    readonly check?: DesiredCheck;
    /** Whether its servers get traffic when none that may get any is up, instead of nobody. */
    readonly open?: boolean;
    readonly stickiness?:
        | { readonly kind: "insert"; readonly seconds: number }
        | { readonly kind: "rewrite"; readonly cookie: string }
        | { readonly kind: "source"; readonly seconds: number };
}

export interface DesiredServer {
    /** Id of the host or interface. */
    readonly id: string;
    readonly address: string;
    readonly port: number;
    /** 0 to 100; with 0 it gets nothing new. */
    readonly weight: number;
}

/** Connects to the server, unless it asks over HTTP or sends a datagram. */
export interface DesiredCheck {
    readonly http?: {
        readonly method: "HEAD" | "GET";
        readonly path: string;
        /** Version of HTTP. */
        readonly version: "1.0" | "1.1";
        /** `Host` of the request; the server's address when absent. */
        readonly host?: string;
        /** First digits of the statuses that are healthy: `2`, `3`, … */
        readonly classes: readonly number[];
    };
    /** A datagram; the server is healthy unless its port is closed or, where an answer is expected, that fails to come. */
    readonly udp?: { readonly request: string; readonly expect?: string };
    /** The traffic's port when absent. */
    readonly port?: number;
    readonly intervalSeconds: number;
    readonly timeoutSeconds: number;
    /** Checks in a row that must succeed, or fail, for a server to change its state. */
    readonly healthyAfter: number;
    readonly unhealthyAfter: number;
}

/** How a listener finds one of its servers. */
export interface ServerHealth {
    readonly listenerId: string;
    readonly address: string;
    readonly port: number;
    /** `unchecked` without a check. */
    readonly health: "up" | "down" | "unchecked";
}

/** What the machine reports back to the model. */
export type MachineEvent =
    /** It is on, and has been rebooted as often as `bootCount` says; as often as it should when that is absent. */
    | { readonly kind: "running"; readonly hostId: string; readonly bootCount?: number }
    /** The guest powered itself off, or its container died. */
    | { readonly kind: "stopped"; readonly hostId: string }
    | { readonly kind: "failed"; readonly hostId: string; readonly reason: string }
    /** A host announced an address that it may hold. */
    | { readonly kind: "claimed"; readonly haVipId: string; readonly nicId: string };

/** The machine under the lab: containers, name spaces, addresses, firewall. */
export interface Machine {
    /**
     * Brings the machine to `desired`. Calls may overlap: they are coalesced, and the promise resolves when a pass that
     * began after the call has put network and firewall in place and started (not necessarily booted) the hosts.
     */
    reconcile(desired: DesiredMachine): Promise<void>;
    /**
     * Resolves when what the last call of `reconcile` asked for is in force in network, firewall and balancers, and these hosts have followed.
     * Other hosts may take long, and nobody who asked for nothing of theirs waits for them. Also resolves when it has failed.
     */
    inForce(hostIds: readonly string[]): Promise<void>;
    onEvent(listener: (event: MachineEvent) => void): void;
    /** Console output of a host since its last boot, newest last. */
    consoleOutput(hostId: string): Promise<string>;
    /** How a balancer finds its servers; empty while it does not run. */
    health(balancerId: string): Promise<readonly ServerHealth[]>;
    /** Whether an active mount target can be mounted by now. */
    serves(mountTargetId: string): boolean;
    /** Stops watching; what runs goes on running. */
    close(): Promise<void>;
    /** Removes every container, name space, address, rule and file of this lab, also after a crash. */
    destroy(): Promise<void>;
}

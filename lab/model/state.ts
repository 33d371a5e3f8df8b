import type { AlbAcl, AlbJob, AlbListener, AlbRule, AlbServerGroup, ApplicationBalancer, CasCertificate } from "./alb";
import type { AccessGroup, FileSystem, MountTarget } from "./nas";
import type { PrivateZone } from "./privateZone";
import type { NetworkBalancer, NlbListener, NlbServerGroup } from "./nlb";
import type { AccessControlList, LoadBalancer, SlbCertificate, VServerGroup } from "./slb";

/**
 * The lab's model of the cloud: plain data, one object per resource, ids as keys. It knows nothing of HTTP, wire
 * names or containers, and is all that is kept on disk.
 */
export interface State {
    /** Format of the file; a lab refuses a newer one. */
    readonly format: 1;
    vpcs: Record<string, Vpc>;
    vswitches: Record<string, VSwitch>;
    routeTables: Record<string, RouteTable>;
    natGateways: Record<string, NatGateway>;
    snatEntries: Record<string, SnatEntry>;
    forwardEntries: Record<string, ForwardEntry>;
    eips: Record<string, Eip>;
    haVips: Record<string, HaVip>;
    securityGroups: Record<string, SecurityGroup>;
    keyPairs: Record<string, KeyPair>;
    instances: Record<string, Instance>;
    disks: Record<string, Disk>;
    networkInterfaces: Record<string, NetworkInterface>;
    deploymentSets: Record<string, DeploymentSet>;
    snapshotPolicies: Record<string, SnapshotPolicy>;
    loadBalancers: Record<string, LoadBalancer>;
    vServerGroups: Record<string, VServerGroup>;
    accessControlLists: Record<string, AccessControlList>;
    slbCertificates: Record<string, SlbCertificate>;
    applicationBalancers: Record<string, ApplicationBalancer>;
    albServerGroups: Record<string, AlbServerGroup>;
    albListeners: Record<string, AlbListener>;
    albRules: Record<string, AlbRule>;
    albAcls: Record<string, AlbAcl>;
    networkBalancers: Record<string, NetworkBalancer>;
    nlbServerGroups: Record<string, NlbServerGroup>;
    nlbListeners: Record<string, NlbListener>;
    /** When each of the last jobs was done, by its id. */
    nlbJobs: Record<string, string>;
    albJobs: Record<string, AlbJob>;
    /** By number. */
    casCertificates: Record<string, CasCertificate>;
    privateZones: Record<string, PrivateZone>;
    fileSystems: Record<string, FileSystem>;
    accessGroups: Record<string, AccessGroup>;
    mountTargets: Record<string, MountTarget>;
    /** Answers by client token, so that a repeated request changes nothing twice. */
    clientTokens: Record<string, ClientToken>;
    /** The next free EIP number, so that a released address is not handed out again at once. */
    nextEip: number;
}

export type Tags = Record<string, string>;

/** What every resource has. Times are the cloud's: `2026-01-31T12:00:00Z`. */
export interface Resource {
    readonly id: string;
    readonly regionId: string;
    readonly createdAt: string;
    name: string;
    description: string;
    tags: Tags;
    resourceGroupId: string;
}

export interface Vpc extends Resource {
    cidr: string;
    secondaryCidrs: string[];
    userCidrs: string[];
    isDefault: boolean;
    /** The one virtual router of the VPC. */
    readonly routerId: string;
    routerName?: string;
    routerDescription?: string;
    ipv6Cidr?: string;
    ipv6Isp?: string;
    dnsHostnames: boolean;
    classicLink: boolean;
}

export interface VSwitch extends Resource {
    readonly vpcId: string;
    readonly zoneId: string;
    readonly cidr: string;
    ipv6Cidr?: string;
    isDefault: boolean;
    /** The table that routes it: its own, or the VPC's system table. */
    routeTableId: string;
}

export interface RouteTable extends Resource {
    readonly vpcId: string;
    readonly kind: "System" | "Custom";
    readonly associateType: "VSwitch" | "Gateway";
    routePropagation: boolean;
    /** Custom entries; system entries are derived from VPC and VSwitches. */
    entries: RouteEntry[];
}

export interface RouteEntry {
    readonly id: string;
    name: string;
    description: string;
    readonly cidr: string;
    nextHopType: string;
    nextHopId: string;
    /** Made by the cloud for its next hop, and going with it. */
    readonly automatic?: boolean;
}

export interface NatGateway extends Resource {
    readonly vpcId: string;
    readonly vswitchId: string;
    natType: "Enhanced" | "Normal";
    networkType: "internet" | "intranet";
    spec: string;
    instanceChargeType: "PostPaid" | "PrePaid";
    internetChargeType: string;
    deletionProtection: boolean;
    icmpReply: boolean;
    privateLink: boolean;
    eipBindMode: string;
    readonly snatTableId: string;
    readonly forwardTableId: string;
    readonly privateIp: string;
    readonly networkInterfaceId: string;
}

export interface SnatEntry {
    readonly id: string;
    readonly natGatewayId: string;
    name: string;
    /** Absent when only a CIDR was given. */
    readonly vswitchId?: string;
    readonly sourceCidr: string;
    /** EIP addresses. */
    snatIps: string[];
    eipAffinity: number;
    readonly createdAt: string;
}

export interface ForwardEntry {
    readonly id: string;
    readonly natGatewayId: string;
    name: string;
    externalIp: string;
    externalPort: string;
    internalIp: string;
    internalPort: string;
    protocol: string;
}

export interface Eip extends Resource {
    /** In the lab's slice of 127.77.0.0/16. */
    readonly address: string;
    bandwidth: string;
    internetChargeType: string;
    instanceChargeType: "PostPaid" | "PrePaid";
    isp: string;
    netmode: string;
    deletionProtection: boolean;
    securityProtectionTypes?: string[];
    zone?: string;
    /** Where second-by-second monitoring writes to; absent while it is off. */
    monitorLog?: { readonly project: string; readonly store: string };
    /** What it is bound to. */
    binding?: {
        readonly instanceId: string;
        readonly instanceType: "EcsInstance" | "Nat" | "NetworkInterface" | "SlbInstance" | "HaVip" | "IpAddress";
        readonly instanceRegionId: string;
        readonly privateIp?: string;
        readonly mode: "NAT" | "MULTI_BINDED" | "BINDED";
        readonly vpcId?: string;
    };
    /** Public address of an instance asked for by InternetMaxBandwidthOut: released with it, not listed as an EIP. */
    readonly ephemeralFor?: string;
}

/** An address of a VSwitch that no interface has: whichever of its members announced it last holds it. */
export interface HaVip extends Resource {
    readonly vpcId: string;
    readonly vswitchId: string;
    readonly address: string;
    /** Who may announce it, all of one kind. */
    memberType: "EcsInstance" | "NetworkInterface";
    memberIds: string[];
    /** One of the members; empty until one announces the address. */
    holderId: string;
}

export interface SecurityGroup extends Resource {
    readonly vpcId: string;
    readonly kind: "normal" | "enterprise";
    innerAccess: "Accept" | "Drop";
    serviceManaged: boolean;
    rules: SecurityGroupRule[];
}

/** Kept as the wire spells it, since clients look a rule up by string equality. */
export interface SecurityGroupRule {
    readonly id: string;
    readonly direction: "ingress" | "egress";
    readonly createdAt: string;
    ipProtocol: string;
    /** `from/to`, `-1/-1` for all. */
    portRange: string;
    sourcePortRange: string;
    policy: "Accept" | "Drop";
    priority: number;
    nicType: "internet" | "intranet";
    description: string;
    sourceCidr: string;
    destCidr: string;
    ipv6SourceCidr: string;
    ipv6DestCidr: string;
    sourceGroupId: string;
    destGroupId: string;
    sourceGroupOwner: string;
    destGroupOwner: string;
    sourcePrefixListId: string;
    destPrefixListId: string;
}

export interface KeyPair extends Resource {
    /** OpenSSH form. */
    readonly publicKey: string;
    /** MD5, as the cloud shows it. */
    readonly fingerprint: string;
}

export type InstanceStatus = "Pending" | "Starting" | "Running" | "Stopping" | "Stopped";

export interface Instance extends Resource {
    hostName: string;
    status: InstanceStatus;
    /** Counts the boots asked for by the API. */
    bootCount: number;
    /** Whether the last stop or reboot asked for was one that cuts the power. */
    forceStop?: boolean;
    imageId: string;
    instanceType: string;
    readonly zoneId: string;
    readonly vpcId: string;
    vswitchId: string;
    /** Of the primary interface. */
    securityGroupIds: string[];
    primaryNetworkInterfaceId: string;
    /** Base64, as it was given. */
    userData: string;
    keyPairName: string;
    /** Set at the next boot. Never answered. */
    password: string;
    deletionProtection: boolean;
    instanceChargeType: "PostPaid" | "PrePaid";
    internetChargeType: string;
    internetMaxBandwidthIn: number;
    internetMaxBandwidthOut: number;
    deploymentSetId: string;
    ramRoleName: string;
    startedAt: string;
    expiredAt: string;
    autoReleaseTime: string;
    stoppedMode: "KeepCharging" | "StopCharging" | "Not-applicable";
    creditSpecification: string;
    spotStrategy: string;
    spotPriceLimit: number;
    metadata: { tokens: "optional" | "required"; endpoint: "enabled" | "disabled"; hopLimit: number };
    securityEnhancement: string;
    /** Further attributes that are only kept and answered. */
    extra: Record<string, string | number | boolean>;
}

export interface Disk extends Resource {
    readonly kind: "system" | "data";
    readonly zoneId: string;
    category: string;
    sizeGiB: number;
    performanceLevel: string;
    encrypted: boolean;
    kmsKeyId: string;
    imageId: string;
    sourceSnapshotId: string;
    status: "In_use" | "Available" | "Attaching" | "Detaching" | "Creating" | "ReIniting";
    /** Empty while detached. */
    instanceId: string;
    device: string;
    deleteWithInstance: boolean;
    deleteAutoSnapshot: boolean;
    enableAutoSnapshot: boolean;
    autoSnapshotPolicyId: string;
    attachedAt: string;
    detachedAt: string;
    instanceChargeType: "PostPaid" | "PrePaid";
    burstingEnabled: boolean;
    provisionedIops: number;
}

export interface NetworkInterface extends Resource {
    readonly kind: "Primary" | "Secondary";
    readonly vpcId: string;
    readonly vswitchId: string;
    readonly zoneId: string;
    readonly mac: string;
    readonly primaryIp: string;
    secondaryIps: string[];
    /** Kept and answered; the lab's hosts speak IPv4 only. */
    ipv6Addresses?: string[];
    securityGroupIds: string[];
    /** Empty while detached. */
    instanceId: string;
    /** Its number among its instance's interfaces, from which the host names it: `eth1`. Absent while detached. */
    deviceIndex?: number;
    status: "InUse" | "Available" | "Attaching" | "Detaching" | "Creating" | "Deleting";
    queueNumber: number;
    /** These three are only kept and answered; absent for `Standard`, 0 and 0. */
    readonly trafficMode?: string;
    readonly queuePairNumber?: number;
    networkCardIndex?: number;
    sourceDestCheck: boolean;
    deleteOnRelease: boolean;
    /** Interfaces that a service (a NAT gateway) owns. */
    serviceManaged: boolean;
}

export interface DeploymentSet extends Resource {
    strategy: string;
    domain: string;
    granularity: string;
}

/** When disks are to be snapshotted. */
export interface SnapshotPolicy extends Resource {
    /** JSON arrays, as the wire has them. */
    timePoints: string;
    repeatWeekdays: string;
    targetCopyRegions: string;
    /** Days; -1 for ever. */
    retentionDays: number;
    copiedSnapshotsRetentionDays: number;
    enableCrossRegionCopy: boolean;
    copyEncrypted: boolean;
    copyKmsKeyId: string;
}

export interface ClientToken {
    readonly action: string;
    /** Hash of the other parameters: the same token with others is an error. */
    readonly parameters: string;
    readonly answer: Record<string, unknown>;
    readonly at: string;
}

export function emptyState(): State {
    return {
        format: 1,
        vpcs: {},
        vswitches: {},
        routeTables: {},
        natGateways: {},
        snatEntries: {},
        forwardEntries: {},
        eips: {},
        haVips: {},
        securityGroups: {},
        keyPairs: {},
        instances: {},
        disks: {},
        networkInterfaces: {},
        deploymentSets: {},
        snapshotPolicies: {},
        loadBalancers: {},
        vServerGroups: {},
        accessControlLists: {},
        slbCertificates: {},
        applicationBalancers: {},
        albServerGroups: {},
        albListeners: {},
        albRules: {},
        albAcls: {},
        albJobs: {},
        networkBalancers: {},
        nlbServerGroups: {},
        nlbListeners: {},
        nlbJobs: {},
        casCertificates: {},
        privateZones: {},
        fileSystems: {},
        accessGroups: {},
        mountTargets: {},
        clientTokens: {},
        nextEip: 0,
    };
}

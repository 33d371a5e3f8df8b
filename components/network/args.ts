import type * as pulumi from "@pulumi/pulumi";

import type { Tags } from "../tags";

/** Who may reach a role's hosts on which ports. */
export interface IngressRule {
    /** What comes in: `icmp` is ping among others, `gre` a tunnel, `all` everything. @default "tcp" */
    readonly protocol?: "tcp" | "udp" | "icmp" | "gre" | "all";
    /** Ports, such as `22` or `"7000-7010"`. Required for tcp and udp, meaningless for the others. */
    readonly ports?: readonly (number | string)[];
    /** Roles of the same network whose hosts may connect; a role may list itself. */
    readonly roles?: readonly string[];
    /** Ranges that may connect, such as `10.1.0.0/16`. */
    readonly cidrs?: readonly string[];
    /** Security groups outside of this network component, by a name of your choice, which a role has for one group. */
    readonly securityGroups?: Readonly<Record<string, pulumi.Input<string>>>;
    /** Must be true for a rule with the range 0.0.0.0/0, which publishes the ports to everyone. @default false */
    readonly public?: boolean;
    /** Shown in the console. @default says protocol and source */
    readonly description?: string;
}

/** Where a role's hosts may connect to. */
export interface EgressRule {
    /** What goes out: `icmp` is ping among others, `gre` a tunnel, `all` everything. @default "tcp" */
    readonly protocol?: "tcp" | "udp" | "icmp" | "gre" | "all";
    /** Ports, such as `443` or `"1024-65535"`. Required for tcp and udp. */
    readonly ports?: readonly (number | string)[];
    /** Roles of the same network. */
    readonly roles?: readonly string[];
    /** Ranges. */
    readonly cidrs?: readonly string[];
    /** Shown in the console. @default says protocol and target */
    readonly description?: string;
}

/** A security group, named by what its hosts do. */
export interface RoleArgs {
    /** What may come in. Nothing else does, not even from hosts of the same role. @default nothing */
    readonly ingress?: readonly IngressRule[];
    /** What may go out. @default everything */
    readonly egress?: readonly EgressRule[];
    /** Id of a security group that exists: the rules are added to it. @default a new one */
    readonly securityGroupId?: pulumi.Input<string>;
}

/** Arguments of {@link Network}. */
export interface NetworkArgs {
    /**
     * Range of the VPC: /8 to /28 within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16. With `vpcId`, the existing VPC's range, needed
     * only to compute the ranges of new VSwitches.
     * @default "10.0.0.0/16" for a new VPC
     */
    readonly cidr?: string;
    /**
     * Zones to have a VSwitch in: their ids, or how many; with a number the region's zones are looked up: the first by name that offer VSwitches, ESSDs,
     * the encryption of system disks and `instanceType`, one of those with NAT gateways before the others. None of that says what is in stock.
     * A number may become the ids of the zones that it found, in the order of their VSwitches.
     * Zones may be added at the end later: hosts that are there stay where they are, new ones are spread over all. One that hosts stand
     * in can't go: take its hosts out first. Where it isn't the last one, set `vswitchCidrs` to the ranges that there are before it goes: those
     * after it would get other computed ones, which the cloud refuses in every update. The first can't go while there is a NAT gateway, which stands
     * in its VSwitch.
     * @default 2
     */
    readonly zones?: number | readonly string[];
    /**
     * With a number of zones: instance types that must be on sale in each of them. Where too few zones have them all, those that have most are
     * taken, with a warning; where none has the first type, nothing is made.
     */
    readonly instanceType?: string | readonly string[];
    /** Ranges of the VSwitches, /16 to /29, one per zone. @default computed: a sixteenth of the VPC's range each */
    readonly vswitchCidrs?: readonly string[];
    /** Ranges that the VPC must not overlap: an office, another VPC that it will be connected to. */
    readonly reservedCidrs?: readonly string[];
    /** Id of a VPC that exists. @default a new VPC */
    readonly vpcId?: pulumi.Input<string>;
    /** Ids of VSwitches that exist in `vpcId`; nothing is created beside them then. @default new VSwitches */
    readonly vswitchIds?: readonly pulumi.Input<string>[];
    /**
     * Gives hosts without a public address a way out: an enhanced NAT gateway with one elastic address and a SNAT entry per VSwitch.
     * Costs by the hour and by traffic.
     * @default true for a new VPC, false for an existing one
     */
    readonly natGateway?: boolean;
    /** Peak bandwidth of the NAT gateway's address in Mbit/s, 1 to 200. @default 100 */
    readonly natBandwidth?: number;
    /**
     * Whether the VSwitches get a route table of their own, so that routes of other VSwitches in an existing VPC stay apart.
     * @default false: the VPC's system route table
     */
    readonly ownRouteTable?: boolean;
    /** Security groups by role; a role's name is 1 to 32 lower-case letters, digits and hyphens. @default none */
    readonly roles?: Readonly<Record<string, RoleArgs>>;
    /** Tags of every resource that can have any. */
    readonly tags?: Tags;
}

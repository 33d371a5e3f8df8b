import type * as pulumi from "@pulumi/pulumi";

import type { ListenerArgs, LoadBalancerArgs } from "./args";
import type { LoadBalancerSettings } from "./settings";

/** Certificate chain and key of a listener, in PEM format. */
export interface ListenerCertificate {
    readonly certificate: pulumi.Input<string>;
    readonly privateKey: pulumi.Input<string>;
}

/** Where clients find a balancer. */
export interface BalancerPlace {
    /** IPv4 addresses that it listens on, one per zone where its type has several. */
    readonly addresses: readonly pulumi.Output<string>[];
    /** Name that the cloud gives it in the DNS, where its type has one. */
    readonly dnsName?: pulumi.Output<string>;
}

/** What a balancer of any type is made from. */
export interface BalancerParts {
    readonly name: string;
    readonly args: LoadBalancerArgs;
    readonly settings: LoadBalancerSettings;
    /** Parent of every resource. */
    readonly parent: pulumi.Resource;
    /** Instance ids of the hosts, in their order. */
    readonly servers: readonly pulumi.Output<string>[];
    /** The certificate of an `https` or `tls` listener: the caller's, or a generated one for its names and where the balancer is. */
    certificateOf(child: string, listener: ListenerArgs, place: BalancerPlace): ListenerCertificate;
}

/** A balancer of one type in the cloud. */
export interface CloudBalancer extends BalancerPlace {
    readonly id: pulumi.Output<string>;
    /** Those that an update takes servers out of; none where each server's leaving is a deletion, which waits by itself. */
    readonly membership: readonly pulumi.CustomResource[];
    /** What is done once it serves. */
    readonly listeners: readonly pulumi.CustomResource[];
}

/** Makes a balancer of one type, and everything that belongs to it in the cloud. */
export type MakeBalancer = (parts: BalancerParts) => CloudBalancer;

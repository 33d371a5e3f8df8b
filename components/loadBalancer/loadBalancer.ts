import * as pulumi from "@pulumi/pulumi";

import { createAuthority } from "../certificates";
import { componentOptions } from "../dependencies";
import type { ListenerArgs, LoadBalancerArgs } from "./args";
import { createApplicationBalancer } from "./alb";
import { createClassicBalancer } from "./clb";
import type { BalancerPlace, MakeBalancer } from "./cloud";
import { drain } from "./drain";
import { createNetworkBalancer } from "./nlb";
import { isEncrypted, parseLoadBalancerArgs } from "./settings";
import { type BalancerType, balancerTypes } from "./types";

const makers: Readonly<Record<BalancerType, MakeBalancer>> = {
    clb: createClassicBalancer,
    alb: createApplicationBalancer,
    nlb: createNetworkBalancer,
};

/**
 * A load balancer of the cloud in front of hosts: Classic, Application or Network Load Balancer, billed by what it carries.
 *
 * A host that leaves `hosts` gets nothing new from the first moments of an update on. The update waits `drainSeconds` for what it
 * has begun, and only then goes on to what removes the host: Pulumi deletes after it updates.
 *
 * @example
 * const balancer = new LoadBalancer("web", {
 *     type: "clb",
 *     address: "internet",
 *     hosts: pool.hosts,
 *     listeners: [
 *         { protocol: "http", port: 80, redirectTo: 443 },
 *         { protocol: "https", port: 443, hostPort: site.port, healthCheck: { path: site.healthPath } },
 *     ],
 *     after: site.ready,
 * });
 */
export class LoadBalancer extends pulumi.ComponentResource {
    /** Id of the balancer, `lb-…`, `alb-…` or `nlb-…`. */
    public readonly id: pulumi.Output<string>;
    /** IPv4 address that it listens on, the first one where it has several. */
    public readonly address: pulumi.Output<string>;
    /** Every IPv4 address that it listens on: one per zone where its type has several. */
    public readonly addresses: readonly pulumi.Output<string>[];
    /**
     * Name that the cloud gives it in the DNS, for the CNAME of a name of your own: since November 2024 the cloud answers no client that
     * uses the name of a new `alb` or `nlb` itself. Undefined where its type has none.
     */
    public readonly dnsName: pulumi.Output<string> | undefined;
    /** Where clients connect to, by `address`: the first `https` listener, else the first `http` one, else the first; `tcp://…`, `udp://…` or `tls://…` by its protocol. Known once it serves. */
    public readonly url: pulumi.Output<string>;
    /** What clients verify generated certificates with; undefined when there are none. */
    public readonly caCertificate: pulumi.Output<string> | undefined;
    /** Depend on these to start after the balancer serves. */
    public readonly ready: pulumi.CustomResource[];

    constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:loadBalancer:LoadBalancer", name, {}, componentOptions(opts));
        const settings = parseLoadBalancerArgs(name, args);
        const authority = args.listeners.some(isGenerated)
            ? createAuthority(name, this, {
                  keys: args.keys,
                  algorithm: balancerTypes[args.type].rsaOnly ? "RSA" : "ECDSA",
              })
            : undefined;
        const servers = args.hosts.map((host) => host.identity.apply((identity) => serverId(host.name, identity)));
        const balancer = makers[args.type]({
            name,
            args,
            settings,
            parent: this,
            servers,
            certificateOf: (child, { certificate, names = [] }, place) =>
                certificate ??
                authority!.issueServer(child, {
                    // Not its name, so that a component that is renamed keeps its certificate.
                    commonName: names[0] ?? "load balancer",
                    dnsNames: [...names, ...(place.dnsName === undefined ? [] : [place.dnsName])],
                    ipAddresses: place.addresses,
                }),
        });
        if (balancer.membership.length > 0) drain(name, servers, settings.drainSeconds, balancer.membership, this);

        this.id = balancer.id;
        this.addresses = balancer.addresses;
        this.address = balancer.addresses[0]!;
        this.dnsName = balancer.dnsName;
        this.caCertificate = authority?.certificate;
        this.ready = [...balancer.listeners];
        this.url = urlOf(balancer, args.listeners, this.ready);
        this.registerOutputs({ id: this.id, address: this.address, url: this.url });
    }
}

function isGenerated(listener: ListenerArgs): boolean {
    return isEncrypted(listener) && listener.certificate === undefined;
}

/**
 * What a balancer knows a host by: the id of its instance.
 *
 * @throws pulumi.RunError for a host that is none of the cloud's, also in a preview, where what isn't known yet isn't asked for.
 */
export function serverId(host: string, identity: string): string {
    if (/^(i|eni)-/.test(identity)) return identity;
    throw new pulumi.RunError(`Host "${host}" is not known as an ECS instance: give its instance id as \`identity\`.`);
}

/** Known once every listener is. */
function urlOf(
    { addresses }: BalancerPlace,
    listeners: readonly ListenerArgs[],
    ready: readonly pulumi.CustomResource[],
): pulumi.Output<string> {
    const { protocol, port } =
        listeners.find((listener) => listener.protocol === "https") ??
        listeners.find((listener) => listener.protocol === "http") ??
        listeners[0]!;
    const usual = (protocol === "https" && port === 443) || (protocol === "http" && port === 80);
    return pulumi
        .all([addresses[0]!, ...ready.map(({ id }) => id)])
        .apply(([host]) => `${protocol}://${host!}${usual ? "" : `:${port}`}`);
}

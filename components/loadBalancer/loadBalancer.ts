import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

import { type Authority, createAuthority } from "../certificates";
import type { Host } from "../host";
import { tagsFor } from "../tags";
import type { ListenerArgs, LoadBalancerArgs } from "./args";
import { drain } from "./drain";
import { type ListenerSettings, type LoadBalancerSettings, parseLoadBalancerArgs } from "./settings";

/**
 * A load balancer of the cloud (Classic Load Balancer, billed by traffic and capacity units) in front of hosts.
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
    /** Id of the balancer, `lb-…`. */
    public readonly id: pulumi.Output<string>;
    /** IPv4 address that it listens on. */
    public readonly address: pulumi.Output<string>;
    /** Where clients connect to: the first `https` listener, else the first `http` one, else the first; `tcp://…` for `tcp`. Known once it serves. */
    public readonly url: pulumi.Output<string>;
    /** What clients verify generated certificates with; undefined when there are none. */
    public readonly caCertificate: pulumi.Output<string> | undefined;
    /** Depend on these to start after the balancer serves. */
    public readonly ready: readonly pulumi.CustomResource[];

    private readonly name: string;
    private readonly balancer: alicloud.slb.ApplicationLoadBalancer;
    private readonly authority: Authority | undefined;

    constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:loadBalancer:LoadBalancer", name, {}, opts);
        const settings = parseLoadBalancerArgs(name, args);
        this.name = name;
        this.balancer = new alicloud.slb.ApplicationLoadBalancer(
            name,
            {
                loadBalancerName: name,
                addressType: args.address,
                ...(args.vswitchId === undefined ? {} : { vswitchId: args.vswitchId }),
                ...(args.address === "internet" ? { internetChargeType: "PayByTraffic" } : {}),
                instanceChargeType: "PayByCLCU",
                deleteProtection: args.deletionProtection === true ? "on" : "off",
                tags: tagsFor(name, args.tags),
            },
            { parent: this },
        );
        this.id = this.balancer.id;
        this.address = this.balancer.address;
        this.authority = args.listeners.some(isGenerated) ? createAuthority(name, this) : undefined;
        this.caCertificate = this.authority?.certificate;

        const servers = this.servers(args, settings);
        const [redirects, others] = [true, false].map((redirecting) =>
            settings.listeners.filter((listener) => (listener.args.redirectTo !== undefined) === redirecting),
        ) as [ListenerSettings[], ListenerSettings[]];
        const serving = new Map(
            others.map((listener) => [listener.args.port, this.listener(listener, args, [servers])] as const),
        );
        this.ready = [
            ...serving.values(),
            ...redirects.map((listener) => this.listener(listener, args, [servers], serving)),
        ];
        this.url = pulumi
            .all([this.address, ...this.ready.map(({ id }) => id)])
            .apply(([address]) => urlOf(address!, args.listeners));
        this.registerOutputs({ id: this.id, address: this.address, url: this.url });
    }

    private servers(args: LoadBalancerArgs, { weights, drainSeconds }: LoadBalancerSettings): pulumi.CustomResource {
        const ids = args.hosts.map(instanceOf);
        const servers = new alicloud.slb.BackendServer(
            this.name,
            {
                loadBalancerId: this.balancer.id,
                backendServers: args.hosts.map((host, index) => ({
                    serverId: ids[index]!,
                    weight: weights.get(host.name)!,
                    type: "ecs",
                    // Left out it would be the provider's to fill in, which then sees a change in every run.
                    serverIp: host.privateAddress,
                })),
            },
            {
                parent: this,
                dependsOn: [...(args.after ?? [])],
                // It has no servers without its balancer.
                deletedWith: this.balancer,
            },
        );
        drain(this.name, ids, drainSeconds, servers, this);
        return servers;
    }

    private listener(
        { args, check, access }: ListenerSettings,
        { tags }: LoadBalancerArgs,
        after: readonly pulumi.Resource[],
        targets: ReadonlyMap<number, alicloud.slb.Listener> = new Map(),
    ): alicloud.slb.Listener {
        const child = `${this.name}-${args.port}`;
        const list = access === undefined ? undefined : this.accessList(child, access, tags);
        return new alicloud.slb.Listener(
            child,
            {
                loadBalancerId: this.balancer.id,
                protocol: args.protocol,
                frontendPort: args.port,
                description: child,
                bandwidth: -1,
                ...(args.redirectTo === undefined
                    ? {
                          backendPort: args.hostPort!,
                          scheduler: args.scheduler ?? "wrr",
                          ...checkInputs(args, check),
                          ...stickinessInputs(args),
                          ...(args.protocol === "tcp" ? {} : { xForwardedFor: { retriveSlbProto: true } }),
                      }
                    : {
                          listenerForward: "on",
                          // From the listener itself: the cloud replaces none that another redirects to, so both have to go.
                          forwardPort: targets.get(args.redirectTo)!.frontendPort,
                          healthCheck: "off",
                      }),
                ...(args.protocol === "https"
                    ? {
                          serverCertificateId: this.certificate(child, args, tags).id,
                          tlsCipherPolicy: "tls_cipher_policy_1_2_strict_with_1_3",
                          enableHttp2: "on",
                      }
                    : {}),
                ...(list === undefined
                    ? { aclStatus: "off" }
                    : { aclStatus: "on", aclType: access!.type, aclIds: [list.id] }),
            },
            {
                parent: this,
                // A port has one listener.
                deleteBeforeReplace: true,
                // Without its entries a list admits everybody.
                dependsOn: [...after, ...(list?.entries ?? [])],
            },
        );
    }

    private accessList(
        child: string,
        { cidrs }: NonNullable<ListenerSettings["access"]>,
        tags: LoadBalancerArgs["tags"],
    ): { readonly id: pulumi.Output<string>; readonly entries: readonly pulumi.Resource[] } {
        const list = new alicloud.slb.Acl(child, { name: child, tags: tagsFor(child, tags) }, { parent: this });
        const entries = cidrs.map(
            (entry) =>
                new alicloud.slb.AclEntryAttachment(
                    `${child}-${entry.replace("/", "-")}`,
                    { aclId: list.id, entry, comment: child },
                    { parent: this, deletedWith: list },
                ),
        );
        return { id: list.id, entries };
    }

    private certificate(
        child: string,
        { certificate, names }: ListenerArgs,
        tags: LoadBalancerArgs["tags"],
    ): alicloud.slb.ServerCertificate {
        const given =
            certificate ??
            this.authority!.issueServer(child, {
                commonName: names?.[0] ?? child,
                dnsNames: names ?? [],
                ipAddresses: [this.address],
            });
        return new alicloud.slb.ServerCertificate(
            child,
            {
                name: child,
                serverCertificate: given.certificate,
                privateKey: pulumi.secret(given.privateKey),
                tags: tagsFor(child, tags),
            },
            { parent: this, additionalSecretOutputs: ["privateKey"] },
        );
    }
}

function isGenerated({ protocol, certificate }: ListenerArgs): boolean {
    return protocol === "https" && certificate === undefined;
}

/** A balancer knows servers by the id of their instance. */
function instanceOf({ name, identity }: Host): pulumi.Output<string> {
    return identity.apply((id) => {
        if (!/^(i|eni)-/.test(id) && !pulumi.runtime.isDryRun()) {
            throw new pulumi.RunError(
                `Host "${name}" is not known as an ECS instance: give its instance id as \`identity\`.`,
            );
        }
        return id;
    });
}

function checkInputs({ protocol }: ListenerArgs, check: ListenerSettings["check"]): Partial<alicloud.slb.ListenerArgs> {
    return {
        healthCheck: "on",
        ...(protocol === "tcp" ? { healthCheckType: check.path === undefined ? "tcp" : "http" } : {}),
        ...(check.path === undefined
            ? {}
            : {
                  healthCheckUri: check.path,
                  healthCheckHttpCode: check.codes.map((code) => `http_${code}`).join(","),
              }),
        ...(check.domain === undefined ? {} : { healthCheckDomain: check.domain }),
        ...(check.port === undefined ? {} : { healthCheckConnectPort: check.port }),
        healthCheckInterval: check.intervalSeconds,
        healthCheckTimeout: check.timeoutSeconds,
        healthyThreshold: check.healthyAfter,
        unhealthyThreshold: check.unhealthyAfter,
    };
}

function stickinessInputs({ protocol, stickiness }: ListenerArgs): Partial<alicloud.slb.ListenerArgs> {
    if (protocol === "tcp") return { persistenceTimeout: stickiness?.seconds ?? 0 };
    if (stickiness === undefined) return { stickySession: "off" };
    return stickiness.cookie === undefined
        ? { stickySession: "on", stickySessionType: "insert", cookieTimeout: stickiness.seconds! }
        : { stickySession: "on", stickySessionType: "server", cookie: stickiness.cookie };
}

function urlOf(address: string, listeners: readonly ListenerArgs[]): string {
    const { protocol, port } =
        listeners.find((listener) => listener.protocol === "https") ??
        listeners.find((listener) => listener.protocol === "http") ??
        listeners[0]!;
    const usual = (protocol === "https" && port === 443) || (protocol === "http" && port === 80);
    return `${protocol}://${address}${usual ? "" : `:${port}`}`;
}

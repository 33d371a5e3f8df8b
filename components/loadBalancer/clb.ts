import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

import { physicalName, tagsFor } from "../tags";
import type { ListenerArgs } from "./args";
import { certificateName } from "./certificate";
import type { BalancerParts, CloudBalancer } from "./cloud";
import { rsaCertificate } from "./rsa";
import { isTransport, type ListenerSettings, listenerName } from "./settings";

/** Classic Load Balancer, billed by traffic and capacity units. */
export function createClassicBalancer(parts: BalancerParts): CloudBalancer {
    return new ClassicBalancer(parts);
}

class ClassicBalancer implements CloudBalancer {
    public readonly id: pulumi.Output<string>;
    public readonly addresses: readonly pulumi.Output<string>[];
    public readonly membership: readonly pulumi.CustomResource[];
    public readonly listeners: readonly pulumi.CustomResource[];

    private readonly balancer: alicloud.slb.ApplicationLoadBalancer;

    constructor(private readonly parts: BalancerParts) {
        const { name, args, settings, parent } = parts;
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
            { parent },
        );
        this.id = this.balancer.id;
        this.addresses = [this.balancer.address];

        const servers = this.servers();
        this.membership = [servers];
        const [redirects, others] = [true, false].map((redirecting) =>
            settings.listeners.filter((listener) => (listener.args.redirectTo !== undefined) === redirecting),
        ) as [ListenerSettings[], ListenerSettings[]];
        const serving = new Map(
            others.map((listener) => [listenerName(listener.args), this.listener(listener, [servers])] as const),
        );
        this.listeners = [
            ...serving.values(),
            ...redirects.map((listener) => this.listener(listener, [servers], serving)),
        ];
    }

    private servers(): pulumi.CustomResource {
        const { name, args, settings, parent, servers } = this.parts;
        return new alicloud.slb.BackendServer(
            name,
            {
                loadBalancerId: this.balancer.id,
                backendServers: args.hosts.map((host, index) => ({
                    serverId: servers[index]!,
                    weight: settings.weights.get(host.name)!,
                    type: "ecs",
                    // Left out it would be the provider's to fill in, which then sees a change in every run.
                    serverIp: host.privateAddress,
                })),
            },
            {
                parent,
                dependsOn: [...(args.after ?? [])],
                // It has no servers without its balancer.
                deletedWith: this.balancer,
            },
        );
    }

    private listener(
        { args, check, access }: ListenerSettings,
        after: readonly pulumi.Resource[],
        targets: ReadonlyMap<string, alicloud.slb.Listener> = new Map(),
    ): alicloud.slb.Listener {
        const { name, parent } = this.parts;
        const child = `${name}-${listenerName(args)}`;
        const list = access === undefined ? undefined : this.accessList(child, access);
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
                          ...(isTransport(args) ? {} : { xForwardedFor: { retriveSlbProto: true } }),
                      }
                    : {
                          listenerForward: "on",
                          // From the listener itself: the cloud replaces none that another redirects to, so both have to go.
                          forwardPort: targets.get(listenerName({ protocol: "https", port: args.redirectTo }))!
                              .frontendPort,
                          healthCheck: "off",
                      }),
                ...(args.protocol === "https"
                    ? {
                          serverCertificateId: this.certificate(child, args).id,
                          tlsCipherPolicy: "tls_cipher_policy_1_2_strict_with_1_3",
                          enableHttp2: "on",
                      }
                    : {}),
                ...(list === undefined
                    ? { aclStatus: "off" }
                    : { aclStatus: "on", aclType: access!.type, aclIds: [list.id] }),
            },
            {
                parent,
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
    ): { readonly id: pulumi.Output<string>; readonly entries: readonly pulumi.Resource[] } {
        const { args, parent } = this.parts;
        const list = new alicloud.slb.Acl(
            child,
            // Unique in the region.
            { name: physicalName(child, 80), tags: tagsFor(child, args.tags) },
            { parent },
        );
        const entries = cidrs.map(
            (entry) =>
                new alicloud.slb.AclEntryAttachment(
                    `${child}-${entry.replace("/", "-")}`,
                    { aclId: list.id, entry, comment: child },
                    // With another comment it would be another entry, and a component that is renamed keeps its own: a list has each once.
                    { parent, deletedWith: list, ignoreChanges: ["comment"] },
                ),
        );
        return { id: list.id, entries };
    }

    private certificate(child: string, listener: ListenerArgs): alicloud.slb.ServerCertificate {
        const { name, args, parent } = this.parts;
        const found = this.parts.certificateOf(child, listener, this);
        const path = `listeners[${args.listeners.indexOf(listener)}].certificate`;
        // What is generated is in order.
        const given =
            listener.certificate === undefined ? found : rsaCertificate(`LoadBalancer "${name}"`, path, found);
        return new alicloud.slb.ServerCertificate(
            child,
            {
                name: certificateName(child, given),
                serverCertificate: given.certificate,
                privateKey: pulumi.secret(given.privateKey),
                tags: tagsFor(child, args.tags),
            },
            {
                parent,
                additionalSecretOutputs: ["privateKey"],
                // The provider would delete first, and the cloud refuses while a listener has it.
                deleteBeforeReplace: false,
            },
        );
    }
}

function checkInputs(
    { protocol, hostPort }: ListenerArgs,
    check: ListenerSettings["check"],
): Partial<alicloud.slb.ListenerArgs> {
    return {
        healthCheck: "on",
        ...(protocol === "tcp" ? { healthCheckType: check.path === undefined ? "tcp" : "http" } : {}),
        ...(check.path === undefined
            ? {}
            : {
                  healthCheckUri: check.path,
                  healthCheckHttpCode: check.codes.map((code) => `http_${code}`).join(","),
                  // The provider sends none on tcp. Left out it would stay as it was.
                  ...(protocol === "tcp" ? {} : { healthCheckMethod: check.method.toLowerCase() }),
              }),
        ...(check.domain === undefined ? {} : { healthCheckDomain: check.domain }),
        // Left out it would stay as it was.
        healthCheckConnectPort: check.port ?? hostPort!,
        healthCheckInterval: check.intervalSeconds,
        healthCheckTimeout: check.timeoutSeconds,
        healthyThreshold: check.healthyAfter,
        unhealthyThreshold: check.unhealthyAfter,
    };
}

function stickinessInputs({ protocol, stickiness }: ListenerArgs): Partial<alicloud.slb.ListenerArgs> {
    if (protocol === "udp") return {};
    if (protocol === "tcp") return { persistenceTimeout: stickiness?.seconds ?? 0 };
    if (stickiness === undefined) return { stickySession: "off" };
    return stickiness.cookie === undefined
        ? { stickySession: "on", stickySessionType: "insert", cookieTimeout: stickiness.seconds! }
        : { stickySession: "on", stickySessionType: "server", cookie: stickiness.cookie };
}

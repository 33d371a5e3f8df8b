import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

import { tagsFor } from "../tags";
import type { ListenerArgs } from "./args";
import { uploadCertificate } from "./certificate";
import type { BalancerParts, CloudBalancer } from "./cloud";
import { type ListenerSettings, listenerName } from "./settings";

/** Application Load Balancer of the standard edition, billed by what it carries. */
export function createApplicationBalancer(parts: BalancerParts): CloudBalancer {
    return new ApplicationBalancer(parts);
}

class ApplicationBalancer implements CloudBalancer {
    public readonly id: pulumi.Output<string>;
    public readonly addresses: readonly pulumi.Output<string>[];
    public readonly dnsName: pulumi.Output<string>;
    public readonly membership: readonly pulumi.CustomResource[];
    public readonly listeners: readonly pulumi.CustomResource[];

    private readonly balancer: alicloud.alb.LoadBalancer;

    constructor(private readonly parts: BalancerParts) {
        const { name, args, settings, parent } = parts;
        const vswitches = args.vswitches!;
        this.balancer = new alicloud.alb.LoadBalancer(
            name,
            {
                loadBalancerName: name,
                loadBalancerEdition: "Standard",
                loadBalancerBillingConfig: { payType: "PayAsYouGo" },
                addressType: args.address === "internet" ? "Internet" : "Intranet",
                addressAllocatedMode: "Fixed",
                addressIpVersion: "IPv4",
                vpcId: args.vpcId!,
                zoneMappings: vswitches.map(({ id, zone }) => ({ vswitchId: id, zoneId: zone })),
                deletionProtectionEnabled: args.deletionProtection === true,
                tags: tagsFor(name, args.tags),
            },
            {
                parent,
                // The provider fills addresses in that only the cloud knows, and would then see a change in every run.
                ignoreChanges: ["zoneMappings"],
            },
        );
        this.id = this.balancer.id;
        this.dnsName = this.balancer.dnsName;
        this.addresses = vswitches.map(({ id }) => this.addressIn(id));

        const balancing = settings.listeners.filter(({ args: { redirectTo } }) => redirectTo === undefined);
        const groups = new Map(balancing.map((listener) => [listener.args.port, this.serverGroup(listener)] as const));
        this.membership = [...groups.values()];
        this.listeners = settings.listeners.flatMap((listener) =>
            this.listener(listener, groups.get(listener.args.redirectTo ?? listener.args.port)!),
        );
    }

    /** Where the balancer listens in a VSwitch. */
    private addressIn(vswitchId: pulumi.Input<string>): pulumi.Output<string> {
        const { name, args } = this.parts;
        return pulumi.all([vswitchId, this.balancer.zoneMappings, this.balancer.urn]).apply(([id, zones, urn]) => {
            const zone = zones.find((one) => one.vswitchId === id);
            if (zone === undefined || zones.length !== args.vswitches!.length) {
                throw new pulumi.RunError(
                    `LoadBalancer "${name}" stands in other VSwitches than \`vswitches\` names, and can't move: make another one with \`pulumi up --replace '${urn}'\`, which changes its addresses, or name the VSwitches that it has, in the stack by \`loadBalancer.zones\`.`,
                );
            }
            return zone.address;
        });
    }

    private serverGroup({ args: listener, check }: ListenerSettings): alicloud.alb.ServerGroup {
        const { args, settings, parent, servers } = this.parts;
        const child = this.childOf(listener);
        return new alicloud.alb.ServerGroup(
            child,
            {
                serverGroupName: child,
                vpcId: args.vpcId!,
                protocol: "HTTP",
                scheduler: listener.scheduler === "wlc" ? "Wlc" : "Wrr",
                healthCheckConfig: {
                    healthCheckEnabled: true,
                    healthCheckProtocol: "HTTP",
                    healthCheckMethod: check.method,
                    healthCheckPath: check.path!,
                    healthCheckHost: check.domain ?? "$SERVER_IP",
                    healthCheckCodes: check.codes.map((code) => `http_${code}`),
                    // 0 stands for the port that takes the traffic.
                    healthCheckConnectPort: check.port ?? 0,
                    healthCheckInterval: check.intervalSeconds,
                    healthCheckTimeout: check.timeoutSeconds,
                    healthyThreshold: check.healthyAfter,
                    unhealthyThreshold: check.unhealthyAfter,
                },
                stickySessionConfig: stickinessInputs(listener),
                connectionDrainConfig:
                    settings.drainSeconds === 0
                        ? { connectionDrainEnabled: false }
                        : { connectionDrainEnabled: true, connectionDrainTimeout: settings.drainSeconds },
                servers: args.hosts.map((host, index) => ({
                    serverType: "Ecs",
                    serverId: servers[index]!,
                    // Left out they would be the provider's to fill in, which then sees a change in every run.
                    serverIp: host.privateAddress,
                    port: listener.hostPort!,
                    weight: settings.weights.get(host.name)!,
                })),
                tags: tagsFor(child, args.tags),
            },
            { parent, dependsOn: [...(args.after ?? [])] },
        );
    }

    /** A listener, and what has to be there besides until it serves as it is told. */
    private listener(
        { args: listener, access }: ListenerSettings,
        group: alicloud.alb.ServerGroup,
    ): pulumi.CustomResource[] {
        const { args, parent } = this.parts;
        const child = this.childOf(listener);
        const made = new alicloud.alb.Listener(
            child,
            {
                loadBalancerId: this.balancer.id,
                listenerProtocol: listener.protocol === "https" ? "HTTPS" : "HTTP",
                listenerPort: listener.port,
                listenerDescription: child,
                defaultActions: [
                    { type: "ForwardGroup", forwardGroupConfig: { serverGroupTuples: [{ serverGroupId: group.id }] } },
                ],
                xForwardedForConfig: { xForwardedForEnabled: true, xForwardedForProtoEnabled: true },
                ...(listener.protocol === "https"
                    ? {
                          certificates: {
                              certificateId: uploadCertificate(
                                  this.parts,
                                  child,
                                  listener,
                                  this,
                                  this.balancer.regionId,
                              ),
                          },
                          securityPolicyId: "tls_cipher_policy_1_2_strict_with_1_3",
                          http2Enabled: true,
                      }
                    : {}),
                tags: tagsFor(child, args.tags),
            },
            {
                parent,
                // A port has one listener.
                deleteBeforeReplace: true,
            },
        );
        return [
            made,
            ...(listener.redirectTo === undefined ? [] : [this.redirect(child, made, listener.redirectTo)]),
            ...(access === undefined ? [] : [this.accessList(child, made, access)]),
        ];
    }

    /** A listener of this product forwards; only a rule before that redirects. */
    private redirect(child: string, listener: alicloud.alb.Listener, port: number): alicloud.alb.Rule {
        return new alicloud.alb.Rule(
            child,
            {
                listenerId: listener.id,
                ruleName: child,
                priority: 1,
                ruleConditions: [{ type: "Path", pathConfig: { values: ["/*"] } }],
                ruleActions: [
                    {
                        order: 1,
                        type: "Redirect",
                        redirectConfig: {
                            httpCode: "301",
                            protocol: "HTTPS",
                            port: String(port),
                            // The cloud's words for what was asked for.
                            host: "${host}",
                            path: "${path}",
                            query: "${query}",
                        },
                    },
                ],
            },
            { parent: this.parts.parent, deletedWith: listener },
        );
    }

    private accessList(
        child: string,
        listener: alicloud.alb.Listener,
        { type, cidrs }: NonNullable<ListenerSettings["access"]>,
    ): alicloud.alb.ListenerAclAttachment {
        const { args, parent } = this.parts;
        const list = new alicloud.alb.Acl(child, { aclName: child, tags: tagsFor(child, args.tags) }, { parent });
        const entries = cidrs.map(
            (entry) =>
                new alicloud.alb.AclEntryAttachment(
                    `${child}-${entry.replace("/", "-")}`,
                    { aclId: list.id, entry, description: child },
                    // With another description it would be another entry, and a component that is renamed keeps its own: a list has each once.
                    { parent, deletedWith: list, ignoreChanges: ["description"] },
                ),
        );
        return new alicloud.alb.ListenerAclAttachment(
            child,
            { aclId: list.id, aclType: type === "white" ? "White" : "Black", listenerId: listener.id },
            // The listener takes one kind of list only, and knows a list by its id: the former has to go first.
            { parent, dependsOn: entries, deletedWith: listener, deleteBeforeReplace: true },
        );
    }

    private childOf(listener: ListenerArgs): string {
        return `${this.parts.name}-${listenerName(listener)}`;
    }
}

function stickinessInputs({
    stickiness,
}: ListenerArgs): NonNullable<alicloud.alb.ServerGroupArgs["stickySessionConfig"]> {
    if (stickiness === undefined) return { stickySessionEnabled: false };
    return stickiness.cookie === undefined
        ? { stickySessionEnabled: true, stickySessionType: "Insert", cookieTimeout: stickiness.seconds! }
        : { stickySessionEnabled: true, stickySessionType: "Server", cookie: stickiness.cookie };
}

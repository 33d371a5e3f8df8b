import * as alicloud from "@pulumi/alicloud";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

import { tagsFor } from "../tags";
import { uploadCertificate } from "./certificate";
import type { BalancerParts, CloudBalancer } from "./cloud";
import { type ListenerSettings, listenerName } from "./settings";

/** Network Load Balancer, billed by traffic and capacity units: an address in each of several zones. */
export function createNetworkBalancer(parts: BalancerParts): CloudBalancer {
    return new NetworkBalancer(parts);
}

const protocols = { tcp: "TCP", udp: "UDP", tls: "TCPSSL" } as const;
const schedulers = { wrr: "Wrr", wlc: "Wlc", rr: "Rr", sch: "Sch" } as const;

class NetworkBalancer implements CloudBalancer {
    public readonly id: pulumi.Output<string>;
    public readonly addresses: readonly pulumi.Output<string>[];
    public readonly dnsName: pulumi.Output<string>;
    public readonly listeners: readonly pulumi.CustomResource[];
    /** Each server is held up on its own, see {@link NetworkBalancer.drain}. */
    public readonly membership: readonly pulumi.CustomResource[] = [];

    private readonly balancer: alicloud.nlb.LoadBalancer;
    /** Waits of the servers, in the order of the hosts. */
    private readonly drains: readonly pulumi.CustomResource[];
    /** What keeps out whom a list doesn't admit; none without lists. */
    private readonly access: readonly pulumi.Resource[];

    constructor(private readonly parts: BalancerParts) {
        const { name, args, settings, parent } = parts;
        this.balancer = new alicloud.nlb.LoadBalancer(
            name,
            {
                loadBalancerName: name,
                addressType: args.address === "internet" ? "Internet" : "Intranet",
                vpcId: args.vpcId!,
                zoneMappings: args.vswitches!.map(({ id, zone }) => ({ vswitchId: id, zoneId: zone })),
                crossZoneEnabled: true,
                deletionProtectionConfig: { enabled: args.deletionProtection === true },
                tags: tagsFor(name, args.tags),
            },
            { parent },
        );
        this.access = this.limitAccess();
        this.id = this.balancer.id;
        this.dnsName = this.balancer.dnsName;
        this.addresses = args.vswitches!.map(({ id }) => this.addressIn(id));
        this.drains = parts.servers.map((server, index) => this.drain(args.hosts[index]!.name, server));
        this.listeners = settings.listeners.map((listener) => this.listener(listener));
    }

    /** Where the balancer listens in a VSwitch. */
    private addressIn(vswitchId: pulumi.Input<string>): pulumi.Output<string> {
        const { name, args } = this.parts;
        return pulumi.all([vswitchId, this.balancer.zoneMappings]).apply(([id, zones]) => {
            const zone = zones.find((one) => one.vswitchId === id);
            if (zone === undefined) {
                throw new pulumi.RunError(
                    `LoadBalancer "${name}" has no address in VSwitch ${id}: see with \`pulumi refresh\` in which it stands, and bring it back with \`pulumi up\`.`,
                );
            }
            return args.address === "internet" ? zone.publicIpv4Address : zone.privateIpv4Address;
        });
    }

    private listener({ args, check }: ListenerSettings): alicloud.nlb.Listener {
        const { name, args: all, settings, parent, servers } = this.parts;
        const child = `${name}-${listenerName(args)}`;
        const protocol = protocols[args.protocol as keyof typeof protocols];
        const tags = tagsFor(child, all.tags);
        const group = new alicloud.nlb.ServerGroup(
            child,
            {
                serverGroupName: child,
                serverGroupType: "Instance",
                vpcId: all.vpcId!,
                // Hosts are always spoken to without TLS.
                protocol: protocol === "UDP" ? "UDP" : "TCP",
                scheduler: schedulers[args.scheduler ?? "wrr"],
                healthCheck: checkInputs(args.protocol, check),
                tags,
            },
            { parent, deleteBeforeReplace: true },
        );
        const members = all.hosts.map(
            (host, index) =>
                new alicloud.nlb.ServerGroupServerAttachment(
                    `${child}-${host.name}`,
                    {
                        serverGroupId: group.id,
                        serverId: servers[index]!,
                        serverType: "Ecs",
                        // Left out it would be the provider's to fill in, which then sees a change in every run.
                        serverIp: host.privateAddress,
                        port: args.hostPort!,
                        weight: settings.weights.get(host.name)!,
                    },
                    { parent, dependsOn: [this.drains[index]!, ...(all.after ?? [])], deletedWith: group },
                ),
        );
        return new alicloud.nlb.Listener(
            child,
            {
                loadBalancerId: this.balancer.id,
                listenerProtocol: protocol,
                listenerPort: args.port,
                listenerDescription: child,
                serverGroupId: group.id,
                ...(args.protocol === "tls"
                    ? {
                          certificateIds: [uploadCertificate(this.parts, child, args, this, this.balancer.regionId)],
                          securityPolicyId: "tls_cipher_policy_1_2_strict_with_1_3",
                      }
                    : {}),
                tags,
            },
            {
                parent,
                // A port has one listener.
                deleteBeforeReplace: true,
                dependsOn: [...this.access, ...members],
            },
        );
    }

    /**
     * Waits, once a server is out of every group, until it has finished what it had begun: the engine deletes what depends on this
     * first, and what this depends on, the server, last.
     */
    private drain(host: string, server: pulumi.Output<string>): command.local.Command {
        const { name, settings, parent } = this.parts;
        return new command.local.Command(
            `${name}-${host}-drain`,
            {
                create: 'echo "$SERVER"',
                delete: 'sleep "$DRAIN_SECONDS"',
                environment: { SERVER: server, DRAIN_SECONDS: String(settings.drainSeconds) },
                triggers: [server],
            },
            { parent, deletedWith: this.balancer },
        );
    }

    /**
     * The cloud has no access control lists for this product, but security groups, whose rules count here where they drop: everybody
     * else is admitted.
     */
    private limitAccess(): readonly pulumi.Resource[] {
        const { name, args, settings, parent } = this.parts;
        const limited = settings.listeners.filter(({ access }) => access !== undefined);
        if (limited.length === 0) return [];
        const group = new alicloud.ecs.SecurityGroup(
            `${name}-access`,
            {
                securityGroupName: `${name}-access`,
                description: `Who may connect to ${name}.`,
                vpcId: args.vpcId!,
                tags: tagsFor(`${name}-access`, args.tags),
            },
            { parent },
        );
        const rules = limited.flatMap(({ args: listener, access }) => {
            const child = `${name}-${listenerName(listener)}`;
            const rule = (cidrIp: string, policy: "accept" | "drop", priority: number): pulumi.Resource =>
                new alicloud.ecs.SecurityGroupRule(
                    `${child}-${cidrIp.replace("/", "-")}`,
                    {
                        securityGroupId: group.id,
                        type: "ingress",
                        ipProtocol: listener.protocol === "udp" ? "udp" : "tcp",
                        portRange: `${listener.port}/${listener.port}`,
                        nicType: "intranet",
                        cidrIp,
                        policy,
                        priority,
                        description: child,
                    },
                    { parent, deletedWith: group },
                );
            if (access!.type === "black") return access!.cidrs.map((cidr) => rule(cidr, "drop", 1));
            const allowed = access!.cidrs.map((cidr) => rule(cidr, "accept", 1));
            return access!.cidrs.includes("0.0.0.0/0") ? allowed : [...allowed, rule("0.0.0.0/0", "drop", 100)];
        });
        // Not by the balancer's own list, which the provider never empties: the group could not be deleted when the lists go.
        const joined = new alicloud.nlb.LoadBalancerSecurityGroupAttachment(
            `${name}-access`,
            { loadBalancerId: this.balancer.id, securityGroupId: group.id },
            // Without its rules a group admits everybody.
            { parent, dependsOn: rules },
        );
        return [joined];
    }
}

function checkInputs(
    protocol: ListenerSettings["args"]["protocol"],
    check: ListenerSettings["check"],
): alicloud.types.input.nlb.ServerGroupHealthCheck {
    return {
        healthCheckEnabled: true,
        healthCheckType: check.path !== undefined ? "HTTP" : protocol === "udp" ? "UDP" : "TCP",
        healthCheckConnectPort: check.port ?? 0,
        healthCheckInterval: check.intervalSeconds,
        healthCheckConnectTimeout: check.timeoutSeconds,
        healthyThreshold: check.healthyAfter,
        unhealthyThreshold: check.unhealthyAfter,
        ...(check.path === undefined
            ? {}
            : {
                  healthCheckUrl: check.path,
                  httpCheckMethod: check.method,
                  healthCheckHttpCodes: check.codes.map((code) => `http_${code}`),
                  healthCheckDomain: check.domain ?? "$SERVER_IP",
              }),
        ...(check.request === undefined ? {} : { healthCheckReq: check.request }),
        ...(check.response === undefined ? {} : { healthCheckExp: check.response }),
    };
}

/** Who may come in from the outside. */
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { componentTypes, known, onTypes, token } from "./resources";

const anywhere = new Set(["0.0.0.0/0", "::/0"]);

/** `80/80` or `8000/8100` as its ends; `-1/-1` is all ports. */
function portsOf(range: unknown): [number, number] {
    const [, from = "-1", to = "-1"] = /^(-?\d+)\/(-?\d+)$/.exec(String(range)) ?? [];
    return from === "-1" ? [1, 65_535] : [Number(from), Number(to)];
}

const publishedPorts: ResourceValidationPolicy = {
    name: "published-ports",
    description: "No security group is open to the whole world on other ports than those that are published.",
    enforcementLevel: "mandatory",
    configSchema: {
        properties: { ports: { type: "array", items: { type: "integer" }, default: [80, 443] } },
    },
    validateResource: onTypes(token.securityGroupRule, (rule, report, args) => {
        const { ports } = args.getConfig<{ ports: number[] }>();
        const open = anywhere.has(String(rule["cidrIp"])) || anywhere.has(String(rule["ipv6CidrIp"]));
        if (rule["type"] !== "ingress" || rule["policy"] === "drop" || !open) return;
        const protocol = String(rule["ipProtocol"]);
        if (protocol === "icmp" || protocol === "icmpv6") return;
        const [from, to] = portsOf(rule["portRange"]);
        const isPublished = (protocol === "tcp" || protocol === "udp") && from === to && ports.includes(from);
        if (!isPublished)
            report(
                `admits the whole world to ${protocol} ${from === to ? `port ${from}` : `ports ${from} to ${to}`}; published are ${ports.join(", ")}. Name the ranges that may come in.`,
            );
    }),
};

const hosts: readonly string[] = [token.instance, ...token.hostGroups];
const hostAddresses: readonly string[] = token.hostAddresses;
/** As an association names what leads to a host. */
const hostKinds = ["EcsInstance", "NetworkInterface", "HaVip"];

const publicAddresses: StackValidationPolicy = {
    name: "public-addresses",
    description: "Only bastions and balancers have a public address.",
    enforcementLevel: "mandatory",
    configSchema: {
        properties: {
            components: { type: "array", items: { type: "string" }, default: ["multihost:compute:Bastion"] },
        },
    },
    validateStack: (stack, report) => {
        const { components } = stack.getConfig<{ components: string[] }>();
        for (const resource of stack.resources) {
            const exempt = componentTypes(resource).some((type) => components.includes(type));
            if (exempt) continue;
            const { props } = resource;
            if (hosts.includes(resource.type) && Number(props["internetMaxBandwidthOut"] ?? 0) > 0)
                report(
                    "asks for a public address (internetMaxBandwidthOut): set it to 0 and reach the host through the bastion.",
                    resource.urn,
                );
            if (resource.type !== token.eipAssociation) continue;
            // Which kind of thing an address is bound to follows from its id, which isn't known before the first update.
            const bound = resource.propertyDependencies["instanceId"] ?? [];
            const toHost =
                hostKinds.includes(String(known(props, "instanceType"))) ||
                /^(i|eni|havip)-/.test(String(known(props, "instanceId"))) ||
                bound.some(({ type }) => type === token.instance || hostAddresses.includes(type));
            if (toHost)
                report(
                    "binds a public address to a host that is no bastion: publish its service through a balancer.",
                    resource.urn,
                );
        }
    },
};

const severalZones: StackValidationPolicy = {
    name: "several-zones",
    description: "The subnets of a stack lie in more than one zone.",
    enforcementLevel: "advisory",
    validateStack: ({ resources }, report) => {
        const subnets = resources.filter(({ type }) => type === token.vswitch);
        const zones = new Set(subnets.map(({ props }) => String(known(props, "zoneId"))));
        if (subnets.length > 0 && zones.size === 1)
            report(`all ${subnets.length} subnets are in ${[...zones].join("")}: the platform fails with that zone.`);
    },
};

export const networkPolicies = [publishedPorts, publicAddresses, severalZones];

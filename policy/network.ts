/** Who may come in from the outside. */
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { isPrivate, parseRange } from "./ranges";
import { componentTypes, known, onTypes, type Properties, texts, token } from "./resources";

/** The shortest masks with which a range is a part of the internet, and not the whole of it in pieces. */
interface Widest {
    readonly ipv4Prefix: number;
    readonly ipv6Prefix: number;
}

/** Whether a range lets in everybody, or so much that it comes to the same; one that can't be read does. */
function isWorld(text: string, { ipv4Prefix, ipv6Prefix }: Widest): boolean {
    const range = parseRange(text);
    if (range === undefined) return text !== "";
    return range.prefix < (range.family === "ipv4" ? ipv4Prefix : ipv6Prefix) && !isPrivate(range);
}

/** `80/80` or `8000/8100` as its ends; `-1/-1` is all ports. */
function portsOf(range: unknown): [number, number] {
    const [, from = "-1", to = "-1"] = /^(-?\d+)\/(-?\d+)$/.exec(String(range)) ?? [];
    return from === "-1" ? [1, 65_535] : [Number(from), Number(to)];
}

const publishedPorts: ResourceValidationPolicy = {
    name: "published-ports",
    description:
        "No security group is open to the whole world on other ports than those that are published, and no prefix list holds it.",
    enforcementLevel: "mandatory",
    configSchema: {
        properties: {
            ports: { type: "array", items: { type: "integer" }, default: [80, 443] },
            // What a registry gives to one holder is no wider.
            ipv4Prefix: { type: "integer", default: 8 },
            ipv6Prefix: { type: "integer", default: 16 },
        },
    },
    validateResource: [
        onTypes(token.securityGroupRule, (rule, report, args) => {
            const { ports, ...widest } = args.getConfig<Widest & { ports: number[] }>();
            const open = texts([rule["cidrIp"], rule["ipv6CidrIp"]]).find((range) => isWorld(range, widest));
            if (rule["type"] !== "ingress" || rule["policy"] === "drop" || open === undefined) return;
            const protocol = String(rule["ipProtocol"]);
            if (protocol === "icmp" || protocol === "icmpv6") return;
            const [from, to] = portsOf(rule["portRange"]);
            const published = new Set(ports.filter((port) => port >= from && port <= to)).size;
            const isPublished = (protocol === "tcp" || protocol === "udp") && published === to - from + 1;
            if (!isPublished)
                report(
                    `admits the whole world (${open}) to ${protocol} ${from === to ? `port ${from}` : `ports ${from} to ${to}`}; published are ${ports.join(", ")}. Name the ranges that may come in.`,
                );
        }),
        // Which ports the rules open that name a list does not stand in it.
        onTypes(token.prefixLists, (list, report, args) => {
            const widest = args.getConfig<Widest>();
            const entries = list["entrys"] ?? list["entries"];
            const ranges = Array.isArray(entries) ? (entries as Properties[]).map(({ cidr }) => cidr) : [];
            for (const range of texts(ranges))
                if (isWorld(range, widest))
                    report(
                        `has the whole world in it (${range}): name the ranges that may come in, and the world only in rules for published ports.`,
                    );
        }),
    ],
};

const asking: readonly string[] = [...token.hosts, ...token.templates];
/** What an address may be bound to that is a host, or leads to one. */
const hostEnds: readonly string[] = [...token.hosts, ...token.hostAddresses];
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
            // One that leaves it out has it from the cloud, later than a preview: reading it there would end this policy for all that follow.
            if (asking.includes(resource.type) && Number(known(props, "internetMaxBandwidthOut") ?? 0) > 0)
                report(
                    "asks for a public address (internetMaxBandwidthOut): set it to 0 and reach the host through the bastion.",
                    resource.urn,
                );
            if (
                resource.type === token.anycastAttachment &&
                hostKinds.includes(String(known(props, "bindInstanceType")))
            )
                report(
                    "binds a public address of several regions to a host: publish its service through a balancer.",
                    resource.urn,
                );
            if (resource.type === token.forwardEntry)
                report(
                    "forwards ports of a public address to a host: publish its service through a balancer.",
                    resource.urn,
                );
            if (resource.type === token.ipv6Bandwidth)
                report(
                    "gives a host's IPv6 address the internet: publish its service through a balancer.",
                    resource.urn,
                );
            if (resource.type !== token.eipAssociation) continue;
            // Which kind of thing an address is bound to follows from its id, which isn't known before the first update.
            const bound = resource.propertyDependencies["instanceId"] ?? [];
            const toHost =
                hostKinds.includes(String(known(props, "instanceType"))) ||
                /^(i|eni|havip)-/.test(String(known(props, "instanceId"))) ||
                bound.some(({ type }) => hostEnds.includes(type));
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
        const zones = new Set(subnets.map(({ props }) => known(props, "zoneId") ?? known(props, "availabilityZone")));
        const [zone] = zones;
        // Of those that only the update knows, all may be in another one.
        if (zones.size === 1 && typeof zone === "string")
            report(`all ${subnets.length} subnets are in ${zone}: the platform fails with that zone.`);
    },
};

export const networkPolicies = [publishedPorts, publicAddresses, severalZones];

/** A topology in Graphviz's language. */
import {
    INTERNET,
    networksOf,
    networkTitle,
    type Topology,
    type TopologyBalancer,
    type TopologyHost,
    type TopologyPool,
    type TopologyStore,
} from "./topology";

/** Fills by zone, in the order of their names; a fifth zone begins again. Chosen to be told apart by colour-blind people. */
const zoneColours = ["#dbe9f6", "#fde7c8", "#dff0d8", "#eadcf4"];

const escaped = (text: string): string =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const quoted = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** A label of lines, the first one in bold. */
function label(first: string, ...lines: readonly string[]): string {
    const rest = lines.filter((line) => line !== "").map((line) => `<br/><font point-size="9">${escaped(line)}</font>`);
    return `<<b>${escaped(first)}</b>${rest.join("")}>`;
}

function host(one: TopologyHost, colour: string): string {
    const { name, address, publicAddress, instanceType, services } = one;
    return `${quoted(`host ${name}`)} [label=${label(name, address, publicAddress, instanceType, ...services)}, fillcolor=${quoted(colour)}]`;
}

function pool({ name, hosts, amongThemselves }: TopologyPool, colours: ReadonlyMap<string, string>): string {
    const title = label(name, amongThemselves.length === 0 ? "" : `among themselves: ${amongThemselves.join(", ")}`);
    return [
        `subgraph ${quoted(`cluster pool ${name}`)} {`,
        `label=${title}; style="rounded,filled"; fillcolor="#fafafa"; color="#9aa5b1";`,
        // Graphviz stacks a cluster from below.
        ...[...hosts].reverse().map((one) => `${host(one, colours.get(one.zone) ?? "white")};`),
        "}",
    ].join("\n");
}

function balancer({ name, address, ports }: TopologyBalancer): string {
    return `${quoted(`end ${name}`)} [label=${label(name, "load balancer", address, ports.map((port) => `:${port}`).join(" "))}, shape=hexagon, fillcolor="white"]`;
}

function store({ name, mountTargets }: TopologyStore): string {
    return `${quoted(`end ${name}`)} [label=${label(name, "file storage", ...mountTargets)}, shape=cylinder, fillcolor="white"]`;
}

/** A picture of a stack. The same topology gives the same text. */
export function toDot(topology: Topology): string {
    const { pools, balancers, stores, flows } = topology;
    const networks = networksOf(topology);
    const gateways = new Set(networks.map(({ natName }) => natName));
    // Of a host that exists already the zone isn't known.
    const zones = [...new Set(pools.flatMap(({ hosts }) => hosts.map(({ zone }) => zone)))].filter(Boolean).sort();
    const colours = new Map(zones.map((zone, index) => [zone, zoneColours[index % zoneColours.length]!]));
    const poolNames = new Map(pools.map((one) => [one.name, one]));
    const outside = [...new Set(flows.flatMap(({ from, to }) => [from, to]))].filter(
        (end) =>
            !poolNames.has(end) && !gateways.has(end) && ![...balancers, ...stores].some(({ name }) => name === end),
    );
    // An edge to a cluster needs a node in it; the middle one keeps it short.
    const anchor = (end: string): string => {
        const members = poolNames.get(end)?.hosts ?? [];
        return quoted(members.length === 0 ? `end ${end}` : `host ${members[Math.floor(members.length / 2)]!.name}`);
    };
    const edges = flows.map(({ from, to, ports }) => {
        const ends = [
            // The way out doesn't decide what stands where.
            ...(gateways.has(from) || gateways.has(to) ? ["constraint=false", "style=dashed"] : []),
            ...(poolNames.has(from) ? [`ltail=${quoted(`cluster pool ${from}`)}`] : []),
            ...(poolNames.has(to) ? [`lhead=${quoted(`cluster pool ${to}`)}`] : []),
        ];
        return `${anchor(from)} -> ${anchor(to)} [${[`label=${quoted(` ${ports.join(", ")} `)}`, ...ends].join(", ")}];`;
    });
    const legend = zones.map((zone) => `<td bgcolor="${colours.get(zone)!}">${escaped(zone)}</td>`).join("");
    return [
        "digraph stack {",
        'graph [compound=true, rankdir=LR, fontname="Helvetica,Arial,sans-serif", fontsize=12, nodesep=0.2, ranksep=1.1, bgcolor="white"];',
        'node [shape=box, style="rounded,filled", fontname="Helvetica,Arial,sans-serif", fontsize=11, color="#52606d", margin="0.15,0.08"];',
        'edge [fontname="Helvetica,Arial,sans-serif", fontsize=9, color="#52606d"];',
        ...outside.map(
            (end) =>
                `${quoted(`end ${end}`)} [label=${label(end)}, shape=${end === INTERNET ? "doublecircle" : "oval"}, fillcolor="white"];`,
        ),
        ...balancers.filter((one) => one.public).map((one) => `${balancer(one)};`),
        ...networks.flatMap((network, index) => [
            `subgraph ${quoted(index === 0 ? "cluster vpc" : `cluster vpc ${index + 1}`)} {`,
            `label=${label(networkTitle(network, networks.length > 1), network.names.join("  "))}; style=rounded; color="#52606d";`,
            ...balancers
                .filter((one) => !one.public && network.balancers.includes(one.name))
                .map((one) => `${balancer(one)};`),
            ...stores.filter(({ name }) => network.stores.includes(name)).map((one) => `${store(one)};`),
            ...(network.nat === undefined
                ? []
                : [
                      `${quoted(`end ${network.natName}`)} [label=${label(network.natName, network.nat)}, shape=hexagon, fillcolor="white"];`,
                  ]),
            ...pools.filter(({ name }) => network.pools.includes(name)).map((one) => pool(one, colours)),
            "}",
        ]),
        ...(legend === ""
            ? []
            : [
                  `legend [shape=plain, style="", label=<<table border="0" cellborder="1" cellspacing="4" color="#9aa5b1"><tr>${legend}</tr></table>>];`,
              ]),
        ...edges,
        "}",
    ].join("\n");
}

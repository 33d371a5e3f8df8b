/** What an update changes in a picture, and the picture itself in the language that GitHub draws. */
import {
    INTERNET,
    networksOf,
    networkTitle,
    type Topology,
    type TopologyBalancer,
    type TopologyHost,
    type TopologyNetwork,
    type TopologyPool,
} from "./topology";
import { byName } from "../toolchain/order";

/** Most hosts of a pool that are drawn; the others are counted. */
const DRAWN = 12;

/** One thing that a picture shows, as a line of text. Addresses that the cloud gives are left out: a new host has none before the update. */
function facts(topology: Topology): string[] {
    const { pools, balancers, stores, flows, names } = topology;
    const networks = networksOf(topology);
    return [
        ...networks.flatMap(({ vpc }) => (vpc === undefined ? [] : [`VPC ${vpc.name} ${vpc.cidr}`.trim()])),
        ...pools.flatMap(({ name, hosts, amongThemselves }) => [
            ...hosts.map((host) => `${name}: ${hostFact(host)}`),
            ...(amongThemselves.length === 0 ? [] : [`${name} among themselves: ${amongThemselves.join(", ")}`]),
        ]),
        ...balancers.map(
            (one) => `balancer ${one.name}, ${one.public ? "public" : "private"}: ${one.ports.join(", ")}`,
        ),
        ...stores.map(({ name }) => `file storage ${name}`),
        ...networks.flatMap(({ nat, natName }) => (nat === undefined ? [] : [natName])),
        ...flows.map(({ from, to, ports }) => `${from} → ${to}${ports.length === 0 ? "" : `: ${ports.join(", ")}`}`),
        ...names.map((name) => `name ${name}`),
    ];
}

function hostFact({ name, zone, instanceType, services }: TopologyHost): string {
    return [`host ${name}`, zone, instanceType, ...services].filter((part) => part !== "").join(", ");
}

/** What comes and goes, in the form of a difference: `+ node: host node-7, …`. Empty when the picture stays as it is. */
export function topologyChanges(before: Topology, after: Topology): string[] {
    const [old, now] = [facts(before), facts(after)];
    return [
        ...old.filter((fact) => !now.includes(fact)).map((fact) => `- ${fact}`),
        ...now.filter((fact) => !old.includes(fact)).map((fact) => `+ ${fact}`),
    ];
}

/** Networks as they will be, with the pools that go where they were: in a network that goes, too. */
function drawnNetworks(before: Topology, after: Topology): readonly TopologyNetwork[] {
    const [old, now] = [networksOf(before), networksOf(after)];
    const staying = new Set(after.pools.map(({ name }) => name));
    const leaving = ({ pools }: TopologyNetwork): string[] => pools.filter((pool) => !staying.has(pool));
    const one = old.length === 1 && now.length === 1;
    const isSame = (was: TopologyNetwork, is: TopologyNetwork): boolean => one || was.vpc?.name === is.vpc?.name;
    const drawn = now.map((is) => ({
        ...is,
        pools: [...is.pools, ...old.filter((was) => isSame(was, is)).flatMap(leaving)],
    }));
    const gone = old
        .filter((was) => leaving(was).length > 0 && !now.some((is) => isSame(was, is)))
        .map((was) => ({ ...was, nat: undefined, pools: leaving(was), balancers: [], stores: [], names: [] }));
    return [...drawn, ...gone];
}

const escaped = (text: string): string =>
    text.replace(/[#"<>&`\\]/g, (sign) => `#${sign.codePointAt(0)!};`).replace(/\s+/g, " ");
const label = (...lines: readonly string[]): string =>
    `"${lines
        .filter((line) => line !== "")
        .map(escaped)
        .join("<br/>")}"`;

/** Hosts of both sides, those that stay, come and go told apart. */
function drawnPools(before: Topology, after: Topology): { pool: string; hosts: (TopologyHost & { mark: string })[] }[] {
    const find = ({ pools }: Topology, pool: string): TopologyPool | undefined =>
        pools.find(({ name }) => name === pool);
    const names = [...new Set([...before.pools, ...after.pools].map(({ name }) => name))].sort(byName);
    return names.map((pool) => {
        const [old, now] = [find(before, pool)?.hosts ?? [], find(after, pool)?.hosts ?? []];
        const marked = now.map((host) => {
            const was = old.find(({ name }) => name === host.name);
            return { ...host, mark: was === undefined ? "new" : hostFact(was) === hostFact(host) ? "" : "changed" };
        });
        const gone = old.filter(({ name }) => !now.some((host) => host.name === name));
        return { pool, hosts: [...marked, ...gone.map((host) => ({ ...host, mark: "gone" }))] };
    });
}

/** A picture of an update in Mermaid's language: the stack as it will be, with what comes, changes and goes in colours. */
export function toMermaid(before: Topology, after: Topology): string {
    const ids = new Map<string, string>();
    const idOf = (kind: string, name: string): string => {
        const key = `${kind} ${name}`;
        if (!ids.has(key)) ids.set(key, `${kind}${ids.size}`);
        return ids.get(key)!;
    };
    const pools = drawnPools(before, after);
    const networks = drawnNetworks(before, after);
    const gateways = new Set(networks.map(({ natName }) => natName));
    // Of one that goes, something else may have the name.
    const isPool = (end: string): boolean => after.pools.some(({ name }) => name === end);
    const isService = (end: string): boolean => [...after.balancers, ...after.stores].some(({ name }) => name === end);
    const endOf = (end: string): string => idOf(isPool(end) ? "pool" : "end", end);
    const outside = [...new Set(after.flows.flatMap(({ from, to }) => [from, to]))].filter(
        (end) => !isPool(end) && !isService(end) && !gateways.has(end),
    );
    const balancer = ({ name, ports }: TopologyBalancer): string =>
        `${endOf(name)}{{${label(name, "load balancer", ports.map((port) => `:${port}`).join(" "))}}}`;
    return [
        "flowchart LR",
        ...outside.map((end) =>
            end === INTERNET ? `${endOf(end)}((${label(end)}))` : `${endOf(end)}([${label(end)}])`,
        ),
        ...after.balancers.filter((one) => one.public).map(balancer),
        ...networks.flatMap((network, index) => [
            `subgraph vpc${index === 0 ? "" : index + 1}[${label(networkTitle(network, networks.length > 1))}]`,
            ...after.balancers.filter((one) => !one.public && network.balancers.includes(one.name)).map(balancer),
            ...after.stores
                .filter(({ name }) => network.stores.includes(name))
                .map(({ name }) => `${endOf(name)}[(${label(name, "file storage")})]`),
            ...(network.nat === undefined ? [] : [`${endOf(network.natName)}{{${label(network.natName)}}}`]),
            ...pools
                .filter(({ pool }) => network.pools.includes(pool))
                .flatMap(({ pool, hosts }) => poolLines(pool, hosts, idOf)),
            "end",
        ]),
        ...after.flows.map(({ from, to, ports }) => {
            const arrow = gateways.has(from) || gateways.has(to) ? "-.->" : "-->";
            return `${endOf(from)} ${arrow}${ports.length === 0 ? "" : `|${label(ports.join(", "))}|`} ${endOf(to)}`;
        }),
        "classDef new fill:#dff0d8,stroke:#2e7d32",
        "classDef changed fill:#fde7c8,stroke:#b26a00",
        "classDef gone fill:#f8d7da,stroke:#b00020,stroke-dasharray:4",
    ].join("\n");
}

function poolLines(
    pool: string,
    hosts: readonly (TopologyHost & { readonly mark: string })[],
    idOf: (kind: string, name: string) => string,
): string[] {
    // What changes is drawn before what only stays.
    const ordered = [...hosts].sort((one, other) => Number(one.mark === "") - Number(other.mark === ""));
    const more = ordered.length - DRAWN;
    return [
        `subgraph ${idOf("pool", pool)}[${label(pool)}]`,
        ...ordered.slice(0, DRAWN).map(({ name, zone, instanceType, services, mark }) => {
            const id = idOf("host", `${pool} ${name}`);
            return `${id}[${label(name, zone, instanceType, ...services)}]${mark === "" ? "" : `:::${mark}`}`;
        }),
        ...(more > 0 ? [`${idOf("more", pool)}[${label(`and ${more} more`)}]`] : []),
        "end",
    ];
}

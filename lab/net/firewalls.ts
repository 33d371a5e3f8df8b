/**
 * Firewalls of the machine's own that would stop hosts. A chain that accepts a packet doesn't keep another chain at the same hook from
 * dropping it, so the lab can't help itself with a rule in a table of its own. Pure.
 */
import { contains, overlaps, parseAddress, parseCidr } from "../model/addresses";
import { labAddresses } from "./addresses";

/** A rule's statement or expression, as `nft -j` writes it. */
type Json = null | string | number | boolean | readonly Json[] | { readonly [key: string]: Json };
type Fields = Readonly<Record<string, Json>>;

interface Chain {
    readonly family: string;
    readonly table: string;
    readonly name: string;
    readonly hook?: string;
    readonly policy?: string;
}

interface Rule {
    readonly chain: string;
    readonly expr: readonly Json[];
}

/** What a host sends by its edge link. What isn't said may be anything. */
interface Packet {
    readonly device: string;
    readonly from: string;
    readonly to?: string;
    readonly protocol?: "tcp" | "udp";
    readonly port?: number;
}

/** Of a condition; undefined where that can't be told. */
type Holds = boolean | undefined;
/** Of a packet in a chain: `passes` where some rule may accept it. */
type Fate = "passes" | "stops" | "falls through";

/** Chains that the lab opens itself: `Network.openFirewalls`. */
export interface Opened {
    readonly iptables: boolean;
    readonly firewalld: boolean;
}

/**
 * Chains that are certain to drop what hosts of the lab with an index ask its services for, or send out. One sentence each.
 * @param ruleset `nft -j list ruleset`
 */
export function firewallProblems(index: number, ruleset: string, opened: Opened): string[] {
    const { nftables = [] } = JSON.parse(ruleset) as { nftables?: readonly { chain?: Chain; rule?: Rule & Chain }[] };
    const rules = nftables.flatMap(({ rule }) => rule ?? []);
    const { edgePrefix, outer, twins, service } = labAddresses(index);
    const device = `${edgePrefix}2`;
    const packets: Readonly<Record<string, readonly Packet[]>> = {
        input: [
            { device, from: outer, to: `${service}/32`, protocol: "udp", port: 10053 },
            { device, from: outer, to: `${service}/32`, protocol: "tcp", port: 10080 },
        ],
        forward: [{ device, from: twins }],
    };
    return nftables.flatMap(({ chain }) => {
        if (!chain || !["ip", "inet"].includes(chain.family) || isOpened(chain, opened)) return [];
        const { family, table, name, hook = "", policy } = chain;
        const own = rules.filter((rule) => rule.family === family && rule.table === table);
        const stops = (packets[hook] ?? []).some((packet) => {
            const fate = fateIn(name, own, packet);
            return fate === "stops" || (fate === "falls through" && policy === "drop");
        });
        if (!stops) return [];
        const ways = hook === "input" ? ["iifname"] : ["iifname", "oifname"];
        const commands = ways.map((way) => `\`nft insert rule ${family} ${table} ${name} ${way} "mh*" accept\``);
        return [
            `The firewall's chain ${name} (table ${family} ${table}) drops what the lab's hosts ${hook === "input" ? "ask the lab for, such as names" : "send out"}: ` +
                `let it through with ${commands.join(" and ")}, and in the file that it is loaded from.`,
        ];
    });
}

function isOpened({ family, table, name }: Chain, { iptables, firewalld }: Opened): boolean {
    if (/^mh\d+$/.test(table)) return true;
    if (iptables && family === "ip" && table === "filter" && ["INPUT", "FORWARD"].includes(name)) return true;
    return firewalld && table === "firewalld";
}

/** @param depth of jumps, which the kernel limits to 16. */
function fateIn(chain: string, rules: readonly Rule[], packet: Packet, depth = 0): Fate {
    if (depth > 16) return "passes";
    for (const { expr } of rules.filter((rule) => rule.chain === chain)) {
        let holds: Holds = true;
        for (const statement of expr) {
            if (holds === false) break;
            const [[kind, value] = ["", null]] = Object.entries(statement as Fields);
            if (kind === "match") holds = both(holds, matches(value as Fields, packet));
            else if (kind === "limit") holds = undefined;
            else if (kind === "accept") return "passes";
            else if (kind === "drop" || kind === "reject") {
                if (holds === true) return "stops";
            } else if (kind === "return") {
                if (holds === true) return "falls through";
                // Whoever called may accept what may have come back.
                return "passes";
            } else if (kind === "jump" || kind === "goto") {
                const fate = fateIn(text((value as Fields)["target"]), rules, packet, depth + 1);
                if (fate === "passes" || (fate === "stops" && holds === true)) return fate;
                if (kind === "goto" && holds === true) return "falls through";
            } else if (kind === "vmap") {
                if (mayPass(value as Fields, rules, packet, depth)) return "passes";
            } else if (!["counter", "log"].includes(kind)) holds = both(holds, undefined);
        }
    }
    return "falls through";
}

/** Whether a verdict map may let a packet through. */
function mayPass({ key, data }: Fields, rules: readonly Rule[], packet: Packet, depth: number): boolean {
    const elements = (data as Fields | null)?.["set"];
    if (!Array.isArray(elements)) return true;
    return (elements as readonly (readonly [Json, Fields])[]).some(([element, verdict]) => {
        if (matches({ op: "==", left: key ?? null, right: element }, packet) === false) return false;
        const target = (verdict["jump"] ?? verdict["goto"]) as Fields | undefined;
        if (target) return fateIn(text(target["target"]), rules, packet, depth + 1) === "passes";
        return !("drop" in verdict);
    });
}

function both(a: Holds, b: Holds): Holds {
    if (a === false || b === false) return false;
    return a === undefined || b === undefined ? undefined : true;
}

function matches({ op, left, right }: Fields, packet: Packet): Holds {
    const field = left as Fields;
    const payload = field["payload"] as Fields | undefined;
    // A field of another protocol's is in no packet of this one, whatever it is compared with.
    if (payload && isIn(payload, packet) === false) return false;
    const set = typeof right === "object" && right !== null && "set" in right ? right["set"] : right;
    const found = (Array.isArray(set) ? (set as readonly Json[]) : [set ?? null]).map((item) =>
        equals(field, item, packet),
    );
    const holds = found.includes(true) ? true : found.includes(undefined) ? undefined : false;
    if (op === "==" || op === "in") return holds;
    return op === "!=" && holds !== undefined ? !holds : undefined;
}

/** Whether a packet has the header that a field is of. */
function isIn({ protocol }: Fields, packet: Packet): Holds {
    if (protocol === "ip") return true;
    if (protocol === "ip6" || protocol === "icmpv6") return false;
    if (packet.protocol === undefined) return undefined;
    return protocol === "th" || protocol === packet.protocol;
}

/** Whether a field of a packet is what a rule names, or among it. */
function equals(field: Fields, item: Json, packet: Packet): Holds {
    const meta = (field["meta"] as Fields | undefined)?.["key"];
    const payload = field["payload"] as Fields | undefined;
    const is = (value: string | undefined): Holds =>
        value === undefined || typeof item !== "string" || item.startsWith("@") ? undefined : item === value;
    if (meta === "iif" || meta === "iifname")
        return typeof item === "string" && item.endsWith("*")
            ? packet.device.startsWith(item.slice(0, -1))
            : is(packet.device);
    if (meta === "pkttype") return is("host");
    if (meta === "nfproto") return is("ipv4");
    if (meta === "l4proto" || payload?.["field"] === "protocol") return is(packet.protocol);
    if ((field["ct"] as Fields | undefined)?.["key"] === "state") return is("new");
    if (payload?.["field"] === "dport") return isPort(item, packet.port);
    if (payload?.["field"] === "saddr") return isAmong(item, packet.from);
    if (payload?.["field"] === "daddr") return isAmong(item, packet.to);
    return undefined;
}

function isPort(item: Json, port: number | undefined): Holds {
    if (port === undefined) return undefined;
    if (typeof item === "number") return item === port;
    const [first, last] = ((item as Fields | null)?.["range"] ?? []) as readonly Json[];
    return typeof first === "number" && typeof last === "number" ? first <= port && port <= last : undefined;
}

/** Whether addresses of a range are what a rule names: an address, a prefix, or from one to another. */
function isAmong(item: Json, range: string | undefined): Holds {
    const own = parseCidr(range ?? "");
    const { prefix, range: ends } = (typeof item === "object" && item !== null ? item : {}) as Fields;
    const { addr, len } = (prefix ?? {}) as Fields;
    const [from, to] = (Array.isArray(ends) ? ends : [item, item]) as readonly Json[];
    const named = prefix === undefined ? undefined : parseCidr(`${text(addr)}/${text(len)}`);
    const [first, last] = [named?.first ?? parseAddress(text(from)), named?.last ?? parseAddress(text(to))];
    if (!own || first === undefined || last === undefined) return undefined;
    const other = { address: first, first, last, prefix: 0 };
    return contains(other, own) ? true : overlaps(other, own) ? undefined : false;
}

/** Empty for what is no text or number. */
function text(value: Json | undefined): string {
    return typeof value === "string" || typeof value === "number" ? `${value}` : "";
}

/** Firewalls of the machine's own, as `nft -j list ruleset` shows them. */
import { firewallProblems } from "../../../lab/net/firewalls";

const opened = { iptables: true, firewalld: true };
const chain = (name: string, hook: string, policy = "accept", table = "filter", family = "inet"): object => ({
    chain: { family, table, name, handle: 1, type: "filter", hook, prio: 0, policy },
});
/** Rules of a chain, each a list of statements. */
const rules = (name: string, ...expr: readonly (readonly object[])[]): object[] =>
    expr.map((statements) => ({ rule: { family: "inet", table: "filter", chain: name, handle: 1, expr: statements } }));
const match = (left: object, right: unknown, op = "=="): object => ({ match: { op, left, right } });
const meta = (key: string, right: unknown, op?: string): object => match({ meta: { key } }, right, op);
const payload = (protocol: string, field: string, right: unknown): object =>
    match({ payload: { protocol, field } }, right);
const state = (...states: readonly string[]): object => match({ ct: { key: "state" } }, states, "in");
const accept = { accept: null };
const drop = { drop: null };

function problems(...items: readonly (object | readonly object[])[]): string[] {
    const nftables = [
        { metainfo: { version: "1.0.6" } },
        { table: { family: "inet", name: "filter" } },
        ...items.flat(),
    ];
    return firewallProblems(3, JSON.stringify({ nftables }), opened);
}

/** What a workstation's firewall usually lets in. */
const workstation = [
    [
        {
            vmap: {
                key: { ct: { key: "state" } },
                data: {
                    set: [
                        ["invalid", drop],
                        ["established", accept],
                        ["related", accept],
                    ],
                },
            },
        },
    ],
    [meta("iif", "lo"), accept],
    [meta("iifname", { set: ["eth0", "wlan*"] }), payload("tcp", "dport", { set: [22, { range: [80, 90] }] }), accept],
    [payload("tcp", "dport", 443), accept],
    [payload("tcp", "dport", { range: [8000, 9000] }), accept],
    [meta("l4proto", "ipv6-icmp"), accept],
    [
        payload("ip", "protocol", "icmp"),
        payload("icmp", "type", "echo-request"),
        { limit: { rate: 5, per: "second" } },
        accept,
    ],
    [payload("ip", "saddr", { prefix: { addr: "10.0.0.0", len: 8 } }), accept],
    [payload("ip", "saddr", { range: ["192.168.0.1", "192.168.0.9"] }), { counter: { packets: 0, bytes: 0 } }, accept],
    [payload("ip", "daddr", "224.0.0.251"), accept],
    [payload("ip6", "saddr", { prefix: { addr: "fe80::", len: 10 } }), accept],
    [meta("pkttype", { set: ["broadcast", "multicast"] }), accept],
    [{ log: null }],
    [{ jump: { target: "more" } }],
];
const more = rules("more", [payload("udp", "dport", 5353), accept], [payload("ip", "saddr", "@friends"), drop]);

test("a chain that drops what it doesn't know stops hosts, by its policy or its last rule", () => {
    const message =
        "The firewall's chain input (table inet filter) drops what the lab's hosts ask the lab for, such as names: " +
        'let it through with `nft insert rule inet filter input iifname "mh*" accept`, and in the file that it is loaded from.';
    expect(problems(chain("input", "input", "drop"), more, rules("input", ...workstation))).toEqual([message]);
    const last = [{ counter: { packets: 0, bytes: 0 } }, { reject: { type: "icmpx", expr: "port-unreachable" } }];
    expect(problems(chain("input", "input"), more, rules("input", ...workstation, last))).toEqual([message]);
    expect(
        problems(chain("ways", "forward", "drop"), rules("ways", [state("established", "related"), accept])),
    ).toEqual([
        "The firewall's chain ways (table inet filter) drops what the lab's hosts send out: " +
            'let it through with `nft insert rule inet filter ways iifname "mh*" accept` and `nft insert rule inet filter ways oifname "mh*" accept`, and in the file that it is loaded from.',
    ]);
});

test.each<[string, readonly (readonly object[])[]]>([
    ["the lab's interfaces", [[meta("iifname", "mh*"), accept]]],
    ["all but a few interfaces", [[meta("iifname", { set: ["eth0", "lo"] }, "!="), accept]]],
    ["the lab's addresses", [[payload("ip", "saddr", { prefix: { addr: "198.18.0.0", len: 15 } }), accept]]],
    ["both services' ports", [[payload("th", "dport", { set: [10053, 10080] }), accept]]],
    ["some of what can't be told", [[payload("ip", "saddr", "@friends"), accept]]],
    ["some of what comes often", [[{ limit: { rate: 5, per: "second" } }, accept]]],
    ["new connections, by a map", [[{ vmap: { key: { ct: { key: "state" } }, data: { set: [["new", accept]] } } }]]],
    ["interfaces, by a map to a chain", [[{ vmap: { key: { meta: { key: "iifname" } }, data: "@zones" } }]]],
    ["the lab's interfaces, further on", [[{ jump: { target: "lab" } }]]],
])("one that accepts %s does not", (_, additional) => {
    const lab = rules("lab", [meta("iifname", "mh3e*"), accept]);
    expect(problems(chain("input", "input", "drop"), more, lab, rules("input", ...workstation, ...additional))).toEqual(
        [],
    );
});

test("both services are asked for", () => {
    const names = [payload("udp", "dport", 10053), accept];
    expect(problems(chain("input", "input", "drop"), rules("input", names))).toHaveLength(1);
});

test("what drops some packets only, or none, is no matter", () => {
    expect(
        problems(
            chain("input", "input"),
            rules("input", [payload("ip", "saddr", "@banned"), drop], [meta("iifname", "eth0"), drop]),
            chain("early", "prerouting", "drop"),
            chain("six", "input", "drop", "filter", "ip6"),
        ),
    ).toEqual([]);
});

test("what the lab opens by itself is none, and is one where it can't", () => {
    const own = [
        chain("INPUT", "input", "drop", "filter", "ip"),
        chain("FORWARD", "forward", "drop", "filter", "ip"),
        chain("filter_INPUT", "input", "drop", "firewalld"),
        chain("guard", "input", "drop", "mh0", "ip"),
    ];
    expect(problems(...own)).toEqual([]);
    const text = JSON.stringify({ nftables: own });
    expect(firewallProblems(3, text, { iptables: false, firewalld: false })).toHaveLength(3);
});

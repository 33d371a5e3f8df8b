import type { DesiredListener, DesiredPool } from "../../../lab/model/desired";
import {
    CheckState,
    afterCheck,
    datagramHealth,
    datagramTable,
    flowsOf,
    initialState,
} from "../../../lab/net/datagrams";

const check = { udp: { request: "" }, intervalSeconds: 1, timeoutSeconds: 1, healthyAfter: 2, unhealthyAfter: 3 };
const pool = (changes: Partial<DesiredPool> = {}): DesiredPool => ({
    servers: [
        { id: "i-a", address: "10.0.1.5", port: 9053, weight: 30 },
        { id: "i-b", address: "10.0.1.6", port: 9053, weight: 10 },
    ],
    scheduler: "weighted",
    check,
    ...changes,
});
const listener = (changes: Partial<DesiredListener> = {}): DesiredListener => ({
    id: "lb/udp/53",
    protocol: "udp",
    port: 53,
    idleSeconds: 20,
    requestSeconds: 20,
    forwardedFor: false,
    headers: [],
    gzip: false,
    proxyProtocol: false,
    rules: [],
    pool: pool(),
    ...changes,
});
const configuration = (...listeners: DesiredListener[]) => ({
    addresses: ["198.19.0.9"],
    source: "100.64.0.5",
    listeners,
});

/** The table's rule that gives a listener's new flows a server. */
function choice(one: DesiredListener, up: readonly string[] = ["10.0.1.5", "10.0.1.6"]): string {
    const table = datagramTable(configuration(one), ({ server }) => up.includes(server.address));
    return table.split("\n").find((line) => line.startsWith("ip daddr { 198.19.0.9 } udp dport 53 d"))!;
}
const slots = (rule: string): string[] => [...rule.matchAll(/\d+ : (\S+) \. 9053/g)].map(([, address]) => address!);

test("new flows go round by weight, spread as far apart as can be", () => {
    expect(choice(listener())).toBe(
        "ip daddr { 198.19.0.9 } udp dport 53 dnat ip to numgen inc mod 4 map { 0 : 10.0.1.5 . 9053, 1 : 10.0.1.5 . 9053, 2 : 10.0.1.6 . 9053, 3 : 10.0.1.5 . 9053 }",
    );
    expect(slots(choice(listener({ pool: pool({ scheduler: "equal" }) })))).toEqual(["10.0.1.5", "10.0.1.6"]);
});

test("servers that are down or have no weight get no flow, and without any other nobody does", () => {
    expect(slots(choice(listener(), ["10.0.1.6"]))).toEqual(["10.0.1.6"]);
    expect(choice(listener(), [])).toBe("ip daddr { 198.19.0.9 } udp dport 53 drop");
    const idle = pool({ servers: pool().servers.map((server) => ({ ...server, weight: 0 })) });
    expect(choice(listener({ pool: idle }))).toBe("ip daddr { 198.19.0.9 } udp dport 53 drop");
});

test("a pool that opens gives flows to all of its servers by weight while its checks leave none", () => {
    expect(slots(choice(listener({ pool: pool({ open: true }) }), []))).toHaveLength(4);
    const drained = pool({ open: true, servers: pool().servers.map((server) => ({ ...server, weight: 0 })) });
    expect(choice(listener({ pool: drained }), [])).toBe("ip daddr { 198.19.0.9 } udp dport 53 drop");
    expect(slots(choice(listener({ pool: pool({ open: true }) }), ["10.0.1.6"]))).toEqual(["10.0.1.6"]);
});

test("a hash of the source gives shares by weight, and a server that goes moves none but its own", () => {
    const rule = choice(listener({ pool: pool({ scheduler: "sourceHash" }) }));
    expect(rule).toContain("jhash ip saddr mod 1021 seed 0x6d68 map");
    const before = slots(rule);
    expect(before.filter((address) => address === "10.0.1.5").length / 1021).toBeCloseTo(0.75, 1);
    const more = pool({
        scheduler: "sourceHash",
        servers: [...pool().servers, { id: "i-c", address: "10.0.1.7", port: 9053, weight: 20 }],
    });
    const after = slots(choice(listener({ pool: more }), ["10.0.1.5", "10.0.1.6", "10.0.1.7"]));
    expect(after.filter((address, slot) => address !== "10.0.1.7" && address !== before[slot])).toEqual([]);
    expect(choice(listener({ pool: pool({ scheduler: "connectionHash" }) }))).toContain(
        "jhash ip saddr . udp sport . ip daddr . udp dport mod",
    );
    expect(choice(listener({ pool: pool({ stickiness: { kind: "source", seconds: 60 } }) }))).toContain(
        "jhash ip saddr",
    );
});

test("lists admit or refuse, and one without entries restricts nobody", () => {
    const admission = (access?: DesiredListener["access"]): string =>
        datagramTable(configuration(listener(access ? { access } : {})), () => true)
            .split("chain admitting")[0]!
            .trim();
    expect(admission()).toBe("chain admit_53 {\n}");
    expect(admission({ kind: "allow", cidrs: [] })).toBe("chain admit_53 {\n}");
    expect(admission({ kind: "allow", cidrs: ["10.0.0.0/8", "fd00::/8"] })).toBe(
        "chain admit_53 {\nip saddr 10.0.0.0/8 return\ndrop\n}",
    );
    expect(admission({ kind: "deny", cidrs: ["10.0.0.0/8"] })).toBe("chain admit_53 {\nip saddr 10.0.0.0/8 drop\n}");
    // A host's EIP arrives as the address that travels in its place.
    expect(admission({ kind: "deny", cidrs: ["127.77.0.9"] })).toContain("ip saddr 198.19.0.9 drop");
});

test("as many checks in a row as asked for change a server's state, and one is down before them", () => {
    const after = (...results: boolean[]): CheckState =>
        results.reduce((state, succeeded) => afterCheck(state, succeeded, check), initialState(check));
    expect(initialState(undefined).up).toBe(true);
    expect(after(true).up).toBe(false);
    expect(after(true, false, true).up).toBe(false);
    expect(after(true, true).up).toBe(true);
    expect(after(true, true, false, false, true, false, false).up).toBe(true);
    expect(after(true, true, false, false, false).up).toBe(false);
});

test("health is told by listener and server, and flows are found by both", () => {
    expect(datagramHealth(configuration(listener()), ({ server }) => server.id === "i-a")).toEqual([
        { listenerId: "lb/udp/53", address: "10.0.1.5", port: 9053, health: "up" },
        { listenerId: "lb/udp/53", address: "10.0.1.6", port: 9053, health: "down" },
    ]);
    const { servers, scheduler } = pool();
    expect(datagramHealth(configuration(listener({ pool: { servers, scheduler } })), () => true)[0]!.health).toBe(
        "unchecked",
    );
    expect(flowsOf(configuration(), 53, pool().servers[0]).map((flow) => flow.join(" "))).toEqual([
        "-D -f ipv4 -p udp --orig-dst 198.19.0.9 --orig-port-dst 53 --reply-src 10.0.1.5 --reply-port-src 9053",
    ]);
});

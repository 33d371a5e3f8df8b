import type { DesiredHost, DesiredMachine, DesiredVpc } from "../../../lab/model/desired";
import { edgeMac, labAddresses, outerAddress, twin } from "../../../lab/net/addresses";
import {
    NetworkPlan,
    RouterPlan,
    changedBindings,
    machineTable,
    planNetwork,
    replaceTable,
} from "../../../lab/net/plan";
import { hostOf } from "./hostOf";

const vpc = (id: string, changes: Partial<DesiredVpc> = {}): DesiredVpc => ({
    id,
    cidrs: ["10.0.0.0/16"],
    vswitches: [
        { id: `vsw-${id}-1`, cidr: "10.0.1.0/24", gateway: "10.0.1.253", routeTableId: `vtb-${id}` },
        { id: `vsw-${id}-2`, cidr: "10.0.2.0/24", gateway: "10.0.2.253", routeTableId: `vtb-${id}-2` },
    ],
    routeTables: [{ id: `vtb-${id}`, routes: [] }],
    snat: [],
    dnat: [],
    haVips: [],
    ...changes,
});

const host = (
    id: string,
    vpcId: string,
    primaryIp: string,
    securityGroupIds: readonly string[] = [],
    vswitchId = `vsw-${vpcId}-1`,
): DesiredHost => ({
    ...hostOf(id),
    nics: [
        {
            id: `eni-${id}`,
            vpcId,
            vswitchId,
            mac: "00:16:3e:00:00:01",
            primary: true,
            deviceIndex: 0,
            primaryIp,
            secondaryIps: [],
            securityGroupIds,
        },
    ],
});

function plan(changes: Partial<DesiredMachine>, index = 0): NetworkPlan {
    const numbers = new Map<string, number>();
    const slot = (owner: string): number => {
        if (!numbers.has(owner)) numbers.set(owner, numbers.size + 2);
        return numbers.get(owner)!;
    };
    const desired = {
        vpcs: [],
        hosts: [],
        eips: [],
        securityGroups: [],
        balancers: [],
        zones: [],
        fileSystems: [],
        ...changes,
    };
    return planNetwork(desired, { lab: labAddresses(index), slot, dnsPort: 10053, metadataPort: 10080 });
}

/** Rules of a chain, or elements of a set or map. */
function block(table: string, kind: string, name: string): string[] {
    const lines = table.split("\n");
    const begin = lines.indexOf(`${kind} ${name} {`);
    if (begin < 0) throw new Error(`there is no ${kind} ${name}`);
    return lines.slice(begin + 1, lines.indexOf("}", begin));
}

const texts = (router: RouterPlan): string[] => router.routes.map(({ text }) => text);

describe("addresses", () => {
    test("two labs share none", () => {
        const first = labAddresses(0);
        const last = labAddresses(15);
        expect(first).toMatchObject({
            eips: "127.77.0.0/20",
            twins: "198.19.0.0/20",
            service: "198.18.0.1",
            internet: "203.0.113.1",
        });
        expect(last).toMatchObject({
            eips: "127.77.240.0/20",
            twins: "198.19.240.0/20",
            service: "198.18.240.1",
            internet: "203.0.113.16",
            device: "mh15",
            edgePrefix: "mh15e",
        });
        expect(outerAddress(1, 300)).toBe("198.18.17.44");
    });

    test("twins are of EIPs only", () => {
        expect(twin("127.77.3.4")).toBe("198.19.3.4");
        expect(twin("127.77.0.0/16")).toBe("198.19.0.0/16");
        expect(twin("10.0.0.1")).toBeUndefined();
    });

    test("each end of an edge link has its own hardware address", () => {
        const all = [0, 1].flatMap((index) =>
            [2, 258].flatMap((slot) => [edgeMac("machine", index, slot), edgeMac("router", index, slot)]),
        );
        expect(new Set(all).size).toBe(all.length);
        expect(all.every((mac) => /^02(:[0-9a-f]{2}){5}$/.test(mac))).toBe(true);
    });
});

test("interface names fit, whatever the numbers", () => {
    const { routers } = plan({ vpcs: [vpc("vpc-a")], hosts: [host("h", "vpc-a", "10.0.1.5")] }, 15);
    expect(routers[0]).toMatchObject({ namespace: "mh15-vpc-a", edge: "mh15e2" });
    expect("mh15e4095".length).toBeLessThanOrEqual(15);
});

test("VPCs with the same range get routers of their own, each with its own hosts only", () => {
    const { routers } = plan({
        vpcs: [vpc("vpc-a"), vpc("vpc-b")],
        hosts: [host("a", "vpc-a", "10.0.1.5"), host("b", "vpc-b", "10.0.1.5")],
    });
    expect(routers.map(({ nics }) => nics.map(({ hostId }) => hostId))).toEqual([["a"], ["b"]]);
    expect(new Set(routers.map(({ address }) => address)).size).toBe(2);
});

describe("routes", () => {
    test("of a bare VPC lead to its hosts and to the lab's services, and nowhere else", () => {
        const router = plan({ vpcs: [vpc("vpc-a")], hosts: [host("h", "vpc-a", "10.0.1.5")] }).routers[0]!;
        expect(texts(router)).toEqual([
            "198.18.0.1 dev edge",
            "default via 198.18.0.1 dev edge onlink table 50",
            "blackhole 10.0.1.0/24",
            "blackhole 10.0.2.0/24",
            "blackhole 10.0.0.0/16 table 60",
            expect.stringMatching(/^10\.0\.1\.5 dev n\d+$/) as string,
        ]);
        expect(router.rules.at(-1)).toBe("pref 600 blackhole");
        expect(router.gateways).toEqual(["10.0.1.253", "10.0.2.253"]);
        expect(router.nics[0]).toMatchObject({ guestDevice: "eth0", prefix: 24, gateway: "10.0.1.253" });
    });

    test("of a table apply to the VSwitches that use it", () => {
        const router = plan({
            vpcs: [
                vpc("vpc-a", {
                    routeTables: [
                        {
                            id: "vtb-vpc-a-2",
                            routes: [
                                { cidr: "0.0.0.0/0", nextHop: { kind: "nat", natGatewayId: "ngw-1" } },
                                { cidr: "192.168.0.0/16", nextHop: { kind: "instance", privateIp: "10.0.1.5" } },
                                { cidr: "172.16.0.0/12", nextHop: { kind: "blackhole" } },
                                { cidr: "172.31.0.0/16", nextHop: { kind: "instance", privateIp: "10.0.1.99" } },
                            ],
                        },
                    ],
                }),
            ],
            hosts: [host("h", "vpc-a", "10.0.1.5")],
        }).routers[0]!;
        const device = router.nics[0]!.device;
        expect(texts(router)).toEqual(
            expect.arrayContaining([
                "default via 198.18.0.1 dev edge onlink table 1000",
                `192.168.0.0/16 via 10.0.1.5 dev ${device} onlink table 1000`,
                "blackhole 172.16.0.0/12 table 1000 metric 4294967295",
                "blackhole 172.31.0.0/16 table 1000 metric 4294967295",
            ]),
        );
        // The other one to the same place goes with the host's link.
        expect(router.routes).toContainEqual({ text: "blackhole 192.168.0.0/16 table 1000 metric 4294967295" });
        expect(router.rules).toEqual([
            "pref 100 lookup main suppress_prefixlength 0",
            "pref 250 lookup 60",
            "pref 300 fwmark 1 lookup 50",
            "pref 500 iif lo lookup 50",
            "pref 600 blackhole",
            // The router itself, at the gateway's address; the one host is in the other VSwitch.
            "pref 200 iif lo from 10.0.2.253 lookup 1000 suppress_prefixlength 0",
            "pref 400 iif lo from 10.0.2.253 lookup 1000",
        ]);
        expect(block(router.table, "chain", "genuine")).toContain(`iifname "${device}" ip saddr 192.168.0.0/16 accept`);
    });

    test("of a table are for whoever sends from its VSwitch, also with the address of another", () => {
        const routes = (privateIp: string): DesiredVpc["routeTables"][number]["routes"] => [
            { cidr: "192.168.0.0/16", nextHop: { kind: "instance", privateIp } },
        ];
        const { nics, rules, balancers } = plan({
            vpcs: [
                vpc("vpc-a", {
                    routeTables: [
                        { id: "vtb-vpc-a", routes: routes("10.0.2.6") },
                        { id: "vtb-vpc-a-2", routes: routes("10.0.2.7") },
                    ],
                }),
            ],
            hosts: [
                host("a", "vpc-a", "10.0.1.5"),
                host("b", "vpc-a", "10.0.2.6", [], "vsw-vpc-a-2"),
                host("c", "vpc-a", "10.0.2.7", [], "vsw-vpc-a-2"),
            ],
            balancers: [
                { id: "alb", vpcId: "vpc-a", addresses: ["10.0.1.200", "10.0.2.200"], listeners: [] },
                { id: "outer", vpcId: "vpc-a", addresses: ["127.77.0.9"], listeners: [] },
            ],
        }).routers[0]!;
        const [a, b, c] = nics.map(({ device }) => device);
        const alb = balancers[0]!.device;
        expect(rules.filter((rule) => rule.startsWith("pref 400"))).toEqual([
            `pref 400 iif ${a} lookup 1000`,
            `pref 400 iif ${alb} from 10.0.1.200 lookup 1000`,
            "pref 400 iif lo from 10.0.1.253 lookup 1000",
            `pref 400 iif ${b} lookup 1001`,
            `pref 400 iif ${c} lookup 1001`,
            `pref 400 iif ${alb} from 10.0.2.200 lookup 1001`,
            "pref 400 iif lo from 10.0.2.253 lookup 1001",
        ]);
    });

    test("of the machine lead to bound EIPs and to outer addresses", () => {
        const { routes, bindings, outer } = plan({
            vpcs: [vpc("vpc-a")],
            hosts: [host("h", "vpc-a", "10.0.1.5")],
            eips: [
                { id: "1", address: "127.77.0.1", target: { kind: "instance", vpcId: "vpc-a", privateIp: "10.0.1.5" } },
                { id: "2", address: "127.77.0.2" },
                { id: "3", address: "127.77.0.3", target: { kind: "nat", vpcId: "vpc-a", natGatewayId: "ngw-1" } },
                { id: "4", address: "127.77.0.4", target: { kind: "nat", vpcId: "vpc-gone", natGatewayId: "ngw-2" } },
            ],
        });
        expect(routes).toEqual([
            expect.stringMatching(/^198\.18\.0\.\d+ via 198\.18\.0\.2 dev mh0e2 onlink$/) as string,
            "198.19.0.1 via 198.18.0.2 dev mh0e2 onlink",
            "198.19.0.3 via 198.18.0.2 dev mh0e2 onlink",
        ]);
        expect([...bindings.keys()]).toEqual(["127.77.0.1", "127.77.0.3"]);
        expect([...outer.values()]).toEqual(["eni-h"]);
    });
});

describe("firewall", () => {
    const hosts = [
        host("a", "vpc-a", "10.0.1.5", ["sg-1"]),
        host("b", "vpc-a", "10.0.1.6", ["sg-1"]),
        host("c", "vpc-a", "10.0.1.7", []),
    ];
    const securityGroups = [{ id: "sg-1", vpcId: "vpc-a", intraGroupAccept: true, rules: [] }];

    test("hosts with the same groups share their chains; ingress ends with drop and egress does not", () => {
        const { table } = plan({ vpcs: [vpc("vpc-a")], hosts, securityGroups }).routers[0]!;
        expect(block(table, "chain", "receive_0")).toEqual(["ip saddr @group_sg_1 accept", "drop"]);
        expect(block(table, "chain", "send_0")).toEqual(["ip daddr @group_sg_1 return"]);
        expect(block(table, "chain", "receive_1")).toEqual(["drop"]);
        expect(block(table, "set", "group_sg_1").join()).toContain("{ 10.0.1.5, 10.0.1.6 }");
        expect(block(table, "map", "receiving").join()).toMatch(/jump receive_0.*jump receive_0.*jump receive_1/);
    });

    test("what is tracked passes, then senders, the way out and receivers decide in that order", () => {
        const { table } = plan({ vpcs: [vpc("vpc-a")], hosts, securityGroups }).routers[0]!;
        expect(block(table, "chain", "passing")).toEqual([
            "type filter hook forward priority filter; policy drop;",
            "tcp flags syn tcp option maxseg size set rt mtu",
            "ct state established,related accept",
            "ip daddr 198.18.0.1 ct status dnat accept",
            'iifname "b*" oifname "n*" accept',
            "iifname vmap @sending",
            'oifname "edge" jump leaving',
            "oifname vmap @receiving",
        ]);
    });

    test("a host sends from its own addresses only", () => {
        const { table, nics } = plan({ vpcs: [vpc("vpc-a")], hosts: [hosts[0]!] }).routers[0]!;
        expect(block(table, "set", "own").join()).toContain(`{ "${nics[0]!.device}" . 10.0.1.5 }`);
        expect(block(table, "chain", "genuine").at(-1)).toBe('iifname "n*" drop');
    });

    test("answers leave by the edge when they are to what came in there", () => {
        const { table } = plan({ vpcs: [vpc("vpc-a")], hosts }).routers[0]!;
        expect(block(table, "chain", "marking")).toContain(
            'iifname "n*" ct direction reply ct status dnat meta mark set 1',
        );
    });

    test("what a host forwards towards a NAT gateway is a connection of its own", () => {
        const inspected = (own: DesiredVpc["routeTables"][number]["routes"]): string[] => {
            const { table, nics } = plan({
                vpcs: [
                    vpc("vpc-a", {
                        routeTables: [
                            {
                                id: "vtb-vpc-a",
                                routes: [{ cidr: "0.0.0.0/0", nextHop: { kind: "instance", privateIp: "10.0.2.9" } }],
                            },
                            { id: "vtb-vpc-a-2", routes: own },
                        ],
                    }),
                ],
                hosts: [...hosts, host("f", "vpc-a", "10.0.2.9", [], "vsw-vpc-a-2")],
            }).routers[0]!;
            const forwarder = nics.find(({ hostId }) => hostId === "f")!.device;
            return block(table, "chain", "genuine").map((rule) => rule.replace(`"${forwarder}"`, "f"));
        };
        const nat = { cidr: "0.0.0.0/0", nextHop: { kind: "nat", natGatewayId: "ngw-1" } } as const;
        const vpn = { cidr: "172.16.0.0/12", nextHop: { kind: "instance", privateIp: "10.0.1.5" } } as const;
        const rules = inspected([nat, vpn]);
        const [zone] = rules.filter((rule) => rule.includes("zone"));
        expect(zone).toMatch(
            /^iifname f ip daddr != 10\.0\.0\.0\/16 ip daddr != 172\.16\.0\.0\/12 ct original zone set \d+$/,
        );
        // Its own connections are as they were, and the rule decides nothing by itself.
        expect(rules.indexOf(zone!)).toBeGreaterThan(rules.indexOf("iifname . ip saddr @own accept"));
        expect(rules.indexOf(zone!)).toBeLessThan(rules.indexOf("iifname f accept"));
        expect(inspected([vpn]).join()).not.toContain("zone");
    });

    test("the machine passes on nothing with an address of a VPC", () => {
        expect(block(machineTable(labAddresses(0)), "chain", "guard")).toContain(
            'iifname "mh0e*" ip saddr != { 198.19.0.0/20, 198.18.0.0/20 } drop',
        );
    });

    test("the interface that holds a HaVip has its address, and only announcements name it as their sender", () => {
        const haVip = { id: "havip-1", address: "10.0.1.50", nicIds: ["eni-a", "eni-b"] };
        const [a, b] = [host("a", "vpc-a", "10.0.1.5", ["sg-1"]), host("b", "vpc-a", "10.0.1.6")];
        const planned = (holder?: string): RouterPlan =>
            plan({
                vpcs: [vpc("vpc-a", { haVips: [{ ...haVip, ...(holder !== undefined && { holder }) }] })],
                hosts: [a, b],
            }).routers[0]!;
        const free = planned();
        expect(texts(free).filter((text) => text.startsWith("10.0.1.50"))).toEqual([]);
        expect(block(free.table, "set", "own").join()).not.toContain("10.0.1.50");
        const [first, second] = free.nics.map(({ device }) => device);
        expect(free.haVips).toEqual([
            {
                id: "havip-1",
                address: "10.0.1.50",
                candidates: new Map([
                    [first, "eni-a"],
                    [second, "eni-b"],
                ]),
            },
        ]);
        expect(block(free.arpTable, "chain", "asking").slice(1)).toEqual([
            `iifname "${first}" arp operation request arp saddr ip 10.0.1.50 arp daddr ip != 10.0.1.50 arp saddr ip set 10.0.1.5`,
            `iifname "${second}" arp operation request arp saddr ip 10.0.1.50 arp daddr ip != 10.0.1.50 arp saddr ip set 10.0.1.6`,
        ]);
        const held = planned("eni-a");
        expect(held.haVips[0]!.holder).toBe(first);
        expect(held.routes).toContainEqual({ text: `10.0.1.50 dev ${first}`, device: first });
        expect(block(held.table, "set", "own").join()).toContain(`"${first}" . 10.0.1.50`);
        expect(plan({ vpcs: [vpc("vpc-a")], hosts: [a] }).routers[0]!.arpTable).toBe("");
        // A late word about an interface that is gone.
        expect(planned("eni-c").haVips[0]).not.toHaveProperty("holder");
    });

    test("only hosts with an EIP, and ranges with SNAT, may leave; the narrowest range chooses the address", () => {
        const { table } = plan({
            vpcs: [
                vpc("vpc-a", {
                    snat: [
                        { id: "wide", natGatewayId: "ngw-1", sourceCidr: "10.0.0.0/16", addresses: ["127.77.0.2"] },
                        {
                            id: "narrow",
                            natGatewayId: "ngw-1",
                            sourceCidr: "10.0.1.0/24",
                            addresses: ["127.77.0.3", "127.77.0.4"],
                        },
                        { id: "none", natGatewayId: "ngw-1", sourceCidr: "10.0.3.0/24", addresses: [] },
                    ],
                }),
            ],
            hosts,
            eips: [
                { id: "1", address: "127.77.0.1", target: { kind: "instance", vpcId: "vpc-a", privateIp: "10.0.1.5" } },
            ],
        }).routers[0]!;
        expect(block(table, "chain", "leaving")).toEqual([
            "ip saddr @elastic accept",
            "ip saddr 10.0.1.0/24 accept",
            "ip saddr 10.0.0.0/16 accept",
            "drop",
        ]);
        expect(block(table, "chain", "departing").slice(-2)).toEqual([
            'oifname "edge" ip saddr 10.0.1.0/24 snat to jhash ip saddr mod 2 map { 0 : 198.19.0.3, 1 : 198.19.0.4 }',
            'oifname "edge" ip saddr 10.0.0.0/16 snat to 198.19.0.2',
        ]);
        expect(block(table, "map", "inbound").join()).toContain("198.19.0.1 : 10.0.1.5");
        expect(block(table, "map", "outbound").join()).toContain("10.0.1.5 : 198.19.0.1");
    });

    test("of several NAT gateways the one that the route leads to translates, by its own entries", () => {
        const { table, routes } = plan({
            vpcs: [
                vpc("vpc-a", {
                    routeTables: [
                        {
                            id: "vtb-vpc-a",
                            routes: [
                                { cidr: "0.0.0.0/0", nextHop: { kind: "nat", natGatewayId: "ngw-b" } },
                                { cidr: "192.0.2.0/24", nextHop: { kind: "nat", natGatewayId: "ngw-a" } },
                            ],
                        },
                    ],
                    snat: [{ id: "s", natGatewayId: "ngw-a", sourceCidr: "10.0.0.0/16", addresses: ["127.77.0.2"] }],
                }),
            ],
            hosts,
        }).routers[0]!;
        expect(routes.map(({ text }) => text)).toEqual(
            expect.arrayContaining([
                "default via 198.18.0.1 dev edge onlink table 1000 realm 2",
                "192.0.2.0/24 via 198.18.0.1 dev edge onlink table 1000 realm 1",
            ]),
        );
        expect(block(table, "chain", "departing").at(-1)).toBe(
            'oifname "edge" rt classid 1 ip saddr 10.0.0.0/16 snat to 198.19.0.2',
        );
        expect(block(table, "chain", "leaving")).toEqual([
            "ip saddr @elastic accept",
            "rt classid 1 ip saddr 10.0.0.0/16 accept",
            "drop",
        ]);
    });

    test.each([
        ["80", "tcp", "8080", "tcp dport 80 dnat to 10.0.1.5:8080"],
        ["80", "tcp", "80", "tcp dport 80 dnat to 10.0.1.5"],
        ["80/90", "udp", "80/90", "udp dport 80-90 dnat to 10.0.1.5"],
        [
            "80/82",
            "tcp",
            "8080/8082",
            "tcp dport 80-82 dnat to 10.0.1.5 : tcp dport map { 80 : 8080, 81 : 8081, 82 : 8082 }",
        ],
        ["any", "any", "any", "dnat to 10.0.1.5"],
        ["any", "tcp", "any", "meta l4proto tcp dnat to 10.0.1.5"],
        ["53", "any", "53", "meta l4proto { tcp, udp } th dport 53 dnat to 10.0.1.5"],
    ] as const)(
        "port %s/%s of an EIP of the NAT gateway goes to port %3$s",
        (externalPort, protocol, internalPort, text) => {
            const entry = {
                id: "1",
                externalAddress: "127.77.0.9",
                externalPort,
                protocol,
                internalIp: "10.0.1.5",
                internalPort,
            };
            const { table } = plan({ vpcs: [vpc("vpc-a", { dnat: [entry] })], hosts }).routers[0]!;
            expect(block(table, "chain", "arriving")).toContain(`iifname "edge" ip daddr 198.19.0.9 ${text}`);
        },
    );

    test("single ports go before entries for all ports", () => {
        const entry = (id: string, externalPort: string): DesiredVpc["dnat"][number] => ({
            id,
            externalAddress: "127.77.0.9",
            externalPort,
            protocol: externalPort === "any" ? "any" : "tcp",
            internalIp: "10.0.1.5",
            internalPort: externalPort,
        });
        const { table } = plan({ vpcs: [vpc("vpc-a", { dnat: [entry("all", "any"), entry("one", "22")] })], hosts })
            .routers[0]!;
        const rules = block(table, "chain", "arriving").filter((line) => line.includes("198.19.0.9"));
        expect(rules.map((line) => line.includes("dport"))).toEqual([true, false]);
    });

    test("a table is replaced in one transaction, whether it exists or not", () => {
        expect(replaceTable("vpc", "x")).toBe("table ip vpc\ndelete table ip vpc\ntable ip vpc {\nx\n}\n");
    });
});

test("connections end for EIPs that are bound to something else or to nothing", () => {
    const before = new Map([
        ["1", "a"],
        ["2", "b"],
        ["3", "c"],
    ]);
    const after = new Map([
        ["1", "a"],
        ["2", "x"],
        ["4", "d"],
    ]);
    expect(changedBindings(before, after)).toEqual(["2", "3"]);
});

describe("balancers", () => {
    const balancer = (id: string, addresses: string[], vpcId = "vpc-a") => ({
        id,
        addresses,
        vpcId,
        listeners: [],
    });

    test("one with an internet address is reached through its VPC's edge, one inside only from within", () => {
        const { routes, routers } = plan({
            vpcs: [vpc("vpc-a")],
            balancers: [balancer("lb-out", ["127.77.0.9"]), balancer("lb-in", ["10.0.1.200"])],
        });
        expect(routes).toEqual(["198.19.0.9 via 198.18.0.2 dev mh0e2 onlink"]);
        expect(texts(routers[0]!)).toEqual(
            expect.arrayContaining([
                "198.19.0.9 dev b3",
                "100.64.0.3 dev b3",
                "10.0.1.200 dev b4",
                "100.64.0.4 dev b4",
            ]),
        );
        expect(routers[0]!.balancers).toEqual([
            {
                id: "lb-out",
                namespace: "mh0b-lb-out",
                router: "mh0-vpc-a",
                device: "b3",
                addresses: ["198.19.0.9"],
                source: "100.64.0.3",
                gateway: "198.18.0.2",
            },
            expect.objectContaining({ id: "lb-in", addresses: ["10.0.1.200"], source: "100.64.0.4" }),
        ]);
    });

    test("one of several zones has an address in each", () => {
        const { routes, routers } = plan({
            vpcs: [vpc("vpc-a")],
            balancers: [balancer("alb", ["127.77.0.9", "127.77.0.10"])],
        });
        expect(routes).toEqual([
            "198.19.0.9 via 198.18.0.2 dev mh0e2 onlink",
            "198.19.0.10 via 198.18.0.2 dev mh0e2 onlink",
        ]);
        expect(texts(routers[0]!)).toEqual(expect.arrayContaining(["198.19.0.9 dev b3", "198.19.0.10 dev b3"]));
        expect(routers[0]!.balancers[0]).toMatchObject({ addresses: ["198.19.0.9", "198.19.0.10"] });
    });

    test("of a group's rules those count that drop", () => {
        const drop = {
            direction: "ingress",
            policy: "drop",
            priority: 1,
            protocol: "udp",
            ports: { from: 53, to: 53 },
            peer: { kind: "cidr", cidr: "198.51.100.0/24" },
        } as const;
        const { table } = plan({
            vpcs: [vpc("vpc-a")],
            balancers: [{ ...balancer("nlb", ["127.77.0.9"]), securityGroupIds: ["sg-1"] }],
            securityGroups: [{ id: "sg-1", vpcId: "vpc-a", intraGroupAccept: true, rules: [drop] }],
        }).routers[0]!;
        expect(block(table, "map", "receiving").join(" ")).toContain('"b3" : jump admit_b3');
        expect(block(table, "chain", "admit_b3")).toEqual(["ip saddr 198.51.100.0/24 udp dport 53 drop", "accept"]);
    });

    test("no security group stands before one, and its answers leave by the edge", () => {
        const { table } = plan({
            vpcs: [vpc("vpc-a")],
            balancers: [balancer("lb", ["127.77.0.9"])],
        }).routers[0]!;
        expect(block(table, "map", "receiving").join(" ")).toContain('"b3" : accept');
        expect(block(table, "chain", "marking")).toContain(
            'iifname "b*" ct direction reply ip saddr 198.19.0.0/20 meta mark set 1',
        );
    });

    test("one of a VPC that is not there is nowhere", () => {
        const { routes, routers } = plan({ vpcs: [vpc("vpc-a")], balancers: [balancer("lb", ["127.77.0.9"], "gone")] });
        expect(routes).toEqual([]);
        expect(routers[0]!.balancers).toEqual([]);
    });
});

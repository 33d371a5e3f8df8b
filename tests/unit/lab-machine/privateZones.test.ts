/** The VPCs' resolver: what it answers itself, on both transports, and what it leaves to others. */
import * as dgram from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import * as path from "node:path";
import { decode, encode, type DecodedPacket, type RecordType } from "dns-packet";
import type { DesiredZone, DesiredZoneRecord } from "../../../lab/model/desired";
import { DnsRelay } from "../../../lab/net/dns";
import { answerFromZones } from "../../../lab/net/privateZones";
import { Resolvers } from "../../../lab/net/resolvers";

const record = (name: string, value: string, more: Partial<DesiredZoneRecord> = {}): DesiredZoneRecord => ({
    name,
    type: "A",
    value,
    ttl: 60,
    priority: 1,
    ...more,
});

const zone = (records: DesiredZoneRecord[], more: Partial<DesiredZone> = {}): DesiredZone => ({
    name: "internal",
    vpcIds: ["vpc-a"],
    recursive: false,
    records,
    ...more,
});

const query = (name: string, type: RecordType = "A", size?: number): Buffer =>
    encode({
        type: "query",
        id: 7,
        flags: 256,
        questions: [{ type, name }],
        ...(size !== undefined && {
            additionals: [
                {
                    type: "OPT",
                    name: ".",
                    udpPayloadSize: size,
                    extendedRcode: 0,
                    ednsVersion: 0,
                    flags: 0,
                    flag_do: false,
                    options: [],
                },
            ],
        }),
    });

function ask(zones: DesiredZone[], name: string, type: RecordType = "A"): DecodedPacket | undefined {
    const answer = answerFromZones(zones, query(name, type), "udp");
    return answer && decode(answer);
}

const data = (packet: DecodedPacket | undefined): unknown[] =>
    (packet?.answers ?? []).map((answer) => ("data" in answer ? answer.data : undefined));
const rcode = (packet: DecodedPacket | undefined): unknown => (packet as { rcode?: string } | undefined)?.rcode;

test("answers what it has, whatever the case, and all addresses of a name in turn", () => {
    const zones = [zone([record("redis.internal", "10.0.0.1"), record("redis.internal", "10.0.0.2")])];
    const [first, second] = [data(ask(zones, "ReDis.internal")), data(ask(zones, "redis.internal"))];
    expect([...first].sort()).toEqual(["10.0.0.1", "10.0.0.2"]);
    expect(second[0]).not.toBe(first[0]);
    const packet = ask(zones, "redis.internal")!;
    expect(packet).toMatchObject({ id: 7, type: "response", flag_aa: true, flag_ra: true, flag_rd: true });
});

test("a name that it doesn't have doesn't exist, one of another type has no data", () => {
    const zones = [zone([record("a.b.internal", "10.0.0.1")])];
    expect(rcode(ask(zones, "c.internal"))).toBe("NXDOMAIN");
    expect(ask(zones, "c.internal")?.authorities?.[0]).toMatchObject({ type: "SOA", name: "internal" });
    for (const [name, type] of [
        ["a.b.internal", "AAAA"],
        ["b.internal", "A"],
        ["internal", "A"],
    ] as const) {
        expect(rcode(ask(zones, name, type))).toBe("NOERROR");
        expect(data(ask(zones, name, type))).toEqual([]);
    }
});

test("leaves to others what lies in no zone, and with recursion what the zone doesn't have", () => {
    expect(ask([zone([])], "example.com")).toBeUndefined();
    expect(ask([zone([])], "notinternal")).toBeUndefined();
    expect(ask([], "a.internal")).toBeUndefined();
    const zones = [zone([record("a.internal", "10.0.0.1")], { recursive: true })];
    expect(ask(zones, "b.internal")).toBeUndefined();
    expect(data(ask(zones, "a.internal"))).toEqual(["10.0.0.1"]);
    expect(answerFromZones(zones, Buffer.from("no query"), "udp")).toBeUndefined();
});

test("a zone's own name has the start of its authority", () => {
    const zones = [zone([record("internal", "10.0.0.1"), record("a.internal", "10.0.0.2")])];
    const soa = expect.objectContaining({ mname: "ns.internal", minimum: 10 }) as unknown;
    expect(data(ask(zones, "Internal", "SOA"))).toEqual([soa]);
    expect(data(ask(zones, "internal", "ANY" as RecordType))).toEqual([soa, "10.0.0.1"]);
    expect(data(ask([zone([])], "internal", "SOA"))).toEqual([soa]);
    // Others have no data of that type, and the same record says so.
    const other = ask(zones, "a.internal", "SOA");
    expect([data(other), other?.authorities?.map(({ type }) => type)]).toEqual([[], ["SOA"]]);
});

test("who asks with extensions is answered with them, nobody else", () => {
    const many = Array.from({ length: 60 }, (_, index) => record("many.internal", `10.0.1.${index}`));
    const answered = (asked: Buffer): unknown => decode(answerFromZones([zone(many)], asked, "udp")!).additionals;
    expect(answered(query("none.internal"))).toEqual([]);
    for (const [name, size] of [
        ["none.internal", 4096],
        ["many.internal", 4096],
        ["many.internal", 512],
    ] as const)
        expect(answered(query(name, "A", size))).toMatchObject([{ type: "OPT", udpPayloadSize: 1232, flag_do: false }]);
    const secure = query("many.internal", "A", 4096);
    // The flags follow the size, the code and the version.
    secure[secure.length - 4] = 0x80;
    expect(answered(secure)).toMatchObject([{ flag_do: true }]);
});

test("the zone with the longest name answers", () => {
    const zones = [
        zone([record("a.b.internal", "10.0.0.1")]),
        zone([record("a.b.internal", "10.0.0.2")], { name: "b.internal" }),
    ];
    expect(data(ask(zones, "a.b.internal"))).toEqual(["10.0.0.2"]);
});

test("follows aliases within the zone, ends a circle, and takes the nearest wildcard", () => {
    const zones = [
        zone([
            record("www.internal", "web.internal", { type: "CNAME" }),
            record("web.internal", "10.0.0.3"),
            record("x.internal", "y.internal", { type: "CNAME" }),
            record("y.internal", "x.internal", { type: "CNAME" }),
            record("*.internal", "10.0.0.4"),
            record("*.web.internal", "10.0.0.5"),
        ]),
    ];
    expect(data(ask(zones, "www.internal"))).toEqual(["web.internal", "10.0.0.3"]);
    expect(data(ask(zones, "www.internal", "CNAME"))).toEqual(["web.internal"]);
    expect(data(ask(zones, "x.internal"))).toHaveLength(8);
    expect(data(ask(zones, "any.internal"))).toEqual(["10.0.0.4"]);
    expect(data(ask(zones, "a.web.internal"))).toEqual(["10.0.0.5"]);
});

test("every type has its form", () => {
    const zones = [
        zone([
            record("t.internal", "v=1 some text", { type: "TXT" }),
            record("m.internal", "mail.internal", { type: "MX", priority: 5 }),
            record("_db._tcp.internal", "1 2 3306 mysql.internal", { type: "SRV" }),
            record("s.internal", "fd00::1", { type: "AAAA" }),
        ]),
    ];
    expect(String(data(ask(zones, "t.internal", "TXT")))).toBe("v=1 some text");
    expect(data(ask(zones, "m.internal", "MX"))).toEqual([{ preference: 5, exchange: "mail.internal" }]);
    expect(data(ask(zones, "_db._tcp.internal", "SRV"))).toEqual([
        { priority: 1, weight: 2, port: 3306, target: "mysql.internal" },
    ]);
    expect(data(ask(zones, "s.internal", "AAAA"))).toEqual(["fd00::1"]);
});

test("a text that is longer than a string may be is several, whatever its letters", () => {
    const value = `${"x".repeat(254)}\u00e9${"y".repeat(250)}`;
    const answer = answerFromZones(
        [zone([record("t.internal", value, { type: "TXT" })])],
        query("t.internal", "TXT"),
        "tcp",
    );
    const [strings] = data(decode(answer!)) as Buffer[][];
    expect(strings!.map(({ length }) => length)).toEqual([255, 251]);
    expect(Buffer.concat(strings!).toString()).toBe(value);
});

test("an answer that a datagram can't hold is cut off there, and whole where there is room", () => {
    const many = Array.from({ length: 60 }, (_, index) => record("many.internal", `10.0.1.${index}`));
    const cut = decode(answerFromZones([zone(many)], query("many.internal"), "udp")!);
    expect(cut).toMatchObject({ flag_tc: true, answers: [] });
    for (const whole of [
        answerFromZones([zone(many)], query("many.internal", "A", 4096), "udp"),
        answerFromZones([zone(many)], query("many.internal"), "tcp"),
    ])
        expect(decode(whole!).answers).toHaveLength(60);
});

/** A relay that asks these resolvers, which a file in the folder names. */
async function relayBy(folder: string, servers: readonly string[], upstreamPort: number): Promise<DnsRelay> {
    const file = path.join(folder, "resolv.conf");
    writeFileSync(file, servers.map((server) => `nameserver ${server}\n`).join(""));
    const relay = new DnsRelay({
        address: "127.0.0.1",
        preferredPort: 0,
        upstreamPort,
        resolvers: new Resolvers(file),
    });
    await relay.start();
    return relay;
}

describe("the relay", () => {
    const framed = (packet: Buffer): Buffer => Buffer.concat([Buffer.from([0, packet.length]), packet]);
    let upstream: net.Server;
    let relay: DnsRelay;

    beforeAll(async () => {
        // Echoes queries as they come, which is all that a relay may tell by.
        upstream = net.createServer((socket) => void socket.on("error", () => undefined).pipe(socket));
        await new Promise<void>((done) => upstream.listen(0, "127.0.0.1", done));
        const { port } = upstream.address() as net.AddressInfo;
        const zones = [zone([record("a.internal", "10.0.0.1")])];
        relay = new DnsRelay({
            address: "127.0.0.1",
            preferredPort: 0,
            upstreamPort: port,
            resolvers: new Resolvers("/no/such/file"),
            answer: (asked, asker, transport) =>
                asker === "127.0.0.1" ? answerFromZones(zones, asked, transport) : undefined,
        });
        await relay.start();
    });

    afterAll(async () => {
        await relay.close();
        await new Promise((done) => upstream.close(done));
    });

    test("answers datagrams", async () => {
        const socket = dgram.createSocket("udp4");
        const answer = await new Promise<Buffer>((done) => {
            socket.on("message", done);
            socket.send(query("a.internal"), relay.port, "127.0.0.1");
        });
        socket.close();
        expect(data(decode(answer))).toEqual(["10.0.0.1"]);
    });

    test("asks the next resolver over a stream where one does not answer, and none for ever", async () => {
        // One is not there, and another hangs up on every query.
        const rude = net.createServer((socket) => socket.on("error", () => undefined).once("data", () => socket.end()));
        const { port } = upstream.address() as net.AddressInfo;
        await new Promise<void>((done) => rude.listen(port, "127.0.0.3", done));
        const folder = mkdtempSync(path.join(tmpdir(), "lab-resolvers-"));
        const asked = framed(query("example.com"));
        const outcome = async (...servers: string[]): Promise<Buffer> => {
            const second = await relayBy(folder, servers, port);
            const socket = net.connect(second.port, "127.0.0.1");
            let received = Buffer.alloc(0);
            await new Promise<void>((done) => {
                socket.on("data", (part: Buffer) => {
                    received = Buffer.concat([received, part]);
                    if (received.length >= asked.length) done();
                });
                socket.on("error", () => undefined).on("close", () => done());
                socket.write(asked);
            });
            socket.destroy();
            await second.close();
            return received;
        };
        try {
            expect(await outcome("127.0.0.2", "127.0.0.3", "127.0.0.1")).toEqual(asked);
            expect(await outcome("127.0.0.2", "127.0.0.3")).toEqual(Buffer.alloc(0));
        } finally {
            await new Promise((done) => rude.close(done));
            rmSync(folder, { recursive: true });
        }
    });

    describe("over datagrams", () => {
        /** A resolver that answers with a code, after a while, or never. */
        interface Upstream {
            readonly code?: number;
            readonly after?: number;
        }
        const NXDOMAIN = 3;
        const SERVFAIL = 2;
        const REFUSED = 5;
        let sockets: dgram.Socket[];
        let folder: string;
        beforeEach(() => {
            sockets = [];
            folder = mkdtempSync(path.join(tmpdir(), "lab-resolvers-"));
        });
        afterEach(() => {
            for (const socket of sockets) socket.close();
            rmSync(folder, { recursive: true });
        });

        /** Which resolver's answer comes, by its place in the list; its code; and who was asked. */
        async function outcome(addresses: readonly string[], upstreams: readonly Upstream[]) {
            const askedOf: number[] = [];
            let port = 0;
            for (const [position, { code, after = 0 }] of upstreams.entries()) {
                const address = addresses[position]!;
                const socket = dgram.createSocket(net.isIPv6(address) ? "udp6" : "udp4");
                sockets.push(socket);
                socket.on("message", (asked, peer) => {
                    askedOf.push(position);
                    if (code === undefined) return;
                    const answer = Buffer.concat([asked, Buffer.from([position])]);
                    answer[3] = code;
                    setTimeout(() => socket.send(answer, peer.port, peer.address), after).unref();
                });
                await new Promise<void>((done) => socket.bind(port, address, done));
                port = socket.address().port;
            }
            const second = await relayBy(folder, addresses, port);
            const client = dgram.createSocket("udp4");
            const answer = await new Promise<Buffer>((done) => {
                client.on("message", done);
                client.send(query("internal.example"), second.port, "127.0.0.1");
            });
            client.close();
            await second.close();
            return { of: answer.at(-1), code: answer[3], askedOf };
        }
        const four = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];

        test("the first resolver's answer counts, however fast another's is", async () => {
            const upstreams = [{ code: 0, after: 200 }, { code: NXDOMAIN }];
            expect(await outcome(four, upstreams)).toEqual({ of: 0, code: 0, askedOf: [0] });
        });

        test("one that can't tell, or isn't there, is followed by the next at once", async () => {
            const began = Date.now();
            const upstreams = [{ code: SERVFAIL }, { code: REFUSED }, { code: NXDOMAIN }];
            expect(await outcome(four, upstreams)).toEqual({ of: 2, code: NXDOMAIN, askedOf: [0, 1, 2] });
            expect(await outcome(["127.0.0.6", "127.0.0.7"], [{ code: SERVFAIL }])).toMatchObject({ code: SERVFAIL });
            expect(Date.now() - began).toBeLessThan(900);
        });

        test("one that is silent is followed by the next after a second, and may still answer", async () => {
            const began = Date.now();
            expect(await outcome(four, [{}, { code: 0 }])).toEqual({ of: 1, code: 0, askedOf: [0, 1] });
            expect(Date.now() - began).toBeGreaterThan(900);
            const late = [{ code: 0, after: 1_200 }, { code: SERVFAIL }];
            expect(await outcome(["127.0.0.6", "127.0.0.7"], late)).toEqual({ of: 0, code: 0, askedOf: [0, 1] });
        });

        const withIpv6 =
            networkInterfaces()["lo"]?.some(({ address }) => address === "::1") === true ? test : test.skip;
        withIpv6("each is asked in its own family", async () => {
            const upstreams = [{ code: SERVFAIL }, { code: 0 }];
            expect(await outcome(["127.0.0.2", "::1"], upstreams)).toEqual({ of: 1, code: 0, askedOf: [0, 1] });
        });
    });

    test("answers some queries of a stream and passes on the others, however they are cut", async () => {
        const foreign = framed(query("example.com"));
        const sent = Buffer.concat([framed(query("a.internal")), foreign]);
        const socket = net.connect(relay.port, "127.0.0.1");
        socket.setNoDelay(true);
        let received = Buffer.alloc(0);
        const done = new Promise<void>((wake) =>
            socket.on("data", (part: Buffer) => {
                received = Buffer.concat([received, part]);
                if (received.includes(foreign)) wake();
            }),
        );
        for (let start = 0; start < sent.length; start += 7) {
            socket.write(sent.subarray(start, start + 7));
            await new Promise((wake) => setTimeout(wake, 2));
        }
        await done;
        socket.destroy();
        const length = received.readUInt16BE();
        expect(data(decode(received.subarray(2, 2 + length)))).toEqual(["10.0.0.1"]);
        expect(received.subarray(2 + length)).toEqual(foreign);
    });
});

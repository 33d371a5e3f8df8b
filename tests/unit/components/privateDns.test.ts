import * as pulumi from "@pulumi/pulumi";

import { problemsOf, Recorder, valueOf } from "./recorder";

const recorder = new Recorder();

import { Host } from "../../../components/host";
import { PrivateDns, type PrivateDnsArgs } from "../../../components/privateDns";

const host = (name: string, address: string): Host =>
    new Host(name, { address, privateKey: "LOGIN KEY", hostKey: "ssh-ed25519 AAAA", identity: name });

const defaults: PrivateDnsArgs = {
    zone: "internal",
    vpcIds: ["vpc-1"],
    records: {
        redis: [host("node-1", "10.0.0.1"), host("node-2", "10.0.0.2")],
        "@": ["10.0.0.9"],
        "*.shop": ["10.0.0.8"],
    },
};

async function create(args: Partial<PrivateDnsArgs> = {}): Promise<PrivateDns> {
    recorder.clear();
    const names = new PrivateDns("names", { ...defaults, ...args }, recorder.watched);
    await recorder.settled();
    return names;
}

const problems = (args: Partial<PrivateDnsArgs>): string[] =>
    problemsOf(() => new PrivateDns("names", { ...defaults, ...args })).slice(1);

test("every target is a record of its own, named after its host", async () => {
    const dns = await create({ ttl: 5, tags: { team: "data" } });
    const records = recorder.resources.filter(({ type }) => type === "alicloud:pvtz/zoneRecord:ZoneRecord");
    expect(
        records.map(({ name, inputs }) => [name, inputs["rr"], inputs["value"], inputs["ttl"]].join(" ")).sort(),
    ).toEqual([
        "names-redis-node-1 redis 10.0.0.1 5",
        "names-redis-node-2 redis 10.0.0.2 5",
        "names-wildcard.shop-10.0.0.8 *.shop 10.0.0.8 5",
        "names-zone-10.0.0.9 @ 10.0.0.9 5",
    ]);
    const [zone] = recorder.resources.filter(({ type }) => type === "alicloud:pvtz/zone:Zone");
    expect(zone?.inputs).toMatchObject({ zoneName: "internal", proxyPattern: "RECORD", tags: { team: "data" } });
    const [bound] = recorder.resources.filter(({ type }) => type === "alicloud:pvtz/zoneAttachment:ZoneAttachment");
    expect(bound?.inputs).toEqual({ zoneId: "names-id", vpcIds: ["vpc-1"] });
    expect(await valueOf(dns.names)).toEqual(["redis.internal", "internal", "*.shop.internal"]);
});

test("a record goes to the host that succeeds another, and stays with its address when others are taken off the list", async () => {
    const successor = new Host("node-7", {
        address: "10.0.0.1",
        privateKey: "LOGIN KEY",
        hostKey: "ssh-ed25519 AAAA",
        succeeds: ["node-5", "node-1"],
    });
    const rival = new Host("node-8", {
        address: "10.0.0.2",
        privateKey: "LOGIN KEY",
        hostKey: "ssh-ed25519 AAAA",
        succeeds: ["node-1", "node-2"],
    });
    const listed = host("node-2", "10.0.0.3");
    await create({ records: { redis: [successor, rival, listed], api: ["10.0.0.5", pulumi.output("10.0.0.6")] } });
    const type = "alicloud:pvtz/zoneRecord:ZoneRecord";
    const formerly = (record: string): unknown => recorder.options(type, record).aliases;
    expect(formerly("names-redis-node-7")).toEqual([{ name: "names-redis-node-5" }, { name: "names-redis-node-1" }]);
    // The engine refuses two resources for one, and takes none from what is listed.
    expect(formerly("names-redis-node-8")).toEqual([]);
    expect(formerly("names-api-10.0.0.5")).toEqual([{ name: "names-api-1" }]);
    expect(formerly("names-api-2")).toEqual([]);
});

test("without recursion other names of the zone don't exist", async () => {
    await create({ recursive: false });
    const [zone] = recorder.resources.filter(({ type }) => type === "alicloud:pvtz/zone:Zone");
    expect(zone?.inputs["proxyPattern"]).toBe("ZONE");
});

test("refuses names whose records the engine could not tell apart, and no others", () => {
    const one = [host("node-1", "10.0.0.1")];
    const taken = (record: string, other: string): string =>
        `has a record that is called "names-${record}", as one of "${other}" is: leave one of the two names out.`;
    expect(
        problems({
            records: {
                "@": one,
                zone: one,
                "*": ["10.0.0.1"],
                wildcard: ["10.0.0.1"],
                "*.shop": one,
                "wildcard.shop": one,
                web: [host("shop-1", "10.0.0.2")],
                "web-shop": [pulumi.output("10.0.0.3")],
            },
        }),
    ).toEqual([
        `  - records["zone"]: ${taken("zone-node-1", "@")}`,
        `  - records["wildcard"]: ${taken("wildcard-10.0.0.1", "*")}`,
        `  - records["wildcard.shop"]: ${taken("wildcard.shop-node-1", "*.shop")}`,
        `  - records["web-shop"]: ${taken("web-shop-1", "web")}`,
    ]);
    expect(problems({ records: { "@": one, zone: [host("node-2", "10.0.0.2")] } })).toEqual([]);
});

test("lists everything that is wrong before anything is made", () => {
    const twice = host("node-3", "10.0.0.3");
    expect(
        problems({
            zone: "In ternal",
            vpcIds: [],
            records: { a_b: ["10.0.0.1"], none: [], redis: [twice, twice], web: ["10.0.0.2", "10.0.0.2"] },
            ttl: 10,
            tags: { "multihost:own": "x" },
        }),
    ).toEqual([
        '  - zone: "In ternal" is not a name in the DNS: lower-case letters, digits and hyphens between dots.',
        "  - vpcIds: nobody would know the names: name at least one VPC.",
        '  - records["a_b"]: "a_b" is not a name in the DNS: lower-case letters, digits and hyphens between dots.',
        '  - records["none"]: the list is empty: leave the name out.',
        '  - records["redis"]: "node-3" is listed twice.',
        '  - records["web"]: "10.0.0.2" is listed twice.',
        "  - ttl: 10 is none of the numbers of seconds that PrivateZone takes: 5, 30, 60, 3600, 43200, 86400.",
        '  - tags["multihost:own"]: keys that start with multihost: are set by the components.',
    ]);
});

test("refuses what is no IPv4 address, and records of two names that would be one resource", () => {
    const records = {
        db: [host("replica-1", "10.0.0.1"), "db.example.com", "fe80::1"],
        "db-replica": [pulumi.output("10.0.0.3")],
    };
    expect(problems({ records })).toEqual([
        '  - records["db"]: "db.example.com" is not an IPv4 address.',
        '  - records["db"]: "fe80::1" is not an IPv4 address.',
        '  - records["db-replica"]: has a record that is called "names-db-replica-1", as one of "db" is: leave one of the two names out.',
    ]);
});

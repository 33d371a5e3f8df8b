/** The services' names within the VPC: who is found under them, and with which certificate. */
import { addressesOf, api, onHost, outputs, up, upChanges } from "./lab";

jest.setTimeout(300_000);

const call = api();

interface Zone {
    readonly ZoneId: string;
    readonly ZoneName: string;
}

async function zone(): Promise<Zone> {
    const { Zones } = (await call("pvtz", "DescribeZones", { Keyword: "internal" })) as { Zones: { Zone: Zone[] } };
    const [found, ...others] = Zones.Zone;
    if (found === undefined || others.length > 0) throw new Error(`One zone expected: ${JSON.stringify(Zones.Zone)}`);
    return found;
}

const sorted = (value: unknown): unknown[] =>
    [...(value as { address: string }[])].map(({ address }) => address).sort();

it("every service is found under its name, and nothing else is there", async () => {
    const { serviceNames, mysqlSource, mysqlReplicas, webServers, redisUrl } = await outputs();
    expect(serviceNames).toEqual(["redis.internal", "mysql.internal", "mysql-replica.internal", "web.internal"]);
    const nodes = /@(.*)$/
        .exec(String(redisUrl))![1]!
        .split(",")
        .map((node) => node.split(":")[0]!);
    expect(await addressesOf("redis.internal", "web-1")).toEqual([...nodes].sort());
    expect(await addressesOf("mysql.internal", "node-3")).toEqual(sorted([mysqlSource]));
    expect(await addressesOf("mysql-replica.internal", "node-3")).toEqual(sorted(mysqlReplicas));
    expect(await addressesOf("Web.Internal", "bastion-1")).toEqual(sorted(webServers));
    expect(await addressesOf("nothing.internal", "web-1").catch(() => [])).toEqual([]);
});

it.each([
    ["redis.internal", 7000, "", "redisCaCertificate"],
    ["mysql.internal", 3306, "-starttls mysql", "mysqlCaCertificate"],
    ["mysql-replica.internal", 3306, "-starttls mysql", "mysqlCaCertificate"],
])("%s shows a certificate for that name", async (name, port, protocol, authority) => {
    const { [authority]: certificate } = await outputs();
    const verified = async (expected: string): Promise<string> => {
        const command =
            `cat >/tmp/ca.pem; timeout 10 openssl s_client -connect ${name}:${port} ${protocol} -CAfile /tmp/ca.pem ` +
            `-verify_hostname ${expected} </dev/null`;
        const { stdout, stderr } = await onHost("node-3", command, { input: String(certificate) });
        return /Verify return code: .*/.exec(`${stdout}${stderr}`)?.[0] ?? `${stdout}${stderr}`;
    };
    expect(await verified(name)).toBe("Verify return code: 0 (ok)");
    expect(await verified("other.internal")).toBe("Verify return code: 62 (hostname mismatch)");
});

it("a zone that somebody has unbound, and one that is gone, come back with refresh and up", async () => {
    const before = await addressesOf("web.internal", "node-1");
    const { ZoneId } = await zone();
    await call("pvtz", "BindZoneVpc", { ZoneId });
    expect(await addressesOf("web.internal", "node-1").catch(() => [])).toEqual([]);
    expect(await upChanges({ refresh: true })).toMatchObject([{ operation: "update", name: "names" }]);
    expect(await addressesOf("web.internal", "node-1")).toEqual(before);

    await call("pvtz", "BindZoneVpc", { ZoneId });
    await call("pvtz", "DeleteZone", { ZoneId });
    const changes = await upChanges({ refresh: true });
    expect(new Set(changes.map(({ operation }) => operation))).toEqual(new Set(["create"]));
    expect(changes.every(({ type }) => type.startsWith("alicloud:pvtz/"))).toBe(true);
    expect(await addressesOf("web.internal", "node-1")).toEqual(before);
    await up({ expectNoChanges: true });
});

/** PrivateZone's actions, and what they make of the machine. */
import { actions } from "../../../lab/api/pvtz";
import { project } from "../../../lab/model/project";
import { type Answer, at, Cloud, list, type Parameters, text } from "../lab-vpc/harness";

const VERSION = "2018-01-01";
let cloud: Cloud;
let ZoneId: string;
let VpcId: string;

const call = (name: string, parameters: Parameters = {}): Promise<Answer> =>
    cloud.call(name, parameters, "cn-hangzhou", VERSION);
const refusal = (name: string, parameters: Parameters = {}): Promise<string> =>
    cloud.refusal(name, parameters, "cn-hangzhou", VERSION);
const record = async (parameters: Parameters): Promise<string> =>
    String(
        at(await call("AddZoneRecord", { ZoneId, Type: "A", Value: "10.0.0.1", Rr: "a", ...parameters }), "RecordId"),
    );
const bound = async (): Promise<unknown[]> =>
    list(await call("DescribeZoneInfo", { ZoneId }), "BindVpcs.Vpc").map((vpc) => vpc["VpcId"]);

beforeEach(async () => {
    cloud = new Cloud(actions);
    VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
    ZoneId = text(await call("AddZone", { ZoneName: "Internal." }), "ZoneId");
});

test("a zone is made, described, listed, changed and deleted", async () => {
    expect(ZoneId).toMatch(/^zone-lab[a-z0-9]+$/);
    await call("UpdateZoneRemark", { ZoneId, Remark: "ours" });
    await call("SetProxyPattern", { ZoneId, ProxyPattern: "RECORD" });
    const info = await call("DescribeZoneInfo", { ZoneId });
    expect(info).toMatchObject({
        ZoneId,
        ZoneName: "internal",
        Remark: "ours",
        ProxyPattern: "RECORD",
        RecordCount: 0,
        IsPtr: false,
        BindVpcs: { Vpc: [] },
    });
    expect(list(await call("DescribeZones", { Keyword: "inter" }), "Zones.Zone")).toHaveLength(1);
    expect(list(await call("DescribeZones", { Keyword: "inter", SearchMode: "EXACT" }), "Zones.Zone")).toHaveLength(0);
    await call("DeleteZone", { ZoneId });
    expect(await refusal("DescribeZoneInfo", { ZoneId })).toBe("400 Zone.NotExists");
});

test("refuses names, patterns and zones that can't be", async () => {
    expect(await refusal("AddZone", { ZoneName: "a..b" })).toBe("400 Zone.Invalid.Name");
    expect(await refusal("AddZone", { ZoneName: "a", ProxyPattern: "SOME" })).toBe("400 InvalidParameter.ProxyPattern");
    expect(await refusal("AddZone", {})).toBe("400 MissingParameter");
    expect(await refusal("DeleteZone", { ZoneId: "zone-none" })).toBe("400 Zone.NotExists");
});

test("a binding is replaced as a whole, and keeps the zone from being deleted", async () => {
    const other = await cloud.vpc({ CidrBlock: "10.1.0.0/16" });
    const vpcs = (...ids: string[]): Parameters =>
        Object.fromEntries(
            ids.flatMap((id, index) => [
                [`Vpcs.${index + 1}.VpcId`, id],
                [`Vpcs.${index + 1}.RegionId`, "cn-hangzhou"],
            ]),
        );
    await call("BindZoneVpc", { ZoneId, ...vpcs(VpcId, other) });
    expect(await bound()).toEqual([VpcId, other]);
    expect(await refusal("DeleteZone", { ZoneId })).toBe("400 Zone.VpcExists");
    expect(await refusal("BindZoneVpc", { ZoneId, ...vpcs("vpc-none") })).toBe("400 ZoneVpc.NotExists.VpcId");
    const second = text(await call("AddZone", { ZoneName: "internal" }), "ZoneId");
    expect(await refusal("BindZoneVpc", { ZoneId: second, ...vpcs(VpcId) })).toBe("400 ZoneVpc.Exists.SameName");
    await call("BindZoneVpc", { ZoneId });
    expect(await bound()).toEqual([]);
    await call("DeleteZone", { ZoneId });
});

test("records are added, changed, switched off and deleted, and the hosts' names follow", async () => {
    await call("BindZoneVpc", { ZoneId, "Vpcs.1.VpcId": VpcId, "Vpcs.1.RegionId": "cn-hangzhou" });
    const zones = () => project(cloud.state).zones;
    const RecordId = await record({ Rr: "Redis", Value: "10.0.0.1", Ttl: "30" });
    const apex = await record({ Rr: "@", Type: "MX", Value: "mail.internal", Priority: "5" });
    expect(zones()).toEqual([
        {
            name: "internal",
            vpcIds: [VpcId],
            recursive: false,
            records: [
                { name: "redis.internal", type: "A", value: "10.0.0.1", ttl: 30, priority: 1 },
                { name: "internal", type: "MX", value: "mail.internal", ttl: 60, priority: 5 },
            ],
        },
    ]);
    await call("UpdateZoneRecord", { RecordId, Rr: "redis", Type: "A", Value: "10.0.0.2", Ttl: "5" });
    await call("UpdateZoneRecord", { RecordId, Rr: "redis", Type: "A", Value: "10.0.0.2" });
    await call("UpdateRecordRemark", { RecordId, Remark: "moved" });
    const same = { RecordId, Rr: "redis", Type: "A", Value: "10.0.0.2" };
    await call("UpdateZoneRecord", { ...same, Line: "default", Weight: "1" });
    expect(await refusal("UpdateZoneRecord", { ...same, Weight: "10" })).toBe("400 UnsupportedOperation");
    await call("DeleteZoneRecord", { RecordId: apex });
    const described = list(await call("DescribeZoneRecords", { ZoneId }), "Records.Record");
    expect(described).toEqual([
        {
            RecordId: Number(RecordId),
            ZoneId,
            Rr: "redis",
            Type: "A",
            Value: "10.0.0.2",
            Ttl: 5,
            Priority: 1,
            Line: "default",
            Weight: 1,
            Remark: "moved",
            Status: "ENABLE",
        },
    ]);
    await call("SetZoneRecordStatus", { RecordId, Status: "DISABLE" });
    expect(zones()[0]?.records).toEqual([]);
    expect(cloud.applied).toBeGreaterThan(3);
});

test("more records than a page holds are listed page by page", async () => {
    for (let index = 1; index <= 25; index += 1) await record({ Rr: `n${index}` });
    const page = await call("DescribeZoneRecords", { ZoneId, PageNumber: "2", PageSize: "20" });
    expect(page).toMatchObject({ TotalItems: 25, TotalPages: 2 });
    expect(list(page, "Records.Record")).toHaveLength(5);
});

test.each([
    [{ Rr: "a b" }, "Record.Invalid.Rr"],
    [{ Type: "NS" }, "Record.Invalid.Type"],
    [{ Value: "10.0.0" }, "Record.Invalid.Value"],
    [{ Type: "AAAA", Value: "10.0.0.1" }, "Record.Invalid.Value"],
    [{ Type: "SRV", Value: "1 2 x host" }, "Record.Invalid.Value"],
    [{ Type: "SRV", Value: "1 2 65536 host" }, "Record.Invalid.Value"],
    [{ Type: "SRV", Value: "65536 2 3306 host" }, "Record.Invalid.Value"],
    [{ Type: "TXT", Value: "x".repeat(513) }, "Record.Invalid.Value"],
    [{ Ttl: "4" }, "Record.Invalid.TTL"],
    [{ Ttl: "10" }, "Record.Invalid.TTL"],
    [{ Priority: "100" }, "Record.Invalid.Priority"],
    [{ Weight: "2" }, "UnsupportedOperation"],
    [{ Line: "aliyun_r_cn-beijing-a" }, "UnsupportedOperation"],
    [{ Rr: "there" }, "Record.Exists"],
    [{ Rr: "there", Type: "CNAME", Value: "x.internal" }, "Record.Invalid.Conflict"],
])("refuses the record %j: %s", async (parameters, code) => {
    await record({ Rr: "there" });
    const asked = { ZoneId, Type: "A", Value: "10.0.0.1", Rr: "a", ...(parameters as Parameters) };
    expect(await refusal("AddZoneRecord", asked)).toBe(`400 ${code}`);
});

test.each(["UntagResources", "UnTagResources"])("tags come, are found and go with %s", async (untag) => {
    const resource = { ResourceType: "ZONE", "ResourceId.1": ZoneId };
    await call("TagResources", { ...resource, "Tag.1.Key": "team", "Tag.1.Value": "data" });
    expect(list(await call("ListTagResources", resource), "TagResources")).toEqual([
        { ResourceId: ZoneId, ResourceType: "ZONE", TagKey: "team", TagValue: "data" },
    ]);
    await call(untag, { ...resource, "TagKey.1": "team" });
    expect(list(await call("ListTagResources", resource), "TagResources")).toEqual([]);
    expect(await refusal("ListTagResources", { ...resource, ResourceType: "VPC" })).toBe(
        "400 InvalidParameter.ResourceType",
    );
});

test("tags are added to those that are there, or take their place", async () => {
    const resource = { ResourceType: "ZONE", "ResourceId.1": ZoneId };
    const keys = async () => list(await call("ListTagResources", resource), "TagResources").map((tag) => tag["TagKey"]);
    for (const key of ["team", "stage"]) await call("TagResources", { ...resource, "Tag.1.Key": key });
    expect(await keys()).toEqual(["team", "stage"]);
    await call("TagResources", { ...resource, "Tag.1.Key": "owner", OverWrite: "true" });
    expect(await keys()).toEqual(["owner"]);
});

test.each([
    [{}, "China (Hangzhou)"],
    [{ Lang: "zh" }, "华东1（杭州）"],
    [{ AcceptLanguage: "en-US", Lang: "zh" }, "China (Hangzhou)"],
])("regions with %j are called %s", async (asked, name) =>
    expect(list(await call("DescribeRegions", asked as Parameters), "Regions.Region")).toContainEqual({
        RegionId: "cn-hangzhou",
        RegionName: name,
        LocalName: name,
        RegionEndpoint: "pvtz.aliyuncs.com",
    }),
);

test("hosts are not synchronized until somebody asks for it", async () => {
    expect(await refusal("DescribeSyncEcsHostTask", { ZoneId })).toBe("400 Ecs.SyncTask.NotExists");
    expect(await refusal("UpdateSyncEcsHostTask", { ZoneId, Status: "ON" })).toBe("400 MissingRegion");
    await call("UpdateSyncEcsHostTask", {
        ZoneId,
        Status: "ON",
        "Region.1.UserId": "7",
        "Region.1.RegionId.1": "cn-hangzhou",
    });
    expect(await call("DescribeSyncEcsHostTask", { ZoneId })).toMatchObject({
        Status: "ON",
        EcsRegions: { EcsRegion: [{ UserId: 7, RegionIds: { RegionId: ["cn-hangzhou"] } }] },
    });
});

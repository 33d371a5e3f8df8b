import { Cloud, list, text } from "./harness";

let cloud: Cloud;
beforeEach(() => {
    cloud = new Cloud();
});

test("every kind of resource is tagged, listed and untagged", async () => {
    const VpcId = await cloud.vpc();
    const VSwitchId = await cloud.vswitch(VpcId, "172.16.0.0/24");
    const resources: [string, string][] = [
        ["VPC", VpcId],
        ["VSWITCH", VSwitchId],
        ["ROUTETABLE", await cloud.systemTable(VpcId)],
        ["NATGATEWAY", (await cloud.natGateway(VpcId, VSwitchId)).id],
        ["EIP", (await cloud.eip()).id],
    ];
    for (const [ResourceType, id] of resources) {
        const of = { ResourceType, "ResourceId.1": id };
        await cloud.call("TagResources", { ...of, "Tag.1.Key": "a", "Tag.1.Value": "1", "Tag.2.Key": "b" });
        expect(await cloud.call("ListTagResources", of)).toMatchObject({
            NextToken: "",
            TagResources: {
                TagResource: [
                    { ResourceType, ResourceId: id, TagKey: "a", TagValue: "1" },
                    { ResourceType, ResourceId: id, TagKey: "b", TagValue: "" },
                ],
            },
        });
        await cloud.call("UnTagResources", { ...of, "TagKey.1": "a" });
        expect(list(await cloud.call("ListTagResources", of), "TagResources.TagResource")).toHaveLength(1);
        await cloud.call("UnTagResources", { ...of, All: "true" });
        expect(list(await cloud.call("ListTagResources", of), "TagResources.TagResource")).toEqual([]);
    }
});

test("a tag that is there gets the new value, and others stay", async () => {
    const id = await cloud.vpc({ "Tag.1.Key": "a", "Tag.1.Value": "1", "Tag.2.Key": "b", "Tag.2.Value": "2" });
    await cloud.call("TagResources", {
        ResourceType: "vpc",
        "ResourceId.1": id,
        "Tag.1.Key": "a",
        "Tag.1.Value": "3",
    });
    expect(cloud.state.vpcs[id]!.tags).toEqual({ a: "3", b: "2" });
});

test("a list of tags is walked by tokens", async () => {
    const ids = await Promise.all(
        Array.from({ length: 4 }, async (_, i) => {
            const { id } = await cloud.eip({ "Tag.1.Key": "n", "Tag.1.Value": `${i}` });
            for (let tag = 0; tag < 19; tag += 1) cloud.state.eips[id]!.tags[`t${tag}`] = "v";
            return id;
        }),
    );
    const asked = Object.fromEntries(ids.map((id, i) => [`ResourceId.${i + 1}`, id]));
    const first = await cloud.call("ListTagResources", { ResourceType: "EIP", ...asked });
    expect(list(first, "TagResources.TagResource")).toHaveLength(50);
    const second = await cloud.call("ListTagResources", {
        ResourceType: "EIP",
        ...asked,
        NextToken: text(first, "NextToken"),
    });
    expect(list(second, "TagResources.TagResource")).toHaveLength(30);
    expect(second["NextToken"]).toBe("");
    expect(await cloud.refusal("ListTagResources", { ResourceType: "EIP", ...asked, NextToken: "x" })).toBe(
        "400 InvalidNextToken",
    );
});

test("resources are found by their tags alone", async () => {
    const id = await cloud.vpc({ "Tag.1.Key": "env", "Tag.1.Value": "prod" });
    await cloud.vpc({ "Tag.1.Key": "env", "Tag.1.Value": "dev" });
    const found = await cloud.call("ListTagResources", {
        ResourceType: "VPC",
        "Tag.1.Key": "env",
        "Tag.1.Value": "prod",
    });
    expect(list(found, "TagResources.TagResource")).toMatchObject([{ ResourceId: id }]);
    expect(await cloud.call("DescribeTags", { ResourceType: "VPC" })).toMatchObject({
        TagResources: {
            TagResource: [
                { TagKey: "env", TagValue: "prod" },
                { TagKey: "env", TagValue: "dev" },
            ],
        },
    });
    expect(await cloud.call("DescribeTagKeys", { Keyword: "en" })).toMatchObject({
        TagKeys: { TagKey: [{ TagKey: "env", Type: "Custom" }] },
    });
});

test.each([
    [{ ResourceType: "MOON" }, "400 InvalidInstanceType.NotFound"],
    [{ "ResourceId.1": "vpc-none" }, "400 InvalidInstanceIds.NotFound"],
    [{ "Tag.1.Key": "aliyun-x" }, "400 InvalidTagKey"],
    [{ "Tag.1.Key": "acs:x" }, "400 InvalidTagKey"],
    [{ "Tag.1.Key": "x".repeat(129) }, "400 InvalidTagKey"],
    [{ "Tag.1.Value": "https://x" }, "400 InvalidTagValue"],
    [{ "Tag.2.Key": "k" }, "400 Forbidden.TagKey.Duplicated"],
    [
        Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`Tag.${i + 1}.Key`, `k${i}`])),
        "400 SizeLimitExceeded.TagNum",
    ],
])("%j answers %s", async (parameters, expected) => {
    const given = { ResourceType: "VPC", "ResourceId.1": await cloud.vpc(), "Tag.1.Key": "k", "Tag.1.Value": "v" };
    expect(await cloud.refusal("TagResources", { ...given, ...(parameters as Record<string, string>) })).toBe(expected);
});

test("a list without resources and tags is refused", async () => {
    expect(await cloud.refusal("ListTagResources", { ResourceType: "VPC" })).toBe("403 BothEmpty.TagsAndResources");
});

test("a resource moves to another group", async () => {
    const id = await cloud.vpc();
    const move = { ResourceType: "VPC", ResourceId: id };
    await cloud.call("MoveResourceGroup", { ...move, NewResourceGroupId: "rg-other" });
    expect(await cloud.call("DescribeVpcAttribute", { VpcId: id })).toMatchObject({ ResourceGroupId: "rg-other" });
    expect(await cloud.refusal("MoveResourceGroup", { ...move, NewResourceGroupId: "other" })).toMatch(/^404 /);
});

test("regions and their zones", async () => {
    expect(
        list(await cloud.call("DescribeZones", { AcceptLanguage: "en-US" }), "Zones.Zone").map(
            (zone) => zone["ZoneId"],
        ),
    ).toContain("cn-hangzhou-h");
    expect(list(await cloud.call("DescribeRegions"), "Regions.Region")).toContainEqual({
        RegionId: "eu-central-1",
        LocalName: "德国（法兰克福）",
        RegionEndpoint: "vpc.eu-central-1.aliyuncs.com",
    });
    expect(list(await cloud.call("ListEnhanhcedNatGatewayAvailableZones"), "Zones").length).toBeGreaterThan(1);
});

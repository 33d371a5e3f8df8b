import { Cloud, Parameters, list } from "./harness";

test("tags are set, listed, filtered by and removed", async () => {
    const cloud = new Cloud();
    const site = await cloud.site();
    const id = await cloud.instance(site, { "Tag.1.Key": "app", "Tag.1.Value": "x" });
    const of = { ResourceType: "instance", "ResourceId.1": id };
    await cloud.call("TagResources", { ...of, "Tag.1.Key": "app", "Tag.1.Value": "y", "Tag.2.Key": "tier" });
    const tags = async (query: Parameters) =>
        list(await cloud.call("ListTagResources", query), "TagResources.TagResource");
    expect(await tags(of)).toEqual([
        { ResourceId: id, ResourceType: "instance", TagKey: "app", TagValue: "y" },
        { ResourceId: id, ResourceType: "instance", TagKey: "tier", TagValue: "" },
    ]);
    expect(
        await tags({ ResourceType: "instance", "TagFilter.1.TagKey": "app", "TagFilter.1.TagValues.1": "x" }),
    ).toEqual([]);
    expect(await cloud.call("DescribeTags", { ResourceType: "instance" })).toMatchObject({
        PageSize: 50,
        Tags: { Tag: [{ TagKey: "app", ResourceTypeCount: { Instance: 1, Disk: 0 } }, { TagKey: "tier" }] },
    });
    await cloud.call("UntagResources", { ...of, "TagKey.1": "app" });
    expect(await tags(of)).toHaveLength(1);
    await cloud.call("UntagResources", { ...of, All: "true" });
    expect(await tags(of)).toEqual([]);
});

test.each(["RunInstances", "CreateInstance"])(
    "the tags of %s are the disks' and the primary interface's, too",
    async (action) => {
        const cloud = new Cloud();
        const site = await cloud.site();
        await cloud.call(action, {
            ...cloud.launch(site),
            "DataDisk.1.Size": "40",
            ...(action === "RunInstances" && { "NetworkInterface.1.VSwitchId": site.vswitchId }),
            "Tag.1.Key": "app",
            "Tag.1.Value": "x",
        });
        const { instances, disks, networkInterfaces } = cloud.state;
        const primary = Object.values(networkInterfaces).filter(({ kind }) => kind === "Primary");
        const tagged = [...Object.values(instances), ...Object.values(disks), ...primary];
        expect(tagged.map(({ tags }) => tags)).toEqual([{ app: "x" }, { app: "x" }, { app: "x" }, { app: "x" }]);
        const [secondary] = Object.values(networkInterfaces).filter(({ kind }) => kind === "Secondary");
        expect(secondary?.tags ?? {}).toEqual({});

        // Clients tag what is attached by then with tags of its own.
        const diskIds = Object.fromEntries(Object.keys(disks).map((id, i) => [`ResourceId.${i + 1}`, id]));
        await cloud.call("TagResources", { ResourceType: "disk", ...diskIds, "Tag.1.Key": "app", "Tag.1.Value": "y" });
        expect(tagged.map(({ tags }) => tags["app"])).toEqual(["x", "y", "y", "x"]);
    },
);

test("key pairs are tagged by name", async () => {
    const cloud = new Cloud();
    await cloud.call("CreateKeyPair", { KeyPairName: "mine" });
    await cloud.call("TagResources", { ResourceType: "keypair", "ResourceId.1": "mine", "Tag.1.Key": "a" });
    expect(await cloud.call("DescribeKeyPairs", { "Tag.1.Key": "a" })).toMatchObject({ TotalCount: 1 });
});

test("values may be what keys may not, but for web addresses", async () => {
    const cloud = new Cloud();
    const { groupId } = await cloud.site();
    const of = { ResourceType: "securitygroup", ResourceId: groupId, "ResourceId.1": groupId };
    const policy = { timePoints: '["1"]', repeatWeekdays: '["1"]', retentionDays: "1" };
    const key = {
        PublicKeyBody: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqoUAnzi8jUXWqgVBqbE0wBDOZ1DxSmcQyfUsNGkuX9",
    };
    const answers = async (value: string) => {
        const tag = { "Tag.1.Key": "image", "Tag.1.Value": value };
        const requests: [string, Parameters][] = [
            ["TagResources", of],
            ["ImportKeyPair", { ...key, KeyPairName: `brought-${value.slice(0, 3)}` }],
            ["CreateKeyPair", { KeyPairName: `made-${value.slice(0, 3)}` }],
            ["CreateAutoSnapshotPolicy", policy],
            ["AddTags", of],
        ];
        const told = [];
        for (const [action, parameters] of requests)
            told.push((await cloud.refusal(action, { ...parameters, ...tag })) === "success");
        return told;
    };
    expect(await answers("aliyun_3_x64")).toEqual([true, true, true, true, false]);
    expect(await answers("acs:ram::1:role/x")).toEqual([true, true, false, false, false]);
    expect(await answers("see https://example.com")).toEqual([false, false, false, false, false]);
});

test("refusals", async () => {
    const cloud = new Cloud();
    const { groupId } = await cloud.site();
    const of = { ResourceType: "securitygroup", "ResourceId.1": groupId };
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`Tag.${i + 1}.Key`, `k${i}`]));
    await cloud.call("TagResources", { ...of, ...many });
    const refusals: [string, Parameters, string][] = [
        ["TagResources", { ...of, "Tag.1.Key": "more" }, "403 QuotaExceed.TagCount"],
        ["TagResources", of, "400 MissingParameter"],
        ["TagResources", { ...of, "Tag.1.Key": "aliyun" }, "400 InvalidTagKey.Malformed"],
        ["TagResources", { ...of, ResourceType: "car", "Tag.1.Key": "a" }, "404 InvalidResourceType.NotFound"],
        ["TagResources", { ...of, "ResourceId.1": "sg-none", "Tag.1.Key": "a" }, "404 InvalidResourceId.NotFound"],
        ["ListTagResources", { ResourceType: "instance" }, "400 MissingParameter.ResourceIdsOrTags"],
        [
            "JoinResourceGroup",
            { ResourceType: "securitygroup", ResourceId: groupId, ResourceGroupId: "x" },
            "404 InvalidResourceGroup.NotFound",
        ],
    ];
    for (const [name, parameters, expected] of refusals)
        expect([name, await cloud.refusal(name, parameters)]).toEqual([name, expected]);
});

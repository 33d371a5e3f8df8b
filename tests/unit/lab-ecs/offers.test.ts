import { findInstanceType, instanceTypes } from "../../../lab/api/ecs/catalogue/instanceTypes";
import { regions } from "../../../lab/api/regions";
import { nominalSize } from "../../../lab/model/sizes";
import { Cloud, Parameters, at, list } from "./harness";

const cloud = new Cloud();

async function images(query: Parameters): Promise<string[]> {
    const answer = await cloud.call("DescribeImages", { PageSize: "100", ...query });
    return list(answer, "Images.Image").map((image) => String(image["ImageId"]));
}

test("images are found as clients look for them", async () => {
    const all = await images({});
    expect(all.length).toBeGreaterThan(20);
    // Clients stop walking at a page of fewer than 50.
    expect(all.length).toBeLessThan(50);
    expect(all.filter((id) => /^debian_12.*64/.test(id))).not.toEqual([]);
    expect(await images({ ImageOwnerAlias: "system", OSType: "linux", Architecture: "arm64" })).toEqual(
        expect.arrayContaining([expect.stringMatching(/^ubuntu_24_04_arm64_/)]),
    );
    expect((await images({ OSType: "windows" })).every((id) => id.startsWith("win"))).toBe(true);
    expect(await images({ ImageOwnerAlias: "self" })).toEqual([]);
    expect(await images({ Status: "Creating" })).toEqual([]);
    expect(await images({ ImageName: "aliyun_3_x64*" })).toHaveLength(2);
    expect(await images({ InstanceType: "ecs.g8y.large" })).toEqual(await images({ Architecture: "arm64" }));
    expect(await images({ ImageId: "debian_12_2_x64_20G_alibase_20231012.vhd" })).toHaveLength(1);
    expect(await images({ ImageId: "aliyun_3_9_x64_20G_alibase_20231219.vhd" })).toHaveLength(1);
    expect(await images({ ImageId: "plan9_4_x64_20G_alibase_20231219.vhd" })).toEqual([]);
    expect(await images({ PageSize: "10", PageNumber: "2" })).toEqual(all.slice(10, 20));
});

test("the newest image of a release that has one for ARM, too, is that for x86", async () => {
    const answer = await cloud.call("DescribeImages", { PageSize: "100" });
    const builds = list(answer, "Images.Image").filter((image) => /^ubuntu_22.*64/.test(String(image["ImageId"])));
    const time = (image: (typeof builds)[number]) => Date.parse(String(image["CreationTime"]));
    // As the provider's data source chooses.
    expect([...builds].sort((a, b) => time(a) - time(b)).at(-1)).toMatchObject({ Architecture: "x86_64" });
});

test("types have what their names promise", () => {
    expect(instanceTypes.length).toBeGreaterThan(100);
    expect(new Set(instanceTypes.map(({ id }) => id)).size).toBe(instanceTypes.length);
    expect(findInstanceType("ecs.t6-c1m2.large")).toMatchObject({ vcpus: 2, memoryGiB: 4, family: "ecs.t6" });
    expect(findInstanceType("ecs.t5-lc2m1.nano")).toMatchObject({ vcpus: 1, memoryGiB: 0.5 });
    expect(findInstanceType("ecs.u1-c1m8.xlarge")).toMatchObject({ vcpus: 4, memoryGiB: 32, family: "ecs.u1" });
    expect(findInstanceType("ecs.g8i.2xlarge")).toMatchObject({ vcpus: 8, memoryGiB: 32 });
    expect(findInstanceType("ecs.c7.6xlarge")).toMatchObject({ vcpus: 24, memoryGiB: 48 });
    expect(findInstanceType("ecs.r6.large")).toMatchObject({ vcpus: 2, memoryGiB: 16 });
    expect(findInstanceType("ecs.g6e.large")).toMatchObject({ vcpus: 2, memoryGiB: 8, family: "ecs.g6e" });
    expect(findInstanceType("ecs.c7a.large")).toMatchObject({ vcpus: 2, memoryGiB: 4, family: "ecs.c7a" });
    expect(findInstanceType("ecs.g7ne.24xlarge")).toMatchObject({ vcpus: 96, memoryGiB: 384 });
    expect(findInstanceType("ecs.u2a-c1m2.large")).toMatchObject({ vcpus: 2, memoryGiB: 4, family: "ecs.u2a" });
    expect(findInstanceType("ecs.g7.16xlarge")).toMatchObject({ vcpus: 64, memoryGiB: 256, enis: 8 });
});

test("families that came later stand behind those that programs have chosen from", () => {
    const place = (id: string) => instanceTypes.findIndex((type) => type.id === id);
    for (const id of ["ecs.c6a.large", "ecs.c7a.large", "ecs.g6e.large", "ecs.u2a-c1m2.large", "ecs.u2i-c1m2.large"])
        expect(place(id)).toBeGreaterThan(place("ecs.gn6i-c4g1.xlarge"));
    expect(place("ecs.g7.16xlarge")).toBeGreaterThan(place("ecs.g7.8xlarge"));
});

test.each(instanceTypes.filter(({ id }) => /^ecs\.(t6|u[12]|[cgr][5-9])/.test(id)).map(({ id }) => id))(
    "%s is sized alike in the catalogue and for the machine",
    (id) => {
        const type = findInstanceType(id)!;
        expect(nominalSize(id)).toEqual({ vcpus: type.vcpus, memoryMiB: type.memoryGiB * 1024 });
    },
);

test("types are found by what they must have", async () => {
    const ids = async (query: Parameters) =>
        list(await cloud.call("DescribeInstanceTypes", query), "InstanceTypes.InstanceType").map(
            (type) => type["InstanceTypeId"],
        );
    expect(await ids({ "InstanceTypes.1": "ecs.g6.large" })).toEqual(["ecs.g6.large"]);
    expect(await ids({ InstanceTypeFamily: "ecs.n4", MinimumCpuCoreCount: "2", MaximumCpuCoreCount: "4" })).toEqual([
        "ecs.n4.large",
        "ecs.n4.xlarge",
    ]);
    expect(await ids({ GPUSpec: "NVIDIA T4" })).toHaveLength(3);
    const family = { InstanceTypeFamily: "ecs.n4" };
    const all = await ids(family);
    const processor = findInstanceType("ecs.n4.large")!.processor;
    for (const [query, expected] of [
        [{ MinimumDiskQuantity: "17" }, all],
        [{ MinimumDiskQuantity: "18" }, []],
        [{ PhysicalProcessorModel: "Intel" }, all],
        [{ PhysicalProcessorModels: JSON.stringify([processor]) }, all],
        [{ PhysicalProcessorModels: JSON.stringify(["AMD EPYC"]) }, []],
        [{ MinimumQueuePairNumber: "1" }, []],
    ] as const)
        expect(await ids({ ...family, ...query })).toEqual(expected);
    const first = await cloud.call("DescribeInstanceTypes", { MaxResults: "5" });
    expect(await ids({ MaxResults: "5", NextToken: String(first["NextToken"]) })).toHaveLength(5);
});

test("what is available, by zone", async () => {
    const find = async (query: Parameters) =>
        list(await cloud.call("DescribeAvailableResource", query), "AvailableZones.AvailableZone");
    const zones = regions.find(({ id }) => id === "cn-hangzhou")!.zones;
    const types = await find({ DestinationResource: "InstanceType", Cores: "2", Memory: "4", NetworkCategory: "Vpc" });
    expect(types).toHaveLength(zones.length);
    const values = list(types[0], "AvailableResources.AvailableResource.0.SupportedResources.SupportedResource");
    expect(values.map(({ Value }) => Value)).toEqual(expect.arrayContaining(["ecs.c6.large", "ecs.t6-c1m2.large"]));
    const disks = await find({
        DestinationResource: "SystemDisk",
        InstanceType: "ecs.g7.large",
        ZoneId: "cn-hangzhou-h",
    });
    expect(disks).toHaveLength(1);
    expect(at(disks[0], "AvailableResources.AvailableResource.0.SupportedResources.SupportedResource")).toEqual([
        { Value: "cloud_essd", Min: 20, Max: 2048, Unit: "GiB", Status: "Available", StatusCategory: "WithStock" },
        { Value: "cloud_auto", Min: 1, Max: 2048, Unit: "GiB", Status: "Available", StatusCategory: "WithStock" },
    ]);
    expect(await find({ DestinationResource: "Zone", InstanceType: "ecs.none.large" })).toEqual([]);
    expect(await cloud.refusal("DescribeAvailableResource", { DestinationResource: "x" })).toBe(
        "400 Invalid.DestinationResource",
    );
});

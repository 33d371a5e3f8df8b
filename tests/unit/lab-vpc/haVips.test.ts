import { claimHaVip } from "../../../lab/model/haVip";
import { project } from "../../../lab/model/project";
import type { Instance } from "../../../lab/model/state";
import { Cloud, OTHER_ZONE, at, list, text } from "./harness";

let cloud: Cloud;
let VpcId: string;
let VSwitchId: string;
beforeEach(async () => {
    cloud = new Cloud();
    VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
    VSwitchId = await cloud.vswitch(VpcId, "10.0.1.0/24");
});

const create = async (parameters: Record<string, string> = {}): Promise<string> =>
    text(await cloud.call("CreateHaVip", { VSwitchId, ...parameters }), "HaVipId");
const view = async (HaVipId: string) => {
    const filter = { "Filter.1.Key": "HaVipId", "Filter.1.Value.1": HaVipId };
    return list(await cloud.call("DescribeHaVips", filter), "HaVips.HaVip")[0];
};
const members = async (HaVipId: string) => at(await view(HaVipId), "AssociatedInstances.associatedInstance");
const nicOf = (instanceId: string): string =>
    Object.values(cloud.state.networkInterfaces).find((nic) => nic.instanceId === instanceId)!.id;
/** Stands for an instance with all that the machine wants to know. */
const instanceIn = (vswitchId: string, given: Partial<Instance> = {}): Instance =>
    cloud.instance(vswitchId, {
        hostName: "",
        imageId: "debian_12",
        instanceType: "ecs.g7.large",
        keyPairName: "",
        userData: "",
        password: "",
        securityGroupIds: [],
        ...given,
    });
/** What the machine tells when an instance announces the address. */
const claim = (haVipId: string, instanceId: string): boolean => claimHaVip(cloud.state, haVipId, nicOf(instanceId));

test("has the cloud's defaults and a free address of its VSwitch", async () => {
    const first = instanceIn(VSwitchId);
    cloud.state.networkInterfaces[nicOf(first.id)] = {
        ...cloud.state.networkInterfaces[nicOf(first.id)]!,
        primaryIp: "10.0.1.1",
    };
    const created = await cloud.call("CreateHaVip", { VSwitchId });
    const HaVipId = text(created, "HaVipId");
    expect(created).toMatchObject({ IpAddress: "10.0.1.2" });
    expect(await view(HaVipId)).toEqual({
        HaVipId,
        IpAddress: "10.0.1.2",
        Name: "",
        Description: "",
        RegionId: "cn-hangzhou",
        VpcId,
        VSwitchId,
        Status: "Available",
        CreateTime: "2026-01-31T12:00:00Z",
        ChargeType: "PostPaid",
        ResourceGroupId: "rg-labdefault",
        AssociatedInstanceType: "",
        AssociatedInstances: { associatedInstance: [] },
        AssociatedEipAddresses: { associatedEipAddresse: [] },
        MasterInstanceId: "",
        Tags: { Tag: [] },
    });
});

test.each([
    [{ IpAddress: "10.0.1.50" }, "success"],
    [{ IpAddress: "10.0.1.7" }, "400 InvalidIPAddress.AlreadyUsed"],
    [{ IpAddress: "10.0.2.50" }, "400 InvalidIPAddress.NotInVSwitch"],
    [{ IpAddress: "10.0.1.253" }, "400 InvalidIPAddress.NotInVSwitch"],
    [{ VSwitchId: "vsw-none" }, "404 InvalidVSwitchId.NotFound"],
    [{ VSwitchId: "" }, "400 MissingParameter"],
    [{ Name: "http://x" }, "400 InvalidName.Malformed"],
    [{ Description: "https://x" }, "400 InvalidDescription.Malformed"],
    [{ "Tag.1.Key": "k", "Tag.2.Key": "k" }, "400 Forbidden.TagKey.Duplicated"],
    [{ DryRun: "true" }, "400 DryRunOperation"],
])("asked for with %j answers %s", async (parameters, expected) => {
    await create({ IpAddress: "10.0.1.7" });
    expect(await cloud.refusal("CreateHaVip", { VSwitchId, ...(parameters as Record<string, string>) })).toBe(expected);
});

test("there are at most fifty, and nobody else gets their addresses", async () => {
    for (let i = 0; i < 50; i += 1) await create();
    expect(await cloud.refusal("CreateHaVip", { VSwitchId })).toBe("400 QuotaExceeded.HaVip");
    expect(await cloud.call("DescribeVSwitchAttributes", { VSwitchId })).toMatchObject({
        AvailableIpAddressCount: 252 - 50,
    });
});

test("is listed by every filter, and changes its name and its tags", async () => {
    const a = await create({ IpAddress: "10.0.1.50", Name: "first", "Tag.1.Key": "k", "Tag.1.Value": "v" });
    const b = await create({ ResourceGroupId: "rg-b" });
    await cloud.call("AssociateHaVip", { HaVipId: b, InstanceId: instanceIn(VSwitchId).id });
    const ids = async (parameters: Record<string, string>) =>
        list(await cloud.call("DescribeHaVips", parameters), "HaVips.HaVip").map((each) => each["HaVipId"]);
    const by = (key: string, value: string) => ids({ "Filter.1.Key": key, "Filter.1.Value.1": value });
    expect(await ids({})).toEqual([a, b]);
    expect(await by("HaVipId", b)).toEqual([b]);
    expect(await by("HaVipId", "havip-none")).toEqual([]);
    expect(await by("HaVipAddress", "10.0.1.50")).toEqual([a]);
    expect(await by("VpcId", VpcId)).toEqual([a, b]);
    expect(await by("VSwitchId", "vsw-none")).toEqual([]);
    expect(await by("Status", "InUse")).toEqual([b]);
    expect(await ids({ ResourceGroupId: "rg-b" })).toEqual([b]);
    expect(await ids({ "Tags.1.Key": "k", "Tags.1.Value": "v" })).toEqual([a]);
    expect(await ids({ PageSize: "1", PageNumber: "2" })).toEqual([b]);
    expect(await ids({ RegionId: "cn-beijing" })).toEqual([]);
    for (const key of ["Moon", "constructor"])
        expect(await cloud.refusal("DescribeHaVips", { "Filter.1.Key": key, "Filter.1.Value.1": "x" })).toBe(
            "400 InvalidFilterKey.ValueNotSupported",
        );

    await cloud.call("ModifyHaVipAttribute", { HaVipId: a, Name: "n", Description: "d" });
    const tagging = { ResourceType: "HAVIP", "ResourceId.1": a };
    await cloud.call("TagResources", { ...tagging, "Tag.1.Key": "k", "Tag.1.Value": "w" });
    expect(await view(a)).toMatchObject({ Name: "n", Description: "d", Tags: { Tag: [{ Key: "k", Value: "w" }] } });
    await cloud.call("UnTagResources", { ...tagging, "TagKey.1": "k" });
    expect(await view(a)).toMatchObject({ Tags: { Tag: [] } });
});

test("belongs to the instance that announced it last, and to nobody once that is off or taken out", async () => {
    const [first, second, other] = [1, 2, 3].map(() => instanceIn(VSwitchId));
    const HaVipId = await create();
    await cloud.call("AssociateHaVip", { HaVipId, InstanceId: first!.id });
    await cloud.call("AssociateHaVip", { HaVipId, InstanceId: second!.id });
    expect(cloud.applied).toBe(2);
    expect(await view(HaVipId)).toMatchObject({
        Status: "InUse",
        AssociatedInstanceType: "EcsInstance",
        AssociatedInstances: { associatedInstance: [first!.id, second!.id] },
        MasterInstanceId: "",
    });
    expect(claim(HaVipId, other!.id)).toBe(false);
    expect(claim(HaVipId, first!.id)).toBe(true);
    expect(claim(HaVipId, first!.id)).toBe(false);
    expect(claim(HaVipId, second!.id)).toBe(true);
    expect(await view(HaVipId)).toMatchObject({ MasterInstanceId: second!.id });
    expect(project(cloud.state).vpcs[0]!.haVips).toEqual([
        {
            id: HaVipId,
            address: text(await view(HaVipId), "IpAddress"),
            nicIds: [nicOf(first!.id), nicOf(second!.id)],
            holder: nicOf(second!.id),
        },
    ]);
    await cloud.call("UnassociateHaVip", { HaVipId, InstanceId: second!.id });
    expect(await view(HaVipId)).toMatchObject({ MasterInstanceId: "" });
    expect(await members(HaVipId)).toEqual([first!.id]);
    // A late word about the time before it was stopped.
    for (const status of ["Stopping", "Stopped"] as const) {
        first!.status = status;
        expect(claim(HaVipId, first!.id)).toBe(false);
    }
    expect(project(cloud.state).vpcs[0]!.haVips[0]).not.toHaveProperty("holder");
});

test("is announced by interfaces where those are its members", async () => {
    const instance = instanceIn(VSwitchId);
    const nic = cloud.networkInterface(VSwitchId, { instanceId: instance.id, securityGroupIds: [] });
    const HaVipId = await create();
    await cloud.call("AssociateHaVip", { HaVipId, InstanceId: nic.id, InstanceType: "NetworkInterface" });
    expect(claimHaVip(cloud.state, HaVipId, nicOf(instance.id))).toBe(false);
    expect(claimHaVip(cloud.state, HaVipId, nic.id)).toBe(true);
    expect(await view(HaVipId)).toMatchObject({
        AssociatedInstanceType: "NetworkInterface",
        MasterInstanceId: nic.id,
    });
    expect(project(cloud.state).vpcs[0]!.haVips[0]).toMatchObject({ nicIds: [nic.id], holder: nic.id });
    expect(await cloud.refusal("AssociateHaVip", { HaVipId, InstanceId: instance.id })).toBe(
        "400 InvalidInstanceType.NotSame",
    );
});

test("refuses instances that it can't have", async () => {
    const HaVipId = await create();
    const associate = (InstanceId: string, more: Record<string, string> = {}): Promise<string> =>
        cloud.refusal("AssociateHaVip", { HaVipId, InstanceId, ...more });
    const instance = instanceIn(VSwitchId);
    expect(await associate("i-none")).toBe("404 InvalidInstanId.NotFound");
    expect(await associate(instance.id, { HaVipId: "havip-none" })).toBe("404 InvalidHaVipId.NotFound");
    expect(await associate(instance.id, { InstanceType: "Moon" })).toBe("400 InvalidInstanceType.ValueNotSupported");
    const elsewhere = await cloud.vswitch(VpcId, "10.0.2.0/24", { ZoneId: OTHER_ZONE });
    expect(await associate(instanceIn(elsewhere).id)).toBe("400 InvalidVSwitchId.NotSame");
    expect(await associate(instanceIn(VSwitchId, { status: "Starting" }).id)).toBe("400 IncorrectInstanceStatus");
    expect(await associate(instance.id)).toBe("success");
    expect(await associate(instance.id)).toBe("400 InvalidAssociation.Duplicated");
    for (let i = 1; i < 10; i += 1) expect(await associate(instanceIn(VSwitchId).id)).toBe("success");
    expect(await associate(instanceIn(VSwitchId).id)).toBe("400 QuotaExceeded.HaVipInstance");
    expect(await cloud.refusal("UnassociateHaVip", { HaVipId, InstanceId: "i-none" })).toBe(
        "404 InvalidInstanceId.NotFound",
    );
});

test("has an EIP, is a route's next hop, and is not deleted while anything needs it", async () => {
    const HaVipId = await create();
    const InstanceId = instanceIn(VSwitchId).id;
    const { id: AllocationId, address } = await cloud.eip();
    const RouteTableId = await cloud.systemTable(VpcId);
    const route = { RouteTableId, DestinationCidrBlock: "192.168.0.0/16", NextHopType: "HaVip", NextHopId: HaVipId };
    const [association, binding] = [
        { HaVipId, InstanceId },
        { AllocationId, InstanceId: HaVipId },
    ];
    await cloud.call("AssociateHaVip", association);
    expect(
        await cloud.refusal("AssociateEipAddress", { ...binding, InstanceId: "havip-none", InstanceType: "HaVip" }),
    ).toBe("404 InvalidHaVipId.NotFound");
    await cloud.call("AssociateEipAddress", { ...binding, InstanceType: "HaVip" });
    await cloud.call("CreateRouteEntry", route);
    expect(await view(HaVipId)).toMatchObject({ AssociatedEipAddresses: { associatedEipAddresse: [address] } });
    const privateIp = text(await view(HaVipId), "IpAddress");
    const desired = project(cloud.state);
    expect(desired.eips[0]!.target).toEqual({ kind: "instance", vpcId: VpcId, privateIp });
    expect(desired.vpcs[0]!.routeTables[0]!.routes[0]!.nextHop).toEqual({ kind: "instance", privateIp });
    expect(
        await cloud.refusal("AssociateEipAddress", {
            AllocationId: (await cloud.eip()).id,
            InstanceId: HaVipId,
            InstanceType: "HaVip",
        }),
    ).toBe("400 InvalidAssociation.Duplicated");

    const refusal = (): Promise<string> => cloud.refusal("DeleteHaVip", { HaVipId });
    expect(await refusal()).toBe("400 IncorrectHaVipStatus");
    await cloud.call("UnassociateHaVip", association);
    expect(await refusal()).toBe("400 DependencyViolation.EIP");
    await cloud.call("UnassociateEipAddress", { ...binding, InstanceType: "HaVip" });
    expect(await refusal()).toBe("400 DependencyViolation.RouteEntry");
    await cloud.call("DeleteRouteEntry", route);
    cloud.state.instances = {};
    cloud.state.networkInterfaces = {};
    expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("400 DependencyViolation.HaVip");
    expect(await refusal()).toBe("success");
    expect(await refusal()).toBe("404 InvalidHaVipId.NotFound");
    expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("success");
});

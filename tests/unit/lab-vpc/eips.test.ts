import type { LoadBalancer } from "../../../lab/model/slb";
import { Cloud, at, list, text } from "./harness";

let cloud: Cloud;
let VSwitchId: string;
beforeEach(async () => {
    cloud = new Cloud();
    VSwitchId = await cloud.vswitch(await cloud.vpc({ CidrBlock: "10.0.0.0/16" }), "10.0.1.0/24");
});

const view = async (filter: Record<string, string>) =>
    list(await cloud.call("DescribeEipAddresses", filter), "EipAddresses.EipAddress");

test("has the cloud's defaults and an address of the lab", async () => {
    const { id, address } = await cloud.eip();
    expect(address).toBe("127.77.0.1");
    expect(await view({ AllocationId: id })).toEqual([
        expect.objectContaining({
            AllocationId: id,
            IpAddress: address,
            Status: "Available",
            Bandwidth: "5",
            EipBandwidth: "5",
            InternetChargeType: "PayByBandwidth",
            ChargeType: "PostPaid",
            ISP: "BGP",
            Netmode: "public",
            DeletionProtection: false,
            HDMonitorStatus: "OFF",
            InstanceId: "",
            InstanceType: "",
            Name: "",
            AllocationTime: "2026-01-31T12:00:00Z",
            SecurityProtectionTypes: { SecurityProtectionType: [] },
            OperationLocks: { LockReason: [] },
            Tags: { Tag: [] },
        }),
    ]);
});

test.each([
    [{ Bandwidth: "500" }, "success"],
    [{ Bandwidth: "501" }, "400 InvalidParameter"],
    [{ Bandwidth: "0" }, "400 InvalidParameter"],
    [{ Bandwidth: "fast" }, "400 InvalidParameter"],
    [{ Bandwidth: "201", InternetChargeType: "PayByTraffic" }, "400 InvalidParameter"],
    [{ Bandwidth: "200", InternetChargeType: "PayByTraffic" }, "success"],
    [{ InternetChargeType: "Free" }, "400 InvalidParameter"],
    [{ InstanceChargeType: "PrePaid", InternetChargeType: "PayByTraffic" }, "400 InvalidParameter"],
    [{ ISP: "Moon" }, "400 IllegalParam.Isp"],
    [{ Zone: "cn-beijing-a" }, "400 IllegalParam.Zone"],
    [{ IpAddress: "8.8.8.8" }, "400 ResourceNotFound.Ip"],
    [{ IpAddress: "127.77.3.4" }, "success"],
    [{ PublicIpAddressPoolId: "pippool-none" }, "400 ResourceNotFound.PublicIpAddressPool"],
    [{ Name: "http://x" }, "400 InvalidName.Malformed"],
    [{ "Tag.1.Key": "k", "Tag.2.Key": "k" }, "400 Forbidden.TagKey.Duplicated"],
])("asked for with %j answers %s", async (parameters, expected) =>
    expect(await cloud.refusal("AllocateEipAddress", parameters as Record<string, string>)).toBe(expected),
);

test("an address that a balancer has is not to be had", async () => {
    cloud.state.loadBalancers["lb-1"] = { id: "lb-1", address: "127.77.3.4" } as LoadBalancer;
    expect(await cloud.refusal("AllocateEipAddress", { IpAddress: "127.77.3.4" })).toBe("400 Ip.Allocated");
});

test("there are at most twenty, not counting those that come with an instance", async () => {
    const own = await cloud.eip();
    cloud.state.eips["eip-ephemeral"] = {
        ...cloud.state.eips[own.id]!,
        id: "eip-ephemeral",
        address: "127.77.9.9",
        ephemeralFor: "i-a",
    };
    for (let i = 1; i < 20; i += 1) await cloud.eip();
    expect(await cloud.refusal("AllocateEipAddress")).toBe("400 QuotaExceeded.Eip");
    expect(await view({ PageSize: "100" })).toHaveLength(20);
    expect(await cloud.refusal("ReleaseEipAddress", { AllocationId: "eip-ephemeral" })).toBe(
        "404 InvalidAllocationId.NotFound",
    );
});

test("is listed by every filter", async () => {
    const instance = cloud.instance(VSwitchId);
    const a = await cloud.eip({ Name: "first", "Tag.1.Key": "k", "Tag.1.Value": "v" });
    const b = await cloud.eip({ ISP: "BGP_PRO", ResourceGroupId: "rg-b" });
    await cloud.call("AssociateEipAddress", { AllocationId: b.id, InstanceId: instance.id });
    const ids = async (filter: Record<string, string>) => (await view(filter)).map((eip) => eip["AllocationId"]);
    expect(await ids({})).toEqual([a.id, b.id]);
    expect(await ids({ AllocationId: b.id })).toEqual([b.id]);
    expect(await ids({ AllocationId: "eip-none" })).toEqual([]);
    expect(await ids({ EipAddress: a.address })).toEqual([a.id]);
    expect(await ids({ EipName: "first" })).toEqual([a.id]);
    expect(await ids({ Status: "InUse" })).toEqual([b.id]);
    expect(await ids({ Status: "Available" })).toEqual([a.id]);
    expect(await ids({ ISP: "BGP_PRO" })).toEqual([b.id]);
    expect(await ids({ ResourceGroupId: "rg-b" })).toEqual([b.id]);
    expect(await ids({ AssociatedInstanceType: "EcsInstance" })).toEqual([b.id]);
    expect(await ids({ AssociatedInstanceId: instance.id })).toEqual([b.id]);
    expect(await ids({ AssociatedInstanceId: "i-none" })).toEqual([]);
    expect(await ids({ ChargeType: "PrePaid" })).toEqual([]);
    expect(await ids({ "Tag.1.Key": "k" })).toEqual([a.id]);
    expect(await ids({ "Filter.1.Key": "CreationStartTime", "Filter.1.Value": "2027-01-01T00:00Z" })).toEqual([]);
    expect(await ids({ PageSize: "1", PageNumber: "2" })).toEqual([b.id]);
    expect(await ids({ RegionId: "cn-beijing" })).toEqual([]);
});

test("changes its attributes, its log and its protection", async () => {
    const { id } = await cloud.eip({ InternetChargeType: "PayByTraffic" });
    await cloud.call("ModifyEipAddressAttribute", { AllocationId: id, Name: "n", Description: "d", Bandwidth: "20" });
    expect(await cloud.refusal("ModifyEipAddressAttribute", { AllocationId: id, Bandwidth: "201" })).toBe(
        "400 InvalidParameter",
    );
    await cloud.call("SetHighDefinitionMonitorLogStatus", {
        InstanceId: id,
        InstanceType: "EIP",
        Status: "ON",
        LogProject: "p",
        LogStore: "s",
    });
    await cloud.call("DeletionProtection", { InstanceId: id, Type: "EIP", ProtectionEnable: "true" });
    expect((await view({}))[0]).toMatchObject({
        Name: "n",
        Description: "d",
        Bandwidth: "20",
        HDMonitorStatus: "ON",
        DeletionProtection: true,
    });
    expect(await cloud.call("DescribeHighDefinitionMonitorLogAttribute", { InstanceId: id })).toMatchObject({
        InstanceId: id,
        LogProject: "p",
        LogStore: "s",
    });
    expect(await cloud.refusal("ReleaseEipAddress", { AllocationId: id })).toBe(
        "400 InvalidOperation.DeletionProtection",
    );
    await cloud.call("DeletionProtection", { InstanceId: id, Type: "EIP", ProtectionEnable: "false" });
    await cloud.call("ReleaseEipAddress", { AllocationId: id });
    expect(await cloud.refusal("ReleaseEipAddress", { AllocationId: id })).toBe("404 InvalidAllocationId.NotFound");
});

test("is bound to one instance and moved to another, and the machine follows", async () => {
    const first = cloud.instance(VSwitchId);
    const second = cloud.instance(VSwitchId, { status: "Stopped" });
    const { id } = await cloud.eip();
    await cloud.call("AssociateEipAddress", { AllocationId: id, InstanceId: first.id });
    expect(cloud.applied).toBe(1);
    expect((await view({}))[0]).toMatchObject({
        Status: "InUse",
        InstanceId: first.id,
        InstanceType: "EcsInstance",
        InstanceRegionId: "cn-hangzhou",
        Mode: "NAT",
        VpcId: "",
    });
    expect(await cloud.refusal("AssociateEipAddress", { AllocationId: id, InstanceId: second.id })).toBe(
        "400 IncorrectEipStatus",
    );
    expect(await cloud.refusal("ReleaseEipAddress", { AllocationId: id })).toBe("400 IncorrectEipStatus");
    expect(await cloud.refusal("UnassociateEipAddress", { AllocationId: id, InstanceId: second.id })).toBe(
        "400 InvalidInstanceId.NotFound",
    );
    await cloud.call("UnassociateEipAddress", { AllocationId: id, InstanceId: first.id });
    expect(await cloud.refusal("UnassociateEipAddress", { AllocationId: id, InstanceId: first.id })).toBe(
        "400 IncorrectEipStatus",
    );
    await cloud.call("AssociateEipAddress", { AllocationId: id, InstanceId: second.id });
    expect(cloud.applied).toBe(3);
    expect((await view({}))[0]).toMatchObject({ InstanceId: second.id });
});

test("an instance has one address, and none while it changes state", async () => {
    const instance = cloud.instance(VSwitchId);
    const [a, b] = [await cloud.eip(), await cloud.eip()];
    const bind = { AllocationId: b.id, InstanceId: instance.id };
    instance.status = "Starting";
    expect(await cloud.refusal("AssociateEipAddress", bind)).toBe("400 IncorrectInstanceStatus");
    instance.status = "Running";
    await cloud.call("AssociateEipAddress", { AllocationId: a.id, InstanceId: instance.id });
    expect(await cloud.refusal("AssociateEipAddress", bind)).toBe("400 InvalidAssociation.Duplicated");
    const other = cloud.instance(VSwitchId);
    cloud.state.eips["eip-public"] = { ...cloud.state.eips[b.id]!, id: "eip-public", ephemeralFor: other.id };
    expect(await cloud.refusal("AssociateEipAddress", { ...bind, InstanceId: other.id })).toBe(
        "400 EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP",
    );
});

test.each([
    [{ InstanceId: "i-none" }, "404 InvalidInstanId.NotFound"],
    [{ InstanceId: "ngw-none", InstanceType: "Nat" }, "404 InvalidNatGatewayId.NotFound"],
    [{ InstanceId: "eni-none", InstanceType: "NetworkInterface" }, "404 InvalidInstanId.NotFound"],
    [{ InstanceId: "x", InstanceType: "Moon" }, "400 InvalidInstanceType.ValueNotSupported"],
    [{ Mode: "Moon" }, "400 IllegalParam.Mode"],
    [{ AllocationId: "eip-none" }, "404 InvalidAllocationId.NotFound"],
    [{ InstanceId: "" }, "400 MissingParameter"],
])("a binding with %j answers %s", async (parameters, expected) => {
    const given = { AllocationId: (await cloud.eip()).id, InstanceId: cloud.instance(VSwitchId).id };
    expect(await cloud.refusal("AssociateEipAddress", { ...given, ...parameters })).toBe(expected);
});

test("a secondary interface has one address for each of its own", async () => {
    const nic = cloud.networkInterface(VSwitchId, { primaryIp: "10.0.1.50", secondaryIps: ["10.0.1.51"] });
    const [a, b] = [await cloud.eip(), await cloud.eip()];
    const bind = { InstanceId: nic.id, InstanceType: "NetworkInterface" };
    await cloud.call("AssociateEipAddress", { ...bind, AllocationId: a.id });
    expect((await view({ AllocationId: a.id }))[0]).toMatchObject({ PrivateIpAddress: "" });
    expect(await cloud.refusal("AssociateEipAddress", { ...bind, AllocationId: b.id })).toBe(
        "400 InvalidAssociation.Duplicated",
    );
    await cloud.call("AssociateEipAddress", { ...bind, AllocationId: b.id, PrivateIpAddress: "10.0.1.51" });
    expect((await view({ AllocationId: b.id }))[0]).toMatchObject({ PrivateIpAddress: "10.0.1.51" });
    const primary = cloud.networkInterface(VSwitchId, { kind: "Primary" });
    const c = await cloud.eip();
    expect(await cloud.refusal("AssociateEipAddress", { ...bind, InstanceId: primary.id, AllocationId: c.id })).toBe(
        "400 InvalidParameter.EniInstanceId",
    );
});

test("its mode changes while it is bound", async () => {
    const { id } = await cloud.eip();
    const nic = cloud.networkInterface(VSwitchId);
    await cloud.call("AssociateEipAddress", { AllocationId: id, InstanceId: nic.id, InstanceType: "NetworkInterface" });
    await cloud.call("ModifyEipForwardMode", { InstanceId: id, Mode: "MULTI_BINDED" });
    expect((await view({}))[0]).toMatchObject({ Mode: "MULTI_BINDED" });
});

test("several are bound to a gateway at once", async () => {
    const VpcId = cloud.state.vswitches[VSwitchId]!.vpcId;
    const gateway = await cloud.natGateway(VpcId, VSwitchId);
    const [a, b] = [await cloud.eip(), await cloud.eip()];
    await cloud.call("AssociateEipAddressBatch", {
        BindedInstanceId: gateway.id,
        BindedInstanceType: "Nat",
        "InstanceIds.1": a.id,
        "InstanceIds.2": b.id,
    });
    const addresses = at(await cloud.call("DescribeNatGateways"), "NatGateways.NatGateway.0.IpLists.IpList");
    expect(addresses).toMatchObject([{ IpAddress: a.address }, { IpAddress: b.address }]);
    expect(text((await view({}))[0], "Mode")).toBe("MULTI_BINDED");
});

import { BalancerCloud, at, list, text } from "./harness";

let cloud: BalancerCloud;
let VpcId: string;
let VSwitchId: string;
beforeEach(async () => {
    cloud = new BalancerCloud();
    VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
    VSwitchId = await cloud.vswitch(VpcId, "10.0.1.0/24");
});

test("the plain call of the guide makes a balancer with an internet address", async () => {
    const answer = await cloud.slb("CreateLoadBalancer", {
        RegionId: "cn-hangzhou",
        LoadBalancerName: "my-slb",
        AddressType: "internet",
        InternetChargeType: "paybytraffic",
    });
    expect(answer).toMatchObject({ Address: "127.77.0.1", LoadBalancerName: "my-slb", NetworkType: "classic" });
    expect(await cloud.attribute(text(answer, "LoadBalancerId"))).toMatchObject({
        LoadBalancerStatus: "active",
        AddressType: "internet",
        InternetChargeType: "paybytraffic",
        PayType: "PayOnDemand",
        InstanceChargeType: "PayBySpec",
        DeleteProtection: "off",
        ModificationProtectionStatus: "NonProtection",
        BackendServers: { BackendServer: [] },
        ListenerPortsAndProtocol: { ListenerPortAndProtocol: [] },
    });
});

test("a balancer in a VSwitch takes an address of it, which nothing else gets and which holds the VSwitch", async () => {
    const LoadBalancerId = await cloud.balancer({ AddressType: "intranet", VSwitchId, Address: "10.0.1.9" });
    expect(await cloud.attribute(LoadBalancerId)).toMatchObject({ Address: "10.0.1.9", VpcId, VSwitchId });
    expect(await cloud.slbRefusal("CreateLoadBalancer", { VSwitchId, Address: "10.0.1.9" })).toBe("400 IpHasBeenUsed");
    expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("400 DependencyViolation.SLB");
    await cloud.slb("DeleteLoadBalancer", { LoadBalancerId });
    expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("success");
});

test("internet addresses are shared with EIPs, one owner each", async () => {
    const eip = await cloud.eip();
    const LoadBalancerId = await cloud.balancer();
    const address = text(await cloud.attribute(LoadBalancerId), "Address");
    expect(address).not.toBe(eip.address);
    expect((await cloud.eip()).address).not.toBe(address);
});

test.each([
    [{ AddressType: "intranet" }, "400 InvalidParameter.VSwitchId"],
    [{ AddressType: "outer" }, "400 InvalidParameter"],
    [{ VSwitchId: "vsw-none" }, "404 InvalidVSwitchId.NotFound"],
    [{ LoadBalancerSpec: "slb.s9.huge" }, "400 InvalidParameter"],
    [{ InternetChargeType: "free" }, "400 InvalidParameter"],
    [{ InternetChargeType: "PayByTraffic" }, "success"],
    [{ MasterZoneId: "cn-beijing-a" }, "400 InvalidParameter"],
    [{ AddressIPVersion: "ipv6" }, "400 UnsupportedOperation"],
    [{ Bandwidth: "5121" }, "400 InvalidParameter"],
])("asked for with %j answers %s", async (parameters, expected) =>
    expect(await cloud.slbRefusal("CreateLoadBalancer", parameters as Record<string, string>)).toBe(expected),
);

test("a protected balancer is not deleted, one that is not there is, and its groups go with it", async () => {
    const LoadBalancerId = await cloud.balancer({ DeleteProtection: "on" });
    const VServerGroupId = await cloud.group(LoadBalancerId);
    expect(await cloud.slbRefusal("DeleteLoadBalancer", { LoadBalancerId })).toBe(
        "400 OperationDenied.DeleteProtectionIsOn",
    );
    await cloud.slb("SetLoadBalancerDeleteProtection", { LoadBalancerId, DeleteProtection: "off" });
    await cloud.slb("DeleteLoadBalancer", { LoadBalancerId });
    expect(await cloud.slbRefusal("DescribeLoadBalancerAttribute", { LoadBalancerId })).toBe(
        "404 InvalidLoadBalancerId.NotFound",
    );
    expect(await cloud.slbRefusal("DescribeVServerGroupAttribute", { VServerGroupId })).toBe("400 InvalidParameter");
});

test("there are at most sixty", async () => {
    for (let i = 0; i < 60; i += 1) await cloud.balancer();
    expect(await cloud.slbRefusal("CreateLoadBalancer")).toBe("400 QuotaLimitExceeds");
});

test("what is set is answered", async () => {
    const LoadBalancerId = await cloud.balancer({ "Tag.1.Key": "a", "Tag.1.Value": "1" });
    await cloud.slb("SetLoadBalancerName", { LoadBalancerId, LoadBalancerName: "renamed" });
    await cloud.slb("ModifyLoadBalancerInstanceSpec", { LoadBalancerId, LoadBalancerSpec: "slb.s2.small" });
    await cloud.slb("ModifyLoadBalancerInternetSpec", {
        LoadBalancerId,
        InternetChargeType: "PayByBandwidth",
        Bandwidth: "7",
    });
    await cloud.slb("TagResources", {
        ResourceType: "instance",
        "ResourceId.1": LoadBalancerId,
        "Tag.1.Key": "b",
        "Tag.1.Value": "2",
    });
    await cloud.slb("UntagResources", {
        ResourceType: "instance",
        "ResourceId.1": LoadBalancerId,
        "TagKey.1": "a",
    });
    expect(await cloud.attribute(LoadBalancerId)).toMatchObject({
        LoadBalancerName: "renamed",
        LoadBalancerSpec: "slb.s2.small",
        InternetChargeType: "paybybandwidth",
        Bandwidth: 7,
        Tags: { Tag: [{ TagKey: "b", TagValue: "2" }] },
    });
    const tags = await cloud.slb("ListTagResources", { ResourceType: "instance", "ResourceId.1": LoadBalancerId });
    expect(list(tags, "TagResources.TagResource")).toHaveLength(1);
});

test("is paid by use from then on, and by its traffic", async () => {
    const LoadBalancerId = await cloud.balancer({ InternetChargeType: "paybybandwidth" });
    await cloud.slb("ModifyLoadBalancerInstanceChargeType", { LoadBalancerId, InstanceChargeType: "PayByCLCU" });
    expect(await cloud.attribute(LoadBalancerId)).toMatchObject({
        InstanceChargeType: "PayByCLCU",
        InternetChargeType: "paybytraffic",
    });
    const back = { LoadBalancerId, InstanceChargeType: "PayBySpec", LoadBalancerSpec: "slb.s1.small" };
    expect(await cloud.slbRefusal("ModifyLoadBalancerInstanceChargeType", back)).toBe("400 OperationDenied");
});

test("is listed by name, address, server and tag", async () => {
    const instance = cloud.instance(VSwitchId);
    const a = await cloud.balancer({ LoadBalancerName: "a" });
    const b = await cloud.balancer({ VSwitchId, "Tag.1.Key": "k", "Tag.1.Value": "v" });
    await cloud.group(a, [{ ServerId: instance.id, Port: 80 }]);
    const ids = async (filter: Record<string, string>) =>
        list(await cloud.slb("DescribeLoadBalancers", filter), "LoadBalancers.LoadBalancer").map(
            ({ LoadBalancerId }) => LoadBalancerId,
        );
    expect(await ids({})).toEqual([a, b]);
    expect(await ids({ LoadBalancerName: "a" })).toEqual([a]);
    expect(await ids({ VSwitchId })).toEqual([b]);
    expect(await ids({ ServerId: instance.id })).toEqual([a]);
    const nics = Object.values(cloud.state.networkInterfaces);
    const { primaryIp } = nics.find(({ instanceId }) => instanceId === instance.id)!;
    expect(await ids({ ServerIntranetAddress: `10.0.1.250,${primaryIp}` })).toEqual([a]);
    expect(await ids({ ServerIntranetAddress: "10.0.1.250" })).toEqual([]);
    expect(await ids({ Tags: '[{"tagKey":"k","tagValue":"v"}]' })).toEqual([b]);
    expect(await ids({ Tags: '[{"tagKey":"k","tagValue":"w"}]' })).toEqual([]);
    expect(await ids({ "Tag.1.Key": "k", "Tag.1.Value": "v" })).toEqual([b]);
});

test("an EIP is bound to a balancer inside a VPC only", async () => {
    const eip = await cloud.eip();
    const inside = await cloud.balancer({ VSwitchId });
    const outside = await cloud.balancer();
    const bind = (InstanceId: string) => ({ AllocationId: eip.id, InstanceId, InstanceType: "SlbInstance" });
    expect(await cloud.refusal("AssociateEipAddress", bind(outside))).toBe("400 IncorrectInstanceStatus");
    await cloud.call("AssociateEipAddress", bind(inside));
    await cloud.slb("DeleteLoadBalancer", { LoadBalancerId: inside });
    const [view] = list(await cloud.call("DescribeEipAddresses", { AllocationId: eip.id }), "EipAddresses.EipAddress");
    expect(view).toMatchObject({ Status: "Available" });
});

test("every zone but the primary is a secondary", async () => {
    const answer = await cloud.slb("DescribeAvailableResource");
    const pairs = list(answer, "AvailableResources.AvailableResource");
    expect(pairs.length).toBeGreaterThan(0);
    expect(pairs.filter(({ MasterZoneId, SlaveZoneId }) => MasterZoneId === SlaveZoneId)).toEqual([]);
    expect(at(pairs[0], "SupportResources.SupportResource.0.AddressIPVersion")).toBe("ipv4");
});

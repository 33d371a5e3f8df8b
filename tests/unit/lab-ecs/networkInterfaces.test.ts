import { numberInterfaces } from "../../../lab/model/interfaces";
import { project } from "../../../lab/model/project";
import { Cloud, OTHER_ZONE, Parameters, Site, list, text } from "./harness";

let cloud: Cloud;
let site: Site;
beforeEach(async () => {
    cloud = new Cloud();
    site = await cloud.site();
});

const create = async (parameters: Parameters = {}) =>
    text(
        await cloud.call("CreateNetworkInterface", {
            VSwitchId: site.vswitchId,
            SecurityGroupId: site.groupId,
            ...parameters,
        }),
        "NetworkInterfaceId",
    );
const show = async (id: string) =>
    list(
        await cloud.call("DescribeNetworkInterfaces", { "NetworkInterfaceId.1": id }),
        "NetworkInterfaceSets.NetworkInterfaceSet",
    )[0];

test("an interface is made, attached, detached and deleted", async () => {
    const InstanceId = await cloud.instance(site);
    const NetworkInterfaceId = await create({ PrimaryIpAddress: "10.0.1.50", "PrivateIpAddress.1": "10.0.1.51" });
    expect(await show(NetworkInterfaceId)).toMatchObject({
        Status: "Available",
        Type: "Secondary",
        PrivateIpAddress: "10.0.1.50",
        PrivateIpSets: {
            PrivateIpSet: [
                { Primary: true, PrivateIpAddress: "10.0.1.50" },
                { Primary: false, PrivateIpAddress: "10.0.1.51" },
            ],
        },
    });
    await cloud.call("AttachNetworkInterface", { NetworkInterfaceId, InstanceId });
    expect(await show(NetworkInterfaceId)).toMatchObject({ Status: "InUse", InstanceId, Attachment: { InstanceId } });
    expect(await cloud.refusal("DeleteNetworkInterface", { NetworkInterfaceId })).toBe(
        "400 InvalidOperation.InvalidEniState",
    );
    await cloud.call("DetachNetworkInterface", { NetworkInterfaceId, InstanceId });
    await cloud.call("DeleteNetworkInterface", { NetworkInterfaceId });
    expect(await cloud.refusal("DeleteNetworkInterface", { NetworkInterfaceId })).toBe("404 InvalidEniId.NotFound");
});

test("what can't be attached or detached yet is refused with the codes on which clients wait", async () => {
    const InstanceId = await cloud.instance(site);
    const attached = { NetworkInterfaceId: await create(), InstanceId };
    const free = { NetworkInterfaceId: await create(), InstanceId };
    await cloud.call("AttachNetworkInterface", attached);
    expect(await cloud.refusal("AttachNetworkInterface", attached)).toBe("400 InvalidOperation.InvalidEniState");
    expect(await cloud.refusal("DetachNetworkInterface", free)).toBe("400 InvalidOperation.InvalidEniState");
    cloud.machine = false;
    await cloud.call("RebootInstance", { InstanceId });
    expect(await cloud.refusal("AttachNetworkInterface", free)).toBe("400 InvalidOperation.InvalidEcsState");
    expect(await cloud.refusal("DetachNetworkInterface", attached)).toBe("400 InvalidOperation.InvalidEcsState");
});

test("settings that need hardware are kept and answered, prefixes refused", async () => {
    const NetworkInterfaceId = await create({ NetworkInterfaceTrafficMode: "HighPerformance", QueuePairNumber: "2" });
    expect(await show(NetworkInterfaceId)).toMatchObject({
        NetworkInterfaceTrafficMode: "HighPerformance",
        QueuePairNumber: 2,
    });
    const InstanceId = await cloud.instance(site);
    await cloud.call("AttachNetworkInterface", { NetworkInterfaceId, InstanceId, NetworkCardIndex: "1" });
    expect(await show(NetworkInterfaceId)).toMatchObject({ Attachment: { NetworkCardIndex: 1 } });
    const wish = { VSwitchId: site.vswitchId, SecurityGroupId: site.groupId, NetworkInterfaceId };
    const refusals: [string, Parameters][] = [
        ["CreateNetworkInterface", { Ipv4PrefixCount: "1" }],
        ["CreateNetworkInterface", { "Ipv4Prefix.1": "10.0.1.16/28" }],
        ["AssignPrivateIpAddresses", { Ipv4PrefixCount: "1" }],
        ["AssignIpv6Addresses", { Ipv6PrefixCount: "1" }],
    ];
    for (const [action, prefixes] of refusals)
        expect(await cloud.refusal(action, { ...wish, ...prefixes })).toBe("400 UnsupportedOperation");
    expect(await cloud.refusal("CreateNetworkInterface", { ...wish, NetworkInterfaceTrafficMode: "Fast" })).toBe(
        "400 InvalidNetworkInterfaceTrafficMode.ValueNotSupported",
    );
    expect(await cloud.refusal("CreateNetworkInterface", { ...wish, Ipv4PrefixCount: "0" })).toBe("success");
});

test("a type has room for so many interfaces and addresses", async () => {
    const InstanceId = await cloud.instance(site);
    const attach = async () =>
        cloud.refusal("AttachNetworkInterface", { NetworkInterfaceId: await create(), InstanceId });
    expect(await attach()).toBe("success");
    expect(await attach()).toBe("403 EniPerInstanceLimitExceeded");
    const NetworkInterfaceId = cloud.model(InstanceId).primaryNetworkInterfaceId;
    const assign = (count: string) =>
        cloud.refusal("AssignPrivateIpAddresses", { NetworkInterfaceId, SecondaryPrivateIpAddressCount: count });
    expect(await assign("6")).toBe("403 PrivateIpLimitExceeded");
    expect(await assign("2")).toBe("success");
    const [first = "", second = ""] = cloud.state.networkInterfaces[NetworkInterfaceId]!.secondaryIps;
    await cloud.call("UnassignPrivateIpAddresses", { NetworkInterfaceId, "PrivateIpAddress.1": first });
    expect(cloud.state.networkInterfaces[NetworkInterfaceId]!.secondaryIps).toEqual([second]);
    expect(
        await cloud.refusal("UnassignPrivateIpAddresses", { NetworkInterfaceId, "PrivateIpAddress.1": "10.0.1.200" }),
    ).toBe("400 InvalidIp.IpUnassigned");
});

test("an attached interface keeps its number, whatever is attached and detached beside it", async () => {
    const InstanceId = await cloud.instance(site, { InstanceType: "ecs.c6.2xlarge" });
    const [older, newer, newest] = [await create(), await create(), await create()];
    const attach = (NetworkInterfaceId: string) =>
        cloud.call("AttachNetworkInterface", { NetworkInterfaceId, InstanceId });
    const named = () => project(cloud.state).hosts[0]!.nics.map(({ id, deviceIndex }) => [id, deviceIndex] as const);
    const primary = cloud.model(InstanceId).primaryNetworkInterfaceId;
    await attach(newer);
    await attach(older);
    expect(named()).toEqual([
        [primary, 0],
        [newer, 1],
        [older, 2],
    ]);
    expect(await show(older)).toMatchObject({ Attachment: { DeviceIndex: 2 } });
    await cloud.call("DetachNetworkInterface", { NetworkInterfaceId: newer, InstanceId });
    expect(named().at(-1)).toEqual([older, 2]);
    await attach(newest);
    expect(named().slice(1)).toEqual([
        [newest, 1],
        [older, 2],
    ]);
});

test("interfaces of a lab that did not number them are numbered as their hosts have named them", async () => {
    const InstanceId = await cloud.instance(site, { InstanceType: "ecs.c6.2xlarge" });
    for (const NetworkInterfaceId of [await create(), await create()])
        await cloud.call("AttachNetworkInterface", { NetworkInterfaceId, InstanceId });
    const loose = await create();
    const before = JSON.stringify(cloud.state.networkInterfaces);
    for (const nic of Object.values(cloud.state.networkInterfaces)) delete nic.deviceIndex;
    numberInterfaces(cloud.state);
    expect(JSON.stringify(cloud.state.networkInterfaces[loose])).not.toContain("deviceIndex");
    expect(cloud.state.networkInterfaces).toEqual(JSON.parse(before));
});

test("the primary interface stays, and so does one of another zone", async () => {
    const InstanceId = await cloud.instance(site);
    const primary = { NetworkInterfaceId: cloud.model(InstanceId).primaryNetworkInterfaceId, InstanceId };
    expect(await cloud.refusal("DetachNetworkInterface", primary)).toBe(
        "400 InvalidOperation.DetachPrimaryEniNotAllowed",
    );
    expect(await cloud.refusal("DeleteNetworkInterface", primary)).toBe("403 InvalidOperation.InvalidEniType");
    const away = await cloud.vswitch(site.vpcId, "10.0.2.0/24", OTHER_ZONE);
    const NetworkInterfaceId = await create({ VSwitchId: away });
    expect(await cloud.refusal("AttachNetworkInterface", { NetworkInterfaceId, InstanceId })).toBe(
        "403 InvalidOperation.AvailabilityZoneMismatch",
    );
});

test("what a public address leads to is shown", async () => {
    const InstanceId = await cloud.instance(site);
    const eip = await cloud.vpcCall("AllocateEipAddress");
    await cloud.vpcCall("AssociateEipAddress", { AllocationId: text(eip, "AllocationId"), InstanceId });
    expect(await show(cloud.model(InstanceId).primaryNetworkInterfaceId)).toMatchObject({
        AssociatedPublicIp: { PublicIpAddress: eip["EipAddress"], AllocationId: eip["AllocationId"] },
    });
});

test("new security groups of a primary interface are its instance's", async () => {
    const InstanceId = await cloud.instance(site);
    const other = await cloud.group(site.vpcId);
    await cloud.call("ModifyNetworkInterfaceAttribute", {
        NetworkInterfaceId: cloud.model(InstanceId).primaryNetworkInterfaceId,
        "SecurityGroupId.1": other,
    });
    expect(cloud.model(InstanceId).securityGroupIds).toEqual([other]);
});

test("IPv6 addresses come from the VSwitch's range", async () => {
    const VpcId = text(await cloud.vpcCall("CreateVpc", { EnableIpv6: "true", CidrBlock: "10.0.0.0/16" }), "VpcId");
    const created = { VpcId, CidrBlock: "10.0.1.0/24", ZoneId: "cn-hangzhou-h", Ipv6CidrBlock: "7" };
    const vswitchId = text(await cloud.vpcCall("CreateVSwitch", created), "VSwitchId");
    const six: Site = { vpcId: VpcId, vswitchId, groupId: await cloud.group(VpcId) };
    const InstanceId = await cloud.instance(six, { Ipv6AddressCount: "1" });
    const NetworkInterfaceId = cloud.model(InstanceId).primaryNetworkInterfaceId;
    const nic = cloud.state.networkInterfaces[NetworkInterfaceId]!;
    const [first = ""] = nic.ipv6Addresses!;
    expect(first).toMatch(/^2408:/);
    await cloud.call("AssignIpv6Addresses", { NetworkInterfaceId, Ipv6AddressCount: "2" });
    expect(await cloud.call("DescribeInstances", { "Ipv6Address.1": first })).toMatchObject({ TotalCount: 1 });
    await cloud.call("UnassignIpv6Addresses", { NetworkInterfaceId, "Ipv6Address.1": first.toUpperCase() });
    expect(nic.ipv6Addresses).toHaveLength(2);
    const named = first.replace(/[^:]+$/, "abc");
    await cloud.call("AssignIpv6Addresses", { NetworkInterfaceId, "Ipv6Address.1": named });
    expect(nic.ipv6Addresses).toContain(named);
    expect(await cloud.refusal("AssignIpv6Addresses", { NetworkInterfaceId, "Ipv6Address.1": "2408:1::1" })).toBe(
        "400 InvalidIp.Address",
    );
    expect(await cloud.refusal("RunInstances", { ...cloud.launch(site), Ipv6AddressCount: "1" })).toBe(
        "400 InvalidVSwitch.Ipv6NotTurnOn",
    );
});

/**
 * What the official Terraform provider reads of each answer: a field that is missing or of another type makes it
 * crash, or see a change in every run.
 */
import { unreadable } from "../lab-api/providerFields";
import fields from "./provider-fields.json";
import { Cloud, text } from "./harness";

async function populated(): Promise<{ cloud: Cloud; calls: Readonly<Record<string, Record<string, string>>> }> {
    const cloud = new Cloud();
    const tag = { "Tag.1.Key": "k", "Tag.1.Value": "v" };
    const VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16", EnableIpv6: "true", UserCidr: "10.9.0.0/16", ...tag });
    await cloud.call("AssociateVpcCidrBlock", { VpcId, SecondaryCidrBlock: "10.1.0.0/16", IpVersion: "IPV4" });
    const VSwitchId = await cloud.vswitch(VpcId, "10.0.1.0/24", { Ipv6CidrBlock: "3", ...tag });
    const RouteTableId = await cloud.systemTable(VpcId);
    await cloud.call("TagResources", { ResourceType: "ROUTETABLE", "ResourceId.1": RouteTableId, ...tag });
    const gateway = await cloud.natGateway(VpcId, VSwitchId, tag);
    const eip = await cloud.eip({ ...tag, "SecurityProtectionTypes.1": "AntiDDoS_Enhanced" });
    await cloud.call("AssociateEipAddress", { AllocationId: eip.id, InstanceId: gateway.id, InstanceType: "Nat" });
    const snat = { SnatTableId: gateway.snatTableId, SnatIp: eip.address };
    await cloud.call("CreateSnatEntry", { ...snat, SourceVSwitchId: VSwitchId });
    const HaVipId = text(await cloud.call("CreateHaVip", { VSwitchId, ...tag }), "HaVipId");
    await cloud.call("AssociateHaVip", { HaVipId, InstanceId: cloud.instance(VSwitchId).id });
    return {
        cloud,
        calls: {
            CreateHaVip: { VSwitchId },
            DescribeHaVips: { "Filter.1.Key": "HaVipId", "Filter.1.Value.1": HaVipId },
            CreateVpc: {},
            CreateDefaultVpc: {},
            CreateDefaultVSwitch: { ZoneId: "cn-hangzhou-b" },
            CreateVSwitch: { VpcId, CidrBlock: "10.0.2.0/24", ZoneId: "cn-hangzhou-b" },
            CreateRouteTable: { VpcId },
            CreateNatGateway: { VpcId, VSwitchId },
            CreateSnatEntry: { ...snat, SourceCIDR: "10.0.1.7" },
            AllocateEipAddress: {},
            DescribeVpcAttribute: { VpcId },
            DescribeVpcs: {},
            DescribeVSwitchAttributes: { VSwitchId },
            DescribeVSwitches: { PageSize: "50", PageNumber: "1" },
            DescribeRouteTableList: { RouteTableId },
            DescribeRouteTables: { RouteTableId },
            DescribeNatGateways: { NatGatewayId: gateway.id },
            DescribeSnatTableEntries: { SnatTableId: gateway.snatTableId },
            DescribeEipAddresses: { AllocationId: eip.id },
            DescribeHighDefinitionMonitorLogAttribute: { InstanceId: eip.id },
            ListTagResources: { ResourceType: "NATGATEWAY", "ResourceId.1": gateway.id },
        },
    };
}

test.each(Object.entries(fields))("%s answers what the provider reads", async (action, expected) => {
    const { cloud, calls } = await populated();
    if (action === "CreateDefaultVSwitch") await cloud.call("CreateDefaultVpc");
    const parameters = calls[action];
    if (!parameters) throw new Error(`There is no call of ${action}.`);
    expect(unreadable(await cloud.call(action, parameters), expected)).toEqual({});
});

test("containers are there even when they are empty", async () => {
    const cloud = new Cloud();
    expect(await cloud.call("DescribeVpcs")).toMatchObject({ TotalCount: 0, Vpcs: { Vpc: [] } });
    expect(await cloud.call("DescribeVSwitches")).toMatchObject({ VSwitches: { VSwitch: [] } });
    expect(await cloud.call("DescribeNatGateways")).toMatchObject({ NatGateways: { NatGateway: [] } });
    expect(await cloud.call("DescribeEipAddresses")).toMatchObject({ EipAddresses: { EipAddress: [] } });
    expect(await cloud.call("DescribeRouteTableList")).toMatchObject({
        RouterTableList: { RouterTableListType: [] },
    });
    expect(await cloud.call("DescribeRouteTables")).toMatchObject({ RouteTables: { RouteTable: [] } });
});

test("an EIP has what the provider's data source can't do without", async () => {
    const { cloud } = await populated();
    expect(await cloud.call("DescribeEipAddresses")).toMatchObject({
        EipAddresses: { EipAddress: [{ AvailableRegions: { AvailableRegion: ["cn-hangzhou"] } }] },
    });
});

test("ids hold nothing that clients split on", async () => {
    const { cloud } = await populated();
    const ids = [
        cloud.state.vpcs,
        cloud.state.vswitches,
        cloud.state.routeTables,
        cloud.state.natGateways,
        cloud.state.snatEntries,
        cloud.state.eips,
        cloud.state.haVips,
    ].flatMap((resources) => Object.keys(resources));
    expect(ids.filter((id) => !/^[a-z]+-[a-z0-9]{20}$/.test(id))).toEqual([]);
});

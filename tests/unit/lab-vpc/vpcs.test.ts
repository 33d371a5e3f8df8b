import { Cloud, OTHER_ZONE, ZONE, at, list, text } from "./harness";

let cloud: Cloud;
beforeEach(() => {
    cloud = new Cloud();
});

describe("VPC", () => {
    test("has the cloud's defaults, a router and a system route table", async () => {
        const created = await cloud.call("CreateVpc");
        expect(created).toMatchObject({
            VpcId: expect.stringMatching(/^vpc-[a-z0-9]{20}$/) as string,
            VRouterId: expect.stringMatching(/^vrt-/) as string,
            RouteTableId: expect.stringMatching(/^vtb-/) as string,
        });
        const vpc = await cloud.call("DescribeVpcAttribute", { VpcId: text(created, "VpcId") });
        expect(vpc).toMatchObject({
            CidrBlock: "172.16.0.0/12",
            Status: "Available",
            VpcName: "",
            Description: "",
            IsDefault: false,
            ClassicLinkEnabled: false,
            EnabledIpv6: false,
            DnsHostnameStatus: "DISABLED",
            CreationTime: "2026-01-31T12:00:00Z",
            VSwitchIds: { VSwitchId: [] },
            SecondaryCidrBlocks: { SecondaryCidrBlock: [] },
            UserCidrs: { UserCidr: [] },
            Tags: { Tag: [] },
        });
    });

    test.each(["10.0.0.0/8", "10.1.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "192.168.4.0/28", "30.1.0.0/16"])(
        "may have the range %s",
        async (cidr) => expect(await cloud.vpc({ CidrBlock: cidr })).toMatch(/^vpc-/),
    );

    test.each([
        ["10.0.0.0", "InvalidParameter"],
        ["10.0.0.0/29", "IllegalParam.CidrBlockMask"],
        ["10.0.0.1/16", "InvalidParameter"],
        ["192.168.0.0/15", "InvalidParameter"],
        ["172.16.0.0/11", "InvalidParameter"],
        ["100.64.0.0/16", "InvalidParameter"],
        ["127.0.0.0/8", "InvalidParameter"],
        ["169.254.0.0/16", "InvalidParameter"],
        ["224.0.0.0/8", "InvalidParameter"],
        ["0.0.0.0/8", "InvalidParameter"],
        ["10.0.0.0/7", "IllegalParam.CidrBlockMask"],
        ["nonsense", "InvalidParameter"],
    ])("may not have the range %s: %s", async (CidrBlock, code) =>
        expect(await cloud.refusal("CreateVpc", { CidrBlock })).toBe(`400 ${code}`),
    );

    test.each([
        [{ VpcName: "http://x" }, "400 InvalidVpcName.Malformed"],
        [{ VpcName: "x".repeat(129) }, "400 InvalidVpcName.Malformed"],
        [{ Description: "https://x" }, "400 InvalidVpcDiscription.Malformed"],
        [{ "Tag.1.Key": "acs:x", "Tag.1.Value": "v" }, "400 InvalidTagKey"],
        [{ UserCidr: "10.0.0.0/8,x" }, "400 InvalidParameter"],
        [{ UserCidr: "100.64.0.0/16" }, "400 InvalidUserCidr.Malformed"],
        [{ Ipv4IpamPoolId: "ipam-pool-none" }, "404 ResourceNotFound.IpamPool"],
        [{ DryRun: "true" }, "400 DryRunOperation"],
        [{ EnableIpv6: "perhaps" }, "400 InvalidParameter"],
    ])("%j is refused", async (parameters, refusal) =>
        expect(await cloud.refusal("CreateVpc", parameters as Record<string, string>)).toBe(refusal),
    );

    test("there are at most ten in a region", async () => {
        for (let i = 0; i < 10; i += 1) await cloud.vpc();
        expect(await cloud.refusal("CreateVpc")).toBe("400 QuotaExceeded.Vpc");
        expect(await cloud.refusal("CreateVpc", { RegionId: "cn-beijing" })).toBe("success");
    });

    test("is listed by every filter, page by page, and not in other regions", async () => {
        const a = await cloud.vpc({ VpcName: "a", "Tag.1.Key": "env", "Tag.1.Value": "prod", EnableIpv6: "true" });
        const b = await cloud.vpc({ VpcName: "b", "Tag.1.Key": "env", "Tag.1.Value": "dev", ResourceGroupId: "rg-b" });
        const c = await cloud.vpc({ VpcName: "c" });
        await cloud.call("CreateDefaultVpc", { RegionId: "cn-beijing" });
        const ids = async (parameters: Record<string, string>): Promise<string[]> =>
            list(await cloud.call("DescribeVpcs", parameters), "Vpcs.Vpc").map((vpc) => text(vpc, "VpcId"));
        expect(await ids({})).toEqual([a, b, c]);
        expect(await ids({ VpcId: b })).toEqual([b]);
        expect(await ids({ VpcId: `${a},${c}` })).toEqual([a, c]);
        expect(await ids({ VpcName: "c" })).toEqual([c]);
        expect(await ids({ "Tag.1.Key": "env" })).toEqual([a, b]);
        expect(await ids({ "Tag.1.Key": "env", "Tag.1.Value": "dev" })).toEqual([b]);
        expect(await ids({ ResourceGroupId: "rg-b" })).toEqual([b]);
        expect(await ids({ EnableIpv6: "true" })).toEqual([a]);
        expect(await ids({ IsDefault: "true" })).toEqual([]);
        expect(await ids({ IsDefault: "true", RegionId: "cn-beijing" })).toHaveLength(1);
        expect(await cloud.call("DescribeVpcs", { PageSize: "2", PageNumber: "2" })).toMatchObject({
            TotalCount: 3,
            PageNumber: 2,
            PageSize: 2,
            Vpcs: { Vpc: [{ VpcId: c }] },
        });
        expect(await cloud.refusal("DescribeVpcs", { PageSize: "51" })).toBe("400 InvalidParameter");
        expect(await cloud.refusal("DescribeVpcAttribute", { VpcId: a, RegionId: "cn-beijing" })).toBe(
            "404 InvalidVpcId.NotFound",
        );
    });

    test("changes its attributes", async () => {
        const VpcId = await cloud.vpc();
        await cloud.call("ModifyVpcAttribute", {
            VpcId,
            VpcName: "new",
            Description: "text",
            EnableDnsHostname: "true",
            EnableIPv6: "true",
        });
        await cloud.call("EnableVpcClassicLink", { VpcId });
        const vpc = await cloud.call("DescribeVpcAttribute", { VpcId });
        expect(vpc).toMatchObject({
            VpcName: "new",
            Description: "text",
            DnsHostnameStatus: "ENABLED",
            EnabledIpv6: true,
            ClassicLinkEnabled: true,
        });
        expect(text(vpc, "Ipv6CidrBlock")).toMatch(/^[0-9a-f:]+::\/56$/);
        await cloud.call("ModifyVpcAttribute", { VpcId, Description: "" });
        await cloud.call("DisableVpcClassicLink", { VpcId });
        expect(await cloud.call("DescribeVpcAttribute", { VpcId })).toMatchObject({
            VpcName: "new",
            Description: "",
            ClassicLinkEnabled: false,
        });
    });

    test("has secondary ranges, which stay while a VSwitch needs them", async () => {
        const VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
        const refusal = (SecondaryCidrBlock: string) =>
            cloud.refusal("AssociateVpcCidrBlock", { VpcId, SecondaryCidrBlock, IpVersion: "IPV4" });
        expect(await refusal("10.0.1.0/24")).toBe("400 IllegalParam.SecondaryCidrBlock");
        expect(await refusal("10.1.0.0/16")).toBe("success");
        expect(await refusal("10.1.0.0/16")).toBe("400 Duplicated.SecondaryCidrBlock");
        const VSwitchId = await cloud.vswitch(VpcId, "10.1.2.0/24");
        expect(at(await cloud.call("DescribeVpcAttribute", { VpcId }), "SecondaryCidrBlocks")).toEqual({
            SecondaryCidrBlock: ["10.1.0.0/16"],
        });
        const remove = { VpcId, SecondaryCidrBlock: "10.1.0.0/16" };
        expect(await cloud.refusal("UnassociateVpcCidrBlock", remove)).toBe("400 DependencyViolation.VSwitch");
        await cloud.call("DeleteVSwitch", { VSwitchId });
        await cloud.call("UnassociateVpcCidrBlock", remove);
        expect(await cloud.refusal("UnassociateVpcCidrBlock", remove)).toBe("400 InvalidSecondaryCidrBlock.NotFound");
    });

    test("goes only when it is empty", async () => {
        const VpcId = await cloud.vpc();
        const VSwitchId = await cloud.vswitch(VpcId, "172.16.0.0/24");
        expect(await cloud.refusal("DeleteVpc", { VpcId })).toBe("400 DependencyViolation.VSwitch");
        await cloud.call("DeleteVSwitch", { VSwitchId });
        const RouteTableId = text(await cloud.call("CreateRouteTable", { VpcId }), "RouteTableId");
        expect(await cloud.refusal("DeleteVpc", { VpcId })).toBe("400 DependencyViolation.RouteTable");
        await cloud.call("DeleteRouteTable", { RouteTableId });
        cloud.state.securityGroups["sg-a"] = { vpcId: VpcId } as never;
        expect(await cloud.refusal("DeleteVpc", { VpcId })).toBe("400 DependencyViolation.SecurityGroup");
        delete cloud.state.securityGroups["sg-a"];
        await cloud.call("DeleteVpc", { VpcId });
        expect(await cloud.refusal("DescribeVpcAttribute", { VpcId })).toBe("404 InvalidVpcId.NotFound");
        expect(await cloud.refusal("DeleteVpc", { VpcId })).toBe("404 InvalidVpcId.NotFound");
        expect(cloud.state.routeTables).toEqual({});
    });
});

describe("VSwitch", () => {
    test("lies in its VPC and counts its free addresses", async () => {
        const VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
        const VSwitchId = await cloud.vswitch(VpcId, "10.0.1.0/24", { VSwitchName: "one", Description: "text" });
        expect(await cloud.call("DescribeVSwitchAttributes", { VSwitchId })).toMatchObject({
            VSwitchId,
            VSwitchName: "one",
            Description: "text",
            VpcId,
            ZoneId: ZONE,
            CidrBlock: "10.0.1.0/24",
            Status: "Available",
            IsDefault: false,
            AvailableIpAddressCount: 252,
            RouteTable: { RouteTableId: await cloud.systemTable(VpcId), RouteTableType: "System" },
        });
        cloud.networkInterface(VSwitchId);
        expect(at(await cloud.call("DescribeVSwitchAttributes", { VSwitchId }), "AvailableIpAddressCount")).toBe(251);
    });

    test.each([
        ["10.1.0.0/24", {}, "400 InvalidParameter"],
        ["10.0.0.0/15", {}, "400 InvalidCirdrBlock.MaskLength"],
        ["10.0.0.0/30", {}, "400 InvalidCirdrBlock.MaskLength"],
        ["10.0.2.1/24", {}, "400 InvalidCidrBlock.Malformed"],
        ["10.0.1.128/25", {}, "400 InvalidCidrBlock.Overlapped"],
        ["10.0.0.0/16", {}, "400 InvalidCidrBlock.Overlapped"],
        ["10.0.2.0/24", { ZoneId: "cn-beijing-a" }, "404 InvalidZoneId.NotFound"],
        ["10.0.2.0/24", { VpcId: "vpc-none" }, "404 InvalidVpcId.NotFound"],
        ["10.0.2.0/24", { VSwitchName: "https://x" }, "400 InvalidVSwitchName.Malformed"],
        ["10.0.2.0/24", { ZoneId: "" }, "400 MissingParameter"],
        ["", {}, "400 MissingParameter"],
        ["10.0.2.0/29", {}, "success"],
    ])("%s %j answers %s", async (CidrBlock, parameters, expected) => {
        const VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
        await cloud.vswitch(VpcId, "10.0.1.0/24");
        expect(await cloud.refusal("CreateVSwitch", { VpcId, CidrBlock, ZoneId: ZONE, ...parameters })).toBe(expected);
    });

    test("is listed by every filter", async () => {
        const VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
        const other = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
        const a = await cloud.vswitch(VpcId, "10.0.1.0/24", { VSwitchName: "a", "Tag.1.Key": "k", "Tag.1.Value": "v" });
        const b = await cloud.vswitch(VpcId, "10.0.2.0/24", { VSwitchName: "b", ZoneId: OTHER_ZONE });
        const c = await cloud.vswitch(other, "10.0.1.0/24");
        const ids = async (parameters: Record<string, string>): Promise<string[]> =>
            list(await cloud.call("DescribeVSwitches", parameters), "VSwitches.VSwitch").map((vswitch) =>
                text(vswitch, "VSwitchId"),
            );
        expect(await ids({})).toEqual([a, b, c]);
        expect(await ids({ VpcId })).toEqual([a, b]);
        expect(await ids({ VSwitchId: c })).toEqual([c]);
        expect(await ids({ ZoneId: OTHER_ZONE })).toEqual([b]);
        expect(await ids({ VSwitchName: "a" })).toEqual([a]);
        expect(await ids({ "Tag.1.Key": "k" })).toEqual([a]);
        expect(await ids({ RouteTableId: await cloud.systemTable(other) })).toEqual([c]);
        expect(await ids({ IsDefault: "true" })).toEqual([]);
        expect(await ids({ PageSize: "1", PageNumber: "2" })).toEqual([b]);
    });

    test("goes only when nothing is in it", async () => {
        const VpcId = await cloud.vpc();
        const VSwitchId = await cloud.vswitch(VpcId, "172.16.0.0/24");
        const { id } = cloud.instance(VSwitchId);
        expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("400 DependencyViolation");
        Reflect.deleteProperty(cloud.state.instances, id);
        cloud.state.networkInterfaces = {};
        const gateway = await cloud.natGateway(VpcId, VSwitchId);
        expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("400 DependencyViolation.EnhancedNatgw");
        await cloud.call("DeleteNatGateway", { NatGatewayId: gateway.id });
        await cloud.call("DeleteVSwitch", { VSwitchId });
        expect(await cloud.refusal("DescribeVSwitchAttributes", { VSwitchId })).toBe("404 InvalidVswitchID.NotFound");
        expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("404 InvalidVSwitchId.NotFound");
    });

    test("has a name, a description and an IPv6 range that change", async () => {
        const VpcId = await cloud.vpc({ EnableIpv6: "true", Ipv6CidrBlock: "2408:4005:3ac:a900::/56" });
        const VSwitchId = await cloud.vswitch(VpcId, "172.16.0.0/24", { Ipv6CidrBlock: "18" });
        expect(at(await cloud.call("DescribeVSwitchAttributes", { VSwitchId }), "Ipv6CidrBlock")).toBe(
            "2408:4005:3ac:a912::/64",
        );
        await cloud.call("ModifyVSwitchAttribute", {
            VSwitchId,
            VSwitchName: "n",
            Description: "d",
            EnableIPv6: "false",
        });
        expect(await cloud.call("DescribeVSwitchAttributes", { VSwitchId })).toMatchObject({
            VSwitchName: "n",
            Description: "d",
            Ipv6CidrBlock: "",
        });
    });
});

test("a region has one default VPC and each of its zones one default VSwitch", async () => {
    expect(await cloud.refusal("CreateDefaultVSwitch", { ZoneId: ZONE })).toBe("404 InvalidDefaultVpc.NotFound");
    await cloud.call("CreateDefaultVpc");
    expect(await cloud.refusal("CreateDefaultVpc")).toMatch(/^400 /);
    await cloud.call("CreateDefaultVSwitch", { ZoneId: ZONE });
    await cloud.call("CreateDefaultVSwitch", { ZoneId: OTHER_ZONE });
    expect(await cloud.refusal("CreateDefaultVSwitch", { ZoneId: ZONE })).toMatch(/^400 /);
    const vswitches = list(await cloud.call("DescribeVSwitches", { IsDefault: "true" }), "VSwitches.VSwitch");
    expect(vswitches.map((vswitch) => vswitch["CidrBlock"])).toEqual(["172.16.0.0/20", "172.16.16.0/20"]);
});

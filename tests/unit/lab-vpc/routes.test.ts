import { Cloud, Parameters, at, list, text } from "./harness";

let cloud: Cloud;
let VpcId: string;
let VSwitchId: string;
let RouteTableId: string;
beforeEach(async () => {
    cloud = new Cloud();
    VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
    VSwitchId = await cloud.vswitch(VpcId, "10.0.1.0/24");
    RouteTableId = await cloud.systemTable(VpcId);
});

const routes = async (table = RouteTableId) =>
    list(
        await cloud.call("DescribeRouteTables", { RouteTableId: table }),
        "RouteTables.RouteTable.0.RouteEntrys.RouteEntry",
    );

test("every table routes the VSwitches and the cloud's services", async () => {
    expect(
        (await routes()).map((route) => [route["DestinationCidrBlock"], route["Type"], route["NextHopType"]]),
    ).toEqual([
        ["10.0.1.0/24", "System", "local"],
        ["100.64.0.0/10", "System", "service"],
    ]);
});

test("a custom route is added, shown, changed and removed", async () => {
    const instance = cloud.instance(VSwitchId);
    const other = cloud.instance(VSwitchId);
    const created = await cloud.call("CreateRouteEntry", {
        RouteTableId,
        DestinationCidrBlock: "192.168.0.0/24",
        NextHopType: "Instance",
        NextHopId: instance.id,
        RouteEntryName: "n",
        Description: "d",
    });
    expect(cloud.applied).toBe(1);
    const RouteEntryId = text(created, "RouteEntryId");
    expect((await routes())[2]).toMatchObject({
        RouteEntryId,
        RouteTableId,
        DestinationCidrBlock: "192.168.0.0/24",
        NextHopType: "Instance",
        InstanceId: instance.id,
        RouteEntryName: "n",
        Description: "d",
        Status: "Available",
        Type: "Custom",
    });
    await cloud.call("ModifyRouteEntry", { RouteEntryId, RouteEntryName: "m", NewNextHopId: other.id });
    const entries = await cloud.call("DescribeRouteEntryList", { RouteTableId, RouteEntryType: "Custom" });
    expect(entries).toMatchObject({
        TotalCount: 1,
        NextToken: "",
        RouteEntrys: { RouteEntry: [{ RouteEntryName: "m", NextHops: { NextHop: [{ NextHopId: other.id }] } }] },
    });
    const gone = { RouteTableId, DestinationCidrBlock: "192.168.0.0/24", NextHopId: other.id };
    await cloud.call("DeleteRouteEntry", gone);
    expect(await cloud.refusal("DeleteRouteEntry", gone)).toBe("400 InvalidRouteEntry.NotFound");
    expect(await routes()).toHaveLength(2);
});

test("no route is published to a router, and one that is not there isn't either", async () => {
    const cidr = { DestinationCidrBlock: "192.168.0.0/24" };
    await cloud.call("CreateRouteEntry", { RouteTableId, ...cidr, NextHopId: cloud.instance(VSwitchId).id });
    const published = (given: Parameters) =>
        cloud.call("ListVpcPublishedRouteEntries", { RouteTableId, TargetType: "ECR", ...given });
    expect(await published(cidr)).toMatchObject({ RouteEntries: [], NextToken: "" });
    expect(await published({ DestinationCidrBlock: "192.168.9.0/24" })).toMatchObject({ RouteEntries: [] });
    const ofNone = { RouteTableId: "vtb-none", TargetType: "ECR" };
    expect(await cloud.refusal("ListVpcPublishedRouteEntries", ofNone)).toBe("404 InvalidRouteTableId.NotFound");
});

test("several next hops are refused, not left out", async () => {
    const route = { RouteTableId, DestinationCidrBlock: "192.168.0.0/24" };
    const one = { ...route, "NextHopList.1.NextHopId": cloud.instance(VSwitchId).id };
    const two = { ...one, "NextHopList.2.NextHopId": cloud.instance(VSwitchId).id };
    expect(await cloud.refusal("CreateRouteEntry", two)).toBe("400 UnsupportedOperation");
    await cloud.call("CreateRouteEntry", one);
});

test("a destination without a mask is a host", async () => {
    const { id } = cloud.instance(VSwitchId);
    await cloud.call("CreateRouteEntry", { RouteTableId, DestinationCidrBlock: "192.168.0.9", NextHopId: id });
    expect((await routes())[2]).toMatchObject({ DestinationCidrBlock: "192.168.0.9/32", NextHopType: "Instance" });
    await cloud.call("DeleteRouteEntry", { RouteTableId, DestinationCidrBlock: "192.168.0.9" });
});

test("several routes are made and removed at once, and failures told one by one", async () => {
    const { id } = cloud.instance(VSwitchId);
    const answer = await cloud.call("CreateRouteEntries", {
        "RouteEntries.1.RouteTableId": RouteTableId,
        "RouteEntries.1.DstCidrBlock": "192.168.0.0/24",
        "RouteEntries.1.NextHop": id,
        "RouteEntries.1.NextHopType": "Instance",
        "RouteEntries.2.RouteTableId": RouteTableId,
        "RouteEntries.2.DstCidrBlock": "192.168.0.0/24",
        "RouteEntries.2.NextHop": id,
        "RouteEntries.2.NextHopType": "Instance",
    });
    expect(answer).toMatchObject({
        SuccessCount: 1,
        FailedCount: 1,
        FailedRouteEntries: [{ FailedCode: "RouterEntryConflict.Duplicated" }],
    });
    expect(
        await cloud.call("DeleteRouteEntries", {
            "RouteEntries.1.RouteEntryId": text(answer, "RouteEntryIds.0"),
            "RouteEntries.2.RouteEntryId": "rte-none",
        }),
    ).toMatchObject({ SuccessCount: 1, FailedCount: 1 });
});

test("a batch is tried without being done, and then answers what its first entry would fail with", async () => {
    const { id } = cloud.instance(VSwitchId);
    const add = (cidrs: readonly string[], given: Parameters = {}) =>
        cloud.refusal("CreateRouteEntries", {
            ...given,
            ...Object.fromEntries(
                cidrs.flatMap((cidr, i) => [
                    [`RouteEntries.${i + 1}.RouteTableId`, RouteTableId],
                    [`RouteEntries.${i + 1}.DstCidrBlock`, cidr],
                    [`RouteEntries.${i + 1}.NextHop`, id],
                ]),
            ),
        });
    const dry = { DryRun: "true" };
    expect(await add(["192.168.0.0/24", "192.168.1.0/24"], dry)).toBe("400 DryRunOperation");
    expect(await add(["192.168.0.0/24", "192.168.0.0/24"], dry)).toBe("400 RouterEntryConflict.Duplicated");
    expect(await add(["100.64.1.0/24"], dry)).toBe("400 InvalidCidrBlock");
    expect(await add(["192.168.0.0/24"])).toBe("success");
    const known = { "RouteEntries.1.RouteTableId": RouteTableId, "RouteEntries.1.DstCidrBlock": "192.168.0.0/24" };
    expect(await cloud.refusal("DeleteRouteEntries", { ...known, ...dry })).toBe("400 DryRunOperation");
    expect(
        await cloud.refusal("DeleteRouteEntries", { ...known, ...dry, "RouteEntries.2.RouteEntryId": "rte-none" }),
    ).toBe("400 InvalidRouteEntry.NotFound");
    const twice = { "RouteEntries.2.RouteTableId": RouteTableId, "RouteEntries.2.DstCidrBlock": "192.168.0.0/24" };
    expect(await cloud.call("DeleteRouteEntries", { ...known, ...twice })).toMatchObject({
        SuccessCount: 1,
        FailedCount: 1,
    });
});

test.each([
    [{ DestinationCidrBlock: "10.0.1.0/24" }, "400 InvalidCidrBlock"],
    [{ DestinationCidrBlock: "10.0.1.128/25" }, "400 InvalidCidrBlock"],
    [{ DestinationCidrBlock: "100.64.0.0/10" }, "400 InvalidCidrBlock"],
    [{ DestinationCidrBlock: "100.64.1.0/24" }, "success"],
    [{ DestinationCidrBlock: "192.168.0.1/24" }, "400 InvalidCidrBlock.Malformed"],
    [{ DestinationCidrBlock: "x" }, "400 InvalidCidrBlock.Malformed"],
    [{ NextHopType: "Moon" }, "400 InvalidNextHopType"],
    [{ NextHopId: "i-none" }, "404 InvalidInstanId.NotFound"],
    [{ NextHopType: "NatGateway", NextHopId: "ngw-none" }, "404 InvalidNatGatewayId.NotFound"],
    [{ NextHopType: "NetworkInterface", NextHopId: "eni-none" }, "404 InvalidNetworkInterface.NotFound"],
    [{ NextHopType: "VpnGateway", NextHopId: "vpn-none" }, "404 InvalidNextHopId.NotFound"],
    [{ RouteTableId: "vtb-none" }, "404 InvalidRouteTableId.NotFound"],
    [{ NextHopId: "" }, "400 MissingParameter"],
    [{ RouteEntryName: "http://x" }, "400 InvalidName.Malformed"],
    [{ DestinationCidrBlock: "10.0.0.0/16" }, "success"],
    [{ DestinationCidrBlock: "0.0.0.0/0" }, "success"],
    [{ DryRun: "true" }, "400 DryRunOperation"],
])("a route with %j answers %s", async (parameters, expected) => {
    const { id } = cloud.instance(VSwitchId);
    const given = { RouteTableId, DestinationCidrBlock: "192.168.0.0/24", NextHopType: "Instance", NextHopId: id };
    expect(await cloud.refusal("CreateRouteEntry", { ...given, ...parameters })).toBe(expected);
});

test("a route to another VPC is refused, a second one to the same destination too", async () => {
    const other = await cloud.vpc();
    const far = cloud.instance(await cloud.vswitch(other, "172.16.0.0/24"));
    const near = cloud.instance(VSwitchId);
    const given = { RouteTableId, DestinationCidrBlock: "192.168.0.0/24" };
    expect(await cloud.refusal("CreateRouteEntry", { ...given, NextHopId: far.id })).toBe(
        "404 OperationFailed.InstanceDismatchCurrentVpc",
    );
    await cloud.call("CreateRouteEntry", { ...given, NextHopId: near.id });
    expect(await cloud.refusal("CreateRouteEntry", { ...given, NextHopId: near.id })).toBe(
        "400 RouterEntryConflict.Duplicated",
    );
});

test("system routes stay", async () => {
    expect(await cloud.refusal("DeleteRouteEntry", { RouteTableId, DestinationCidrBlock: "10.0.1.0/24" })).toBe(
        "400 OperationDenied",
    );
});

test("a VSwitch can't take the destination of a route", async () => {
    const { id } = cloud.instance(VSwitchId);
    await cloud.call("CreateRouteEntry", { RouteTableId, DestinationCidrBlock: "10.0.2.0/24", NextHopId: id });
    expect(await cloud.refusal("CreateVSwitch", { VpcId, CidrBlock: "10.0.2.0/23", ZoneId: "cn-hangzhou-h" })).toBe(
        "400 InvalidCidrBlock.Overlapped",
    );
});

describe("a custom table", () => {
    let table: string;
    beforeEach(async () => {
        table = text(
            await cloud.call("CreateRouteTable", {
                VpcId,
                RouteTableName: "own",
                Description: "d",
                "Tag.1.Key": "k",
                "Tag.1.Value": "v",
            }),
            "RouteTableId",
        );
    });

    const view = async (filter: Record<string, string> = { RouteTableId: table }) =>
        list(await cloud.call("DescribeRouteTableList", filter), "RouterTableList.RouterTableListType");

    test("is shown and found by every filter", async () => {
        const system = RouteTableId;
        expect(await view()).toEqual([
            expect.objectContaining({
                RouteTableId: table,
                RouteTableName: "own",
                Description: "d",
                RouteTableType: "Custom",
                AssociateType: "VSwitch",
                RoutePropagationEnable: true,
                VpcId,
                RouterType: "VRouter",
                Status: "Available",
                VSwitchIds: { VSwitchId: [] },
                GatewayIds: { GatewayIds: [] },
                Tags: { Tag: [{ Key: "k", Value: "v" }] },
            }),
        ]);
        const ids = async (filter: Record<string, string>) =>
            (await view(filter)).map((found) => found["RouteTableId"]);
        expect(await ids({ VpcId })).toEqual([system, table]);
        expect(await ids({ VpcId: "vpc-none" })).toEqual([]);
        expect(await ids({ RouteTableType: "System" })).toEqual([system]);
        expect(await ids({ RouteTableName: "own" })).toEqual([table]);
        expect(await ids({ "Tag.1.Key": "k" })).toEqual([table]);
        expect(await ids({ RouterType: "VBR" })).toEqual([]);
        expect(await ids({ VpcId, PageSize: "1", PageNumber: "2" })).toEqual([table]);
        const routerId = text((await view())[0], "RouterId");
        expect(await ids({ RouterId: routerId })).toEqual([system, table]);
        expect(await cloud.call("DescribeVRouters", { VRouterId: routerId })).toMatchObject({
            TotalCount: 1,
            VRouters: { VRouter: [{ VpcId, RouteTableIds: { RouteTableId: [system, table] } }] },
        });
    });

    test("changes its attributes", async () => {
        await cloud.call("ModifyRouteTableAttributes", {
            RouteTableId: table,
            RouteTableName: "new",
            Description: "",
            RoutePropagationEnable: "false",
        });
        expect((await view())[0]).toMatchObject({
            RouteTableName: "new",
            Description: "",
            RoutePropagationEnable: false,
        });
    });

    test("routes the VSwitches that are associated with it", async () => {
        const associate = { RouteTableId: table, VSwitchId };
        await cloud.call("AssociateRouteTable", associate);
        expect(at((await view())[0], "VSwitchIds.VSwitchId")).toEqual([VSwitchId]);
        expect(await cloud.call("DescribeVSwitchAttributes", { VSwitchId })).toMatchObject({
            RouteTable: { RouteTableId: table, RouteTableType: "Custom" },
        });
        expect(await cloud.refusal("AssociateRouteTable", associate)).toBe("400 ResourceAlreadyAssociated.RouteTable");
        expect(await cloud.refusal("DeleteRouteTable", { RouteTableId: table })).toBe(
            "400 DependencyViolation.VSwitch",
        );
        expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("400 DependencyViolation.RouteTable");
        await cloud.call("UnassociateRouteTable", associate);
        expect(await cloud.refusal("UnassociateRouteTable", associate)).toMatch(/^400 /);
        expect(at((await view({ VpcId, RouteTableType: "System" }))[0], "VSwitchIds.VSwitchId")).toEqual([VSwitchId]);
        await cloud.call("DeleteRouteTable", { RouteTableId: table });
        expect(await cloud.refusal("DeleteRouteTable", { RouteTableId: table })).toBe(
            "404 InvalidRouteTableId.NotFound",
        );
    });

    test("stays while it has routes", async () => {
        const { id } = cloud.instance(VSwitchId);
        await cloud.call("CreateRouteEntry", {
            RouteTableId: table,
            DestinationCidrBlock: "0.0.0.0/0",
            NextHopId: id,
        });
        expect(await cloud.refusal("DeleteRouteTable", { RouteTableId: table })).toBe(
            "400 IncorrectRouteTableStatus.RouteEntryExist",
        );
        expect(await cloud.refusal("DeleteRouteTable", { RouteTableId })).toBe("400 IncorrectRouteTableType");
    });

    test("must be of the VSwitch's VPC and for VSwitches", async () => {
        const other = await cloud.vswitch(await cloud.vpc(), "172.16.0.0/24");
        expect(await cloud.refusal("AssociateRouteTable", { RouteTableId: table, VSwitchId: other })).toBe(
            "404 Forbidden.NotInSameVpc",
        );
        const gateways = text(
            await cloud.call("CreateRouteTable", { VpcId, AssociateType: "Gateway" }),
            "RouteTableId",
        );
        expect(await cloud.refusal("AssociateRouteTable", { RouteTableId: gateways, VSwitchId })).toBe(
            "400 OperationDenied.AssociateGatewayRouteTable",
        );
        expect(await cloud.refusal("AssociateRouteTable", { RouteTableId, VSwitchId })).toBe(
            "400 OperationDenied.SwitchToSystemRouteTable",
        );
    });
});

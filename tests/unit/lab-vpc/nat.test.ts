import { Cloud, Gateway, OTHER_ZONE, ZONE, at, list, text } from "./harness";

let cloud: Cloud;
let VpcId: string;
let VSwitchId: string;
beforeEach(async () => {
    cloud = new Cloud();
    VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
    VSwitchId = await cloud.vswitch(VpcId, "10.0.1.0/24");
});

describe("NAT gateway", () => {
    test("has the cloud's defaults, a private address and its own interface", async () => {
        const { id, view } = await cloud.natGateway(VpcId, VSwitchId);
        expect(view).toMatchObject({
            NatGatewayId: id,
            VpcId,
            Status: "Available",
            NatType: "Enhanced",
            NetworkType: "internet",
            InstanceChargeType: "PostPaid",
            InternetChargeType: "PayByLcu",
            DeletionProtection: false,
            IcmpReplyEnabled: true,
            PrivateLinkEnabled: false,
            EipBindMode: "MULTI_BINDED",
            Name: "",
            Description: "",
            NatGatewayPrivateInfo: { VswitchId: VSwitchId, IzNo: ZONE, PrivateIpAddress: "10.0.1.1" },
            IpLists: { IpList: [] },
        });
        const nic = cloud.state.networkInterfaces[text(view, "NatGatewayPrivateInfo.EniInstanceId")];
        expect(nic).toMatchObject({ serviceManaged: true, primaryIp: "10.0.1.1", vswitchId: VSwitchId });
    });

    test("the first one of a VPC becomes its default route, and takes it along", async () => {
        const first = await cloud.natGateway(VpcId, VSwitchId);
        const second = await cloud.natGateway(VpcId, VSwitchId);
        const custom = async () =>
            list(
                await cloud.call("DescribeRouteEntryList", {
                    RouteTableId: await cloud.systemTable(VpcId),
                    RouteEntryType: "Custom",
                }),
                "RouteEntrys.RouteEntry",
            ).map((route) => [route["DestinationCidrBlock"], at(route, "NextHops.NextHop.0.NextHopId")]);
        expect(await custom()).toEqual([["0.0.0.0/0", first.id]]);
        await cloud.call("DeleteNatGateway", { NatGatewayId: second.id });
        expect(await custom()).toHaveLength(1);
        await cloud.call("DeleteNatGateway", { NatGatewayId: first.id });
        expect(await custom()).toEqual([]);
        expect(cloud.state.networkInterfaces).toEqual({});
        expect(await cloud.refusal("DeleteNatGateway", { NatGatewayId: first.id })).toBe(
            "404 InvalidNatGatewayId.NotFound",
        );
    });

    test("stays in its VSwitch once it is an enhanced one", async () => {
        const { id } = await cloud.natGateway(VpcId, VSwitchId);
        const upgrade = { NatGatewayId: id, NatType: "Enhanced", VSwitchId };
        expect(await cloud.refusal("UpdateNatGatewayNatType", upgrade)).toBe("success");
        const other = await cloud.vswitch(VpcId, "10.0.2.0/24");
        const elsewhere = { ...upgrade, VSwitchId: other };
        expect(await cloud.refusal("UpdateNatGatewayNatType", elsewhere)).toBe("400 UnsupportedOperation");
    });

    test.each([
        [{ VSwitchId: "" }, "400 MissingParameter"],
        [{ VSwitchId: "vsw-none" }, "404 InvalidVSwitchId.NotFound"],
        [{ VpcId: "vpc-none" }, "404 InvalidVpcId.NotFound"],
        [{ NatType: "Normal" }, "400 OperationFailed.NormalInventoryNotEnough"],
        [{ Name: "1st" }, "400 InvalidNatGatewayName.MalFormed"],
        [{ Name: "a" }, "400 InvalidNatGatewayName.MalFormed"],
        [{ Description: "http://x" }, "400 InvalidNatGatewayDescription.MalFormed"],
        [{ Spec: "Huge" }, "400 InvalidParameter.Spec.ValueNotSupported"],
        [{ InstanceChargeType: "PrePaid", InternetChargeType: "PayByLcu" }, "400 OperationUnsupported.PrePaidPyByLcu"],
        [{ NetworkType: "intranet" }, "success"],
    ])("with %j answers %s", async (parameters, expected) =>
        expect(await cloud.refusal("CreateNatGateway", { VpcId, VSwitchId, ...parameters })).toBe(expected),
    );

    test("must be in a VSwitch of its VPC that has an address left", async () => {
        const other = await cloud.vswitch(await cloud.vpc(), "172.16.0.0/24");
        expect(await cloud.refusal("CreateNatGateway", { VpcId, VSwitchId: other })).toBe(
            "400 OperationFailed.VswNotBelongToVpc",
        );
        const small = await cloud.vswitch(VpcId, "10.0.2.0/29");
        for (let i = 1; i <= 4; i += 1) cloud.networkInterface(small, { primaryIp: `10.0.2.${i}` });
        expect(await cloud.refusal("CreateNatGateway", { VpcId, VSwitchId: small })).toBe("400 ZONE_NO_AVAILABLE_IP");
    });

    test("is listed by every filter", async () => {
        const far = await cloud.vswitch(VpcId, "10.0.2.0/24", { ZoneId: OTHER_ZONE });
        const a = (await cloud.natGateway(VpcId, VSwitchId, { Name: "first", "Tag.1.Key": "k", "Tag.1.Value": "v" }))
            .id;
        const b = (await cloud.natGateway(VpcId, far, { InternetChargeType: "PayBySpec", Spec: "Middle" })).id;
        const ids = async (filter: Record<string, string>) =>
            list(await cloud.call("DescribeNatGateways", filter), "NatGateways.NatGateway").map(
                (gateway) => gateway["NatGatewayId"],
            );
        expect(await ids({})).toEqual([a, b]);
        expect(await ids({ NatGatewayId: b })).toEqual([b]);
        expect(await ids({ NatGatewayId: "ngw-none" })).toEqual([]);
        expect(await ids({ VpcId })).toEqual([a, b]);
        expect(await ids({ VpcId: "vpc-none" })).toEqual([]);
        expect(await ids({ Name: "first" })).toEqual([a]);
        expect(await ids({ ZoneId: OTHER_ZONE })).toEqual([b]);
        expect(await ids({ Spec: "Middle" })).toEqual([b]);
        expect(await ids({ "Tag.1.Key": "k", "Tag.1.Value": "v" })).toEqual([a]);
        expect(await ids({ Status: "Creating" })).toEqual([]);
        expect(await ids({ NetworkType: "intranet" })).toEqual([]);
        expect(await ids({ PageSize: "1", PageNumber: "2" })).toEqual([b]);
        expect(await cloud.call("GetNatGatewayAttribute", { NatGatewayId: b })).toMatchObject({
            NatGatewayId: b,
            BillingConfig: { InternetChargeType: "PayBySpec", Spec: "Middle" },
            SnatTable: { SnatEntryCount: 0 },
        });
    });

    test("changes its attributes and its specification", async () => {
        const { id } = await cloud.natGateway(VpcId, VSwitchId, { InternetChargeType: "PayBySpec" });
        await cloud.call("ModifyNatGatewayAttribute", {
            NatGatewayId: id,
            Name: "new",
            Description: "text",
            IcmpReplyEnabled: "false",
            EipBindMode: "NAT",
        });
        await cloud.call("ModifyNatGatewaySpec", { NatGatewayId: id, Spec: "Large" });
        expect(
            at(await cloud.call("DescribeNatGateways", { NatGatewayId: id }), "NatGateways.NatGateway.0"),
        ).toMatchObject({
            Name: "new",
            Description: "text",
            IcmpReplyEnabled: false,
            EipBindMode: "NAT",
            Spec: "Large",
        });
    });

    test("stays while it is protected or has entries and addresses, unless forced", async () => {
        const gateway = await cloud.natGateway(VpcId, VSwitchId);
        const NatGatewayId = gateway.id;
        const eip = await bound(gateway);
        await snat(gateway, eip.address);
        await cloud.call("CreateForwardEntry", {
            ForwardTableId: gateway.forwardTableId,
            ExternalIp: eip.address,
            ExternalPort: "22",
            InternalIp: "10.0.1.9",
            InternalPort: "22",
            IpProtocol: "tcp",
        });
        await cloud.call("DeletionProtection", { InstanceId: NatGatewayId, Type: "NATGW", ProtectionEnable: "true" });
        expect(await cloud.refusal("DeleteNatGateway", { NatGatewayId, Force: "true" })).toBe(
            "400 InvalidOperation.DeletionProtection",
        );
        await cloud.call("DeletionProtection", { InstanceId: NatGatewayId, Type: "NATGW", ProtectionEnable: "false" });
        expect(await cloud.refusal("DeleteNatGateway", { NatGatewayId })).toBe("400 DependencyViolation.SnatEntry");
        expect(await cloud.refusal("DeleteVpc", { VpcId })).toBe("400 DependencyViolation.NatGateway");
        expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("400 DependencyViolation.SnatEntry");
        await cloud.call("DeleteNatGateway", { NatGatewayId, Force: "true" });
        expect(cloud.state.snatEntries).toEqual({});
        expect(cloud.state.forwardEntries).toEqual({});
        expect(cloud.state.eips[eip.id]!.binding).toBeUndefined();
    });

    test("stays when it is paid for in advance, as an EIP does", async () => {
        const { id } = await cloud.natGateway(VpcId, VSwitchId, { InstanceChargeType: "PrePaid" });
        expect(await cloud.refusal("DeleteNatGateway", { NatGatewayId: id })).toBe("400 Forbidden.PrePaidNatGateway");
        const eip = await cloud.eip({ InstanceChargeType: "PrePaid", Bandwidth: "1000" });
        expect(await cloud.refusal("ReleaseEipAddress", { AllocationId: eip.id })).toBe(
            "400 Forbidden.ChargeTypeIsPrepaid",
        );
    });

    test("stays while it has an address", async () => {
        const gateway = await cloud.natGateway(VpcId, VSwitchId);
        await bound(gateway);
        expect(await cloud.refusal("DeleteNatGateway", { NatGatewayId: gateway.id })).toBe(
            "400 DependencyViolation.EIPS",
        );
    });

    test("stays while a client's own route leads to it", async () => {
        const gateway = await cloud.natGateway(VpcId, VSwitchId);
        const RouteTableId = text(await cloud.call("CreateRouteTable", { VpcId }), "RouteTableId");
        await cloud.call("CreateRouteEntry", {
            RouteTableId,
            DestinationCidrBlock: "0.0.0.0/0",
            NextHopType: "NatGateway",
            NextHopId: gateway.id,
        });
        expect(await cloud.refusal("DeleteNatGateway", { NatGatewayId: gateway.id })).toBe(
            "400 DependencyViolation.RouterEntry",
        );
    });
});

async function bound(gateway: Gateway): Promise<{ id: string; address: string }> {
    const eip = await cloud.eip();
    await cloud.call("AssociateEipAddress", { AllocationId: eip.id, InstanceId: gateway.id, InstanceType: "Nat" });
    return eip;
}

function snat(gateway: Gateway, address: string, more: Record<string, string> = {}) {
    return cloud.call("CreateSnatEntry", {
        SnatTableId: gateway.snatTableId,
        SnatIp: address,
        SourceVSwitchId: VSwitchId,
        ...more,
    });
}

describe("SNAT entry", () => {
    let gateway: Gateway;
    let eip: { id: string; address: string };
    beforeEach(async () => {
        gateway = await cloud.natGateway(VpcId, VSwitchId);
        eip = await bound(gateway);
    });
    const entries = async (filter: Record<string, string> = {}) =>
        list(
            await cloud.call("DescribeSnatTableEntries", { SnatTableId: gateway.snatTableId, ...filter }),
            "SnatTableEntries.SnatTableEntry",
        );

    test("of a VSwitch", async () => {
        const created = await snat(gateway, eip.address, { SnatEntryName: "out" });
        const SnatEntryId = text(created, "SnatEntryId");
        expect(await entries({ SnatEntryId })).toEqual([
            {
                SnatEntryId,
                SnatEntryName: "out",
                SnatTableId: gateway.snatTableId,
                NatGatewayId: gateway.id,
                SnatIp: eip.address,
                SourceCIDR: "10.0.1.0/24",
                SourceVSwitchId: VSwitchId,
                EipAffinity: "0",
                NetworkInterfaceId: "",
                Status: "Available",
            },
        ]);
        expect(await entries({ SnatEntryId: "snat-none" })).toEqual([]);
        expect(await entries({ SnatIp: eip.address })).toHaveLength(1);
        expect(await entries({ SourceVSwitchId: "vsw-none" })).toEqual([]);
        const other = await bound(gateway);
        const change = { SnatTableId: gateway.snatTableId, SnatEntryId };
        await cloud.call("ModifySnatEntry", {
            ...change,
            SnatIp: `${eip.address},${other.address}`,
            SnatEntryName: "both",
            EipAffinity: "1",
        });
        expect((await entries())[0]).toMatchObject({
            SnatIp: `${eip.address},${other.address}`,
            SnatEntryName: "both",
            EipAffinity: "1",
        });
        await cloud.call("DeleteSnatEntry", change);
        expect(await cloud.refusal("DeleteSnatEntry", change)).toBe("404 InvalidSnatEntryId.NotFound");
    });

    test.each([
        [{ SnatIp: "127.77.0.200" }, "400 EIP_NOT_IN_GATEWAY"],
        [{ SnatIp: "x" }, "400 InvalidSnatIp.Malformed"],
        [{ SnatIp: "" }, "400 MissingParameter"],
        [{ SnatTableId: "stb-none" }, "404 InvalidSnatTableId.NotFound"],
        [{ SourceVSwitchId: "vsw-none" }, "404 InvalidVSwitchId.NotFound"],
        [{ SourceVSwitchId: "" }, "400 MissingParameter"],
        [{ SourceVSwitchId: "", SourceCIDR: "10.0.1.5/24" }, "400 INVALID_PARAMETER"],
        [{ SourceVSwitchId: "", SourceCIDR: "10.0.0.0/16" }, "success"],
        [{ SourceVSwitchId: "", SourceCIDR: "10.0.1.7" }, "success"],
        [{ SnatEntryName: "9" }, "400 InvalidParameter.Name.Malformed"],
        [{ DryRun: "true" }, "400 DryRunOperation"],
    ])("with %j answers %s", async (parameters, expected) => {
        const given = { SnatTableId: gateway.snatTableId, SnatIp: eip.address, SourceVSwitchId: VSwitchId };
        expect(await cloud.refusal("CreateSnatEntry", { ...given, ...parameters })).toBe(expected);
    });

    test("goes before a HaVip in its VSwitch, and stays then", async () => {
        const { SnatEntryId } = await snat(gateway, eip.address);
        await cloud.call("CreateHaVip", { VSwitchId });
        const other = await cloud.vswitch(VpcId, "10.0.2.0/24");
        await cloud.call("CreateHaVip", { VSwitchId: other });
        const given = { SnatTableId: gateway.snatTableId, SnatIp: eip.address };
        expect(await cloud.refusal("CreateSnatEntry", { ...given, SourceVSwitchId: other })).toBe(
            "400 Forbidden.SourceVSwitchId.IncludeHaVip",
        );
        expect(await cloud.refusal("CreateSnatEntry", { ...given, SourceCIDR: "10.0.2.9" })).toBe("success");
        const change = { ...given, SnatEntryId: String(SnatEntryId), SnatEntryName: "out" };
        expect(await cloud.refusal("ModifySnatEntry", change)).toBe("success");
    });

    test("is one for a source", async () => {
        await snat(gateway, eip.address);
        await expect(snat(gateway, eip.address)).rejects.toThrow(/duplicated/);
    });

    test("keeps its address", async () => {
        await snat(gateway, eip.address);
        const unbind = { AllocationId: eip.id, InstanceId: gateway.id, InstanceType: "Nat" };
        expect(await cloud.refusal("UnassociateEipAddress", unbind)).toBe("400 InvalidIpStatus.HasBeenUsedBySnatTable");
        expect(at((await cloud.call("DescribeNatGateways", {}))["NatGateways"], "NatGateway.0.IpLists")).toEqual({
            IpList: [
                {
                    AllocationId: eip.id,
                    IpAddress: eip.address,
                    PrivateIpAddress: "",
                    SnatEntryEnabled: true,
                    UsingStatus: "UsedBySnatTable",
                },
            ],
        });
        await cloud.call("UnassociateEipAddress", { ...unbind, Force: "true" });
        expect(cloud.state.snatEntries).toEqual({});
    });
});

describe("forward entry", () => {
    let gateway: Gateway;
    let given: Record<string, string>;
    beforeEach(async () => {
        gateway = await cloud.natGateway(VpcId, VSwitchId);
        given = {
            ForwardTableId: gateway.forwardTableId,
            ExternalIp: (await bound(gateway)).address,
            ExternalPort: "80",
            InternalIp: "10.0.1.9",
            InternalPort: "8080",
            IpProtocol: "tcp",
        };
    });

    test("is made, shown, changed and removed", async () => {
        const created = await cloud.call("CreateForwardEntry", { ...given, ForwardEntryName: "web" });
        const ForwardEntryId = text(created, "ForwardEntryId");
        const entries = async (filter: Record<string, string>) =>
            list(
                await cloud.call("DescribeForwardTableEntries", { ForwardTableId: gateway.forwardTableId, ...filter }),
                "ForwardTableEntries.ForwardTableEntry",
            );
        expect(await entries({ ForwardEntryId })).toEqual([
            {
                ...given,
                ForwardEntryId,
                ForwardEntryName: "web",
                NatGatewayId: gateway.id,
                Status: "Available",
            },
        ]);
        expect(await entries({ ExternalPort: "81" })).toEqual([]);
        const change = { ForwardTableId: gateway.forwardTableId, ForwardEntryId };
        await cloud.call("ModifyForwardEntry", { ...change, InternalPort: "8081", IpProtocol: "UDP" });
        expect((await entries({}))[0]).toMatchObject({ InternalPort: "8081", IpProtocol: "udp", ExternalPort: "80" });
        await cloud.call("DeleteForwardEntry", change);
        expect(await cloud.refusal("DeleteForwardEntry", change)).toBe("404 InvalidForwardEntryId.NotFound");
    });

    test.each([
        [{ ExternalPort: "0" }, "400 InvalidExternalPort.Malformed"],
        [{ InternalPort: "65536" }, "400 InvalidInternalPort.Malformed"],
        [{ ExternalPort: "80/90", InternalPort: "8080" }, "400 InvalidInternalPort.Malformed"],
        [{ ExternalPort: "80/90", InternalPort: "180/190" }, "success"],
        [{ IpProtocol: "icmp" }, "400 InvalidProtocal.ValueNotSupported"],
        [{ IpProtocol: "any" }, "400 InvalidProtocal.ValueNotSupported"],
        [{ IpProtocol: "Any", ExternalPort: "Any", InternalPort: "Any" }, "success"],
        [{ InternalIp: "192.168.0.1" }, "400 Forbidden.DestnationIpOutOfVpcCIDR"],
        [{ InternalIp: "x" }, "400 InvalidInternalIp.Malformed"],
        [{ ExternalIp: "127.77.0.200" }, "400 InvalidIp.NotInNatgw"],
        [{ ForwardTableId: "ftb-none" }, "404 InvalidForwardTableId.NotFound"],
        [{ ForwardEntryName: "x" }, "400 InvalidParameter.Name.Malformed"],
    ])("with %j answers %s", async (parameters, expected) =>
        expect(await cloud.refusal("CreateForwardEntry", { ...given, ...parameters })).toBe(expected),
    );

    test("leads where no other one does", async () => {
        await cloud.call("CreateForwardEntry", given);
        const more = async (parameters: Readonly<Record<string, string>>) =>
            cloud.refusal("CreateForwardEntry", { ...given, ExternalPort: "81", ...parameters });
        const { address } = await bound(gateway);
        const refused = "400 OperationUnsupported.ForwardEntry";
        expect(await more({})).toBe(refused);
        expect(await more({ ExternalIp: address })).toBe(refused);
        expect(await more({ IpProtocol: "udp" })).toBe("success");
        const other = { InternalIp: "10.0.1.77" };
        const created = await cloud.call("CreateForwardEntry", { ...given, ...other, ExternalPort: "82" });
        const change = { ForwardTableId: gateway.forwardTableId, ForwardEntryId: text(created, "ForwardEntryId") };
        expect(await cloud.refusal("ModifyForwardEntry", { ...change, ...other, ExternalPort: "83" })).toBe("success");
        expect(await cloud.refusal("ModifyForwardEntry", { ...change, InternalIp: "10.0.1.9" })).toBe(refused);
        const any = { ExternalPort: "any", InternalPort: "Any", IpProtocol: "any", ...other };
        const whole = await bound(gateway);
        expect(await more({ ...any, ExternalIp: whole.address })).toBe("success");
        expect(await more({ ...any, InternalPort: "any", ExternalIp: address })).toBe(refused);
    });

    test("shares no port, and a whole address not with SNAT", async () => {
        await cloud.call("CreateForwardEntry", { ...given, ExternalPort: "80/90", InternalPort: "80/90" });
        expect(await cloud.refusal("CreateForwardEntry", given)).toBe("400 Forbidden.ExternalPort.Duplicated");
        expect(await cloud.refusal("CreateForwardEntry", { ...given, IpProtocol: "udp" })).toBe("success");
        const whole = await bound(gateway);
        await snat(gateway, whole.address);
        const any = {
            ...given,
            ExternalIp: whole.address,
            ExternalPort: "any",
            InternalPort: "any",
            IpProtocol: "any",
        };
        expect(await cloud.refusal("CreateForwardEntry", any)).toBe("400 Forbidden.ExternalIp.UsedInSnatTable");
        expect(await cloud.refusal("CreateForwardEntry", { ...any, PortBreak: "true" })).toBe("success");
    });
});

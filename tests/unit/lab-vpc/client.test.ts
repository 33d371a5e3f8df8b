/** The VPC product through a real server, with the vendor's own clients of both generations. */
import { $OpenApiUtil } from "@alicloud/openapi-core";
import RPCClient from "@alicloud/pop-core";
import VpcClient, * as vpc from "@alicloud/vpc20160428";
import { actions } from "../../../lab/api/vpc";
import { ACCESS_KEY_ID, ACCESS_KEY_SECRET, ServedHarness, servedHarness } from "../lab-api/harness";

const regionId = "cn-hangzhou";
const zoneId = "cn-hangzhou-h";

let lab: ServedHarness;
beforeAll(async () => {
    lab = await servedHarness(actions);
});
afterAll(() => lab.close());

test("the current SDK builds a network with a way out and takes it down again", async () => {
    const client = new VpcClient(
        new $OpenApiUtil.Config({
            accessKeyId: ACCESS_KEY_ID,
            accessKeySecret: ACCESS_KEY_SECRET,
            endpoint: lab.endpoint,
            protocol: "HTTP",
        }),
    );
    const created = await client.createVpc(
        new vpc.CreateVpcRequest({
            regionId,
            cidrBlock: "10.0.0.0/16",
            vpcName: "sdk",
            tag: [new vpc.CreateVpcRequestTag({ key: "env", value: "test" })],
        }),
    );
    const { vpcId } = created.body!;
    const vSwitchId = (
        await client.createVSwitch(new vpc.CreateVSwitchRequest({ regionId, vpcId, zoneId, cidrBlock: "10.0.1.0/24" }))
    ).body!.vSwitchId;
    const gateway = (
        await client.createNatGateway(
            new vpc.CreateNatGatewayRequest({ regionId, vpcId, vSwitchId, natType: "Enhanced" }),
        )
    ).body!;
    const eip = (await client.allocateEipAddress(new vpc.AllocateEipAddressRequest({ regionId }))).body!;
    const bind = { regionId, allocationId: eip.allocationId, instanceId: gateway.natGatewayId, instanceType: "Nat" };
    await client.associateEipAddress(new vpc.AssociateEipAddressRequest(bind));
    const addresses = await client.describeEipAddresses(new vpc.DescribeEipAddressesRequest({ regionId }));
    expect(addresses.body!.eipAddresses!.eipAddress![0]).toMatchObject({ status: "InUse", mode: "MULTI_BINDED" });
    const snatTableId = gateway.snatTableIds!.snatTableId![0]!;
    const { snatEntryId } = (
        await client.createSnatEntry(
            new vpc.CreateSnatEntryRequest({
                regionId,
                snatTableId,
                snatIp: eip.eipAddress,
                sourceVSwitchId: vSwitchId,
            }),
        )
    ).body!;

    const found = await client.describeVpcs(
        new vpc.DescribeVpcsRequest({
            regionId,
            tag: [new vpc.DescribeVpcsRequestTag({ key: "env", value: "test" })],
        }),
    );
    expect(found.body!.totalCount).toBe(1);
    expect(found.body!.vpcs!.vpc![0]).toMatchObject({ vpcId, vpcName: "sdk", natGatewayIds: {} });
    const shown = await client.describeNatGateways(
        new vpc.DescribeNatGatewaysRequest({ regionId, natGatewayId: gateway.natGatewayId }),
    );
    expect(shown.body!.natGateways!.natGateway![0]!.ipLists!.ipList![0]!.ipAddress).toBe(eip.eipAddress);
    await expect(client.deleteVpc(new vpc.DeleteVpcRequest({ regionId, vpcId }))).rejects.toMatchObject({
        code: "DependencyViolation.NatGateway",
        statusCode: 400,
    });

    await client.deleteSnatEntry(new vpc.DeleteSnatEntryRequest({ regionId, snatTableId, snatEntryId }));
    await client.unassociateEipAddress(new vpc.UnassociateEipAddressRequest(bind));
    await client.releaseEipAddress(new vpc.ReleaseEipAddressRequest({ regionId, allocationId: eip.allocationId }));
    await client.deleteNatGateway(new vpc.DeleteNatGatewayRequest({ regionId, natGatewayId: gateway.natGatewayId }));
    await client.deleteVSwitch(new vpc.DeleteVSwitchRequest({ regionId, vSwitchId }));
    await client.deleteVpc(new vpc.DeleteVpcRequest({ regionId, vpcId }));
    await expect(
        client.describeVpcAttribute(new vpc.DescribeVpcAttributeRequest({ regionId, vpcId })),
    ).rejects.toMatchObject({ code: "InvalidVpcId.NotFound", statusCode: 404 });
    expect(lab.store.state).toMatchObject({ vpcs: {}, vswitches: {}, natGateways: {}, eips: {}, routeTables: {} });
});

test("the older SDK, a client token and a dry run", async () => {
    const client = new RPCClient({
        accessKeyId: ACCESS_KEY_ID,
        accessKeySecret: ACCESS_KEY_SECRET,
        endpoint: `http://${lab.endpoint}`,
        apiVersion: "2016-04-28",
    });
    const call = (action: string, parameters: Record<string, string | number | boolean>) =>
        client.request<Record<string, string>>(action, { RegionId: regionId, ...parameters }, { method: "POST" });
    const first = await call("CreateVpc", { ClientToken: "once", VpcName: "a" });
    const second = await call("CreateVpc", { ClientToken: "once", VpcName: "a" });
    expect(second["VpcId"]).toBe(first["VpcId"]);
    await expect(call("CreateVpc", { ClientToken: "once", VpcName: "b" })).rejects.toMatchObject({
        code: "IdempotentParameterMismatch",
    });
    await expect(call("DeleteVpc", { VpcId: first["VpcId"]!, DryRun: true })).rejects.toMatchObject({
        code: "DryRunOperation",
    });
    await call("DeleteVpc", { VpcId: first["VpcId"]! });
    await expect(call("DeleteVpc", { VpcId: first["VpcId"]! })).rejects.toMatchObject({
        code: "InvalidVpcId.NotFound",
    });
    await expect(call("DescribeVpcs", { RegionId: "moon-1" })).rejects.toMatchObject({
        code: "InvalidRegionId.NotFound",
    });
});

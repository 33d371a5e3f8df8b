/** The ECS product through a real server, with the vendor's own clients of both generations. */
import EcsClient, * as ecs from "@alicloud/ecs20140526";
import { $OpenApiUtil } from "@alicloud/openapi-core";
import RPCClient from "@alicloud/pop-core";
import { actions } from "../../../lab/api/ecs";
import { applyMachineEvent } from "../../../lab/api/ecs/events";
import { actions as vpc } from "../../../lab/api/vpc";
import { ACCESS_KEY_ID, ACCESS_KEY_SECRET, ServedHarness, servedHarness } from "../lab-api/harness";

const regionId = "cn-hangzhou";
const zoneId = "cn-hangzhou-h";

let lab: ServedHarness;
let client: EcsClient;
beforeAll(async () => {
    lab = await servedHarness([...actions, ...vpc]);
    client = new EcsClient(
        new $OpenApiUtil.Config({
            accessKeyId: ACCESS_KEY_ID,
            accessKeySecret: ACCESS_KEY_SECRET,
            endpoint: lab.endpoint,
            protocol: "HTTP",
        }),
    );
});
afterAll(() => lab.close());

const older = (version: string) => {
    const rpc = new RPCClient({
        accessKeyId: ACCESS_KEY_ID,
        accessKeySecret: ACCESS_KEY_SECRET,
        endpoint: `http://${lab.endpoint}`,
        apiVersion: version,
    });
    return (action: string, parameters: Record<string, string | number | boolean>) =>
        rpc.request<Record<string, string>>(action, { RegionId: regionId, ...parameters }, { method: "POST" });
};

async function network() {
    const call = older("2016-04-28");
    const vpcId = (await call("CreateVpc", { CidrBlock: "10.0.0.0/16" }))["VpcId"]!;
    const vSwitchId = (await call("CreateVSwitch", { VpcId: vpcId, ZoneId: zoneId, CidrBlock: "10.0.1.0/24" }))[
        "VSwitchId"
    ]!;
    return { vpcId, vSwitchId };
}

test("the current SDK launches, finds, changes and removes an instance", async () => {
    const { vpcId, vSwitchId } = await network();
    const { securityGroupId } = (
        await client.createSecurityGroup(
            new ecs.CreateSecurityGroupRequest({ regionId, vpcId, securityGroupName: "sdk" }),
        )
    ).body!;
    await client.authorizeSecurityGroup(
        new ecs.AuthorizeSecurityGroupRequest({
            regionId,
            securityGroupId,
            permissions: [
                new ecs.AuthorizeSecurityGroupRequestPermissions({
                    ipProtocol: "TCP",
                    portRange: "22/22",
                    sourceCidrIp: "0.0.0.0/0",
                }),
            ],
        }),
    );
    const images = await client.describeImages(
        new ecs.DescribeImagesRequest({
            regionId,
            imageOwnerAlias: "system",
            imageName: "debian_12*",
            OSType: "linux",
        }),
    );
    const imageId = images.body!.images!.image![0]!.imageId!;
    const launched = await client.runInstances(
        new ecs.RunInstancesRequest({
            regionId,
            imageId,
            instanceType: "ecs.g7.large",
            vSwitchId,
            securityGroupId,
            amount: 2,
            instanceName: "sdk-[1,3]",
            userData: Buffer.from("#!/bin/sh\n").toString("base64"),
            systemDisk: new ecs.RunInstancesRequestSystemDisk({ category: "cloud_essd", size: "40" }),
            dataDisk: [new ecs.RunInstancesRequestDataDisk({ category: "cloud_essd", size: 20 })],
            tag: [new ecs.RunInstancesRequestTag({ key: "env", value: "test" })],
        }),
    );
    const ids = launched.body!.instanceIdSets!.instanceIdSet!;
    for (const hostId of ids) applyMachineEvent(lab.store, { kind: "running", hostId });
    const found = await client.describeInstances(
        new ecs.DescribeInstancesRequest({
            regionId,
            tag: [new ecs.DescribeInstancesRequestTag({ key: "env", value: "test" })],
            status: "Running",
        }),
    );
    expect(found.body!.totalCount).toBe(2);
    expect(found.body!.instances!.instance!.map(({ instanceName }) => instanceName).sort()).toEqual([
        "sdk-001",
        "sdk-002",
    ]);
    const rules = await client.describeSecurityGroupAttribute(
        new ecs.DescribeSecurityGroupAttributeRequest({ regionId, securityGroupId }),
    );
    const { securityGroupRuleId } = rules.body!.permissions!.permission![0]!;
    await client.revokeSecurityGroup(
        new ecs.RevokeSecurityGroupRequest({
            regionId,
            securityGroupId,
            securityGroupRuleId: [securityGroupRuleId!],
        }),
    );
    await client.modifyInstanceAttribute(
        new ecs.ModifyInstanceAttributeRequest({ instanceId: ids[0]!, instanceName: "renamed" }),
    );
    await expect(
        client.deleteSecurityGroup(new ecs.DeleteSecurityGroupRequest({ regionId, securityGroupId })),
    ).rejects.toMatchObject({ code: "DependencyViolation", statusCode: 403 });
    await client.deleteInstances(new ecs.DeleteInstancesRequest({ regionId, instanceId: ids, force: true }));
    await client.deleteSecurityGroup(new ecs.DeleteSecurityGroupRequest({ regionId, securityGroupId }));
    await expect(client.startInstance(new ecs.StartInstanceRequest({ instanceId: ids[0]! }))).rejects.toMatchObject({
        code: "InvalidInstanceId.NotFound",
        statusCode: 404,
    });
    expect(lab.store.state).toMatchObject({ instances: {}, disks: {}, networkInterfaces: {}, securityGroups: {} });
});

test("the older SDK: a client token launches once, a dry run not at all", async () => {
    const { vpcId, vSwitchId } = await network();
    const call = older("2014-05-26");
    const group = await call("CreateSecurityGroup", { VpcId: vpcId });
    const launch = {
        ImageId: "debian_12_12_x64_20G_alibase_20251030.vhd",
        InstanceType: "ecs.t6-c1m1.large",
        VSwitchId: vSwitchId,
        SecurityGroupId: group["SecurityGroupId"]!,
    };
    await expect(call("RunInstances", { ...launch, DryRun: true })).rejects.toMatchObject({ code: "DryRunOperation" });
    expect(lab.store.state.instances).toEqual({});
    const first = await call("RunInstances", { ...launch, ClientToken: "launch" });
    const second = await call("RunInstances", { ...launch, ClientToken: "launch" });
    expect(second["InstanceIdSets"]).toEqual(first["InstanceIdSets"]);
    expect(Object.keys(lab.store.state.instances)).toHaveLength(1);
    await expect(call("RunInstances", { ...launch, Amount: 2, ClientToken: "launch" })).rejects.toMatchObject({
        code: "IdempotentParameterMismatch",
    });
});

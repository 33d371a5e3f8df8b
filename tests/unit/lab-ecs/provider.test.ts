/**
 * What the official Terraform provider reads of each answer: a field that is missing or of another type makes it
 * crash, or see a change in every run.
 */
import { unreadable } from "../lab-api/providerFields";
import fields from "./provider-fields.json";
import { Cloud, IMAGE, OTHER_ZONE, TYPE, ZONE, text } from "./harness";

async function populated(): Promise<{ cloud: Cloud; calls: Readonly<Record<string, Record<string, string>>> }> {
    const cloud = new Cloud();
    const site = await cloud.site();
    const tag = { "Tag.1.Key": "k", "Tag.1.Value": "v" };
    await cloud.call("AuthorizeSecurityGroup", {
        SecurityGroupId: site.groupId,
        "Permissions.1.IpProtocol": "tcp",
        "Permissions.1.PortRange": "22/22",
        "Permissions.1.SourceCidrIp": "0.0.0.0/0",
    });
    await cloud.call("ImportKeyPair", {
        KeyPairName: "known",
        PublicKeyBody: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqoUAnzi8jUXWqgVBqbE0wBDOZ1DxSmcQyfUsNGkuX9",
    });
    const instanceId = await cloud.instance(site, {
        ...tag,
        KeyPairName: "known",
        RamRoleName: "role",
        UserData: "aGk=",
        InternetMaxBandwidthOut: "5",
        "DataDisk.1.Size": "20",
    });
    const prepaid = await cloud.instance(site, { InstanceChargeType: "PrePaid", Period: "1" });
    const InstanceIds = JSON.stringify([instanceId]);
    await cloud.call("ModifyInstanceMaintenanceAttributes", {
        "InstanceId.1": instanceId,
        "MaintenanceWindow.1.StartTime": "02:00:00",
        "MaintenanceWindow.1.EndTime": "03:00:00",
    });
    const disk = text(await cloud.call("CreateDisk", { ZoneId: ZONE, Size: "20", ...tag }), "DiskId");
    await cloud.call("CreateDeploymentSet");
    const policy = { timePoints: '["1"]', repeatWeekdays: '["1"]', retentionDays: "3" };
    await cloud.call("CreateAutoSnapshotPolicy", policy);
    const stopped = await cloud.instance(site);
    await cloud.call("StopInstance", { InstanceId: stopped });
    return {
        cloud,
        calls: {
            CreateSecurityGroup: { VpcId: site.vpcId },
            DescribeSecurityGroups: { SecurityGroupId: site.groupId },
            DescribeSecurityGroupAttribute: {
                SecurityGroupId: site.groupId,
                Direction: "ingress",
                NicType: "intranet",
            },
            CreateKeyPair: { KeyPairName: "made" },
            ImportKeyPair: {
                KeyPairName: "brought",
                PublicKeyBody: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqoUAnzi8jUXWqgVBqbE0wBDOZ1DxSmcQyfUsNGkuX9",
            },
            DescribeKeyPairs: { KeyPairName: "known" },
            DescribeInstances: { InstanceIds },
            RunInstances: { ...cloud.launch(site) },
            DescribeInstanceTypes: {},
            DescribeUserData: { InstanceId: instanceId },
            DescribeInstanceRamRole: { InstanceIds },
            DescribeInstanceAutoRenewAttribute: { InstanceId: prepaid },
            DescribeDisks: { DiskIds: JSON.stringify([disk]) },
            DescribeNetworkInterfaces: {
                "NetworkInterfaceId.1": cloud.model(instanceId).primaryNetworkInterfaceId,
            },
            DescribeInstanceMaintenanceAttributes: { "InstanceId.1": instanceId },
            DescribeInstanceAttribute: { InstanceId: instanceId },
            DescribeInstanceAttachmentAttributes: { InstanceIds },
            ReplaceSystemDisk: { InstanceId: stopped, ImageId: IMAGE },
            DescribeAvailableResource: { DestinationResource: "InstanceType", IoOptimized: "optimized" },
            CreateDisk: { ZoneId: OTHER_ZONE, Size: "40" },
            CreateDeploymentSet: {},
            DescribeDeploymentSets: {},
            CreateAutoSnapshotPolicy: policy,
            DescribeAutoSnapshotPolicyEx: {},
            DescribeZones: { InstanceChargeType: "PostPaid" },
            DescribeImages: { PageSize: "100", PageNumber: "1" },
            DescribeTags: { ResourceType: "instance", ResourceId: instanceId },
            DescribeImageSupportInstanceTypes: { ImageId: IMAGE },
            DescribeRegions: {},
        },
    };
}

test.each(Object.entries(fields))("%s answers what the provider reads", async (action, expected) => {
    const { cloud, calls } = await populated();
    const parameters = calls[action];
    if (!parameters) throw new Error(`There is no call of ${action}.`);
    expect(unreadable(await cloud.call(action, parameters), expected)).toEqual({});
});

test("containers are there even when they are empty", async () => {
    const cloud = new Cloud();
    const id = { InstanceIds: '["i-0"]', "InstanceId.1": "i-0" };
    expect(await cloud.call("DescribeInstances")).toMatchObject({ Instances: { Instance: [] }, TotalCount: 0 });
    expect(await cloud.call("DescribeDisks")).toMatchObject({ Disks: { Disk: [] } });
    expect(await cloud.call("DescribeSecurityGroups")).toMatchObject({ SecurityGroups: { SecurityGroup: [] } });
    expect(await cloud.call("DescribeKeyPairs")).toMatchObject({ KeyPairs: { KeyPair: [] } });
    expect(await cloud.call("DescribeDeploymentSets")).toMatchObject({ DeploymentSets: { DeploymentSet: [] } });
    expect(await cloud.call("DescribeNetworkInterfaces")).toMatchObject({
        NetworkInterfaceSets: { NetworkInterfaceSet: [] },
    });
    expect(await cloud.call("DescribeInstanceMaintenanceAttributes", id)).toMatchObject({
        MaintenanceAttributes: { MaintenanceAttribute: [] },
    });
    expect(await cloud.call("DescribeInstanceAttachmentAttributes", id)).toMatchObject({ Instances: { Instance: [] } });
    expect(await cloud.call("DescribeTags")).toMatchObject({ Tags: { Tag: [] } });
    const failed = { EventType: "SystemFailure.Delete", ResourceType: "instance", "ResourceId.0": "i-0" };
    expect(await cloud.call("DescribeInstanceHistoryEvents", { ...failed, PageSize: "100" })).toMatchObject({
        InstanceSystemEventSet: { InstanceSystemEventType: [] },
        PageNumber: 1,
        PageSize: 100,
        TotalCount: 0,
    });
});

test("a detached disk has an empty instance, and no encryption is an empty object", async () => {
    const { cloud } = await populated();
    expect(await cloud.call("DescribeDisks", { Status: "Available" })).toMatchObject({
        Disks: { Disk: [{ InstanceId: "", Device: "", Status: "Available" }] },
    });
    expect(await cloud.call("DescribeAutoSnapshotPolicyEx")).toMatchObject({
        AutoSnapshotPolicies: { AutoSnapshotPolicy: [{ CopyEncryptionConfiguration: {} }] },
    });
});

test("ids hold nothing that clients split on", async () => {
    const { cloud } = await populated();
    const { state } = cloud;
    const ids = [
        state.securityGroups,
        state.keyPairs,
        state.instances,
        state.disks,
        state.networkInterfaces,
        state.deploymentSets,
        state.snapshotPolicies,
    ].flatMap((resources) => Object.keys(resources));
    expect(ids.length).toBeGreaterThan(10);
    expect(ids.filter((id) => !/^[a-z]+-[a-z0-9]{20}$/.test(id))).toEqual([]);
});

test("filters find what they name, and nothing else", async () => {
    const { cloud } = await populated();
    const [first, second] = Object.values(cloud.state.instances);
    const system = { InstanceId: second!.id, DiskType: "system" };
    const disks = (await cloud.call("DescribeDisks", system))["Disks"];
    expect(disks).toMatchObject({ Disk: [{ Type: "system", InstanceId: second!.id, Device: "/dev/xvda" }] });
    const found = await cloud.call("DescribeInstances", { InstanceIds: JSON.stringify([first!.id]) });
    expect(found).toMatchObject({ TotalCount: 1, Instances: { Instance: [{ InstanceId: first!.id }] } });
    expect(await cloud.call("DescribeInstances", { InstanceIds: '["i-none"]' })).toMatchObject({ TotalCount: 0 });
    expect(await cloud.call("DescribeInstances", { InstanceType: TYPE })).toMatchObject({ TotalCount: 3 });
});

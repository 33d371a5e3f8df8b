import { hostViews } from "../../../lab/view";
import { CloudError } from "../../../lab/api/errors";
import { applyMachineEvent } from "../../../lab/api/ecs/events";
import { releaseDueInstances } from "../../../lab/api/ecs/power";
import { expandNames } from "../../../lab/api/ecs/names";
import { Cloud, OTHER_ZONE, Parameters, Site, TYPE, ZONE, at, list, text } from "./harness";

let cloud: Cloud;
let site: Site;
beforeEach(async () => {
    onProcessor("x64");
    cloud = new Cloud();
    site = await cloud.site();
});

afterAll(() => onProcessor(processor));

const processor = process.arch;
function onProcessor(arch: string): void {
    Object.defineProperty(process, "arch", { value: arch, configurable: true });
}

test.each<[string, number, boolean, string[]]>([
    ["web", 1, true, ["web"]],
    ["web", 2, false, ["web", "web"]],
    ["web", 2, true, ["web001", "web002"]],
    ["web[1,4]-a", 2, false, ["web0001-a", "web0002-a"]],
    ["web[9,2]", 2, true, ["web09", "web10"]],
    ["web[9,2]-a", 2, true, ["web09-a001", "web10-a002"]],
    ["web[,]", 2, false, ["web000000", "web000001"]],
    ["web[99,1]", 2, false, ["web99", "web100"]],
])("%s for %d instances", (name, amount, unique, expected) => {
    expect(expandNames(name, amount, unique)).toEqual(expected);
});

test("an instance has the cloud's defaults", async () => {
    cloud.machine = false;
    const id = await cloud.instance(site);
    expect(await cloud.show(id)).toMatchObject({
        InstanceId: id,
        InstanceName: id,
        HostName: `iZ${id.slice(2)}Z`,
        Status: "Pending",
        Cpu: 2,
        Memory: 4096,
        ZoneId: ZONE,
        InstanceNetworkType: "vpc",
        InstanceChargeType: "PostPaid",
        InternetChargeType: "PayByTraffic",
        InternetMaxBandwidthOut: 0,
        PublicIpAddress: { IpAddress: [] },
        CreationTime: "2026-01-31T12:00Z",
        ExpiredTime: "2099-12-31T15:59Z",
        AutoReleaseTime: "",
        DeletionProtection: false,
        SpotStrategy: "NoSpot",
        StoppedMode: "Not-applicable",
        SecurityGroupIds: { SecurityGroupId: [site.groupId] },
        VpcAttributes: {
            VpcId: site.vpcId,
            VSwitchId: site.vswitchId,
            PrivateIpAddress: { IpAddress: ["10.0.1.1"] },
        },
        NetworkInterfaces: { NetworkInterface: [{ Type: "Primary", PrimaryIpAddress: "10.0.1.1" }] },
        OSType: "linux",
    });
    const disks = await cloud.call("DescribeDisks", { InstanceId: id });
    expect(disks).toMatchObject({
        Disks: { Disk: [{ Type: "system", Category: "cloud_efficiency", Size: 40, PerformanceLevel: "" }] },
    });
});

test("a type that takes only the newer disks gets the cheapest of them", async () => {
    const id = await cloud.instance(site, { InstanceType: "ecs.g7.large" });
    expect(await cloud.call("DescribeDisks", { InstanceId: id })).toMatchObject({
        Disks: { Disk: [{ Category: "cloud_essd", PerformanceLevel: "PL0" }] },
    });
});

test("another distribution's image is what the API says, and what the status calls a stand-in", async () => {
    const images = ["ubuntu_24_04_x64_20G_alibase_20251030.vhd", "centos_7_06_64_40G_alibase_20190711.vhd"];
    for (const ImageId of images)
        expect(
            await cloud.show(await cloud.instance(site, { ImageId, InstanceName: ImageId.slice(0, 6) })),
        ).toMatchObject({
            ImageId,
            OSType: "linux",
        });
    const own = await cloud.instance(site, { InstanceName: "own" });
    const views = hostViews(cloud.state, false);
    expect(views.map(({ name, image, standIn }) => [name, image, standIn])).toEqual([
        ["centos", images[1], true],
        ["own", (await cloud.show(own))["ImageId"], false],
        ["ubuntu", images[0], true],
    ]);
});

test("several instances get names and addresses in a row", async () => {
    const ids = await cloud.run(site, {
        Amount: "3",
        InstanceName: "node-[1,2]",
        HostName: "host-${instance_id}",
        PrivateIpAddress: "10.0.1.20",
        "DataDisk.1.Size": "20",
        "DataDisk.2.Size": "30",
        "DataDisk.2.Category": "cloud_ssd",
    });
    const shown = await Promise.all(ids.map((id) => cloud.show(id)));
    expect(shown.map((each) => each["InstanceName"])).toEqual(["node-01", "node-02", "node-03"]);
    expect(shown.map((each) => each["HostName"])).toEqual(ids.map((id) => `host-${id}`));
    expect(shown.map((each) => at(each, "VpcAttributes.PrivateIpAddress.IpAddress.0"))).toEqual([
        "10.0.1.20",
        "10.0.1.21",
        "10.0.1.22",
    ]);
    const disks = list(await cloud.call("DescribeDisks", { InstanceId: ids[0]!, DiskType: "data" }), "Disks.Disk");
    expect(disks.map((disk) => [disk["Device"], disk["Category"]]).sort()).toEqual([
        ["/dev/xvdb", "cloud_efficiency"],
        ["/dev/xvdc", "cloud_ssd"],
    ]);
});

test("a public address comes with the bandwidth and goes with the instance", async () => {
    const id = await cloud.instance(site, { InternetMaxBandwidthOut: "20" });
    const shown = await cloud.show(id);
    const address = text(shown, "PublicIpAddress.IpAddress.0");
    expect(shown).toMatchObject({
        InternetMaxBandwidthOut: 20,
        InternetMaxBandwidthIn: 20,
        EipAddress: { IpAddress: "" },
    });
    expect(address).toMatch(/^127\.77\./);
    expect(await cloud.vpcCall("DescribeEipAddresses")).toMatchObject({ TotalCount: 0 });
    expect(await cloud.call("DescribeInstances", { PublicIpAddresses: `["${address}"]` })).toMatchObject({
        TotalCount: 1,
    });
    await cloud.call("DeleteInstance", { InstanceId: id, Force: "true" });
    expect(cloud.state).toMatchObject({ instances: {}, disks: {}, networkInterfaces: {}, eips: {} });
});

test.each<[string, Parameters, string]>([
    ["no image", { ImageId: "" }, "400 MissingParameter"],
    ["an unknown image", { ImageId: "none" }, "404 InvalidImageId.NotFound"],
    [
        "an image that the lab can't boot",
        { ImageId: "win2022_21H2_x64_dtc_en-us_40G_alibase_20251015.vhd" },
        "403 OperationDenied.ImageNotValid",
    ],
    ["a launch template", { LaunchTemplateId: "lt-1" }, "404 InvalidLaunchTemplate.NotFound"],
    ["no type", { InstanceType: "" }, "400 MissingParameter"],
    ["an unknown type", { InstanceType: "ecs.x.large" }, "400 InvalidInstanceType.ValueNotSupported"],
    ["an ARM type", { InstanceType: "ecs.g8y.large" }, "400 InvalidInstanceType.NotSupported"],
    ["no VSwitch", { VSwitchId: "" }, "400 MissingParameter"],
    ["an unknown VSwitch", { VSwitchId: "vsw-none" }, "404 InvalidVSwitchId.NotFound"],
    ["the zone of another VSwitch", { ZoneId: OTHER_ZONE }, "400 InvalidParameter.Mismatch"],
    ["an unknown zone", { ZoneId: "cn-hangzhou-z" }, "404 InvalidZoneId.NotFound"],
    ["no security group", { SecurityGroupId: "" }, "400 MissingParameter"],
    ["an unknown security group", { SecurityGroupId: "sg-none" }, "404 InvalidSecurityGroupId.NotFound"],
    ["both forms of groups", { "SecurityGroupIds.1": "sg-x" }, "400 InvalidParameter.Conflict"],
    ["an unknown key pair", { KeyPairName: "none" }, "404 InvalidKeyPairName.NotFound"],
    ["a short password", { Password: "Ab1!" }, "400 InvalidPassword.Malformed"],
    ["a plain password", { Password: "abcdefghij" }, "400 InvalidPassword.Malformed"],
    ["amount 0", { Amount: "0" }, "403 InvalidAmount.Malformed"],
    ["amount 101", { Amount: "101" }, "403 InvalidAmount.Malformed"],
    ["a bad name", { InstanceName: "1x" }, "400 InvalidInstanceName.Malformed"],
    ["a bad host name", { HostName: "a..b" }, "400 InvalidHostName.Malformed"],
    ["a host name with a hyphen at its end", { HostName: "ab-" }, "400 InvalidHostName.Malformed"],
    ["a bad description", { Description: "http://x" }, "400 InvalidDescription.Malformed"],
    ["user data that is no Base64", { UserData: "#!/bin/sh" }, "400 InvalidUserData.Base64FormatInvalid"],
    [
        "too much user data",
        { UserData: Buffer.alloc(32 * 1024 + 1).toString("base64") },
        "400 InvalidUserData.SizeExceeded",
    ],
    ["an address outside", { PrivateIpAddress: "10.0.2.5" }, "400 InvalidPrivateIpAddress"],
    ["a reserved address", { PrivateIpAddress: "10.0.1.254" }, "400 InvalidPrivateIpAddress"],
    ["half an address", { PrivateIpAddress: "10.0.1" }, "400 InvalidPrivateIpAddress.Malformed"],
    ["an unknown disk", { "SystemDisk.Category": "floppy" }, "400 InvalidSystemDiskCategory.ValueNotSupported"],
    [
        "a disk that the type does not take",
        { InstanceType: "ecs.g7.large", "SystemDisk.Category": "cloud_ssd" },
        "400 InvalidSystemDiskCategory.ValueNotSupported",
    ],
    ["a disk smaller than its image", { "SystemDisk.Size": "10" }, "404 InvalidSystemDiskSize.LessThanImageSize"],
    ["a disk that is too large", { "SystemDisk.Size": "9999" }, "404 InvalidSystemDiskSize.MoreThanMaxSize"],
    ["a data disk without size", { "DataDisk.1.Category": "cloud_ssd" }, "400 InvalidDataDiskSize.ValueNotSupported"],
    [
        "a data disk in the system disk's place",
        { "DataDisk.1.Size": "20", "DataDisk.1.Device": "/dev/xvda" },
        "400 InvalidDataDisk.Device",
    ],
    [
        "a data disk that is too small for its level",
        { "DataDisk.1.Category": "cloud_essd", "DataDisk.1.PerformanceLevel": "PL2", "DataDisk.1.Size": "100" },
        "400 InvalidDataDiskSize.ValueNotSupported",
    ],
    ["too much bandwidth", { InternetMaxBandwidthOut: "201" }, "400 InvalidInternetMaxBandwidthOut.Malformed"],
    [
        "a subscription of no known unit",
        { InstanceChargeType: "PrePaid", Period: "1", PeriodUnit: "constructor" },
        "400 InvalidPeriodUnit.ValueNotSupported",
    ],
    ["a subscription without a period", { InstanceChargeType: "PrePaid" }, "400 InvalidPeriod"],
    ["a release in the past", { AutoReleaseTime: "2020-01-01T00:00:00Z" }, "400 InvalidAutoReleaseTime.Malformed"],
    ["an unknown deployment set", { DeploymentSetId: "ds-none" }, "404 InvalidDeploymentSetId.NotFound"],
    ["an unknown spot strategy", { SpotStrategy: "Cheap" }, "400 InvalidSpotStrategy"],
    ["a dry run", { DryRun: "true" }, "400 DryRunOperation"],
])("%s is refused", async (_what, parameters, expected) => {
    expect(await cloud.refusal("RunInstances", { ...cloud.launch(site), ...parameters })).toBe(expected);
});

test("a group of another VPC and an address in use are refused", async () => {
    const other = await cloud.site();
    const launch = cloud.launch(site);
    expect(await cloud.refusal("RunInstances", { ...launch, SecurityGroupId: other.groupId })).toBe(
        "400 InvalidParameter.Mismatch",
    );
    await cloud.instance(site, { PrivateIpAddress: "10.0.1.9" });
    expect(await cloud.refusal("RunInstances", { ...launch, PrivateIpAddress: "10.0.1.8", Amount: "2" })).toBe(
        "400 InvalidPrivateIpAddress.Duplicated",
    );
});

test("instances that there is no public address for are not begun", async () => {
    Object.assign(cloud.store, { eipRange: "127.77.0.0/30" });
    const launch = { ...cloud.launch(site), InternetMaxBandwidthOut: "5" };
    expect(await cloud.refusal("RunInstances", { ...launch, Amount: "4" })).toBe(
        "403 InvalidOperation.PublicIpAddressNoStock",
    );
    expect(cloud.state.instances).toEqual({});
    const InstanceId = await cloud.instance(site, { InternetMaxBandwidthOut: "5" });
    const other = await cloud.instance(site);
    await cloud.run(site, { InternetMaxBandwidthOut: "5", Amount: "2" });
    const change = { InstanceId: other, InternetMaxBandwidthOut: "9", AllocatePublicIp: "true" };
    expect(await cloud.refusal("ModifyInstanceNetworkSpec", change)).toBe(
        "403 InvalidOperation.PublicIpAddressNoStock",
    );
    await cloud.call("ModifyInstanceNetworkSpec", { InstanceId, InternetMaxBandwidthOut: "0" });
    await cloud.call("ModifyInstanceNetworkSpec", change);
    expect(at(await cloud.show(other), "PublicIpAddress.IpAddress")).toEqual(["127.77.0.1"]);
});

test("as many instances begin as there is room for, or none where those are fewer than MinAmount", async () => {
    const small = await cloud.vswitch(site.vpcId, "10.0.9.0/29");
    const many = async (parameters: Parameters): Promise<number> =>
        (await cloud.run(site, { Amount: "9", MinAmount: "2", UniqueSuffix: "true", InstanceName: "n", ...parameters }))
            .length;
    const few = { ...cloud.launch(site), VSwitchId: small, Amount: "9", MinAmount: "5" };
    expect(await cloud.refusal("RunInstances", few)).toBe("400 QuotaExceeded.PrivateIpAddress");
    expect(await many({ VSwitchId: small })).toBe(4);
    expect(Object.values(cloud.state.instances).map(({ name }) => name)).toEqual(["n001", "n002", "n003", "n004"]);
    Object.assign(cloud.store, { eipRange: "127.77.0.0/30" });
    expect(await many({ InternetMaxBandwidthOut: "5" })).toBe(3);
    const DeploymentSetId = text(await cloud.call("CreateDeploymentSet"), "DeploymentSetId");
    expect(await many({ DeploymentSetId, Amount: "30" })).toBe(20);
});

test("a full VSwitch is refused as a whole", async () => {
    const small = { ...site, vswitchId: await cloud.vswitch(site.vpcId, "10.0.9.0/29") };
    expect(await cloud.refusal("RunInstances", { ...cloud.launch(small), Amount: "5" })).toBe(
        "400 QuotaExceeded.PrivateIpAddress",
    );
    expect(await cloud.run(small, { Amount: "4" })).toHaveLength(4);
});

test("interfaces in the newer form, secondary ones included", async () => {
    const second = await cloud.vswitch(site.vpcId, "10.0.2.0/24");
    const answer = await cloud.call("RunInstances", {
        ...cloud.launch(site),
        VSwitchId: "",
        SecurityGroupId: "",
        InstanceType: "ecs.g6.xlarge",
        "NetworkInterface.1.InstanceType": "Primary",
        "NetworkInterface.1.VSwitchId": site.vswitchId,
        "NetworkInterface.1.PrimaryIpAddress": "10.0.1.44",
        "NetworkInterface.1.SecurityGroupIds.1": site.groupId,
        "NetworkInterface.2.InstanceType": "Secondary",
        "NetworkInterface.2.VSwitchId": second,
    });
    expect(await cloud.show(text(answer, "InstanceIdSets.InstanceIdSet.0"))).toMatchObject({
        NetworkInterfaces: {
            NetworkInterface: [
                { Type: "Primary", PrimaryIpAddress: "10.0.1.44" },
                { Type: "Secondary", PrimaryIpAddress: "10.0.2.1" },
            ],
        },
    });
});

test("an interface that is there can't be the primary one, and isn't left out", async () => {
    const { vswitchId, groupId } = site;
    const created = await cloud.call("CreateNetworkInterface", { VSwitchId: vswitchId, SecurityGroupId: groupId });
    const given = {
        ...cloud.launch(site),
        VSwitchId: "",
        SecurityGroupId: "",
        "NetworkInterface.1.InstanceType": "Primary",
        "NetworkInterface.1.NetworkInterfaceId": text(created, "NetworkInterfaceId"),
    };
    expect(await cloud.refusal("RunInstances", given)).toBe("400 UnsupportedOperation");
    const beside = { "NetworkInterface.1.VSwitchId": vswitchId, "NetworkInterface.1.SecurityGroupId": groupId };
    expect(await cloud.refusal("RunInstances", { ...given, ...beside })).toBe("400 UnsupportedOperation");
});

test("interfaces get the secondary addresses, queues and settings of the launch", async () => {
    const ids = await cloud.run(site, {
        SecurityGroupId: "",
        VSwitchId: "",
        Amount: "2",
        "NetworkInterface.1.InstanceType": "Primary",
        "NetworkInterface.1.VSwitchId": site.vswitchId,
        "NetworkInterface.1.SecurityGroupId": site.groupId,
        "NetworkInterface.1.SecondaryPrivateIpAddressCount": "2",
        "NetworkInterface.1.QueueNumber": "1",
        "NetworkInterface.1.NetworkInterfaceTrafficMode": "HighPerformance",
        "NetworkInterface.1.QueuePairNumber": "3",
        "NetworkInterface.2.SecondaryPrivateIpAddressCount": "1",
        "NetworkInterface.2.NetworkInterfaceTrafficMode": "",
        "NetworkInterface.2.NetworkCardIndex": "1",
    });
    for (const InstanceId of ids)
        expect(await cloud.call("DescribeNetworkInterfaces", { InstanceId, Type: "Primary" })).toMatchObject({
            NetworkInterfaceSets: {
                NetworkInterfaceSet: [
                    {
                        PrivateIpSets: { PrivateIpSet: [{ Primary: true }, { Primary: false }, { Primary: false }] },
                        QueueNumber: 1,
                        NetworkInterfaceTrafficMode: "HighPerformance",
                        QueuePairNumber: 3,
                        Attachment: { NetworkCardIndex: 0 },
                    },
                ],
            },
        });
    expect(await cloud.call("DescribeNetworkInterfaces", { Type: "Secondary", InstanceId: ids[1]! })).toMatchObject({
        NetworkInterfaceSets: {
            NetworkInterfaceSet: [
                {
                    PrivateIpSets: { PrivateIpSet: [{ Primary: true }, { Primary: false }] },
                    NetworkInterfaceTrafficMode: "Standard",
                    QueuePairNumber: 0,
                    Attachment: { NetworkCardIndex: 1 },
                },
            ],
        },
    });
    const addresses = Object.values(cloud.state.networkInterfaces).flatMap((nic) => [
        nic.primaryIp,
        ...nic.secondaryIps,
    ]);
    expect(new Set(addresses).size).toBe(2 * (3 + 2));
    const many = { ...cloud.launch(site), "NetworkInterface.1.SecondaryPrivateIpAddressCount": "6" };
    expect(await cloud.refusal("RunInstances", many)).toBe("403 PrivateIpLimitExceeded");
});

test("high density is kept, though the vendor's SDK leaves it out of the requests", async () => {
    const InstanceId = await cloud.instance(site, { "AdditionalInfo.EnableHighDensityMode": "true" });
    const shown = async () => at(await cloud.show(InstanceId), "AdditionalInfo.EnableHighDensityMode");
    expect(await shown()).toBe(true);
    await cloud.call("ModifyInstanceAttribute", { InstanceId, "AdditionalInfo.EnableHighDensityMode": "false" });
    expect(await shown()).toBe(false);
});

test("the older action leaves start and public address to others", async () => {
    const created = await cloud.call("CreateInstance", { ...cloud.launch(site), InternetMaxBandwidthOut: "5" });
    const InstanceId = text(created, "InstanceId");
    expect(await cloud.show(InstanceId)).toMatchObject({ Status: "Stopped", PublicIpAddress: { IpAddress: [] } });
    const address = text(await cloud.call("AllocatePublicIpAddress", { InstanceId }), "IpAddress");
    expect(await cloud.refusal("AllocatePublicIpAddress", { InstanceId })).toBe("403 AllocatedAlready");
    await cloud.call("StartInstance", { InstanceId });
    expect(await cloud.show(InstanceId)).toMatchObject({
        Status: "Running",
        PublicIpAddress: { IpAddress: [address] },
    });
});

test("interfaces that are launched together share no address, whoever asked for one", async () => {
    const secondaries = (...addresses: readonly string[]): Parameters => {
        const given: Record<string, string> = {};
        addresses.forEach((address, i) => {
            given[`NetworkInterface.${i + 1}.InstanceType`] = "Secondary";
            if (address !== "") given[`NetworkInterface.${i + 1}.PrimaryIpAddress`] = address;
        });
        return given;
    };
    const addresses = (InstanceId: string) =>
        Object.values(cloud.state.networkInterfaces)
            .filter(({ instanceId }) => instanceId === InstanceId)
            .map(({ primaryIp }) => primaryIp);
    const given = { ...secondaries("", "10.0.1.1"), InstanceType: "ecs.c6.2xlarge" };
    const InstanceId = await cloud.instance(site, given);
    expect(addresses(InstanceId)).toEqual(["10.0.1.2", "10.0.1.3", "10.0.1.1"]);
    const launch = { ...cloud.launch(site), InstanceType: "ecs.c6.2xlarge" };
    expect(await cloud.refusal("RunInstances", { ...launch, ...secondaries("10.0.1.9", "10.0.1.9") })).toBe(
        "400 InvalidPrivateIpAddress.Duplicated",
    );
    expect(
        await cloud.refusal("RunInstances", { ...launch, PrivateIpAddress: "10.0.1.9", ...secondaries("10.0.1.9") }),
    ).toBe("400 InvalidPrivateIpAddress.Duplicated");
    const [one = "", two = ""] = await cloud.run(site, { ...secondaries("", ""), ...launch, Amount: "2" });
    expect(new Set([...addresses(one), ...addresses(two)]).size).toBe(6);
});

test("power: every step waits for the machine's word", async () => {
    cloud.machine = false;
    const InstanceId = await cloud.instance(site);
    const status = () => cloud.model(InstanceId).status;
    const word = (kind: "running" | "stopped") => applyMachineEvent(cloud.store, { kind, hostId: InstanceId });
    expect(status()).toBe("Pending");
    expect(await cloud.refusal("StopInstance", { InstanceId })).toBe("403 IncorrectInstanceStatus");
    expect(await cloud.refusal("DeleteInstance", { InstanceId })).toBe("403 IncorrectInstanceStatus.Initializing");
    word("stopped");
    expect(status()).toBe("Pending");
    word("running");
    expect(status()).toBe("Running");
    expect(await cloud.refusal("StartInstance", { InstanceId })).toBe("403 IncorrectInstanceStatus");
    expect(await cloud.refusal("DeleteInstance", { InstanceId })).toBe("403 IncorrectInstanceStatus");
    await cloud.call("RebootInstance", { InstanceId });
    expect(cloud.model(InstanceId)).toMatchObject({ status: "Starting", bootCount: 1, forceStop: false });
    applyMachineEvent(cloud.store, { kind: "running", hostId: InstanceId, bootCount: 0 });
    expect(status()).toBe("Starting");
    applyMachineEvent(cloud.store, { kind: "running", hostId: InstanceId, bootCount: 1 });
    expect(status()).toBe("Running");
    await cloud.call("StopInstance", { InstanceId, StoppedMode: "StopCharging", ForceStop: "true" });
    expect(cloud.model(InstanceId)).toMatchObject({ status: "Stopping", forceStop: true });
    word("stopped");
    expect(await cloud.show(InstanceId)).toMatchObject({ Status: "Stopped", StoppedMode: "StopCharging" });
    await cloud.call("StartInstance", { InstanceId });
    expect(cloud.model(InstanceId)).toMatchObject({ status: "Starting", bootCount: 1 });
    applyMachineEvent(cloud.store, { kind: "failed", hostId: InstanceId, reason: "no room" });
    expect(status()).toBe("Stopped");
    await cloud.call("DeleteInstance", { InstanceId });
    expect(await cloud.refusal("StartInstance", { InstanceId })).toBe("404 InvalidInstanceId.NotFound");
});

test("several instances at once: all or as many as can", async () => {
    const [first = "", second = ""] = await cloud.run(site, { Amount: "2" });
    await cloud.call("StopInstance", { InstanceId: first });
    const both = { "InstanceId.1": first, "InstanceId.2": second };
    expect(await cloud.refusal("StopInstances", both)).toBe("403 IncorrectInstanceStatus");
    expect(await cloud.call("StopInstances", { ...both, BatchOptimization: "SuccessFirst" })).toMatchObject({
        InstanceResponses: {
            InstanceResponse: [
                { InstanceId: first, Code: "IncorrectInstanceStatus", CurrentStatus: "Stopped" },
                { InstanceId: second, Code: "200", PreviousStatus: "Running", CurrentStatus: "Stopping" },
            ],
        },
    });
    await cloud.call("StartInstances", both);
    expect(await cloud.refusal("DeleteInstances", both)).toBe("403 IncorrectInstanceStatus");
    await cloud.call("DeleteInstances", { ...both, Force: "true" });
    expect(cloud.state.instances).toEqual({});
});

test("deletion protection, subscriptions and routes keep an instance", async () => {
    const InstanceId = await cloud.instance(site, { DeletionProtection: "true" });
    const remove = { InstanceId, Force: "true" };
    expect(await cloud.refusal("DeleteInstance", remove)).toBe("403 InvalidOperation.DeletionProtection");
    await cloud.call("ModifyInstanceAttribute", { InstanceId, DeletionProtection: "false" });
    const table = Object.values(cloud.state.routeTables).find(({ vpcId }) => vpcId === site.vpcId)!;
    await cloud.vpcCall("CreateRouteEntry", {
        RouteTableId: table.id,
        DestinationCidrBlock: "172.16.9.0/24",
        NextHopType: "Instance",
        NextHopId: InstanceId,
    });
    expect(await cloud.refusal("DeleteInstance", remove)).toBe("403 DependencyViolation.RouteEntry");
    table.entries = [];
    await cloud.call("DeleteInstance", remove);
    const prepaid = await cloud.instance(site, { InstanceChargeType: "PrePaid", Period: "1", PeriodUnit: "Month" });
    expect(await cloud.show(prepaid)).toMatchObject({ ExpiredTime: "2026-03-03T12:00Z" });
    expect(await cloud.refusal("DeleteInstance", { InstanceId: prepaid, Force: "true" })).toBe(
        "403 ChargeTypeViolation",
    );
    await cloud.call("DeleteInstance", { InstanceId: prepaid, Force: "true", TerminateSubscription: "true" });
});

test("a released instance leaves the server groups with all the interfaces that go with it", async () => {
    const goes = { "NetworkInterface.1.VSwitchId": site.vswitchId };
    const stays = { "NetworkInterface.2.VSwitchId": site.vswitchId, "NetworkInterface.2.DeleteOnRelease": "false" };
    const InstanceId = await cloud.instance(site, { ...goes, ...stays, InstanceType: "ecs.c6.2xlarge" });
    const LoadBalancerId = text(await cloud.slbCall("CreateLoadBalancer"), "LoadBalancerId");
    const interfaces = Object.keys(cloud.state.networkInterfaces);
    const servers = [
        { ServerId: InstanceId, Port: 80 },
        ...interfaces.map((ServerId) => ({ ServerId, Port: 81, Type: "eni" })),
    ];
    await cloud.slbCall("CreateVServerGroup", { LoadBalancerId, BackendServers: JSON.stringify(servers) });
    const serverIds = () =>
        Object.values(cloud.state.vServerGroups).flatMap((group) => group.servers.map(({ serverId }) => serverId));
    expect(serverIds()).toEqual([InstanceId, ...interfaces]);
    await cloud.call("DeleteInstance", { InstanceId, Force: "true" });
    expect(interfaces).toHaveLength(3);
    expect(serverIds()).toEqual(Object.keys(cloud.state.networkInterfaces));
    expect(serverIds()).toHaveLength(1);
});

test("an EIP outlives its instance", async () => {
    const InstanceId = await cloud.instance(site);
    const AllocationId = text(await cloud.vpcCall("AllocateEipAddress"), "AllocationId");
    await cloud.vpcCall("AssociateEipAddress", { AllocationId, InstanceId });
    expect(await cloud.show(InstanceId)).toMatchObject({ EipAddress: { AllocationId } });
    await cloud.call("DeleteInstance", { InstanceId, Force: "true" });
    expect(await cloud.vpcCall("DescribeEipAddresses", { AllocationId })).toMatchObject({
        EipAddresses: { EipAddress: [{ Status: "Available", InstanceId: "" }] },
    });
});

test("attributes change in place", async () => {
    const InstanceId = await cloud.instance(site, { InstanceType: "ecs.t6-c1m1.large" });
    const other = await cloud.group(site.vpcId);
    await cloud.call("ModifyInstanceAttribute", {
        InstanceId,
        InstanceName: "renamed",
        Description: "new",
        HostName: "new-host",
        UserData: "aGk=",
        CreditSpecification: "Unlimited",
        "SecurityGroupIds.1": other,
    });
    expect(await cloud.show(InstanceId)).toMatchObject({
        InstanceName: "renamed",
        Description: "new",
        HostName: "new-host",
        CreditSpecification: "Unlimited",
        SecurityGroupIds: { SecurityGroupId: [other] },
    });
    expect(await cloud.call("DescribeUserData", { InstanceId })).toMatchObject({ UserData: "aGk=" });
    await cloud.call("ModifyInstanceMetadataOptions", { InstanceId, HttpTokens: "required" });
    expect(await cloud.show(InstanceId)).toMatchObject({
        MetadataOptions: { HttpTokens: "required", HttpEndpoint: "enabled" },
    });
    await cloud.call("ModifyInstanceAutoReleaseTime", { InstanceId, AutoReleaseTime: "2026-02-01T10:20:30Z" });
    expect(await cloud.show(InstanceId)).toMatchObject({ AutoReleaseTime: "2026-02-01T10:20Z" });
    await cloud.call("ModifyInstanceAutoReleaseTime", { InstanceId, AutoReleaseTime: "" });
    expect(await cloud.show(InstanceId)).toMatchObject({ AutoReleaseTime: "" });
});

test("those whose time has come are released, but one that a route leads to or that is paid for ahead", async () => {
    const AutoReleaseTime = "2026-02-01T10:20:00Z";
    const [due, later, routed, prepaid] = [
        await cloud.instance(site, { AutoReleaseTime, DeletionProtection: "true", InternetMaxBandwidthOut: "5" }),
        await cloud.instance(site, { AutoReleaseTime: "2026-02-01T10:21:00Z" }),
        await cloud.instance(site, { AutoReleaseTime }),
        await cloud.instance(site, { AutoReleaseTime }),
    ];
    await cloud.instance(site);
    const [table] = Object.keys(cloud.state.routeTables);
    const route = { RouteTableId: table!, DestinationCidrBlock: "192.168.0.0/24", NextHopId: routed };
    await cloud.vpcCall("CreateRouteEntry", route);
    await cloud.call("ModifyInstanceChargeType", { InstanceIds: `["${prepaid}"]`, Period: "1" });
    const release = (now: string): string[] => releaseDueInstances({ store: cloud.store, now });
    expect(release("2026-02-01T10:19:59Z")).toEqual([]);
    expect(release(AutoReleaseTime)).toEqual([due]);
    expect([cloud.state.instances[due], cloud.state.eips]).toEqual([undefined, {}]);
    await cloud.vpcCall("DeleteRouteEntry", route);
    expect(release("2026-02-02T00:00:00Z")).toEqual([later, routed]);
    expect(Object.keys(cloud.state.instances)).toHaveLength(2);
});

test("security groups are joined and left one by one", async () => {
    const InstanceId = await cloud.instance(site);
    const other = await cloud.group(site.vpcId);
    const elsewhere = await cloud.site();
    const join = (SecurityGroupId: string) => cloud.refusal("JoinSecurityGroup", { InstanceId, SecurityGroupId });
    const leave = (SecurityGroupId: string) => cloud.refusal("LeaveSecurityGroup", { InstanceId, SecurityGroupId });
    expect(await join(site.groupId)).toBe("403 InvalidInstanceId.AlreadyExists");
    expect(await join(elsewhere.groupId)).toBe("403 InvalidInstanceId.VpcMismatch");
    expect(await leave(other)).toBe("404 InvalidSecurityGroupAssociation.NotFound");
    expect(await leave(site.groupId)).toBe("403 InstanceLastSecurityGroup");
    expect(await join(other)).toBe("success");
    expect(await leave(site.groupId)).toBe("success");
    expect(await cloud.call("DescribeNetworkInterfaces", { InstanceId })).toMatchObject({
        NetworkInterfaceSets: { NetworkInterfaceSet: [{ SecurityGroupIds: { SecurityGroupId: [other] } }] },
    });
});

test("type, VSwitch and system disk change on a stopped instance only", async () => {
    const InstanceId = await cloud.instance(site);
    const second = await cloud.vswitch(site.vpcId, "10.0.2.0/24");
    const changes: [string, Parameters][] = [
        ["ModifyInstanceSpec", { InstanceId, InstanceType: "ecs.g6.xlarge" }],
        ["ModifyInstanceVpcAttribute", { InstanceId, VSwitchId: second, PrivateIpAddress: "10.0.2.9" }],
        ["ReplaceSystemDisk", { InstanceId, ImageId: "debian_12_11_x64_20G_alibase_20250625.vhd" }],
    ];
    for (const [name, parameters] of changes)
        expect(await cloud.refusal(name, parameters)).toBe("403 IncorrectInstanceStatus");
    await cloud.call("StopInstance", { InstanceId });
    const before = Object.keys(cloud.state.disks);
    for (const [name, parameters] of changes) await cloud.call(name, parameters);
    expect(await cloud.show(InstanceId)).toMatchObject({
        InstanceType: "ecs.g6.xlarge",
        Cpu: 4,
        ImageId: "debian_12_11_x64_20G_alibase_20250625.vhd",
        VpcAttributes: { VSwitchId: second, PrivateIpAddress: { IpAddress: ["10.0.2.9"] } },
    });
    expect(Object.keys(cloud.state.disks)).not.toEqual(before);
    expect(Object.keys(cloud.state.disks)).toHaveLength(1);
    expect(await cloud.refusal("ModifyPrepayInstanceSpec", { InstanceId, InstanceType: "ecs.g6.large" })).toBe(
        "403 ChargeTypeViolation",
    );
});

test("actions that name an instance and no region act in the instance's region", async () => {
    const region = { RegionId: "cn-beijing" };
    const vpcId = text(await cloud.vpcCall("CreateVpc", { ...region, CidrBlock: "10.0.0.0/16" }), "VpcId");
    const vswitch = async (CidrBlock: string) => {
        const given = { ...region, VpcId: vpcId, CidrBlock, ZoneId: "cn-beijing-h" };
        return text(await cloud.vpcCall("CreateVSwitch", given), "VSwitchId");
    };
    const vswitchId = await vswitch("10.0.1.0/24");
    const second = await vswitch("10.0.2.0/24");
    const groupId = await cloud.group(vpcId, region);
    const otherGroup = await cloud.group(vpcId, region);
    await cloud.call("CreateKeyPair", { ...region, KeyPairName: "there" });
    const InstanceId = await cloud.instance({ vpcId, vswitchId, groupId }, region);
    await cloud.call("StopInstance", { InstanceId });

    await cloud.call("ModifyInstanceVpcAttribute", { InstanceId, VSwitchId: second });
    await cloud.call("ModifyInstanceAttribute", { InstanceId, "SecurityGroupIds.1": otherGroup });
    const DiskId = text(await cloud.call("ReplaceSystemDisk", { InstanceId, KeyPairName: "there" }), "DiskId");
    expect(cloud.model(InstanceId)).toMatchObject({
        vswitchId: second,
        securityGroupIds: [otherGroup],
        keyPairName: "there",
    });
    expect(await cloud.call("DescribeDisks", { ...region, InstanceId })).toMatchObject({
        Disks: { Disk: [{ DiskId, RegionId: "cn-beijing" }] },
    });
});

test("an instance stays where a HaVip, IPv6 addresses or a custom route table hold it", async () => {
    const InstanceId = await cloud.instance(site);
    await cloud.call("StopInstance", { InstanceId });
    const second = await cloud.vswitch(site.vpcId, "10.0.2.0/24");
    const other = await cloud.site("10.1.0.0/16");
    const move = { InstanceId, VSwitchId: second };
    const leave = { InstanceId, VpcId: other.vpcId, VSwitchId: other.vswitchId, "SecurityGroupId.1": other.groupId };
    const HaVipId = text(await cloud.vpcCall("CreateHaVip", { VSwitchId: site.vswitchId }), "HaVipId");
    await cloud.vpcCall("AssociateHaVip", { HaVipId, InstanceId });
    expect(await cloud.refusal("ModifyInstanceVpcAttribute", move)).toBe("403 OperationDenied");
    // Within its VSwitch it may have another address.
    await cloud.call("ModifyInstanceVpcAttribute", {
        InstanceId,
        VSwitchId: site.vswitchId,
        PrivateIpAddress: "10.0.1.9",
    });
    await cloud.vpcCall("UnassociateHaVip", { HaVipId, InstanceId });
    const nic = cloud.state.networkInterfaces[cloud.model(InstanceId).primaryNetworkInterfaceId]!;
    nic.ipv6Addresses = ["2408::1"];
    expect(await cloud.refusal("ModifyInstanceVpcAttribute", move)).toBe("403 OperationDenied");
    nic.ipv6Addresses = [];
    const RouteTableId = text(await cloud.vpcCall("CreateRouteTable", { VpcId: site.vpcId }), "RouteTableId");
    await cloud.vpcCall("AssociateRouteTable", { RouteTableId, VSwitchId: site.vswitchId });
    expect(await cloud.refusal("ModifyInstanceVpcAttribute", leave)).toBe("403 OperationDenied");
    expect(await cloud.refusal("ModifyInstanceVpcAttribute", move)).toBe("success");
    expect(await cloud.refusal("ModifyInstanceVpcAttribute", leave)).toBe("success");
});

test("a system disk is replaced by one that is no smaller", async () => {
    const InstanceId = await cloud.instance(site, { "SystemDisk.Size": "60" });
    await cloud.call("StopInstance", { InstanceId });
    const replace = (size: string) => cloud.refusal("ReplaceSystemDisk", { InstanceId, "SystemDisk.Size": size });
    expect(await replace("50")).toBe("400 InvalidSystemDiskSize.ValueNotSupported");
    expect(await replace("60")).toBe("success");
});

test.each([
    ["to bare metal", TYPE, "ecs.ebmg6.26xlarge"],
    ["from bare metal", "ecs.ebmg6.26xlarge", TYPE],
    ["to another processor", TYPE, "ecs.c8y.large"],
])("a type leads nowhere %s: the system disk does not boot there", async (_way, InstanceType, other) => {
    const InstanceId = await cloud.instance(site, { InstanceType });
    await cloud.call("StopInstance", { InstanceId });
    expect(await cloud.refusal("ModifyInstanceSpec", { InstanceId, InstanceType: other })).toBe(
        "403 InvalidInstanceType.NotSupported",
    );
});

test("bare metal types are refused on machines whose processors their kernel isn't for", async () => {
    onProcessor("arm64");
    await expect(cloud.instance(site, { InstanceType: "ecs.ebmg6.26xlarge" })).rejects.toThrow(
        "The lab boots bare metal types such as ecs.ebmg6.26xlarge on x86-64 machines only, and this one is arm64: use another type.",
    );
    await cloud.instance(site);
});

test("bandwidth: an address is asked for, and goes with the last Mbit/s", async () => {
    const InstanceId = await cloud.instance(site);
    expect(await cloud.refusal("AllocatePublicIpAddress", { InstanceId })).toBe(
        "403 InvalidInternetMaxBandwidthOut.ValueNotSupported",
    );
    await cloud.call("ModifyInstanceNetworkSpec", { InstanceId, InternetMaxBandwidthOut: "5" });
    await cloud.call("AllocatePublicIpAddress", { InstanceId });
    expect(at(await cloud.show(InstanceId), "PublicIpAddress.IpAddress")).toHaveLength(1);
    await cloud.call("ModifyInstanceNetworkSpec", { InstanceId, InternetMaxBandwidthOut: "0" });
    expect(at(await cloud.show(InstanceId), "PublicIpAddress.IpAddress")).toEqual([]);
    expect(cloud.state.eips).toEqual({});
});

test("an instance that is paid in advance gets its public address with its first bandwidth", async () => {
    const InstanceId = await cloud.instance(site, { InstanceChargeType: "PrePaid", Period: "1" });
    const addresses = async () => at(await cloud.show(InstanceId), "PublicIpAddress.IpAddress");
    await cloud.call("ModifyInstanceNetworkSpec", { InstanceId, NetworkChargeType: "PayByBandwidth" });
    expect(await addresses()).toEqual([]);
    await cloud.call("ModifyInstanceNetworkSpec", { InstanceId, InternetMaxBandwidthOut: "5" });
    const given = await addresses();
    expect(given).toHaveLength(1);
    await cloud.call("ModifyInstanceNetworkSpec", { InstanceId, InternetMaxBandwidthOut: "9" });
    expect(await addresses()).toEqual(given);
});

test("a deployment set spreads only so many in a zone, and is kept by its members", async () => {
    const DeploymentSetId = text(await cloud.call("CreateDeploymentSet"), "DeploymentSetId");
    const launch = { ...cloud.launch(site), DeploymentSetId };
    expect(await cloud.refusal("RunInstances", { ...launch, Amount: "21" })).toBe(
        "403 InvalidDeploymentSet.LackResource",
    );
    const InstanceId = await cloud.instance(site, { DeploymentSetId });
    expect(await cloud.call("DescribeDeploymentSets", { DeploymentSetIds: `["${DeploymentSetId}"]` })).toMatchObject({
        DeploymentSets: { DeploymentSet: [{ InstanceAmount: 1, InstanceIds: { InstanceId: [InstanceId] } }] },
    });
    expect(await cloud.refusal("DeleteDeploymentSet", { DeploymentSetId })).toBe("403 DependencyViolation.NotEmpty");
    await cloud.call("ModifyInstanceDeployment", { InstanceId, RemoveFromDeploymentSet: "true" });
    await cloud.call("DeleteDeploymentSet", { DeploymentSetId });
});

test("a list is walked by page and by token, newest first", async () => {
    const ids = [...(await cloud.run(site, { Amount: "12" }))].reverse();
    const shown = async (query: Parameters) => {
        const answer = await cloud.call("DescribeInstances", query);
        return {
            ids: list(answer, "Instances.Instance").map((each) => each["InstanceId"]),
            next: String(answer["NextToken"]),
            total: answer["TotalCount"],
        };
    };
    expect(await shown({ PageSize: "5", PageNumber: "3" })).toMatchObject({ ids: ids.slice(10), total: 12 });
    expect((await shown({ PageSize: "5", PageNumber: "4" })).ids).toEqual([]);
    const first = await shown({ MaxResults: "10" });
    expect(first.ids).toEqual(ids.slice(0, 10));
    expect(await shown({ MaxResults: "10", NextToken: first.next })).toMatchObject({ ids: ids.slice(10), next: "" });
    expect(await cloud.refusal("DescribeInstances", { PageSize: "101" })).toBe("400 InvalidParameter");
    expect(await cloud.refusal("DescribeInstances", { InstanceIds: "{}" })).not.toBe("success");
});

test("the size of a page by token is brought within the cloud's limits", async () => {
    await cloud.run(site, { Amount: "12" });
    const sizes = async (MaxResults: string): Promise<unknown[]> => {
        const instances = await cloud.call("DescribeInstances", { MaxResults });
        const disks = await cloud.call("DescribeDisks", { MaxResults });
        const interfaces = await cloud.call("DescribeNetworkInterfaces", { MaxResults });
        return [instances, disks, interfaces].map((answer) => answer["PageSize"]);
    };
    expect(await sizes("3")).toEqual([10, 10, 10]);
    expect(await sizes("50")).toEqual([50, 50, 50]);
    expect(await sizes("1000")).toEqual([100, 500, 500]);
    expect(await cloud.refusal("DescribeSecurityGroups", { MaxResults: "101" })).toBe("400 InvalidParameter");
});

test("a walk by token skips nothing when what it has shown is deleted, and shows nothing that came meanwhile", async () => {
    const ids = [...(await cloud.run(site, { Amount: "15" }))].reverse();
    cloud.now = "2026-01-31T12:00:31Z";
    ids.unshift(...[...(await cloud.run(site, { Amount: "20" }))].reverse());
    const walked: string[] = [];
    cloud.now = "2026-01-31T12:00:32Z";
    for (let next: string | undefined; next !== "";) {
        const query = { MaxResults: "10", ...(next !== undefined && { NextToken: next }) };
        const answer = await cloud.call("DescribeInstances", query);
        const shown = list(answer, "Instances.Instance").map((each) => text(each, "InstanceId"));
        walked.push(...shown);
        next = text(answer, "NextToken");
        for (const InstanceId of shown) await cloud.call("DeleteInstance", { InstanceId, Force: "true" });
        await cloud.run(site);
    }
    expect(walked).toEqual(ids);
    const nonsense = ["nonsense", Buffer.from("{}").toString("base64"), Buffer.from("null").toString("base64")];
    for (const NextToken of nonsense)
        expect(await cloud.refusal("DescribeInstances", { NextToken })).toBe("400 InvalidNextToken");
});

test("instances are found by each filter", async () => {
    const id = await cloud.instance(site, {
        InstanceName: "web-one",
        InstanceType: "ecs.g6.large",
        "Tag.1.Key": "app",
        "Tag.1.Value": "x",
    });
    await cloud.instance(site, { InstanceName: "db-one" });
    const count = async (query: Parameters) => (await cloud.call("DescribeInstances", query))["TotalCount"];
    const hits: Parameters[] = [
        { InstanceName: "web*" },
        { InstanceType: "ecs.g6.large" },
        { InstanceTypeFamily: "ecs.g6" },
        { PrivateIpAddresses: '["10.0.1.1"]' },
        { "Tag.1.Key": "app", "Tag.1.Value": "x" },
        { InstanceIds: `["${id}"]`, VpcId: site.vpcId, Status: "Running", ZoneId: ZONE },
    ];
    for (const query of hits) expect([query, await count(query)]).toEqual([query, 1]);
    const misses: Parameters[] = [
        { InstanceName: "web" },
        { Status: "Stopped" },
        { VSwitchId: "vsw-none" },
        { SecurityGroupId: "sg-none" },
        { InstanceChargeType: "PrePaid" },
        { InstanceNetworkType: "classic" },
        { RegionId: "cn-beijing" },
    ];
    for (const query of misses) expect([query, await count(query)]).toEqual([query, 0]);
});

test("a failed launch says so with a CloudError and leaves nothing", async () => {
    await expect(cloud.call("RunInstances", { ...cloud.launch(site), ImageId: "x" })).rejects.toBeInstanceOf(
        CloudError,
    );
    expect(cloud.state).toMatchObject({ instances: {}, disks: {}, networkInterfaces: {} });
});

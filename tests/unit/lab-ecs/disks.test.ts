import { Cloud, OTHER_ZONE, Parameters, Site, ZONE, list, text } from "./harness";

let cloud: Cloud;
let site: Site;
beforeEach(async () => {
    cloud = new Cloud();
    site = await cloud.site();
});

const create = async (parameters: Parameters = {}) =>
    text(await cloud.call("CreateDisk", { ZoneId: ZONE, Size: "20", ...parameters }), "DiskId");
const show = async (DiskId: string) =>
    list(await cloud.call("DescribeDisks", { DiskIds: JSON.stringify([DiskId]) }), "Disks.Disk")[0];

test("a disk is made, attached, grown, detached and deleted", async () => {
    const InstanceId = await cloud.instance(site);
    const DiskId = await create({ DiskCategory: "cloud_essd", DiskName: "more", "Tag.1.Key": "a" });
    expect(await show(DiskId)).toMatchObject({
        Status: "Available",
        Category: "cloud_essd",
        PerformanceLevel: "PL1",
        DeleteWithInstance: false,
        Portable: true,
        Tags: { Tag: [{ TagKey: "a", TagValue: "" }] },
    });
    await cloud.call("AttachDisk", { DiskId, InstanceId });
    expect(cloud.followed).toEqual([InstanceId]);
    expect(await show(DiskId)).toMatchObject({ Status: "In_use", InstanceId, Device: "/dev/xvdb" });
    expect(await cloud.refusal("AttachDisk", { DiskId, InstanceId })).toBe("403 IncorrectDiskStatus");
    expect(await cloud.refusal("DeleteDisk", { DiskId })).toBe("403 IncorrectDiskStatus");
    await cloud.call("ResizeDisk", { DiskId, NewSize: "50", Type: "online" });
    expect(await cloud.refusal("ResizeDisk", { DiskId, NewSize: "40" })).toBe("403 InvalidDiskSize.TooSmall");
    await cloud.call("ModifyDiskSpec", { DiskId, PerformanceLevel: "PL0" });
    await cloud.call("ModifyDiskAttribute", { DiskId, DiskName: "other", DeleteWithInstance: "true" });
    expect(await show(DiskId)).toMatchObject({ Size: 50, PerformanceLevel: "PL0", DiskName: "other" });
    cloud.followed = [];
    await cloud.call("DetachDisk", { DiskId, InstanceId });
    expect(cloud.followed).toEqual([InstanceId]);
    expect(await cloud.refusal("DetachDisk", { DiskId, InstanceId })).toBe("403 InvalidDisk.AlreadyDetached");
    expect(await show(DiskId)).toMatchObject({ Status: "Available", InstanceId: "", Device: "" });
    await cloud.call("DeleteDisk", { DiskId });
    await cloud.call("DeleteDisk", { DiskId });
    expect(cloud.applied).toBeGreaterThanOrEqual(3);
});

test.each([
    ["/dev/xvdf", "/dev/xvdf"],
    ["/dev/vdf", "/dev/xvdf"],
    ["/dev/xvdab", "/dev/xvdab"],
    ["/dev/xvda", "/dev/xvdb"],
    ["/dev/sda; touch /tmp/x", "/dev/xvdb"],
    ["$(reboot)", "/dev/xvdb"],
    ["constructor", "/dev/xvdb"],
])("a disk that is to be attached as %s is %s", async (Device, device) => {
    const InstanceId = await cloud.instance(site);
    const DiskId = await create();
    await cloud.call("AttachDisk", { DiskId, InstanceId, Device });
    expect(await show(DiskId)).toMatchObject({ Device: device });
});

test.each<[Parameters, string]>([
    [{ ZoneId: "" }, "400 MissingParameter"],
    [{ ZoneId: "cn-beijing-a" }, "404 InvalidZoneId.NotFound"],
    [{ Size: "" }, "400 MissingParameter"],
    [{ MultiAttach: "Enabled" }, "400 UnsupportedOperation"],
    [{ Size: "5" }, "400 InvalidDataDiskSize.ValueNotSupported"],
    [{ DiskCategory: "floppy" }, "400 InvalidDataDiskCategory.ValueNotSupported"],
    [{ SnapshotId: "s-1" }, "404 InvalidSnapshotId.NotFound"],
    [{ KMSKeyId: "k" }, "400 InvalidEncrypted.NotMatchKmsKeyId"],
    [{ DiskName: "1" }, "400 InvalidDiskName.Malformed"],
    [{ InstanceId: "i-none" }, "404 InvalidInstanceId.NotFound"],
])("%j is refused", async (parameters, expected) => {
    expect(await cloud.refusal("CreateDisk", { ZoneId: ZONE, Size: "20", ...parameters })).toBe(expected);
});

test("disks that the cloud sells and no file can hold are refused, whoever asks for them", async () => {
    const large = "16384";
    const expected = "400 UnsupportedOperation";
    const DiskCategory = "cloud_essd";
    expect(await cloud.refusal("CreateDisk", { ZoneId: ZONE, DiskCategory, Size: large })).toBe(expected);
    const disk = { "DataDisk.1.Category": DiskCategory, "DataDisk.1.Size": large };
    await expect(cloud.instance(site, disk)).rejects.toThrow("The lab makes disks of at most 16383 GiB.");
    const DiskId = await create({ DiskCategory });
    expect(await cloud.refusal("ResizeDisk", { DiskId, NewSize: large })).toBe(expected);
    await cloud.call("ResizeDisk", { DiskId, NewSize: "16383" });
});

test("disks are found by the minute of their creation, both ends of a time included", async () => {
    await cloud.call("CreateDisk", { ZoneId: ZONE, Size: "20" });
    const between = async (from: string, to: string) => {
        const filters = { "Filter.1.Key": "CreationStartTime", "Filter.2.Key": "CreationEndTime" };
        return cloud.call("DescribeDisks", { ...filters, "Filter.1.Value": from, "Filter.2.Value": to });
    };
    expect(await between("2026-01-31T12:00Z", "2026-01-31T12:00Z")).toMatchObject({ TotalCount: 1 });
    expect(await between("2026-01-31T12:01Z", "2026-01-31T12:05Z")).toMatchObject({ TotalCount: 0 });
    expect(await between("2026-01-31T11:00Z", "2026-01-31T11:59Z")).toMatchObject({ TotalCount: 0 });
});

test("disks follow their instance or stay, as they were told", async () => {
    const InstanceId = await cloud.instance(site, {
        "DataDisk.1.Size": "20",
        "DataDisk.2.Size": "30",
        "DataDisk.2.DeleteWithInstance": "false",
    });
    const attached = await create();
    await cloud.call("AttachDisk", { DiskId: attached, InstanceId });
    expect(await show(attached)).toMatchObject({ Device: "/dev/xvdd", DeleteWithInstance: false });
    await cloud.call("DeleteInstance", { InstanceId, Force: "true" });
    const left = list(await cloud.call("DescribeDisks"), "Disks.Disk");
    expect(left.map((disk) => [disk["Size"], disk["Status"]]).sort()).toEqual([
        [20, "Available"],
        [30, "Available"],
    ]);
});

test("a system disk and a disk of another zone stay where they are", async () => {
    const InstanceId = await cloud.instance(site);
    const system = Object.keys(cloud.state.disks)[0]!;
    expect(await cloud.refusal("DetachDisk", { DiskId: system, InstanceId })).toBe(
        "403 InvalidDiskId.OperationNotSupported",
    );
    expect(await cloud.refusal("DeleteDisk", { DiskId: system })).toBe("403 InvalidDiskId.OperationNotSupported");
    const away = await create({ ZoneId: OTHER_ZONE });
    expect(await cloud.refusal("AttachDisk", { DiskId: away, InstanceId })).toBe("403 ResourcesNotInSameZone");
});

test("a snapshot policy knows its disks, and goes from them when it is deleted", async () => {
    const created = await cloud.call("CreateAutoSnapshotPolicy", {
        timePoints: '["1","22"]',
        repeatWeekdays: '["1"]',
        retentionDays: "7",
        autoSnapshotPolicyName: "daily",
    });
    const autoSnapshotPolicyId = text(created, "AutoSnapshotPolicyId");
    const DiskId = await create();
    const diskIds = JSON.stringify([DiskId]);
    await cloud.call("ApplyAutoSnapshotPolicy", { autoSnapshotPolicyId, diskIds });
    const query = { AutoSnapshotPolicyId: autoSnapshotPolicyId };
    expect(await cloud.call("DescribeDisks", query)).toMatchObject({ TotalCount: 1 });
    await cloud.call("CancelAutoSnapshotPolicy", { diskIds });
    expect(await cloud.call("DescribeDisks", query)).toMatchObject({ TotalCount: 0 });
    await cloud.call("ApplyAutoSnapshotPolicy", { autoSnapshotPolicyId, diskIds });
    await cloud.call("DeleteAutoSnapshotPolicy", { autoSnapshotPolicyId });
    expect(await show(DiskId)).toMatchObject({ AutoSnapshotPolicyId: "" });
    expect(
        await cloud.refusal("CreateAutoSnapshotPolicy", {
            timePoints: '["24"]',
            repeatWeekdays: '["1"]',
            retentionDays: "7",
        }),
    ).toBe("400 InvalidTimePoints.Malformed");
});

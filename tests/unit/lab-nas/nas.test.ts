/** NAS's actions, and what they make of the machine. */
import { actions } from "../../../lab/api/nas";
import { project } from "../../../lab/model/project";
import { alicloudSearch } from "../../../lab/orphans";
import { RpcError } from "../../../lab/rpc";
import { CloudError } from "../../../lab/api/errors";
import { ganeshaConfiguration } from "../../../lab/net/ganesha";
import { type Answer, at, Cloud, list, type Parameters, text, ZONE } from "../lab-vpc/harness";

const VERSION = "2017-06-26";
let cloud: Cloud;
let FileSystemId: string;
let VpcId: string;
let VSwitchId: string;
const AccessGroupName = "clients";

const call = (name: string, parameters: Parameters = {}): Promise<Answer> =>
    cloud.call(name, parameters, "cn-hangzhou", VERSION);
const refusal = (name: string, parameters: Parameters = {}): Promise<string> =>
    cloud.refusal(name, parameters, "cn-hangzhou", VERSION);
const create = async (parameters: Parameters = {}): Promise<string> =>
    text(
        await call("CreateFileSystem", {
            StorageType: "Capacity",
            ProtocolType: "NFS",
            EncryptType: "1",
            ...parameters,
        }),
        "FileSystemId",
    );
const target = (parameters: Parameters = {}): Parameters => ({
    FileSystemId,
    AccessGroupName,
    NetworkType: "Vpc",
    VpcId,
    VSwitchId,
    ...parameters,
});
const mount = async (parameters: Parameters = {}): Promise<string> =>
    text(await call("CreateMountTarget", target(parameters)), "MountTargetDomain");
const rule = async (parameters: Parameters): Promise<string> =>
    text(await call("CreateAccessRule", { AccessGroupName, ...parameters }), "AccessRuleId");
const fileSystem = async (): Promise<Answer> =>
    list(await call("DescribeFileSystems", { FileSystemId }), "FileSystems.FileSystem")[0]!;

beforeEach(async () => {
    cloud = new Cloud(actions);
    VpcId = await cloud.vpc({ CidrBlock: "10.0.0.0/16" });
    VSwitchId = await cloud.vswitch(VpcId, "10.0.1.0/24");
    FileSystemId = await create({ ZoneId: ZONE, "Tag.1.Key": "stack", "Tag.1.Value": "dev" });
    await call("CreateAccessGroup", { AccessGroupName, AccessGroupType: "Vpc", Description: "ours" });
});

describe("file systems", () => {
    test("are made, described, changed and deleted, and then not there with status 404", async () => {
        expect(FileSystemId).toMatch(/^[0-9a-f]{10}$/);
        expect(await fileSystem()).toMatchObject({
            Status: "Running",
            FileSystemType: "standard",
            ProtocolType: "NFS",
            StorageType: "Capacity",
            EncryptType: 1,
            ZoneId: ZONE,
            // The provider would see a change in a VPC of its own in every run.
            VpcId: "",
            QuorumVswId: "",
            MountTargets: { MountTarget: [] },
        });
        await call("ModifyFileSystem", { FileSystemId, Description: "shared files" });
        await call("ChangeResourceGroup", { ResourceId: FileSystemId, NewResourceGroupId: "rg-other" });
        expect(await fileSystem()).toMatchObject({ Description: "shared files", ResourceGroupId: "rg-other" });
        await call("DeleteFileSystem", { FileSystemId });
        expect(await refusal("DescribeFileSystems", { FileSystemId })).toBe("404 InvalidFileSystem.NotFound");
        expect(list(await call("DescribeFileSystems"), "FileSystems.FileSystem")).toEqual([]);
    });

    test("are listed by their type, and made in the zones that there are", async () => {
        const listed = async (FileSystemType: string): Promise<number> =>
            list(await call("DescribeFileSystems", { FileSystemType }), "FileSystems.FileSystem").length;
        expect(await listed("all")).toBe(1);
        expect(await listed("extreme, standard")).toBe(1);
        expect(await listed("extreme,cpfs")).toBe(0);
        const zones = list(await call("DescribeZones", { RegionId: "cn-hangzhou" }), "Zones.Zone");
        expect(zones.find((zone) => zone["ZoneId"] === ZONE)).toMatchObject({
            InstanceTypes: {
                InstanceType: [
                    { StorageType: "Capacity", ProtocolType: "nfs" },
                    { StorageType: "Performance", ProtocolType: "nfs" },
                    { StorageType: "Premium", ProtocolType: "nfs" },
                ],
            },
        });
    });

    test("are offered in regions, which are listed page by page", async () => {
        const first = await call("DescribeRegions");
        expect(first).toMatchObject({ PageNumber: 1, PageSize: 10 });
        expect(list(first, "Regions.Region")).toContainEqual({
            RegionId: "cn-hangzhou",
            LocalName: "华东1（杭州）",
            RegionEndpoint: "nas.cn-hangzhou.aliyuncs.com",
        });
        const all = await call("DescribeRegions", { FileSystemType: "all", PageSize: "100" });
        expect(list(all, "Regions.Region")).toHaveLength(at(first, "TotalCount") as number);
        expect(await refusal("DescribeRegions", { FileSystemType: "cpfs" })).toBe(
            "400 InvalidParameter.FileSystemType",
        );
    });

    test("have switches and tags", async () => {
        const bin = (): Promise<Answer> => call("GetRecycleBinAttribute", { FileSystemId });
        expect(at(await bin(), "RecycleBinAttribute.Status")).toBe("Disable");
        expect(await refusal("UpdateRecycleBinAttribute", { FileSystemId, ReservedDays: "5" })).toBe(
            "403 OperationDenied.RecycleBinDisabled",
        );
        await call("EnableRecycleBin", { FileSystemId });
        await call("UpdateRecycleBinAttribute", { FileSystemId, ReservedDays: "30" });
        expect(at(await bin(), "RecycleBinAttribute")).toMatchObject({ Status: "Enable", ReservedDays: 30 });
        await call("DisableAndCleanRecycleBin", { FileSystemId });
        await call("EnableNfsAcl", { FileSystemId });
        expect(at(await call("DescribeNfsAcl", { FileSystemId }), "Acl.Enabled")).toBe(true);
        await call("DisableNfsAcl", { FileSystemId });
        expect(at(await call("DescribeSmbAcl", { FileSystemId }), "Acl.Enabled")).toBe(false);
        expect(at(await call("DescribeNfsAcl", { FileSystemId }), "Acl.Enabled")).toBe(false);

        const of = { ResourceType: "filesystem", "ResourceId.1": FileSystemId };
        await call("TagResources", { ...of, "Tag.1.Key": "team", "Tag.1.Value": "web" });
        await call("UntagResources", { ...of, "TagKey.1": "stack" });
        expect(list(await call("ListTagResources", of), "TagResources.TagResource")).toEqual([
            { ResourceId: FileSystemId, ResourceType: "filesystem", TagKey: "team", TagValue: "web" },
        ]);
        expect(await refusal("ListTagResources", { ...of, "ResourceId.1": "none" })).toBe(
            "404 InvalidResourceId.NotFound",
        );
    });

    test("refuse what the lab or the cloud doesn't have", async () => {
        const given = { StorageType: "Capacity", ProtocolType: "NFS" };
        expect(await refusal("CreateFileSystem", { ...given, ProtocolType: "SMB" })).toBe(
            "400 InvalidParameter.ProtocolType",
        );
        expect(await refusal("CreateFileSystem", { ...given, StorageType: "Fast" })).toBe(
            "400 InvalidParameter.StorageType",
        );
        expect(await refusal("CreateFileSystem", { ...given, FileSystemType: "extreme" })).toBe(
            "400 InvalidParameter.FileSystemType",
        );
        expect(await refusal("CreateFileSystem", { ...given, EncryptType: "2" })).toBe(
            "400 InvalidParameter.EncryptType",
        );
        expect(await refusal("CreateFileSystem", { ...given, ZoneId: "cn-x" })).toBe("404 InvalidAZone.NotFound");
        for (let count = 1; count < 20; count += 1) await create();
        expect(await refusal("CreateFileSystem", given)).toBe("403 OperationDenied.FileSystemCountsExceeded");
    });
});

describe("access groups", () => {
    test("have rules that are made, changed and deleted", async () => {
        const id = await rule({ SourceCidrIp: "10.0.1.7", RWAccessType: "RDWR", UserAccessType: "root_squash" });
        const described = (): Promise<Answer> => call("DescribeAccessRules", { AccessGroupName, AccessRuleId: id });
        expect(list(await described(), "AccessRules.AccessRule")).toEqual([
            {
                AccessGroupName,
                AccessRuleId: id,
                FileSystemType: "standard",
                RegionId: "cn-hangzhou",
                SourceCidrIp: "10.0.1.7",
                Ipv6SourceCidrIp: "",
                RWAccess: "RDWR",
                UserAccess: "root_squash",
                Priority: 1,
            },
        ]);
        const changes = { RWAccessType: "RDONLY", SourceCidrIp: "10.0.1.0/24", Priority: "7" };
        await call("ModifyAccessRule", { AccessGroupName, AccessRuleId: id, ...changes });
        expect(list(await described(), "AccessRules.AccessRule")[0]).toMatchObject({
            RWAccess: "RDONLY",
            UserAccess: "root_squash",
            SourceCidrIp: "10.0.1.0/24",
            Priority: 7,
        });
        await call("DeleteAccessRule", { AccessGroupName, AccessRuleId: id });
        expect(await refusal("DescribeAccessRules", { AccessGroupName, AccessRuleId: id })).toBe(
            "404 InvalidAccessRule.NotFound",
        );
        expect(await refusal("CreateAccessRule", { AccessGroupName, SourceCidrIp: "web-1" })).toBe(
            "400 InvalidParameter.SourceCidrIp",
        );
    });

    test("have a rule once, however often a client asks for it", async () => {
        const id = await rule({ SourceCidrIp: "10.0.1.7" });
        expect(await rule({ SourceCidrIp: "10.0.1.7" })).toBe(id);
        expect(await rule({ SourceCidrIp: "10.0.1.7", Priority: "2" })).not.toBe(id);
    });

    test("include the default one, whose only rule lets everybody in and stays", async () => {
        const everyone = { AccessGroupName: "DEFAULT_VPC_GROUP_NAME" };
        const [only, ...others] = list(await call("DescribeAccessRules", everyone), "AccessRules.AccessRule");
        expect(others).toEqual([]);
        expect(only).toMatchObject({ SourceCidrIp: "0.0.0.0/0", RWAccess: "RDWR", UserAccess: "no_squash" });
        const rule = { ...everyone, AccessRuleId: text(only, "AccessRuleId") };
        for (const [action, parameters] of [
            ["CreateAccessRule", { ...everyone, SourceCidrIp: "10.0.1.7" }],
            ["ModifyAccessRule", { ...rule, RWAccessType: "RDONLY" }],
            ["DeleteAccessRule", rule],
        ] as const)
            expect(await refusal(action, parameters)).toBe("403 OperationDenied.DefaultAccessGroupCannotModify");
    });

    test("are one of a name, and the default one stays as it is", async () => {
        const given = { AccessGroupName, AccessGroupType: "Vpc" };
        expect(await refusal("CreateAccessGroup", given)).toBe("403 InvalidAccessGroup.AlreadyExisted");
        expect(await refusal("CreateAccessGroup", { ...given, AccessGroupName: "1st" })).toBe(
            "400 InvalidParameter.AccessGroupName",
        );
        const everyone = { AccessGroupName: "DEFAULT_VPC_GROUP_NAME" };
        expect(await refusal("DeleteAccessGroup", everyone)).toBe("403 OperationDenied.DefaultAccessGroupCannotDelete");
        expect(await refusal("ModifyAccessGroup", everyone)).toBe("403 OperationDenied.DefaultAccessGroupCannotModify");
        await call("ModifyAccessGroup", { AccessGroupName, Description: "theirs" });
        const [group] = list(await call("DescribeAccessGroups", { AccessGroupName }), "AccessGroups.AccessGroup");
        expect(group).toMatchObject({
            Description: "theirs",
            RuleCount: 0,
            MountTargetCount: 0,
            AccessGroupType: "Vpc",
        });
        await call("DeleteAccessGroup", { AccessGroupName });
        expect(await refusal("DescribeAccessGroups", { AccessGroupName })).toBe("404 InvalidAccessGroup.NotFound");
    });
});

describe("mount targets", () => {
    test("take an address of their VSwitch and keep group, file system and VSwitch from being deleted", async () => {
        const MountTargetDomain = await mount();
        expect(MountTargetDomain).toMatch(
            new RegExp(`^${FileSystemId}-[0-9a-f]{5}\\.cn-hangzhou\\.nas\\.aliyuncs\\.com$`),
        );
        const described = list(
            await call("DescribeMountTargets", { FileSystemId, MountTargetDomain }),
            "MountTargets.MountTarget",
        );
        expect(described).toEqual([
            {
                MountTargetDomain,
                NetworkType: "Vpc",
                Status: "Active",
                VpcId,
                VswId: VSwitchId,
                AccessGroup: AccessGroupName,
                IPVersion: "IPv4",
            },
        ]);
        expect(await refusal("DeleteAccessGroup", { AccessGroupName })).toBe("403 InvalidAccessGroup.AlreadyAttached");
        expect(await refusal("DeleteFileSystem", { FileSystemId })).toBe("403 OperationDenied.MountTargetNotEmpty");
        expect(await cloud.refusal("DeleteVSwitch", { VSwitchId })).toBe("400 DependencyViolation.NAS");
        await call("DeleteMountTarget", { FileSystemId, MountTargetDomain });
        expect(await refusal("DescribeMountTargets", { FileSystemId, MountTargetDomain })).toBe(
            "404 InvalidMountTarget.NotFound",
        );
        expect(list(await call("DescribeMountTargets", { FileSystemId }), "MountTargets.MountTarget")).toEqual([]);
        await call("DeleteFileSystem", { FileSystemId });
    });

    test("are two at most, in a VSwitch of the VPC that is named", async () => {
        const other = await cloud.vpc({ CidrBlock: "10.1.0.0/16" });
        expect(await refusal("CreateMountTarget", target({ VpcId: other }))).toBe("404 InvalidVSwitchId.NotFound");
        expect(await refusal("CreateMountTarget", target({ VpcId: "vpc-none" }))).toBe("404 InvalidVpc.NotFound");
        expect(await refusal("CreateMountTarget", target({ VSwitchId: "" }))).toBe("400 MissingParameter");
        expect(await refusal("CreateMountTarget", target({ AccessGroupName: "none" }))).toBe(
            "404 InvalidAccessGroup.NotFound",
        );
        await mount();
        await mount();
        expect(await refusal("CreateMountTarget", target())).toBe("403 OperationDenied.MountTargetCountsExceeded");
        const addresses = project(cloud.state).fileSystems[0]!.mountTargets.map(({ address }) => address);
        expect(addresses).toEqual(["10.0.1.1", "10.0.1.2"]);
    });

    test("let in whom the rules name, in their order, and are known by name in their VPC alone", async () => {
        await rule({
            SourceCidrIp: "10.0.0.0/16",
            RWAccessType: "RDONLY",
            UserAccessType: "all_squash",
            Priority: "50",
        });
        await rule({ SourceCidrIp: "10.0.1.7" });
        const MountTargetDomain = await mount();
        const { zones, fileSystems } = project(cloud.state);
        expect(zones).toEqual([
            {
                name: MountTargetDomain,
                vpcIds: [VpcId],
                recursive: true,
                records: [{ name: MountTargetDomain, type: "A", value: "10.0.1.1", ttl: 60, priority: 1 }],
            },
        ]);
        const [served] = fileSystems[0]!.mountTargets;
        expect(served).toMatchObject({
            active: true,
            rules: [
                { source: "10.0.1.7", write: true, squash: "none" },
                { source: "10.0.0.0/16", write: false, squash: "all" },
            ],
        });
        const text = ganeshaConfiguration(served!, { files: "/files", recovery: "/recovery" });
        expect(text.match(/CLIENT \{.*/g)).toEqual([
            "CLIENT { Clients = 10.0.1.7; Protocols = 4; Access_Type = RW; Squash = No_Root_Squash; }",
            "CLIENT { Clients = 10.0.0.0/16; Protocols = 4; Access_Type = RO; Squash = All_Squash; }",
        ]);
        expect(text).toContain("Bind_addr = 10.0.1.1;");
        expect(text).toContain("Access_Type = None;");
    });

    test("are switched off and given another group, without a word to who stays", async () => {
        const MountTargetDomain = await mount();
        await call("ModifyMountTarget", { FileSystemId, MountTargetDomain, Status: "Inactive" });
        expect(project(cloud.state).fileSystems[0]!.mountTargets[0]!.active).toBe(false);
        const everyone = { AccessGroupName: "DEFAULT_VPC_GROUP_NAME", Status: "Active" };
        await call("ModifyMountTarget", { FileSystemId, MountTargetDomain, ...everyone });
        const target = project(cloud.state).fileSystems[0]!.mountTargets[0]!;
        expect(target).toMatchObject({
            active: true,
            rules: [{ source: "0.0.0.0/0", write: true, squash: "none" }],
        });
        // NFS-Ganesha refuses a range of all addresses, and an export that has one.
        expect(ganeshaConfiguration(target, { files: "/files", recovery: "/recovery" })).toContain(
            "CLIENT { Clients = *; Protocols = 4; Access_Type = RW; Squash = No_Root_Squash; }",
        );
    });
});

test("what an interrupted run left is found by what was to become of it, and removed", async () => {
    const search = alicloudSearch(async (_product, action, parameters) => {
        try {
            return await call(action, parameters);
        } catch (error) {
            throw error instanceof CloudError ? new RpcError(error.code, error.message, error.status) : error;
        }
    }, "cn-hangzhou");
    const AccessRuleId = await rule({ SourceCidrIp: "10.0.1.7" });
    await rule({ SourceCidrIp: "10.0.1.8" });
    const MountTargetDomain = await mount();
    const wanted: readonly [type: string, inputs: Record<string, unknown>, id: string][] = [
        [
            "accessRule:AccessRule",
            { accessGroupName: AccessGroupName, sourceCidrIp: "10.0.1.7" },
            `clients:${AccessRuleId}`,
        ],
        [
            "mountTarget:MountTarget",
            { fileSystemId: FileSystemId, vswitchId: VSwitchId },
            `${FileSystemId}:${MountTargetDomain}`,
        ],
        ["accessGroup:AccessGroup", { accessGroupName: AccessGroupName }, "clients:standard"],
        ["fileSystem:FileSystem", { tags: { stack: "dev" } }, FileSystemId],
    ];
    const byFormerName = await search.find("alicloud:nas/accessGroup:AccessGroup", { name: AccessGroupName });
    expect(byFormerName?.map((orphan) => orphan.id)).toEqual(["clients:standard"]);
    for (const type of ["accessGroup:AccessGroup", "accessRule:AccessRule"])
        expect(await search.find(`alicloud:nas/${type}`, {})).toEqual([]);
    for (const [type, inputs, id] of wanted) {
        const full = `alicloud:nas/${type}`;
        const found = await search.find(full, inputs);
        expect(found?.map((orphan) => orphan.id)).toEqual([id]);
        for (const orphan of found ?? []) await orphan.remove();
        expect(await search.find(full, inputs)).toEqual([]);
    }
});

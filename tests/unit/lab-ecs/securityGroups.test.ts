import { Answer, Cloud, Parameters, Site, at, list } from "./harness";

let cloud: Cloud;
let site: Site;
beforeEach(async () => {
    cloud = new Cloud();
    site = await cloud.site();
});

const ssh = { IpProtocol: "tcp", PortRange: "22/22", SourceCidrIp: "10.0.0.0/8" };

async function rules(groupId = site.groupId, more: Parameters = {}): Promise<readonly Answer[]> {
    const answer = await cloud.call("DescribeSecurityGroupAttribute", { SecurityGroupId: groupId, ...more });
    return list(answer, "Permissions.Permission");
}

const authorize = (parameters: Parameters, egress = false) =>
    cloud.call(egress ? "AuthorizeSecurityGroupEgress" : "AuthorizeSecurityGroup", {
        SecurityGroupId: site.groupId,
        ...parameters,
    });

test("a rule is answered in the cloud's spelling, whatever the request's", async () => {
    await authorize({ ...ssh, Policy: "ACCEPT", NicType: "internet", Description: "in" });
    expect(await rules()).toEqual([
        expect.objectContaining({
            Direction: "ingress",
            IpProtocol: "TCP",
            PortRange: "22/22",
            Policy: "Accept",
            Priority: "1",
            NicType: "intranet",
            SourceCidrIp: "10.0.0.0/8",
            DestCidrIp: "",
            Description: "in",
        }),
    ]);
    expect(cloud.applied).toBe(1);
});

test("IPv6 ranges are compressed", async () => {
    await authorize({ IpProtocol: "icmpv6", Ipv6SourceCidrIp: "2001:DB8:0:0::/32" });
    expect(await rules()).toMatchObject([
        { IpProtocol: "ICMPv6", PortRange: "-1/-1", Ipv6SourceCidrIp: "2001:db8::/32", SourceCidrIp: "" },
    ]);
});

test("the same rule again is a success that adds nothing; another priority is another rule", async () => {
    await authorize(ssh);
    await authorize({ ...ssh, IpProtocol: "TCP", Policy: "accept", Priority: "1", Description: "other" });
    expect(await rules()).toHaveLength(1);
    await authorize({ ...ssh, Priority: "2" });
    expect(await rules()).toHaveLength(2);
});

test("several rules at once, in both directions", async () => {
    await authorize({
        "Permissions.1.IpProtocol": "tcp",
        "Permissions.1.PortRange": "80/80",
        "Permissions.1.SourceCidrIp": "0.0.0.0/0",
        "Permissions.2.IpProtocol": "udp",
        "Permissions.2.PortRange": "53/53",
        "Permissions.2.SourceCidrIp": "10.1.2.3",
    });
    await authorize({ IpProtocol: "all", DestCidrIp: "0.0.0.0/0", Policy: "drop", Priority: "100" }, true);
    expect(await rules(site.groupId, { Direction: "egress" })).toMatchObject([
        { Direction: "egress", IpProtocol: "ALL", PortRange: "-1/-1", Policy: "Drop", DestCidrIp: "0.0.0.0/0" },
    ]);
    expect(await rules(site.groupId, { Direction: "ingress" })).toHaveLength(2);
    const first = await cloud.call("DescribeSecurityGroupAttribute", {
        SecurityGroupId: site.groupId,
        MaxResults: "2",
    });
    const NextToken = String(first["NextToken"]);
    expect(await rules(site.groupId, { MaxResults: "2", NextToken })).toHaveLength(1);
});

test.each<[string, Parameters, string]>([
    ["no protocol", { PortRange: "1/2", SourceCidrIp: "0.0.0.0/0" }, "400 MissingParameter"],
    ...["constructor", "__proto__", "toString"].map((IpProtocol): [string, Parameters, string] => [
        `a protocol named ${IpProtocol}`,
        { ...ssh, IpProtocol },
        "400 InvalidIpProtocol.ValueNotSupported",
    ]),
    ["an unknown protocol", { ...ssh, IpProtocol: "sctp" }, "400 InvalidIpProtocol.ValueNotSupported"],
    ["a single port", { ...ssh, PortRange: "22" }, "400 InvalidIpPortRange.Malformed"],
    ["ports the wrong way round", { ...ssh, PortRange: "23/22" }, "400 InvalidIpPortRange.Malformed"],
    ["port 65536", { ...ssh, PortRange: "1/65536" }, "400 InvalidIpPortRange.Malformed"],
    ["all ports of TCP as -1/-1", { ...ssh, PortRange: "-1/-1" }, "400 InvalidIpPortRange.Malformed"],
    ["ports of ICMP", { ...ssh, IpProtocol: "icmp" }, "400 InvalidIpPortRange.Malformed"],
    ["a malformed range", { ...ssh, SourceCidrIp: "10.0.0.0/33" }, "400 InvalidSourceCidrIp.Malformed"],
    ["no source", { IpProtocol: "tcp", PortRange: "1/2" }, "400 MissingParameter.Source"],
    ["an unknown policy", { ...ssh, Policy: "reject" }, "400 InvalidPolicy.Malformed"],
    ["priority 0", { ...ssh, Priority: "0" }, "400 InvalidPriority.ValueNotSupported"],
    ["priority 101", { ...ssh, Priority: "101" }, "400 InvalidPriority.ValueNotSupported"],
    ["a priority in words", { ...ssh, Priority: "high" }, "400 InvalidPriority.Malformed"],
    ["an unknown NIC type", { ...ssh, NicType: "wifi" }, "400 InvalidNicType.ValueNotSupported"],
    [
        "an IPv4 range of ICMPv6",
        { IpProtocol: "icmpv6", SourceCidrIp: "10.0.0.0/8" },
        "400 InvalidParam.Ipv6ProtocolConflictWithIpv4Address",
    ],
    ["an unknown group", { IpProtocol: "all", SourceGroupId: "sg-none" }, "404 InvalidSourceGroupId.NotFound"],
    ["a prefix list", { IpProtocol: "all", SourcePrefixListId: "pl-1" }, "404 InvalidPrefixListId.NotFound"],
    ["an unknown security group", { ...ssh, SecurityGroupId: "sg-none" }, "404 InvalidSecurityGroupId.NotFound"],
])("%s is refused", async (_what, parameters, expected) => {
    expect(await cloud.refusal("AuthorizeSecurityGroup", { SecurityGroupId: site.groupId, ...parameters })).toBe(
        expected,
    );
});

test("a group can be a source within its VPC, but not its own", async () => {
    const { groupId: SecurityGroupId, vpcId } = site;
    const other = await cloud.group(vpcId);
    const elsewhere = await cloud.site("10.0.0.0/16");
    const all = { SecurityGroupId, IpProtocol: "all" };
    expect(await cloud.refusal("AuthorizeSecurityGroup", { ...all, SourceGroupId: SecurityGroupId })).toBe(
        "403 InvalidParamter.Conflict",
    );
    expect(await cloud.refusal("AuthorizeSecurityGroup", { ...all, SourceGroupId: elsewhere.groupId })).toBe(
        "400 InvalidSourceGroupId.Mismatch",
    );
    await authorize({ IpProtocol: "all", SourceGroupId: other, SourceGroupOwnerAccount: "me" });
    expect(await rules()).toMatchObject([{ SourceGroupId: other, SourceGroupOwnerAccount: "me", SourceCidrIp: "" }]);
    expect(await cloud.refusal("DeleteSecurityGroup", { SecurityGroupId: other })).toBe("403 DependencyViolation");
    expect(await cloud.call("DescribeSecurityGroupReferences", { "SecurityGroupId.1": other })).toMatchObject({
        SecurityGroupReferences: { SecurityGroupReference: [{ SecurityGroupId: other }] },
    });
    await cloud.call("DeleteSecurityGroup", { SecurityGroupId });
    await cloud.call("DeleteSecurityGroup", { SecurityGroupId: other });
});

test("rules are revoked by what they say or by their ids", async () => {
    await authorize(ssh);
    await authorize({ ...ssh, Policy: "drop" });
    const revoke = (more: Parameters) => cloud.call("RevokeSecurityGroup", { SecurityGroupId: site.groupId, ...more });
    await revoke({ ...ssh, PortRange: "23/23" });
    await revoke({ ...ssh, Priority: "7" });
    expect(await rules()).toHaveLength(2);
    await revoke({ ...ssh, IpProtocol: "TCP", Policy: "Accept", NicType: "intranet", Priority: "1" });
    const [left] = await rules();
    expect(left).toMatchObject({ Policy: "Drop" });
    const byId = { "SecurityGroupRuleId.1": String(left!["SecurityGroupRuleId"]) };
    const wrongWay = { SecurityGroupId: site.groupId, ...byId };
    expect(await cloud.refusal("RevokeSecurityGroupEgress", wrongWay)).toBe("400 InvalidParam.SecurityGroupRuleId");
    await revoke(byId);
    expect(await rules()).toEqual([]);
    expect(await cloud.refusal("RevokeSecurityGroup", wrongWay)).toBe("400 InvalidParam.SecurityGroupRuleId");
});

test("rules are modified by what they say or by their ids", async () => {
    await authorize(ssh);
    await authorize({ ...ssh, PortRange: "80/80" });
    const modify = { SecurityGroupId: site.groupId };
    await cloud.call("ModifySecurityGroupRule", {
        ...modify,
        ...ssh,
        Description: "new",
        Policy: "accept",
        Priority: "1",
    });
    const [first] = await rules();
    expect(first).toMatchObject({ PortRange: "22/22", Description: "new" });
    const byId = { ...modify, SecurityGroupRuleId: String(first!["SecurityGroupRuleId"]) };
    await cloud.call("ModifySecurityGroupRule", { ...byId, PortRange: "2222/2222", SourceCidrIp: "10.1.0.0/16" });
    expect((await rules())[0]).toMatchObject({
        PortRange: "2222/2222",
        SourceCidrIp: "10.1.0.0/16",
        Description: "new",
    });
    const refusals: [Parameters, string][] = [
        [{ ...byId, PortRange: "80/80", SourceCidrIp: "10.0.0.0/8" }, "400 InvalidOperation.RuleDuplicate"],
        [{ ...byId, Ipv6SourceCidrIp: "::/0" }, "400 InvalidOperation.ModifySgRuleEntityType"],
        [{ ...modify, ...ssh, PortRange: "1/1" }, "404 SecurityGroupRule.NotFound"],
        [{ ...modify, SecurityGroupRuleId: "sgr-none" }, "404 InvalidSecurityGroupRuleId.NotFound"],
    ];
    for (const [parameters, expected] of refusals)
        expect(await cloud.refusal("ModifySecurityGroupRule", parameters)).toBe(expected);
});

test("a group needs a VPC that is there, and proper names", async () => {
    const { vpcId: VpcId } = site;
    const refusals: [Parameters, string][] = [
        [{}, "400 MissingParameter"],
        [{ VpcId: "vpc-none" }, "404 InvalidVpcId.NotFound"],
        [{ VpcId, SecurityGroupName: "1" }, "400 InvalidSecurityGroupName.Malformed"],
        [{ VpcId, SecurityGroupName: "http://x" }, "400 InvalidSecurityGroupName.Malformed"],
        [{ VpcId, Description: "https://x" }, "400 InvalidSecurityGroupDiscription.Malformed"],
        [{ VpcId, SecurityGroupType: "large" }, "400 InvalidSecurityGroupType.ValueNotSupported"],
        [{ VpcId, "Tag.1.Key": "acs:x" }, "400 InvalidTagKey.Malformed"],
        [{ VpcId, "Tag.1.Key": "a", "Tag.2.Key": "a" }, "400 Duplicate.TagKey"],
    ];
    for (const [parameters, expected] of refusals)
        expect(await cloud.refusal("CreateSecurityGroup", parameters)).toBe(expected);
});

test("a group in use stays", async () => {
    const instanceId = await cloud.instance(site);
    const group = { SecurityGroupId: site.groupId };
    expect(await cloud.refusal("DeleteSecurityGroup", group)).toBe("403 DependencyViolation");
    expect(await cloud.call("DescribeSecurityGroups", group)).toMatchObject({
        SecurityGroups: { SecurityGroup: [{ EcsCount: 1, SecurityGroupType: "normal" }] },
    });
    await cloud.call("DeleteInstance", { InstanceId: instanceId, Force: "true" });
    await cloud.call("DeleteSecurityGroup", group);
    expect(await cloud.refusal("DeleteSecurityGroup", group)).toBe("404 InvalidSecurityGroupId.NotFound");
});

test("groups are listed by name, VPC, tag and page", async () => {
    await cloud.group(site.vpcId, { SecurityGroupName: "web", "Tag.1.Key": "role", "Tag.1.Value": "web" });
    await cloud.group(site.vpcId, { SecurityGroupName: "database" });
    const names = async (query: Parameters) =>
        list(await cloud.call("DescribeSecurityGroups", query), "SecurityGroups.SecurityGroup").map((group) =>
            at(group, "SecurityGroupName"),
        );
    expect(await names({ SecurityGroupName: "web" })).toEqual(["web"]);
    expect(await names({ "Tag.1.Key": "role" })).toEqual(["web"]);
    expect(await names({ "Tag.1.Key": "role", "Tag.1.Value": "db" })).toEqual([]);
    expect(await names({ VpcId: "vpc-none" })).toEqual([]);
    expect(await names({ PageSize: "2", PageNumber: "2" })).toEqual(["database"]);
    expect(await names({ RegionId: "cn-beijing" })).toEqual([]);
    const first = await cloud.call("DescribeSecurityGroups", { MaxResults: "2" });
    expect(await names({ MaxResults: "2", NextToken: String(first["NextToken"]) })).toEqual(["database"]);
});

test("the inner access policy, which an enterprise group has no choice about", async () => {
    const inner = async (id: string) =>
        (await cloud.call("DescribeSecurityGroupAttribute", { SecurityGroupId: id }))["InnerAccessPolicy"];
    expect(await inner(site.groupId)).toBe("Accept");
    await cloud.call("ModifySecurityGroupPolicy", { SecurityGroupId: site.groupId, InnerAccessPolicy: "drop" });
    expect(await inner(site.groupId)).toBe("Drop");
    const enterprise = await cloud.group(site.vpcId, { SecurityGroupType: "enterprise" });
    expect(await inner(enterprise)).toBe("Drop");
});

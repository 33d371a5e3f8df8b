/** What a run that was cut off left behind is looked for whatever it is, and removed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as alicloud from "@pulumi/alicloud";
import { CloudError } from "../../../lab/api/errors";
import { actions as nlb } from "../../../lab/api/nlb";
import { actions as pvtz } from "../../../lab/api/pvtz";
import { alicloudSearch } from "../../../lab/orphans";
import type { Search } from "../../../lab/recover";
import { RpcError, versions } from "../../../lab/rpc";
import { root } from "../../../toolchain/folders";
import { BalancerCloud, at, text } from "../lab-alb/harness";
import { type Parameters, REGION, ZONE } from "../lab-vpc/harness";

/** Types of the provider that components, examples and the program itself create. */
function createdTypes(): Map<string, string> {
    const modules = alicloud as unknown as Record<string, Record<string, { readonly __pulumiType: string }>>;
    const files = ["components", "examples"].flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)),
    );
    return new Map(
        ["index.ts", ...files.filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))].flatMap(
            (file) =>
                [...readFileSync(join(root, file), "utf8").matchAll(/new alicloud\.(\w+)\.(\w+)\(/g)].map(
                    ([, module, name]) => [modules[module!]![name!]!.__pulumiType, file] as const,
                ),
        ),
    );
}

test("every type that components, examples and the program create is looked for", async () => {
    const created = createdTypes();
    expect(created.size).toBeGreaterThan(40);
    const search = alicloudSearch(async () => ({}), REGION);
    const missing: string[] = [];
    for (const [type, file] of created)
        if ((await search.find(type, {})) === undefined) missing.push(`${type}, which ${file} creates`);
    expect(missing).toEqual([]);
});

test("a type that nobody knows is not", async () => {
    const search = alicloudSearch(async () => ({}), REGION);
    expect(await search.find("alicloud:fc/function:Function", {})).toBeUndefined();
});

test.each([
    ["alb/listener:Listener", "ListListeners", "Listeners"],
    ["nlb/listener:Listener", "ListListeners", "Listeners"],
])("all pages of %s are read", async (type, action, path) => {
    const tokens: (string | undefined)[] = [];
    const paged = alicloudSearch(async (_product, asked, parameters) => {
        expect(asked).toBe(action);
        tokens.push(parameters["NextToken"]);
        const second = parameters["NextToken"] === "more";
        const listener = { ListenerId: `lsn-${tokens.length}`, ListenerPort: 80, ListenerProtocol: "TCP" };
        return { [path]: [{ ...listener, ListenerPort: second ? 80 : 81 }], ...(!second && { NextToken: "more" }) };
    }, REGION);
    const inputs = { loadBalancerId: "lb-1", listenerPort: 80, listenerProtocol: "TCP" };
    expect((await paged.find(`alicloud:${type}`, inputs))?.map(({ id }) => id)).toEqual(["lsn-2"]);
    expect(tokens).toEqual([undefined, "more"]);
});

describe("a rule of a security group", () => {
    const peers: readonly [member: string, ingress: string, egress: string, peer: string, inId: string][] = [
        ["cidrIp", "SourceCidrIp", "DestCidrIp", "10.0.0.0/8", "10.0.0.0/8"],
        ["ipv6CidrIp", "Ipv6SourceCidrIp", "Ipv6DestCidrIp", "2001:db8::/32", "2001_db8__/32"],
        ["sourceSecurityGroupId", "SourceGroupId", "DestGroupId", "sg-2", "sg-2"],
        ["prefixListId", "SourcePrefixListId", "DestPrefixListId", "pl-1", "pl-1"],
    ];
    const inputs = { securityGroupId: "sg-1", ipProtocol: "tcp", portRange: "22/22" };
    const revoked: (string | undefined)[] = [];
    const group = alicloudSearch(async (_product, action, parameters) => {
        if (action.startsWith("Revoke")) revoked.push(parameters["SecurityGroupRuleId.1"]);
        const Direction = parameters["Direction"];
        const same = { Direction, IpProtocol: "TCP", PortRange: "22/22", Priority: "1", Policy: "Accept" };
        const Permission = peers.map(([member, ingress, egress, peer]) => ({
            ...same,
            SecurityGroupRuleId: `sgr-${member}`,
            ...Object.fromEntries(
                peers.flatMap((each) => [
                    [each[1], ""],
                    [each[2], ""],
                ]),
            ),
            [Direction === "ingress" ? ingress : egress]: peer,
        }));
        return { Permissions: { Permission } };
    }, REGION);
    const find = (more: Record<string, unknown>) =>
        group.find("alicloud:ecs/securityGroupRule:SecurityGroupRule", { ...inputs, ...more });

    test.each(["ingress", "egress"])("is told from others by whom it lets through, %s", async (type) => {
        for (const [member, , , peer, inId] of peers) {
            const found = (await find({ type, [member]: peer })) ?? [];
            expect(found.map(({ id }) => id)).toEqual([`sg-1:${type}:tcp:22/22:intranet:${inId}:accept:1`]);
            revoked.length = 0;
            await found[0]!.remove();
            expect(revoked).toEqual([`sgr-${member}`]);
        }
    });

    test("is none where nobody is named", async () => {
        expect(await find({ type: "ingress" })).toEqual([]);
    });
});

let cloud: BalancerCloud;
let search: Search;
beforeEach(async () => {
    cloud = new BalancerCloud([...nlb, ...pvtz]);
    await cloud.network();
    search = alicloudSearch(async (product, action, parameters) => {
        try {
            return await cloud.call(action, parameters, REGION, versions[product]);
        } catch (error) {
            throw error instanceof CloudError ? new RpcError(error.code, error.message, error.status) : error;
        }
    }, REGION);
});

const tag: Parameters = { "Tag.1.Key": "multihost:stack", "Tag.1.Value": "lab" };
const tags = { "multihost:stack": "lab" };

/** Expects that one thing is found by these inputs, and nothing once it is removed or by the others. */
async function expectFound(
    type: string,
    inputs: Record<string, unknown>,
    id: string,
    ...others: readonly Record<string, unknown>[]
): Promise<void> {
    const full = `alicloud:${type}`;
    for (const other of others) expect([type, await search.find(full, { ...inputs, ...other })]).toEqual([type, []]);
    const found = (await search.find(full, inputs)) ?? [];
    expect([type, found.map((orphan) => orphan.id)]).toEqual([type, [id]]);
    await found[0]!.remove();
    cloud.settle();
    expect([type, await search.find(full, inputs)]).toEqual([type, []]);
}

describe("private names", () => {
    const ask = (name: string, parameters: Parameters) => cloud.call(name, parameters, REGION, versions.pvtz);
    const record: Parameters = { Rr: "redis", Type: "A", Value: "10.0.0.1" };

    test("a zone by its name and tags, its VPCs, and a record by all that it says", async () => {
        const ZoneId = text(await ask("AddZone", { ZoneName: "internal" }), "ZoneId");
        const other = text(await ask("AddZone", { ZoneName: "internal" }), "ZoneId");
        await ask("TagResources", { ResourceType: "ZONE", "ResourceId.1": ZoneId, ...tag });
        const foreign = { ResourceType: "ZONE", "ResourceId.1": other, ...tag, "Tag.1.Value": "other" };
        await ask("TagResources", foreign);
        const elsewhere = await cloud.vpc({ CidrBlock: "10.1.0.0/16" });
        await ask("BindZoneVpc", {
            ZoneId,
            "Vpcs.1.RegionId": REGION,
            "Vpcs.1.VpcId": cloud.vpcId,
            "Vpcs.2.RegionId": REGION,
            "Vpcs.2.VpcId": elsewhere,
        });
        for (let index = 2; index <= 60; index += 1)
            await ask("AddZoneRecord", { ZoneId, ...record, Value: `10.0.0.${index}` });
        const RecordId = String(at(await ask("AddZoneRecord", { ZoneId, ...record }), "RecordId"));

        await expectFound(
            "pvtz/zoneRecord:ZoneRecord",
            { zoneId: ZoneId, rr: "redis", type: "A", value: "10.0.0.1", ttl: 60 },
            `${RecordId}:${ZoneId}`,
            { rr: "mysql" },
            { type: "TXT" },
            { value: "10.0.0.99" },
            { zoneId: "zone-none" },
        );
        const attachment = { zoneId: ZoneId, vpcIds: [cloud.vpcId] };
        await expectFound(
            "pvtz/zoneAttachment:ZoneAttachment",
            attachment,
            ZoneId,
            { vpcIds: ["vpc-none"] },
            { zoneId: "zone-none" },
        );
        await expectFound("pvtz/zoneAttachment:ZoneAttachment", { zoneId: ZoneId, vpcIds: [elsewhere] }, ZoneId);
        await expectFound("pvtz/zone:Zone", { zoneName: "internal", tags }, ZoneId, { zoneName: "external" });
    });

    test("a zone that was cut off before it had its tags", async () => {
        const ZoneId = text(await ask("AddZone", { ZoneName: "internal" }), "ZoneId");
        await expectFound("pvtz/zone:Zone", { zoneName: "internal", tags }, ZoneId);
    });
});

test("a certificate by its name, and only with its tags", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lab-orphans-"));
    try {
        const [key, crt] = [join(folder, "key"), join(folder, "crt")];
        execFileSync(
            "openssl",
            [
                ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
                ...["-keyout", key, "-out", crt, "-subj", "/CN=shop.example.com", "-days", "2"],
            ],
            { stdio: "ignore" },
        );
        const CertId = at(
            await cloud.cas("UploadUserCertificate", {
                Name: "entry-443",
                Cert: readFileSync(crt, "utf8"),
                Key: readFileSync(key, "utf8"),
                "Tags.1.Key": "multihost:stack",
                "Tags.1.Value": "lab",
            }),
            "CertId",
        ) as number;
        expect(await cloud.cas("ListUserCertificateOrder", { OrderType: "CERT" })).toMatchObject({
            TotalCount: 1,
            CertificateOrderList: [{ CertificateId: CertId, CommonName: "shop.example.com", Expired: false }],
        });
        expect(await cloud.cas("ListUserCertificateOrder")).toMatchObject({ TotalCount: 0, CertificateOrderList: [] });
        await expectFound(
            "cas/serviceCertificate:ServiceCertificate",
            { certificateName: "entry-443", tags },
            String(CertId),
            { certificateName: "entry-444" },
            { tags: { "multihost:stack": "other" } },
        );
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});

test("an application balancer's list: what it holds, and the listener that asks it", async () => {
    const listenerId = await cloud.listener(await cloud.balancer(), await cloud.group());
    const aclId = text(await cloud.alb("CreateAcl", { AclName: "entry-80" }), "AclId");
    await cloud.alb("AddEntriesToAcl", { AclId: aclId, "AclEntries.1.Entry": "198.51.100.0/24" });
    await cloud.alb("AssociateAclsWithListener", { ListenerId: listenerId, "AclIds.1": aclId, AclType: "White" });
    cloud.settle();
    await expectFound(
        "alb/listenerAclAttachment:ListenerAclAttachment",
        { listenerId, aclId, aclType: "White" },
        `${listenerId}:${aclId}`,
        { aclId: "acl-none" },
        { listenerId: "lsn-none" },
    );
    for (let index = 0; index < 120; index += 1)
        await cloud.alb("AddEntriesToAcl", { AclId: aclId, "AclEntries.1.Entry": `203.0.113.${index}` });
    await expectFound(
        "alb/aclEntryAttachment:AclEntryAttachment",
        { aclId, entry: "203.0.113.119" },
        `${aclId}:203.0.113.119`,
        { entry: "203.0.113.200" },
        { aclId: "acl-none" },
    );
});

test("a network balancer's security group", async () => {
    const [first, second] = cloud.vswitches;
    const group = "sg-clients";
    cloud.state.securityGroups[group] = { id: group, regionId: REGION, vpcId: cloud.vpcId } as never;
    const created = await cloud.call(
        "CreateLoadBalancer",
        {
            AddressType: "Intranet",
            VpcId: cloud.vpcId,
            "ZoneMappings.1.ZoneId": ZONE,
            "ZoneMappings.1.VSwitchId": first,
            "ZoneMappings.2.ZoneId": "cn-hangzhou-i",
            "ZoneMappings.2.VSwitchId": second,
            "SecurityGroupIds.1": group,
        },
        REGION,
        versions.Nlb,
    );
    const loadBalancerId = text(created, "LoadbalancerId");
    await expectFound(
        "nlb/loadBalancerSecurityGroupAttachment:LoadBalancerSecurityGroupAttachment",
        { loadBalancerId, securityGroupId: group },
        `${loadBalancerId}:${group}`,
        { securityGroupId: "sg-none" },
        { loadBalancerId: "nlb-none" },
    );
});

test("a floating address by its name and VSwitch, and who may hold it", async () => {
    const [VSwitchId, other] = cloud.vswitches;
    const haVipId = text(await cloud.call("CreateHaVip", { VSwitchId, Name: "service" }), "HaVipId");
    await cloud.call("CreateHaVip", { VSwitchId: other, Name: "service" });
    const { id: instanceId } = cloud.instance(VSwitchId);
    await cloud.call("AssociateHaVip", { HaVipId: haVipId, InstanceId: instanceId });
    await expectFound(
        "vpc/hAVipAttachment:HAVipAttachment",
        { haVipId, instanceId },
        `${haVipId}:${instanceId}`,
        { instanceId: "i-none" },
        { haVipId: "havip-none" },
    );
    await expectFound("vpc/hAVip:HAVip", { haVipName: "service", vswitchId: VSwitchId, tags }, haVipId, {
        haVipName: "other",
    });
});

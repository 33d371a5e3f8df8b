/** Finds and removes what a cut-off Pulumi run left in an Alibaba Cloud, by type of Pulumi's alicloud provider. */
import type { Orphan, Search } from "./recover";
import { Rpc, RpcError } from "./rpc";

type Inputs = Readonly<Record<string, unknown>>;
type Item = Readonly<Record<string, unknown>>;
type Finder = (rpc: Rpc, region: string, inputs: Inputs) => Promise<readonly Orphan[]>;

/** How long to wait for what the cloud still does with a resource before it lets go of it. */
const REMOVE_TIMEOUT_MS = 120_000;
const RETRY_MS = 1_000;

/** Searches an account in a region. */
export function alicloudSearch(rpc: Rpc, region: string): Search {
    return {
        find: async (type, inputs) => {
            const finder = finders[type];
            if (!finder) return type.startsWith("alicloud:") ? undefined : [];
            const found = await finder(rpc, text(inputs, "regionId") || region, inputs);
            return found.map(({ id, remove }) => ({ id, remove: () => patiently(remove) }));
        },
    };
}

async function patiently(remove: () => Promise<void>): Promise<void> {
    const deadline = Date.now() + REMOVE_TIMEOUT_MS;
    for (;;) {
        try {
            await remove();
            return;
        } catch (error) {
            // Gone is what was wanted.
            if (saysGone(error)) return;
            if (
                !(error instanceof RpcError) ||
                !/Status|Conflict|Dependency|Throttling|ServiceUnavailable|Busy/.test(error.code) ||
                Date.now() > deadline
            )
                throw error;
            await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
    }
}

/** Whether an error says that something is not there: PrivateZone answers 400 where other products answer 404. */
function saysGone(error: unknown): boolean {
    return error instanceof RpcError && (error.status === 404 || error.code.endsWith(".NotExists"));
}

function text(item: Item, name: string): string {
    const value = item[name];
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** The list at a path such as `Vpcs.Vpc`; empty when it is not there. */
function list(body: Item, path: string): Item[] {
    let node: unknown = body;
    for (const part of path.split("."))
        node = typeof node === "object" && node !== null ? (node as Item)[part] : undefined;
    return Array.isArray(node) ? (node as Item[]) : [];
}

function tagsOf(item: Item): Map<string, string> {
    const tags = Array.isArray(item["Tags"]) ? (item["Tags"] as Item[]) : list(item, "Tags.Tag");
    return new Map(
        tags.map((tag) => [text(tag, "TagKey") || text(tag, "Key"), text(tag, "TagValue") || text(tag, "Value")]),
    );
}

function wantedTags(inputs: Inputs): [string, string][] {
    const tags = inputs["tags"];
    if (typeof tags !== "object" || tags === null) return [];
    return Object.entries(tags).flatMap(([key, value]) =>
        typeof value === "string" && !key.startsWith("__") ? [[key, value] as [string, string]] : [],
    );
}

/** The first of these members that is set: the provider has former names beside those of today. */
function firstOf(inputs: Inputs, members: readonly string[]): string {
    return members.map((member) => text(inputs, member)).find((value) => value !== "") ?? "";
}

/**
 * Whether an item is what these inputs were to become. Names must be equal; tags must be there, unless the creation was
 * cut off before it set any. Without a name the tags decide alone, and with neither nothing does: nothing is removed
 * on a guess.
 */
function belongs(item: Item, nameInItem: string, inputs: Inputs, nameInInputs: readonly string[]): boolean {
    const name = firstOf(inputs, nameInInputs);
    const tags = tagsOf(item);
    const wanted = wantedTags(inputs);
    const tagged = wanted.length > 0 && wanted.every(([key, value]) => tags.get(key) === value);
    if (name === "") return tagged;
    return text(item, nameInItem) === name && (tagged || wanted.length === 0 || tags.size === 0);
}

interface Listed {
    readonly product: "Alb" | "Ecs" | "NAS" | "Nlb" | "Slb" | "Vpc";
    readonly describe: string;
    readonly path: string;
    readonly id: string;
    readonly name: string;
    /** Members of the inputs that may hold the name. */
    readonly inputs: readonly string[];
    /** Parameter that narrows the list, and the member of the inputs that it takes. */
    readonly filters?: Readonly<Record<string, string>>;
    /** Parameters that are the same for all inputs. */
    readonly fixed?: Readonly<Record<string, string>>;
    readonly remove: (rpc: Rpc, region: string, id: string) => Promise<unknown>;
}

/** A finder of resources that have a name and tags of their own. */
function listed(kind: Listed): Finder {
    return async (rpc, region, inputs) => {
        const filters: Record<string, string> = {};
        for (const [parameter, member] of Object.entries(kind.filters ?? {}))
            if (text(inputs, member) !== "") filters[parameter] = text(inputs, member);
        const items = await paged(rpc, kind.product, kind.describe, kind.path, {
            ...kind.fixed,
            ...filters,
            RegionId: region,
        });
        return items
            .filter((item) => belongs(item, kind.name, inputs, kind.inputs))
            .map((item) => {
                const id = text(item, kind.id);
                return {
                    id,
                    remove: async () => {
                        await kind.remove(rpc, region, id);
                    },
                };
            });
    };
}

/** A kind whose list tells names, but not tags: those are asked for one by one. */
interface Untagged extends Pick<Listed, "id" | "name" | "inputs"> {
    readonly items: (rpc: Rpc) => Promise<Item[]>;
    /** What is known of one, with its tags. */
    readonly detail: (rpc: Rpc, id: string, item: Item) => Promise<Item>;
    readonly remove: (rpc: Rpc, id: string) => Promise<unknown>;
}

function untagged(kind: Untagged): Finder {
    return async (rpc, _, inputs) => {
        const found: Orphan[] = [];
        for (const item of await kind.items(rpc)) {
            if (text(item, kind.name) !== firstOf(inputs, kind.inputs)) continue;
            const id = text(item, kind.id);
            if (!belongs(await kind.detail(rpc, id, item), kind.name, inputs, kind.inputs)) continue;
            const remove = async (): Promise<void> => {
                await kind.remove(rpc, id);
            };
            found.push({ id, remove });
        }
        return found;
    };
}

/** Everything that an action lists, page by page. All lists of ALB and NLB ask for the next one by a token. */
async function paged(
    rpc: Rpc,
    product: Parameters<Rpc>[0],
    action: string,
    path: string,
    parameters: Readonly<Record<string, string>>,
    named: { readonly page: string; readonly size: string } = { page: "PageNumber", size: "PageSize" },
): Promise<Item[]> {
    const byToken = product === "Alb" || product === "Nlb";
    const found: Item[] = [];
    for (let page = 1, token = ""; ; page += 1) {
        const asked = byToken
            ? { MaxResults: "100", ...(token !== "" && { NextToken: token }) }
            : { [named.page]: String(page), [named.size]: "50" };
        const body = await described(rpc(product, action, { ...parameters, ...asked }));
        const items = list(body, path);
        found.push(...items);
        token = text(body, "NextToken");
        if (byToken ? token === "" : items.length < 50) return found;
    }
}

const vpc = (action: string, idName: string, more: Readonly<Record<string, string>> = {}) => {
    return (rpc: Rpc, region: string, id: string) => rpc("Vpc", action, { RegionId: region, [idName]: id, ...more });
};
const ecs = (action: string, idName: string) => {
    return (rpc: Rpc, region: string, id: string) => rpc("Ecs", action, { RegionId: region, [idName]: id });
};

const alb = (action: string, idName: string) => {
    return (rpc: Rpc, region: string, id: string) => rpc("Alb", action, { RegionId: region, [idName]: id });
};
const slb = (action: string, idName: string) => {
    return (rpc: Rpc, region: string, id: string) => rpc("Slb", action, { RegionId: region, [idName]: id });
};

/** One of the newer balancers, which is deleted once nothing protects it. */
function balancerOf(
    product: "Alb" | "Nlb",
    unprotect: (id: string) => readonly [action: string, parameters: Readonly<Record<string, string>>],
): Finder {
    return listed({
        product,
        describe: "ListLoadBalancers",
        path: "LoadBalancers",
        id: "LoadBalancerId",
        name: "LoadBalancerName",
        inputs: ["loadBalancerName"],
        filters: { "LoadBalancerNames.1": "loadBalancerName" },
        remove: async (rpc, region, id) => {
            const [action, parameters] = unprotect(id);
            await rpc(product, action, { RegionId: region, ...parameters });
            await rpc(product, "DeleteLoadBalancer", { RegionId: region, LoadBalancerId: id });
        },
    });
}

function serverGroupOf(product: "Alb" | "Nlb"): Finder {
    return listed({
        product,
        describe: "ListServerGroups",
        path: "ServerGroups",
        id: "ServerGroupId",
        name: "ServerGroupName",
        inputs: ["serverGroupName"],
        filters: { "ServerGroupNames.1": "serverGroupName" },
        remove: (rpc, region, id) => rpc(product, "DeleteServerGroup", { RegionId: region, ServerGroupId: id }),
    });
}

/** A listener of one of the newer balancers: a port has one for each protocol. */
function listenerOf(product: "Alb" | "Nlb"): Finder {
    return async (rpc, region, inputs) => {
        const balancer = { RegionId: region, "LoadBalancerIds.1": text(inputs, "loadBalancerId") };
        const listeners = await paged(rpc, product, "ListListeners", "Listeners", balancer);
        return listeners
            .filter(
                (listener) =>
                    listener["ListenerPort"] === inputs["listenerPort"] &&
                    text(listener, "ListenerProtocol") === text(inputs, "listenerProtocol"),
            )
            .map((listener) => {
                const id = text(listener, "ListenerId");
                return {
                    id,
                    remove: async () => {
                        await rpc(product, "DeleteListener", { RegionId: region, ListenerId: id });
                    },
                };
            });
    };
}

/** What a description answers; nothing when its subject is not there, and so holds nothing either. */
async function described(answer: Promise<Item>): Promise<Item> {
    try {
        return await answer;
    } catch (error) {
        if (saysGone(error)) return {};
        throw error;
    }
}

const keyPair: Finder = listed({
    product: "Ecs",
    describe: "DescribeKeyPairs",
    path: "KeyPairs.KeyPair",
    id: "KeyPairName",
    name: "KeyPairName",
    inputs: ["keyPairName", "keyName"],
    filters: { KeyPairName: "keyPairName" },
    remove: (rpc, region, id) => rpc("Ecs", "DeleteKeyPairs", { RegionId: region, KeyPairNames: JSON.stringify([id]) }),
});

/** The access group that inputs name; undefined when they name none, which would stand for all of them. */
function accessGroupOf(inputs: Inputs): Record<string, string> | undefined {
    const AccessGroupName = firstOf(inputs, ["accessGroupName", "name"]);
    return AccessGroupName === "" ? undefined : { AccessGroupName };
}

const finders: Readonly<Record<string, Finder>> = {
    "alicloud:nas/fileSystem:FileSystem": listed({
        product: "NAS",
        describe: "DescribeFileSystems",
        path: "FileSystems.FileSystem",
        id: "FileSystemId",
        name: "Description",
        inputs: ["description"],
        remove: (rpc, _, id) => rpc("NAS", "DeleteFileSystem", { FileSystemId: id }),
    }),
    "alicloud:nas/accessGroup:AccessGroup": async (rpc, _, inputs) => {
        const group = accessGroupOf(inputs);
        if (!group) return [];
        const body = await described(rpc("NAS", "DescribeAccessGroups", group));
        return list(body, "AccessGroups.AccessGroup").map((found) => ({
            id: `${text(found, "AccessGroupName")}:standard`,
            remove: async () => {
                await rpc("NAS", "DeleteAccessGroup", group);
            },
        }));
    },
    "alicloud:nas/accessRule:AccessRule": async (rpc, _, inputs) => {
        const group = accessGroupOf(inputs);
        if (!group) return [];
        const rules = await paged(rpc, "NAS", "DescribeAccessRules", "AccessRules.AccessRule", group);
        return rules
            .filter((rule) => text(rule, "SourceCidrIp") === text(inputs, "sourceCidrIp"))
            .map((rule) => ({
                id: `${text(rule, "AccessGroupName")}:${text(rule, "AccessRuleId")}`,
                remove: async () => {
                    await rpc("NAS", "DeleteAccessRule", { ...group, AccessRuleId: text(rule, "AccessRuleId") });
                },
            }));
    },
    "alicloud:nas/mountTarget:MountTarget": async (rpc, _, inputs) => {
        const of = { FileSystemId: text(inputs, "fileSystemId") };
        const body = await described(rpc("NAS", "DescribeMountTargets", of));
        return list(body, "MountTargets.MountTarget")
            .filter((target) => text(target, "VswId") === text(inputs, "vswitchId"))
            .map((target) => ({
                id: `${of.FileSystemId}:${text(target, "MountTargetDomain")}`,
                remove: async () => {
                    await rpc("NAS", "DeleteMountTarget", {
                        ...of,
                        MountTargetDomain: text(target, "MountTargetDomain"),
                    });
                },
            }));
    },
    "alicloud:vpc/network:Network": listed({
        product: "Vpc",
        describe: "DescribeVpcs",
        path: "Vpcs.Vpc",
        id: "VpcId",
        name: "VpcName",
        inputs: ["vpcName", "name"],
        filters: { VpcName: "vpcName" },
        remove: vpc("DeleteVpc", "VpcId", { ForceDelete: "true" }),
    }),
    "alicloud:vpc/switch:Switch": listed({
        product: "Vpc",
        describe: "DescribeVSwitches",
        path: "VSwitches.VSwitch",
        id: "VSwitchId",
        name: "VSwitchName",
        inputs: ["vswitchName", "name"],
        filters: { VpcId: "vpcId" },
        remove: vpc("DeleteVSwitch", "VSwitchId"),
    }),
    "alicloud:vpc/natGateway:NatGateway": listed({
        product: "Vpc",
        describe: "DescribeNatGateways",
        path: "NatGateways.NatGateway",
        id: "NatGatewayId",
        name: "Name",
        inputs: ["natGatewayName", "name"],
        filters: { VpcId: "vpcId" },
        remove: vpc("DeleteNatGateway", "NatGatewayId", { Force: "true" }),
    }),
    "alicloud:vpc/routeTable:RouteTable": listed({
        product: "Vpc",
        describe: "DescribeRouteTableList",
        path: "RouterTableList.RouterTableListType",
        id: "RouteTableId",
        name: "RouteTableName",
        inputs: ["routeTableName", "name"],
        filters: { VpcId: "vpcId" },
        remove: vpc("DeleteRouteTable", "RouteTableId"),
    }),
    "alicloud:ecs/eipAddress:EipAddress": listed({
        product: "Vpc",
        describe: "DescribeEipAddresses",
        path: "EipAddresses.EipAddress",
        id: "AllocationId",
        name: "Name",
        inputs: ["addressName", "name"],
        remove: vpc("ReleaseEipAddress", "AllocationId"),
    }),
    "alicloud:vpc/hAVip:HAVip": listed({
        product: "Vpc",
        describe: "DescribeHaVips",
        path: "HaVips.HaVip",
        id: "HaVipId",
        name: "Name",
        inputs: ["haVipName", "havipName"],
        fixed: { "Filter.1.Key": "VSwitchId" },
        filters: { "Filter.1.Value.1": "vswitchId" },
        remove: vpc("DeleteHaVip", "HaVipId"),
    }),
    "alicloud:vpc/hAVipAttachment:HAVipAttachment": async (rpc, region, inputs) => {
        const haVipId = firstOf(inputs, ["haVipId", "havipId"]);
        const instanceId = text(inputs, "instanceId");
        const named = { RegionId: region, "Filter.1.Key": "HaVipId", "Filter.1.Value.1": haVipId };
        return list(await rpc("Vpc", "DescribeHaVips", named), "HaVips.HaVip")
            .filter((haVip) =>
                list(haVip, "AssociatedInstances.associatedInstance").some((id: unknown) => id === instanceId),
            )
            .map(() => ({
                id: `${haVipId}:${instanceId}`,
                remove: async () => {
                    await rpc("Vpc", "UnassociateHaVip", {
                        RegionId: region,
                        HaVipId: haVipId,
                        InstanceId: instanceId,
                    });
                },
            }));
    },
    "alicloud:ecs/securityGroup:SecurityGroup": listed({
        product: "Ecs",
        describe: "DescribeSecurityGroups",
        path: "SecurityGroups.SecurityGroup",
        id: "SecurityGroupId",
        name: "SecurityGroupName",
        inputs: ["securityGroupName", "name"],
        filters: { VpcId: "vpcId" },
        remove: ecs("DeleteSecurityGroup", "SecurityGroupId"),
    }),
    "alicloud:ecs/ecsKeyPair:EcsKeyPair": keyPair,
    "alicloud:ecs/keyPair:KeyPair": keyPair,
    "alicloud:ecs/instance:Instance": listed({
        product: "Ecs",
        describe: "DescribeInstances",
        path: "Instances.Instance",
        id: "InstanceId",
        name: "InstanceName",
        inputs: ["instanceName"],
        filters: { InstanceName: "instanceName" },
        remove: async (rpc, region, id) => {
            await rpc("Ecs", "ModifyInstanceAttribute", {
                RegionId: region,
                InstanceId: id,
                DeletionProtection: "false",
            });
            await rpc("Ecs", "DeleteInstance", { RegionId: region, InstanceId: id, Force: "true" });
        },
    }),
    "alicloud:ecs/ecsDisk:EcsDisk": listed({
        product: "Ecs",
        describe: "DescribeDisks",
        path: "Disks.Disk",
        id: "DiskId",
        name: "DiskName",
        inputs: ["diskName", "name"],
        filters: { DiskName: "diskName" },
        remove: ecs("DeleteDisk", "DiskId"),
    }),
    "alicloud:ecs/ecsDeploymentSet:EcsDeploymentSet": listed({
        product: "Ecs",
        describe: "DescribeDeploymentSets",
        path: "DeploymentSets.DeploymentSet",
        id: "DeploymentSetId",
        name: "DeploymentSetName",
        inputs: ["deploymentSetName"],
        remove: ecs("DeleteDeploymentSet", "DeploymentSetId"),
    }),
    "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer": listed({
        product: "Slb",
        describe: "DescribeLoadBalancers",
        path: "LoadBalancers.LoadBalancer",
        id: "LoadBalancerId",
        name: "LoadBalancerName",
        inputs: ["loadBalancerName"],
        filters: { LoadBalancerName: "loadBalancerName" },
        remove: async (rpc, region, id) => {
            const balancer = { RegionId: region, LoadBalancerId: id };
            await rpc("Slb", "SetLoadBalancerDeleteProtection", { ...balancer, DeleteProtection: "off" });
            await rpc("Slb", "DeleteLoadBalancer", balancer);
        },
    }),
    "alicloud:alb/loadBalancer:LoadBalancer": balancerOf("Alb", (id) => [
        "DisableDeletionProtection",
        { ResourceId: id },
    ]),
    "alicloud:alb/serverGroup:ServerGroup": serverGroupOf("Alb"),
    "alicloud:alb/acl:Acl": listed({
        product: "Alb",
        describe: "ListAcls",
        path: "Acls",
        id: "AclId",
        name: "AclName",
        inputs: ["aclName"],
        filters: { "AclNames.1": "aclName" },
        remove: alb("DeleteAcl", "AclId"),
    }),
    "alicloud:alb/aclEntryAttachment:AclEntryAttachment": async (rpc, region, inputs) => {
        const acl = { RegionId: region, AclId: text(inputs, "aclId") };
        const entry = text(inputs, "entry");
        const entries = await paged(rpc, "Alb", "ListAclEntries", "AclEntries", acl);
        return entries
            .filter((found) => text(found, "Entry") === entry)
            .map(() => ({
                id: `${acl.AclId}:${entry}`,
                remove: async () => {
                    await rpc("Alb", "RemoveEntriesFromAcl", { ...acl, "Entries.1": entry });
                },
            }));
    },
    "alicloud:alb/listener:Listener": listenerOf("Alb"),
    "alicloud:alb/listenerAclAttachment:ListenerAclAttachment": async (rpc, region, inputs) => {
        const listener = { RegionId: region, ListenerId: text(inputs, "listenerId") };
        const aclId = text(inputs, "aclId");
        const body = await described(rpc("Alb", "GetListenerAttribute", listener));
        return list(body, "AclConfig.AclRelations")
            .filter((relation) => text(relation, "AclId") === aclId)
            .map(() => ({
                id: `${listener.ListenerId}:${aclId}`,
                remove: async () => {
                    await rpc("Alb", "DissociateAclsFromListener", { ...listener, "AclIds.1": aclId });
                },
            }));
    },
    // Two rules of a listener never have the same priority.
    "alicloud:alb/rule:Rule": async (rpc, region, inputs) => {
        const listener = { RegionId: region, "ListenerIds.1": text(inputs, "listenerId") };
        const rules = await paged(rpc, "Alb", "ListRules", "Rules", listener);
        return rules
            .filter((rule) => rule["Priority"] === inputs["priority"])
            .map((rule) => {
                const id = text(rule, "RuleId");
                return {
                    id,
                    remove: async () => {
                        await alb("DeleteRule", "RuleId")(rpc, region, id);
                    },
                };
            });
    },
    "alicloud:nlb/loadBalancer:LoadBalancer": balancerOf("Nlb", (id) => [
        "UpdateLoadBalancerProtection",
        { LoadBalancerId: id, DeletionProtectionEnabled: "false" },
    ]),
    "alicloud:nlb/loadBalancerSecurityGroupAttachment:LoadBalancerSecurityGroupAttachment": async (
        rpc,
        region,
        inputs,
    ) => {
        const balancer = { RegionId: region, LoadBalancerId: text(inputs, "loadBalancerId") };
        const group = text(inputs, "securityGroupId");
        const body = await described(rpc("Nlb", "GetLoadBalancerAttribute", balancer));
        return list(body, "SecurityGroupIds")
            .filter((id: unknown) => id === group)
            .map(() => ({
                id: `${balancer.LoadBalancerId}:${group}`,
                remove: async () => {
                    await rpc("Nlb", "LoadBalancerLeaveSecurityGroup", { ...balancer, "SecurityGroupIds.1": group });
                },
            }));
    },
    "alicloud:nlb/serverGroup:ServerGroup": serverGroupOf("Nlb"),
    "alicloud:nlb/listener:Listener": listenerOf("Nlb"),
    "alicloud:nlb/serverGroupServerAttachment:ServerGroupServerAttachment": async (rpc, region, inputs) => {
        const group = { RegionId: region, ServerGroupId: text(inputs, "serverGroupId") };
        const named = { ...group, "ServerIds.1": text(inputs, "serverId") };
        const servers = await paged(rpc, "Nlb", "ListServerGroupServers", "Servers", named);
        return servers
            .filter((server) => server["Port"] === inputs["port"])
            .map((server) => ({
                id: `${group.ServerGroupId}_${text(server, "ServerId")}`,
                remove: async () => {
                    await rpc("Nlb", "RemoveServersFromServerGroup", {
                        ...group,
                        "Servers.1.ServerId": text(server, "ServerId"),
                        "Servers.1.ServerType": text(server, "ServerType"),
                        "Servers.1.ServerIp": text(server, "ServerIp"),
                        "Servers.1.Port": String(server["Port"]),
                    });
                },
            }));
    },
    // No two certificates of an account have the same name.
    "alicloud:cas/serviceCertificate:ServiceCertificate": untagged({
        items: (rpc) =>
            paged(
                rpc,
                "cas",
                "ListUserCertificateOrder",
                "CertificateOrderList",
                { OrderType: "UPLOAD" },
                { page: "CurrentPage", size: "ShowSize" },
            ),
        id: "CertificateId",
        name: "Name",
        inputs: ["certificateName", "name"],
        detail: (rpc, id) => described(rpc("cas", "GetUserCertificateDetail", { CertId: id, CertFilter: "true" })),
        remove: (rpc, id) => rpc("cas", "DeleteUserCertificate", { CertId: id }),
    }),
    // Zones of several VPCs may have the same name.
    "alicloud:pvtz/zone:Zone": untagged({
        items: (rpc) => paged(rpc, "pvtz", "DescribeZones", "Zones.Zone", {}),
        id: "ZoneId",
        name: "ZoneName",
        inputs: ["zoneName", "name"],
        detail: async (rpc, id, zone) => {
            const resource = { ResourceType: "ZONE", "ResourceId.1": id };
            return { ...zone, Tags: list(await described(rpc("pvtz", "ListTagResources", resource)), "TagResources") };
        },
        remove: (rpc, id) => rpc("pvtz", "DeleteZone", { ZoneId: id }),
    }),
    // The zone's VPCs are set all at once.
    "alicloud:pvtz/zoneAttachment:ZoneAttachment": async (rpc, region, inputs) => {
        const zoneId = text(inputs, "zoneId");
        const wanted = [
            ...(list(inputs, "vpcIds") as unknown[]),
            ...list(inputs, "vpcs").map((vpcOf) => text(vpcOf, "vpcId")),
        ];
        const bound = list(await described(rpc("pvtz", "DescribeZoneInfo", { ZoneId: zoneId })), "BindVpcs.Vpc");
        if (wanted.length === 0 || !wanted.every((id) => bound.some((found) => text(found, "VpcId") === id))) return [];
        const remaining = bound
            .filter((found) => !wanted.includes(text(found, "VpcId")))
            .flatMap((found, index) => [
                [`Vpcs.${index + 1}.VpcId`, text(found, "VpcId")],
                [`Vpcs.${index + 1}.RegionId`, text(found, "RegionId") || region],
            ]);
        const remove = async (): Promise<void> => {
            await rpc("pvtz", "BindZoneVpc", { ZoneId: zoneId, ...(Object.fromEntries(remaining) as Item) });
        };
        return [{ id: zoneId, remove }];
    },
    // Two records of a zone never have the same name, type and value.
    "alicloud:pvtz/zoneRecord:ZoneRecord": async (rpc, _, inputs) => {
        const zoneId = text(inputs, "zoneId");
        const rr = firstOf(inputs, ["rr", "resourceRecord"]);
        const records = await paged(rpc, "pvtz", "DescribeZoneRecords", "Records.Record", { ZoneId: zoneId });
        return records
            .filter(
                (record) =>
                    text(record, "Rr") === rr &&
                    text(record, "Type") === text(inputs, "type") &&
                    text(record, "Value") === text(inputs, "value"),
            )
            .map((record) => ({
                id: `${text(record, "RecordId")}:${zoneId}`,
                remove: async () => {
                    await rpc("pvtz", "DeleteZoneRecord", { RecordId: text(record, "RecordId") });
                },
            }));
    },
    "alicloud:slb/acl:Acl": listed({
        product: "Slb",
        describe: "DescribeAccessControlLists",
        path: "Acls.Acl",
        id: "AclId",
        name: "AclName",
        inputs: ["name"],
        filters: { AclName: "name" },
        remove: slb("DeleteAccessControlList", "AclId"),
    }),
    // Their list has no pages.
    "alicloud:slb/serverCertificate:ServerCertificate": async (rpc, region, inputs) => {
        const body = await rpc("Slb", "DescribeServerCertificates", { RegionId: region });
        return list(body, "ServerCertificates.ServerCertificate")
            .filter((certificate) => belongs(certificate, "ServerCertificateName", inputs, ["name"]))
            .map((certificate) => {
                const id = text(certificate, "ServerCertificateId");
                return {
                    id,
                    remove: async () => {
                        await slb("DeleteServerCertificate", "ServerCertificateId")(rpc, region, id);
                    },
                };
            });
    },
    "alicloud:slb/aclEntryAttachment:AclEntryAttachment": async (rpc, region, inputs) => {
        const acl = { RegionId: region, AclId: text(inputs, "aclId") };
        const entry = text(inputs, "entry");
        const body = await described(rpc("Slb", "DescribeAccessControlListAttribute", acl));
        return list(body, "AclEntrys.AclEntry")
            .filter((found) => text(found, "AclEntryIP") === entry)
            .map((found) => ({
                id: `${acl.AclId}:${entry}`,
                remove: async () => {
                    const named = JSON.stringify([{ entry, comment: text(found, "AclEntryComment") }]);
                    await rpc("Slb", "RemoveAccessControlListEntry", { ...acl, AclEntrys: named });
                },
            }));
    },
    "alicloud:slb/listener:Listener": async (rpc, region, inputs) => {
        const balancer = { RegionId: region, LoadBalancerId: text(inputs, "loadBalancerId") };
        const [port, protocol] = [text(inputs, "frontendPort"), text(inputs, "protocol")];
        const body = await described(rpc("Slb", "DescribeLoadBalancerAttribute", balancer));
        return list(body, "ListenerPortsAndProtocol.ListenerPortAndProtocol")
            .filter((found) => text(found, "ListenerPort") === port && text(found, "ListenerProtocol") === protocol)
            .map(() => ({
                id: `${balancer.LoadBalancerId}:${protocol}:${port}`,
                remove: async () => {
                    await rpc("Slb", "DeleteLoadBalancerListener", {
                        ...balancer,
                        ListenerPort: port,
                        ListenerProtocol: protocol,
                    });
                },
            }));
    },
    "alicloud:slb/backendServer:BackendServer": async (rpc, region, inputs) => {
        const balancer = { RegionId: region, LoadBalancerId: text(inputs, "loadBalancerId") };
        const body = await described(rpc("Slb", "DescribeLoadBalancerAttribute", balancer));
        const servers = list(body, "BackendServers.BackendServer").map((server) => ({
            ServerId: text(server, "ServerId"),
        }));
        if (servers.length === 0) return [];
        const remove = async (): Promise<void> => {
            await rpc("Slb", "RemoveBackendServers", { ...balancer, BackendServers: JSON.stringify(servers) });
        };
        return [{ id: balancer.LoadBalancerId, remove }];
    },
    "alicloud:vpc/snatEntry:SnatEntry": async (rpc, region, inputs) => {
        const snatTableId = text(inputs, "snatTableId");
        const table = { RegionId: region, SnatTableId: snatTableId };
        const entries = await paged(rpc, "Vpc", "DescribeSnatTableEntries", "SnatTableEntries.SnatTableEntry", table);
        const source = text(inputs, "sourceVswitchId");
        return entries
            .filter((entry) =>
                source === ""
                    ? text(entry, "SourceCIDR") === text(inputs, "sourceCidr")
                    : text(entry, "SourceVSwitchId") === source,
            )
            .map((entry) => {
                const id = text(entry, "SnatEntryId");
                return {
                    id: `${snatTableId}:${id}`,
                    remove: async () => {
                        await rpc("Vpc", "DeleteSnatEntry", {
                            RegionId: region,
                            SnatTableId: snatTableId,
                            SnatEntryId: id,
                        });
                    },
                };
            });
    },
    "alicloud:vpc/routeEntry:RouteEntry": async (rpc, region, inputs) => {
        const table = text(inputs, "routeTableId");
        const cidr = text(inputs, "destinationCidrblock");
        const hop = text(inputs, "nexthopId");
        const body = await rpc("Vpc", "DescribeRouteTables", { RegionId: region, RouteTableId: table });
        return list(body, "RouteTables.RouteTable")
            .flatMap((found) => list(found, "RouteEntrys.RouteEntry"))
            .filter((entry) => text(entry, "DestinationCidrBlock") === cidr && text(entry, "InstanceId") === hop)
            .map((entry) => ({
                id: [table, text(entry, "RouterId"), cidr, text(inputs, "nexthopType"), hop].join(":"),
                remove: async () => {
                    await rpc("Vpc", "DeleteRouteEntry", {
                        RegionId: region,
                        RouteTableId: table,
                        DestinationCidrBlock: cidr,
                        NextHopId: hop,
                    });
                },
            }));
    },
    "alicloud:vpc/routeTableAttachment:RouteTableAttachment": async (rpc, region, inputs) => {
        const table = text(inputs, "routeTableId");
        const vswitch = text(inputs, "vswitchId");
        const body = await rpc("Vpc", "DescribeRouteTableList", { RegionId: region, RouteTableId: table });
        return list(body, "RouterTableList.RouterTableListType")
            .filter((found) => list(found, "VSwitchIds.VSwitchId").some((id: unknown) => id === vswitch))
            .map(() => ({
                id: `${table}:${vswitch}`,
                remove: async () => {
                    await rpc("Vpc", "UnassociateRouteTable", {
                        RegionId: region,
                        RouteTableId: table,
                        VSwitchId: vswitch,
                    });
                },
            }));
    },
    "alicloud:ecs/eipAssociation:EipAssociation": async (rpc, region, inputs) => {
        const allocationId = text(inputs, "allocationId");
        const instanceId = text(inputs, "instanceId");
        const body = await rpc("Vpc", "DescribeEipAddresses", { RegionId: region, AllocationId: allocationId });
        return list(body, "EipAddresses.EipAddress")
            .filter((eip) => text(eip, "AllocationId") === allocationId && text(eip, "InstanceId") === instanceId)
            .map((eip) => ({
                id: `${allocationId}:${instanceId}`,
                remove: async () => {
                    await rpc("Vpc", "UnassociateEipAddress", {
                        RegionId: region,
                        AllocationId: allocationId,
                        InstanceId: instanceId,
                        InstanceType: text(eip, "InstanceType"),
                    });
                },
            }));
    },
    "alicloud:ecs/ecsDiskAttachment:EcsDiskAttachment": async (rpc, region, inputs) => {
        const diskId = text(inputs, "diskId");
        const instanceId = text(inputs, "instanceId");
        const body = await rpc("Ecs", "DescribeDisks", { RegionId: region, DiskIds: JSON.stringify([diskId]) });
        return list(body, "Disks.Disk")
            .filter((disk) => text(disk, "DiskId") === diskId && text(disk, "InstanceId") === instanceId)
            .map(() => ({
                id: `${diskId}:${instanceId}`,
                remove: async () => {
                    await rpc("Ecs", "DetachDisk", { RegionId: region, DiskId: diskId, InstanceId: instanceId });
                },
            }));
    },
    "alicloud:ecs/securityGroupRule:SecurityGroupRule": async (rpc, region, inputs) => {
        const group = text(inputs, "securityGroupId");
        const direction = text(inputs, "type");
        const protocol = text(inputs, "ipProtocol");
        const port = text(inputs, "portRange") || "-1/-1";
        const priority = text(inputs, "priority") || "1";
        const policy = text(inputs, "policy") || "accept";
        const ingress = direction === "ingress";
        const side = ingress ? "Source" : "Dest";
        const peer = firstOf(inputs, ["sourceSecurityGroupId", "ipv6CidrIp", "cidrIp", "prefixListId"]);
        if (peer === "") return [];
        const body = await rpc("Ecs", "DescribeSecurityGroupAttribute", {
            RegionId: region,
            SecurityGroupId: group,
            Direction: direction,
        });
        return list(body, "Permissions.Permission")
            .filter(
                (rule) =>
                    text(rule, "Direction") === direction &&
                    text(rule, "IpProtocol").toLowerCase() === protocol.toLowerCase() &&
                    text(rule, "PortRange") === port &&
                    text(rule, "Priority") === priority &&
                    text(rule, "Policy").toLowerCase() === policy.toLowerCase() &&
                    firstOf(rule, [`${side}GroupId`, `Ipv6${side}CidrIp`, `${side}CidrIp`, `${side}PrefixListId`]) ===
                        peer,
            )
            .map((rule) => ({
                id: [
                    group,
                    direction,
                    protocol,
                    port,
                    text(inputs, "nicType") || "intranet",
                    // The parts are told apart by their colons.
                    peer.replaceAll(":", "_"),
                    policy,
                    priority,
                ].join(":"),
                remove: async () => {
                    await rpc("Ecs", ingress ? "RevokeSecurityGroup" : "RevokeSecurityGroupEgress", {
                        RegionId: region,
                        SecurityGroupId: group,
                        "SecurityGroupRuleId.1": text(rule, "SecurityGroupRuleId"),
                    });
                },
            }));
    },
};

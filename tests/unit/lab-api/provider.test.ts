/** What the official Terraform provider takes for granted in answers: where it is missing or of another type, it crashes. */
import { DEFAULT_RESOURCE_GROUP_ID, resourceManagerActions } from "../../../lab/api/common/resourceManager";
import { actions as nas } from "../../../lab/api/nas";
import { actions as nlb } from "../../../lab/api/nlb";
import { actions as pvtz } from "../../../lab/api/pvtz";
import { actions as slb } from "../../../lab/api/slb";
import { BalancerCloud } from "../lab-alb/harness";
import { OTHER_ZONE, Parameters, REGION, ZONE, text } from "../lab-vpc/harness";
import fields from "./provider-fields.json";
import { unreadable } from "./providerFields";

const versions: Readonly<Record<string, string>> = {
    alb: "2020-06-16",
    nlb: "2022-04-30",
    slb: "2014-05-15",
    nas: "2017-06-26",
    pvtz: "2018-01-01",
    resourceManager: "2020-03-31",
};

let cloud: BalancerCloud;
const call = (action: string, parameters: Parameters = {}) => {
    const [product = "", name = ""] = action.split(" ");
    return cloud.call(name, parameters, REGION, versions[product]);
};

const tag = { "Tag.1.Key": "k", "Tag.1.Value": "v" };

async function applicationBalancer(): Promise<Record<string, Parameters>> {
    const group = await cloud.group();
    const ListenerId = await cloud.listener(await cloud.balancer(tag), group);
    const AclId = text(await call("alb CreateAcl", { AclName: "office" }), "AclId");
    await call("alb AssociateAclsWithListener", { ListenerId, "AclIds.1": AclId, AclType: "White" });
    cloud.settle();
    await call("alb CreateRule", {
        ListenerId,
        RuleName: "shop",
        Priority: "1",
        "RuleConditions.1.Type": "Host",
        "RuleConditions.1.HostConfig.Values.1": "shop.example.com",
        "RuleActions.1.Type": "ForwardGroup",
        "RuleActions.1.Order": "1",
        "RuleActions.1.ForwardGroupConfig.ServerGroupTuples.1.ServerGroupId": group,
    });
    const [LoadBalancerId = ""] = Object.keys(cloud.state.applicationBalancers);
    return { "alb GetLoadBalancerAttribute": { LoadBalancerId }, "alb GetListenerAttribute": { ListenerId } };
}

async function networkBalancer(): Promise<Record<string, Parameters>> {
    const LoadBalancerId = text(
        await call("nlb CreateLoadBalancer", {
            AddressType: "Intranet",
            VpcId: cloud.vpcId,
            "ZoneMappings.1.ZoneId": ZONE,
            "ZoneMappings.1.VSwitchId": cloud.vswitches[0],
            "ZoneMappings.2.ZoneId": OTHER_ZONE,
            "ZoneMappings.2.VSwitchId": cloud.vswitches[1],
            ...tag,
        }),
        "LoadbalancerId",
    );
    const ServerGroupId = text(
        await call("nlb CreateServerGroup", { VpcId: cloud.vpcId, ServerGroupName: "web" }),
        "ServerGroupId",
    );
    const wanted = { LoadBalancerId, ServerGroupId, ListenerProtocol: "TCP", ListenerPort: "80" };
    return { "nlb GetListenerAttribute": { ListenerId: text(await call("nlb CreateListener", wanted), "ListenerId") } };
}

async function classicBalancer(): Promise<Record<string, Parameters>> {
    const LoadBalancerId = text(await call("slb CreateLoadBalancer", tag), "LoadBalancerId");
    const wanted = { LoadBalancerId, ListenerPort: "80", HealthCheck: "off", StickySession: "off" };
    await call("slb CreateLoadBalancerHTTPListener", { ...wanted, BackendServerPort: "80", Bandwidth: "-1" });
    return { "slb DescribeLoadBalancerAttribute": { LoadBalancerId } };
}

async function fileSystem(): Promise<Record<string, Parameters>> {
    const wanted = { StorageType: "Capacity", ProtocolType: "NFS", ZoneId: ZONE };
    const FileSystemId = text(await call("nas CreateFileSystem", wanted), "FileSystemId");
    const AccessGroupName = "clients";
    await call("nas CreateAccessGroup", { AccessGroupName, AccessGroupType: "Vpc" });
    await call("nas CreateAccessRule", { AccessGroupName, SourceCidrIp: "10.0.0.0/16" });
    const place = { NetworkType: "Vpc", VpcId: cloud.vpcId, VSwitchId: cloud.vswitches[0] };
    await call("nas CreateMountTarget", { FileSystemId, AccessGroupName, ...place });
    return { "nas DescribeAccessRules": { AccessGroupName }, "nas DescribeMountTargets": { FileSystemId } };
}

async function privateZone(): Promise<Record<string, Parameters>> {
    const ZoneId = text(await call("pvtz AddZone", { ZoneName: "internal" }), "ZoneId");
    await call("pvtz BindZoneVpc", { ZoneId, "Vpcs.1.VpcId": cloud.vpcId, "Vpcs.1.RegionId": REGION });
    await call("pvtz AddZoneRecord", { ZoneId, Type: "A", Value: "10.0.0.1", Rr: "a" });
    return { "pvtz DescribeZoneInfo": { ZoneId }, "pvtz DescribeZoneRecords": { ZoneId } };
}

test.each(Object.entries(fields))("%s answers what the provider takes for granted", async (action, expected) => {
    cloud = new BalancerCloud([...nlb, ...slb, ...nas, ...pvtz, ...resourceManagerActions]);
    await cloud.network();
    const calls: Readonly<Record<string, Parameters>> = {
        ...(await applicationBalancer()),
        ...(await networkBalancer()),
        ...(await classicBalancer()),
        ...(await fileSystem()),
        ...(await privateZone()),
        "resourceManager GetResourceGroup": { ResourceGroupId: DEFAULT_RESOURCE_GROUP_ID },
    };
    expect(unreadable(await call(action, calls[action]), expected)).toEqual({});
});

/** What an interrupted run left of a balancer is found by what was to become of it, and removed. */
import { CloudError } from "../../../lab/api/errors";
import { alicloudSearch } from "../../../lab/orphans";
import { RpcError } from "../../../lab/rpc";
import { BalancerCloud, REGION } from "./harness";

const cloud = new BalancerCloud();
const search = alicloudSearch(async (_product, action, parameters) => {
    try {
        return await cloud.slb(action, parameters);
    } catch (error) {
        throw error instanceof CloudError ? new RpcError(error.code, error.message, error.status) : error;
    }
}, REGION);

async function found(type: string, inputs: Record<string, unknown>): Promise<string[]> {
    return ((await search.find(type, inputs)) ?? []).map(({ id }) => id);
}

async function remove(type: string, inputs: Record<string, unknown>): Promise<void> {
    for (const orphan of (await search.find(type, inputs)) ?? []) await orphan.remove();
}

test("a balancer by its name and tags, with what belongs to it", async () => {
    const tag = { "Tag.1.Key": "multihost:stack", "Tag.1.Value": "lab" };
    const LoadBalancerId = await cloud.balancer({ LoadBalancerName: "entry", DeleteProtection: "on", ...tag });
    await cloud.balancer({ LoadBalancerName: "entry", "Tag.1.Key": "multihost:stack", "Tag.1.Value": "other" });
    const VSwitchId = await cloud.vswitch(await cloud.vpc({ CidrBlock: "10.0.0.0/16" }), "10.0.1.0/24");
    const servers = JSON.stringify([{ ServerId: cloud.instance(VSwitchId).id }]);
    await cloud.listener(LoadBalancerId, "80", { BackendServerPort: "80" });

    const of = { loadBalancerId: LoadBalancerId };
    const listener = { ...of, protocol: "http", frontendPort: 80 };
    expect(await found("alicloud:slb/listener:Listener", listener)).toEqual([`${LoadBalancerId}:http:80`]);
    expect(await found("alicloud:slb/listener:Listener", { ...listener, frontendPort: 81 })).toEqual([]);
    await remove("alicloud:slb/listener:Listener", listener);
    expect(await found("alicloud:slb/listener:Listener", listener)).toEqual([]);

    expect(await found("alicloud:slb/backendServer:BackendServer", of)).toEqual([]);
    await cloud.slb("AddBackendServers", { LoadBalancerId, BackendServers: servers });
    expect(await found("alicloud:slb/backendServer:BackendServer", of)).toEqual([LoadBalancerId]);
    await remove("alicloud:slb/backendServer:BackendServer", of);
    expect(await found("alicloud:slb/backendServer:BackendServer", of)).toEqual([]);

    const balancer = { loadBalancerName: "entry", tags: { "multihost:stack": "lab" } };
    const type = "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer";
    expect(await found(type, balancer)).toEqual([LoadBalancerId]);
    await remove(type, balancer);
    expect(await found(type, balancer)).toEqual([]);
    expect(await found("alicloud:slb/listener:Listener", listener)).toEqual([]);
});

test("an access control list, and an entry of one", async () => {
    await cloud.slb("CreateAccessControlList", { AclName: "entry-80" });
    const [aclId] = await found("alicloud:slb/acl:Acl", { name: "entry-80" });
    const entry = { aclId, entry: "198.51.100.0/24" };
    const type = "alicloud:slb/aclEntryAttachment:AclEntryAttachment";
    expect(await found(type, entry)).toEqual([]);
    await cloud.slb("AddAccessControlListEntry", {
        AclId: aclId!,
        AclEntrys: JSON.stringify([{ entry: "198.51.100.0/24", comment: "x" }]),
    });
    expect(await found(type, entry)).toEqual([`${aclId!}:198.51.100.0/24`]);
    await remove(type, entry);
    expect(await found(type, entry)).toEqual([]);
    await remove("alicloud:slb/acl:Acl", { name: "entry-80" });
    expect(await found(type, entry)).toEqual([]);
});

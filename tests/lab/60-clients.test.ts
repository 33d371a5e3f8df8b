/** The running lab asked by the vendor's own SDK for Node.js, as a program of somebody else's would. */
import EcsClient, * as ecs from "@alicloud/ecs20140526";
import { $OpenApiUtil } from "@alicloud/openapi-core";
import RpcClient from "@alicloud/pop-core";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { labPaths } from "../../lab/paths";
import { labEnvironment } from "../prepare";
import { api, eventually } from "./lab";

jest.setTimeout(180_000);

const paths = labPaths({ ...process.env, ...labEnvironment });
const regionId = "cn-hangzhou";

interface Identity {
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
}

function identity(): Identity {
    return JSON.parse(readFileSync(paths.identity, "utf8")) as Identity;
}

function vpcClient({ accessKeyId, accessKeySecret }: Identity = identity()): RpcClient {
    const endpoint = `http://127.0.0.1:${paths.port}`;
    return new RpcClient({ accessKeyId, accessKeySecret, endpoint, apiVersion: "2016-04-28" });
}

async function codeOf(call: Promise<unknown>): Promise<string> {
    try {
        await call;
        return "OK";
    } catch (error) {
        return String((error as { code?: unknown }).code);
    }
}

/** What a server says first, undefined when there is none. */
function greeting(host: string, port: number): Promise<string | undefined> {
    return new Promise((done) => {
        const socket = connect({ host, port, timeout: 2000 });
        const end = (text?: string): void => {
            socket.destroy();
            done(text);
        };
        socket.once("data", (data) => end(data.toString()));
        for (const event of ["error", "timeout", "close"]) socket.once(event, () => end());
    });
}

describe("a request", () => {
    it("with a wrong secret is refused", async () => {
        const wrong = vpcClient({ ...identity(), accessKeySecret: "not-the-secret" });
        expect(await codeOf(wrong.request("DescribeVpcs", { RegionId: regionId }))).toBe("SignatureDoesNotMatch");
    });

    it("with an unknown key is refused", async () => {
        const unknown = vpcClient({ accessKeyId: "LTAInobody", accessKeySecret: "x" });
        expect(await codeOf(unknown.request("DescribeVpcs", { RegionId: regionId }))).toBe(
            "InvalidAccessKeyId.NotFound",
        );
    });

    it("for an action that is not there says so", async () => {
        expect(await codeOf(vpcClient().request("CreateTeapot", { RegionId: regionId }))).toBe("UnsupportedOperation");
    });

    it("for something unknown says so", async () => {
        expect(await codeOf(vpcClient().request("DeleteVpc", { RegionId: regionId, VpcId: "vpc-nowhere" }))).toBe(
            "InvalidVpcId.NotFound",
        );
    });

    it("to delete what others need is refused, and nothing is lost", async () => {
        const client = vpcClient();
        const { Vpcs } = await client.request<{ Vpcs: { Vpc: { VpcId: string }[] } }>("DescribeVpcs", {
            RegionId: regionId,
        });
        const { VpcId } = Vpcs.Vpc[0]!;
        expect(await codeOf(client.request("DeleteVpc", { RegionId: regionId, VpcId }))).toMatch(
            /^DependencyViolation/,
        );
        expect(await codeOf(client.request("DescribeVpcAttribute", { RegionId: regionId, VpcId }))).toBe("OK");
    });
});

it("an instance of its own comes up, takes SSH on its public address, and goes", async () => {
    const client = new EcsClient(
        new $OpenApiUtil.Config({ ...identity(), endpoint: `127.0.0.1:${paths.port}`, protocol: "HTTP", regionId }),
    );
    const call = api();
    const vpcId = (await call("Vpc", "CreateVpc", { RegionId: regionId, CidrBlock: "172.20.0.0/16" }))[
        "VpcId"
    ] as string;
    const zoneId = "cn-hangzhou-h";
    const vswitch = { RegionId: regionId, VpcId: vpcId, CidrBlock: "172.20.0.0/24", ZoneId: zoneId };
    const vSwitchId = (await call("Vpc", "CreateVSwitch", vswitch))["VSwitchId"] as string;
    const group = await client.createSecurityGroup(new ecs.CreateSecurityGroupRequest({ regionId, vpcId }));
    const securityGroupId = group.body!.securityGroupId!;
    const opened = { regionId, securityGroupId, ipProtocol: "tcp", portRange: "22/22", sourceCidrIp: "0.0.0.0/0" };
    await client.authorizeSecurityGroup(new ecs.AuthorizeSecurityGroupRequest(opened));
    const images = await client.describeImages(new ecs.DescribeImagesRequest({ regionId, imageOwnerAlias: "system" }));
    const imageId = images.body!.images!.image!.map(({ imageId: id }) => id!).find((id) => id.startsWith("debian_12"))!;
    const made = await client.runInstances(
        new ecs.RunInstancesRequest({
            regionId,
            imageId,
            securityGroupId,
            vSwitchId,
            instanceType: "ecs.g7.large",
            internetMaxBandwidthOut: 5,
            systemDisk: new ecs.RunInstancesRequestSystemDisk({ category: "cloud_essd" }),
        }),
    );
    const instanceId = made.body!.instanceIdSets!.instanceIdSet![0]!;
    try {
        const describe = new ecs.DescribeInstancesRequest({ regionId, instanceIds: JSON.stringify([instanceId]) });
        const { value: address } = await eventually("the instance runs", 60, async () => {
            const found = (await client.describeInstances(describe)).body!.instances!.instance![0]!;
            return found.status === "Running" ? found.publicIpAddress!.ipAddress![0] : undefined;
        });
        const { value: said } = await eventually("it takes SSH", 60, () => greeting(address, 22));
        expect(said).toMatch(/^SSH-2\.0-OpenSSH/);
    } finally {
        await client.deleteInstance(new ecs.DeleteInstanceRequest({ instanceId, force: true }));
    }
    const gone = new ecs.DescribeInstancesRequest({ regionId, instanceIds: JSON.stringify([instanceId]) });
    await eventually("the instance is gone", 30, async () =>
        (await client.describeInstances(gone)).body!.totalCount === 0 ? true : undefined,
    );
    await client.deleteSecurityGroup(new ecs.DeleteSecurityGroupRequest({ regionId, securityGroupId }));
    await call("Vpc", "DeleteVSwitch", { RegionId: regionId, VSwitchId: vSwitchId });
    await call("Vpc", "DeleteVpc", { RegionId: regionId, VpcId: vpcId });
});

it("a balancer comes with the call that guides begin with, and goes", async () => {
    const { accessKeyId, accessKeySecret } = identity();
    const endpoint = `http://127.0.0.1:${paths.port}`;
    const client = new RpcClient({ accessKeyId, accessKeySecret, endpoint, apiVersion: "2014-05-15" });
    const made = await client.request<{ LoadBalancerId: string; Address: string }>("CreateLoadBalancer", {
        RegionId: regionId,
        LoadBalancerName: "from-a-guide",
        AddressType: "internet",
        InternetChargeType: "paybytraffic",
    });
    const balancer = { RegionId: regionId, LoadBalancerId: made.LoadBalancerId };
    expect(made.Address).toMatch(/^127\.77\./);
    expect(await client.request("DescribeLoadBalancerAttribute", balancer)).toMatchObject({
        LoadBalancerStatus: "active",
        Address: made.Address,
    });
    await client.request("DeleteLoadBalancer", balancer);
    expect(await codeOf(client.request("DescribeLoadBalancerAttribute", balancer))).toBe(
        "InvalidLoadBalancerId.NotFound",
    );
});

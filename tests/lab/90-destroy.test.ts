/** The end of the shared stack. */
import { api, labOutput } from "./lab";

jest.setTimeout(600_000);

it("destroy leaves nothing of the stack in the cloud", async () => {
    await labOutput(["pulumi", "destroy", "--yes", "--skip-preview"], { seconds: 560 });
    const call = api();
    const region = { RegionId: "cn-hangzhou" };
    const counts: Record<string, unknown> = {};
    for (const [product, action, count = "TotalCount"] of [
        ["Vpc", "DescribeVpcs"],
        ["Vpc", "DescribeVSwitches"],
        ["Vpc", "DescribeNatGateways"],
        ["Vpc", "DescribeEipAddresses"],
        ["Ecs", "DescribeInstances"],
        ["Ecs", "DescribeDisks"],
        ["Ecs", "DescribeSecurityGroups"],
        ["Ecs", "DescribeKeyPairs"],
        ["Ecs", "DescribeNetworkInterfaces"],
        ["Ecs", "DescribeDeploymentSets"],
        ["Slb", "DescribeLoadBalancers"],
        ["Slb", "DescribeAccessControlLists"],
        ["pvtz", "DescribeZones", "TotalItems"],
    ] as const) {
        counts[action] = (await call(product, action, region))[count];
    }
    const { ServerCertificates } = (await call("Slb", "DescribeServerCertificates", region)) as {
        ServerCertificates: { ServerCertificate: readonly unknown[] };
    };
    counts["DescribeServerCertificates"] = ServerCertificates.ServerCertificate.length;
    expect(Object.values(counts).every((count) => count === 0) || counts).toBe(true);
});

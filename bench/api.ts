/** How long a call of the lab's API takes with 100 instances in its model; no machine below, so that only the API counts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { actions as ecs } from "../lab/api/ecs";
import { actions as vpc } from "../lab/api/vpc";
import { Cloud } from "../lab/cloud";
import type { Machine, MachineEvent } from "../lab/model/desired";
import { labPaths } from "../lab/paths";
import { Rpc, rpcClient } from "../lab/rpc";
import { median } from "./statistics";

/** How long one call took, in milliseconds. */
export interface Timing {
    readonly call: string;
    /** Each time, in their order. */
    readonly times: readonly number[];
    /** 95th percentile. */
    readonly p95: number;
}

const INSTANCES = 100;
/** Below the number of rules that a security group takes. */
const ROUNDS = 150;

/** Starts every host at once and does nothing else. */
function idleMachine(): Machine {
    let listener: (event: MachineEvent) => void = () => undefined;
    return {
        reconcile: async ({ hosts }) => {
            for (const { id } of hosts) setImmediate(() => listener({ kind: "running", hostId: id }));
        },
        inForce: async () => undefined,
        onEvent: (given) => {
            listener = given;
        },
        consoleOutput: async () => "",
        health: async () => [],
        serves: () => true,
        close: async () => undefined,
        destroy: async () => undefined,
    };
}

/** Fills a lab in memory and on disk with 100 instances and times the calls that providers make most. */
export async function measureApi(): Promise<Timing[]> {
    const folder = mkdtempSync(join(tmpdir(), "lab-bench-"));
    const paths = { ...labPaths({ LAB_NAME: "bench" }) };
    const inside = (name: string): string => join(folder, name);
    const cloud = await Cloud.start({
        paths: {
            ...paths,
            folder,
            state: inside("state.json"),
            identity: inside("identity.json"),
            certificates: inside("certificates"),
        },
        machine: idleMachine(),
        actions: [...ecs, ...vpc],
        port: 0,
        log: () => undefined,
    });
    try {
        const { identity, server } = cloud;
        const rpc = rpcClient(`http://127.0.0.1:${server.port}`, identity.accessKeyId, identity.accessKeySecret);
        const { groupId, instanceIds } = await fill(rpc);
        const region = { RegionId: "cn-hangzhou" };
        const one = instanceIds[INSTANCES / 2]!;
        const calls: [string, () => Promise<unknown>][] = [
            [
                "DescribeInstances (one)",
                () => rpc("Ecs", "DescribeInstances", { ...region, InstanceIds: `["${one}"]` }),
            ],
            ["DescribeInstances (50)", () => rpc("Ecs", "DescribeInstances", { ...region, PageSize: "50" })],
            ["DescribeVpcs", () => rpc("Vpc", "DescribeVpcs", region)],
            [
                "DescribeSecurityGroups",
                () => rpc("Ecs", "DescribeSecurityGroups", { ...region, SecurityGroupId: groupId }),
            ],
            [
                "ModifyInstanceAttribute",
                () =>
                    rpc("Ecs", "ModifyInstanceAttribute", {
                        ...region,
                        InstanceId: one,
                        Description: String(Math.random()),
                    }),
            ],
            [
                "AuthorizeSecurityGroup",
                (
                    (port) => () =>
                        rpc("Ecs", "AuthorizeSecurityGroup", {
                            ...region,
                            SecurityGroupId: groupId,
                            IpProtocol: "tcp",
                            PortRange: `${(port += 1)}/${port}`,
                            SourceCidrIp: "10.0.0.0/8",
                        })
                )(10_000),
            ],
        ];
        const timings: Timing[] = [];
        for (const [call, run] of calls) timings.push(await time(call, run));
        return timings;
    } finally {
        await cloud.close();
        rmSync(folder, { recursive: true, force: true });
    }
}

async function fill(rpc: Rpc): Promise<{ groupId: string; instanceIds: string[] }> {
    const region = { RegionId: "cn-hangzhou" };
    const id = async (product: "Ecs" | "Vpc", action: string, parameters: Record<string, string>, member: string) =>
        (await rpc(product, action, { ...region, ...parameters }))[member] as string;
    const vpcId = await id("Vpc", "CreateVpc", { CidrBlock: "10.0.0.0/8" }, "VpcId");
    const vswitch = { VpcId: vpcId, CidrBlock: "10.0.0.0/16", ZoneId: "cn-hangzhou-h" };
    const vswitchId = await id("Vpc", "CreateVSwitch", vswitch, "VSwitchId");
    const groupId = await id("Ecs", "CreateSecurityGroup", { VpcId: vpcId }, "SecurityGroupId");
    const answer = await rpc("Ecs", "RunInstances", {
        ...region,
        Amount: String(INSTANCES),
        ImageId: "debian_12_7_x64_20G_alibase_20240819.vhd",
        InstanceType: "ecs.g7.large",
        VSwitchId: vswitchId,
        SecurityGroupId: groupId,
        "SystemDisk.Category": "cloud_essd",
    });
    return { groupId, instanceIds: (answer["InstanceIdSets"] as { InstanceIdSet: string[] }).InstanceIdSet };
}

async function time(call: string, run: () => Promise<unknown>): Promise<Timing> {
    await run();
    const took: number[] = [];
    for (let i = 0; i < ROUNDS; i += 1) {
        const started = performance.now();
        await run();
        took.push(performance.now() - started);
    }
    const sorted = [...took].sort((a, b) => a - b);
    return { call, times: took, p95: sorted[Math.floor(ROUNDS * 0.95)]! };
}

if (require.main === module) {
    measureApi()
        .then((timings) => {
            for (const { call, times, p95 } of timings)
                console.log(`${call.padEnd(28)} median ${median(times).toFixed(1)} ms, 95 % ${p95.toFixed(1)} ms`);
        })
        .catch((error: unknown) => {
            console.error(error);
            process.exitCode = 1;
        });
}

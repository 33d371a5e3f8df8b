/** The ECS product over a store in memory, with the VPC and SLB products beside it and a machine that does at once what it is asked for. */
import { ActionContext, ActionTable, dryRunPassed, run } from "../../../lab/api/action";
import { actions as ecs } from "../../../lab/api/ecs";
import { applyMachineEvent } from "../../../lab/api/ecs/events";
import { CloudError } from "../../../lab/api/errors";
import { actions as slb } from "../../../lab/api/slb";
import { actions as vpc } from "../../../lab/api/vpc";
import { answerProblems } from "../../../lab/api/wire";
import type { Instance, State } from "../../../lab/model/state";
import { Store } from "../../../lab/model/store";

export const REGION = "cn-hangzhou";
export const ZONE = "cn-hangzhou-h";
export const OTHER_ZONE = "cn-hangzhou-i";
export const IMAGE = "debian_12_12_x64_20G_alibase_20251030.vhd";
export const TYPE = "ecs.c6.large";

export type Parameters = Readonly<Record<string, string>>;
export type Answer = Record<string, unknown>;

/** What an answer holds at a path: `Disks.Disk.0.DiskId`. */
export function at(answer: unknown, path: string): unknown {
    return path
        .split(".")
        .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], answer);
}

/** The string at a path. */
export function text(answer: unknown, path: string): string {
    const value = at(answer, path);
    if (typeof value !== "string") throw new Error(`There is no string at ${path} of ${JSON.stringify(answer)}.`);
    return value;
}

/** The list at a path. */
export function list(answer: unknown, path: string): readonly Answer[] {
    const value = at(answer, path);
    if (!Array.isArray(value)) throw new Error(`There is no list at ${path} of ${JSON.stringify(answer)}.`);
    return value as Answer[];
}

/** A VPC with a VSwitch and a security group. */
export interface Site {
    readonly vpcId: string;
    readonly vswitchId: string;
    readonly groupId: string;
}

export class Cloud {
    readonly store = new Store();
    /** Whether the machine reports what it did. */
    machine = true;
    now = "2026-01-31T12:00:30Z";
    /** How often the machine was asked to follow and waited for. */
    applied = 0;
    /** Hosts that the last one of these waited for. */
    followed: readonly string[] = [];
    private readonly table = new ActionTable([...ecs, ...vpc, ...slb]);

    get state(): State {
        return this.store.state;
    }

    /** Calls an action; rejects with its `CloudError`. */
    async call(name: string, parameters: Parameters = {}, version = "2014-05-26"): Promise<Answer> {
        const action = this.table.find(version, name);
        if (!action) throw new Error(`There is no action ${name}.`);
        const context: ActionContext = {
            store: this.store,
            regionId: parameters["RegionId"] ?? REGION,
            requestId: "00000000-0000-0000-0000-000000000000",
            accountId: "1234567890123456",
            now: this.now,
            checked: () => {
                if (parameters["DryRun"] === "true") throw dryRunPassed();
            },
            applied: async (...hostIds) => {
                this.applied += 1;
                this.followed = hostIds;
            },
        };
        const answer = await run(action, new Map(Object.entries(parameters)), context);
        const problems = answerProblems(action.response, answer);
        if (problems.length > 0) throw new Error(`${name}: ${problems.join("; ")}`);
        if (this.machine) this.settle();
        return JSON.parse(JSON.stringify(answer)) as Answer;
    }

    vpcCall(name: string, parameters: Parameters = {}): Promise<Answer> {
        return this.call(name, parameters, "2016-04-28");
    }

    slbCall(name: string, parameters: Parameters = {}): Promise<Answer> {
        return this.call(name, parameters, "2014-05-15");
    }

    /** The machine has done what the model says. */
    settle(): void {
        for (const { id, status } of Object.values(this.state.instances)) {
            if (status === "Pending" || status === "Starting")
                applyMachineEvent(this.store, { kind: "running", hostId: id });
            if (status === "Stopping") applyMachineEvent(this.store, { kind: "stopped", hostId: id });
        }
    }

    /** `400 SomeCode` of a call that must fail, and must not have changed anything. */
    async refusal(name: string, parameters: Parameters = {}): Promise<string> {
        const before = JSON.stringify(this.state);
        try {
            await this.call(name, parameters);
        } catch (error) {
            if (!(error instanceof CloudError)) throw error;
            if (JSON.stringify(this.state) !== before) throw new Error(`${name} failed after it changed the model.`);
            return `${error.status} ${error.code}`;
        }
        return "success";
    }

    async site(cidr = "10.0.0.0/16"): Promise<Site> {
        const vpcId = text(await this.vpcCall("CreateVpc", { CidrBlock: cidr }), "VpcId");
        const vswitchId = await this.vswitch(vpcId, cidr.replace("0.0/16", "1.0/24"));
        return { vpcId, vswitchId, groupId: await this.group(vpcId) };
    }

    async vswitch(vpcId: string, cidr: string, zone = ZONE): Promise<string> {
        const given = { VpcId: vpcId, CidrBlock: cidr, ZoneId: zone };
        return text(await this.vpcCall("CreateVSwitch", given), "VSwitchId");
    }

    async group(vpcId: string, parameters: Parameters = {}): Promise<string> {
        return text(await this.call("CreateSecurityGroup", { VpcId: vpcId, ...parameters }), "SecurityGroupId");
    }

    /** Parameters of `RunInstances` that suffice. */
    launch(site: Site): Parameters {
        return {
            ImageId: IMAGE,
            InstanceType: TYPE,
            VSwitchId: site.vswitchId,
            SecurityGroupId: site.groupId,
        };
    }

    async run(site: Site, parameters: Parameters = {}): Promise<string[]> {
        const answer = await this.call("RunInstances", { ...this.launch(site), ...parameters });
        return [...list(answer, "InstanceIdSets.InstanceIdSet")] as unknown as string[];
    }

    async instance(site: Site, parameters: Parameters = {}): Promise<string> {
        return (await this.run(site, parameters))[0]!;
    }

    async show(instanceId: string): Promise<Answer> {
        const answer = await this.call("DescribeInstances", { InstanceIds: JSON.stringify([instanceId]) });
        return list(answer, "Instances.Instance")[0]!;
    }

    model(instanceId: string): Instance {
        return this.state.instances[instanceId]!;
    }
}

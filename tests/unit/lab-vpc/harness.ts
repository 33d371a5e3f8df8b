/** A VPC product over a store in memory: actions are called by name with the flat parameters of the wire. */
import { Action, ActionContext, ActionTable, dryRunPassed, run } from "../../../lab/api/action";
import { CloudError } from "../../../lab/api/errors";
import { actions } from "../../../lab/api/vpc";
import type { ServerHealth } from "../../../lab/model/desired";
import type { Instance, NetworkInterface, State } from "../../../lab/model/state";
import { Store } from "../../../lab/model/store";

export const REGION = "cn-hangzhou";
export const ZONE = "cn-hangzhou-h";
export const OTHER_ZONE = "cn-hangzhou-i";
export const VERSION = "2016-04-28";

export type Parameters = Readonly<Record<string, string>>;
export type Answer = Record<string, unknown>;

/** What an answer holds at a path: `RouteTables.RouteTable.0.VRouterId`. */
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

export interface Gateway {
    readonly id: string;
    readonly snatTableId: string;
    readonly forwardTableId: string;
    readonly view: Answer;
}

/** The VPC product over a store in memory. */
export class Cloud {
    readonly store = new Store();
    readonly table: ActionTable;
    /** How often the machine was asked to follow and waited for. */
    applied = 0;
    now = "2026-01-31T12:00:00Z";
    /** What the machine says of the servers of any balancer. */
    health: readonly ServerHealth[] = [];

    constructor(more: readonly Action[] = []) {
        this.table = new ActionTable([...actions, ...more]);
    }

    get state(): State {
        return this.store.state;
    }

    /** Calls an action; rejects with its `CloudError`. */
    async call(name: string, parameters: Parameters = {}, regionId = REGION, version = VERSION): Promise<Answer> {
        const action = this.table.find(version, name);
        if (!action) throw new Error(`There is no action ${name}.`);
        const context: ActionContext = {
            store: this.store,
            regionId: parameters["RegionId"] ?? regionId,
            requestId: "00000000-0000-0000-0000-000000000000",
            accountId: "1234567890123456",
            now: this.now,
            checked: () => {
                if (parameters["DryRun"] === "true") throw dryRunPassed();
            },
            applied: async () => {
                this.applied += 1;
            },
            health: async () => this.health,
        };
        return run(action, new Map(Object.entries(parameters)), context);
    }

    /** `400 SomeCode` of a call that must fail. */
    async refusal(name: string, parameters: Parameters = {}, regionId = REGION, version = VERSION): Promise<string> {
        const before = JSON.stringify(this.state);
        try {
            await this.call(name, parameters, regionId, version);
        } catch (error) {
            if (!(error instanceof CloudError)) throw error;
            if (JSON.stringify(this.state) !== before) throw new Error(`${name} failed after it changed the model.`);
            return `${error.status} ${error.code}`;
        }
        return "success";
    }

    async vpc(parameters: Parameters = {}): Promise<string> {
        return text(await this.call("CreateVpc", parameters), "VpcId");
    }

    async vswitch(vpcId: string, cidr: string, parameters: Parameters = {}): Promise<string> {
        const given = { VpcId: vpcId, CidrBlock: cidr, ZoneId: ZONE, ...parameters };
        return text(await this.call("CreateVSwitch", given), "VSwitchId");
    }

    async systemTable(vpcId: string): Promise<string> {
        const answer = await this.call("DescribeRouteTableList", { VpcId: vpcId, RouteTableType: "System" });
        return text(answer, "RouterTableList.RouterTableListType.0.RouteTableId");
    }

    async natGateway(vpcId: string, vswitchId: string, parameters: Parameters = {}): Promise<Gateway> {
        const created = await this.call("CreateNatGateway", {
            VpcId: vpcId,
            VSwitchId: vswitchId,
            NatType: "Enhanced",
            ...parameters,
        });
        const NatGatewayId = text(created, "NatGatewayId");
        const gateway = list(await this.call("DescribeNatGateways", { NatGatewayId }), "NatGateways.NatGateway")[0]!;
        return {
            id: NatGatewayId,
            snatTableId: text(gateway, "SnatTableIds.SnatTableId.0"),
            forwardTableId: text(gateway, "ForwardTableIds.ForwardTableId.0"),
            view: gateway,
        };
    }

    async eip(parameters: Parameters = {}): Promise<{ id: string; address: string }> {
        const answer = await this.call("AllocateEipAddress", parameters);
        return { id: text(answer, "AllocationId"), address: text(answer, "EipAddress") };
    }

    /** An instance as the ECS product would leave it. */
    instance(vswitchId: string, given: Partial<Instance> = {}): Instance {
        const vswitch = this.state.vswitches[vswitchId]!;
        const instance = {
            id: this.store.newId("i"),
            regionId: vswitch.regionId,
            status: "Running",
            vpcId: vswitch.vpcId,
            vswitchId,
            metadata: { tokens: "optional", endpoint: "enabled", hopLimit: 0 },
            ...given,
        } as Instance;
        this.state.instances[instance.id] = instance;
        this.networkInterface(vswitchId, { kind: "Primary", instanceId: instance.id });
        return instance;
    }

    networkInterface(vswitchId: string, given: Partial<NetworkInterface> = {}): NetworkInterface {
        const vswitch = this.state.vswitches[vswitchId]!;
        const nic = {
            id: this.store.newId("eni"),
            regionId: vswitch.regionId,
            kind: "Secondary",
            vpcId: vswitch.vpcId,
            vswitchId,
            primaryIp: `${vswitch.cidr.split(".").slice(0, 3).join(".")}.${100 + Object.keys(this.state.networkInterfaces).length}`,
            secondaryIps: [],
            instanceId: "",
            serviceManaged: false,
            ...given,
        } as unknown as NetworkInterface;
        this.state.networkInterfaces[nic.id] = nic;
        return nic;
    }
}

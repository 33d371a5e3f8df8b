/** The ALB product and the certificate service beside the VPC product, over one store in memory. */
import type { Action } from "../../../lab/api/action";
import { actions as alb } from "../../../lab/api/alb";
import { actions as cas } from "../../../lab/api/cas";
import type { DesiredBalancer } from "../../../lab/model/desired";
import { projectBalancers } from "../../../lab/model/projectBalancers";
import { Answer, Cloud, OTHER_ZONE, Parameters, REGION, ZONE, text } from "../lab-vpc/harness";

export { at, list, text } from "../lab-vpc/harness";

const VERSION = "2020-06-16";
const CERTIFICATES = "2020-04-07";

export class BalancerCloud extends Cloud {
    vpcId = "";
    vswitches: readonly [string, string] = ["", ""];

    constructor(more: readonly Action[] = []) {
        super([...alb, ...cas, ...more]);
    }

    /** A VPC with a VSwitch in each of two zones. */
    async network(): Promise<void> {
        this.vpcId = await this.vpc({ CidrBlock: "10.0.0.0/16" });
        this.vswitches = [
            await this.vswitch(this.vpcId, "10.0.1.0/24"),
            await this.vswitch(this.vpcId, "10.0.2.0/24", { ZoneId: OTHER_ZONE }),
        ];
    }

    alb(name: string, parameters: Parameters = {}): Promise<Answer> {
        return this.call(name, parameters, REGION, VERSION);
    }

    albRefusal(name: string, parameters: Parameters = {}): Promise<string> {
        return this.refusal(name, parameters, REGION, VERSION);
    }

    cas(name: string, parameters: Parameters = {}, version = CERTIFICATES): Promise<Answer> {
        return this.call(name, parameters, REGION, version);
    }

    casRefusal(name: string, parameters: Parameters = {}): Promise<string> {
        return this.refusal(name, parameters, REGION, CERTIFICATES);
    }

    /** Lets changes come to their end. */
    settle(): void {
        this.now = new Date(Date.parse(this.now) + 10_000).toISOString().replace(".000Z", "Z");
    }

    /** What makes a balancer in two zones. */
    wanted(parameters: Parameters = {}): Parameters {
        return {
            AddressType: "Internet",
            LoadBalancerEdition: "Standard",
            "LoadBalancerBillingConfig.PayType": "PostPay",
            VpcId: this.vpcId,
            "ZoneMappings.1.ZoneId": ZONE,
            "ZoneMappings.1.VSwitchId": this.vswitches[0],
            "ZoneMappings.2.ZoneId": OTHER_ZONE,
            "ZoneMappings.2.VSwitchId": this.vswitches[1],
            ...parameters,
        };
    }

    /** A balancer that takes changes. */
    async balancer(parameters: Parameters = {}): Promise<string> {
        const id = text(await this.alb("CreateLoadBalancer", this.wanted(parameters)), "LoadBalancerId");
        this.settle();
        return id;
    }

    async group(parameters: Parameters = {}): Promise<string> {
        const given = { ServerGroupName: "web", VpcId: this.vpcId, ...parameters };
        return text(await this.alb("CreateServerGroup", given), "ServerGroupId");
    }

    async add(
        ServerGroupId: string,
        servers: readonly { id: string; port?: number; weight?: number }[],
    ): Promise<void> {
        const named = servers.flatMap(({ id, port = 8080, weight = 100 }, index) => [
            [`Servers.${index + 1}.ServerId`, id],
            [`Servers.${index + 1}.ServerType`, "Ecs"],
            [`Servers.${index + 1}.Port`, String(port)],
            [`Servers.${index + 1}.Weight`, String(weight)],
        ]);
        await this.alb("AddServersToServerGroup", { ServerGroupId, ...(Object.fromEntries(named) as Parameters) });
    }

    /** A listener that takes changes. */
    async listener(LoadBalancerId: string, serverGroupId: string, parameters: Parameters = {}): Promise<string> {
        const created = await this.alb("CreateListener", {
            LoadBalancerId,
            ListenerProtocol: "HTTP",
            ListenerPort: "80",
            ...forwardTo(serverGroupId),
            ...parameters,
        });
        this.settle();
        return text(created, "ListenerId");
    }

    /** What the machine is asked to run. */
    desired(): readonly DesiredBalancer[] {
        return projectBalancers(this.state);
    }
}

export function forwardTo(serverGroupId: string): Parameters {
    return {
        "DefaultActions.1.Type": "ForwardGroup",
        "DefaultActions.1.ForwardGroupConfig.ServerGroupTuples.1.ServerGroupId": serverGroupId,
    };
}

/** The SLB product beside the VPC product, over one store in memory. */
import { actions } from "../../../lab/api/slb";
import type { DesiredBalancer } from "../../../lab/model/desired";
import { projectBalancers } from "../../../lab/model/projectBalancers";
import { Answer, Cloud, Parameters, REGION, list, text } from "../lab-vpc/harness";

export { REGION, at, list, text } from "../lab-vpc/harness";

const VERSION = "2014-05-15";

/** A server as lists of servers name it. */
export interface Named {
    readonly ServerId: string;
    readonly Port?: number;
    readonly Weight?: number;
    readonly Type?: string;
    readonly ServerIp?: string;
}

export class BalancerCloud extends Cloud {
    constructor() {
        super(actions);
    }

    slb(name: string, parameters: Parameters = {}, regionId = REGION): Promise<Answer> {
        return this.call(name, parameters, regionId, VERSION);
    }

    slbRefusal(name: string, parameters: Parameters = {}, regionId = REGION): Promise<string> {
        return this.refusal(name, parameters, regionId, VERSION);
    }

    async balancer(parameters: Parameters = {}): Promise<string> {
        return text(await this.slb("CreateLoadBalancer", parameters), "LoadBalancerId");
    }

    async group(LoadBalancerId: string, servers: readonly Named[] = []): Promise<string> {
        const given = { LoadBalancerId, VServerGroupName: "web", BackendServers: JSON.stringify(servers) };
        return text(await this.slb("CreateVServerGroup", given), "VServerGroupId");
    }

    /** A running HTTP listener. */
    async listener(LoadBalancerId: string, ListenerPort: string, parameters: Parameters = {}): Promise<void> {
        await this.slb("CreateLoadBalancerHTTPListener", {
            LoadBalancerId,
            ListenerPort,
            HealthCheck: "on",
            StickySession: "off",
            ...parameters,
        });
        await this.slb("StartLoadBalancerListener", { LoadBalancerId, ListenerPort });
    }

    async attribute(LoadBalancerId: string): Promise<Answer> {
        return this.slb("DescribeLoadBalancerAttribute", { LoadBalancerId });
    }

    async servers(VServerGroupId: string): Promise<readonly Answer[]> {
        return list(
            await this.slb("DescribeVServerGroupAttribute", { VServerGroupId }),
            "BackendServers.BackendServer",
        );
    }

    /** What the machine is asked to run. */
    desired(): readonly DesiredBalancer[] {
        return projectBalancers(this.state);
    }
}

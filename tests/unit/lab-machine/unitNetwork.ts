import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { Runner } from "../../../lab/hosts/runner";
import type { DesiredMachine } from "../../../lab/model/desired";
import { Network } from "../../../lab/net/network";

/** Index of no lab that could be running here. */
export const UNIT_LAB = 15;

/** A folder for a test, and in it the network of a lab whose commands go to a runner of the test's. */
export function unitNetwork(runner: (folder: string) => Partial<Runner>): {
    readonly folder: string;
    readonly network: Network;
    readonly close: () => void;
} {
    const folder = mkdtempSync(path.join(tmpdir(), "lab-network-"));
    const network = new Network({
        runner: runner(folder) as Runner,
        lab: "unit",
        index: UNIT_LAB,
        slotsFile: path.join(folder, "slots.json"),
        log: () => undefined,
        claimed: () => undefined,
    });
    const close = (): void => {
        network.close();
        rmSync(folder, { recursive: true, force: true });
    };
    return { folder, network, close };
}

/** A VPC with a balancer and nothing else. */
export function machineWithBalancer(address: string): DesiredMachine {
    return {
        vpcs: [
            {
                id: "vpc-a",
                cidrs: ["10.0.0.0/16"],
                vswitches: [{ id: "vsw-1", cidr: "10.0.1.0/24", gateway: "10.0.1.253", routeTableId: "vtb-1" }],
                routeTables: [],
                snat: [],
                dnat: [],
                haVips: [],
            },
        ],
        hosts: [],
        eips: [],
        securityGroups: [],
        balancers: [{ id: "lb-a", addresses: [address], vpcId: "vpc-a", listeners: [] }],
        zones: [],
        fileSystems: [],
    };
}

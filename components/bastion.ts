import * as pulumi from "@pulumi/pulumi";

import { componentOptions } from "./dependencies";
import type { Host, HostStep } from "./host";
import type { Network } from "./network";
import { type JumpHost, NodePool, type NodePoolArgs } from "./nodePool";
import { Problems } from "./problems";

/** Arguments of {@link Bastion}. */
export interface BastionArgs extends Pick<
    NodePoolArgs,
    | "imageId"
    | "imageName"
    | "systemDisk"
    | "user"
    | "keyPair"
    | "keys"
    | "hostKeys"
    | "deletionProtection"
    | "hostPrefix"
    | "tags"
    | "rebuildOn"
> {
    /** Whose first VSwitch and which security group it gets. */
    readonly network: Network;
    /** Ranges from which administrators, and this program, connect to port 22. Never 0.0.0.0/0. */
    readonly adminCidrs: readonly string[];
    /** The network's role whose security group the bastion gets. @default "bastion" */
    readonly role?: string;
    /** Size of the host, which only forwards. Another one stops and starts it. @default "ecs.t6-c1m1.large": 2 vCPU, 2 GiB */
    readonly instanceType?: pulumi.Input<string>;
    /** Peak bandwidth of its elastic address in Mbit/s, 1 to 200. @default 20 */
    readonly bandwidth?: number;
}

/**
 * The one host with a public address: the others are reached through it. It forwards connections and does nothing else; its SSH
 * server takes keys only and is open to the administrators' ranges alone.
 *
 * @example
 * const bastion = new Bastion("bastion", { network, adminCidrs: ["198.51.100.7/32"] });
 * new NodePool("node", { network, role: "data", count: 6, bastion });
 */
export class Bastion extends pulumi.ComponentResource implements JumpHost {
    /** The host itself. */
    public readonly host: Host;
    /** Its public address. */
    public readonly address: pulumi.Output<string>;
    /** The private key that logs in to it, in OpenSSH format. Secret. */
    public readonly privateKey: pulumi.Output<string>;
    /** What has to be done on it before others are reached through it. */
    public readonly preparedBy: HostStep[];

    constructor(name: string, args: BastionArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:compute:Bastion", name, {}, componentOptions(opts));
        const problems = new Problems();
        if (args.adminCidrs.length === 0) {
            problems.add("adminCidrs", "nobody could connect: name at least one range.");
        }
        problems.throwIfAny(`Bastion "${name}"`);

        const {
            network,
            adminCidrs,
            role = "bastion",
            bandwidth = 20,
            instanceType = "ecs.t6-c1m1.large",
            ...poolArgs
        } = args;
        // Before the pool, whose hosts can't be reached without these rules.
        network.allow(role, [{ ports: [22], cidrs: adminCidrs, description: "administrators" }], this, name);
        const pool = new NodePool(
            name,
            {
                ...poolArgs,
                network,
                role,
                count: 1,
                instanceType,
                publicAddresses: true,
                publicBandwidth: bandwidth,
                deploymentSet: false,
                mesh: false,
            },
            { parent: this },
            // The cloud takes each name once, and a pool may be called like the bastion; with an underscore none can be.
            `${name}_bastion`,
        );
        this.host = pool.hosts[0]!;
        this.address = this.host.publicAddress!;
        this.privateKey = pool.privateKey;
        this.preparedBy = [
            this.host.run(`${name}-sshd`, { script: "ssh/bastion", usesInternet: false }, { parent: this }),
        ];
        this.registerOutputs({ address: this.address });
    }
}

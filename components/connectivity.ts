import * as pulumi from "@pulumi/pulumi";

import { componentOptions } from "./dependencies";
import { type Host, type HostStep, sshPorts } from "./host";
import { Problems } from "./problems";

/** Arguments of {@link Connectivity}. */
export interface ConnectivityArgs {
    /** Hosts that have to reach each other: at least two, with different names. */
    readonly hosts: readonly Host[];
    /** TCP ports to try beside ping. Where nothing listens yet, the other side answers for the time of the check. */
    readonly ports: readonly number[];
    /** The service user whose logins between the hosts need no password: `NodePool.meshUser`. @default "multihost" */
    readonly user?: string | undefined;
    /** What has to be done before hosts can log in to each other: `NodePool.mesh`. @default [] */
    readonly after?: readonly pulumi.Resource[];
}

/** What a host's check reports. */
export interface ConnectivityResult {
    /** `<peer>:ping` or `<peer>:<port>`, for everything that works. */
    readonly checked: readonly string[];
}

/**
 * Tries every pair of hosts: ping, and each port. A failure says what is to blame: the security group, the host's own firewall, a
 * route, or a host that is down.
 *
 * @example
 * new Connectivity("data", { hosts: pool.hosts, ports: [22, 7000, 17000], user: pool.meshUser, after: pool.mesh });
 */
export class Connectivity extends pulumi.ComponentResource {
    /** One per host: depend on them to start only where everyone reaches everyone. */
    public readonly checks: HostStep<ConnectivityResult>[];

    constructor(name: string, args: ConnectivityArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:network:Connectivity", name, {}, componentOptions(opts));
        const problems = new Problems();
        if (args.hosts.length < 2) {
            problems.add("hosts", `${args.hosts.length} can't be paired: name at least two hosts.`);
        }
        args.hosts.forEach(({ name: hostName }, index) => {
            if (args.hosts.findIndex((other) => other.name === hostName) < index) {
                problems.add(`hosts[${index}]`, `"${hostName}" is listed twice.`);
            }
        });
        if (args.ports.length === 0 || args.ports.length > 64) {
            problems.add("ports", `${args.ports.length} ports can't be checked: give 1 to 64.`);
        }
        args.ports.forEach((port, index) => {
            if (!Number.isInteger(port) || port < 1 || port > 65535) {
                problems.add(`ports[${index}]`, `${port} is not a TCP port.`);
            }
        });
        problems.throwIfAny(`Connectivity "${name}"`);

        // Computed once: one list per host would be as many outputs as there are pairs.
        const members = pulumi.all(args.hosts.map((host) => pulumi.interpolate`${host.name}=${host.privateAddress}`));
        const ports = sshPorts(args.hosts);
        const identities = pulumi.all(args.hosts.map(({ identity }) => identity));
        this.checks = args.hosts.map((host, index) =>
            host.run<ConnectivityResult>(
                `${name}-check-${host.name}`,
                {
                    script: "connectivity/check",
                    params: {
                        address: host.privateAddress,
                        peers: members.apply((all) => all.filter((_, other) => other !== index)),
                        ports: [...args.ports],
                        user: args.user ?? "multihost",
                        sshPorts: ports,
                    },
                    // A peer that is another machine now has to be tried again.
                    rerunOn: [identities],
                },
                { parent: this, dependsOn: [...(args.after ?? [])] },
            ),
        );
        this.registerOutputs({});
    }
}

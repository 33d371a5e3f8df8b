import * as pulumi from "@pulumi/pulumi";

import { Host } from "./host";
import type { Network } from "./network";
import { Problems } from "./problems";
import { checkName } from "./tags";

/** What another stack needs to place hosts in a network and to write rules about those that are there. Nothing of it is secret. */
export interface SharedNetwork {
    /** Id of the VPC. */
    readonly vpcId: string;
    /** Ids of its VSwitches, in the order of the zones. */
    readonly vswitchIds: readonly string[];
    /** Id of each role's security group, which holds its rules. */
    readonly securityGroupIds: Readonly<Record<string, string>>;
    /** Id of the security group by which rules name a role's hosts as their source. */
    readonly sourceGroupIds: Readonly<Record<string, string>>;
}

/** What SSH needs to reach a machine. */
export interface SharedMachine {
    /** Host name. */
    readonly name: string;
    /** Private address. */
    readonly address: string;
    /** Where it is reached from outside, if anywhere. */
    readonly publicAddress?: string;
    /** SSH port. */
    readonly port: number;
    /** Who logs in. */
    readonly user: string;
    /** Key of that user, in OpenSSH format. Secret. */
    readonly privateKey: string;
    /** Its public host key: `ssh-ed25519 AAAA…`. */
    readonly hostKey: string;
    /** What tells another machine of the same name apart: its instance id. */
    readonly identity: string;
    /** Id of its zone; not there for machines that aren't the cloud's. */
    readonly zone?: string;
    /** Size of the instance, by which services on it are fitted; not there for machines that aren't the cloud's. */
    readonly instanceType?: string;
    /** Whether it is reached at its private address although it has a public one; not there where it isn't. */
    readonly direct?: boolean;
    /** Names of former hosts in whose place it is, the latest first; not there where there are none. */
    readonly succeeds?: readonly string[];
}

/** A host of another stack, and what it is reached through. */
export interface SharedHost extends SharedMachine {
    /** What it is reached through; not there for a host with a public address. */
    readonly bastion?: SharedMachine;
}

/**
 * A network as a stack's output, for {@link PlatformReference}.
 *
 * @example
 * export const sharedNetwork = shareNetwork(network);
 */
export function shareNetwork(network: Network): pulumi.Output<SharedNetwork> {
    return pulumi.output({
        vpcId: network.vpcId,
        vswitchIds: network.vswitches.map(({ id }) => id),
        securityGroupIds: network.securityGroupIds,
        sourceGroupIds: Object.fromEntries(
            Object.entries(network.memberships).map(([role, groups]) => [role, groups.at(-1)!]),
        ),
    });
}

/**
 * Hosts as a stack's output, for {@link PlatformReference}. Secret: whoever reads it logs in to these hosts, and to the bastion
 * before them, as the administrator. Share those that another stack works on, and no others.
 *
 * @example
 * export const sharedHosts = shareHosts(pool.hosts.slice(4));
 */
export function shareHosts(hosts: readonly Host[]): pulumi.Output<SharedHost[]> {
    return pulumi.secret(
        pulumi.all(
            hosts.map((host) =>
                pulumi
                    .all([machineOf(host), host.bastion && machineOf(host.bastion)])
                    .apply(([machine, bastion]) => ({ ...machine, ...(bastion && { bastion }) })),
            ),
        ),
    );
}

function machineOf(host: Host): pulumi.Output<SharedMachine> {
    const {
        name,
        privateAddress: address,
        publicAddress,
        connection,
        user,
        hostKey,
        identity,
        zone,
        instanceType,
    } = host;
    const { port = 22, privateKey = "" } = connection;
    return pulumi.output({
        ...{ name, address, publicAddress, port, user, privateKey, hostKey, identity, zone, instanceType },
        ...(host.direct ? { direct: true } : {}),
        ...(host.succeeds.length > 0 ? { succeeds: [...host.succeeds] } : {}),
    });
}

/** How the outputs of the stack that shares are called, and its hosts here. */
export interface PlatformReferenceArgs {
    /** Its output made by {@link shareNetwork}. @default "sharedNetwork" */
    readonly networkOutput?: string;
    /** Its output made by {@link shareHosts}. @default "sharedHosts" */
    readonly hostsOutput?: string;
    /**
     * What its hosts' names begin with in this stack: `PREFIX-node-1`. For all but one of the references of a program, to one stack or to
     * several, whose hosts may be called alike. `host` goes by the names of that stack all the same. Hosts under
     * another prefix are set up again.
     * @default none: they are called as in that stack
     */
    readonly hostPrefix?: string;
}

/**
 * Network and hosts of another stack, with their types. Private keys stay secret.
 *
 * Hosts that the other stack adds, or whose machine it replaces, arrive with this stack's next update.
 *
 * @example
 * export = async () => {
 *     const platform = await PlatformReference.get("organization/multihost/dev");
 *     const hosts = ["node-5", "node-6"].map((name) => platform.host(name));
 *     const orders = new MysqlReplication("orders", { hosts, engine: "mariadb", databases: ["orders"], clientCidrs: ["10.0.0.0/16"] });
 *     return { url: orders.url };
 * };
 */
export class PlatformReference {
    private readonly made = new Map<string, { readonly identity: string; readonly host: Host }>();

    private constructor(
        /** The stack's name, as it was asked for. */
        readonly stack: string,
        private readonly sharedNetwork: SharedNetwork | undefined,
        private readonly sharedHosts: readonly SharedHost[],
        private readonly hostPrefix: string | undefined,
    ) {}

    /**
     * @param stack its full name, such as `organization/multihost/dev`.
     * @throws pulumi.RunError when it shares neither a network nor hosts.
     */
    static async get(stack: string, args: PlatformReferenceArgs = {}): Promise<PlatformReference> {
        const { networkOutput = "sharedNetwork", hostsOutput = "sharedHosts", hostPrefix } = args;
        const problems = new Problems();
        if (hostPrefix !== undefined) checkName(problems, hostPrefix, 48, "hostPrefix");
        problems.throwIfAny(`PlatformReference "${stack}"`);
        const reference = new pulumi.StackReference(prefixed(hostPrefix, stack), { name: stack });
        const [network, hosts] = await Promise.all(
            [networkOutput, hostsOutput].map(async (name) => {
                const details = await reference.getOutputDetails(name);
                return (details.value ?? details.secretValue) as unknown;
            }),
        );
        if (network === undefined && hosts === undefined) {
            throw new pulumi.RunError(
                `The stack "${stack}" shares nothing: it has neither an output ${networkOutput} nor ${hostsOutput}. Bring it up first, with the hosts to share in its \`sharedHosts\`.`,
            );
        }
        return new PlatformReference(
            stack,
            network as SharedNetwork | undefined,
            (hosts ?? []) as SharedHost[],
            hostPrefix,
        );
    }

    /**
     * The network. Its `vpcId` and `vswitchIds` are what a `Network` of this stack adopts.
     *
     * @throws pulumi.RunError when the stack doesn't share it.
     */
    get network(): SharedNetwork {
        if (this.sharedNetwork === undefined) {
            throw new pulumi.RunError(`The stack "${this.stack}" doesn't share its network.`);
        }
        return this.sharedNetwork;
    }

    /** Names of the hosts that the stack shares. */
    get hostNames(): readonly string[] {
        return this.sharedHosts.map(({ name }) => name);
    }

    /**
     * A host of that stack, to run steps of this stack on.
     *
     * @throws pulumi.RunError when it isn't shared, and when two machines have this name.
     */
    host(name: string): Host {
        const [shared, ...others] = this.sharedHosts.filter((host) => host.name === name);
        if (shared === undefined) {
            const known = this.hostNames.length > 0 ? `only ${this.hostNames.join(", ")}` : "no host";
            throw new pulumi.RunError(
                `The stack "${this.stack}" shares ${known}, not "${name}": add it to \`sharedHosts\` there.`,
            );
        }
        if (others.some(({ identity }) => identity !== shared.identity)) throw this.ambiguous(name);
        const { bastion, ...machine } = shared;
        return this.make(machine, bastion && this.make({ ...bastion, name: this.bastionName(bastion) }));
    }

    /** A pool and a bastion may be called alike where they are made, and so their hosts; here each is a resource beside the other. */
    private bastionName({ name, identity }: SharedMachine): string {
        const taken = this.sharedHosts.some((host) => host.name === name && host.identity !== identity);
        return taken ? `${name}-bastion` : name;
    }

    private make({ name, privateKey, succeeds, ...reached }: SharedMachine, bastion?: Host): Host {
        const known = this.made.get(name);
        if (known !== undefined) {
            if (known.identity !== reached.identity) throw this.ambiguous(name);
            return known.host;
        }
        const host = new Host(prefixed(this.hostPrefix, name), {
            ...reached,
            privateKey: pulumi.secret(privateKey),
            bastion,
            ...(succeeds && { succeeds: succeeds.map((former) => prefixed(this.hostPrefix, former)) }),
        });
        this.made.set(name, { identity: reached.identity, host });
        return host;
    }

    private ambiguous(name: string): pulumi.RunError {
        return new pulumi.RunError(
            `The stack "${this.stack}" shares two machines named "${name}": leave one of them out of \`sharedHosts\` there, with what is reached through it.`,
        );
    }
}

function prefixed(prefix: string | undefined, name: string): string {
    return prefix === undefined ? name : `${prefix}-${name}`;
}

import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

import { componentOptions } from "../dependencies";
import { foundOnceKnown, Problems } from "../problems";
import { tagsFor, type Tags } from "../tags";
import type { IngressRule, NetworkArgs } from "./args";
import { checkGroupNames, expandRule, type NetworkSettings, parseNetworkArgs, type RuleSettings } from "./settings";
import { bestFirst, fittingZones, gatewayFirst, zoneNeeds } from "./zones";

/** One VSwitch of a {@link Network}. */
export interface VSwitch {
    /** Such as `vsw-bp1…`. */
    readonly id: pulumi.Output<string>;
    /** Id of its zone, such as `cn-hangzhou-h`. */
    readonly zone: pulumi.Output<string>;
    /** Its range of addresses. */
    readonly cidr: pulumi.Output<string>;
}

/**
 * A VPC with a VSwitch per zone, a way out through a NAT gateway, and one security group per role. Everything can be adopted
 * instead of created: the VPC, its VSwitches, the security groups.
 *
 * A security group lets in exactly what its role's rules name; hosts of the same role can't reach each other otherwise.
 *
 * @example
 * const network = new Network("main", {
 *     cidr: "10.20.0.0/16",
 *     zones: ["cn-hangzhou-h", "cn-hangzhou-i"],
 *     roles: {
 *         bastion: {},
 *         data: { ingress: [{ ports: [22], roles: ["bastion", "data"] }, { ports: [7000, 17000], roles: ["data"] }] },
 *     },
 * });
 *
 * @example
 * // In a VPC that exists, with the way out that it has.
 * new Network("main", { vpcId: "vpc-bp1…", vswitchIds: ["vsw-bp1…", "vsw-bp2…"], roles: { data: {} } });
 */
export class Network extends pulumi.ComponentResource {
    /** Id of the VPC, made or adopted. */
    public readonly vpcId: pulumi.Output<string>;
    /** In the order of the zones; hosts are spread over them. */
    public readonly vswitches: readonly VSwitch[];
    /** Id of each role's security group, which holds its rules. */
    public readonly securityGroupIds: Readonly<Record<string, pulumi.Output<string>>>;
    /** Ids of the security groups that a role's hosts join: the one with the rules and, where the role admits itself, a second one. */
    public readonly memberships: Readonly<Record<string, readonly pulumi.Output<string>[]>>;
    /** The address from which hosts without one of their own reach the internet; undefined without a NAT gateway. */
    public readonly natAddress: pulumi.Output<string> | undefined;
    /** What has to exist before a host without a public address can reach the internet. */
    public readonly outbound: pulumi.Resource[];

    private readonly name: string;
    private readonly memberIds: Readonly<Record<string, pulumi.Output<string>>>;
    private readonly rules = new Map<string, alicloud.ecs.SecurityGroupRule[]>();
    /** Rules of the network itself, by name. */
    private readonly shared = new Map<string, SharedRule>();

    constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:network:Network", name, {}, componentOptions(opts));
        const settings = parseNetworkArgs(name, args);
        this.name = name;

        this.vpcId = this.vpc(name, args, settings);
        const created = args.vswitchIds === undefined ? this.createVSwitches(name, args, settings) : [];
        const vswitches = args.vswitchIds === undefined ? created : this.adoptVSwitches(name, args.vswitchIds);
        this.vswitches = vswitches.map(({ id, zoneId, cidrBlock }) => ({ id, zone: zoneId, cidr: cidrBlock }));
        this.securityGroupIds = this.securityGroups(name, args);
        this.memberIds = this.memberGroups(name, args, settings);
        this.memberships = Object.fromEntries(
            Object.entries(this.securityGroupIds).map(([role, id]) => {
                const members = this.memberIds[role];
                return [role, members === undefined ? [id] : [id, members]];
            }),
        );
        for (const rule of settings.rules) {
            this.shareRule(rule);
        }

        const places = placesOf(args, settings);
        const nat = settings.natGateway ? this.natGateway(name, settings, places, args.tags) : undefined;
        const routes = args.ownRouteTable === true ? this.routeTable(name, places, args.tags, nat?.gateway) : [];
        this.natAddress = nat?.address;
        this.outbound = [...(nat?.entries ?? []), ...routes];
        this.registerOutputs({
            vpcId: this.vpcId,
            vswitchIds: this.vswitches.map(({ id }) => id),
            securityGroupIds: this.securityGroupIds,
            natAddress: this.natAddress,
        });
    }

    /** The rules of a role's security group: what can't be reached before they exist depends on them. */
    public rulesOf(role: string): pulumi.Resource[] {
        return [...(this.rules.get(role) ?? [])];
    }

    /**
     * Lets more in to a role's hosts. A rule that several ask for, or the network's own arguments, is one, which is there as long as any of them is.
     * Rules for `securityGroups`, whose names everybody chooses for himself, are the parent's alone.
     *
     * @param parent the component that asks for it.
     * @param prefix what the names of its own resources begin with: the parent's name, so that they go along when it is renamed.
     * @throws pulumi.RunError that lists every invalid part of the rules.
     */
    public allow(
        role: string,
        ingress: readonly IngressRule[],
        parent: pulumi.Resource,
        prefix: string,
    ): pulumi.Resource[] {
        const problems = new Problems();
        if (!(role in this.securityGroupIds)) {
            problems.add("role", `there is no role "${role}" in network "${this.name}".`);
        }
        checkGroupNames(problems, ingress, "ingress");
        const expanded = ingress.flatMap((rule, index) =>
            expandRule(problems, this.securityGroupIds, role, "ingress", rule, `ingress[${index}]`),
        );
        if (ingress.some(({ roles }) => roles?.includes(role) === true) && this.memberIds[role] === undefined) {
            problems.add("ingress", `"${role}" can admit itself only by a rule that its network was made with.`);
        }
        problems.throwIfAny(`A rule for network "${this.name}"`);
        return expanded.map((rule) => {
            const name = `${prefix}-${rule.name}`;
            // Rules of others had the network's name before.
            const opts = { parent, aliases: [{ name: `${this.name}-${rule.name}` }] };
            if (rule.peer.kind === "securityGroup") return this.addRule(name, rule, this.ruleInputs(rule), opts);
            const { inputs, resource, askedBy } = this.shareRule(rule);
            if (!askedBy.has(parent)) {
                askedBy.add(parent);
                // The rule was its parent's before the network had it, and to the cloud they are the same: deleted, it would be gone for everybody.
                new alicloud.ecs.SecurityGroupRule(name, inputs, {
                    ...opts,
                    dependsOn: [resource],
                    retainOnDelete: true,
                });
            }
            return resource;
        });
    }

    private vpc(name: string, args: NetworkArgs, settings: NetworkSettings): pulumi.Output<string> {
        if (args.vpcId !== undefined) {
            return pulumi.output(args.vpcId);
        }
        return new alicloud.vpc.Network(
            name,
            { vpcName: name, cidrBlock: settings.cidr, tags: tagsFor(name, args.tags) },
            { parent: this },
        ).id;
    }

    private createVSwitches(name: string, args: NetworkArgs, settings: NetworkSettings): alicloud.vpc.Switch[] {
        const { zones } = settings;
        const lookedUp =
            typeof zones === "number"
                ? this.lookUpZones(zones, [args.instanceType ?? []].flat(), settings.natGateway)
                : undefined;
        return settings.vswitchCidrs.map((cidrBlock, index) => {
            const numbered = `${name}-${index + 1}`;
            const vswitchName = typeof zones === "number" ? numbered : `${name}-${zones[index]}`;
            return new alicloud.vpc.Switch(
                vswitchName,
                {
                    vpcId: this.vpcId,
                    vswitchName,
                    cidrBlock,
                    zoneId: lookedUp?.apply((ids) => ids[index]!) ?? (zones as readonly string[])[index]!,
                    tags: tagsFor(vswitchName, args.tags),
                },
                // The order in which zones are listed may change, and a VSwitch that moves takes its hosts along.
                lookedUp === undefined
                    ? // Where there was a number of zones before, it is the VSwitch of that number.
                      { parent: this, aliases: [{ name: numbered }] }
                    : { parent: this, ignoreChanges: ["zoneId"] },
            );
        });
    }

    private lookUpZones(count: number, types: readonly string[], natGateway: boolean): pulumi.Output<string[]> {
        const forVSwitches = { availableResourceCreation: "VSwitch" };
        const offers = zoneNeeds(types).map((need) => {
            const found = alicloud.getZonesOutput({ ...forVSwitches, ...need }, { parent: this });
            return foundOnceKnown(found.ids);
        });
        // Without their `ids`, which the provider takes from the zones' local names.
        const forGateways = natGateway
            ? alicloud.vpc.getEnhancedNatAvailableZonesOutput({}, { parent: this }).zones
            : undefined;
        return pulumi.all([pulumi.all(offers), forGateways]).apply(async ([found, gatewayZones]) => {
            const gateways = (gatewayZones ?? []).map(({ zoneId }) => zoneId);
            const fitting = fittingZones(found);
            if (fitting.length >= count) return gatewayFirst(fitting, fitting, gateways);
            const { ids: all } = await alicloud.getZones(forVSwitches, { parent: this });
            const problem = `Network "${this.name}": zones: this region has ${fitting.length} zones that offer ${[...types, "encrypted ESSDs"].join(", ")}, not ${count}.`;
            if (all.length < count || (types.length > 0 && found[0]!.length === 0))
                throw new pulumi.RunError(
                    `${problem} Ask for fewer, or for another region or instance type; for VSwitches that exist name their zones instead of a number.`,
                );
            // What is on sale changes from day to day, which is nothing to VSwitches that are there: no reason to refuse every update.
            void pulumi.log.warn(`${problem} A VSwitch that is new now stands in a zone without some of it.`, this);
            return gatewayFirst(bestFirst(all, found), fitting, gateways);
        });
    }

    private adoptVSwitches(name: string, ids: readonly pulumi.Input<string>[]): alicloud.vpc.Switch[] {
        return ids.map((id, index) => alicloud.vpc.Switch.get(`${name}-${index + 1}`, id, undefined, { parent: this }));
    }

    private securityGroups(name: string, args: NetworkArgs): Record<string, pulumi.Output<string>> {
        return Object.fromEntries(
            Object.entries(args.roles ?? {}).map(([role, { securityGroupId }]) => [
                role,
                securityGroupId === undefined
                    ? this.securityGroup(`${name}-${role}`, `Hosts with the role ${role}`, args.tags)
                    : pulumi.output(securityGroupId),
            ]),
        );
    }

    /** The cloud refuses a group as the source of its own rules, so hosts that admit each other share a second, empty group. */
    private memberGroups(
        name: string,
        args: NetworkArgs,
        settings: NetworkSettings,
    ): Record<string, pulumi.Output<string>> {
        const roles = new Set(
            settings.rules.flatMap(({ role, peer }) => (peer.kind === "role" && peer.role === role ? [role] : [])),
        );
        return Object.fromEntries(
            [...roles].map((role) => [
                role,
                this.securityGroup(
                    `${name}-${role}-members`,
                    `What hosts with the role ${role} know each other by`,
                    args.tags,
                ),
            ]),
        );
    }

    private securityGroup(groupName: string, description: string, tags: Tags | undefined): pulumi.Output<string> {
        return new alicloud.ecs.SecurityGroup(
            groupName,
            {
                securityGroupName: groupName,
                description,
                vpcId: this.vpcId,
                // The cloud's default lets members of a group reach each other on every port.
                innerAccessPolicy: "Drop",
                tags: tagsFor(groupName, tags),
            },
            { parent: this },
        ).id;
    }

    /** The cloud has a rule once, whoever asks for it, and none at all once it is deleted for one of them. */
    private shareRule(rule: RuleSettings): SharedRule {
        const name = `${this.name}-${rule.name}`;
        const known = this.shared.get(name);
        if (known !== undefined) return known;
        const inputs = this.ruleInputs(rule);
        const resource = this.addRule(name, rule, inputs, { parent: this });
        const added = { inputs, resource, askedBy: new Set<pulumi.Resource>() };
        this.shared.set(name, added);
        return added;
    }

    private addRule(
        name: string,
        { role }: RuleSettings,
        inputs: alicloud.ecs.SecurityGroupRuleArgs,
        opts: pulumi.CustomResourceOptions,
    ): alicloud.ecs.SecurityGroupRule {
        const resource = new alicloud.ecs.SecurityGroupRule(name, inputs, opts);
        this.rules.set(role, [...(this.rules.get(role) ?? []), resource]);
        return resource;
    }

    private ruleInputs(rule: RuleSettings): alicloud.ecs.SecurityGroupRuleArgs {
        const { peer } = rule;
        return {
            securityGroupId: this.securityGroupIds[rule.role]!,
            type: rule.direction,
            ipProtocol: rule.protocol,
            portRange: rule.portRange,
            policy: rule.policy,
            priority: rule.priority,
            nicType: "intranet",
            description: rule.description,
            ...(peer.kind === "cidr" ? { cidrIp: peer.cidr } : {}),
            ...(peer.kind === "role" ? { sourceSecurityGroupId: this.roleId(rule.role, peer.role) } : {}),
            ...(peer.kind === "securityGroup" ? { sourceSecurityGroupId: peer.id } : {}),
        };
    }

    private roleId(role: string, peer: string): pulumi.Output<string> {
        return role === peer ? this.memberIds[role]! : this.securityGroupIds[peer]!;
    }

    private natGateway(
        name: string,
        settings: NetworkSettings,
        places: readonly string[],
        tags: Tags | undefined,
    ): NatGateway {
        const natName = `${name}-nat`;
        const gateway = new alicloud.vpc.NatGateway(
            natName,
            {
                vpcId: this.vpcId,
                vswitchId: this.vswitches[0]!.id,
                natGatewayName: natName,
                natType: "Enhanced",
                paymentType: "PayAsYouGo",
                internetChargeType: "PayByLcu",
                tags: tagsFor(natName, tags),
            },
            // It can't move. When another VSwitch becomes the first, the provider would ask for the type that it has already.
            { parent: this, ignoreChanges: ["vswitchId"] },
        );
        const eip = new alicloud.ecs.EipAddress(
            natName,
            {
                addressName: natName,
                bandwidth: String(settings.natBandwidth),
                internetChargeType: "PayByTraffic",
                paymentType: "PayAsYouGo",
                tags: tagsFor(natName, tags),
            },
            { parent: this },
        );
        const association = new alicloud.ecs.EipAssociation(
            natName,
            { allocationId: eip.id, instanceId: gateway.id, instanceType: "Nat" },
            // An address is bound once: the old binding has to go before the new one comes.
            { parent: this, deleteBeforeReplace: true },
        );
        const entries = this.vswitches.map(
            (vswitch, index) =>
                new alicloud.vpc.SnatEntry(
                    `${natName}-${places[index]!}`,
                    {
                        snatEntryName: `${natName}-${places[index]!}`,
                        snatTableId: gateway.snatTableIds,
                        sourceVswitchId: vswitch.id,
                        snatIp: eip.ipAddress,
                    },
                    {
                        parent: this,
                        // Only an address that is bound to the gateway can be the source of its entries.
                        dependsOn: [association],
                        deleteBeforeReplace: true,
                        // It had its number for a name before.
                        aliases: [{ name: `${natName}-${index + 1}` }],
                    },
                ),
        );
        return { gateway, entries, address: eip.ipAddress };
    }

    private routeTable(
        name: string,
        places: readonly string[],
        tags: Tags | undefined,
        gateway: alicloud.vpc.NatGateway | undefined,
    ): readonly pulumi.Resource[] {
        const table = new alicloud.vpc.RouteTable(
            name,
            { vpcId: this.vpcId, routeTableName: name, associateType: "VSwitch", tags: tagsFor(name, tags) },
            { parent: this },
        );
        const attachments = this.vswitches.map(
            (vswitch, index) =>
                new alicloud.vpc.RouteTableAttachment(
                    `${name}-${places[index]!}`,
                    { routeTableId: table.id, vswitchId: vswitch.id },
                    // A VSwitch has one route table at a time.
                    { parent: this, deleteBeforeReplace: true, aliases: [{ name: `${name}-${index + 1}` }] },
                ),
        );
        if (gateway === undefined) {
            return attachments;
        }
        // The cloud adds this route to the system route table only.
        const route = new alicloud.vpc.RouteEntry(
            `${name}-nat`,
            {
                routeTableId: table.id,
                destinationCidrblock: "0.0.0.0/0",
                nexthopType: "NatGateway",
                nexthopId: gateway.id,
            },
            { parent: this, deleteBeforeReplace: true },
        );
        return [...attachments, route];
    }
}

/**
 * What a VSwitch's SNAT entry and attachment are called by. Not by its number, where another name is known: a VSwitch has one of each, so none may
 * take another's place when one before it goes.
 */
function placesOf({ vswitchIds }: NetworkArgs, { zones, vswitchCidrs }: NetworkSettings): readonly string[] {
    if (vswitchIds !== undefined)
        return vswitchIds.map((id, index) => (typeof id === "string" ? id : String(index + 1)));
    return vswitchCidrs.map((_, index) => (typeof zones === "number" ? String(index + 1) : zones[index]!));
}

interface SharedRule {
    readonly inputs: alicloud.ecs.SecurityGroupRuleArgs;
    readonly resource: alicloud.ecs.SecurityGroupRule;
    /** Who has asked for it by {@link Network.allow}. */
    readonly askedBy: Set<pulumi.Resource>;
}

interface NatGateway {
    readonly gateway: alicloud.vpc.NatGateway;
    readonly entries: readonly pulumi.Resource[];
    readonly address: pulumi.Output<string>;
}

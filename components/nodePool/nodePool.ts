import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { componentOptions } from "../dependencies";
import { Host, type HostStep } from "../host";
import { generationName, makeGenerations } from "../keys";
import { foundOnceKnown } from "../problems";
import { physicalName, tagsFor } from "../tags";
import type { AdoptedInstance, DataDiskArgs, NodePoolArgs, RebuildReason } from "./args";
import { type HostKey, makeHostKeys } from "./hostKeys";
import { type NodePoolSettings, parseNodePoolArgs, type Slot } from "./settings";
import { cloudConfig } from "./userData";

/** What makes the provider build an instance anew, or write its disk anew, by the reason that allows it. */
const rebuildReasons: readonly (readonly [RebuildReason, readonly string[]])[] = [
    ["image", ["imageId"]],
    ["userData", ["userData"]],
    ["systemDisk", ["systemDiskCategory", "systemDiskEncrypted"]],
];

/**
 * Hosts of one kind, spread over the zones of a network.
 *
 * Every host keeps its number, and with it its name, zone and disks: raising or lowering the count, and leaving out a number in
 * the middle, never touches the others. A newer image, changed user data or another system disk doesn't either, unless `rebuildOn`
 * says so.
 *
 * @example
 * const bastion = new Bastion("bastion", { network, adminCidrs: ["198.51.100.0/24"] });
 * const pool = new NodePool("node", { network, role: "data", count: 6, bastion });
 *
 * @example
 * // Without the second host, and with two that exist.
 * new NodePool("node", {
 *     network, role: "data", bastion, count: 3, exclude: [2],
 *     adopt: { old: { instanceId: "i-bp1…", privateKey, hostKey: "ssh-ed25519 AAAA…" }, metal: new Host("metal", …) },
 * });
 */
export class NodePool extends pulumi.ComponentResource {
    /** The hosts that the pool creates, by number, then the adopted ones, by name. */
    public readonly hosts: readonly Host[];
    /** The private key that logs in to the created hosts, in OpenSSH format. Secret. */
    public readonly privateKey: pulumi.Output<string>;
    /** The service user whose logins need no password; undefined without a mesh. */
    public readonly meshUser: string | undefined;
    /** The steps that have tried the logins between all pairs of hosts. */
    public readonly mesh: HostStep[];
    /** The steps that let the keys of a rotation in, and no earlier ones; none before the first rotation. */
    public readonly logins: HostStep[];
    /** Ids of the data disks, by host and by the disk's name. */
    public readonly dataDisks: Readonly<Record<string, Readonly<Record<string, pulumi.Output<string>>>>>;

    /** @param keyPairName what the cloud's key pair is called within the stack; only a `Bastion` says. */
    constructor(name: string, args: NodePoolArgs, opts?: pulumi.ComponentResourceOptions, keyPairName = name) {
        super("multihost:compute:NodePool", name, {}, componentOptions(opts));
        const settings = parseNodePoolArgs(name, args);
        const keys = this.keyPair(name, keyPairName, args);
        this.privateKey = pulumi.secret(keys.privateKey);

        const shared: Shared = {
            args,
            settings,
            keys,
            imageId: settings.slots.length === 0 ? undefined : this.image(name, args),
            deploymentSetId: settings.deploymentSet ? this.deploymentSet(name) : undefined,
        };
        const created = settings.slots.map((slot) => this.createHost(slot, shared));
        this.logins = args.keys === undefined ? [] : created.map(({ host }) => this.login(host, keys));
        const adopted = Object.entries(args.adopt ?? {})
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([hostName, existing]) =>
                existing instanceof Host ? existing : this.adoptInstance(hostName, existing, args),
            );

        this.hosts = [...created.map(({ host }) => host), ...adopted];
        this.dataDisks = Object.fromEntries(created.map(({ host, disks }) => [host.name, disks]));
        this.meshUser = settings.meshUser;
        this.mesh = settings.meshUser === undefined ? [] : this.connect(name, settings.meshUser, args);
        this.registerOutputs({
            hosts: this.hosts.map((host) => ({ name: host.name, privateAddress: host.privateAddress })),
        });
    }

    private keyPair(name: string, keyPairName: string, args: NodePoolArgs): Keys {
        const { keyPair = "RSA" } = args;
        if (typeof keyPair === "object") {
            return { ...keyPair, valid: [keyPair.publicKey], keyName: undefined };
        }
        const { current: key, all } = makeGenerations(
            args.keys,
            (generation) =>
                new tls.PrivateKey(
                    generationName(`${name}-key`, generation),
                    keyPair === "RSA" ? { algorithm: "RSA", rsaBits: 4096 } : { algorithm: "ED25519" },
                    // Hosts know this one, and no other kind in its place would be let in to tell them.
                    { parent: this, ignoreChanges: ["algorithm", "rsaBits"] },
                ),
        );
        const keys = {
            privateKey: key.privateKeyOpenssh,
            publicKey: key.publicKeyOpenssh,
            valid: all.map(({ publicKeyOpenssh }) => publicKeyOpenssh),
        };
        if (keyPair !== "RSA" || args.count === 0) {
            return { ...keys, keyName: undefined };
        }
        const imported = new alicloud.ecs.EcsKeyPair(
            name,
            {
                keyPairName: physicalName(keyPairName),
                publicKey: key.publicKeyOpenssh.apply((text) => text.trim()),
                tags: tagsFor(name, args.tags),
            },
            {
                parent: this,
                // Its name identifies it, so two can't exist side by side.
                deleteBeforeReplace: true,
                // A component that is renamed keeps its key. Another key would be another pair, and instances have this one for life.
                ignoreChanges: ["keyPairName", "publicKey"],
            },
        );
        return { ...keys, keyName: imported.keyPairName, cloudKey: imported.publicKey };
    }

    private image(name: string, args: NodePoolArgs): pulumi.Input<string> {
        if (args.imageId !== undefined) {
            return args.imageId;
        }
        const nameRegex = args.imageName ?? "^debian_12_";
        const found = alicloud.ecs.getImagesOutput(
            { nameRegex, owners: "system", architecture: "x86_64", mostRecent: true },
            { parent: this },
        );
        return foundOnceKnown(found.images).apply(([image]) => {
            if (image === undefined) {
                throw new pulumi.RunError(
                    `NodePool "${name}": imageName: this region has no public x86 image whose name matches ${nameRegex}. Set imageId.`,
                );
            }
            return image.id;
        });
    }

    private deploymentSet(name: string): pulumi.Output<string> {
        return new alicloud.ecs.EcsDeploymentSet(
            name,
            { deploymentSetName: physicalName(name), strategy: "Availability" },
            { parent: this },
        ).id;
    }

    private createHost(slot: Slot, shared: Shared): { host: Host; disks: Record<string, pulumi.Output<string>> } {
        const { args, settings, keys } = shared;
        const { network, rebuildOn = [] } = args;
        const vswitch = network.vswitches[slot.vswitch - 1]!;
        const hostKeys = makeHostKeys(slot.name, args.hostKeys, { parent: this });
        const userData = pulumi
            .all([keys.publicKey, pulumi.all([...hostKeys.all]), pulumi.output(args.cloudConfig ?? {})])
            .apply(([authorizedKey, known, extra]) =>
                cloudConfig({ hostName: slot.name, user: settings.user, authorizedKey, hostKeys: known, extra }),
            );
        const disks = disksOf(slot, args);
        const kept = rebuildReasons.filter(([reason]) => !rebuildOn.includes(reason)).flatMap(([, inputs]) => inputs);
        const rebuilding = rebuildReasons.flatMap(([, inputs]) => inputs).filter((input) => !kept.includes(input));
        const instance = new alicloud.ecs.Instance(
            slot.name,
            {
                instanceName: slot.name,
                hostName: slot.name,
                instanceType: args.instanceType ?? "ecs.g7.large",
                imageId: shared.imageId!,
                vswitchId: vswitch.id,
                securityGroups: [...network.memberships[args.role]!],
                instanceChargeType: "PostPaid",
                internetMaxBandwidthOut: 0,
                systemDiskCategory: settings.systemDisk.category,
                systemDiskSize: settings.systemDisk.size,
                systemDiskEncrypted: settings.systemDisk.encrypted,
                userData: pulumi.secret(userData.apply((text) => Buffer.from(text).toString("base64"))),
                deletionProtection: args.deletionProtection ?? false,
                tags: tagsFor(slot.name, args.tags),
                volumeTags: tagsFor(slot.name, args.tags),
                ...(keys.keyName === undefined ? {} : { keyName: keys.keyName }),
                ...(slot.spread && shared.deploymentSetId !== undefined
                    ? { deploymentSetId: shared.deploymentSetId }
                    : {}),
            },
            {
                parent: this,
                // Data disks are in one machine at a time: torn from one that still works, they would lose what it has not written yet.
                ...(disks.length > 0 && { deleteBeforeReplace: true }),
                // With another number of zones hosts are dealt out anew, and one that is there can't move: only new ones follow.
                // A deployment set is joined at birth only: the cloud takes no running host in. It lets one out, and the set of a pool that
                // has none any more can't be deleted before.
                ignoreChanges: [
                    "vswitchId",
                    ...(shared.deploymentSetId === undefined ? [] : ["deploymentSetId"]),
                    ...kept,
                ],
                // The provider would write a new image onto the running instance's disk and leave its id: no step would know.
                replaceOnChanges: rebuilding,
            },
        );
        const attached = this.attachDisks(slot, instance, disks, args);
        const address = slot.public ? this.publicAddress(slot, instance, shared) : undefined;

        const host = new Host(
            slot.name,
            {
                address: instance.privateIp,
                ...(address === undefined ? {} : { publicAddress: address.address }),
                user: settings.user,
                privateKey: keys.privateKey,
                hostKey: hostKeys.current.publicKey,
                identity: instance.id,
                zone: instance.availabilityZone,
                instanceType: instance.instanceType,
                direct: args.direct ?? false,
                machine: instance,
                succeeds: slot.succeeds,
                reachableBy: [
                    ...network.rulesOf(args.role),
                    ...attached.map(({ attachment }) => attachment),
                    ...(address === undefined ? [] : [address.association]),
                    ...(args.bastion?.preparedBy ?? []),
                ],
                outboundBy: network.outbound,
                ...(args.bastion === undefined ? {} : { bastion: args.bastion.host }),
            },
            { parent: this },
        );
        if (args.hostKeys !== undefined) this.showHostKeys(host, hostKeys.all);
        return { host, disks: Object.fromEntries(attached.map(({ name, id }) => [name, id])) };
    }

    private attachDisks(
        slot: Slot,
        instance: alicloud.ecs.Instance,
        disks: readonly DataDiskArgs[],
        { tags, deletionProtection = false }: NodePoolArgs,
    ): { name: string; id: pulumi.Output<string>; attachment: pulumi.Resource }[] {
        return disks.map((disk) => {
            const diskName = `${slot.name}-${disk.name}`;
            // Of its own, since a disk that is part of the instance can't grow without replacing it.
            const resource = new alicloud.ecs.EcsDisk(
                diskName,
                {
                    diskName,
                    // Where the host is, not where one of its number would be now: zones may have been added since.
                    zoneId: instance.availabilityZone,
                    size: disk.size,
                    // Without a reboot.
                    type: "online",
                    category: disk.category ?? "cloud_essd",
                    encrypted: disk.encrypted ?? true,
                    deleteWithInstance: false,
                    tags: tagsFor(diskName, tags),
                },
                // It stays where its host stays, and as it is: the provider would put an empty one in its place.
                // The cloud protects instances only, and a disk is deleted before its instance would be refused.
                { parent: this, ignoreChanges: ["zoneId", "encrypted"], ...(deletionProtection && { protect: true }) },
            );
            const attachment = new alicloud.ecs.EcsDiskAttachment(
                diskName,
                { diskId: resource.id, instanceId: instance.id },
                // A disk is attached once: the old attachment has to go before the new one comes.
                { parent: this, deleteBeforeReplace: true },
            );
            return { name: disk.name, id: resource.id, attachment };
        });
    }

    private publicAddress(
        slot: Slot,
        instance: alicloud.ecs.Instance,
        { args, settings }: Shared,
    ): { address: pulumi.Output<string>; association: pulumi.Resource } {
        const eip = new alicloud.ecs.EipAddress(
            slot.name,
            {
                addressName: slot.name,
                bandwidth: String(settings.publicBandwidth),
                internetChargeType: "PayByTraffic",
                paymentType: "PayAsYouGo",
                tags: tagsFor(slot.name, args.tags),
            },
            { parent: this },
        );
        const association = new alicloud.ecs.EipAssociation(
            slot.name,
            { allocationId: eip.id, instanceId: instance.id, instanceType: "EcsInstance" },
            // An address is bound once: the old binding has to go before the new one comes.
            { parent: this, deleteBeforeReplace: true },
        );
        return { address: eip.ipAddress, association };
    }

    private adoptInstance(hostName: string, existing: AdoptedInstance, args: NodePoolArgs): Host {
        const { instances } = alicloud.ecs.getInstancesOutput({ ids: [existing.instanceId] }, { parent: this });
        const found = foundOnceKnown(instances).apply(([instance]) => {
            if (instance === undefined) {
                throw new pulumi.RunError(`adopt["${hostName}"]: there is no such instance in this region.`);
            }
            return instance;
        });
        return new Host(
            hostName,
            {
                address: found.privateIp,
                user: existing.user ?? "root",
                privateKey: existing.privateKey,
                hostKey: existing.hostKey,
                identity: existing.instanceId,
                zone: found.availabilityZone,
                instanceType: found.instanceType,
                ...(args.bastion === undefined && args.direct !== true
                    ? { publicAddress: found.apply((instance) => publicAddressOf(hostName, instance)) }
                    : {}),
                reachableBy: [...args.network.rulesOf(args.role), ...(args.bastion?.preparedBy ?? [])],
                outboundBy: args.network.outbound,
                ...(args.bastion === undefined ? {} : { bastion: args.bastion.host }),
            },
            { parent: this },
        );
    }

    /** Lets exactly the valid keys of this pool in, beside those of others. */
    private login(host: Host, { valid, cloudKey }: Keys): HostStep {
        return host.run(
            `${host.name}-login`,
            {
                script: "ssh/login",
                params: {
                    user: host.user,
                    keys: pulumi.all([...valid]).apply((keys) => keys.map(listedKey)),
                    ...(cloudKey === undefined
                        ? {}
                        : { retired: cloudKey.apply((text) => (text === undefined ? [] : [listedKey(text)])) }),
                },
                usesInternet: false,
            },
            { parent: this },
        );
    }

    /** Lets the host's SSH server show exactly these keys, each of another type. */
    private showHostKeys(host: Host, keys: readonly HostKey[]): HostStep {
        return host.run(
            `${host.name}-host-keys`,
            {
                script: "ssh/host-keys",
                params: { keys: pulumi.all(keys.map(({ publicKey }) => publicKey.apply(listedKey))) },
                secrets: Object.fromEntries(keys.map(({ type, privateKey }) => [type, privateKey])),
                usesInternet: false,
            },
            { parent: this },
        );
    }

    /** Plants the service user's keys on every host at once, and only then tries every pair. */
    private connect(name: string, user: string, args: NodePoolArgs): HostStep[] {
        const { current: key, all } = makeGenerations(
            args.keys,
            (generation) =>
                new tls.PrivateKey(
                    generationName(`${name}-mesh-key`, generation),
                    { algorithm: "ED25519" },
                    { parent: this },
                ),
        );
        const publicKey = key.publicKeyOpenssh.apply((text) => text.trim());
        const otherPublicKey = all.find((other) => other !== key)?.publicKeyOpenssh.apply((text) => text.trim());
        const members = pulumi.all(this.hosts.map((host) => pulumi.interpolate`${host.name}=${host.privateAddress}`));
        const hostKeys = pulumi.all(
            this.hosts.map((host) => host.hostKey.apply((text) => `${host.name}=${listedKey(text)}`)),
        );
        const planted = this.hosts.map((host) =>
            host.run(
                `${name}-mesh-${host.name}`,
                {
                    script: "ssh/mesh",
                    params: {
                        user,
                        members,
                        hostKeys,
                        publicKey,
                        ...(otherPublicKey === undefined ? {} : { otherPublicKey }),
                    },
                    secrets: { privateKey: key.privateKeyOpenssh },
                    removeOnDelete: true,
                },
                { parent: this },
            ),
        );
        return this.hosts.map((host) =>
            host.run(
                `${name}-mesh-verify-${host.name}`,
                {
                    script: "ssh/verify",
                    params: { user, members },
                    rerunOn: [hostKeys, publicKey],
                    usesInternet: false,
                },
                { parent: this, dependsOn: planted },
            ),
        );
    }
}

/** @throws pulumi.RunError when there is none: SSH would dial an empty name, which is this machine itself */
function publicAddressOf(
    hostName: string,
    { eip, publicIp }: { readonly eip: string; readonly publicIp: string },
): string {
    const address = eip || publicIp;
    if (address === "")
        throw new pulumi.RunError(
            `adopt["${hostName}"]: has no public address: name a bastion, or set direct: true where this program runs within the VPC.`,
        );
    return address;
}

/** A public key as an item of a list, whose items have no spaces. */
function listedKey(text: string): string {
    return text.trim().split(/\s+/).slice(0, 2).join(",");
}

interface Keys {
    readonly privateKey: pulumi.Input<string>;
    readonly publicKey: pulumi.Input<string>;
    /** Public keys of every valid generation. */
    readonly valid: readonly pulumi.Input<string>[];
    /** Public key of the cloud's key pair, where there is one. */
    readonly cloudKey?: pulumi.Output<string | undefined>;
    /** Undefined when the cloud's key pairs can't hold it. */
    readonly keyName: pulumi.Output<string> | undefined;
}

interface Shared {
    readonly args: NodePoolArgs;
    readonly settings: NodePoolSettings;
    readonly keys: Keys;
    readonly imageId: pulumi.Input<string> | undefined;
    readonly deploymentSetId: pulumi.Output<string> | undefined;
}

function disksOf({ number }: Slot, { dataDisks = [] }: NodePoolArgs): readonly DataDiskArgs[] {
    return dataDisks.filter(({ hosts }) => hosts?.includes(number) ?? true);
}

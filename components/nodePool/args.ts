import type * as pulumi from "@pulumi/pulumi";

import type { Host } from "../host";
import type { KeyGenerations } from "../keys";
import type { Network } from "../network";
import type { Tags } from "../tags";

/** A disk beside the system disk. Needs a file system and a mount; the component only attaches it. */
export interface DataDiskArgs {
    /** Unique within the host: lower-case letters, digits and hyphens. Part of the disk's name. */
    readonly name: string;
    /** GiB, 20 to 32768. Can grow in place. */
    readonly size: number;
    /** Kind of disk, as the cloud calls it. @default "cloud_essd" */
    readonly category?: string;
    /** Encrypted with the account's service key. Disks that exist keep what they were made with. @default true */
    readonly encrypted?: boolean;
    /** Numbers of the hosts that get one. @default all */
    readonly hosts?: readonly number[];
}

/** The disk that the image is written to. */
export interface SystemDiskArgs {
    /** GiB, 20 to 2048. @default 40 */
    readonly size?: number;
    /** Kind of disk, as the cloud calls it. @default "cloud_essd" */
    readonly category?: string;
    /** Encrypted with the account's service key. @default true */
    readonly encrypted?: boolean;
}

/** A key pair that exists. */
export interface ExistingKeyPair {
    /** In OpenSSH or PEM format, without a passphrase. */
    readonly privateKey: pulumi.Input<string>;
    /** As in authorized_keys. */
    readonly publicKey: pulumi.Input<string>;
}

/** An ECS instance that this program didn't create. */
export interface AdoptedInstance {
    /** Such as `i-bp1…`. Its addresses and zone are looked up. */
    readonly instanceId: pulumi.Input<string>;
    /** Who logs in: root, or someone who may run `sudo` without a password. @default "root" */
    readonly user?: string;
    /** In OpenSSH or PEM format, without a passphrase. */
    readonly privateKey: pulumi.Input<string>;
    /** Its public host key: `ssh-ed25519 AAAA…`. */
    readonly hostKey: pulumi.Input<string>;
}

/** Whatever other hosts are reached through, such as a `Bastion`. */
export interface JumpHost {
    /** The host that connections go through. */
    readonly host: Host;
    /** What has to be done on it before others are reached through it. */
    readonly preparedBy?: readonly pulumi.Resource[];
}

/** What may replace a host whose description has changed. */
export type RebuildReason = "image" | "userData" | "systemDisk";

/** Arguments of {@link NodePool}. */
export interface NodePoolArgs {
    /** Whose VSwitches and security groups the hosts get. */
    readonly network: Network;
    /** The network's role whose security group the hosts get. */
    readonly role: string;
    /**
     * How many hosts to create, 0 to 1000. They are numbered from 1, and a host's number is its place: raising the count adds at the
     * end, lowering it removes at the end, and neither touches the others.
     */
    readonly count: number;
    /**
     * What the created hosts' names begin with: `PREFIX-1` and so on. Hosts are other hosts under other names, so a pool that is renamed
     * with `aliases` keeps its old name here.
     * @default the component's name
     */
    readonly hostPrefix?: string;
    /**
     * Numbers to leave out, in order to remove a host from the middle: `count: 4, exclude: [2]` makes the hosts 1, 3, 4 and 5.
     * Add further ones at the end: the order says which host came for which. @default []
     */
    readonly exclude?: readonly number[];
    /**
     * VSwitches of hosts by their numbers, both counted from 1: `{ 3: 1 }` makes host 3 in the network's first one. Hosts that are there stay
     * where they are. With a VSwitch more, the turn of a host is another one's; its data disks can't follow, so name the one of their zone
     * before such a host is replaced or made again.
     * @default in turn: host 1 in the first, host 2 in the second, and so on
     */
    readonly placement?: Readonly<Record<number, number>>;
    /** Hosts that exist, by a name of your choice. They become members like the others; deleting the pool leaves them running. */
    readonly adopt?: Readonly<Record<string, AdoptedInstance | Host>>;
    /**
     * Size of the hosts. Another one stops and starts every host of the pool, all at the same time; one after the other with
     * `npm run rolling-update`, or with `pulumi up --target` of each instance, and a plain `pulumi up` in the end, which fits services' memory
     * to the new size.
     * @default "ecs.g7.large": 2 vCPU, 8 GiB
     */
    readonly instanceType?: pulumi.Input<string>;
    /** Id of the image. @default the newest that `imageName` finds */
    readonly imageId?: pulumi.Input<string>;
    /** Regular expression for the name of a public image. @default "^debian_12_": Debian 12 for x86 */
    readonly imageName?: string;
    /**
     * What rebuilds a host from scratch, its system disk included: a newer image, changed user data, another
     * category or encryption of the system disk, or several of them. All hosts at the same time, unless by `npm run rolling-update`.
     * @default []: hosts keep what they were created with
     */
    readonly rebuildOn?: readonly RebuildReason[];
    /** The disk that each host boots from. @default 40 GiB, encrypted */
    readonly systemDisk?: SystemDiskArgs;
    /**
     * One of each for every host, or for those that it names. They stay when their host is replaced: it is deleted first, and the new
     * one gets the same disks. With a host that goes (`count`, `exclude`), and with an entry that is taken off the list or names the host
     * no longer, they are deleted with all that is on them, unless `deletionProtection` keeps them.
     * @default none
     */
    readonly dataDisks?: readonly DataDiskArgs[];
    /**
     * Spreads the hosts over different physical machines, at most 20 in a zone; further ones go anywhere, and so do those that were made
     * before there was a set. Not every instance family can be part of one. Where it ends, hosts leave the set while they run, and stay
     * out of a later one.
     * @default true for two hosts or more
     */
    readonly deploymentSet?: boolean;
    /** Which hosts get an elastic address: all, or the listed numbers. @default none */
    readonly publicAddresses?: boolean | readonly number[];
    /** Peak bandwidth of each elastic address in Mbit/s, 1 to 200. @default 5 */
    readonly publicBandwidth?: number;
    /** What the hosts are reached through. @default their public addresses */
    readonly bastion?: JumpHost;
    /** Connect to private addresses, also of hosts with public ones, where this program runs within the VPC or a VPN. @default false */
    readonly direct?: boolean;
    /**
     * Who logs in to the hosts. A user other than root is created with the host and may run `sudo`. Can't change once there are hosts,
     * which know this one only.
     * @default "root"
     */
    readonly user?: string;
    /**
     * The key pair that logs in: one that exists, or the kind to make. The cloud's own key pairs are RSA only; the public half of
     * another kind comes through user data alone. Can't change once there are hosts, which let this key in only: `keys` renews generated
     * ones, and another pair of your own has to be let in on every host before it is given here.
     * @default "RSA" with 4096 bits
     */
    readonly keyPair?: "RSA" | "ED25519" | ExistingKeyPair;
    /**
     * Generations of the generated keys, those of administrators and of the service user, by which `npm run rotate -- hosts.keys`
     * renews them while hosts are worked on. The cloud's own key pair stays that of the first generation, which hosts then no
     * longer let in.
     * @default the first generation
     */
    readonly keys?: KeyGenerations;
    /**
     * Generations of the created hosts' own SSH keys, by which `npm run rotate -- hosts.hostKeys` renews them: Ed25519 and ECDSA with P-256 in turn,
     * since an SSH server shows one key of each type, and clients that know the former have to be shown that one until all know the next.
     * Adopted hosts keep theirs.
     * @default the first generation
     */
    readonly hostKeys?: KeyGenerations;
    /**
     * Lets a service user log in from every host of the pool to every other without a password. False leaves it out. A user has the keys of
     * one pool: of two pools that have a host in common, one needs another user, or `mesh: false`.
     * @default { user: "multihost" }
     */
    readonly mesh?: { readonly user: string } | false;
    /**
     * More of cloud-init's configuration, merged into the pool's own, such as `{ timezone: "Asia/Shanghai" }`. Values may be Outputs, at any
     * depth. `users` come after the pool's; host name, keys and how SSH lets in (`hostname`, `ssh_keys`, `ssh_pwauth`, `disable_root`) are the pool's.
     * @default {}
     */
    readonly cloudConfig?: Readonly<Record<string, unknown>>;
    /**
     * Refuses deletion until it is switched off, in an update before: the cloud that of instances, and Pulumi that of their data disks.
     * @default false
     */
    readonly deletionProtection?: boolean;
    /** Tags of every resource that can have any. */
    readonly tags?: Tags;
}

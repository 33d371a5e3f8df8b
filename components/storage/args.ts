import type * as pulumi from "@pulumi/pulumi";

import type { Host } from "../host";
import type { KeyGenerations } from "../keys";
import type { Tags } from "../tags";

/** What serves the files. */
export type StorageEngine = SharedStorageArgs["engine"];

export const storageEngines: readonly StorageEngine[] = ["glusterfs", "nfs", "nas"];

/** Arguments of {@link SharedStorage}: those of the engine that keeps the files. */
export type SharedStorageArgs = GlusterStorageArgs | NfsStorageArgs | NasStorageArgs;

/** What every engine takes. */
export interface StorageMountArgs {
    /** Where the files are mounted, and who alone may mount them. A host that leaves the list loses its mount. */
    readonly clients: readonly Host[];
    /**
     * Absolute path on the clients, where each of them has this storage alone. Another one is another mount; the files are the same.
     * @default "/data/shared"
     */
    readonly mountPoint?: string;
    /** Owner and mode of the mount's top folder. @default root, as it was created with: 0755 */
    readonly owner?: StorageOwner;
}

/** Arguments of {@link SharedStorage} with the engine `glusterfs`. */
export interface GlusterStorageArgs extends StorageMountArgs {
    /** What keeps the files: GlusterFS, in three copies. */
    readonly engine: "glusterfs";
    /**
     * The three servers; each holds a copy of every file. They reach each other on TCP 24007 and 49152 to 49251, and the clients reach them.
     *
     * Another host in one's place receives that one's files before the next is taken on. One of the first two has to have the files: the first
     * directs this, and the second where the first is new. The one that leaves is relieved as long as the program still has it when the list
     * changes; its copy stays on it.
     */
    readonly hosts: readonly Host[];
    /** Name of the volume: 1 to 32 letters, digits, `_` and `-`, a letter first. Can't change. @default "gv0" */
    readonly volume?: string;
    /**
     * Whether the third server keeps names and versions only, no content: a disk of a twentieth of the size does. Two full copies remain, and
     * the third decides which of them is right. Can't change while the volume exists.
     * @default false
     */
    readonly arbiter?: boolean;
    /**
     * Data disk of each server by the host's name: the disk's id, as of `NodePool.dataDisks`, or a device such as `/dev/vdb`. A blank one is
     * formatted with XFS, one that holds something else is refused.
     * @default none: the files stand on the system disks
     */
    readonly disks?: Readonly<Record<string, pulumi.Input<string>>>;
    /**
     * GiB of each of the `disks`. When the number grows, the disk's file system does, too, while it is in use; it can't shrink.
     * @default file systems keep the size that they were made with
     */
    readonly diskSize?: pulumi.Input<number>;
    /** Folder of the servers' copies, one folder for each volume below it. Can't change. @default "/data/bricks" */
    readonly brickDirectory?: string;
    /**
     * Seconds that clients wait for a silent server before they go on without it, 3 to 300. Writes stand still meanwhile.
     * @default 10
     */
    readonly pingTimeout?: number;
    /**
     * Whether servers and clients talk TLS, with certificates of this component's own: a host has those of one storage. Can't change while
     * the volume exists.
     * @default true
     */
    readonly tls?: boolean;
    /**
     * Generations of the generated keys of certificates and their authority, by which `npm run rotate -- storage.keys` renews them while
     * files are read and written. Taken over without a restart by GlusterFS 8 or newer; a host with an older one refuses another authority.
     * @default the first generation
     */
    readonly keys?: KeyGenerations;
}

/** Arguments of {@link SharedStorage} with the engine `nfs`. */
export interface NfsStorageArgs extends StorageMountArgs {
    /** What keeps the files: the Linux kernel's NFS server (NFSv4 only) on one host. */
    readonly engine: "nfs";
    /** The one server, which the clients reach on TCP 2049. Another host is another server, without the files. */
    readonly hosts: readonly Host[];
    /**
     * Data disk of the server by its host's name: the disk's id, as of `NodePool.dataDisks`, or a device such as `/dev/vdb`. A blank one is
     * formatted with XFS, one that holds something else is refused.
     * @default none: the files stand on the system disk
     */
    readonly disks?: Readonly<Record<string, pulumi.Input<string>>>;
    /**
     * GiB of that disk. When the number grows, the disk's file system does, too, while it is in use; it can't shrink.
     * @default file systems keep the size that they were made with
     */
    readonly diskSize?: pulumi.Input<number>;
    /** Folder on the server that holds the files, in `files` below it. Can't change. @default "/data/export" */
    readonly exportDirectory?: string;
    /**
     * Whether the clients' root is nobody on the server, so that nothing becomes root's and no file gets another owner. It keeps users'
     * files from nobody: a client says for whom it asks. Give the files an `owner` then; a `WebTier` that shares its content needs `false`,
     * as root writes its releases.
     * @default true
     */
    readonly rootSquash?: boolean;
    /**
     * Seconds that a server which has started anew waits for its clients to claim their locks, 10 to 90; and how long the locks of
     * a client that went away are kept. Files can be neither opened nor locked meanwhile.
     * @default 15
     */
    readonly graceSeconds?: number;
}

/** Arguments of {@link SharedStorage} with the engine `nas`. */
export interface NasStorageArgs extends StorageMountArgs {
    /** What keeps the files: Apsara File Storage NAS, a service of the cloud. */
    readonly engine: "nas";
    /** The VPC of the clients. A change makes another mount target. */
    readonly vpcId: pulumi.Input<string>;
    /** The VSwitch that the mount target takes an address of. A change makes another mount target; the files are the same. */
    readonly vswitchId: pulumi.Input<string>;
    /** Zone of the files; the clients' own is the fastest. Can't change. @default the cloud chooses */
    readonly zone?: pulumi.Input<string>;
    /** What the files stand on: `Capacity` is cheap, `Performance` quick with small files. Can't change. @default "Capacity" */
    readonly storageType?: "Capacity" | "Performance";
    /**
     * Whether the clients' root is nobody to the file system. A new one belongs to root: give it an `owner` first, and squash root with the
     * next update.
     * @default false
     */
    readonly rootSquash?: boolean;
    /** Tags of the file system. @default {} */
    readonly tags?: Tags;
}

/** To whom the mount's top folder belongs: the same numbers on every client. */
export interface StorageOwner {
    /** 0 to 65534. */
    readonly uid: number;
    /** 0 to 65534. */
    readonly gid: number;
    /** In octal digits, such as `2775`. @default "0755" */
    readonly mode?: string;
}

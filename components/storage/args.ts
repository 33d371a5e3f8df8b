import type * as pulumi from "@pulumi/pulumi";

import type { Host } from "../host";

/** What serves the files. */
export type StorageEngine = "glusterfs";

export const storageEngines: readonly StorageEngine[] = ["glusterfs"];

/** Arguments of {@link SharedStorage}. */
export interface SharedStorageArgs {
    /** What keeps the files: GlusterFS, in three copies. */
    readonly engine: StorageEngine;
    /**
     * The three servers; each holds a copy of every file. They reach each other on TCP 24007 and 49152 to 49251, and the clients reach them.
     *
     * Another host in one's place receives that one's files before the next is taken on; the first of the list directs this, so to replace
     * it, move another one to the first place before. The one that leaves is relieved as long as the program still has it when the list
     * changes; its copy stays on it.
     */
    readonly hosts: readonly Host[];
    /** Where the files are mounted, and who alone may mount them. A host that leaves the list loses its mount. */
    readonly clients: readonly Host[];
    /** Absolute path on the clients. Another one is another mount; the files are the same. @default "/data/shared" */
    readonly mountPoint?: string;
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
    /** Folder of the servers' copies, one folder for each volume below it. Can't change. @default "/data/bricks" */
    readonly brickDirectory?: string;
    /**
     * Seconds that clients wait for a silent server before they go on without it, 3 to 300. Writes stand still meanwhile.
     * @default 10
     */
    readonly pingTimeout?: number;
    /** Whether servers and clients talk TLS, with certificates of this component's own. Can't change while the volume exists. @default true */
    readonly tls?: boolean;
    /** Owner and mode of the mount's top folder. @default root, as the volume was created with: 0755 */
    readonly owner?: StorageOwner;
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

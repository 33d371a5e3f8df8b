import * as pulumi from "@pulumi/pulumi";

import { componentOptions } from "../dependencies";
import type { HostStep } from "../host";
import type { SharedStorageArgs } from "./args";
import { glusterShare, type StorageVolumeResult } from "./glusterfs";
import { nasShare } from "./nas";
import { nfsShare } from "./nfs";
import { parseSharedStorageArgs, type SharedStorageSettings } from "./settings";
import type { Share, ShareContext } from "./share";

/**
 * Files that several hosts see at the same time. `engine` says what keeps them:
 *
 * - `glusterfs`: three servers of your own that lose nothing when one of them fails, a volume of three copies, or of two and an arbiter.
 *   Writes need two servers; with one, files can be neither written nor read, so that nothing diverges.
 * - `nfs`: one server of your own. While it is away, clients wait for it.
 * - `nas`: the cloud's own file storage, paid for by what it holds.
 *
 * Every client mounts the files now and at every boot, and whoever is no client is refused. Every change of the arguments is
 * applied in place.
 *
 * @example
 * const storage = new SharedStorage("shared", {
 *     engine: "glusterfs",
 *     hosts: data.hosts.slice(0, 3),
 *     clients: web.hosts,
 * });
 * new WebTier("site", { hosts: web.hosts, content: { directory: `${storage.mountPoint}/www`, shared: true }, after: storage.ready });
 */
export class SharedStorage extends pulumi.ComponentResource {
    /** Where the clients have the files. */
    public readonly mountPoint: string;
    /** Names of the clients; known once they have mounted it. */
    public readonly clients: pulumi.Output<string[]>;
    /** Depend on these to start after the files are mounted. */
    public readonly ready: HostStep[];
    /** The step that makes the servers' volume; undefined with another engine than GlusterFS. */
    public readonly volume: HostStep<StorageVolumeResult> | undefined;

    constructor(name: string, args: SharedStorageArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:storage:SharedStorage", name, {}, componentOptions(opts));
        const settings = parseSharedStorageArgs(name, args);
        const share = createShare(settings, {
            name,
            parent: this,
        });
        this.mountPoint = settings.mountPoint;
        this.volume = share.volume;
        this.ready = settings.clients.map((client) =>
            client.run(`${name}-${client.name}-mount`, share.mount(client), {
                parent: this,
                dependsOn: [...share.after(client)],
            }),
        );
        this.clients = pulumi
            .all(this.ready.map(({ id }) => id))
            .apply(() => settings.clients.map((host) => host.name));
        this.registerOutputs({ mountPoint: this.mountPoint, clients: this.clients });
    }
}

function createShare(
    settings: SharedStorageSettings,
    context: ShareContext,
): Share & { readonly volume?: HostStep<StorageVolumeResult> } {
    switch (settings.engine) {
        case "glusterfs":
            return glusterShare(settings, context);
        case "nfs":
            return nfsShare(settings, context);
        case "nas":
            return nasShare(settings, context);
    }
}

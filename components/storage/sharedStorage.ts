import * as pulumi from "@pulumi/pulumi";

import { createAuthority, type NodeCertificate } from "../certificates";
import { dependsOnAll, type Host, type HostStep } from "../host";
import type { SharedStorageArgs } from "./args";
import { parseSharedStorageArgs, type SharedStorageSettings } from "./settings";

/** What the step that makes the volume reports. */
export interface StorageVolumeResult {
    readonly volume: string;
    /** `<address>:<folder>` of each copy. */
    readonly bricks: string;
}

/** A step's secrets for TLS; none without it. */
type Credentials = (host: Host) => Record<string, pulumi.Input<string>>;

/**
 * Files that several hosts see at the same time, on servers that lose nothing when one of them fails: a GlusterFS volume of three copies,
 * or of two and an arbiter.
 *
 * Every client mounts it through whichever server answers, now and at every boot. Writes need two servers; with one, files can be
 * neither written nor read, so that nothing diverges. Every change of the arguments is applied in place, and a server that
 * was replaced receives the files again before the step ends.
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
    public readonly ready: readonly HostStep[];
    /** The step that makes the volume of the servers. */
    public readonly volume: HostStep<StorageVolumeResult>;

    constructor(name: string, args: SharedStorageArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:storage:SharedStorage", name, {}, opts);
        const settings = parseSharedStorageArgs(name, args);
        const credentials = this.credentials(name, settings);
        this.mountPoint = settings.mountPoint;

        const servers = settings.hosts.map((host) =>
            host.run(
                `${name}-${host.name}`,
                {
                    script: "storage/gluster-server",
                    params: {
                        address: host.privateAddress,
                        peers: pulumi.all(
                            settings.hosts.filter((other) => other !== host).map((other) => other.privateAddress),
                        ),
                        brick: brickOf(settings),
                        brickMount: brickMountOf(settings),
                        ...(args.disks === undefined ? {} : { disk: args.disks[host.name], filesystem: "xfs" }),
                        tls: settings.tls,
                    },
                    secrets: credentials(host),
                    removeOnDelete: true,
                },
                // Pulumi hands nothing of a component's `dependsOn` to its children.
                { parent: this, dependsOn: dependsOnAll([], opts?.dependsOn) },
            ),
        );
        this.volume = this.join(name, settings, args, servers);
        this.ready = settings.clients.map((host) =>
            this.mount(`${name}-${host.name}-mount`, host, settings, credentials),
        );
        this.clients = pulumi
            .all(this.ready.map(({ id }) => id))
            .apply(() => settings.clients.map((host) => host.name));
        this.registerOutputs({ mountPoint: this.mountPoint, clients: this.clients });
    }

    private join(
        name: string,
        settings: SharedStorageSettings,
        args: SharedStorageArgs,
        servers: readonly HostStep[],
    ): HostStep<StorageVolumeResult> {
        const first = settings.hosts[0]!;
        const bricks = settings.hosts.map((host) => pulumi.interpolate`${host.privateAddress}:${brickOf(settings)}`);
        return first.run<StorageVolumeResult>(
            `${name}-volume`,
            {
                script: "storage/gluster-volume",
                params: {
                    volume: settings.volume,
                    address: first.privateAddress,
                    bricks: pulumi.all(bricks),
                    arbiter: settings.arbiter,
                    clients: pulumi.all(settings.clients.map((host) => host.privateAddress)),
                    pingTimeout: settings.pingTimeout,
                    onSystemDisk: args.disks === undefined,
                    tls: settings.tls,
                },
                // A machine that was replaced has none of the files, and a daemon that restarted may need its bricks looked after.
                rerunOn: [...servers.map((server) => server.stdin), ...settings.hosts.map((host) => host.identity)],
                usesInternet: false,
                // Files may have to be copied.
                timeoutMinutes: 180,
            },
            { parent: this, dependsOn: [...servers] },
        );
    }

    private mount(child: string, host: Host, settings: SharedStorageSettings, credentials: Credentials): HostStep {
        return host.run(
            child,
            {
                script: "storage/gluster-client",
                params: {
                    volume: settings.volume,
                    servers: pulumi.all(settings.hosts.map((server) => server.privateAddress)),
                    mountPoint: settings.mountPoint,
                    owner: settings.owner?.ids,
                    mode: settings.owner?.mode,
                    tls: settings.tls,
                },
                secrets: credentials(host),
                removeOnDelete: true,
            },
            { parent: this, dependsOn: [this.volume] },
        );
    }

    /** One certificate for each host, also for one that serves files and mounts them. */
    private credentials(name: string, { tls, hosts, clients }: SharedStorageSettings): Credentials {
        if (!tls) return () => ({});
        const authority = createAuthority(name, this);
        const issued = new Map<string, NodeCertificate>();
        for (const host of [...hosts, ...clients]) {
            if (!issued.has(host.name)) issued.set(host.name, authority.issue(host));
        }
        return (host) => ({ caCertificate: authority.certificate, ...issued.get(host.name)! });
    }
}

/** Where the disk goes. */
function brickMountOf({ brickDirectory, volume }: SharedStorageSettings): string {
    return `${brickDirectory}/${volume}`;
}

function brickOf(settings: SharedStorageSettings): string {
    return `${brickMountOf(settings)}/brick`;
}

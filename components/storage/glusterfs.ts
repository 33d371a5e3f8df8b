import * as pulumi from "@pulumi/pulumi";

import { createAuthority, type NodeCertificate } from "../certificates";
import type { Host, HostStep } from "../host";
import type { GlusterSettings } from "./settings";
import { ownerParams, type Share, type ShareContext } from "./share";

/** What the step that makes the volume reports. */
export interface StorageVolumeResult {
    /** Name of the volume. */
    readonly volume: string;
    /** `<address>:<folder>` of each copy. */
    readonly bricks: string;
    /** False where the first server is new, and the second one did the work. */
    readonly directed: boolean;
}

/** A step's secrets for TLS; none without it. */
type Credentials = (host: Host) => Record<string, pulumi.Input<string>>;

/** A GlusterFS volume on three servers. */
export function glusterShare(
    settings: GlusterSettings,
    context: ShareContext,
): Share & { readonly volume: HostStep<StorageVolumeResult> } {
    const { name, parent } = context;
    const credentials = createCredentials(settings, context);
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
                    ...(settings.disks === undefined
                        ? {}
                        : { disk: settings.disks[host.name], filesystem: "xfs", diskSize: settings.diskSize }),
                    tls: settings.tls,
                },
                secrets: credentials(host),
                removeOnDelete: true,
            },
            { parent },
        ),
    );
    const { volume, standby } = join(settings, context, servers);
    return {
        volume,
        after: () => [standby],
        mount: (client) => ({
            script: "storage/gluster-client",
            params: {
                volume: settings.volume,
                servers: pulumi.all(settings.hosts.map((server) => server.privateAddress)),
                mountPoint: settings.mountPoint,
                ...ownerParams(settings),
                tls: settings.tls,
            },
            secrets: credentials(client),
            removeOnDelete: true,
        }),
    };
}

function join(
    settings: GlusterSettings,
    { name, parent }: ShareContext,
    servers: readonly HostStep[],
): { readonly volume: HostStep<StorageVolumeResult>; readonly standby: HostStep } {
    const [first, second] = [settings.hosts[0]!, settings.hosts[1]!];
    const machines = settings.hosts.map((host) =>
        pulumi
            .all([host.privateAddress, host.identity])
            // Words of a list; a host key has spaces.
            .apply(([address, identity]) => `${address}=${identity.trim().replace(/\s+/g, "_")}`),
    );
    const bricks = settings.hosts.map((host) => pulumi.interpolate`${host.privateAddress}:${brickOf(settings)}`);
    const params = {
        volume: settings.volume,
        bricks: pulumi.all(bricks),
        machines: pulumi.all(machines),
        arbiter: settings.arbiter,
        clients: pulumi.all(settings.clients.map((host) => host.privateAddress)),
        pingTimeout: settings.pingTimeout,
        onSystemDisk: settings.disks === undefined,
        tls: settings.tls,
    };
    const common = {
        script: "storage/gluster-volume",
        // A machine that was replaced has none of the files, and a daemon that restarted may need its bricks looked after.
        rerunOn: [...servers.map((server) => server.stdin), ...settings.hosts.map((host) => host.identity)],
        serviceWide: true,
        usesInternet: false,
        // Files may have to be copied.
        timeoutMinutes: 180,
    };
    const volume = first.run<StorageVolumeResult>(
        `${name}-volume`,
        { ...common, params: { ...params, address: first.privateAddress } },
        { parent, dependsOn: [...servers] },
    );
    const standby = second.run(
        `${name}-volume-standby`,
        {
            ...common,
            params: {
                ...params,
                address: second.privateAddress,
                directed: volume.result.apply(({ directed }) => directed),
            },
        },
        { parent, dependsOn: [volume] },
    );
    return { volume, standby };
}

/** One certificate for each host, also for one that serves files and mounts them. */
function createCredentials(
    { tls, hosts, clients, keys }: GlusterSettings,
    { name, parent }: ShareContext,
): Credentials {
    if (!tls) return () => ({});
    const authority = createAuthority(name, parent, { keys });
    const issued = new Map<string, NodeCertificate>();
    for (const host of [...hosts, ...clients]) {
        if (!issued.has(host.name)) issued.set(host.name, authority.issue(host));
    }
    return (host) => ({ caCertificate: authority.certificate, ...issued.get(host.name)! });
}

/** Where the disk goes. */
function brickMountOf({ brickDirectory, volume }: GlusterSettings): string {
    return `${brickDirectory}/${volume}`;
}

function brickOf(settings: GlusterSettings): string {
    return `${brickMountOf(settings)}/brick`;
}

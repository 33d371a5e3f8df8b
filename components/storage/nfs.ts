import * as pulumi from "@pulumi/pulumi";

import type { NfsSettings } from "./settings";
import { nfsMount, ownerParams, type Share, type ShareContext } from "./share";

/** An NFSv4 server on one host. */
export function nfsShare(settings: NfsSettings, { name, parent }: ShareContext): Share {
    const { server, disks } = settings;
    const serving = server.run(
        `${name}-${server.name}`,
        {
            script: "storage/nfs-server",
            params: {
                directory: settings.exportDirectory,
                clients: pulumi.all(settings.clients.map((client) => client.privateAddress)),
                rootSquash: settings.rootSquash,
                graceSeconds: settings.graceSeconds,
                ...(disks === undefined
                    ? {}
                    : { disk: disks[server.name], filesystem: "xfs", diskSize: settings.diskSize }),
                // Of the server's own folder: the clients' root may be nobody.
                ...ownerParams(settings),
            },
            removeOnDelete: true,
        },
        { parent },
    );
    return {
        after: () => [serving],
        mount: () => nfsMount(pulumi.interpolate`${server.privateAddress}:/`, "4.2", settings),
    };
}

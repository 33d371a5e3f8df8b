import type * as pulumi from "@pulumi/pulumi";

import type { Host, StepArgs } from "../host";
import type { MountSettings } from "./settings";

/** What an engine offers to the component that mounts its files. */
export interface Share {
    /** The step that mounts the files on a client. */
    readonly mount: (client: Host) => StepArgs;
    /** What has to be there before. */
    readonly after: (client: Host) => readonly pulumi.Resource[];
}

/** Where an engine belongs. */
export interface ShareContext {
    /** Name of the component. */
    readonly name: string;
    readonly parent: pulumi.Resource;
}

/** Parameters of a step that makes the mount's top folder somebody's. */
export function ownerParams({ owner }: MountSettings): NonNullable<StepArgs["params"]> {
    return { owner: owner?.ids, mode: owner?.mode };
}

/**
 * A mount of NFS. It waits for a server that is away, however long (`hard`), and comes back from another port of its own (`noresvport`),
 * so that no firewall's memory of the old connection holds it up.
 */
export function nfsMount(
    source: pulumi.Input<string>,
    version: "4.0" | "4.2",
    { mountPoint }: MountSettings,
    params: NonNullable<StepArgs["params"]> = {},
): StepArgs {
    return {
        script: "storage/nfs-client",
        params: { source, options: `vers=${version},hard,timeo=600,retrans=2,noresvport`, mountPoint, ...params },
        removeOnDelete: true,
    };
}

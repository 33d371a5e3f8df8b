import type { DesiredHost } from "../../../lab/model/desired";

/** A host that is to run, in no network and without disks of its own. */
export function hostOf(id: string): DesiredHost {
    return {
        id,
        systemDiskId: `d-${id}`,
        hostname: id,
        name: id,
        instanceType: "ecs.g7.large",
        metadata: { enabled: true, tokenRequired: false },
        imageId: "debian_12",
        kernel: "shared",
        power: "running",
        bootCount: 0,
        cpus: 1,
        memoryMiB: 512,
        nics: [],
        publicKeys: [],
        disks: [],
        tags: {},
        zoneId: "z",
        regionId: "r",
    };
}

/** `bastion`: the host that the others are reached through. */
import type { RebuildReason } from "../components";
import { readImage, readReasons, readSystemDisk, type SystemDiskConfig } from "./hosts";
import type { Reader } from "./reader";

export interface BastionConfig {
    /** @default "ecs.t6-c1m1.large" */
    readonly instanceType: string;
    /** Image id. @default the newest system image of Debian 12 */
    readonly imageId?: string;
    /** Regular expression for the name of a system image. @default "^debian_12_" */
    readonly imageName?: string;
    /** What rebuilds a bastion that exists. @default [] */
    readonly rebuildOn: readonly RebuildReason[];
    readonly systemDisk: SystemDiskConfig;
    /** That of `hosts`. */
    readonly deletionProtection: boolean;
}

export const bastionKeys = ["instanceType", "imageId", "imageName", "rebuildOn", "systemDisk"] as const;

export function readBastion(reader: Reader, deletionProtection: boolean): BastionConfig {
    const bastion = reader.section("bastion");
    return {
        instanceType: reader.instanceType(bastion, "bastion.instanceType", "ecs.t6-c1m1.large"),
        ...readImage(reader, "bastion"),
        rebuildOn: readReasons(reader, bastion, "bastion.rebuildOn"),
        systemDisk: readSystemDisk(reader, bastion, "bastion.systemDisk"),
        deletionProtection,
    };
}

import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

import { physicalName, tagsFor } from "../tags";
import type { NasSettings } from "./settings";
import { nfsMount, ownerParams, type Share, type ShareContext } from "./share";

/** A file system of the cloud's own, with a mount target in the clients' VPC. */
export function nasShare(settings: NasSettings, { name, parent }: ShareContext): Share {
    const files = new alicloud.nas.FileSystem(
        name,
        {
            protocolType: "NFS",
            storageType: settings.storageType,
            // With a key of the service's own, which costs nothing.
            encryptType: 1,
            description: physicalName(name),
            ...(settings.zone === undefined ? {} : { zoneId: settings.zone }),
            tags: tagsFor(name, settings.tags),
        },
        // None of them can change: the provider would put an empty file system in its place.
        { parent, ignoreChanges: ["storageType", "zoneId", "encryptType"] },
    );
    const group = new alicloud.nas.AccessGroup(
        name,
        {
            accessGroupName: physicalName(name, 64),
            accessGroupType: "Vpc",
            description: `Clients of ${name}`,
        },
        // Its name identifies it: a component that is renamed would get another one, and its clients would be refused until that has all rules.
        { parent, ignoreChanges: ["accessGroupName"] },
    );
    const rules = new Map(
        settings.clients.map((client) => [
            client.name,
            new alicloud.nas.AccessRule(
                `${name}-${client.name}`,
                {
                    accessGroupName: group.accessGroupName,
                    sourceCidrIp: client.privateAddress,
                    rwAccessType: "RDWR",
                    userAccessType: settings.rootSquash ? "root_squash" : "no_squash",
                },
                { parent },
            ),
        ]),
    );
    const target = new alicloud.nas.MountTarget(
        name,
        {
            fileSystemId: files.id,
            accessGroupName: group.accessGroupName,
            networkType: "Vpc",
            vpcId: settings.vpcId,
            vswitchId: settings.vswitchId,
        },
        { parent },
    );
    return {
        after: (client) => [target, rules.get(client.name)!],
        // 4.0 is what the service speaks; version 3 would keep locks to each client.
        mount: () =>
            nfsMount(pulumi.interpolate`${target.mountTargetDomain}:/`, "4.0", settings, ownerParams(settings)),
    };
}

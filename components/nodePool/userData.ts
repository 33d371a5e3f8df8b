import * as pulumi from "@pulumi/pulumi";

import type { Problems } from "../problems";
import type { NodePoolArgs } from "./args";
import type { HostKeyType } from "./hostKeys";

/** What a new host has to know before anyone can log in to it. */
export interface FirstBoot {
    readonly hostName: string;
    readonly user: string;
    readonly authorizedKey: string;
    /** The host's own key pairs, so that the first connection can verify it. OpenSSH format. */
    readonly hostKeys: readonly {
        readonly type: HostKeyType;
        readonly privateKey: string;
        readonly publicKey: string;
    }[];
    readonly extra: Readonly<Record<string, unknown>>;
}

/** Fields of cloud-init's configuration by which a host is reached and known; `users` are the pool's and the caller's. */
const own = ["hostname", "preserve_hostname", "ssh_pwauth", "disable_root", "ssh_deletekeys", "ssh_keys"];

/** Notes what can't be merged with the pool's own configuration. */
export function checkCloudConfig(problems: Problems, { cloudConfig: extra = {} }: NodePoolArgs, user: string): void {
    for (const field of own) {
        if (field in extra) problems.add(`cloudConfig.${field}`, "is the pool's own: leave it out.");
    }
    const { users = [] } = extra;
    if (pulumi.Output.isInstance(users)) return;
    if (!Array.isArray(users)) {
        problems.add("cloudConfig.users", "is not a list of users.");
        return;
    }
    users.forEach((given: unknown, index) => {
        if (typeof given === "object" && given !== null && "name" in given && given.name === user)
            problems.add(
                `cloudConfig.users[${index}]`,
                `"${user}" is who the pool itself logs in as: choose another name.`,
            );
    });
}

/** Cloud-init's configuration. Holds the private host key: secret. */
export function cloudConfig(boot: FirstBoot): string {
    const login = { name: boot.user, ssh_authorized_keys: [boot.authorizedKey.trim()] };
    const config = {
        ...boot.extra,
        hostname: boot.hostName,
        preserve_hostname: false,
        ssh_pwauth: false,
        disable_root: false,
        // The image's own keys are the same on every machine made from it, and only those planted here are pinned.
        ssh_deletekeys: true,
        ssh_keys: Object.fromEntries(
            boot.hostKeys.flatMap(({ type, privateKey, publicKey }) => [
                [`${type}_private`, privateKey.trim() + "\n"],
                [`${type}_public`, publicKey.trim()],
            ]),
        ),
        users: [
            "default",
            boot.user === "root"
                ? login
                : { ...login, shell: "/bin/bash", lock_passwd: true, sudo: "ALL=(ALL) NOPASSWD:ALL" },
            ...[boot.extra["users"] ?? []].flat(),
        ],
    };
    // YAML takes JSON as it is, whatever characters a key holds.
    return `#cloud-config\n${JSON.stringify(config, undefined, 2)}\n`;
}

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
        ],
    };
    // YAML takes JSON as it is, whatever characters a key holds.
    return `#cloud-config\n${JSON.stringify(config, undefined, 2)}\n`;
}

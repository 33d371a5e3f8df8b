/** What the hosts' images consist of, as data: another distribution is another definition. */
import type { Release } from "./archiveKeys";

/** An image of a Linux distribution as a cloud would offer it. */
export interface ImageDefinition {
    /** Tag of the image, and part of file names. */
    readonly name: string;
    /** Which image ids of the cloud mean this image. */
    readonly matches: RegExp;
    /** Release to debootstrap. */
    readonly release: Release;
    /** Packages of the first stage: debootstrap does not choose between alternatives, so only plain ones. */
    readonly base: readonly string[];
    /** Packages that apt installs afterwards. */
    readonly packages: readonly string[];
    readonly files: readonly ImageFile[];
    /** Links below /etc/systemd/system that enable units, by the folder of the target that wants them. */
    readonly enabledUnits: Readonly<Record<string, readonly string[]>>;
    /** Units that a container does not need and that would make its boot longer. */
    readonly maskedUnits: readonly string[];
    /** Suites of the same archive beside those of the release, for what only they have. Pin them in `files`. */
    readonly moreSuites?: readonly string[];
    /** Environment of the first process where the machine has version 1 of control groups. */
    readonly legacyCgroups?: readonly string[];
    /** Below the root: what every host would otherwise share or carry along for nothing. */
    readonly removed: readonly string[];
    /** An image whose hosts run in an emulator with a kernel of their own, on a disk made of this one. */
    readonly emulates?: ImageDefinition;
}

export interface ImageFile {
    readonly path: string;
    readonly content: string;
    readonly mode?: number;
    /** Whether the packages' installation already has to find it. @default false */
    readonly first?: boolean;
}

/** Where the first process of a host is found; while its command line shows this the host waits for its network. */
export const INIT = "/usr/lib/multihost/init";

const init: ImageFile = {
    path: INIT,
    mode: 0o755,
    content: `#!/bin/sh
# The lab plugs the network in and plants keys while this waits, so that all that boots later finds them in place.
until grep -q '^eth0	00000000	' /proc/net/route; do sleep 0.02; done
exec /sbin/init
`,
};

const cloudConfig: ImageFile = {
    path: "/etc/cloud/cloud.cfg.d/95-multihost.cfg",
    content: `# One local datasource and a network that is there already: nothing to probe or to wait for at boot.
datasource_list: [NoCloud]
datasource: { NoCloud: { fs_label: null } }
network: { config: disabled }
disable_root: false
users: []
ssh_genkeytypes: [ed25519, ecdsa]
cloud_init_modules: [bootcmd, write-files, disk_setup, mounts, set_hostname, update_etc_hosts, ca-certs, users-groups, ssh]
cloud_config_modules: [ssh-import-id, set-passwords, apt-configure, ntp, timezone, runcmd]
cloud_final_modules: [package-update-upgrade-install, write-files-deferred, scripts-vendor, scripts-per-once, scripts-per-boot, scripts-per-instance, scripts-user, phone-home, final-message, power-state-change]
`,
};

const mountUnit: ImageFile = {
    path: "/etc/systemd/system/multihost-mount.service",
    content: `# In a container systemd leaves out the lines of fstab that name devices. This host has devices.
[Unit]
Description=Data disks of /etc/fstab
DefaultDependencies=no
ConditionFileNotEmpty=/etc/fstab
After=local-fs-pre.target
Before=local-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/bin/mount -a -O no_netdev -t ext2,ext3,ext4,xfs,btrfs,vfat

[Install]
WantedBy=local-fs.target
`,
};

/** Debian 12 with what the cloud's own Debian images bring. */
export const debian12: ImageDefinition = {
    name: "debian-12",
    matches: /^debian_12|^debian-12/,
    release: "bookworm",
    base: ["systemd", "systemd-sysv", "dbus", "ca-certificates"],
    packages: [
        "bash-completion",
        "bind9-host",
        "bzip2",
        "cloud-init",
        "cron",
        "curl",
        "e2fsprogs",
        "fdisk",
        "gnupg",
        "iproute2",
        "iputils-ping",
        "kmod",
        "less",
        "lsof",
        "netcat-openbsd",
        "nftables",
        "openssh-client",
        "openssh-server",
        "openssl",
        "procps",
        "psmisc",
        "python3",
        "rsync",
        "sudo",
        "tar",
        "tcpdump",
        "vim-tiny",
        "wget",
        "xfsprogs",
        "xz-utils",
    ],
    files: [
        init,
        cloudConfig,
        mountUnit,
        { path: "/etc/cloud/ds-identify.cfg", content: "policy: enabled\n" },
        {
            path: "/etc/ssh/sshd_config.d/60-multihost.conf",
            content: "PermitRootLogin yes\nPasswordAuthentication no\nUseDNS no\n",
        },
        {
            path: "/etc/apt/apt.conf.d/20multihost",
            content: 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n',
        },
        {
            path: "/etc/systemd/journald.conf.d/multihost.conf",
            content: "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n",
        },
        { path: "/etc/default/locale", content: "LANG=C.UTF-8\n" },
    ],
    enabledUnits: { "local-fs.target.wants": ["multihost-mount.service"] },
    maskedUnits: [
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
        "console-getty.service",
        "dev-hugepages.mount",
        "dev-mqueue.mount",
        "dpkg-db-backup.timer",
        "e2scrub_all.timer",
        "e2scrub_reap.service",
        "fstrim.timer",
        "getty.target",
        "getty-static.service",
        "man-db.timer",
        "sys-fs-fuse-connections.mount",
        "sys-kernel-config.mount",
        "sys-kernel-debug.mount",
        "sys-kernel-tracing.mount",
        "systemd-binfmt.service",
        "systemd-firstboot.service",
        "systemd-modules-load.service",
        "systemd-pstore.service",
        "systemd-remount-fs.service",
        "systemd-udevd.service",
        "systemd-udev-trigger.service",
        "cloud-init-hotplugd.socket",
    ],
    removed: [
        "usr/share/doc",
        "usr/share/man",
        "usr/share/info",
        "usr/share/locale",
        "var/lib/apt/lists",
        "var/cache/apt",
        "var/cache/debconf",
        "var/log",
        "etc/ssh/ssh_host_ecdsa_key",
        "etc/ssh/ssh_host_ecdsa_key.pub",
        "etc/ssh/ssh_host_ed25519_key",
        "etc/ssh/ssh_host_ed25519_key.pub",
        "etc/ssh/ssh_host_rsa_key",
        "etc/ssh/ssh_host_rsa_key.pub",
        "etc/udev",
        "var/lib/cloud",
    ],
};

/**
 * Debian 13. MySQL is in no release of Debian, so this image also knows the archive's unstable suite, from which nothing comes but what
 * only that one has.
 */
export const debian13: ImageDefinition = {
    ...debian12,
    name: "debian-13",
    matches: /^debian_13|^debian-13/,
    release: "trixie",
    files: [
        ...debian12.files,
        {
            path: "/etc/apt/preferences.d/unstable",
            first: true,
            content: `Explanation: MySQL and what it needs are in no release of Debian.
Package: *
Pin: release a=unstable
Pin-Priority: 100

Explanation: The libraries that it is linked with. They come with the image, so that installing it replaces none.
Package: src:gcc-16 src:google-perftools src:libunwind
Pin: release a=unstable
Pin-Priority: 500
`,
        },
    ],
    moreSuites: ["sid"],
    // Its systemd takes version 1 only when it is told to.
    legacyCgroups: ["SYSTEMD_PROC_CMDLINE=systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"],
};

/** Every image that shares the machine's kernel. */
export const definitions: readonly ImageDefinition[] = [debian12, debian13];

/** The image for an image id of the cloud; Debian 12 for what the lab does not have. */
export function definitionFor(imageId: string): ImageDefinition {
    return definitions.find(({ matches }) => matches.test(imageId)) ?? debian12;
}

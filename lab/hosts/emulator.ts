/**
 * Hosts with a kernel of their own: the stock one of their distribution, in QEMU, for what needs the kernel and what the machine's own may
 * lack, such as NFS. The container of such a host holds the emulator, its disk and its links, and is otherwise looked after as any other.
 */
import { existsSync } from "node:fs";
import type { DesiredHost } from "../model/desired";
import { deviceScript, file, removeOtherDevicesScript, settleScript } from "./boot";
import { type ImageDefinition, INIT, debian12 } from "./definitions";
import type { AttachedDisk } from "./disks";

/** What an emulator's container has of its host, below its root. */
const FOLDER = "/var/lib/multihost";
/** What is made for each boot anew. */
const BOOT = "/run/multihost";
const EMULATOR = "/usr/lib/multihost/emulator";
/** Serial number of the disk that tells the guest what the lab wants of it. */
const SEED_SERIAL = "multihost";
const SYSTEM_DISK_GIB = 40;
/** MiB that QEMU keeps translated code in. */
const TRANSLATIONS_MIB = 192;

/** Half seconds for which a guest is asked for its disks. */
const DETACH_ATTEMPTS = 40;

/** MiB of an emulator beside its guest's memory. */
export const EMULATOR_MIB = 512;

/** Units that only a host in a container can do without. */
const needed = [
    "systemd-modules-load.service",
    "systemd-remount-fs.service",
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "sys-fs-fuse-connections.mount",
];

/** Debian 12 with its own kernel. */
const guest: ImageDefinition = {
    ...debian12,
    name: "guest-debian-12",
    packages: [...debian12.packages, "initramfs-tools", "linux-image-cloud-amd64", "udev"],
    files: [
        ...debian12.files.filter(({ path }) => path !== INIT && !path.endsWith("/multihost-mount.service")),
        // Only what it takes to find the disk: an emulated processor unpacks a full one for many seconds.
        {
            path: "/etc/initramfs-tools/conf.d/multihost",
            content: "MODULES=list\nCOMPRESS=gzip\n",
            first: true,
        },
        { path: "/etc/initramfs-tools/modules", content: "virtio_pci\nvirtio_blk\nvirtio_net\next4\n", first: true },
        { path: "/etc/fstab", content: "/dev/vda / ext4 defaults,noatime 0 1\n" },
        {
            path: "/etc/systemd/system/multihost-boot.service",
            content: `# The lab's word: name, addresses, keys and user data, before anything asks for them.
[Unit]
DefaultDependencies=no
Requires=dev-disk-by\\x2did-virtio\\x2d${SEED_SERIAL}.device
After=dev-disk-by\\x2did-virtio\\x2d${SEED_SERIAL}.device systemd-remount-fs.service
Before=cloud-init-local.service network-pre.target sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -eu /dev/disk/by-id/virtio-${SEED_SERIAL}
`,
        },
    ],
    enabledUnits: { "sysinit.target.wants": ["multihost-boot.service"] },
    maskedUnits: debian12.maskedUnits.filter((unit) => !needed.includes(unit)),
    // An emulated processor takes a minute to read what the archive has, at each host: it comes with the image, as in one that was brought up
    // to date. A package that the archive has no more makes a step read it anew.
    removed: debian12.removed.filter((path) => !["etc/udev", "var/lib/apt/lists", "var/cache/apt"].includes(path)),
};

/** Image of the emulator with Debian 12 in it. */
export const emulated: ImageDefinition = {
    name: "emulated-debian-12",
    matches: /^$/,
    release: debian12.release,
    base: ["ca-certificates"],
    packages: ["e2fsprogs", "iproute2", "netcat-openbsd", "qemu-system-x86", "qemu-utils"],
    files: [
        {
            path: INIT,
            mode: 0o755,
            content: `#!/bin/sh
# The lab plugs the network in and describes the machine while this waits.
until [ -e ${BOOT}/ready ]; do sleep 0.02; done
exec ${EMULATOR}
`,
        },
        {
            path: EMULATOR,
            mode: 0o755,
            content: `#!/bin/sh
set -u
if [ ! -e ${FOLDER}/disk.raw ]; then
    qemu-img convert -O raw ${FOLDER}/root.qcow2 ${FOLDER}/disk.new || exit 1
    mv ${FOLDER}/disk.new ${FOLDER}/disk.raw
fi
. ${BOOT}/arguments
qemu-system-x86_64 "$@" </dev/null &
emulator=$!
trap 'echo system_powerdown | nc -U -N -w 5 ${BOOT}/monitor >/dev/null' TERM
status=1
while kill -0 $emulator 2>/dev/null; do
    wait $emulator
    status=$?
done
# As a container tells of a guest that switched itself off. It reboots within the emulator.
[ $status != 0 ] || exit 130
exit $status
`,
        },
    ],
    enabledUnits: {},
    maskedUnits: [],
    removed: debian12.removed.filter((path) => path.startsWith("usr/share/") || path.startsWith("var/lib/apt")),
    emulates: guest,
};

/** Shell text that makes the guest's disk below the root of an emulator's image, out of the archive of the guest's. */
export function plantGuest(root: string, archive: string): string {
    const folder = `${root}${FOLDER}`;
    return `
mkdir -p ${folder}/guest
tar --numeric-owner --xattrs -C ${folder}/guest -xf ${archive}
cp ${folder}/guest/boot/vmlinuz-* ${folder}/vmlinuz
cp ${folder}/guest/boot/initrd.img-* ${folder}/initrd
chroot ${root} /bin/sh -eu <<'END_OF_IMAGE'
cd ${FOLDER}
mke2fs -q -t ext4 -E lazy_itable_init=1 -d guest disk.raw ${SYSTEM_DISK_GIB}G
qemu-img convert -O qcow2 disk.raw root.qcow2
END_OF_IMAGE
rm -rf ${folder}/guest ${folder}/disk.raw
`;
}

/** Whether the processor runs guests by itself. A kernel may offer /dev/kvm to guests made for it alone, hence the look at the modules. */
export function hasVirtualization(): boolean {
    return existsSync("/dev/kvm") && ["kvm_intel", "kvm_amd"].some((module) => existsSync(`/sys/module/${module}`));
}

/** Shell text for the container of an emulator that waits for its boot: links, disks, the guest's own script, and the machine's description. */
export function emulatorBootScript(host: DesiredHost, disks: readonly AttachedDisk[], network: string): string {
    const devices = host.nics.map(({ deviceIndex }) => deviceIndex);
    return `
mkdir -p -m 700 ${BOOT}
${devices.map((index) => bridgeScript(index)).join("\n")}
${disks.map(deviceScript).join("\n")}
${file(`${BOOT}/seed`, guestScript(host, network), "600")}
# A disk has whole sectors.
truncate -s %4096 ${BOOT}/seed
mtu=$(ip -o link show eth0 | sed 's/.* mtu \\([0-9]*\\) .*/\\1/')
cat >${BOOT}/arguments <<END_OF_ARGUMENTS
set -- ${emulatorArguments(host, disks).join(" ")}
END_OF_ARGUMENTS
touch ${BOOT}/ready
`;
}

/** Joins the host's link to the emulator's. The guest has the link's address, so the link gets another. May be done again. */
function bridgeScript(index: number): string {
    return `
ip link delete br${index} 2>/dev/null || true
ip link delete tap${index} 2>/dev/null || true
ip link set eth${index} down
ip link set eth${index} address $(ip -o link show eth${index} | sed 's/.*ether ..\\(:[0-9a-f:]*\\) .*/fe\\1/')
ip link add br${index} type bridge forward_delay 0 mcast_snooping 0
ip tuntap add tap${index} mode tap
ip link set tap${index} mtu $(ip -o link show eth${index} | sed 's/.* mtu \\([0-9]*\\) .*/\\1/') master br${index} up
ip link set eth${index} master br${index} up
ip link set br${index} up
`;
}

function guestScript(host: DesiredHost, network: string): string {
    const devices = host.nics.map(({ deviceIndex }) => `eth${deviceIndex}`);
    // The guest's kernel counts what it finds. The last one first, so that no name is taken.
    const renamed = devices.map((device, found) => ({ device, found: `eth${found}` })).reverse();
    return `for device in ${devices.map((_, found) => `eth${found}`).join(" ")}; do
    for attempt in $(seq 600); do
        [ ! -e /sys/class/net/$device ] || break
        sleep 0.1
    done
done
${renamed
    .filter(({ device, found }) => device !== found)
    .map(({ device, found }) => `ip link set ${found} name ${device}`)
    .join("\n")}
for device in ${devices.join(" ")}; do
    echo 1 >/proc/sys/net/ipv4/conf/$device/route_localnet
done
${settleScript(host, network)}
hostname -F /etc/hostname
exit 0
`;
}

/** Arguments of QEMU; `$mtu` in them is the container's to fill in. */
function emulatorArguments(host: DesiredHost, disks: readonly AttachedDisk[]): string[] {
    const accelerated = hasVirtualization();
    return [
        "-nodefaults",
        "-no-user-config",
        // The plain PC takes disks while it runs, without a port reserved for each.
        ...["-machine", "pc"],
        ...["-accel", accelerated ? "kvm" : `tcg,thread=multi,tb-size=${TRANSLATIONS_MIB}`],
        // The fewer instructions a processor has, the less a guest makes an emulated one try. Two would wait for each other.
        ...(accelerated ? ["-cpu", "host", "-smp", String(host.cpus)] : ["-cpu", "qemu64", "-smp", "1"]),
        ...["-m", String(host.memoryMiB)],
        ...["-display", "none"],
        ...["-serial", "stdio"],
        ...["-monitor", `unix:${BOOT}/monitor,server=on,wait=off`],
        ...["-kernel", `${FOLDER}/vmlinuz`],
        ...["-initrd", `${FOLDER}/initrd`],
        // What a processor that doesn't speculate has no use for costs an emulated one a good deal.
        ...["-append", "'root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off audit=0 loglevel=4'"],
        ...["-object", "rng-random,id=entropy,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=entropy"],
        // What the guest has written is in this machine's memory, and so outlives the emulator.
        ...drive("system", `${FOLDER}/disk.raw`, "cache=unsafe,discard=unmap"),
        ...drive("seed", `${BOOT}/seed`, "readonly=on", SEED_SERIAL),
        ...disks.flatMap((disk) => drive(disk.serial, `/dev/${disk.name}`, "cache=unsafe,discard=unmap", disk.serial)),
        ...host.nics.flatMap(({ mac, deviceIndex: index }) => [
            ...["-netdev", `tap,id=net${index},ifname=tap${index},script=no,downscript=no`],
            ...["-device", `virtio-net-pci,netdev=net${index},mac=${mac},host_mtu=$mtu`],
        ]),
    ];
}

function drive(name: string, path: string, options: string, serial?: string): string[] {
    return ["-drive", driveOption(name, path, options), "-device", deviceOption(name, serial)];
}

function driveOption(name: string, path: string, options: string): string {
    return `if=none,id=disk-${name},file=${path},format=raw,${options}`;
}

function deviceOption(name: string, serial?: string): string {
    return `virtio-blk-pci,id=device-${name},drive=disk-${name}${serial === undefined ? "" : `,serial=${serial}`}`;
}

/** Shell text that asks the emulator's monitor. */
function ask(...lines: readonly string[]): string {
    return `printf '%s\\n' ${lines.map((line) => `"${line}"`).join(" ")} | nc -U -N -w 5 ${BOOT}/monitor`;
}

/**
 * Shell text that puts into `$drives` what the emulator calls those disks of the guest whose serial, `$3`, fits a condition of awk's. Names
 * alone don't tell: a guest that an earlier lab started has drives with the letters of its disks.
 */
function findDrives(condition: string): string {
    return `
tree=$(${ask("info qtree")})
drives=$(printf '%s\\n' "$tree" | tr -d '"\\r' | awk '$1 == "drive" { drive = $3 } $1 == "serial" && ${condition} { print drive }')`;
}

/** Shell text that gives a running guest a disk, unless it has it, in the size that the disk has by now. */
export function emulatorAttachScript(disk: AttachedDisk): string {
    const { name, serial, sizeGiB } = disk;
    const options = driveOption(serial, `/dev/${name}`, "cache=unsafe,discard=unmap");
    const find = findDrives(`$3 == "${serial}"`);
    return `
${deviceScript(disk)}
${find}
if [ -z "$drives" ]; then
    ${ask(`drive_add 0 ${options}`, `device_add ${deviceOption(serial, serial)}`)} >/dev/null
    ${find}
fi
if [ -z "$drives" ]; then
    ${ask(`drive_del disk-${serial}`)} >/dev/null
    echo "the emulator did not take the disk ${name}" >&2
    exit 1
fi
if ${ask(`block_resize $drives ${sizeGiB}G`)} | grep '^Error' >&2; then exit 1; fi
`;
}

/** Shell text that takes all data disks but these from a running guest. It lets go of them when it gets to it, and only on request. */
export function emulatorDetachOthersScript(kept: readonly AttachedDisk[]): string {
    const serials = [SEED_SERIAL, ...kept.map(({ serial }) => serial)];
    return `
# It may still be made ready, with the disks that its arguments name.
for attempt in $(seq ${DETACH_ATTEMPTS}); do
    [ ! -e ${BOOT}/monitor ] || break
    sleep 0.5
done
for attempt in $(seq ${DETACH_ATTEMPTS}); do
    ${findDrives(`NF == 3 && !index(" ${serials.join(" ")} ", " " $3 " ")`)}
    [ -n "$drives" ] || break
    for drive in $drives; do
        ${ask("device_del device-${drive#disk-}")} >/dev/null
    done
    sleep 0.5
done
if [ -n "$drives" ]; then
    echo "the guest does not let go of" $drives >&2
    exit 1
fi
${removeOtherDevicesScript(kept)}
`;
}

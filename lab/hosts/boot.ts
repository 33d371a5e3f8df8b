/** What is done inside a host's name spaces before its systemd begins. Pure: shell text out of desired state. */
import type { DesiredHost } from "../model/desired";
import { RESOLVERS } from "../net/plan";
import { AttachedDisk, LOOP_MAJOR } from "./disks";
import { shellWord } from "../../toolchain/commandLine";

const SEED = "/var/lib/cloud/seed/nocloud";

/** Shell text that prepares a boot; the network comes last, because the host's first process waits for it. */
export function bootScript(host: DesiredHost, disks: readonly AttachedDisk[], network: string): string {
    return [prepareKernelFiles(host), ...disks.map(diskScript), settleScript(host, network)].join("\n");
}

/** Shell text that gives a system its name, its user data, its keys and its addresses. */
export function settleScript(host: DesiredHost, network: string): string {
    return [identityScript(host), seed(host), loginScript(host), network].join("\n");
}

/**
 * The engine mounts three files that every distribution replaces by renaming, and shows kernel settings read-only.
 * Those of the network are the host's own. Others belong to the whole machine: hosts get copies to write to, so that
 * software can be configured as on a machine of its own without a change to the developer's. The host's part of the unified control groups,
 * which the engine shows read-only as well, is its systemd's; one that showed the machine's own would have it leave that part.
 */
function prepareKernelFiles(host: DesiredHost): string {
    return `
for file in /etc/hosts /etc/hostname /etc/resolv.conf; do umount $file 2>/dev/null || true; done
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || mount -o remount,bind,rw /sys/fs/cgroup
if [ ! -e /run/multihost ]; then
    mkdir -p /run/multihost
    mount --bind /proc/sys/net /proc/sys/net && mount -o remount,bind,rw /proc/sys/net
    for folder in /proc/sys/vm /proc/sys/kernel /proc/sys/fs /sys/kernel/mm/transparent_hugepage; do
        [ -d $folder ] || continue
        copy=/run/multihost/$(echo $folder | tr / -)
        mkdir -p $copy
        for file in $folder/*; do
            [ -f $file ] || continue
            cat $file >$copy/\${file##*/} 2>/dev/null || true
        done
        case $folder in /proc/sys/vm | /sys/*) mount --bind $copy $folder ;; esac
    done
    for device in ${host.nics.map(({ deviceIndex }) => `eth${deviceIndex}`).join(" ")}; do
        echo 1 >/proc/sys/net/ipv4/conf/$device/route_localnet || true
    done
fi
`;
}

/** Shell text that makes a disk's device. */
export function deviceScript({ minor, name }: AttachedDisk): string {
    return `
rm -f /dev/${name}
mknod -m 660 /dev/${name} b ${LOOP_MAJOR} ${minor}`;
}

function diskScript(disk: AttachedDisk): string {
    const { minor, name, serial } = disk;
    return `${deviceScript(disk)}
[ -e /dev/loop${minor} ] || mknod -m 660 /dev/loop${minor} b ${LOOP_MAJOR} ${minor}
ln -sfn ${name} /dev/x${name}
mkdir -p /dev/disk/by-id
ln -sfn ../../${name} /dev/disk/by-id/virtio-${serial}
`;
}

/** Shell text that shows a disk in a running host. */
export function attachScript(disk: AttachedDisk): string {
    return diskScript(disk);
}

/** Shell text that hides all data disks but these from a running host. */
export function detachOthersScript(kept: readonly AttachedDisk[]): string {
    return `${removeOtherDevicesScript(kept)}
for link in /dev/disk/by-id/virtio-*; do
    case " ${kept.map(({ serial }) => serial).join(" ")} " in *" \${link##*/virtio-} "*) ;; *) rm -f "$link" ;; esac
done
`;
}

/** Shell text that removes the devices of all data disks but these. */
export function removeOtherDevicesScript(kept: readonly AttachedDisk[]): string {
    const names = kept.flatMap(({ name }) => [name, `x${name}`]);
    return `
for device in /dev/vd[b-z] /dev/vd[a-z][a-z] /dev/xvd[b-z] /dev/xvd[a-z][a-z]; do
    case " ${names.join(" ")} " in *" \${device##*/} "*) ;; *) rm -f "$device" ;; esac
done`;
}

/** Shell text that writes a file, whatever is in it. */
export function file(path: string, content: string, mode: string): string {
    return `
umask 077
base64 -d >${path}.new <<'END_OF_FILE'
${Buffer.from(content).toString("base64").replace(/.{76}/g, "$&\n")}
END_OF_FILE
chmod ${mode} ${path}.new
mv -f ${path}.new ${path}
umask 022
`;
}

/**
 * On the first boot: afterwards these files are the host's. Another name than the one planted last is planted at the next boot, though, as in
 * the cloud; a line of /etc/hosts that is not the lab's stays.
 */
export function identityScript(host: DesiredHost): string {
    const address = host.nics.find(({ primary }) => primary)?.primaryIp;
    const own = address === undefined ? [] : [`${address}\t${host.hostname}\t${host.hostname}`];
    const hosts = ["127.0.0.1\tlocalhost", "::1\tlocalhost\tip6-localhost\tip6-loopback", ...own];
    const resolvers = [
        "options timeout:2 attempts:3 rotate single-request-reopen",
        ...RESOLVERS.map((server) => `nameserver ${server}`),
    ];
    return `
if [ ! -e ${SEED}/meta-data ]; then
${file("/etc/hosts", `${hosts.join("\n")}\n`, "644")}
${file("/etc/resolv.conf", `${resolvers.join("\n")}\n`, "644")}
${file("/etc/hostname", `${host.hostname}\n`, "644")}
else
    planted=$(sed -n 's/.*"local-hostname":"\\([^"]*\\)".*/\\1/p' ${SEED}/meta-data)
    if [ "$planted" != ${shellWord(host.hostname)} ]; then
${file("/etc/hostname", `${host.hostname}\n`, "644")}
        tab=$(printf '\\t')
        {
            grep -v "^[0-9.]*$tab$planted$tab$planted$" /etc/hosts || true
            printf '%s' ${shellWord(own.map((line) => `${line}\n`).join(""))}
        } >/etc/hosts.new
        mv -f /etc/hosts.new /etc/hosts
    fi
fi
`;
}

function seed(host: DesiredHost): string {
    const metadata = {
        "instance-id": host.id,
        "local-hostname": host.hostname,
        "cloud-name": "aliyun",
        region: host.regionId,
        "availability-zone": host.zoneId,
        "public-keys": host.publicKeys,
    };
    return `
mkdir -p ${SEED}
${file(`${SEED}/user-data`, host.userData ?? "#cloud-config\n{}\n", "600")}
${file(`${SEED}/vendor-data`, "", "600")}
${file(`${SEED}/meta-data`, `${JSON.stringify(metadata)}\n`, "644")}
`;
}

/**
 * Shell text that brings keys and password to what the cloud says, also when they were attached, replaced or taken later. A key is planted
 * once: who takes it away in the host wants it away. Lines of others stay, and so do keys that the user data names as well.
 */
export function loginScript(host: DesiredHost): string {
    const keys = host.publicKeys.map((key) => key.trim()).filter((key) => key !== "" && !key.includes("\n"));
    const authorized = "/root/.ssh/authorized_keys";
    const [planted, wanted, kept] = ["planted", "wanted", "kept"].map((which) => `${SEED}/${which}-keys`);
    const password = host.password;
    const passwordLogin = "/etc/ssh/sshd_config.d/40-password.conf";
    return `
mkdir -p -m 700 /root/.ssh
touch ${authorized}
chmod 600 ${authorized}
[ -z "$(tail -c 1 ${authorized})" ] || echo >>${authorized}
${file(wanted!, keys.map((key) => `${key}\n`).join(""), "600")}
[ -e ${planted} ] || install -m 600 /dev/null ${planted}
while IFS= read -r key; do
    grep -qxF -e "$key" ${wanted} && continue
    grep -qF -e "$(printf '%s\\n' "$key" | cut -d ' ' -f 2)" ${SEED}/user-data && continue
    grep -vxF -e "$key" ${authorized} >${kept} || true
    cat ${kept} >${authorized}
    rm -f ${kept}
done <${planted}
while IFS= read -r key; do
    grep -qxF -e "$key" ${planted} ${authorized} || printf '%s\\n' "$key" >>${authorized}
done <${wanted}
mv -f ${wanted} ${planted}
${
    password === undefined
        ? `rm -f ${passwordLogin}`
        : `
base64 -d <<'END_OF_FILE' | chpasswd
${Buffer.from(`root:${password}\n`).toString("base64")}
END_OF_FILE
echo 'PasswordAuthentication yes' >${passwordLogin}
`
}`;
}

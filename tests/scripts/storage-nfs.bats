#!/usr/bin/env bats
# storage/nfs-* on stand-ins for hosts of both families: what they do, and that a second run does nothing.

bats_require_minimum_version 1.5.0
load helper
load stubs
load storage

setup() {
    nfs_host debian-12
}

# nfs_host OS: with a kernel that has NFS as a module, and a server that serves what the last exportfs has read.
nfs_host() {
    storage_host "$1"
    mkdir -p "$host/exports.d" "$host/masked" "$host/nfs.conf"
    export EXPORTS_D=$host/exports.d PROC_FILESYSTEMS=$host/filesystems
    printf 'nodev\tproc\n\text4\n' >"$PROC_FILESYSTEMS"
    # shellcheck disable=SC2016
    {
        stub modprobe '[[ ! -e $HOST/no-nfs ]] || exit 1; case $1 in nfsd) echo "nodev nfsd" ;; nfsv4) echo "nodev nfs4" ;; esac >>"$PROC_FILESYSTEMS"'
        stub nproc 'echo 2'
        stub nfsconf '
            if [[ $1 == --get ]]; then cat "$HOST/nfs.conf/$3"
            elif [[ ! -e $HOST/overruled ]]; then echo "$4" >"$HOST/nfs.conf/$3"; fi'
        stub exportfs '
            case $1 in
            -ra) cat "$EXPORTS_D"/*.exports >"$HOST/served" 2>/dev/null || : >"$HOST/served" ;;
            -s) awk "!/^#/ { for (i = 2; i <= NF; i++) print \$1, \$i }" "$HOST/served" 2>/dev/null || true ;;
            esac'
        mv "$bin/systemctl" "$bin/systemctl.mounts"
        stub systemctl '
            unit=${*: -1}
            case $1 in
            mask) touch "$HOST/masked/$unit"; exit 0 ;;
            unmask) rm -f "$HOST/masked/$unit"; exit 0 ;;
            is-enabled) if [[ -e $HOST/masked/$unit ]]; then echo masked; exit 1; fi ;;
            start | restart) [[ $unit != nfs-server.service ]] || exportfs -ra ;;
            esac
            exec systemctl.mounts "$@"'
    }
}

server() {
    run --separate-stderr step storage/nfs-server DIRECTORY="$host/data/export" CLIENTS="10.0.1.1 10.0.1.2" ROOT_SQUASH=true GRACE_SECONDS=15 "$@"
    printf '%s\n' "$stderr" "$output"
}

client() {
    run --separate-stderr step storage/nfs-client SOURCE=10.0.0.1:/ OPTIONS=vers=4.2,hard MOUNT_POINT="$host/data/shared" "$@"
    printf '%s\n' "$stderr" "$output"
}

examine() {
    local part=$1
    shift
    run --separate-stderr doctor "storage/nfs-$part" DIRECTORY="$host/data/export" CLIENTS="10.0.1.1 10.0.1.2" SOURCE=10.0.0.1:/ \
        MOUNT_POINT="$host/data/shared" "$@"
    printf '%s\n' "$stderr" "$output"
    [[ $status == 0 ]]
}

@test "a second run changes nothing, in both families" {
    for os in debian-12 alinux-3; do
        rm -rf "$BATS_TEST_TMPDIR/host"
        nfs_host "$os"
        for part in server client; do
            "$part"
            [[ $status == 0 && $(field changed) != '[]' ]]
            "$part"
            [[ $status == 0 && $(field changed) == '[]' ]]
        done
    done
    [[ -e $host/packages/nfs-utils && ! -e $host/packages/nfs-common ]]
}

@test "serves version 4 alone, with two threads for each processor, and comes back soon after a boot" {
    server
    for setting in threads=4 vers3=n vers4=y grace-time=15 lease-time=15; do
        [[ $(<"$host/nfs.conf/${setting%=*}") == "${setting#*=}" ]]
    done
    [[ -e $host/masked/rpcbind.socket && -e $host/masked/rpc-statd.service && -e $host/active/nfs-server.service ]]
    server GRACE_SECONDS=10
    [[ $(field changed) == '["nfsd grace-time = 10","nfsd lease-time = 10","service nfs-server.service restarted"]' ]]
    touch "$host/overruled"
    server GRACE_SECONDS=20
    [[ $status != 0 && $stderr == *"/etc/nfs.conf.d sets [nfsd] grace-time"* ]]
}

@test "believes the clients also for the groups of their users, and restarts nothing where that is so" {
    server
    [[ $status == 0 && ! -e $host/nfs.conf/manage-gids ]]
    # As on Debian, whose package brings it.
    echo y >"$host/nfs.conf/manage-gids"
    server
    [[ $(<"$host/nfs.conf/manage-gids") == n ]]
    [[ $(field changed) == '["mountd manage-gids = n","service nfs-server.service restarted"]' ]]
    server
    [[ $(field changed) == '[]' ]]
    echo y >"$host/nfs.conf/manage-gids"
    touch "$host/overruled"
    server
    [[ $status != 0 && $stderr == *"/etc/nfs.conf.d sets [mountd] manage-gids"* ]]
}

@test "lets in the clients of the list alone, and no disk stands for a folder" {
    touch "$host/dev/disk/by-id/virtio-12345"
    server DISK=d-12345 FILESYSTEM=xfs
    options="(rw,sync,no_subtree_check,insecure,fsid=0,sec=sys,mp=$host/data/export,root_squash)"
    grep -qxF "$host/data/export/files 10.0.1.1$options 10.0.1.2$options" "$host/served"
    [[ $(field changed) == *"formatted with xfs"* ]]
}

@test "a client that comes or goes restarts nothing" {
    server
    server CLIENTS=10.0.1.2 ROOT_SQUASH=false
    [[ $(field changed) == '["'"$EXPORTS_D"'/multihost.exports"]' ]]
    grep -qxF "$host/data/export/files 10.0.1.2(rw,sync,no_subtree_check,insecure,fsid=0,sec=sys,no_root_squash)" "$host/served"
    server CLIENTS=
    run ! grep -q '^/' "$host/served"
    run ! grep -q 'systemctl restart' "$host/argv"
}

@test "serves no empty folder in the files' place, and no second one beside them" {
    for clients in "10.0.1.1 10.0.1.2" ""; do
        server CLIENTS="$clients"
        : >"$host/argv"
        server DIRECTORY="$host/data/other" CLIENTS="$clients"
        [[ $status != 0 && $stderr == *"exportDirectory: this host serves $host/data/export, and $host/data/other would be empty"* ]]
        [[ ! -e $host/data/other && ! -s $host/argv ]]
    done
}

@test "a second storage is refused on a server, and takes nothing from the first" {
    STEP_KEY=first server
    cp "$host/served" "$host/served.first"
    : >"$host/argv"
    STEP_KEY=second server CLIENTS=10.0.1.9
    [[ $status != 0 && $stderr == *"hosts: the NFS server on this host belongs to first: give this storage a host of its own"* ]]
    cmp "$host/served" "$host/served.first"
    cmp "$EXPORTS_D/multihost.exports" "$host/served.first"
    run ! grep -qE '^(exportfs|nfsconf)' "$host/argv"
    # Under another name, in both directions, and with a removal of the former that comes late.
    for names in "first renamed" "renamed first"; do
        STEP_KEY=${names#* } STEP_EVENT=update server
        [[ $status == 0 && $(field changed) == '[]' ]]
        STEP_KEY=${names% *} STEP_EVENT=delete server
        [[ $status == 0 && $stderr == *"the NFS server on this host belongs to ${names#* }: it stays as it is"* ]]
        STEP_KEY=${names% *} server
        [[ $status != 0 && $stderr == *"belongs to ${names#* }: "* ]]
    done
    cmp "$host/served" "$host/served.first"
    # Set up before there were marks.
    rm -r "$host/storage-owners"
    STEP_KEY=first STEP_EVENT=update server
    [[ $status == 0 && $(field changed) == '[]' ]]
    STEP_KEY=second server
    [[ $status != 0 && $stderr == *"belongs to first: "* ]]
    STEP_KEY=first STEP_EVENT=delete server
    STEP_KEY=second server CLIENTS=10.0.1.9
    [[ $status == 0 ]]
}

@test "the files belong to whom they should, although root of the clients is nobody" {
    server OWNER=33:33 MODE=2775
    [[ $status == 0 && $(field changed) == *"$host/data/export/files: mode and owner"* ]]
    [[ $(/usr/bin/stat -c %a "$host/data/export/files") == 2775 ]]
}

@test "a kernel without NFS is named before anything is installed" {
    touch "$host/no-nfs"
    server
    [[ $status != 0 && $stderr == *"has no NFS server (module nfsd): take an image with the distribution's own kernel"* ]]
    client
    [[ $status != 0 && $stderr == *"has no NFS client (module nfsv4): "* ]]
    [[ -z $(ls "$host/packages") ]]
}

@test "a client mounts for every boot, waits for the server, and forgets it when it is none any more" {
    client
    grep -qx "10.0.0.1:/ $host/data/shared nfs4 vers=4.2,hard,nosuid,nodev,_netdev,nofail 0 0" "$host/fstab"
    [[ $(<"$host/mounts/${host//\//_}_data_shared") == 10.0.0.1:/ && $(ls "$host/enabled") == multihost-mount-* ]]
    client SOURCE=10.0.0.2:/
    [[ $(field changed) == *"10.0.0.1:/ taken away"* && $(<"$host/mounts/${host//\//_}_data_shared") == 10.0.0.2:/ ]]
    STEP_EVENT=delete client SOURCE=10.0.0.2:/
    [[ $status == 0 && $(<"$host/fstab") != *data/shared* && -z $(ls "$host/mounts") ]]
}

@test "a storage that goes leaves what another has mounted in its place" {
    STEP_KEY=old client
    STEP_KEY=new client SOURCE=10.0.0.2:/ MOUNT_POINT="$host/data/new"
    STEP_KEY=new STEP_EVENT=update client SOURCE=10.0.0.2:/
    [[ $status == 0 && $(field changed) == *"10.0.0.1:/ taken away"* ]]
    : >"$host/argv"
    STEP_KEY=old STEP_EVENT=delete client
    [[ $status == 0 && $stderr == *"$host/data/shared belongs to new: it stays as it is"* ]]
    [[ $(<"$host/mounts/${host//\//_}_data_shared") == 10.0.0.2:/ && -e $(echo "$host"/enabled/multihost-mount-*data-shared.service) ]]
    grep -q "^10.0.0.2:/ $host/data/shared " "$host/fstab"
    run ! grep -qE '^umount|^systemctl' "$host/argv"
    STEP_KEY=new STEP_EVENT=delete client SOURCE=10.0.0.2:/
    [[ $status == 0 && $(<"$host/fstab") != *data/shared* && -z $(ls "$host/storage-owners" | grep data-shared) ]]
}

# retries TARGET: the services that mount it.
retries() {
    grep -lF "mountpoint -q $1;" "$host"/units/*
}

@test "mount points of which one has a dash where the other has a slash are mounted by a service each" {
    client MOUNT_POINT="$host/data/a-b"
    [[ $status == 0 ]]
    # As it was called before.
    former=${host#/}
    former=multihost-mount-${former//\//-}-data-a-b.service
    cp "$(retries "$host/data/a-b")" "$host/units/$former"
    touch "$host/enabled/$former"
    STEP_KEY=other client SOURCE=10.0.0.2:/ MOUNT_POINT="$host/data/a/b"
    [[ $status == 0 && -e $host/units/$former ]]
    client MOUNT_POINT="$host/data/a-b"
    [[ $status == 0 && ! -e $host/units/$former && ! -e $host/enabled/$former ]]
    [[ $(retries "$host/data/a-b") == *'a\x2db.service' && $(retries "$host/data/a/b") == *'a-b.service' ]]
    client MOUNT_POINT="$host/data/a-b"
    [[ $status == 0 && $(field changed) == '[]' ]]
    STEP_EVENT=delete client MOUNT_POINT="$host/data/a-b"
    [[ $status == 0 && -z $(retries "$host/data/a-b") && $(retries "$host/data/a/b") == *'a-b.service' ]]
}

@test "another mount point takes the place of the former" {
    client
    STEP_EVENT=update client MOUNT_POINT="$host/data/shared/files"
    [[ $status != 0 && $stderr == *"mountPoint: $host/data/shared/files is within $host/data/shared, where these files are mounted"* ]]
    # Its servers don't answer: the former stays until there is another.
    touch "$host/no-server"
    STEP_EVENT=update client MOUNT_POINT="$host/data/files"
    [[ $status != 0 && $(ls "$host/mounts") == *_data_shared ]]
    rm "$host/no-server"
    STEP_EVENT=update client MOUNT_POINT="$host/data/files"
    [[ $status == 0 && $(field changed) == *"$host/data/files mounted"*"$host/data/shared unmounted"* ]]
    [[ $(ls "$host/mounts") == *_data_files && $(<"$host/fstab") == "10.0.0.1:/ $host/data/files nfs4 "* ]]
    [[ $(ls "$host/enabled") == *-data-files.service && $(ls "$host/units") == *-data-files.service ]]
    STEP_EVENT=update client MOUNT_POINT="$host/data/files"
    [[ $status == 0 && $(field changed) == '[]' ]]
    # What another has there by now is not this one's any more.
    STEP_KEY=other client SOURCE=10.0.0.2:/
    STEP_EVENT=update client
    STEP_KEY=other STEP_EVENT=update client SOURCE=10.0.0.2:/
    STEP_EVENT=update client MOUNT_POINT="$host/data/files"
    [[ $status == 0 && $(<"$host/mounts/${host//\//_}_data_shared") == 10.0.0.2:/ ]]
    # One that was cut off before it left the former leaves both.
    rm "$host"/mounts/*_data_shared "$host/fstab"
    client
    cp -r "$host/storage-owners" "$host/storage-owners.cut"
    client MOUNT_POINT="$host/data/files"
    cp "$host/storage-owners.cut"/*-data-shared.mount "$host/storage-owners"
    echo 10.0.0.1:/ >"$host/mounts/${host//\//_}_data_shared"
    STEP_EVENT=delete client
    [[ $status == 0 && -z $(ls "$host/mounts" "$host/storage-owners" | grep -v :) ]]
}

@test "a mount point is one storage's, under whichever name" {
    STEP_KEY=first client
    : >"$host/argv"
    STEP_KEY=second client SOURCE=10.0.0.2:/
    [[ $status != 0 && $stderr == *"mountPoint: $host/data/shared on this host belongs to first: give this storage another one"* ]]
    [[ $(<"$host/mounts/${host//\//_}_data_shared") == 10.0.0.1:/ && $(<"$host/fstab") == "10.0.0.1:/ "* ]]
    run ! grep -qE '^umount|^systemctl' "$host/argv"
    # Its server is away since the last boot.
    rm "$host/mounts"/*
    STEP_KEY=second client SOURCE=10.0.0.2:/
    [[ $status != 0 && $stderr == *"belongs to first: "* ]]
    STEP_KEY=renamed STEP_EVENT=update client
    [[ $status == 0 ]]
    STEP_KEY=first client
    [[ $status != 0 && $stderr == *"belongs to renamed: "* ]]
    # One that was refused before it mounted anything has nothing to lose.
    mkdir -p "$host/data/other"
    touch "$host/data/other/precious"
    STEP_KEY=first client MOUNT_POINT="$host/data/other"
    [[ $status != 0 && $stderr == *"holds files that the mount would hide"* ]]
    rm "$host/data/other/precious"
    STEP_KEY=second client SOURCE=10.0.0.2:/ MOUNT_POINT="$host/data/other"
    [[ $status == 0 ]]
}

@test "what was mounted before there were marks, or came with another machine's image, is anybody's" {
    mount=$host/mounts/${host//\//_}_data_shared
    STEP_KEY=first client
    rm -r "$host/storage-owners"
    STEP_KEY=first STEP_EVENT=update client
    [[ $status == 0 && $(field changed) == '[]' ]]
    sed -i 's/ test / another /' "$host/storage-owners"/*
    STEP_KEY=second client SOURCE=10.0.0.2:/
    [[ $status == 0 && $(<"$mount") == 10.0.0.2:/ ]]
    rm -r "$host/storage-owners"
    STEP_KEY=second STEP_EVENT=delete client SOURCE=10.0.0.2:/
    [[ $status == 0 && ! -e $mount ]]
}

@test "steps of two storages are at work on a host one after the other" {
    exec {lock}>"$STORAGE_LOCK"
    flock "$lock"
    STEP_KEY=second client SOURCE=10.0.0.2:/ MOUNT_POINT="$host/data/other" {lock}>&- &
    until [[ -e $host/packages/nfs-common ]]; do sleep 0.1; done
    sleep 1
    [[ ! -e $host/fstab ]]
    exec {lock}>&-
    wait $!
    [[ -e $host/mounts/${host//\//_}_data_other ]]
}

@test "a server's outage takes no mount away, but what is stale and what is another's server is mounted anew" {
    client
    mount=$host/mounts/${host//\//_}_data_shared
    : >"$host/argv"
    mount_says '' 124
    client
    [[ $status != 0 && $stderr == *"$host/data/shared: no answer for 20 s. The mount stays"*"systemctl restart "* && -e $mount ]]
    mount_says 'Permission denied' 1
    client
    [[ $status != 0 && $stderr == *"$host/data/shared: Permission denied. The mount stays"* && -e $mount ]]
    run ! grep -q '^umount' "$host/argv"
    mount_says 'Stale file handle' 1
    client
    [[ $status == 0 && $(field changed) == '["'"$host/data/shared: broken mount taken away"'","'"$host/data/shared mounted"'"]' ]]
    mount_says '' 124
    client SOURCE=10.0.0.2:/
    [[ $status == 0 && $(field changed) == *"10.0.0.1:/ taken away"* && $(<"$mount") == 10.0.0.2:/ ]]
    grep -qx "umount -l $host/data/shared" "$host/argv"
}

@test "no program of root's and no device counts on a share, also on one that is mounted already" {
    client
    flags=$host/flags/${host//\//_}_data_shared
    # As earlier versions left it.
    sed -i 's/,nosuid,nodev//' "$host/fstab" "$flags"
    : >"$host/argv"
    touch "$host/no-remount"
    client
    [[ $status == 0 && $(field changed) == '["'"$host/fstab"'"]' && $(field notes) == *"$host/data/shared takes nosuid,nodev when it is mounted anew: systemctl restart "* ]]
    rm "$host/no-remount"
    client
    [[ $status == 0 && $(field changed) == '["'"$host/data/shared: nosuid,nodev"'"]' && $output != *notes* && $(<"$flags") == rw,nosuid,nodev ]]
    run ! grep -qE '^umount|systemctl.* (restart|stop|start) ' "$host/argv"
    client
    [[ $status == 0 && $(field changed) == '[]' ]]
    # A file system that takes some of it only.
    echo rw,nodev,nosuidx >"$flags"
    client
    [[ $(field changed) == '["'"$host/data/shared: nosuid,nodev"'"]' ]]
}

@test "what can't be mounted yet is mounted as soon as its server is there" {
    touch "$host/no-server"
    client
    [[ $status != 0 && $stderr == *"can't mount 10.0.0.1:/ on $host/data/shared"* && -e $(echo "$host"/active/multihost-mount-*) ]]
}

@test "a server that goes stops, opens nothing and keeps the files" {
    server
    : >"$host/data/export/files/kept"
    STEP_EVENT=delete server
    [[ $status == 0 && ! -e $host/active/nfs-server.service && -z $(ls "$host/exports.d" "$host/masked" | grep -v :) ]]
    [[ -e $host/data/export/files/kept && $stderr == *"the files stay in"* ]]
    # One that somebody else uses, too, goes on.
    server
    echo "/srv 10.0.9.9(ro)" >"$EXPORTS_D/others.exports"
    STEP_EVENT=delete server
    [[ $status == 0 && -e $host/active/nfs-server.service ]]
}

@test "the doctor sees a server that is down, lets in others, or misses its disk" {
    server
    examine server
    [[ $(found service) == ok:* && $(found files) == ok:* && $(found clients) == "ok: lets in 10.0.1.1 10.0.1.2 " ]]
    examine server CLIENTS=10.0.1.1
    [[ $(found clients) == "failed: lets in 10.0.1.1 10.0.1.2 and not 10.0.1.1 as it should: run \`exportfs -ra\`"* ]]
    examine server DISK=d-12345
    [[ $(found disk) == "failed: d-12345 is not mounted on $host/data/export: \`mount $host/data/export\`"* ]]
    rm "$host/active/nfs-server.service"
    examine server
    [[ $(found service) == failed:* ]]
}

@test "the doctor sees a client without its mount" {
    client
    examine client
    [[ $(found mount) == ok:* && $(found boot) == ok:* ]]
    sed -i 's/nosuid,//' "$host"/flags/*
    examine client
    [[ $(found mount) == "warning: $host/data/shared answers, and programs of root's and devices on it count here: mount -o remount,bind,nosuid,nodev $host/data/shared" ]]
    rm "$host/mounts"/*
    examine client
    [[ $(found mount) == "failed: nothing is mounted on $host/data/shared: "* ]]
}

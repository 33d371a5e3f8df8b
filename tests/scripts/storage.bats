#!/usr/bin/env bats
# storage/gluster-* on stand-ins for hosts of both families: what they do, and that a second run does nothing.

bats_require_minimum_version 1.5.0
load helper
load stubs
load storage

setup() {
    gluster_host debian-12
}

# gluster_host OS: with a gluster that keeps a pool and one volume in files.
gluster_host() {
    storage_host "$1"
    mkdir -p "$host/glusterd/peers" "$host/etc/ssl"
    export GLUSTERD_STATE=$host/glusterd GLUSTERD_CONFIG=$host/glusterd.vol GLUSTER_SOCKET=$host/socket.so HEAL_SECONDS=1 BRICK_SECONDS=1 LOST_SECONDS=1
    : >"$host/pool"
    printf 'volume management\n    option max-port  60999\nend-volume\n' >"$GLUSTERD_CONFIG"
    printf '\0%s/etc/ssl/glusterfs.pem\0' "$host" >"$GLUSTER_SOCKET"
    stub glusterfs 'echo "glusterfs ${STUB_VERSION:-10.3}"; echo "Repository revision: git://git.gluster.org/glusterfs.git"'
    # shellcheck disable=SC2016
    stub gluster '
        shift # --mode=script
        [[ $1 != --remote-host=* ]] || { [[ ! -e $HOST/no-answer ]] || exit 1
            if [[ $2 == volume ]]; then [[ ! -e $HOST/volume-elsewhere ]] || echo "Volume Name: $4"; else echo "UUID Hostname State"; fi; exit 0; }
        bricks=$HOST/brick-list
        case "$*" in
        "pool list") echo "UUID Hostname State"; echo "u0 localhost Connected"; cat "$HOST/pool" ;;
        "peer probe "*) echo "u$3 $3 Connected" >>"$HOST/pool" ;;
        "peer detach "*) sed -i "/ $3 /d" "$HOST/pool" ;;
        "volume create "*) for word in "$@"; do [[ $word != *:/* ]] || echo "$word"; done >"$bricks"
            [[ "$*" != *arbiter* ]] || touch "$HOST/arbiter" ;;
        "volume list") [[ ! -e $HOST/second ]] || echo gv1
            if [[ -s $HOST/pool ]]; then echo gv0; else echo "No volumes present in cluster"; fi ;;
        "volume info gv1") printf "Volume Name: gv1\nStatus: Started\nBrick1: 10.0.0.1:/other\n" ;;
        "volume stop "*) rm "$HOST/started" ;;
        "volume info") [[ ! -e $HOST/second ]] || printf "Brick1: %s:/other\n" 10.0.0.1 10.0.0.2 10.0.0.7
            nl -w1 -s": " "$bricks" | sed "s/^/Brick/" ;;
        "volume info "*)
            [[ -e $bricks ]] || exit 1
            echo "Volume Name: $3"
            if [[ -e $HOST/started ]]; then echo "Status: Started"; else echo "Status: Created"; fi
            if [[ -e $HOST/arbiter ]]; then echo "Number of Bricks: 1 x (2 + 1) = 3"; else echo "Number of Bricks: 1 x 3 = 3"; fi
            nl -w1 -s": " "$bricks" | sed "s/^/Brick/"
            cat "$HOST/options" 2>/dev/null || true ;;
        "volume set "*) [[ ! -e $HOST/options ]] || sed -i "/^$4: /d" "$HOST/options"; echo "$4: $5" >>"$HOST/options" ;;
        "volume start "*) touch "$HOST/started" ;;
        "volume status "*)
            # One that starts late does so at the look that is so far away.
            if [[ -e $HOST/late ]]; then
                looks=$(($(cat "$HOST/late") - 1)); echo "$looks" >"$HOST/late"
                ((looks > 0)) || : >"$HOST/down"
            fi
            while read -r brick; do
                printf "Brick                : Brick %s\n" "$brick"
                if grep -qsxF "$brick" "$HOST/down"; then printf "Online               : N\n"; else printf "Online               : Y\n"; fi
            done <"$bricks" ;;
        "volume reset-brick "*" commit force")
            [[ ! -e $HOST/no-disk ]] || { echo "Staging failed. Error: The provided path /b which is already present, is not a directory"; exit 1; }
            sed -i "\|^$4$|d" "$HOST/down" ;;
        "volume replace-brick "*) sed -i "s|^$4$|$5|" "$bricks"; [[ ! -e $HOST/down ]] || sed -i "\|^$4$|d" "$HOST/down" ;;
        # What was written without a brick waits for as long as it is down.
        "volume heal "*" info summary") missed=0; [[ ! -s $HOST/down ]] || missed=${STUB_MISSED:-0}
            echo "Total Number of entries: $((${STUB_PENDING:-0} + missed))"
            echo "Number of entries in split-brain: ${STUB_SPLIT:-0}" ;;
        esac'
}

server() {
    run --separate-stderr step storage/gluster-server ADDRESS=10.0.0.1 PEERS="10.0.0.2 10.0.0.3" BRICK="$host/bricks/gv0/brick" \
        BRICK_MOUNT="$host/bricks/gv0" TLS=true "$@" -- CA_CERTIFICATE="${AUTHORITY:-$'CA\n'}" CERTIFICATE="${CERTIFICATE:-CERT}" PRIVATE_KEY="KEY OF SERVER"
    printf '%s\n' "$stderr" "$output"
}

volume() {
    run --separate-stderr step storage/gluster-volume VOLUME=gv0 ADDRESS=10.0.0.1 BRICKS="10.0.0.1:/b 10.0.0.2:/b 10.0.0.3:/b" ARBITER=false \
        CLIENTS="10.0.1.1 10.0.1.2" PING_TIMEOUT=10 ON_SYSTEM_DISK=true TLS=true "$@"
    printf '%s\n' "$stderr" "$output"
}

client() {
    run --separate-stderr step storage/gluster-client VOLUME=gv0 SERVERS="10.0.0.1 10.0.0.2 10.0.0.3" MOUNT_POINT="$host/data/shared" TLS=true "$@" \
        -- CA_CERTIFICATE="${AUTHORITY:-$'CA\n'}" CERTIFICATE=CERT PRIVATE_KEY="KEY OF CLIENT"
    printf '%s\n' "$stderr" "$output"
}

@test "a second run changes nothing, in both families" {
    for os in debian-12 alinux-3; do
        rm -rf "$BATS_TEST_TMPDIR/host"
        gluster_host "$os"
        for part in server volume client; do
            "$part"
            [[ $status == 0 && $(field changed) != '[]' ]]
            "$part"
            [[ $status == 0 && $(field changed) == '[]' ]]
        done
    done
    [[ -e $host/packages/glusterfs-fuse && ! -e $host/packages/glusterfs-client ]]
}

@test "keeps the private key out of arguments and of the log" {
    server
    [[ $(cat "$host/etc/ssl/glusterfs.key") == "KEY OF SERVER" && $(/usr/bin/stat -c %a "$host/etc/ssl/glusterfs.key") == 600 ]]
    [[ -e $host/glusterd/secure-access && $stderr$output != *"KEY OF"* ]]
    run ! grep -qF "KEY OF" "$host/argv"
}

@test "takes over other keys and authorities while it serves, and restarts nothing" {
    first=$'CA\n-----END' second=$'CA 2\n-----END'
    AUTHORITY=$first server
    : >"$host/argv"
    AUTHORITY=$first$'\n'$second server
    [[ $status == 0 && $(field changed) == '["'"$host/etc/ssl/glusterfs.ca"'"]' && $(<"$host/etc/ssl/glusterfs.ca") == "$first"$'\n'"$second" ]]
    CERTIFICATE=RENEWED AUTHORITY=$first$'\n'$second server
    [[ $status == 0 && $(field changed) == '["'"$host/etc/ssl/glusterfs.pem"'"]' && $output != *notes* ]]
    run ! grep -qE 'systemctl.* (restart|stop|start) ' "$host/argv"

    AUTHORITY=$first$'\n'$second client
    printf 'none %s fuse.glusterfs rw 0 0\n' "$host/data/shared" >"$PROC_MOUNTS"
    : >"$host/argv"
    AUTHORITY=$second client
    [[ $status == 0 && $(field changed) == '["'"$host/etc/ssl/glusterfs.ca"'"]' && $(<"$host/etc/ssl/glusterfs.ca") == "$second" ]]
    run ! grep -qE '^umount|systemctl.* (restart|stop|start) ' "$host/argv"
}

@test "an old version that runs is given no other authority, and starts anew for another certificate" {
    export STUB_VERSION=6.10
    server
    [[ $status == 0 ]]
    AUTHORITY=$'CA\nCA 2\n' server
    [[ $status != 0 && $stderr == *"tls: GlusterFS 6.10 takes over no other authority while it runs: install version 8 or newer"* && $(<"$host/etc/ssl/glusterfs.ca") == CA ]]
    : >"$host/argv"
    CERTIFICATE=RENEWED server
    [[ $status == 0 && $(field notes) == *"bricks that run take over the certificate at their next start"* ]]
    grep -q 'systemctl restart glusterd.service' "$host/argv"
    # A client that mounts nothing has nothing to lose.
    rm "$host/active/glusterd.service"
    AUTHORITY=$'CA\nCA 2\n' client
    [[ $status == 0 ]]
    printf 'none %s fuse.glusterfs rw 0 0\n' "$host/data/shared" >"$PROC_MOUNTS"
    AUTHORITY=$'CA 2\n' client
    [[ $status != 0 && $stderr == *"tls: GlusterFS 6.10 takes over no other authority while it runs"* ]]
}

@test "formats a blank disk, and never one that holds something" {
    touch "$host/dev/disk/by-id/virtio-12345"
    server DISK=d-12345 FILESYSTEM=xfs
    [[ $status == 0 && $(field changed) == *"formatted with xfs"* ]]
    server DISK=d-12345 FILESYSTEM=xfs
    [[ $(field changed) == '[]' ]]
    printf 'TYPE=ext4\n' >"$host/disk-holds"
    : >"$host/argv"
    server DISK=d-12345 FILESYSTEM=xfs
    [[ $status != 0 && $stderr == *"holds ext4, not xfs: it is not touched"* ]]
    run ! grep -q '^mkfs' "$host/argv"
}

@test "a disk is known by its file system, whatever its name is after a boot" {
    # All that looks at the device is a stand-in, so any will do.
    device=$(find /dev -type b -print -quit)
    [[ -n $device ]] || skip "this machine has no block device to stand for a disk"
    ln -s "$device" "$host/dev/vdb"
    disk() { server DISK="$host/dev/vdb" FILESYSTEM=xfs; }
    # Written by earlier versions.
    printf '%s\n' "$host/dev/vdb $host/bricks/gv0 xfs defaults,noatime,nofail 0 0" >"$host/fstab"
    disk
    [[ $status == 0 && $(<"$host/fstab") == "UUID=0b1e-55ed $host/bricks/gv0 xfs defaults,noatime,nofail 0 0" ]]
    disk
    [[ $status == 0 && $(field changed) == '[]' ]]
    # Another disk has its name now: a blank one, and one of somebody else's files.
    echo /dev/vdc >"$host/disk-name"
    : >"$host/argv"
    for other in '' $'UUID=another\nTYPE=xfs'; do
        [[ -z $other ]] || printf '%s\n' "$other" >"$host/other-disk-holds"
        disk
        [[ $status == 0 && $(field changed) == '[]' && $(field notes) == *"the disk of $host/bricks/gv0 is /dev/vdc now"* ]]
    done
    # And its own is not attached.
    printf 'UUID=gone\nTYPE=xfs\n' >"$host/disk-holds"
    disk
    [[ $status != 0 && $stderr == *"is not the disk of $host/bricks/gv0, which has the file system 0b1e-55ed: attach that one"* ]]
    run ! grep -q '^mkfs' "$host/argv"
    # Ids don't change, so another one there is meant.
    rm "$host/disk-name" "$host/disk-holds" "$host/other-disk-holds"
    touch "$host/dev/disk/by-id/virtio-12345"
    sed -i 's/0b1e/ffff/' "$host/fstab"
    server DISK=d-12345 FILESYSTEM=xfs
    [[ $status == 0 && $(field changed) == *"formatted with xfs"* && $(<"$host/fstab") == UUID=0b1e-55ed* ]]
}

@test "the file system grows with its disk, and a disk that has not grown is told of" {
    touch "$host/dev/disk/by-id/virtio-12345"
    server DISK=d-12345 FILESYSTEM=xfs DISK_SIZE=20
    [[ $status == 0 && $(field changed) != *grown* ]]
    echo 30 >"$host/disk-gib"
    server DISK=d-12345 FILESYSTEM=xfs DISK_SIZE=30
    [[ $status == 0 && $(field changed) == *"file system grown to the disk's 30 GiB"* ]]
    server DISK=d-12345 FILESYSTEM=xfs DISK_SIZE=30
    [[ $status == 0 && $(field changed) == '[]' ]]
    server DISK=d-12345 FILESYSTEM=xfs DISK_SIZE=40
    [[ $status != 0 && $stderr == *"(d-12345) has 30 GiB and not 40: let the disk grow first"* ]]
}

@test "says which repository lacks the servers" {
    gluster_host alinux-3
    stub dnf 'exit 1'
    server
    [[ $status != 0 && $stderr == *"no repository of this host has glusterfs-server"* ]]
}

@test "a volume has both quorums, a short ping timeout and a list of clients" {
    volume
    for line in "cluster.quorum-type: auto" "cluster.server-quorum-type: server" "network.ping-timeout: 10" \
        "auth.allow: 10.0.0.1,10.0.0.2,10.0.0.3,10.0.1.1,10.0.1.2" "client.ssl: on" "server.ssl: on"; do
        grep -qxF "$line" "$host/options"
    done
    volume CLIENTS=10.0.1.1
    [[ $(field changed) == '["auth.allow = 10.0.0.1,10.0.0.2,10.0.0.3,10.0.1.1"]' ]]
}

@test "refuses two bricks, and an arbiter where there was none" {
    volume BRICKS="10.0.0.1:/b 10.0.0.2:/b"
    [[ $status != 0 && $stderr == *"a volume takes three bricks, not 2"* ]]
    volume
    volume ARBITER=true
    [[ $status != 0 && $stderr == *"arbiter: volume gv0 was made with arbiter false"* ]]
}

@test "another server takes a brick's place, and the old one leaves" {
    volume
    volume BRICKS="10.0.0.1:/b 10.0.0.2:/b 10.0.0.4:/b"
    [[ $status == 0 && $(field changed) == *"10.0.0.4:/b takes the place of 10.0.0.3:/b"*"10.0.0.3 left"* ]]
}

@test "another storage's servers stay in the pool, and one that a broken run has relieved still leaves" {
    printf 'u7 10.0.0.7 Connected\nu8 10.0.0.8 Connected\n' >"$host/pool"
    touch "$host/second"
    volume
    [[ $status == 0 && $(field changed) != *" left"* ]]
    # What the other one has, too.
    volume BRICKS="10.0.0.1:/b 10.0.0.4:/b 10.0.0.3:/b"
    [[ $status == 0 && $(field changed) == *"10.0.0.4:/b takes the place of 10.0.0.2:/b"* && $(field changed) != *" left"* ]]
    STUB_PENDING=1 volume BRICKS="10.0.0.1:/b 10.0.0.4:/b 10.0.0.5:/b"
    [[ $status != 0 ]]
    sed -i 's/10.0.0.3/10.0.0.5/' "$host/brick-list"
    volume BRICKS="10.0.0.1:/b 10.0.0.4:/b 10.0.0.5:/b"
    [[ $status == 0 && $(field changed) == *"10.0.0.3 left"* && $(cut -d' ' -f2 "$host/pool" | sort | xargs) == "10.0.0.2 10.0.0.4 10.0.0.5 10.0.0.7 10.0.0.8" ]]
    volume BRICKS="10.0.0.1:/b 10.0.0.4:/b 10.0.0.5:/b"
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "a new server in the first place leaves it to the second, and joins nothing by itself" {
    touch "$host/volume-elsewhere"
    volume
    [[ $status == 0 && $(field directed) == false && $(field changed) == '[]' ]]
    run ! grep -q "peer probe" "$host/argv"
    # The second one is new as well.
    volume ADDRESS=10.0.0.2 DIRECTED=false
    [[ $status != 0 && $stderr == *"hosts: the first two are new, and 10.0.0.1 has volume gv0 already"*"Put 10.0.0.1 first"* ]]
    rm "$host/volume-elsewhere"
    # One that takes a lost machine's place has its peers, and receives the volume from them.
    printf 'u%s %s Connected\n' 2 10.0.0.2 3 10.0.0.3 >"$host/pool"
    touch "$host/volume-elsewhere"
    volume
    [[ $status == 0 && $(field directed) == true ]]
}

@test "the second server takes a new first one in, and does nothing where the first has done it" {
    volume
    volume ADDRESS=10.0.0.2 DIRECTED=true BRICKS="10.0.0.4:/b 10.0.0.2:/b 10.0.0.3:/b"
    [[ $status == 0 && $(field changed) == '[]' ]]
    volume ADDRESS=10.0.0.2 DIRECTED=false BRICKS="10.0.0.4:/b 10.0.0.2:/b 10.0.0.3:/b"
    [[ $status == 0 && $(field changed) == *"10.0.0.4:/b takes the place of 10.0.0.1:/b"* ]]
}

@test "replaces no brick while another has files to receive" {
    volume
    STUB_PENDING=3 volume BRICKS="10.0.0.1:/b 10.0.0.2:/b 10.0.0.4:/b"
    [[ $status != 0 && $stderr == *"waited 1 s for volume gv0 to heal"* ]]
    run ! grep -q "replace-brick" "$host/argv"
}

@test "does not wait for what never heals by itself" {
    volume
    SECONDS=0
    HEAL_SECONDS=60 STUB_PENDING=1 STUB_SPLIT=1 volume
    [[ $status != 0 && $stderr == *"volume gv0 has files whose copies contradict each other"*"see gluster volume heal gv0 info split-brain"* ]]
    ((SECONDS < 40))
}

@test "takes a brick that lost its disk for new" {
    volume
    echo 10.0.0.2:/b >"$host/down"
    volume
    [[ $status == 0 && $(field changed) == '["bricks started that were down"]' ]]
}

@test "waits for a brick that is late, and not for one of a new machine" {
    volume MACHINES="10.0.0.1=i-1 10.0.0.2=i-2 10.0.0.3=i-3"
    echo 10.0.0.2:/b >"$host/down"
    echo 6 >"$host/late"
    BRICK_SECONDS=0 LOST_SECONDS=60 volume MACHINES="10.0.0.1=i-1 10.0.0.2=i-2 10.0.0.3=i-9"
    rm "$host/late"
    [[ $status == 0 && $stderr == *"10.0.0.2:/b does not start: it counts as lost in 60 s"* && $(field changed) == '["bricks started that were down"]' ]]
    run ! grep -q "reset-brick" "$host/argv"
    echo 10.0.0.2:/b >"$host/down"
    LOST_SECONDS=600 volume MACHINES="10.0.0.1=i-1 10.0.0.2=i-8 10.0.0.3=i-9"
    [[ $status == 0 && $stderr != *"does not start"* ]]
    grep -q "reset-brick gv0 10.0.0.2:/b 10.0.0.2:/b commit force" "$host/argv"
    # This host sees for itself.
    mkdir "$host/b"
    bricks="10.0.0.1:$host/b 10.0.0.2:/b 10.0.0.3:/b"
    rm "$host/brick-list"
    volume BRICKS="$bricks"
    echo "10.0.0.1:$host/b" >"$host/down"
    LOST_SECONDS=600 volume BRICKS="$bricks"
    [[ $status == 0 && $stderr != *"does not start"* ]]
}

@test "a brick whose disk is not mounted is made nowhere else" {
    touch "$host/dev/disk/by-id/virtio-12345"
    server DISK=d-12345 FILESYSTEM=xfs
    [[ $status == 0 && -d $host/bricks/gv0/brick && -f $host/bricks/gv0.bare/brick ]]
    # One that was mounted before there was a guard, and a host that grants no second view.
    rm "$host/bricks/gv0.bare/brick"
    touch "$host/no-unshare"
    server DISK=d-12345 FILESYSTEM=xfs
    [[ $status == 0 && $(field changed) == '[]' && $(field notes) == *"is not guarded against a missing disk"* ]]
    rm "$host/no-unshare"
    server DISK=d-12345 FILESYSTEM=xfs
    [[ $status == 0 && $(field changed) == '["'"$host/bricks/gv0 takes nothing in while no disk is mounted there"'"]' ]]
    # A boot without the disk, and the next one with it.
    umount "$host/bricks/gv0"
    run ! mkdir "$host/bricks/gv0/brick"
    server DISK=d-12345 FILESYSTEM=xfs
    [[ $status == 0 && $(field changed) == '["'"$host/bricks/gv0 mounted"'"]' && -d $host/bricks/gv0/brick ]]
    volume
    echo 10.0.0.2:/b >"$host/down"
    touch "$host/no-disk"
    volume
    [[ $status != 0 && $stderr == *"the data disk of this brick is not mounted on its server"*"is not a directory"* ]]
    rm "$host/no-disk"
    : >"$host/down"
    rm -r "$host/pool"; : >"$host/pool"
    STEP_EVENT=delete server DISK=d-12345 FILESYSTEM=xfs
    [[ $status == 0 && -z $(ls "$host/bricks/gv0") && -d $host/bricks/gv0.disk/brick ]]
}

@test "brings back a brick that missed what was written meanwhile, and replaces one that never will" {
    volume
    echo 10.0.0.2:/b >"$host/down"
    STUB_MISSED=3 volume
    [[ $status == 0 && $(field changed) == '["bricks started that were down"]' ]]
    : >"$host/argv"
    echo 10.0.0.3:/b >"$host/down"
    STUB_MISSED=3 volume BRICKS="10.0.0.1:/b 10.0.0.2:/b 10.0.0.4:/b"
    [[ $status == 0 && $(field changed) == *"10.0.0.4:/b takes the place of 10.0.0.3:/b"*"10.0.0.3 left"* ]]
    run ! grep -q "reset-brick" "$host/argv"
}

@test "takes no brick for new, and replaces none, while the others are not known to be whole" {
    volume
    printf '%s\n' 10.0.0.2:/b 10.0.0.3:/b >"$host/down"
    volume
    [[ $status != 0 && $stderr == *"more than one copy of volume gv0 does not start"*"10.0.0.2:/b"*"10.0.0.3:/b"* ]]
    run ! grep -q "reset-brick" "$host/argv"
    # Another run was cut off while 10.0.0.2 received its files.
    echo 10.0.0.3:/b >"$host/down"
    echo 10.0.0.2:/b >"$host/glusterd/multihost-gv0.copying"
    for bricks in "10.0.0.1:/b 10.0.0.2:/b 10.0.0.3:/b" "10.0.0.1:/b 10.0.0.2:/b 10.0.0.4:/b"; do
        volume BRICKS="$bricks"
        [[ $status != 0 && $stderr == *"10.0.0.3:/b is down while the copy of 10.0.0.2:/b may not be whole"* ]]
    done
    run ! grep -qE "reset-brick|replace-brick" "$host/argv"
    rm "$host/down"
    volume
    [[ $status == 0 && ! -e $host/glusterd/multihost-gv0.copying ]]
}

@test "mounts through any server, at every boot, and hides no files" {
    client
    grep -q "10.0.0.1:/gv0 $host/data/shared glusterfs defaults,backup-volfile-servers=10.0.0.2:10.0.0.3,nosuid,nodev,_netdev,nofail 0 0" "$host/fstab"
    gluster_host debian-12
    rm -rf "$host/mounts"/* "$host/fstab"
    touch "$host/data/shared/precious"
    client
    [[ $status != 0 && $stderr == *"holds files that the mount would hide"* && -e $host/data/shared/precious ]]
}

@test "a server that was relieved forgets the pool, one that still has a brick keeps what it takes to go on" {
    server
    echo UUID=u1 >"$host/glusterd/glusterd.info"
    STEP_EVENT=delete server
    [[ $status == 0 && ! -e $host/glusterd/glusterd.info && ! -e $host/glusterd/secure-access && ! -e $host/active/glusterd.service ]]
    server
    volume
    echo UUID=u1 >"$host/glusterd/glusterd.info"
    STEP_EVENT=delete server
    [[ $status == 0 && -e $host/glusterd/glusterd.info && ! -e $host/active/glusterd.service && $stderr == *"the files stay in"* ]]
    grep -qx 'systemctl kill glusterd.service' "$host/argv"
}

@test "a server that has another storage's volume goes on for it, and takes no second authority" {
    server
    volume BRICKS="10.0.0.1:$host/bricks/gv0/brick 10.0.0.2:/b 10.0.0.3:/b"
    touch "$host/second"
    server
    [[ $status == 0 && $(field changed) == '[]' ]]
    echo OTHER >"$host/etc/ssl/glusterfs.ca"
    server
    [[ $status != 0 && $stderr == *"tls: this server has volume gv1 already, without certificates of this storage's authority"* ]]
    [[ $(<"$host/etc/ssl/glusterfs.ca") == OTHER ]]
    STEP_EVENT=delete server
    [[ $status == 0 && -e $host/active/glusterd.service && ! -e $host/started && -e $host/units/glusterd.service.d && -e $host/etc/ssl/glusterfs.ca ]]
    STEP_EVENT=delete server
    [[ $status == 0 && -e $host/active/glusterd.service ]]
}

@test "a client without enough servers keeps its mount, and one whose process is gone mounts anew" {
    client
    mount_says 'Transport endpoint is not connected' 1
    mkdir -p "$PROC/71"
    printf '/usr/sbin/glusterfs\0--volfile-id=/gv0\0%s\0' "$host/data/shared" >"$PROC/71/cmdline"
    client
    [[ $status != 0 && $stderr == *"Transport endpoint is not connected. The mount stays"* && -n $(ls "$host/mounts") ]]
    rm -r "$PROC/71"
    client
    [[ $status == 0 && $(field changed) == *"broken mount taken away"*"$host/data/shared mounted"* ]]
}

@test "another storage's volume of the same name is another one, and one whose servers have all been replaced in turn is the same" {
    mount=$host/mounts/${host//\//_}_data_shared
    STEP_KEY=old client TLS=false
    STEP_KEY=renamed STEP_EVENT=update client TLS=false SERVERS="10.0.0.2 10.0.0.4 10.0.0.5"
    [[ $status == 0 && $(<"$mount") == 10.0.0.1:/gv0 ]]
    STEP_KEY=renamed STEP_EVENT=update client TLS=false SERVERS="10.0.0.4 10.0.0.5 10.0.0.6"
    [[ $status == 0 && $(<"$mount") == 10.0.0.1:/gv0 && $(<"$host/fstab") == "10.0.0.4:/gv0 "* ]]
    STEP_KEY=new STEP_EVENT=update client TLS=false SERVERS="10.0.0.7 10.0.0.8 10.0.0.9"
    [[ $status == 0 && $(field changed) == *"10.0.0.1:/gv0 taken away"* && $(<"$mount") == 10.0.0.7:/gv0 ]]
}

@test "a client that leaves keeps the certificate of another storage" {
    STEP_KEY=old client
    STEP_KEY=new STEP_EVENT=update AUTHORITY=OTHER client
    STEP_KEY=old STEP_EVENT=delete client
    [[ $status == 0 && $(<"$host/etc/ssl/glusterfs.ca") == OTHER && -e $host/etc/ssl/glusterfs.key && -e $host/glusterd/secure-access ]]
    [[ -n $(ls "$host/mounts") ]]
    STEP_KEY=new STEP_EVENT=delete AUTHORITY=OTHER client
    [[ $status == 0 && ! -e $host/etc/ssl/glusterfs.key && -z $(ls "$host/mounts") ]]
}

# other_client: of a storage on other servers, whose volume has the same name.
other_client() {
    STEP_KEY=other AUTHORITY=${AUTHORITY:-OTHER} client SERVERS="10.0.9.1 10.0.9.2 10.0.9.3" MOUNT_POINT="$host/data/other" "$@"
}

@test "a client has the certificates of one storage" {
    client
    for away in false true; do
        # Its servers are away since the last boot.
        [[ $away == false ]] || rm "$host/mounts"/*
        : >"$host/argv"
        other_client
        [[ $status != 0 && $stderr == *"tls: this host mounts $host/data/shared already, without certificates of this storage's authority, and can't have two: "* ]]
        [[ $(<"$host/etc/ssl/glusterfs.ca") == CA && $(<"$host/fstab") != *data/other* && ! -e $host/data/other && $(ls "$host/storage-owners") != *data-other* ]]
        AUTHORITY=OTHER server ADDRESS=10.0.9.1 PEERS="10.0.9.2 10.0.9.3"
        [[ $status != 0 && $stderr == *"tls: this host mounts $host/data/shared already"* && ! -e $host/packages/glusterfs-server ]]
        [[ $(<"$host/etc/ssl/glusterfs.ca") == CA ]]
        run ! grep -qE '^systemctl (start|stop|restart)' "$host/argv"
    done
    STEP_EVENT=delete client
    other_client
    [[ $status == 0 && $(<"$host/etc/ssl/glusterfs.ca") == OTHER ]]
}

@test "a server becomes no client of another storage" {
    # Installed, and nobody's.
    touch "$host/active/glusterd.service"
    other_client
    [[ $status == 0 ]]
    STEP_KEY=other STEP_EVENT=delete client MOUNT_POINT="$host/data/other" TLS=false
    rm "$host/glusterd/secure-access" "$host/etc/ssl"/*
    # Also before its volume is there.
    server
    other_client
    [[ $status != 0 && $stderr == *"tls: this host serves files already, without certificates of this storage's authority"* && $(<"$host/etc/ssl/glusterfs.ca") == CA ]]
}

@test "servers that are clients of their own take over every authority that they come by" {
    first=$'CA\n-----END\n' second=$'CA 2\n-----END\n'
    for authority in "$first" "$first$second" "$second" ANOTHER; do
        for part in server client; do
            AUTHORITY=$authority "$part"
            [[ $status == 0 && $output != *notes* && $(<"$host/etc/ssl/glusterfs.ca") == "${authority%$'\n'}" ]]
        done
    done
    # Through a server that has left, and at another place.
    AUTHORITY=ANOTHER client SERVERS="10.0.0.2 10.0.0.3 10.0.0.4"
    AUTHORITY=NEW server ADDRESS=10.0.0.4 PEERS="10.0.0.2 10.0.0.3"
    [[ $status == 0 && $output != *notes* ]]
    AUTHORITY=NEW client SERVERS="10.0.0.2 10.0.0.3 10.0.0.4" MOUNT_POINT="$host/data/files"
    [[ $status == 0 && $output != *notes* ]]
}

@test "a host that two storages share already is told so, and the one that stays has its certificates" {
    client
    # As it was done before it was refused.
    STEP_EVENT=update other_client
    [[ $status == 0 && $(field notes) == *"tls: this host mounts $host/data/shared already"* && $(<"$host/etc/ssl/glusterfs.ca") == OTHER ]]
    STEP_EVENT=delete client
    [[ $status == 0 && $(<"$host/etc/ssl/glusterfs.ca") == OTHER && $(ls "$host/mounts") == *_data_other ]]
    STEP_EVENT=update other_client
    [[ $status == 0 && $output != *notes* ]]
}

@test "a client that leaves unmounts, and nothing mounts it again" {
    client
    STEP_EVENT=delete client
    [[ $status == 0 && $(<"$host/fstab") != *data/shared* && -z $(ls "$host/mounts") && ! -e $host/etc/ssl/glusterfs.key ]]
}

examine() {
    local part=$1
    shift
    run --separate-stderr doctor "storage/gluster-$part" ADDRESS=10.0.0.1 BRICK="$host/bricks/gv0/brick" BRICK_MOUNT="$host/bricks/gv0" VOLUME=gv0 \
        BRICKS="10.0.0.1:/b 10.0.0.2:/b 10.0.0.3:/b" MOUNT_POINT="$host/data/shared" TLS=true "$@"
    printf '%s\n' "$stderr" "$output"
    [[ $status == 0 ]]
}

@test "the doctor sees a server's daemon, brick and disk" {
    server
    examine server
    [[ $output != *'"failed"'* && $output == *'"check":"certificate","certificate":'* && $(found service) == ok:* && $(found brick) == ok:* ]]
    examine server DISK=d-12345
    [[ $(found disk) == "failed: d-12345 is not mounted on $host/bricks/gv0: \`mount $host/bricks/gv0\`"* ]]
    rm -r "$host/bricks"
    rm "$host/active/glusterd.service"
    examine server
    [[ $(found brick) == "failed: $host/bricks/gv0/brick is gone: \`mkdir $host/bricks/gv0/brick\`, then "* && $(found service) == failed:* ]]
}

@test "the doctor sees servers that are away, and copies that differ" {
    volume
    examine volume
    [[ $(found servers) == ok:* && $(found copies) == ok:* ]]
    echo 10.0.0.3:/b >"$host/down"
    STEP_NAME=files-volume-standby STUB_PENDING=4 examine volume
    [[ $(found servers) == "failed: 10.0.0.3:/b is not served, and with one more"*'see to that host, then run `pulumi up --target-replace "**::files-volume"`' && $(found copies) == "warning: 4 entries wait"* ]]
    # A server that is down is not in the list at all.
    sed -i 2d "$host/brick-list"
    STUB_SPLIT=2 examine volume
    [[ $(found servers) == "failed: 10.0.0.2:/b, 10.0.0.3:/b are not served, so that"* && $(found copies) == "failed: 2 files differ"* ]]
    stub gluster 'exit 1'
    examine volume
    [[ $(found volume) == "failed: gv0: the servers do not tell its state"* ]]
}

@test "the doctor sees a client without its mount, one that hangs, and one that a boot would leave empty" {
    client
    examine client
    [[ $(found mount) == ok:* && $(found boot) == ok:* ]]
    cp "$host/fstab" "$host/fstab.former"
    sed -i '\| .*/data/shared |d' "$host/fstab"
    examine client
    [[ $(found mount) == ok:* && $(found boot) == "failed: $host/fstab has no line for $host/data/shared, so that a boot leaves it empty"* ]]
    mv "$host/fstab.former" "$host/fstab"
    stub stat 'exit 1'
    examine client
    [[ $(found mount) == "failed: $host/data/shared gives no answer: "* ]]
    rm "$host/mounts"/* "$host/enabled"/multihost-mount-*
    examine client
    [[ $(found mount) == "failed: nothing is mounted on $host/data/shared: "* && $(found boot) == failed:* ]]
}

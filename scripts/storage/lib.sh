# shellcheck shell=bash
# Disks, mounts, what NFS needs, and the talk with GlusterFS.

FSTAB=${FSTAB:-/etc/fstab}
DEV=${DEV:-/dev}
GLUSTERD_STATE=${GLUSTERD_STATE:-/var/lib/glusterd}
STORAGE_OWNERS=${STORAGE_OWNERS:-/var/lib/multihost/storage}

# --- owners ---------------------------------------------------------------------------------------------------------

# A mark says whose step has what a host has once, such as a mount point: a storage that goes must not take another's along.

# storage_alone: until this step ends, no other storage's is at work on this host. Not before packages are installed, as a daemon of theirs
# would keep the lock.
storage_alone() {
    local lock
    exec {lock}>"${STORAGE_LOCK:-/run/multihost-storage.lock}"
    flock -w 900 "$lock" || die "another storage's step has been at work on this host for 15 minutes"
}

# other_owner MARK: the other step that it belongs to, if there is one. What came with the image of another machine is nobody's here.
other_owner() {
    local owner='' machine=''
    [[ ! -r $STORAGE_OWNERS/$1 ]] || read -r owner machine _ <"$STORAGE_OWNERS/$1" || true
    [[ $machine != "$STEP_MACHINE" || $owner == "$STEP_KEY" ]] || printf '%s' "$owner"
}

# refuse_taken MARK WHAT ADVICE: an update may take over what is another's, as a component that is renamed does, or one that goes to the place
# of another that leaves.
refuse_taken() {
    local owner
    owner=$(other_owner "$1")
    [[ $STEP_MODE == update || -z $owner ]] ||
        die "$2 belongs to $owner: $3; if $owner is the same storage under its former name, give it an alias; if that one is gone, remove $STORAGE_OWNERS/$1 here"
}

# own MARK [MOUNT-POINT]
own() {
    mkdir -p "$STORAGE_OWNERS"
    printf '%s\n' "$STEP_KEY $STEP_MACHINE${2:+ $2}" >"$STORAGE_OWNERS/$1"
}

# --- mounts ---------------------------------------------------------------------------------------------------------

# fstab_line MOUNT-POINT: the line of that mount point, if there is one.
fstab_line() {
    [[ ! -r $FSTAB ]] || awk -v target="$1" '$1 !~ /^#/ && $2 == target' "$FSTAB"
}

# fstab_set MOUNT-POINT [LINE]: makes LINE the only one of that mount point; without it, none is left.
fstab_set() {
    local others=''
    [[ ! -r $FSTAB ]] || others=$(awk -v target="$1" '!($1 !~ /^#/ && $2 == target)' "$FSTAB")
    if [[ -z ${2:-} && -z $(fstab_line "$1") ]]; then
        return 0
    fi
    file_write "$FSTAB" 0644 root:root "$others${others:+${2:+$'\n'}}${2:-}"
    [[ $FILE_CHANGED == false ]] || quietly systemctl daemon-reload
}

is_mounted() {
    [[ -n $(mount_source "$1") ]]
}

# mount_source MOUNT-POINT: what is mounted there. Of the kernel's list: one whose server is away would hold up whoever asks it by its path.
mount_source() {
    local target
    target=$(timeout 20 readlink -m "$1") || target=$1
    findmnt -n -r -o TARGET,SOURCE | awk -v target="$target" '$1 == target { source = $2 } END { print source }'
}

# What a share is mounted with: who owns a file is what any client says, and none is to be a program of root's here, or a device.
SHARE_RESTRICTIONS=nosuid,nodev

# share_is_restricted MOUNT-POINT: by the kernel's list, as with mount_source.
share_is_restricted() {
    local target options restriction
    target=$(timeout 20 readlink -m "$1") || target=$1
    options=$(findmnt -n -r -o TARGET,VFS-OPTIONS | awk -v target="$target" '$1 == target { options = $2 } END { print options }')
    for restriction in ${SHARE_RESTRICTIONS//,/ }; do
        [[ ,$options, == *,"$restriction",* ]] || return 1
    done
}

# share_restrict MOUNT-POINT: the mount point alone takes the options, so that the file system behind it, its connection and open files stay as
# they are, and no server is asked.
share_restrict() {
    ! share_is_restricted "$1" || return 0
    if timeout 20 mount -o "remount,bind,$SHARE_RESTRICTIONS" "$1" >/dev/null 2>&1 </dev/null && share_is_restricted "$1"; then
        changed "$1: $SHARE_RESTRICTIONS"
    else
        note "$1 takes $SHARE_RESTRICTIONS when it is mounted anew: systemctl restart $(mount_unit "$1") while nobody uses it"
    fi
}

mount_unit() {
    systemd-escape --path --suffix=mount "$1"
}

# retry_unit MOUNT-POINT: the service that mounts it as soon as its servers are there.
retry_unit() {
    printf 'multihost-mount-%s.service' "$(systemd-escape --path "$1")"
}

# retry_unit_leave MOUNT-POINT: its service of former times, whose name two mount points could share, goes if it is this one's.
retry_unit_leave() {
    local name=${1#/}
    name=multihost-mount-${name//\//-}.service
    if [[ $name != "$(retry_unit "$1")" ]] && grep -qsF "mountpoint -q $1;" "${SYSTEMD_UNITS:-/etc/systemd/system}/$name"; then
        service_off "$name"
        file_remove "${SYSTEMD_UNITS:-/etc/systemd/system}/$name"
    fi
}

# mount_fault MOUNT-POINT: what is wrong with the file system that is mounted there; nothing when it answers.
mount_fault() {
    local output status=0
    output=$(timeout 20 stat -t "$1" 2>&1 >/dev/null) || status=$?
    case $status in
    0) ;;
    124) printf 'no answer for 20 s' ;;
    *)
        output=${output##*: }
        printf '%s' "${output:-status $status}"
        ;;
    esac
}

mount_broken() {
    is_mounted "$1" && [[ -n $(mount_fault "$1") ]]
}

# mount_is_lost MOUNT-POINT FAULT: no server that comes back will mend it. GlusterFS has the same word for a mount whose process is gone
# and for one that goes on as soon as enough servers are there.
mount_is_lost() {
    case $2 in
    *'Stale file handle'*) return 0 ;;
    *'Transport endpoint is not connected'*) ! gluster_mounts "$1" ;;
    *) return 1 ;;
    esac
}

# gluster_mounts MOUNT-POINT: a process of this host serves it.
gluster_mounts() {
    local process words word
    for process in "${PROC:-/proc}"/[0-9]*; do
        # Any of them may end meanwhile.
        words=$(tr '\0' '\n' 2>/dev/null <"$process/cmdline") || continue
        word=${words%%$'\n'*}
        [[ ${word##*/} != glusterfs || ${words##*$'\n'} != "$1" ]] || return 0
    done
    return 1
}

# refuse_hiding DIRECTORY [NAME]: files below a mount point would be out of sight, and seem lost; all but NAME, of guard_bare.
refuse_hiding() {
    local but=()
    [[ ! -f $1/${2:-} ]] || but=(-I "$2")
    [[ ! -d $1 || -z $(ls -A ${but[@]+"${but[@]}"} "$1") ]] ||
        die "$1 is not mounted and holds files that the mount would hide: move them away first"
}

# share_claim MOUNT-POINT: from here on it is this step's. One that another has marked without ever mounting something is free.
share_claim() {
    local mark former
    for former in $(share_elsewhere "$1"); do
        [[ $1 != "$former"/* ]] ||
            die "mountPoint: $1 is within $former, where these files are mounted, and would go with that: name a place outside of it"
    done
    mark=$(mount_unit "$1")
    if is_mounted "$1" || [[ -n $(fstab_line "$1") ]]; then
        refuse_taken "$mark" "mountPoint: $1 on this host" \
            "give this storage another one, or take this host out of that one's clients before, with an update of its own"
    fi
    own "$mark" "$1"
}

# share_mount SOURCE TYPE OPTIONS MOUNT-POINT SAME: mounts a shared file system, now and at every boot. SAME is a pattern of
# sources that are the same file system through another server: what is mounted from there stays mounted.
share_mount() {
    local source=$1 type=$2 options=$3 target=$4 same=$5 unit retry mounted fault
    unit=$(mount_unit "$target")
    retry=$(retry_unit "$target")
    retry_unit_leave "$target"
    mounted=$(mount_source "$target")
    if [[ -n $mounted ]]; then
        fault=$(mount_fault "$target")
        # shellcheck disable=SC2053 # a pattern
        if [[ $mounted != $same ]]; then
            # Whoever has lost access can't be waited for.
            if [[ -z $fault ]]; then quietly umount "$target"; else quietly umount -l "$target"; fi
            changed "$target: $mounted taken away"
        elif [[ -n $fault ]]; then
            # One that waits for its servers goes on by itself. Without it, what is written meanwhile would land on the system disk.
            mount_is_lost "$target" "$fault" ||
                die "$target: $fault. The mount stays, as it goes on once the servers of $source are there: see to them, then update again. If they are there, \`systemctl restart $unit\` mounts it anew"
            quietly umount -l "$target"
            changed "$target: broken mount taken away"
        fi
    fi
    is_mounted "$target" || refuse_hiding "$target"
    [[ -d $target ]] || directory "$target" 0755 root:root
    fstab_set "$target" "$source $target $type $options,$SHARE_RESTRICTIONS,_netdev,nofail 0 0"
    # systemd tries once at boot; after a power cut the servers may come up later than that.
    unit_write "$retry" "[Unit]
Description=Tries to mount $target until it works
After=network-online.target remote-fs.target $unit glusterd.service
Wants=network-online.target

[Service]
ExecStart=/bin/sh -c 'until mountpoint -q $target; do systemctl start $target || sleep 5; done'

[Install]
WantedBy=multi-user.target"
    if ! systemctl is-enabled --quiet "$retry" 2>/dev/null; then
        quietly systemctl enable "$retry"
        changed "service $retry enabled"
    fi
    if ! is_mounted "$target"; then
        systemctl reset-failed "$unit" 2>/dev/null || true
        mount_start "$unit" "$target" "$source" "$retry"
        changed "$target mounted"
    fi
    share_restrict "$target"
    share_leave "$target"
}

# By systemd, so that what serves the mount doesn't belong to the login that this step runs in.
mount_start() {
    local output
    if ! output=$(timeout 120 systemctl start "$1" 2>&1 </dev/null) || ! is_mounted "$2"; then
        systemctl start "$4" 2>/dev/null || true
        die "can't mount $3 on $2" "$output"$'\n'"$(journalctl -q -u "$1" -n 10 --no-pager -o cat 2>/dev/null || true)"
    fi
}

# share_owner MOUNT-POINT OWNER MODE: of the shared file system's root.
share_owner() {
    local mode
    mode=$(printf '%o' "$((8#$3))")
    if [[ $(stat -c '%u:%g %a' "$1") != "$2 $mode" ]]; then
        chown "$2" "$1"
        chmod "$3" "$1"
        changed "$1: mode and owner"
    fi
}

# share_unmount MOUNT-POINT: what this step has mounted goes.
share_unmount() {
    local owner
    owner=$(other_owner "$(mount_unit "$1")")
    if [[ -z $owner ]]; then
        share_drop "$1"
    else
        log "$1 belongs to $owner: it stays as it is"
    fi
    share_leave "$1"
}

# share_elsewhere MOUNT-POINT: this step's other mount points.
share_elsewhere() {
    local mark owner machine target
    for mark in "$STORAGE_OWNERS"/*.mount; do
        [[ -r $mark ]] || continue
        read -r owner machine target <"$mark" || true
        [[ "$owner $machine" != "$STEP_KEY $STEP_MACHINE" || $target == "$1" ]] || printf '%s\n' "$target"
    done
}

# share_leave MOUNT-POINT: this step's files are mounted nowhere else.
share_leave() {
    local former
    for former in $(share_elsewhere "$1"); do
        share_drop "$former"
    done
}

# share_drop MOUNT-POINT: nothing mounts it any more. The mount point itself stays, as others may have made it.
share_drop() {
    local target=$1 retry
    retry=$(retry_unit "$target")
    retry_unit_leave "$target"
    service_off "$retry"
    file_remove "${SYSTEMD_UNITS:-/etc/systemd/system}/$retry"
    if is_mounted "$target"; then
        # Whoever has lost access can't be waited for.
        timeout 30 umount "$target" 2>/dev/null || quietly umount -l "$target"
        changed "$target unmounted"
    fi
    fstab_set "$target"
    rm -f "$STORAGE_OWNERS/$(mount_unit "$target")"
}

# --- disks ----------------------------------------------------------------------------------------------------------

disk_find() {
    local id=${1#d-} path
    if [[ $1 == /* ]]; then
        [[ ! -b $1 ]] || printf '%s' "$1"
        return 0
    fi
    # The cloud shows a disk's id as its serial number, of 20 characters at most.
    for path in "$DEV"/disk/by-id/virtio-"${id:0:20}" "$DEV"/disk/by-id/nvme-*"${id:0:20}"; do
        if [[ -e $path ]]; then
            printf '%s' "$path"
            return 0
        fi
    done
}

# guard_bare MOUNT-POINT NAME: while no disk is mounted there, NAME is a file, so that no folder of that name can be made on the system disk.
# A second view of the file system shows what is below a mount; it ends with the command that has it.
guard_bare() {
    local view status=0
    view=$(mktemp -d)
    # shellcheck disable=SC2016 # for the shell that has the view
    unshare --mount bash -c '
        mount --bind "$1" "$2" || exit
        [[ ! -f $2/$3 ]] || exit 10
        [[ ! -e $2/$3 ]] || exit 11
        echo "No disk is mounted here." >"$2/$3"' _ "${1%/*}" "$view" "${1##*/}/$2" >/dev/null 2>&1 </dev/null || status=$?
    rmdir "$view"
    case $status in
    0) changed "$1 takes nothing in while no disk is mounted there" ;;
    10) ;;
    11) note "below the disk that is mounted on $1, the system disk has a folder $2 with files that nobody sees" ;;
    *) note "$1 is not guarded against a missing disk: this host allows no second view of its file system" ;;
    esac
}

# disk_uuid DEVICE: of the file system on it; nothing when it is blank.
disk_uuid() {
    blkid -p -o export "$1" 2>/dev/null | sed -n 's/^UUID=//p' || true
}

# disk_recorded MOUNT-POINT: the UUID of the file system that fstab has for it.
disk_recorded() {
    fstab_line "$1" | sed -n 's/^UUID=\([^[:space:]]*\).*/\1/p'
}

# disk_used DISK MOUNT-POINT: the device that goes there; nothing when it is not attached. One that is given by a device's name may have another
# since the last boot, and the name may be another's now: the file system that fstab has decides.
disk_used() {
    local recorded device
    device=$(disk_find "$1")
    recorded=$(disk_recorded "$2")
    if [[ $1 == /* && -n $recorded ]] && [[ -z $device || $(disk_uuid "$device") != "$recorded" ]]; then
        device=$(blkid -U "$recorded") || device=''
    fi
    printf '%s' "$device"
}

disk_is_there() {
    [[ -n $(disk_used "$@") ]]
}

# disk_mount DISK FILE-SYSTEM MOUNT-POINT [NAME]: DISK is a device or a disk's id. Formats only what is blank. NAME is for guard_bare.
disk_mount() {
    local disk=$1 type=$2 target=$3 guard=${4:-} device found uuid status=0
    if ! try_for "${DISK_WAIT:-60}" disk_is_there "$disk" "$target"; then
        [[ -z $(disk_find "$disk") ]] ||
            die "$disk is not the disk of $target, which has the file system $(disk_recorded "$target"): attach that one. If its files are not to come back, take the line of $target out of $FSTAB"
        die "this host has no disk $disk: attach it, or name another one"
    fi
    device=$(disk_used "$disk" "$target")
    [[ $disk != /* || $device == "$disk" ]] || note "the disk of $target is $device now, and not $disk"
    packages_install "$([[ $type == xfs ]] && echo xfsprogs || echo e2fsprogs)"
    found=$(blkid -p -o export "$device" 2>/dev/null) || status=$?
    case $status in
    0) found=$(sed -n 's/^\(TYPE\|PTTYPE\)=//p' <<<"$found" | head -n 1) ;;
    # 2: nothing is there that blkid knows.
    2) found= ;;
    *) die "can't read $device ($disk)" "$found" ;;
    esac
    if [[ -z $found ]]; then
        quietly "mkfs.$type" -q "$device"
        changed "$disk formatted with $type"
        # A mount unit of systemd's waits for the name that udev makes of the UUID.
        ! command -v udevadm >/dev/null || udevadm settle --timeout=30 >/dev/null 2>&1 || true
    elif [[ $found != "$type" ]]; then
        die "$device ($disk) holds $found, not $type: it is not touched. Name another disk, or clear this one with: wipefs --all $device"
    fi
    uuid=$(disk_uuid "$device")
    [[ -n $uuid ]] || die "can't read the UUID of the file system on $device ($disk)"
    is_mounted "$target" || refuse_hiding "$target" "$guard"
    [[ -d $target ]] || directory "$target" 0755 root:root
    [[ -z $guard ]] || guard_bare "$target" "$guard"
    fstab_set "$target" "UUID=$uuid $target $type defaults,noatime,nofail 0 0"
    if ! is_mounted "$target"; then
        quietly mount "$target"
        changed "$target mounted"
    fi
}

# disk_grow DISK FILE-SYSTEM MOUNT-POINT GIB: the file system fills a disk that has grown to so many GiB, while it is in use.
disk_grow() {
    local disk=$1 type=$2 target=$3 size=$4 device before
    device=$(disk_used "$disk" "$target")
    try_for "${DISK_WAIT:-60}" disk_has "$device" "$size" ||
        die "$device ($disk) has $(($(blockdev --getsize64 "$device") >> 30)) GiB and not $size: let the disk grow first, and reboot this host if it doesn't see that"
    before=$(file_system_size "$target")
    case $type in
    xfs) quietly xfs_growfs -d "$target" ;;
    ext4) quietly resize2fs "$device" ;;
    esac
    [[ $(file_system_size "$target") == "$before" ]] || changed "$target: file system grown to the disk's $size GiB"
}

disk_has() {
    (($(blockdev --getsize64 "$1") >= $2 << 30))
}

file_system_size() {
    df -k --output=size "$1" | tail -n 1
}

# disk_unmount MOUNT-POINT [NAME]
disk_unmount() {
    if is_mounted "$1"; then
        quietly umount "$1"
        changed "$1 unmounted"
    fi
    [[ ! -f $1/${2:-} ]] || rm -f "$1/$2"
    fstab_set "$1"
}

# --- NFS ------------------------------------------------------------------------------------------------------------

# kernel_file_system MODULE TYPE WHAT: a host whose kernel can't, and never will, is told so before anything is installed.
kernel_file_system() {
    local known=${PROC_FILESYSTEMS:-/proc/filesystems}
    ! grep -qw "$2" "$known" || return 0
    modprobe "$1" >/dev/null 2>&1 || true
    grep -qw "$2" "$known" ||
        die "this host's kernel ($(uname -r)) has no $3 (module $1): take an image with the distribution's own kernel, no container, or the engine glusterfs"
}

# --- GlusterFS ------------------------------------------------------------------------------------------------------

# Where this build looks for its certificate: the distributions differ, and only the program itself knows.
gluster_certificates() {
    local library path
    for library in ${GLUSTER_SOCKET:-/usr/lib*/glusterfs/*/rpc-transport/socket.so /usr/lib/*/glusterfs/*/rpc-transport/socket.so}; do
        [[ -r $library ]] || continue
        path=$(grep -aoE '/[[:alnum:]/._-]+/glusterfs\.pem' "$library" | head -n 1) || true
        if [[ -n $path ]]; then
            printf '%s' "${path%.pem}"
            return 0
        fi
    done
    die "can't tell where GlusterFS expects its certificate: its rpc-transport/socket.so was not found"
}

# gluster_ours MOUNT-POINT VOLUME SERVER…: that volume of these servers is mounted there, maybe through one that has left since. Another
# storage's may have its name.
gluster_ours() {
    local target=$1 volume=$2 line source server
    shift 2
    line=$(fstab_line "$target")
    source=$(mount_source "$target")
    [[ ${source:-${line%% *}} == *":/$volume" ]] || return 1
    line=" $source $line "
    for server in "$@"; do
        [[ ${line//[:=,]/ } != *" $server "* ]] || return 0
    done
    return 1
}

# gluster_elsewhere VOLUME SERVER…: where this host mounts other storages' volumes, also those whose servers are away. This step's own mount
# point is not among them: whatever is mounted there gives way.
gluster_elsewhere() {
    local target
    while IFS= read -r target; do
        [[ $target == "${PARAM_MOUNT_POINT:-}" ]] || gluster_ours "$target" "$@" || printf '%s\n' "$target"
    done < <({ cat "$FSTAB" "${PROC_MOUNTS:-/proc/mounts}" 2>/dev/null || true; } | awk '$1 !~ /^#/ && $3 ~ /^(fuse\.)?glusterfs$/ { print $2 }' | sort -u)
}

# gluster_others NAME [ADDRESS]: started volumes, other than this one, that have a brick on this server, or on any that it knows.
gluster_others() {
    local volume info
    while IFS= read -r volume; do
        [[ -n $volume && $volume != "$1" ]] || continue
        info=$(gluster_try volume info "$volume") || continue
        ! grep -qx 'Status: Started' <<<"$info" || ! grep -q "^Brick[0-9]*: ${2:-.*}:" <<<"$info" || printf '%s\n' "$volume"
    done < <(gluster_try volume list | grep -v '^No volumes present' || true)
}

gluster_version() {
    glusterfs --version 2>/dev/null | sed -n '1s/^glusterfs \([0-9.]*\).*/\1/p'
}

# gluster_rereads: certificate, key and authorities are read for every new connection. Before version 8, one that comes back uses those that
# it began with.
gluster_rereads() {
    local version
    version=$(gluster_version) || true
    version=${version%%.*}
    ((${version:-0} >= 8))
}

gluster_in_use() {
    service_active glusterd.service || grep -q ' fuse\.glusterfs ' "${PROC_MOUNTS:-/proc/mounts}"
}

# refuse_new_authorities FILE: of a host that can't take them over while it serves or mounts something. Once the others have certificates
# of a new one, it would lose each of them with the first connection that breaks.
refuse_new_authorities() {
    [[ ! -e $1 || $(<"$1") == "$(trimmed "$SECRET_CA_CERTIFICATE")" ]] || ! gluster_in_use ||
        die "tls: GlusterFS $(gluster_version) takes over no other authority while it runs: install version 8 or newer here and begin anew with it (a client mounts anew, a server is rebooted, one at a time with nothing left to heal), then update again"
}

# gluster_tls: brings certificate and settings to the state that PARAM_TLS asks for. Sets TLS_AT_START: what runs takes it over at its next
# start only.
# shellcheck disable=SC2034 # TLS_AT_START is read by whoever calls
gluster_tls() {
    local base file rereads=true
    TLS_AT_START=false
    directory "$GLUSTERD_STATE" 0755 root:root
    if [[ $PARAM_TLS != true ]]; then
        [[ ! -e $GLUSTERD_STATE/secure-access ]] ||
            die "tls: this host talks TLS to the servers of a volume and can't stop in place: create a volume beside it and move the data"
        return 0
    fi
    require_params SECRET_CA_CERTIFICATE SECRET_CERTIFICATE SECRET_PRIVATE_KEY
    base=$(gluster_certificates)
    [[ -d ${base%/*} ]] || directory "${base%/*}" 0755 root:root
    gluster_rereads || rereads=false
    [[ $rereads == true ]] || refuse_new_authorities "$base.ca"
    # A connection that begins between certificate and key fails, and is tried again three seconds later.
    for file in "ca 0644 $SECRET_CA_CERTIFICATE" "pem 0644 $SECRET_CERTIFICATE" "key 0600 $SECRET_PRIVATE_KEY"; do
        file_write "$base.${file%% *}" "$(cut -d' ' -f2 <<<"$file" | head -n 1)" root:root "$(trimmed "${file#* * }")"
        [[ $FILE_CHANGED == false || $rereads == true ]] || TLS_AT_START=true
    done
    # Its presence is what switches TLS on for the daemon, for mounts and for the command line.
    file_write "$GLUSTERD_STATE/secure-access" 0644 root:root ''
    [[ $FILE_CHANGED == false ]] || TLS_AT_START=true
}

gluster_trusted() {
    [[ -e $GLUSTERD_STATE/secure-access ]] && authority_is_ours "$(gluster_certificates).ca"
}

# refuse_second_certificate USE: a host has one, and what else USEs it would be refused by its own servers or clients with another authority's.
# A step that was here before goes on: the other storage may be the one that leaves with this update, after all steps.
refuse_second_certificate() {
    local text
    [[ $PARAM_TLS == true && -n $1 ]] && ! gluster_trusted || return 0
    text="tls: this host $1 already, without certificates of this storage's authority, and can't have two: take another host, or take this one out of the other storage before, with an update of its own"
    [[ $STEP_MODE == update ]] || die "$text"
    note "$text"
}

# gluster_forget: takes the certificate away, unless this host still mounts or serves something, or has another storage's.
gluster_forget() {
    local base
    [[ $PARAM_TLS == true ]] && ! gluster_in_use || return 0
    base=$(gluster_certificates)
    [[ ! -e $base.ca ]] || authority_is_ours "$base.ca" || return 0
    file_remove "$GLUSTERD_STATE/secure-access"
    file_remove "$base.pem"
    file_remove "$base.key"
    file_remove "$base.ca"
}

# gluster_try COMMAND…: prints what it says, or fails without a word. With --remote-host=ADDRESS first, other servers can be asked,
# but not told anything.
gluster_try() {
    timeout "${GLUSTER_TIMEOUT:-60}" gluster --mode=script "$@" 2>/dev/null </dev/null
}

# gluster_pool [ADDRESS]: "uuid address state" of the servers that this one, or the one at ADDRESS, knows. Itself is "localhost".
gluster_pool() {
    local list
    list=$(gluster_try ${1:+"--remote-host=$1"} pool list) || return 1
    awk 'NR > 1 { print $1, $2, $3 }' <<<"$list"
}

gluster_answers() {
    gluster_pool "$@" >/dev/null
}

# gluster_bricks VOLUME [ADDRESS]: "address:/path" in the volume's order; fails when it isn't known there.
gluster_bricks() {
    local info
    info=$(gluster_try ${2:+"--remote-host=$2"} volume info "$1") || return 1
    grep -qxF "Volume Name: $1" <<<"${info//$'\r'/}" || return 1
    sed -n 's/^Brick[0-9]*: \([^ ]*\).*/\1/p' <<<"$info"
}

# heal_entries LINE-START SUMMARY: what the lines of `volume heal … info summary` that begin so add up to, over all bricks.
heal_entries() {
    awk -F': ' -v start="$1" 'index($0, start) == 1 && $2 ~ /^[0-9]+$/ { sum += $2 } END { print sum + 0 }' <<<"$2"
}

# shellcheck shell=bash
# An NFSv4 server: one folder, for the listed clients only.
#
# PARAM_DIRECTORY               the files are in `files` below it; a disk goes to it
# PARAM_CLIENTS                 addresses that may mount it; none means nobody
# PARAM_ROOT_SQUASH             true or false: root of a client is nobody here
# PARAM_GRACE_SECONDS           how long clients may claim what they had when the server starts, and how long a silent one keeps it
# PARAM_DISK, PARAM_FILESYSTEM  optional: a data disk's id or device, xfs or ext4. Without it the files are on the system disk
# PARAM_DISK_SIZE  optional: its GiB. When it has grown, so does its file system
# PARAM_OWNER                   optional: "uid:gid" of the root folder; PARAM_MODE its mode, such as 0755

EXPORTS_D=${EXPORTS_D:-/etc/exports.d}
UNIT=nfs-server.service
MARK=nfs-server
# What NFSv4 doesn't need, and others could ask.
OLD_UNITS=(rpcbind.socket rpcbind.service rpc-statd.service)

exports_file() {
    printf '%s/multihost.exports' "$EXPORTS_D"
}

# Processor threads that serve, how long they wait for clients after a start, and whose word counts for a user's groups. Sets RESTART.
server_settings() {
    local section name value groups=''
    # As Debian sets it, the server looks a user's groups up in its own files, which don't know the clients' users. Where nothing sets it, clients
    # are believed, and a running server needs no restart for it.
    [[ -z $(nfsconf --get mountd manage-gids 2>/dev/null) ]] || groups=$'\nmountd manage-gids n'
    while read -r section name value; do
        if [[ $(nfsconf --get "$section" "$name" 2>/dev/null) != "$value" ]]; then
            quietly nfsconf --set "$section" "$name" "$value"
            [[ $(nfsconf --get "$section" "$name" 2>/dev/null) == "$value" ]] ||
                die "a file in /etc/nfs.conf.d sets [$section] $name and overrules /etc/nfs.conf: take that line out"
            changed "$section $name = $value"
            RESTART=true
        fi
    done <<<"nfsd threads $((2 * $(nproc)))
nfsd vers3 n
nfsd vers4 y
nfsd grace-time $PARAM_GRACE_SECONDS
nfsd lease-time $PARAM_GRACE_SECONDS$groups"
}

close_old_protocols() {
    local unit
    for unit in "${OLD_UNITS[@]}"; do
        if [[ $(systemctl is-enabled "$unit" 2>/dev/null) != masked* ]]; then
            quietly systemctl mask "$unit"
            # One that the distribution doesn't bring can't be stopped either.
            systemctl stop "$unit" 2>/dev/null || true
            changed "$unit masked: NFSv4 needs none"
        fi
    done
}

# Files don't move by themselves, and clients would see an empty folder in their place.
refuse_other_directory() {
    local served=''
    [[ ! -e $(exports_file) ]] || served=$(sed -n 's/^\(# Nobody is let in to \)\{0,1\}\(\/[^ ]*\)\/files\( .*\)\{0,1\}$/\2/p' "$(exports_file)")
    [[ -z $served || $served == "$PARAM_DIRECTORY" ]] ||
        die "exportDirectory: this host serves $served, and $PARAM_DIRECTORY would be empty: set it back to $served. To move the files, take the storage away, move them on this host, and add it again; a second storage needs a host of its own"
}

# The list of who is let in is one storage's: two would each write their own, in turn.
claim_server() {
    storage_alone
    [[ ! -e $(exports_file) ]] ||
        refuse_taken "$MARK" "hosts: the NFS server on this host" "give this storage a host of its own"
    own "$MARK"
}

# Of one folder, which is the root of what clients see. Nothing at all without clients.
exports_text() {
    local options client line=''
    # insecure: clients mount with noresvport, so that they come back on a new port after the server was away.
    options=rw,sync,no_subtree_check,insecure,fsid=0,sec=sys
    # With the disk missing nothing is served, instead of the folder below it.
    [[ -z ${PARAM_DISK:-} ]] || options+=",mp=$PARAM_DIRECTORY"
    if [[ $PARAM_ROOT_SQUASH == true ]]; then options+=,root_squash; else options+=,no_root_squash; fi
    for client in ${PARAM_CLIENTS:-}; do
        line+=" $client($options)"
    done
    printf '# Written by storage/nfs-server.\n'
    if [[ -n $line ]]; then printf '%s%s\n' "$PARAM_DIRECTORY/files" "$line"; else printf '# Nobody is let in to %s\n' "$PARAM_DIRECTORY/files"; fi
}

main() {
    require_params PARAM_DIRECTORY PARAM_ROOT_SQUASH PARAM_GRACE_SECONDS
    os_detect
    RESTART=false
    refuse_other_directory
    kernel_file_system nfsd nfsd "NFS server"
    packages_install "$(os_pick nfs-kernel-server nfs-utils)"
    claim_server
    [[ -d ${PARAM_DIRECTORY%/*} ]] || directory "${PARAM_DIRECTORY%/*}" 0755 root:root
    if [[ -n ${PARAM_DISK:-} ]]; then
        require_params PARAM_FILESYSTEM
        disk_mount "$PARAM_DISK" "$PARAM_FILESYSTEM" "$PARAM_DIRECTORY"
        [[ -z ${PARAM_DISK_SIZE:-} ]] || disk_grow "$PARAM_DISK" "$PARAM_FILESYSTEM" "$PARAM_DIRECTORY" "$PARAM_DISK_SIZE"
    fi
    [[ -d $PARAM_DIRECTORY/files ]] || { mkdir -p "$PARAM_DIRECTORY/files" && changed "$PARAM_DIRECTORY/files"; }
    if [[ -n ${PARAM_OWNER:-} ]]; then
        require_params PARAM_MODE
        share_owner "$PARAM_DIRECTORY/files" "$PARAM_OWNER" "$PARAM_MODE"
    fi
    [[ -d $EXPORTS_D ]] || directory "$EXPORTS_D" 0755 root:root
    file_write "$(exports_file)" 0644 root:root "$(exports_text)"
    server_settings
    close_old_protocols
    if service_active "$UNIT"; then
        # Who stays keeps its mount, its open files and its locks.
        quietly exportfs -ra
        # nfs-mountd goes with it, and can't be restarted alone.
        [[ $RESTART == false ]] || service_restart "$UNIT"
    fi
    service_start "$UNIT"
    finish directory="$PARAM_DIRECTORY/files"
}

# The files stay where they are.
remove() {
    local unit owner
    os_detect
    storage_alone
    owner=$(other_owner "$MARK")
    if [[ -n $owner ]]; then
        log "the NFS server on this host belongs to $owner: it stays as it is"
        return 0
    fi
    file_remove "$(exports_file)"
    ! command -v exportfs >/dev/null || exportfs -ra 2>/dev/null || true
    if [[ -z $(exportfs -s 2>/dev/null) ]]; then
        service_off "$UNIT"
        for unit in "${OLD_UNITS[@]}"; do
            quietly systemctl unmask "$unit"
        done
    fi
    [[ -z ${PARAM_DISK:-} ]] || disk_unmount "$PARAM_DIRECTORY"
    rm -f "$STORAGE_OWNERS/$MARK"
    log "the files stay in $PARAM_DIRECTORY/files${PARAM_DISK:+ on $PARAM_DISK}"
}

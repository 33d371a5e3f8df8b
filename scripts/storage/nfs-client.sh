# shellcheck shell=bash
# Mounts what an NFSv4 server offers, now and at every boot: of a host of ours, or of the cloud's file storage.
#
# PARAM_SOURCE       "address:/" or "name:/"
# PARAM_OPTIONS      of the mount
# PARAM_MOUNT_POINT  where it is mounted
# PARAM_OWNER        optional: "uid:gid" of the root folder; PARAM_MODE its mode, such as 0755

main() {
    require_params PARAM_SOURCE PARAM_OPTIONS PARAM_MOUNT_POINT
    os_detect
    kernel_file_system nfsv4 nfs4 "NFS client"
    packages_install "$(os_pick nfs-common nfs-utils)"
    storage_alone
    share_claim "$PARAM_MOUNT_POINT"
    share_mount "$PARAM_SOURCE" nfs4 "${PARAM_OPTIONS}" "$PARAM_MOUNT_POINT" "$PARAM_SOURCE"
    if [[ -n ${PARAM_OWNER:-} ]]; then
        require_params PARAM_MODE
        share_owner "$PARAM_MOUNT_POINT" "$PARAM_OWNER" "$PARAM_MODE"
    fi
    finish mountPoint="$PARAM_MOUNT_POINT"
}

remove() {
    os_detect
    storage_alone
    share_unmount "$PARAM_MOUNT_POINT"
}

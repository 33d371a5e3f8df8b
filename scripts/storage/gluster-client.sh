# shellcheck shell=bash
# Mounts a GlusterFS volume, now and at every boot, through whichever of its servers answers.
#
# PARAM_VOLUME       its name
# PARAM_SERVERS      addresses of its servers
# PARAM_MOUNT_POINT  where it is mounted
# PARAM_OWNER        optional: "uid:gid" of the root folder; PARAM_MODE its mode, such as 0755
# PARAM_TLS          true or false
# SECRET_CA_CERTIFICATE, SECRET_CERTIFICATE, SECRET_PRIVATE_KEY

# other_uses SERVER…: what this host's certificate is for beside this mount.
other_uses() {
    local mounts
    if service_active glusterd.service && [[ -e $GLUSTERD_STATE/secure-access || -n $(gluster_others '') ]]; then
        printf 'serves files'
        return 0
    fi
    mounts=$(gluster_elsewhere "$PARAM_VOLUME" "$@")
    printf '%s' "${mounts:+mounts ${mounts//$'\n'/, }}"
}

main() {
    local servers options same
    require_params PARAM_VOLUME PARAM_SERVERS PARAM_MOUNT_POINT PARAM_TLS
    os_detect
    read -ra servers <<<"$PARAM_SERVERS"
    packages_install "$(os_pick glusterfs-client glusterfs-fuse)"
    storage_alone
    refuse_second_certificate "$(other_uses "${servers[@]}")"
    share_claim "$PARAM_MOUNT_POINT"
    gluster_tls
    options=defaults
    ((${#servers[@]} < 2)) || options+=",backup-volfile-servers=$(IFS=: && printf '%s' "${servers[*]:1}")"
    same=${servers[0]}:/$PARAM_VOLUME
    ! gluster_ours "$PARAM_MOUNT_POINT" "$PARAM_VOLUME" "${servers[@]}" || same="*:/$PARAM_VOLUME"
    share_mount "${servers[0]}:/$PARAM_VOLUME" glusterfs "$options" "$PARAM_MOUNT_POINT" "$same"
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
    gluster_forget
}

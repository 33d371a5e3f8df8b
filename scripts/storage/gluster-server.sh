# shellcheck shell=bash
# A GlusterFS server on this host: installed, with a place for its brick, running. Which servers make a volume is gluster-volume's business.
#
# PARAM_ADDRESS                 this host's, under which the others know it
# PARAM_PEERS                   addresses of the other servers
# PARAM_BRICK                   folder of the brick; PARAM_BRICK_MOUNT, above it, is where the disk goes, and has the volume's name
# PARAM_DISK, PARAM_FILESYSTEM  optional: a data disk's id or device, xfs or ext4. Without it the brick is on the system disk
# PARAM_DISK_SIZE  optional: its GiB. When it has grown, so does its file system
# PARAM_TLS                     true or false
# SECRET_CA_CERTIFICATE, SECRET_CERTIFICATE, SECRET_PRIVATE_KEY

GLUSTERD_CONFIG=${GLUSTERD_CONFIG:-/etc/glusterfs/glusterd.vol}
# Every brick takes one; the security groups open as many.
BRICK_PORTS='49152 49251'

install_gluster() {
    if [[ $OS_FAMILY == rhel ]] && ! package_installed glusterfs-server && ! dnf -q list glusterfs-server >/dev/null 2>&1; then
        die "no repository of this host has glusterfs-server: enable the one of the CentOS Storage SIG (package centos-release-gluster10 or later), or use the engine nfs or nas"
    fi
    packages_install glusterfs-server
}

daemon_config() {
    local text
    text=$(awk -v ports="$BRICK_PORTS" '
        /^[# ]*option (base|max)-port / { next }
        /^end-volume/ {
            split(ports, port, " ")
            print "    option base-port " port[1]
            print "    option max-port " port[2]
        }
        { print }' "$GLUSTERD_CONFIG")
    file_write "$GLUSTERD_CONFIG" 0644 root:root "$text"
    [[ $FILE_CHANGED == false ]] || RESTART=true
}

drop_in() {
    local folder=${SYSTEMD_UNITS:-/etc/systemd/system}/glusterd.service.d after=''
    [[ -z ${PARAM_DISK:-} ]] || after="After=$(mount_unit "$PARAM_BRICK_MOUNT")"$'\n'
    [[ -d $folder ]] || directory "$folder" 0755 root:root
    # A restart of the management daemon, such as a package's update, must not take the bricks and their clients' files along.
    unit_write glusterd.service.d/multihost.conf "[Unit]
${after}
[Service]
KillMode=process"
}

# Other servers that know this address under another identity have lost the machine that had it: this one takes its place, with
# its identity and its view of the pool, so that the volume's description comes over and the brick can be filled again.
take_over() {
    local peer uuid address pool mine=''
    [[ -z $(ls -A "$GLUSTERD_STATE/peers" 2>/dev/null) ]] || return 0
    for peer in ${PARAM_PEERS:-}; do
        pool=$(GLUSTER_TIMEOUT=10 gluster_pool "$peer") || continue
        mine=$(awk -v address="$PARAM_ADDRESS" '$2 == address { print $1 }' <<<"$pool")
        [[ -z $mine ]] || break
    done
    [[ -n $mine ]] || return 0
    quietly systemctl stop glusterd.service
    sed -i "s/^UUID=.*/UUID=$mine/" "$GLUSTERD_STATE/glusterd.info"
    [[ -d $GLUSTERD_STATE/peers ]] || directory "$GLUSTERD_STATE/peers" 0755 root:root
    while read -r uuid address _; do
        [[ $uuid != "$mine" ]] || continue
        [[ $address != localhost ]] || address=$peer
        # 3 is "peer in cluster".
        printf 'uuid=%s\nstate=3\nhostname1=%s\n' "$uuid" "$address" >"$GLUSTERD_STATE/peers/$uuid"
    done <<<"$pool"
    service_command start glusterd.service
    changed "takes the place of the machine that had $PARAM_ADDRESS before"
    wait_for 60 "glusterd to answer" gluster_answers
}

own_volume() {
    printf '%s' "${PARAM_BRICK_MOUNT##*/}"
}

# Another authority would lock out the servers and clients of another storage's volume, and this host where it is a client of one.
refuse_other_authority() {
    local others='' mounts peers
    [[ $PARAM_TLS == true ]] || return 0
    ! service_active glusterd.service || others=$(gluster_others "$(own_volume)" "$PARAM_ADDRESS")
    [[ -z $others ]] || gluster_trusted ||
        die "tls: this server has volume ${others//$'\n'/, } already, without certificates of this storage's authority, and can't have two: take other hosts for $(own_volume)"
    read -ra peers <<<"${PARAM_PEERS:-}"
    mounts=$(gluster_elsewhere "$(own_volume)" "$PARAM_ADDRESS" ${peers[@]+"${peers[@]}"})
    refuse_second_certificate "${mounts:+mounts ${mounts//$'\n'/, }}"
}

main() {
    require_params PARAM_ADDRESS PARAM_BRICK PARAM_BRICK_MOUNT PARAM_TLS
    os_detect
    RESTART=false
    refuse_other_authority
    install_gluster
    if [[ -n ${PARAM_DISK:-} ]]; then
        require_params PARAM_FILESYSTEM
        [[ -d ${PARAM_BRICK_MOUNT%/*} ]] || directory "${PARAM_BRICK_MOUNT%/*}" 0755 root:root
        disk_mount "$PARAM_DISK" "$PARAM_FILESYSTEM" "$PARAM_BRICK_MOUNT" "${PARAM_BRICK##*/}"
        [[ -z ${PARAM_DISK_SIZE:-} ]] || disk_grow "$PARAM_DISK" "$PARAM_FILESYSTEM" "$PARAM_BRICK_MOUNT" "$PARAM_DISK_SIZE"
    fi
    # Below the mount, not the mount itself, where guard_bare leaves no place for it: with the disk missing there is no brick, instead of one
    # on the system disk.
    [[ -d $PARAM_BRICK ]] || { mkdir -p "$PARAM_BRICK" && changed "$PARAM_BRICK"; }
    gluster_tls
    if [[ $TLS_AT_START == true ]] && service_active glusterd.service; then
        RESTART=true
        note "bricks that run take over the certificate at their next start"
    fi
    daemon_config
    drop_in
    if service_active glusterd.service && [[ $RESTART == true ]]; then
        service_restart glusterd.service
    fi
    service_start glusterd.service
    wait_for 60 "glusterd to answer" gluster_answers
    # It makes up its identity when it is first asked for.
    gluster_try system:: uuid get >/dev/null || true
    take_over
    finish version="$(gluster_version)" brick="$PARAM_ADDRESS:$PARAM_BRICK"
}

# A volume that isn't served any more is remembered as stopped, and gluster-volume starts it again. All servers stop it at once.
volume_is_off() {
    local info
    info=$(gluster_try volume info "$(own_volume)") || return 0
    ! grep -q "^Brick[0-9]*: $PARAM_ADDRESS:" <<<"$info" || ! grep -qx 'Status: Started' <<<"$info" ||
        { gluster_try volume stop "$(own_volume)" force >/dev/null && changed "volume $(own_volume) stopped"; }
}

# A server that gluster-volume has relieved of its brick forgets the pool. One that still has a brick goes together with all others, as
# the storage is switched off: it serves no more, and keeps what it takes to go on. The daemon goes on for another storage's volume.
remove() {
    local volumes='' others
    os_detect
    if service_active glusterd.service; then
        others=$(gluster_others "$(own_volume)" "$PARAM_ADDRESS")
        if [[ -n $others ]]; then
            wait_for 240 "volume $(own_volume) to stop" volume_is_off
            [[ -z ${PARAM_DISK:-} ]] || disk_unmount "$PARAM_BRICK_MOUNT" "${PARAM_BRICK##*/}"
            log "glusterd goes on for ${others//$'\n'/, }; the files of $(own_volume) stay in $PARAM_BRICK"
            return 0
        fi
        volumes=$(gluster_try volume list | grep -v '^No volumes present' || true)
        # The bricks' processes are left alone when the daemon stops.
        quietly systemctl kill glusterd.service
        service_off glusterd.service
    fi
    file_remove "${SYSTEMD_UNITS:-/etc/systemd/system}/glusterd.service.d"
    quietly systemctl daemon-reload
    [[ -z ${PARAM_DISK:-} ]] || disk_unmount "$PARAM_BRICK_MOUNT" "${PARAM_BRICK##*/}"
    if [[ -z $volumes ]]; then
        file_remove "$GLUSTERD_STATE/peers"
        file_remove "$GLUSTERD_STATE/glusterd.info"
        rm -f "$GLUSTERD_STATE"/multihost-*.{copying,machines}
    else
        log "the files stay in $PARAM_BRICK, and are served again when this step comes back"
    fi
    gluster_forget
}

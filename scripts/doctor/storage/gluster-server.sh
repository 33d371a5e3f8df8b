# shellcheck shell=bash
# One GlusterFS server: the daemon runs, the brick stands where it should, and is served with the certificate that stands there.
# Parameters: those of storage/gluster-server.

check() {
    local file
    if [[ $PARAM_TLS == true ]]; then
        file=$(gluster_certificates).pem
        certificate certificate "$file"
        # The one that heals is a client of the others.
        certificate_taken_over "$file" "restart the brick (\`kill\`, then \`gluster volume start ${PARAM_BRICK_MOUNT##*/} force\`), one server at a time and with nothing left to heal" \
            "$PARAM_BRICK" glustershd
    fi
    if [[ -n ${PARAM_DISK:-} ]] && ! is_mounted "$PARAM_BRICK_MOUNT"; then
        fail disk "$PARAM_DISK is not mounted on $PARAM_BRICK_MOUNT: \`mount $PARAM_BRICK_MOUNT\`, and journalctl -u $(mount_unit "$PARAM_BRICK_MOUNT") says why not"
    elif [[ -d $PARAM_BRICK ]]; then
        ok brick "$PARAM_BRICK"
    else
        fail brick "$PARAM_BRICK is gone: \`mkdir $PARAM_BRICK\`, then run the volume's step again, as the volume's own finding says; the other servers fill it"
    fi
    unit_runs service glusterd.service || return 0
    if GLUSTER_TIMEOUT=15 gluster_answers; then
        ok answers "glusterd lists its peers"
    else
        fail answers "glusterd does not answer: journalctl -u glusterd and /var/log/glusterfs/glusterd.log say why"
    fi
}

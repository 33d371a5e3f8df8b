# shellcheck shell=bash
# One GlusterFS server: the daemon runs, and the brick stands where it should.
# Parameters: those of storage/gluster-server.

check() {
    if [[ $PARAM_TLS == true ]]; then
        certificate certificate "$(gluster_certificates).pem"
    fi
    if [[ -n ${PARAM_DISK:-} ]] && ! is_mounted "$PARAM_BRICK_MOUNT"; then
        fail disk "$PARAM_DISK is not mounted on $PARAM_BRICK_MOUNT: mount it, or run \`pulumi up\`"
    elif [[ -d $PARAM_BRICK ]]; then
        ok brick "$PARAM_BRICK"
    else
        fail brick "$PARAM_BRICK is gone: run \`pulumi up\`, which fills it from the other servers"
    fi
    unit_runs service glusterd.service || return 0
    if GLUSTER_TIMEOUT=15 gluster_answers; then
        ok answers "glusterd lists its peers"
    else
        fail answers "glusterd does not answer: journalctl -u glusterd and /var/log/glusterfs/glusterd.log say why"
    fi
}

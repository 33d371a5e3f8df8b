# shellcheck shell=bash
# One client of a volume: mounted, answering, and mounted again after a boot.
# Parameters: those of storage/gluster-client.

check() {
    local unit
    unit=multihost-mount-$(mount_slug "$PARAM_MOUNT_POINT").service
    if [[ $PARAM_TLS == true ]]; then
        certificate certificate "$(gluster_certificates).pem"
    fi
    if ! is_mounted "$PARAM_MOUNT_POINT"; then
        fail mount "nothing is mounted on $PARAM_MOUNT_POINT: systemctl start $unit, and journalctl -u $(mount_unit "$PARAM_MOUNT_POINT") says why not"
    elif mount_broken "$PARAM_MOUNT_POINT"; then
        fail mount "$PARAM_MOUNT_POINT gives no answer: see whether two of the servers run; if they do, \`pulumi up\` mounts it anew"
    else
        ok mount "$PARAM_MOUNT_POINT answers"
    fi
    if systemctl is-enabled --quiet "$unit" 2>/dev/null; then
        ok boot "$unit is enabled"
    else
        fail boot "$unit is not enabled, so that a boot may leave $PARAM_MOUNT_POINT empty: systemctl enable $unit"
    fi
}

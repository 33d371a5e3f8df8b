# shellcheck shell=bash
# One client of a volume: mounted, answering, and mounted again after a boot.
# Parameters: those of storage/gluster-client.

check() {
    local file
    if [[ $PARAM_TLS == true ]]; then
        file=$(gluster_certificates).pem
        certificate certificate "$file"
        certificate_taken_over "$file" "mount anew: systemctl restart $(mount_unit "$PARAM_MOUNT_POINT") while nobody uses $PARAM_MOUNT_POINT" "$PARAM_MOUNT_POINT"
    fi
    mount_answers "$PARAM_MOUNT_POINT" "it goes on once two of the servers run; if they do, systemctl restart $(mount_unit "$PARAM_MOUNT_POINT") mounts it anew"
}

# shellcheck shell=bash
# One client of a volume: mounted, answering, and mounted again after a boot.
# Parameters: those of storage/gluster-client.

check() {
    if [[ $PARAM_TLS == true ]]; then
        certificate certificate "$(gluster_certificates).pem"
    fi
    mount_answers "$PARAM_MOUNT_POINT" "see whether two of the servers run; if they do, \`pulumi up\` mounts it anew"
}

# shellcheck shell=bash
# One client of an NFS server: mounted, answering, and mounted again after a boot.
# Parameters: those of storage/nfs-client.

check() {
    mount_answers "$PARAM_MOUNT_POINT" "see whether ${PARAM_SOURCE%%:*} is reached on TCP 2049, and whether this host is one of its clients; if so, systemctl restart $(mount_unit "$PARAM_MOUNT_POINT") mounts it anew"
}

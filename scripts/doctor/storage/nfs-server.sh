# shellcheck shell=bash
# One NFS server: it runs, its disk is there, and the clients of the list are let in, and nobody else.
# Parameters: those of storage/nfs-server.

check() {
    local served wanted
    if [[ -n ${PARAM_DISK:-} ]] && ! is_mounted "$PARAM_DIRECTORY"; then
        fail disk "$PARAM_DISK is not mounted on $PARAM_DIRECTORY: \`mount $PARAM_DIRECTORY\`, then \`exportfs -ra\`; journalctl -u $(mount_unit "$PARAM_DIRECTORY") says why not"
    elif [[ -d $PARAM_DIRECTORY/files ]]; then
        ok files "$PARAM_DIRECTORY/files"
    else
        fail files "$PARAM_DIRECTORY/files is gone: restore it, then run \`exportfs -ra\`"
    fi
    unit_runs service nfs-server.service || return 0
    served=$(exportfs -s 2>/dev/null | awk -v folder="$PARAM_DIRECTORY/files" '$1 == folder { sub(/\(.*/, "", $2); print $2 }' | sort | tr '\n' ' ')
    # shellcheck disable=SC2086 # a list of words
    wanted=$([[ -z ${PARAM_CLIENTS:-} ]] || printf '%s\n' $PARAM_CLIENTS | sort | tr '\n' ' ')
    if [[ $served == "$wanted" ]]; then
        ok clients "lets in ${served:-nobody}"
    else
        fail clients "lets in ${served:-nobody }and not ${wanted:-nobody }as it should: run \`exportfs -ra\`; if that does not help, put the list right in ${EXPORTS_D:-/etc/exports.d}/multihost.exports first"
    fi
}

# shellcheck shell=bash
# A replicated volume as a whole: every server serves its copy, the copies agree, and as many as needed are there.
# doctor: any host with storage/gluster-server
# Parameters: those of storage/gluster-volume.

volume_status() {
    GLUSTER_TIMEOUT=15 gluster_try volume status "$PARAM_VOLUME" detail
}

# Bricks that nobody serves; fails when the servers don't tell.
bricks_away() {
    local status
    # What another command has locked answers again in a moment.
    status=$(volume_status) || { sleep 3 && status=$(volume_status); } || return 1
    # A server that is down isn't mentioned at all.
    grep -vxF -f <(awk '/^Brick +:/ { brick = $NF } /^Online +:/ && $3 == "Y" { print brick }' <<<"$status") \
        <(tr ' ' '\n' <<<"$PARAM_BRICKS") || true
}

check() {
    # The second server's does nothing while the first one has the volume.
    local STEP_NAME=${STEP_NAME%-standby} away summary split waiting
    if ! away=$(bricks_away); then
        fail volume "$PARAM_VOLUME: the servers do not tell its state: gluster volume status $PARAM_VOLUME says why"
        return 0
    fi
    case $(grep -c . <<<"$away") in
    0) ok servers "all serve their copies of $PARAM_VOLUME" ;;
    1) fail servers "$away is not served, and with one more files can be neither written nor read: see to that host, then run $(step_again)" ;;
    *) fail servers "${away//$'\n'/, } are not served, so that files can be neither written nor read: see to those hosts" ;;
    esac
    if ! summary=$(GLUSTER_TIMEOUT=25 gluster_try volume heal "$PARAM_VOLUME" info summary); then
        fail copies "the servers do not tell what is to be healed: gluster volume heal $PARAM_VOLUME info says why"
        return 0
    fi
    split=$(heal_entries "Number of entries in split-brain" "$summary")
    waiting=$(heal_entries "Total Number of entries" "$summary")
    if ((split > 0)); then
        fail copies "$split files differ between the servers, and none of them is the right one by itself: gluster volume heal $PARAM_VOLUME info split-brain names them"
    elif ((waiting > 0)); then
        warn copies "$waiting entries wait to be healed: they are copied once every server is there"
    else
        ok copies "nothing waits to be healed"
    fi
}

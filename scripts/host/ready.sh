# shellcheck shell=bash
# Waits until a host may be worked on.
#
# PARAM_CLOUD_INIT_TIMEOUT  seconds to wait for cloud-init (default 600)

cloud_init_done() {
    local state
    state=$(cloud-init status 2>/dev/null) || true
    case $state in
    *done* | *disabled* | *"not run"*) return 0 ;;
    *error* | *degraded*)
        CLOUD_INIT=error
        return 0
        ;;
    *) return 1 ;;
    esac
}

boot_finished() {
    local state
    state=$(systemctl is-system-running 2>/dev/null) || true
    # A degraded host has a failed unit that may have nothing to do with us: the step that needs it will say so.
    [[ $state == running || $state == degraded ]]
}

main() {
    os_detect
    CLOUD_INIT=none
    if command -v cloud-init >/dev/null; then
        CLOUD_INIT=finished
        wait_for "${PARAM_CLOUD_INIT_TIMEOUT:-600}" "cloud-init to finish" cloud_init_done
        if [[ $CLOUD_INIT == error ]]; then
            # Modules fail for reasons that need not matter here; the step that misses something will say so.
            note "cloud-init reports an error: $(cloud-init status --long 2>&1 | sed '1,/^detail:/d' || true)"
        fi
    fi
    if ! try_for 60 boot_finished; then
        note "systemd still reports $(systemctl is-system-running 2>/dev/null || true) after 60 s"
    fi
    finish os="$OS_ID" osVersion="$OS_VERSION" osFamily="$OS_FAMILY" osName="$OS_NAME" \
        kernel="$(uname -r)" architecture="$(uname -m)" cpus:="$(nproc)" memoryBytes:="$(memory_bytes)" cloudInit="$CLOUD_INIT"
}

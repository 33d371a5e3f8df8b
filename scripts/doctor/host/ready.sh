# shellcheck shell=bash
# The host itself: disks, memory, clock, units of systemd, updates that wait for a reboot.

check_clock() {
    printf '{"check":"clock","time":%s}\n' "$(date +%s.%N)"
    # A container's clock is that of the machine below.
    if systemd-detect-virt --container --quiet 2>/dev/null; then
        return 0
    fi
    case $(timedatectl show --property NTPSynchronized --value 2>/dev/null || true) in
    yes) ok time-service "synchronized" ;;
    *) warn time-service "no time service keeps this clock right: install chrony, or see what \`timedatectl timesync-status\` says" ;;
    esac
}

# Remote file systems are their own services' business, and df would wait for a server that is gone.
check_disks() {
    local rows used inodes target full=() filling=() worst=0 status
    # It complains of what it may not look at, and goes on.
    rows=$(timeout 10 df --local --output=pcent,ipcent,target -x tmpfs -x devtmpfs -x squashfs -x iso9660 -x efivarfs 2>/dev/null) || true
    if [[ -z $rows ]]; then
        fail disk "df does not answer within 10 s: \`dmesg\` says why, a disk may be failing"
        return 0
    fi
    while read -r used inodes target; do
        # A container's files from outside are mounted one by one.
        [[ -d $target ]] || continue
        used=${used%\%} inodes=${inodes%\%}
        [[ $used =~ ^[0-9]+$ ]] || continue
        [[ $inodes =~ ^[0-9]+$ ]] || inodes=0
        ((used <= worst)) || worst=$used
        if ((used >= 95)); then full+=("$target is $used % full"); elif ((used >= 85)); then filling+=("$target is $used % full"); fi
        if ((inodes >= 95)); then
            full+=("$target has used $inodes % of its inodes")
        elif ((inodes >= 85)); then
            filling+=("$target has used $inodes % of its inodes")
        fi
    done <<<"$rows"
    status=ok
    ((${#filling[@]} == 0)) || status=warning
    ((${#full[@]} == 0)) || status=failed
    case $status in
    ok) ok disk "at most $worst % used" ;;
    *) finding disk "$status" "$(joined ${full[@]+"${full[@]}"} ${filling[@]+"${filling[@]}"}): \`du -xh --max-depth=2\` shows where" ;;
    esac
}

# The kernel makes a file system read-only when its disk fails.
check_writable() {
    local target type options _ stuck=()
    while read -r _ target type options _; do
        case $type in
        ext4 | xfs | btrfs) [[ ,$options, != *,ro,* || ! -d $target ]] || stuck+=("$target") ;;
        esac
    done <"$PROC/mounts"
    if ((${#stuck[@]} == 0)); then
        ok read-only "no disk is mounted read-only"
    else
        fail read-only "$(joined "${stuck[@]}") can't be written: \`dmesg\` says why, the disk may be failing"
    fi
}

check_memory() {
    local total available percent
    total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "$PROC/meminfo")
    available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' "$PROC/meminfo")
    percent=$((available * 100 / total))
    if ((percent < 3)); then
        fail memory "$percent % of $((total / 1024)) MiB are available: \`ps aux --sort=-rss\` shows what takes it"
    elif ((percent < 10)); then
        warn memory "$percent % of $((total / 1024)) MiB are available: \`ps aux --sort=-rss\` shows what takes it"
    else
        ok memory "$percent % of $((total / 1024)) MiB are available"
    fi
}

check_units() {
    local listed unit failed=()
    listed=$(systemctl list-units --state=failed --no-legend --plain --no-pager)
    while read -r unit _; do
        [[ -z $unit ]] || failed+=("$unit")
    done <<<"$listed"
    if ((${#failed[@]} == 0)); then
        ok units "none has failed"
    else
        fail units "$(joined "${failed[@]}") failed: \`systemctl status ${failed[0]}\` says why"
    fi
}

check_reboot() {
    local running newest
    running=$(uname -r)
    newest=$(find "${BOOT:-/boot}" -maxdepth 1 -name 'vmlinuz-*' ! -name '*rescue*' -printf '%f\n' 2>/dev/null | sort -V | tail -n 1)
    newest=${newest#vmlinuz-}
    if [[ -e ${RUN:-/run}/reboot-required ]]; then
        warn reboot "updates wait for a reboot"
    # A kernel that isn't from here belongs to the machine below.
    elif [[ -e ${BOOT:-/boot}/vmlinuz-$running && $newest != "$running" ]]; then
        warn reboot "kernel $newest waits for a reboot, $running runs"
    else
        ok reboot "nothing waits for one"
    fi
}

joined() {
    local text
    text=$(printf '%s, ' "$@")
    printf '%s' "${text%, }"
}

check() {
    check_clock
    check_disks
    check_writable
    check_memory
    check_units
    check_reboot
}

# shellcheck shell=bash
# systemd units.

# unit_write NAME CONTENT: sets FILE_CHANGED.
unit_write() {
    file_write "${SYSTEMD_UNITS:-/etc/systemd/system}/$1" 0644 root:root "$2"
    if [[ $FILE_CHANGED == true ]]; then
        quietly systemctl daemon-reload
    fi
}

service_active() {
    systemctl is-active --quiet "$1"
}

# service_start NAME: enables it, and starts it when it isn't running.
service_start() {
    if ! systemctl is-enabled --quiet "$1" 2>/dev/null; then
        quietly systemctl enable "$1"
        changed "service $1 enabled"
    fi
    if ! service_active "$1"; then
        # What failed too often is started all the same: its configuration may be the one that was mended.
        systemctl reset-failed "$1" 2>/dev/null || true
        service_command start "$1"
        changed "service $1 started"
    fi
}

service_restart() {
    systemctl reset-failed "$1" 2>/dev/null || true
    service_command restart "$1"
    changed "service $1 restarted"
}

service_command() {
    local output
    if ! output=$(systemctl "$1" "$2" 2>&1 </dev/null); then
        die "service $2 does not $1" "$output"$'\n'"$(journalctl -q -u "$2" -n 15 --no-pager -o cat 2>/dev/null || true)"
    fi
}

# service_outdated NAME: runs a program that a newer package has taken off the disk.
service_outdated() {
    local pid
    pid=$(systemctl show -p MainPID --value "$1" 2>/dev/null)
    [[ ${pid:-0} != 0 && $(readlink "${PROC:-/proc}/$pid/exe" 2>/dev/null) == *' (deleted)' ]]
}

# service_off NAME: neither runs nor starts at boot.
service_off() {
    if systemctl is-enabled --quiet "$1" 2>/dev/null; then
        quietly systemctl disable "$1"
        changed "service $1 disabled"
    fi
    if service_active "$1"; then
        quietly systemctl stop "$1"
        changed "service $1 stopped"
    fi
}

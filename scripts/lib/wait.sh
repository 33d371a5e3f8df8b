# shellcheck shell=bash
# Waiting, always with an end.

# try_for SECONDS COMMAND…: succeeds as soon as the command does.
try_for() {
    local until=$((SECONDS + $1)) pause=0.1
    shift
    until "$@"; do
        ((SECONDS < until)) || return 1
        sleep "$pause"
        pause=$([[ $pause == 0.1 ]] && echo 0.25 || echo 0.5)
    done
}

# wait_for SECONDS WHAT COMMAND…: like try_for; the step fails when time is up.
wait_for() {
    local seconds=$1 what=$2
    shift 2
    try_for "$seconds" "$@" || die "waited $seconds s for $what"
}

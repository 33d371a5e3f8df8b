# shellcheck shell=bash
# Strictness, and failures that name host, script and line.

set -Eeuo pipefail
# Bash 4.2 doesn't know it.
shopt -s inherit_errexit 2>/dev/null || true
# What programs print is read here, so it must not be in the host's language.
export LC_ALL=C
trap 'on_error "$?" "$BASH_COMMAND"' ERR

# A failure inside $(…) fails again outside: this status says that it has been reported.
readonly REPORTED=97

log() {
    printf '%s\n' "$*" >&2
}

# The caller's line says more than the line of a shared helper.
blame() {
    local depth place=script
    for ((depth = 1; depth < ${#BASH_LINENO[@]}; depth++)); do
        place=$(step_locate "${BASH_LINENO[depth]}")
        [[ $place == lib/* ]] || break
    done
    printf '%s' "$place"
}

# die MESSAGE [OUTPUT]: ends the step; of a failed command's output the last lines are enough.
die() {
    local place
    place=$(blame)
    printf 'multihost: %s: %s: %s\n' "${HOSTNAME%%.*}" "$place" "$1" >&2
    if [[ -n ${2:-} ]]; then
        # As in step.sh: no file.
        printf '%s\n' "$2" | tail -n 20 | sed 's/^/    /' >&2
    fi
    trap - ERR
    exit "$REPORTED"
}

on_error() {
    local place
    trap - ERR
    if (($1 != REPORTED)); then
        place=$(blame)
        printf "multihost: %s: %s: '%s' ended with status %s\n" "${HOSTNAME%%.*}" "$place" "${2%%$'\n'*}" "$1" >&2
        exit "$REPORTED"
    fi
    exit "$1"
}

# How a user says that a step may forget what was there before.
step_begins_anew() {
    # shellcheck disable=SC2016 # it is what the user types
    printf '`pulumi up --replace "**::%s"` begins with an empty service' "${STEP_KEY##*.}"
}

# Runs a program whose output matters only when it fails.
quietly() {
    local output status=0
    output=$("$@" 2>&1 </dev/null) || status=$?
    ((status == 0)) || die "'$*' ended with status $status" "$output"
}

# require_params NAME…: a step without a parameter must not guess.
require_params() {
    local name
    for name in "$@"; do
        [[ -n ${!name:-} ]] || die "$name is missing"
    done
}

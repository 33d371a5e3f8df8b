# shellcheck shell=bash
# Runs one step on a host: host.run sends this file, then secrets, the shared library and the script, then calls step_run.
#
# No here-strings here: bash before 5.1 makes a file of each, which a full disk refuses, and whoever says so would fail along with it.

# Line 812 of what bash reads is, say, redis/node.sh:42: STEP_SOURCES lists "first-line file" for every part.
step_locate() {
    local line=$1 first file found="step.sh:$1"
    while read -r first file; do
        ((line >= first)) && found="$file:$((line - first + 1))"
    done < <(printf '%s\n' "${STEP_SOURCES:-}")
    printf '%s\n' "$found"
}

# A program may print a secret in its own error message, and what it prints ends up in logs: no secret passes here.
#
# When the connection is broken, what is said here is lost, and whoever says it must not end of that: this reads on. It alone ignores the
# signal, on which the programs of a script rely.
step_redact() (
    trap '' PIPE
    local line variable secret secrets=()
    for variable in "${!SECRET_@}"; do
        while IFS= read -r secret; do
            ((${#secret} < 4)) || secrets+=("$secret")
        done < <(printf '%s\n' "${!variable}")
    done
    while IFS= read -r line || [[ -n $line ]]; do
        for secret in ${secrets[@]+"${secrets[@]}"}; do
            line=${line//"$secret"/[secret]}
        done
        printf '%s\n' "$line" 2>/dev/null || true
    done
)

# Components of two kinds may have one name, and so may their steps. Not the whole script: a step that has another engine's now, and the former's
# again, must not find the record that the former left.
step_name() {
    local service=${STEP%@*}
    printf '%s@%s' "$STEP_KEY" "${service%%/*}"
}

# A run whose connection broke goes on here, and no other may work beside it. Whatever it started counts, so the lock passes on to all that
# runs below; daemons are started by systemd, which doesn't have it.
step_alone() {
    local name=$1 locks=${STEP_LOCKS:-/run/multihost-steps} patience=${STEP_PATIENCE:-600} holders
    mkdir -p "$locks"
    chmod 0700 "$locks"
    exec {STEP_LOCK}>"$locks/$name"
    ! flock -n "$STEP_LOCK" || return 0
    printf 'an earlier run of this step is still at work on this host: waiting for its end\n' >&2
    ! flock -w "$patience" "$STEP_LOCK" || return 0
    exec {STEP_LOCK}>&-
    holders=$(find /proc/[0-9]*/fd -lname "$locks/$name" 2>/dev/null | cut -d / -f 3 | sort -nu | tr '\n' ' ') || true
    # shellcheck disable=SC2016 # it is what the user types
    printf 'multihost: %s: an earlier run of this step is still at work after another %s s, as the processes %s: run `pulumi up` again when they have ended, or end them on this host\n' \
        "${HOSTNAME%%.*}" "$patience" "${holders% }" >&2
    exit 1
}

step_run() {
    local mode=${1:-create} records=${STEP_RECORDS:-/var/lib/multihost/steps} entry=main name record work status err_trap
    name=$(step_name)
    record=$records/$name
    # shellcheck disable=SC2034 # a script that speaks for a whole service reads it: an update means that the service was there before
    STEP_MODE=$mode
    local machine=$record.machine
    [[ $mode != delete ]] || entry=remove

    if [[ $mode == delete && ! (-r $machine && $(<"$machine") == "$STEP_MACHINE") ]]; then
        printf 'nothing to undo: this step did not run on this machine, which may only have the address of the one that it ran on\n' >&2
        return 0
    fi
    step_alone "$name"

    # A new address of the host or of its bastion is an update whose content is the same: it has to cost no more than a dial.
    # Another machine may have been made from an image of the former, with its records. And a step that speaks for a whole service may have run
    # on another host since: what it left here tells nothing.
    if [[ $mode == update && ${STEP_SERVICE_WIDE:-false} != true && -r $record && $(head -n 1 "$record") == "$STEP_DIGEST" ]] &&
        [[ -r $machine && $(<"$machine") == "$STEP_MACHINE" ]]; then
        printf 'nothing to do: this step already ran on this host with these parameters\n' >&2
        tail -n +2 "$record"
        return 0
    fi

    # An update without a record may be a renamed component's first, which takes over what is its own under the former name: that one's record
    # would pass for the last run when the name comes back. Whose it is can't be told, and the others of the service pay one run.
    [[ $mode != update || -r $record ]] || rm -f "$records"/*"@${name##*@}"

    mkdir -p "$records"
    chmod 0700 "$records"
    [[ $mode == delete ]] || printf '%s\n' "$STEP_MACHINE" >"$machine"
    # Gone before the work starts, so that a step that fails half way is never taken for done. The second is an earlier release's, which would
    # take it for its own last run if it came back.
    rm -f "$record" "$records/$STEP_KEY"
    work=$(mktemp "$records/.work.XXXXXX")

    # Inside `||` or `if`, bash would ignore set -e in the script, so the status comes from the pipeline, with the script's own
    # trap set only where the script runs.
    err_trap=$(trap -p ERR)
    trap - ERR
    set +e
    (
        eval "$err_trap"
        set -e
        "$entry" </dev/null
    ) 2>&1 >"$work" | step_redact >&2
    status=${PIPESTATUS[0]}
    set -e

    if ((status != 0)); then
        step_redact <"$work" >&2
        rm -f "$work"
        return "$status"
    fi
    if [[ $mode != delete ]]; then
        {
            printf '%s\n' "$STEP_DIGEST"
            step_redact <"$work" | tail -n 1
        } >"$work.done"
        chmod 0600 "$work.done"
        mv "$work.done" "$record"
        rm -f "$work"
        tail -n +2 "$record"
    else
        rm -f "$work" "$machine"
    fi
}

# shellcheck shell=bash
# Logs in to every other member as the service user: no password, no prompt, the pinned host key and no other.
#
# PARAM_USER     the service user (default multihost)
# PARAM_MEMBERS  "name=ip …"; this host's own entry is tried too
# PARAM_TIMEOUT  seconds per member (default 60)

login() {
    mesh_ssh "$1" true 2>"$2" </dev/null
}

main() {
    local member work failed=() names=() jobs=()
    require_params PARAM_MEMBERS
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    for member in $PARAM_MEMBERS; do
        try_for "${PARAM_TIMEOUT:-60}" login "${member#*=}" "$work/${member%%=*}" &
        jobs+=("$!")
        names+=("${member%%=*}")
        # sshd drops logins at random when more than ten are under way.
        ((${#jobs[@]} % 8 != 0)) || wait "${jobs[@]: -8}" || true
    done
    for member in "${!jobs[@]}"; do
        wait "${jobs[member]}" || failed+=("${names[member]}: $(tail -n 1 "$work/${names[member]}")")
    done
    if ((${#failed[@]} > 0)); then
        die "$(mesh_user) can't log in to ${#failed[@]} of ${#names[@]} members" "$(printf '%s\n' "${failed[@]}")"
    fi
    finish verified:="$(json_list "${names[@]}")"
}

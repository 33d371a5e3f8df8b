# shellcheck shell=bash
# A release as the whole web tier serves it: the same on every member, and each of them answers.
# doctor: any host
# Parameters: those of web/release.

# The release below PARAM_DIRECTORY on a member; files that are shared, or of a single member, are here.
served_by() {
    local link
    if [[ -z ${PARAM_USER:-} ]]; then
        link=$(readlink "$PARAM_DIRECTORY/current")
    else
        link=$(mesh_ssh "${1#*=}" readlink "$PARAM_DIRECTORY/current" 2>/dev/null </dev/null)
    fi || link='nothing'
    printf '%s' "${link#releases/}"
}

check() {
    local member release other=() broken
    for member in $PARAM_MEMBERS; do
        release=$(served_by "$member")
        [[ $release == "$PARAM_RELEASE" ]] || other+=("${member%%=*} has $release")
    done
    if ((${#other[@]} == 0)); then
        ok release "$PARAM_RELEASE on every member"
    else
        fail release "$(printf '%s; ' "${other[@]}")$PARAM_RELEASE is wanted: run $(step_again)"
    fi
    broken=$(web_unwell)
    if [[ -z $broken ]]; then
        ok members "all answer"
    else
        fail members "${broken//$'\n'/; }: see those hosts' own findings"
    fi
}

# shellcheck shell=bash
# Switches all web servers to a release, or none: after the switch each of them has to answer, else all go back.
#
# PARAM_RELEASE              name of the folder below releases/
# PARAM_URL, PARAM_SHA256    archive to fetch it from where it isn't there yet
# PARAM_MEMBERS              "name=ip …", all web servers
# PARAM_DIRECTORY            with releases/ and the link `current`
# PARAM_SHARED               true when all members see the same files there
# PARAM_USER                 who logs in to the members when there are several and the files are not shared
# PARAM_PORT, PARAM_HEALTH_PATH, PARAM_CHECK_PATH
# PARAM_KEEP                 how many releases stay on disk

# The places where a switch has to happen: one for shared files, one for each member otherwise.
places() {
    local members=()
    read -ra members <<<"$PARAM_MEMBERS"
    if [[ ${PARAM_SHARED:-false} == true ]] || ((${#members[@]} == 1)); then
        printf 'local=\n'
    else
        printf '%s\n' "${members[@]}"
    fi
}

# at PLACE ACTION ARGUMENT…
at() {
    local address=${1#*=}
    shift
    if [[ -z $address ]]; then
        (
            set -Eeuo pipefail
            web_release_here "$1" "$PARAM_DIRECTORY" "${@:2}"
        )
    else
        # bash reads the function on standard input, so that nothing has to be installed on the other side.
        {
            printf 'set -Eeuo pipefail\n'
            declare -f web_release_here
            printf 'web_release_here'
            printf ' %q' "$1" "$PARAM_DIRECTORY" "${@:2}"
            printf '\n'
        } | mesh_ssh "$address" bash -s
    fi
}

all_well() {
    [[ -z $(web_unwell) ]]
}

switch_all() {
    local place
    for place in "${PLACES[@]}"; do
        at "$place" switch "$1"
    done
}

main() {
    local place output previous current
    require_params PARAM_RELEASE PARAM_MEMBERS PARAM_DIRECTORY PARAM_PORT PARAM_HEALTH_PATH PARAM_CHECK_PATH
    os_detect
    packages_install curl tar
    mapfile -t PLACES < <(places)

    for place in "${PLACES[@]}"; do
        output=$(at "$place" fetch "$PARAM_RELEASE" "${PARAM_URL:-}" "${PARAM_SHA256:-}" 2>&1) ||
            die "can't bring release $PARAM_RELEASE to ${place%%=*}; nothing was switched" "$output"
        [[ $output != *fetched* ]] || changed "release $PARAM_RELEASE fetched (${place%%=*})"
    done

    previous=''
    for place in "${PLACES[@]}"; do
        current=$(at "$place" current '')
        if [[ $current != "$PARAM_RELEASE" ]]; then
            [[ $current == initial ]] || previous=${previous:-$current}
            changed "release $PARAM_RELEASE (${place%%=*})"
        fi
    done
    if ((${#CHANGED[@]} > 0)); then
        switch_all "$PARAM_RELEASE"
    fi
    if ! try_for 15 all_well; then
        output=$(web_unwell)
        if [[ -n $previous && $previous != "$PARAM_RELEASE" ]]; then
            switch_all "$previous"
            die "release $PARAM_RELEASE does not answer on every host, all hosts serve $previous again" "$output"
        fi
        die "release $PARAM_RELEASE does not answer on every host, and there is none to go back to" "$output"
    fi
    for place in "${PLACES[@]}"; do
        at "$place" prune "${PARAM_KEEP:-5}"
    done
    finish release="$PARAM_RELEASE" previous="$previous"
}

# shellcheck shell=bash
# Switches all web servers to a release, or none: after the switch each of them has to answer, else each goes back to what it had.
#
# PARAM_RELEASE              name of the folder below releases/
# SECRET_URL, PARAM_SHA256   archive to fetch it from where it isn't there yet; PARAM_URL is what of the address anyone may read
# PARAM_MEMBERS              "name=ip …", all web servers
# PARAM_DIRECTORY            with releases/ and the link `current`
# PARAM_SHARED               true when all members see the same files there
# PARAM_USER                 who logs in to the members when there are several and the files are not shared
# PARAM_SSH_PORTS            optional: "ip=port …" of members whose SSH server is not at port 22
# PARAM_PORT, PARAM_HEALTH_PATH, PARAM_CHECK_PATH
# PARAM_SERVER_NAMES         of the site; no names: every name
# PARAM_TLS_PORT             optional: where PARAM_CHECK_PATH is asked for, as PARAM_PORT redirects there
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

# What each place served before, by place.
declare -A BEFORE=()

# go_back PLACE…: to what each of them served before. Says how that went.
go_back() {
    local place before known=false back=false stuck='' served=()
    mapfile -t served < <(printf '%s\n' "${BEFORE[@]}" | sort -u)
    ! grep -qxF "$PARAM_RELEASE" <(printf '%s\n' "${served[@]}") || known=true
    for place in "$@"; do
        before=${BEFORE[$place]}
        # A new host that joins others: its page without a release is worse than what they serve.
        [[ -n $before && ($before != initial || $known == false) ]] || continue
        back=true
        at "$place" switch "$before" >/dev/null 2>&1 || stuck+=" ${place%%=*}"
    done
    if [[ -n $stuck ]]; then
        printf 'and these can not be put back:%s' "$stuck"
    elif [[ $back == false ]]; then
        printf 'and there is none to go back to'
    elif ((${#served[@]} == 1)); then
        printf 'all hosts serve %s again' "${served[0]}"
    else
        printf 'each host serves again what it did before'
    fi
}

main() {
    local place output previous current behind=() switched=()
    require_params PARAM_RELEASE PARAM_MEMBERS PARAM_DIRECTORY PARAM_PORT PARAM_HEALTH_PATH PARAM_CHECK_PATH
    os_detect
    packages_install curl tar
    mapfile -t PLACES < <(places)

    for place in "${PLACES[@]}"; do
        output=$(at "$place" fetch "$PARAM_RELEASE" "${SECRET_URL:-}" "${PARAM_SHA256:-}" 2>&1) ||
            die "can't bring release $PARAM_RELEASE to ${place%%=*}; nothing was switched" "$output"
        [[ $output != *fetched* ]] || changed "release $PARAM_RELEASE fetched (${place%%=*})"
    done

    previous=''
    for place in "${PLACES[@]}"; do
        current=$(at "$place" current '')
        BEFORE[$place]=$current
        [[ $current == "$PARAM_RELEASE" ]] || behind+=("$place")
        [[ $current == initial || $current == "$PARAM_RELEASE" ]] || previous=${previous:-$current}
    done
    for place in ${behind[@]+"${behind[@]}"}; do
        switched+=("$place")
        # The connection may be lost after the switch, so this one goes back as well.
        output=$(at "$place" switch "$PARAM_RELEASE" 2>&1) ||
            die "can't switch ${place%%=*} to release $PARAM_RELEASE, $(go_back "${switched[@]}")" "$output"
        changed "release $PARAM_RELEASE (${place%%=*})"
    done
    if ! try_for "${ANSWER_SECONDS:-15}" all_well; then
        output=$(web_unwell)
        die "release $PARAM_RELEASE does not answer on every host, $(go_back ${switched[@]+"${switched[@]}"})" "$output"
    fi
    # It is served everywhere: what stays besides only takes up space. Where nothing was switched nobody knows any more what was served before.
    for place in ${switched[@]+"${switched[@]}"}; do
        if ! output=$(at "$place" prune "${PARAM_KEEP:-5}" "${BEFORE[$place]}") || [[ -n $output ]]; then
            note "earlier releases can't be removed (${place%%=*})${output:+: ${output//$'\n'/, }}"
        fi
    done
    finish release="$PARAM_RELEASE" previous="$previous"
}

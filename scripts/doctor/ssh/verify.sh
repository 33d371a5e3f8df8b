# shellcheck shell=bash
# Logins of the service user between the pool's hosts: without a password, and to the pinned host key.
# Parameters: those of ssh/verify.

check() {
    local member members=() tried=() peers=() broken='' output
    read -ra members <<<"$PARAM_MEMBERS"
    while read -r member; do
        [[ -n $member ]] || continue
        tried+=("${member%%=*}")
        if ! output=$(mesh_ssh "${member#*=}" true 2>&1 </dev/null | tr -d '\r'); then
            peers+=("${member%%=*}")
            broken+="${broken:+; }${member%%=*}: ${output##*$'\n'}"
        fi
    done < <(sample "${members[@]}")
    if ((${#peers[@]} == 0)); then
        ok login "as $(mesh_user) to ${tried[*]:-nobody else}"
    else
        finding login failed "$(mesh_user) can't log in to $broken" "${peers[@]}"
    fi
}

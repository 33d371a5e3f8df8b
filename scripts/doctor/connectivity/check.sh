# shellcheck shell=bash
# Ways from this host to its peers: ping, and each port. A port on which nothing listens answers, too.
# Parameters: those of connectivity/check.

# Prints what gets no answer.
check_peer() {
    local name=${1%%=*} address=${1#*=} what missing=()
    if ! has_route "$address"; then
        printf '%s: no route to %s\n' "$name" "$address"
        return 0
    fi
    for what in ping $PARAM_PORTS; do
        reaches "$address" "$what" || [[ $CONNECT_ERROR == *refused* ]] || missing+=("$what")
    done
    ((${#missing[@]} == 0)) || printf '%s: no answer from %s to %s\n' "$name" "$address" "${missing[*]}"
}

check() {
    local peers=() tried=() peer broken
    read -ra peers <<<"$PARAM_PEERS"
    mapfile -t tried < <(sample "${peers[@]}")
    mapfile -t broken < <(
        for peer in "${tried[@]}"; do
            check_peer "$peer" &
        done
        wait
    )
    if ((${#broken[@]} == 0)); then
        ok peers "reaches ${#tried[@]} by ping and on ${PARAM_PORTS// /, }"
    else
        finding peers failed "$(printf '%s; ' "${broken[@]}")a security group, a firewall there, or the host is down" "${broken[@]%%:*}"
    fi
}

# shellcheck shell=bash
# Whether packets get to a peer.

# shellcheck disable=SC2034 # CONNECT_ERROR is read by whoever calls

# reaches ADDRESS ping | PORT: sets CONNECT_ERROR.
reaches() {
    CONNECT_ERROR=
    if [[ $2 == ping ]]; then
        CONNECT_ERROR=$(ping -n -q -c 3 -i 0.3 -W 2 "$1" 2>&1 </dev/null) && return 0
    else
        # Twice, since the first packet to a neighbour may be lost while its address is resolved, and since whoever answers for another
        # member's check resets what waits for it when that ends.
        for _ in 1 2; do
            # shellcheck disable=SC2016 # the inner shell expands it
            CONNECT_ERROR=$(timeout 3 bash --norc -c 'exec 3<>"/dev/tcp/$1/$2"' probe "$1" "$2" 2>&1 </dev/null) && return 0
            sleep 0.5
        done
    fi
    return 1
}

has_route() {
    ip route get "$1" >/dev/null 2>&1
}

# shellcheck shell=bash
# Checks that this host reaches every peer: ping, and each port. Where nothing listens yet, the peer answers for the time of the
# check. A failure says what is to blame: host down, route, host firewall or security group.
#
# PARAM_PEERS      "name=ip …": the other hosts
# PARAM_PORTS      "22 7000 …"
# PARAM_ADDRESS    this host's address towards them (default: what the routing table says)
# PARAM_USER       the service user of ssh/mesh
# PARAM_SSH_PORTS  optional: "ip=port …" of peers whose SSH server is not at port 22

HELPER=/usr/local/sbin/multihost-connectivity

# watch_start ADDRESS [VIA]: asks the peer to answer and count. Leaves WATCH_READY, and the session's way in open as WATCH_IN.
watch_start() {
    local address=$1 via=${2:-} self command
    self=${PARAM_ADDRESS:-$(ip route get "$address" | sed -n 's/.* src \([0-9.]*\).*/\1/p')}
    command="sudo -n $HELPER watch 90 $self $PARAM_PORTS"
    rm -f "$WORK/in" "$WORK/out"
    mkfifo "$WORK/in"
    if [[ -z $via ]]; then
        mesh_ssh "$address" "$command" <"$WORK/in" >"$WORK/out" 2>"$WORK/error" &
    else
        mesh_ssh "$via" "ssh -p $(mesh_port "$address") -o BatchMode=yes -o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o ConnectTimeout=5 $(mesh_user)@$address '$command'" \
            <"$WORK/in" >"$WORK/out" 2>"$WORK/error" &
    fi
    WATCH=$!
    exec {WATCH_IN}>"$WORK/in"
    if try_for 15 watch_answers "$WATCH"; then
        WATCH_READY=$(grep -m 1 '^ready' "$WORK/out") && return 0
    fi
    watch_stop
    return 1
}

watch_answers() {
    grep -q '^ready' "$WORK/out" 2>/dev/null || ! kill -0 "$1" 2>/dev/null
}

watch_ended() {
    ! kill -0 "$WATCH" 2>/dev/null
}

# Sets WATCH_SEEN.
watch_stop() {
    exec {WATCH_IN}>&-
    try_for 20 watch_ended || kill "$WATCH" 2>/dev/null || true
    wait "$WATCH" || true
    WATCH_SEEN=$(grep -m 1 '^seen' "$WORK/out" || true)
}

# fail NAME WHAT REASON
fail() {
    printf '%s -> %s: %s\n' "${HOSTNAME%%.*}" "$1 $2" "$3" >>"$REPORT.failed"
}

# Without a login there is nobody at the peer to ask; others may know more.
unreachable() {
    local name=$1 address=$2 error=$3 other
    if [[ $error == *"Permission denied"* || $error == *"verification failed"* || $error == *sudo* || $error == *"$HELPER"* ]]; then
        fail "$name" ssh "login: $error"
        return 0
    fi
    for other in $PARAM_PEERS; do
        [[ ${other%%=*} != "$name" ]] || continue
        if mesh_ssh "${other#*=}" "ping -n -q -c 2 -W 2 $address" >/dev/null 2>&1 </dev/null; then
            if reaches "$address" ping; then
                fail "$name" "$(mesh_port "$address")" "host firewall or security group: it answers to ping, but to SSH neither from here nor from the others"
            else
                fail "$name" "($address)" "security group: it answers to ping from ${other%%=*}, but to nothing from here"
            fi
            return 0
        fi
    done
    if reaches "$address" ping; then
        fail "$name" "$(mesh_port "$address")" "host firewall: it answers to ping, but not to SSH ($error)"
    else
        fail "$name" "($address)" "host down: neither ping nor SSH gets an answer, from here or from the other peers"
    fi
}

# explain NAME ADDRESS WHAT ERROR: the peer has counted what arrived from here.
explain() {
    local name=$1 address=$2 what=$3 error=$4 filtered=''
    # Nobody could have answered: a connection of the peer's own has that port. But packets get there, and the refusal gets back.
    if [[ $error == *refused* && " $WATCH_READY " == *" busy=$what "* && " $WATCH_SEEN " == *" $what="* ]]; then
        printf '%s:%s\n' "$name" "$what" >>"$REPORT"
        return 0
    fi
    [[ $WATCH_SEEN == *filters=yes* ]] || filtered=', although no rule of its packet filter is known to do so'
    if [[ " $WATCH_SEEN " == *" $what="* ]]; then
        if [[ $error == *refused* && " $WATCH_READY " == *" $what "* ]]; then
            fail "$name" "$what" "host firewall, or the service listens on another address: packets arrive at $name and are refused there"
        else
            fail "$name" "$what" "host firewall: packets arrive at $name and are $([[ $error == *refused* ]] && echo refused || echo dropped) there$filtered"
        fi
    elif [[ $error == *"etwork is unreachable"* ]]; then
        fail "$name" "$what" "route: $error"
    elif [[ $what != ping && $error == *refused* ]]; then
        fail "$name" "$what" "host firewall: refused before it left this host or on its way"
    else
        fail "$name" "$what" "security group: packets leave here but don't arrive at $name"
    fi
}

check_peer() {
    local name=$1 address=$2 what other error via='' watched=false
    local -A errors=()
    WORK=$WORK/$name REPORT=$WORK.report
    mkdir "$WORK"
    if ! has_route "$address"; then
        fail "$name" "($address)" "route: $(ip route get "$address" 2>&1 || true)"
        return 0
    fi
    if watch_start "$address"; then
        watched=true
    else
        error=$(tail -n 1 "$WORK/error")
        for other in $PARAM_PEERS; do
            if [[ ${other%%=*} != "$name" ]] && watch_start "$address" "${other#*=}"; then
                watched=true via=${other%%=*}
                break
            fi
        done
    fi
    if [[ $watched == false ]]; then
        unreachable "$name" "$address" "$error"
        return 0
    fi
    [[ -z $via ]] || log "$name is reached by way of $via only"
    for what in ping $PARAM_PORTS; do
        if reaches "$address" "$what"; then
            printf '%s:%s\n' "$name" "$what" >>"$REPORT"
        else
            errors[$what]=${CONNECT_ERROR:-timed out}
        fi
    done
    watch_stop
    for what in ${errors[@]+"${!errors[@]}"}; do
        explain "$name" "$address" "$what" "${errors[$what]}"
    done
}

main() {
    local peer jobs=() checked=() failed
    require_params PARAM_PEERS PARAM_PORTS
    os_detect
    packages_install "$(os_pick iputils-ping iputils)" "$(os_pick iproute2 iproute)"
    WORK=$(mktemp -d)
    chmod 0755 "$WORK"
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$WORK'" EXIT
    for peer in $PARAM_PEERS; do
        check_peer "${peer%%=*}" "${peer#*=}" &
        jobs+=("$!")
        # sshd drops logins at random when more than ten are under way.
        ((${#jobs[@]} % 8 != 0)) || wait "${jobs[@]: -8}"
    done
    for peer in "${jobs[@]}"; do
        wait "$peer"
    done
    failed=$(cat "$WORK"/*.failed 2>/dev/null | sort || true)
    if [[ -n $failed ]]; then
        die "$(wc -l <<<"$failed") connections don't work" "$failed"
    fi
    mapfile -t checked < <(cat "$WORK"/*.report | sort -V)
    finish checked:="$(json_list "${checked[@]}")"
}

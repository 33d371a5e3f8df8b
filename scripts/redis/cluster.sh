# shellcheck shell=bash
# Brings the membership of a Redis Cluster to a list of members. Runs on one of them and talks to all of them.
#
# PARAM_MEMBERS             "name=ip:port …"; every one runs redis/node already
# PARAM_MASTERS             how many of them hold slots
# PARAM_REPLICAS_PER_MASTER how many replicas each master has
# PARAM_MIN_REPLICAS_TO_WRITE how many replicas must follow a master for it to accept writes
# PARAM_ZONES               "name=zone …", optional: a master and its replicas stand in different zones where possible
# PARAM_TLS                 true or false
# SECRET_PASSWORD, SECRET_PREVIOUS_PASSWORD
#
# Each phase looks at the cluster as it is and does what is missing, so a run that was cut off is finished by the next one.
# Nodes that the cluster knows and the list doesn't are drained, forgotten and reset.

SLOTS=16384
declare -A ADDRESS ZONE ID NAME            # by member name; NAME by node id
declare -A N_ADDRESS N_FLAGS N_MASTER N_SLOTS # the cluster as one member sees it, by node id
declare -A WANTED                          # node ids that shall hold slots
MEMBERS=() IDS=()

parse_members() {
    local item
    for item in $PARAM_MEMBERS; do
        MEMBERS+=("${item%%=*}")
        ADDRESS[${item%%=*}]=${item#*=}
        ZONE[${item%%=*}]=
    done
    for item in ${PARAM_ZONES:-}; do
        ZONE[${item%%=*}]=${item#*=}
    done
    ((${#MEMBERS[@]} == PARAM_MASTERS * (1 + PARAM_REPLICAS_PER_MASTER))) ||
        die "${#MEMBERS[@]} members can't be $PARAM_MASTERS masters with $PARAM_REPLICAS_PER_MASTER replicas each"
    ((${#ADDRESS[@]} == ${#MEMBERS[@]})) || die "a member is listed twice"
}

# view ADDRESS: reads what this node knows into the N_… tables. Nodes that are still being met are left out.
view() {
    local nodes id address flags master rest field low high count
    # Conditions run without set -e: a failure must not look like an empty cluster.
    nodes=$(redis "$1" CLUSTER NODES) || exit "$REPORTED"
    N_ADDRESS=() N_FLAGS=() N_MASTER=() N_SLOTS=()
    IDS=()
    while read -r id address flags master _ _ _ _ rest; do
        [[ -n $id && $flags != *handshake* ]] || continue
        count=0
        for field in $rest; do
            # [93->…] and [77-<…] are slots on the move.
            [[ $field != "["* ]] || continue
            low=${field%-*} high=${field#*-}
            count=$((count + high - low + 1))
        done
        IDS+=("$id")
        N_ADDRESS[$id]=${address%%@*}
        N_FLAGS[$id]=,${flags#myself,},
        N_MASTER[$id]=$master
        N_SLOTS[$id]=$count
    done <<<"$nodes"
}

look() {
    view "$SEED"
}

is_master() { [[ ${N_FLAGS[$1]} == *,master,* ]]; }
is_member_id() { [[ -n ${NAME[$1]:-} ]]; }
is_failed() { [[ ${N_FLAGS[$1]} == *,fail,* || ${N_FLAGS[$1]} == *,noaddr,* ]]; }
label() {
    local address=${N_ADDRESS[$1]:-}
    # A node that was gone for long has lost its address.
    [[ $address != :* ]] || address=
    printf '%s' "${NAME[$1]:-${address:-$1}}"
}

# Ids of the nodes that the list doesn't have.
departing() {
    local id
    for id in ${IDS[@]+"${IDS[@]}"}; do
        is_member_id "$id" || printf '%s\n' "$id"
    done
}

holders() {
    local id
    for id in "${IDS[@]}"; do
        ((N_SLOTS[$id] == 0)) || printf '%s\n' "$id"
    done
}

replicas_of() {
    local id
    for id in "${IDS[@]}"; do
        [[ ${N_MASTER[$id]} != "$1" ]] || printf '%s\n' "$id"
    done
}

# Waits for every member and takes the one that knows the cluster best as the point of view. Sets SEED.
identify() {
    local name info standing best=''
    for name in "${MEMBERS[@]}"; do
        wait_for 120 "Redis on $name (${ADDRESS[$name]}) to answer" redis_answers "${ADDRESS[$name]}"
    done
    for name in "${MEMBERS[@]}"; do
        ID[$name]=$(redis "${ADDRESS[$name]}" CLUSTER MYID)
        NAME[${ID[$name]}]=$name
        info=$(redis "${ADDRESS[$name]}" CLUSTER INFO)
        standing=$(redis_standing "$info")
        if [[ $standing > $best ]]; then
            best=$standing
            SEED=${ADDRESS[$name]}
        fi
    done
    look
}

# A list without a single node of the cluster that worked before would begin an empty one, and the machines that hold the keys are deleted
# when this step succeeds.
refuse_amnesia() {
    [[ $STEP_MODE == update && -z $(holders) ]] || return 0
    die "members: none of them knows the cluster that was here before, so their hosts were all replaced at once, and the keys are on the machines of before: put those back, and replace them in two updates or more. If the keys may go, $(step_begins_anew)"
}

all_know_all() {
    local name other
    for name in "${MEMBERS[@]}"; do
        view "${ADDRESS[$name]}"
        for other in "${MEMBERS[@]}"; do
            # A node that has moved is known where it was: nobody finds it there.
            [[ $name == "$other" && -n ${N_FLAGS[${ID[$other]}]:-} || ${N_ADDRESS[${ID[$other]}]:-} == "${ADDRESS[$other]}" ]] || return 1
        done
    done
    look
}

# The slots' owners, as every member tells them.
all_agree() {
    local name id signature first=
    for name in "${MEMBERS[@]}"; do
        view "${ADDRESS[$name]}"
        signature=$(for id in "${IDS[@]}"; do ((N_SLOTS[$id] == 0)) || printf '%s=%s\n' "$id" "${N_SLOTS[$id]}"; done | sort)
        first=${first:-$signature}
        [[ $signature == "$first" ]] || return 1
    done
    look
}

agree() {
    wait_for 60 "all nodes to agree on who owns the slots" all_agree
}

join() {
    local name epoch=0 met=()
    for name in "${MEMBERS[@]}"; do
        epoch=$((epoch + 1))
        [[ -z ${N_FLAGS[${ID[$name]}]:-} ]] || [[ ${ADDRESS[$name]} == "$SEED" && ${#IDS[@]} == 1 ]] || continue
        if [[ ${ADDRESS[$name]} != "$SEED" ]]; then
            refuse_stranger "$name"
            met+=("$name")
        fi
        if [[ -z $(holders) ]]; then
            # Distinct from the start: otherwise the nodes have to sort it out among themselves, one collision at a time.
            redis_try "${ADDRESS[$name]}" CLUSTER SET-CONFIG-EPOCH "$epoch" >/dev/null || true
        fi
    done
    for name in ${met[@]+"${met[@]}"}; do
        redis "$SEED" CLUSTER MEET "${ADDRESS[$name]%:*}" "${ADDRESS[$name]##*:}" >/dev/null
        changed "$name joined"
    done
    try_for 20 all_know_all || {
        meet_again
        wait_for 90 "all nodes to know each other" all_know_all
    }
}

# A node that belongs elsewhere would pull that other cluster in with it.
refuse_stranger() {
    local name=$1 id
    view "${ADDRESS[$name]}"
    for id in "${IDS[@]}"; do
        if [[ $id != "${ID[$name]}" ]] && ! is_member_id "$id" && ! is_failed "$id"; then
            die "$name (${ADDRESS[$name]}) belongs to another cluster, with ${N_ADDRESS[$id]}: take it out of that one first"
        fi
    done
    if ((N_SLOTS[${ID[$name]}] > 0)); then
        [[ $(redis "${ADDRESS[$name]}" DBSIZE) == 0 ]] ||
            die "$name (${ADDRESS[$name]}) holds slots with keys that this cluster doesn't know: save them, then run FLUSHALL and CLUSTER RESET there"
        redis "${ADDRESS[$name]}" CLUSTER RESET SOFT >/dev/null
    fi
    look
}

# Gossip doesn't cross when an earlier run was cut off between two introductions, or when all nodes have got other addresses.
meet_again() {
    local name
    for name in "${MEMBERS[@]}"; do
        [[ ${ADDRESS[$name]} == "$SEED" ]] ||
            redis "$SEED" CLUSTER MEET "${ADDRESS[$name]%:*}" "${ADDRESS[$name]##*:}" >/dev/null
    done
}

manage() {
    local command=$1 output status=0
    shift
    output=$(REDISCLI_AUTH=$REDIS_PASSWORD timeout 3000 redis-cli --cluster "$command" "$SEED" "$@" \
        ${REDIS_OPTIONS[@]+"${REDIS_OPTIONS[@]}"} --no-auth-warning 2>&1 </dev/null) || status=$?
    ((status == 0)) || die "redis-cli --cluster $command ended with status $status" "$output"
}

# Only the node itself tells of it, and one that leaves may be the only one that knows.
slot_on_the_move() {
    local name id address nodes addresses=()
    for name in "${MEMBERS[@]}"; do
        addresses+=("${ADDRESS[$name]}")
    done
    for id in $(departing); do
        ! alive "$id" || addresses+=("${N_ADDRESS[$id]}")
    done
    for address in "${addresses[@]}"; do
        nodes=$(redis "$address" CLUSTER NODES) || exit "$REPORTED"
        [[ $nodes != *"["[0-9]* ]] || return 0
    done
    return 1
}

close_open_slots() {
    if slot_on_the_move; then
        # Masters that are dead forbid it, and so do slots without an owner.
        forget_the_dead
        choose_masters
        assign_free_slots
        place_replicas idle
        await_copies
        manage fix --cluster-yes
        changed "slots closed that were left open"
        agree
    fi
}

# dead_holders_gone: no failed node that leaves owns slots that a replica of it could take.
dead_holders_gone() {
    local id replica
    look
    for id in $(holders); do
        if is_member_id "$id" || alive "$id"; then
            continue
        fi
        for replica in $(replicas_of "$id"); do
            ! is_member_id "$replica" || return 1
        done
    done
}

# By id, not by address: the machine that replaces a dead one may have its address.
alive() {
    [[ -n ${N_ADDRESS[$1]:-} && ${N_ADDRESS[$1]} != :* ]] || return 1
    [[ $(REDIS_TIMEOUT=3 redis_try "${N_ADDRESS[$1]}" CLUSTER MYID) == "$1" ]]
}

# A leaving master that is dead: its replica takes over by itself, unless most masters are gone and nobody can vote.
succeed_the_dead() {
    local id replica
    try_for "${FAILOVER_SECONDS:-30}" dead_holders_gone && return 0
    for id in $(holders); do
        if is_member_id "$id" || alive "$id"; then
            continue
        fi
        replica=$(furthest_replica "$id")
        if [[ -n $replica ]]; then
            redis "${N_ADDRESS[$replica]}" CLUSTER FAILOVER TAKEOVER >/dev/null
            changed "$(label "$replica") took over from $(label "$id")"
        fi
    done
    try_for 15 dead_holders_gone || true
}

# furthest_replica MASTER-ID: the member that has received most of what was written there. One whose copy was under way has next to nothing.
furthest_replica() {
    local replica info offset best='' best_offset
    for replica in $(replicas_of "$1"); do
        is_member_id "$replica" || continue
        info=$(redis "${N_ADDRESS[$replica]}" INFO replication)
        offset=$(redis_field "$info" slave_repl_offset)
        [[ $(redis_field "$info" master_sync_in_progress) == 0 ]] || offset=-1
        if [[ -z $best ]] || ((offset > best_offset)); then
            best=$replica best_offset=$offset
        fi
    done
    printf '%s' "$best"
}

# hand_over MASTER-ID REPLICA-ID: without losing a write, and back within milliseconds.
hand_over() {
    local address=${N_ADDRESS[$2]}
    wait_for 600 "$(label "$2") to be in sync with $(label "$1")" in_sync "$address"
    redis "$address" CLUSTER FAILOVER >/dev/null
    ASKED=$SECONDS
    wait_for 30 "$(label "$2") to take over from $(label "$1")" takes_over "$2" "$address"
    agree
}

# takes_over REPLICA-ID ADDRESS: Redis gives a request up after 5 s, as when master and replica have only just found each other after a
# restart, and doesn't try again.
takes_over() {
    ! is_holder "$1" || return 0
    # A master is in sync with nobody: one that has taken over by now isn't asked.
    if ((SECONDS - ASKED >= 6)) && in_sync "$2"; then
        log "$(label "$1") is asked again to take over"
        redis_try "$2" CLUSTER FAILOVER >/dev/null || true
        ASKED=$SECONDS
    fi
    return 1
}

in_sync() {
    local info
    info=$(redis_try "$1" INFO replication) || return 1
    [[ $(redis_field "$info" master_link_status) == up && $(redis_field "$info" master_sync_in_progress) == 0 ]]
}

is_holder() {
    look
    ((N_SLOTS[$1] > 0))
}

# A leaving master with a replica that stays: handing over moves no key at all.
succeed_the_leaving() {
    local id replica staying
    for id in $(holders); do
        ! is_member_id "$id" || continue
        staying=0
        for replica in $(holders); do
            ! is_member_id "$replica" || staying=$((staying + 1))
        done
        ((staying < PARAM_MASTERS)) || return 0
        for replica in $(replicas_of "$id"); do
            if is_member_id "$replica" && ! is_failed "$replica"; then
                hand_over "$id" "$replica"
                changed "$(label "$replica") took over from $(label "$id")"
                break
            fi
        done
    done
}

# Which members shall hold slots: those that do, then empty masters, then replicas; spread over the zones.
choose_masters() {
    local name id rank best best_rank chosen
    declare -A in_zone=()
    WANTED=()
    for ((chosen = 0; chosen < PARAM_MASTERS; chosen++)); do
        best='' best_rank=
        for name in "${MEMBERS[@]}"; do
            id=${ID[$name]}
            [[ -z ${WANTED[$id]:-} ]] || continue
            rank=2
            if ((N_SLOTS[$id] > 0)); then rank=0; elif is_master "$id"; then rank=1; fi
            rank=$((rank * 1000 + ${in_zone[x${ZONE[$name]}]:-0}))
            if [[ -z $best ]] || ((rank < best_rank)); then
                best=$name best_rank=$rank
            fi
        done
        WANTED[${ID[$best]}]=yes
        in_zone[x${ZONE[$best]}]=$((${in_zone[x${ZONE[$best]}]:-0} + 1))
    done
}

# A replica becomes an empty master by forgetting whom it follows, and is then introduced again.
free_replicas() {
    local id
    for id in "${!WANTED[@]}"; do
        is_master "$id" && continue
        redis "${N_ADDRESS[$id]}" CLUSTER RESET SOFT >/dev/null
        [[ ${N_ADDRESS[$id]} != "$SEED" ]] || SEED=$(other_address "$id")
        redis "$SEED" CLUSTER MEET "${N_ADDRESS[$id]%:*}" "${N_ADDRESS[$id]##*:}" >/dev/null
        changed "$(label "$id") is a master"
        wait_for 40 "all nodes to see $(label "$id") as a master" all_see_master "$id"
    done
}

other_address() {
    local name
    for name in "${MEMBERS[@]}"; do
        if [[ ${ID[$name]} != "$1" ]]; then
            printf '%s' "${ADDRESS[$name]}"
            return 0
        fi
    done
}

all_see_master() {
    local name
    all_know_all || return 1
    for name in "${MEMBERS[@]}"; do
        view "${ADDRESS[$name]}"
        is_master "$1" || return 1
    done
    look
}

# A cluster without any owner gets even ranges; slots that lost their owner go to the masters there are.
assign_free_slots() {
    local id nodes slot first total=0 share free=() owned=() takers=() next=0
    for id in "${IDS[@]}"; do
        total=$((total + N_SLOTS[$id]))
    done
    ((total < SLOTS)) || return 0
    nodes=$(redis "$SEED" CLUSTER NODES)
    while read -r first; do
        for ((slot = ${first%-*}; slot <= ${first#*-}; slot++)); do
            owned[slot]=1
        done
    done < <(awk '{ for (i = 9; i <= NF; i++) if ($i !~ /^\[/) print $i }' <<<"$nodes")
    for ((slot = 0; slot < SLOTS; slot++)); do
        [[ -n ${owned[slot]:-} ]] || free+=("$slot")
    done
    if ((${#owned[@]} > 0)); then
        note "${#free[@]} slots had lost their owner: the keys that were in them are gone"
    fi
    for id in $(member_ids); do
        if [[ -n ${WANTED[$id]:-} ]] && is_master "$id"; then
            takers+=("$id")
        fi
    done
    for id in ${takers[@]+"${takers[@]}"}; do
        share=$(((SLOTS + ${#takers[@]} - 1) / ${#takers[@]} - N_SLOTS[$id]))
        if ((share > 0 && next < ${#free[@]})); then
            redis "${N_ADDRESS[$id]}" CLUSTER ADDSLOTS "${free[@]:next:share}" >/dev/null
            # Above the owner of before: it may come back, and would take the slots with all that is new in them. "BUMPED 4" reads like an error.
            ((${#owned[@]} == 0)) || redis_try "${N_ADDRESS[$id]}" CLUSTER BUMPEPOCH >/dev/null || true
            next=$((next + share))
        fi
    done
    changed "${#free[@]} slots assigned"
    agree
}

member_ids() {
    local name
    for name in "${MEMBERS[@]}"; do
        printf '%s\n' "${ID[$name]}"
    done
}

unbalanced() {
    local id even=$((SLOTS / PARAM_MASTERS)) off
    for id in "${IDS[@]}"; do
        if [[ -z ${WANTED[$id]:-} ]]; then
            ((N_SLOTS[$id] == 0)) || return 0
        else
            off=$((N_SLOTS[$id] - even))
            ((${off#-} * 100 <= even * 2)) || return 0
        fi
    done
    return 1
}

rebalance() {
    local id weights=()
    unbalanced || return 0
    # A master that waits for replicas takes no key without them, and what it takes has a copy from the start.
    place_replicas idle
    await_copies
    for id in "${IDS[@]}"; do
        is_master "$id" || continue
        weights+=("$id=$([[ -n ${WANTED[$id]:-} ]] && echo 1 || echo 0)")
    done
    wait_for 60 "all nodes to take part in the cluster" all_serve
    log "moving slots"
    manage rebalance --cluster-weight "${weights[@]}" --cluster-use-empty-masters --cluster-threshold 1 --cluster-pipeline 100
    agree
    ! unbalanced || die "slots are still unevenly spread after moving them" "$(redis "$SEED" CLUSTER NODES)"
    changed "slots rebalanced"
}

# A node that has just joined refuses keys for some seconds.
all_serve() {
    local name info
    for name in "${MEMBERS[@]}"; do
        info=$(redis_try "${ADDRESS[$name]}" CLUSTER INFO) || return 1
        [[ $(redis_field "$info" cluster_state) == ok ]] || return 1
    done
}

zone_of() {
    printf '%s' "${ZONE[${NAME[$1]}]}"
}

# Holds slots or keys, or is the copy of a leaving master that does.
in_use() {
    local master=${N_MASTER[$1]}
    if [[ $master == - ]]; then
        ((N_SLOTS[$1] > 0)) || [[ $(redis "${N_ADDRESS[$1]}" DBSIZE) != 0 ]]
    else
        [[ -z ${WANTED[$master]:-} ]] && ((${N_SLOTS[$master]:-0} > 0))
    fi
}

# place_replicas [idle]: puts members without slots behind the masters that lack a replica; whoever is well placed stays. Idle ones are those that
# nothing has to be moved from before.
place_replicas() {
    local master id best cost best_cost kept free=() rest=() lacking=() placed
    local -A taken=()
    for master in $(member_ids); do
        if [[ -z ${WANTED[$master]:-} ]] || ! is_master "$master"; then
            continue
        fi
        kept=0
        for id in $(replicas_of "$master"); do
            if is_member_id "$id" && [[ -z ${WANTED[$id]:-} ]] && ((kept < PARAM_REPLICAS_PER_MASTER)); then
                taken[$id]=yes
                kept=$((kept + 1))
            fi
        done
        for ((; kept < PARAM_REPLICAS_PER_MASTER; kept++)); do
            lacking+=("$master")
        done
    done
    for id in $(member_ids); do
        if [[ -n ${WANTED[$id]:-} || -n ${taken[$id]:-} ]] || { [[ ${1:-} == idle ]] && in_use "$id"; }; then
            continue
        fi
        free+=("$id")
    done
    for master in ${lacking[@]+"${lacking[@]}"}; do
        ((${#free[@]} > 0)) || break
        best='' best_cost=
        for id in "${free[@]}"; do
            # The same zone is bad; a zone that another master still needs is better left to it.
            cost=0
            [[ $(zone_of "$id") != "$(zone_of "$master")" ]] || cost=1000
            for placed in "${lacking[@]}"; do
                [[ $(zone_of "$placed") == "$(zone_of "$id")" ]] || cost=$((cost + 1))
            done
            if [[ -z $best ]] || ((cost < best_cost)); then
                best=$id best_cost=$cost
            fi
        done
        rest=()
        for id in "${free[@]}"; do
            [[ $id == "$best" ]] || rest+=("$id")
        done
        free=(${rest[@]+"${rest[@]}"})
        wait_for 30 "$(label "$best") to accept $(label "$master") as its master" \
            replicate "$best" "$master"
        changed "$(label "$best") replicates $(label "$master")"
    done
    look
}

# Until every replica of those that shall hold slots has received what its master holds.
await_copies() {
    local id
    for id in $(member_ids); do
        is_master "$id" || [[ -z ${WANTED[${N_MASTER[$id]}]:-} ]] ||
            try_for_copies "${SYNC_SECONDS:-300}" in_sync "${N_ADDRESS[$id]}" ||
            die "$(label "$id") doesn't get in sync with $(label "${N_MASTER[$id]}")" "$(redis "${N_ADDRESS[$id]}" INFO replication)"
    done
}

# try_for_copies SECONDS COMMAND…: like try_for, and as long as a copy is on its way, which takes a large node more time than anything else.
try_for_copies() {
    local until=$((SECONDS + 2400))
    until try_for "$@"; do
        if ((SECONDS >= until)) || ! copying; then
            return 1
        fi
    done
}

copying() {
    local name info
    for name in "${MEMBERS[@]}"; do
        info=$(redis_try "${ADDRESS[$name]}" INFO replication) || continue
        [[ $(redis_field "$info" master_sync_in_progress) != 1 ]] || return 0
    done
    return 1
}

replicate() {
    [[ $(redis_try "${N_ADDRESS[$1]}" CLUSTER REPLICATE "$2") == OK ]]
}

all_see_replicas() {
    local name master count id
    for name in "${MEMBERS[@]}"; do
        view "${ADDRESS[$name]}"
        for master in "${!WANTED[@]}"; do
            count=0
            for id in $(replicas_of "$master"); do
                ! is_member_id "$id" || count=$((count + 1))
            done
            ((count == PARAM_REPLICAS_PER_MASTER)) || return 1
        done
    done
    look
}

# A node that leaves owns nothing any more: it forgets everybody, and everybody forgets it.
forget_departing() {
    local id name address alive
    for id in $(departing); do
        # Copies take minutes, and a replica that leaves may have been elected meanwhile.
        look
        address=${N_ADDRESS[$id]} alive=no
        if alive "$id"; then
            alive=yes
            # Its own word: a member that was away believes for a moment that all is as before.
            view "$address"
        fi
        ((N_SLOTS[$id] == 0)) || die "$address, which leaves, took over from a member and holds ${N_SLOTS[$id]} slots: update again, to have them handed over"
        if [[ $alive == yes ]]; then
            # A replica isn't flushed: should it be elected at this moment, Redis refuses to reset it.
            if is_master "$id"; then
                redis "$address" FLUSHALL >/dev/null
            fi
            redis "$address" CLUSTER RESET HARD >/dev/null
        fi
        # Gossip would bring it back as long as another leaving node still tells of it.
        for name in "${MEMBERS[@]}"; do
            redis_try "${ADDRESS[$name]}" CLUSTER FORGET "$id" >/dev/null || true
        done
        changed "$address left"
    done
    wait_for 60 "all nodes to have forgotten those that left" all_forgot
}

all_forgot() {
    local name id
    for name in "${MEMBERS[@]}"; do
        view "${ADDRESS[$name]}"
        for id in $(departing); do
            redis_try "${ADDRESS[$name]}" CLUSTER FORGET "$id" >/dev/null || true
        done
        [[ -z $(departing) ]] || return 1
    done
    look
}

# Replicas first; a master hands over to a replica and restarts as one, so that each slot changes hands once.
restart_marked() {
    local pass id successor replica
    for pass in replica master; do
        for id in $(member_ids); do
            look
            if [[ $pass == replica ]] && is_master "$id"; then
                continue
            fi
            redis_restart_pending "${N_ADDRESS[$id]}" || continue
            if ((N_SLOTS[$id] > 0)); then
                successor=
                for replica in $(replicas_of "$id"); do
                    successor=${successor:-$replica}
                done
                if [[ -n $successor ]]; then
                    hand_over "$id" "$successor"
                else
                    note "$(label "$id") has no replica: its slots were away while it restarted"
                fi
            fi
            restart_node "$id"
        done
    done
}

restart_node() {
    local address=${N_ADDRESS[$1]} reply
    log "restarting Redis on $(label "$1")"
    # It closes the connection instead of an answer; systemd starts it again.
    reply=$(redis_as "$REDIS_PASSWORD" "$address" SHUTDOWN) || true
    [[ ! $reply =~ ^[A-Z]+\  ]] || die "Redis at $address refuses 'SHUTDOWN': $reply"
    wait_for 120 "Redis on $(label "$1") to come back after its restart" restarted "$address"
    wait_for 600 "$(label "$1") to take part in the cluster again" settled "$address"
    changed "$(label "$1") restarted"
    agree
}

restarted() {
    local users
    users=$(redis_try "$1" ACL USERS) || return 1
    [[ $users != *"$REDIS_RESTART_MARK"* ]]
}

settled() {
    local info
    info=$(redis_try "$1" CLUSTER INFO) || return 1
    [[ $(redis_field "$info" cluster_state) == ok ]] || return 1
    info=$(redis_try "$1" INFO replication) || return 1
    [[ $(redis_field "$info" role) == master ]] || in_sync "$1"
}

# Every node has learned the new password by now: what is neither it nor the previous one ends here.
drop_old_passwords() {
    local name address wanted current rule
    wanted=$(redis_digest "$SECRET_PASSWORD")
    rule="ACL SETUSER default resetpass >$SECRET_PASSWORD"
    if [[ -n ${SECRET_PREVIOUS_PASSWORD:-} ]]; then
        wanted+=$'\n'$(redis_digest "$SECRET_PREVIOUS_PASSWORD")
        rule+=" >$SECRET_PREVIOUS_PASSWORD"
    fi
    for name in "${MEMBERS[@]}"; do
        address=${ADDRESS[$name]}
        current=$(redis "$address" ACL GETUSER default | grep -E '^[0-9a-f]{64}$' | sort)
        if [[ $current != "$(sort <<<"$wanted")" ]]; then
            [[ $(printf '%s\n' "$rule" | redis_as "$REDIS_PASSWORD" "$address") == OK ]] ||
                die "$name refuses its new list of passwords"
            changed "passwords of $name"
        fi
    done
}

# Last: a master refuses to write without them, so they are asked for when they follow. redis/node asks for fewer at once.
ask_for_replicas() {
    local name current
    for name in "${MEMBERS[@]}"; do
        current=$(redis "${ADDRESS[$name]}" CONFIG GET min-replicas-to-write | tail -n 1)
        if ((current < PARAM_MIN_REPLICAS_TO_WRITE)); then
            redis "${ADDRESS[$name]}" CONFIG SET min-replicas-to-write "$PARAM_MIN_REPLICAS_TO_WRITE" >/dev/null
            changed "min-replicas-to-write = $PARAM_MIN_REPLICAS_TO_WRITE on $name"
        fi
    done
}

healthy() {
    local name info id replicas
    for name in "${MEMBERS[@]}"; do
        info=$(redis_try "${ADDRESS[$name]}" CLUSTER INFO) || return 1
        PROBLEM="$name reports cluster_state:$(redis_field "$info" cluster_state)"
        [[ $(redis_field "$info" cluster_state) == ok ]] || return 1
        PROBLEM="$name counts $(redis_field "$info" cluster_slots_ok) of $SLOTS slots as served"
        [[ $(redis_field "$info" cluster_slots_ok) == "$SLOTS" ]] || return 1
        PROBLEM="$name knows $(redis_field "$info" cluster_known_nodes) nodes instead of ${#MEMBERS[@]}"
        [[ $(redis_field "$info" cluster_known_nodes) == "${#MEMBERS[@]}" ]] || return 1
        view "${ADDRESS[$name]}"
        for id in "${IDS[@]}"; do
            PROBLEM="$name does not reach $(label "$id")"
            [[ ${N_FLAGS[$id]} != *fail* ]] || return 1
        done
    done
    look
    for id in $(holders); do
        replicas=$(replicas_of "$id")
        PROBLEM="$(label "$id") has $(wc -w <<<"$replicas") replicas instead of $PARAM_REPLICAS_PER_MASTER"
        (($(wc -w <<<"$replicas") == PARAM_REPLICAS_PER_MASTER)) || return 1
    done
    PROBLEM="the slots are spread over $(holders | wc -l) masters instead of $PARAM_MASTERS"
    (($(holders | wc -l) == PARAM_MASTERS)) || return 1
    for id in "${IDS[@]}"; do
        PROBLEM="$(label "$id") is not in sync with its master"
        is_master "$id" || in_sync "${N_ADDRESS[$id]}" || return 1
    done
}

verify() {
    local id replica zones
    PROBLEM=
    try_for_copies "${VERIFY_SECONDS:-300}" healthy || die "the cluster is not healthy: $PROBLEM" "$(redis "$SEED" CLUSTER NODES)"
    zones=$(printf '%s\n' "${ZONE[@]}" | sort -u | wc -l)
    for id in $(holders); do
        for replica in $(replicas_of "$id"); do
            if ((zones > 1)) && [[ $(zone_of "$replica") == "$(zone_of "$id")" ]]; then
                note "$(label "$replica") stands in the same zone as its master $(label "$id")"
            fi
        done
    done
}

topology() {
    local id
    for id in $(member_ids); do
        if is_master "$id"; then
            printf '%s=master:%s\n' "$(label "$id")" "${N_SLOTS[$id]}"
        else
            printf '%s=replica:%s\n' "$(label "$id")" "$(label "${N_MASTER[$id]}")"
        fi
    done
}

main() {
    local nodes
    require_params PARAM_MEMBERS PARAM_MASTERS PARAM_REPLICAS_PER_MASTER PARAM_MIN_REPLICAS_TO_WRITE PARAM_TLS SECRET_PASSWORD
    parse_members
    identify
    refuse_amnesia
    if [[ -n $(departing) ]]; then
        succeed_the_dead
    fi
    join
    close_open_slots
    succeed_the_leaving
    choose_masters
    free_replicas
    # Slots of a dead node that nobody took over are free only when it is forgotten.
    forget_the_dead
    assign_free_slots
    rebalance
    look
    place_replicas
    wait_for 30 "all nodes to see all replicas" all_see_replicas
    # Copies that leave go only when the new ones hold everything.
    [[ -z $(departing) ]] || await_copies
    forget_departing
    verify
    restart_marked
    drop_old_passwords
    verify
    ask_for_replicas
    mapfile -t nodes < <(topology)
    finish masters:="$(holders | wc -l)" slots:="$SLOTS" nodes:="$(json_list "${nodes[@]}")"
}

forget_the_dead() {
    local id name
    for id in $(departing); do
        if ((N_SLOTS[$id] > 0)); then
            try_for "${GONE_SECONDS:-180}" fate_known "$id" ||
                die "$(label "$id") holds ${N_SLOTS[$id]} slots and can't be asked: start its Redis, or wait until it has loaded its data; if it is gone for good, run CLUSTER FORGET $id on all members within a minute"
        fi
        if [[ -n ${N_FLAGS[$id]:-} ]] && ! alive "$id"; then
            for name in "${MEMBERS[@]}"; do
                redis_try "${ADDRESS[$name]}" CLUSTER FORGET "$id" >/dev/null || true
            done
            changed "$(label "$id") forgotten: it is gone"
        fi
    done
    look
}

# A node that misses one look may only be slow: it answers, or the cluster has given it up.
fate_known() {
    look
    [[ -z ${N_FLAGS[$1]:-} ]] || alive "$1" || { is_failed "$1" && ! loads "${N_ADDRESS[$1]}"; }
}

# Its keys will be back.
loads() {
    [[ $(redis_as "$REDIS_PASSWORD" "$1" PING) == *LOADING* ]]
}

# shellcheck shell=bash
# A Redis Cluster as a whole: who belongs to it, who holds slots, who could take over. Asks the member that knows it best.
# doctor: any host
# Parameters and secrets: those of redis/cluster.

# view ADDRESS: "STANDING ADDRESS NODES", CLUSTER NODES on one line; nothing without an answer.
view() {
    local info nodes
    info=$(REDIS_TIMEOUT=5 redis_try "$1" CLUSTER INFO) && nodes=$(REDIS_TIMEOUT=5 redis_try "$1" CLUSTER NODES) || return 0
    # Whoever answers marks itself.
    printf '%s %s %s\n' "$(redis_standing "$info")" "$1" "$(printf '%s\n' "${nodes/myself,/}" | base64 -w 0)"
}

# All at once, since silent ones take their time; the best point of view is the last.
views() {
    local item
    for item in $PARAM_MEMBERS; do
        view "${item#*=}" &
    done | sort
}

# slots(): how many the node of a line of CLUSTER NODES holds, for awk. Those on the move stand in brackets, beside.
# shellcheck disable=SC2016 # it is awk's text
SLOTS='function slots(  i, range, sum) {
    for (i = 9; i <= NF; i++) if ($i !~ /^\[/) sum += split($i, range, "-") == 2 ? range[2] - range[1] + 1 : 1
    return sum + 0
}
'

# outline NODES-OF-A-VIEW: the nodes and how many slots each has, which members in touch agree on.
outline() {
    base64 -d <<<"$1" | awk "$SLOTS"'$3 !~ /handshake/ { print $1, slots() }' | sort
}

# differing VIEWS: addresses of the members that know other nodes than the last one does, or other owners of the slots.
differing() {
    local address nodes best
    best=$(outline "${1##* }")
    while read -r _ address nodes; do
        [[ $(outline "$nodes") == "$best" ]] || printf ' %s ' "$address"
    done <<<"$1"
}

# Findings out of CLUSTER NODES on the members that are missing or failing there, or that see it otherwise, and on strangers.
check_members() {
    local nodes=$1 differing=$2 item address flags line what known='' broken=() strangers=()
    for item in $PARAM_MEMBERS; do
        address=${item#*=}
        known+=" $address "
        line=$(awk -v address="$address" '{ split($2, part, "@") } part[1] == address { print $3, $8 }' <<<"$nodes")
        flags=${line% *}
        what=''
        if [[ ,$flags, == *,fail,* || ,$flags, == *,fail\?,* || ,$flags, == *,noaddr,* ]]; then
            what='does not answer the others'
        fi
        [[ $differing != *" $address "* ]] || what+="${what:+ and }sees another cluster than the member that knows it best"
        [[ -n $line ]] || what='is not in it'
        [[ -z $what ]] || broken+=("${item%%=*} ($address) $what")
    done
    while read -r address; do
        [[ $known == *" $address "* ]] || strangers+=("$address")
    # One whose place another has taken has no address any more.
    done < <(awk '{ split($2, part, "@"); print part[1] ~ /^:/ ? $1 : part[1] }' <<<"$nodes")
    ((${#strangers[@]} == 0)) || broken+=("${strangers[*]} belongs to no host of the stack")
    if ((${#broken[@]} == 0)); then
        ok members "all $(wc -w <<<"$PARAM_MEMBERS") are in touch"
    else
        fail members "$(printf '%s; ' "${broken[@]}")see to those hosts, then run $(step_again)"
    fi
}

check_slots() {
    local nodes=$1 covered moving
    # Slots in the hands of a failed master are as good as lost.
    covered=$(awk "$SLOTS"'$3 !~ /fail|noaddr/ { sum += slots() } END { print sum + 0 }' <<<"$nodes")
    moving=$(grep -c '\[' <<<"$nodes" || true)
    if ((covered < 16384)); then
        fail slots "$((16384 - covered)) of 16384 have no living master, keys in them are refused: bring their hosts back; with all members there, $(step_again) gives slots without an owner to the masters, empty"
    elif ((moving > 0)); then
        warn slots "some are on the move: unless an update is running, $(step_again) finishes it"
    else
        ok slots "all 16384 are served"
    fi
}

# A master without a replica loses its slots with its host.
check_copies() {
    local nodes=$1 masters lacking
    masters=$(awk '$3 ~ /master/ && $3 !~ /fail|noaddr/ && NF > 8' <<<"$nodes" | wc -l)
    lacking=$(awk -v wanted="$PARAM_REPLICAS_PER_MASTER" -v members="$PARAM_MEMBERS" '
        BEGIN { n = split(members, item, " "); for (i = 1; i <= n; i++) { split(item[i], part, "="); name[part[2]] = part[1] } }
        $3 ~ /fail|noaddr/ { next }
        $3 ~ /master/ && NF > 8 { split($2, part, "@"); address[$1] = part[1] }
        $3 ~ /slave/ && $8 == "connected" { copies[$4]++ }
        END { for (id in address) if (copies[id] < wanted) printf "%s has %d of %d; ", name[address[id]], copies[id], wanted }' <<<"$nodes")
    if ((masters != PARAM_MASTERS)); then
        fail masters "$masters hold slots instead of $PARAM_MASTERS: with all members there, run $(step_again)"
    else
        ok masters "$masters"
    fi
    if [[ -n $lacking ]]; then
        fail replicas "${lacking%; }: bring their hosts back; with all members there, run $(step_again)"
    else
        ok replicas "$PARAM_REPLICAS_PER_MASTER for each master"
    fi
}

check() {
    local seen nodes
    seen=$(views)
    # What is new reaches all within moments.
    [[ -z $(differing "$seen") ]] || { sleep 2 && seen=$(views); }
    if [[ -z $seen ]]; then
        fail members "none of ${PARAM_MEMBERS// /, } answers"
        return 0
    fi
    nodes=$(base64 -d <<<"${seen##* }")
    if [[ $(outline "${seen##* }" | awk '{ sum += $2 } END { print sum + 0 }') == 0 ]]; then
        # The step would begin one without any key.
        fail members "none of those that answer knows a cluster with slots: see whether their data folders and disks are there; if the keys may go, $(step_again) begins an empty one"
        return 0
    fi
    check_members "$nodes" "$(differing "$seen")"
    check_slots "$nodes"
    check_copies "$nodes"
}

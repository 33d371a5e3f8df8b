# shellcheck shell=bash
# Brings a replicated volume to a list of bricks. Runs on the first of the servers, and then on the second, which does it where the first is
# a machine that is to be taken in; every one of them runs storage/gluster-server already.
#
# PARAM_DIRECTED       on the second server alone: whether the first has done it
# PARAM_VOLUME         its name
# PARAM_ADDRESS        this host's
# PARAM_BRICKS         "address:/path …": three, the last one is the arbiter if there is one
# PARAM_ARBITER        true or false: the third brick holds names and versions only, no content
# PARAM_MACHINES       "address=identity …" of the servers: another machine under a server's address has another identity
# PARAM_CLIENTS        addresses that may mount it; none means nobody
# PARAM_PING_TIMEOUT   seconds after which clients go on without a server that is silent
# PARAM_ON_SYSTEM_DISK true or false: bricks may stand on the system disk
# PARAM_TLS            true or false
#
# Each phase looks at the volume as it is and does what is missing, so a run that was cut off is finished by the next one.

BRICKS=()

# gluster_do COMMAND…: fails with what it says. One that was cut off holds the volume's lock for three more minutes.
gluster_do() {
    local output status=0 until=$((SECONDS + ${GLUSTER_LOCK_SECONDS:-240}))
    while true; do
        output=$(timeout "${GLUSTER_TIMEOUT:-120}" gluster --mode=script "$@" 2>&1 </dev/null) || status=$?
        ((status != 0)) || return 0
        if [[ $output != *"Another transaction is in progress"* ]] || ((SECONDS > until)); then
            [[ $output != *"is not a directory"* ]] ||
                die "the data disk of this brick is not mounted on its server: mount it there (\`mount -a\`, and the doctor, tell more), then update again" "$output"
            die "'gluster $*' ended with status $status" "$output"
        fi
        status=0
        sleep 2
    done
}

brick_addresses() {
    printf '%s\n' "${BRICKS[@]%%:*}"
}

peer_state() {
    gluster_pool | awk -v address="$1" '$2 == address { print $3 }'
}

is_connected() {
    [[ $(peer_state "$1") == Connected ]]
}

# The server that has the volume, where this one doesn't: servers take in new ones, and nobody is taken in by a machine that is new.
volume_elsewhere() {
    local address
    ! gluster_bricks "$PARAM_VOLUME" >/dev/null || return 0
    for address in $(brick_addresses); do
        # Of its peers, one that has taken over a lost machine's place receives the volume by itself.
        [[ $address != "$PARAM_ADDRESS" && -z $(peer_state "$address") ]] || continue
        ! GLUSTER_TIMEOUT=10 gluster_bricks "$PARAM_VOLUME" "$address" >/dev/null || {
            printf '%s' "$address"
            return 0
        }
    done
}

# Whoever directs the next change knows from it which machines are new.
remember_machines() {
    tr ' ' '\n' <<<"${PARAM_MACHINES:-}" >"$(machines_file)"
}

probe_peers() {
    local address
    for address in $(brick_addresses); do
        [[ $address != "$PARAM_ADDRESS" ]] || continue
        if [[ -z $(peer_state "$address") ]]; then
            wait_for 120 "glusterd on $address to answer" gluster_answers "$address"
            gluster_do peer probe "$address"
            changed "$address joined"
        fi
        wait_for 60 "$address to be connected" is_connected "$address"
    done
}

create_volume() {
    local replica=(replica 3) force=()
    [[ $PARAM_ARBITER == false ]] || replica+=(arbiter 1)
    [[ $PARAM_ON_SYSTEM_DISK == false ]] || force=(force)
    gluster_do volume create "$PARAM_VOLUME" "${replica[@]}" transport tcp "${BRICKS[@]}" ${force[@]+"${force[@]}"}
    changed "volume $PARAM_VOLUME created"
}

# What a volume is made of can't change under it.
refuse_other_kind() {
    local info arbiter=false
    info=$(gluster_try volume info "$PARAM_VOLUME")
    ! grep -q 'x (2 + 1) = ' <<<"$info" || arbiter=true
    [[ $arbiter == "$PARAM_ARBITER" ]] ||
        die "arbiter: volume $PARAM_VOLUME was made with arbiter $arbiter: keep that, or create a volume beside it and move the data"
}

set_options() {
    local option value current options
    options="cluster.quorum-type auto
cluster.server-quorum-type server
network.ping-timeout $PARAM_PING_TIMEOUT
auth.allow $(allowed)"
    [[ $PARAM_TLS == false ]] || options+=$'\nclient.ssl on\nserver.ssl on'
    while read -r option value; do
        current=$(gluster_try volume info "$PARAM_VOLUME" | sed -n "s/^${option//./\\.}: //p")
        if [[ $current != "$value" ]]; then
            gluster_do volume set "$PARAM_VOLUME" "$option" "$value"
            changed "$option = $value"
        fi
    done <<<"$options"
}

# The servers mount it too, when they heal it.
allowed() {
    # shellcheck disable=SC2086 # a list of words
    { brick_addresses && printf '%s\n' ${PARAM_CLIENTS:-}; } | sort -u | paste -sd,
}

start_volume() {
    local info
    # Not a pipe: grep -q leaves early, and the writer's broken pipe would count as a failure.
    info=$(gluster_try volume info "$PARAM_VOLUME") || die "can't read volume $PARAM_VOLUME"
    if ! grep -qx 'Status: Started' <<<"$info"; then
        gluster_do volume start "$PARAM_VOLUME"
        changed "volume $PARAM_VOLUME started"
    fi
}

# Bricks whose process doesn't run. Of a server that is away, nothing is told.
bricks_down() {
    local all status
    all=$(gluster_bricks "$PARAM_VOLUME") || return 1
    status=$(gluster_try volume status "$PARAM_VOLUME" detail) || return 1
    only_in_first "$all" "$(awk '/^Brick +:/ { brick = $NF } /^Online +:/ && $3 == "Y" { print brick }' <<<"$status")"
}

all_online() {
    local down
    down=$(bricks_down) && [[ -z $down ]]
}

# A brick that is about to leave may be down.
wanted_online() {
    local down brick
    down=$(bricks_down) || return 1
    for brick in "${BRICKS[@]}"; do
        ! grep -qxF "$brick" <<<"$down" || return 1
    done
}

# The machines whose bricks were served at the end of the last run, and those of which a run that was cut off has taken a brick.
machines_file() {
    printf '%s/multihost-%s.machines' "$GLUSTERD_STATE" "$PARAM_VOLUME"
}

# machine_of ADDRESS <"address=identity" LINES
machine_of() {
    awk -v start="$1=" 'index($0, start) == 1 { print substr($0, length(start) + 1) }'
}

# brick_is_new BRICK: certainly empty, because it is so here, or because its server is another machine than the one that served it.
brick_is_new() {
    local address=${1%%:*} path=${1#*:} before now
    if [[ $address == "$PARAM_ADDRESS" ]]; then
        [[ -d $path && -z $(ls -A "$path") ]]
        return
    fi
    [[ -e $(machines_file) ]] || return 1
    before=$(machine_of "$address" <"$(machines_file)")
    [[ $before != unknown ]] || return 1
    now=$(tr ' ' '\n' <<<"${PARAM_MACHINES:-}" | machine_of "$address")
    [[ -n $before && -n $now && $before != "$now" ]]
}

# A machine that was replaced under the same address has an empty brick, which no process serves until it is taken for new. This comes
# before anything waits for copies to be whole: while a brick is down, what was written without it waits for it.
revive_bricks() {
    local down
    try_for "${BRICK_SECONDS:-10}" wanted_online && return 0
    # Starts only what doesn't run.
    gluster_do volume start "$PARAM_VOLUME" force
    while ! try_for "${BRICK_SECONDS:-20}" wanted_online; do
        down=$(bricks_down) || die "can't read the state of volume $PARAM_VOLUME"
        # Who is taken for new gives its files up. The two others are a quorum and know the last state of each; one alone may have missed it.
        [[ $down != *$'\n'* ]] ||
            die "more than one copy of volume $PARAM_VOLUME does not start: bring back one of them by hand, see /var/log/glusterfs/bricks on its server" "$down"
        # Between two looks, it may have started, or be the one that is about to leave.
        grep -qxF "${down:-none}" <(printf '%s\n' "${BRICKS[@]}") || continue
        refuse_second_copy "$down"
        # Any other may only be slow, or have its disk mounted a minute later, and would give up a copy that is whole.
        if ! brick_is_new "$down"; then
            log "$down does not start: it counts as lost in ${LOST_SECONDS:-300} s"
            ! try_for "${LOST_SECONDS:-300}" is_online "$down" || continue
            [[ $(bricks_down) == "$down" ]] || continue
        fi
        copy_begins "$down"
        gluster_do volume reset-brick "$PARAM_VOLUME" "$down" start
        gluster_do volume reset-brick "$PARAM_VOLUME" "$down" "$down" commit force
        heal_all
        wait_for 60 "$down to be online" is_online "$down"
        wait_healed
    done
    changed "bricks started that were down"
}

is_online() {
    local down
    down=$(bricks_down) && ! grep -qxF "$1" <<<"$down"
}

# The brick whose copy is being made: kept, because a run may be cut off before the copy is whole.
copy_mark() {
    printf '%s/multihost-%s.copying' "$GLUSTERD_STATE" "$PARAM_VOLUME"
}

copy_begins() {
    printf '%s\n' "$1" >"$(copy_mark)"
}

# refuse_second_copy BRICK: with two copies under way, a file could have no complete one left.
refuse_second_copy() {
    local mark
    mark=$(copy_mark)
    [[ ! -e $mark || $(<"$mark") == "$1" ]] ||
        die "$1 is down while the copy of $(<"$mark") may not be whole: bring $1 back by hand; if that copy is whole, remove $mark"
}

# only_in_first LINES LINES
only_in_first() {
    grep -vxF -f <(printf '%s\n' "$2") <<<"$1" || true
}

replace_bricks() {
    local current wanted old new down
    wanted=$(printf '%s\n' "${BRICKS[@]}")
    while true; do
        current=$(gluster_bricks "$PARAM_VOLUME") || die "can't read the bricks of volume $PARAM_VOLUME"
        old=$(only_in_first "$current" "$wanted")
        [[ -n $old ]] || break
        new=$(only_in_first "$wanted" "$current")
        old=${old%%$'\n'*} new=${new%%$'\n'*}
        # One copy after the other. With the leaving brick down, what waits for it would wait for ever.
        down=$(bricks_down) || die "can't read the state of volume $PARAM_VOLUME"
        if [[ $down == "$old" ]]; then refuse_second_copy "$old"; else wait_healed; fi
        copy_begins "$new"
        gluster_do volume replace-brick "$PARAM_VOLUME" "$old" "$new" commit force
        changed "$new takes the place of $old"
        heal_all
    done
}

# A server's healing process is started anew with every change of the bricks, and refuses until it is there.
heal_all() {
    wait_for 120 "the servers to begin to heal $PARAM_VOLUME" heal_begins
}

heal_begins() {
    gluster_try volume heal "$PARAM_VOLUME" full >/dev/null
}

# No brick has files to receive. Not known when a server doesn't tell.
is_healed() {
    local summary
    summary=$(gluster_try volume heal "$PARAM_VOLUME" info summary) || return 1
    # Each copy claims to be the right one, and time doesn't tell which is.
    [[ $(heal_entries "Number of entries in split-brain" "$summary") == 0 ]] ||
        die "volume $PARAM_VOLUME has files whose copies contradict each other, which heal by nobody's doing but yours: see gluster volume heal $PARAM_VOLUME info split-brain, and say which copy is right with gluster volume heal $PARAM_VOLUME split-brain"
    [[ $(heal_entries "Total Number of entries" "$summary") == 0 ]]
}

wait_healed() {
    wait_for "${HEAL_SECONDS:-3600}" "volume $PARAM_VOLUME to heal: see gluster volume heal $PARAM_VOLUME info" is_healed
    rm -f "$(copy_mark)"
}

# What a run that replaces bricks may leave half done: without it, the next one would not know whom this volume has left.
remember_servers() {
    local brick known=''
    [[ ! -e $(machines_file) ]] || known=$(<"$(machines_file)")
    while IFS= read -r brick; do
        [[ -z $brick || -n $(machine_of "${brick%%:*}" <<<"$known") ]] || known+=$'\n'"${brick%%:*}=unknown"
    done <<<"$(gluster_bricks "$PARAM_VOLUME" || true)"
    printf '%s\n' "$known" >"$(machines_file)"
}

# Servers of this volume's that no volume needs any more. Others in the pool are another storage's.
detach_peers() {
    local address wanted used
    wanted=$(brick_addresses)
    used=$(gluster_try volume info | sed -n 's/^Brick[0-9]*: \([^:]*\):.*/\1/p') || die "can't read the volumes of this pool"
    for address in $(gluster_pool | awk '$2 != "localhost" { print $2 }'); do
        if [[ -n $(machine_of "$address" <"$(machines_file)") ]] && ! grep -qxF "$address" <<<"$wanted"$'\n'"$used"; then
            # force: the server may be gone already.
            gluster_do peer detach "$address" force
            changed "$address left"
        fi
    done
}

main() {
    local elsewhere
    require_params PARAM_VOLUME PARAM_ADDRESS PARAM_BRICKS PARAM_ARBITER PARAM_PING_TIMEOUT PARAM_ON_SYSTEM_DISK PARAM_TLS
    read -ra BRICKS <<<"$PARAM_BRICKS"
    ((${#BRICKS[@]} == 3)) || die "a volume takes three bricks, not ${#BRICKS[@]}: with two, neither of them can tell who is right"
    wait_for 60 "glusterd to answer" gluster_answers
    if [[ ${PARAM_DIRECTED:-} == true ]]; then
        remember_machines
        finish volume="$PARAM_VOLUME" bricks="${BRICKS[*]}"
        return 0
    fi
    elsewhere=$(volume_elsewhere)
    if [[ -n $elsewhere ]]; then
        [[ ${PARAM_DIRECTED:-} != false ]] ||
            die "hosts: the first two are new, and $elsewhere has volume $PARAM_VOLUME already: one of them has to have it. Put $elsewhere first"
        log "$PARAM_ADDRESS is new, and the second server takes it in"
        finish volume="$PARAM_VOLUME" bricks="${BRICKS[*]}" directed:=false
        return 0
    fi
    probe_peers
    if gluster_bricks "$PARAM_VOLUME" >/dev/null; then
        refuse_other_kind
    else
        create_volume
    fi
    remember_servers
    set_options
    start_volume
    revive_bricks
    replace_bricks
    wait_for 60 "every brick of $PARAM_VOLUME to be online" all_online
    wait_healed
    detach_peers
    remember_machines
    finish volume="$PARAM_VOLUME" bricks="${BRICKS[*]}" directed:=true
}

#!/usr/bin/env bats
# redis/cluster against real Redis processes over TLS on loopback; only the machines around them are missing.

bats_require_minimum_version 1.5.0
load helper

password=correct-horse-battery-1
base=${REDIS_TEST_BASE:-27300}

setup_file() {
    command -v redis-server >/dev/null || skip "redis-server is not installed"
    # Writes down what any other user of the host could read in the list of processes.
    mkdir "$BATS_FILE_TMPDIR/bin"
    printf '#!/bin/sh\necho "$*" >>%q\nexec %q "$@"\n' "$BATS_FILE_TMPDIR/argv" "$(command -v redis-cli)" >"$BATS_FILE_TMPDIR/bin/redis-cli"
    chmod 0755 "$BATS_FILE_TMPDIR/bin/redis-cli"
    export PATH=$BATS_FILE_TMPDIR/bin:$PATH
    export REDIS_ETC=$BATS_FILE_TMPDIR/etc
    mkdir -p "$REDIS_ETC"
    cd "$REDIS_ETC"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-ca 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout node.key -out node.csr -subj /CN=node 2>/dev/null
    openssl x509 -req -in node.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out node.crt \
        -extfile <(printf 'subjectAltName=IP:127.0.0.1,IP:127.0.0.2\nextendedKeyUsage=serverAuth,clientAuth\n') 2>/dev/null
    for number in 1 2 3 4 5 6 7 8; do
        node_start "$number"
    done
}

teardown_file() {
    local file
    for file in "$BATS_FILE_TMPDIR"/node-*/supervisor.pid; do
        [[ ! -e $file ]] || kill "$(<"$file")" 2>/dev/null || true
    done
    for file in "$BATS_FILE_TMPDIR"/node-*/redis.pid; do
        [[ ! -e $file ]] || kill -9 "$(<"$file")" 2>/dev/null || true
    done
}

# As systemd does with Restart=always.
node_start() {
    local folder=$BATS_FILE_TMPDIR/node-$1 port=$((base + $1))
    mkdir -p "$folder"
    [[ -e $folder/users.acl ]] || printf 'user default on >%s ~* &* +@all\n' "$password" >"$folder/users.acl"
    cat >"$folder/redis.conf" <<CONF
bind ${ip:-127.0.0.1}
port 0
tls-port $port
tls-cluster yes
tls-replication yes
tls-auth-clients no
tls-ca-cert-file $REDIS_ETC/ca.crt
tls-cert-file $REDIS_ETC/node.crt
tls-key-file $REDIS_ETC/node.key
dir $folder
pidfile $folder/redis.pid
daemonize no
aclfile $folder/users.acl
masterauth $password
cluster-enabled yes
cluster-announce-ip ${ip:-127.0.0.1}
cluster-node-timeout 2000
cluster-require-full-coverage no
cluster-allow-replica-migration no
appendonly yes
save ""
repl-diskless-sync-delay 0
CONF
    (
        trap 'exit 0' TERM
        while true; do
            redis-server "$folder/redis.conf" >>"$folder/log" 2>&1 &
            printf '%s\n' "$!" >"$folder/redis.pid"
            wait "$!" || true
            sleep 0.2
        done
    ) </dev/null >/dev/null 2>&1 3>&- 4>&- &
    printf '%s\n' "$!" >"$folder/supervisor.pid"
}

node_kill() {
    local folder=$BATS_FILE_TMPDIR/node-$1
    kill "$(<"$folder/supervisor.pid")"
    kill -9 "$(<"$folder/redis.pid")"
}

members() {
    local number
    for number in "$@"; do
        printf 'n%s=%s:%s ' "$number" "${ip:-127.0.0.1}" "$((base + number))"
    done
}

zones() {
    local number
    for number in "$@"; do
        printf 'n%s=zone-%s ' "$number" "$((number % 2))"
    done
}

# converge MASTERS REPLICAS NUMBER…
converge() {
    local masters=$1 replicas=$2
    shift 2
    step redis/cluster MEMBERS="$(members "$@")" ZONES="$(zones "$@")" MASTERS="$masters" REPLICAS_PER_MASTER="$replicas" \
        MIN_REPLICAS_TO_WRITE="${quorum:-0}" TLS=true \
        -- PASSWORD="$password" ${previous:+PREVIOUS_PASSWORD="$previous"}
}

cli() {
    local number=$1
    shift
    REDISCLI_AUTH=$password redis-cli --tls --cacert "$REDIS_ETC/ca.crt" -h "${ip:-127.0.0.1}" -p "$((base + number))" --no-auth-warning "$@"
}

# A client that counts on every write that was acknowledged.
writer_start() {
    (
        n=0
        while [[ ! -e $BATS_FILE_TMPDIR/writer.stop ]]; do
            for n in $(seq "$((n + 1))" "$((n + 50))"); do
                printf 'SET %s:%s %s\n' "$1" "$n" "$n"
            done | cli "$2" -c >/dev/null 2>&1
            printf '%s\n' "$n" >"$BATS_FILE_TMPDIR/writer.count"
        done
    ) </dev/null 3>&- 4>&- &
    writer=$!
}

writer_stop() {
    touch "$BATS_FILE_TMPDIR/writer.stop"
    wait "$writer"
    rm "$BATS_FILE_TMPDIR/writer.stop"
}

present() {
    local n
    for n in $(seq 1 "$(<"$BATS_FILE_TMPDIR/writer.count")"); do
        printf 'GET %s:%s\n' "$1" "$n"
    done | cli "$2" -c 2>/dev/null | grep -cE '^[0-9]+$'
}

@test "begins no empty cluster where another one worked before" {
    STEP_EVENT=update run --separate-stderr converge 3 1 1 2 3 4 5 6
    echo "$stderr"
    [[ $status != 0 && $stderr == *"the keys are on the machines of before: put those back"*'--replace "**::test"'* ]]
    [[ $(cli 1 CLUSTER INFO) == *cluster_known_nodes:1* ]]
}

@test "creates three masters with a replica each, in another zone" {
    run --separate-stderr converge 3 1 1 2 3 4 5 6
    echo "$stderr" "$output"
    [[ $status == 0 && $(field masters) == 3 && $(field slots) == 16384 ]]
    [[ $output != *notes* ]]
    [[ $(cli 4 CLUSTER INFO) == *cluster_state:ok* ]]
}

@test "a second run changes nothing" {
    STEP_EVENT=update run --separate-stderr converge 3 1 1 2 3 4 5 6
    echo "$stderr" "$output"
    [[ $status == 0 && $(field changed) == "[]" ]]
}

# examine NUMBER…: what the doctor finds in a cluster of three masters with a replica each.
examine() {
    run --separate-stderr doctor redis/cluster MEMBERS="$(members "$@")" MASTERS=3 REPLICAS_PER_MASTER=1 TLS=true -- PASSWORD="$password"
    echo "$stderr" "$output"
    [[ $status == 0 ]]
}

@test "the doctor finds nothing wrong with it, whoever is asked" {
    examine 1 2 3 4 5 6
    [[ $(found members) == "ok: all 6 are in touch" && $(found slots) == "ok: all 16384 are served" ]]
    [[ $(found masters) == "ok: 3" && $(found replicas) == "ok: 1 for each master" ]]
}

@test "the doctor tells members that are missing, strangers, and who answers nobody" {
    examine 1 2 3 4 5
    [[ $(found members) == "failed: 127.0.0.1:$((base + 6)) belongs to no host of the stack; "*'then run `pulumi up --target-replace "**::its-step"`' ]]
    examine 7 8
    [[ $(found members) == "failed: none of those that answer knows a cluster with slots"* && -z $(found slots) ]]
    examine 1 2 3 4 5 6 7
    [[ $(found members) == "failed: n7 (127.0.0.1:$((base + 7))) is not in it"* ]]
    run --separate-stderr doctor redis/cluster MEMBERS="x=127.0.0.1:1" MASTERS=3 REPLICAS_PER_MASTER=1 TLS=true -- PASSWORD="$password"
    [[ $status == 0 && $(found members) == "failed: none of x=127.0.0.1:1 answers" ]]
}

# finds CHECK PATTERN: examines all six until the finding is like that.
finds() {
    local attempt
    for attempt in $(seq 60); do
        examine 1 2 3 4 5 6 >/dev/null
        # shellcheck disable=SC2053 # a pattern
        [[ $(found "$1") != $2 ]] || return 0
        sleep 0.5
    done
    echo "$output"
    return 1
}

@test "the doctor believes the member that knows the cluster best, and names those that know less" {
    local id address number
    id=$(cli 1 CLUSTER NODES | awk '/master/ && !/myself/ { print $1; exit }')
    for number in 2 3 4 5 6; do
        [[ $(cli "$number" CLUSTER FORGET "$id") != OK ]] || break
    done
    examine "$number" 1
    [[ $(found members) == "failed: n$number (127.0.0.1:$((base + number))) sees another cluster than the member that knows it best; "* ]]
    address=$(cli 1 CLUSTER NODES | awk -v id="$id" '$1 == id { print $2 }')
    address=${address%@*}
    cli "$number" CLUSTER MEET "${address%:*}" "${address##*:}"
    finds members "ok*"

    # A master that begins anew, and is asked first; its replica has taken over.
    number=$((${address##*:} - base))
    node_kill "$number"
    rm -rf "$BATS_FILE_TMPDIR/node-$number"/{nodes.conf,appendonlydir,appendonly.aof}
    finds members "failed: n$number ($address) does not answer the others*"
    finds slots "ok*"
    node_start "$number"
    try_answer "$number"
    # shellcheck disable=SC2046 # a list of numbers
    examine "$number" $(seq 6 | grep -vx "$number")
    [[ $(found members) == "failed: n$number ($address) is not in it; $id belongs to no host"* && $(found slots) == ok* && $(found masters) == ok* ]]
    run --separate-stderr converge 3 1 1 2 3 4 5 6
    echo "$stderr" "$output"
    [[ $status == 0 ]]
    finds members "ok*"
}

try_answer() {
    local attempt
    for attempt in $(seq 50); do
        [[ $(cli "$1" PING 2>/dev/null) != PONG ]] || return 0
        sleep 0.2
    done
    return 1
}

@test "the doctor names a node that died and the master that has no copy without it" {
    local address dead
    address=$(cli 1 CLUSTER NODES | awk '/slave/ && !/myself/ { print $2 }' | head -1)
    address=${address%@*}
    dead=$((${address##*:} - base))
    node_kill "$dead"
    finds members "failed: n$dead ($address) does not answer the others*"
    finds replicas "failed: n[1-6] has 0 of 1*"
    [[ $(found slots) == ok* && $(found masters) == ok* ]]
    node_start "$dead"
    finds members "ok*"
    finds replicas "ok*"
}

@test "scales from three to four masters and back under a writing client without losing a key" {
    writer_start scale 1
    run --separate-stderr converge 4 1 1 2 3 4 5 6 7 8
    echo "$stderr" "$output"
    [[ $status == 0 && $(field masters) == 4 && $(field changed) == *rebalanced* ]]
    run --separate-stderr converge 3 1 1 2 3 4 5 6
    echo "$stderr" "$output"
    [[ $status == 0 && $(field masters) == 3 ]]
    writer_stop
    echo "wrote $(<"$BATS_FILE_TMPDIR/writer.count"), found $(present scale 2)"
    [[ $(present scale 2) == "$(<"$BATS_FILE_TMPDIR/writer.count")" ]]
    [[ $(cli 7 CLUSTER INFO) == *cluster_known_nodes:1* && $(cli 8 CLUSTER INFO) == *cluster_known_nodes:1* ]]
}

@test "restarts the marked nodes one by one, masters after handing over" {
    for number in 1 2 3 4 5 6; do
        cli "$number" ACL SETUSER multihost-restart-pending off
    done
    writer_start rolling 1
    run --separate-stderr converge 3 1 1 2 3 4 5 6
    writer_stop
    echo "$stderr" "$output"
    [[ $status == 0 ]]
    for number in 1 2 3 4 5 6; do
        [[ $output == *"n$number restarted"* ]]
        (($(cli "$number" INFO server | tr -d '\r' | sed -n 's/^uptime_in_seconds://p') < 60))
    done
    run --separate-stderr converge 3 1 1 2 3 4 5 6
    [[ $status == 0 && $(field changed) == "[]" ]]
}

@test "drops a password that is neither the new nor the previous one" {
    for number in 1 2 3 4 5 6; do
        cli "$number" ACL SETUSER default ">previous-password-22"
    done
    previous=previous-password-22
    run --separate-stderr converge 3 1 1 2 3 4 5 6
    [[ $status == 0 && $(field changed) == "[]" && $(REDISCLI_AUTH=$previous cli_plain 1 PING) == PONG ]]
    previous=
    for number in 1 2 3 4 5 6; do
        cli "$number" ACL SETUSER default ">forgotten-password-1"
    done
    run --separate-stderr converge 3 1 1 2 3 4 5 6
    echo "$stderr" "$output"
    [[ $status == 0 && $(field changed) == *"passwords of n6"* ]]
    [[ $(REDISCLI_AUTH=forgotten-password-1 cli_plain 1 PING) == *WRONGPASS* ]]
}

cli_plain() {
    local number=$1
    shift
    redis-cli --tls --cacert "$REDIS_ETC/ca.crt" -p "$((base + number))" "$@" 2>&1
}

@test "finishes what an earlier run left half done: open slots" {
    local source target slot
    source=$(cli 1 CLUSTER NODES | awk '/master/ && NF > 8 { print $1, $2, $9 }' | head -1)
    target=$(cli 1 CLUSTER NODES | awk '/master/ && NF > 8 { print $1, $2 }' | tail -1)
    read -r source_id source_address range <<<"$source"
    read -r target_id target_address <<<"$target"
    slot=${range%-*}
    source_port=${source_address%@*} target_port=${target_address%@*}
    cli "$((${target_port##*:} - base))" CLUSTER SETSLOT "$slot" IMPORTING "$source_id"
    cli "$((${source_port##*:} - base))" CLUSTER SETSLOT "$slot" MIGRATING "$target_id"
    run --separate-stderr converge 3 1 1 2 3 4 5 6
    echo "$stderr" "$output"
    [[ $status == 0 && $(field changed) == *"slots closed"* ]]
}

@test "replaces a master that died" {
    local dead port
    port=$(cli 1 CLUSTER NODES | awk '/master/ && NF > 8 && !/myself/ { print $2 }' | head -1)
    port=${port%@*}
    dead=$((${port##*:} - base))
    node_kill "$dead"
    remaining=()
    for number in 1 2 3 4 5 6; do
        [[ $number == "$dead" ]] || remaining+=("$number")
    done
    run --separate-stderr converge 3 1 "${remaining[@]}" 7
    echo "$stderr" "$output"
    [[ $status == 0 && $(field masters) == 3 && $(field changed) == *"n7 joined"* ]]
    run --separate-stderr converge 3 1 "${remaining[@]}" 7
    [[ $status == 0 && $(field changed) == "[]" ]]
}

# Masters without replicas, with a key in each.
four_masters() {
    local number
    for number in 11 12 13 14; do
        node_start "$number"
    done
    run --separate-stderr converge 4 0 11 12 13 14
    echo "$stderr" "$output"
    [[ $status == 0 ]]
    for number in {1..40}; do
        cli 11 -c SET "kept:$number" "$number"
    done
}

kept() {
    local number count=0
    for number in {1..40}; do
        [[ $(cli 11 -c GET "kept:$number") != "$number" ]] || count=$((count + 1))
    done
    printf '%s' "$count"
}

# patience MILLISECONDS: before a node that is silent counts as failed.
patience() {
    local number
    for number in 11 12 13 14; do
        cli "$number" CONFIG SET cluster-node-timeout "$1" || true
    done
}

@test "drains a leaving master that was silent for a moment instead of giving up its slots" {
    four_masters
    patience 60000
    kill -STOP "$(<"$BATS_FILE_TMPDIR/node-14/redis.pid")"
    (
        sleep 10
        kill -CONT "$(<"$BATS_FILE_TMPDIR/node-14/redis.pid")"
    ) 3>&- 4>&- &
    run --separate-stderr converge 3 0 11 12 13
    echo "$stderr" "$output"
    [[ $status == 0 && $(field masters) == 3 && $output != *"had lost their owner"* && $(kept) == 40 ]]
    run --separate-stderr converge 4 0 11 12 13 14
    [[ $status == 0 ]]
}

@test "does not give up the slots of a leaving master that the cluster still counts on, or that loads its data" {
    node_kill 14
    GONE_SECONDS=2 run --separate-stderr converge 3 0 11 12 13
    echo "$stderr"
    [[ $status != 0 && $stderr == *"127.0.0.1:$((base + 14)) holds "*" slots and can't be asked: start its Redis"* ]]
    patience 2000
    python3 -c '
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2] + "/node.crt", sys.argv[2] + "/node.key")
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = server.accept()
    try:
        with context.wrap_socket(client, server_side=True) as client:
            while client.recv(4096):
                client.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")
    except OSError:
        pass' "$((base + 14))" "$REDIS_ETC" 3>&- 4>&- &
    loading=$!
    sleep 6
    [[ $(cli 11 CLUSTER NODES | grep ":$((base + 14))@") == *"master,fail "* ]]
    GONE_SECONDS=2 run --separate-stderr converge 3 0 11 12 13
    kill "$loading"
    echo "$stderr"
    [[ $status != 0 && $stderr == *"wait until it has loaded its data"* ]]
    run --separate-stderr converge 3 0 11 12 13
    echo "$stderr" "$output"
    [[ $status == 0 && $output == *"had lost their owner"* ]]
}

# nodes_start NUMBER…
nodes_start() {
    local number
    for number in "$@"; do
        node_start "$number"
    done
    for number in "$@"; do
        until [[ $(cli "$number" PING 2>/dev/null) == PONG ]]; do sleep 0.1; done
    done
}

# every_node NUMBER… -- WORD…
every_node() {
    local numbers=()
    while [[ $1 != -- ]]; do
        numbers+=("$1")
        shift
    done
    shift
    for number in "${numbers[@]}"; do
        cli "$number" "$@"
    done
}

# quorums NUMBER…: how many replicas each asks for.
quorums() {
    every_node "$@" -- CONFIG GET min-replicas-to-write | grep -v min- | tr '\n' ' '
}

@test "scales masters out that refuse writes without a replica, and finishes it where it got stuck" {
    nodes_start 21 22 23 24
    every_node 21 22 23 24 -- CONFIG SET min-replicas-to-write 1
    quorum=1 run --separate-stderr converge 1 1 21 22
    echo "$stderr" "$output"
    [[ $status == 0 ]]
    for number in {1..200}; do
        printf 'SET kept:%s %s\n' "$number" "$number"
    done | cli 21 >/dev/null
    # What an update left that moved slots first.
    cli 21 CLUSTER MEET 127.0.0.1 "$((base + 23))"
    until [[ $(cli 23 CLUSTER INFO) == *cluster_state:ok* && $(cli 21 CLUSTER NODES) != *handshake* ]]; do sleep 0.2; done
    slot=$(cli 21 CLUSTER KEYSLOT kept:7)
    cli 23 CLUSTER SETSLOT "$slot" IMPORTING "$(cli 21 CLUSTER MYID)"
    cli 21 CLUSTER SETSLOT "$slot" MIGRATING "$(cli 23 CLUSTER MYID)"
    quorum=1 run --separate-stderr converge 2 1 21 22 23 24
    echo "$stderr" "$output"
    [[ $status == 0 && $(field masters) == 2 && $(field changed) == *"slots closed"*rebalanced* ]]
    [[ $(for number in {1..200}; do cli 21 -c GET "kept:$number"; done | wc -w) == 200 ]]
    quorum=1 run --separate-stderr converge 2 1 21 22 23 24
    [[ $status == 0 && $(field changed) == "[]" ]]
}

@test "asks for replicas when they follow" {
    nodes_start 25 26
    run --separate-stderr converge 1 0 25
    [[ $status == 0 && $(quorums 25 26) == "0 0 " ]]
    quorum=1 run --separate-stderr converge 1 1 25 26
    echo "$stderr" "$output"
    [[ $status == 0 && $(quorums 25 26) == "1 1 " && $(cli 25 -c SET a b) == OK ]]
}

# slots_of NUMBER [SEEN BY]
slots_of() {
    cli "${2:-$1}" CLUSTER NODES | awk -v address="127.0.0.1:$((base + $1))@" 'index($2, address) == 1 { print $9 }'
}

@test "a master whose slots were given up and that comes back takes none of them, and no newer key" {
    nodes_start 31 32 33 34
    run --separate-stderr converge 3 0 31 32 33
    echo "$stderr" "$output"
    [[ $status == 0 ]]
    lost=$(slots_of 33)
    node_kill 33
    run --separate-stderr converge 3 0 31 32 34
    echo "$stderr" "$output"
    [[ $status == 0 && $output == *"had lost their owner"* && $(slots_of 34) == "$lost" ]]
    for number in {1..60}; do
        printf 'SET newer:%s %s\n' "$number" "$number"
    done | cli 31 -c >/dev/null
    nodes_start 33
    for _ in {1..60}; do
        [[ -n $(slots_of 33) ]] || break
        sleep 0.5
    done
    [[ -z $(slots_of 33) && $(slots_of 34) == "$lost" ]]
    run --separate-stderr converge 3 0 31 32 34
    echo "$stderr" "$output"
    [[ $status == 0 && $(cli 31 CLUSTER INFO) == *cluster_known_nodes:3* ]]
    run --separate-stderr converge 4 0 31 32 33 34
    echo "$stderr" "$output"
    [[ $status == 0 && $(for number in {1..60}; do cli 31 -c GET "newer:$number"; done | wc -w) == 60 ]]
}

@test "closes open slots while a leaving master is dead" {
    nodes_start 35 36 37 38
    run --separate-stderr converge 3 0 35 36 37
    [[ $status == 0 ]]
    slot=$(slots_of 35)
    slot=${slot%-*}
    cli 36 CLUSTER SETSLOT "$slot" IMPORTING "$(cli 35 CLUSTER MYID)"
    cli 35 CLUSTER SETSLOT "$slot" MIGRATING "$(cli 36 CLUSTER MYID)"
    node_kill 37
    run --separate-stderr converge 3 0 35 36 38
    echo "$stderr" "$output"
    [[ $status == 0 && $(field changed) == *"slots closed"* && $(grep -o "had lost their owner" <<<"$output" | wc -l) == 1 ]]
}

@test "closes open slots that only nodes that leave know of" {
    nodes_start 71 72 73 74
    run --separate-stderr converge 3 0 71 72 73
    [[ $status == 0 ]]
    slot=$(slots_of 73)
    slot=${slot%-*}
    # Cut off while 73 was drained, after the target had been told of its new slot, and when 74 was to take one.
    cli 71 CLUSTER SETSLOT "$slot" IMPORTING "$(cli 73 CLUSTER MYID)"
    cli 73 CLUSTER SETSLOT "$slot" MIGRATING "$(cli 71 CLUSTER MYID)"
    cli 71 CLUSTER SETSLOT "$slot" NODE "$(cli 71 CLUSTER MYID)"
    cli 71 CLUSTER MEET 127.0.0.1 "$((base + 74))"
    until [[ $(cli 74 CLUSTER INFO) == *cluster_state:ok* && $(cli 71 CLUSTER NODES) != *handshake* ]]; do sleep 0.2; done
    slot=$(slots_of 72)
    cli 74 CLUSTER SETSLOT "${slot%-*}" IMPORTING "$(cli 72 CLUSTER MYID)"
    run --separate-stderr converge 2 0 71 72
    echo "$stderr" "$output"
    [[ $status == 0 && $(field masters) == 2 && $(field changed) == *"slots closed"*rebalanced* ]]
}

@test "keeps a copy that leaves until the new one holds everything" {
    nodes_start 41 42 43
    run --separate-stderr converge 1 1 41 42
    [[ $status == 0 && $(cli 41 -c SET kept 1) == OK ]]
    cli 43 CONFIG SET masterauth another-horse-battery-9
    SYNC_SECONDS=3 VERIFY_SECONDS=3 run --separate-stderr converge 1 1 41 43
    echo "$stderr" "$output"
    [[ $status != 0 && $(cli 42 DBSIZE) == 1 && $(cli 42 CLUSTER INFO) == *cluster_known_nodes:3* ]]
    printf %s "$password" | cli 43 -x CONFIG SET masterauth
    run --separate-stderr converge 1 1 41 43
    echo "$stderr" "$output"
    [[ $status == 0 && $(cli 42 DBSIZE) == 0 && $(cli 43 DBSIZE) == 1 ]]
}

@test "never empties a copy that leaves and was elected while its successor copied" {
    nodes_start 46 47 48
    run --separate-stderr converge 1 1 46 47
    [[ $status == 0 ]]
    for number in {1..100}; do
        printf 'SET kept:%s %s\n' "$number" "$number"
    done | cli 46 >/dev/null
    cli 46 WAIT 1 5000
    cli 46 CONFIG SET rdb-key-save-delay 100000
    (
        until [[ $(cli 48 INFO replication) == *master_sync_in_progress:1* ]]; do sleep 0.1; done
        # By then the step waits for the copy, which takes ten seconds.
        sleep 4
        cli 47 CLUSTER FAILOVER TAKEOVER
    ) >/dev/null 3>&- 4>&- &
    run --separate-stderr converge 1 1 46 48
    echo "$stderr" "$output"
    [[ $status != 0 && $stderr == *"127.0.0.1:$((base + 47)), which leaves, took over from a member and holds 16384 slots: update again"* ]]
    [[ $(cli 47 DBSIZE) == 100 ]]
    until [[ $(cli 47 CLUSTER NODES | grep -c slave) == 2 ]]; do sleep 0.2; done
    run --separate-stderr converge 1 1 46 48
    echo "$stderr" "$output"
    [[ $status == 0 && $(cli 46 DBSIZE) == 100 && $(cli 48 DBSIZE) == 100 ]]
    [[ $(cli 47 DBSIZE) == 0 && $(cli 47 CLUSTER INFO) == *cluster_known_nodes:1* ]]
}

@test "waits for a copy that takes long" {
    nodes_start 44 45
    run --separate-stderr converge 1 0 44
    [[ $status == 0 ]]
    for number in {1..100}; do
        printf 'SET kept:%s %s\n' "$number" "$number"
    done | cli 44 >/dev/null
    cli 44 CONFIG SET rdb-key-save-delay 100000
    VERIFY_SECONDS=2 run --separate-stderr converge 1 1 44 45
    echo "$stderr" "$output"
    [[ $status == 0 && $(cli 45 DBSIZE) == 100 ]]
}

@test "the replica that has received most takes over where nobody can vote" {
    nodes_start 51 52 53
    run --separate-stderr converge 1 2 51 52 53
    [[ $status == 0 ]]
    behind=$(cli 52 CLUSTER NODES | awk '/slave/ { split($2, part, /[:@]/); print part[2]; exit }')
    behind=$((behind - base))
    cli "$behind" CONFIG SET masterauth another-horse-battery-9
    cli "$behind" CLIENT KILL TYPE master
    for number in {1..40}; do
        printf 'SET kept:%s %s\n' "$number" "$number"
    done | cli 51 >/dev/null
    cli 51 WAIT 1 5000
    node_kill 51
    printf %s "$password" | cli "$behind" -x CONFIG SET masterauth
    FAILOVER_SECONDS=2 run --separate-stderr converge 1 1 52 53
    echo "$stderr" "$output"
    [[ $status == 0 && $(cli 52 DBSIZE) == 40 && $(cli 53 DBSIZE) == 40 ]]
}

@test "brings nodes together again that have all got other addresses" {
    nodes_start 61 62 63
    run --separate-stderr converge 3 0 61 62 63
    [[ $status == 0 && $(cli 61 -c SET kept 1) == OK ]]
    for number in 61 62 63; do
        node_kill "$number"
    done
    ip=127.0.0.2
    nodes_start 61 62 63
    VERIFY_SECONDS=20 run --separate-stderr converge 3 0 61 62 63
    echo "$stderr" "$output"
    [[ $status == 0 && $(cli 62 -c GET kept) == 1 ]]
    run --separate-stderr converge 3 0 61 62 63
    [[ $status == 0 && $(field changed) == "[]" ]]
}

@test "says why a node refuses to restart" {
    nodes_start 64
    run --separate-stderr converge 1 0 64
    [[ $status == 0 ]]
    # It can't write its snapshot there.
    cli 64 CONFIG SET save "3600 1"
    cli 64 -c SET kept 1
    mkdir "$BATS_FILE_TMPDIR/node-64/dump.rdb"
    cli 64 ACL SETUSER multihost-restart-pending off
    run --separate-stderr converge 1 0 64
    echo "$stderr" "$output"
    [[ $status != 0 && $stderr == *"redis/cluster.sh:"*"Redis at 127.0.0.1:$((base + 64)) refuses 'SHUTDOWN': ERR"* ]]
}

@test "asks a replica again to take over when Redis has given the first request up" {
    nodes_start 65 66
    run --separate-stderr converge 1 1 65 66
    [[ $status == 0 ]]
    # Its master hears nothing for longer than Redis waits, from the first request on.
    mkdir "$BATS_TEST_TMPDIR/bin"
    cat >"$BATS_TEST_TMPDIR/bin/redis-cli" <<CLI
#!/bin/sh
case "\$*" in *"CLUSTER FAILOVER"*)
    if mkdir "$BATS_TEST_TMPDIR/asked" 2>/dev/null; then
        kill -STOP $(<"$BATS_FILE_TMPDIR/node-65/redis.pid")
        (sleep 7; kill -CONT $(<"$BATS_FILE_TMPDIR/node-65/redis.pid")) >/dev/null 2>&1 3>&- 4>&- &
    fi
    ;;
esac
exec $(command -v redis-cli) "\$@"
CLI
    chmod 0755 "$BATS_TEST_TMPDIR/bin/redis-cli"
    cli 65 ACL SETUSER multihost-restart-pending off
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr converge 1 1 65 66
    echo "$stderr" "$output"
    grep "Manual failover timed out" "$BATS_FILE_TMPDIR/node-66/log"
    [[ $status == 0 && $(field changed) == '["n65 restarted"]' && $stderr == *"n66 is asked again to take over"* ]]
    [[ $(cli 66 INFO replication) == *role:master* ]]
}

@test "shows no password in the list of processes" {
    [[ -s $BATS_FILE_TMPDIR/argv ]]
    run ! grep -qF "$password" "$BATS_FILE_TMPDIR/argv"
}

@test "refuses a list that doesn't fit the numbers, naming script and line" {
    run --separate-stderr step redis/cluster MEMBERS="$(members 7)x=127.0.0.1:1 $(members 8)" MASTERS=3 REPLICAS_PER_MASTER=1 \
        MIN_REPLICAS_TO_WRITE=0 TLS=true -- PASSWORD="$password"
    echo "$stderr"
    [[ $status != 0 && $stderr == *"redis/cluster.sh:"*"3 members can't be 3 masters with 1 replicas each"* ]]
}

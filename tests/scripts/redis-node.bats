#!/usr/bin/env bats
# redis/node on stand-ins for hosts of both families: what it writes, and that a second run writes nothing.

bats_require_minimum_version 1.5.0
load helper
load stubs

password=correct-horse-battery-1

authority() {
    printf -- '-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----' "$1"
}

# node [PARAM=value…]
node() {
    run --separate-stderr step redis/node ADDRESS=10.0.0.1 PORT=7000 MAXMEMORY=50% MAXMEMORY_POLICY=noeviction NODE_TIMEOUT=5000 \
        APPENDONLY=true MIN_REPLICAS_TO_WRITE=0 TLS=true DATA_DIR="$host/data" "$@" \
        -- PASSWORD="${secret:-$password}" CA_CERTIFICATE="${authority:-$(authority of-cache)}"$'\n' CERTIFICATE="${certificate:-CERT}" PRIVATE_KEY=$'KEY OF NODE\n'
    printf '%s\n' "$stderr" "$output"
}

@test "a second run changes nothing, in both families" {
    for os in debian-12 alinux-3; do
        rm -rf "$BATS_TEST_TMPDIR/host"
        stub_host "$os"
        node
        [[ $status == 0 && $(field changed) == *"service redis-cluster.service started"* && $(field maxmemory) == 2147483648 ]]
        node
        [[ $status == 0 && $(field changed) == '[]' ]]
    done
    [[ -e $host/packages/redis && ! -e $host/packages/redis-server ]]
}

@test "SELinux lets it have its port and the bus" {
    stub_host rocky-9
    stub_selinux
    node
    [[ $status == 0 && $(field changed) == *'"SELinux: port 7000 is redis_port_t","SELinux: port 17000 is redis_port_t"'* ]]
    node
    [[ $status == 0 && $(field changed) == '[]' ]]
    run ! grep -q policycoreutils "$host/argv"
    # Where the tool is missing, it is installed.
    rm "$bin/semanage"
    node
    grep -q "install policycoreutils-python-utils" "$host/argv"
}

@test "SELinux lets it into its domain, and at its files in another folder" {
    stub_host rocky-9
    stub_selinux
    unit=$host/units/redis-cluster.service
    gains='^(NoNewPrivileges|PrivateDevices|ProtectKernelTunables|RestrictAddressFamilies)='
    mkdir "$host/data"
    touch "$host/data/nodes.conf" "$host/data/of-somebody-else"
    node
    [[ $status == 0 && $(grep -cE "$gains" "$unit") == 0 ]]
    grep -qx 'ProtectSystem=full' "$unit"
    [[ $(grep '^chcon .*redis_var_lib_t' "$host/argv") == "chcon -t redis_var_lib_t $host/data"$'\n'"chcon -R -t redis_var_lib_t $host/data/nodes.conf" ]]
    node
    [[ $status == 0 && $(field changed) == '[]' && $(grep -c '^chcon .*redis_var_lib_t' "$host/argv") == 2 ]]

    # One that runs as before goes on.
    stub selinuxenabled 'exit 1'
    node
    [[ $(grep -cE "$gains" "$unit") == 4 ]]
    stub selinuxenabled ''
    node
    [[ $status == 0 && $(field changed) == '[]' && $(grep -cE "$gains" "$unit") == 4 ]]
    rm "$host/active/redis-cluster.service"
    node
    [[ $status == 0 && $(field changed) == *'service redis-cluster.service started"'* && $(grep -cE "$gains" "$unit") == 0 ]]
}

@test "a version comes from its stream in the RHEL family" {
    stub_host rocky-9.5
    printf 'redis 7.0.15-1\n' >"$host/offered"
    node VERSION=7
    [[ $status == 0 && $(grep -o 'module enable .*' "$host/argv") == 'module enable redis:7' ]]
    stub_host rocky-8.10
    rm -r "$host/packages" "$host/argv"
    mkdir "$host/packages"
    node
    [[ $(grep -o 'module enable .*' "$host/argv") == 'module enable redis:6' ]]
}

@test "encrypts everything and answers on the private address" {
    stub_host debian-12
    node
    for line in "bind 10.0.0.1 127.0.0.1" "port 0" "tls-port 7000" "tls-cluster yes" "tls-replication yes" "cluster-announce-ip 10.0.0.1" \
        "cluster-enabled yes" "cluster-config-file nodes.conf" "cluster-node-timeout 5000" "appendonly yes" "appendfsync everysec"; do
        grep -qxF "$line" "$REDIS_ETC/redis.conf"
    done
    [[ $(/usr/bin/stat -c %a "$REDIS_ETC/redis.conf" "$REDIS_ETC/node.key" "$REDIS_ETC/users.acl" | sort -u) == 640 ]]
    [[ $(cat "$REDIS_ETC/node.key") == "KEY OF NODE" ]]
}

@test "switches the distribution's own instance off" {
    stub_host debian-12
    touch "$host/active/redis-server.service" "$host/enabled/redis-server.service"
    node
    [[ ! -e $host/active/redis-server.service && ! -e $host/enabled/redis-server.service ]]
}

@test "keeps secrets out of arguments, of the log and of the access list" {
    stub_host debian-12
    node
    [[ $stderr$output != *"$password"* ]]
    run ! grep -qF -e "$password" -e "KEY OF NODE" "$host/argv"
    run ! grep -q "$password" "$REDIS_ETC/users.acl"
    grep -q "$(printf %s "$password" | sha256sum | cut -d' ' -f1)" "$REDIS_ETC/users.acl"
}

@test "a setting that needs a start marks a member and restarts whoever is none" {
    stub_host debian-12
    node
    sed -i 's/^tcp-backlog .*/tcp-backlog 1/' "$host/run/started"
    STUB_KNOWN=6 STUB_SLOTS=16384 node
    [[ $(field changed) == '["restart pending"]' ]]
    STUB_KNOWN=6 STUB_SLOTS=16384 node
    [[ $(field changed) == '[]' ]]
    node
    [[ $(field changed) == '["service redis-cluster.service restarted"]' ]]
}

@test "waits for its data disk at boot, and is not restarted to learn that" {
    stub_host debian-12
    node
    unit=$host/units/redis-cluster.service
    grep -qxF "RequiresMountsFor=$host/data" "$unit"
    grep -qxF StartLimitIntervalSec=0 "$unit"
    for file in "$unit" "$host/run/started"; do
        sed -i -e '/^RequiresMountsFor=/d; s/^RestartSec=.*/RestartSec=200ms/' -e 's/^StartLimitIntervalSec=.*/StartLimitIntervalSec=60\nStartLimitBurst=10/' "$file"
    done
    STUB_KNOWN=6 STUB_SLOTS=16384 node
    [[ $status == 0 && $(field changed) == "[\"$unit\"]" ]]
}

@test "a newer package is installed in one run and marks a member for a restart" {
    stub_host debian-12
    printf '%s\n' 'redis-server 5:7.0.15-1' 'redis-tools 5:7.0.15-1' 'redis-server 5:7.2.1-1' 'redis-tools 5:7.2.1-1' >"$host/offered"
    node VERSION=7.0
    [[ $status == 0 && $(cat "$host/packages/redis-server") == 5:7.0.15-1 ]]
    stub_outdated
    STUB_KNOWN=6 STUB_SLOTS=16384 node VERSION=7.2
    [[ $(field changed) == '["package redis-server=5:7.2.1-1","package redis-tools=5:7.2.1-1","restart pending"]' ]]
}

@test "a new certificate is loaded without a start" {
    stub_host debian-12
    node
    certificate=RENEWED node
    [[ $(field changed) == "[\"$REDIS_ETC/node.crt\",\"certificate loaded\"]" ]]
    grep -q "CONFIG SET tls-cert-file" "$host/argv"
    certificate=RENEWED node
    [[ $(field changed) == '[]' ]]
    # One that was loaded into an earlier process is not this one's.
    certificate=ANOTHER node
    echo a-new-process >"$host/run-id"
    certificate=ANOTHER node
    [[ $(field changed) == '["certificate loaded"]' ]]
}

@test "root writes nothing into the folder of the running server's" {
    stub_host debian-12
    node
    printf 'secret\n' >"$host/secret"
    ln -sf "$host/secret" "$host/run/tls"
    certificate=RENEWED node
    [[ $(field changed) == *'"certificate loaded"'* && $(<"$host/secret") == secret ]]
}

@test "refuses a host whose node belongs to another cluster, and leaves it as it is" {
    stub_host debian-12
    node
    printf 'lab.multihost.other\n' >"$host/redis-owner"
    find "$host/etc" "$host/units" -type f -exec sha256sum {} + >"$host/before"
    authority=$(authority of-another) node
    [[ $status != 0 && $stderr == *"redis/node.sh:"*"the Redis node on this host belongs to lab.multihost.other"*"write test into $host/redis-owner here" ]]
    find "$host/etc" "$host/units" -type f -exec sha256sum {} + | diff "$host/before" -
    authority=$(authority of-another) node PORT=7001
    [[ $status != 0 && $stderr == *"the Redis node on this host belongs to lab.multihost.other"* ]]
    # Its own step is what undoes it.
    STEP_EVENT=delete node
    [[ $status == 0 && -e $REDIS_ETC/redis.conf ]]
    # One that was made before there were marks goes on, and is nobody else's.
    rm "$host/redis-owner"
    authority=$(authority of-another) node
    [[ $status != 0 && $stderr == *"the Redis node on this host belongs to another component"* && ! -e $host/redis-owner ]]
    find "$host/etc" "$host/units" -type f -exec sha256sum {} + | diff "$host/before" -
    node
    [[ $status == 0 && $(<"$host/redis-owner") == test ]]
    rm "$host/redis-owner"
    STEP_EVENT=update authority=$(authority of-another) node
    [[ $status == 0 && $(<"$host/redis-owner") == test ]]
    printf 'lab.multihost.other\n' >"$host/redis-owner"
    rm -r "$REDIS_ETC"
    node
    [[ $status != 0 && $stderr == *"belongs to lab.multihost.other"* ]]
    rm "$host/redis-owner"
    node
    [[ $status == 0 && $(<"$host/redis-owner") == test ]]
}

@test "takes its own data along when it goes, and nobody else's" {
    stub_host debian-12
    node
    mkdir -p "$host/data/appendonlydir"
    touch "$host/data/"{nodes.conf,dump.rdb,appendonlydir/appendonly.aof.1.incr.aof,temp-7.rdb,theirs}
    # As a node is that redis/cluster has let go.
    printf '%s\n' 'a1 10.0.0.1:7000@17000,, myself,master - 0 0 0 connected' 'vars currentEpoch 0 lastVoteEpoch 0' >"$host/data/nodes.conf"
    rm -f "$host/active/redis-cluster.service"
    STEP_EVENT=delete node
    [[ $status == 0 && $(ls "$host/data") == theirs ]]
    rm "$host/data/theirs"
    node
    touch "$host/data/nodes.conf"
    rm -f "$host/active/redis-cluster.service"
    STEP_EVENT=delete node
    [[ $status == 0 && ! -e $host/data ]]
}

@test "leaves a node that is down as it is while it remembers others, or slots" {
    for remembered in 'a1 10.0.0.1:7000@17000,, myself,master - 0 0 3 connected 0-16383' \
        $'a1 10.0.0.1:7000@17000,, myself,slave b2 0 0 3 connected\nb2 10.0.0.2:7000@17000,, master - 0 0 3 connected 0-16383'; do
        rm -rf "$BATS_TEST_TMPDIR/host"
        stub_host debian-12
        node
        [[ $status == 0 ]]
        printf '%s\n' "$remembered" 'vars currentEpoch 3 lastVoteEpoch 0' >"$host/data/nodes.conf"
        touch "$host/data/dump.rdb"
        rm -f "$host/active/redis-cluster.service"
        STEP_EVENT=delete node
        [[ $status == 0 && $stderr == *"still belongs to a cluster: it stays as it is"* ]]
        [[ -e $host/data/dump.rdb && -e $REDIS_ETC/redis.conf && -e $host/units/redis-cluster.service ]]
    done
}

@test "takes a cluster for itself under another name, with other keys or another password" {
    stub_host debian-12
    node
    printf 'lab.multihost.former\n' >"$host/redis-owner"
    secret=another-horse-battery-2 authority="$(authority of-cache)"$'\n'"$(authority of-cache-g2)" node
    [[ $status == 0 && $(<"$host/redis-owner") == test ]]
    authority=$(authority of-another) secret=yet-another-battery-3 node
    [[ $status == 0 ]]
    STEP_EVENT=delete node
    [[ $status == 0 && ! -e $host/redis-owner && ! -e $REDIS_ETC ]]
    node TLS=false
    printf 'lab.multihost.former\n' >"$host/redis-owner"
    secret=another-horse-battery-2 node TLS=false
    [[ $status != 0 && $stderr == *"belongs to lab.multihost.former"* ]]
    node TLS=false
    [[ $status == 0 ]]
}

@test "refuses more memory than the host has before it changes anything" {
    stub_host debian-12
    node MAXMEMORY=3687mb
    [[ $status != 0 && $stderr == *"redis/node.sh:"*"maxmemory: 3687mb is more than 90% of this host's 4096mb"* ]]
    [[ -z $(ls "$host/packages" "$host/etc/redis" "$host/sysctl.d" | grep -v ':$') ]]
    printf '67108864\n' >"$host/cgroup/memory.max"
    node MAXMEMORY=64mb
    [[ $status != 0 && $stderr == *"of this host's 64mb"* ]]
    rm "$host/cgroup/memory.max"
    node MAXMEMORY=3686mb
    [[ $status == 0 && $(field maxmemory) == 3865051136 ]]
}

@test "refuses what can't change in place, and a weak password" {
    stub_host debian-12
    node
    node PORT=7001
    [[ $status != 0 && $stderr == *"redis/node.sh:"*"port: this host's node listens on 7000 and can't move to 7001"* ]]
    node TLS=false
    [[ $status != 0 && $stderr == *"tls: a running cluster can't change"* ]]
    node DATA_DIR=/elsewhere/data
    [[ $status != 0 && $stderr == *"dataDirectory: "* ]]
    secret=hunter2hunter2 node
    [[ $status != 0 && $stderr == *"a Redis password needs at least 16 characters"* && $stderr != *hunter2hunter2* ]]
}

# A real server that runs with what redis/node has written; systemd stays a stand-in, whose restart makes the server read its access list.
real() {
    node ADDRESS=127.0.0.9 PORT="$port" TLS=false MAXMEMORY=64mb "$@"
}

cli() {
    REDISCLI_AUTH=$1 redis-cli -h 127.0.0.9 -p "$port" --no-auth-warning "${@:2}"
}

# serve [OPTION…]: starts the server in place of systemd.
serve() {
    ("$server" "$REDIS_ETC/redis.conf" --supervised no --pidfile "$host/redis.pid" "$@" >>"$host/log" 2>&1 3>&- &)
    for _ in {1..100}; do
        [[ $(cli "$password" PING) != PONG ]] || break
        sleep 0.1
    done
}

# install_real [PARAM=value…]: what is asked from here on is a real server's.
install_real() {
    port=${REDIS_TEST_BASE:-27300}
    port=$((port + 90))
    server=$(command -v redis-server)
    stub_host debian-12
    real "$@"
    [[ $status == 0 ]]
    rm "$bin/redis-cli"
}

teardown() {
    [[ ! -e ${host:-}/redis.pid ]] || kill -9 "$(<"$host/redis.pid")"
}

@test "a running server is restarted when it refuses every password, not when it is busy or says something else" {
    command -v redis-server >/dev/null || skip "redis-server is not installed"
    install_real
    # shellcheck disable=SC2016
    sed -i 's/^ *start | restart)/&[[ $1 != restart ]] || REDISCLI_AUTH=$STRANGE redis-cli -h 127.0.0.9 -p $REDIS_PORT --no-auth-warning ACL LOAD >>"$HOST\/loaded" 2>\&1;/' "$bin/systemctl"
    export REDIS_PORT=$port STRANGE=another-horse-battery-9
    serve --lua-time-limit 100
    real
    [[ $status == 0 && $(field changed) == '[]' ]]

    cli "$password" EVAL 'while true do end' 0 >/dev/null 2>&1 3>&- &
    (
        sleep 4
        cli "$password" SCRIPT KILL
    ) >/dev/null 2>&1 3>&- &
    for _ in {1..50}; do
        [[ $(cli "$password" PING) != BUSY* ]] || break
        sleep 0.1
    done
    real
    [[ $status == 0 && $(field changed) == '[]' ]]

    cli "$password" ACL SETUSER default -ping >/dev/null
    ANSWER_SECONDS=1 real
    [[ $status != 0 && $stderr == *"redis/node.sh:"*"Redis on 127.0.0.9:$port runs, and doesn't say within 1 s"*"NOPERM"* ]]
    run ! grep -q 'systemctl restart' "$host/argv"

    cli "$password" ACL SETUSER default +ping resetpass ">$STRANGE" >/dev/null
    real
    [[ $status == 0 && $(field changed) == *'"service redis-cluster.service restarted"'* && $(cli "$password" PING) == PONG ]]
}

@test "a running member is not asked for more replicas than follow it, but for fewer" {
    command -v redis-server >/dev/null || skip "redis-server is not installed"
    install_real
    serve
    cli "$password" CLUSTER ADDSLOTS 1
    real MIN_REPLICAS_TO_WRITE=1
    [[ $status == 0 && $(cli "$password" CONFIG GET min-replicas-to-write) == *0 ]]
    grep -qx "min-replicas-to-write 1" "$REDIS_ETC/redis.conf"
    cli "$password" CONFIG SET min-replicas-to-write 1
    real
    [[ $status == 0 && $(field changed) == *'"min-replicas-to-write = 0"'* && $(cli "$password" CONFIG GET min-replicas-to-write) == *0 ]]
}

# crash: without a moment to write anything, and started again with what the file says.
crash() {
    kill -9 "$(<"$host/redis.pid")"
    while [[ $(cli "$password" PING) == PONG ]]; do sleep 0.1; done
    serve
    # It serves no slot for two seconds.
    while [[ $(cli "$password" GET kept) == CLUSTERDOWN* ]]; do sleep 0.2; done
}

@test "whether there is an append-only file changes without a moment in which a crash loses the data" {
    command -v redis-server >/dev/null || skip "redis-server is not installed"
    install_real APPENDONLY=false
    serve
    cli "$password" CLUSTER ADDSLOTSRANGE 0 16383
    until [[ $(cli "$password" SET kept 1) == OK ]]; do sleep 0.1; done
    cli "$password" CONFIG SET rdb-key-save-delay 2000000
    real
    [[ $status == 0 && $(field changed) == *"appendonly = yes"* && $(cli "$password" CONFIG GET appendonly) == *yes ]]
    [[ $(cli "$password" INFO persistence) == *aof_rewrite_in_progress:0* ]]
    crash
    [[ $(cli "$password" GET kept) == 1 ]]
    real
    [[ $status == 0 && $(field changed) == '[]' ]]

    cli "$password" SET kept 2
    rm -f "$host/data/dump.rdb"
    real APPENDONLY=false
    [[ $status == 0 && $(cli "$password" CONFIG GET appendonly) == *no && $(cli "$password" CONFIG GET save) == *"3600 1 300 100 60 10000" ]]
    crash
    [[ $(cli "$password" GET kept) == 2 ]]
    real APPENDONLY=false
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "writes the times of snapshots one a line, as Redis 6 reads them" {
    stub_host debian-12
    node APPENDONLY=false
    [[ $status == 0 && $(grep ^save "$REDIS_ETC/redis.conf") == $'save 3600 1\nsave 300 100\nsave 60 10000' ]]
}

@test "what is written during a copy may grow with the memory, and running servers learn that" {
    command -v redis-server >/dev/null || skip "redis-server is not installed"
    install_real
    sed -i '/^client-output-buffer-limit/d' "$REDIS_ETC/redis.conf" "$host/run/started"
    serve
    cli "$password" CLUSTER ADDSLOTS 1
    real
    [[ $status == 0 && $(cli "$password" CONFIG GET client-output-buffer-limit) == *"slave 268435456 0 0 pubsub"* ]]
    [[ $(field changed) == *'"client-output-buffer-limit = replica 268435456 0 0"]' ]]
    real MAXMEMORY=3000mb
    [[ $status == 0 && $(field changed) == *'"client-output-buffer-limit = replica 314572800 0 0"]' ]]
    real MAXMEMORY=3000mb
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "takes over the data of a disk from a machine where redis has another number" {
    stub_host debian-12
    mkdir -p "$host/data/appendonlydir"
    touch "$host/data/"{nodes.conf,theirs}
    node
    [[ $status == 0 && $(field changed) == *"$host/data: the data's owner"* ]]
    [[ $(grep ^chown "$host/argv") == *"chown -R redis:redis $host/data/appendonlydir"* && $(grep ^chown "$host/argv") != *theirs* ]]
    node
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "refuses the RHEL 10 family, which has no Redis, unless its repositories do" {
    stub_host rocky-10.1
    node
    [[ $status != 0 && $stderr == *"redis/node.sh:"*"rocky 10.1 has no package redis, its repositories have Valkey instead"* ]]
    printf 'redis 7.2.4-1\n' >"$host/offered"
    node
    [[ $status == 0 ]]
}

#!/usr/bin/env bats
# The doctor's checks on a stand-in of a host. What they say of a real Redis Cluster stands in redis-cluster.bats.

bats_require_minimum_version 1.5.0
load helper
load stubs

setup() {
    stub_host debian-12
    export PROC=$host/proc BOOT=$host/boot RUN=$host/run NGINX_ETC=$host/etc/nginx
    mkdir -p "$BOOT" "$host/etc/nginx/multihost" "$REDIS_ETC" "$host/srv/releases/r1"
    printf 'MemTotal: 4096000 kB\nMemAvailable: 2048000 kB\n' >"$PROC/meminfo"
    printf '/dev/vda1 / ext4 rw,relatime 0 0\ntmpfs /run tmpfs ro 0 0\n' >"$PROC/mounts"
    printf 'Use%% IUse%% Mounted on\n 41%%   2%% /\n  7%%     - /boot/efi\n' >"$host/df"
    touch "$BOOT/vmlinuz-6.1.0-9-amd64" "$BOOT/vmlinuz-0-rescue-1"
    # shellcheck disable=SC2016
    {
        stub df 'cat "$HOST/df"'
        stub uname 'echo 6.1.0-9-amd64'
        stub systemd-detect-virt 'exit 1'
        stub timedatectl 'echo yes'
        stub systemctl '
            case $1 in
            list-units) cat "$HOST/failed-units" 2>/dev/null || true ;;
            is-active) if [[ -e $HOST/active/$2 ]]; then echo active; else echo inactive; exit 3; fi ;;
            *) exit 99 ;;
            esac'
    }
}

# check STEP [PARAM=value…] [-- SECRET=value…]
check() {
    run --separate-stderr doctor "$@"
    echo "$stderr" "$output"
    [[ $status == 0 ]]
}

@test "host: finds nothing wrong with a host that is well, and tells its time" {
    check host/ready
    [[ $output != *'"status":"failed"'* && $output != *'"status":"warning"'* ]]
    [[ $output == *'"check":"clock","time":'* ]]
    [[ $(found disk) == "ok: at most 41 % used" ]]
}


@test "what bash keeps in files goes to memory, so that a full disk is told of" {
    # shellcheck disable=SC2016
    stub df 'echo "$TMPDIR" >"$HOST/tmpdir"; cat "$HOST/df"'
    TMPDIR=$host check host/ready
    [[ $(<"$host/tmpdir") == /dev/shm ]]
}

@test "host: tells disks that fill up, and inodes that run out" {
    mkdir -p "$host/data"
    printf 'Use%% IUse%% Mounted on\n 86%%   2%% /\n  7%%  97%% %s\n 99%% 0%% /etc/hosts\n' "$host/data" >"$host/df"
    check host/ready
    [[ $(found disk) == "failed: $host/data has used 97 % of its inodes, / is 86 % full: "* ]]
    printf 'Use%% IUse%% Mounted on\n 86%%   2%% /\n' >"$host/df"
    check host/ready
    [[ $(found disk) == "warning: / is 86 % full: "* ]]
}

@test "host: tells a disk that became read-only, want of memory, and units that failed" {
    printf '/dev/vdb / xfs ro,relatime 0 0\n' >"$PROC/mounts"
    printf 'MemTotal: 4096000 kB\nMemAvailable: 81920 kB\n' >"$PROC/meminfo"
    printf 'nginx.service loaded failed failed web\nx.timer loaded failed failed x\n' >"$host/failed-units"
    check host/ready
    [[ $(found read-only) == "failed: / can't be written"* ]]
    [[ $(found memory) == "failed: 2 % of 4000 MiB"* ]]
    [[ $(found units) == "failed: nginx.service, x.timer failed: \`systemctl status nginx.service\`"* ]]
}

@test "host: tells a clock that nothing keeps right, and updates that wait for a reboot" {
    stub timedatectl 'echo no'
    touch "$BOOT/vmlinuz-6.1.0-12-amd64"
    check host/ready
    [[ $(found time-service) == warning* ]]
    [[ $(found reboot) == "warning: kernel 6.1.0-12-amd64 waits for a reboot, 6.1.0-9-amd64 runs" ]]
    rm "$BOOT"/*
    check host/ready
    [[ $(found reboot) == ok* ]]
    touch "$RUN/reboot-required"
    check host/ready
    [[ $(found reboot) == warning* ]]
}

@test "ssh: tells to whom there is no login, by name" {
    # shellcheck disable=SC2016
    stub runuser '[[ "$*" == *@10.0.0.2* ]] || { printf "ssh: connect to host: timed out\r\n" >&2; exit 255; }'
    check ssh/verify MEMBERS="b=10.0.0.2 c=10.0.0.3"
    [[ $(found login) == "failed: multihost can't log in to c: ssh: connect to host: timed out" ]]
    [[ $output == *'"peers":["c"]'* ]]
    check ssh/verify MEMBERS="b=10.0.0.2"
    [[ $(found login) == "ok: as multihost to b" ]]
}

@test "ssh: of many members a host tries the eight that follow it" {
    stub runuser 'true'
    HOSTNAME=node-9 check ssh/verify MEMBERS="$(for n in $(seq 1 12); do printf 'node-%s=10.0.0.%s ' "$n" "$n"; done)"
    [[ $(found login) == "ok: as multihost to node-10 node-11 node-12 node-1 node-2 node-3 node-4 node-5" ]]
}

@test "connectivity: tells what gets no answer; a port where nothing listens is one" {
    # shellcheck disable=SC2016
    {
        stub ping '[[ ${*: -1} != 10.0.0.3 ]]'
        stub ip 'true'
        stub timeout 'case "$7 $8" in "10.0.0.3 "* | "10.0.0.2 7001") exit 124 ;; *" 22") exit 0 ;; *) echo "Connection refused"; exit 1 ;; esac'
    }
    check connectivity/check PEERS="b=10.0.0.2" PORTS="22 7000"
    [[ $(found peers) == "ok: reaches 1 by ping and on 22, 7000" ]]
    check connectivity/check PEERS="b=10.0.0.2 c=10.0.0.3" PORTS="22 7001"
    [[ $(found peers) == failed:*"b: no answer from 10.0.0.2 to 7001"* ]]
    [[ $(found peers) == *"c: no answer from 10.0.0.3 to ping 22 7001"* ]]
}

# Answers of a node that is well, but for what $HOST/redis says.
stub_redis() {
    # shellcheck disable=SC2016
    stub redis-cli '
        while [[ $1 == -* ]]; do case $1 in -h | -p | --cacert) shift 2 ;; *) shift ;; esac; done
        told() { grep -s "^$1:" "$HOST/redis" || printf "%s:%s\r\n" "$1" "$2"; }
        case "$*" in
        PING) cat "$HOST/ping" 2>/dev/null || echo PONG ;;
        "CLUSTER INFO") told cluster_state ok ;;
        "INFO replication") told role slave; told master_host 10.0.0.9; told master_link_status up; told master_sync_in_progress 0; told connected_slaves 1; told min_slaves_good_slaves 1 ;;
        "INFO persistence") told rdb_last_bgsave_status ok; told aof_last_write_status ok ;;
        "INFO memory") told used_memory 10; told maxmemory 100; told maxmemory_policy noeviction ;;
        "ACL USERS") echo default; cat "$HOST/marks" 2>/dev/null || true ;;
        esac'
}

redis_node() {
    check redis/node ADDRESS=10.0.0.1 PORT=7000 TLS=true "$@" -- PASSWORD=correct-horse-battery
}

@test "redis: finds nothing wrong with a node that is well" {
    stub_redis
    touch "$host/active/redis-cluster.service"
    printf 'PEM\n' >"$REDIS_ETC/node.crt"
    redis_node
    [[ $output != *'"status":"failed"'* && $output != *'"status":"warning"'* && $(found replication) == "ok: a replica of 10.0.0.9, in touch" ]]
    [[ $output == *'"check":"certificate","certificate":"UEVNCg=="'* ]]
}

@test "redis: tells a service that does not run, and asks it nothing" {
    stub_redis
    redis_node
    [[ $(found service) == "failed: redis-cluster.service is inactive"* && -z $(found answers) ]]
    [[ $(found certificate) == "failed: $REDIS_ETC/node.crt can't be read: restore it"* ]]
}

@test "redis: tells a node that refuses its password, without saying it" {
    stub_redis
    touch "$host/active/redis-cluster.service"
    echo "WRONGPASS for correct-horse-battery" >"$host/ping"
    redis_node
    [[ $(found answers) == "failed: WRONGPASS for [secret] from 10.0.0.1:7000"* ]]
    run ! grep -q correct-horse "$host/argv"
}

@test "redis: tells lost links, writes that failed, memory that runs out, and restarts that wait" {
    stub_redis
    touch "$host/active/redis-cluster.service"
    echo multihost-restart-pending >"$host/marks"
    printf '%s\n' cluster_state:fail master_link_status:down aof_last_write_status:err used_memory:96 >"$host/redis"
    redis_node
    for name in state replication persistence memory; do
        [[ $(found "$name") == failed* ]]
    done
    [[ $(found restart) == warning* ]]
    printf '%s\n' master_link_status:down master_sync_in_progress:1 >"$host/redis"
    redis_node
    [[ $(found replication) == "warning: still copying from 10.0.0.9" ]]
    printf '%s\n' used_memory:99 maxmemory_policy:allkeys-lru role:master min_slaves_good_slaves:0 >"$host/redis"
    redis_node MIN_REPLICAS_TO_WRITE=1
    [[ $(found memory) == ok* && $(found replication) == "failed: 0 replicas are in touch, writes need 1"* ]]
}

replication() {
    check mysql/replication ENGINE=mariadb ADDRESS=10.0.0.1 PORT=3306 MEMBERS=db-1=10.0.0.1 SOURCE=db-1 SEMI_SYNC=false USER=shop \
        DATABASES="orders stock" -- ADMIN_PASSWORD=admin-horse PASSWORD=correct-horse-battery
}

@test "mysql: tells an application that can't log in or use its database, without saying its password" {
    # shellcheck disable=SC2016
    stub mariadb '
        account=$(cat "${1#--defaults-file=}" 2>/dev/null || cat "${2#--defaults-file=}") statement=$(cat)
        case $account:$statement in
        *user=multihost_admin*"read_only"*) printf "0\t0\t0-1-5\n" ;;
        *user=multihost_admin*) ;;
        *user=shop*password=\"correct-horse-battery\"*"USE \`orders\`") [[ ! -e $HOST/refused ]] || { cat "$HOST/refused"; exit 1; } ;;
        *) echo "unexpected: $account $statement"; exit 1 ;;
        esac'
    replication
    [[ $(found source) == "ok: db-1 takes writes" && $(found account) == "ok: shop logs in to db-1 and may use orders" ]]
    echo "ERROR 1045 (28000): Access denied for user 'shop', correct-horse-battery" >"$host/refused"
    replication
    [[ $(found account) == "failed: shop can't use orders on db-1: ERROR 1045 (28000): Access denied for user 'shop', [secret]: run \`pulumi up --target-replace \"**::its-step\"\`" ]]
    # Nobody has any data: what runs the step again would begin without.
    stub mariadb '[[ $* != *10.0.0.1* ]] || ! grep -q read_only || printf "1\t0\t\n"'
    replication
    [[ $(found source) == "failed: no server has any data: see whether their data folders and disks are there; if the data may go"* ]]
    grep -q '^mariadb .*--ssl' "$host/argv"
    run ! grep -q horse "$host/argv"
}

web_node() {
    check web/node NAME=site DIRECTORY="$host/srv" PORT=80 HEALTH_PATH=/healthz "$@"
}

@test "web: tells a server that does not run, that is not healthy, and what it serves" {
    stub curl 'printf 200'
    web_node
    [[ $(found service) == "failed: nginx.service is inactive"* ]]
    touch "$host/active/nginx.service"
    web_node
    [[ $(found health) == ok* && $(found release) == "failed: $host/srv/current leads nowhere: \`ln -sfn releases/NAME $host/srv/current\`"* ]]
    ln -s releases/r1 "$host/srv/current"
    stub curl 'printf 503'
    web_node
    [[ $(found health) == "failed: /healthz answers 503"* && $(found release) == "ok: r1" ]]
    web_node UPSTREAM=10.0.0.7:8080
    [[ $(found health) == *"see whether 10.0.0.7:8080 answers" && -z $(found release) ]]
    stub curl 'printf 204'
    web_node UPSTREAM=10.0.0.7:8080
    [[ $(found health) == "ok: /healthz answers 204" ]]
}

@test "web: asks on the address that others use, and by TLS without minding the certificate's name" {
    # shellcheck disable=SC2016
    {
        stub ip 'echo "192.0.2.1 via 10.0.1.253 dev eth0 src 10.0.1.5 uid 0"'
        stub curl '
            case "$*" in
            *"--resolve www.example.com:8443:10.0.1.5 https://www.example.com:8443/healthz" | *https://10.0.1.5:8443/healthz) [[ "$*" == *" -k "* ]] && cat "$HOST/tls" ;;
            *http://10.0.1.5:80/healthz) printf 200 ;;
            *) printf 000 ;;
            esac'
    }
    touch "$host/active/nginx.service"
    printf 200 >"$host/tls"
    printf 'PEM\n' >"$host/etc/nginx/multihost/site.crt"
    web_node
    [[ $(found health) == ok* && -z $(found tls) ]]
    web_node TLS_PORT=8443 SERVER_NAMES="www.example.com example.com"
    [[ $(found tls) == "ok: 10.0.1.5:8443 answers 200" ]]
    # It is never the stack's own.
    [[ $output == *"\"certificate\":\"UEVNCg==\",\"renewal\":\"give \`tls.certificate\` a newer one\"}"* ]]
    web_node TLS_PORT=8443 SERVER_NAMES="*.example.com"
    [[ $(found tls) == ok* ]]
    printf 000 >"$host/tls"
    web_node TLS_PORT=8443
    [[ $(found tls) == "failed: no answer by TLS on 10.0.1.5:8443: "* ]]
    # Nginx listens on loopback only.
    stub curl '[[ "$*" == *127.0.0.1* ]] && printf 200 || printf 000'
    web_node
    [[ $(found health) == "failed: no answer on 10.0.1.5:80: "* ]]
}

@test "web: tells members that serve another release, or don't answer" {
    # shellcheck disable=SC2016
    {
        stub runuser 'if [[ "$*" == *@10.0.0.2* ]]; then echo releases/r1; else echo releases/r2; fi'
        stub curl '[[ "$*" != *10.0.0.3* ]] && printf 200 || printf 000'
    }
    check web/release DIRECTORY="$host/srv" USER=multihost RELEASE=r1 MEMBERS="a=10.0.0.2 b=10.0.0.3" PORT=80 HEALTH_PATH=/healthz CHECK_PATH=/
    [[ $(found release) == "failed: b has r2; r1 is wanted: run \`pulumi up --target-replace \"**::its-step\"\`" && $(found members) == "failed: b: /healthz answers with status 000"* ]]
}

# process PID SECONDS WORD…: one that began so many seconds after the boot, which was at 1000000.
process() {
    local pid=$1 started=$2
    shift 2
    mkdir -p "$PROC/$pid"
    printf '%s\0' "$@" >"$PROC/$pid/cmdline"
    printf '%s (%s (1) x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 %s00 20 21\n' "$pid" "$1" "$started" >"$PROC/$pid/stat"
}

gluster() {
    check "storage/gluster-$1" BRICK="$host/gv0/brick" BRICK_MOUNT="$host/gv0" MOUNT_POINT="$host/data" TLS=true
}

@test "storage: tells what still uses a certificate from before, with a version that reads it at its start, and a new host has nothing of that" {
    stub findmnt true
    stub systemd-escape 'echo data.mount'
    stub gluster 'true'
    stub glusterfs 'echo "glusterfs 6.10"'
    touch "$host/active/glusterd.service"
    mkdir -p "$host/gv0/brick"
    printf '\0%s/etc/glusterfs.pem\0' "$host" >"$host/socket.so"
    export GLUSTER_SOCKET=$host/socket.so
    printf 'cpu 1 2\nbtime 1000000\n' >"$PROC/stat"
    printf 'PEM\n' >"$host/etc/glusterfs.pem"
    touch -d @1000100 "$host/etc/glusterfs.pem"
    gluster server
    [[ -z $(found certificate-in-use) ]]

    # Both were started right after the file was written, as a new host's are.
    process 7 100 /usr/sbin/glusterfsd -s 10.0.0.1 --brick-name "$host/gv0/brick" -l x.log
    process 8 99 /usr/sbin/glusterfs -s localhost --process-name glustershd
    process 9 100 /usr/sbin/glusterfs --process-name fuse --volfile-id=/gv0 "$host/data"
    process 10 5 /usr/sbin/glusterfsd --brick-name "$host/gv1/brick"
    process 11 5 /usr/bin/vim "$host/gv0/brick" "$host/data"
    # Two that end while they are looked at.
    mkdir "$PROC/12"
    process 13 5 /usr/sbin/glusterfsd --brick-name "$host/gv0/brick"
    rm "$PROC/13/stat"
    gluster server
    [[ -z $stderr ]]
    [[ $(found certificate-in-use) == "ok: process 7 8 began with it" ]]
    gluster client
    [[ $(found certificate-in-use) == "ok: process 9 began with it" ]]

    touch -d @1900000 "$host/etc/glusterfs.pem"
    process 8 900001 /usr/sbin/glusterfs -s localhost --process-name glustershd
    gluster server
    [[ $(found certificate-in-use) == "warning: process 7 still uses the certificate from before: restart the brick"*"volume start gv0 force"* ]]
    gluster client
    [[ $(found certificate-in-use) == "warning: process 9 still uses the certificate from before: mount anew: systemctl restart data.mount while"* ]]
    check storage/gluster-client MOUNT_POINT="$host/data" TLS=false
    [[ -z $(found certificate-in-use) ]]
    stub glusterfs 'echo "glusterfs 8.0"'
    gluster client
    [[ -z $(found certificate-in-use) ]]
}

# What the names stand for on this host, a line each: "name address …".
stub_names() {
    printf '%s\n' "$@" >"$host/names"
    # shellcheck disable=SC2016
    stub getent '[[ $1 == ahostsv4 ]] || exit 99
        for address in $(sed -n "s/^$2 //p" "$HOST/names"); do printf "%-15s STREAM %s\n%-15s DGRAM\n%-15s RAW\n" "$address" "$2" "$address" "$address"; found=yes; done
        [[ -n ${found:-} ]] || exit 2'
}

@test "dns: is content with names whose addresses come in another order, and asks for any other name where there is a wildcard" {
    stub_names "db.internal 10.0.0.10 10.0.0.9" "multihost-doctor.internal 10.0.0.7" "multihost-doctor.eu.internal 10.0.0.8"
    check dns/names ZONES=internal NAMES="db.internal=10.0.0.9,10.0.0.10 *.internal=10.0.0.7 *.eu.internal=10.0.0.8"
    [[ $output == *'"check":"names"'* && $(found names) == "ok: 3 are answered as the state has them" ]]
}

@test "dns: tells a name with other addresses, and one without" {
    stub_names "db.internal 10.0.0.9" "web.internal 10.0.0.1 10.0.0.3" "nfs.internal 10.0.0.7"
    check dns/names ZONES=internal NAMES="db.internal=10.0.0.9 redis.internal=10.0.0.5 web.internal=10.0.0.1,10.0.0.2 nfs.internal=10.0.0.6,10.0.0.7"
    [[ $(found names | wc -l) == 3 ]]
    [[ $(found names) == *"failed: web.internal is 10.0.0.1,10.0.0.3, in the state it is 10.0.0.1,10.0.0.2: run \`pulumi up --refresh\`;"* ]]
    # A record that is gone must not be refreshed.
    [[ $(found names) == "failed: redis.internal has no answer, in the state it is 10.0.0.5: "*"\`pulumi state delete "* ]]
    [[ $(found names) == *"failed: nfs.internal is 10.0.0.7, in the state it is 10.0.0.6,10.0.0.7: "*"\`pulumi state delete "* ]]
    [[ $(grep -c -e '--refresh' <<<"$output") == 1 ]]
}

@test "dns: tells a host that resolves nothing by its nameserver, after the first twenty" {
    stub_names
    printf 'search x\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n' >"$host/resolv.conf"
    RESOLV_CONF=$host/resolv.conf check dns/names ZONES=internal NAMES="$(for n in $(seq 1 50); do printf 'n%s.internal=10.0.0.1 ' "$n"; done)"
    [[ $(found names) == "failed: no answer for any of 50, such as n1.internal: see $host/resolv.conf (nameserver 192.0.2.53 192.0.2.54); "* ]]
    [[ $(grep -c '^getent' "$host/argv") == 20 ]]
    # One that has an answer is enough to blame the others.
    stub_names "n1.internal 10.0.0.1"
    RESOLV_CONF=$host/resolv.conf check dns/names ZONES=internal NAMES="n1.internal=10.0.0.1 n2.internal=10.0.0.2"
    [[ $(found names) == "failed: n2.internal has no answer"* ]]
}

@test "dns: blames a zone that isn't bound, and not the resolver, where another one answers" {
    local names
    names="$(for n in $(seq 1 50); do printf 'n%s.internal=10.0.0.1 ' "$n"; done)"
    stub_names "db.eu.internal 10.0.0.9"
    check dns/names ZONES="internal eu.internal" NAMES="$names db.eu.internal=10.0.0.9 redis.eu.internal=10.0.0.8"
    [[ $(found names | wc -l) == 2 ]]
    [[ $(found names) == "failed: redis.eu.internal has no answer"*"failed: no answer for any of 50 of the zone internal, such as n1.internal: if it is gone"*'`pulumi up --refresh`'* ]]
    # Twenty of the one, and both of the other, the first of them twice.
    [[ $(grep -c '^getent' "$host/argv") == 23 ]]
}

# Listeners on loopback: 80 answers $HOST/http, 443 $HOST/https by TLS, a port of TCP stays silent, ends what it takes, or isn't there.
start_listeners() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$host/key.pem" -out "$host/cert.pem" -days 90 -subj /CN=balancer 2>/dev/null
    python3 - "$host" 3>&- <<'PY' &
import socket, ssl, sys, threading, time
host = sys.argv[1]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(host + "/cert.pem", host + "/key.pem")
held = []
def serve(kind):
    listener = socket.create_server(("127.0.0.1", 0))
    with open(f"{host}/{kind}.port", "w") as file:
        file.write(str(listener.getsockname()[1]))
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(kind, connection), daemon=True).start()
def answer(kind, connection):
    if kind == "silent":
        held.append(connection)
        return
    try:
        if kind in ("https", "tls"):
            connection = context.wrap_socket(connection, server_side=True)
        if kind in ("http", "https"):
            with open(f"{host}/{kind}.asked", "a") as file:
                file.write(connection.recv(4096).decode())
            with open(f"{host}/{kind}") as file:
                connection.sendall(f"HTTP/1.1 {file.read().strip()} X\r\nContent-Length: 0\r\n\r\n".encode())
    except OSError:
        pass
    connection.close()
for kind in ("http", "https", "tls", "silent", "ending"):
    threading.Thread(target=serve, args=(kind,), daemon=True).start()
time.sleep(60)
PY
    listeners=$!
    for kind in http https tls silent ending; do
        for _ in {1..50}; do
            [[ ! -s $host/$kind.port ]] || break
            sleep 0.1
        done
    done
    echo 200 >"$host/http"
    echo 301 >"$host/https"
}

teardown() {
    [[ -z ${listeners:-} ]] || kill "$listeners"
}

port() { cat "$host/$1.port"; }

balancer() {
    check balancer/listeners NAME=entry ADDRESSES=127.0.0.1 LISTENERS="$*"
}

@test "balancer: asks as a health check does, and shows the certificates" {
    start_listeners
    balancer "http:$(port http):/healthz:www.example.com:" "https:$(port https):/:www.example.com:generated" "tls:$(port tls):/::given" "tcp:$(port silent):/::"
    [[ -z $stderr && $(found listener | grep -c ^ok:) == 4 && $(found listener | wc -l) == 4 ]]
    [[ $(found listener) == *"entry, http on 127.0.0.1:$(port http): /healthz answers 200"* && $(found listener) == *"/ answers 301"* ]]
    grep -q '^GET /healthz HTTP/1.1' "$host/http.asked"
    grep -q '^Host: www.example.com' "$host/http.asked"
    [[ $(grep -c '"certificate":"'"$(openssl x509 -in "$host/cert.pem" | base64 -w 0)"'"' <<<"$output") == 2 ]]
    [[ $output == *"\"of\":\"entry, https on port $(port https)\"}"* ]]
    [[ $output == *"\"of\":\"entry, tls on port $(port tls)\",\"renewal\":\"give the listener a newer one\"}"* ]]
}

@test "balancer: tells what has no server that is healthy, and what takes no connection" {
    start_listeners
    echo 503 >"$host/http"
    # Nothing listens on port 1.
    balancer "http:$(port http):/healthz::" "tcp:$(port ending):/::" tcp:1:/:: https:1:/::generated http:1:/:: tls:1:/::given
    [[ $(found listener | grep -c ^failed:) == 6 && $(found listener | wc -l) == 6 && $output != *'"certificate"'* ]]
    [[ $(found listener) == *"entry, http on 127.0.0.1:$(port http): /healthz answers 503, as without a server"* ]]
    [[ $(found listener) == *":$(port ending): no connection (ends it at once)"* && $(found listener) == *":1: no connection (Connection refused)"* ]]
}

@test "a check that fails itself says where" {
    stub df 'true'
    stub systemctl 'exit 7'
    run --separate-stderr doctor host/ready
    echo "$stderr"
    [[ $status != 0 && $stderr == *"doctor/host/ready.sh:"*"'systemctl "*"ended with status 7"* ]]
    [[ $(found disk) == "failed: df does not answer"* ]]
}

@test "no advice is an update that would find nothing changed, nor one that undoes a step before" {
    # What a failed update left is finished by the next one, and settings that wait for a restart are such.
    run grep -nE '`pulumi up\\`' -r "$scripts/doctor"
    [[ $(grep -vcE 'restarts (node|server) by|, which begins it again|state delete' <<<"$output") == 0 ]]
    # Services of several hosts: their steps are never undone.
    [[ $(grep -rlE '\$\(step_again\)' "$scripts/doctor" | sed "s|$scripts/doctor/||" | sort | tr '\n' ' ') == "mysql/replication.sh redis/cluster.sh storage/gluster-volume.sh web/release.sh " ]]
}

@test "no check changes anything on its host" {
    local before
    stub_redis
    stub curl 'printf 200'
    stub runuser 'true'
    touch "$host/active/redis-cluster.service" "$host/active/nginx.service"
    before=$(cd "$host" && find . -type f ! -name argv -exec sha256sum {} + | sort)
    check host/ready
    redis_node
    web_node
    check ssh/verify MEMBERS="b=10.0.0.2"
    [[ $(cd "$host" && find . -type f ! -name argv -exec sha256sum {} + | sort) == "$before" ]]
    [[ ! -e $BATS_TEST_TMPDIR/steps ]]
    # Nor does any call what changes a host.
    run ! grep -nE '\b(changed|file_write|file_remove|directory|packages_install|service_(start|restart|off)|unit_write|sysctl_set|mktemp)\b' -r "$scripts/doctor"
}

# shellcheck shell=bash
# One Redis Cluster node on this host: installed, configured, running. Membership is redis/cluster's business.
#
# PARAM_ADDRESS, PARAM_PORT                  where it listens; the cluster bus takes port + 10000
# PARAM_MAXMEMORY                            "60%" of the host's memory, or a size such as 512mb
# PARAM_MAXMEMORY_POLICY, PARAM_NODE_TIMEOUT (ms), PARAM_APPENDONLY, PARAM_MIN_REPLICAS_TO_WRITE
# PARAM_TLS                                  true or false
# PARAM_DATA_DIR                             default /var/lib/redis/cluster
# PARAM_VERSION                              of the packages, or its beginning; any unless told
# SECRET_PASSWORD, SECRET_PREVIOUS_PASSWORD  the second one stays valid beside the first
# SECRET_CA_CERTIFICATE, SECRET_CERTIFICATE, SECRET_PRIVATE_KEY
#
# What a running member takes over only at its start isn't forced here: the node is marked, and redis/cluster restarts
# the marked nodes one after the other.

REDIS_RUN=${REDIS_RUN:-/run/redis-cluster}
REDIS_UNIT=redis-cluster.service
# Names the step that made the node of this host.
REDIS_OWNER=${REDIS_OWNER:-/var/lib/multihost/redis-owner}
# Seconds and changes after which a snapshot is written.
REDIS_SNAPSHOTS='3600 1 300 100 60 10000'
# Settings that CONFIG SET applies to a running server.
REDIS_LIVE='maxmemory|maxmemory-policy|cluster-node-timeout|appendonly|save|min-replicas-to-write|client-output-buffer-limit|masterauth'

# By each of these, systemd forbids what it starts as another user than root to gain rights, as by SELinux' domain for Redis.
REDIS_NO_GAIN='NoNewPrivileges|PrivateDevices|ProtectKernelTunables|RestrictAddressFamilies'

configured() {
    [[ -r $REDIS_ETC/redis.conf ]] || return 0
    sed -n "s/^$1 //p" "$REDIS_ETC/redis.conf" | head -n 1
}

install_redis() {
    local version streams=()
    if [[ $OS_FAMILY == rhel && ${OS_VERSION%%.*} == 10 ]] && ! package_installed redis && [[ -z $(packages_alone package_versions redis) ]]; then
        die "$OS_ID $OS_VERSION has no package redis, its repositories have Valkey instead: use one of the RHEL 9 family or Debian 12 or 13 for the hosts of Redis"
    fi
    # The default stream of the RHEL 8 generation is Redis 5, which knows no TLS.
    [[ $OS_FAMILY != rhel || ${OS_VERSION%%.*} != [38] ]] || streams=(6)
    package_installed redis || packages_stream redis "${PARAM_VERSION:-}" ${streams[@]+"${streams[@]}"}
    packages_install_version "${PARAM_VERSION:-}" "$(os_pick redis-server redis)" "$(os_pick redis-tools redis)"
    # The distribution's own instance on port 6379 has no password and competes for the memory.
    service_off "$(os_pick redis-server redis).service"
    version=$(redis-server --version | sed -n 's/.*v=\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    REDIS_MAJOR=${version% *} REDIS_MINOR=${version#* }
    ((REDIS_MAJOR >= 6)) || die "Redis $REDIS_MAJOR.$REDIS_MINOR has neither TLS nor ACLs: version 6.0 or later is needed"
}

redis_at_least() {
    ((REDIS_MAJOR > $1 || (REDIS_MAJOR == $1 && REDIS_MINOR >= $2)))
}

configuration() {
    local save='save ""'
    # The append-only file holds everything; without it, snapshots are all there is. Redis 6 reads only lines of one pair.
    # shellcheck disable=SC2086 # by words
    [[ $PARAM_APPENDONLY == true ]] || save=$(printf 'save %s %s\n' $REDIS_SNAPSHOTS)
    cat <<CONF
# Written by multihost: changes made here are lost.
bind $PARAM_ADDRESS 127.0.0.1
protected-mode yes
tcp-backlog 1024
tcp-keepalive 60
supervised systemd
daemonize no
dir $DATA_DIR
aclfile $REDIS_ETC/users.acl
masterauth $SECRET_PASSWORD
cluster-enabled yes
cluster-config-file nodes.conf
cluster-node-timeout $PARAM_NODE_TIMEOUT
cluster-announce-ip $PARAM_ADDRESS
cluster-require-full-coverage no
maxmemory $MAXMEMORY
maxmemory-policy $PARAM_MAXMEMORY_POLICY
appendonly $(yes_no "$PARAM_APPENDONLY")
appendfsync everysec
$save
min-replicas-to-write $PARAM_MIN_REPLICAS_TO_WRITE
repl-backlog-size 16mb
client-output-buffer-limit replica $((MAXMEMORY / 10 > 268435456 ? MAXMEMORY / 10 : 268435456)) 0 0
lazyfree-lazy-eviction yes
lazyfree-lazy-expire yes
CONF
    ! redis_at_least 6 2 || printf 'disable-thp yes\n'
    # Where replicas stand is decided in one place.
    ! redis_at_least 7 0 || printf 'cluster-allow-replica-migration no\n'
    if [[ $PARAM_TLS == true ]]; then
        cat <<CONF
port 0
tls-port $PARAM_PORT
tls-cluster yes
tls-replication yes
tls-auth-clients no
tls-protocols "TLSv1.2 TLSv1.3"
tls-ca-cert-file $REDIS_ETC/ca.crt
tls-cert-file $REDIS_ETC/node.crt
tls-key-file $REDIS_ETC/node.key
CONF
    else
        printf 'port %s\n' "$PARAM_PORT"
    fi
}

yes_no() {
    if [[ $1 == true ]]; then printf yes; else printf no; fi
}

# A data disk may come late after a boot, or not at all: the node waits for it, and doesn't begin anew on the system disk. What fails for other
# reasons is tried again however often it failed: nobody looks after it before the next update.
unit() {
    cat <<UNIT
[Unit]
Description=Redis Cluster node
Documentation=https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/
After=network-online.target
Wants=network-online.target
RequiresMountsFor=$DATA_DIR
StartLimitIntervalSec=0

[Service]
Type=notify
User=redis
Group=redis
UMask=0077
RuntimeDirectory=${REDIS_RUN##*/}
# What the process was started with, to tell later whether it needs another start.
ExecStartPre=/bin/sh -c 'cat $REDIS_ETC/redis.conf $UNIT_FILE > $REDIS_RUN/started && cat $REDIS_ETC/*.crt $REDIS_ETC/*.key 2>/dev/null | sha256sum > $REDIS_RUN/tls; true'
ExecStart=$(command -v redis-server) $REDIS_ETC/redis.conf
# Always, not on failure: the SHUTDOWN command is how a node is restarted from afar.
Restart=always
RestartSec=1s
TimeoutStartSec=infinity
TimeoutStopSec=120
LimitNOFILE=65535
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX

[Install]
WantedBy=multi-user.target
UNIT
}

# Under those, Redis would stay in systemd's own domain with the policies of RHEL 8 and 9, and be refused its files. A node that runs all the
# same goes on as it is: what it has written may not be open to the other domain.
unit_of_host() {
    if selinux_enabled && ! { service_active "$REDIS_UNIT" && grep -qsE "^($REDIS_NO_GAIN)=" "$UNIT_FILE"; }; then
        unit | grep -vE "^($REDIS_NO_GAIN)="
    else
        unit
    fi
}

# Without the settings that a running server takes over, and without what systemd alone goes by.
start_only() {
    sed -E "/^($REDIS_LIVE) /d; /^(RequiresMountsFor|StartLimit[A-Za-z]+|RestartSec)=/d" "$@"
}

# Which password the running server takes; nothing when it refuses all that we know. While it loads its data, is busy or slow, it refuses none,
# and a start would be an outage that no other member of the cluster is told of.
active_password() {
    local password verdict unclear since=$SECONDS limit
    while service_active "$REDIS_UNIT"; do
        unclear=
        for password in "$SECRET_PASSWORD" "${SECRET_PREVIOUS_PASSWORD:-}" "$1"; do
            [[ -n $password ]] || continue
            verdict=$(redis_verdict "$password" "$SELF")
            case $verdict in
            accepted)
                printf '%s' "$password"
                return 0
                ;;
            # Of a certificate that another authority has made, or that has expired, a start is the end, too.
            refused | *"certificate verify failed"*) ;;
            *) unclear=$verdict ;;
            esac
        done
        [[ -n $unclear ]] || return 0
        limit=${ANSWER_SECONDS:-60}
        [[ $unclear != LOADING* && $unclear != BUSY* ]] || limit=600
        ((SECONDS - since < limit)) || die "Redis on $SELF runs, and doesn't say within $limit s whether it takes a password of ours" "$unclear"
        sleep 0.5
    done
}

# A new password is known everywhere before anything uses it: first beside the old one, here and at every other member, even
# at those that are about to leave; redis/cluster drops the old one when every node has got this far.
teach_password() {
    local old=$1 line address
    if [[ $old != "$SECRET_PASSWORD" ]]; then
        redis_send "$old" "$SELF" ">$SECRET_PASSWORD" ACL SETUSER default on
        changed "password accepted beside the previous one"
    fi
    [[ $(redis "$SELF" CONFIG GET masterauth | tail -n 1) != "$SECRET_PASSWORD" ]] || return 0
    while read -r _ address line; do
        [[ $line != *myself* && $line != *fail* && $line != *handshake* && $line != *noaddr* ]] || continue
        address=${address%@*}
        if ! redis_accepts "$SECRET_PASSWORD" "$address" && redis_accepts "$old" "$address"; then
            redis_send "$old" "$address" ">$SECRET_PASSWORD" ACL SETUSER default on
        fi
    done < <(redis "$SELF" CLUSTER NODES)
    redis_send "$SECRET_PASSWORD" "$SELF" "$SECRET_PASSWORD" CONFIG SET masterauth
    changed "masterauth"
}

# What the next start reads has to be there before the file says so: an append-only file that was only begun, or a snapshot of long ago, would be
# all that is left after a crash. From one to the other, writes are in both.
change_persistence() {
    local since
    log "writing the data as appendonly = $PARAM_APPENDONLY asks for"
    if [[ $PARAM_APPENDONLY == true ]]; then
        redis "$SELF" CONFIG SET appendonly yes >/dev/null
        wait_for 1200 "Redis to have written its append-only file (its log says what hinders it)" append_only_written
        changed "appendonly = yes"
    else
        since=$(redis "$SELF" TIME | head -n 1)
        redis "$SELF" CONFIG SET save "$REDIS_SNAPSHOTS" >/dev/null
        # Refused while one is being written, which is as good.
        redis_try "$SELF" BGSAVE SCHEDULE >/dev/null || true
        wait_for 1200 "Redis to have written a snapshot (its log says what hinders it)" snapshot_written "$since"
    fi
}

append_only_written() {
    local info
    info=$(redis_try "$SELF" INFO persistence) || return 1
    [[ $(redis_field "$info" aof_rewrite_in_progress) == 0 && $(redis_field "$info" aof_rewrite_scheduled) == 0 &&
        $(redis_field "$info" aof_last_bgrewrite_status) == ok ]]
}

# snapshot_written SINCE, by the server's clock
snapshot_written() {
    local info
    info=$(redis_try "$SELF" INFO persistence) || return 1
    (($(redis_field "$info" rdb_last_save_time) >= $1)) &&
        [[ $(redis_field "$info" rdb_bgsave_in_progress) == 0 && $(redis_field "$info" rdb_last_bgsave_status) == ok ]]
}

apply_live() {
    local name value current
    # It tells the lines of a setting that has several in one.
    while read -r name value; do
        [[ $name =~ ^($REDIS_LIVE)$ && $name != masterauth ]] || continue
        [[ $value != '""' ]] || value=
        current=$(redis "$SELF" CONFIG GET "$name" | tail -n +2)
        # Of all kinds of clients in one; some versions still call a replica slave.
        [[ $name != client-output-buffer-limit ]] || current=$(sed -E 's/.*(slave|replica)(( [0-9]+){3}).*/replica\2/' <<<"$current")
        # A master without replicas would refuse to write at once: redis/cluster asks for more of them when they follow.
        if [[ $name == min-replicas-to-write ]] && ((value > current)) && is_member; then
            continue
        fi
        if [[ $current != "$value" ]]; then
            redis "$SELF" CONFIG SET "$name" "$value" >/dev/null
            changed "$name = ${value:-none}"
        fi
    done < <(awk '$1 == "save" { save = save " " $2 " " $3; next } { print } END { print "save" save }' "$REDIS_ETC/redis.conf")
    [[ $PARAM_TLS != true ]] || load_certificate
}

load_certificate() {
    local digest run loaded
    digest=$(cat "$REDIS_ETC"/*.crt "$REDIS_ETC"/*.key | sha256sum)
    run=$(redis_field "$(redis "$SELF" INFO server)" run_id)
    # What this process was told to read, or else what it was started with. The folder of the latter is Redis' own: root writes nothing there.
    loaded=$(sed -n "s/^$run //p" "$REDIS_ETC/loaded" 2>/dev/null) || true
    [[ $digest != "${loaded:-$(cat "$REDIS_RUN/tls" 2>/dev/null)}" ]] || return 0
    # Setting the same path again makes Redis read the files again; running connections stay.
    redis "$SELF" CONFIG SET tls-cert-file "$REDIS_ETC/node.crt" >/dev/null
    printf '%s %s\n' "$run" "$digest" >"$REDIS_ETC/loaded"
    changed "certificate loaded"
}

is_member() {
    local info
    info=$(redis "$SELF" CLUSTER INFO)
    [[ $(redis_field "$info" cluster_known_nodes) != 1 || $(redis_field "$info" cluster_slots_assigned) != 0 ]]
}

restart_when_needed() {
    if [[ $(start_only "$REDIS_ETC/redis.conf" "$UNIT_FILE") == "$(start_only "$REDIS_RUN/started" 2>/dev/null || true)" ]] &&
        ! service_outdated "$REDIS_UNIT"; then
        return 0
    fi
    if ! is_member; then
        service_restart "$REDIS_UNIT"
        wait_for 60 "Redis to answer after its restart" redis_answers "$SELF"
    elif ! redis_restart_pending "$SELF"; then
        redis "$SELF" ACL SETUSER "$REDIS_RESTART_MARK" off >/dev/null
        changed "restart pending"
    fi
}

# What can't change in place would leave two clusters behind, or a node that no other can reach.
refuse_impossible() {
    local was_port was_tls=true
    was_port=$(configured tls-port)
    if [[ -z $was_port ]]; then
        was_port=$(configured port) was_tls=false
    fi
    [[ -n $was_port ]] || return 0
    [[ $was_port == "$PARAM_PORT" ]] ||
        die "port: this host's node listens on $was_port and can't move to $PARAM_PORT in place: create a cluster beside it and move the data"
    [[ $(configured dir) == "$DATA_DIR" ]] ||
        die "dataDirectory: this host's node keeps its data in $(configured dir) and would start empty in $DATA_DIR: replace the host instead"
    [[ $was_tls == "$PARAM_TLS" ]] ||
        die "tls: a running cluster can't change from tls=$was_tls to tls=$PARAM_TLS in place: create a cluster beside it and move the data"
}

# Whether this component's earlier self wrote what is on the host, whatever its name was then.
is_ours() {
    if [[ $PARAM_TLS == true ]]; then
        authority_is_ours "$REDIS_ETC/ca.crt"
    else
        [[ $(configured masterauth) == "$SECRET_PASSWORD" || $(configured masterauth) == "${SECRET_PREVIOUS_PASSWORD:-}" ]]
    fi
}

main() {
    local content old_password active persists
    require_params PARAM_ADDRESS PARAM_PORT PARAM_MAXMEMORY PARAM_MAXMEMORY_POLICY PARAM_NODE_TIMEOUT PARAM_APPENDONLY \
        PARAM_MIN_REPLICAS_TO_WRITE PARAM_TLS SECRET_PASSWORD
    redis_check_password "$SECRET_PASSWORD"
    [[ -z ${SECRET_PREVIOUS_PASSWORD:-} ]] || redis_check_password "$SECRET_PREVIOUS_PASSWORD"
    os_detect
    SELF=$PARAM_ADDRESS:$PARAM_PORT
    DATA_DIR=${PARAM_DATA_DIR:-/var/lib/redis/cluster}
    MAXMEMORY=$(memory_size maxmemory "$PARAM_MAXMEMORY")
    UNIT_FILE=${SYSTEMD_UNITS:-/etc/systemd/system}/$REDIS_UNIT
    # Two components would each make this node theirs, in turn, with all its keys.
    owner_claim "$REDIS_OWNER" "Redis node" "$REDIS_ETC/redis.conf" is_ours
    refuse_impossible
    install_redis
    old_password=$(configured masterauth)

    sysctl_set 60-multihost-redis.conf vm.overcommit_memory=1 'net.core.somaxconn>=1024'
    thp_never
    # The second one is the cluster's bus.
    selinux_ports redis_port_t "$PARAM_PORT" "$((PARAM_PORT + 10000))"

    [[ -d ${REDIS_ETC%/*} ]] || directory "${REDIS_ETC%/*}" 0750 root:redis
    directory "$REDIS_ETC" 0750 root:redis
    directory "$DATA_DIR" 0750 redis:redis
    adopt_data
    allow_data_files
    if [[ $PARAM_TLS == true ]]; then
        require_params SECRET_CA_CERTIFICATE SECRET_CERTIFICATE SECRET_PRIVATE_KEY
        file_write "$REDIS_ETC/ca.crt" 0640 root:redis "$(trimmed "$SECRET_CA_CERTIFICATE")"
        file_write "$REDIS_ETC/node.key" 0640 root:redis "$(trimmed "$SECRET_PRIVATE_KEY")"
        file_write "$REDIS_ETC/node.crt" 0640 root:redis "$(trimmed "$SECRET_CERTIFICATE")"
    fi

    persists=$(configured appendonly)
    if [[ -n $persists && $persists != "$(yes_no "$PARAM_APPENDONLY")" && -e $UNIT_FILE ]]; then
        # One that is down reads its data as the file of before says.
        service_start "$REDIS_UNIT"
    else
        persists=
    fi

    # The running server learns a new password before the file forgets the old one, so a run that is cut off here can go on.
    active=
    if service_active "$REDIS_UNIT"; then
        active=$(active_password "$old_password")
        [[ -z $active ]] || teach_password "$active"
    fi

    content="user default on #$(redis_digest "$SECRET_PASSWORD")"
    if [[ -n ${SECRET_PREVIOUS_PASSWORD:-} ]]; then
        content+=" #$(redis_digest "$SECRET_PREVIOUS_PASSWORD")"
    fi
    if redis_at_least 6 2; then content+=' ~* &* +@all'; else content+=' ~* +@all'; fi
    file_write "$REDIS_ETC/users.acl" 0640 root:redis "$content"
    if [[ -n $persists ]]; then
        [[ -n $active ]] ||
            die "appendonly: Redis on $SELF refuses every password that we know, and what it holds has to be written before this changes: leave it for a second update"
        change_persistence
    fi
    content=$(configuration)
    file_write "$REDIS_ETC/redis.conf" 0640 root:redis "$content"
    unit_write "$REDIS_UNIT" "$(unit_of_host)"

    if [[ -z $active ]] && service_active "$REDIS_UNIT"; then
        # Nothing that we know opens it: the file does, after a start.
        service_restart "$REDIS_UNIT"
    fi
    service_start "$REDIS_UNIT"
    wait_for 600 "Redis to answer on $SELF" redis_answers "$SELF"
    apply_live
    restart_when_needed
    finish address="$SELF" version="$REDIS_MAJOR.$REDIS_MINOR" maxmemory:="$MAXMEMORY"
}

# What the node has written below a folder.
written_files() {
    find "$1" -mindepth 1 -maxdepth 1 \( -name nodes.conf -o -name dump.rdb -o -name appendonlydir -o -name appendonly.aof \
        -o -name 'temp-*.rdb' -o -name 'temp-*.aof' \)
}

# The number behind a user's name is the machine's: a data disk that comes from another one brings files of somebody else.
adopt_data() {
    local path
    if [[ ! -e $DATA_DIR/nodes.conf || $(stat -c '%a %U:%G' "$DATA_DIR/nodes.conf") == *" redis:redis" ]] || service_active "$REDIS_UNIT"; then
        return 0
    fi
    while IFS= read -r path; do
        chown -R redis:redis "$path"
    done < <(written_files "$DATA_DIR")
    changed "$DATA_DIR: the data's owner"
}

# SELinux knows the distribution's own directory only. Others may have files where a disk is mounted.
allow_data_files() {
    local path
    if [[ $DATA_DIR != /var/lib/redis/* ]] && selinux_enabled && ! service_active "$REDIS_UNIT"; then
        chcon -t redis_var_lib_t "$DATA_DIR"
        while IFS= read -r path; do
            chcon -R -t redis_var_lib_t "$path"
        done < <(written_files "$DATA_DIR")
    fi
}

# What the node has written, and the folder when nothing else is in it: others may have files where a disk is mounted.
remove_data() {
    local path
    [[ -d $1 ]] || return 0
    while IFS= read -r path; do
        rm -rf "$path"
    done < <(written_files "$1")
    rmdir "$1" 2>/dev/null || true
    changed "$1: the node's data removed"
}

# Whether what it wrote down last names other nodes, or slots of its own.
remembers_cluster() {
    local file=${PARAM_DATA_DIR:-/var/lib/redis/cluster}/nodes.conf
    [[ -e $file ]] || return 1
    awk '$1 != "vars" { nodes++; if (NF > 8) slots = 1 } END { exit !(nodes > 1 || slots) }' "$file"
}

# Only a node that redis/cluster has drained goes: a step is also deleted after its replacement was created, on the same host.
remove() {
    local drained=false
    ! owner_spares "$REDIS_OWNER" "Redis node" || return 0
    os_detect
    SELF=$PARAM_ADDRESS:$PARAM_PORT
    if service_active "$REDIS_UNIT"; then
        ! redis_answers "$SELF" || is_member || drained=true
    else
        remembers_cluster || drained=true
    fi
    if [[ $drained == false ]]; then
        log "Redis on $SELF still belongs to a cluster: it stays as it is"
        return 0
    fi
    service_off "$REDIS_UNIT"
    file_remove "${SYSTEMD_UNITS:-/etc/systemd/system}/$REDIS_UNIT"
    file_remove "$REDIS_ETC"
    file_remove "$REDIS_OWNER"
    remove_data "${PARAM_DATA_DIR:-/var/lib/redis/cluster}"
    file_remove "${SYSCTL_D:-/etc/sysctl.d}/60-multihost-redis.conf"
    quietly systemctl daemon-reload
}

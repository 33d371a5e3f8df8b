# shellcheck shell=bash
# Hosts with real servers on loopback, MariaDB's or MySQL's, whichever this machine has: only systemd, packages and the machines around
# them are made up.

password=correct-horse-battery-1
admin=admin-password-of-the-servers
port=${MYSQL_TEST_PORT:-27306}
engine=mariadb client=/usr/bin/mariadb server=/usr/sbin/mariadbd
if [[ ! -x $server ]]; then
    engine=mysql client=/usr/bin/mysql server=/usr/sbin/mysqld
fi

# mine MARIADB MYSQL: what this machine's engine says or is asked.
mine() {
    if [[ $engine == mariadb ]]; then printf '%s' "$1"; else printf '%s' "$2"; fi
}

# Host N has the address 127.0.42.N and its files in $hosts/N.
database_hosts() {
    local number
    hosts=$BATS_FILE_TMPDIR/hosts
    mkdir -p "$hosts/bin"
    cd "$hosts"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-ca 2>/dev/null
    for number in "$@"; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$number.key" -out node.csr -subj "/CN=db-$number" 2>/dev/null
        openssl x509 -req -in node.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out "$number.crt" \
            -extfile <(printf 'subjectAltName=IP:127.0.42.%s,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' "$number") 2>/dev/null
        mkdir -p "$hosts/$number"/{etc,units,home,sudoers.d}
        printf '[mysqld]\nuser=root\nsocket=%s/sock\npid_file=%s/pid\nlog_error=%s/error.log\ninnodb_use_native_aio=0\n!include %s/etc/zz.cnf\n' \
            "$hosts/$number" "$hosts/$number" "$hosts/$number" "$hosts/$number" >"$hosts/$number/my.cnf"
        touch "$hosts/$number/error.log"
    done
    printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="A test host"\n' >"$hosts/os-release"
    : >owners
    export hosts client server engine
    # shellcheck disable=SC2016
    {
        # Every argument that any user of the host could have read.
        stand_in "${client##*/}" 'echo "client $*" >>"$HOSTS/argv"; exec "$client" "$@"'
        stand_in dpkg-query 'case $engine:${*: -1} in mariadb:mysql-server | mysql:mariadb-server) exit 1 ;; esac; printf installed'
        stand_in getent exit
        stand_in visudo exit
        stand_in useradd exit
        stand_in userdel exit
        stand_in chown '[[ $1 == -R ]] || printf "%s=%s\n" "$(/usr/bin/stat -L -c %i "$2")" "$1" >>"$HOSTS/owners"'
        stand_in stat 'owner=$(grep "^$(/usr/bin/stat -c %i "$3")=" "$HOSTS/owners" | tail -n 1); echo "$(/usr/bin/stat -c %a "$3") ${owner#*=}"'
        stand_in runuser 'exec "${@:4}"'
        stand_in mariadb-install-db 'args=(); for word in "$@"; do [[ $word == --user=* ]] || args+=("$word"); done; exec /usr/bin/mariadb-install-db "${args[@]}" --user=root'
        stand_in mysqld 'args=(); for word in "$@"; do [[ $word == --user=* ]] || args+=("$word"); done; exec /usr/sbin/mysqld "${args[@]}" --user=root'
        stand_in mariadb-backup 'args=(); for word in "$@"; do [[ $word == --user=* ]] || args+=("$word"); done; exec /usr/bin/mariadb-backup "${args[@]}"'
        stand_in ssh 'echo "ssh $*" >>"$HOSTS/argv"; [[ ! -e $HOSTS/no-backup ]] || exit 1; exec "$HOSTS/${*: -1:1}/backup"'
        stand_in systemctl '
            state=$HOST/active
            case $1 in
            is-active) [[ -e $state ]] ;;
            is-enabled | enable | disable | daemon-reload | reset-failed) ;;
            start) [[ -e $state ]] || "$HOSTS/bin/supervise" start ;;
            stop) "$HOSTS/bin/supervise" stop ;;
            restart) "$HOSTS/bin/supervise" stop; "$HOSTS/bin/supervise" start ;;
            esac'
        # As systemd does with Restart=always.
        stand_in supervise '
            if [[ $1 == stop ]]; then
                rm -f "$HOST/active"
                # A supervisor that is still there could take the next start for its own.
                while kill -0 "$(cat "$HOST/supervisor" 2>/dev/null)" 2>/dev/null; do
                    kill "$(cat "$HOST/pid" 2>/dev/null)" 2>/dev/null
                    sleep 0.2
                done
                exit 0
            fi
            touch "$HOST/active"
            (
                # Nor does a service inherit anything from a step that starts it.
                for fd in /proc/$BASHPID/fd/*; do
                    fd=${fd##*/}
                    ((fd < 3 || fd == 255)) || eval "exec $fd>&-"
                done
                while [[ -e $HOST/active ]]; do
                    "$server" --defaults-file="$HOST/my.cnf" >>"$HOST/out" 2>&1 </dev/null
                    sleep 0.3
                done
            ) </dev/null >/dev/null 2>&1 &
            echo "$!" >"$HOST/supervisor"
            # A unit of Type=notify is started when its server answers.
            for _ in {1..100}; do
                [[ $("$client" --no-defaults --socket="$HOST/sock" --user=root --execute="DO 1" 2>&1) == *"ERROR 2002"* ]] || break
                sleep 0.1
            done'
    }
    for number in "$@"; do
        ln -s "$hosts/$number" "$hosts/multihost-backup@127.0.42.$number"
    done
}

# stand_in NAME BODY
stand_in() {
    printf '#!/bin/bash\n%s\n' "$2" >"$hosts/bin/$1"
    chmod 0755 "$hosts/bin/$1"
}

database_hosts_end() {
    local number
    for number in "$BATS_FILE_TMPDIR"/hosts/[0-9]; do
        HOST=$number "$BATS_FILE_TMPDIR/hosts/bin/supervise" stop
    done
}

# on NUMBER COMMAND…: with that host's files.
on() {
    local host=$hosts/$1
    shift
    HOSTS=$hosts HOST=$host PATH=$hosts/bin:$PATH OS_RELEASE_FILE=$hosts/os-release MYSQL_CONF=$host/etc/zz.cnf MYSQL_ETC=$host/etc/multihost \
        MYSQL_STATE=$host/state MYSQL_OWNER=$host/owner MYSQL_SOCKET=$host/sock SYSTEMD_UNITS=$host/units SUDOERS_D=$host/sudoers.d APPARMOR_D=$host/apparmor.d BACKUP_HOME=$host/home \
        BACKUP_COMMAND=$host/backup ANSWER_SECONDS="${ANSWER_SECONDS:-5}" STALL_SECONDS="${STALL_SECONDS:-15}" "$@"
}

# node NUMBER [PARAM=value…]
node() {
    local number=$1
    shift
    on "$number" step mysql/node ENGINE="$engine" ADDRESS="127.0.42.$number" PORT="$port" CIDRS=127.0.0.0/8 BUFFER_POOL=64mb SEMI_SYNC=true \
        DATA_DIR="$hosts/$number/data" BACKUP_KEY='ssh-ed25519 AAAA' "$@" -- ADMIN_PASSWORD="$admin" CA_CERTIFICATE="$(<"$hosts/ca.crt")" \
        CERTIFICATE="$(<"$hosts/$number.crt")" PRIVATE_KEY="$(<"$hosts/$number.key")"
}

members() {
    local number
    for number in "$@"; do
        printf 'db-%s=127.0.42.%s ' "$number" "$number"
    done
}

host_keys() {
    local number
    for number in "$@"; do
        printf '127.0.42.%s ssh-ed25519 AAAA\n' "$number"
    done
}

# seed NUMBER REBUILD MEMBER…: the number of the source in `wanted`.
seed() {
    local number=$1 rebuild=$2
    shift 2
    on "$number" step mysql/seed ENGINE="$engine" ADDRESS="127.0.42.$number" PORT="$port" DATA_DIR="$hosts/$number/data" MEMBERS="$(members "$@")" \
        SOURCE="db-${wanted:-1}" SEMI_SYNC=true REBUILD="$rebuild" HOST_KEYS="$(host_keys "$@")" -- ADMIN_PASSWORD="$admin" REPLICATION_PASSWORD="${replication:-replication-password-1}" BACKUP_KEY=KEY
}

# replicate SOURCE MEMBER…: parameters in `settings`, passwords in `password` and `previous`, and of the servers' own in `replication` and `other`.
replicate() {
    local source=$1
    shift
    on 1 step mysql/replication ENGINE="$engine" ADDRESS=127.0.42.1 PORT="$port" MEMBERS="$(members "$@")" SOURCE="db-$source" CIDRS=127.0.0.0/8 \
        SEMI_SYNC=true DATABASES="app other_data" USER=app "${settings[@]}" -- ADMIN_PASSWORD="$admin" \
        REPLICATION_PASSWORD="${replication:-replication-password-1}" ${other:+OTHER_REPLICATION_PASSWORD="$other"} \
        PASSWORD="$password" ${previous:+PREVIOUS_PASSWORD="$previous"}
}

# query NUMBER STATEMENTS: as root on that host.
query() {
    "$client" --no-defaults --socket="$hosts/$1/sock" --user=root --batch --skip-column-names <<<"$2"
}

# holds NUMBER STATEMENTS ROWS: a replica has what the source acknowledged, and executes it a moment later.
holds() {
    local _
    for _ in {1..100}; do
        [[ $(query "$1" "$2" 2>&1) != "$3" ]] || return 0
        sleep 0.1
    done
    return 1
}

# login NUMBER USER PASSWORD STATEMENTS [OPTION…]: over TLS, and not without knowing the server.
login() {
    MYSQL_PWD=$3 "$client" --no-defaults --host="127.0.42.$1" --port="$port" --user="$2" --batch --skip-column-names --connect-timeout=3 \
        "${@:5}" <<<"$4" 2>&1
}

# app NUMBER STATEMENTS: as the application.
app() {
    # shellcheck disable=SC2046 # several options
    login "$1" app "${secret:-$password}" "$2" --ssl-ca="$hosts/ca.crt" $(mine --ssl-verify-server-cert --ssl-mode=VERIFY_IDENTITY)
}

# thousands NUMBER: 5,000 rows of 1,000 characters in app.t.
thousands() {
    app "$1" "USE app; SET SESSION $(mine max_recursive_iterations cte_max_recursion_depth) = 10000; INSERT INTO t (v)
        WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT REPEAT('x', 1000) FROM n"
}

# executed NUMBER: what the server says it has.
executed() {
    query "$1" "SELECT $(mine @@global.gtid_binlog_state @@global.gtid_executed)"
}

# skip_transaction NUMBER SOURCE STATEMENTS: which the source executes, and the replica takes for done.
skip_transaction() {
    if [[ $engine == mariadb ]]; then
        query "$1" "STOP SLAVE SQL_THREAD"
        app "$2" "$3"
        query "$1" "STOP SLAVE; SET GLOBAL gtid_slave_pos = '$(query "$2" "SELECT @@gtid_binlog_pos")'; START SLAVE"
    else
        query "$1" "STOP REPLICA"
        app "$2" "$3"
        local set last
        set=$(query "$2" "SELECT REPLACE(@@global.gtid_executed, '\\n', '')")
        last=$(query "$1" "SELECT GTID_SUBTRACT('$set', @@global.gtid_executed)")
        query "$1" "SET GTID_NEXT = '$last'; BEGIN; COMMIT; SET GTID_NEXT = 'AUTOMATIC'; START REPLICA"
    fi
}

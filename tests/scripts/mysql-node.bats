#!/usr/bin/env bats
# mysql/node on stand-ins for hosts of both families and with both engines: what it writes, and that a second run writes nothing.

bats_require_minimum_version 1.5.0
load helper
load stubs

admin=admin-password-of-the-servers

# database_host OS: a host whose server remembers its accounts and answers what a server would.
database_host() {
    rm -rf "$BATS_TEST_TMPDIR/host"
    stub_host "$1"
    mkdir -p "$host"/{backup,apparmor.d,libexec} "$host/etc/mysql"
    export MYSQL_CONF=$host/etc/zz-multihost.cnf MYSQL_ETC=$host/etc/mysql/multihost MYSQL_STATE=$host/state MYSQL_OWNER=$host/owner MYSQL_SOCKET=$host/sock \
        BACKUP_HOME=$host/backup BACKUP_COMMAND=$host/lib/mariadb-backup APPARMOR_D=$host/apparmor.d LIBEXEC=$host/libexec
    # shellcheck disable=SC2016
    {
        for client in mysql mariadb; do
            stub "$client" '
                compgen -G "$HOST/active/m*" >/dev/null || exit 1
                statements=$(cat)
                printf "%s\n" "$statements" >>"$HOST/statements"
                case $statements in
                *"CREATE TABLE IF NOT EXISTS multihost.topology"*) touch "$HOST/managed" ;;
                *"table_name = '"'topology'"'"*) if [[ -e $HOST/managed ]]; then echo 1; else echo 0; fi ;;
                *"CONCAT(QUOTE(user)"*) echo "'"''@'localhost'"'" ;;
                *GROUP_CONCAT*) echo "${STUB_SCHEMAS:-NULL}" ;;
                *"general_log_file LIKE"*) echo 1 ;;
                *innodb_buffer_pool_size_max*) [[ -z ${STUB_POOL_MAX:-} ]] || printf "innodb_buffer_pool_size_max\t%s\n" "$STUB_POOL_MAX" ;;
                *"SHOW GLOBAL VARIABLES LIKE"*) [[ -z ${STUB_KNOWN-x} ]] || echo known ;;
                *"CREATE USER IF NOT EXISTS"*) grep -o "@'"'[^']*'"'" <<<"$statements" | head -n 1 | tr -d "@'"'"'" >>"$HOST/accounts" ;;
                *account_locked*) ;;
                *"SELECT host FROM mysql.user"*) cat "$HOST/accounts" 2>/dev/null || true ;;
                *"SHOW GRANTS"*) [[ ! -e $HOST/granted ]] || echo "GRANT ALL PRIVILEGES ON *.* TO x WITH GRANT OPTION" ;;
                *"WITH GRANT OPTION"*) touch "$HOST/granted" ;;
                *"COUNT(*)"*) echo 0 ;;
                esac'
        done
        stub mysqld 'case $* in *--version*) echo "/usr/sbin/mysqld  Ver ${STUB_VERSION:-8.0.36} for Linux" ;; *) mkdir -p "$HOST/data/mysql" ;; esac'
        stub mariadbd 'echo "mariadbd  Ver ${STUB_VERSION:-10.5.27}-MariaDB for Linux on x86_64"'
        # Where the packages of a RHEL 9 and an Alibaba Cloud Linux 3 have them.
        [[ $1 == debian-* || $1 == ubuntu-* ]] || mv "$bin"/{mysqld,mariadbd} "$host/libexec"
        stub runuser 'RUN_AS=$2 exec "${@:4}"'
        stub mariadb-install-db 'mkdir -p "$HOST/data/mysql"'
        stub apt-cache 'echo "  Candidate: ${STUB_CANDIDATE:-(none)}"'
        stub getent '[[ -e $HOST/users/$2 ]]'
        stub useradd 'mkdir -p "$HOST/users"; touch "$HOST/users/${*: -1}"'
        stub userdel 'rm -f "$HOST/users/${*: -1}"'
        stub visudo ''
    }
}

authority() {
    printf -- '-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----' "$1"
}

# node ENGINE [PARAM=value…]
node() {
    run --separate-stderr step mysql/node ENGINE="$1" ADDRESS=10.0.0.1 PORT=3306 CIDRS=10.0.0.0/16 BUFFER_POOL=50% SEMI_SYNC=true \
        DATA_DIR="$host/data" BACKUP_KEY='ssh-ed25519 AAAA' "${@:2}" \
        -- ADMIN_PASSWORD="$admin" CA_CERTIFICATE="${authority:-$(authority of-db)}"$'\n' CERTIFICATE="${certificate:-CERT}" PRIVATE_KEY=$'KEY OF NODE\n'
    printf '%s\n' "$stderr" "$output"
}

@test "installs the version that is asked for, and upgrades no server in place" {
    database_host debian-12
    stub apt-cache 'sed -n "s/^$2 \(.*\)/   $2 | \1 | archive/p" "$HOST/offered"'
    printf '%s 1:10.11.14-0+deb12u2\n' mariadb-server mariadb-backup mariadb-client >"$host/offered"
    STUB_VERSION=10.11.14 node mariadb VERSION=10.11
    [[ $status == 0 && $(cat "$host/packages/mariadb-server") == 1:10.11.14-0+deb12u2 ]]
    node mariadb VERSION=11
    [[ $status != 0 && $stderr == *"version: this host has mariadb-server 1:10.11.14-0+deb12u2, which doesn't become 11 in place"* ]]
}

@test "a version comes from its stream in the RHEL family" {
    for case in rocky-9.5:mariadb:10.11 rocky-8.10:mariadb:10.5 rocky-9.5:mysql:8.4; do
        IFS=: read -r os engine version <<<"$case"
        database_host "$os"
        printf '%s '"$version.9-1"'\n' "$engine-server" mariadb mariadb-backup >"$host/offered"
        STUB_VERSION=$version.9 node "$engine" VERSION="$version"
        [[ $status == 0 && $(grep -m 1 -o 'module enable .*' "$host/argv") == "module enable $engine:$version" ]]
        STUB_VERSION=$version.9 node "$engine" VERSION="$version"
        [[ $(field changed) == '[]' && $(grep -c 'module enable' "$host/argv") == 1 ]]
    done
    database_host rocky-8.10
    node mariadb
    [[ $(grep -o 'module enable .*' "$host/argv") == 'module enable mariadb:10.11' ]]
}

@test "a new server whose package brings another version than its own is refused, and one that is at work is noted" {
    local version=8.0.36-0ubuntu0.24.04.1
    database_host ubuntu-24.04
    stub apt-cache 'if [[ $1 == madison ]]; then echo "mysql-server | '"$version"' | archive"; else echo "  Candidate: '"$version"'"; fi'
    for _ in 1 2; do
        STUB_VERSION=8.0.39 node mysql VERSION=$version
        [[ $status != 0 && $stderr == *"version: the server on this host is 8.0.39 and not 8.0.36: name the one that it has, or remove its packages"* && ! -e $MYSQL_CONF ]]
    done
    for asked in "$version" 8.0.36 8.0; do
        STUB_VERSION=8.0.36 node mysql VERSION="$asked"
        [[ $status == 0 && $output != *notes* ]]
    done
    STUB_VERSION=8.0.39 node mysql VERSION=$version
    [[ $status == 0 && $(field notes) == *"version: the server on this host is 8.0.39 and not 8.0.36"* ]]
}

@test "SELinux lets it have another port than the usual one" {
    database_host rocky-9
    stub_selinux
    node mariadb PORT=3307
    [[ $status == 0 && $(field changed) == *'"SELinux: port 3307 is mysqld_port_t"'* ]]
    node mariadb PORT=3307
    [[ $status == 0 && $(field changed) == '[]' ]]
    run ! grep -q "mysqld_port_t -p tcp 3306" "$host/argv"
}

@test "a second run changes nothing, in both families and with both engines" {
    for case in debian-12:mariadb:mariadb.service ubuntu-24.04:mysql:mysql.service alinux-3:mariadb:mariadb.service alinux-3:mysql:mysqld.service; do
        IFS=: read -r os engine unit <<<"$case"
        database_host "$os"
        STUB_CANDIDATE=8.0.36 node "$engine"
        [[ $status == 0 && $(field changed) == *"service $unit started"*"server taken over"*"account multihost_admin"* ]]
        [[ $(field bufferPool) == 2147483648 && -e $host/packages/$engine-server ]]
        [[ $(field version) == '"8.0.36"' || $(field version) == '"10.5.27"' ]]
        node "$engine"
        [[ $status == 0 && $(field changed) == '[]' ]]
    done
}

@test "refuses more memory than the host has before it changes anything" {
    database_host debian-12
    node mariadb BUFFER_POOL=4gb
    [[ $status != 0 && $stderr == *"mysql/node.sh:"*"bufferPool: 4gb is more than 90% of this host's 4096mb"* ]]
    [[ -z $(ls "$host/packages") && ! -e $MYSQL_CONF ]]
}

@test "writes what keeps commits, replicates by GTID and starts read-only" {
    for engine in mariadb mysql; do
        database_host alinux-3
        node "$engine"
        for line in "bind_address = 10.0.0.1" "server_id = 167772161" "sync_binlog = 1" "innodb_flush_log_at_trx_commit = 1" \
            "require_secure_transport = 1" "tls_version = TLSv1.2,TLSv1.3" "skip_name_resolve = 1" "innodb_buffer_pool_size = 2147483648"; do
            grep -qxF "$line" "$MYSQL_CONF"
        done
        grep -q 'read_only = 1$' "$MYSQL_CONF"
        grep -q 'wait_point = AFTER_SYNC$' "$MYSQL_CONF"
        grep -qE '^(gtid_mode = ON|gtid_strict_mode = 1)$' "$MYSQL_CONF"
        run ! grep -q binlog_do_db "$MYSQL_CONF"
        node "$engine" BINLOG_DO_DB="shop mail"
        [[ $(grep '^binlog_do_db' "$MYSQL_CONF" | tr '\n' ' ') == "binlog_do_db = multihost binlog_do_db = shop binlog_do_db = mail " ]]
        for line in Restart=always "RequiresMountsFor=$host/data" StartLimitIntervalSec=0; do
            grep -qxF "$line" "$SYSTEMD_UNITS"/m*.service.d/multihost.conf
        done
    done
}

@test "what takes a start is as in the last release, so that its update restarts no server" {
    for case in mariadb:10.5.27:1b06ebe7f27d mariadb:11.4.2:c939e98ab64f mysql:8.0.36:6b95e7a8941e; do
        IFS=: read -r engine version digest <<<"$case"
        database_host alinux-3
        STUB_VERSION=$version node "$engine"
        [[ $status == 0 ]]
        # Comments count, too.
        live='innodb_buffer_pool_size|log_bin_trust_function_creators|expire_logs_days|binlog_expire_logs_seconds|slave_net_timeout|replica_net_timeout'
        live+='|rpl_semi_sync_(slave|replica)_enabled|innodb_redo_log_capacity|slave_connections_needed_for_purge|general_log_file|report_user'
        [[ $version == 10.5.27 ]] || live+='|innodb_log_file_size'
        text=$(grep -vE "^(loose_)?($live) = " "$MYSQL_CONF")
        name=$(sha256sum <<<"$text" | cut -c 1-12)
        [[ $(sed -n 's/^report_user = multihost-//p' "$MYSQL_CONF") == "$name" ]]
        [[ $(sed "s|$host|HOST|g" <<<"$text" | sha256sum | cut -c 1-12) == "$digest" ]]
    done
}

@test "old binary logs go also where nobody follows, and a running server learns it" {
    database_host debian-12
    STUB_VERSION=11.3.2 node mariadb
    [[ $status == 0 ]]
    grep '^report_user' "$MYSQL_CONF" >"$BATS_TEST_TMPDIR/before"
    run ! grep -q slave_connections_needed_for_purge "$MYSQL_CONF" "$host/statements"
    STUB_VERSION=11.4.2 node mariadb
    [[ $status == 0 ]]
    grep -qxF "slave_connections_needed_for_purge = 0" "$MYSQL_CONF"
    grep -qxF "SET GLOBAL slave_connections_needed_for_purge = 0" "$host/statements"
    # Nothing that a start would be needed for.
    grep '^report_user' "$MYSQL_CONF" | diff "$BATS_TEST_TMPDIR/before" -
}

@test "marks a server for a restart whose buffer pool can't grow while it runs" {
    database_host debian-12
    export STUB_VERSION=10.11.13 STUB_POOL_MAX=8589934592
    node mariadb BUFFER_POOL=1gb
    [[ $status == 0 ]]
    grep '^report_user' "$MYSQL_CONF" >"$BATS_TEST_TMPDIR/before"
    node mariadb BUFFER_POOL=2gb
    [[ $status == 0 ]]
    grep '^report_user' "$MYSQL_CONF" | diff "$BATS_TEST_TMPDIR/before" -
    : >"$host/statements"
    export STUB_POOL_MAX=2147483648
    node mariadb BUFFER_POOL=3gb
    [[ $status == 0 && $(field bufferPool) == 3221225472 ]]
    name=$(sed -n 's/^general_log_file = //p' "$MYSQL_CONF")
    run ! grep -qF "${name%.log}" "$BATS_TEST_TMPDIR/before"
    grep -qxF "SET GLOBAL general_log_file = '$name'" "$host/statements"
    # Before its restart and after it.
    node mariadb BUFFER_POOL=3gb
    [[ $status == 0 && $(field changed) == '[]' ]]
    export STUB_POOL_MAX=3221225472
    node mariadb BUFFER_POOL=3gb
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "lets who owns a database make functions in it, unless the server has no such setting any more" {
    for case in mariadb: mysql:loose_; do
        database_host alinux-3
        node "${case%:*}"
        [[ $status == 0 ]]
        grep -qxF "${case#*:}log_bin_trust_function_creators = 1" "$MYSQL_CONF"
        grep -qxF "SET GLOBAL log_bin_trust_function_creators = 1" "$host/statements"
    done
    database_host alinux-3
    STUB_KNOWN='' node mysql
    [[ $status == 0 ]]
    run ! grep -q "trust_function_creators = 1" "$host/statements"
}

@test "keeps secrets out of arguments, of the log and of files that others may read" {
    database_host debian-12
    node mariadb
    [[ $stderr$output != *"$admin"* ]]
    run ! grep -qF -e "$admin" -e "KEY OF NODE" "$host/argv"
    [[ $(/usr/bin/stat -c %a "$MYSQL_ETC"/* | sort -u) == 640 ]]
    run ! grep -rqF "$admin" "$host/etc" "$host/state"
}

@test "a copy is opened by one key, from the servers' ranges, and does nothing else" {
    database_host debian-12
    node mariadb CIDRS="10.0.0.0/16 10.9.0.0/16"
    [[ $(<"$BACKUP_HOME/.ssh/authorized_keys") == "restrict,from=\"10.0.0.0/16,10.9.0.0/16\",command=\"sudo -n -u mysql $BACKUP_COMMAND\" ssh-ed25519 AAAA" ]]
    [[ $(<"$SUDOERS_D/multihost-backup") == "multihost-backup ALL=(mysql) NOPASSWD: $BACKUP_COMMAND \"\"" ]]
}

@test "a host part that is no address is read as text" {
    database_host debian-12
    # shellcheck disable=SC2016
    printf '%s\n' 'HOSTS[$(touch${IFS}$HOST/executed)]/255.0.0.0' 10.0.0.0/255.255.255.0 >"$host/accounts"
    node mariadb
    [[ $status == 0 && ! -e $host/executed && $(<"$host/statements") == *"DROP USER 'multihost_admin'@'HOSTS["* ]]
}

@test "a new certificate is loaded without a start" {
    for engine in mariadb mysql; do
        database_host alinux-3
        node "$engine"
        : >"$host/statements"
        certificate=RENEWED node "$engine"
        [[ $(field changed) == "[\"$MYSQL_ETC/server.crt\",\"$MYSQL_STATE/certificates\"]" ]]
        grep -qE 'FLUSH LOCAL SSL|ALTER INSTANCE RELOAD TLS' "$host/statements"
    done
}

@test "says what to do where the distribution lacks the engine, or has an old one" {
    database_host debian-12
    node mysql
    [[ $status != 0 && $stderr == *'has no MySQL packages, so choose engine "mariadb", or an image that has them'* ]]
    database_host alinux-3
    STUB_VERSION=10.3.39 node mariadb
    [[ $status != 0 && $stderr == *"MariaDB 10.3.39 is too old: 10.5 or later is needed"* ]]
    STUB_VERSION=8.0.20 node mysql
    [[ $status != 0 && $stderr == *"engine: this host has mariadb-server"* ]]
}

@test "MySQL has another package in the RHEL 10 family" {
    database_host rocky-10.1
    # shellcheck disable=SC2016
    stub dnf '[[ $* != *" list "* || $* == *showduplicates* || ${*: -1} == mysql8.4-server ]] || exit 1
        [[ $* != *install* ]] || printf 8.4.6-2.el10 >"$HOST/packages/${*: -1}"'
    STUB_VERSION=8.4.6 node mysql
    [[ $status == 0 && $(field changed) == '["package mysql8.4-server",'* && $(field version) == '"8.4.6"' ]]
    STUB_VERSION=8.4.6 node mysql VERSION=8.4
    [[ $status == 0 && $(field changed) == '[]' ]]
    node mariadb
    [[ $status != 0 && $stderr == *"engine: this host has mysql8.4-server, which can't become mariadb in place"* ]]
}

@test "AppArmor lets it at another folder before the system tables are made there" {
    database_host ubuntu-24.04
    mkdir "$APPARMOR_D/local"
    touch "$APPARMOR_D/usr.sbin.mysqld"
    echo Y >"$host/apparmor-enabled"
    export APPARMOR_ENABLED=$host/apparmor-enabled
    stub apparmor_parser 'cp "$APPARMOR_D/local/usr.sbin.mysqld" "$HOST/allowed"'
    stub mysqld '
        case $* in *--version*) echo "/usr/sbin/mysqld  Ver 8.0.36 for Linux"; exit ;; esac
        grep -qxF "$HOST/data/** rwk," "$HOST/allowed" && mkdir -p "$HOST/data/mysql"'
    STUB_CANDIDATE=8.0.36 node mysql
    [[ $status == 0 && $(field changed) == *"$APPARMOR_D/local/usr.sbin.mysqld"*"$host/data initialised"* ]]
    node mysql
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "MariaDB's system tables are made where AppArmor leaves root no rights, and root and mysql come in through the socket" {
    database_host ubuntu-26.04
    mkdir "$APPARMOR_D/local"
    touch "$APPARMOR_D/mariadbd"
    echo Y >"$host/apparmor-enabled"
    export APPARMOR_ENABLED=$host/apparmor-enabled
    # shellcheck disable=SC2016
    {
        stub apparmor_parser 'cp "$APPARMOR_D/local/${2##*/}" "$HOST/allowed"'
        stub mariadb-install-db '
            [[ ${RUN_AS:-root} == mysql && $* != *--user=* && $* == *--auth-root-socket-user=mysql* ]] &&
                grep -qxF "$HOST/data/** rwk," "$HOST/allowed" && mkdir -p "$HOST/data/mysql"'
    }
    node mariadb
    [[ $status == 0 && $(field changed) == *"$APPARMOR_D/local/mariadbd"*"$host/data initialised"* && ! -e $APPARMOR_D/local/usr.sbin.mysqld ]]
    node mariadb
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "empties no folder but its own, and begins again in that" {
    for case in debian-12:mariadb ubuntu-24.04:mysql; do
        IFS=: read -r os engine <<<"$case"
        database_host "$os"
        mkdir -p "$host"/data/{lost+found,photos}
        STUB_CANDIDATE=8.0.36 node "$engine"
        [[ $status != 0 && $stderr == *"dataDirectory: $host/data holds $host/data/photos, which is not of this component's making: name an empty folder"* ]]
        [[ -d $host/data/photos && ! -e $MYSQL_CONF && -z $(ls "$host/packages") ]]
        rmdir "$host/data/photos"
        # What was begun is not taken for done.
        stub mariadb-install-db 'mkdir -p "$HOST/data/mysql"; exit 1'
        stub mysqld 'case $* in *--version*) echo "/usr/sbin/mysqld  Ver 8.0.36 for Linux" ;; *) mkdir -p "$HOST/data/mysql"; exit 1 ;; esac'
        STUB_CANDIDATE=8.0.36 node "$engine"
        [[ $status != 0 && -d $host/data/mysql ]]
        for program in mariadb-install-db mysqld; do
            stub "$program" 'case $* in *--version*) echo "/usr/sbin/mysqld  Ver 8.0.36 for Linux" ;; *) mkdir "$HOST/data/mysql" ;; esac'
        done
        node "$engine"
        [[ $status == 0 && $(field changed) == *"$host/data initialised"* ]]
        # Later on, too.
        rmdir "$host/data/mysql"
        touch "$host/data/foreign"
        rm "$host"/active/*
        node "$engine"
        [[ $status != 0 && $stderr == *"holds $host/data/foreign"* && -e $host/data/foreign ]]
    done
}

@test "waits for a server that is at work on a recovery, and begins again where a copy was cut off" {
    for case in debian-12:mariadb:mariadb.service ubuntu-24.04:mysql:mysql.service; do
        IFS=: read -r os engine unit <<<"$case"
        database_host "$os"
        STUB_CANDIDATE=8.0.36 node "$engine"
        [[ $status == 0 ]]
        touch "$MYSQL_STATE/seeding" "$host/data/mysql/kept" "$host/recovering"
        rm "$host/active/$unit"
        mv "$bin/systemctl" "$bin/systemctl-as-ever"
        # shellcheck disable=SC2016
        stub systemctl '
            if [[ $1 == show && $* == *SubState* ]]; then
                [[ -e $HOST/recovering ]] || { echo dead; exit; }
                rm "$HOST/recovering"
                touch "$HOST/active/${*: -1}"
                echo start
            else
                exec systemctl-as-ever "$@"
            fi'
        node "$engine"
        [[ $status == 0 && $(field changed) == '[]' && -e $host/data/mysql/kept ]]
        rm "$host/active/$unit"
        node "$engine"
        [[ $status == 0 && $(field changed) == *"$host/data initialised"* && ! -e $host/data/mysql/kept && ! -e $MYSQL_STATE/seeding ]]
    done
}

@test "leaves a server alone that holds somebody's data, and an engine that is there already" {
    database_host debian-12
    STUB_SCHEMAS="crm, shop" node mariadb
    [[ $status != 0 && $stderr == *"this host's server holds crm, shop, which is not of this component's making"* ]]
    [[ ! -e $host/managed ]]
    database_host alinux-3
    touch "$host/packages/mysql-server"
    node mariadb
    [[ $status != 0 && $stderr == *"engine: this host has mysql-server, which can't become mariadb in place"* ]]
}

@test "refuses a server with somebody's data before it writes anything on its host" {
    for case in debian-12:mariadb:mariadb.service alinux-3:mysql:mysqld.service; do
        IFS=: read -r os engine unit <<<"$case"
        # It runs, and is asked.
        database_host "$os"
        touch "$host/active/$unit" "$host/packages/$engine-server"
        as_it_was >"$BATS_TEST_TMPDIR/before"
        STUB_SCHEMAS=crm node "$engine"
        [[ $status != 0 && $stderr == *"this host's server holds crm, which is not of this component's making"* ]]
        as_it_was | diff "$BATS_TEST_TMPDIR/before" -

        # It doesn't run.
        database_host "$os"
        mkdir -p "$host"/data/{mysql,performance_schema,sys,test,lost+found,'#innodb_temp',shop,crm@002dnew}
        touch "$host/packages/$engine-server" "$host/data/test/db.opt"
        as_it_was >"$BATS_TEST_TMPDIR/before"
        node "$engine"
        [[ $status != 0 && $stderr == *"this host's server holds crm@002dnew, shop, which is not of this component's making"* ]]
        rmdir "$host"/data/{shop,crm@002dnew}
        touch "$host/data/test/orders.ibd"
        node "$engine"
        [[ $status != 0 && $stderr == *"this host's server holds test, which is not"* ]]
        rm "$host/data/test/orders.ibd"
        as_it_was | diff "$BATS_TEST_TMPDIR/before" -
        STUB_CANDIDATE=8.0.36 node "$engine"
        [[ $status == 0 ]]

        # Its own, of a component that was taken away and is back.
        database_host "$os"
        mkdir -p "$host"/data/{mysql,multihost,shop}
        touch "$host/managed" "$host/data/multihost/topology.ibd" "$host/packages/$engine-server"
        STUB_SCHEMAS=shop node "$engine"
        [[ $status == 0 ]]
    done
}

@test "a copy is fetched at the port of the source's SSH server" {
    database_host debian-12
    mkdir -p "$host/data" "$BATS_TEST_TMPDIR/mysql"
    cp "$scripts"/mysql/lib*.sh "$BATS_TEST_TMPDIR/mysql"
    printf 'main() {\n    database_detect\n    engine seed 10.0.0.2\n}\n' >"$BATS_TEST_TMPDIR/mysql/copy.sh"
    stub mariadb ''
    stub mbstream 'cat >/dev/null'
    # shellcheck disable=SC2016
    stub ssh 'for word in "$@"; do [[ $word != UserKnownHostsFile=* ]] || cat "${word#*=}" >"$HOST/known_hosts"; done; exit 1'
    for case in 22:10.0.0.2 2222:[10.0.0.2]:2222; do
        : >"$host/argv"
        run --separate-stderr step "$BATS_TEST_TMPDIR/mysql/copy.sh" ENGINE=mariadb ADDRESS=10.0.0.1 PORT=3306 DATA_DIR="$host/data" \
            HOST_KEYS=$'10.0.0.1 ssh-ed25519 AAAA1\n'"${case#*:} ssh-ed25519 AAAA2"$'\n[10.0.0.21]:2223 ssh-ed25519 AAAA3' \
            -- ADMIN_PASSWORD="$admin" BACKUP_KEY=KEY
        [[ $stderr == *"the backup stream of 10.0.0.2 ended early"* ]]
        [[ $(<"$host/known_hosts") == "${case#*:} ssh-ed25519 AAAA2" ]]
        grep -q -- "^ssh .* -p ${case%%:*} multihost-backup@10.0.0.2$" "$host/argv"
    done
}

@test "waits for its turn at a source that another server is being copied from, and for a copy as long as it takes" {
    database_host alinux-3
    mkdir -p "$host/data" "$BATS_TEST_TMPDIR/mysql"
    cp "$scripts"/mysql/lib*.sh "$BATS_TEST_TMPDIR/mysql"
    printf 'main() {\n    database_detect\n    engine seed 10.0.0.2\n    finish\n}\n' >"$BATS_TEST_TMPDIR/mysql/copy.sh"
    stub sleep ''
    stub timeout 'exec "${@:2}"'
    # shellcheck disable=SC2016
    stub mysql '
        case $(cat) in
        *"CLONE INSTANCE"*)
            echo turn >>"$HOST/turns"
            (($(wc -l <"$HOST/turns") > 2)) && exit
            echo "ERROR 3862 (HY000) at line 3: Clone Donor Error: 3634 : Too many concurrent clone operations. Maximum allowed - 1."
            exit 1 ;;
        *clone_status*) echo Completed ;;
        esac'
    run --separate-stderr step "$BATS_TEST_TMPDIR/mysql/copy.sh" ENGINE=mysql ADDRESS=10.0.0.1 PORT=3306 DATA_DIR="$host/data" \
        -- ADMIN_PASSWORD="$admin" REPLICATION_PASSWORD=replication-password-1
    echo "$stderr"
    [[ $status == 0 && $(wc -l <"$host/turns") == 3 ]]
    grep -q '^timeout 10800 mysql ' "$host/argv"
}

# as_it_was: what is on the host, without what only tells of calls.
as_it_was() {
    find "$host" -type f ! -name argv ! -name statements ! -path '*/bin/*' -exec sha256sum {} + | sort
    grep -vE '^ *(SELECT|WHERE|AND) ' "$host/statements" 2>/dev/null || true
}

@test "refuses a host whose server belongs to another component, and changes nothing there" {
    for case in debian-12:mariadb ubuntu-24.04:mysql; do
        IFS=: read -r os engine <<<"$case"
        database_host "$os"
        STUB_CANDIDATE=8.0.36 STEP_KEY=dev.multihost.db-node-1 node "$engine"
        [[ $status == 0 && $(<"$MYSQL_OWNER") == dev.multihost.db-node-1 ]]
        as_it_was >"$BATS_TEST_TMPDIR/before"
        for setting in BUFFER_POOL=50% PORT=3307; do
            STEP_KEY=dev.multihost.orders-node-1 authority=$(authority of-orders) node "$engine" "$setting"
            [[ $status != 0 && $stderr == *"mysql/node.sh:"*"hosts: the database server on this host belongs to dev.multihost.db-node-1, and a host carries one"* ]]
            [[ $stderr == *"write dev.multihost.orders-node-1 into $MYSQL_OWNER here" ]]
        done
        as_it_was | diff "$BATS_TEST_TMPDIR/before" -
        # A server that was made before there were marks is nobody else's, either.
        rm "$MYSQL_OWNER"
        STEP_KEY=dev.multihost.orders-node-1 authority=$(authority of-orders) node "$engine"
        [[ $status != 0 && $stderr == *"the database server on this host belongs to another component"* && ! -e $MYSQL_OWNER ]]
        STEP_KEY=dev.multihost.db-node-1 STEP_EVENT=update node "$engine"
        [[ $status == 0 && $(field changed) == '[]' ]]
    done
}

@test "a component goes on under another name, with other keys, and on servers made before there were marks" {
    database_host debian-12
    node mariadb
    [[ $status == 0 ]]
    printf 'dev.multihost.former\n' >"$MYSQL_OWNER"
    authority=$(authority of-db)$'\n'$(authority of-db-g2) node mariadb
    [[ $status == 0 && $(<"$MYSQL_OWNER") == test ]]
    authority=$(authority of-db-g2) node mariadb
    [[ $status == 0 ]]
    for event in create update; do
        rm "$MYSQL_OWNER"
        STEP_EVENT=$event authority=$(authority of-db-g2) node mariadb
        [[ $status == 0 && $(<"$MYSQL_OWNER") == test ]]
    done
    rm "$MYSQL_OWNER"
    STEP_EVENT=update authority=$(authority of-db-g3) node mariadb
    [[ $status == 0 && $(<"$MYSQL_OWNER") == test ]]
}

@test "leaves without its mark, and another component's server as it is" {
    database_host debian-12
    node mariadb
    printf 'dev.multihost.other\n' >"$MYSQL_OWNER"
    rm "$host"/active/*
    STEP_EVENT=delete node mariadb
    [[ $status == 0 && $stderr == *"the database server on this host belongs to dev.multihost.other: it stays as it is"* ]]
    [[ -e $MYSQL_CONF && $(<"$MYSQL_OWNER") == dev.multihost.other ]]
    printf 'test\n' >"$MYSQL_OWNER"
    node mariadb
    rm "$host"/active/*
    STEP_EVENT=delete node mariadb
    [[ $status == 0 && ! -e $MYSQL_CONF && ! -e $MYSQL_OWNER ]]
}

# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the other files of a script
# How MariaDB does what lib.sh asks an engine for. 10.5 or later.

# Who fetches a backup from this host: an account of its own, whose key opens nothing but the stream.
BACKUP_USER=multihost-backup
BACKUP_HOME=${BACKUP_HOME:-/var/lib/multihost-backup}
BACKUP_COMMAND=${BACKUP_COMMAND:-/usr/local/lib/multihost/mariadb-backup}

mariadb_names() {
    MYSQL_CLIENT=mariadb
    MYSQL_UNIT=mariadb.service
    MYSQL_CONF=${MYSQL_CONF:-$(os_pick /etc/mysql/mariadb.conf.d/zz-multihost.cnf /etc/my.cnf.d/zz-multihost.cnf)}
}

mariadb_package() {
    printf mariadb-server
}

mariadb_install() {
    local streams=()
    # The default stream of the RHEL 8 generation is 10.3.
    [[ $OS_FAMILY != rhel || $OS_ID == alinux || ${OS_VERSION%%.*} != 8 ]] || streams=(10.11 10.5)
    package_installed "$(mariadb_package)" || packages_stream mariadb "${PARAM_VERSION:-}" ${streams[@]+"${streams[@]}"}
    packages_install_version "${PARAM_VERSION:-}" "$(mariadb_package)" mariadb-backup "$(os_pick mariadb-client mariadb)"
    packages_install sudo
    MYSQL_VERSION=$("$(server_program mariadbd)" --version | sed -n 's/.*Ver \([0-9.]*\)-MariaDB.*/\1/p')
    version_at_least 10.5 || die "MariaDB $MYSQL_VERSION is too old: 10.5 or later is needed"
}

mariadb_initialise() {
    # As the packages do: root and the service user, who makes the copies, come in through the socket.
    # Not as root, of whose rights AppArmor leaves the program none in Ubuntu 26.04.
    quietly runuser -u mysql -- mariadb-install-db --no-defaults --datadir="$MYSQL_DATA" --skip-test-db \
        --auth-root-authentication-method=socket --auth-root-socket-user=mysql
}

mariadb_settings() {
    # With rows, what a function or a trigger does is replicated and not the call, so who may make one needs no right over the whole server.
    cat <<CONF
log_slave_updates = 1
# The default writes some statements as text, which may mean something else on a replica.
binlog_format = ROW
log_bin_trust_function_creators = 1
expire_logs_days = $((BINLOG_SECONDS / 86400))
gtid_strict_mode = 1
read_only = 1
slave_parallel_threads = 4
slave_net_timeout = 4
rpl_semi_sync_master_wait_point = AFTER_SYNC
rpl_semi_sync_slave_enabled = $(one_if "$PARAM_SEMI_SYNC")
innodb_log_file_size = $REDO_SIZE
CONF
    # Its default keeps the binary logs of a server that nobody follows for ever: those of a replica, and of a server alone.
    ! version_at_least 11.4 || printf 'slave_connections_needed_for_purge = 0\n'
}

# Settings that SET GLOBAL applies to a running server.
mariadb_live() {
    printf 'innodb_buffer_pool_size|log_bin_trust_function_creators|expire_logs_days|slave_net_timeout|rpl_semi_sync_slave_enabled|general_log_file'
    ! version_at_least 10.9 || printf '|innodb_log_file_size'
    ! version_at_least 11.4 || printf '|slave_connections_needed_for_purge'
}

mariadb_semi_sync_switch() {
    printf 'rpl_semi_sync_master_enabled'
}

mariadb_semi_sync_replica_status() {
    printf 'Rpl_semi_sync_slave_status'
}

mariadb_semi_sync_clients_status() {
    printf 'Rpl_semi_sync_master_clients'
}

mariadb_followers_statement() {
    printf 'SHOW SLAVE HOSTS'
}

mariadb_replication_privileges() {
    printf '%s\n' 'REPLICATION SLAVE'
}

mariadb_tls_options() {
    printf '%s ' --ssl --ssl-verify-server-cert --ssl-ca="$MYSQL_ETC/ca.crt" --ssl-cert="$MYSQL_ETC/server.crt" --ssl-key="$MYSQL_ETC/server.key"
}

mariadb_reload_certificates() {
    # LOCAL, because it would be replicated otherwise.
    sql local 'FLUSH LOCAL SSL'
}

# mariadb_locally STATEMENTS: for this server alone, whether it is read-only or not.
mariadb_locally() {
    printf 'SET SESSION sql_log_bin = 0; %s' "$1"
}

mariadb_root_statements() {
    :
}

mariadb_forget_binlogs() {
    printf 'RESET MASTER'
}

mariadb_executed_expression() {
    printf '@@global.gtid_binlog_state'
}

mariadb_position_expression() {
    printf '@@global.gtid_binlog_pos'
}

mariadb_status_statement() {
    printf 'SHOW SLAVE STATUS'
}

# mariadb_missing A B: what of the state A is not in B. A state is the last sequence number of each server in each domain.
mariadb_missing() {
    local gtid domain server sequence missing=''
    local -A known=()
    for gtid in ${2//,/ }; do
        IFS=- read -r domain server sequence <<<"$gtid"
        known[$domain-$server]=$sequence
    done
    for gtid in ${1//,/ }; do
        IFS=- read -r domain server sequence <<<"$gtid"
        ((sequence <= ${known[$domain-$server]:-0})) || missing+="${missing:+,}$gtid"
    done
    printf '%s' "$missing"
}

mariadb_stop_replica() {
    printf 'STOP SLAVE;'
}

mariadb_start_replica() {
    printf 'START SLAVE;'
}

mariadb_stop_receiving() {
    printf 'STOP SLAVE IO_THREAD;'
}

# Whether a replica is at work on what it has received: how many of its threads are.
mariadb_applying_statement() {
    printf "SELECT COUNT(*) FROM information_schema.processlist WHERE command = 'Slave_worker' AND COALESCE(state, '') <> 'Waiting for work from SQL thread'"
}

mariadb_start_executing() {
    printf 'START SLAVE SQL_THREAD;'
}

# mariadb_received ADDRESS: a position that is executed when all is that the server has received from whom it follows.
mariadb_received() {
    local rows
    rows=$(sql "$1" 'SHOW SLAVE STATUS' --vertical --column-names) || exit "$REPORTED"
    sed -n 's/^ *Gtid_IO_Pos: //p' <<<"$rows"
}

# Accounts accept as many passwords as they have plug-ins. The binary log has the statement as it was sent, so this has hashes.
mariadb_account_statements() {
    local passwords
    passwords="mysql_native_password USING '$(native_hash "$3")'"
    [[ -z $4 ]] || passwords+=" OR mysql_native_password USING '$(native_hash "$4")'"
    printf 'CREATE USER IF NOT EXISTS %s IDENTIFIED VIA %s %s; ALTER USER %s IDENTIFIED VIA %s %s;' "$1" "$passwords" "$2" "$1" "$passwords" "$2"
}

# native_hash PASSWORD: what PASSWORD() makes of it.
native_hash() {
    local hash
    hash=$(printf '%s' "$1" | sha1sum)
    # shellcheck disable=SC2001,SC2059 # bytes, of which some are no text
    hash=$(printf "$(sed 's/../\\x&/g' <<<"${hash%% *}")" | sha1sum)
    printf '*%s' "$(tr '[:lower:]' '[:upper:]' <<<"${hash%% *}")"
}

# mariadb_locked_statement USER: the host parts of its accounts that nobody can log in to.
mariadb_locked_statement() {
    printf "SELECT host FROM mysql.global_priv WHERE user = '%s' AND JSON_VALUE(priv, '\$.account_locked') = 1" "$1"
}

mariadb_retains_password() {
    [[ $(sql "$1" "SELECT COUNT(*) FROM mysql.global_priv WHERE User = '$2' AND JSON_LENGTH(Priv, '\$.auth_or') > 1") != 0 ]]
}

# A source has no position as a replica: what it wrote itself is where it goes on.
mariadb_attach_statements() {
    local position=''
    [[ $3 == follows ]] || position="SET GLOBAL gtid_slave_pos = @@global.gtid_binlog_pos;"
    cat <<SQL
STOP SLAVE;
$position
CHANGE MASTER TO MASTER_HOST = '$1', MASTER_PORT = $2, MASTER_USER = '$MYSQL_REPLICATION',
    MASTER_PASSWORD = $(sql_text "$SECRET_REPLICATION_PASSWORD"), MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1,
    MASTER_SSL = 1, MASTER_SSL_VERIFY_SERVER_CERT = 1, MASTER_SSL_CA = '$MYSQL_ETC/ca.crt',
    MASTER_SSL_CERT = '$MYSQL_ETC/server.crt', MASTER_SSL_KEY = '$MYSQL_ETC/server.key';
START SLAVE;
SQL
}

mariadb_detach_statements() {
    printf 'STOP SLAVE; RESET SLAVE ALL;'
}

# Returns once no commit is under way any more, or fails after 10 s and leaves the server as it was.
mariadb_freeze_statements() {
    printf 'SET SESSION lock_wait_timeout = 10; SET GLOBAL read_only = 1;'
}

mariadb_frozen_for_all_statements() {
    :
}

mariadb_open_statements() {
    printf 'SET GLOBAL read_only = 0;'
}

# mariadb_wait_statement POSITION SECONDS: its row is 0 when the position was reached.
mariadb_wait_statement() {
    printf "SELECT MASTER_GTID_WAIT('%s', %s)" "$1" "$2"
}

# What a server of this engine needs on its host for others to fetch a backup from it.
mariadb_offer_backup() {
    local sudoers cidr from=''
    require_params PARAM_BACKUP_KEY
    for cidr in $PARAM_CIDRS; do
        from+="${from:+,}$cidr"
    done
    if ! getent passwd "$BACKUP_USER" >/dev/null; then
        # An asterisk is a password that nothing matches; the exclamation mark that is the default can also bar logins by key.
        quietly useradd --system --create-home --home-dir "$BACKUP_HOME" --shell /bin/sh --comment 'multihost backup stream' \
            --password '*' "$BACKUP_USER"
        changed "user $BACKUP_USER"
    fi
    directory "${BACKUP_COMMAND%/*}" 0755 root:root
    file_write "$BACKUP_COMMAND" 0755 root:root "#!/bin/sh
# Written by multihost. Streams a copy of this server's data to whoever adds a replica.
work=\$(mktemp -d) || exit 1
trap 'rm -rf \"\$work\"' EXIT
mariadb-backup --backup --stream=mbstream --socket='$MYSQL_SOCKET' --user=mysql --datadir='$MYSQL_DATA' --target-dir=\"\$work\""
    sudoers="$BACKUP_USER ALL=(mysql) NOPASSWD: $BACKUP_COMMAND \"\""
    visudo -cqf - <<<"$sudoers" >/dev/null || die "sudo would not read the rule for $BACKUP_COMMAND"
    file_write "${SUDOERS_D:-/etc/sudoers.d}/$BACKUP_USER" 0440 root:root "$sudoers"
    directory "$BACKUP_HOME/.ssh" 0700 "$BACKUP_USER:$BACKUP_USER"
    file_write "$BACKUP_HOME/.ssh/authorized_keys" 0600 "$BACKUP_USER:$BACKUP_USER" \
        "restrict,from=\"$from\",command=\"sudo -n -u mysql $BACKUP_COMMAND\" ${PARAM_BACKUP_KEY%$'\n'}"
}

mariadb_withdraw_backup() {
    file_remove "${SUDOERS_D:-/etc/sudoers.d}/$BACKUP_USER"
    file_remove "$BACKUP_COMMAND"
    if getent passwd "$BACKUP_USER" >/dev/null; then
        quietly userdel --remove "$BACKUP_USER"
    fi
}

# mariadb_seed SOURCE: the data directory becomes a copy of the source's, fetched over SSH and never on disk anywhere else.
mariadb_seed() {
    local source=$1 work state position='' port file gtid history=''
    # Servers that were the source once don't write any more: what they wrote can be read before the backup.
    state=$(sql "$source" 'SELECT @@global.gtid_binlog_state') || exit "$REPORTED"
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the path must be the one of now
    trap "rm -rf '$work'" EXIT
    (umask 077 && printf '%s\n' "$(trimmed "$SECRET_BACKUP_KEY")" >"$work/key")
    # "address key", or "[address]:port key".
    awk -v source="$source" '$1 == source || index($1, "[" source "]:") == 1' <<<"$PARAM_HOST_KEYS" >"$work/known_hosts"
    [[ -s $work/known_hosts ]] || die "the host key of $(server_name "$source") is missing"
    read -r port _ <"$work/known_hosts"
    if [[ $port == *]:* ]]; then port=${port##*:}; else port=22; fi

    seed_begin
    quietly systemctl stop "$MYSQL_UNIT"
    data_clear
    log "fetching a backup of $(server_name "$source")"
    ssh -F /dev/null -i "$work/key" -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
        -o UserKnownHostsFile="$work/known_hosts" -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=10 -o ServerAliveInterval=10 \
        -o ServerAliveCountMax=3 -o LogLevel=ERROR -p "$port" "$BACKUP_USER@$source" 2>"$work/log" </dev/null | mbstream -x -C "$MYSQL_DATA" 2>>"$work/log" ||
        die "the backup stream of $(server_name "$source") ended early" "$(<"$work/log")"
    quietly mariadb-backup --prepare --target-dir="$MYSQL_DATA" --use-memory=128M
    for file in "$MYSQL_DATA"/{mariadb_backup,xtrabackup}_binlog_info; do
        [[ ! -r $file ]] || position=$(awk '{ print $3; exit }' "$file")
    done
    [[ $position =~ ^[0-9,-]+$ ]] || die "the backup of $(server_name "$source") doesn't say at which GTID it was taken"
    chown -R mysql:mysql "$MYSQL_DATA"

    service_start "$MYSQL_UNIT"
    wait_for 600 "the server to start with its copy" sql_answers local
    for gtid in ${state//,/ }; do
        [[ ,$position == *",${gtid%-*}-"* ]] || history+="$gtid,"
    done
    sql local "RESET MASTER; SET GLOBAL gtid_binlog_state = '$history$position'; SET GLOBAL gtid_slave_pos = '$position'"
    seed_end
}

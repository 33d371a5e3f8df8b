# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the other files of a script
# How MySQL does what lib.sh asks an engine for. 8.0.30 or later.

mysql_names() {
    MYSQL_CLIENT=mysql
    MYSQL_UNIT=$(os_pick mysql.service mysqld.service)
    MYSQL_CONF=${MYSQL_CONF:-$(os_pick /etc/mysql/mysql.conf.d/zz-multihost.cnf /etc/my.cnf.d/zz-multihost.cnf)}
}

# The RHEL 10 family has the version in the name, and no name without.
mysql_package() {
    if [[ $OS_FAMILY == rhel && ${OS_VERSION%%.*} == 10 ]]; then printf mysql8.4-server; else printf mysql-server; fi
}

mysql_install() {
    if ! package_installed "$(mysql_package)" && ! mysql_offered; then
        die "engine: $OS_NAME has no MySQL packages, so choose engine \"mariadb\", or an image that has them, such as Ubuntu 24.04 or Alibaba Cloud Linux 3"
    fi
    package_installed "$(mysql_package)" || packages_stream mysql "${PARAM_VERSION:-}"
    packages_install_version "${PARAM_VERSION:-}" "$(mysql_package)"
    MYSQL_VERSION=$("$(server_program mysqld)" --version | sed -n 's/.*Ver \([0-9.]*\).*/\1/p')
    version_at_least 8.0.30 || die "MySQL $MYSQL_VERSION is too old: 8.0.30 or later is needed"
}

# Debian's default-mysql-server is MariaDB.
mysql_offered() {
    if [[ $OS_FAMILY == debian ]]; then
        packages_alone mysql_listed || { packages_alone quietly packages_refresh && packages_alone mysql_listed; }
    else
        dnf -q list "$(mysql_package)" >/dev/null 2>&1
    fi
}

mysql_listed() {
    # No pipe to grep -q, which ends before apt-cache does and makes that one fail.
    [[ $(apt-cache policy mysql-server 2>/dev/null) == *'Candidate: '[0-9]* ]]
}

mysql_initialise() {
    quietly "$(server_program mysqld)" --no-defaults --initialize-insecure --user=mysql --datadir="$MYSQL_DATA"
}

mysql_settings() {
    # With rows, what a function or a trigger does is replicated and not the call, so who may make one needs no right over the whole server.
    # That setting is on its way out, too.
    cat <<CONF
# Row format is the default, and the setting is on its way out.
log_replica_updates = 1
loose_log_bin_trust_function_creators = 1
binlog_expire_logs_seconds = $BINLOG_SECONDS
gtid_mode = ON
enforce_gtid_consistency = ON
super_read_only = 1
replica_net_timeout = 4
plugin_load_add = auth_socket.so
plugin_load_add = mysql_clone.so
plugin_load_add = semisync_source.so
plugin_load_add = semisync_replica.so
rpl_semi_sync_source_wait_point = AFTER_SYNC
rpl_semi_sync_replica_enabled = $(one_if "$PARAM_SEMI_SYNC")
clone_ssl_ca = $MYSQL_ETC/ca.crt
clone_ssl_cert = $MYSQL_ETC/server.crt
clone_ssl_key = $MYSQL_ETC/server.key
innodb_redo_log_capacity = $REDO_SIZE
mysqlx = OFF
CONF
}

mysql_live() {
    printf 'innodb_buffer_pool_size|loose_log_bin_trust_function_creators|innodb_redo_log_capacity|binlog_expire_logs_seconds|replica_net_timeout|rpl_semi_sync_replica_enabled|general_log_file'
}

mysql_semi_sync_switch() {
    printf 'rpl_semi_sync_source_enabled'
}

mysql_semi_sync_replica_status() {
    printf 'Rpl_semi_sync_replica_status'
}

mysql_semi_sync_clients_status() {
    printf 'Rpl_semi_sync_source_clients'
}

mysql_followers_statement() {
    printf 'SHOW REPLICAS'
}

mysql_replication_privileges() {
    printf '%s\n' 'REPLICATION SLAVE' BACKUP_ADMIN
}

mysql_tls_options() {
    printf '%s ' --ssl-mode=VERIFY_IDENTITY --ssl-ca="$MYSQL_ETC/ca.crt" --ssl-cert="$MYSQL_ETC/server.crt" --ssl-key="$MYSQL_ETC/server.key"
}

mysql_reload_certificates() {
    sql local 'ALTER INSTANCE RELOAD TLS'
}

# mysql_locally STATEMENTS: for this server alone. What is read-only for all is opened for them, and stays closed for applications.
mysql_locally() {
    printf 'SET @was = @@global.super_read_only; SET GLOBAL super_read_only = 0; SET SESSION sql_log_bin = 0; %s; SET GLOBAL super_read_only = @was' "$1"
}

mysql_root_statements() {
    printf "ALTER USER 'root'@'localhost' IDENTIFIED WITH auth_socket;"
}

mysql_forget_binlogs() {
    if version_at_least 8.2; then printf 'RESET BINARY LOGS AND GTIDS'; else printf 'RESET MASTER'; fi
}

mysql_executed_expression() {
    printf "REPLACE(@@global.gtid_executed, '\\n', '')"
}

mysql_position_expression() {
    mysql_executed_expression
}

mysql_status_statement() {
    printf 'SHOW REPLICA STATUS'
}

# mysql_missing A B: what of the set A is not in B. Any server can tell.
mysql_missing() {
    sql "$(any_server)" "SELECT GTID_SUBTRACT('$1', '$2')"
}

mysql_stop_replica() {
    printf 'STOP REPLICA;'
}

mysql_start_replica() {
    printf 'START REPLICA;'
}

mysql_stop_receiving() {
    printf 'STOP REPLICA IO_THREAD;'
}

# Whether a replica is at work on what it has received: how many of its threads are.
mysql_applying_statement() {
    printf "SELECT COUNT(*) FROM performance_schema.replication_applier_status_by_worker WHERE applying_transaction <> ''"
}

mysql_start_executing() {
    printf 'START REPLICA SQL_THREAD;'
}

# mysql_received ADDRESS: a position that is executed when all is that the server has received from whom it follows.
mysql_received() {
    sql "$1" "SELECT REPLACE(received_transaction_set, '\\n', '') FROM performance_schema.replication_connection_status WHERE channel_name = ''"
}

# The old password stays valid until the new one is as well.
mysql_account_statements() {
    printf 'CREATE USER IF NOT EXISTS %s IDENTIFIED BY %s %s; ALTER USER %s %s;' "$1" "$(sql_text "${4:-$3}")" "$2" "$1" "$2"
    if [[ -n $4 ]]; then
        printf 'ALTER USER %s IDENTIFIED BY %s; ALTER USER %s IDENTIFIED BY %s RETAIN CURRENT PASSWORD;' \
            "$1" "$(sql_text "$4")" "$1" "$(sql_text "$3")"
    else
        printf 'ALTER USER %s IDENTIFIED BY %s; ALTER USER %s DISCARD OLD PASSWORD;' "$1" "$(sql_text "$3")" "$1"
    fi
}

# mysql_locked_statement USER: the host parts of its accounts that nobody can log in to.
mysql_locked_statement() {
    printf "SELECT host FROM mysql.user WHERE user = '%s' AND account_locked = 'Y'" "$1"
}

mysql_retains_password() {
    [[ $(sql "$1" "SELECT COUNT(*) FROM mysql.user WHERE user = '$2' AND JSON_CONTAINS_PATH(COALESCE(user_attributes, '{}'), 'one', '\$.additional_password')") != 0 ]]
}

mysql_attach_statements() {
    cat <<SQL
STOP REPLICA;
CHANGE REPLICATION SOURCE TO SOURCE_HOST = '$1', SOURCE_PORT = $2, SOURCE_USER = '$MYSQL_REPLICATION',
    SOURCE_PASSWORD = $(sql_text "$SECRET_REPLICATION_PASSWORD"), SOURCE_AUTO_POSITION = 1, SOURCE_CONNECT_RETRY = 1,
    SOURCE_RETRY_COUNT = 0, SOURCE_SSL = 1, SOURCE_SSL_VERIFY_SERVER_CERT = 1, SOURCE_SSL_CA = '$MYSQL_ETC/ca.crt',
    SOURCE_SSL_CERT = '$MYSQL_ETC/server.crt', SOURCE_SSL_KEY = '$MYSQL_ETC/server.key';
START REPLICA;
SQL
}

mysql_detach_statements() {
    printf 'STOP REPLICA; RESET REPLICA ALL;'
}

# Returns once no commit is under way any more, or fails after 10 s and leaves the server as it was.
mysql_freeze_statements() {
    printf 'SET SESSION lock_wait_timeout = 10; SET GLOBAL read_only = 1; SET GLOBAL super_read_only = 0;'
}

mysql_frozen_for_all_statements() {
    printf 'SET GLOBAL super_read_only = 1;'
}

mysql_open_statements() {
    printf 'SET GLOBAL super_read_only = 0; SET GLOBAL read_only = 0;'
}

# mysql_wait_statement POSITION SECONDS: its row is 0 when the position was reached.
mysql_wait_statement() {
    printf "SELECT WAIT_FOR_EXECUTED_GTID_SET('%s', %s)" "$1" "$2"
}

# The clone plug-in of every server answers through MySQL itself.
mysql_offer_backup() {
    :
}

mysql_withdraw_backup() {
    :
}

# mysql_seed SOURCE: the server replaces its own data by a copy of the source's.
mysql_seed() {
    local source=$1 output status until=$((SECONDS + 9000))
    if ! sql_answers local; then
        seed_begin
        quietly systemctl stop "$MYSQL_UNIT"
        data_initialise
        seed_end
        service_start "$MYSQL_UNIT"
        wait_for 120 "the server to start" sql_answers local
    fi
    seed_begin
    log "cloning $(server_name "$source")"
    while true; do
        status=0
        # As long as the step has: its end ends this, too.
        output=$(SQL_TIMEOUT=10800 sql_as root '' local <<<"$(mysql_detach_statements) SET GLOBAL super_read_only = 0;
SET GLOBAL clone_valid_donor_list = '$source:$PARAM_PORT';
CLONE INSTANCE FROM '$MYSQL_REPLICATION'@'$source':$PARAM_PORT IDENTIFIED BY $(sql_text "$SECRET_REPLICATION_PASSWORD") REQUIRE SSL") || status=$?
        # A donor serves one at a time, and says so within an error of the clone's own.
        if ((status == 0 || SECONDS >= until)) || [[ ! $output =~ (ERROR|Error:)\ 3634 ]]; then
            break
        fi
        sleep 5
    done
    # It ends by starting itself anew, where systemd lets it; the connection is gone either way.
    if ((status != 0)) && [[ $output != *"ERROR 3707"* && $output != *"ERROR 2013"* ]]; then
        die "$(server_name "$source") can't be cloned" "$output"
    fi
    sleep 1
    if ! try_for 30 sql_answers local; then
        service_start "$MYSQL_UNIT"
    fi
    wait_for 600 "the server to start with its copy" sql_answers local
    output=$(sql local "SELECT CONCAT(state, ' ', error_message) FROM performance_schema.clone_status")
    [[ $output == Completed* ]] || die "$(server_name "$source") was not cloned: ${output:-the server knows nothing of it}"
    seed_end
}

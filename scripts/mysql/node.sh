# shellcheck shell=bash
# One MySQL or MariaDB server on this host: installed, configured, running and read-only. Who is the source is
# mysql/replication's business, and what data a new server starts with is mysql/seed's.
#
# PARAM_ENGINE               mysql or mariadb
# PARAM_ADDRESS, PARAM_PORT  where it listens
# PARAM_CIDRS                ranges that servers and applications connect from
# PARAM_BUFFER_POOL          "50%" of the host's memory, or a size such as 512mb
# PARAM_SEMI_SYNC            true or false
# PARAM_BINLOG_DO_DB         optional: databases that are replicated, all unless told
# PARAM_DATA_DIR             default /var/lib/mysql
# PARAM_VERSION              of the packages, or its beginning; any unless told
# PARAM_BACKUP_KEY           public key of whoever adds a replica
# SECRET_ADMIN_PASSWORD, SECRET_CA_CERTIFICATE, SECRET_CERTIFICATE, SECRET_PRIVATE_KEY
#
# What a running server takes over only at its start isn't forced here: general_log_file and report_user both name the configuration,
# the first is set at once and the second at the start, and mysql/replication restarts the servers that have two names, one by one.

# Names the step that made the server of this host.
MYSQL_OWNER=${MYSQL_OWNER:-/var/lib/multihost/mysql-owner}
# shellcheck disable=SC2034 # the engines read it
BINLOG_SECONDS=604800

# Without the settings that a running server takes over.
start_only() {
    grep -vE "^($(engine live)|report_user) = " <<<"$1"
}

configuration() {
    local text database name
    text="# Written by multihost: changes made here are lost.
[mysqld]
bind_address = $PARAM_ADDRESS
port = $PARAM_PORT
datadir = $MYSQL_DATA
server_id = $(address_number "$PARAM_ADDRESS")
report_host = $PARAM_ADDRESS
skip_name_resolve = 1
local_infile = 0
character_set_server = utf8mb4
log_bin = binlog
sync_binlog = 1
innodb_flush_log_at_trx_commit = 1
innodb_buffer_pool_size = $POOL_SIZE
require_secure_transport = 1
tls_version = TLSv1.2,TLSv1.3
ssl_ca = $MYSQL_ETC/ca.crt
ssl_cert = $MYSQL_ETC/server.crt
ssl_key = $MYSQL_ETC/server.key
init_file = $MYSQL_ETC/start.sql
$(engine settings)"
    for database in ${PARAM_BINLOG_DO_DB:+$MYSQL_SCHEMA $PARAM_BINLOG_DO_DB}; do
        text+=$'\n'"binlog_do_db = $database"
    done
    name=$({
        start_only "$text"
        cat "$MYSQL_STATE/pool" 2>/dev/null || true
    } | sha256sum | cut -c 1-12)
    printf '%s\ngeneral_log_file = multihost-%s.log\nreport_user = multihost-%s' "$text" "$name" "$name"
}

# Servers start read-only, and the one that the last replicated word says is the source opens itself.
start_statements() {
    local is_source="SELECT source = @@server_id FROM $MYSQL_SCHEMA.topology"
    [[ $PARAM_SEMI_SYNC != true ]] || printf 'SET GLOBAL %s = IFNULL((%s), 0);\n' "$(engine semi_sync_switch)" "$is_source"
    printf 'SET GLOBAL read_only = NOT IFNULL((%s), 0);' "$is_source"
}

unit_settings() {
    cat <<UNIT
[Unit]
After=network-online.target
Wants=network-online.target
# A disk that is not vital for the boot may come late, and what is below its mount point is no data directory.
RequiresMountsFor=$MYSQL_DATA
# What keeps it from starting, such as a disk that is full, may end by itself or by somebody's hand.
StartLimitIntervalSec=0

[Service]
# Always, not on failure: the SHUTDOWN statement is how a server is restarted from afar.
Restart=always
RestartSec=1s
LimitNOFILE=65535
UNIT
}

# What confines the server knows the distribution's own directory only. AppArmor goes by names, and confines the program that makes the
# system tables, too. The second profile is MariaDB's, since 11.8.
allow_data_path() {
    local profiles=${APPARMOR_D:-/etc/apparmor.d} profile
    [[ $MYSQL_DATA != /var/lib/mysql && -d $profiles/local ]] || return 0
    for profile in usr.sbin.mysqld mariadbd; do
        [[ -e $profiles/$profile ]] || continue
        file_write "$profiles/local/$profile" 0644 root:root "$MYSQL_DATA/ r,
$MYSQL_DATA/** rwk,"
        if [[ $FILE_CHANGED == true && $(cat "${APPARMOR_ENABLED:-/sys/module/apparmor/parameters/enabled}" 2>/dev/null) == Y ]] && command -v apparmor_parser >/dev/null; then
            quietly apparmor_parser -r "$profiles/$profile"
        fi
    done
}

# SELinux goes by the files, which have to be there.
allow_data_files() {
    if [[ $MYSQL_DATA != /var/lib/mysql ]] && selinux_enabled; then
        chcon -R -t mysqld_db_t "$MYSQL_DATA"
    fi
}

# What can't change in place would leave a server without its data, or one that no other can reach.
refuse_impossible() {
    local other was
    other=$(if [[ $PARAM_ENGINE == mysql ]]; then mariadb_package; else mysql_package; fi)
    ! package_installed "$other" ||
        die "engine: this host has $other, which can't become $PARAM_ENGINE in place: create a second component and move the data, or remove the package"
    was=$(package_version "$(engine package)")
    # An upgrade stops the server, and every host takes this step at the same time.
    [[ -z ${PARAM_VERSION:-} || -z $was ]] || version_begins "$was" "$PARAM_VERSION" ||
        die "version: this host has $(engine package) $was, which doesn't become $PARAM_VERSION in place: replace the replicas' hosts one by one, name one of them as the source, then replace the last"
    [[ -r $MYSQL_CONF ]] || refuse_foreign
}

# Ubuntu's mysql-server is content with whichever mysql-server-8.0 the host has, and that one's version is the server's.
check_version() {
    local asked=${PARAM_VERSION:-} text
    asked=${asked#*:}
    asked=${asked%%[!0-9.]*}
    [[ -n $asked ]] || return 0
    ! version_begins "$MYSQL_VERSION" "$asked" || return 0
    text="version: the server on this host is $MYSQL_VERSION and not $asked"
    [[ -r $MYSQL_CONF ]] || die "$text: name the one that it has, or remove its packages"
    # One that is at work goes on.
    note "$text"
}

refuse_moved() {
    local was
    [[ -r $MYSQL_CONF ]] || return 0
    was=$(sed -n 's/^port = //p' "$MYSQL_CONF")
    [[ $was == "$PARAM_PORT" ]] ||
        die "port: this host's server listens on $was and can't move to $PARAM_PORT in place: create a second component and move the data"
    was=$(sed -n 's/^datadir = //p' "$MYSQL_CONF")
    [[ $was == "$MYSQL_DATA" ]] ||
        die "dataDirectory: this host's server keeps its data in $was and would start empty in $MYSQL_DATA: replace the host instead"
}

is_managed() {
    [[ $(sql local "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$MYSQL_SCHEMA' AND table_name = 'topology'") == 1 ]]
}

# Nothing but what a new server has: else it would be lost from the replicas' view, or replicated by surprise.
refuse_foreign_data() {
    local found
    found=$(sql local "SELECT GROUP_CONCAT(schema_name SEPARATOR ', ') FROM information_schema.schemata
        WHERE schema_name NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys', '$MYSQL_SCHEMA')
        AND (schema_name <> 'test' OR EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = 'test'))")
    [[ $found == NULL ]] || refuse_databases "$found"
}

refuse_databases() {
    die "this host's server holds $1, which is not of this component's making: dump and drop it here, and load it into the source later"
}

# A server that is not ours yet, before anything is written on its host: it would be read-only at its next start. One that doesn't run, or
# doesn't let us in, is known by its folders.
refuse_foreign() {
    local found
    refuse_foreign_files
    if service_active "$MYSQL_UNIT" && sql_answers local; then
        is_managed || refuse_foreign_data
    elif [[ -d $MYSQL_DATA/mysql && ! -e $MYSQL_SEEDING && ! -e $MYSQL_DATA/$MYSQL_SCHEMA/topology.ibd ]]; then
        found=$(find "$MYSQL_DATA/" -mindepth 1 -maxdepth 1 -type d ! -name '[.#]*' ! -name lost+found ! -name performance_schema \
            ! -name mysql ! -name sys ! -name "$MYSQL_SCHEMA" ! -name test -printf '%f\n'
            [[ ! -d $MYSQL_DATA/test ]] || find "$MYSQL_DATA/test" -mindepth 1 ! -name db.opt -printf 'test\n' -quit)
        [[ -z $found ]] || refuse_databases "$(sort <<<"$found" | paste -sd , | sed 's/,/, /g')"
    fi
}

# A server that has just been installed: without the accounts that nobody should have, without a history, and with our own schema.
take_over() {
    local account doomed=''
    while IFS= read -r account; do
        [[ -z $account ]] || doomed+="DROP USER $account; "
    done < <(sql local "SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user WHERE user = '' OR (user = 'root' AND host <> 'localhost')")
    sql local "$(engine locally "$doomed
        DELETE FROM mysql.db WHERE db LIKE 'test%';
        FLUSH PRIVILEGES;
        DROP DATABASE IF EXISTS test;
        $(engine root_statements)
        CREATE DATABASE IF NOT EXISTS $MYSQL_SCHEMA;
        CREATE TABLE IF NOT EXISTS $MYSQL_SCHEMA.topology (id TINYINT UNSIGNED PRIMARY KEY, source INT UNSIGNED NOT NULL) ENGINE = InnoDB;
        $(engine forget_binlogs)")"
    changed "server taken over: root through its socket only, no anonymous account, no test database"
}

admin_account() {
    local host
    mapfile -t HOSTS < <(account_hosts "$PARAM_ADDRESS")
    ((${#HOSTS[@]} > 0)) || exit "$REPORTED"
    # shellcheck disable=SC2034 # account_converge reads it
    LOGIN=$PARAM_ADDRESS
    account_converge local "$MYSQL_ADMIN" 'REQUIRE X509' "$SECRET_ADMIN_PASSWORD"
    for host in "${HOSTS[@]}"; do
        if [[ $(sql local "SHOW GRANTS FOR '$MYSQL_ADMIN'@'$host'") != *"WITH GRANT OPTION"* ]]; then
            account_run local "GRANT ALL PRIVILEGES ON *.* TO '$MYSQL_ADMIN'@'$host' WITH GRANT OPTION;"
        fi
    done
}

apply_live() {
    local name value current
    while IFS=' =' read -r name value; do
        [[ $name =~ ^($(engine live))$ ]] || continue
        if [[ $name == loose_* ]]; then
            name=${name#loose_}
            [[ -n $(sql local "SHOW GLOBAL VARIABLES LIKE '$name'") ]] || continue
        fi
        current=$(sql local "SELECT @@global.$name")
        [[ $value =~ ^[0-9]+$ ]] || value=$(sql_text "$value")
        sql local "SET GLOBAL $name = $value"
        # It may round.
        [[ $(sql local "SELECT @@global.$name") == "$current" ]] || changed "$name = $value"
    done <"$MYSQL_CONF"
}

# Some versions of MariaDB grow the pool up to what they were started with only. The size that took a start has to be remembered, for it
# is in the name of the configuration then.
mark_small_pool() {
    local limit
    read -r _ limit < <(sql local "SHOW GLOBAL VARIABLES LIKE 'innodb_buffer_pool_size_max'") || return 0
    ((limit < POOL_SIZE)) || return 0
    file_write "$MYSQL_STATE/pool" 0600 root:root "$POOL_SIZE"
    file_write "$MYSQL_CONF" 0644 root:root "$(configuration)"
    apply_live
}

reload_certificates() {
    local digest
    digest=$(cat "$MYSQL_ETC"/*.crt "$MYSQL_ETC"/*.key | sha256sum)
    if [[ $digest != "$(cat "$MYSQL_STATE/certificates" 2>/dev/null)" ]]; then
        engine reload_certificates
        file_write "$MYSQL_STATE/certificates" 0600 root:root "$digest"
    fi
}

has_data() {
    [[ -n $(sql local "SELECT $(engine executed_expression)") ]]
}

# A server may be at work on a long recovery, and its data may be complete although the mark of a copy is still there.
start_ended() {
    [[ $(systemctl show --property=SubState --value "$MYSQL_UNIT") != start* ]]
}

restart_pending() {
    [[ $(sql local "SELECT @@global.general_log_file LIKE CONCAT('%', @@report_user, '%')") != 1 ]]
}

restart_server() {
    service_restart "$MYSQL_UNIT"
    wait_for 120 "the server to answer after its restart" sql_answers local
}

main() {
    require_params PARAM_ENGINE PARAM_ADDRESS PARAM_PORT PARAM_CIDRS PARAM_BUFFER_POOL PARAM_SEMI_SYNC SECRET_ADMIN_PASSWORD \
        SECRET_CA_CERTIFICATE SECRET_CERTIFICATE SECRET_PRIVATE_KEY
    database_detect
    refuse_impossible
    POOL_SIZE=$(memory_size bufferPool "$PARAM_BUFFER_POOL")
    # Two components would each make this server theirs, in turn, with its accounts, and take each other's databases from the application.
    owner_claim "$MYSQL_OWNER" "database server" "$MYSQL_CONF" authority_is_ours "$MYSQL_ETC/ca.crt"
    refuse_moved
    engine install
    check_version
    # A quarter of the pool, within what keeps checkpoints rare and a crash recovery short.
    REDO_SIZE=$((POOL_SIZE / 4 / 1048576 * 1048576))
    ((REDO_SIZE >= 100663296)) || REDO_SIZE=100663296
    ((REDO_SIZE <= 4294967296)) || REDO_SIZE=4294967296

    directory "$MYSQL_STATE" 0700 root:root
    [[ -d ${MYSQL_ETC%/*} ]] || directory "${MYSQL_ETC%/*}" 0755 root:root
    directory "$MYSQL_ETC" 0750 root:mysql
    file_write "$MYSQL_ETC/ca.crt" 0640 root:mysql "$(trimmed "$SECRET_CA_CERTIFICATE")"
    file_write "$MYSQL_ETC/server.key" 0640 root:mysql "$(trimmed "$SECRET_PRIVATE_KEY")"
    file_write "$MYSQL_ETC/server.crt" 0640 root:mysql "$(trimmed "$SECRET_CERTIFICATE")"
    file_write "$MYSQL_ETC/start.sql" 0640 root:mysql "$(start_statements)"
    file_write "$MYSQL_CONF" 0644 root:root "$(configuration)"
    directory "${SYSTEMD_UNITS:-/etc/systemd/system}/$MYSQL_UNIT.d" 0755 root:root
    unit_write "$MYSQL_UNIT.d/multihost.conf" "$(unit_settings)"
    engine offer_backup

    allow_data_path
    [[ ! -e $MYSQL_SEEDING ]] || wait_for 600 "the server's start to end" start_ended
    if ! service_active "$MYSQL_UNIT" && [[ -e $MYSQL_SEEDING || ! -d $MYSQL_DATA/mysql ]]; then
        # Between two attempts to start it is not active either.
        quietly systemctl stop "$MYSQL_UNIT"
        data_initialise
        seed_end
    fi
    allow_data_files
    [[ $PARAM_PORT == 3306 ]] || selinux_ports mysqld_port_t "$PARAM_PORT"
    service_start "$MYSQL_UNIT"
    wait_for 600 "the server to answer" sql_answers local
    if ! is_managed; then
        refuse_foreign_data
        ! restart_pending || restart_server
        take_over
    fi
    admin_account
    reload_certificates
    apply_live
    mark_small_pool
    if restart_pending && ! has_data; then
        restart_server
    fi
    wait_for 30 "the server to answer on $PARAM_ADDRESS" sql_answers "$PARAM_ADDRESS"
    finish address="$PARAM_ADDRESS" version="$MYSQL_VERSION" bufferPool:="$POOL_SIZE"
}

# The host leaves: its server stops, its data stays. A step is also deleted after its replacement was created, on the same host, so a
# server that takes writes or follows another goes on; mysql/replication makes those that leave do neither.
remove() {
    ! owner_spares "$MYSQL_OWNER" "database server" || return 0
    database_detect
    if service_active "$MYSQL_UNIT"; then
        if ! look local || [[ -n ${S_WRITABLE[local]} || -n ${S_FOLLOWS[local]} ]]; then
            log "the server on this host still belongs to a replication: it stays as it is"
            return 0
        fi
        service_off "$MYSQL_UNIT"
    fi
    engine withdraw_backup
    file_remove "$MYSQL_CONF"
    file_remove "$MYSQL_ETC"
    file_remove "$MYSQL_STATE"
    file_remove "$MYSQL_OWNER"
    file_remove "${SYSTEMD_UNITS:-/etc/systemd/system}/$MYSQL_UNIT.d"
    quietly systemctl daemon-reload
    log "the data stays in $MYSQL_DATA"
}

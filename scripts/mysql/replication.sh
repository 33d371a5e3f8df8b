# shellcheck shell=bash
# Brings the servers to one source and its replicas. Runs on one of them and talks to all of them.
#
# PARAM_ENGINE, PARAM_PORT   as for mysql/node
# PARAM_ADDRESS              of this host
# PARAM_MEMBERS              "name=ip …"; every one runs mysql/node and mysql/seed already
# PARAM_SOURCE               name of the member that shall be the source
# PARAM_CIDRS                ranges that servers and applications connect from
# PARAM_SEMI_SYNC            true or false
# PARAM_DATABASES            that exist and that the application's account may use
# PARAM_USER                 the application's account
# PARAM_BINLOG_DO_DB         optional: databases that are replicated, all unless told
# PARAM_VERIFY               optional: with another text than before, all rows are compared
# SECRET_ADMIN_PASSWORD, SECRET_REPLICATION_PASSWORD, SECRET_PASSWORD, SECRET_PREVIOUS_PASSWORD
# SECRET_OTHER_REPLICATION_PASSWORD  optional: as valid as the first, while the servers change from one to the other
#
# Each phase looks at the servers as they are and does what is missing, so a run that was cut off is finished by the next one. A replica
# that can't follow holds nothing up: it is named at the end, when everything else is done.

BROKEN=()
# Replicas that are still at work on what the source had executed long before.
BEHIND=()

# broken ADDRESS WHY
broken() {
    BROKEN+=("$1")
    log "$(server_name "$1"): $2"
    REASONS+="${REASONS:+$'\n'}$(server_name "$1"): $2"
}

is_broken() {
    [[ " ${BROKEN[*]-} " == *" $1 "* ]]
}

# The replicas that can follow, as addresses.
replicas() {
    local address
    for address in "${MEMBERS[@]}"; do
        [[ $address == "$CURRENT" ]] || is_broken "$address" || printf '%s\n' "$address"
    done
}

# Waits for every member. One that stays silent is broken, and only the source can't be done without.
identify() {
    local address
    for address in "${MEMBERS[@]}"; do
        try_for "${ANSWER_SECONDS:-60}" sql_answers "$address" || broken "$address" "the server doesn't answer on $address:$PARAM_PORT"
    done
    look_all
    find_source
    [[ -z $SOURCE_LOST ]] || die "$SOURCE_LOST"
    [[ $CURRENT == "$WANTED" ]] || ! is_broken "$WANTED" || die "source: $PARAM_SOURCE can't become the source: its server doesn't answer"
    case $WHY_NONE in
    fresh) begin ;;
    gone) succeed_the_gone ;;
    esac
}

begin() {
    # The machines that hold the data are deleted when this step succeeds.
    [[ $STEP_MODE != update ]] ||
        die "hosts: no server has any data, but there was a source before, so the hosts were all replaced at once, and the data is on the machines of before: put those back, and replace them in two updates or more. If the data may go, $(step_begins_anew)"
    CURRENT=$WANTED
    open_source "$CURRENT"
    name_source "$CURRENT" "$CURRENT"
    changed "$PARAM_SOURCE is the source"
    look "$CURRENT" || die "$PARAM_SOURCE stopped answering"
}

# Whoever has what the source has not was written to on its own: nothing can be replicated to it any more.
judge() {
    local address missing
    for address in "${MEMBERS[@]}"; do
        [[ $address != "$CURRENT" && -n ${S_UP[$address]} && -n ${S_EXECUTED[$address]} ]] || continue
        # The replica first, the source then: between the two, the source may only learn.
        look "$address" || continue
        look "$CURRENT" || die "the source $(server_name "$CURRENT") stopped answering"
        missing=$(engine missing "${S_EXECUTED[$address]}" "${S_EXECUTED[$CURRENT]}")
        [[ -z $missing ]] || broken "$address" "it has executed $missing, which the source has not"
    done
}

attach_all() {
    local address digest told=$MYSQL_STATE/replication-password again=false
    digest=$(sha256sum <<<"$SECRET_REPLICATION_PASSWORD")
    # A replica that is connected notices a new password only when it has to connect again, which is too late.
    [[ ! -e $told || $(<"$told") == "$digest" ]] || again=true
    for address in $(replicas); do
        look "$address" || continue
        let_follow "$address" "$again"
        sql "$address" "$(engine frozen_for_all_statements) DO 0"
    done
    printf '%s\n' "$digest" >"$told"
}

# let_follow ADDRESS AGAIN: makes it follow the source and execute what it receives; everything is said again if AGAIN is true.
let_follow() {
    if [[ $2 == true || ${S_FOLLOWS[$1]} != "$CURRENT" ]]; then
        attach "$1"
        changed "$(server_name "$1") replicates $(server_name "$CURRENT")"
    elif [[ ${S_IO[$1]} != Yes || ${S_SQL[$1]} != Yes ]]; then
        sql "$1" "$(engine start_replica)"
        if ! try_for 10 follows "$1"; then
            # Another password, a renewed certificate: everything is said again.
            attach "$1"
        fi
        changed "$(server_name "$1") was started again"
    fi
}

follows() {
    look "$1" && [[ ${S_FOLLOWS[$1]} == "$CURRENT" && ${S_IO[$1]} == Yes && ${S_SQL[$1]} == Yes ]]
}

# Those that follow a member and are none any more: their hosts are about to go, or are taken back. After a switchover they still follow
# the source of before.
release_leaving() {
    local member address
    for member in "${MEMBERS[@]}"; do
        while IFS=$'\t' read -r _ address _; do
            [[ -n $address && -z ${S_NAME[$address]:-} ]] || continue
            if look "$address" && [[ -n ${S_FOLLOWS[$address]} ]]; then
                sql "$address" "$(engine detach_statements) $(engine freeze_statements)"
                changed "$address left"
            fi
        done < <(sql_try "$member" "$(engine followers_statement)")
    done
}

# Reads only, drained, promoted: what the old source has acknowledged is on the new one before that takes its first write.
switch_over() {
    local from=$CURRENT to=$WANTED position id started idle
    [[ $from != "$to" ]] || return 0
    ! is_broken "$to" || die "source: $PARAM_SOURCE can't become the source" "$REASONS"
    let_follow "$to" false
    try_for 30 follows "$to" || refuse_switchover "$to"
    position=$(sql "$from" "SELECT $(engine position_expression)")
    wait_for "${SEED_SECONDS:-3000}" "$PARAM_SOURCE to catch up with $(server_name "$from")" catches_up "$to" "$position"
    refuse_half_a_source "$from" "$to"
    # A replica disables those, too, as events of its source's.
    idle=$(events "$from" "= 'DISABLED'") || exit "$REPORTED"

    started=$(now)
    sql_try "$from" "$(engine freeze_statements)" >/dev/null ||
        die "$(server_name "$from") has statements that don't end, so it can't be made read-only: nothing was changed"
    name_source "$from" "$to"
    sql "$from" "$(engine frozen_for_all_statements) DO 0"
    position=$(sql "$from" "SELECT $(engine position_expression)")
    if ! try_for 30 caught_up "$to" "$position"; then
        sql "$from" "$(engine open_statements)"
        name_source "$from" "$from"
        die "$PARAM_SOURCE did not catch up with $(server_name "$from") within 30 s: $(server_name "$from") goes on as the source"
    fi
    sql "$to" "$(engine detach_statements)"
    CURRENT=$to
    open_source "$to"
    OUTAGE=$(($(now) - started))
    if [[ -n $idle ]]; then
        idle=$(comm -12 <(printf '%s\n' "$idle") <(events "$to" "$ELSEWHERE"))
        sql "$to" "$(alter_events "$idle" DISABLE)"
    fi
    changed "$PARAM_SOURCE is the source instead of $(server_name "$from"), which took no writes for the last $OUTAGE ms"
    look "$from" || true
    look "$to" || true
    if [[ -n ${S_NAME[$from]:-} ]]; then
        attach "$from"
        changed "$(server_name "$from") replicates $(server_name "$to")"
    fi
    # Clients that hold a connection to the old source would go on there, to be refused every write.
    for id in $(sql "$from" "SELECT id FROM information_schema.processlist WHERE user = '$PARAM_USER'"); do
        sql_try "$from" "KILL $id" >/dev/null || true
    done
}

# catches_up ADDRESS POSITION
catches_up() {
    ! caught_up "$1" "$2" || return 0
    ! look "$1" || ! hopeless "$1" || refuse_switchover "$1"
    return 1
}

refuse_switchover() {
    die "source: $PARAM_SOURCE does not follow $(server_name "$CURRENT"), so it can't take over: nothing was changed" "${S_ERROR[$1]:-without an error}"
}

# refuse_half_a_source FROM TO: what was not in the binary log would be lost to the application.
refuse_half_a_source() {
    local missing
    if [[ -n ${PARAM_BINLOG_DO_DB:-} ]]; then
        missing=$(tables_at "$1" "table_schema IN ($(listed "$PARAM_DATABASES")) AND table_schema NOT IN ($(listed "$PARAM_BINLOG_DO_DB"))") || exit "$REPORTED"
        [[ -z $missing ]] ||
            die "source: $(schemas "$missing") is not in binlogDoDb, so $PARAM_SOURCE has not what $(server_name "$1") has in it: add it there, and name the replicas in rebuild afterwards"
    fi
    missing=$(lacks "$2" "table_schema IN ($(listed "$PARAM_DATABASES"))") || exit "$REPORTED"
    [[ -z $missing ]] ||
        die "source: $PARAM_SOURCE lacks tables of $(schemas "$missing") that $(server_name "$1") has: name it in rebuild first"
}

# A source that is read-only may have handed over already, to a server that nobody can ask now and that has what nobody else has.
refuse_second_source() {
    local named address
    [[ -z ${S_WRITABLE[$CURRENT]} ]] || return 0
    named=$(sql "$CURRENT" "SELECT source FROM $MYSQL_SCHEMA.topology")
    for address in "${MEMBERS[@]}"; do
        if [[ $address != "$CURRENT" && $(address_number "$address") == "$named" ]] && is_broken "$address"; then
            die "$(server_name "$CURRENT") was made read-only for $(server_name "$address"), which may have taken writes since: start it, or take its host out" "$REASONS"
        fi
    done
}

# Left read-only by a switchover that was cut off, or by hand. One that takes writes may have been opened by hand, or by its own start in the
# middle of a switchover: what it follows then would come back to it, and what another one is named in would turn the roles at the next start.
reopen() {
    look "$CURRENT" || die "the source $(server_name "$CURRENT") stopped answering"
    if [[ -z ${S_WRITABLE[$CURRENT]} ]]; then
        open_source "$CURRENT"
        name_source "$CURRENT" "$CURRENT"
        changed "$(server_name "$CURRENT") takes writes again"
        return 0
    fi
    [[ -z ${S_FOLLOWS[$CURRENT]} ]] || stop_following
    if [[ $(sql "$CURRENT" "SELECT source FROM $MYSQL_SCHEMA.topology") != "$(address_number "$CURRENT")" ]]; then
        name_source "$CURRENT" "$CURRENT"
        changed "$(server_name "$CURRENT") is named as the source"
    fi
}

# What the source has received from another server goes with the relay log, so what it is still at work on comes first.
stop_following() {
    local from=${S_FOLLOWS[$CURRENT]} received
    if [[ ${S_SQL[$CURRENT]} == Yes ]]; then
        received=$(engine received "$CURRENT") || exit "$REPORTED"
        [[ -z $received ]] || try_for 30 caught_up "$CURRENT" "$received" ||
            die "the source $(server_name "$CURRENT") is still at work on what it has received from $(server_name "$from"): run the update again"
    fi
    sql "$CURRENT" "$(engine detach_statements)"
    changed "$(server_name "$CURRENT") no longer replicates $(server_name "$from")"
}

# A replica gets the source's events disabled, and runs none: whoever becomes the source enables them, by which the others' are disabled.
# A copy of the source's data has them as they are there.
schedule_events() {
    local address found statements
    found=$(events "$CURRENT" "$ELSEWHERE") || exit "$REPORTED"
    if [[ -n $found ]]; then
        sql "$CURRENT" "$(alter_events "$found" ENABLE)"
        changed "$(server_name "$CURRENT") runs the events $(event_names "$found")"
    fi
    for address in $(replicas); do
        found=$(events "$address" "= 'ENABLED'") || exit "$REPORTED"
        [[ -n $found ]] || continue
        # Both engines know this word for a replica.
        statements=$(alter_events "$found" 'DISABLE ON SLAVE')
        sql "$address" "$(engine locally "${statements%;}")"
        changed "$(server_name "$address") leaves the events $(event_names "$found") to the source"
    done
}

# Status of an event that runs on another server; each engine has its word, and MySQL an older one.
ELSEWHERE="LIKE '%SIDE_DISABLED'"

# events ADDRESS STATUS: those of this status, a line each: name, schema and definer, as a statement has them. Whoever alters an event would
# become its definer.
events() {
    local rows host="SUBSTRING_INDEX(definer, '@', -1)"
    rows=$(sql "$1" "SELECT CONCAT('\`', REPLACE(event_schema, '\`', '\`\`'), '\`'), CONCAT('\`', REPLACE(event_name, '\`', '\`\`'), '\`'),
        CONCAT(QUOTE(LEFT(definer, CHAR_LENGTH(definer) - CHAR_LENGTH($host) - 1)), '@', QUOTE($host))
        FROM information_schema.events WHERE status $2 AND event_schema NOT IN ('mysql', 'sys')" --raw) || exit "$REPORTED"
    sort <<<"$rows"
}

# alter_events EVENTS WORDS: the statements. A filter of the binary log goes by the current schema.
alter_events() {
    local schema event definer
    while IFS=$'\t' read -r schema event definer; do
        [[ -z $schema ]] || printf 'USE %s; ALTER DEFINER = %s EVENT %s %s;' "$schema" "$definer" "$event" "$2"
    done <<<"$1"
}

event_names() {
    awk -F '\t' '{ gsub("`", ""); print $1 "." $2 }' <<<"$1" | paste -sd , | sed 's/,/, /g'
}

now() {
    date +%s%3N
}

accounts() {
    local host database existing wanted grants privilege
    mapfile -t HOSTS < <(account_hosts "$PARAM_ADDRESS")
    ((${#HOSTS[@]} > 0)) || exit "$REPORTED"
    # shellcheck disable=SC2034 # account_converge reads it
    LOGIN=$CURRENT
    if [[ -n ${SECRET_OTHER_REPLICATION_PASSWORD:-} ]]; then
        # To it, the one that the replicas log in with is the previous one, which is valid all the time.
        account_converge "$CURRENT" "$MYSQL_REPLICATION" 'REQUIRE X509' "$SECRET_OTHER_REPLICATION_PASSWORD" "$SECRET_REPLICATION_PASSWORD"
    else
        account_converge "$CURRENT" "$MYSQL_REPLICATION" 'REQUIRE X509' "$SECRET_REPLICATION_PASSWORD"
    fi
    for host in "${HOSTS[@]}"; do
        grants=$(sql "$CURRENT" "SHOW GRANTS FOR '$MYSQL_REPLICATION'@'$host'")
        while IFS= read -r privilege; do
            [[ $grants == *"$privilege"* ]] || account_run "$CURRENT" "GRANT $privilege ON *.* TO '$MYSQL_REPLICATION'@'$host';"
        done < <(engine replication_privileges)
    done
    for database in $PARAM_DATABASES; do
        if [[ $(sql "$CURRENT" "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '$database'") == 0 ]]; then
            account_run "$CURRENT" "CREATE DATABASE IF NOT EXISTS \`$database\`;"
            changed "database $database"
        fi
    done
    account_converge "$CURRENT" "$PARAM_USER" 'REQUIRE SSL' "$SECRET_PASSWORD" "${SECRET_PREVIOUS_PASSWORD:-}"
    # In a grant, an underscore would stand for any character.
    wanted=$(tr ' ' '\n' <<<"${PARAM_DATABASES//_/\\_}" | sort)
    for host in "${HOSTS[@]}"; do
        existing=$(sql "$CURRENT" "SELECT db FROM mysql.db WHERE user = '$PARAM_USER' AND host = '$host'" --raw | sort)
        for database in $(comm -13 <(printf '%s\n' "$existing") <(printf '%s\n' "$wanted")); do
            account_run "$CURRENT" "GRANT ALL PRIVILEGES ON \`$database\`.* TO '$PARAM_USER'@'$host';"
            changed "$PARAM_USER may use ${database//\\/}"
        done
        for database in $(comm -23 <(printf '%s\n' "$existing") <(printf '%s\n' "$wanted")); do
            account_run "$CURRENT" "REVOKE ALL PRIVILEGES ON \`$database\`.* FROM '$PARAM_USER'@'$host';"
            changed "$PARAM_USER may no longer use ${database//\\/}"
        done
    done
}

# A replica takes over whether it acknowledges, and the source whether it waits, apart from what their files say for the next start.
semi_sync() {
    local address wanted
    wanted=$(one_if "$PARAM_SEMI_SYNC")
    for address in $(replicas); do
        if [[ $(sql "$address" "SHOW GLOBAL STATUS LIKE '$(engine semi_sync_replica_status)'") != *$'\t'"$([[ $wanted == 1 ]] && echo ON || echo OFF)" ]]; then
            sql "$address" "$(engine stop_replica) $(engine start_replica)"
            changed "$(server_name "$address") $([[ $wanted == 1 ]] && echo acknowledges || echo 'no longer acknowledges') what it has received"
        fi
    done
    wanted=$(semi_sync_wanted)
    if [[ $(sql "$CURRENT" "SELECT @@global.$(engine semi_sync_switch)") != "$wanted" ]]; then
        sql "$CURRENT" "SET GLOBAL $(engine semi_sync_switch) = $wanted"
        changed "$(server_name "$CURRENT") $([[ $wanted == 1 ]] && echo waits || echo 'no longer waits') for a replica"
    fi
}

# Replicas first. The source last, and where it is: clients would not follow to another server and back.
restart_marked() {
    local address started
    for address in $(replicas) "$CURRENT"; do
        look "$address" || continue
        [[ -n ${S_PENDING[$address]} ]] || continue
        log "restarting $(server_name "$address")"
        started=$(now)
        # It may close the connection instead of an answer; systemd starts it again.
        sql_try "$address" 'SHUTDOWN' >/dev/null || true
        wait_for 600 "$(server_name "$address") to come back after its restart" restarted "$address"
        changed "$(server_name "$address") restarted"
        if [[ $address == "$CURRENT" ]]; then
            note "the source was away for $(($(now) - started)) ms while it restarted"
        else
            wait_for 600 "$(server_name "$address") to follow again after its restart" follows "$address"
        fi
    done
}

restarted() {
    look "$1" && [[ -z ${S_PENDING[$1]} ]]
}

# healthy ADDRESS POSITION: sets PROBLEM.
healthy() {
    local missing
    PROBLEM="the server doesn't answer"
    look "$1" || return 1
    PROBLEM="it follows ${S_FOLLOWS[$1]:-nobody} instead of $(server_name "$CURRENT")"
    [[ ${S_FOLLOWS[$1]} == "$CURRENT" ]] || return 1
    PROBLEM="replication has stopped: ${S_ERROR[$1]:-without an error}"
    [[ ${S_IO[$1]} == Yes && ${S_SQL[$1]} == Yes ]] || return 1
    PROBLEM="it takes writes"
    [[ -z ${S_WRITABLE[$1]} ]] || return 1
    missing=$(engine missing "$2" "${S_EXECUTED[$1]}") || return 1
    PROBLEM="it follows, but lacks $missing, which the source had executed when it was asked"
    [[ -z $missing ]]
}

# hopeless ADDRESS: an error that time doesn't mend.
hopeless() {
    [[ -n ${S_ERROR[$1]:-} && (${S_SQL[$1]} == No || ${S_IO[$1]} == No) ]]
}

# await ADDRESS POSITION [SECONDS]: waits until it is healthy, for as long as it gets on. One that is at work on a single change gets on, too, for
# SECONDS at most, and is only behind then.
await() {
    local known='' since=0 stall=${STALL_SECONDS:-60}
    until healthy "$1" "$2"; do
        if [[ -z $known || ${S_EXECUTED[$1]:-} != "$known" ]]; then
            known=${S_EXECUTED[$1]:-none}
            since=$SECONDS
        fi
        if hopeless "$1" || { ((SECONDS >= since + stall)) && is_stuck "$1" "$2" "$known"; }; then
            broken "$1" "$PROBLEM"
            return 0
        fi
        if ((SECONDS >= since + stall && SECONDS >= since + ${3:-0})); then
            BEHIND+=("$1")
            return 0
        fi
        sleep 0.5
    done
}

# is_stuck ADDRESS POSITION EXECUTED: it isn't at work on anything, and what it was at work on did not end since it was looked at.
is_stuck() {
    ! applies "$1" && ! healthy "$1" "$2" && [[ ${S_EXECUTED[$1]:-none} == "$3" ]]
}

# applies ADDRESS
applies() {
    follows "$1" && [[ $(sql_try "$1" "$(engine applying_statement)") == [1-9]* ]]
}

is_behind() {
    [[ " ${BEHIND[*]-} " == *" $1 "* ]]
}

verify() {
    local address position
    wait_for 30 "the source $(server_name "$CURRENT") to take writes" takes_writes
    position=${S_EXECUTED[$CURRENT]}
    for address in $(replicas); do
        await "$address" "$position"
        ! is_behind "$address" ||
            note "$(server_name "$address") follows, but is behind: it has been at work on one change for more than ${STALL_SECONDS:-60} s, such as one of a large table's columns"
    done
    if [[ $PARAM_SEMI_SYNC == true && -n $(replicas) ]]; then
        try_for 30 has_acknowledger || note "no replica acknowledges what $(server_name "$CURRENT") commits: semi-synchronous replication is not in force"
    fi
}

# A replica that lacks a table of a database that came into the binary log with its data stops at the first write to it.
complete_tables() {
    local address missing
    for address in $(replicas); do
        ! is_behind "$address" || continue
        missing=$(lacks "$address" "$(logged)") || exit "$REPORTED"
        [[ -z $missing ]] || broken "$address" "it lacks tables of $(schemas "$missing"), which the binary log holds"
    done
}

# lacks ADDRESS CONDITION: tables of the source that a replica has not, though it has come as far; twice, since some come and go.
lacks() {
    local missing='' found theirs
    for _ in 1 2; do
        found=$(tables_at "$CURRENT" "$2") || exit "$REPORTED"
        # One that is behind stops there by itself.
        try_for 30 caught_up "$1" "$(sql "$CURRENT" "SELECT $(engine position_expression)")" || return 0
        theirs=$(tables_at "$1" "$2") || exit "$REPORTED"
        found=$(comm -23 <(printf '%s\n' "$found") <(printf '%s\n' "$theirs"))
        missing=$(comm -12 <(printf '%s\n' "${missing:-$found}") <(printf '%s\n' "$found"))
        [[ -n $missing ]] || return 0
    done
    printf '%s' "$missing"
}

# tables_at ADDRESS CONDITION: as schema.table
tables_at() {
    local rows
    rows=$(sql "$1" "SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables WHERE table_type NOT LIKE '%VIEW' AND $2") || exit "$REPORTED"
    sort <<<"$rows"
}

# schemas TABLES: the databases that they are in.
schemas() {
    cut -d . -f 1 <<<"$1" | sort -u | paste -sd , | sed 's/,/, /g'
}

# listed WORDS: for IN (…).
listed() {
    printf "'%s'" "${1// /\',\'}"
}

takes_writes() {
    look "$CURRENT" && [[ -n ${S_WRITABLE[$CURRENT]} ]]
}

has_acknowledger() {
    [[ $(sql_try "$CURRENT" "SHOW GLOBAL STATUS LIKE '$(engine semi_sync_clients_status)'") == *$'\t'[1-9]* ]]
}

# All rows, compared the way that stays cheap and needs no pause: the source writes down row counts and checksums of one range of keys
# after the other, in statements that every replica executes for itself at the same point of its history.
compare_when_asked() {
    local address schema table mine theirs position tables skipped UNCOMPARED=()
    if [[ -z ${PARAM_VERIFY:-} ]]; then
        rm -f "$MYSQL_STATE/verified"
        return 0
    fi
    [[ $(cat "$MYSQL_STATE/verified" 2>/dev/null) != "$PARAM_VERIFY" ]] || return 0
    sql "$CURRENT" "USE $MYSQL_SCHEMA; CREATE TABLE IF NOT EXISTS checksums (table_schema VARCHAR(64), table_name VARCHAR(64), part INT UNSIGNED,
        row_count BIGINT UNSIGNED, checksum BIGINT UNSIGNED, PRIMARY KEY (table_schema, table_name, part)) ENGINE = InnoDB; DELETE FROM checksums"
    tables=$(sql "$CURRENT" "SELECT table_schema, table_name FROM information_schema.tables WHERE $(compared) AND engine = 'InnoDB'")
    while IFS=$'\t' read -r schema table; do
        [[ -z $schema ]] || compare_table "$schema" "$table"
    done <<<"$tables"
    skipped=$(sql "$CURRENT" "SELECT GROUP_CONCAT(table_schema, '.', table_name) FROM information_schema.tables WHERE $(compared) AND engine <> 'InnoDB'")
    [[ $skipped == NULL ]] || note "not compared, since no statement sees them at one point in time: $skipped"
    ((${#UNCOMPARED[@]} == 0)) ||
        note "not compared, since that would hold up whoever writes to them, having no primary key that cuts them into small ranges: $(printf '%s\n' "${UNCOMPARED[@]}" | sort | paste -sd ,)"

    look "$CURRENT" || die "the source $(server_name "$CURRENT") stopped answering"
    position=${S_EXECUTED[$CURRENT]}
    mine=$(checksums "$CURRENT")
    BEHIND=()
    for address in $(replicas); do
        # A range of keys may take long to read.
        await "$address" "$position" "${SEED_SECONDS:-3000}"
        ! is_broken "$address" || continue
        ! is_behind "$address" || continue
        theirs=$(checksums "$address")
        if [[ $mine != "$theirs" ]]; then
            broken "$address" "its rows are not the source's in $(comm -3 <(sort <<<"$mine") <(sort <<<"$theirs") | sed 's/^\t//' | cut -f 1 | sort -u | tr '\n' ' ')"
        fi
    done
    ((${#BROKEN[@]} == 0)) || return 0
    ((${#BEHIND[@]} == 0)) || die "verify: $(names "${BEHIND[@]}") can't be compared yet, being behind: run the update again"
    printf '%s\n' "$PARAM_VERIFY" >"$MYSQL_STATE/verified"
}

compared() {
    printf "table_type = 'BASE TABLE' AND %s" "$(logged)"
}

# What the binary log holds of the application's.
logged() {
    printf "table_schema NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema', '%s')" "$MYSQL_SCHEMA"
    [[ -z ${PARAM_BINLOG_DO_DB:-} ]] || printf " AND table_schema IN (%s)" "$(listed "$PARAM_BINLOG_DO_DB")"
}

checksums() {
    sql "$1" "SELECT CONCAT(table_schema, '.', table_name), part, row_count, checksum FROM $MYSQL_SCHEMA.checksums ORDER BY 1, 2"
}

# compare_table SCHEMA TABLE: in ranges of the first column of its primary key, for a statement holds up whoever changes a row that it reads.
# What would take more rows at once than RANGE_LIMIT is left out: UNCOMPARED.
compare_table() {
    local schema=$1 table=$2 from="\`$1\`.\`$2\`" where columns key='' type='' literal='' many next row bounds=() number range statements
    where="table_schema = $(sql_text "$schema") AND table_name = $(sql_text "$table")"
    columns=$(sql "$CURRENT" "SET SESSION group_concat_max_len = 1048576; SELECT GROUP_CONCAT('COALESCE(HEX(\`', column_name, '\`), \'-\')' ORDER BY ordinal_position)
        FROM information_schema.columns WHERE $where" --raw)
    IFS=$'\t' read -r type key < <(sql "$CURRENT" "SELECT data_type, column_name FROM information_schema.columns WHERE $where AND column_name =
        (SELECT column_name FROM information_schema.statistics WHERE $where AND index_name = 'PRIMARY' AND seq_in_index = 1 AND sub_part IS NULL)" --raw) || true
    case $type in
    tinyint | smallint | mediumint | int | bigint | decimal) literal="\`$key\`" ;;
    # It converts to the column's character set, and goes by its collation.
    char | varchar) literal="CONCAT('_utf8mb4 x\'', HEX(CONVERT(\`$key\` USING utf8mb4)), '\'')" ;;
    binary | varbinary) literal="CONCAT('x\'', HEX(\`$key\`), '\'')" ;;
    date | datetime | uuid) literal="CONCAT('\'', \`$key\`, '\'')" ;;
    esac

    many="(SELECT 1 FROM $from LIMIT 1 OFFSET ${RANGE_LIMIT:-200000})" next=NULL
    [[ -z $literal ]] || many=NULL next="(SELECT $literal FROM $from ORDER BY \`$key\` LIMIT 1 OFFSET ${RANGE_ROWS:-20000})"
    while true; do
        row=$(sql "$CURRENT" "SELECT $many, $next" --raw) || exit "$REPORTED"
        if [[ $row != NULL$'\t'* ]]; then
            UNCOMPARED+=("$schema.$table")
            return 0
        fi
        [[ $row != *$'\t'NULL ]] || break
        bounds+=("${row#*$'\t'}")
        # Whose key has further columns may have many rows of one value.
        many="(SELECT 1 FROM $from WHERE \`$key\` = ${bounds[-1]} LIMIT 1 OFFSET ${RANGE_LIMIT:-200000})"
        next="(SELECT $literal FROM $from WHERE \`$key\` > ${bounds[-1]} ORDER BY \`$key\` LIMIT 1 OFFSET ${RANGE_ROWS:-20000})"
    done

    statements="SET SESSION binlog_format = STATEMENT; SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; USE $MYSQL_SCHEMA;"
    for ((number = 0; number <= ${#bounds[@]}; number++)); do
        # The first and the last range are open, since a replica may have rows that the source never had.
        range='1 = 1'
        ((number == 0)) || range+=" AND \`$key\` > ${bounds[number - 1]}"
        ((number == ${#bounds[@]})) || range+=" AND \`$key\` <= ${bounds[number]}"
        statements+="
            INSERT INTO checksums SELECT $(sql_text "$schema"), $(sql_text "$table"), $((number + 1)), COUNT(*),
            COALESCE(BIT_XOR(CAST(CRC32(CONCAT_WS('#', $columns)) AS UNSIGNED)), 0) FROM $from WHERE $range;"
    done
    SQL_TIMEOUT=3000 sql "$CURRENT" "$statements"
}

main() {
    local address list=() version
    require_params PARAM_ENGINE PARAM_ADDRESS PARAM_PORT PARAM_MEMBERS PARAM_SOURCE PARAM_CIDRS PARAM_SEMI_SYNC PARAM_USER PARAM_DATABASES \
        SECRET_ADMIN_PASSWORD SECRET_REPLICATION_PASSWORD SECRET_PASSWORD
    REASONS='' OUTAGE=
    database_detect
    members_parse
    WANTED=$(address_of "$PARAM_SOURCE")
    identify
    judge
    refuse_second_source
    switch_over
    reopen
    accounts
    attach_all
    release_leaving
    schedule_events
    semi_sync
    restart_marked
    verify
    complete_tables
    compare_when_asked
    ((${#BROKEN[@]} == 0)) ||
        die "replicas that can't be mended where they are: name each in rebuild, and the next update copies the source's data to it" "$REASONS"
    for address in $(replicas); do
        list+=("$(server_name "$address")")
    done
    version=$(sql "$CURRENT" 'SELECT VERSION()')
    finish source="$PARAM_SOURCE" replicas:="$(json_list ${list[@]+"${list[@]}"})" version="$version" ${OUTAGE:+outageMs:="$OUTAGE"}
}

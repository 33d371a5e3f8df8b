#!/usr/bin/env bats
# mysql/node, mysql/seed and mysql/replication against real servers on loopback, over TLS: MariaDB's, or MySQL's where that is installed.

bats_require_minimum_version 1.5.0
load helper
load database

setup_file() {
    [[ -x $server ]] || skip "neither mariadb-server nor mysql-server is installed"
    [[ $(id -u) == 0 ]] || skip "root's login through the socket needs root"
    database_hosts 1 2 3 4
}

teardown_file() {
    [[ ! -d $BATS_FILE_TMPDIR/hosts ]] || database_hosts_end
}

setup() {
    settings=() previous=''
}

# attempt COMMAND…: must succeed.
attempt() {
    run --separate-stderr "$@"
    printf '%s\n' "$stderr" "$output"
    [[ $status == 0 ]]
}

@test "makes one source and a replica out of two new servers, unless there were others before" {
    for number in 1 2; do
        attempt node "$number"
        [[ $(field changed) == *"server taken over"* ]]
        attempt seed "$number" false 1 2
        [[ $(field changed) == "[]" ]]
    done
    STEP_EVENT=update run --separate-stderr replicate 1 1 2
    echo "$stderr"
    [[ $status != 0 && $stderr == *"the data is on the machines of before: put those back"*'--replace "**::test"'* && $(executed 1) == "" ]]
    attempt replicate 1 1 2
    [[ $(field source) == '"db-1"' && $(field replicas) == '["db-2"]' && $output != *notes* ]]
    app 1 "CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT, v TEXT); INSERT INTO app.t (v) VALUES ('one')"
    holds 2 "SELECT v FROM app.t" one
}

@test "a second run changes nothing" {
    for number in 1 2; do
        attempt node "$number"
        [[ $(field changed) == "[]" ]]
        attempt seed "$number" false 1 2
        [[ $(field changed) == "[]" ]]
    done
    attempt replicate 1 1 2
    [[ $(field changed) == "[]" ]]
}

@test "keeps what was committed, and waits for a replica before it says so" {
    local as
    as=$(mine master source)
    [[ $(query 1 "SELECT @@sync_binlog, @@innodb_flush_log_at_trx_commit, @@binlog_format, @@rpl_semi_sync_${as}_enabled, @@rpl_semi_sync_${as}_wait_point") == $'1\t1\tROW\t1\tAFTER_SYNC' ]]
    [[ $(query 2 "SELECT @@read_only, @@rpl_semi_sync_${as}_enabled, @@$(mine slave replica)_net_timeout") == $'1\t0\t4' ]]
    [[ $(query 1 "SHOW STATUS LIKE 'Rpl_semi_sync_${as}_clients'") == *1 ]]
    [[ $(query 1 "SELECT @@server_id") != "$(query 2 "SELECT @@server_id")" ]]
}

@test "lets in those who should be let in, encrypted, and nobody else" {
    run app 2 "INSERT INTO app.t (v) VALUES ('two')"
    [[ $status != 0 && $output == *"read-only"* ]]
    run app 1 "CREATE TABLE mysql.t (id INT)"
    [[ $status != 0 && $output == *denied* ]]
    secret=wrong run app 1 "SELECT 1"
    [[ $status != 0 && $output == *denied* ]]
    run login 1 app "$password" "SELECT 1" "$(mine --skip-ssl --ssl-mode=DISABLED)"
    [[ $status != 0 ]]
    # Without a certificate of the servers' own.
    run login 1 multihost_admin "$admin" "SELECT 1" "$(mine --ssl --ssl-mode=REQUIRED)"
    [[ $status != 0 ]]
    [[ $(query 1 "SELECT COUNT(*) FROM mysql.user WHERE user = '' OR (user = 'root' AND host <> 'localhost')") == 0 ]]
    [[ $(query 1 "SHOW DATABASES LIKE 'test'") == "" ]]
    # An underscore in a grant would cover other databases, too.
    query 1 "CREATE DATABASE otherXdata"
    run app 1 "USE otherXdata"
    [[ $status != 0 ]]
    app 1 "USE other_data"
}

@test "lets the application make functions and triggers in its databases" {
    app 1 "USE app; CREATE TABLE made (id INT PRIMARY KEY AUTO_INCREMENT, v INT); CREATE FUNCTION one() RETURNS INT RETURN FLOOR(1 + RAND() / 2);
        CREATE TRIGGER made_one BEFORE INSERT ON made FOR EACH ROW SET NEW.v = one(); INSERT INTO made (id) VALUES (1)"
    holds 2 "SELECT v FROM app.made" 1
    app 1 "USE app; DROP TABLE made; DROP FUNCTION one"
}

@test "shows no secret in the list of processes, in the log or in a file that others may read" {
    [[ -s $hosts/argv ]]
    run ! grep -qF -e "$password" -e "$admin" -e replication-password-1 -e KEY "$hosts/argv"
    run ! grep -rqF -e "$password" -e "$admin" "$hosts/1/etc" "$hosts/1/state"
    logs_hold_no "$password" "$admin" replication-password-1
}

# logs_hold_no PASSWORD…: in the servers' binary logs and relay logs, of which some may go meanwhile.
logs_hold_no() {
    cat "$hosts"/[12]/data/*bin.* "$hosts"/[12]/data/binlog.* >"$BATS_TEST_TMPDIR/logs" 2>/dev/null || true
    # The statements about accounts are there.
    grep -qaF "'app'@" "$BATS_TEST_TMPDIR/logs"
    run ! grep -qaF "${@/#/-e}" "$BATS_TEST_TMPDIR/logs"
}

@test "a third server starts with a copy of the data, not with its history" {
    thousands 1
    query 1 "FLUSH BINARY LOGS"
    query 1 "PURGE BINARY LOGS TO '$(query 1 "SHOW BINARY LOGS" | cut -f 1 | tail -n 1)'"
    attempt node 3
    attempt seed 3 false 1 2 3
    [[ $(field changed) == *"data copied from db-1"* ]]
    attempt replicate 1 1 2 3
    [[ $(field replicas) == '["db-2","db-3"]' ]]
    [[ $(query 3 "SELECT COUNT(*) FROM app.t") == 5001 ]]
    attempt seed 3 false 1 2 3
    [[ $(field changed) == "[]" ]]
}

# A client that counts the writes that were acknowledged, on whichever server takes them.
writer_start() {
    (
        n=0
        while [[ ! -e $hosts/stop ]]; do
            for number in 1 2 3; do
                if app "$number" "INSERT INTO app.w VALUES ($((n + 1)))" >/dev/null; then
                    n=$((n + 1))
                    printf '%s\n' "$n" >"$hosts/count"
                    break
                fi
            done
        done
    ) </dev/null 3>&- 4>&- &
    writer=$!
}

@test "switches to another source under a writing client without losing a row, and back" {
    app 1 "CREATE TABLE app.w (id INT PRIMARY KEY)"
    writer_start
    attempt replicate 3 1 2 3
    [[ $(field source) == '"db-3"' && $(field replicas) == '["db-1","db-2"]' && $(field changed) == *"db-3 is the source instead of db-1"* ]]
    (($(field outageMs) < 10000))
    attempt replicate 3 1 2 3
    [[ $(field changed) == "[]" ]]
    attempt replicate 1 1 2 3
    touch "$hosts/stop"
    wait "$writer"
    rm "$hosts/stop"
    (($(<"$hosts/count") > 10))
    attempt replicate 1 1 2 3
    for number in 1 2 3; do
        [[ $(query "$number" "SELECT COUNT(*) FROM app.w") -ge $(<"$hosts/count") ]]
        [[ $(query "$number" "SELECT COUNT(*) FROM app.w WHERE id <= $(<"$hosts/count")") == $(<"$hosts/count") ]]
    done
}

@test "every server knows its role after a start" {
    for number in 1 2; do
        on "$number" "$hosts/bin/systemctl" restart "$engine.service"
    done
    attempt replicate 1 1 2 3
    [[ $(query 1 "SELECT @@read_only, @@rpl_semi_sync_$(mine master source)_enabled") == $'0\t1' ]]
    [[ $(query 2 "SELECT @@read_only, @@rpl_semi_sync_$(mine master source)_enabled") == $'1\t0' ]]
}

@test "lets a replica go in the run that switches the source, and takes it back" {
    attempt replicate 2 1 2
    [[ $(field changed) == *"127.0.42.3 left"* && $(field replicas) == '["db-1"]' ]]
    [[ $(query 3 "SHOW $(mine SLAVE REPLICA) STATUS") == "" && $(query 3 "SELECT @@read_only") == 1 ]]
    attempt replicate 2 1 2
    [[ $(field changed) == "[]" ]]
    attempt replicate 1 1 2 3
    [[ $(field replicas) == '["db-2","db-3"]' ]]
    app 1 "INSERT INTO app.t (v) VALUES ('back')"
    attempt replicate 1 1 2 3
    [[ $(query 3 "SELECT COUNT(*) FROM app.t WHERE v = 'back'") == 1 ]]
}

@test "takes a new password without refusing the old one, until that is left out" {
    old=$password
    password=another-horse-battery-2 previous=$old
    attempt replicate 1 1 2 3
    [[ $(field changed) == '["account app"]' ]]
    [[ $(app 1 "SELECT 1") == 1 && $(secret=$old app 1 "SELECT 1") == 1 ]]
    app 1 "SELECT COUNT(*) FROM app.t"
    attempt replicate 1 1 2 3
    [[ $(field changed) == "[]" ]]
    previous=''
    attempt replicate 1 1 2 3
    [[ $(field changed) == '["account app"]' ]]
    secret=$old run app 1 "SELECT 1"
    [[ $status != 0 ]]
    [[ $(app 1 "SELECT 1") == 1 ]]
    logs_hold_no "$password" "$old"
    password=$old
    attempt replicate 1 1 2 3
}

# app_hosts: the application's accounts, and those of them that are locked.
app_hosts() {
    query 1 "SELECT GROUP_CONCAT(host ORDER BY host SEPARATOR ' ') FROM mysql.user WHERE user = 'app'"
    query 1 "$(mine "SELECT host FROM mysql.global_priv WHERE user = 'app' AND JSON_VALUE(priv, '\$.account_locked') = 1" "SELECT host FROM mysql.user WHERE user = 'app' AND account_locked = 'Y'")"
}

@test "keeps an account that views and triggers run as when clients come from elsewhere" {
    local whole=127.0.0.0/255.0.0.0 half=127.0.0.0/255.128.0.0
    app 1 "USE app; CREATE TABLE counted (id INT); CREATE TRIGGER counts BEFORE INSERT ON counted FOR EACH ROW SET NEW.id = NEW.id + 1; CREATE VIEW seen AS SELECT id FROM counted"
    settings=(CIDRS=127.0.0.0/9)
    attempt replicate 1 1 2 3
    [[ $output == *"the account 'app'@'$whole' is locked and not dropped: views, triggers, routines or events run as it"* && $output != *"multihost_replication'@"* ]]
    [[ $(app_hosts) == "$whole $half"$'\n'"$whole" && $(app 1 "INSERT INTO app.counted VALUES (1); SELECT id FROM app.seen") == 2 ]]
    attempt replicate 1 1 2 3
    [[ $(field changed) == "[]" ]]
    # Of the two, the server prefers the smaller range, which has to stay open.
    app 1 "USE app; DROP VIEW seen; CREATE VIEW seen AS SELECT id FROM counted"
    settings=()
    attempt replicate 1 1 2 3
    [[ $(app_hosts) == "$whole $half" && $(app 1 "INSERT INTO app.counted VALUES (2); SELECT MAX(id) FROM app.seen") == 3 ]]
    attempt replicate 1 1 2 3
    [[ $(field changed) == "[]" ]]
    app 1 "DROP VIEW app.seen; DROP TABLE app.counted"
    settings=(CIDRS=127.0.0.0/9)
    attempt replicate 1 1 2 3
    [[ $(app_hosts) == "$half" ]]
    settings=()
    attempt replicate 1 1 2 3
    [[ $(app_hosts) == "$whole" ]]
}

# replication_accepted PASSWORD: with a certificate, which a password alone doesn't replace.
replication_accepted() {
    [[ $(login 1 multihost_replication "$1" "SELECT 1" --ssl-cert="$hosts/1/etc/multihost/server.crt" --ssl-key="$hosts/1/etc/multihost/server.key") == 1 ]]
}

@test "the servers' own password changes in three runs, and the former is worth nothing afterwards" {
    local former=replication-password-1 next=replication-password-2
    other=$next attempt replicate 1 1 2 3
    [[ $(field changed) == *"account multihost_replication"* && $(field changed) != *replicates* ]]
    replication_accepted "$former"
    replication_accepted "$next"
    replication=$next other=$former attempt replicate 1 1 2 3
    [[ $(field changed) == *"db-2 replicates db-1"* && $(field changed) != *account* ]]
    replication=$next attempt replicate 1 1 2 3
    [[ $(field changed) == *"account multihost_replication"* ]]
    run ! replication_accepted "$former"
    replication_accepted "$next"
    app 1 "INSERT INTO app.t (v) VALUES ('renewed')"
    for number in 2 3; do
        query "$number" "$(mine 'STOP SLAVE; START SLAVE' 'STOP REPLICA; START REPLICA')"
        holds "$number" "SELECT COUNT(*) FROM app.t WHERE v = 'renewed'" 1
    done
    # Back, for what comes after.
    replication=$next other=$former attempt replicate 1 1 2 3
    replication=$former other=$next attempt replicate 1 1 2 3
    attempt replicate 1 1 2 3
    attempt replicate 1 1 2 3
    [[ $(field changed) == "[]" ]]
}

@test "finds a replica that was written to, and rebuilds it once when asked" {
    query 2 "SET GLOBAL read_only = 0; CREATE DATABASE astray; SET GLOBAL $(mine read_only super_read_only) = 1"
    run --separate-stderr replicate 1 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"db-2: it has executed"*"which the source has not"* && $stderr == *"name each in rebuild"* ]]
    attempt seed 2 true 1 2 3
    [[ $(field changed) == *"data copied from db-1"* ]]
    attempt replicate 1 1 2 3
    [[ $(query 2 "SHOW DATABASES LIKE 'astray'") == "" ]]
    attempt seed 2 true 1 2 3
    [[ $(field changed) == "[]" ]]
    attempt seed 2 false 1 2 3
}

@test "finds a replica that skipped a transaction when all rows are compared" {
    settings=(VERIFY=first)
    attempt replicate 1 1 2 3
    skip_transaction 3 1 "INSERT INTO app.t (v) VALUES ('skipped')"
    app 1 "INSERT INTO app.t (v) VALUES ('not skipped')"
    attempt replicate 1 1 2 3
    settings=(VERIFY=second)
    run --separate-stderr replicate 1 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"db-3: its rows are not the source's in app.t"* && $stderr != *"db-2:"* ]]
    attempt seed 3 true 1 2 3
    attempt replicate 1 1 2 3
    attempt replicate 1 1 2 3
    [[ $(field changed) == "[]" ]]
    attempt seed 3 false 1 2 3
}

@test "compares tables in ranges of any primary key, and leaves out what would hold up writers" {
    local as=(words_utf8 words_latin bytes days pairs)
    app 1 "USE app; SET SESSION $(mine max_recursive_iterations cte_max_recursion_depth) = 10000;
        CREATE TABLE words_utf8 (k VARCHAR(40) PRIMARY KEY, v INT) CHARSET utf8mb4; CREATE TABLE words_latin (k CHAR(40) PRIMARY KEY, v INT) CHARSET latin1;
        CREATE TABLE bytes (k BINARY(16) PRIMARY KEY, v INT); CREATE TABLE days (k DATETIME PRIMARY KEY, v INT);
        CREATE TABLE pairs (k INT, n INT, v INT, PRIMARY KEY (k, n)); CREATE TABLE one_tenant LIKE pairs; CREATE TABLE heap (v INT);
        CREATE TEMPORARY TABLE n WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i FROM n;
        INSERT INTO words_utf8 SELECT CONCAT('it''s \\\\ é', i), i FROM n; INSERT INTO words_latin SELECT CONCAT('é', i), i FROM n;
        INSERT INTO bytes SELECT UNHEX(MD5(i)), i FROM n; INSERT INTO days SELECT '2026-01-01' + INTERVAL i HOUR, i FROM n;
        INSERT INTO pairs SELECT i DIV 100, i, i FROM n; INSERT INTO one_tenant SELECT 1, i, i FROM n; INSERT INTO heap SELECT i FROM n"
    settings=(VERIFY=ranges)
    RANGE_ROWS=700 RANGE_LIMIT=2000 attempt replicate 1 1 2 3
    [[ $output == *"having no primary key that cuts them into small ranges: app.heap,app.one_tenant"* ]]
    for table in "${as[@]}"; do
        [[ $(query 1 "SELECT COUNT(*) > 3, SUM(row_count), MAX(row_count) < 900 FROM multihost.checksums WHERE table_name = '$table'") == $'1\t3000\t1' ]]
    done
    for table in "${as[@]}"; do
        query 3 "$(mine '' 'SET GLOBAL super_read_only = 0;') SET SESSION sql_log_bin = 0; UPDATE app.$table SET v = 0 WHERE v = 1234"
    done
    settings=(VERIFY=astray)
    RANGE_ROWS=700 run --separate-stderr replicate 1 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"db-3: its rows are not the source's in app.bytes app.days app.pairs app.words_latin app.words_utf8"* ]]
    app 1 "USE app; DROP TABLE words_utf8, words_latin, bytes, days, pairs, one_tenant, heap"
    attempt replicate 1 1 2 3
}

# busy NUMBER TABLE: a replica stays at work on the next change of a table, until it is freed.
busy() {
    query "$1" "LOCK TABLES $2 READ; SELECT SLEEP(600)" >/dev/null 2>&1 3>&- 4>&- &
    holds "$1" "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'" 1
}

free() {
    query "$1" "$(query "$1" "SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")"
}

@test "does not take a replica that is at work on something long for one that can't be mended" {
    busy 3 app.t
    app 1 "ALTER TABLE app.t COMMENT = 'long'"
    STALL_SECONDS=3 run --separate-stderr replicate 1 1 2 3
    free 3
    printf '%s\n' "$stderr" "$output"
    [[ $status == 0 && $output == *"db-3 follows, but is behind: it has been at work on one change for more than 3 s"* && $output != *"db-2 follows, but"* ]]
    settings=(VERIFY=before-long)
    attempt replicate 1 1 2 3
    [[ $output != *behind* ]]

    settings=(VERIFY=long)
    busy 3 multihost.checksums
    STALL_SECONDS=2 SEED_SECONDS=4 run --separate-stderr replicate 1 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"verify: db-3 can't be compared yet, being behind: run the update again"* ]]
    (
        sleep 8
        free 3
    ) 3>&- 4>&- &
    STALL_SECONDS=2 attempt replicate 1 1 2 3
    wait
}

@test "switches over to a replica that was stopped, and says at once why one can't follow" {
    query 2 "$(mine 'STOP SLAVE' 'STOP REPLICA')"
    app 1 "INSERT INTO app.t (v) VALUES ('meanwhile')"
    attempt replicate 2 1 2 3
    [[ $(field changed) == *"db-2 was started again"*"db-2 is the source instead of db-1"* ]]
    attempt replicate 1 1 2 3
    app 1 "CREATE TABLE app.half (id INT)"
    holds 2 "SELECT COUNT(*) FROM app.half" 0
    query 2 "$(mine '' 'SET GLOBAL super_read_only = 0;') SET SESSION sql_log_bin = 0; DROP TABLE app.half"
    app 1 "INSERT INTO app.half VALUES (1)"
    SECONDS=0
    run --separate-stderr replicate 2 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"source: db-2 does not follow db-1, so it can't take over: nothing was changed"*"$(mine app.half "failed executing transaction")"* ]]
    ((SECONDS < 120)) && [[ $(query 1 "SELECT @@read_only") == 0 ]]
    query 2 "$(mine '' 'SET GLOBAL super_read_only = 0;') SET SESSION sql_log_bin = 0; CREATE TABLE app.half (id INT)"
    app 1 "DROP TABLE app.half"
    attempt replicate 1 1 2 3
}

# schedule NUMBER: state and definer of the application's events there.
schedule() {
    query "$1" "SELECT event_name, REPLACE(status, 'REPLICA_SIDE', 'SLAVESIDE'), definer LIKE 'app@%' FROM information_schema.events WHERE event_schema = 'app' ORDER BY 1" | tr '\n\t' '; '
}

@test "the application's events run where the source is, and as whom they ran" {
    local here='ticks ENABLED 1;waits DISABLED 1;' there='ticks SLAVESIDE_DISABLED 1;waits SLAVESIDE_DISABLED 1;'
    app 1 "USE app; CREATE EVENT ticks ON SCHEDULE EVERY 1 HOUR DO DO 1; CREATE EVENT waits ON SCHEDULE EVERY 1 HOUR DISABLE DO DO 1"
    attempt replicate 1 1 2 3
    [[ $(field changed) == "[]" && $(schedule 1) == "$here" ]]
    attempt replicate 2 1 2 3
    [[ $(field changed) == *"db-2 runs the events app.ticks"* && $(schedule 2) == "$here" ]]
    attempt replicate 2 1 2 3
    [[ $(field changed) == "[]" && $(schedule 1) == "$there" ]]
    # A copy has what the source has, and leaves it to that.
    attempt seed 3 true 1 2 3
    [[ $(schedule 3) == "$here" ]]
    attempt replicate 2 1 2 3
    [[ $(field changed) == *"db-3 leaves the events app.ticks to the source"* && $(schedule 3) == 'ticks SLAVESIDE_DISABLED 1;waits DISABLED 1;' ]]
    attempt replicate 3 1 2 3
    [[ $(schedule 3) == "$here" ]]
    attempt replicate 1 1 2 3
    [[ $(schedule 1) == "$here" ]]
    app 1 "USE app; DROP EVENT ticks; DROP EVENT waits"
    attempt replicate 1 1 2 3
    [[ $(field changed) == "[]" ]]
    attempt seed 3 false 1 2 3
}

@test "finds a replica whose data is gone, and rebuilds it when asked" {
    on 2 "$hosts/bin/systemctl" stop "$engine.service"
    rm -rf "$hosts/2/data"
    run --separate-stderr replicate 1 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"db-2: the server doesn't answer on 127.0.42.2:$port"* ]]
    attempt seed 2 true 1 2 3
    attempt replicate 1 1 2 3
    [[ $(query 2 "SELECT COUNT(*) FROM app.t") == $(query 1 "SELECT COUNT(*) FROM app.t") ]]
}

@test "goes on after a copy that was cut off" {
    rm -f "$hosts/3/state/rebuilt"
    # What a copy travels through.
    touch "$hosts/no-backup"
    replication=$(mine '' wrong) run --separate-stderr seed 3 true 1 2 3
    rm "$hosts/no-backup"
    echo "$stderr"
    [[ $status != 0 && $stderr == *"$(mine "the backup stream of db-1 ended early" "db-1 can't be cloned")"* ]]
    attempt node 3
    attempt seed 3 false 1 2 3
    [[ $(field changed) == *"data copied from db-1"* ]]
    attempt replicate 1 1 2 3
}

@test "does not take a source's data for a copy that was cut off" {
    touch "$hosts/1/state/seeding" "$hosts/2/state/seeding"
    attempt seed 1 false 1 2 3
    [[ $(field changed) == "[]" && ! -e $hosts/1/state/seeding && -e $hosts/2/state/seeding ]]
    rm "$hosts/2/state/seeding"
}

@test "stops waiting for replicas when told to, and waits again, without a restart" {
    local number on
    for on in false true; do
        for number in 1 2 3; do
            attempt node "$number" SEMI_SYNC="$on"
        done
        settings=(SEMI_SYNC="$on")
        attempt replicate 1 1 2 3
        [[ $(field changed) == *"db-2 "*"db-1 "*"for a replica"* && $(field changed) != *restarted* ]]
        attempt replicate 1 1 2 3
        [[ $(field changed) == "[]" ]]
        app 1 "INSERT INTO app.t (v) VALUES ('semi-sync $on')"
    done
    [[ $(query 1 "SHOW STATUS LIKE 'Rpl_semi_sync_$(mine master source)_clients'") == *2 ]]
}

@test "restarts for what a running server can't take over, replicas first" {
    for number in 1 2 3; do
        attempt node "$number" BINLOG_DO_DB="app other_data"
        [[ $(query "$number" "SELECT @@general_log_file LIKE CONCAT('%', @@report_user, '%')") == 0 ]]
    done
    settings=(BINLOG_DO_DB="app other_data")
    attempt replicate 1 1 2 3
    [[ $(field changed) == '["db-2 restarted","db-3 restarted","db-1 restarted"]' ]]
    query 1 "CREATE DATABASE local_only; USE local_only; CREATE TABLE t (id INT)"
    app 1 "INSERT INTO app.t (v) VALUES ('filtered')"
    attempt replicate 1 1 2 3
    [[ $(field changed) == "[]" ]]
    [[ $(query 2 "SELECT COUNT(*) FROM app.t WHERE v = 'filtered'") == 1 && $(query 2 "SHOW DATABASES LIKE 'local_only'") == "" ]]
}

@test "finds replicas that lack what comes into the binary log with its data, and hands over to none without it" {
    query 1 "INSERT INTO local_only.t VALUES (1)"
    settings=(BINLOG_DO_DB="app other_data" DATABASES="app other_data local_only")
    run --separate-stderr replicate 2 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"source: local_only is not in binlogDoDb, so db-2 has not what db-1 has in it"* && $(query 1 "SELECT @@read_only") == 0 ]]
    settings=(BINLOG_DO_DB="app other_data local_only" DATABASES="app other_data local_only")
    run --separate-stderr replicate 2 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"source: db-2 lacks tables of local_only that db-1 has: name it in rebuild first"* && $(query 1 "SELECT @@read_only") == 0 ]]
    for number in 1 2 3; do
        attempt node "$number" BINLOG_DO_DB="app other_data local_only"
    done
    settings=(BINLOG_DO_DB="app other_data local_only")
    run --separate-stderr replicate 1 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"db-2: it lacks tables of local_only, which the binary log holds"*"db-3: it lacks"* && $stderr == *"name each in rebuild"* ]]
    for number in 2 3; do
        rm -f "$hosts/$number/state/rebuilt"
        attempt seed "$number" true 1 2 3
    done
    attempt replicate 1 1 2 3
    query 1 "USE local_only; UPDATE t SET id = 2"
    holds 2 "SELECT id FROM local_only.t" 2
    for number in 2 3; do
        attempt seed "$number" false 1 2 3
    done
}

# examine MEMBER…: what the doctor says of them as a whole.
examine() {
    run --separate-stderr on 1 doctor mysql/replication ENGINE="$engine" ADDRESS=127.0.42.1 PORT="$port" MEMBERS="$(members "$@")" SOURCE=db-1 SEMI_SYNC=true \
        USER=app DATABASES="app other_data" -- ADMIN_PASSWORD="$admin" PASSWORD="${secret:-$password}"
    printf '%s\n' "$stderr" "$output"
    [[ $status == 0 ]]
}

@test "the doctor sees a replica that stopped, one that takes writes, a source that moved and a server that is silent" {
    examine 1 2 3
    [[ $output != *failed* && $(found source) == "ok: db-1 takes writes" && $(found replication) == "ok: 2 follow and are in step" ]]
    [[ $(found semi-sync) == "ok: "* && $(found account) == "ok: app logs in to db-1 and may use app" ]]
    secret=wrong-horse examine 1 2 3
    [[ $(found account) == "failed: app can't use app on db-1: "*denied* && $output != *wrong-horse* ]]

    query 3 "$(mine 'STOP SLAVE' 'STOP REPLICA')"
    examine 1 2 3
    [[ $(found replication) == "failed: db-3: does not follow db-1: run \`pulumi up --target-replace "*"and name it in rebuild"* ]]
    query 3 "$(mine 'START SLAVE' 'START REPLICA')"

    query 2 "SET GLOBAL read_only = 0"
    examine 1 2 3
    [[ $(found source) == "failed: "*"both take writes"* ]]
    query 2 "SET GLOBAL read_only = 1"

    query 1 "SET GLOBAL read_only = 1"
    examine 1 2 3
    [[ $(found source) == "failed: db-1 takes no writes: run \`pulumi up --target-replace \"**::its-step\"\`" ]]
    query 1 "SET GLOBAL read_only = 0"

    examine 1 2 3 4
    [[ $(found members) == "failed: db-4: no answer: "* && $(found source) == "ok: "* ]]
    [[ $output != *"$admin"* && $stderr != *"$admin"* ]]
}

# hand_over_half FROM TO: what a switchover does until the new source would stop following.
hand_over_half() {
    query "$1" "SET GLOBAL read_only = 1; UPDATE multihost.topology SET source = $((127 << 24 | 42 << 8 | $2))"
    holds "$2" "SELECT source FROM multihost.topology" "$((127 << 24 | 42 << 8 | $2))"
}

@test "opens a source again that a switchover froze before it was cut off" {
    hand_over_half 1 2
    attempt replicate 1 1 2 3
    [[ $(field changed) == '["db-1 takes writes again"]' && $(query 1 "SELECT @@read_only") == 0 ]]
    holds 2 "SELECT source FROM multihost.topology" "$((127 << 24 | 42 << 8 | 1))"
    attempt replicate 1 1 2 3
    [[ $(field changed) == "[]" ]]
}

@test "names a source that was opened by hand, so that a start leaves the roles as they are" {
    local position
    position=$(mine @@global.gtid_binlog_pos @@global.gtid_executed)
    query 1 "SET GLOBAL read_only = 1"
    holds 2 "SELECT $position" "$(query 1 "SELECT $position")"
    query 2 "$(mine 'STOP SLAVE; RESET SLAVE ALL' 'STOP REPLICA; RESET REPLICA ALL'); SET GLOBAL read_only = 0"
    attempt replicate 2 1 2 3
    [[ $(field source) == '"db-2"' && $(field changed) == *"db-2 is named as the source"* ]]
    for number in 1 2 3; do
        holds "$number" "SELECT source FROM multihost.topology" "$((127 << 24 | 42 << 8 | 2))"
    done
    for number in 1 2; do
        on "$number" "$hosts/bin/systemctl" restart "$engine.service"
    done
    holds 1 "SELECT @@read_only" 1
    holds 2 "SELECT @@read_only" 0
    attempt replicate 2 1 2 3
    [[ $(field changed) == "[]" ]]
    attempt replicate 1 1 2 3
}

@test "lets a source that opened itself at its start follow nobody any more" {
    hand_over_half 1 2
    on 2 "$hosts/bin/systemctl" restart "$engine.service"
    holds 2 "SELECT @@read_only" 0
    attempt replicate 2 1 2 3
    [[ $(field source) == '"db-2"' && $(field changed) == *"db-2 no longer replicates db-1"* ]]
    [[ $(query 2 "SHOW $(mine SLAVE REPLICA) STATUS") == "" ]]
    attempt replicate 2 1 2 3
    [[ $(field changed) == "[]" ]]
    attempt replicate 1 1 2 3
}

@test "does not open it while the server that it was frozen for is silent" {
    hand_over_half 1 2
    on 2 "$hosts/bin/systemctl" stop "$engine.service"
    run --separate-stderr replicate 1 1 2 3
    on 2 "$hosts/bin/systemctl" start "$engine.service"
    echo "$stderr"
    [[ $status != 0 && $stderr == *"db-1 was made read-only for db-2, which may have taken writes since: start it, or take its host out"* ]]
    [[ $(query 1 "SELECT @@read_only") == 1 ]]
}

@test "goes by what all servers name when nobody takes writes and nobody follows" {
    for number in 1 2 3; do
        query "$number" "SET GLOBAL read_only = 1; $(mine 'STOP SLAVE; RESET SLAVE ALL' 'STOP REPLICA; RESET REPLICA ALL')"
    done
    attempt replicate 2 1 2 3
    [[ $(field source) == '"db-2"' && $(field changed) == *"db-2 takes writes again"* && $(field replicas) == '["db-1","db-3"]' ]]
    attempt replicate 1 1 2 3
    for number in 1 2 3; do
        query "$number" "SET GLOBAL read_only = 1; $(mine 'STOP SLAVE; RESET SLAVE ALL' 'STOP REPLICA; RESET REPLICA ALL')"
    done
    # MySQL's replicas are closed even to root.
    open=$(mine '' 'SET GLOBAL super_read_only = 0;')
    query 3 "$open SET SESSION sql_log_bin = 0; UPDATE multihost.topology SET source = 1"
    run --separate-stderr replicate 1 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"nobody can tell which is the source"* ]]
    query 3 "$open SET SESSION sql_log_bin = 0; UPDATE multihost.topology SET source = $((127 << 24 | 42 << 8 | 1))"
    attempt replicate 1 1 2 3
}

@test "promotes nobody while the source of before was only silent for a moment" {
    on 1 "$hosts/bin/systemctl" stop "$engine.service"
    (
        sleep 3
        on 1 "$hosts/bin/systemctl" start "$engine.service"
    ) 3>&- 4>&- &
    ANSWER_SECONDS=60 run --separate-stderr replicate 2 2 3
    echo "$stderr" "$output"
    wait
    [[ $status == 0 && $(field changed) == *"db-2 is the source instead of 127.0.42.1"* ]]
    attempt replicate 2 1 2 3
    attempt replicate 1 1 2 3
}

@test "executes what was received from a source that is gone before another takes over" {
    attempt replicate 1 1 2
    query 2 "STOP $(mine SLAVE REPLICA) SQL_THREAD"
    app 1 "INSERT INTO app.t (v) VALUES ('received')"
    on 1 "$hosts/bin/systemctl" stop "$engine.service"
    run --separate-stderr replicate 2 2
    echo "$stderr"
    [[ $status != 0 && $stderr == *"db-2 has received what it does not execute: mend that there and say 'START $(mine SLAVE REPLICA) SQL_THREAD;'"* ]]
    [[ $(query 2 "SELECT @@read_only") == 1 ]]
    # It executes again, and something holds it up.
    query 2 "FLUSH TABLES app.t WITH READ LOCK; SELECT SLEEP(6)" 3>&- 4>&- &
    sleep 1
    query 2 "START $(mine SLAVE REPLICA) SQL_THREAD"
    attempt replicate 2 2
    wait
    [[ $(field source) == '"db-2"' && $(query 2 "SELECT COUNT(*) FROM app.t WHERE v = 'received'") == 1 ]]
    # It would take itself for the source.
    on 1 "$hosts/bin/systemctl" start "$engine.service"
    holds 1 "SET GLOBAL read_only = 1; SELECT 1" 1
    attempt replicate 2 1 2 3
    attempt replicate 1 1 2 3
}

@test "takes over from a source that is gone when its host was taken out" {
    on 1 "$hosts/bin/systemctl" stop "$engine.service"
    run --separate-stderr replicate 2 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"the source db-1 doesn't answer"* ]]
    on 3 "$hosts/bin/systemctl" stop "$engine.service"
    run --separate-stderr replicate 2 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"db-3, which doesn't answer, may have what db-2 lacks: start it, or take its host out"* ]]
    [[ $(query 2 "SELECT @@read_only") == 1 ]]
    on 3 "$hosts/bin/systemctl" start "$engine.service"
    # With a server that is new, and whose history from the beginning nobody has any more.
    holds 3 "SELECT 1" 1
    query 2 "FLUSH BINARY LOGS"
    query 2 "PURGE BINARY LOGS TO '$(query 2 "SHOW BINARY LOGS" | cut -f 1 | tail -n 1)'"
    attempt node 4
    local wanted=2
    attempt seed 4 false 2 3 4
    [[ $(field changed) == "[]" ]]
    attempt seed 2 false 2 3 4
    [[ $(field changed) == '["db-2 is the source: the one before is gone","db-3 replicates db-2"]' ]]
    app 2 "INSERT INTO app.t (v) VALUES ('after')"
    holds 3 "SELECT COUNT(*) FROM app.t WHERE v = 'after'" 1
    attempt seed 4 false 2 3 4
    [[ $(field changed) == *"data copied from db-2"* ]]
    attempt replicate 2 2 3 4
    [[ $(field source) == '"db-2"' && $(field replicas) == '["db-3","db-4"]' && $(query 4 "SELECT COUNT(*) FROM app.t WHERE v = 'after'") == 1 ]]
    attempt seed 2 false 2 3 4
    [[ $(field changed) == "[]" ]]
    attempt replicate 2 2 3 4
    [[ $(field changed) == "[]" ]]
    attempt replicate 2 2 3
    on 4 "$hosts/bin/systemctl" stop "$engine.service"
}

@test "does not begin anew while servers are silent that may hold the data" {
    rm -rf "$hosts/1/data" "$hosts/1/state"
    attempt node 1
    for number in 2 3; do
        on "$number" "$hosts/bin/systemctl" stop "$engine.service"
    done
    run --separate-stderr replicate 1 1 2 3
    echo "$stderr"
    [[ $status != 0 && $stderr == *"can't be asked, and no other server says which is the source"* ]]
    [[ $(query 1 "SELECT @@read_only") == 1 && $(executed 1) == "" ]]
    for number in 2 3; do
        on "$number" "$hosts/bin/systemctl" start "$engine.service"
    done
}

@test "leaves somebody's tables in the database test where they are" {
    # A new server, whatever was there before.
    on 4 "$hosts/bin/systemctl" stop "$engine.service"
    rm -rf "$hosts"/4/{data,state}
    attempt node 4
    rm "$hosts/4/etc/zz.cnf"
    query 4 "$(mine '' 'SET GLOBAL super_read_only = 0;') DROP DATABASE multihost; CREATE DATABASE test; CREATE TABLE test.theirs (id INT)"
    run --separate-stderr node 4
    echo "$stderr"
    [[ $status != 0 && $stderr == *"this host's server holds test, which is not of this component's making"* && ! -e $hosts/4/etc/zz.cnf ]]
    [[ $(query 4 "SHOW TABLES FROM test") == theirs ]]
    on 4 "$hosts/bin/systemctl" stop "$engine.service"
    run --separate-stderr node 4
    [[ $status != 0 && $stderr == *"this host's server holds test, which is not of this component's making"* && ! -e $hosts/4/etc/zz.cnf ]]
}

@test "refuses what can't be right, naming script and line" {
    run --separate-stderr node 2 PORT=27307
    [[ $status != 0 && $stderr == *"mysql/node.sh:"*"port: this host's server listens on $port and can't move to 27307"* ]]
    run --separate-stderr node 2 CIDRS=10.0.0.0/8
    [[ $status != 0 && $stderr == *"cidrs: none of 10.0.0.0/8 contains 127.0.42.2"* ]]
    run --separate-stderr node 2 ENGINE="$(mine mysql mariadb)"
    [[ $status != 0 && $stderr == *"engine: this host has $engine-server"* ]]
}

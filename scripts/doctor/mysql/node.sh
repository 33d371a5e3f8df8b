# shellcheck shell=bash
# One MySQL or MariaDB server: runs, answers, is done with its copy, waits for no restart.
# Parameters and secrets: those of mysql/node.

check() {
    local percent
    database_detect
    certificate certificate "$MYSQL_ETC/server.crt"
    unit_runs service "$MYSQL_UNIT" || return 0
    if [[ -e $MYSQL_SEEDING ]]; then
        fail copy "the copy of another server's data was cut off: run \`pulumi up\`, which begins it again"
        return 0
    fi
    if ! SQL_TIMEOUT=10 look "$PARAM_ADDRESS"; then
        fail answers "no answer from $PARAM_ADDRESS:$PARAM_PORT, or the password is refused: journalctl -u $MYSQL_UNIT says why"
        return 0
    fi
    ok answers "$PARAM_ADDRESS:$PARAM_PORT"
    if [[ -n ${S_PENDING[$PARAM_ADDRESS]} ]]; then
        warn restart "settings wait for a restart: \`pulumi up\` restarts server by server"
    fi
    percent=$(sql_try "$PARAM_ADDRESS" "SELECT ROUND(100 * (SELECT VARIABLE_VALUE FROM $(status_table) WHERE VARIABLE_NAME = 'Threads_connected') / @@global.max_connections)") ||
        percent=''
    if [[ -z $percent ]]; then
        fail connections "the server does not say how many there are"
    elif ((percent >= 90)); then
        fail connections "$percent % of max_connections: see who holds them with SHOW PROCESSLIST"
    else
        ok connections "$percent % of max_connections"
    fi
}

status_table() {
    if [[ $PARAM_ENGINE == mysql ]]; then printf performance_schema.global_status; else printf information_schema.GLOBAL_STATUS; fi
}

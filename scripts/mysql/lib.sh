# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the other files of a script
# What MySQL and MariaDB have in common: talking to servers, and seeing who follows whom.
#
# What differs are the functions mysql_… and mariadb_… of lib-mysql.sh and lib-mariadb.sh; `engine WHAT …` calls the one of PARAM_ENGINE.
# A server is named by its address; `local` is this host's own, as root through its socket. Statements and passwords travel on
# standard input and pipes, never in argv.

MYSQL_ETC=${MYSQL_ETC:-/etc/mysql/multihost}
MYSQL_STATE=${MYSQL_STATE:-/var/lib/multihost/mysql}
# There while the data directory is being filled from another server: what is in it is worth nothing then.
MYSQL_SEEDING=$MYSQL_STATE/seeding
# Accounts of the servers among themselves. Both need a client certificate, which only members have.
MYSQL_ADMIN=multihost_admin
MYSQL_REPLICATION=multihost_replication
# A schema of our own: `topology` names the source by its server_id. It is replicated data, so that at a start every server knows
# its role as of its own last transaction.
MYSQL_SCHEMA=multihost

engine() {
    "${PARAM_ENGINE}_$1" "${@:2}"
}

# Distribution and engine; the first thing that every script does.
database_detect() {
    os_detect
    MYSQL_SOCKET=${MYSQL_SOCKET:-$(os_pick /run/mysqld/mysqld.sock /var/lib/mysql/mysql.sock)}
    MYSQL_DATA=${PARAM_DATA_DIR:-/var/lib/mysql}
    engine names
}

# server_program NAME: the RHEL family keeps it where no PATH looks.
server_program() {
    local program=${LIBEXEC:-/usr/libexec}/$1
    if [[ -x $program ]]; then printf '%s' "$program"; else printf '%s' "$1"; fi
}

# sql_as USER PASSWORD ADDRESS [OPTION…]: runs the statements on standard input. An error message is output, too. The client would take its
# character set from the locale, which has none for the names of most tables.
sql_as() {
    local user=$1 password=$2 address=$3
    shift 3
    if [[ $address == local ]]; then
        timeout "${SQL_TIMEOUT:-60}" "$MYSQL_CLIENT" --no-defaults --socket="$MYSQL_SOCKET" --user=root --batch --skip-column-names \
            --default-character-set=utf8mb4 "$@" 2>&1
    else
        # shellcheck disable=SC2046 # several options
        timeout "${SQL_TIMEOUT:-60}" "$MYSQL_CLIENT" --defaults-file=<(printf '[client]\nuser=%s\npassword="%s"\n' "$user" "$password") \
            --host="$address" --port="$PARAM_PORT" --connect-timeout=5 --batch --skip-column-names --default-character-set=utf8mb4 $(engine tls_options) "$@" 2>&1
    fi
}

# sql_try ADDRESS STATEMENTS [OPTION…]: prints the rows, or fails without a word.
sql_try() {
    local rows
    rows=$(sql_as "$MYSQL_ADMIN" "$SECRET_ADMIN_PASSWORD" "$1" "${@:3}" <<<"$2") || return 1
    [[ -z $rows ]] || printf '%s\n' "$rows"
}

# sql ADDRESS STATEMENTS [OPTION…]: prints the rows, or ends the step.
sql() {
    local rows status=0
    rows=$(sql_as "$MYSQL_ADMIN" "$SECRET_ADMIN_PASSWORD" "$1" "${@:3}" <<<"$2") || status=$?
    # Not the statements: they may hold a password.
    ((status == 0)) || die "$(server_name "$1") refuses a statement" "${rows:-no answer within ${SQL_TIMEOUT:-60} s}"
    [[ -z $rows ]] || printf '%s\n' "$rows"
}

# sql_accepts USER PASSWORD ADDRESS
sql_accepts() {
    sql_as "$1" "$2" "$3" <<<'SELECT 1' >/dev/null
}

sql_answers() {
    sql_try "$1" 'SELECT 1' >/dev/null
}

# sql_text VALUE: a string literal.
sql_text() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

# netmask CIDR: as the host part of an account, 10.0.0.0/255.255.0.0.
netmask() {
    local bits=${1#*/} mask
    [[ $1 == */* ]] || bits=32
    mask=$(((0xffffffff << (32 - bits)) & 0xffffffff))
    printf '%s/%d.%d.%d.%d' "${1%/*}" $((mask >> 24)) $((mask >> 16 & 255)) $((mask >> 8 & 255)) $((mask & 255))
}

# address_number ADDRESS: unique within a VPC and the same as long as the host has its address, which is what a server_id must be.
address_number() {
    local a b c d
    IFS=. read -r a b c d <<<"$1"
    printf '%d' $((a << 24 | b << 16 | c << 8 | d))
}

# within CIDR ADDRESS
within() {
    local bits=${1#*/}
    [[ $1 == */* ]] || bits=32
    (($(address_number "${1%/*}") >> (32 - bits) == $(address_number "$2") >> (32 - bits)))
}

# The host parts of this component's accounts, the one that a login from ADDRESS uses last: as soon as that one is as it should be,
# all are.
account_hosts() {
    local cidr mine=''
    for cidr in $PARAM_CIDRS; do
        if within "$cidr" "$1" && [[ -z $mine || ${cidr#*/} -gt ${mine#*/} ]]; then
            mine=$cidr
        fi
    done
    [[ -n $mine ]] || die "cidrs: none of $PARAM_CIDRS contains $1, so the servers could not log in to each other"
    for cidr in $PARAM_CIDRS; do
        [[ $cidr == "$mine" ]] || printf '%s\n' "$(netmask "$cidr")"
    done
    netmask "$mine"
}

# account_run ADDRESS STATEMENTS: at the source they are replicated; a statement about `local` is for this server alone.
account_run() {
    if [[ $1 == local ]]; then
        sql local "$(engine locally "$2")"
    else
        # A filter of the binary log goes by the current schema.
        sql "$1" "USE $MYSQL_SCHEMA; $2"
    fi
}

# account_converge ADDRESS USER REQUIREMENT PASSWORD [PREVIOUS]: the account exists for all of HOSTS and no others, with these passwords
# and no others. ADDRESS is where the statements run, LOGIN where a login is tried. What runs as an account of other hosts needs it: that one
# stays, and becomes one of HOSTS when they contain its own, which the server would prefer, or is locked.
account_converge() {
    local address=$1 user=$2 requirement=$3 password=$4 previous=${5:-} existing locked wanted host stale
    existing=$(sql "$address" "SELECT host FROM mysql.user WHERE user = '$user' ORDER BY host") || exit "$REPORTED"
    locked=$(sql "$address" "$(engine locked_statement "$user")") || exit "$REPORTED"
    for host in $existing; do
        if [[ " ${HOSTS[*]} " != *" $host "* ]] && lies_within_hosts "$host" && is_definer "$address" "$user@$host"; then
            HOSTS=("$host" "${HOSTS[@]}")
        fi
    done
    wanted=$(printf '%s\n' "${HOSTS[@]}" | sort)
    stale=$(comm -23 <(sort <<<"$existing") <(printf '%s\n' "$wanted"))
    if [[ $(comm -23 <(sort <<<"$existing") <(sort <<<"$locked")) == "$wanted" ]] && sql_accepts "$user" "$password" "$LOGIN"; then
        if [[ -z $previous ]] && ! engine retains_password "$address" "$user"; then
            return 0
        fi
        if [[ -n $previous ]] && sql_accepts "$user" "$previous" "$LOGIN"; then
            return 0
        fi
    fi
    for host in $stale; do
        if ! is_definer "$address" "$user@$host"; then
            account_run "$address" "DROP USER '$user'@'$host';"
        elif ! grep -qxF "$host" <<<"$locked"; then
            account_run "$address" "$(engine account_statements "'$user'@'$host'" "$requirement" "$password" '') ALTER USER '$user'@'$host' ACCOUNT LOCK;"
            note "the account '$user'@'$host' is locked and not dropped: views, triggers, routines or events run as it"
        fi
    done
    for host in "${HOSTS[@]}"; do
        account_run "$address" "$(engine account_statements "'$user'@'$host'" "$requirement" "$password" "$previous")"
        ! grep -qxF "$host" <<<"$locked" || account_run "$address" "ALTER USER '$user'@'$host' ACCOUNT UNLOCK;"
    done
    changed "account $user"
}

# is_definer ADDRESS ACCOUNT
is_definer() {
    local account found
    account=$(sql_text "$2")
    found=$(sql "$1" "SELECT EXISTS (SELECT 1 FROM information_schema.views WHERE definer = $account)
        OR EXISTS (SELECT 1 FROM information_schema.triggers WHERE definer = $account)
        OR EXISTS (SELECT 1 FROM information_schema.routines WHERE definer = $account)
        OR EXISTS (SELECT 1 FROM information_schema.events WHERE definer = $account)") || exit "$REPORTED"
    [[ $found == 1 ]]
}

# lies_within_hosts HOST: whether its range is part of another one of HOSTS.
lies_within_hosts() {
    local host mask
    # A server's accounts may have any text there, which is no number and must not be evaluated.
    [[ $1 =~ ^[0-9.]+/[0-9.]+$ ]] || return 1
    for host in "${HOSTS[@]}"; do
        mask=$(address_number "${host#*/}")
        if (((mask & $(address_number "${1#*/}")) == mask && (mask & $(address_number "${1%/*}")) == $(address_number "${host%/*}"))); then
            return 0
        fi
    done
    return 1
}

# The servers as they are, by address.
declare -A S_NAME=() S_UP=() S_WRITABLE=() S_EXECUTED=() S_FOLLOWS=() S_IO=() S_SQL=() S_ERROR=() S_PENDING=()
MEMBERS=()

server_name() {
    if [[ $1 == local ]]; then
        printf 'the server on this host'
    else
        printf '%s' "${S_NAME[$1]:-$1}"
    fi
}

# members_parse: MEMBERS are addresses, in the order of PARAM_MEMBERS.
members_parse() {
    local item
    for item in $PARAM_MEMBERS; do
        MEMBERS+=("${item#*=}")
        S_NAME[${item#*=}]=${item%%=*}
    done
}

address_of() {
    local address
    for address in "${MEMBERS[@]}"; do
        if [[ ${S_NAME[$address]} == "$1" ]]; then
            printf '%s' "$address"
            return 0
        fi
    done
    die "$1 is not among the members"
}

# look ADDRESS: fails, with S_UP empty, when it doesn't answer.
look() {
    local address=$1 rows line pending executed
    S_UP[$address]='' S_WRITABLE[$address]='' S_EXECUTED[$address]='' S_FOLLOWS[$address]='' S_IO[$address]='' S_SQL[$address]=''
    S_ERROR[$address]='' S_PENDING[$address]=''
    # A server restarts with other settings as soon as both names of its configuration are the same again: see mysql/node.
    rows=$(sql_try "$address" "SELECT @@global.read_only, @@global.general_log_file NOT LIKE CONCAT('%', @@report_user, '%'), $(engine executed_expression)") ||
        return 1
    IFS=$'\t' read -r line pending executed <<<"$rows"
    [[ $line == 1 ]] || S_WRITABLE[$address]=yes
    [[ $pending != 1 ]] || S_PENDING[$address]=1
    S_EXECUTED[$address]=$executed
    rows=$(sql_try "$address" "$(engine status_statement)" --vertical --column-names) || return 1
    while IFS= read -r line; do
        line=${line##+([[:space:]])}
        case $line in
        Master_Host:* | Source_Host:*) S_FOLLOWS[$address]=${line#*: } ;;
        Slave_IO_Running:* | Replica_IO_Running:*) S_IO[$address]=${line#*: } ;;
        Slave_SQL_Running:* | Replica_SQL_Running:*) S_SQL[$address]=${line#*: } ;;
        Last_IO_Error:\ ?* | Last_SQL_Error:\ ?*) S_ERROR[$address]=${line#*: } ;;
        esac
    done <<<"$rows"
    S_UP[$address]=yes
}

# Looks at all members and at the servers that they follow, which may be leaving.
look_all() {
    local address
    for address in "${MEMBERS[@]}"; do
        look "$address" || true
    done
    for address in "${MEMBERS[@]}"; do
        address=${S_FOLLOWS[$address]:-}
        # Whether a source that is no member any more is gone decides who takes over: one look that fails is too little for that.
        [[ -z $address || -n ${S_UP[$address]+known} ]] || try_for "${ANSWER_SECONDS:-60}" look "$address" || true
    done
}

# find_source: sets CURRENT to the address of the source as it is now; empty when no server has any data, or when the source is gone
# for good: WHY_NONE is `fresh` or `gone` then. SOURCE_LOST says what is wrong when only somebody who knows can decide.
find_source() {
    local address writable=() followed=() with_data=() silent=()
    # shellcheck disable=SC2034 # for those who call
    CURRENT='' WHY_NONE='' SOURCE_LOST=''
    for address in "${!S_UP[@]}"; do
        if [[ -z ${S_UP[$address]} ]]; then
            silent+=("$address")
            continue
        fi
        [[ -z ${S_WRITABLE[$address]} ]] || writable+=("$address")
        [[ -z ${S_EXECUTED[$address]} ]] || with_data+=("$address")
        if [[ -n ${S_FOLLOWS[$address]} && " ${followed[*]-} " != *" ${S_FOLLOWS[$address]} "* ]]; then
            followed+=("${S_FOLLOWS[$address]}")
        fi
    done
    if ((${#writable[@]} > 1)); then
        SOURCE_LOST="$(names "${writable[@]}") both take writes: make the one that is not the source read-only (SET GLOBAL read_only = 1) and look at what was written to it"
    elif ((${#writable[@]} == 1)); then
        CURRENT=${writable[0]}
    elif ((${#followed[@]} == 0 && ${#silent[@]} > 0)); then
        # To begin anew, or with what is left, could leave the real data behind.
        SOURCE_LOST="$(names "${silent[@]}") can't be asked, and no other server says which is the source: start what is silent, or take its host out"
    elif ((${#with_data[@]} == 0)); then
        WHY_NONE=fresh
    elif ((${#followed[@]} == 0)); then
        # A source that was frozen, alone.
        if ((${#with_data[@]} == 1)); then
            CURRENT=${with_data[0]}
        elif ! named_by_all "${with_data[@]}"; then
            SOURCE_LOST="$(names "${with_data[@]}") hold data, and none follows another: nobody can tell which is the source"
        fi
    elif ((${#followed[@]} > 1)); then
        { ((${#silent[@]} == 0)) && named_by_all "${with_data[@]}"; } ||
            SOURCE_LOST="the servers follow different sources, $(names "${followed[@]}"), of which none takes writes"
    elif [[ -n ${S_UP[${followed[0]}]:-} && -n ${S_EXECUTED[${followed[0]}]} ]]; then
        CURRENT=${followed[0]}
    elif [[ -n ${S_UP[${followed[0]}]:-} || -z ${S_NAME[${followed[0]}]:-} ]]; then
        # It answers without data, or is no member any more.
        WHY_NONE=gone
    else
        SOURCE_LOST="the source $(server_name "${followed[0]}") doesn't answer: start it, or take its host out and name another source"
    fi
}

# named_by_all ADDRESS…: sets CURRENT to the one that all of them name in their data. A switchover that was cut off may leave nothing else to
# go by.
named_by_all() {
    local address row named=''
    for address in "$@"; do
        row=$(sql_try "$address" "SELECT source FROM $MYSQL_SCHEMA.topology") || return 1
        [[ -n $row && ${named:-$row} == "$row" ]] || return 1
        named=$row
    done
    for address in "$@"; do
        if [[ $(address_number "$address") == "$named" && -z ${S_FOLLOWS[$address]} ]]; then
            # shellcheck disable=SC2034 # for those who call
            CURRENT=$address
            return 0
        fi
    done
    return 1
}

# Names the source as data, from which every server takes its role at a start.
name_source() {
    sql "$1" "USE $MYSQL_SCHEMA; REPLACE INTO topology (id, source) VALUES (1, $(address_number "$2"))"
}

open_source() {
    # Before the first write, so that none is acknowledged that only one server has.
    sql "$1" "SET GLOBAL $(engine semi_sync_switch) = $(semi_sync_wanted); $(engine open_statements)"
}

# With nobody to wait for, waiting would only hold up every commit until it gives up.
semi_sync_wanted() {
    if ((${#MEMBERS[@]} > 1)); then one_if "$PARAM_SEMI_SYNC"; else printf 0; fi
}

# attach ADDRESS: makes it follow the source.
attach() {
    local address=$1 how=follows
    [[ -n ${S_FOLLOWS[$address]} ]] || how=anew
    sql "$address" "SET GLOBAL $(engine semi_sync_switch) = 0; $(engine freeze_statements) $(engine attach_statements "$CURRENT" "$PARAM_PORT" "$how")"
}

caught_up() {
    [[ $(SQL_TIMEOUT=5 sql_try "$1" "$(engine wait_statement "$2" 1)") == 0 ]]
}

# The old source is no member any more and doesn't answer, or has lost its data: the wanted one takes over if nobody knows more.
succeed_the_gone() {
    local address missing
    for address in "${MEMBERS[@]}"; do
        [[ -n ${S_UP[$address]} ]] ||
            die "source: the old source is gone, and $(server_name "$address"), which doesn't answer, may have what $PARAM_SOURCE lacks: start it, or take its host out"
    done
    execute_received
    for address in "${MEMBERS[@]}"; do
        # shellcheck disable=SC2153 # those who call set it
        [[ -n ${S_EXECUTED[$address]} && $address != "$WANTED" ]] || continue
        missing=$(engine missing "${S_EXECUTED[$address]}" "${S_EXECUTED[$WANTED]}")
        [[ -z $missing ]] ||
            die "source: the old source is gone, and $PARAM_SOURCE lacks $missing, which $(server_name "$address") has: name that one"
    done
    sql "$WANTED" "$(engine detach_statements)"
    CURRENT=$WANTED
    open_source "$CURRENT"
    name_source "$CURRENT" "$CURRENT"
    changed "$PARAM_SOURCE is the source: the one before is gone"
    note "what the lost source had acknowledged and no replica had received yet is lost"
    # At once, since nobody else acknowledges its writes.
    for address in "${MEMBERS[@]}"; do
        [[ -n ${S_EXECUTED[$address]} && $address != "$CURRENT" ]] || continue
        attach "$address"
        changed "$(server_name "$address") replicates $(server_name "$CURRENT")"
    done
    look_all
}

# What a replica has received was acknowledged, and goes with the relay log when it follows another server or none.
execute_received() {
    local address followers=()
    for address in "${MEMBERS[@]}"; do
        [[ -n ${S_FOLLOWS[$address]} ]] || continue
        # Before anything is stopped: MariaDB throws the relay log away when a replica that was stopped as a whole starts to receive.
        executed_received "$address" || true
        followers+=("$address")
    done
    for address in "${followers[@]}"; do
        sql "$address" "$(engine stop_receiving)"
    done
    for address in "${followers[@]}"; do
        wait_for "${SEED_SECONDS:-3000}" "$(server_name "$address") to execute what it has received" executed_received "$address"
        look "$address" || die "$(server_name "$address") stopped answering"
    done
}

# executed_received ADDRESS
executed_received() {
    local received
    received=$(engine received "$1") || exit "$REPORTED"
    if [[ -z $received ]] || caught_up "$1" "$received"; then
        return 0
    fi
    look "$1" || die "$(server_name "$1") stopped answering"
    [[ ${S_SQL[$1]} == Yes ]] ||
        die "source: the old source is gone, and $(server_name "$1") has received what it does not execute: mend that there and say '$(engine start_executing)', or take its host out if what only it has may be lost" \
            "${S_ERROR[$1]:-it was stopped, without an error}"
    return 1
}

names() {
    local address text=''
    for address in "$@"; do
        text+="${text:+, }$(server_name "$address")"
    done
    printf '%s' "$text"
}

any_server() {
    local address
    for address in "${MEMBERS[@]}"; do
        if [[ -n ${S_UP[$address]:-} ]]; then
            printf '%s' "$address"
            return 0
        fi
    done
    die "no member answers"
}

# version_at_least VERSION
version_at_least() {
    [[ $(printf '%s\n' "$1" "$MYSQL_VERSION" | sort -V | head -n 1) == "$1" ]]
}

one_if() {
    if [[ $1 == true ]]; then printf 1; else printf 0; fi
}

# seed_begin: from here on the data directory is worth nothing until seed_end.
seed_begin() {
    directory "$MYSQL_STATE" 0700 root:root
    : >"$MYSQL_SEEDING"
}

seed_end() {
    rm -f "$MYSQL_SEEDING"
}

# Only what a server has left there may be thrown away for a new one.
refuse_foreign_files() {
    local found
    [[ ! -e $MYSQL_SEEDING && -d $MYSQL_DATA && ! -d $MYSQL_DATA/mysql ]] || return 0
    found=$(find "$MYSQL_DATA/" -mindepth 1 ! -path "$MYSQL_DATA/lost+found" -print -quit)
    [[ -z $found ]] ||
        die "dataDirectory: $MYSQL_DATA holds $found, which is not of this component's making: name an empty folder, such as one below it, or move away what is there"
}

data_clear() {
    directory "$MYSQL_DATA" 0750 mysql:mysql
    # Not what is mounted there.
    find "$MYSQL_DATA/" -xdev -mindepth 1 -delete
}

# What a data directory that never belonged to a server, or to one that was cut off, is brought to.
data_initialise() {
    refuse_foreign_files
    seed_begin
    data_clear
    engine initialise
    [[ -d $MYSQL_DATA/mysql ]] || die "$MYSQL_DATA has no system tables after they were made"
    changed "$MYSQL_DATA initialised"
}

# shellcheck shell=bash
# A source and its replicas as a whole: who takes writes, whether the application gets in, who follows, how far behind, whether commits wait
# for a replica.
# doctor: any host
# Parameters and secrets: those of mysql/replication.

LAG_SECONDS=30

# All else is asked as an account of the servers' own, whose login says nothing of the application's.
check_account() {
    local database=${PARAM_DATABASES%% *} output
    if output=$(SQL_TIMEOUT=10 sql_as "$PARAM_USER" "$SECRET_PASSWORD" "$CURRENT" <<<"USE \`$database\`"); then
        ok account "$PARAM_USER logs in to $(server_name "$CURRENT") and may use $database"
    else
        output=${output##*$'\n'}
        fail account "$PARAM_USER can't use $database on $(server_name "$CURRENT"): ${output:-no answer within 10 s}: run $(step_again)"
    fi
}

check() {
    local address wanted silent=() broken=() behind=() seconds waiting
    database_detect
    members_parse
    ANSWER_SECONDS=0 SQL_TIMEOUT=10 look_all
    find_source
    for address in "${MEMBERS[@]}"; do
        [[ -n ${S_UP[$address]} ]] || silent+=("$(server_name "$address")")
    done
    if ((${#silent[@]} > 0)); then
        finding members failed "${silent[*]}: no answer: see to those hosts" "${silent[@]}"
    else
        ok members "all ${#MEMBERS[@]} answer"
    fi
    if [[ -n $SOURCE_LOST ]]; then
        fail source "$SOURCE_LOST"
        return 0
    elif [[ -z $CURRENT ]]; then
        case $WHY_NONE in
        # The step would begin without any.
        fresh) fail source "no server has any data: see whether their data folders and disks are there; if the data may go, $(step_again) begins with none" ;;
        *) fail source "the source is gone: run $(step_again), by which $PARAM_SOURCE follows it up" ;;
        esac
        return 0
    fi
    wanted=$(address_of "$PARAM_SOURCE")
    if [[ $CURRENT != "$wanted" ]]; then
        fail source "$(server_name "$CURRENT") is the source, the stack wants $PARAM_SOURCE: run $(step_again), which hands over"
    elif [[ -z ${S_WRITABLE[$CURRENT]} ]]; then
        fail source "$PARAM_SOURCE takes no writes: run $(step_again)"
    else
        ok source "$PARAM_SOURCE takes writes"
    fi
    check_account
    for address in "${MEMBERS[@]}"; do
        [[ $address != "$CURRENT" && -n ${S_UP[$address]} ]] || continue
        if [[ ${S_FOLLOWS[$address]} != "$CURRENT" || ${S_IO[$address]} != Yes || ${S_SQL[$address]} != Yes ]]; then
            broken+=("$(server_name "$address")${S_ERROR[$address]:+ (${S_ERROR[$address]})}")
            continue
        fi
        seconds=$(sql_try "$address" "$(engine status_statement)" --vertical --column-names | sed -n 's/^ *Seconds_Behind_\(Master\|Source\): //p') || seconds=''
        if [[ $seconds =~ ^[0-9]+$ ]] && ((seconds > LAG_SECONDS)); then
            behind+=("$(server_name "$address") by $seconds s")
        fi
    done
    if ((${#broken[@]} > 0)); then
        fail replication "${broken[*]}: does not follow $(server_name "$CURRENT"): run $(step_again), and name it in rebuild if that does not help"
    elif ((${#behind[@]} > 0)); then
        warn replication "${behind[*]} behind: wait, or see what holds the replica up"
    else
        ok replication "$((${#MEMBERS[@]} - 1 - ${#silent[@]})) follow and are in step"
    fi
    [[ $PARAM_SEMI_SYNC == true ]] && ((${#MEMBERS[@]} > 1)) || return 0
    waiting=$(sql_try "$CURRENT" "SHOW GLOBAL STATUS LIKE '$(semi_sync_source_status)'" | cut -f 2)
    if [[ $waiting == ON ]]; then
        ok semi-sync "commits wait for a replica"
    else
        fail semi-sync "commits wait for no replica, as after none acknowledged in time: see to the replicas"
    fi
}

semi_sync_source_status() {
    if [[ $PARAM_ENGINE == mysql ]]; then printf Rpl_semi_sync_source_status; else printf Rpl_semi_sync_master_status; fi
}

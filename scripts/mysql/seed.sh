# shellcheck shell=bash
# Gives this host's server a copy of the source's data, when it has none of its own or when it is asked for.
#
# PARAM_ENGINE, PARAM_ADDRESS, PARAM_PORT, PARAM_DATA_DIR  as for mysql/node
# PARAM_MEMBERS        "name=ip …", this host among them
# PARAM_SOURCE         name of the member that shall be the source; its seed is taken before the others'
# PARAM_SEMI_SYNC      true or false
# PARAM_REBUILD        true: this server's own data is thrown away once, until it has been false again
# PARAM_HOST_KEYS      lines "ip ssh-ed25519 AAAA…", or "[ip]:port ssh-ed25519 AAAA…": the pinned host keys
# SECRET_ADMIN_PASSWORD, SECRET_REPLICATION_PASSWORD
# SECRET_BACKUP_KEY    opens the stream of a backup

# Another rebuild takes another request.
rebuild_wanted() {
    if [[ $PARAM_REBUILD != true ]]; then
        rm -f "$MYSQL_STATE/rebuilt"
        return 1
    fi
    [[ ! -e $MYSQL_STATE/rebuilt ]]
}

seed() {
    engine seed "$CURRENT"
    # What came along are the source's accounts, which the servers share.
    wait_for 60 "the server to answer on $PARAM_ADDRESS" sql_answers "$PARAM_ADDRESS"
    changed "data copied from $(server_name "$CURRENT")"
}

# With a source that is gone there is nothing to copy from, and a new server could not follow the next one without a copy: its history is
# longer than its logs.
succeed() {
    local address
    for address in "${MEMBERS[@]}"; do
        try_for "${ANSWER_SECONDS:-60}" look "$address" || true
    done
    find_source
    # One that can't be the source itself is for mysql/replication to refuse.
    if [[ $WHY_NONE == gone && -n ${S_UP[$WANTED]} ]]; then
        succeed_the_gone
    fi
}

main() {
    local rebuild=false
    require_params PARAM_ENGINE PARAM_ADDRESS PARAM_PORT PARAM_MEMBERS PARAM_SOURCE PARAM_SEMI_SYNC PARAM_REBUILD PARAM_HOST_KEYS \
        SECRET_ADMIN_PASSWORD SECRET_REPLICATION_PASSWORD
    database_detect
    members_parse
    WANTED=$(address_of "$PARAM_SOURCE")
    ! rebuild_wanted || rebuild=true
    look_all
    find_source
    [[ $WHY_NONE != gone || $WANTED != "$PARAM_ADDRESS" ]] || succeed
    # A copy that was cut off at its very end: what the source has is worth everything.
    [[ $CURRENT != "$PARAM_ADDRESS" ]] || seed_end

    if [[ $rebuild == true ]]; then
        [[ -z $SOURCE_LOST ]] || die "there is no source to copy from: $SOURCE_LOST"
        [[ -n $CURRENT ]] || die "there is no source to copy from"
        [[ $CURRENT != "$PARAM_ADDRESS" ]] ||
            die "rebuild: $(server_name "$CURRENT") is the source: name another source first, and rebuild it as a replica then"
        seed
        : >"$MYSQL_STATE/rebuilt"
    elif [[ -e $MYSQL_SEEDING && -n $CURRENT && $CURRENT != "$PARAM_ADDRESS" ]]; then
        # A copy that was cut off: nobody knows what is there now.
        seed
    elif [[ -z ${S_UP[$PARAM_ADDRESS]} ]]; then
        note "the server doesn't answer on $PARAM_ADDRESS: nothing was copied"
    elif [[ -n $CURRENT && $CURRENT != "$PARAM_ADDRESS" && -z ${S_EXECUTED[$PARAM_ADDRESS]} && -n ${S_EXECUTED[$CURRENT]} ]]; then
        seed
    fi
    finish source="$(server_name "${CURRENT:-none}")"
}

# shellcheck shell=bash
# Talking to Redis Cluster nodes. The password travels in redis-cli's environment or on its standard input, never in argv.

REDIS_ETC=${REDIS_ETC:-/etc/redis/cluster}
# An ACL user without any right that lives in memory alone: it vanishes with the process, just as the need for a restart does.
REDIS_RESTART_MARK=multihost-restart-pending
REDIS_PASSWORD=${SECRET_PASSWORD:-}
REDIS_OPTIONS=()
if [[ ${PARAM_TLS:-true} == true ]]; then
    REDIS_OPTIONS=(--tls --cacert "$REDIS_ETC/ca.crt")
fi

# redis_as PASSWORD ADDRESS COMMAND…: prints the reply; an error reply of the server is a reply too.
redis_as() {
    local password=$1 address=$2
    shift 2
    REDISCLI_AUTH=$password timeout "${REDIS_TIMEOUT:-15}" redis-cli -h "${address%:*}" -p "${address##*:}" \
        ${REDIS_OPTIONS[@]+"${REDIS_OPTIONS[@]}"} --no-auth-warning "$@" 2>&1
}

# An error reply starts with a word in capitals, such as ERR, NOAUTH or CLUSTERDOWN; no reply that we ask for does.
redis_refused() {
    [[ $1 =~ ^[A-Z]+\  || $1 == *"AUTH failed"* || $1 == "Could not connect"* || $1 == "Error:"* ]]
}

# redis_try ADDRESS COMMAND…: prints the reply, or fails without a word.
redis_try() {
    local reply
    reply=$(redis_as "$REDIS_PASSWORD" "$@") || return 1
    ! redis_refused "$reply" || return 1
    printf '%s\n' "$reply"
}

# redis ADDRESS COMMAND…: prints the reply, or ends the step. A replica that reads the copy it has got answers afterwards.
redis() {
    local reply status=0 until=$((SECONDS + 600))
    reply=$(redis_as "$REDIS_PASSWORD" "$@") || status=$?
    while [[ $reply == LOADING* ]] && ((SECONDS < until)); do
        sleep 0.5
        status=0
        reply=$(redis_as "$REDIS_PASSWORD" "$@") || status=$?
    done
    if ((status != 0)) || redis_refused "$reply"; then
        die "Redis at $1 refuses '${*:2}': ${reply:-no answer}"
    fi
    printf '%s\n' "$reply"
}

# redis_send PASSWORD ADDRESS LAST COMMAND…: LAST, a secret, becomes the command's last argument.
redis_send() {
    local password=$1 address=$2 last=$3 reply status=0
    shift 3
    reply=$(printf '%s' "$last" | redis_as "$password" "$address" -x "$@") || status=$?
    if ((status != 0)) || redis_refused "$reply"; then
        die "Redis at $address refuses '$*': ${reply:-no answer}"
    fi
}

# redis_verdict PASSWORD ADDRESS: accepted, refused, or whatever else comes back, which says nothing about the password.
redis_verdict() {
    local reply
    reply=$(redis_as "$1" "$2" PING) || reply=${reply:-no answer}
    case $reply in
    PONG) printf accepted ;;
    *WRONGPASS* | *NOAUTH* | *"without any password configured"*) printf refused ;;
    *) printf '%s' "$reply" ;;
    esac
}

# redis_accepts PASSWORD ADDRESS
redis_accepts() {
    [[ $(redis_verdict "$1" "$2") == accepted ]]
}

# redis_answers ADDRESS: it may still be loading its data.
redis_answers() {
    redis_accepts "$REDIS_PASSWORD" "$1"
}

# redis_field SECTION-TEXT NAME: a value of INFO or CLUSTER INFO.
redis_field() {
    local line
    while IFS= read -r line; do
        if [[ $line == "$2":* ]]; then
            line=${line#*:}
            printf '%s' "${line%$'\r'}"
            return 0
        fi
    done <<<"$1"
}

# redis_standing CLUSTER-INFO: how well the node that says so knows the cluster; the greater text is the better point of view. One that was away for
# long may know more nodes, and less of what has become of them, and one that is cut off knows of no living master.
redis_standing() {
    local name value standing=''
    for name in cluster_slots_assigned cluster_current_epoch cluster_slots_ok cluster_known_nodes; do
        value=$(redis_field "$1" "$name")
        standing+=$(printf '%020d.' "${value:-0}")
    done
    printf '%s' "$standing"
}

redis_restart_pending() {
    local users
    users=$(redis "$1" ACL USERS) || exit "$REPORTED"
    [[ $'\n'$users$'\n' == *$'\n'"$REDIS_RESTART_MARK"$'\n'* ]]
}

# Without quotes and blanks a password means the same in redis.conf, in an ACL rule and in a URL's reader.
redis_check_password() {
    [[ ${#1} -ge 16 && $1 =~ ^[A-Za-z0-9._~+/=@%:,!*^-]+$ ]] ||
        die "a Redis password needs at least 16 characters out of letters, digits and . _ ~ + / = @ % : , ! * ^ -"
}

redis_digest() {
    printf '%s' "$1" | sha256sum | cut -d' ' -f1
}

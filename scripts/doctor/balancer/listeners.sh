# shellcheck shell=bash
# A balancer's listeners as a client sees them: each takes a connection, a server answers behind it, and its certificate goes on.
# doctor: any host
# PARAM_NAME, PARAM_ADDRESSES
# PARAM_LISTENERS  "protocol:port:path:host:origin …": what a health check asks for, and whether the certificate is generated or given

ANSWER_SECONDS=6

# connects ADDRESS PORT: sets CONNECT_ERROR. Twice, as a first packet may be lost. What takes a connection and ends it at once has nobody to
# pass it on to; what says nothing within a second waits for its client.
connects() {
    for _ in 1 2; do
        # shellcheck disable=SC2016 # the inner shell expands it
        CONNECT_ERROR=$(timeout 5 bash --norc -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1
            read -r -t 1 -N 1 -u 3
            (($? != 1)) || echo "ends it at once"' probe "$1" "$2" 2>&1 </dev/null) || CONNECT_ERROR=${CONNECT_ERROR:-no answer within 5 s}
        [[ -n $CONNECT_ERROR ]] || return 0
        sleep 0.5
    done
    CONNECT_ERROR=${CONNECT_ERROR%%$'\n'*}
    CONNECT_ERROR=${CONNECT_ERROR##*: }
    return 1
}

request() {
    printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: multihost-doctor\r\nAccept: */*\r\nConnection: close\r\n\r\n' "$1" "$2"
}

# tls ADDRESS PORT NAME [OPTION…]: standard input goes to the other side. Whatever certificate is there will do: the doctor judges its end.
tls() {
    local address=$1 port=$2 name=$3
    shift 3
    timeout "$ANSWER_SECONDS" openssl s_client -connect "$address:$port" ${name:+-servername "$name"} "$@" 2>/dev/null
}

# http_status PROTOCOL ADDRESS PORT PATH NAME: nothing without an answer.
http_status() {
    local line
    if [[ $1 == https ]]; then
        line=$(request "$4" "${5:-$2}" | tls "$2" "$3" "$5" -quiet | head -n 1) || true
    else
        # shellcheck disable=SC2016 # the inner shell expands it
        line=$(request "$4" "${5:-$2}" | timeout "$ANSWER_SECONDS" bash --norc -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1
            cat >&3
            head -n 1 <&3' probe "$2" "$3" 2>/dev/null) || true
    fi
    [[ ! $line =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]] || printf '%s' "${BASH_REMATCH[1]}"
}

# examine ADDRESS LISTENER: one finding.
examine() {
    local address=$1 protocol port path name origin place shown status=''
    IFS=: read -r protocol port path name origin <<<"$2"
    place="$PARAM_NAME, $protocol on $address:$port"
    if [[ $protocol == tcp ]]; then
        if connects "$address" "$port"; then
            ok listener "$place: takes connections"
        else
            fail listener "$place: no connection ($CONNECT_ERROR): see whether the servers behind it run, and in the console whether the listener does"
        fi
        return 0
    elif [[ $protocol == tls ]]; then
        # A side that ends without a word makes of a connection that was there an error.
        shown=$(tls "$address" "$port" "$name" </dev/null) || true
        if [[ $shown == *'BEGIN CERTIFICATE'* ]]; then
            ok listener "$place: takes connections"
        else
            fail listener "$place: no connection by TLS: see in the console whether the listener runs"
        fi
        return 0
    fi
    # One that has just been configured anew may drop a request.
    for _ in 1 2; do
        status=$(http_status "$protocol" "$address" "$port" "$path" "$name")
        [[ -z $status || $status == 5* ]] || break
        sleep 1
    done
    if [[ -z $status ]]; then
        fail listener "$place: no answer: see in the console whether the listener runs"
    elif [[ $status == 5* ]]; then
        fail listener "$place: $path answers $status, as without a server that is healthy: see the findings of those behind it"
    else
        ok listener "$place: $path answers $status"
    fi
}

check() {
    local addresses listeners address listener protocol port name origin place pem renewal lines=()
    read -ra addresses <<<"$PARAM_ADDRESSES"
    read -ra listeners <<<"$PARAM_LISTENERS"
    if [[ $PARAM_LISTENERS == *:generated* || $PARAM_LISTENERS == *:given* ]] && ! command -v openssl >/dev/null; then
        finding listener skipped "$PARAM_NAME: ${HOSTNAME%%.*}, which would ask, has no openssl"
        return 0
    fi
    mapfile -t lines < <(
        for address in "${addresses[@]}"; do
            for listener in "${listeners[@]}"; do
                examine "$address" "$listener" &
            done
        done
        wait
    )
    printf '%s\n' "${lines[@]}" | sort
    for listener in "${listeners[@]}"; do
        IFS=: read -r protocol port _ name origin <<<"$listener"
        [[ -n $origin ]] || continue
        # Where nothing answers that is a finding already, and each takes its time.
        ((SECONDS < 40)) || break
        place="$PARAM_NAME, $protocol on port $port"
        pem=$(tls "${addresses[0]}" "$port" "$name" </dev/null | openssl x509 2>/dev/null) || true
        [[ -n $pem ]] || continue
        renewal=
        [[ $origin == generated ]] || renewal='give the listener a newer one'
        certificate_of certificate "$pem" "$place" "$renewal"
    done
}

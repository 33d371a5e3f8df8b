# shellcheck shell=bash
# One web server: runs, and answers its health check as a balancer would ask, on the host's own address.
# Parameters: those of web/node.

# Its address as others have it: a server that listens on loopback only serves nobody. Documentation's range is never a neighbour's.
own_address() {
    local address
    address=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p') || true
    printf '%s' "${address:-127.0.0.1}"
}

check() {
    local status release address
    if [[ -n ${PARAM_TLS_PORT:-} ]]; then
        certificate certificate "${NGINX_ETC:-/etc/nginx}/multihost/$PARAM_NAME.crt" "give \`tls.certificate\` a newer one"
    fi
    unit_runs service nginx.service || return 0
    address=$(own_address)
    status=$(web_get "$PARAM_PORT" "$PARAM_HEALTH_PATH" "$address")
    if [[ $status == 2?? ]]; then
        ok health "$PARAM_HEALTH_PATH answers $status"
    elif [[ $status == 000 ]]; then
        fail health "no answer on $address:$PARAM_PORT: journalctl -u nginx says why"
    elif [[ -n ${PARAM_UPSTREAM:-} ]]; then
        fail health "$PARAM_HEALTH_PATH answers $status: see whether $PARAM_UPSTREAM answers"
    else
        fail health "$PARAM_HEALTH_PATH answers $status: see whether $PARAM_DIRECTORY/current is there"
    fi
    if [[ -n ${PARAM_TLS_PORT:-} ]]; then
        # What stands behind it is the health path's business.
        status=$(web_get "$PARAM_TLS_PORT" "$PARAM_HEALTH_PATH" "$address")
        if [[ $status == 000 ]]; then
            fail tls "no answer by TLS on $address:$PARAM_TLS_PORT: journalctl -u nginx says why"
        else
            ok tls "$address:$PARAM_TLS_PORT answers $status"
        fi
    fi
    if [[ -z ${PARAM_UPSTREAM:-} ]]; then
        release=$(readlink "$PARAM_DIRECTORY/current") || true
        if [[ -n $release ]]; then
            ok release "${release#releases/}"
        else
            fail release "$PARAM_DIRECTORY/current leads nowhere: \`ln -sfn releases/NAME $PARAM_DIRECTORY/current\` with one of $PARAM_DIRECTORY/releases, or as the finding on the release as a whole says"
        fi
    fi
}

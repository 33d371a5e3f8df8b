# shellcheck shell=bash
# One web server: runs, and answers its health check as a balancer would ask.
# Parameters: those of web/node.

check() {
    local status release
    if [[ -n ${PARAM_TLS_PORT:-} ]]; then
        certificate certificate "${NGINX_ETC:-/etc/nginx}/multihost/$PARAM_NAME.crt"
    fi
    unit_runs service nginx.service || return 0
    status=$(web_get "$PARAM_PORT" "$PARAM_HEALTH_PATH")
    if [[ $status == 200 ]]; then
        ok health "$PARAM_HEALTH_PATH answers 200"
    elif [[ $status == 000 ]]; then
        fail health "no answer on port $PARAM_PORT: journalctl -u nginx says why"
    elif [[ -n ${PARAM_UPSTREAM:-} ]]; then
        fail health "$PARAM_HEALTH_PATH answers $status: see whether $PARAM_UPSTREAM answers"
    else
        fail health "$PARAM_HEALTH_PATH answers $status: see whether $PARAM_DIRECTORY/current is there"
    fi
    if [[ -z ${PARAM_UPSTREAM:-} ]]; then
        release=$(readlink "$PARAM_DIRECTORY/current") || true
        if [[ -n $release ]]; then
            ok release "${release#releases/}"
        else
            fail release "$PARAM_DIRECTORY/current leads nowhere: run \`pulumi up\`"
        fi
    fi
}

# shellcheck shell=bash
# Logging in to other members as the service user, without a password and without blind trust.

mesh_user() {
    printf '%s' "${PARAM_USER:-multihost}"
}

# mesh_port ADDRESS: of its SSH server. PARAM_SSH_PORTS has those that are not 22, as "ip=port …".
mesh_port() {
    local item
    for item in ${PARAM_SSH_PORTS:-}; do
        if [[ ${item%%=*} == "$1" ]]; then
            printf '%s' "${item#*=}"
            return 0
        fi
    done
    printf 22
}

# mesh_ssh ADDRESS COMMAND… : known_hosts is what the step wrote. The client would add whatever else a server shows, and after the next
# change of keys take a former one for the right one.
mesh_ssh() {
    local address=$1 user
    shift
    user=$(mesh_user)
    runuser -u "$user" -- ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o UpdateHostKeys=no \
        -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o LogLevel=ERROR \
        -p "$(mesh_port "$address")" "$user@$address" "$@"
}

# shellcheck shell=bash
# By which keys this host's SSH server is known: those that are named, one of each type, and no others of these types.
#
# PARAM_KEYS                     "ssh-ed25519,AAAA… …": the public halves
# SECRET_ED25519, SECRET_ECDSA   the private halves of these, in OpenSSH format

# shows PORT TYPE KEY: whether clients that ask for keys of this type are shown this one.
shows() {
    ssh-keyscan -T 5 -t "$2" -p "$1" 127.0.0.1 2>/dev/null | awk -v key="${3#*,}" '$3 == key { found = 1 } END { exit !found }'
}

reload_sshd() {
    local output
    output=$(sshd -t 2>&1) || die "sshd does not accept its configuration" "$output"
    service_command reload "$1"
}

main() {
    local folder=${SSHD_ETC:-/etc/ssh} unit key type secret port
    local -A wanted=()
    require_params PARAM_KEYS
    os_detect
    unit=$(os_pick ssh sshd)
    for key in $PARAM_KEYS; do
        case $key in
        ssh-ed25519,*) wanted[ed25519]=$key ;;
        ecdsa-sha2-nistp256,*) wanted[ecdsa]=$key ;;
        *) die "keys: ${key%%,*} is not a type that this step knows" ;;
        esac
    done
    for type in "${!wanted[@]}"; do
        secret=SECRET_${type^^}
        [[ -n ${!secret:-} ]] || die "the private half of the $type key is missing"
    done

    for type in "${!wanted[@]}"; do
        secret=SECRET_${type^^}
        key=$folder/ssh_host_${type}_key
        file_write "$key" 0600 root:root "$(trimmed "${!secret}")"
        file_write "$key.pub" 0644 root:root "${wanted[$type]/,/ }"
    done
    # Always, since an earlier run may have ended between writing and reloading.
    reload_sshd "$unit"
    port=$(sshd -T | awk '$1 == "port" && !port { port = $2 } END { print port }')
    # Whoever knows this host by another key is not sent away before this one is shown for sure.
    for type in "${!wanted[@]}"; do
        try_for 20 shows "$port" "$type" "${wanted[$type]}" ||
            die "sshd does not show its $type key: look at HostKey and HostKeyAlgorithms in $folder/sshd_config"
    done

    for type in ed25519 ecdsa; do
        [[ -z ${wanted[$type]:-} && -e $folder/ssh_host_${type}_key ]] || continue
        file_remove "$folder/ssh_host_${type}_key"
        file_remove "$folder/ssh_host_${type}_key.pub"
        reload_sshd "$unit"
    done
    finish
}

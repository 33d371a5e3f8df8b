# shellcheck shell=bash
# Makes an SSH server a bastion: keys only, forwards connections to other hosts' SSH servers, takes many dials at once.

sshd_settings() {
    cat <<'CONFIG'
# Written by multihost.
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
PermitRootLogin prohibit-password
PubkeyAuthentication yes
AllowTcpForwarding local
PermitOpen *:22
AllowStreamLocalForwarding no
AllowAgentForwarding no
GatewayPorts no
PermitTunnel no
X11Forwarding no
MaxAuthTries 4
LoginGraceTime 30
ClientAliveInterval 60
ClientAliveCountMax 3
# All hosts are dialled at once; the default of 10:30:100 drops dials at random.
MaxStartups 500:30:1000
MaxSessions 500
CONFIG
}

reads_drop_ins() {
    grep -qiE '^[[:space:]]*Include[[:space:]]+"?/etc/ssh/sshd_config\.d/' "$1"
}

# The first value that sshd reads wins, so ours come before those of the distribution.
main_file() {
    local file=$1 begin='# multihost: begin' end='# multihost: end'
    sed "/^$begin\$/,/^$end\$/d" "$file" >"$WORK/rest"
    file_write "$file" 0600 root:root "$begin"$'\n'"$(sshd_settings)"$'\n'"$end"$'\n'"$(cat "$WORK/rest")"
}

main() {
    local folder=${SSHD_ETC:-/etc/ssh} unit output previous
    os_detect
    unit=$(os_pick ssh sshd)
    WORK=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$WORK'" EXIT
    cp -p "$folder/sshd_config" "$WORK/before"
    if reads_drop_ins "$folder/sshd_config"; then
        # Before cloud-init's 50-cloud-init.conf.
        previous=$folder/sshd_config.d/00-multihost.conf
        [[ ! -e $previous ]] || cp -p "$previous" "$WORK/drop-in"
        file_write "$previous" 0600 root:root "$(sshd_settings)"
    else
        main_file "$folder/sshd_config"
    fi
    if [[ $FILE_CHANGED == true ]]; then
        if ! output=$(sshd -t 2>&1); then
            # Whoever reboots this host must still be able to log in.
            cp -p "$WORK/before" "$folder/sshd_config"
            if [[ -n ${previous:-} ]]; then
                rm -f "$previous"
                [[ ! -e $WORK/drop-in ]] || cp -p "$WORK/drop-in" "$previous"
            fi
            die "sshd does not accept its configuration" "$output"
        fi
        changed "settings of $unit"
    fi
    # Always, since an earlier run may have ended between writing and reloading.
    service_command reload "$unit"
    finish
}

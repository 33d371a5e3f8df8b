#!/usr/bin/env bats
# ssh/host-keys: by which keys a host's SSH server is known, with a stand-in for the server.

bats_require_minimum_version 1.5.0
load helper
load stubs

setup() {
    stub_host debian-12
    export SSHD_ETC=$host/etc/ssh
    mkdir -p "$SSHD_ETC" "$host/shown"
    printf '%s\n' 'first private' >"$SSHD_ETC/ssh_host_ed25519_key"
    printf '%s\n' 'ssh-ed25519 AAAAfirst' >"$SSHD_ETC/ssh_host_ed25519_key.pub"
    printf '%s\n' 'ssh-rsa AAAAother' >"$SSHD_ETC/ssh_host_rsa_key.pub"
    # shellcheck disable=SC2016
    {
        stub sshd 'if [[ $1 == -T ]]; then echo "port 2222"; seq 100000; elif [[ -e $HOST/refuse ]]; then echo "bad configuration option" >&2; exit 255; fi'
        # What a server shows is what it read when it was last told to.
        stub systemctl 'echo "$*" >>"$HOST/systemctl"; rm -f "$HOST"/shown/*; cp "$SSHD_ETC"/*.pub "$HOST/shown"; rm -f "$HOST/shown/${HIDDEN:-none}"'
        stub ssh-keyscan '[[ "$*" == *"-p 2222 127.0.0.1" ]] && sed "s/^/[127.0.0.1]:2222 /" "$HOST/shown/ssh_host_$4_key.pub" 2>/dev/null'
    }
}

# shown: types and keys, sorted.
shown() {
    cat "$host"/shown/* | cut -d ' ' -f 1,2 | sort | tr '\n' ';'
}

first='ssh-ed25519,AAAAfirst' second='ecdsa-sha2-nistp256,AAAAsecond' third='ssh-ed25519,AAAAthird'

@test "the next key is shown beside the former one, which goes when it is named no more; others stay" {
    run --separate-stderr step ssh/host-keys KEYS="$first $second" -- ED25519='first private' ECDSA=$'second private\n'
    [[ $status == 0 && $(field changed) == *ssh_host_ecdsa_key* && $(field changed) != *ssh_host_ed25519_key\"* ]]
    [[ $(shown) == 'ecdsa-sha2-nistp256 AAAAsecond;ssh-ed25519 AAAAfirst;ssh-rsa AAAAother;' ]]
    [[ $(cat "$SSHD_ETC/ssh_host_ecdsa_key") == 'second private' && $(/usr/bin/stat -c %a "$SSHD_ETC/ssh_host_ecdsa_key") == 600 ]]
    [[ $stderr$output != *'second private'* ]]

    run --separate-stderr step ssh/host-keys KEYS="$second" -- ECDSA='second private'
    [[ $status == 0 && $(field changed) == *'ssh_host_ed25519_key removed'* ]]
    [[ $(shown) == 'ecdsa-sha2-nistp256 AAAAsecond;ssh-rsa AAAAother;' ]]

    run --separate-stderr step ssh/host-keys KEYS="$second" -- ECDSA='second private'
    [[ $status == 0 && $(field changed) == '[]' ]]

    run --separate-stderr step ssh/host-keys KEYS="$second $third" -- ECDSA='second private' ED25519='third private'
    [[ $status == 0 && $(shown) == 'ecdsa-sha2-nistp256 AAAAsecond;ssh-ed25519 AAAAthird;ssh-rsa AAAAother;' ]]
}

@test "a server that does not show the next key goes on with the former one, and the failure says where to look" {
    HIDDEN=ssh_host_ecdsa_key.pub run --separate-stderr step ssh/host-keys KEYS="$second" -- ECDSA='second private'
    [[ $status != 0 && $stderr == *'sshd does not show its ecdsa key: look at HostKey and HostKeyAlgorithms in '*sshd_config* ]]
    [[ $(cat "$SSHD_ETC/ssh_host_ed25519_key") == 'first private' && $(shown) == *'ssh-ed25519 AAAAfirst'* ]]
}

@test "a configuration that sshd refuses is not loaded" {
    touch "$host/refuse"
    run --separate-stderr step ssh/host-keys KEYS="$first $second" -- ED25519='first private' ECDSA='second private'
    [[ $status != 0 && $stderr == *'sshd does not accept its configuration'*'bad configuration option'* && ! -e $host/systemctl ]]
}

@test "keys of other types, and halves without the other, are refused before anything changes" {
    run --separate-stderr step ssh/host-keys KEYS='ssh-rsa,AAAA'
    [[ $status != 0 && $stderr == *'keys: ssh-rsa is not a type that this step knows'* ]]
    run --separate-stderr step ssh/host-keys KEYS="$second"
    [[ $status != 0 && $stderr == *'the private half of the ecdsa key is missing'* && ! -e $SSHD_ETC/ssh_host_ecdsa_key ]]
}

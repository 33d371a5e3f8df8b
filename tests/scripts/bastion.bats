#!/usr/bin/env bats
# ssh/bastion on both ways in which distributions read sshd's settings, with a stand-in for sshd itself.

bats_require_minimum_version 1.5.0
load helper
load stubs

setup_host() {
    stub_host "$1"
    export SSHD_ETC=$host/etc/ssh
    mkdir -p "$SSHD_ETC/sshd_config.d"
    printf '%s\n' "$2" 'PasswordAuthentication yes' >"$SSHD_ETC/sshd_config"
    # shellcheck disable=SC2016
    stub sshd '[[ ! -e $HOST/refuse ]] || { echo "bad configuration option" >&2; exit 255; }'
}

@test "Debian: a drop-in before all others, and nothing to do the second time" {
    setup_host debian-12 'Include /etc/ssh/sshd_config.d/*.conf'
    run --separate-stderr step ssh/bastion
    [[ $status == 0 && $(field changed) == *00-multihost.conf*'settings of ssh"'* ]]
    grep -qx 'PasswordAuthentication no' "$SSHD_ETC/sshd_config.d/00-multihost.conf"
    grep -qx 'PasswordAuthentication yes' "$SSHD_ETC/sshd_config"
    run --separate-stderr step ssh/bastion
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "Alibaba Cloud Linux 3, whose sshd reads no drop-ins: ours stand first in the main file" {
    setup_host alinux-3 '# no includes'
    run --separate-stderr step ssh/bastion
    [[ $status == 0 && $(field changed) == *'settings of sshd"'* ]]
    [[ $(grep -m 1 '^PasswordAuthentication' "$SSHD_ETC/sshd_config") == 'PasswordAuthentication no' ]]
    [[ $(tail -n 1 "$SSHD_ETC/sshd_config") == 'PasswordAuthentication yes' ]]
    run --separate-stderr step ssh/bastion
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "settings that sshd refuses are taken back, and the failure says why" {
    setup_host alinux-3 '# no includes'
    cp "$SSHD_ETC/sshd_config" "$BATS_TEST_TMPDIR/before"
    touch "$host/refuse"
    run --separate-stderr step ssh/bastion
    [[ $status != 0 && $stderr == *'ssh/bastion.sh:'*'sshd does not accept its configuration'*'bad configuration option'* ]]
    cmp "$SSHD_ETC/sshd_config" "$BATS_TEST_TMPDIR/before"
    rm "$host/refuse"
    run --separate-stderr step ssh/bastion
    [[ $status == 0 ]]
}

@test "a drop-in that sshd refuses is taken back to what it was" {
    setup_host debian-12 'Include /etc/ssh/sshd_config.d/*.conf'
    touch "$host/refuse"
    run --separate-stderr step ssh/bastion
    [[ $status != 0 && ! -e $SSHD_ETC/sshd_config.d/00-multihost.conf ]]
}

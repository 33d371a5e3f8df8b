#!/usr/bin/env bats
# ssh/login: whose keys log in for administration.

bats_require_minimum_version 1.5.0
load helper
load stubs

setup() {
    stub_host debian-12
    export LOGIN_KEYS=$host/login-keys
    home=$host/home
    mkdir -p "$home/.ssh"
    stub getent "echo 'admin:x:1000:1000::$home:/bin/bash'"
    stub id 'echo admin'
    printf '%s\n' 'ssh-rsa AAAAcloud imported-key-pair' 'from="10.0.0.0/8" ssh-ed25519 AAAAcolleague a colleague' >"$home/.ssh/authorized_keys"
}

login() {
    run --separate-stderr step ssh/login USER=admin "$@"
}

keys() {
    cut -d ' ' -f 1-3 "$home/.ssh/authorized_keys"
}

@test "the next key comes beside the former one, which goes when it is named no more, wherever it came from" {
    login KEYS="ssh-rsa,AAAAcloud ssh-ed25519,AAAAnext" RETIRED="ssh-rsa,AAAAcloud"
    [[ $status == 0 && $(field changed) == *authorized_keys* ]]
    [[ $(keys) == $'ssh-rsa AAAAcloud imported-key-pair\nfrom="10.0.0.0/8" ssh-ed25519 AAAAcolleague\nssh-ed25519 AAAAnext multihost' ]]

    login KEYS="ssh-ed25519,AAAAnext" RETIRED="ssh-rsa,AAAAcloud"
    [[ $status == 0 ]]
    [[ $(keys) == $'from="10.0.0.0/8" ssh-ed25519 AAAAcolleague\nssh-ed25519 AAAAnext multihost' ]]

    login KEYS="ssh-ed25519,AAAAnext" RETIRED="ssh-rsa,AAAAcloud"
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "a key that an earlier run planted goes, also without the cloud's key pair" {
    login KEYS="ssh-ed25519,AAAAone ssh-ed25519,AAAAtwo"
    [[ $(keys) == *AAAAone*AAAAtwo* ]]
    login KEYS="ssh-ed25519,AAAAtwo ssh-ed25519,AAAAthree"
    [[ $(keys) != *AAAAone* && $(keys) == *AAAAcloud*AAAAcolleague*AAAAtwo*AAAAthree* ]]
}

@test "without a file there is one afterwards, for its owner alone; without an account there is an error" {
    rm -r "$home/.ssh"
    login KEYS="ssh-ed25519,AAAAone"
    [[ $status == 0 && $(keys) == 'ssh-ed25519 AAAAone multihost' ]]
    [[ $(/usr/bin/stat -c %a "$home/.ssh" "$home/.ssh/authorized_keys") == $'700\n600' ]]
    stub getent 'exit 2'
    login KEYS="ssh-ed25519,AAAAone"
    [[ $status != 0 && $stderr == *'no account admin'* ]]
}

@test "what others have in their lines is read as text, whatever bash would make of it" {
    # shellcheck disable=SC2016
    mine='command="/bin/x-$(touch${IFS}$HOST/executed)" ssh-ed25519 AAAAmine
command="x[$(touch${IFS}$HOST/executed)]`touch${IFS}$HOST/executed`" ssh-ed25519 AAAAmine
ssh-rsa AAAAcloud me @ work ] [ \ '\'' " *'
    for compatible in 4.4 5.1 5.2; do
        printf '%s\n' "$mine" >"$home/.ssh/authorized_keys"
        export BASH_COMPAT=$compatible
        login KEYS="ssh-ed25519,AAAAone ssh-rsa,AAAAcloud ssh-ed25519,AAAAtwo"
        unset BASH_COMPAT
        [[ $status == 0 && ! -e $host/executed ]]
        [[ $(<"$home/.ssh/authorized_keys") == "$mine"$'\nssh-ed25519 AAAAone multihost\nssh-ed25519 AAAAtwo multihost' ]]
    done
}

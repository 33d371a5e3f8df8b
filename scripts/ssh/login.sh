# shellcheck shell=bash
# Who logs in for administration: the keys that are named, beside whatever others there are.
#
# PARAM_USER    the account
# PARAM_KEYS    "ssh-ed25519,AAAA… …": they log in
# PARAM_RETIRED likewise: they no longer do, wherever they came from; nor do those that an earlier run planted (optional)

main() {
    local home group file line key kept='' known='' planted=${LOGIN_KEYS:-/var/lib/multihost/login-keys}
    local -A wanted=() dropped=()
    require_params PARAM_USER PARAM_KEYS
    home=$(getent passwd "$PARAM_USER" | cut -d: -f6) || true
    [[ -n $home ]] || die "user: this host has no account $PARAM_USER"
    group=$(id -gn "$PARAM_USER")
    file=$home/.ssh/authorized_keys

    for key in $PARAM_KEYS; do
        wanted[${key#*,}]=${key%%,*}
    done
    [[ ! -r $planted ]] || known=$(<"$planted")
    for key in ${PARAM_RETIRED:-} $known; do
        [[ -n ${wanted[${key#*,}]:-} ]] || dropped[${key#*,}]=1
    done

    # Lines of others stay as they are, options and comments included.
    while IFS= read -r line || [[ -n $line ]]; do
        for key in $line; do
            [[ -z ${dropped[$key]:-} ]] || continue 2
            # In double quotes bash would read the word as a subscript, and run what it has in $(…).
            unset 'wanted[$key]'
        done
        kept+=$line$'\n'
    done < <(cat "$file" 2>/dev/null)
    for key in $PARAM_KEYS; do
        [[ -z ${wanted[${key#*,}]:-} ]] || kept+="${key/,/ } multihost"$'\n'
    done

    directory "$home/.ssh" 0700 "$PARAM_USER:$group"
    # What was planted is known before it is there, so that a run that is cut off leaves no key that nobody takes away.
    mkdir -p "${planted%/*}"
    file_write "$planted" 0600 root:root "$PARAM_KEYS"
    file_write "$file" 0600 "$PARAM_USER:$group" "${kept%$'\n'}"
    finish
}

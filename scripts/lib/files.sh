# shellcheck shell=bash
# Files that are written whole or not at all, and only when they differ.

# shellcheck disable=SC2034 # FILE_CHANGED is read by whoever calls

# file_write PATH MODE OWNER:GROUP CONTENT: sets FILE_CHANGED. The content is an argument of a function, so no process shows it.
file_write() {
    local path=$1 mode=$2 owner=$3 content=$4 temporary
    FILE_CHANGED=false
    if [[ -f $path && ! -L $path && $(cat "$path" && echo x) == "$content"$'\n'x ]]; then
        file_mode "$path" "$mode" "$owner"
        return 0
    fi
    temporary=$(mktemp "${path%/*}/.${path##*/}.XXXXXX")
    chmod "$mode" "$temporary"
    chown "$owner" "$temporary"
    printf '%s\n' "$content" >"$temporary"
    if command -v selinuxenabled >/dev/null && selinuxenabled; then
        chcon --reference="${path%/*}" "$temporary" 2>/dev/null || true
    fi
    mv -f "$temporary" "$path"
    ! command -v restorecon >/dev/null || restorecon "$path" 2>/dev/null || true
    FILE_CHANGED=true
    changed "$path"
}

# file_mode PATH MODE OWNER:GROUP: a fifth digit makes chmod clear a setgid bit that a folder inherited.
file_mode() {
    local mode=$((8#$2))
    if [[ $(stat -c '%a %U:%G' "$1") != "$(printf '%o' "$mode") $3" ]]; then
        chown "$3" "$1"
        chmod "0$2" "$1"
        FILE_CHANGED=true
        changed "$1: mode and owner"
    fi
}

# directory PATH MODE OWNER:GROUP
directory() {
    if [[ ! -d $1 ]]; then
        mkdir -p "$1"
        chown "$3" "$1"
        chmod "0$2" "$1"
        changed "$1"
    else
        file_mode "$@"
    fi
}

file_remove() {
    [[ -e $1 || -L $1 ]] || return 0
    rm -rf "$1"
    changed "$1 removed"
}

# Text without the line breaks at its end: whoever makes a PEM may end it with one, or not.
trimmed() {
    local text=$1
    while [[ $text == *$'\n' ]]; do
        text=${text%$'\n'}
    done
    printf '%s' "$text"
}

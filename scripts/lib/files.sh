# shellcheck shell=bash
# Files that are written whole or not at all, and only when they differ.

# shellcheck disable=SC2034 # FILE_CHANGED is read by whoever calls

# A service user can put a link into a folder of its own, also between two commands, and root would write behind it, or give it away.
# Root goes by links in folders that nobody else may write: those are an administrator's.

# real_path PATH: without the links on the way. One that others than root may have made ends the step.
real_path() {
    local rest=$1 path='' name followed=0
    while [[ -n $rest ]]; do
        name=${rest%%/*}
        rest=${rest#"$name"}
        rest=${rest#/}
        case $name in
        '' | .) ;;
        ..) path=${path%/*} ;;
        *)
            if [[ ! -L $path/$name ]]; then
                path+=/$name
                continue
            fi
            [[ -z $(find "${path:-/}" -maxdepth 0 \( ! -user root -o -perm -o+w -o -perm -g+w ! -group root \)) ]] ||
                die "$path/$name is a link, and others than root may write in ${path:-/}: put what it leads to in its place (\`mount --bind\` shows a folder of another disk there), or give ${path:-/} to root"
            ((followed++ < 40)) || die "$1: the links on the way lead in a circle"
            name=$(readlink "$path/$name")
            rest=$name/$rest
            [[ $name != /* ]] || path=
            ;;
        esac
    done
    printf '%s' "${path:-/}"
}

# folder_enter PATH: in a subshell, which stays there whatever is put in the folder's place.
folder_enter() {
    local real
    real=$(real_path "$1")
    { cd "$real" && [[ $(readlink /proc/self/cwd) == "$real" ]]; } || die "$1 is no longer what it was: somebody else moves folders there"
}

# file_write PATH MODE OWNER:GROUP CONTENT: sets FILE_CHANGED. The content is an argument of a function, so no process shows it.
file_write() {
    local path=$1 mode=$2 owner=$3 content=$4 what=$1 temporary
    FILE_CHANGED=false
    if [[ -f $path && ! -L $path && $(cat "$path" && echo x) == "$content"$'\n'x ]]; then
        [[ $(stat -c '%a %U:%G' "$path") != "$(printf '%o' "$((8#$mode))") $owner" ]] || return 0
        what+=': mode and owner'
    fi
    temporary=$(mktemp -u ".${path##*/}.XXXXXX")
    (
        folder_enter "${path%/*}"
        umask 077
        # Fails where something has that name. From here on the file is known by its descriptor, as its name may be another's.
        set -C
        exec 3>"$temporary"
        printf '%s\n' "$content" >&3
        if selinux_enabled; then
            chcon --reference=. /dev/fd/3 2>/dev/null || true
        fi
        chmod "$mode" /dev/fd/3
        chown "$owner" /dev/fd/3
        mv -fT "$temporary" "${path##*/}"
    )
    ! command -v restorecon >/dev/null || restorecon "$path" 2>/dev/null || true
    FILE_CHANGED=true
    changed "$what"
}

# directory PATH MODE OWNER:GROUP
directory() {
    local what=$1
    real_path "$1" >/dev/null
    if [[ ! -d $1 ]]; then
        mkdir -p "$1"
    elif [[ $(stat -c '%a %U:%G' "$1/.") != "$(printf '%o' "$((8#$2))") $3" ]]; then
        what+=': mode and owner'
    else
        return 0
    fi
    (
        folder_enter "$1"
        chown "$3" .
        # A fifth digit clears a setgid bit that a folder inherited.
        chmod "0$2" .
    )
    changed "$what"
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

# shellcheck shell=bash
# Kernel settings, now and after every boot.

# sysctl_set FILE KEY=VALUE | KEY>=VALUE…: a host that can't set one (a container, where it belongs to the machine below) says
# so in its notes.
sysctl_set() {
    local file=$1 setting key value current path text='# Written by multihost.' unset=()
    shift
    for setting in "$@"; do
        key=${setting%%[>=]*}
        value=${setting#*=}
        path=${PROC_SYS:-/proc/sys}/${key//.//}
        if [[ ! -r $path ]]; then
            note "$key is not set to $value: this kernel doesn't have it here"
            continue
        fi
        current=$(tr '\t' ' ' <"$path")
        if [[ $setting == *">="* ]] && ((current > value)); then
            value=$current
        fi
        text+=$'\n'"$key = $value"
        [[ $current == "$value" ]] || unset+=("$key=$value")
    done
    file_write "${SYSCTL_D:-/etc/sysctl.d}/$file" 0644 root:root "$text"
    for setting in ${unset[@]+"${unset[@]}"}; do
        key=${setting%%=*}
        value=${setting#*=}
        path=${PROC_SYS:-/proc/sys}/${key//.//}
        current=$(tr '\t' ' ' <"$path")
        # A subshell, since bash itself reports a redirection that fails.
        if (printf '%s\n' "$value" >"$path") 2>/dev/null; then
            changed "$key = $value"
        else
            note "$key stays $current instead of $value: /proc/sys can't be written on this host"
        fi
    done
}

# Transparent huge pages make a fork copy 2 MiB for every byte that is written.
thp_never() {
    local path=${THP_FILE:-/sys/kernel/mm/transparent_hugepage/enabled}
    [[ -e $path ]] || return 0
    file_write "${TMPFILES_D:-/etc/tmpfiles.d}/multihost-thp.conf" 0644 root:root "w $path - - - - never"
    # The kernel lists all choices; a container's own copy of the file begins with what was written last.
    case $(<"$path") in
    never* | *"[never]"*) return 0 ;;
    esac
    if (printf 'never\n' >"$path") 2>/dev/null; then
        changed "transparent huge pages off"
    else
        note "transparent huge pages stay $(sed -n 's/.*\[\(.*\)\].*/\1/p' "$path"): /sys can't be written on this host"
    fi
}

# Bytes that this host may use: the smaller of the machine's memory and the control group's limit.
memory_bytes() {
    local total limit file
    total=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "${PROC_MEMINFO:-/proc/meminfo}") * 1024))
    for file in "${CGROUP:-/sys/fs/cgroup}/memory.max" "${CGROUP:-/sys/fs/cgroup}/memory/memory.limit_in_bytes"; do
        if [[ -r $file ]]; then
            limit=$(<"$file")
            if [[ $limit != max ]] && ((limit < total)); then
                total=$limit
            fi
        fi
    done
    printf '%s' "$total"
}

# memory_size NAME SIZE: bytes of "60%" of this host's memory, or of a size such as 512mb or 4gb; whole MiB.
memory_size() {
    local number=${2%%[!0-9]*} unit=${2##*[0-9]} memory size
    memory=$(memory_bytes)
    # shellcheck disable=SC2017 # whole MiB are wanted
    case $unit in
    %) size=$((memory * number / 104857600 * 1048576)) ;;
    mb) size=$((number * 1048576)) ;;
    gb) size=$((number * 1073741824)) ;;
    *) die "$1: '$2' is neither a percentage nor a size in mb or gb" ;;
    esac
    # The kernel would kill the service when it has filled it, not when it starts.
    ((size * 10 <= memory * 9)) ||
        die "$1: $2 is more than 90% of this host's $((memory / 1048576))mb: give a smaller size, or a share such as 60%"
    printf '%s' "$size"
}

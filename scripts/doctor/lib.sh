# shellcheck shell=bash
# What a check is made of. It looks and reports, and changes nothing on the host: it writes no file on a disk, restarts nothing, installs nothing.
#
# A check is a file doctor/<service>/<step>.sh with a function `check`. It runs on every host that the step <service>/<step> ran on, with
# that step's PARAM_… and SECRET_…. A line "# doctor: any host" marks one that asks the service as a whole, from any of its hosts
# when the step's own is down; "# doctor: any host with <service>/<step>" names the step that such a host needs. Checks of dns/ and balancer/
# belong to no step: their PARAM_… come from the state of the cloud's resources.

PROC=${PROC:-/proc}

# ok | warn | fail CHECK DETAIL: one finding. A detail of what is wrong says what to do about it.
ok() { finding "$1" ok "$2"; }
warn() { finding "$1" warning "$2"; }
fail() { finding "$1" failed "$2"; }

# finding CHECK STATUS DETAIL [PEER…]: names of the hosts to which this one has no way. Where the doctor has no way to them either, this is
# no finding of its own.
finding() {
    local check=$1 status=$2 detail=$3
    shift 3
    printf '{"check":%s,"status":"%s","detail":%s' "$(json_string "$check")" "$status" "$(json_string "$detail")"
    (($# == 0)) || printf ',"peers":%s' "$(json_list "$@")"
    printf '}\n'
}

# step_again: the command that runs the check's own step again, since an update finds nothing to do after one that came to its end.
# Only for steps that speak for a whole service: others are undone before they run again, so what mends those is done by hand.
step_again() {
    # shellcheck disable=SC2016 # it is what the user types
    printf '`pulumi up --target-replace "**::%s"`' "$STEP_NAME"
}

# certificate CHECK FILE [RENEWAL]: the doctor itself judges the end of its validity; RENEWAL says what to do about one that ends, unless an
# update renews it. Coded once more, since a PEM that is also among the step's secrets would be struck out.
certificate() {
    if [[ -r $2 ]]; then
        printf '{"check":%s,"certificate":"%s"%s}\n' "$(json_string "$1")" "$(base64 -w 0 "$2")" "${3:+,\"renewal\":$(json_string "$3")}"
    else
        fail "$1" "$2 can't be read: restore it, or give the service other keys, or another certificate, with which an update writes it anew"
    fi
}

# certificate_of CHECK PEM OF [RENEWAL]: one that somebody shows; what it is of stands before the finding, RENEWAL says what to do about one
# that ends, unless an update renews it.
certificate_of() {
    printf '{"check":%s,"certificate":"%s","of":%s' "$(json_string "$1")" "$(base64 -w 0 <<<"$2")" "$(json_string "$3")"
    [[ -z ${4:-} ]] || printf ',"renewal":%s' "$(json_string "$4")"
    printf '}\n'
}

# certificate_taken_over FILE ADVICE WORD…: old versions of GlusterFS read their certificate at their start only. Looks at its processes that
# have one of these words in their command lines; ADVICE is what to do about one that is older than the file.
certificate_taken_over() {
    local file=$1 advice=$2 boot written process words word fields started all=() former=()
    shift 2
    ! gluster_rereads || return 0
    boot=$(sed -n 's/^btime //p' "$PROC/stat" 2>/dev/null) || true
    written=$(date -r "$file" +%s 2>/dev/null) || true
    [[ -n $boot && -n $written ]] || return 0
    for process in "$PROC"/[0-9]*; do
        # Any of them may end meanwhile.
        words=$(tr '\0' '\n' 2>/dev/null <"$process/cmdline") || continue
        word=${words%%$'\n'*}
        [[ ${word##*/} == glusterfs || ${word##*/} == glusterfsd ]] || continue
        for word in "$@"; do
            grep -qxF -e "$word" <<<"$words" || continue
            # What stands before the last bracket is the program's name. The kernel counts in hundredths of a second.
            fields=$(cat "$process/stat" 2>/dev/null) || continue 2
            read -ra fields <<<"${fields##*) }"
            started=$((boot + fields[19] / 100))
            all+=("${process##*/}")
            # The boot's time is rounded, and a new host's processes begin within seconds of the file.
            ((written <= started + 5)) || former+=("${process##*/}")
            break
        done
    done
    if ((${#former[@]} > 0)); then
        warn certificate-in-use "process ${former[*]} still uses the certificate from before: $advice"
    elif ((${#all[@]} > 0)); then
        ok certificate-in-use "process ${all[*]} began with it"
    fi
}

# unit_runs CHECK UNIT: fails, too, where it doesn't run.
unit_runs() {
    local state
    state=$(systemctl is-active "$2" 2>/dev/null) || true
    if [[ $state == active ]]; then
        ok "$1" "$2 is active"
        return 0
    fi
    fail "$1" "$2 is ${state:-not known to systemd}: journalctl -u $2 says why, systemctl start $2 starts it"
    return 1
}

# mount_answers MOUNT-POINT SILENT: a file system that storage/… mounts is there, answers, and will be there after a boot. SILENT says what to
# look at when it gives no answer.
mount_answers() {
    local unit
    unit=$(retry_unit "$1")
    if ! is_mounted "$1"; then
        fail mount "nothing is mounted on $1: systemctl start $unit, and journalctl -u $(mount_unit "$1") says why not"
    elif mount_broken "$1"; then
        fail mount "$1 gives no answer: $2"
    elif ! share_is_restricted "$1"; then
        warn mount "$1 answers, and programs of root's and devices on it count here: mount -o remount,bind,$SHARE_RESTRICTIONS $1"
    else
        ok mount "$1 answers"
    fi
    if [[ -z $(fstab_line "$1") ]]; then
        # Of it systemd makes the unit that the service starts.
        fail boot "$FSTAB has no line for $1, so that a boot leaves it empty and what is written there lands on the system disk: put the line back, as $PROC/mounts has the mount, with the options _netdev,nofail; then systemctl daemon-reload"
    elif systemctl is-enabled --quiet "$unit" 2>/dev/null; then
        ok boot "$unit is enabled"
    else
        fail boot "$unit is not enabled, so that a boot may leave $1 empty: systemctl enable $unit"
    fi
}

# sample ITEM…: of "name=address" items those eight whose names follow this host's, in a ring. All hosts together try everyone, and a pool
# of a hundred doesn't log in ten thousand times.
sample() {
    local self=${HOSTNAME%%.*} item before=() after=() ring
    while read -r item; do
        if [[ ${item%%=*} == "$self" ]]; then
            continue
        elif [[ $(printf '%s\n' "$self" "${item%%=*}" | sort -V | head -n 1) == "$self" ]]; then
            after+=("$item")
        else
            before+=("$item")
        fi
    done < <(printf '%s\n' "$@" | sort -V)
    ring=(${after[@]+"${after[@]}"} ${before[@]+"${before[@]}"})
    printf '%s\n' ${ring[@]+"${ring[@]:0:8}"}
}

# Findings go to standard output, everything else to standard error, and a secret to neither.
doctor_run() {
    local err_trap
    # Bash before 5.1 makes a file of every here-string. In memory, a full or read-only disk doesn't keep its own finding from being told.
    [[ ! -d /dev/shm || ! -w /dev/shm ]] || export TMPDIR=/dev/shm
    err_trap=$(trap -p ERR)
    trap - ERR
    set +e
    {
        (
            eval "$err_trap"
            set -e
            check </dev/null
        ) 2>&1 >&3 | step_redact >&2
        exit "${PIPESTATUS[0]}"
    } 3>&1 | step_redact
    exit "${PIPESTATUS[0]}"
}

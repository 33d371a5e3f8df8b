# shellcheck shell=bash
# A host for the tests of storage/*: disks, file systems and mounts are files below $host.

# storage_host OS: a host with disks and mounts that are kept in files.
storage_host() {
    stub_host "$1"
    mkdir -p "$host/dev/disk/by-id" "$host/mounts"
    export FSTAB=$host/fstab DEV=$host/dev PROC_MOUNTS=$host/proc-mounts DISK_WAIT=0
    : >"$host/proc-mounts"
    # shellcheck disable=SC2016
    {
        stub findmnt '
            for file in "$HOST/mounts"/*; do
                [[ -e $file ]] || continue
                target=${file#"$HOST/mounts/${HOST//\//_}"}
                echo "$HOST${target//_//} $(cat "$file")"
            done'
        stub systemd-escape 'name=${*: -1}; name=${name#/}; echo "${name//\//-}.mount"'
        mv "$bin/systemctl" "$bin/systemctl.units"
        stub systemctl '
            if [[ $1 == start && $2 == *.mount ]]; then
                [[ ! -e $HOST/no-server ]] || exit 1
                line=$(tail -n 1 "$FSTAB"); read -r source target _ <<<"$line"
                echo "$source" >"$HOST/mounts/${target//\//_}"; exit 0
            fi
            exec systemctl.units "$@"'
        stub mount 'echo "$1" >"$HOST/mounts/${1//\//_}"'
        stub umount 'target=${*: -1}; rm -f "$HOST/mounts/${target//\//_}"'
        stub blkid 'if [[ -e $HOST/disk-holds ]]; then cat "$HOST/disk-holds"; else exit 2; fi'
        stub mkfs.xfs 'echo "TYPE=xfs" >"$HOST/disk-holds"; cp "$HOST/disk-gib" "$HOST/filesystem-gib"'
        echo 20 >"$host/disk-gib"
        stub blockdev 'echo $(($(cat "$HOST/disk-gib") << 30))'
        stub xfs_growfs 'cp "$HOST/disk-gib" "$HOST/filesystem-gib"'
        stub df 'echo Size; cat "$HOST/filesystem-gib"'
    }
}

# mount_says TEXT STATUS: what a look at a mounted file system ends with.
mount_says() {
    [[ -e $bin/stat.plain ]] || mv "$bin/stat" "$bin/stat.plain"
    stub stat "[[ \$1 == -t ]] || exec stat.plain \"\$@\"; echo \"stat: cannot statx '\$2': $1\" >&2; exit $2"
}

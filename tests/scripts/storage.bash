# shellcheck shell=bash
# A host for the tests of storage/*: disks, file systems and mounts are files below $host.

# storage_host OS: a host with disks and mounts that are kept in files.
storage_host() {
    stub_host "$1"
    mkdir -p "$host/dev/disk/by-id" "$host/mounts" "$host/flags"
    export FSTAB=$host/fstab DEV=$host/dev PROC_MOUNTS=$host/proc-mounts DISK_WAIT=0 STORAGE_OWNERS=$host/storage-owners \
        STORAGE_LOCK=$host/storage.lock
    : >"$host/proc-mounts"
    # shellcheck disable=SC2016
    {
        stub findmnt '
            for file in "$HOST/mounts"/*; do
                [[ -e $file ]] || continue
                target=${file#"$HOST/mounts/${HOST//\//_}"}
                [[ $* == *TARGET,SOURCE* ]] || file=$HOST/flags/${file##*/}
                echo "$HOST${target//_//} $(cat "$file")"
            done'
        stub systemd-escape 'name=${*: -1}; name=${name#/}; name=${name//-/"\\x2d"}; name=${name//\//-}
            [[ $* != *--suffix=mount* ]] || name+=.mount
            printf "%s\n" "$name"'
        mv "$bin/systemctl" "$bin/systemctl.units"
        stub systemctl '
            if [[ $1 == start && $2 == *.mount ]]; then
                [[ ! -e $HOST/no-server ]] || exit 1
                line=$(tail -n 1 "$FSTAB"); read -r source target _ options _ <<<"$line"
                echo "$source" >"$HOST/mounts/${target//\//_}"; echo "rw,$options" >"$HOST/flags/${target//\//_}"; exit 0
            fi
            exec systemctl.units "$@"'
        # What a mount hides, and what is on the disk while it is not mounted, stand beside the mount point.
        stub mount '
            if [[ $1 == --bind ]]; then
                for entry in "$2"/*; do
                    [[ $entry == *.bare || $entry == *.disk || -e $entry.bare ]] || ln -s "$entry" "$3"
                    [[ $entry != *.bare ]] || { name=${entry##*/}; ln -s "$entry" "$3/${name%.bare}"; }
                done
                exit 0
            fi
            if [[ $2 == remount,* ]]; then
                [[ ! -e $HOST/no-remount ]] || exit 32
                echo "${2/remount,bind/rw}" >"$HOST/flags/${3//\//_}"
                exit 0
            fi
            mv "$1" "$1.bare"
            if [[ -d $1.disk ]]; then mv "$1.disk" "$1"; else mkdir "$1"; fi
            echo "$1" >"$HOST/mounts/${1//\//_}"'
        stub umount '
            target=${*: -1}; rm -f "$HOST/mounts/${target//\//_}"
            [[ ! -d $target.bare ]] || { mv "$target" "$target.disk"; mv "$target.bare" "$target"; }'
        stub unshare '
            [[ ! -e $HOST/no-unshare ]] || exit 1
            "${@:2}" || status=$?
            find "${*: -2:1}" -type l -delete
            exit "${status:-0}"'
        # One disk, which is found under the name that disk-name holds.
        stub blkid '
            [[ -e $HOST/disk-holds ]] || exit 2
            if [[ $1 == -U ]]; then grep -qx "UUID=$2" "$HOST/disk-holds" && cat "$HOST/disk-name"
            elif [[ -e $HOST/disk-name && ${*: -1} != "$(cat "$HOST/disk-name")" ]]; then cat "$HOST/other-disk-holds" 2>/dev/null || exit 2
            else cat "$HOST/disk-holds"; fi'
        stub udevadm 'exit 1'
        stub mkfs.xfs 'printf "UUID=0b1e-55ed\nTYPE=xfs\n" >"$HOST/disk-holds"; cp "$HOST/disk-gib" "$HOST/filesystem-gib"'
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

# shellcheck shell=bash
# A host of either family made of stand-ins: a package manager, systemd and owners that only write down what they are told.

# stub_host debian-12 | alinux-3 | centos-7 | …
stub_host() {
    host=$BATS_TEST_TMPDIR/host
    bin=$host/bin
    mkdir -p "$bin" "$host"/{etc/redis,units,sysctl.d,tmpfiles.d,sudoers.d,run,proc/vm,proc/net/core,packages,active,enabled,lists,cgroup}
    : >"$host/argv"
    : >"$host/owners"
    printf 'ID=%s\nVERSION_ID="%s"\nPRETTY_NAME="A test host"\n' "${1%%-*}" "${1#*-}" >"$host/os-release"
    printf 'MemTotal:        4194304 kB\n' >"$host/meminfo"
    printf '0\n' >"$host/proc/vm/overcommit_memory"
    printf '128\n' >"$host/proc/net/core/somaxconn"
    printf 'always madvise [never]\n' >"$host/thp"
    : >"$host/lists/archive_Packages"
    export OS_RELEASE_FILE=$host/os-release SYSTEMD_UNITS=$host/units SYSCTL_D=$host/sysctl.d TMPFILES_D=$host/tmpfiles.d PROC_SYS=$host/proc \
        PROC_MEMINFO=$host/meminfo CGROUP=$host/cgroup THP_FILE=$host/thp SUDOERS_D=$host/sudoers.d APT_LISTS=$host/lists \
        POLICY_RC_D=$host/policy-rc.d PACKAGES_PAUSE=0 PACKAGES_LOCK=$host/packages.lock PACKAGES_PINS=$host/packages.pins APT_PREFERENCES=$host/preferences \
        REDIS_ETC=$host/etc/redis/cluster REDIS_RUN=$host/run REDIS_OWNER=$host/redis-owner HOST=$host PROC=$host/processes PATH=$bin:$PATH

    # shellcheck disable=SC2016
    {
        stub chown '[[ $1 != -R ]] || shift; printf "%s=%s\n" "$(/usr/bin/stat -L -c %i "$2")" "$1" >>"$HOST/owners"'
        stub stat 'mode=$(/usr/bin/stat -c %a "$3"); owner=$(grep "^$(/usr/bin/stat -c %i "$3")=" "$HOST/owners" | tail -n 1); echo "$mode ${owner#*=}"'
        # A package's file holds its version.
        stub dpkg-query '
            [[ -e $HOST/packages/${*: -1} ]] || exit 1
            if [[ $* == *Version* ]]; then cat "$HOST/packages/${*: -1}"; else printf installed; fi'
        stub rpm '
            [[ -e $HOST/packages/${*: -1} ]] || exit 1
            [[ $* != *VERSION* ]] || cat "$HOST/packages/${*: -1}"'
        stub apt-cache 'sed -n "s/^$2 \(.*\)/   $2 | \1 | archive/p" "$HOST/offered" 2>/dev/null'
        for manager in apt-get dnf yum; do
            stub "$manager" '
                if [[ -s $HOST/failures ]]; then
                    head -n 1 "$HOST/failures" >&2; sed -i 1d "$HOST/failures"; exit 100
                fi
                if [[ $* == *showduplicates* ]]; then
                    sed -n "s/^${*: -1} /${*: -1}.x86_64  /p" "$HOST/offered" 2>/dev/null
                fi
                installing=no
                for word in "$@"; do
                    if [[ $installing == yes && $word =~ ^([a-z-]+)[=-]([0-9].*)$ ]]; then
                        printf %s "${BASH_REMATCH[2]}" >"$HOST/packages/${BASH_REMATCH[1]}"
                    elif [[ $installing == yes && $word != -* && $word != *::* ]]; then touch "$HOST/packages/$word"; fi
                    [[ $word != install ]] || installing=yes
                done
                [[ ! -e $HOST/policy-rc.d ]] || touch "$HOST/policy-was-there"'
        done
        stub systemctl '
            unit=${*: -1}
            case $1 in
            is-active)
                state=inactive
                [[ ! -e $HOST/active/$unit ]] || state=active
                [[ $* == *--quiet* ]] || echo "$state"
                [[ $state == active ]] || exit 3 ;;
            show) cat "$HOST/pid" 2>/dev/null || echo 0 ;;
            is-enabled) [[ -e $HOST/enabled/$unit ]] ;;
            enable) touch "$HOST/enabled/$unit" ;;
            disable) rm -f "$HOST/enabled/$unit" ;;
            start | restart)
                touch "$HOST/active/$unit"
                [[ ! -e $REDIS_ETC/redis.conf ]] || cat "$REDIS_ETC/redis.conf" "$SYSTEMD_UNITS/redis-cluster.service" >"$REDIS_RUN/started"
                cat "$REDIS_ETC"/*.crt "$REDIS_ETC"/*.key 2>/dev/null | sha256sum >"$REDIS_RUN/tls"
                rm -f "$HOST/marks"
                echo "$RANDOM$RANDOM" >"$HOST/run-id" ;;
            stop) rm -f "$HOST/active/$unit" ;;
            esac'
        stub redis-server 'echo "Redis server v=7.0.15 sha=0 malloc=jemalloc"'
        stub redis-cli '
            while [[ $1 == -* ]]; do case $1 in -h | -p | --cacert) shift 2 ;; *) shift ;; esac; done
            case "$*" in
            PING) echo PONG ;;
            "CONFIG GET save") printf "save\n\n" ;;
            "CONFIG GET "*) echo "$3"; sed -n "s/^$3 //p" "$REDIS_ETC/redis.conf" ;;
            "INFO server") printf "# Server\r\nrun_id:%s\r\n" "$(cat "$HOST/run-id")" ;;
            "CLUSTER INFO") printf "cluster_slots_assigned:%s\r\ncluster_known_nodes:%s\r\n" "${STUB_SLOTS:-0}" "${STUB_KNOWN:-1}" ;;
            "ACL USERS") echo default; cat "$HOST/marks" 2>/dev/null || true ;;
            "ACL SETUSER multihost-restart-pending off") echo multihost-restart-pending >"$HOST/marks"; echo OK ;;
            *) echo OK ;;
            esac'
    }
}

# stub_apt: the real apt, with an archive, lists and preferences of the host's own. Installations are its plans alone: what it would install counts as
# installed.
stub_apt() {
    local apt
    apt=$(PATH=${PATH#"$bin":} command -v apt-get) || skip "it needs apt"
    mkdir -p "$host"/{archive,cache/archives/partial,state/lists/partial,apt}
    : >"$host/dpkg-status"
    printf 'deb [trusted=yes] file:%s ./\n' "$host/archive" >"$host/apt/sources.list"
    printf 'Dir::%s;\n' "Cache \"$host/cache\"" "State \"$host/state\"" "State::status \"$host/dpkg-status\"" "Etc \"$host/apt\"" >"$host/apt.conf"
    printf 'APT::Sandbox::User "root";\nDebug::NoLocking "true";\n' >>"$host/apt.conf"
    export APT_CONFIG=$host/apt.conf APT_LISTS=$host/state/lists APT_PREFERENCES=$host/apt/preferences
    rm "$bin/apt-cache"
    # shellcheck disable=SC2016
    stub apt-get '
        [[ $* == *" install "* ]] || exec '"$apt"' "$@"
        plan=$('"$apt"' -s "$@") || { status=$?; printf "%s\n" "$plan"; exit "$status"; }
        while read -r name version; do
            printf %s "$version" >"$HOST/packages/$name"
        done < <(sed -nE "s/^Inst ([^ ]*) .*\(([^ ]*) .*/\1 \2/p" <<<"$plan")'
}

# archived NAME VERSION [FIELD…]: a package as the lists have it.
archived() {
    printf '%s\n' "Package: $1" "Version: $2" 'Architecture: all' 'Maintainer: nobody' "Filename: $1.deb" 'Size: 1' \
        "SHA256: $(printf %s "$1$2" | sha256sum | cut -d ' ' -f 1)" "${@:3}" ''
}

# stub_outdated: services run a program that is no longer on the disk.
stub_outdated() {
    mkdir -p "$host/processes/7"
    ln -s '/usr/bin/program (deleted)' "$host/processes/7/exe"
    echo 7 >"$host/pid"
}

# stub_selinux: enforcing, with a policy that has 7000 for another service.
stub_selinux() {
    printf '%s\n' 'gatekeeper_port_t  tcp  1721, 7000' 'http_port_t  tcp  80, 443, 8008-8009' 'http_port_t  udp  8081' >"$host/selinux-ports"
    # shellcheck disable=SC2016
    {
        stub getenforce 'echo Enforcing'
        stub selinuxenabled ''
        stub chcon ''
        stub semanage '
            case $2 in
            -l) cat "$HOST/selinux-ports" ;;
            -a) ! grep -qw "$7" "$HOST/selinux-ports" || exit 1; echo "$4 tcp $7" >>"$HOST/selinux-ports" ;;
            -m) grep -qw "$7" "$HOST/selinux-ports" || exit 1; echo "$4 tcp $7" >>"$HOST/selinux-ports" ;;
            esac'
    }
}

# stub NAME BODY: every call leaves its arguments in $host/argv.
stub() {
    printf '#!/bin/bash\nprintf "%%s\\n" "%s $*" >>"$HOST/argv"\n%s\n' "$1" "$2" >"$bin/$1"
    chmod 0755 "$bin/$1"
}

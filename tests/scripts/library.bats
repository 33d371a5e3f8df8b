#!/usr/bin/env bats
# scripts/lib, on stand-ins for hosts of both families.

bats_require_minimum_version 1.5.0
load helper
load stubs

# try_script BODY [PARAM=value…] [-- SECRET=value…]: runs a script of one's own as a step.
try_script() {
    printf '%s\n' "$1" >"$BATS_TEST_TMPDIR/try.sh"
    shift
    run --separate-stderr step "$BATS_TEST_TMPDIR/try.sh" "$@"
    printf '%s\n' "$stderr" "$output"
}

@test "a failing command names host, script and line, once" {
    stub_host debian-12
    try_script $'# first\nmain() {\n    true\n    ls /no/such/folder\n}'
    [[ $status != 0 && -z $output ]]
    [[ $stderr == *"multihost: ${HOSTNAME%%.*}: $BATS_TEST_TMPDIR/try.sh:4: 'ls /no/such/folder' ended with status 2"* ]]
    [[ $(grep -c '^multihost:' <<<"$stderr") == 1 ]]
}

@test "a failure inside a substitution and a helper is reported once, with the script's line" {
    stub_host debian-12
    try_script $'inner() {\n    local value\n    value=$(false)\n}\nmain() {\n    inner\n}'
    [[ $stderr == *"try.sh:3: 'false' ended with status 1"* && $(grep -c '^multihost:' <<<"$stderr") == 1 ]]
    try_script $'main() {\n    wait_for 0 "the impossible" false\n}'
    [[ $stderr == *"try.sh:2: waited 0 s for the impossible"* ]]
}

@test "of a noisy command that fails the last lines are shown, of one that works nothing" {
    stub_host debian-12
    try_script $'main() {\n    quietly seq 1 5\n    quietly bash -c "seq 1 100; exit 3"\n}'
    [[ $stderr == *"try.sh:3: 'bash -c seq 1 100; exit 3' ended with status 3"* && $stderr == *"    100"* && $stderr != *"    79"* ]]
}

@test "programs speak the scripts' language, whatever the host's is" {
    stub_host debian-12
    LC_ALL=de_DE.UTF-8 LANGUAGE=de try_script $'main() {\n    finish spoken="$(bash -c \'echo "$LC_ALL"\')" kept="ä 中"\n}'
    [[ $status == 0 && $(field spoken) == '"C"' && $output == *'"kept":"ä 中"'* ]]
}

@test "results are JSON, whatever the text" {
    stub_host debian-12
    try_script $'main() {\n    changed $\'a "quoted"\\tand \\\\ broken\\nline\'\n    note plain\n    note plain\n    finish port:=7000 text=a\\"b\n}'
    [[ $status == 0 ]]
    [[ $(python3 -c 'import json, sys; v = json.loads(sys.argv[1]); print(v["changed"][0] == "a \"quoted\"\tand \\ broken\nline", v["port"], v["text"], v["notes"])' "$output") == "True 7000 a\"b ['plain']" ]]
}

@test "tells the families apart" {
    for pair in debian-12:debian debian-13:debian ubuntu-24.04:debian alinux-3:rhel rocky-9.4:rhel almalinux-9:rhel centos-9:rhel; do
        stub_host "${pair%:*}"
        try_script $'main() {\n    os_detect\n    finish family="$OS_FAMILY" name="$(os_pick redis-server redis)"\n}'
        [[ $(field family) == "\"${pair#*:}\"" ]]
    done
}

@test "refuses CentOS 7, and what it doesn't know" {
    stub_host centos-7
    try_script $'main() {\n    os_detect\n    finish family="$OS_FAMILY"\n}'
    [[ $status != 0 && $stderr == *"try.sh:2: CentOS 7 gets no security updates since 2024-06-30: use Alibaba Cloud Linux 3 or Debian 12"* ]]
    stub_host slackware-15
    try_script $'main() {\n    os_detect\n}'
    [[ $stderr == *"slackware 15 is not supported"* ]]
}

@test "installs only what is missing, in both families, without starting services" {
    for os in debian-12 alinux-3; do
        stub_host "$os"
        rm -rf "$host/packages"
        mkdir "$host/packages"
        touch "$host/packages/curl"
        try_script $'main() {\n    os_detect\n    packages_install curl jq\n    finish\n}'
        [[ $(field changed) == '["package jq"]' ]]
        [[ $(grep -cE '^(apt-get|dnf) .*install.* jq$' "$host/argv") == 1 && $(grep -c update "$host/argv") == 0 ]]
        [[ $os != debian-12 || ( -e $host/policy-was-there && ! -e $host/policy-rc.d ) ]]
        try_script $'main() {\n    os_detect\n    packages_install curl jq\n    finish\n}'
        [[ $(field changed) == '[]' ]]
    done
}

# stream_host OS STREAM…: packages of a stream that is enabled are offered beside the others.
stream_host() {
    stub_host "$1"
    mv "$bin/dnf" "$bin/dnf-of-streams"
    printf '%s\n' "${@:2}" >"$host/streams"
    # shellcheck disable=SC2016 # the stand-in expands it
    stub dnf '
        [[ $* == *"module enable"* ]] || exec dnf-of-streams "$@"
        grep -qx "${*: -1}" "$HOST/streams" || exit 1
        echo "${*: -1}" >>"$HOST/enabled-streams"'
}

@test "takes the stream of the version that is asked for, or one of those that are named, or none" {
    body=$'main() {\n    os_detect\n    packages_stream mariadb "$PARAM_VERSION" $PARAM_STREAMS\n    finish\n}'
    stream_host rocky-9.5 mariadb:10.5 mariadb:10.11 mariadb:11
    # Version, streams that are named, stream that is taken.
    for case in 10.11//10.11 1:10.11.6-1//10.11 11.8.3//11 12// // "12/10.6 10.5/10.5" 10.11/10.5/10.11 /10.5/10.5; do
        IFS=/ read -r version streams taken <<<"$case"
        : >"$host/enabled-streams"
        try_script "$body" VERSION="$version" STREAMS="$streams"
        [[ $status == 0 && $(<"$host/enabled-streams") == "${taken:+mariadb:$taken}" ]]
    done
    stub_host debian-12
    try_script "$body" VERSION=10.11 STREAMS=10.5
    [[ $status == 0 && ! -s $host/argv ]]
}

@test "takes what a package of another name provides for installed" {
    stub_host rocky-8
    # shellcheck disable=SC2016
    stub rpm '[[ $* == *"--whatprovides python3" && -e $HOST/packages/python36 ]]'
    stub dnf 'touch "$HOST/packages/python36"'
    try_script $'main() {\n    os_detect\n    packages_install python3\n    finish\n}'
    [[ $(field changed) == '["package python3"]' ]]
    try_script $'main() {\n    os_detect\n    packages_install python3\n    finish\n}'
    [[ $(field changed) == '[]' ]]
}

@test "installs and brings to the newest version that begins as asked, in both families" {
    local script=$'main() {\n    os_detect\n    packages_install_version "${PARAM_VERSION:-}" jq\n    finish\n}'
    for os in debian-12 alinux-3; do
        stub_host "$os"
        rm -rf "$host/packages"
        mkdir "$host/packages"
        printf 'jq %s\n' 5:1.6.2-1 5:1.60-1 5:1.6.10-2 5:1.7-1 >"$host/offered"
        try_script "$script" VERSION=1.6
        [[ $status == 0 && $(cat "$host/packages/jq") == 5:1.6.10-2 ]]
        try_script "$script" VERSION=1.6.10
        [[ $(field changed) == '[]' ]]
        try_script "$script" VERSION=5:1.7-1
        [[ $(cat "$host/packages/jq") == 5:1.7-1 && $(field changed) == *1.7-1* ]]
        try_script "$script"
        [[ $(field changed) == '[]' ]]
        : >"$host/argv"
        try_script "$script" VERSION=1.6
        [[ $status != 0 && $stderr == *"try.sh:3: version: this host has jq 5:1.7-1, and packages don't go back to 5:1.6.10-2 in place"* ]]
        try_script "$script" VERSION=2
        [[ $status != 0 && $stderr == *"repositories have no jq 2"* && $stderr == *"they have: 5:1.60-1 5:1.7-1 5:1.6.10-2 5:1.6.2-1"* ]]
        # Its epoch is no version.
        try_script "$script" VERSION=5
        [[ $status != 0 && $stderr == *"repositories have no jq 5"* ]]
        ! grep -q ' install ' "$host/argv"
    done
}

# archived_sources: an archive with three versions each of what sources are built into, as Debian and Ubuntu have them.
archived_sources() {
    local version
    for version in 1:10.11.9-1 1:10.11.10-1 1:10.11.11-1; do
        archived mariadb-common "$version" "Source: mariadb-10.11"
        archived mariadb-client-core "$version" "Source: mariadb-10.11" "Depends: mariadb-common (>= $version)"
        archived mariadb-backup "$version" "Source: mariadb-10.11" "Depends: mariadb-client-core (= $version)"
    done
    for version in 8.0.1-1 8.0.2-1 8.0.3-1; do
        archived mysql-server-8.0 "$version" "Source: mysql-8.0"
        archived mysql-server "$version" "Source: mysql-8.0" "Depends: mysql-server-8.0"
    done
    for version in 1.26-1 1.26-2 1.26-3; do
        archived nginx-common "$version" "Source: nginx"
        archived nginx "$version" "Depends: nginx-common (>= $version), nginx-common (<< $version.1~), libssl"
    done
    for version in 5:7.0-1 5:7.0-2 5:7.0-3; do
        archived redis-common "$version" "Source: redis"
        archived redis-server "$version+b1" "Source: redis ($version)" "Depends: redis-common (= $version)"
    done
    archived libssl 1.0
    archived libssl 2.0
}

# brought NAME=VERSION…
brought() {
    local word
    for word in "$@"; do
        [[ $(cat "$host/packages/${word%%=*}") == "${word#*=}" ]] || return
    done
}

@test "apt brings what a package of an older version needs of the same source, and heeds an administrator's preferences" {
    local script=$'main() {\n    os_detect\n    packages_install_version "$PARAM_VERSION" $PARAM_NAMES\n    finish\n}'
    stub_host debian-12
    stub_apt
    archived_sources >"$host/archive/Packages"
    printf 'Package: %s\nPin: version %s\nPin-Priority: %s\n\n' libssl 1.0 1001 nginx-common 1.26-3 990 >"$APT_PREFERENCES"
    try_script "$script" VERSION=1.26-2 NAMES=nginx
    [[ $status == 0 && $(field changed) == '["package nginx=1.26-2"]' ]]
    brought nginx=1.26-2 nginx-common=1.26-2 libssl=1.0
    try_script "$script" VERSION=10.11.10 NAMES="mariadb-client-core mariadb-backup"
    [[ $status == 0 ]]
    brought mariadb-backup=1:10.11.10-1 mariadb-client-core=1:10.11.10-1 mariadb-common=1:10.11.10-1
    # The one needs any version of the other.
    try_script "$script" VERSION=8.0.1 NAMES=mysql-server
    [[ $status == 0 ]]
    brought mysql-server=8.0.1-1 mysql-server-8.0=8.0.1-1
    # One was built once more from the same source.
    try_script "$script" VERSION=7.0-2 NAMES=redis-server
    [[ $status == 0 ]]
    brought redis-server=5:7.0-2+b1 redis-common=5:7.0-2
    try_script "$script" VERSION=1.27 NAMES=nginx
    [[ $status != 0 && $stderr == *"version: this host's repositories have no nginx 1.27"*"they have: 1.26-3 1.26-2 1.26-1"* ]]
    # What is installed in a newer version doesn't go back for it.
    rm "$host"/packages/*
    archived nginx-common 1.26-3 "Source: nginx" "Status: install ok installed" >"$host/dpkg-status"
    try_script "$script" VERSION=1.26-2 NAMES=nginx
    [[ $status != 0 && $stderr == *"can't install nginx=1.26-2"*"nginx-common (< 1.26-2.1~)"* ]]
}

@test "a version that a repository has no more of than its sources is none" {
    stub_host debian-12
    stub_apt
    archived jq 1.6-1 >"$host/archive/Packages"
    printf 'deb-src [trusted=yes] file:%s ./\n' "$host/archive" >>"$host/apt/sources.list"
    printf '%s\n' 'Package: jq' 'Binary: jq' 'Version: 1.7-1' 'Directory: .' 'Checksums-Sha256:' " $(sha256sum </dev/null | cut -d ' ' -f 1) 1 jq.dsc" '' >"$host/archive/Sources"
    try_script $'main() {\n    os_detect\n    packages_install_version 1.7 jq\n    finish\n}'
    [[ $status != 0 && $stderr == *"version: this host's repositories have no jq 1.7"*"they have: 1.6-1" ]]
}

@test "a version is looked for in lists of now, not of when the host's image was made" {
    local script=$'main() {\n    os_detect\n    packages_install_version 1.6 jq\n    finish\n}'
    stub_host debian-12
    stub_apt
    archived jq 1.6-1 >"$host/archive/Packages"
    # The stand-in runs it as it is.
    "$bin/apt-get" -q update
    archived jq 1.6-2 >"$host/archive/Packages"
    try_script "$script"
    [[ $status == 0 && $stderr != *attempt* && $(field changed) == '["package jq=1.6-2"]' ]]
    : >"$host/argv"
    try_script "$script"
    [[ $(field changed) == '[]' && $(<"$host/argv") != *" update"* ]]
    # Where a repository fails, those that don't will do.
    rm "$host/packages/jq"
    printf 'deb file:%s ./\n' "$host/nowhere" >>"$host/apt/sources.list"
    try_script "$script"
    [[ $status == 0 && $(field changed) == '["package jq=1.6-2"]' ]]
}

@test "steps of one host wait for each other with packages, and nothing that they start keeps the others out" {
    stub_host debian-12
    # shellcheck disable=SC2016
    stub apt-get '
        [[ ! -e $HOST/busy ]] || touch "$HOST/met"
        touch "$HOST/busy"; sleep 0.3; rm "$HOST/busy"
        sleep 30 >/dev/null 2>&1 & echo $! >>"$HOST/daemons"'
    for name in jq nano less; do
        printf 'main() {\n    os_detect\n    packages_install %s\n    finish\n}' "$name" >"$BATS_TEST_TMPDIR/$name.sh"
        STEP_KEY=$name step "$BATS_TEST_TMPDIR/$name.sh" >"$BATS_TEST_TMPDIR/$name.out" 2>&1 &
    done
    wait
    # Nor the same step's next run.
    touch "$host/packages/jq"
    STEP_KEY=jq STEP_PATIENCE=0 run step "$BATS_TEST_TMPDIR/jq.sh"
    xargs kill <"$host/daemons"
    [[ $status == 0 && $output != *"earlier run"* ]]
    [[ $(wc -l <"$host/daemons") == 3 && ! -e $host/met ]]
    [[ $(cat "$BATS_TEST_TMPDIR"/*.out) == *'package jq'* ]]
}

@test "repeats an installation that a network error stopped, and gives up in the end" {
    stub_host debian-12
    printf 'Temporary failure resolving\n' >"$host/failures"
    try_script $'main() {\n    os_detect\n    packages_install jq\n    finish\n}'
    [[ $status == 0 && $(grep -c ' update$' "$host/argv") == 1 ]]
    printf 'Temporary failure resolving\n%.0s' 1 2 3 4 5 6 7 8 >"$host/failures"
    try_script $'main() {\n    os_detect\n    packages_install nano\n    finish\n}'
    [[ $status != 0 && $stderr == *"try.sh:3: can't install nano"* && $stderr == *"    Temporary failure resolving"* ]]
}

@test "finishes what a host was installing when it went down, without starting services" {
    stub_host debian-12
    # shellcheck disable=SC2016
    stub dpkg '[[ $DEBIAN_FRONTEND == noninteractive && -e $HOST/policy-rc.d ]] && rm "$HOST/interrupted"'
    # shellcheck disable=SC2016
    sed -i '2a if [[ -e $HOST/interrupted && $* == *install* ]]; then echo "E: dpkg was interrupted, you must manually run '"'dpkg --configure -a'"' to correct the problem." >&2; exit 100; fi' "$bin/apt-get"
    touch "$host/interrupted"
    try_script $'main() {\n    os_detect\n    packages_install jq\n    finish\n}'
    [[ $status == 0 && $(field changed) == '["package jq"]' && ! -e $host/policy-rc.d ]]
    grep -qxF 'dpkg --force-confold --configure -a' "$host/argv"
    # What dpkg can't finish is what the user gets to read.
    touch "$host/interrupted"
    rm "$host/packages/jq"
    stub dpkg 'echo "dpkg: error processing package jq" >&2; exit 1'
    try_script $'main() {\n    os_detect\n    packages_install jq\n    finish\n}'
    [[ $status != 0 && $stderr == *"try.sh:3: can't install jq"*"dpkg: error processing package jq"* ]]
}

@test "lets services start again after an installation that was cut off, and leaves a policy of others alone" {
    local script=$'main() {\n    os_detect\n    packages_install jq\n    finish\n}'
    stub_host debian-12
    cp "$bin/apt-get" "$host/apt-get"
    # shellcheck disable=SC2016
    stub apt-get '
        touch "$HOST/packages/jq"
        cp "$HOST/policy-rc.d" "$HOST/policy-left"
        kill -9 $PPID'
    try_script "$script"
    [[ $status != 0 ]]
    cp "$host/apt-get" "$bin/apt-get"
    # First with the package, then without it.
    for _ in 1 2; do
        cp -p "$host/policy-left" "$host/policy-rc.d"
        try_script "$script"
        [[ $status == 0 && ! -e $host/policy-rc.d ]]
        rm -f "$host/packages/jq"
    done
    printf '#!/bin/sh\nexit 101\n' >"$host/policy-rc.d"
    for _ in 1 2; do
        try_script "$script"
        [[ $status == 0 && $(<"$host/policy-rc.d") == $'#!/bin/sh\nexit 101' ]]
    done
}

@test "waits for whoever else reads the lists, however often it has to ask, but not for ever" {
    local lock='E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)'
    stub_host debian-12
    rm "$host/lists/archive_Packages"
    printf "$lock\n%.0s" {1..10} >"$host/failures"
    try_script $'main() {\n    os_detect\n    packages_install jq\n    finish\n}'
    [[ $status == 0 && $(grep -c ' update$' "$host/argv") == 11 && $stderr != *attempt* ]]
    printf "$lock\n%.0s" {1..10} >"$host/failures"
    printf 'nano 1.6-1\n' >"$host/offered"
    : >"$host/argv"
    try_script $'main() {\n    os_detect\n    packages_install_version 1.7 nano\n    finish\n}'
    [[ $status != 0 && $(grep -c ' update$' "$host/argv") == 12 && $stderr == *"repositories have no nano 1.7"* ]]
    printf "$lock\n%.0s" {1..10} >"$host/failures"
    PACKAGES_PATIENCE=0 try_script $'main() {\n    os_detect\n    packages_install nano\n    finish\n}'
    [[ $status != 0 && $stderr == *"can't install nano"*"Could not get lock"* && $stderr != *attempt* ]]
}

@test "reads the lists first where there are none" {
    stub_host debian-12
    rm "$host/lists/archive_Packages"
    try_script $'main() {\n    os_detect\n    packages_install jq\n    finish\n}'
    [[ $(grep '^apt-get' "$host/argv" | head -n 1) == *" update" ]]
}

@test "files are written only when they differ, with mode and owner" {
    stub_host debian-12
    for expected in "[\"$host/file\"]" '[]'; do
        try_script $'main() {\n    file_write "$HOST/file" 0640 root:redis "line one\nline two"\n    finish\n}'
        [[ $(field changed) == "$expected" ]]
    done
    [[ $(/usr/bin/stat -c %a "$host/file") == 640 && $(cat "$host/file") == $'line one\nline two' ]]
    chmod 0600 "$host/file"
    try_script $'main() {\n    file_write "$HOST/file" 0640 root:redis "line one\nline two"\n    finish\n}'
    [[ $(field changed) == "[\"$host/file: mode and owner\"]" ]]
    [[ -z $(find "$host" -name '.file.*') ]]
}

# owned_host: with owners as they are, and a folder of a service user's beside one of root's.
owned_host() {
    ((EUID == 0)) || skip "it needs root"
    stub_host debian-12
    rm "$bin/chown" "$bin/stat"
    owner=nobody:$(id -gn nobody)
    mkdir -m 0755 "$host/theirs" "$host/secret"
    chown "$owner" "$host/theirs"
    printf 'secret\n' >"$host/secret/file"
    chmod 0600 "$host/secret/file"
}

# untouched: nobody got at root's folder and file.
untouched() {
    [[ $(/usr/bin/stat -c '%a %U' "$host/secret" "$host/secret/file" | xargs) == "755 root 600 root" ]]
    [[ $(<"$host/secret/file") == secret && $(ls -A "$host/secret") == file ]]
}

@test "root goes by no link that a service user could have made, and by those of an administrator" {
    owned_host
    body=$'main() {\n    directory "$HOST/$PARAM_FOLDER" 0700 '"$owner"$'\n    file_write "$HOST/$PARAM_FOLDER/file" 0644 '"$owner"$' text\n    finish\n}'
    ln -s ../secret "$host/theirs/link"
    for folder in theirs/link theirs/link/below; do
        try_script "$body" FOLDER="$folder"
        [[ $status != 0 && $stderr == *"try.sh:2: $host/theirs/link is a link, and others than root may write in $host/theirs: put what it leads to in its place"* ]]
        untouched
    done
    try_script $'main() {\n    file_write "$HOST/theirs/link/file" 0644 root:root text\n}'
    [[ $status != 0 && $stderr == *"$host/theirs/link is a link"* ]]
    untouched
    # One of root's that leads to one of theirs.
    ln -s "$host/theirs" "$host/way"
    try_script "$body" FOLDER=way/link
    [[ $status != 0 && $stderr == *"$host/theirs/link is a link"* ]]
    untouched
    # A folder that a group or everybody may write is nobody's own.
    mkdir "$host/open"
    ln -s ../secret "$host/open/link"
    for mode in 1777 0777; do
        chmod "$mode" "$host/open"
        try_script "$body" FOLDER=open/link
        [[ $status != 0 && $stderr == *"others than root may write in $host/open: "* ]]
        untouched
    done
    # A data disk that an administrator's link leads to.
    mkdir -p "$host/disk/folder"
    ln -s disk "$host/data"
    ln -s "$host/theirs/.././data/folder" "$host/way-to-disk"
    for expected in "[\"$host/way-to-disk: mode and owner\",\"$host/way-to-disk/file\"]" '[]'; do
        try_script "$body" FOLDER=way-to-disk
        [[ $status == 0 && $(field changed) == "$expected" ]]
    done
    [[ $(/usr/bin/stat -c '%a %U' "$host/disk/folder" "$host/disk/folder/file" | xargs) == "700 nobody 644 nobody" && -L $host/way-to-disk ]]
    # A file's own name may be a link to whatever: it is replaced.
    ln -sfn "$host/secret" "$host/theirs/known"
    try_script $'main() {\n    file_write "$HOST/theirs/known" 0600 '"$owner"$' text\n    finish\n}'
    [[ $status == 0 && ! -L $host/theirs/known && $(<"$host/theirs/known") == text ]]
    untouched
}

@test "what a service user puts in a file's or folder's place meanwhile is left alone" {
    owned_host
    # In the temporary file's place, as soon as it is there.
    # shellcheck disable=SC2016
    stub chmod 'for file in "$HOST"/theirs/.file.*; do [[ ! -e $file ]] || ln -sf "$HOST/secret/file" "$file"; done; exec /usr/bin/chmod "$@"'
    try_script $'main() {\n    file_write "$HOST/theirs/file" 0644 '"$owner"$' text\n}'
    untouched
    rm "$bin/chmod" "$host"/theirs/*
    # In the place of a file whose mode is to be another.
    printf 'text\n' >"$host/theirs/file"
    # shellcheck disable=SC2016
    stub stat '/usr/bin/stat "$@"; [[ ${*: -1} != "$HOST/theirs/file" ]] || ln -sf "$HOST/secret/file" "$HOST/theirs/file"'
    try_script $'main() {\n    file_write "$HOST/theirs/file" 0644 '"$owner"$' text\n    finish\n}'
    [[ $(field changed) == "[\"$host/theirs/file: mode and owner\"]" && ! -L $host/theirs/file ]]
    untouched
    # In a folder's place, before it is entered and after that.
    for command in stat chown; do
        rm -rf "$bin/stat" "$host"/theirs/*
        mkdir "$host/theirs/folder"
        # shellcheck disable=SC2016
        stub "$command" '/usr/bin/'"$command"' "$@"; [[ -L $HOST/theirs/folder ]] || { mv "$HOST/theirs/folder" "$HOST/theirs/moved"; ln -s "$HOST/secret" "$HOST/theirs/folder"; }'
        try_script $'main() {\n    directory "$HOST/theirs/folder" 0700 '"$owner"$'\n}'
        [[ -L $host/theirs/folder ]]
        untouched
    done
}

@test "kernel settings are set, kept when larger, and reported where they can't be" {
    stub_host debian-12
    printf '4096\n' >"$host/proc/net/core/somaxconn"
    body=$'main() {\n    sysctl_set 60-test.conf vm.overcommit_memory=1 \'net.core.somaxconn>=1024\' vm.absent=1\n    finish\n}'
    try_script "$body"
    [[ $(field changed) == *"vm.overcommit_memory = 1"* && $(field notes) == *"vm.absent is not set to 1"* ]]
    [[ $(<"$host/proc/vm/overcommit_memory") == 1 && $(<"$host/proc/net/core/somaxconn") == 4096 ]]
    try_script "$body"
    [[ $(field changed) == '[]' ]]
    # A folder in its place refuses to be written, even by root.
    rm "$host/proc/vm/overcommit_memory"
    ln -s /proc/version "$host/proc/vm/overcommit_memory"
    try_script "$body"
    [[ $status == 0 && $(field notes) == *"vm.overcommit_memory stays"*"can't be written on this host"* ]]
}

@test "transparent huge pages are switched off once" {
    stub_host debian-12
    printf 'always [madvise] never\n' >"$host/thp"
    body=$'main() {\n    thp_never\n    finish\n}'
    try_script "$body"
    [[ $(field changed) == *"transparent huge pages off"* ]]
    try_script "$body"
    [[ $(field changed) == '[]' ]]
}

@test "secrets show neither in arguments nor in what is printed" {
    stub_host debian-12
    try_script $'main() {\n    file_write "$HOST/secret" 0600 root:root "$SECRET_TOKEN"\n    log "token $SECRET_TOKEN"\n    chmod 0600 "$HOST/secret"\n    finish\n}' -- TOKEN=very-secret-token
    [[ $status == 0 && $stderr$output != *very-secret-token* ]]
    run ! grep -q very-secret-token "$host/argv"
}

@test "no secret and no line gets lost where bash can make no file, as on a full disk" {
    # shellcheck disable=SC2016 # the inner shell expands it
    run env BASH_COMPAT=5.0 SECRET_PASSWORD=$'correct-horse\nbattery-staple' STEP_SOURCES=$'1 step.sh\n812 redis/node.sh' \
        bash --norc -c 'trap "" XFSZ; ulimit -f 0; . "$0"; cat <<<word || echo "no file"
            echo "the password is correct-horse, battery-staple" | step_redact; step_locate 813' "$scripts/step.sh"
    echo "$output"
    [[ $output == *"no file"$'\n'"the password is [secret], [secret]"$'\n'"redis/node.sh:2" ]]
}

@test "scripts name an element by its text alone where bash reads a name: in single quotes" {
    # Of what a variable holds, such as somebody's comment, bash would run what is in $(…), and take an @ for all elements.
    run grep -rnE "(unset|\[\[ -v|printf -v|read) ([^';&|<]* )?\"?[A-Za-z_]+\[[^]']*\\$" "$scripts" --include=*.sh
    [[ $status == 1 && -z $output ]]
}

@test "scripts keep to what bash 4.4 has, which is Alibaba Cloud Linux 3's and the RHEL 8 generation's" {
    run grep -rnE 'EPOCH(REALTIME|SECONDS)|SRANDOM|BASH_(ARGV0|MONOSECONDS|TRAPSIG)|@[UuLKk]\}|wait .*-[pf]\b|local -( |;|$)|shopt .*(localvar|assoc_expand_once|patsub_replacement|varredir_close)|\$\{[ |]' \
        "$scripts" --include=*.sh
    [[ $status == 1 && -z $output ]]
}

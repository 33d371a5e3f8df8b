# shellcheck shell=bash
# Installing only what is missing, through the distribution's own tool.

# What a package's own scripts ask whether they may start a service.
POLICY_RC_D=${POLICY_RC_D:-/usr/sbin/policy-rc.d}
POLICY_MARK='# Of multihost, while it installs.'

package_installed() {
    if [[ $OS_FAMILY == debian ]]; then
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
    else
        rpm -q --quiet "$1" >/dev/null 2>&1
    fi
}

# package_provided NAME: by whichever package, as python36 is the RHEL 8 generation's python3.
package_provided() {
    package_installed "$1" || { [[ $OS_FAMILY == rhel ]] && rpm -q --quiet --whatprovides "$1" >/dev/null 2>&1; }
}

# packages_alone COMMAND…: no other step of this host asks or changes its packages meanwhile. Lists that one step reads are half there for
# another, and apt gives up where two write.
packages_alone() {
    local lock status=0
    exec {lock}>"${PACKAGES_LOCK:-/run/multihost-packages.lock}"
    flock -w 900 "$lock" || die "another step of this host has been installing packages for 15 minutes"
    # A package may start a daemon of its own, which must keep neither lock.
    "$@" {lock}>&- {STEP_LOCK}>&- || status=$?
    exec {lock}>&-
    return "$status"
}

# packages_install NAME…: no service of theirs is started; a step starts what it has configured.
packages_install() {
    local name missing=()
    for name in "$@"; do
        package_provided "$name" || missing+=("$name")
    done
    packages_bring "${missing[@]}"
}

packages_bring() {
    local name
    if (($# == 0)); then
        # A run that was cut off after its last package left it behind; one that is at work has the lock.
        ! policy_ours || packages_alone policy_remove
        return 0
    fi
    log "installing $*"
    packages_alone packages_fetch "$@"
    for name in "$@"; do
        changed "package $name"
    done
}

# packages_install_version VERSION NAME…: as packages_install, in the newest version that is VERSION or begins with it ("7.0" is 7.0.15
# and not 7.01). Without one, any version will do. What is installed in an older version is brought to it; running programs stay as
# they are (service_outdated). What is newer stays, and is an error.
packages_install_version() {
    local version=$1 name installed found fresh=false wanted=()
    shift
    if [[ -z $version ]]; then
        packages_install "$@"
        return
    fi
    for name in "$@"; do
        installed=$(package_version "$name")
        ! version_begins "$installed" "$version" || continue
        if [[ $fresh == false ]]; then
            packages_alone packages_reread
            fresh=true
        fi
        found=$(package_newest "$name" "$version")
        [[ -n $found ]] || die "version: this host's repositories have no $name $version" "they have: $(packages_alone package_versions "$name" | tr '\n' ' ')"
        [[ -z $installed || $(printf '%s\n' "${installed#*:}" "${found#*:}" | sort -V | tail -n 1) == "${found#*:}" ]] ||
            die "version: this host has $name $installed, and packages don't go back to $found in place: name a version that isn't older, or replace the host"
        wanted+=("$name$(os_pick '=' -)$found")
    done
    packages_bring "${wanted[@]}"
}

# packages_stream MODULE VERSION STREAM…: where repositories have streams of a module, as in the RHEL 8 and 9 families, its packages come from the one
# that VERSION begins with, or else from the first of STREAM… that there is. Only for what isn't installed: another stream is another version.
packages_stream() {
    local module=$1 version=${2#*:} stream
    shift 2
    [[ $OS_FAMILY == rhel ]] || return 0
    [[ ! $version =~ ^([0-9]+)(\.[0-9]+)? ]] || set -- "${BASH_REMATCH[0]}" "${BASH_REMATCH[1]}" "$@"
    for stream in "$@"; do
        ! packages_alone "$(packages_tool)" -q -y module enable "$module:$stream" >/dev/null 2>&1 </dev/null || return 0
    done
}

# Nothing when it isn't installed.
package_version() {
    package_installed "$1" || return 0
    if [[ $OS_FAMILY == debian ]]; then
        dpkg-query -W -f='${Version}' "$1"
    else
        rpm -q --qf '%{VERSION}-%{RELEASE}' "$1"
    fi
}

# version_begins 5:7.0.15-1 7.0: an epoch alone is no version's beginning.
version_begins() {
    [[ $1 == "$2" || $1 == "$2"[!0-9:]* || ${1#*:} == "$2" || ${1#*:} == "$2"[!0-9]* ]]
}

# package_newest NAME VERSION: reads the lists again before it says that there is none.
package_newest() {
    local attempt candidate
    for attempt in 1 2; do
        while IFS= read -r candidate; do
            if version_begins "$candidate" "$2"; then
                printf '%s' "$candidate"
                return
            fi
        done < <(packages_alone package_versions "$1")
        if ((attempt == 1)); then packages_alone quietly packages_refresh; fi
    done
}

# package_versions NAME: what the repositories have, newest first.
package_versions() {
    if [[ $OS_FAMILY == debian ]]; then
        # It lists sources too, which a repository may have in versions that it has no packages of.
        apt-cache madison "$1" 2>/dev/null | awk -F ' *[|] *' '$3 !~ / Sources$/ { print $2 }'
    else
        { "$(packages_tool)" -q list --showduplicates "$1" 2>/dev/null || true; } | awk -v name="$1." 'index($1, name) == 1 { print $2 }'
    fi | sort -Vru
}

# What an image's lists name may be gone, and newer versions there. A repository that fails matters only where nothing is found.
packages_reread() {
    packages_refresh >/dev/null 2>&1 </dev/null || true
}

packages_refresh() {
    if [[ $OS_FAMILY == debian ]]; then
        packages_apt update
    else
        "$(packages_tool)" -q clean metadata
    fi
}

# packages_apt WORD…: waits as long for those who read lists or fetch packages, such as the distribution's own timers, as apt does for dpkg's lock.
packages_apt() {
    local until=$((SECONDS + ${PACKAGES_PATIENCE:-300})) output
    until output=$(apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Acquire::http::Timeout=30 "$@" 2>&1); do
        if [[ $output != *"Could not get lock"* ]] || ((SECONDS >= until)); then
            printf '%s\n' "$output"
            return 1
        fi
        sleep "${PACKAGES_PAUSE:-3}"
    done
    printf '%s\n' "$output"
}

packages_tool() {
    if command -v dnf >/dev/null; then echo dnf; else echo yum; fi
}

packages_fetch() {
    local attempt output
    for attempt in 1 2 3 4; do
        if output=$("packages_fetch_$OS_FAMILY" "$attempt" "$@" 2>&1 </dev/null); then
            return 0
        fi
        if ((attempt == 4)) || ! packages_retry "$output"; then
            die "can't install $*" "$output"
        fi
        log "attempt $attempt to install $* failed, trying again"
        sleep $((attempt * ${PACKAGES_PAUSE:-3}))
    done
}

# A name that doesn't exist stays that way once the lists are fresh, and for locks enough time has passed; networks recover.
packages_retry() {
    case $1 in
    *"lists are fresh"*"Unable to locate package"* | *"Unable to find a match"* | *"No space left"* | *"Could not get lock"*) return 1 ;;
    *) return 0 ;;
    esac
}

packages_fetch_debian() {
    local attempt=$1 file=${PACKAGES_PINS:-/run/multihost-packages.pins} pins=()
    shift
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    if ((attempt > 1)) || ! packages_have_lists; then
        packages_apt update || return
        echo "lists are fresh"
    fi
    if [[ $* == *=* ]]; then
        packages_pins "$@" >"$file" || return
        pins=(-o "Dir::Etc::Preferences=$file")
    fi
    # Debian starts a service as it is unpacked, with a configuration that nobody has looked at.
    if [[ ! -e $POLICY_RC_D ]] || policy_ours; then
        trap policy_remove EXIT
        printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY_RC_D"
        chmod 0755 "$POLICY_RC_D"
    fi
    packages_unpack packages_apt install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${pins[@]}" "$@"
}

# packages_pins NAME=VERSION…: preferences for one call of apt, which goes by the first that fits: those of an administrator come after them. What
# these need of their own source, such as nginx-common, apt would take in its newest version, and then refuse both. A package that was built once
# more (1.0-2+b1) has another version than its source. Above a default release's 990; from 1000 on, what is installed would go back too.
packages_pins() {
    local word preferences=${APT_PREFERENCES:-/etc/apt/preferences}
    for word in "$@"; do
        { apt-cache show "$word" 2>/dev/null || true; } | awk -v source="${word%%=*}" -v version="${word#*=}" '
            function pin(wanted) { printf "Package: src:%s\nPin: version %s\nPin-Priority: 999\n\n", source, wanted }
            $1 == "Source:" { source = $2; built_from = substr($3, 2, length($3) - 2) }
            END { pin(version); if (built_from != "") pin(built_from) }'
    done
    [[ ! -r $preferences ]] || cat "$preferences"
}

# An administrator may have one of his own.
policy_ours() {
    [[ -e $POLICY_RC_D ]] && grep -qxF "$POLICY_MARK" "$POLICY_RC_D"
}

policy_remove() {
    ! policy_ours || rm -f "$POLICY_RC_D"
}

# A host that went down in the middle of an installation: apt says so, and leaves it to whoever asks.
packages_unpack() {
    local output
    if output=$("$@" 2>&1); then
        return 0
    fi
    printf '%s\n' "$output"
    [[ $output == *"dpkg --configure -a"* ]] || return
    dpkg --force-confold --configure -a && "$@"
}

packages_have_lists() {
    compgen -G "${APT_LISTS:-/var/lib/apt/lists}/*_Packages*" >/dev/null
}

packages_fetch_rhel() {
    local attempt=$1 tool
    shift
    tool=$(packages_tool)
    ((attempt == 1)) || "$tool" -q clean metadata || true
    "$tool" -q -y --setopt=install_weak_deps=False --setopt=retries=5 --setopt=timeout=30 install "$@"
}

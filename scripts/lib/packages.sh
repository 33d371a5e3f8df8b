# shellcheck shell=bash
# Installing only what is missing, through the distribution's own tool.

package_installed() {
    if [[ $OS_FAMILY == debian ]]; then
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
    else
        rpm -q --quiet "$1" >/dev/null 2>&1
    fi
}

# packages_install NAME…: no service of theirs is started; a step starts what it has configured.
packages_install() {
    local name missing=()
    for name in "$@"; do
        package_installed "$name" || missing+=("$name")
    done
    ((${#missing[@]} > 0)) || return 0
    log "installing ${missing[*]}"
    packages_fetch "${missing[@]}"
    for name in "${missing[@]}"; do
        changed "package $name"
    done
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

# A name that doesn't exist stays that way once the lists are fresh; networks and locks recover.
packages_retry() {
    case $1 in
    *"lists are fresh"*"Unable to locate package"* | *"Unable to find a match"* | *"No space left"*) return 1 ;;
    *) return 0 ;;
    esac
}

packages_fetch_debian() {
    local attempt=$1 policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d} apt
    shift
    apt=(apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Acquire::http::Timeout=30)
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    if ((attempt > 1)) || ! packages_have_lists; then
        "${apt[@]}" update || return
        echo "lists are fresh"
    fi
    # Debian starts a service as it is unpacked, with a configuration that nobody has looked at.
    if [[ ! -e $policy ]]; then
        # shellcheck disable=SC2064 # the path must be the one of now
        trap "rm -f '$policy'" EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
    fi
    "${apt[@]}" install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
}

packages_have_lists() {
    compgen -G "${APT_LISTS:-/var/lib/apt/lists}/*_Packages*" >/dev/null
}

packages_fetch_rhel() {
    local attempt=$1 tool=dnf
    shift
    command -v dnf >/dev/null || tool=yum
    ((attempt == 1)) || "$tool" -q clean metadata || true
    "$tool" -q -y --setopt=install_weak_deps=False --setopt=retries=5 --setopt=timeout=30 install "$@"
}

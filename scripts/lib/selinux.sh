# shellcheck shell=bash
# SELinux, where it refuses what its policy doesn't know.

selinux_enabled() {
    command -v selinuxenabled >/dev/null && selinuxenabled
}

# selinux_ports TYPE PORT…: services of that type may listen on these TCP ports, and now only they.
selinux_ports() {
    local type=$1 port
    shift
    [[ $(getenforce 2>/dev/null) == Enforcing ]] || return 0
    command -v semanage >/dev/null || packages_install "$([[ $OS_ID:$OS_VERSION == centos:7* ]] && echo policycoreutils-python || echo policycoreutils-python-utils)"
    for port in "$@"; do
        ! selinux_has_port "$type" "$port" || continue
        # A port that the policy has for another service can't be added, only changed.
        semanage port -a -t "$type" -p tcp "$port" >/dev/null 2>&1 </dev/null ||
            quietly semanage port -m -t "$type" -p tcp "$port"
        changed "SELinux: port $port is $type"
    done
}

selinux_has_port() {
    local list
    list=$(semanage port -l 2>/dev/null </dev/null) || return 1
    awk -v type="$1" -v port="$2" '
        $1 == type && $2 == "tcp" {
            for (i = 3; i <= NF; i++) {
                split($i, range, "[,-]")
                if (port + 0 >= range[1] + 0 && port + 0 <= ($i ~ /-/ ? range[2] : range[1]) + 0) found = 1
            }
        }
        END { exit !found }' <<<"$list"
}

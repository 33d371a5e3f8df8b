# shellcheck shell=bash
# Which distribution this is, and what differs between them.

# Sets OS_ID, OS_VERSION, OS_NAME and OS_FAMILY (debian or rhel); refuses what the scripts were not made for.
os_detect() {
    local file=${OS_RELEASE_FILE:-/etc/os-release} major
    [[ -r $file ]] || die "can't tell the distribution: $file is missing"
    OS_ID=$(os_field "$file" ID)
    OS_VERSION=$(os_field "$file" VERSION_ID)
    # shellcheck disable=SC2034 # read by host/ready.sh
    OS_NAME=$(os_field "$file" PRETTY_NAME)
    major=${OS_VERSION%%.*}
    case $OS_ID:$major in
    debian:12 | debian:13 | ubuntu:22 | ubuntu:24 | ubuntu:26) OS_FAMILY=debian ;;
    alinux:3 | anolis:8 | anolis:23) OS_FAMILY=rhel ;;
    rhel:8 | rhel:9 | rhel:10 | rocky:8 | rocky:9 | rocky:10 | almalinux:8 | almalinux:9 | almalinux:10) OS_FAMILY=rhel ;;
    centos:9 | centos:10) OS_FAMILY=rhel ;;
    centos:7) die "CentOS 7 gets no security updates since 2024-06-30: use Alibaba Cloud Linux 3 or Debian 12" ;;
    *) die "$OS_ID $OS_VERSION is not supported: use Debian 12 or 13, Ubuntu 22.04 or later, Alibaba Cloud Linux 3 or a RHEL 9 family distribution" ;;
    esac
}

os_field() {
    sed -n "s/^$2=//p" "$1" | head -n 1 | tr -d "\"'"
}

# os_pick DEBIAN RHEL: the name that this family uses.
os_pick() {
    if [[ $OS_FAMILY == debian ]]; then printf '%s' "$1"; else printf '%s' "$2"; fi
}

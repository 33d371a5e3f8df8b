# shellcheck shell=bash
# Lets a service user log in from every member to every other one. Members converge in parallel, so ssh/verify tries it afterwards.
#
# PARAM_USER         the service user (default multihost)
# PARAM_MEMBERS      "name=ip …", this host among them
# PARAM_HOST_KEYS    "name=ssh-ed25519,AAAA… …": the pinned host key of every member
# PARAM_PUBLIC_KEY, SECRET_PRIVATE_KEY  the user's key pair, the same on all members
# PARAM_OTHER_PUBLIC_KEY                another one that logs in as well, while the members change over (optional)

HELPER=${HELPER:-/usr/local/sbin/multihost-connectivity}

# The one thing that the service user may do as root: see whether a probe arrives at this host.
# It keeps to Python 3.6, which Alibaba Cloud Linux 3 and the RHEL 8 generation have.
helper_text() {
    cat <<'PYTHON'
#!/usr/bin/python3 -I
"""multihost-connectivity watch SECONDS SOURCE PORT...

Answers on those ports where nothing listens, and counts what arrives from SOURCE before any packet filter sees it. Says first which of them
somebody listens on, and which are "busy": a connection of this host's own to elsewhere has that number, so nobody can answer there.
Ends when standard input does, and after SECONDS at the latest.
"""
import ctypes
import errno
import ipaddress
import select
import socket
import struct
import subprocess
import sys
import time

LONGEST = 120


def has_listener(port):
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as lines:
                next(lines)
                for line in lines:
                    _, local, _, state = line.split()[:4]
                    if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                        return True
        except OSError:
            pass
    return False


def listen(ports):
    listeners, taken = [], []
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Several members may be watched for at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind(("", port))
            listener.listen(64)
            listener.setblocking(False)
            listeners.append(listener)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            listener.close()
            taken.append(str(port) if has_listener(port) else f"busy={port}")
    return listeners, taken


def tap(source):
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    # A busy host's other traffic stays in the kernel.
    program = struct.pack(
        "HBBIHBBIHBBIHBBI",
        0x20, 0, 0, 12,
        0x15, 0, 1, struct.unpack("!I", source)[0],
        0x06, 0, 0, 256,
        0x06, 0, 0, 0,
    )
    buffer = ctypes.create_string_buffer(program)
    packets.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", 4, ctypes.addressof(buffer)))
    return packets


def arrival(packet):
    length = (packet[0] & 15) * 4
    if packet[9] == 1 and len(packet) > length and packet[length] == 8:
        return "ping"
    if packet[9] == 6 and len(packet) > length + 13 and packet[length + 13] & 0x12 == 0x02:
        return str(struct.unpack("!H", packet[length + 2 : length + 4])[0])
    return None


def filters():
    """Whether this host has a packet filter that drops or rejects anything."""
    for command in (["nft", "list", "ruleset"], ["iptables-save"]):
        try:
            rules = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=5,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            continue
        # Bytes, since comments may be in letters that the host's language doesn't have.
        if any(word in rules for word in (b"drop", b"reject", b"DROP", b"REJECT")):
            return "yes"
    return "no"


def main(arguments):
    if len(arguments) < 3 or arguments[0] != "watch":
        sys.exit(__doc__)
    deadline = time.monotonic() + min(int(arguments[1]), LONGEST)
    source = ipaddress.IPv4Address(arguments[2]).packed
    ports = [int(port) for port in arguments[3:]]
    if len(ports) > 64 or any(not 0 < port < 65536 for port in ports):
        sys.exit("at most 64 ports between 1 and 65535")
    packets = tap(source)
    listeners, taken = listen(ports)
    print("ready", *taken, flush=True)
    counts = {}
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        ready, _, _ = select.select([sys.stdin, packets, *listeners], [], [], left)
        for one in ready:
            if one is packets:
                packet, address = packets.recvfrom(256)
                what = arrival(packet) if address[2] != socket.PACKET_OUTGOING and len(packet) >= 20 else None
                if what is not None:
                    counts[what] = counts.get(what, 0) + 1
            elif one is not sys.stdin:
                try:
                    one.accept()[0].close()
                except BlockingIOError:
                    pass
        if sys.stdin in ready and not sys.stdin.buffer.read1(4096):
            break
    print("seen", f"filters={filters()}", *(f"{what}={count}" for what, count in counts.items()), flush=True)


main(sys.argv[1:])
PYTHON
}

OWNED_BY_US="multihost service user"

is_ours() {
    [[ $(getent passwd "$1" | cut -d: -f5) == "$OWNED_BY_US" ]]
}

# Each service user has a mark and a rule of its own: a host may be in several pools with one each.
owner_mark() {
    printf '%s' "${MESH_OWNERS:-/var/lib/multihost}/mesh-owner-$1"
}

sudoers_file() {
    printf '%s' "${SUDOERS_D:-/etc/sudoers.d}/multihost-connectivity-$1"
}

# Whether this mesh, under whatever name, was the last to say who logs in.
admits_us() {
    local key
    for key in "$PARAM_PUBLIC_KEY" "${PARAM_OTHER_PUBLIC_KEY:-}"; do
        [[ -z $key ]] || ! grep -qsF -- "${key%$'\n'}" "$1" || return 0
    done
    return 1
}

plant_user() {
    local user=$1 home=$2 exists=false
    if getent passwd "$user" >/dev/null; then
        # Its authorized keys would be overwritten, and it would be deleted together with this step.
        is_ours "$user" || die "user: $user exists on this host and belongs to somebody else: choose another name"
        exists=true
    fi
    # Another mesh's, likewise.
    owner_claim "$(owner_mark "$user")" "service user $user" "$home/.ssh/authorized_keys" admits_us "$home/.ssh/authorized_keys"
    if [[ $exists == false ]]; then
        # An asterisk is a password that nothing matches; the exclamation mark that is the default can also bar logins by key.
        quietly useradd --system --create-home --home-dir "$home" --shell /bin/bash --comment "$OWNED_BY_US" \
            --password '*' "$user"
        changed "user $user"
    fi
}

main() {
    local user home member pair key options authorized addresses='' known='' sudoers former
    local -A address=()
    require_params PARAM_MEMBERS PARAM_HOST_KEYS PARAM_PUBLIC_KEY SECRET_PRIVATE_KEY
    os_detect
    packages_install sudo python3 "$(os_pick openssh-client openssh-clients)" "$(os_pick iputils-ping iputils)"
    user=$(mesh_user)
    home=${MESH_HOME:-/home/$user}
    plant_user "$user" "$home"

    for member in $PARAM_MEMBERS; do
        address[${member%%=*}]=${member#*=}
        addresses+="${addresses:+,}${member#*=}"
    done
    # Read as pairs of words: "name=type key".
    while read -r pair key; do
        [[ -n $pair ]] || continue
        [[ -n ${address[${pair%%=*}]:-} ]] || die "hostKeys: ${pair%%=*} is not among the members"
        known+="${known:+$'\n'}${address[${pair%%=*}]},${pair%%=*} ${pair#*=} $key"
        unset 'address[${pair%%=*}]'
    done < <(tr ' ,' '\n ' <<<"$PARAM_HOST_KEYS")
    ((${#address[@]} == 0)) || die "hostKeys: the key of ${!address[*]} is missing"

    directory "$home/.ssh" 0700 "$user:$user"
    file_write "$home/.ssh/known_hosts" 0600 "$user:$user" "$known"
    file_write "$home/.ssh/$(key_file)" 0600 "$user:$user" "${SECRET_PRIVATE_KEY%$'\n'}"
    options="from=\"$addresses\",no-agent-forwarding,no-port-forwarding,no-X11-forwarding"
    authorized="$options ${PARAM_PUBLIC_KEY%$'\n'}"
    [[ -z ${PARAM_OTHER_PUBLIC_KEY:-} ]] || authorized+=$'\n'"$options ${PARAM_OTHER_PUBLIC_KEY%$'\n'}"
    file_write "$home/.ssh/authorized_keys" 0600 "$user:$user" "$authorized"

    file_write "$HELPER" 0755 root:root "$(helper_text)"
    sudoers="$user ALL=(root) NOPASSWD: $HELPER"
    visudo -cqf - <<<"$sudoers" >/dev/null || die "sudo would not read the rule for $HELPER"
    file_write "$(sudoers_file "$user")" 0440 root:root "$sudoers"
    # Where an earlier release had one rule, whoever wrote it last.
    former=${SUDOERS_D:-/etc/sudoers.d}/multihost-connectivity
    [[ ! -r $former || $(<"$former") != "$sudoers" ]] || file_remove "$former"
    finish user="$user"
}

# The client looks for a key of each type under its own name.
key_file() {
    case $PARAM_PUBLIC_KEY in
    ssh-ed25519\ *) printf id_ed25519 ;;
    ssh-rsa\ *) printf id_rsa ;;
    ecdsa-*) printf id_ecdsa ;;
    *) die "publicKey: '${PARAM_PUBLIC_KEY%% *}' is not a type of SSH key that is known here" ;;
    esac
}

remove() {
    local user
    user=$(mesh_user)
    ! owner_spares "$(owner_mark "$user")" "service user $user" || return 0
    file_remove "$(sudoers_file "$user")"
    # Other service users may watch by it, too.
    compgen -G "${SUDOERS_D:-/etc/sudoers.d}/multihost-connectivity*" >/dev/null || file_remove "$HELPER"
    if is_ours "$user"; then
        quietly userdel --remove "$user"
    fi
    file_remove "$(owner_mark "$user")"
}

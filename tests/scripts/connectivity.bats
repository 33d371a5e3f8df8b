#!/usr/bin/env bats
# ssh/mesh, ssh/verify and connectivity/check, with stand-ins for the network; and the helper itself on loopback.

bats_require_minimum_version 1.5.0
load helper
load stubs

setup() {
    stub_host debian-12
    export HELPER=$host/helper MESH_HOME=$host/home MESH_OWNERS=$host
    mkdir "$MESH_HOME"
    # shellcheck disable=SC2016
    {
        stub useradd 'echo "${*: -1}:x:999:999:multihost service user:/home:/bin/bash" >>"$HOST/passwd"'
        stub userdel 'sed -i "/^${*: -1}:/d" "$HOST/passwd"; rm -rf "$MESH_HOME/.ssh"'
        stub getent 'grep -s "^$2:" "$HOST/passwd"'
        stub visudo 'cat >/dev/null'
        stub ping 'grep -qx -- "${*: -1}" "$HOST/answers-ping"'
        stub ip '[[ $3 != 10.9.* ]] || { echo "RTNETLINK answers: Network is unreachable" >&2; exit 2; }; echo "$3 dev eth0 src 10.0.0.1"'
        # A connection attempt: timeout SECONDS bash --norc -c TEXT probe ADDRESS PORT.
        stub timeout 'if grep -qx "$7 $8" "$HOST/open"; then exit 0; elif grep -qx "$7 $8" "$HOST/refused"; then echo "Connection refused"; exit 1; else exit 124; fi'
        # A login: runuser -u USER -- ssh … USER@ADDRESS COMMAND.
        stub runuser '
            command=${*: -1} target=${*: -2:1}
            address=${target#*@}
            case $command in
            true) ;;
            ping*) grep -qx -- "${command##* }" "$HOST/answers-others"; exit ;;
            ssh*) address=${command#*@}; address=${address%% *}; grep -qx "$address" "$HOST/relayed" || exit 255 ;;
            esac
            [[ $command == ssh* ]] || grep -qx "$address" "$HOST/login" || { echo "ssh: connect: timed out" >&2; exit 255; }
            [[ $command != *watch* ]] || { echo "ready $(cat "$HOST/ready-$address" 2>/dev/null)"; cat >/dev/null; echo "seen $(cat "$HOST/seen-$address" 2>/dev/null)"; }'
    }
    : >"$host/refused"
    : >"$host/answers-others"
    : >"$host/relayed"
    printf '10.0.0.2\n10.0.0.3\n' | tee "$host/login" >"$host/answers-ping"
    printf '10.0.0.%s 22\n10.0.0.%s 7000\n' 2 2 3 3 >"$host/open"
}

mesh() {
    run --separate-stderr step ssh/mesh MEMBERS="a=10.0.0.1 b=10.0.0.2" HOST_KEYS="${keys:-a=ssh-ed25519,AAAAa b=ssh-ed25519,AAAAb}" \
        USER="${user:-multihost}" PUBLIC_KEY="ssh-ed25519 AAAA${key:-public} mesh" -- PRIVATE_KEY=$'-----BEGIN KEY-----\nprivate-part\n-----END KEY-----\n'
    printf '%s\n' "$stderr" "$output"
}

check() {
    run --separate-stderr step connectivity/check PEERS="${peers:-b=10.0.0.2 c=10.0.0.3}" PORTS="22 7000"
    printf '%s\n' "$stderr" "$output"
}

@test "plants a user that logs in from the members only and knows their host keys; a second run changes nothing" {
    mesh
    [[ $status == 0 && $(cat "$MESH_HOME/.ssh/known_hosts") == $'10.0.0.1,a ssh-ed25519 AAAAa\n10.0.0.2,b ssh-ed25519 AAAAb' ]]
    [[ $(cat "$MESH_HOME/.ssh/authorized_keys") == 'from="10.0.0.1,10.0.0.2",no-agent-forwarding,no-port-forwarding,no-X11-forwarding ssh-ed25519 AAAApublic mesh' ]]
    [[ $(/usr/bin/stat -c %a "$MESH_HOME/.ssh/id_ed25519") == 600 ]]
    [[ $(cat "$SUDOERS_D/multihost-connectivity-multihost") == "multihost ALL=(root) NOPASSWD: $HELPER" ]]
    run ! grep -q private-part "$host/argv"
    mesh
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "while its key is rotated the user logs in with either, and works with the one that is named first" {
    run --separate-stderr step ssh/mesh MEMBERS="a=10.0.0.1 b=10.0.0.2" HOST_KEYS="a=ssh-ed25519,AAAAa b=ssh-ed25519,AAAAb" \
        PUBLIC_KEY="ssh-ed25519 AAAAnext" OTHER_PUBLIC_KEY="ssh-ed25519 AAAAformer" -- PRIVATE_KEY=next
    [[ $status == 0 && $(cat "$MESH_HOME/.ssh/id_ed25519") == next ]]
    [[ $(sed 's/^from="[^"]*",[a-zA-Z0-9,-]* //' "$MESH_HOME/.ssh/authorized_keys") == $'ssh-ed25519 AAAAnext\nssh-ed25519 AAAAformer' ]]
}

@test "leaves a user alone whom somebody else has made" {
    echo "multihost:x:1000:1000:A person:/home:/bin/bash" >"$host/passwd"
    mesh
    [[ $status != 0 && $stderr == *"user: multihost exists on this host and belongs to somebody else"* && ! -e $MESH_HOME/.ssh ]]
}

@test "a user of another pool's keeps its keys, and goes with that pool only" {
    STEP_KEY=first mesh
    STEP_KEY=second key=other mesh
    [[ $status != 0 && $stderr == *"the service user multihost on this host belongs to first"* ]]
    STEP_KEY=second key=other STEP_EVENT=delete mesh
    [[ $status == 0 && $stderr == *"belongs to first: it stays as it is"* ]]
    grep -q AAAApublic "$MESH_HOME/.ssh/authorized_keys"
    [[ -s $host/passwd && -e $HELPER && -e $SUDOERS_D/multihost-connectivity-multihost ]]
    STEP_KEY=first STEP_EVENT=delete mesh
    [[ $status == 0 && ! -s $host/passwd && ! -e $HELPER && -z $(ls "$SUDOERS_D") && ! -e $host/mesh-owner-multihost ]]
}

@test "two pools with a service user each have a rule each, and the helper until the last one goes" {
    STEP_KEY=first mesh
    STEP_KEY=second user=ops MESH_HOME=$host/ops mesh
    [[ $status == 0 && $(cat "$SUDOERS_D/multihost-connectivity-ops") == "ops ALL=(root) NOPASSWD: $HELPER" ]]
    STEP_KEY=first STEP_EVENT=delete mesh
    [[ -e $HELPER && $(ls "$SUDOERS_D") == multihost-connectivity-ops ]]
    STEP_KEY=second user=ops MESH_HOME=$host/ops STEP_EVENT=delete mesh
    [[ ! -e $HELPER && ! -s $host/passwd ]]
}

@test "a user of before there were marks is claimed, and its rule gets a name of its own" {
    mesh
    rm "$host/mesh-owner-multihost"
    mv "$SUDOERS_D/multihost-connectivity-multihost" "$SUDOERS_D/multihost-connectivity"
    STEP_EVENT=update key=next mesh
    [[ $status == 0 && $(cat "$host/mesh-owner-multihost") == test && $(ls "$SUDOERS_D") == multihost-connectivity-multihost ]]
    # Under its component's next name it has the same keys.
    STEP_KEY=renamed key=next mesh
    [[ $status == 0 && $(cat "$host/mesh-owner-multihost") == renamed ]]
}

@test "names the member whose host key is missing" {
    keys="a=ssh-ed25519,AAAAa" mesh
    [[ $status != 0 && $stderr == *"hostKeys: the key of b is missing"* ]]
}

@test "verifies every login and names the member that refuses" {
    run --separate-stderr step ssh/verify MEMBERS="b=10.0.0.2 c=10.0.0.3"
    [[ $status == 0 && $(field verified) == '["b","c"]' ]]
    run --separate-stderr step ssh/verify MEMBERS="b=10.0.0.2 d=10.0.0.4" TIMEOUT=1
    [[ $status != 0 && $stderr == *"multihost can't log in to 1 of 2 members"*"d: ssh: connect: timed out"* ]]
}

@test "lists every connection that works" {
    check
    [[ $status == 0 && $(field checked) == '["b:22","b:7000","b:ping","c:22","c:7000","c:ping"]' ]]
}

@test "tells a host's own firewall from a security group by what arrives" {
    printf '10.0.0.%s 22\n' 2 3 >"$host/open"
    printf 'filters=yes ping=3 22=1 7000=2\n' >"$host/seen-10.0.0.2"
    printf 'filters=no ping=3 22=1\n' >"$host/seen-10.0.0.3"
    check
    [[ $status != 0 && -z $output && $stderr == *"connectivity/check.sh:"*"2 connections don't work"* ]]
    [[ $stderr == *"-> b 7000: host firewall: packets arrive at b and are dropped there"* ]]
    [[ $stderr == *"-> c 7000: security group: packets leave here but don't arrive at c"* ]]
}

@test "says that a service refuses" {
    printf '10.0.0.%s 22\n' 2 3 >"$host/open"
    printf '10.0.0.2 7000\n' >"$host/refused"
    printf 'filters=yes 7000=2\n' >"$host/seen-10.0.0.2"
    peers=b=10.0.0.2 check
    [[ $stderr == *"-> b 7000: host firewall: packets arrive at b and are refused there"* ]]
}

@test "takes the refusal of a port that a peer's own connection has for an answer, when what was sent arrived" {
    printf '10.0.0.%s 22\n' 2 3 >"$host/open"
    printf '10.0.0.2 7000\n' >"$host/refused"
    printf 'filters=no ping=3 7000=2\n' >"$host/seen-10.0.0.2"
    printf '22 busy=7000\n' >"$host/ready-10.0.0.2"
    peers=b=10.0.0.2 check
    [[ $status == 0 && $(field checked) == '["b:22","b:7000","b:ping"]' ]]
    printf 'filters=no ping=3\n' >"$host/seen-10.0.0.2"
    peers=b=10.0.0.2 check
    [[ $status != 0 && $stderr == *"-> b 7000: host firewall: refused before it left this host"* ]]
}

@test "asks a peer whose SSH is blocked by way of another one" {
    sed -i /10.0.0.3/d "$host/login" "$host/open"
    printf '10.0.0.3\n' >"$host/relayed"
    printf 'filters=no ping=3\n' >"$host/seen-10.0.0.3"
    check
    [[ $stderr == *"c is reached by way of b only"* && $stderr == *"-> c 22: security group"* && $stderr == *"-> c 7000: security group"* ]]
}

@test "logs in at a peer's own port, from here and by way of another one" {
    sed -i /10.0.0.3/d "$host/login" "$host/open"
    printf '10.0.0.3\n' >"$host/relayed"
    run --separate-stderr step connectivity/check PEERS="b=10.0.0.2 c=10.0.0.3" PORTS=7000 SSH_PORTS="10.0.0.2=2222 10.0.0.3=2223"
    grep -q -- '^runuser .* -p 2222 multihost@10.0.0.2 sudo' "$host/argv"
    grep -q -- '^runuser .* -p 2223 multihost@10.0.0.3 sudo' "$host/argv"
    grep -q -- "^runuser .* -p 2222 multihost@10.0.0.2 ssh -p 2223 .* multihost@10.0.0.3 'sudo" "$host/argv"
    : >"$host/relayed"
    run --separate-stderr step connectivity/check PEERS="b=10.0.0.2 c=10.0.0.3" PORTS=7000 SSH_PORTS="10.0.0.3=2223"
    grep -q -- '^runuser .* -p 22 multihost@10.0.0.2 sudo' "$host/argv"
    [[ $stderr == *"-> c 2223: host firewall: it answers to ping, but not to SSH"* ]]
}

@test "tells a host that is down from one that only we don't reach, and from a missing route" {
    sed -i /10.0.0.3/d "$host/login" "$host/open" "$host/answers-ping"
    check
    [[ $stderr == *"-> c (10.0.0.3): host down"* ]]
    printf '10.0.0.3\n' >"$host/answers-others"
    check
    [[ $stderr == *"-> c (10.0.0.3): security group: it answers to ping from b"* ]]
    peers="b=10.0.0.2 d=10.9.0.1" check
    [[ $stderr == *"-> d (10.9.0.1): route: RTNETLINK answers: Network is unreachable"* ]]
}

@test "the helper answers where nothing listens, counts what arrives, and ends with its input" {
    ((EUID == 0)) || skip "it needs root"
    mesh
    mkfifo "$host/in"
    /usr/bin/env -i /usr/bin/timeout 20 "$(command -v python3)" -I "$HELPER" watch 20 127.0.0.1 27399 27398 <"$host/in" >"$host/out" &
    helper=$!
    exec 9>"$host/in"
    for _ in $(seq 50); do ! grep -q ready "$host/out" || break; sleep 0.1; done
    (exec 3<>/dev/tcp/127.0.0.1/27399)
    sleep 0.2
    exec 9>&-
    wait "$helper"
    cat "$host/out"
    [[ $(head -n 1 "$host/out") == ready && $(tail -n 1 "$host/out") =~ ^seen\ filters=(yes|no)\ .*27399=[12] ]]
    run ! bash -c 'exec 3<>/dev/tcp/127.0.0.1/27399'
}

@test "the helper tells who listens from a connection that only has the port" {
    ((EUID == 0)) || skip "it needs root"
    mesh
    mkfifo "$host/in"
    # One listens on 27397; a connection to it has 27396 on its own side.
    python3 -c '
import socket, sys
listener = socket.create_server(("127.0.0.1", 27397))
client = socket.create_connection(("127.0.0.1", 27397), source_address=("127.0.0.1", 27396))
print("there", flush=True)
sys.stdin.read()' <"$host/in" >"$host/there" &
    python=$!
    exec 8>"$host/in"
    for _ in $(seq 50); do ! grep -q there "$host/there" || break; sleep 0.1; done
    run /usr/bin/env -i /usr/bin/timeout 20 "$(command -v python3)" -I "$HELPER" watch 20 127.0.0.1 27397 27396 27395 </dev/null
    exec 8>&-
    wait "$python"
    [[ ${lines[0]} == "ready 27397 busy=27396" ]]
}

@test "the helper refuses anything else" {
    mesh
    for arguments in "" "watch 5" "run 5 10.0.0.1 22" "watch 5 ;id 22" "watch 5 10.0.0.1 99999"; do
        # shellcheck disable=SC2086
        run ! python3 -I "$HELPER" $arguments </dev/null
    done
}

@test "the helper keeps to Python 3.6" {
    mesh
    # These two parameters of subprocess came with 3.7.
    python3 -c '
import ast, sys
with open(sys.argv[1]) as text:
    tree = ast.parse(text.read(), feature_version=(3, 7))
sys.exit(any(isinstance(node, ast.keyword) and node.arg in ("capture_output", "text") for node in ast.walk(tree)))' "$HELPER"
}

# shellcheck shell=bash
# One node of a Redis Cluster: runs, answers, has a part in the cluster, keeps what it is told.
# Parameters and secrets: those of redis/node.

check_replication() {
    local info role link wanted=${PARAM_MIN_REPLICAS_TO_WRITE:-0} good
    info=$(redis "$SELF" INFO replication)
    role=$(redis_field "$info" role)
    if [[ $role == slave ]]; then
        link=$(redis_field "$info" master_link_status)
        # The link counts as down until the copy is whole.
        if [[ $(redis_field "$info" master_sync_in_progress) == 1 ]]; then
            warn replication "still copying from $(redis_field "$info" master_host)"
        elif [[ $link != up ]]; then
            fail replication "the link to $(redis_field "$info" master_host) is $link: see both nodes' journalctl -u redis-cluster"
        else
            ok replication "a replica of $(redis_field "$info" master_host), in touch"
        fi
        return 0
    fi
    good=$(redis_field "$info" min_slaves_good_slaves)
    if ((wanted > 0)) && ((${good:-0} < wanted)); then
        fail replication "${good:-0} replicas are in touch, writes need $wanted: see to the replicas"
    else
        ok replication "a master with $(redis_field "$info" connected_slaves) replicas"
    fi
}

check_persistence() {
    local info field value broken=()
    info=$(redis "$SELF" INFO persistence)
    for field in rdb_last_bgsave_status aof_last_bgrewrite_status aof_last_write_status; do
        value=$(redis_field "$info" "$field")
        [[ -z $value || $value == ok ]] || broken+=("$field is $value")
    done
    if ((${#broken[@]} == 0)); then
        ok persistence "the last writes to disk succeeded"
    else
        fail persistence "${broken[*]}: journalctl -u redis-cluster says why, often a full disk"
    fi
}

# A cache may be full; a store that evicts nothing refuses writes then.
check_memory() {
    local info used limit policy percent
    info=$(redis "$SELF" INFO memory)
    used=$(redis_field "$info" used_memory)
    limit=$(redis_field "$info" maxmemory)
    policy=$(redis_field "$info" maxmemory_policy)
    if ((limit == 0)); then
        ok memory "$((used / 1048576)) MiB, no limit"
        return 0
    fi
    percent=$((used * 100 / limit))
    if [[ $policy == noeviction ]] && ((percent >= 95)); then
        fail memory "$percent % of maxmemory, and writes are refused at 100: raise maxmemory or add masters"
    elif [[ $policy == noeviction ]] && ((percent >= 85)); then
        warn memory "$percent % of maxmemory, and writes are refused at 100: raise maxmemory or add masters"
    else
        ok memory "$percent % of maxmemory, policy $policy"
    fi
}

check() {
    local reply state
    SELF=$PARAM_ADDRESS:$PARAM_PORT
    if [[ ${PARAM_TLS:-true} == true ]]; then
        certificate certificate "$REDIS_ETC/node.crt"
    fi
    unit_runs service redis-cluster.service || return 0
    reply=$(REDIS_TIMEOUT=10 redis_as "$REDIS_PASSWORD" "$SELF" PING) || true
    if [[ $reply != PONG ]]; then
        fail answers "${reply:-no answer} from $SELF: journalctl -u redis-cluster says why"
        return 0
    fi
    ok answers "$SELF"
    state=$(redis_field "$(redis "$SELF" CLUSTER INFO)" cluster_state)
    if [[ $state == ok ]]; then
        ok state "takes part in the cluster"
    else
        fail state "cluster_state is $state: it refuses keys; see redis/cluster and the other nodes"
    fi
    check_replication
    check_persistence
    check_memory
    if redis_restart_pending "$SELF"; then
        warn restart "settings wait for a restart: \`pulumi up\` restarts node by node"
    fi
}

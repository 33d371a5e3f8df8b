# shellcheck shell=bash
# Releases below one folder: releases/<name>, and the link `current` to the one that is served.

# A name of the site, as another one may share its port; nothing where it has every name.
web_name() {
    local name=${PARAM_SERVER_NAMES:-}
    name=${name%% *}
    # Of all names below a domain, any will do.
    printf '%s' "${name/#\*./www.}"
}

# web_get PORT PATH [ADDRESS]: the HTTP status, 000 without an answer. On the port of TLS with whatever certificate is there: it may be of any
# authority, and for what a balancer is called.
web_get() {
    local address=${3:-127.0.0.1} scheme=http name at=()
    [[ $1 != "${PARAM_TLS_PORT:-}" ]] || scheme=https
    name=$(web_name)
    [[ -z $name ]] || at=(--resolve "$name:$1:$address")
    curl -s -k -o /dev/null -w '%{http_code}' --noproxy '*' --connect-timeout 2 --max-time 10 ${at[@]+"${at[@]}"} \
        "$scheme://${name:-$address}:$1$2" || true
}

# Lines about the members (PARAM_MEMBERS) that don't answer as they should. With TLS, the port of HTTP only knows the way to the other.
web_unwell() {
    local member path port status
    for member in $PARAM_MEMBERS; do
        for path in "$PARAM_HEALTH_PATH" "$PARAM_CHECK_PATH"; do
            port=$PARAM_PORT
            [[ $path == "$PARAM_HEALTH_PATH" ]] || port=${PARAM_TLS_PORT:-$PARAM_PORT}
            status=$(web_get "$port" "$path" "${member#*=}")
            [[ $status == 2?? || $status == 3?? ]] ||
                printf '%s: %s answers with status %s%s\n' "${member%%=*}" "$path" "$status" "$([[ $port == "$PARAM_PORT" ]] || printf ' on port %s' "$port")"
        done
    done
}

# What runs where the files are, here or on another host: web_release_here ACTION DIRECTORY ARGUMENT…. Each failure returns by
# itself, because bash ignores set -e wherever the caller looks at the status.
web_release_here() {
    local action=$1 directory=$2 release=$3 url=${4:-} sha256=${5:-} work kept redirected='=https'
    cd "$directory" || return 1
    case $action in
    current)
        work=$(readlink current) || return 0
        printf '%s\n' "${work#releases/}"
        ;;
    # Prints "fetched" when there was something to fetch.
    fetch)
        [[ ! -d releases/$release ]] || return 0
        if [[ -z $url ]]; then
            echo "there is no folder $directory/releases/$release: put the release there, or give release.url" >&2
            return 1
        fi
        work=releases/.$release.$$
        rm -rf "$work" "$work.tar.gz"
        mkdir "$work" || return 1
        # What was asked for by TLS is not sent for without it.
        [[ $url != http:* ]] || redirected='=http,https'
        # On standard input, because the address may carry a signature, and arguments are for all to see.
        url=${url//\\/\\\\}
        if ! printf 'url = "%s"\n' "${url//\"/\\\"}" |
            curl -fsS --location --max-redirs 5 --proto-redir "$redirected" --retry 3 --connect-timeout 10 --max-time 600 \
                -o "$work.tar.gz" --config -; then
            rm -rf "$work" "$work.tar.gz"
            return 1
        fi
        if ! printf '%s  %s\n' "$sha256" "$work.tar.gz" | sha256sum -c --status; then
            rm -rf "$work" "$work.tar.gz"
            echo "the archive's SHA-256 is not release.sha256" >&2
            return 1
        fi
        if ! tar -xzf "$work.tar.gz" -C "$work" --no-same-owner; then
            rm -rf "$work" "$work.tar.gz"
            return 1
        fi
        rm -f "$work.tar.gz"
        # The archive's own time would make an old release of a new one.
        chmod -R a+rX,go-w "$work" && touch "$work" && mv -T "$work" "releases/$release" || return 1
        echo fetched
        ;;
    # A rename replaces the link in one step: every request sees the one release or the other.
    switch)
        if [[ ! -d releases/$release ]]; then
            echo "there is no folder $directory/releases/$release" >&2
            return 1
        fi
        ln -sfn "releases/$release" ".current.$$" && mv -T ".current.$$" current || return 1
        ;;
    # All but the newest ones, the one that is served and the one before; ARGUMENTs are how many, and the latter. Prints those that can't be
    # removed.
    prune)
        kept=0
        while IFS= read -r work; do
            [[ $work != "$(readlink current)" ]] || continue
            kept=$((kept + 1))
            ((kept < release)) || [[ $work == "releases/${4:-}" ]] || rm -rf "$work" 2>/dev/null || printf '%s\n' "${work#releases/}"
        done < <(ls -1td releases/*)
        ;;
    esac
}

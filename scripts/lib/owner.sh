# shellcheck shell=bash
# What a host carries once belongs to one component: a mark on the host names the step that made it.

# owner_claim MARK WHAT CONFIGURATION PROOF…: ends the step when WHAT is another component's. PROOF is a command that tells whether this
# component's earlier self wrote what is on the host, whatever its name was then. What has a CONFIGURATION and no mark was made before there
# were marks: an update goes on with it.
owner_claim() {
    local mark=$1 what=$2 configuration=$3 owner='another component'
    if [[ -e $mark || ! -e $configuration || $STEP_MODE == update ]]; then
        # Of two that come at the same time, one is the first.
        if (set -C && printf '%s\n' "$STEP_KEY" >"$mark") 2>/dev/null; then
            return 0
        fi
        owner=$(<"$mark")
        [[ $owner != "$STEP_KEY" ]] || return 0
    fi
    "${@:4}" ||
        die "hosts: the $what on this host belongs to $owner, and a host carries one: give this component other hosts; if it is this component's under its former name, give it an alias; if that one is gone, write $STEP_KEY into $mark here"
    printf '%s\n' "$STEP_KEY" >"$mark"
}

# owner_spares MARK WHAT: whether WHAT is another component's, whose step is what undoes it.
owner_spares() {
    [[ -r $1 && $(<"$1") != "$STEP_KEY" ]] || return 1
    log "the $2 on this host belongs to $(<"$1"): it stays as it is"
}

# authority_is_ours FILE: whether it holds an authority of SECRET_CA_CERTIFICATE. While keys rotate, those of two generations stand in one file.
authority_is_ours() {
    [[ -r $1 ]] && grep -qxFf <(one_certificate_a_line <"$1") <(one_certificate_a_line <<<"${SECRET_CA_CERTIFICATE:-}")
}

one_certificate_a_line() {
    awk 'NF { text = text $1 } /^-----END/ { print text; text = "" } END { if (text != "") print text }'
}

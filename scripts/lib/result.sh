# shellcheck shell=bash
# The JSON object that a step prints last.

CHANGED=()
NOTES=()

# changed WHAT: the step had to change something. Not in a subshell, where it would be lost.
changed() {
    log "changed: $1"
    CHANGED+=("$1")
}

# note TEXT: something that the reader should know although the step went on. Told once, however often it is found.
note() {
    local told
    for told in ${NOTES[@]+"${NOTES[@]}"}; do
        [[ $told != "$1" ]] || return 0
    done
    log "note: $1"
    NOTES+=("$1")
}

json_string() {
    local text=$1
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//$'\n'/\\n}
    text=${text//$'\t'/\\t}
    text=${text//[$'\001'-$'\037']/ }
    printf '"%s"' "$text"
}

json_list() {
    local item separator=''
    printf '['
    for item in "$@"; do
        printf '%s' "$separator"
        json_string "$item"
        separator=','
    done
    printf ']'
}

# finish [NAME=text | NAME:=json]…: prints the result; the last thing that main does.
finish() {
    local field
    printf '{"step":'
    json_string "${STEP%@*}"
    printf ',"changed":'
    json_list ${CHANGED[@]+"${CHANGED[@]}"}
    for field in "$@"; do
        printf ','
        case ${field%%=*} in
        *:) json_string "${field%%:=*}" && printf ':%s' "${field#*:=}" ;;
        *) json_string "${field%%=*}" && printf ':' && json_string "${field#*=}" ;;
        esac
    done
    if ((${#NOTES[@]} > 0)); then
        printf ',"notes":'
        json_list "${NOTES[@]}"
    fi
    printf '}\n'
}

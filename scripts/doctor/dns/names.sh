# shellcheck shell=bash
# Names of the private zones as programs on this host resolve them: by its nameserver, nsswitch.conf and /etc/hosts.
# PARAM_NAMES  "name=address,address …" as the stack's state has them; "*.zone" is every other name of the zone

RESOLV_CONF=${RESOLV_CONF:-/etc/resolv.conf}
ANSWER_SECONDS=8
AT_ONCE=20

# Addresses of a list, with commas, white space or lines between them, in one order.
in_order() {
    tr -s ', \n' '\n' | sed '/^$/d' | sort -u | paste -sd , -
}

# Prints "NAME ADDRESS,ADDRESS", without addresses where there is no answer. Of all other names any will do.
ask() {
    local answer
    answer=$(timeout "$ANSWER_SECONDS" getent ahostsv4 "${1/#\*./multihost-doctor.}" | cut -d ' ' -f 1 | in_order) || true
    printf '%s %s\n' "$1" "$answer"
}

check() {
    local records record name answer wanted begin servers broken=() advice
    local -A answers=()
    read -ra records <<<"$PARAM_NAMES"
    for ((begin = 0; begin < ${#records[@]}; begin += AT_ONCE)); do
        while read -r name answer; do
            [[ -z $answer ]] || answers[$name]=$answer
        done < <(
            for record in "${records[@]:begin:AT_ONCE}"; do
                ask "${record%%=*}" &
            done
            wait
        )
        # Each of the others would take as long to say nothing.
        ((${#answers[@]} > 0)) || break
    done
    if ((${#answers[@]} == 0)); then
        servers=$(sed -n 's/^nameserver[[:space:]]*//p' "$RESOLV_CONF" 2>/dev/null | paste -sd ' ' -) || true
        fail names "no answer for any of ${#records[@]}, such as ${records[0]%%=*}: see $RESOLV_CONF (nameserver ${servers:-none}); if every host says so, run \`pulumi up --refresh\`"
        return 0
    fi
    advice="run \`pulumi up --refresh\`; if only this host says so, see its $RESOLV_CONF and /etc/hosts"
    for record in "${records[@]}"; do
        name=${record%%=*}
        wanted=$(in_order <<<"${record#*=}")
        answer=${answers[$name]:-}
        if [[ -z $answer ]]; then
            broken+=("$name has no answer, in the state it is $wanted")
        elif [[ $answer != "$wanted" ]]; then
            broken+=("$name is $answer, in the state it is $wanted")
        fi
    done
    ((${#broken[@]} > 0)) || ok names "${#records[@]} are answered as the state has them"
    for name in ${broken[@]+"${broken[@]}"}; do
        fail names "$name: $advice"
    done
}

# shellcheck shell=bash
# Names of the private zones as programs on this host resolve them: by its nameserver, nsswitch.conf and /etc/hosts.
# PARAM_NAMES  "name=address,address …" as the stack's state has them; "*.zone" is every other name of the zone
# PARAM_ZONES  the zones that these are in

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

# zone_of NAME: sets ZONE. A zone may lie within another one.
zone_of() {
    local zone
    ZONE=''
    for zone in $PARAM_ZONES; do
        [[ .$1 == *".$zone" ]] && ((${#zone} > ${#ZONE})) && ZONE=$zone
    done
    return 0
}

# ask_all RECORD…: at once. Fills ANSWERS by name, and by zone SILENT, how many were asked in vain, and ANSWERED.
ask_all() {
    local record name answer
    while read -r name answer; do
        zone_of "$name"
        if [[ -n $answer ]]; then
            ANSWERS[$name]=$answer
            ANSWERED[$ZONE]=yes
        else
            SILENT[$ZONE]=$((${SILENT[$ZONE]:-0} + 1))
        fi
    done < <(
        for record in "$@"; do
            ask "${record%%=*}" &
        done
        wait
    )
}

# Each name of a zone that isn't there takes long to get no answer: after so many in vain, the others are left out.
ask_for() {
    local record begin batch
    for ((begin = 0; begin < ${#RECORDS[@]}; begin += AT_ONCE)); do
        batch=()
        for record in "${RECORDS[@]:begin:AT_ONCE}"; do
            zone_of "${record%%=*}"
            [[ -z ${ANSWERED[$ZONE]:-} ]] && ((${SILENT[$ZONE]:-0} >= AT_ONCE)) || batch+=("$record")
        done
        ((${#batch[@]} == 0)) || ask_all "${batch[@]}"
        # Nobody answers, unless another zone does.
        ((${#ANSWERS[@]} > 0)) || { ask_others && ((${#ANSWERS[@]} > 0)); } || return 0
    done
}

# One name of each zone of which none has been asked.
ask_others() {
    local record batch=()
    local -A chosen=()
    for record in "${RECORDS[@]}"; do
        zone_of "${record%%=*}"
        [[ -z ${SILENT[$ZONE]:-}${chosen[$ZONE]:-} ]] || continue
        chosen[$ZONE]=yes
        batch+=("$record")
    done
    ((${#batch[@]} == 0)) || ask_all "${batch[@]}"
}

# Whether a list of addresses, in order, is another one without some of it.
lacks_only() {
    [[ -z $(comm -23 <(tr , '\n' <<<"$1") <(tr , '\n' <<<"$2")) ]]
}

check() {
    local record name answer wanted servers zone here gone other advice broken=()
    local -A ANSWERS=() ANSWERED=() SILENT=() count=() first=()
    read -ra RECORDS <<<"$PARAM_NAMES"
    ask_for
    if ((${#ANSWERS[@]} == 0)); then
        servers=$(sed -n 's/^nameserver[[:space:]]*//p' "$RESOLV_CONF" 2>/dev/null | paste -sd ' ' -) || true
        fail names "no answer for any of ${#RECORDS[@]}, such as ${RECORDS[0]%%=*}: see $RESOLV_CONF (nameserver ${servers:-none}); if every host says so, run \`pulumi up --refresh\`"
        return 0
    fi
    here="if only this host says so, see its $RESOLV_CONF and /etc/hosts"
    other="run \`pulumi up --refresh\`; $here"
    # A refresh makes of a record that is gone one that no update can delete: docs/components/private-dns.md.
    gone="if every host says so, the record is gone: \`pulumi state delete '<urn of the record>'\`, then \`pulumi up\`, without a refresh before; $here"
    for record in "${RECORDS[@]}"; do
        name=${record%%=*}
        zone_of "$name"
        wanted=$(in_order <<<"${record#*=}")
        answer=${ANSWERS[$name]:-}
        if [[ -z ${ANSWERED[$ZONE]:-} ]]; then
            count[$ZONE]=$((${count[$ZONE]:-0} + 1))
            first[$ZONE]=${first[$ZONE]:-$name}
        elif [[ -z $answer ]]; then
            broken+=("$name has no answer, in the state it is $wanted: $gone")
        elif [[ $answer != "$wanted" ]]; then
            if lacks_only "$answer" "$wanted"; then advice=$gone; else advice=$other; fi
            broken+=("$name is $answer, in the state it is $wanted: $advice")
        fi
    done
    for zone in "${!count[@]}"; do
        broken+=("no answer for any of ${count[$zone]} of the zone $zone, such as ${first[$zone]}: if it is gone or bound to no VPC of these hosts, $other")
    done
    ((${#broken[@]} > 0)) || ok names "${#RECORDS[@]} are answered as the state has them"
    for name in ${broken[@]+"${broken[@]}"}; do
        fail names "$name"
    done
}

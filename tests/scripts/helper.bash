# shellcheck shell=bash
# Runs a step just as host.run does: the same runner, the same order of files, parameters in the environment, secrets on stdin.

scripts=$(cd "$BATS_TEST_DIRNAME/../../scripts" && pwd)

# script_text CALL FILE… [-- SECRET=value…]: those of the files that exist, in this order, then the call.
script_text() {
    local call=$1 line file body='' sources='' files=() assignments=()
    shift
    while (($# > 0)) && [[ $1 != -- ]]; do
        [[ ! -e $1 ]] || files+=("$1")
        shift
    done
    (($# == 0)) || shift
    for secret in "$@"; do
        assignments+=("$(printf 'SECRET_%s=%q' "${secret%%=*}" "${secret#*=}")")
    done
    line=$((7 + ${#assignments[@]} + $(wc -l <"$scripts/step.sh")))
    for file in "${files[@]}"; do
        sources+="${sources:+\n}$line ${file#"$scripts/"}"
        line=$((line + $(wc -l <"$file")))
        body+=$(cat "$file")$'\n'
    done
    printf 'shopt -s extglob\n{\nSTEP_KEY=%s\nSTEP_DIGEST=%s\nSTEP_MACHINE=test\n' "${STEP_KEY:-test}" "$RANDOM"
    ((${#assignments[@]} == 0)) || printf '%s\n' "${assignments[@]}"
    # The assignment below is the last line before the runner.
    printf "STEP_SOURCES=\$'%s'\n" "$sources"
    cat "$scripts/step.sh"
    printf '%s%s\nexit $?\n}\n' "$body" "$call"
}

# step NAME [PARAM=value…] [-- SECRET=value…]: stdout is the result, stderr the log. STEP_EVENT=delete undoes it; steps that run side by side
# need a STEP_KEY each.
step() {
    local name=$1 params=() file
    shift
    while (($# > 0)) && [[ $1 != -- ]]; do
        params+=("PARAM_$1")
        shift
    done
    (($# == 0)) || shift
    file=$name
    [[ $name == /* ]] || file=$scripts/$name.sh
    script_text "step_run ${STEP_EVENT:-create}" "$scripts"/lib/*.sh "$(dirname "$file")"/lib{-*,}.sh "$file" -- "$@" | env STEP="$name@test" STEP_RECORDS="$BATS_TEST_TMPDIR/steps" STEP_LOCKS="$BATS_TEST_TMPDIR/locks" ${params[@]+"${params[@]}"} bash --norc -s
}

# doctor STEP [PARAM=value…] [-- SECRET=value…]: runs the check of a step; stdout is its findings.
doctor() {
    local name=$1 params=()
    shift
    while (($# > 0)) && [[ $1 != -- ]]; do
        params+=("PARAM_$1")
        shift
    done
    (($# == 0)) || shift
    script_text doctor_run "$scripts"/lib/*.sh "$scripts/doctor/lib.sh" "$scripts/${name%%/*}"/lib{-*,}.sh "$scripts/doctor/$name.sh" -- "$@" |
        env STEP="doctor/$name@test" STEP_NAME="${STEP_NAME:-its-step}" ${params[@]+"${params[@]}"} bash --norc -s
}

# found CHECK: status and detail of a finding in $output; nothing for one that the doctor judges by itself.
found() {
    python3 -c '
import json, sys
for line in sys.argv[1].splitlines():
    finding = json.loads(line)
    if finding["check"] == sys.argv[2] and "status" in finding:
        print(finding["status"] + ": " + finding["detail"])' "$output" "$1"
}

# field NAME: reads a field of $output, a step's result.
field() {
    python3 -c 'import json, sys; print(json.dumps(json.loads(sys.argv[1].splitlines()[-1])[sys.argv[2]], separators=(",", ":")))' "$output" "$1"
}

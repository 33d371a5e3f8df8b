# shellcheck shell=bash
# Runs a step just as host.run does: the same runner, the same order of files, parameters in the environment, secrets on stdin.

scripts=$(cd "$BATS_TEST_DIRNAME/../../scripts" && pwd)

# step_text SCRIPT-FILE SECRET=value…
step_text() {
    local script=$1 line file body='' sources='' assignments=()
    shift
    for secret in "$@"; do
        assignments+=("$(printf 'SECRET_%s=%q' "${secret%%=*}" "${secret#*=}")")
    done
    line=$((6 + ${#assignments[@]} + $(wc -l <"$scripts/step.sh")))
    for file in "$scripts"/lib/*.sh "$(dirname "$script")"/lib{-*,}.sh "$script"; do
        [[ -e $file ]] || continue
        sources+="${sources:+\n}$line ${file#"$scripts/"}"
        line=$((line + $(wc -l <"$file")))
        body+=$(cat "$file")$'\n'
    done
    printf 'shopt -s extglob\n{\nSTEP_KEY=test\nSTEP_DIGEST=%s\n' "$RANDOM"
    ((${#assignments[@]} == 0)) || printf '%s\n' "${assignments[@]}"
    # The assignment below is the last line before the runner.
    printf "STEP_SOURCES=\$'%s'\n" "$sources"
    cat "$scripts/step.sh"
    printf '%sstep_run create\nexit $?\n}\n' "$body"
}

# step NAME [PARAM=value…] [-- SECRET=value…]: stdout is the result, stderr the log.
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
    step_text "$file" "$@" | env STEP="$name@test" STEP_RECORDS="$BATS_TEST_TMPDIR/steps" ${params[@]+"${params[@]}"} bash --norc -s
}

# field NAME: reads a field of $output, a step's result.
field() {
    python3 -c 'import json, sys; print(json.dumps(json.loads(sys.argv[1].splitlines()[-1])[sys.argv[2]], separators=(",", ":")))' "$output" "$1"
}

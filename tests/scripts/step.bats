#!/usr/bin/env bats
# scripts/step.sh where the connection to the host breaks.

bats_require_minimum_version 1.5.0
load helper
load stubs

# cut_off BODY: runs it as a step whose connection breaks after the first line that it says; `until_cut_off` waits for that.
cut_off() {
    stub_host debian-12
    # shellcheck disable=SC2016 # the step expands it
    printf '%s\n' 'until_cut_off() { until [[ -e $HOST/cut-off ]]; do sleep 0.1; done; }' "$1" >"$BATS_TEST_TMPDIR/try.sh"
    step "$BATS_TEST_TMPDIR/try.sh" 2>&1 | {
        read -r first
        exec <&-
        touch "$HOST/cut-off"
        [[ $first == first ]]
    }
}

@test "a run whose connection breaks goes on to its end and leaves its record" {
    cut_off $'main() {\n    log first\n    until_cut_off\n    log second\n    sleep 0.5\n    log third\n    changed "all of it"\n    finish\n}'
    grep -qF '"all of it"' "$BATS_TEST_TMPDIR/steps/test@"
    run ! compgen -G "$BATS_TEST_TMPDIR/steps/.work.*"
}

@test "a run that fails after its connection broke leaves nothing that it would have said" {
    cut_off $'main() {\n    log first\n    until_cut_off\n    log second\n    seq 100000\n    touch "$HOST/came-here"\n    false\n}'
    [[ -e $host/came-here && ! -e $BATS_TEST_TMPDIR/steps/test@ ]]
    run ! compgen -G "$BATS_TEST_TMPDIR/steps/.work.*"
}

@test "programs end when nobody reads them, as everywhere" {
    cut_off $'main() {\n    log first\n    until_cut_off\n    bash -c "kill -PIPE \\$\\$" || changed "status $?"\n    finish\n}'
    grep -qF '"status 141"' "$BATS_TEST_TMPDIR/steps/test@"
}

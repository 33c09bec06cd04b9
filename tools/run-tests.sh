#!/bin/sh
# Runs cmocka programs one after another and counts: tools/run-tests.sh PROGRAM...
# Shows what failed and why, a line per program otherwise, and closes with "N passed, N failed, N skipped".
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
    name=$(basename "$program")
    CMOCKA_MESSAGE_OUTPUT=TAP "$program" >"$log" 2>&1
    status=$?
    skip=$(grep -c '^\(not \)\{0,1\}ok .*# SKIP' "$log") # cmocka calls a skipped test "not ok"
    ok=$(grep '^ok ' "$log" | grep -vc '# SKIP')
    bad=$(grep '^not ok ' "$log" | grep -vc '# SKIP')
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi # died without a verdict
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
    if [ "$bad" -ne 0 ]; then
        echo "FAIL $name: exit status $status"
        grep -v '^ok ' "$log" | head -n 100
    else
        echo "ok   $name: $ok passed$([ "$skip" -gt 0 ] && echo ", $skip skipped")"
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

#!/bin/bash
# Runs pseudo-random programs on erl and on mote and shows where they differ:  random.sh MOTE [FIRST [LAST]]
set -uo pipefail
cd "$(dirname "$0")/../.."

mote=$1 first=${2:-1} last=${3:-100}
command -v erlc >/dev/null || { echo "random.sh: needs the package erlang-base" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
cp tests/oracle/random_program.mote "$work/random_program.erl"
(cd "$work" && erlc random_program.erl >/dev/null)
for ((seed = first; seed <= last; seed++)); do
    program=$work/random_$seed
    (cd "$work" && erl -noshell -noinput -eval "random_program:main([\"$seed\"]), halt()." >"$program.erl" &&
        erlc +nowarn_unused_vars "random_$seed.erl" >/dev/null 2>&1) || { echo "random $seed: erlc refuses it" >&2; continue; }
    (cd "$work" && timeout 60 erl -noshell -noinput -eval "random_$seed:main(), halt()." >"$program.wanted" 2>&1)
    timeout 60 "$mote" "$program.erl" >"$program.got" 2>"$program.err"
    if cmp -s "$program.wanted" "$program.got"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok random program $seed"
        diff "$program.wanted" "$program.got" | head -n 4
        head -n 3 "$program.err"
    fi
done
echo "random programs: $passed passed, $failed failed"
[ "$failed" = 0 ]

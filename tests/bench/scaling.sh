#!/bin/bash
# What two cores do for programs that share tables:  scaling.sh [MOTE]
# Each case is the same work by one process and by two; printed are both times, and how many times as fast two
# are, on mote and, where it is installed, on erl.  TURNS (5) is how often each is run, SIZE (20000) how much it is.
set -uo pipefail
cd "$(dirname "$0")/../.."

mote=${1:-build/release/mote}
program=tests/bench/scaling/ets_scaling.mote
size=${SIZE:-20000} turns=${TURNS:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 600 "$mote" "$program" "$size" "$turns" >"$work/mote" || exit 1
: >"$work/erl"
if command -v erlc >/dev/null; then
    cp "$program" "$work/ets_scaling.erl"
    erlc -o "$work" "$work/ets_scaling.erl" >/dev/null || exit 1
    timeout 600 erl -noshell -noinput -pa "$work" -eval "ets_scaling:main([\"$size\",\"$turns\"]), halt()." >"$work/erl" || exit 1
fi
printf '%-20s %10s %10s %8s %10s %10s %8s\n' tables 'mote 1, ms' 'mote 2, ms' times 'erl 1, ms' 'erl 2, ms' times
awk 'FILENAME ~ /erl$/ { one[$1] = $2; two[$1] = $3; next }
    { printf "%-20s %10.1f %10.1f %8.2f", $1, $2 / 1000, $3 / 1000, $2 / $3
      if ($1 in one) printf " %10.1f %10.1f %8.2f", one[$1] / 1000, two[$1] / 1000, one[$1] / two[$1]
      print "" }' "$work/erl" "$work/mote"

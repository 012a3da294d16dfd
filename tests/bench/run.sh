#!/bin/bash
# Runs the benchmarks:  run.sh [--compare | --accept] MOTE [PATTERN]
# Each program of this folder prints `time: MICROSECONDS` of its own work.  It runs RUNS (5) times on
# mote and, where Debian's erlang is installed, as often on erl, one after the other in turn, so that
# both see the same machine.  Printed: medians, the spread (slowest less fastest, in per cent of the
# median), and mote's time as a multiple of erl's.
#   --compare   also against accepted.txt: how much faster or slower than the last accepted run
#   --accept    rewrites accepted.txt
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=
case ${1:-} in --*) mode=$1 && shift ;; esac
mote=${1:?usage: run.sh [--compare | --accept] MOTE [PATTERN]} pattern=${2:-}
runs=${RUNS:-5}
accepted=tests/bench/accepted.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v erl >/dev/null && erl=yes || erl=

once_mote() { timeout 120 "$mote" "$1" "$2" </dev/null | sed -n 's/^time: //p'; }
once_erl() {
    ERL_CRASH_DUMP=/dev/null timeout 120 erl -noshell +P 2000000 -pa "$work" -eval "$1:main([\"$2\"]), halt()." </dev/null |
        tr -d '\r' | sed -n 's/^time: //p'
}
# Lines of numbers: median and spread.
summary() {
    sort -n "$1" | awk '{ t[NR] = $1 } END {
        if (NR == 0) { print "0 0"; exit }
        m = t[int((NR + 1) / 2)]
        printf "%d %d\n", m, m ? (t[NR] - t[1]) * 100 / m : 0 }'
}

printf '%-14s %10s %7s %10s %7s %8s %9s\n' program mote spread erl spread ratio accepted
[ "$mode" != --accept ] || : >"$work/accepted"
for file in tests/bench/*"$pattern"*.mote; do
    name=$(basename "$file" .mote)
    size=$(sed -n 's/.*%% size: //p' "$file" | head -n 1)
    : >"$work/mote"
    : >"$work/erl"
    [ -z "$erl" ] || { cp "$file" "$work/$name.erl" && erlc -o "$work" "$work/$name.erl"; }
    for ((i = 0; i < runs; i++)); do
        once_mote "$file" "$size" >>"$work/mote" || echo "$name: failed on mote" >&2
        [ -z "$erl" ] || once_erl "$name" "$size" >>"$work/erl" || echo "$name: failed on erl" >&2
    done
    read -r m ms <<<"$(summary "$work/mote")"
    read -r e es <<<"$(summary "$work/erl")"
    before=$(awk -v n="$name" '$1 == n { print $2 }' "$accepted" 2>/dev/null || true)
    awk -v n="$name" -v m="$m" -v ms="$ms" -v e="$e" -v es="$es" -v b="${before:-0}" 'BEGIN {
        printf "%-14s %7.1f ms %5d %% %7.1f ms %5d %% %8s %9s\n", n, m / 1000, ms, e / 1000, es,
               e ? sprintf("%.2f", m / e) : "-", b ? sprintf("%+.0f %%", (m - b) * 100 / b) : "-" }'
    [ "$mode" != --accept ] || echo "$name $m" >>"$work/accepted"
    if [ "$mode" = --compare ] && [ -n "$before" ] && [ "$m" -gt $((before + before * (10 + ms) / 100)) ]; then
        echo "$name: slower than accepted, beyond 10 % and its spread"
        touch "$work/slower"
    fi
done
[ "$mode" != --accept ] || cp "$work/accepted" "$accepted"
[ ! -e "$work/slower" ]

#!/bin/bash
# Times the programs of tests/bench/programs on mote and, where it is installed, on erl, in turns, and
# prints medians and their ratio:  run.sh [--compare | --accept] MOTE [PATTERN]
# Each program prints "MICROSECONDS RESULT"; what starting takes is not in it.  RUNS (5) is how often each
# is run, SCALE (1) divides every size.  --accept writes tests/bench/accepted.txt, --compare looks at it:
# a program that takes 1.15 times its accepted time (as a ratio to erl, if there is one) fails.
set -uo pipefail
cd "$(dirname "$0")/../.."

mode=
case ${1:-} in --compare | --accept) mode=$1; shift ;; esac
mote=${1:-build/release/mote} pattern=${2:-}
runs=${RUNS:-5} scale=${SCALE:-1}
accepted=tests/bench/accepted.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
have_erl=
command -v erlc >/dev/null && have_erl=yes
[ "$mode" = --accept ] && : >"$work/accepted"

# The middle one of the numbers in a file, and how far the middle half spreads, in percent.
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
spread() { sort -n "$1" | awk '{ v[NR] = $1 } END { q = int(NR / 4); m = v[int((NR + 1) / 2)]; printf "%.0f", m ? 100 * (v[NR - q] - v[1 + q]) / m : 0 }'; }

run_erl() {
    (cd "$work/$1" && timeout 300 erl +P 4000000 -noshell -noinput -pa . -eval "'$1':main([\"$2\"]), halt()." 2>&1)
}
run_mote() { timeout 300 "$mote" "tests/bench/programs/$1.mote" "$2" 2>&1; }

printf '%-14s %10s %12s %12s %8s %s\n' program size 'erl ms' 'mote ms' ratio 'spread %'
bad=0
for file in tests/bench/programs/*"$pattern"*.mote; do
    name=$(basename "$file" .mote)
    size=$(sed -n 's/.*%% size: //p' "$file" | head -n 1)
    [ "$size" -gt 1000 ] && size=$((size / scale))
    : >"$work/erl"; : >"$work/mote"
    mkdir -p "$work/$name"
    if [ -n "$have_erl" ]; then
        cp "$file" "$work/$name/$name.erl"
        erlc -o "$work/$name" "$work/$name/$name.erl" >/dev/null 2>&1 || { echo "$name: erlc refuses it" >&2; bad=1; continue; }
    fi
    wanted=
    for ((i = 0; i < runs; i++)); do
        for side in ${have_erl:+erl} mote; do
            line=$(run_$side "$name" "$size")
            read -r time result <<<"$line"
            case $time in '' | *[!0-9]*) echo "$name on $side: $line" >&2; bad=1; break 2 ;; esac
            [ -z "$wanted" ] && wanted=$result
            [ "$result" = "$wanted" ] || { echo "$name on $side gives $result, not $wanted" >&2; bad=1; break 2; }
            echo "$time" >>"$work/$side"
        done
    done
    [ -s "$work/mote" ] || continue
    ours=$(median "$work/mote")
    theirs=$([ -s "$work/erl" ] && median "$work/erl" || echo 0)
    ratio=$(awk -v a="$ours" -v b="$theirs" 'BEGIN { if (b > 0) printf "%.2f", a / b; else printf "-" }')
    printf '%-14s %10s %12s %12s %8s %s\n' "$name" "$size" \
        "$(awk -v t="$theirs" 'BEGIN { if (t > 0) printf "%.1f", t / 1000; else printf "-" }')" \
        "$(awk -v t="$ours" 'BEGIN { printf "%.1f", t / 1000 }')" "$ratio" "$(spread "$work/mote")"
    [ "$mode" = --accept ] && echo "$name $size $ours $ratio" >>"$work/accepted"
    if [ "$mode" = --compare ]; then
        read -r _ old_size old_time old_ratio < <(grep "^$name " "$accepted" 2>/dev/null) || continue
        [ "$old_size" = "$size" ] || continue
        now=$ours was=$old_time
        [ "$ratio" != - ] && [ "$old_ratio" != - ] && now=$ratio was=$old_ratio
        awk -v now="$now" -v was="$was" 'BEGIN { exit now > was * 1.15 }' || { echo "  slower: $now, accepted $was"; bad=1; }
    fi
done
[ "$mode" = --accept ] && cp "$work/accepted" "$accepted"
exit $bad

#!/bin/bash
# Times functions of the library here and on erl:  library.sh MOTE [MODULE...]
# Prints each function's ratio, and each module's geometric mean.  Needs Debian's erlang-base.
set -euo pipefail
cd "$(dirname "$0")/../.."

mote=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp tests/bench/library/library_bench.mote "$work/library_bench.erl"
erlc -o "$work" "$work/library_bench.erl"
erl -noshell -pa "$work" -eval 'library_bench:main(init:get_plain_arguments()), halt().' -extra "$@" >"$work/erl"
"$mote" tests/bench/library/library_bench.mote "$@" >"$work/mote"
awk 'NR == FNR { erl[$1 " " $2] = $3; next }
    { ratio = ($3 + 1) / (erl[$1 " " $2] + 1); printf "%-12s %-18s %10d ns %10d ns  %6.2f%s\n", $1, $2, erl[$1 " " $2], $3, ratio, (ratio > 2 ? "  *" : "");
      if (!($1 in n)) order[++modules] = $1; sum[$1] += log(ratio); n[$1]++ }
    END { for (i = 1; i <= modules; i++) printf "%-12s mean of %d: %.2f\n", order[i], n[order[i]], exp(sum[order[i]] / n[order[i]]) }' \
    "$work/erl" "$work/mote"

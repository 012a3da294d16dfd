#!/bin/bash
# What continuous checks run beyond `make test`: each step's output goes to BUILDROOT/ci/STEP.log and
# is shown when the step fails.  A step that prints `N passed, N failed` counts as it says, any other
# counts as one.  The last line is the sum.
set -uo pipefail
cd "$(dirname "$0")/../.."

root=${BUILDROOT:-build}
logs=$root/ci
mkdir -p "$logs"
tests/lint/deps.sh ci || exit 1
passed=0 failed=0

step() { # NAME SECONDS COMMAND…
    local name=$1 limit=$2 start=$SECONDS status line
    shift 2
    timeout -k 10 "$limit" "$@" >"$logs/$name.log" 2>&1
    status=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$logs/$name.log" | tail -n 1)
    [ -n "$line" ] || line="$((status == 0)) passed, 0 failed"
    read -r p _ f _ <<<"$line"
    [ "$status" = 0 ] || [ "$f" != 0 ] || f=1
    passed=$((passed + p)) failed=$((failed + f))
    printf '%-12s %5ds  %s passed, %s failed\n' "$name" $((SECONDS - start)) "$p" "$f"
    [ "$f" = 0 ] || tail -n 60 "$logs/$name.log"
}

mk() { echo make --no-print-directory BUILDROOT="$root"; }
jobs=$(nproc)

step gcc 600 $(mk) -j"$jobs" CC=gcc WERROR=1 BUILDROOT="$root/gcc" all
step clang 600 $(mk) -j"$jobs" CC=clang WERROR=1 BUILDROOT="$root/clang" all
step format 60 $(mk) format-check
step layers 60 $(mk) layers
step tables 60 $(mk) tables
step size 60 $(mk) size
step bodies 60 $(mk) BUILDROOT="$root/gcc" bodies
step docs 60 $(mk) docs-check
for mode in asan tsan stress; do
    step "build-$mode" 600 $(mk) -j"$jobs" BUILD="$mode" build-tests
    step "$mode" 1500 $(mk) "$mode"
done
step tidy 1800 $(mk) tidy
step build-fuzz 600 $(mk) -j"$jobs" BUILD=fuzz fuzzers
step fuzz 240 $(mk) fuzz-short

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

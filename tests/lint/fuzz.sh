#!/bin/bash
# Runs fuzz targets:  fuzz.sh FOLDER SECONDS TARGET…
# New inputs collect below the build folder; seeds are tests/fuzz/seeds/TARGET, for module files the
# compiled library, for what reads source text the test programs.  What it finds is left in FOLDER as
# crash-*.
set -uo pipefail
cd "$(dirname "$0")/../.."

folder=$1 seconds=$2
shift 2
passed=0 failed=0
for target; do
    corpus=$folder/corpus/$target
    mkdir -p "$corpus"
    seeds=tests/fuzz/seeds/$target
    [ -d "$seeds" ] || seeds=tests/lang
    [ "$target" != modfile ] || seeds=$(ls -d "$folder"/../../release/lib 2>/dev/null || true)
    if "$folder/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -close_fd_mask=1 \
        -artifact_prefix="$folder/" "$corpus" ${seeds:+"$seeds"} >"$folder/$target.log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok fuzz $target"
        tail -n 30 "$folder/$target.log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

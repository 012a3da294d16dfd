#!/bin/bash
# Coverage:  cov.sh BUILD_FOLDER RUNNER TEST_DIR…
# Fails below 85 % of lines.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1 runner=$2
shift 2
rm -rf "$folder/profiles" && mkdir -p "$folder/profiles"
# %4m: up to four merged profiles, shared by all runs.
LLVM_PROFILE_FILE="$folder/profiles/%4m.profraw" "$runner" --mote "$folder/mote" --slow 10 --seeds 2 "$@" || true
llvm-profdata merge -sparse -o "$folder/merged.profdata" "$folder"/profiles/*.profraw
llvm-cov report "$folder/mote" -instr-profile="$folder/merged.profdata" | tee "$folder/report.txt" | tail -n 3
lines=$(awk '$1 == "TOTAL" { gsub(/%/, "", $10); print $10 }' "$folder/report.txt")
awk -v got="$lines" 'BEGIN { printf "%s %% of lines, 85 wanted\n", got; exit !(got >= 85) }'

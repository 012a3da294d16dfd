#!/bin/bash
# clang-tidy over sources:  tidy.sh JOBS "FLAGS" FILE…
# Warnings are errors; the checks are those of .clang-tidy (and vm/.clang-tidy).
set -uo pipefail
cd "$(dirname "$0")/../.."

jobs=$1 flags=$2
shift 2
printf '%s\n' "$@" | xargs -P "$jobs" -n 4 sh -c '
    flags=$0
    clang-tidy --quiet --warnings-as-errors="*" "$@" -- $flags 2>/dev/null' "$flags"

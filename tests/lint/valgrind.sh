#!/bin/bash
# Memory errors and leaks under valgrind:  valgrind.sh MOTE [PATTERN]
set -uo pipefail
cd "$(dirname "$0")/../.."

mote=$1 pattern=${2:-}
passed=0 failed=0
for file in tests/lang/*"$pattern"*.mote tests/actor/*"$pattern"*.mote; do
    [ -e "$file" ] || continue
    grep -qE '%% (skip|needs: slow|error|command|module)' "$file" && continue
    if out=$(timeout 300 valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
        "$mote" --schedulers 2 "$file" 10 2>&1 >/dev/null </dev/null) || [ $? -ne 99 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'not ok %s\n%s\n#   repeat: valgrind %s %s\n' "$file" "$(tail -n 20 <<<"$out")" "$mote" "$file"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

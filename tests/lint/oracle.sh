#!/bin/bash
# Runs every test program on mote and on erl and shows where standard output differs:
#   oracle.sh MOTE [PATTERN]
# Needs Debian's erlang, so `make test` and `make ci` do not call this.
set -uo pipefail
cd "$(dirname "$0")/../.."

mote=$1 pattern=${2:-}
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
while read -r file; do
    grep -qE '%% (skip|error|warning|command|module|raises|exit|output|flags):' "$file" && continue
    tests/lint/on_erl.sh "$file" >"$work/erl" 2>"$work/why" || { [ $? = 3 ] || echo "# $(tail -n 1 "$work/why")"; continue; }
    size=$(sed -n 's/.*%% size: \{0,1\}//p' "$file" | head -n 1)
    args=$(sed -n 's/.*%% args: \{0,1\}//p' "$file" | head -n 1)
    sed -n 's/.*%% stdin: \{0,1\}//p' "$file" >"$work/input"
    eval "set -- $size $args"
    timeout 60 "$mote" "$file" "$@" <"$work/input" >"$work/mote" 2>/dev/null
    grep -q '%% unordered' "$file" && { sort -o "$work/erl" "$work/erl"; sort -o "$work/mote" "$work/mote"; }
    if cmp -s "$work/erl" "$work/mote"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok $file"
        diff "$work/erl" "$work/mote" | head -n 6
    fi
done < <(find tests/lang tests/stdlib tests/actor tests/regress docs/examples -name "*$pattern*.mote" 2>/dev/null | sort)
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

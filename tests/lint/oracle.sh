#!/bin/bash
# Runs every test program on mote and on erl and shows where standard output differs:
#   oracle.sh MOTE [PATTERN]
# Needs Debian's erlang, so no other target calls this.  `%% since:` marks what OTP 25 lacks.
set -uo pipefail
cd "$(dirname "$0")/../.."

mote=$1 pattern=${2:-}
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
while read -r file; do
    grep -qE '%% (since|skip|error|command|module|raises|exit|output|flags)' "$file" && continue
    module=$(sed -n "s/^-module(\([a-z0-9_']*\)).*/\1/p" "$file" | head -n 1)
    [ -n "$module" ] || continue
    cp "$file" "$work/$module.erl"
    erlc -o "$work" "$work/$module.erl" >/dev/null 2>&1 || continue
    size=$(sed -n 's/.*%% size: \{0,1\}//p' "$file" | head -n 1)
    args=$(sed -n 's/.*%% args: \{0,1\}//p' "$file" | head -n 1)
    run="case erlang:function_exported($module, main, 1) of
             true -> $module:main(init:get_plain_arguments()); false -> $module:main() end, init:stop()."
    sed -n 's/.*%% stdin: \{0,1\}//p' "$file" >"$work/input"
    # shellcheck disable=SC2086
    timeout 60 erl -noshell -pa "$work" -eval "io:setopts([{encoding,unicode}]), code:load_file($module), $run" \
        -extra $size $args <"$work/input" 2>/dev/null | tr -d "\r" >"$work/erl"
    # shellcheck disable=SC2086
    timeout 60 "$mote" "$file" $size $args <"$work/input" >"$work/mote" 2>/dev/null
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

#!/bin/bash
# Runs a test program on Debian's erl and prints its standard output:  on_erl.sh FILE
# Status 3: erl cannot run it (a script, or newer than OTP 25).  Needed by `make expect` and
# `make oracle` only.
set -euo pipefail

file=$1
grep -qE '%% since:' "$file" && { echo "$file: newer than OTP 25" >&2; exit 3; }
module=$(sed -n "s/^-module(\([a-z0-9_']*\)).*/\1/p" "$file" | head -n 1)
[ -n "$module" ] || { echo "$file: a script, which erl cannot run" >&2; exit 3; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$file" "$work/$module.erl"
erlc -I "$(dirname "$file")" -o "$work" "$work/$module.erl" >"$work/compile" 2>&1 || { cat "$work/compile" >&2; exit 1; }
sed -n 's/.*%% stdin: \{0,1\}//p' "$file" >"$work/input"
size=$(sed -n 's/.*%% size: \{0,1\}//p' "$file" | head -n 1)
args=$(sed -n 's/.*%% args: \{0,1\}//p' "$file" | head -n 1)
eval "set -- $size $args"
run="io:setopts([{encoding, unicode}]), code:load_file($module),
     case erlang:function_exported($module, main, 1) of
         true -> $module:main(init:get_plain_arguments());
         false -> $module:main()
     end, init:stop()."
ERL_CRASH_DUMP=/dev/null timeout 60 erl +pc unicode -noshell -pa "$work" -eval "$run" -extra "$@" \
    <"$work/input" 2>"$work/errors" | tr -d '\r' || { cat "$work/errors" >&2; exit 1; }

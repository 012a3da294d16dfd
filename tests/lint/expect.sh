#!/bin/bash
# Rewrites the `%% expect:` marks of a test from what erl prints:  expect.sh NAME
# A test with one mark behind each printing line keeps them in place as long as their number stays;
# otherwise all of them move to the end of the file.  Never part of a build or a test.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=${1:?usage: make expect T=name}
files=$(find tests docs/examples \( -name "$name.mote" -o -name "$name.erl" \) 2>/dev/null || true)
[ -n "$files" ] || { echo "no test called $name" >&2; exit 1; }

for file in $files; do
    grep -q '%% since:' "$file" && { echo "$file: newer than the installed erl" >&2; continue; }
    module=$(sed -n "s/^-module(\([a-z0-9_']*\)).*/\1/p" "$file" | head -n 1)
    [ -n "$module" ] || { echo "$file: a script, which erl cannot run" >&2; continue; }
    work=$(mktemp -d)
    cp "$file" "$work/$module.erl"
    # The marks that lie about the source's place are not for erlc.
    erlc +nowarn_unused_vars -o "$work" "$work/$module.erl" >"$work/compile" 2>&1 ||
        { cat "$work/compile" >&2; rm -rf "$work"; exit 1; }
    sed -n 's/.*%% stdin: \{0,1\}//p' "$file" >"$work/input"
    size=$(sed -n 's/.*%% size: \{0,1\}//p' "$file" | head -n 1)
    args=$(sed -n 's/.*%% args: \{0,1\}//p' "$file" | head -n 1)
    run="case erlang:function_exported($module, main, 1) of
             true -> $module:main(init:get_plain_arguments()); false -> $module:main() end, init:stop()."
    # shellcheck disable=SC2086
    timeout 60 erl +pc unicode -noshell -pa "$work" -eval "io:setopts([{encoding,unicode}]), code:load_file($module), $run" \
        -extra $size $args <"$work/input" >"$work/output" 2>"$work/errors" ||
        { echo "$file: erl failed" >&2; cat "$work/errors" >&2; rm -rf "$work"; exit 1; }
    awk -v output="$work/output" '
        BEGIN { while ((getline line < output) > 0) { sub(/\r$/, "", line); got[++n] = line } }
        { text[++lines] = $0; if ($0 ~ /%% expect:/) marks++ }
        END {
            for (i = 1; i <= lines; i++) {
                line = text[i]
                if (match(line, /%% expect:/)) {
                    code = substr(line, 1, RSTART - 1)
                    if (marks == n) line = code "%% expect: " got[++k]
                    else { sub(/[ \t]+$/, "", code); if (code == "") continue; line = code }
                    sub(/[ \t]+$/, "", line)
                }
                print line
            }
            if (marks != n) for (i = 1; i <= n; i++) { line = "%% expect: " got[i]; sub(/[ \t]+$/, "", line); print line }
        }' "$file" >"$work/new"
    cmp -s "$work/new" "$file" || { cp "$work/new" "$file"; echo "$file: rewritten from $(erl -noshell -eval 'io:format("OTP ~s", [erlang:system_info(otp_release)]), halt().')"; }
    rm -rf "$work"
done

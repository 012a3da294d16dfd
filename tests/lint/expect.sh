#!/bin/bash
# Rewrites the `%% expect:` marks of a test from what erl prints:  expect.sh NAME
# Each mark stays at its line as long as there are as many as lines of output; otherwise all of them
# move to the end of the file.  Never part of a build or a test.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=${1:?usage: make expect T=name}
files=$(find tests docs/examples \( -name "$name.mote" -o -name "$name.erl" \) 2>/dev/null || true)
[ -n "$files" ] || { echo "no test called $name" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
release=$(erl -noshell -eval 'io:put_chars(erlang:system_info(otp_release)), halt().')

for file in $files; do
    tests/lint/on_erl.sh "$file" >"$work/output" || exit 1
    awk -v output="$work/output" '
        BEGIN { while ((getline line < output) > 0) got[++n] = line }
        { text[++lines] = $0; if ($0 ~ /%% expect:/) marks++ }
        function put(line) { sub(/[ \t]+$/, "", line); print line }
        END {
            for (i = 1; i <= lines; i++) {
                if (!match(text[i], /%% expect:/)) { print text[i]; continue }
                code = substr(text[i], 1, RSTART - 1)
                if (marks == n) put(code "%% expect: " got[++k])
                else if (code !~ /^[ \t]*$/) put(code)
            }
            if (marks != n) for (i = 1; i <= n; i++) put("%% expect: " got[i])
        }' "$file" >"$work/new"
    cmp -s "$work/new" "$file" && continue
    cp "$work/new" "$file"
    echo "$file: rewritten from OTP $release"
done

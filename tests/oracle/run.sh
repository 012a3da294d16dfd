#!/bin/bash
# Compiles OTP's own pure modules, unchanged, with mote, loads them in place of ours and compares every call of
# tests/oracle with erl:  run.sh MOTE [PATTERN]
# Needs Debian's erlang-base and erlang-src.  `make test` needs neither: it replays the digests that stand in the
# programs, on our modules.
set -uo pipefail
cd "$(dirname "$0")/../.."

mote=$1 pattern=${2:-}
src=$(find /usr/lib/erlang/lib -maxdepth 2 -path '*/stdlib-*/src' 2>/dev/null | sort | tail -n 1)
[ -n "$src" ] && command -v erlc >/dev/null || { echo "run.sh: needs the packages erlang-base and erlang-src" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/lib"
ln -s "$(dirname "$(find /usr/lib/erlang/lib -maxdepth 2 -path '*/kernel-*/include' | sort | tail -n 1)")" "$work/lib/kernel"
passed=0 failed=0
# Modules that a module is made of, and that go with it.
parts() {
    case $1 in
    string | unicode) echo unicode_util ;;
    io_lib | io) echo io_lib_format io_lib_fread io_lib_pretty unicode_util epp erl_features erl_scan ;; # which knows the reserved words
    esac
}
note() { if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "not ok $2"; fi; }

for program in tests/oracle/oracle_*"$pattern"*.mote; do
    name=$(basename "$program" .mote)
    module=${name#oracle_}
    mkdir -p "$work/$module"
    cp "$program" "$work/$module/$name.erl"
    cp tests/oracle/oracle.hrl "$work/$module"
    (cd "$work/$module" && erlc "$name.erl" >/dev/null 2>&1 &&
        timeout 300 erl -noshell -noinput -eval "$name:main([\"--raw\"]), halt()." >erl.out 2>&1)
    note $? "$module: erl does not run $name"
    for part in "$module" $(parts "$module"); do
        "$mote" compile -I "$work/lib" -o "$work/$module" "$src/$part.erl" >"$work/$module/compile" 2>&1
        status=$?
        note $status "$module: $src/$part.erl does not compile"
        [ $status = 0 ] || { head -n 5 "$work/$module/compile"; continue 2; }
    done
    timeout 60 "$mote" "$program" --raw "$work/$module" >"$work/$module/mote.out" 2>&1
    # binary:split/2,3 are built into OTP's VM, in the language here: its module has nothing of them.
    [ "$module" = binary ] && sed -i '/^split\//d' "$work/$module/erl.out" "$work/$module/mote.out"
    cmp -s "$work/$module/erl.out" "$work/$module/mote.out"
    status=$?
    note $status "$module: theirs, compiled by mote, differs from erl"
    [ $status = 0 ] || { diff "$work/$module/erl.out" "$work/$module/mote.out" | head -n 6
        echo "  repeat: $mote $program NAME/ARITY DIR, DIR holding the compiled $module"; }
done
echo "oracle of modules: $passed passed, $failed failed"
[ "$failed" = 0 ]

#!/bin/bash
# The bodies of instructions can be moved:  bodies.sh INTERP_OBJECT
# From the machine code of interp_run nothing may be reached but functions, by calls, and the table of
# its own labels: no constants, no jump tables, no data of the image (docs/design/interpreter.md).
set -uo pipefail
object=${1:?object file of vm/interp/interp.c}
bad=$(objdump -r "$object" | awk '
    /^RELOCATION RECORDS FOR/ { section = $4 }
    section !~ /^\[\.text(\.interp_run)?\]:$/ || !/R_X86_64/ { next }
    $2 == "R_X86_64_PLT32" || $3 ~ /labels/ { next }
    { print $1, $2, $3 }')
[ -z "$bad" ] && { echo "bodies: every one can be moved"; exit 0; }
echo "$bad" | sed "s|^|$object: a body reaches outside: |" >&2
exit 1

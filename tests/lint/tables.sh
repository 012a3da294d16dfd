#!/bin/bash
# Fails on a row of a table (*.def) without a meaning, on a name that stands twice, and on a row out
# of its table's order.  A table says in its first comment how it is ordered: "by name", "by number"
# or "append only" (then only the names are checked).
set -euo pipefail
cd "$(dirname "$0")/../.."

status=0
for table in $(find vm compiler -name '*.def' | sort); do
    awk -v file="$table" '
    function complain(what) { print file ":" FNR ": " what; bad = 1 }
    # The first comment, for the order.
    !seen_end { head = head " " $0; if ($0 ~ /\*\//) seen_end = 1 }
    # A blank line or a comment starts a new group.
    /^[ \t]*$/ || /^ *\/\*/ { last = "" }
    /^[A-Z_]+\(/ && $0 !~ /^#/ {
        row = $0
        while (row !~ /\)[ \t]*(\/\*.*\*\/)?$/ && (getline more) > 0) { sub(/^[ \t]+/, "", more); row = row " " more }
        kind = row; sub(/\(.*/, "", kind)
        name = row; sub(/^[A-Z_]+\([ \t]*/, "", name)
        if (kind == "BIF") { split(name, part, /[ \t]*,[ \t]*/); name = part[1] ":" part[2] "/" part[3] }
        else if (name ~ /^"/) { split(name, part, /[ \t]*[,)][ \t]*/); name = part[1] "/" part[2] }
        else sub(/[ \t]*[,)].*/, "", name)
        if (head ~ /meaning/ && row ~ /[^\\]""[ \t]*\)[ \t]*$/) complain(name " has no meaning")
        if ((kind, name) in names) complain(name " stands twice")
        names[kind, name] = 1
        if (head ~ /[Oo]rdered by name|by name within/ && last != "" && name < last)
            complain(name " stands behind " last)
        if (head ~ /in the order of their number|[Nn]umbers are for ever/ && last != "" && substr(name, 2) + 0 < substr(last, 2) + 0)
            complain(name " stands behind " last)
        last = name
    }
    END { exit bad }' "$table" || status=1
done
exit $status

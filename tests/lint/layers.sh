#!/bin/bash
# Reads tests/lint/layers.txt and fails on an include that it does not allow, on a cycle among the
# layers, and on a project header included by a path that does not start at the root.
set -euo pipefail
cd "$(dirname "$0")/../.."

find vm compiler -name '*.c' -o -name '*.h' -o -name '*.re' -o -name '*.y' -o -name '*.def' | sort |
    xargs grep -n '^ *# *include *"' /dev/null |
    awk -v rules=tests/lint/layers.txt '
    function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
    function allowed(from, path,    to) {
        to = folder(path)
        return to == from || (from, to) in may || (from, path) in may ||
               ((from, "vm/*") in may && to ~ /^vm\//)
    }
    # Depth-first: a layer that is met again on the way down closes a cycle.
    function visit(layer, way,    i, n, part) {
        if (state[layer] == 2) return
        if (state[layer] == 1) { print "layers.txt: a cycle: " way layer; bad = 1; return }
        state[layer] = 1
        n = split(below[layer], part, " ")
        for (i = 1; i <= n; i++) visit(part[i], way layer " -> ")
        state[layer] = 2
    }
    BEGIN {
        while ((getline line < rules) > 0) {
            sub(/#.*/, "", line)
            if (split(line, side, ":") < 2) continue
            gsub(/ /, "", side[1])
            known[side[1]] = 1
            below[side[1]] = side[2]
            n = split(side[2], to, " ")
            for (i = 1; i <= n; i++) may[side[1], to[i]] = 1
        }
        for (layer in known) visit(layer, "")
    }
    {
        split($0, at, ":")
        file = at[1]
        if (file == "vm/mote.c" || file == "compiler/motec.c") next
        match($0, /"[^"]*"/)
        path = substr($0, RSTART + 1, RLENGTH - 2)
        from = folder(file)
        if (!(from in known)) { print file ": its folder is not in layers.txt"; bad = 1; next }
        if (path !~ /^(vm|compiler)\//) { print file ":" at[2] ": \"" path "\" does not start at the root"; bad = 1; next }
        if (!allowed(from, path)) { print file ":" at[2] ": " from " may not include " path; bad = 1 }
    }
    END { exit bad }'

#!/bin/bash
# Fails when a page names a file of the tree that is gone.
set -euo pipefail
cd "$(dirname "$0")/../.."

status=0
for page in README.md $(find docs -name '*.md' | sort); do
    while read -r path; do
        [ -e "$path" ] && continue
        echo "$page: no $path"
        status=1
    done < <(grep -oE '`(vm|compiler|stdlib|tests|docs)/[A-Za-z0-9_./-]*[A-Za-z0-9_]`' "$page" | tr -d '`' | sort -u)
    # Links between pages.
    while read -r link; do
        target="$(dirname "$page")/${link%%#*}"
        [ -e "$target" ] && continue
        echo "$page: no $link"
        status=1
    done < <(grep -oE '\]\([A-Za-z0-9_./-]+(#[^)]*)?\)' "$page" | sed 's/^](//; s/)$//' | sort -u)
done
exit $status

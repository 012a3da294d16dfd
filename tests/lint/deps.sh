#!/bin/bash
# Installs the Debian packages that the build needs and that are missing.
#   deps.sh        what `make test` needs
#   deps.sh ci     also the tools of `make ci`
set -euo pipefail

packages="gcc make pkg-config re2c lemon libgmp-dev libuv1-dev libjemalloc-dev libmd-dev libutf8proc-dev zlib1g-dev libpcre2-dev"
[ "${1:-}" = ci ] && packages="$packages clang clang-tidy clang-format libclang-rt-14-dev llvm valgrind"

command -v dpkg-query >/dev/null || {
    echo "not a Debian system: please install $packages" >&2
    exit 0
}
missing=""
for p in $packages; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get install -y -q --no-install-recommends $missing >/dev/null ||
    { $sudo apt-get update -q >/dev/null && $sudo apt-get install -y -q --no-install-recommends $missing >/dev/null; }

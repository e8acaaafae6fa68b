#!/usr/bin/env bash
# Installs Debian's Chromium for the browser tests where it is missing and this user may install it,
# and libatomic1, which the node that comes with playwright is linked against.
set -euo pipefail

missing=()
command -v chromium >/dev/null || missing+=(chromium)
compgen -G '/usr/lib/*/libatomic.so.1' >/dev/null || missing+=(libatomic1)
((${#missing[@]})) || exit 0

if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "antiphon: the browser tests need ${missing[*]} (on Debian: apt-get install ${missing[*]})" >&2
    exit 0
fi
echo "antiphon: installing Debian's ${missing[*]} for the browser tests" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -q update && apt-get -q install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "antiphon: ${missing[*]} could not be installed for the browser tests" >&2
fi

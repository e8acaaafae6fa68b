#!/usr/bin/env bash
# Installs Debian's Chromium for the browser tests where it is missing and this user may install it.
set -euo pipefail

command -v chromium >/dev/null && exit 0
if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "antiphon: no chromium here, so browser tests are skipped (on Debian: apt-get install chromium)" >&2
    exit 0
fi
echo "antiphon: installing Debian's chromium for the browser tests" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -q update && apt-get -q install -y --no-install-recommends chromium; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "antiphon: chromium could not be installed, so browser tests are skipped" >&2
fi

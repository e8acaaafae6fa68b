#!/usr/bin/env bash
# Fetches recordings of people (Debian's pocketsphinx-testdata, BSD) into a folder of this user's:
# nothing is installed. Prints the folder.
#
#   ANTIPHON_RECORDINGS   the folder, otherwise ~/.cache/antiphon/recordings
set -euo pipefail

package=pocketsphinx-testdata
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}
folder=${ANTIPHON_RECORDINGS:-$cache/antiphon/recordings}
mark=$folder/$package.ok

if [[ ! -f $mark ]]; then
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
        echo "antiphon: no apt-get here, so there are no recordings of people: what needs them is skipped" >&2
        exit 0
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # As root apt would download as _apt, which cannot write to the folder.
    get() { (cd "$work" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package") >"$work/log" 2>&1; }
    echo "antiphon: fetching recordings of people (Debian's $package)" >&2
    if ! get; then
        [[ $(id -u) == 0 ]] && apt-get -q update >"$work/update" 2>&1
        if ! get; then
            tail -n 5 "$work/log" >&2
            echo "antiphon: the recordings could not be fetched: what needs them is skipped" >&2
            exit 0
        fi
    fi
    mkdir -p "$folder"
    dpkg -x "$work"/"$package"_*.deb "$folder/$package"
    touch "$mark"
fi
printf '%s\n' "$folder/$package"

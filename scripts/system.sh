#!/usr/bin/env bash
# Brings what comes from the system and not from Python: system.sh models|browser|sound.
#
#   models    libgomp1, which the language model's runtime is linked against
#   browser   Chromium for the browser tests, and libatomic1 for the node that drives it
#   sound     PortAudio, and PulseAudio as a sound card for the test of `antiphon talk`
#
# Installs Debian's packages where they are missing and this user may; otherwise says what is missing
# and what that means, and succeeds: everything else works without.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ $(uname) == Linux ]] || exit 0

loads() { .venv/bin/python -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null; }

missing=()
case ${1:-} in
    models)
        without="a set of rules answers in place of the language model"
        loads libgomp.so.1 || missing+=(libgomp1)
        ;;
    browser)
        without="browser tests are skipped"
        command -v chromium >/dev/null || missing+=(chromium)
        loads libatomic.so.1 || missing+=(libatomic1)
        ;;
    sound)
        without="the test of antiphon talk is skipped"
        loads libportaudio.so.2 || missing+=(libportaudio2)
        command -v pulseaudio >/dev/null || missing+=(pulseaudio)
        command -v paplay >/dev/null || missing+=(pulseaudio-utils)
        [[ -n $(find /usr/lib -name libasound_module_pcm_pulse.so -print -quit) ]] ||
            missing+=(libasound2-plugins)
        ;;
    *)
        echo "usage: scripts/system.sh models|browser|sound" >&2
        exit 2
        ;;
esac
((${#missing[@]})) || exit 0

if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "antiphon: ${missing[*]} not found (on Debian: apt-get install ${missing[*]}); without, $without" >&2
    exit 0
fi
echo "antiphon: installing Debian's ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -q update && apt-get -q install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "antiphon: ${missing[*]} could not be installed; without, $without" >&2
fi

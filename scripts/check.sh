#!/usr/bin/env bash
# Runs the named checks, all of them even when one fails; tests come last, so that their summary
# closes the output. Fails when any failed.
set -uo pipefail
cd "$(dirname "$0")/.."

bin=.venv/bin
failed=()
trees=(src tests scripts)
# Benchmarks are left out: some of them run in an environment of their own, beside other libraries.
[[ -n $(find examples -name "*.py" -print -quit 2>/dev/null) ]] && trees+=(examples)

run() { # run NAME COMMAND...: quiet when all is well
    local name=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    if ((status)); then
        failed+=("$name")
        printf -- '---- %s\n%s\n' "$name" "$output"
    else
        printf '%-8s ok  %s\n' "$name" "$(tail -n 1 <<<"$output")"
    fi
}

for check in "$@"; do
    case $check in
        lint) run lint "$bin/ruff" check . ;;
        format) run format "$bin/ruff" format --check . ;;
        types) run types "$bin/mypy" "${trees[@]}" ;;
        imports) run imports "$bin/lint-imports" --no-logo ;;
        tests) ;;
        *) printf 'unknown check: %s\n' "$check" >&2; exit 2 ;;
    esac
done

((${#failed[@]})) && printf -- '---- failed before the tests: %s\n' "${failed[*]}"
if [[ " $* " == *" tests "* ]]; then
    # In the order of the folders: by default files of many tests go first and the longest come last.
    # shellcheck disable=SC2086 # ARGS is a list of words
    "$bin/python" -m pytest -n 2 --dist loadfile --no-loadscope-reorder ${ARGS:-} || failed+=(tests)
fi
((${#failed[@]} == 0))

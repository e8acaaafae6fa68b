"""A recorded session as a test: a file for pytest that replays it, and the recording beside it."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from antiphon.errors import ConfigurationError, InvalidInputError
from antiphon.simulation.agents import find_function
from antiphon.simulation.record.recording import Recording
from antiphon.simulation.record.replay import Comparison, Factory

_TEST = '''"""A recorded session: the agent must behave as it did then."""

from __future__ import annotations

from pathlib import Path

from {module} import {factory}

from antiphon.simulation.record.recording import Recording
{redaction}from antiphon.simulation.record.replay import {imports}

RECORDING = Path(__file__).with_name("{recording}")


def test_{name}() -> None:
    """The recorded inputs bring about what was recorded."""
    recording = Recording.load(RECORDING)
    {call}.check()
'''


_LONG = 80
_REDACTION = "from antiphon.simulation.record.redaction import rule_named\n"


def to_regression_test(
    recording: Recording,
    path: str | Path,
    *,
    agent: str,
    seed: int | None = None,
    outside: Iterable[str] = (),
    redact: Iterable[str] = (),
    comparison: Comparison | None = None,
    allow_threads: bool = False,
) -> Path:
    """Writes `path`, a test for pytest, and the recording beside it; returns the recording's path.

    `agent` names the factory as `module:function`; `seed`, `outside`, `comparison` and
    `allow_threads` as for `replay`. `redact` names the rules (see `redaction.rule_named`) by which
    the recording was redacted. Raises `ConfigurationError` for a name that cannot be one,
    `InvalidInputError` for a file that cannot be a test's.
    """
    test = test_file(path)
    module, factory = importable(agent)
    name = re.sub(r"\W", "_", test.stem.removeprefix("test_"))
    beside = test.with_name(f"{test.stem.removeprefix('test_')}.antiphon")
    arguments = [] if seed is None else [f"seed={seed}"]
    if given := sorted(set(outside)):
        arguments.append(f"outside={json.dumps(given)}")
    rules = [f"rule_named({json.dumps(rule)})" for rule in redact]
    if rules:
        arguments.append(f"redact=[{', '.join(rules)}]")
    compared = "" if comparison is None else _compared(comparison)
    if compared:
        arguments.append(f"comparison={compared}")
    if allow_threads:
        arguments.append("allow_threads=True")
    recording.save(beside)
    test.write_text(
        _TEST.format(
            module=module,
            factory=factory,
            redaction=_REDACTION if rules else "",
            imports="Comparison, replay" if compared else "replay",
            recording=beside.name,
            name=name,
            call=_call(["recording", factory, *arguments]),
        ),
        encoding="utf-8",
    )
    return beside


def test_file(path: str | Path) -> Path:
    """A file that pytest takes for a test's. Raises `InvalidInputError`."""
    test = Path(path)
    if test.suffix != ".py" or not (test.stem.startswith("test_") or test.stem.endswith("_test")):
        raise InvalidInputError(f"{path}: pytest finds tests in files named test_....py")
    if not test.absolute().parent.is_dir():
        raise InvalidInputError(f"{path} cannot be written: there is no folder {test.parent}")
    return test


def _call(arguments: Sequence[str]) -> str:
    line = f"replay({', '.join(arguments)})"
    if len(line) <= _LONG:
        return line
    return "\n".join(["replay(", *(f"        {argument}," for argument in arguments), "    )"])


def _compared(how: Comparison) -> str:
    """A comparison as an expression; empty for the usual one."""
    usual, said = Comparison(), []
    if how.tolerance_secs != usual.tolerance_secs:
        said.append(f"tolerance_secs={how.tolerance_secs!r}")
    if how.order is not usual.order:
        said.append(f"order=type(Comparison().order).{how.order.name}")
    if how.ignore_fields != usual.ignore_fields:
        said.append(f"ignore_fields=frozenset({_names(how.ignore_fields)})")
    if how.ignore_types != usual.ignore_types:
        said.append(f"ignore_types=frozenset({_names(how.ignore_types)})")
    return f"Comparison({', '.join(said)})" if said else ""


def _names(names: Iterable[str]) -> str:
    return json.dumps(sorted(names))


def find_factory(agent: str) -> Factory:
    """Imports the function that makes the agent's pipeline; see `agents.find_function`."""
    return find_function(agent)


def importable(agent: str) -> tuple[str, str]:
    """Module and function of a name that a test can import. Raises `ConfigurationError`."""
    module, _, name = agent.partition(":")
    words = [*module.split("."), name]
    named = all(word.isidentifier() and not keyword.iskeyword(word) for word in words)
    if not named or module.endswith(".py"):
        raise ConfigurationError(f"a test imports its agent as module:function, not {agent!r}")
    return module, name

"""A recorded session as a test: a file for pytest that replays it, and the recording beside it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from pathlib import Path

from antiphon.errors import ConfigurationError
from antiphon.simulation.agents import find_function
from antiphon.simulation.recording import Recording
from antiphon.simulation.replay import Factory

_TEST = '''"""A recorded session: the agent must behave as it did then."""

from __future__ import annotations

from pathlib import Path

from {module} import {factory}

from antiphon.simulation.recording import Recording
{redaction}from antiphon.simulation.replay import replay

RECORDING = Path(__file__).with_name("{recording}")


def test_{name}() -> None:
    """The recorded inputs bring about what was recorded."""
    replay(Recording.load(RECORDING), {factory}{arguments}).check()
'''


_REDACTION = "from antiphon.simulation.redaction import rule_named\n"


def to_regression_test(
    recording: Recording,
    path: str | Path,
    *,
    agent: str,
    seed: int | None = None,
    outside: Iterable[str] = (),
    redact: Iterable[str] = (),
) -> Path:
    """Writes `path`, a test for pytest, and the recording beside it; returns the recording's path.

    `agent` names the factory as `module:function`; `seed` and `outside` as for `replay`. `redact`
    names the rules (see `redaction.rule_named`) by which the recording was redacted. Raises
    `ConfigurationError` for a name that cannot be one.
    """
    test = Path(path)
    module, factory = importable(agent)
    name = re.sub(r"\W", "_", test.stem.removeprefix("test_"))
    beside = test.with_name(f"{test.stem.removeprefix('test_')}.antiphon")
    arguments = "" if seed is None else f", seed={seed}"
    if given := sorted(set(outside)):
        arguments += f", outside={given!r}".replace("'", '"')
    rules = [f"rule_named({rule!r})".replace("'", '"') for rule in redact]
    if rules:
        arguments += f", redact=[{', '.join(rules)}]"
    recording.save(beside)
    test.write_text(
        _TEST.format(
            module=module,
            factory=factory,
            redaction=_REDACTION if rules else "",
            recording=beside.name,
            name=name,
            arguments=arguments,
        ),
        encoding="utf-8",
    )
    return beside


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

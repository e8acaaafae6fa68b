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
from antiphon.simulation.replay import replay

RECORDING = Path(__file__).with_name("{recording}")


def test_{name}() -> None:
    """The recorded inputs bring about what was recorded."""
    replay(Recording.load(RECORDING), {factory}{arguments}).check()
'''


def to_regression_test(
    recording: Recording,
    path: str | Path,
    *,
    agent: str,
    seed: int | None = None,
    outside: Iterable[str] = (),
) -> Path:
    """Writes `path`, a test for pytest, and the recording beside it; returns the recording's path.

    `agent` names the factory as `module:function`; `seed` and `outside` as for `replay`. Raises
    `ConfigurationError` for a name that cannot be one.
    """
    test = Path(path)
    module, factory = _parts(agent)
    name = re.sub(r"\W", "_", test.stem.removeprefix("test_"))
    beside = test.with_name(f"{test.stem.removeprefix('test_')}.antiphon")
    arguments = "" if seed is None else f", seed={seed}"
    if given := sorted(set(outside)):
        arguments += f", outside={given!r}".replace("'", '"')
    recording.save(beside)
    test.write_text(
        _TEST.format(
            module=module, factory=factory, recording=beside.name, name=name, arguments=arguments
        ),
        encoding="utf-8",
    )
    return beside


def find_factory(agent: str) -> Factory:
    """Imports the function that makes the agent's pipeline; see `agents.find_function`."""
    return find_function(agent)


def _parts(agent: str) -> tuple[str, str]:
    module, _, name = agent.partition(":")
    words = [*module.split("."), name]
    if not all(word.isidentifier() and not keyword.iskeyword(word) for word in words):
        raise ConfigurationError(f"an agent is named as module:function, not {agent!r}")
    return module, name

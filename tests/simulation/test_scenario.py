"""Scenarios from files, held with many seeds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from antiphon.errors import InvalidInputError, UnknownNameError
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.caller import Caller
from antiphon.simulation.scenario import Scenario, hold_scenario, try_seeds
from tests.simulation.test_caller import agent

DINNER = """
name = "dinner"
steps = [
    { says = "a table for tonight please" },
    { interrupts = "for four at eight", after = 0.8 },
    { expects_reply = "four", within = 4.0, settle = 1.0 },
    { pauses = 0.5 },
    { mumbles = 0.2 },
    { presses = "1#" },
    { hangs_up = true },
]
"""


def waiter(caller: Caller) -> PipelineTask:
    return agent(caller, ["For how many people and at what time, please?", "Done, for four."])


def test_a_scenario_from_a_file_is_held(tmp_path: Path) -> None:
    """TOML and JSON read alike, and the call takes place as written."""
    toml, as_json = tmp_path / "dinner.toml", tmp_path / "dinner.json"
    toml.write_text(DINNER, encoding="utf-8")
    scenario = Scenario.load(toml)
    as_json.write_text(
        json.dumps({"name": scenario.name, "steps": list(scenario.steps)}), encoding="utf-8"
    )
    assert Scenario.load(as_json) == scenario
    call = hold_scenario(waiter, scenario)
    assert call.heard.startswith("For how")
    assert call.heard.endswith("Done, for four.")


def test_many_seeds_make_one_report() -> None:
    """A good agent passes with every seed; one that answers wrongly falls short, by seed."""
    steps = ({"says": "for four please"}, {"expects_reply": "four", "within": 4.0})
    scenario = Scenario("order", steps)
    good = try_seeds(lambda caller: agent(caller, ["For four."]), scenario, range(5))
    assert str(good) == "order: 5 runs, all as expected"
    bad = try_seeds(lambda caller: agent(caller, ["For five."]), scenario, range(5))
    assert list(bad.failures) == list(range(5))
    assert "5 of 5 runs fell short" in str(bad)
    assert "'four' is not in what was heard" in str(bad)


@pytest.mark.parametrize(
    ("step", "error", "text"),
    [
        ({"say": "hello"}, UnknownNameError, "did you mean says"),
        ({"says": "a", "pauses": 1}, UnknownNameError, "needs one of the verbs"),
        ({"says": 3}, InvalidInputError, "wrong type"),
        ({"says": "a", "loudly": True}, UnknownNameError, "does not know 'loudly'"),
        ({"interrupts": "a", "after": "soon"}, InvalidInputError, "no number of seconds"),
        ("hello", InvalidInputError, "write it as a verb"),
    ],
)
def test_a_bad_step_is_one_clear_error(step: object, error: type[Exception], text: str) -> None:
    """The error names the step and what to do, before anything runs."""
    with pytest.raises(error, match=f"step 1 of bad.*{text}"):
        Scenario("bad", (step,))  # type: ignore[arg-type]


def test_a_bad_file_is_one_clear_error(tmp_path: Path) -> None:
    """No steps, no syntax, no known suffix: each error names the file."""
    for name, text in (("a.toml", "x = 1"), ("b.json", "{"), ("c.txt", "says: hello")):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InvalidInputError, match=name):
            Scenario.load(path)

"""Scenarios as data and from files."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest

from antiphon.errors import InvalidInputError, MissingExtraError, UnknownNameError
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.calls.caller import Caller, Manner
from antiphon.simulation.calls.scenario import Scenario
from antiphon.simulation.calls.trials import hold_scenario
from tests.simulation.calls.test_caller import agent

DINNER = """
name: dinner
steps:
  - says: a table for tonight please
  - interrupts: for four at eight
    after: 0.8
  - expects_reply: {within: 4.0, containing: four, settle: 1.0}
  - pauses: 0.5
  - mumbles: 0.2
  - presses: 1#
  - hangs_up
"""
AS_TOML = """
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


def written(folder: Path, text: str, name: str = "it.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_scenario_from_a_file_is_held(tmp_path: Path) -> None:
    """YAML, TOML and JSON read alike, and the call takes place as written."""
    scenario = Scenario.load(written(tmp_path, DINNER, "dinner.yaml"))
    assert Scenario.load(written(tmp_path, AS_TOML, "dinner.toml")) == scenario
    data = json.dumps({"name": scenario.name, "steps": list(scenario.steps)})
    assert Scenario.load(written(tmp_path, data, "dinner.json")) == scenario
    call = hold_scenario(waiter, scenario)
    assert call.heard.startswith("For how")
    assert call.heard.endswith("Done, for four.")
    assert [line.text for line in call.caller.steps] == [
        "says(text='a table for tonight please')",
        "interrupts(text='for four at eight', after=0.8)",
        "expects_reply(within=4.0, containing='four', settle=1.0)",
        "pauses(secs=0.5)",
        "mumbles(secs=0.2)",
        "presses(keys='1#')",
        "hangs_up()",
    ]


@pytest.mark.parametrize(
    ("step", "plain"),
    [
        ("mumbles", {"mumbles": {}}),
        ("mumbles: 0.3", {"mumbles": {"secs": 0.3}}),
        ("mumbles: true", {"mumbles": {}}),
        ("hangs_up: true", {"hangs_up": {}}),
        ("interrupts: {after: 0.5}", {"interrupts": {"after": 0.5}}),
        ("expects_reply", {"expects_reply": {}}),
        ("expects_reply: for four", {"expects_reply": {"containing": "for four"}}),
        ("expects_reply: {without: five}", {"expects_reply": {"without": "five"}}),
        ("says: yes", {"says": {"text": "yes"}}),
        ("says: 12:30", {"says": {"text": "12:30"}}),
        ("presses: 007", {"presses": {"keys": "007"}}),
    ],
)
def test_words_and_keys_are_what_is_written(
    step: str, plain: dict[str, Any], tmp_path: Path
) -> None:
    """No word of a step becomes a truth, a time or a number that its verb did not ask for."""
    assert Scenario.load(written(tmp_path, f"steps: [{step}]")).steps == (plain,)


def test_what_a_file_may_say(tmp_path: Path) -> None:
    """Agent, caller, seeds, faults and limits come from the file; the name from its name."""
    text = """
description: two words
agent: bot:make_task
caller: {manner: frames, secs_per_word: 0.25, sample_rate: 8000}
seeds: 200
faults: {llm: {error_once: server}}
timeout_secs: 60
steps: [{says: hello}]
"""
    scenario = Scenario.load(written(tmp_path, text, "hello.yaml"))
    assert (scenario.name, scenario.agent, scenario.seeds) == ("hello", "bot:make_task", 200)
    assert scenario.caller.manner is Manner.FRAMES
    assert scenario.caller.secs_per_word == 0.25
    assert not scenario.errors_matter
    assert scenario.folders == (tmp_path, Path())
    assert Scenario.load(written(tmp_path, "caller: spoken\nsteps: [mumbles]")).errors_matter


@pytest.mark.parametrize(
    ("step", "error", "text"),
    [
        ({"say": "hello"}, UnknownNameError, "did you mean says"),
        ({"says": "a", "pauses": 1}, UnknownNameError, "needs one of the verbs"),
        ({"says": 3}, InvalidInputError, "wrong type: words are written in quotes"),
        ({"says": ""}, InvalidInputError, "says needs text"),
        ({"says": "a", "loudly": True}, UnknownNameError, "does not know 'loudly'; it knows text"),
        ({"interrupts": "a", "aftr": 1}, UnknownNameError, "did you mean after"),
        ({"interrupts": "a", "after": "soon"}, InvalidInputError, "no number of seconds"),
        ({"pauses": -1}, InvalidInputError, "-1 is no number of seconds"),
        ({"pauses": True}, InvalidInputError, "wrong type"),
        ({"presses": "1A"}, InvalidInputError, "no key 'A' on a telephone"),
        ({"hangs_up": "now"}, InvalidInputError, "takes no argument, and has 'now'"),
        ("hello", UnknownNameError, "needs one of the verbs"),
        (7, InvalidInputError, "write it as a verb"),
    ],
)
def test_a_bad_step_is_one_clear_error(step: object, error: type[Exception], text: str) -> None:
    """The error names the step and what to do, before anything runs."""
    with pytest.raises(error, match=f"step 1 of bad.*{text}"):
        Scenario("bad", (step,))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x: 1\nsteps: [mumbles]", "has no 'x': it has name"),
        ("step: [mumbles]", "did you mean steps"),
        ("name: nothing", "has no list of steps"),
        ("steps: []", "has no list of steps"),
        ("just words", "is no scenario"),
        ("", "is no scenario"),
        ("steps: [mumbles", "line 1"),
        ("steps:\n  - says: hello\n  - say: hello", "line 3 needs one of the verbs"),
        ("steps:\n  - says: a\n    says: b", "line 3: 'says' is there twice"),
        ("steps: [mumbles]\nseeds: many", "seeds is 'many', no whole number above 0"),
        ("steps: [mumbles]\ntimeout_secs: -3", "timeout_secs is -3, no number of seconds above 0"),
        ("steps: [mumbles]\nagent: 3", "agent is 3, no text"),
        ("steps: [mumbles]\nallow_errors: maybe", "allow_errors is 'maybe': true or false"),
        ("steps: [mumbles]\ncaller: singing", "no manner 'singing': coded or frames or spoken"),
        ("steps: [mumbles]\ncaller: {sample_rate: 0}", "sample_rate is 0, no positive number"),
        ("steps: [mumbles]\nfaults: all", "faults is 'all'"),
        ("steps: [mumbles]\nfaults: {sst: {delay: 1}}", "sst"),
    ],
)
def test_a_bad_file_is_one_clear_error(text: str, says: str, tmp_path: Path) -> None:
    """Each error names the file, the line where there is one, and what is wrong."""
    path = written(tmp_path, text)
    with pytest.raises((InvalidInputError, UnknownNameError)) as raised:
        Scenario.load(path)
    assert str(raised.value).count(str(path)) == 1
    assert says in str(raised.value)


def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    """Absent, of another kind, of another coding, broken TOML and JSON: each names the file."""
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    written(tmp_path, "x =", "broken.toml")
    written(tmp_path, "{", "broken.json")
    written(tmp_path, "says: hello", "plain.txt")
    names = {
        "absent.yaml": "no such file",
        "latin.yaml": "UTF-8",
        "broken.toml": "cannot be read",
        "broken.json": "cannot be read",
        "plain.txt": "scenarios are .yaml",
    }
    for name, says in names.items():
        with pytest.raises(InvalidInputError, match=rf"{name}.*{says}"):
            Scenario.load(tmp_path / name)


def test_yaml_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing PyYAML is one error that names the extra."""
    real = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "yaml":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtraError, match=r"it\.yaml.*pip install 'antiphon\[cli\]'"):
        Scenario.load(written(tmp_path, DINNER))


def test_a_timeout_may_be_a_part_of_a_second(tmp_path: Path) -> None:
    """Virtual seconds need not be whole."""
    path = tmp_path / "short.yaml"
    path.write_text("steps: [mumbles]\ntimeout_secs: 2.5\n", encoding="utf-8")
    assert Scenario.load(path).timeout_secs == 2.5

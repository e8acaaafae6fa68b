"""Faults as data, and what is said about bad ones."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.errors import (
    AntiphonError,
    ConfigurationError,
    ConnectivityError,
    InvalidInputError,
    UnknownNameError,
)
from antiphon.frames.text import TextFrame
from antiphon.simulation.faults import FaultPlan, FaultVerb

EVERYTHING: dict[str, Any] = {
    "stt": {"delay": 2.0, "after": 3},
    "llm": {"error_once": "server"},
    "tts": [{"drop": 0.1}, {"error": "connectivity", "every": 5, "on": "event"}],
    "llm.Main": {"hang": True, "since": 4, "until": 9.5},
    "tools.weather": {"hang": True},
    "tools": {"late": {"uniform": [1, 12.0]}},
    "input": {"drop": 0.05},
    "output": {"slow": 0.05},
    "into.Shout#1": {"duplicate": True, "frames": ["TextFrame"], "chance": 0.5},
    "from.Shout": {"delay": {"lognormal": [0.1, 0.5]}, "upstream": True},
    "network": {"latency_secs": 0.2, "loss": 0.02},
    "network.443": [{"reset": True, "at": 5.0}, {"stall": 2, "every": 30}],
    "loop": {"stall": 0.5, "every": 10},
}


def test_a_plan_says_what_it_does() -> None:
    """All targets, verbs and conditions are understood, and told as they were written."""
    plan = FaultPlan.of(EVERYTHING)
    assert len(plan.aims) == 15
    assert plan.needs_network
    assert "stt: delay 2.0, after 3; llm: error_once server; tts: drop 0.1" in plan.describe()
    assert "tools: late {uniform: [1, 12.0]}" in plan.describe()
    faults = {str(aim.target): aim.fault for aim in plan.aims}
    assert faults["stt"].when.after == 3
    assert faults["llm"].when.times == 1
    assert faults["tts"].error is ConnectivityError
    assert faults["into.Shout#1"].frames == (TextFrame,)
    assert faults["network"].conditions == {"latency_secs": 0.2, "loss": 0.02}
    assert (faults["loop"].verb, faults["loop"].at, faults["loop"].again) == (
        FaultVerb.STALL,
        10,
        10,
    )
    assert not FaultPlan.of({"llm": {"delay": 1}}).needs_network


def test_text_is_yaml_and_json() -> None:
    """What is written on a command line is read as YAML, of which JSON is a part."""
    plan = FaultPlan.parse("llm: {error_once: server}")
    assert plan.aims == FaultPlan.parse('{"llm": {"error_once": "server"}}').aims
    with pytest.raises(InvalidInputError, match="these faults cannot be read"):
        FaultPlan.parse("llm: {")
    with pytest.raises(InvalidInputError, match="a mapping of targets to faults"):
        FaultPlan.parse("llm")


@pytest.mark.parametrize(
    ("plan", "kind", "said"),
    [
        ({"lm": {"hang": True}}, UnknownNameError, "no target 'lm'.* did you mean 'llm'.*network"),
        ({"llm": {"dely": 1}}, UnknownNameError, "llm: .*'dely'.* did you mean 'delay'.*drop"),
        ({"llm": {"error": "servr"}}, UnknownNameError, "llm: .*'servr'.*'server'.*rate_limit"),
        ({"llm": {"after": 2}}, InvalidInputError, "llm: a fault has one verb, not none"),
        ({"llm": {"delay": 1, "hang": True}}, InvalidInputError, "one verb, not delay, hang"),
        ({"llm": {"delay": -1}}, InvalidInputError, "llm: delay = -1: write a number"),
        ({"llm": {"delay": "1"}}, InvalidInputError, "llm: delay = '1'"),
        ({"llm": {"delay": {"normal": [1, 2]}}}, InvalidInputError, "uniform: .low, high."),
        ({"llm": {"delay": {"lognormal": [0, 2]}}}, InvalidInputError, "the median is above 0"),
        ({"llm": {"drop": 1.5}}, InvalidInputError, "drop = 1.5: write a probability"),
        ({"llm": {"drop": 0.5, "chance": 0.5}}, InvalidInputError, "probability and a chance"),
        ({"llm": {"hang": 3}}, InvalidInputError, "hang = 3: write true"),
        ({"llm": {"hang": True, "after": 1.5}}, InvalidInputError, "after = 1.5: write a whole"),
        ({"llm": {"hang": True, "on": "token"}}, InvalidInputError, "there are call, event, input"),
        ({"llm": {"hang": True, "frames": ["TextFrame"]}}, UnknownNameError, "'frames'"),
        ({"llm": {"late": 2}}, UnknownNameError, "llm: .*'late'"),
        ({"llm": {"slow": 2}}, ConfigurationError, "cannot take it slowly: write delay"),
        ({"into": {"hang": True}}, InvalidInputError, "into needs the name of a processor"),
        ({"into.X": {"hang": True, "frames": ["Text"]}}, UnknownNameError, "no frame type 'Text'"),
        ({"input.x": {"hang": True}}, InvalidInputError, "there is one input"),
        ({"network.https": {"reset": True}}, InvalidInputError, "'https' is no port"),
        ({"loop": {"stall": 1, "every": 0}}, InvalidInputError, "every = 0: it takes seconds"),
        ({"llm": "slow"}, InvalidInputError, "llm: a fault is a mapping such as"),
        (["llm"], InvalidInputError, "a mapping of targets to faults"),
    ],
)
def test_a_bad_plan_is_one_clear_error(plan: Any, kind: type[AntiphonError], said: str) -> None:
    """What is wrong is named with its target, and what there is instead."""
    with pytest.raises(kind, match=said):
        FaultPlan.of(plan)

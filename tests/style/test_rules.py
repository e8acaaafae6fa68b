"""The rules of `rules.py` hold, and would notice if they did not."""

from __future__ import annotations

import ast

import pytest

from tests.style.rules import RULES, Rule
from tests.style.source import SRC, Source, everywhere, report

each_rule = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in RULES])


def _source(path: str, text: str) -> Source:
    return Source(path, text, ast.parse(text))


@each_rule
def test_a_rule_holds(rule: Rule) -> None:
    """Nobody breaks the rule."""
    report(rule.advice, [line for source in everywhere() for line in rule.findings(source)])


@each_rule
def test_a_rule_notices(rule: Rule) -> None:
    """What breaks the rule is found, with its place; what does not is not."""
    path = f"{SRC}tools/example.py"
    (finding,) = rule.findings(_source(path, rule.bad))
    assert finding.startswith(f"{path}:")
    assert rule.findings(_source(path, rule.good)) == []


@each_rule
def test_a_rule_exempts_its_rooms_alone(rule: Rule) -> None:
    """The rooms of a rule may do what others may not; tests only follow rules for everything."""
    for room in rule.rooms:
        path = room if room.startswith("tests/") else SRC + room
        assert rule.findings(_source(f"{path}x.py", rule.bad)) == []
    assert bool(rule.findings(_source("tests/example.py", rule.bad))) is rule.everywhere

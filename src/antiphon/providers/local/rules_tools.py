"""Which advertised tool the caller means, by the words of its name, description and parameters.

A tool is meant when a telling word of its name (or a word that stands for one, `TOPICS`) was said;
its description and parameters only decide between several such tools. A word that many tools share
tells less.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from antiphon.providers.local.rules_arguments import fill
from antiphon.providers.local.rules_schema import simplest
from antiphon.providers.local.rules_tables import DULL, FAREWELL, STATEMENT, TOPICS
from antiphon.providers.local.rules_words import spelled_out, stem, words
from antiphon.services.contracts import ToolSpec


class Wish(msgspec.Struct, frozen=True):
    """A tool the caller wants, with what is known and what is not."""

    tool: ToolSpec
    arguments: dict[str, Any]
    missing: tuple[str, ...] = ()


_CLAUSE = re.compile(
    r"\s*(?:[.?!;]\s+|,?\s+and (?:then|also)\s+|,\s+then\s+"
    r"|,?\s+and\s+(?!a half\b|(?:a half|an? \w+|\d+|[a-z-]+) (?:second|minute|hour|day)s?\b))",
    re.IGNORECASE,
)
_AFTERTHOUGHT = re.compile(r"^(?:and|what about|how about|or)\b", re.IGNORECASE)
_END_NAMES = re.compile(r"(?:^|_)(?:end|hang|finish|goodbye|terminate|close)")


def name_words(tool: ToolSpec) -> set[str]:
    """The stems of the telling words of a tool's name."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", tool.name).replace("_", " ").replace("-", " ")
    return {stem(word) for word in words(spaced) if word not in DULL}


def _described(tool: ToolSpec) -> set[str]:
    properties: dict[str, Any] = tool.parameters.get("properties", {})
    texts = [tool.description]
    for name, schema in properties.items():
        values = " ".join(str(value) for value in schema.get("enum", ()))
        texts.append(f"{name.replace('_', ' ')} {schema.get('description', '')} {values}")
    return {stem(word) for word in words(" ".join(texts)) if word not in DULL}


def _meanings(tool: ToolSpec) -> set[str]:
    topics = {stem(topic): others for topic, others in TOPICS.items()}
    return {stem(other) for word in name_words(tool) for other in topics.get(word, ())}


def score(tool: ToolSpec, text: str, tools: tuple[ToolSpec, ...]) -> float:
    """How much the text asks for the tool; 0 where no telling word of its name was said."""
    lower = spelled_out(text).lower()
    heard = {stem(word) for word in words(lower) if word not in DULL}
    if re.search(FAREWELL, lower) and _END_NAMES.search(tool.name.lower()):
        return 3.0
    named = name_words(tool)
    points = 3.0 * sum(_weight(word, tools) for word in heard & named)
    points += 2.0 * len(heard & (_meanings(tool) - named))
    if not points and (named or not heard & _described(tool)):
        return 0.0
    return points + 0.5 * len(heard & (_described(tool) - named)) + 0.01


def _weight(word: str, tools: tuple[ToolSpec, ...]) -> float:
    return 1.0 / max(1, sum(word in name_words(tool) for tool in tools))


def best(text: str, tools: tuple[ToolSpec, ...]) -> ToolSpec | None:
    """The tool that the text asks for, if it asks for one."""
    if re.search(STATEMENT, spelled_out(text).lower()):
        return None
    ranked = sorted(tools, key=lambda tool: -score(tool, text, tools))
    return ranked[0] if ranked and score(ranked[0], text, tools) > 0 else None


def wishes(text: str, tools: tuple[ToolSpec, ...]) -> list[Wish]:
    """The calls that the text asks for: usually none or one, more where clauses ask for more."""
    clauses = [clause for clause in _CLAUSE.split(text) if clause]
    meant = [best(clause, tools) for clause in clauses]
    if len({tool.name for tool in meant if tool}) >= 2:
        return [_wish(tool, clause) for tool, clause in zip(meant, clauses, strict=True) if tool]
    if not meant or not any(meant):
        whole = best(text, tools)
        return [_wish(whole, text)] if whole else []
    at = next(i for i, tool in enumerate(meant) if tool)
    tool = meant[at]
    assert tool is not None
    if _is_list(tool):
        return [_wish(tool, text)]
    first = _wish(tool, clauses[at])
    if first.missing:
        return [_wish(tool, text)]
    return [first, *_more_of_the_same(first, clauses[at + 1 :], meant[at + 1 :])]


def _is_list(tool: ToolSpec) -> bool:
    properties = tool.parameters.get("properties", {})
    return any(schema.get("type") == "array" for schema in properties.values())


def _more_of_the_same(first: Wish, clauses: list[str], meant: list[ToolSpec | None]) -> list[Wish]:
    """Asks twice for "the weather in Berlin and in Paris": a short clause with another value."""
    more: list[Wish] = []
    for clause, tool in zip(clauses, meant, strict=True):
        again = tool is not None or len(words(clause)) <= 4
        if not again:
            break
        filled = fill(first.tool, clause, given=first.arguments, bare=tool is None)
        known = [first.arguments, *(wish.arguments for wish in more)]
        if filled.arguments not in known and not filled.missing:
            more.append(Wish(first.tool, filled.arguments))
    return more


def _wish(tool: ToolSpec, text: str) -> Wish:
    filled = fill(tool, text)
    return Wish(tool, filled.arguments, filled.missing)


def afterthought(text: str, tool: ToolSpec, before: dict[str, Any]) -> Wish | None:
    """Reads "And in Paris?" after a call: the same tool with what is new in the words."""
    if not _AFTERTHOUGHT.search(text.strip()) or len(words(text)) > 8:
        return None
    filled = fill(tool, text, given=before, bare=True)
    if filled.missing or filled.arguments == before:
        return None
    return Wish(tool, filled.arguments)


def completed(wish: Wish, answer: str) -> Wish:
    """The wish with the missing argument taken from the caller's answer."""
    filled = fill(wish.tool, answer, given=wish.arguments, bare=True)
    return Wish(wish.tool, filled.arguments, filled.missing)


def forced(tool: ToolSpec, text: str) -> Wish:
    """A call that must be made: what the words have, and the simplest values for the rest."""
    filled = fill(tool, text)
    rest = simplest(tool.parameters, tool.parameters)
    return Wish(tool, (rest if isinstance(rest, dict) else {}) | filled.arguments)

"""What the caller's words point to: one of the advertised tools, and values of its arguments.

The embedded model is leaned towards these (it is small and would rather chat than call), and the
rule-based responder calls by them. English only. Pure functions.

A tool is meant when a telling word of its name (or a word that stands for one, `TOPICS`) was said;
its description and parameters only decide between several such tools. A word that many tools share
tells less. A value is taken from the words only where they have it, but for a required yes or no:
it is yes unless they say no.
"""

from __future__ import annotations

import itertools
import re
from typing import Any, Final

from antiphon.providers.local.tool_schema import Schema, resolved, type_of
from antiphon.services.contracts import ToolSpec

TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "weather": ("rain", "raining", "sunny", "snow", "umbrella", "forecast", "hot", "cold",
                "warm", "temperature", "degrees", "outside", "windy", "cloudy"),
    "timer": ("remind", "countdown", "wake"),
    "reminder": ("remind", "remember", "forget"),
    "alarm": ("wake",),
    "light": ("lamp", "lights", "bulb", "dark", "bright"),
    "music": ("song", "album", "playlist", "listen"),
    "restaurant": ("eat", "hungry", "dinner", "lunch", "food"),
    "order": ("buy", "purchase"),
    "book": ("reserve", "reservation", "appointment"),
    "reservation": ("book", "reserve", "table"),
    "appointment": ("book", "schedule", "meeting"),
    "flight": ("fly", "plane", "flights"),
    "email": ("mail", "message"),
    "message": ("text",),
    "call": ("phone", "dial", "ring"),
    "balance": ("money", "account"),
    "price": ("cost", "expensive", "cheap"),
    "end": ("bye", "goodbye", "hangup"),
    "hang": ("bye", "goodbye"),
    "transfer": ("human", "agent", "operator", "person"),
    "search": ("find", "look", "google"),
}  # fmt: skip
"""Words that ask for a tool although its name says another word."""

DULL: Final = frozenset(
    "a an the of for in on at to from by with and or if is are was be been it its this that these "
    "those i you he she we they me my your our their his her what which who whom whose when where "
    "why how do does did can could will would shall should may might must get gets fetch give "
    "gives given show tell let please now current currently right user users caller customer "
    "value information info data name use used using return returns some any all about into up "
    "out as not no yes there here new one e.g such like string number specific particular "
    "provided provides allows via want need make much many so just today tomorrow go have has "
    "run set find look know state function tool hey hi hello ok okay well then thanks thank".split()
)
"""Words that say nothing about which tool is meant, or what about it."""

_STATEMENT = re.compile(
    r"^(?:i|we) (?:really |just |also |do not |don['’]t )?"
    r"(?:love|like|hate|enjoy|think|feel|am|was|had|have|saw|met|went)\b[^?]*$"
    r"|^(?:the|my|our|his|her|their) [\w ]+ (?:is|was|are|were|has|had)\b[^?]*$"
    r"|^do you (?:like|love|enjoy|prefer|eat|hate)\b",
    re.IGNORECASE,
)
"""The caller is telling something or asking for an opinion, not for anything to be done."""

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")


def words(text: str) -> list[str]:
    """The lower-case words of the text, numbers included."""
    return [word.lower() for word in _WORD.findall(text)]


def stem(word: str) -> str:
    """A crude stem, so that "timers", "weather's" and "raining" find their tool."""
    word = re.sub(r"['’]s?$", "", word)
    for ending in ("ing", "ies", "es", "ed", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def telling(text: str) -> set[str]:
    """The stems of the words that carry meaning."""
    return {stem(word) for word in words(text) if word not in DULL}


# ---- which tool -------------------------------------------------------------------------------


def _name_words(tool: ToolSpec) -> set[str]:
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", tool.name)
    return telling(re.sub(r"[_.-]", " ", spaced))


def _score(tool: ToolSpec, heard: set[str], tools: tuple[ToolSpec, ...]) -> float:
    named = _name_words(tool)
    shares = [1.0 / sum(word in _name_words(other) for other in tools) for word in heard & named]
    meant = {stem(o) for topic, others in TOPICS.items() if stem(topic) in named for o in others}
    points = 3.0 * sum(shares) + 2.0 * len(heard & (meant - named))
    return points and points + 0.5 * len(heard & (telling(tool.description) - named))


def meant_tool(text: str, tools: tuple[ToolSpec, ...]) -> ToolSpec | None:
    """The tool that the text asks for, if it asks for one."""
    if _STATEMENT.search(text.strip()):
        return None
    heard = telling(text)
    ranked = sorted(tools, key=lambda tool: -_score(tool, heard, tools))
    return ranked[0] if ranked and _score(ranked[0], heard, tools) > 0 else None


# ---- which values -----------------------------------------------------------------------------

_PLACE = ("in", "at", "near", "around", "for", "from", "of", "to", "about")
_OPENERS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"^from|origin", ("from",)),
    (r"^to$|destination|recipient|contact|person", ("to", "for", "with")),
    (r"city|location|place|where|town|country|region|area|venue", _PLACE),
    (r"name|guest|customer|party", ("named", "called", "name is", "under", "for")),
)
"""What stands before a value, by the name of its property."""

_CLOSERS: Final = frozenset(
    "please now today tomorrow tonight and or but is are right currently with using in at for on "
    "from to like thanks thank then this next that looks saying says named called about".split()
)
_ON = re.compile(r"\b(?:on|yes|true|enabled?|open|start|activate)\b", re.IGNORECASE)
_OFF = re.compile(r"\b(?:off|no|not|false|disabled?|close|stop|without)\b", re.IGNORECASE)
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600}
_NUMBER = re.compile(r"(?<![\w.])(-?\d+(?:\.\d+)?)(?:[\s-]+(second|minute|hour))?", re.IGNORECASE)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_IN_WORDS = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?:[\s-]+({'|'.join(_UNITS[1:10])}))?|({'|'.join(_UNITS)}))\b",
    re.IGNORECASE,
)


def values(tool: ToolSpec, text: str) -> dict[str, Any]:
    """The arguments that the words have a value for, strings in the caller's own spelling."""
    found: dict[str, Any] = {}
    text = text.strip().strip("?!. ")
    for name, declared in tool.parameters.get("properties", {}).items():
        schema = resolved(declared, tool.parameters)
        value = _value(name, schema, text, tool)
        if value is None and type_of(schema) == "boolean" and "enum" not in schema:
            value = True if name in tool.parameters.get("required", ()) else None
        if value is not None:
            found[name] = value
    return found


def _value(name: str, schema: Schema, text: str, tool: ToolSpec) -> Any:
    if "enum" in schema:
        heard = _stems(text)
        return next((v for v in schema["enum"] if _stems(str(v)) in heard and _stems(str(v))), None)
    kind = type_of(schema)
    if kind == "boolean":
        return False if _OFF.search(text) else True if _ON.search(text) else None
    if kind in ("integer", "number"):
        return _number(name, text, integral=kind == "integer")
    return _phrase_for(name, text, tool) if kind == "string" else None


def _stems(text: str) -> str:
    return " ".join(stem(word) for word in words(text.replace("_", " ")))


def _digits(found: re.Match[str]) -> str:
    tens, unit, small = (word and word.lower() for word in found.groups())
    if small:
        return str(_UNITS.index(small))
    return str(20 + 10 * _TENS.index(tens or "") + (_UNITS.index(unit) if unit else 0))


def _number(name: str, text: str, *, integral: bool) -> float | None:
    """The first number said, in the unit that the property's name says."""
    found = _NUMBER.search(_IN_WORDS.sub(_digits, text))
    if found is None:
        return None
    value = float(found[1])
    wanted = next((unit for unit in _SECONDS if unit in name.lower()), None)
    if wanted and found[2]:
        value *= _SECONDS[found[2].lower()] / _SECONDS[wanted]
    return int(value) if integral or value.is_integer() else value


def _phrase_for(name: str, text: str, tool: ToolSpec) -> str | None:
    openers = next((found for role, found in _OPENERS if re.search(role, name.lower())), ())
    for opener in openers:
        for match in re.finditer(rf"\b{opener}\b[\s:,]*", text, re.IGNORECASE):
            phrase = _phrase(text[match.end() :])
            if telling(phrase) - telling(tool.description):
                return phrase.title() if phrase.islower() else phrase
    trigger = _name_words(tool) | telling(tool.description)
    rest = text.split()
    while rest and (not telling(rest[0]) or telling(rest[0]) <= trigger):
        rest.pop(0)
    if not openers:
        return " ".join(rest) or None
    proper = itertools.takewhile(lambda word: word[:1].isupper(), rest)
    return _phrase(" ".join(proper)) or None


def _phrase(rest: str) -> str:
    """The words up to one that closes the phrase, four at most."""
    kept: list[str] = []
    for word in rest.split():
        bare = word.strip(",;.!?").lower()
        if not kept and bare in ("the", "a", "an", "my"):
            continue
        if bare in _CLOSERS or bare.isdigit() or len(kept) == 4:
            break
        kept.append(word.strip(",;!?"))
        if word[-1] in ",;!?.":
            break
    return " ".join(kept).strip(" .")

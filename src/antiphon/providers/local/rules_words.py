"""Words, numbers and sums in what a caller says. Pure functions, English only."""

from __future__ import annotations

import math
import re

_SHORT_FORMS = (
    (
        re.compile(r"\b(what|where|who|how|that|it|there|here|he|she)['’]s\b", re.IGNORECASE),
        r"\1 is",
    ),
    (re.compile(r"\b(i)['’]m\b", re.IGNORECASE), r"\1 am"),
    (re.compile(r"\b(you|we|they)['’]re\b", re.IGNORECASE), r"\1 are"),
    (re.compile(r"\b(i|you|we|they)['’]ve\b", re.IGNORECASE), r"\1 have"),
    (re.compile(r"\b(i|you|we|they|it|that)['’](?:d|ll)\b", re.IGNORECASE), r"\1 will"),
    (re.compile(r"\bcan['’]t\b", re.IGNORECASE), "can not"),
    (re.compile(r"n['’]t\b", re.IGNORECASE), " not"),
    (re.compile(r"\bcapitol\b", re.IGNORECASE), "capital"),
)
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SMALL = {word: i for i, word in enumerate(_UNITS)} | {
    word: 10 * (i + 2) for i, word in enumerate(_TENS)
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 10**9}
_NUMBER_WORDS = re.compile(
    r"\b(?:(?:{small})|an?(?=\s+(?:{scales})))(?:[\s-]+(?:and\s+(?=(?:{small})\b))?(?:{all}))*\b".format(
        small="|".join(_SMALL),
        scales="|".join(_SCALES),
        all="|".join([*_SMALL, *_SCALES]),
    ),
    re.IGNORECASE,
)


def spelled_out(text: str) -> str:
    """The text without short forms: "What's" is "What is"."""
    for pattern, long_form in _SHORT_FORMS:
        text = pattern.sub(long_form, text)
    return text


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


def _value(phrase: str) -> int:
    total = group = 0
    previous = ""
    for word in re.findall(r"[a-z]+", phrase.lower()):
        if word in _SMALL:
            # "five five five" is digits being read out, not a sum
            reading_out = previous in _SMALL and not (
                previous in _TENS and _SMALL[word] < 10 and word != "zero"
            )
            group = group * 10 + _SMALL[word] if reading_out else group + _SMALL[word]
        elif word == "hundred":
            group = max(group, 1) * 100
        elif word in _SCALES:
            total, group = total + max(group, 1) * _SCALES[word], 0
        previous = word
    return total + group


def with_digits(text: str) -> str:
    """The text with its number words as digits: "twenty-five minutes" is "25 minutes"."""
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = _NUMBER_WORDS.sub(lambda found: str(_value(found.group())), text)
    return re.sub(r"(?<=\d) and a half\b", ".5", text, flags=re.IGNORECASE)


def spoken_number(value: float) -> str:
    """A number as one would say it, at most four decimals."""
    if not math.isfinite(value):
        return "more than I can count"
    rounded = round(value, 4)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.4f}".rstrip("0")


_OPERATORS = (
    (re.compile(r"\b(?:plus|added to)\b", re.IGNORECASE), " + "),
    (re.compile(r"\b(?:minus|less|take away)\b", re.IGNORECASE), " - "),
    (re.compile(r"\b(?:times|multiplied by)\b|×", re.IGNORECASE), " * "),
    (re.compile(r"(?<=\d)\s*x\s*(?=\d)", re.IGNORECASE), " * "),
    (re.compile(r"\b(?:divided by|over)\b|÷", re.IGNORECASE), " / "),
    (re.compile(r"\bto the power of\b", re.IGNORECASE), " ^ "),
    (re.compile(r"(?<=\d)\s*squared\b", re.IGNORECASE), " ^ 2"),
    (re.compile(r"(?<=\d)\s*cubed\b", re.IGNORECASE), " ^ 3"),
    (re.compile(r"(?<=\d)\s*(?:%|percent|per cent)\s*of\b", re.IGNORECASE), " / 100 * "),
)
_ROOT = re.compile(r"\bsquare root of\s+(\d+(?:\.\d+)?)", re.IGNORECASE)
_NUMBER = r"\d+(?:\.\d+)?"
_SUM = re.compile(rf"(?<![\w.])-?{_NUMBER}(?:\s*[+*/^]\s*-?{_NUMBER}|\s+-\s+{_NUMBER})+(?![\w])")
_TOKEN = re.compile(rf"{_NUMBER}|[-+*/^]")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}


def arithmetic(text: str) -> float | None:
    """The value of the sum in the text, None where there is none.

    Raises:
        ZeroDivisionError: the sum divides by zero.

    """
    text = with_digits(spelled_out(text))
    root = _ROOT.search(text)
    if root:
        return math.sqrt(float(root.group(1)))
    for pattern, symbol in _OPERATORS:
        text = pattern.sub(symbol, text)
    found = _SUM.search(text)
    return _evaluate(_TOKEN.findall(found.group())) if found else None


def _evaluate(tokens: list[str]) -> float:
    """Precedence climbing over numbers and operators; a leading minus belongs to its number."""

    def number() -> float:
        piece = tokens.pop(0)
        return -number() if piece == "-" else float(piece)

    def expression(least: int) -> float:
        left = number()
        while tokens and _PRECEDENCE[tokens[0]] >= least:
            operator = tokens.pop(0)
            right = expression(_PRECEDENCE[operator] + 1)
            left = _apply(operator, left, right)
        return left

    return expression(1)


def _apply(operator: str, left: float, right: float) -> float:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/":
        return left / right
    # bounded: a caller must not be able to keep the process busy with a tower of powers
    return left**right if abs(right) <= 64 and abs(left) <= 1_000 else math.inf

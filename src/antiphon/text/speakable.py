"""From text that is read to text that is said: markup and symbols that a voice would stumble over.

Each function takes a piece of text and returns one; they can be combined, and given to a
`TTSService` as its transforms. What is shown and remembered stays as the model wrote it: only the
voice gets this. `Speakable` is all of it in one language, with numbers if wanted; a service asks it
to follow when its own language changes.
"""

from __future__ import annotations

import inspect
import logging
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, Protocol, runtime_checkable

from antiphon.errors import ConfigurationError, InvalidInputError
from antiphon.text.grammar import grammar_of
from antiphon.text.links import speak_links
from antiphon.text.local_numbers import LocalNumbers
from antiphon.text.locale_words import words_of
from antiphon.text.markdown import strip_markdown
from antiphon.text.numbers import speak_numbers
from antiphon.text.voice_tags import outside_tags
from antiphon.text.well_formed import well_formed_text

logger: Final = logging.getLogger(__name__)

Transform = Callable[[str], str]

_SYMBOLS = {
    "&": " and ",
    "%": " percent",
    "°C": " degrees Celsius",
    "°F": " degrees Fahrenheit",
    "°": " degrees",
    "→": " to ",
    "≈": " about ",
    "≥": " at least ",
    "≤": " at most ",
    "±": " plus or minus ",
    "×": " times ",
    "÷": " divided by ",
    "=": " equals ",
    "|": ", ",
    "…": "...",
    "•": "",
}
_SPACES = re.compile(r"[ \t]{2,}")


def strip_emoji(text: str) -> str:
    """Without emoji and other pictures; letters and digits of all scripts stay, in any frame."""
    if text.isascii():
        return text
    kept: list[str] = []
    before = ""
    for char in text:
        if not _is_picture(char) and not (char == _JOINER and not before.isalpha()):
            kept.append(char)
        # The marks of Indian scripts belong to their letters.
        before = "a" if unicodedata.category(char)[0] == "M" and char != _PICTURE_MARK else char
    return "".join(kept)


_JOINER = "\u200d"
"""Joins letters in some scripts, and people to families in pictures."""
_PICTURE_MARK = "\ufe0f"
_LAST_SIGN = 0x2122
"""Signs up to the trade mark are said (degrees, copyright, ...); pictures come after."""


def _is_picture(char: str) -> bool:
    code = ord(char)
    if code <= _LAST_SIGN:
        return char == "\u20e3"  # the frame of a key
    if char == _PICTURE_MARK or 0xE0020 <= code <= 0xE007F:
        return True
    if unicodedata.category(char) not in ("So", "Sk", "Cs"):
        return False
    # "㎏" and "①" are letters and digits in a frame.
    return not any(part.isalnum() for part in unicodedata.normalize("NFKC", char))


def speak_symbols(text: str, language: str = "en") -> str:
    """Symbols as words of the language, as far as these are known; a link's address as its host."""
    text = speak_powers(speak_links(text), language)
    if _is_english(language):
        text = _BY.sub(r"\1 by \2", text)
        for symbol, words in _SYMBOLS.items():
            if symbol in text:
                text = text.replace(symbol, words)
    else:
        text = _local_symbols(text, language)
    return _SPACES.sub(" ", text)


_BY = re.compile(r"(?<![\w.,])(\d{1,6}(?:\.\d{1,3})?)\s?[xX]\s?(\d{1,6}(?:\.\d{1,3})?)(?![\w.])")
_POWER = re.compile(r"(?<=[\w)])\^(?=[\d(])")
_POWERS = {
    "en": "to the power of",
    "de": "hoch",
    "nl": "tot de macht",
    "fr": "puissance",
    "es": "elevado a",
    "it": "elevato alla",
    "pt": "elevado a",
    "pl": "do potęgi",
    "sv": "upphöjt till",
}


def speak_powers(text: str, language: str = "en") -> str:
    """Powers in the words of a language, where these are known: "2 to the power of 8"."""
    words = _POWERS.get(language.replace("_", "-").split("-", maxsplit=1)[0].lower())
    return _POWER.sub(f" {words} ", text) if words and "^" in text else text


_QUANTITY = r"(?<![\w.,])([-−]?\d+(?:[.,]\d+)*)\s?"


def _local_symbols(text: str, language: str) -> str:
    for symbol in ("|", "…", "•"):
        text = text.replace(symbol, _SYMBOLS[symbol])
    grammar = grammar_of(language)
    if grammar is None:
        return text
    for symbol, template in (("%", grammar.percent), ("°C", grammar.celsius)):
        if template and symbol in text:
            text = re.sub(f"{_QUANTITY}{symbol}", template.format(n=r"\1"), text)
    for symbol, word in (("&", grammar.and_), ("=", grammar.equals)):
        if word:
            text = text.replace(symbol, f" {word} ")
    return text


def speakable(text: str, language: str = "en") -> str:
    """What a voice is given by default."""
    return Speakable(language)(text)


@runtime_checkable
class Localized(Protocol):
    """A transform of text that is another one in another language."""

    def __call__(self, text: str) -> str:
        """The text as it is said."""
        ...

    def for_language(self, language: str) -> Transform:
        """The same for a language, as BCP 47."""
        ...


KindTransform = tuple[str, Transform]
"""A kind of units, "*" for all, and what makes them speakable."""


def in_language(
    transforms: Sequence[Transform | KindTransform], language: str
) -> tuple[KindTransform, ...]:
    """The transforms with the kinds they are for, those that follow the language in `language`.

    Raises `ConfigurationError` for one that would have to be awaited.
    """
    paired = [item if isinstance(item, tuple) else ("*", item) for item in transforms]
    for _, item in paired:
        if inspect.iscoroutinefunction(item):
            raise ConfigurationError(
                f"the text transform {item!r} is async: text waits for nobody on its way to "
                "the voice, make it a plain function from text to text"
            )
    return tuple(
        (kind, item.for_language(language) if isinstance(item, Localized) else item)
        for kind, item in paired
    )


def transformed(text: str, kind: str, transforms: Sequence[KindTransform]) -> str:
    """A unit's text after all transforms for its kind, in their order.

    Raises `InvalidInputError` where one raises anything, or returns something else than text.
    """
    for wanted, transform in transforms:
        if wanted not in ("*", kind):
            continue
        try:
            said: object = transform(text)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic of compiled code too
            raise InvalidInputError(
                f"the text transform {transform!r} raised {error!r:.300}"
            ) from error
        if not isinstance(said, str):
            raise InvalidInputError(
                f"the text transform {transform!r} returned {type(said).__name__}, not text"
            )
        text = well_formed_text(said)
    return text


class Speakable:
    """Makes text speakable in one language.

    Markup, pictures and symbols always; with `numbers` also numbers, money, dates, times, units,
    telephone numbers, e-mail addresses and acronyms. English needs nothing for them; other
    languages need `pip install 'antiphon[text]'` (or `MissingExtraError` is raised here). In a
    language that is not known they stay as they are, which is logged once.
    """

    def __init__(self, language: str = "en", *, numbers: bool = False) -> None:
        self.language = language
        self.speaks_numbers = numbers
        self._numbers = _numbers_in(language) if numbers else None

    def __call__(self, text: str) -> str:
        """The text as it is said; tags for the voice (`<break time="1s"/>`) stay as they are."""
        return outside_tags(text, self._say)

    def _say(self, text: str) -> str:
        text = strip_emoji(strip_markdown(text))
        if self._numbers is not None:
            text = self._numbers(speak_powers(text, self.language))
        return speak_symbols(text, self.language)

    def for_language(self, language: str) -> Speakable:
        """The same in another language."""
        return Speakable(language, numbers=self.speaks_numbers)


def check_for_tokens(transforms: Sequence[Transform | KindTransform]) -> None:
    """Raises `ConfigurationError` for what needs whole sentences: "1", "," and "234" are three
    tokens, and one number.
    """
    for _, transform in in_language(transforms, "en"):
        if isinstance(transform, Speakable) and transform.speaks_numbers:
            raise ConfigurationError(
                "Speakable(numbers=True) needs whole sentences: with token_mode leave the numbers "
                "to the voice, Speakable()"
            )


DEFAULT_TRANSFORMS: tuple[Transform | KindTransform, ...] = (Speakable(),)
"""Of a voice's service: no numbers, because most voices read them well by themselves."""


def _is_english(language: str) -> bool:
    return language.replace("_", "-").split("-", maxsplit=1)[0].lower() == "en"


@lru_cache(maxsize=64)
def _numbers_in(language: str) -> Transform | None:
    if _is_english(language):
        abroad = language.replace("_", "-").lower() not in ("en", "en-us")
        return lambda text: speak_numbers(text, day_first=abroad)
    words = words_of(language)
    if words is None:
        logger.warning("numbers are not said in the language %r: the voice reads them", language)
        return None
    return LocalNumbers(words)


def has_words(text: str) -> bool:
    """Whether there is anything to say."""
    return any(char.isalnum() for char in text)

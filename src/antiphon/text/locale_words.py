"""What the Unicode locale data says of a language: number words, plural forms, money, units, dates.

Needs `pip install 'antiphon[text]'` (`unicode-rbnf` for the words, `babel` for the rest, and
`phonenumbers`). Loading a language takes some ten milliseconds and is done once in a process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from antiphon.errors import MissingExtraError
from antiphon.text.grammar import ALIASES, Grammar, grammar_of

if TYPE_CHECKING:
    from babel import Locale
    from unicode_rbnf import RbnfEngine

_SIGNS: Mapping[str, str] = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₽": "RUB",
    "₺": "TRY",
    "₩": "KRW",
    "₴": "UAH",
    "US$": "USD",
    **{code: code for code in ("EUR", "USD", "GBP", "CHF", "JPY")},
}
_PLACELESS = re.compile("[\u200b\u00ad]")
"""Marks for line breaks that some locale data has within its words."""
_GENDERS = re.compile(r"spellout-(?:numbering|cardinal(?:-(?:masculine|feminine|neuter|reale))?)")
LARGEST = 10**15
"""Below it every language has words."""


class LocaleWords:
    """The words of one language. `tag`: BCP 47. Use `words_of`."""

    def __init__(self, tag: str, locale: Locale, engine: RbnfEngine, grammar: Grammar) -> None:
        self.grammar = grammar
        self.language: str = tag.split("_", maxsplit=1)[0]
        self._locale = locale
        self._engine = engine
        symbols = locale.number_symbols["latn"]
        self.decimal_sign: str = symbols["decimal"]
        self.group_sign: str = symbols["group"]
        self.region: str = locale.territory or _home(self.language)
        self.point: str = grammar.point
        if self.decimal_sign == "." and self.language in ("de", "es", "it"):
            self.point = grammar.dot
        self.months: Mapping[str, int] = self._month_names()
        self.date_order: str = _order(locale.date_formats["short"].pattern)
        self.date_pattern: str = locale.date_formats["long"].pattern
        self.currencies: Mapping[str, str] = self._currency_signs()

    @property
    def is_unspaced(self) -> bool:
        """Whether words are written without spaces between them."""
        return self.language in ("ja", "zh")

    # ---- numbers -------------------------------------------------------------------------------

    def cardinal(self, number: int, form: str = "spellout-numbering") -> str:
        """A whole number from 0, in the form of that name if the language has it."""
        forms = self._forms(number, None)
        return forms.get(form) or forms.get("spellout-numbering") or next(iter(forms.values()))

    def agrees(self, number: int) -> bool:
        """Whether it is said in one way before all nouns."""
        forms = self._forms(number, None)
        return len({said for name, said in forms.items() if _GENDERS.fullmatch(name)}) <= 1

    def year(self, number: int) -> str:
        """As a year where that differs: 1999 in German is "neunzehnhundertneunundneunzig"."""
        if not self.grammar.paired_years or not 1100 <= number <= 1999:
            return self.cardinal(number)
        return next(iter(self._forms(number, "year").values()))

    def ordinals(self, number: int) -> Mapping[str, str]:
        """All forms of "third" that the language has, by the names of their rule sets."""
        return self._forms(number, "ordinal")

    def _forms(self, number: int, purpose: str | None) -> Mapping[str, str]:
        from unicode_rbnf import FormatPurpose

        wanted = FormatPurpose[purpose.upper()] if purpose else FormatPurpose.CARDINAL
        try:
            forms = self._engine.format_number(number, wanted).text_by_ruleset
        except ValueError:  # it has no rules for them
            return {}
        return {name: _PLACELESS.sub("", said) for name, said in forms.items()}

    # ---- money and units ------------------------------------------------------------------------

    def currency(self, code: str, count: float) -> str:
        """The name for that many of a currency."""
        from babel.numbers import get_currency_name

        if names := self.grammar.names.get(code):
            return self._plural(names, count)
        return get_currency_name(code, count=count, locale=self._locale)

    def coin(self, code: str, count: int) -> str | None:
        """The name for that many hundredths of it."""
        names = self.grammar.coins.get(code)
        return self._plural(names, count) if names else None

    def _plural(self, names: Mapping[str, str], count: float) -> str:
        return names.get(self._locale.plural_form(count), names["other"])

    def unit(self, name: str, count: float, said: str) -> str | None:
        """`said` with a unit, as "fünf Kilometer"; None when the language has no word for it."""
        from babel.units import format_unit

        shown = format_unit(count, name, "long", format="0.######", locale=self._locale)
        digits = re.search(r"\d+(?:[.,]\d+)?", shown)
        if digits is None or name in shown or not re.search(r"[^\W\d]", shown):
            return None
        phrase = shown[: digits.start()] + said + shown[digits.end() :]
        return phrase.replace("\u00a0", " ").replace("\u202f", " ")

    def short_units(self, units: Mapping[str, str]) -> Mapping[str, str]:
        """The units of these names by their local abbreviations: "км" in Russian."""
        from babel.units import format_unit

        found: dict[str, str] = {}
        for unit in units.values():
            for count in (1, 2, 5):
                shown = format_unit(count, unit, "short", locale=self._locale)
                short = re.sub(r"[\d\s]+", "", shown)
                if short and unit not in shown and not re.match(r"\D", shown):
                    found[short] = unit
        return found

    def _currency_signs(self) -> Mapping[str, str]:
        from babel.numbers import get_currency_symbol, get_territory_currencies

        signs = dict(_SIGNS)
        if self.language == "zh":
            signs["¥"] = signs["￥"] = "CNY"
        for code in get_territory_currencies(self.region) if self.region else ():
            signs[get_currency_symbol(code, locale=self._locale)] = code
            signs[code] = code
        return signs

    # ---- dates and telephone numbers ------------------------------------------------------------

    def _month_names(self) -> Mapping[str, int]:
        months: dict[str, int] = {}
        for context in ("format", "stand-alone"):
            for number, name in self._locale.months[context]["wide"].items():
                if not re.search(r"\d", name):
                    months[name.lower()] = number
        return months

    def month(self, number: int) -> str:
        """Its name as it stands in a date."""
        return str(self._locale.months["format"]["wide"][number])

    def phone_numbers(self, text: str) -> Iterable[tuple[int, int]]:
        """From where to where there are telephone numbers of the region, or with a country's."""
        from phonenumbers import Leniency, PhoneNumberMatcher

        for match in PhoneNumberMatcher(text, self.region, leniency=Leniency.VALID):
            yield match.start, match.end


@lru_cache(maxsize=64)
def words_of(tag: str) -> LocaleWords | None:
    """The words of a BCP 47 tag ("de", "pt-BR"); None for a language that is not known.

    Raises `MissingExtraError` when the packages are not installed.
    """
    grammar = grammar_of(tag)
    if grammar is None:
        return None
    base, _, rest = tag.replace("-", "_").partition("_")
    base = ALIASES.get(base.lower(), base.lower())
    return LocaleWords(base, _locale(base, rest), _engine(base, rest), grammar)


def _locale(base: str, rest: str) -> Locale:
    try:
        from babel import Locale, UnknownLocaleError
    except ImportError as error:
        raise _missing("babel") from error
    try:
        return Locale.parse(f"{base}_{rest}" if rest else base)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(base)


def _engine(base: str, rest: str) -> RbnfEngine:
    try:
        import phonenumbers  # noqa: F401 - missing is said when a voice is built, not at a number
        from unicode_rbnf import RbnfEngine
    except ImportError as error:
        raise _missing("unicode_rbnf") from error
    base = "no" if base == "nb" else base
    known = set(RbnfEngine.get_supported_languages())
    traditional = base == "zh" and rest.upper() in ("TW", "HK", "HANT", "HANT_TW", "HANT_HK")
    regional = f"{base}_Hant" if traditional else f"{base}_{rest.upper()}"
    return RbnfEngine.for_language(regional if regional in known else base)


def _missing(module: str) -> MissingExtraError:
    return MissingExtraError("saying numbers in other languages than English", "text", module)


def _home(language: str) -> str:
    """The territory where most speak it."""
    from babel.core import get_global

    return str(get_global("likely_subtags").get(language, "")).rpartition("_")[2]


def _order(pattern: str) -> str:
    """In what order a short date has day, month and year: "dmy", "ymd" or "mdy"."""
    return re.sub(r"(.)\1*", r"\1", "".join(c for c in pattern.lower() if c in "dmy"))

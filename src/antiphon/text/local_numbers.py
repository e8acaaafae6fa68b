"""Numbers, money, dates, times and telephone numbers as words of many languages.

Theory of operation
-------------------
A `Draft` goes through the rules, the more particular first: addresses, money, dates, times,
telephone numbers, percentages and units, ordinals, numbers, acronyms. A rule says what it is sure
of and leaves the rest as it is, for the voice to read. So digits stay

* where several readings are possible: "1/2", "1.2.3", a number written as in another country;
* where grammar decides that no library has: "1 Buch" is "ein", and "eins" without the noun.

No other character is ever touched: what has no digit, "@" or spelled word in it comes back as it
was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from antiphon.text.amounts import AmountRules
from antiphon.text.dates import KOREAN_MONTHS, CalendarRules
from antiphon.text.draft import Draft, Span
from antiphon.text.figures import Figures, is_code
from antiphon.text.locale_words import LocaleWords

_EMAIL = re.compile(r"(?<![\w.+-])([A-Za-z0-9_.+-]+)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?!\w)")
_SPELLED = re.compile(r"(?<![\w.-])(?![XVLM]+\b)[BCDFGHJKLMNPQRSTVWXZ]{2,5}(?!\w)")
"""Acronyms without a vowel cannot be words; "XV" may be a number."""
_WORD_FOLLOWS = re.compile(r"[ \u00a0]?[^\W\d_]")
_MARK = r"\.?[ºª]|\.er|['’]?[^\W\d_]{1,4}|:[ae]|-[^\W\d_]{1,3}"
_GERMAN_ORDINAL = re.compile(
    r"(?P<article>\b(?:der|die|das|dem|den|des|am|im|zum|zur|vom|beim|jeder|jedem|jeden)\s)"
    r"(?P<number>\d{1,4})\.(?=\s+\w)",
    re.IGNORECASE,
)
_GERMAN_ENDINGS = {"der": "", "die": "", "das": "", "jeder": "-r"}
_KOREAN_COUNTERS = re.compile(r"\s?(?:시간?|개|명|살|마리|잔|권|병|대|장|번째)(?!\w*년)")
_CHINESE_COUNTERS = re.compile(r"\s?(?:[个個位次天件条條张張只隻本杯瓶块塊家点點种種]|小[时時])")
_FEWEST_PHONE_DIGITS = 7


class LocalNumbers:
    """Text in, text out, in the language of `words`."""

    def __init__(self, words: LocaleWords) -> None:
        figures = Figures(words)
        self._words, self._grammar, self._figures = words, words.grammar, figures
        self._amounts, self._calendar = AmountRules(figures), CalendarRules(figures)
        start, end, number = figures.start, figures.end, figures.number
        self._marked = re.compile(rf"{start}(?P<number>\d{{1,6}})(?P<mark>{_MARK})(?![\w'’])")
        self._range = re.compile(
            rf"{start}(?P<low>{number})(?:\s?[–—]\s?|-)(?P<high>{number}){end}(?!\s?[–—-])"
        )
        self._plain = re.compile(rf"{start}{figures.sign}(?P<number>{number}){end}")

    def __call__(self, text: str) -> str:
        """`text` with what is written in digits and signs as words, as far as that is sure."""
        draft = Draft(text)
        if self._grammar.at:
            draft.rewrite(_EMAIL, self._say_email)
        if any(char.isdecimal() for char in text):
            self._say_figures(draft)
        draft.rewrite(_SPELLED, lambda match: " ".join(match[0]))
        return draft.text

    def _say_figures(self, draft: Draft) -> None:
        self._amounts.say_money(draft)
        self._calendar.say(draft)
        draft.replace(self._phones)
        self._amounts.say_units(draft)
        if self._words.language == "de":
            draft.rewrite(_GERMAN_ORDINAL, self._say_german_ordinal)
        draft.rewrite(self._marked, self._say_marked)
        if self._grammar.to:
            draft.rewrite(self._range, self._say_range)
        draft.rewrite(self._plain, self._say_plain)

    # ---- numbers -------------------------------------------------------------------------------

    def _say_plain(self, match: re.Match[str]) -> str | None:
        written, after = match["number"], match.string[match.end() :]
        whole, fraction = self._figures.value(written)
        if written.isdecimal() and len(whole) >= _FEWEST_PHONE_DIGITS:
            return self._figures.signed(match, self._figures.digits(whole))
        if fraction or is_code(whole):
            return self._figures.signed(match, self._figures.say(written))
        number = int(whole)
        if (counted := self._counted(number, after)) is not None:
            return counted
        if not self._words.agrees(number) and _WORD_FOLLOWS.match(after):
            return None
        said = self._words.year(number) if len(written) == 4 else self._words.cardinal(number)
        return self._figures.signed(match, said)

    def _counted(self, number: int, after: str) -> str | None:
        """Where the counter behind it decides how a number is said."""
        match self._words.language:
            case "ko" if after.startswith("월") and number in KOREAN_MONTHS:
                return KOREAN_MONTHS[number]
            case "ko" if 0 < number < 100 and _KOREAN_COUNTERS.match(after):
                return self._words.cardinal(number, "spellout-cardinal-native-attributive")
            case "zh" if number == 2 and _CHINESE_COUNTERS.match(after):
                return "两"
            case "zh" if 1000 <= number <= 2999 and after.lstrip().startswith("年"):
                return self._figures.digits(str(number))
        return None

    def _say_range(self, match: re.Match[str]) -> str | None:
        low, high = (self._figures.value(match[name]) for name in ("low", "high"))
        if any(len(whole) > 4 or is_code(whole) for whole, _ in (low, high)):
            return None
        follows = _WORD_FOLLOWS.match(match.string[match.end() :])
        if follows and not self._words.agrees(int(high[0])):
            return None
        return self._figures.join(
            self._end(match["low"]), self._grammar.to, self._end(match["high"])
        )

    def _end(self, written: str) -> str:
        if written.isdecimal() and len(written) == 4:
            return self._words.year(int(written))
        return self._figures.say(written)

    # ---- ordinals ------------------------------------------------------------------------------

    def _say_marked(self, match: re.Match[str]) -> str | None:
        """Of "2e", "3.ª" or "21-й" the form that ends as the mark does, the masculine first."""
        mark = match["mark"].lstrip(".-:'’").lower()
        forms = self._words.ordinals(int(match["number"]))
        if mark in ("º", "ª"):
            gender = "feminine" if mark == "ª" else "masculine"
            return forms.get(f"spellout-ordinal-{gender}")
        fitting = [name for name, said in forms.items() if said.endswith(mark)]
        return forms[min(fitting, key=lambda name: "masculine" not in name)] if fitting else None

    def _say_german_ordinal(self, match: re.Match[str]) -> str | None:
        article = match["article"]
        ending = _GERMAN_ENDINGS.get(article.strip().lower(), "-n")
        return article + self._words.ordinals(int(match["number"]))[f"spellout-ordinal{ending}"]

    # ---- telephone numbers and addresses -------------------------------------------------------

    def _phones(self, text: str) -> Iterable[Span]:
        if sum(char.isdecimal() for char in text) < _FEWEST_PHONE_DIGITS:
            return
        comma = "、" if self._words.is_unspaced else ", "
        for start, end in self._words.phone_numbers(text):
            written = text[start:end]
            groups = re.findall(r"\d+", written)
            if sum(map(len, groups)) >= _FEWEST_PHONE_DIGITS:
                plus = f"{self._grammar.plus} " if written.startswith(("+", "＋")) else ""
                yield start, end, plus + comma.join(map(self._group, groups))

    def _group(self, figures: str) -> str:
        figures = self._figures.value(figures)[0]
        if not self._grammar.digit_pairs or len(figures) != 2 or figures[0] == "0":
            return self._figures.digits(figures)
        return self._words.cardinal(int(figures))

    def _say_email(self, match: re.Match[str]) -> str:
        dot, plus = f" {self._grammar.dot} ", f" {self._grammar.plus} "
        parts = [part.replace(".", dot).replace("+", plus) for part in match.groups()]
        return f" {self._grammar.at} ".join(parts)

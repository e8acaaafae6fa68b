"""Figures as a locale writes them, and their words: what all rules about numbers share."""

from __future__ import annotations

import re

from antiphon.text.grammar import Grammar
from antiphon.text.locale_words import LARGEST, LocaleWords

_NARROW = "\u00a0\u202f"
"""Spaces that do not break a line."""


class Figures:
    """Reads "1.234,56" and says it.

    `number` is the pattern of a figure, without groups. `start` and `end` hold off figures within
    words and longer figures: what stands there is no number by itself.
    """

    def __init__(self, words: LocaleWords) -> None:
        self.words = words
        self.grammar: Grammar = words.grammar
        group, decimal = words.group_sign, re.escape(words.decimal_sign)
        groups = f"[ {_NARROW}]" if group.isspace() else f"(?:{re.escape(group)}|[{_NARROW}])"
        part = f"(?:{decimal}\\d+)?"
        lakhs = rf"\d{{1,2}}(?:,\d\d)+,\d{{3}}{part}|" if words.language == "hi" else ""
        self.number: str = rf"(?:{lakhs}\d{{1,3}}(?:{groups}\d{{3}})+{part}|\d+{part})"
        self.letter = r"\w" if self.grammar.spaced else "A-Za-z0-9_"
        self.start = rf"(?<![{self.letter}.,:/+#%^\d-])(?<!\d[ {_NARROW}'’])"
        self.end = rf"(?![{self.letter}\d%^]|[.,:/'’]\d|[ {_NARROW}]\d|-\d)"
        self.sign = r"(?P<sign>[-−])?"
        self.gap = f"[ {_NARROW}]?"
        self._glue = " " if self.grammar.spaced else ""

    def value(self, written: str) -> tuple[str, str]:
        """The digits before and after the decimal sign, as ASCII."""
        whole, _, fraction = written.partition(self.words.decimal_sign)
        return _ascii(whole), _ascii(fraction)

    def count(self, written: str) -> float:
        """Its value, for the choice of a plural; an int where it is whole."""
        whole, fraction = self.value(written)
        return float(f"{whole}.{fraction}") if fraction else int(whole)

    def say(self, written: str, form: str = "spellout-numbering") -> str:
        """A figure in words. `form`: the rule set for a whole number."""
        whole, fraction = self.value(written)
        if is_code(whole):
            said = self.digits(whole)
        else:
            said = self.words.cardinal(int(whole), "spellout-numbering" if fraction else form)
        return self.join(said, self.words.point, self._fraction(fraction)) if fraction else said

    def _fraction(self, fraction: str) -> str:
        if not self.grammar.whole_fraction or len(fraction) > 2:
            return self.digits(fraction)
        zeros = len(fraction) - len(fraction.lstrip("0"))
        tail = [self.words.cardinal(int(fraction))] if zeros < len(fraction) else []
        return self.join(*[self.words.cardinal(0)] * zeros, *tail)

    def digits(self, figures: str) -> str:
        """One by one."""
        return self.join(*map(self._digit, figures))

    def _digit(self, figure: str) -> str:
        if figure == "0" and self.grammar.zero_digit:
            return self.grammar.zero_digit
        return self.words.cardinal(int(figure))

    def join(self, *parts: str) -> str:
        """Words beside each other."""
        return self._glue.join(part for part in parts if part)

    def signed(self, match: re.Match[str], said: str) -> str:
        """With a minus where the match has one."""
        gap = "" if self.words.is_unspaced else " "
        return f"{self.grammar.minus}{gap}{said}" if match["sign"] else said


def is_code(whole: str) -> bool:
    """Whether digits are said one by one: "007", and what is too long for number words."""
    return (len(whole) > 1 and whole[0] == "0") or len(whole) > len(str(LARGEST)) - 1


def _ascii(figures: str) -> str:
    return "".join(str(int(char)) for char in figures if char.isdecimal())

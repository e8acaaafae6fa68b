"""Money, percentages and units in the words of a locale."""

from __future__ import annotations

import re
from collections.abc import Mapping

from antiphon.text.draft import Draft
from antiphon.text.figures import Figures, is_code

_UNITS = {
    "km/h": "speed-kilometer-per-hour",
    "km": "length-kilometer",
    "cm": "length-centimeter",
    "mm": "length-millimeter",
    "m": "length-meter",
    "kg": "mass-kilogram",
    "mg": "mass-milligram",
    "g": "mass-gram",
    "ml": "volume-milliliter",
    "l": "volume-liter",
    "kW": "power-kilowatt",
    "GB": "digital-gigabyte",
    "MB": "digital-megabyte",
    "°C": "temperature-celsius",
    "°": "angle-degree",
    "%": "concentr-percent",
}
_MASCULINE, _FEMININE = "spellout-cardinal-masculine", "spellout-cardinal-feminine"


class AmountRules:
    """Figures with a sign, before or after it: "3,50 €", "%20"."""

    def __init__(self, figures: Figures) -> None:
        self._figures, self._words, self._grammar = figures, figures.words, figures.grammar
        self._units = {**figures.words.short_units(_UNITS), **_UNITS}
        number, start, gap = figures.number, figures.start, figures.gap
        signs = _any_of(self._words.currencies)
        self._money = re.compile(
            rf"{start}{figures.sign}(?:(?P<before>{signs}){gap}(?P<first>{number})"
            rf"|(?P<last>{number}){gap}(?P<after>{signs}))(?![{figures.letter}%]|[.,]\d)"
        )
        prefixed = "%" if self._grammar.percent.endswith("{n}") else "(?!)"
        self._unit = re.compile(
            rf"{start}{figures.sign}(?:(?P<percent>{prefixed})(?P<after>{number})"
            rf"|(?P<number>{number}){gap}(?P<unit>{_any_of(self._units)}))(?![{figures.letter}/²³])"
        )

    def say_money(self, draft: Draft) -> None:
        """With the names of the hundredths where the language's are known."""
        draft.rewrite(self._money, self._say_money)

    def say_units(self, draft: Draft) -> None:
        """Percentages and common units."""
        draft.rewrite(self._unit, self._say_unit)

    def _say_money(self, match: re.Match[str]) -> str | None:
        code = self._words.currencies[match["before"] or match["after"]]
        written = match["first"] or match["last"]
        whole, fraction = self._figures.value(written)
        form = _FEMININE if code in self._grammar.feminine else _MASCULINE
        if len(fraction) == 2 and not is_code(whole) and self._words.coin(code, 2):
            return self._figures.signed(match, self._coins(code, int(whole), int(fraction), form))
        name = self._words.currency(code, self._figures.count(written))
        return self._figures.signed(match, self._beside(self._figures.say(written, form), name))

    def _coins(self, code: str, whole: int, hundredths: int, form: str) -> str:
        parts = []
        if whole or not hundredths:
            number = self._words.cardinal(whole, form)
            parts.append(self._beside(number, self._words.currency(code, whole)))
        if hundredths:
            coin_form = _FEMININE if code in self._grammar.feminine_coins else _MASCULINE
            number = self._words.cardinal(hundredths, coin_form)
            parts.append(self._beside(number, self._words.coin(code, hundredths) or ""))
        return self._grammar.money.join(parts)

    def _beside(self, number: str, name: str) -> str:
        return f"{number}{name}" if self._words.is_unspaced else f"{number} {name}"

    def _say_unit(self, match: re.Match[str]) -> str | None:
        written = match["after"] or match["number"]
        name = self._units["%" if match["percent"] else match["unit"]]
        whole, _ = self._figures.value(written)
        if is_code(whole):
            return None
        templates = {
            "concentr-percent": self._grammar.percent,
            "temperature-celsius": "" if whole == "1" else self._grammar.celsius,
        }
        if template := templates.get(name):
            form = _MASCULINE if self._words.language == "de" else "spellout-numbering"
            said = self._figures.say(written, form)
            return self._figures.signed(match, template.format(n=said))
        said = self._figures.say(written, _MASCULINE)
        phrase = self._words.unit(name, self._figures.count(written), said)
        return None if phrase is None else self._figures.signed(match, phrase)


def _any_of(names: Mapping[str, str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))

"""Dates and times of day in the words of a locale."""

from __future__ import annotations

import re

from antiphon.text.draft import Draft
from antiphon.text.figures import Figures
from antiphon.text.grammar import Day

KOREAN_MONTHS = {6: "유", 10: "시"}
"""June and October are not said as the numbers are."""
_DATIVE = re.compile(r"\b(?:am|dem|den|vom|zum|beim|ab|bis|seit|des)\s$", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(?:der|die|das)\s$", re.IGNORECASE)
_PARTS = {"d": r"(?P<day>\d{1,2})", "m": r"(?P<month>\d{1,2})", "y": r"(?P<year>\d{4})"}
_NEVER = re.compile("(?!)")


class CalendarRules:
    """Dates in figures or with the month's name, and times. What is no date stays as it is."""

    def __init__(self, figures: Figures) -> None:
        self._figures, self._words, self._grammar = figures, figures.words, figures.grammar
        start, end = figures.start, figures.end
        order = [_PARTS[part] for part in self._words.date_order]
        self._iso = re.compile(rf"{start}{_PARTS['y']}-{_PARTS['m']}-{_PARTS['d']}{end}")
        self._written = re.compile(rf"{start}(?:{'[./-] ?'.join(order)}){end}")
        self._named = self._named_pattern()
        clock = rf"(?:{self._grammar.clock})?" if self._grammar.clock else ""
        parting = r"(?::|\s?h\s?)" if r"\s?h" in self._grammar.clock else ":"
        self._time = re.compile(
            rf"{start}(?P<hour>[01]?\d|2[0-3]){parting}(?P<minute>[0-5]\d)(?::[0-5]\d)?"
            rf"{clock}{end}(?!['’.,]\w)"
        )
        # What the pattern of a long date has beside words, and nobody says.
        self._pattern = re.sub(r"(?<=[dy])\.|'[гр]'\.", "", self._words.date_pattern).strip()

    def say(self, draft: Draft) -> None:
        """Dates first: their figures are no times."""
        for pattern in (self._iso, self._written):
            draft.rewrite(pattern, self._say_date)
        draft.rewrite(self._named, self._say_named_date)
        if self._grammar.time:
            draft.rewrite(self._time, self._say_time)

    def _named_pattern(self) -> re.Pattern[str]:
        names = "|".join(sorted(map(re.escape, self._words.months), key=len, reverse=True))
        if not names or not self._grammar.spaced:
            return _NEVER
        return re.compile(
            rf"{self._figures.start}(?P<day>\d{{1,2}})(?:\.|er|º|-?го)?(?P<of>\s+(?:de\s+|d')?)"
            rf"(?P<name>{names})\b(?:(?P<del>\s+(?:de\s+|del\s+)?)"
            rf"(?P<year>\d{{4}})(?:\s?(?:г\.|года)(?!\w))?(?!\w))?",
            re.IGNORECASE,
        )

    def _say_date(self, match: re.Match[str]) -> str | None:
        day, month, year = (int(match[name]) for name in ("day", "month", "year"))
        if not (1 <= day <= 31 and 1 <= month <= 12 and 1000 <= year <= 2999):
            return None
        if not self._grammar.spaced:
            return self._eastern_date(year, month, day)
        parts = {
            "d": self._day(day, match.string[: match.start()]),
            "MMMM": self._words.month(month),
            "y": self._year(year),
        }
        return re.sub(
            r"'([^']*)'|MMMM|d|y", lambda part: part[1] or parts.get(part[0], ""), self._pattern
        )

    def _eastern_date(self, year: int, month: int, day: int) -> str:
        words = self._words
        if words.language == "ko":
            spoken = KOREAN_MONTHS.get(month) or words.cardinal(month)
            return f"{words.cardinal(year)}년 {spoken}월 {words.cardinal(day)}일"
        chinese = words.language == "zh"
        spoken = self._figures.digits(str(year)) if chinese else words.cardinal(year)
        return f"{spoken}年{words.cardinal(month)}月{words.cardinal(day)}日"

    def _say_named_date(self, match: re.Match[str]) -> str | None:
        day = int(match["day"])
        if not 1 <= day <= 31 or self._grammar.day is Day.WRITTEN:
            return match[0]  # no number either: the voice knows the grammar of these digits
        said = f"{self._day(day, match.string[: match.start()])}{match['of']}{match['name']}"
        if match["year"]:
            said += f"{match['del']}{self._year(int(match['year']))}"
        return said

    def _day(self, day: int, before: str) -> str:
        grammar = self._grammar
        match grammar.day:
            case Day.WRITTEN:
                return str(day)
            case Day.FIRST if day == 1:
                return grammar.first
            case Day.ORDINAL:
                forms = self._words.ordinals(day)
                form = _german_day(before) if self._words.language == "de" else grammar.day_form
                return forms.get(form) or next(iter(forms.values()), str(day))
        return self._words.cardinal(day)

    def _year(self, year: int) -> str:
        grammar = self._grammar
        if grammar.day is Day.WRITTEN:
            return str(year)
        if grammar.year_form:
            said = self._words.ordinals(year).get(grammar.year_form, str(year))
            return f"{said} {grammar.year_word}"
        return self._words.year(year)

    def _say_time(self, match: re.Match[str]) -> str | None:
        grammar, hour, minute = self._grammar, int(match["hour"]), int(match["minute"])
        said = self._hour(hour)
        single = bool(grammar.one_hour) and hour < 2
        if not minute:
            return (grammar.one_hour if single else grammar.hour).format(h=said)
        minutes = self._words.cardinal(minute)
        if minute < 10 and grammar.minute_zero:
            minutes = self._figures.join(self._figures.digits("0"), minutes)
        if single:
            return self._figures.join(grammar.one_hour.format(h=said), minutes)
        return grammar.time.format(h=said, m=minutes)

    def _hour(self, hour: int) -> str:
        if self._words.language == "ko" and 1 <= hour <= 12:
            return self._words.cardinal(hour, "spellout-cardinal-native-attributive")
        if self._words.language == "zh" and hour == 2:
            return "两"
        gender = "feminine" if self._grammar.feminine_hours else "masculine"
        return self._words.cardinal(hour, f"spellout-cardinal-{gender}")


def _german_day(before: str) -> str:
    """The rule set of "zwölfter Mai", "am zwölften Mai" or "der zwölfte Mai"."""
    if _DATIVE.search(before):
        return "spellout-ordinal-n"
    return "spellout-ordinal" if _ARTICLE.search(before) else "spellout-ordinal-r"

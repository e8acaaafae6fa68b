"""Numbers, money, dates, times, telephone numbers and the like as English words.

Each function takes text and returns text, touching only what it is about; `speak_numbers` does all
of it in the right order. Words for numbers are written out here, because the rules of spoken
English (years in pairs, digits of telephone numbers one by one, cents after dollars) are ours
anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
_IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_MONTH = "|".join([*_MONTHS, *(month[:3] + r"\.?" for month in _MONTHS if month != "May")])
_MONEY: Mapping[str, tuple[str, str, str, str]] = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "", ""),
}
_MAGNITUDES = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion"}
_UNITS: Mapping[str, tuple[str, str]] = {
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "ml": ("milliliter", "milliliters"),
    "ft": ("foot", "feet"),
    "lbs": ("pound", "pounds"),
    "lb": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "GB": ("gigabyte", "gigabytes"),
    "MB": ("megabyte", "megabytes"),
    "TB": ("terabyte", "terabytes"),
    "kW": ("kilowatt", "kilowatts"),
    "Hz": ("hertz", "hertz"),
    "ms": ("millisecond", "milliseconds"),
}

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MONEY_TEXT = re.compile(
    rf"(?P<sign>[-−])?(?P<symbol>[$€£¥])\s?(?P<number>{_NUMBER})"
    r"(?:\s?(?P<scale>k|m|bn|b|thousand|million|billion|trillion)\b)?",
    re.IGNORECASE,
)
_EURO_AFTER = re.compile(rf"(?<![\w.])(?P<number>{_NUMBER})\s?(?P<symbol>[€£¥])")
_ISO_DATE = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b")
_US_DATE = re.compile(r"\b(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})\b")
_DAY_FIRST_DATE = re.compile(r"\b(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})\b")
_MONTH_DAY = re.compile(
    rf"\b(?P<month>{_MONTH})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year>\d{{4}})\b)?"
)
_DAY_MONTH = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<of>of\s+)?(?P<month>{_MONTH})\b"
    r"(?:,?\s+(?P<year>\d{4})\b)?"
)
_COUNTED = (
    "people|persons|users|employees|students|seats|votes|points|words|pages|lines|steps|times|jobs"
    "|dollars|euros|pounds|yen|cents|percent|hours|minutes|seconds|days|weeks|months|years"
    "|calories|watts|degrees|met(?:er|re)s?|kilomet(?:er|re)s?|miles|feet|yards|grams|kilos|lit(?:er|re)s"
)
_A_YEAR = rf"(?P<year>1[1-9]\d\d|20\d\d)\b(?![,.:/-]\d|\s?%|\s(?:{_COUNTED})\b)"
_IN_YEAR = re.compile(
    r"\b(?P<word>in|since|by|from|until|till|of|year|before|after|during|around|circa|between"
    r"|spring|summer|autumn|fall|winter|early|late|mid"
    rf"|{_MONTH})\s+{_A_YEAR}",
    re.IGNORECASE,
)
_AND_YEAR = re.compile(rf"(?<=[a-z])(?P<word>\s(?:and|or|to))\s{_A_YEAR}")
_DECADE = re.compile(r"\b(?P<century>1[5-9]|20)(?P<tens>\d)0s\b")
_TIME = re.compile(
    r"\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d)?"
    r"(?:\s?(?P<half>[ap])\.?m\b\.?)?",
    re.IGNORECASE,
)
_HOUR = re.compile(r"\b(?P<hour>1[0-2]|[1-9])\s?(?P<half>[ap])\.?m\b\.?", re.IGNORECASE)
# With a country's number; an American one, with or without its 1; and one without any area.
_ABROAD = re.compile(r"(?<![\w+])\+\d{1,3}(?:[ \u00a0./()-]{0,3}\d){6,12}(?![\w-]|[.,]\d)")
_PHONE = re.compile(
    r"(?<![\w.+-])(?:1[\s.-])?(?:\(\d{2,4}\)[\s.-]?|\d{2,4}[\s.-])\d{3,4}[\s.-]\d{2,4}"
    r"(?:[\s.-]\d{2,4})?(?!\w)"
)
_VANITY = re.compile(
    r"(?<![\w.+-])1-(?P<area>8(?:00|33|44|55|66|77|88))-(?P<name>[\dA-Z-]{3,10})(?!\w)"
)
_SHORT_PHONE = re.compile(r"(?<![\w.,:/+$€£¥-])(?P<first>\d{3})-(?P<last>\d{4})(?![\w%-]|[.,:/]\d)")
_ASKED_TO_CALL = re.compile(
    r"\b(?:call|dial|phone|telephone|tel|ring|text|fax|number|reach (?:us|me|him|her|them))\b\W*"
    r"(?:\w+\W+){0,3}$",
    re.IGNORECASE,
)
_LONG_DIGITS = re.compile(r"(?<![\w.,$€£¥-])\d{7,}(?![\w,]|\.\d)")
_PERCENT = re.compile(rf"(?<![\w.])(?P<number>[-−]?(?:{_NUMBER}))\s?%")
_ORDINAL = re.compile(r"\b(?P<number>\d{1,6})(?:st|nd|rd|th)\b")
_FRACTION = re.compile(r"(?<![\w/.])(?P<top>\d{1,2})/(?P<bottom>\d{1,2})(?![\w/])")
_UNIT_TEXT = re.compile(
    rf"(?<![\w.])(?P<number>[-−]?(?:{_NUMBER}))\s?"
    rf"(?P<unit>{'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})\b"
)
_VERSION = re.compile(r"(?<![\w.])\d+(?:\.\d+){2,}(?![\w])")
# Not within a word, an identifier or a longer figure: what stands there is no number by itself.
_START, _END = r"(?<![\w.,:/+%^'-])", r"(?![\w%^']|[.,:/]\d|-\d)"
_PLAIN = re.compile(rf"{_START}(?P<sign>[-−])?(?P<number>{_NUMBER}){_END}")
_BY = re.compile(rf"{_START}(?P<first>{_NUMBER})\s?[xX]\s?(?P<second>{_NUMBER}){_END}")
_ACRONYM = re.compile(r"\b(?=[A-Z]{2,6}s?\b)(?P<letters>[A-Z]{2,6})(?P<plural>s?)\b")
_EMAIL = re.compile(r"\b(?P<user>[\w.+-]+)@(?P<host>[\w-]+(?:\.[\w-]+)+)\b")
_SITE = re.compile(
    r"(?<![\w.@/-])(?:(?P<www>www\.)(?P<name>[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5})"
    r"|(?P<host>(?:[a-z0-9-]{1,63}\.){1,5}(?:com|org|net|edu|gov|io|ai|dev|app)))(?![\w@-]|\.\w)",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"{_START}(?P<low>{_NUMBER})(?:\s?[–—]\s?|-)(?P<high>{_NUMBER}){_END}(?!\s?[-–—]\s?\d)"
)
_MONEY_RANGE = re.compile(
    rf"(?P<symbol>[$€£¥])(?P<low>{_NUMBER})\s?[-–—]\s?[$€£¥]?(?P<high>{_NUMBER}){_END}"
)
_TIME_RANGE = re.compile(
    r"\b(?P<low>\d{1,2}:\d\d(?:\s?[ap]\.?m\.?)?)\s?[-–—]\s?(?=\d{1,2}:\d\d)", re.IGNORECASE
)
_SPELLED = frozenset(
    "AI API ATM BBC CD CEO CIA CPU DNA DVD EU FAQ FBI GPS GPU HTML HTTP ID IT LLM MP PC PDF PIN "
    "SMS SQL TV UK UN URL USA USB VIP XML".split()
)


def cardinal(number: int) -> str:
    """A whole number in words: 1234 is "one thousand two hundred thirty-four"."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number < len(_SMALL):
        return _SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_SMALL[ones]}" if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{_SMALL[hundreds]} hundred" + (f" {cardinal(rest)}" if rest else "")
    for scale, name in _SCALES:
        if number >= scale:
            high, rest = divmod(number, scale)
            return f"{cardinal(high)} {name}" + (f" {cardinal(rest)}" if rest else "")
    raise AssertionError(number)


def ordinal(number: int) -> str:
    """21 is "twenty-first"."""
    head, dash, last = cardinal(number).rpartition("-")
    if not dash:
        head, dash, last = cardinal(number).rpartition(" ")
    if last in _IRREGULAR_ORDINALS:
        last = _IRREGULAR_ORDINALS[last]
    else:
        last = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return f"{head}{dash}{last}"


def year(number: int) -> str:
    """1999 is "nineteen ninety-nine", 2005 "two thousand five", 1905 "nineteen oh five"."""
    if 2000 <= number <= 2009 or number % 1000 == 0 or not 1100 <= number <= 2099:
        return cardinal(number)
    high, low = divmod(number, 100)
    if low == 0:
        return f"{cardinal(high)} hundred"
    return f"{cardinal(high)} {'oh ' if low < 10 else ''}{cardinal(low)}"


def digits(text: str) -> str:
    """The digits of a text one by one, a comma between groups."""
    groups = re.findall(r"\d+", text)
    return ", ".join(" ".join(_SMALL[int(digit)] for digit in group) for group in groups)


def decimal(text: str) -> str:
    """A number as written ("1,234.50") in words: digits after the point one by one."""
    sign = "minus " if text[0] in "-−" else ""
    whole, _, fraction = text.lstrip("-−").replace(",", "").partition(".")
    if len(whole) > 15 or (len(whole) > 1 and whole.startswith("0")):
        spoken = digits(whole)
    else:
        spoken = cardinal(int(whole))
    if fraction:
        spoken += " point " + " ".join(_SMALL[int(digit)] for digit in fraction)
    return sign + spoken


def speak_money(text: str) -> str:
    """Money: "$3.50" is "three dollars and fifty cents"."""
    text = _MONEY_RANGE.sub(_money_range, text)
    text = _EURO_AFTER.sub(r"\g<symbol>\g<number>", text)
    return _MONEY_TEXT.sub(_money, text)


def speak_dates(text: str, *, day_first: bool = False) -> str:
    """ISO dates, American ones (British ones with `day_first`), days with months, years after
    words that announce one.
    """
    text = _ISO_DATE.sub(_numeric_date, text)
    text = (_DAY_FIRST_DATE if day_first else _US_DATE).sub(_numeric_date, text)
    text = _MONTH_DAY.sub(_named_date, text)
    text = _DAY_MONTH.sub(_named_date, text)
    text = _DECADE.sub(_decade, text)
    years = _IN_YEAR.sub(_announced_year, text)
    return years if years == text else _AND_YEAR.sub(_announced_year, years)


def speak_times(text: str) -> str:
    """Times of day: "7:05 pm" is "seven oh five p.m."."""
    text = _TIME_RANGE.sub(r"\g<low> to ", text)
    return _HOUR.sub(_time, _TIME.sub(_time, text))


def speak_phone_numbers(text: str) -> str:
    """Digit by digit, in the groups they are written in."""
    text = _PHONE.sub(_phone, _ABROAD.sub(_phone, _VANITY.sub(_vanity, text)))
    text = _SHORT_PHONE.sub(_short_phone, text)
    return _LONG_DIGITS.sub(lambda match: digits(match[0]), text)


def speak_units(text: str) -> str:
    """Percentages and common units."""
    text = _PERCENT.sub(lambda match: f"{decimal(match['number'])} percent", text)
    return _UNIT_TEXT.sub(_unit, text)


def speak_addresses(text: str) -> str:
    """E-mail addresses and sites: "ann@example.com" is "ann at example dot com", and "www" is
    spelled.
    """
    return _SITE.sub(_site, _EMAIL.sub(_email, text))


def speak_acronyms(text: str, spelled: frozenset[str] = _SPELLED) -> str:
    """Spells the acronyms of `spelled` letter by letter; others are words and stay."""
    return _ACRONYM.sub(lambda match: _acronym(match, spelled), text)


def speak_numbers(text: str, *, day_first: bool = False) -> str:
    """All of it, in the order in which one does not spoil the other."""
    for step in (
        speak_addresses,
        speak_money,
        speak_phone_numbers,
        partial(speak_dates, day_first=day_first),
        speak_times,
        speak_units,
        _plain_numbers,
        speak_acronyms,
    ):
        text = step(text)
    return text


def _plain_numbers(text: str) -> str:
    text = _VERSION.sub(lambda m: " point ".join(cardinal(int(p)) for p in m[0].split(".")), text)
    text = _BY.sub(lambda m: f"{decimal(m['first'])} by {decimal(m['second'])}", text)
    text = _RANGE.sub(_range, text)
    text = _ORDINAL.sub(lambda match: ordinal(int(match["number"])), text)
    text = _FRACTION.sub(_fraction, text)
    return _PLAIN.sub(lambda match: decimal((match["sign"] or "") + match["number"]), text)


def _money(match: re.Match[str]) -> str:
    one, many, cent, cents = _MONEY[match["symbol"]]
    sign = "minus " if match["sign"] else ""
    number = match["number"].replace(",", "")
    if match["scale"]:
        scale = _MAGNITUDES.get(match["scale"].lower(), match["scale"].lower())
        return f"{sign}{decimal(number)} {scale} {many}"
    whole, _, fraction = number.partition(".")
    if fraction and (len(fraction) != 2 or not cent):
        return f"{sign}{decimal(number)} {many}"
    parts = []
    if int(whole) or not fraction.strip("0"):
        parts.append(f"{decimal(whole)} {one if int(whole) == 1 else many}")
    if fraction.strip("0"):
        parts.append(f"{cardinal(int(fraction))} {cent if int(fraction) == 1 else cents}")
    return sign + " and ".join(parts)


def _money_range(match: re.Match[str]) -> str:
    _, many, _, _ = _MONEY[match["symbol"]]
    return f"{decimal(match['low'])} to {decimal(match['high'])} {many}"


def _range(match: re.Match[str]) -> str:
    ends = (match["low"], match["high"])
    years = all(len(end) == 4 and end.isdecimal() for end in ends)
    low, high = (year(int(end)) if years else decimal(end) for end in ends)
    return f"{low} to {high}"


def _numeric_date(match: re.Match[str]) -> str:
    month, day = int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"{_MONTHS[month - 1]} {ordinal(day)}, {year(int(match['year']))}"


def _named_date(match: re.Match[str]) -> str:
    day = int(match["day"])
    if not 1 <= day <= 31:
        return match[0]
    name = next(month for month in _MONTHS if month.startswith(match["month"].rstrip(".")))
    tail = f", {year(int(match['year']))}" if match["year"] else ""
    if match.re is _DAY_MONTH and match["of"]:
        return f"{ordinal(day)} of {name}{tail}"
    return f"{name} {ordinal(day)}{tail}"


def _announced_year(match: re.Match[str]) -> str:
    return f"{match['word']} {year(int(match['year']))}"


def _decade(match: re.Match[str]) -> str:
    tens = int(match["tens"])
    decades = {0: "hundreds", 1: "tens"}
    name = decades.get(tens) or f"{_TENS[tens].removesuffix('y')}ies"
    if match["century"] == "20" and tens == 0:
        return "two thousands"
    return f"{cardinal(int(match['century']))} {name}"


def _time(match: re.Match[str]) -> str:
    hour = int(match["hour"])
    minute = int(match["minute"]) if "minute" in match.re.groupindex else 0
    half = f" {match['half'].lower()}.m." if match["half"] else ""
    spoken = cardinal(hour)
    if minute:
        return f"{spoken} {'oh ' if minute < 10 else ''}{cardinal(minute)}{half}"
    if half:
        return f"{spoken}{half}"
    return f"{spoken} o'clock" if 1 <= hour <= 12 else f"{spoken} hundred"


def _phone(match: re.Match[str]) -> str:
    if len(re.findall(r"\d", match[0])) < 7:
        return match[0]
    return ("plus " if match[0].startswith("+") else "") + digits(match[0])


def _short_phone(match: re.Match[str]) -> str:
    """Say "555-0123" digit by digit, but not the pages "980-1020"."""
    first, last = match["first"], match["last"]
    asked = _ASKED_TO_CALL.search(match.string, max(0, match.start() - 60), match.start())
    if asked or last.startswith("0") or first == "555" or not last.endswith("0"):
        return digits(match[0])
    return match[0]


def _vanity(match: re.Match[str]) -> str:
    """Say "1-800-FLOWERS" digit by digit; what is in letters is a word."""
    if match["name"][0] == "-" or match["name"][-1] == "-":
        return match[0]
    parts = [digits(part) if part.isdigit() else part for part in match["name"].split("-")]
    return ", ".join(["one", digits(match["area"]), *parts])


def _unit(match: re.Match[str]) -> str:
    one, many = _UNITS[match["unit"]]
    return f"{decimal(match['number'])} {one if match['number'] == '1' else many}"


def _fraction(match: re.Match[str]) -> str:
    top, bottom = int(match["top"]), int(match["bottom"])
    if bottom not in (2, 3, 4, 5, 8, 10) or not 0 < top < bottom:
        return match[0]
    names = {2: ("half", "halves"), 4: ("quarter", "quarters")}
    one, many = names.get(bottom, (ordinal(bottom), f"{ordinal(bottom)}s"))
    return f"{cardinal(top)} {one if top == 1 else many}"


def _email(match: re.Match[str]) -> str:
    say: Callable[[str], str] = lambda part: (  # noqa: E731 - used twice, named once
        part.replace(".", " dot ")
        .replace("-", " dash ")
        .replace("_", " underscore ")
        .replace("+", " plus ")
    )
    return f"{say(match['user'])} at {say(match['host'])}"


def _site(match: re.Match[str]) -> str:
    name = (match["name"] or match["host"]).replace(".", " dot ")
    return f"w w w dot {name}" if match["www"] else name


def _acronym(match: re.Match[str], spelled: frozenset[str]) -> str:
    if match["letters"] not in spelled:
        return match[0]
    return " ".join(match["letters"]) + ("s" if match["plural"] else "")

"""What no library knows of how a language says numbers: a table, one row a language.

Number words, plural forms, months, currencies and units come from the Unicode locale data
(packages `unicode-rbnf` and `babel`); here is the rest. `{n}`, `{h}` and `{m}` stand for a number
in words. An empty word means: this language says it in a way that needs more than a word, leave it
to the voice.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec


class Day(enum.Enum):
    """How the day of a date is said. `WRITTEN`: its grammar is in no library, the digits stay."""

    CARDINAL = "cardinal"
    FIRST = "first"
    ORDINAL = "ordinal"
    WRITTEN = "written"


class Grammar(msgspec.Struct, frozen=True, kw_only=True):
    """How one language says what is written in digits and signs.

    `point`: in decimals. `plus`: before a telephone number. `to`: between the ends of a range.
    `and_`, `equals`, `at`, `dot`: signs. `percent`, `celsius`: templates; empty when the plural
    decides (then the locale data says it). `time`, `hour`: templates with and without minutes;
    `minute_zero`: minutes below ten get a zero; `clock`: what may follow or part the digits and is
    said by the template. `first`: the first of a month, where the other days are cardinals;
    `day_forms`: rule sets for ordinal days. `year_word`: behind the year of a full date.
    `paired_years`: 1100 to 1999 are said in hundreds. `whole_fraction`: "3.14" is "three point
    fourteen". `spaced`: words are parted by spaces. `digit_pairs`: telephone numbers are said in
    pairs. `money`: between a currency and its hundredths. `coins`: the hundredths' names, `coin`
    forms as `names`. `names`: currencies by shorter names than in the locale data: one form, or one
    for each plural category that differs ("one", "few", "many", "other"). `feminine`,
    `feminine_coins`: which of them are. `one_hour`: `hour` for 0 and 1.
    """

    point: str
    minus: str
    plus: str
    to: str = ""
    and_: str = ""
    equals: str = ""
    at: str = ""
    dot: str = ""
    percent: str = ""
    celsius: str = ""
    time: str = ""
    hour: str = ""
    one_hour: str = ""
    minute_zero: bool = False
    clock: str = ""
    feminine_hours: bool = False
    day: Day = Day.CARDINAL
    first: str = ""
    day_form: str = ""
    year_form: str = ""
    year_word: str = ""
    paired_years: bool = False
    whole_fraction: bool = False
    spaced: bool = True
    digit_pairs: bool = False
    zero_digit: str = ""
    money: str = " "
    coins: Mapping[str, Mapping[str, str]] = {}
    names: Mapping[str, Mapping[str, str]] = {}
    feminine: frozenset[str] = frozenset()
    feminine_coins: frozenset[str] = frozenset()


def _forms(*forms: str) -> dict[str, str]:
    """One form for everything; or for one and the rest; or for one, a few and many; in Czech also
    for fractions.
    """
    if len(forms) == 3:
        return {"one": forms[0], "few": forms[1], "many": forms[2], "other": forms[1]}
    if len(forms) == 4:
        return {"one": forms[0], "few": forms[1], "other": forms[2], "many": forms[3]}
    return {"one": forms[0], "other": forms[-1]}


def _coins(
    euro: str | tuple[str, ...], **others: str | tuple[str, ...]
) -> dict[str, dict[str, str]]:
    """The hundredths of the euro and the dollar, unless told otherwise, and of other currencies."""
    named: dict[str, str | tuple[str, ...]] = {"EUR": euro, "USD": euro, **others}
    return {
        code: _forms(name) if isinstance(name, str) else _forms(*name)
        for code, name in named.items()
    }


def _dollars(*forms: str, **others: tuple[str, ...]) -> dict[str, dict[str, str]]:
    return {"USD": _forms(*forms), **{code: _forms(*names) for code, names in others.items()}}


GRAMMARS: Mapping[str, Grammar] = {
    "de": Grammar(
        point="Komma", minus="minus", plus="plus", to="bis", and_="und", equals="gleich", at="ät",
        dot="Punkt", percent="{n} Prozent", celsius="{n} Grad Celsius", time="{h} Uhr {m}",
        hour="{h} Uhr", clock=r"\s?Uhr\b", day=Day.ORDINAL, paired_years=True, money=" und ",
        coins=_coins("Cent", GBP="Pence", CHF="Rappen"), names=_dollars("Dollar", GBP=("Pfund",)),
    ),
    "fr": Grammar(
        point="virgule", minus="moins", plus="plus", to="à", and_="et", equals="égale",
        at="arobase", dot="point", percent="{n} pour cent", celsius="{n} degrés Celsius",
        time="{h} heures {m}", hour="{h} heures", one_hour="{h} heure",
        clock=r"\s?h(?:eures?)?\b", feminine_hours=True,
        day=Day.FIRST, first="premier", whole_fraction=True, digit_pairs=True, money=" et ",
        coins=_coins(("centime", "centimes"), USD=("cent", "cents")),
        names=_dollars("dollar", "dollars"), feminine=frozenset({"GBP"}),
    ),
    "es": Grammar(
        point="coma", minus="menos", plus="más", to="a", and_="y", equals="igual a", at="arroba",
        dot="punto", percent="{n} por ciento", celsius="{n} grados Celsius", time="{h} {m}",
        hour="{h} en punto", clock=r"\s?h(?:oras?)?\b", feminine_hours=True, minute_zero=True,
        day=Day.FIRST, first="primero", whole_fraction=True, money=" con ",
        coins=_coins(
            ("céntimo", "céntimos"), USD=("centavo", "centavos"), MXN=("centavo", "centavos")
        ),
        names=_dollars("dólar", "dólares"), feminine=frozenset({"GBP"}),
    ),
    "it": Grammar(
        point="virgola", minus="meno", plus="più", to="a", and_="e", equals="uguale a",
        at="chiocciola", dot="punto", percent="{n} per cento", celsius="{n} gradi Celsius",
        time="{h} e {m}", hour="{h}", clock=r"\s?h\b", feminine_hours=True, day=Day.FIRST,
        first="primo", whole_fraction=True, money=" e ", coins=_coins(("centesimo", "centesimi")),
        names=_dollars("dollaro", "dollari"), feminine=frozenset({"GBP"}),
    ),
    "pt": Grammar(
        point="vírgula", minus="menos", plus="mais", to="a", and_="e", equals="igual a",
        at="arroba", dot="ponto", percent="{n} por cento", celsius="{n} graus Celsius",
        time="{h} e {m}", hour="{h} horas", clock=r"\s?h(?:oras?)?\b", feminine_hours=True,
        day=Day.FIRST, first="primeiro", whole_fraction=True, money=" e ",
        coins=_coins(("cêntimo", "cêntimos"), USD=("centavo", "centavos"),
                     BRL=("centavo", "centavos")),
        names=_dollars("dólar", "dólares", EUR=("euro", "euros"), BRL=("real", "reais")),
        feminine=frozenset({"GBP"}),
    ),
    "ca": Grammar(
        point="coma", minus="menys", plus="més", to="a", and_="i", equals="igual a", at="arrova",
        dot="punt", percent="{n} per cent", celsius="{n} graus Celsius", day=Day.FIRST,
        first="primer", whole_fraction=True, money=" i ", coins=_coins(("cèntim", "cèntims")),
        names=_dollars("dòlar", "dòlars"), feminine=frozenset({"GBP"}),
    ),
    "nl": Grammar(
        point="komma", minus="min", plus="plus", to="tot", and_="en", equals="is gelijk aan",
        at="apenstaartje", dot="punt", percent="{n} procent", celsius="{n} graden Celsius",
        time="{h} uur {m}", hour="{h} uur", clock=r"\s?u(?:ur)?\b", paired_years=True,
        money=" en ", coins=_coins("cent"), names=_dollars("dollar", GBP=("pond",)),
    ),
    "sv": Grammar(
        point="komma", minus="minus", plus="plus", to="till", and_="och", equals="är lika med",
        at="snabel-a", dot="punkt", percent="{n} procent", celsius="{n} grader Celsius",
        time="{h} {m}", hour="{h} noll noll", minute_zero=True, day=Day.ORDINAL,
        day_form="spellout-ordinal-reale", paired_years=True, money=" och ",
        coins=_coins("cent", SEK="öre"),
        names=_dollars("dollar", SEK=("krona", "kronor")),
    ),
    "da": Grammar(
        point="komma", minus="minus", plus="plus", to="til", and_="og", equals="er lig med",
        at="snabel-a", dot="punktum", percent="{n} procent", celsius="{n} grader celsius",
        time="{h} {m}", hour="{h}", day=Day.ORDINAL, paired_years=True,
        money=" og ", coins=_coins("cent", DKK="øre"),
        names=_dollars("dollar", DKK=("krone", "kroner")),
    ),
    "nb": Grammar(
        point="komma", minus="minus", plus="pluss", to="til", and_="og", equals="er lik",
        at="krøllalfa", dot="punktum", percent="{n} prosent", celsius="{n} grader celsius",
        time="{h} {m}", hour="{h} null null", minute_zero=True, day=Day.ORDINAL,
        day_form="spellout-ordinal-masculine", paired_years=True, money=" og ",
        coins=_coins("cent", NOK="øre"),
        names=_dollars("dollar", NOK=("krone", "kroner")),
    ),
    "fi": Grammar(
        point="pilkku", minus="miinus", plus="plus", and_="ja", at="ät", dot="piste",
        day=Day.ORDINAL, whole_fraction=True, money=" ja ", coins=_coins(("sentti", "senttiä")),
        names=_dollars("dollari", "dollaria"),
    ),
    "pl": Grammar(
        point="przecinek", minus="minus", plus="plus", and_="i", equals="równa się", at="małpa",
        dot="kropka", percent="{n} procent", day=Day.WRITTEN, whole_fraction=True,
        coins=_coins(("cent", "centy", "centów"), PLN=("grosz", "grosze", "groszy")),
        names=_dollars("dolar", "dolary", "dolarów", PLN=("złoty", "złote", "złotych")),
    ),
    "cs": Grammar(
        point="čárka", minus="minus", plus="plus", and_="a", equals="rovná se", at="zavináč",
        dot="tečka", day=Day.WRITTEN, money=" ",
        coins=_coins(("cent", "centy", "centů", "centu"),
                     CZK=("haléř", "haléře", "haléřů", "haléře")),
        names=_dollars("dolar", "dolary", "dolarů", "dolaru",
                       CZK=("koruna", "koruny", "korun", "koruny")),
        feminine=frozenset({"CZK"}),
    ),
    "ru": Grammar(
        point="запятая", minus="минус", plus="плюс", and_="и", equals="равно", at="собака",
        dot="точка", time="{h} {m}", hour="{h} ноль-ноль", minute_zero=True, day=Day.ORDINAL,
        day_form="spellout-ordinal-neuter-genitive",
        year_form="spellout-ordinal-masculine-genitive", year_word="года", whole_fraction=True,
        coins=_coins(("цент", "цента", "центов"), RUB=("копейка", "копейки", "копеек")),
        feminine_coins=frozenset({"RUB"}),
        names=_dollars(
            "доллар", "доллара", "долларов", RUB=("рубль", "рубля", "рублей")
        ),
    ),
    "uk": Grammar(
        point="кома", minus="мінус", plus="плюс", and_="і", equals="дорівнює", at="собака",
        dot="крапка", time="{h} {m}", hour="{h} нуль-нуль", minute_zero=True, day=Day.WRITTEN,
        whole_fraction=True, coins=_coins(("цент", "центи", "центів")),
        names=_dollars(
            "долар", "долари", "доларів", UAH=("гривня", "гривні", "гривень")
        ),
        feminine=frozenset({"UAH"}),
    ),
    "ro": Grammar(
        point="virgulă", minus="minus", plus="plus", to="până la", and_="și", equals="egal",
        at="arond", dot="punct", percent="{n} la sută", day=Day.FIRST, first="întâi",
        money=" și ", coins=_coins(("cent", "cenți"), RON=("ban", "bani")),
        names=_dollars("dolar", "dolari", RON=("leu", "lei")),
    ),
    "hu": Grammar(
        point="egész", minus="mínusz", plus="plusz", and_="és", equals="egyenlő", at="kukac",
        dot="pont", percent="{n} százalék", celsius="{n} Celsius-fok", day=Day.WRITTEN, money=" ",
        coins=_coins("cent"), names=_dollars("dollár", HUF=("forint",)),
    ),
    "el": Grammar(
        point="κόμμα", minus="μείον", plus="συν", to="έως", and_="και", equals="ίσον",
        at="παπάκι", dot="τελεία", percent="{n} τοις εκατό", day=Day.WRITTEN, money=" και ",
        coins=_coins(("λεπτό", "λεπτά"), USD=("σεντ", "σεντς")),
        names=_dollars("δολάριο", "δολάρια"),
    ),
    "tr": Grammar(
        point="virgül", minus="eksi", plus="artı", and_="ve", equals="eşittir", at="et",
        dot="nokta", percent="yüzde {n}", celsius="{n} derece", time="{h} {m}", hour="{h}",
        whole_fraction=True, minute_zero=True, coins=_coins("sent", TRY="kuruş"),
        names=_dollars("dolar", TRY=("lira",), EUR=("euro",)),
    ),
    "hi": Grammar(
        point="दशमलव", minus="माइनस", plus="प्लस", to="से", and_="और", equals="बराबर",
        at="एट", dot="डॉट", percent="{n} प्रतिशत", celsius="{n} डिग्री सेल्सियस",
        time="{h} बजकर {m} मिनट", hour="{h} बजे", clock=r"\s?बजे", money=" ",
        coins=_coins("सेंट", INR=("पैसा", "पैसे")),
        names=_dollars("डॉलर", INR=("रुपया", "रुपये")),
    ),
    "id": Grammar(
        point="koma", minus="minus", plus="plus", to="sampai", and_="dan", equals="sama dengan",
        at="et", dot="titik", percent="{n} persen", celsius="{n} derajat Celsius",
        coins=_coins("sen"), names=_dollars("dolar", IDR=("rupiah",)),
    ),
    "vi": Grammar(
        point="phẩy", minus="âm", plus="cộng", to="đến", and_="và", equals="bằng", at="a còng",
        dot="chấm", percent="{n} phần trăm", celsius="{n} độ C", time="{h} giờ {m} phút",
        hour="{h} giờ", clock=r"\s?(?:giờ|h)\b", coins=_coins("xu"), names=_dollars("đô la"),
    ),
    "ar": Grammar(
        point="فاصلة", minus="ناقص", plus="زائد", to="إلى", and_="و", equals="يساوي",
        at="آت", dot="نقطة", percent="{n} بالمئة", day=Day.WRITTEN,
    ),
    "he": Grammar(
        point="נקודה", minus="מינוס", plus="פלוס", to="עד", equals="שווה", at="שטרודל",
        dot="נקודה", percent="{n} אחוז", day=Day.WRITTEN,
    ),
    "ja": Grammar(
        point="点", minus="マイナス", plus="プラス", to="から", equals="イコール", and_="アンド",
        at="アットマーク", dot="ドット", percent="{n}パーセント", celsius="{n}度",
        time="{h}時{m}分", hour="{h}時", spaced=False, zero_digit="ゼロ", money="",
        coins=_coins("セント"), names=_dollars("ドル", JPY=("円",)),
    ),
    "zh": Grammar(
        point="点", minus="负", plus="加", to="到", equals="等于", and_="和", at="艾特", dot="点",
        percent="百分之{n}", celsius="{n}摄氏度", time="{h}点{m}分", hour="{h}点",
        minute_zero=True, spaced=False, zero_digit="零", money="",
        coins=_coins("美分", EUR="欧分"), names=_dollars("美元", CNY=("元",)),
    ),
    "ko": Grammar(
        point="점", minus="마이너스", plus="플러스", to="에서", and_="앤드", equals="이퀄",
        at="골뱅이", dot="점", percent="{n}퍼센트", celsius="섭씨 {n}도", time="{h}시 {m}분",
        hour="{h}시", spaced=False, zero_digit="공", money=" ", coins=_coins("센트"),
        names=_dollars("달러", KRW=("원",)),
    ),
}  # fmt: skip

ALIASES: Mapping[str, str] = {"no": "nb", "nn": "nb", "cmn": "zh", "iw": "he", "in": "id"}
"""Other codes of these languages."""


def grammar_of(language: str) -> Grammar | None:
    """The row of a BCP 47 tag, None for a language that is not in the table."""
    base = language.replace("_", "-").split("-", maxsplit=1)[0].lower()
    return GRAMMARS.get(ALIASES.get(base, base))

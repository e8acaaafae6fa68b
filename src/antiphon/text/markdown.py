"""Text without the markup that a voice would read out, in every script.

One pass a line for marks at its beginning, one over the text for links and one for the marks in it:
the work grows with the text, whatever marks are left open.
"""

from __future__ import annotations

import re

from antiphon.text.links import speak_links

# A fence's line: the name of the language behind it is for a screen.
_FENCE = re.compile(r"^`{3,}[\w+#-]{0,20}[ \t]*$", re.MULTILINE)
_TARGET = r"(?:[^()\[\]\s]|\([^()\s]{0,200}\))"
_LINK = re.compile(rf"!?\[([^\[\]]*)\]\(({_TARGET}{{0,2000}})(?:\s{{1,3}}\"[^\"\n]{{0,200}}\")?\)")
_ADDRESS = re.compile(r"[/.:#@?=]")
_AUTOLINK = re.compile(r"<(https?://[^<>\s]+)>")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?=\S)")
_QUOTE = re.compile(r"^ {0,3}>[ \t]?")
# The numbers of a list stay: "3. Mai" looks like one.
_BULLET = re.compile(r"^([ \t]*)[-*+][ \t]+(?=\S)")
_MARKED_LINE = re.compile(r"^[ \t]*[-#>*+_|:]", re.MULTILINE)
_TIMES = re.compile(r"(?<=\d)\s?\*\s?(?=\d)")
_POWER = re.compile(r"(?:(?<=\d)|(?<=\b[A-Za-z])|(?<=\)))(?:\*\*|\s\*\*\s)(?=[\d(])")
_MARKS = re.compile(r"[*`~]+|_+")


def strip_markdown(text: str) -> str:
    """Without markup: emphasis, headings, bullets, links (their text stays, an address alone
    becomes its host), code fences, tables.
    """
    if "`" in text:
        text = _FENCE.sub("", text)
    if "[" in text:
        text = _LINK.sub(_link, text)
    text = speak_links(_AUTOLINK.sub(r"\1", text))
    if _MARKED_LINE.search(text):
        text = "\n".join(map(_line, text.split("\n")))
    text = _TIMES.sub(" × ", _POWER.sub("^", text))
    return _MARKS.sub(_mark, text)


def _link(match: re.Match[str]) -> str:
    """The text of a link; a target that is no address is text in brackets."""
    said, target = match.groups()
    return said if not target or _ADDRESS.search(target) else f"{said} ({target})"


def _line(line: str) -> str:
    """A line without the marks at its beginning; a line of marks only is empty."""
    signs = line.replace(" ", "").replace("\t", "")
    kinds = set(signs)
    if len(signs) >= 3 and len(kinds) == 1 and kinds <= {"-", "*", "_"}:
        return ""
    if "--" in signs and kinds <= {"-", "|", ":"}:
        return ""
    for pattern in (_HEADING, _QUOTE):
        line = pattern.sub("", line, count=1)
    return _BULLET.sub(r"\1", line, count=1)


def _mark(match: re.Match[str]) -> str:
    """Marks between letters of one word stay ("snake_case", "3~5"), unless they are double or stand
    in a script that has no spaces around words.
    """
    marks, text = match[0], match.string
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if not (before.isalnum() and after.isalnum()):
        return ""
    if marks[0] == "_":
        return "" if _unspaced(before) or _unspaced(after) else marks
    if marks == "~":
        return marks
    return "" if len(marks) > 1 or _unspaced(before) or _unspaced(after) else marks


def _unspaced(char: str) -> bool:
    """Whether a letter is of a script without capitals, most of which write words without spaces
    or marks between them.
    """
    return char.isalpha() and char.lower() == char.upper()

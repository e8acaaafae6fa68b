"""Text to units that a voice speaks, through splitters and transforms that may be the program's.

What they raise becomes a report. Text that a splitter held comes out in one piece; a unit whose
transform failed is not spoken, because what the transform was to take away may be for no one's
ears: it is told as lost. Text of any length is cut in steps between which the loop runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from antiphon.errors import InvalidInputError
from antiphon.kernel.processor import FrameProcessor
from antiphon.text.markup import Pattern, TextUnit, TokenSplitter, UnitAggregator
from antiphon.text.sentences import SentenceSplitter
from antiphon.text.speakable import (
    KindTransform,
    Transform,
    check_for_tokens,
    in_language,
    transformed,
)
from antiphon.text.well_formed import bounded


class UnitCutter:
    """Makes aggregators for one service, and the text that its voice is given."""

    def __init__(
        self,
        service: FrameProcessor,
        transforms: Sequence[Transform | KindTransform],
        patterns: Sequence[Pattern],
        *,
        token_mode: bool,
    ) -> None:
        if token_mode:
            check_for_tokens(transforms)
        self._service = service
        self._given = tuple(transforms)
        self._transforms: tuple[KindTransform, ...] = ()
        self._patterns = tuple(patterns)
        self._token_mode = token_mode

    def speak_language(self, language: str | None) -> None:
        """The language that `spoken` makes text for. Raises `ConfigurationError`."""
        self._transforms = in_language(self._given, language or "en")

    def aggregator(self, language: str | None, *, first_clause: bool = False) -> UnitAggregator:
        """A fresh one for an answer."""
        if self._token_mode:
            tokens = TokenSplitter()
            return UnitAggregator(tokens, self._patterns, kind="token", on_error=self._uncut)
        splitter = SentenceSplitter(language or "en", first_clause=first_clause)
        return UnitAggregator(splitter, self._patterns, on_error=self._uncut)

    def spoken(self, unit: TextUnit) -> str | None:
        """What the voice is given; None where a transform failed."""
        try:
            return transformed(unit.text, unit.kind, self._transforms)
        except InvalidInputError as error:
            self._report(f"not spoken, because {error}: {unit.text!r:.60}", error)
            return None

    def _uncut(self, error: BaseException) -> None:
        self._report(f"text could not be cut into sentences: {error!r:.300}", error)

    def _report(self, message: str, error: BaseException) -> None:
        _ = self._service.push_error(f"{self._service.name}: {message}", exception=error)


async def in_steps(text: str) -> AsyncIterator[str]:
    """A text in parts, each of which is soon cut; the loop runs between them."""
    for number, part in enumerate(bounded(text)):
        if number:
            await asyncio.sleep(0)
        yield part

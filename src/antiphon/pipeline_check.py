"""Checks at the start of a conversation that its pipeline can work as a whole.

Parts say what they are as data (`described`); a part of a conversation brings the check
(`check_pipeline`), and the task runs it before the StartFrame. What cannot work is one
`ConfigurationError` with every finding; what may be meant is a warning in the log. Each finding
names the processors and the remedy.
"""

from __future__ import annotations

import enum
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

from antiphon.errors import ConfigurationError

if TYPE_CHECKING:
    from antiphon.kernel.pipeline import PlacedPart

logger: Final = logging.getLogger(__name__)


class Role(enum.Enum):
    """The part that a processor plays in a conversation."""

    INPUT = "transport input"
    VAD = "voice activity detection"
    STT = "speech to text"
    USER = "user half of the context"
    LLM = "language model"
    REALTIME = "model that hears and speaks"
    TTS = "text to speech"
    OUTPUT = "transport output"
    ASSISTANT = "assistant half of the context"


class PartInfo(NamedTuple):
    """The facts of a processor that the check needs. `context` is compared by identity alone."""

    role: Role
    context: object = None
    needs_vad: bool = False
    tools: tuple[str, ...] = ()
    """Tools that are advertised and bring no handler."""
    handled: frozenset[str] | None = frozenset()
    """Tools that it has a handler for; None: for every one."""


@runtime_checkable
class Described(Protocol):
    """A processor that says what it is."""

    def described(self) -> PartInfo: ...


def part(role: Role, details: Callable[[Any], PartInfo] | None = None) -> Callable[[Any], PartInfo]:
    """A method `described` for a class with one role, or one that looks at the instance."""

    def described(self: Any) -> PartInfo:
        return PartInfo(role) if details is None else details(self)

    return described


class Finding(NamedTuple):
    """Something that is wrong (`fatal`), or may be meant."""

    text: str
    fatal: bool = True


class _Order(NamedTuple):
    first: Role
    second: Role
    why: str
    fatal: bool = True


_ORDERS = (
    _Order(Role.INPUT, Role.VAD, "the caller's audio does not reach it"),
    _Order(Role.INPUT, Role.STT, "the caller's audio does not reach it"),
    _Order(Role.INPUT, Role.REALTIME, "the caller's audio does not reach it"),
    _Order(Role.VAD, Role.STT, "it is told too late when the caller speaks", fatal=False),
    _Order(Role.STT, Role.USER, "transcripts do not reach it"),
    _Order(Role.USER, Role.LLM, "the context does not reach it"),
    _Order(Role.USER, Role.REALTIME, "the context does not reach it"),
    _Order(Role.LLM, Role.TTS, "answers do not reach it"),
    _Order(Role.LLM, Role.ASSISTANT, "answers do not reach it"),
    _Order(Role.TTS, Role.OUTPUT, "speech does not reach it"),
    _Order(Role.REALTIME, Role.OUTPUT, "speech does not reach it"),
    _Order(Role.OUTPUT, Role.ASSISTANT, "it writes down what nobody has heard yet", fatal=False),
)


class _Absence(NamedTuple):
    given: tuple[Role, ...]
    missing: tuple[Role, ...]
    what: str
    remedy: str


_ABSENCES = (
    _Absence(
        (Role.INPUT, Role.USER),
        (Role.STT, Role.REALTIME),
        "no STT service: what the caller says is never transcribed",
        "put one between the input and the user half",
    ),
    _Absence(
        (Role.STT, Role.LLM),
        (Role.USER,),
        "no user half of a context: the model is never asked",
        "put the first of `LLMContextAggregatorPair(context)` before the model",
    ),
    _Absence(
        (Role.TTS,),
        (Role.OUTPUT,),
        "no transport output: nothing is heard",
        "put `transport.output()` behind the voice",
    ),
    _Absence(
        (Role.USER, Role.LLM, Role.OUTPUT),
        (Role.ASSISTANT,),
        "no assistant half of the context: answers are not remembered",
        "put the second of `LLMContextAggregatorPair(context)` behind the output",
    ),
)


class PipelineCheck:
    """Finds what is wrong with the parts of a pipeline, all of them in downstream order."""

    def __init__(self, parts: Sequence[PlacedPart]) -> None:
        self._known = [
            (placed, placed.part.described(), placed.part.name)
            for placed in parts
            if isinstance(placed.part, Described)
        ]
        self._strangers = len(self._known) < len(parts)

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, and what may be."""
        for order in _ORDERS:
            yield from self._misplaced(order)
        roles = {info.role for _, info, _ in self._known}
        for absence in _ABSENCES:
            if roles.issuperset(absence.given) and not roles & set(absence.missing):
                yield Finding(f"the pipeline has {absence.what}; {absence.remedy}", fatal=False)
        for role in (Role.INPUT, Role.OUTPUT):
            yield from self._twice(role)
        yield from self._contexts()
        for _, info, name in self._known:
            if info.needs_vad and Role.VAD not in roles:
                yield Finding(
                    f"{name} transcribes speech when voice activity says that it is over, and "
                    f"nothing detects it: give LLMUserAggregatorParams a vad_analyzer, or put a "
                    f"VADProcessor before it",
                    fatal=not self._strangers,
                )
        yield from self._tools()

    def _of(self, role: Role) -> list[tuple[PlacedPart, PartInfo, str]]:
        return [known for known in self._known if known[1].role is role]

    def _misplaced(self, order: _Order) -> Iterator[Finding]:
        firsts = self._of(order.first)
        for second, _, name in self._of(order.second):
            if any(first.is_before(second) for first, _, _ in firsts):
                continue
            behind = [other for first, _, other in firsts if second.is_before(first)]
            if behind:
                yield Finding(
                    f"{name} ({order.second.value}) stands before {behind[0]} "
                    f"({order.first.value}): {order.why}; put it behind {behind[0]}",
                    order.fatal,
                )

    def _twice(self, role: Role) -> Iterator[Finding]:
        found = self._of(role)
        for (one, _, name), (other, _, other_name) in itertools.pairwise(found):
            if one.is_before(other):
                yield Finding(
                    f"{name} and {other_name} are both a {role.value} in one line: a conversation "
                    f"has one transport; remove one of them",
                    fatal=False,
                )

    def _tools(self) -> Iterator[Finding]:
        models = self._of(Role.LLM)
        if not models or any(model.handled is None for _, model, _ in models):
            return
        handled = frozenset[str]().union(*(model.handled or () for _, model, _ in models))
        for _, info, name in self._of(Role.USER):
            if missing := [tool for tool in info.tools if tool not in handled]:
                yield Finding(
                    f"the context of {name} advertises tools that {models[0][2]} has no handler "
                    f"for ({', '.join(missing)}): register_function() them, or give their "
                    f"FunctionSchema a handler",
                    fatal=False,
                )

    def _contexts(self) -> Iterator[Finding]:
        users, assistants = self._of(Role.USER), self._of(Role.ASSISTANT)
        if len(users) == len(assistants) == 1:
            (_, user, name), (_, assistant, other) = users[0], assistants[0]
            if user.context is not assistant.context:
                yield Finding(
                    f"{name} and {other} are halves of two contexts: what the agent says is not "
                    f"in the context that the model is asked with; take both from one "
                    f"LLMContextAggregatorPair"
                )


def check_pipeline(parts: Sequence[PlacedPart]) -> None:
    """Logs what may be meant.

    Raises:
        ConfigurationError: something cannot work; the text has every such finding.

    """
    findings = list(PipelineCheck(parts).findings())
    for finding in findings:
        if not finding.fatal:
            logger.warning("%s", finding.text)
    if fatal := [finding.text for finding in findings if finding.fatal]:
        raise ConfigurationError("this pipeline cannot work: " + "; and ".join(fatal))

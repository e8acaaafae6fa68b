"""What happened in one conversation, as plain data that can be stored, drawn and compared.

All times are seconds on the conversation's clock, which starts at 0 when the conversation does.
`None` stands for "did not happen" or "was not seen".
"""

from __future__ import annotations

import enum
import pathlib
from typing import Any

import msgspec

from antiphon.errors import InvalidInputError

FORMAT_VERSION = 1


class Party(enum.Enum):
    """The two who sing in turn."""

    CALLER = "caller"
    AGENT = "agent"


class Trigger(enum.Enum):
    """What made the agent speak."""

    USER = "user"
    """The model answered a turn of the caller."""
    TOOL = "tool"
    """The model spoke about the result of a tool that came in meanwhile."""
    SPEAK = "speak"
    """The program asked for exactly these words."""
    OTHER = "other"
    """The model was run for another reason, such as the start of the call."""


class ToolOutcome(enum.Enum):
    """How a tool call ended."""

    RUNNING = "running"
    RESULT = "result"
    CANCELLED = "cancelled"


class SpeechSpan(msgspec.Struct, kw_only=True):
    """A stretch in which one side could be heard, from its true start to its true end."""

    side: Party
    start: float
    end: float | None = None
    text: str = ""


class ReplyLatency(msgspec.Struct, frozen=True, kw_only=True):
    """How long the caller waited for a reply, in seconds, and for what.

    `end_of_turn + llm_first_token + tts_first_audio + playout == total`; `stt` runs beside
    `end_of_turn`. Without a caller to wait (trigger `TOOL`), `total` counts from the tool's result.
    """

    end_of_turn: float | None = None
    """True end of the caller's speech until the turn was decided to be over."""
    stt: float | None = None
    """True end of the caller's speech until its final transcript."""
    llm_first_token: float | None = None
    """Decision until the first text (or tool call) of the model."""
    tts_first_audio: float | None = None
    """First text until the first synthesised audio: the first clause and its synthesis."""
    playout: float | None = None
    """First synthesised audio until it was played."""
    total: float | None = None
    """True end of the caller's speech until the reply could be heard."""


class UserTurn(msgspec.Struct, kw_only=True):
    """One turn of the caller."""

    index: int
    start: float
    """When the caller's voice began."""
    started: float
    """When the turn was decided to have begun."""
    speech_end: float | None = None
    """True end of the last speech of the turn."""
    transcribed: float | None = None
    """When the last final transcript came."""
    stopped: float | None = None
    """When the turn was decided to be over."""
    text: str = ""
    interrupting: bool = False
    """It cut the agent off."""


class AgentTurn(msgspec.Struct, kw_only=True):
    """One utterance of the agent: what was meant to be said, and what was played."""

    index: int
    trigger: Trigger
    reply_to: int | None = None
    """The index of the user turn that it answers."""
    start: float | None = None
    """When it could first be heard; None if it never was."""
    end: float | None = None
    generated: str = ""
    heard: str = ""
    unheard: str = ""
    interrupted: bool = False
    latency: ReplyLatency | None = None


class ToolCallRecord(msgspec.Struct, kw_only=True):
    """One call of a tool."""

    id: str
    name: str
    arguments: dict[str, Any]
    start: float
    end: float | None = None
    is_async: bool = False
    outcome: ToolOutcome = ToolOutcome.RUNNING
    result: Any = None


class InterruptionRecord(msgspec.Struct, kw_only=True):
    """The caller cut in; `agent_turn` is the utterance that was cut, if one was being heard."""

    at: float
    agent_turn: int | None = None


class TurnDecision(msgspec.Struct, kw_only=True):
    """What was decided about the floor, by which strategy ("": by the machine itself), why, and on
    which fact: the name of it, or "deadline" or "watchdog".
    """

    at: float
    what: str
    strategy: str
    reason: str
    fact: str = ""

    @property
    def why(self) -> str:
        """The reason, who had it, and on what; for people."""
        on = f", on {self.fact}" if self.fact else ""
        return f"{self.reason} ({self.strategy or 'the turn machine'}{on})"


class ErrorRecord(msgspec.Struct, kw_only=True):
    """A part of the pipeline reported an error."""

    at: float
    processor: str | None
    message: str
    category: str


class MarkKind(enum.Enum):
    """What a mark is about."""

    STEP = "step"
    """A script made the caller do something."""
    FAULT = "fault"
    """Something was made to go wrong, on purpose."""
    FAILURE = "failure"
    """Something was not as it should be."""


class Mark(msgspec.Struct, kw_only=True):
    """Something about a conversation that is not in it. `text` is one line, `detail` more."""

    at: float
    kind: MarkKind
    text: str
    detail: str = ""


class ConversationLog(msgspec.Struct, kw_only=True):
    """One conversation."""

    version: int = FORMAT_VERSION
    title: str = "Conversation"
    started_at: str = ""
    """ISO 8601, wall clock."""
    duration: float = 0.0
    parts: dict[str, str] = msgspec.field(default_factory=dict)
    """What did the work: "STT", "LLM", ... to a name for people."""
    speech: list[SpeechSpan] = msgspec.field(default_factory=list)
    user_turns: list[UserTurn] = msgspec.field(default_factory=list)
    agent_turns: list[AgentTurn] = msgspec.field(default_factory=list)
    tools: list[ToolCallRecord] = msgspec.field(default_factory=list)
    interruptions: list[InterruptionRecord] = msgspec.field(default_factory=list)
    errors: list[ErrorRecord] = msgspec.field(default_factory=list)
    decisions: list[TurnDecision] = msgspec.field(default_factory=list)
    """Where the program records them: no frame carries them."""
    marks: list[Mark] = msgspec.field(default_factory=list)
    """What a simulation or a test has to say about it, in order."""
    context: list[dict[str, Any]] = msgspec.field(default_factory=list)
    """The messages of the model's context at the end, in OpenAI chat shape."""
    notes: dict[str, str] = msgspec.field(default_factory=dict)
    """Anything else worth showing beside the conversation."""

    def unanswered(self) -> list[UserTurn]:
        """The caller's turns with words in them to which no utterance replies that was heard."""
        answered = {t.reply_to for t in self.agent_turns if t.start is not None and t.heard}
        return [turn for turn in self.user_turns if turn.text and turn.index not in answered]

    def to_json(self) -> bytes:
        """Indented JSON, UTF-8."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @classmethod
    def from_json(cls, data: bytes | str, source: str = "conversation log") -> ConversationLog:
        """The reverse of `to_json`; raises InvalidInputError that names `source`."""
        try:
            log = msgspec.json.decode(data, type=cls)
        except msgspec.MsgspecError as error:
            raise InvalidInputError(f"{source} is not a conversation log: {error}") from error
        if log.version != FORMAT_VERSION:
            raise InvalidInputError(
                f"{source} has format version {log.version}; this program reads {FORMAT_VERSION}"
            )
        return log

    @classmethod
    def load(cls, path: pathlib.Path) -> ConversationLog:
        """Reads a file written from `to_json`."""
        return cls.from_json(path.read_bytes(), str(path))

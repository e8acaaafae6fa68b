"""The seam between Antiphon and a provider: small Protocols of async iterators, and plain data.

A provider knows no frames, queues, retries, metrics or interruptions. It translates a vendor's SDK,
raises `antiphon.errors.ServiceError` (and nothing of the vendor's), and releases what it holds when
its iterator is closed: closing an iterator *is* the cancellation. One service processor per kind
owns everything else.

Audio is 16-bit little-endian mono PCM at the rate the provider's capabilities name.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from typing import Any, Protocol, dataclass_transform, runtime_checkable

import msgspec

from antiphon.errors import ServiceError
from antiphon.settings import ServiceSettings


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Struct(msgspec.Struct, frozen=True):
    """Base of the plain data that crosses the seam."""


@runtime_checkable
class Configurable(Protocol):
    """A provider whose settings can change while it runs; optional."""

    def configure(self, settings: ServiceSettings) -> None:
        """Holds from the next call of `transcribe` or `synthesize` on."""
        ...


# ---- speech to text ---------------------------------------------------------------------------


class STTCapabilities(Struct, kw_only=True):
    """What a transcriber wants and does.

    `sample_rate` in Hz. `segmented`: send only speech, as detected by the VAD, with `preroll_secs`
    before its start, and `Finalize` after each segment, which is answered by a finalized transcript
    even if there were no words; otherwise audio is sent all the time.
    `ttfs_p99_secs`: how long after the end of speech the final transcript may take.
    """

    sample_rate: int = 16_000
    segmented: bool = False
    preroll_secs: float = 0.5
    interim: bool = False
    ttfs_p99_secs: float = 1.0


class AudioChunk(Struct):
    """A piece of audio, at the capabilities' rate."""

    pcm: bytes


class Finalize(Struct):
    """The caller stopped speaking: answer with what you have, as final."""


class Transcript(Struct, kw_only=True):
    """What was heard. `final` is never corrected; `finalized` answers a `Finalize`."""

    text: str
    final: bool
    finalized: bool = False
    language: str | None = None


class STTProvider(Protocol):
    """Turns audio into transcripts, for as long as the audio lasts."""

    name: str
    capabilities: STTCapabilities

    async def connect(self) -> None:
        """Prepares what can be prepared before the first word, such as loading a model."""

    def transcribe(self, audio: AsyncIterator[AudioChunk | Finalize]) -> AsyncIterator[Transcript]:
        """Yields transcripts; ends after `audio` has ended and all of it is transcribed."""
        ...

    async def close(self) -> None:
        """Releases connections. Idempotent."""


# ---- language model ---------------------------------------------------------------------------


class ToolSpec(Struct, kw_only=True):
    """A function the model may call; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


class LLMRequest(Struct, kw_only=True):
    """One inference. Messages are in OpenAI chat shape and valid; nothing later changes them."""

    messages: tuple[dict[str, Any], ...]
    system_instruction: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: Any = None
    temperature: float | None = None
    max_tokens: int | None = None
    extra: dict[str, Any] = msgspec.field(default_factory=dict)


class TextDelta(Struct):
    """A piece of the answer's text, spaces included."""

    text: str


class ThoughtDelta(Struct):
    """A piece of reasoning."""

    text: str


class ThoughtSignature(Struct):
    """A stretch of reasoning ends; the provider wants it back in later requests, with `signature`.

    It comes back as the message `{"role": "provider_specific", "message": {"type": "thought",
    "text": ..., "signature": ...}}`, before what the assistant said next.
    """

    signature: Any


class ToolCall(Struct):
    """A complete function call. `arguments` is JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


class TokenUsage(Struct):
    """Tokens of the request and of the answer."""

    prompt_tokens: int
    completion_tokens: int


LLMEvent = TextDelta | ThoughtDelta | ThoughtSignature | ToolCall | TokenUsage


class LLMProvider(Protocol):
    """Answers one request at a time or several at once, as the vendor allows."""

    name: str
    model: str

    async def connect(self) -> None:
        """Prepares what can be prepared before the first request, such as warming a prompt."""

    def complete(self, request: LLMRequest) -> AsyncIterator[LLMEvent]:
        """Streams the answer. Closing the iterator stops the generation."""
        ...

    async def close(self) -> None:
        """Releases connections. Idempotent."""


@runtime_checkable
class Warmable(Protocol):
    """An LLM provider that answers sooner when it has read the beginning of a prompt; optional."""

    async def warm(self, request: LLMRequest) -> None:
        """Reads what the requests of a conversation like `request` have in common."""
        ...


# ---- text to speech ---------------------------------------------------------------------------


class TTSCapabilities(Struct, kw_only=True):
    """What a voice gives. `sample_rate` in Hz; `word_times`: `WordTime` events are exact.

    `piecewise`: the next piece of text is asked for only when all audio of the one before has been
    yielded, so that the audio of each piece is known.
    """

    sample_rate: int
    word_times: bool = False
    piecewise: bool = False


class SpeechAudio(Struct):
    """A piece of the utterance's audio, at the capabilities' rate."""

    pcm: bytes


class WordTime(Struct):
    """A word and when it starts and ends, in seconds from the start of the utterance's audio."""

    word: str
    start_secs: float
    end_secs: float


TTSEvent = SpeechAudio | WordTime


class TTSProvider(Protocol):
    """Speaks one utterance per call. One-shot vendors speak it piece by piece."""

    name: str
    capabilities: TTSCapabilities

    async def connect(self) -> None:
        """Prepares what can be prepared before the first word, such as loading a model."""

    def synthesize(self, text: AsyncIterator[str]) -> AsyncIterator[TTSEvent]:
        """Speaks the pieces (clauses or sentences) as they come; ends when they have ended."""
        ...

    async def close(self) -> None:
        """Releases connections. Idempotent."""


# ---- speech to speech -------------------------------------------------------------------------


class RealtimeCapabilities(Struct, kw_only=True):
    """What a model that hears and speaks wants and does. Rates in Hz.

    `answers_turns`: it decides by itself when the caller has finished, and answers; otherwise it
    answers when it is told to (`Respond`), and what it detects are proposals. `truncates`: it can
    forget what the caller did not hear of an answer (`Truncate`).
    """

    input_sample_rate: int = 24_000
    output_sample_rate: int = 24_000
    answers_turns: bool = False
    truncates: bool = True


class RealtimeSession(Struct, kw_only=True):
    """How the conversation is held: the first of the inputs, and again whenever it changes."""

    system_instruction: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: Any = None
    voice: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    extra: dict[str, Any] = msgspec.field(default_factory=dict)


class ConversationItem(Struct):
    """A message (OpenAI chat shape) that becomes part of the conversation without being spoken."""

    message: dict[str, Any]


class ToolOutput(Struct):
    """The result of a call, as text. Does not make the model go on by itself."""

    tool_call_id: str
    output: str


class Respond(Struct):
    """Answer now. Only sent when no response is under way; brings exactly one, even if it is
    cancelled at once. A model that has begun one by itself meanwhile has answered.
    """


class CancelResponse(Struct):
    """Stop the response under way, if there is one: it ends as cancelled."""


class Truncate(Struct):
    """The caller heard only the first `audio_end_secs` of this item of an answer."""

    item_id: str
    audio_end_secs: float


RealtimeInput = (
    RealtimeSession
    | AudioChunk
    | Finalize
    | ConversationItem
    | ToolOutput
    | Respond
    | CancelResponse
    | Truncate
)


class CallerSpeechStarted(Struct):
    """The model's own detector hears the caller begin. A proposal, unless it `answers_turns`."""


class CallerSpeechStopped(Struct):
    """It thinks that the caller has finished."""


class InputTranscript(Struct, kw_only=True):
    """What the caller said, as far as the model's own ears understood it; may come late."""

    text: str
    final: bool = True
    language: str | None = None


class ResponseStarted(Struct):
    """A response is under way, until its `ResponseDone`: one at a time."""

    response_id: str


class ResponseAudio(Struct):
    """A piece of an answer's sound, at the capabilities' output rate."""

    item_id: str
    pcm: bytes


class OutputTranscript(Struct):
    """A piece of what the answer says, spaces included; about as far as its sound.

    `end_secs`: where its sound ends, in seconds of the item, for models that know.
    """

    item_id: str
    text: str
    end_secs: float | None = None


class ResponseStatus(enum.Enum):
    """How a response ended."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class ResponseDone(Struct):
    """Nothing more of the response comes. `problem`: what was wrong with one that failed."""

    response_id: str
    status: ResponseStatus = ResponseStatus.COMPLETED
    problem: str | None = None


class Truncated(Struct):
    """What was not heard of an item is forgotten."""

    item_id: str
    audio_end_secs: float


class RealtimeProblem(Struct):
    """Something went wrong, and the conversation goes on. What ends it is raised instead."""

    error: ServiceError


RealtimeEvent = (
    CallerSpeechStarted
    | CallerSpeechStopped
    | InputTranscript
    | ResponseStarted
    | ResponseAudio
    | OutputTranscript
    | ToolCall
    | TokenUsage
    | ResponseDone
    | Truncated
    | RealtimeProblem
)


class RealtimeProvider(Protocol):
    """Hears and speaks, for as long as the inputs last.

    Between `ResponseStarted` and `ResponseDone` audio, transcripts and calls belong to that
    response. Calls are complete, and are answered by `ToolOutput` after it.
    """

    name: str
    model: str
    capabilities: RealtimeCapabilities

    async def connect(self) -> None:
        """Prepares what can be prepared before the first word."""

    def converse(self, inputs: AsyncIterator[RealtimeInput]) -> AsyncIterator[RealtimeEvent]:
        """Holds a conversation. Ends after `inputs` have ended and the response under way has, if
        there is one. Closing the iterator hangs up.
        """
        ...

    async def close(self) -> None:
        """Releases connections. Idempotent."""

"""The context and the model: requests to run it, edits, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antiphon.frames.base import ControlFrame, DataFrame, SystemFrame, UninterruptibleFrame


class LLMContextFrame(DataFrame):
    """Run the model on this context: a snapshot that no later edit changes."""

    context: Any


class LLMRunFrame(DataFrame):
    """Run the model on the context as it is when an aggregator handles this frame.

    An interruption drops it: the turn that interrupts runs the model itself.
    """


class LLMMessagesAppendFrame(UninterruptibleFrame, DataFrame):
    """Append messages (OpenAI chat shape), and run the model if `run_llm`.

    Edits of the context survive interruptions: what a program wrote down is not forgotten because
    the caller coughed. A run that was asked for before an interruption is owed: the next inference
    pays it, at the latest when everybody is silent.
    """

    messages: list[Any]
    run_llm: bool | None = None


class LLMMessagesUpdateFrame(UninterruptibleFrame, DataFrame):
    """Replace all messages, and run the model if `run_llm`."""

    messages: list[Any]
    run_llm: bool | None = None


class LLMMessagesTransformFrame(UninterruptibleFrame, DataFrame):
    """Apply a function to the message list at the moment this frame is handled."""

    transform: Callable[[list[Any]], list[Any]]
    run_llm: bool | None = None


class LLMSetToolsFrame(UninterruptibleFrame, DataFrame):
    """Replace the advertised tools. No interruption may leave the model with the wrong ones."""

    tools: Any


class LLMSetToolChoiceFrame(UninterruptibleFrame, DataFrame):
    """Set the tool choice: "auto", "none", "required" or a provider's own object."""

    tool_choice: Any


class LLMConfigureOutputFrame(UninterruptibleFrame, DataFrame):
    """From now on what the model says is spoken, or only shown (`skip_tts`).

    Uninterruptible: nobody may be heard aloud because somebody cut in.
    """

    skip_tts: bool


class LLMFullResponseStartFrame(ControlFrame):
    """One answer of the model begins."""

    skip_tts: bool = False


class LLMFullResponseEndFrame(ControlFrame):
    """The answer is over. Comes out of the output when its last word has been played."""

    skip_tts: bool = False


class LLMThoughtStartFrame(ControlFrame):
    """A stretch of reasoning begins; `llm` names the provider that needs it back."""

    append_to_context: bool = False
    llm: str | None = None


class LLMThoughtTextFrame(DataFrame):
    """A piece of reasoning: not a `TextFrame`, so that nobody speaks it."""

    text: str


class LLMThoughtEndFrame(ControlFrame):
    """The reasoning ends, with the provider's signature of it."""

    signature: Any = None


class LLMMarkerFrame(DataFrame):
    """A turn-completion marker of the model, out of band."""

    marker: str
    append_to_context_immediately: bool = True


class LLMAssistantPushAggregationFrame(ControlFrame):
    """Commit the assistant text that was heard so far."""


class LLMSummarizeContextFrame(UninterruptibleFrame, ControlFrame):
    """Ask for a summary of the context now."""

    config: Any = None


class LLMContextSummaryRequestFrame(SystemFrame):
    """Asks an LLM service upstream for a summary of `context`, in at most `timeout` seconds.

    `llm`: something else with `run_inference` that is to make it, on the service's behalf.
    """

    request_id: str
    context: Any
    prompt: str
    max_tokens: int
    timeout: float
    llm: Any = None


class LLMContextSummaryResultFrame(UninterruptibleFrame, ControlFrame):
    """The summary for that request, or why there is none."""

    request_id: str
    summary: str = ""
    error: str | None = None


class ServiceUpdateSettingsFrame(UninterruptibleFrame, ControlFrame):
    """A change of settings for services of one kind, or for the one named by `service`.

    Of the services of a `ServiceSwitcher` the active one gets it, the one it names, and with
    `reach_inactive_services` all of them.
    """

    settings: dict[str, Any]
    service: str | None = None
    reach_inactive_services: bool = False


class LLMUpdateSettingsFrame(ServiceUpdateSettingsFrame):
    """A change of settings for LLM services."""


class TTSUpdateSettingsFrame(ServiceUpdateSettingsFrame):
    """A change of settings for TTS services."""


class STTUpdateSettingsFrame(ServiceUpdateSettingsFrame):
    """A change of settings for STT services."""

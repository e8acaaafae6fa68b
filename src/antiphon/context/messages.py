"""One message of a conversation: how it is made, kept and handed out.

Messages have the OpenAI chat shape: a dict with a `role` and a `content`, which is text or a list
of parts. What only one provider understands (its signed reasoning, for instance) is an
`LLMSpecificMessage`, opaque to everybody else.

Kept messages never change: whoever changes one puts a new one in its place. `kept` makes a private
copy on the way in, `handed_out` one on the way out.
"""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from antiphon.context.foreign import with_plain_calls
from antiphon.errors import InvalidInputError
from antiphon.tools.json_data import copied, well_formed

ROLES = ("system", "developer", "user", "assistant", "tool")
IN_PROGRESS = "IN_PROGRESS"
CANCELLED = "CANCELLED"


class LLMSpecificMessage(msgspec.Struct, frozen=True):
    """A message that only the provider named `llm` understands; others never see it."""

    llm: str
    message: Any


Message = dict[str, Any] | LLMSpecificMessage


def kept(message: Any) -> Message:
    """A private copy of what somebody wants to add to a conversation.

    Raises:
        InvalidInputError: it is not a message; the text says what is wrong with it.

    """
    if isinstance(message, LLMSpecificMessage):
        return LLMSpecificMessage(message.llm, copied(message.message))
    if not isinstance(message, Mapping):
        raise InvalidInputError(
            f"A message is a dict with a role and a content, not {message!r:.200}"
        )
    role = message.get("role")
    if role not in ROLES:
        raise InvalidInputError(
            f"A message has a role among {', '.join(ROLES)}, not {role!r}: {message!r:.200}"
        )
    content = message.get("content")
    if content is not None and not isinstance(content, str | list | tuple):
        raise InvalidInputError(
            f"A message's content is text or a list of parts, not so: {message!r:.200}"
        )
    made: dict[str, Any] = with_plain_calls(well_formed(copied(message)))
    if type(content) is not str and content is not None:
        try:
            msgspec.json.encode(made["content"])
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInputError(f"content cannot be sent as JSON: {error}") from error
    return made


def all_kept(messages: Any) -> tuple[Message, ...]:
    """Private copies of several messages; if one of them is none, nothing is kept."""
    if not isinstance(messages, Iterable) or isinstance(messages, str | bytes | Mapping):
        raise InvalidInputError(f"Messages are a list of dicts, not {type(messages).__name__}.")
    found: list[Message] = []
    for message in messages:
        try:
            found.append(kept(message))
        except InvalidInputError as error:
            raise InvalidInputError(f"message {len(found)}: {error}") from error
    return tuple(found)


def handed_out(message: Message) -> Message:
    """A copy that its new owner may change at will."""
    if isinstance(message, LLMSpecificMessage):
        return message
    copy: dict[str, Any] = copied(message)
    return copy


def text_of(message: Message) -> str:
    """The text of a message, parts joined by a space; empty for provider-specific ones."""
    if isinstance(message, LLMSpecificMessage):
        return ""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return " ".join(str(part["text"]) for part in content or () if "text" in part)


# ---- making messages --------------------------------------------------------------------------


def user_message(text: str) -> Message:
    return {"role": "user", "content": well_formed(text)}


def assistant_message(text: str) -> Message:
    return {"role": "assistant", "content": well_formed(text)}


def developer_message(text: str) -> Message:
    return {"role": "developer", "content": well_formed(text)}


def tool_call_message(tool_call_id: str, name: str, arguments: Mapping[str, Any]) -> Message:
    """The assistant's request for one call."""
    function = {
        "name": name,
        "arguments": json.dumps(well_formed(copied(arguments)), ensure_ascii=False),
    }
    call = {"id": tool_call_id, "type": "function", "function": function}
    return {"role": "assistant", "tool_calls": [call]}


def tool_message(tool_call_id: str, content: str) -> Message:
    """The answer to the call of that id."""
    return {"role": "tool", "tool_call_id": tool_call_id, "content": content}


def image_url_message(url: str, *, text: str | None = None, role: str = "user") -> Message:
    """A picture by its URL (or data URL), with a text before it if given."""
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    return {"role": role, "content": [*parts, {"type": "image_url", "image_url": {"url": url}}]}


def image_message(
    image: bytes, *, mime_type: str = "image/jpeg", text: str | None = None, role: str = "user"
) -> Message:
    """An encoded picture, with a text before it if given."""
    data = base64.b64encode(image).decode("ascii")
    return image_url_message(f"data:{mime_type};base64,{data}", text=text, role=role)


def audio_message(
    pcm: bytes, *, sample_rate: int, num_channels: int = 1, text: str | None = None
) -> Message:
    """Sound (16-bit PCM, `sample_rate` in Hz) as a WAV part, with a text before it if given."""
    if len(pcm) % (2 * num_channels):
        raise InvalidInputError(
            f"{len(pcm)} bytes are no whole number of 16-bit samples in {num_channels} channels."
        )
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as wav:
        wav.setnchannels(num_channels)
        wav.setsampwidth(2)
        wav.setframerate(sample_rate)
        wav.writeframes(pcm)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    audio = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
    return {"role": "user", "content": [*parts, audio]}


# ---- what asynchronous tools say --------------------------------------------------------------


def async_tool_text(tool_call_id: str, status: str, **more: Any) -> str:
    """The JSON by which the model is told about an asynchronous call."""
    body = {"type": "async_tool", "status": status, "tool_call_id": tool_call_id, **more}
    return json.dumps(body, ensure_ascii=False)

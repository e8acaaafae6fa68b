"""Answers in the published streaming format of OpenAI's chat completions.

Each event is a line `data: {chunk}`; a chunk carries `choices[0].delta` with a role, content or
fragments of tool calls; the last choice has a `finish_reason`; usage comes in a chunk without
choices; `data: [DONE]` ends the stream. Errors are `{"error": {"message", "type", "code"}}`.
"""

from __future__ import annotations

import json
from typing import Any

from tests.providers.servers.scripted import Disconnect, Reply, Stall

Step = bytes | Stall | Disconnect


def event(data: object) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **rest: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return event({**base, "choices": choices, "usage": None, **rest})


ROLE = chunk({"role": "assistant", "content": ""})
DONE = b"data: [DONE]\n\n"


def usage(prompt: int, completion: int) -> bytes:
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    return chunk(usage={**counts, "total_tokens": prompt + completion})


def words(text: str) -> list[bytes]:
    pieces = [word if not at else f" {word}" for at, word in enumerate(text.split(" "))]
    return [chunk({"content": piece}) for piece in pieces]


def speaking(text: str) -> Reply:
    return Reply(pieces=(ROLE, *words(text), chunk({}, "stop"), usage(9, 4), DONE))


def fragment(index: int | None, **parts: Any) -> bytes:
    call: dict[str, Any] = {"function": {k: v for k, v in parts.items() if k != "id"}}
    if index is not None:
        call["index"] = index
    if "id" in parts:
        call |= {"id": parts["id"], "type": "function"}
    return chunk({"tool_calls": [call]})


def calling(*calls: tuple[str, str, str]) -> Reply:
    """Calls (id, name, arguments), their arguments cut into pieces of three characters."""
    pieces: list[bytes] = [ROLE]
    for index, (identity, name, arguments) in enumerate(calls):
        pieces.append(fragment(index, id=identity, name=name, arguments=""))
        pieces += [
            fragment(index, arguments=arguments[at : at + 3]) for at in range(0, len(arguments), 3)
        ]
    return Reply(pieces=(*pieces, chunk({}, "tool_calls"), usage(20, 8), DONE))


def streaming(*steps: Step) -> Reply:
    return Reply(pieces=(ROLE, *steps))


def refusing(status: int, message: str, code: str | None = None) -> Reply:
    return Reply(status, {"error": {"message": message, "type": "error", "code": code}})

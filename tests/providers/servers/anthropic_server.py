"""Answers in the published streaming format of Anthropic's messages.

A stream is `message_start`, blocks (`content_block_start`, `_delta`s, `_stop`), `message_delta`
with the stop reason and the usage, `message_stop`; `ping` anywhere; `error` ends it. Each event has
its name on a line of its own. Errors are `{"type": "error", "error": {"type", "message"}}`.
"""

from __future__ import annotations

import json
from typing import Any

from tests.providers.servers.scripted import Disconnect, Reply, Stall

Step = bytes | Stall | Disconnect


def event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


START = event(
    "message_start",
    message={
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 1, "cache_read_input_tokens": 3},
    },
)
PING = event("ping")
STOP = event("message_stop")


def stopping(reason: str, tokens: int = 4) -> bytes:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return event("message_delta", delta=delta, usage={"output_tokens": tokens})


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[bytes]:
    return [
        event("content_block_start", index=index, content_block=start),
        *(event("content_block_delta", index=index, delta=delta) for delta in deltas),
        event("content_block_stop", index=index),
    ]


def words(text: str, index: int = 0) -> list[bytes]:
    pieces = [word if not at else f" {word}" for at, word in enumerate(text.split(" "))]
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return block(index, {"type": "text", "text": ""}, *deltas)


def thinking(text: str, index: int = 0) -> list[bytes]:
    start = {"type": "thinking", "thinking": "", "signature": ""}
    return block(
        index,
        start,
        {"type": "thinking_delta", "thinking": text},
        {"type": "signature_delta", "signature": "sig"},
    )


def use(identity: str, name: str, arguments: str, index: int = 0) -> list[bytes]:
    start = {"type": "tool_use", "id": identity, "name": name, "input": {}}
    pieces = [arguments[at : at + 3] for at in range(0, len(arguments), 3)]
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces)]
    return block(index, start, *deltas)


def speaking(text: str) -> Reply:
    return Reply(pieces=(START, PING, *words(text), stopping("end_turn"), STOP))


def calling(*calls: tuple[str, str, str]) -> Reply:
    blocks = [piece for at, call in enumerate(calls) for piece in use(*call, index=at)]
    return Reply(pieces=(START, *blocks, stopping("tool_use"), STOP))


def streaming(*steps: Step) -> Reply:
    return Reply(pieces=(START, *steps))


def error(kind: str, message: str) -> bytes:
    return event("error", error={"type": kind, "message": message})


def refusing(status: int, kind: str, message: str) -> Reply:
    return Reply(status, {"type": "error", "error": {"type": kind, "message": message}})

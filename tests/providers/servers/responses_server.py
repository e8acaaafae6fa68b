"""Answers in the published streaming format of OpenAI's Responses API.

Each event has its name on a line of its own and in its data as `type`, and a `sequence_number`. A
stream is `response.created`, items (`response.output_item.added`, deltas, `..._item.done`), and
`response.completed` (or `.incomplete`, `.failed`) with the whole response. `error` ends it, too.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.providers.servers.scripted import Disconnect, Reply, Stall

Step = bytes | Stall | Disconnect

_numbers = itertools.count()


def event(kind: str, **data: Any) -> bytes:
    body = {"type": kind, "sequence_number": next(_numbers), **data}
    return f"event: {kind}\ndata: {json.dumps(body)}\n\n".encode()


def response(status: str, **more: Any) -> dict[str, Any]:
    base = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": []}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None}
    return {**base, **rest, "status": status, "incomplete_details": None, "usage": None, **more}


def item(index: int, content: dict[str, Any], *deltas: bytes) -> list[bytes]:
    empty = {**content, "status": "in_progress"}
    empty |= {key: [] for key in ("content", "summary") if key in content}
    empty |= {"arguments": ""} if "arguments" in content else {}
    return [
        event("response.output_item.added", output_index=index, item=empty),
        *deltas,
        event("response.output_item.done", output_index=index, item=content),
    ]


def words(text: str, index: int = 0) -> list[bytes]:
    pieces = [word if not at else f" {word}" for at, word in enumerate(text.split(" "))]
    where: dict[str, Any] = {"item_id": "msg_1", "output_index": index, "content_index": 0}
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return item(
        index,
        {**message, "content": [part]},
        event("response.content_part.added", part={**part, "text": ""}, **where),
        *(event("response.output_text.delta", delta=p, logprobs=[], **where) for p in pieces),
        event("response.output_text.done", text=text, logprobs=[], **where),
        event("response.content_part.done", part=part, **where),
    )


def use(identity: str, name: str, arguments: str, index: int = 0) -> list[bytes]:
    where: dict[str, Any] = {"item_id": f"fc_{identity}", "output_index": index}
    call = {"id": f"fc_{identity}", "type": "function_call", "call_id": identity, "name": name}
    pieces = [arguments[at : at + 3] for at in range(0, len(arguments), 3)]
    kind = "response.function_call_arguments"
    return item(
        index,
        {**call, "arguments": arguments, "status": "completed"},
        *(event(f"{kind}.delta", delta=piece, **where) for piece in pieces),
        event(f"{kind}.done", arguments=arguments, name=name, **where),
    )


def thinking(text: str, index: int = 0) -> list[bytes]:
    where: dict[str, Any] = {"item_id": "rs_1", "output_index": index, "summary_index": 0}
    reasoning = {"id": "rs_1", "type": "reasoning", "encrypted_content": "gAAA"}
    return item(
        index,
        {**reasoning, "summary": [{"type": "summary_text", "text": text}]},
        event("response.reasoning_summary_text.delta", delta=text, **where),
        event("response.reasoning_summary_text.done", text=text, **where),
    )


def ending(status: str = "completed", *, used: bool = True, **more: Any) -> bytes:
    counts = {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 13,
    }
    usage = counts if used else None
    return event(f"response.{status}", response=response(status, usage=usage, **more))


START = event("response.created", response=response("in_progress"))


def streaming(*steps: Step) -> Reply:
    return Reply(pieces=(START, *steps))


def speaking(text: str) -> Reply:
    return streaming(*words(text), ending())


def calling(*calls: tuple[str, str, str]) -> Reply:
    pieces = [piece for at, call in enumerate(calls) for piece in use(*call, index=at)]
    return streaming(*pieces, ending())


def failed(code: str, message: str) -> bytes:
    return ending("failed", used=False, error={"code": code, "message": message})


def error(code: str | None, message: str) -> bytes:
    return event("error", code=code, message=message, param=None)

"""Answers in the published streaming format of Gemini's `streamGenerateContent?alt=sse`.

Each event is a line `data: {chunk}`, after which comes an empty one. A chunk has
`candidates[0].content.parts` and a `usageMetadata` that grows; the last one has a `finishReason`;
nothing ends the stream but its end. Errors are `{"error": {"code", "message", "status"}}`.
"""

from __future__ import annotations

import json
from typing import Any

from tests.providers.servers.scripted import Disconnect, Reply, Stall

Step = bytes | Stall | Disconnect


def event(data: object) -> bytes:
    return f"data: {json.dumps(data)}\r\n\r\n".encode()


def chunk(*parts: dict[str, Any], finish: str | None = None, tokens: int = 1) -> bytes:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 9, "candidatesTokenCount": tokens, "totalTokenCount": 9 + tokens}
    body = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"}
    return event({**body, "responseId": "r1"})


def words(text: str) -> list[bytes]:
    pieces = [word if not at else f" {word}" for at, word in enumerate(text.split(" "))]
    return [chunk({"text": piece}) for piece in pieces]


def use(name: str, arguments: str, *, signature: str | None = None) -> bytes:
    part: dict[str, Any] = {"functionCall": {"name": name, "args": json.loads(arguments)}}
    return chunk(part | ({"thoughtSignature": signature} if signature else {}))


def thinking(text: str) -> bytes:
    return chunk({"text": text, "thought": True})


def ending(reason: str = "STOP", tokens: int = 4) -> bytes:
    return chunk({"text": ""}, finish=reason, tokens=tokens)


def streaming(*steps: Step) -> Reply:
    return Reply(pieces=steps)


def speaking(text: str) -> Reply:
    return streaming(*words(text), ending())


def calling(*calls: tuple[str, str]) -> Reply:
    return streaming(*(use(*call) for call in calls), ending())


def refusing(status: int, word: str, message: str) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, "status": word}})

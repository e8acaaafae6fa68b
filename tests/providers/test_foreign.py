"""Contexts that were written for other interfaces, through the translations of all vendors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antiphon.providers.anthropic.translation import as_messages
from antiphon.providers.arrangement import arranged, parts_of, short_id
from antiphon.providers.openai.responses_translation import as_input
from antiphon.services.contracts import LLMRequest
from tests.providers.checkers.all_four import complaints
from tests.providers.llm_contract import WEATHER, called, result, user

PNG = "iVBORw0KGgo="


def call(identity: str, **function: Any) -> dict[str, Any]:
    made = {"id": identity, "type": "function", "function": function}
    return {"role": "assistant", "tool_calls": [made]}


CUSTOM = {
    "role": "assistant",
    "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "run.it", "input": "ls"}}],
}
PICTURES: list[Any] = [
    {"type": "image_url", "image_url": "https://example.com/x.png"},
    {"type": "image_url", "image_url": f"data:image/jpg;base64,{PNG}"},
    {"type": "image_url", "image_url": {"url": f"data:image/jpg;base64,{PNG}", "detail": "low"}},
    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    {"type": "image", "source": {"type": "url", "url": "https://example.com/x.png"}},
    {"type": "image_url", "image_url": {"url": f"data:image/tiff;base64,{PNG}"}},
    {"type": "image_url", "image_url": {}},
    {"type": "image_url"},
    {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
]
FOREIGN: dict[str, list[dict[str, Any]]] = {
    "input and output text": [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Yes?"}]},
        {"role": "user", "content": ["bare text", {"type": "input_text", "text": None}]},
    ],
    "a refusal": [
        user("Hi"),
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
    ],
    "arguments as an object": [
        user("Hi"), call("a", name="f", arguments={"x": 1}), result("a", "1"),
    ],
    "no arguments": [user("Hi"), call("a", name="f"), result("a", "1")],
    "empty arguments": [user("Hi"), call("a", name="f", arguments=""), result("a", "1")],
    "null arguments": [user("Hi"), call("a", name="f", arguments=None), result("a", "1")],
    "a list of arguments": [user("Hi"), call("a", name="f", arguments=[1]), result("a", "1")],
    "a custom tool": [user("Hi"), CUSTOM, result("c", "README")],
    "one id in two turns": [
        user("a"), called("call_0", "f", "{}"), result("call_0", "1"),
        user("b"), called("call_0", "f", "{}"), result("call_0", "2"),
    ],
    "ids that are alike when cleaned": [
        user("a"),
        {
            "role": "assistant",
            "tool_calls": [
                *called("a.b", "f", "{}")["tool_calls"],
                *called("a:b", "f", "{}")["tool_calls"],
                *called("a_b", "f", "{}")["tool_calls"],
            ],
        },
        result("a.b", "1"), result("a:b", "2"), result("a_b", "3"),
    ],
    "names that no vendor takes": [
        user("a"), called("a", "math.add", "{}"), result("a", "1"),
        called("b", "größe " * 20, "{}"), result("b", "1"),
    ],
    "an empty id": [user("a"), called("", "f", "{}"), result("", "1")],
    "sound without data": [{"role": "user", "content": [{"type": "input_audio"}]}],
    "parts of no kind": [{"role": "user", "content": [{"x": 1}, 3, None, {"type": "video"}]}],
    **{f"picture {at}": [{"role": "user", "content": [p]}] for at, p in enumerate(PICTURES)},
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("tools", [(), (WEATHER,)], ids=["no tools", "tools"])
def test_foreign_contexts_are_understood(name: str, tools: Any) -> None:
    """No vendor has anything against the request, and the messages are as they were."""
    before = json.dumps(FOREIGN[name])
    request = LLMRequest(messages=tuple(FOREIGN[name]), tools=tools)
    assert complaints(request) == []
    assert json.dumps(FOREIGN[name]) == before


def test_nothing_that_was_said_is_lost() -> None:
    """Texts of any name, refusals and custom inputs are in the request."""
    texts = [part["text"] for part in parts_of([{"type": "output_text", "text": "a"}, "b"])]
    assert texts == ["a", "b"]
    (_, made, *_) = arranged([user("Hi"), CUSTOM, result("c", "x")])
    assert made["tool_calls"][0]["function"] == {
        "name": "run.it",
        "arguments": '{"input": "ls"}',
    }


def test_pictures_keep_their_kind() -> None:
    """`image/jpg` is `image/jpeg`; a kind that a vendor does not take leaves a note."""
    (message,) = as_messages([{"role": "user", "content": [PICTURES[1], PICTURES[6]]}])
    jpeg, tiff = message["content"]
    assert jpeg["source"]["media_type"] == "image/jpeg"
    assert tiff["type"] == "text"
    (item,) = as_input([{"role": "user", "content": [PICTURES[2]]}])
    assert item["content"][0]["detail"] == "low"
    assert item["content"][0]["image_url"].startswith("data:image/jpeg;")


def test_ids_that_differ_stay_apart() -> None:
    """An id that has to be replaced gets one that no other id gets."""
    pattern = r"[a-zA-Z0-9_-]+"
    ids = ["a.b", "a:b", "a_b", "", "x" * 100]
    theirs = [short_id(identity, limit=64, pattern=pattern) for identity in ids]
    assert len(set(theirs)) == len(ids)
    assert theirs[2] == "a_b"

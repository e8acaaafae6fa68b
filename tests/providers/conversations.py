"""Random conversations in OpenAI's shape, valid by the rules of `antiphon.context.validate`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from antiphon.context.messages import async_tool_text
from antiphon.services.contracts import LLMRequest
from tests.providers.llm_contract import WEATHER

WORDS = st.sampled_from(["Hi", "Fine. ", "{}", '{"a": 1}', "[1]", "ünï ☕", " ", "x" * 300])
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
ELSEWHERE = {"type": "image_url", "image_url": {"url": "https://example.com/x.jpg"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
THOUGHTS = {
    "gemini": "c2lnbmF0dXJl",
    "openai-responses": {"id": "rs_1", "encrypted_content": "gAAA"},
    "anthropic": "sig",
    "openai": None,
}

Message = dict[str, Any]


@st.composite
def contents(draw: st.DrawFn, *kinds: Message) -> Any:
    """A text, or parts of the given kinds and text."""
    if draw(st.booleans()):
        return draw(WORDS)
    text = st.builds(lambda words: {"type": "text", "text": words}, WORDS)
    return draw(st.lists(st.one_of(text, *map(st.just, kinds)), min_size=1, max_size=3))


@st.composite
def blocks(draw: st.DrawFn, number: int) -> list[Message]:
    """An assistant message with calls, and their results in any order."""
    ids = [
        draw(
            st.sampled_from([f"call_{number}_{at}", f"t.{number}:{at}", f"{'c' * 70}{number}{at}"])
        )
        for at in range(draw(st.integers(1, 3)))
    ]
    calls = [
        {
            "id": identity,
            "type": "function",
            "function": {
                "name": draw(st.sampled_from(["get_weather", "look-up", "gone"])),
                "arguments": draw(st.sampled_from(["{}", '{"city": "Köln", "n": [1, null]}'])),
            },
        }
        for identity in ids
    ]
    message: Message = {"role": "assistant", "tool_calls": calls}
    if draw(st.booleans()):
        message["content"] = draw(st.one_of(st.none(), WORDS))
    results = [
        {
            "role": "tool",
            "tool_call_id": identity,
            "content": draw(
                st.one_of(
                    st.sampled_from(["", "IN_PROGRESS", "COMPLETED", "NaN", '{"t": 21}', "[1, 2]"]),
                    st.just(async_tool_text(identity, "started")),
                    contents(PICTURE, ELSEWHERE),
                )
            ),
        }
        for identity in draw(st.permutations(ids))
    ]
    return [message, *results]


@st.composite
def conversations(draw: st.DrawFn, provider: str = "") -> list[Message]:
    """Valid conversations; with thoughts as `provider` gets them back."""
    messages: list[Message] = []
    thought = {"type": "thought", "text": "Hmm.", "signature": THOUGHTS.get(provider)}
    kinds = ["user", "developer", "system", "assistant", "calls", "calls", "async", "thought"]
    for number in range(draw(st.integers(0, 10))):
        match draw(st.sampled_from(kinds)):
            case "calls":
                messages += draw(blocks(number))
            case "async":
                text = async_tool_text(f"c{number}", "finished", result={"n": number})
                messages.append({"role": "developer", "content": text})
            case "thought" if provider:
                messages.append({"role": "provider_specific", "message": thought})
            case "user":
                parts = draw(contents(PICTURE, ELSEWHERE, SOUND))
                messages.append({"role": "user", "content": parts})
            case "developer":
                messages.append({"role": "developer", "content": draw(contents(PICTURE))})
            case role if role in {"system", "assistant"}:
                messages.append({"role": role, "content": draw(contents())})
    return messages


@st.composite
def requests(draw: st.DrawFn, provider: str = "") -> LLMRequest:
    """Requests with such conversations."""
    tools = draw(st.sampled_from([(), (WEATHER,)]))
    named = {"type": "function", "function": {"name": WEATHER.name}}
    choices = st.sampled_from([None, "auto", "none", "required", named])
    return LLMRequest(
        messages=tuple(json.loads(json.dumps(draw(conversations(provider))))),
        system_instruction=draw(st.sampled_from([None, "Be brief."])),
        tools=tools,
        tool_choice=draw(choices) if tools else None,
        temperature=draw(st.sampled_from([None, 0.7, 1.5])),
        max_tokens=draw(st.sampled_from([None, 50])),
    )

"""What the rule-based responder answers: a pure function of the request.

What is new is what came after the assistant's last message: tool results, news of asynchronous
calls, instructions of the developer, words of the caller. Results and news are said; then the
first of these that has something to say answers the words, or the instruction if nobody spoke:

    an answer to our own question  ->  the call it completes
    an advertised tool is meant    ->  calls
    a sum, a capital, a fact       ->  text
    a statement of the persona     ->  text
    memory of this conversation    ->  text
    small talk, identity, goodbye  ->  text
    anything else                  ->  what it can do

There is no state but the messages, so the same request gets the same answer.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from antiphon.providers.chat import (
    CallMade,
    Message,
    async_news,
    calls_by_id,
    calls_of,
    text_of,
)
from antiphon.providers.local import rules_tables as tables
from antiphon.providers.local.instructions import own_instruction
from antiphon.providers.local.rules_persona import statement_about
from antiphon.providers.local.rules_results import say_news, say_result
from antiphon.providers.local.rules_tools import (
    Wish,
    afterthought,
    best,
    completed,
    forced,
    wishes,
)
from antiphon.providers.local.rules_words import arithmetic, spelled_out, spoken_number, words
from antiphon.services.contracts import LLMRequest, ToolSpec


class RuleAnswer(msgspec.Struct, frozen=True):
    """What to say, and what to call after it."""

    text: str = ""
    calls: tuple[Wish, ...] = ()


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """The request, read. `said`: the caller's new words; `past`: all their words before."""

    said: str
    instruction: str
    news: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    persona: str
    past: tuple[str, ...]
    spoken: tuple[str, ...]
    last_call: CallMade | None
    choice: Any


_PERSONA = re.compile(
    r"\b(?:[Yy]ou are|[Yy]our name is|[Yy]ou['’]re|called|named)\s+(?!(?:I|AI)\b)([A-Z][\w'’]+)"
)
_NAME = re.compile(
    r"\b(?:my name is|call me|this is)\s+(?!a\b|the\b|an\b)([^\W\d_]+)", re.IGNORECASE
)
_CAPITAL_OF = re.compile(r"\bcapital(?: city)? (?:of|in|for) ([a-z ]+)")
_OF_CAPITAL = re.compile(r"\b([a-z ]+?)(?:['’]s)? capital\b")
_CAPITAL_OF_WHAT = re.compile(r"\b([a-z .]+?) is the capital of (?:what|which)")
_QUESTION = re.compile(
    r"\?|^(?:what|who|where|when|why|how|which|is|are|do|does|did|can|could|will|would|tell)\b"
)
_ASKED = re.compile(r"^Sure\. Which (.+?) should I use")


def read(request: LLMRequest) -> Situation:
    """Sorts the messages of a request."""
    messages = request.messages
    last = max((i for i, m in enumerate(messages) if m.get("role") == "assistant"), default=-1)
    calls = calls_by_id(messages)
    new = messages[last + 1 :]
    news = _news(new, calls)
    said = [text_of(m.get("content")) for m in new if m.get("role") == "user"]
    system = [text_of(m.get("content")) for m in messages if m.get("role") == "system"]
    made = [call for message in messages for call in calls_of(message)]
    return Situation(
        said=" ".join(text for text in said if text).strip(),
        instruction=_instruction(new),
        news=tuple(news),
        tools=_allowed(request),
        persona="\n".join([own_instruction(request), *system]),
        past=tuple(
            text_of(m.get("content")) for m in messages[: last + 1] if m.get("role") == "user"
        ),
        spoken=tuple(
            text
            for m in messages
            if m.get("role") == "assistant" and (text := text_of(m.get("content")))
        ),
        last_call=made[-1] if made else None,
        choice=request.tool_choice,
    )


def _news(new: tuple[Message, ...], calls: dict[str, CallMade]) -> list[str]:
    said: list[str] = []
    for message in new:
        background = async_news(message)
        if background:
            said.append(say_news(background, calls.get(background.tool_call_id)))
        elif message.get("role") == "tool":
            call = calls.get(str(message.get("tool_call_id", "")))
            said.append(say_result(text_of(message.get("content")), call))
    return list(dict.fromkeys(said))


def _instruction(new: tuple[Message, ...]) -> str:
    """The developer's words after the caller's last, which nobody has answered yet."""
    text = ""
    for message in new:
        role = message.get("role")
        if role == "user":
            text = ""
        elif role in ("developer", "system") and async_news(message) is None:
            text = text_of(message.get("content"))
    return text


def _allowed(request: LLMRequest) -> tuple[ToolSpec, ...]:
    choice = request.tool_choice
    if choice == "none":
        return ()
    if isinstance(choice, dict):
        name = (choice.get("function") or {}).get("name") or choice.get("name")
        return tuple(tool for tool in request.tools if tool.name == name) or request.tools
    return request.tools


def answer(request: LLMRequest) -> RuleAnswer:
    """What to say and call."""
    now = read(request)
    before = " ".join(now.news)
    if now.choice == "required" or isinstance(now.choice, dict):
        return RuleAnswer(before, _forced(now)) if now.tools else RuleAnswer(before)
    if not now.said:
        if now.instruction:
            return RuleAnswer(_joined(before, _on_instruction(now)))
        return RuleAnswer(before or _greeting(now))
    reply = _reply(now)
    return RuleAnswer(_joined(before, reply.text), reply.calls)


def _joined(*texts: str) -> str:
    return " ".join(text for text in texts if text)


def _forced(now: Situation) -> tuple[Wish, ...]:
    wanted = [wish for wish in wishes(now.said, now.tools) if not wish.missing]
    if wanted:
        return tuple(wanted)
    tool = best(now.said, now.tools) or now.tools[0]
    return (forced(tool, now.said),)


def _reply(now: Situation) -> RuleAnswer:
    calls = _calls(now)
    if calls:
        return calls
    lower = re.sub(r"\s+", " ", spelled_out(now.said).lower())
    for rule in (_sum, _capital, _fact, _persona, _memory, _farewell, _small_talk):
        text = rule(lower, now)
        if text:
            return RuleAnswer(_filled(text, now))
    pool = tables.UNKNOWN if _QUESTION.search(lower) else tables.ACKNOWLEDGED
    return RuleAnswer(_filled(_in_turn(pool, now), now))


def _calls(now: Situation) -> RuleAnswer | None:
    wanted = _answered_question(now) or wishes(now.said, now.tools)
    if not wanted and now.last_call:
        name = now.last_call.name
        tool = next((tool for tool in now.tools if tool.name == name), None)
        again = afterthought(now.said, tool, now.last_call.arguments) if tool else None
        wanted = [again] if again else []
    lacking = next((wish for wish in wanted if wish.missing), None)
    if lacking:
        missing = lacking.missing[0].replace("_", " ")
        return RuleAnswer(f"Sure. Which {missing} should I use?")
    return RuleAnswer("", tuple(wanted)) if wanted else None


def _answered_question(now: Situation) -> list[Wish]:
    """The calls of the caller's words before, if we asked for one more thing and got it."""
    asked = now.spoken and _ASKED.search(now.spoken[-1])
    if not asked or not now.past:
        return []
    if best(now.said, now.tools):  # they changed their mind
        return []
    filled = [completed(wish, now.said) for wish in wishes(now.past[-1], now.tools)]
    return [wish for wish in filled if not wish.missing]


def _sum(lower: str, now: Situation) -> str:
    try:
        value = arithmetic(lower)
    except ZeroDivisionError:
        return "Nobody can divide by zero."
    return "" if value is None else f"That is {spoken_number(value)}."


def _capital(lower: str, now: Situation) -> str:
    if "capital" not in lower:
        return ""
    backwards = _CAPITAL_OF_WHAT.search(lower)
    if backwards:
        city = backwards.group(1).strip()
        country = next((k for k, v in tables.CAPITALS.items() if v.lower() == city), "")
        return f"{_name_of(city)} is the capital of {_name_of(country)}." if country else ""
    found = _CAPITAL_OF.search(lower) or _OF_CAPITAL.search(lower)
    return _capital_of(found.group(1)) if found else ""


def _capital_of(phrase: str) -> str:
    """The longest run of words in the phrase that names a country."""
    parts = phrase.split()
    for length in range(len(parts), 0, -1):
        for start in range(len(parts) - length + 1):
            name = " ".join(parts[start : start + length])
            country = tables.COUNTRY_ALIASES.get(name, name)
            if country in tables.CAPITALS:
                return f"The capital of {_name_of(country)} is {tables.CAPITALS[country]}."
    return ""


def _name_of(lower: str) -> str:
    return " ".join(w if w in ("the", "of", "and") else w.capitalize() for w in lower.split())


def _fact(lower: str, now: Situation) -> str:
    return next((say for pattern, say in tables.FACTS if re.search(pattern, lower)), "")


def _persona(lower: str, now: Situation) -> str:
    return statement_about(now.said, now.persona) if _QUESTION.search(lower) else ""


def _memory(lower: str, now: Situation) -> str:
    named = _NAME.search(now.said)
    if named and len(words(lower)) <= 8:
        return f"Nice to meet you, {named.group(1).capitalize()}. How can I help you?"
    if re.search(r"\bmy name\b", lower) and _QUESTION.search(lower):
        name = _caller(now)
        return f"Your name is {name}." if name else "You have not told me your name yet."
    if re.search(
        r"\b(?:repeat|say) that(?: again)?\b|\bwhat did you (?:just )?say\b|^pardon", lower
    ):
        return f"I said: {now.spoken[-1]}" if now.spoken else "I have not said anything yet."
    if re.search(r"\bwhat did i (?:just )?(?:say|ask)\b", lower):
        return f"You said: {now.past[-1]}" if now.past else "You have just started talking to me."
    capital = re.search(
        r"^(?:and|what about|how about)(?: the one of| of| for| in)? ([a-z ]+)", lower
    )
    if capital and now.spoken and "capital of" in now.spoken[-1]:
        return _capital_of(capital.group(1))
    return ""


def _farewell(lower: str, now: Situation) -> str:
    return _in_turn(tables.FAREWELLS, now) if re.search(tables.FAREWELL, lower) else ""


def _small_talk(lower: str, now: Situation) -> str:
    bare = re.sub(r"[^\w\s'’]", "", lower).strip()
    for pattern, answers in tables.SMALL_TALK:
        if re.search(pattern, bare):
            return _in_turn(answers, now)
    return ""


def _in_turn(answers: tuple[str, ...], now: Situation) -> str:
    """Another one each time, by what was said already."""
    used = sum(
        _filled(text, now).split("{")[0][:16] == spoken[:16]
        for spoken in now.spoken
        for text in answers
    )
    return answers[used % len(answers)]


def _on_instruction(now: Situation) -> str:
    lower = now.instruction.lower()
    quoted = re.search(
        r"\bsay(?: exactly)?:?\s*[\"“']([^\"”]+)[\"”']", now.instruction, re.IGNORECASE
    )
    if quoted:
        return quoted.group(1)
    text = next((say for pattern, say in tables.INSTRUCTIONS if re.search(pattern, lower)), "")
    if text:
        return _filled(text, now)
    if now.news or now.spoken:
        return ""
    return _greeting(now)


def _greeting(now: Situation) -> str:
    return _filled(tables.GREETING, now) if not now.spoken else "How can I help you?"


def _filled(text: str, now: Situation) -> str:
    persona = _PERSONA.search(now.persona)
    name = _caller(now)
    values = {
        "{me}": persona.group(1) if persona else "Antiphon",
        "{you}": f", {name}" if name else "",
        "{abilities}": _abilities(now.tools),
    }
    for key, value in values.items():
        text = text.replace(key, value)
    return " ".join(text.split())


def _caller(now: Situation) -> str:
    for text in reversed((*now.past, now.said)):
        found = _NAME.search(text)
        if found:
            return found.group(1).capitalize()
    return ""


def _abilities(tools: tuple[ToolSpec, ...]) -> str:
    known = "tell you capitals and a few facts, and do sums"
    if not tools:
        return f"I can {known}."
    said = [_ability(tool) for tool in tools[:3]]
    return f"I can {', '.join(said)}, {known}."


def _ability(tool: ToolSpec) -> str:
    first = re.split(r"[.\n]", tool.description.strip())[0] or tool.name.replace("_", " ")
    first = re.sub(r"\b(get|return|fetch|retrieve)s?\b", "get", first, count=1, flags=re.IGNORECASE)
    return first[:1].lower() + first[1:] if not first[:2].isupper() else first

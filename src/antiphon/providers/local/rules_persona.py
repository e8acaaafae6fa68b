"""Answering from the system instruction: what it states about the world is what the agent knows."""

from __future__ import annotations

import re

from antiphon.providers.local.rules_tables import DULL
from antiphon.providers.local.rules_words import spelled_out, stem, words

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_TO_THE_AGENT = re.compile(
    r"\b(?:you|your|yourself)\b|^(?:always|never|do not|don['’]t|if|when|be|keep|answer|speak|"
    r"reply|respond|use|avoid|say|ask|tell|only|act|make|remember|greet|help|call|start|begin|end)\b",
    re.IGNORECASE,
)


def telling(text: str) -> set[str]:
    """The stems of the words that carry meaning."""
    return {stem(word) for word in words(spelled_out(text)) if word not in DULL}


def statement_about(question: str, persona: str) -> str:
    """The statement of the persona that shares most telling words with the question, or nothing.

    Sentences that tell the agent what to be or do are no statements.
    """
    asked = telling(question)
    best, most = "", 0
    for sentence in _SENTENCE.split(persona):
        text = sentence.strip().removeprefix("- ")
        if not text or _TO_THE_AGENT.search(text):
            continue
        shared = len(asked & telling(text))
        if shared > most:
            best, most = text, shared
    return best if not best or best.endswith((".", "!", "?")) else f"{best}."

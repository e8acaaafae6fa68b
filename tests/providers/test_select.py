"""Choosing a language model from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import ConfigurationError, UnknownNameError
from antiphon.providers import select
from antiphon.providers.anthropic.provider import AnthropicLLMProvider
from antiphon.providers.google.provider import GoogleLLMProvider
from antiphon.providers.local.llm_provider import LocalLLMProvider
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.rules import RuleBasedLLMProvider
from antiphon.providers.openai.provider import OpenAILLMProvider
from antiphon.providers.openai.responses_provider import OpenAIResponsesLLMProvider
from antiphon.providers.select import default_llm, llm_from_env


def test_named_models_are_chosen() -> None:
    """Each form of the variable gives its provider, and the reason names it."""
    rules = llm_from_env({"ANTIPHON_LLM": "rules"})
    assert isinstance(rules.provider, RuleBasedLLMProvider)
    assert isinstance(llm_from_env({"ANTIPHON_LLM": "local"}).provider, LocalLLMProvider)
    better = llm_from_env({"ANTIPHON_LLM": "local/qwen2.5-coder-1.5b-instruct-q4_k_m"})
    assert better.provider.model == "qwen2.5-coder-1.5b-instruct-q4_k_m"
    groq = llm_from_env({"ANTIPHON_LLM": "groq/org/model-1", "GROQ_API_KEY": "k"})
    assert isinstance(groq.provider, OpenAILLMProvider)
    assert groq.provider.model == "org/model-1"
    assert "groq" in groq.reason
    claude = llm_from_env({"ANTIPHON_LLM": "anthropic/model-2", "ANTHROPIC_API_KEY": "k"})
    assert isinstance(claude.provider, AnthropicLLMProvider)
    assert claude.provider.model == "model-2"
    gemini = llm_from_env({"ANTIPHON_LLM": "google/model-3", "GEMINI_API_KEY": "k"})
    assert isinstance(gemini.provider, GoogleLLMProvider)
    assert gemini.provider.model == "model-3"
    sol = llm_from_env({"ANTIPHON_LLM": "openai-responses/model-4", "OPENAI_API_KEY": "k"})
    assert isinstance(sol.provider, OpenAIResponsesLLMProvider)
    assert sol.provider.model == "model-4"


def test_an_address_is_a_model_too() -> None:
    """A base URL works with and without a model, and never gets a vendor's key."""
    environment = {"ANTIPHON_LLM": "http://localhost:8080/v1#tiny", "OPENAI_API_KEY": "secret"}
    provider = llm_from_env(environment).provider
    assert isinstance(provider, OpenAILLMProvider)
    assert (provider.model, provider._base_url) == ("tiny", "http://localhost:8080/v1")
    assert provider._key == "none"
    bare = llm_from_env({"ANTIPHON_LLM": "http://localhost:8080/v1/"}).provider
    assert bare.model == "default"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("groq/m", "GROQ_API_KEY"),
        ("anthropic/m", "ANTHROPIC_API_KEY"),
        ("openai/m", "OPENAI_API_KEY"),
        ("google/m", "GEMINI_API_KEY"),
        ("openai-responses/m", "OPENAI_API_KEY"),
        ("openai", "openai/MODEL"),
        ("openai/", "openai/MODEL"),
    ],
)
def test_what_is_missing_is_named(wanted: str, words: str) -> None:
    """A missing key or model is a clear error that says what to set."""
    with pytest.raises(ConfigurationError, match=words):
        llm_from_env({"ANTIPHON_LLM": wanted})


def test_an_unknown_vendor_lists_the_known() -> None:
    """A name nobody knows is answered with those that are known."""
    with pytest.raises(UnknownNameError, match=r"opneai.*anthropic.*groq.*openai"):
        llm_from_env({"ANTIPHON_LLM": "opneai/m"})


def test_the_default_falls_back_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without weights the rules stand in; the reason says why, and is a warning, once."""
    monkeypatch.setattr(select, "ModelStore", _EmptyStore)
    select._log_once.cache_clear()
    chosen = [default_llm() for _ in range(3)]
    assert isinstance(chosen[0].provider, RuleBasedLLMProvider)
    assert "rule-based" in chosen[0].reason
    assert "weights" in chosen[0].reason
    assert len([record for record in caplog.records if "rule-based" in record.message]) == 1


class _EmptyStore(ModelStore):
    def find(self, name: str, file: str | None = None) -> Path | None:
        return None


def test_the_default_is_the_embedded_model_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """With weights and runtime here the embedded model is chosen, and nothing is loaded yet."""

    class FullStore(ModelStore):
        def find(self, name: str, file: str | None = None) -> Path | None:
            return Path("x.gguf")

    monkeypatch.setattr(select, "ModelStore", FullStore)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    chosen = llm_from_env({})
    assert isinstance(chosen.provider, LocalLLMProvider)
    assert "embedded" in chosen.reason

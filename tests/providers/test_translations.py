"""Random valid contexts through the translations of all four providers."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.context.validate import problems
from antiphon.providers.google.translation import config_of, contents_of
from tests.providers.checkers.all_four import CHECKS
from tests.providers.conversations import requests


@pytest.mark.parametrize("provider", CHECKS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_valid_context_is_accepted(provider: str, data: Any) -> None:
    """Whatever a valid context holds, the provider's rules have nothing against the request, and
    the context is as it was.
    """
    request = data.draw(requests(provider))
    assert [p for p in problems(request.messages) if "is empty" not in p] == []
    before = copy.deepcopy(request.messages)
    assert CHECKS[provider](request) == [], json.dumps(request.messages, indent=1)
    assert request.messages == before


@settings(max_examples=50, deadline=None)
@given(requests("gemini"))
def test_google_s_own_types_know_every_field(request: Any) -> None:
    """The SDK's models, which refuse fields they do not know, take contents and configuration."""
    types.GenerateContentConfig.model_validate(config_of(request))
    for content in contents_of(request, model="gemini-3-flash"):
        types.Content.model_validate(content)

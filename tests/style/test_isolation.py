"""Tests reach no machine but this one (see tests/conftest.py)."""

from __future__ import annotations

import os
import sys

import pytest


@pytest.mark.parametrize("host", ["192.0.2.1", "example.invalid", "2001:db8::1"])
def test_other_machines_are_refused(host: str) -> None:
    """Connecting to another machine fails before anything is sent, and says where it was going."""
    with pytest.raises(PermissionError, match="tests reach no machine but this one"):
        sys.audit("socket.connect", None, (host, 80))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_this_machine_is_not(host: str) -> None:
    """Local servers can be reached, and sockets of the file system too."""
    sys.audit("socket.connect", None, (host, 80))
    sys.audit("socket.connect", None, "/run/x.socket")


def test_no_key_is_at_hand() -> None:
    """No test finds the key of anybody's account."""
    assert [name for name in os.environ if name.endswith("_API_KEY")] == []

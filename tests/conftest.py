"""What holds for every test: it reaches no other machine, and hypothesis repeats itself."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Failures must not depend on the day: the same examples every time, and no clock to judge them by.
hypothesis.settings.register_profile(
    "antiphon",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("antiphon")

# Everything runs on uvloop too: `ANTIPHON_TEST_LOOP=uvloop pytest ...`.
if os.environ.get("ANTIPHON_TEST_LOOP") == "uvloop":
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

# A test that would use an account's key must not find one.
for variable in [name for name in os.environ if name.endswith("_API_KEY")]:
    del os.environ[variable]


def _refuse_other_machines(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: connecting anywhere but to this machine fails, and says where it was going."""
    if event != "socket.connect":
        return
    address = args[1]
    if not isinstance(address, tuple):  # a socket of the file system
        return
    host = str(address[0])
    try:
        local = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        local = host in {"localhost", ""}
    if not local:
        message = f"a test tried to reach {address!r}: tests reach no machine but this one"
        raise PermissionError(message)


sys.addaudithook(_refuse_other_machines)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return ROOT

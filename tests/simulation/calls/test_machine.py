"""Calls with agents that bring something real: threads of their own, a server behind a socket."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from antiphon.errors import ConfigurationError
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.providers.openai.service import OpenAILLMService
from antiphon.services.contracts import LLMEvent, LLMRequest, TextDelta
from antiphon.services.llm import LLMService
from antiphon.simulation.calls.caller import Caller
from antiphon.simulation.calls.scenario import Scenario
from antiphon.simulation.calls.trials import Machine, ShortfallKind, hold
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from tests.cli.test_simulate import simulate
from tests.providers.servers.openai_server import speaking
from tests.simulation.calls.test_caller import RATE, parts
from tests.simulation.calls.test_caller_manners import missing_models

ASK = Scenario("ask", ({"says": "a table please"}, {"expects_reply": "from afar", "within": 4.0}))
ROOT = Path(__file__).parents[3]


def with_model(caller: Caller, llm: LLMService) -> PipelineTask:
    """The usual agent with another model."""
    processors = [llm if isinstance(part, LLMService) else part for part in parts(caller, [])]
    rates = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)
    return PipelineTask(Pipeline(processors), params=rates)


class InThreads(FakeLLMProvider):
    """Computes in a pool of its own, which asyncio knows nothing of, for 0.2 real seconds."""

    pool = ThreadPoolExecutor(1)

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        work = self.pool.submit(lambda: threading.Event().wait(0.2) or "An answer from afar.")
        yield TextDelta(str(await asyncio.wrap_future(work)))


def threaded(caller: Caller) -> PipelineTask:
    return with_model(caller, LLMService(InThreads()))


def test_the_clock_stands_still_for_threads_of_any_pool() -> None:
    """What takes real time in a thread takes no virtual time: the caller does not get impatient."""
    held = hold(threaded, ASK, seed=1, machine=Machine(threads=True))
    assert held.problems == ()
    assert held.outcome.virtual_secs < 10.0


def test_without_leave_a_thread_is_waited_for_in_vain() -> None:
    """The clock is virtual, so nothing tells when the thread answers: the run falls short."""
    held = hold(threaded, ASK, seed=1)
    assert [problem.kind for problem in held.problems] == [ShortfallKind.EXPECTATION]


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = b"".join(
            piece for piece in speaking("An answer from afar.").pieces if isinstance(piece, bytes)
        )
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a model's server in a thread of this process."""
    serving = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}/v1"
    serving.shutdown()
    serving.server_close()
    thread.join()


def test_a_model_behind_a_local_server_answers(server: str) -> None:
    """With real sockets allowed the vendor's own SDK talks to the server; without it gets no
    answer.
    """

    def remote(caller: Caller) -> PipelineTask:
        return with_model(caller, OpenAILLMService(base_url=server, model="any"))

    held = hold(remote, ASK, machine=Machine(sockets=True, threads=True))
    assert held.problems == ()
    refused = hold(remote, ASK)
    assert refused.problems


def test_faults_of_the_network_need_the_simulated_one() -> None:
    """Two wishes that exclude each other are told before anything runs."""
    lossy = Scenario("lossy", ASK.steps, faults={"network": {"latency_secs": 0.1}})
    with pytest.raises(ConfigurationError, match="lossy: faults of the network"):
        hold(threaded, lossy, machine=Machine(sockets=True))


@pytest.mark.models
def test_the_bot_of_the_readme_is_called_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`antiphon simulate --threads` holds a spoken call with it, on the embedded models."""
    if missing := missing_models():
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "readme_bot.py").write_text(next(b for b in blocks if "def bot(" in b))
    (tmp_path / "hello.yaml").write_text(
        "agent: readme_bot:bot\ncaller: spoken\nsteps:\n"
        "  - says: Hello, can you hear me?\n  - expects_reply: {within: 10.0}\n"
    )
    options = ("--seed", "1", "--threads", "--jobs", "0")
    status = simulate(monkeypatch, tmp_path / "hello.yaml", *options)
    out = capsys.readouterr().out
    assert status == 0, out
    assert "seed 1: as expected" in out

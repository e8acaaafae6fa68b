"""`antiphon simulate` on the command line."""

from __future__ import annotations

import logging
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.cli import main as entry
from tests.simulation.calls.test_caller_manners import missing_models

DINNER = "examples/simulate/dinner.yaml"
CARELESS = "bot:make_careless_task"

BOT = """
from antiphon import Pipeline, PipelineTask, LLMContext, LLMContextAggregatorPair, LLMService
from antiphon import SpeechTimeoutUserTurnStopStrategy, UserTurnStrategies, LLMUserAggregatorParams
from antiphon.simulation.fakes.language_model import FakeLLMProvider


def make(transport):
    stop = [SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.6)]
    params = LLMUserAggregatorParams(user_turn_strategies=UserTurnStrategies(stop=stop))
    user, assistant = LLMContextAggregatorPair(LLMContext(), user_params=params)
    llm = LLMService(FakeLLMProvider(default="Hello <b>there</b>."))
    print("an agent is made")
    return PipelineTask(Pipeline([transport.input(), user, llm, transport.output(), assistant]))


def breaks(transport):
    raise KeyError("no key")


def wrong(transport):
    return 42


NOT_A_FUNCTION = 3
"""
HELLO = """
agent: bot:make
caller: frames
seeds: 3
steps:
  - says: hello
  - expects_reply: {within: 3.0, containing: there}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario and its agent."""
    (tmp_path / "bot.py").write_text(BOT, encoding="utf-8")
    (tmp_path / "hello.yaml").write_text(HELLO, encoding="utf-8")
    return tmp_path


def simulate(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Runs the command in this process; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["antiphon", "simulate", *map(str, arguments)])
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        entry.main()
    return int(ended.value.code or 0)


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command as a shell would."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("antiphon")), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_agent_that_does_well_succeeds(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All as expected is one line and exit code 0; what the agent prints is not in it."""
    assert simulate(monkeypatch, folder / "hello.yaml", "--jobs", 0) == 0
    assert capsys.readouterr().out == "hello: 3 seeds, all as expected\n"


def test_the_example_and_its_mistake(root: Path, tmp_path: Path) -> None:
    """The command finds the seed, says which command repeats it, and that command shows it."""
    good = command("simulate", DINNER, "--seeds", "12", cwd=root)
    assert good.stdout == "dinner: 12 seeds, all as expected\n", good.stderr
    assert good.returncode == 0

    bad = command("simulate", DINNER, "--agent", CARELESS, "--seeds", "24", cwd=root)
    assert bad.returncode == 1
    found = re.search(r"dinner: 24 seeds, (\d+) fell short", bad.stdout)
    assert found is not None, bad.stdout
    assert 1 <= int(found[1]) <= 12  # a mistake that few calls show
    assert "'one moment' is in what was heard, and should not be" in bad.stdout
    assert "agent: One moment, please. Done, a table for four" in bad.stdout
    again = next(line for line in bad.stdout.splitlines() if "again: " in line)
    words = shlex.split(again.partition("again: ")[2])
    assert words[:2] == ["antiphon", "simulate"]
    unlucky = words[-3]
    assert words[-4:] == ["--seed", unlucky, "--timeline", f"dinner-{unlucky}.html"]
    assert f"seed {unlucky}:" in bad.stdout

    page = tmp_path / "out.html"
    shown = command(*words[1:-1], str(page), cwd=root)
    assert shown.returncode == 1
    assert f"seed {unlucky} fell short" in shown.stdout
    assert "Tool    book_table(people=4, hour=20) is running" in shown.stdout
    assert "the caller interrupts" in shown.stdout
    assert "turn stopped: 0.60 s of silence" in shown.stdout
    assert "FAILED  line 10: expects_reply" in shown.stdout
    html = page.read_text(encoding="utf-8")
    assert "One moment, please." in html
    assert "make_careless_task" in html


@pytest.mark.models
def test_the_spoken_example(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same call with synthesised speech, the embedded ears and the embedded voice."""
    if missing := missing_models():
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    spoken = root / "examples" / "simulate" / "spoken.yaml"
    assert simulate(monkeypatch, spoken, "--seed", 0, "--jobs", 0) == 0
    out = capsys.readouterr().out
    assert "Tool    book_table(people=4, hour=20) is running" in out
    assert "Agent   Done, a table for four at eight. Is there anything else?" in out


def test_faults_of_the_command_line_are_injected_and_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """YAML on the command line, or a file of it, makes things go wrong; 'none' does not."""
    file = folder / "faults.yaml"
    file.write_text("llm: {delay: 10}", encoding="utf-8")
    arguments = ("--jobs", 0, "--seed", 4)
    for given in ("llm: {delay: 10}", file):
        assert simulate(monkeypatch, folder / "hello.yaml", "--faults", given, *arguments) == 1
        out = capsys.readouterr().out
        assert "Fault   llm: delay 10" in out
        assert "the agent does not speak within 3 s" in out
    assert simulate(monkeypatch, folder / "hello.yaml", "--faults", "none", *arguments) == 0
    assert "seed 4: as expected" in capsys.readouterr().out


def test_a_seed_is_the_same_run_in_every_process(folder: Path) -> None:
    """Text and page of a seed are byte for byte equal, whatever the hashes of the process."""
    pages = []
    for number, hashes in enumerate(("random", "7")):
        page = folder / f"{number}.html"
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("antiphon")), "simulate", "hello.yaml"),
                *("--seed", "5", "--timeline", page.name),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            text=True,
            check=True,
        )
        pages.append((done.stdout.replace(page.name, ""), page.read_bytes()))
    assert pages[0] == pages[1]


def test_the_page_of_a_run_that_falls_short(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With many seeds `--timeline` is about the first that falls short."""
    page = folder / "out.html"
    steps = HELLO.replace("containing: there", "containing: nowhere")
    (folder / "hello.yaml").write_text(steps, encoding="utf-8")
    arguments = ("--jobs", 0, "--first", 7, "--timeline", page)
    assert simulate(monkeypatch, folder / "hello.yaml", *arguments) == 1
    assert f"{page}: written" in capsys.readouterr().out
    html = page.read_text(encoding="utf-8")
    assert "<title>hello, seed 7</title>" in html
    assert "&#x27;nowhere&#x27; is not in what was heard" in html or "'nowhere' is not in" in html
    assert "<b>there</b>" not in html


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["absent.yaml"], "absent.yaml cannot be read: no such file"),
        (["hello.yaml", "--agent", "bot"], "module:function or path/file.py:function, not 'bot'"),
        (["hello.yaml", "--agent", "nobody:make"], "there is no module nobody in"),
        (["hello.yaml", "--agent", "no.py:make"], "there is no file"),
        (
            ["hello.yaml", "--agent", "bot:mak"],
            "there is no function mak in bot; did you mean make?",
        ),
        (["hello.yaml", "--agent", "bot:NOT_A_FUNCTION"], "there is no function NOT_A_FUNCTION"),
        (["hello.yaml", "--agent", "bot:breaks"], "cannot be made: KeyError: 'no key' ("),
        (["hello.yaml", "--agent", "bot:wrong"], "returns a PipelineTask; it returned 42"),
        (["hello.yaml", "--agent", "broken.py:make"], "cannot be imported: SyntaxError"),
        (["hello.yaml", "--agent", "needs:make"], "No module named 'not_installed'"),
        (["hello.yaml", "--faults", "lllm: {delay: 1}"], "lllm"),
        (["hello.yaml", "--faults", "llm: {dilay: 1}"], "dilay"),
        (["hello.yaml", "--faults", "llm: {delay: 1"], "--faults, line 1"),
        (["hello.yaml", "--faults", "everything"], "--faults 'everything': what fails and how"),
        (["hello.yaml", "--faults", "stt: {delay: 1}"], "stt"),
        (["hello.yaml", "--caller", "shouted"], "no manner 'shouted': coded or frames or spoken"),
        (["hello.yaml", "--timeline", "no/where.html"], "there is no folder no"),
        (["bad.yaml"], "bad.yaml: line 2 needs one of the verbs"),
        (["bare.yaml"], "does not say which agent: add `agent: module:function`"),
    ],
)
def test_a_mistake_is_one_clear_error(
    arguments: list[str],
    says: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line that names the culprit, exit code 2, and nothing has run."""
    (folder / "broken.py").write_text("def make(:", encoding="utf-8")
    (folder / "needs.py").write_text("import not_installed", encoding="utf-8")
    (folder / "bad.yaml").write_text("steps:\n  - say: hello\n", encoding="utf-8")
    (folder / "bare.yaml").write_text("steps: [mumbles]\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    assert simulate(monkeypatch, *arguments, "--jobs", 0) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.err.startswith("antiphon: ")
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_a_worker_tells_what_is_wrong_with_the_agent(folder: Path) -> None:
    """What fails in another process is told as in this one."""
    done = command("simulate", "hello.yaml", "--agent", "bot:breaks", "--jobs", "2", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("antiphon: the agent bot:breaks cannot be made: KeyError")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_ends_with_what_was_found(folder: Path) -> None:
    """The report so far is printed, and nothing is left behind."""
    steps = HELLO.replace("containing: there", "containing: nowhere")
    (folder / "hello.yaml").write_text(steps, encoding="utf-8")
    running = subprocess.Popen(
        [
            *(str(Path(sys.executable).with_name("antiphon")), "simulate", "hello.yaml"),
            *("--seeds", "1000000", "--jobs", "1"),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        running.wait(6)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 1, err
    assert err == ""
    assert " of 1000000 seeds, " in out
    assert "'nowhere' is not in what was heard" in out


def test_a_seed_that_does_not_repeat_itself_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An agent that remembers earlier calls in a module cannot be simulated; this is said."""
    (folder / "rude.py").write_text(
        BOT.replace('default="Hello <b>there</b>."', "lambda _: next(replies)")
        + "\nimport itertools\nreplies = itertools.chain(['No.'], itertools.repeat('there'))\n",
        encoding="utf-8",
    )
    arguments = ("--agent", "rude:make", "--jobs", 0)
    monkeypatch.chdir(folder)
    assert simulate(monkeypatch, folder / "hello.yaml", *arguments) == 1
    assert "seed 0 fell short once, and not when it was run again" in capsys.readouterr().out

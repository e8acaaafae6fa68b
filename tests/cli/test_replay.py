"""`antiphon replay` on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from antiphon.cli.app import app
from antiphon.errors import AntiphonError, InvalidInputError
from antiphon.simulation.record.recording import Recording, SessionRecorder
from tests.cli.test_simulate import BOT, HELLO
from tests.simulation.recorded import serve


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A recorded session."""
    path = tmp_path / "session.antiphon"
    serve([SessionRecorder(path)], seed=3)
    return path


def test_a_file_is_described(file: Path) -> None:
    """Without an agent the command says what is in the file."""
    done = CliRunner().invoke(app, ["replay", str(file)])
    assert done.exit_code == 0
    assert "seed 3" in done.output
    assert "processors: Line#0 Waiter#0 Kitchen#0" in done.output
    assert "input of Line#0: 10 InputAudioRawFrame" in done.output


def test_the_same_agent_succeeds(file: Path) -> None:
    """No divergence is exit code 0, under any seed."""
    for seed in ([], ["--seed", "5"]):
        arguments = ["replay", str(file), "--agent", "tests.simulation.recorded:waiter", *seed]
        done = CliRunner().invoke(app, arguments)
        assert "no divergence in" in done.output
        assert done.exit_code == 0


def test_another_agent_fails_and_a_test_is_written(file: Path, tmp_path: Path) -> None:
    """A divergence is told, with exit code 1; the test is written all the same."""
    test = tmp_path / "test_it.py"
    agent = "tests.simulation.recorded:rude_waiter"
    arguments = ["replay", str(file), "--agent", agent, "--write-test", str(test)]
    done = CliRunner().invoke(app, arguments)
    assert "replayed:      0.40" in done.output
    assert done.exit_code == 1
    assert "from tests.simulation.recorded import rude_waiter" in test.read_text()
    assert (tmp_path / "it.antiphon").exists()


def test_a_damaged_file_is_an_error(file: Path) -> None:
    """What cannot be read is the one error that names it; a part can be asked for."""
    data = bytearray(file.read_bytes())
    data[1500] ^= 1
    file.write_bytes(data)
    done = CliRunner().invoke(app, ["replay", str(file)])
    assert isinstance(done.exception, InvalidInputError)
    done = CliRunner().invoke(app, ["replay", str(file), "--partial"])
    assert done.exit_code == 0
    assert "not whole: record" in done.output


def test_a_stretch_is_cut_out_redacted_and_saved(file: Path, tmp_path: Path) -> None:
    """What is saved is the stretch that was asked for, without what was to be taken out."""
    saved = tmp_path / "part.antiphon"
    arguments = ["--cut", "0.05:0.35", "--redact", "names:Fish,Soup", "--save", str(saved)]
    done = CliRunner().invoke(app, ["replay", str(file), *arguments])
    assert done.exit_code == 0, done.output
    assert f"{saved}: written" in done.output
    part, whole = Recording.load(saved), Recording.load(file)
    assert 0 < len(part) < len(whole)
    assert part.last <= 0.3e9
    assert part.header.redacted
    assert b"soup" not in saved.read_bytes()
    assert b"[name]" in saved.read_bytes()


def test_a_test_of_a_redacted_stretch_passes(file: Path, tmp_path: Path) -> None:
    """A regression test redacts what it replays by the rules by which it was recorded."""
    test = tmp_path / "test_part.py"
    agent = "tests.simulation.recorded:waiter"
    arguments = ["--agent", agent, "--redact", "names:soup", "--cut", ":0.4"]
    done = CliRunner().invoke(app, ["replay", str(file), *arguments, "--write-test", str(test)])
    assert done.exit_code == 0, done.output
    assert 'redact=[rule_named("names:soup")]' in test.read_text(encoding="utf-8")
    code: dict[str, object] = {"__file__": str(test)}
    exec(compile(test.read_text(encoding="utf-8"), str(test), "exec"), code)  # noqa: S102
    written = code["test_part"]
    assert callable(written)
    written()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cut", "soon"], "--cut 'soon' is no stretch"),
        (["--cut", "3:1"], "from 3.0 s to 1.0 s there is nothing to cut out"),
        (["--redact", "secrets"], "nothing is known to redact by the name 'secrets'"),
        (["--write-test", "test_it.py"], "--write-test needs --agent"),
        (
            ["--write-test", "test_it.py", "--agent", "bot.py:make"],
            "a test imports its agent as module:function, not 'bot.py:make'",
        ),
        (["--agent", "nowhere:make"], "there is no module nowhere"),
        (["--agent", "json:dumps"], "the agent cannot be made: TypeError"),
        (["--agent", "copy:copy"], "is to return a Pipeline or a PipelineTask, not <antiphon"),
    ],
)
def test_a_mistake_is_one_clear_error(arguments: list[str], says: str, file: Path) -> None:
    """The culprit is named, and nothing is written."""
    done = CliRunner().invoke(app, ["replay", str(file), *arguments])
    assert isinstance(done.exception, AntiphonError), done.exception
    assert says in str(done.exception)


def test_an_absent_file_is_one_clear_error(tmp_path: Path) -> None:
    """The file is named, and why it cannot be read."""
    done = CliRunner().invoke(app, ["replay", str(tmp_path / "none.antiphon")])
    assert isinstance(done.exception, InvalidInputError)
    assert str(done.exception).endswith("none.antiphon cannot be read: no such file or directory")


def test_a_simulated_call_is_replayed_with_the_function_that_made_it(
    root: Path, tmp_path: Path
) -> None:
    """A recorded seed is the same again with the same agent; a mended one shows the difference."""
    recorded = tmp_path / "dinner.antiphon"
    bot = root / "examples" / "simulate" / "bot.py"
    careless = f"{bot}:make_careless_task"
    call = ["simulate", str(bot.with_name("dinner.yaml")), "--agent", careless, "--jobs", "0"]
    found = re.search(r"seed (\d+):", CliRunner().invoke(app, [*call, "--seeds", "24"]).output)
    assert found is not None
    held = CliRunner().invoke(app, [*call, "--seed", found[1], "--record", str(recorded)])
    assert "caller: coded" in CliRunner().invoke(app, ["replay", str(recorded)]).output
    assert held.exit_code == 1
    assert f"{recorded}: written" in held.output.replace("\n", "")
    # Which half of the pair runs the model after a tool's result is a matter of the schedule.
    replay = ["replay", str(recorded), "--ignore", "LLMContextFrame", "--agent"]
    same = CliRunner().invoke(app, [*replay, careless])
    assert "no divergence in" in same.output, same.output
    other = CliRunner().invoke(app, [*replay, f"{bot}:make_task"])
    assert other.exit_code == 1
    difference = other.output.partition("recorded:")[2]
    assert "Filler#0 -> TTSService#0  TTSSpeakFrame(text='One moment, please.')" in difference
    assert "replayed:  nothing" in difference


def test_a_call_in_facts_is_replayed(tmp_path: Path) -> None:
    """What a caller brought in without any sound comes from the recording as well."""
    (tmp_path / "bot.py").write_text(BOT, encoding="utf-8")
    (tmp_path / "hello.yaml").write_text(HELLO, encoding="utf-8")
    recorded = tmp_path / "hello.antiphon"
    arguments = ["--seed", "1", "--jobs", "0", "--record", str(recorded)]
    call = CliRunner().invoke(app, ["simulate", str(tmp_path / "hello.yaml"), *arguments])
    assert call.exit_code == 0, call.output
    said = [g for g in Recording.load(recorded) if g.frame.type == "TranscriptionFrame"]
    assert said[0].frame.fields["text"] == "hello"
    agent = f"{tmp_path / 'bot.py'}:make"
    done = CliRunner().invoke(app, ["replay", str(recorded), "--agent", agent])
    assert "no divergence in" in done.output, done.output


def test_the_written_test_ignores_what_the_command_ignored(file: Path, tmp_path: Path) -> None:
    """--ignore and --tolerance go into the test, which then judges as the command did."""
    test = tmp_path / "test_it.py"
    agent = "tests.simulation.recorded:waiter"
    arguments = ["--agent", agent, "--ignore", "TextFrame", "--tolerance", "0.3"]
    done = CliRunner().invoke(app, ["replay", str(file), *arguments, "--write-test", str(test)])
    assert done.exit_code == 0
    text = test.read_text()
    assert "tolerance_secs=0.3" in text
    assert '"TextFrame"' in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--save", "missing/x.antiphon"], "missing/x.antiphon cannot be written: there is no fo"),
        (["--save", "."], "is a directory"),
        (["--agent", "a:b", "--write-test", "it.py"], "pytest finds tests in files named test_"),
        (["--agent", "a:b", "--write-test", "missing/test_it.py"], "there is no folder missing"),
        (
            ["--agent", "tests.simulation.recorded:waiter", "--ignore", "TextFram"],
            "--ignore TextFram: there is no such type of frame; did you mean TextFrame?",
        ),
    ],
)
def test_what_cannot_be_written_or_ignored_is_told(
    file: Path, arguments: list[str], said: str
) -> None:
    """A mistake in where to write, or in what to ignore, is one error."""
    done = CliRunner().invoke(app, ["replay", str(file), *arguments])
    assert said.casefold() in (str(done.exception) + done.output).casefold()

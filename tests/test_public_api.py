"""The names that `antiphon` promises, and what importing them costs."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import antiphon
import antiphon.simulation
from antiphon.public_names import PublicNames
from tests.style.source import classes, functions, python, report

ROOT = Path(__file__).resolve().parent.parent
VOCABULARY = ROOT.parent / "shared" / "vocabulary.md"

# SDKs, model runtimes, codecs, servers, terminals: for those who use them, when they do.
HEAVY = {
    *("aiohttp", "aiortc", "anthropic", "av", "cartesia", "deepgram", "elevenlabs", "fastapi"),
    *("google", "hypothesis", "onnxruntime", "openai", "PIL", "playwright", "pydantic", "pytest"),
    *("rich", "scipy", "sentencex", "sounddevice", "starlette", "torch", "typer", "uvicorn"),
    *("babel", "phonenumbers", "unicode_rbnf", "websockets", "xllamacpp"),
}

# What `pip install antiphon` brings.
CORE = {"antiphon", "msgspec", "numpy", "sentencex", "structlog"}

# Names that the vocabulary keeps for those who knew something else by them.
FORMER_NAMES = {
    "BaseUserTurnStartStrategy": "UserTurnStartStrategy",
    "BaseUserTurnStopStrategy": "UserTurnStopStrategy",
    "TranscriptionUserTurnStopStrategy": "SpeechTimeoutUserTurnStopStrategy",
}

PACKAGES = [pytest.param(p, id=p.__name__) for p in (antiphon, antiphon.simulation)]
NAMES = [
    pytest.param(package, name, id=f"{package.__name__}.{name}")
    for package in (antiphon, antiphon.simulation)
    for name in package.__all__
]


def _table(package: ModuleType) -> PublicNames:
    table = package._public
    assert isinstance(table, PublicNames)
    return table


def _modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded for `code`, beyond those it began with."""
    program = (
        "import sys; before = set(sys.modules)\n"
        f"{code}\n"
        "loaded = sorted(set(sys.modules) - before); import json; print(json.dumps(loaded))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def _stub_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stub", ROOT / "scripts" / "stub.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_a_public_name_is_what_it_says(package: ModuleType, name: str) -> None:
    """Each name of a table is found in its module, and a class is known by its public name."""
    value = getattr(package, name)
    module = _table(package).module_of[name]
    assert value is getattr(importlib.import_module(module), name)
    if isinstance(value, type):
        assert value.__name__ == FORMER_NAMES.get(name, name)
        assert value.__module__ == module, "name the module that defines it"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_is_in_two_modules(package: ModuleType) -> None:
    """A table gives one module for each name."""
    assert sorted(" ".join(package._NAMES.values()).split()) == package.__all__


def test_a_public_name_means_one_thing() -> None:
    """A name that both packages have is the same object in both."""
    for name in set(antiphon.__all__) & set(antiphon.simulation.__all__):
        assert getattr(antiphon, name) is getattr(antiphon.simulation, name)


def test_unknown_names_are_attribute_errors() -> None:
    """A name that is not public fails as any missing attribute does."""
    with pytest.raises(AttributeError, match="'antiphon' has no attribute 'NoSuchThing'"):
        _ = antiphon.NoSuchThing  # type: ignore[attr-defined]
    assert not hasattr(antiphon, "LLMServise")


@pytest.mark.parametrize(
    ("line", "wrong", "meant"),
    [
        ("from antiphon import LLMServise", "LLMServise", "LLMService"),
        ("from antiphon import PipeLine", "PipeLine", "Pipeline"),
        ("from antiphon import Frame, TextFrames", "TextFrames", "TextFrame"),
        ("from antiphon.simulation import runtest", "runtest", "run_test"),
        ("import antiphon; antiphon.LLMServise", "LLMServise", "LLMService"),
    ],
)
def test_a_misspelt_name_is_told_the_right_one(line: str, wrong: str, meant: str) -> None:
    """Importing a name that is not there, or asking for it, says which one was meant."""
    with pytest.raises((ImportError, AttributeError), match=f"'{wrong}'.*did you mean '{meant}'"):
        exec(line, {})  # noqa: S102 - our own lines


def test_modules_with_names_like_public_ones_import() -> None:
    """A module whose name is close to a public one can still be imported from its package."""
    exec("from antiphon import clock, settings\nfrom antiphon.simulation import fakes, faults", {})  # noqa: S102


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_listed(package: ModuleType) -> None:
    """`dir` shows the public names before they are loaded."""
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_stub_is_the_table(package: ModuleType) -> None:
    """Type checkers see the same names (if not: make format)."""
    script = _stub_script()
    assert script.path_of(package).read_text(encoding="utf-8") == script.stub(package)


def test_importing_antiphon_loads_next_to_nothing() -> None:
    """`import antiphon` loads itself and not one other package."""
    loaded = _modules_after("import antiphon")
    ours = {name for name in loaded if name.split(".")[0] not in sys.stdlib_module_names}
    assert ours == {"antiphon", "antiphon.public_names"}
    assert len(loaded) <= 12, loaded


def test_frames_load_little() -> None:
    """Frames need msgspec, and neither asyncio nor numpy."""
    loaded = _modules_after("from antiphon import TextFrame, InputAudioRawFrame, StartFrame")
    assert not loaded & {"asyncio", "numpy", *HEAVY}
    assert len(loaded) <= 90, sorted(loaded)


def test_no_public_name_loads_a_heavy_library() -> None:
    """All public names together load no SDK, model runtime, codec, server or terminal."""
    loaded = _modules_after(
        "import antiphon\nfor name in antiphon.__all__:\n    getattr(antiphon, name)"
    )
    assert not {name for name in loaded if name.split(".")[0] in HEAVY}


# What a program begins with to run as if no extra were installed.
NO_EXTRAS = (
    "import importlib.abc\n"
    "class Absent(importlib.abc.MetaPathFinder):\n"
    "    def find_spec(self, name, path, target=None):\n"
    "        top = name.partition('.')[0]\n"
    f"        if top not in sys.stdlib_module_names and top not in {sorted(CORE)!r}:\n"
    "            raise ModuleNotFoundError(name, name=top)\n"
    "sys.meta_path.insert(0, Absent())\n"
)


def test_public_names_need_core_dependencies_alone() -> None:
    """With no extra installed every public name can still be imported, subclassed and named."""
    loaded = _modules_after(
        f"{NO_EXTRAS}import antiphon\nfor name in antiphon.__all__:\n    getattr(antiphon, name)"
    )
    assert "antiphon.frames.base" in loaded


def test_a_voice_needs_core_dependencies_alone() -> None:
    """With no extra but a vendor's, a voice's service is built and cuts its text in sentences."""
    loaded = _modules_after(
        f"{NO_EXTRAS}from antiphon.services.tts import TTSService\n"
        "from antiphon.simulation.fakes.tts import FakeTTSProvider\n"
        "from antiphon.text.markup import UnitAggregator\n"
        "TTSService(FakeTTSProvider())\n"
        "assert len(UnitAggregator().push('It is 3.14. Dr. Who. Yes.')) == 2"
    )
    assert "sentencex" in loaded


def _vocabulary() -> set[str]:
    """The names of the page: its classes and functions, in backquotes below the canonical bot."""
    if not VOCABULARY.is_file():
        pytest.skip("the page of the vocabulary is not beside this checkout")
    text = VOCABULARY.read_text(encoding="utf-8")
    text = text[text.index("## Kernel") :]
    quoted = " ".join(re.findall(r"`([^`]+)`", text))
    names = set(re.findall(r"(?<![.\w<>])[A-Z][A-Za-z]+(?![\w<>])", quoted))
    functions_of_the_page = {"create_transport", "deferred", "handles", "run_test", "tool_options"}
    return names | {name for name in functions_of_the_page if name in quoted}


def test_what_is_written_of_the_vocabulary_is_public() -> None:
    """A class or function with a name of the vocabulary, defined in the package, is exported."""
    defined = {
        node.name: source.path.removeprefix("src/").removesuffix(".py").replace("/", ".")
        for source in python("src")
        for node in [*classes(source), *functions(source)]
        if node in source.tree.body
    }
    report(
        "Add them to _NAMES of src/antiphon/__init__.py and run make format.",
        sorted(
            f"{defined[name]}: {name}"
            for name in _vocabulary() & set(defined)
            if name not in antiphon.__all__
        ),
    )

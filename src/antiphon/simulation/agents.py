"""Finds the function that makes an agent by its name, and makes the agent.

A name is `module:function`, or `path/bot.py:function`.
Modules and files are looked for in the folders given (that of the scenario, the present one), and
modules among those that are installed too.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import keyword
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from antiphon.errors import ConfigurationError
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.station import leave_place
from antiphon.kernel.task import PipelineTask
from antiphon.transports.base import BaseTransport

Function = Callable[..., Any]


def find_function(name: str, folders: Sequence[Path] = (Path(),)) -> Function:
    """Imports the function. Raises `ConfigurationError`, which names the culprit."""
    where, _, function = name.rpartition(":")
    if not _is_name(function) or not (where.endswith(".py") or _is_module(where)):
        raise ConfigurationError(
            f"an agent is named as module:function or path/file.py:function, not {name!r}"
        )
    places = list(dict.fromkeys(folder.resolve() for folder in folders))
    for place in reversed(places):
        _look_first_in(place)
    try:
        module = _from_file(where, places) if where.endswith(".py") else _by_name(where, places)
    except ConfigurationError as error:
        raise ConfigurationError(f"the agent {name}: {error}") from error
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"the agent {name}: {where} cannot be imported: {explain(error)}"
        ) from error
    found = vars(module).get(function)
    if not callable(found):
        functions = [key for key, value in vars(module).items() if callable(value)]
        close = difflib.get_close_matches(function, functions, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ConfigurationError(
            f"the agent {name}: there is no function {function} in {where}{hint}"
        )
    return found  # type: ignore[no-any-return]


def explain(error: BaseException) -> str:
    """An exception in one line, with the place where it was raised."""
    what = traceback.format_exception_only(error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) or not frames:
        at = f" ({error.filename}, line {error.lineno})" if isinstance(error, SyntaxError) else ""
        return f"{what}{at}"
    return f"{what} ({frames[-1].filename}, line {frames[-1].lineno})"


_SEARCHED: set[Path] = set()
"""Folders in which agents were looked for."""


def _look_first_in(folder: Path) -> None:
    _SEARCHED.add(folder)
    if sys.path[:1] != [str(folder)]:
        sys.path[:] = [str(folder), *(entry for entry in sys.path if entry != str(folder))]


def _forget_namesake(name: str, places: Sequence[Path]) -> None:
    """An agent of another folder may have brought in a module of the same name."""
    loaded = sys.modules.get(name)
    if loaded is None or loaded.__file__ is None:
        return
    file = Path(loaded.__file__)
    home = file.parent.parent if file.name == "__init__.py" else file.parent
    wanted = next(
        (p for p in places if (p / f"{name}.py").exists() or (p / name / "__init__.py").exists()),
        home,
    )
    if home in _SEARCHED and home != wanted:
        for key in [key for key in sys.modules if key.partition(".")[0] == name]:
            del sys.modules[key]


def _by_name(name: str, places: Sequence[Path]) -> ModuleType:
    _forget_namesake(name.partition(".")[0], places)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        looked = " or ".join(str(place) for place in places)
        raise ConfigurationError(
            f"there is no module {error.name} in {looked}, nor is it installed"
        ) from None


def _from_file(name: str, places: Sequence[Path]) -> ModuleType:
    """A file as a module; the same one for the same file."""
    tried = [place / name for place in places]
    path = next((path.resolve() for path in tried if path.is_file()), None)
    if path is None:
        looked = " or ".join(str(path) for path in tried)
        raise ConfigurationError(f"there is no file {looked}")
    key = f"antiphon agent {path}"
    if key in sys.modules:
        return sys.modules[key]
    _look_first_in(path.parent)
    spec = importlib.util.spec_from_file_location(key, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[key]
        raise
    return module


def _is_name(word: str) -> bool:
    return word.isidentifier() and not keyword.iskeyword(word)


def _is_module(name: str) -> bool:
    return bool(name) and all(_is_name(word) for word in name.split("."))


async def build(make: Function, caller: BaseTransport, *, name: str = "") -> PipelineTask:
    """The agent that `make` (may be a coroutine function) makes for a caller.

    Raises `ConfigurationError` if it fails, or makes something else than a `PipelineTask` or a
    `Pipeline` in which the caller has a place.
    """
    agent = f"the agent {name}" if name else "the agent"
    made = await _made(make, (caller,), agent)
    task = PipelineTask(made) if isinstance(made, Pipeline) else made
    if not isinstance(task, PipelineTask):
        raise ConfigurationError(
            f"{agent} is to be a function that takes the caller, a transport, and returns a "
            f"PipelineTask; it returned {made!r}"
        )
    if caller.input() not in task.processors or caller.output() not in task.processors:
        raise ConfigurationError(
            f"{agent} has no place for the caller: put input() and output() of the transport that "
            f"the function is given into the pipeline"
        )
    return task


async def build_pipeline(make: Function, caller: BaseTransport) -> Pipeline:
    """The pipeline of the agent that `make` makes, to be run by another task.

    `make` takes nothing, or a transport, for which `caller` stands; it returns a `Pipeline`, or a
    `PipelineTask`, of which the pipeline is taken. Raises `ConfigurationError` as `build` does.
    """
    wanted = [
        parameter
        for parameter in inspect.signature(make).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ]
    made = await _made(make, (caller,) if wanted else (), "the agent")
    if isinstance(made, PipelineTask):
        for station in made._session.stations:
            leave_place(station)
        made = made.pipeline
    if not isinstance(made, Pipeline):
        raise ConfigurationError(
            f"the factory is to return a Pipeline or a PipelineTask, not {made!r}"
        )
    return made


async def _made(make: Function, arguments: tuple[BaseTransport, ...], agent: str) -> object:
    try:
        made = make(*arguments)
        return await made if inspect.isawaitable(made) else made
    except Exception as error:
        raise ConfigurationError(f"{agent} cannot be made: {explain(error)}") from error

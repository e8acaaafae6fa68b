"""Tables of public names: a package's `__getattr__` and `__dir__`, which import when first asked.

    _NAMES = {"antiphon.frames.text": "TextFrame LLMTextFrame"}
    _public = PublicNames(__name__, _NAMES, globals())
    __all__ = _public.names
    __getattr__, __dir__ = _public.get, _public.all

`scripts/stub.py` writes the same table for type checkers into `__init__.pyi`.
"""

from __future__ import annotations

import importlib
import sys


class PublicNames:
    """The names that a package re-exports, each with the module that defines it."""

    def __init__(
        self, package: str, names_of: dict[str, str], namespace: dict[str, object]
    ) -> None:
        self.module_of: dict[str, str] = {
            name: module for module, names in names_of.items() for name in names.split()
        }
        self.names: list[str] = sorted(self.module_of)
        self._package = package
        self._namespace = namespace

    def get(self, name: str) -> object:
        """Imports a name. A misspelt one is an `AttributeError`, or in an import an `ImportError`,
        that names the nearest one.
        """
        module = self.module_of.get(name)
        if module is None:
            raise self._unknown(name)
        value: object = getattr(importlib.import_module(module), name)
        self._namespace[name] = value
        return value

    def all(self) -> list[str]:
        """Every name of the package, imported or not."""
        return sorted({*self._namespace, *self.names})

    def _unknown(self, name: str) -> Exception:
        import difflib

        close = difflib.get_close_matches(name, self.names, n=1)
        if not close:
            return AttributeError(
                f"module {self._package!r} has no attribute {name!r}", name=name, obj=None
            )
        hint = f"did you mean {close[0]!r}?"
        # `from package import name` asks first whether there is such an attribute, and says only
        # that there is none; so an import is answered with the error that it is to show.
        asker = sys._getframe(2)  # noqa: SLF001 - the one way to know who asks
        if asker.f_code.co_name == "_handle_fromlist" and not self._is_module(name):
            return ImportError(
                f"cannot import name {name!r} from {self._package!r}: {hint}",
                name=self._package,
            )
        return AttributeError(
            f"module {self._package!r} has no attribute {name!r}: {hint}", name=name, obj=None
        )

    def _is_module(self, name: str) -> bool:
        import importlib.util

        return importlib.util.find_spec(f"{self._package}.{name}") is not None

"""Methods of one object, replaced for a while: whoever holds it sees the others in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from antiphon.errors import ConfigurationError


class Shadow:
    """Replaces methods until `remove`. Raises `ConfigurationError` for an object with slots."""

    def __init__(self, owner: Any, methods: Mapping[str, Callable[..., Any]]) -> None:
        try:
            own = vars(owner)
        except TypeError as error:
            raise ConfigurationError(
                f"{type(owner).__name__} has __slots__ and takes no faults: "
                f"derive a class from it without them"
            ) from error
        self._own, self._names = own, tuple(methods)
        self._before = {name: own[name] for name in methods if name in own}
        own |= methods

    def remove(self) -> None:
        """The object is as it was."""
        for name in self._names:
            del self._own[name]
        self._own |= self._before

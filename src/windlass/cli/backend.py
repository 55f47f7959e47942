"""Everything behind the command line, as one seam: `Wired` is real, tests bring their own."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from windlass.settings import Fleet

OnWait = Callable[[str], None]
"""Called with a line for the operator whenever a question has to wait."""


class Backend(Protocol):
    """What commands ask for. All errors are WindlassError."""

    @property
    def fleet(self) -> "Fleet":
        """The config file, read and checked."""
        ...

    def run_worker(self, clusters: Sequence[str]) -> int:
        """Serve these clusters until a signal comes; returns the exit code."""
        ...


class Wired:
    """The real thing, from the config file and `windlass.wiring`."""

    def __init__(self, config: Path | None) -> None:
        self._config = config

    @cached_property
    def fleet(self) -> "Fleet":
        """The config file, read and checked; SQL texts too."""
        from windlass import wiring

        return wiring.open_fleet(self._config)

    def run_worker(self, clusters: Sequence[str]) -> int:
        """Serve these clusters until a signal comes."""
        from windlass import wiring

        return wiring.run_worker(self.fleet.path, clusters)

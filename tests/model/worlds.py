"""What the machine drives: a world of one publish group, pure or real."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.model.origin import Origin
from tests.model.shape import Row, Shape, Span


@dataclass(frozen=True)
class Seed:
    """How a world begins: rows in the source, and physical rows in the target."""

    shape: Shape
    source: tuple[Row, ...]
    live: tuple[Row, ...]


class Run(ABC):
    """One attempt at an activity. It stands still between calls of `advance`.

    Once `ended`, either `error` says why it failed (`retry`, `park`, `overtaken`), or `result`
    is what it gave.
    """

    subject: str
    ended: bool = False
    error: str = ""
    result: object = None

    @abstractmethod
    def advance(self, steps: int) -> None:
        """Let that many more statements through."""

    @abstractmethod
    def kill(self, *, after: bool) -> None:
        """The process dies: before its next statement, or right after it and without a reply."""


class World(ABC):
    """A source, a target, and a ledger, with one publish group to rebuild."""

    shape: Shape
    origin: Origin
    resumes: bool = True
    """Whether a group that has begun to append goes on with what it has loaded."""

    @abstractmethod
    def write(self, key: int, row: Row | None, *, later: bool) -> None:
        """Put or delete a source row; `later`: in a transaction that stays open. The version is
        the world's."""

    @abstractmethod
    def commit(self) -> None:
        """The oldest open transaction commits."""

    @abstractmethod
    def ingest(self, row: Row) -> None:
        """Somebody else writes a row to live."""

    @abstractmethod
    def live(self) -> list[Row]:
        """Live's physical rows."""

    @abstractmethod
    def staging(self) -> set[str]:
        """Names of staging tables."""

    @abstractmethod
    def states(self) -> list[str]:
        """The windows' states, as the ledger has them."""

    @abstractmethod
    def snapshot(self) -> None:
        """A new try of the group: a new snapshot, held."""

    @abstractmethod
    def release(self) -> None:
        """The snapshot is not needed any more."""

    @abstractmethod
    def load(self, window: Span) -> Run:
        """Begin an attempt at a window."""

    @abstractmethod
    def publish(self, loads: Sequence[object]) -> Run:
        """Begin an attempt at publishing what the loads gave (with the guard before it)."""

    @abstractmethod
    def settle(self, loads: Sequence[object], *, final: bool) -> Run:
        """Begin an attempt at settling; its result is verified, mismatch, unverified or again."""

    @abstractmethod
    def park(self) -> None:
        """The group is left to the operator."""

    @abstractmethod
    def cancel(self) -> None:
        """The tenant is cancelled."""

    def crash(self, run: Run) -> bool:
        """The server dies in the REPLACE that the run would send next, and comes back with old
        and new together; False where there is no such statement, or no way to do it."""
        return False

    @abstractmethod
    def close(self) -> None:
        """The end."""


Maker = Callable[[Seed], World]

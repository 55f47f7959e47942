"""Keeping an activity honest: it beats only while work moves, and dies when it is told to."""

import contextvars
import threading
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Protocol, Self, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as ActivityCancelled

from windlass.domain.attempt import Attempt
from windlass.domain.errors import CancelledError, Kind, SnapshotLostError, WindlassError
from windlass.engine.retry import BEAT

P = ParamSpec("P")
R = TypeVar("R")


class Killable(Protocol):
    """What a watch needs of the two servers."""

    def running(self, attempt: Attempt) -> int:
        """Statements of the attempt that either server still lists."""
        ...

    def kill(self, attempt: Attempt) -> int:
        """End them, and return only when neither server lists any."""
        ...


def translated(deed: Callable[P, R]) -> Callable[P, R]:
    """Turn our errors into Temporal's: the kind travels as the first detail."""

    @wraps(deed)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return deed(*args, **kwargs)
        except CancelledError as error:
            raise ActivityCancelled(str(error)) from error
        except WindlassError as error:
            raise application_error(error) from error

    return told


def application_error(error: WindlassError) -> ApplicationError:
    """The activity is retried alone only where that can help without its group."""
    alone = error.kind is Kind.RETRY and not isinstance(error, SnapshotLostError)
    return ApplicationError(
        str(error), str(error.kind), type=type(error).__name__, non_retryable=not alone
    )


class Watch:
    """Runs beside a blocking activity: beats, listens for cancellation, kills and proves death.

    A beat goes out only when rows moved since the last one or a server still lists a statement
    of ours, so a hung activity looks hung.
    """

    def __init__(
        self,
        servers: Killable,
        attempt: Attempt,
        cancelled: Callable[[], bool],
        note: Callable[[int], None],
        troubled: Callable[[WindlassError], None] = lambda _: None,
    ) -> None:
        self._servers, self._attempt, self._note = servers, attempt, note
        self._troubled = troubled
        self._told = cancelled
        self._moved = threading.Event()
        self._ended = threading.Event()
        self.cancelled = threading.Event()
        self._rows = 0
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._loop,), name="watch", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self.cancelled.is_set():
            killed = self._servers.kill(self._attempt)
            raise CancelledError(
                f"cancelled; {killed} statements were still listed and are gone now",
                where=self._attempt.subject,
            ) from error
        if isinstance(error, WindlassError) and error.kind is Kind.RETRY:
            self._troubled(error)

    def pulse(self, rows: int) -> None:
        """Work moved by that many rows. Raises CancelledError once cancellation was asked."""
        self._rows += rows
        self._moved.set()
        if self.cancelled.is_set():
            raise CancelledError("cancelled", where=self._attempt.subject)

    def _loop(self) -> None:
        while not self._ended.wait(BEAT.total_seconds()):
            if not self.cancelled.is_set() and self._told():
                self.cancelled.set()
                self._servers.kill(self._attempt)
            self._beat()

    def _beat(self) -> None:
        if self._moved.is_set() or self._listed():
            self._moved.clear()
            activity.heartbeat(self._rows)
            self._note(self._rows)

    def _listed(self) -> bool:
        """Whether a server lists a statement of ours; a server that does not answer lists none."""
        try:
            return self._servers.running(self._attempt) > 0
        except WindlassError:
            return False

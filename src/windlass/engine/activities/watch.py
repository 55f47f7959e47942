"""Keeping an activity honest: it beats only while work moves, and dies when it is told to."""

import contextvars
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Protocol, Self, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as ActivityCancelled

from windlass.domain.attempt import Attempt
from windlass.domain.errors import (
    CancelledError,
    Kind,
    SnapshotLostError,
    StagingGoneError,
    TransientError,
    WindlassError,
)
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

    def sweep(self, attempt: Attempt) -> None:
        """Drop the attempt's staging."""
        ...


def translated(deed: Callable[P, R]) -> Callable[P, R]:
    """Turn our errors into Temporal's: the kind travels as the first detail."""

    @wraps(deed)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return deed(*args, **kwargs)
        except CancelledError as error:
            if handed_over():
                raise application_error(_stopping(error)) from error
            if activity.in_activity() and not given_up():
                # The ledger's word came before Temporal's, which takes no cancellation that it
                # did not ask for: the activity would end for it only when it had been silent.
                raise application_error(error) from error
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


def beat() -> None:
    """A step outside a watch is done: on a busy machine a few of them may take long."""
    if activity.in_activity():
        activity.heartbeat()


def given_up() -> bool:
    """Whether this try is over for Temporal: cancelled, timed out, or its worker stops."""
    return activity.in_activity() and activity.cancellation_details() is not None


def handed_over() -> bool:
    """Whether it is over only because its worker stops: nobody asked for an end."""
    told = activity.cancellation_details() if activity.in_activity() else None
    return told is not None and told.worker_shutdown and not told.cancel_requested


def _stopping(error: CancelledError) -> TransientError:
    return TransientError(
        "the worker stops", where=error.where, next_step="nothing: another worker takes over"
    )


class Watch:
    """Runs beside a blocking activity: beats, listens for cancellation, kills and proves death.

    A beat goes out only when rows moved since the last one or a server still lists a statement
    of ours, so a hung activity looks hung. A try that Temporal has given up (its silence was too
    long, or its worker stops) is stopped as if it had been cancelled: another one is at work.
    """

    def __init__(
        self,
        servers: Killable,
        attempt: Attempt,
        cancelled: Callable[[], bool],
        note: Callable[[int], None],
        troubled: Callable[[WindlassError], None] = lambda _: None,
        overtaken: Callable[[], bool] = lambda: False,
    ) -> None:
        self._servers, self._attempt, self._note = servers, attempt, note
        self._troubled = troubled
        self._told, self._overtaken = cancelled, overtaken
        self._asked = 0.0
        self._moved = threading.Event()
        self._ended = threading.Event()
        self.cancelled = threading.Event()
        self._rows = 0
        self._noting: threading.Thread | None = None
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
            self._sweep()
            raise CancelledError(
                f"cancelled; {killed} statements were still listed and are gone now",
                where=self._attempt.subject,
            ) from error
        if isinstance(error, StagingGoneError):
            self._sweep()
        if isinstance(error, WindlassError) and error.kind is Kind.RETRY:
            self._troubled(error)

    def _sweep(self) -> None:
        """It may have made a table after its others were dropped. A server that does not answer
        now is swept by `windlass doctor`."""
        with suppress(WindlassError):
            self._servers.sweep(self._attempt)

    def pulse(self, rows: int) -> None:
        """Work moved by that many rows. Raises CancelledError once cancellation was asked, and
        StagingGoneError once a later attempt has begun.

        Staging is the fence, but only what exists can be dropped: a worker that slept before it
        made its table would wake up unfenced. So the ledger is asked between making a table and
        using it: either a later attempt finds the table and drops it, or is found here.
        """
        self._rows += rows
        self._moved.set()
        if self.cancelled.is_set():
            raise CancelledError("cancelled", where=self._attempt.subject)
        if not rows or time.monotonic() >= self._asked + BEAT.total_seconds():
            self._asked = time.monotonic()
            if self._overtaken():
                raise _overtaken(self._attempt)

    def _loop(self) -> None:
        while not self._ended.wait(BEAT.total_seconds()):
            # A ledger or server that does not answer is asked again with the next beat.
            with suppress(WindlassError):
                self._look()
            self._beat()

    def _look(self) -> None:
        if not self.cancelled.is_set() and (given_up() or self._told()):
            self.cancelled.set()
            self._servers.kill(self._attempt)

    def _beat(self) -> None:
        if self._moved.is_set() or self._listed():
            self._moved.clear()
            activity.heartbeat(self._rows)
            self._write_down()

    def _write_down(self) -> None:
        """Note the progress aside: a ledger that is locked for a while must not stop the beats.
        One note at a time; the next beat brings the next."""
        if self._noting is not None and self._noting.is_alive():
            return
        self._noting = threading.Thread(target=self._noted, args=(self._rows,), daemon=True)
        self._noting.start()

    def _noted(self, rows: int) -> None:
        with suppress(WindlassError):
            self._note(rows)

    def _listed(self) -> bool:
        """Whether a server lists a statement of ours; a server that does not answer lists none."""
        try:
            return self._servers.running(self._attempt) > 0
        except WindlassError:
            return False


def _overtaken(attempt: Attempt) -> StagingGoneError:
    return StagingGoneError(
        f"attempt {attempt.number} was overtaken",
        where=attempt.subject,
        why="a later attempt has begun, or its group has ended",
        next_step="nothing: this one changes nothing any more",
    )

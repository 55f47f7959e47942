"""One statement in the engine, run by a thread of its own, and what can be done to it meanwhile.

The thread that serves the client moves bytes; the job's thread sits in the engine. Whatever the
engine says at the end is the outcome: a job that was killed raises 394 there, so that no race
between a kill and the last byte can turn a dropped statement into a success.
"""

import contextlib
import itertools
import os
import select
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

from windlass.localstack.front.engine import Connection, Engine, Outcome, make_pipe
from windlass.localstack.front.errors import FrontError

_PIECE = 1 << 20
_HUNG_UP = getattr(select, "POLLRDHUP", select.POLLHUP)  # only Linux has the former
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which the fcntl module of 3.11 lacks on some platforms
_numbers = itertools.count(1)


class ClientGoneError(OSError):
    """The client hung up while its rows were being made."""


class Job:
    """A statement that gives no stream: DDL, mutations, INSERT … SELECT, KILL, SET."""

    def __init__(self, engine: Engine, connection: Connection) -> None:
        self.tag = f"windlass-job-{next(_numbers)}."
        self.killed = threading.Event()
        self._engine, self._connection = engine, connection
        self._done = threading.Event()
        self._outcome = Outcome()
        self._error: FrontError | None = None

    def start(self, sql: bytes, output: str, params: Mapping[str, str]) -> None:
        thread = threading.Thread(target=self._run, args=(sql, output, params), daemon=True)
        thread.start()

    def _run(self, sql: bytes, output: str, params: Mapping[str, str]) -> None:
        try:
            self._outcome = self._connection.query(sql, output, params)
        except FrontError as error:
            self._error = error
        finally:
            self._ended()

    def _ended(self) -> None:
        self._done.set()

    def wait(self, seconds: float | None = None) -> bool:
        """True once the engine has ended the statement."""
        return self._done.wait(seconds)

    def outcome(self) -> Outcome:
        """Wait for the end; raises the engine's error."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._outcome

    def unblock(self) -> None:
        """Let go of whatever the engine may be waiting for, after a kill."""

    def kill(self) -> None:
        """Cancel the statement in the engine and wait until it has ended."""
        self.killed.set()
        while not self._done.is_set() and not self._engine.kill(self.tag):
            self._done.wait(0.005)
        self.unblock()
        self._done.wait()


class OutputJob(Job):
    """A statement whose rows are read from a pipe while it runs."""

    def __init__(self, engine: Engine, connection: Connection) -> None:
        super().__init__(engine, connection)
        self.path = engine.pipes / f"{self.tag}out"
        self._reader: int | None = None
        self._keeper = -1

    def start(self, sql: bytes, output: str, params: Mapping[str, str]) -> None:
        # The engine's thread keeps a writing end open until the end, so that reading never ends
        # before the statement does, and never waits for a statement that wrote nothing.
        make_pipe(self.path)
        self._reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._keeper = os.open(self.path, os.O_WRONLY)
        os.set_blocking(self._reader, True)
        _enlarge(self._reader)
        super().start(sql, output, params)

    def _ended(self) -> None:
        os.close(self._keeper)
        self.path.unlink(missing_ok=True)
        super()._ended()

    def ready(self, seconds: float, client: socket.socket | None = None) -> bool:
        """True once `read` will not wait. Raises ClientGoneError when `client` has hung up."""
        poll = select.poll()
        if self._reader is not None:
            poll.register(self._reader, select.POLLIN)
        if client is not None:
            poll.register(client, _HUNG_UP)
        found = [fd for fd, _ in poll.poll(seconds * 1000)]
        if client is not None and client.fileno() in found:
            raise ClientGoneError("the client hung up while its rows were being made")
        return bool(found)

    def read(self) -> bytes:
        """The next piece of the result; b'' at the end, also when the statement failed."""
        return b"" if self._reader is None else os.read(self._reader, _PIECE)

    def unblock(self) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading. Always to be called in the end, by the thread that reads."""
        if self._reader is not None:
            reader, self._reader = self._reader, None
            os.close(reader)


class InputJob(Job):
    """An INSERT whose data is written into a pipe while it runs."""

    def __init__(self, engine: Engine, connection: Connection) -> None:
        super().__init__(engine, connection)
        self.path = engine.pipes / f"{self.tag}in"
        self._writer: int | None = None
        self._opened = threading.Event()

    def start(self, sql: bytes, output: str, params: Mapping[str, str]) -> None:
        make_pipe(self.path)
        super().start(sql, output, params)

    def open(self) -> None:
        """Wait until the engine reads, or has already failed: `_ended` then opens the other end."""
        try:
            self._writer = os.open(self.path, os.O_WRONLY)
        finally:
            self._opened.set()
        _enlarge(self._writer)

    def _ended(self) -> None:
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._opened.wait()
        os.close(reader)
        self.path.unlink(missing_ok=True)
        super()._ended()

    def write(self, data: bytes) -> bool:
        """Hand over data, waiting while the engine is busy. False once it takes no more."""
        view = memoryview(data)
        try:
            while view and self._writer is not None:
                view = view[os.write(self._writer, view) :]
        except BrokenPipeError:
            return False
        return self._writer is not None

    def unblock(self) -> None:
        self.close()

    def close(self) -> None:
        """The end of the data. Only whole bodies may be closed; all else is killed first."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            os.close(writer)


def _enlarge(pipe: int) -> None:
    """A pipe of 1 MiB, where the system allows it: fewer switches between the two threads."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIECE)


def infile(path: Path) -> bytes:
    return f" FROM INFILE '{path}' ".encode()


def outfile(path: Path) -> bytes:
    return f"\nINTO OUTFILE '{path}' APPEND ".encode()

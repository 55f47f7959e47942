"""The way to ClickHouse, watched: each statement is recognised, and a rule may strike it."""

import re
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.faults import http
from tests.faults.relay import Relay
from tests.faults.steps import Statement, classify
from windlass.localstack.relay import hang_up, reset


@dataclass
class Strike:
    """What happens to the `nth` statement of a step (and the `times - 1` after it).

    `at` is when `act` runs: `before` it goes on, when it was `sent` but not answered, or once it
    is `answered`, the client not having seen it. `then`: `go`; `drop` (the client's connection
    is reset: nothing was sent on, or the reply is lost); `half` (the client sees an end of
    stream); `truncate` (half the reply); `fail` (`answer` in the server's place, an INSERT's
    rows having been taken in half); `params` are added to the statement's.
    """

    steps: tuple[str, ...]
    at: str = "before"
    act: Callable[[], None] = lambda: None
    then: str = "go"
    nth: int = 1
    times: int = 1
    wait: float = 0.0
    answer: bytes = b""
    params: str = ""
    seen: int = 0
    struck: list[Statement] = field(default_factory=list)
    fired: threading.Event = field(default_factory=threading.Event)


class Wire(Relay):
    """An HTTP relay before ClickHouse. `statements` is what passed, in order."""

    def __init__(self, port: int, staging: str) -> None:
        self.staging = staging
        self.statements: list[tuple[float, Statement]] = []
        self.strike: Strike | None = None
        self.on_live: Callable[[Statement], None] = lambda _: None
        super().__init__(port)

    def calm(self) -> None:
        """As new."""
        super().calm()
        self.strike = None

    def serve(self, client: socket.socket) -> None:
        """Requests of one connection, one after the other."""
        server = self.connect()
        try:
            asking, answering = http.Reader(client), http.Reader(server)
            while self._exchange(asking, answering):
                pass
        finally:
            self.forget(server)

    def _exchange(self, asking: http.Reader, answering: http.Reader) -> bool:
        head = http.read_head(asking)
        first = b"".join(http.body(asking, head)) if http.small(head) else b""
        statement = self._recognised(head, first)
        strike = self._struck_by(statement)
        self.gate.wait()
        if strike is None:
            self._send(asking, answering, head, first)
            return self._answer(asking, answering)
        return self._strike(strike, statement, asking, answering, head, first)

    def _recognised(self, head: http.Head, first: bytes) -> Statement:
        asked = parse_qs(urlsplit(head.line.split(" ")[1]).query)
        query = asked.get("query", [""])[0]
        sql = query or first.decode("utf-8", "replace")
        statement = classify(asked.get("log_comment", [""])[0], sql[:4000], self.staging)
        self.statements.append((time.monotonic(), statement))
        self.on_live(statement)
        return statement

    def _struck_by(self, statement: Statement) -> Strike | None:
        strike = self.strike
        if strike is None or statement.step not in strike.steps:
            return None
        with self._lock:
            strike.seen += 1
            if not strike.nth <= strike.seen < strike.nth + strike.times:
                return None
            strike.struck.append(statement)
        return strike

    def _send(
        self, asking: http.Reader, answering: http.Reader, head: http.Head, first: bytes
    ) -> None:
        answering.end.sendall(head.raw + first)
        if not http.small(head):
            for piece in http.body(asking, head):
                answering.end.sendall(piece)

    def _answer(self, asking: http.Reader, answering: http.Reader) -> bool:
        """Pass the answer on; a client that hangs up meanwhile takes the server's side along."""
        _await(asking, answering)
        head = http.read_head(answering)
        self.gate.wait()
        asking.end.sendall(head.raw)
        for piece in http.body(answering, head):
            asking.end.sendall(piece)
        return head.headers.get("connection", "").lower() != "close"

    def _strike(
        self,
        strike: Strike,
        statement: Statement,
        asking: http.Reader,
        answering: http.Reader,
        head: http.Head,
        first: bytes,
    ) -> bool:
        strike.fired.set()
        if strike.params:
            head = _with_params(head, strike.params)
        if strike.at == "before":
            strike.act()
            time.sleep(strike.wait)
            self.gate.wait()
            if strike.then == "fail":
                return _fail(strike, asking, head)
            if strike.then != "go":
                return _gone(asking, strike.then)
        self._send(asking, answering, head, first)
        if strike.at == "sent":
            strike.act()
            time.sleep(strike.wait)
            if strike.then != "go":
                return _gone(asking, strike.then)
        if strike.at != "answered":
            return self._answer(asking, answering)
        return self._answered(strike, asking, answering)

    def _answered(self, strike: Strike, asking: http.Reader, answering: http.Reader) -> bool:
        head = http.read_head(answering)
        answer = head.raw + b"".join(http.body(answering, head))
        strike.act()
        time.sleep(strike.wait)
        if strike.then in {"drop", "half"}:
            return _gone(asking, strike.then)
        if strike.then == "truncate":
            asking.end.sendall(answer[: max(1, len(answer) // 2)])
            return _gone(asking, "half")
        asking.end.sendall(answer)
        return True


def _await(asking: http.Reader, answering: http.Reader) -> None:
    while answering.empty:
        ready, _, _ = select.select([asking.end, answering.end], [], [], 30)
        if answering.end in ready:
            return
        if asking.end in ready and not asking.end.recv(1, socket.MSG_PEEK):
            raise http.HungUpError("the client hung up")


def _gone(asking: http.Reader, how: str) -> bool:
    if how == "half":
        hang_up(asking.end)
    else:
        reset(asking.end)
    return False


def _fail(strike: Strike, asking: http.Reader, head: http.Head) -> bool:
    """Take in some of the rows, then answer in the server's place."""
    if not http.small(head):
        next(http.body(asking, head), b"")
    asking.end.sendall(strike.answer)
    hang_up(asking.end)
    return False


def _with_params(head: http.Head, params: str) -> http.Head:
    raw = re.sub(rb"^(\S+ \S+?)( HTTP)", rb"\1&" + params.encode() + rb"\2", head.raw, count=1)
    return http.Head(raw, head.line, head.headers)

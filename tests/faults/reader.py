"""A reader that counts and sums in a loop while a campaign runs, and remembers what it saw."""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from clickhouse_connect.driver.exceptions import ClickHouseError

from tests.faults.shop import Bucket, Shop, State, look_sql

IDLE = 1.0
"""Seconds between two looks while nothing is being published."""
HOT = 1.5
"""For so long after a statement that changes live rows the reader does not pause."""


@dataclass
class Reader:
    """Looks at all buckets in one statement, over and over. `seen[i]` are the states of bucket i
    with the instant of their first look."""

    shop: Shop
    buckets: Sequence[Bucket]
    looks: int = 0
    seen: list[dict[State, float]] = field(default_factory=list)
    _hot: float = 0.0
    _wake: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, with one look before anything else happens."""
        self.seen = [{} for _ in self.buckets]
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the look that is being taken."""
        self._ended.set()
        self._wake.set()
        if self._thread:
            self._thread.join(30)

    def hurry(self) -> None:
        """Something is about to change what readers see."""
        self._hot = time.monotonic() + HOT
        self._wake.set()

    def _loop(self) -> None:
        for chatty in ("clickhouse_connect", "urllib3"):
            logging.getLogger(chatty).setLevel(logging.CRITICAL)
        sql = look_sql(self.shop, self.buckets)
        while not self._ended.is_set():
            # a server that is down is no finding: there is nothing to see then
            with suppress(ClickHouseError, OSError):
                self._look_while_up(sql)
            self._ended.wait(0.1)

    def _look_while_up(self, sql: str) -> None:
        client = self.shop.ch()
        try:
            while not self._ended.is_set():
                self._note(client.query(sql).result_rows)
                self._wake.clear()
                if time.monotonic() > self._hot:
                    self._wake.wait(IDLE)
        finally:
            client.close()

    def _note(self, rows: Sequence[Sequence[int]]) -> None:
        self.looks += 1
        for number, count, crc in rows:
            self.seen[number].setdefault((count, crc), time.monotonic())

"""A tenant whose source goes slow: noticed, cut again by itself, and exact at last."""

import socket
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.test_throttle import within
from tests.acceptance.world import RANGE
from tests.faults.relay import Relay
from windlass.domain.states import Health
from windlass.ledger import open_ledger


class Narrow(Relay):
    """Lets so many bytes a second of a connection's answers through (0: all), after the first:
    plans and looks stay quick."""

    rate = 0
    free = 400_000

    def _down(self, server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        passed = 0
        with suppress(OSError):
            while data := server.recv(2048):
                passed += len(data)
                if self.rate and passed > self.free:
                    time.sleep(len(data) / self.rate)
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)


@pytest.mark.slow
def test_a_window_that_struggles_is_cut_again_by_itself(make_world: Maker) -> None:
    world = make_world(rows=40_000, worker=False)
    port = urlsplit(world.endpoints.postgres).port
    assert port
    relay = Narrow(port)
    try:
        url = world.endpoints.postgres.replace(f":{port}/", f":{relay.port}/")
        source = f'source: {{url: "{world.endpoints.postgres}"}}'
        health = "health: {postgres_latency: null}"
        limits = f"limits: {{windows: 2, patience: 1m, {health}}}"
        world.configure(source, f'{limits}\n    source: {{url: "{url}"}}')
        world.start_worker()
        first = world.run("--parts", "6")
        assert first["state"] == "done"

        relay.rate = 8_000
        words = ("--window", "none", "--redo", "--name", "again", "--yes", "--detach")
        world.windlass("run", world.name, "acme", *RANGE, *words, code=3)
        ledger = open_ledger(f"sqlite:///{world.directory}/windlass.db")

        def kinds() -> list[str]:
            return [event.kind for event in ledger.events("again")]

        within(120, lambda: "struggling" in kinds(), "it was not noticed")
        assert ledger.status("again").tenants[0].health is Health.STRUGGLING
        within(120, lambda: "split" in kinds(), f"it was not cut: {kinds()}")
        relay.rate = 0
        assert world.json("watch", "again")["state"] == "done"
    finally:
        relay.close()
    world.assert_exact()
    windows = ledger.status("again", windows=True).tenants[0].windows
    pieces = [one for one in windows if one.parent]
    assert pieces
    why = world.json("why", pieces[0].id)["text"]
    assert "cut by windlass" in why, why
    steps = (
        "one window at a time",
        "blocks of 512.0 KiB",
        "blocks of 128.0 KiB",
        "in place of a w",
    )
    told = [why.find(step) for step in steps]
    assert told == sorted(told), why
    assert -1 not in told, why
    assert ledger.status("again").tenants[0].health is Health.HEALTHY

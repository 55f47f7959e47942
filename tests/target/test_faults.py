"""The server is killed in the middle; whatever it kept, publishing again repairs it."""

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as FilePath

import pytest

from tests.target.bench import PATCHES, Bench, ignore, make_bench, span
from windlass.domain.attempt import Staging
from windlass.domain.errors import WindlassError
from windlass.domain.states import Path
from windlass.target.client import Address, Server

pytestmark = pytest.mark.slow
FEB = span("2026-02-01", "2026-03-01")
PARTS, ROWS = 10, 500
ROUNDS = 6


@dataclass
class OwnServer:
    """A server process of the test's own, at one address over all its lives."""

    data: FilePath
    port: int = 0
    process: "subprocess.Popen[str] | None" = field(default=None)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://default:@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it says that it is ready."""
        command = [sys.executable, "-m", "windlass.localstack.clickhouse_http"]
        self.process = subprocess.Popen(
            [*command, "--data", str(self.data), "--port", str(self.port)],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "ready on" in line:
                self.port = int(line.split("127.0.0.1:")[1].split()[0])
                return
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        """As a crash would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def again(self) -> None:
        """Kill and start."""
        self.kill()
        self.start()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    server = OwnServer(tmp_path_factory.mktemp("own"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def bench(own: OwnServer) -> Bench:
    return make_bench(own.url)


def in_parts(bench: Bench, text: str, day: int) -> Staging:
    """Rows of one partition, staged in many parts."""
    staging = bench.stage()
    for part in range(PARTS):
        keys = range(part * ROWS, (part + 1) * ROWS)
        batch = bench.batch([(k, text, "2026-02-06", f"2026-02-{day:02}") for k in keys])
        bench.target.insert(staging, [batch], ignore)
    return staging


def interrupted(own: OwnServer, publish: Callable[[], object], chance: random.Random) -> None:
    """Publish, and kill the server at some moment of it."""
    failed: list[WindlassError] = []

    def run() -> None:
        try:
            publish()
        except WindlassError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(chance.uniform(0.0, 0.5))
    own.again()
    thread.join()


@pytest.mark.parametrize("path", [Path.SWAP, Path.IN_PLACE, Path.DELETE_AND_INSERT])
@pytest.mark.parametrize("settings", [PATCHES, ""])
def test_publishing_again_repairs_whatever_was_left(
    bench: Bench, own: OwnServer, path: Path, settings: str
) -> None:
    chance = random.Random(7)
    bench.create(
        "ReplacingMergeTree(v)" if path is Path.IN_PLACE else "MergeTree", settings=settings
    )
    for round_ in range(ROUNDS):
        staged = in_parts(bench, f"round {round_}", 1 + round_)
        interrupted(own, partial(bench.publish, path, FEB, staged), chance)
        bench.publish(path, FEB, staged)
        assert bench.differing(FEB, staged) == []
        assert bench.target.count(bench.live, "t", [FEB]) == [PARTS * ROWS]


def test_an_append_is_neither_lost_nor_doubled(bench: Bench, own: OwnServer) -> None:
    chance = random.Random(11)
    bench.create("MergeTree", settings="")
    for round_ in range(ROUNDS):
        staged = in_parts(bench, f"round {round_}", 1)
        interrupted(own, partial(bench.publish, Path.APPEND, FEB, staged), chance)
        bench.publish(Path.APPEND, FEB, staged)
        assert bench.target.count(bench.live, "t", [FEB]) == [(round_ + 1) * PARTS * ROWS]


def test_a_move_that_kept_parts_on_both_sides(bench: Bench, own: OwnServer) -> None:
    """What a kill in mid-move was seen to leave: live has all, staging still has some."""
    bench.create("MergeTree", settings="")
    staged = bench.stage((1, "a", "2026-02-06", "2026-02-06"), (1, "a", "2026-02-06", "2026-02-06"))
    bench.put((1, "a", "2026-02-06", "2026-02-06"))
    own.again()
    bench.publish(Path.APPEND, FEB, staged)
    assert bench.seen() == [(1, "a"), (1, "a")]
    bench.publish(Path.APPEND, FEB, staged)
    assert bench.seen() == [(1, "a"), (1, "a")]


def test_a_reply_that_is_lost_is_an_unreachable_server(bench: Bench, own: OwnServer) -> None:
    server = Server(Address.parse(own.url))
    server.rows("SELECT 1")
    own.again()
    assert server.rows("SELECT 1") == [(1,)]

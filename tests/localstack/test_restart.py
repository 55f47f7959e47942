"""The front's own end: killed, and asked to stop."""

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import Error

from tests.localstack.conftest import Front

Eventually = Callable[[Callable[[], bool]], None]


def test_killed_it_comes_up_with_its_data(spare_front: Front) -> None:
    """kill -9 in the middle of an insert: what was acknowledged is there, and no more."""
    client = spare_front.client()
    client.command("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    client.insert("t", [[number] for number in range(1000)], column_names=["a"])
    client.command("CREATE DATABASE other")
    arrived = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"5\n" * 100_000
        arrived.set()
        dead.wait(20)
        yield b"6\n"

    dead = threading.Event()
    errors: list[Error] = []

    def load() -> None:
        try:
            spare_front.client().raw_insert("t", insert_block=body(), fmt="CSV")
        except Error as error:
            errors.append(error)

    loader = threading.Thread(target=load)
    loader.start()
    assert arrived.wait(20)
    assert spare_front.stop(signal.SIGKILL) == -signal.SIGKILL
    dead.set()
    loader.join(20)
    assert len(errors) == 1
    spare_front.start()
    client = spare_front.client()
    assert client.query("SELECT count(), max(a) FROM t").result_rows == [(1000, 999)]
    assert "other" in client.command("SHOW DATABASES")
    client.insert("t", [[1]], column_names=["a"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_ends_well(
    spare_front: Front, eventually: Eventually, number: signal.Signals
) -> None:
    """With an insert waiting, a SELECT running and a connection idle: exit status 0."""
    idle, client = spare_front.client(), spare_front.client()
    client.command("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    release = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"1\n"
        release.wait(20)

    def run(act: Callable[[], object]) -> threading.Thread:
        def quietly() -> None:
            with pytest.raises(Error):
                act()

        thread = threading.Thread(target=quietly)
        thread.start()
        return thread

    endless = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
    threads = [
        run(lambda: spare_front.client().raw_insert("t", insert_block=body(), fmt="CSV")),
        run(lambda: spare_front.client(query_retries=0).command(endless)),
    ]
    sql = "SELECT count() FROM system.processes"
    eventually(lambda: bool(idle.command(sql) == 3))
    assert spare_front.stop(number) == 0
    release.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_a_signal_that_a_thread_of_the_engine_gets_ends_it_too(spare_front: Front) -> None:
    """The kernel may give it to any thread that does not block it."""
    process = spare_front.process
    assert process is not None
    tasks = [task for task in Path(f"/proc/{process.pid}/task").iterdir()]
    others = [int(task.name) for task in tasks if not _blocks(task, signal.SIGTERM)]
    other = next(one for one in others if one != process.pid)
    assert ctypes.CDLL(None).tgkill(process.pid, other, int(signal.SIGTERM)) == 0
    assert process.wait(30) == 0


def _blocks(task: Path, number: signal.Signals) -> bool:
    status = (task / "status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk"))
    return bool(int(mask, 16) >> (number - 1) & 1)

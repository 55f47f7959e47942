"""Replicated tables, as far as one node allows: with a Keeper in memory the server creates and
describes them, and refuses to write. So what is sent to one is proven by its statements, and by
running the same ones against a plain table that only calls itself Replicated."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.target.bench import STAGING, Bench, ignore, span
from tests.target.shards import ShardedBench, ShardServer
from windlass.domain.errors import TransientError
from windlass.domain.plan import GroupTable
from windlass.domain.states import Mode, Path
from windlass.planner.engines import base_engine, check_engine
from windlass.planner.paths import edge_path, table_notes
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.client import NOTHING_MORE, Server, Settings
from windlass.target.names import quote, staging_name
from windlass.target.publish.job import Job
from windlass.target.publish.run import publish
from windlass.target.slices import View
from windlass.target.staging import StagingArea

FEB = span("2026-02-01", "2026-03-01")
WINDOW = span("2026-02-05", "2026-02-10")
ROWS = [(1, "a", "2026-02-06", "2026-02-06"), (2, "b", "2026-02-07", "2026-02-07")]
ENGINES = {
    "ReplicatedMergeTree('/windlass/{db}/a', 'r1')": (None, "MergeTree"),
    "ReplicatedReplacingMergeTree('/windlass/{db}/b', 'r1', v)": ("v", "ReplacingMergeTree"),
}


@pytest.fixture
def one(shards: ShardedBench, shard_pair: tuple[ShardServer, ShardServer]) -> Iterator[Bench]:
    """A bench on the first of the two engines, which has a Keeper in memory."""
    target = ClickHouseTarget(shard_pair[0].url, STAGING)
    yield Bench(target, shards.server, shards.database)
    target.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_replicated_table_is_understood_and_staged_without_a_path(
    one: Bench, engine: str
) -> None:
    version, base = ENGINES[engine]
    live = one.create(engine.format(db=one.database), settings="")
    assert (base_engine(live.engine), live.version) == (base, version)
    assert live.replacing is (base == "ReplacingMergeTree")
    check_engine(live, Mode.REPLACE)
    assert edge_path(live, Mode.REPLACE) is (Path.IN_PLACE if version else Path.DELETE_AND_INSERT)
    notes = table_notes(live, one.piece(FEB).table)
    assert any("copies itself" in note for note in notes)
    staged = one.stage(*ROWS)
    ((create,),) = one.rows(f"SHOW CREATE {STAGING}.{quote(staging_name(staged))}")
    assert "ENGINE = MergeTree" in create
    assert "/windlass/" not in create


def test_what_the_server_itself_says_to_a_swap(one: Bench) -> None:
    """It gets as far as the table being read-only: the statement and the staging are accepted."""
    one.create("ReplicatedMergeTree('/windlass/{database}/c', 'r1')", settings="")
    staged = one.stage(*ROWS)
    with pytest.raises(TransientError, match="read-only") as refused:
        one.publish(Path.SWAP, FEB, staged)
    assert "readonly" in refused.value.why


class Recorder(Server):
    """Keeps every statement that changes something, with its settings, and sends it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.sent: list[tuple[str, Mapping[str, str]]] = []

    def run(self, sql: str, tag: str, settings: Settings = NOTHING_MORE) -> None:
        self.sent.append((" ".join(sql.split()), self._settings(tag, settings)))
        super().run(sql, tag, settings)


def publish_as(bench: Bench, recorder: Recorder, engine: str, path: Path) -> None:
    """Publish to the bench's plain table as to one of that engine, twice."""
    bench.create(engine.removeprefix("Replicated"), settings="")
    bench.put((1, "old", "2026-02-06", "2026-02-05"), (3, "gone", "2026-02-08", "2026-02-05"))
    live = replace(bench.live, engine=engine.partition("(")[0])
    staged = bench.stage(*ROWS)
    interval = FEB if path is Path.SWAP else WINDOW
    group = GroupTable(bench.table, path, (FEB,) if path is Path.SWAP else ())
    view, area = View.of(live, bench.piece(interval), bench.pairs), StagingArea(recorder, STAGING)
    for _ in range(2):
        publish(Job(area, view, bench.plan(path), group, [staged], bench.attempt(), ignore))


@pytest.mark.parametrize(
    ("engine", "path", "statements"),
    [
        ("ReplicatedMergeTree", Path.SWAP, [r"ALTER TABLE \S+ REPLACE PARTITION ID '202602' FROM"]),
        ("ReplicatedMergeTree", Path.DELETE_AND_INSERT, [r"DELETE FROM", r"INSERT INTO"]),
        ("ReplicatedReplacingMergeTree(v)", Path.IN_PLACE, [r"INSERT INTO", r"DELETE FROM"]),
        ("ReplicatedMergeTree", Path.APPEND, [r"INSERT INTO", r"DROP PARTITION ID '202602'"]),
    ],
)
def test_statements_for_a_replicated_table(
    bench: Bench, engine: str, path: Path, statements: list[str]
) -> None:
    """They name no staging where the server would send them to other replicas, wait for all
    replicas, and deduplicate nothing."""
    recorder = Recorder(bench.server.address)
    publish_as(bench, recorder, engine, path)
    recorder.close()
    mine = [sql for sql, _ in recorder.sent if bench.ref in sql or "DROP PARTITION" in sql]
    for statement in statements:
        assert any(re.search(statement, sql) for sql in mine), mine
    for sql, settings in recorder.sent:
        assert settings["alter_sync"] == settings["mutations_sync"] == "2"
        assert (settings["insert_deduplicate"], settings["async_insert"]) == ("0", "0")
        assert "ATTACH" not in sql or bench.ref not in sql, "never on live: it deduplicates"
        assert "MOVE PARTITION" not in sql, "refused between a plain and a Replicated table"
        if sql.startswith(("DELETE FROM", "ALTER TABLE")) and " DELETE " in f" {sql} ":
            assert STAGING not in sql, "Replicated refuses subqueries in mutations"
    kept = [(1, "old"), (3, "gone")] if path is Path.APPEND else []
    assert bench.seen() == sorted([row[:2] for row in ROWS] + kept)

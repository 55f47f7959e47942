"""Every shape of table that a shop has: the range equals staging, the rest stays as it was."""

from dataclasses import replace
from typing import Any

import pytest

from tests.target.bench import PATCHES, Bench, at, ignore, span
from windlass.domain.plan import GroupTable
from windlass.domain.schema import TargetTable
from windlass.domain.states import Mode, Path
from windlass.domain.window import Interval
from windlass.planner.engines import check_engine
from windlass.planner.paths import edge_path

UTC, PLAIN = "DateTime64(6, 'UTC')", "DateTime"
PARTITIONS = [
    "toYYYYMM(t)",
    "toDate(t)",
    "toYYYYMMDD(t)",
    "toMonday(t)",
    "toStartOfWeek(t, 1, 'America/New_York')",
    "toStartOfInterval(t, INTERVAL 10 DAY)",
    "intDiv(toUnixTimestamp(t), 86400 * 7)",
    "toYYYYMM(toDate(t, 'America/New_York'))",
    "toISOWeek(t)",
    "(toYYYYMM(t), x)",
    "(x, toDate(t))",
    "(toYear(t), toMonth(t))",
    "x",
    "k % 4",
    "",
]
ENGINES = ["MergeTree", "ReplacingMergeTree", "ReplacingMergeTree(v)", "ReplacingMergeTree(v, d)"]
WINDOWS = [
    span("2026-02-01", "2026-03-01"),
    span("2026-02-03", "2026-02-20"),
    span("2026-01-01T05:00", "2026-02-16T05:00"),
]


def rows(mark: str, version: str) -> list[tuple[Any, ...]]:
    """Two rows each third day, at midnight and at its last second, from December to March."""
    days = [
        (y, m, d) for y, m in ((2025, 12), (2026, 1), (2026, 2), (2026, 3)) for d in range(1, 29, 3)
    ]
    return [
        (n * 2 + h, mark, f"{y}-{m:02}-{d:02}T{clock}", version)
        for n, (y, m, d) in enumerate(days)
        for h, clock in enumerate(("00:00:00", "23:59:59"))
    ]


def inside(window: Interval, row: tuple[Any, ...]) -> bool:
    """Whether the row's time lies in the window."""
    return window.contains(at(row[2]))


CASES = [
    (partition, ENGINES[(n + turn) % 4], PLAIN if n % 3 == 2 else UTC, WINDOWS[(n + turn) % 3])
    for n, partition in enumerate(PARTITIONS)
    for turn in (0, 2)
]


@pytest.mark.parametrize(("partition", "engine", "kind", "window"), CASES)
def test_any_partition_and_engine(
    bench: Bench, partition: str, engine: str, kind: str, window: Interval
) -> None:
    """By whatever path the planner takes for it, and once more; windows aligned or not."""
    patches = PATCHES if partition in PARTITIONS[::2] else ""
    bench = replace(bench, columns={**bench.columns, "t": kind})
    flag = ", d UInt8 DEFAULT 0" if engine.endswith("d)") else ""
    live = bench.create(engine, partition, settings=patches, extra=flag)
    old = rows("old", "2026-01-01")
    bench.put(*[row for n, row in enumerate(old) if n % 5])
    wanted = [
        row for n, row in enumerate(rows("new", "2026-03-01")) if n % 7 and inside(window, row)
    ]
    staged = bench.stage(*wanted)
    whole = bench.target.whole_ranges(live, "t", window) or []
    path = Path.SWAP if whole else edge_path(live, Mode.REPLACE)
    for _ in range(2):
        bench.publish(path, window, staged, edge=edge_path(live, Mode.REPLACE), whole=whole)
        kept = [row for n, row in enumerate(old) if n % 5 and not inside(window, row)]
        assert bench.seen() == sorted((row[0], row[1]) for row in [*kept, *wanted])
        assert bench.differing(window, staged) == []


def test_which_partitions_are_swapped(bench: Bench) -> None:
    """That the matrix above meets both: swaps, and edges without any."""
    found = {}
    for partition in PARTITIONS:
        live = bench.create("MergeTree", partition, settings="")
        whole = bench.target.whole_ranges(live, "t", WINDOWS[1])
        found[partition] = None if whole is None else len(whole)
    assert found == {
        "toYYYYMM(t)": 0,
        "toDate(t)": 17,
        "toYYYYMMDD(t)": 17,
        "toMonday(t)": 1,
        "toStartOfWeek(t, 1, 'America/New_York')": 1,
        "toStartOfInterval(t, INTERVAL 10 DAY)": 1,
        "intDiv(toUnixTimestamp(t), 86400 * 7)": 2,
        "toYYYYMM(toDate(t, 'America/New_York'))": 0,
        "toISOWeek(t)": 0,
        "(toYYYYMM(t), x)": None,
        "(x, toDate(t))": None,
        "(toYear(t), toMonth(t))": 0,
        "x": None,
        "k % 4": None,
        "": 0,
    }


FURNISHED = """
CREATE TABLE {ref} (
  k Int64 CODEC(Delta, ZSTD(3)), x LowCardinality(String),
  t DateTime64(3, 'Asia/Tokyo') CODEC(DoubleDelta), v DateTime64(6, 'UTC'),
  n Nullable(Decimal(18, 4)), dec Decimal(38, 10) DEFAULT 1.5, u UUID, b Bool,
  e8 Enum8('a' = 1, 'b|c' = -2), e16 Enum16('x' = 1000), f FixedString(3), d Date, d32 Date32,
  i4 IPv4, i6 IPv6, a Array(Nullable(String)), big UInt256, i128 Int128, j String, r Float32,
  filled String DEFAULT concat(x, '!'), m UInt64 MATERIALIZED cityHash64(x),
  al String ALIAS upper(x), eph String EPHEMERAL 'none', from_eph String DEFAULT concat(eph, '?'),
  maps Map(String, UInt8) DEFAULT map('one', 1),
  INDEX ix x TYPE set(10), INDEX iv n TYPE minmax GRANULARITY 2,
  PROJECTION p (SELECT x, count() GROUP BY x),
  CONSTRAINT sane CHECK k < 1000, CONSTRAINT told ASSUME k > -1000
) ENGINE = {engine} PARTITION BY toYYYYMM(t) ORDER BY (k, x) PRIMARY KEY k
TTL toDateTime(t) + INTERVAL 50 YEAR
SETTINGS index_granularity = 512, deduplicate_merge_projection_mode = 'rebuild'
"""
VALUES = """
INSERT INTO {table} (k, x, t, v, n, u, b, e8, e16, f, d, d32, i4, i6, a, big, i128, j, r) VALUES
({k}, '{x}', '2026-02-{day} 01:02:03.004', '2026-02-{day} 00:00:00', {n},
 '00112233-4455-6677-8899-aabbccddeeff', {k} % 2 = 0, 'b|c', 'x', 'ab', '2026-02-{day}',
 '1950-01-01', '10.0.0.{k}', '::{k}', ['p', NULL], 1, -1, '{{"a": 1}}', 0.5)
"""


@pytest.mark.parametrize("engine", ENGINES[:3])
@pytest.mark.parametrize("path", [Path.SWAP, Path.IN_PLACE])
def test_columns_of_every_kind(bench: Bench, engine: str, path: Path) -> None:
    """Staging repeats what must be equal; what the server computes comes out the same in live."""
    edge = Path.IN_PLACE if engine.endswith("(v)") else Path.DELETE_AND_INSERT
    path = path if path is Path.SWAP else edge
    bench.run(FURNISHED.format(ref=bench.ref, engine=engine))
    live = bench.live
    bench.run(VALUES.format(table=bench.ref, k=1, x="old", day="06", n="NULL"))
    bench.run(VALUES.format(table=bench.ref, k=2, x="same", day="25", n="1.5"))
    staging = bench.stage_table()
    for k, x, n in ((1, "new", "1.25"), (3, "more", "NULL")):
        bench.run(VALUES.format(table=bench.staging_ref(staging), k=k, x=x, day="07", n=n))
    narrow = replace(bench, columns={"k": "Int64"})
    tokyo = span("2026-01-31T15:00", "2026-02-28T15:00")
    window, whole = (
        (tokyo, [tokyo]) if path is Path.SWAP else (span("2026-02-05", "2026-02-10"), [])
    )
    if whole:
        bench.run(f"ALTER TABLE {bench.ref} DELETE WHERE k = 2")
    group = GroupTable(bench.table, path, tuple(whole))
    asked = (live, narrow.piece(window), narrow.pairs, narrow.plan(edge), group, [staging])
    for _ in range(2):
        narrow.target.publish(*asked, bench.attempt(), ignore)
        columns = "k, x, n, filled, m = cityHash64(x), al, from_eph, dec, maps"
        found = bench.seen(columns, "k != 2")
        assert [(row[0], row[1], str(row[2]), *row[3:7]) for row in found] == [
            (1, "new", "1.2500", "new!", 1, "NEW", "none?"),
            (3, "more", "None", "more!", 1, "MORE", "none?"),
        ]
    differing = narrow.target.differing(
        live, narrow.piece(window), narrow.pairs, [staging], 10, bench.attempt()
    )
    assert differing.num_rows == 0


OTHERS = {
    "AggregatingMergeTree": ("ENGINE = AggregatingMergeTree ORDER BY k", "merges fold"),
    "SummingMergeTree": ("ENGINE = SummingMergeTree ORDER BY k", "merges fold"),
    "CollapsingMergeTree": ("ENGINE = CollapsingMergeTree(s) ORDER BY k", "cancel each other"),
    "VersionedCollapsingMergeTree": (
        "ENGINE = VersionedCollapsingMergeTree(s, ver) ORDER BY k",
        "cancel each other",
    ),
    "Log": ("ENGINE = Log", "takes no deletes"),
    "TinyLog": ("ENGINE = TinyLog", "takes no deletes"),
    "Memory": ("ENGINE = Memory", "takes no deletes"),
    "Null": ("ENGINE = Null", "keeps no rows"),
    "Buffer": ("ENGINE = Buffer('{db}', 'behind', 1, 1, 2, 1, 2, 1, 2)", "wait in memory"),
    "Merge": ("ENGINE = Merge('{db}', 'behind')", "several tables"),
}


@pytest.mark.parametrize("engine", OTHERS)
def test_other_engines_are_refused_with_the_reason(bench: Bench, engine: str) -> None:
    shape, why = OTHERS[engine]
    columns = "k Int64, t DateTime, s Int8, ver UInt8"
    bench.run(f"CREATE TABLE `{bench.database}`.behind ({columns}) ENGINE = MergeTree ORDER BY k")
    bench.run(f"CREATE TABLE {bench.ref} ({columns}) {shape.format(db=bench.database)}")
    refused(bench.live, why)


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_views_are_refused(bench: Bench, kind: str) -> None:
    bench.create("MergeTree", settings="")
    engine = "ENGINE = MergeTree ORDER BY k" if kind != "VIEW" else ""
    bench.run(f"CREATE {kind} `{bench.database}`.w {engine} AS SELECT * FROM {bench.ref}")
    found = bench.target.describe(bench.database, "w")
    assert found is not None
    refused(found, "not a table" if kind == "VIEW" else "made from another")


@pytest.mark.parametrize(
    ("engine", "why"), [("Kafka", "read once"), ("GraphiteMergeTree", "fold"), ("URL", "elsewhere")]
)
def test_engines_that_cannot_be_made_here(engine: str, why: str) -> None:
    refused(TargetTable("d", "t", engine, "", "k", ()), why)


def refused(live: TargetTable, why: str) -> None:
    """The plan refuses it, says why, and what to do next."""
    from windlass.domain.errors import PlanError

    with pytest.raises(PlanError, match=why) as error:
        check_engine(live, Mode.REPLACE)
    assert live.engine in error.value.what
    assert error.value.next_step

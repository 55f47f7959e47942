"""Any schema out of the proven pairs, any rows, any exclusions, any windows: what is published
equals the source, value by value, and what cannot be held is refused before anything is seen."""

from itertools import pairwise

import pytest
from hypothesis import event, given, seed, settings

from tests.model.carriage import Carriage, Refusal, days
from tests.model.profiles import BOTH, STABLE, drawn, long
from tests.model.schemas import PAIRS, Table, tables
from tests.model.texts import rows_of_source, rows_of_target, same

pytestmark = pytest.mark.timeout(7200)


def carried(postgres_url: str, clickhouse_url: str, table: Table) -> None:
    """The whole way of one table; hazardous rows are taken out of the source once found."""
    carriage = Carriage(postgres_url, clickhouse_url)
    try:
        carriage.make(table)
        if not publish(carriage, table):
            event("a hazard was refused")
            assert live_rows(carriage) == 0, "refused, and yet something can be seen"
            remove_hazards(carriage, table)
            assert publish(carriage, table), "a hazard without a row that has it"
        compare(carriage, table)
    finally:
        carriage.close()


def publish(carriage: Carriage, table: Table) -> bool:
    """Load every window, publish all; False when a window was refused."""
    pairs = carriage.pairs()
    cuts = sorted({cut for cut in table.cuts if table.start < cut < table.end})
    edges = [table.start, *cuts, table.end]
    try:
        staged = [
            carriage.load(carriage.piece(days(start, end)), pairs) for start, end in pairwise(edges)
        ]
    except Refusal:
        return False
    piece = carriage.piece(days(table.start, table.end))
    carriage.publish(piece, pairs, staged)
    source, target = carriage.digests(piece, pairs)
    assert source == target
    return True


def remove_hazards(carriage: Carriage, table: Table) -> None:
    """Delete exactly the rows that the pairs call hazardous."""
    conditions = [
        f"({pair.hazard.replace('{c}', 't.' + _quoted(pair.name))})"
        for pair in carriage.pairs()
        if pair.hazard
    ]
    gone = f"DELETE FROM {carriage.name}.items t WHERE {' OR '.join(conditions)}"
    carriage.pg.execute(gone.encode())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def live_rows(carriage: Carriage) -> int:
    """Physical rows."""
    found = carriage.ch.query(f"SELECT count() FROM `{carriage.name}`.items").result_rows
    return int(found[0][0])


def compare(carriage: Carriage, table: Table) -> None:
    """Key by key, value by value."""
    interval = days(table.start, table.end)
    ends = [one.strftime("%Y-%m-%d %H:%M:%S") for one in (interval.start, interval.end)]
    source = rows_of_source(carriage, table, ends[0] + "+00", ends[1] + "+00")
    target = rows_of_target(carriage, table, ends[0], ends[1])
    assert source.keys() == target.keys()
    for key, values in source.items():
        for column, left, right in zip(table.columns, values, target[key], strict=True):
            assert same(left, right, column.target), (column, left, right)


def test_every_source_type_has_somewhere_to_go() -> None:
    assert all(PAIRS.values())
    assert sum(len(targets) for targets in PAIRS.values()) > 500


@BOTH
def test_any_schema(postgres_url: str, clickhouse_url: str, profile: str) -> None:
    def run(table: Table) -> None:
        carried(postgres_url, clickhouse_url, table)

    test = given(table=tables())(run)
    if profile == "short":
        settings(STABLE, max_examples=12)(test)()
        return
    number = drawn()
    print(f"WINDLASS_MODEL_SEED={number}")  # noqa: T201
    seed(number)(settings(long(300))(test))()

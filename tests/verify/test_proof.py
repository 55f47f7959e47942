"""Every pair of the table, through both real servers: equal values give equal digests, and
hazards fire for exactly the values that the target cannot hold."""

import adbc_driver_manager
import pytest

from windlass.domain.errors import WindlassError
from windlass.domain.schema import ColumnPair, SourceColumn, TargetColumn
from windlass.verify import canonical
from windlass.verify.pairs import pair

from .case import Case
from .cases import CASES
from .servers import TABLE, Servers, carry, hazard_sql, source_column, target_column


def _fill(servers: Servers, case: Case) -> None:
    values = [*case.good, *case.bad, *case.beyond]
    servers.run("drop schema if exists proof cascade")
    servers.run("create schema proof")
    for statement in case.setup:
        servers.run(statement)
    servers.run(f"create table proof.t (i int not null, c {case.source})")
    for number, value in enumerate(values):
        literal = "null" if value is None else "'" + value.replace("'", "''") + "'"
        servers.run(f"insert into proof.t values ({number}, {literal}::{case.source})")


def _pairs(servers: Servers, case: Case) -> list[ColumnPair]:
    [(kind,)] = servers.rows(
        "select format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 'proof.t'::regclass and attname = 'c'"
    )
    column = pair(SourceColumn("c", kind), TargetColumn("c", case.target))
    number = pair(SourceColumn("i", "integer", nullable=False), TargetColumn("i", "Int32"))
    return [number, column]


def _explain(servers: Servers, pairs: list[ColumnPair], where: str) -> str:
    row = canonical.source_row(pairs, source_column)
    source = servers.rows(f"select {row} from proof.t t where {where} order by i")
    target = servers.query(
        f"select {canonical.target_row(pairs, target_column)} from {TABLE} order by i"
    )
    pairs_of = zip([row[0] for row in source], [row[0] for row in target], strict=False)
    return "\n".join(f"{left!r} != {right!r}" for left, right in pairs_of if left != right)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_pair_is_proven(servers: Servers, case: Case) -> None:
    _fill(servers, case)
    pairs = _pairs(servers, case)
    hazard = hazard_sql(pairs)
    values = [*case.good, *case.bad, *case.beyond]
    caught = servers.rows(f"select i from proof.t t where {hazard}")
    assert sorted(i for (i,) in caught) == list(range(len(case.good), len(values))), [
        values[i] for (i,) in caught
    ]
    found = carry(servers, pairs, f"not {hazard}")
    assert found.source[0] == str(len(case.good))
    assert found.source == found.target, _explain(servers, pairs, f"not {hazard}")
    assert found.arrow == found.staged


@pytest.mark.parametrize("case", [case for case in CASES if case.bad], ids=str)
def test_wrong_values_would_be_seen_without_hazards(servers: Servers, case: Case) -> None:
    """Either the road is closed to them, or the two MD5 digests differ: nothing is taken for
    equal because both sides round alike. PostgreSQL's digest itself never fails."""
    _fill(servers, case)
    pairs = _pairs(servers, case)
    servers.rows(f"select {canonical.source_digest(pairs, source_column)} from proof.t t")
    for number, value in enumerate(case.bad, start=len(case.good)):
        try:
            found = carry(servers, pairs, f"i = {number}")
        except (WindlassError, adbc_driver_manager.Error):
            servers.rollback()
            continue
        assert found.source != found.target, value

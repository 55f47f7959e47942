"""Names, SELECTs and predicates as operators write them."""

from dataclasses import replace

import pytest

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import (
    Exclusion,
    ParentLink,
    Slice,
    TableSpec,
    TenantColumns,
)
from windlass.domain.errors import PlanError
from windlass.domain.schema import SourceColumn
from windlass.domain.window import Interval
from windlass.source.postgres import PostgresSource
from windlass.source.relation import predicate_sql, relation_sql, tables_of

from .world import CARD, NOTE, SCORE, TENANT, Db, dataset, hashes, ids, pairs_for, read

ODD = 'weird "name"; drop -- %s {c} 表'
ODD_SQL = ODD.replace('"', '""')


def test_a_table_by_name_and_its_columns(world: Db, source: PostgresSource) -> None:
    assert source.columns(CARD, dataset())[:3] == (
        SourceColumn("scorecard_id", "integer", nullable=False),
        SourceColumn("customer_id", "text"),
        SourceColumn("profile_id", "text"),
    )
    assert SourceColumn("points", "numeric(10,2)") in source.columns(CARD, dataset())


def test_the_parents_time_is_appended(world: Db, source: PostgresSource) -> None:
    columns = source.columns(NOTE, dataset())
    assert columns[-1] == SourceColumn("created_at", "timestamp with time zone")
    assert [one.name for one in columns] == ["note_id", "score_id", "body", "created_at"]


def test_any_name_works(
    db: Db, source: PostgresSource, january: Interval, attempt: Attempt
) -> None:
    q = f'"{ODD_SQL}"'
    db.execute(
        f"CREATE SCHEMA {q}; CREATE TABLE {q}.{q} ({q} text, "
        f'"Key" int PRIMARY KEY, "select" text, "at time" timestamptz, "v" timestamptz);'
        f"INSERT INTO {q}.{q} VALUES ('100%', 1, 'acme', '2026-01-02Z', '2026-01-02Z'),"
        f"('%', 2, 'acme', '2026-01-02Z', '2026-01-02Z')"
    )
    card = TableSpec(
        name=ODD,
        relation=f"{q}.{q}",
        time="at time",
        key=("Key",),
        version="v",
        tenant=TenantColumns("select"),
        exclusions=(Exclusion(ODD, f"t.{q} LIKE '1%' AND 7 % 2 = 1"),),
    )
    child = replace(
        card,
        name="child",
        tenant=None,
        exclusions=(),
        parent=ParentLink(ODD, (("Key", "Key"),)),
        time="parent.at time",
    )
    data = dataset(card, child)
    for table in data.tables:
        piece = Slice(data, table, TENANT, january)
        pairs = pairs_for(source, piece)
        found = source.count(piece, pairs, attempt, None)
        assert (found.kept, found.excluded) == (1, {ODD: 1})
        rows = read(source, piece, attempt)
        assert rows.column(ODD).to_pylist() == ["%"]
        known = hashes(source, piece, pairs, attempt)
        assert source.lookup(piece, pairs, known, attempt).num_rows == 2
        assert source.digest(piece, pairs, attempt, None)[0].rows == 1
        assert source.changed(piece, pairs, january.start, attempt).num_rows == 2
    assert source.check_tables(data)[0][0] == "ok"
    assert len(source.grants(data)) == 4
    reader = PostgresSource(db.reader())
    for grant in reader.grants(data):
        db.execute(grant)
    assert {level for level, _, _ in reader.check_tables(data)} == {"ok"}


def test_a_select_serves_as_a_table(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    query = (
        "WITH own AS (SELECT * FROM app.scorecards WHERE customer_id LIKE 'a%') -- why\n"
        "SELECT scorecard_id, customer_id, profile_id, scorecard_type, draft, created_at, "
        "updated_at, scorecard_id % 3 AS rest FROM own -- trailing;"
    )
    card = replace(CARD, relation=query)
    piece = replace(cards, dataset=dataset(card, SCORE), table=card)
    assert source.columns(card, dataset(card))[-1] == SourceColumn("rest", "integer")
    assert ids(read(source, piece, attempt), "rest") == [1, 2]
    scores = replace(piece, table=SCORE)
    assert source.count(scores, (), attempt, None).kept == 6


@pytest.mark.parametrize(
    "text",
    [
        "select 1; drop table x",
        "select 1; select 2",
        "delete from app.scorecards returning *",
        "with gone as (delete from app.scorecards returning *) select * from gone",
        "select * into copy from app.scorecards",
        "select * from app.scorecards for update",
        "select * from app.scorecards where x = $1",
        "values (1)",
        "select (",
        "app.scorecards; drop table x",
        "app.scorecards t",
        "a.b.c",
        "",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(PlanError) as caught:
        relation_sql(text)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("scores", '"scores"'),
        ("app.Scores", '"app"."Scores"'),
        ('"a.b"."c""d"', '"a.b"."c""d"'),
        ("app.my-table", '"app"."my-table"'),
        ("selections", '"selections"'),
        ("with_notes", '"with_notes"'),
    ],
)
def test_names_are_taken_as_written(text: str, sql: str) -> None:
    assert relation_sql(text) == sql


@pytest.mark.parametrize(
    "text",
    [
        "true) or (true",
        "t.a = 1; drop table x",
        "select 1",
        "t.a, t.b",
        "t.a as b",
        "t.id in (delete from x returning id)",
        "",
        "drop table x",
    ],
)
def test_a_predicate_is_one_expression(text: str) -> None:
    with pytest.raises(PlanError):
        predicate_sql(Exclusion("odd", text))


@pytest.mark.parametrize(
    "text",
    [
        "t.a",
        "t.scorecard_type = 'appeal_request' -- the appeals",
        "t.a LIKE '50%' OR t.b @> '{\"x\": 1}' OR t.c ? 'k'",
        "t.id IN (SELECT id FROM app.banned)",
        "NOT t.draft AND t.created_at < '2026-01-01'",
        "t.tags && ARRAY['a', 'b']",
        "t.meta->>'kind' = 'x'",
        "t.name ~* '^x' ",
        "EXISTS (SELECT 1 FROM app.b WHERE b.id = t.id)",
        "t.a IS DISTINCT FROM 'x'",
        "(t.a, t.b) = (1, 2)",
        "t.kind = ANY('{a,b}'::text[])",
        "CASE WHEN t.a THEN t.b ELSE false END",
    ],
)
def test_usual_predicates_are_accepted(text: str) -> None:
    assert text in predicate_sql(Exclusion("usual", text))


def test_grants_name_every_table_that_is_read() -> None:
    card = replace(
        CARD,
        relation="with x as (select * from App.cards) select * from x join other using (id)",
        exclusions=(Exclusion("e", "t.id IN (SELECT id FROM app.banned)"),),
    )
    data = dataset(card, SCORE, tenants_query="select c, p from app.tenants")
    assert tables_of(data) == [
        '"app"."banned"',
        '"app"."cards"',
        '"app"."scores"',
        '"app"."tenants"',
        '"other"',
    ]
    source = PostgresSource("postgresql://rea%20der:pw@db:5432/App")
    assert source.grants(data)[:3] == [
        'GRANT CONNECT ON DATABASE "App" TO "rea der";',
        'GRANT USAGE ON SCHEMA "app" TO "rea der";',
        'GRANT SELECT ON "app"."banned" TO "rea der";',
    ]

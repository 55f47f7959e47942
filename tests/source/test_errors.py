"""What an operator is told, and what never shows."""

import socket
from collections.abc import Sequence
from dataclasses import replace

import pytest
from psycopg.conninfo import make_conninfo

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Exclusion, Slice
from windlass.domain.errors import (
    AccessError,
    ConfigError,
    PlanError,
    UnreachableError,
    WindlassError,
)
from windlass.domain.schema import ColumnPair
from windlass.source.postgres import PostgresSource

from .world import CARD, SECRET, TENANT, Db, dataset, pairs_for, read

WRONG = "wr0ng-s3cret"


def both_ways(
    source: PostgresSource, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt
) -> list[WindlassError]:
    """The errors of the two drivers for the same trouble."""
    caught: list[WindlassError] = []
    with pytest.raises(WindlassError) as first:
        source.count(piece, pairs, attempt, None)
    caught.append(first.value)
    with (
        pytest.raises(WindlassError) as second,
        source.read(piece, pairs, attempt, None),
    ):
        pass
    caught.append(second.value)
    return caught


def test_a_wrong_password_is_told_and_not_shown(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    pairs = pairs_for(source, cards)
    url = make_conninfo(world.reader(), password=WRONG)
    for error in both_ways(PostgresSource(url), cards, pairs, attempt):
        assert isinstance(error, AccessError)
        assert WRONG not in str(error)
        assert "password authentication failed" in str(error)


def test_a_closed_port_is_unreachable(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    pairs = pairs_for(source, cards)
    url = f"postgresql://u:{WRONG}@127.0.0.1:{port}/app"
    for error in both_ways(PostgresSource(url), cards, pairs, attempt):
        assert isinstance(error, UnreachableError)
        assert error.where == f"postgresql://127.0.0.1:{port}/app"
        assert WRONG not in str(error)
    assert PostgresSource(url).check()[0][0] == "fail"


def test_a_missing_grant_names_the_grant(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    pairs = pairs_for(source, cards)
    url = world.reader("GRANT USAGE ON SCHEMA app TO {role}")
    for error in both_ways(PostgresSource(url), cards, pairs, attempt):
        assert isinstance(error, AccessError)
        assert "GRANT SELECT ON scorecards TO" in error.next_step
        assert SECRET not in str(error)


def test_a_missing_schema_grant_too(world: Db, cards: Slice) -> None:
    with pytest.raises(AccessError, match="GRANT USAGE ON SCHEMA app"):
        PostgresSource(world.reader()).columns(CARD, dataset())


@pytest.mark.parametrize("relation", ["app.scorecard", "app.ScoreCards", "apps.scorecards"])
def test_a_missing_table_suggests_the_one_that_was_meant(
    world: Db, source: PostgresSource, relation: str
) -> None:
    with pytest.raises(PlanError) as caught:
        source.columns(replace(CARD, relation=relation), dataset())
    assert "app.scorecards" in caught.value.next_step


def test_a_missing_column_suggests_too(world: Db, source: PostgresSource) -> None:
    with pytest.raises(PlanError, match="createdat") as caught:
        source.columns(replace(CARD, time="createdat"), dataset())
    assert "did you mean created_at" in caught.value.next_step


def test_a_wrong_column_in_an_exclusion_is_a_plan_error(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    card = replace(CARD, exclusions=(replace(CARD.exclusions[0], predicate="t.typ = 'x%'"),))
    piece = Slice(dataset(card), card, TENANT, cards.interval)
    for error in both_ways(source, piece, pairs_for(source, cards), attempt):
        assert isinstance(error, PlanError)
        assert "column t.typ does not exist" in error.why


def test_a_time_that_is_none_is_a_plan_error(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    card = replace(CARD, time="points")
    piece = Slice(dataset(card), card, TENANT, cards.interval)
    with pytest.raises(PlanError, match=r"numeric\(10,2\)"):
        source.count(piece, (), attempt, None)


def test_an_url_that_is_none_is_a_config_error() -> None:
    with pytest.raises(ConfigError) as caught:
        PostgresSource(f"postgresql://user:{WRONG}@[::1/db").columns(CARD, dataset())
    assert WRONG not in str(caught.value)


def test_a_failure_in_the_middle_of_a_stream_is_told(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    world.execute(
        "INSERT INTO app.scorecards SELECT g, 'acme', 'voice', 'x', false, 1, '2026-01-10Z', "
        "'2026-01-10Z' FROM generate_series(1000, 200000) g"
    )
    query = "select *, 1 / (scorecard_id - 150000) as q from app.scorecards"
    card = replace(CARD, relation=query)
    piece = Slice(dataset(card), card, TENANT, cards.interval)
    pairs = pairs_for(source, piece)
    with (
        source.read(piece, pairs, attempt, None) as batches,
        pytest.raises(WindlassError, match="division by zero"),
    ):
        list(batches)


def test_rows_hidden_by_a_policy_are_an_error(world: Db, cards: Slice, attempt: Attempt) -> None:
    """A reader that silently sees fewer rows would have the others removed from the target."""
    url = world.reader(
        "GRANT USAGE ON SCHEMA app TO {role}",
        "GRANT SELECT ON app.scorecards TO {role}",
        "ALTER TABLE app.scorecards ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY few ON app.scorecards USING (scorecard_id > 3)",
    )
    pairs = pairs_for(PostgresSource(world.url), cards)
    for error in both_ways(PostgresSource(url), cards, pairs, attempt):
        assert isinstance(error, AccessError)
        assert "BYPASSRLS" in error.next_step
    assert PostgresSource(url).check_tables(dataset(CARD))[0][0] == "fail"


def test_doctor_is_content_with_an_owner(world: Db, source: PostgresSource) -> None:
    assert {level for level, _, _ in source.check()} == {"ok"}
    assert {level for level, _, _ in source.check_tables(dataset())} == {"ok"}


def test_doctor_names_what_a_reader_lacks(world: Db) -> None:
    reader = PostgresSource(world.reader())
    fixes = [fix for level, _, fix in reader.check() if level != "ok"]
    assert len(fixes) == 1
    assert "GRANT pg_read_all_stats" in fixes[0]
    levels = {level for level, _, _ in reader.check_tables(dataset())}
    assert levels == {"fail"}


def test_the_grants_make_doctor_content(world: Db) -> None:
    data = dataset(tenants_query="select customer_id, profile_id from app.scorecards")
    url = world.reader()
    for grant in PostgresSource(url).grants(data):
        world.execute(grant)
    granted = PostgresSource(url)
    assert {level for level, _, _ in (*granted.check(), *granted.check_tables(data))} == {"ok"}
    assert granted.tenants(data)[0] == ("acme", "chat")


def test_doctor_warns_of_a_key_that_nothing_holds_unique(world: Db, source: PostgresSource) -> None:
    card = replace(CARD, key=("profile_id",))
    assert source.check_tables(dataset(card))[-1][0] == "warn"
    wider = replace(CARD, key=("profile_id", "scorecard_id"))
    assert source.check_tables(dataset(wider))[-1][0] == "ok"


def test_doctor_tries_what_exclusions_say(world: Db, source: PostgresSource) -> None:
    card = replace(CARD, exclusions=(Exclusion("drafts", "t.drfat"),))
    (level, what, fix), *_ = source.check_tables(dataset(card))
    assert (level, "t.drfat" in what) == ("fail", True), (what, fix)
    assert "draft" in fix


def test_the_roles_own_limits_end_no_read(world: Db, cards: Slice, attempt: Attempt) -> None:
    world.execute(
        f"ALTER DATABASE {world.name} SET statement_timeout = '250ms';"
        f"ALTER DATABASE {world.name} SET idle_in_transaction_session_timeout = '250ms'"
    )
    source = PostgresSource(world.url)
    slow = replace(CARD, relation="select s.* from app.scorecards s, pg_sleep(0.5)")
    piece = Slice(dataset(slow), slow, TENANT, cards.interval)
    with source.hold(attempt) as held:
        assert source.count(piece, (), attempt, held.snapshot.id).kept == 2
        assert read(source, piece, attempt, held.snapshot.id).num_rows == 2
        assert held.alive()
    assert {level for level, _, _ in source.check()} == {"ok"}

"""The demo on real servers: exact counts, the same rows on both sides, nothing of others lost."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from windlass.domain.errors import RefusedError
from windlass.localstack.demo import data, story, target
from windlass.localstack.demo.data import Expected

from .conftest import SCALE, Servers, drop_databases

pytestmark = pytest.mark.stack

_SOURCE_COUNTS = """
with cards as (
    select scorecard_id, scorecard_type = 'appeal_request' as appeal, created_at
    from app.scorecards where customer_id = 'mutualofomaha' and profile_id = 'voice'
)
select
    (select count(*) from cards where created_at >= '2026-01-01Z' and created_at < '2026-02-20Z'),
    (select count(*) from cards
     where appeal and created_at >= '2026-01-01Z' and created_at < '2026-02-20Z'),
    count(*),
    count(*) filter (where appeal)
from app.scores s join cards c using (scorecard_id)
where s.created_at >= '2026-01-01Z' and s.created_at < '2026-02-20Z'
"""
_TARGET_SCORECARDS = """
select count(), countIf(scorecard_type = 'appeal_request') from mutualofomaha_voice.scorecard
where created_at >= '2026-01-01 00:00:00' and created_at < '2026-02-20 00:00:00'
"""
_TARGET_SCORES = """
select count(), countIf(scorecard_id in (
    select scorecard_id from mutualofomaha_voice.scorecard where scorecard_type = 'appeal_request'
)) from mutualofomaha_voice.score
where created_at >= '2026-01-01 00:00:00' and created_at < '2026-02-20 00:00:00'
"""


def in_source(servers: Servers) -> Expected:
    ((scorecards, appeals, scores, appeal_scores),) = from_source(servers, _SOURCE_COUNTS)
    return Expected(scorecards, appeals, scores, appeal_scores)


def in_target(servers: Servers) -> Expected:
    ((scorecards, appeals),) = from_target(servers, _TARGET_SCORECARDS)
    ((scores, appeal_scores),) = from_target(servers, _TARGET_SCORES)
    return Expected(scorecards, appeals, scores, appeal_scores)


def from_source(servers: Servers, sql: str) -> Sequence[tuple[Any, ...]]:
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


def change_source(servers: Servers, sql: str) -> None:
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        connection.execute(sql.encode())


def from_target(servers: Servers, sql: str) -> Sequence[tuple[Any, ...]]:
    with target.connect(servers.clickhouse) as client:
        return [tuple(row) for row in client.query(sql).result_rows]


def change_target(servers: Servers, *statements: str) -> None:
    with target.connect(servers.clickhouse) as client:
        for statement in statements:
            client.command(statement)


def test_source_and_target_start_with_the_expected_counts(seeded: Servers) -> None:
    assert in_source(seeded) == data.expected(SCALE)
    assert in_target(seeded) == data.expected(SCALE)


def test_the_link_table_is_there_and_empty(seeded: Servers) -> None:
    assert from_source(seeded, "select count(*) from app.scorecard_scores") == [(0,)]
    for database in story.databases():
        assert from_target(seeded, f"select count() from {database}.scorecard_score") == [(0,)]


def test_every_tenant_is_found_and_only_voice_has_rows_in_the_range(seeded: Servers) -> None:
    rows = from_source(
        seeded,
        "select customer_id, profile_id, count(*) filter (where created_at >= '2026-01-01Z' "
        "and created_at < '2026-02-20Z') from app.scorecards group by 1, 2",
    )
    found = {(customer, profile): inside for customer, profile, inside in rows}
    assert set(found) == set(story.databases().values())
    demo = {tenant: inside for tenant, inside in found.items() if tenant[0] in story.CUSTOMERS}
    assert {tenant for tenant, inside in demo.items() if inside} == {("mutualofomaha", "voice")}


_SOURCE_SUMS = """
select count(*), sum(('x'||left(md5(concat_ws('|',
    score_id, coalesce(outcome, 'N'), not_applicable::int,
    (extract(epoch from s.created_at) * 1000000)::bigint,
    (extract(epoch from s.updated_at) * 1000000)::bigint)), 16))::bit(64)::bigint)::text
from app.scores s join app.scorecards c using (scorecard_id)
where c.customer_id = '{customer}' and c.profile_id = '{profile}'
"""
_TARGET_SUMS = """
select count(), toString(sum(toInt128(reinterpretAsInt64(reverse(substring(MD5(concat(
    toString(score_id), '|', ifNull(outcome, 'N'), '|', toString(toUInt8(not_applicable)), '|',
    toString(toUnixTimestamp64Micro(created_at)), '|',
    toString(toUnixTimestamp64Micro(updated_at)))), 1, 8))))))
from {database}.score
"""


def test_each_database_holds_the_rows_of_its_tenant_and_no_others(seeded: Servers) -> None:
    for database, (customer, profile) in story.databases().items():
        source = from_source(seeded, _SOURCE_SUMS.format(customer=customer, profile=profile))
        assert from_target(seeded, _TARGET_SUMS.format(database=database)) == source


_SCORECARD = (
    "select scorecard_id, customer_id, profile_id, scorecard_type, template_id, agent_id, "
    "conversation_id, score, max_score, submitted, comment, {created}, {updated} "
    "from {table} where customer_id = 'acme'"
)


def test_scorecards_agree_on_both_sides_value_by_value(seeded: Servers) -> None:
    # The ClickHouse client gives UTC columns without a zone; PostgreSQL is asked for the same.
    in_utc = {name: f"{name}_at at time zone 'UTC'" for name in ("created", "updated")}
    plain = {name: f"{name}_at" for name in ("created", "updated")}
    source = from_source(seeded, _SCORECARD.format(table="app.scorecards", **in_utc))
    rows = from_target(seeded, _SCORECARD.format(table="acme_voice.scorecard", **plain))
    assert len(rows) > 50
    assert {row[0]: row[1:] for row in rows} == {row[0]: row[1:] for row in source}


def test_the_marker_says_which_scale_is_there(seeded: Servers, fresh_source: Servers) -> None:
    assert data.seeded_scale(seeded.postgres) == SCALE
    assert data.seeded_scale(fresh_source.postgres) is None


def test_an_interrupted_seed_does_not_count(fresh_source: Servers) -> None:
    class PowerCut(Exception):
        pass

    def cut(message: str) -> None:
        raise PowerCut(message)

    data.seed_source(fresh_source.postgres, 0.001)
    with pytest.raises(PowerCut):
        data.seed_source(fresh_source.postgres, 0.001, progress=cut)
    assert data.seeded_scale(fresh_source.postgres) is None
    data.seed_source(fresh_source.postgres, 0.001)
    assert in_source(fresh_source) == data.expected(0.001)


def test_tables_that_no_demo_made_are_left_alone(fresh_source: Servers) -> None:
    change_source(fresh_source, "create schema app; create table app.scores (precious text)")
    with pytest.raises(RefusedError, match=r"app\.scores exist already"):
        data.seed_source(fresh_source.postgres, 0.001)
    assert from_source(fresh_source, "select count(precious) from app.scores") == [(0,)]


def test_a_target_of_another_scale_is_refused(seeded: Servers) -> None:
    with pytest.raises(RefusedError, match="not scale 2"):
        data.seed_target(seeded.clickhouse, seeded.postgres, 2)
    assert in_target(seeded) == data.expected(SCALE)


def test_databases_that_no_demo_made_are_left_alone(fresh_target: Servers) -> None:
    drop_databases(fresh_target.clickhouse)
    change_target(fresh_target, "create database globex_chat")
    with pytest.raises(RefusedError, match="globex_chat exist"):
        data.seed_target(fresh_target.clickhouse, fresh_target.postgres, SCALE)
    left = "select name from system.databases where name like 'globex%' or name like 'mutual%'"
    assert from_target(fresh_target, left) == [("globex_chat",)]


def test_seeding_again_gives_the_same_rows(fresh_target: Servers) -> None:
    before = data.fingerprints(fresh_target.clickhouse)
    data.seed_target(fresh_target.clickhouse, fresh_target.postgres, SCALE)
    assert data.fingerprints(fresh_target.clickhouse) == before
    assert in_target(fresh_target) == data.expected(SCALE)


def test_fingerprints_see_what_lies_outside_and_only_that(fresh_target: Servers) -> None:
    before = data.fingerprints(fresh_target.clickhouse)
    assert len(before) == 3 * len(story.databases())
    change_target(
        fresh_target,
        "delete from mutualofomaha_voice.scorecard where scorecard_type = 'appeal_request' "
        "and created_at >= '2026-01-01 00:00:00' and created_at < '2026-02-20 00:00:00'",
    )
    assert data.fingerprints(fresh_target.clickhouse) == before
    change_target(
        fresh_target,
        "delete from mutualofomaha_voice.score where created_at >= '2026-02-20 00:00:00' "
        "and created_at < '2026-02-21 00:00:00'",
        "delete from acme_voice.score where ai_scored",
        "create table globex_chat.stray (x UInt8) engine = MergeTree order by x",
    )
    after = data.fingerprints(fresh_target.clickhouse)
    changed = {name for name in after.keys() | before.keys() if after.get(name) != before.get(name)}
    assert changed == {"mutualofomaha_voice.score", "acme_voice.score", "globex_chat.stray"}


def test_stale_rows_can_go_by_patch_delete(fresh_target: Servers) -> None:
    change_target(
        fresh_target,
        "delete from mutualofomaha_voice.scorecard where scorecard_type = 'appeal_request' "
        "settings lightweight_delete_mode = 'lightweight_update_force'",
    )
    patches = (
        "select count() > 0 from system.parts where active and database = 'mutualofomaha_voice' "
        "and name like 'patch-%'"
    )
    assert from_target(fresh_target, patches) == [(1,)]
    counts = data.expected(SCALE)
    assert from_target(fresh_target, _TARGET_SCORECARDS) == [(counts.kept_scorecards, 0)]


@pytest.mark.slow
def test_scale_one_is_the_work_log(fresh_source: Servers, fresh_target: Servers) -> None:
    data.seed_source(fresh_source.postgres, 1)
    data.seed_target(fresh_source.clickhouse, fresh_source.postgres, 1)
    assert in_source(fresh_source) == Expected(330_294, 31_503, 2_881_300, 272_186)
    assert in_target(fresh_source) == Expected(330_294, 31_503, 2_881_300, 272_186)

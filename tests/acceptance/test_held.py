"""What is remembered of a verified window is what the source holds at that moment, highest version
and all: later campaigns go by it."""

from typing import Any, cast

import psycopg
import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.inprocess import Campaign
from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.ports import Target

_LATEST = (
    "(select card_id from {0}.cards where kind = 'plain' and created_at >= '2026-01-01Z' "
    "and created_at < '2026-02-20Z' order by updated_at desc limit 1)"
)
HAPPENS = {
    "nothing": "select 1",
    "the latest goes": f"delete from {{0}}.cards where card_id = {_LATEST}",
    "one is later": f"update {{0}}.cards set updated_at = now() where card_id = {_LATEST}",
    "one more, of old": "insert into {0}.cards values (77777, 'acme', 'voice', 'plain', 1, 1, 'x', "
    "'2026-01-15Z', '2020-01-01Z')",
}


@pytest.mark.parametrize("what", HAPPENS)
def test_what_is_remembered_is_what_the_source_holds(make_world: Maker, what: str) -> None:
    world = make_world(worker=False, rows=600)

    def step(name: str) -> None:
        if name == "published":
            with psycopg.connect(world.endpoints.postgres, autocommit=True) as connection:
                connection.execute(HAPPENS[what].format(world.name))

    with Campaign.of(world) as campaign:
        campaign.run(step)
        (tenant,) = campaign.plan.tenants
        dataset, source = campaign.plan.request.dataset, campaign.desk.source
        where = (dataset.name, tenant.tenant.cluster, tenant.tenant.database)
        records = campaign.ledger.verified(*where, campaign.plan.request.interval)
        assert records
        for record in records:
            for name, held in record.tables.items():
                piece = Slice(dataset, dataset.table(name), tenant.tenant, record.interval)
                now = source.count(piece, (), Attempt("", "test", 1), None)
                assert (held.source_rows, held.max_version) == (now.kept, now.max_version), name
                assert now.max_version is not None or not now.kept


class Looked:
    """A target that counts how often live was hashed for undo."""

    def __init__(self, target: Any) -> None:
        self._target, self.looks = target, 0

    def prints(self, *asked: Any) -> Any:
        self.looks += 1
        return self._target.prints(*asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


@pytest.mark.parametrize("writes", [False, True])
def test_live_is_hashed_for_undo_only_where_somebody_wrote(make_world: Maker, writes: bool) -> None:
    world = make_world(worker=False, rows=600, partition="partition by toYYYYMMDD(created_at)")

    def step(name: str) -> None:
        if name == "published" and writes:
            mine = f"select * from {world.db}.mark where created_at > '2026-01-09' limit 9"
            world.ch.command(f"insert into {world.db}.mark {mine}")

    with Campaign.of(world) as campaign:
        target = Looked(campaign.desk.target)
        campaign.desk.target = cast(Target, target)
        campaign.run(step)
        looks = target.looks
        (tenant,) = campaign.plan.tenants
        (group,) = tenant.groups
        kept = campaign.ledger.kept(group.id)
        assert {one.table for one in kept} == {"card", "mark"}
        for record in kept:
            table = next(one for one in group.tables if one.table == record.table)
            dataset = campaign.plan.request.dataset
            piece = Slice(dataset, dataset.table(record.table), tenant.tenant, group.interval)
            live = target.describe(tenant.tenant.database, record.table)
            now = target.prints(live, piece, table, Attempt("", "test", 1), lambda _: None)
            assert record.after == now
            assert not record.why_not
    assert looks == (1 if writes else 0)

"""Default names of campaigns, and the ids of their plans."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.world import acme, days, group
from windlass.domain.naming import bind, campaign_name, rebind
from windlass.domain.states import Mode
from windlass.domain.window import Interval


def span(first: str, last: str) -> Interval:
    return Interval(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last)))


JAN_FEB = span("2026-01-01", "2026-02-20")


@pytest.mark.parametrize(
    ("tenants", "interval", "name"),
    [
        (("mutualofomaha", "mutualofomaha-sandbox"), JAN_FEB, "mutualofomaha-jan-feb-2026"),
        (("acme",), span("2026-01-01", "2026-02-01"), "acme-jan-2026"),
        (("acme",), span("2026-02-19", "2026-02-20"), "acme-19-feb-2026"),
        (("acme",), span("2025-12-31", "2026-01-02"), "acme-dec-2025-jan-2026"),
        (("voice-prod/acme/voice", "acme/*"), JAN_FEB, "acme-jan-feb-2026"),
        (("acme-*",), JAN_FEB, "acme-jan-feb-2026"),
        (("acme-east", "acme-west"), JAN_FEB, "acme-jan-feb-2026"),
        (("acme", "globex"), JAN_FEB, "acme-globex-jan-feb-2026"),
        (("acme", "globex", "initech"), JAN_FEB, "voice-prod-scorecards-jan-feb-2026"),
        (("all",), JAN_FEB, "voice-prod-scorecards-jan-feb-2026"),
        (("*/voice",), JAN_FEB, "voice-prod-scorecards-jan-feb-2026"),
        (("Ünïcode Inc.",), JAN_FEB, "n-code-inc-jan-feb-2026"),
    ],
)
def test_default_names(tenants: tuple[str, ...], interval: Interval, name: str) -> None:
    found = campaign_name(tenants, interval, clusters=("voice-prod",), dataset="scorecards")
    assert found == name


def test_the_mode_is_said_where_it_is_not_the_usual() -> None:
    assert campaign_name(("acme",), JAN_FEB, Mode.DELETE) == "acme-jan-feb-2026-delete"


@given(st.lists(st.text(st.characters(exclude_characters="/"), min_size=1), max_size=4))
def test_any_name_is_safe_and_short(tenants: list[str]) -> None:
    name = campaign_name([t for t in tenants if t.strip()], JAN_FEB, dataset="x" * 80)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert len(name) <= 60


def test_binding_again_gives_another_head() -> None:
    once = bind(acme(), "acme")
    twice = bind(once, "acme-2")
    assert once.tenants[0].windows[0].id == "acme/acme_voice/20260101-20260111"
    assert twice == bind(acme(), "acme-2")


def test_a_recut_group_keeps_its_head() -> None:
    fresh = rebind(group("db", days(0, 5)), "camp/east/db/group-20260101-20260111", "db")
    assert fresh.id == "camp/east/db/group-20260101-20260106"

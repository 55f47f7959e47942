"""Names, numbers, times, and the picture that moves."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from tests.cli.test_run import NAME, RUN
from tests.cli.turns import finish
from tests.cli.world import JANUARY, Cli
from windlass.cli import naming
from windlass.cli.show.common import clock, count, duration, half_open, iso, signed
from windlass.cli.show.live import Terminal, picture
from windlass.cli.show.volume import per_day, volume_class
from windlass.domain.errors import UsageError
from windlass.domain.record import StatusView
from windlass.domain.states import State
from windlass.domain.window import Interval


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown"),
        (0, "0 s"),
        (89.4, "89 s"),
        (27 * 60, "27 min"),
        (2 * 3600 + 5 * 60, "2 h 05 min"),
        (22 * 3600, "22 h 00 min"),
        (76 * 3600, "3 d 04 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_times_are_utc_and_half_open() -> None:
    west = datetime.fromisoformat("2026-01-01T00:00:00-08:00")
    assert iso(west) == "2026-01-01T08:00:00Z"
    assert clock(west) == "2026-01-01 08:00"
    assert clock(west + timedelta(microseconds=1)) == "2026-01-01 08:00:00.000001"
    assert half_open(JANUARY) == "[2026-01-01 00:00, 2026-02-01 00:00) UTC"


def test_numbers() -> None:
    assert (count(298791), count(None), signed(-31503), signed(0), signed(7)) == (
        "298,791", "-", "-31,503", "0", "+7",
    )  # fmt: skip


def test_volume_is_rows_a_day_over_all_tables() -> None:
    whole = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 20, tzinfo=UTC))
    assert round(per_day(298_791 + 2_609_114, whole)) == 58_158
    assert volume_class(58_158) == "low"
    assert volume_class(per_day(18_200_000 + 1_400_000, whole)) == "medium"
    assert volume_class(per_day(57_300_000 + 4_200_000, whole)) == "high"


@pytest.mark.parametrize("name", ["a", "0", "acme-jan-2026", "a" * 63])
def test_names_that_do(name: str) -> None:
    assert naming.checked(name) == name


@pytest.mark.parametrize("name", ["", "-a", "Acme", "a_b", "a/b", "a" * 64, "ä", "a b", "a\n"])
def test_names_that_do_not(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        naming.checked(name)
    assert refused.value.next_step


def running(cli: Cli, rows: int) -> StatusView:
    cli.run(*RUN, "--yes", "--detach")
    ledger = cli.backend.ledger
    ledger.cluster_state(NAME, "voice-prod", State.RUNNING)
    ledger.tenant_state(NAME, "voice-prod", "acme_voice", State.RUNNING)
    (window,) = ledger.campaign_plan(NAME).tenants[0].windows
    ledger.window_started(window.id, ledger.begin_attempt(NAME, window.id))
    cli.clock.turn(10)
    ledger.progress(window.id, 1, rows)
    return ledger.status(NAME)


def drawn(show: Callable[[Console], None], height: int = 40) -> str:
    out = Console(
        file=io.StringIO(), force_terminal=True, width=160, height=height, color_system=None
    )
    show(out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_the_picture_has_a_bar_rate_and_time_left_per_tenant(cli: Cli) -> None:
    view = running(cli, 961)
    text = drawn(lambda out: out.print(picture(view, cli.clock.now(), 10)))
    line = next(one for one in text.splitlines() if "voice-prod/acme/voice" in one)
    assert "━" in line
    for said in ("0/1", "961", "96", "20 s", "running", "healthy"):
        assert said in line
    assert "Ctrl-C detaches" in text


def test_the_picture_fits_the_screen_and_puts_work_first(cli: Cli) -> None:
    view = running(cli, 10)
    (cluster,) = view.clusters
    (at_work,) = cluster.tenants
    idle = [replace(at_work, customer=f"t{n}", state=State.DONE) for n in range(60)]
    crowded = replace(view, clusters=(replace(cluster, tenants=(*idle, at_work)),))
    text = drawn(lambda out: out.print(picture(crowded, cli.clock.now(), 5)))
    assert "voice-prod/acme/voice" in text
    assert "56 more tenants, 56 of them done" in text


def test_the_terminal_redraws_in_place_and_leaves_the_end_standing(cli: Cli) -> None:
    views = [running(cli, 10)]
    finish(cli, NAME)()
    views.append(cli.backend.ledger.status(NAME))

    def show(out: Console) -> None:
        with Terminal(out, cli.clock.now) as shown:
            for view in views:
                shown.show(view)
            shown.say("Temporal answers again")

    text = drawn(show)
    assert "running" in text
    assert "Temporal answers again" in text
    assert "verified" in text.rpartition(NAME)[2]
